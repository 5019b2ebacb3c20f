"""Checks of what was: canary, rollback_target, active_versions, kept, compared; each to all three outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import networkx as nx
import pytest

from lineage_explorer.policy.checks.base import Check
from lineage_explorer.policy.checks.history import ActiveVersions, Canary, Compared, Kept, RollbackTarget
from lineage_explorer.policy.facts import Facts, Interval, Life, Share, Span, Stage
from lineage_explorer.policy.hop import Hop, Setting
from lineage_explorer.trace import Trace

from .estates import ENDPOINT, micros, text

NEW, OLD = "model:x/churn@2", "model:x/churn@1"
NOW = micros(100)


def hop(facts: Facts, evidence: Sequence[dict[str, Any]] = (), *, released: int | None = 50, cause: str = NEW) -> Hop:
    """The hop on which a version is deployed."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    record = {} if released is None else {"valid_from": text(released)}
    when = None if released is None else micros(released)
    for ref in (cause, "deployment:e:a", ENDPOINT):
        graph.add_node(ref, kind=ref.partition(":")[0], resolved=True, implied=False, record={})
    for one, other, predicate in (("deployment:e:a", ENDPOINT, "serves"), (cause, "deployment:e:a", "deploys")):
        graph.add_edge(one, other, predicate=predicate, basis="identifier", valid_from=when, record=record)
    about = {
        cause: [(number, {"subject": cause, "status": "passed", **item}) for number, item in enumerate(evidence, 1)]
    }
    edge = graph[cause]["deployment:e:a"][0]
    return Hop(Setting(Trace(ENDPOINT, graph, []), about, facts), cause, "deployment:e:a", edge)


def spans(
    *told: tuple[int | None, dict[str, float | None]], unsure: Sequence[int] = (), **more: Any
) -> tuple[Span, ...]:
    """Spans from what each version had from a day on."""
    ends = [*(start for start, _ in told[1:]), *([None] if told else [])]
    return tuple(
        Span(
            None if start is None else micros(start),
            None if end is None else micros(end),
            tuple(Share(model, f"deployment:e:{model[-1]}", traffic, **more) for model, traffic in shares.items()),
            sure=start not in unsure,
        )
        for (start, shares), end in zip(told, ends, strict=True)
    )


def came_to(check: Check, facts: Facts, **more: Any) -> str:
    result = check.judge(hop(facts, **more))
    assert result.why
    assert result.needed or result.outcome != "undetermined", result
    return result.outcome


# --- canary ---


CANARY = Canary(steps=(5, 25, 100), for_="2d")


@pytest.mark.parametrize(
    ("climb", "outcome"),
    [
        ([(50, 5), (52, 25), (54, 100)], "holds"),
        ([(50, 1), (51, 5), (53, 10), (54, 25), (60, 100)], "holds"),
        ([(50, 5), (52, 25), (53, 5), (55, 25), (57, 100)], "holds"),
        ([(50, 25), (52, 100)], "fails"),
        ([(40, 0), (50, 100)], "fails"),
        ([(50, 100)], "undetermined"),  # a first version: there was nothing to try it beside
        ([(50, 5), (52, 100)], "fails"),
        ([(50, 5), (51, 25), (54, 100)], "fails"),
        ([(50, 5), (52, 25), (53, 100)], "fails"),
        ([(50, 4), (54, 25), (56, 100)], "fails"),
        ([(50, 5), (52, 25)], "undetermined"),
        ([(50, 5)], "undetermined"),
        ([(50, None)], "undetermined"),
        ([(50, 5), (52, None), (54, 100)], "undetermined"),
        ([(50, 25), (52, None)], "fails"),
        ([(None, 5), (52, 25), (54, 100)], "undetermined"),
        ([(50, 5), (52, 0)], "undetermined"),
        ([], "undetermined"),
    ],
)
def test_traffic_goes_up_step_by_step(climb: list[tuple[int | None, float | None]], outcome: str) -> None:
    told = [(day, {NEW: part, OLD: None if part is None else 100.0 - part}) for day, part in climb]
    assert came_to(CANARY, Facts(NOW, releases=spans(*told))) == outcome


def test_a_roll_out_that_was_stopped_and_tried_again_need_go_well_once() -> None:
    good = [(60, {NEW: 5.0}), (62, {NEW: 25.0}), (64, {NEW: 100.0})]
    stopped = [(50, {NEW: 5.0}), (51, {NEW: 0.0})]
    assert came_to(CANARY, Facts(NOW, releases=spans(*stopped, *good))) == "holds"
    # A rollback to what had gone through its steps is no new roll-out.
    assert came_to(CANARY, Facts(NOW, releases=spans(*good, (70, {OLD: 100.0}), (71, {NEW: 100.0})))) == "holds"
    at_once: list[tuple[int, dict[str, float | None]]] = [
        (40, {OLD: 100.0}),
        (50, {NEW: 100.0}),
        (51, {NEW: 0.0}),
        (52, {NEW: 100.0}),
    ]
    assert came_to(CANARY, Facts(NOW, releases=spans(*at_once))) == "fails"


@pytest.mark.parametrize(
    ("unsure", "outcome"), [(50, "undetermined"), (52, "undetermined"), (54, "undetermined"), (70, "holds")]
)
def test_a_step_that_began_between_two_syncs_decides_nothing(unsure: int, outcome: str) -> None:
    told = spans((50, {NEW: 5}), (52, {NEW: 25}), (54, {NEW: 100}), (70, {NEW: 90}), unsure=[unsure])
    assert came_to(CANARY, Facts(NOW, releases=told)) == outcome


def test_each_site_goes_up_by_itself_and_several_deployments_of_one_version_add_up() -> None:
    def at(start: int, end: int | None, lyon: float, turin: float) -> Span:
        parts = (("lyon", lyon / 2), ("lyon", lyon / 2), ("turin", turin))
        shares = tuple(Share(NEW, f"deployment:e:{index}", part, site) for index, (site, part) in enumerate(parts))
        return Span(micros(start), None if end is None else micros(end), shares)

    steps = [at(50, 52, 5, 0), at(52, 54, 25, 5), at(54, 56, 100, 25)]
    assert came_to(CANARY, Facts(NOW, releases=(*steps, at(56, None, 100, 100)))) == "holds"
    before = Span(micros(40), micros(50), (Share(OLD, "deployment:e:0", 100, "turin"),))
    assert came_to(CANARY, Facts(NOW, releases=(before, at(50, None, 5, 100)))) == "fails"
    assert came_to(CANARY, Facts(NOW, releases=(at(50, None, 5, 100),))) == "undetermined"


def test_a_canary_says_what_it_compared() -> None:
    told = spans((40, {OLD: 100}), (50, {NEW: 5}), (51, {NEW: 100}))
    result = CANARY.judge(hop(Facts(NOW, releases=told)))
    assert result.why == (
        "model:x/churn@2 had 100 % at 2026-02-21T00:00:00Z after 5 % from 2026-02-20T00:00:00Z to 2026-02-21T00:00:00Z; "
        "5 % for 2 days comes before"
    )
    assert CANARY.words() == "its traffic went through 5 %, then 25 %, then 100 %, 2 days at each step before the last"


def test_steps_rise_and_parameters_are_checked() -> None:
    read = msgspec.convert({"check": "canary", "steps": [5, 100], "for": "1d"}, Canary)
    assert read == Canary(steps=(5, 100), for_="1d")
    for wrong in ({"steps": [100, 5]}, {"steps": []}, {"steps": [0, 100]}, {"for": "1 day"}, {"for": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"check": "canary", "steps": [5, 100], "for": "1d", **wrong}, Canary)


def test_an_alias_stands_for_the_version_that_it_points_at() -> None:
    told = spans((50, {NEW: 5}), (52, {NEW: 25}), (54, {NEW: 100}))
    through = hop(Facts(NOW, releases=told), cause="model:x/churn~champion")
    through.graph.add_node(NEW, kind="model", resolved=True, implied=False, record={})
    through.graph.add_edge(NEW, "model:x/churn~champion", predicate="alias_of", basis="identifier", record={})
    assert CANARY.judge(through).outcome == "holds"


@pytest.mark.parametrize("check", [CANARY, RollbackTarget(), ActiveVersions(at_most=1), Kept(for_="1y")])
def test_what_nobody_gathered_cannot_be_determined(check: Check) -> None:
    assert came_to(check, Facts(NOW)) == "undetermined"


# --- rollback target ---


def life(
    ref: str, *stages: tuple[Stage, int | None], here: bool | None = True, gone: int | None = None, unsure: int = 0
) -> Life:
    """A version in stages since days; ``unsure``: each may have begun so many days earlier."""
    ends = [*(start for _, start in stages[1:]), *([None] if stages else [])]
    return Life(
        ref,
        tuple(
            Interval(
                stage,
                None if start is None else micros(start),
                None if end is None else micros(end),
                None if start is None else micros(start - unsure),
                number,
            )
            for number, ((stage, start), end) in enumerate(zip(stages, ends, strict=True), 1)
        ),
        gone_at=None if gone is None else micros(gone),
        here=here,
    )


def known(*lives: Life, complete: bool = True, **more: Any) -> Facts:
    return Facts(NOW, lives={"model:x/churn": lives}, complete={"model:x/churn": complete}, **more)


ROLLED = spans((10, {OLD: 100}), (50, {NEW: 100, OLD: 0}))


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (life(OLD, ("retired", 50)), "holds"),
        (life(OLD, ("archived", 50)), "holds"),
        (life(OLD, ("deleted", 60), here=False, gone=60), "fails"),
        (life(OLD, ("deleted", 60), here=None), "fails"),
        (life(OLD, ("retired", 50), here=None), "undetermined"),
        (None, "undetermined"),
    ],
)
def test_there_is_a_version_to_go_back_to(other: Life | None, outcome: str) -> None:
    facts = known(life(NEW, ("production", 50)), *([other] if other else []), releases=ROLLED)
    assert came_to(RollbackTarget(), facts) == outcome


def test_one_version_to_go_back_to_suffices_and_one_that_may_be_there_leaves_it_open() -> None:
    told = spans((10, {"model:x/churn@0": 100}), (20, {OLD: 100}), (50, {NEW: 100}))
    gone, here = life("model:x/churn@0", ("deleted", 60), here=False), life(OLD, ("retired", 50))
    assert came_to(RollbackTarget(), known(gone, here, releases=told)) == "holds"
    assert came_to(RollbackTarget(), known(gone, replace(here, here=None), releases=told)) == "undetermined"
    assert came_to(RollbackTarget(), known(gone, replace(here, here=False), releases=told)) == "fails"


@pytest.mark.parametrize(
    "told",
    [
        spans((50, {NEW: 100})),
        spans((50, {NEW: 100}), (60, {NEW: 50, OLD: 50})),  # it only came later
        spans((10, {OLD: 0}), (50, {NEW: 100})),  # it was deployed and never served
        spans((10, {OLD: None}), (50, {NEW: 100})),  # it may have served
    ],
)
def test_only_what_is_known_to_have_served_before_can_be_gone_back_to(told: tuple[Span, ...]) -> None:
    assert came_to(RollbackTarget(), known(life(OLD, ("retired", 50)), releases=told)) == "undetermined"


def test_after_a_rollback_the_version_that_was_taken_back_served_before() -> None:
    told = spans((10, {NEW: 100}), (50, {OLD: 100}), (60, {NEW: 100}))
    assert came_to(RollbackTarget(), known(life(OLD, ("retired", 60)), releases=told)) == "holds"


def test_a_candidate_can_go_back_to_what_serves_now() -> None:
    told = spans((10, {OLD: 100}))
    assert came_to(RollbackTarget(), known(life(OLD, ("production", 10)), releases=told), released=100) == "holds"


# --- active versions ---


ACTIVE = (life(NEW, ("production", 50)), life(OLD, ("staging", 40)), life("model:x/churn@0", ("archived", 10)))


@pytest.mark.parametrize(
    ("at_most", "complete", "outcome"),
    [(2, True, "holds"), (1, True, "fails"), (1, False, "fails"), (2, False, "undetermined"), (0, True, "fails")],
)
def test_no_more_versions_are_active(at_most: int, complete: bool, outcome: str) -> None:
    assert came_to(ActiveVersions(at_most=at_most), known(*ACTIVE, complete=complete)) == outcome


def test_a_stage_that_may_have_changed_already_or_is_not_known_counts_neither_way() -> None:
    changing = life(OLD, ("production", 10), ("archived", 105), unsure=20)
    assert came_to(ActiveVersions(at_most=1), known(ACTIVE[0], changing)) == "undetermined"
    assert came_to(ActiveVersions(at_most=2), known(ACTIVE[0], changing)) == "holds"
    assert came_to(ActiveVersions(at_most=0), known(changing)) == "undetermined"
    assert came_to(ActiveVersions(at_most=1), known(ACTIVE[0], life(OLD, here=None))) == "undetermined"
    coming = life(OLD, ("none", 10), ("production", 105), unsure=20)
    assert came_to(ActiveVersions(at_most=1), known(ACTIVE[0], coming)) == "undetermined"


# --- kept ---


@pytest.mark.parametrize(
    ("lives", "outcome"),
    [
        ([life(OLD, ("production", 10), ("archived", 50))], "holds"),
        ([life(OLD, ("production", 10), ("retired", 50), ("archived", 60))], "holds"),
        ([life(OLD, ("production", 10))], "holds"),  # the registry was read completely, and nothing was retired
        ([life(OLD, ("archived", 50), ("deleted", 60), here=False, gone=60)], "fails"),
        ([life(OLD, ("production", 50), ("deleted", 95), here=False, gone=95)], "fails"),
        ([life(OLD, ("archived", 50), ("deleted", 60), here=False, gone=60), life(NEW, here=None)], "fails"),
        ([life(OLD, ("archived", 5), ("deleted", 60), here=False, gone=60)], "holds"),  # its time is over
        ([life(OLD, ("archived", 5), here=None)], "holds"),
        ([life(OLD, ("archived", 50), here=None)], "undetermined"),
        ([life(OLD, ("production", 50), here=None)], "undetermined"),
        ([life(OLD, here=False, gone=60)], "undetermined"),
        ([life(OLD, ("archived", None), ("deleted", 60), here=False, gone=60)], "undetermined"),
        ([], "undetermined"),
    ],
)
def test_what_was_retired_is_kept(lives: list[Life], outcome: str) -> None:
    assert came_to(Kept(for_="90d"), known(*lives)) == outcome


def test_a_retirement_between_two_syncs_is_early_only_if_it_was_whenever_that_was() -> None:
    gone = life(OLD, ("production", 5), ("archived", 15), ("deleted", 60), here=False, gone=60, unsure=10)
    assert came_to(Kept(for_="90d"), known(gone)) == "undetermined"
    assert came_to(Kept(for_="1y"), known(gone)) == "fails"
    assert came_to(Kept(for_="80d"), known(gone)) == "holds"


def test_a_version_that_was_put_back_and_what_a_broken_reading_did_not_show() -> None:
    back = life(OLD, ("archived", 50), ("deleted", 60), ("archived", 70))
    assert came_to(Kept(for_="90d"), known(back)) == "holds"
    assert came_to(Kept(for_="90d"), known(back, complete=False)) == "undetermined"


# --- compared ---


def judged(baseline: str | None = OLD, status: str = "passed", gate: str = "champion", **more: Any) -> dict[str, Any]:
    attributes = {} if baseline is None else {"baseline": baseline}
    return {
        "gate": gate,
        "gate_type": "evaluation",
        "status": status,
        "event_time": text(40),
        "attributes": attributes,
        **more,
    }


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        ([judged()], "holds"),
        ([judged("model:churn@1")], "holds"),  # written without its namespace
        ([judged("model:x/churn@0")], "fails"),
        ([judged(NEW)], "fails"),
        ([judged(status="failed")], "fails"),
        ([judged(status="pending")], "undetermined"),
        ([judged(None)], "undetermined"),
        ([judged(), judged(None, gate="auc", status="failed")], "holds"),  # compares with nothing
        ([judged(), judged("model:x/churn@0", gate="auc")], "fails"),
        ([judged("model:x/churn@0", event_time=text(30)), judged()], "holds"),
        ([judged(), judged(None)], "undetermined"),
        ([], "undetermined"),
    ],
)
def test_it_was_compared_with_what_served_before(evidence: list[dict[str, Any]], outcome: str) -> None:
    facts = Facts(NOW, releases=ROLLED)
    assert came_to(Compared(gate_type="evaluation"), facts, evidence=evidence) == outcome


@pytest.mark.parametrize(
    ("facts", "released"),
    [
        (Facts(NOW, releases=spans((50, {NEW: 100}))), 50),  # nothing served before
        (Facts(NOW, releases=ROLLED), None),
        (Facts(NOW), 50),
        (Facts(NOW, releases=spans((10, {OLD: None}), (50, {NEW: 100}))), 50),
        (Facts(NOW, releases=spans((10, {OLD: 100}), (60, {NEW: 100}), unsure=[60])), 50),
        (
            Facts(
                NOW,
                releases=spans(
                    (
                        10,
                        {OLD: 100},
                    ),
                    (50, {NEW: 100}),
                    environment="staging",
                ),
            ),
            50,
        ),
    ],
)
def test_where_nobody_knows_what_served_before_a_comparison_decides_nothing(facts: Facts, released: int | None) -> None:
    assert came_to(Compared(), facts, evidence=[judged()], released=released) == "undetermined"


def test_of_several_versions_that_served_before_it_may_be_compared_with_any() -> None:
    told = spans((10, {OLD: 90, "model:x/churn@0": 10}), (50, {NEW: 100}))
    for baseline, outcome in ((OLD, "holds"), ("model:x/churn@0", "holds"), ("model:x/churn@9", "fails")):
        assert came_to(Compared(), Facts(NOW, releases=told), evidence=[judged(baseline)]) == outcome
    assert msgspec.convert({"check": "compared", "with": "production"}, Compared) == Compared()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"check": "compared", "with": "staging"}, Compared)
