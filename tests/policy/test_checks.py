"""Each check, on one small lineage: what it comes to, in which words, what it would need, and by which records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lineage_explorer.policy.checks.base import Check
from lineage_explorer.policy.checks.data import Identified, Recorded, SeparateData, TrainingData
from lineage_explorer.policy.checks.gates import EvidenceCheck, Metric, Order, SameSubject, Unweakened
from lineage_explorer.policy.checks.history import ActiveVersions, Canary, Compared, Kept, RollbackTarget
from lineage_explorer.policy.checks.people import DifferentApprover, Identity
from lineage_explorer.policy.checks.things import Environment, Name, Pinned, Resolved
from lineage_explorer.policy.facts import Interval, Life, Share, Span
from lineage_explorer.policy.hop import Hop

from .estates import ENDPOINT, micros, text
from .worlds import (
    DATA,
    DEPLOYMENT,
    DEPLOYS,
    MODEL,
    RUN,
    A,
    B,
    chain,
    described,
    edge,
    ev,
    hop,
    lives,
    releases,
    suite,
    told,
)

OLD = "model:churn@0"
CANARY = Canary(steps=(5, 25, 100), for_="2d")
BEFORE = releases((40, {OLD: 100}), (50, {MODEL: 100}))
ASKED = ("check", "given", "words")
Given = tuple[Check, Callable[[], Hop], str]


def named(cases: Mapping[str, Given]) -> list[Any]:
    return [pytest.param(*case, id=name.replace(" ", "-")) for name, case in cases.items()]


#: Keys that state a fact, and whether those of the run that made the subject count.
STATED = {
    "algorithm": ("algorithm model_type estimator flavor flavors", True),
    "metrics": ("metrics", True),
    "feature_spec": ("feature_spec signature schema inputs", False),
    "code": ("commit git_commit code source_version", True),
    "environment": ("environment conda requirements image", True),
    "owner": ("owner team user", False),
    "licence": ("licence license", False),
    "intended_use": ("intended_use purpose", False),
    "limitations": ("limitations risks", False),
    "retention": ("retention", False),
}


@pytest.mark.parametrize(("fact", "key"), [(fact, key) for fact, (keys, _) in STATED.items() for key in keys.split()])
def test_a_fact_is_on_record_under_each_of_its_names(fact: Any, key: str) -> None:
    check = Recorded(facts=(fact,))
    word = fact.replace("_", " ")
    stated = f"holds: on record: {word}"
    missing = f"undetermined (missing): {MODEL} has no {word} on record | needs a record of {word} of {MODEL}"
    assert told(check.judge(hop())) == missing
    assert told(check.judge(hop(nodes={MODEL: described(**{key: "x"})}))) == stated
    of_the_run = check.judge(hop(nodes={RUN: described(**{key: "x"})}))
    assert told(of_the_run) == (stated if STATED[fact][1] else missing)


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no record of a type": (
                EvidenceCheck(gate_type="approval"),
                hop,
                "undetermined (missing): no approval of model:churn@1 is on record | needs a result of an approval about model:churn@1",
            ),
            "no record of a gate of a type": (
                EvidenceCheck(gate_type="evaluation", gate="auc"),
                hop,
                "undetermined (missing): no evaluation 'auc' of model:churn@1 is on record | needs a result of an evaluation 'auc' about model:churn@1",
            ),
            "no record of a gate": (
                EvidenceCheck(gate="auc.*"),
                hop,
                "undetermined (missing): no gate 'auc.*' of model:churn@1 is on record | needs a result of a gate 'auc.*' about model:churn@1",
            ),
            "no record at all": (
                EvidenceCheck(),
                hop,
                "undetermined (missing): no gate of model:churn@1 is on record | needs a result of a gate about model:churn@1",
            ),
            "no record of a type of two words": (
                EvidenceCheck(gate_type="data_quality"),
                hop,
                "undetermined (missing): no data quality gate of model:churn@1 is on record | needs a result of a data quality gate about model:churn@1",
            ),
            "another type does not count": (
                EvidenceCheck(gate_type="safety"),
                lambda: hop(ev("approval"), ev("safety", 30, "failed")),
                "fails: safety: failed claimed at 2026-01-31T00:00:00Z [claimed 2]",
            ),
            "no type is the type other": (
                EvidenceCheck(gate_type="other"),
                lambda: hop({"subject": MODEL, "gate": "g", "status": "passed"}),
                "holds: g: passed claimed [claimed 1]",
            ),
            "the name matches as a whole": (
                EvidenceCheck(gate="au"),
                lambda: hop(ev("evaluation", gate="auc")),
                "undetermined (missing): no gate 'au' of model:churn@1 is on record | needs a result of a gate 'au' about model:churn@1",
            ),
            "the name matches a pattern": (
                EvidenceCheck(gate="au."),
                lambda: hop(ev("evaluation", gate="auc"), ev("evaluation", gate="f1", status="failed")),
                "holds: auc: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "passed": (
                EvidenceCheck(gate_type="approval"),
                lambda: hop(ev()),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "everything that a record says": (
                EvidenceCheck(),
                lambda: hop(
                    ev(
                        "evaluation",
                        actual="0.9123456789",
                        expected="auc >= 0.9",
                        grade="signed",
                        because="seen",
                        pointer="run:train",
                        evaluator="service:ci",
                    )
                ),
                "holds: evaluation: passed (0.912346, expected auc >= 0.9) signed - seen from run:train by service:ci at 2026-02-10T00:00:00Z [signed 1]",
            ),
            "a number without a condition": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", actual="0.9")),
                "holds: evaluation: passed (0.9, no condition recorded) claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "a condition without a number": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", expected="auc >= 0.9")),
                "holds: evaluation: passed (?, expected auc >= 0.9) claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "a long text is not shortened": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", actual="not a number", expected="x")),
                "holds: evaluation: passed (not a number, expected x) claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "a number of nine characters is shown as written": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", actual="0.1234567", expected="x")),
                "holds: evaluation: passed (0.1234567, expected x) claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "a failed gate fails": (
                EvidenceCheck(),
                lambda: hop(ev(status="failed", grade="recomputed")),
                "fails: approval: failed recomputed at 2026-02-10T00:00:00Z [recomputed 1]",
            ),
            "a pending gate needs a decision": (
                EvidenceCheck(),
                lambda: hop(ev(status="pending")),
                "undetermined (pending): approval: pending claimed at 2026-02-10T00:00:00Z | needs a decision on approval [claimed 1]",
            ),
            "a stale gate needs to be judged again": (
                EvidenceCheck(),
                lambda: hop(ev(status="stale")),
                "undetermined (stale): approval: stale claimed at 2026-02-10T00:00:00Z | needs approval judged again [claimed 1]",
            ),
            "a missing result is needed": (
                EvidenceCheck(),
                lambda: hop(ev(status="missing")),
                "undetermined (missing): approval: missing claimed at 2026-02-10T00:00:00Z | needs a result of approval [claimed 1]",
            ),
            "an unreadable result is needed readable": (
                EvidenceCheck(),
                lambda: hop(ev(status="undetermined")),
                "undetermined: approval: undetermined claimed at 2026-02-10T00:00:00Z | needs a result of approval that can be read as passed or failed [claimed 1]",
            ),
            "the latest record decides": (
                EvidenceCheck(),
                lambda: hop(ev(day=40, status="failed"), ev(day=41)),
                "holds: approval: passed claimed at 2026-02-11T00:00:00Z [claimed 2]",
            ),
            "undated records count with the latest": (
                EvidenceCheck(),
                lambda: hop(ev(day=41), ev(day=40, status="failed"), ev(day=None)),
                "holds: approval: passed claimed at 2026-02-11T00:00:00Z [claimed 1, 3]",
            ),
            "undated records that contradict decide nothing": (
                EvidenceCheck(),
                lambda: hop(ev(day=41), ev(day=None, status="failed")),
                "undetermined: approval: records contradict each other (failed, passed) | needs a dated record of approval that says which of them stands [claimed 1, 2]",
            ),
            "of two that agree the best grade is told and the weakest counts": (
                EvidenceCheck(),
                lambda: hop(ev(day=41), ev(day=41, grade="signed")),
                "holds: approval: passed signed at 2026-02-11T00:00:00Z [claimed 1, 2]",
            ),
            "graded better than asked": (
                EvidenceCheck(min_grade="referenced"),
                lambda: hop(ev(grade="signed")),
                "holds: approval: passed signed at 2026-02-10T00:00:00Z [signed 1]",
            ),
            "graded as asked": (
                EvidenceCheck(min_grade="referenced"),
                lambda: hop(ev(grade="referenced")),
                "holds: approval: passed referenced at 2026-02-10T00:00:00Z [referenced 1]",
            ),
            "graded worse than asked": (
                EvidenceCheck(min_grade="referenced"),
                lambda: hop(ev(grade="claimed")),
                "undetermined: approval: passed claimed at 2026-02-10T00:00:00Z; the policy asks for grade referenced | needs evidence of grade referenced or better [claimed 1]",
            ),
            "a weak grade does not undo a failure": (
                EvidenceCheck(min_grade="referenced"),
                lambda: hop(ev(status="failed")),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "just young enough": (
                EvidenceCheck(not_older_than="10d"),
                lambda: hop(ev(day=90)),
                "holds: approval: passed claimed at 2026-04-01T00:00:00Z [claimed 1]",
            ),
            "too old": (
                EvidenceCheck(not_older_than="10d"),
                lambda: hop(ev(day=89)),
                "undetermined (stale): approval: passed claimed at 2026-03-31T00:00:00Z; older than 10 days | needs a result not older than 10 days [claimed 1]",
            ),
            "one of two gates is too old": (
                EvidenceCheck(not_older_than="1w"),
                lambda: hop(ev(gate="a", day=99), ev(gate="b", day=80)),
                "undetermined (stale): a: passed claimed at 2026-04-10T00:00:00Z; b: passed claimed at 2026-03-22T00:00:00Z; older than 1 week | needs a result not older than 1 week [claimed 1, 2]",
            ),
            "of no known age": (
                EvidenceCheck(not_older_than="10d"),
                lambda: hop(ev(day=None)),
                "undetermined: approval: passed claimed; its time is not recorded, so its age is not known | needs the time of the gate [claimed 1]",
            ),
            "one of no known age among old ones": (
                EvidenceCheck(not_older_than="10d"),
                lambda: hop(ev(gate="a", day=20), ev(gate="b", day=None)),
                "undetermined: a: passed claimed at 2026-01-21T00:00:00Z; b: passed claimed; its time is not recorded, so its age is not known | needs the time of the gate [claimed 1, 2]",
            ),
            "age does not undo a failure": (
                EvidenceCheck(not_older_than="10d"),
                lambda: hop(ev(day=20, status="failed")),
                "fails: approval: failed claimed at 2026-01-21T00:00:00Z [claimed 1]",
            ),
            "at the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=50)),
                "holds: approval: passed claimed at 2026-02-20T00:00:00Z [claimed 1]",
            ),
            "after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=51)),
                "fails: approval: passed claimed at 2026-02-21T00:00:00Z, which is after the release [claimed 1]",
            ),
            "after the release counts where the order is not asked": (
                EvidenceCheck(),
                lambda: hop(ev(day=51)),
                "holds: approval: passed claimed at 2026-02-21T00:00:00Z [claimed 1]",
            ),
            "pending after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=51, status="pending")),
                "undetermined (pending): approval: pending claimed at 2026-02-21T00:00:00Z | needs a decision on approval [claimed 1]",
            ),
            "failed after the release only": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=51, status="failed")),
                "fails: approval: failed claimed at 2026-02-21T00:00:00Z [claimed 1]",
            ),
            "passed before and failed after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40), ev(day=51, status="failed")),
                "fails: approval: failed claimed at 2026-02-21T00:00:00Z, after the release; before it: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 2, 1]",
            ),
            "passed before and pending after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40), ev(day=51, status="pending")),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "failed before and passed after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40, status="failed"), ev(day=51)),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "failed before and after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40, status="failed"), ev(day=51, status="failed")),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "pending before and failed after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40, status="pending"), ev(day=51, status="failed"), ev(day=52, status="failed")),
                "fails: approval: failed claimed at 2026-02-22T00:00:00Z, after the release; before it: approval: pending claimed at 2026-02-10T00:00:00Z [claimed 3, 1]",
            ),
            "undated and the order is asked": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=None)),
                "undetermined: approval: passed claimed; the time of the gate is not recorded, so the order is not known | needs the time of the gate [claimed 1]",
            ),
            "undated and failed": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=None, status="failed")),
                "fails: approval: failed claimed [claimed 1]",
            ),
            "undated beside one after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=None), ev(day=51)),
                "undetermined: approval: passed claimed; the time of the gate is not recorded, so the order is not known | needs the time of the gate [claimed 1, 2]",
            ),
            "undated beside one before and one after the release": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=40), ev(day=None), ev(day=51)),
                "undetermined: approval: passed claimed at 2026-02-10T00:00:00Z; the time of the gate is not recorded, so the order is not known | needs the time of the gate [claimed 1, 2]",
            ),
            "released at no known time": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(), released=None),
                "undetermined: approval: passed claimed at 2026-02-10T00:00:00Z; the time of the release is not recorded, so the order is not known | needs the time of the release [claimed 1]",
            ),
            "failed and released at no known time": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(status="failed"), released=None),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "latest failed and released at no known time": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=30), ev(status="failed"), released=None),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 2]",
            ),
            "approvals that contradict": (
                EvidenceCheck(),
                lambda: hop(
                    ev(evaluator="person:mia", grade="signed"), ev(status="failed", evaluator="person:noor", day=39)
                ),
                "undetermined: approval: approvals contradict each other (approval: passed signed by person:mia at 2026-02-10T00:00:00Z; approval: failed claimed by person:noor at 2026-02-09T00:00:00Z) | needs an approval that says which of them stands [claimed 1, 2]",
            ),
            "a later approval of the same person stands": (
                EvidenceCheck(),
                lambda: hop(ev(evaluator="person:mia", status="failed", day=39), ev(evaluator="person:mia")),
                "holds: approval: passed claimed by person:mia at 2026-02-10T00:00:00Z [claimed 2]",
            ),
            "an unnamed approval counts with each named one": (
                EvidenceCheck(),
                lambda: hop(ev(evaluator="person:mia", day=39), ev(day=40, status="failed")),
                "fails: approval: failed claimed at 2026-02-10T00:00:00Z [claimed 2]",
            ),
            "approvals that pass and wait": (
                EvidenceCheck(),
                lambda: hop(ev(evaluator="person:mia"), ev(status="pending", evaluator="person:noor")),
                "undetermined (pending): approval: pending claimed by person:noor at 2026-02-10T00:00:00Z; approval: passed claimed by person:mia at 2026-02-10T00:00:00Z | needs a decision on approval [claimed 2, 1]",
            ),
            "approvals of two gates do not contradict": (
                EvidenceCheck(),
                lambda: hop(
                    ev(gate="a", evaluator="person:mia"), ev(gate="b", status="failed", evaluator="person:noor")
                ),
                "fails: b: failed claimed by person:noor at 2026-02-10T00:00:00Z; a: passed claimed by person:mia at 2026-02-10T00:00:00Z [claimed 2, 1]",
            ),
            "a later measurement stands whoever measured": (
                EvidenceCheck(),
                lambda: hop(
                    ev("evaluation", 39, "failed", evaluator="service:a"), ev("evaluation", 40, evaluator="service:b")
                ),
                "holds: evaluation: passed claimed by service:b at 2026-02-10T00:00:00Z [claimed 2]",
            ),
            "the worst of two gates first": (
                EvidenceCheck(),
                lambda: hop(
                    ev(gate="a"), ev(gate="b", status="pending"), ev(gate="c", status="failed", grade="signed")
                ),
                "fails: c: failed signed at 2026-02-10T00:00:00Z; b: pending claimed at 2026-02-10T00:00:00Z; a: passed claimed at 2026-02-10T00:00:00Z [claimed 3, 2, 1]",
            ),
            "a measurement that states no condition judges nothing": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", 41, "undetermined", actual="0.9"), ev("evaluation", 40)),
                "holds: evaluation: passed claimed at 2026-02-10T00:00:00Z [claimed 2]",
            ),
            "a measurement alone is all there is": (
                EvidenceCheck(),
                lambda: hop(ev("evaluation", 41, "undetermined", actual="0.9")),
                "undetermined: evaluation: undetermined (0.9, no condition recorded) claimed at 2026-02-11T00:00:00Z | needs a result of evaluation that can be read as passed or failed [claimed 1]",
            ),
            "an undetermined record with a condition judges": (
                EvidenceCheck(),
                lambda: hop(
                    ev("evaluation", 41, "undetermined", actual="?", expected="auc >= 0.9"), ev("evaluation", 40)
                ),
                "undetermined: evaluation: undetermined (?, expected auc >= 0.9) claimed at 2026-02-11T00:00:00Z | needs a result of evaluation that can be read as passed or failed [claimed 1]",
            ),
            "waived": (
                EvidenceCheck(),
                lambda: hop(
                    ev(status="waived", evaluator="person:mia", valid_to=text(101), attributes={"reason": "known"})
                ),
                "holds (waived): approval: waived claimed by person:mia at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "waived for a reason under another word": (
                EvidenceCheck(),
                lambda: hop(
                    ev(status="waived", evaluator="person:mia", valid_to=text(101), attributes={"why": "known"})
                ),
                "holds (waived): approval: waived claimed by person:mia at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "one gate waived and one passed": (
                EvidenceCheck(),
                lambda: hop(
                    ev(gate="a"),
                    ev(
                        gate="b",
                        status="waived",
                        evaluator="person:mia",
                        valid_to=text(101),
                        attributes={"reason": "known"},
                    ),
                ),
                "holds (waived): a: passed claimed at 2026-02-10T00:00:00Z; b: waived claimed by person:mia at 2026-02-10T00:00:00Z [claimed 1, 2]",
            ),
            "one gate waived and one failed": (
                EvidenceCheck(),
                lambda: hop(
                    ev(gate="a", status="failed"),
                    ev(
                        gate="b",
                        status="waived",
                        evaluator="person:mia",
                        valid_to=text(101),
                        attributes={"reason": "known"},
                    ),
                ),
                "fails: a: failed claimed at 2026-02-10T00:00:00Z; b: waived claimed by person:mia at 2026-02-10T00:00:00Z [claimed 1, 2]",
            ),
            "a waiver that ends now has expired": (
                EvidenceCheck(),
                lambda: hop(
                    ev(status="waived", evaluator="person:mia", valid_to=text(100), attributes={"reason": "known"})
                ),
                "undetermined (stale): approval: waived claimed by person:mia at 2026-02-10T00:00:00Z (the waiver expired at 2026-04-11T00:00:00Z) | needs a waiver of approval that says who, why and until when, and is in force [claimed 1]",
            ),
            "a waiver without anything": (
                EvidenceCheck(),
                lambda: hop(ev(status="waived")),
                "undetermined: approval: waived claimed at 2026-02-10T00:00:00Z (the waiver does not say who waived it, why, until when) | needs a waiver of approval that says who, why and until when, and is in force [claimed 1]",
            ),
            "a waiver without why": (
                EvidenceCheck(),
                lambda: hop(ev(status="waived", evaluator="person:mia", valid_to=text(101), attributes={})),
                "undetermined: approval: waived claimed by person:mia at 2026-02-10T00:00:00Z (the waiver does not say why) | needs a waiver of approval that says who, why and until when, and is in force [claimed 1]",
            ),
            "evidence about the logged model whose bytes it is": (
                EvidenceCheck(),
                lambda: hop(
                    ev(subject="logged_model:m"),
                    edges=[edge("logged_model:m", "was_derived_from", MODEL, basis="content_hash")],
                ),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "evidence about the logged model that it names": (
                EvidenceCheck(),
                lambda: hop(ev(subject="logged_model:m"), edges=[edge("logged_model:m", "was_derived_from", MODEL)]),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "evidence about a logged model linked by name only": (
                EvidenceCheck(),
                lambda: hop(
                    ev(subject="logged_model:m"),
                    edges=[edge("logged_model:m", "was_derived_from", MODEL, basis="name")],
                ),
                "undetermined (missing): no gate of model:churn@1 is on record | needs a result of a gate about model:churn@1",
            ),
            "evidence about a model that it was derived from": (
                EvidenceCheck(),
                lambda: hop(
                    ev(subject="model:parent@1"),
                    edges=[edge("model:parent@1", "was_derived_from", MODEL, basis="content_hash")],
                ),
                "undetermined (missing): no gate of model:churn@1 is on record | needs a result of a gate about model:churn@1",
            ),
            "evidence about a logged model used otherwise": (
                EvidenceCheck(),
                lambda: hop(
                    ev(subject="logged_model:m"), edges=[edge("logged_model:m", "used", MODEL, basis="content_hash")]
                ),
                "undetermined (missing): no gate of model:churn@1 is on record | needs a result of a gate about model:churn@1",
            ),
            "evidence about what an alias points at": (
                EvidenceCheck(),
                lambda: hop(
                    ev(subject="model:churn@7"), edges=[edge("model:churn@7", "alias_of", MODEL, basis="name")]
                ),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "evidence about the effect": (
                EvidenceCheck(),
                lambda: hop(ev(subject=DEPLOYMENT), ev(status="failed"), of="effect"),
                "holds: approval: passed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "the release of a hop further up is the earliest it leads to": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(subject=DATA, day=51), at=(DATA, RUN)),
                "fails: approval: passed claimed at 2026-02-21T00:00:00Z, which is after the release [claimed 1]",
            ),
            "in time for both deployments": (
                EvidenceCheck(before="release"),
                lambda: hop(
                    ev(subject=DATA, day=30),
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b", valid_from=30),
                        edge("deployment:e:b", "serves", ENDPOINT, valid_from=30, traffic=50.0),
                    ],
                ),
                "holds: approval: passed claimed at 2026-01-31T00:00:00Z [claimed 1]",
            ),
            "too late for one of two deployments": (
                EvidenceCheck(before="release"),
                lambda: hop(
                    ev(subject=DATA, day=31),
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b", valid_from=30),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                ),
                "fails: approval: passed claimed at 2026-02-01T00:00:00Z, which is after the release [claimed 1]",
            ),
            "one of two deployments was released at no known time": (
                EvidenceCheck(before="release"),
                lambda: hop(
                    ev(subject=DATA),
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                ),
                "undetermined: approval: passed claimed at 2026-02-10T00:00:00Z; the time of the release is not recorded, so the order is not known | needs the time of the release [claimed 1]",
            ),
            "the release is what deploys says and not what serves says": (
                EvidenceCheck(before="release"),
                lambda: hop(
                    ev(day=46),
                    base=[
                        edge(MODEL, "deploys", DEPLOYMENT, valid_from=50),
                        edge(DEPLOYMENT, "serves", ENDPOINT, valid_from=45, traffic=100.0),
                    ],
                ),
                "holds: approval: passed claimed at 2026-02-16T00:00:00Z [claimed 1]",
            ),
            "the release is what serves says where deploys says nothing": (
                EvidenceCheck(before="release"),
                lambda: hop(
                    ev(day=46),
                    base=[
                        edge(MODEL, "deploys", DEPLOYMENT),
                        edge(DEPLOYMENT, "serves", ENDPOINT, valid_from=45, traffic=100.0),
                    ],
                ),
                "fails: approval: passed claimed at 2026-02-16T00:00:00Z, which is after the release [claimed 1]",
            ),
            "the release is the earliest of several": (
                EvidenceCheck(before="release"),
                lambda: hop(ev(day=46), edges=[edge("model:b@1", "deploys", DEPLOYMENT, valid_from=45)]),
                "fails: approval: passed claimed at 2026-02-16T00:00:00Z, which is after the release [claimed 1]",
            ),
        }
    ),
)
def test_evidence_holds_by_records_in_time_and_good_enough_and_says_what_it_rests_on(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no measurement": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", actual="0.9", gate="auc"), ev("evaluation", gate="f1")),
                "undetermined (missing): no measurement of f1 of model:churn@1 is on record | needs a measurement of f1 of model:churn@1",
            ),
            "at least met exactly": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.9", grade="referenced", pointer="run:train")),
                "holds: f1 0.9 ≥ 0.9, recomputed from run:train [referenced 1]",
            ),
            "at least not met": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.89", grade="referenced")),
                "fails: f1 0.89 < 0.9, as claimed by its record [referenced 1]",
            ),
            "above not met by its own bound": (
                Metric(metric="f1", above=0.9, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.9")),
                "fails: f1 0.9 ≤ 0.9, as claimed by its record [claimed 1]",
            ),
            "above met": (
                Metric(metric="f1", above=0.9, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.91", pointer="run:x")),
                "holds: f1 0.91 > 0.9, as claimed by its record [claimed 1]",
            ),
            "at most met exactly": (
                Metric(metric="f1", at_most=0.1, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.1")),
                "holds: f1 0.1 ≤ 0.1, as claimed by its record [claimed 1]",
            ),
            "at most not met": (
                Metric(metric="f1", at_most=0.1, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.11")),
                "fails: f1 0.11 > 0.1, as claimed by its record [claimed 1]",
            ),
            "below not met by its own bound": (
                Metric(metric="f1", below=0.1, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.1")),
                "fails: f1 0.1 ≥ 0.1, as claimed by its record [claimed 1]",
            ),
            "below met": (
                Metric(metric="f1", below=0.1, min_grade="claimed"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.09")),
                "holds: f1 0.09 < 0.1, as claimed by its record [claimed 1]",
            ),
            "two bounds of which one is not met": (
                Metric(metric="f1", at_least=0.1, below=0.5),
                lambda: hop(ev("evaluation", gate="f1", actual="0.5", grade="signed")),
                "fails: f1 0.5 ≥ 0.1 and ≥ 0.5, as claimed by its record [signed 1]",
            ),
            "named by its attributes": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="g", actual="0.95", grade="signed", attributes={"metric": "f1"}),
                    ev("evaluation", gate="f1", actual="0.1", attributes={"metric": "auc"}),
                ),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "its own status plays no part": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.95", status="failed", grade="signed")),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "not a number": (
                Metric(metric="f1", at_least=0.9, below=1),
                lambda: hop(ev("evaluation", gate="f1", actual="high", grade="signed")),
                "undetermined: f1 high, asked ≥ 0.9 and < 1, as claimed by its record: not a number | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "written as nan": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="nan", grade="signed")),
                "undetermined: f1 nan, asked ≥ 0.9, as claimed by its record: not a number | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "infinite": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="inf", grade="signed")),
                "undetermined: f1 inf, asked ≥ 0.9, as claimed by its record: not a number | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "written with an exponent": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="+9.5e-1", grade="signed")),
                "holds: f1 +9.5e-1 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "a negative number without a zero": (
                Metric(metric="f1", below=0),
                lambda: hop(ev("evaluation", gate="f1", actual="-.5", grade="signed")),
                "holds: f1 -.5 < 0, as claimed by its record [signed 1]",
            ),
            "that its source does not stand by any more": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.95", grade="signed", status="stale")),
                "undetermined (stale): f1 0.95 ≥ 0.9, as claimed by its record: its record says that it is stale | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "that its source says why it does not stand by": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev(
                        "evaluation",
                        gate="f1",
                        actual="0.95",
                        grade="signed",
                        status="stale",
                        because="the run was deleted",
                    )
                ),
                "undetermined (stale): f1 0.95 ≥ 0.9, as claimed by its record: the run was deleted | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "that changed between two syncs": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed", because="it changed between two syncs")
                ),
                "undetermined: f1 0.95 ≥ 0.9, as claimed by its record: it changed between two syncs | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "too low and stale": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.5", grade="signed", status="stale")),
                "undetermined (stale): f1 0.5 < 0.9, as claimed by its record: its record says that it is stale | needs a measurement of f1 of model:churn@1 [signed 1]",
            ),
            "one of two is stale": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", gate="f1", actual="0.95", status="stale"),
                ),
                "undetermined (stale): f1 0.95 ≥ 0.9, as claimed by its record: its record says that it is stale | needs a measurement of f1 of model:churn@1 [claimed 1, 2]",
            ),
            "of a weaker grade": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.95")),
                "undetermined: f1 0.95 ≥ 0.9, as claimed by its record; the policy asks for grade referenced | needs evidence of grade referenced or better [claimed 1]",
            ),
            "too old": (
                Metric(metric="f1", at_least=0.9, not_older_than="1m"),
                lambda: hop(ev("evaluation", gate="f1", actual="0.95", grade="signed")),
                "undetermined (stale): f1 0.95 ≥ 0.9, as claimed by its record; older than 1 month | needs a result not older than 1 month [signed 1]",
            ),
            "at the release": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", 50, gate="f1", actual="0.95", grade="signed")),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "only after the release": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", 51, gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", 52, gate="f1", actual="0.96", grade="signed"),
                    ev("evaluation", 52, gate="f1", actual="0.97"),
                ),
                "undetermined: f1 0.96 ≥ 0.9, as claimed by its record; f1 0.97 ≥ 0.9, as claimed by its record, measured only after the release | needs a measurement of f1 of model:churn@1 from before the release [claimed 2, 3]",
            ),
            "the latest before the release": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", 49, gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", 48, gate="f1", actual="0.1"),
                    ev("evaluation", 51, gate="f1", actual="0.1"),
                ),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "released at no known time": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.95", grade="signed"), released=None),
                "undetermined: f1 0.95 ≥ 0.9, as claimed by its record; the time of the release is not recorded, so the order is not known | needs the time of the release [signed 1]",
            ),
            "too low and released at no known time": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.5", grade="signed"), released=None),
                "fails: f1 0.5 < 0.9, as claimed by its record [signed 1]",
            ),
            "measured at no known time": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", None, gate="f1", actual="0.95", grade="signed")),
                "undetermined: f1 0.95 ≥ 0.9, as claimed by its record; the time of the measurement is not recorded, so the order is not known | needs the time of the measurement [signed 1]",
            ),
            "too low at no known time": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", None, gate="f1", actual="0.5", grade="signed")),
                "fails: f1 0.5 < 0.9, as claimed by its record [signed 1]",
            ),
            "several that disagree": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", gate="f1", actual="0.5", grade="referenced"),
                ),
                "undetermined: measurements of f1 disagree: f1 0.95 ≥ 0.9, as claimed by its record; f1 0.5 < 0.9, as claimed by its record | needs a measurement of f1 of model:churn@1 that says which stands [referenced 1, 2]",
            ),
            "several that say the same": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", gate="f1", actual="0.95", grade="signed"),
                ),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1, 2]",
            ),
            "several that agree": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed"),
                    ev("evaluation", gate="f1", actual="0.96", grade="signed"),
                ),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record; f1 0.96 ≥ 0.9, as claimed by its record [signed 1, 2]",
            ),
            "of the effect": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(
                    ev("evaluation", gate="f1", actual="0.95", grade="signed", subject=DEPLOYMENT), of="effect"
                ),
                "holds: f1 0.95 ≥ 0.9, as claimed by its record [signed 1]",
            ),
            "a long number is rounded in words only": (
                Metric(metric="f1", at_least=0.9),
                lambda: hop(ev("evaluation", gate="f1", actual="0.8999999999", grade="signed")),
                "fails: f1 0.9 < 0.9, as claimed by its record [signed 1]",
            ),
        }
    ),
)
def test_metric_compares_the_number_itself_with_the_bounds_of_the_policy(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no record": (
                SameSubject(gate_type="evaluation"),
                lambda: hop(ev()),
                "undetermined (missing): no evaluation of model:churn@1 is on record | needs a result of an evaluation about model:churn@1",
            ),
            "the digest that was deployed": (
                SameSubject(),
                lambda: hop(ev(subject_digest=A, grade="signed"), nodes={DEPLOYMENT: described(model_digest=A)}),
                "holds: approval judged sha256:aaaaaaaaaaaa…, and that was deployed [signed 1]",
            ),
            "the digest of the models own record": (
                SameSubject(),
                lambda: hop(ev(subject_digest=A), nodes={MODEL: {"record": {"digest": A}}}),
                "holds: approval judged sha256:aaaaaaaaaaaa…, and that was deployed [claimed 1]",
            ),
            "what the deployment says wins over the models record": (
                SameSubject(),
                lambda: hop(
                    ev(subject_digest=A),
                    nodes={MODEL: {"record": {"digest": A}}, DEPLOYMENT: described(model_digest=B)},
                ),
                "fails: approval judged sha256:aaaaaaaaaaaa…, and sha256:bbbbbbbbbbbb… was deployed [claimed 1]",
            ),
            "other bytes": (
                SameSubject(),
                lambda: hop(ev(subject_digest=B), nodes={DEPLOYMENT: described(model_digest=A)}),
                "fails: approval judged sha256:bbbbbbbbbbbb…, and sha256:aaaaaaaaaaaa… was deployed [claimed 1]",
            ),
            "a gate that names no bytes": (
                SameSubject(),
                lambda: hop(ev(), nodes={DEPLOYMENT: described(model_digest=A)}),
                "undetermined (missing): approval does not say which bytes it judged | needs the digest that approval judged [claimed 1]",
            ),
            "one of two gates names no bytes": (
                SameSubject(),
                lambda: hop(ev("evaluation", subject_digest=A), ev(), nodes={DEPLOYMENT: described(model_digest=A)}),
                "undetermined (missing): approval does not say which bytes it judged; evaluation judged sha256:aaaaaaaaaaaa…, and that was deployed | needs the digest that approval judged [claimed 2, 1]",
            ),
            "a shortened digest": (
                SameSubject(),
                lambda: hop(ev(subject_digest=A[:20]), nodes={DEPLOYMENT: described(model_digest=A)}),
                "undetermined: approval judged sha256:aaaaaaaaaaaaa, sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa was deployed: not comparable | needs full digests of one kind [claimed 1]",
            ),
            "a shortened digest was deployed": (
                SameSubject(),
                lambda: hop(ev(subject_digest=A), nodes={DEPLOYMENT: described(model_digest=A[:20])}),
                "undetermined: approval judged sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sha256:aaaaaaaaaaaaa was deployed: not comparable | needs full digests of one kind [claimed 1]",
            ),
            "digests of two kinds": (
                SameSubject(),
                lambda: hop(ev(subject_digest="sha512:" + "a" * 128), nodes={DEPLOYMENT: described(model_digest=A)}),
                "undetermined: approval judged sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa was deployed: not comparable | needs full digests of one kind [claimed 1]",
            ),
            "full digests of the other kind": (
                SameSubject(),
                lambda: hop(
                    ev(subject_digest="sha512:" + "a" * 128),
                    nodes={DEPLOYMENT: described(model_digest="sha512:" + "a" * 128)},
                ),
                "holds: approval judged sha512:aaaaaaaaaaaa…, and that was deployed [claimed 1]",
            ),
            "not hexadecimal": (
                SameSubject(),
                lambda: hop(
                    ev(subject_digest="sha256:" + "X" * 64),
                    nodes={DEPLOYMENT: described(model_digest="sha256:" + "X" * 64)},
                ),
                "undetermined: approval judged sha256:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX, sha256:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX was deployed: not comparable | needs full digests of one kind [claimed 1]",
            ),
            "of an unknown kind": (
                SameSubject(),
                lambda: hop(ev(subject_digest="md5:"), nodes={DEPLOYMENT: described(model_digest="md5:")}),
                "undetermined: approval judged md5:, md5: was deployed: not comparable | needs full digests of one kind [claimed 1]",
            ),
            "nothing says what was deployed": (
                SameSubject(),
                lambda: hop(ev(subject_digest=A)),
                "undetermined: the digest of what was deployed is not recorded | needs the digest of what was deployed [claimed 1]",
            ),
            "several digests are deployed": (
                SameSubject(),
                lambda: hop(
                    ev(subject_digest=A),
                    at=(RUN, MODEL),
                    of="effect",
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                    nodes={DEPLOYMENT: described(model_digest=A), "deployment:e:b": described(model_digest=B)},
                ),
                "undetermined: several digests are deployed | needs the digest of what was deployed [claimed 1]",
            ),
            "of a dataset its own digest counts": (
                SameSubject(),
                lambda: hop(
                    ev(subject=DATA, subject_digest=A),
                    at=(DATA, RUN),
                    nodes={DATA: {"record": {"digest": A}}, DEPLOYMENT: described(model_digest=B)},
                ),
                "holds: approval judged sha256:aaaaaaaaaaaa…, and that was deployed [claimed 1]",
            ),
            "only the named gate is compared": (
                SameSubject(gate="b"),
                lambda: hop(
                    ev(gate="a", subject_digest=B),
                    ev(gate="b", subject_digest=A),
                    nodes={DEPLOYMENT: described(model_digest=A)},
                ),
                "holds: b judged sha256:aaaaaaaaaaaa…, and that was deployed [claimed 2]",
            ),
            "only the latest is compared": (
                SameSubject(),
                lambda: hop(
                    ev(day=30, subject_digest=B), ev(subject_digest=A), nodes={DEPLOYMENT: described(model_digest=A)}
                ),
                "holds: approval judged sha256:aaaaaaaaaaaa…, and that was deployed [claimed 2]",
            ),
            "the order with the release is not asked": (
                SameSubject(),
                lambda: hop(
                    ev(day=30, subject_digest=A),
                    ev(day=60, subject_digest=B),
                    nodes={DEPLOYMENT: described(model_digest=A)},
                ),
                "fails: approval judged sha256:bbbbbbbbbbbb…, and sha256:aaaaaaaaaaaa… was deployed [claimed 2]",
            ),
        }
    ),
)
def test_same_subject_compares_full_digests_of_one_kind(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "in order": (
                Order(steps=("evaluation", "approval", "release")),
                lambda: hop(ev("evaluation", 30, grade="signed"), ev("approval", 40)),
                "holds: in order: evaluation at 2026-01-31T00:00:00Z, then approval at 2026-02-10T00:00:00Z, then release [claimed 2, 1]",
            ),
            "all at one time": (
                Order(steps=("evaluation", "approval", "release")),
                lambda: hop(ev("evaluation", 50), ev("approval", 50)),
                "holds: in order: evaluation at 2026-02-20T00:00:00Z, then approval at 2026-02-20T00:00:00Z, then release [claimed 2, 1]",
            ),
            "the second came first": (
                Order(steps=("evaluation", "approval")),
                lambda: hop(ev("evaluation", 41), ev("approval", 40)),
                "fails: evaluation: passed claimed at 2026-02-11T00:00:00Z, which is after the approval [claimed 2, 1]",
            ),
            "judged after the release": (
                Order(steps=("evaluation", "release")),
                lambda: hop(ev("evaluation", 52), ev("evaluation", 51)),
                "fails: evaluation: passed claimed at 2026-02-21T00:00:00Z, which is after the release [claimed 1, 2]",
            ),
            "judged again later": (
                Order(steps=("evaluation", "approval")),
                lambda: hop(ev("evaluation", 30), ev("evaluation", 45), ev("approval", 40)),
                "holds: in order: evaluation at 2026-01-31T00:00:00Z, then approval at 2026-02-10T00:00:00Z [claimed 3, 1]",
            ),
            "after a type of two words": (
                Order(steps=("evaluation", "data_quality")),
                lambda: hop(ev("evaluation", 41), ev("data_quality", 40)),
                "fails: evaluation: passed claimed at 2026-02-11T00:00:00Z, which is after the data quality [claimed 2, 1]",
            ),
            "a step of two words": (
                Order(steps=("data_quality", "release")),
                lambda: hop(ev("data_quality", 40)),
                "holds: in order: data quality at 2026-02-10T00:00:00Z, then release [claimed 1]",
            ),
            "a step of two words is not on record": (
                Order(steps=("data_quality", "release")),
                hop,
                "undetermined (missing): no data quality of model:churn@1 that holds is on record | needs a result of a data quality",
            ),
            "a step that does not hold is not taken": (
                Order(steps=("approval", "release")),
                lambda: hop(ev("approval", 40, "failed")),
                "undetermined (missing): no approval of model:churn@1 that holds is on record | needs a result of an approval",
            ),
            "a step that does not hold is passed over": (
                Order(steps=("approval", "release")),
                lambda: hop(ev("approval", 30), ev("approval", 40, "failed")),
                "holds: in order: approval at 2026-01-31T00:00:00Z, then release [claimed 1]",
            ),
            "a waiver is a step": (
                Order(steps=("approval", "release")),
                lambda: hop(
                    ev("approval", 40, "waived", evaluator="person:mia", valid_to=text(101), attributes={"reason": "x"})
                ),
                "holds: in order: approval at 2026-02-10T00:00:00Z, then release [claimed 1]",
            ),
            "an expired waiver is no step": (
                Order(steps=("approval", "release")),
                lambda: hop(
                    ev("approval", 40, "waived", evaluator="person:mia", valid_to=text(100), attributes={"reason": "x"})
                ),
                "undetermined (missing): no approval of model:churn@1 that holds is on record | needs a result of an approval",
            ),
            "the release has no known time": (
                Order(steps=("approval", "release")),
                lambda: hop(ev("approval"), released=None),
                "undetermined: the time of the release is not recorded | needs the time of the release",
            ),
            "no known time does not hide a wrong order": (
                Order(steps=("evaluation", "approval", "release")),
                lambda: hop(ev("evaluation", 41), ev("approval", 40), released=None),
                "fails: evaluation: passed claimed at 2026-02-11T00:00:00Z, which is after the approval [claimed 2, 1]",
            ),
            "a step has no known time": (
                Order(steps=("approval", "data_quality", "release")),
                lambda: hop(ev("data_quality", None), ev("approval", 40)),
                "undetermined: the time of the data quality or of the release is not recorded | needs the time of the data quality [claimed 1]",
            ),
            "a step has no known time and the order is wrong": (
                Order(steps=("evaluation", "data_quality", "approval")),
                lambda: hop(ev("evaluation", 41), ev("data_quality", None), ev("approval", 40)),
                "fails: evaluation: passed claimed at 2026-02-11T00:00:00Z, which is after the approval [claimed 3, 1]",
            ),
            "a step at the release on either side": (
                Order(steps=("approval", "release", "monitoring")),
                lambda: hop(ev("approval", 50), ev("monitoring", 50)),
                "holds: in order: approval at 2026-02-20T00:00:00Z, then release, then monitoring at 2026-02-20T00:00:00Z [claimed 2, 1]",
            ),
            "one of two records of a step has no known time and the other came late": (
                Order(steps=("approval", "release")),
                lambda: hop(ev("approval", None), ev("approval", 60)),
                "undetermined: the time of the approval or of the release is not recorded | needs the time of the approval [claimed 1, 2]",
            ),
            "two steps are missing": (
                Order(steps=("evaluation", "approval", "release")),
                lambda: hop(released=None),
                "undetermined: the time of the release is not recorded; no approval of model:churn@1 that holds is on record; no evaluation of model:churn@1 that holds is on record | needs the time of the release; a result of an approval; a result of an evaluation",
            ),
            "the release before a gate": (
                Order(steps=("release", "monitoring")),
                lambda: hop(ev("monitoring", 60)),
                "holds: in order: release, then monitoring at 2026-03-02T00:00:00Z [claimed 1]",
            ),
            "the release after a gate that should follow": (
                Order(steps=("release", "monitoring")),
                lambda: hop(ev("monitoring", 40)),
                "fails: the release, at 2026-02-20T00:00:00Z, which is after the monitoring [claimed 1]",
            ),
            "two records at one time both count": (
                Order(steps=("approval", "release")),
                lambda: hop(
                    ev("approval", 40, gate="a"), ev("approval", 40, gate="b", grade="signed"), ev("approval", 30)
                ),
                "holds: in order: approval at 2026-02-10T00:00:00Z, then release [claimed 1, 2]",
            ),
        }
    ),
)
def test_order_finds_for_each_step_the_latest_record_that_came_in_time(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no record": (
                Unweakened(gate="auc"),
                hop,
                "undetermined (missing): no gate 'auc' of model:churn@1 is on record | needs a result of a gate 'auc' about model:churn@1",
            ),
            "the first record": (
                Unweakened(),
                lambda: hop(ev("evaluation", expected="auc >= 0.9")),
                "holds: the first record of evaluation: auc >= 0.9 [claimed 1]",
            ),
            "no condition stated": (
                Unweakened(),
                lambda: hop(ev("evaluation", actual="0.9")),
                "undetermined: evaluation does not say by which condition it was judged | needs a condition of evaluation that can be compared with the one before [claimed 1]",
            ),
            "as before": (
                Unweakened(),
                lambda: hop(ev("evaluation", expected="auc >= 0.9"), facts=suite(("evaluation", 30, "auc >= 0.9"))),
                "holds: the condition of evaluation is as before: auc >= 0.9 [claimed 1]",
            ),
            "stricter than before": (
                Unweakened(),
                lambda: hop(ev("evaluation", expected="auc >= 0.95"), facts=suite(("evaluation", 30, "auc >= 0.9"))),
                "holds: the condition of evaluation was made stricter: from auc >= 0.9 to auc >= 0.95 [claimed 1]",
            ),
            "weaker than before": (
                Unweakened(),
                lambda: hop(
                    ev("evaluation", expected="auc >= 0.8", grade="signed"),
                    facts=suite(("evaluation", 30, "auc >= 0.9")),
                ),
                "fails: the condition of evaluation was weakened: from auc >= 0.9 to auc >= 0.8 [signed 1]",
            ),
            "not comparable with before": (
                Unweakened(),
                lambda: hop(ev("evaluation", expected="f1 >= 0.8"), facts=suite(("evaluation", 30, "auc >= 0.9"))),
                "undetermined: the condition of evaluation changed and cannot be compared: from auc >= 0.9 to f1 >= 0.8 | needs a condition of evaluation that can be compared with the one before [claimed 1]",
            ),
            "one of two gates was weakened": (
                Unweakened(),
                lambda: hop(
                    ev(expected="n >= 1"),
                    ev("evaluation", expected="auc >= 0.8"),
                    facts=suite(("evaluation", 30, "auc >= 0.9")),
                ),
                "fails: the condition of evaluation was weakened: from auc >= 0.9 to auc >= 0.8; the first record of approval: n >= 1 [claimed 2, 1]",
            ),
            "only the named type is asked": (
                Unweakened(gate_type="approval"),
                lambda: hop(
                    ev(expected="n >= 1"),
                    ev("evaluation", expected="auc >= 0.8"),
                    facts=suite(("evaluation", 30, "auc >= 0.9")),
                ),
                "holds: the first record of approval: n >= 1 [claimed 1]",
            ),
            "weakened after the release": (
                Unweakened(),
                lambda: hop(
                    ev("evaluation", 40, expected="auc >= 0.9"),
                    ev("evaluation", 60, expected="auc >= 0.8"),
                    facts=suite(("evaluation", 40, "auc >= 0.9")),
                ),
                "fails: the condition of evaluation was weakened: from auc >= 0.9 to auc >= 0.8 [claimed 2]",
            ),
            "a record of another version is compared": (
                Unweakened(),
                lambda: hop(
                    ev("evaluation", expected="auc >= 0.8"),
                    facts=suite(("evaluation", 30, "auc >= 0.9"), name="model:churn"),
                ),
                "fails: the condition of evaluation was weakened: from auc >= 0.9 to auc >= 0.8 [claimed 1]",
            ),
            "a record of another name is not": (
                Unweakened(),
                lambda: hop(
                    ev("evaluation", expected="auc >= 0.8"),
                    facts=suite(("evaluation", 30, "auc >= 0.9"), name="model:other"),
                ),
                "holds: the first record of evaluation: auc >= 0.8 [claimed 1]",
            ),
        }
    ),
)
def test_unweakened_compares_each_deciding_condition_with_the_one_before(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "nobody approved": (
                DifferentApprover(),
                lambda: hop(ev(status="failed", evaluator="person:mia"), facts={"agents": {MODEL: ("person:ada",)}}),
                "undetermined (missing): no approval of model:churn@1 that holds is on record, so nobody approved | needs an approval of model:churn@1 that names who approved",
            ),
            "an approval that names nobody": (
                DifferentApprover(),
                lambda: hop(ev(), facts={"agents": {MODEL: ("person:ada",)}}),
                "undetermined (missing): the approver is not on record | needs a record of the approver [claimed 1]",
            ),
            "one of two approvals names nobody": (
                DifferentApprover(),
                lambda: hop(
                    ev(gate="a", evaluator="person:mia"), ev(gate="b"), facts={"agents": {MODEL: ("person:ada",)}}
                ),
                "undetermined (missing): the approver is not on record | needs a record of the approver [claimed 1, 2]",
            ),
            "somebody else approved": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="person:mia", grade="signed"), facts={"agents": {MODEL: ("person:ada",)}}),
                "holds: approved by person:mia, not by author person:ada [signed 1]",
            ),
            "the author approved": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="person:ada"), facts={"agents": {MODEL: ("person:ada",)}}),
                "fails: person:ada approved, and is the author [claimed 1]",
            ),
            "one of two authors approved": (
                DifferentApprover(),
                lambda: hop(
                    ev(evaluator="person:mia"), facts={"agents": {RUN: ("person:ada",), MODEL: ("person:mia",)}}
                ),
                "fails: person:mia approved, and is the author [claimed 1]",
            ),
            "one of two approvers is the author": (
                DifferentApprover(),
                lambda: hop(
                    ev(gate="a", evaluator="person:mia"),
                    ev(gate="b", evaluator="person:ada"),
                    facts={"agents": {RUN: ("person:ada",)}},
                ),
                "fails: person:ada approved, and is the author [claimed 1, 2]",
            ),
            "nobody is on record as the author": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="person:mia")),
                "undetermined (missing): the author is not on record | needs a record of the author [claimed 1]",
            ),
            "the author made the logged model whose bytes it is": (
                DifferentApprover(),
                lambda: hop(
                    ev(evaluator="person:ada"),
                    edges=[edge("logged_model:m", "was_derived_from", MODEL)],
                    facts={"agents": {"logged_model:m": ("person:ada",)}},
                ),
                "fails: person:ada approved, and is the author [claimed 1]",
            ),
            "a team approved": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="team:risk"), facts={"agents": {MODEL: ("person:ada",)}}),
                "undetermined: whether team:risk, who approved, is the author person:ada cannot be told | needs the persons behind team:risk and person:ada [claimed 1]",
            ),
            "perhaps the author approved": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="person:corp/ada"), facts={"agents": {MODEL: ("person:ada",)}}),
                "undetermined: whether person:corp/ada, who approved, is the author person:ada cannot be told | needs the persons behind person:corp/ada and person:ada [claimed 1]",
            ),
            "perhaps one author and surely another": (
                DifferentApprover(),
                lambda: hop(ev(evaluator="person:ada"), facts={"agents": {MODEL: ("person:corp/ada", "person:ada")}}),
                "fails: person:ada approved, and is the author [claimed 1]",
            ),
            "the deployer approved": (
                DifferentApprover(from_=("author", "deployer")),
                lambda: hop(
                    ev(evaluator="person:mia"), facts={"agents": {MODEL: ("person:ada",), DEPLOYMENT: ("person:mia",)}}
                ),
                "fails: person:mia approved, and is the deployer [claimed 1]",
            ),
            "neither author nor deployer approved": (
                DifferentApprover(from_=("author", "deployer")),
                lambda: hop(
                    ev(evaluator="person:mia"),
                    facts={"agents": {MODEL: ("person:ada", "person:bo"), DEPLOYMENT: ("service:ci",)}},
                ),
                "holds: approved by person:mia, not by author person:ada and person:bo, deployer service:ci [claimed 1]",
            ),
            "the deployer is not known": (
                DifferentApprover(from_=("author", "deployer")),
                lambda: hop(ev(evaluator="person:mia"), facts={"agents": {MODEL: ("person:ada",)}}),
                "undetermined (missing): the deployer is not on record | needs a record of the deployer [claimed 1]",
            ),
            "nobody is known and the deployer approved": (
                DifferentApprover(from_=("author", "deployer")),
                lambda: hop(ev(evaluator="person:mia"), facts={"agents": {DEPLOYMENT: ("person:mia",)}}),
                "fails: person:mia approved, and is the deployer [claimed 1]",
            ),
            "only approvals name approvers": (
                DifferentApprover(),
                lambda: hop(
                    ev("evaluation", evaluator="person:ada"),
                    ev(evaluator="person:mia"),
                    facts={"agents": {MODEL: ("person:ada",)}},
                ),
                "holds: approved by person:mia, not by author person:ada [claimed 2]",
            ),
            "an earlier approval does not count": (
                DifferentApprover(),
                lambda: hop(
                    ev(evaluator="person:mia", day=30),
                    ev(evaluator="person:mia", status="failed"),
                    facts={"agents": {MODEL: ("person:ada",)}},
                ),
                "undetermined (missing): no approval of model:churn@1 that holds is on record, so nobody approved | needs an approval of model:churn@1 that names who approved",
            ),
            "two approved": (
                DifferentApprover(),
                lambda: hop(
                    ev(gate="a", evaluator="person:mia"),
                    ev(gate="b", evaluator="person:noor"),
                    facts={"agents": {MODEL: ("person:ada",)}},
                ),
                "holds: approved by person:mia and person:noor, not by author person:ada [claimed 1, 2]",
            ),
            "a waiver approves as long as it is in force": (
                DifferentApprover(),
                lambda: hop(
                    ev(evaluator="person:ada", status="waived", valid_to=text(101), attributes={"reason": "x"}),
                    facts={"agents": {MODEL: ("person:ada",)}},
                ),
                "fails: person:ada approved, and is the author [claimed 1]",
            ),
            "an expired waiver approves nothing": (
                DifferentApprover(),
                lambda: hop(
                    ev(evaluator="person:ada", status="waived", valid_to=text(100), attributes={"reason": "x"}),
                    facts={"agents": {MODEL: ("person:ada",)}},
                ),
                "undetermined (missing): no approval of model:churn@1 that holds is on record, so nobody approved | needs an approval of model:churn@1 that names who approved",
            ),
        }
    ),
)
def test_nobody_approves_their_own_work(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "a person approved": (
                Identity(who="approver"),
                lambda: hop(ev(evaluator="person:mia", grade="signed")),
                "holds: approver person:mia [signed 1]",
            ),
            "a service deployed": (
                Identity(who="deployer"),
                lambda: hop(facts={"agents": {DEPLOYMENT: ("service:ci",)}}),
                "holds: deployer service:ci",
            ),
            "two authors": (
                Identity(who="author"),
                lambda: hop(facts={"agents": {MODEL: ("person:bo",), RUN: ("person:ada",)}}),
                "holds: author person:ada and person:bo",
            ),
            "a team may not": (
                Identity(who="author"),
                lambda: hop(facts={"agents": {MODEL: ("team:ml",)}}),
                "fails: the author team:ml is a team; allowed are person, service",
            ),
            "a team approved": (
                Identity(who="approver"),
                lambda: hop(ev(evaluator="team:risk")),
                "fails: the approver team:risk is a team; allowed are person, service [claimed 1]",
            ),
            "a team may where the policy says so": (
                Identity(who="author", kinds=("team",)),
                lambda: hop(facts={"agents": {MODEL: ("team:ml",)}}),
                "holds: author team:ml",
            ),
            "nobody deployed": (
                Identity(who="deployer"),
                hop,
                "undetermined (missing): the deployer is not on record | needs a record of the deployer",
            ),
            "nobody approved": (
                Identity(who="approver"),
                hop,
                "undetermined (missing): no approval of model:churn@1 that holds is on record, so nobody approved | needs an approval of model:churn@1 that names who approved",
            ),
            "an approval names nobody": (
                Identity(who="approver"),
                lambda: hop(ev()),
                "undetermined (missing): the approver is not on record | needs a record of the approver [claimed 1]",
            ),
            "none of those allowed": (
                Identity(who="approver", allowed=("person:ada", "service:.*")),
                lambda: hop(ev(evaluator="person:mia")),
                "fails: the approver person:mia is none of those allowed [claimed 1]",
            ),
            "one of those allowed": (
                Identity(who="approver", allowed=("person:ada", "person:m.*")),
                lambda: hop(ev(evaluator="person:mia")),
                "holds: approver person:mia [claimed 1]",
            ),
            "allowed by its bare name": (
                Identity(who="approver", allowed=("mia",)),
                lambda: hop(ev(evaluator="person:mia")),
                "holds: approver person:mia [claimed 1]",
            ),
            "a pattern with a kind is not for bare names": (
                Identity(who="approver", allowed=("a|x:y",)),
                lambda: hop(ev(evaluator="person:a")),
                "fails: the approver person:a is none of those allowed [claimed 1]",
            ),
            "a bare name is of no known kind": (
                Identity(who="approver"),
                lambda: hop(ev(evaluator="mia")),
                "undetermined: what kind of agent mia is, is not recorded | needs whether mia is a person or a service [claimed 1]",
            ),
            "a bare name that is not allowed": (
                Identity(who="approver", allowed=("ada",)),
                lambda: hop(ev(evaluator="mia")),
                "undetermined: what kind of agent mia is, is not recorded | needs whether mia is a person or a service [claimed 1]",
            ),
            "a bare name and a team": (
                Identity(who="author"),
                lambda: hop(facts={"agents": {MODEL: ("mia", "team:ml")}}),
                "fails: the author team:ml is a team; allowed are person, service",
            ),
            "two bare names": (
                Identity(who="author"),
                lambda: hop(facts={"agents": {MODEL: ("bo", "ada")}}),
                "undetermined: what kind of agent ada is, is not recorded | needs whether ada is a person or a service",
            ),
            "a bare name and a person": (
                Identity(who="author"),
                lambda: hop(facts={"agents": {MODEL: ("mia", "person:zoe")}}),
                "undetermined: what kind of agent mia is, is not recorded | needs whether mia is a person or a service",
            ),
            "the deployer of each deployment it leads to": (
                Identity(who="deployer"),
                lambda: hop(at=(DATA, RUN), facts={"agents": {DEPLOYMENT: ("service:ci",)}}),
                "holds: deployer service:ci",
            ),
        }
    ),
)
def test_only_known_people_or_services_may(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "one dataset": (TrainingData(), hop, "holds: 1 training dataset on record"),
            "two datasets": (
                TrainingData(),
                lambda: hop(
                    edges=[edge("dataset:raw@1", "used", "run:prep"), edge("run:prep", "was_generated_by", DATA)]
                ),
                "holds: 2 training datasets on record",
            ),
            "read in another role": (
                TrainingData(),
                lambda: hop(base=[edge(DATA, "used", RUN, role="validation"), *chain()[1:]]),
                "undetermined: data was read, and none of it is recorded as training data | needs the role that the data was read in",
            ),
            "nothing was read by the run": (
                TrainingData(),
                lambda: hop(base=chain()[1:]),
                "undetermined (missing): no record says which data run:train read for training | needs a record of the data that run:train read for training",
            ),
            "no run is on record": (
                TrainingData(),
                lambda: hop(base=chain()[2:]),
                "undetermined (missing): no record says which data a training run read (no run is on record) for training | needs a record of the data that a training run read (no run is on record) for training",
            ),
            "the first of two runs is named": (
                TrainingData(),
                lambda: hop(
                    base=[
                        edge("run:b", "was_generated_by", MODEL),
                        edge("run:a", "was_generated_by", MODEL),
                        *chain()[2:],
                    ]
                ),
                "undetermined (missing): no record says which data run:a read for training | needs a record of the data that run:a read for training",
            ),
            "training data of another model does not count": (
                TrainingData(),
                lambda: hop(
                    base=[
                        edge(MODEL, "deploys", DEPLOYMENT),
                        edge(DEPLOYMENT, "serves", ENDPOINT, traffic=50.0),
                        edge(DATA, "used", RUN, role="training"),
                        edge(RUN, "was_generated_by", "model:b@1"),
                        edge("model:b@1", "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ]
                ),
                "undetermined (missing): no record says which data a training run read (no run is on record) for training | needs a record of the data that a training run read (no run is on record) for training",
            ),
        }
    ),
)
def test_training_data_must_have_been_reached_in_that_role(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "the rung itself": (
                Identified(at_least="name_version"),
                lambda: hop(nodes={MODEL: {"identified_by": "name_version"}}),
                "holds: identified by name version",
            ),
            "a firmer rung": (
                Identified(at_least="name_version"),
                lambda: hop(nodes={MODEL: {"identified_by": "content_hash"}}),
                "holds: identified by content hash",
            ),
            "a weaker rung": (
                Identified(at_least="truncated_digest"),
                lambda: hop(nodes={MODEL: {"identified_by": "time_order"}}),
                "undetermined (missing): identified by time order only; needs truncated digest or stronger | needs a record that identifies model:churn@1 by truncated digest or stronger",
            ),
            "nothing says how": (
                Identified(at_least="name_version"),
                hop,
                "undetermined (missing): identified by name only; needs name version or stronger | needs a record that identifies model:churn@1 by name version or stronger",
            ),
            "nothing says how and a name suffices": (
                Identified(at_least="name"),
                lambda: hop(nodes={MODEL: {"identified_by": ""}}),
                "holds: identified by name",
            ),
            "the effect": (
                Identified(at_least="name_version"),
                lambda: hop(of="effect", nodes={DEPLOYMENT: {"identified_by": "identifier"}}),
                "holds: identified by identifier",
            ),
        }
    ),
)
def test_identified_asks_for_a_rung_of_the_ladder_or_a_firmer_one(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no description": (
                Recorded(facts=("description",)),
                hop,
                "undetermined (missing): model:churn@1 has no description on record | needs a record of description of model:churn@1",
            ),
            "no dataset_version": (
                Recorded(facts=("dataset_version",)),
                hop,
                "undetermined (missing): model:churn@1 has no dataset version on record | needs a record of dataset version of model:churn@1",
            ),
            "no prompt": (
                Recorded(facts=("prompt",)),
                hop,
                "undetermined (missing): model:churn@1 has no prompt on record | needs a record of prompt of model:churn@1",
            ),
            "no retrieval_index": (
                Recorded(facts=("retrieval_index",)),
                hop,
                "undetermined (missing): model:churn@1 has no retrieval index on record | needs a record of retrieval index of model:churn@1",
            ),
            "no base_model": (
                Recorded(facts=("base_model",)),
                hop,
                "undetermined (missing): model:churn@1 has no base model on record | needs a record of base model of model:churn@1",
            ),
            "in tags": (
                Recorded(facts=("licence",)),
                lambda: hop(nodes={MODEL: described(tags={"License": "MIT"})}),
                "holds: on record: licence",
            ),
            "in params": (
                Recorded(facts=("algorithm",)),
                lambda: hop(nodes={RUN: described(Params={"estimator": "trees"})}),
                "holds: on record: algorithm",
            ),
            "in metadata": (
                Recorded(facts=("owner",)),
                lambda: hop(nodes={MODEL: described(METADATA={"x": "", "Team": "ml"})}),
                "holds: on record: owner",
            ),
            "deeper does not count": (
                Recorded(facts=("owner",)),
                lambda: hop(nodes={MODEL: described(other={"team": "ml"})}),
                "undetermined (missing): model:churn@1 has no owner on record | needs a record of owner of model:churn@1",
            ),
            "tags that are no table": (
                Recorded(facts=("owner",)),
                lambda: hop(nodes={MODEL: described(tags="team")}),
                "undetermined (missing): model:churn@1 has no owner on record | needs a record of owner of model:churn@1",
            ),
            "blank text is not on record": (
                Recorded(facts=("owner",)),
                lambda: hop(
                    nodes={MODEL: described(owner="  ", team="", user=None, tags={"owner": []}, params={"team": {}})}
                ),
                "undetermined (missing): model:churn@1 has no owner on record | needs a record of owner of model:churn@1",
            ),
            "zero is on record": (
                Recorded(facts=("retention",)),
                lambda: hop(nodes={MODEL: described(retention=0)}),
                "holds: on record: retention",
            ),
            "of the logged models run": (
                Recorded(facts=("algorithm",)),
                lambda: hop(
                    base=[
                        edge("run:x", "was_generated_by", "logged_model:m"),
                        edge("logged_model:m", "was_derived_from", MODEL),
                        *chain()[2:],
                    ],
                    nodes={"run:x": described(algorithm="trees")},
                ),
                "holds: on record: algorithm",
            ),
            "a description": (
                Recorded(facts=("description",)),
                lambda: hop(nodes={MODEL: {"record": {"description": "It is."}}}),
                "holds: on record: description",
            ),
            "a blank description": (
                Recorded(facts=("description",)),
                lambda: hop(nodes={MODEL: {"record": {"description": "  "}}}),
                "undetermined (missing): model:churn@1 has no description on record | needs a record of description of model:churn@1",
            ),
            "datasets known by a shortened digest": (
                Recorded(facts=("dataset_version",)),
                lambda: hop(nodes={DATA: {"identified_by": "truncated_digest"}}),
                "holds: on record: dataset version",
            ),
            "a dataset known by time only": (
                Recorded(facts=("dataset_version",)),
                lambda: hop(nodes={DATA: {"identified_by": "time_order"}}),
                "undetermined (missing): model:churn@1 has no dataset version on record | needs a record of dataset version of model:churn@1",
            ),
            "one of two datasets known by name only": (
                Recorded(facts=("dataset_version",)),
                lambda: hop(
                    edges=[edge("dataset:e", "used", RUN, role="training")],
                    nodes={DATA: {"identified_by": "content_hash"}},
                ),
                "undetermined (missing): model:churn@1 has no dataset version on record | needs a record of dataset version of model:churn@1",
            ),
            "metrics as measured": (
                Recorded(facts=("metrics",)),
                lambda: hop(ev("evaluation", actual="0.9")),
                "holds: on record: metrics",
            ),
            "metrics not measured": (
                Recorded(facts=("metrics",)),
                lambda: hop(ev("evaluation", expected="auc >= 0.9")),
                "undetermined (missing): model:churn@1 has no metrics on record | needs a record of metrics of model:churn@1",
            ),
            "a feature set upstream": (
                Recorded(facts=("feature_spec",)),
                lambda: hop(edges=[edge("feature_set:f@1", "used", RUN)]),
                "holds: on record: feature spec",
            ),
            "a prompt upstream": (
                Recorded(facts=("prompt",)),
                lambda: hop(edges=[edge("prompt:p@1", "used", MODEL)]),
                "holds: on record: prompt",
            ),
            "an index upstream": (
                Recorded(facts=("retrieval_index",)),
                lambda: hop(edges=[edge("index:i@1", "used", RUN)]),
                "holds: on record: retrieval index",
            ),
            "a base model upstream": (
                Recorded(facts=("base_model",)),
                lambda: hop(edges=[edge("base_model:b@1", "was_derived_from", MODEL)]),
                "holds: on record: base model",
            ),
            "code that the run used": (
                Recorded(facts=("code",)),
                lambda: hop(edges=[edge("code:c@1", "used", RUN)]),
                "holds: on record: code",
            ),
            "an environment that the run used": (
                Recorded(facts=("environment",)),
                lambda: hop(edges=[edge("environment:c@1", "used", RUN)]),
                "holds: on record: environment",
            ),
            "code is no environment": (
                Recorded(facts=("environment",)),
                lambda: hop(edges=[edge("code:c@1", "used", RUN)]),
                "undetermined (missing): model:churn@1 has no environment on record | needs a record of environment of model:churn@1",
            ),
            "code linked otherwise": (
                Recorded(facts=("code",)),
                lambda: hop(edges=[edge("code:c@1", "was_derived_from", RUN)]),
                "undetermined (missing): model:churn@1 has no code on record | needs a record of code of model:churn@1",
            ),
            "code that another run used": (
                Recorded(facts=("code",)),
                lambda: hop(edges=[edge("code:c@1", "used", "run:prep"), edge("run:prep", "was_generated_by", DATA)]),
                "undetermined (missing): model:churn@1 has no code on record | needs a record of code of model:churn@1",
            ),
            "an owner who is associated": (
                Recorded(facts=("owner",)),
                lambda: hop(facts={"agents": {MODEL: ("person:ada",)}}),
                "holds: on record: owner",
            ),
            "an owner of something else": (
                Recorded(facts=("owner",)),
                lambda: hop(facts={"agents": {RUN: ("person:ada",)}}),
                "undetermined (missing): model:churn@1 has no owner on record | needs a record of owner of model:churn@1",
            ),
            "several of which two are missing": (
                Recorded(facts=("licence", "intended_use", "owner")),
                lambda: hop(nodes={MODEL: described(license="MIT")}),
                "undetermined (missing): model:churn@1 has no intended use and owner on record | needs a record of intended use and owner of model:churn@1",
            ),
            "several": (
                Recorded(facts=("licence", "intended_use")),
                lambda: hop(nodes={MODEL: described(license="MIT", purpose="x")}),
                "holds: on record: licence and intended use",
            ),
        }
    ),
)
def test_recorded_finds_each_fact_where_the_document_says(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no training data": (
                SeparateData(),
                lambda: hop(base=chain()[1:]),
                "undetermined (missing): no training data of model:churn@1 is on record | needs a record of the training data",
            ),
            "no evaluation data": (
                SeparateData(),
                lambda: hop(ev("evaluation")),
                "undetermined (missing): no evaluation data of model:churn@1 is on record | needs a record of the evaluation data",
            ),
            "another type of gate names no evaluation data": (
                SeparateData(),
                lambda: hop(ev("safety", attributes={"dataset": DATA})),
                "undetermined (missing): no evaluation data of model:churn@1 is on record | needs a record of the evaluation data",
            ),
            "the same reference": (
                SeparateData(),
                lambda: hop(ev("evaluation", attributes={"dataset": DATA})),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "the same content": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": A}, "dataset:t@1": {"digest": A}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "fails: dataset:t@1 was evaluated on and dataset:d@1 trained on: the same content",
            ),
            "other content": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": A}, "dataset:t@1": {"digest": B}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "holds: dataset:t@1 differs from the training data",
            ),
            "digests of two kinds tell nothing": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": A}, "dataset:t@1": {"digest": "md5:b"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "undetermined: whether dataset:t@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "digests of an unknown kind tell nothing": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": "crc:1"}, "dataset:t@1": {"digest": "crc:2"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "undetermined: whether dataset:t@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "sha1 digests tell": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": "sha1:1"}, "dataset:t@1": {"digest": "sha1:2"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "holds: dataset:t@1 differs from the training data",
            ),
            "sha512 digests tell": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": "sha512:1"}, "dataset:t@1": {"digest": "sha512:1"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "fails: dataset:t@1 was evaluated on and dataset:d@1 trained on: the same content",
            ),
            "md5 digests tell": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"digest": "md5:1"}, "dataset:t@1": {"digest": "md5:2"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "holds: dataset:t@1 differs from the training data",
            ),
            "only one has a digest": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={"dataset:t@1": {"digest": A}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "undetermined: whether dataset:t@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "both known by version": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={DATA: {"identified_by": "name_version"}, "dataset:t@1": {"identified_by": "name_version"}},
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "holds: dataset:t@1 differs from the training data",
            ),
            "one known by a shortened digest": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    nodes={
                        DATA: {"identified_by": "truncated_digest"},
                        "dataset:t@1": {"identified_by": "name_version"},
                    },
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "undetermined: whether dataset:t@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "known by name only": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    edges=[edge("dataset:t@1", "used", RUN, role="test")],
                ),
                "undetermined: whether dataset:t@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "evaluation data that is not on record": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:elsewhere@1"}),
                    nodes={DATA: {"identified_by": "content_hash", "digest": A}},
                ),
                "undetermined: whether dataset:elsewhere@1 and dataset:d@1 are the same data is not known: neither content nor version tells | needs digests or versions of the training and the evaluation data",
            ),
            "one of two is the same": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:a"}),
                    ev("evaluation", attributes={"dataset": DATA}),
                ),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "two that differ": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": "dataset:t@1"}),
                    ev("evaluation", attributes={"dataset": "dataset:u@1"}),
                    nodes={DATA: {"digest": A}, "dataset:t@1": {"digest": B}, "dataset:u@1": {"digest": B}},
                    edges=[
                        edge("dataset:t@1", "used", RUN, role="test"),
                        edge("dataset:u@1", "used", RUN, role="test"),
                    ],
                ),
                "holds: dataset:t@1, dataset:u@1 differ from the training data",
            ),
            "what an evaluation run read": (
                SeparateData(),
                lambda: hop(
                    nodes={"run:eval": {"side": True}},
                    edges=[edge(MODEL, "used", "run:eval"), edge(DATA, "used", "run:eval")],
                ),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "what evidence names and what an evaluation run read": (
                SeparateData(),
                lambda: hop(
                    ev("evaluation", attributes={"dataset": DATA}),
                    nodes={"run:eval": {"side": True}, "dataset:t@1": {"digest": B}},
                    edges=[edge(MODEL, "used", "run:eval"), edge("dataset:t@1", "used", "run:eval")],
                ),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "what its maker held back": (
                SeparateData(),
                lambda: hop(
                    edges=[
                        edge("dataset:t@1", "used", RUN, role="Test"),
                        edge("dataset:v@1", "used", RUN, role="evaluation"),
                        edge("code:c@1", "used", RUN, role="test"),
                        edge("dataset:w@1", "was_derived_from", RUN, role="test"),
                        edge("dataset:x@1", "used", RUN, role="validation"),
                    ],
                    nodes={
                        DATA: {"identified_by": "name_version"},
                        "dataset:t@1": {"identified_by": "name_version"},
                        "dataset:v@1": {"identified_by": "name_version"},
                    },
                ),
                "holds: dataset:t@1, dataset:v@1 differ from the training data",
            ),
            "what its maker trained on and held back": (
                SeparateData(),
                lambda: hop(edges=[edge(DATA, "used", RUN, role="evaluation")]),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "what an evaluation run of the logged model read": (
                SeparateData(),
                lambda: hop(
                    nodes={"run:eval": {"side": True}},
                    edges=[
                        edge("logged_model:m", "was_derived_from", MODEL),
                        edge("logged_model:m", "used", "run:eval"),
                        edge(DATA, "used", "run:eval"),
                    ],
                ),
                "fails: dataset:d@1 was evaluated on and dataset:d@1 trained on: the same data",
            ),
            "what a run beside did not read": (
                SeparateData(),
                lambda: hop(
                    nodes={"run:eval": {"side": True}},
                    edges=[
                        edge(MODEL, "used", "run:eval"),
                        edge("code:c@1", "used", "run:eval"),
                        edge(DATA, "was_derived_from", "run:eval"),
                    ],
                ),
                "undetermined (missing): no evaluation data of model:churn@1 is on record | needs a record of the evaluation data",
            ),
            "what a run that is no evaluation read": (
                SeparateData(),
                lambda: hop(
                    edges=[
                        edge(MODEL, "used", "run:next"),
                        edge(DATA, "used", "run:next"),
                        edge("run:next", "was_generated_by", "model:b@1"),
                        edge("model:b@1", "deploys", DEPLOYMENT),
                    ]
                ),
                "undetermined (missing): no evaluation data of model:churn@1 is on record | needs a record of the evaluation data",
            ),
            "what an evaluation run of another model read": (
                SeparateData(),
                lambda: hop(
                    nodes={"run:eval": {"side": True}},
                    edges=[
                        edge("model:b@1", "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                        edge("model:b@1", "used", "run:eval"),
                        edge(DATA, "used", "run:eval"),
                    ],
                ),
                "undetermined (missing): no evaluation data of model:churn@1 is on record | needs a record of the evaluation data",
            ),
        }
    ),
)
def test_evaluation_data_must_differ_from_training_data_by_content_or_version(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "both": (Resolved(), hop, "holds: both ends are on record"),
            "the cause is not": (
                Resolved(),
                lambda: hop(nodes={MODEL: {"resolved": False}}),
                "undetermined (missing): no record describes model:churn@1 | needs a record that describes model:churn@1",
            ),
            "the effect is not": (
                Resolved(),
                lambda: hop(nodes={DEPLOYMENT: {"resolved": False}}),
                "undetermined (missing): no record describes deployment:e:a | needs a record that describes deployment:e:a",
            ),
            "a state between two records is implied": (
                Resolved(),
                lambda: hop(nodes={MODEL: {"resolved": False, "implied": True}}),
                "holds: both ends are on record",
            ),
            "the effect may mean two things": (
                Resolved(),
                lambda: hop(nodes={DEPLOYMENT: {"candidates": ["deployment:x/e:a", "deployment:y/e:a"]}}),
                "undetermined: deployment:e:a may mean any of deployment:x/e:a, deployment:y/e:a | needs a reference that says which deployment:e:a is meant",
            ),
        }
    ),
)
def test_both_ends_of_a_hop_must_be_on_record_and_mean_one_thing(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "neither": (
                Pinned(),
                lambda: hop(
                    base=[edge("model:churn", "deploys", DEPLOYMENT), *chain()[3:]], at=("model:churn", DEPLOYMENT)
                ),
                "undetermined (missing): model:churn needs a version and a source | needs a record of model:churn with a version and a source",
            ),
            "no source": (
                Pinned(),
                hop,
                "undetermined (missing): model:churn@1 needs a source | needs a record of model:churn@1 with a source",
            ),
            "no version": (
                Pinned(),
                lambda: hop(
                    base=[edge("model:churn", "deploys", DEPLOYMENT), *chain()[3:]],
                    at=("model:churn", DEPLOYMENT),
                    nodes={"model:churn": described(url="x")},
                ),
                "undetermined (missing): model:churn needs a version | needs a record of model:churn with a version",
            ),
            "with a source": (
                Pinned(),
                lambda: hop(nodes={MODEL: described(source="x")}),
                "holds: pinned to a version, and its source is named",
            ),
            "with a uri": (
                Pinned(),
                lambda: hop(nodes={MODEL: described(uri="x")}),
                "holds: pinned to a version, and its source is named",
            ),
            "with a url": (
                Pinned(),
                lambda: hop(nodes={MODEL: described(url="x")}),
                "holds: pinned to a version, and its source is named",
            ),
            "with a provider": (
                Pinned(),
                lambda: hop(nodes={MODEL: described(provider="x")}),
                "holds: pinned to a version, and its source is named",
            ),
            "with an empty source": (
                Pinned(),
                lambda: hop(nodes={MODEL: described(source="")}),
                "undetermined (missing): model:churn@1 needs a source | needs a record of model:churn@1 with a source",
            ),
        }
    ),
)
def test_a_pinned_thing_has_a_version_and_names_a_source(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "as it should be": (
                Name(name="ch.*", version="[0-9]"),
                hop,
                "holds: model:churn@1 is named as it should be",
            ),
            "another name": (Name(name="hurn"), hop, "fails: the name 'churn' does not match hurn"),
            "another version": (Name(version="2"), hop, "fails: the version '1' does not match 2"),
            "a name alone needs no version": (
                Name(name="churn"),
                lambda: hop(
                    base=[edge("model:churn", "deploys", DEPLOYMENT), *chain()[3:]], at=("model:churn", DEPLOYMENT)
                ),
                "holds: model:churn is named as it should be",
            ),
            "no version to match": (
                Name(version="2"),
                lambda: hop(
                    base=[edge("model:churn", "deploys", DEPLOYMENT), *chain()[3:]], at=("model:churn", DEPLOYMENT)
                ),
                "undetermined (missing): model:churn has no version | needs a version of model:churn",
            ),
            "no version to be semantic": (
                Name(semantic=True),
                lambda: hop(
                    base=[edge("model:churn", "deploys", DEPLOYMENT), *chain()[3:]], at=("model:churn", DEPLOYMENT)
                ),
                "undetermined (missing): model:churn has no version | needs a version of model:churn",
            ),
            "a semantic version": (
                Name(semantic=True),
                lambda: hop(
                    base=[edge("model:churn@1.2.3-rc.1%2Bb.5", "deploys", DEPLOYMENT), *chain()[3:]],
                    at=("model:churn@1.2.3-rc.1%2Bb.5", DEPLOYMENT),
                ),
                "holds: model:churn@1.2.3-rc.1%2Bb.5 is named as it should be",
            ),
            "no semantic version": (
                Name(semantic=True),
                lambda: hop(
                    base=[edge("model:churn@1.02.3", "deploys", DEPLOYMENT), *chain()[3:]],
                    at=("model:churn@1.02.3", DEPLOYMENT),
                ),
                "fails: the version '1.02.3' is no semantic version",
            ),
            "the effect": (Name(name="e:b"), lambda: hop(of="effect"), "fails: the name 'e:a' does not match e:b"),
        }
    ),
)
def test_a_name_and_a_version_match_the_rules_of_the_house(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "where it may be": (
                Environment(allowed=("staging", "production")),
                lambda: hop(nodes={DEPLOYMENT: described(environment="Production ")}),
                "holds: in Production",
            ),
            "allowed in another case": (
                Environment(allowed=("PRODUCTION",)),
                lambda: hop(nodes={DEPLOYMENT: described(environment="production")}),
                "holds: in production",
            ),
            "where it may not be": (
                Environment(allowed=("staging", "test")),
                lambda: hop(nodes={DEPLOYMENT: described(environment="production")}),
                "fails: deployment:e:a is in production; allowed are staging, test",
            ),
            "not recorded": (
                Environment(allowed=("staging",)),
                hop,
                "undetermined (missing): the environment of deployment:e:a is not recorded | needs the environment of deployment:e:a",
            ),
            "recorded as something that is no word": (
                Environment(allowed=("staging",)),
                lambda: hop(nodes={DEPLOYMENT: described(environment=["staging"])}),
                "undetermined (missing): the environment of deployment:e:a is not recorded | needs the environment of deployment:e:a",
            ),
            "recorded as a number": (
                Environment(allowed=("1",)),
                lambda: hop(nodes={DEPLOYMENT: described(environment=1)}),
                "holds: in 1",
            ),
            "leads to no deployment": (
                Environment(allowed=("staging",)),
                lambda: hop(
                    base=[
                        edge(DATA, "used", RUN),
                        edge(RUN, "was_generated_by", MODEL),
                        edge(MODEL, "deploys", DEPLOYMENT),
                        edge(DEPLOYMENT, "serves", ENDPOINT, traffic=0.0),
                    ],
                    at=DEPLOYS,
                ),
                "undetermined (missing): the environment of deployment:e:a is not recorded | needs the environment of deployment:e:a",
            ),
            "beside the flow leads to no deployment": (
                Environment(allowed=("staging",)),
                lambda: hop(
                    at=("dataset:t@1", "run:eval"),
                    nodes={"run:eval": {"side": True}},
                    edges=[edge(MODEL, "used", "run:eval"), edge("dataset:t@1", "used", "run:eval")],
                ),
                "undetermined (missing): the environment of the deployment is not recorded | needs the environment of the deployment",
            ),
            "of two deployments one is elsewhere": (
                Environment(allowed=("staging",)),
                lambda: hop(
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                    nodes={
                        DEPLOYMENT: described(environment="staging"),
                        "deployment:e:b": described(environment="dev"),
                    },
                ),
                "fails: deployment:e:b is in dev; allowed are staging",
            ),
            "of two deployments one is not recorded": (
                Environment(allowed=("staging",)),
                lambda: hop(
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                    nodes={DEPLOYMENT: described(environment="staging")},
                ),
                "undetermined (missing): the environment of deployment:e:b is not recorded | needs the environment of deployment:e:b",
            ),
            "of two deployments both may be": (
                Environment(allowed=("staging", "dev")),
                lambda: hop(
                    at=(DATA, RUN),
                    edges=[
                        edge(MODEL, "deploys", "deployment:e:b"),
                        edge("deployment:e:b", "serves", ENDPOINT, traffic=50.0),
                    ],
                    nodes={
                        DEPLOYMENT: described(environment="staging"),
                        "deployment:e:b": described(environment="dev"),
                    },
                ),
                "holds: in dev, staging",
            ),
        }
    ),
)
def test_a_thing_is_deployed_where_it_may_be(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "not gathered": (
                CANARY,
                hop,
                "undetermined (missing): not gathered: how the traffic of model:churn@1 changed | needs how the traffic of model:churn@1 changed",
            ),
            "no traffic": (
                CANARY,
                lambda: hop(facts=releases()),
                "undetermined (missing): no traffic of model:churn@1 is on record | needs the traffic of model:churn@1 since it began",
            ),
            "traffic of another version only": (
                CANARY,
                lambda: hop(facts=releases((50, {"model:churn@0": 100}))),
                "undetermined (missing): no traffic of model:churn@1 is on record | needs the traffic of model:churn@1 since it began",
            ),
            "each step long enough": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 5}), (52, {MODEL: 25}), (54, {MODEL: 100}))),
                "holds: model:churn@1 had 5 % from 2026-02-20T00:00:00Z, then 25 % from 2026-02-22T00:00:00Z, then 100 % from 2026-02-24T00:00:00Z",
            ),
            "steps seen at several syncs": (
                CANARY,
                lambda: hop(
                    facts=releases(
                        (50, {MODEL: 5}), (51, {MODEL: 5}), (52, {MODEL: 25}), (53, {MODEL: 25}), (54, {MODEL: 100})
                    )
                ),
                "holds: model:churn@1 had 5 % from 2026-02-20T00:00:00Z, then 25 % from 2026-02-22T00:00:00Z, then 100 % from 2026-02-24T00:00:00Z",
            ),
            "the first step too short": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 5}), (51, {MODEL: 25}), (54, {MODEL: 100}))),
                "fails: model:churn@1 had 25 % at 2026-02-21T00:00:00Z after 5 % from 2026-02-20T00:00:00Z to 2026-02-21T00:00:00Z; 5 % for 2 days comes before",
            ),
            "the second step too short": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 5}), (52, {MODEL: 25}), (53, {MODEL: 100}))),
                "fails: model:churn@1 had 100 % at 2026-02-23T00:00:00Z after 5 % from 2026-02-20T00:00:00Z, 25 % from 2026-02-22T00:00:00Z to 2026-02-23T00:00:00Z; 25 % for 2 days comes before",
            ),
            "too much at first": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 25}))),
                "fails: model:churn@1 had 25 % at 2026-02-20T00:00:00Z at first; 5 % for 2 days comes before",
            ),
            "too much at first where nothing served before": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 25}))),
                "undetermined: nothing is on record that served before model:churn@1, so there was nothing to try it beside | needs what served before, or a waiver for a first version",
            ),
            "a step skipped where nothing served before": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 5}), (52, {MODEL: 100}))),
                "undetermined: nothing is on record that served before model:churn@1, so there was nothing to try it beside | needs what served before, or a waiver for a first version",
            ),
            "slower than asked": (
                CANARY,
                lambda: hop(
                    facts=releases(
                        (50, {MODEL: 1}), (51, {MODEL: 5}), (53, {MODEL: 10}), (54, {MODEL: 25}), (60, {MODEL: 100})
                    )
                ),
                "holds: model:churn@1 had 5 % from 2026-02-21T00:00:00Z, then 25 % from 2026-02-24T00:00:00Z, then 100 % from 2026-03-02T00:00:00Z",
            ),
            "on its way": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 5}), (52, {MODEL: 25}))),
                "undetermined: model:churn@1 is on its way: 5 % from 2026-02-20T00:00:00Z, 25 % from 2026-02-22T00:00:00Z so far | needs the step 100 %",
            ),
            "on its way and not yet long": (
                CANARY,
                lambda: hop(facts=releases((99, {MODEL: 5}))),
                "undetermined: model:churn@1 is on its way: 5 % from 2026-04-10T00:00:00Z to 2026-04-11T00:00:00Z so far | needs the step 5 % for 2 days",
            ),
            "before its first step": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (99, {MODEL: 1}))),
                "undetermined: model:churn@1 is on its way: no step so far | needs the step 5 % for 2 days",
            ),
            "only the last step is missing": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 5}), (52, {MODEL: 25}), (54, {MODEL: 30}))),
                "undetermined: model:churn@1 is on its way: 5 % from 2026-02-20T00:00:00Z, 25 % from 2026-02-22T00:00:00Z so far | needs the step 100 %",
            ),
            "stopped": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 5}), (52, {MODEL: 0}))),
                "undetermined: model:churn@1 stopped at 2026-02-22T00:00:00Z, before it had 100 % (5 % from 2026-02-20T00:00:00Z) | needs the steps it did not come to",
            ),
            "stopped before any step": (
                CANARY,
                lambda: hop(facts=releases((50, {MODEL: 1}), (52, {MODEL: 0}))),
                "undetermined: model:churn@1 stopped at 2026-02-22T00:00:00Z, before it had 100 % (no step) | needs the steps it did not come to",
            ),
            "tried again": (
                CANARY,
                lambda: hop(
                    facts=releases(
                        (40, {MODEL: 100}), (45, {}), (50, {MODEL: 5}), (52, {MODEL: 25}), (54, {MODEL: 100})
                    )
                ),
                "holds: model:churn@1 had 5 % from 2026-02-20T00:00:00Z, then 25 % from 2026-02-22T00:00:00Z, then 100 % from 2026-02-24T00:00:00Z",
            ),
            "failed again": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (40, {MODEL: 50}), (45, {}), (50, {MODEL: 100}))),
                "fails: model:churn@1 had 100 % at 2026-02-20T00:00:00Z at first; 5 % for 2 days comes before",
            ),
            "failed at first and on its way now": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (40, {MODEL: 50}), (45, {}), (50, {MODEL: 5}))),
                "undetermined: model:churn@1 is on its way: 5 % from 2026-02-20T00:00:00Z so far | needs the step 25 % for 2 days",
            ),
            "not recorded since": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 5}), (52, {MODEL: None}))),
                "undetermined: the traffic of model:churn@1 is not recorded from 2026-02-22T00:00:00Z on | needs the traffic of model:churn@1 since it began",
            ),
            "not recorded when it began": (
                CANARY,
                lambda: hop(facts=releases((None, {MODEL: 5}))),
                "undetermined: the traffic of model:churn@1 changed to 5 % between two syncs, the later at a time that is not recorded | needs the time of that change",
            ),
            "not recorded at all": (
                CANARY,
                lambda: hop(facts=releases((None, {MODEL: None}))),
                "undetermined: the traffic of model:churn@1 is not recorded from a time that is not recorded on | needs the traffic of model:churn@1 since it began",
            ),
            "between two syncs": (
                CANARY,
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 5}), (52, {MODEL: 25}), unsure=[52])),
                "undetermined: the traffic of model:churn@1 changed to 25 % between two syncs, the later at 2026-02-22T00:00:00Z | needs the time of that change",
            ),
            "all at once where that is the only step": (
                Canary(steps=(100,), for_="1d"),
                lambda: hop(facts=releases((1, {OLD: 100}), (50, {MODEL: 100}))),
                "holds: model:churn@1 had 100 % from 2026-02-20T00:00:00Z",
            ),
            "two deployments of it together": (
                CANARY,
                lambda: hop(
                    facts={
                        "releases": (
                            Span(
                                micros(50),
                                micros(52),
                                (Share(MODEL, "deployment:e:a", 3), Share(MODEL, "deployment:e:b", 2)),
                            ),
                            Span(micros(52), micros(54), (Share(MODEL, "deployment:e:a", 25),)),
                            Span(micros(54), None, (Share(MODEL, "deployment:e:a", 100),)),
                        )
                    }
                ),
                "holds: model:churn@1 had 5 % from 2026-02-20T00:00:00Z, then 25 % from 2026-02-22T00:00:00Z, then 100 % from 2026-02-24T00:00:00Z",
            ),
            "at two sites": (
                CANARY,
                lambda: hop(
                    facts={
                        "releases": (
                            Span(
                                micros(50),
                                None,
                                (
                                    Share(MODEL, "deployment:e:a", 100, "east"),
                                    Share(MODEL, "deployment:e:b", 5, "west"),
                                ),
                            ),
                        )
                    }
                ),
                "undetermined: nothing is on record that served before model:churn@1, so there was nothing to try it beside; model:churn@1 is on its way: 5 % from 2026-02-20T00:00:00Z so far | needs what served before, or a waiver for a first version; the step 25 % for 2 days",
            ),
            "what an alias points at": (
                CANARY,
                lambda: hop(
                    base=[
                        edge(MODEL, "alias_of", "model:churn~live"),
                        edge("model:churn~live", "deploys", DEPLOYMENT),
                        *chain()[3:],
                    ],
                    at=("model:churn~live", DEPLOYMENT),
                    facts=releases((1, {OLD: 100}), (50, {MODEL: 25})),
                ),
                "fails: model:churn@1 had 25 % at 2026-02-20T00:00:00Z at first; 5 % for 2 days comes before",
            ),
            "of the versions that a hop further up leads to": (
                CANARY,
                lambda: hop(at=(DATA, RUN), facts=releases((1, {OLD: 100}), (50, {MODEL: 25}))),
                "fails: model:churn@1 had 25 % at 2026-02-20T00:00:00Z at first; 5 % for 2 days comes before",
            ),
            "of a hop that leads to no version": (
                CANARY,
                lambda: hop(
                    base=[edge("code:c@1", "deploys", DEPLOYMENT), *chain()[3:]],
                    at=("code:c@1", DEPLOYMENT),
                    facts=releases((50, {MODEL: 25})),
                ),
                "undetermined (missing): no version is on record that this hop leads to | needs a record of what was released",
            ),
            "a month at each step": (
                Canary(steps=(5, 100), for_="1m"),
                lambda: hop(facts=releases((1, {OLD: 100}), (31, {MODEL: 5}), (58, {MODEL: 100}))),
                "fails: model:churn@1 had 100 % at 2026-02-28T00:00:00Z after 5 % from 2026-02-01T00:00:00Z to 2026-02-28T00:00:00Z; 5 % for 1 month comes before",
            ),
            "a month less a day": (
                Canary(steps=(5, 100), for_="1m"),
                lambda: hop(facts=releases((1, {OLD: 100}), (31, {MODEL: 5}), (57, {MODEL: 100}))),
                "fails: model:churn@1 had 100 % at 2026-02-27T00:00:00Z after 5 % from 2026-02-01T00:00:00Z to 2026-02-27T00:00:00Z; 5 % for 1 month comes before",
            ),
        }
    ),
)
def test_canary_follows_the_traffic_step_by_step(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "not gathered": (
                RollbackTarget(),
                hop,
                "undetermined (missing): not gathered: what served before | needs what served before",
            ),
            "no other version": (
                RollbackTarget(),
                lambda: hop(facts=releases((50, {MODEL: 100}))),
                "undetermined (missing): no other version is on record that served before model:churn@1 | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "one that is still there": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "one that was deleted": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=False),)}}
                ),
                "fails: every other version that served before was deleted: model:churn@0",
            ),
            "one that is gone now": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True, gone_at=micros(100)),)}}
                ),
                "fails: every other version that served before was deleted: model:churn@0",
            ),
            "one that went later": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True, gone_at=micros(101)),)}}
                ),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "one whose stage is deleted": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, (Interval("deleted", micros(60), None),), here=True),)}}
                ),
                "fails: every other version that served before was deleted: model:churn@0",
            ),
            "one of which nothing is known": (
                RollbackTarget(),
                lambda: hop(facts=releases((40, {OLD: 100}), (50, {MODEL: 100}))),
                "undetermined: whether model:churn@0 served, and is still in its source, is not recorded | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "one of two was deleted": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((30, {"model:churn@x": 100}), (40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=False), Life("model:churn@x", here=True))}}
                ),
                "holds: model:churn@x served before model:churn@1 and is still in its source",
            ),
            "one deleted and one unknown": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((30, {"model:churn@x": 100}), (40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=False), Life("model:churn@x"))}}
                ),
                "undetermined: whether model:churn@x served, and is still in its source, is not recorded | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "two unknown": (
                RollbackTarget(),
                lambda: hop(facts=releases((30, {"model:churn@x": 100}), (40, {OLD: 100}), (50, {MODEL: 100}))),
                "undetermined: whether model:churn@0, model:churn@x served, and is still in its source, is not recorded | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "two deleted": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((30, {"model:churn@x": 100}), (40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=False), Life("model:churn@x", here=False))}}
                ),
                "fails: every other version that served before was deleted: model:churn@0, model:churn@x",
            ),
            "one that perhaps served": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: None}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "undetermined: whether model:churn@0 served, and is still in its source, is not recorded | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "one that perhaps served and later surely": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((30, {OLD: None}), (40, {OLD: 1}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "one that had no traffic": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((40, {OLD: 0}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "undetermined (missing): no other version is on record that served before model:churn@1 | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "one that began together with it": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((50, {MODEL: 50, OLD: 50})) | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "undetermined (missing): no other version is on record that served before model:churn@1 | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "one that served since before any record": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((None, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "a version that came back": (
                RollbackTarget(),
                lambda: hop(
                    facts=releases((20, {MODEL: 100}), (40, {OLD: 100}), (50, {MODEL: 100}))
                    | {"lives": {"model:churn": (Life(OLD, here=True),)}}
                ),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "a version that does not serve yet": (
                RollbackTarget(),
                lambda: hop(facts=releases((40, {OLD: 100})) | {"lives": {"model:churn": (Life(OLD, here=True),)}}),
                "holds: model:churn@0 served before model:churn@1 and is still in its source",
            ),
            "a version that does not serve yet released before the other": (
                RollbackTarget(),
                lambda: hop(facts=releases((60, {OLD: 100})) | {"lives": {"model:churn": (Life(OLD, here=True),)}}),
                "undetermined (missing): no other version is on record that served before model:churn@1 | needs a version that served endpoint:e before model:churn@1 and that its source still has",
            ),
            "a version released at no known time": (
                RollbackTarget(),
                lambda: hop(
                    released=None,
                    facts=releases((60, {OLD: 100})) | {"lives": {"model:churn": (Life(OLD, here=True),)}},
                ),
                "undetermined: when model:churn@1 began to serve is not recorded | needs when model:churn@1 began to serve",
            ),
        }
    ),
)
def test_a_version_to_go_back_to_served_before_and_was_not_deleted(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "not gathered": (
                ActiveVersions(at_most=1),
                hop,
                "undetermined (missing): not gathered: the versions of model:churn | needs the versions of model:churn",
            ),
            "as many as may be": (
                ActiveVersions(at_most=1),
                lambda: hop(facts=lives(Life(MODEL, (Interval("production", micros(50), None),)))),
                "holds: 1 of 1 versions of model:churn on record are active (model:churn@1); the registry was read completely",
            ),
            "more than may be": (
                ActiveVersions(at_most=1),
                lambda: hop(
                    facts=lives(
                        Life(MODEL, (Interval("production", micros(50), None),)),
                        Life(OLD, (Interval("staging", micros(50), None),)),
                    )
                ),
                "fails: 2 of 2 versions of model:churn on record are active (model:churn@1, model:churn@0); at most 1 may be",
            ),
            "more than may be in a registry that was not read completely": (
                ActiveVersions(at_most=0),
                lambda: hop(facts=lives(Life(MODEL, (Interval("production", micros(50), None),)), complete=False)),
                "fails: 1 of 1 versions of model:churn on record are active (model:churn@1); at most 0 may be",
            ),
            "a registry that was not read completely": (
                ActiveVersions(at_most=1),
                lambda: hop(facts=lives(Life(MODEL, (Interval("production", micros(50), None),)), complete=False)),
                "undetermined: 1 of 1 versions of model:churn on record are active; the registry was not read completely, so there may be more | needs a complete reading of the registry of model:churn",
            ),
            "none active": (
                ActiveVersions(at_most=0),
                lambda: hop(facts=lives(Life(MODEL, (Interval("archived", micros(50), None),)))),
                "holds: 0 of 1 versions of model:churn on record are active; the registry was read completely",
            ),
            "no versions": (
                ActiveVersions(at_most=0),
                lambda: hop(facts=lives()),
                "holds: 0 of 0 versions of model:churn on record are active; the registry was read completely",
            ),
            "a stage that is not recorded": (
                ActiveVersions(at_most=1),
                lambda: hop(facts=lives(Life(MODEL, (Interval("evaluation", micros(50), None),)), Life(OLD))),
                "undetermined: 1 of 2 versions of model:churn on record are active (model:churn@1); 2 may be, for the stage of some is not recorded, or changed between two syncs | needs the stages of model:churn@0",
            ),
            "two stages that are not recorded": (
                ActiveVersions(at_most=1),
                lambda: hop(facts=lives(Life(MODEL), Life(OLD))),
                "undetermined: 0 of 2 versions of model:churn on record are active; 2 may be, for the stage of some is not recorded, or changed between two syncs | needs the stages of model:churn@1, model:churn@0",
            ),
            "a stage that is not recorded where there is room": (
                ActiveVersions(at_most=2),
                lambda: hop(facts=lives(Life(MODEL, (Interval("monitoring", micros(50), None),)), Life(OLD))),
                "holds: 1 of 2 versions of model:churn on record are active (model:churn@1); the registry was read completely",
            ),
            "a change between two syncs": (
                ActiveVersions(at_most=0),
                lambda: hop(
                    facts=lives(
                        Life(
                            MODEL,
                            (
                                Interval("none", None, micros(110)),
                                Interval("production", micros(110), None, micros(90)),
                            ),
                        )
                    )
                ),
                "undetermined: 0 of 1 versions of model:churn on record are active; 1 may be, for the stage of some is not recorded, or changed between two syncs | needs the stages of model:churn@1",
            ),
            "a change between two syncs from nothing": (
                ActiveVersions(at_most=0),
                lambda: hop(facts=lives(Life(MODEL, (Interval("production", micros(110), None, micros(90)),)))),
                "undetermined: 0 of 1 versions of model:churn on record are active; 1 may be, for the stage of some is not recorded, or changed between two syncs | needs the stages of model:churn@1",
            ),
            "a change between two syncs that is over": (
                ActiveVersions(at_most=0),
                lambda: hop(facts=lives(Life(MODEL, (Interval("archived", micros(100), None, micros(90)),)))),
                "holds: 0 of 1 versions of model:churn on record are active; the registry was read completely",
            ),
            "a change that comes after": (
                ActiveVersions(at_most=0),
                lambda: hop(
                    facts=lives(
                        Life(
                            MODEL,
                            (
                                Interval("archived", None, micros(110)),
                                Interval("production", micros(110), None, micros(100)),
                            ),
                        )
                    )
                ),
                "holds: 0 of 1 versions of model:churn on record are active; the registry was read completely",
            ),
            "six active of seven": (
                ActiveVersions(at_most=2),
                lambda: hop(
                    facts=lives(
                        *[Life(f"model:churn@{n}", (Interval("production", micros(50), None),)) for n in range(6)],
                        Life("model:churn@x", (Interval("none", micros(50), None),)),
                    )
                ),
                "fails: 6 of 7 versions of model:churn on record are active (model:churn@0, model:churn@1, model:churn@2, model:churn@3, model:churn@4, …); at most 2 may be",
            ),
            "five active": (
                ActiveVersions(at_most=2),
                lambda: hop(
                    facts=lives(
                        *[Life(f"model:churn@{n}", (Interval("production", micros(50), None),)) for n in range(5)]
                    )
                ),
                "fails: 5 of 5 versions of model:churn on record are active (model:churn@0, model:churn@1, model:churn@2, model:churn@3, model:churn@4); at most 2 may be",
            ),
        }
    ),
)
def test_no_more_versions_of_a_name_are_active_than_may_be(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "not gathered": (
                Kept(for_="30d"),
                hop,
                "undetermined (missing): not gathered: the versions of model:churn | needs the versions of model:churn",
            ),
            "no versions": (
                Kept(for_="30d"),
                lambda: hop(facts=lives()),
                "undetermined (missing): no version of model:churn is on record | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "nothing was retired": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(MODEL, (Interval("production", micros(50), None),), here=True))),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "retired and still there": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life(OLD, (Interval("archived", micros(80), None, micros(80)),), here=True),
                        Life(MODEL, here=True),
                    )
                ),
                "holds: retired within 30 days and still in the source: model:churn@0",
            ),
            "retired long ago and still there": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, (Interval("archived", micros(70), None, micros(70)),), here=True))),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "retired long ago and deleted": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, (Interval("archived", micros(70), None, micros(70)),), here=False))),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "kept where a hop leads to no version": (
                Kept(for_="30d"),
                lambda: hop(
                    base=[edge("code:c@1", "deploys", DEPLOYMENT), *chain()[3:]],
                    at=("code:c@1", DEPLOYMENT),
                    facts=lives(Life(OLD)),
                ),
                "undetermined (missing): no version is on record that this hop leads to | needs a record of what was released",
            ),
            "one retired long ago and another of late": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life("model:churn@x", (Interval("archived", micros(60), None, micros(60)),), here=False),
                        Life(OLD, (Interval("archived", micros(80), None, micros(80)),), here=False),
                    )
                ),
                "fails: model:churn@0 was retired at 2026-03-22T00:00:00Z and is in its source no longer; it is kept for 30 days",
            ),
            "retired of late and deleted": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, (Interval("archived", micros(71), None, micros(71)),), here=False))),
                "fails: model:churn@0 was retired at 2026-03-13T00:00:00Z and is in its source no longer; it is kept for 30 days",
            ),
            "deleted at no known time": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, here=False))),
                "undetermined: when model:churn@0 was retired is not recorded | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "retired between two syncs around the limit": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, (Interval("archived", micros(75), None, micros(65)),), here=False))),
                "undetermined: model:churn@0 was retired between 2026-03-07T00:00:00Z and 2026-03-17T00:00:00Z | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "nothing says whether it is there": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD, (Interval("archived", micros(80), None, micros(80)),)))),
                "undetermined: whether model:churn@0 is still in its source is not recorded | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "two of which nothing says so": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(OLD), Life(MODEL))),
                "undetermined: whether model:churn@0 is still in its source is not recorded; whether model:churn@1 is still in its source is not recorded | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "not read completely": (
                Kept(for_="30d"),
                lambda: hop(facts=lives(Life(MODEL, here=True), complete=False)),
                "undetermined: the source of model:churn was not read completely | needs a complete reading of the source of model:churn, and the times at which its versions were retired",
            ),
            "not read completely and one was deleted": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life(OLD, (Interval("retired", micros(80), None, micros(80)),), here=False), complete=False
                    )
                ),
                "fails: model:churn@0 was retired at 2026-03-22T00:00:00Z and is in its source no longer; it is kept for 30 days",
            ),
            "retired and brought back": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life(
                            OLD,
                            (
                                Interval("archived", micros(10), micros(20), micros(10)),
                                Interval("production", micros(20), None, micros(20)),
                            ),
                            here=True,
                        )
                    )
                ),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "retired then deleted counts from the retirement": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life(
                            OLD,
                            (
                                Interval("archived", micros(60), micros(90), micros(60)),
                                Interval("deleted", micros(90), None, micros(90)),
                            ),
                            here=False,
                        )
                    )
                ),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "retired after the instant": (
                Kept(for_="30d"),
                lambda: hop(
                    facts=lives(
                        Life(
                            OLD,
                            (
                                Interval("production", micros(10), micros(110), micros(10)),
                                Interval("archived", micros(110), None, micros(110)),
                            ),
                            here=True,
                        )
                    )
                ),
                "holds: of 1 versions of model:churn none was retired within 30 days",
            ),
            "two kept": (
                Kept(for_="1w"),
                lambda: hop(
                    facts=lives(
                        Life(OLD, (Interval("archived", micros(99), None, micros(99)),), here=True),
                        Life(MODEL, (Interval("archived", micros(98), None, micros(98)),), here=True),
                    )
                ),
                "holds: retired within 1 week and still in the source: model:churn@0, model:churn@1",
            ),
        }
    ),
)
def test_what_was_retired_is_kept_for_so_long(check: Check, given: Callable[[], Hop], words: str) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ASKED,
    named(
        {
            "no record": (
                Compared(gate_type="evaluation"),
                lambda: hop(ev()),
                "undetermined (missing): no evaluation of model:churn@1 is on record | needs a result of evaluation about model:churn@1 that names its baseline",
            ),
            "no baseline": (
                Compared(),
                lambda: hop(ev("evaluation"), facts=BEFORE),
                "undetermined (missing): no gate of model:churn@1 names a baseline | needs a result of gate about model:churn@1 that names its baseline [claimed 1]",
            ),
            "only the named gate is compared with production": (
                Compared(gate="auc"),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": "model:churn@9"}),
                    ev("evaluation", gate="auc", attributes={"baseline": OLD}),
                    facts=BEFORE,
                ),
                "holds: auc compared with model:churn@0, which served before the release [claimed 2]",
            ),
            "a baseline that is no text": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": 7}), facts=BEFORE),
                "undetermined (missing): no gate of model:churn@1 names a baseline | needs a result of gate about model:churn@1 that names its baseline [claimed 1]",
            ),
            "not gathered": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD})),
                "undetermined: evaluation compared with model:churn@0; what served before was not gathered | needs what served before the release [claimed 1]",
            ),
            "what served before": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD}, grade="signed"), facts=BEFORE),
                "holds: evaluation compared with model:churn@0, which served before the release [signed 1]",
            ),
            "what served before without its namespace": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": "model:churn@0"}),
                    facts=releases((40, {"model:ns/churn@0": 100}), (50, {MODEL: 100})),
                ),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
            "another version": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": "model:churn@9"}), facts=BEFORE),
                "fails: evaluation compared with model:churn@9; before the release served model:churn@0 [claimed 1]",
            ),
            "the version itself": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": MODEL}), facts=BEFORE),
                "fails: evaluation compared with model:churn@1; before the release served model:churn@0 [claimed 1]",
            ),
            "two served before": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": "model:churn@9"}),
                    facts=releases((40, {OLD: 50, "model:churn@x": 50}), (50, {MODEL: 100})),
                ),
                "fails: evaluation compared with model:churn@9; before the release served model:churn@0, model:churn@x [claimed 1]",
            ),
            "two baselines": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    ev("evaluation", attributes={"baseline": "model:churn@x"}),
                    facts=releases((40, {OLD: 50, "model:churn@x": 50}), (50, {MODEL: 100})),
                ),
                "holds: evaluation compared with model:churn@0, model:churn@x, which served before the release [claimed 1, 2]",
            ),
            "one of two baselines did not serve": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    ev("evaluation", attributes={"baseline": "model:churn@9"}),
                    facts=BEFORE,
                ),
                "fails: evaluation compared with model:churn@9; before the release served model:churn@0 [claimed 1, 2]",
            ),
            "one of two records names no baseline": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD}), ev("evaluation"), facts=BEFORE),
                "undetermined: evaluation: not every record that decides names a baseline | needs a result of gate about model:churn@1 that names its baseline [claimed 1, 2]",
            ),
            "a gate without a baseline says nothing here": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}), ev("safety", status="failed"), facts=BEFORE
                ),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
            "the comparison failed": (
                Compared(),
                lambda: hop(ev("evaluation", status="failed", attributes={"baseline": OLD}), facts=BEFORE),
                "fails: evaluation: failed claimed at 2026-02-10T00:00:00Z [claimed 1]",
            ),
            "traffic that is not recorded": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts=releases((40, {OLD: None}), (50, {MODEL: 100})),
                ),
                "undetermined: evaluation compared with model:churn@0, whose traffic before the release is not recorded | needs that traffic [claimed 1]",
            ),
            "nothing served before": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD}), facts=releases((50, {MODEL: 100}))),
                "undetermined: evaluation compared with model:churn@0; nothing is on record that served before the release | needs what served before the release [claimed 1]",
            ),
            "nothing served right before": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts={"releases": (Span(micros(30), micros(40), (Share(OLD, "deployment:e:a", 100.0),)),)},
                ),
                "undetermined: evaluation compared with model:churn@0; nothing is on record that served before the release | needs what served before the release [claimed 1]",
            ),
            "it had no traffic before": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}), facts=releases((40, {OLD: 0}), (50, {MODEL: 100}))
                ),
                "undetermined: evaluation compared with model:churn@0; nothing is on record that served before the release | needs what served before the release [claimed 1]",
            ),
            "served until the release and nothing since": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts={"releases": (Span(micros(30), micros(50), (Share(OLD, "deployment:e:a", 100.0),)),)},
                ),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
            "since before any record": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD}), facts=releases((None, {OLD: 100}))),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
            "released at no known time": (
                Compared(),
                lambda: hop(ev("evaluation", attributes={"baseline": OLD}), released=None, facts=BEFORE),
                "undetermined: evaluation compared with model:churn@0; the time of the release is not recorded | needs what served before the release [claimed 1]",
            ),
            "changed between two syncs around the release": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts=releases((40, {OLD: 100}), (51, {MODEL: 100}), unsure=[51]),
                ),
                "undetermined: evaluation compared with model:churn@0; what served changed between two syncs, around the release | needs what served before the release [claimed 1]",
            ),
            "changed at the release that a record states": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}), unsure=[50]),
                ),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
            "what served at another site": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts={
                        "releases": (
                            Span(micros(40), micros(50), (Share(OLD, "deployment:e:a", 100.0, "east"),)),
                            Span(micros(50), None, (Share(MODEL, "deployment:e:b", 100.0, "west"),)),
                        )
                    },
                ),
                "undetermined: evaluation compared with model:churn@0; nothing is on record that served before the release | needs what served before the release [claimed 1]",
            ),
            "what served in another environment": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}), environment="staging"),
                ),
                "undetermined: evaluation compared with model:churn@0; nothing is on record that served before the release | needs what served before the release [claimed 1]",
            ),
            "what served in production": (
                Compared(),
                lambda: hop(
                    ev("evaluation", attributes={"baseline": OLD}),
                    facts=releases((40, {OLD: 100}), (50, {MODEL: 100}), environment="production"),
                ),
                "holds: evaluation compared with model:churn@0, which served before the release [claimed 1]",
            ),
        }
    ),
)
def test_a_comparison_names_the_version_that_served_before_the_release(
    check: Check, given: Callable[[], Hop], words: str
) -> None:
    assert told(check.judge(given())) == words


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (Resolved(), "both ends of the hop are on record, and each means one thing"),
        (TrainingData(), "a dataset with the role training is on record"),
        (Identified(at_least="name_version"), "it is identified by name version or stronger"),
        (Pinned(), "it is pinned to a version, and its record names a source"),
        (Recorded(facts=("intended_use", "owner")), "on record: intended use and owner"),
        (EvidenceCheck(), "a gate holds"),
        (
            EvidenceCheck(
                gate="auc", gate_type="evaluation", before="release", not_older_than="90d", min_grade="signed"
            ),
            "an evaluation 'auc' holds, dated no later than the release, not older than 90 days, signed or better",
        ),
        (EvidenceCheck(gate_type="data_quality"), "a data quality gate holds"),
        (
            Metric(metric="f1", at_least=0.9, above=0.8, at_most=0.99, below=1.0),
            "f1 ≥ 0.9 and > 0.8 and ≤ 0.99 and < 1, compared with the number itself, referenced or better",
        ),
        (SameSubject(gate_type="approval"), "an approval judged the very bytes that were deployed"),
        (Order(steps=("data_quality", "approval", "release")), "in this order: data quality, approval, release"),
        (
            DifferentApprover(from_=("author", "deployer")),
            "the approver is somebody else than the author and the deployer",
        ),
        (Identity(who="approver"), "the approver is a person or service"),
        (
            Identity(who="author", allowed=("person:a", "b"), kinds=("person",)),
            "the author is a person and one of person:a, b",
        ),
        (SeparateData(), "the evaluation data differs from the training data, by content or by version"),
        (
            Name(name="a", version="b", semantic=True),
            "its name matches a and its version matches b and its version is a semantic version",
        ),
        (Name(semantic=True), "its version is a semantic version"),
        (Environment(allowed=("a", "b")), "it is deployed in a or b"),
        (Unweakened(gate="auc"), "the condition of a gate 'auc' is no weaker than before"),
        (Compared(gate_type="evaluation"), "evaluation compared it with the version that served before the release"),
        (
            Canary(steps=(5, 100), for_="1d"),
            "its traffic went through 5 %, then 100 %, 1 day at each step before the last",
        ),
        (Canary(steps=(100,), for_="1d"), "its traffic went through 100 %"),
        (RollbackTarget(), "another version served this endpoint before, and was not deleted"),
        (ActiveVersions(at_most=1), "at most 1 version of the name are active"),
        (ActiveVersions(at_most=2), "at most 2 versions of the name are active"),
        (Kept(for_="7y"), "versions are kept in their source for 7 years after they were retired"),
        (SameSubject(gate="auc"), "a gate 'auc' judged the very bytes that were deployed"),
        (Unweakened(gate_type="evaluation"), "the condition of an evaluation is no weaker than before"),
        (Name(version="b"), "its version matches b"),
        (Compared(gate="auc"), "gate 'auc' compared it with the version that served before the release"),
    ],
)
def test_a_check_says_in_words_what_it_asks(check: Check, words: str) -> None:
    assert check.words() == words
