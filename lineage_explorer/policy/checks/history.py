"""Checks of what was, not only of what is: roll-outs step by step, what one could go back to, how versions were kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec

from ...records import GateType, Ref
from ...references import from_micros
from ..deciding import Group, Wanted, groups, worst
from ..facts import ACTIVE, Need, Span
from ..hop import Hop, Result, base_of, fails, holds, unknown
from ..past import (
    EXACT,
    Level,
    climbs,
    last_beginning,
    possible_stages,
    retired_between,
    served_before,
    serving_before_release,
    still_here,
    versions_of,
    was_deleted,
)
from .base import Check, Duration, Pattern, after, before, in_words

Percent = Annotated[float, msgspec.Meta(gt=0, le=100)]
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
            found = []
            for climb in climbs(hop.facts.releases, version, site):
                result = self._climb(version, climb, hop.facts.as_of)
                first = _is_first(hop.facts.releases, version, site, climb[0].start)
                found.append(_nothing_before(version) if result.outcome == "fails" and first else result)
            results += [_best(found)] if found else []
        if not results:
            return unknown(
                f"no traffic of {version} is on record", f"the traffic of {version} since it began", "missing"
            )
        return worst(results)

    def _climb(self, version: str, levels: Sequence[Level], as_of: int) -> Result:
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
            if level.traffic > step + EXACT:
                said = f"{version} had {level.traffic:g} % at {_day(level.start)}"
                stayed = f"after {', '.join(told)}" if told else "at first"
                return fails(f"{said} {stayed}; {step:g} %{self._long(done)} comes before")
            if level.traffic < step - EXACT:
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
        said, last = ", ".join(told) or "no step", levels[-1]
        if last.end is not None:
            return unknown(
                f"{version} stopped at {_day(last.end)}, before it had {self.steps[-1]:g} % ({said})",
                "the steps it did not come to",
            )
        return unknown(f"{version} is on its way: {said} so far", f"the step {self.steps[done]:g} %{self._long(done)}")

    def _long(self, step: int) -> str:
        return f" for {in_words(self.for_)}" if step < len(self.steps) - 1 else ""

    def words(self) -> str:
        """What it asks, in words."""
        steps = ", then ".join(f"{step:g} %" for step in self.steps)
        return f"its traffic went through {steps}" + (
            f", {in_words(self.for_)} at each step before the last" if len(self.steps) > 1 else ""
        )


def _is_first(spans: Sequence[Span], version: str, site: str, start: int | None) -> bool:
    """Whether nothing else is known to have had traffic at a site before a version began, or when it did."""
    return not any(
        share.site == site and share.model != version and share.traffic
        for span in spans
        if span.start is None or (start is not None and span.start <= start)
        for share in span.shares
    )


def _nothing_before(version: str) -> Result:
    return unknown(
        f"nothing is on record that served before {version}, so there was nothing to try it beside",
        "what served before, or a waiver for a first version",
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
        began = last_beginning(spans, version)
        until = hop.release if began is None else began.start
        if until is None:
            return unknown(f"when {version} began to serve is not recorded", f"when {version} began to serve")
        served = served_before(spans, version, until)
        here = {other: still_here(hop, other) for other in served}
        for other, surely in served.items():
            if surely and here[other]:
                return holds(f"{other} served before {version} and is still in its source")
        need = f"a version that served {hop.trace.endpoint} before {version} and that its source still has"
        if not served:
            return unknown(f"no other version is on record that served before {version}", need, "missing")
        # What is not known to have had traffic is not known to have served; where it was deleted, that makes no odds
        # beside another that was.
        unsure = [other for other in served if here[other] is not False] or [
            one for one in served if not any(served.values())
        ]
        if unsure:
            return unknown(f"whether {', '.join(unsure)} served, and is still in its source, is not recorded", need)
        return fails(f"every other version that served before was deleted: {', '.join(served)}")

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
        stages = {life.ref: possible_stages(life, hop.facts.as_of) for life in lives}
        sure = [ref for ref, found in stages.items() if found and found <= ACTIVE]
        # Of what is in no stage on record it is not known that it is not active.
        possible = [ref for ref, found in stages.items() if not found or found & ACTIVE]
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
                f"{said}{listed}; {len(possible)} may be, for the stage of some is not recorded, or changed between two syncs",
                f"the stages of {', '.join(ref for ref in possible if ref not in sure)}",
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
        need = f"a complete reading of the source of {name}, and the times at which its versions were retired"
        if not lives:
            return unknown(f"no version of {name} is on record", need, "missing")
        since = before(hop.facts.as_of, self.for_)
        within: list[str] = []
        open_: list[str] = []
        for life in lives:
            first, last = retired_between(life, hop.facts.as_of)
            deleted = was_deleted(life, hop.facts.as_of)
            if life.here and not deleted:
                within += [life.ref] if last is not None and last > since else []
            elif last is not None and last <= since:
                continue  # its time is over
            elif not deleted:
                open_.append(f"whether {life.ref} is still in its source is not recorded")
            elif first is None:
                open_.append(f"when {life.ref} was retired is not recorded")
            elif first > since:
                return fails(
                    f"{life.ref} was retired at {_day(last)} and is in its source no longer; it is kept for {in_words(self.for_)}"
                )
            else:
                open_.append(f"{life.ref} was retired between {_day(first)} and {_day(last)}")
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
        serving = serving_before_release(hop)
        if isinstance(serving, str):
            return unknown(
                f"{group.gate} compared with {', '.join(sorted(named - {''}))}; {serving}",
                "what served before the release",
                used=group.deciding,
            )
        known = set(serving.values()) != {None}
        for baseline in sorted(named - {""}):
            if known and not any(_means(baseline, version) for version in serving):
                return fails(
                    f"{group.gate} compared with {baseline}; before the release served {', '.join(serving)}",
                    group.deciding,
                )
        for baseline in sorted(named - {""}):
            same = {part for version, part in serving.items() if _means(baseline, version)}
            if not same:
                return unknown(
                    f"{group.gate} compared with {baseline}; whether {', '.join(serving)} had traffic before the release is not recorded",
                    "that traffic",
                    used=group.deciding,
                )
            if same == {None}:
                return unknown(
                    f"{group.gate} compared with {baseline}, whose traffic before the release is not recorded",
                    "that traffic",
                    used=group.deciding,
                )
        if "" in named:
            return unknown(f"{group.gate}: not every record that decides names a baseline", need, used=group.deciding)
        return holds(
            f"{group.gate} compared with {', '.join(sorted(named))}, which served before the release", group.deciding
        )

    def words(self) -> str:
        """What it asks, in words."""
        return f"{Wanted(self.gate, self.gate_type).word} compared it with the version that served before the release"


# --- for each version, for each name ---


def _each_version(hop: Hop, judge: Judging) -> Result:
    found = versions_of(hop)
    if not found:
        return unknown("no version is on record that this hop leads to", "a record of what was released", "missing")
    return worst([judge(hop, version) for version in found])


def _each_name(hop: Hop, judge: Judging) -> Result:
    found = list(dict.fromkeys(base_of(version) for version in versions_of(hop)))
    if not found:
        return unknown("no version is on record that this hop leads to", "a record of what was released", "missing")
    return worst([judge(hop, name) for name in found])


def _best(results: Iterable[Result]) -> Result:
    """One that holds suffices; while one cannot be determined, none fails; else what became of the last."""
    found = list(results)
    for outcome in ("holds", "undetermined"):
        for result in reversed(found):
            if result.outcome == outcome:
                return result
    return found[-1]


def _baseline(item: Mapping[str, object]) -> str:
    attributes = item.get("attributes", {})
    named = attributes.get("baseline", "") if isinstance(attributes, Mapping) else ""
    return named if isinstance(named, str) else ""


def _means(baseline: str, version: str) -> bool:
    """Whether a baseline, written with or without its namespace, is a version."""
    return baseline in (version, Ref.parse(version).bare)


# --- words ---


def _not_gathered(what: str) -> Result:
    return unknown(f"not gathered: {what}", what, "missing")


def _day(instant: int | None) -> str:
    if instant is None:
        return "a time that is not recorded"
    return from_micros(instant)
