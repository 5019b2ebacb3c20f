"""Writing: observations into the journal, and their topics into the projection, in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InvalidRecord
from ..records import Ref, canonical, from_json, identity_of, to_json
from ..redaction import redact_text
from ..sources.protocol import Observation, Rejected
from .projection import EdgeRow, FactRow, Seen, project, topic_of
from .schema import FOREVER, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_CHUNK = 500
#: How much of a raw text quarantine keeps, in characters.
_EXCERPT = 2_000


@dataclass(frozen=True)
class SyncResult:
    """What became of what was read; always ``read = stored + unchanged + quarantined``."""

    read: int = 0
    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def __add__(self, other: SyncResult) -> SyncResult:
        return SyncResult(
            self.read + other.read,
            self.stored + other.stored,
            self.unchanged + other.unchanged,
            self.quarantined + other.quarantined,
        )


class _Prepared(NamedTuple):
    plain: dict[str, Any]
    body: str
    digest: bytes
    identity: bytes
    topic: bytes
    topic_text: str
    observed_at: int
    position: str


def _key(text: str) -> bytes:
    # Half of a SHA-256: an index of fixed width. A short hash could be made to collide on purpose,
    # and so pass one record off as another.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def micros_of(when: datetime) -> int:
    """An aware instant in microseconds since 1970 UTC, exact."""
    return int(when.replace(microsecond=0).timestamp()) * 1_000_000 + when.microsecond


def prepare(item: Observation, now: int) -> _Prepared:
    """Redact, check and hash one observation.

    Raises
    ------
    InvalidRecord
        When the record breaks the format: it then belongs in quarantine.
    """
    plain = to_json(item.record)
    from_json(plain)
    body = canonical(plain)
    identity, topic = identity_of(plain), topic_of(plain)
    return _Prepared(
        plain,
        body.decode(),
        hashlib.sha256(body).digest(),
        _key(identity),
        _key(topic),
        topic,
        now if item.observed_at is None else micros_of(item.observed_at),
        redact_text(item.position),
    )


class Batch:
    """One transaction's worth of writing.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction that the caller commits.
    sync : int
        The sync that these observations belong to.
    now : int
        The instant of recording, microseconds; later than every instant recorded before.
    known : dict
        Node numbers by reference, kept between batches by the caller.
    """

    def __init__(self, connection: Connection, sync: int, now: int, known: dict[str, int]) -> None:
        self._connection = connection
        self._tables = metadata().tables
        self._sync = sync
        self._now = now
        self._known = known

    def write(self, items: Sequence[Observation | Rejected]) -> SyncResult:
        """Store what is new, count what is not, quarantine what cannot be read."""
        prepared: list[_Prepared] = []
        rejected: list[Rejected] = []
        for item in items:
            if isinstance(item, Rejected):
                rejected.append(item)
                continue
            try:
                prepared.append(prepare(item, self._now))
            except InvalidRecord as error:
                rejected.append(
                    Rejected(reason=str(error), position=item.position, excerpt=repr(item.record)[:_EXCERPT])
                )
        fresh = list(self._fresh(prepared))
        self._quarantine(rejected)
        if fresh:
            self._project(fresh, self._journal(fresh))
        return SyncResult(len(items), len(fresh), len(prepared) - len(fresh), len(rejected))

    def _insert(self, table: str, rows: list[dict[str, Any]], *, ignore: bool = False) -> None:
        if rows:
            statement = self._tables[table].insert()
            if ignore:
                statement = statement.prefix_with("OR IGNORE")
            self._connection.execute(statement, rows)

    def _quarantine(self, rejected: Iterable[Rejected]) -> None:
        self._insert(
            "quarantine",
            [
                {
                    "sync": self._sync,
                    "recorded_at": self._now,
                    "position": redact_text(item.position),
                    "reason": redact_text(item.reason),
                    "excerpt": redact_text(item.excerpt[:_EXCERPT]),
                }
                for item in rejected
            ],
        )

    def _fresh(self, prepared: Sequence[_Prepared]) -> Iterator[_Prepared]:
        """Observations that differ from the latest one of their identity."""
        from sqlalchemy import select

        journal = self._tables["journal"]
        latest: dict[bytes, tuple[int, bytes]] = {}
        topics = list({item.topic for item in prepared})
        wanted = {item.identity for item in prepared}
        for start in range(0, len(topics), _CHUNK):
            rows = self._connection.execute(
                select(journal.c.identity, journal.c.observed_at, journal.c.digest)
                .where(journal.c.topic.in_(topics[start : start + _CHUNK]))
                .order_by(journal.c.observed_at, journal.c.seq)
            )
            for identity, observed_at, digest in rows:
                if identity in wanted:
                    latest[identity] = (observed_at, digest)
        for item in prepared:
            before = latest.get(item.identity)
            # An older observation that arrives late is news unless it says the same.
            if before is not None and before[1] == item.digest:
                continue
            if before is None or item.observed_at >= before[0]:
                latest[item.identity] = (item.observed_at, item.digest)
            yield item

    def _journal(self, fresh: Sequence[_Prepared]) -> int:
        """Append; returns the number of the first row."""
        self._insert("body", [{"digest": item.digest, "json": item.body} for item in fresh], ignore=True)
        from sqlalchemy import func, select

        journal = self._tables["journal"]
        first = int(self._connection.execute(select(func.coalesce(func.max(journal.c.seq), 0))).scalar_one()) + 1
        self._insert(
            "journal",
            [
                {
                    "seq": first + offset,
                    "sync": self._sync,
                    "recorded_at": self._now,
                    "observed_at": item.observed_at,
                    "topic": item.topic,
                    "identity": item.identity,
                    "digest": item.digest,
                    "position": item.position,
                }
                for offset, item in enumerate(fresh)
            ],
        )
        return first

    def _project(self, fresh: Sequence[_Prepared], first: int) -> None:
        touched: dict[bytes, list[Seen]] = {}
        texts: dict[bytes, str] = {}
        for offset, item in enumerate(fresh):
            touched.setdefault(item.topic, []).append(Seen(first + offset, item.observed_at, item.plain))
            texts[item.topic] = item.topic_text
        earlier = self._earlier(list(touched), first)
        new: list[EdgeRow | FactRow] = []
        for topic, seen in touched.items():
            old = earlier.get(topic, [])
            rows = project(texts[topic], [*old, *seen])
            new.extend(self._changed(project(texts[topic], old), rows) if old else rows)
        self._store_rows(new)

    def _earlier(self, topics: list[bytes], first: int) -> dict[bytes, list[Seen]]:
        """What the journal held of these topics before this batch."""
        from sqlalchemy import select

        journal, body = self._tables["journal"], self._tables["body"]
        found: dict[bytes, list[Seen]] = {}
        for start in range(0, len(topics), _CHUNK):
            rows = self._connection.execute(
                select(journal.c.topic, journal.c.seq, journal.c.observed_at, body.c.json)
                .join(body, body.c.digest == journal.c.digest)
                .where(journal.c.topic.in_(topics[start : start + _CHUNK]), journal.c.seq < first)
            )
            for topic, seq, observed_at, text in rows:
                found.setdefault(topic, []).append(Seen(seq, observed_at, json.loads(text)))
        return found

    def _changed(
        self, before: Sequence[EdgeRow | FactRow], after: Sequence[EdgeRow | FactRow]
    ) -> list[EdgeRow | FactRow]:
        """Close the rows that are no longer so; return the ones that are new."""
        old, kept = set(before), set(after)
        for row in before:
            if row not in kept:
                self._close(row)
        return [row for row in after if row not in old]

    def _close(self, row: EdgeRow | FactRow) -> None:
        from sqlalchemy import and_

        table: Table
        if isinstance(row, EdgeRow):
            table = self._tables["edge"]
            where = and_(
                table.c.effect == self._number(row.effect),
                table.c.flow == row.flow,
                table.c.cause == self._number(row.cause),
            )
        else:
            table = self._tables["fact"]
            where = and_(table.c.node == self._number(row.node), table.c.type == row.type)
        self._connection.execute(
            table.update()
            .where(
                where,
                table.c.seq == row.seq,
                table.c.valid_from == row.valid_from,
                table.c.recorded_to == FOREVER,
            )
            .values(recorded_to=self._now)
        )

    def _store_rows(self, rows: Sequence[EdgeRow | FactRow]) -> None:
        self._number_all(
            {ref for row in rows for ref in ((row.effect, row.cause) if isinstance(row, EdgeRow) else (row.node,))}
        )
        recorded = {"recorded_from": self._now, "recorded_to": FOREVER}
        edges: list[dict[str, Any]] = []
        facts: list[dict[str, Any]] = []
        for row in rows:
            if isinstance(row, EdgeRow):
                edges.append(
                    {
                        **row._asdict(),
                        "effect": self._known[row.effect],
                        "cause": self._known[row.cause],
                        **recorded,
                    }
                )
            else:
                facts.append({**row._asdict(), "node": self._known[row.node], **recorded})
        self._insert("edge", edges)
        self._insert("fact", facts)

    def _number(self, ref: str) -> int:
        self._number_all({ref})
        return self._known[ref]

    def _number_all(self, refs: set[str]) -> None:
        """Give every reference its node number, new ones included."""
        from sqlalchemy import func, select, text

        node = self._tables["node"]
        missing = sorted(ref for ref in refs if ref not in self._known)
        for start in range(0, len(missing), _CHUNK):
            rows = self._connection.execute(
                select(node.c.ref, node.c.id).where(node.c.ref.in_(missing[start : start + _CHUNK]))
            )
            self._known.update((ref, number) for ref, number in rows)
        missing = [ref for ref in missing if ref not in self._known]
        if not missing:
            return
        number = int(self._connection.execute(select(func.coalesce(func.max(node.c.id), 0))).scalar_one())
        new: list[dict[str, Any]] = []
        for ref in missing:
            number += 1
            parsed = Ref.parse(ref)
            new.append(
                {
                    "id": number,
                    "ref": ref,
                    "kind": parsed.kind,
                    "name": parsed.name,
                    "namespace": parsed.namespace,
                    "bare": parsed.bare,
                }
            )
            self._known[ref] = number
        self._insert("node", new)
        self._connection.execute(
            text("INSERT INTO name_index(rowid, text) VALUES (:id, :words)"),
            [
                {"id": row["id"], "words": f"{row['kind']} {row['name']} {row['bare']} {row['namespace']}"}
                for row in new
            ],
        )
