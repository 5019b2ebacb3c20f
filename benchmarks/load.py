"""Large estates into a store: the rows that ``Store.append`` would write, written by bare SQL.

Appending ten million records one checked transaction after another takes hours. Here the same rows are made with
the package's own pure functions (identity, topic, projection, leaf, tree) in a process for each core, and inserted
without the checks, indexes last. ``trace.py`` proves on the smallest estate that the two ways give the same tables,
row by row, with one Merkle tree.

An estate has two syncs, a month apart: the second corrects four records in a hundred, and brings late ones. So a
question about what was known between them has rows to leave out.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tqdm import tqdm

from lineage_explorer.records import Record, from_json
from lineage_explorer.store import database, open_store
from lineage_explorer.store.schema import FOREVER

from .estate import EDITION, Project, corrections, projects
from .rows import FIRST, SECOND, Merged, parts

#: Journal entries for each thing, both syncs together: estates of ``benchmarks/journal.py`` are named by entries.
_PER_NODE = 4.86
#: Between the two syncs, and after both.
KNOWN_BEFORE, KNOWN_AFTER = (datetime(2026, month, 15, tzinfo=UTC) for month in (9, 10))
_PORTION = 50_000


@dataclass(frozen=True)
class Estate:
    """An estate in a store file, and what can be asked of it."""

    path: str
    nodes: int
    relations: int
    endpoints: list[str]
    bare_endpoints: list[str]
    entries: int = 0
    #: What it took to make, as the machine was then.
    seconds: float = 0.0

    @property
    def size(self) -> str:
        """The estate's size in words."""
        return f"{self.nodes:,} nodes, {self.relations:,} relations"


def estate(nodes: int, folder: Path, seed: int = 1) -> Estate:
    """The estate of a size, made now or kept from last time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"estate-{EDITION}-{nodes}-{seed}.db"
    about = path.with_suffix(".json")
    if about.exists():
        return Estate(**json.loads(about.read_text()))
    path.unlink(missing_ok=True)
    made = _load(path, nodes, seed)
    about.write_text(json.dumps(asdict(made)))
    return made


def estate_of(entries: int, folder: Path) -> Estate:
    """The estate whose journal holds about so many entries."""
    return estate(round(entries / _PER_NODE), folder)


def grown(nodes: int, path: Path, seed: int = 1) -> Estate:
    """The same estate, grown record by record through ``Store.append``, by a clock that stands still."""
    path.unlink(missing_ok=True)
    found = Estate(str(path), 0, 0, [], [])
    late: list[dict[str, Any]] = []

    def records() -> Iterator[Record]:
        index = 0
        for item in _tracked(projects(nodes, seed), nodes, "appending"):
            found.endpoints.extend(item.endpoints)
            found.bare_endpoints.extend(item.bare_endpoints)
            for plain in item.records:
                late.extend(corrections(plain, index, nodes))
                index += 1
                yield from_json(plain)

    with open_store(path, create_missing=True) as store:
        for when, items in ((FIRST, records()), (SECOND, map(from_json, late))):
            with patch.object(database, "datetime", _stopped(when)):
                result = store.append(items)
            if result.quarantined or result.unchanged:
                raise AssertionError(f"records of the estate were refused or known: {result}")
    with sqlite3.connect(path) as connection:
        return _counted(connection, found, 0.0)


def _stopped(at: int) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(at / 1e6, tz)

    return Clock


def _tracked(items: Iterable[Project], nodes: int, what: str) -> Iterator[Project]:
    with tqdm(total=nodes, desc=f"{what} {nodes:,} nodes", unit=" nodes", leave=False) as bar:
        for item in items:
            yield item
            bar.update(item.nodes)


def _load(path: Path, nodes: int, seed: int) -> Estate:
    folder = path.with_suffix(".rows")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    found = Estate(str(path), 0, 0, [], [])
    begun = os.times().elapsed
    merged = Merged(parts(nodes, seed, folder))
    found.endpoints.extend(merged.endpoints)
    found.bare_endpoints.extend(merged.bare_endpoints)
    open_store(path, create_missing=True).close()
    connection = sqlite3.connect(path, isolation_level=None)
    # No safety net: a file half made is thrown away. The cache holds the trees that grow at random.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1500000", "threads = 2"):
        connection.execute(f"PRAGMA {pragma}")
    later = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.execute("BEGIN")
    for kind, name, _ in later:
        connection.execute(f"DROP {kind} {name}")
    with tqdm(total=merged.entries, desc=f"inserting {nodes:,} nodes", unit=" entries", leave=False) as bar:
        for table, columns, rows in merged.tables():
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table}({', '.join(columns)}) VALUES ({marks})", rows)
            if table == "journal":
                bar.update(len(rows))
    connection.execute("UPDATE frontier SET size = ?, peaks = ?", merged.frontier)
    for _, _, sql in tqdm(later, desc="indexing", leave=False):
        connection.execute(sql)
    connection.execute("COMMIT")
    made = _counted(connection, found, os.times().elapsed - begun)
    connection.close()
    shutil.rmtree(folder)
    return made


def _counted(connection: sqlite3.Connection, found: Estate, seconds: float) -> Estate:
    def count(statement: str, *values: int) -> int:
        return int(connection.execute(statement, values).fetchone()[0])

    return Estate(
        found.path,
        count("SELECT count(*) FROM node"),
        count("SELECT count(*) FROM edge WHERE recorded_to = ?", FOREVER),
        found.endpoints,
        found.bare_endpoints,
        count("SELECT max(seq) FROM journal"),
        seconds,
    )
