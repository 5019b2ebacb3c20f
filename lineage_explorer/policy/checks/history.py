"""Checks of what was, not only of what is: roll-outs step by step, what one could go back to, how versions were kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

import msgspec

from ...records import GateType, Ref, format_instant
from ...trace import RELEASED_KINDS
from ..deciding import Group, Wanted, groups, worst
from ..facts import ACTIVE, RETIRED, Life, Need, Span
from ..hop import Hop, Result, base_of, fails, holds, unknown
from .base import Check, Duration, Pattern, after, before, in_words

Percent = Annotated[float, msgspec.Meta(gt=0, le=100)]
#: Shares of traffic are sums of what sources wrote as decimals.
_EXACT = 1e-6
Judging = Callable[[Hop, str], Result]
_RELEASES: frozenset[Need] = frozenset({"releases"})
_LIVES: frozenset[Need] = frozenset({"lives"})


class Canary(Check, frozen=True, kw_only=True, tag="canary", rename={"for_": "for"}):
    """The version's traffic went up by these steps, and stayed at each before the last for so long.

    Attributes
    ----------
    steps : tuple of float
        Percent of the endpoint's traffic, rising.
    for_ : Duration
        How long it stays at each step before the last.
    """

    needs: ClassVar[frozenset[Need]] = _RELEASES
    steps: Annotated[tuple[Percent, ...], msgspec.Meta(min_length=1)]
    for_: Duration

    def __post_init__(self) -> None:
        if any(one >= two for one, two in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("the steps of a canary rise: write for example steps = [5, 25, 100]")

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        return _each_version(hop, self._of)

    def _of(self, hop: Hop, version: str) -> Result:
        if hop.facts.releases is None:
            return _not_gathered(f"how the traffic of {version} changed")
        results = []
        for site in sorted(
            {share.site for span in hop.facts.releases for share in span.shares if share.model == version}
        ):
            # Several beginnings: it need have gone through the steps once.
            found = [
                self._climb(version, climb, hop.facts.as_of) for climb in _climbs(hop.facts.releases, version, site)
            ]
            results += [_best(found)] if found else []
        if not results:
            return unknown(
                f"no traffic of {version} is on record", f"the traffic of {version} since it began", "missing"
            )
        return worst(results)

    def _climb(self, version: str, levels: Sequence[_Level], as_of: int) -> Result:
        done = 0
        told: list[str] = []
        for level in levels:
            if level.traffic is None:
                return unknown(
                    f"the traffic of {version} is not recorded from {_day(level.start)} on",
                    f"the traffic of {version} since it began",
                )
            if not level.sure or level.start is None:
                return unknown(
                    f"the traffic of {version} changed to {level.traffic:g} % between two syncs, the later at {_day(level.start)}",
                    "the time of that change",
                )
            step = self.steps[done]
            if level.traffic > step + _EXACT:
                said = f"{version} had {level.traffic:g} % at {_day(level.start)}"
                stayed = f"after {', '.join(told)}" if told else "at first"
                return fails(f"{said} {stayed}; {step:g} %{self._long(done)} comes before")
            if level.traffic < step - _EXACT:
                continue
            told.append(f"{level.traffic:g} % from {_day(level.start)}")
            if done == len(self.steps) - 1:
                return holds(f"{version} had {', then '.join(told)}")
            until = as_of if level.end is None else level.end
            if after(level.start, self.for_) <= until:
                done += 1
                # A source may read the next step in the very moment that ends this one.
                continue
            told[-1] += f" to {_day(until)}"
        last = levels[-1]
        if last.end is not None:
            return fails(
                f"{version} stopped at {_day(last.end)}, before it had {self.steps[-1]:g} % ({', '.join(told) or 'no step reached'})"
            )
        return unknown(
            f"{version} is on its way: {', '.join(told) or 'no step reached yet'}",
            f"the step {self.steps[done]:g} %{self._long(done)}",
        )

    def _long(self, step: int) -> str:
        return f" for {in_words(self.for_)}" if step < len(self.steps) - 1 else ""

    def words(self) -> str:
        """What it asks, in words."""
        steps = ", then ".join(f"{step:g} %" for step in self.steps)
        return f"its traffic went through {steps}" + (
            f", {in_words(self.for_)} at each step before the last" if len(self.steps) > 1 else ""
        )


class RollbackTarget(Check, frozen=True, kw_only=True, tag="rollback_target"):
    """There is another version that served this endpoint before, to go back to."""

    needs: ClassVar[frozenset[Need]] = _RELEASES | _LIVES

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        return _each_version(hop, self._of)

    def _of(self, hop: Hop, version: str) -> Result:
        spans = hop.facts.releases
        if spans is None:
            return _not_gathered("what served before")
        began = _last_beginning(spans, version)
        if began is None:
            began = hop.release if hop.release is not None else hop.facts.as_of
        found = [(other, _kept_now(hop, other)) for other in _served(spans, version, began)]
        for other, here in found:
            if here:
                return holds(f"{other} served before {version} and is still in its source")
        need = f"a version that served {hop.trace.endpoint} before {version} and that its source still has"
        if not found:
            return unknown(f"no other version is on record that served before {version}", need, "missing")
        unsure = [other for other, here in found if here is None]
        if unsure:
            return unknown(f"whether {', '.join(unsure)} is still in its source is not recorded", need)
        return fails(f"every other version that served before was deleted: {', '.join(other for other, _ in found)}")

    def words(self) -> str:
        """What it asks, in words."""
        return "another version served this endpoint before, and was not deleted"


class ActiveVersions(Check, frozen=True, kw_only=True, tag="active_versions"):
    """No more than so many versions of the name are in use or on their way to it.

    Attributes
    ----------
    at_most : int
        How many.
    """

    needs: ClassVar[frozenset[Need]] = _LIVES
    at_most: Annotated[int, msgspec.Meta(ge=0)]

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        return _each_name(hop, self._of)

    def _of(self, hop: Hop, name: str) -> Result:
        lives = hop.facts.lives.get(name)
        if lives is None:
            return _not_gathered(f"the versions of {name}")
        as_of = hop.facts.as_of
        sure = [life.ref for life in lives if _stages(life, as_of) and _stages(life, as_of) <= ACTIVE]
        possible = [life.ref for life in lives if _stages(life, as_of) & ACTIVE]
        said = f"{len(sure)} of {len(lives)} versions of {name} on record are active"
        listed = f" ({', '.join(sure[:5])}{', …' if len(sure) > 5 else ''})" if sure else ""
        if len(sure) > self.at_most:
            return fails(f"{said}{listed}; at most {self.at_most} may be")
        if not hop.facts.complete.get(name):
            return unknown(
                f"{said}; the registry was not read completely, so there may be more",
                f"a complete reading of the registry of {name}",
            )
        if len(possible) > self.at_most:
            return unknown(
                f"{said}{listed}; {len(possible)} may be, for their stage changed between two syncs around this instant",
                "when these stages changed",
            )
        return holds(f"{said}{listed}; the registry was read completely")

    def words(self) -> str:
        """What it asks, in words."""
        return f"at most {self.at_most} version{'s' * (self.at_most != 1)} of the name are active"


class Kept(Check, frozen=True, kw_only=True, tag="kept", rename={"for_": "for"}):
    """What was retired is kept in its source for so long.

    Attributes
    ----------
    for_ : Duration
        Counted from the retirement.
    """

    needs: ClassVar[frozenset[Need]] = _LIVES
    for_: Duration

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        return _each_name(hop, self._of)

    def _of(self, hop: Hop, name: str) -> Result:
        lives = hop.facts.lives.get(name)
        if lives is None:
            return _not_gathered(f"the versions of {name}")
        since = before(hop.facts.as_of, self.for_)
        within: list[str] = []
        open_: list[str] = []
        for life in lives:
            first, last = _retired(life, hop.facts.as_of)
            if life.here:
                within += [life.ref] if last is not None and last > since else []
            elif last is not None and last <= since:
                continue  # its time is over
            elif life.here is None:
                open_.append(f"whether {life.ref} is still in its source is not recorded")
            elif first is None:
                open_.append(f"when {life.ref} was retired is not recorded")
            elif first > since:
                return fails(
                    f"{life.ref} was retired at {_day(last)} and is in its source no longer; it is kept for {in_words(self.for_)}"
                )
            else:
                open_.append(f"{life.ref} was retired between {_day(first)} and {_day(last)}")
        need = f"a complete reading of the source of {name}, and the times at which its versions were retired"
        if open_:
            return unknown("; ".join(open_), need)
        if not hop.facts.complete.get(name):
            return unknown(f"the source of {name} was not read completely", need)
        if within:
            return holds(f"retired within {in_words(self.for_)} and still in the source: {', '.join(within)}")
        return holds(f"of {len(lives)} versions of {name} none was retired within {in_words(self.for_)}")

    def words(self) -> str:
        """What it asks, in words."""
        return f"versions are kept in their source for {in_words(self.for_)} after they were retired"


class Compared(Check, frozen=True, kw_only=True, tag="compared", rename={"with_": "with"}):
    """A gate compared the version with the one that served before it was released.

    Attributes
    ----------
    gate : Pattern
        Names of gates; empty is any.
    gate_type : GateType
        Sort of gate; empty is any.
    with_ : {"production"}
        What it is compared with.
    """

    needs: ClassVar[frozenset[Need]] = _RELEASES
    gate: Pattern | Literal[""] = ""
    gate_type: GateType | Literal[""] = ""
    with_: Literal["production"] = "production"

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        wanted = Wanted(self.gate, self.gate_type)
        found = wanted.of(hop)
        need = f"a result of {wanted.word} about {hop.subject} that names its baseline"
        if not found:
            return unknown(f"no {wanted.word} of {hop.subject} is on record", need, "missing")
        decided = groups(hop, found, before_release=False)
        naming = [group for group in decided if any(_baseline(item) for _, item in group.deciding)]
        if not naming:
            used = [pair for group in decided for pair in group.deciding]
            return unknown(f"no {wanted.word} of {hop.subject} names a baseline", need, "missing", used)
        # What compares with nothing is no comparison, and says nothing here.
        return worst([self._with(hop, group, need) for group in naming])

    def _with(self, hop: Hop, group: Group, need: str) -> Result:
        if group.result.outcome != "holds":
            return group.result
        named = {_baseline(item) for _, item in group.deciding}
        if "" in named:
            return unknown(f"{group.gate}: not every record that decides names a baseline", need, used=group.deciding)
        serving = _before_release(hop)
        if isinstance(serving, str):
            return unknown(
                f"{group.gate} compared with {', '.join(sorted(named))}; {serving}",
                "what served before the release",
                used=group.deciding,
            )
        for baseline in sorted(named):
            same = {part for version, part in serving.items() if _means(baseline, version)}
            if not same:
                return fails(
                    f"{group.gate} compared with {baseline}; before the release served {', '.join(serving)}",
                    group.deciding,
                )
            if same == {None}:
                return unknown(
                    f"{group.gate} compared with {baseline}, whose traffic before the release is not recorded",
                    "that traffic",
                    used=group.deciding,
                )
        return holds(
            f"{group.gate} compared with {', '.join(sorted(named))}, which served before the release", group.deciding
        )

    def words(self) -> str:
        """What it asks, in words."""
        return f"{Wanted(self.gate, self.gate_type).word} compared it with the version that served before the release"


# --- which version, which name ---


def _each_version(hop: Hop, judge: Judging) -> Result:
    found = _versions(hop)
    if not found:
        return unknown("no version is on record that this hop leads to", "a record of what was released", "missing")
    return worst([judge(hop, version) for version in found])


def _each_name(hop: Hop, judge: Judging) -> Result:
    found = list(dict.fromkeys(base_of(version) for version in _versions(hop)))
    if not found:
        return unknown("no version is on record that this hop leads to", "a record of what was released", "missing")
    return worst([judge(hop, name) for name in found])


def _versions(hop: Hop) -> list[str]:
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
class _Level:
    """A time in which a version had the same share of the traffic; None: it is not recorded."""

    traffic: float | None
    start: int | None
    end: int | None
    sure: bool


def _levels(spans: Sequence[Span], version: str, site: str) -> Iterator[_Level]:
    level: _Level | None = None
    for span in spans:
        shares = [share.traffic for share in span.shares if share.model == version and share.site == site]
        traffic = None if None in shares else sum(share for share in shares if share is not None)
        if level is not None and _same(level.traffic, traffic):
            level = _Level(level.traffic, level.start, span.end, level.sure)
            continue
        if level is not None:
            yield level
        level = _Level(traffic, span.start, span.end, span.sure)
    if level is not None:
        yield level


def _same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < _EXACT


def _climbs(spans: Sequence[Span], version: str, site: str) -> list[list[_Level]]:
    """The times from a beginning until it had no traffic any more."""
    found: list[list[_Level]] = []
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


def _best(results: Iterable[Result]) -> Result:
    """One that holds suffices; while one cannot be determined, none fails; else what became of the last."""
    found = list(results)
    for outcome in ("holds", "undetermined"):
        for result in reversed(found):
            if result.outcome == outcome:
                return result
    return found[-1]


def _last_beginning(spans: Sequence[Span], version: str) -> int | None:
    """When it last began to serve anywhere, after a time in which it did not."""
    began: int | None = None
    serving = False
    for span in spans:
        now = any(share.model == version and share.traffic != 0 for share in span.shares)
        if now and not serving:
            began = span.start
        serving = now
    return began


def _served(spans: Sequence[Span], version: str, until: int) -> list[str]:
    """Other versions that served before an instant, the last first; also those whose traffic was not read."""
    found = [
        share.model
        for span in reversed(spans)
        if span.start is None or span.start < until
        for share in span.shares
        if share.model and share.model != version and share.traffic != 0
    ]
    return list(dict.fromkeys(found))


def _before_release(hop: Hop) -> Mapping[str, float | None] | str:
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
    own = set(_versions(hop))
    sites = {share.site for span in spans for share in span.shares if share.model in own}
    found = {
        share.model: share.traffic
        for share in earlier[-1].shares
        if share.model
        and share.model not in own
        and share.traffic != 0
        and (share.site in sites or not sites)
        and share.environment in ("", "production")
    }
    return found or "nothing is on record that served before the release"


def _baseline(item: Mapping[str, object]) -> str:
    attributes = item.get("attributes", {})
    named = attributes.get("baseline", "") if isinstance(attributes, Mapping) else ""
    return named if isinstance(named, str) else ""


def _means(baseline: str, version: str) -> bool:
    """Whether a baseline, written with or without its namespace, is a version."""
    return baseline in (version, Ref.parse(version).bare)


# --- lives ---


def _stages(life: Life, instant: int) -> set[str]:
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


def _retired(life: Life, instant: int) -> tuple[int | None, int | None]:
    """Between when and when it was retired for good; None where that is not recorded, or it was not."""
    first: int | None = None
    last: int | None = None
    for interval in life.stages:
        if interval.start is not None and interval.start > instant:
            break
        if interval.stage not in RETIRED:
            first = last = None
        elif last is None:
            first, last = interval.earliest, interval.start
    return first, last


def _kept_now(hop: Hop, version: str) -> bool | None:
    """Whether a version is on record and its source still has it; None when nothing says so."""
    life = next((life for life in hop.facts.lives.get(base_of(version), ()) if life.ref == version), None)
    if life is None:
        return None
    stage = life.at(hop.facts.as_of)
    if life.here is False or (stage is not None and stage.stage == "deleted"):
        return False
    return True if life.here and life.stages else None


# --- words ---


def _not_gathered(what: str) -> Result:
    return unknown(f"{what} was not gathered", what, "missing")


def _day(instant: int | None) -> str:
    if instant is None:
        return "a time that is not recorded"
    return format_instant(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant))
