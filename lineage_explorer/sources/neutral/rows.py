"""Files and frames as rows: plain values, and the place where each stood."""

from __future__ import annotations

import csv
import math
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import InvalidRecord
from ..documents import MAX_DEPTH, Line, excerpt, load_json, load_json_elements, read_document, read_lines, too_deep
from ..protocol import Rejected

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv")
#: Separators that spreadsheets write, and the order they are tried in.
SEPARATORS = (",", ";", "\t")
# A cell may hold line breaks between quotes; a quote that is never closed must not swallow the file.
_MOST_LINES_OF_A_ROW = 200


_KINDS_OF_VALUE = {
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class Row(NamedTuple):
    """One row, before anybody asked what it means.

    Attributes
    ----------
    position : str
        ``file:line``.
    values : dict
        Plain JSON values; an empty cell is absent.
    text : str
        How it stood there, for a rejection.
    typed : bool
        False when every value is text because the format knows nothing else (CSV).
    """

    position: str
    values: dict[str, Any]
    text: str
    typed: bool = True


def rows_of_file(path: Path, name: str) -> Iterator[Row | Rejected]:
    """The rows of a file by its suffix; one without a suffix is read as JSON Lines."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _csv(path, name)
    return _json(path, name) if suffix == ".json" else _json_lines(path, name)


def _json_lines(path: Path, name: str) -> Iterator[Row | Rejected]:
    for line in read_lines(path, name):
        if isinstance(line, Rejected):
            yield line
        elif line.text.strip():
            position = f"{name}:{line.number}"
            try:
                yield _row(load_json(line.text, position), position, line.text)
            except InvalidRecord as error:
                yield Rejected(reason=error.reason, position=position, excerpt=excerpt(line.text))


def _json(path: Path, name: str) -> Iterator[Row | Rejected]:
    try:
        text = read_document(path)
    except InvalidRecord as error:
        yield Rejected(reason=error.reason, position=name)
        return
    if not text.strip():
        return
    for element in load_json_elements(text, name):
        if isinstance(element, Rejected):
            yield element
        else:
            yield _row(element.value, f"{name}:{element.line}", repr(element.value))


def _row(value: Any, position: str, text: str) -> Row | Rejected:
    if isinstance(value, dict):
        return Row(position, value, text)
    return Rejected(
        reason=f"a row is a JSON object, not {_KINDS_OF_VALUE[type(value)]}", position=position, excerpt=excerpt(text)
    )


# --- CSV ---


def separator_of(header: str) -> str | None:
    """The separator of a CSV header that has a column ``type``, or None.

    Examples
    --------
    >>> separator_of("type;endpoint;model")
    ';'
    """
    for separator in SEPARATORS:
        if "type" in [cell.strip().strip('"') for cell in header.split(separator)]:
            return separator
    return None


def _csv(path: Path, name: str) -> Iterator[Row | Rejected]:
    lines = _logical(read_lines(path, name), name)
    header: list[str] | None = None
    separator = ","
    for line in lines:
        if isinstance(line, Rejected):
            yield line
            continue
        if header is None:
            found = separator_of(line.text)
            if found is None:
                yield Rejected(
                    reason="the header has no column 'type': these are no lineage-explorer records",
                    position=f"{name}:{line.number}",
                    excerpt=excerpt(line.text),
                )
                return
            separator = found
        try:
            cells = _cells(line.text, separator)
        except csv.Error as error:
            yield Rejected(reason=f"not CSV: {error}", position=f"{name}:{line.number}", excerpt=excerpt(line.text))
            continue
        if header is None:
            header = cells
            twice = sorted({cell for cell in header if cell and header.count(cell) > 1})
            if twice:
                yield Rejected(
                    reason=f"the column {twice[0][:80]!r} stands twice in the header; nothing of the file is read",
                    position=f"{name}:{line.number}",
                    excerpt=excerpt(line.text),
                )
                return
            continue
        yield _csv_row(header, cells, f"{name}:{line.number}", line.text)


def _cells(text: str, separator: str) -> list[str]:
    before = csv.field_size_limit(len(text) + 1)  # a line is bounded already
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=separator, strict=True))]
    finally:
        csv.field_size_limit(before)


def _csv_row(header: list[str], cells: list[str], position: str, text: str) -> Row | Rejected:
    surplus = [cell for cell in cells[len(header) :] if cell]
    unnamed = [cell for column, cell in zip(header, cells, strict=False) if cell and not column]
    if surplus or unnamed:
        return Rejected(
            reason=f"the cell {(surplus or unnamed)[0][:80]!r} stands under no column name",
            position=position,
            excerpt=excerpt(text),
        )
    values: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=False):
        if not cell:
            continue
        if column.startswith("attributes.") and column != "attributes.":
            values.setdefault("attributes", {})[column.removeprefix("attributes.")] = cell
        else:
            values[column] = cell
    return Row(position, values, text, typed=False)


def _logical(lines: Iterable[Line | Rejected], name: str) -> Iterator[Line | Rejected]:
    """Rows of a CSV file: a line, or several where a quoted cell holds line breaks."""
    source = iter(lines)
    waiting: deque[Line | Rejected] = deque()

    def take() -> Line | Rejected | None:
        return waiting.popleft() if waiting else next(source, None)

    while (first := take()) is not None:
        if isinstance(first, Rejected):
            yield first
            continue
        if not first.text.strip():
            continue
        parts: list[Line | Rejected] = [first]
        text, quotes = [first.text], first.text.count('"')
        while quotes % 2 and len(parts) <= _MOST_LINES_OF_A_ROW and (following := take()) is not None:
            parts.append(following)
            if isinstance(following, Rejected):
                break
            text.append(following.text)
            quotes += following.text.count('"')
        if quotes % 2:
            # The quote opens on the first line and closes nowhere: only that line is lost.
            waiting.extendleft(reversed(parts[1:]))
            yield Rejected(
                reason="not CSV: a quote is opened and not closed",
                position=f"{name}:{first.number}",
                excerpt=excerpt(first.text),
            )
        else:
            yield Line(first.number, "\n".join(text))


# --- frames ---


def rows_of_frame(frame: pd.DataFrame, name: str) -> Iterator[Row | Rejected]:
    """The rows of a DataFrame; missing values are absent, numpy's numbers become Python's."""
    columns = [str(column) for column in frame.columns]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        yield Rejected(
            reason=f"the column {twice[:80]!r} stands twice in the frame; nothing of it is read",
            position=f"{name}:columns",
        )
        return
    for number, cells in enumerate(frame.itertuples(index=False, name=None)):
        position = f"{name}:row {number}"
        try:
            values = {column: _plain(cell) for column, cell in zip(columns, cells, strict=True)}
            deep = too_deep(values)
        except RecursionError:
            deep = True
        if deep:
            yield Rejected(reason=f"nested deeper than {MAX_DEPTH} levels", position=position)
            continue
        kept = {column: value for column, value in values.items() if value is not None}
        yield Row(position, kept, repr(kept))


def _plain(cell: Any) -> Any:
    if cell is None or isinstance(cell, (str, bool, int)):
        return cell
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell
    if isinstance(cell, dict):
        return {str(key): _plain(value) for key, value in cell.items()}
    if isinstance(cell, (list, tuple, set)):
        return [_plain(item) for item in cell]
    if type(cell).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    if hasattr(cell, "tolist"):
        return _plain(cell.tolist())
    return str(cell)
