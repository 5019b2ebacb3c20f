"""Checking a store: is the log the one that was written, and do the answers follow from it?

Four questions, each asked on its own so that damage found by one hides nothing from the others:

1. Is the database itself sound, with its protection in place?
2. Does every record have the digest it was journalled under, and every entry its place?
3. Do the entries make the Merkle tree whose heads were kept, transaction by transaction, and the head that
   somebody kept elsewhere?
4. Replayed into an empty store, does the journal give the projection that answers questions?

A head that is kept in the same file proves nothing against whoever can rewrite the whole file: only a head
kept elsewhere does (``against``), and the result says whether there was one.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LineageError, StoreError
from ..records import identity_of
from .engines import Row, SQLite
from .journal import key_of, rejected_key
from .log import Entry, Kind, Tree, TreeHead, leaf_text
from .projection import topic_of
from .projector import Projector, Written
from .schema import PROJECTION_TABLES, columns, create

if TYPE_CHECKING:
    from .engines import Engine

#: So many problems are told one by one; the rest is counted.
_SHOWN = 100
_PAGE = 5_000
#: What code meets that reads a text of which nothing is certain any more.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, LineageError)


@dataclass(frozen=True)
class Problem:
    """Something that does not fit.

    Attributes
    ----------
    where : str
        ``record 17``, ``sync 3``, ``table edge``, ...
    message : str
        What is wrong, in a sentence that names the place.
    """

    where: str
    message: str


@dataclass
class Verification:
    """What checking a store came to.

    Attributes
    ----------
    head : TreeHead
        Recomputed from the entries.
    entries, syncs : int
        How many were checked.
    anchored : bool
        Whether the log was compared with a head that was kept elsewhere.
    problems : list of Problem
        The first hundred.
    count : int
        All problems.
    """

    head: TreeHead
    entries: int = 0
    syncs: int = 0
    anchored: bool = False
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return self.count == 0

    def __bool__(self) -> bool:
        return self.ok

    def add(self, where: str, message: str) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(Problem(where, message))


def verify(
    engine: Engine, against: TreeHead | None = None, progress: Callable[[int], object] | None = None
) -> Verification:
    """Check one store; see :meth:`lineage_explorer.store.Store.verify`."""
    result = Verification(Tree().head(), anchored=against is not None)
    with tempfile.TemporaryDirectory(prefix="lineage-explorer-verify-") as folder:
        replayed = SQLite(Path(folder) / "replayed.db", "rwc")
        try:
            replayed.connection.execute("PRAGMA synchronous = OFF")
            create(replayed)
            _database(engine, replayed, result)
            sound = _log(engine, replayed, result, against, progress)
            if sound:
                _projection(engine, replayed, result)
        except (StoreError, TypeError) as error:  # a TypeError: a number where a text should be, or the other way
            result.add("the database", f"It cannot be checked to the end: {error}")
        finally:
            replayed.close()
    return result


# --- the database ---


def _database(engine: Engine, replayed: SQLite, result: Verification) -> None:
    try:
        if engine.dialect == "sqlite":
            for (message,) in engine.rows("PRAGMA integrity_check(20)"):
                if message != "ok":
                    result.add("the file", f"SQLite finds the file damaged: {message}")
            made = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            have = set(engine.rows(made))
            for kind, name, _, _ in sorted(set(replayed.rows(made)) - have, key=repr):
                result.add(
                    "the schema", f"Its protection or a table was changed: the {kind} {name} is not as it was made"
                )
        else:
            rows = engine.rows(
                "SELECT c.relname FROM pg_trigger AS t CROSS JOIN pg_class AS c WHERE c.oid = t.tgrelid "
                "AND t.tgname LIKE '%_append_only' AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace"
            )
            for table in sorted({"scope", "journal", "body", "head"} - {row[0] for row in rows}):
                result.add("the schema", f"The trigger that makes {table} append-only is gone or switched off")
    except StoreError as error:
        result.add("the file", f"The database cannot be checked: {error}")


# --- the log ---


class _Log:
    """Walks the journal once, in order."""

    def __init__(self, engine: Engine, replayed: Engine, result: Verification) -> None:
        self._result = result
        self._tree = Tree()
        self._scopes = {
            row[0]: row[1:] for row in engine.rows("SELECT id, system, namespace, location, part FROM scope")
        }
        self._places: dict[int, tuple[str, str, str]] = {}
        self._projector = Projector(replayed, engine)
        self._counts: dict[int, dict[int, int]] = {}
        #: By place: the digest of what its last complete sync left for the next.
        self.left: dict[tuple[str, ...], str] = {}
        #: False when the journal cannot be replayed: what follows from it is then unknown.
        self.replayable = True

    @property
    def tree(self) -> Tree:
        return self._tree

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


def _log(
    engine: Engine,
    replayed: SQLite,
    result: Verification,
    against: TreeHead | None,
    progress: Callable[[int], object] | None,
) -> bool:
    log = _Log(engine, replayed, result)
    heads = {
        size: (bytes(root), recorded_at)
        for size, root, recorded_at in engine.stream("SELECT size, root, recorded_at FROM head")
    }
    recorded, started = 0, 0
    group: list[Written] = []
    met = against is None or against == log.tree.head()
    expected = 1
    scopes = sorted(log._scopes.items())
    if scopes:
        replayed.connection.execute("BEGIN")
        replayed.insert("scope", columns("scope"), [(number, *texts) for number, texts in scopes])
        replayed.connection.execute("COMMIT")
    replayed.connection.execute("BEGIN")
    for row in _rows(engine):
        seq, recorded_at = row[0], row[4]
        if seq != expected:
            result.add(f"record {expected}", f"Records {expected} to {seq - 1} are missing from the journal")
        expected = seq + 1
        if not group:
            started = seq
            if recorded_at <= recorded:
                result.add(f"record {seq}", f"Record {seq} is said to be recorded no later than what stands before it")
        elif recorded_at != recorded:
            result.add(f"record {seq}", f"Record {seq} is not of the instant of its transaction")
        recorded = recorded_at
        try:
            written = log.entry(row)
        except _UNREADABLE as error:
            result.add(f"record {seq}", f"Record {seq} is not an entry of a journal: {error}")
            log.replayable, written = False, None
        if written is not None:
            group.append(written)
        size = log.tree.size
        if against is not None and size == against.size:
            met = log.tree.head().root == against.root
        if seq in heads:
            root, when = heads.pop(seq)
            if root != log.tree.head().root or seq != size or when != recorded_at:
                result.add(
                    f"records {started} to {seq}",
                    f"Records {started} to {seq} (sync {row[2]}), or something before them, are not what was written: the tree's head differs",
                )
                # What follows is compared with the tree as it is from here on no more: one change changes all heads.
                heads.clear()
            log.replay(group, recorded_at)
            if progress is not None:
                progress(len(group))
            group = []
    replayed.connection.execute("COMMIT")
    if group and not result.count:
        result.add(f"record {group[0].seq}", f"The entries from record {group[0].seq} on have no tree head")
    for size in sorted(heads)[:1]:
        result.add(f"record {size}", f"The journal ends before record {size}, which a tree head covers")
    _frontier(engine, log.tree, result)
    _resume(engine, log.left, result)
    result.head, result.entries = log.tree.head(), log.tree.size
    result.syncs = len(log._places)
    if against is not None and not met:
        result.add(
            "the log",
            f"The log did not grow from the given head of {against.size} entries: "
            + ("it is shorter" if log.tree.size < against.size else "its first entries are others"),
        )
    return log.replayable


def _rows(engine: Engine) -> Iterator[Row]:
    after = 0
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


# --- the projection ---


def _projection(engine: Engine, replayed: Engine, result: Verification) -> None:
    for table in PROJECTION_TABLES:
        if table == "name_index":
            continue
        names = columns(table)
        # By their key, which is whole numbers but for a fact's type; both databases compare text byte by byte.
        key = {"edge": 6, "fact": 5, "enumeration": 2}.get(table, 1)
        text = f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(names[:key])}"
        _compare(table, engine.stream(text), replayed.stream(text), result, key)
    _names(engine, replayed, result)


def _compare(table: str, have: Iterator[Row], should: Iterator[Row], result: Verification, key: int) -> None:
    """Merge two sorted streams and tell where they differ."""
    first, second = next(have, None), next(should, None)
    while first is not None or second is not None:
        if first == second:
            first, second = next(have, None), next(should, None)
            continue
        if first is not None and second is not None and first[:key] == second[:key]:
            names = ", ".join(
                name for name, one, other in zip(columns(table), first, second, strict=True) if one != other
            )
            result.add(
                f"table {table}", f"A row of {table} that answers questions was changed: {names} of {first[:key]}"
            )
            first, second = next(have, None), next(should, None)
        elif second is None or (first is not None and first[:key] < second[:key]):
            result.add(f"table {table}", f"A row of {table} follows from no record: {(first or ())[:key]}")
            first = next(have, None)
        else:
            result.add(f"table {table}", f"A row of {table} is missing: {second[:key]}")
            second = next(should, None)


def _names(engine: Engine, replayed: Engine, result: Verification) -> None:
    vocabulary = [
        "DROP TABLE IF EXISTS temp.name_terms",
        "CREATE VIRTUAL TABLE temp.name_terms USING fts5vocab('main', 'name_index', 'instance')",
    ]
    replayed.script(vocabulary)
    if engine.dialect == "sqlite":
        engine.script(vocabulary)
        statement = "SELECT doc, term, offset FROM temp.name_terms ORDER BY doc, term, offset"
        pairs = _zipped(engine.stream(statement), replayed.stream(statement))
    else:
        have = (
            (number, word)
            for number, words in engine.stream("SELECT rowid, tsvector_to_array(words) FROM name_index ORDER BY rowid")
            for word in sorted(words)
        )
        pairs = _zipped(have, replayed.stream("SELECT doc, term FROM temp.name_terms ORDER BY doc, term"))
    if engine.dialect == "sqlite":
        pairs = chain(pairs, _beginnings(engine, replayed))
    for one, other in pairs:
        if one != other:
            result.add("the index of names", f"The index of names differs from the journal at {one or other}")
            return


def _beginnings(engine: Engine, replayed: Engine) -> Iterator[tuple[Row | None, Row | None]]:
    """What a search for the first letters of words finds: SQLite keeps an index of its own for those."""
    for length in range(1, 9):
        terms = replayed.rows(
            "SELECT DISTINCT substr(term, 1, :length) FROM temp.name_terms WHERE length(term) >= :length ORDER BY 1",
            {"length": length},
        )
        for (beginning,) in terms:
            statement, words = (
                "SELECT rowid FROM name_index WHERE name_index MATCH :words",
                {"words": f'"{beginning}"*'},
            )
            yield from _zipped(engine.stream(statement, words), replayed.stream(statement, words))


def _zipped(have: Iterator[Row], should: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    while True:
        one, other = next(have, None), next(should, None)
        if one is None and other is None:
            return
        yield one, other
