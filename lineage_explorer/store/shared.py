"""A store for many questions about one pair of instants: what one question read, the next finds in memory.

Nothing is answered otherwise than :class:`~.reading.Readable` answers it. Each answer is kept by what it is about (a
node, a record, a reference), and only what is not known yet is asked of the database: so a few hundred endpoints are
read in a dozen statements, by asking for all of them first, and each is then reasoned about on its own.

It grows with what is read through it: whoever goes through an estate takes a new one now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from ..records import Ref
from ..references import micros_of
from . import walk
from .engines import Engine
from .reading import Readable

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class Shared(Readable):
    """A store at two instants, with a memory.

    Parameters
    ----------
    engine : Engine
        Not closed with this.
    now : datetime
        What "now" means to it.
    as_of, known_at : datetime
        The instants whose answers it keeps; about others it asks the database each time.
    """

    def __init__(self, engine: Engine, now: datetime, as_of: datetime, known_at: datetime) -> None:
        super().__init__(engine)
        self._now = now
        self._instants = (as_of, known_at)
        self._as_of, self._known_at = micros_of(as_of), micros_of(known_at)
        self._numbers: dict[str, int | None] = {}
        self._nodes: dict[tuple[datetime, datetime], dict[int, walk.Node]] = {}
        self._described: dict[int, walk.Described] = {}
        self._said: dict[bool, dict[int, list[walk.Said]]] = {True: {}, False: {}}
        self._same: dict[str, list[str]] = {}
        self._causes: dict[int, list[walk.Edge]] = {}
        self._beside: dict[tuple[str, bool], dict[int, list[walk.Edge]]] = {}
        self._intervals: dict[str, dict[int, list[walk.Edge]]] = {}
        self._judged_before: dict[str, list[tuple[str, int]]] = {}
        self._measured: dict[str, bool] = {}

    def forgetting(self) -> Shared:
        """Another of the same instants that has read nothing yet, but for what is asked of the whole store."""
        new = Shared(self._engine, self._now, *self._instants)
        new._measured = self._measured
        return new

    def close(self) -> None:
        """The database is somebody else's to close."""

    def now(self) -> datetime:
        """The instant that "now" was when this began."""
        return self._now

    def recorded_by(self, instant: datetime) -> datetime:
        """The last recording at or before an instant; what it knew already needs no look."""
        return instant if instant == self._instants[1] else super().recorded_by(instant)

    def mentioned(self, kind: str) -> list[str]:
        """Every reference of a kind that a record mentioned by then, in order.

        What is recorded later is no part of it, so that a question about the past keeps its answer.
        """
        rows = self._engine.rows(
            """
            SELECT n.ref FROM node AS n WHERE n.kind = :kind AND (
              EXISTS (SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.recorded_from <= :known_at)
              OR EXISTS (SELECT 1 FROM edge AS e WHERE e.effect = n.id AND e.recorded_from <= :known_at)
              OR EXISTS (SELECT 1 FROM edge AS e INDEXED BY edge_by_cause WHERE e.cause = n.id AND e.recorded_from <= :known_at))""",
            {"kind": kind, "known_at": self._known_at},
        )
        return sorted(row[0] for row in rows)

    def number(self, ref: str) -> int | None:
        """The node number of a reference."""
        return self.numbers([ref]).get(ref)

    def numbers(self, refs: Iterable[str]) -> dict[str, int]:
        """The node numbers of those references that the store has heard of."""
        wanted = list(refs)
        if new := _unknown(wanted, self._numbers):
            found = walk.numbers(self._engine, new)
            self._numbers.update((ref, found.get(ref)) for ref in new)
        return {ref: number for ref in wanted if (number := self._numbers[ref]) is not None}

    def nodes(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> dict[int, walk.Node]:
        """Node numbers as references."""
        # Histories ask how things are described at the end of what is known: a second pair of instants.
        known = self._nodes.setdefault((as_of, known_at), {})
        wanted = list(ids)
        if new := _unknown(wanted, known):
            known.update(super().nodes(new, as_of, known_at))
        return {number: known[number] for number in wanted}

    def describe(self, seqs: Iterable[int]) -> dict[int, walk.Described]:
        """The journal's records by number."""
        wanted = list(seqs)
        if new := _unknown(wanted, self._described):
            self._described.update(walk.describe(self._engine, new))
        return {seq: self._described[seq] for seq in wanted}

    def evidence(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[walk.Said]:
        """The evidence about nodes, in the order in which it was recorded."""
        if self._other(as_of, known_at):
            return super().evidence(ids, as_of, known_at)
        return self._about(ids, evidence=True)

    def descriptions(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[walk.Said]:
        """The records that describe nodes, in the order in which they were recorded."""
        if self._other(as_of, known_at):
            return super().descriptions(ids, as_of, known_at)
        return self._about(ids, evidence=False)

    def _about(self, ids: Iterable[int], *, evidence: bool) -> list[walk.Said]:
        def ask(new: list[int]) -> list[walk.Said]:
            return walk.said(self._engine, new, self._as_of, self._known_at, evidence=evidence)

        found = _grouped(ids, self._said[evidence], ask, lambda item: item.node)
        return sorted(found, key=lambda item: item.seq)

    def evidence_before(self, names: Iterable[str], as_of: datetime, known_at: datetime) -> list[tuple[str, int]]:
        """All evidence about things of some names, in the order in which it was recorded."""
        if self._other(as_of, known_at):
            return super().evidence_before(names, as_of, known_at)
        wanted = list(dict.fromkeys(names))
        if new := _unknown(wanted, self._judged_before):
            found: dict[str, list[tuple[str, int]]] = {name: [] for name in new}
            for ref, seq in walk.said_before(self._engine, new, self._as_of, self._known_at):
                found[Ref.parse(ref).name].append((ref, seq))
            self._judged_before.update(found)
        return sorted((one for name in wanted for one in self._judged_before[name]), key=lambda one: one[1])

    def measured(self, metric: str) -> bool:
        """Whether any evidence in the store measured a metric."""
        if metric not in self._measured:
            self._measured[metric] = super().measured(metric)
        return self._measured[metric]

    def namesakes(self, bares: Iterable[str], known_at: datetime) -> dict[str, list[str]]:
        """Recorded things of any namespace by their text without it."""
        if known_at != self._instants[1]:
            return super().namesakes(bares, known_at)
        wanted = list(bares)
        if new := _unknown(wanted, self._same):
            self._same.update(walk.namesakes(self._engine, new, self._known_at))
        return {bare: list(self._same[bare]) for bare in wanted}

    def beside(
        self, ids: Iterable[int], predicate: str, as_of: datetime, known_at: datetime, *, effects: bool
    ) -> list[walk.Edge]:
        """Relations of one predicate that touch nodes."""
        if self._other(as_of, known_at):
            return super().beside(ids, predicate, as_of, known_at, effects=effects)

        def ask(new: list[int]) -> list[walk.Edge]:
            return walk.beside(self._engine, new, predicate, self._as_of, self._known_at, effects=effects)

        known = self._beside.setdefault((predicate, effects), {})
        return _grouped(ids, known, ask, (lambda edge: edge.effect) if effects else (lambda edge: edge.cause))

    def intervals(self, ids: Iterable[int], predicate: str, known_at: datetime) -> list[walk.Edge]:
        """Relations of one predicate that have nodes as effects, at whatever instants they held."""
        if known_at != self._instants[1]:
            return super().intervals(ids, predicate, known_at)

        def ask(new: list[int]) -> list[walk.Edge]:
            return walk.intervals(self._engine, new, predicate, self._known_at)

        return _grouped(ids, self._intervals.setdefault(predicate, {}), ask, lambda edge: edge.effect)

    def reachable(
        self,
        ref: str | Ref | Iterable[int],
        direction: walk.Direction = "upstream",
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> walk.Reached:
        """Everything that data can have flowed from, over the relations that earlier walks went."""
        unknown = isinstance(ref, (str, Ref)) and self.number(str(ref)) is None
        if direction != "upstream" or unknown or self._other(as_of or self._now, known_at or self._now):
            return super().reachable(ref, direction, as_of, known_at)
        roots = [self._numbers[str(ref)] or 0] if isinstance(ref, (str, Ref)) else list(ref)
        edges: list[walk.Edge] = []
        seen = dict.fromkeys(roots)
        front = list(seen)
        while front:
            if new := [number for number in front if number not in self._causes]:
                self._walk(new)
            further: dict[int, None] = {}
            for number in front:
                for edge in self._causes[number]:
                    edges.append(edge)
                    if edge.cause not in seen:
                        further[edge.cause] = None
            seen.update(further)
            front = list(further)
        return walk.Reached(tuple(roots), self.nodes(seen, *self._instants), edges)

    def _walk(self, roots: list[int]) -> None:
        reached = walk.reach(self._engine, roots, "upstream", self._as_of, self._known_at)
        self._nodes.setdefault(self._instants, {}).update(reached.nodes)
        # Whatever was reached has all its causes in the answer, be they none.
        new: dict[int, list[walk.Edge]] = {number: [] for number in reached.nodes if number not in self._causes}
        for edge in reached.edges:
            if edge.effect in new:
                new[edge.effect].append(edge)
        self._causes.update(new)

    def _other(self, as_of: datetime, known_at: datetime) -> bool:
        return (as_of, known_at) != self._instants


def _unknown(wanted: Iterable[_Key], known: dict[_Key, _Answer]) -> list[_Key]:
    return [key for key in dict.fromkeys(wanted) if key not in known]


def _grouped(
    ids: Iterable[int],
    known: dict[int, list[_Answer]],
    ask: Callable[[list[int]], list[_Answer]],
    about: Callable[[_Answer], int],
) -> list[_Answer]:
    """The answers about some nodes, each of which is asked for once."""
    wanted = list(dict.fromkeys(ids))
    if new := _unknown(wanted, known):
        # Kept only when all of it was read: what could not be read must not be taken for what is not there.
        found: dict[int, list[_Answer]] = {number: [] for number in new}
        for answer in ask(new):
            found[about(answer)].append(answer)
        known.update(found)
    return [answer for number in wanted for answer in known[number]]
