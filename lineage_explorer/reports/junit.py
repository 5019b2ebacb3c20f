"""An audit as JUnit XML: what build systems read as the results of tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from .judgements import Judged, judged, line


def render(audit: Mapping[str, Any]) -> str:
    """The audit as JUnit XML: one suite for each hop, one test case for each of its requirements.

    What fails is a ``failure``. What cannot be determined is an ``error`` of type ``undetermined``, because build
    systems count a ``skipped`` test as fine.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    str
        XML that fits both the schema of Ant's reports and that of Jenkins. Every text from a record is escaped, and
        none is in ``system-out``, where Azure Pipelines and others take ``[[ATTACHMENT|path]]`` as an order to send a
        file.
    """
    root = ET.Element("testsuites")
    for number, (_, rows) in enumerate(groupby(judged(audit), key=lambda row: row.hop and row.hop["id"])):
        _suite(root, number, list(rows), audit)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, number: int, rows: list[Judged], audit: Mapping[str, Any]) -> None:
    question = audit["question"]
    outcomes = [row.outcome for row in rows]
    suite = _add(
        root,
        "testsuite",
        id=number,
        # Without dots: what stands before a dot is a package to Jenkins.
        package="lineage-explorer",
        name=rows[0].where or "findings",
        # The instant asked about, not the clock: the same question gives the same file.
        timestamp=question["as_of"][:19],
        hostname="localhost",
        tests=len(rows),
        failures=outcomes.count("fails"),
        errors=outcomes.count("undetermined"),
        time=0,
    )
    properties = _add(suite, "properties")
    for name, value in _properties(rows, audit):
        _add(properties, "property", name=name, value=value)
    for row in rows:
        case = _add(
            suite,
            "testcase",
            classname=f"{question['policy']['name']}.{row.id}",
            name=f"{row.title}: {row.where}" if row.where else row.title,
            time=0,
        )
        if row.outcome != "holds":
            tag, type_ = ("failure", "failed") if row.outcome == "fails" else ("error", "undetermined")
            _add(case, tag, message=_message(row), type=type_).text = _body(row)
    _add(suite, "system-out")
    _add(suite, "system-err")


def _properties(rows: list[Judged], audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    """About the whole suite: neither schema has a place for them in a test case."""
    question, policy = audit["question"], audit["question"]["policy"]
    found = [
        ("verdict", audit["verdict"]),
        ("audit.digest", audit["digest"]),
        ("endpoint", question["endpoint"]),
        ("candidate", question.get("candidate") or ""),
        ("as_of", question["as_of"]),
        ("known_at", question["known_at"]),
        ("policy.name", policy["name"]),
        ("policy.version", policy["version"]),
        ("policy.digest", policy["digest"]),
        ("hop", "" if rows[0].hop is None else rows[0].hop["id"]),
    ]
    for row in rows:
        found.append((f"evidence.{row.id}", " ".join(row.evidence)))
        if row.waiver:
            found.append((f"waiver.{row.id}", "by {by} until {until}: {why}".format(**row.waiver)))
    return [(name, value) for name, value in found if value]


def _message(row: Judged) -> str:
    return f"{row.why}; needed: {row.needed}" if row.needed else row.why


def _body(row: Judged) -> str:
    parts = {
        "status": row.status,
        "why": row.why,
        "needed": row.needed,
        "hop": row.where,
        "evidence": ", ".join(row.evidence),
        "cites": row.cites,
    }
    return "\n".join(f"{name}: {line(value)}" for name, value in parts.items() if value)


def _add(parent: ET.Element, tag: str, **attributes: object) -> ET.Element:
    return ET.SubElement(parent, tag, {name: line(value) for name, value in attributes.items()})
