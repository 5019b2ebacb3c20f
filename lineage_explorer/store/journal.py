"""The journal: an append-only log of observations, each entry a leaf of one Merkle tree."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InvalidRecord
from ..records import canonical, canonical_record, identity_of
from ..redaction import redact_text
from ..references import micros_of
from ..sources.protocol import Observation, Rejected
from .log import Entry, Kind, Tree, leaf_text
from .projection import topic_of
from .projector import Projector, Written
from .schema import columns
from .walk import damaged

if TYPE_CHECKING:
    from .engines import Engine

#: How much of a raw text quarantine keeps, in characters.
_EXCERPT = 2_000
_JOURNAL = columns("journal")


def key_of(text: str) -> bytes:
    """What the journal finds an identity or a topic by.

    Half of a SHA-256: an index of fixed width. A short hash could be made to collide on purpose, and so pass
    one record off as another.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def storable(text: str) -> str:
    """A text without what a database cannot hold: NUL, and halves of surrogate pairs."""
    if text.isprintable():
        return text
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


class Draft(NamedTuple):
    """An entry that is about to be written."""

    kind: Kind
    part: str
    observed_at: int
    digest: bytes
    position: str = ""
    of: int | None = None
    topic: bytes | None = None
    identity: bytes | None = None
    json: str | None = None
    body: Mapping[str, Any] | None = None


class Prepared(NamedTuple):
    """Something that was read, checked and hashed, before it is compared with what is known."""

    kind: Kind
    part: str
    observed_at: int | None
    digest: bytes
    position: str
    topic: bytes | None
    identity: bytes
    json: str
    body: Mapping[str, Any]
    #: Whether it is looked for in other sources' words: not where thousands of records share one topic.
    shared: bool = False


def prepare(item: Observation | Rejected) -> Prepared:
    """Redact, check and hash; what breaks the format becomes a rejection that says why."""
    if isinstance(item, Rejected):
        return _rejected(item)
    try:
        plain, body = canonical_record(item.record)
        identity = identity_of(plain)
        topic = topic_of(plain, identity)
    except InvalidRecord as error:
        return _rejected(Rejected(reason=str(error), position=item.position, excerpt=repr(item.record), part=item.part))
    key = key_of(identity)
    return Prepared(
        Kind.SEEN,
        item.part,
        None if item.observed_at is None else micros_of(item.observed_at),
        hashlib.sha256(body).digest(),
        storable(redact_text(item.position)),
        key if topic == identity else key_of(topic),
        key,
        body.decode(),
        plain,
        not topic.startswith("states"),
    )


def rejected_key(position: str, body: Mapping[str, Any]) -> bytes:
    """The identity of something that could not be read: it is what it is, where it is."""
    return key_of("\x1f".join(("rejected", position, body["reason"], body["excerpt"])))


def _rejected(item: Rejected) -> Prepared:
    position = storable(redact_text(item.position))
    body = {
        "reason": storable(redact_text(item.reason)),
        "excerpt": storable(redact_text(item.excerpt[:_EXCERPT])),
    }
    text = canonical(body)
    identity = rejected_key(position, body)
    digest = hashlib.sha256(text).digest()
    return Prepared(Kind.REJECTED, item.part, None, digest, position, None, identity, text.decode(), body)


def document(kind: Kind, body: Mapping[str, Any], observed_at: int) -> Draft:
    """An entry about a sync itself."""
    text = canonical(body)
    return Draft(kind, "", observed_at, hashlib.sha256(text).digest(), json=text.decode(), body=body)


def draft(item: Prepared, at: int) -> Draft:
    """An entry for something that was read, as observed at an instant."""
    return Draft(
        item.kind,
        item.part,
        at,
        item.digest,
        item.position,
        None,
        item.topic,
        item.identity,
        item.json,
        item.body,
    )


class Scope(NamedTuple):
    """Whose word is compared with whose earlier word: one part of one place of one system."""

    system: str
    namespace: str
    location: str
    part: str


class Journal:
    """Appends to one store's log; every call stands in a transaction that the caller opened.

    Parameters
    ----------
    engine : Engine
        Where the log is.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._scopes: dict[Scope, int] = {}
        self._written: list[Written] = []
        self.projector = Projector(engine)

    def forget(self) -> None:
        """Forget what a transaction that was undone had given numbers to."""
        self._scopes.clear()
        self._written.clear()
        self.projector.forget()

    def scope(self, scope: Scope) -> int:
        """The number of a scope, a new one if it never spoke before."""
        if scope not in self._scopes:
            self._scopes.update({Scope(*row[1:]): row[0] for row in self._engine.rows("SELECT * FROM scope")})
        if scope not in self._scopes:
            self._scopes[scope] = number = 1 + max(self._scopes.values(), default=0)
            self._engine.insert("scope", columns("scope"), [(number, *scope)])
        return self._scopes[scope]

    def tree(self) -> Tree:
        """The Merkle tree as it stands, ready to grow."""
        rows = self._engine.rows("SELECT size, peaks FROM frontier")
        size, peaks = rows[0] if len(rows) == 1 else (None, None)
        if not isinstance(size, int) or not isinstance(peaks, (bytes, memoryview)):
            raise damaged(self._engine, "the tree cannot grow from what is on record of it")
        return Tree(size, bytes(peaks))

    def write(self, drafts: Sequence[Draft], sync: int, place: Scope, now: int, tree: Tree) -> None:
        """Append entries and grow the tree.

        Parameters
        ----------
        drafts : sequence of Draft
            In order.
        sync : int
            The sync that they belong to.
        place : Scope
            Of that sync; each entry's part completes it.
        now : int
            The instant of recording, microseconds; later than every instant recorded before.
        tree : Tree
            As :meth:`tree` gave it in this transaction.
        """
        rows: list[tuple[Any, ...]] = []
        bodies: list[tuple[int, str]] = []
        scopes = {part: self.scope(place._replace(part=part)) for part in {draft.part for draft in drafts}}
        seq = tree.size
        for kind, part, observed_at, digest, position, of, topic, identity, text, body in drafts:
            seq += 1
            scope = scopes[part]
            tree.add(leaf_text(Entry(seq, kind, sync, part, now, observed_at, of, digest, position)))
            number = int(kind)
            rows.append((seq, number, sync, scope, now, observed_at, of, topic, identity, digest, position))
            if text is not None:
                bodies.append((seq, text))
            self._written.append(
                Written(seq, number, sync, scope, observed_at, of, topic, identity, digest, position, body)
            )
        self._engine.insert("journal", _JOURNAL, rows)
        self._engine.insert("body", ("seq", "json"), bodies)

    def seal(self, tree: Tree, now: int) -> None:
        """Bring the projection up to date and keep the tree's head: the last thing in every transaction that wrote.

        The entries of a transaction are projected together, as a replay does it.
        """
        self.projector.apply(self._written, now)
        self._written.clear()
        head = tree.head()
        self._engine.insert("head", columns("head"), [(head.size, head.root, now)])
        self._engine.change(
            "UPDATE frontier SET size = :size, peaks = :peaks", {"size": head.size, "peaks": tree.peaks}
        )
