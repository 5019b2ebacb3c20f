"""What an audit's policy came to, one row for each hop and requirement: what reports for build systems are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..sentences import ANSWERS
from .drawing import clean

#: What an outcome and a verdict are called, by the form of the policy.
WORDS = {
    "verdict": {"holds": "holds", "fails": "fails", "undetermined": "cannot be determined"},
    "questions": {outcome: ANSWERS[outcome] for outcome in ("holds", "fails", "undetermined")},
}
_WORST = {"fails": 0, "undetermined": 1, "holds": 2}


class Judged(NamedTuple):
    """One requirement on one hop.

    Attributes
    ----------
    hop : mapping or None
        None where the verdict is held back by something that is no requirement: a finding, or nothing to judge.
    """

    hop: Mapping[str, Any] | None
    id: str
    title: str
    outcome: str
    status: str
    why: str
    needed: str = ""
    cites: str = ""
    version: str = ""
    evidence: tuple[str, ...] = ()
    grade: str = ""
    waiver: Mapping[str, Any] | None = None

    @property
    def where(self) -> str:
        """The hop as one text; its link last, because records read it from the effect."""
        if self.hop is None:
            return ""
        return f"{self.hop['cause']} → {self.hop['effect']}, {self.hop['predicate'].replace('_', ' ')}"


def judged(content: Mapping[str, Any]) -> list[Judged]:
    """Every required judgement of an audit, and whatever else keeps it from ``PASSED``, in the order of the hops.

    A report that lists only requirements could look clean beside a verdict that is not: findings of severity
    ``error`` make a path INCOMPLETE, and so does an endpoint at which nothing is to be judged.

    Parameters
    ----------
    content : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    list of Judged

    Examples
    --------
    >>> [row.why for row in judged({"verdict": "INCOMPLETE", "hops": [], "findings": []})]
    ['nothing that answers requests was judged']
    """
    rows = [
        Judged(
            hop=hop,
            id=item["requirement"],
            title=item["title"] or item["requirement"],
            outcome=item["outcome"],
            status=item["status"],
            why=item["why"],
            needed=item.get("needed", ""),
            cites=item.get("cites", ""),
            version=item.get("policy_version", ""),
            evidence=tuple(item["evidence"]),
            grade=item.get("grade", ""),
            waiver=item.get("waiver"),
        )
        for hop in content["hops"]
        for item in hop["requirements"]
        if item["required"]
    ]
    if content["verdict"] == "PASSED":
        return rows
    rows += [
        Judged(
            hop=None,
            id=f"finding-{item['code']}",
            title=f"Finding: {item['code'].replace('-', ' ')}",
            outcome="undetermined",
            status="undetermined",
            why=item["message"],
        )
        for item in content["findings"]
        if item["severity"] == "error"
    ]
    if all(row.outcome == "holds" for row in rows):
        rows.append(
            Judged(
                hop=None,
                id="verdict",
                title="Something to judge",
                outcome="undetermined",
                status="undetermined",
                why="nothing that answers requests was judged",
            )
        )
    return rows


def worst_first(rows: list[Judged]) -> list[Judged]:
    """What fails, then what cannot be determined, then what holds; otherwise in the order they had."""
    return sorted(rows, key=lambda row: _WORST[row.outcome])


def asks(content: Mapping[str, Any]) -> bool:
    """Whether the policy asks questions about a text: its answers are no verdict."""
    return bool(content["question"]["policy"].get("form") == "questions")


def subject(content: Mapping[str, Any]) -> str:
    """What was judged: the candidate of a gate, else the endpoint."""
    return str(content["question"].get("candidate") or content["question"]["endpoint"])


def line(value: object) -> str:
    """A record's text as one line that no XML, terminal or page reads as anything but text.

    Examples
    --------
    >>> line("two" + chr(10) + "lines" + chr(27) + "[31m")
    'two lines�[31m'
    """
    return clean(re.sub(r"\s+", " ", str(value)).strip())
