"""Rows on a terminal: as a table where it fits, else each row as lines of its own. Nothing is dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..tables import visible

if TYPE_CHECKING:
    from rich.console import Console

#: Up to so many characters a word is not broken in a table; where that does not fit, up to fewer.
_WORDS = (28, 18, 12)
#: Between two columns.
_GAP = 2
#: A digest or a commit: its beginning tells it apart.
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b")
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def print_rows(out: Console, head: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False) -> None:
    """Print rows under their headings, what a record says made visible.

    Parameters
    ----------
    out : Console
    head : sequence of str
        Names of the columns.
    rows : sequence of sequence of str
        One text for each column; a column that says nothing in any row is left away, because it would only make the others
        narrower.
    whole : bool
        Digests in full, not cut to what tells them apart.
    """
    said = [[briefly(cell if whole else _DIGEST.sub(r"\1…", cell)) for cell in row] for row in rows]
    kept = [index for index in range(len(head)) if any(row[index] for row in said)]
    names = [head[index].lower() for index in kept]
    lines = [[row[index] for index in kept] for row in said]
    for most in _WORDS:
        longest = [min(most, max(map(_longest, column))) for column in zip(names, *lines, strict=True)]
        if sum(longest) + _GAP * len(names) <= out.width:
            _as_table(out, names, lines, longest)
            return
    _as_blocks(out, names, lines)


def briefly(text: str) -> str:
    """A text for a terminal: instants to the second, so that they break between day and hour. Files hold them whole.

    Examples
    --------
    >>> briefly("since 2026-03-01T12:00:00.25Z")
    'since 2026-03-01 12:00:00Z'
    """
    return visible(_INSTANT.sub(r"\1 \2Z", text))


def _longest(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _as_table(out: Console, names: list[str], lines: list[list[str]], longest: list[int]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    spare = out.width - sum(longest) - _GAP * len(names)
    # The room that is left goes to those that need it, the left ones first: rich would break words to share it fairly.
    for index, name in enumerate(names):
        wanted = max(len(cell) for cell in (name, *(line[index] for line in lines)))
        more = min(spare, max(0, wanted - longest[index]))
        spare -= more
        table.add_column(name, width=longest[index] + more, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    out.print(table)


def _as_blocks(out: Console, names: list[str], lines: list[list[str]]) -> None:
    from rich.text import Text

    for index, line in enumerate(lines):
        if index:
            out.print()
        for name, cell in zip(names, line, strict=True):
            if cell:
                out.print(Text.assemble((f"{name}: ", "bold"), cell), soft_wrap=False, overflow="fold")
