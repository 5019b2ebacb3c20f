"""What a thing reached: gathered, and followed to the endpoints that answered with it, as far as an answer shows them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..records import HOLDING
from ..references import micros_of
from ..trace import RELEASED_KINDS, state_of
from .exposures import Part, Window, joined, parts, spread, windows

if TYPE_CHECKING:
    from ..store import Store

Link = tuple[Any, ...]
#: Kinds that have rows of their own, or stand in those of an endpoint.
_OWN_ROWS = frozenset({"endpoint", "deployment"})


class Reaching:
    """What a thing reached, and when endpoints answered with that.

    Parameters
    ----------
    ref : str
        A reference that is in the store.
    as_of, known_at : datetime
        The two instants that the question resolved to.
    """

    def __init__(self, store: Store, ref: str, as_of: datetime, known_at: datetime) -> None:
        self._store, self._ref, self._as_of, self._known_at = store, ref, as_of, known_at
        self._now = micros_of(as_of)
        self._found = found = store.downstream(ref, as_of, known_at)
        self._refs, self._kinds = found.refs, found.kinds
        self._roots = {found.root, *found.versions}
        self._held = spread(self._roots, found.links, found.kinds, found.refs)
        self._said: dict[int, Mapping[str, Any]] = {}
        self._ran: dict[int, list[Part]] = {}
        #: Relations of deployments and aliases, by their effects; and of those that serve, by their causes.
        self._into: dict[int, list[Link]] = defaultdict(list)
        self._serves: dict[int, list[Link]] = defaultdict(list)
        #: What deploys a thing, or points at it.
        self._onto: dict[int, set[int]] = defaultdict(set)
        self._registered: set[int] = set()
        held, kinds = self._held, self._kinds
        for link in found.links:
            predicate, cause = link[2], link[1]
            if predicate == "serves":
                if any(piece[0] < link[8] and link[7] < piece[1] for piece in held.get(cause, ())):
                    self._serves[link[0]].append(link)
            elif predicate == "deploys" or predicate == "alias_of":
                if cause in held:
                    self._into[link[0]].append(link)
                    self._onto[cause].add(link[0])
            elif predicate == "was_derived_from" and kinds[link[0]] in ("model", "ai_agent"):
                self._registered.add(cause)
        self._windows: dict[int, list[Window]] = {}
        self._answering = self._answering_now()

    # --- when endpoints answered ---

    def _alias(self, number: int) -> bool:
        return "~" in self._refs[number]

    def _first_seen(self, link: Sequence[Any]) -> bool:
        return link[2] in HOLDING and "valid_from" not in self._said[link[6]]

    def _read(self, links: Iterable[Sequence[Any]]) -> None:
        """What the records of relations say."""
        new = {link[6] for link in links} - self._said.keys()
        self._said |= {seq: json.loads(item.json) for seq, item in self._store.describe(new).items()}

    def _windows_of(self, links: Iterable[Link], first_seen: Callable[[Link], bool]) -> list[Window]:
        found: list[Window] = []
        for link in links:
            deployment = link[1]
            if deployment not in self._ran:
                self._ran[deployment] = parts(deployment, self._held, self._into, self._alias)
            record = self._said[link[6]]
            state, traffic = state_of(link[5], record)
            found += windows(link, self._ran[deployment], (state, traffic, record.get("site", "")), first_seen)
        return found

    def _answering_now(self) -> dict[int, list[Window]]:
        """By endpoint: the windows in which it answers at the instant asked about."""
        now = [link for links in self._serves.values() for link in links if link[7] <= self._now < link[8]]
        self._read(now)
        found: dict[int, list[Window]] = defaultdict(list)
        for window in self._windows_of(now, lambda _: False):
            if window.answers and self._holds_now(window):
                found[window.endpoint].append(window)
        return dict(found)

    def _follow(self, versions: Iterable[int], endpoints: Iterable[int]) -> None:
        """The windows of endpoints, and of those that versions ever answered."""
        several: dict[int, set[int]] = defaultdict(set)
        for links in self._serves.values():
            for link in links:
                several[link[1]].add(link[0])
        new, seen = set(versions), set[int]()
        while new:
            seen |= new
            new = {effect for number in new for effect in self._onto.get(number, ())} - seen
        wanted = {*endpoints, *(place for number in seen & several.keys() for place in several[number])}
        chosen = {endpoint: self._serves[endpoint] for endpoint in sorted(wanted)}
        serving = [link for links in chosen.values() for link in links]
        ways = [item for link in serving for item in self._way(link[1])]
        self._read([*serving, *ways])
        for endpoint, links in chosen.items():
            self._windows[endpoint] = joined(self._windows_of(links, self._first_seen))

    def _way(self, deployment: int) -> Iterable[Link]:
        """Relations between a deployment and the versions that it runs."""
        new, seen = [deployment], {deployment}
        while new:
            for link in self._into.get(new.pop(), ()):
                yield link
                if link[1] not in seen:
                    seen.add(link[1])
                    new.append(link[1])

    def _holds_now(self, window: Window) -> bool:
        return window.start <= self._now < window.end

    @cached_property
    def _served(self) -> dict[int, list[Window]]:
        """By version that is listed: the windows in which it answered."""
        found: dict[int, list[Window]] = defaultdict(list)
        for items in self._windows.values():
            for window in items:
                if window.version is not None and window.answers:
                    found[window.version].append(window)
        return found

    @cached_property
    def _answers(self) -> dict[int, list[str]]:
        """By version: the endpoints that it answers now."""
        found: dict[int, set[str]] = defaultdict(set)
        for items in self._answering.values():
            for window in items:
                if window.version is not None:
                    found[window.version].add(self._refs[window.endpoint])
        return {version: sorted(endpoints) for version, endpoints in found.items()}

    # --- in which order ---

    def _sorted_out(self) -> tuple[list[int], list[int], Counter[str]]:
        """What can be released, what lies between, and how many of each kind there are."""
        versions: list[int] = []
        between: list[int] = []
        kinds, roots = self._kinds, self._roots
        counts = Counter(kinds[number] for number in self._held if number not in roots)
        for number in self._held:
            kind = kinds[number]
            if kind in _OWN_ROWS or number in roots:
                continue
            if kind not in RELEASED_KINDS:
                between.append(number)
            elif self._alias(number):
                counts["alias"] += 1
                counts[kind] -= 1
                between.append(number)
            elif kind == "logged_model" and number in self._registered and number not in self._onto:
                between.append(number)  # it is listed as the version that was registered of it
            else:
                versions.append(number)
        return versions, between, +counts

    def _nearest(self, numbers: Iterable[int]) -> list[tuple[bool, int, int, str, int]]:
        """What answers now first, then the strongest link, then the shortest way; each with its number."""
        answers, held, refs = self._answers, self._held, self._refs
        return sorted(
            (number not in answers, (piece := held[number][0])[2], piece[4], refs[number], number) for number in numbers
        )

    def _first_endpoints(self) -> Iterable[tuple[bool, float, int, str, int]]:
        for number in self._serves:
            now = self._answering.get(number, ())
            rank = min((item.rank for item in now), default=self._held[number][0].rank)
            yield not now, -max((item.traffic or 0 for item in now), default=0), rank, self._refs[number], number
