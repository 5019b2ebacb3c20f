"""What a thing reached: gathered, and followed to the endpoints that answered with it, as far as an answer shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..records import HOLDING
from ..references import micros_of
from ..roles import RELEASED_KINDS
from ..trace import state_of
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
        self._onto: dict[int, list[int]] = defaultdict(list)
        self._links = by_predicate = defaultdict[str, list[Link]](list)
        for link in found.links:
            by_predicate[link[2]].append(link)
        held, kinds = self._held, self._kinds
        for link in by_predicate["serves"]:
            for piece in held.get(link[1], ()):
                if piece[0] < link[8] and link[7] < piece[1]:
                    self._serves[link[0]].append(link)
                    break
        for link in (*by_predicate["deploys"], *by_predicate["alias_of"]):
            if link[1] in held:
                self._into[link[0]].append(link)
                self._onto[link[1]].append(link[0])
        #: What was registered as a version.
        self._registered = {
            link[1] for link in by_predicate["was_derived_from"] if kinds[link[0]] in ("model", "ai_agent")
        }
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
        self._said |= self._store.records(new)

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
        new, seen = set(versions), set[int]()
        while new:
            seen |= new
            new = {effect for number in new for effect in self._onto.get(number, ())} - seen
        wanted = {*endpoints, *(place for place, links in self._serves.items() for link in links if link[1] in seen)}
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
        kinds, refs, roots = self._kinds, self._refs, self._roots
        by_kind: dict[str, list[int]] = defaultdict(list)
        for number in self._held:
            if number not in roots:
                by_kind[kinds[number]].append(number)
        counts = Counter({kind: len(numbers) for kind, numbers in by_kind.items()})
        versions: list[int] = []
        between: list[int] = []
        for kind, numbers in by_kind.items():
            if kind in _OWN_ROWS:
                continue
            if kind not in RELEASED_KINDS:
                between += numbers
                continue
            for number in numbers:
                if "~" in refs[number]:
                    counts["alias"] += 1
                    counts[kind] -= 1
                    between.append(number)
                elif kind == "logged_model" and number in self._registered and number not in self._onto:
                    between.append(number)  # it is listed as the version that was registered of it
                else:
                    versions.append(number)
        return versions, between, +counts

    def _nearest(self, numbers: Iterable[int], limit: int | None) -> list[int]:
        """The first of them: what answers now, then the strongest link, then the shortest way, then by name."""
        answers, held = self._answers, self._held
        alike: dict[tuple[bool, int, int], list[int]] = defaultdict(list)
        for number in numbers:
            piece = held[number][0]
            alike[number not in answers, piece[2], piece[4]].append(number)
        first: list[int] = []
        for key in sorted(alike):  # names are compared only as far as the list goes
            first += sorted(alike[key], key=self._refs.__getitem__)
            if limit is not None and len(first) >= limit:
                break
        return first[:limit]

    @cached_property
    def _endpoints(self) -> list[int]:
        """Every endpoint that was reached: what answers with it now first, by the share of its requests."""
        answering, held, refs = self._answering, self._held, self._refs

        def order(number: int) -> tuple[bool, float, int, str]:
            if number not in answering:
                return True, 0, held[number][0].rank, refs[number]
            now = answering[number]
            return False, -max([item.traffic or 0 for item in now]), min([item.rank for item in now]), refs[number]

        return sorted(self._serves, key=order)
