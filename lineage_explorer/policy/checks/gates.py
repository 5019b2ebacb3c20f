"""Checks of gate results: is there one, does it hold, was it about what was deployed, in the right order, and no weaker?"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ...records import GateType, Grade
from ...references import from_micros
from ..conditions import Change, change_between
from ..deciding import (
    Wanted,
    graded,
    groups,
    latest,
    readable,
    recent,
    sentence,
    status_of,
    together,
    with_article,
    worst,
)
from ..facts import Need
from ..hop import Hop, Numbered, Result, base_of, fails, holds, unknown, when_of
from ..logic import OUTCOME_OF
from .base import Check, Duration, Pattern, in_words

_FULL = {"sha256": 64, "sha512": 128}


class EvidenceCheck(Check, frozen=True, kw_only=True, tag="evidence"):
    """A gate's result about exactly the subject, good enough, in time and not too old.

    Attributes
    ----------
    gate : Pattern
        Names of gates; empty is any.
    gate_type : GateType
        Sort of gate; empty is any.
    min_grade : Grade
        The weakest grade that is accepted.
    before : ``"release"`` or ``""``
        It must be dated no later than the release.
    not_older_than : Duration
        Counted back from the instant asked about.
    """

    gate: Pattern | Literal[""] = ""
    gate_type: GateType | Literal[""] = ""
    min_grade: Grade = "claimed"
    before: Literal["release", ""] = ""
    not_older_than: Duration | Literal[""] = ""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        wanted = Wanted(self.gate, self.gate_type)
        found = wanted.of(hop)
        if not found:
            return unknown(
                f"no {wanted.word} of {hop.subject} is on record",
                f"a result of {with_article(wanted.word)} about {hop.subject}",
                "missing",
            )
        decided = groups(hop, found, before_release=self.before == "release")
        result = together(decided)
        deciding = [item for group in decided for item in group.deciding]
        return recent(graded(result, self.min_grade), deciding, hop.facts.as_of, self.not_older_than)

    def words(self) -> str:
        """What it asks, in words."""
        parts = [f"{with_article(Wanted(self.gate, self.gate_type).word)} holds"]
        if self.before:
            parts.append("dated no later than the release")
        if self.not_older_than:
            parts.append(f"not older than {in_words(self.not_older_than)}")
        if self.min_grade != "claimed":
            parts.append(f"{self.min_grade} or better")
        return ", ".join(parts)


class Metric(Check, frozen=True, kw_only=True, tag="metric"):
    """A measured number against bounds that the policy sets, whatever the gate's own threshold was.

    Attributes
    ----------
    metric : str
        Its name, as the source records it.
    at_least, above, at_most, below : float
        The bounds; all that are given must be met.
    """

    metric: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    min_grade: Grade = "referenced"
    not_older_than: Duration | Literal[""] = ""

    @property
    def bounds(self) -> list[tuple[str, float]]:
        """Signs and numbers."""
        named = (("≥", self.at_least), (">", self.above), ("≤", self.at_most), ("<", self.below))
        return [(sign, value) for sign, value in named if value is not None]

    def measured(self, item: Mapping[str, Any]) -> bool:
        """Whether a record measured this."""
        if not item.get("actual"):
            return False
        return bool(item.get("attributes", {}).get("metric", item["gate"]) == self.metric)

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        found = [pair for pair in hop.evidence_about(hop.subject) if self.measured(pair[1])]
        need = f"a measurement of {self.metric} of {hop.subject}"
        if not found:
            return unknown(f"no measurement of {self.metric} of {hop.subject} is on record", need, "missing")
        release = hop.release
        in_time = [pair for pair in found if (when := when_of(pair[1])) is None or release is None or when <= release]
        if not in_time:
            said = "; ".join(self._said(pair)[0] for pair in latest(found))
            return unknown(
                f"{said}, measured only after the release", f"{need} from before the release", used=latest(found)
            )
        deciding = latest(in_time)
        result = self._compared(deciding, need)
        if result.outcome == "holds" and release is None:
            return unknown(
                f"{result.why}; the time of the release is not recorded, so the order is not known",
                "the time of the release",
                used=deciding,
            )
        if result.outcome == "holds" and any(when_of(item) is None for _, item in deciding):
            return unknown(
                f"{result.why}; the time of the measurement is not recorded, so the order is not known",
                "the time of the measurement",
                used=deciding,
            )
        return recent(graded(result, self.min_grade), deciding, hop.facts.as_of, self.not_older_than)

    def _compared(self, deciding: list[Numbered], need: str) -> Result:
        said = [self._said(pair) for pair in deciding]
        why = "; ".join(dict.fromkeys(text for text, _ in said))
        for _, item in deciding:
            # Its own verdict plays no part; that its source does not stand by it any more does.
            if item["status"] == "stale" or item.get("because"):
                because = item.get("because") or "its record says that it is stale"
                return unknown(
                    f"{why}: {because}", need, "stale" if item["status"] == "stale" else "undetermined", deciding
                )
        met = {outcome for _, outcome in said}
        if None in met:
            return unknown(f"{why}: not a number", need, used=deciding)
        if len(met) > 1:
            return unknown(
                f"measurements of {self.metric} disagree: {why}", f"{need} that says which stands", used=deciding
            )
        return holds(why, deciding) if met == {True} else fails(why, deciding)

    def _said(self, pair: Numbered) -> tuple[str, bool | None]:
        item = pair[1]
        written = str(item["actual"])
        value = float(written) if _NUMBER.fullmatch(written) else math.nan
        bounds = " and ".join(f"{sign} {bound:g}" for sign, bound in self.bounds)
        pointer = item.get("pointer", "")
        known = (
            f"recomputed from {pointer}"
            if pointer and item.get("grade", "claimed") != "claimed"
            else "as claimed by its record"
        )
        if math.isnan(value):
            return f"{self.metric} {item['actual']}, asked {bounds}, {known}", None
        met = all(_MEETS[sign](value, bound) for sign, bound in self.bounds)
        shown = " and ".join(
            f"{sign if _MEETS[sign](value, bound) else _NOT[sign]} {bound:g}" for sign, bound in self.bounds
        )
        return f"{self.metric} {readable(item['actual'])} {shown}, {known}", met

    def words(self) -> str:
        """What it asks, in words."""
        bounds = " and ".join(f"{sign} {bound:g}" for sign, bound in self.bounds)
        return f"{self.metric} {bounds}, compared with the number itself, {self.min_grade} or better"


#: A finite decimal number, as sources write them.
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_MEETS = {
    "≥": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "≤": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}
_NOT = {"≥": "<", ">": "≤", "≤": ">", "<": "≥"}


class SameSubject(Check, frozen=True, kw_only=True, tag="same_subject"):
    """What was judged is what was deployed, byte for byte."""

    gate: Pattern | Literal[""] = ""
    gate_type: GateType | Literal[""] = ""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        wanted = Wanted(self.gate, self.gate_type)
        found = wanted.of(hop)
        if not found:
            return unknown(
                f"no {wanted.word} of {hop.subject} is on record",
                f"a result of {with_article(wanted.word)} about {hop.subject}",
                "missing",
            )
        deciding = [item for group in groups(hop, found, before_release=False) for item in group.deciding]
        own = hop.record.get("digest")
        places = [
            one
            for one in hop.deployments
            if any(
                cause == hop.subject and edge["predicate"] == "deploys"
                for cause, _, edge in hop.graph.in_edges(one, data=True)
            )
        ]
        # What is deployed of another thing says nothing of this one's bytes.
        digests = [hop.attributes(one).get("model_digest") for one in places] or [None]
        deployed = {str(digest) for one in digests if (digest := one or own)}
        if len(deployed) != 1:
            what = "several digests are deployed" if deployed else "the digest of what was deployed is not recorded"
            return unknown(what, "the digest of what was deployed", used=deciding)
        (digest,) = deployed
        results = [self._compare(pair, digest) for pair in deciding]
        return worst(results)

    def _compare(self, pair: Numbered, deployed: str) -> Result:
        judged, gate = str(pair[1].get("subject_digest", "")), pair[1]["gate"]
        if not judged:
            return unknown(
                f"{gate} does not say which bytes it judged", f"the digest that {gate} judged", "missing", [pair]
            )
        if not (_is_full(judged) and _is_full(deployed)) or judged.partition(":")[0] != deployed.partition(":")[0]:
            return unknown(
                f"{gate} judged {judged}, {deployed} was deployed: not comparable",
                "full digests of one kind",
                used=[pair],
            )
        if judged == deployed:
            return holds(f"{gate} judged {judged[:19]}…, and that was deployed", [pair])
        return fails(f"{gate} judged {judged[:19]}…, and {deployed[:19]}… was deployed", [pair])

    def words(self) -> str:
        """What it asks, in words."""
        return f"{with_article(Wanted(self.gate, self.gate_type).word)} judged the very bytes that were deployed"


def _is_full(digest: str) -> bool:
    kind, _, value = digest.partition(":")
    return len(value) == _FULL.get(kind) and all(char in "0123456789abcdef" for char in value)


class Order(Check, frozen=True, kw_only=True, tag="order"):
    """Gates came one after the other.

    Attributes
    ----------
    steps : tuple of str
        Gate types, and ``release``.
    """

    steps: tuple[GateType | Literal["release"], ...]

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        # When the step after came, and when it came at the latest: what has no time may have come when the step after did.
        reached: int | None = None
        latest_: int | None = None
        later, bound = "", ""
        used: list[Numbered] = []
        told: list[str] = []
        open_: list[Result] = []
        # From the last step back: of each gate, the latest record that came in time.
        for step in reversed(self.steps):
            word = step.replace("_", " ")
            found = [] if step == "release" else [pair for pair in Wanted("", step).of(hop) if self._holding(pair, hop)]
            if step == "release":
                times: list[int | None] = [hop.release]
            elif not found:
                why = f"no {word} of {hop.subject} that holds is on record"
                open_.append(unknown(why, f"a result of {with_article(word)}", "missing"))
                continue
            else:
                times = [when_of(item) for _, item in found]
            dated = [when for when in times if when is not None]
            in_time = [when for when in dated if reached is None or when <= reached]
            possible = [when for when in dated if latest_ is None or when <= latest_]
            if not possible and None not in times:
                said = f"the release, at {from_micros(hop.release or 0)}"
                if found:
                    said = sentence(min(found, key=lambda pair: when_of(pair[1]) or 0)[1])
                return fails(f"{said}, which is after {bound}", [*used, *found])
            if None not in times:
                latest_, bound = max(possible), f"the {word}"
            if not in_time:
                # What has no time may have come in time, and what comes later may have come later still.
                open_.append(
                    unknown(
                        f"the time of the {word}{f' or of {later}' if later else ''} is not recorded",
                        f"the time of the {word}",
                        used=found,
                    )
                )
                continue
            reached, later = max(in_time), f"the {word}"
            used += [pair for pair in found if when_of(pair[1]) == reached]
            told.append(word if not found else f"{word} at {from_micros(reached)}")
        if open_:
            return worst(open_)
        return holds("in order: " + ", then ".join(reversed(told)), used)

    def _holding(self, pair: Numbered, hop: Hop) -> bool:
        return OUTCOME_OF[status_of(pair[1], hop.facts.as_of)[0]] == "holds"

    def words(self) -> str:
        """What it asks, in words."""
        return f"in this order: {', '.join(step.replace('_', ' ') for step in self.steps)}"


class Unweakened(Check, frozen=True, kw_only=True, tag="unweakened"):
    """A gate was not passed by making it easier."""

    needs: ClassVar[frozenset[Need]] = frozenset({"conditions"})
    gate: Pattern | Literal[""] = ""
    gate_type: GateType | Literal[""] = ""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        wanted = Wanted(self.gate, self.gate_type)
        found = wanted.of(hop)
        if not found:
            return unknown(
                f"no {wanted.word} of {hop.subject} is on record",
                f"a result of {with_article(wanted.word)} about {hop.subject}",
                "missing",
            )
        results = [
            self._since(hop, pair) for group in groups(hop, found, before_release=False) for pair in group.deciding
        ]
        return worst(results)

    def _since(self, hop: Hop, pair: Numbered) -> Result:
        number, item = pair
        change = change_between(hop.facts.conditions.get((base_of(item["subject"]), item["gate"]), ()), number, item)
        return _RESULT[change.kind](change, pair)

    def words(self) -> str:
        """What it asks, in words."""
        return f"the condition of {with_article(Wanted(self.gate, self.gate_type).word)} is no weaker than before"


def _unknown_change(change: Change, pair: Numbered) -> Result:
    return unknown(
        change.words, f"a condition of {pair[1]['gate']} that can be compared with the one before", used=[pair]
    )


_RESULT = {
    "same": lambda change, pair: holds(change.words, [pair]),
    "stricter": lambda change, pair: holds(change.words, [pair]),
    "first": lambda change, pair: holds(change.words, [pair]),
    "weaker": lambda change, pair: fails(change.words, [pair]),
    "changed": _unknown_change,
    "unknown": _unknown_change,
}
