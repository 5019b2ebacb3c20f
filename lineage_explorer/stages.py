"""The stages of a version: which words on record say something of them, and which of several counts.

Pure reasoning over intervals; docs/lifecycle.md says what each stage is derived from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .policy.facts import Interval, Stage
from .store.schema import FOREVER

#: Which word counts, of several: the first.
SERVES, SHADOW, ENDED, ARCHIVED, NAMED, NO_LONGER, EVALUATED, REGISTERED, NONE = range(9)


class Word(NamedTuple):
    """What something on record says of a version's stage, and from when to when.

    Attributes
    ----------
    rank : int
        Of several words the one with the lowest counts.
    start, end : int
        Microseconds since 1970 UTC; ``FOREVER`` while it stands.
    earliest, leaving : int or None
        When it was last known to be otherwise before ``start``, and to be so before ``end``.
    number : int
        The record.
    said : str
        It, in words.
    scope : int or None
        Of a registry's own word: whose it is.
    """

    stage: Stage
    rank: int
    start: int
    end: int
    earliest: int | None
    leaving: int
    number: int
    said: str
    scope: int | None = None


class Stretch(NamedTuple):
    """A stage, and what it is derived from."""

    interval: Interval
    said: str


def line(words: Iterable[Word], monitored: Iterable[int] = ()) -> list[Stretch]:
    """What words come to: one stage at a time, each with the bounds of its beginning.

    Parameters
    ----------
    words : iterable of Word
        In any order.
    monitored : iterable of int
        When monitoring was on record: what is in production is monitored from the first of these on.

    Examples
    --------
    >>> said = [Word("none", NONE, 0, FOREVER, 0, FOREVER, 1, "registered"), Word("production", SERVES, 5, 9, 5, 9, 2, "serves")]
    >>> [(item.interval.stage, item.interval.start, item.interval.end) for item in line(said)]
    [('none', 0, 5), ('production', 5, 9), ('retired', 9, None)]
    """
    found: list[tuple[int, int | None, Word, Stage]] = []
    ended: list[tuple[int, int]] = []
    before: Word | None = None
    ceased: dict[int, int] = {}  # when what counted was last known to count, by its rank
    watched = sorted(set(monitored))
    since: int | None = None  # when it came into production
    for instant, best in _counting(words, watched):
        if best is None:
            if before is not None:
                ended.append((len(found), instant))
            before, since = None, None
            continue
        since = (instant if since is None else since) if best.stage == "production" else None
        stage: Stage = best.stage
        if since is not None and bisect_left(watched, since) < bisect_right(watched, instant):
            stage = "monitoring"
        bound = instant if before is None or before.end != instant else before.leaving
        if before is not None:
            ceased[before.rank] = bound
        earliest = best.earliest if best.start == instant else bound
        # While something that counts for more was so, this did not count yet.
        floor = max((when for rank, when in ceased.items() if rank <= best.rank), default=earliest)
        earliest = floor if earliest is None or floor is None else max(earliest, floor)
        if before is None or found[-1][3] != stage:
            found.append((instant, earliest, best, stage))
        before = best
    gaps = dict(ended)
    return [
        Stretch(
            Interval(
                stage,
                start,
                gaps.get(index, found[index][0] if index < len(found) else None),
                earliest,
                best.number,
            ),
            "monitored" if stage == "monitoring" else best.said,
        )
        for index, (start, earliest, best, stage) in enumerate(found, 1)
    ]


def _counting(words: Iterable[Word], watched: Iterable[int]) -> Iterator[tuple[int, Word | None]]:
    """The word that counts from each instant on at which that may change."""
    begins: dict[int, list[Word]] = defaultdict(list)
    ends: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        if word.start < word.end:
            begins[word.start].append(word)
            ends[word.end].append(word)
    active: dict[Word, None] = {}
    used: Word | None = None
    for instant in sorted(begins.keys() | (ends.keys() - {FOREVER}) | set(watched)):
        for word in sorted(ends.get(instant, ()), key=_precedence, reverse=True):
            active.pop(word, None)
            if word.stage == "production" and word.scope is None:
                used = word
        for word in begins.get(instant, ()):
            active[word] = None
        best = _best(active)
        if used is not None and best is not None and best.rank > NO_LONGER:
            bound = used.leaving if used.end == instant else instant
            best = Word("retired", NO_LONGER, instant, FOREVER, bound, FOREVER, used.number, f"no longer {used.said}")
        yield instant, best


def _best(active: Iterable[Word]) -> Word | None:
    """Of what is said at one time, what counts: while one source shows a version, it is there, whatever others forget."""
    words = list(active)
    gone = {word.scope for word in words if word.stage == "deleted"}
    there = any(word.scope is not None and word.scope not in gone for word in words)
    counting = [
        word
        for word in words
        if not (there and word.stage == "deleted") and (word.scope not in gone or word.stage == "deleted")
    ]
    return min(counting, key=_precedence, default=None)


def _precedence(word: Word) -> tuple[int, bool, int, Stage, str, int, int]:
    """The first counts. Never the order in which records arrived, unless they say the very same."""
    # What answers in production is in production, whatever was tried with it in staging later.
    tried = word.rank == SERVES and word.stage != "production"
    return word.rank, tried, -word.start, word.stage, word.said, word.end, word.number
