"""Questions run in a few threads beside the server's loop, and stop when nobody waits for the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from ..errors import StoreError
from ..store import Store
from .connections import Connections
from .errors import Cancelled
from .stores import Place

Answer = TypeVar("Answer")
#: Seconds between two calls to stop: one that comes between two statements stops nothing.
_INSIST_SECONDS = 0.05


class Job:
    """One request's work: whoever waits for it may stop it, from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: Store | None = None
        self.cancelled = False
        self.ended = False

    @contextmanager
    def asking(self, store: Store) -> Iterator[None]:
        """While inside, stopping the job stops what the store is doing."""
        with self._lock:
            self.check()
            self._store = store
        try:
            yield
        finally:
            # Under the lock, so that no interrupt meant for this question meets the next one.
            with self._lock:
                self._store = None

    def check(self) -> None:
        """Raise when nobody waits any more.

        Raises
        ------
        Cancelled
            Saying so.
        """
        if self.cancelled:
            raise Cancelled("the question was cancelled: nobody waits for the answer")

    def cancel(self) -> None:
        """Stop: at once while the store works, else at the next check."""
        with self._lock:
            self.cancelled = True
            if self._store is not None:
                self._store.interrupt()


class Work:
    """The threads.

    Parameters
    ----------
    connections : Connections
        Where stores come from.
    most : int
        How many questions run at once; the others wait.
    """

    def __init__(self, connections: Connections, most: int) -> None:
        self._connections = connections
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="lineage-explorer")
        self._jobs: set[Job] = set()

    async def do(self, task: Callable[[], Answer], job: Job) -> Answer:
        """Run something that takes a while.

        Raises
        ------
        Cancelled
            When the job was stopped, before or while it ran.
        """

        def run() -> Answer:
            job.check()
            try:
                return task()
            except Cancelled:
                raise
            except Exception:
                job.check()  # whatever an interrupt led to, it was asked for
                raise

        self._jobs.add(job)
        try:
            return await asyncio.wrap_future(self._threads.submit(run))
        finally:
            job.ended = True
            self._jobs.discard(job)

    @contextmanager
    def asking(self, place: Place, job: Job) -> Iterator[Store]:
        """A store for the thread that calls this, stopped with the job."""
        with self._connections.lent(place) as store, job.asking(store):
            yield store

    async def cancel(self, job: Job) -> None:
        """Stop a job, and insist until it has ended."""
        while not job.ended:
            with suppress(StoreError):  # a server that could not be told is told again
                # A server's cancel goes over the network: not on the loop.
                await asyncio.to_thread(job.cancel)
            await asyncio.sleep(_INSIST_SECONDS)

    async def close(self) -> None:
        """Stop everything and let the stores go."""
        await asyncio.gather(*(self.cancel(job) for job in list(self._jobs)))
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connections.close()
