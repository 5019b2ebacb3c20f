"""All differences between two aligned lineages, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..version_history.facts import plain
from .aligning import Alignment
from .judgements import of_gates, of_requirements, of_whole
from .lineages import Lineage
from .measures import of_makings
from .owners import told_apart
from .releases import of_deployment
from .rows import Difference, words_of
from .standing import of_links, of_only
from .things import of_things


def differences(a: Lineage, b: Lineage, found: Alignment) -> list[Difference]:
    """What is not the same on both sides.

    Parameters
    ----------
    a, b : Lineage
        Both sides.
    found : Alignment
        What stands at the same place.

    Returns
    -------
    list of Difference
        By aspect, then by what they are about. Swapping a and b swaps what is added and removed, and nothing else.
    """
    once = {plain(item.row(0)): item for item in _all(a, b, found)}
    return sorted(told_apart(a, b, once.values()), key=lambda item: item.order)


def _all(a: Lineage, b: Lineage, found: Alignment) -> Iterator[Difference]:
    yield from of_whole(a, b)
    serving = not a.candidate and not b.candidate
    for left, right in found.pairs():
        if a.nodes[left]["kind"] == b.nodes[right]["kind"]:
            if serving and a.nodes[left]["kind"] == "deployment":
                yield from of_deployment(a, left, b, right, found)
            for item in of_things(a, left, b, right):
                yield replace(item, note=_where(a, left, b, right, found)) if _is_version(item) else item
        else:
            # A logged model in one place and a version of a registry in the other.
            yield Difference("model", _both(a, left, b, right), "version", left, right, left, right)
        yield from of_gates(a, left, b, right)
    yield from of_makings(a, b, found)
    yield from of_requirements(a, b, found)
    yield from of_links(a, b, found)
    for side, which in ((a, "a"), (b, "b")):
        for item in of_only(side, found, which):
            if serving or item.aspect != "serving":
                yield item


def _is_version(item: Difference) -> bool:
    return item.aspect == "model" and item.name == "version" and not item.note


def _where(a: Lineage, left: str, b: Lineage, right: str, found: Alignment) -> str:
    """Behind which deployments one version stands in the place of another, where there are several."""
    if len(a.answering - a.supposed) <= 1 and len(b.answering - b.supposed) <= 1:
        return ""
    words: set[str] = set()
    for hop in a.effects.get(left, ()):
        behind = hop["effect"]
        there = (behind, found.other.get(behind))
        now = {hop["effect"] for hop in b.effects.get(right, ()) if hop["predicate"] == "deploys"}
        words |= {words_of(a, behind) for other in there if behind in a.nodes and other in now}
    return "in " + ", ".join(sorted(words)) if words else ""


def _both(a: Lineage, left: str, b: Lineage, right: str) -> str:
    return " / ".join(sorted({words_of(a, left), words_of(b, right)}))
