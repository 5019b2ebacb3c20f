"""Writing to a store in acknowledged batches, and asking it."""

from __future__ import annotations

import difflib
import functools
import getpass
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from ..errors import (
    AmbiguousReference,
    InvalidRef,
    StoreError,
    UnknownReference,
)
from ..records import Record, Ref
from ..redaction import RULES_VERSION, redact_text
from ..sources.protocol import Observation, Rejected, Source
from ..version import __version__
from . import walk
from .journal import Batch, SyncResult, micros_of

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Engine

#: Records in one transaction: what is acknowledged together.
BATCH = 2_000
#: Node numbers kept in memory between batches; bounded so that an ingest's memory is.
_NUMBERS = 200_000


class Found(NamedTuple):
    """A search hit."""

    ref: str
    kind: str
    name: str
    resolved: bool


Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def _reading(method: Callable[Concatenate[Store, Given], Answer]) -> Callable[Concatenate[Store, Given], Answer]:
    """Tell a question that the file could not answer (damaged, locked, gone) as an error of the store."""

    @functools.wraps(method)
    def ask(self: Store, /, *arguments: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return method(self, *arguments, **named)
        except sqlite3.Error as error:
            raise StoreError(f"{str(self.path)!r} cannot be read: {error}") from error

    return ask


class Connection(sqlite3.Connection):
    """SQLAlchemy closes the connection that an interrupt (Ctrl-C) hit; this one goes on, for the store is still open."""

    def close(self) -> None:
        """Do nothing: SQLAlchemy may not close what it did not open."""

    def end(self) -> None:
        """Close for good."""
        super().close()


class Store:
    """The append-only journal of records, and the questions it can answer.

    Made by :func:`open_store`. Several processes may have one file open together.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection
        self._engine: Engine | None = None
        self._known: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {str(self.path)!r}>"

    def close(self) -> None:
        """Let the file go."""
        if self._engine is not None:
            self._engine.dispose()
        self._connection.end()

    # --- writing ---

    def append(self, records: Iterable[Record | Observation | Rejected], *, origin: str = "append") -> SyncResult:
        """Store records, one transaction a batch; the same records again change nothing.

        Parameters
        ----------
        records : iterable of Record, Observation or Rejected
            Read lazily, so that memory does not grow with their number.
        origin : str
            Shown as the location they came from.

        Returns
        -------
        SyncResult
            ``read = stored + unchanged + quarantined``.
        """
        return self._sync(records, system="records", location=origin, namespace="")

    def ingest(self, source: Source, *, progress: Callable[[int], object] | None = None) -> SyncResult:
        """Read a source into the store.

        What was committed before a source fails stays; the failure is raised, and the sync is on
        record as incomplete.

        Parameters
        ----------
        source : Source
            As :func:`lineage_explorer.sources.open_source` gives it.
        progress : callable, optional
            Called with the number of records just dealt with.

        Returns
        -------
        SyncResult
            ``read = stored + unchanged + quarantined``.
        """
        return self._sync(
            source.read(),
            system=source.name,
            location=source.location,
            namespace=source.namespace,
            progress=progress,
        )

    def _sync(
        self,
        items: Iterable[Record | Observation | Rejected],
        *,
        system: str,
        location: str,
        namespace: str,
        progress: Callable[[int], object] | None = None,
    ) -> SyncResult:
        total, sync, complete = SyncResult(), 0, False
        iterator = iter(items)
        try:
            sync = self._begin_sync(system, redact_text(location), namespace)
            for chunk in _batched(iterator):
                total += self._write(sync, chunk)
                if progress is not None:
                    progress(len(chunk))
            complete = True
        finally:
            if sync:
                self._end_sync(sync, total, complete)
        return total

    def _write(self, sync: int, chunk: list[Observation | Rejected]) -> SyncResult:
        if len(self._known) > _NUMBERS:
            self._known.clear()
        try:
            with self._transaction() as (connection, now):
                return Batch(connection, sync, now, self._known).write(chunk)
        except BaseException:
            self._known.clear()  # numbers given in a transaction that was undone
            raise

    def _begin_sync(self, system: str, location: str, namespace: str) -> int:
        from .schema import metadata

        with self._transaction() as (connection, now):
            table = metadata().tables["sync"]
            inserted = connection.execute(
                table.insert(),
                {
                    "started_at": now,
                    "observed_at": now,
                    "system": system,
                    "location": location,
                    "namespace": namespace,
                    "actor": _actor(),
                    "tool_version": __version__,
                    "redaction_rules": RULES_VERSION,
                },
            )
            return int(inserted.inserted_primary_key[0])

    def _end_sync(self, sync: int, total: SyncResult, complete: bool) -> None:
        from .schema import metadata

        with self._transaction() as (connection, now):
            connection.execute(
                metadata().tables["sync_end"].insert(),
                {
                    "sync": sync,
                    "finished_at": now,
                    "read": total.read,
                    "stored": total.stored,
                    "unchanged": total.unchanged,
                    "quarantined": total.quarantined,
                    "complete": int(complete),
                },
            )

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Any, int]]:
        """A write transaction through SQLAlchemy, and an instant after all recorded ones."""
        from sqlalchemy.exc import DBAPIError

        try:
            with self._writer().begin() as connection:
                last = connection.exec_driver_sql(
                    "SELECT max(coalesce((SELECT max(finished_at) FROM sync_end), 0), coalesce((SELECT max(started_at) FROM sync), 0),"
                    " coalesce((SELECT recorded_at FROM journal ORDER BY seq DESC LIMIT 1), 0))"
                ).scalar_one()
                # A clock that jumps back must not let a later record look earlier.
                yield connection, max(micros_of(datetime.now(UTC)), last + 1)
        except DBAPIError as error:
            raise StoreError(
                f"cannot write to {str(self.path)!r}: {error.orig}; nothing of this batch was stored"
            ) from error
        finally:
            if self._connection.in_transaction:  # SQLAlchemy leaves it so when it was interrupted
                self._connection.rollback()

    def _writer(self) -> Engine:
        if self._engine is None:
            from sqlalchemy import create_engine, event
            from sqlalchemy.pool import StaticPool

            self._engine = create_engine("sqlite://", creator=lambda: self._connection, poolclass=StaticPool)
            # The driver must not open transactions by itself: a writer takes the lock at once, or
            # two writers that both began as readers would refuse each other.
            event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return self._engine

    # --- asking ---

    @_reading
    def now(self) -> datetime:
        """The instant that "now" means to this store: the clock, but never before the last recording."""
        last = self._connection.execute("SELECT recorded_at FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return max(datetime.now(UTC), datetime.fromtimestamp((last[0] if last else 0) / 1e6, UTC))

    @_reading
    def number(self, ref: str) -> int | None:
        """The node number of a reference, None when the store never heard of it."""
        row = self._connection.execute("SELECT id FROM node WHERE ref = ?", (ref,)).fetchone()
        return None if row is None else int(row[0])

    @_reading
    def reachable(
        self,
        ref: str | Ref | Iterable[int],
        direction: walk.Direction = "upstream",
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> walk.Reached:
        """Everything that data can have flowed from (or to), as it was at two instants.

        Parameters
        ----------
        ref : str, Ref or node numbers
            Where to begin.
        direction : {"upstream", "downstream"}
            Towards the causes, or towards the effects.
        as_of : datetime, optional
            The instant asked about; now by default.
        known_at : datetime, optional
            What the store knew then; now by default.

        Returns
        -------
        Reached
            Nodes and relations; the time it takes grows with their number, not with the estate.

        Raises
        ------
        UnknownReference
            When the store never heard of the reference.
        """
        now = self.now()
        roots: list[int]
        if isinstance(ref, (str, Ref)):
            number = self.number(str(ref))
            if number is None:
                raise UnknownReference(f"nothing called {str(ref)!r} is in {self.path.name}")
            roots = [number]
        else:
            roots = list(ref)
        return walk.reach(self._connection, roots, direction, micros_of(as_of or now), micros_of(known_at or now))

    @_reading
    def namesakes(self, bares: Iterable[str], known_at: datetime) -> dict[str, list[str]]:
        """Recorded things of any namespace by their text without it: ``model:churn@3`` → all ``model:*/churn@3``.

        Only what a record described by ``known_at`` counts, so that a question about the past keeps its answer.
        """
        return walk.namesakes(self._connection, bares, micros_of(known_at))

    @_reading
    def numbers(self, refs: Iterable[str]) -> dict[str, int]:
        """The node numbers of those references that the store has heard of."""
        return walk.numbers(self._connection, refs)

    @_reading
    def describe(self, seqs: Iterable[int]) -> dict[int, walk.Described]:
        """The journal's records by number, with where and when they were read."""
        return walk.describe(self._connection, seqs)

    @_reading
    def nodes(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> dict[int, walk.Node]:
        """Node numbers as references, at two instants."""
        return walk.nodes(self._connection, ids, micros_of(as_of), micros_of(known_at))

    @_reading
    def evidence(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[tuple[int, int]]:
        """(subject's node number, record number) of the evidence about nodes, at two instants."""
        return walk.evidence(self._connection, ids, micros_of(as_of), micros_of(known_at))

    @_reading
    def beside(
        self, ids: Iterable[int], predicate: str, as_of: datetime, known_at: datetime, *, effects: bool
    ) -> list[walk.Edge]:
        """Relations of one predicate that touch nodes, as their effects or as their causes."""
        return walk.beside(self._connection, ids, predicate, micros_of(as_of), micros_of(known_at), effects=effects)

    @_reading
    def resolve(self, text: str, kind: str = "endpoint") -> str:
        """The one reference that a person's text means.

        Parameters
        ----------
        text : str
            A reference, with or without its namespace, or a plain name.
        kind : str
            What a plain name names.

        Returns
        -------
        str
            A reference that is in the store.

        Raises
        ------
        UnknownReference
            When nothing has that name; lists the nearest.
        AmbiguousReference
            When several things have it; lists them.
        """
        try:
            ref = Ref.parse(text)
        except InvalidRef:
            if ":" in text and text.partition(":")[0].isidentifier() and self._has_kind(text.partition(":")[0]):
                raise
            ref = Ref(kind, text)
        if self.number(str(ref)) is not None:
            return str(ref)
        if not ref.namespace:
            same = self.namesakes([ref.bare], self.now())[ref.bare]
            if len(same) == 1:
                return same[0]
            if same:
                raise AmbiguousReference(
                    f"{text!r} is ambiguous in {self.path.name}: {', '.join(same[:10])}. Write one of them in full",
                    same,
                )
        near = self._nearest(ref)
        hint = (
            f"; did you mean {', '.join(near)}?"
            if near
            else f"; it holds no {ref.kind} at all. `lineage-explorer search` finds names"
        )
        raise UnknownReference(f"nothing called {text!r} is in {self.path.name}{hint}", near)

    def _has_kind(self, kind: str) -> bool:
        return self._connection.execute("SELECT 1 FROM node WHERE kind = ? LIMIT 1", (kind,)).fetchone() is not None

    def _nearest(self, ref: Ref) -> list[str]:
        names = [
            row[0]
            for row in self._connection.execute(
                "SELECT DISTINCT name FROM node WHERE kind = ? LIMIT 20000", (ref.kind,)
            )
        ]
        close = difflib.get_close_matches(ref.name, names, n=5, cutoff=0.4) or sorted(names)[:5]
        found: list[str] = []
        for name in close:
            rows = self._connection.execute(
                "SELECT ref FROM node WHERE kind = ? AND name = ? ORDER BY ref LIMIT 3", (ref.kind, name)
            )
            found.extend(row[0] for row in rows)
        return found[:5]

    @_reading
    def search(self, text: str, limit: int = 20) -> list[Found]:
        """References whose words begin with the words of a text, nearest first.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from lineage_explorer import open_store
        >>> from lineage_explorer.records import Entity
        >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
        ...     _ = store.append([Entity(ref="endpoint:churn-prod")])
        ...     [hit.ref for hit in store.search("chu")]
        ['endpoint:churn-prod']
        """
        words = ["".join(char if char.isalnum() else " " for char in word) for word in text.split()]
        terms = [f'"{term}"*' for word in words for term in word.split()]
        if not terms:
            return []
        rows = self._connection.execute(
            """
            SELECT n.ref, n.kind, n.name, EXISTS (SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.type <> 'evidence')
            FROM name_index AS x JOIN node AS n ON n.id = x.rowid
            WHERE name_index MATCH ? LIMIT ?""",
            (" AND ".join(terms), max(limit * 5, 100)),
        ).fetchall()
        plain = text.strip().lower()
        order = {"endpoint": 0, "model": 1, "ai_agent": 1, "dataset": 2}
        rows.sort(
            key=lambda row: (
                row[2].lower() != plain,
                not row[2].lower().startswith(plain),
                order.get(row[1], 3),
                row[0],
            )
        )
        return [Found(row[0], row[1], row[2], bool(row[3])) for row in rows[:limit]]

    @_reading
    def refs(self, kind: str) -> list[str]:
        """Every reference of a kind, in order."""
        return [row[0] for row in self._connection.execute("SELECT ref FROM node WHERE kind = ? ORDER BY ref", (kind,))]

    @_reading
    def syncs(self) -> pd.DataFrame:
        """Every sync with its counts; one that was interrupted has none.

        Returns
        -------
        pandas.DataFrame
            ``sync``, ``system``, ``location``, ``namespace``, ``started_at``, ``finished_at``, ``read``, ``stored``,
            ``unchanged``, ``quarantined``, ``complete``, ``actor``, ``tool_version``.
        """
        frame = self._frame(
            """
            SELECT s.id AS sync, s.system, s.location, s.namespace, s.started_at, e.finished_at, e.read, e.stored,
              e.unchanged, e.quarantined, coalesce(e.complete, 0) AS complete, s.actor, s.tool_version
            FROM sync AS s LEFT JOIN sync_end AS e ON e.sync = s.id ORDER BY s.id""",
            ("started_at", "finished_at"),
        )
        frame["complete"] = frame["complete"].astype(bool)
        return frame

    @_reading
    def quarantine(self) -> pd.DataFrame:
        """What was read and could not become a record, and why.

        Returns
        -------
        pandas.DataFrame
            ``sync``, ``location``, ``position``, ``reason``, ``excerpt``, ``recorded_at``.
        """
        return self._frame(
            """
            SELECT q.sync, s.location, q.position, q.reason, q.excerpt, q.recorded_at
            FROM quarantine AS q JOIN sync AS s ON s.id = q.sync ORDER BY q.id""",
            ("recorded_at",),
        )

    def _frame(self, statement: str, instants: tuple[str, ...]) -> pd.DataFrame:
        import pandas as pd

        cursor = self._connection.execute(statement)
        frame = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
        for name in instants:
            frame[name] = pd.to_datetime(frame[name], unit="us", utc=True)
        return frame


def _actor() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"  # a container whose user has no name


def _batched(items: Iterator[Record | Observation | Rejected]) -> Iterator[list[Observation | Rejected]]:
    """Batches; what was read before the source failed is handed over before the failure is."""
    failure: BaseException | None = None
    while failure is None:
        chunk: list[Observation | Rejected] = []
        try:
            for item in itertools.islice(items, BATCH):
                chunk.append(item if isinstance(item, (Observation, Rejected)) else Observation(record=item))
        except Exception as error:  # noqa: BLE001 - raised again below, after what came before it is stored
            failure = error
        if chunk:
            yield chunk
        if failure is None and len(chunk) < BATCH:
            return
    raise failure
