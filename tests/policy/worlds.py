"""One small lineage, built without a store, to be changed in one place by each test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx as nx

from lineage_explorer.policy.facts import Condition, Facts, Life, Share, Span
from lineage_explorer.policy.hop import Hop, Result, Setting
from lineage_explorer.policy.logic import STATUS_OF
from lineage_explorer.records import Ref
from lineage_explorer.trace import Trace, trace

from .estates import ENDPOINT, NOW, micros, text

MODEL, DEPLOYMENT, RUN, DATA = "model:churn@1", "deployment:e:a", "run:train", "dataset:d@1"
A, B = ("sha256:" + digit * 64 for digit in "ab")
#: What is asked about a hop unless a test says otherwise: the model that a deployment runs.
DEPLOYS = (MODEL, DEPLOYMENT)
Edge = tuple[str, str, str, dict[str, Any]]


def edge(cause: str, predicate: str, effect: str, **more: Any) -> Edge:
    """A relation; ``valid_from`` and ``event_time`` are days."""
    record = dict(more.pop("record", {}))
    data: dict[str, Any] = {"basis": "identifier", "role": "", "traffic": None, "record_id": 0, "sure": True}
    data |= {"predicate": predicate, "valid_from": None, "event_time": None, "record": record}
    for key in {"valid_from", "event_time"} & set(more):
        day = more.pop(key)
        if day is not None:
            data[key] = micros(day)
            record[key] = text(day)
    return cause, predicate, effect, {**data, **more}


def chain(released: int | None = 50) -> list[Edge]:
    """A dataset that trained a model that a deployment serves."""
    return [
        edge(DATA, "used", RUN, role="training"),
        edge(RUN, "was_generated_by", MODEL),
        edge(MODEL, "deploys", DEPLOYMENT, valid_from=released),
        edge(DEPLOYMENT, "serves", ENDPOINT, valid_from=released, traffic=100.0),
    ]


def graph_of(edges: Iterable[Edge], nodes: Mapping[str, Mapping[str, Any]] | None = None) -> nx.MultiDiGraph[str]:
    """A graph as gathering makes it; ``nodes`` changes what is on record of some."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    nodes = nodes or {}
    for ref in dict.fromkeys([ENDPOINT, *(end for cause, _, effect, _ in edges for end in (cause, effect)), *nodes]):
        parsed = Ref.parse(ref)
        plain: dict[str, Any] = {"kind": parsed.kind, "name": parsed.name, "resolved": True, "implied": False}
        graph.add_node(ref, **{**plain, "record": {}, **nodes.get(ref, {})})
    for cause, _, effect, data in edges:
        graph.add_edge(cause, effect, **data)
    return graph


def described(**attributes: Any) -> dict[str, Any]:
    """A node whose record has these attributes."""
    return {"record": {"attributes": attributes}}


def ev(gate_type: str = "approval", day: int | None = 40, status: str = "passed", **more: Any) -> dict[str, Any]:
    """A gate's record about the model."""
    dated = {} if day is None else {"event_time": text(day)}
    return {"subject": MODEL, "gate": gate_type, "gate_type": gate_type, "status": status, **dated, **more}


def by_subject(items: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[int, Mapping[str, Any]]]]:
    """Evidence, numbered from 1."""
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, item in enumerate(items, 1):
        found.setdefault(item["subject"], []).append((number, item))
    return found


def hop(
    *evidence: Mapping[str, Any],
    edges: Iterable[Edge] = (),
    base: Iterable[Edge] | None = None,
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    released: int | None = 50,
    facts: Mapping[str, Any] | None = None,
    at: tuple[str, str] = DEPLOYS,
    of: str = "cause",
) -> Hop:
    """A hop of the chain with some relations more, or of another chain (``base``)."""
    known: Trace = trace(graph_of([*(chain(released) if base is None else base), *edges], nodes), ENDPOINT)
    setting = Setting(known, by_subject(evidence), Facts(micros(NOW), **(facts or {})))
    return Hop(setting, *at, known.graph.edges[(*at, 0)], of)


def suite(*records: tuple[str, int | None, str], name: str = "model:churn") -> dict[str, Any]:
    """Facts: what each gate asked on a day, in records about the same name."""
    found: dict[tuple[str, str], tuple[Condition, ...]] = {}
    for number, (gate, day, expected) in enumerate(records, 11):
        item = ev(gate, day, expected=expected)
        one = Condition(number, None if day is None else micros(day), item)
        found[name, gate] = (*found.get((name, gate), ()), one)
    return {"conditions": found}


def releases(
    *told: tuple[int | None, Mapping[str, float | None]], unsure: Sequence[int] = (), **more: Any
) -> dict[str, Any]:
    """Facts: what share of the traffic each version had from a day on."""
    ends = [*(start for start, _ in told[1:]), None]
    return {
        "releases": tuple(
            Span(
                None if start is None else micros(start),
                None if end is None else micros(end),
                tuple(Share(model, DEPLOYMENT, traffic, **more) for model, traffic in shares.items()),
                sure=start not in unsure,
            )
            for (start, shares), end in zip(told, ends, strict=False)
        )
    }


def lives(*found: Life, complete: bool = True, name: str = "model:churn") -> dict[str, Any]:
    """Facts: the versions of a name, and whether the registry was read completely."""
    return {"lives": {name: found}, "complete": {name: complete}}


def told(result: Result) -> str:
    """All of a result in one line: ``outcome (status): why | needs what [grade numbers]``, without what is as usual."""
    status = "" if result.status == STATUS_OF[result.outcome] else f" ({result.status})"
    needed = f" | needs {result.needed}" if result.needed else ""
    numbers = ", ".join(map(str, result.evidence))
    return f"{result.outcome}{status}: {result.why}{needed}" + (f" [{result.grade} {numbers}]" if numbers else "")
