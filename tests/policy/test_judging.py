"""What stands around the checks: outcomes together, conditions of gates, versions in force, guards, waivers, places in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from lineage_explorer.policy import Facts, Judge, Judgement, Policy, read_policy
from lineage_explorer.policy.checks.base import after, before, check_pattern, in_words, matches
from lineage_explorer.policy.checks.people import same_agent
from lineage_explorer.policy.conditions import change_between, compare, condition_of, difference, shown
from lineage_explorer.policy.deciding import readable, with_article
from lineage_explorer.policy.facts import Condition, Interval, Life
from lineage_explorer.policy.format import Guard
from lineage_explorer.policy.hop import Hop, Setting, base_of, weakest
from lineage_explorer.policy.judging import guard_of
from lineage_explorer.policy.logic import OUTCOME_OF, STATUS_OF, WORST, conjunction, disjunction, negation, verdict_of
from lineage_explorer.policy.past import possible_stages, retired_between
from lineage_explorer.policy.positions import find, position_of
from lineage_explorer.records import GRADES
from lineage_explorer.references import micros
from lineage_explorer.trace import trace

from . import estates
from .estates import DAY, ENDPOINT, NOW, text
from .worlds import (
    DATA,
    DEPLOYMENT,
    DEPLOYS,
    MODEL,
    RUN,
    Edge,
    by_subject,
    chain,
    described,
    edge,
    ev,
    graph_of,
    hop,
    told,
)

OUTCOMES = ("fails", "undetermined", "holds")


# --- outcomes together ---


@pytest.mark.parametrize("outcomes", [*product(OUTCOMES, repeat=2), *product(OUTCOMES, repeat=3)])
def test_all_is_the_worst_and_any_is_the_best(outcomes: Any) -> None:
    order = OUTCOMES.index
    assert conjunction(outcomes) == min(outcomes, key=order)
    assert disjunction(outcomes) == max(outcomes, key=order)
    assert negation(conjunction(outcomes)) == disjunction(negation(one) for one in outcomes)


def test_of_nothing_nothing_can_be_said() -> None:
    assert conjunction([]) == disjunction([]) == "undetermined"


def test_every_outcome_has_a_verdict_a_status_and_a_rank() -> None:
    assert [verdict_of(one) for one in OUTCOMES] == ["FAILED", "INCOMPLETE", "PASSED"]  # type: ignore[arg-type]
    assert [STATUS_OF[one] for one in OUTCOMES] == ["failed", "undetermined", "passed"]  # type: ignore[index]
    assert sorted(WORST, key=WORST.__getitem__) == list(OUTCOMES)
    assert {status for status, outcome in OUTCOME_OF.items() if outcome == "holds"} == {"passed", "waived"}
    assert {status for status, outcome in OUTCOME_OF.items() if outcome == "fails"} == {"failed"}


# --- conditions of gates ---


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ({"expected": "auc >= 0.9"}, ("auc", ">=", 0.9)),
        ({"expected": " f1-macro<=1e-3 "}, ("f1-macro", "<=", 0.001)),
        ({"expected": "loss < -.5"}, ("loss", "<", -0.5)),
        ({"expected": "n > +3."}, ("n", ">", 3.0)),
        ({"expected": "≥ 0.5"}, ("g", ">=", 0.5)),
        ({"expected": "x ≤ 2"}, ("x", "<=", 2.0)),
        ({"expected": "x = 2"}, ("x", "==", 2.0)),
        ({"expected": "x == 2"}, ("x", "==", 2.0)),
        ({"expected": "auc >= 0.9 and f1 >= 0.8"}, "auc >= 0.9 and f1 >= 0.8"),
        ({"expected": "  "}, None),
        ({"expected": None, "attributes": None}, None),
        ({}, None),
        ({"expected": "a", "attributes": {"expectations": {}}}, "a"),
        ({"expected": "a", "attributes": {"expectations": ["x"]}}, "a"),
        ({"expected": "a", "attributes": {"expectations": {"x": {"mostly": 1}}}}, {"x": {"mostly": 1}}),
    ],
)
def test_a_condition_is_read_as_a_threshold_a_table_or_a_text(item: dict[str, Any], condition: Any) -> None:
    assert condition_of({"gate": "g", **item}) == condition


def table(**parameters: Any) -> dict[str, Any]:
    return {"x": parameters}


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (("m", ">=", 0.9), ("m", ">=", 0.9), "same"),
        (("m", ">=", 0.9), ("m", ">=", 0.8), "weaker"),
        (("m", ">=", 0.9), ("m", ">=", 1.0), "stricter"),
        (("m", "<=", 0.9), ("m", "<=", 0.8), "stricter"),
        (("m", "<=", 0.9), ("m", "<=", 1.0), "weaker"),
        (("m", "<", 0.9), ("m", "<=", 1.0), "weaker"),
        (("m", "<", 0.9), ("m", "<=", 0.8), "stricter"),
        (("m", ">", 0.9), ("m", ">=", 0.8), "weaker"),
        (("m", ">=", 0.9), ("m", ">", 1.0), "stricter"),
        (("m", ">", 0.9), ("m", ">=", 0.9), "weaker"),
        (("m", ">=", 0.9), ("m", ">", 0.9), "stricter"),
        (("m", "<", 0.9), ("m", "<=", 0.9), "weaker"),
        (("m", "<=", 0.9), ("m", "<", 0.9), "stricter"),
        (("m", ">=", 0.9), ("m", "<=", 0.9), "changed"),
        (("m", "<", 0.9), ("m", ">", 0.8), "changed"),
        (("m", "==", 1.0), ("m", "==", 2.0), "changed"),
        (("m", "==", 1.0), ("m", "<=", 1.0), "changed"),
        (("m", "<=", 1.0), ("m", "==", 1.0), "changed"),
        (("m", ">=", 0.9), ("n", ">=", 0.8), "changed"),
        (("m", ">=", 0.9), "m is good", "changed"),
        ("a", "b", "changed"),
        (("m", ">=", 0.9), {"x": {}}, "changed"),
        ({"x": {}}, ("m", ">=", 0.9), "changed"),
        ({"x": {}}, {"x": {}, "y": {}}, "stricter"),
        ({"x": {}, "y": {}}, {"x": {}}, "weaker"),
        ({"x": {}, "y": {}}, {"x": {}, "z": {}}, "weaker"),
        ({"x": 1}, {"x": 2}, "changed"),
        ({"x": {"mostly": 1}}, {"x": 2}, "changed"),
        ({"x": 1}, {"x": {"mostly": 1}}, "changed"),
        (table(min_value=1, a=1), table(min_value=1, a=1), "same"),
        (table(min_value=1), table(min_value=0), "weaker"),
        (table(min_value=1), table(min_value=2), "stricter"),
        (table(max_value=1), table(max_value=0), "stricter"),
        (table(max_value=1), table(max_value=2), "weaker"),
        (table(min_length=1), table(min_length=0), "weaker"),
        (table(max_length=1), table(max_length=2), "weaker"),
        (table(mostly=0.9), table(mostly=0.8), "weaker"),
        (table(mostly=0.9), table(mostly=1.0), "stricter"),
        (table(min_value=1), table(), "weaker"),
        (table(), table(min_value=1), "stricter"),
        (table(max_value=1), table(), "weaker"),
        (table(), table(max_value=1), "stricter"),
        (table(mostly=0.9), table(), "stricter"),
        (table(), table(mostly=0.9), "weaker"),
        (table(min_value="2026-01-01"), table(min_value="2025-01-01"), "changed"),
        (table(min_value=1), table(min_value="0"), "changed"),
        (table(value_set=[1]), table(value_set=[2, 1]), "weaker"),
        (table(value_set=[1, 2]), table(value_set=[2]), "stricter"),
        (table(value_set=[1, 2]), table(value_set=[2, 3]), "changed"),
        (table(value_set=[1, 2]), table(value_set=[2, 1]), "same"),
        (table(value_set=[1]), table(value_set="1"), "changed"),
        (table(value_set=1), table(value_set=[1]), "changed"),
        (table(column_set=["a"]), table(column_set=["a", "b"]), "weaker"),
        (table(type_list=["a"]), table(type_list=["a", "b"]), "weaker"),
        (table(regex_list=["a"]), table(regex_list=["a", "b"]), "weaker"),
        (table(other=[1]), table(other=[1, 2]), "changed"),
        (table(other=1), table(), "changed"),
        (table(min_value=1, max_value=1), table(min_value=0, max_value=0), "weaker"),
        (table(min_value=1, other=1), table(min_value=2, other=2), "changed"),
        (table(min_value=1, other=1), table(min_value=0, other=2), "weaker"),
        (table(min_value=1, other=1), table(min_value=2, other=1), "stricter"),
    ],
)
def test_a_condition_is_weaker_where_it_asks_less(was: Any, now: Any, kind: str) -> None:
    assert compare(was, now) == kind


def test_a_change_of_conditions_is_told_before_and_after() -> None:
    assert shown(("auc", ">=", 0.9)) == "auc >= 0.9"
    assert shown({"a": 1}) == "1 expectation"
    assert shown({"a": 1, "b": 2}) == "2 expectations"
    assert shown("as agreed") == "as agreed"
    assert difference("a", {"x": 1}) == "from a to 1 expectation"
    assert difference({"x": 1}, "a") == "from 1 expectation to a"
    was = {"a": 1, "b": {"mostly": 1, "column": "c"}, "same": 1, "z": 2}
    now = {"b": {"mostly": 0.5, "column": "c"}, "c": 1, "same": 1, "z": [3]}
    assert difference(was, now) == (
        "a was removed; b from column c, mostly 1 to column c, mostly 0.5; c was added; z from 2 to [3]"
    )
    six = {f"e{n}": n for n in range(6)}
    assert difference(six, {}) == "; ".join(f"e{n} was removed" for n in range(6))
    assert difference({**six, "e6": 6}, {}).endswith("; e5 was removed; and 1 more")
    assert difference({**six, "e6": 6, "e7": 7}, {}).endswith("; e5 was removed; and 2 more")


def records(*stated: tuple[int | None, str]) -> list[Condition]:
    return [
        Condition(number, None if day is None else estates.micros(day), ev("evaluation", day, expected=expected))
        for number, (day, expected) in enumerate(stated, 11)
    ]


@pytest.mark.parametrize(
    ("earlier", "day", "expected", "kind", "words", "number"),
    [
        ([], 40, "m >= 1", "first", "the first record of evaluation: m >= 1", None),
        ([(41, "m >= 2")], 40, "m >= 1", "first", "the first record of evaluation: m >= 1", None),
        ([(40, "m >= 2")], 40, "m >= 1", "first", "the first record of evaluation: m >= 1", None),
        ([(39, "m >= 1")], 40, "m >= 1", "same", "the condition of evaluation is as before: m >= 1", 11),
        ([(39, "m >= 2")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 11),
        ([(38, "m >= 0"), (39, "m >= 2")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 12),
        ([(39, "m >= 2"), (38, "m >= 0")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 11),
        ([(39, "m >= 0"), (39, "m >= 2")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 12),
        ([(39, "m >= 1"), (39, "m >= 0")], 40, "m >= 1", "stricter", "was made stricter: from m >= 0 to m >= 1", 12),
        ([(39, "m >= 0"), (39, "n >= 0")], 40, "m >= 1", "changed", "cannot be compared: from n >= 0 to m >= 1", 12),
        ([(39, "n >= 0"), (39, "m >= 2")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 12),
        ([(38, "m >= 2"), (39, "")], 40, "m >= 1", "weaker", "was weakened: from m >= 2 to m >= 1", 11),
        ([(39, "m >= 2")], 40, "", "unknown", "evaluation does not say by which condition it was judged", None),
        ([(39, "m >= 1")], None, "m >= 1", "same", "the condition of evaluation never changed: m >= 1", None),
        ([(39, "m >= 2")], None, "m >= 1", "unknown", "changed, and the order of its records is not known", None),
        ([(None, "m >= 1")], 40, "m >= 1", "same", "the condition of evaluation never changed: m >= 1", None),
        ([(None, "m >= 2")], 40, "m >= 1", "unknown", "changed, and the order of its records is not known", None),
        ([(None, "")], 40, "m >= 1", "first", "the first record of evaluation: m >= 1", None),
    ],
)
def test_a_condition_is_compared_with_that_of_the_record_before(
    earlier: Any, day: int | None, expected: str, kind: str, words: str, number: int | None
) -> None:
    change = change_between(records(*earlier), 1, ev("evaluation", day, expected=expected))
    assert (change.kind, change.before) == (kind, number)
    assert change.words.endswith(words)
    assert "evaluation" in change.words


def test_a_record_is_not_compared_with_itself() -> None:
    (own,) = records((None, "m >= 1"))
    assert change_between([own], own.number, own.evidence).kind == "same"
    assert change_between([own], own.number, ev("evaluation", 40, expected="m >= 2")).kind == "first"


# --- small words and numbers ---


@pytest.mark.parametrize(
    ("duration", "start", "end", "words"),
    [
        ("1h", "2026-03-01T00:00:00Z", "2026-02-28T23:00:00Z", "1 hour"),
        ("36h", "2026-03-02T12:00:00Z", "2026-03-01T00:00:00Z", "36 hours"),
        ("1d", "2026-03-01T00:00:00.000001Z", "2026-02-28T00:00:00.000001Z", "1 day"),
        ("2w", "2026-03-15T00:00:00Z", "2026-03-01T00:00:00Z", "2 weeks"),
        ("1m", "2026-03-31T00:00:00Z", "2026-02-28T00:00:00Z", "1 month"),
        ("12m", "2024-02-29T00:00:00Z", "2023-02-28T00:00:00Z", "12 months"),
        ("7y", "2026-03-01T00:00:00Z", "2019-03-01T00:00:00Z", "7 years"),
    ],
)
def test_durations_are_counted_by_the_calendar(duration: str, start: str, end: str, words: str) -> None:
    assert before(micros(start), duration) == micros(end)
    assert in_words(duration) == words


def test_a_duration_forward_is_counted_by_the_calendar() -> None:
    assert after(micros("2026-01-31T00:00:00Z"), "1m") == micros("2026-02-28T00:00:00Z")
    assert after(micros("2024-02-29T00:00:00Z"), "1y") == micros("2025-02-28T00:00:00Z")
    assert after(0, "1w") == 7 * DAY


def test_a_duration_beyond_the_calendar_is_before_or_after_everything() -> None:
    now = micros("2026-03-01T00:00:00Z")
    assert before(now, "99999y") == -(2**62)
    assert after(now, "99999y") == 2**62
    with pytest.raises(ValueError, match="'soon' is no duration"):
        before(now, "soon")


def test_patterns_match_whole_texts_and_are_told_what_is_wrong_with_them() -> None:
    assert matches("a+", "aaa")
    assert not matches("a+", "aab")
    assert check_pattern("a+") == ""
    assert check_pattern("(a") == "missing ): (a"
    assert "(?<" in check_pattern("(?<=a)b")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("person:ada", "person:ada", True),
        ("service:ci", "service:ci", True),
        ("team:ml", "team:ml", None),
        ("group:ml", "group:ml", None),
        ("organization:ml", "organization:ml", None),
        ("ada", "ada", True),
        ("person:ada", "person:mia", False),
        ("person:ada", "service:ada", None),
        ("person:ada", "service:ci", False),
        ("person:ada", "person:Ada", None),
        ("person:ada", "person:corp/ada", None),
        ("person:ada", "person:ada%40example.org", None),
        ("person:ada%40a.org", "person:ada%40b.org", None),
        ("person:ada", "person:corp%5Cada", None),
        ("ada", "person:mia", None),
        ("person:mia", "ada", None),
        ("ada", "mia", None),
        ("CORP\\ada ", "person:ada", None),
        ("person:ada", "team:ml", None),
        ("organization:x", "person:ada", None),
    ],
)
def test_two_names_mean_one_agent_another_or_nobody_can_tell(first: str, second: str, same: bool | None) -> None:
    assert same_agent(first, second) is same


def test_grades_come_from_the_weakest() -> None:
    assert weakest([]) == ""
    assert weakest([(1, {"grade": "signed"}), (2, {"grade": "recomputed"})]) == "signed"
    assert weakest([(1, {"grade": "signed"}), (2, {})]) == "claimed"
    assert GRADES == ("recomputed", "signed", "referenced", "claimed")


def test_words_around_numbers() -> None:
    assert readable("0.12345678") == "0.123457"
    assert readable("123456789") == "123456789"
    assert readable("1234567890") == "1.23457e+09"
    assert readable("not a number") == "not a number"
    assert [with_article(word) for word in ("gate", "approval", "order", "evaluation", "item", "user")] == [
        "a gate",
        "an approval",
        "an order",
        "an evaluation",
        "an item",
        "an user",
    ]
    assert base_of("model:prod/churn@3") == "model:prod/churn"
    assert micros("1970-01-02T03:04:05.000006Z") == (((27 * 60) + 4) * 60 + 5) * 1_000_000 + 6


# --- what a hop sees ---


def test_a_release_is_what_a_record_states_and_not_what_was_first_seen() -> None:
    seen = (MODEL, "deploys", DEPLOYMENT, {**edge(MODEL, "deploys", DEPLOYMENT)[3], "valid_from": estates.micros(10)})
    assert hop(base=[*chain()[:2], seen, chain(50)[3]]).release == estates.micros(50)
    assert hop(base=[*chain()[:2], seen, chain(None)[3]]).release is None
    bare = (
        MODEL,
        "deploys",
        DEPLOYMENT,
        {"predicate": "deploys", "valid_from": 7, "basis": "", "role": "", "record_id": 0},
    )
    assert hop(base=[*chain()[:2], bare, chain(None)[3]]).release is None


def test_only_what_deploys_and_serves_releases() -> None:
    more = [
        edge("code:c@1", "used", DEPLOYMENT, valid_from=10),
        edge(DEPLOYMENT, "alias_of", "deployment:x", valid_from=10),
    ]
    assert hop(edges=more).release == estates.micros(50)


def test_the_deployment_of_a_hop() -> None:
    assert hop().deployment == DEPLOYMENT
    assert hop(at=(DEPLOYMENT, ENDPOINT)).deployment == DEPLOYMENT
    assert hop(at=(DATA, RUN)).deployment is None
    assert hop(at=(DATA, RUN)).deployments == (DEPLOYMENT,)
    idle = [*chain()[:3], edge(DEPLOYMENT, "serves", ENDPOINT, traffic=0.0)]
    assert hop(base=idle).deployments == (DEPLOYMENT,)


def test_what_a_hop_releases() -> None:
    second = [edge("ai_agent:g@1", "deploys", DEPLOYMENT), edge("prompt:p@1", "deploys", DEPLOYMENT)]
    assert hop(edges=second).released == (MODEL,)
    assert hop(edges=second, at=(DEPLOYMENT, ENDPOINT)).released == (MODEL, "ai_agent:g@1")
    assert hop(edges=second, at=(DATA, RUN)).released == (MODEL,)
    assert hop(edges=second, at=(RUN, MODEL)).released == (MODEL,)
    assert hop(edges=second, at=("prompt:p@1", DEPLOYMENT)).released == ()
    assert hop(edges=[edge(MODEL, "deploys", DEPLOYMENT, record={"slot": "b"})]).released == (MODEL,)
    code_first = [edge("code:c@1", "deploys", DEPLOYMENT), *chain()]
    elsewhere = [
        edge("model:b@1", "deploys", "deployment:e:b"),
        edge("deployment:e:b", "serves", ENDPOINT, traffic=1.0),
    ]
    assert hop(base=code_first, edges=elsewhere, at=(DEPLOYMENT, ENDPOINT)).released == (MODEL,)


def test_a_thing_is_the_same_as_the_logged_model_whose_bytes_it_is() -> None:
    more = [
        edge("logged_model:m", "was_derived_from", MODEL),
        edge("logged_model:m", "was_derived_from", MODEL, basis="content_hash"),
        edge("logged_model:n", "was_derived_from", MODEL, basis="name"),
        edge("model:churn@x", "alias_of", MODEL),
        edge("run:m", "was_generated_by", "logged_model:m"),
        edge("code:c@1", "used", "logged_model:m"),
        edge("model:elsewhere@1", "alias_of", "model:other@1"),
        edge("model:other@1", "used", RUN),
    ]
    seen = hop(edges=more)
    assert seen.setting.same_as(MODEL) == [MODEL, "logged_model:m", "model:churn@x"]
    assert seen.setting.makers(MODEL) == ["run:m", RUN]
    assert seen.setting.same_as("model:nowhere@1") == ["model:nowhere@1"]
    assert seen.setting.makers("model:nowhere@1") == []
    assert seen.attributes("model:nowhere@1") == {}


def test_a_thing_of_which_nothing_is_recorded_has_no_attributes() -> None:
    bare = hop()
    del bare.graph.nodes[MODEL]["record"]
    assert bare.attributes(MODEL) == {}
    assert bare.record == {}
    hostile = hop()
    hostile.graph.nodes[MODEL]["record"] = {"attributes": ["text"]}
    assert hostile.attributes(MODEL) == {}


def test_evidence_is_read_once_for_each_thing() -> None:
    seen = hop(ev(), ev(subject="model:other@1"))
    assert [number for number, _ in seen.evidence_about(MODEL)] == [1]
    assert seen.evidence_about(MODEL) is seen.evidence_about(MODEL)


RUNS = {"started_at": text(30), "ended_at": text(31)}


@pytest.mark.parametrize(
    ("at", "nodes", "edges", "day"),
    [
        (DEPLOYS, {}, chain(), 50),
        (DEPLOYS, {}, chain(None), None),
        ((DEPLOYMENT, ENDPOINT), {}, chain(), 50),
        ((DEPLOYMENT, ENDPOINT), {}, [*chain(40)[:3], chain(None)[3]], None),
        ((DATA, RUN), {RUN: {"record": RUNS}}, chain(), 30),
        ((DATA, RUN), {RUN: {"record": {"ended_at": text(31), "created_at": text(5)}}}, chain(), 31),
        ((DATA, RUN), {RUN: {"record": {"created_at": text(5)}}}, chain(), None),
        ((DATA, RUN), {}, [edge(DATA, "used", RUN, event_time=29), *chain()[1:]], 29),
        ((RUN, MODEL), {MODEL: {"record": {"created_at": text(33), **RUNS}}}, chain(), 33),
        ((RUN, MODEL), {MODEL: {"record": RUNS}}, chain(), None),
        ((RUN, MODEL), {}, [chain()[0], edge(RUN, "was_generated_by", MODEL, event_time=34), *chain()[2:]], 34),
    ],
)
def test_the_event_of_a_hop_is_what_its_effect_went_through(
    at: tuple[str, str], nodes: Any, edges: list[Edge], day: int | None
) -> None:
    assert hop(at=at, nodes=nodes, base=edges).event == (None if day is None else estates.micros(day))


def test_an_event_that_was_only_seen_is_not_recorded() -> None:
    seen = (DEPLOYMENT, "serves", ENDPOINT, {**chain(None)[3][3], "valid_from": estates.micros(7)})
    serving = hop(base=[*chain()[:3], seen], at=(DEPLOYMENT, ENDPOINT))
    assert serving.event is None
    del serving.graph.edges[DEPLOYMENT, ENDPOINT, 0]["record"]
    assert serving.event is None


@pytest.mark.parametrize("elsewhere", [20, 60])
def test_the_event_of_a_deployment_is_its_own_release(elsewhere: int) -> None:
    other = [
        edge("model:b@1", "deploys", "deployment:e:b", valid_from=elsewhere),
        edge("deployment:e:b", "serves", ENDPOINT, traffic=1.0),
    ]
    assert hop(edges=other).event == estates.micros(50)


# --- versions, guards, waivers ---

HOP = 'hop = ["model", "deploys", "deployment"]'


def policy(*versions: tuple[str, int | None, str], waivers: str = "") -> Policy:
    """Versions as (number, day it takes effect, requirements)."""
    parts = ['name = "p"']
    for number, day, rest in versions:
        since = "" if day is None else f"effective_from = {text(day)}"
        parts.append(f'[[version]]\nversion = "{number}"\n{since}\n{rest}\n{waivers}')
    return read_policy("\n".join(parts))


def asks(rest: str, *, name: str = "r", where: str = HOP) -> str:
    return f'[[version.requirement]]\nid = "{name}"\ntitle = "Title of {name}"\n{where}\n{rest}\n'


def judged(
    rules: Policy,
    *evidence: Mapping[str, Any],
    base: list[Edge] | None = None,
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    at: tuple[str, str] = DEPLOYS,
    as_of: int = NOW,
    judged_as_of: int | None = None,
) -> tuple[list[Judgement], Judge]:
    known = trace(graph_of(chain() if base is None else base, nodes), ENDPOINT)
    fixed = None if judged_as_of is None else estates.micros(judged_as_of)
    judge = Judge(known, rules, by_subject(evidence), Facts(estates.micros(as_of)), fixed)
    return judge.hop(*at, known.graph.edges[(*at, 0)]), judge


def said(found: list[Judgement]) -> list[str]:
    return [
        f"{one.requirement} {one.outcome} {one.status} {one.policy_version or '-'}: {one.why}"
        + (f" | {one.needed}" if one.needed else "")
        for one in found
    ]


RESOLVED, NAMED = 'check = "resolved"', 'check = "name"\nname = "other"'
BOTH = "both ends are on record"
OTHERWISE = "the name 'churn' does not match other"
TWO = (("1", 20, asks(NAMED)), ("2", 50, asks(RESOLVED)))
UNKNOWN_TIME = (
    "policy-in-force undetermined undetermined -: when it happened is not recorded, and versions 1 and 2 of the policy come "
    f"to different outcomes | the time of what {DEPLOYMENT} stands for"
)
NOT_YET = (
    "policy-in-force undetermined missing -: no version of policy p was in force when it happened; the first took effect at "
    "2026-01-21T00:00:00Z | a policy that was in force then, or --policy-as-of"
)


@pytest.mark.parametrize(
    ("versions", "more", "expected", "applied"),
    [
        ([("1", None, asks(RESOLVED))], {}, [f"r holds passed 1: {BOTH}"], {"1": 1}),
        ([("1", None, asks(RESOLVED))], {"base": chain(None)}, [f"r holds passed 1: {BOTH}"], {"1": 1}),
        ([("1", 60, asks(RESOLVED))], {"base": chain(60)}, [f"r holds passed 1: {BOTH}"], {"1": 1}),
        (TWO, {}, [f"r holds passed 2: {BOTH}"], {"2": 1}),
        (TWO, {"base": chain(49)}, [f"r fails failed 1: {OTHERWISE}"], {"1": 1}),
        (TWO, {"base": chain(19)}, [NOT_YET], {}),
        (TWO, {"base": chain(None)}, [UNKNOWN_TIME], {}),
        (TWO, {"base": chain(None), "as_of": 49}, [f"r fails failed 1: {OTHERWISE}"], {"1": 1}),
        (TWO, {"base": chain(None), "as_of": 50}, [UNKNOWN_TIME], {}),
        (TWO, {"base": chain(None), "as_of": 19}, [NOT_YET], {}),
        (TWO, {"judged_as_of": 30}, [f"r fails failed 1: {OTHERWISE}"], {"1": 1}),
        (TWO, {"judged_as_of": 60, "base": chain(30)}, [f"r holds passed 2: {BOTH}"], {"2": 1}),
        (TWO, {"judged_as_of": 10}, [NOT_YET], {}),
        (TWO, {"at": (DATA, RUN)}, [], {}),
        (TWO, {"at": (DATA, RUN), "base": chain(None)}, [], {}),
        (TWO, {"at": (DATA, RUN), "judged_as_of": 10}, [], {}),
        ([("1", 20, asks(RESOLVED)), ("2", 50, "")], {"base": chain(10)}, [NOT_YET], {}),
        ([("1", 20, asks(RESOLVED)), ("2", 50, "")], {}, [], {}),
        ([("1", 20, asks(RESOLVED)), ("2", 50, "")], {"base": chain(None)}, [f"r holds passed 1: {BOTH}"], {"1": 1}),
        (
            [("1", 20, asks(RESOLVED)), ("2", 50, asks('check = "name"\nname = "churn"'))],
            {"base": chain(None)},
            [f"r holds passed 2: {MODEL} is named as it should be"],
            {"2": 1},
        ),
    ],
)
def test_a_hop_is_judged_by_the_version_in_force_when_it_happened(
    versions: Any, more: dict[str, Any], expected: list[str], applied: dict[str, int]
) -> None:
    found, judge = judged(policy(*versions), **more)
    assert said(found) == expected
    assert judge.applied == applied
    if expected and "policy-in-force" in expected[0]:
        assert found[0].title == "A version of the policy was in force"


def test_a_policy_always_in_force_says_so_without_a_date() -> None:
    rules = policy(("1", None, asks(RESOLVED)), ("2", 50, asks(NAMED)))
    assert said(judged(rules, base=chain(10))[0]) == [f"r holds passed 1: {BOTH}"]
    empty = read_policy('name = "p"\nversion = "1"')
    assert judged(empty)[0] == []


def test_a_judgement_says_what_its_requirement_is_and_rests_on() -> None:
    rules = policy(("7", None, asks('check = "evidence"\ncites = "Article 9"')))
    (found,), _ = judged(rules, ev(grade="signed"))
    assert (found.requirement, found.title, found.cites, found.policy_version) == ("r", "Title of r", "Article 9", "7")
    assert (found.outcome, found.status, found.grade, found.evidence, found.needed) == (
        "holds",
        "passed",
        "signed",
        (1,),
        "",
    )
    assert found.waiver is None


def test_a_requirement_applies_to_hops_of_its_kinds_ends_and_role() -> None:
    anywhere = asks(RESOLVED, name="any", where='hop = ["*", "*", "*"]')
    either = asks(RESOLVED, name="either", where='hop = ["model|dataset", "deploys|used", "deployment|run"]')
    data = asks(RESOLVED, name="role", where='hop = ["dataset", "used", "run"]\nrole = "training"')
    other = asks(RESOLVED, name="other", where='hop = ["dataset", "used", "run"]\nrole = "test"')
    kind = asks(RESOLVED, name="kind", where='hop = ["ai_agent", "deploys", "deployment"]')
    rules = policy(("1", None, anywhere + either + data + other + kind))
    assert [one.requirement for one in judged(rules)[0]] == ["any", "either"]
    assert [one.requirement for one in judged(rules, at=(DATA, RUN))[0]] == ["any", "either", "role"]
    assert [one.requirement for one in judged(rules, at=(RUN, MODEL))[0]] == ["any"]


def test_a_requirement_may_be_about_the_effect() -> None:
    rules = policy(("1", None, asks('of = "effect"\ncheck = "name"\nname = "e:b"')))
    assert said(judged(rules)[0]) == ["r fails failed 1: the name 'e:a' does not match e:b"]


def test_evidence_about_the_effect_is_found_there() -> None:
    rules = policy(("1", None, asks('of = "effect"\ncheck = "evidence"')))
    (found,), _ = judged(rules, ev(status="failed"), ev(subject=DEPLOYMENT))
    assert (found.outcome, found.evidence) == ("holds", (2,))


PROD = 'when = { environment = "production" }\n'
PLACE = {DEPLOYMENT: described(environment="Production")}
WHETHER = "r undetermined undetermined 1: whether this is required cannot be determined: "


@pytest.mark.parametrize(
    ("guard", "more", "expected"),
    [
        ('environment = "production"', {"nodes": PLACE}, f"r holds passed 1: {BOTH}"),
        ('environment = ["PRODUCTION", "x"]', {"nodes": PLACE}, f"r holds passed 1: {BOTH}"),
        ('environment = "staging"', {"nodes": PLACE}, None),
        (
            'environment = "staging"',
            {},
            f"{WHETHER}the environment of {DEPLOYMENT} is not recorded | the environment of {DEPLOYMENT}",
        ),
        ('kind = "model"', {}, f"r holds passed 1: {BOTH}"),
        ('kind = ["ai_agent", "model"]', {}, f"r holds passed 1: {BOTH}"),
        ('kind = "ai_agent"', {}, None),
        ('tag = { risk = "high" }', {"nodes": {MODEL: described(tags={"risk": "high"})}}, f"r holds passed 1: {BOTH}"),
        ('tag = { risk = "high" }', {"nodes": {MODEL: described(risk="high")}}, f"r holds passed 1: {BOTH}"),
        ('tag = { risk = "1" }', {"nodes": {MODEL: described(tags={"risk": 1})}}, f"r holds passed 1: {BOTH}"),
        ('tag = { risk = "high" }', {"nodes": {MODEL: described(tags={"risk": "low"}, risk="low")}}, None),
        (
            'tag = { risk = "high" }',
            {"nodes": {MODEL: described(tags={"risk": "low"}, risk="high")}},
            f"{WHETHER}risk is high and low | one tag 'risk' of {MODEL}",
        ),
        (
            'tag = { risk = "high" }',
            {"nodes": {MODEL: described(tags={"risk": None}, risk="high")}},
            f"r holds passed 1: {BOTH}",
        ),
        ('tag = { risk = "high" }', {"nodes": {MODEL: described(tags="risk", risk="low")}}, None),
        ('tag = { risk = "high" }', {}, f"{WHETHER}{MODEL} has no tag 'risk' | the tag 'risk' of {MODEL}"),
        (
            'kind = "model"\ntag = { risk = "high", area = "x" }'.replace("\n", ", "),
            {"nodes": {MODEL: described(risk="high")}},
            f"{WHETHER}model; {MODEL} has no tag 'area'; risk is high | the tag 'area' of {MODEL}",
        ),
        ('kind = "ai_agent", tag = { risk = "high" }', {}, None),
        ('environment = "staging", kind = "model"', {"nodes": PLACE}, None),
    ],
)
def test_a_requirement_applies_where_its_guard_holds(guard: str, more: dict[str, Any], expected: str | None) -> None:
    rules = policy(("1", None, asks(f"when = {{ {guard} }}\n{RESOLVED}")))
    found, judge = judged(rules, **more)
    assert said(found) == ([] if expected is None else [expected])
    assert judge.applied == ({} if expected is None else {"1": 1})


AGENT = edge("ai_agent:g@1", "deploys", DEPLOYMENT)
SERVED = {"edges": [AGENT], "at": (DEPLOYMENT, ENDPOINT)}


@pytest.mark.parametrize(
    ("guard", "given", "words"),
    [
        (Guard(kind=("prompt", "model")), {}, "holds: prompt or model"),
        (Guard(kind=("prompt", "index")), SERVED, "fails: ai_agent, model"),
        (
            Guard(environment=("a", "b")),
            {"nodes": {DEPLOYMENT: described(environment="B")}},
            "holds: deployed in a or b",
        ),
        (Guard(environment="a"), {"nodes": {DEPLOYMENT: described(environment="b")}}, "fails: deployed in b"),
        (Guard(tag={"risk": "high"}), {"nodes": {MODEL: described(risk="high")}}, "holds: risk is high"),
        (Guard(tag={"risk": "high"}), {"nodes": {MODEL: described(risk="low")}}, "fails: risk is low"),
        (
            Guard(kind="model", tag={"b": "1", "a": "1"}),
            {"nodes": {MODEL: described(a="1", b="2")}},
            "fails: model; a is 1; b is 2",
        ),
    ],
)
def test_a_guard_says_why(guard: Guard, given: dict[str, Any], words: str) -> None:
    assert told(guard_of(guard, hop(**given))) == words


def test_a_guard_that_cannot_be_determined_leaves_even_a_failure_undetermined() -> None:
    rules = policy(("1", None, asks(PROD + NAMED)))
    assert said(judged(rules)[0])[0].startswith(WHETHER)
    assert said(judged(rules, nodes=PLACE)[0]) == [f"r fails failed 1: {OTHERWISE}"]


TWO_PLACES = [
    *chain(),
    edge(MODEL, "deploys", "deployment:e:b"),
    edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
]


@pytest.mark.parametrize(
    ("places", "applies"),
    [
        (("production", "staging"), True),
        (("production", ""), True),
        (("staging", ""), None),
        (("", "staging"), None),
        (("staging", "dev"), False),
    ],
)
def test_a_guard_further_up_asks_where_any_deployment_is_that_it_leads_to(
    places: tuple[str, str], applies: bool | None
) -> None:
    nodes = {
        ref: described(environment=place) for ref, place in zip((DEPLOYMENT, "deployment:e:b"), places, strict=True)
    }
    rules = policy(("1", None, asks(PROD + RESOLVED, where='hop = ["dataset", "used", "run"]')))
    found, _ = judged(rules, base=TWO_PLACES, nodes=nodes, at=(DATA, RUN))
    if applies is False:
        assert found == []
    elif applies:
        assert said(found) == [f"r holds passed 1: {BOTH}"]
    else:
        (missing,) = [ref for ref, place in zip((DEPLOYMENT, "deployment:e:b"), places, strict=True) if not place]
        assert said(found) == [f"{WHETHER}the environment of {missing} is not recorded | the environment of {missing}"]


def test_a_guard_of_what_leads_nowhere_cannot_be_determined() -> None:
    nowhere = [
        *chain()[:3],
        edge(DEPLOYMENT, "serves", ENDPOINT, traffic=None),
        edge("prompt:p@1", "deploys", DEPLOYMENT),
    ]
    rules = policy(
        ("1", None, asks('when = { kind = "model" }\n' + RESOLVED, where='hop = ["prompt", "deploys", "*"]'))
    )
    found, _ = judged(rules, base=nowhere, at=("prompt:p@1", DEPLOYMENT))
    assert said(found) == [f"{WHETHER}what is released is not on record | what the deployment releases"]
    beside = [*chain(), edge(MODEL, "used", "run:eval"), edge("dataset:t@1", "used", "run:eval")]
    rules = policy(("1", None, asks(PROD + RESOLVED, where='hop = ["dataset", "used", "run"]')))
    found, _ = judged(rules, base=beside, nodes={"run:eval": {"side": True}}, at=("dataset:t@1", "run:eval"))
    assert said(found) == [
        f"{WHETHER}the environment of its deployment is not recorded | the environment of its deployment"
    ]


NO_GATE = f"no approval of {MODEL} is on record"
NEED = f"a result of an approval about {MODEL}"
APPROVED = '{ check = "evidence", gate_type = "approval" }'
GOOD, BAD = '{ check = "resolved" }', '{ check = "name", name = "other" }'
PASSED = "approval: passed claimed at 2026-02-10T00:00:00Z"


@pytest.mark.parametrize(
    ("condition", "evidence", "expected"),
    [
        (f"all = [{GOOD}, {APPROVED}]", [ev()], f"holds passed 1: {BOTH}; {PASSED}"),
        (f"all = [{GOOD}, {APPROVED}]", [], f"undetermined missing 1: {NO_GATE}; {BOTH} | {NEED}"),
        (f"all = [{GOOD}, {APPROVED}, {BAD}]", [], f"fails failed 1: {OTHERWISE}; {BOTH}; {NO_GATE}"),
        (f"any = [{BAD}, {APPROVED}]", [], f"undetermined missing 1: {NO_GATE}; or {OTHERWISE} | {NEED}"),
        (f"any = [{BAD}, {APPROVED}, {GOOD}]", [], f"holds passed 1: {BOTH}; or {OTHERWISE}; or {NO_GATE}"),
        (
            f"any = [{BAD}, {APPROVED}]",
            [ev(status="failed")],
            f"fails failed 1: {OTHERWISE}; or {PASSED}".replace("passed", "failed"),
        ),
        (f"any = [{GOOD}, {GOOD}]", [], f"holds passed 1: {BOTH}"),
        (f"not = {BAD}", [], f"holds passed 1: not ({OTHERWISE})"),
        (f"not = {GOOD}", [], f"fails failed 1: not ({BOTH})"),
        (f"not = {APPROVED}", [], f"undetermined missing 1: not ({NO_GATE}) | {NEED}"),
        (f"not = {{ any = [{BAD}, {APPROVED}] }}", [ev()], f"fails failed 1: not ({PASSED}; or {OTHERWISE})"),
    ],
)
def test_conditions_combine_and_are_explained_by_what_decided(condition: str, evidence: Any, expected: str) -> None:
    found, _ = judged(policy(("1", None, asks(condition))), *evidence)
    assert said(found) == [f"r {expected}"]


def test_a_combination_rests_on_the_records_that_decided() -> None:
    two = 'all = [{ check = "evidence", gate = "a" }, { check = "evidence", gate = "b" }]'
    rules = policy(("1", None, asks(two)))
    (both,), _ = judged(rules, ev(gate="a", grade="signed"), ev(gate="b", grade="referenced"))
    assert (both.outcome, both.grade, both.evidence) == ("holds", "referenced", (1, 2))
    (one,), _ = judged(rules, ev(gate="a", grade="signed"), ev(gate="b", grade="referenced", status="failed"))
    assert (one.outcome, one.grade, one.evidence) == ("fails", "referenced", (2,))
    until = {"status": "waived", "evaluator": "person:mia", "valid_to": text(101), "attributes": {"reason": "x"}}
    (waived,), _ = judged(rules, ev(gate="a"), ev(gate="b", **until))
    assert (waived.outcome, waived.status) == ("holds", "waived")
    (opposite,), _ = judged(policy(("1", None, asks('not = { check = "evidence" }'))), ev(grade="signed"))
    assert (opposite.outcome, opposite.grade, opposite.evidence) == ("fails", "signed", (1,))


def waiver(until: int = 110, **more: str) -> str:
    lines = {"requirement": "r", "subject": MODEL, "by": "person:ada", "why": "known", **more}
    plain = "\n".join(f'{key} = "{value}"' for key, value in lines.items())
    return f"[[version.waiver]]\n{plain}\nuntil = {text(until)}\n"


@pytest.mark.parametrize(
    ("waivers", "expected", "expired"),
    [
        (
            waiver(),
            f"holds waived 1: waived by person:ada until 2026-04-21T00:00:00Z (known); without the waiver: {OTHERWISE}",
            0,
        ),
        (
            waiver(101),
            f"holds waived 1: waived by person:ada until 2026-04-12T00:00:00Z (known); without the waiver: {OTHERWISE}",
            0,
        ),
        (waiver(100), f"fails failed 1: {OTHERWISE}; a waiver by person:ada expired at 2026-04-11T00:00:00Z", 1),
        (waiver(subject="model:churn@2"), f"fails failed 1: {OTHERWISE}", 0),
        (waiver(requirement="s") + asks(RESOLVED, name="s"), f"fails failed 1: {OTHERWISE}", 0),
        (
            waiver(subject="model:churn@2") + waiver(),
            f"holds waived 1: waived by person:ada until 2026-04-21T00:00:00Z (known); without the waiver: {OTHERWISE}",
            0,
        ),
    ],
)
def test_a_waiver_holds_for_its_requirement_and_subject_until_it_ends(
    waivers: str, expected: str, expired: int
) -> None:
    found, judge = judged(policy(("1", None, asks(NAMED)), waivers=waivers))
    assert said(found)[0] == f"r {expected}"
    assert (found[0].waiver is not None) == (found[0].status == "waived")
    assert [subject for _, subject in judge.expired] == [MODEL] * expired


def test_what_holds_needs_no_waiver() -> None:
    found, judge = judged(policy(("1", None, asks(RESOLVED)), waivers=waiver(100)))
    assert said(found) == [f"r holds passed 1: {BOTH}"]
    assert judge.expired == []


def test_a_waived_requirement_still_names_its_evidence() -> None:
    rules = policy(("1", None, asks('check = "evidence"')), waivers=waiver())
    (found,), _ = judged(rules, ev(status="pending", grade="signed"))
    assert (found.outcome, found.status, found.grade, found.evidence) == ("holds", "waived", "signed", (1,))
    assert found.needed == ""
    assert found.waiver is not None
    assert found.waiver.by == "person:ada"
    (late,), _ = judged(policy(("1", None, asks('check = "evidence"')), waivers=waiver(100)), ev(status="pending"))
    assert (late.outcome, late.status, late.needed) == ("undetermined", "pending", "a decision on approval")


def test_waivers_are_those_of_the_version_in_force_now() -> None:
    old = ("1", 20, asks(NAMED))
    with_waiver = policy(old, ("2", 60, asks(NAMED) + waiver()))
    assert judged(with_waiver)[0][0].status == "waived"
    assert judged(with_waiver, as_of=59)[0][0].status == "failed"
    without = policy(("1", 20, asks(NAMED) + waiver()), ("2", 60, asks(NAMED)))
    assert judged(without)[0][0].status == "failed"
    assert judged(without, judged_as_of=30)[0][0].status == "waived"
    assert judged(without, judged_as_of=70)[0][0].status == "failed"
    assert judged(without, judged_as_of=70, base=chain(30))[0][0].policy_version == "2"


# --- lives ---


def test_the_stage_at_an_instant() -> None:
    life = Life("model:m@1", (Interval("staging", 10, 20), Interval("production", 20, None)))
    assert [one.stage if (one := life.at(when)) else None for when in (9, 10, 19, 20, 99)] == [
        None,
        "staging",
        "staging",
        "production",
        "production",
    ]
    ended = Life("model:m@1", (Interval("none", None, 10), Interval("staging", 10, 20)))
    assert [one.stage if (one := ended.at(when)) else None for when in (0, 10, 19, 20)] == [
        "none",
        "staging",
        "staging",
        None,
    ]


def test_a_change_between_two_syncs_leaves_both_stages_possible() -> None:
    life = Life("model:m@1", (Interval("staging", 10, 20, 10), Interval("production", 20, None, 15)))
    assert [sorted(possible_stages(life, when)) for when in (5, 10, 15, 16, 19, 20)] == [
        [],
        ["staging"],
        ["staging"],
        ["production", "staging"],
        ["production", "staging"],
        ["production"],
    ]
    first = Life("model:m@1", (Interval("production", 20, None, 15),))
    assert [sorted(possible_stages(first, when)) for when in (15, 16, 20)] == [
        [],
        ["none", "production"],
        ["production"],
    ]


def test_a_retirement_counts_from_when_it_was_for_good() -> None:
    life = Life(
        "model:m@1",
        (
            Interval("archived", 10, 20, 9),
            Interval("production", 20, 30, 20),
            Interval("retired", 30, 40, 25),
            Interval("deleted", 40, None, 40),
        ),
    )
    assert [retired_between(life, when) for when in (9, 10, 19, 20, 29, 30, 50)] == [
        (None, None),
        (9, 10),
        (9, 10),
        (None, None),
        (None, None),
        (25, 30),
        (25, 30),
    ]
    assert retired_between(Life("model:m@1", (Interval("archived", None, None),)), 5) == (None, None)


# --- places in a file ---

FILE = """name = "p"
version = "1"

[[requirement]]
id = "a"
when = { environment = "production", tag = { risk = "high" } }
hop = ["model", "deploys", "deployment"]

  [[requirement]]
  id = "b"
  all = [
    { check = "metric", metric = "f1" },
    { check = "metric", metric = "auc" },
  ]

[empty]
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (1, 1)),
        (("version",), (2, 1)),
        (("requirement", 0, "id"), (5, 1)),
        (("requirement", 0, "hop", 1), (7, 17)),
        (("requirement", 0, "hop"), (7, 1)),
        (("requirement", 0, "when", "environment"), (6, 10)),
        (("requirement", 0, "when", "tag", "risk"), (6, 46)),
        (("requirement", 0, "when"), (6, 1)),
        (("requirement", 1, "id"), (10, 3)),
        (("requirement", 1, "all", 1, "metric"), (13, 25)),
        (("requirement", 1, "all", 0), (12, 7)),
        (("requirement", 1, "all", 1, "missing"), (13, 7)),
        (("requirement", 1, "missing"), (10, 3)),
        (("requirement", 7), (5, 1)),
        (("empty",), (16, 2)),
        (("missing",), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_a_place_is_that_of_the_key_or_of_the_table_that_it_is_missing_from(path: Any, place: tuple[int, int]) -> None:
    assert position_of(FILE, path) == place


def test_nothing_has_no_place() -> None:
    assert position_of("", ("name",)) == (0, 0)
    assert position_of("not toml", ("name",)) == (1, 1)
    assert find("not toml", "a", "b") == (0, 0)


def test_a_key_is_found_by_its_value_wherever_it_stands() -> None:
    assert find(FILE, "metric", "auc") == (13, 25)
    assert find(FILE, "check", "metric") == (12, 7)
    assert find(FILE, "id", "b") == (10, 3)
    assert find(FILE, "id", "c") == (0, 0)
    assert find(FILE, "auc", "metric") == (0, 0)
    assert tomllib.loads(FILE)["requirement"][1]["all"][1]["metric"] == "auc"


def test_settings_are_shared_by_all_hops_of_one_judgement() -> None:
    known = trace(graph_of(chain()), ENDPOINT)
    setting = Setting(known, {}, Facts(NOW))
    first, second = (Hop(setting, *at, known.graph.edges[(*at, 0)]) for at in (DEPLOYS, (DATA, RUN)))
    assert first.trace is second.trace is known
    assert first.facts is setting.facts
    assert setting.paths == dict.fromkeys((DEPLOYMENT, MODEL, RUN, DATA), (DEPLOYMENT,))
    assert (first.subject, Hop(setting, *DEPLOYS, first.edge, "effect").subject) == DEPLOYS
    assert hop(nodes={MODEL: {"record": {"digest": "x"}}}).record == {"digest": "x"}
