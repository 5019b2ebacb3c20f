"""One file of neutral records into a store, beside the least that reading and keeping them can cost.

Run by ``journal.py`` as ``python -m benchmarks.keeping WHAT``, a task as JSON on standard input, measurements as JSON
on standard output. The file holds an estate's records as JSON Lines. *Bare* insertion puts the very rows that the
ingest left (journal, bodies, projection, names, heads) into the same tables with the same indexes, one transaction
for as many records, through the same connection settings.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from itertools import count, groupby
from pathlib import Path
from typing import Any

from lineage_explorer import open_source, open_store
from lineage_explorer.records import Entity, Ref
from lineage_explorer.store.engines import PostgreSQL
from lineage_explorer.store.names import indexed
from lineage_explorer.store.schema import columns

from .estate import projects
from .peers import peak_mb

_clock = time.perf_counter
_NODES = 20_000
_KEPT = ("journal", "body", "head", "sync", "node", "edge", "fact")


def lines(path: Path, records: int) -> int:
    """Write the first records of an estate as JSON Lines; returns how many there are."""
    made = 0
    with path.open("w") as file:
        for project in projects(max(_NODES, records // 4)):
            for plain in project.records[: records - made]:
                file.write(json.dumps(plain) + "\n")
                made += 1
            if made >= records:
                break
    return made


def ingest(task: dict[str, Any]) -> dict[str, Any]:
    """Read the file with nothing but ``json.loads``; then into a new store; then again, nothing new."""
    path = Path(task["file"])
    begun = _clock()
    with path.open() as file:
        number = sum(1 for line in file if json.loads(line))
    told: dict[str, Any] = {"loads": _clock() - begun, "records": number}
    for name in ("first", "again"):
        begun = _clock()
        with open_store(task["store"], create_missing=name == "first") as store:
            result = store.ingest(open_source(f"records:{path}"))
        told[name] = _clock() - begun
        told[f"{name}_result"] = [result.read, result.stored, result.unchanged, result.quarantined]
    return {**told, "peak_mb": peak_mb()}


def read(task: dict[str, Any]) -> dict[str, Any]:
    """The source alone, nothing stored."""
    begun = _clock()
    number = sum(1 for _ in open_source(f"records:{task['file']}").read())
    return {"seconds": _clock() - begun, "records": number}


def bare(task: dict[str, Any]) -> dict[str, Any]:
    """The rows of an ingested store into empty tables, and the records alone into one table."""
    with sqlite3.connect(task["store"]) as source:
        rows = {name: source.execute(f"SELECT {', '.join(columns(name))} FROM {name}").fetchall() for name in _KEPT}
    rows["name_index"] = [(row[0], indexed("sqlite", Ref.parse(row[1]))) for row in rows["node"]]
    instants = [row[2] for row in sorted(rows["head"])]
    batches: list[dict[str, list[Any]]] = [{} for _ in instants]
    place = {instant: index for index, instant in enumerate(instants)}
    when = {row[0]: place[row[4]] for row in rows["journal"]}
    first: dict[int, int] = {}
    for row in rows["edge"]:
        for node in (row[0], row[2]):
            first[node] = min(first.get(node, len(instants)), place[row[5]])
    for row in rows["fact"]:
        first[row[0]] = min(first.get(row[0], len(instants)), place[row[4]])
    batch_of: dict[str, Callable[[Any], int]] = {
        "journal": lambda row: place[row[4]],
        "body": lambda row: when[row[0]],
        "head": lambda row: place[row[2]],
        "sync": lambda row: place[row[9]],
        "node": lambda row: first[row[0]],
        "name_index": lambda row: first[row[0]],
        "edge": lambda row: place[row[5]],
        "fact": lambda row: place[row[4]],
    }
    for name, found in rows.items():
        for row in found:
            batches[batch_of[name](row)].setdefault(name, []).append(row)
    path = Path(task["scratch"])
    seconds = {}
    for name, pick in (("rows", None), ("records", "body")):
        path.unlink(missing_ok=True)
        open_store(path, create_missing=True).close()
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA cache_size = -65536")
        begun = _clock()
        for batch in batches:
            connection.execute("BEGIN IMMEDIATE")
            for table, found in batch.items():
                if pick in (None, table):
                    names = ("rowid", "words") if table == "name_index" else columns(table)
                    marks = ", ".join("?" * len(names))
                    connection.executemany(f"INSERT INTO {table}({', '.join(names)}) VALUES ({marks})", found)
            connection.execute("COMMIT")
        seconds[name] = _clock() - begun
        connection.close()
    return {"seconds": seconds, "rows": sum(map(len, rows.values()))}


def single(task: dict[str, Any]) -> dict[str, Any]:
    """One record, one commit: the store's, beside DuckDB's insertion of the same text as one row."""
    import duckdb

    if not task["store"].startswith("postgresql:"):
        shutil.copyfile(task["base"], task["store"])
    path = Path(task["scratch"])
    path.unlink(missing_ok=True)
    times: dict[str, list[float]] = {"store": [], "duckdb": []}
    with open_store(task["store"], create_missing=True) as store, duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE record (seq BIGINT PRIMARY KEY, recorded_at BIGINT, json VARCHAR)")
        numbers = count(1)
        for _ in range(task["count"]):
            number = next(numbers)
            ref = f"model:single/m-{time.time_ns()}@{number}"
            begun = _clock()
            result = store.append([Entity(ref=ref, attributes={"framework": "sklearn"})], origin="single")
            times["store"].append(_clock() - begun)
            assert result.stored == 1
            text = json.dumps({"type": "entity", "ref": ref, "attributes": {"framework": "sklearn"}})
            begun = _clock()
            other.execute("INSERT INTO record VALUES (?, ?, ?)", [number, time.time_ns(), text])
            times["duckdb"].append(_clock() - begun)
    return times


#: What a function's time counts for, by the end of its file's name and its own.
_STAGES = {
    "decode the file": ("rows.py:rows_of_file", "rows.py:_rows_of_lines", "source.py:_rows"),
    "redact, rows to records": ("convenience.py:read_row",),
    "check, canonical JSON, digest, keys": ("journal.py:prepare",),
    "compare with what is known": ("sync.py:_known", "sync.py:_compare", "sync.py:remember"),
    "tree": ("log.py:leaf_text", "log.py:add"),
    "insert journal, bodies": ("journal.py:write",),
    "projection": ("projector.py:apply",),
}


def shares(task: dict[str, Any]) -> dict[str, Any]:
    """Where an ingest's time goes, by the profiler (whose own cost weighs on what is many calls)."""
    profile = cProfile.Profile()
    with open_store(task["store"], create_missing=True) as store:
        source = open_source(f"records:{task['file']}")
        profile.enable()
        store.ingest(source)
        profile.disable()
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in stats.values())
    found = {}
    for stage, names in _STAGES.items():
        found[stage] = sum(
            row[3]
            for (file, _, function), row in stats.items()
            if f"{Path(file).name}:{function}" in names and "lineage_explorer" in file
        )
    inserts = sum(row[3] for (file, _, name), row in stats.items() if name == "insert" and file.endswith("engines.py"))
    lookups = sum(row[3] for (file, _, name), row in stats.items() if name == "rows" and file.endswith("engines.py"))
    commit = sum(row[2] for (_, _, name), row in stats.items() if "execute" in name and "executemany" not in name)
    return {
        "stages": {name: value / total for name, value in found.items()},
        "inserts": inserts / total,
        "lookups": lookups / total,
        "execute": commit / total,
    }


def derive(task: dict[str, Any]) -> dict[str, Any]:
    """Make the projection again, and verify everything."""
    told: dict[str, Any] = {}
    store_at = task["store"]
    if not store_at.startswith("postgresql:"):
        shutil.copyfile(store_at, task["scratch"])
        store_at = task["scratch"]
    with open_store(store_at) as store:
        begun = _clock()
        told["entries"] = store.rebuild()
        told["rebuild"] = _clock() - begun
        begun = _clock()
        result = store.verify()
        told["verify"] = _clock() - begun
        told["ok"], told["problems"] = result.ok, [problem.message for problem in result.problems[:3]]
    return {**told, "peak_mb": peak_mb()}


def sizes(task: dict[str, Any]) -> dict[str, Any]:
    """Bytes of each table with its indexes."""
    if task["store"].startswith("postgresql:"):
        engine = PostgreSQL(task["store"])
        rows = engine.rows(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class AS c "
            "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
        )
        return {"bytes": {name: int(size) for name, size in rows}}
    with sqlite3.connect(task["store"]) as connection:
        owner = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master").fetchall())
        try:
            rows = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
        except sqlite3.OperationalError:  # this SQLite was built without dbstat
            return {"bytes": {"the file": Path(task["store"]).stat().st_size}}
    found = [(_table(owner.get(name, name)), size) for name, size in rows]
    found.sort()
    return {"bytes": {name: sum(size for _, size in group) for name, group in groupby(found, lambda pair: pair[0])}}


def _table(name: str) -> str:
    return "name_index" if name.startswith("name_index") else name


WAYS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ingest": ingest,
    "read": read,
    "bare": bare,
    "single": single,
    "shares": shares,
    "derive": derive,
    "sizes": sizes,
}


def main() -> None:
    """Run one task from standard input."""
    print(json.dumps(WAYS[sys.argv[1]](json.load(sys.stdin))))


if __name__ == "__main__":
    main()
