"""An audit as plain tables: what Markdown and the page without scripts both show, so that they cannot drift apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .judgements import WORDS, asks, judged, worst_first


class Sheet(NamedTuple):
    """One table: its title, the names of its columns, and its rows as values (None is an empty cell).

    Attributes
    ----------
    key : str
        By which a command or a file chooses this table among others; empty where none can be chosen.
    verbatim : bool
        The last column holds lines of a text, whose spaces count; the first says of which text.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[object, ...]]
    key: str = ""
    verbatim: bool = False


def sheets(audit: Mapping[str, Any]) -> list[Sheet]:
    """The tables of an audit, in the order of reading.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    list of Sheet
        The question, who serves, requirements, data, hops, evidence, findings. Texts are as they were recorded: whoever shows
        them escapes them.
    """
    question, policy = audit["question"], audit["question"]["policy"]
    words = WORDS["questions" if asks(audit) else "verdict"]
    evidence = ("subject", "gate", "status", "expected", "actual", "evaluator", "event_time", "grade", "pointer")
    findings = ("severity", "code", "ref", "message")
    return [
        Sheet(
            "The question",
            ("Asked", "Value"),
            [
                ("As of", question["as_of"]),
                ("Known at", question["known_at"]),
                ("Policy", f"{policy['name']} version {policy['version']} ({policy['digest']})"),
                *([("Judged as of", policy["judged_as_of"])] if policy.get("judged_as_of") else []),
                *(
                    (f"Judged by version {one['version']}", f"{one['hops']} hops ({one['digest']})")
                    for one in policy.get("applied", [])
                    if len(policy["applied"]) > 1
                ),
                *([("Candidate", question["candidate"])] if question.get("candidate") else []),
                ("Digest of this audit", audit["digest"]),
                ("Made by", f"{audit['tool']['name']} {audit['tool']['version']}"),
            ],
        ),
        Sheet(
            "Who serves",
            ("Deployment", "Runs", "Traffic", "Site", "Since", "Verdict"),
            [
                (
                    row["deployment"],
                    row["model"],
                    _share(row),
                    row["site"],
                    row["since"],
                    row["verdict"] or row["state"],
                )
                for row in audit["serving"]
            ],
        ),
        Sheet(
            "Requirements",
            ("Outcome", "Requirement", "Hop", "Comparison", "Grade", "Needed", "Waiver", "Cites"),
            [
                (
                    words[row.outcome]
                    if row.status in ("passed", "failed")
                    else f"{words[row.outcome]} ({row.status})",
                    row.title,
                    row.where,
                    row.why,
                    row.grade,
                    row.needed,
                    "{by}, until {until}: {why}".format(**row.waiver) if row.waiver else "",
                    row.cites,
                )
                for row in worst_first([row for row in judged(audit) if row.hop is not None])
            ],
        ),
        Sheet(
            "Data",
            ("Dataset", "Role", "Identified by", "Digest", "How"),
            [
                (row["ref"], row["role"], row["identified_by"].replace("_", " "), row["digest"], row["how"])
                for row in audit["datasets"]
            ],
        ),
        Sheet(
            "Hops",
            ("Cause", "Link", "Effect", "Basis", "Gate", "Why"),
            [
                (
                    row["cause"],
                    row["predicate"].replace("_", " ") + (f" ({row['role']})" if row["role"] else ""),
                    row["effect"],
                    row["basis"].replace("_", " "),
                    "" if row["status"] == "none" else row["status"],
                    "; ".join(item["why"] for item in row["requirements"]),
                )
                for row in audit["hops"]
            ],
        ),
        Sheet(
            "Evidence",
            ("Subject", "Gate", "Status", "Expected", "Actual", "Who", "When", "Grade", "Proof"),
            [tuple(row[key] for key in evidence) for row in audit["evidence"]],
        ),
        Sheet(
            "Findings",
            ("Severity", "Code", "Reference", "Message"),
            [tuple(row[key] for key in findings) for row in audit["findings"]],
        ),
    ]


def _share(row: Mapping[str, Any]) -> str:
    if row["traffic"] is None:
        return "not read"
    return f"{row['traffic']:g} %" + (" (mirrored)" if row["mirrored"] else "")
