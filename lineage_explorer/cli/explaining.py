"""Requirements on a terminal: each in one line, with the same words as in every other view."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..tables import visible

if TYPE_CHECKING:
    from rich.text import Text

    from ..reports.judgements import Judged

#: What standard output of a build step is searched for: orders to GitHub's runner and to Azure's agent, which stand in
#: any place of a line. (GitHub's ``::order::`` stands at its beginning, where no record's text ever does.)
ORDER = re.compile(r"#(?=#)")


def requirement_lines(rows: list[Judged], words: Mapping[str, str]) -> list[Text]:
    """One line for each requirement, what says the same once."""
    from rich.text import Text

    from ..policy import verdict_of
    from ..sentences import VERDICT_MARKS

    lines: list[Text] = []
    for row, count in _together(rows):
        mark, colour = VERDICT_MARKS[verdict_of(row.outcome)]  # type: ignore[arg-type]
        where = f" ({count} hops)" if count > 1 else f" ({row.where})" if row.where else ""
        why = row.why if count == 1 or row.outcome != "holds" else words.get(row.outcome, "holds")
        text = Text(f"  {mark} {words.get(row.outcome, row.status):<{16 if words else 12}}", style=colour)
        text.append(f" {safe(row.title)}: {safe(why)}{safe(where)}", style="default")
        if row.needed:
            text.append(f"; needed: {safe(row.needed)}", style="default")
        if row.waiver:
            said = "waived by {by} until {until}: {why}".format(**row.waiver)
            text.append(f"; {safe(said)}", style="default")
        lines.append(text)
    return lines


def _together(rows: list[Judged]) -> list[tuple[Judged, int]]:
    """Rows that say the same, once; a requirement that holds on many hops is one line."""
    groups: dict[tuple[str, ...], list[Judged]] = {}
    for row in rows:
        same = (row.status,) if row.outcome == "holds" and not row.waiver else (row.status, row.why, row.needed)
        groups.setdefault((row.id, row.title, *same), []).append(row)
    return [(group[0], len(group)) for group in groups.values()]


def safe(text: object) -> str:
    """A record's text on one line of a build log: it neither moves the cursor nor gives the build system an order."""
    return ORDER.sub(r"\\u0023", visible(str(text)))
