"""What a policy looks at beside the trace, gathered from a store: people, releases, lives of versions, conditions of gates."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import networkx as nx

from .lifecycles import lives_of, spans_of
from .policy import Condition, EvidenceBySubject, Facts, base_of
from .policy.facts import Need
from .policy.hop import when_of
from .records import Ref
from .references import micros, micros_of
from .roles import RELEASED_KINDS

if TYPE_CHECKING:
    from .store import Store

#: Kinds that somebody makes or releases.
_AUTHORED = RELEASED_KINDS | {"run", "deployment"}


def facts_for(
    store: Store,
    graph: nx.MultiDiGraph[str],
    endpoint: str,
    evidence: EvidenceBySubject,
    needs: frozenset[Need],
    as_of: datetime,
    known_at: datetime,
) -> Facts:
    """What a policy needs beside the trace, and the conditions of gates, whose weakening is told under every policy."""
    releases = spans_of(store, endpoint, as_of, known_at) if "releases" in needs else None
    bases = {base_of(ref) for ref, data in graph.nodes(data=True) if data["kind"] in RELEASED_KINDS}
    # What served before may have had another name.
    bases |= {base_of(share.model) for span in releases or () for share in span.shares if share.model}
    lives, complete = lives_of(store, bases, as_of, known_at) if "lives" in needs else ({}, {})
    return Facts(
        as_of=micros_of(as_of),
        agents=agents_of(store, graph, as_of, known_at) if "agents" in needs else {},
        releases=releases,
        lives=lives,
        complete=complete,
        conditions=conditions_of(store, evidence, as_of, known_at),
    )


def agents_of(
    store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime
) -> dict[str, tuple[str, ...]]:
    """Who is associated with the models, runs and deployments of a graph."""
    numbers = store.numbers(ref for ref, data in graph.nodes(data=True) if data["kind"] in _AUTHORED)
    edges = store.beside(numbers.values(), "was_associated_with", as_of, known_at, effects=True)
    named = store.nodes({edge.cause for edge in edges}, as_of, known_at)
    refs = {number: ref for ref, number in numbers.items()}
    found: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        found[refs[edge.effect]].add(named[edge.cause].ref)
    return {ref: tuple(sorted(names)) for ref, names in found.items()}


def conditions_of(
    store: Store, evidence: EvidenceBySubject, as_of: datetime, known_at: datetime
) -> dict[tuple[str, str], tuple[Condition, ...]]:
    """Every record of the gates that state a condition, also about other versions of what they judged."""
    wanted = {
        (base_of(item["subject"]), item["gate"])
        for items in evidence.values()
        for _, item in items
        if item.get("expected") or "expectations" in item.get("attributes", {})
    }
    if not wanted:
        return {}
    bases = {base for base, _ in wanted}
    said = [
        (base_of(ref), seq)
        for ref, seq in store.evidence_before({Ref.parse(base).name for base in bases}, as_of, known_at)
        if base_of(ref) in bases
    ]
    described = store.describe(seq for _, seq in said)
    instant = micros_of(as_of)
    found: dict[tuple[str, str], list[Condition]] = defaultdict(list)
    for base, seq in said:
        item = json.loads(described[seq].json)
        key = (base, item["gate"])
        # What was judged after the instant asked about had not happened then, whenever it was read.
        if key in wanted and ("event_time" not in item or micros(item["event_time"]) <= instant):
            found[key].append(Condition(seq, when_of(item), item))
    return {
        key: tuple(sorted(items, key=lambda one: (one.when is not None, one.when or 0, one.number)))
        for key, items in found.items()
    }
