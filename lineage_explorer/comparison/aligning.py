"""Which things of two lineages stand at the same place: found by walking both upstream in step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..roles import RELEASED_KINDS
from .lineages import Lineage, purpose

Pair = tuple[str, str]
#: Kinds of things that are named by numbers, or of which a run has one: the sole one on each side is the counterpart.
_SOLE = RELEASED_KINDS | {"run", "deployment", "code", "environment", "endpoint"}
Key = Callable[[Lineage, str], Any]


class Place(NamedTuple):
    """What stands beside an aligned pair in one capacity.

    Attributes
    ----------
    a, b : list of str
        References, each once.
    """

    a: list[str]
    b: list[str]


@dataclass
class Alignment:
    """Things at the same place of both lineages.

    A thing may stand at several places, and have another counterpart at each: at most itself, and one other thing. So
    there are never more pairs than things.

    Attributes
    ----------
    same : dict
        References that stand at the same place on both sides, in the order in which the walk came to them.
    other, back : dict
        From a to b, and from b to a, where another thing stands at the place.
    """

    same: dict[str, None] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)

    def add(self, a: str, b: str) -> bool:
        """Take a pair, unless it is known or one of the two has another counterpart already."""
        if a == b:
            if a in self.same:
                return False
            self.same[a] = None
            return True
        if a in self.other or b in self.back:
            return False
        self.other[a], self.back[b] = b, a
        return True

    def pairs(self) -> list[Pair]:
        """All pairs, in order."""
        return sorted([*((ref, ref) for ref in self.same), *self.other.items()])

    def at(self, a: Iterable[str], b: Iterable[str]) -> dict[str, str]:
        """Of things that stand at one place: who is whose counterpart there."""
        left, right = dict.fromkeys(a), set(b)
        found = {ref: ref for ref in left if ref in right and ref in self.same}
        taken = set(found)
        for ref in left:
            counterpart = self.other.get(ref)
            if ref not in found and counterpart in right and counterpart not in taken:
                found[ref] = counterpart
        return found

    def met(self, ref: str, side: str) -> bool:
        """Whether a thing of side ``a`` or ``b`` has a counterpart anywhere."""
        return ref in self.same or ref in (self.other if side == "a" else self.back)


def align(a: Lineage, b: Lineage) -> Alignment:
    """Walk two lineages upstream in step, and pair what stands at the same place.

    At each step the same reference is paired first, then another version of the same name, then what is for the
    same purpose. Ties are settled by what is on record of the things, so that neither the order in which records
    arrived nor which side is called a has a say.

    Parameters
    ----------
    a, b : Lineage
        Both sides.

    Returns
    -------
    Alignment
        In time that grows with the number of hops: each thing is walked from at most twice.
    """
    found = Alignment()
    frontier = _roots(a, b, found)
    while frontier:
        while frontier:
            frontier = _step(a, b, found, frontier)
        frontier = _met_elsewhere(a, b, found)
    return found


def _roots(a: Lineage, b: Lineage, found: Alignment) -> list[Pair]:
    if bool(a.candidate) == bool(b.candidate):
        found.add(a.root, b.root)
        return [(a.root, b.root)]
    # A version against what an endpoint serves: against itself if that serves, else its name's, else the one with most requests.
    place = Place(a.released, b.released)
    step = _settled(a, b, found, [place], _BEHIND)
    if not step and place.a and place.b:
        found.add(place.a[0], place.b[0])
        step = [(place.a[0], place.b[0])]
    return step


def _met_elsewhere(a: Lineage, b: Lineage, found: Alignment) -> list[Pair]:
    """The same reference at different places."""
    both = (ref for ref in a.nodes if ref in b.nodes)
    return [
        (ref, ref)
        for ref in both
        if not (found.met(ref, "a") and found.met(ref, "b")) and ref not in found.same and found.add(ref, ref)
    ]


def _step(a: Lineage, b: Lineage, found: Alignment, frontier: list[Pair]) -> list[Pair]:
    """Pair what stands beside the pairs of the frontier; the new pairs."""
    strict: list[Place] = []
    loose: list[Place] = []
    for left, right in frontier:
        if left in a.idle or right in b.idle:
            continue
        strict += _places(a, b, left, right, by_role=True)
        loose += _places(a, b, left, right, by_role=False)
    return [*_settled(a, b, found, strict, _IN_ROLE), *_settled(a, b, found, loose, _OUT_OF_ROLE)]


def _places(a: Lineage, b: Lineage, left: str, right: str, *, by_role: bool) -> Iterator[Place]:
    first, second = _beside(a, left, by_role), _beside(b, right, by_role)
    for capacity in sorted(first.keys() & second.keys()):
        yield Place(list(first[capacity]), list(second[capacity]))


def _beside(side: Lineage, ref: str, by_role: bool) -> dict[tuple[str, ...], dict[str, None]]:
    """What a thing came from and who evaluated it, by capacity."""
    found: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for way, hops, end in (("from", side.causes, "cause"), ("read by", side.readers, "effect")):
        for hop in hops.get(ref, ()):
            node = side.nodes.get(hop[end])
            if node is None:
                continue  # supposed, not on record
            kind = "released" if node["kind"] in RELEASED_KINDS and hop["predicate"] == "deploys" else node["kind"]
            found[way, hop["predicate"], hop["role"] if by_role else "", kind][hop[end]] = None
    return found


# --- who is whose counterpart ---


def _settled(a: Lineage, b: Lineage, found: Alignment, places: list[Place], rungs: Iterable[Key]) -> list[Pair]:
    """Pair what stands at some places, the firmest likeness first and at all places at once."""
    new: list[Pair] = []
    for left, right in places:
        shared = set(right)
        new += [(ref, ref) for ref in left if ref in shared and found.add(ref, ref)]
    for rung in rungs:
        proposed: set[Pair] = set()
        for place in places:
            proposed.update(_alike(a, b, found, place, rung))
        for pair in sorted(
            proposed, key=lambda pair: sorted(((a.order(pair[0]), pair[0]), (b.order(pair[1]), pair[1])))
        ):
            if found.add(*pair):
                new.append(pair)
    return new


def _alike(a: Lineage, b: Lineage, found: Alignment, place: Place, rung: Key) -> Iterator[Pair]:
    """Of what has no counterpart at a place: those that are alike, the latest with the latest."""
    there = found.at(place.a, place.b)
    taken = set(there.values())
    left: dict[Any, list[str]] = defaultdict(list)
    right: dict[Any, list[str]] = defaultdict(list)
    for side, refs, keyed in (
        (a, [ref for ref in place.a if ref not in there and ref not in found.other], left),
        (b, [ref for ref in place.b if ref not in taken and ref not in found.back], right),
    ):
        for ref in refs:
            key = rung(side, ref)
            if key is not None:
                keyed[key].append(ref)
    for key in left.keys() & right.keys():
        if rung in _ONE_EACH:
            if len(left[key]) == len(right[key]) == 1:
                yield left[key][0], right[key][0]
            continue
        yield from zip(
            sorted(left[key], key=a.order, reverse=True), sorted(right[key], key=b.order, reverse=True), strict=False
        )


def _digest(side: Lineage, ref: str) -> Any:
    node = side.nodes[ref]
    return (_named(side, ref), node["digest"]) if node["digest"] else None


def _named(side: Lineage, ref: str) -> Any:
    node = side.nodes[ref]
    return None if node["kind"] in ("run", "deployment") else (node["kind"], node["namespace"], node["name"])


def _named_elsewhere(side: Lineage, ref: str) -> Any:
    node = side.nodes[ref]
    return None if node["kind"] in ("run", "logged_model", "deployment") else (node["kind"], node["name"])


def _slot_answering(side: Lineage, ref: str) -> Any:
    return None if ref in side.idle else _slot(side, ref)


def _slot(side: Lineage, ref: str) -> Any:
    return (side.sites(ref), side.slot(ref)) if side.nodes[ref]["kind"] == "deployment" else None


def _slot_purpose(side: Lineage, ref: str) -> Any:
    if side.nodes[ref]["kind"] != "deployment" or ref in side.idle:
        return None
    return side.sites(ref), purpose(side.slot(ref))


def _surroundings(side: Lineage, ref: str) -> Any:
    """A run's purpose, and what for it read and made what: tells apart runs of one name."""
    node = side.nodes[ref]
    if node["kind"] not in ("run", "logged_model"):
        return None
    around = side.surroundings(ref)
    activity = str(side.record(ref).get("activity", ""))
    return (node["kind"], activity, purpose(side.title(ref)), around) if around else None


def _purpose(side: Lineage, ref: str) -> Any:
    node = side.nodes[ref]
    if node["kind"] == "deployment" or node["kind"] not in _SOLE:
        return None
    title = purpose(side.title(ref))
    return (node["kind"], str(side.record(ref).get("activity", "")), title) if title else None


def _activity(side: Lineage, ref: str) -> Any:
    return str(side.record(ref).get("activity", "")) if side.nodes[ref]["kind"] == "run" else None


def _alone_answering(side: Lineage, ref: str) -> Any:
    return None if side.nodes[ref]["kind"] != "deployment" or ref in side.idle else side.sites(ref)


def _alone(side: Lineage, ref: str) -> Any:
    return "alone" if side.nodes[ref]["kind"] in _SOLE else None


#: By these, only a sole one on each side is a counterpart.
_ONE_EACH: frozenset[Key] = frozenset({_activity, _alone_answering, _alone})
#: Firmest first.
_IN_ROLE: tuple[Key, ...] = (
    _digest,
    _named,
    _named_elsewhere,
    _slot_answering,
    _slot_purpose,
    _alone_answering,
    _slot,
    _surroundings,
    _purpose,
    _activity,
    _alone,
)
_OUT_OF_ROLE: tuple[Key, ...] = (_digest, _named, _named_elsewhere)
_BEHIND: tuple[Key, ...] = (_named, _named_elsewhere, _purpose, _alone)
