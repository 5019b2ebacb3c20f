"""Histories, comparisons, impacts and their like in a notebook: live, and as tables where no kernel runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anywidget
import ipywidgets
import traitlets

from .asking import STATIC, StoreAtHand, reply
from .errors import LineageError
from .reports import chapters as reports
from .reports import drawing, headlines, standalone
from .reports.cells import told
from .store import Store
from .widget import View, opening, show_both

#: What a document that can be shown says of itself.
_FORMATS = tuple(
    f"lineage-explorer/{name}" for name in ("history", "comparison", "likeness", "impact", "rollback", "serving")
)
#: How many rows the still tables show, each.
_STILL = 100


class Chapter(anywidget.AnyWidget):
    """A document in step with Python: ``history(...)``, ``compare(...)``, ``impact(...)`` and their like.

    Parameters
    ----------
    document : mapping
        What their ``to_dict()`` gives.
    store : Store, str or Path, optional
        The store, or its file. With it the reader can go on: to the trace of something at an instant, and to further
        histories, comparisons and impacts.

    Attributes
    ----------
    content : dict
        The document that is shown. Setting it shows another.
    selected : str
        The reference that the reader asked on about last; empty while there is none.

    Raises
    ------
    LineageError
        When the document is of no format that can be shown.

    Examples
    --------
    >>> from lineage_explorer.documents import Documented
    >>> Chapter(Documented({"format": "lineage-explorer/serving", "question": {"endpoint": "endpoint:x"}, "spans": []}).to_dict())
    Who served endpoint:x; run the cell to have it again.
    """

    _esm = STATIC.joinpath("loader.js").read_text(encoding="utf-8")
    view = traitlets.Instance(View).tag(sync=True, **ipywidgets.widget_serialization)
    #: The code of chapters, which the view fetches from there: it carries none of its own.
    chapters = traitlets.Instance(View).tag(sync=True, **ipywidgets.widget_serialization)
    content = traitlets.Dict().tag(sync=True)
    #: Whether there is a store to ask.
    asks = traitlets.Bool(False).tag(sync=True)
    #: The expression by which Python opens the store, where that can be told.
    store = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    def __init__(self, document: Mapping[str, Any], store: Store | str | Path | None = None) -> None:
        self._store = StoreAtHand(store)
        super().__init__(
            view=View.shared(),
            chapters=View.shared("chapters"),
            content=dict(document),
            asks=self._store.there,
            store=opening(self._store),
        )
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        # A saved notebook shows this where the live view was.
        return f"{_plain(headlines.title(self.content))}; run the cell to have it again."

    def _ipython_display_(self) -> None:
        """Show the live view, and after it what remains when the kernel is gone."""
        show_both(self, static_bundle(self.content))

    @traitlets.validate("content")
    def _can_be_shown(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = proposal["value"]
        if document.get("format") not in _FORMATS:
            raise LineageError(f"there is no view of {document.get('format')!r}; there are: {', '.join(_FORMATS)}")
        return document

    def _asked(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        reply(self, message, self._store.answer)


def static_bundle(document: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in a notebook without a kernel: the answer in sentences, and the beginning of each table.

    Parameters
    ----------
    document : mapping
        What :class:`Chapter` shows.

    Returns
    -------
    dict
        By MIME type; no text from a record is markup in the HTML.
    """
    title, sentences = headlines.title(document), headlines.sentences(document)
    # The view's style sheet hides this where it follows the live one.
    still = ET.Element("div", {"class": "lx-static"})
    standalone.element(standalone.element(still, "p"), "strong", title)
    for sentence in sentences:
        standalone.element(still, "p", told(sentence))
    for sheet in reports.tables(document):
        if not sheet.rows:
            continue
        wide = standalone.element(still, "div", style="overflow-x:auto")
        standalone.table(wide, sheet.title, sheet.head, [[told(cell) for cell in row] for row in sheet.rows[:_STILL]])
        if len(sheet.rows) > _STILL:
            standalone.element(still, "p", f"{len(sheet.rows) - _STILL:,} more rows are not shown here.")
    return {
        "text/plain": "\n".join(map(_plain, [title, *sentences])),
        "text/html": ET.tostring(still, encoding="unicode", method="html"),
    }


def _plain(text: str) -> str:
    """A text without what acts or reorders, in one line."""
    return drawing.clean(told(text))


def widget(document: Mapping[str, Any], location: str | None = None) -> Chapter:
    """The interactive view of a document."""
    return Chapter(document, location)


def display(document: Mapping[str, Any], location: str | None = None) -> None:
    """Show a document in a notebook."""
    Chapter(document, location)._ipython_display_()
