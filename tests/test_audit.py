"""Answers: who serves, what is training data, what a gate is worth, and what is said when something is missing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import pytest

from lineage_explorer import audit
from lineage_explorer.audits import Audit
from lineage_explorer.errors import AmbiguousReference, InvalidInstant, LineageError, PolicyError, UnknownReference
from lineage_explorer.records import Activity, Entity, Evidence, Record, Relation
from lineage_explorer.reports import drawing, markdown
from lineage_explorer.store import Store
from lineage_explorer.trace import LANES

from .estates import at, complete, gate, serves, used, wrote


def ask(store: Store, records: list[Record], endpoint: str = "endpoint:churn", day: str = "06-01") -> Audit:
    store.append(records)
    return audit(store, endpoint, as_of=at(day))


def codes(result: Audit) -> set[str]:
    return set(result.findings()["code"])


def without(records: list[Record], *gone: str) -> list[Record]:
    """Without evidence of these types."""
    return [record for record in records if not (isinstance(record, Evidence) and record.gate_type in gone)]


def test_an_endpoint_with_everything_on_record_passes_and_says_what_trained_it(store: Store) -> None:
    result = ask(store, complete())
    assert result.verdict == "PASSED"
    assert "model churn version 1 (100 % of traffic, since 2026-03-01)" in result.answer
    assert "was trained on dataset features version 1, made from dataset raw version 1" in result.answer
    assert list(result.datasets("training")["ref"]) == ["dataset:features@1", "dataset:raw@1"]
    assert nx.ancestors(result.graph, "endpoint:churn") >= {"dataset:raw@1", "run:prep", "run:train"}
    for frame in (result.datasets(), result.hops(), result.evidence(), result.findings(), result.serving()):
        assert frame.columns[0] == "ref"


@pytest.mark.parametrize("missing", ["evaluation", "approval"])
def test_a_missing_gate_is_incomplete_and_named(store: Store, missing: str) -> None:
    result = ask(store, without(complete(), missing))
    assert result.verdict == "INCOMPLETE"
    assert f"no {missing} of model:churn@1 is on record" in result.answer


@pytest.mark.parametrize("status", ["pending", "stale", "missing", "undetermined"])
def test_a_gate_that_is_not_settled_is_never_passed(store: Store, status: str) -> None:
    result = ask(store, [*without(complete(), "approval"), gate("model:churn@1", "approval", "02-20", status)])
    assert result.verdict == "INCOMPLETE"


def test_a_failed_gate_fails_whatever_else_holds(store: Store) -> None:
    result = ask(store, [*complete(), gate("model:churn@1", "evaluation", "02-12", "failed", gate="fairness-eval")])
    assert result.verdict == "FAILED"


def test_a_later_result_of_the_same_gate_decides(store: Store) -> None:
    result = ask(store, [*complete(), gate("model:churn@1", "approval", "02-15", "failed")])
    assert result.verdict == "PASSED"


def test_two_results_that_contradict_each_other_at_one_time_decide_nothing(store: Store) -> None:
    result = ask(store, [*complete(), gate("model:churn@1", "approval", "02-20", "failed", evaluator="person:bob")])
    assert result.verdict == "INCOMPLETE"
    assert "contradict" in result.answer


def test_an_approval_after_the_release_does_not_count_as_one_before(store: Store) -> None:
    result = ask(store, [*without(complete(), "approval"), gate("model:churn@1", "approval", "03-02")])
    assert result.verdict == "FAILED"
    assert "after the release" in result.answer


def test_an_approval_without_a_date_cannot_be_ordered(store: Store) -> None:
    undated = Evidence(subject="model:churn@1", gate="approval", gate_type="approval", status="passed")
    store.append([*without(complete(), "approval"), undated])
    assert audit(store, "churn").verdict == "INCOMPLETE"


def test_an_approval_that_had_not_been_given_yet_is_not_seen(store: Store) -> None:
    records = complete()
    assert ask(store, records, day="02-25").verdict == "INCOMPLETE"  # nothing served yet
    assert "nothing-serves" in codes(audit(store, "churn", as_of=at("02-25")))


@pytest.mark.parametrize("subject", ["model:churn", "model:churn@2", "run:train", "model:copy@1"])
def test_evidence_counts_only_for_what_it_names(store: Store, subject: str) -> None:
    copied = Relation(effect="model:churn@1", predicate="was_derived_from", cause="model:copy@1", basis="identifier")
    result = ask(
        store,
        [*without(complete(), "approval"), gate(subject, "approval", "02-20"), copied, Entity(ref="model:copy@1")],
    )
    assert result.verdict == "INCOMPLETE"


def test_evidence_on_the_logged_model_counts_for_the_version_made_of_its_bytes(store: Store) -> None:
    link = Relation(effect="model:churn@1", predicate="was_derived_from", cause="logged_model:m-1", basis="identifier")
    records = [*without(complete(), "evaluation"), link, Entity(ref="logged_model:m-1")]
    result = ask(
        store, [*records, gate("logged_model:m-1", "evaluation", "02-10", expected="auc >= 0.8", actual="0.9")]
    )
    assert result.verdict == "PASSED"


def test_a_measurement_without_a_condition_is_not_a_passed_gate(store: Store) -> None:
    measured = gate("model:churn@1", "evaluation", "02-10", "undetermined", actual="0.9", gate="auc")
    assert ask(store, [*without(complete(), "evaluation"), measured]).verdict == "INCOMPLETE"


def test_data_without_a_role_is_neither_training_data_nor_forgotten(store: Store) -> None:
    records = [record for record in complete() if not (isinstance(record, Relation) and record.role == "training")]
    result = ask(store, [*records, used("run:train", "dataset:features@1", "02-01", role="")])
    assert result.verdict == "INCOMPLETE"
    assert set(result.datasets()["role"]) == {"role not recorded"}
    assert "role-not-recorded" in codes(result)


def test_evaluation_data_is_never_training_data(store: Store) -> None:
    result = ask(
        store,
        [
            *complete(),
            Entity(ref="dataset:holdout@1"),
            Activity(ref="run:eval", activity="evaluation"),
            used("run:eval", "model:churn@1", "02-10", role=""),
            used("run:eval", "dataset:holdout@1", "02-10", role="evaluation"),
            used("run:train", "dataset:val@1", "02-01", role="validation"),
            Entity(ref="dataset:val@1"),
        ],
    )
    roles = dict(zip(result.datasets()["ref"], result.datasets()["role"], strict=True))
    assert roles["dataset:holdout@1"] == "evaluation"
    assert roles["dataset:val@1"] == "validation"
    assert "dataset:holdout@1" not in nx.ancestors(result.graph, "endpoint:churn")
    assert "Kept apart from training" in result.answer


def test_training_data_known_by_name_only_is_not_identified(store: Store) -> None:
    records = [record for record in complete() if "dataset:features@1" not in str(record)]
    result = ask(store, [*records, Entity(ref="dataset:features"), used("run:train", "dataset:features", "02-01")])
    assert result.verdict == "INCOMPLETE"
    assert "Training data is identified by more than a name" in result.answer


@pytest.mark.parametrize(
    ("traffic", "more", "verdict", "state"),
    [
        (100.0, {}, "PASSED", "serving"),
        (0.0, {}, "INCOMPLETE", "deployed"),
        (None, {}, "INCOMPLETE", "undetermined"),
        (None, {"splits": False}, "PASSED", "serving"),
        (100.0, {"mirrored": True}, "INCOMPLETE", "shadow"),
    ],
)
def test_what_serves_follows_the_recorded_split(
    store: Store, traffic: float | None, more: dict[str, bool], verdict: str, state: str
) -> None:
    records = [record for record in complete() if "endpoint:churn" not in str(record)]
    moved = serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "03-01", traffic, **more)
    result = ask(store, [*records, *moved])
    assert result.verdict == verdict
    assert list(result.serving()["state"]) == [state]


def test_traffic_that_does_not_add_up_is_a_finding_and_is_not_rescaled(store: Store) -> None:
    result = ask(
        store, [*complete(), *serves("endpoint:churn", "deployment:churn:green", "model:churn@1", "03-01", 10.0)]
    )
    assert "traffic-sum" in codes(result)
    assert sorted(result.serving()["traffic"]) == [10.0, 100.0]


def test_the_whole_is_as_bad_as_its_worst_path(store: Store) -> None:
    canary = serves("endpoint:churn", "deployment:churn:canary", "model:churn@2", "03-05", 10.0)
    result = ask(store, [*complete(), *canary, Entity(ref="model:churn@2")])
    verdicts = dict(zip(result.serving()["deployment"], result.serving()["verdict"], strict=True))
    assert verdicts == {"deployment:churn:blue": "PASSED", "deployment:churn:canary": "INCOMPLETE"}
    assert result.verdict == "INCOMPLETE"


def test_five_sites_are_five_paths_each_with_its_own_hundred_percent(store: Store) -> None:
    base = [record for record in complete() if "endpoint:churn" not in str(record)]
    sites = [
        record
        for site in "abcde"
        for record in serves("endpoint:churn", f"deployment:churn:{site}", "model:churn@1", "03-01", site=site)
    ]
    result = ask(store, [*base, *sites])
    assert result.verdict == "PASSED"
    assert "traffic-sum" not in codes(result)
    assert "at a, b, c, d and e" in result.answer


def test_a_deployment_of_a_version_that_nobody_has_is_a_visible_gap(store: Store) -> None:
    result = ask(store, serves("endpoint:churn", "deployment:churn:x", "model:ghost@9", "03-01"))
    node = next(node for node in result.to_dict()["nodes"] if node["ref"] == "model:ghost@9")
    assert node["resolved"] is False
    assert result.verdict == "INCOMPLETE"
    assert "model:ghost@9 is referred to, and no record describes it" in result.answer


def test_a_bare_reference_is_looked_up_and_its_link_is_shown_as_the_weaker_one(store: Store) -> None:
    records = [
        *serves("endpoint:churn", "deployment:churn:x", "model:churn@3", "03-01"),
        Entity(ref="model:prod/churn@3"),
    ]
    result = ask(store, [*records, gate("model:churn@3", "approval", "02-01")])
    hop = result.hops().set_index("effect").loc["deployment:churn:x"]
    assert (hop["ref"], hop["basis"]) == ("model:prod/churn@3", "name_version")
    assert list(result.evidence()["ref"]) == ["model:prod/churn@3"]


def test_a_bare_reference_that_may_mean_two_things_stays_ambiguous(store: Store) -> None:
    records = serves("endpoint:churn", "deployment:churn:x", "model:churn@3", "03-01")
    result = ask(store, [*records, Entity(ref="model:a/churn@3"), Entity(ref="model:b/churn@3")])
    assert "ambiguous-reference" in codes(result)
    assert result.verdict == "INCOMPLETE"


def test_a_namesake_that_appears_later_does_not_change_what_was_known(store: Store) -> None:
    store.append(
        [*serves("endpoint:churn", "deployment:churn:x", "model:churn@3", "03-01"), Entity(ref="model:a/churn@3")]
    )
    known = store.now()
    before = audit(store, "churn", as_of=at("06-01"), known_at=known)
    store.append([Entity(ref="model:b/churn@3"), gate("model:a/churn@3", "approval", "01-01")])
    after = audit(store, "churn", as_of=at("06-01"), known_at=known)
    assert before.digest == after.digest
    assert audit(store, "churn", as_of=at("06-01")).digest != after.digest


def test_the_answer_for_a_past_instant_is_the_one_that_held_then(store: Store) -> None:
    records = [
        *complete(),
        *serves("endpoint:churn", "deployment:churn:blue", "model:churn@2", "05-01"),
        Entity(ref="model:churn@2"),
    ]
    assert "version 2" in ask(store, records).answer
    assert "version 1" in audit(store, "churn", as_of=at("04-01")).answer


def test_a_cycle_is_reported_and_does_not_hang(store: Store) -> None:
    loop = [
        Relation(effect="dataset:raw@1", predicate="was_derived_from", cause="dataset:features@1", basis="identifier")
    ]
    assert "cycle" in codes(ask(store, [*complete(), *loop]))


def test_stacked_diamonds_give_one_witness_path_each_and_not_all_of_them(store: Store) -> None:
    diamonds: list[Record] = [used("run:train", "dataset:d0@1", "02-01")]
    for level in range(18):
        for side in "ab":
            diamonds += [
                Relation(
                    effect=f"dataset:d{level}@1",
                    predicate="was_derived_from",
                    cause=f"dataset:{side}{level}@1",
                    basis="identifier",
                ),
                Relation(
                    effect=f"dataset:{side}{level}@1",
                    predicate="was_derived_from",
                    cause=f"dataset:d{level + 1}@1",
                    basis="identifier",
                ),
            ]
    result = ask(store, [*complete(), *diamonds])
    origin = result.datasets().set_index("ref").loc["dataset:d18@1"]
    assert len(origin["path"]) == 4 + 36 + 1


def test_a_base_model_must_be_pinned_and_name_its_source(store: Store) -> None:
    def agent(base: Entity) -> list[Record]:
        return [
            *serves("endpoint:triage", "deployment:triage:d", "ai_agent:triage@1", "03-01"),
            Entity(ref="ai_agent:triage@1"),
            Entity(ref="prompt:triage@2"),
            base,
            Relation(effect="ai_agent:triage@1", predicate="was_derived_from", cause=base.ref, basis="identifier"),
            Relation(
                effect="ai_agent:triage@1", predicate="was_derived_from", cause="prompt:triage@2", basis="identifier"
            ),
            gate("ai_agent:triage@1", "evaluation", "02-01", expected="x", actual="y"),
            gate("ai_agent:triage@1", "approval", "02-02"),
        ]

    pinned = ask(store, agent(Entity(ref="base_model:llama@8b-r1", attributes={"source": "hub"})), "endpoint:triage")
    assert pinned.verdict == "PASSED"
    assert "base model llama version 8b-r1" in pinned.answer
    assert "base-model-training-unknown" in codes(pinned)


def test_a_floating_base_model_is_not_pinned(store: Store) -> None:
    records = [
        *serves("endpoint:churn", "deployment:churn:d", "ai_agent:t@1", "03-01"),
        Entity(ref="ai_agent:t@1"),
        Entity(ref="base_model:llama", attributes={"source": "hub"}),
        Relation(effect="ai_agent:t@1", predicate="was_derived_from", cause="base_model:llama", basis="name"),
        gate("ai_agent:t@1", "evaluation", "02-01", expected="x", actual="y"),
        gate("ai_agent:t@1", "approval", "02-02"),
    ]
    assert ask(store, records).verdict == "INCOMPLETE"


def test_a_policy_that_matches_nothing_is_incomplete(store: Store, tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text('name = "none"\nversion = "1"\n')
    store.append(complete())
    assert audit(store, "churn", policy=tmp_path / "none.toml", as_of=at("06-01")).verdict == "INCOMPLETE"


@pytest.mark.parametrize(
    "text",
    [
        'name = "x"',
        'name = "x"\nversion = "1"\n[[requirement]]\nid = "a"\ntitle = "b"\nhop = ["*", "*", "*"]\ncheck = "resolvd"',
        "= =",
    ],
)
def test_a_policy_with_a_mistake_is_refused_before_anything_is_judged(store: Store, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    store.append(complete())
    with pytest.raises(PolicyError):
        audit(store, "churn", policy=tmp_path / "bad.toml")
    with pytest.raises(PolicyError, match="default"):
        audit(store, "churn", policy="nonesuch")


def test_questions_that_cannot_be_singled_out_list_the_nearest(store: Store) -> None:
    store.append([*complete(), Entity(ref="endpoint:eu/churn2"), Entity(ref="endpoint:us/churn2")])
    with pytest.raises(UnknownReference, match="endpoint:churn"):
        audit(store, "chrun")
    with pytest.raises(AmbiguousReference, match="endpoint:eu/churn2"):
        audit(store, "churn2")
    with pytest.raises(InvalidInstant):
        audit(store, "churn", as_of="2026-01-01")


def test_ten_thousand_deployments_of_one_endpoint_are_all_counted(store: Store) -> None:
    records = [
        record
        for number in range(10_000)
        for record in serves("endpoint:big", f"deployment:big:{number:05}", "model:m@1", "01-01", 0.0)[1:]
    ]
    result = ask(store, records, "endpoint:big")
    assert len(result.serving()) == 10_000
    assert "nodes are not drawn" in drawing.render(result.to_dict())


HOSTILE = "<img src=x onerror=alert(1)>|`'\"\x1b[31m\u202e"


def hostile(store: Store) -> Audit:
    name = str(Entity(ref="model:x").ref)
    from lineage_explorer.records import Ref

    model, data, run = (str(Ref(kind, HOSTILE, "1")) for kind in ("model", "dataset", "run"))
    del name
    return ask(
        store,
        [
            *serves("endpoint:churn", "deployment:churn:d", model, "01-01"),
            Entity(ref=model, description=HOSTILE, attributes={HOSTILE: HOSTILE}),
            Relation(effect=model, predicate="was_generated_by", cause=run, basis="identifier"),
            used(run, data, "01-01"),
            wrote(data, "run:p", "01-01"),
            gate(
                model,
                "evaluation",
                "01-01",
                gate=HOSTILE,
                expected=HOSTILE,
                actual=HOSTILE,
                pointer="javascript:alert(1)",
            ),
        ],
    )


def test_no_report_turns_a_records_text_into_markup(store: Store, tmp_path: Path) -> None:
    result = hostile(store)
    plain = result.to_dict()
    root = ET.fromstring(drawing.render(plain))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "text",
        "path",
        "g",
    }
    assert "\u202e" not in drawing.render(plain)
    text = markdown.render(plain)
    assert "<img" not in text.replace("\\<img", "")
    assert "\n|" in text
    source = result.to_graphviz().source
    assert "<img" not in source.replace('"<img', "").replace(" <img", "") or "label=<" not in source
    result.save(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == plain


def test_graphviz_itself_reads_the_drawing_of_hostile_names(store: Store) -> None:
    import shutil

    if shutil.which("dot") is None:
        pytest.fail("Graphviz's dot is not installed: apt-get install graphviz")
    svg = hostile(store).to_graphviz().pipe(format="svg", encoding="utf-8")
    assert "onerror=alert(1)" in svg
    assert "<img" not in svg


def test_an_unknown_suffix_names_those_that_work(store: Store, tmp_path: Path) -> None:
    with pytest.raises(LineageError, match="html, json"):
        ask(store, complete()).save(tmp_path / "a.docx")


def test_the_same_question_has_the_same_digest_in_any_order_of_arrival(store: Store, tmp_path: Path) -> None:
    store.append(complete())
    known = store.now()
    first = audit(store, "churn", as_of=at("06-01"), known_at=known)
    again = audit(store, "churn", as_of=at("06-01"), known_at=known)
    assert first.digest == again.digest
    assert first.to_dict() == again.to_dict()


def test_a_split_that_was_not_read_is_never_told_as_serving(store: Store) -> None:
    store.append(
        [
            *complete(),
            *serves("endpoint:churn", "deployment:churn:green", "model:churn@2", "03-02", None),
        ]
    )
    result = audit(store, "churn", as_of=at("04-01"))
    assert "is served by model churn version 1 (100 % of traffic" in result.answer
    assert "Deployed, and serving or not, is model churn version 2 (share of traffic not read" in result.answer
    assert result.verdict == "INCOMPLETE"


def test_a_deployment_without_traffic_is_not_judged(store: Store) -> None:
    """Nobody answers from it: what its model lacks is no gap in the answer."""
    store.append(
        [
            *complete(),
            *serves("endpoint:churn", "deployment:churn:old", "model:churn@0", "01-01", 0.0),
        ]
    )
    result = audit(store, "churn", as_of=at("04-01"))
    assert "version 0" not in result.answer
    assert "1 further deployment receives no traffic" in result.answer


def test_feature_sets_have_a_lane_of_their_own_between_preparation_and_training(store: Store) -> None:
    records = [
        *serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01"),
        Relation(effect="model:m@1", predicate="was_generated_by", cause="run:train", basis="identifier"),
        used("run:train", "feature_set:customers@1", "02-10"),
        wrote("feature_set:customers@1", "run:build", "02-05"),
        used("run:build", "dataset:raw@1", "02-04", role="input"),
        # What prepares data further stands left of training, so the features that it reads do too.
        used("run:train", "dataset:joined@1", "02-10"),
        wrote("dataset:joined@1", "run:join", "02-05"),
        used("run:join", "feature_set:weather@1", "02-04", role="input"),
    ]
    content = ask(store, records, "endpoint:e").to_dict()
    lanes = {node["ref"]: node["lane"] for node in content["nodes"]}
    assert lanes["feature_set:customers@1"] == "features"
    assert (lanes["run:build"], lanes["run:train"]) == ("preparation", "training")
    assert (lanes["dataset:raw@1"], lanes["feature_set:weather@1"]) == ("data", "preparation")
    assert lanes["deployment:e:d"] == "deployment"
    order = list(LANES)
    assert all(order.index(lanes[hop["cause"]]) <= order.index(lanes[hop["effect"]]) for hop in content["hops"])
    shown = drawing.render(content)
    titles = ["SOURCE DATA", "PREPARATION", "FEATURES", "TRAINING", "REGISTRY", "RELEASE", "ENDPOINT"]
    assert [title for title in titles if f">{title}<" in shown] == titles
