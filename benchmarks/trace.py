"""How long from a question to its answer, in estates of 10 thousand, 100 thousand and a million things.

For each size: a cold process's first answer, a trace's p50 and p99 (walk alone, and to a NetworkX graph), and
peak memory; beside NetworkX with everything loaded, DuckDB and Ladybug on the same relations. All engines
answer the same seeded questions in processes of their own, and their answers are compared before any time
counts: one difference ends the run.

Large estates are loaded by bare SQL (see load.py); that they answer as one grown through Store.append does
is proved on the smallest estate in the same run.
"""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: find the package beside us, and not this folder's `trace` for the library's
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks.estate import AS_OF, EDITION
from benchmarks.load import KNOWN_AFTER, KNOWN_BEFORE, Estate, estate, grown
from benchmarks.peers import EDGE_COLUMNS, said_graph
from benchmarks.report import ROOT, Figure, parser, percentile, say, show
from lineage_explorer import lineage_graph, open_store
from lineage_explorer.references import micros_of
from lineage_explorer.store.schema import FOREVER, JOURNAL_TABLES, PROJECTION_TABLES

#: What must not be imported on the way to a first answer.
HEAVY = ("sqlalchemy", "pandas", "numpy", "mlflow", "anywidget", "rfc8785")
_COLD = """
import sys
from datetime import datetime, UTC
from lineage_explorer import lineage_graph, open_store
with open_store(sys.argv[1]) as store:
    graph = lineage_graph(store, sys.argv[2], as_of=datetime.fromtimestamp(int(sys.argv[3]) / 1e6, UTC), known_at=store.now())
print(len(graph), sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[4:])))
"""


class Differs(AssertionError):
    """Two engines gave different answers; no figure of theirs is worth anything."""


def same_answers(whose: str, ours: list[str], theirs: list[str], questions: list[str]) -> None:
    """Refuse to go on unless every answer is the same."""
    for question, first, second in zip(questions, ours, theirs, strict=True):
        if first != second:
            raise Differs(f"{question}: lineage-explorer says {first}; {whose} says {second}")


def prove_loading(nodes: int, folder: Path) -> str:
    """Compare a bulk-loaded estate with one grown through ``Store.append``: every table, and every endpoint's graph."""
    loaded, appended = estate(nodes, folder), grown(nodes, folder / f"grown-{nodes}.db")
    tables = ("frontier", *JOURNAL_TABLES, *(name for name in PROJECTION_TABLES if name != "name_index"))
    with sqlite3.connect(loaded.path) as left, sqlite3.connect(appended.path) as right:
        for table in tables:
            one, other = (Counter(side.execute(f"SELECT * FROM {table}")) for side in (left, right))
            if one != other:
                raise Differs(f"{table} of a bulk-loaded store differs: {next(iter((one - other) or (other - one)))}")
    endpoints = loaded.endpoints + loaded.bare_endpoints
    with open_store(loaded.path) as left_store, open_store(appended.path) as right_store:
        checked = left_store.verify()
        if not checked:
            raise Differs(f"a bulk-loaded store does not verify: {checked.problems[0].message}")
        for ref in endpoints:
            for known in (KNOWN_BEFORE, KNOWN_AFTER):
                first, second = (
                    lineage_graph(store, ref, as_of=AS_OF, known_at=known) for store in (left_store, right_store)
                )
                same_nodes = dict(first.nodes(data=True)) == dict(second.nodes(data=True))
                if said_graph(first) != said_graph(second) or not same_nodes:
                    raise Differs(f"{ref}: a bulk-loaded store and an appended one answer differently")
    return (
        f"the {nodes:,}-node estate, bulk-loaded and grown through Store.append, has the same rows in every table and "
        f"one tree head, verifies, and gives one answer for each of {len(endpoints)} endpoints at two instants of knowledge"
    )


def measure(found: Estate, folder: Path, *, repeat: int, few: int, cold: int) -> tuple[list[Figure], float, list[str]]:
    """Every figure of one size, our p50, and remarks."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(found.nodes)
    questions = _sample(chance, found.endpoints, repeat)
    with sqlite3.connect(found.path) as connection:
        numbers = dict(connection.execute("SELECT ref, id FROM node WHERE kind = 'endpoint'").fetchall())
        recorded = connection.execute("SELECT max(recorded_at) FROM head").fetchone()[0]
        _export(connection, folder)
    task = {
        "store": found.path,
        "folder": str(folder),
        "as_of": micros_of(AS_OF),
        "known_at": recorded,
        "questions": questions,
        "few": questions[:few],
        "few_ids": [numbers[ref] for ref in questions[:few]],
        "bare": _sample(chance, found.bare_endpoints, min(repeat, 50)),
    }
    steps = [name for name in ("lineage", "networkx", "pickle", "duckdb", "ladybug") if _there(name)]
    results: dict[str, dict[str, Any]] = {}
    with tqdm(steps, desc=found.size, leave=False) as bar:
        for name in bar:
            bar.set_postfix_str(name)
            results[name] = _run(name, task)
    ours = results["lineage"]
    _compare(results, task)
    figures = _figures(found, results)
    starts, remark = _cold_starts(found, _sample(chance, found.endpoints, cold))
    median = percentile(starts, 50)
    pickled = results["pickle"]["unpickle_seconds"] * 1e3
    figures[:0] = [
        Figure("cold process to answer, p50", median, "ms", size=found.size),
        Figure("cold process to answer, worst", max(starts), "ms", size=found.size),
        Figure(
            "cold process to answer, p50",
            pickled,
            "ms",
            "networkx, unpickling alone",
            pickled / median,
            found.size,
            ">= 25" if found.nodes > 500_000 else "",
        ),
    ]
    remarks = [
        remark,
        f"{found.size}: traces of {_middle(ours['graph']['answers'])}; {len(questions)} questions, "
        f"{few} to the slow ones; asked once before, but for the figures of a first time",
    ]
    if "ladybug" in results:
        remarks.append(
            f"{found.size}: ladybug took the quicker of two ways to write each query ({results['ladybug']['written']})"
        )
    return figures, percentile(ours["graph"]["seconds"], 50) * 1e3, remarks


def _sample(chance: random.Random, items: list[str], count: int) -> list[str]:
    """Without repetition as far as that goes."""
    chosen: list[str] = []
    while items and len(chosen) < count:
        chosen += chance.sample(items, min(len(items), count - len(chosen)))
    return chosen


def _there(name: str) -> bool:
    if name in ("duckdb", "ladybug") and find_spec(name) is None:
        say(f"{name} is not installed: its figures are missing (pip install {name})")
        return False
    return True


def _export(connection: sqlite3.Connection, folder: Path) -> None:
    """The estate as the peers load it."""
    for name, statement in {
        "nodes": "SELECT id, ref, kind FROM node ORDER BY id",
        "edges": f"SELECT {EDGE_COLUMNS} FROM edge WHERE flow = 1 AND recorded_to = {FOREVER}",
    }.items():
        path = folder / f"{name}.csv"
        if not path.exists():
            with path.with_suffix(".part").open("w", newline="") as file:
                csv.writer(file).writerows(connection.execute(statement))
            path.with_suffix(".part").rename(path)


def _run(name: str, task: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", name],
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the process that measures {name} ended with {done.returncode}; its message is above")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _compare(results: dict[str, dict[str, Any]], task: dict[str, Any]) -> None:
    ours, questions = results["lineage"], task["questions"]
    nodes = [answer.partition(";")[0] for answer in ours["graph"]["answers"]]
    same_answers("its own walk", nodes, ours["walk"]["answers"], questions)
    networkx, few = results["networkx"], len(task["few"])
    same_answers("its own first answer", ours["graph"]["answers"], ours["first"]["answers"], questions)
    same_answers("BFS on NetworkX", nodes, networkx["walk"]["answers"], questions)
    for way in ("graph", "filled"):
        same_answers("BFS on NetworkX", ours["graph"]["answers"], networkx[way]["answers"], questions)
    same_answers("BFS on NetworkX, in its attributes", ours["attributes"], networkx["attributes"], task["few"])
    same_answers("networkx.ancestors", nodes[:few], networkx["view"]["answers"], task["few"])
    same_answers("a pickled NetworkX", ours["graph"]["answers"][:1], [results["pickle"]["answer"]], questions[:1])
    for name in ("duckdb", "ladybug"):
        if name in results:
            same_answers(name, ours["graph"]["answers"][:few], results[name]["graph"]["answers"], task["few"])


def _figures(found: Estate, results: dict[str, dict[str, Any]]) -> list[Figure]:
    ours, networkx = results["lineage"], results["networkx"]
    large = found.nodes > 500_000
    figures: list[Figure] = []

    def add(name: str, seconds: list[float], peer: str | None, against: list[float], expected: str = "") -> None:
        for share in (50, 99):
            value, base = percentile(seconds, share) * 1e3, percentile(against, share) * 1e3
            ratio = value / base if peer else None
            bound = expected if large and share == 50 else ""
            figures.append(Figure(f"{name}, p{share}", value, "ms", peer, ratio, found.size, bound))

    walk, graph, first = (ours[way]["seconds"] for way in ("walk", "graph", "first"))
    few = len(networkx["view"]["seconds"])  # the slow ones answered the first few: a ratio is of the same questions
    add("walk", walk, None, walk)
    add("walk", networkx["walk"]["seconds"], "networkx in memory, BFS by hand", walk)
    add("trace to graph", graph, None, graph)
    # Within 2x of the peer: its time must be at least half of ours.
    add("trace to graph", networkx["graph"]["seconds"], "networkx in memory, BFS by hand", graph, ">= 0.5")
    add("trace to graph", networkx["filled"]["seconds"], "the same, dictionaries filled by hand", graph)
    add("trace to graph", networkx["view"]["seconds"], "networkx.ancestors of a view (set only)", graph[:few], ">= 40")
    for name, expected in (("duckdb", ">= 30"), ("ladybug", ">= 75")):
        if name in results:
            add("walk", results[name]["walk"]["seconds"], name, walk[:few])
            add("trace to graph", results[name]["graph"]["seconds"], name, graph[:few], expected)
    add("trace to graph, first time asked", first, None, first)
    for name in ("duckdb", "ladybug"):
        if name in results:
            add("trace to graph, first time asked", results[name]["first"]["seconds"], name, first[:few])
    if "bare" in ours:
        add("trace to graph through bare references", ours["bare"]["seconds"], None, graph)
    figures.append(Figure("peak memory", ours["peak_mb"], "MB", size=found.size))
    for name, whose in (("networkx", "networkx in memory"), ("duckdb", "duckdb"), ("ladybug", "ladybug")):
        if name in results:
            peak = results[name]["peak_mb"]
            bound = ">= 20" if large and name == "networkx" else ""
            figures.append(Figure("peak memory", peak, "MB", whose, peak / ours["peak_mb"], found.size, bound))
    figures.append(
        Figure("estate into memory, built", networkx["build_seconds"], "s", "networkx in memory", None, found.size)
    )
    for name in ("duckdb", "ladybug"):
        if name in results and results[name]["load_seconds"] > 0.1:
            figures.append(Figure("estate into a file", results[name]["load_seconds"], "s", name, None, found.size))
    return figures


def _cold_starts(found: Estate, refs: list[str]) -> tuple[list[float], str]:
    """New processes, from their start to their printed answer; the file is in the system's cache."""
    times: list[float] = []
    heavy: set[str] = set()
    for index, ref in enumerate([refs[0], *refs]):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _COLD, found.path, ref, str(micros_of(AS_OF)), *HEAVY],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=True,
        )
        if index:  # the first one reads the interpreter's own files from disk
            times.append((time.perf_counter() - begun) * 1e3)
        heavy |= set(json.loads(done.stdout.partition(" ")[2].replace("'", '"')))
    imported = f"imports {', '.join(sorted(heavy))}" if heavy else f"imports none of {', '.join(HEAVY)}"
    return times, f"a cold process {imported}"


def _middle(answers: list[str]) -> str:
    nodes = [float(answer.split()[0]) for answer in answers]
    relations = [float(answer.partition("; ")[2].split()[0]) for answer in answers]
    return (
        f"{percentile(nodes, 50):.0f} nodes and {percentile(relations, 50):.0f} relations (p50), "
        f"{max(nodes):.0f} and {max(relations):.0f} (largest)"
    )


def figures(arguments: Any) -> tuple[list[Figure], list[str]]:
    """Every figure of this benchmark, and remarks."""
    found: list[Figure] = []
    remarks = [prove_loading(3_000 if arguments.quick else 10_000, arguments.work)]
    middles: dict[int, tuple[float, str]] = {}
    for nodes in arguments.sizes:
        made = estate(nodes, arguments.work)
        more, middle, said = measure(
            made,
            arguments.work / f"peers-{EDITION}-{nodes}",
            repeat=min(arguments.questions, 100) if arguments.quick else arguments.questions,
            few=20 if arguments.quick else min(arguments.questions, 100),
            cold=5 if arguments.quick else 20,
        )
        found += more
        remarks += said
        middles[nodes] = (middle, made.size)
    small = min(middles)
    for nodes, (middle, size) in middles.items():
        if nodes != small:
            found.append(
                Figure(
                    "trace to graph, p50, against the smallest estate",
                    middle,
                    "ms",
                    f"lineage-explorer at {small:,} nodes",
                    middle / middles[small][0],
                    size,
                    "<= 1.6" if nodes >= 1_000_000 and small <= 10_000 else "",
                )
            )
    return found, list(dict.fromkeys(remarks))


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    options = parser(__doc__ or "", "python benchmarks/trace.py --quick --json")
    options.add_argument(
        "--sizes",
        type=lambda text: [int(part.replace("_", "")) for part in text.split(",")],
        metavar="N,N",
        help="nodes of the estates (default: 10000,100000,1000000; with --quick 10000,50000)",
    )
    options.add_argument("--questions", type=int, default=200, metavar="N", help="endpoints asked (default: 200)")
    parsed = options.parse_args(given)
    parsed.sizes = parsed.sizes or ([10_000, 50_000] if parsed.quick else [10_000, 100_000, 1_000_000])
    return parsed


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked = arguments(given)
    try:
        found, remarks = figures(asked)
    except Differs as error:
        say(f"answers differ, so no time counts. {error}")
        return 1
    show(found, as_json=asked.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
