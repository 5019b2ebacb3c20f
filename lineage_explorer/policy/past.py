"""What was gathered of the past, read for one hop: the traffic of its versions, and the lives of its names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..roles import RELEASED_KINDS
from .facts import RETIRED, Life, Span
from .hop import Hop, base_of

#: What deployments of production say of their environment; many say nothing.
_PRODUCTION = frozenset({"", "production", "prod"})
#: Shares of traffic are sums of what sources wrote as decimals.
EXACT = 1e-6


def versions_of(hop: Hop) -> list[str]:
    """The version that the hop is about; what an alias points at, in its place."""
    subjects = [hop.subject] if hop.graph.nodes[hop.subject]["kind"] in RELEASED_KINDS else list(hop.released)
    found: list[str] = []
    for subject in subjects:
        pointed = [
            cause
            for cause, _, edge in (hop.graph.in_edges(subject, data=True) if "~" in subject else ())
            if edge["predicate"] == "alias_of"
        ]
        found += sorted(pointed) or [subject]
    return list(dict.fromkeys(found))


# --- traffic ---


@dataclass(frozen=True)
class Level:
    """A time in which a version had the same share of the traffic; None: it is not recorded."""

    traffic: float | None
    start: int | None
    end: int | None
    sure: bool


def _levels(spans: Sequence[Span], version: str, site: str) -> Iterator[Level]:
    level: Level | None = None
    for span in spans:
        shares = [share.traffic for share in span.shares if share.model == version and share.site == site]
        traffic = None if None in shares else sum(share for share in shares if share is not None)
        if level is not None and _same(level.traffic, traffic):
            level = Level(level.traffic, level.start, span.end, level.sure)
            continue
        if level is not None:
            yield level
        level = Level(traffic, span.start, span.end, span.sure)
    if level is not None:
        yield level


def _same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < EXACT


def climbs(spans: Sequence[Span], version: str, site: str) -> list[list[Level]]:
    """The times from a beginning until it had no traffic any more."""
    found: list[list[Level]] = []
    climbing = False
    for level in _levels(spans, version, site):
        if level.traffic == 0:
            climbing = False
        elif climbing:
            found[-1].append(level)
        else:
            found.append([level])
            climbing = True
    return found


def last_beginning(spans: Sequence[Span], version: str) -> Span | None:
    """The span in which it last began to serve anywhere, after a time in which it did not; None: it never served."""
    began: Span | None = None
    serving = False
    for span in spans:
        now = any(share.model == version and share.traffic != 0 for share in span.shares)
        if now and not serving:
            began = span
        serving = now
    return began


def served_before(spans: Sequence[Span], version: str, until: int) -> dict[str, bool]:
    """Other versions that served before an instant, the last first, and whether they surely had traffic."""
    found: dict[str, bool] = {}
    for span in reversed(spans):
        if span.start is None or span.start < until:
            for share in span.shares:
                if share.model and share.model != version and share.traffic != 0:
                    found[share.model] = found.get(share.model, False) or share.traffic is not None
    return found


def serving_before_release(hop: Hop) -> Mapping[str, float | None] | str:
    """What served right before the release and how much of the traffic it had; or why nobody knows."""
    spans, release = hop.facts.releases, hop.release
    if spans is None:
        return "what served before was not gathered"
    if release is None:
        return "the time of the release is not recorded"
    earlier = [span for span in spans if span.start is None or span.start < release]
    if not earlier or (earlier[-1].end is not None and earlier[-1].end < release):
        return "nothing is on record that served before the release"
    following = spans[len(earlier)] if len(earlier) < len(spans) else None
    if following is not None and not following.sure and following.start != release:
        return "what served changed between two syncs, around the release"
    own = set(versions_of(hop))
    sites = {share.site for span in spans for share in span.shares if share.model in own}
    found: dict[str, list[float | None]] = {}
    for share in earlier[-1].shares:
        if (
            share.model
            and share.model not in own
            and share.traffic != 0
            and (share.site in sites or not sites)
            and share.environment.casefold() in _PRODUCTION
        ):
            found.setdefault(share.model, []).append(share.traffic)
    return {model: _known(shares) for model, shares in found.items()} or (
        "nothing is on record that served before the release"
    )


def _known(shares: Iterable[float | None]) -> float | None:
    """What of the traffic of some deployments is known; None: it is not known whether they had any."""
    known = [share for share in shares if share is not None]
    return sum(known) if known else None


# --- lives ---


def possible_stages(life: Life, instant: int) -> set[str]:
    """The stage at an instant; both, where it changed between two syncs around it; empty where none is known."""
    found = {interval.stage for interval in [life.at(instant)] if interval is not None}
    for interval in life.stages:
        if (
            interval.earliest is not None
            and interval.start is not None
            and interval.earliest < instant < interval.start
        ):
            found.add(interval.stage)
            # Nothing is known before the first: it may have been in no stage at all.
            found |= set() if life.at(instant) is not None else {"none"}
    return {str(stage) for stage in found}


def retired_between(life: Life, instant: int) -> tuple[int | None, int | None]:
    """Between when and when it was retired for good; None where that is not recorded, or it was not."""
    found: tuple[int | None, int | None] | None = None
    for interval in life.stages:
        if interval.start is not None and interval.start > instant:
            break
        if interval.stage not in RETIRED:
            found = None
        elif found is None:
            found = interval.earliest, interval.start
    return found or (None, None)


def was_deleted(life: Life, instant: int) -> bool:
    """Whether something on record says that its source has it no longer."""
    stage = life.at(instant)
    gone = life.gone_at is not None and life.gone_at <= instant
    return gone or life.here is False or (stage is not None and stage.stage == "deleted")


def still_here(hop: Hop, version: str) -> bool | None:
    """Whether a version is on record and its source still has it; None when nothing says so."""
    return in_source(hop.facts.lives, version, hop.facts.as_of)


def in_source(lives: Mapping[str, Iterable[Life]], version: str, instant: int) -> bool | None:
    """The same, of the lives of all versions by name."""
    life = next((life for life in lives.get(base_of(version), ()) if life.ref == version), None)
    if life is None:
        return None
    return False if was_deleted(life, instant) else life.here
