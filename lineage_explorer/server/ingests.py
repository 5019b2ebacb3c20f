"""Ingests that the server runs: started, watched, cancelled, and remembered for a while."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any, Literal

import msgspec

from ..references import format_instant
from .errors import IngestRunning, TooManyIngests, UnknownIngest, unforeseen
from .reading import Task, Told

#: How many that ended are remembered.
_KEPT = 100
#: Seconds that an ingest has to end in good order when it is cancelled, before its process is ended.
_GRACE = 10.0
_STOPPED = "Cancelled. What was read until then is stored."


class Ingest:
    """One source being read into one store, by a process of its own.

    Parameters
    ----------
    store, source : str
        As they are shown; without secrets.
    task : Task
        What is done.
    failed : callable
        Told the exception's name and trace when an error was not foreseen; gives the sentence for the user.
    """

    def __init__(self, store: str, source: str, task: Task, failed: Callable[[str, str], str]) -> None:
        self.id = secrets.token_hex(8)
        self.task = task
        self._failed = failed
        self._lock = threading.Lock()
        self._said: dict[str, Any] = {
            "id": self.id,
            "store": store,
            "source": source,
            "state": "running",
            "records": 0,
            "counts": None,
            "message": None,
            "started_at": format_instant(datetime.now(UTC)),
            "ended_at": None,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"lineage-explorer-ingest-{self.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return bool(self.to_dict()["state"] == "running")

    def to_dict(self) -> dict[str, Any]:
        """How it goes, as plain JSON values."""
        with self._lock:
            return dict(self._said)

    def cancel(self, grace: float = _GRACE) -> None:
        """Ask it to stop; after the grace its process is ended, and the store undoes what was not acknowledged."""
        with self._lock:
            if self._stopping or self._said["state"] != "running":
                return
            self._stopping = True
            process = self._process
        if process is not None:
            _stop(process, grace)

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        last = Told()
        try:
            # -P: a file beside a notebook that is called like a module of Python is not that module.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lineage_explorer.server.reading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self._end("failed", f"no process could be started: {error.strerror}")
            return
        orders, answers = _pipes(process)
        try:
            # By its input, not by its arguments or its environment: those can be seen by others.
            orders.write(msgspec.json.encode(self.task) + b"\n")
            orders.flush()
            with self._lock:
                self._process = process
                stopping = self._stopping
            if stopping:
                _stop(process, _GRACE)
            for line in answers:
                last = msgspec.json.decode(line, type=Told)
                with self._lock:
                    self._said["records"] = last.records
        except (OSError, ValueError, msgspec.DecodeError):
            last = Told(records=last.records)  # it ended before it was told what to do, or in the middle of a line
        finally:
            answers.close()
            status = process.wait()
            _close(orders)
        self._tell(last, status)

    def _tell(self, last: Told, status: int) -> None:
        if last.counts is not None:
            self._end("done", None, last.counts)
        elif last.cancelled or self._stopping:
            self._end("cancelled", _STOPPED)
        elif last.trace:
            self._end("failed", self._failed(last.error, last.trace))
        elif last.error:
            self._end("failed", last.message)
        else:
            self._end("failed", f"The process that read it ended without a word (exit status {status}).")

    def _end(
        self, state: Literal["done", "failed", "cancelled"], message: str | None, counts: dict[str, int] | None = None
    ) -> None:
        with self._lock:
            self._said |= {"state": state, "message": message, "counts": counts}
            self._said["ended_at"] = format_instant(datetime.now(UTC))


class Ingests:
    """All of them.

    Parameters
    ----------
    most : int
        How many run at once.
    clean : callable
        Takes the secrets out of a text.
    log : callable
        Takes a line for the server's log.
    """

    def __init__(self, most: int, clean: Callable[[str], str], log: Callable[[str], object]) -> None:
        self._most = most
        self._clean = clean
        self._log = log
        self._lock = threading.Lock()
        self._all: dict[str, Ingest] = {}

    def start(self, store: str, source: str, task: Task) -> dict[str, Any]:
        """Begin an ingest.

        Parameters
        ----------
        store, source : str
            As the client wrote them, to be shown.
        task : Task
            What is done.

        Raises
        ------
        IngestRunning
            When the same is being done already.
        TooManyIngests
            When as many run as may.
        """
        shown = self._clean(source)
        with self._lock:
            running = [item for item in self._all.values() if item.running]
            for item in running:
                if (item.task.store, item.task.source) == (task.store, task.source):
                    raise IngestRunning(f"{shown!r} is being read into {store!r} already: ingest {item.id}")
            if len(running) >= self._most:
                raise TooManyIngests(
                    f"{len(running)} ingests run, and no more may at once: wait for one to end, or cancel it"
                )
            ingest = Ingest(store, shown, task, self._failed)
            ended = [item for item in self._all.values() if not item.running]
            for item in ended[: max(0, len(ended) - _KEPT + 1)]:
                del self._all[item.id]
            self._all[ingest.id] = ingest
            ingest.start()
        return self._told(ingest)

    def listed(self) -> list[dict[str, Any]]:
        """Every ingest that is remembered, the last one first."""
        with self._lock:
            return [self._told(item) for item in reversed(self._all.values())]

    def get(self, number: str) -> dict[str, Any]:
        """One ingest.

        Raises
        ------
        UnknownIngest
            When none has this id.
        """
        return self._told(self._find(number))

    def cancel(self, number: str) -> dict[str, Any]:
        """Ask one to stop; what has ended stays as it is.

        Raises
        ------
        UnknownIngest
            When none has this id.
        """
        ingest = self._find(number)
        ingest.cancel()
        return self._told(ingest)

    def close(self) -> None:
        """Stop them all, and wait a moment."""
        with self._lock:
            running = [item for item in self._all.values() if item.running]
        for item in running:
            item.cancel(grace=2.0)
        for item in running:
            item.join(5.0)

    def _find(self, number: str) -> Ingest:
        with self._lock:
            if number in self._all:
                return self._all[number]
        raise UnknownIngest(f"there is no ingest {number!r}, or it ended long ago and was forgotten")

    def _told(self, ingest: Ingest) -> dict[str, Any]:
        said = ingest.to_dict()
        return said | {"message": said["message"] and self._clean(said["message"])}

    def _failed(self, name: str, trace: str) -> str:
        failure = unforeseen(name, trace, self._clean)
        self._log(failure.logged)
        return str(failure.body["message"])


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("a process without pipes")
    return process.stdin, process.stdout


def _stop(process: subprocess.Popen[bytes], grace: float) -> None:
    _close(_pipes(process)[0])
    timer = threading.Timer(grace, process.terminate)  # which does nothing to one that has ended
    timer.daemon = True
    timer.start()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:  # it did not read all that it was told
        return
