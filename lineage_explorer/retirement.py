"""The end of a version: how long it is kept, when its source forgets it, and what certifies that it is gone."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .content import iso
from .lives import Name, Version
from .policy.checks.base import after, in_words
from .policy.facts import ACTIVE, RETIRED
from .policy.past import retired_between
from .records import Ref, format_instant, parse_instant
from .references import micros_of
from .roles import DATA_KINDS
from .store import histories
from .store.schema import ALWAYS

if TYPE_CHECKING:
    from .store import Store
    from .store.histories import Held, Place, Reading
    from .store.walk import Described

_DELETION = frozenset({"deletion", "data-deletion"})
GATES = _DELETION | {"retirement"}
DURATION = re.compile(r"[1-9][0-9]{0,4}[hdwmy]")
NOT_RECORDED = "not recorded"


# --- retention ---


def version_row(version: Version, stated: tuple[str, str], now: int) -> dict[str, Any]:
    """What retention is told from: when it was retired for good, and what is known of its source."""
    started = [item for item in version.life.stages if item.start is None or item.start <= now]
    stage = started[-1].stage if started else NOT_RECORDED
    own = _retention_in(version.record)
    return {
        "ref": version.ref,
        "stage": stage,
        "between": retired_between(version.life, now),
        "gone_at": version.gone_at,
        "here": version.here,
        "stated": (own, version.ref) if own else stated,
    }


def retained(row: Mapping[str, Any], keep: str, now: int) -> dict[str, Any]:
    """Until when a version is to be kept, and whether its source still has it."""
    first, last = row["between"]
    until = None if last is None else after(last, keep)
    notes = []
    if last is None:
        notes.append("no stage of it is on record" if row["stage"] == NOT_RECORDED else f"not retired: {row['stage']}")
    elif first != last:
        notes.append(f"retired between {iso(first) or 'a time that is not recorded'} and {iso(last)}")
    if row["here"] is None:
        notes.append("whether its source still has it is not recorded")
    elif not row["here"]:
        early = until is not None and row["gone_at"] is not None and row["gone_at"] < until
        notes.append(
            f"its source has it no longer, since {iso(row['gone_at'])}"
            + (f": earlier than {in_words(keep)} after its retirement" if early else "")
            + "; the journal still has it"
        )
    elif until is not None:
        notes.append("its time is over" if until <= now else "still in its source")
    forgets, because = _forgets(row)
    return {
        "ref": row["ref"],
        "retired_at": iso(last),
        "keep_until": _iso_within_calendar(until),
        "here": row["here"],
        "forgets_at": forgets,
        "note": "; ".join([*notes, *because]),
    }


def _forgets(row: Mapping[str, Any]) -> tuple[str, list[str]]:
    """When a source will forget what was deleted from it, where a record states that, and which."""
    text, by = row["stated"]
    if not text:
        return NOT_RECORDED, []
    said = [f"{by} states a retention of {text}"]
    if DURATION.fullmatch(text):
        if row["gone_at"] is None:
            return f"{in_words(text)} after it is deleted", said
        return _iso_within_calendar(after(row["gone_at"], text)) or NOT_RECORDED, said
    try:
        return format_instant(parse_instant(text)), said
    except ValueError:
        return NOT_RECORDED, [f"{said[0]}, which is neither a duration nor a time"]


def stated_by_source(store: Store, name: Name, as_of: datetime, known_at: datetime) -> tuple[str, str]:
    """What the name, or else the system that it is in, states as its retention, and which of them."""
    if text := _retention_in(name.record):
        return text, name.ref
    namespace = Ref.parse(name.ref).namespace
    systems = store.numbers([str(Ref("service", namespace))]) if namespace else {}
    for item in store.descriptions(systems.values(), as_of, known_at):
        if text := _retention_in(json.loads(store.describe([item.seq])[item.seq].json)):
            return text, str(Ref("service", namespace))
    return "", ""


def _retention_in(record: Mapping[str, Any]) -> str:
    attributes = record.get("attributes", {})
    for place in (attributes, attributes.get("tags"), attributes.get("metadata")):
        found = place.get("retention") if isinstance(place, Mapping) else None
        if isinstance(found, str) and found.strip():
            return found.strip()
    return ""


def _iso_within_calendar(instant: int | None) -> str | None:
    try:
        return iso(instant)
    except OverflowError:
        return None


# --- certificates ---


def certificates_of(store: Store, name: Name, as_of: datetime, known_at: datetime) -> list[dict[str, Any]]:
    """Certificates about the versions of a name and the data upstream of them, as they were on record at an instant."""
    own = {number: version for version in name.versions for number in version.numbers}
    if not own:
        return []
    reached = store.reachable(own, "upstream", as_of, known_at).nodes
    things = {number: node.ref for number, node in reached.items() if node.kind in DATA_KINDS or number in own}
    return _Certificates(store, things, own, as_of, known_at).rows()


class _Certificates:
    """What certifies the end of some things, and what the journal says of them."""

    def __init__(
        self, store: Store, things: Mapping[int, str], own: Mapping[int, Version], as_of: datetime, known_at: datetime
    ) -> None:
        self.as_of = micros_of(as_of)
        self.things, self.own = things, own
        self.held: dict[int, list[Held]] = defaultdict(list)
        for row in histories.held(store, things, known_at):
            if row.valid_from <= self.as_of:
                self.held[row.node].append(row)
        seqs = {row.seq for rows in self.held.values() for row in rows}
        self.records: Mapping[int, Described] = store.describe(seqs)
        self.places: Mapping[int, Place] = histories.places(store, seqs)
        scopes = {place.scope for place in self.places.values()}
        self.readings: list[Reading] = [
            reading
            for reading in histories.readings(store, scopes, as_of, known_at)
            if reading.observed_at <= self.as_of
        ]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each certificate, in order of what it is about and of time."""
        found = []
        for number, ref in self.things.items():
            for row in self.held[number]:
                record = json.loads(self.records[row.seq].json)
                gate = str(record.get("gate", "")).strip().casefold().replace("_", "-").replace(" ", "-")
                # Of one that changed, the word that stood.
                if row.type != "evidence" or gate not in GATES or row.valid_to <= self.as_of:
                    continue
                journal, note = self._journal(number, gate, row, record)
                found.append(
                    {
                        "ref": self.own[number].ref if number in self.own else ref,
                        "gate": record["gate"],
                        "status": record["status"],
                        "who": record.get("evaluator", ""),
                        "when": record.get("event_time"),
                        "proof": record.get("pointer", ""),
                        "journal": journal,
                        "note": note + ("; its source no longer shows this certificate" if row.gone else ""),
                    }
                )
        return sorted(found, key=lambda row: (row["ref"], row["when"] or "", row["gate"], row["who"]))

    def _journal(self, number: int, gate: str, row: Held, record: Mapping[str, Any]) -> tuple[str, str]:
        if record["status"] != "passed":
            return "not known", f"it certifies nothing: {record['status']}"
        when = row.valid_from  # its own date, else when it was first seen
        if gate in _DELETION:
            return self._deleted(self.held[number], when)
        version = self.own.get(number)
        if version is None:
            return self._deleted(self.held[number], when)
        interval = version.life.at(self.as_of)
        if interval is None:
            return "not known", "no stage of it is on record"
        if interval.stage in RETIRED:
            return "agrees", f"{interval.stage} since {iso(interval.start)}"
        if interval.stage in ACTIVE and when < self.as_of:
            return "contradicted", f"{interval.stage} since {iso(interval.start)}"
        return "not known", f"nothing shows it in use, and nothing retired: {interval.stage}"

    def _deleted(self, rows: Iterable[Held], when: int) -> tuple[str, str]:
        """Whether a thing is gone, or a later complete reading still shows it."""
        gone: list[int] = []
        shown: list[int] = []
        for row in rows:
            if row.type == "evidence":
                continue
            record = json.loads(self.records[row.seq].json)
            place = self.places[row.seq]
            start = place.observed_at if row.valid_from == ALWAYS else row.valid_from
            standing = start <= self.as_of < row.valid_to
            if row.gone or record.get("attributes", {}).get("lifecycle_stage") == "deleted" or record.get("ended_at"):
                gone += [start] if standing else []
                continue
            shown += [
                reading.observed_at
                for reading in self.readings
                if reading.scope == place.scope
                and reading.observed_at > when
                and start <= reading.observed_at < row.valid_to
            ]
        if shown and gone:
            return (
                "contradicted",
                f"the complete reading of {iso(max(shown))} still showed it; gone since {iso(min(gone))}",
            )
        if shown:
            return "contradicted", f"the complete reading of {iso(max(shown))} still shows it"
        if gone:
            return "agrees", f"no longer shown since {iso(min(gone))}"
        return "not known", "no complete reading since then"
