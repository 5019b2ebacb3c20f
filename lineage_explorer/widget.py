"""The trace in a notebook: an anywidget around an audit, and what is shown where no widget can live."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from .audits import Audit
from .reports import drawing

_STATIC = files(__package__).joinpath("static")


class TraceWidget(anywidget.AnyWidget):
    """An interactive trace.

    Parameters
    ----------
    audit : Audit
        What to show.

    Attributes
    ----------
    selected : str
        The reference of the selected node, or the id of the selected hop (``h3``); empty when nothing
        is. It can be observed and set.

    Examples
    --------
    >>> widget = audit.widget()                                    # doctest: +SKIP
    >>> widget.observe(lambda change: print(change.new), "selected")   # doctest: +SKIP
    """

    _esm = _STATIC.joinpath("view.js").read_text(encoding="utf-8")
    _css = _STATIC.joinpath("view.css").read_text(encoding="utf-8")
    audit = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    def __init__(self, audit: Audit) -> None:
        super().__init__(audit=audit.to_dict())

    def __repr__(self) -> str:
        # A saved notebook shows this where the live trace was.
        return f"Interactive trace of {self.audit['question']['endpoint']}; run the cell to have it again."


def static_bundle(audit: Mapping[str, Any]) -> dict[str, str]:
    """The trace for places without a kernel: an SVG, the same inside HTML, and the answer as text."""
    svg = drawing.render(audit)
    encoded = base64.b64encode(svg.encode()).decode()
    answer = html.escape(audit["answer"])
    return {
        "text/plain": f"{audit['verdict']}: {audit['answer']}",
        "image/svg+xml": svg,
        # The view's style sheet hides this where it follows a live trace.
        "text/html": (
            '<div class="lx-static"><p>'
            f'<strong>{audit["verdict"]}</strong> {answer}</p><div style="overflow-x:auto"><img style="width:100%;min-width:1200px" '
            'alt="Lineage drawing; the sentence above says what it shows" '
            f'src="data:image/svg+xml;base64,{encoded}"></div></div>'
        ),
    }


def widget(audit: Audit) -> TraceWidget:
    """The interactive trace of an audit."""
    return TraceWidget(audit)


def display(audit: Audit) -> None:
    """Show an audit in a notebook: the live trace, and after it what remains when the kernel is gone."""
    from IPython.display import display as show

    show(TraceWidget(audit))  # type: ignore[no-untyped-call]
    show(static_bundle(audit.to_dict()), raw=True)  # type: ignore[no-untyped-call]
