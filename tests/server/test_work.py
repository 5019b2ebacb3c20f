"""Questions in threads, to files and to servers: lent stores, and questions that are stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import open_store
from lineage_explorer.errors import StoreError, UnknownReference
from lineage_explorer.server.connections import Connections
from lineage_explorer.server.errors import Cancelled
from lineage_explorer.server.stores import Place
from lineage_explorer.server.work import Job, Work

from .witness import ENDLESS


@pytest.fixture
def there(place: Callable[[], str]) -> Place:
    """A store on SQLite and on PostgreSQL in turn."""
    location = place()
    open_store(location, create_missing=True).close()
    return Place("name", "title", "postgresql" if "://" in location else "sqlite", location, "")


def test_a_store_is_lent_to_one_at_a_time_and_kept_for_the_next(there: Place) -> None:
    connections = Connections(1)
    with connections.lent(there) as first, connections.lent(there) as second:
        assert first is not second
    with connections.lent(there) as again:
        assert again in (first, second)
    with pytest.raises(UnknownReference), connections.lent(there) as store:
        store.resolve("nothing")
    with connections.lent(there) as kept:
        assert kept is store
    with pytest.raises(ZeroDivisionError), connections.lent(there) as broken:
        raise ZeroDivisionError
    with connections.lent(there) as fresh:
        assert fresh is not broken
    connections.close()
    with pytest.raises(StoreError):
        fresh.kinds()


def test_what_nobody_asks_any_more_is_closed(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Connections(1)
    with connections.lent(there) as first:
        pass
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    with connections.lent(there) as second:
        assert second is not first
    connections.close()


def in_a_loop_of_its_own(done: Coroutine[Any, Any, None]) -> None:
    """In another thread: in this one the browser's tests may have left a loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, done).result()


def test_a_question_is_stopped_and_the_next_is_not(there: Place) -> None:
    async def ask() -> None:
        work = Work(Connections(2), 2)

        def question(job: Job, statement: str) -> Any:
            with work.asking(there, job) as store:
                return store._engine.rows(statement)

        stopped, other = Job(), Job()
        endless = asyncio.ensure_future(work.do(lambda: question(stopped, ENDLESS), stopped))
        await asyncio.sleep(0.3)
        leaving = asyncio.ensure_future(work.cancel(stopped))
        assert await work.do(lambda: question(other, "SELECT 1"), other) == [(1,)]
        with pytest.raises(Cancelled):
            await asyncio.wait_for(endless, 10)
        await leaving
        last = Job()
        assert await work.do(lambda: question(last, "SELECT 1"), last) == [(1,)]
        await work.close()

    in_a_loop_of_its_own(ask())


def test_what_runs_is_stopped_when_the_server_stops(there: Place) -> None:
    async def ask() -> None:
        work, job = Work(Connections(1), 1), Job()

        def question() -> Any:
            with work.asking(there, job) as store:
                return store._engine.rows(ENDLESS)

        endless = asyncio.ensure_future(work.do(question, job))
        await asyncio.sleep(0.2)
        await asyncio.wait_for(work.close(), 10)
        with pytest.raises(Cancelled):
            await endless

    in_a_loop_of_its_own(ask())


def test_a_file_that_went_between_two_questions_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    open_store(path, create_missing=True).close()
    there = Place("own.db", "own.db", "sqlite", str(path), "")
    connections = Connections(1)
    with connections.lent(there):
        pass
    path.unlink()
    with pytest.raises(StoreError, match=r"no store 'own\.db' any more"), connections.lent(there):
        pass
