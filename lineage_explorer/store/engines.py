"""Two databases behind one small interface: an SQLite file, and a PostgreSQL server.

The statements of the store are written once, as text. Three things differ between the databases and are
spelled neutrally in them: ``:name`` is a parameter, ``each_number(:x) AS j`` and ``each_text(:x) AS j`` are the
rows ``j.value`` of a list, and ``{keys}`` is a list of binary keys to look up. They go straight to the driver:
a question must not pay for importing SQLAlchemy, nor a million records for its rows (docs/decisions/0009).
"""

from __future__ import annotations

import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependency, StoreError
from ..redaction import redact_text

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
_NOTHING: Parameters = {}
_KEYS = 500
#: How many rows are fetched at a time of an answer that may be as long as the store.
_STREAM = 10_000
_BUSY_SECONDS = 60.0


class Engine(ABC):
    """A connection to a store's database, and what its dialect calls things."""

    #: ``sqlite`` or ``postgresql``, as SQLAlchemy names its dialects.
    dialect: str
    #: Shown in messages; holds no secret.
    name: str
    #: The same without the folder.
    short: str

    @abstractmethod
    def rows(self, statement: str, parameters: Parameters = _NOTHING) -> list[Row]:
        """Every row of an answer. Lists among the parameters are for ``each_number`` and ``each_text``."""

    @abstractmethod
    def stream(self, statement: str, parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """The rows of an answer that may be long."""

    @abstractmethod
    def lookup(self, statement: str, keys: Sequence[bytes | int], parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """Rows by key; ``{keys}`` in the statement stands after a column."""

    @abstractmethod
    def change(self, statement: str, parameters: Parameters = _NOTHING) -> None:
        """Run a statement that answers nothing."""

    @abstractmethod
    def change_each(self, statement: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement once for each set of parameters."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, with the one lock that writers take in turn."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """One state of the database for all that is read, whatever others write."""

    @abstractmethod
    def script(self, statements: Iterable[str]) -> None:
        """Run statements in the database's own dialect."""

    @abstractmethod
    def interrupt(self) -> None:
        """End the statement that runs in another thread; nothing happens when none does."""

    @abstractmethod
    def close(self) -> None:
        """Let the database go."""

    def search(self, statement: str, parameters: Parameters) -> list[Row]:
        """Rows of an answer whose size the database can tell from its statistics, and plan for."""
        return self.rows(statement, parameters)

    def one(self, statement: str, parameters: Parameters = _NOTHING) -> Any:
        """The first column of the only row, None if there is no row."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None


def _cancelled(name: str, *, writing: bool) -> StoreError:
    stays = "; nothing of this batch was stored" if writing else ""
    return StoreError(f"what ran on {name!r} was cancelled{stays}")


# --- SQLite ---------------------------------------------------------------------------------


@lru_cache
def for_sqlite(statement: str) -> str:
    """A neutral statement as SQLite runs it."""
    return re.sub(r"\beach_(?:number|text)\(", "json_each(", statement)


def _for_json(parameters: Parameters) -> Parameters:
    return {key: json.dumps(value) if isinstance(value, list) else value for key, value in parameters.items()}


class SQLite(Engine):
    """One file. Several processes may have it open together; writers take turns.

    Parameters
    ----------
    path : Path
        The file.
    mode : {"rw", "rwc", "ro"}
        ``rwc`` makes the file.
    """

    dialect = "sqlite"

    def __init__(self, path: Path, mode: str = "rw") -> None:
        self.path = path
        self.name, self.short = str(path), path.name
        self.connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._writing = False
        #: Held while a transaction is undone.
        self._settling = Lock()
        try:
            self._set_up()
        except BaseException:
            self.connection.close()
            raise

    def _set_up(self) -> None:
        # A rollback journal, not WAL: SQLite before 3.51.3 can lose a WAL reset (docs/decisions/0002).
        # EXTRA also syncs the folder, so that what was acknowledged is there after a power cut.
        self.connection.execute("PRAGMA synchronous = EXTRA")
        self.connection.execute("PRAGMA trusted_schema = OFF")
        self.connection.execute("PRAGMA cache_size = -65536")

    def _ask(self, statement: str, parameters: Any) -> sqlite3.Cursor:
        try:
            return self.connection.execute(for_sqlite(statement), parameters)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error, *, writing: bool = False) -> StoreError:
        writing = writing or self._writing
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            return _cancelled(self.name, writing=writing)
        if writing:  # SQLite itself may have rolled back already
            return StoreError(f"cannot write to {self.name!r}: {error}; nothing of this batch was stored")
        return StoreError(f"{self.name!r} cannot be read: {error}")

    def rows(self, statement: str, parameters: Parameters = _NOTHING) -> list[Row]:
        """Every row of an answer."""
        cursor = self._ask(statement, _for_json(parameters))
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def stream(self, statement: str, parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """The rows of an answer that may be long."""
        cursor = self._ask(statement, _for_json(parameters))
        try:
            yield from cursor
        except sqlite3.Error as error:
            raise self._failed(error) from error
        finally:
            with suppress(sqlite3.ProgrammingError):  # the database was closed before its answer was read
                cursor.close()

    def lookup(self, statement: str, keys: Sequence[bytes | int], parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """Rows by key."""
        values = tuple(parameters.values())
        # Named and numbered parameters do not mix: the named ones come first, in the order given.
        text = re.sub(r":(\w+)", lambda match: f"?{list(parameters).index(match[1]) + 1}", statement)
        for start in range(0, len(keys), _KEYS):
            chunk = list(keys[start : start + _KEYS])
            # One length, so that the statement is prepared once.
            chunk += chunk[-1:] * ((1 << (len(chunk) - 1).bit_length()) - len(chunk))
            marks = ",".join(f"?{len(values) + index}" for index in range(1, len(chunk) + 1))
            cursor = self._ask(text.replace("{keys}", f"IN ({marks})"), (*values, *chunk))
            try:
                yield from cursor
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def change(self, statement: str, parameters: Parameters = _NOTHING) -> None:
        """Run a statement that answers nothing."""
        self._ask(statement, _for_json(parameters))

    def change_each(self, statement: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement once for each set of parameters."""
        try:
            self.connection.executemany(for_sqlite(statement), parameters)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows."""
        if not rows:
            return
        marks = ",".join("?" * len(columns))
        try:
            self.connection.executemany(f"INSERT INTO {table}({','.join(columns)}) VALUES ({marks})", rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; the lock is taken at once, or two that both began as readers would refuse each other."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._failed(error, writing=True) from error
        self._writing = True
        try:
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        finally:
            self._writing = False
            if self.connection.in_transaction:  # it failed, or was interrupted
                self._roll_back()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One state for all that is read; writers wait as long (a minute at most, then they say so)."""
        self.script(["BEGIN"])
        try:
            yield
        finally:
            if self.connection.in_transaction:
                self._roll_back()

    def _roll_back(self) -> None:
        try:
            with self._settling:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            # Closing undoes what was begun; the file is rolled back when it is opened again.
            self.connection.close()
            raise StoreError(f"cannot write to {self.name!r}: {error}; open it again") from error

    def script(self, statements: Iterable[str]) -> None:
        """Run statements in SQLite's dialect."""
        for statement in statements:
            self._ask(statement, ())

    def interrupt(self) -> None:
        """End the statement that runs in another thread."""
        # Whoever insists must not stop what puts things right after the first time.
        if self._settling.acquire(blocking=False):
            try:
                with suppress(sqlite3.ProgrammingError):  # closed: nothing runs
                    self.connection.interrupt()
            finally:
                self._settling.release()

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()


# --- PostgreSQL -----------------------------------------------------------------------------

#: The schema that holds a store's tables, unless the address names another (``?schema=...``).
SCHEMA = "lineage_explorer"
# The planner cannot know how little a walk visits: with its guesses it reads all edges.
_SETTINGS = (
    "SET jit = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET timezone = 'UTC'",
)


@lru_cache
def _for_postgresql(statement: str) -> str:
    text = re.sub(r"\s*\bINDEXED BY \w+", "", statement).replace("%", "%%")
    text = re.sub(r"\beach_number\(:(\w+)\) AS (\w+)", r"unnest(CAST(:\1 AS bigint[])) AS \2(value)", text)
    text = re.sub(r"\beach_text\(:(\w+)\) AS (\w+)", r"unnest(CAST(:\1 AS text[])) AS \2(value)", text)
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", text)


class PostgreSQL(Engine):
    """A schema in a database of a PostgreSQL server.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:port/database``, as libpq reads it, with ``?schema=`` at choice.
    """

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
            from psycopg import sql
        except ImportError as error:
            raise MissingDependency(
                "a store on PostgreSQL needs psycopg: pip install 'lineage-explorer[postgresql]'"
            ) from error
        self._error: type[psycopg.Error] = psycopg.Error
        self._cancelled: type[psycopg.Error] = psycopg.errors.QueryCanceled
        self._active = psycopg.pq.TransactionStatus.ACTIVE
        url, self.schema = _schema_of(url)
        self.name = self.short = redact_text(url)
        try:
            self.connection = psycopg.connect(url, autocommit=True, application_name="lineage-explorer")
            for setting in _SETTINGS:
                self.connection.execute(setting)
            path = sql.SQL("SET search_path = {}").format(sql.Identifier(self.schema))
            self.connection.execute(path)
        except psycopg.Error as error:
            raise StoreError(f"cannot open {self.name!r}: {redact_text(str(error).strip())}") from error

    @contextmanager
    def _telling(self) -> Iterator[None]:
        writing = self.connection.info.transaction_status != 0
        try:
            yield
        except self._cancelled as error:
            raise _cancelled(self.name, writing=writing) from error
        except self._error as error:
            said = redact_text(" ".join(str(error).split()))
            if writing:
                raise StoreError(f"cannot write to {self.name!r}: {said}; nothing of this batch was stored") from error
            raise StoreError(f"{self.name!r} cannot be read: {said}") from error

    def rows(self, statement: str, parameters: Parameters = _NOTHING) -> list[Row]:
        """Every row of an answer."""
        with self._telling():
            return self.connection.execute(_for_postgresql(statement), parameters).fetchall()

    def search(self, statement: str, parameters: Parameters) -> list[Row]:
        """Rows of an answer that is planned for each time, with every way of reading open."""
        with self._telling(), self.connection.transaction():
            for setting in ("SET LOCAL enable_seqscan = on", "SET LOCAL enable_bitmapscan = on"):
                self.connection.execute(setting)
            # A plan that was kept would be the one that is best for the walks.
            return self.connection.execute(_for_postgresql(statement), parameters, prepare=False).fetchall()

    def stream(self, statement: str, parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """The rows of an answer that may be long, a portion at a time."""
        with (
            self._telling(),
            self.connection.transaction(),
            self.connection.cursor(name=f"stream_{id(parameters)}") as cursor,
        ):
            cursor.itersize = _STREAM
            cursor.execute(_for_postgresql(statement), parameters)
            yield from cursor

    def lookup(self, statement: str, keys: Sequence[bytes | int], parameters: Parameters = _NOTHING) -> Iterator[Row]:
        """Rows by key."""
        if keys:
            kind = "bigint[]" if isinstance(keys[0], int) else "bytea[]"
            text = statement.replace("{keys}", f"= ANY(CAST(:keys AS {kind}))")
            yield from self.rows(text, {**parameters, "keys": list(keys)})

    def change(self, statement: str, parameters: Parameters = _NOTHING) -> None:
        """Run a statement that answers nothing."""
        with self._telling():
            self.connection.execute(_for_postgresql(statement), parameters)

    def change_each(self, statement: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement once for each set of parameters."""
        if parameters:
            with self._telling(), self.connection.cursor() as cursor:
                cursor.executemany(_for_postgresql(statement), parameters)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows, by COPY."""
        if not rows:
            return
        text = f"COPY {table}({','.join(columns)}) FROM STDIN"
        with self._telling(), self.connection.cursor() as cursor, cursor.copy(text) as copy:
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; writers wait for each other, readers for nobody."""
        with self._telling_write(), self.connection.transaction():
            self.connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"lineage-explorer/{self.schema}"]
            )
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One state for all that is read; nobody waits."""
        self.script(["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])
        try:
            yield
        finally:
            self.script(["ROLLBACK"])

    @contextmanager
    def _telling_write(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            said = redact_text(" ".join(str(error).split()))
            raise StoreError(f"cannot write to {self.name!r}: {said}; nothing of this batch was stored") from error

    def script(self, statements: Iterable[str]) -> None:
        """Run statements in PostgreSQL's dialect."""
        with self._telling():
            for statement in statements:
                self.connection.execute(statement)

    def interrupt(self) -> None:
        """End the statement that runs in another thread."""
        # Sent to a server that is between two statements, it could arrive at the next question's.
        if not self.connection.closed and self.connection.info.transaction_status == self._active:
            try:
                self.connection.cancel()
            except self._error as error:
                said = redact_text(" ".join(str(error).split()))
                raise StoreError(f"what runs on {self.name!r} could not be cancelled: {said}") from error

    def close(self) -> None:
        """Let the server go."""
        self.connection.close()


def _schema_of(url: str) -> tuple[str, str]:
    """The address without our own parameter, and the schema it names."""
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    schema = next((value for key, value in query if key == "schema"), SCHEMA)
    rest = urlencode([(key, value) for key, value in query if key != "schema"])
    return urlunsplit(("postgresql", parts.netloc, parts.path, rest, parts.fragment)), schema or SCHEMA
