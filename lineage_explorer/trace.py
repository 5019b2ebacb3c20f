"""What an endpoint reached at an instant: who serves it, what each part of its lineage is for, and what is missing.

Pure reasoning over a graph whose nodes and edges carry their records (``record``): no I/O, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import networkx as nx

from .records import Ref

Graph = nx.MultiDiGraph
Severity = Literal["error", "warning", "info"]

#: Kinds that a model learns from, is tested on, or retrieves from.
DATA_KINDS = frozenset({"dataset", "feature_set", "index"})
#: Kinds that a deployment can release.
RELEASED_KINDS = frozenset({"model", "ai_agent", "logged_model"})
#: Inputs of a run that are not data: what they are for is what they are.
_INGREDIENTS = frozenset({"prompt", "base_model", "code", "environment"})
_ROLES = {
    "training": "training",
    "train": "training",
    "validation": "validation",
    "test": "test",
    "evaluation": "evaluation",
    "retrieval": "retrieval",
    "serving": "serving",
}
_UNNAMED: list[str | None] = [None]
NOT_RECORDED = "role not recorded"
#: Left to right as data flows; a node never stands left of its causes.
LANES = ("data", "preparation", "features", "training", "registry", "deployment", "endpoint")


@dataclass(frozen=True)
class Finding:
    """Something an auditor must know: a gap, a contradiction, or a caution."""

    severity: Severity
    code: str
    ref: str
    message: str


@dataclass(frozen=True)
class Serving:
    """One deployment behind the endpoint, and what it runs.

    Attributes
    ----------
    traffic : float or None
        Percent of requests; None when the split was not read.
    state : str
        ``serving``, ``deployed`` (no traffic), ``shadow`` (mirrored) or ``undetermined``.
    since : int or None
        Microseconds since 1970 UTC.
    """

    deployment: str
    model: str | None
    traffic: float | None
    state: Literal["serving", "deployed", "shadow", "undetermined"]
    site: str = ""
    since: int | None = None

    @property
    def answers(self) -> bool:
        """Whether it may answer requests, so that its lineage decides the verdict."""
        return self.state in ("serving", "undetermined")


@dataclass(frozen=True)
class Trace:
    """An endpoint's lineage, reasoned about.

    Attributes
    ----------
    graph : networkx.MultiDiGraph
        Everything the endpoint's serving deployments reached, and the deployments beside them.
    serving : list of Serving
        In order of traffic, largest first.
    roles : dict
        What each node was for, by reference: ``training``, ``evaluation``, ``role not recorded``, ...
    reached_from : dict
        Which released models reached a data node.
    witness : dict
        For each data node, one path from the endpoint to it.
    lanes : dict
        Lane of each node.
    """

    endpoint: str
    graph: Graph[str]
    serving: list[Serving]
    roles: dict[str, set[str]] = field(default_factory=dict)
    reached_from: dict[str, set[str]] = field(default_factory=dict)
    witness: dict[str, list[str]] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _from: dict[str, dict[str, set[str]]] = field(default_factory=dict, repr=False)

    def roles_from(self, ref: str) -> dict[str, set[str]]:
        """What each thing upstream of one was for, as seen from there: data that trained another model did not train this one."""
        if ref not in self._from:
            self._from[ref] = labels(self.graph, ref)
        return self._from[ref]

    def data(self) -> list[str]:
        """Every data node that has a role, in order."""
        return sorted(ref for ref in self.roles if self.graph.nodes[ref]["kind"] in DATA_KINDS)


def trace(graph: Graph[str], endpoint: str, *, drawn: bool = True) -> Trace:
    """Reason about the graph upstream of an endpoint.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        As :func:`lineage_explorer.graph.lineage_graph` gives it, with ``record`` on nodes and edges.
    endpoint : str
        A node of it.
    drawn : bool
        False leaves lanes and witness paths empty: they cost time, and decide nothing.

    Returns
    -------
    Trace
        Its graph is without what only idle deployments reach.
    """
    serving = serving_of(graph, endpoint)
    kept = _relevant(graph, endpoint, serving)
    result = Trace(endpoint, kept, serving)
    _walk_roles(result)
    if drawn:
        result.witness.update(_witnesses(kept, endpoint))
        result.lanes.update(lanes(kept))
    result.findings.extend(_find(result))
    return result


# --- who serves ---


def serving_of(graph: Graph[str], endpoint: str) -> list[Serving]:
    """Who serves an endpoint, by what stands right before it in a graph of one instant."""
    found: list[Serving] = []
    for deployment, _, data in graph.in_edges(endpoint, data=True):
        if data["predicate"] != "serves":
            continue
        record = data.get("record", {})
        state, traffic = state_of(data["traffic"], record)
        models = sorted(
            cause for cause, _, item in graph.in_edges(deployment, data=True) if item["predicate"] == "deploys"
        )
        since = data["valid_from"] if "valid_from" in record else None
        found.extend(
            Serving(deployment, model, traffic, state, record.get("site", ""), since) for model in (models or _UNNAMED)
        )
    return sorted(found, key=lambda item: (item.site, -(item.traffic or 0), item.deployment, item.model or ""))


def state_of(
    traffic: float | None, record: Mapping[str, Any]
) -> tuple[Literal["serving", "deployed", "shadow", "undetermined"], float | None]:
    """What a relation ``serves`` comes to, and its share in percent.

    Examples
    --------
    >>> state_of(0.0, {}), state_of(None, {}), state_of(None, {"splits": False})
    (('deployed', 0.0), ('undetermined', None), ('serving', 100.0))
    """
    if record.get("mirrored"):
        return "shadow", traffic
    if traffic is None:
        # A system without splits sends everything to what is deployed; a split that was not read
        # could send anything.
        return ("undetermined", None) if record.get("splits", True) else ("serving", 100.0)
    return ("serving" if traffic > 0 else "deployed"), traffic


def _relevant(graph: Graph[str], endpoint: str, serving: Iterable[Serving]) -> Graph[str]:
    """What the serving deployments reach; of the others, only what they run."""
    keep = {endpoint}
    for item in serving:
        keep.add(item.deployment)
        if item.answers:
            keep |= nx.ancestors(graph, item.deployment)
        elif item.model is not None:
            keep.add(item.model)
    side = {
        ref
        for ref, data in graph.nodes(data=True)
        if data.get("side") and any(near in keep for near in graph.predecessors(ref))
    }
    for ref in side:
        keep |= {ref, *graph.predecessors(ref)}
    # What was read beside the data flow (an endpoint that nobody serves reaches nothing).
    return graph if len(keep) == len(graph) else graph.subgraph(keep).copy()


# --- what each thing was for ---


def _walk_roles(result: Trace) -> None:
    """Walk upstream from each released model, carrying what the data is for.

    ``networkx.ancestors`` is everything upstream; training data is only what is reached through a
    training run's ``used`` with the role training, and what that was made from.
    """
    graph = result.graph
    for item in result.serving:
        if item.model is None or not item.answers:
            continue
        for node, labels in result.roles_from(item.model).items():
            result.roles.setdefault(node, set()).update(labels)
            result.reached_from.setdefault(node, set()).add(item.model)
    for ref, data in graph.nodes(data=True):
        if data.get("side"):  # evaluation runs stand beside the flow; what they read is not training data
            for cause, _, edge in graph.in_edges(ref, data=True):
                if edge["predicate"] == "used" and graph.nodes[cause]["kind"] in DATA_KINDS:
                    result.roles.setdefault(cause, set()).add("evaluation")


def labels(graph: Graph[str], start: str) -> dict[str, set[str]]:
    """What each thing upstream of a model was for, as seen from there: a role of data, or what kind of ingredient it was."""
    found: dict[str, set[str]] = {}
    queue: deque[tuple[str, str]] = deque([(start, "model")])
    seen = {(start, "model")}
    while queue:
        node, label = queue.popleft()
        if label != "model":
            found.setdefault(node, set()).add(label)
        for cause, _, data in graph.in_edges(node, data=True):
            step = (cause, _label(graph, cause, label, data))
            if step not in seen:
                seen.add(step)
                queue.append(step)
    return found


def _label(graph: Graph[str], cause: str, label: str, edge: dict[str, Any]) -> str:
    if label != "model":
        return label  # made from training data is made for training
    return purpose(str(graph.nodes[cause]["kind"]), str(edge["role"])) or "model"


def purpose(kind: str, role: str) -> str:
    """What a thing of a kind was for to what took it in a role; empty for what is on the model's own side.

    Examples
    --------
    >>> purpose("dataset", "train"), purpose("dataset", "input"), purpose("base_model", ""), purpose("run", "")
    ('training', 'role not recorded', 'base model', '')
    """
    if kind in _INGREDIENTS:
        return kind.replace("_", " ")
    if kind in DATA_KINDS:
        return _ROLES.get(role.lower(), role if role not in ("", "input") else NOT_RECORDED)
    return ""  # a run, a logged model, a copy, a parent that was fine-tuned


def _witnesses(graph: Graph[str], endpoint: str) -> dict[str, list[str]]:
    """One shortest path from the endpoint to each data node (never all: stacked diamonds have 2^n)."""
    paths = nx.single_source_shortest_path(graph.reverse(copy=False), endpoint)
    return {ref: path for ref, path in paths.items() if graph.nodes[ref]["kind"] in DATA_KINDS}


def lanes(graph: Graph[str]) -> dict[str, str]:
    """The lane of each node, so that no edge runs against the lanes.

    Examples
    --------
    >>> import networkx as nx
    >>> g = nx.MultiDiGraph(); g.add_node("dataset:a", kind="dataset")
    >>> lanes(g)
    {'dataset:a': 'data'}
    """
    acyclic = nx.condensation(nx.DiGraph(graph))
    rank: dict[int, int] = {}
    for component in reversed(list(nx.topological_sort(acyclic))):
        natural = min(_natural_lane(graph, ref) for ref in acyclic.nodes[component]["members"])
        rank[component] = min([natural, *(rank[after] for after in acyclic.successors(component))])
    return {ref: LANES[rank[component]] for ref, component in acyclic.graph["mapping"].items()}


def _natural_lane(graph: Graph[str], ref: str) -> int:
    data = graph.nodes[ref]
    kind = data["kind"]
    if kind == "run":
        activity = data.get("record", {}).get("activity", "")
        makes_model = any(graph.nodes[effect]["kind"] in RELEASED_KINDS for effect in graph.successors(ref))
        if data.get("side") or activity == "evaluation":
            return LANES.index("registry")
        return LANES.index("training" if makes_model or activity == "training" else "preparation")
    if kind == "feature_set":
        return LANES.index("features")
    if kind in DATA_KINDS:
        return LANES.index("preparation" if graph.in_degree(ref) else "data")
    if kind in RELEASED_KINDS:
        return LANES.index("registry")
    return LANES.index(kind) if kind in LANES else LANES.index("data")


# --- what is missing ---


def _find(result: Trace) -> Iterator[Finding]:
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
