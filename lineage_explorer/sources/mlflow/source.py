"""The MLflow source: finds out what stands at a location, opens it, and translates it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ...errors import LocationNotFound, SourceError
from ...redaction import redact_text
from ..protocol import Observation, Rejected, nearest
from .answering import answers_like_mlflow
from .changes import usable
from .database import DatabaseRows
from .mapping import Translation
from .opening import looks_like_mlflow
from .rows import Rows
from .server import ServerRows

_FILE = "mlflow.db"


class MLflowSource:
    """An MLflow tracking server over HTTP(S), or an ``mlflow.db`` file, read strictly.

    It has two parts. ``registry``: experiments, registered models and prompts, versions, aliases, logged models,
    and the gates on them; every read reads it in full. ``runs``: runs, all that they read, wrote and measured, the
    gates on them, and every dataset that any row names; :meth:`read` reads it in full, :meth:`read_changes` as it
    changes. What a record is about decides its part, not which read found it.

    Parameters
    ----------
    location : str
        ``http://`` or ``https://`` address of a tracking server; the path of a SQLite file that MLflow
        made, ``sqlite:///`` in front allowed; or a folder with an ``mlflow.db`` in it. A server's
        credentials come from MLflow's own environment variables (``MLFLOW_TRACKING_TOKEN``, ...).
    namespace : str, optional
        First part of every reference; by default ``mlflow-`` and eight digits made of the location.

    Attributes
    ----------
    enumerated : frozenset of str
        The parts that the last read, once it came to its end, read in full.
    cursor : dict
        What :meth:`read_changes` needs to know, as plain JSON; empty until a read came to its end.

    Examples
    --------
    >>> MLflowSource("https://mlflow.example.org/", namespace="prod").namespace
    'prod'
    """

    name: ClassVar[str] = "mlflow"
    summary: ClassVar[str] = "MLflow: a tracking server (http, https) or an mlflow.db file, read-only"

    def __init__(self, location: str, *, namespace: str | None = None) -> None:
        self._location = location
        self.location = redact_text(location)
        self.namespace = namespace if namespace is not None else _namespace(location)
        self.enumerated: frozenset[str] = frozenset()
        self.cursor: dict[str, Any] = {}

    @classmethod
    def recognises(cls, location: str) -> bool:
        """Whether an MLflow server answers there, or the file holds MLflow's tables."""
        if _is_address(location):
            return answers_like_mlflow(location)
        if not _can_be_a_path(location):
            return False
        path = _path(location)
        if path.is_dir():
            return looks_like_mlflow(path / _FILE) or _is_file_store(path)
        return looks_like_mlflow(path)

    def read(self) -> Iterator[Observation | Rejected]:
        """Every record.

        Raises
        ------
        SourceUnavailable
            When a server goes away; the message names the call and what had been read.
        UnsupportedVersion
            When the file's schema is not known.
        """
        yield from self._read(None)

    def read_changes(self, cursor: Mapping[str, Any]) -> Iterator[Observation | Rejected]:
        """The registry in full, and of the runs those that :mod:`.changes` says may have changed.

        A cursor of another instance, of another version of this tool, or that is none, leads to a full read;
        :attr:`enumerated` then says so.

        Parameters
        ----------
        cursor : mapping
            What :attr:`cursor` was after an earlier read.

        Raises
        ------
        SourceUnavailable, UnsupportedVersion
            As :meth:`read`.
        """
        yield from self._read(cursor)

    def _read(self, cursor: Mapping[str, Any] | None) -> Iterator[Observation | Rejected]:
        self.enumerated, self.cursor = frozenset(), {}
        rows: Rows = ServerRows(self._location) if _is_address(self._location) else DatabaseRows(self._database())
        try:
            before = None if cursor is None else usable(cursor, rows.kind, self.namespace)
            translation = Translation(rows, self.namespace, before)
            yield from translation.records()
            self.enumerated, self.cursor = translation.enumerated, translation.cursor
        finally:
            rows.close()

    def _database(self) -> Path:
        if not _can_be_a_path(self._location):
            raise LocationNotFound(f"{self._location!r} is not a path")
        path = _path(self._location)
        if path.is_dir() and not (path / _FILE).exists():
            if _is_file_store(path):
                store = path if _holds_experiments(path) else path / "mlruns"
                raise SourceError(
                    f"{str(store)!r} is an MLflow file store, which is not read directly. Serve it with "
                    f"mlflow server --backend-store-uri {str(store)!r} and give the server's address instead"
                )
            raise SourceError(f"the folder {str(path)!r} has no {_FILE} in it{nearest(str(path / _FILE))}")
        path = path / _FILE if path.is_dir() else path
        if not path.exists():
            raise LocationNotFound(f"there is nothing at {str(path)!r}{nearest(str(path))}")
        return path


def _is_address(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def _path(location: str) -> Path:
    return Path(location.removeprefix("sqlite:///"))


def _can_be_a_path(location: str) -> bool:
    # An empty text would mean the current folder, which nobody asked for.
    return bool(location.removeprefix("sqlite:///")) and "\0" not in location


def _namespace(location: str) -> str:
    if _is_address(location):
        parts = urlsplit(location)
        port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
        place = f"{parts.scheme.lower()}://{parts.hostname}:{port}{parts.path.rstrip('/')}"
    elif not _can_be_a_path(location):
        place = location
    else:
        path = _path(location)
        place = str((path / _FILE if path.is_dir() else path).resolve())
    return "mlflow-" + hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _is_file_store(folder: Path) -> bool:
    return _holds_experiments(folder) or _holds_experiments(folder / "mlruns")


def _holds_experiments(folder: Path) -> bool:
    try:
        for meta in folder.glob("*/meta.yaml"):
            with meta.open("rb") as file:
                if b"experiment_id:" in file.read(4096):
                    return True
    except OSError:
        return False
    return False
