"""Histories of versions: what changed, who approved it, where it served, what was rolled back, what it was made from."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, open_store
from lineage_explorer.documents import FORMATS, Documented, location_of
from lineage_explorer.errors import AmbiguousReference, InvalidInstant, InvalidQuestion, LineageError, UnknownReference
from lineage_explorer.lifecycles import lifecycle
from lineage_explorer.records import Activity, Agent, Entity, Evidence, Record, Relation, digest_of, parse_instant
from lineage_explorer.store import Store
from lineage_explorer.store.engines import SQLite
from lineage_explorer.version_history import History, history
from lineage_explorer.version_history.events import Change, answering_of, serving_events
from lineage_explorer.version_history.facts import code_of, metrics_of, packages_of, params_of
from lineage_explorer.version_history.rows import DATA_LIMIT
from lineage_explorer.version_history.tree import LIMIT, Child, tree_of
from tests.estates import at, gate, serves, used
from tests.snapshots import Snapshot

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
_PROFILE = settings(
    max_examples=200 if os.environ.get("LINEAGE_CAMPAIGN") else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def derived(effect: str, cause: str, **more: Any) -> Relation:
    return Relation(
        effect=effect, predicate="was_derived_from", cause=cause, basis=more.pop("basis", "identifier"), **more
    )


def made(effect: str, run: str, **more: Any) -> Relation:
    return Relation(effect=effect, predicate="was_generated_by", cause=run, basis="identifier", **more)


def by(thing: str, who: str, **more: Any) -> Relation:
    return Relation(effect=thing, predicate="was_associated_with", cause=who, basis="declared", **more)


def version_of(found: History, ref: str) -> dict[str, Any]:
    (row,) = [row for row in found.to_dict()["versions"] if row["ref"] == ref]
    return dict(row)


def told(found: History, *kinds: str) -> list[tuple[str, str, str]]:
    """Month and day, kind, and version of what happened."""
    rows = found.to_dict()["events"]
    return [
        ((row["at"] or "")[5:10], row["kind"], row["ref"].partition("@")[2])
        for row in rows
        if not kinds or row["kind"] in kinds
    ]


def texts(found: History, kind: str) -> list[str]:
    return [row["text"] for row in found.to_dict()["events"] if row["kind"] == kind]


def churn() -> list[Record]:
    """Two versions: made, judged, released by canary, rolled back."""
    return [
        Entity(ref="model:prod/churn@1", created_at=at("01-05"), description="first"),
        Entity(ref="model:prod/churn@2", created_at=at("02-05")),
        *(
            record
            for number in (1, 2)
            for record in (
                derived(f"model:prod/churn@{number}", f"logged_model:prod/m{number}"),
                Entity(
                    ref=f"logged_model:prod/m{number}",
                    attributes={"params": {"C": f"{number}.0"}, "metrics": {"auc": 0.8 + number / 100, "loss": "nan"}},
                ),
                made(f"logged_model:prod/m{number}", f"run:prod/train{number}"),
                Activity(
                    ref=f"run:prod/train{number}",
                    activity="training",
                    attributes={"params": {"C": "other", "seed": 7}, "metrics": {"auc": 0.1, "time": 3, "loss": 0.5}},
                ),
                by(f"run:prod/train{number}", "person:ada"),
                used(f"run:prod/train{number}", f"dataset:prod/customers@{number}", "01-04"),
                Entity(ref=f"dataset:prod/customers@{number}", attributes={"rows": 100 * number}),
                derived(f"dataset:prod/customers@{number}", "dataset:prod/raw@1"),
                used(
                    f"run:prod/train{number}", "code:shop@0a1b", "01-04", role="code", attributes={"dirty": number == 2}
                ),
                used(f"run:prod/train{number}", "environment:prod/train@1", "01-04", role="environment"),
                gate(
                    f"model:prod/churn@{number}",
                    "evaluation",
                    f"0{number}-06",
                    gate="auc",
                    expected="auc > 0.8",
                    actual="0.81",
                ),
                gate(f"model:churn@{number}", "approval", f"0{number}-07", evaluator="person:mia"),
            )
        ),
        Entity(ref="environment:prod/train@1", attributes={"packages": ["numpy==2.0"]}),
        *serves("endpoint:churn-prod", "deployment:churn-prod:a", "model:churn@1", "01-10"),
        *serves("endpoint:churn-prod", "deployment:churn-prod:a", "model:churn@1", "02-10", traffic=90.0),
        *serves("endpoint:churn-prod", "deployment:churn-prod:b", "model:prod/churn@2", "02-10", traffic=10.0),
        *serves("endpoint:churn-prod", "deployment:churn-prod:a", "model:churn@1", "02-20", traffic=0.0),
        *serves("endpoint:churn-prod", "deployment:churn-prod:b", "model:prod/churn@2", "02-20"),
        *serves("endpoint:churn-prod", "deployment:churn-prod:a", "model:churn@1", "02-25"),
        *serves("endpoint:churn-prod", "deployment:churn-prod:b", "model:prod/churn@2", "02-25", traffic=0.0),
        by("deployment:churn-prod:a", "service:pipeline"),
        by("deployment:churn-prod:a", "person:noor", event_time=at("02-25")),
    ]


# --- what happened ---


def test_what_happened_to_each_version_is_told_in_order_with_who_did_it(store: Store) -> None:
    store.append(churn())
    found = history(store, "churn")
    assert told(found) == [
        ("01-05", "registered", "1"),
        ("01-06", "evaluated", "1"),
        ("01-07", "approved", "1"),
        ("01-10", "served", "1"),
        ("02-05", "registered", "2"),
        ("02-06", "evaluated", "2"),
        ("02-07", "approved", "2"),
        ("02-10", "served", "2"),
        ("02-10", "traffic", "1"),
        ("02-20", "stopped", "1"),
        ("02-20", "traffic", "2"),
        ("02-25", "rolled_back", "2"),
        ("02-25", "restored", "1"),
    ]
    rows = {(row["kind"], row["ref"][-1]): row for row in found.to_dict()["events"]}
    assert rows["registered", "1"]["who"] == "person:ada"
    assert rows["approved", "2"]["who"] == "person:mia"
    assert rows["served", "1"]["who"] == "service:pipeline"
    # Whoever deployed first did not for that roll back: the one whose word bears the date did.
    assert rows["rolled_back", "2"]["who"] == "person:noor"
    assert rows["stopped", "1"]["who"] == ""
    assert (
        rows["rolled_back", "2"]["text"]
        == "rolled back at churn-prod: churn v1, which served before it, took its place"
    )
    assert rows["restored", "1"]["text"] == "serves again 100 % of churn-prod, in place of churn v2"
    assert rows["traffic", "2"]["text"] == "10 % → 100 % of churn-prod"
    assert all(row["at"] == row["earliest"] for row in rows.values())
    assert all(row["source"] for row in rows.values())


def test_the_table_sets_versions_side_by_side(store: Store) -> None:
    store.append(churn())
    frame = history(store, "churn").table().set_index("version")
    first, second = frame.loc["1"], frame.loc["2"]
    assert (first["registered"], first["evaluated"], first["approved"]) == (at("01-05"), at("01-06"), at("01-07"))
    assert (first["approved_by"], first["stage"], first["serving"]) == ("person:mia", "production", "churn-prod 100 %")
    assert (first["first_served"], str(first["last_served"])) == (at("01-10"), "NaT")
    assert (second["serving"], second["last_served"], second["rolled_back"]) == ("", at("02-25"), at("02-25"))
    assert (second["data"], second["code"]) == ("dataset:prod/customers@2", "0a1b (with changes)")
    assert (first["params.C"], first["params.seed"], first["metrics.auc"]) == ("1.0", "7", 0.81)
    assert first["here"] is None
    assert str(frame["registered"].dtype).endswith("UTC]")
    assert history(store, "churn").metrics().to_numpy().tolist()[0] == ["model:prod/churn@1", "auc", 0.81]


def test_facts_are_the_logged_models_then_the_runs(store: Store) -> None:
    store.append(churn())
    store.append(
        [
            Activity(ref="run:prod/judge", activity="evaluation", attributes={"metrics": {"auc": 0.2, "recall": 0.7}}),
            used("run:prod/judge", "logged_model:prod/m1", "01-06", role="evaluation"),
            used("run:prod/judge", "dataset:prod/holdout@1", "01-06", role="evaluation"),
            gate("run:prod/judge", "other", "01-06", gate="drift", status="failed"),
            gate("run:prod/judge", "approval", "01-06", gate="run-approval"),
        ]
    )
    row = version_of(history(store, "churn"), "model:prod/churn@1")
    assert row["params"] == {"C": "1.0", "seed": "7"}
    # A number of another witness does not stand in for what the logged model says is none.
    assert row["metrics"] == {"auc": 0.81, "recall": 0.7, "time": 3}
    assert row["metric_texts"] == {"loss": "nan"}
    assert row["runs"] == ["run:prod/train1"]
    assert [(item["ref"], item["role"], item["how"], item["rows"]) for item in row["data"]] == [
        ("dataset:prod/customers@1", "training", "read by the run", 100),
        ("dataset:prod/holdout@1", "evaluation", "read by the run", None),
        ("dataset:prod/raw@1", "training", "upstream of what was read", None),
    ]
    assert row["code"] == [{"ref": "code:shop@0a1b", "commit": "0a1b", "dirty": False, "link": ""}]
    assert row["packages"] == {"numpy": "2.0"}
    assert [item["ref"] for item in row["ingredients"]] == ["environment:prod/train@1"]
    assert [(item["subject"], item["gate"]) for item in row["gates"]] == [
        ("model:prod/churn@1", "auc"),
        ("run:prod/judge", "drift"),
        ("run:prod/judge", "run-approval"),
        ("model:prod/churn@1", "approval"),
    ]
    # What is about a run approves nothing.
    assert told(history(store, "churn"), "approved")[0] == ("01-07", "approved", "1")
    assert "run-approval: passed, about run:prod/judge" in texts(history(store, "churn"), "gate")


def test_a_run_that_evaluated_two_models_measures_neither(store: Store) -> None:
    store.append(churn())
    store.append(
        [
            Activity(ref="run:prod/duel", activity="evaluation", attributes={"metrics": {"gain": 0.2}}),
            *(used("run:prod/duel", f"logged_model:prod/m{number}", "02-06", role="evaluation") for number in (1, 2)),
            gate("run:prod/duel", "other", "02-06", gate="duel"),
        ]
    )
    for number in (1, 2):
        row = version_of(history(store, "churn"), f"model:prod/churn@{number}")
        assert "gain" not in row["metrics"]
        assert "duel" not in [item["gate"] for item in row["gates"]]


def test_a_canary_that_is_taken_back_is_a_rollback_and_one_that_is_promoted_is_none(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:a", "model:m@1", "01-01"))
    store.append(serves("endpoint:e", "deployment:e:a", "model:m@1", "01-05", traffic=90.0))
    store.append(serves("endpoint:e", "deployment:e:b", "model:m@2", "01-05", traffic=10.0))
    store.append(serves("endpoint:e", "deployment:e:a", "model:m@1", "01-07"))
    store.append(serves("endpoint:e", "deployment:e:b", "model:m@2", "01-07", traffic=0.0))
    found = history(store, "m")
    assert told(found, "rolled_back", "stopped", "restored") == [("01-07", "rolled_back", "2")]
    # Version 1 answered all the while: it did not come back.
    assert told(found, "traffic") == [("01-05", "traffic", "1"), ("01-07", "traffic", "1")]


def test_a_version_that_is_released_again_was_not_rolled_back_to(store: Store) -> None:
    for day, number in (("01-01", 1), ("01-03", 2), ("01-05", 1), ("01-07", 2), ("01-09", 3)):
        store.append(serves("endpoint:e", "deployment:e:a", f"model:m@{number}", day))
    assert told(history(store, "m")) == [
        ("01-01", "served", "1"),
        ("01-03", "stopped", "1"),
        ("01-03", "served", "2"),
        ("01-05", "rolled_back", "2"),
        ("01-05", "restored", "1"),
        ("01-07", "stopped", "1"),
        ("01-07", "served", "2"),
        ("01-09", "stopped", "2"),
        ("01-09", "served", "3"),
    ]
    assert "serves again 100 % of e" in texts(history(store, "m"), "served")


def test_going_back_after_a_gap_or_to_another_name_is_going_back(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:a", "model:old@1", "01-01", valid_to=at("01-03")))
    store.append(serves("endpoint:e", "deployment:e:b", "model:m@1", "01-03", valid_to=at("01-05")))
    store.append(serves("endpoint:e", "deployment:e:a", "model:old@1", "01-06"))
    assert told(history(store, "m"), "rolled_back", "stopped") == [("01-05", "rolled_back", "1")]
    assert told(history(store, "old"), "restored") == [("01-06", "restored", "1")]
    before = history(store, "m", as_of=at("01-05") + timedelta(hours=1))
    assert texts(before, "stopped") == ["no longer serves e; nobody answers there"]


def test_places_of_one_endpoint_are_told_apart(store: Store) -> None:
    for site in ("graz", "brno"):
        store.append(serves("endpoint:e", f"deployment:e:{site}", "model:m@1", "01-01", site=site))
    store.append(serves("endpoint:e", "deployment:e:graz", "model:m@2", "01-05", site="graz"))
    found = history(store, "m").to_dict()
    assert [(lane["site"], len(lane["spans"])) for lane in found["lanes"]] == [("brno", 1), ("graz", 2)]
    # A place that is heard of later had no gap before.
    store.append(serves("endpoint:e", "deployment:e:porto", "model:m@2", "01-09", site="porto"))
    lanes = history(store, "m", as_of=at("01-10")).to_dict()["lanes"]
    assert [(span["kind"], span["since"][:10]) for span in lanes[2]["spans"]] == [("served", "2026-01-09")]
    found = history(store, "m", as_of=at("01-08")).to_dict()
    assert [row["text"] for row in found["events"] if row["ref"] == "model:m@2"] == ["serves 100 % of e at graz"]
    assert history(store, "m").table()["serving"].tolist() == ["e 100 % at brno", "e 100 % at graz, porto"]


def test_a_split_that_was_not_read_and_copies_of_requests_are_not_told_as_serving(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:a", "model:m@1", "01-01", traffic=None))
    store.append(serves("endpoint:e", "deployment:e:b", "model:m@2", "01-02", traffic=None, mirrored=True))
    found = history(store, "m")
    assert texts(found, "served") == ["serves a share that was not read of e"]
    assert texts(found, "stage") == ["receives copies of the requests to e"]
    assert found.table()["serving"].tolist() == ["e with a share that was not read", ""]
    assert str(found.table()["first_served"].tolist()[1]) == "NaT"


def test_an_approval_counts_until_one_of_its_gates_says_otherwise(store: Store) -> None:
    store.append([Entity(ref="model:m@1"), gate("model:m@1", "approval", "01-02", gate="legal", evaluator="person:a")])
    assert history(store, "m").table()["approved"].tolist() == [at("01-02")]
    store.append([gate("model:m@1", "approval", "01-03", gate="business", status="failed", evaluator="person:b")])
    found = history(store, "m")
    assert str(found.table()["approved"].tolist()[0]) == "NaT"
    assert told(found, "approved", "rejected") == [("01-02", "approved", "1"), ("01-03", "rejected", "1")]
    store.append([gate("model:m@1", "approval", "01-04", gate="business", evaluator="person:b")])
    assert history(store, "m").table()[["approved", "approved_by"]].to_numpy().tolist() == [
        [at("01-04"), "person:a, person:b"]
    ]


def test_an_approval_that_is_pending_waived_or_unreadable_approves_nothing(store: Store) -> None:
    for number, status in enumerate(("pending", "waived", "stale", "undetermined", "missing"), 1):
        store.append([gate(f"model:m@{number}", "approval", "01-02", status=status)])
    found = history(store, "m")
    assert found.table()["approved"].isna().all()
    assert {kind for _, kind, _ in told(found)} == {"gate"}


def test_what_a_registry_was_seen_to_say_has_the_bounds_of_its_syncs(store: Store) -> None:
    def registry(stage: str, champion: int, *versions: int) -> Snapshot:
        entities = [
            Entity(ref=f"model:r/m@{number}", attributes={"stage": stage} if number == 1 else {}) for number in versions
        ]
        alias = Relation(
            effect="model:r/m~champion",
            predicate="alias_of",
            cause=f"model:r/m@{champion}",
            basis="identifier",
            slot="alias",
        )
        return Snapshot([*entities, alias])

    for day, seen in (
        ("01-01", registry("None", 1, 1, 2)),
        ("01-05", registry("Staging", 2, 1, 2)),
        ("01-09", registry("Archived", 1, 1, 2)),
        ("01-13", registry("Archived", 2, 2)),
        ("01-17", registry("Archived", 2, 1, 2)),
        ("01-21", registry("Production", 2, 1, 2)),
    ):
        store.ingest(seen, observed_at=at(day))
    rows = [row for row in history(store, "m").to_dict()["events"] if row["ref"] == "model:r/m@1"]
    assert [((row["earliest"] or "")[5:10], row["at"][5:10], row["kind"], row["text"]) for row in rows] == [
        ("", "01-01", "registered", "registered"),
        ("", "01-01", "stage", "alias champion points at it"),
        ("01-01", "01-05", "stage", "alias champion no longer points at it"),
        ("01-01", "01-05", "stage", "staging: stage Staging"),
        ("01-05", "01-09", "stage", "alias champion points at it again"),
        ("01-05", "01-09", "archived", "stage Archived"),
        ("01-09", "01-13", "stage", "alias champion no longer points at it"),
        ("01-09", "01-13", "deleted", "no longer in its source"),
        ("01-13", "01-17", "restored", "its source shows it again, stage Archived"),
        ("01-17", "01-21", "restored", "no longer archived, stage Production"),
    ]


def test_a_result_without_a_date_came_between_the_readings_that_saw_it_first_and_otherwise(store: Store) -> None:
    version = Entity(ref="model:r/m@1")
    for day, status in (("01-01", ""), ("01-05", "pending"), ("01-09", "passed")):
        judged = Evidence(subject="model:r/m@1", gate="legal", gate_type="approval", status=status or "pending")  # type: ignore[arg-type]
        store.ingest(Snapshot([version, *([judged] if status else [])]), observed_at=at(day))
    rows = history(store, "m").to_dict()["events"]
    assert [(row["kind"], (row["earliest"] or "")[5:10], row["at"][5:10]) for row in rows] == [
        ("registered", "", "01-01"),
        ("gate", "01-01", "01-05"),
        ("approved", "01-05", "01-09"),
    ]


# --- what versions were made from, and what was made from them ---


def links(found: History) -> set[tuple[str, str, str]]:
    return {(link["parent"], link["child"], link["how"]) for link in found.to_dict()["tree"]["links"]}


def test_copies_tunings_and_what_others_made_of_it_stand_in_the_tree(store: Store) -> None:
    store.append(churn())
    store.append(
        [
            Entity(ref="model:prod/released@1"),
            gate("logged_model:prod/m1", "safety", "01-06"),
            derived("model:prod/released@1", "model:prod/churn@1"),
            Activity(ref="run:prod/tune", activity="training"),
            used("run:prod/tune", "model:prod/churn@2", "03-01", role="input"),
            made("logged_model:prod/m9", "run:prod/tune"),
            derived("model:prod/tuned@1", "logged_model:prod/m9"),
            Entity(ref="model:prod/tuned@1"),
            Entity(ref="model:prod/small@1"),
            derived("model:prod/small@1", "model:prod/churn@2", role="distillation", basis="name_version"),
            Activity(ref="run:prod/judge", activity="evaluation"),
            used("run:prod/judge", "model:prod/churn@2", "03-01", role="input"),
            made("model:prod/never@1", "run:prod/judge"),
        ]
    )
    assert links(history(store, "churn")) == {
        ("model:prod/churn@1", "model:prod/released@1", "copy"),
        ("model:prod/churn@2", "model:prod/tuned@1", "fine-tuning"),
        ("model:prod/churn@2", "model:prod/small@1", "derived"),
    }
    # Seen from the other end it is the same.
    assert links(history(store, "released")) == {("model:prod/churn@1", "model:prod/released@1", "copy")}
    assert links(history(store, "tuned")) == {("model:prod/churn@2", "model:prod/tuned@1", "fine-tuning")}
    assert links(history(store, "small")) == {("model:prod/churn@2", "model:prod/small@1", "derived")}
    copied = version_of(history(store, "released"), "model:prod/released@1")
    # A copy is the same bytes: what made the original made it; what was said of the original was not said of it.
    assert "safety" in [item["gate"] for item in version_of(history(store, "churn"), "model:prod/churn@1")["gates"]]
    assert (copied["params"]["C"], copied["runs"], copied["gates"]) == ("1.0", ["run:prod/train1"], [])
    tuned = version_of(history(store, "tuned"), "model:prod/tuned@1")
    assert (tuned["params"], tuned["runs"]) == ({}, ["run:prod/tune"])
    assert "dataset:prod/customers@2" in [row["ref"] for row in tuned["data"]]


def test_an_agent_is_told_with_its_prompt_index_and_base_model(store: Store) -> None:
    store.append(
        [
            Entity(ref="ai_agent:prod/triage@1", created_at=at("01-01")),
            derived("ai_agent:prod/triage@1", "prompt:prod/p@1", role="prompt"),
            made("ai_agent:prod/triage@1", "run:prod/build"),
            Activity(ref="run:prod/build"),
            used("run:prod/build", "index:prod/kb@sha256:00", "01-01", role="retrieval"),
            used("run:prod/build", "base_model:llama@1", "01-01", role="base_model"),
            used("run:prod/build", "environment:prod/e@1", "01-01", role="environment"),
        ]
    )
    found = history(store, "triage")  # a plain name may be an agent's
    row = version_of(found, "ai_agent:prod/triage@1")
    assert row["parents"] == [
        {"ref": "base_model:llama@1", "how": "base model"},
        {"ref": "index:prod/kb@sha256:00", "how": "index"},
        {"ref": "prompt:prod/p@1", "how": "prompt"},
    ]
    assert {item["kind"] for item in row["ingredients"]} == {"base_model", "index", "prompt", "environment"}
    assert found.table()["data"].tolist() == ["index:prod/kb@sha256:00"]
    assert next((node["kind"], node["label"]) for node in found.to_dict()["tree"]["nodes"]) == ("ai_agent", "triage v1")


def test_a_logged_model_has_a_history_of_its_own(store: Store) -> None:
    store.append(churn())
    found = history(store, "logged_model:prod/m1")
    assert found.versions == ["logged_model:prod/m1"]
    row = version_of(found, "logged_model:prod/m1")
    assert (row["params"]["C"], row["runs"]) == ("1.0", ["run:prod/train1"])


def test_descendants_beyond_the_limit_are_counted() -> None:
    row = {
        "ref": "model:a@1",
        "kind": "model",
        "label": "a v1",
        "parents": [{"ref": "base_model:b@1", "how": "base model"}],
    }
    children = [Child("model:a@1", f"model:c{number:05}@1", "fine-tuning") for number in range(LIMIT + 9)]
    tree = tree_of([row], children, {})
    assert (len(tree["nodes"]), len(tree["links"]), tree["beyond"]) == (LIMIT + 1, LIMIT, 10)
    assert {"parent": "base_model:b@1", "child": "model:a@1", "how": "base model"} in tree["links"]


def test_data_beyond_the_limit_is_counted_and_the_nearest_is_told(store: Store) -> None:
    store.append([Entity(ref="model:m@1"), made("model:m@1", "run:r"), used("run:r", "dataset:z@1", "01-01")])
    store.append(derived("dataset:z@1", f"dataset:a{number}@1") for number in range(DATA_LIMIT + 5))
    row = version_of(history(store, "m"), "model:m@1")
    assert (len(row["data"]), row["data_beyond"], row["data"][0]["ref"]) == (DATA_LIMIT, 6, "dataset:z@1")


# --- against models that are too simple to be wrong ---

_DEPLOYMENTS = [f"deployment:e{end}:{slot}" for end in (1, 2) for slot in "ab"]
_MODELS = [f"model:{namespace}m@{number}" for namespace in ("", "p/") for number in (1, 2, 10)] + [
    "model:p/m~champion",
    "model:o@1",
]


@st.composite
def worlds(draw: st.DrawFn) -> list[Record]:
    days = st.integers(1, 12).map(lambda number: f"01-{number:02}")
    found: list[Record] = [Entity(ref=f"model:p/m@{number}", created_at=at("01-01")) for number in (1, 2, 10)]
    for deployment, model, day, traffic, site, mirrored in draw(
        st.lists(
            st.tuples(
                st.sampled_from(_DEPLOYMENTS),
                st.sampled_from(_MODELS),
                days,
                st.sampled_from([None, 0.0, 10.0, 90.0, 100.0]),
                st.sampled_from(["", "graz"]),
                st.booleans(),
            ),
            max_size=12,
            # What is said twice of one slot and day counts as it was said last.
            unique_by=lambda row: (row[0], row[2]),
        )
    ):
        endpoint = "endpoint:" + deployment.split(":")[1]
        found += serves(endpoint, deployment, model, day, traffic, site=site, mirrored=mirrored and traffic is None)
    found += [
        Relation(
            effect="model:p/m~champion",
            predicate="alias_of",
            cause=f"model:p/m@{number}",
            basis="identifier",
            slot="alias",
            valid_from=at(day),
        )
        for number, day in draw(
            st.lists(st.tuples(st.sampled_from([1, 2, 10]), days), max_size=3, unique_by=lambda row: row[1])
        )
    ]
    found += [
        gate(f"model:{namespace}m@{number}", kind, day, status, gate=f"{kind}-{number}", actual="1")
        for namespace, number, kind, day, status in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["", "p/"]),
                    st.sampled_from([1, 2, 10]),
                    st.sampled_from(["evaluation", "approval", "other"]),
                    days,
                    st.sampled_from(["passed", "failed", "pending"]),
                ),
                max_size=5,
                unique_by=lambda row: row[:4],
            )
        )
    ]
    return found


def lasting(row: Mapping[str, Any], instant: datetime) -> bool:
    since = row["since"] is None or parse_instant(row["since"]) <= instant
    return since and (row["until"] is None or parse_instant(row["until"]) > instant)


@_PROFILE
@given(world=worlds(), random_=st.randoms(use_true_random=False))
def test_who_serves_at_any_instant_and_which_stage_it_is_in_are_what_the_other_questions_say(
    tmp_path_factory: pytest.TempPathFactory, world: list[Record], random_: random.Random
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append(world)
        now = store.now()
        document = history(store, "model:p/m", as_of=now, known_at=now).to_dict()
        rows = [row for version in document["versions"] for row in version["serving"]]
        ours = {version["ref"] for version in document["versions"]}
        lanes = {(lane["endpoint"], lane["site"]): lane["spans"] for lane in document["lanes"]}
        for endpoint in ("endpoint:e1", "endpoint:e2"):
            if store.number(endpoint) is None:
                continue
            for day in random_.sample(range(1, 14), 4):
                instant = at(f"01-{day:02}") + timedelta(hours=1)
                serving = audit(store, endpoint, as_of=instant).to_dict()["serving"]
                expected = sorted(
                    (item["deployment"], item["model"], item["site"], str(item["traffic"]), item["state"])
                    for item in serving
                    if item["model"] in ours
                )
                found = sorted(
                    (row["deployment"], row["model"], row["site"], str(row["traffic"]), row["state"])
                    for row in rows
                    if row["endpoint"] == endpoint and lasting(row, instant) and "~" not in row["model"]
                )
                assert found == expected
                for (where, site), spans in lanes.items():
                    if where == endpoint:
                        there = [share for span in spans if lasting(span, instant) for share in span["shares"]]
                        assert sorted((share["deployment"], share["model"]) for share in there) == sorted(
                            (item["deployment"], item["model"]) for item in serving if item["site"] == site
                        )
        stages = lifecycle(store, "model:p/m", as_of=now, known_at=now).to_dict()["stages"]
        expected_stages = [
            tuple(row[name] for name in ("ref", "stage", "since", "until", "earliest", "because"))
            for row in stages
            if row["stage"] != "not recorded"
        ]
        assert expected_stages == [
            (version["ref"], *(item[name] for name in ("stage", "since", "until", "earliest", "because")))
            for version in document["versions"]
            for item in version["stages"]
        ]
        check_events(document)
    # The same records in another order, some of them twice.
    again = [*world, *random_.sample(world, len(world) // 2)]
    random_.shuffle(again)
    with open_store(tmp_path_factory.mktemp("t") / "s.db", create_missing=True) as other:
        other.append(again)
        shuffled = history(other, "model:p/m", as_of=now).to_dict()
        for one in (document, shuffled):
            del one["digest"], one["question"]["known_at"]
            for event in one["events"]:
                event["source"] = None  # positions tell the order of arrival
        assert shuffled == document


def check_events(document: Mapping[str, Any]) -> None:
    """Every beginning and end of answering has one event, and no event is without one."""
    expected: set[tuple[str, str, str, str, bool]] = set()
    ours = {version["ref"] for version in document["versions"]}
    for lane in document["lanes"]:
        before: set[str] = set()
        for span in lane["spans"]:
            now = {
                share["version"]
                for share in span["shares"]
                if share["state"] in ("serving", "undetermined") and share["version"] in ours
            }
            for version in now ^ before:
                expected.add((span["since"], version, lane["endpoint"], lane["site"], version in now))
            before = now
    found = [
        (row["at"], row["ref"], row["endpoint"], row["text"].endswith("graz") or " at graz" in row["text"], row["kind"])
        for row in document["events"]
        if row["endpoint"] and row["kind"] in ("served", "restored", "stopped", "rolled_back")
    ]
    assert sorted((at_, ref, end, site == "graz", begins) for at_, ref, end, site, begins in expected) == sorted(
        (at_, ref, end, graz, kind in ("served", "restored")) for at_, ref, end, graz, kind in found
    )
    instants = [row["at"] for row in document["events"]]
    assert instants == sorted(instants, key=parse_instant)


@_PROFILE
@given(
    steps=st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from([10.0, 50.0, 90.0]), max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_a_version_is_rolled_back_only_where_all_that_took_its_place_is_older_there(
    steps: list[dict[str, float]],
) -> None:
    changes = [
        Change(
            index,
            index,
            *answering_of(
                {"version": f"model:{name}@1", "state": "serving", "traffic": traffic, "deployment": name}
                for name, traffic in step.items()
            ),
        )
        for index, step in enumerate(steps)
    ]
    refs = [f"model:{name}@1" for name in "abcd"]
    events = list(serving_events("endpoint:e", "", changes, refs, {}, {}))
    first = {name: min((i for i, step in enumerate(steps) if name in step), default=99) for name in "abcd"}
    for event in events:
        name, index = event.ref[6], event.at or 0
        if event.kind in ("stopped", "rolled_back"):
            assert name in steps[index - 1]
            assert name not in steps[index]
            after = next((step for step in steps[index:] if step), {})
            grew = {other for other in after if after[other] > steps[index - 1].get(other, 0)}
            back = bool(grew) and name not in after and all(first[other] < first[name] for other in grew)
            assert (event.kind == "rolled_back") == back
        if event.kind == "restored":
            assert first[name] < index
    begins = sum(len(step.keys() - (steps[i - 1].keys() if i else set())) for i, step in enumerate(steps))
    assert len([event for event in events if event.kind in ("served", "restored")]) == begins


# --- cuts, parts, size ---


def test_what_happened_later_and_what_was_not_known_are_not_told(store: Store) -> None:
    store.append(churn())
    before = history(store, "churn", as_of=at("02-08"))
    assert [row[:2] for row in told(before)][-1] == ("02-07", "approved")
    assert before.table()["serving"].tolist() == ["churn-prod 100 %", ""]
    known = store.now()
    then = history(store, "churn", as_of=at("03-01"), known_at=known)
    store.append([gate("model:prod/churn@1", "approval", "01-20", gate="late", status="failed")])
    assert history(store, "churn", as_of=at("03-01"), known_at=known).digest == then.digest
    assert history(store, "churn", as_of=at("03-01")).digest != then.digest
    assert history(store, "churn", as_of=at("01-01")).versions == []
    question = then.to_dict()["question"]
    assert history(store, question["ref"], question["as_of"], question["known_at"]).to_dict() == then.to_dict()


def test_a_part_says_which_part_it_is(store: Store) -> None:
    store.append(churn())
    whole = history(store, "churn")
    part = whole.filter(versions=["2"], since=at("02-15"))
    assert (part.versions, whole.versions) == (["model:prod/churn@2"], ["model:prod/churn@1", "model:prod/churn@2"])
    assert told(part) == [("02-20", "traffic", "2"), ("02-25", "rolled_back", "2")]
    assert part.to_dict()["question"]["filter"] == {
        "versions": ["model:prod/churn@2"],
        "endpoint": None,
        "stage": None,
        "since": "2026-02-15T00:00:00Z",
        "until": None,
    }
    assert part.digest != whole.digest
    assert whole.filter(until=at("01-08")).versions == ["model:prod/churn@1"]
    assert whole.filter(endpoint="churn-prod").versions == whole.versions
    assert whole.filter(stage="retired").versions == whole.versions  # the first was, for some days
    assert whole.filter(stage="retired", since=at("02-26")).versions == ["model:prod/churn@2"]
    assert whole.filter(versions="model:churn@1").versions == ["model:prod/churn@1"]
    assert "filtered" in repr(part)
    for wrong in (
        {"versions": ["9"]},
        {"endpoint": "other"},
        {"stage": "gone"},
        {"since": at("02-01"), "until": at("01-01")},
    ):
        with pytest.raises(InvalidQuestion, match=r"there are|not after"):
            whole.filter(**wrong)
    with pytest.raises(InvalidInstant):
        whole.filter(since="yesterday")


def many(count: int) -> Iterable[Record]:
    for number in range(1, count + 1):
        when = parse_instant("2025-01-01T00:00:00Z") + timedelta(hours=number)
        yield Entity(ref=f"model:p/m@{number}", created_at=when)
        yield derived(f"model:p/m@{number}", f"logged_model:p/l{number}")
        yield made(f"logged_model:p/l{number}", f"run:p/r{number}")
        yield Activity(ref=f"run:p/r{number}", activity="training", started_at=when)
        for name in ("a", "b", "c"):
            yield Relation(
                effect=f"run:p/r{number}",
                predicate="used",
                cause=f"dataset:{name}@{number}",
                basis="identifier",
                role="training",
            )
        for kind in ("evaluation", "approval"):
            yield Evidence(subject=f"model:m@{number}", gate=kind, gate_type=kind, status="passed", event_time=when)
        yield from serves("endpoint:e", f"deployment:e:{number}", f"model:m@{number}", "01-01")
        yield derived(f"model:p/copy@{number}", f"model:p/m@{number}")


def test_ten_times_the_versions_take_no_more_statements(tmp_path: Path) -> None:
    counts = []
    for size in (8, 80):
        with open_store(tmp_path / f"{size}.db", create_missing=True) as store:
            store.append(many(size))
            assert isinstance(store._engine, SQLite)
            statements: list[str] = []
            store._engine.connection.set_trace_callback(statements.append)
            found = history(store, "m")
            store._engine.connection.set_trace_callback(None)
            assert len(found.versions) == size
            assert len(links(found)) == size
            counts.append(len([text for text in statements if not text.startswith("--")]))
    assert counts[0] == counts[1]
    assert counts[0] < 100


# --- asking, showing, keeping ---


def test_versions_stand_in_order_of_their_numbers(store: Store) -> None:
    store.append(Entity(ref=f"model:m@{version}") for version in ("10", "9", "beta", "100"))
    assert history(store, "m").versions == [f"model:m@{version}" for version in ("9", "10", "100", "beta")]


def test_a_name_that_is_unknown_ambiguous_or_no_models_is_refused(store: Store) -> None:
    store.append(
        [Entity(ref="model:a/m@1"), Entity(ref="model:b/m@1"), Entity(ref="dataset:d@1"), Entity(ref="model:none")]
    )
    with pytest.raises(UnknownReference):
        history(store, "nothing")
    with pytest.raises(UnknownReference):
        history(store, "ai_agent:nothing")
    with pytest.raises(AmbiguousReference, match="model:b/m"):
        history(store, "m")
    with pytest.raises(InvalidQuestion, match="no model"):
        history(store, "dataset:d@1")
    with pytest.raises(InvalidInstant):
        history(store, "model:a/m", as_of="2026-01-01")
    empty = history(store, "model:none")
    assert (empty.versions, empty.complete) == ([], False)
    assert (
        empty.table().shape[0] == empty.events().shape[0] == empty.serving().shape[0] == empty.metrics().shape[0] == 0
    )
    assert repr(empty).startswith("<History model:none as of ")


def test_hostile_text_is_carried_as_text(store: Store) -> None:
    store.append(
        [
            Entity(ref="model:x@1", description=HOSTILE, attributes={"stage": HOSTILE}),
            Evidence(
                subject="model:x@1",
                gate=HOSTILE,
                gate_type="approval",
                status="passed",
                evaluator=HOSTILE,
                expected=HOSTILE,
            ),
            made("model:x@1", "run:r"),
            Activity(ref="run:r", attributes={"params": {HOSTILE: HOSTILE}, "metrics": {HOSTILE: 1}, "tags": HOSTILE}),
            used("run:r", "environment:e@1", "01-01"),
            Entity(
                ref="environment:e@1", attributes={"packages": [HOSTILE, 7, None], "conda_file": {"dependencies": "x"}}
            ),
            used("run:r", "code:c@1", "01-01"),
            Entity(ref="code:c@1", attributes={"url": "javascript:alert(1)"}),
        ]
    )
    found = history(store, "x")
    assert "\x1b" not in repr(found)
    assert "\u202e" not in repr(found)
    row = version_of(found, "model:x@1")
    assert row["params"] == {HOSTILE: HOSTILE}
    assert row["code"][0]["link"] == "javascript:alert(1)"  # text; nothing makes a link of it
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_a_document_carries_its_digest_and_is_saved_as_what_its_suffix_says(file_store: Store, tmp_path: Path) -> None:
    file_store.append([Entity(ref="model:m@1")])
    found = history(file_store, "m")
    plain = found.to_dict()
    assert plain["format"] == "lineage-explorer/history"
    assert digest_of({key: value for key, value in plain.items() if key != "digest"}) == plain["digest"] == found.digest
    assert FORMATS == ("html", "csv", "md", "json")
    assert location_of(file_store) == str(file_store.path)
    with pytest.raises(LineageError, match="html, csv, md, json"):
        found.save(tmp_path / "out.docx")
    assert Documented({**plain, "digest": "wrong"}).digest == found.digest


def test_packages_are_read_from_whatever_form_states_them() -> None:
    def read(**attributes: Any) -> dict[str, str]:
        return packages_of({"attributes": attributes})

    assert read(packages={"Scikit_Learn": "1.5", "numpy": None}) == {"numpy": "", "scikit-learn": "1.5"}
    assert read(packages=[{"name": "a", "version": "1"}, {"version": "2"}, "b==2"]) == {"a": "1", "b": "2"}
    assert read(
        conda={
            "dependencies": [
                "c::python=3.11.4=h1",
                "c::numpy >=1.2",
                "_mutex 0.1 h1",
                "pip",
                {"pip": ["x[y]==3.1", "-r z"]},
            ]
        }
    ) == {
        "_mutex": "0.1",
        "numpy": ">=1.2",
        "pip": "",
        "python": "3.11.4",
        "x": "3.1",
    }
    assert read(
        requirements="# c\n-r o.txt\na >= 1 , < 2 # why\nb==1.0 ; os_name=='nt'\nc==2.* \nd @ https://h/d.whl\n"
        "https://h/e.whl\n./local\ne (>=2)\nf==1 \\\n  --hash=sha256:00\n"
    ) == {"a": "<2,>=1", "b": "1.0", "c": "==2.*", "d": "@ https://h/d.whl", "e": ">=2", "f": "1"}
    # A hostile line takes no longer than it is long.
    assert read(requirements="a" + " " * 1_000_000 + "/", conda=["b" + " " * 1_000_000 + "/"]) == {}
    # What is installed counts before what was asked for.
    assert read(requirements=["a>=1", "b"], packages=["a==1.4"]) == {"a": "1.4", "b": ""}
    assert read(packages=7, conda="azureml:env:1", requirements=None) == {}
    assert packages_of({"attributes": None}) == {}


def test_code_and_numbers_that_are_not_known_are_not_made_up() -> None:
    assert code_of("code:c@1", {})["dirty"] is None
    assert code_of("code:c@1", {}, [{"attributes": {"tags": {"mlflow.source.git.dirty": "true"}}}])["dirty"] is True
    assert code_of("code:c@1", {"attributes": {"dirty": True}}, [{"attributes": {"dirty": False}}])["dirty"] is True
    assert code_of("code:c", {"attributes": {"commit": "0a"}})["commit"] == "0a"
    assert metrics_of({"attributes": {"metrics": {"a": "1e999", "b": True, "c": "12", "d": None, "e": 10**400}}}) == (
        {"c": 12.0},
        {"a": "1e999", "b": "true", "d": "null", "e": str(10**400)},
    )
    assert metrics_of({"attributes": {"metrics": ["x"]}}) == ({}, {})
    assert params_of({"attributes": {"parameters": {"a": [1]}, "params": "x"}}) == {"a": "[1]"}


def test_who_is_an_agent_on_record(store: Store) -> None:
    store.append([Agent(ref="person:ada"), Entity(ref="model:m@1"), by("model:m@1", "person:ada")])
    assert history(store, "m").events()["who"].tolist() == ["person:ada"]
