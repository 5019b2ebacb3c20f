"""From observations to the rows that answer questions: intervals, and the states of data without versions.

A *topic* is a set of observations that are projected together: all observations of one record, of one
slot of an endpoint, or all reads and writes of one dataset that has no versions. Projecting a topic is a
pure function of its observations, so that the order in which they arrived cannot matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..records import FLOW, HOLDING, Ref, identity_of, weaker
from .schema import ALWAYS, FOREVER

#: Kinds that change in place when they carry no version.
MUTABLE_KINDS = ("dataset", "feature_set", "index")
#: Marks the version of an implied state; what follows is the instant the write was complete.
STATE = "written:"


class Seen(NamedTuple):
    """One observation as the journal holds it."""

    seq: int
    observed_at: int
    plain: Mapping[str, Any]


class EdgeRow(NamedTuple):
    """One row of the ``edge`` table, without its recorded interval."""

    effect: str
    flow: int
    cause: str
    seq: int
    valid_from: int
    valid_to: int
    predicate: str
    role: str
    basis: str
    traffic: float | None
    event_time: int | None


class FactRow(NamedTuple):
    """One row of the ``fact`` table, without its recorded interval."""

    node: str
    type: str
    seq: int
    valid_from: int
    valid_to: int


def micros(text: str) -> int:
    """An RFC 3339 UTC text, as records carry it, in microseconds since 1970.

    Examples
    --------
    >>> micros("1970-01-01T00:00:01.5Z")
    1500000
    """
    value = datetime.fromisoformat(text)
    whole = int(value.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + value.microsecond


def _unversioned_data(ref: str) -> bool:
    return "@" not in ref and "~" not in ref and ref.partition(":")[0] in MUTABLE_KINDS


def topic_of(plain: Mapping[str, Any]) -> str:
    """The topic that an observation belongs to."""
    if plain["type"] == "relation":
        predicate = plain["predicate"]
        if predicate == "used" and _unversioned_data(plain["cause"]):
            return f"states\x1f{plain['cause']}"
        if predicate in ("was_generated_by", "was_derived_from") and _unversioned_data(plain["effect"]):
            return f"states\x1f{plain['effect']}"
        if predicate in HOLDING and plain.get("slot"):
            return "\x1f".join(("slot", plain["effect"], predicate, plain["slot"]))
    return identity_of(plain)


def project(topic: str, seen: Sequence[Seen]) -> list[EdgeRow | FactRow]:
    """The rows that a topic's observations amount to.

    Parameters
    ----------
    topic : str
        As :func:`topic_of` gives it.
    seen : sequence of Seen
        Every observation of the topic, in any order.

    Returns
    -------
    list of EdgeRow or FactRow
        Rows that are true as far as is known now.
    """
    if topic.startswith("states\x1f"):
        return list(_states(topic.partition("\x1f")[2], seen))
    if topic.startswith("slot\x1f"):
        return list(_slot(seen))
    return list(_single(seen))


def _in_order(seen: Iterable[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda item: (item.observed_at, item.seq))


def _edge(plain: Mapping[str, Any], seq: int, valid_from: int, valid_to: int) -> EdgeRow:
    event = plain.get("event_time")
    traffic = plain.get("traffic")
    return EdgeRow(
        plain["effect"],
        int(plain["predicate"] in FLOW),
        plain["cause"],
        seq,
        valid_from,
        valid_to,
        plain["predicate"],
        plain.get("role", ""),
        plain["basis"],
        None if traffic is None else float(traffic),
        None if event is None else micros(event),
    )


def _bounds(plain: Mapping[str, Any], observed_at: int) -> tuple[int, int]:
    """When one observation of a relation says it was so."""
    if plain["predicate"] in HOLDING:
        start = micros(plain["valid_from"]) if "valid_from" in plain else observed_at
        return start, micros(plain["valid_to"]) if "valid_to" in plain else FOREVER
    # It happened: true ever after. Without a date it may have happened at any time, and hiding it
    # could hide an origin.
    return (micros(plain["event_time"]) if "event_time" in plain else ALWAYS), FOREVER


def _single(seen: Iterable[Seen]) -> Iterator[EdgeRow | FactRow]:
    ordered = _in_order(seen)
    for index, item in enumerate(ordered):
        plain = item.plain
        after = ordered[index + 1].observed_at if index + 1 < len(ordered) else FOREVER
        if plain["type"] == "relation":
            start, end = _bounds(plain, item.observed_at)
            if plain["predicate"] in HOLDING:
                end = min(end, after)
            elif after != FOREVER:
                continue  # what happened is told by its latest observation
            if start < end:
                yield _edge(plain, item.seq, start, end)
        elif plain["type"] == "evidence":
            start = micros(plain["event_time"]) if "event_time" in plain else item.observed_at
            start = start if index == 0 else max(start, item.observed_at)
            if start < after:
                yield FactRow(plain["subject"], "evidence", item.seq, start, after)
        else:
            # The first thing seen of an entity stands for the time before it too; the graph marks
            # it as seen later, so that a view can say so.
            start = ALWAYS if index == 0 else item.observed_at
            if start < after:
                yield FactRow(plain["ref"], plain["type"], item.seq, start, after)


def _slot(seen: Iterable[Seen]) -> Iterator[EdgeRow]:
    """One place that holds one thing at a time: each claim ends where the next begins."""
    claims: dict[int, Seen] = {}
    for item in _in_order(seen):
        claims[_bounds(item.plain, item.observed_at)[0]] = item  # a later word on one instant replaces it
    starts = sorted(claims)
    for start, following in zip(starts, [*starts[1:], FOREVER], strict=True):
        item = claims[start]
        end = min(_bounds(item.plain, item.observed_at)[1], following)
        if start < end:
            yield _edge(item.plain, item.seq, start, end)


class _Write(NamedTuple):
    seq: int
    begun: int | None
    done: int | None
    plain: Mapping[str, Any]
    state: str


def _states(data: str, seen: Iterable[Seen]) -> Iterator[EdgeRow]:
    """Bind each read of a dataset without versions to the write it can have seen."""
    latest: dict[str, Seen] = {}
    for item in _in_order(seen):
        latest[identity_of(item.plain)] = item
    writes: list[_Write] = []
    reads: list[Seen] = []
    derivations: list[Seen] = []
    for item in latest.values():
        plain = item.plain
        if plain["predicate"] == "used":
            reads.append(item)
            continue
        if plain["predicate"] == "was_derived_from":
            derivations.append(item)
            continue
        done = micros(plain["event_time"]) if "event_time" in plain else None
        begun = micros(plain["event_start"]) if "event_start" in plain else None
        when = plain.get("event_time", "unknown+" + Ref.parse(plain["cause"]).name)
        writes.append(_Write(item.seq, begun, done, plain, str(Ref.parse(data).at(STATE + when))))
    dated = sorted((write for write in writes if write.done is not None), key=lambda write: (write.done, write.seq))
    undated = [write for write in writes if write.done is None]
    yield from _generation(dated, undated)
    for item in derivations:
        # "This table is made from that one", said of the table: it holds for each of its states.
        for effect in (data, *sorted({write.state for write in writes})):
            yield _edge({**item.plain, "effect": effect}, item.seq, *_bounds(item.plain, item.observed_at))
    for read in reads:
        yield from _binding(read, dated, undated)


def _generation(dated: Sequence[_Write], undated: Sequence[_Write]) -> Iterator[EdgeRow]:
    for write in (*dated, *undated):
        yield _edge(
            {**write.plain, "effect": write.state},
            write.seq,
            ALWAYS if write.done is None else write.done,
            FOREVER,
        )
    for index, write in enumerate(dated):
        if write.plain.get("overwrites") and write.plain.get("complete", True):
            continue
        earlier = [other for other in dated[:index] if other.state != write.state]
        if earlier:
            kept = {
                "effect": write.state,
                "predicate": "was_derived_from",
                "cause": earlier[-1].state,
                "basis": "time_order",
            }
            yield _edge(kept, write.seq, write.done or ALWAYS, FOREVER)


def _binding(read: Seen, dated: Sequence[_Write], undated: Sequence[_Write]) -> Iterator[EdgeRow]:
    plain = read.plain
    start = _bounds(plain, read.observed_at)[0]
    unwritten = False
    if "event_time" not in plain:
        # Nobody wrote down when it was read: it can have seen any state.
        candidates = {write.state: "name" for write in (*dated, *undated)}
    else:
        candidates = {write.state: "name" for write in undated}
        before = [write for write in dated if write.done is not None and write.done <= start]
        for write in reversed(before):
            candidates[write.state] = "time_order"
            if write.plain.get("complete", True):
                break  # a failed writer may have written or not: the one before it stays possible
        else:
            unwritten = True
        for write in dated:
            if write.begun is not None and write.done is not None and write.begun <= start < write.done:
                candidates[write.state] = "time_order"
    if unwritten or not candidates:
        yield _edge(plain, read.seq, start, FOREVER)  # what was there before any write on record
    for state, basis in sorted(candidates.items()):
        yield _edge({**plain, "cause": state, "basis": weaker(plain["basis"], basis)}, read.seq, start, FOREVER)
