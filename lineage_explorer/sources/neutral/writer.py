"""Appending one line: what ``lineage-explorer record`` does, safe for pipelines that run at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import InvalidRecord, LocationNotFound, SourceError, UnknownFormat
from ...records import to_json
from ...redaction import redact
from ..documents import printable
from ..protocol import nearest
from .convenience import read_row
from .rows import Row

_SUFFIXES = (".jsonl", ".ndjson")


def append_row(path: str | Path, row: Mapping[str, Any]) -> None:
    """Check a row and append it to a JSON Lines file, as one line and durably.

    Nothing is written unless the row is valid. The file is made if it is not there; its folder is not.
    Secrets are removed first, as the store would: the file may end in a repository.

    Parameters
    ----------
    path : str or Path
        A ``.jsonl`` or ``.ndjson`` file.
    row : mapping
        For example ``{"type": "gate", "subject": "model:churn@3", "gate": "approval", "status": "passed"}``.

    Raises
    ------
    InvalidRecord
        With the field that is wrong.
    LocationNotFound
        When the folder is not there.
    SourceError
        When the file is something else, or cannot be written.
    """
    target = Path(path)
    try:
        kept = {key: value for key, value in redact(dict(row)).items() if value is not None}
        # ASCII: no editor, terminal or locale can break the line, and odd characters are seen.
        line = json.dumps(kept, allow_nan=False, ensure_ascii=True).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRecord(f"the row cannot be written as JSON: {error}") from error
    for record in read_row(Row("row", kept, ""))[0]:
        to_json(record)
    if target.suffix.lower() not in _SUFFIXES:
        raise SourceError(f"{printable(str(path))!r}: rows are appended to a file that ends in .jsonl or .ndjson")
    if not target.parent.is_dir():
        raise LocationNotFound(f"there is no folder {printable(str(target.parent))!r}{nearest(str(target.parent))}")
    try:
        _append(target, line)
    except OSError as error:
        raise SourceError(f"{printable(str(path))!r} cannot be written: {error.strerror}") from error


def _append(target: Path, line: bytes) -> None:
    new = not target.exists()
    descriptor = os.open(target, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        with _locked(descriptor):
            size = os.fstat(descriptor).st_size
            if size:
                _must_be_json_lines(descriptor, target)
                if os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line  # somebody's editor left the last line open
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        _keep_name(target.parent)


def _must_be_json_lines(descriptor: int, target: Path) -> None:
    start = os.pread(descriptor, 4096, 0).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start and not start.startswith(b"{"):
        raise UnknownFormat(f"{printable(str(target))!r} is not a file of JSON lines; nothing was written")


def _keep_name(folder: Path) -> None:
    # A new file survives a power cut only when its folder was written too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    if sys.platform == "win32":
        yield  # appending is atomic there for one short write
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
