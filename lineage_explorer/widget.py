"""The explorer in a notebook: an anywidget around a store or an audit, and what is shown where no widget can live."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from .audits import Audit
from .errors import LineageError, StoreError
from .explorations import explore, releases
from .policy import Policy, load_policy
from .questions import audit as ask
from .records import format_instant, parse_instant
from .reports import drawing
from .sentences import verdict_words
from .store import Store, open_store

if TYPE_CHECKING:
    pass

STATIC = files(__package__).joinpath("static")
#: How a saved audit is told from other JSON in a notebook's outputs.
AUDIT_MIME = "application/vnd.lineage-explorer.audit+json"
#: How many names a chooser is offered at a time.
_OFFERED = 200
_DIRECTIONS = ("upstream", "downstream", "both")


class View(ipywidgets.Widget):  # type: ignore[misc]
    """The view's code and style: in a notebook once, whatever the number of explorers."""

    _model_name = traitlets.Unicode("WidgetModel").tag(sync=True)
    _model_module = traitlets.Unicode("@jupyter-widgets/base").tag(sync=True)
    _model_module_version = traitlets.Unicode("2.0.0").tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)
    digest = traitlets.Unicode().tag(sync=True)
    _one: View | None = None

    @classmethod
    def shared(cls) -> View:
        """The one that every widget of this kernel refers to."""
        if cls._one is None or cls._one.comm is None:  # closed, by `Widget.close_all()`
            code, style = (STATIC.joinpath(name).read_text(encoding="utf-8") for name in ("view.js", "view.css"))
            digest = hashlib.sha256(f"{code}\0{style}".encode()).hexdigest()[:16]
            cls._one = cls(code=code, style=style, digest=digest)
        return cls._one


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
        self._opened: Store | None = None
        self._path: Path | None = None
        self._known_at, self._policy = known_at, load_policy(policy)
        self._asking = True  # until all is set up, a trait that changes asks nothing
        start: dict[str, Any] = {"view": View.shared()}
        if isinstance(source, Audit):
            self._audit = source
            start |= {"content": source.to_dict(), "endpoint": source.endpoint, "as_of": source.question["as_of"]}
        else:
            self._remember(source)
            start["asks"] = True
            if self._path is not None:
                start["store"] = f"open_store({json.dumps(str(self._path))})"
            start["as_of"] = "" if as_of is None else format_instant(parse_instant(as_of))
            with self._reading() as store:
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

    def _remember(self, source: Store | str | Path) -> None:
        if not isinstance(source, Store):
            self._path = Path(source) if "://" not in str(source) else None
            self._opened = None if self._path is not None else open_store(source)
            return
        try:
            self._path = source.path
        except StoreError:  # on a server: its address holds a password, and is not kept
            self._opened = source

    @contextmanager
    def _reading(self) -> Iterator[Store]:
        """The store; a file is opened for each question, so that its owner may close and move it."""
        if self._path is not None:
            with open_store(self._path) as store:
                yield store
        elif self._opened is not None:
            yield self._opened
        else:
            raise StoreError("this explorer shows one audit and has no store to ask; give it the store instead")

    def _answer(self, store: Store, ref: str, as_of: str) -> dict[str, Any]:
        at = as_of or None
        if ref.startswith("endpoint:"):
            self._audit = ask(store, ref, at, self._known_at, self._policy)
            return self._audit.to_dict()
        self._audit = None
        return explore(store, ref, "both", None, at, self._known_at)

    # --- from Python ---

    @traitlets.validate("as_of")
    def _one_spelling(self, proposal: Mapping[str, Any]) -> str:
        return format_instant(parse_instant(proposal["value"])) if proposal["value"] else ""

    @traitlets.observe("as_of", "endpoint")
    def _again(self, _change: object) -> None:
        if not self._asking and self.endpoint:
            with self._reading() as store:
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
        """Answer the view's question; it always gets a reply."""
        number = message.get("id")
        try:
            answer = self._reply(str(message.get("question")), message.get("asked") or {})
        except LineageError as error:
            self.send({"id": number, "problem": str(error)})
        except Exception as error:  # the reader must not wait for a reply that never comes; the kernel's log has it all
            self.send({"id": number, "problem": f"{type(error).__name__} in the kernel: {error}"})
            raise
        else:
            self.send({"id": number, "answer": answer})

    def _reply(self, question: str, asked: Mapping[str, Any]) -> Any:
        with self._reading() as store:
            match question:
                case "audit":
                    # The answer goes by `content`, once, for all views of this explorer.
                    self.show_both(store, str(asked["endpoint"]), str(asked["as_of"]))
                    return None
                case "releases":
                    return releases(store, str(asked["endpoint"]), asked["known_at"] or self._known_at)
                case "explore":
                    at, known = asked["as_of"] or None, asked["known_at"] or self._known_at
                    return explore(store, str(asked["ref"]), asked["direction"], asked["depth"], at, known)
                case "search":
                    return _search(store, str(asked["query"]), str(asked["kind"]), int(asked["limit"]))
        raise LineageError(f"this explorer has no answer to {question!r}")


def _search(store: Store, text: str, kind: str, limit: int) -> list[dict[str, Any]]:
    if text.strip():
        return [hit._asdict() for hit in store.search(text, min(limit, _OFFERED), kind)]
    refs = store.refs(kind)[: min(limit, _OFFERED)]
    return [{"ref": ref, "kind": kind, "name": ref.partition(":")[2], "resolved": True} for ref in refs]


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
