"""A policy applied to a trace, hop by hop: which version judges, what it asks of the hop, and what that comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from ..records import Status, format_instant
from ..references import micros
from ..trace import Trace
from .checks.base import Check
from .checks.things import environment_of
from .deciding import worst
from .facts import Facts
from .format import AllOf, Condition, Guard, NotOf, Policy, PolicyVersion, Requirement, Waiver
from .hop import EvidenceBySubject, Hop, Result, Setting, holds, unknown
from .logic import STATUS_OF, Outcome, conjunction, disjunction, negation

#: The requirement that a version of the policy was in force; it stands in no file.
IN_FORCE = "policy-in-force"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What one requirement came to on one hop.

    Attributes
    ----------
    outcome : Outcome
        Holds, fails, or cannot be determined.
    status : Status
        In the words of gates (``passed``, ``missing``, ``waived``, ...).
    why : str
        The comparison that was made.
    needed : str
        What would decide it; empty when it is decided.
    grade : str
        The weakest grade of the evidence used; empty when none was.
    evidence : tuple of int
        Numbers of the records used.
    cites : str
        The text that the requirement is built on.
    policy_version : str
        The version that judged.
    waiver : Waiver or None
        The policy's own waiver by which it holds.
    """

    requirement: str
    title: str
    outcome: Outcome
    status: Status
    why: str
    needed: str = ""
    grade: str = ""
    evidence: tuple[int, ...] = ()
    cites: str = ""
    policy_version: str = ""
    waiver: Waiver | None = None


class Judge:
    """Applies one policy to one trace.

    Parameters
    ----------
    trace : Trace
        As :func:`lineage_explorer.trace.trace` gives it.
    policy : Policy
        What to require.
    evidence : mapping
        By subject: (record number, evidence record as plain JSON), only what was visible at the instant.
    facts : Facts
        What the policy needs beside them (:attr:`Policy.needs`).
    judged_as_of : int, optional
        Judge every hop by the version in force at this instant, in microseconds since 1970 UTC.

    Attributes
    ----------
    applied : Counter
        How many hops each version judged.
    expired : list of (Waiver, str)
        Waivers that would have applied, and have expired, with the hop's subject.
    """

    def __init__(
        self,
        trace: Trace,
        policy: Policy,
        evidence: EvidenceBySubject,
        facts: Facts,
        judged_as_of: int | None = None,
    ) -> None:
        self._setting = Setting(trace, evidence, facts)
        self._policy = policy
        self._fixed = None if judged_as_of is None else policy.in_force(judged_as_of)
        self._any = judged_as_of is None
        self._always = policy.versions[0] if len(policy.versions) == 1 and policy.versions[0].since is None else None
        now = policy.in_force(facts.as_of) if judged_as_of is None else self._fixed
        self._waivers = now.waiver if now is not None else ()
        self._asked: dict[tuple[str, str, str, str], list[Requirement]] = {}
        self.applied: Counter[str] = Counter()
        self.expired: list[tuple[Waiver, str]] = []

    def hop(self, cause: str, effect: str, edge: Mapping[str, Any]) -> list[Judgement]:
        """Every requirement that this hop must meet, judged."""
        hop = Hop(self._setting, cause, effect, edge)
        versions = self._versions(hop)
        if len(versions) == 1:
            return self._by(versions[0], hop)
        if not versions:
            return self._not_in_force(hop)
        found = [(version, judged) for version in versions if (judged := self._by(version, hop, count=False))]
        outcomes = {conjunction(item.outcome for item in judged) for _, judged in found}
        if not found:
            return []
        if len(outcomes) == 1:
            self.applied[found[-1][0].version] += 1
            return found[-1][1]
        names = " and ".join(version.version for version, _ in found)
        why = f"when it happened is not recorded, and versions {names} of the policy come to different outcomes"
        return [_in_force(unknown(why, f"the time of what {hop.effect} stands for"))]

    def _versions(self, hop: Hop) -> tuple[PolicyVersion, ...]:
        if self._always is not None:
            return (self._always,)
        if not self._any:
            return () if self._fixed is None else (self._fixed,)
        event = hop.event
        if event is None:
            return self._policy.until(hop.facts.as_of)
        found = self._policy.in_force(event)
        return () if found is None else (found,)

    def _not_in_force(self, hop: Hop) -> list[Judgement]:
        """Nothing judged: said where some version asks anything of such a hop."""
        if not any(list(self._requirements(version, hop)) for version in self._policy.versions):
            return []
        first = self._policy.versions[0]
        since = (
            "" if first.effective_from is None else f"; the first took effect at {format_instant(first.effective_from)}"
        )
        why = f"no version of policy {self._policy.name} was in force when it happened{since}"
        return [_in_force(unknown(why, "a policy that was in force then, or --policy-as-of", "missing"))]

    def _requirements(self, version: PolicyVersion, hop: Hop) -> Iterator[Requirement]:
        kinds = hop.graph.nodes[hop.cause]["kind"], hop.edge["predicate"], hop.graph.nodes[hop.effect]["kind"]
        key = (version.version, *kinds)
        if key not in self._asked:
            self._asked[key] = [one for one in version.requirement if one.matches(*kinds)]
        for one in self._asked[key]:
            if not one.role or one.role in hop.trace.roles.get(hop.cause, ()):
                yield one

    def _by(self, version: PolicyVersion, hop: Hop, *, count: bool = True) -> list[Judgement]:
        judged: list[Judgement] = []
        for requirement in self._requirements(version, hop):
            on = (
                hop
                if requirement.of == "cause"
                else Hop(self._setting, hop.cause, hop.effect, hop.edge, requirement.of)
            )
            guard = None if requirement.when is None else guard_of(requirement.when, on)
            if guard is not None and guard.outcome == "fails":
                continue
            result = evaluate(requirement.condition, on)
            if guard is not None and guard.outcome == "undetermined":
                result = unknown(f"whether this is required cannot be determined: {guard.why}", guard.needed, used=())
            judged.append(self._judgement(version, requirement, on, result))
        if judged and count:
            self.applied[version.version] += 1
        return judged

    def _judgement(self, version: PolicyVersion, requirement: Requirement, hop: Hop, result: Result) -> Judgement:
        waiver = None
        if result.outcome != "holds":
            result, waiver = self._waived(requirement, hop, result)
        return Judgement(
            requirement=requirement.id,
            title=requirement.title,
            outcome=result.outcome,
            status=result.status,
            why=result.why,
            needed=result.needed if result.outcome == "undetermined" else "",
            grade=result.grade,
            evidence=result.evidence,
            cites=requirement.cites,
            policy_version=version.version,
            waiver=waiver,
        )

    def _waived(self, requirement: Requirement, hop: Hop, result: Result) -> tuple[Result, Waiver | None]:
        granted = [
            (format_instant(waiver.until), waiver)
            for waiver in self._waivers
            if waiver.requirement == requirement.id and waiver.subject == hop.subject
        ]
        for until, waiver in granted:
            if micros(until) <= hop.facts.as_of:
                continue
            why = f"waived by {waiver.by} until {until} ({waiver.why}); without the waiver: {result.why}"
            return Result("holds", "waived", why, "", result.grade, result.evidence), waiver
        if granted:
            until, waiver = max(granted, key=lambda one: one[1].until)
            self.expired.append((waiver, hop.subject))
            return replace(result, why=f"{result.why}; a waiver by {waiver.by} expired at {until}"), None
        return result, None


def _in_force(result: Result) -> Judgement:
    return Judgement(
        requirement=IN_FORCE,
        title="A version of the policy was in force",
        outcome=result.outcome,
        status=result.status,
        why=result.why,
        needed=result.needed,
    )


# --- conditions ---


def evaluate(condition: Condition, hop: Hop) -> Result:
    """What a condition comes to on a hop."""
    if isinstance(condition, Check):
        return condition.judge(hop)
    if isinstance(condition, NotOf):
        inner = evaluate(condition.not_, hop)
        return _combined(negation(inner.outcome), [inner], f"not ({inner.why})")
    if isinstance(condition, AllOf):
        parts = [evaluate(part, hop) for part in condition.all]
        outcome = conjunction(part.outcome for part in parts)
        return _combined(outcome, parts, _joined(parts, outcome, "; "))
    parts = [evaluate(part, hop) for part in condition.any]
    outcome = disjunction(part.outcome for part in parts)
    return _combined(outcome, parts, _joined(parts, outcome, "; or "))


def _joined(parts: Iterable[Result], outcome: Outcome, between: str) -> str:
    """What decided it comes first; the rest stays, because a sceptic wants to see that it was looked at."""
    ordered = sorted(parts, key=lambda part: part.outcome != outcome)
    return between.join(dict.fromkeys(part.why for part in ordered))


def _combined(outcome: Outcome, parts: list[Result], why: str) -> Result:
    deciding = [part for part in parts if part.outcome == outcome] or parts
    together = worst(deciding)
    status: Status = STATUS_OF[outcome]
    if outcome != "fails" and together.outcome == outcome:
        status = together.status
    needed = together.needed if outcome == "undetermined" else ""
    return Result(outcome, status, why, needed, together.grade, together.evidence)


# --- guards ---


def guard_of(guard: Guard, hop: Hop) -> Result:
    """Whether a requirement applies to a hop."""
    found: list[Result] = []
    if guard.environment:
        found.append(_environment(_words(guard.environment), hop))
    if guard.kind:
        found.append(_kind(_words(guard.kind), hop))
    found += [_tag(key, text, hop) for key, text in sorted(guard.tag.items())]
    return _combined(conjunction(one.outcome for one in found), found, "; ".join(one.why for one in found))


def _words(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _environment(wanted: tuple[str, ...], hop: Hop) -> Result:
    named = {environment_of(hop, deployment) for deployment in hop.deployments}
    if {word.casefold() for word in named} & {word.casefold() for word in wanted}:
        return holds(f"deployed in {' or '.join(wanted)}")
    if not named or "" in named:
        where = next((ref for ref in hop.deployments if not environment_of(hop, ref)), "its deployment")
        return unknown(f"the environment of {where} is not recorded", f"the environment of {where}")
    return Result("fails", "failed", f"deployed in {', '.join(sorted(named))}")


def _kind(wanted: tuple[str, ...], hop: Hop) -> Result:
    kinds = {hop.graph.nodes[ref]["kind"] for ref in hop.released}
    if kinds & {*wanted}:
        return holds(f"{' or '.join(wanted)}")
    if not kinds:
        return unknown("what is released is not on record", "what the deployment releases")
    return Result("fails", "failed", f"{', '.join(sorted(kinds))}")


def _tag(key: str, text: str, hop: Hop) -> Result:
    attributes = hop.attributes(hop.subject)
    tags = attributes.get("tags")
    found = {
        str(table[key])
        for table in (tags if isinstance(tags, Mapping) else {}, attributes)
        if table.get(key) is not None
    }
    if found == {text}:
        return holds(f"{key} is {text}")
    if len(found) > 1:
        return unknown(f"{key} is {' and '.join(sorted(found))}", f"one tag {key!r} of {hop.subject}")
    if found:
        return Result("fails", "failed", f"{key} is {found.pop()}")
    return unknown(f"{hop.subject} has no tag {key!r}", f"the tag {key!r} of {hop.subject}")
