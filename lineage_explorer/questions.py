"""The only place where store, trace and policy meet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from .audits import FORMAT, FORMAT_VERSION, Audit
from .content import dataset_row, evidence_rows, hop_rows, node_row, serving_row
from .descriptions import merge_descriptions
from .errors import StoreError
from .graph import lineage_graph, version_of
from .policy import EvidenceBySubject, Judge, Judgement, Outcome, Policy, conjunction, load_policy, verdict_of
from .records import Ref, format_instant, parse_instant
from .sentences import answer_of
from .trace import Finding, Serving, Trace, trace
from .version import __version__

if TYPE_CHECKING:
    from .store import Store
    from .store.walk import Described, Said

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BASE = frozenset({"model", "ai_agent", "logged_model"})


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
    try:
        return _audit(store, endpoint, as_of, known_at, rules)
    except (KeyError, OverflowError, nx.NetworkXException) as error:
        raise StoreError(
            f"what {store.name!r} holds does not fit together: {error!r}. `lineage-explorer verify` tells whether it was "
            "damaged or changed; if it is sound, this is a bug: please report it"
        ) from error


def _audit(
    store: Store, endpoint: str, as_of: datetime | str | None, known_at: datetime | str | None, rules: Policy
) -> Audit:
    # First the thing, then the instant: what made it known is then part of what is known.
    ref = store.resolve(endpoint, "endpoint")
    now = store.now()
    asked = now if as_of is None else parse_instant(as_of)
    # What is written later never changes an answer that names the recording it rests on.
    known = store.recorded_by(now if known_at is None else parse_instant(known_at))
    graph = lineage_graph(store, ref, as_of=asked, known_at=known)
    _add_evaluations(store, graph, asked, known)
    described = _describe(store, graph, asked, known)
    evidence, evidence_records = _evidence(store, graph, asked, known)
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


# --- gathering ---


def _add_evaluations(store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime) -> None:
    """Stand the runs that evaluated the models beside the flow, with the data they read."""
    numbers = store.numbers(ref for ref, data in graph.nodes(data=True) if data["kind"] in _BASE)
    readers = store.beside(numbers.values(), "used", as_of, known_at, effects=False)
    runs = {edge.effect for edge in readers}
    named = store.nodes(runs | set(numbers.values()), as_of, known_at)
    facts = store.describe(node.fact for node in named.values() if node.id in runs and node.fact is not None)
    evaluations = {
        node.id
        for node in named.values()
        if node.fact in facts
        and json.loads(facts[node.fact].json).get("activity") == "evaluation"
        and node.ref not in graph
    }
    if not evaluations:
        return
    inputs = store.beside(evaluations, "used", as_of, known_at, effects=True)
    named = store.nodes({number for edge in inputs for number in (edge.effect, edge.cause)}, as_of, known_at)
    for edge in inputs:
        for node in (named[edge.cause], named[edge.effect]):
            if node.ref not in graph:
                parsed = Ref.parse(node.ref)
                graph.add_node(
                    node.ref,
                    kind=node.kind,
                    resolved=node.fact is not None,
                    implied=False,
                    record_id=node.fact,
                    name=parsed.name,
                    version=version_of(parsed),
                    namespace=parsed.namespace,
                    gone=bool(node.gone),
                    side=node.id in evaluations,
                )
        graph.add_edge(
            named[edge.cause].ref,
            named[edge.effect].ref,
            (edge.seq, edge.predicate),
            predicate=edge.predicate,
            role=edge.role,
            basis=edge.basis,
            traffic=None,
            record_id=edge.seq,
            valid_from=None,
            valid_to=None,
            sure_to=None,
            event_time=edge.event_time,
        )


def _describe(store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime) -> dict[int, Described]:
    """Put the records themselves on nodes and edges, and what identifies each node."""
    # A state of a dataset without versions is described by what describes the dataset.
    bearer = {
        ref: str(Ref(data["kind"], data["name"], "", data["namespace"])) if data["implied"] else ref
        for ref, data in graph.nodes(data=True)
    }
    numbers = store.numbers(set(bearer.values()))
    speaking: dict[int, list[Said]] = defaultdict(list)
    for item in store.descriptions(numbers.values(), as_of, known_at):
        speaking[item.node].append(item)
    wanted = {item.seq for items in speaking.values() for item in items}
    wanted |= {data["record_id"] for _, _, data in graph.edges(data=True)}
    described = store.describe(number for number in wanted if number is not None)
    instant = (as_of - _EPOCH) // timedelta(microseconds=1)
    for ref, data in graph.nodes(data=True):
        items = speaking[numbers[bearer[ref]]] if bearer[ref] in numbers else []
        one = merge_descriptions([(item.seq, json.loads(described[item.seq].json)) for item in items])
        data["record_id"], data["record"], data["contradicted"] = one.main, one.record, one.contradicted
        data["description_sure"] = all(item.sure for item in items)
        data["gone"] = bool(items) and all(item.gone for item in items)
        data["identified_by"] = "time_order" if data["implied"] else _identified_by(data)
        data["digest"] = "" if data["implied"] else data["record"].get("digest", "")
        seen = [described[item.seq].observed_at for item in items]
        data["seen_later"] = bool(seen) and min(seen) > instant and data["kind"] in ("model", "ai_agent")
    for _, _, data in graph.edges(data=True):
        found = described.get(data["record_id"])
        data["record"] = {} if found is None else json.loads(found.json)
        data["sure"] = data["sure_to"] is None or instant < data["sure_to"]
    return described


def _identified_by(data: Mapping[str, Any]) -> str:
    said = data["record"].get("identified_by", "")
    if said:
        return str(said)
    if data["version"].startswith("sha256:") or data["record"].get("digest", "").startswith("sha256:"):
        return "content_hash"
    return "name_version" if data["version"] and not data["version"].startswith("~") else "name"


def _evidence(
    store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime
) -> tuple[EvidenceBySubject, dict[int, Described]]:
    """Evidence by node; what names a thing without its namespace counts if it can mean no other."""
    numbers = store.numbers(graph)
    bare = {ref: ref.partition(":")[0] + ":" + ref.partition("/")[2] for ref in graph if "/" in ref}
    same = store.namesakes(set(bare.values()), known_at)
    for ref, number in store.numbers(set(bare.values())).items():
        if len(same[ref]) == 1:
            numbers.setdefault(ref, number)
    meant = {number: ref for ref, number in numbers.items()}
    for ref, short in bare.items():
        if short in numbers and len(same[short]) == 1:
            meant[numbers[short]] = ref
    said = store.evidence(meant, as_of, known_at)
    described = store.describe(item.seq for item in said)
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for item in said:
        record = json.loads(described[item.seq].json)
        if item.gone and record["status"] in ("passed", "waived"):
            record |= {"status": "stale", "because": "its source no longer shows it"}
        elif not item.sure:
            record |= {
                "status": "undetermined",
                "because": "its source changed it between two syncs, around this instant",
            }
        found[meant[item.node]].append((item.seq, record))
    return found, described


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
