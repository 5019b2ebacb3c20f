"""For which of several versions a difference is told: an endpoint that answers with two has two of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .lineages import Lineage
from .rows import Difference


def told_apart(a: Lineage, b: Lineage, items: Iterable[Difference]) -> Iterator[Difference]:
    """Differences, those that are not about all that answers with the versions that they are about.

    Parameters
    ----------
    a, b : Lineage
        Both sides.
    items : iterable of Difference
        All differences.
    """
    for item in items:
        # Of a version it is told behind which deployment it stands.
        owner = "" if item.aspect == "model" and item.note else owner_of(a, b, [item])
        yield replace(item, note=f"for {owner}" + (item.note and f"; {item.note}")) if owner else item


def owner_of(a: Lineage, b: Lineage, items: Iterable[Difference]) -> str:
    """``churn@1 → churn@3``: the versions that what differs went into; empty where that is all of them, or not on record.

    Parameters
    ----------
    a, b : Lineage
        Both sides.
    items : iterable of Difference
        Differences that are told as one.
    """
    refs = [(item.a_ref, item.b_ref) for item in items]
    owners = [
        [version for version in side.released if any(version in side.owners.get(ref or "", ()) for ref in ends)]
        for side, ends in zip((a, b), zip(*refs, strict=True), strict=True)
    ]
    if all(not found or found == side.released for side, found in zip((a, b), owners, strict=True)):
        return ""
    sides = [" and ".join(side.label(ref) for ref in found) for side, found in zip((a, b), owners, strict=True)]
    return " → ".join(dict.fromkeys(text for text in sides if text))
