"""The MLflow source on files: what it says of a real estate, and what it leaves untouched."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lineage_explorer.errors import LocationNotFound, SourceError, SourceUnavailable, UnsupportedVersion
from lineage_explorer.questions import audit
from lineage_explorer.records import Entity, Evidence, parse_instant, to_json
from lineage_explorer.sources import open_source
from lineage_explorer.sources.mlflow import MLflowSource
from lineage_explorer.sources.mlflow.datasets import Datasets
from lineage_explorer.sources.mlflow.names import Names
from lineage_explorer.sources.mlflow.revisions import KNOWN
from lineage_explorer.sources.mlflow.rows import DatasetInput
from lineage_explorer.store import Store
from tests.mlflow_estates import (
    HOSTILE,
    OLD,
    SHA,
    YOUNG,
    Estate,
    Reading,
    add_run,
    change,
    estate,
    every_revision,
    plant,
    read_data,
    tag_run,
    tag_version,
)
from tests.source_contract import PLANTED, SECRETS, SourceContract, contents


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return estate(tmp_path_factory.mktemp("mlflow"))


@pytest.fixture(scope="module")
def told(built: Estate) -> Reading:
    return Reading(built.database)


@pytest.fixture
def mine(built: Estate, tmp_path: Path) -> Estate:
    """A copy of the estate, alone in its folder, that a test may change."""
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copyfile(built.database, folder / "mlflow.db")
    return Estate(folder, built.ids)


class TestContractOnFiles(SourceContract):
    source_class = MLflowSource
    forbidden_imports: ClassVar[tuple[str, ...]] = ("mlflow", "pandas", "sqlalchemy", "requests", "networkx")

    @pytest.fixture
    def location(self, mine: Estate) -> str:
        return str(mine.database)

    @pytest.fixture
    def broken_location(self, mine: Estate) -> str:
        return str(mine.folder)

    @pytest.fixture
    def secret_location(self, mine: Estate) -> str:
        plant(mine.database, mine.ids["train"], PLANTED)
        return str(mine.database)


# --- experiments, runs and what they read ---


def test_a_deleted_experiment_ends_and_keeps_its_name(told: Reading, built: Estate) -> None:
    kept = told.entity(f"experiment:x/{built.ids['experiment']}")
    gone = told.entity(f"experiment:x/{built.ids['deleted_experiment']}")
    assert (kept.ended_at, kept.attributes["tags"]) == (None, {"team": "growth"})
    assert gone.ended_at is not None
    assert gone.attributes == {"name": "abandoned", "lifecycle_stage": "deleted"}


@pytest.mark.parametrize("name", ["gone", "abandoned-run"])
def test_a_deleted_run_is_read_and_said_to_be_deleted(told: Reading, built: Estate, name: str) -> None:
    run = told.activity(built.ids[name])
    assert run.attributes["lifecycle_stage"] == "deleted"
    assert run.attributes["name"] == name


def test_a_deleted_run_is_still_upstream(told: Reading, built: Estate) -> None:
    assert told.causes(f"run:x/{built.ids['gone']}", "used").keys() == {"dataset:x/customers@0a1b2c3d"}


def test_a_dataset_input_keeps_its_role_and_the_strongest_identity_it_has(told: Reading, built: Estate) -> None:
    read = told.causes(f"run:x/{built.ids['train']}", "used")
    assert (read[f"dataset:x/customers@sha256:{SHA}"].role, read[f"dataset:x/customers@sha256:{SHA}"].basis) == (
        "training",
        "content_hash",
    )
    assert (read["dataset:x/holdout@2026-07"].role, read["dataset:x/holdout@2026-07"].basis) == (
        "validation",
        "name_version",
    )
    measured = told.causes(f"run:x/{built.ids['evaluate']}", "used")["dataset:x/benchmark@5e5e5e5e"]
    assert (measured.role, measured.basis) == ("evaluation", "truncated_digest")
    full = told.entity(f"dataset:x/customers@sha256:{SHA}")
    assert (full.digest, full.attributes["mlflow_digests"], full.attributes["rows"]) == (
        f"sha256:{SHA}",
        ["0a1b2c3d"],
        12000,
    )
    # MLflow's own digest is eight digits of MD5 over at most 10,000 rows: never shown as a full one.
    assert told.entity("dataset:x/benchmark@5e5e5e5e").digest == "mlflow-md5-8:5e5e5e5e"


def test_a_dataset_has_the_columns_that_mlflow_recorded(told: Reading) -> None:
    columns = told.entity(f"dataset:x/customers@sha256:{SHA}").attributes["schema"]
    assert [(item["name"], item["type"]) for item in columns] == [("id", "long"), ("<b>fee</b>", "double")]
    # What is no list of columns stays what it is: it can still be compared as a text.
    assert told.entity("dataset:x/holdout@2026-07").attributes["schema"] == "free text"
    assert "schema" not in told.entity("dataset:x/benchmark@5e5e5e5e").attributes


def test_a_dataset_of_which_two_schemas_were_recorded_keeps_both() -> None:
    datasets = Datasets(Names("x"))
    for columns in ([{"name": "id", "type": "long"}], [{"name": "id", "type": "string"}]):
        schema = json.dumps({"mlflow_colspec": columns})
        row = DatasetInput("orders", "0a1b2c3d", schema=schema, tags={"data.version": "7"})
        datasets.of_input(row, {}, alone=True, position="here", problems=[])
    (told,) = datasets.entities()
    assert "schema" not in told.attributes
    assert [json.loads(text)[0]["type"] for text in told.attributes["schemas"]] == ["long", "string"]


def test_data_without_a_role_gets_none(told: Reading, built: Estate) -> None:
    (read,) = told.causes(f"run:x/{built.ids[HOSTILE]}", "used").values()
    assert read.role == ""


def test_two_runs_that_share_a_dataset_row_are_two_uses_of_one_dataset(told: Reading, built: Estate) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{built.database}?mode=ro", uri=True)) as connection:
        rows = dict(connection.execute("SELECT name, count(*) FROM datasets GROUP BY name").fetchall())
    assert rows["benchmark"] == rows["customers"] == 1  # MLflow stored it once each
    users = {use.effect for use in told.relations(predicate="used", cause="dataset:x/benchmark@5e5e5e5e")}
    assert users == {f"run:x/{built.ids['evaluate']}", f"run:x/{built.ids['silent-evaluation']}"}
    # The tag with the full digest is the training run's own word; the other run did not say it.
    assert f"run:x/{built.ids['gone']}" not in {
        use.effect for use in told.relations(predicate="used", cause=f"dataset:x/customers@sha256:{SHA}")
    }


def test_preparation_is_joined_to_training_by_the_content_it_wrote(told: Reading, built: Estate) -> None:
    wrote = told.causes(f"dataset:x/customers@sha256:{SHA}", "was_generated_by")
    assert wrote[f"run:x/{built.ids['prepare']}"].basis == "content_hash"
    assert told.causes(f"run:x/{built.ids['prepare']}", "used")[f"dataset:x/raw_customers@sha256:{'cd' * 32}"].role == (
        "input"
    )


def test_a_failed_run_may_not_have_written_all(told: Reading) -> None:
    (wrote,) = told.relations(effect="dataset:x/customers@2026-08", predicate="was_generated_by")
    assert wrote.complete is False
    assert wrote.event_start is not None


def test_a_nested_run_is_part_of_its_parent_and_draws_no_data_from_it(told: Reading, built: Estate) -> None:
    train, sweep = f"run:x/{built.ids['train']}", f"run:x/{built.ids['sweep']}"
    assert sweep in told.causes(train, "part_of")
    assert not [link for link in told.relations(effect=train, cause=sweep) if link.predicate != "part_of"]


def test_the_code_is_named_by_repository_and_commit(told: Reading, built: Estate) -> None:
    (code,) = [cause for cause in told.causes(f"run:x/{built.ids['train']}", "used") if cause.startswith("code:")]
    assert code.endswith("@1234567890abcdef1234567890abcdef12345678")
    assert "hunter2" not in code
    # Uncommitted changes are in no commit.
    used = told.causes(f"run:x/{built.ids['train']}", "used")[code]
    assert (used.basis, used.attributes) == ("declared", {"dirty": True})


def test_a_run_is_associated_with_the_user_it_names(told: Reading, built: Estate) -> None:
    assert told.causes(f"run:x/{built.ids['evaluate']}", "was_associated_with").keys() == {"person:x/mia"}


# --- what a run was ---


@pytest.mark.parametrize(
    ("run", "activity"),
    [
        ("train", "training"),  # read training data and logged models
        ("gone", "training"),  # read training data
        ("prepare", "transform"),
        ("silent-evaluation", "evaluation"),
        ("judge", "evaluation"),
        ("build-agent", ""),  # logged a model and read no training data: not called training
        ("still-running", ""),
    ],
)
def test_a_run_is_called_what_its_records_show(told: Reading, built: Estate, run: str, activity: str) -> None:
    assert told.activity(built.ids[run]).activity == activity


@pytest.mark.parametrize(
    ("tags", "activity"),
    [
        ({"mlflow__log-model__history": '[{"flavors": {"python_function": {}, "sklearn": {}}}]'}, "training"),
        ({"mlflow__log-model__history": '[{"flavors": {"python_function": {}}}]'}, ""),
        ({"mlflow__log-model__history": '[{"flavors": {"langchain": {}}}]'}, ""),
        ({"mlflow__log-model__history": '{"flavors": ["sklearn"]'}, ""),
        ({"mlflow__autologging": "xgboost"}, "training"),
        ({"mlflow__autologging": "openai"}, ""),
        ({"mlflow__autologging": "xgboost", "lineage__activity": "indexing"}, "indexing"),
    ],
)
def test_a_run_that_logged_a_model_without_training_data_trained_only_if_its_library_fits(
    mine: Estate, tags: dict[str, str], activity: str
) -> None:
    tag_run(mine.database, mine.ids["build-agent"], **tags)
    assert Reading(mine.database).activity(mine.ids["build-agent"]).activity == activity


# --- models and the registry ---


def test_a_version_leads_over_its_logged_model_to_the_run(told: Reading, built: Estate) -> None:
    logged = f"logged_model:x/{built.ids['m-first']}"
    origin = told.causes("model:x/churn@1", "was_derived_from")
    assert {cause: link.basis for cause, link in origin.items()} == {logged: "identifier"}
    assert told.causes(logged, "was_generated_by").keys() == {f"run:x/{built.ids['train']}"}
    assert not told.causes("model:x/churn@1", "was_generated_by")  # not a second way past the logged model


def test_one_run_with_two_models_keeps_them_apart(told: Reading, built: Estate) -> None:
    assert told.causes("model:x/churn@2", "was_derived_from").keys() == {f"logged_model:x/{built.ids['m-second']}"}


def test_a_deleted_logged_model_ends(told: Reading, built: Estate) -> None:
    assert told.entity(f"logged_model:x/{built.ids['m-doomed']}").ended_at is not None


def test_a_version_without_a_logged_model_leads_to_its_run_even_when_that_is_gone(told: Reading) -> None:
    assert told.causes("model:x/churn@4", "was_generated_by").keys() == {"run:x/" + "f" * 32}


def test_a_deleted_version_leaves_a_shell_without_origin(told: Reading) -> None:
    assert told.entity("model:x/churn@3").ended_at is not None
    assert told.relations(effect="model:x/churn@3") == []


def test_copies_lead_back_to_the_original_one_copy_at_a_time(told: Reading) -> None:
    assert told.causes("model:x/churn-archived@1", "was_derived_from").keys() == {"model:x/churn-released@1"}
    assert told.causes("model:x/churn-released@1", "was_derived_from").keys() == {"model:x/churn@1"}


def test_a_copy_does_not_inherit_gates_nor_deployments(told: Reading) -> None:
    assert told.evidence("model:x/churn-released@1") == told.evidence("model:x/churn-archived@1") == {}
    deployed = {link.cause for link in told.relations(predicate="deploys")}
    assert deployed == {"model:x/churn@1", "model:x/churn@2"}


def test_a_gate_of_the_copy_itself_counts_for_the_copy(mine: Estate) -> None:
    tag_version(mine.database, 1, "gate.release.status", "passed", name="churn-released")
    assert Reading(mine.database).evidence("model:x/churn-released@1").keys() == {"release"}


def test_aliases_stages_tags_and_descriptions_are_kept(told: Reading) -> None:
    (alias,) = told.relations(effect="model:x/churn~champion", predicate="alias_of")
    assert (alias.cause, alias.slot) == ("model:x/churn@1", "alias")
    version = told.entity("model:x/churn@1")
    assert (version.attributes["stage"], version.description) == ("Production", "first")
    name = told.entity("model:x/churn")
    assert (name.description, name.attributes["tags"]["owner"]) == ("Who leaves", "growth")


def test_a_prompt_is_known_by_the_hash_of_its_text(told: Reading) -> None:
    prompt = told.entity("prompt:x/triage@1")
    assert prompt.digest == "sha256:13b1311ba58d5af1187a39ee37d906c64b596f8e72f9bbc29ce928af3223311f"
    assert prompt.identified_by == "content_hash"
    assert told.causes("prompt:x/triage~live", "alias_of").keys() == {"prompt:x/triage@1"}


def test_an_agent_version_shows_prompt_index_and_base_model(told: Reading, built: Estate) -> None:
    assert "prompt:x/triage@1" in told.causes("ai_agent:x/triage-agent@1", "was_derived_from")
    used = told.causes(f"run:x/{built.ids['build-agent']}", "used")
    assert {cause: link.role for cause, link in used.items()} == {
        "prompt:x/triage@1": "prompt",
        "index:x/kb@2026-09": "retrieval",
        "base_model:gpt-4o@2024-08-06": "base",  # nobody's namespace: the model is not MLflow's
    }
    assert told.causes("ai_agent:x/triage-agent~live", "alias_of").keys() == {"ai_agent:x/triage-agent@1"}


def test_deployment_tags_serve_in_production_and_not_when_retired(told: Reading) -> None:
    serving = told.causes("endpoint:x/churn-prod", "serves")
    live, gone = serving["deployment:x/churn-prod:churn-1"], serving["deployment:x/churn-prod:churn-2"]
    assert (live.splits, live.traffic, live.basis) == (False, None, "declared")
    assert live.valid_from == parse_instant("2025-11-01T00:00:00Z")
    assert gone.traffic == 0.0
    assert told.causes("deployment:x/churn-prod:churn-1", "deploys").keys() == {"model:x/churn@1"}


@pytest.mark.parametrize("word", ["", "maybe", "deploying", "shadow"])
def test_a_deployment_status_that_is_not_serving_does_not_serve_by_itself(mine: Estate, word: str) -> None:
    tag_version(mine.database, 1, "deploy.churn-prod.status", word)
    link = Reading(mine.database).causes("endpoint:x/churn-prod", "serves")["deployment:x/churn-prod:churn-1"]
    assert (link.splits, link.traffic) == (True, None)
    assert link.mirrored == (word == "shadow")


def test_an_alias_that_moves_there_and_back_is_three_observations(mine: Estate, store: Store) -> None:
    stored = []
    for version in (1, 2, 1):
        change(mine.database, "UPDATE registered_model_aliases SET version = ? WHERE alias = 'champion'", version)
        result = store.ingest(MLflowSource(str(mine.database)))
        assert result.stored + result.unchanged + result.quarantined == result.read
        stored.append(result.stored)
    assert stored[1:] == [1, 1]


# --- gates ---


@pytest.mark.parametrize(
    ("gate", "status", "grade", "actual", "gate_type"),
    [
        ("auc", "passed", "recomputed", "0.91", "evaluation"),
        ("lying", "failed", "recomputed", "0.91", "evaluation"),
        ("latency", "passed", "recomputed", "12", "evaluation"),
        ("approval", "passed", "claimed", "", "approval"),
        ("safety", "undetermined", "claimed", "", "other"),
        ("smoke_test", "passed", "claimed", "", "approval"),
        ("legal", "pending", "claimed", "", "approval"),
    ],
)
def test_a_gate_tag_becomes_evidence_of_its_grade(
    told: Reading, gate: str, status: str, grade: str, actual: str, gate_type: str
) -> None:
    found = told.evidence("model:x/churn@1")[gate]
    assert (found.status, found.grade, found.actual, found.gate_type) == (status, grade, actual, gate_type)


def test_a_claim_that_the_numbers_contradict_is_kept_beside_the_result(told: Reading) -> None:
    assert told.evidence("model:x/churn@1")["lying"].attributes["claimed"] == "passed"


def test_a_gate_that_points_at_a_run_nobody_knows_does_not_pass(told: Reading) -> None:
    borrowed = told.evidence("model:x/churn@2")["borrowed"]
    assert (borrowed.status, borrowed.grade) == ("undetermined", "referenced")
    assert borrowed.attributes["run_linked"] is False


def test_a_gate_of_the_name_is_no_gate_of_a_version(told: Reading) -> None:
    assert told.evidence("model:x/churn")["review"].status == "passed"
    assert "review" not in told.evidence("model:x/churn@1")


@pytest.mark.parametrize(
    ("at", "status", "actual"),
    [
        ("2025-10-09T08:57:25Z", "failed", "0.79"),  # between the two measurements of the day
        ("2025-10-10T00:00:00Z", "passed", "0.91"),
        ("2026-03-01T00:00:00Z", "failed", "0.55"),  # after it was measured again
        ("2025-10-09T08:00:00Z", "undetermined", ""),  # before anything was measured
        ("the day before", "undetermined", ""),
        ("2025-10-10", "undetermined", ""),
    ],
)
def test_an_approval_rests_on_what_had_been_measured_by_then(mine: Estate, at: str, status: str, actual: str) -> None:
    tag_version(mine.database, 1, "gate.auc.at", at)
    found = Reading(mine.database).evidence("model:x/churn@1")["auc"]
    assert (found.status, found.actual) == (status, actual)


@pytest.mark.parametrize("threshold", ["high enough", "auc >= ", "auc >= 0.8 and f1 >= 0.7", ">= nan", "auc => 0.8"])
def test_a_threshold_nobody_can_compute_does_not_pass(mine: Estate, threshold: str) -> None:
    tag_version(mine.database, 1, "gate.auc.threshold", threshold)
    found = Reading(mine.database).evidence("model:x/churn@1")["auc"]
    assert (found.status, found.grade) == ("undetermined", "referenced")
    assert found.attributes["claimed"] == "passed"


def test_a_metric_that_is_not_a_number_passes_no_gate(mine: Estate) -> None:
    for key, value in {"run_id": mine.ids["train"], "threshold": "weird < 1", "status": "passed"}.items():
        tag_version(mine.database, 1, f"gate.weird.{key}", value)
    assert Reading(mine.database).evidence("model:x/churn@1")["weird"].status == "undetermined"


def test_a_measurement_alone_is_judged_by_nobody(told: Reading, built: Estate) -> None:
    linked = told.evidence(f"logged_model:x/{built.ids['m-first']}")["auc"]
    silent = told.evidence(f"logged_model:x/{built.ids['m-second']}")["f1"]
    assert (linked.status, linked.actual, linked.attributes["dataset"]) == (
        "undetermined",
        "0.91",
        "dataset:x/benchmark@5e5e5e5e",
    )
    assert (silent.status, silent.actual) == ("undetermined", "0.7")


def test_how_training_went_is_no_evaluation(told: Reading, built: Estate) -> None:
    assert "loss" not in told.evidence(f"logged_model:x/{built.ids['m-first']}")


def test_the_question_is_answered_from_the_file_alone(built: Estate, store: Store) -> None:
    store.ingest(MLflowSource(str(built.database)))
    answer = audit(store, "churn-prod", as_of="2027-01-01T00:00:00Z").to_dict()
    training = {data["ref"].partition("/")[2] for data in answer["datasets"] if data["role"] == "training"}
    assert training == {f"customers@sha256:{SHA}", f"raw_customers@sha256:{'cd' * 32}"}
    assert "2026-07" in str([node for node in answer["nodes"] if node["name"] == "holdout"])  # upstream, not training
    assert answer["verdict"] == "FAILED"  # the gate that lies


# --- hostile content ---


def test_markup_in_a_name_stays_text(told: Reading, built: Estate) -> None:
    ref = "model:x/<img%20src=x%20onerror=alert(1)>@1"
    assert to_json(told.entity(ref))["ref"] == ref
    assert told.activity(built.ids[HOSTILE]).attributes["name"] == HOSTILE


def test_numbers_that_json_cannot_hold_become_text(told: Reading, built: Estate) -> None:
    metrics = to_json(told.activity(built.ids["train"]))["attributes"]["metrics"]
    assert metrics["weird"] == "nan"
    assert metrics["long"] == 2.0**63


def test_what_tags_say_wrongly_is_quarantined_at_its_place(told: Reading, built: Estate) -> None:
    places = {item.position for item in told.rejected}
    assert places == {
        f"runs/{built.ids['prepare']}/tags/lineage.generated",
        f"runs/{built.ids[HOSTILE]}/tags/mlflow.linkedPrompts",
        "versions/churn/1/tags/gate.approval.at",
    }


def test_a_secret_in_a_reference_is_gone_before_it_is_percent_encoded(mine: Estate) -> None:
    change(
        mine.database, "UPDATE datasets SET name = 'https://u:hunter2@h/d.csv?sig=topsecret' WHERE name = 'customers'"
    )
    text = "".join(str(to_json(record)) for record in Reading(mine.database).records)
    assert "https:%2F%2Fu:[redacted]%40h%2Fd.csv" in text
    assert "hunter2" not in text
    assert "topsecret" not in text


@pytest.mark.parametrize(
    ("column", "value"),
    [("start_time", 10**17), ("start_time", -(10**17)), ("end_time", 2**63 - 1)],
)
def test_a_time_outside_the_calendar_is_said_and_the_run_is_kept(mine: Estate, column: str, value: int) -> None:
    change(mine.database, f"UPDATE runs SET {column} = ? WHERE run_uuid = ?", value, mine.ids["train"])
    told = Reading(mine.database)
    assert told.activity(mine.ids["train"]).status == "FINISHED"
    assert any(item.position == f"runs/{mine.ids['train']}" and "calendar" in item.reason for item in told.rejected)


def test_values_of_another_type_than_their_column_do_not_stop_the_read(mine: Estate) -> None:
    run = mine.ids["train"]
    change(mine.database, "UPDATE runs SET start_time = 'soon', user_id = 7 WHERE run_uuid = ?", run)
    change(mine.database, "UPDATE latest_metrics SET value = 'good' WHERE run_uuid = ?", run)
    change(mine.database, "UPDATE tags SET value = x'fffe00' WHERE run_uuid = ? AND key = 'mlflow.note.content'", run)
    told = Reading(mine.database).activity(run)
    assert (told.started_at, told.description) == (None, "\\xff\\xfe\x00")


def test_bytes_that_are_not_utf8_are_shown_as_escapes(mine: Estate) -> None:
    change(mine.database, "UPDATE experiments SET name = CAST(x'636166e9' AS TEXT) WHERE experiment_id = 1")
    assert Reading(mine.database).entity("experiment:x/1").attributes["name"] == "caf\\xe9"


# --- the promise not to touch anything ---


def test_reading_leaves_the_file_its_schema_version_and_its_folder_as_they_were(mine: Estate) -> None:
    def state() -> tuple[Any, Any, int]:
        with contextlib.closing(sqlite3.connect(f"file:{mine.database}?mode=ro", uri=True)) as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return contents(mine.folder), version, mine.database.stat().st_mtime_ns

    before = state()
    assert before[1] == [(KNOWN[-1],)]
    assert Reading(mine.database).records
    assert state() == before
    assert [path.name for path in mine.folder.iterdir()] == ["mlflow.db"]  # no -journal, no -wal, no -shm


@pytest.mark.parametrize("revision", [KNOWN[0], KNOWN[len(KNOWN) // 2]])
def test_an_older_schema_is_read_without_being_migrated(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(every_revision(tmp_path_factory.mktemp("revisions")) / f"{revision}.db", path)
    before = path.read_bytes()
    assert Reading(path).records
    assert path.read_bytes() == before


def test_every_known_schema_says_the_same_of_the_same_rows(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = every_revision(tmp_path_factory.mktemp("revisions"))
    readings = {revision: Reading(folder / f"{revision}.db") for revision in KNOWN}
    first = readings[KNOWN[0]]
    assert first.causes("model:x/churn@1", "was_generated_by").keys() == {"run:x/r1"}
    assert first.causes("run:x/r1", "used")["dataset:x/customers@0a1b2c3d"].role == "training"
    assert first.evidence("model:x/churn@1")["auc"].status == "passed"
    assert first.rejected == []
    for revision, reading in readings.items():
        differing = {what for what, _ in (reading.digests() - first.digests())}
        assert differing <= {"experiments/1"}, revision  # a migration dates experiments


def test_a_file_with_a_write_ahead_log_is_read_whole_and_left_alone(mine: Estate) -> None:
    with contextlib.closing(sqlite3.connect(mine.database)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE runs SET name = 'only in the log' WHERE run_uuid = ?", (mine.ids["train"],))
        writer.commit()
        before = contents(mine.folder)
        assert "mlflow.db-wal" in before
        assert Reading(mine.database).activity(mine.ids["train"]).attributes["name"] == "only in the log"
        assert contents(mine.folder) == before
    shutil.copyfile(mine.database, mine.folder / "alone.db")  # in WAL mode, without its log: nothing appears
    before = contents(mine.folder)
    assert Reading(mine.folder / "alone.db").records
    assert contents(mine.folder) == before


def test_half_a_transaction_of_a_crashed_writer_is_not_read_nor_repaired(mine: Estate, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with contextlib.closing(sqlite3.connect(mine.database)) as writer:
        writer.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
        writer.execute("UPDATE runs SET name = 'half done', artifact_uri = hex(randomblob(100000))")
        for suffix in ("", "-journal"):
            shutil.copyfile(f"{mine.database}{suffix}", crashed / f"mlflow.db{suffix}")
        writer.rollback()
    before = contents(crashed)
    assert b"half done" in (before["mlflow.db"] or b"")
    assert Reading(crashed).activity(mine.ids["train"]).attributes["name"] == "train"
    assert contents(crashed) == before


def test_a_slow_reader_does_not_keep_mlflow_from_writing(mine: Estate) -> None:
    reading = MLflowSource(str(mine.database)).read()
    next(reading)
    with contextlib.closing(sqlite3.connect(mine.database, timeout=0)) as writer, writer:
        writer.execute("UPDATE runs SET name = 'renamed meanwhile'")
    assert list(reading)


def test_a_file_that_a_writer_holds_is_said_to_be_locked(mine: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage_explorer.sources.mlflow.opening._BUSY_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(mine.database, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnavailable, match="locked by a writer"):
            list(MLflowSource(str(mine.database)).read())


# --- what cannot be read at all ---


def test_a_mistyped_path_creates_nothing_and_names_the_nearest(mine: Estate) -> None:
    for location in (mine.folder / "mlfow.db", f"sqlite:///{mine.folder / 'mlfow.db'}"):
        with pytest.raises(LocationNotFound, match=re.escape(f"did you mean '{mine.database}'")):
            list(MLflowSource(str(location)).read())
    with pytest.raises(LocationNotFound, match="did you mean"):
        open_source(mine.folder / "mlfow.db")
    assert [path.name for path in mine.folder.iterdir()] == ["mlflow.db"]


@pytest.mark.parametrize("revision", ["ffffffffffff", "", HOSTILE])
def test_an_unknown_schema_is_refused_by_name_and_left_alone(mine: Estate, revision: str) -> None:
    change(mine.database, "UPDATE alembic_version SET version_num = ?", revision)
    before = contents(mine.folder)
    with pytest.raises(UnsupportedVersion, match="mlflow server --backend-store-uri") as caught:
        list(MLflowSource(str(mine.database)).read())
    assert repr(revision) in str(caught.value)
    assert str(mine.database) in str(caught.value)
    assert contents(mine.folder) == before


def test_a_schema_of_two_minds_is_refused(mine: Estate) -> None:
    change(mine.database, "INSERT INTO alembic_version VALUES (?)", KNOWN[0])
    with pytest.raises(UnsupportedVersion, match=KNOWN[0]):
        list(MLflowSource(str(mine.database)).read())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    for name, raw in {
        "empty.db": b"",
        "text.db": b"experiments, runs\n",
        "half.db": b"SQLite format 3\x00" + b"\0" * 90,
    }.items():
        path = tmp_path / name
        path.write_bytes(raw)
        assert not MLflowSource.recognises(str(path))
        with pytest.raises(SourceError, match=re.escape(repr(str(path)))):
            list(MLflowSource(str(path)).read())
        assert path.read_bytes() == raw


def test_another_programs_database_is_called_that(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE runs (id)")
    with pytest.raises(SourceError, match="not MLflow's: it has no table alembic_version, experiments"):
        list(MLflowSource(str(path)).read())


def test_a_damaged_database_is_an_error_and_not_an_empty_answer(mine: Estate) -> None:
    raw = bytearray(mine.database.read_bytes())
    raw[8192:] = b"\xa5" * (len(raw) - 8192)
    mine.database.write_bytes(bytes(raw))
    with pytest.raises(SourceError, match=r"damaged|to its end|cannot be read"):
        list(MLflowSource(str(mine.database)).read())


@pytest.mark.parametrize("location", ["", "sqlite:///", "a\0b"])
def test_what_can_be_no_path_is_not_found(location: str) -> None:
    with pytest.raises(LocationNotFound, match="is not a path"):
        list(MLflowSource(location).read())


def test_a_folder_means_the_database_in_it_and_has_its_namespace(mine: Estate) -> None:
    source = open_source(mine.folder)
    assert isinstance(source, MLflowSource)
    assert source.namespace == MLflowSource(str(mine.database)).namespace
    assert source.namespace == MLflowSource(f"sqlite:///{mine.database}").namespace
    assert re.fullmatch(r"mlflow-[0-9a-f]{8}", source.namespace)


def test_a_folder_without_a_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "mlflow.dbx").touch()
    with pytest.raises(SourceError, match=r"has no mlflow\.db in it; did you mean"):
        list(MLflowSource(str(tmp_path)).read())


def test_a_file_store_is_recognised_and_told_how_to_be_read(tmp_path: Path) -> None:
    meta = tmp_path / "mlruns" / "0" / "meta.yaml"
    meta.parent.mkdir(parents=True)
    meta.write_text("artifact_location: x\nexperiment_id: '0'\nname: Default\n")
    assert isinstance(open_source(tmp_path), MLflowSource)
    with pytest.raises(SourceError, match="mlflow server --backend-store-uri"):
        list(open_source(tmp_path).read())


# --- other people's records ---

RECORDS = Path(__file__).parent.parent.parent / "shared" / "records"


@pytest.fixture
def student(tmp_path: Path) -> Path:
    folder = RECORDS / "chain_dvc_mlflow_student"
    if not folder.exists():
        pytest.skip("../shared/records is not here")
    shutil.copytree(folder, tmp_path / "student")
    return tmp_path / "student"


@pytest.mark.records
def test_a_students_database_is_read_at_its_own_schema(student: Path) -> None:
    before = contents(student)
    source = open_source(student, namespace="x")
    assert isinstance(source, MLflowSource)
    told = Reading(student)
    assert told.rejected == []
    (model,) = {link.effect for link in told.relations(predicate="was_generated_by")}
    (run,) = told.causes(model, "was_generated_by")
    assert "code:x/" in "".join(told.causes(run, "used"))
    assert told.activity(run.removeprefix("run:x/")).activity == ""  # no dataset input, no flavour on record
    assert contents(student) == before


@pytest.mark.records
def test_a_students_file_store_is_told_how_to_be_read(student: Path) -> None:
    with pytest.raises(SourceError, match="is an MLflow file store"):
        list(MLflowSource(str(student / "mlruns")).read())


# --- what a second read reads ---

BOTH = frozenset({"registry", "runs"})
ADDED = "ad" * 16


@pytest.fixture
def settled(mine: Estate) -> Estate:
    """An estate whose runs are long past, but for one: a second read reads it and those that it must."""
    add_run(mine.database, "1" * 32, YOUNG, like=mine.ids["prepare"])
    return mine


def gate_on_a_run(mine: Estate) -> None:
    add_run(mine.database, ADDED, YOUNG, like=mine.ids["train"])
    tag_run(mine.database, ADDED, gate__f1__run_id=mine.ids["silent-evaluation"], gate__f1__threshold="f1 > 0.5")


def known_data(mine: Estate) -> None:
    add_run(mine.database, ADDED, YOUNG, like=mine.ids["train"])
    read_data(mine.database, ADDED, mine.ids["train"])
    tag_run(mine.database, ADDED, data__holdout__uri="s3://elsewhere/holdout.parquet")


def register_an_old_run(mine: Estate) -> None:
    change(
        mine.database,
        """
        INSERT INTO model_versions (name, version, creation_time, source, run_id, status, current_stage)
        VALUES ('churn', 9, ?, '/old/model', ?, 'READY', 'None')
        """,
        YOUNG,
        mine.ids["failed-write"],
    )


def statement(text: str, *names: str) -> Any:
    """A change by one statement about the things of these names."""
    return lambda mine: change(mine.database, text, *(mine.ids[name] for name in names))


#: What may happen between two reads, and is seen by the second.
SEEN = {
    "nothing": lambda mine: None,
    "a new run": lambda mine: add_run(mine.database, ADDED, YOUNG + 1, like=mine.ids["train"]),
    "a run that began": lambda mine: add_run(mine.database, ADDED, None, like=mine.ids["train"], started=OLD),
    "a new run that read known data": known_data,
    "a gate on a new run that points at an old one": gate_on_a_run,
    "a gate on an old run": lambda mine: tag_run(mine.database, mine.ids["sweep"], gate__review__status="passed"),
    "a running run that ended": statement(
        "UPDATE runs SET status = 'FINISHED', end_time = start_time + 1 WHERE run_uuid = ?", "still-running"
    ),
    "a running run that failed without an end": statement(
        "UPDATE runs SET status = 'FAILED' WHERE run_uuid = ?", "still-running"
    ),
    "a version of an old run": register_an_old_run,
    "a moved alias": statement("UPDATE registered_model_aliases SET version = 2 WHERE alias = 'champion'"),
    "a changed tag of a version": lambda mine: tag_version(mine.database, 1, "gate.approval.status", "rejected"),
    "a withdrawn tag": statement("DELETE FROM model_version_tags WHERE key = 'smoke_test'"),
    "a deleted version": statement(
        "UPDATE model_versions SET current_stage = 'Deleted_Internal', source = 'REDACTED', run_id = 'REDACTED' "
        "WHERE name = 'churn' AND version = 4"
    ),
    "a renamed experiment": statement("UPDATE experiments SET name = 'renamed' WHERE experiment_id = ?", "experiment"),
    "a late metric of an evaluation": statement(
        "UPDATE latest_metrics SET value = 0.1 WHERE key = 'f1' AND run_uuid = ?", "silent-evaluation"
    ),
    "a deleted run of a version": statement("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", "train"),
    "a deleted run": lambda mine: change(
        mine.database,
        "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?",
        YOUNG + 1,
        mine.ids["failed-write"],
    ),
    "a model that an old run logged late": lambda mine: change(
        mine.database,
        "UPDATE logged_models SET source_run_id = ?, last_updated_timestamp_ms = ? WHERE model_id = ?",
        mine.ids["sweep"],
        YOUNG + 1,
        mine.ids["m-agent"],
    ),
}


@pytest.mark.parametrize("happened", SEEN)
def test_a_second_read_finds_what_happened_and_says_of_it_what_a_full_read_says(settled: Estate, happened: str) -> None:
    first = Reading(settled.database)
    SEEN[happened](settled)
    full, second = Reading(settled.database), Reading(settled.database, since=first.cursor)
    assert (first.enumerated, second.enumerated) == (BOTH, {"registry"})
    assert second.said("registry") == full.said("registry")
    assert second.said() <= full.said()
    assert full.said() - first.said() <= second.said()
    # Nothing is in two parts: what one read files under "runs", no other files under "registry".
    parts: dict[str, set[str]] = {}
    for part, identity, _ in first.said() | full.said() | second.said():
        parts.setdefault(identity, set()).add(part)
    assert {identity for identity, found in parts.items() if len(found) > 1} == set()
    # The next read knows as much as after a full one, and leaves out the same.
    assert Reading(settled.database, since=second.cursor).said() == Reading(settled.database, since=full.cursor).said()


def test_what_cannot_have_changed_is_not_read_again(settled: Estate) -> None:
    second = Reading(settled.database, since=Reading(settled.database).cursor)
    needless = {settled.ids[name] for name in ("prepare", "sweep", "failed-write", HOSTILE)}
    assert second.runs() & needless == set()
    assert second.runs() >= {settled.ids[name] for name in ("train", "evaluate", "still-running", "build-agent")}


def test_a_deleted_name_is_missing_from_the_registry_that_was_read_in_full(settled: Estate) -> None:
    first = Reading(settled.database)
    for table in ("model_versions", "registered_models"):
        change(settled.database, f"DELETE FROM {table} WHERE name = 'churn-archived'")
    second = Reading(settled.database, since=first.cursor)
    assert "model:x/churn-archived" in {record.ref for record in first.records if isinstance(record, Entity)}
    assert "model:x/churn-archived" not in {record.ref for record in second.records if isinstance(record, Entity)}
    assert "registry" in second.enumerated


def test_a_run_that_is_dated_back_is_found_by_a_full_read_only(settled: Estate) -> None:
    first = Reading(settled.database)
    add_run(settled.database, ADDED, OLD, like=settled.ids["train"])
    second = Reading(settled.database, since=first.cursor)
    assert ADDED not in second.runs()
    assert "runs" not in second.enumerated
    assert ADDED in Reading(settled.database).runs()


@pytest.mark.parametrize(("minutes", "found"), [(59, True), (61, False)])
def test_clocks_may_be_wrong_by_the_overlap(settled: Estate, minutes: int, found: bool) -> None:
    first = Reading(settled.database)
    add_run(settled.database, ADDED, YOUNG - minutes * 60_000, like=settled.ids["train"], started=OLD)
    assert (ADDED in Reading(settled.database, since=first.cursor).runs()) is found


def test_a_run_that_ended_in_the_future_hides_no_later_ones(settled: Estate) -> None:
    add_run(settled.database, "2" * 32, 4_000_000_000_000, like=settled.ids["train"])
    first = Reading(settled.database)
    assert first.cursor["watermark"] < 4_000_000_000_000
    add_run(settled.database, ADDED, YOUNG + 1, like=settled.ids["train"], started=OLD)
    assert ADDED in Reading(settled.database, since=first.cursor).runs()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"format": 2},
        {"kind": "server"},
        {"namespace": "y"},
        {"reader": "0.0.0"},
        {"watermark": None},
        {"watermark": "yesterday"},
        {"again": [["r"]]},
        {"datasets": {"dataset:x/d": {"bases": []}}},
        {"datasets": {"dataset:x/d": {"bases": ["hearsay"]}}},
        {"experiments": None},
    ],
)
def test_a_cursor_of_something_else_leads_to_a_full_read(settled: Estate, spoilt: dict[str, Any]) -> None:
    full = Reading(settled.database)
    for cursor in ({**full.cursor, **spoilt}, {}, spoilt):
        again = Reading(settled.database, since=cursor)
        assert again.enumerated == BOTH
        assert again.said() == full.said()
        assert again.cursor == full.cursor


def test_a_read_that_was_broken_off_has_enumerated_nothing_and_leaves_no_cursor(settled: Estate) -> None:
    source = MLflowSource(str(settled.database), namespace="x")
    assert list(source.read())
    assert source.enumerated == BOTH
    reading = source.read()
    next(reading)
    assert (source.enumerated, source.cursor) == (frozenset(), {})


def test_no_secret_is_in_a_cursor(settled: Estate) -> None:
    plant(settled.database, settled.ids["train"], PLANTED)
    tag_version(settled.database, 2, "gate.borrowed.run_id", PLANTED["a_note"])
    change(settled.database, "UPDATE datasets SET dataset_source = ?, name = ?", *[PLANTED["a_url"]] * 2)
    text = json.dumps(Reading(settled.database).cursor)
    assert [name for name, secret in SECRETS.items() if secret in text] == []


def test_a_gate_that_only_repeats_a_measurement_is_one_piece_of_evidence(settled: Estate) -> None:
    for field, value in {"run_id": settled.ids["evaluate"], "threshold": "auc > 0.5"}.items():
        change(
            settled.database,
            "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?)",
            settled.ids["m-first"],
            settled.ids["experiment"],
            f"gate.auc.{field}",
            value,
        )
    told = Reading(settled.database)
    found = [record for record in told.records if isinstance(record, Evidence) and record.gate == "auc"]
    about = [record for record in found if record.subject == f"logged_model:x/{settled.ids['m-first']}"]
    assert [record.grade for record in about] == ["recomputed"]


@pytest.mark.parametrize("revision", [KNOWN[0], KNOWN[-1]])
def test_every_schema_knows_what_changed(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(every_revision(tmp_path_factory.mktemp("revisions")) / f"{revision}.db", path)
    first = Reading(path)
    change(path, "UPDATE runs SET name = 'renamed' WHERE run_uuid = 'r1'")
    assert Reading(path, since=first.cursor).activity("r1").attributes["name"] == "renamed"


# --- the page ---

PAGE = (Path(__file__).parent.parent / "docs" / "sources" / "mlflow.md").read_text("utf-8")


def test_the_page_names_every_tag_and_word_that_is_understood() -> None:
    from lineage_explorer.sources.mlflow import datasets, gates, names, registry

    tags = [
        *(f"gate.<name>.{field}" for field in gates._FIELDS),
        *(f"data.{field}" for field in datasets._FIELDS),
        *(f"data.<dataset>.{field}" for field in datasets._FIELDS),
        *("deploy.<endpoint>.status", "deploy.<endpoint>.at"),
        *("lineage.activity", "lineage.used.<role>", "lineage.generated", "lineage.kind", "mlflow.linkedPrompts"),
    ]
    words = [*names._STATUSES, *names._GATE_TYPES, *registry._SERVING, *registry._GONE, *registry._MIRRORED]
    assert [word for word in (*tags, *words) if f"`{word}`" not in PAGE] == []


def test_the_page_promises_the_schemas_that_are_known() -> None:
    from lineage_explorer.sources.mlflow import revisions

    module = Path(revisions.__file__).read_text("utf-8")
    (first, last) = re.findall(r"MLflow (2\.\d+).* to (3\.\d+)", module)[0]
    assert f"MLflow {first} to {last}" in PAGE
