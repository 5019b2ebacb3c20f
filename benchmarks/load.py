"""Large estates into a store file: the rows that ``Store.append`` would write, written by bare SQL.

Appending millions of records one transaction after another, each checked, takes the better part of an
hour. Here the same rows are made with the package's own pure functions (identity, topic, projection) and
inserted without the checks. ``trace.py`` proves on the smallest estate that the two ways answer alike.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from tqdm import tqdm

from lineage_explorer.records import Record, Ref, from_json, identity_of
from lineage_explorer.redaction import RULES_VERSION
from lineage_explorer.store import open_store
from lineage_explorer.store.database import BATCH
from lineage_explorer.store.journal import micros_of
from lineage_explorer.store.projection import EdgeRow, FactRow, Seen, project, topic_of
from lineage_explorer.store.schema import FOREVER
from lineage_explorer.version import __version__

from .estate import EDITION, Project, projects

#: Estates hold text that needs no escaping and whole numbers only: sorted keys are then RFC 8785.
_canonical = msgspec.json.Encoder(order="sorted").encode
_SYNC, _NOW = 1, micros_of(datetime(2026, 9, 1, tzinfo=UTC))
_BULK = 200_000


@dataclass(frozen=True)
class Estate:
    """An estate in a store file, and what can be asked of it."""

    path: str
    nodes: int
    relations: int
    endpoints: list[str]
    bare_endpoints: list[str]

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
    made = _load(path, _tracked(projects(nodes, seed), nodes))
    about.write_text(json.dumps(asdict(made)))
    return made


def grown(nodes: int, path: Path, seed: int = 1) -> Estate:
    """The same estate, grown record by record through ``Store.append``."""
    path.unlink(missing_ok=True)
    found = Estate(str(path), 0, 0, [], [])

    def records() -> Iterator[Record]:
        for item in _tracked(projects(nodes, seed), nodes, "appending"):
            found.endpoints.extend(item.endpoints)
            found.bare_endpoints.extend(item.bare_endpoints)
            yield from map(from_json, item.records)

    with open_store(path, create_missing=True) as store:
        result = store.append(records())
    if result.quarantined:
        raise AssertionError(f"{result.quarantined} records of the estate were refused")
    with sqlite3.connect(path) as connection:
        return _counted(connection, found)


def _tracked(items: Iterable[Project], nodes: int, what: str = "making") -> Iterator[Project]:
    with tqdm(total=nodes, desc=f"{what} {nodes:,} nodes", unit=" nodes", leave=False) as bar:
        for item in items:
            yield item
            bar.update(item.nodes)


def _load(path: Path, items: Iterable[Project]) -> Estate:
    open_store(path, create_missing=True).close()
    connection = sqlite3.connect(path, isolation_level=None)
    # No safety net: a file half made is thrown away. The cache holds the indexes that grow at random.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    later = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.execute("BEGIN")
    for name, _ in later:
        connection.execute(f"DROP INDEX {name}")
    connection.execute(
        "INSERT INTO sync VALUES (?, ?, ?, 'records', 'append', '', 'benchmark', ?, ?)",
        (_SYNC, _NOW, _NOW, __version__, RULES_VERSION),
    )
    loader = _Loader(connection)
    found = Estate(str(path), 0, 0, [], [])
    for item in items:
        loader.add(item.records)
        found.endpoints.extend(item.endpoints)
        found.bare_endpoints.extend(item.bare_endpoints)
    loader.flush()
    connection.execute("INSERT INTO sync_end VALUES (?, ?, ?, ?, 0, 0, 1)", (_SYNC, _NOW, loader.seq, loader.seq))
    for _, sql in tqdm(later, desc="indexing", leave=False):
        connection.execute(sql)
    connection.execute("COMMIT")
    made = _counted(connection, found)
    connection.close()
    return made


def _counted(connection: sqlite3.Connection, found: Estate) -> Estate:
    nodes = connection.execute("SELECT count(*) FROM node").fetchone()[0]
    relations = connection.execute("SELECT count(*) FROM edge WHERE recorded_to = ?", (FOREVER,)).fetchone()[0]
    return Estate(found.path, nodes, relations, found.endpoints, found.bare_endpoints)


class _Loader:
    """Rows of the journal and of the projection, inserted many at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.seq = 0
        self._connection = connection
        self._known: dict[str, int] = {}
        self._bodies: dict[bytes, str] = {}
        self._journal: list[tuple[Any, ...]] = []
        self._rows: list[EdgeRow | FactRow] = []

    def add(self, records: list[dict[str, Any]]) -> None:
        """One project's records; no topic of the projection reaches beyond a project."""
        topics: dict[str, list[Seen]] = {}
        for plain in records:
            self.seq += 1
            body = _canonical(plain)
            digest = hashlib.sha256(body).digest()
            identity, topic = identity_of(plain), topic_of(plain)
            self._bodies[digest] = body.decode()
            self._journal.append((self.seq, _SYNC, _NOW, _NOW, _key(topic), _key(identity), digest, ""))
            topics.setdefault(topic, []).append(Seen(self.seq, _NOW, plain))
        for topic, seen in topics.items():
            self._rows.extend(project(topic, seen))
        if len(self._rows) > _BULK:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        insert = self._connection.executemany
        insert("INSERT OR IGNORE INTO body VALUES (?, ?)", self._bodies.items())
        insert("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._journal)
        # Numbers are given in the order of a real ingest, batch by batch: things that came together
        # stand together, which is what makes a trace touch few pages.
        for start in range(0, len(self._rows), BATCH):
            self._number(self._rows[start : start + BATCH])
        edges, facts = [], []
        for row in self._rows:
            if isinstance(row, EdgeRow):
                effect, cause = self._known[row.effect], self._known[row.cause]
                edges.append((effect, row.flow, cause, *row[3:5], _NOW, row.valid_to, FOREVER, *row[6:]))
            else:
                facts.append((self._known[row.node], *row[1:4], _NOW, row.valid_to, FOREVER))
        insert("INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sorted(edges))
        insert("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(facts))
        self._bodies, self._journal, self._rows = {}, [], []

    def _number(self, rows: list[EdgeRow | FactRow]) -> None:
        refs = {ref for row in rows for ref in ((row.effect, row.cause) if isinstance(row, EdgeRow) else (row.node,))}
        new = []
        for ref in sorted(refs - self._known.keys()):
            self._known[ref] = len(self._known) + 1
            parsed = Ref.parse(ref)
            new.append((self._known[ref], ref, parsed.kind, parsed.name, parsed.namespace, parsed.bare))
        self._connection.executemany("INSERT INTO node VALUES (?, ?, ?, ?, ?, ?)", new)
        self._connection.executemany(
            "INSERT INTO name_index(rowid, text) VALUES (?, ?)",
            [(number, f"{kind} {name} {bare} {namespace}") for number, _, kind, name, namespace, bare in new],
        )


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
