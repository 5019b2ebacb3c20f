"""Reading text that may be hostile: bounded lines, strict JSON, files of a folder in a fixed order.

Nothing here knows what a record is. What cannot be read comes back as :class:`Rejected`, or as an
:class:`InvalidRecord` that the caller turns into one; it never stops what follows.
"""

from __future__ import annotations

import codecs
import json
import math
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

from ..errors import InvalidRecord, LocationNotFound, SourceError
from .protocol import Rejected, nearest

#: The longest line that is held in memory, in bytes; a longer one is skipped to its end and counted.
MAX_LINE = 16 * 1024 * 1024
#: The largest document that has to be read as a whole (JSON, YAML), in bytes.
MAX_DOCUMENT = 64 * 1024 * 1024
#: How deep objects and lists may stand in each other. Everything downstream may then recurse safely.
MAX_DEPTH = 64
#: How much of a text a rejection quotes, in characters.
EXCERPT = 2_000

_SPACE = re.compile(r"[ \t\n\r]*")
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """A line of a text file, without its end."""

    number: int
    text: str


class Element(NamedTuple):
    """A value in a JSON text, and the line it begins on."""

    line: int
    value: Any


def printable(text: str) -> str:
    """The text with what UTF-8 cannot hold (lone surrogates) made visible, so that it can be stored.

    Examples
    --------
    >>> printable("a\\ud800b")
    'a\\\\ud800b'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def excerpt(raw: str | bytes) -> str:
    """The beginning of a raw text, for a rejection."""
    if isinstance(raw, bytes):
        return raw[: EXCERPT * 4].decode("utf-8", "replace")[:EXCERPT]
    return printable(raw[:EXCERPT])[:EXCERPT]


# --- files ---


def files_at(location: str, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """The file at a location, or the regular files of a folder and its folders, in order of name.

    Parameters
    ----------
    location : str
        A path. A file is taken whatever its suffix.
    suffixes : tuple of str
        Endings, in lower case, of the files to take from a folder. Hidden files and folders are left out.

    Yields
    ------
    tuple of (Path, str)
        The path, and the name that positions begin with.

    Raises
    ------
    LocationNotFound
        When nothing is there; the message names the nearest.
    SourceError
        When it is neither a file nor a folder (a device or a pipe would never end).
    """
    if not location:  # which a path would take for the folder that we happen to be in
        raise LocationNotFound("the location is an empty text")
    root = Path(location)
    try:
        mode = root.stat().st_mode
    except (OSError, ValueError) as error:
        raise LocationNotFound(f"there is nothing at {printable(location)!r}{nearest(location)}") from error
    if stat.S_ISREG(mode):
        yield root, printable(root.name)
        return
    if not stat.S_ISDIR(mode):
        raise SourceError(f"{printable(location)!r} is neither a file nor a folder")
    for folder, folders, names in os.walk(root):
        # In place: os.walk then leaves them out.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and name.lower().endswith(suffixes) and path.is_file():
                yield path, printable(path.relative_to(root).as_posix())


def read_document(path: Path, limit: int = MAX_DOCUMENT) -> str:
    """A whole file as text, if it is UTF-8 and not too large.

    Raises
    ------
    InvalidRecord
        Naming the size, or the byte that is not UTF-8.
    """
    with path.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise InvalidRecord(
            f"the file is {path.stat().st_size:,} bytes long; a document of one piece may have {limit:,}. "
            "Write one record a line (.jsonl) instead"
        )
    _refuse_wide(raw)
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        _not_utf8(error, len(raw) - len(error.object))


def read_lines(path: Path, name: str, limit: int | None = None) -> Iterator[Line | Rejected]:
    """The lines of a file, one at a time; a line that cannot be read is rejected and passed over."""
    limit = MAX_LINE if limit is None else limit
    with path.open("rb") as file:
        offset = number = 0
        while raw := file.readline(limit + 1):
            number += 1
            position, start = f"{name}:{number}", offset
            offset += len(raw)
            if len(raw) > limit and not raw.endswith(b"\n"):
                offset += _skip(file)
                yield Rejected(
                    reason=f"the line is {offset - start:,} bytes long; at most {limit:,} are read",
                    position=position,
                    excerpt=excerpt(raw),
                )
                continue
            try:
                if number == 1:
                    _refuse_wide(raw)
                    start += len(raw) - len(raw := raw.removeprefix(codecs.BOM_UTF8))
                try:
                    text = raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    _not_utf8(error, start)
            except InvalidRecord as error:
                yield Rejected(reason=error.reason, position=position, excerpt=excerpt(raw))
                continue
            yield Line(number, text.rstrip("\r\n"))


def _skip(file: BinaryIO) -> int:
    """Pass over the rest of a line; returns how long it was."""
    size = 0
    while rest := file.readline(1 << 20):
        size += len(rest)
        if rest.endswith(b"\n"):
            break
    return size


def _refuse_wide(raw: bytes) -> None:
    if raw.startswith(_WIDE):
        raise InvalidRecord("the file is UTF-16 or UTF-32; save it as UTF-8")


def _not_utf8(error: UnicodeDecodeError, start: int) -> NoReturn:
    raise InvalidRecord(
        f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte offset {start + error.start} of the file"
    ) from error


# --- JSON ---


class _Strict(json.JSONDecoder):
    """JSON and nothing more; what Python would let pass is noted, so that decoding can go on after it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        super().__init__(object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._number)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in made if keys.count(key) > 1)
            self.problems.append(f"the key {twice[:80]!r} stands {keys.count(twice)} times in one object")
        return made

    def _constant(self, word: str) -> None:
        self.problems.append(f"{word} is not JSON; write null, or the word as a string")

    def _number(self, text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            self.problems.append(f"{text[:40]} is larger than a number can be; write it as a string")
        return value


class _Decoders(threading.local):
    """One decoder for each thread: preparing it takes longer than reading a line with it."""

    def __init__(self) -> None:
        self.strict = _Strict()


_DECODERS = _Decoders()


def load_json(text: str, position: str) -> Any:
    """One JSON value, refused where two readers could understand it differently.

    Raises
    ------
    InvalidRecord
        For text that is not JSON, a key that stands twice in one object, ``NaN``, infinite numbers, and
        nesting deeper than :data:`MAX_DEPTH`.

    Examples
    --------
    >>> load_json('{"a": 1, "a": 2}', "f.jsonl:3")
    Traceback (most recent call last):
    ...
    lineage_explorer.errors.InvalidRecord: f.jsonl:3: the key 'a' stands 2 times in one object
    """
    value, end, problems = _scan(text, _space(text, 0), position)
    if problems:
        raise InvalidRecord(problems[0], position)
    if _space(text, end) != len(text):
        raise InvalidRecord(f"not JSON: something follows the value at column {_column(text, end)}", position)
    return value


def load_json_elements(text: str, name: str) -> Iterator[Element | Rejected]:
    """The elements of a JSON list, or a JSON value alone, each with the line where it begins.

    An element that is refused does not stop the next; text that is not JSON does, because nobody can
    tell where the next element would begin.
    """
    index = _space(text, 0)
    listed = text.startswith("[", index)
    if listed:
        index = _space(text, index + 1)
    line, counted = 1, 0
    more = not (listed and text.startswith("]", index))
    while more:
        line, counted = line + text.count("\n", counted, index), index
        position = f"{name}:{line}"
        try:
            value, end, problems = _scan(text, index, position)
        except InvalidRecord as error:
            yield Rejected(
                reason=error.reason + ("; what follows in the file is not read" if listed else ""),
                position=position,
                excerpt=excerpt(text[index : index + EXCERPT]),
            )
            return
        if problems:
            yield Rejected(
                reason=problems[0], position=position, excerpt=excerpt(text[index : min(end, index + EXCERPT)])
            )
        else:
            yield Element(line, value)
        index = _space(text, end)
        more = listed and text.startswith(",", index)
        if more:
            index = _space(text, index + 1)
    if listed:
        index = _space(text, index + 1) if text.startswith("]", index) else index
    if index != len(text):
        yield Rejected(
            reason=f"not JSON: unexpected text at column {_column(text, index)}; it and what follows is not read",
            position=f"{name}:{1 + text.count(chr(10), 0, index)}",
            excerpt=excerpt(text[index : index + EXCERPT]),
        )


def _scan(text: str, index: int, position: str) -> tuple[Any, int, list[str]]:
    """One value from an index on: the value, where it ends, and what is wrong with it."""
    decoder = _DECODERS.strict
    decoder.problems = []
    try:
        value, end = decoder.raw_decode(text, index)
    except json.JSONDecodeError as error:
        raise InvalidRecord(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}", position) from error
    except RecursionError as error:
        raise InvalidRecord(f"nested deeper than {MAX_DEPTH} levels", position) from error
    except ValueError as error:  # a whole number of thousands of digits
        raise InvalidRecord(f"not a usable number: {error}", position) from error
    # As many brackets as that must open first; counting them is quicker than going down.
    if text.count("{") + text.count("[") > MAX_DEPTH and too_deep(value):
        decoder.problems.append(f"nested deeper than {MAX_DEPTH} levels")
    return value, end, decoder.problems


def too_deep(value: Any) -> bool:
    """Whether lists and objects stand in each other deeper than :data:`MAX_DEPTH`, found without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for outer in level
            if isinstance(outer, (dict, list))
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def _space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return match.end() if match else index


def _column(text: str, index: int) -> int:
    return index - text.rfind("\n", 0, index)
