"""Opening somebody else's SQLite file without leaving a trace on it.

A plain read-only connection writes nothing to a file in rollback-journal mode, which is what MLflow
uses. Two states need more: a write-ahead log (a reader would create ``-shm`` and ``-wal`` files beside
the user's) and a hot journal (a crashed writer's, that somebody must roll back). Those are copied to a
temporary folder first, and SQLite does its repair work on the copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

from ...errors import SourceError, SourceUnavailable

_MAGIC = b"SQLite format 3\x00"
#: What every MLflow database has had since its first schema.
TABLES = frozenset({"experiments", "runs", "alembic_version"})
_BUSY_SECONDS = 20.0


class ReadOnly:
    """A connection that cannot change the file at ``path``, and the copy it may have needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        try:
            head = header(path)
        except OSError as error:
            raise SourceError(f"{str(path)!r} cannot be read: {error.strerror}") from error
        if not head.startswith(_MAGIC):
            raise SourceError(f"{str(path)!r} is not a SQLite database")
        logged_ahead = head[18:20] == b"\x02\x02"
        self.connection = self._copied() if logged_ahead else self._in_place()

    def close(self) -> None:
        """Close the connection and remove the copy."""
        self.connection.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _in_place(self) -> sqlite3.Connection:
        connection = _connect(self.path, "ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            name = error.sqlite_errorname
            if name.startswith("SQLITE_BUSY"):
                raise SourceUnavailable(
                    f"{str(self.path)!r} stayed locked by a writer for {_BUSY_SECONDS:.0f} s; try again when it rests"
                ) from error
            if _beside(self.path, "-journal").exists():
                return self._copied()
            raise SourceError(f"{str(self.path)!r} cannot be read: {error}") from error
        except sqlite3.DatabaseError as error:
            connection.close()
            raise SourceError(f"{str(self.path)!r} is damaged: {error}") from error
        return connection

    def _copied(self) -> sqlite3.Connection:
        self._folder = tempfile.TemporaryDirectory(prefix="lineage-explorer-")
        copy = Path(self._folder.name) / "mlflow.db"
        try:
            self._copy_unchanging(copy)
            connection = _connect(copy, "rw")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            self._folder.cleanup()
            raise SourceError(f"{str(self.path)!r} is damaged: {error}") from error
        except BaseException:
            self._folder.cleanup()
            raise
        return connection

    def _copy_unchanging(self, copy: Path) -> None:
        # Database and log are two files: only a pair that nobody touched meanwhile belongs together.
        suffixes = ("", "-wal", "-journal")
        for attempt in range(5):
            before = [_stamp(_beside(self.path, suffix)) for suffix in suffixes]
            for suffix in suffixes:
                target = _beside(copy, suffix)
                target.unlink(missing_ok=True)
                try:
                    shutil.copyfile(_beside(self.path, suffix), target)
                except FileNotFoundError:
                    if not suffix:
                        raise
            if before == [_stamp(_beside(self.path, suffix)) for suffix in suffixes]:
                return
            time.sleep(0.2 * (attempt + 1))
        raise SourceUnavailable(
            f"{str(self.path)!r} kept changing while it was copied; try again when its writer rests, "
            "or give the address of its tracking server"
        )


def header(path: Path) -> bytes:
    """The first 100 bytes of a file."""
    with path.open("rb") as file:
        return file.read(100)


def looks_like_mlflow(path: Path) -> bool:
    """Whether a file is a SQLite database with MLflow's tables. Never raises, never writes."""
    try:
        if not header(path).startswith(_MAGIC):
            return False
        opened = ReadOnly(path)
    except (OSError, SourceError):
        return False
    try:
        names = {row[0] for row in opened.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError:
        return False
    finally:
        opened.close()
    return names >= TABLES


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # as_uri() encodes '?', '#' and '%', so that no file name can add a parameter.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size
