"""The graph: what its attributes are, and that it is the graph that NetworkX's own methods would build."""

from __future__ import annotations

import networkx as nx
import pytest

from lineage_explorer import lineage_graph
from lineage_explorer.graph import from_reached
from lineage_explorer.records import Ref, Relation
from lineage_explorer.store import Store

from . import estates


@pytest.fixture
def estate(store: Store) -> Store:
    twice = [
        Relation(effect="run:train", predicate="used", cause="dataset:features@1", basis=basis, role=role)
        for basis, role in (("declared", "validation"), ("name", "test"))
    ]
    store.append([*estates.complete(), *twice, estates.used("run:train", "dataset:odd%2Fname@2%40x", "02-01")])
    return store


def test_it_is_built_as_networkx_would_build_it(estate: Store) -> None:
    """Its dictionaries are filled directly, for speed; nobody may be able to tell."""
    reached = estate.reachable("endpoint:churn", "upstream", estates.at("04-01"), estate.now())
    fast = from_reached(reached)
    slow: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    slow.add_nodes_from(fast.nodes(data=True))
    for cause, effect, key, data in fast.edges(keys=True, data=True):
        slow.add_edge(cause, effect, key, **data)
    assert fast.adj == slow.adj
    assert fast.pred == slow.pred
    assert nx.utils.graphs_equal(fast, slow)
    assert fast.number_of_edges() == len(reached.edges)
    copy = fast.copy()
    fast.remove_node("run:train")
    fast.add_edge("dataset:features@1", "model:churn@1", "new")
    assert "run:train" in copy
    assert nx.ancestors(fast, "model:churn@1") >= {"dataset:features@1", "run:prep"}


def test_parallel_relations_are_all_there(estate: Store) -> None:
    graph = lineage_graph(estate, "endpoint:churn", as_of=estates.at("04-01"), known_at=estate.now())
    between = graph.get_edge_data("dataset:features@1", "run:train")
    assert {edge["role"] for edge in between.values()} == {"training", "validation", "test"}


def test_edges_point_the_way_data_flows(estate: Store) -> None:
    graph = lineage_graph(estate, "endpoint:churn", as_of=estates.at("04-01"), known_at=estate.now())
    assert "dataset:raw@1" in nx.ancestors(graph, "endpoint:churn")
    assert nx.descendants(graph, "endpoint:churn") == set()


def test_the_parts_of_a_reference_are_on_its_node(estate: Store) -> None:
    graph = lineage_graph(estate, "endpoint:churn", as_of=estates.at("04-01"), known_at=estate.now())
    for ref, data in graph.nodes(data=True):
        parsed = Ref.parse(ref)
        assert (data["kind"], data["name"], data["version"]) == (parsed.kind, parsed.name, parsed.version)
    assert graph.nodes["dataset:odd%2Fname@2%40x"]["version"] == "2@x"


def test_an_alias_is_never_taken_for_a_version(store: Store) -> None:
    store.append(estates.serves("endpoint:churn", "deployment:churn:blue", "model:churn~latest", "03-01"))
    graph = lineage_graph(store, "endpoint:churn", as_of=estates.at("04-01"), known_at=store.now())
    assert graph.nodes["model:churn~latest"]["version"] == "~latest"
