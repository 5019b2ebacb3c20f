"""An audit as Markdown: for a pull request, a wiki, a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .drawing import clean
from .sheets import sheets
from .standalone import STATES

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
    lines = [
        f"# Lineage of {escape(audit['question']['endpoint'])}: {audit['verdict']}",
        "",
        escape(audit["answer"]),
        "",
    ]
    for sheet in sheets(audit):
        lines += [f"## {sheet.title}", "", *table(sheet.head, sheet.rows)]
    return "\n".join([*lines, STATES, ""])


def escape(value: object) -> str:
    """Text that Markdown shows as it is.

    Examples
    --------
    >>> escape("<img src=x>")
    '\\\\<img src=x\\\\>'
    """
    text = "" if value is None else clean(" ".join(str(value).split()))
    return _ACTIVE.sub(r"\\\1", text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table, and of an empty one that none is on record."""
    body = [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows]
    if not body:
        return ["None on record.", ""]
    return [f"| {' | '.join(map(escape, head))} |", "|" + " --- |" * len(head), *body, ""]
