"""What happened to versions, in order: from their registration to their end, with the bounds of what is only known so far.

Pure reasoning over words, gates and spans that others gathered: no I/O, no clock. docs/history.md says what each kind of
event is derived from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..content import iso
from ..records import Ref
from ..stages import NAMED, NONE, Word, line
from .tree import called

Kind = Literal[
    "registered",
    "evaluated",
    "gate",
    "approved",
    "rejected",
    "stage",
    "stopped",
    "rolled_back",
    "restored",
    "served",
    "traffic",
    "archived",
    "deleted",
]
#: What is told first of what happened at one instant.
_ORDER = {kind: number for number, kind in enumerate(Kind.__args__)}  # type: ignore[attr-defined]
_RESULTS = frozenset({"passed", "failed", "waived", "stale", "undetermined"})
_SHOWN = 8
_ENDED = frozenset({"archived", "deleted", "retired"})


#: What a measurement without a condition begins with; those of one run are told together.
MEASURED = "measured: "


class Event(NamedTuple):
    """Something that happened to a version.

    Attributes
    ----------
    at, earliest : int or None
        Microseconds since 1970 UTC. It happened no later than ``at``; ``earliest`` is the same where the date is on
        record, else the last time that it was known not to have happened yet. None where nothing is known.
    numbers : tuple of int
        Records that say so, the most telling first.
    who : str
        Who did it, where a record says so.
    """

    at: int | None
    earliest: int | None
    kind: Kind
    ref: str
    text: str
    endpoint: str = ""
    who: str = ""
    numbers: tuple[int, ...] = ()


def together(events: Iterable[Event]) -> Iterator[Event]:
    """Events, with what one run measured of a version at one time as one of them: a run may measure fifty things."""
    measured: dict[Event, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind == "evaluated" and event.text.startswith(MEASURED):
            measured[event._replace(text="", numbers=())].append(event)
        else:
            yield event
    for one, several in measured.items():
        texts = sorted({event.text.removeprefix(MEASURED) for event in several})
        shown = ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
        yield one._replace(
            text=MEASURED + shown, numbers=tuple(sorted(one for event in several for one in event.numbers))
        )


def rows_of(
    events: Iterable[Event], order: Mapping[str, int], read: Mapping[int, tuple[str, str]]
) -> list[dict[str, Any]]:
    """Events as plain JSON values, oldest first; what several sources say alike is told once.

    Parameters
    ----------
    order : mapping
        The place of each version among the versions.
    read : mapping
        System and position of records, by number.
    """

    def place(event: Event) -> tuple[Any, ...]:
        when = (event.at is None, event.at or 0, _ORDER[event.kind], order.get(event.ref, len(order)))
        return (*when, event.endpoint, event.text, event.who, event.earliest or 0, where(event))

    def where(event: Event) -> tuple[str, str]:
        found = [read[number] for number in event.numbers if number in read]
        return min(found[: None if event.text.startswith(MEASURED) else 1], default=("", ""))

    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in sorted(together(events), key=place):
        system, position = where(event)
        row = {
            "at": iso(event.at),
            "earliest": iso(event.earliest),
            "kind": event.kind,
            "ref": event.ref,
            "endpoint": event.endpoint,
            "who": event.who,
            "text": event.text,
            "source": {"system": system, "position": position} if system or position else None,
        }
        told.setdefault((event.at, event.kind, event.ref, event.endpoint, event.text, event.who), row)
    return list(told.values())


# --- what registries said ---


def registry_events(ref: str, words: Iterable[Word], as_of: int) -> Iterator[Event]:
    """What a registry was seen to say of a version, and where aliases that stand for a stage pointed.

    Parameters
    ----------
    words : iterable of Word
        All that is said of the version's stage, as :class:`lineage_explorer.lives.Version` holds them.
    """
    words = list(words)
    own = [word for word in words if word.scope is not None]
    first = min((word for word in own if word.rank == NONE), key=lambda word: (word.start, word.number), default=None)
    if first is not None and first.start <= as_of:
        yield Event(first.start, first.earliest, "registered", ref, "registered", numbers=(first.number,))
    before = "none" if first is not None else ""
    for stretch in line(own):
        interval = stretch.interval
        if interval.start is None or interval.start > as_of:
            break
        stage = interval.stage
        if stage != before and (stage != "none" or before):
            kind: Kind = "stage"
            text = f"{stage}: {stretch.said}" if stage != "none" else f"no longer {before}"
            if stage == "deleted":
                kind, text = "deleted", stretch.said
            elif before == "deleted" or (before in _ENDED and stage not in _ENDED):
                kind = "restored"
                back = "its source shows it again" if before == "deleted" else f"no longer {before}"
                text = back if stage == "none" else f"{back}, {stretch.said}"
            elif stage == "archived":
                kind, text = "archived", stretch.said
            yield Event(interval.start, interval.earliest, kind, ref, text, numbers=(interval.number,))
        before = stage
    yield from _pointing(ref, words, as_of)


def _pointing(ref: str, words: Iterable[Word], as_of: int) -> Iterator[Event]:
    by_alias: dict[str, list[Word]] = defaultdict(list)
    for word in words:
        if word.rank == NAMED and word.scope is None and word.start < word.end:
            by_alias[word.said].append(word)
    for said, pointing in by_alias.items():
        until: Word | None = None
        for word in sorted(pointing, key=lambda one: (one.start, one.end, one.number)):
            if until is None or word.start > until.end:
                if until is not None and until.end <= as_of:
                    yield _no_longer(ref, said, until)
                if word.start <= as_of:
                    text = f"{said} points at it" + (" again" if until is not None else "")
                    yield Event(word.start, word.earliest, "stage", ref, text, numbers=(word.number,))
                until = word
            elif word.end > until.end:
                until = word
        if until is not None and until.end <= as_of:
            yield _no_longer(ref, said, until)


def _no_longer(ref: str, said: str, word: Word) -> Event:
    return Event(word.end, word.leaving, "stage", ref, f"{said} no longer points at it", numbers=(word.number,))


# --- what gates came to ---


def gate_event(
    ref: str, record: Mapping[str, Any], at: int, earliest: int | None, number: int, who: str, *, own: bool
) -> Event:
    """A gate's result about a version.

    Parameters
    ----------
    record : mapping
        The evidence.
    own : bool
        Whether it is about the version or the logged model that it was registered from; what is about a run that
        evaluated it approves nothing.
    """
    gate_type, status = record.get("gate_type", "other"), record["status"]
    kind: Kind = "gate"
    if own and gate_type == "approval" and status in ("passed", "failed"):
        kind = "approved" if status == "passed" else "rejected"
    elif gate_type == "evaluation" and status in _RESULTS:
        kind = "evaluated"
    return Event(at, earliest, kind, ref, _result(record, own=own), who=who, numbers=(number,))


def _result(record: Mapping[str, Any], *, own: bool) -> str:
    gate, status = record["gate"], record["status"]
    expected, actual = record.get("expected", ""), record.get("actual", "")
    if status == "undetermined" and actual and not expected:
        text = f"{MEASURED}{gate} {actual}"  # a measurement that nobody stated a condition for
    else:
        compared = f"expected {expected}" if expected else ""
        compared += f"{', ' if compared else ''}was {actual}" if actual else ""
        text = f"{gate}: {status}" + (f" ({compared})" if compared else "")
    return text if own else f"{text}, about {record['subject']}"


# --- who served ---


class Answering(NamedTuple):
    """What a version had of an endpoint at one place, over all of its deployments.

    Attributes
    ----------
    traffic : float or None
        Percent; None where a split was not read.
    """

    traffic: float | None
    deployments: tuple[str, ...]


class Change(NamedTuple):
    """A change of who serves at one place of an endpoint.

    Attributes
    ----------
    earliest : int or None
        When it was last known to be otherwise; ``at`` where it is dated.
    answering, copied : dict
        By version: what answers from then on, and what receives copies of requests only.
    """

    at: int
    earliest: int | None
    answering: Mapping[str, Answering]
    copied: Mapping[str, tuple[str, ...]]


def answering_of(shares: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Answering], dict[str, tuple[str, ...]]]:
    """Who answers, and who receives copies, by version."""
    by_version: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    copied: dict[str, list[str]] = defaultdict(list)
    for share in shares:
        if share["version"] is None:
            continue
        if share["state"] in ("serving", "undetermined"):
            by_version[share["version"]].append(share)
        elif share["state"] == "shadow":
            copied[share["version"]].append(share["deployment"])
    answering = {
        version: Answering(
            None if any(row["traffic"] is None for row in rows) else sum(row["traffic"] for row in rows),
            tuple(sorted({row["deployment"] for row in rows})),
        )
        for version, rows in by_version.items()
    }
    return answering, {version: tuple(sorted(names)) for version, names in copied.items() if version not in answering}


def serving_events(
    endpoint: str,
    site: str,
    changes: Sequence[Change],
    mine: Iterable[str],
    agents: Mapping[tuple[str, int], str],
    numbers: Mapping[tuple[str, int], int],
) -> Iterator[Event]:
    """What begins, changes and ends at one place of an endpoint, and what of that is going back.

    Parameters
    ----------
    changes : sequence of Change
        In order of time, up to the instant asked about.
    mine : iterable of str
        The versions whose events are wanted; the others count for who replaced whom.
    agents, numbers : mapping
        Who is on record for a deployment that began or changed at an instant, and the record that says it did.
    """
    wanted = set(mine)
    where = Ref.parse(endpoint).name + (f" at {site}" if site else "")
    first: dict[str, int] = {}
    for index, change in enumerate(changes):
        for version in change.answering:
            first.setdefault(version, index)
    before: Change = Change(0, None, {}, {})
    undone_by: dict[str, list[str]] = {}  # what was rolled back, and what takes its place, perhaps after a gap
    for index, change in enumerate(changes):

        def event(
            kind: Kind, version: str, text: str, of: Iterable[str], by: Iterable[str], now: Change = change
        ) -> Event:
            said = tuple(numbers[one, now.at] for one in of if (one, now.at) in numbers)
            who = sorted({agents[one, now.at] for one in by if agents.get((one, now.at))})
            return Event(now.at, now.earliest, kind, version, text, endpoint, ", ".join(who), said)

        new = sorted({name for one in change.answering.values() for name in one.deployments})
        back = {
            version: replaced
            for version in before.answering.keys() - change.answering.keys()
            if (replaced := _went_back(changes, index, before, version, first))
        }
        undone_by = {**(undone_by if not before.answering else {}), **back}
        for version in sorted((before.answering.keys() - change.answering.keys()) & wanted):
            was = before.answering[version].deployments
            if version in back:
                text = f"rolled back at {where}: {_names(back[version])}, which served before it, took its place"
                yield event("rolled_back", version, text, (*was, *new), new)
            else:
                others = sorted(change.answering)
                instead = f"; {_names(others)} serve{'s' * (len(others) == 1)}" if others else "; nobody answers there"
                yield event("stopped", version, f"no longer serves {where}{instead}", (*was, *new), new)
        for version in sorted(change.answering.keys() & wanted):
            now, old = change.answering[version], before.answering.get(version)
            if old is None:
                again = first[version] < index
                undone = sorted(gone for gone, replaced in undone_by.items() if version in replaced)
                text = f"serves {'again ' * again}{_percent(now.traffic)}of {where}"
                if again and undone:
                    yield event("restored", version, f"{text}, in place of {_names(undone)}", now.deployments, new)
                else:
                    yield event("served", version, text, now.deployments, new)
            elif old.traffic != now.traffic:
                text = f"{_percent(old.traffic)}→ {_percent(now.traffic)}of {where}"
                yield event("traffic", version, text, now.deployments, new)
        for version in sorted((change.copied.keys() ^ before.copied.keys()) & wanted):
            begins = version in change.copied
            text = f"{'receives' if begins else 'no longer receives'} copies of the requests to {where}"
            of = (change if begins else before).copied[version]
            yield event("stage", version, text, of, of if begins else new)
        before = change


def _went_back(
    changes: Sequence[Change], index: int, before: Change, version: str, first: Mapping[str, int]
) -> list[str]:
    """What took the place of a version that stops, if all of that had served there before it ever did."""
    for after in changes[index:]:
        if after.answering:
            break
    else:
        return []
    if version in after.answering:
        return []

    def grew(other: str) -> bool:
        old, now = before.answering.get(other), after.answering[other]
        return old is None or (None not in (old.traffic, now.traffic) and (now.traffic or 0) > (old.traffic or 0))

    instead = sorted(other for other in after.answering if grew(other))
    return instead if all(first[other] < first[version] for other in instead) else []


def _names(refs: Iterable[str]) -> str:
    names = [called(ref, {}) for ref in refs]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(traffic: float | None) -> str:
    return "a share that was not read " if traffic is None else f"{traffic:g} % "
