"""An audit as Markdown: for a pull request, a wiki, a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .drawing import clean

# Everything that CommonMark, GitHub's additions or embedded HTML could act on; records are hostile text. A sign
# that acts only in one place (a mention's @, a link's ://, a list's -) is left readable everywhere else.
_ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#!|~&]|(?<!\w)[@:]|:(?=//)|@(?=\S+\.)|(?<=www)\.|^[-+=])", re.I)


def render(audit: Mapping[str, Any]) -> str:
    """The audit as Markdown.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    str
        CommonMark with tables; every text from a record is escaped.
    """
    question, policy = audit["question"], audit["question"]["policy"]
    lines = [
        f"# Lineage of {escape(question['endpoint'])}: {audit['verdict']}",
        "",
        escape(audit["answer"]),
        "",
        *_table(
            ("Asked", "Value"),
            (
                ("As of", question["as_of"]),
                ("Known at", question["known_at"]),
                ("Policy", f"{policy['name']} version {policy['version']} ({policy['digest']})"),
                ("Audit digest", audit["digest"]),
                ("Made by", f"{audit['tool']['name']} {audit['tool']['version']}"),
            ),
        ),
        "## Who serves",
        "",
        *_table(
            ("Deployment", "Runs", "Traffic", "Site", "Since", "Verdict"),
            (
                (
                    row["deployment"],
                    row["model"],
                    _share(row),
                    row["site"],
                    row["since"],
                    row["verdict"] or row["state"],
                )
                for row in audit["serving"]
            ),
        ),
        "## Data",
        "",
        *_table(
            ("Dataset", "Role", "Identified by", "Digest", "How"),
            (
                (row["ref"], row["role"], row["identified_by"].replace("_", " "), row["digest"], row["how"])
                for row in audit["datasets"]
            ),
        ),
        "## Hops",
        "",
        *_table(
            ("Cause", "Link", "Effect", "Basis", "Gate", "Why"),
            (
                (
                    row["cause"],
                    row["predicate"].replace("_", " ") + (f" ({row['role']})" if row["role"] else ""),
                    row["effect"],
                    row["basis"].replace("_", " "),
                    "" if row["status"] == "none" else row["status"],
                    "; ".join(item["why"] for item in row["requirements"]),
                )
                for row in audit["hops"]
            ),
        ),
        "## Evidence",
        "",
        *_table(
            ("Subject", "Gate", "Status", "Expected", "Actual", "Who", "When", "Grade", "Proof"),
            (
                tuple(
                    row[key]
                    for key in (
                        "subject",
                        "gate",
                        "status",
                        "expected",
                        "actual",
                        "evaluator",
                        "event_time",
                        "grade",
                        "pointer",
                    )
                )
                for row in audit["evidence"]
            ),
        ),
        "## Findings",
        "",
        *_table(
            ("Severity", "Code", "Reference", "Message"),
            ((row["severity"], row["code"], row["ref"], row["message"]) for row in audit["findings"]),
        ),
        "This report states evidence, not compliance.",
        "",
    ]
    return "\n".join(lines)


def _share(row: Mapping[str, Any]) -> str:
    if row["traffic"] is None:
        return "not read"
    return f"{row['traffic']:g} %" + (" (mirrored)" if row["mirrored"] else "")


def escape(value: object) -> str:
    """Text that Markdown shows as it is.

    Examples
    --------
    >>> escape("<img src=x>")
    '\\\\<img src=x\\\\>'
    """
    text = "" if value is None else clean(" ".join(str(value).split()))
    return _ACTIVE.sub(r"\\\1", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    body = [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows]
    if not body:
        return ["None on record.", ""]
    return [f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *body, ""]
