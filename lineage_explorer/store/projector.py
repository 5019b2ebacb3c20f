"""Writing the projection: from entries of the journal to the rows that answer questions.

The same code runs when entries are written and when they are replayed, on the same groups of entries (those of
one transaction, which share an instant of recording). So a rebuilt projection equals the grown one, row by row.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..references import Ref
from .claims import Seen, is_gone
from .log import Kind
from .names import in_column, indexed
from .projection import EdgeRow, FactRow, project, topic_of
from .schema import FOREVER, columns
from .walk import checked, damaged

if TYPE_CHECKING:
    from .engines import Engine

#: Node numbers kept in memory between batches; bounded so that an ingest's memory is.
_NUMBERS = 200_000
_EDGE, _FACT = columns("edge"), columns("fact")


class Written(NamedTuple):
    """An entry of the journal with what it is about, as the projection needs it.

    Attributes
    ----------
    body : mapping or None
        The JSON of what was journalled; None for ``AGAIN`` and ``GONE``.
    """

    seq: int
    kind: int
    sync: int
    scope: int
    observed_at: int
    of: int | None
    topic: bytes | None
    identity: bytes | None
    digest: bytes
    position: str
    body: Mapping[str, Any] | None


class Projector:
    """Keeps the projection of one store up with its journal.

    Parameters
    ----------
    engine : Engine
        In a transaction whenever :meth:`apply` is called.
    journal : Engine, optional
        Where the journal is, when it is not beside the projection.
    """

    def __init__(self, engine: Engine, journal: Engine | None = None) -> None:
        self._engine = engine
        self._journal = journal or engine
        self._numbers: dict[str, int] = {}
        self._readings: dict[int, list[tuple[int, int]]] = {}

    def forget(self) -> None:
        """Forget what was remembered: the transaction was undone, or others have written."""
        self._numbers.clear()
        self._readings.clear()

    def apply(self, entries: Sequence[Written], now: int) -> None:
        """Write what the entries of one transaction amount to.

        Parameters
        ----------
        entries : sequence of Written
            In order.
        now : int
            Their instant of recording, microseconds since 1970 UTC.
        """
        if len(self._numbers) > _NUMBERS:
            self._numbers.clear()
        touched: dict[bytes, list[Written]] = defaultdict(list)
        for entry in entries:
            if entry.kind == Kind.BEGIN:
                self._begin(entry, now)
            elif entry.kind == Kind.REJECTED:
                self._reject(entry, now)
            elif entry.topic is not None:
                touched[entry.topic].append(entry)
            elif entry.kind == Kind.GONE:
                self._engine.change(
                    "UPDATE quarantine SET ended_at = :now WHERE seq = :seq", {"now": now, "seq": entry.of}
                )
        if touched:
            self._topics(touched, now)
        for entry in entries:
            if entry.kind == Kind.END:
                self._end(entry, now)

    # --- syncs ---

    def _begin(self, entry: Written, now: int) -> None:
        about = entry.body or {}
        row = (
            *(entry.sync, now, entry.observed_at),
            *(about[name] for name in ("system", "location", "namespace", "actor", "tool_version", "redaction_rules")),
            *(None,) * 6,
            0,
            None,
            None,
        )
        self._engine.insert("sync", columns("sync"), [row])

    def _end(self, entry: Written, now: int) -> None:
        about = entry.body or {}
        counts = ("read", "stored", "unchanged", "quarantined", "vanished")
        self._engine.change(
            "UPDATE sync SET finished_at = :now, read = :read, stored = :stored, unchanged = :unchanged, "
            "quarantined = :quarantined, vanished = :vanished, complete = :complete, enumerated = :enumerated, "
            "resume_at = :resume_at WHERE id = :sync",
            {
                "now": now,
                "sync": entry.sync,
                "complete": int(about["complete"]),
                "enumerated": json.dumps(sorted(about["enumerated"])),
                "resume_at": about.get("cursor"),
                **{name: about[name] for name in counts},
            },
        )
        rows = [(scope, entry.seq, entry.observed_at) for scope in sorted(about["enumerated"].values())]
        self._engine.insert("enumeration", columns("enumeration"), rows)

    def _reject(self, entry: Written, now: int) -> None:
        about = entry.body or {}
        row = (entry.seq, entry.sync, now, entry.position, about["reason"], about["excerpt"], None)
        self._engine.insert("quarantine", columns("quarantine"), [row])

    # --- topics ---

    def _topics(self, touched: Mapping[bytes, Sequence[Written]], now: int) -> None:
        first = min(entry.seq for entries in touched.values() for entry in entries)
        earlier = self._earlier(list(touched), first)
        self._load_readings(
            {entry.scope for entries in touched.values() for entry in entries}
            | {item.scope for items in earlier.values() for item in items}
        )
        new: list[EdgeRow | FactRow] = []
        old: list[EdgeRow | FactRow] = []
        for topic, entries in touched.items():
            before = earlier.get(topic, [])
            bodies = {item.of: item.plain for item in before}
            seen = list(before)
            for entry in entries:
                of = entry.seq if entry.of is None else entry.of
                plain = bodies.setdefault(of, entry.body or {})
                seen.append(
                    Seen(
                        entry.seq,
                        of,
                        entry.scope,
                        entry.identity or b"",
                        entry.observed_at,
                        is_gone(entry.kind),
                        entry.digest,
                        plain,
                    )
                )
            # A topic of its own is its record's identity; its text says nothing that a projection asks.
            text = "" if topic == seen[0].identity else topic_of(seen[0].plain)
            rows = project(text, seen, self._readings)
            if before:
                had = project(text, before, self._readings)
                kept = set(rows)
                old.extend(row for row in had if row not in kept)
                had_already = set(had)
                rows = [row for row in rows if row not in had_already]
            new.extend(rows)
        self._close(old, now)
        self._store(new, now)

    def _earlier(self, topics: Sequence[bytes], first: int) -> dict[bytes, list[Seen]]:
        """What the journal held of these topics before this group of entries."""
        found: dict[bytes, list[Seen]] = defaultdict(list)
        rows = self._journal.lookup(
            "SELECT j.topic, j.seq, j.kind, j.scope, j.identity, j.observed_at, j.of, j.digest, b.json "
            "FROM journal AS j LEFT JOIN body AS b ON b.seq = j.seq WHERE j.seq < :first AND j.topic {keys}",
            topics,
            {"first": first},
        )
        bodies: dict[int, Mapping[str, Any]] = {}
        again: list[tuple[bytes, Seen]] = []
        for key, seq, kind, scope, identity, observed_at, of, digest, text in rows:
            topic = bytes(key)
            item = Seen(seq, of or seq, scope, bytes(identity), observed_at, is_gone(kind), bytes(digest), {})
            if of is not None:
                again.append((topic, item))
            else:
                bodies[seq] = plain = json.loads(checked(self._journal, seq, text, digest))
                found[topic].append(item._replace(plain=plain))
        for topic, item in again:
            if item.of not in bodies:
                raise damaged(self._journal, f"record {item.of} is missing")
            found[topic].append(item._replace(plain=bodies[item.of]))
        for items in found.values():
            items.sort()  # by number: a database gives them in any order
        return found

    def _load_readings(self, scopes: Iterable[int]) -> None:
        """Keep up with the full readings of scopes."""
        for scope in scopes:
            known = self._readings.setdefault(scope, [])
            known.extend(
                (seq, observed_at)
                for seq, observed_at in self._engine.rows(
                    "SELECT seq, observed_at FROM enumeration WHERE scope = :scope AND seq > :after ORDER BY seq",
                    {"scope": scope, "after": known[-1][0] if known else 0},
                )
            )

    # --- rows ---

    def _close(self, rows: Sequence[EdgeRow | FactRow], now: int) -> None:
        """End, in the store's knowledge, rows that are no longer true."""
        self._number(rows)
        edges: list[dict[str, Any]] = []
        facts: list[dict[str, Any]] = []
        for row in rows:
            known = {"seq": row.seq, "valid_from": row.valid_from, "now": now, "open": FOREVER}
            if isinstance(row, EdgeRow):
                effect, cause = self._numbers[row.effect], self._numbers[row.cause]
                edges.append({"effect": effect, "flow": row.flow, "cause": cause, **known})
            else:
                facts.append({"node": self._numbers[row.node], "type": row.type, **known})
        same = "seq = :seq AND valid_from = :valid_from AND recorded_to = :open"
        self._engine.change_each(
            f"UPDATE edge SET recorded_to = :now WHERE effect = :effect AND flow = :flow AND cause = :cause AND {same}",
            edges,
        )
        self._engine.change_each(
            f"UPDATE fact SET recorded_to = :now WHERE node = :node AND type = :type AND {same}",
            facts,
        )

    def _store(self, rows: Sequence[EdgeRow | FactRow], now: int) -> None:
        self._number(rows)
        numbers = self._numbers
        edges: list[tuple[Any, ...]] = []
        facts: list[tuple[Any, ...]] = []
        for row in rows:
            if isinstance(row, EdgeRow):
                effect, flow, cause, seq, valid_from, valid_to, *rest = row
                edges.append((numbers[effect], flow, numbers[cause], seq, valid_from, now, valid_to, FOREVER, *rest))
            else:
                facts.append(
                    (
                        numbers[row.node],
                        row.type,
                        row.seq,
                        row.valid_from,
                        now,
                        row.valid_to,
                        FOREVER,
                        row.sure_to,
                        row.gone,
                    )
                )
        self._engine.insert("edge", _EDGE, edges)
        self._engine.insert("fact", _FACT, facts)

    def _number(self, rows: Iterable[EdgeRow | FactRow]) -> None:
        """Give every reference its node number, new ones included."""
        numbers = self._numbers
        # In the order of their first mention, so that a replay numbers them alike.
        wanted: dict[str, None] = {}
        for row in rows:
            for ref in (row.effect, row.cause) if isinstance(row, EdgeRow) else (row.node,):
                if ref not in numbers:
                    wanted[ref] = None
        if not wanted:
            return
        numbers.update(
            self._engine.rows(
                "SELECT n.ref, n.id FROM each_text(:refs) AS j CROSS JOIN node AS n WHERE n.ref = j.value",
                {"refs": list(wanted)},
            )
        )
        missing = [ref for ref in wanted if ref not in numbers]
        if not missing:
            return
        number = int(self._engine.one("SELECT coalesce(max(id), 0) FROM node"))
        nodes: list[tuple[Any, ...]] = []
        names: list[tuple[Any, ...]] = []
        for ref in missing:
            number += 1
            parsed = Ref.parse(ref)
            nodes.append((number, ref, parsed.kind, in_column(parsed.name), in_column(parsed.namespace), parsed.bare))
            names.append((number, indexed(self._engine.dialect, parsed)))
            numbers[ref] = number
        self._engine.insert("node", columns("node"), nodes)
        self._engine.insert("name_index", ("rowid", "words"), names)
