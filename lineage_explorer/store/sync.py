"""One sync: what was read is compared with what the same source said before, and only differences are kept."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from ..redaction import RULES_VERSION
from ..version import __version__
from .journal import Draft, Journal, Prepared, Scope, document, draft, storable
from .log import Kind, Tree
from .results import SyncResult
from .vanishing import Reading

if TYPE_CHECKING:
    from .engines import Engine


#: Tombstones in one transaction.
_PORTION = 2_000


class _Known(NamedTuple):
    """An entry of the journal about one identity, in the words of one source."""

    observed_at: int
    seq: int
    kind: int
    digest: bytes
    of: int


class Sync:
    """Writes what one reading of a source brings, in transactions that the caller opens.

    Parameters
    ----------
    engine : Engine
        Where the store is.
    journal : Journal
        What appends to it.
    place : Scope
        System, namespace and location of the source; the part stays empty.
    observed_at : int, optional
        When the source was in the state that is read, microseconds; the beginning of the sync by default.
    enumerating : bool
        Whether the source may say that it was read in full: only then it is noted what it showed.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        place: Scope,
        observed_at: int | None = None,
        *,
        enumerating: bool = False,
    ) -> None:
        self._enumerating = enumerating
        self._engine = engine
        self._journal = journal
        self._place = place
        self._asked_observed_at = observed_at
        self._observed_at = 0
        self._id = 0
        self._start = 0
        self._reading = Reading(engine)
        self._returned: dict[tuple[int, bytes], tuple[_Known, Prepared]] = {}
        #: Parts in which something new could not be read: what is missing there may be hidden by it.
        self._spoilt: set[str] = set()
        self._missing: list[tuple[str, int]] | None = None
        self._enumerated: dict[str, int] = {}
        self._readings: dict[int, int] = {}

    @property
    def burying(self) -> bool:
        """Whether something that vanished is still to be put on record."""
        return bool(self._missing)

    def begin(self, now: int, tree: Tree) -> None:
        """Put the sync on record."""
        self._id = 1 + int(self._engine.one("SELECT coalesce(max(id), 0) FROM sync"))
        self._observed_at = now if self._asked_observed_at is None else self._asked_observed_at
        self._start = tree.size
        about = {
            "system": self._place.system,
            "location": self._place.location,
            "namespace": self._place.namespace,
            "actor": _actor(),
            "tool_version": __version__,
            "redaction_rules": RULES_VERSION,
        }
        self._journal.write([document(Kind.BEGIN, about, self._observed_at)], self._id, self._place, now, tree)

    def write(self, items: Sequence[Prepared], now: int, tree: Tree) -> SyncResult:
        """Store what is new, count what is not."""
        scopes = {part: self._journal.scope(self._place._replace(part=part)) for part in {item.part for item in items}}
        known = self._known(items, scopes)
        elsewhere = self._elsewhere([item for item in items if not known[scopes[item.part], item.identity]], scopes)
        drafts: list[Draft] = []
        stored = quarantined = vanished = 0
        for item in items:
            scope = scopes[item.part]
            entry = self._compare(item, known[scope, item.identity], scope, tree.size + len(drafts) + 1)
            if entry is not None:
                of = elsewhere.get((item.identity, item.digest))
                if entry.kind == Kind.SEEN and of is not None:  # another source said it: one more voice, nothing new
                    entry = entry._replace(kind=Kind.AGAIN, of=of, json=None, body=None)
                    said = known[scope, item.identity]
                    said[-1] = said[-1]._replace(kind=Kind.AGAIN, of=of)
                drafts.append(entry)
                if item.observed_at is None and (gone := self._gone_by(entry, known[scope, item.identity], scope)):
                    drafts.append(gone)
                    vanished += 1
            if item.kind == Kind.REJECTED:
                quarantined += 1
                if entry is not None:
                    self._spoilt.add(item.part)
            elif entry is not None and entry.kind == Kind.SEEN:
                stored += 1
        for scope in sorted(set(scopes.values())) if self._enumerating else ():
            self._reading.remember(scope, (item.identity for item in items if scopes[item.part] == scope), self._start)
        if drafts:
            self._journal.write(drafts, self._id, self._place, now, tree)
        return SyncResult(len(items), stored, len(items) - stored - quarantined, quarantined, vanished)

    def bury(self, enumerated: Iterable[str], now: int, tree: Tree) -> int | None:
        """Put on record what vanished, a portion at a time.

        Parameters
        ----------
        enumerated : iterable of str
            The parts of which everything was read.

        Returns
        -------
        int or None
            How many records this portion holds; None when nothing is left.
        """
        if self._missing is None:
            self._missing = []
            for part in sorted(set(enumerated)):
                scope = self._journal.scope(self._place._replace(part=part))
                missing = self._reading.missing(scope, self._start, self._observed_at)
                # What could not be read since the last full reading may be what is missed; what could not be read
                # then already is not, for everything was seen beside it.
                if missing and (part in self._spoilt or self._reading.refused_lately(scope)):
                    continue
                self._enumerated[part] = scope
                self._missing += [(part, seq) for seq in missing]
        portion, self._missing = self._missing[:_PORTION], self._missing[_PORTION:]
        if not portion:
            return None
        drafts = list(self._tombstones(portion))
        self._journal.write(drafts, self._id, self._place, now, tree)
        return sum(entry.topic is not None for entry in drafts)

    def finish(
        self, total: SyncResult, now: int, tree: Tree, *, complete: bool, cursor: Mapping[str, Any] | None = None
    ) -> SyncResult:
        """Put the end of the sync on record: what returned, the counts, and the tree's root.

        Parameters
        ----------
        total : SyncResult
            What was counted until now.
        complete : bool
            Whether the source was read to its end.
        cursor : mapping, optional
            What the source needs to read only changes next time.

        Returns
        -------
        SyncResult
            The counts that are on record.
        """
        drafts = self._returns()
        if drafts:
            self._journal.write(drafts, self._id, self._place, now, tree)
        result = total + SyncResult(stored=len(drafts), unchanged=-len(drafts))
        about = {
            **{item.name: getattr(result, item.name) for item in fields(result)},
            "complete": complete,
            "enumerated": self._enumerated if complete else {},
            "root": tree.head().root.hex(),
        }
        if complete and cursor is not None:
            about["cursor"] = self._keep(cursor)
        self._journal.write([document(Kind.END, about, self._observed_at)], self._id, self._place, now, tree)
        self._reading.forget()
        return result

    def _keep(self, cursor: Mapping[str, Any]) -> str:
        """Keep what the next sync needs in place of what this one needed; returns its digest."""
        text = json.dumps(dict(cursor), sort_keys=True)
        place = self._journal.scope(self._place)
        self._engine.change("DELETE FROM resume WHERE place = :place", {"place": place})
        self._engine.insert("resume", ("place", "json"), [(place, text)])
        return hashlib.sha256(text.encode()).hexdigest()

    # --- comparing ---

    def _known(
        self, items: Sequence[Prepared], scopes: Mapping[str, int]
    ) -> defaultdict[tuple[int, bytes], list[_Known]]:
        """What each source said before about the identities of a batch."""
        wanted: dict[int, dict[bytes, None]] = defaultdict(dict)
        for item in items:
            wanted[scopes[item.part]][item.identity] = None
        known: defaultdict[tuple[int, bytes], list[_Known]] = defaultdict(list)
        for scope, identities in wanted.items():
            if not self._reading.spoke(scope):
                continue
            rows = self._engine.lookup(
                "SELECT identity, observed_at, seq, kind, digest, coalesce(of, seq) FROM journal "
                "WHERE scope = :scope AND identity {keys}",
                list(identities),
                {"scope": scope},
            )
            for identity, *row in rows:
                when, seq, kind, digest, of = row
                known[scope, bytes(identity)].append(_Known(when, seq, kind, bytes(digest), of))
        return known

    def _gone_by(self, entry: Draft, known: list[_Known], scope: int) -> Draft | None:
        """A tombstone for what a late reading tells us was there, and a full reading of a later state did not show."""
        if entry.kind == Kind.REJECTED or entry.observed_at >= self._last_reading(scope):
            return None
        said = known[-1]  # the entry itself; what was known before it could have been confirmed
        for seq, when in self._engine.rows(
            "SELECT seq, observed_at FROM enumeration WHERE scope = :scope AND observed_at > :at ORDER BY observed_at, seq",
            {"scope": scope, "at": entry.observed_at},
        ):
            if any(entry.observed_at < other.observed_at <= when for other in known):
                return None
            if not any(other.seq < seq and other.observed_at <= when for other in known):
                known.append(_Known(when, said.seq + 1, Kind.GONE, entry.digest, said.of))
                return Draft(
                    *(Kind.GONE, entry.part, when, entry.digest, entry.position, said.of, entry.topic, entry.identity)
                )
        return None

    def _last_reading(self, scope: int) -> int:
        if scope not in self._readings:
            self._readings[scope] = (
                self._engine.one("SELECT max(observed_at) FROM enumeration WHERE scope = :scope", {"scope": scope}) or 0
            )
        return self._readings[scope]

    def _elsewhere(self, items: Sequence[Prepared], scopes: Mapping[str, int]) -> dict[tuple[bytes, bytes], int]:
        """Where other sources hold the very same record, for what is new to this one."""
        topics = list({item.topic for item in items if item.topic is not None and item.shared})
        if not topics or self._engine.one("SELECT count(*) FROM scope") <= len(set(scopes.values())):
            return {}
        rows = self._engine.lookup(
            "SELECT identity, digest, coalesce(of, seq) FROM journal WHERE kind <= :again AND topic {keys}",
            topics,
            {"again": int(Kind.AGAIN)},
        )
        return {(bytes(identity), bytes(digest)): of for identity, digest, of in rows}

    def _compare(self, item: Prepared, known: list[_Known], scope: int, seq: int) -> Draft | None:
        """The entry, of number ``seq``, that an observation is worth; None if it says nothing new."""
        explicit = item.observed_at is not None
        at = self._observed_at if item.observed_at is None else item.observed_at
        before = max((entry for entry in known if entry.observed_at <= at), default=None)
        same = before is not None and before.kind != Kind.GONE and before.digest == item.digest
        late = any(entry.observed_at > at for entry in known)
        if (explicit or late) and same and before is not None:
            if any(entry.observed_at == at for entry in known):
                return None
            # Still so at a time of its own: it matters for what is known to have been otherwise before or after.
            known.append(_Known(at, seq, Kind.AGAIN, item.digest, before.of))
            return Draft(Kind.AGAIN, item.part, at, item.digest, item.position, before.of, item.topic, item.identity)
        if explicit and any(entry.observed_at == at and entry.digest == item.digest for entry in known):
            return None
        key = (scope, item.identity)
        if not explicit:
            if same:
                self._returned.pop(key, None)
                return None
            if (
                before is not None
                and before.kind != Kind.GONE
                and any(entry.digest == item.digest and entry.kind != Kind.GONE for entry in known)
            ):
                # An older word, again. A file that is added to holds old words and then the new one, on each
                # reading; so the last word of a reading decides.
                self._returned[key] = (before, item)
                return None
            self._returned.pop(key, None)
            if before is not None and before.observed_at >= at:
                at = before.observed_at + 1  # later in one reading is the later word
        known.append(_Known(at, seq, item.kind, item.digest, seq))
        return draft(item, at)

    def _returns(self) -> list[Draft]:
        """Words that a source had said before, and has gone back to."""
        drafts = [
            draft(item, max(self._observed_at, before.observed_at + 1)) for before, item in self._returned.values()
        ]
        self._returned.clear()
        return drafts

    def _tombstones(self, portion: Sequence[tuple[str, int]]) -> Iterator[Draft]:
        part_of = {seq: part for part, seq in portion}
        rows = self._engine.lookup(
            "SELECT seq, topic, identity, digest, position, of FROM journal WHERE seq {keys}", sorted(part_of)
        )
        for seq, topic, identity, digest, position, of in sorted(set(rows)):
            yield Draft(
                *(Kind.GONE, part_of[seq], self._observed_at, bytes(digest), position, of or seq),
                *(None if topic is None else bytes(topic), bytes(identity)),
            )


def resume_at(engine: Engine, place: Scope) -> dict[str, Any] | None:
    """What the last complete sync of a place left for the next; None when it is not what was left."""
    where = "system = :system AND namespace = :namespace AND location = :location"
    texts = {"system": place.system, "namespace": place.namespace, "location": place.location}
    digest = engine.one(f"SELECT resume_at FROM sync WHERE {where} AND complete = 1 ORDER BY id DESC LIMIT 1", texts)
    text = engine.one(
        f"SELECT r.json FROM scope AS s CROSS JOIN resume AS r WHERE r.place = s.id AND s.part = '' AND {where}", texts
    )
    if not isinstance(text, str) or hashlib.sha256(text.encode()).hexdigest() != digest:
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def _actor() -> str:
    try:
        return storable(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return "unknown"  # a container whose user has no name
