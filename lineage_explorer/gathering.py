"""What a question needs beside the graph: evaluations, the records that describe each thing, and evidence about it."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import networkx as nx

from .descriptions import merge_descriptions
from .errors import StoreError
from .graph import version_of
from .policy import EvidenceBySubject, Policy
from .policy.reading import misspelt
from .records import Ref, format_instant, parse_instant
from .references import micros_of

if TYPE_CHECKING:
    from .store import Store
    from .store.walk import Described, Said

_BASE = frozenset({"model", "ai_agent", "logged_model"})


def instants(store: Store, as_of: datetime | str | None, known_at: datetime | str | None) -> tuple[datetime, datetime]:
    """The two times of a question: the instant asked about, and the recording that its answer rests on.

    To be asked after the thing was singled out, so that what made it known is part of what is known. What is
    written later never changes an answer that names the recording it rests on.

    Raises
    ------
    InvalidInstant
        When a time cannot be read or has no time zone.
    """
    now = store.now()
    asked = now if as_of is None else parse_instant(as_of)
    return asked, store.recorded_by(now if known_at is None else parse_instant(known_at))


@contextmanager
def fitting(store: Store) -> Iterator[None]:
    """While inside, what cannot be put together is told as what it is: a damaged store, or a bug.

    Raises
    ------
    StoreError
        Saying which, and how to find out.
    """
    try:
        yield
    except (KeyError, OverflowError, nx.NetworkXException) as error:
        raise StoreError(
            f"what {store.name!r} holds does not fit together: {error!r}. `lineage-explorer verify` tells whether it was "
            "damaged or changed; if it is sound, this is a bug: please report it"
        ) from error


def add_evaluations(store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime) -> None:
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


def describe(store: Store, graph: nx.MultiDiGraph[str], as_of: datetime, known_at: datetime) -> dict[int, Described]:
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
    instant = micros_of(as_of)
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


def evidence_about(
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
        if short in numbers and same[short] == [ref]:
            meant[numbers[short]] = ref
    said = store.evidence(meant, as_of, known_at)
    described = store.describe(item.seq for item in said)
    found: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
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
    _compare_proofs(store, found, as_of, known_at)
    return found, described


def _compare_proofs(
    store: Store, evidence: Mapping[str, list[tuple[int, dict[str, Any]]]], as_of: datetime, known_at: datetime
) -> None:
    """Evidence whose proof is not any more what it was when the gate was judged is stale."""
    resting = [
        (item, str(item["attributes"]["proof_digest"]))
        for items in evidence.values()
        for _, item in items
        if item.get("attributes", {}).get("proof_digest") and ":" in item.get("pointer", "")
    ]
    if not resting:
        return
    numbers = store.numbers({item["pointer"] for item, _ in resting})
    said = store.descriptions(numbers.values(), as_of, known_at)
    described = store.describe(one.seq for one in said)
    now: dict[int, set[str]] = defaultdict(set)
    for one in said:
        if digest := json.loads(described[one.seq].json).get("digest"):
            now[one.node].add(digest)
    for item, recorded in resting:
        digests = now.get(numbers.get(item["pointer"], -1), set())
        if digests and digests != {recorded} and item["status"] in ("passed", "waived"):
            item |= {
                "status": "stale",
                "because": f"{item['pointer']} was {recorded} when it was judged, and is {', '.join(sorted(digests))}",
            }


#: The name of the deployment, and of the endpoint where none is named, of a version that is not released.
CANDIDATE = "candidate"


def suppose(graph: nx.MultiDiGraph[str], model: str, endpoint: str, environment: str, as_of: datetime) -> str:
    """Put a deployment of a version, released at an instant, at the end of what the version was made from; its name."""
    place = Ref.parse(endpoint)
    deployment = str(Ref("deployment", f"{place.name}:{CANDIDATE}", "", place.namespace))
    micro = micros_of(as_of)
    for ref, attributes in ((deployment, {"environment": environment}), (endpoint, {})):
        parsed = Ref.parse(ref)
        graph.add_node(
            ref,
            kind=parsed.kind,
            resolved=True,
            implied=False,
            record_id=None,
            record={"type": "entity", "ref": ref, "attributes": attributes, "description": "supposed, not on record"},
            name=parsed.name,
            version="",
            namespace=parsed.namespace,
            contradicted=[],
            description_sure=True,
            gone=False,
            identified_by="declared",
            digest="",
            seen_later=False,
        )
    for cause, predicate, effect in ((model, "deploys", deployment), (deployment, "serves", endpoint)):
        graph.add_edge(
            cause,
            effect,
            (0, predicate),
            predicate=predicate,
            role="",
            basis="declared",
            traffic=100.0 if predicate == "serves" else None,
            record_id=None,
            valid_from=micro,
            valid_to=None,
            sure_to=None,
            event_time=None,
            sure=True,
            record={"valid_from": format_instant(as_of)},
        )
    return deployment


def refuse_misspelt(store: Store, policy: Policy, evidence: EvidenceBySubject) -> None:
    """No audit runs by a policy that asks for a metric nobody ever measured, where one is called nearly so.

    Raises
    ------
    PolicyError
        With line, column and the nearest name.
    """
    asked = policy.metrics()
    if not asked:
        return
    known = {
        str(item.get("attributes", {}).get("metric", item["gate"]))
        for items in evidence.values()
        for _, item in items
        if item.get("actual")
    }
    for metric in sorted(asked - known):
        near = difflib.get_close_matches(metric, sorted(known), 1, 0.6)
        if near and not store.measured(metric):
            raise misspelt(policy, metric, near[0])
