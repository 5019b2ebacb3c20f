"""What stands in the cell of a table, for people and for programs that calculate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from .drawing import clean

# What a program for sheets takes for a formula, if a text from a record begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Blank(NamedTuple):
    """A cell without a value: people read why there is none, programs find it empty."""

    words: str


class Flag(NamedTuple):
    """A caution that a row carries or not: people read only that it does, programs find both."""

    up: bool


#: What empty cells mean, each in words of its own.
NEVER = Blank("not on record")
LASTS = Blank("still")
BEFORE = Blank("before the first record")
UNREAD = Blank("not recorded")
UNKNOWN = Blank("not known")


def filled(value: object, otherwise: Blank) -> object:
    """A value, or why there is none.

    Examples
    --------
    >>> filled(None, LASTS), filled(0.0, UNREAD)
    (Blank(words='still'), 0.0)
    """
    return otherwise if value is None or value == "" else value


def listed(values: Iterable[object]) -> str:
    """Several values in one cell."""
    return ", ".join(str(value) for value in values)


def told(cell: object) -> str:
    """A cell as people read it, in one line.

    Examples
    --------
    >>> told(True), told(None), told(Blank("still")), told(["a", 1]), told("two" + chr(10) + "lines")
    ('yes', '', 'still', '["a", 1]', 'two lines')
    """
    if cell is None:
        return ""
    if isinstance(cell, Blank):
        return cell.words
    if isinstance(cell, Flag):
        return "yes" if cell.up else ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.6g}" if cell == float(f"{cell:.6g}") else repr(cell)
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, sort_keys=True)
    return " ".join(str(cell).split())


def calculable(cell: object) -> object:
    """A cell as a program for sheets takes it in: empty where no value is, a number as a number, no text as a formula.

    Examples
    --------
    >>> calculable(Blank("still")), calculable(-0.5), calculable("-0.5"), calculable("a" + chr(27))
    ('', -0.5, "'-0.5", 'a�')
    """
    if isinstance(cell, Blank) or cell is None:
        return ""
    if isinstance(cell, Flag):
        cell = cell.up
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return cell
    return inert(verbatim(cell if isinstance(cell, str) else told(cell)))


def verbatim(text: str) -> str:
    """A text line by line with its spaces, and without characters that act or reorder."""
    return "\n".join(clean(line.expandtabs(4)) for line in text.splitlines())


def inert(text: str) -> str:
    """A text that no program for sheets runs: a formula begins with an apostrophe, which such programs hide.

    Examples
    --------
    >>> inert("=1+1"), inert("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
