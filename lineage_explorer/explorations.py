"""What stands around anything in a store, and what served an endpoint when: shown as it is on record, not judged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import networkx as nx

from .content import evidence_rows, hop_rows, iso, node_row
from .errors import InvalidQuestion
from .gathering import describe, evidence_about, fitting, instants
from .graph import bare_refs, from_reached, join
from .records import format_instant
from .store.schema import FOREVER
from .store.walk import Edge, Node, Reached
from .trace import Trace, lanes, serving_of

if TYPE_CHECKING:
    from .store import Direction, Store

_WAYS: Mapping[str, tuple[Direction, ...]] = {
    "upstream": ("upstream",),
    "downstream": ("downstream",),
    "both": ("upstream", "downstream"),
}


# --- what stands around a thing ---


def explore(
    store: Store,
    ref: str,
    direction: Literal["upstream", "downstream", "both"] = "both",
    depth: int | None = 1,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """What stands around anything: a dataset, a model version, a run, an endpoint, a commit.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    ref : str
        A reference; without its namespace where it can mean one thing only. A dataset without versions stands for
        all its states.
    direction : {"upstream", "downstream", "both"}
        What it came from, what came of it, or the one and the other.
    depth : int, optional
        How many steps; None as many as there are.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    limit : int
        How many things at most, the nearest first.

    Returns
    -------
    dict
        Plain JSON values: ``question`` (with the instants it resolved to), ``root``, ``nodes`` (nearest first), ``hops``
        and ``evidence`` as in ``Audit.to_dict()``, and ``beyond``: for each node with neighbours that are not shown,
        how many ``upstream`` and ``downstream``. All relations among the nodes are there. Nothing is judged.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the reference cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When there is no such direction, depth or limit.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Relation(effect=f"run:{number}", predicate="used", cause="dataset:orders@7", basis="identifier")
    ...         for number in range(30)
    ...     )
    ...     found = explore(store, "dataset:orders@7", "downstream", limit=3)
    >>> [node["ref"] for node in found["nodes"]], found["beyond"]
    (['dataset:orders@7', 'run:0', 'run:1'], {'dataset:orders@7': {'upstream': 0, 'downstream': 28}})
    """
    if direction not in _WAYS:
        raise InvalidQuestion(f"no direction {direction!r}; there are: {', '.join(_WAYS)}")
    if depth is not None and depth < 0:
        raise InvalidQuestion(f"a depth is a number of steps, 0 or more, or None for all; not {depth}")
    if limit < 1:
        raise InvalidQuestion(f"a limit is a number of things, 1 or more; not {limit}")
    found = store.resolve(ref)
    asked, known = instants(store, as_of, known_at)
    with fitting(store):
        content = _around(store, found, _WAYS[direction], depth, limit, asked, known)
    question = {
        "ref": found,
        "direction": direction,
        "depth": depth,
        "as_of": format_instant(asked),
        "known_at": format_instant(known),
    }
    return {"question": question, **content}


def _around(
    store: Store,
    ref: str,
    ways: Sequence[Direction],
    depth: int | None,
    limit: int,
    as_of: datetime,
    known_at: datetime,
) -> dict[str, Any]:
    around = store.around(ref, ways, depth, limit, as_of, known_at)
    named = around.reached.nodes
    graph = from_reached(around.reached)
    join(graph, _namesakes(store, named.values(), known_at))
    root = named[around.root].ref
    for state in around.states:
        _add_state(graph, named[state].ref, root)
    described = describe(store, graph, as_of, known_at)
    evidence, evidence_records = evidence_about(store, graph, as_of, known_at)
    result = Trace(root, graph, [], lanes=lanes(graph))
    rows, _ = evidence_rows(evidence, evidence_records, set(graph))
    return {
        "root": root,
        "nodes": [{**node_row(result, named[number].ref, described), "outside": False} for number in around.things],
        # A view may join this to an audit, whose hops are h1, h2, ... and whose evidence is e1, e2, ...
        "hops": [
            {**row, "id": f"x{index}", "outside": False}
            for index, row in enumerate(hop_rows(result, {}, {}, {}, described), 1)
        ],
        "evidence": [{**row, "id": f"x{row['id']}"} for row in rows],
        "beyond": {
            named[number].ref: {"upstream": upstream, "downstream": downstream}
            for number, (upstream, downstream) in around.beyond.items()
        },
    }


def _namesakes(store: Store, nodes: Iterable[Node], known_at: datetime) -> dict[str, list[str]]:
    """What each reference without a namespace may mean."""
    found = store.namesakes(bare_refs(nodes), known_at)
    return {bare: same for bare, same in found.items() if same}


def _add_state(graph: nx.MultiDiGraph[str], state: str, root: str) -> None:
    """A state of a dataset without versions stands beside what was asked about, though no record relates the two."""
    graph.add_edge(
        state,
        root,
        (None, "alternate_of"),
        predicate="alternate_of",
        role="",
        basis="name",
        traffic=None,
        record_id=None,
        valid_from=None,
        valid_to=None,
        sure_to=None,
        event_time=None,
    )


# --- what served an endpoint, and when ---


def releases(store: Store, endpoint: str, known_at: datetime | str | None = None) -> list[dict[str, Any]]:
    """The spans in which the same things served an endpoint.

    Inside a span, :func:`lineage_explorer.audit` gives the same ``serving`` at any instant. Before the first span nothing
    is on record; after it there is no hole: while nothing served, a span says so.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.

    Returns
    -------
    list of dict
        Oldest first: ``since``, ``until`` (None while it lasts), ``serving`` (``deployment``, ``model``, ``traffic``, ``state``,
        ``site``, and ``points_at``: what the model's alias pointed at), ``between_syncs`` (``since`` is only when it was
        first seen; it may have begun earlier, after the sync before).

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Relation(
    ...             effect="endpoint:churn", predicate="serves", cause=f"deployment:churn:{colour}", basis="identifier",
    ...             slot="live", traffic=100.0, valid_from=parse_instant(f"2026-0{month}-01T00:00:00Z"),
    ...         )
    ...         for month, colour in ((3, "blue"), (5, "green"))
    ...     )
    ...     [(item["since"], item["until"], item["serving"][0]["deployment"]) for item in releases(store, "churn")]
    [('2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z', 'deployment:churn:blue'), ('2026-05-01T00:00:00Z', None, 'deployment:churn:green')]
    """
    ref = store.resolve(endpoint, "endpoint")
    _, known = instants(store, None, known_at)
    with fitting(store):
        return [
            {
                "since": iso(span.start),
                "until": iso(span.end),
                "serving": span.serving,
                "between_syncs": span.between_syncs,
            }
            for span in History(store, [ref], known).spans(ref)
        ]


class Span(NamedTuple):
    """A span in which the same things served an endpoint.

    Attributes
    ----------
    start, end : int or None
        Microseconds since 1970 UTC; ``end`` None while it lasts.
    serving : list of dict
        As :func:`releases` gives it.
    between_syncs : bool
        ``start`` is only when it was first seen.
    """

    start: int
    end: int | None
    serving: list[dict[str, Any]]
    between_syncs: bool


class History:
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
            same = _namesakes(store, found.values(), known_at)
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
        root = self.roots[endpoint]
        edges = sorted(held, key=lambda edge: (edge.effect, edge.cause, edge.seq, edge.valid_from))
        named = {number: self.nodes[number] for number in (root, *_ends(edges))}
        for node in list(named.values()):
            named |= {self.numbers[ref]: self.nodes[self.numbers[ref]] for ref in self.links.get(node.ref, ())}
        graph = from_reached(Reached((root,), named, edges))
        join(graph, self.links)
        for _, _, data in graph.edges(data=True):
            data["record"] = self.records.get(data["record_id"], {})
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

    def spans(self, endpoint: str) -> Iterator[Span]:
        """The spans in which the same things served an endpoint, oldest first."""
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
            serving = self.serving(endpoint, held)
            if serving == ([] if span is None else span.serving):
                continue
            if span is not None:
                yield span._replace(end=instant)
            # One relation of which it is not known when exactly it changed is enough: it may have been earlier.
            between_syncs = any(
                edge.sure_to is not None if edge.valid_to == instant else self._first_seen(edge, instant)
                for edge in changed
            )
            span = Span(instant, None, serving, between_syncs)
        if span is not None:
            yield span

    def _first_seen(self, edge: Edge, instant: int) -> bool:
        """Whether a relation began at an instant only as far as is known, which is when it was first seen."""
        return edge.valid_from == instant and "valid_from" not in self.records[edge.seq]


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
