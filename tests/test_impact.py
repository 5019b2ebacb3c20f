"""Impacts: whom something reached is the inverse of a trace, at every instant; and what follows is said in words."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit
from lineage_explorer.errors import AmbiguousReference, InvalidInstant, InvalidQuestion, UnknownReference
from lineage_explorer.gathering import describe
from lineage_explorer.graph import lineage_graph
from lineage_explorer.impacts import Impact, impact
from lineage_explorer.records import BASES, Activity, Entity, Record, Ref, Relation, parse_instant
from lineage_explorer.store import Store, downstream, open_store
from lineage_explorer.store.engines import for_sqlite
from lineage_explorer.store.projection import STATE
from lineage_explorer.trace import labels as roles_seen_from
from lineage_explorer.trace import trace

from . import estates
from .estates import at, gate, serves, used, wrote
from .snapshots import Snapshot

_PROFILE = settings(
    max_examples=400 if os.environ.get("LINEAGE_CAMPAIGN") else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def made(effect: str, cause: str, basis: str = "identifier", **more: Any) -> Relation:
    return Relation(effect=effect, predicate="was_derived_from", cause=cause, basis=basis, **more)  # type: ignore[arg-type]


def generated(effect: str, run: str, **more: Any) -> Relation:
    return Relation(effect=effect, predicate="was_generated_by", cause=run, basis="identifier", **more)


def trained(model: str, data: str, role: str = "training", day: str = "02-01") -> list[Record]:
    run = "run:" + model.partition(":")[2].replace("@", "-")
    return [
        Activity(ref=run, activity="training"),
        used(run, data, day, role),
        Entity(ref=model),
        generated(model, run),
    ]


def row_of(rows: Iterable[Mapping[str, Any]], ref: str) -> Any:
    return next(row for row in rows if row["ref"] == ref)


def spans(found: Impact, endpoint: str) -> list[Any]:
    return [
        (row["since"], row["until"], row["version"], row["traffic"], row["state"])
        for row in row_of(found.to_dict()["endpoints"], endpoint)["exposures"]
    ]


# --- what is told ---


def test_what_was_trained_on_it_what_answers_with_it_and_how_surely(store: Store) -> None:
    store.append(estates.complete())
    found = impact(store, "dataset:raw@1")
    whole = found.to_dict()
    version = row_of(whole["versions"], "model:churn@1")
    assert (version["roles"], version["strength"], version["retrain"]) == (["training"], "identifier", "yes")
    assert version["path"] == ["dataset:raw@1", "run:prep", "dataset:features@1", "run:train", "model:churn@1"]
    assert version["why"] == "trained on it; answers endpoint:churn now"
    endpoint = row_of(whole["endpoints"], "endpoint:churn")
    assert (endpoint["now"], endpoint["traffic_now"], endpoint["first"], endpoint["last"]) == (
        True,
        100.0,
        "2026-03-01T00:00:00Z",
        None,
    )
    assert whole["counts"] == {"dataset": 1, "deployment": 1, "endpoint": 1, "model": 1, "run": 2}
    assert set(found.derived()["ref"]) == {"run:prep", "dataset:features@1", "run:train"}
    assert whole["beyond"] == {"versions": 0, "endpoints": 0, "evaluations": 0, "derived": 0}
    assert whole["summary"][0] == "dataset:raw@1 reached 1 model version and 1 endpoint."
    assert "endpoint:churn answers with it" in whole["summary"][1]
    assert "reached 1 model version" in repr(found)


def test_the_tables_hold_what_the_document_holds(store: Store) -> None:
    store.append(estates.complete())
    found = impact(store, "dataset:raw@1")
    assert found.versions()["ref"].tolist() == ["model:churn@1"]
    assert found.endpoints()[["ref", "now", "traffic_now"]].values.tolist() == [["endpoint:churn", True, 100.0]]
    assert found.exposures()[["ref", "version", "traffic"]].values.tolist() == [
        ["endpoint:churn", "model:churn@1", 100.0]
    ]
    assert str(found.exposures()["since"].dtype).endswith("UTC]")
    assert found.retrain()[["ref", "retrain"]].values.tolist() == [["model:churn@1", "yes"]]
    assert found.evaluations().empty
    assert list(found.evaluations()) == ["ref", "label", "data", "models", "gates", "why"]
    assert (
        impact(store, "dataset:raw@1", as_of=at("04-01")).digest
        == impact(store, "dataset:raw@1", as_of=at("04-01")).digest
    )


def test_any_node_can_be_asked_about(store: Store) -> None:
    store.append(estates.complete())
    store.append(
        Relation(effect="run:train", predicate="used", cause=cause, basis="identifier", role="")
        for cause in ("code:repo@abc", "environment:conda@1", "base_model:llama@1", "feature_set:f@1", "prompt:p@1")
    )
    told = {
        "code:repo@abc": ("code", "yes", "made with it (code)"),
        "environment:conda@1": ("environment", "yes", "made in it (environment)"),
        "base_model:llama@1": ("base model", "yes", "built on it (base model)"),
        "feature_set:f@1": ("role not recorded", "maybe", "what for is not on record"),
        "prompt:p@1": ("prompt", "yes", "rebuild"),
    }
    for ref, (role, retrain, why) in told.items():
        version = row_of(impact(store, ref).to_dict()["versions"], "model:churn@1")
        assert (version["roles"], version["retrain"]) == ([role], retrain)
        assert why in version["why"]
    for ref in ("run:train", "run:prep", "model:churn@1", "deployment:churn:blue"):
        assert row_of(impact(store, ref).to_dict()["endpoints"], "endpoint:churn")["now"], ref
    assert impact(store, "model:churn@1").versions().empty  # it is what was asked about
    assert impact(store, "endpoint:churn").to_dict()["summary"] == ["endpoint:churn reached nothing that is on record."]


def test_a_question_that_cannot_be_asked_says_what_can(store: Store) -> None:
    store.append([Entity(ref="dataset:a/d@1"), Entity(ref="dataset:b/d@1"), used("run:r", "dataset:d@1", "02-01")])
    for ref in ("dataset:d@1", "d@1"):
        with pytest.raises(AmbiguousReference, match="dataset:b/d@1"):
            impact(store, ref)
    with pytest.raises(UnknownReference, match="dataset:a/d@1"):
        impact(store, "dataset:a/e@1")
    with pytest.raises(InvalidQuestion, match="limit"):
        impact(store, "dataset:a/d@1", limit=0)
    with pytest.raises(InvalidInstant, match="time zone"):
        impact(store, "dataset:a/d@1", as_of="2026-01-01")
    # What names it without its namespace may mean it, and is not counted: that is said.
    finding = impact(store, "dataset:a/d@1").to_dict()["findings"][0]
    assert (finding["code"], finding["severity"], finding["ref"]) == ("ambiguous-reference", "error", "dataset:d@1")


def test_data_that_a_model_was_only_evaluated_on_taints_its_gates_and_retrains_nothing(store: Store) -> None:
    store.append(estates.complete())
    store.append(
        [
            Entity(ref="dataset:holdout@1"),
            Activity(ref="run:judge", activity="evaluation"),
            used("run:judge", "dataset:holdout@1", "02-10", "evaluation"),
            used("run:judge", "model:churn@1", "02-10", ""),
            used("run:train", "dataset:holdout@1", "02-01", "test"),
            gate("model:churn@1", "evaluation", "02-11", gate="auc", pointer="run:judge", actual="0.9"),
            gate("model:churn@1", "fairness", "02-11", gate="parity", pointer="run:other"),
        ]
    )
    found = impact(store, "dataset:holdout@1").to_dict()
    version = row_of(found["versions"], "model:churn@1")
    assert (version["roles"], version["retrain"]) == (["test"], "no")
    assert "only tested on it" in version["why"]
    assert row_of(found["endpoints"], "endpoint:churn")["retrain"] == "no"
    judged, tested = sorted(found["evaluations"], key=lambda row: row["run"])
    assert (judged["run"], judged["data"], judged["models"]) == ("run:judge", ["dataset:holdout@1"], ["model:churn@1"])
    assert [(row["gate"], row["pointer"]) for row in judged["gates"]] == [("auc", "run:judge")]
    assert "auc" in judged["why"]
    assert (tested["run"], tested["models"], tested["gates"]) == ("run:train", ["model:churn@1"], [])
    # Bad training data makes no evaluation of the model untrue.
    assert impact(store, "dataset:features@1").to_dict()["evaluations"] == []
    assert impact(store, "run:judge").to_dict()["evaluations"][0]["gates"][0]["gate"] == "auc"


def test_an_evaluation_of_a_model_that_nothing_else_reached_names_it_as_registered(store: Store) -> None:
    store.append(
        [
            Activity(ref="run:judge", activity="evaluation"),
            used("run:judge", "dataset:holdout@1", "02-10", ""),
            used("run:judge", "logged_model:m-1", "02-10", ""),
            Entity(ref="model:prod/m@1"),
            made("model:prod/m@1", "logged_model:m-1"),
            gate("model:m@1", "evaluation", "02-11", gate="auc", pointer="run:judge"),
        ]
    )
    found = impact(store, "dataset:holdout@1").to_dict()
    assert found["versions"] == []
    assert [(row["models"], [item["gate"] for item in row["gates"]]) for row in found["evaluations"]] == [
        (["model:prod/m@1"], ["auc"])
    ]


def test_a_version_that_is_gone_or_retired_is_not_retrained_unless_it_answers(store: Store) -> None:
    store.append(
        [
            *trained("model:old@1", "dataset:d@1"),
            *trained("model:kept@1", "dataset:d@1"),
            *trained("model:busy@1", "dataset:d@1"),
            *serves("endpoint:e", "deployment:e:d", "model:busy@1", "03-01"),
        ]
    )
    store.append(
        [
            Entity(ref="model:old@1", ended_at=at("04-01")),
            Entity(ref="model:busy@1", attributes={"stage": "Archived"}),
        ]
    )
    rows = impact(store, "dataset:d@1").to_dict()["versions"]
    assert {row["ref"]: row["retrain"] for row in rows} == {
        "model:old@1": "no",
        "model:kept@1": "yes",
        "model:busy@1": "yes",
    }
    assert "ended on 2026-04-01" in row_of(rows, "model:old@1")["why"]
    # A history calls retired what has served and serves no more; it could be released again all the same.
    assert "answers no endpoint now, but may again" in row_of(rows, "model:kept@1")["why"]
    assert "retired" not in row_of(rows, "model:kept@1")["why"]
    assert rows[0]["ref"] == "model:busy@1"  # what answers comes first
    # Before it ended it was in use.
    assert (
        row_of(impact(store, "dataset:d@1", as_of=at("03-15")).to_dict()["versions"], "model:old@1")["retrain"] == "yes"
    )


def test_a_version_that_vanished_from_its_registry_is_gone(store: Store) -> None:
    store.ingest(Snapshot(trained("model:m@1", "dataset:d@1")), observed_at=at("03-01"))
    store.ingest(Snapshot([]), observed_at=at("04-01"))
    row = row_of(impact(store, "dataset:d@1").to_dict()["versions"], "model:m@1")
    assert (row["here"], row["retrain"]) == (False, "no")
    assert "no longer has it" in row["why"]


def test_a_link_by_a_name_alone_retrains_nothing_for_sure(store: Store) -> None:
    store.append(
        [
            Entity(ref="dataset:lake/d"),
            Entity(ref="model:m@1"),
            generated("model:m@1", "run:r"),
            used("run:r", "dataset:d", "02-01"),
        ]
    )
    found = impact(store, "dataset:lake/d").to_dict()
    version = row_of(found["versions"], "model:m@1")
    assert (version["strength"], version["retrain"]) == ("name", "maybe")
    assert "a name" in version["why"]
    assert "weak-link" in {item["code"] for item in found["findings"]}


def test_a_name_without_its_namespace_and_with_it_are_one_thing(store: Store) -> None:
    store.append(
        [
            Entity(ref="dataset:lake/d@1"),
            used("run:a", "dataset:d@1", "02-01"),
            used("run:b", "dataset:lake/d@1", "02-01"),
        ]
    )
    for asked in ("dataset:lake/d@1", "dataset:d@1", "d@1"):
        found = impact(store, asked)
        assert found.root == "dataset:lake/d@1"
        assert dict(zip(found.derived()["ref"], found.derived()["strength"], strict=True)) == {
            "run:a": "name_version",
            "run:b": "identifier",
        }


def test_a_dataset_without_versions_is_all_its_states(store: Store) -> None:
    store.append(
        [
            *(wrote("dataset:t", f"run:w{day}", day) for day in ("01-01", "03-01")),
            *trained("model:a@1", "dataset:t", day="02-01"),
            *trained("model:b@1", "dataset:t", day="04-01"),
        ]
    )
    assert set(impact(store, "dataset:t").versions()["ref"]) == {"model:a@1", "model:b@1"}
    # A state that was written later is upstream of what read it only.
    later = impact(store, "dataset:t@written:2026-03-01T00:00:00Z")
    assert later.versions()["ref"].tolist() == ["model:b@1"]
    assert "in 2 states on record," in impact(store, "dataset:t").to_dict()["summary"][0]


def test_copies_and_fine_tunings_are_reached_with_the_way_to_them(store: Store) -> None:
    store.append(
        [
            *trained("model:base@1", "dataset:d@1"),
            Entity(ref="model:copy@1"),
            made("model:copy@1", "model:base@1"),
            Entity(ref="model:tuned@1"),
            used("run:tune", "model:copy@1", "03-01", ""),
            generated("model:tuned@1", "run:tune"),
        ]
    )
    rows = impact(store, "dataset:d@1").to_dict()["versions"]
    assert [row["ref"] for row in rows] == ["model:base@1", "model:copy@1", "model:tuned@1"]
    assert rows[2]["path"] == ["dataset:d@1", "run:base-1", "model:base@1", "model:copy@1", "run:tune", "model:tuned@1"]
    assert rows[2]["roles"] == ["training"]


def test_a_logged_model_is_listed_only_where_no_version_was_registered_from_it(store: Store) -> None:
    store.append([*trained("logged_model:m-1", "dataset:d@1"), *trained("logged_model:m-2", "dataset:d@1")])
    store.append([Entity(ref="model:m@1"), made("model:m@1", "logged_model:m-1")])
    found = impact(store, "dataset:d@1")
    assert set(found.versions()["ref"]) == {"model:m@1", "logged_model:m-2"}
    assert "logged_model:m-1" in set(found.derived()["ref"])


def test_the_name_of_data_stands_for_all_its_versions_and_that_of_a_model_does_not(store: Store) -> None:
    store.append([*trained("model:lake/a@1", "dataset:lake/d@1"), *trained("model:lake/b@1", "dataset:lake/d@2")])
    for asked in ("dataset:lake/d", "dataset:d", "d"):
        found = impact(store, asked)
        assert found.root == "dataset:lake/d"
        assert set(found.versions()["ref"]) == {"model:lake/a@1", "model:lake/b@1"}
        assert "in 2 versions on record" in found.to_dict()["summary"][0]
    with pytest.raises(UnknownReference, match="model:lake/a@1"):
        impact(store, "model:lake/a")
    store.append([used("run:r", "dataset:other/d@1", "02-01")])
    with pytest.raises(AmbiguousReference, match="dataset:other/d"):
        impact(store, "d")


def test_the_strength_is_that_of_the_strongest_way_and_its_weakest_link(store: Store) -> None:
    store.append(
        [
            made("dataset:b@1", "dataset:a@1", "content_hash"),
            made("dataset:c@1", "dataset:b@1", "time_order"),
            made("dataset:c@1", "dataset:a@1", "declared"),
            made("dataset:d@1", "dataset:c@1", "identifier"),
        ]
    )
    found = impact(store, "dataset:a@1").derived()
    assert dict(zip(found["ref"], found["strength"], strict=True)) == {
        "dataset:b@1": "content_hash",
        "dataset:c@1": "time_order",
        "dataset:d@1": "time_order",
    }


def test_windows_are_cut_where_the_share_changes_and_joined_where_nothing_does(store: Store) -> None:
    store.append(trained("model:m@1", "dataset:d@1"))
    for day, share in (("03-01", 10.0), ("03-05", 10.0), ("03-09", 100.0), ("03-12", 0.0)):
        store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", day, share)[2:])
    store.append(serves("endpoint:e", "deployment:e:s", "model:m@1", "03-20", 50.0, mirrored=True))
    found = impact(store, "dataset:d@1")
    assert spans(found, "endpoint:e") == [
        ("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z", "model:m@1", 10.0, "serving"),
        ("2026-03-09T00:00:00Z", "2026-03-12T00:00:00Z", "model:m@1", 100.0, "serving"),
        ("2026-03-12T00:00:00Z", None, "model:m@1", 0.0, "deployed"),
        ("2026-03-20T00:00:00Z", None, "model:m@1", 50.0, "shadow"),
    ]
    endpoint = row_of(found.to_dict()["endpoints"], "endpoint:e")
    assert (endpoint["now"], endpoint["traffic_now"], endpoint["retrain"]) == (False, 0.0, "no")
    assert endpoint["last"] == "2026-03-12T00:00:00Z"
    version = row_of(found.to_dict()["versions"], "model:m@1")
    assert (version["endpoints"], version["last_served"]) == ([], "2026-03-12T00:00:00Z")
    earlier = impact(store, "dataset:d@1", as_of=at("03-10"))
    assert spans(earlier, "endpoint:e")[-1] == ("2026-03-09T00:00:00Z", None, "model:m@1", 100.0, "serving")
    assert row_of(earlier.to_dict()["endpoints"], "endpoint:e")["now"]


def test_the_share_of_an_endpoint_at_several_sites_is_the_mean_over_all_of_them(store: Store) -> None:
    store.append([*trained("model:m@1", "dataset:d@1"), *trained("model:n@1", "dataset:other@1")])
    for site, model in (("north", "model:m@1"), ("south", "model:m@1"), ("east", "model:n@1"), ("west", "model:n@1")):
        store.append(serves("endpoint:e", f"deployment:e:{site}", model, "03-01", site=site))
    found = impact(store, "dataset:d@1")
    assert found.endpoints()["traffic_now"].tolist() == [50.0]
    assert set(found.exposures()["site"]) == {"north", "south"}


def test_a_split_that_was_not_read_may_answer_and_its_share_is_not_known(store: Store) -> None:
    store.append(
        [*trained("model:m@1", "dataset:d@1"), *serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", None)]
    )
    found = impact(store, "dataset:d@1").to_dict()
    endpoint = row_of(found["endpoints"], "endpoint:e")
    assert (endpoint["now"], endpoint["traffic_now"]) == (True, None)
    assert "split-not-read" in {item["code"] for item in found["findings"]}


def test_what_a_deployment_retrieves_from_is_rebuilt_and_nothing_is_trained(store: Store) -> None:
    store.append(
        [
            Entity(ref="index:kb@1"),
            made("index:kb@1", "dataset:tickets@1"),
            *serves("endpoint:e", "deployment:e:d", "ai_agent:a@1", "03-01"),
            Relation(
                effect="deployment:e:d", predicate="used", cause="index:kb@1", basis="identifier", role="retrieval"
            ),
        ]
    )
    found = impact(store, "dataset:tickets@1").to_dict()
    endpoint = row_of(found["endpoints"], "endpoint:e")
    assert (endpoint["now"], endpoint["roles"], endpoint["retrain"]) == (True, ["retrieval"], "yes")
    assert "rebuild" in endpoint["why"]
    assert endpoint["exposures"][0]["version"] == "ai_agent:a@1"  # what it runs, though that is not what was reached
    assert found["versions"] == []


def test_an_alias_that_moves_cuts_the_window_at_the_version_it_pointed_at(store: Store) -> None:
    def points(model: str, day: str) -> Relation:
        return Relation(
            effect="model:prod/m~champion",
            predicate="alias_of",
            cause=model,
            basis="identifier",
            slot="alias",
            valid_from=at(day),
        )

    store.append([*trained("model:prod/m@1", "dataset:d@1"), *trained("model:prod/m@2", "dataset:other@1")])
    store.append(serves("endpoint:e", "deployment:e:d", "model:m~champion", "03-01"))
    store.append(
        [Entity(ref="model:prod/m~champion"), points("model:prod/m@1", "02-01"), points("model:prod/m@2", "04-01")]
    )
    found = impact(store, "dataset:d@1")
    assert spans(found, "endpoint:e") == [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "model:prod/m@1", 100.0, "serving")
    ]
    assert row_of(found.to_dict()["endpoints"], "endpoint:e")["strength"] == "name"
    assert found.to_dict()["counts"]["alias"] == 1


def test_what_was_made_through_an_alias_is_reached_only_while_the_alias_pointed_there(store: Store) -> None:
    """As a trace of a later instant sees it: what the alias points at then is upstream, and not what it once did."""
    points = {"effect": "model:m~live", "predicate": "alias_of", "basis": "identifier", "slot": "alias"}
    store.append(
        [
            *trained("model:m@1", "dataset:d@1"),
            Relation(cause="model:m@1", valid_from=at("02-01"), **points),
            Relation(cause="model:m@2", valid_from=at("04-01"), **points),
            used("run:tune", "model:m~live", "02-15", ""),
            generated("model:tuned@1", "run:tune"),
            *serves("endpoint:e", "deployment:e:d", "model:tuned@1", "03-01"),
        ]
    )
    assert spans(impact(store, "dataset:d@1"), "endpoint:e") == [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "model:tuned@1", 100.0, "serving")
    ]
    for day, upstream_then in (("03-15", True), ("04-15", False)):
        nodes = {node["ref"] for node in audit(store, "endpoint:e", as_of=at(day)).to_dict()["nodes"]}
        assert ("dataset:d@1" in nodes) is upstream_then


def test_two_records_of_one_name_stand_beside_each_other(store: Store) -> None:
    store.append([Entity(ref="dataset:d@1"), Entity(ref="dataset:lake/d@1"), used("run:r", "dataset:d@1", "02-01")])
    whole = impact(store, "dataset:lake/d@1").derived()
    assert dict(zip(whole["ref"], whole["strength"], strict=True)) == {
        "dataset:d@1": "name_version",
        "run:r": "name_version",
    }
    bare = impact(store, "dataset:d@1")
    assert bare.root == "dataset:d@1"
    assert dict(zip(bare.derived()["ref"], bare.derived()["strength"], strict=True)) == {"run:r": "identifier"}


def test_a_change_between_two_syncs_is_told_as_such(store: Store) -> None:
    store.append([*trained("model:m@1", "dataset:d@1"), *trained("model:m@2", "dataset:other@1")])
    for day, model in (("03-01", "model:m@1"), ("03-05", "model:m@1"), ("03-09", "model:m@2")):
        held = [
            Relation(
                effect="endpoint:e",
                predicate="serves",
                cause="deployment:e:d",
                basis="identifier",
                slot="d",
                splits=False,
            ),
            Relation(effect="deployment:e:d", predicate="deploys", cause=model, basis="identifier", slot="model"),
        ]
        store.ingest(Snapshot(held), observed_at=at(day))
    assert impact(store, "dataset:d@1").exposures()[["traffic", "between_syncs"]].values.tolist() == [[100.0, True]]
    between = impact(store, "dataset:d@1", as_of=at("03-07")).to_dict()
    assert "changed-between-syncs" in {item["code"] for item in between["findings"]}
    sure = impact(store, "dataset:d@1", as_of=at("03-04")).to_dict()
    assert "changed-between-syncs" not in {item["code"] for item in sure["findings"]}
    dated = serves("endpoint:f", "deployment:f:d", "model:m@1", "03-01")
    store.append(dated)
    rows = impact(store, "dataset:d@1").exposures()
    assert rows[rows["ref"] == "endpoint:f"]["between_syncs"].tolist() == [False]


def test_only_what_was_known_is_told(store: Store) -> None:
    store.append(trained("model:m@1", "dataset:d@1"))
    known = store.now()
    store.append(trained("model:m@2", "dataset:d@1"))
    assert impact(store, "dataset:d@1", known_at=known).versions()["ref"].tolist() == ["model:m@1"]
    assert len(impact(store, "dataset:d@1").versions()) == 2
    assert impact(store, "dataset:d@1", as_of=at("01-15")).versions().empty


def test_the_order_of_arrival_changes_nothing_that_is_told(place: Any) -> None:
    ways = [f"run:{name}" for name in "cab"]
    records = [
        *(used(run, "dataset:d@1", "02-01") for run in ways),
        *(wrote("dataset:f@1", run, "02-02") for run in ways),
        *trained("model:m@2", "dataset:f@1", day="02-03"),
        *trained("model:m@1", "dataset:f@1", day="02-03"),
        *serves("endpoint:e", "deployment:e:y", "model:m@2", "03-01", 50.0),
        *serves("endpoint:e", "deployment:e:x", "model:m@1", "03-01", 50.0),
        *(gate("model:m@1", "evaluation", "02-11", gate="auc", pointer="run:j", evaluator=who) for who in "ba"),
        Activity(ref="run:j", activity="evaluation"),
        used("run:j", "dataset:d@1", "02-10", "evaluation"),
        used("run:j", "model:m@1", "02-10", ""),
    ]
    told: list[Any] = []
    for items in (records, records[::-1]):
        with open_store(place(), create_missing=True) as store:
            for item in items:
                store.append([item])
            found = impact(store, "dataset:d@1", as_of=at("06-01")).to_dict()
            told.append({name: item for name, item in found.items() if name not in ("question", "digest")})
    assert told[0] == told[1]
    assert told[0]["versions"][0]["path"][1] == "run:a"


def test_a_limit_cuts_the_lists_and_not_the_counts(store: Store) -> None:
    several = 60
    store.append(item for number in range(several) for item in trained(f"model:m{number:02}@1", "dataset:hub@1"))
    store.append(serves("endpoint:e", "deployment:e:d", "model:m59@1", "03-01"))
    found = impact(store, "dataset:hub@1", limit=5)
    whole = found.to_dict()
    assert found.versions()["ref"].tolist() == [
        "model:m59@1",
        "model:m00@1",
        "model:m01@1",
        "model:m02@1",
        "model:m03@1",
    ]
    assert whole["counts"]["model"] == several
    assert whole["beyond"] == {"versions": several - 5, "endpoints": 0, "evaluations": 0, "derived": several - 5}
    assert "of those listed" in " ".join(whole["summary"])
    assert impact(store, "dataset:hub@1").to_dict()["beyond"]["versions"] == 0


def test_the_number_of_statements_does_not_grow_with_what_was_reached(file_store: Store, monkeypatch: Any) -> None:
    def statements(prefix: str, several: int) -> int:
        for number in range(several):
            model = f"model:{prefix}{number}@1"
            file_store.append(trained(model, f"dataset:{prefix}@1"))
            file_store.append(serves(f"endpoint:{prefix}{number}", f"deployment:{prefix}{number}:d", model, "03-01"))
        asked: list[str] = []
        rows = file_store._engine.rows
        with monkeypatch.context() as patch:
            patch.setattr(file_store._engine, "rows", lambda *given: asked.append(given[0]) or rows(*given))
            assert len(impact(file_store, f"dataset:{prefix}@1").versions()) == several
        return len(asked)

    assert statements("few", 1) == statements("many", 40)


def test_no_table_is_read_from_end_to_end_even_after_statistics_were_gathered(file_store: Store) -> None:
    file_store.append(estates.complete())
    connection = sqlite3.connect(file_store.path)
    connection.execute("ANALYZE")
    values = {"roots": "[1]", "ids": "[1]", "as_of": 0, "known_at": 0}
    for statement in (downstream.STATEMENT, downstream.NAMES, downstream.EVALUATIONS):
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + for_sqlite(statement), values)]
        assert {step.split()[1] for step in plan if step.startswith("SCAN")} <= {"j", "w", "walk"}, plan
        if "edge" in statement:
            walked, read = [step for step in plan if step.startswith("SEARCH e")]
            assert "edge_by_cause (cause=? AND flow=? AND valid_from<?)" in walked, plan
            assert "PRIMARY KEY (effect=? AND flow=?)" in read, plan
    connection.close()


# --- the inverse of a trace ---

_NAMES = ("d@1", "a/d@1", "b/d@1", "t", "a/t")
_DATA = [f"dataset:{name}" for name in _NAMES]
_MODELS = ["model:m@1", "model:a/m@1", "model:m@2", "model:m~live", "model:a/m~live"]
_RUNS = ["run:r1", "run:r2", "run:a/r1"]
_OTHERS = ["prompt:p@1", "base_model:l@1", "index:a/i@1", "index:i@1"]
_DAYS = st.integers(1, 19)
_BASIS = st.sampled_from(["content_hash", "identifier", "time_order", "name", "declared"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.tuples(st.sampled_from(_RUNS), st.sampled_from([*_DATA, *_OTHERS, *_MODELS]), st.sampled_from(["", "training", "evaluation", "own"]), st.one_of(st.none(), _DAYS), _BASIS)),
        st.tuples(st.just("wrote"), st.tuples(st.sampled_from([*_DATA, *_MODELS, "index:a/i@1"]), st.sampled_from(_RUNS), st.one_of(st.none(), _DAYS), st.booleans())),
        st.tuples(st.just("derived"), st.tuples(st.sampled_from([*_DATA, *_MODELS, *_OTHERS]), st.sampled_from([*_DATA, *_MODELS, *_OTHERS]), _BASIS)),
        st.tuples(st.just("served"), st.tuples(st.sampled_from(["e", "f"]), st.sampled_from(["x", "y"]), st.sampled_from(_MODELS), _DAYS, st.sampled_from([0, 4]), st.sampled_from([None, 0.0, 40.0, 100.0]), st.sampled_from([{}, {"mirrored": True}, {"splits": False}, {"site": "north"}]))),
        st.tuples(st.just("synced"), st.tuples(st.integers(1, 9), st.dictionaries(st.sampled_from(["x", "z"]), st.tuples(st.sampled_from(_MODELS), st.sampled_from([None, 0.0, 100.0])), max_size=2), st.sampled_from(["", "model:m@1", "model:a/m@1", "model:m@2"]))),
        st.tuples(st.just("pointed"), st.tuples(st.sampled_from(["model:m~live", "model:a/m~live"]), st.sampled_from(["model:m@1", "model:a/m@1", "model:m@2"]), _DAYS)),
        st.tuples(st.just("beside"), st.tuples(st.sampled_from(["x", "y"]), st.sampled_from([*_OTHERS, *_DATA]), st.sampled_from(["", "retrieval"]))),
        st.tuples(st.just("described"), st.sampled_from([*_DATA, *_MODELS, *_OTHERS])),
    ),
    min_size=4,
    max_size=18,
)  # fmt: skip


def day(number: int) -> datetime:
    return parse_instant(f"2026-01-{number:02}T00:00:00Z")


def _when(number: int | None) -> dict[str, Any]:
    return {} if number is None else {"event_time": day(number)}


def write(store: Store, kind: str, what: Any) -> None:
    if kind == "described":
        store.append([Entity(ref=what)])
    elif kind == "read":
        run, data, role, number, basis = what
        store.append([Relation(effect=run, predicate="used", cause=data, basis=basis, role=role, **_when(number))])
    elif kind == "wrote":
        data, run, number, overwrites = what
        store.append([generated(data, run, overwrites=overwrites, **_when(number))])
    elif kind == "derived":
        effect, cause, basis = what
        store.append([made(effect, cause, basis)])
    elif kind == "served":
        endpoint, place, model, number, lasts, traffic, more = what
        more = {**more, "valid_to": day(number) + timedelta(days=lasts)} if lasts else more
        store.append(
            serves(f"endpoint:{endpoint}", f"deployment:{endpoint}:{place}", model, f"01-{number:02}", traffic, **more)
        )
    elif kind == "pointed":
        alias, model, number = what
        store.append(
            [
                Relation(
                    effect=alias,
                    predicate="alias_of",
                    cause=model,
                    basis="identifier",
                    slot="alias",
                    valid_from=day(number),
                )
            ]
        )
    elif kind == "beside":
        place, cause, role = what
        store.append(
            [Relation(effect=f"deployment:e:{place}", predicate="used", cause=cause, basis="identifier", role=role)]
        )
    else:
        number, deployed, alias = what
        store.ingest(Snapshot(list(_snapshot(deployed, alias))), observed_at=day(2 * number))


def _snapshot(deployed: Mapping[str, tuple[str, float | None]], alias: str) -> Iterator[Record]:
    yield Entity(ref="endpoint:e")
    for place, (model, traffic) in deployed.items():
        deployment = f"deployment:e:{place}"
        yield Relation(
            effect="endpoint:e", predicate="serves", cause=deployment, basis="identifier", slot=place, traffic=traffic
        )
        yield Relation(effect=deployment, predicate="deploys", cause=model, basis="name_version", slot="model")
    if alias:
        yield Relation(effect="model:m~live", predicate="alias_of", cause=alias, basis="identifier", slot="alias")


def whole_graph(store: Store, ref: str, as_of: datetime, known_at: datetime) -> nx.MultiDiGraph[str]:
    """What a question about a thing is answered from."""
    graph = lineage_graph(store, ref, as_of=as_of, known_at=known_at)
    describe(store, graph, as_of, known_at)
    return graph


def upstream(graph: nx.MultiDiGraph[str], endpoint: str) -> set[str]:
    """What is upstream of a deployment that answers, and what of it is a state, as the dataset too."""
    found: set[str] = set()
    result = trace(graph, endpoint, drawn=False)
    for item in result.serving:
        if item.answers:
            found |= {item.deployment, *nx.ancestors(result.graph, item.deployment)}
    return found


class Estate:
    """A store, its things, and what they mean at an instant of knowledge."""

    def __init__(self, store: Store, known_at: datetime) -> None:
        self.store, self.known_at = store, known_at
        self.refs = [row[0] for row in store._engine.rows("SELECT ref FROM node ORDER BY ref")]
        if known_at == store.recorded_by(store.now()):
            # What a text means that is no reference on record is what it means now, whatever is asked of it.
            self.refs += sorted({str(_dataset(ref)) for ref in self.refs if STATE in ref} - {*self.refs})
        self.endpoints = [ref for ref in self.refs if ref.startswith("endpoint:")]
        bare = [ref for ref in self.refs if "/" not in ref and not ref.startswith(("endpoint:", "deployment:", "run:"))]
        self.same = store.namesakes(bare, known_at)
        numbers = store.numbers(bare)
        nodes = store.nodes(numbers.values(), known_at, known_at)
        self.described = {node.ref for node in nodes.values() if node.fact is not None}

    def meant(self, ref: str) -> str | None:
        """None where it is ambiguous."""
        same = self.same.get(ref, [])
        if not same or ref in self.described:
            return ref
        return same[0] if len(same) == 1 else None

    def all_of(self, ref: str) -> set[str]:
        """A thing with its states."""
        return {ref} | {other for other in self.refs if STATE in other and self.meant(str(_dataset(other))) == ref}


def _dataset(state: str) -> Ref:
    parsed = Ref.parse(state)
    return Ref(parsed.kind, parsed.name, "", parsed.namespace)


@_PROFILE
@given(steps=_STEPS, cut=st.integers(0, 18))
def test_an_endpoint_is_reached_exactly_when_its_trace_reaches_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], cut: int
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        early = store.now()
        for number, (kind, what) in enumerate(steps):
            write(store, kind, what)
            if number == cut:
                early = store.now()
        for known in {early, store.now()}:
            _compare(Estate(store, store.recorded_by(known)))


def _compare(estate: Estate) -> None:
    store, known = estate.store, estate.known_at
    instants = [day(number) + timedelta(hours=hours) for number in (1, 4, 8, 12, 16, 20, 24) for hours in (0, 12)]
    traced: dict[tuple[str, datetime], set[str]] = {}
    for endpoint in estate.endpoints:
        for instant in instants:
            traced[endpoint, instant] = upstream(whole_graph(store, endpoint, instant, known), endpoint)
    for ref in estate.refs:
        if (meant := estate.meant(ref)) is None:
            with pytest.raises(AmbiguousReference):
                impact(store, ref, known_at=known)
            continue
        own = estate.all_of(meant)
        last = impact(store, ref, instants[-1], known).to_dict()
        assert last["root"] == meant
        for instant in instants:
            expected = {endpoint for endpoint in estate.endpoints if own & traced[endpoint, instant]}
            assert expected == {
                item["ref"] for item in last["endpoints"] if any(_answered(row, instant) for row in item["exposures"])
            }, (ref, instant)
        for instant in instants[::5]:
            found_then = impact(store, ref, instant, known).to_dict()
            expected = {endpoint for endpoint in estate.endpoints if own & traced[endpoint, instant]}
            assert expected == {item["ref"] for item in found_then["endpoints"] if item["now"]}, (ref, instant)
            _compare_versions(estate, own, found_then, instant, instants)


def _answered(row: Mapping[str, Any], instant: datetime) -> bool:
    began = row["since"] is None or parse_instant(row["since"]) <= instant
    lasts = row["until"] is None or instant < parse_instant(row["until"])
    return row["state"] in ("serving", "undetermined") and began and lasts


def _compare_versions(
    estate: Estate, own: set[str], found: Mapping[str, Any], instant: datetime, instants: Iterable[datetime]
) -> None:
    """Roles are those of the trace, and the strength is that of no weaker way than any that was open by then."""
    for row in found["versions"]:
        graphs = {
            when: whole_graph(estate.store, row["ref"], when, estate.known_at) for when in instants if when <= instant
        }
        labels = roles_seen_from(graphs[instant], row["ref"])
        expected = {role for ref in own for role in labels.get(ref, ())}
        if own & nx.ancestors(graphs[instant], row["ref"]):
            assert set(row["roles"]) == expected, row
        ranks = [rank for graph in graphs.values() if (rank := _strongest(graph, own, row["ref"])) is not None]
        # A way may have been open only between the instants that are looked at here.
        assert not ranks or BASES.index(row["strength"]) <= min(ranks), row
        assert row["path"][0] in own
        assert row["path"][-1] == row["ref"]


def _strongest(graph: nx.MultiDiGraph[str], own: set[str], ref: str) -> int | None:
    for rank in range(len(BASES)):
        kept = nx.MultiDiGraph(
            (cause, effect) for cause, effect, data in graph.edges(data=True) if BASES.index(data["basis"]) <= rank
        )
        if ref in kept and own & nx.ancestors(kept, ref):
            return rank
    return None


@pytest.mark.parametrize("steps", [1, 24])
def test_a_long_chain_is_followed_to_its_end_however_it_is_gathered(
    store: Store, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """So many levels are asked for one by one, and what lies beyond them by one recursion."""
    monkeypatch.setattr(downstream, "_STEPS", steps)
    for number in range(20):
        store.append(
            [
                used(f"run:{number}", f"dataset:d@{number}", "01-02", ""),
                wrote(f"dataset:d@{number + 1}", f"run:{number}", "01-02"),
            ]
        )
    # One more way, which joins the chain where it is gathered otherwise.
    store.append([used("run:short", "dataset:d@0", "01-02", ""), wrote("dataset:d@15", "run:short", "01-02")])
    store.append([used("run:last", "dataset:d@20", "01-03"), wrote("model:m@1", "run:last", "01-03")])
    found = impact(store, "dataset:d@0").to_dict()
    assert found["counts"] == {"dataset": 20, "model": 1, "run": 22}
    assert [row["roles"] for row in found["versions"]] == [["training"]]
    assert len(found["versions"][0]["path"]) == 15


def test_an_endpoint_of_a_real_audit_is_reached_by_all_that_the_audit_shows(store: Store) -> None:
    store.append(estates.complete())
    judged = audit(store, "endpoint:churn").to_dict()
    for node in judged["nodes"]:
        if node["kind"] != "endpoint":
            assert [row["ref"] for row in impact(store, node["ref"]).to_dict()["endpoints"] if row["now"]] == [
                "endpoint:churn"
            ]
    assert json.dumps(judged)
