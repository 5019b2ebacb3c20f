"""Workers that write and ask until they are killed, starved or locked out, and the nursery that they come from.

Starting Python and importing a store's libraries takes a second; two hundred kills would take minutes. So one process
imports everything once, and forks a worker in a few milliseconds for each task. (pytest itself must not fork: it has
threads.) A worker says what it did on a pipe of its own, whose end is the worker's end.

A task is a function of this module whose name is given to :meth:`Nursery.start`; it runs in the worker.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import random
import re
import resource
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from lineage_explorer import audit
from lineage_explorer.errors import LineageError, StoreError, StoreNotFound, UnknownReference
from lineage_explorer.records import Entity, Record, canonical, from_json, parse_instant, to_json
from lineage_explorer.sources import open_source
from lineage_explorer.store import Store, open_store

from .estates import at, complete, serves, used, wrote

Said = dict[str, Any]
Say = Callable[..., None]

#: Nothing that a worker does between two words takes this long; then it hangs.
_PATIENCE = 120.0


# --- what is written, and how it is found again -------------------------------------------------


def record(number: int) -> Record:
    """The record of a number: of every kind of topic, so that writing one also closes rows of those before it."""
    group = number // 40
    when = f"{1 + number % 12:02}-{1 + number // 12 % 28:02}"
    match number % 4:
        case 0:
            return Entity(ref=f"model:m@{number}", description="x" * (number * 37 % 900))
        case 1:
            return used(f"run:r{number}", f"dataset:t{group}", when)
        case 2:
            return wrote(f"dataset:t{group}", f"run:w{number}", when)
        case _:
            return serves(f"endpoint:e{group}", f"deployment:e{group}:d", f"model:m@{number}", when)[3]


def records(start: int, end: int) -> list[Record]:
    """The records of the numbers from ``start`` up to and without ``end``."""
    return [record(number) for number in range(start, end)]


def estate(number: int) -> list[Record]:
    """:func:`complete` under names of its own: an endpoint that is PASSED when all of it is there."""
    text = json.dumps([to_json(item) for item in complete()])
    for name in (":churn", "run:", "dataset:"):
        text = text.replace(name, f"{name}{number}" if name == ":churn" else f"{name}{number}-")
    return [from_json(plain) for plain in json.loads(text)]


def text_of(item: Record) -> str:
    """A record as the journal holds it."""
    return canonical(to_json(item)).decode()


def journalled(location: str | Path) -> list[str]:
    """Every record in the journal, in order, read past the store."""
    statement = "SELECT b.json FROM journal AS j JOIN body AS b ON b.seq = j.seq WHERE j.kind = 1 ORDER BY j.seq"
    if "://" in str(location):
        import psycopg

        address, _, schema = str(location).partition("?schema=")
        with psycopg.connect(address, options=f"-c search_path={schema or 'lineage_explorer'}") as server:
            return [row[0] for row in server.execute(statement)]
    connection = sqlite3.connect(location)
    try:
        return [row[0] for row in connection.execute(statement)]
    finally:
        connection.close()


# --- the nursery --------------------------------------------------------------------------------


class Worker:
    """A task in a process of its own."""

    def __init__(self, nursery: Nursery, pid: int, pipe: int, task: str) -> None:
        self.pid = pid
        self.said: list[Said] = []
        self._nursery = nursery
        self._pipe = pipe
        self._task = task
        self._rest = b""

    def hear(self, seconds: float = _PATIENCE) -> Said | None:
        """What it says next; None when it has ended. Fails when it broke, or says nothing for that long."""
        while b"\n" not in self._rest:
            if not select.select([self._pipe], [], [], seconds)[0]:
                self.kill()
                raise AssertionError(f"{self._task} hangs; it said: {self.said[-3:]}")
            chunk = os.read(self._pipe, 65536)
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        said: Said = json.loads(line)
        assert "broke" not in said, f"{self._task} broke after {self.said[-3:]}:\n{said['broke']}"
        self.said.append(said)
        return said

    def all(self, seconds: float = _PATIENCE) -> list[Said]:
        """Everything it says until its end, which must be a good one."""
        while self.hear(seconds) is not None:
            pass
        status = self.end()
        assert status == 0, f"{self._task} ended with {status} after {self.said[-3:]}"
        return self.said

    def kill(self) -> list[Said]:
        """``kill -9``; everything it had said by then."""
        os.kill(self.pid, signal.SIGKILL)  # its number is not given anew before end()
        while self.hear() is not None:
            pass
        assert self.end() == -signal.SIGKILL
        return self.said

    def end(self) -> int:
        """Its exit status, once it ended."""
        os.close(self._pipe)
        return self._nursery.reap(self.pid)


class Nursery:
    """The process that workers are forked from. When this process ends, so do it and they."""

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # Threads of a numerical library would not survive the fork.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults", str(theirs.fileno())],
                cwd=Path(__file__).parent.parent,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket.settimeout(_PATIENCE)
        self._one_at_a_time = threading.Lock()  # workers may be listened to in threads
        self._talk = self._socket.makefile("r", encoding="utf-8")
        if self._talk.readline() != "ready\n":
            self.__exit__(None, None, None)
            raise AssertionError(f"the nursery did not start, and ended with {self._process.returncode}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._talk.close()
        self._socket.close()
        self._process.wait(30)

    def start(self, task: str, **arguments: Any) -> Worker:
        """Fork a worker for a task."""
        ours, theirs = os.pipe()
        with self._one_at_a_time:
            try:
                self._ask({"task": task, "arguments": arguments})
                assert self._talk.readline() == "pipe\n"
                socket.send_fds(self._socket, [b"."], [theirs])
            finally:
                os.close(theirs)
            return Worker(self, int(self._talk.readline()), ours, task)

    def run(self, task: str, **arguments: Any) -> list[Said]:
        """Run a task to its end; everything it said."""
        return self.start(task, **arguments).all()

    def reap(self, pid: int) -> int:
        """Wait for a worker to end; its exit status, negative for a signal."""
        with self._one_at_a_time:
            self._ask({"reap": pid})
            return int(self._talk.readline())

    def _ask(self, request: Said) -> None:
        self._socket.sendall(json.dumps(request, default=str).encode() + b"\n")


def _serve(channel: socket.socket) -> None:
    """The nursery's own life: fork on request until nobody is there to ask."""
    _warm()
    talk = channel.makefile("r", encoding="utf-8")

    def reply(text: object) -> None:
        channel.sendall(f"{text}\n".encode())

    reply("ready")
    children: set[int] = set()
    try:
        for line in iter(talk.readline, ""):
            request = json.loads(line)
            if "reap" in request:
                children.discard(request["reap"])
                reply(os.waitstatus_to_exitcode(os.waitpid(request["reap"], 0)[1]))
                continue
            reply("pipe")
            _, received, _, _ = socket.recv_fds(channel, 1, 1)
            child = os.fork()
            if not child:
                talk.close()
                channel.close()
                _work(request["task"], request["arguments"], received[0])
            os.close(received[0])
            children.add(child)
            reply(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def _work(task: str, arguments: dict[str, Any], pipe: int) -> NoReturn:
    def say(**what: Any) -> None:
        os.write(pipe, json.dumps(what, default=str).encode() + b"\n")

    try:
        globals()[task](say, **arguments)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more
    except BaseException:  # noqa: BLE001 - told to the test, which fails with it
        say(broke=traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _warm() -> None:
    """Import whatever is imported on first use: a worker that became somebody else may not read the libraries."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder, "s.db"), create_missing=True) as store:
        store.append(complete())
        audit(store, "churn")
        store.syncs()
        store.quarantine()
        str(store.checkpoint())
        store.verify()
        with suppress(StoreNotFound):
            open_store(Path(folder, "t.db"))
        with suppress(UnknownReference):
            store.resolve("chrn")


# --- tasks: writing until killed ----------------------------------------------------------------


def grow(say: Say, location: str, start: int, seed: int) -> None:
    """Append batch after batch, and say what was acknowledged with the tree's head then."""
    chance = random.Random(seed)
    with open_store(location, create_missing=True) as store:
        while True:
            end = start + (chance.randint(100, 300) if chance.random() < 0.1 else chance.randint(1, 8))
            say(tried=end)
            store.append(records(start, end))
            say(acknowledged=end)
            say(acknowledged=end, head=str(store.checkpoint()))
            start = end


def ingest(say: Say, location: str, source: str) -> None:
    """Ingest a file, and say after each batch how many records are committed."""
    done = 0

    def advanced(count: int) -> None:
        nonlocal done
        done += count
        say(acknowledged=done)

    with open_store(location, create_missing=True) as store:
        say(open=True)
        store.ingest(open_source(source), progress=advanced)
        say(ended=True)
        time.sleep(_PATIENCE)  # until killed: what is committed last can be killed after, too


# --- tasks: writing when it cannot be -----------------------------------------------------------


def _attempt(store: Store, start: int, end: int) -> str:
    """Append; the message when it fails as a store may fail, else nothing."""
    try:
        store.append(records(start, end))
    except StoreError as error:
        return str(error) or repr(error)
    return ""


class _Ledger:
    """What was acknowledged while a fault came and went, and what the failures said."""

    def __init__(self, say: Say, path: Path) -> None:
        self._say = say
        self._path = path
        self._next = 0
        self.store = open_store(path, create_missing=True)
        self.write("at first")

    def write(self, when: str, count: int = 40, *, fails: bool | None = False, reopens: bool = False) -> None:
        """Append ``count`` new records. ``fails``: whether that must fail (None: it may).

        ``reopens``: after a failure the store may need to be opened again.
        """
        start, self._next = self._next, self._next + count
        message = _attempt(self.store, start, self._next)
        if message and reopens:
            self.reopen()
            message = _attempt(self.store, start, self._next)
        assert fails is None or bool(message) == fails, f"{when}: {message or 'it was written'}"
        self._say(when=when, start=start, end=self._next, error=message)

    def ask(self) -> str:
        """Ask; the message when it fails as a store may fail, else nothing."""
        try:
            assert self.store.refs("model")
            assert not self.store.syncs().empty
        except StoreError as error:
            return str(error)
        return ""

    def reopen(self) -> None:
        with suppress(StoreError):
            self.store.close()
        self.store = open_store(self._path)

    def close(self) -> None:
        """The end: after another opening everything acknowledged is there, and it proves to be sound."""
        self.reopen()
        self.write("after opening it again")
        verification = self.store.verify()
        self._say(problems=[problem.message for problem in verification.problems], sound=bool(verification.ok))
        self.store.close()
        self._say(journal=journalled(self._path))


def starve(say: Say, path: str, seed: int, times: int) -> None:
    """Writes that fail beyond an offset of any file, which is drawn anew each time (``RLIMIT_FSIZE``: errno EFBIG)."""
    chance = random.Random(seed)
    ledger = _Ledger(say, Path(path))
    for _ in range(times):
        size = Path(path).stat().st_size
        # Often small, where the rollback journal is written; else in the file, which then can fail to be rolled back.
        most = chance.choice((512, 8_192, 65_536, size, size + 65_536))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (chance.randrange(most), hard))
        try:
            ledger.write("starved", 80, fails=None)
            ledger.ask()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        ledger.write("fed again", 4, reopens=True)
    ledger.close()


def fill(say: Say, folder: str, seed: int, times: int) -> None:
    """A disk of two megabytes that a stranger's file fills, leaving a little room that is drawn anew each time."""
    chance = random.Random(seed)
    refusal = _mount_small(folder, "2m")
    if refusal:
        say(refusal=refusal)
        return
    ledger = _Ledger(say, Path(folder, "lineage.db"))
    ballast = Path(folder, "ballast")
    for _ in range(times):
        state = os.statvfs(folder)
        room = state.f_bavail * state.f_frsize
        ballast.write_bytes(bytes(max(0, room - 4096 * chance.randrange(12))))
        ledger.write("full", 80, fails=None)
        ledger.ask()
        ballast.unlink()
        ledger.write("with room again", 4, reopens=True)
    ledger.close()


def _mount_small(folder: str, size: str) -> str:
    """Put a small file system on a folder, seen by this process only and gone with it; why not, if it may not be."""
    new_namespace, new_user, private = 0x00020000, 0x10000000, 0x40000 | 0x4000
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    flags = new_namespace if uid == 0 else new_namespace | new_user
    if libc.unshare(flags):
        return f"no namespace of its own: {os.strerror(ctypes.get_errno())}"
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    if libc.mount(b"none", b"/", None, private, None):
        return f"no mounts of its own: {os.strerror(ctypes.get_errno())}"
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()):
        return f"no tmpfs: {os.strerror(ctypes.get_errno())}"
    return ""


def unplug(say: Say, path: str) -> None:
    """The open file stops answering: its descriptor becomes one that nothing can be read from or written to."""
    ledger = _Ledger(say, Path(path))
    ledger.store.close()
    ledger.store = open_store(path)  # with nothing of it in memory
    descriptors = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if _points_to(entry, path)]
    assert descriptors, "the store has no file open"
    dead, other = os.pipe()
    for descriptor in descriptors:
        os.dup2(dead, descriptor)
    say(asked=ledger.ask())
    ledger.write("unplugged", fails=True)
    say(asked=ledger.ask())
    os.close(dead)
    os.close(other)
    ledger.reopen()
    ledger.write("plugged in again")
    ledger.close()


def _points_to(descriptor: Path, path: str) -> bool:
    with suppress(FileNotFoundError):  # the listing's own
        return descriptor.readlink() == Path(path).resolve()
    return False


def move_away(say: Say, path: str) -> None:
    """The file is moved while it is open: nothing may be acknowledged into a file that is no longer there."""
    ledger = _Ledger(say, Path(path))
    other = Path(path + ".moved")
    Path(path).rename(other)
    ledger.write("moved away", fails=True)
    other.rename(path)
    ledger.write("moved back", reopens=True)
    ledger.close()


def lock_out(say: Say) -> None:
    """Permissions go while the store is open, and before it is opened; and come back."""
    folder = Path(tempfile.mkdtemp(prefix="lineage-locked-"))
    try:
        if os.geteuid() == 0:  # whom no permission stops
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            os.setgroups([])
            os.setresgid(nobody.pw_gid, nobody.pw_gid, nobody.pw_gid)
            os.setresuid(nobody.pw_uid, nobody.pw_uid, nobody.pw_uid)
        os.chdir("/")
        path = folder / "lineage.db"
        ledger = _Ledger(say, path)
        with _mode(folder, 0o500):
            ledger.write("the folder became read-only", fails=True)
            assert not ledger.ask()
        ledger.write("the folder is writable again")
        for mode in (0o400, 0o000):
            with _mode(path, mode):
                ledger.write(f"the open file became {mode:o}", fails=None)
        for place, mode in ((path, 0o000), (folder, 0o000), (path, 0o200)):
            with _mode(place, mode):
                say(opened=f"{place.name} {mode:o}", error=_refused(path))
        with _mode(path, 0o400):
            try:
                ledger.reopen()
            except StoreError as error:
                say(opened="read-only", error=str(error))
            else:
                assert not ledger.ask()
                ledger.write("a file that may only be read", fails=True)
        ledger.reopen()
        ledger.write("the file is writable again")
        with _mode(folder, 0o500):
            say(opened="new", error=_refused(folder / "new.db"))
        ledger.close()
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@contextmanager
def _mode(place: Path, mode: int) -> Iterator[None]:
    before = place.stat().st_mode & 0o777
    place.chmod(mode)
    try:
        yield
    finally:
        place.chmod(before)


def _refused(path: Path) -> str:
    try:
        open_store(path, create_missing=True).close()
    except StoreError as error:
        return str(error)
    raise AssertionError(f"{path} was opened")


# --- tasks: asking what was damaged -------------------------------------------------------------


def everything(path: Path) -> dict[str, Any]:
    """Every row of every table, the schema included, read past the store; of the index of names, what it finds."""
    connection = sqlite3.connect(path)
    try:
        tables = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, Any] = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()
            for name in sorted(tables)
            if not name.startswith("name_index")
        }
        found["schema"] = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        words = {word for row in found.get("node", ()) for word in re.findall(r"\w+", str(row[1]).lower())}
        for beginning in sorted({word[:length] for word in words for length in (1, 2, 3, 4, 99)}):
            found[f"names in {beginning}"] = connection.execute(
                "SELECT rowid FROM name_index WHERE name_index MATCH ? ORDER BY rowid", (f'"{beginning}"*',)
            ).fetchall()
        return found
    finally:
        connection.close()


def answers(store: Store, known_at: str) -> dict[str, Callable[[], Any]]:
    """Every kind of question, with an answer that can be compared."""

    def audited(endpoint: str) -> Any:
        return audit(store, endpoint, as_of=at("12-01"), known_at=known_at).to_dict()

    def traced(ref: str, direction: Any) -> Any:
        reached = store.reachable(ref, direction, as_of=at("12-01"), known_at=parse_instant(known_at))
        return sorted(node.ref for node in reached.nodes.values()), len(reached.edges)

    return {
        "syncs": lambda: store.syncs().astype(str).to_dict("records"),
        "quarantine": lambda: store.quarantine().astype(str).to_dict("records"),
        "refs": lambda: [store.refs(kind) for kind in ("endpoint", "deployment", "model", "run", "dataset")],
        "search": lambda: [store.search(text) for text in ("chu", "raw", "tra 1", "feat")],
        "audit 0": lambda: audited("churn0"),
        "audit 1": lambda: audited("churn1"),
        "audit 2": lambda: audited("churn2"),
        "upstream": lambda: traced("endpoint:churn1", "upstream"),
        "downstream": lambda: traced("dataset:1-raw@1", "downstream"),
    }


def examine(say: Say, pristine: str, known_at: str, damages: Sequence[Sequence[Any]]) -> None:
    """Damage a copy in each of the ways, ask it everything, and say how it took it.

    A damage is ``["cut", length]`` or ``["flip", offset, mask]``.
    """
    whole = Path(pristine).read_bytes()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "s.db"
        path.write_bytes(whole)
        sound = everything(path)
        with open_store(path) as store:
            expected = {name: ask() for name, ask in answers(store, known_at).items()}
            assert store.verify().ok, "the store is unsound before it is damaged"
        path.write_bytes(whole)
        for damage in damages:
            say(damage=damage)
            for left in folder.iterdir():
                left.unlink()
            path.write_bytes(_damaged(whole, damage))
            outcome = _outcome(path, known_at, expected)
            path.write_bytes(_damaged(whole, damage))
            for left in folder.glob("s.db-*"):
                left.unlink()
            try:
                now = everything(path)
                differ = [name for name in sorted({*now, *sound}) if repr(now.get(name)) != repr(sound.get(name))]
                outcome["rows differ"] = differ[:5]
            except (sqlite3.Error, UnicodeDecodeError) as error:
                outcome["rows differ"] = [f"unreadable: {error}"]
            say(**outcome)


def _damaged(whole: bytes, damage: Sequence[Any]) -> bytes:
    if damage[0] == "cut":
        return whole[: damage[1]]
    _, offset, mask = damage
    return whole[:offset] + bytes([whole[offset] ^ mask]) + whole[offset + 1 :]


def _outcome(path: Path, known_at: str, expected: dict[str, Any]) -> Said:
    told: dict[str, str] = {}
    wrong: dict[str, str] = {}
    differ: list[str] = []
    verified: bool | None = None

    def tried(name: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except LineageError as error:
            told[name] = f"{type(error).__name__}: {error}"
        except BaseException:  # noqa: BLE001 - this is the finding
            wrong[name] = traceback.format_exc()
        return None

    store = tried("open", lambda: open_store(path))
    if store is not None:
        for name, ask in answers(store, known_at).items():
            answer = tried(name, ask)
            if name not in told and name not in wrong and answer != expected[name]:
                differ.append(name)
        verification = tried("verify", lambda: store.verify())
        if verification is not None:
            verified = bool(verification.ok)
            if not verified and not all(problem.message for problem in verification.problems):
                wrong["verify"] = "it is not sound, and no problem says why"
        tried("checkpoint", lambda: str(store.checkpoint()))
        tried("append", lambda: store.append([Entity(ref="model:later@1"), *estate(1)]))
        tried("close", store.close)
    return {"verified": verified, "answers differ": differ, "told": told, "wrong": wrong}


# --- tasks: many at once ------------------------------------------------------------------------


def contribute(say: Say, location: str, seed: int, estates: int) -> None:
    """Append every estate in an order of one's own, the even ones in one piece and the odd ones in two."""
    chance = random.Random(seed)
    order = list(range(estates))
    chance.shuffle(order)
    total = [0, 0, 0, 0]
    with open_store(location, create_missing=True) as store:
        for number in order:
            whole = estate(number)
            cut = chance.randrange(1, len(whole)) if number % 2 else len(whole)
            for piece in filter(None, (whole[:cut], whole[cut:])):
                result = store.append(piece)
                for index, name in enumerate(("read", "stored", "unchanged", "quarantined")):
                    total[index] += getattr(result, name)
            say(contributed=number)
    say(total=total)


def inspect(say: Say, location: str, estates: int, until: str) -> None:
    """Audit one endpoint after the other until a file appears; say each answer with its question."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            store = open_store(location)
            break
        except StoreError:  # the writers have not made it yet
            assert time.monotonic() < deadline, "nobody made the store"
            time.sleep(0.005)
    with store:
        number, last = 0, False
        while not last:
            last = Path(until).exists()
            try:
                answer = audit(store, f"churn{number}")
            except UnknownReference:
                say(endpoint=number, verdict=None)
            else:
                question = answer.question
                say(
                    endpoint=number,
                    verdict=answer.verdict,
                    as_of=question["as_of"],
                    known_at=question["known_at"],
                    digest=answer.digest,
                )
            number = (number + 1) % estates


def missing(expected: Iterable[str], found: Iterable[str]) -> list[str]:
    """What is not there, in order."""
    there = set(found)
    return [text for text in expected if text not in there]


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _channel:
        _serve(_channel)
