"""The reachable records as a ``networkx.MultiDiGraph``, edges along the data flow (cause → effect).

So ``networkx.ancestors(graph, endpoint)`` is everything upstream of an endpoint.

Node keys are references. Node attributes:

``kind``, ``name``, ``version``, ``namespace``
    The parts of the reference.
``resolved``
    False when nothing describes the thing: a dangling reference is a visible node.
``implied``
    True for a state of a dataset without versions, made by a write on record.
``record_id``
    Number of the describing record in the journal, or None.
``gone``
    True when its source no longer had it at the instant asked about.
``candidates``
    References that an ambiguous one may mean (absent otherwise).

Edge keys are ``(record_id, predicate)``. Edge attributes:

``predicate``, ``role``, ``basis``, ``traffic``
    As in :class:`~lineage_explorer.records.Relation`.
``record_id``
    Number of the record in the journal; None for a link that was found by name.
``valid_from``, ``valid_to``, ``event_time``
    Microseconds since 1970 UTC; None where there is no bound or no date.
``sure_to``
    Microseconds since 1970 UTC: from here to ``valid_to`` it may have been otherwise already (a change is
    only known to lie between two syncs). None where there is no doubt.
``via``
    The reference as it was written, where a bare one was looked up.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import networkx as nx

from .records import Ref, weaker
from .store.projection import STATE
from .store.schema import ALWAYS, FOREVER
from .store.walk import ISSUED

if TYPE_CHECKING:
    from .store import Direction, Node, Reached, Store

#: How the reference of an implied state is told.
_IMPLIED = "@" + STATE


def lineage_graph(
    store: Store, ref: str, *, direction: Direction = "upstream", as_of: datetime, known_at: datetime
) -> nx.MultiDiGraph[str]:
    """What data can have flowed from (or to) a reference, at two instants.

    A reference without a namespace is looked up among the things that have one: a single match
    becomes the node itself, several stay visible as an ambiguity. Likewise what is reached with its namespace is looked
    for under its name alone.

    Parameters
    ----------
    store : Store
        Where the records are.
    ref : str
        A reference that is in the store.
    direction : {"upstream", "downstream"}
        Which way to walk.
    as_of, known_at : datetime
        When it was so, and when the store knew.

    Returns
    -------
    networkx.MultiDiGraph
        See the module's page for its attributes. It always holds ``ref``.
    """
    collecting = gc.isenabled()
    gc.disable()  # thousands of small objects that all survive: collecting in between only costs time
    try:
        return _lineage_graph(store, ref, direction, as_of, known_at)
    finally:
        if collecting:
            gc.enable()


def _lineage_graph(
    store: Store, ref: str, direction: Direction, as_of: datetime, known_at: datetime
) -> nx.MultiDiGraph[str]:
    reached = store.reachable(ref, direction, as_of, known_at)
    links: dict[str, list[str]] = {}
    asked: set[str] = set()
    tried: set[str] = set()
    while True:
        bare = [text for text in bare_refs(reached.nodes.values()) if text not in asked]
        asked.update(bare)
        # What records say of a thing under its name alone is said of it, if that can mean no other.
        short = _short_refs(reached.nodes.values()) - asked - tried
        on_record = store.numbers(short) if short else {}
        tried |= short
        if not bare and not on_record:
            break
        found = {
            text: same
            for text, same in store.namesakes([*bare, *on_record], known_at).items()
            if len(same) == 1 or (same and text not in on_record)
        }
        links.update(found)
        roots = set(reached.roots) | {number for text, number in on_record.items() if text in found}
        roots |= set(store.numbers({name for same in found.values() for name in same}).values())
        if roots == set(reached.roots):
            break
        reached = store.reachable(sorted(roots), direction, as_of, known_at)
    graph = from_reached(reached)
    join(graph, links, ref)
    return graph


def _short_refs(nodes: Iterable[Node]) -> set[str]:
    """Names without their namespace, of those things that are looked up by them."""
    return {
        f"{node.kind}:{node.ref.partition('/')[2]}" for node in nodes if "/" in node.ref and node.kind not in ISSUED
    }


def bare_refs(nodes: Iterable[Node]) -> list[str]:
    """Those references that are looked up among the things that have a namespace."""
    return [node.ref for node in nodes if "/" not in node.ref and node.kind not in ISSUED]


def from_reached(reached: Reached) -> nx.MultiDiGraph[str]:
    """The rows of a walk as a graph, with nothing looked up."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    # The graph's own dictionaries are filled, as its methods would fill them: those check for each
    # relation what a walk has settled already, and take most of a trace's time (benchmarks/trace.py compares
    # the two, attribute by attribute).
    whole: Any = graph
    nodes, after, before = whole._node, whole._succ, whole._pred
    names: dict[int, str] = {}
    for number, ref, kind, name, namespace, fact, gone in reached.nodes.values():
        names[number] = ref
        nodes[ref] = {
            "kind": kind,
            "resolved": fact is not None,
            "implied": _IMPLIED in ref,
            "record_id": fact,
            "name": name,
            "version": _version(ref),
            "namespace": namespace,
            "gone": bool(gone),
        }
        after[ref], before[ref] = {}, {}
    for effect, cause, predicate, role, basis, traffic, seq, valid_from, valid_to, sure_to, event_time in reached.edges:
        source, target = names[cause], names[effect]
        causes = before[target]
        if source in causes:
            parallel = causes[source]
        else:
            parallel = causes[source] = after[source][target] = {}
        parallel[seq, predicate] = {
            "predicate": predicate,
            "role": role,
            "basis": basis,
            "traffic": traffic,
            "record_id": seq,
            "valid_from": None if valid_from == ALWAYS else valid_from,
            "valid_to": None if valid_to == FOREVER else valid_to,
            "sure_to": sure_to,
            "event_time": event_time,
        }
    return graph


def _version(ref: str) -> str:
    """The version in a reference's text form; an alias keeps its mark, so that it is never taken for one."""
    if "%" in ref:
        return version_of(Ref.parse(ref))
    # Nothing is encoded, so that what follows the mark is the version itself.
    _, mark, alias = ref.partition("~")
    return mark + alias or ref.partition("@")[2]


def version_of(ref: Ref) -> str:
    """What a node's ``version`` is: ``3`` for ``model:churn@3``, ``~champion`` for ``model:churn~champion``."""
    return ref.version or (ref.alias and f"~{ref.alias}")


def join(graph: nx.MultiDiGraph[str], links: Mapping[str, list[str]], root: str = "") -> None:
    """Put what a bare reference means in its place.

    Parameters
    ----------
    links : mapping
        Bare references, and what each may mean.
    root : str
        The one that was asked about, which stays as it was written.
    """
    for bare, same in sorted(links.items()):
        if bare not in graph:
            continue
        if len(same) > 1:
            graph.nodes[bare]["candidates"] = same
        elif same[0] not in graph:
            continue  # only a part of the estate is shown, and that is not in it
        elif graph.nodes[bare]["resolved"] or bare == root:
            # Both are described: two records about what bears one name and version.
            graph.add_edge(
                same[0],
                bare,
                (None, "alternate_of"),
                predicate="alternate_of",
                role="",
                basis="name_version" if "@" in bare else "name",
                traffic=None,
                record_id=None,
                valid_from=None,
                valid_to=None,
                sure_to=None,
                event_time=None,
            )
        else:
            _replace(graph, bare, same[0])


def _replace(graph: nx.MultiDiGraph[str], bare: str, meant: str) -> None:
    looked_up = "name_version" if "@" in bare else "name"
    for cause, effect, key, data in [
        *graph.in_edges(bare, keys=True, data=True),
        *graph.out_edges(bare, keys=True, data=True),
    ]:
        ends = (meant if cause == bare else cause, meant if effect == bare else effect)
        graph.add_edge(*ends, key, **{**data, "basis": weaker(data["basis"], looked_up), "via": bare})
    graph.remove_node(bare)
