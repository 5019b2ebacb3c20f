"""What is missing in a trace, contradicts itself, or is to be known: told in words, and judged by nobody here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import networkx as nx

from .records import Ref
from .roles import NOT_RECORDED, RELEASED_KINDS

if TYPE_CHECKING:
    from .trace import Graph, Serving, Trace

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """Something an auditor must know: a gap, a contradiction, or a caution."""

    severity: Severity
    code: str
    ref: str
    message: str


def findings_of(result: Trace) -> Iterator[Finding]:
    """Everything that an auditor of a trace must know beside its answer."""
    yield from _serving_findings(result)
    yield from _node_findings(result)
    yield from _model_findings(result)
    yield from _read_findings(result)
    yield from _link_findings(result)
    for members in nx.strongly_connected_components(result.graph):
        first = min(members)
        if len(members) > 1 or result.graph.has_edge(first, first):
            names = ", ".join(sorted(members)[:6])
            yield Finding("warning", "cycle", first, f"These records derive from each other in a circle: {names}")


def _serving_findings(result: Trace) -> Iterator[Finding]:
    endpoint = result.endpoint
    if not any(item.answers for item in result.serving):
        what = "has deployments, and none of them receives traffic" if result.serving else "has no deployment on record"
        yield Finding("error", "nothing-serves", endpoint, f"{endpoint} {what} at this instant")
    for item in result.serving:
        if item.model is None:
            yield Finding(
                "error",
                "no-model",
                item.deployment,
                f"{item.deployment} does not say which model version it runs",
            )
        if item.state == "undetermined":
            yield Finding(
                "error",
                "split-not-read",
                item.deployment,
                split_not_read(item.deployment),
            )
    for site, total in wrong_sums(result.serving):
        yield Finding("warning", "traffic-sum", endpoint, adds_up(endpoint, site, total))
    for item in result.serving:
        if item.model is not None and "~" in item.model and item.answers:
            yield Finding(
                "warning",
                "floating-alias",
                item.deployment,
                f"{item.deployment} names {item.model}, a pointer that moves: which version it loaded is inferred",
            )


def wrong_sums(serving: Iterable[Serving]) -> Iterator[tuple[str, float]]:
    """Sites whose recorded traffic adds up to something other than 100 %, and to what; where a split was not read, none can say."""
    sites: dict[str, list[Serving]] = {}
    for item in serving:
        sites.setdefault(item.site, []).append(item)
    for site, items in sorted(sites.items()):
        shares = {item.deployment: item.traffic for item in items if item.state in ("serving", "deployed")}
        total = sum(share or 0 for share in shares.values())
        if any(shares.values()) and not any(item.state == "undetermined" for item in items) and abs(total - 100) > 0.01:
            yield site, total


def adds_up(endpoint: str, site: str, total: float) -> str:
    """That shares of traffic come to something other than 100 %, in words."""
    where = f" at {site}" if site else ""
    return f"The recorded traffic of {endpoint}{where} adds up to {total:g} %, not 100 %"


def split_not_read(deployment: str) -> str:
    """That nobody knows whether a deployment serves, in words."""
    return f"The share of traffic of {deployment} was not read: it may serve or not"


def _node_findings(result: Trace) -> Iterator[Finding]:
    for ref in sorted(result.graph):
        data = result.graph.nodes[ref]
        record = data.get("record", {})
        if data.get("candidates"):
            yield Finding(
                "error", "ambiguous-reference", ref, f"{ref} may mean any of: {', '.join(data['candidates'])}"
            )
        elif not data["resolved"] and not data["implied"] and data["kind"] not in ("deployment",):
            yield Finding("error", "unresolved-reference", ref, f"{ref} is referred to, and no record describes it")
        if data["kind"] == "run" and record.get("status") in ("FAILED", "KILLED", "Failed", "Canceled"):
            yield Finding("warning", "failed-run", ref, f"{ref} ended with status {record['status']} and is upstream")
        ended = record.get("ended_at") if record.get("type") == "entity" else None
        if ended or data.get("gone") or record.get("attributes", {}).get("lifecycle_stage") == "deleted":
            yield Finding("info", "deleted-upstream", ref, f"{ref} was deleted in its source; its record is kept here")
        if not data.get("description_sure", True):
            yield Finding(
                "warning",
                "description-changed-between-syncs",
                ref,
                f"What is on record of {ref} (tags, stage, description) is what was last seen before the instant asked about; "
                "at the next sync it was otherwise",
            )
        if data.get("contradicted"):
            yield Finding(
                "error",
                "contradiction",
                ref,
                f"Sources contradict each other about the content of {ref}: {', '.join(data['contradicted'])}",
            )
        if data.get("seen_later"):
            yield Finding(
                "info",
                "seen-later",
                ref,
                f"{ref} was first read after the instant asked about: what could change in it (stage, tags) is not known for then",
            )


def _link_findings(result: Trace) -> Iterator[Finding]:
    """What sources do not agree on, and what changed around the instant asked about."""
    for cause, effect, data in result.graph.edges(data=True):
        if not data.get("sure", True):
            yield Finding(
                "error",
                "changed-between-syncs",
                effect,
                f"{effect} {data['predicate'].replace('_', ' ')} {cause}: so when last seen, and otherwise at the next "
                "sync; the instant asked about lies between the two",
            )
    for effect, predicate, causes in contradictions(result.graph):
        yield Finding("error", "contradiction", effect, contradicting(effect, predicate, causes))


def contradictions(graph: Graph[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Places with room for one relation that several fill: the effect, the predicate, and the causes that are claimed."""
    places: dict[tuple[str, str, str], set[str]] = {}
    for cause, effect, data in graph.edges(data=True):
        record = data.get("record", {})
        if record.get("slot"):
            places.setdefault((effect, data["predicate"], record["slot"]), set()).add(cause)
    for (effect, predicate, _), causes in sorted(places.items()):
        if len(causes) > 1:
            yield effect, predicate, sorted(causes)


def contradicting(effect: str, predicate: str, causes: Iterable[str]) -> str:
    """That sources contradict each other about a relation, in words."""
    return f"Sources contradict each other about what {effect} {predicate.replace('_', ' ')}: {', '.join(causes)}"


def _model_findings(result: Trace) -> Iterator[Finding]:
    graph = result.graph
    for model in sorted({item.model for item in result.serving if item.model and item.answers}):
        upstream = nx.ancestors(graph, model) | {model}
        made = [
            (cause, effect)
            for cause, effect, data in graph.in_edges(upstream, data=True)
            if data["predicate"] == "was_generated_by" and graph.nodes[effect]["kind"] in RELEASED_KINDS
        ]
        kinds = {graph.nodes[ref]["kind"] for ref in upstream}
        trained = any("training" in result.roles.get(ref, ()) for ref in upstream)
        if not made and "base_model" not in kinds:
            yield Finding("error", "no-training-run", model, f"No record says which run produced {model}")
        elif not trained and graph.nodes[model]["kind"] != "ai_agent" and "base_model" not in kinds:
            runs = ", ".join(sorted({cause for cause, _ in made}))
            yield Finding(
                "error",
                "no-training-data",
                model,
                f"{model} was produced by {runs}, and no record says which data that run read for training",
            )
        makers: dict[str, set[str]] = {}
        for cause, effect in made:
            makers.setdefault(effect, set()).add(cause)
        for effect, causes in sorted(makers.items()):
            if len(causes) > 1:
                yield Finding(
                    "error",
                    "contradiction",
                    effect,
                    f"{effect} is said to come from several runs: {', '.join(sorted(causes))}",
                )
    for ref in sorted(ref for ref, data in graph.nodes(data=True) if data["kind"] == "base_model"):
        if not graph.in_degree(ref):
            yield Finding(
                "info",
                "base-model-training-unknown",
                ref,
                f"What base model {Ref.parse(ref).name} itself was trained on is not on record; that is usual for a base model",
            )
    for ref in result.data():
        if NOT_RECORDED in result.roles[ref]:
            yield Finding(
                "warning",
                "role-not-recorded",
                ref,
                f"{ref} was read by a run that made a model; what for was not recorded",
            )


def _read_findings(result: Trace) -> Iterator[Finding]:
    """Reads that can have seen more than one state of a dataset."""
    graph = result.graph
    for run in sorted(ref for ref, data in graph.nodes(data=True) if data["kind"] == "run"):
        states: dict[tuple[str, str], set[str]] = {}
        for cause, _, data in graph.in_edges(run, data=True):
            if graph.nodes[cause]["implied"]:
                states.setdefault((graph.nodes[cause]["name"], str(data["record_id"])), set()).add(cause)
        for (name, _), causes in sorted(states.items()):
            if len(causes) > 1:
                yield Finding(
                    "error",
                    "ambiguous-state",
                    run,
                    f"{run} read {name!r} while it was being written or without a date: it saw one of {', '.join(sorted(causes))}",
                )
