"""Everything that bears on who served some endpoints, and the spans in which the same things did."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx

from .findings import contradicting, contradictions
from .graph import bare_refs, from_reached, join
from .store.schema import FOREVER
from .store.walk import Edge, Node, Reached
from .trace import serving_of

if TYPE_CHECKING:
    from .store import Store


class Span(NamedTuple):
    """A span in which the same things served an endpoint.

    Attributes
    ----------
    start, end : int or None
        Microseconds since 1970 UTC; ``end`` None while it lasts.
    serving : list of dict
        As :func:`lineage_explorer.releases` gives it.
    between_syncs : bool
        ``start`` is only when it was first seen.
    contradictions : tuple of (str, str)
        The sites at which sources contradict each other, and about what; empty where nobody asked.
    """

    start: int
    end: int | None
    serving: list[dict[str, Any]]
    between_syncs: bool
    contradictions: tuple[tuple[str, str], ...] = ()


class ReleaseHistory:
    """Everything that bears on who serves some endpoints, at all instants: read at once for all of them.

    Parameters
    ----------
    endpoints : iterable of str
        References that are in the store.

    Attributes
    ----------
    edges : list of Edge
        ``serves``, ``deploys`` and ``alias_of``.
    nodes, links : dict
        Their ends by number, and what those without a namespace may mean.
    """

    def __init__(self, store: Store, endpoints: Iterable[str], known_at: datetime) -> None:
        self.roots = store.numbers(endpoints)
        self.edges = store.intervals(self.roots.values(), "serves", known_at)
        self.edges += store.intervals({edge.cause for edge in self.edges}, "deploys", known_at)
        self.nodes: dict[int, Node] = {}
        self.links: dict[str, list[str]] = {}
        new = {*self.roots.values(), *(end for edge in self.edges for end in (edge.effect, edge.cause))}
        while new:
            # Which record describes a thing may differ between instants; whether one does, does not.
            found = store.nodes(new, known_at, known_at)
            self.nodes |= found
            same = namesakes(store, found.values(), known_at)
            self.links |= same
            pointing = store.intervals(new, "alias_of", known_at)
            self.edges += pointing
            meant = store.numbers({ref for refs in same.values() for ref in refs})
            new = {edge.cause for edge in pointing}.union(meant.values()) - self.nodes.keys()
        self.numbers = {node.ref: number for number, node in self.nodes.items()}
        self.records = {
            seq: json.loads(item.json) for seq, item in store.describe({edge.seq for edge in self.edges}).items()
        }
        self._all: dict[int, dict[Edge, None]] = defaultdict(dict)
        for edge in self.edges:
            self._all[edge.effect][edge] = None

    def serving(self, endpoint: str, held: Iterable[Edge]) -> list[dict[str, Any]]:
        """Who serves an endpoint while these relations hold, and nothing else of the history does."""
        return _serving(self._graph(endpoint, held), endpoint)

    def _graph(self, endpoint: str, held: Iterable[Edge]) -> nx.MultiDiGraph[str]:
        root = self.roots[endpoint]
        edges = sorted(held, key=lambda edge: (edge.effect, edge.cause, edge.seq, edge.valid_from))
        named = {number: self.nodes[number] for number in (root, *_ends(edges))}
        for node in list(named.values()):
            named |= {self.numbers[ref]: self.nodes[self.numbers[ref]] for ref in self.links.get(node.ref, ())}
        graph = from_reached(Reached((root,), named, edges))
        join(graph, self.links)
        for _, _, data in graph.edges(data=True):
            data["record"] = self.records.get(data["record_id"], {})
        return graph

    def reaching(self, root: int, holding: Mapping[int, Mapping[Edge, None]]) -> set[Edge]:
        """Of all relations that hold at one instant, by their effects: those between an endpoint and what serves it."""
        found: set[Edge] = set()
        new = [root]
        while new:
            step = {edge for number in new for edge in holding.get(number, ())} - found
            found |= step
            meant = [ref for edge in step for ref in self.links.get(self.nodes[edge.cause].ref, ())]
            new = [*(edge.cause for edge in step), *(self.numbers[ref] for ref in meant)]
        return found

    def spans(self, endpoint: str, *, contradicted: bool = False) -> Iterator[Span]:
        """The spans in which the same things served an endpoint, oldest first.

        Parameters
        ----------
        contradicted : bool
            A span ends also where sources begin or cease to contradict each other, and says about what they do.
        """
        root = self.roots[endpoint]
        begins: dict[int, list[Edge]] = defaultdict(list)
        ends: dict[int, list[Edge]] = defaultdict(list)
        for edge in self.reaching(root, self._all):
            begins[edge.valid_from].append(edge)
            if edge.valid_to < FOREVER:
                ends[edge.valid_to].append(edge)
        holding: dict[int, dict[Edge, None]] = defaultdict(dict)
        before: set[Edge] = set()
        span: Span | None = None
        for instant in sorted(begins.keys() | ends.keys()):
            for edge in ends[instant]:
                del holding[edge.effect][edge]
            for edge in begins[instant]:
                holding[edge.effect][edge] = None
            held = self.reaching(root, holding)
            changed, before = held ^ before, held
            if not changed:
                continue
            graph = self._graph(endpoint, held)
            serving = _serving(graph, endpoint)
            disputed = tuple(_contradicted(graph, endpoint, serving)) if contradicted else ()
            if (serving, disputed) == (([], ()) if span is None else (span.serving, span.contradictions)):
                continue
            if span is not None:
                yield span._replace(end=instant)
            # One relation of which it is not known when exactly it changed is enough: it may have been earlier.
            between_syncs = any(
                edge.sure_to is not None if edge.valid_to == instant else self._first_seen(edge, instant)
                for edge in changed
            )
            span = Span(instant, None, serving, between_syncs, disputed)
        if span is not None:
            yield span

    def _first_seen(self, edge: Edge, instant: int) -> bool:
        """Whether a relation began at an instant only as far as is known, which is when it was first seen."""
        return edge.valid_from == instant and "valid_from" not in self.records[edge.seq]


def _serving(graph: nx.MultiDiGraph[str], endpoint: str) -> list[dict[str, Any]]:
    return [
        {
            "deployment": item.deployment,
            "model": item.model,
            "traffic": item.traffic,
            "state": item.state,
            "site": item.site,
            "points_at": _pointed_at(graph, item.model),
        }
        for item in serving_of(graph, endpoint)
    ]


def _contradicted(
    graph: nx.MultiDiGraph[str], endpoint: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """What sources do not agree on, once for each site whose deployments depend on it."""
    for effect, predicate, causes in contradictions(graph):
        depending = set(causes) if effect == endpoint else {effect} | nx.descendants(graph, effect)
        for site in sorted({row["site"] for row in rows if row["deployment"] in depending}):
            yield site, contradicting(effect, predicate, causes)


def _ends(edges: Iterable[Edge]) -> Iterator[int]:
    for edge in edges:
        yield edge.effect
        yield edge.cause


def _pointed_at(graph: nx.MultiDiGraph[str], model: str | None) -> list[str]:
    """Where an alias leads in the end."""
    found: set[str] = set()
    seen: set[str] = set()
    new = [model] if model is not None and "~" in model else []
    while new:
        ref = new.pop()
        if ref not in seen:
            seen.add(ref)
            causes = {cause for cause, _, data in graph.in_edges(ref, data=True) if data["predicate"] != "deploys"}
            new += causes
            if not causes and ref != model:
                found.add(ref)
    return sorted(found)


def namesakes(store: Store, nodes: Iterable[Node], known_at: datetime) -> dict[str, list[str]]:
    """What each reference without a namespace may mean."""
    found = store.namesakes(bare_refs(nodes), known_at)
    return {bare: same for bare, same in found.items() if same}


def environments_of(store: Store, history: ReleaseHistory, as_of: datetime, known_at: datetime) -> dict[str, str]:
    """The environment of each deployment, as it is described at the instant asked about."""
    deployments = {number: node.ref for number, node in history.nodes.items() if node.kind == "deployment"}
    said = store.descriptions(deployments, as_of, known_at)
    records = store.describe({item.seq for item in said})
    found: dict[str, str] = {}
    for item in said:
        word = json.loads(records[item.seq].json).get("attributes", {}).get("environment")
        if word:
            found[deployments[item.node]] = str(word)
    return found
