"""One engine, one process: load an estate, answer the same questions, say how long and how much memory.

Run by ``trace.py`` as ``python -m benchmarks.peers ENGINE``, with a task as JSON on standard input and the
measurements as JSON on standard output, so that no engine's memory or caches count for another's. Every
peer gets the estate as the store projects it, only what is in force now, and a single date to filter by
(lineage-explorer itself filters by two).
"""

from __future__ import annotations

import gc
import hashlib
import json
import pickle
import resource
import sqlite3
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

EDGE_COLUMNS = "effect, cause, seq, predicate, role, basis, traffic, valid_from, valid_to, sure_to, event_time"
EDGE_TYPES = (*("BIGINT",) * 3, *("VARCHAR",) * 3, "DOUBLE", *("BIGINT",) * 4)
_clock = time.perf_counter


class Timed:
    """Times and answers of one way of asking."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.answers: list[str] = []

    def ask(self, questions: Iterable[Any], ask: Callable[[Any], Any], said: Callable[[Any], str], what: str) -> Timed:
        """Ask every question once; what the answer said is hashed outside the timing."""
        for question in tqdm(list(questions), desc=what, leave=False):
            gc.collect(0)
            begun = _clock()
            answer = ask(question)
            self.seconds.append(_clock() - begun)
            self.answers.append(said(answer))
        return self

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"seconds": self.seconds, "answers": self.answers}


def said_nodes(refs: Iterable[str]) -> str:
    """A set of references as a number and a digest."""
    ordered = sorted(set(refs))
    return f"{len(ordered)} nodes {hashlib.sha256(chr(10).join(ordered).encode()).hexdigest()[:16]}"


def said_graph(graph: Any) -> str:
    """A graph's nodes and relations as numbers and a digest."""
    lines = sorted(f"{cause} {effect} {key}" for cause, effect, key in graph.edges(keys=True))
    return (
        f"{said_nodes(graph)}; {len(lines)} relations {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
    )


def said_attributes(graph: Any) -> str:
    """Every attribute of every node and relation as a digest."""
    lines = [f"{ref} {sorted(data.items())}" for ref, data in graph.nodes(data=True)]
    lines += [
        f"{cause} {effect} {key} {sorted(data.items())}"
        for cause, effect, key, data in graph.edges(keys=True, data=True)
    ]
    return hashlib.sha256(chr(10).join(sorted(lines)).encode()).hexdigest()


def peak_mb() -> float:
    """The peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss down from the process that started this one, however large that was.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


# --- lineage-explorer ---


def lineage(task: dict[str, Any]) -> dict[str, Any]:
    """The store file and one recursive statement."""
    from lineage_explorer import lineage_graph, open_store

    as_of, known_at = (datetime.fromtimestamp(task[name] / 1e6, UTC) for name in ("as_of", "known_at"))
    with open_store(task["store"]) as store:

        def walk(ref: str) -> Any:
            return store.reachable(ref, "upstream", as_of, known_at)

        def graph(ref: str) -> Any:
            return lineage_graph(store, ref, as_of=as_of, known_at=known_at)

        found = {
            "first": Timed().ask(task["questions"], graph, said_graph, "first time"),
            "walk": Timed().ask(
                task["questions"], walk, lambda reached: said_nodes(n.ref for n in reached.nodes.values()), "walk"
            ),
            "graph": Timed().ask(task["questions"], graph, said_graph, "graph"),
        }
        if task["bare"]:
            found["bare"] = Timed().ask(task["bare"], graph, said_graph, "bare references")
        peak = peak_mb()
        attributes = [said_attributes(graph(ref)) for ref in task["few"]]
    return {**{name: timed.to_dict() for name, timed in found.items()}, "attributes": attributes, "peak_mb": peak}


# --- NetworkX ---


def networkx_built(task: dict[str, Any]) -> dict[str, Any]:
    """Everything loaded into one MultiDiGraph, with the attributes that ``lineage_graph`` gives."""
    begun = _clock()
    whole = _whole_graph(task["store"], task["as_of"])
    built = _clock() - begun
    found = _ask_networkx(whole, task)
    measured_mb = peak_mb()  # before pickling, which takes more
    begun = _clock()
    with Path(task["folder"], "networkx.pickle").open("wb") as file:
        pickle.dump(whole, file, protocol=pickle.HIGHEST_PROTOCOL)
    return {**found, "build_seconds": built, "pickle_seconds": _clock() - begun, "peak_mb": measured_mb}


def networkx_unpickled(task: dict[str, Any]) -> dict[str, Any]:
    """The cold start of somebody who keeps the whole graph in a pickle."""
    import networkx  # noqa: F401 - as our own cold start, the import counts in the process's time, not here

    begun = _clock()
    gc.disable()
    with Path(task["folder"], "networkx.pickle").open("rb") as file:
        whole = pickle.load(file)
    gc.enable()
    loaded = _clock() - begun
    answer = _bfs_graph(whole, task["questions"][0], task["as_of"])
    return {"unpickle_seconds": loaded, "answer": said_graph(answer), "peak_mb": peak_mb()}


def _whole_graph(path: str, as_of: int) -> Any:
    import networkx as nx

    from lineage_explorer.graph import version_of
    from lineage_explorer.records import Ref
    from lineage_explorer.store.projection import STATE
    from lineage_explorer.store.schema import ALWAYS, FOREVER

    connection = sqlite3.connect(path)
    gc.disable()
    names: dict[int, str] = {}
    graph: Any = nx.MultiDiGraph()
    facts = dict(
        connection.execute(
            "SELECT node, max(seq * 2 + gone) FROM fact WHERE type <> 'evidence' AND recorded_to = ? "
            "AND valid_from <= ? AND valid_to > ? GROUP BY node",
            (FOREVER, as_of, as_of),
        )
    )
    for number, ref, kind in connection.execute("SELECT id, ref, kind FROM node"):
        parsed = Ref.parse(ref)
        names[number] = ref
        graph.add_node(
            ref,
            kind=kind,
            resolved=number in facts,
            implied=parsed.version.startswith(STATE),
            record_id=facts[number] >> 1 if number in facts else None,
            name=parsed.name,
            version=version_of(parsed),
            namespace=parsed.namespace,
            gone=bool(facts.get(number, 0) & 1),
        )
    rows = connection.execute(f"SELECT {EDGE_COLUMNS} FROM edge WHERE flow = 1 AND recorded_to = {FOREVER}")
    graph.add_edges_from(
        (
            names[cause],
            names[effect],
            (seq, predicate),
            {
                "predicate": predicate,
                "role": role,
                "basis": basis,
                "traffic": traffic,
                "record_id": seq,
                "valid_from": None if valid_from == ALWAYS else valid_from,
                "valid_to": None if valid_to == FOREVER else valid_to,
                "sure_to": sure_to,
                "event_time": event_time,
            },
        )
        for effect, cause, seq, predicate, role, basis, traffic, valid_from, valid_to, sure_to, event_time in rows
    )
    gc.enable()
    return graph


def _ask_networkx(whole: Any, task: dict[str, Any]) -> dict[str, Any]:
    import networkx as nx

    as_of = task["as_of"]

    def holds(cause: str, effect: str, key: Any) -> bool:
        data = whole._adj[cause][effect][key]
        return (data["valid_from"] is None or data["valid_from"] <= as_of) and (
            data["valid_to"] is None or data["valid_to"] > as_of
        )

    view = nx.subgraph_view(whole, filter_edge=holds)
    gc.freeze()  # the estate is there to stay: a collector that walks it again and again is nobody's choice
    questions = task["questions"]
    return {
        "walk": Timed().ask(questions, lambda ref: _bfs(whole, ref, as_of)[0], said_nodes, "BFS").to_dict(),
        "graph": Timed()
        .ask(questions, lambda ref: _bfs_graph(whole, ref, as_of), said_graph, "BFS to graph")
        .to_dict(),
        "filled": Timed()
        .ask(questions, lambda ref: _bfs_filled(whole, ref, as_of), said_graph, "BFS, filled")
        .to_dict(),
        "view": Timed()
        .ask(task["few"], lambda ref: {ref, *nx.ancestors(view, ref)}, said_nodes, "ancestors of a view")
        .to_dict(),
        "attributes": [said_attributes(_bfs_graph(whole, ref, as_of)) for ref in task["few"]],
    }


def _bfs(whole: Any, root: str, as_of: int) -> tuple[set[str], list[Any]]:
    """A breadth-first search by hand, straight on the adjacency dictionaries: the quickest there is in Python."""
    before = whole._pred
    seen, queue = {root}, deque([root])
    edges: list[Any] = []
    while queue:
        effect = queue.popleft()
        for cause, parallel in before[effect].items():
            for key, data in parallel.items():
                start, end = data["valid_from"], data["valid_to"]
                if (start is None or start <= as_of) and (end is None or end > as_of):
                    edges.append((cause, effect, key, data))
                    if cause not in seen:
                        seen.add(cause)
                        queue.append(cause)
    return seen, edges


def _bfs_graph(whole: Any, root: str, as_of: int) -> Any:
    """The answer as a graph of its own, made with NetworkX's public methods."""
    import networkx as nx

    seen, edges = _bfs(whole, root, as_of)
    answer: Any = nx.MultiDiGraph()
    nodes = whole._node
    gc.disable()
    answer.add_nodes_from((ref, nodes[ref]) for ref in seen)
    answer.add_edges_from(edges)
    gc.enable()
    return answer


def _bfs_filled(whole: Any, root: str, as_of: int) -> Any:
    """The same, its dictionaries filled by hand, attributes copied so that the answer is its own."""
    import networkx as nx

    seen, edges = _bfs(whole, root, as_of)
    answer: Any = nx.MultiDiGraph()
    nodes = whole._node
    gc.disable()
    for ref in seen:
        answer._node[ref] = dict(nodes[ref])
        answer._succ[ref] = {}
        answer._pred[ref] = {}
    for cause, effect, key, data in edges:
        parallel = answer._pred[effect].get(cause)
        if parallel is None:
            parallel = answer._succ[cause][effect] = answer._pred[effect][cause] = {}
        parallel[key] = dict(data)
    gc.enable()
    return answer


# --- engines that keep tables ---


def _multigraph(names: dict[int, tuple[str, str]], rows: Iterable[Any]) -> Any:
    """The rows that a peer returned as the same graph, built as quickly as ours is."""
    import networkx as nx

    from lineage_explorer.store.schema import ALWAYS, FOREVER

    answer: Any = nx.MultiDiGraph()
    for ref, kind in names.values():
        answer._node[ref] = {"kind": kind}
        answer._succ[ref] = {}
        answer._pred[ref] = {}
    for effect, cause, seq, predicate, role, basis, traffic, valid_from, valid_to, sure_to, event_time in rows:
        first, second = names[cause][0], names[effect][0]
        parallel = answer._pred[second].get(first)
        if parallel is None:
            parallel = answer._succ[first][second] = answer._pred[second][first] = {}
        parallel[seq, predicate] = {
            "predicate": predicate,
            "role": role,
            "basis": basis,
            "traffic": traffic,
            "record_id": seq,
            "valid_from": None if valid_from == ALWAYS else valid_from,
            "valid_to": None if valid_to == FOREVER else valid_to,
            "sure_to": sure_to,
            "event_time": event_time,
        }
    return answer


def _table_engine(
    task: dict[str, Any], walk: Callable[[int], Any], nodes: Callable[[list[int]], Any], prepared: float
) -> dict[str, Any]:
    """Ask an engine that returns rows; ``walk`` yields edge rows, ``nodes`` (id, ref, kind) of ids."""
    roots = task["few_ids"]

    def graph(root: int) -> Any:
        rows = walk(root)
        ids = {root}
        ids.update(row[0] for row in rows)
        ids.update(row[1] for row in rows)
        return _multigraph({number: (ref, kind) for number, ref, kind in nodes(list(ids))}, rows)

    found = {
        "first": Timed().ask(roots, graph, said_graph, "first time").to_dict(),
        "walk": Timed().ask(roots, walk, lambda rows: f"{len(rows)} relations", "walk").to_dict(),
        "graph": Timed().ask(roots, graph, said_graph, "graph").to_dict(),
    }
    return {**found, "load_seconds": prepared, "peak_mb": peak_mb()}


def duckdb(task: dict[str, Any]) -> dict[str, Any]:
    """DuckDB on a file of its own, relations in the order of their effects (what helps it most)."""
    import duckdb as engine

    path = Path(task["folder"], "duck.db")
    columns = dict(zip(EDGE_COLUMNS.split(", "), EDGE_TYPES, strict=True))
    begun = _clock()
    loaded = path.with_suffix(".loaded")  # a file that was half made when somebody interrupted is made again
    if not loaded.exists():
        path.unlink(missing_ok=True)
        with engine.connect(str(path)) as new:
            new.execute(
                "CREATE TABLE edge AS SELECT * FROM read_csv($1, header = false, columns = "
                + str(columns)
                + ") ORDER BY effect",
                [str(Path(task["folder"], "edges.csv"))],
            )
            new.execute(
                "CREATE TABLE node AS SELECT * FROM read_csv($1, header = false,"
                " columns = {'id': 'BIGINT', 'ref': 'VARCHAR', 'kind': 'VARCHAR'}) ORDER BY id",
                [str(Path(task["folder"], "nodes.csv"))],
            )
        loaded.touch()
    prepared = _clock() - begun
    connection = engine.connect(str(path), read_only=True)
    holds = "e.valid_from <= $2 AND e.valid_to > $2"
    statement = f"""
        WITH RECURSIVE walk(id) AS (
          SELECT $1::BIGINT
          UNION SELECT e.cause FROM walk JOIN edge AS e ON e.effect = walk.id WHERE {holds})
        SELECT e.* FROM walk JOIN edge AS e ON e.effect = walk.id WHERE {holds}"""

    def walk(root: int) -> Any:
        return connection.execute(statement, [root, task["as_of"]]).fetchall()

    def nodes(ids: list[int]) -> Any:
        return connection.execute("SELECT id, ref, kind FROM node WHERE id IN (SELECT unnest($1))", [ids]).fetchall()

    return _table_engine(task, walk, nodes, prepared)


def ladybug(task: dict[str, Any]) -> dict[str, Any]:
    """Ladybug (the graph database that was Kuzu): every node reached by its shortest path, then their relations."""
    import ladybug as engine

    path = Path(task["folder"], "ladybug.db")
    begun = _clock()
    loaded = path.with_suffix(".loaded")
    new = not loaded.exists()
    if new:
        path.unlink(missing_ok=True)
    connection = engine.Connection(engine.Database(str(path)))
    if new:
        columns = EDGE_COLUMNS.split(", ")[2:]
        types = {"BIGINT": "INT64", "VARCHAR": "STRING", "DOUBLE": "DOUBLE"}
        fields = ", ".join(f"{name} {types[kind]}" for name, kind in zip(columns, EDGE_TYPES[2:], strict=True))
        for statement in (
            "CREATE NODE TABLE Thing(id INT64 PRIMARY KEY, ref STRING, kind STRING)",
            f"CREATE REL TABLE Flow(FROM Thing TO Thing, {fields})",
            f"COPY Thing FROM '{Path(task['folder'], 'nodes.csv')}'",
            f"COPY Flow FROM '{Path(task['folder'], 'edges.csv')}'",
        ):
            connection.execute(statement)
        loaded.touch()
    prepared = _clock() - begun
    connection.execute("CALL var_length_extend_max_depth = 1000")
    holds = "r.valid_from <= $as_of AND r.valid_to > $as_of"
    reach = f"""
        MATCH (root:Thing {{id: $root}})-[r:Flow* SHORTEST 1..1000 (r, n | WHERE {holds})]->(x:Thing)
        RETURN x.id"""
    wanted = ", ".join(f"r.{name}" for name in EDGE_COLUMNS.split(", ")[2:])
    between = {
        "IN": f"MATCH (a:Thing)-[r:Flow]->(b:Thing) WHERE a.id IN $ids AND {holds} RETURN a.id, b.id, {wanted}",
        "UNWIND": f"UNWIND $ids AS i MATCH (a:Thing {{id: i}})-[r:Flow]->(b:Thing) WHERE {holds} "
        f"RETURN a.id, b.id, {wanted}",
    }
    named = {
        "IN": "MATCH (a:Thing) WHERE a.id IN $ids RETURN a.id, a.ref, a.kind",
        "UNWIND": "UNWIND $ids AS i MATCH (a:Thing {id: i}) RETURN a.id, a.ref, a.kind",
    }

    def rows(statement: str, **values: Any) -> Any:
        return connection.execute(statement, values).get_all()

    written: list[str] = []

    def quicker(statements: dict[str, str], ids: list[int], **values: Any) -> str:
        """Which way to write it suits the engine at this size: it gets the benefit."""
        seconds = {}
        for name, statement in statements.items():
            rows(statement, ids=ids, **values)  # once to compile and to fill the caches
            begun = _clock()
            rows(statement, ids=ids, **values)
            seconds[name] = _clock() - begun
        written.append(" and ".join(f"{name} {value * 1e3:.0f} ms" for name, value in seconds.items()))
        return statements[min(seconds, key=lambda name: seconds[name])]

    def reached(root: int) -> list[int]:
        return [root, *(row[0] for row in rows(reach, root=root, as_of=task["as_of"]))]

    sample = reached(task["few_ids"][0])
    edges, things = quicker(between, sample, as_of=task["as_of"]), quicker(named, sample)

    def walk(root: int) -> Any:
        return rows(edges, ids=reached(root), as_of=task["as_of"])

    found = _table_engine(task, walk, lambda ids: rows(things, ids=ids), prepared)
    return {**found, "written": f"relations by {written[0]}, names by {written[1]}"}


ENGINES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "lineage": lineage,
    "networkx": networkx_built,
    "pickle": networkx_unpickled,
    "duckdb": duckdb,
    "ladybug": ladybug,
}


def main() -> None:
    """Run one engine's task from standard input."""
    print(json.dumps(ENGINES[sys.argv[1]](json.load(sys.stdin))))


if __name__ == "__main__":
    main()
