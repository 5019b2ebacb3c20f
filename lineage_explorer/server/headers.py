"""What a file's first bytes say: whether it is a store, and of which schema, without a database opening it."""

from __future__ import annotations

import os
import stat
import threading
from collections import Counter
from pathlib import Path

from ..errors import NotAStore, StoreError, StoreNotFound, StoreTooNew, StoreTooOld
from ..store.schema import APPLICATION_ID, SCHEMA_VERSION

#: Where SQLite keeps ``user_version`` and ``application_id`` in a file's first hundred bytes.
_MAGIC, _VERSION, _APPLICATION = b"SQLite format 3\0", slice(60, 64), slice(68, 72)
# A process that closes any descriptor of a file loses all its POSIX locks on it, and with them SQLite's. So the bytes of
# a file that a database of ours has open are not read: it was seen to be a store when it was opened.
_guard = threading.Lock()
_held: Counter[tuple[int, int]] = Counter()


def hold(path: Path) -> tuple[int, int]:
    """Say that a database is about to open a file; gives what :func:`let_go` takes."""
    with _guard:
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        _held[key] += 1
    return key


def let_go(key: tuple[int, int]) -> None:
    """Say that a database has closed a file."""
    with _guard:
        _held[key] -= 1
        if not _held[key]:
            del _held[key]


def schema_of(path: Path) -> int:
    """The schema version of the store in a file.

    Raises
    ------
    NotAStore
        When it is something else: another database, a folder, a pipe.
    StoreNotFound
        When there is nothing, or nothing in it yet.
    StoreError
        When it cannot be read.
    """
    try:
        head = _head_of(path)
    except OSError as error:
        raise StoreError(f"{path.name!r} cannot be read: {error.strerror}") from error
    if head is None:
        return SCHEMA_VERSION
    if not head.startswith(_MAGIC) or int.from_bytes(head[_APPLICATION]) != APPLICATION_ID:
        raise NotAStore(f"{path.name!r} is not a lineage-explorer store. If it is a source, ingest it into one")
    return int.from_bytes(head[_VERSION])


def _head_of(path: Path) -> bytes | None:
    """The first bytes of a file; None of one that we have open."""
    with _guard:
        status = path.stat()
        if (status.st_dev, status.st_ino) in _held:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise NotAStore(f"{str(path)!r} is not a file")
        if status.st_size == 0:
            raise StoreNotFound(f"{path.name!r} is an empty file; the first ingest makes it a store")
        # Neither a pipe nor a link that took the file's place a moment ago may stop us or lead us elsewhere.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags)
        try:
            return os.read(file, 100)
        finally:
            os.close(file)


def must_be_known(path: Path, *, current: bool) -> None:
    """Refuse a store that this version cannot read, or that opening would upgrade.

    Parameters
    ----------
    path : Path
        A file.
    current : bool
        Also refuse an older one: whoever looks at a store does not mean to change it.

    Raises
    ------
    StoreTooOld, StoreTooNew
        Saying who can open it.
    NotAStore, StoreNotFound, StoreError
        As :func:`schema_of`.
    """
    version = schema_of(path)
    if version < SCHEMA_VERSION and current:
        raise StoreTooOld(
            f"{path.name!r} was written by an older lineage-explorer (schema {version}; this one's is {SCHEMA_VERSION}). Looking "
            f"at it here does not change it: `lineage-explorer syncs {path}` upgrades it, and so does the next ingest"
        )
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{path.name!r} was written by a newer lineage-explorer (schema {version}; this one knows {SCHEMA_VERSION}). "
            "Upgrade with: pip install -U lineage-explorer"
        )
