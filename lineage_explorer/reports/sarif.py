"""An audit as SARIF 2.1.0: what code scanning shows as alerts."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .judgements import Judged, asks, judged, line, subject

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL = {"fails": "error", "undetermined": "warning"}
#: How the help of a rule ends: for a verdict, and for questions about a text.
_END = ("Neither is a reason to release.", "This states evidence, never compliance.")
#: What GitHub takes for a rule's name and its short description.
_NAME, _SHORT = 255, 1024


def render(audit: Mapping[str, Any], *, file: str = "", lines: Mapping[tuple[str, str], int] | None = None) -> str:
    """The audit as SARIF: a rule for each requirement, a result wherever one does not hold.

    What fails is an ``error``; what cannot be determined is a ``warning``, and no less a reason not to release.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.
    file : str
        The policy's file, as a relative URI from the root of the repository. Code scanning shows no result without a
        file; without this, the result names ``<policy>.toml``.
    lines : mapping, optional
        Line of each requirement in that file, by version of the policy and id.

    Returns
    -------
    str
        JSON. Texts from records hold no link and no placeholder. Results are recognised again over runs: their
        fingerprints hold what was judged and by which requirement, and nothing of the time or the order.
    """
    rows = judged(audit)
    question, policy = audit["question"], audit["question"]["policy"]
    rules = {row.id: row for row in reversed(rows)}  # the first of an id says what it is called
    order = {id_: index for index, id_ in enumerate(sorted(rules))}
    uri = file or quote(f"{policy['name']}.toml")
    seen: Counter[str] = Counter()
    results = []
    for row in rows:
        if row.outcome == "holds":
            continue
        mark = _fingerprint(row, question)
        seen[mark] += 1
        results.append(
            {
                "ruleId": line(row.id),
                "ruleIndex": order[row.id],
                "level": _LEVEL[row.outcome],
                "message": {"text": _message(row)},
                "locations": [_location(row, uri, (lines or {}).get((row.version, row.id), 1))],
                # GitHub reads this one only.
                "partialFingerprints": {"primaryLocationLineHash": f"{mark}:{seen[mark]}"},
                "properties": {
                    "outcome": row.outcome,
                    "status": row.status,
                    "evidence": [_evidence(item) for item in audit["evidence"] if item["id"] in row.evidence],
                    "policyVersion": row.version or policy["version"],
                    "policyDigest": policy["digest"],
                    "auditDigest": audit["digest"],
                },
            }
        )
    run = {
        "tool": {
            "driver": {
                "name": audit["tool"]["name"],
                "semanticVersion": audit["tool"]["version"],
                "rules": [_rule(rules[id_], _END[asks(audit)]) for id_ in order],
            }
        },
        # Up to the last slash it is a category: the gates of two models of one commit do not overwrite each other.
        "automationDetails": {"id": f"lineage-explorer/{line(subject(audit))}/"},
        "results": results,
        "properties": {
            "verdict": audit["verdict"],
            "endpoint": line(question["endpoint"]),
            "asOf": question["as_of"],
            "knownAt": question["known_at"],
            "policy": f"{policy['name']} version {policy['version']}",
            "policyDigest": policy["digest"],
            "auditDigest": audit["digest"],
            "waivers": [
                {
                    "requirement": line(row.id),
                    "hop": line(row.where),
                    **{key: line(row.waiver[key]) for key in row.waiver},
                }
                for row in rows
                if row.waiver
            ],
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(row: Judged, end: str) -> dict[str, Any]:
    cites = f" Built on: {line(row.cites)}." if row.cites else ""
    return {
        "id": line(row.id),
        "name": line(row.title)[:_NAME],
        "shortDescription": {"text": _plain(row.title)[:_SHORT]},
        "fullDescription": {"text": _plain(f"{row.title}.{cites}")[:_SHORT]},
        "help": {
            "text": _plain(
                f"{row.title}.{cites} An error: a record contradicts it. A warning: it cannot be determined from what is "
                f"on record; the message says what would be needed. {end}"
            )
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["lineage", "policy"], "precision": "very-high", "problem.severity": "error"},
    }


def _message(row: Judged) -> str:
    where = f" ({row.where})" if row.where else ""
    needed = f" Needed: {row.needed}." if row.needed else ""
    return _plain(f"{row.title}: {row.why}{where}.{needed}")


def _plain(text: str) -> str:
    """Text in which SARIF sees no link (``[text](target)``) and no placeholder (``{0}``)."""
    return re.sub(r"([\[\]\\])", r"\\\1", line(text)).replace("{", "{{").replace("}", "}}")


def _location(row: Judged, uri: str, start: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": start, "startColumn": 1, "endLine": start, "endColumn": 2},
        }
    }
    if row.hop is not None:
        found["logicalLocations"] = [
            {"fullyQualifiedName": line(row.where), "kind": "hop"},
            *(
                {"fullyQualifiedName": line(row.hop[end]), "kind": line(row.hop[end].partition(":")[0])}
                for end in ("cause", "effect")
            ),
        ]
    return found


def _evidence(item: Mapping[str, Any]) -> dict[str, str]:
    return {key: line(item[key] or "") for key in ("id", "subject", "gate", "status", "grade", "pointer", "event_time")}


def _fingerprint(row: Judged, question: Mapping[str, Any]) -> str:
    said = [row.id, question["endpoint"], question.get("candidate") or ""]
    if row.hop is None:
        said.append(row.why)
    else:
        said += [str(row.hop.get(key) or "") for key in ("cause", "predicate", "effect", "role", "site")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
