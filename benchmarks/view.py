"""From an answer to the screen: reports in a real Chromium, and the peers' drawings of the same audits beside ours.

The reports are made by ``lineage_explorer.reports.page`` from seeded audits of 200 to 5,000 nodes, and opened as
files. Cytoscape.js, React Flow and the drawing of lineage-explorer with everything in it open stand on pages that are
alike, and are panned and zoomed alike. Layouts run beside Dagre's, ELK's and Graphviz's, and their crossings are counted by
one counter. The bundles are weighed, and the panel's search is asked through a real Jupyter server.

npm installs the peers below the working folder; without them, npm or Graphviz, the figures of the view remain and
the output says so.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError
from tqdm import tqdm

from benchmarks import layouts, panel, screens, view_peers
from benchmarks.audits import audit
from benchmarks.layouts import Differs, target
from benchmarks.report import ROOT, Figure, parser, percentile, say, show
from benchmarks.screens import Seen
from benchmarks.view_peers import DAGRE, EXTENSION, PAGES, Bundle, Peers
from lineage_explorer.reports import page as report

STATIC = ROOT / "lineage_explorer" / "static"
LAB = ROOT / "lineage_explorer" / "labextension" / "static"
#: Gzipped kilobytes of the widget, and of the JupyterLab extension beside it.
WIDGET_KB, LAB_KB = 60, 120
#: Milliseconds until a page's drawing is painted, once its scripts begin; and frames per second while it is moved.
PAINT, FRAMES = 150, 50
PARTS = ("sizes", "layout", "screen", "panel")
#: Seconds that one page is opened again and again for.
_LONG = 60
_ALONE = "the drawing alone"
_FILES = {_ALONE: "drawing", view_peers.CYTOSCAPE: "cytoscape", view_peers.REACT_FLOW: "react-flow"}


def build() -> str:
    """Build the view as it stands in ``extension/src``, and with it the script that measures it."""
    node = view_peers.tool("node")
    if node is None or not (EXTENSION / "node_modules" / "esbuild").exists():
        raise RuntimeError("the view cannot be built: it needs node, and npm install in extension/")
    # From its own folder, where the builder of the JupyterLab extension looks for its loaders.
    subprocess.run([node, "build.mjs", "--bench"], check=True, stdout=sys.stderr, cwd=EXTENSION)
    return (EXTENSION / "dist" / "bench.js").read_text(encoding="utf-8")


def chromium() -> str:
    """Where Chromium is."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise RuntimeError("this benchmark needs Chromium: apt-get install chromium (or set CHROMIUM to its path)")
    return path


# --- Sizes ------------------------------------------------------------------------------------------------------------


def packed(*texts: str) -> float:
    """Gzipped kilobytes, of 1,000 bytes; each text is sent by itself."""
    return sum(len(gzip.compress(text.encode(), 9, mtime=0)) for text in texts) / 1e3


def weights(others: Peers | None) -> tuple[list[Figure], list[str]]:
    """What the view weighs on its way to the browser, and remarks."""
    name = "the widget's view.js, view.css and loader.js, gzipped"
    ours = packed(*((STATIC / file).read_text(encoding="utf-8") for file in ("view.js", "view.css", "loader.js")))
    found = [Figure(name, ours, "KB"), target(name, ours, WIDGET_KB, "KB")]
    if others is not None:
        peers = {f"{DAGRE}, a layout only": (others.dagre,), "ELK, a layout only": (others.elk, others.elk_worker)}
        peers |= {f"{whose}, our page of it": bundle for whose, bundle in others.pages.items()}
        found += [Figure(name, packed(*texts), "KB", whose, packed(*texts) / ours) for whose, texts in peers.items()]
    scripts = sorted(LAB.glob("*.js"))
    if not any(script.name.startswith("remoteEntry") for script in scripts):
        return found, ["the JupyterLab extension is not built, so it was not weighed"]
    name = "all scripts of the JupyterLab extension, gzipped"
    lab = packed(*(script.read_text(encoding="utf-8") for script in scripts))
    return [*found, Figure(name, lab, "KB"), target(name, lab, LAB_KB, "KB")], []


# --- On the screen ----------------------------------------------------------------------------------------------------


def _looked(
    browser: Browser, path: Path, about: str | None, hops: int, repeat: int, pictures: Path | None
) -> list[Seen]:
    """A page opened several times, less often if it is slow; nothing if it does not come to draw."""
    found: list[Seen] = []
    spent = 0.0
    begun = os.times().elapsed
    while len(found) < repeat and spent < _LONG:
        picture = pictures / f"{path.stem}.png" if pictures is not None and not found else None
        seen = screens.look(browser, path, about, picture)
        if seen is None:
            break
        if seen.hops != hops:
            raise Differs(f"{path.name} has {seen.hops:,} hops of {hops:,}")
        found.append(seen)
        spent = os.times().elapsed - begun
    return found


def _measured(looks: Sequence[Seen]) -> dict[str, tuple[float, str]]:
    """Value and unit by name, each the middle one of several openings."""

    def middling(values: Iterable[float]) -> float:
        return percentile(list(values), 50)

    first = [item.first for item in looks]
    found = {
        "first paint, from navigation": (middling(item["painted"] for item in first), "ms"),
        "first paint, from the scripts' start": (middling(item["painted"] - item["parsed"] for item in first), "ms"),
        "of which until it is in the document": (middling(item["inDocument"] - item["parsed"] for item in first), "ms"),
    }
    for gesture in looks[0].frames:
        frames = [item.frames[gesture] for item in looks]
        gaps = [gap for item in frames for gap in item.gaps]
        found[f"{gesture}, frames per second"] = (middling(item.rate for item in frames), "")
        found[f"{gesture}, frame time, p50"] = (percentile(gaps, 50), "ms")
        found[f"{gesture}, frame time, worst 5 %"] = (percentile(gaps, 95), "ms")
    for when in looks[0].elements:
        found[f"elements of the drawing, {when}"] = (middling(item.elements[when] for item in looks), "")
    return found


def _late(looks: Sequence[Seen]) -> float:
    """The smallest share of frames in which the mouse had come to a new place."""
    return min(frames.share for item in looks for frames in item.frames.values())


def _judged(prefix: str, values: dict[str, tuple[float, str]], size: str) -> list[Figure]:
    """Our own figures, with what they should come to."""
    found: list[Figure] = []
    for name, (value, unit) in values.items():
        found.append(Figure(f"{prefix}: {name}", value, unit, size=size))
        if name == "first paint, from the scripts' start":
            found.append(target(f"{prefix}: {name}", value, PAINT, unit, size))
        if name.endswith("frames per second"):
            found.append(target(f"{prefix}: {name}", value, FRAMES, unit, size, more=True))
    return found


def on_screen(
    browser: Browser,
    content: dict[str, Any],
    folder: Path,
    size: str,
    bench: str,
    others: Peers | None,
    repeat: int,
    pictures: Path | None,
) -> tuple[list[Figure], list[str]]:
    """Figures of the report as it opens, and of drawings with everything open: ours and the peers'."""
    nodes, hops = len(content["nodes"]), len(content["hops"])
    path = folder / f"report-{nodes}.html"
    path.write_text(report.render(content), encoding="utf-8")
    looks = _looked(browser, path, None, hops, repeat, pictures)
    if not looks:
        raise Differs(f"the report of {size} had drawn nothing after {screens.LIMIT} s")
    found = _judged("the report", _measured(looks), size)
    found.append(Figure("the report: its file", path.stat().st_size / 1e6, "MB", size=size))
    late = {"the report": _late(looks)}

    style = (STATIC / "view.css").read_text(encoding="utf-8")
    alone = Bundle(f"{bench}\n;{(PAGES / 'drawing.js').read_text(encoding='utf-8')}", style)
    pages = {_ALONE: alone} | (others.pages if others is not None else {})
    about = content["nodes"][nodes // 2]["ref"]
    measured: dict[str, dict[str, tuple[float, str]]] = {}
    remarks: list[str] = []
    for name, bundle in pages.items():
        path = folder / f"{_FILES[name]}-{nodes}.html"
        canvas = name == view_peers.CYTOSCAPE
        path.write_text(screens.page_of(content, bundle, canvas=canvas, classes="lx-root" * (name == _ALONE)), "utf-8")
        looks = _looked(browser, path, about, hops, repeat, pictures)
        if looks:
            measured[name], late[name] = _measured(looks), _late(looks)
        else:
            remarks.append(f"{size}: {name} had drawn nothing after {screens.LIMIT} s and was ended")
    if _ALONE not in measured:
        raise Differs(remarks[0])
    ours = measured.pop(_ALONE)
    for figure in _judged("everything open", ours, size):
        found.append(figure)
        if figure.peer is None:
            found += _beside(
                figure, {name: values[figure.name.partition(": ")[2]] for name, values in measured.items()}
            )
    for name, share in late.items():
        if share < 0.8:
            remarks.append(f"{size}: {name}: the mouse came too late for up to {1 - share:.0%} of the frames")
    return found, remarks


def _beside(figure: Figure, peers: dict[str, tuple[float, str]]) -> list[Figure]:
    """The peers' figures of the same name: more frames are better, and less of everything else."""
    more = figure.name.endswith("frames per second")
    counted = ": elements" in figure.name  # a canvas has none: a ratio would say nothing
    return [
        Figure(
            figure.name,
            value,
            unit,
            name,
            None if counted else figure.value / value if more else value / max(figure.value, 1e-9),
            figure.size,
        )
        for name, (value, unit) in peers.items()
    ]


# --- All of it --------------------------------------------------------------------------------------------------------


def figures(asked: Any) -> tuple[list[Figure], list[str]]:
    """Every figure that was asked for, and remarks."""
    bench = build()
    got = view_peers.peers(asked.work)
    others = got if isinstance(got, Peers) else None
    remarks = [] if isinstance(got, Peers) else [got]
    found: list[Figure] = []
    if "sizes" in asked.only:
        weighed, said = weights(others)
        found, remarks = found + weighed, remarks + said
    if {"layout", "screen", "panel"} & set(asked.only):
        drawn, said = _in_browser(asked, bench, others)
        found, remarks = found + drawn, remarks + said
    return found, remarks


def _in_browser(asked: Any, bench: str, others: Peers | None) -> tuple[list[Figure], list[str]]:
    """Figures of layouts, pages and the panel, and remarks."""
    found: list[Figure] = []
    folder = asked.work / "view"
    folder.mkdir(parents=True, exist_ok=True)
    if asked.pictures is not None:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    repeat = 2 if asked.quick else 5
    sizes = asked.sizes if {"layout", "screen"} & set(asked.only) else []
    # Chromium's own sandbox refuses to run as root, which is what a container's user usually is.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright, tqdm(sizes, leave=False) as bar:
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        remarks = [
            f"Chromium {browser.version}, headless and drawing in software, on {len(os.sched_getaffinity(0))} cores that "
            f"others use too (load {os.getloadavg()[0]:.1f} at the start): noisy, and nothing was measured on a GPU"
        ]
        # First, for it is soon done: what is wrong there need not be waited for.
        searched, of_panel = (
            panel.figures(asked.work, browser, quick=asked.quick) if "panel" in asked.only else ([], [])
        )
        for count in bar:
            content = audit(count)
            size = f"{len(content['nodes']):,} nodes, {len(content['hops']):,} hops"
            if "layout" in asked.only:
                bar.set_description(f"{size}, layouts")
                laid, said = layouts.layouts(browser, content, size, bench, others, repeat)
                found, remarks = found + laid, remarks + said
            if "screen" in asked.only:
                bar.set_description(f"{size}, pages")
                seen, said = on_screen(browser, content, folder, size, bench, others, repeat, asked.pictures)
                found, remarks = found + seen, remarks + said
        browser.close()
    return found + searched, [*remarks, *of_panel, *_explained(asked, repeat)]


def _explained(asked: Any, repeat: int) -> list[str]:
    """How it was measured."""
    said = [f"medians of {repeat}, each from a new context or worker; what takes long is repeated less"]
    if "layout" in asked.only:
        said.append(
            "the layout's time is without building a peer's graph; ELK's is with the way to its worker and back, dot's with "
            "its process, its routing and its writing. Ours keeps the lanes apart, which was not asked of the peers. dot draws "
            "polylines (its curves cross more), and was asked once"
        )
    if "screen" in asked.only:
        said += [
            "the report opens with its groups closed where there are many nodes. 'Everything open' is the drawing alone "
            f"with every group open (it lays out closed first), on a page of {screens.STAGE['width']} by "
            f"{screens.STAGE['height']} pixels as the peers' are, each with the whole audit as data. Ours draws gates too, "
            "which the peers do not; it leaves names out where more than 400 nodes are in the window, Cytoscape.js where they "
            "are too small to read. React Flow makes elements for what is in the window only",
            "first paint: the start of the frame after the first that shows a node, layout included, from the navigation and "
            "from when the page was parsed and its scripts began: two frames of 16.7 ms at least",
            f"panning: {screens.PAN:g} s with the mouse held, there and back over 1,000 pixels. Zooming: the wheel once a frame, "
            f"each time {screens.STEP:g} times larger, about one node, from all of it to a scale of {screens.FULL:g}, out and "
            "in. Frames are intervals of requestAnimationFrame in which the drawing came to stand somewhere new",
        ]
    return said


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    options = parser(
        __doc__ or "",
        "python benchmarks/view.py --quick --json\n  python benchmarks/view.py --only screen --sizes 200 --pictures /tmp/pages",
    )
    options.add_argument(
        "--sizes",
        type=lambda text: [int(part.replace("_", "")) for part in text.split(",")],
        metavar="N,N",
        help="nodes of the traces, 100 or more (default: 200,1000,5000; with --quick 200,1000)",
    )
    options.add_argument(
        "--only", choices=PARTS, action="append", help="this part only; may be given several times (default: all)"
    )
    options.add_argument("--pictures", type=Path, metavar="DIR", help="where to keep a picture of each page")
    parsed = options.parse_args(given)
    parsed.sizes = parsed.sizes or ([200, 1_000] if parsed.quick else [200, 1_000, 5_000])
    parsed.only = parsed.only or list(PARTS)
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
