"""Texts of records: two of them line by line, and one on a line of its own."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Any

#: Beyond so many lines on both sides together, looking for what is common would take minutes.
LONGEST = 4_000


def lines_of(was: str, now: str) -> tuple[tuple[str, str], ...] | None:
    """The lines of both texts: ``-`` only in the first, ``+`` only in the second, a space in both.

    Parameters
    ----------
    was, now : str
        Two texts.

    Returns
    -------
    tuple of (str, str) or None
        Mark and line; None when the texts have more than 4,000 lines together.

    Examples
    --------
    >>> lines_of("a\\nb", "a\\nc")
    ((' ', 'a'), ('-', 'b'), ('+', 'c'))
    """
    first, second = was.split("\n"), now.split("\n")
    if len(first) + len(second) > LONGEST:
        return None
    # What is found depends on which text comes first; the answer must not.
    turned = second < first
    matcher = difflib.SequenceMatcher(None, *((second, first) if turned else (first, second)), autojunk=False)
    found: list[tuple[str, str]] = []
    for _, *ends in matcher.get_opcodes():
        left, right = (ends[2:], ends[:2]) if turned else (ends[:2], ends[2:])
        before, after = first[slice(*left)], second[slice(*right)]
        if before == after:
            found += [(" ", line) for line in before]
        else:
            found += [("-", line) for line in before] + [("+", line) for line in after]
    return tuple(found)


def clear(text: Any, keep: int = 60) -> str:
    """A text from a record on one line, with what cannot be seen made visible, and cut.

    Examples
    --------
    >>> clear("a\\nb\\u202e"), clear("x" * 100, 5)
    ('a b\\\\u202e', 'xxxx…')
    """
    line = re.sub(r"\s+", " ", str(text)).strip()
    line = "".join(char if unicodedata.category(char)[0] != "C" else f"\\u{ord(char):04x}" for char in line)
    return line if len(line) <= keep else line[: keep - 1] + "…"
