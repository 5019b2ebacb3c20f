"""The explorer in a notebook: an anywidget around a store or an audit, and what is shown where no widget can live."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from .asking import STATIC as STATIC
from .asking import StoreAtHand, part, reply
from .audits import Audit
from .explorations import explore
from .policy import Policy
from .questions import audit as ask
from .records import format_instant, parse_instant
from .reports import drawing
from .sentences import verdict_words
from .store import Store

#: How a saved audit is told from other JSON in a notebook's outputs.
AUDIT_MIME = "application/vnd.lineage-explorer.audit+json"
_DIRECTIONS = ("upstream", "downstream", "both")


class View(ipywidgets.Widget):  # type: ignore[misc]
    """The view's code and style: in a notebook once, whatever the number of explorers."""

    _model_name = traitlets.Unicode("WidgetModel").tag(sync=True)
    _model_module = traitlets.Unicode("@jupyter-widgets/base").tag(sync=True)
    _model_module_version = traitlets.Unicode("2.0.0").tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)
    digest = traitlets.Unicode().tag(sync=True)
    _those: ClassVar[dict[str, View]] = {}

    @classmethod
    def shared(cls, name: str = "view") -> View:
        """The one that every widget of this kernel refers to; of each part of the view there is one."""
        known = cls._those.get(name)
        if known is None or known.comm is None:  # closed, by `Widget.close_all()`
            known = cls._those[name] = cls(**part(name))
        return known


class Explorer(anywidget.AnyWidget):
    """An interactive trace, in step with Python.

    Parameters
    ----------
    source : Store, Audit, str or Path
        A store, or its file: the explorer can then ask at other instants, of other endpoints, and for what
        lies around a node. An audit: that one answer.
    endpoint : str, optional
        What to show: an endpoint (audited), or any other reference (what lies around it, not judged). Of a
        store with one endpoint, that one by default; of a store with several, the reader chooses.
    as_of, known_at : datetime or str, optional
        The instants asked about, with a time zone; now, and all that is known, by default.
    policy : str, Path or Policy, optional
        As in :func:`lineage_explorer.audit`.

    Attributes
    ----------
    selected : str
        The reference of the selected node, or the id of the selected hop (``h3``); empty when nothing is.
    as_of : str
        The instant asked about; empty for now. Setting it asks again.
    direction : {"upstream", "downstream", "both"}
        What stays bright around the selection.
    query : str
        What is searched for in the trace.
    endpoint : str
        What is shown. Setting it asks again.

    Raises
    ------
    UnknownReference, AmbiguousReference, InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit` does.

    Examples
    --------
    >>> explorer = Explorer("lineage.db", "churn-prod")                  # doctest: +SKIP
    >>> explorer.as_of = "2026-10-22T12:00:00Z"                          # doctest: +SKIP
    >>> explorer.observe(lambda change: print(change.new), "selected")   # doctest: +SKIP
    """

    _esm = STATIC.joinpath("loader.js").read_text(encoding="utf-8")
    view = traitlets.Instance(View).tag(sync=True, **ipywidgets.widget_serialization)
    #: What is shown, as the view reads it: an audit, an exploration, or nothing yet.
    content = traitlets.Dict().tag(sync=True)
    #: Whether there is a store to ask.
    asks = traitlets.Bool(False).tag(sync=True)
    #: The expression by which Python opens the store, where that can be told.
    store = traitlets.Unicode("").tag(sync=True)
    endpoint = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    as_of = traitlets.Unicode("").tag(sync=True)
    direction = traitlets.Enum(_DIRECTIONS, "both").tag(sync=True)
    query = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        source: Store | Audit | str | Path,
        endpoint: str | None = None,
        as_of: datetime | str | None = None,
        known_at: datetime | str | None = None,
        policy: str | Path | Policy | None = None,
    ) -> None:
        self._audit: Audit | None = None
        self._store = StoreAtHand(None if isinstance(source, Audit) else source, known_at, policy)
        self._asking = True  # until all is set up, a trait that changes asks nothing
        start: dict[str, Any] = {"view": View.shared()}
        if isinstance(source, Audit):
            self._audit = source
            start |= {"content": source.to_dict(), "endpoint": source.endpoint, "as_of": source.question["as_of"]}
        else:
            start |= {"asks": True, "store": opening(self._store)}
            start["as_of"] = "" if as_of is None else format_instant(parse_instant(as_of))
            with self._store.reading() as store:
                known = store.refs("endpoint") if endpoint is None else []
                wanted = (
                    store.resolve(endpoint, "endpoint") if endpoint is not None else known[0] if len(known) == 1 else ""
                )
                if wanted:
                    start |= {"content": self._answer(store, wanted, start["as_of"]), "endpoint": wanted}
        super().__init__(**start)
        self._asking = False
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        # A saved notebook shows this where the live trace was.
        return f"Interactive trace of {self.endpoint or 'a store'}; run the cell to have it again."

    def _ipython_display_(self) -> None:
        """Show the live trace, and after it what remains when the kernel is gone."""
        show_both(self, None if self._audit is None else static_bundle(self.content))

    @property
    def audit(self) -> Audit | None:
        """The audit that is shown; None while something else is."""
        return self._audit

    # --- the store ---

    def _answer(self, store: Store, ref: str, as_of: str) -> dict[str, Any]:
        at = as_of or None
        if ref.startswith("endpoint:"):
            self._audit = ask(store, ref, at, self._store.known_at(), self._store.policy)
            return self._audit.to_dict()
        self._audit = None
        return explore(store, ref, "both", None, at, self._store.known_at())

    # --- from Python ---

    @traitlets.validate("as_of")
    def _one_spelling(self, proposal: Mapping[str, Any]) -> str:
        return format_instant(parse_instant(proposal["value"])) if proposal["value"] else ""

    @traitlets.observe("as_of", "endpoint")
    def _again(self, _change: object) -> None:
        if not self._asking and self.endpoint:
            with self._store.reading() as store:
                self.show_both(store, self.endpoint, self.as_of)

    def show_both(self, store: Store, ref: str, as_of: str) -> None:
        """Ask, and only then change what is shown: a question that fails leaves the last answer."""
        ref = store.resolve(ref, "endpoint")
        content = self._answer(store, ref, as_of)
        self._asking = True
        try:
            with self.hold_sync():
                self.content, self.endpoint, self.as_of = content, ref, as_of
        finally:
            self._asking = False

    # --- from the view ---

    def _asked(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        reply(self, message, self._reply)

    def _reply(self, question: str, asked: Mapping[str, Any]) -> Any:
        if question != "audit":
            return self._store.answer(question, asked)
        # The answer goes by `content`, once, for all views of this explorer.
        with self._store.reading() as store:
            self.show_both(store, str(asked["endpoint"]), str(asked["as_of"]))
        return None


def opening(store: StoreAtHand) -> str:
    """The expression by which Python opens a store again; empty where that cannot be told."""
    return "" if store.path is None else f"open_store({json.dumps(str(store.path))})"


def static_bundle(audit: Mapping[str, Any]) -> dict[str, Any]:
    """The trace for places without a kernel: as data for our own renderer, an SVG, the same in HTML, and as text."""
    svg = drawing.render(audit)
    encoded = base64.b64encode(svg.encode()).decode()
    answer = html.escape(audit["answer"])
    verdict = verdict_words(audit)
    return {
        AUDIT_MIME: dict(audit),
        "text/plain": f"{verdict}: {audit['answer']}",
        "image/svg+xml": svg,
        # The view's style sheet hides this where it follows a live trace.
        "text/html": (
            '<div class="lx-static"><p>'
            f'<strong>{verdict}</strong> {answer}</p><div style="overflow-x:auto"><img style="width:100%;min-width:1200px" '
            'alt="Lineage drawing; the sentence above says what it shows" '
            f'src="data:image/svg+xml;base64,{encoded}"></div></div>'
        ),
    }


def show_both(live: anywidget.AnyWidget, still: dict[str, Any] | None) -> None:
    """Show a live widget, and after it what remains when the kernel is gone."""
    from IPython.display import display as show

    bundle = live._repr_mimebundle_()
    if bundle is not None:
        show(bundle[0], raw=True)  # type: ignore[no-untyped-call]
    if still is not None:
        show(still, raw=True)  # type: ignore[no-untyped-call]


def widget(audit: Audit) -> Explorer:
    """The interactive trace of an audit."""
    return Explorer(audit)


def display(audit: Audit) -> None:
    """Show an audit in a notebook."""
    Explorer(audit)._ipython_display_()
