"""One store, one process: the same questions at two instants of knowledge, and to bare tables of the same relations.

Run by ``journal.py`` as ``python -m benchmarks.asking WHAT``, with a task as JSON on standard input and times and
answers as JSON on standard output. All ways of asking take turns at each question, so that a machine that is busy for
a moment is so for all of them.

The bare tables are what one would write without a journal: ``one`` has the relations as they are known now with one
time and all that a trace shows; ``none`` has pairs of numbers only, of the relations that are in force at the
instant asked about.
"""

from __future__ import annotations

import gc
import json
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lineage_explorer import lineage_graph, open_store
from lineage_explorer.store import Store
from lineage_explorer.store.engines import Engine, PostgreSQL, SQLite
from lineage_explorer.store.schema import FOREVER
from lineage_explorer.store.walk import STATEMENTS

from .peers import peak_mb, said_graph, said_nodes

_clock = time.perf_counter
_COLUMNS = "effect, cause, seq, valid_from, valid_to, predicate, role, basis, traffic, event_time"
_IN_FORCE = "e.valid_from <= :as_of AND e.valid_to > :as_of"
_ONE = f"""
WITH RECURSIVE walk(id) AS (SELECT j.value FROM each_number(:roots) AS j
  UNION SELECT e.cause FROM walk CROSS JOIN bare_one AS e WHERE e.effect = walk.id AND {_IN_FORCE})
SELECT e.effect, e.cause, e.predicate, e.role, e.basis, e.traffic, e.seq, e.valid_from, e.valid_to, e.event_time
FROM walk CROSS JOIN bare_one AS e WHERE e.effect = walk.id AND {_IN_FORCE}"""
_NONE = """
WITH RECURSIVE walk(id) AS (SELECT j.value FROM each_number(:roots) AS j
  UNION SELECT e.cause FROM walk CROSS JOIN bare_none AS e WHERE e.effect = walk.id)
SELECT e.effect, e.cause FROM walk CROSS JOIN bare_none AS e WHERE e.effect = walk.id"""
_NAMES = "SELECT n.id, n.ref, n.kind FROM each_number(:ids) AS j CROSS JOIN bare_node AS n WHERE n.id = j.value"


def bare_engine(location: str) -> Engine:
    """What the bare tables are asked through: the package's own, so that both sides pay the same for calls."""
    if location.startswith("postgresql:"):
        return PostgreSQL(location)
    return SQLite(Path(location))


def make_bare(location: str, bare: str, as_of: int) -> None:
    """Make the bare tables of a store, in a file beside it or in a schema of its database."""
    flow = f"FROM {{}}edge AS e WHERE e.flow = 1 AND e.recorded_to = {FOREVER}"
    if bare.startswith("postgresql:"):
        engine: Engine = PostgreSQL(bare)
        tables, prefix, end = ("bigint", "text", "double precision"), "lineage_explorer.", ""
        schema = bare.rpartition("=")[2]
        engine.script([f"CREATE SCHEMA {schema}"])
    else:
        path = Path(bare)
        path.unlink(missing_ok=True)
        engine = SQLite(path, "rwc")
        engine.connection.execute("PRAGMA synchronous = OFF")
        engine.connection.execute("ATTACH ? AS store", (location,))
        tables, prefix, end = ("integer", "text", "real"), "store.", " WITHOUT ROWID"
    number, text, real = tables
    flow = flow.format(prefix)
    names = ", ".join(f"e.{name}" for name in _COLUMNS.split(", "))
    engine.script(
        [
            f"CREATE TABLE bare_one (effect {number}, cause {number}, seq {number}, valid_from {number}, "
            f"valid_to {number}, predicate {text}, role {text}, basis {text}, traffic {real}, event_time {number}, "
            f"PRIMARY KEY (effect, cause, seq)){end}",
            f"INSERT INTO bare_one SELECT {names} {flow} ORDER BY effect, cause, seq",
            f"CREATE TABLE bare_none (effect {number}, cause {number}, PRIMARY KEY (effect, cause)){end}",
            f"INSERT INTO bare_none SELECT DISTINCT e.effect, e.cause {flow} AND e.valid_from <= {as_of} "
            f"AND e.valid_to > {as_of} ORDER BY 1, 2",
            f"CREATE TABLE bare_node (id {number} PRIMARY KEY, ref {text}, kind {text})",
            f"INSERT INTO bare_node SELECT id, ref, kind FROM {prefix}node ORDER BY id",
        ]
    )
    if engine.dialect == "postgresql":
        engine.script(["VACUUM ANALYZE"])
    engine.close()


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)


def _ids(rows: list[Any], root: int) -> set[int]:
    found = {root}
    found.update(row[0] for row in rows)
    found.update(row[1] for row in rows)
    return found


def traces(task: dict[str, Any]) -> dict[str, Any]:
    """Every way of asking for a trace: seconds, and what the answers said."""
    as_of, before, after = (_instant(task[name]) for name in ("as_of", "before", "after"))
    bare = bare_engine(task["bare"])
    with open_store(task["store"]) as store:
        engine = store._engine
        numbers = store.numbers(task["questions"])

        def statement(ref: str, known: int) -> Any:
            asked = {"roots": [numbers[ref]], "as_of": task["as_of"], "known_at": known}
            return engine.rows(STATEMENTS["upstream"], asked)

        def one(ref: str) -> Any:
            return bare.rows(_ONE, {"roots": [numbers[ref]], "as_of": task["as_of"]})

        def named(ref: str) -> Any:
            rows = one(ref)
            return bare.rows(_NAMES, {"ids": list(_ids(rows, numbers[ref]))})

        ways: dict[str, Callable[[str], Any]] = {
            "statement": lambda ref: statement(ref, task["after"]),
            "statement, known before": lambda ref: statement(ref, task["before"]),
            "statement, one time": one,
            "statement, no time": lambda ref: bare.rows(_NONE, {"roots": [numbers[ref]]}),
            "walk": lambda ref: store.reachable(ref, "upstream", as_of, after),
            "walk, known before": lambda ref: store.reachable(ref, "upstream", as_of, before),
            "walk, one time": named,
            "graph": lambda ref: lineage_graph(store, ref, as_of=as_of, known_at=after),
            "graph, known before": lambda ref: lineage_graph(store, ref, as_of=as_of, known_at=before),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        gc.freeze()
        for ref in task["questions"]:
            for name, way in ways.items():
                way(ref)
                gc.collect(0)
                begun = _clock()
                way(ref)
                seconds[name].append(_clock() - begun)
        answers = {name: [said_graph(ways[name](ref)) for ref in task["questions"]] for name in ("graph",)}
        answers["graph, known before"] = [said_graph(ways["graph, known before"](ref)) for ref in task["questions"]]
        answers["walk"] = [said_nodes(n.ref for n in ways["walk"](ref).nodes.values()) for ref in task["questions"]]
        answers["walk, one time"] = [said_nodes(row[1] for row in named(ref)) for ref in task["questions"]]
        answers["statement"] = [str(hash(frozenset(_ids(statement(ref, task["after"]), 0)))) for ref in numbers]
        answers["statement, no time"] = [
            str(hash(frozenset(_ids(ways["statement, no time"](ref), 0)))) for ref in numbers
        ]
    bare.close()
    return {"seconds": seconds, "answers": answers, "peak_mb": peak_mb()}


def searches(task: dict[str, Any]) -> dict[str, Any]:
    """Search as you type: what somebody has typed of real names, letter by letter."""
    chance = random.Random(5)
    with open_store(task["store"]) as store:
        typed = _typed(store, chance, task["count"])
        seconds: dict[str, list[float]] = {}
        for name, texts in typed.items():
            for text in texts:
                store.search(text)
            for text in texts:
                begun = _clock()
                found = store.search(text)
                seconds.setdefault(name, []).append(_clock() - begun)
                if not found:
                    raise AssertionError(f"{text!r} is the beginning of a name, and nothing was found")
    return {"seconds": seconds}


def _typed(store: Store, chance: random.Random, count: int) -> dict[str, list[str]]:
    most = int(store._engine.one("SELECT max(id) FROM node"))
    refs = [chance.randrange(1, most) for _ in range(count)]
    rows = store._engine.rows(
        "SELECT n.kind, n.name FROM each_number(:ids) AS j CROSS JOIN node AS n WHERE n.id = j.value", {"ids": refs}
    )
    typed: dict[str, list[str]] = {}
    for kind, name in rows:
        for length in (1, 2, 3, 4, 6):
            typed.setdefault(f"{length} letter{'s' * (length > 1)}", []).append(name[:length])
        typed.setdefault("a whole name", []).append(name)
        typed.setdefault("a kind, letter by letter", []).append(kind[: chance.randint(1, len(kind))])
        typed.setdefault("a kind and 3 letters of a name", []).append(f"{kind} {name[:3]}")
        typed.setdefault("a namespace and a letter", []).append(
            f"mlflow {name[:1]}" if kind == "run" else f"lake {name[:1]}"
        )
    typed["a namespace and a letter"] = [text for text in typed["a namespace and a letter"] if store.search(text)]
    return typed


def impacts(task: dict[str, Any]) -> dict[str, Any]:
    """What depends on a dataset: of a mid-size one everything, of the most used one the count as well."""
    as_of, after = _instant(task["as_of"]), _instant(task["after"])
    told: dict[str, Any] = {}
    with open_store(task["store"]) as store:
        for name, ref in task["datasets"].items():
            number = store.number(ref)
            statement = STATEMENTS["downstream"]
            counting = statement[: statement.rindex("SELECT")] + "SELECT count(*) FROM walk"
            asked = {"roots": [number], "as_of": task["as_of"], "known_at": task["after"]}
            begun = _clock()
            count = store._engine.one(counting, asked)
            told[name] = {"count": int(count), "counted": _clock() - begun}
            if count > task["most"]:
                continue
            begun = _clock()
            reached = store.reachable(ref, "downstream", as_of, after)
            told[name]["seconds"] = _clock() - begun
            told[name]["relations"] = len(reached.edges)
            if len(reached.nodes) != count:
                raise AssertionError(f"{ref}: {count} were counted and {len(reached.nodes)} reached")
            del reached
    return {"impacts": told, "peak_mb": peak_mb()}


def cold(task: dict[str, Any]) -> dict[str, Any]:
    """The first answer of this process, and what it took beside the interpreter and its imports."""
    imported = peak_mb()
    begun = _clock()
    with open_store(task["store"]) as store:
        opened = _clock() - begun
        graph = lineage_graph(store, task["question"], as_of=_instant(task["as_of"]), known_at=store.now())
        taken = _clock() - begun
    return {
        "seconds": taken,
        "opened": opened,
        "imported_mb": imported,
        "peak_mb": peak_mb(),
        "answer": said_graph(graph),
    }


WAYS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "traces": traces,
    "searches": searches,
    "impacts": impacts,
    "cold": cold,
}


def main() -> None:
    """Run one task from standard input."""
    try:
        print(json.dumps(WAYS[sys.argv[1]](json.load(sys.stdin))))
    except sqlite3.Error as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
