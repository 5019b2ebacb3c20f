"""What an endpoint reached at an instant: who serves it, what each part of its lineage is for, and what is missing.

Pure reasoning over a graph whose nodes and edges carry their records (``record``): no I/O, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import networkx as nx

from .findings import Finding, findings_of
from .roles import DATA_KINDS, RELEASED_KINDS, purpose

Graph = nx.MultiDiGraph

_UNNAMED: list[str | None] = [None]
#: Left to right as data flows; a node never stands left of its causes.
LANES = ("data", "preparation", "features", "training", "registry", "deployment", "endpoint")


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
    result.findings.extend(findings_of(result))
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
