"""The rows of an audit: what was traced and judged, written down as plain JSON values.

The keys of these rows are the format that every view reads (``Audit.to_dict()``, format 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import networkx as nx

from .policy import EvidenceBySubject, Judgement, Outcome, verdict_of
from .records import format_instant
from .references import from_micros
from .roles import DATA_KINDS
from .sentences import fact_of, label_of
from .trace import Serving, Trace

if TYPE_CHECKING:
    from .store.walk import Described


def iso(micros: int | None) -> str | None:
    """Microseconds since 1970 UTC as RFC 3339 text."""
    return None if micros is None else from_micros(micros)


def serving_row(item: Serving, outcome: Outcome | None) -> dict[str, Any]:
    """One deployment, and what its path came to."""
    return {
        "deployment": item.deployment,
        "model": item.model,
        "traffic": item.traffic,
        "state": item.state,
        "mirrored": item.state == "shadow",
        "site": item.site,
        "since": iso(item.since),
        "verdict": None if outcome is None else verdict_of(outcome),
    }


def _origin(described: Mapping[int, Described], number: int | None) -> dict[str, Any] | None:
    found = described.get(number) if number is not None else None
    if found is None:
        return None
    return {
        "system": found.system,
        "location": found.location,
        "position": found.position,
        "observed_at": iso(found.observed_at),
        "recorded_at": iso(found.recorded_at),
        "digest": found.digest,
    }


def node_row(result: Trace, ref: str, described: Mapping[int, Described]) -> dict[str, Any]:
    """One thing that was reached, with the record that describes it and where that was read."""
    data = result.graph.nodes[ref]
    record = data["record"]
    return {
        "ref": ref,
        "kind": data["kind"],
        "type": record.get("type", ""),
        "name": data["name"],
        "version": data["version"],
        "namespace": data["namespace"],
        "label": label_of(data, record),
        "fact": fact_of(data, record),
        "lane": result.lanes[ref],
        "resolved": bool(data["resolved"] or data["implied"]) and not data.get("candidates"),
        "roles": sorted(result.roles.get(ref, ())),
        "digest": data["digest"],
        "identified_by": data["identified_by"],
        "since": record.get("created_at") or record.get("started_at"),
        "description": record.get("description", ""),
        "attributes": record.get("attributes", {}),
        "record": record,
        "source": _origin(described, data["record_id"]),
    }


def evidence_rows(
    evidence: EvidenceBySubject, described: Mapping[int, Described], shown: set[str]
) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """All gate results about what is shown, and the id of each by its number in the journal."""
    rows: list[tuple[dict[str, Any], int]] = []
    for node in sorted(shown & set(evidence)):
        for number, item in evidence[node]:
            row = {
                "subject": node,
                "stated_about": item["subject"],
                "gate": item["gate"],
                "gate_type": item.get("gate_type", "other"),
                "status": item["status"],
                "grade": item.get("grade", "claimed"),
                "expected": item.get("expected", ""),
                "actual": item.get("actual", ""),
                "evaluator": item.get("evaluator", ""),
                "event_time": item.get("event_time"),
                "valid_to": item.get("valid_to"),
                "pointer": item.get("pointer", ""),
                "attributes": item.get("attributes", {}),
                "source": _origin(described, number),
            }
            rows.append((row, number))
    rows.sort(
        key=lambda pair: (
            pair[0]["subject"],
            pair[0]["gate"],
            pair[0]["event_time"] or "",
            described[pair[1]].digest,
            pair[1],
        )
    )
    identity = {number: f"e{index}" for index, (_, number) in enumerate(rows, 1)}
    return [{"id": identity[number], **row} for row, number in rows], identity


#: Worst first: the one status that a hop's badge shows.
STATUS_ORDER = ("failed", "missing", "undetermined", "stale", "pending", "waived", "passed")


def hop_rows(
    result: Trace,
    judged: Mapping[tuple[str, str, Any], list[Judgement]],
    evidence: EvidenceBySubject,
    identity: Mapping[int, str],
    described: Mapping[int, Described],
) -> list[dict[str, Any]]:
    """All hops from the endpoint back, each with its requirements; what stands beside the flow comes last."""
    order = {ref: index for index, ref in enumerate(_downstream_order(result.graph))}
    edges = sorted(
        result.graph.edges(keys=True, data=True),
        key=lambda edge: (
            bool(result.graph.nodes[edge[1]].get("side")),  # what stands beside the flow comes after it
            -order[edge[1]],
            -order[edge[0]],
            edge[3]["predicate"],
            edge[3]["role"],
            edge[3]["event_time"] or 0,
            # Two relations of one kind between the same things: in whatever order a database gave them.
            edge[3]["valid_from"] or 0,
            described[edge[3]["record_id"]].digest if edge[3]["record_id"] in described else "",
            edge[3]["record_id"] or 0,
        ),
    )
    hops: list[dict[str, Any]] = []
    for index, (cause, effect, key, data) in enumerate(edges, 1):
        judgements = judged.get((cause, effect, key), [])
        requirements = [
            {
                "requirement": item.requirement,
                "title": item.title,
                "required": True,
                "outcome": item.outcome,
                "status": item.status,
                "grade": item.grade,
                "why": item.why,
                "needed": item.needed,
                "cites": item.cites,
                "policy_version": item.policy_version,
                "waiver": _waiver_row(item),
                "evidence": [identity[number] for number in item.evidence if number in identity],
            }
            for item in judgements
        ]
        gates = [item for item in requirements if item["requirement"] != "on-record" or item["outcome"] != "holds"]
        gates += _other_gates(cause, evidence, identity, judgements)
        statuses = {item["status"] for item in gates}
        hops.append(
            {
                "id": f"h{index}",
                "cause": cause,
                "effect": effect,
                "predicate": data["predicate"],
                "role": data["role"],
                "basis": data["basis"],
                "via": data.get("via", ""),
                "traffic": data["traffic"],
                "site": data["record"].get("site", ""),
                "since": iso(data["valid_from"]) if data["predicate"] in ("serves", "deploys", "alias_of") else None,
                "until": iso(data["valid_to"]),
                "event_time": iso(data["event_time"]),
                "status": next((status for status in STATUS_ORDER if status in statuses), "none"),
                "requirements": requirements + [item for item in gates if not item["required"]],
                "record": data["record"],
                "source": _origin(described, data["record_id"]),
            }
        )
    return hops


def _waiver_row(item: Judgement) -> dict[str, str] | None:
    waiver = item.waiver
    return None if waiver is None else {"by": waiver.by, "why": waiver.why, "until": format_instant(waiver.until)}


def _other_gates(
    cause: str, evidence: EvidenceBySubject, identity: Mapping[int, str], judgements: Iterable[Judgement]
) -> list[dict[str, Any]]:
    """Gates about the hop's data that no requirement used: shown, and without a say in the verdict."""
    if cause.partition(":")[0] not in DATA_KINDS:
        return []
    used = {number for item in judgements for number in item.evidence}
    outcome = {"passed": "holds", "waived": "holds", "failed": "fails"}
    return [
        {
            "requirement": item["gate"],
            "title": f"Gate {item['gate']} (not required)",
            "required": False,
            "outcome": outcome.get(item["status"], "undetermined"),
            "status": item["status"],
            "grade": item.get("grade", "claimed"),
            "why": f"{item['gate']}: {item['status']}",
            "needed": "",
            "cites": "",
            "policy_version": "",
            "waiver": None,
            "evidence": [identity[number]],
        }
        for number, item in evidence.get(cause, ())
        if number not in used and number in identity and (item.get("expected") or item["status"] != "undetermined")
    ]


def _downstream_order(graph: nx.MultiDiGraph[str]) -> list[str]:
    """Causes before effects, by name where that leaves a choice; cycles in one place."""
    acyclic = nx.condensation(nx.DiGraph(graph))
    names = {component: min(data["members"]) for component, data in acyclic.nodes(data=True)}
    ordered = nx.lexicographical_topological_sort(acyclic, key=lambda component: names[component])
    return [ref for component in ordered for ref in sorted(acyclic.nodes[component]["members"])]


def dataset_row(result: Trace, ref: str) -> dict[str, Any]:
    """One dataset: its roles, what identifies it, and one witness path."""
    data = result.graph.nodes[ref]
    direct = any(
        edge["predicate"] == "used" and result.lanes[run] in ("training", "registry")
        for _, run, edge in result.graph.out_edges(ref, data=True)
    )
    return {
        "ref": ref,
        "role": " + ".join(sorted(result.roles[ref])),
        "name": data["name"],
        "version": data["version"],
        "identified_by": data["identified_by"],
        "digest": data["digest"],
        "how": "read by the run" if direct else "upstream of what was read",
        "origin": result.graph.in_degree(ref) == 0,
        "resolved": bool(data["resolved"] or data["implied"]),
        "reached_from": sorted(result.reached_from.get(ref, ())),
        "path": result.witness.get(ref, []),
    }
