"""The process that reads one source into one store: ``python -P -m lineage_explorer.server.reading``.

Its own process, not a thread of the server: a server that closes any file of the store's name (a download does) loses
the locks that guard a write, and a source that is read at full speed leaves the server's loop no time. It is told
what to do in one line on its standard input, says how far it is in lines on its standard output, and stops when
its input ends, so that it never outlives who started it.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, BinaryIO

import msgspec

from ..errors import LineageError, StoreNotFound
from ..sources import Source, open_source
from ..store import Store, open_store


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to read, and where to."""

    store: str
    create: bool
    source: str
    namespace: str
    full: bool


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of what is said: how many records so far, and at the end how it ended.

    Attributes
    ----------
    trace : str
        Where an error came from that was not foreseen.
    """

    records: int = 0
    counts: dict[str, int] | None = None
    cancelled: bool = False
    error: str = ""
    message: str = ""
    trace: str = ""


class _Stopped(Exception):
    """Our input ended: nobody wants this any more."""


def read(task: Task, stop: threading.Event, tell: Callable[[Told], object]) -> Told:
    """Do a task; returns how it ended."""
    total = 0

    def advance(count: int) -> None:
        nonlocal total
        total += count
        tell(Told(records=total))
        if stop.is_set():
            raise _Stopped

    try:
        source = open_source(task.source, namespace=task.namespace or None)
        if stop.is_set():
            raise _Stopped
        with _store(task, source) as store:
            result = store.ingest(source, progress=advance, full=task.full)
    except _Stopped:
        return Told(records=total, cancelled=True)
    except LineageError as error:
        return Told(records=total, error=type(error).__name__, message=str(error))
    except Exception as error:  # noqa: BLE001 - told to the server, which logs it
        return Told(records=total, error=type(error).__name__, trace=traceback.format_exc())
    return Told(records=total, counts=asdict(result))


def _store(task: Task, source: Source) -> Store:
    try:
        return open_store(task.store)
    except StoreNotFound:
        if not task.create:
            raise
        next(source.read(), None)  # a source that cannot be read leaves no empty store behind
        return open_store(task.store, create_missing=True)


def main(orders: BinaryIO, answers: BinaryIO) -> None:
    """Do what the first line of ``orders`` says, and say on ``answers`` how it goes."""
    task = msgspec.json.decode(orders.readline(), type=Task)
    stop = threading.Event()

    def watch() -> None:
        orders.read()
        stop.set()

    def tell(said: Told) -> Any:
        return answers.write(msgspec.json.encode(said) + b"\n")

    threading.Thread(target=watch, daemon=True).start()
    tell(read(task, stop, tell))


if __name__ == "__main__":
    _answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a source prints is no answer
    # Without a buffer: the thread that waits for its end would hold the buffer's lock while Python exits.
    main(os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0), _answers)
