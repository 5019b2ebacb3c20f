"""Opening a store: the right file, of the right kind and age, or a sentence that says why not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..errors import NotAStore, StoreError, StoreNotFound, StoreTooNew
from ..redaction import redact_text
from ..sources.protocol import nearest
from .database import Connection, Store
from .schema import APPLICATION_ID, SCHEMA_VERSION, create

_BUSY_SECONDS = 30.0


def open_store(location: str | Path, *, create_missing: bool = False) -> Store:
    """Open a store.

    Parameters
    ----------
    location : str or Path
        A file, or ``sqlite:///file``.
    create_missing : bool
        Make an empty store when the file is not there. Off by default, so that a mistyped path
        makes no file.

    Returns
    -------
    Store
        To be closed, or used in a ``with`` statement.

    Raises
    ------
    StoreNotFound
        When there is no such file; the message names the nearest.
    NotAStore
        When the file is something else.
    StoreTooNew
        When a newer lineage-explorer wrote it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "lineage.db"), create_missing=True) as store:
    ...     len(store.search("churn"))
    0
    """
    text = str(location)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        raise StoreError(
            f"{redact_text(text)!r}: this version keeps a store in an SQLite file; write a path or sqlite:///path"
        )
    path = Path(text)
    if path.is_dir():
        raise NotAStore(f"{text!r} is a folder; a store is one file, e.g. {str(path / 'lineage.db')!r}")
    new = not path.exists() or path.stat().st_size == 0
    if new and not create_missing:
        raise StoreNotFound(f"there is no store at {text!r}{nearest(text)} (`lineage-explorer ingest` makes one)")
    if new and not path.parent.is_dir():
        raise StoreNotFound(f"the folder {str(path.parent)!r} for a new store is not there{nearest(str(path.parent))}")
    connection = _connect(path, new)
    try:
        if new:
            _create_once(connection)
        _check(connection, path)
    except BaseException:
        connection.end()
        raise
    return Store(path, connection)


def _connect(path: Path, new: bool) -> Connection:
    mode = "rwc" if new else "rw"
    uri = path.resolve().as_uri()
    try:
        connection = sqlite3.connect(
            f"{uri}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        # A rollback journal, not WAL: SQLite before 3.51.3 can lose a WAL reset (docs/decisions/0002).
        # EXTRA also syncs the folder, so that what was acknowledged is there after a power cut.
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cache_size = -65536")
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_NOTADB":
            raise NotAStore(f"{str(path)!r} is not a lineage-explorer store: {error}") from error
        raise StoreError(f"cannot open {str(path)!r}: {error}") from error
    return connection


def _create_once(connection: sqlite3.Connection) -> None:
    try:
        create(connection)
    except sqlite3.OperationalError as error:
        # Two processes may make the store at once: the second finds it made.
        if "already exists" not in str(error):
            raise StoreError(f"cannot make a store: {error}") from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise NotAStore(f"{str(path)!r} is not a lineage-explorer store: {error}") from error
    if application != APPLICATION_ID:
        raise NotAStore(
            f"{str(path)!r} is a database, but not a lineage-explorer store. "
            "If it is a source (an mlflow.db, say), ingest it: lineage-explorer ingest STORE " + str(path)
        )
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{str(path)!r} was written by a newer lineage-explorer (schema {version}; this one knows {SCHEMA_VERSION}). "
            "Nothing was changed; upgrade with: pip install -U lineage-explorer"
        )
