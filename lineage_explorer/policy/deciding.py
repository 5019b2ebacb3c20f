"""Which evidence counts, and what it comes to: groups, deciding records, waivers, order with the release.

docs/policies.md ("Evidence that counts") states the rules; nothing here is looser than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..records import GRADES, Status
from ..references import micros
from .checks.base import before as earlier
from .checks.base import in_words, matches
from .hop import Hop, Numbered, Result, fails, unknown, weakest, when_of
from .logic import OUTCOME_OF, WORST, Outcome

Deciding = list[Numbered]


#: Types of gates that have a noun of their own; the others are gates of something.
_NAMES = {"evaluation": "evaluation", "approval": "approval"}


@dataclass(frozen=True)
class Wanted:
    """Which evidence a check asks for; empty words ask for any."""

    gate: str = ""
    gate_type: str = ""

    def of(self, hop: Hop) -> list[Numbered]:
        """The evidence about the hop's subject."""
        found = [
            (number, item)
            for number, item in hop.evidence_about(hop.subject)
            if (not self.gate_type or item.get("gate_type", "other") == self.gate_type)
            and (not self.gate or matches(self.gate, item["gate"]))
        ]
        # A measurement without a condition judges nothing, unless there is nothing else.
        return [pair for pair in found if not _judges_nothing(pair[1])] or found

    @property
    def word(self) -> str:
        """What to call it in a sentence."""
        kind = _NAMES.get(self.gate_type, f"{self.gate_type.replace('_', ' ')} gate" if self.gate_type else "gate")
        return f"{kind} {self.gate!r}" if self.gate else kind


def _judges_nothing(item: Mapping[str, Any]) -> bool:
    """Whether it is a number to which nobody compared anything, and nothing else (``because`` says what became of a result)."""
    return bool(
        item["status"] == "undetermined" and item.get("actual") and not item.get("expected") and not item.get("because")
    )


def with_article(word: str) -> str:
    """A noun with its article.

    Examples
    --------
    >>> with_article("evaluation")
    'an evaluation'
    """
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


@dataclass(frozen=True)
class Group:
    """The records of one gate (of one approver), and what they come to.

    Attributes
    ----------
    deciding : list
        The records that decide.
    result : Result
        What they come to.
    """

    gate: str
    approval: bool
    deciding: Deciding
    result: Result


def groups(hop: Hop, items: Iterable[Numbered], *, before_release: bool) -> list[Group]:
    """Group evidence by gate, and approvals by who approved, and decide each group."""
    gates: dict[str, list[Numbered]] = {}
    for number, item in items:
        gates.setdefault(item["gate"], []).append((number, item))
    found: dict[tuple[str, str], list[Numbered]] = {}
    for gate, members in gates.items():
        unnamed = [pair for pair in members if not _approver(pair[1])]
        names = sorted({name for _, item in members if (name := _approver(item))})
        # What nobody's name stands under may be anybody's: it counts with each of them.
        for name in names or [""]:
            found[gate, name] = [pair for pair in members if pair in unnamed or _approver(pair[1]) == name]
    decided: list[Group] = []
    for (gate, _), members in sorted(found.items()):
        approval = any(item.get("gate_type") == "approval" for _, item in members)
        deciding, result = _decide(hop, members, before_release=before_release)
        decided.append(Group(gate, approval, deciding, result))
    return decided


def _approver(item: Mapping[str, Any]) -> str:
    """Who approved; empty for what is no approval, of which a later result replaces an earlier one, whoever measured."""
    return str(item.get("evaluator", "")) if item.get("gate_type") == "approval" else ""


def together(decided: Sequence[Group]) -> Result:
    """The worst of some groups; approvals of one gate that contradict each other decide nothing."""
    results: list[Result] = []
    for gate in dict.fromkeys(group.gate for group in decided):
        mine = [group for group in decided if group.gate == gate]
        outcomes = {group.result.outcome for group in mine}
        if all(group.approval for group in mine) and {"holds", "fails"} <= outcomes:
            used = [item for group in mine for item in group.deciding]
            why = f"{gate}: approvals contradict each other ({'; '.join(group.result.why for group in mine)})"
            results.append(unknown(why, "an approval that says which of them stands", used=used))
        else:
            results += [group.result for group in mine]
    return worst(results)


def worst(results: Sequence[Result]) -> Result:
    """The worst of some results, explained by all of them, the worst first."""
    ordered = sorted(results, key=lambda result: WORST[result.outcome])
    first = ordered[0]
    used = tuple(dict.fromkeys(number for result in ordered for number in result.evidence))
    grades = [result.grade for result in ordered if result.grade]
    status = first.status
    if first.outcome == "holds" and any(result.status == "waived" for result in ordered):
        status = "waived"
    return Result(
        first.outcome,
        status,
        "; ".join(dict.fromkeys(result.why for result in ordered)),
        "; ".join(dict.fromkeys(result.needed for result in ordered if result.needed))
        if first.outcome == "undetermined"
        else "",
        max(grades, key=GRADES.index, default=""),
        used,
    )


def _decide(hop: Hop, members: list[Numbered], *, before_release: bool) -> tuple[Deciding, Result]:
    if not before_release:
        deciding = latest(members)
        return deciding, outcome_of(hop, deciding)
    release = hop.release
    if release is None:
        deciding = latest(members)
        result = outcome_of(hop, deciding)
        if result.outcome != "holds":
            return deciding, result
        return deciding, unknown(
            f"{result.why}; the time of the release is not recorded, so the order is not known",
            "the time of the release",
            used=deciding,
        )
    earlier_ones = [pair for pair in members if (when_of(pair[1]) is None or cast(int, when_of(pair[1])) <= release)]
    dated = [pair for pair in earlier_ones if when_of(pair[1]) is not None]
    later = [pair for pair in members if pair not in earlier_ones]
    deciding = latest(earlier_ones) if dated or not later else latest(members)
    result = outcome_of(hop, deciding)
    if result.outcome == "holds" and any(when_of(item) is None for _, item in deciding):
        return deciding, unknown(
            f"{result.why}; the time of the gate is not recorded, so the order is not known",
            "the time of the gate",
            used=deciding,
        )
    if result.outcome == "holds" and later and not dated:
        return deciding, fails(f"{result.why}, which is after the release", deciding)
    if later:
        last = latest(later)
        since = outcome_of(hop, last)
        if since.outcome == "fails" and result.outcome != "fails":
            return last, fails(f"{since.why}, after the release; before it: {result.why}", [*last, *deciding])
    return deciding, result


def latest(members: Sequence[Numbered]) -> Deciding:
    """The records of the latest time, and those without a time, whose order is not known."""
    times = [when for when in (when_of(item) for _, item in members) if when is not None]
    last = max(times, default=None)
    return [pair for pair in members if when_of(pair[1]) in (None, last)]


def outcome_of(hop: Hop, deciding: Deciding) -> Result:
    """What some records that decide together come to."""
    judged = [(pair, *status_of(pair[1], hop.facts.as_of)) for pair in deciding]
    (_, best), status, why_not = min(judged, key=lambda one: GRADES.index(one[0][1].get("grade", "claimed")))
    outcomes = {OUTCOME_OF[one] for _, one, _ in judged}
    if len(outcomes) > 1:
        said = ", ".join(sorted({one for _, one, _ in judged}))
        return unknown(
            f"{best['gate']}: records contradict each other ({said})",
            f"a dated record of {best['gate']} that says which of them stands",
            used=deciding,
        )
    outcome: Outcome = OUTCOME_OF[status]
    why = sentence(best) + (f" ({why_not})" if why_not else "")
    needed = "" if outcome != "undetermined" else _needed(best, status, why_not)
    return Result(outcome, status, why, needed, weakest(deciding), tuple(number for number, _ in deciding))


def status_of(item: Mapping[str, Any], as_of: int) -> tuple[Status, str]:
    """A record's status, and why it is not what it says: a waiver needs who, why and until when, and expires."""
    status: Status = item["status"]
    if status != "waived":
        return status, ""
    attributes = item.get("attributes", {})
    missing = [
        word
        for word, have in (
            ("who waived it", item.get("evaluator")),
            ("why", attributes.get("reason") or attributes.get("why")),
            ("until when", item.get("valid_to")),
        )
        if not have
    ]
    if missing:
        return "undetermined", f"the waiver does not say {', '.join(missing)}"
    if micros(item["valid_to"]) <= as_of:
        return "stale", f"the waiver expired at {item['valid_to']}"
    return "waived", ""


def _needed(item: Mapping[str, Any], status: str, why_not: str) -> str:
    if why_not:
        return f"a waiver of {item['gate']} that says who, why and until when, and is in force"
    return {
        "pending": f"a decision on {item['gate']}",
        "stale": f"{item['gate']} judged again",
        "missing": f"a result of {item['gate']}",
    }.get(status, f"a result of {item['gate']} that can be read as passed or failed")


def graded(result: Result, minimum: str) -> Result:
    """The result, unless it holds by evidence weaker than a policy accepts."""
    if result.outcome != "holds" or not result.grade or GRADES.index(result.grade) <= GRADES.index(minimum):
        return result
    return Result(
        "undetermined",
        "undetermined",
        f"{result.why}; the policy asks for grade {minimum}",
        f"evidence of grade {minimum} or better",
        result.grade,
        result.evidence,
    )


def recent(result: Result, deciding: Deciding, as_of: int, duration: str) -> Result:
    """The result, unless it holds by evidence that is older than a policy accepts."""
    if result.outcome != "holds" or not duration:
        return result
    oldest = earlier(as_of, duration)
    times = [when_of(item) for _, item in deciding]
    if any(when is None for when in times):
        why, status, needed = (
            "its time is not recorded, so its age is not known",
            "undetermined",
            "the time of the gate",
        )
    elif any(when is not None and when < oldest for when in times):
        why, status, needed = (
            f"older than {in_words(duration)}",
            "stale",
            f"a result not older than {in_words(duration)}",
        )
    else:
        return result
    return Result("undetermined", cast(Status, status), f"{result.why}; {why}", needed, result.grade, result.evidence)


# --- words ---


def readable(value: str) -> str:
    """A measured number to six digits: enough for every threshold people write, and still a word in a sentence."""
    try:
        return f"{float(value):.6g}" if len(value) > 9 else value
    except ValueError:
        return value


def sentence(item: Mapping[str, Any]) -> str:
    """One record of a gate in words: what it says, how it is known, who says so and when."""
    parts = [f"{item['gate']}: {item['status']}"]
    if item.get("actual") or item.get("expected"):
        actual, expected = readable(item.get("actual", "?")), item.get("expected", "")
        parts.append(f"({actual}, expected {expected})" if expected else f"({actual}, no condition recorded)")
    parts.append(item.get("grade", "claimed"))
    if item.get("because"):
        parts.append(f"- {item['because']}")
    if item.get("pointer"):
        parts.append(f"from {item['pointer']}")
    if item.get("evaluator"):
        parts.append(f"by {item['evaluator']}")
    if item.get("event_time"):
        parts.append(f"at {item['event_time']}")
    return " ".join(parts)
