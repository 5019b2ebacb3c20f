"""The only place where store, trace and policy meet: one question, from the records to a judged trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from .facts import facts_for
from .findings import Finding
from .gathering import add_evaluations, describe, evidence_about, refuse_misspelt, suppose
from .graph import lineage_graph
from .policy import EvidenceBySubject, Facts, Policy
from .records import format_instant
from .references import micros
from .trace import trace
from .verdicts import Judged, judged

if TYPE_CHECKING:
    from .store import Store
    from .store.walk import Described


class Asked(NamedTuple):
    """A question, resolved.

    Attributes
    ----------
    candidate : str
        A version that is judged as though the endpoint served it; empty for what it does serve.
    """

    endpoint: str
    as_of: datetime
    known_at: datetime
    candidate: str = ""
    environment: str = ""
    by: str = ""
    policy_as_of: datetime | None = None

    @property
    def judged_as_of(self) -> int | None:
        """The instant whose policy judges every hop, in microseconds since 1970 UTC; None: that of each event."""
        return None if self.policy_as_of is None else micros(format_instant(self.policy_as_of))


class Answered(NamedTuple):
    """What a question came to, and what that rests on.

    Attributes
    ----------
    described, evidence_records : dict
        Records by number, with where and when they were read.
    """

    judged: Judged
    described: dict[int, Described]
    evidence: EvidenceBySubject
    evidence_records: dict[int, Described]
    facts: Facts


def answered(store: Store, rules: Policy, asked: Asked, *, drawn: bool = True) -> Answered:
    """Gather what a question is about, and judge it.

    Parameters
    ----------
    drawn : bool
        False leaves out what only a drawing shows (lanes, witness paths).

    Raises
    ------
    PolicyError
        When the policy asks for a metric that is called nearly so in the records.
    """
    ref, as_of, known = asked.endpoint, asked.as_of, asked.known_at
    graph = lineage_graph(store, asked.candidate or ref, as_of=as_of, known_at=known)
    add_evaluations(store, graph, as_of, known)
    described = describe(store, graph, as_of, known)
    supposed = suppose(graph, asked.candidate, ref, asked.environment, as_of) if asked.candidate else ""
    evidence, evidence_records = evidence_about(store, graph, as_of, known)
    refuse_misspelt(store, rules, evidence)
    facts = facts_for(store, graph, ref, evidence, rules.needs, as_of, known)
    if supposed and asked.by:
        facts = replace(facts, agents={**facts.agents, supposed: (asked.by,)})
    proofs = unproved(store, evidence, as_of, known)
    result = judged(trace(graph, ref, drawn=drawn), rules, evidence, facts, asked.judged_as_of, proofs)
    return Answered(result, described, evidence, evidence_records, facts)


def unproved(store: Store, evidence: EvidenceBySubject, as_of: datetime, known_at: datetime) -> Iterable[Finding]:
    """Gate results that rest on a run which no record describes: a proof that cannot be looked at."""
    resting = [
        (ref, item)
        for ref, items in sorted(evidence.items())
        for _, item in items
        if item.get("pointer", "").startswith("run:") and item.get("grade", "claimed") != "claimed"
    ]
    runs = {item["pointer"] for _, item in resting}
    numbers = store.numbers(runs)
    nodes = store.nodes(numbers.values(), as_of, known_at)
    described = {run for run, number in numbers.items() if nodes[number].fact is not None}
    same = store.namesakes(runs - described, known_at)
    for ref, item in resting:
        if item["pointer"] not in described and len(same[item["pointer"]]) != 1:
            yield Finding(
                "error",
                "missing-proof",
                ref,
                f"Gate {item['gate']!r} of {ref} rests on {item['pointer']}, which no record describes",
            )
