"""From judged hops to a verdict: what the answer rests on, one outcome for each path, and what a reader must be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from .findings import Finding
from .policy import EvidenceBySubject, Facts, Judge, Judgement, Outcome, Policy, base_of, change_between, conjunction
from .policy.logic import OUTCOME_OF
from .records import format_instant
from .trace import Serving, Trace

Key = tuple[str, str, Any]
_SEVERITY = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Judged:
    """A trace, judged.

    Attributes
    ----------
    hops : dict
        By (cause, effect, key of the relation): what each requirement came to.
    findings : list of Finding
        The trace's own, and what judging brought up.
    outcomes : dict
        One for each path that may answer requests.
    applied : dict
        How many hops each version of the policy judged.
    """

    trace: Trace
    hops: dict[Key, list[Judgement]]
    findings: list[Finding]
    outcomes: dict[Serving, Outcome]
    applied: dict[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> Outcome:
        """The worst of all paths; of none, nothing can be said."""
        return conjunction(self.outcomes.values()) if self.outcomes else "undetermined"

    @property
    def told(self) -> list[Finding]:
        """The findings, each once, the most severe first."""
        return sorted(
            set(self.findings), key=lambda item: (_SEVERITY[item.severity], item.code, item.ref, item.message)
        )

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many requirements came to each outcome."""
        found: dict[Outcome, int] = {"holds": 0, "fails": 0, "undetermined": 0}
        for judgements in self.hops.values():
            for item in judgements:
                found[item.outcome] += 1
        return found


def judged(
    result: Trace,
    policy: Policy,
    evidence: EvidenceBySubject,
    facts: Facts,
    judged_as_of: int | None = None,
    known: Iterable[Finding] = (),
) -> Judged:
    """Judge every hop that the answer rests on.

    Parameters
    ----------
    known : iterable of Finding
        What was found while gathering; an error among them keeps its path from passing.
    """
    judge = Judge(result, policy, evidence, facts, judged_as_of)
    flow = _answering(result)
    hops = {
        (cause, effect, key): judge.hop(cause, effect, data)
        for cause, effect, key, data in result.graph.edges(keys=True, data=True)
        if data["predicate"] != "alternate_of"
        and not result.graph.nodes[effect].get("side")
        and cause in flow
        and effect in flow
    }
    findings = [
        *result.findings,
        *_unrequired(result, evidence, hops),
        *_weakened(result, evidence, facts),
        *_stale(result, evidence),
        *_waivers(judge, hops),
        *known,
    ]
    return Judged(result, hops, findings, _outcomes(result, hops, findings), dict(judge.applied))


# --- what a reader must be told ---


def _unrequired(result: Trace, evidence: EvidenceBySubject, hops: Mapping[Key, list[Judgement]]) -> Iterator[Finding]:
    """Gates that failed and that the policy did not ask for: never unseen."""
    used = {number for items in hops.values() for item in items for number in item.evidence}
    for ref in sorted(result.graph):
        for number, item in evidence.get(ref, ()):
            if item["status"] == "failed" and number not in used:
                yield Finding(
                    "warning",
                    "failed-gate",
                    ref,
                    f"Gate {item['gate']!r} of {ref} failed; the policy does not require it",
                )


def _weakened(result: Trace, evidence: EvidenceBySubject, facts: Facts) -> Iterator[Finding]:
    """Gates that hold by a condition which asks less than the one before."""
    for ref in sorted(result.graph):
        for number, item in evidence.get(ref, ()):
            if OUTCOME_OF[item["status"]] != "holds":
                continue
            change = change_between(facts.conditions.get((base_of(item["subject"]), item["gate"]), ()), number, item)
            if change.kind in ("weaker", "changed"):
                message = f"Gate {item['gate']!r} of {ref} holds, and {change.words}"
                if change.kind == "weaker":
                    yield Finding("warning", "gate-weakened", ref, message)
                else:
                    yield Finding("info", "gate-changed", ref, message)


def _stale(result: Trace, evidence: EvidenceBySubject) -> Iterator[Finding]:
    for ref in sorted(result.graph):
        for _, item in evidence.get(ref, ()):
            if item["status"] == "stale" and item.get("because"):
                yield Finding(
                    "warning", "stale-evidence", ref, f"Gate {item['gate']!r} of {ref} is stale: {item['because']}"
                )


def _waivers(judge: Judge, hops: Mapping[Key, list[Judgement]]) -> Iterator[Finding]:
    for items in hops.values():
        for item in items:
            if item.waiver is not None:
                by, until = item.waiver.by, format_instant(item.waiver.until)
                text = f"“{item.title}” is waived for {item.waiver.subject} by {by} until {until}: {item.waiver.why}"
                yield Finding("info", "waiver-in-force", item.waiver.subject, text)
    for waiver, subject in judge.expired:
        text = (
            f"A waiver of {waiver.requirement!r} for {subject} by {waiver.by} expired at {format_instant(waiver.until)}"
        )
        yield Finding("warning", "waiver-expired", subject, text)


# --- paths ---


def _answering(result: Trace) -> set[str]:
    """What the answer rests on. A deployment without traffic is shown, and its hops are nobody's to judge."""
    flow = {result.endpoint}
    for item in result.serving:
        if item.answers:
            flow |= {item.deployment} | ({item.model, *nx.ancestors(result.graph, item.model)} if item.model else set())
    return flow


def _outcomes(
    result: Trace, hops: Mapping[Key, list[Judgement]], findings: Iterable[Finding]
) -> dict[Serving, Outcome]:
    """One outcome for each path that may answer requests."""
    errors = {item.ref for item in findings if item.severity == "error"}
    into: dict[str, list[tuple[str, list[Judgement]]]] = defaultdict(list)
    for (cause, effect, _), judgements in hops.items():
        into[effect].append((cause, judgements))
    serving: dict[str, list[Outcome]] = defaultdict(list)
    for cause, judgements in into[result.endpoint]:
        serving[cause] += [judgement.outcome for judgement in judgements]
    upstream: dict[str, set[str]] = {}
    behind: dict[str, list[Outcome]] = {}
    outcomes: dict[Serving, Outcome] = {}
    for item in result.serving:
        if not item.answers:
            continue
        found = list(serving[item.deployment])
        if item.model is not None:
            if item.model not in behind:  # many deployments may run one model
                upstream[item.model] = path = {item.model, *nx.ancestors(result.graph, item.model)}
                behind[item.model] = _among(path, into, errors)
            found += behind[item.model]
        found += [
            judgement.outcome
            for cause, judgements in into[item.deployment]
            if item.model is not None and cause in upstream[item.model]
            for judgement in judgements
        ]
        if item.deployment in errors or result.endpoint in errors:
            found.append("undetermined")
        outcomes[item] = conjunction(found)
    return outcomes


def _among(path: set[str], into: Mapping[str, list[tuple[str, list[Judgement]]]], errors: set[str]) -> list[Outcome]:
    """The different outcomes of the hops among some things."""
    found: set[Outcome] = {
        judgement.outcome
        for effect in path
        for cause, judgements in into.get(effect, ())
        if cause in path
        for judgement in judgements
    }
    return sorted(found | {"undetermined"} if errors & path else found)
