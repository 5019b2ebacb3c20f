"""Portions of work dealt to other processes of Python, and their answers in the order of the portions.

``multiprocessing`` runs the program that called it once more in each process that it starts: a script that asks about
its estate without hiding that behind ``if __name__ == "__main__"`` would do everything again that it did before. So
these processes import one function, and nothing of the program.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any, BinaryIO

from .errors import LineageError, StoreError

Rows = list[dict[str, Any]]
#: Portions that lie ready while the first is waited for, for each process.
_AHEAD = 2
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from lineage_explorer.dealing import answer
answer()
"""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def deal(work: str, task: Any, portions: Iterable[Sequence[str]], processes: int) -> Iterator[Rows]:
    """The answers to portions of work, in order, a few portions ahead of whoever takes them.

    Parameters
    ----------
    work : str
        ``module:function`` of this package. Called once in each process with ``task``, it gives a context manager of
        the function that answers a portion with rows of plain JSON values.
    task : object
        Pickled for each process.
    portions : iterable of sequences of str
        What is dealt.
    processes : int
        How many.

    Raises
    ------
    LineageError
        What the work raised, or that a process ended.
    """
    free: SimpleQueue[_Process] = SimpleQueue()
    started: list[_Process] = []
    threads = ThreadPoolExecutor(processes, thread_name_prefix="dealing")

    def one(portion: Sequence[str]) -> Rows:
        process = free.get()
        try:
            return process.answer(portion)
        finally:
            free.put(process)

    try:
        for _ in range(processes):
            started.append(_Process(work, task))
            free.put(started[-1])
        waiting: deque[Future[Rows]] = deque()
        for portion in portions:
            waiting.append(threads.submit(one, portion))
            if len(waiting) > processes * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for process in started:  # whoever still waits for one of them is told that it ended
            process.end()
        threads.shutdown(cancel_futures=True)


class _Process:
    """Another Python, which answers one portion after the other."""

    def __init__(self, work: str, task: Any) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, and a text that stands above
                [sys.executable, "-c", _BOOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            raise StoreError(f"another process cannot be started: {error}") from error
        self._tell(json.dumps(sys.path).encode() + b"\n" + pickle.dumps((work, task)))

    def answer(self, portion: Sequence[str]) -> Rows:
        self._tell(json.dumps(list(portion)).encode() + b"\n")
        out = self._process.stdout
        told = json.loads(line) if out is not None and (line := out.readline()).endswith(b"\n") else None
        if told is None:
            raise StoreError(
                "a process that judged a part of the estate ended before it was done; its message is above"
            )
        if "error" in told:
            raise LineageError(told["error"])
        rows: Rows = told["rows"]
        return rows

    def _tell(self, text: bytes) -> None:
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(text)
                self._process.stdin.flush()
        except (OSError, ValueError):
            pass  # it has ended, which is told where its answer is missing

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def answer() -> None:
    """What the other process does: take portions from standard input until it ends."""
    # Ctrl-C reaches every process of a terminal, and the one that was asked ends these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    taken = sys.stdin.buffer
    # Whatever else prints must not get between the answers.
    given: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work, task = pickle.load(taken)  # noqa: S301 - from the process that started this one, over a pipe of its own
    module, _, name = work.partition(":")
    open_: Callable[[Any], Any] = getattr(import_module(f".{module}", __package__), name)
    try:
        with open_(task) as judge:
            for line in taken:
                _send(given, {"rows": judge(json.loads(line))})
    except LineageError as error:
        _send(given, {"error": str(error)})


def _send(given: BinaryIO, told: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more
        given.write(json.dumps(told).encode() + b"\n")
        given.flush()
