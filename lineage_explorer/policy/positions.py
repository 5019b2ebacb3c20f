"""Where in a policy file something stands, for messages.

The parser that is used to judge (``tomllib``) tells no places. ``tomlkit`` writes a document back exactly as it
was, so what stands before a value that was replaced by a mark stands before the value itself.
"""

from __future__ import annotations

from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

_MARK = "lineage-explorer-looks-for-this"


def position_of(text: str, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Line and column, counted from 1, of a key or of the table that it is missing from.

    Parameters
    ----------
    text : str
        The whole file.
    path : tuple
        Keys and indexes; the longest part of it that exists is looked for.

    Returns
    -------
    (int, int)
        ``(0, 0)`` when nothing can be found.

    Examples
    --------
    >>> position_of('name = "p"\\nversion = 1', ("version",))
    (2, 1)
    """
    for length in range(len(path), 0, -1):
        offset = _offset(text, path[:length])
        if offset is not None:
            return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    return (1, 1) if text else (0, 0)


def find(text: str, key: str, value: str) -> tuple[int, int]:
    """Line and column of the first key that has a value, wherever in the document it stands.

    Examples
    --------
    >>> find('a = [{ metric = "f1" }]', "metric", "f1")
    (1, 8)
    """
    try:
        path = _search(tomlkit.parse(text).unwrap(), key, value)
    except TOMLKitError:
        path = None
    return (0, 0) if path is None else position_of(text, path)


def _search(table: Any, key: str, value: str) -> tuple[str | int, ...] | None:
    items = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for name, item in items:
        if name == key and item == value:
            return (name,)
        found = _search(item, key, value)
        if found is not None:
            return (name, *found)
    return None


def _offset(text: str, path: tuple[str | int, ...]) -> int | None:
    """Where the key of a value stands; for a table, where its first key or its header does."""
    try:
        document: Any = tomlkit.parse(text)
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        value = parent[path[-1]]
        if isinstance(value, (dict, list)) and not isinstance(value, str):
            return _first_inside(text, path, value)
        parent[path[-1]] = _MARK
        at = tomlkit.dumps(document).find(_MARK)
    except (TOMLKitError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
    if at < 0:
        return None
    key = path[-1]
    if isinstance(key, str):
        found = text.rfind(key, 0, at)
        return found if found >= 0 else at - 1
    return at - 1


def _first_inside(text: str, path: tuple[str | int, ...], value: Any) -> int | None:
    inner: Any = next(iter(value), None) if isinstance(value, dict) else (0 if len(value) else None)
    if inner is None:
        found = text.find(str(path[-1]))
        return found if found >= 0 else None
    at = _offset(text, (*path, inner))
    if at is None or not isinstance(path[-1], str):
        return at
    line = text.rfind("\n", 0, at) + 1
    found = text.rfind(path[-1], line, at)
    return found if found >= 0 else at
