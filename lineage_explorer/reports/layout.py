"""Where the nodes of a static drawing stand: columns by lane and rank, long hops led around what lies between.

The interactive view has a layout of its own, in TypeScript; this one serves a picture of at most a few
hundred nodes and favours few lines of code over few crossings.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..trace import LANES

_SWEEPS = 8
#: Height of a bend beside a node's, when a column is stacked.
_BEND = 0.45


class Layout(NamedTuple):
    """Columns left to right; the row of each node; for each hop the (column, row) points it passes."""

    columns: list[list[str]]
    rows: dict[str, float]
    bends: list[list[tuple[int, float]]]


def arrange(lanes: Mapping[str, str], hops: Sequence[tuple[str, str]]) -> Layout:
    """Lay out nodes by lane.

    Parameters
    ----------
    lanes : mapping
        Lane of each node.
    hops : sequence of (cause, effect)
        In the order in which ``bends`` answers.

    Examples
    --------
    >>> arrange({"a": "data", "b": "training"}, [("a", "b")]).columns
    [['a'], ['b']]
    """
    ranks = _ranks(lanes, hops)
    columns: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for ref in sorted(ranks):
        columns[ranks[ref]].append(ref)
    chains: list[list[str]] = []
    near: dict[str, list[str]] = {}
    for number, (cause, effect) in enumerate(hops):
        between = [f"\0{number}\0{column}" for column in range(ranks[cause] + 1, ranks[effect])]
        for column, bend in enumerate(between, ranks[cause] + 1):
            columns[column].append(bend)
        chain = [cause, *between, effect]
        chains.append(between)
        for left, right in itertools.pairwise(chain):
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    rows = _order(columns, near)
    return Layout(
        [[ref for ref in column if not ref.startswith("\0")] for column in columns],
        {ref: row for ref, row in rows.items() if not ref.startswith("\0")},
        [[(int(bend.rpartition("\0")[2]), rows[bend]) for bend in chain] for chain in chains],
    )


def _ranks(lanes: Mapping[str, str], hops: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest path within a lane; each lane begins right of the one before."""
    rank: dict[str, int] = {}
    start = 0
    for lane in LANES:
        members = sorted(ref for ref, where in lanes.items() if where == lane)
        local = dict.fromkeys(members, 0)
        edges = [(cause, effect) for cause, effect in hops if cause in local and effect in local and cause != effect]
        for _ in members:  # a cycle ends with the rounds
            moved = False
            for cause, effect in edges:
                if local[effect] <= local[cause] < len(members) - 1:
                    local[effect] = local[cause] + 1
                    moved = True
            if not moved:
                break
        used = sorted(set(local.values()))
        rank.update({ref: start + used.index(value) for ref, value in local.items()})
        start += len(used)
    return rank


def _order(columns: list[list[str]], near: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Order each column by the middle of its neighbours, back and forth, then centre the columns."""
    row: dict[str, float] = {ref: index for column in columns for index, ref in enumerate(column)}
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            middle = {ref: _mean([row[other] for other in near.get(ref, ())], row[ref]) for ref in column}
            column.sort(key=lambda ref: (middle[ref], ref))
            row.update({ref: index for index, ref in enumerate(column)})
    heights = [sum(_height(ref) for ref in column) for column in columns]
    for column, height in zip(columns, heights, strict=True):
        top = (max(heights) - height) / 2
        for ref in column:
            row[ref] = top + (_height(ref) - 1) / 2
            top += _height(ref)
    return row


def _height(ref: str) -> float:
    return _BEND if ref.startswith("\0") else 1.0


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
