"""What a check sees: one hop of a trace, its subject, and what is on record about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import networkx as nx

from ..records import GRADES, Ref, Status
from ..references import micros
from ..roles import RELEASED_KINDS
from ..trace import Trace
from .facts import Facts
from .logic import Outcome

#: By subject: (record number, evidence record as plain JSON), only what was visible at the instant.
EvidenceBySubject = Mapping[str, Sequence[tuple[int, Mapping[str, Any]]]]
Numbered = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Result:
    """What a check came to.

    Attributes
    ----------
    outcome : Outcome
        Holds, fails, or cannot be determined.
    status : Status
        The same in the words of gates (``passed``, ``missing``, ...).
    why : str
        The comparison that was made.
    needed : str
        What would decide it; empty when it is decided.
    grade : str
        The weakest grade of the evidence that was used; empty when none was.
    evidence : tuple of int
        Numbers of the records used.
    """

    outcome: Outcome
    status: Status
    why: str
    needed: str = ""
    grade: str = ""
    evidence: tuple[int, ...] = ()


def holds(why: str, used: Iterable[Numbered] = ()) -> Result:
    """It holds."""
    used = tuple(used)
    return Result("holds", "passed", why, "", weakest(used), tuple(number for number, _ in used))


def fails(why: str, used: Iterable[Numbered] = ()) -> Result:
    """It fails."""
    used = tuple(used)
    return Result("fails", "failed", why, "", weakest(used), tuple(number for number, _ in used))


def unknown(why: str, needed: str, status: Status = "undetermined", used: Iterable[Numbered] = ()) -> Result:
    """It cannot be determined."""
    used = tuple(used)
    return Result("undetermined", status, why, needed, weakest(used), tuple(number for number, _ in used))


def weakest(used: Iterable[Numbered]) -> str:
    """The weakest grade of some evidence; empty for none."""
    return max((str(item.get("grade", "claimed")) for _, item in used), key=GRADES.index, default="")


def when_of(item: Mapping[str, Any]) -> int | None:
    """When a gate was judged, in microseconds; None when it was not recorded."""
    return micros(item["event_time"]) if "event_time" in item else None


@lru_cache(maxsize=8_192)
def base_of(ref: str) -> str:
    """A reference without its version or alias.

    Examples
    --------
    >>> base_of("model:prod/churn@3"), base_of("model:churn~champion")
    ('model:prod/churn', 'model:churn')
    """
    parsed = Ref.parse(ref)
    return str(Ref(parsed.kind, parsed.name, "", parsed.namespace))


@dataclass(frozen=True)
class Setting:
    """What all hops of one judgement share.

    Attributes
    ----------
    trace : Trace
        What the endpoint reached.
    evidence : mapping
        By subject.
    facts : Facts
        What was gathered beside them.
    """

    trace: Trace
    evidence: EvidenceBySubject
    facts: Facts
    _about: dict[str, list[Numbered]] = field(default_factory=dict, repr=False)

    @cached_property
    def paths(self) -> dict[str, tuple[str, ...]]:
        """For each thing, the answering deployments that it leads to (a deployment leads to itself)."""
        leading: dict[str, list[str]] = {}
        for deployment in dict.fromkeys(item.deployment for item in self.trace.serving if item.answers):
            for ref in {deployment, *nx.ancestors(self.trace.graph, deployment)}:
                leading.setdefault(ref, []).append(deployment)
        return {ref: tuple(found) for ref, found in leading.items()}

    def released_at(self, deployment: str) -> int | None:
        """When a deployment was released, as far as a record says so (not when it was first seen).

        That is when what it runs was put into it, which is not when it first served: a deployment may be given another
        model, and a share of traffic may change without a release.
        """
        graph = self.trace.graph
        put = _stated(graph.in_edges(deployment, data=True), "deploys")
        return put if put is not None else _stated(graph.out_edges(deployment, data=True), "serves")

    def evidence_about(self, ref: str) -> list[Numbered]:
        """Evidence about exactly this thing, or about the logged model whose bytes it is."""
        if ref not in self._about:
            self._about[ref] = [item for one in self.same_as(ref) for item in self.evidence.get(one, ())]
        return self._about[ref]

    def same_as(self, ref: str) -> list[str]:
        """The thing, the logged model whose bytes it is, and the alias that points at it."""
        graph = self.trace.graph
        found = [ref]
        if ref not in graph:
            return found
        for cause, _, edge in graph.in_edges(ref, data=True):
            if (
                edge["predicate"] in ("alternate_of", "alias_of")
                or (
                    graph.nodes[cause]["kind"] == "logged_model"
                    and edge["predicate"] == "was_derived_from"
                    and edge["basis"] in ("content_hash", "identifier")
                )
            ) and cause not in found:
                found.append(cause)
        return found

    def makers(self, ref: str) -> list[str]:
        """The runs that made a thing, or the logged model whose bytes it is."""
        graph = self.trace.graph
        return sorted(
            {
                cause
                for one in self.same_as(ref)
                if one in graph
                for cause, _, edge in graph.in_edges(one, data=True)
                if edge["predicate"] == "was_generated_by"
            }
        )


def _stated(edges: Iterable[tuple[str, str, Mapping[str, Any]]], predicate: str) -> int | None:
    """The earliest beginning of some relations that a record states."""
    found = [
        data["valid_from"]
        for _, _, data in edges
        if data["predicate"] == predicate and "valid_from" in data.get("record", {})
    ]
    return min((when for when in found if when is not None), default=None)


@dataclass(frozen=True)
class Hop:
    """One hop, and which of its ends a check is about.

    Attributes
    ----------
    cause, effect : str
        References.
    edge : mapping
        The relation's attributes.
    of : {"cause", "effect"}
        Which end is the subject.
    """

    setting: Setting
    cause: str
    effect: str
    edge: Mapping[str, Any]
    of: str = "cause"

    @property
    def trace(self) -> Trace:
        """What the endpoint reached."""
        return self.setting.trace

    @property
    def graph(self) -> nx.MultiDiGraph[str]:
        """Its graph."""
        return self.setting.trace.graph

    @property
    def facts(self) -> Facts:
        """What was gathered beside it."""
        return self.setting.facts

    @property
    def subject(self) -> str:
        """The end that the check is about."""
        return self.effect if self.of == "effect" else self.cause

    @property
    def record(self) -> Mapping[str, Any]:
        """What describes the subject."""
        found: Mapping[str, Any] = self.graph.nodes[self.subject].get("record", {})
        return found

    @property
    def deployment(self) -> str | None:
        """The deployment of the hop itself."""
        if self.edge["predicate"] == "deploys":
            return self.effect
        return self.cause if self.edge["predicate"] == "serves" else None

    @cached_property
    def deployments(self) -> tuple[str, ...]:
        """The hop's deployment; for a hop further up, the answering deployments that it leads to."""
        own = self.deployment
        return (own,) if own is not None else self.setting.paths.get(self.effect, ())

    @cached_property
    def released(self) -> tuple[str, ...]:
        """The models, agents and logged models that these deployments release and that the hop leads to."""
        graph = self.graph
        found: list[str] = []
        for deployment in self.deployments:
            for cause, _, edge in graph.in_edges(deployment, data=True):
                if edge["predicate"] != "deploys" or graph.nodes[cause]["kind"] not in RELEASED_KINDS:
                    continue
                own = self.edge["predicate"] == "serves" or cause == self.cause or self.effect == cause
                if own or nx.has_path(graph, self.effect, cause):
                    found.append(cause)
        return tuple(dict.fromkeys(found))

    @cached_property
    def release(self) -> int | None:
        """When it was released: the earliest of its deployments; None when one is not recorded."""
        times = [self.setting.released_at(deployment) for deployment in self.deployments]
        known = [when for when in times if when is not None]
        return min(known) if known and len(known) == len(times) else None

    def evidence_about(self, ref: str) -> list[Numbered]:
        """Evidence about exactly this thing, or about the logged model whose bytes it is."""
        return self.setting.evidence_about(ref)

    def attributes(self, ref: str) -> Mapping[str, Any]:
        """The attributes of a thing's record."""
        found = self.graph.nodes[ref].get("record", {}).get("attributes", {}) if ref in self.graph else {}
        return found if isinstance(found, Mapping) else {}

    @property
    def event(self) -> int | None:
        """When what is gated happened, as far as a record says so; docs/policies.md has the table."""
        kind, predicate = self.graph.nodes[self.effect]["kind"], self.edge["predicate"]
        if kind == "deployment":
            return self.setting.released_at(self.effect)
        if predicate == "serves":
            when: int | None = self.edge["valid_from"] if "valid_from" in self.edge.get("record", {}) else None
            return when
        record = self.graph.nodes[self.effect].get("record", {})
        for key in ("started_at", "ended_at") if kind == "run" else ("created_at",):
            if record.get(key):
                return micros(record[key])
        happened: int | None = self.edge.get("event_time")
        return happened
