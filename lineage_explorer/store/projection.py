"""From observations to the rows that answer questions: intervals, and the states of data without versions.

A *topic* is a set of observations that are projected together: all observations of one record, of one
slot of an endpoint, or all reads and writes of one dataset that has no versions. Projecting a topic is a
pure function of its observations, so that the order in which they arrived cannot matter.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..records import FLOW, HOLDING, Ref, identity_of, weaker
from ..references import micros
from .claims import Claim, Enumerations, Seen, by_source, merged, only, standing
from .schema import ALWAYS, FOREVER

#: Kinds that change in place when they carry no version.
MUTABLE_KINDS = ("dataset", "feature_set", "index")
#: Marks the version of an implied state; what follows is the instant the write was complete.
STATE = "written:"
_NO_READINGS: Enumerations = {}


class EdgeRow(NamedTuple):
    """One row of the ``edge`` table, without its recorded interval."""

    effect: str
    flow: int
    cause: str
    seq: int
    valid_from: int
    valid_to: int
    sure_to: int | None
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
    sure_to: int | None
    gone: int


def _unversioned_data(ref: str) -> bool:
    return "@" not in ref and "~" not in ref and ref.partition(":")[0] in MUTABLE_KINDS


def topic_of(plain: Mapping[str, Any], identity: str | None = None) -> str:
    """The topic that an observation belongs to; its identity is given where it is known already."""
    if plain["type"] == "relation":
        predicate = plain["predicate"]
        if predicate == "used" and _unversioned_data(plain["cause"]):
            return f"states\x1f{plain['cause']}"
        if predicate in ("was_generated_by", "was_derived_from") and _unversioned_data(plain["effect"]):
            return f"states\x1f{plain['effect']}"
        if predicate in HOLDING and plain.get("slot"):
            return "\x1f".join(("slot", plain["effect"], predicate, plain["slot"]))
    return identity_of(plain) if identity is None else identity


def project(topic: str, seen: Sequence[Seen], enumerations: Enumerations = _NO_READINGS) -> list[EdgeRow | FactRow]:
    """The rows that a topic's observations amount to.

    Parameters
    ----------
    topic : str
        As :func:`topic_of` gives it.
    seen : sequence of Seen
        Every observation of the topic, in any order.
    enumerations : mapping, optional
        Full readings of the sources that spoke of it.

    Returns
    -------
    list of EdgeRow or FactRow
        Rows that are true as far as is known now.
    """
    if len(seen) == 1 and not topic:  # as it is for almost every record: one source, one word
        item = seen[0]
        if not enumerations.get(item.scope):
            return list(_single([only(item)]))
    voices = by_source(seen, enumerations)
    if topic.startswith("states\x1f"):
        return list(_states(topic.partition("\x1f")[2], voices))
    if topic.startswith("slot\x1f"):
        return list(_slot(voices))
    # What happened is told once; several sources may describe one thing, or judge it, and none overrules another.
    return [
        row
        for sources in voices.values()
        for claims in ([merged(sources)] if sources[0][0].plain["type"] == "relation" else _different(sources))
        for row in _single(claims)
    ]


def _different(sources: list[list[Claim]]) -> list[list[Claim]]:
    """Each source's claims; those of sources that never said anything else than each other, as one."""
    said = {claim.digest for claims in sources for claim in claims}
    return [merged(sources)] if len(said) == 1 else sources


def _edge(plain: Mapping[str, Any], seq: int, valid_from: int, valid_to: int, sure_to: int | None = None) -> EdgeRow:
    event = plain.get("event_time")
    traffic = plain.get("traffic")
    return EdgeRow(
        plain["effect"],
        int(plain["predicate"] in FLOW),
        plain["cause"],
        seq,
        valid_from,
        valid_to,
        None if sure_to is None or sure_to >= valid_to else sure_to,
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


def _single(claims: Sequence[Claim]) -> Iterator[EdgeRow | FactRow]:
    plain = claims[0].plain
    if plain["type"] == "relation":
        if plain["predicate"] in HOLDING:
            yield from _held(claims)
        elif (last := standing(claims)) is not None:
            # What happened is told by its latest observation, and stays so when its source forgets it.
            yield _edge(last.plain, last.seq, *_bounds(last.plain, last.first))
        return
    for index, claim in enumerate(claims):
        plain = claim.plain
        if plain["type"] == "evidence":
            start = micros(plain["event_time"]) if "event_time" in plain else claim.first
            start = start if index == 0 else max(start, claim.first)
            node = plain["subject"]
        else:
            # The first thing seen of an entity stands for the time before it too; the graph marks
            # it as seen later, so that a view can say so.
            start = ALWAYS if index == 0 else claim.first
            node = plain["ref"]
        if start < claim.end:
            yield FactRow(node, plain["type"], claim.seq, start, claim.end, claim.sure_to, int(claim.gone))


def _held(claims: Sequence[Claim]) -> Iterator[EdgeRow]:
    """What holds over an interval, and has no slot to share."""
    for claim in _dated_once(claims):
        start, end = _bounds(claim.plain, claim.first)
        end = min(end, claim.end)
        if start < end:
            yield _edge(claim.plain, claim.seq, start, end, claim.sure_to)


def _dated_once(claims: Sequence[Claim]) -> list[Claim]:
    """Claims that are there; of those with one date, the last: it corrects the earlier."""
    if "valid_from" in claims[0].plain:
        last = standing(claims)
        return [] if last is None else [last]
    return [claim for claim in claims if not claim.gone]


def _slot(voices: Mapping[str | bytes, list[list[Claim]]]) -> Iterator[EdgeRow]:
    """One place that holds one thing at a time: each claim ends where the next begins."""
    found: list[tuple[int, int, Claim]] = []
    for sources in voices.values():
        said = {claim.digest for claims in sources for claim in claims if not claim.gone}
        # Sources that say the same are one; sources that contradict each other both stay.
        lines = [merged(sources)] if len(said) < 2 else sources
        for claim in (claim for claims in lines for claim in _dated_once(claims)):
            start, end = _bounds(claim.plain, claim.first)
            found.append((start, min(end, claim.end), claim))
    everyone = sorted({start for start, *_ in found})
    dated = sorted({start for start, _, claim in found if "valid_from" in claim.plain})
    for start, end, claim in found:
        # What is undated was ended by its own source's next word; another source's undated word contradicts it.
        until = min(end, _next(everyone if "valid_from" in claim.plain else dated, start))
        if start < until:
            yield _edge(claim.plain, claim.seq, start, until, claim.sure_to if until == claim.end else None)


def _next(starts: Sequence[int], start: int) -> int:
    index = bisect_right(starts, start)
    return starts[index] if index < len(starts) else FOREVER


class _Write(NamedTuple):
    seq: int
    begun: int | None
    done: int | None
    plain: Mapping[str, Any]
    state: str


def _states(data: str, voices: Mapping[str | bytes, list[list[Claim]]]) -> Iterator[EdgeRow]:
    """Bind each read of a dataset without versions to the write it can have seen."""
    latest = [claim for sources in voices.values() if (claim := standing(merged(sources))) is not None]
    writes: list[_Write] = []
    reads: list[Claim] = []
    derivations: list[Claim] = []
    for item in latest:
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
    dated = sorted(
        (write for write in writes if write.done is not None),
        key=lambda write: (write.done, write.plain["cause"], write.seq),
    )
    undated = [write for write in writes if write.done is None]
    yield from _generation(dated, undated)
    for item in derivations:
        # "This table is made from that one", said of the table: it holds for each of its states.
        for effect in (data, *sorted({write.state for write in writes})):
            yield _edge({**item.plain, "effect": effect}, item.seq, *_bounds(item.plain, item.first))
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


def _binding(read: Claim, dated: Sequence[_Write], undated: Sequence[_Write]) -> Iterator[EdgeRow]:
    plain = read.plain
    start = _bounds(plain, read.first)[0]
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
