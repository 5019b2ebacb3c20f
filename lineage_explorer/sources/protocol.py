"""What a source is, and how the right one is found for a location."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable
from urllib.parse import urlsplit

import msgspec

from ..errors import LocationNotFound, MissingDependency, SourceError, UnknownFormat
from ..records import Record
from ..redaction import redact_text

GROUP = "lineage_explorer.sources"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """A record, and where and when it was seen.

    Attributes
    ----------
    record : Record
        What was read.
    position : str
        Where in the source: ``"runs/8a3f"``, ``"deployments.jsonl:7"``.
    observed_at : datetime or None
        When the source was in this state; None means "now, as it is read".
    part : str
        The part of the source that it belongs to; see :class:`Enumerating`.
    """

    record: Record
    position: str = ""
    observed_at: datetime | None = None
    part: str = ""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was read and cannot become a record; it goes to quarantine, never away.

    Attributes
    ----------
    reason : str
        Why, in words a person can act on.
    position : str
        Where in the source.
    excerpt : str
        At most the first 2,000 characters of the raw text.
    part : str
        The part of the source that it belongs to; see :class:`Enumerating`.
    """

    reason: str
    position: str = ""
    excerpt: str = ""
    part: str = ""


@runtime_checkable
class Source(Protocol):
    """Reads one system. ``read`` may be called again and must not change what it reads."""

    #: The name users write before a colon, and the system shown beside each record.
    name: ClassVar[str]
    #: One line for ``lineage-explorer sources``.
    summary: ClassVar[str]
    #: The place that is read, as the user wrote it (secrets removed).
    location: str
    #: The system instance that issues the names, first part of every reference.
    namespace: str

    def __init__(self, location: str, *, namespace: str | None = None) -> None: ...

    @classmethod
    def recognises(cls, location: str) -> bool:
        """Whether the content at the location is this system's. Never creates or changes anything."""
        ...

    def read(self) -> Iterator[Observation | Rejected]:
        """Every record, one at a time."""
        ...


@runtime_checkable
class Enumerating(Protocol):
    """A source that can say of which of its parts it has read everything.

    Only then does what was there before and is there no longer count as vanished. A source of several
    parts (a registry that is always read in full, runs that are read as they change) names the part on
    each observation; most have the one part ``""``.
    """

    #: The parts that the last read, once it came to its end, read in full. Empty until then.
    enumerated: frozenset[str]


@runtime_checkable
class Resumable(Enumerating, Protocol):
    """A source that can read only what may have changed since an earlier read."""

    #: What the next :meth:`read_changes` needs to know, as plain JSON values; valid once a read came to its end.
    cursor: dict[str, Any]

    def read_changes(self, cursor: Mapping[str, Any]) -> Iterator[Observation | Rejected]:
        """Like ``read``, but without what cannot have changed since the read that left this cursor."""
        ...


@cache
def available() -> dict[str, EntryPoint]:
    """Installed sources by name, none of them imported.

    Examples
    --------
    >>> "mlflow" in available()
    True
    """
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def load(name: str) -> type[Source]:
    """The source class of a name, imported now."""
    try:
        loaded: type[Source] = available()[name].load()
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"source {name!r} is known, but needs {error.name!r}: pip install 'lineage-explorer[{name}]'"
        ) from error
    except (ImportError, AttributeError) as error:
        raise SourceError(f"source {name!r} ({available()[name].value}) is broken: {error}") from error
    return loaded


def open_source(location: str | Path, *, namespace: str | None = None) -> Source:
    """The source that reads a location.

    Parameters
    ----------
    location : str or Path
        A URL, a file or a folder, recognised by its content, or ``name:location``.
    namespace : str, optional
        The system instance's name in references; by default derived from the location.

    Returns
    -------
    Source
        Ready to read.

    Raises
    ------
    LocationNotFound
        When the path is not there; the message names the nearest that is.
    UnknownFormat
        When no source recognises the content.
    MissingDependency
        When the source is known and its library is not installed.
    """
    text = str(location)
    name, colon, rest = text.partition(":")
    if "://" in text:
        try:
            _ = urlsplit(text.removeprefix(f"{name}:") if name in available() else text).port
        except ValueError as error:
            raise LocationNotFound(f"{redact_text(text)!r} is no address: {error}") from error
    if colon and rest and name in available():
        return load(name)(rest, namespace=namespace)
    remote = "://" in text
    if not text or (not remote and not Path(text).exists()):
        raise LocationNotFound(f"there is nothing at {redact_text(text)!r}{nearest(text)}")
    for candidate in available():
        source = load(candidate)
        if source.recognises(text):
            return source(text, namespace=namespace)
    shown = redact_text(text)
    if remote:
        _must_answer(text, shown)
    elif not os.access(text, os.R_OK):
        raise SourceError(f"{shown!r} cannot be read: permission denied")
    raise UnknownFormat(
        f"no source recognises {shown!r}; installed: {', '.join(available())}. "
        f"If you know what it is, say so: name:{shown}"
    )


def _must_answer(url: str, shown: str) -> None:
    """Tell an address where nobody listens from a server that is something else."""
    import socket

    place = urlsplit(url)
    port = place.port or {"http": 80, "https": 443}.get(place.scheme)
    if place.hostname and port:
        try:
            socket.create_connection((place.hostname, port), timeout=5).close()
        except OSError as error:
            raise LocationNotFound(
                f"nobody answers at {shown!r}: {error}. Is the server running, and the address right?"
            ) from error


def nearest(path: str) -> str:
    """``"; did you mean ...?"`` for a path that is not there, or an empty text."""
    wanted = Path(path)
    try:
        names = [entry.name for entry in wanted.parent.iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(wanted.name, names, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(str(wanted.parent / name)) for name in close)}?" if close else ""
