"""The heat map of an estate in a notebook: endpoints by requirements, live, and as a table where no kernel runs."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from .errors import LineageError
from .estates import FORMAT as ESTATE
from .estates import columns, estate_document
from .policy import Policy
from .records import digest_of
from .reports import drawing
from .reports import estate as estate_report
from .store import Store, open_store
from .widget import STATIC, View, show_both

if TYPE_CHECKING:
    import pandas as pd

#: How many endpoints the still table shows.
_STILL = 100


class HeatMap(anywidget.AnyWidget):
    """Endpoints by requirements: which holds where, in step with Python.

    Parameters
    ----------
    source : Store, str, Path, dict or pandas.DataFrame
        A store, or its file: every endpoint in it is judged. Else what was judged before: the document of
        :func:`lineage_explorer.estates.estate_document`, or rows of the table of ``audit_estate``.
    policy : str, Path or Policy, optional
        As in :func:`lineage_explorer.audit`. Of what was judged before, it can be no other.
    as_of, known_at : datetime or str, optional
        The instants asked about, with a time zone; now, and all that is known, by default.

    Attributes
    ----------
    selected : str
        The reference of the endpoint that was chosen; empty when none is.
    content : dict
        The document that is shown.

    Raises
    ------
    LineageError
        When the source is none of these, or a question is asked of what was judged before.
    InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit` does.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn-prod"), Entity(ref="endpoint:credit-prod")])
    ...     HeatMap(store)
    Heat map of 2 endpoints: 2 INCOMPLETE; run the cell to have it again.
    """

    _esm = STATIC.joinpath("loader.js").read_text(encoding="utf-8")
    view = traitlets.Instance(View).tag(sync=True, **ipywidgets.widget_serialization)
    content = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        source: Store | str | Path | Mapping[str, Any] | pd.DataFrame,
        policy: str | Path | Policy | None = None,
        as_of: datetime | str | None = None,
        known_at: datetime | str | None = None,
    ) -> None:
        if isinstance(source, Store):
            content = estate_document(source, policy, as_of, known_at)
        elif isinstance(source, str | Path):
            with open_store(source) as store:
                content = estate_document(store, policy, as_of, known_at)
        else:
            if any(item is not None for item in (policy, as_of, known_at)):
                raise LineageError("what was judged before cannot be judged anew; give the store instead")
            content = dict(source) if isinstance(source, Mapping) else _estate_of(source)
        if content.get("format") != ESTATE:
            raise LineageError("a heat map shows a store, an estate's document, or a table of audit_estate()")
        super().__init__(view=View.shared(), content=content)

    def __repr__(self) -> str:
        return f"Heat map of {estate_report.summary(self.content)}; run the cell to have it again."

    def _ipython_display_(self) -> None:
        """Show the live map, and after it what remains when the kernel is gone."""
        show_both(self, static_estate(self.content))


def _estate_of(table: pd.DataFrame) -> dict[str, Any]:
    """The document of a table, or of some of its rows; titles are not in it, so that requirements go by their ids."""
    question = table.attrs.get("question")
    own = columns([])
    if question is None or [str(name) for name in table.columns[: len(own)]] != own:
        raise LineageError(
            "this table is not one of audit_estate(): its columns, or its question in attrs, are missing"
        )
    named = [str(name) for name in table.columns[len(own) :]]
    gates = [name.removesuffix(" (requirement)") for name in named]
    rows = [
        {**dict(zip(own, row, strict=False)), "cells": dict(zip(gates, row[len(own) :], strict=True))}
        for row in table.to_numpy(dtype=object).tolist()
    ]
    content = {
        "format": ESTATE,
        "format_version": 1,
        "question": question,
        "gates": [{"id": name, "title": name} for name in gates],
        "endpoints": rows,
    }
    return {**content, "digest": digest_of(content)}


def static_estate(content: Mapping[str, Any]) -> dict[str, Any]:
    """The map for places without a kernel: its worst endpoints as a table, and as text."""
    head = ["Endpoint", "Verdict", "First finding", *(gate["title"] for gate in content["gates"])]
    form = content["question"]["policy"].get("form", "verdict")
    rows = estate_report.worst_first(content)
    lines = [
        [row["ref"], estate_report.words(row["verdict"], form), row["finding"]]
        + [row["cells"].get(gate["id"], "") for gate in content["gates"]]
        for row in rows[:_STILL]
    ]
    told = estate_report.summary(content)
    more = f"<p>{len(rows) - _STILL:,} more are not shown here.</p>" if len(rows) > _STILL else ""

    def line(tag: str, cells: list[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(drawing.clean(cell))}</{tag}>' for cell in cells)}</tr>"

    return {
        "text/plain": told,
        "text/html": (
            f'<div class="lx-static"><p><strong>{html.escape(told)}</strong></p><div style="overflow-x:auto"><table>'
            f"<thead>{line('th', head)}</thead><tbody>{''.join(line('td', cells) for cells in lines)}</tbody>"
            f"</table></div>{more}</div>"
        ),
    }
