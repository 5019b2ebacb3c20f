"""Layouts of seeded audits in a Chromium: ours, Dagre's and ELK's, and the crossings of their lines beside dot's.

Each layout runs in a new worker, because a report lays out once. All lines are judged by one counter, as straight
pieces between their bends (``extension/src/bench.ts``).
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from . import view_peers
from .report import Figure, number, percentile
from .view_peers import DAGRE, ELK, Peers

#: Seconds after which a layout is ended, and dot's, which is asked once.
LIMIT, DOT_LIMIT = 60, 300
#: Milliseconds that a layout may take, by nodes; and how many times dot's crossings there may be.
TARGETS = {200: 20, 1_000: 80, 5_000: 300}
CROSSINGS = 1.5
#: As in extension/src/view/layout.ts: a node, and the gaps between rows and columns.
NODE = (212.0, 62.0)
GAPS = (22.0, 72.0)
_LANES = ("data", "preparation", "training", "registry", "deployment", "endpoint")

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


class Differs(AssertionError):
    """A layout without all nodes, or a page that went wrong: no figure of it is worth anything."""


def lay_out(page: Page, whose: str, content: dict[str, Any], bench: str, others: Peers | None) -> dict[str, Any] | None:
    """One layout in a worker of its own; None if it took too long."""
    told = {
        "nodes": [{"id": node["ref"], "lane": _LANES.index(node["lane"])} for node in content["nodes"]],
        "edges": [{"cause": hop["cause"], "effect": hop["effect"]} for hop in content["hops"]],
    }
    if whose == "elk" and others is not None:
        given = {"worker": others.elk_worker, "input": told, "limit": LIMIT * 1000}
        found = page.evaluate(_BY_ELK, given)
    else:
        source = f"{others.dagre if others is not None and whose == 'dagre' else ''}\n;{bench}"
        given = {"source": source, "engine": whose, "input": told, "limit": LIMIT * 1000}
        found = page.evaluate(_IN_WORKER, given)
    return None if found is None else _whole(whose, len(told["nodes"]), found)


def _whole(whose: str, count: int, found: dict[str, Any]) -> dict[str, Any]:
    """A layout that has all nodes, each in a place of its own."""
    if "error" in found:
        raise Differs(f"{whose} could not lay out {count:,} nodes: {found['error']}")
    if found["placed"] != count or found["overlaps"]:
        raise Differs(f"{whose} placed {found['placed']} of {count} nodes, {found['overlaps']} overlap")
    return found


def layouts(
    browser: Browser, content: dict[str, Any], size: str, bench: str, others: Peers | None, repeat: int
) -> tuple[list[Figure], list[str]]:
    """Figures of every layout, and remarks."""
    names: dict[str, str | None] = {"ours": None} | ({"dagre": DAGRE, "elk": ELK} if others is not None else {})
    count = len(content["nodes"])
    times: dict[str, float] = {}
    crossings: dict[str, float] = {}
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
        if taken:
            times[whose] = percentile(taken, 50)
    if "ours" not in times:
        raise Differs(remarks[0])
    drawn = view_peers.dot(content, *NODE, GAPS, DOT_LIMIT)
    if isinstance(drawn, str):
        remarks.append(f"{size}: {drawn}")
    else:
        judged = page.evaluate("(given) => lxBench.judged(...given)", [drawn.ms, drawn.places, drawn.lines])
        names["dot"] = drawn.name
        times["dot"], crossings["dot"] = drawn.ms, _whole(drawn.name, count, judged)["crossings"]
        remarks.append(
            f"{size}: dot itself counts {drawn.counted:,} crossings between its columns; ours are {number(crossings['ours'] / drawn.counted)} "
            "times as many"
        )
    page.close()
    return _figures(names, times, crossings, count, size), remarks


def _figures(
    names: dict[str, str | None], times: dict[str, float], crossings: dict[str, float], count: int, size: str
) -> list[Figure]:
    def of(name: str, values: dict[str, float], unit: str) -> list[Figure]:
        return [
            Figure(
                name,
                value,
                unit,
                names[key],
                None if key == "ours" else value / max(values["ours"], 1e-9),
                size,
                f">= {1 / CROSSINGS:.3f}" if key == "dot" and name == _CROSSINGS else "",
            )
            for key, value in values.items()
        ]

    found = of("layout", times, "ms")
    if count in TARGETS:
        found.insert(1, target("layout", times["ours"], TARGETS[count], "ms", size))
    return found + of(_CROSSINGS, crossings, "")


_CROSSINGS = "crossings of its lines"


def target(name: str, ours: float, bound: float, unit: str, size: str = "", *, more: bool = False) -> Figure:
    """What a figure of ours should be at most, or at least."""
    ratio = ours / bound if more else bound / max(ours, 1e-9)
    return Figure(name, bound, unit, "the target", ratio, size, ">= 1")
