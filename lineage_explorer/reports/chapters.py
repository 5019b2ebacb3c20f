"""Histories, comparisons, impacts and who served when, as files: one HTML page, Markdown, a sheet, JSON.

All of them are made from the one document that a question answers with (``to_dict()``), and all but JSON from one list
of tables, so that they cannot say different things.
"""

from __future__ import annotations

import csv as sheet_format
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import InvalidQuestion, LineageError
from . import comparison_sheets, data, headlines, history_sheets, impact_sheets, serving_sheets, standalone
from .cells import calculable, inert, told, verbatim
from .markdown import escape, table
from .sheets import Sheet

#: The documents, each with its tables, and the table that a sheet holds when none was chosen.
_TABLES: Mapping[str, tuple[Callable[[Mapping[str, Any]], list[Sheet]], str]] = {
    "lineage-explorer/history": (history_sheets.sheets, "versions"),
    "lineage-explorer/comparison": (comparison_sheets.comparison, "differences"),
    "lineage-explorer/likeness": (comparison_sheets.likeness, "rows"),
    "lineage-explorer/impact": (impact_sheets.sheets, "versions"),
    "lineage-explorer/rollback": (serving_sheets.rollback, "candidates"),
    "lineage-explorer/serving": (serving_sheets.serving, "serving"),
}
_STYLES = ("view.css", "chapters.css", "report.css")
_LIVE = standalone.Live("chapters-report.js", "lx-chapter")

_LEGENDS = {
    "lineage-explorer/history": (
        "“First seen only”: the beginning is when a sync first saw it; it may have begun earlier, after the sync before. "
        "“Not before” is the other bound. Parameters and packages stand once for all versions, one after the other, that share them."
    ),
    "lineage-explorer/comparison": "“Better” is empty where no record says which way is better.",
    "lineage-explorer/likeness": "Rows with the same number of a group run the same thing.",
    "lineage-explorer/impact": (
        "Strength is that of the weakest link on the strongest path: content hash, then identifier, name and version, time "
        "order, name, containment, declared. “Bounds between syncs”: the beginning or the end lies between two syncs."
    ),
    "lineage-explorer/rollback": (
        "A verdict is what the policy says of releasing that version to this endpoint at the instant asked about."
    ),
    "lineage-explorer/serving": (
        "“First seen only”: the beginning is when a sync first saw it; it may have begun earlier, after the sync before. "
        "Shares are as they were recorded, and never made to sum to 100."
    ),
}


def tables(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of a document, in the order of reading: the one source of all that is not JSON.

    Parameters
    ----------
    document : mapping
        As ``to_dict()`` of a history, comparison, likeness, impact or rollback gives it, or
        :func:`lineage_explorer.servings.serving_document`.

    Returns
    -------
    list of Sheet
        Texts are as they were recorded: whoever shows them makes them harmless. ``Blank`` cells have no value, and say
        why in words.

    Raises
    ------
    LineageError
        When the document is of another kind.
    """
    return _known(document)[0](document)


def chosen(document: Mapping[str, Any], key: str | None = None) -> Sheet:
    """One table of a document: the one that a sheet or a terminal shows.

    Parameters
    ----------
    key : str, optional
        Its key (``events``); by default that which most people look for.

    Raises
    ------
    InvalidQuestion
        When the document has no such table; lists those that it has.
    """
    wanted = key or _known(document)[1]
    if (wanted, document["format"]) == ("retrain", "lineage-explorer/impact"):
        return impact_sheets.retrain(document)
    keyed = {item.key: item for item in tables(document) if item.key}
    if wanted not in keyed:
        raise InvalidQuestion(f"there is no table {wanted!r}; there are: {', '.join(keyed)}")
    return keyed[wanted]


def _known(document: Mapping[str, Any]) -> tuple[Callable[[Mapping[str, Any]], list[Sheet]], str]:
    kind = document.get("format")
    if kind not in _TABLES:
        raise LineageError(f"nothing writes a document of the format {kind!r}; there are: {', '.join(sorted(_TABLES))}")
    return _TABLES[str(kind)]


# --- the forms ---


def html(document: Mapping[str, Any]) -> str:
    """A document as a standalone page: its drawing, and without scripts everything as tables.

    Parameters
    ----------
    document : mapping
        As for :func:`tables`.

    Returns
    -------
    str
        HTML that asks nobody for anything; no text from a record is markup in it.
    """
    all_ = tables(document)
    title = headlines.title(document)
    main = standalone.body(title)
    for sentence in headlines.sentences(document):
        standalone.element(main, "p", told(sentence))
    for item in all_:
        if item.verbatim:
            _texts(main, item)
        else:
            standalone.table(main, item.title, *_read(item))
    standalone.element(main, "p", _LEGENDS[document["format"]])
    standalone.element(main, "p", standalone.STATES)
    return standalone.page(title, main, document, _LIVE, _STYLES)


def _read(item: Sheet) -> tuple[list[str], list[list[str]]]:
    """A table as people read it: without columns that say nothing in any row, which only make the others narrower."""
    rows = [[told(cell) for cell in row] for row in item.rows]
    said = [index for index in range(len(item.head)) if not rows or any(row[index] for row in rows)]
    return [item.head[index] for index in said], [[row[index] for index in said] for row in rows]


def _texts(main: ET.Element, item: Sheet) -> None:
    """Lines as they stand, each text under its name."""
    if not item.rows:
        return
    standalone.element(main, "h2", item.title)
    for name, lines in _by_text(item):
        standalone.element(main, "h3", told(name))
        ET.SubElement(main, "pre").text = lines


def _by_text(item: Sheet) -> list[tuple[object, str]]:
    return [
        (name, "\n".join(verbatim(str(row[-1])) for row in rows))
        for name, rows in groupby(item.rows, key=lambda row: row[0])
    ]


def md(document: Mapping[str, Any]) -> str:
    """A document as Markdown: CommonMark with tables, every text from a record escaped."""
    all_ = tables(document)
    lines = [f"# {escape(headlines.title(document))}", ""]
    for sentence in headlines.sentences(document):
        lines += [escape(sentence), ""]
    for item in all_:
        if not item.verbatim:
            lines += [f"## {item.title}", "", *table(*_read(item))]
        elif item.rows:
            lines += [f"## {item.title}", ""]
            for name, text in _by_text(item):
                # Longer than any in the text, so that no line of it ends the block.
                fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
                lines += [f"### {escape(name)}", "", f"{fence}diff", text, fence, ""]
    return "\n".join([*lines, _LEGENDS[document["format"]], "", standalone.STATES, ""])


def csv(document: Mapping[str, Any], key: str | None = None) -> str:
    """One table of a document as comma-separated values: names of columns, then a line for each row.

    A text that a program for sheets would run as a formula begins with an apostrophe, which such programs hide. A cell
    without a value is empty.

    Parameters
    ----------
    document : mapping
        As for :func:`tables`.
    key : str, optional
        Which table; as for :func:`chosen`.

    Raises
    ------
    InvalidQuestion
        When the document has no such table.
    """
    item = chosen(document, key)
    out = io.StringIO()
    writer = sheet_format.writer(out, lineterminator="\n")
    writer.writerow(inert(column(name)) for name in item.head)
    writer.writerows([calculable(cell) for cell in row] for row in item.rows)
    return out.getvalue()


def column(name: str) -> str:
    """The heading of a column as a name for programs.

    Examples
    --------
    >>> column("Traffic %"), column("Still there")
    ('traffic', 'still_there')
    """
    return re.sub(r"[^a-z0-9]+", "_", name.replace("B - A", "delta").lower()).strip("_")


def json(document: Mapping[str, Any]) -> str:
    """A document as indented JSON, keys sorted."""
    return data.render(document)


# --- files ---

_FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"html": html, "csv": csv, "md": md, "json": json}


def check(path: Path) -> Callable[[Mapping[str, Any]], str]:
    """What writes a file of this name; to be asked before a question is answered for nothing.

    Raises
    ------
    LineageError
        When nothing writes that suffix.

    Examples
    --------
    >>> check(Path("report.HTML")).__name__
    'html'
    """
    form = path.suffix.removeprefix(".").casefold()
    if form not in _FORMS:
        raise LineageError(
            f"nothing writes {path.name!r}: the suffix says how, {', '.join(f'.{one}' for one in _FORMS)}"
        )
    return _FORMS[form]


def save(document: Mapping[str, Any], path: str | Path, key: str | None = None) -> Path:
    """Write a document to a file; the suffix says how.

    Parameters
    ----------
    document : mapping
        As for :func:`tables`.
    path : str or Path
        ``.html`` (with the drawing, offline), ``.md``, ``.json``, or ``.csv`` for one table.
    key : str, optional
        Which table ``.csv`` holds; as for :func:`chosen`.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    LineageError
        When nothing writes that suffix, or the file cannot be written.
    """
    target = Path(path)
    render = check(target)
    text = csv(document, key) if render is csv else render(document)
    try:
        # Lines end as the format wants them: on Windows, too.
        target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
    return target
