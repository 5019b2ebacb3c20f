"""Gates re-examined: who judged what, when, by which condition, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from lineage_explorer import audit, gate
from lineage_explorer.audits import Audit
from lineage_explorer.errors import InvalidQuestion
from lineage_explorer.policy import Policy, read_policy
from lineage_explorer.records import Activity, Agent, Entity, Evidence, Record, Relation, parse_instant
from lineage_explorer.store import Store

from ..estates import at, complete, used
from ..estates import gate as judged

MODEL, DEPLOYMENT = "model:churn@1", "deployment:churn:blue"


def policy(rest: str, *, more: str = "") -> Policy:
    return read_policy(
        'name = "p"\nversion = "1"\n[[requirement]]\nid = "r"\ntitle = "R"\n'
        f'hop = ["model", "deploys", "deployment"]\n{rest}\n{more}'
    )


def without_gates() -> list[Record]:
    return [record for record in complete() if not isinstance(record, Evidence)]


def ask(store: Store, records: list[Record], rest: str, *, more: str = "", day: str = "06-01") -> Audit:
    store.append([*without_gates(), *records])
    return audit(store, "churn", as_of=at(day), policy=policy(rest, more=more))


def row(result: Audit) -> Any:
    (found,) = [item for _, item in result.requirements().iterrows()]
    return found


APPROVED = 'check = "evidence"\ngate_type = "approval"\nbefore = "release"'


# --- approvals ---


def test_two_approvals_that_contradict_each_other_decide_nothing(store: Store) -> None:
    records = [
        judged(MODEL, "approval", "02-20", evaluator="person:mia"),
        judged(MODEL, "approval", "02-21", "failed", evaluator="person:noor"),
    ]
    result = ask(store, records, APPROVED)
    assert result.verdict == "INCOMPLETE"
    assert "approvals contradict each other" in row(result)["why"]
    assert "which of them stands" in row(result)["needed"]


def test_somebody_may_change_their_mind(store: Store) -> None:
    records = [
        judged(MODEL, "approval", "02-20", "failed", evaluator="person:mia"),
        judged(MODEL, "approval", "02-21", evaluator="person:mia"),
    ]
    assert ask(store, records, APPROVED).verdict == "PASSED"


@pytest.mark.parametrize(
    ("approved", "verdict"),
    # Clocks in Berlin went forward on 2026-03-29 at 01:00 UTC; the release is at 2026-03-01T00:00:00Z.
    [
        ("2026-03-01T00:59:59+01:00", "PASSED"),
        ("2026-03-01T01:00:01+01:00", "FAILED"),
        ("2026-02-28T19:30:00-05:00", "FAILED"),
    ],
)
def test_an_approval_in_another_time_zone_is_compared_as_an_instant(store: Store, approved: str, verdict: str) -> None:
    record = Evidence(
        subject=MODEL,
        gate="approval",
        gate_type="approval",
        status="passed",
        evaluator="person:mia",
        event_time=parse_instant(approved),
    )
    assert ask(store, [record], APPROVED).verdict == verdict


@pytest.mark.parametrize(("approved", "verdict"), [("01:59:59+01:00", "PASSED"), ("03:00:01+02:00", "FAILED")])
def test_an_approval_in_the_hour_in_which_clocks_change_is_compared_as_an_instant(
    store: Store, approved: str, verdict: str
) -> None:
    """The two wall-clock times are an hour and two seconds apart on the clock, and two seconds in time."""
    release = parse_instant("2026-03-29T01:00:00Z")
    records: list[Record] = [
        record
        for record in without_gates()
        if not (isinstance(record, Relation) and record.predicate in ("serves", "deploys"))
    ]
    for effect, predicate, cause in (("endpoint:churn", "serves", DEPLOYMENT), (DEPLOYMENT, "deploys", MODEL)):
        records.append(
            Relation(
                effect=effect,
                predicate=predicate,  # type: ignore[arg-type]
                cause=cause,
                basis="identifier",
                slot="s",
                valid_from=release,
                traffic=100.0 if predicate == "serves" else None,
            )
        )
    when = parse_instant(f"2026-03-29T{approved}")
    records.append(Evidence(subject=MODEL, gate="approval", gate_type="approval", status="passed", event_time=when))
    store.append(records)
    assert audit(store, "churn", as_of=at("06-01"), policy=policy(APPROVED)).verdict == verdict


@pytest.mark.parametrize(
    ("approver", "author", "verdict", "words"),
    [
        ("person:mia", "person:ada", "PASSED", "approved by person:mia, not by author person:ada"),
        ("person:ada", "person:ada", "FAILED", "person:ada approved, and is the author"),
        ("team:ml", "person:ada", "INCOMPLETE", "cannot be told"),
        ("team:ml", "team:ml", "INCOMPLETE", "cannot be told"),
        ("person:ada@example.org", "person:Ada", "INCOMPLETE", "cannot be told"),
        ("person:corp/ada", "person:ada", "INCOMPLETE", "cannot be told"),
        ("mia", "person:ada", "INCOMPLETE", "cannot be told"),
        ("", "person:ada", "INCOMPLETE", "approver is not on record"),
        ("person:mia", "", "INCOMPLETE", "author is not on record"),
    ],
)
def test_nobody_approves_their_own_work(store: Store, approver: str, author: str, verdict: str, words: str) -> None:
    records: list[Record] = [judged(MODEL, "approval", "02-20", evaluator=approver)]
    if author:
        records.append(Agent(ref=author))
        records.append(Relation(effect="run:train", predicate="was_associated_with", cause=author, basis="identifier"))
    result = ask(store, records, 'check = "different_approver"\nfrom = ["author"]')
    assert (result.verdict, words in row(result)["why"]) == (verdict, True), row(result)["why"]


# --- order with the release ---


def test_a_gate_that_failed_again_after_the_release_does_not_hold(store: Store) -> None:
    records = [judged(MODEL, "evaluation", "02-20"), judged(MODEL, "evaluation", "04-01", "failed")]
    result = ask(store, records, 'check = "evidence"\ngate_type = "evaluation"\nbefore = "release"')
    assert result.verdict == "FAILED"
    assert "after the release" in row(result)["why"]


def test_a_gate_that_holds_again_after_the_release_still_held_before_it(store: Store) -> None:
    records = [judged(MODEL, "evaluation", "02-20"), judged(MODEL, "evaluation", "04-01")]
    result = ask(store, records, 'check = "evidence"\ngate_type = "evaluation"\nbefore = "release"')
    assert result.verdict == "PASSED"


def test_gates_come_in_their_order(store: Store) -> None:
    steps = 'check = "order"\nsteps = ["evaluation", "approval", "release"]'
    records = [judged(MODEL, "approval", "02-10"), judged(MODEL, "evaluation", "02-20")]
    result = ask(store, records, steps)
    assert result.verdict == "FAILED"
    assert "which is after the approval" in row(result)["why"]
    store.append([judged(MODEL, "approval", "02-25")])
    assert audit(store, "churn", as_of=at("06-01"), policy=policy(steps)).verdict == "PASSED"


# --- metrics ---


@pytest.mark.parametrize(
    ("actual", "verdict", "words"),
    [
        ("0.91", "PASSED", "f1 0.91 ≥ 0.9, recomputed from run:train"),
        ("0.9", "PASSED", "f1 0.9 ≥ 0.9"),
        ("0.89999999", "FAILED", "f1 0.9 < 0.9"),
        ("nan", "INCOMPLETE", "not a number"),
        ("high", "INCOMPLETE", "not a number"),
        ("inf", "INCOMPLETE", "not a number"),
        ("1_0", "INCOMPLETE", "not a number"),
    ],
)
def test_a_metric_is_compared_by_the_policy_and_not_by_its_gate(
    store: Store, actual: str, verdict: str, words: str
) -> None:
    # Whatever the gate said of itself.
    record = judged(MODEL, "evaluation", "02-10", gate="f1", actual=actual, pointer="run:train", grade="referenced")
    result = ask(store, [record], 'check = "metric"\nmetric = "f1"\nat_least = 0.9')
    assert result.verdict == verdict
    assert words in row(result)["why"]


def test_a_claimed_number_is_not_enough_unless_the_policy_says_so(store: Store) -> None:
    record = judged(MODEL, "evaluation", "02-10", gate="f1", actual="0.95")
    result = ask(store, [record], 'check = "metric"\nmetric = "f1"\nat_least = 0.9')
    assert (result.verdict, row(result)["grade"]) == ("INCOMPLETE", "claimed")
    loose = policy('check = "metric"\nmetric = "f1"\nat_least = 0.9\nmin_grade = "claimed"')
    assert audit(store, "churn", as_of=at("06-01"), policy=loose).verdict == "PASSED"


def test_what_was_measured_after_the_release_did_not_let_it_in(store: Store) -> None:
    record = judged(MODEL, "evaluation", "04-10", gate="f1", actual="0.95", pointer="run:train", grade="referenced")
    result = ask(store, [record], 'check = "metric"\nmetric = "f1"\nat_least = 0.9')
    assert result.verdict == "INCOMPLETE"
    assert "only after the release" in row(result)["why"]


def test_a_pattern_that_others_choke_on_comes_to_an_end(store: Store) -> None:
    name = "a" * 100_000 + "!"
    store.append([*without_gates(), judged(MODEL, "evaluation", "02-10", gate=name)])
    # A backtracking engine would not come back from this.
    result = audit(store, "churn", as_of=at("06-01"), policy=policy('check = "evidence"\ngate = "^(a+)+$"'))
    assert result.verdict == "INCOMPLETE"


# --- weakening ---


def test_a_threshold_that_was_lowered_is_seen_with_before_and_after(store: Store) -> None:
    records = [
        judged("model:churn@0", "evaluation", "01-10", "failed", gate="f1", expected="f1 >= 0.9", actual="0.85"),
        judged(MODEL, "evaluation", "02-10", gate="f1", expected="f1 >= 0.8", actual="0.85"),
    ]
    result = ask(store, records, 'check = "unweakened"\ngate = "f1"')
    assert result.verdict == "FAILED"
    assert "was weakened: from f1 >= 0.9 to f1 >= 0.8" in row(result)["why"]
    # Told under any policy.
    told = audit(store, "churn", as_of=at("06-01")).findings()
    assert "from f1 >= 0.9 to f1 >= 0.8" in told[told["code"] == "gate-weakened"]["message"].iloc[0]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("f1 >= 0.8", "f1 >= 0.9", "PASSED"),
        ("f1 >= 0.8", "f1 >= 0.80", "PASSED"),
        ("f1 > 0.8", "f1 >= 0.8", "FAILED"),
        ("loss <= 0.1", "loss <= 0.2", "FAILED"),
        ("loss <= 0.2", "loss <= 0.1", "PASSED"),
        ("f1 >= 0.8", "accuracy >= 0.9", "INCOMPLETE"),
        ("f1 >= 0.8", "looks fine", "INCOMPLETE"),
    ],
)
def test_conditions_are_compared_where_they_can_be(store: Store, before: str, after: str, verdict: str) -> None:
    records = [
        judged(MODEL, "evaluation", "02-01", gate="f1", expected=before, actual="0.85"),
        judged(MODEL, "evaluation", "02-10", gate="f1", expected=after, actual="0.85"),
    ]
    assert ask(store, records, 'check = "unweakened"\ngate = "f1"').verdict == verdict


# --- waivers ---


def waived(**fields: Any) -> Evidence:
    full: dict[str, Any] = {
        "evaluator": "person:mia",
        "valid_to": at("07-01"),
        "attributes": {"reason": "relabelling"},
        **fields,
    }
    return judged(MODEL, "approval", "02-20", "waived", **full)


def test_a_waiver_holds_until_it_ends(store: Store) -> None:
    assert ask(store, [waived()], APPROVED).verdict == "PASSED"
    later = audit(store, "churn", as_of=at("07-02"), policy=policy(APPROVED))
    assert later.verdict == "INCOMPLETE"
    assert "the waiver expired" in row(later)["why"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"valid_to": None}, "until when"), ({"evaluator": ""}, "who waived it"), ({"attributes": {}}, "why")],
)
def test_a_waiver_without_who_why_or_end_decides_nothing(store: Store, fields: dict[str, Any], words: str) -> None:
    result = ask(store, [waived(**fields)], APPROVED)
    assert result.verdict == "INCOMPLETE"
    assert f"does not say {words}" in row(result)["why"]


WAIVER = """
[[waiver]]
requirement = "r"
subject = "model:churn@1"
by = "person:ada"
why = "relabelling"
until = 2026-07-01T00:00:00Z
"""


def test_a_policys_own_waiver_is_shown_wherever_it_counts(store: Store) -> None:
    result = ask(store, [], APPROVED, more=WAIVER)
    assert (result.verdict, row(result)["status"]) == ("PASSED", "waived")
    (hop,) = [hop for hop in result.to_dict()["hops"] if hop["requirements"]]
    assert hop["requirements"][0]["waiver"] == {
        "by": "person:ada",
        "why": "relabelling",
        "until": "2026-07-01T00:00:00Z",
    }
    assert "waiver-in-force" in set(result.findings()["code"])
    later = audit(store, "churn", as_of=at("07-02"), policy=policy(APPROVED, more=WAIVER))
    assert later.verdict == "INCOMPLETE"
    assert "waiver-expired" in set(later.findings()["code"])


# --- proofs ---


def test_evidence_whose_file_is_not_what_it_was_is_stale(store: Store) -> None:
    was, now = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    proof = judged(MODEL, "approval", "02-20", pointer="document:report", attributes={"proof_digest": was})
    assert ask(store, [proof, Entity(ref="document:report", digest=was)], APPROVED).verdict == "PASSED"
    store.append([Entity(ref="document:report", digest=now)])
    assert audit(store, "churn", as_of=at("06-01"), policy=policy(APPROVED)).verdict == "PASSED"  # it was, then
    result = audit(store, "churn", policy=policy(APPROVED))
    assert (result.verdict, row(result)["status"]) == ("INCOMPLETE", "stale")
    assert now in row(result)["why"]
    assert "stale-evidence" in set(result.findings()["code"])


# --- which version of the policy ---

TWO = """
name = "p"
[[version]]
version = "1"
effective_from = 2026-01-01T00:00:00Z
[[version.requirement]]
id = "r"
title = "Evaluated"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
[[version]]
version = "2"
effective_from = 2026-04-01T00:00:00Z
[[version.requirement]]
id = "r"
title = "Approved"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "approval"
"""


def test_a_gate_is_judged_by_the_policy_that_was_in_force_at_its_event(store: Store) -> None:
    store.append([*without_gates(), judged(MODEL, "evaluation", "02-10")])
    rules = read_policy(TWO)
    result = audit(store, "churn", as_of=at("06-01"), policy=rules)  # released on 03-01
    assert (result.verdict, row(result)["policy_version"]) == ("PASSED", "1")
    asked = result.question["policy"]
    assert asked["version"] == "2"
    assert [(one["version"], one["hops"]) for one in asked["applied"]] == [("1", 1)]
    again = audit(store, "churn", as_of=at("06-01"), policy=rules, policy_as_of=at("05-01"))
    assert (again.verdict, row(again)["policy_version"]) == ("INCOMPLETE", "2")
    before = audit(store, "churn", as_of=at("06-01"), policy=rules, policy_as_of=parse_instant("2025-06-01T00:00:00Z"))
    assert before.verdict == "INCOMPLETE"
    assert "no version of policy p was in force" in row(before)["why"]


def test_where_the_event_has_no_date_every_version_must_agree(store: Store) -> None:
    records = [
        record
        for record in without_gates()
        if not (isinstance(record, Relation) and record.predicate in ("serves", "deploys"))
    ]
    records += [
        Relation(effect="endpoint:churn", predicate="serves", cause=DEPLOYMENT, basis="identifier", traffic=100.0),
        Relation(effect=DEPLOYMENT, predicate="deploys", cause=MODEL, basis="identifier"),
        judged(MODEL, "evaluation", "02-10"),
    ]
    store.append(records)
    result = audit(store, "churn", policy=read_policy(TWO))
    assert result.verdict == "INCOMPLETE"
    assert "versions 1 and 2 of the policy come to different outcomes" in row(result)["why"]
    store.append([judged(MODEL, "approval", "02-10")])
    assert row(audit(store, "churn", policy=read_policy(TWO)))["policy_version"] == "2"


def test_an_empty_policy_passes_nothing(store: Store) -> None:
    store.append(complete())
    assert (
        audit(store, "churn", as_of=at("06-01"), policy=read_policy('name = "p"\nversion = "1"')).verdict
        == "INCOMPLETE"
    )


# --- a version that is not released ---


def test_a_version_is_judged_before_it_is_released(store: Store) -> None:
    store.append(complete())
    result = gate(store, "churn@1", as_of=at("02-25"), endpoint="churn")
    assert result.verdict == "PASSED"
    assert result.question["candidate"] == MODEL
    assert "as though it were released to endpoint churn" in result.answer
    assert gate(store, MODEL, as_of=at("02-15")).verdict == "INCOMPLETE"  # not approved yet


def test_a_gate_needs_a_version(store: Store) -> None:
    store.append([*complete(), Entity(ref="model:churn")])
    with pytest.raises(InvalidQuestion, match="names no version"):
        gate(store, "model:churn")
    with pytest.raises(InvalidQuestion, match="is no model"):
        gate(store, "dataset:raw@1")


# --- evaluation data ---


@pytest.mark.parametrize(
    ("held", "verdict"),
    [("dataset:features@1", "FAILED"), ("dataset:held-out@1", "PASSED"), ("dataset:held-out", "INCOMPLETE")],
)
def test_what_a_model_was_evaluated_on_is_not_what_it_learned_from(store: Store, held: str, verdict: str) -> None:
    records: list[Record] = [
        Entity(ref=held),
        Activity(ref="run:eval", activity="evaluation"),
        used("run:eval", MODEL, "02-10", role="input"),
        used("run:eval", held, "02-10", role="evaluation"),
    ]
    assert ask(store, records, 'check = "separate_data"').verdict == verdict


def test_the_same_bytes_under_another_name_are_not_other_data(store: Store) -> None:
    digest = "sha256:" + "c" * 64
    plain = Entity(ref="dataset:features@1")
    store.append(
        [
            *(record for record in without_gates() if record != plain),
            Entity(ref="dataset:features@1", digest=digest),
            Entity(ref="dataset:held-out@1", digest=digest),
            Activity(ref="run:eval", activity="evaluation"),
            used("run:eval", MODEL, "02-10", role="input"),
            used("run:eval", "dataset:held-out@1", "02-10", role="evaluation"),
        ]
    )
    result = audit(store, "churn", as_of=at("06-01"), policy=policy('check = "separate_data"'))
    assert result.verdict == "FAILED"
    assert "the same content" in row(result)["why"]
