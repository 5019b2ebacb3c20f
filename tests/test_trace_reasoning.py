"""What a trace says of a graph: who serves, what each thing was for, how it was reached, its lane, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import networkx as nx
import pytest

from lineage_explorer.roles import DATA_KINDS
from lineage_explorer.trace import Graph, lanes, serving_of, trace

from .policy.estates import ENDPOINT, micros
from .policy.worlds import DATA, DEPLOYMENT, MODEL, RUN, Edge, chain, edge, graph_of

OTHER, SECOND = "deployment:e:b", "model:b@1"


def lineage(
    *edges: Edge, base: Iterable[Edge] | None = None, nodes: Mapping[str, Mapping[str, Any]] | None = None
) -> Graph[str]:
    """The chain with some relations more, or other relations in its place (``base``)."""
    return graph_of([*(chain() if base is None else base), *edges], nodes)


def served(*edges: Edge) -> list[Edge]:
    """What stands above the model in the chain, and these relations about who serves."""
    return [*chain()[:2], *edges]


def serves(deployment: str = DEPLOYMENT, traffic: float | None = 100.0, **more: Any) -> Edge:
    return edge(deployment, "serves", ENDPOINT, traffic=traffic, **more)


def deploys(model: str = MODEL, deployment: str = DEPLOYMENT) -> Edge:
    return edge(model, "deploys", deployment)


def named(cases: Mapping[str, tuple[Callable[[], Graph[str]], Any]]) -> list[Any]:
    return [pytest.param(*case, id=name.replace(" ", "-")) for name, case in cases.items()]


def who_serves(graph: Graph[str]) -> list[str]:
    found = trace(graph, ENDPOINT).serving
    assert found == serving_of(graph, ENDPOINT)
    return [
        f"{one.deployment} {one.model} {one.traffic} {one.state}{' answers' * one.answers} {one.site or '-'} {one.since}"
        for one in found
    ]


def roles(graph: Graph[str]) -> dict[str, str]:
    return {ref: ", ".join(sorted(found)) for ref, found in sorted(trace(graph, ENDPOINT).roles.items())}


def findings(graph: Graph[str]) -> list[str]:
    return [f"{one.severity} {one.code} {one.ref}: {one.message}" for one in trace(graph, ENDPOINT).findings]


def kept(graph: Graph[str]) -> list[str]:
    return sorted(trace(graph, ENDPOINT).graph)


def lane(graph: Graph[str]) -> dict[str, str]:
    found = trace(graph, ENDPOINT).lanes
    assert found == lanes(trace(graph, ENDPOINT).graph)
    return {ref: found[ref] for ref in sorted(found)}


SHOW = {"who_serves": who_serves, "roles": roles, "findings": findings, "kept": kept, "lane": lane}


@pytest.mark.parametrize(
    ("given", "expected"),
    named(
        {
            "one deployment": (
                lambda: lineage(),
                ["deployment:e:a model:churn@1 100.0 serving answers - 1771545600000000"],
            ),
            "nobody": (lambda: lineage(base=chain()[:3]), []),
            "a split": (
                lambda: lineage(
                    serves(OTHER, 30.0), deploys(SECOND, OTHER), base=served(deploys(), serves(traffic=70.0))
                ),
                [
                    "deployment:e:a model:churn@1 70.0 serving answers - None",
                    "deployment:e:b model:b@1 30.0 serving answers - None",
                ],
            ),
            "the larger share first": (
                lambda: lineage(
                    serves(OTHER, 70.0), deploys(SECOND, OTHER), base=served(deploys(), serves(traffic=30.0))
                ),
                [
                    "deployment:e:b model:b@1 70.0 serving answers - None",
                    "deployment:e:a model:churn@1 30.0 serving answers - None",
                ],
            ),
            "shares alike by name": (
                lambda: lineage(
                    base=served(serves(OTHER, 50.0), deploys(SECOND, OTHER), serves(traffic=50.0), deploys())
                ),
                [
                    "deployment:e:a model:churn@1 50.0 serving answers - None",
                    "deployment:e:b model:b@1 50.0 serving answers - None",
                ],
            ),
            "by site first": (
                lambda: lineage(
                    base=served(
                        deploys(),
                        serves(traffic=100.0, record={"site": "west"}),
                        serves(OTHER, 60.0, record={"site": "east"}),
                        deploys(SECOND, OTHER),
                    )
                ),
                [
                    "deployment:e:b model:b@1 60.0 serving answers east None",
                    "deployment:e:a model:churn@1 100.0 serving answers west None",
                ],
            ),
            "no share after the smallest": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=None), serves(OTHER, 0.5), deploys(SECOND, OTHER))
                ),
                [
                    "deployment:e:b model:b@1 0.5 serving answers - None",
                    "deployment:e:a model:churn@1 None undetermined answers - None",
                ],
            ),
            "no share last": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=None), serves(OTHER, 10.0), deploys(SECOND, OTHER))
                ),
                [
                    "deployment:e:b model:b@1 10.0 serving answers - None",
                    "deployment:e:a model:churn@1 None undetermined answers - None",
                ],
            ),
            "no traffic is deployed only": (
                lambda: lineage(base=served(deploys(), serves(traffic=0.0))),
                ["deployment:e:a model:churn@1 0.0 deployed - None"],
            ),
            "a little traffic serves": (
                lambda: lineage(base=served(deploys(), serves(traffic=0.5))),
                ["deployment:e:a model:churn@1 0.5 serving answers - None"],
            ),
            "mirrored traffic is a shadow": (
                lambda: lineage(base=served(deploys(), serves(traffic=10.0, record={"mirrored": True}))),
                ["deployment:e:a model:churn@1 10.0 shadow - None"],
            ),
            "a split that was not read": (
                lambda: lineage(base=served(deploys(), serves(traffic=None))),
                ["deployment:e:a model:churn@1 None undetermined answers - None"],
            ),
            "a split that was not read by a system that splits": (
                lambda: lineage(base=served(deploys(), serves(traffic=None, record={"splits": True}))),
                ["deployment:e:a model:churn@1 None undetermined answers - None"],
            ),
            "a system without splits sends everything": (
                lambda: lineage(base=served(deploys(), serves(traffic=None, record={"splits": False}))),
                ["deployment:e:a model:churn@1 100.0 serving answers - None"],
            ),
            "a start that a record states": (
                lambda: lineage(base=served(deploys(), serves(valid_from=50))),
                ["deployment:e:a model:churn@1 100.0 serving answers - 1771545600000000"],
            ),
            "a start that was only seen": (
                lambda: lineage(
                    base=served(deploys(), (DEPLOYMENT, "serves", ENDPOINT, {**serves()[3], "valid_from": micros(7)}))
                ),
                ["deployment:e:a model:churn@1 100.0 serving answers - None"],
            ),
            "an edge without its record": (
                lambda: lineage(
                    base=served(
                        deploys(),
                        (
                            DEPLOYMENT,
                            "serves",
                            ENDPOINT,
                            {
                                "predicate": "serves",
                                "traffic": 100.0,
                                "valid_from": micros(7),
                                "role": "",
                                "basis": "",
                                "record_id": 0,
                            },
                        ),
                    )
                ),
                ["deployment:e:a model:churn@1 100.0 serving answers - None"],
            ),
            "no model is named": (
                lambda: lineage(base=served(serves())),
                ["deployment:e:a None 100.0 serving answers - None"],
            ),
            "no model is named among others": (
                lambda: lineage(base=served(serves(traffic=50.0), serves(OTHER, 50.0), deploys(MODEL, OTHER))),
                [
                    "deployment:e:a None 50.0 serving answers - None",
                    "deployment:e:b model:churn@1 50.0 serving answers - None",
                ],
            ),
            "two models in one deployment": (
                lambda: lineage(deploys(SECOND)),
                [
                    "deployment:e:a model:b@1 100.0 serving answers - 1771545600000000",
                    "deployment:e:a model:churn@1 100.0 serving answers - 1771545600000000",
                ],
            ),
            "what a deployment was otherwise made from is not deployed": (
                lambda: lineage(edge("code:c@1", "used", DEPLOYMENT)),
                ["deployment:e:a model:churn@1 100.0 serving answers - 1771545600000000"],
            ),
            "what else stands before an endpoint does not serve": (
                lambda: lineage(edge("code:c@1", "used", ENDPOINT)),
                ["deployment:e:a model:churn@1 100.0 serving answers - 1771545600000000"],
            ),
        }
    ),
)
def test_who_serves_is_told_by_traffic_then_by_name(given: Callable[[], Graph[str]], expected: Any) -> None:
    assert who_serves(given()) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    named(
        {
            "everything upstream": (
                lambda: lineage(),
                ["dataset:d@1", "deployment:e:a", "endpoint:e", "model:churn@1", "run:train"],
            ),
            "an idle deployment keeps only its model": (
                lambda: lineage(serves(OTHER, 0.0), deploys(SECOND, OTHER), edge("run:b", "was_generated_by", SECOND)),
                [
                    "dataset:d@1",
                    "deployment:e:a",
                    "deployment:e:b",
                    "endpoint:e",
                    "model:b@1",
                    "model:churn@1",
                    "run:train",
                ],
            ),
            "a shadow keeps only its model": (
                lambda: lineage(
                    serves(OTHER, 5.0, record={"mirrored": True}),
                    deploys(SECOND, OTHER),
                    edge("run:b", "was_generated_by", SECOND),
                ),
                [
                    "dataset:d@1",
                    "deployment:e:a",
                    "deployment:e:b",
                    "endpoint:e",
                    "model:b@1",
                    "model:churn@1",
                    "run:train",
                ],
            ),
            "an idle deployment without a model": (
                lambda: lineage(serves(OTHER, 0.0), edge("run:b", "used", OTHER)),
                ["dataset:d@1", "deployment:e:a", "deployment:e:b", "endpoint:e", "model:churn@1", "run:train"],
            ),
            "a deployment that may serve keeps all": (
                lambda: lineage(base=served(deploys(), serves(traffic=None))),
                ["dataset:d@1", "deployment:e:a", "endpoint:e", "model:churn@1", "run:train"],
            ),
            "an evaluation run beside the flow and what it read": (
                lambda: lineage(
                    edge(MODEL, "used", "run:eval"),
                    edge("dataset:t@1", "used", "run:eval"),
                    nodes={"run:eval": {"side": True}},
                ),
                [
                    "dataset:d@1",
                    "dataset:t@1",
                    "deployment:e:a",
                    "endpoint:e",
                    "model:churn@1",
                    "run:eval",
                    "run:train",
                ],
            ),
            "an evaluation run of something else": (
                lambda: lineage(
                    edge("model:x@1", "used", "run:eval"),
                    edge("dataset:t@1", "used", "run:eval"),
                    nodes={"run:eval": {"side": True}},
                ),
                ["dataset:d@1", "deployment:e:a", "endpoint:e", "model:churn@1", "run:train"],
            ),
            "what is made from it is not upstream": (
                lambda: lineage(edge(DATA, "used", "run:other")),
                ["dataset:d@1", "deployment:e:a", "endpoint:e", "model:churn@1", "run:train"],
            ),
            "an endpoint that nobody serves": (lambda: lineage(base=chain()[:3]), ["endpoint:e"]),
        }
    ),
)
def test_a_trace_keeps_what_answering_deployments_reach_and_of_the_others_what_they_run(
    given: Callable[[], Graph[str]], expected: Any
) -> None:
    assert kept(given()) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    named(
        {
            "training": (lambda: lineage(), {"dataset:d@1": "training"}),
            "what training data was made from": (
                lambda: lineage(
                    edge("run:prep", "was_generated_by", DATA), edge("dataset:raw@1", "used", "run:prep", role="input")
                ),
                {"dataset:d@1": "training", "dataset:raw@1": "training", "run:prep": "training"},
            ),
            "train": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="Train"), *chain()[1:]]),
                {"dataset:d@1": "training"},
            ),
            "validation": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="validation"), *chain()[1:]]),
                {"dataset:d@1": "validation"},
            ),
            "test": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="TEST"), *chain()[1:]]),
                {"dataset:d@1": "test"},
            ),
            "evaluation": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="evaluation"), *chain()[1:]]),
                {"dataset:d@1": "evaluation"},
            ),
            "retrieval": (
                lambda: lineage(base=[edge("index:i@1", "used", RUN, role="retrieval"), *chain()[1:]]),
                {"index:i@1": "retrieval"},
            ),
            "serving": (
                lambda: lineage(base=[edge("feature_set:f@1", "used", RUN, role="serving"), *chain()[1:]]),
                {"feature_set:f@1": "serving"},
            ),
            "a role of ones own": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="Calibration"), *chain()[1:]]),
                {"dataset:d@1": "Calibration"},
            ),
            "no role": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role=""), *chain()[1:]]),
                {"dataset:d@1": "role not recorded"},
            ),
            "input is no role": (
                lambda: lineage(base=[edge(DATA, "used", RUN, role="input"), *chain()[1:]]),
                {"dataset:d@1": "role not recorded"},
            ),
            "two roles of one dataset": (
                lambda: lineage(edge(DATA, "used", RUN, role="test")),
                {"dataset:d@1": "test, training"},
            ),
            "ingredients are what they are": (
                lambda: lineage(
                    edge("base_model:b@1", "used", RUN),
                    edge("prompt:p@1", "used", MODEL),
                    edge("code:c@1", "used", RUN),
                    edge("environment:v@1", "used", RUN, role="training"),
                ),
                {
                    "base_model:b@1": "base model",
                    "code:c@1": "code",
                    "dataset:d@1": "training",
                    "environment:v@1": "environment",
                    "prompt:p@1": "prompt",
                },
            ),
            "what an ingredient was made from": (
                lambda: lineage(
                    edge("base_model:b@1", "was_derived_from", MODEL),
                    edge("dataset:web@1", "used", "run:pre"),
                    edge("run:pre", "was_generated_by", "base_model:b@1"),
                ),
                {
                    "base_model:b@1": "base model",
                    "dataset:d@1": "training",
                    "dataset:web@1": "base model",
                    "run:pre": "base model",
                },
            ),
            "through a parent model": (
                lambda: lineage(
                    edge("model:parent@1", "was_derived_from", MODEL),
                    edge("run:p", "was_generated_by", "model:parent@1"),
                    edge("dataset:p@1", "used", "run:p", role="training"),
                ),
                {"dataset:d@1": "training", "dataset:p@1": "training"},
            ),
            "in a circle": (
                lambda: lineage(edge("run:prep", "was_generated_by", DATA), edge(DATA, "used", "run:prep")),
                {"dataset:d@1": "training", "run:prep": "training"},
            ),
            "of an idle model nothing": (lambda: lineage(base=served(deploys(), serves(traffic=0.0))), {}),
            "where no model is named": (
                lambda: lineage(base=served(serves(), serves(OTHER, 50.0), deploys(MODEL, OTHER))),
                {"dataset:d@1": "training"},
            ),
            "what an evaluation run read": (
                lambda: lineage(
                    edge(MODEL, "used", "run:eval"),
                    edge("dataset:t@1", "used", "run:eval"),
                    edge("code:c@1", "used", "run:eval"),
                    edge("index:i@1", "was_derived_from", "run:eval"),
                    edge(DATA, "used", "run:eval"),
                    nodes={"run:eval": {"side": True}},
                ),
                {"dataset:d@1": "evaluation, training", "dataset:t@1": "evaluation"},
            ),
        }
    ),
)
def test_data_is_for_what_the_run_that_made_the_model_read_it_for(
    given: Callable[[], Graph[str]], expected: Any
) -> None:
    assert roles(given()) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    named(
        {
            "a chain": (
                lambda: lineage(),
                {
                    "dataset:d@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:train": "training",
                },
            ),
            "prepared data": (
                lambda: lineage(edge("run:prep", "was_generated_by", DATA), edge("dataset:raw@1", "used", "run:prep")),
                {
                    "dataset:d@1": "preparation",
                    "dataset:raw@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:prep": "preparation",
                    "run:train": "training",
                },
            ),
            "features": (
                lambda: lineage(
                    edge("run:prep", "was_generated_by", "feature_set:f@1"),
                    edge("dataset:raw@1", "used", "run:prep"),
                    edge("feature_set:f@1", "used", RUN),
                ),
                {
                    "dataset:d@1": "data",
                    "dataset:raw@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "feature_set:f@1": "features",
                    "model:churn@1": "registry",
                    "run:prep": "preparation",
                    "run:train": "training",
                },
            ),
            "a run that trains without a model on record": (
                lambda: lineage(
                    edge("run:tune", "was_generated_by", DATA), nodes={"run:tune": {"record": {"activity": "training"}}}
                ),
                {
                    "dataset:d@1": "preparation",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:train": "training",
                    "run:tune": "preparation",
                },
            ),
            "a training run by its activity": (
                lambda: lineage(
                    edge("run:tune", "was_generated_by", "base_model:b@1"),
                    edge("base_model:b@1", "used", RUN),
                    nodes={"run:tune": {"record": {"activity": "training"}}},
                ),
                {
                    "base_model:b@1": "data",
                    "dataset:d@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:train": "training",
                    "run:tune": "data",
                },
            ),
            "an evaluation run": (
                lambda: lineage(
                    edge(MODEL, "used", "run:eval"),
                    edge("dataset:t@1", "used", "run:eval"),
                    nodes={"run:eval": {"side": True}},
                ),
                {
                    "dataset:d@1": "data",
                    "dataset:t@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:eval": "registry",
                    "run:train": "training",
                },
            ),
            "an evaluation run by its activity": (
                lambda: lineage(
                    base=[
                        edge(MODEL, "used", "run:eval"),
                        edge("run:eval", "was_generated_by", "model:c@1"),
                        edge("model:c@1", "deploys", DEPLOYMENT),
                        chain()[3],
                    ],
                    nodes={"run:eval": {"record": {"activity": "evaluation"}}},
                ),
                {
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:c@1": "registry",
                    "model:churn@1": "registry",
                    "run:eval": "registry",
                },
            ),
            "an agent and a logged model": (
                lambda: lineage(
                    edge("logged_model:m", "was_derived_from", MODEL), edge("ai_agent:g@1", "deploys", DEPLOYMENT)
                ),
                {
                    "ai_agent:g@1": "registry",
                    "dataset:d@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "logged_model:m": "registry",
                    "model:churn@1": "registry",
                    "run:train": "training",
                },
            ),
            "other kinds stand with data": (
                lambda: lineage(edge("prompt:p@1", "used", MODEL), edge("code:c@1", "used", RUN)),
                {
                    "code:c@1": "data",
                    "dataset:d@1": "data",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "prompt:p@1": "data",
                    "run:train": "training",
                },
            ),
            "a circle stands where its leftmost does": (
                lambda: lineage(edge("run:prep", "was_generated_by", DATA), edge(DATA, "used", "run:prep")),
                {
                    "dataset:d@1": "preparation",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "run:prep": "preparation",
                    "run:train": "training",
                },
            ),
            "a model that data was made from": (
                lambda: lineage(edge("model:label@1", "used", "run:prep"), edge("run:prep", "was_generated_by", DATA)),
                {
                    "dataset:d@1": "preparation",
                    "deployment:e:a": "deployment",
                    "endpoint:e": "endpoint",
                    "model:churn@1": "registry",
                    "model:label@1": "preparation",
                    "run:prep": "preparation",
                    "run:train": "training",
                },
            ),
        }
    ),
)
def test_no_node_stands_left_of_what_it_was_made_from(given: Callable[[], Graph[str]], expected: Any) -> None:
    assert lane(given()) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    named(
        {
            "nothing": (lambda: lineage(), []),
            "no deployment": (
                lambda: lineage(base=chain()[:3]),
                ["error nothing-serves endpoint:e: endpoint:e has no deployment on record at this instant"],
            ),
            "no traffic": (
                lambda: lineage(base=served(deploys(), serves(traffic=0.0))),
                [
                    "error nothing-serves endpoint:e: endpoint:e has deployments, and none of them receives traffic at this instant"
                ],
            ),
            "no model": (
                lambda: lineage(base=served(serves())),
                ["error no-model deployment:e:a: deployment:e:a does not say which model version it runs"],
            ),
            "a split that was not read": (
                lambda: lineage(base=served(deploys(), serves(traffic=None))),
                [
                    "error split-not-read deployment:e:a: The share of traffic of deployment:e:a was not read: it may serve or not"
                ],
            ),
            "one of two splits was not read": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=None), serves(OTHER, 50.0), deploys(MODEL, OTHER))
                ),
                [
                    "error split-not-read deployment:e:a: The share of traffic of deployment:e:a was not read: it may serve or not"
                ],
            ),
            "shares of ninety percent": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=60.0), serves(OTHER, 30.0), deploys(MODEL, OTHER))
                ),
                ["warning traffic-sum endpoint:e: The recorded traffic of endpoint:e adds up to 90 %, not 100 %"],
            ),
            "shares of more than all": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=60.0), serves(OTHER, 50.5), deploys(MODEL, OTHER))
                ),
                ["warning traffic-sum endpoint:e: The recorded traffic of endpoint:e adds up to 110.5 %, not 100 %"],
            ),
            "shares rounded": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=33.333), serves(OTHER, 66.66), deploys(MODEL, OTHER))
                ),
                [],
            ),
            "shares of a hundredth too much": (
                lambda: lineage(base=served(deploys(), serves(traffic=100.02))),
                ["warning traffic-sum endpoint:e: The recorded traffic of endpoint:e adds up to 100.02 %, not 100 %"],
            ),
            "shares with an idle one": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=90.0), serves(OTHER, 0.0), deploys(MODEL, OTHER))
                ),
                ["warning traffic-sum endpoint:e: The recorded traffic of endpoint:e adds up to 90 %, not 100 %"],
            ),
            "a shadow counts in no sum": (
                lambda: lineage(
                    base=served(
                        deploys(),
                        serves(traffic=100.0),
                        serves(OTHER, 20.0, record={"mirrored": True}),
                        deploys(MODEL, OTHER),
                    )
                ),
                [],
            ),
            "shares of each site": (
                lambda: lineage(
                    base=served(
                        deploys(),
                        serves(traffic=100.0, record={"site": "east"}),
                        serves(OTHER, 60.0, record={"site": "west"}),
                        deploys(MODEL, OTHER),
                    )
                ),
                [
                    "warning traffic-sum endpoint:e: The recorded traffic of endpoint:e at west adds up to 60 %, not 100 %"
                ],
            ),
            "two models in one deployment are one share": (
                lambda: lineage(deploys("model:churn@1b"), edge("run:train", "was_generated_by", "model:churn@1b")),
                [],
            ),
            "an alias": (
                lambda: lineage(
                    edge(MODEL, "alias_of", "model:churn~champion"),
                    base=served(deploys("model:churn~champion"), serves()),
                ),
                [
                    "warning floating-alias deployment:e:a: deployment:e:a names model:churn~champion, a pointer that moves: which version it loaded is inferred"
                ],
            ),
            "an alias behind an idle deployment": (
                lambda: lineage(serves(OTHER, 0.0), deploys("model:churn~champion", OTHER)),
                [],
            ),
            "a reference that may mean two": (
                lambda: lineage(
                    nodes={MODEL: {"candidates": ["model:a/churn@1", "model:b/churn@1"], "resolved": False}}
                ),
                [
                    "error ambiguous-reference model:churn@1: model:churn@1 may mean any of: model:a/churn@1, model:b/churn@1"
                ],
            ),
            "a reference without a record": (
                lambda: lineage(nodes={DATA: {"resolved": False}}),
                ["error unresolved-reference dataset:d@1: dataset:d@1 is referred to, and no record describes it"],
            ),
            "a deployment without a record": (lambda: lineage(nodes={DEPLOYMENT: {"resolved": False}}), []),
            "a state between two records": (lambda: lineage(nodes={DATA: {"resolved": False, "implied": True}}), []),
            "a failed run": (
                lambda: lineage(nodes={RUN: {"record": {"status": "FAILED"}}}),
                ["warning failed-run run:train: run:train ended with status FAILED and is upstream"],
            ),
            "a killed run": (
                lambda: lineage(nodes={RUN: {"record": {"status": "KILLED"}}}),
                ["warning failed-run run:train: run:train ended with status KILLED and is upstream"],
            ),
            "a run that failed in azure": (
                lambda: lineage(nodes={RUN: {"record": {"status": "Failed"}}}),
                ["warning failed-run run:train: run:train ended with status Failed and is upstream"],
            ),
            "a canceled run": (
                lambda: lineage(nodes={RUN: {"record": {"status": "Canceled"}}}),
                ["warning failed-run run:train: run:train ended with status Canceled and is upstream"],
            ),
            "a finished run": (
                lambda: lineage(
                    nodes={
                        RUN: {"record": {"status": "FINISHED", "type": "activity", "ended_at": "2026-01-01T00:00:00Z"}}
                    }
                ),
                [],
            ),
            "a status of what is no run": (lambda: lineage(nodes={MODEL: {"record": {"status": "FAILED"}}}), []),
            "a deleted entity": (
                lambda: lineage(nodes={DATA: {"record": {"type": "entity", "ended_at": "2026-01-01T00:00:00Z"}}}),
                ["info deleted-upstream dataset:d@1: dataset:d@1 was deleted in its source; its record is kept here"],
            ),
            "gone from its source": (
                lambda: lineage(nodes={DATA: {"gone": True}}),
                ["info deleted-upstream dataset:d@1: dataset:d@1 was deleted in its source; its record is kept here"],
            ),
            "deleted by its stage": (
                lambda: lineage(nodes={DATA: {"record": {"attributes": {"lifecycle_stage": "deleted"}}}}),
                ["info deleted-upstream dataset:d@1: dataset:d@1 was deleted in its source; its record is kept here"],
            ),
            "active by its stage": (
                lambda: lineage(nodes={DATA: {"record": {"attributes": {"lifecycle_stage": "active"}}}}),
                [],
            ),
            "described otherwise at the next sync": (
                lambda: lineage(nodes={MODEL: {"description_sure": False}}),
                [
                    "warning description-changed-between-syncs model:churn@1: What is on record of model:churn@1 (tags, stage, description) is what was last seen before the instant asked about; at the next sync it was otherwise"
                ],
            ),
            "sources that contradict each other": (
                lambda: lineage(nodes={DATA: {"contradicted": ["digest", "rows"]}}),
                [
                    "error contradiction dataset:d@1: Sources contradict each other about the content of dataset:d@1: digest, rows"
                ],
            ),
            "first read later": (
                lambda: lineage(nodes={MODEL: {"seen_later": True}}),
                [
                    "info seen-later model:churn@1: model:churn@1 was first read after the instant asked about: what could change in it (stage, tags) is not known for then"
                ],
            ),
            "two contents in one place": (
                lambda: lineage(
                    deploys(SECOND),
                    base=[
                        *chain()[:2],
                        edge(RUN, "was_generated_by", SECOND),
                        edge(MODEL, "deploys", DEPLOYMENT, record={"slot": "model"}),
                        edge(SECOND, "deploys", DEPLOYMENT, record={"slot": "model"}),
                        chain()[3],
                    ],
                ),
                [
                    "error contradiction deployment:e:a: Sources contradict each other about what deployment:e:a deploys: model:b@1, model:churn@1"
                ],
            ),
            "two contents in two places": (
                lambda: lineage(
                    base=[
                        *chain()[:2],
                        edge(RUN, "was_generated_by", SECOND),
                        edge(MODEL, "deploys", DEPLOYMENT, record={"slot": "a"}),
                        edge(SECOND, "deploys", DEPLOYMENT, record={"slot": "b"}),
                        chain()[3],
                    ]
                ),
                [],
            ),
            "contents of a place with a predicate of words": (
                lambda: lineage(
                    base=[
                        *chain()[1:],
                        edge(DATA, "was_derived_from", RUN, record={"slot": "a"}),
                        edge("dataset:e@1", "was_derived_from", RUN, record={"slot": "a"}),
                    ]
                ),
                [
                    "error no-training-data model:churn@1: model:churn@1 was produced by run:train, and no record says which data that run read for training",
                    "warning role-not-recorded dataset:d@1: dataset:d@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:e@1: dataset:e@1 was read by a run that made a model; what for was not recorded",
                    "error contradiction run:train: Sources contradict each other about what run:train was derived from: dataset:d@1, dataset:e@1",
                ],
            ),
            "changed between two syncs": (
                lambda: lineage(
                    base=[
                        edge(DATA, "used", RUN, role="training"),
                        edge(RUN, "was_generated_by", MODEL, sure=False),
                        *chain()[2:],
                    ]
                ),
                [
                    "error changed-between-syncs model:churn@1: model:churn@1 was generated by run:train: so when last seen, and otherwise at the next sync; the instant asked about lies between the two"
                ],
            ),
            "an edge that says only what it must": (
                lambda: lineage(
                    base=[
                        *chain()[:2],
                        (
                            MODEL,
                            "deploys",
                            DEPLOYMENT,
                            {"predicate": "deploys", "valid_from": None, "role": "", "record_id": 0},
                        ),
                        chain()[3],
                    ]
                ),
                [],
            ),
            "no training run": (
                lambda: lineage(base=chain()[2:]),
                ["error no-training-run model:churn@1: No record says which run produced model:churn@1"],
            ),
            "no training data": (
                lambda: lineage(base=chain()[1:]),
                [
                    "error no-training-data model:churn@1: model:churn@1 was produced by run:train, and no record says which data that run read for training"
                ],
            ),
            "no training data of two runs": (
                lambda: lineage(
                    base=[
                        edge("run:b", "was_generated_by", MODEL),
                        edge("run:a", "was_generated_by", MODEL),
                        *chain()[2:],
                    ]
                ),
                [
                    "error no-training-data model:churn@1: model:churn@1 was produced by run:a, run:b, and no record says which data that run read for training",
                    "error contradiction model:churn@1: model:churn@1 is said to come from several runs: run:a, run:b",
                ],
            ),
            "training data is not asked of an agent": (
                lambda: lineage(
                    base=[
                        edge("run:a", "was_generated_by", "ai_agent:g@1"),
                        edge("ai_agent:g@1", "deploys", DEPLOYMENT),
                        chain()[3],
                    ]
                ),
                [],
            ),
            "nor of what was made from a base model": (
                lambda: lineage(edge("base_model:b@1", "was_derived_from", MODEL), base=chain()[2:]),
                [
                    "info base-model-training-unknown base_model:b@1: What base model b itself was trained on is not on record; that is usual for a base model"
                ],
            ),
            "nor of a base model that a run tuned": (
                lambda: lineage(edge("base_model:b@1", "used", RUN), base=chain()[1:]),
                [
                    "info base-model-training-unknown base_model:b@1: What base model b itself was trained on is not on record; that is usual for a base model"
                ],
            ),
            "a base model whose training is on record": (
                lambda: lineage(
                    edge("base_model:ns/b@1", "used", RUN),
                    edge("dataset:web@1", "used", "run:pre"),
                    edge("run:pre", "was_generated_by", "base_model:ns/b@1"),
                ),
                [],
            ),
            "two base models of unknown training": (
                lambda: lineage(edge("base_model:ns/b@1", "used", RUN), edge("base_model:a@1", "used", RUN)),
                [
                    "info base-model-training-unknown base_model:a@1: What base model a itself was trained on is not on record; that is usual for a base model",
                    "info base-model-training-unknown base_model:ns/b@1: What base model b itself was trained on is not on record; that is usual for a base model",
                ],
            ),
            "two runs that made one model": (
                lambda: lineage(edge("run:a", "was_generated_by", MODEL)),
                [
                    "error contradiction model:churn@1: model:churn@1 is said to come from several runs: run:a, run:train"
                ],
            ),
            "two runs that made a dataset are no contradiction": (
                lambda: lineage(edge("run:a", "was_generated_by", DATA), edge("run:b", "was_generated_by", DATA)),
                [],
            ),
            "a parents run is a training run": (
                lambda: lineage(
                    edge("model:parent@1", "was_derived_from", MODEL),
                    edge("run:p", "was_generated_by", "model:parent@1"),
                    edge(DATA, "used", "run:p", role="training"),
                    base=chain()[2:],
                ),
                [],
            ),
            "a run that only read it": (
                lambda: lineage(edge(RUN, "used", MODEL), base=chain()[2:]),
                ["error no-training-run model:churn@1: No record says which run produced model:churn@1"],
            ),
            "an idle model needs no run": (lambda: lineage(serves(OTHER, 0.0), deploys(SECOND, OTHER)), []),
            "two models of which one was made by nobody": (
                lambda: lineage(
                    base=served(deploys(), serves(traffic=50.0), serves(OTHER, 50.0), deploys(SECOND, OTHER))
                ),
                ["error no-training-run model:b@1: No record says which run produced model:b@1"],
            ),
            "a role that was not recorded": (
                lambda: lineage(edge("dataset:x@1", "used", RUN), edge("dataset:w@1", "used", RUN, role="input")),
                [
                    "warning role-not-recorded dataset:w@1: dataset:w@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:x@1: dataset:x@1 was read by a run that made a model; what for was not recorded",
                ],
            ),
            "ambiguous states of one read": (
                lambda: lineage(
                    edge("dataset:f#a", "used", RUN, role="training", record_id=7),
                    edge("dataset:f#b", "used", RUN, role="training", record_id=7),
                    nodes={
                        "dataset:f#a": {"implied": True, "name": "f"},
                        "dataset:f#b": {"implied": True, "name": "f"},
                    },
                ),
                [
                    "error ambiguous-state run:train: run:train read 'f' while it was being written or without a date: it saw one of dataset:f#a, dataset:f#b"
                ],
            ),
            "states of two reads": (
                lambda: lineage(
                    edge("dataset:f#a", "used", RUN, role="training", record_id=7),
                    edge("dataset:f#b", "used", RUN, role="training", record_id=8),
                    nodes={
                        "dataset:f#a": {"implied": True, "name": "f"},
                        "dataset:f#b": {"implied": True, "name": "f"},
                    },
                ),
                [],
            ),
            "states of two names": (
                lambda: lineage(
                    edge("dataset:f#a", "used", RUN, role="training", record_id=7),
                    edge("dataset:g#b", "used", RUN, role="training", record_id=7),
                    nodes={
                        "dataset:f#a": {"implied": True, "name": "f"},
                        "dataset:g#b": {"implied": True, "name": "g"},
                    },
                ),
                [],
            ),
            "a state and a version of one read": (
                lambda: lineage(
                    edge("dataset:f#a", "used", RUN, role="training", record_id=7),
                    edge("dataset:f@1", "used", RUN, role="training", record_id=7),
                    nodes={"dataset:f#a": {"implied": True, "name": "f"}},
                ),
                [],
            ),
            "ambiguous states in two runs": (
                lambda: lineage(
                    edge("run:z", "was_generated_by", DATA),
                    edge("dataset:f#a", "used", "run:z", record_id=7),
                    edge("dataset:f#b", "used", "run:z", record_id=7),
                    edge("dataset:f#a", "used", RUN, role="training", record_id=9),
                    edge("dataset:f#b", "used", RUN, role="training", record_id=9),
                    nodes={
                        "dataset:f#a": {"implied": True, "name": "f"},
                        "dataset:f#b": {"implied": True, "name": "f"},
                    },
                ),
                [
                    "error ambiguous-state run:train: run:train read 'f' while it was being written or without a date: it saw one of dataset:f#a, dataset:f#b",
                    "error ambiguous-state run:z: run:z read 'f' while it was being written or without a date: it saw one of dataset:f#a, dataset:f#b",
                ],
            ),
            "a circle": (
                lambda: lineage(edge("run:prep", "was_generated_by", DATA), edge(DATA, "used", "run:prep")),
                ["warning cycle dataset:d@1: These records derive from each other in a circle: dataset:d@1, run:prep"],
            ),
            "derived from itself": (
                lambda: lineage(edge(DATA, "was_derived_from", DATA)),
                ["warning cycle dataset:d@1: These records derive from each other in a circle: dataset:d@1"],
            ),
            "a long circle": (
                lambda: lineage(
                    *[edge(f"dataset:{n}@1", "was_derived_from", f"dataset:{(n + 1) % 8}@1") for n in range(8)],
                    edge("dataset:0@1", "used", RUN),
                ),
                [
                    "warning role-not-recorded dataset:0@1: dataset:0@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:1@1: dataset:1@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:2@1: dataset:2@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:3@1: dataset:3@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:4@1: dataset:4@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:5@1: dataset:5@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:6@1: dataset:6@1 was read by a run that made a model; what for was not recorded",
                    "warning role-not-recorded dataset:7@1: dataset:7@1 was read by a run that made a model; what for was not recorded",
                    "warning cycle dataset:0@1: These records derive from each other in a circle: dataset:0@1, dataset:1@1, dataset:2@1, dataset:3@1, dataset:4@1, dataset:5@1",
                ],
            ),
        }
    ),
)
def test_what_is_missing_contradictory_or_to_be_cautious_about_is_a_finding(
    given: Callable[[], Graph[str]], expected: Any
) -> None:
    assert findings(given()) == expected


def test_data_remembers_which_models_it_reached() -> None:
    more = [serves(OTHER, 50.0), deploys(SECOND, OTHER), edge("run:b", "was_generated_by", SECOND)]
    more += [edge(DATA, "used", "run:b", role="test"), edge("dataset:x@1", "used", "run:b")]
    result = trace(lineage(*more), ENDPOINT)
    assert result.reached_from == {DATA: {MODEL, SECOND}, "dataset:x@1": {SECOND}}
    assert result.data() == [DATA, "dataset:x@1"]
    assert result.roles[DATA] == {"training", "test"}


def test_only_data_is_listed_as_data() -> None:
    result = trace(lineage(edge("code:c@1", "used", RUN), edge("index:i@1", "used", RUN, role="retrieval")), ENDPOINT)
    assert result.data() == [DATA, "index:i@1"]
    assert set(result.roles) == {DATA, "index:i@1", "code:c@1"}


def test_a_witness_is_one_shortest_path_from_the_endpoint_to_each_data_node() -> None:
    longer = [edge("run:x", "was_generated_by", "model:p@1"), edge("model:p@1", "was_derived_from", MODEL)]
    result = trace(lineage(*longer, edge(DATA, "used", "run:x"), edge("code:c@1", "used", RUN)), ENDPOINT)
    assert result.witness == {DATA: [ENDPOINT, DEPLOYMENT, MODEL, RUN, DATA]}


def test_stacked_diamonds_have_one_witness_each() -> None:
    edges = [edge("run:0", "was_generated_by", MODEL)]
    for n in range(40):
        for side in "ab":
            edges.append(edge(f"dataset:{n}{side}@1", "used", f"run:{n}", role="training"))
            edges.append(edge(f"run:{n + 1}", "was_generated_by", f"dataset:{n}{side}@1"))
    result = trace(lineage(*edges, base=chain()[2:]), ENDPOINT)
    assert len(result.witness) == 80
    assert all(len(path) == 2 * int(ref[8:-3]) + 5 for ref, path in result.witness.items())
    assert all(nx.is_path(result.graph.reverse(), path) for path in result.witness.values())


def test_the_graph_that_was_given_stays_as_it_was() -> None:
    graph = lineage(edge(DATA, "used", "run:other"))
    before = sorted(graph.nodes), sorted((cause, effect) for cause, effect, _ in graph.edges)
    result = trace(graph, ENDPOINT)
    result.graph.add_node("dataset:new@1", kind="dataset")
    assert (sorted(graph.nodes), sorted((cause, effect) for cause, effect, _ in graph.edges)) == before
    assert result.endpoint == ENDPOINT


def test_kinds_that_are_data() -> None:
    assert {"dataset", "feature_set", "index"} == DATA_KINDS
