"""A store: writing to it in acknowledged batches, and trusting what it holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError, StoreError
from ..records import Record
from ..redaction import redact_text
from ..references import micros_of
from ..sources.protocol import Enumerating, Observation, Rejected, Resumable, Source, open_source
from . import tables
from .engines import Engine
from .journal import Journal, Scope, prepare, storable
from .log import Tree, TreeHead
from .reading import Readable
from .results import Retried, SyncResult
from .sync import Sync, resume_at

if TYPE_CHECKING:
    from .results import Verification

#: Records in one transaction: what is acknowledged together.
BATCH = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Store(Readable):
    """The append-only journal of records, and the questions it can answer.

    Made by :func:`open_store`. Several processes may have one store open together.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._journal = Journal(engine)

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
