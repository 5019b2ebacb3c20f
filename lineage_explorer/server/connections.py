"""Open stores that questions take in turn: each is lent to one thread, and given back or closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import InvalidQuestion, InvalidRecord, PolicyError, ReferenceFailed, StoreError, StoreNotFound
from ..store import Store, open_store
from .headers import hold, let_go, must_be_known
from .stores import Place

#: Seconds after which a store that nobody asks is closed.
_IDLE_SECONDS = 60.0
#: A question that fails like this says nothing against the connection.
_HARMLESS = (ReferenceFailed, InvalidQuestion, InvalidRecord, PolicyError)


class _Open(NamedTuple):
    """A store that is open.

    Attributes
    ----------
    mark : tuple of int
        What the file was when it was opened: another file, or one that was written to, has another mark.
    held : tuple of int or None
        Of a file: what :mod:`.headers` knows it by.
    """

    place: Place
    store: Store
    mark: tuple[int, ...]
    held: tuple[int, int] | None
    since: float


class Connections:
    """Stores that are kept open for the next question.

    Parameters
    ----------
    most : int
        How many are kept while nobody asks them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[_Open] = []  # the longest unused first
        self._closed = False

    @contextmanager
    def lent(self, place: Place) -> Iterator[Store]:
        """A store for one thread, opened when none waits that is still what stands at its place.

        Raises
        ------
        StoreError
            When it cannot be opened.
        """
        self.sweep()
        opened = self._waiting(place) or _opened(place)
        try:
            yield opened.store
        except _HARMLESS:
            self._keep(opened)
            raise
        except BaseException:
            _close(opened)  # a statement that was broken off may have left something open
            raise
        self._keep(opened)

    def sweep(self) -> None:
        """Close what was not asked for a while, and what is not at its place any more."""
        before = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            # SQLite sees what others write, but not that another file was copied over this one.
            stale = [item for item in self._idle if item.since < before or _mark(item.place) != item.mark]
            self._idle = [item for item in self._idle if item not in stale]
        for item in stale:
            _close(item)

    def close(self) -> None:
        """Close everything; what is lent is closed when it comes back."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for item in idle:
            _close(item)

    def _waiting(self, place: Place) -> _Open | None:
        mark = _mark(place)
        with self._lock:
            # The last that was used: it remembers most.
            for item in reversed(self._idle):
                if item.place.location == place.location and item.mark == mark:
                    self._idle.remove(item)
                    return item
        return None

    def _keep(self, opened: _Open) -> None:
        with self._lock:
            self._idle.append(opened._replace(since=time.monotonic()))
            surplus = len(self._idle) if self._closed else max(0, len(self._idle) - self._most)
            extra, self._idle = self._idle[:surplus], self._idle[surplus:]
        for item in extra:
            _close(item)


def _mark(place: Place) -> tuple[int, ...] | None:
    """What is at a place now; None when nothing is."""
    if place.kind != "sqlite":
        return ()
    try:
        status = Path(place.location).stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _opened(place: Place) -> _Open:
    if place.kind != "sqlite":
        return _Open(place, open_store(place.location), (), None, 0.0)
    path, mark = Path(place.location), _mark(place)
    if mark is None:
        raise StoreNotFound(f"there is no store {place.name!r} any more")
    must_be_known(path, current=True)
    try:
        held = hold(path)
    except OSError as error:
        raise StoreError(f"cannot open {place.name!r}: {error.strerror}") from error
    try:
        return _Open(place, open_store(path), mark, held, 0.0)
    except BaseException:
        let_go(held)
        raise


def _close(opened: _Open) -> None:
    try:
        opened.store.close()
    finally:
        if opened.held is not None:
            let_go(opened.held)
