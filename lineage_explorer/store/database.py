"""A store: writing to it in acknowledged batches, and asking it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..errors import SourceError, StoreError, UnknownReference
from ..records import Record, Ref
from ..redaction import redact_text
from ..sources.protocol import Enumerating, Observation, Rejected, Resumable, Source, open_source
from . import names, surroundings, tables, walk
from .engines import Engine, SQLite
from .journal import Journal, Scope, micros_of, prepare, storable
from .listing import Listing, Page, Thing, Version
from .log import Tree, TreeHead
from .results import Retried, SyncResult
from .sync import Sync, resume_at

if TYPE_CHECKING:
    import pandas as pd

    from .results import Verification

#: Records in one transaction: what is acknowledged together.
BATCH = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Store:
    """The append-only journal of records, and the questions it can answer.

    Made by :func:`open_store`. Several processes may have one store open together.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._journal = Journal(engine)
        self._listing = Listing(engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self.name!r}>"

    @property
    def name(self) -> str:
        """The place of the store, without secrets."""
        return self._engine.name

    @property
    def path(self) -> Path:
        """The file of a store on SQLite.

        Raises
        ------
        StoreError
            When the store is on a server.
        """
        if isinstance(self._engine, SQLite):
            return self._engine.path
        raise StoreError(f"{self.name!r} is not a file")

    def close(self) -> None:
        """Let the database go."""
        self._engine.close()

    def interrupt(self) -> None:
        """End what another thread reads at this moment: it fails with a StoreError that says it was cancelled.

        Only what runs in the database ends. A question that is between two readings goes on to the next, so
        whoever wants it ended calls this again until it has. What writes ends too, and its batch is not stored.
        Nothing happens when nothing runs.

        Raises
        ------
        StoreError
            When a server cannot be told.
        """
        self._engine.interrupt()

    # --- writing ---

    def append(self, records: Iterable[Record | Observation | Rejected], *, origin: str = "append") -> SyncResult:
        """Store records, one transaction a batch; the same records again change nothing.

        Parameters
        ----------
        records : iterable of Record, Observation or Rejected
            Read lazily, so that memory does not grow with their number.
        origin : str
            Shown as the location they came from. What one origin says is compared with what the same
            origin said before.

        Returns
        -------
        SyncResult
            ``read = stored + unchanged + quarantined``.
        """
        return self._sync(records, Scope("records", "", origin, ""), None, None, None)

    def ingest(
        self,
        source: Source,
        *,
        progress: Callable[[int], object] | None = None,
        full: bool = False,
        observed_at: datetime | None = None,
    ) -> SyncResult:
        """Read a source into the store.

        What was committed before a source fails stays; the failure is raised, and the sync is on
        record as incomplete.

        Parameters
        ----------
        source : Source
            As :func:`lineage_explorer.sources.open_source` gives it.
        progress : callable, optional
            Called with the number of records just dealt with.
        full : bool
            Read everything, also where the source could read only what changed since the last sync.
        observed_at : datetime, optional
            When the source was in the state that is read (an export has an age); now by default.

        Returns
        -------
        SyncResult
            ``read = stored + unchanged + quarantined``; and what vanished, where the source was read in full.
        """
        place = Scope(source.name, source.namespace, _whole(source.location), "")
        resumed = None if full or not isinstance(source, Resumable) else resume_at(self._engine, _storable(place))
        items = source.read_changes(resumed) if resumed is not None and isinstance(source, Resumable) else source.read()
        return self._sync(items, place, source, progress, observed_at)

    def _sync(
        self,
        items: Iterable[Record | Observation | Rejected],
        place: Scope,
        source: Source | None,
        progress: Callable[[int], object] | None,
        observed_at: datetime | None,
    ) -> SyncResult:
        sync = Sync(
            self._engine,
            self._journal,
            _storable(place),
            None if observed_at is None else micros_of(observed_at),
            enumerating=isinstance(source, Enumerating),
        )
        total, begun, ended = SyncResult(), False, False
        try:
            for chunk, last in _batched(iter(items)):
                prepared = [prepare(item) for item in chunk]
                done = False
                with self._transaction() as (now, tree):
                    if not begun:
                        sync.begin(now, tree)
                    counted = total + (sync.write(prepared, now, tree) if prepared else SyncResult())
                    if last:
                        counted, done = self._ended(sync, source, counted, now, tree)
                total, begun, ended = counted, True, done
                if progress is not None:
                    progress(len(chunk))
            while not ended:  # so much vanished that it takes several transactions
                with self._transaction() as (now, tree):
                    counted, done = self._ended(sync, source, total, now, tree)
                total, ended = counted, done
        except BaseException as error:
            if not ended:
                self._interrupted(sync, total, error, begun=begun)
            raise
        return total

    def _ended(
        self, sync: Sync, source: Source | None, total: SyncResult, now: int, tree: Tree
    ) -> tuple[SyncResult, bool]:
        """Bury a portion of what vanished; when nothing is left of it, end the sync."""
        vanished = sync.bury(source.enumerated if isinstance(source, Enumerating) else (), now, tree)
        if vanished is not None:
            total += SyncResult(vanished=vanished)
            if sync.burying:
                return total, False
        cursor = source.cursor if isinstance(source, Resumable) else None
        return sync.finish(total, now, tree, complete=True, cursor=cursor), True

    def _interrupted(self, sync: Sync, total: SyncResult, error: BaseException, *, begun: bool) -> None:
        """Put a sync that failed on record, as far as the store can still be written."""
        try:
            with self._transaction() as (now, tree):
                if not begun:
                    sync.begin(now, tree)
                sync.finish(total, now, tree, complete=False)
        except StoreError as second:
            error.add_note(f"The end of this sync could not be recorded either: {second}")

    @contextmanager
    def _transaction(self) -> Iterator[tuple[int, Tree]]:
        """A write transaction: an instant after all recorded ones, and the tree as it stands."""
        try:
            with self._engine.transaction():
                tree = self._journal.tree()
                size = tree.size
                last = self._engine.one("SELECT max(recorded_at) FROM head") or 0
                # A clock that jumps back must not let a later record look earlier.
                now = max(micros_of(datetime.now(UTC)), last + 1)
                yield now, tree
                if tree.size > size:
                    self._journal.seal(tree, now)
        except BaseException:
            self._journal.forget()  # numbers given in a transaction that was undone
            self._listing.forget()
            raise

    def rebuild(self, *, progress: Callable[[int], object] | None = None) -> int:
        """Make the projection anew from the journal.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of entries just replayed.

        Returns
        -------
        int
            Entries replayed.
        """
        from .replay import rebuild

        self._journal.forget()
        self._listing.forget()
        return rebuild(self._engine, progress)

    def retry(self, *, progress: Callable[[int], object] | None = None) -> list[Retried]:
        """Read the sources of what is quarantined again, in full: after an upgrade they may be understood.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of records just dealt with.

        Returns
        -------
        list of Retried
            One for each source; those that cannot be read any more say why.
        """
        outcomes: list[Retried] = []
        for system, location, namespace in tables.open_quarantine(self._engine):
            try:
                source = open_source(f"{system}:{location}", namespace=namespace or None)
                done = self.ingest(source, progress=progress, full=True)
            except SourceError as error:
                outcomes.append(Retried(system, location, 0, str(error)))
            else:
                outcomes.append(Retried(system, location, done.stored))
        return outcomes

    # --- trusting ---

    def checkpoint(self) -> TreeHead:
        """The head of the log now: keep its text elsewhere, to prove later that the log only grew."""
        size, root = (self._engine.rows("SELECT size, root FROM head ORDER BY size DESC LIMIT 1") or [(0, None)])[0]
        return TreeHead(size, bytes(root)) if root is not None else TreeHead(0, self._journal.tree().head().root)

    def verify(
        self, against: TreeHead | str | None = None, *, progress: Callable[[int], object] | None = None
    ) -> Verification:
        """Check that nothing was changed, removed or reordered, and that the projection is what the journal says.

        Parameters
        ----------
        against : TreeHead or str, optional
            A head kept elsewhere, as :meth:`checkpoint` gave it. Without one a whole file that was exchanged
            looks sound.
        progress : callable, optional
            Called with the number of entries just checked.

        Returns
        -------
        Verification
            With each problem and where it is.

        Raises
        ------
        InvalidTreeHead
            When ``against`` is no tree head.
        """
        from .verification import verify

        return verify(self._engine, TreeHead.parse(against) if isinstance(against, str) else against, progress)

    # --- asking ---

    def now(self) -> datetime:
        """The instant that "now" means to this store: the clock, but never before the last recording."""
        last = self._engine.one("SELECT max(recorded_at) FROM head") or 0
        return max(datetime.now(UTC), _EPOCH + timedelta(microseconds=last))

    def recorded_by(self, instant: datetime) -> datetime:
        """The last recording at or before an instant: another name for the same knowledge, and one that stays.

        Between that recording and the instant nothing was written; a question that names the recording has the
        same answer for ever, whatever is written later.
        """
        last = self._engine.one(
            "SELECT max(recorded_at) FROM head WHERE recorded_at <= :at", {"at": micros_of(instant)}
        )
        return instant if last is None else _EPOCH + timedelta(microseconds=last)

    def number(self, ref: str) -> int | None:
        """The node number of a reference, None when the store never heard of it."""
        return names.number(self._engine, ref)

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
                raise UnknownReference(f"nothing called {str(ref)!r} is in {self._engine.short}")
            roots = [number]
        else:
            roots = list(ref)
        return walk.reach(self._engine, roots, direction, micros_of(as_of or now), micros_of(known_at or now))

    def namesakes(self, bares: Iterable[str], known_at: datetime) -> dict[str, list[str]]:
        """Recorded things of any namespace by their text without it: ``model:churn@3`` → all ``model:*/churn@3``.

        Only what a record described by ``known_at`` counts, so that a question about the past keeps its answer.
        """
        return walk.namesakes(self._engine, bares, micros_of(known_at))

    def numbers(self, refs: Iterable[str]) -> dict[str, int]:
        """The node numbers of those references that the store has heard of."""
        return walk.numbers(self._engine, refs)

    def describe(self, seqs: Iterable[int]) -> dict[int, walk.Described]:
        """The journal's records by number, with where and when they were read."""
        return walk.describe(self._engine, seqs)

    def nodes(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> dict[int, walk.Node]:
        """Node numbers as references, at two instants."""
        return walk.nodes(self._engine, ids, micros_of(as_of), micros_of(known_at))

    def evidence(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[walk.Said]:
        """The evidence about nodes, at two instants."""
        return walk.said(self._engine, ids, micros_of(as_of), micros_of(known_at), evidence=True)

    def descriptions(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[walk.Said]:
        """The records that describe nodes, at two instants: one for each source that knows the thing."""
        return walk.said(self._engine, ids, micros_of(as_of), micros_of(known_at), evidence=False)

    def beside(
        self, ids: Iterable[int], predicate: str, as_of: datetime, known_at: datetime, *, effects: bool
    ) -> list[walk.Edge]:
        """Relations of one predicate that touch nodes, as their effects or as their causes."""
        return walk.beside(self._engine, ids, predicate, micros_of(as_of), micros_of(known_at), effects=effects)

    def intervals(self, ids: Iterable[int], predicate: str, known_at: datetime) -> list[walk.Edge]:
        """Relations of one predicate that have nodes as effects, at whatever instants they held."""
        return walk.intervals(self._engine, ids, predicate, micros_of(known_at))

    def around(
        self,
        ref: str,
        ways: Sequence[walk.Direction],
        depth: int | None,
        limit: int,
        as_of: datetime,
        known_at: datetime,
    ) -> surroundings.Around:
        """What stands around a reference that is in the store: the nearest first, as many as may be shown.

        Parameters
        ----------
        ways : sequence of {"upstream", "downstream"}
            Which ways to walk, each of them on from what it reached.
        depth : int or None
            How many steps; None as many as there are.
        limit : int
            How many things at most, the reference itself among them.
        """
        start = self.number(ref)
        if start is None:
            raise UnknownReference(f"nothing called {ref!r} is in {self._engine.short}")
        return surroundings.around(self._engine, start, ways, depth, limit, micros_of(as_of), micros_of(known_at))

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
        return names.resolve(self._engine, text, kind, micros_of(self.now()))

    def search(self, text: str, limit: int = 20) -> list[names.Found]:
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
        return names.search(self._engine, text, limit)

    def refs(self, kind: str) -> list[str]:
        """Every reference of a kind, in order."""
        found = self._engine.rows("SELECT ref FROM node WHERE kind = :kind ORDER BY ref", {"kind": kind})
        return [row[0] for row in found]

    def kinds(self) -> dict[str, int]:
        """How many things of each kind any record mentions, by kind."""
        return self._listing.kinds()

    def things(self, kind: str, *, text: str = "", offset: int = 0, limit: int = 200) -> Page[Thing]:
        """The things of a kind that any record mentions, by namespace and name: one item for all versions.

        Parameters
        ----------
        kind : str
            ``endpoint``, ``model``, ``dataset``, ...
        text : str
            Only things with a reference whose words begin with the words of this.
        offset, limit : int
            Which part of the list.

        Returns
        -------
        Page
            ``total`` (of the whole list) and ``items``: ``kind``, ``namespace``, ``name``, ``ref`` (without a version
            where that is on record, else of the only version), ``versions`` (how many are on record).

        Raises
        ------
        InvalidQuestion
            When there is no such part of a list.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from lineage_explorer import open_store
        >>> from lineage_explorer.records import Entity
        >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
        ...     _ = store.append([Entity(ref="model:churn@1"), Entity(ref="model:churn@2"), Entity(ref="model:risk@7")])
        ...     [(item.name, item.ref, item.versions) for item in store.things("model").items]
        [('churn', 'model:churn', 2), ('risk', 'model:risk@7', 1)]
        """
        return self._listing.things(kind, text, offset, limit)

    def versions(self, kind: str, namespace: str, name: str, *, offset: int = 0, limit: int = 200) -> Page[Version]:
        """The versions of a thing that any record mentions: aliases, then versions, the highest number first.

        Parameters
        ----------
        kind, namespace, name : str
            Which thing, as :meth:`things` tells it.
        offset, limit : int
            Which part of the list.

        Returns
        -------
        Page
            ``total`` and ``items``: ``ref``, ``version`` (``3``, or ``~champion``), ``resolved`` (a record describes it).

        Raises
        ------
        InvalidQuestion
            When there is no such part of a list.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from lineage_explorer import open_store
        >>> from lineage_explorer.records import Entity
        >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
        ...     _ = store.append(Entity(ref=f"model:churn@{number}") for number in (9, 10))
        ...     [item.version for item in store.versions("model", "", "churn").items]
        ['10', '9']
        """
        return self._listing.versions(kind, namespace, name, offset, limit)

    def syncs(self) -> pd.DataFrame:
        """Every sync with its counts; one that was interrupted may have none.

        Returns
        -------
        pandas.DataFrame
            ``sync``, ``system``, ``location``, ``namespace``, ``started_at``, ``finished_at``, ``observed_at``, ``read``,
            ``stored``, ``unchanged``, ``quarantined``, ``vanished``, ``complete``, ``enumerated``, ``actor``, ``tool_version``.
        """
        return tables.syncs(self._engine)

    def quarantine(self, *, every: bool = False) -> pd.DataFrame:
        """What was read and could not become a record, and why.

        Parameters
        ----------
        every : bool
            Also what is settled: no longer in its source, or read well since.

        Returns
        -------
        pandas.DataFrame
            ``sync``, ``system``, ``location``, ``position``, ``reason``, ``excerpt``, ``recorded_at``, ``ended_at``.
        """
        return tables.quarantine(self._engine, every=every)

    def observations(self, ref: str | Ref) -> pd.DataFrame:
        """Everything that sources said about a reference, and when they were seen to say it.

        A value changed *between* the last sync that saw the old one and the first that saw the new one.

        Parameters
        ----------
        ref : str or Ref
            A reference that is in the store.

        Returns
        -------
        pandas.DataFrame
            One row for each field of each value: ``record``, ``field``, ``value``, ``not_before`` (the last time that
            another value was seen; NaT when nothing is known before), ``first_seen``, ``last_seen``, ``ended_by`` (the
            first time that it was seen otherwise; NaT while it stands), ``sync``, ``system``, ``location``, ``position``.

        Raises
        ------
        UnknownReference, AmbiguousReference
            When the reference cannot be singled out.
        """
        return tables.observations(self._engine, self.resolve(str(ref)))


def _whole(location: str) -> str:
    """A path in full, however it was written: one file is one source."""
    path = Path(location.removeprefix("sqlite:///"))
    try:
        return str(path.resolve()) if "://" not in str(path) and path.exists() else location
    except OSError:
        return location


def _storable(place: Scope) -> Scope:
    return Scope(*(storable(redact_text(text)) for text in place))


def _batched(
    items: Iterator[Record | Observation | Rejected],
) -> Iterator[tuple[list[Observation | Rejected], bool]]:
    """Batches, and whether each is the last; what was read before the source failed is handed over before the failure is."""
    while True:
        chunk: list[Observation | Rejected] = []
        failure: BaseException | None = None
        try:
            for item in itertools.islice(items, BATCH):
                chunk.append(item if isinstance(item, (Observation, Rejected)) else Observation(record=item))
        except Exception as error:  # noqa: BLE001 - raised again below, after what came before it is stored
            failure = error
        last = failure is None and len(chunk) < BATCH
        if chunk or last:
            yield chunk, last
        if failure is not None:
            raise failure
        if last:
            return
