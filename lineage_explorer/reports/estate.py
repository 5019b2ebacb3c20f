"""An estate as documents: one HTML file, a sheet, Markdown for a ticket, JSON.

All of them are made from the one document that :func:`lineage_explorer.estates.estate_document` gives, and all of them
put the worst endpoints first, but JSON, which is that document.
"""

from __future__ import annotations

import csv as sheet
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import LineageError
from ..estates import columns
from . import data, page, standalone
from .cells import inert
from .judgements import WORDS
from .markdown import escape, table

#: Worst first.
VERDICTS = ("FAILED", "INCOMPLETE", "PASSED")
_OUTCOME = {"PASSED": "holds", "FAILED": "fails", "INCOMPLETE": "undetermined"}
_LEGEND = (
    "A cell holds the worst that the requirement came to on any hop behind the endpoint; an empty one says that it "
    "applies to none."
)
_HEAD = ("Endpoint", "Verdict", "Holds", "Fails", "Undetermined", "First finding")


def words(verdict: str, form: str) -> str:
    """A verdict, as a policy of this form announces it.

    Examples
    --------
    >>> words("PASSED", "verdict"), words("PASSED", "questions")
    ('PASSED', 'evidence found')
    """
    return WORDS[form][_OUTCOME[verdict]] if form == "questions" else verdict


def worst_first(estate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The endpoints: the worst verdict first, then what fails most, then by reference."""
    return sorted(
        estate["endpoints"],
        key=lambda row: (VERDICTS.index(row["verdict"]), -row["fails"], -row["undetermined"], row["ref"]),
    )


def worst_of(estate: Mapping[str, Any]) -> str:
    """The worst verdict of all; an estate without endpoints showed nothing, and is INCOMPLETE.

    Examples
    --------
    >>> worst_of({"endpoints": [{"verdict": "PASSED"}, {"verdict": "INCOMPLETE"}]}), worst_of({"endpoints": []})
    ('INCOMPLETE', 'INCOMPLETE')
    """
    found = {row["verdict"] for row in estate["endpoints"]} or {"INCOMPLETE"}
    return next(verdict for verdict in VERDICTS if verdict in found)


def summary(estate: Mapping[str, Any]) -> str:
    """How many endpoints came to which verdict, in a sentence.

    Examples
    --------
    >>> summary({"question": {"policy": {"form": "verdict"}}, "endpoints": [{"verdict": "PASSED"}, {"verdict": "FAILED"}]})
    '2 endpoints: 1 FAILED, 1 PASSED'
    """
    counts = Counter(row["verdict"] for row in estate["endpoints"])
    form = estate["question"]["policy"].get("form", "verdict")
    total = sum(counts.values())
    told = ", ".join(f"{counts[verdict]:,} {words(verdict, form)}" for verdict in VERDICTS if counts[verdict])
    return f"{total:,} endpoint{'s' * (total != 1)}" + (f": {told}" if told else "")


def _asked(estate: Mapping[str, Any]) -> list[tuple[str, str]]:
    question, policy = estate["question"], estate["question"]["policy"]
    return [
        ("As of", question["as_of"]),
        ("Known at", question["known_at"]),
        ("Policy", f"{policy['name']} version {policy['version']} ({policy['digest']})"),
        ("Digest of this report", estate["digest"]),
    ]


def _lines(estate: Mapping[str, Any]) -> Iterable[list[str]]:
    """Every endpoint as the cells of a table, the worst first."""
    gates = [gate["id"] for gate in estate["gates"]]
    form = estate["question"]["policy"].get("form", "verdict")
    for row in worst_first(estate):
        counts = [str(row[name]) for name in ("holds", "fails", "undetermined")]
        cells = [row["cells"].get(gate, "") for gate in gates]
        yield [row["ref"], words(row["verdict"], form), *counts, row["finding"], *cells]


# --- HTML ---


def html(estate: Mapping[str, Any]) -> str:
    """The estate as a standalone page: the heat map, and without scripts everything as tables.

    Parameters
    ----------
    estate : mapping
        As :func:`lineage_explorer.estates.estate_document` gives it.

    Returns
    -------
    str
        HTML that asks nobody for anything; no text from a record is markup in it.
    """
    title = summary(estate)
    main = standalone.body(title)
    standalone.table(main, "The question", ("Asked", "Value"), _asked(estate))
    gates = [(gate["id"], gate["title"]) for gate in estate["gates"]]
    standalone.table(main, "Requirements", ("Requirement", "In words"), gates)
    standalone.element(main, "p", _LEGEND)
    head = (*_HEAD, *(gate["id"] for gate in estate["gates"]))
    standalone.table(main, "Endpoints, the worst first", head, _lines(estate))
    standalone.element(main, "p", standalone.STATES)
    return standalone.page(title, main, estate, standalone.Live(page.SCRIPT, "lx-estate"), page.STYLES)


# --- the others ---


def md(estate: Mapping[str, Any]) -> str:
    """The estate as Markdown: CommonMark with tables, every text from a record escaped."""
    head = (*_HEAD, *(gate["id"] for gate in estate["gates"]))
    lines = [f"# {escape(summary(estate))}", ""]
    for title, top, rows in (
        ("The question", ("Asked", "Value"), _asked(estate)),
        ("Requirements", ("Requirement", "In words"), [(gate["id"], gate["title"]) for gate in estate["gates"]]),
        ("Endpoints, the worst first", head, _lines(estate)),
    ):
        lines += [f"## {title}", "", *table(top, rows)]
    return "\n".join([*lines, _LEGEND, "", standalone.STATES, ""])


def csv(estate: Mapping[str, Any]) -> str:
    """The estate as comma-separated values: the columns of :func:`lineage_explorer.estates.audit_estate`.

    A text that a program for sheets would run as a formula begins with an apostrophe, which such programs hide.
    """
    out = io.StringIO()
    writer = sheet.writer(out)
    writer.writerow(map(inert, columns([gate["id"] for gate in estate["gates"]])))
    writer.writerows(map(inert, line) for line in _lines(estate))
    return out.getvalue()


def json(estate: Mapping[str, Any]) -> str:
    """The estate as indented JSON, keys sorted."""
    return data.render(estate)


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"html": html, "csv": csv, "md": md, "json": json}


def save(estate: Mapping[str, Any], path: str | Path) -> Path:
    """Write the estate as a document; the suffix says which.

    Parameters
    ----------
    estate : mapping
        As :func:`lineage_explorer.estates.estate_document` gives it.
    path : str or Path
        ``.html`` (with the heat map, offline), ``.csv``, ``.md`` or ``.json``.

    Raises
    ------
    LineageError
        When nothing writes that suffix, or the file cannot be written.
    """
    target = Path(path)
    render = check(target)
    try:
        # Lines end as the format wants them: on Windows, too.
        target.write_text(render(estate), encoding="utf-8", newline="")
    except OSError as error:
        raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
    return target


def check(path: Path) -> Callable[[Mapping[str, Any]], str]:
    """What writes a file of this name; to be asked before an estate is judged for nothing."""
    form = path.suffix.removeprefix(".").casefold()
    if form not in _FORMS:
        raise LineageError(f"nothing writes an estate as {path.suffix!r}; there are: {', '.join(sorted(_FORMS))}")
    return _FORMS[form]
