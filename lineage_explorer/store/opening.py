"""Opening a store: the right file or server, of the right kind and age, or a sentence that says why not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..errors import NotAStore, StoreError, StoreNotFound, StoreTooNew, StoreTooOld
from ..redaction import redact_text
from ..sources.protocol import nearest
from .database import Store
from .engines import PostgreSQL, SQLite
from .schema import APPLICATION_ID, SCHEMA_VERSION, create


def open_store(location: str | Path, *, create_missing: bool = False) -> Store:
    """Open a store.

    Parameters
    ----------
    location : str or Path
        A file, ``sqlite:///file``, or ``postgresql://user:password@host:port/database`` (``?schema=`` names
        the schema of its tables, ``lineage_explorer`` by default).
    create_missing : bool
        Make an empty store when there is none. Off by default, so that a mistyped path makes no file.

    Returns
    -------
    Store
        To be closed, or used in a ``with`` statement. A store of an older version is upgraded first, in one
        transaction.

    Raises
    ------
    StoreNotFound
        When there is no such store; the message names the nearest file.
    NotAStore
        When the file is something else.
    StoreTooNew
        When a newer lineage-explorer wrote it.
    StoreTooOld
        When an older one wrote it, and it may not be written to.
    MissingDependency
        When the address is a server's and its driver is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "lineage.db"), create_missing=True) as store:
    ...     len(store.search("churn"))
    0
    """
    text = str(location)
    scheme = text.partition("://")[0].partition("+")[0] if "://" in text else ""
    if scheme in ("postgresql", "postgres"):
        return _on_server(text, create_missing=create_missing)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif scheme:
        raise StoreError(
            f"{redact_text(text)!r}: a store is an SQLite file (a path, sqlite:///path) or on a PostgreSQL server "
            "(postgresql://user@host/database)"
        )
    return _in_file(Path(text), create_missing=create_missing)


# --- a file ---


def _in_file(path: Path, *, create_missing: bool) -> Store:
    text = str(path)
    try:
        is_folder, new = path.is_dir(), not path.exists() or path.stat().st_size == 0
    except OSError as error:
        raise StoreError(f"cannot open {text!r}: {error.strerror}") from error
    if is_folder:
        raise NotAStore(f"{text!r} is a folder; a store is one file, e.g. {str(path / 'lineage.db')!r}")
    if new and not create_missing:
        raise StoreNotFound(f"there is no store at {text!r}{nearest(text)} (`lineage-explorer ingest` makes one)")
    if new and not path.parent.is_dir():
        raise StoreNotFound(f"the folder {str(path.parent)!r} for a new store is not there{nearest(str(path.parent))}")
    try:
        engine = SQLite(path, "rwc" if new else "rw")
    except UnicodeDecodeError as error:
        raise StoreError(f"cannot open {text!r}: its schema is damaged ({error})") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise NotAStore(f"{text!r} is not a lineage-explorer store: {error}") from error
        raise StoreError(f"cannot open {text!r}: {error}") from error
    try:
        if new:
            _make(engine)
        version = _version(engine, path)
        if version < SCHEMA_VERSION:
            from .migrations import upgrade

            upgrade(engine, version)
    except BaseException:
        engine.close()
        raise
    return Store(engine)


def _make(engine: SQLite) -> None:
    try:
        create(engine)
    except StoreError as error:
        # Two processes may make the store at once: the second finds it made.
        if "already exists" not in str(error):
            raise StoreError(f"cannot make a store: {error}") from error


def _version(engine: SQLite, path: Path) -> int:
    try:
        application = engine.connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(engine.connection.execute("PRAGMA user_version").fetchone()[0])
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise NotAStore(f"{str(path)!r} is not a lineage-explorer store: {error}") from error
    if application != APPLICATION_ID:
        raise NotAStore(
            f"{str(path)!r} is a database, but not a lineage-explorer store. "
            "If it is a source (an mlflow.db, say), ingest it: lineage-explorer ingest STORE " + str(path)
        )
    return _not_newer(version, str(path))


def _not_newer(version: int, name: str) -> int:
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{name!r} was written by a newer lineage-explorer (schema {version}; this one knows {SCHEMA_VERSION}). "
            "Nothing was changed; upgrade with: pip install -U lineage-explorer"
        )
    return version


# --- a server ---


def _on_server(url: str, *, create_missing: bool) -> Store:
    engine = PostgreSQL(url)
    try:
        if not _made(engine) and not create_missing:
            raise StoreNotFound(
                f"there is no store in schema {engine.schema!r} of {engine.name!r} (`lineage-explorer ingest` makes one)"
            )
        if not _made(engine):
            with engine.transaction():
                if not _made(engine):  # another process may have made it while we waited
                    from .schema import statements

                    engine.script(statements("postgresql", engine.schema))
        application, version = engine.rows("SELECT application, version FROM about")[0]
        if application != APPLICATION_ID:
            raise NotAStore(f"schema {engine.schema!r} of {engine.name!r} is not a lineage-explorer store")
        if _not_newer(version, engine.name) < SCHEMA_VERSION:
            raise StoreTooOld(
                f"{engine.name!r} holds a store of schema {version}, and none of that age was on a server"
            )
    except BaseException:
        engine.close()
        raise
    return Store(engine)


def _made(engine: PostgreSQL) -> bool:
    found = engine.rows(
        "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = :schema AND tablename = 'about'",
        {"schema": engine.schema},
    )
    return bool(found)
