"""The only place where store, trace and policy meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from .audits import FORMAT, FORMAT_VERSION, Audit
from .content import dataset_row, evidence_rows, hop_rows, node_row, serving_row
from .gathering import add_evaluations, describe, evidence_about, fitting, instants
from .graph import lineage_graph
from .policy import EvidenceBySubject, Judge, Judgement, Outcome, Policy, conjunction, load_policy, verdict_of
from .records import format_instant
from .sentences import answer_of
from .trace import Finding, Serving, Trace, trace
from .version import __version__

if TYPE_CHECKING:
    from .store import Store


def audit(
    store: Store,
    endpoint: str,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    policy: str | Path | Policy | None = None,
) -> Audit:
    """Which data trained the model behind an endpoint, and what proves that it was allowed to?

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    policy : str, Path or Policy, optional
        A shipped policy's name or a TOML file; ``default`` by default.

    Returns
    -------
    Audit
        The answer with its graph, evidence, findings and verdict.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    PolicyError
        When the policy cannot be used.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn-prod")])
    ...     audit(store, "churn-prod").verdict
    'INCOMPLETE'
    """
    rules = load_policy(policy)
    with fitting(store):
        return _audit(store, endpoint, as_of, known_at, rules)


def _audit(
    store: Store, endpoint: str, as_of: datetime | str | None, known_at: datetime | str | None, rules: Policy
) -> Audit:
    ref = store.resolve(endpoint, "endpoint")
    asked, known = instants(store, as_of, known_at)
    graph = lineage_graph(store, ref, as_of=asked, known_at=known)
    add_evaluations(store, graph, asked, known)
    described = describe(store, graph, asked, known)
    evidence, evidence_records = evidence_about(store, graph, asked, known)
    result = trace(graph, ref)
    judge = Judge(result, rules, evidence)
    flow = _answering(result)
    judged = {
        (cause, effect, key): judge.hop(cause, effect, data)
        for cause, effect, key, data in result.graph.edges(keys=True, data=True)
        if data["predicate"] != "alternate_of"
        and not result.graph.nodes[effect].get("side")
        and cause in flow
        and effect in flow
    }
    findings = [
        *result.findings,
        *_unrequired(result, evidence, judged),
        *_unproved(store, evidence, asked, known),
    ]
    outcomes = _outcomes(result, judged, findings)
    whole = conjunction(outcomes.values()) if outcomes else "undetermined"
    content: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tool": {"name": "lineage-explorer", "version": __version__},
        "question": {
            "endpoint": ref,
            "as_of": format_instant(asked),
            "known_at": format_instant(known),
            "policy": {"name": rules.name, "version": rules.version, "digest": rules.digest},
        },
        "verdict": verdict_of(whole),
        "serving": [serving_row(item, outcomes.get(item)) for item in result.serving],
        "nodes": [node_row(result, node, described) for node in sorted(result.graph)],
    }
    content["evidence"], identity = evidence_rows(evidence, evidence_records, set(result.graph))
    content["hops"] = hop_rows(result, judged, evidence, identity, described)
    content["datasets"] = [dataset_row(result, node) for node in result.data()]
    content["findings"] = [
        {"severity": item.severity, "code": item.code, "ref": item.ref, "message": item.message}
        for item in sorted(
            set(findings), key=lambda item: (_SEVERITY[item.severity], item.code, item.ref, item.message)
        )
    ]
    content["answer"] = answer_of(content)
    return Audit(content, result.graph)


_SEVERITY = {"error": 0, "warning": 1, "info": 2}


# --- judging ---


def _unrequired(result: Trace, evidence: EvidenceBySubject, judged: Mapping[Any, list[Judgement]]) -> Iterable[Finding]:
    """Gates that failed and that the policy did not ask for: never unseen."""
    used = {number for items in judged.values() for item in items for number in item.evidence}
    for ref in sorted(result.graph):
        for number, item in evidence.get(ref, ()):
            if item["status"] == "failed" and number not in used:
                yield Finding(
                    "warning",
                    "failed-gate",
                    ref,
                    f"Gate {item['gate']!r} of {ref} failed; the policy does not require it",
                )


def _unproved(store: Store, evidence: EvidenceBySubject, as_of: datetime, known_at: datetime) -> Iterable[Finding]:
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


def _answering(result: Trace) -> set[str]:
    """What the answer rests on. A deployment without traffic is shown, and its hops are nobody's to judge."""
    flow = {result.endpoint}
    for item in result.serving:
        if item.answers:
            flow |= {item.deployment} | ({item.model, *nx.ancestors(result.graph, item.model)} if item.model else set())
    return flow


def _outcomes(
    result: Trace, judged: Mapping[tuple[str, str, Any], list[Judgement]], findings: Iterable[Finding]
) -> dict[Serving, Outcome]:
    """One outcome for each path that may answer requests."""
    errors = {item.ref for item in findings if item.severity == "error"}
    into: dict[str, list[tuple[str, list[Judgement]]]] = defaultdict(list)
    for (cause, effect, _), judgements in judged.items():
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
