"""Rows of documents as tables: DataFrames, lines of letters, and elements; and the texts in their cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    import pandas as pd

#: Columns that hold instants, in whatever document they stand.
_TIMES = frozenset(
    {"at", "earliest", "since", "until", "when", "first", "last", "first_served", "last_served", "served_since"}
    | {"served_until", "registered", "evaluated", "approved", "rolled_back", "archived", "deleted", "retired_at"}
    | {"keep_until"}
)


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table, its times with their zone; what a row does not have is None.

    Examples
    --------
    >>> str(frame([{"ref": "run:1", "since": "2026-01-01T00:00:00Z"}], ("ref", "since"))["since"].dt.tz)
    'UTC'
    """
    import pandas as pd

    found = pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=list(columns))
    for name in _TIMES.intersection(columns):
        found[name] = pd.to_datetime(found[name], utc=True, format="ISO8601")
    return found


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in letters of one width; none where there are no rows."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in ([head, *rows] if rows else [])
    ]


def html_table(parent: ET.Element, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """The same as elements."""
    table = ET.SubElement(parent, "table")
    row = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for name in head:
        ET.SubElement(row, "th", scope="col").text = name
    body = ET.SubElement(table, "tbody")
    for cells in rows:
        row = ET.SubElement(body, "tr")
        for cell in cells:
            ET.SubElement(row, "td").text = cell


def minute(text: str | None) -> str:
    """An instant as people read it in a table, in UTC; empty where there is none."""
    return "" if text is None else text[:16].replace("T", " ")


def visible(text: str, keep: str = "") -> str:
    """A record's text where escape sequences, direction marks and line breaks are shown, not obeyed.

    Examples
    --------
    >>> visible("a\\u202eb\\n", keep="\\n") == "a\\\\u202eb\\n"
    True
    """
    return "".join(char if char.isprintable() or char in keep else f"\\u{ord(char):04x}" for char in text)
