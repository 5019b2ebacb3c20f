"""The history of a model with a thousand versions, drawn in a real Chromium: until it is painted, and while it is moved.

The document is seeded and made here, as ``History.to_dict()`` writes it: gates, stages, three endpoints' lanes with
splits and gaps. What is timed is ``mountHistory`` of the view as it stands in ``extension/src``, from the call to the
frame after the one that shows it, and a step of the wheel in every frame: over the rows, along the axis, into it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from playwright.sync_api import Browser, sync_playwright

from benchmarks import view_peers
from benchmarks.layouts import Differs, target
from benchmarks.report import Figure, parser, percentile, say, show
from benchmarks.view import chromium
from benchmarks.view_peers import EXTENSION, PAGES

#: Milliseconds until it is painted, and frames per second while it is moved.
PAINT, FRAMES = 300, 50
WINDOW = {"width": 1280, "height": 900}
_STYLES = ("view", "controls", "reading", "policy", "drawing", "fitting")
_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
_APART = timedelta(hours=30)
_STEPS = 240


def document(count: int) -> dict[str, Any]:
    """A history of so many versions, as ``History.to_dict()`` has it; the same each time."""
    chance = random.Random(20_260_121)
    end = _iso(_FIRST + _APART * (count + 4))
    versions = [_version(number, chance) for number in range(1, count + 1)]
    places = [("endpoint:prod/churn", "emea"), ("endpoint:prod/churn", "apac"), ("endpoint:prod/batch", "")]
    lanes = []
    for at, (endpoint, site) in enumerate(places):
        spans: list[dict[str, Any]] = [_span(None, _iso(_FIRST), [], "unknown")]
        for number in range(1 + at, count, len(places)):
            begin = _FIRST + _APART * number
            full, until = begin + _APART, None if number + 3 >= count else _iso(begin + _APART * 3)
            shares = [_share(number, 20.0, endpoint, site), _share(max(1, number - 3), 80.0, endpoint, site)]
            spans += [
                _span(spans[-1]["until"], _iso(begin), [], "gap"),
                _span(_iso(begin), _iso(full), shares, "served"),
                _span(_iso(full), until, [_share(number, 100.0, endpoint, site)], "served"),
            ]
        kept = [item for item in spans if item["since"] != item["until"]]
        lanes.append({"endpoint": endpoint, "site": site, "environment": "production", "spans": kept})
        for item in kept:
            for share in item["shares"]:
                row = versions[int(share["version"].rpartition("@")[2]) - 1]
                times = {name: item[name] for name in ("since", "until", "between_syncs")}
                row["serving"].append({**share, "endpoint": endpoint, **times})
    events = [
        {
            "at": row["registered"],
            "earliest": row["registered"],
            "kind": "registered",
            "ref": row["ref"],
            "endpoint": "",
            "who": "person:ben",
            "text": f"{row['label']} was registered",
            "source": None,
        }
        for row in versions
    ]
    return {
        "format": "lineage-explorer/history",
        "format_version": 1,
        "tool": {"name": "lineage-explorer", "version": "0"},
        "digest": "",
        "question": {"ref": "model:prod/churn", "as_of": end, "known_at": end},
        "complete": True,
        "versions": versions,
        "lanes": lanes,
        "events": events,
        "tree": {"nodes": [], "links": []},
    }


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(number: int, chance: random.Random) -> dict[str, Any]:
    ref, begin = f"model:prod/churn@{number}", _FIRST + _APART * number
    auc = round(0.76 + 0.1 * chance.random(), 4)
    gates = [
        {
            "subject": ref,
            "gate": gate,
            "gate_type": kind,
            "status": status,
            "grade": "referenced",
            "expected": "auc >= 0.80" if gate == "auc" else "",
            "actual": str(auc) if gate == "auc" else "",
            "evaluator": "person:mia",
            "event_time": _iso(begin + _APART * part),
            "pointer": "",
        }
        for gate, kind, status, part in (
            ("auc", "evaluation", "passed" if auc >= 0.8 else "failed", 0.2),
            ("bias", "fairness", chance.choice(["passed", "waived", "undetermined"]), 0.3),
            ("approval", "approval", "passed", 0.6),
        )
    ]
    times = [_iso(begin + _APART * part) for part in (0.2, 0.6, 4.0)]
    stages = [
        {"stage": stage, "since": since, "until": until, "earliest": since, "because": "on record"}
        for stage, since, until in zip(("evaluation", "production", "archived"), times, (*times[1:], None), strict=True)
    ]
    data = {
        "ref": f"dataset:lake/customers@v{number}",
        "role": "training",
        "how": "read by the run",
        "digest": f"sha256:{chance.getrandbits(256):064x}",
        "identified_by": "content_hash",
        "rows": 100_000 + number,
    }
    return {
        "ref": ref,
        "kind": "model",
        "version": str(number),
        "label": f"churn v{number}",
        "description": "",
        "registered": _iso(begin),
        "here": True,
        "gone_at": None,
        "stages": stages,
        "serving": [],
        "gates": gates,
        "params": {f"p{at}": str(chance.randrange(9)) for at in range(20)},
        "metrics": {"auc": auc, "f1": round(chance.random(), 4), "loss": round(chance.random(), 4)},
        "data": [data],
        "code": [],
        "packages": {f"package{at}": f"1.{at}" for at in range(20)},
        "ingredients": [],
        "runs": [],
        "parents": [],
    }


def _share(number: int, traffic: float, endpoint: str, site: str) -> dict[str, Any]:
    ref = f"model:prod/churn@{number}"
    return {
        "deployment": f"{endpoint.replace('endpoint', 'deployment')}:{site}{number}",
        "model": ref,
        "version": ref,
        "traffic": traffic,
        "state": "serving",
        "site": site,
        "environment": "production",
    }


def _span(since: str | None, until: str | None, shares: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return {"since": since, "until": until, "between_syncs": False, "kind": kind, "shares": shares, "findings": []}


def page(count: int, folder: Path) -> Path:
    """A page with the document, the view's styles and the script that mounts and times it."""
    builder = EXTENSION / "node_modules" / ".bin" / "esbuild"
    if view_peers.tool("node") is None or not builder.exists():
        raise RuntimeError("the view cannot be built: it needs node, and npm install in extension/")
    options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=ascii"]
    command: list[str | Path] = [builder, PAGES / "history.ts", *options]
    script = subprocess.run(command, check=True, capture_output=True, text=True).stdout.replace(
        "</script", "<\\/script"
    )
    source = EXTENSION / "src"
    files = [source / "view" / f"{name}.css" for name in _STYLES] + [source / "chapters" / "history.css"]
    style = "\n".join(file.read_text(encoding="utf-8") for file in files)
    data = json.dumps(document(count), sort_keys=True).replace("<", "\\u003c")
    found = folder / f"history-{count}.html"
    found.write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>A seeded history</title>\n'
        f'<style>{style}</style>\n</head>\n<body>\n<div id="stage"></div>\n'
        f'<script type="application/json" id="history">{data}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n',
        encoding="utf-8",
    )
    return found


def _look(browser: Browser, path: Path, count: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """One opening: milliseconds until it is there, and the gaps between frames of each gesture."""
    context = browser.new_context(viewport=WINDOW, offline=True)  # type: ignore[arg-type]
    try:
        opened = context.new_page()
        problems: list[str] = []
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.goto(path.as_uri())
        opened.wait_for_function("window.lxHistory !== undefined")
        first = opened.evaluate("lxHistory.mount()")
        turned = {
            kind: opened.evaluate("([kind, steps]) => lxHistory.turn(kind, steps)", [kind, _STEPS])
            for kind in ("scroll", "pan", "zoom")
        }
        if problems or first["versions"] != count or any(len(gaps) < _STEPS // 2 for gaps in turned.values()):
            raise Differs(f"the history was not drawn, or did not follow the wheel: {problems[:3]}, {first}")
        return first, turned
    finally:
        context.close()


def drawing(folder: Path, repeat: int, count: int = 1_000) -> tuple[list[Figure], list[str]]:
    """Figures of the drawn history, with what they should come to, and remarks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = page(count, folder)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        remarks = [
            f"Chromium {browser.version}, headless and drawing in software, on {len(os.sched_getaffinity(0))} cores that "
            f"others use too (load {os.getloadavg()[0]:.1f} at the start)"
        ]
        looks = [_look(browser, path, count) for _ in range(repeat)]
        browser.close()
    size = f"{count:,} versions"
    found: list[Figure] = []
    for name, key in (("until it is painted", "painted"), ("of which until it is in the document", "inDocument")):
        value = percentile([first[key] for first, _ in looks], 50)
        found.append(Figure(f"history: {name}", value, "ms", size=size))
        if key == "painted":
            found.append(target(f"history: {name}", value, PAINT, "ms", size))
    for kind, said in (("scroll", "scrolling"), ("pan", "panning"), ("zoom", "zooming")):
        gaps = [gap for _, turned in looks for gap in turned[kind]]
        rate = percentile([1e3 * len(turned[kind]) / sum(turned[kind]) for _, turned in looks], 50)
        found.append(Figure(f"history: {said}, frames per second", rate, "", size=size))
        if kind == "scroll":
            found.append(target(f"history: {said}, frames per second", rate, FRAMES, "", size, more=True))
        found.append(Figure(f"history: {said}, frame time, worst 5 %", percentile(gaps, 95), "ms", size=size))
    found.append(Figure("history: rows in the page", looks[0][0]["rows"], "", size=size))
    return found, remarks


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked = parser(__doc__ or "", "python benchmarks/history_view.py --quick").parse_args(given)
    try:
        found, remarks = drawing(asked.work / "history", 2 if asked.quick else 5)
    except (Differs, RuntimeError, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    show(found, as_json=asked.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
