"""Answers that are documents: plain JSON values with a digest, which views write and show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LineageError, StoreError
from .records import digest_of
from .version import __version__

if TYPE_CHECKING:
    from .store import Store

FORMAT_VERSION = 1
#: Views are found by name, so that reports and the widget stand above this floor.
CHAPTERS = "lineage_explorer.chapters"
#: What a document can be saved as.
FORMATS = ("html", "csv", "md", "json")


@cache
def _views() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=CHAPTERS)}


def _view(name: str) -> Callable[..., Any]:
    try:
        point = _views()[name]
    except KeyError as error:
        there = ", ".join(sorted(_views())) or "none; install the package again"
        raise LineageError(f"no view is called {name!r}; there are: {there}") from error
    view: Callable[..., Any] = point.load()
    return view


def location_of(store: Store) -> str | None:
    """The path of a store's file, by which a widget can ask it on; None for a store on a server.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lineage_explorer import open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     location_of(store).endswith("s.db")
    True
    """
    try:
        return str(store.path)
    except StoreError:
        return None


class Documented:
    """An answer as a document. Two documents of the same question over the same records have the same digest.

    Parameters
    ----------
    content : mapping
        Plain JSON values with a ``format``; ``format_version``, ``tool`` and ``digest`` are put in here.
    location : str, optional
        The path of the store's file, as :func:`location_of` gives it, so that the widget can ask further questions.

    Examples
    --------
    >>> Documented({"format": "lineage-explorer/history", "versions": []}).to_dict()["format_version"]
    1
    """

    def __init__(self, content: Mapping[str, Any], location: str | None = None) -> None:
        self._content: dict[str, Any] = {
            "format": content["format"],
            "format_version": FORMAT_VERSION,
            "tool": {"name": "lineage-explorer", "version": __version__},
            **{key: item for key, item in content.items() if key != "digest"},
        }
        self._location = location

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the whole document, but for this."""
        # Of a large document this takes longer than making it, and who wants a table only does not need it.
        return digest_of(self._content)

    def to_dict(self) -> dict[str, Any]:
        """The document as plain JSON values, the one thing every view is made from."""
        plain: dict[str, Any] = json.loads(json.dumps({**self._content, "digest": self.digest}))
        return plain

    def save(self, path: str | Path) -> Path:
        """Write the document; the suffix says how.

        Parameters
        ----------
        path : str or Path
            ``.html`` (interactive, offline), ``.csv``, ``.md`` or ``.json``.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        LineageError
            When no view writes that suffix, or the file cannot be written.
        """
        target = Path(path)
        form = target.suffix.removeprefix(".") or "html"
        if form not in FORMATS:
            raise LineageError(f"no view writes {target.suffix!r}; there are: {', '.join(FORMATS)}")
        text = _view(form)(self.to_dict())
        try:
            # A spreadsheet's own line ends stay as they are, on every system.
            target.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
        return target

    def widget(self) -> Any:
        """The interactive view."""
        return _view("widget")(self.to_dict(), self._location)

    def _ipython_display_(self) -> None:
        _view("display")(self.to_dict(), self._location)
