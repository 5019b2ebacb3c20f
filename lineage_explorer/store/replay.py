"""Making the projection again from the journal, by the same steps in which it grew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from .projector import Projector, Written
from .schema import PROJECTION_TABLES

if TYPE_CHECKING:
    from .engines import Engine

#: Entries fetched at a time.
_PAGE = 5_000


def transactions(engine: Engine) -> Iterator[tuple[int, list[Written]]]:
    """The journal as it was written: (instant of recording, its entries), in order."""

    def entries() -> Iterator[tuple[int, Written]]:
        after = 0
        while True:
            rows = engine.rows(
                "SELECT j.seq, j.kind, j.sync, j.scope, j.observed_at, j.of, j.topic, j.identity, j.digest, j.position, "
                "b.json, j.recorded_at FROM journal AS j LEFT JOIN body AS b ON b.seq = j.seq "
                "WHERE j.seq > :after ORDER BY j.seq LIMIT :page",
                {"after": after, "page": _PAGE},
            )
            for row in rows:
                text, recorded_at = row[10], row[11]
                yield recorded_at, Written._make((*row[:10], None if text is None else json.loads(text)))
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    for recorded_at, group in groupby(entries(), key=lambda pair: pair[0]):
        yield recorded_at, [entry for _, entry in group]


def clear(engine: Engine) -> None:
    """Empty the projection."""
    for table in PROJECTION_TABLES:
        if table == "name_index" and engine.dialect == "sqlite":
            engine.change("INSERT INTO name_index(name_index) VALUES ('delete-all')")
        else:
            engine.change(f"DELETE FROM {table}")


def rebuild(engine: Engine, progress: Callable[[int], object] | None = None) -> int:
    """Replay the journal into an emptied projection, all or nothing.

    Parameters
    ----------
    engine : Engine
        The store.
    progress : callable, optional
        Called with the number of entries just replayed.
    """
    count = 0
    with engine.transaction():
        clear(engine)
        projector = Projector(engine)
        for recorded_at, entries in transactions(engine):
            projector.apply(entries, recorded_at)
            count += len(entries)
            if progress is not None:
                progress(len(entries))
    return count
