"""What sources said, and from when to when: sightings become claims, and claims become intervals.

A registry keeps no history: all that is known is that one sync saw one value and a later sync another. The
change lies between the last sync that saw the old value and the first that saw the new one. A sync that reads
a source in full confirms everything it did not report anew; so a claim knows when it was last seen without
a row for each time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .log import Kind
from .schema import FOREVER

#: By scope: (number of the entry that ended it, when it was observed) of each full reading, in order.
Enumerations = Mapping[int, Sequence[tuple[int, int]]]


class Seen(NamedTuple):
    """One observation as the journal holds it.

    Attributes
    ----------
    seq : int
        Its entry.
    of : int
        The entry that holds the record; ``seq`` itself where it was new.
    scope, identity : int, str or bytes
        Whose word it is, and about what.
    gone : bool
        Whether it says that the record is no longer there.
    """

    seq: int
    of: int
    scope: int
    identity: str | bytes
    observed_at: int
    gone: bool
    digest: bytes
    plain: Mapping[str, Any]


class Claim(NamedTuple):
    """A value that a source showed from ``first`` on, was last seen at ``last``, and was otherwise at ``end``."""

    plain: Mapping[str, Any]
    seq: int
    digest: bytes
    gone: bool
    first: int
    last: int
    end: int

    @property
    def sure_to(self) -> int | None:
        """Where certainty ends before the claim does, None where it does not."""
        return self.last + 1 if self.last + 1 < self.end < FOREVER else None


def only(item: Seen) -> Claim:
    """The claim that one observation is, with nothing beside it."""
    return Claim(item.plain, item.seq, item.digest, item.gone, item.observed_at, item.observed_at, FOREVER)


def is_gone(kind: int) -> bool:
    """Whether an entry of this kind says that something vanished."""
    return kind == Kind.GONE


def by_source(seen: Iterable[Seen], enumerations: Enumerations) -> dict[str | bytes, list[list[Claim]]]:
    """The claims about each identity, one list for each source that spoke of it.

    Parameters
    ----------
    seen : iterable of Seen
        All that is known of a topic, in any order.
    enumerations : mapping
        Full readings of the scopes concerned.
    """
    voices: dict[tuple[str | bytes, int], list[Seen]] = defaultdict(list)
    latest = 0
    for item in seen:
        voices[item.identity, item.scope].append(item)
        latest = max(latest, item.seq)
    found: dict[str | bytes, list[list[Claim]]] = defaultdict(list)
    for (identity, scope), items in voices.items():
        items.sort()
        # Only what was known when the topic was last spoken of: the rows made then are made again.
        readings = enumerations.get(scope, ())
        found[identity].append(_claims(items, readings[: bisect_left(readings, (latest,))]))
    return found


def _claims(items: Sequence[Seen], readings: Sequence[tuple[int, int]]) -> list[Claim]:
    claims: list[Claim] = []
    for when, item in _sightings(items, readings):
        if claims and (claims[-1].digest, claims[-1].gone) == (item.digest, item.gone):
            claims[-1] = claims[-1]._replace(last=when)
            continue
        if claims:
            claims[-1] = claims[-1]._replace(end=when)
        claims.append(Claim(item.plain, item.seq, item.digest, item.gone, when, when, FOREVER))
    return [claim for claim in claims if claim.first < claim.end]


def _sightings(items: Sequence[Seen], readings: Sequence[tuple[int, int]]) -> list[tuple[int, Seen]]:
    """When each value was seen, in order of time; of what full readings confirmed, as much as matters."""
    found = [(item.observed_at, item) for item in items]
    if not readings:
        pass
    elif _came_in_order(items, readings):
        # As it mostly is. The last confirmation of each suffices.
        for item, following in pairwise(items):
            start, stop = bisect_left(readings, (item.seq,)), bisect_left(readings, (following.seq,))
            while stop > start and readings[stop - 1][1] >= following.observed_at:
                stop -= 1
            if stop > start:
                found.append((readings[stop - 1][1], item))
    else:
        for seq, when in readings:
            known = [item for item in items if item.observed_at <= when and item.seq < seq]
            if known:
                found.append((when, max(known, key=lambda item: (item.observed_at, item.seq))))
    # Of two words on one instant the same must win in whatever order they came.
    return sorted(found, key=lambda pair: (pair[0], pair[1].gone, pair[1].digest, pair[1].seq))


def _came_in_order(items: Sequence[Seen], readings: Sequence[tuple[int, int]]) -> bool:
    """Whether everything that was told of one thing was told in the order of its time."""
    told = sorted([(item.seq, item.observed_at) for item in items] + list(readings))
    return all(before[1] <= after[1] for before, after in pairwise(told))


def merged(voices: Sequence[Sequence[Claim]]) -> list[Claim]:
    """One line of claims out of several sources': at each time, of what is still claimed, the latest word.

    Parameters
    ----------
    voices : sequence of sequences of Claim
        Each in order and without overlap.
    """
    if len(voices) == 1:
        return list(voices[0])
    points = sorted({claim.first for claims in voices for claim in claims})
    line: list[Claim] = []
    for start, end in zip(points, [*points[1:], FOREVER], strict=True):
        active = [claim for claims in voices for claim in claims if claim.first <= start < claim.end]
        best = max(active, key=lambda claim: (not claim.gone, claim.first, claim.digest, -claim.seq))
        last = best.last if best.end == end else end
        if line and line[-1].seq == best.seq and line[-1].gone == best.gone:
            line[-1] = line[-1]._replace(end=end, last=last)
        else:
            line.append(best._replace(first=start, end=end, last=max(start, last)))
    return line


def standing(claims: Sequence[Claim]) -> Claim | None:
    """The last thing that was said to be there: what happened stays so when its source forgets it."""
    return next((claim for claim in reversed(claims) if not claim.gone), None)
