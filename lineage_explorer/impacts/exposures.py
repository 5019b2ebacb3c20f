"""What flowed where, when and how surely: intervals spread along relations, and the windows in which endpoints answered.

Pure reasoning over rows: no I/O, no clock. A thing is reached at an instant when some way leads to it of which every
relation held then. So what spreads is not "reached" but *when*: along a relation goes what its cause holds, cut to the
time in which the relation held. At each instant this gives what a trace of that instant gives from the other end.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from ..records import BASES
from ..roles import purpose
from ..store.downstream import RANKS
from ..store.schema import ALWAYS, FOREVER

#: Nothing data-like stands between a thing and this one: it is on the model's own side.
MODEL_SIDE = ""


class Piece(NamedTuple):
    """An interval in which a thing was reached, and by what.

    Attributes
    ----------
    start, end : int
        Microseconds since 1970 UTC.
    rank : int
        How weak the weakest relation of the way is (0 is the strongest); no way at these instants is stronger.
    purpose : str
        What the root was for, as seen from here.
    steps : int
        How long the way is.
    link : tuple or None
        The last relation of the way, as :class:`.Link`; None at the root.
    before : Piece or None
        What its cause held.
    """

    start: int
    end: int
    rank: int
    purpose: str
    steps: int
    node: int
    link: tuple[Any, ...] | None
    before: Any

    @property
    def path(self) -> list[int]:
        """The things on the way, from the root to this one."""
        found: list[int] = []
        piece: Piece | None = self
        while piece is not None:
            found.append(piece.node)
            piece = piece.before
        return found[::-1]


#: What each thing holds; its first piece lies on the strongest way to it, and among those on a short one.
Held = dict[int, list[Piece]]


def spread(
    roots: Iterable[int], links: Iterable[Sequence[Any]], kinds: Mapping[int, str], refs: Mapping[int, str]
) -> Held:
    """When each thing was reached, what for, and how surely.

    Parameters
    ----------
    roots : iterable of int
        Where it begins: reached at all instants.
    links : iterable of tuple
        As :class:`.Link`.
    kinds, refs : mapping
        Kinds of the things, and their references: which of two ways that are equally good is told is theirs to say, not
        that of the order in which a database gives its rows.

    Returns
    -------
    dict
        Pieces of every thing that was reached at any instant. Pieces of one purpose do not overlap.

    Examples
    --------
    >>> from lineage_explorer.store.downstream import Link
    >>> links = [Link(2, 1, "used", "training", "identifier", None, 7, 10, FOREVER, None),
    ...          Link(3, 2, "was_generated_by", "", "name", None, 8, 20, FOREVER, None)]
    >>> kinds = {1: "dataset", 2: "run", 3: "model"}
    >>> held = spread([1], links, kinds, {number: f"{kind}:x" for number, kind in kinds.items()})
    >>> held[3][0].start, held[3][0].purpose, BASES[held[3][0].rank], held[3][0].path
    (20, 'training', 'name', [1, 2, 3])
    """
    after: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for link in links:
        after[link[1]].append(link)

    def named(link: Sequence[Any]) -> tuple[Any, ...]:
        return refs[link[0]], link[2], link[3], link[4], link[7], link[8]

    def effect(link: Sequence[Any]) -> str:
        return refs[link[0]]

    for several in after.values():
        if len(several) > 1:
            # One relation with each thing, as it is nearly always: then the names alone tell them apart.
            several.sort(key=effect if len({link[0] for link in several}) == len(several) else named)
    # What is data or an ingredient says itself what it was for; on the model's side that is carried on.
    sayers = {kind for kind in set(kinds.values()) if purpose(kind, "")}
    settled = {number for number, kind in kinds.items() if kind in sayers}
    purposes: dict[tuple[str, str], str] = {}
    made = tuple.__new__  # a class's own constructor takes three times as long, and there may be a million pieces
    held: Held = {
        root: [Piece(ALWAYS, FOREVER, 0, MODEL_SIDE, 0, root, None, None)]
        for root in sorted(set(roots), key=refs.__getitem__)
    }
    #: Pieces, each with relations to go on along.
    new: deque[tuple[Piece, Sequence[Sequence[Any]]]] = deque(
        (pieces[0], after[root]) for root, pieces in held.items() if root in after
    )
    # Stronger relations first: what is reached by them is not reached again by weaker ones.
    waiting: list[list[tuple[Piece, Sequence[Sequence[Any]]]]] = [[] for _ in BASES]
    for rank in range(len(BASES)):
        new.extend(waiting[rank])
        while new:
            before, along = new.popleft()
            since, until, _, carried, steps, cause, _, _ = before
            said_by = kinds[cause] if cause in settled else None
            for link in along:
                node, _, _, role, basis, _, _, start, end, _ = link
                if (weak := RANKS[basis]) > rank:
                    waiting[weak].append((before, (link,)))
                    continue
                if since > start:
                    start = since
                if until < end:
                    end = until
                if start >= end:
                    continue
                if node in settled:
                    why = MODEL_SIDE  # it says so itself
                elif said_by is not None:
                    why = _why(said_by, role, purposes)
                else:
                    why = carried
                onward = after.get(node)
                known = held.get(node)
                if known is None:  # as it is nearly always
                    piece = made(Piece, (start, end, rank, why, steps + 1, node, link, before))
                    held[node] = [piece]
                    if onward is not None:
                        new.append((piece, onward))
                    continue
                # Mostly nothing of it is known: an endpoint has one deployment after another.
                there = [item for item in known if item[3] == why and item[0] < end and start < item[1]]
                for one, other in list(_uncovered(there, start, end)):
                    piece = made(Piece, (one, other, rank, why, steps + 1, node, link, before))
                    known.append(piece)
                    if onward is not None:
                        new.append((piece, onward))
    return held


def _why(kind: str, role: str, known: dict[tuple[str, str], str]) -> str:
    key = (kind, role)
    if key not in known:
        known[key] = purpose(kind, role)
    return known[key]


def _uncovered(known: Sequence[tuple[Any, ...]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of an interval that no piece covers."""
    if not known:
        yield start, end
        return
    for item in sorted(known, key=itemgetter(0)) if len(known) > 1 else known:
        if item[1] <= start:
            continue
        if item[0] >= end:
            break
        if start < item[0]:
            yield start, item[0]
        start = item[1]
        if start >= end:
            return
    if start < end:
        yield start, end


def at(pieces: Iterable[Piece], instant: int) -> list[Piece]:
    """Those that hold at an instant."""
    return [piece for piece in pieces if piece.start <= instant < piece.end]


class Part(NamedTuple):
    """An interval in which a deployment ran something that was reached.

    Attributes
    ----------
    version : int or None
        The version; None where the deployment was reached otherwise.
    links : tuple
        Relations that began or end it: what deploys, and the aliases in between.
    """

    start: int
    end: int
    rank: int
    purpose: str
    version: int | None
    links: tuple[tuple[Any, ...], ...]


class Window(NamedTuple):
    """An interval in which an endpoint's deployment was reached, of one share, state and purpose.

    Attributes
    ----------
    end : int
        ``FOREVER`` while it lasts.
    traffic : float or None
        Percent.
    rank : int
        The weakest that its way was.
    unsure : tuple of bool
        Whether its beginning, and its end, is only known to lie between two syncs.
    doubtful : int or None
        From here to its end it may have been otherwise already.
    """

    endpoint: int
    deployment: int
    version: int | None
    start: int
    end: int
    traffic: float | None
    state: str
    site: str
    purposes: frozenset[str]
    rank: int
    unsure: tuple[bool, bool]
    doubtful: int | None = None

    @property
    def answers(self) -> bool:
        """Whether requests may have been answered."""
        return self.state in ("serving", "undetermined")


def parts(
    deployment: int, held: Held, into: Mapping[int, Sequence[tuple[Any, ...]]], alias: Callable[[int], bool]
) -> list[Part]:
    """What a deployment ran of what was reached, and when.

    Parameters
    ----------
    into : mapping
        Relations ``deploys`` and ``alias_of`` by effect.
    alias : callable
        Whether a thing is an alias.
    """
    found: list[Part] = []
    for link in into.get(deployment, ()):
        if link[2] != "deploys":
            continue
        for version, piece, links in _pointed(link[1], held, into, alias, frozenset()):
            start, end = max(piece[0], link[7]), min(piece[1], link[8])
            if start < end:
                found.append(Part(start, end, max(piece[2], RANKS[link[4]]), piece[3], version, (link, *links)))
    for own in held.get(deployment, ()):
        covered = [part for part in found if part.purpose == own.purpose]
        found += [
            Part(start, end, own.rank, own.purpose, None, () if own.link is None else (own.link,))
            for start, end in _uncovered(covered, own.start, own.end)
        ]
    return found


def _pointed(
    node: int,
    held: Held,
    into: Mapping[int, Sequence[tuple[Any, ...]]],
    alias: Callable[[int], bool],
    seen: frozenset[int],
) -> Iterator[tuple[int, tuple[int, int, int, str], tuple[tuple[Any, ...], ...]]]:
    """The versions that something which is deployed stands for, with intervals."""
    if not alias(node) or node in seen:
        for own in held.get(node, ()):
            yield node, own[:4], ()
        return
    covered: list[tuple[int, int, str]] = []
    for link in into.get(node, ()):
        if link[2] != "alias_of":
            continue
        for version, piece, links in _pointed(link[1], held, into, alias, seen | {node}):
            start, end = max(piece[0], link[7]), min(piece[1], link[8])
            if start < end:
                covered.append((start, end, piece[3]))
                yield version, (start, end, max(piece[2], RANKS[link[4]]), piece[3]), (link, *links)
    for own in held.get(node, ()):
        for start, end in _uncovered([item for item in covered if item[2] == own.purpose], own.start, own.end):
            yield node, (start, end, own.rank, own.purpose), ()


def windows(
    link: tuple[Any, ...],
    ran: Sequence[Part],
    share: tuple[str, float | None, str],
    first_seen: Callable[[tuple[Any, ...]], bool],
) -> list[Window]:
    """The windows of one relation ``serves``.

    Parameters
    ----------
    ran : sequence of Part
        What its deployment ran.
    share : (str, float or None, str)
        State, traffic and site.
    first_seen : callable
        Whether a relation began at ``valid_from`` only as far as is known, which is when it was first seen.
    """
    weak, since, until = RANKS[link[4]], link[7], link[8]
    cut = [
        (max(part.start, since), min(part.end, until), part) for part in ran if part.start < until and since < part.end
    ]
    found: list[Window] = []
    by_version: dict[int | None, list[tuple[int, int, Part]]] = defaultdict(list)
    for item in cut:
        by_version[item[2].version].append(item)
    state, traffic, site = share
    for version, items in by_version.items():
        if len(items) == 1:  # as it is nearly always
            times: Iterable[tuple[int, int]] = (items[0][:2],)
        else:
            times = pairwise(sorted({instant for start, end, _ in items for instant in (start, end)}))
        for start, end in times:
            there = [part for one, other, part in items if one <= start and end <= other]
            if not there:
                continue
            holding = [link, *(item for part in there for item in part.links)]
            sure = [item[9] for item in holding if item[8] == end and item[9] is not None]
            rank = min([part.rank for part in there])
            found.append(
                Window(
                    link[0],
                    link[1],
                    version,
                    start,
                    end,
                    traffic,
                    state,
                    site,
                    frozenset([part.purpose for part in there if part.purpose != MODEL_SIDE]),
                    rank if rank > weak else weak,
                    (any(first_seen(item) for item in holding if item[7] == start), bool(sure)),
                    min(sure, default=None),
                )
            )
    return found


def joined(found: Iterable[Window]) -> list[Window]:
    """Windows that follow each other and differ in nothing that is told, as one; by time."""
    kept: list[Window] = []
    found = list(found)
    if len(found) < 2:
        return found
    for window in sorted(found, key=_alike):
        last = kept[-1] if kept else None
        if last is not None and last.end == window.start and _alike(last)[:-2] == _alike(window)[:-2]:
            kept[-1] = last._replace(
                end=window.end,
                rank=max(last.rank, window.rank),
                unsure=(last.unsure[0], window.unsure[1]),
                doubtful=window.doubtful,
            )
        else:
            kept.append(window)
    return sorted(kept, key=lambda item: (item.start, item.end, *_alike(item)))


def _alike(window: Window) -> tuple[Any, ...]:
    return (
        *(window.endpoint, window.deployment, -1 if window.version is None else window.version, window.site),
        *(window.state, -1.0 if window.traffic is None else window.traffic, tuple(sorted(window.purposes))),
        *(window.start, window.end),
    )
