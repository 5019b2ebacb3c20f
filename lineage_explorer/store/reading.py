"""What can be asked of a store: who is where, what flowed from where, what is on record and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import StoreError, UnknownReference
from ..records import Ref
from ..references import micros_of
from . import downstream, names, surroundings, tables, walk
from .engines import Engine, SQLite
from .listing import Listing, Page, Thing, Version

if TYPE_CHECKING:
    import pandas as pd

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Readable:
    """A store that can be asked; nothing here writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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

    # --- which instant, which thing ---

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

    def measured(self, metric: str) -> bool:
        """Whether any evidence in the store measured a metric; reads the whole journal, and is asked of misspelt words."""
        return walk.measured(self._engine, metric)

    def evidence_before(self, names: Iterable[str], as_of: datetime, known_at: datetime) -> list[tuple[str, int]]:
        """All evidence about things of some names, up to an instant, also what was said otherwise later.

        Parameters
        ----------
        names : iterable of str
            Names as in references, without kind, namespace and version.

        Returns
        -------
        list of (str, int)
            The subject's reference, and the number of the record.
        """
        return walk.said_before(self._engine, names, micros_of(as_of), micros_of(known_at))

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

    def downstream(self, ref: str, as_of: datetime, known_at: datetime) -> downstream.Downstream:
        """Everything that a thing can have flowed into, at whatever instants up to one.

        Parameters
        ----------
        ref : str
            A reference in the store, or a dataset without versions of which it holds states.

        Raises
        ------
        AmbiguousReference
            When it is without its namespace and may mean several things.
        """
        return downstream.downstream(self._engine, ref, self.number(ref), micros_of(as_of), micros_of(known_at))

    def records(self, seqs: Iterable[int]) -> dict[int, dict[str, Any]]:
        """What the journal's records say, by number, without where and when they were read."""
        return downstream.records(self._engine, seqs)

    def evaluations(self, ids: Iterable[int], as_of: datetime, known_at: datetime) -> list[int]:
        """Those among runs whose records seem to say that they evaluated something."""
        return downstream.evaluations(self._engine, ids, micros_of(as_of), micros_of(known_at))

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

    def search(self, text: str, limit: int = 20, kind: str = "") -> list[names.Found]:
        """References whose words begin with the words of a text, nearest first.

        Parameters
        ----------
        text : str
            Words, or the beginnings of words, of a reference.
        limit : int
            How many at most.
        kind : str
            Only things of this kind; of all kinds by default.

        Returns
        -------
        list of Found
            ``ref``, ``kind``, ``name``, and whether a record describes it (``resolved``).

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
        return names.search(self._engine, text, limit, kind)

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
