"""Reading the journal again, entry by entry: does each fit itself, its sync, and the tree?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import LineageError
from ..records import identity_of
from .engines import Row
from .journal import key_of, rejected_key
from .log import Entry, Kind, Tree, TreeHead, leaf_text
from .projection import topic_of
from .projector import Projector, Written
from .results import Verification
from .schema import columns

if TYPE_CHECKING:
    from .engines import Engine

_PAGE = 5_000
#: What code meets that reads a text of which nothing is certain any more.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, LineageError)


class Rereading:
    """Walks the journal once, in order."""

    def __init__(self, engine: Engine, replayed: Engine, result: Verification, *, met: bool) -> None:
        self._engine, self._replayed, self._result = engine, replayed, result
        #: The number of the next entry, and the instant of the last.
        self.expected, self.recorded = 1, 0
        #: Whether every head fitted so far, and whether the head from elsewhere was met.
        self.sound, self.met = True, met
        self._tree = Tree()
        self._scopes: dict[int, tuple[str, str, str, str]] = {}
        self.copy_scopes()
        self._places: dict[int, tuple[str, str, str]] = {}
        self._projector = Projector(replayed, engine)
        self._counts: dict[int, dict[int, int]] = {}
        #: By place: the digest of what its last complete sync left for the next.
        self.left: dict[tuple[str, ...], str] = {}
        #: False when the journal cannot be replayed: what follows from it is then unknown.
        self.replayable = True

    @property
    def tree(self) -> Tree:
        """The Merkle tree over the entries so far."""
        return self._tree

    @property
    def result(self) -> Verification:
        """Where problems go."""
        return self._result

    @property
    def syncs(self) -> int:
        """How many syncs began."""
        return len(self._places)

    def copy_scopes(self) -> None:
        """Take over the sources' names that are not known yet."""
        rows = self._engine.rows("SELECT id, system, namespace, location, part FROM scope ORDER BY id")
        new = [row for row in rows if row[0] not in self._scopes]
        self._replayed.insert("scope", columns("scope"), new)
        self._scopes.update({row[0]: row[1:] for row in new})

    def entry(self, row: Row) -> Written | None:
        """Check one entry and add its leaf."""
        seq, kind, sync, scope, recorded_at, observed_at, of = row[:7]
        position, text = row[10:12]
        topic, identity, digest, *meant = (None if item is None else bytes(item) for item in (*row[7:10], *row[12:15]))
        if not isinstance(position, str) or not all(isinstance(item, int) for item in (*row[:6], of or 0)):
            raise TypeError(f"record {seq} holds values of other types than an entry has")
        where = f"record {seq} (sync {sync}, {position})" if position else f"record {seq} (sync {sync})"
        part = self._scopes[scope][3] if scope in self._scopes else ""
        try:
            self._tree.add(
                leaf_text(Entry(seq, kind, sync, part, recorded_at, observed_at, of, digest or b"", position))
            )
        except (TypeError, ValueError, AttributeError) as error:
            self._result.add(where, f"{where} is not an entry of a journal: {error}")
            self.replayable = False
            return None
        body = None
        if kind in (Kind.AGAIN, Kind.GONE):
            if text is not None:
                self._result.add(where, f"{where} has a text, and its kind has none")
            if [topic, identity, digest] != meant:
                self._result.add(where, f"{where} does not fit record {of}, which it is about")
        elif text is None:
            self._result.add(where, f"The text of {where} is missing")
            self.replayable = False
            return None
        elif not isinstance(text, str) or hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() != digest:
            self._result.add(where, f"The text of {where} does not have the digest it was journalled under")
        if isinstance(text, str):
            try:
                body = json.loads(text)
            except ValueError:
                self.replayable = False
                return None
        self._about(where, (kind, sync, scope, position), body, (topic, identity))
        counts = self._counts.setdefault(sync, {})
        counts[kind] = counts.get(kind, 0) + (kind != Kind.GONE or topic is not None)
        return Written(seq, kind, sync, scope, observed_at, of, topic, identity, digest or b"", position, body)

    def _about(
        self,
        where: str,
        entry: tuple[int, int, int, str],
        body: dict[str, Any] | None,
        keys: tuple[bytes | None, bytes | None],
    ) -> None:
        kind, sync, scope, position = entry
        try:
            if kind == Kind.BEGIN and body is not None:
                self._places[sync] = (body["system"], body["namespace"], body["location"])
            if body is not None and _keys(kind, position, body) != keys:
                self._result.add(where, f"The keys of {where} are not those of its text")
            if kind == Kind.END and body is not None:
                self._counted(where, sync, body)
                if "cursor" in body:
                    self.left[self._places[sync]] = body["cursor"]
            if self._scopes.get(scope, ((),))[:3] != self._places.get(sync):
                self._result.add(where, f"The source of {where} is not that of its sync")
        except _UNREADABLE as error:
            self._result.add(where, f"The text of {where} is not what an entry of its kind holds: {error!r}")
            self.replayable = False

    def _counted(self, where: str, sync: int, body: dict[str, Any]) -> None:
        found = self._counts.get(sync, {})
        stored, vanished = found.get(Kind.SEEN, 0), found.get(Kind.GONE, 0)
        if body["read"] != body["stored"] + body["unchanged"] + body["quarantined"]:
            self._result.add(
                f"sync {sync}", f"Sync {sync} does not add up: read is not stored + unchanged + quarantined"
            )
        if (body["stored"], body["vanished"]) != (stored, vanished):
            self._result.add(
                f"sync {sync}",
                f"Sync {sync} says {body['stored']} stored and {body['vanished']} vanished; the journal holds {stored} and {vanished} ({where})",
            )

    def replay(self, entries: list[Written], recorded_at: int) -> None:
        """Bring the second projection to where this transaction left the first."""
        if not self.replayable:
            return
        try:
            self._projector.apply(entries, recorded_at)
        except _UNREADABLE as error:
            self.replayable = False
            first = entries[0].seq
            self._result.add(f"record {first}", f"The entries from record {first} on cannot be replayed: {error!r}")


def _keys(kind: int, position: str, body: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    if kind == Kind.SEEN:
        return key_of(topic_of(body)), key_of(identity_of(body))
    return None, rejected_key(position, body) if kind == Kind.REJECTED else None


def read_on(
    engine: Engine,
    log: Rereading,
    against: TreeHead | None,
    progress: Callable[[int], object] | None,
    *,
    still: bool,
) -> None:
    """Check the entries that were not checked yet; ``still`` says that nobody adds to them meanwhile."""
    result, started, group = log.result, 0, list[Written]()
    begun = log.expected
    heads = {
        size: (bytes(root), recorded_at)
        for size, root, recorded_at in engine.rows(
            "SELECT size, root, recorded_at FROM head WHERE size >= :begun", {"begun": begun}
        )
    }
    upto = max(heads, default=0)
    for row in _rows(engine, begun - 1):
        seq, recorded_at = row[0], row[4]
        if seq > upto and not still:
            break  # written since; the next round checks it
        if seq != log.expected:
            result.add(f"record {log.expected}", f"Records {log.expected} to {seq - 1} are missing from the journal")
        log.expected = seq + 1
        if not group:
            started = seq
            if recorded_at <= log.recorded:
                result.add(f"record {seq}", f"Record {seq} is said to be recorded no later than what stands before it")
        elif recorded_at != log.recorded:
            result.add(f"record {seq}", f"Record {seq} is not of the instant of its transaction")
        log.recorded = recorded_at
        try:
            written = log.entry(row)
        except _UNREADABLE as error:
            result.add(f"record {seq}", f"Record {seq} is not an entry of a journal: {error}")
            log.replayable, written = False, None
        if written is not None:
            group.append(written)
        if against is not None and log.tree.size == against.size:
            log.met = log.tree.head().root == against.root
        if seq in heads:
            root, when = heads.pop(seq)
            # One change changes all heads from there on: it is told once.
            if log.sound and (root != log.tree.head().root or seq != log.tree.size or when != recorded_at):
                log.sound = False
                result.add(
                    f"records {started} to {seq}",
                    f"Records {started} to {seq} (sync {row[2]}), or something before them, are not what was written: "
                    "the tree's head differs",
                )
            log.replay(group, recorded_at)
            if progress is not None:
                progress(len(group))
            group = []
    if group and log.sound:
        result.add(f"record {group[0].seq}", f"The entries from record {group[0].seq} on have no tree head")
    for size in sorted(heads)[:1] if log.sound else ():
        result.add(f"record {size}", f"The journal ends before record {size}, which a tree head covers")


def conclude(engine: Engine, log: Rereading, against: TreeHead | None) -> None:
    """What can be said when the last entry was checked."""
    result = log.result
    _frontier(engine, log.tree, result)
    _resume(engine, log.left, result)
    result.head, result.entries = log.tree.head(), log.tree.size
    result.syncs = log.syncs
    if against is not None and not log.met:
        result.add(
            "the log",
            f"The log did not grow from the given head of {against.size} entries: "
            + ("it is shorter" if log.tree.size < against.size else "its first entries are others"),
        )


def _rows(engine: Engine, after: int) -> Iterator[Row]:
    while True:
        rows = engine.rows(
            "SELECT j.seq, j.kind, j.sync, j.scope, j.recorded_at, j.observed_at, j.of, j.topic, j.identity, j.digest, "
            "j.position, b.json, o.topic, o.identity, o.digest FROM journal AS j LEFT JOIN body AS b ON b.seq = j.seq "
            "LEFT JOIN journal AS o ON o.seq = j.of "
            "WHERE j.seq > :after ORDER BY j.seq LIMIT :page",
            {"after": after, "page": _PAGE},
        )
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def _resume(engine: Engine, left: Mapping[tuple[str, ...], str], result: Verification) -> None:
    """Compare what sources need to go on with what they left: a changed one could hide what is new."""
    rows = engine.rows(
        "SELECT s.system, s.namespace, s.location, r.json FROM resume AS r CROSS JOIN scope AS s WHERE s.id = r.place"
    )
    for *place, text in rows:
        if not isinstance(text, str) or hashlib.sha256(text.encode()).hexdigest() != left.get(tuple(place)):
            result.add(
                "table resume", f"Where {place[0]} {place[2]} is to be read on from is not what its last sync left"
            )


def _frontier(engine: Engine, tree: Tree, result: Verification) -> None:
    rows = engine.rows("SELECT size, peaks FROM frontier")
    if len(rows) != 1 or (rows[0][0], bytes(rows[0][1])) != (tree.size, tree.peaks):
        result.add("the tree", "The tree's frontier is not that of the entries: the last ones were changed or removed")
    bodies = engine.one(
        "SELECT count(*) FROM body WHERE NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.seq = body.seq)"
    )
    if bodies:
        result.add("table body", f"{bodies} texts belong to no entry")
