"""The rows of an estate, made by several processes and put in order by one: what ``load.py`` inserts.

Each process walks the same seeded projects and works out a run of batches: the entries of the journal with the
hashes of their leaves, and what they are projected to, references numbered in the order of their first mention.
Node numbers and the Merkle tree depend on all that came before; one process sees to both, reading the others' files.
"""

from __future__ import annotations

import hashlib
import marshal
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lineage_explorer.records import Ref, identity_of
from lineage_explorer.redaction import RULES_VERSION
from lineage_explorer.references import micros_of
from lineage_explorer.store.claims import Seen
from lineage_explorer.store.database import BATCH
from lineage_explorer.store.journal import document, key_of
from lineage_explorer.store.log import Entry, Kind, Tree, leaf_text
from lineage_explorer.store.names import indexed
from lineage_explorer.store.projection import EdgeRow, FactRow, project, topic_of
from lineage_explorer.store.schema import FOREVER, columns
from lineage_explorer.store.sync import _actor
from lineage_explorer.version import __version__

from .estate import Plain, corrections, projects

#: When the two syncs of an estate began, by the clock that stands still for them.
FIRST, SECOND = (micros_of(datetime(2026, month, 1, tzinfo=UTC)) for month in (9, 10))
#: Estates hold text that needs no escaping and whole numbers only: sorted keys are then RFC 8785.
_canonical = msgspec.json.Encoder(order="sorted").encode
_SCOPE = 1
_CHUNK = 20_000
#: What a thing's records come to, on average; and the share of the last process, which also has to walk past
#: everything before its part.
_RECORDS, _LAST = 4.647, 0.8
_Portion = tuple[str, tuple[str, ...], list[Any]]


class _Files:
    """Rows of several kinds, a file each, written and read back a portion at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, list[Any]] = {}
        folder.mkdir()

    def add(self, kind: str, row: Any) -> None:
        rows = self._rows.setdefault(kind, [])
        rows.append(row)
        if len(rows) >= _CHUNK:
            self.flush(kind)

    def flush(self, *kinds: str) -> None:
        for kind in kinds or list(self._rows):
            with (self._folder / kind).open("ab") as file:
                marshal.dump(self._rows.pop(kind), file)


def _read(path: Path) -> Iterator[list[Any]]:
    if path.exists():
        with path.open("rb") as file:
            while True:
                try:
                    yield marshal.load(file)
                except EOFError:
                    return


class Rows:
    """What one process makes: the batches from ``start`` on, before ``stop``."""

    def __init__(self, nodes: int, seed: int, start: int, stop: int | None, folder: Path) -> None:
        self._nodes, self._seed = nodes, seed
        self._range = range(start * BATCH, 2**62 if stop is None else stop * BATCH)
        self._folder = folder
        self._files = _Files(folder / "1")
        self._numbers: dict[str, int] = {}
        self._late: list[Plain] = []
        self._before: dict[str, list[Seen]] = {}
        self.endpoints: list[str] = []
        self.bare_endpoints: list[str] = []

    def first(self) -> int:
        """Make the first sync's rows; returns how many records came by."""
        index, mine = 0, self._range
        for item in projects(self._nodes, self._seed):
            begun, index = index, index + len(item.records)
            if begun >= mine.stop:
                return begun
            if index <= mine.start:
                continue
            topics: dict[str, list[Seen]] = {}
            for place, plain in enumerate(item.records, begun):
                seen, topic = self._seen(plain, place + 2, FIRST)
                topics.setdefault(topic, []).append(seen)
                if place in mine:
                    self._entry(seen, topic, 1, FIRST + place // BATCH)
            self._project(topics, 2, FIRST)
            if begun in mine:
                self.endpoints += item.endpoints
                self.bare_endpoints += item.bare_endpoints
                for place, plain in enumerate(item.records, begun):
                    for late in corrections(plain, place, self._nodes):
                        self._late.append(late)
                        if (topic := topic_of(late)) in topics:
                            self._before[topic] = topics[topic]
        return index

    @property
    def late(self) -> int:
        """How many records of the second sync are this process's."""
        return len(self._late)

    def second(self, begin: int, offset: int) -> None:
        """Make the second sync's rows: its entries follow entry ``begin``, ours after so many others."""
        self._files.flush()
        self._files = _Files(self._folder / "2")
        self._range = range(2**62)
        topics: dict[str, list[Seen]] = {}
        for place, plain in enumerate(self._late, offset):
            seen, topic = self._seen(plain, begin + 1 + place, SECOND)
            topics.setdefault(topic, []).append(seen)
            self._entry(seen, topic, 2, SECOND + place // BATCH)
        self._project(topics, begin + 1, SECOND)
        self._files.flush()

    def _seen(self, plain: Plain, seq: int, now: int) -> tuple[Seen, str]:
        identity = identity_of(plain)
        body = _canonical(plain)
        digest = hashlib.sha256(body).digest()
        return Seen(seq, seq, _SCOPE, key_of(identity), now, False, digest, plain), topic_of(plain)

    def _entry(self, seen: Seen, topic: str, sync: int, now: int) -> None:
        observed = seen.observed_at
        row = (seen.seq, 1, sync, _SCOPE, now, observed, None, key_of(topic), seen.identity, seen.digest, "")
        leaf = leaf_text(Entry(seen.seq, Kind.SEEN, sync, "", now, observed, None, seen.digest, ""))
        self._files.add("journal", (*row, hashlib.sha256(b"\x00" + leaf).digest()))
        self._files.add("body", (seen.seq, _canonical(seen.plain).decode()))

    def _project(self, topics: dict[str, list[Seen]], begin: int, now: int) -> None:
        """Project as the batches of one sync would, one after another."""
        groups: list[tuple[int, str, list[Seen], int, int]] = []
        for topic, seen in topics.items():
            cuts = [
                0,
                *(
                    place
                    for place, (one, two) in enumerate(pairwise(seen), 1)
                    if (one.seq - begin) // BATCH != (two.seq - begin) // BATCH
                ),
                len(seen),
            ]
            for start, stop in pairwise(cuts):
                if (seen[start].seq - begin) in self._range:
                    groups.append((seen[start].seq, topic, seen, start, stop))
        groups.sort(key=lambda group: group[0])
        for seq, topic, seen, start, stop in groups:
            before = [*self._before.get(topic, ()), *seen[:start]]
            rows = project(topic, [*before, *seen[start:stop]])
            at = now + (seq - begin) // BATCH
            if before:
                had, kept = project(topic, before), set(rows)
                known = set(had)
                self._close([row for row in had if row not in kept], at)
                rows = [row for row in rows if row not in known]
            self._store(rows, at)

    def _close(self, rows: list[EdgeRow | FactRow], now: int) -> None:
        for row in rows:
            if isinstance(row, EdgeRow):
                key = (self._number(row.effect), row.flow, self._number(row.cause), row.seq, row.valid_from)
                self._files.add("edge-ends", (key, now))
            else:
                self._files.add("fact-ends", ((self._number(row.node), row.type, row.seq, row.valid_from), now))

    def _store(self, rows: list[EdgeRow | FactRow], now: int) -> None:
        for row in rows:
            if isinstance(row, EdgeRow):
                effect, cause = self._number(row.effect), self._number(row.cause)
                self._files.add("edge", (effect, row.flow, cause, *row[3:5], now, *row[5:]))
            else:
                self._files.add("fact", (self._number(row.node), *row[1:4], now, *row[4:]))

    def _number(self, ref: str) -> int:
        number = self._numbers.get(ref)
        if number is None:
            number = self._numbers[ref] = len(self._numbers)
            parsed = Ref.parse(ref)
            names = (ref, parsed.kind, parsed.name, parsed.namespace, parsed.bare)
            self._files.add("node", (*names, indexed("sqlite", parsed)))
        return number


class Part(NamedTuple):
    """A process's files and what it found."""

    folder: Path
    late: int
    endpoints: list[str]
    bare_endpoints: list[str]


def parts(nodes: int, seed: int, folder: Path) -> tuple[list[Part], int]:
    """Let every core make its part; returns them in order, and how many records the first sync read."""
    count = max(1, min(len(os.sched_getaffinity(0)), nodes // 5_000))
    shares = [1.0] * (count - 1) + [_LAST]
    total = nodes * _RECORDS / BATCH
    cuts = [0, *(round(total * sum(shares[:number]) / sum(shares)) for number in range(1, count)), None]
    ends = []
    for number, (start, stop) in enumerate(pairwise(cuts)):
        ours, theirs = Pipe()
        place = folder / str(number)
        place.mkdir()
        process = Process(target=_work, args=(theirs, nodes, seed, start, stop, place))
        process.start()
        ends.append((process, ours, place))
    told = [ours.recv() for _, ours, _ in ends]
    records, offset, found = told[-1][0], 0, []
    for (_, ours, place), (_, late, endpoints, bare) in zip(ends, told, strict=True):
        ours.send((records + 3, offset))  # after the records: the end of the first sync, the beginning of the second
        offset += late
        found.append(Part(place, late, endpoints, bare))
    for process, _, _ in ends:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a process that makes rows ended with {process.exitcode}")
    return found, records


def _work(end: Connection, nodes: int, seed: int, start: int, stop: int | None, folder: Path) -> None:
    rows = Rows(nodes, seed, start, stop, folder)
    records = rows.first()
    end.send((records, rows.late, rows.endpoints, rows.bare_endpoints))
    rows.second(*end.recv())


class _Grown(Tree):
    """A tree that is given leaves' hashes, which others have made."""

    def add_hash(self, node: bytes) -> None:
        peaks, size = self._peaks, self.size
        while size & 1:
            node = hashlib.sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1


class Merged:
    """All parts as the tables hold them."""

    def __init__(self, made: tuple[list[Part], int]) -> None:
        self._parts, self._records = made
        self._tree = _Grown()
        self._heads: list[tuple[int, bytes, int]] = []
        self._last = 0
        self._numbers: list[list[int]] = [[] for _ in self._parts]
        self.endpoints = [ref for part in self._parts for ref in part.endpoints]
        self.bare_endpoints = [ref for part in self._parts for ref in part.bare_endpoints]
        self.entries = self._records + sum(part.late for part in self._parts) + 4

    @property
    def frontier(self) -> tuple[int, bytes]:
        """The tree's size and peaks; known when all rows were given out."""
        return self._tree.size, self._tree.peaks

    def tables(self) -> Iterator[_Portion]:
        """Every table's rows, a portion at a time; columns that are not named come with the table's own order."""
        yield "scope", columns("scope"), [(_SCOPE, "records", "", "append", "")]
        yield from self._nodes()
        late = sum(part.late for part in self._parts)
        for sync, now, count in ((1, FIRST, self._records), (2, SECOND, late)):
            yield from self._sync(sync, now, count)
        self._head()
        yield "head", columns("head"), self._heads
        yield from self._projected("edge")
        yield from self._projected("fact")

    def _files(self, sync: int, kind: str) -> Iterator[tuple[int, list[Any]]]:
        for number, part in enumerate(self._parts):
            for rows in _read(part.folder / str(sync) / kind):
                yield number, rows

    def _nodes(self) -> Iterator[_Portion]:
        known: dict[str, int] = {}
        for sync in (1, 2):
            for number, rows in self._files(sync, "node"):
                nodes, words = [], []
                for ref, kind, name, namespace, bare, text in rows:
                    node = known.get(ref)
                    if node is None:
                        node = known[ref] = len(known) + 1
                        nodes.append((node, ref, kind, name, namespace, bare))
                        words.append((node, text))
                    self._numbers[number].append(node)
                yield "node", columns("node"), nodes
                yield "name_index", ("rowid", "words"), words

    def _sync(self, sync: int, now: int, count: int) -> Iterator[_Portion]:
        place = {"system": "records", "location": "append", "namespace": ""}
        about = {**place, "actor": _actor(), "tool_version": __version__, "redaction_rules": RULES_VERSION}
        yield from self._document(Kind.BEGIN, about, sync, now, now)
        for _, rows in self._files(sync, "journal"):
            for row in rows:
                self._add(row[4], row[-1])
            yield "journal", columns("journal"), [row[:-1] for row in rows]
        for _, rows in self._files(sync, "body"):
            yield "body", columns("body"), rows
        counts = {"read": count, "stored": count, "unchanged": 0, "quarantined": 0, "vanished": 0}
        finished = now + count // BATCH
        if finished != self._last:
            self._head()  # the last batch was full: the end of the sync has a transaction of its own
            self._last = 0
        root = self._tree.head().root.hex()
        end = {**counts, "complete": True, "enumerated": {}, "root": root}
        yield from self._document(Kind.END, end, sync, finished, now)
        row = (sync, now, now, "records", "append", "", *list(about.values())[3:])
        yield "sync", columns("sync"), [(*row, finished, *counts.values(), 1, "[]", None)]

    def _document(self, kind: Kind, body: Plain, sync: int, now: int, observed: int) -> Iterator[_Portion]:
        draft = document(kind, body, observed)
        seq = self._tree.size + 1
        leaf = leaf_text(Entry(seq, kind, sync, "", now, observed, None, draft.digest, ""))
        self._add(now, hashlib.sha256(b"\x00" + leaf).digest())
        row = (seq, int(kind), sync, _SCOPE, now, observed, None, None, None, draft.digest, "")
        yield "journal", columns("journal"), [row]
        yield "body", columns("body"), [(seq, draft.json)]

    def _add(self, now: int, leaf: bytes) -> None:
        if self._last and now != self._last:
            self._head()
        self._last = now
        self._tree.add_hash(leaf)

    def _head(self) -> None:
        self._heads.append((self._tree.size, self._tree.head().root, self._last))

    def _projected(self, table: str) -> Iterator[_Portion]:
        numbers = self._numbers
        ends: dict[Any, list[int]] = {}
        edge = table == "edge"
        for sync in (1, 2):
            for number, rows in self._files(sync, f"{table}-ends"):
                of = numbers[number]
                for (node, second, third, *rest), now in rows:
                    key = (of[node], second, of[third] if edge else third, *rest)
                    ends.setdefault(key, []).append(now)
        for sync in (1, 2):
            for number, rows in self._files(sync, table):
                of = numbers[number]
                if edge:
                    found: Iterable[Any] = ((of[row[0]], row[1], of[row[2]], *row[3:]) for row in rows)
                    made = [(*row[:7], _end(ends, row[:5], row[5]), *row[7:]) for row in found]
                else:
                    found = ((of[row[0]], *row[1:]) for row in rows)
                    made = [(*row[:6], _end(ends, row[:4], row[4]), *row[6:]) for row in found]
                made.sort()
                yield table, columns(table), made


def _end(ends: dict[Any, list[int]], key: tuple[Any, ...], begun: int) -> int:
    """When a row was closed that became known at an instant."""
    found = ends.get(key)
    return FOREVER if found is None else min((now for now in found if now > begun), default=FOREVER)
