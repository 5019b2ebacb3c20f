"""What a policy may look at beside the trace: people, releases, and the lives of versions.

Plain data that somebody else gathered, and only what a policy :attr:`needs <lineage_explorer.policy.Policy.needs>`: a
rule that asks nobody's name does not pay for reading names. Times are microseconds since 1970 UTC, as everywhere below
the views.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Need = Literal["agents", "releases", "lives", "conditions"]
Stage = Literal[
    "none", "development", "evaluation", "staging", "production", "monitoring", "archived", "retired", "deleted"
]
#: Stages in which a version is not in use any more.
RETIRED = frozenset({"archived", "retired", "deleted"})
#: Stages in which a version counts as active.
ACTIVE = frozenset({"staging", "production", "monitoring", "evaluation"})


@dataclass(frozen=True)
class Share:
    """What one version received of an endpoint's traffic in a span.

    Attributes
    ----------
    traffic : float or None
        Percent; None when the split was not read.
    environment : str
        Of the deployment, as recorded.
    """

    model: str
    deployment: str
    traffic: float | None
    site: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Span:
    """A span of time in which the same things served an endpoint.

    Attributes
    ----------
    start, end : int or None
        ``end`` None: it holds still. ``start`` None: since before anything is on record.
    sure : bool
        False when it began at a change that is only known to lie between two syncs.
    """

    start: int | None
    end: int | None
    shares: tuple[Share, ...]
    sure: bool = True


@dataclass(frozen=True)
class Interval:
    """A stage of a version, from the journal.

    Attributes
    ----------
    earliest, start : int or None
        The change lies after ``earliest`` and no later than ``start`` (between two syncs); equal when the source
        dates it. None: since before the first sync that saw it.
    end : int or None
        The ``start`` of what followed; None while it holds.
    number : int
        The record that says so.
    """

    stage: Stage
    start: int | None
    end: int | None
    earliest: int | None = None
    number: int = 0


@dataclass(frozen=True)
class Life:
    """One version of a name, through its stages.

    Attributes
    ----------
    stages : tuple of Interval
        In order of time; empty when no stage is on record.
    gone_at : int or None
        When its source was first seen without it.
    here : bool or None
        Whether the source showed it at its latest complete reading; None when there was none.
    """

    ref: str
    stages: tuple[Interval, ...] = ()
    created_at: int | None = None
    gone_at: int | None = None
    here: bool | None = None

    def at(self, instant: int) -> Interval | None:
        """The stage at an instant, None when it is not known."""
        for interval in reversed(self.stages):
            if interval.start is None or interval.start <= instant:
                return interval if interval.end is None or instant < interval.end else None
        return None


@dataclass(frozen=True)
class Condition:
    """The condition that a gate was judged by, at one time.

    Attributes
    ----------
    when : int or None
        When it was judged.
    evidence : Mapping
        The evidence record as plain JSON.
    """

    number: int
    when: int | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What was gathered for a policy.

    Attributes
    ----------
    as_of : int
        The instant asked about.
    agents : mapping
        By reference of a model, run or deployment: the agents associated with it (references).
    releases : tuple of Span or None
        Of the endpoint, in order of time up to ``as_of``; None when nobody gathered them.
    lives : mapping
        By reference without its version (``model:prod/churn``): every version of the name.
    complete : mapping
        By the same: whether the registry was read completely at its latest sync.
    conditions : mapping
        By (reference without its version, gate): every record of that gate, in order of time.
    """

    as_of: int
    agents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    releases: tuple[Span, ...] | None = None
    lives: Mapping[str, tuple[Life, ...]] = field(default_factory=dict)
    complete: Mapping[str, bool] = field(default_factory=dict)
    conditions: Mapping[tuple[str, str], tuple[Condition, ...]] = field(default_factory=dict)
