"""The versions of names through their stages, and what served endpoints: what is on record, gathered for many at once.

docs/lifecycle.md says what each stage is derived from. Nothing is guessed: between the last sync that saw one word and
the first that saw another, a change has two bounds, and before the first word of a source no stage is known.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .policy.facts import Life, Stage
from .records import Ref
from .references import micros, micros_of
from .stages import ARCHIVED, ENDED, EVALUATED, NAMED, NONE, REGISTERED, SERVES, SHADOW, Stretch, Word, line
from .store import histories
from .store.schema import ALWAYS, FOREVER

if TYPE_CHECKING:
    from .store import Edge, Store
    from .store.histories import Held, Place, Reading

#: What registries call the stages of a version.
_WORDS: Mapping[str, Stage] = {
    "development": "development",
    "staging": "staging",
    "production": "production",
    "archived": "archived",
}
#: Aliases that teams point at the version that is in a stage.
_ALIASES: Mapping[str, Stage] = {"champion": "production", "production": "production", "staging": "staging"}
#: Environments that are production; of others that are recorded nothing is known but that they are not.
_PRODUCTION = frozenset({"", "production", "prod"})
_EVALUATING = frozenset({"evaluation", "fairness", "safety", "security"})
#: Kinds whose every thing has a name of its own.
_UNVERSIONED = frozenset({"logged_model"})
_JUDGED = frozenset({"passed", "failed", "waived", "stale", "undetermined"})


@dataclass
class Version:
    """One version of a name with all that is said of it.

    Attributes
    ----------
    numbers : set of int
        Its nodes: its own, and that of the same reference without a namespace where it can mean no other.
    record : mapping
        What described it last, as far as the instant asked about.
    """

    ref: str
    numbers: set[int]
    words: list[Word] = field(default_factory=list)
    monitored: list[int] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    record: Mapping[str, Any] = field(default_factory=dict)
    scopes: set[int] = field(default_factory=set)
    created_at: int | None = None
    gone_at: int | None = None
    here: bool | None = None

    @property
    def life(self) -> Life:
        """What policies see of it."""
        return Life(
            self.ref,
            tuple(stretch.interval for stretch in self.stretches),
            created_at=self.created_at,
            gone_at=self.gone_at,
            here=self.here,
        )


@dataclass(frozen=True)
class Name:
    """A name with its versions, in order.

    Attributes
    ----------
    number : int or None
        The node of the reference without a version.
    record : mapping
        What describes it.
    complete : bool
        Whether the registry that lists the versions was read completely at its latest sync.
    """

    ref: str
    number: int | None
    record: Mapping[str, Any]
    versions: tuple[Version, ...]
    complete: bool


def names_of(store: Store, bases: Iterable[str], as_of: datetime, known_at: datetime) -> dict[str, Name]:
    """The versions of some names through their stages: as many statements for ten thousand names as for one.

    Parameters
    ----------
    bases : iterable of str
        References without versions, whether the store has heard of them or not.
    as_of : datetime
        Up to when; a stage that may have begun by then, for it was only seen later, is told too.
    known_at : datetime
        Only what the store knew by then.
    """
    return _Gathering(store, bases, as_of, known_at).names()


class _Gathering:
    """All rows that bear on the versions of some names."""

    def __init__(self, store: Store, bases: Iterable[str], as_of: datetime, known_at: datetime) -> None:
        self.as_of = micros_of(as_of)
        self.bases = {base: Ref.parse(base) for base in bases}
        nodes = histories.named(store, {ref.name for ref in self.bases.values()})
        self.own: dict[str, int] = {}
        self.versions: dict[int, Ref] = {}
        self.aliases: dict[int, Ref] = {}
        for node in nodes:
            ref = Ref.parse(node.ref)
            if ref.alias:
                self.aliases[node.id] = ref
            elif ref.version or ref.kind in _UNVERSIONED:
                self.versions[node.id] = ref
            else:
                self.own[node.ref] = node.id
        self.derived = [
            edge
            for edge in store.intervals(self.versions, "was_derived_from", known_at)
            if edge.basis in ("content_hash", "identifier")
        ]
        causes = store.nodes({edge.cause for edge in self.derived}, known_at, known_at)
        logged = {number for number, node in causes.items() if node.kind == "logged_model"}
        self.derived = [edge for edge in self.derived if edge.cause in logged]
        self.deploys = histories.leading(store, [*self.versions, *self.aliases], "deploys", known_at)
        deployments = {edge.effect for edge in self.deploys}
        self.serves = histories.leading(store, deployments, "serves", known_at)
        self.pointing = histories.leading(store, self.versions, "alias_of", known_at)
        ends = {edge.effect for edge in (*self.deploys, *self.serves, *self.pointing)}
        #: When a relation of an effect was last known to be so, of those that ended at an instant.
        self.leaving: dict[tuple[int, str, int], int] = {}
        for edge in (*self.deploys, *self.serves, *self.pointing):
            key = (edge.effect, edge.predicate, edge.valid_to)
            self.leaving[key] = min(_leaving(edge), self.leaving.get(key, FOREVER))
        self.refs = {number: node.ref for number, node in store.nodes(ends, known_at, known_at).items()}
        about = {*self.versions, *self.own.values(), *logged, *deployments}
        self.held: dict[int, list[Held]] = defaultdict(list)
        for row in histories.held(store, about, known_at):
            self.held[row.node].append(row)
        edges = {edge.seq for edge in (*self.deploys, *self.serves, *self.pointing)}
        seqs = edges | {row.seq for rows in self.held.values() for row in rows}
        self.records: dict[int, dict[str, Any]] = {
            seq: json.loads(item.json) for seq, item in store.describe(seqs).items()
        }
        self.places: dict[int, Place] = histories.places(store, seqs)
        scopes = {place.scope for place in self.places.values()}
        self.readings: dict[int, list[Reading]] = defaultdict(list)
        for reading in histories.readings(store, scopes, as_of, known_at):
            self.readings[reading.scope].append(reading)

    def names(self) -> dict[str, Name]:
        """The names with their versions."""
        meant = self._meant()
        found: dict[str, dict[str, Version]] = {base: {} for base in self.bases}
        # Of what was heard of later, nothing is on record yet.
        known = {edge.cause for edge in (*self.deploys, *self.pointing)} | {edge.effect for edge in self.derived}
        for number, ref in self.versions.items():
            if number not in known and not self.held.get(number):
                continue
            version = meant.get(number, ref)
            base = str(Ref(version.kind, version.name, "", version.namespace))
            if base in found:
                item = found[base].setdefault(str(version), Version(str(version), set()))
                item.numbers.add(number)
        by_number = {number: item for items in found.values() for item in items.values() for number in item.numbers}
        self._say(by_number)
        for items in found.values():
            for item in items.values():
                self._settle(item)
        return {base: self._name(base, items) for base, items in found.items()}

    def _name(self, base: str, items: Mapping[str, Version]) -> Name:
        number = self.own.get(base)
        whole = {scope for scope, readings in self.readings.items() if any(reading.latest for reading in readings)}
        made = [item for item in items.values() if item.stretches or (item.created_at or 0) <= self.as_of]
        described = [item for item in made if item.scopes]
        # What is not described is not in a registry: it was only referred to.
        complete = bool(described) and all(item.scopes & whole for item in described)
        versions = sorted(made, key=lambda item: _in_order(Ref.parse(item.ref).version))
        return Name(base, number, self._described([] if number is None else [number]), tuple(versions), complete)

    def _meant(self) -> dict[int, Ref]:
        """References without a namespace that can mean one described version only, and are not described themselves."""
        described = {
            number for number in self.versions if any(row.type != "evidence" for row in self.held.get(number, ()))
        }
        twins: dict[str, list[Ref]] = defaultdict(list)
        for number, ref in self.versions.items():
            if ref.namespace and number in described:
                twins[ref.bare].append(ref)
        return {
            number: twins[ref.bare][0]
            for number, ref in self.versions.items()
            if not ref.namespace and number not in described and len(twins[ref.bare]) == 1
        }

    # --- words ---

    def _say(self, versions: Mapping[int, Version]) -> None:
        for number, version in versions.items():
            for row in self.held.get(number, ()):
                if row.type == "evidence":
                    self._judged(version, row)
                else:
                    self._registered(version, row)
        for edge in self.derived:
            if edge.effect in versions:
                for row in self.held.get(edge.cause, ()):
                    if row.type == "evidence":
                        self._judged(versions[edge.effect], row)
        pointing = defaultdict(list)
        for edge in self.pointing:
            if edge.cause in versions:
                pointing[edge.effect].append(edge)
                self._pointed_at(versions[edge.cause], edge)
        serving = defaultdict(list)
        for edge in self.serves:
            serving[edge.cause].append(edge)
        for edge in self.deploys:
            if edge.cause in versions:
                self._deployed(versions[edge.cause], [edge], serving[edge.effect])
            for pointer in pointing.get(edge.cause, ()):
                self._deployed(versions[pointer.cause], [edge, pointer], serving[edge.effect])

    def _registered(self, version: Version, row: Held) -> None:
        record, place = self.records[row.seq], self.places[row.seq]
        seen = place.observed_at if row.valid_from == ALWAYS else row.valid_from
        created = micros(record["created_at"]) if record.get("created_at") else None
        if created is not None:
            version.created_at = created if version.created_at is None else min(version.created_at, created)
        leaving = row.valid_to if row.sure_to is None else row.sure_to - 1
        before = [_leaving(other) for other in self.held[row.node] if other.type == row.type and other.valid_to == seen]
        last = min(before) if before else self._read_before(place.scope, seen, created)
        attributes = record.get("attributes", {})

        def say(stage: Stage, rank: int, said: str, start: int = seen, earliest: int | None = last) -> None:
            version.words.append(Word(stage, rank, start, row.valid_to, earliest, leaving, row.seq, said, place.scope))

        if seen <= self.as_of:
            version.scopes.add(place.scope)
        if row.gone:
            say("deleted", ENDED, "no longer in its source")
            return
        if row.valid_from == ALWAYS and created is not None and created <= seen:
            say("none", NONE, "registered", created, created)
        else:
            say("none", NONE, "registered")
        ended = micros(record["ended_at"]) if record.get("ended_at") else None
        deleted = attributes.get("lifecycle_stage") == "deleted"
        # A date is believed where it lies between what was seen; a clock that is wrong moves nothing.
        if ended is not None and ended <= seen and (last is None or ended >= last):
            say("deleted" if deleted else "retired", ENDED, "deleted" if deleted else "ended", ended, ended)
        elif deleted:
            say("deleted", ENDED, "deleted")
        elif ended is not None and ended < row.valid_to:
            say("retired", ENDED, "ended", max(ended, seen))
        if deleted:
            return
        word = attributes.get("stage")
        stage = _WORDS.get(word.casefold()) if isinstance(word, str) else None
        if stage is not None:
            rank = {"archived": ARCHIVED, "development": REGISTERED}.get(stage, NAMED)
            say(stage, rank, f"stage {word}")

    def _judged(self, version: Version, row: Held) -> None:
        record = self.records[row.seq]
        if record["status"] not in _JUDGED or row.gone:
            return
        if record.get("gate_type") == "monitoring":
            version.monitored.append(row.valid_from)
        elif record.get("gate_type") in _EVALUATING:
            place = self.places[row.seq]
            dated = "event_time" in record
            earliest = row.valid_from if dated else self._read_before(place.scope, row.valid_from, None)
            gate = f"{record['gate_type']} {record['gate']}"
            version.words.append(
                Word("evaluation", EVALUATED, row.valid_from, FOREVER, earliest, FOREVER, row.seq, gate)
            )

    def _pointed_at(self, version: Version, edge: Edge) -> None:
        alias = self.aliases.get(edge.effect) or Ref.parse(self.refs[edge.effect])
        stage = _ALIASES.get(alias.alias.casefold())
        if stage is not None:
            earliest = self._began(edge)
            said = f"alias {alias.alias}"
            version.words.append(
                Word(stage, NAMED, edge.valid_from, edge.valid_to, earliest, _leaving(edge), edge.seq, said)
            )

    def _deployed(self, version: Version, held: list[Edge], serving: list[Edge]) -> None:
        deployment = held[0].effect
        for row in self.held.get(deployment, ()):
            if row.type == "evidence" and self.records[row.seq].get("gate_type") == "monitoring":
                version.monitored.append(row.valid_from)
        for way in [[*held, edge] for edge in serving] or [held]:
            start, end = max(edge.valid_from for edge in way), min(edge.valid_to for edge in way)
            if start >= end:
                continue
            served = self.records[way[-1].seq] if serving else {}
            if serving and not served.get("mirrored") and way[-1].traffic == 0:
                continue
            stage = self._environment(deployment)
            said = f"serves {self.refs[way[-1].effect]}" if serving else f"deployed as {self.refs[deployment]}"
            rank = SERVES
            if served.get("mirrored"):
                stage, said, rank = "evaluation", f"shadow of {self.refs[way[-1].effect]}", SHADOW
            bounds = [self._began(edge) for edge in way if edge.valid_from == start]
            earliest = None if None in bounds else min(bound for bound in bounds if bound is not None)
            leaving = min(_leaving(edge) for edge in way if edge.valid_to == end)
            version.words.append(Word(stage, rank, start, end, earliest, leaving, way[-1].seq, said))

    def _environment(self, deployment: int) -> Stage:
        # As it is described now: where something is deployed is often written down after it is.
        word = self._described([deployment]).get("attributes", {}).get("environment", "")
        return "production" if str(word).casefold() in _PRODUCTION else "staging"

    def _began(self, edge: Edge) -> int | None:
        """When a relation was last known to be otherwise."""
        if "valid_from" in self.records[edge.seq]:
            return edge.valid_from
        before = self.leaving.get((edge.effect, edge.predicate, edge.valid_from))
        if before is not None:
            return before
        return self._read_before(self.places[edge.seq].scope, edge.valid_from, None)

    def _read_before(self, scope: int, instant: int, created: int | None) -> int | None:
        """When a source that now shows something was last read in full without it; not before it was made."""
        readings = self.readings.get(scope, [])
        index = bisect_left(readings, instant, key=lambda reading: reading.observed_at)
        bounds = [created, readings[index - 1].observed_at if index else None]
        return max((bound for bound in bounds if bound is not None and bound <= instant), default=None)

    def _described(self, numbers: Iterable[int]) -> Mapping[str, Any]:
        """What described things last, as far as the instant asked about."""
        rows = [
            row
            for number in numbers
            for row in self.held.get(number, ())
            if row.type != "evidence" and row.valid_from <= self.as_of
        ]
        last = max(rows, key=lambda row: (not row.gone, row.valid_from, row.seq), default=None)
        return {} if last is None else self.records[last.seq]

    # --- one line of stages ---

    def _settle(self, version: Version) -> None:
        version.record = self._described(version.numbers)
        first = min(
            (word for word in version.words if word.rank == EVALUATED), key=lambda word: word.start, default=None
        )
        words = [word for word in version.words if word.rank != EVALUATED or word is first]
        version.stretches = [
            stretch
            for stretch in line(words, version.monitored)
            if stretch.interval.start is None
            or stretch.interval.start <= self.as_of
            or (stretch.interval.earliest is not None and stretch.interval.earliest < self.as_of)
        ]
        registry = [word for word in words if word.scope is not None]
        said = [word for word in registry if word.start <= self.as_of < word.end]
        gone = {word.scope for word in said if word.stage == "deleted"}
        there = {word.scope for word in said} - gone
        if there:
            seen = {word.scope: self.places[word.number].observed_at for word in reversed(said) if word.scope in there}
            read = any(
                when <= reading.observed_at <= self.as_of
                for scope, when in seen.items()
                for reading in self.readings.get(scope or 0, ())
            )
            version.here = True if read else None
        elif gone:
            version.here = False
            deleted = (stretch.interval for stretch in line(registry) if stretch.interval.stage == "deleted")
            version.gone_at = max(one.start for one in deleted if one.start is not None and one.start <= self.as_of)


def _leaving(row: Held | Edge) -> int:
    """When something was last known to be so before it was otherwise."""
    return row.valid_to if row.sure_to is None else row.sure_to - 1


def _in_order(version: str) -> tuple[bool, int, str]:
    """Numbers by their size (of any length, so not by converting them), then words."""
    digits = version.lstrip("0")
    return not version.isdigit(), len(digits) if version.isdigit() else 0, digits if version.isdigit() else version
