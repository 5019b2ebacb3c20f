"""Azure ML: what its tools print and what people keep in repositories, read without guessing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import audit, open_store
from lineage_explorer.records import Activity, Entity, Evidence, Relation, parse_instant, to_json
from lineage_explorer.sources import Rejected
from lineage_explorer.sources.azureml import AzureMLSource

from .source_contract import PLANTED, SourceContract, observations, rejections

RG = "/subscriptions/0f1e/resourceGroups/rg-prod/providers/Microsoft.MachineLearningServices"
WS = f"{RG}/workspaces/ML-Prod"
NS = "azureml-ml-prod"
TYPE = "Microsoft.MachineLearningServices/workspaces"
SCHEMA = "https://azuremlschemas.azureedge.net/latest"
RECORDS = Path(
    os.environ.get("LINEAGE_EXPLORER_RECORDS", Path(__file__).resolve().parents[2] / "shared" / "records")
) / "azureml"  # fmt: skip


def context(at: str, by: str = "Ada Example", **more: str) -> dict[str, str]:
    return {"created_at": at, "created_by": by, "created_by_type": "User", **more}


def cli_endpoint(name: str = "churn", **more: Any) -> dict[str, Any]:
    return {"id": f"{WS}/onlineEndpoints/{name}", "name": name, "auth_mode": "key", "tags": {}, **more}


def cli_deployment(name: str, model: Any, endpoint: str = "churn", **more: Any) -> dict[str, Any]:
    ref = f"{WS}/onlineEndpoints/{endpoint}/deployments/{name}"
    return {"id": ref, "name": name, "endpoint_name": endpoint, "model": model, "type": "managed", **more}


def arm(collection: str, name: str, properties: dict[str, Any], version: str = "", **system: str) -> dict[str, Any]:
    tail = f"/versions/{version}" if version else ""
    return {
        "id": f"{WS}/{collection}/{name}{tail}",
        "name": version or name,
        "type": f"{TYPE}/{collection}" + ("/versions" if version else ""),
        "properties": properties,
        "systemData": {"createdAt": "2026-01-02T03:04:05.1234567+00:00", "createdBy": "Ada Example", **system},
    }


def estate(folder: Path) -> None:
    """An endpoint with two deployments, their models, jobs and data, as `az ml` and REST print them."""
    files: dict[str, Any] = {
        "endpoint.json": cli_endpoint(traffic={"blue": 90, "green": 10}, mirror_traffic={}),
        "deployments.json": [
            cli_deployment(
                "blue", f"azureml:{WS}/models/churn/versions/3", creation_context=context("2026-02-01T00:00:00Z")
            ),
            cli_deployment("green", f"azureml:{WS.lower()}/models/CHURN/versions/4"),
        ],
        "models.json": {
            "value": [
                arm(
                    "models",
                    "churn",
                    {
                        "modelUri": "azureml://jobs/train-3/outputs/model/paths/",
                        "jobName": "train-3",
                        "modelType": "mlflow_model",
                        "tags": {"gate.approval.status": "approved", "gate.approval.by": "mia"},
                        "properties": {"baseModelId": "azureml://registries/Shared/models/tiny/versions/1"},
                    },
                    "3",
                ),
                arm("models", "churn", {"modelUri": "azureml://jobs/train-4/outputs/artifacts/paths/m/"}, "4"),
            ],
            "nextLink": None,
        },
        "jobs/train-3.json": {
            "id": f"azureml:{WS}/jobs/train-3",
            "name": "train-3",
            "type": "pipeline",
            "status": "Completed",
            "inputs": {"raw": {"type": "uri_folder", "path": "azureml:customers:7"}},
            "outputs": {"model": {"type": "mlflow_model"}},
            "jobs": {
                "prep": {"type": "command", "inputs": {"source": "${{parent.inputs.raw}}"}, "outputs": {"clean": ""}},
                "fit": {
                    "type": "command",
                    "inputs": {"training_data": "${{parent.jobs.prep.outputs.clean}}", "rate": "0.1"},
                    "outputs": {"m": "${{parent.outputs.model}}"},
                },
            },
            "creation_context": context("2026-01-01T00:00:00Z"),
        },
        "jobs/train-4.json": arm(
            "jobs",
            "train-4",
            {
                "jobType": "Command",
                "status": "Completed",
                "inputs": {
                    "input_data": {"jobInputType": "uri_folder", "uri": f"{WS}/data/customers/versions/8"},
                    "epochs": {"jobInputType": "literal", "value": "3"},
                },
                "environmentId": f"{WS}/environments/sklearn/versions/2",
                "properties": {
                    "mlflow.source.git.repoURL": "https://example.org/acme/churn.git",
                    "mlflow.source.git.commit": "c0ffee",
                },
            },
        ),
        "data.json": [
            {
                "id": f"{WS}/data/customers/versions/7",
                "name": "customers",
                "version": "7",
                "type": "uri_folder",
                "path": "azureml://datastores/raw/paths/customers/7/",
                "creation_context": context("2025-12-01T00:00:00Z"),
            }
        ],
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=1))
    (folder / "environment.yml").write_text(
        f"$schema: {SCHEMA}/environment.schema.json\nname: local\nversion: 1.10\nimage: x\n"
    )


class TestAzureML(SourceContract):
    source_class = AzureMLSource

    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        estate(tmp_path / "exports")
        return str(tmp_path / "exports")

    @pytest.fixture
    def broken_location(self, tmp_path: Path) -> str:
        folder = tmp_path / "broken"
        estate(folder)
        (folder / "cut.json").write_text('[{"id": "' + WS + '/models/x/versions/1", "name": "x"')
        (folder / "tag.yml").write_text(f"$schema: {SCHEMA}/model.schema.json\nname: !!python/object:os.system x\n")
        (folder / "deep.json").write_text("[" * 100_000)
        (folder / "latin.yaml").write_bytes(b"name: caf\xe9\n")
        (folder / "twice.json").write_text('{"name": "a", "name": "b"}')
        return str(folder)

    @pytest.fixture
    def secret_location(self, tmp_path: Path) -> str:
        folder = tmp_path / "secrets"
        folder.mkdir()
        things = [
            cli_endpoint(tags=PLANTED, traffic={"blue": 100}, description=PLANTED["a_url"]),
            cli_deployment("blue", PLANTED["a_url"], environment_variables={"ANYTHING": PLANTED["password"]}),
            arm("data", "d", {"dataUri": PLANTED["a_url"], "tags": PLANTED, "dataType": "uri_file"}, "1"),
            arm(
                "jobs",
                "j",
                {
                    "jobType": "Command",
                    "inputs": {"x": {"jobInputType": "uri_file", "uri": PLANTED["a_url"]}},
                    "command": f"run --password {PLANTED['password']}",
                },
            ),
            {"name": PLANTED["a_url"], "note": PLANTED},
        ]
        (folder / "all.json").write_text(json.dumps(things))
        (folder / "bad.yml").write_text(f"password: {PLANTED['password']}\nx: [\n")
        return str(folder)


# --- helpers ---


def write(folder: Path, *objects: Any, name: str = "x.json") -> str:
    folder.mkdir(exist_ok=True)
    text = objects[0] if isinstance(objects[0], str) else json.dumps(objects[0] if len(objects) == 1 else list(objects))
    (folder / name).write_text(text)
    return str(folder)


def read(location: str, namespace: str | None = None) -> tuple[list[Any], list[Rejected]]:
    items = list(AzureMLSource(location, namespace=namespace).read())
    return [item.record for item in observations(items)], rejections(items)


def relations(records: list[Any], predicate: str) -> dict[tuple[str, str], Relation]:
    return {
        (item.effect, item.cause): item
        for item in records
        if isinstance(item, Relation) and item.predicate == predicate
    }


def split(records: list[Any]) -> dict[str, tuple[float | None, bool, bool]]:
    return {
        item.slot: (item.traffic, item.mirrored, item.splits)
        for item in records
        if isinstance(item, Relation) and item.predicate == "serves"
    }


# --- the whole way ---


def test_the_endpoint_is_traced_to_its_training_data(tmp_path: Path) -> None:
    estate(tmp_path / "exports")
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        result = store.ingest(AzureMLSource(str(tmp_path / "exports")))
        assert result.read == result.stored + result.unchanged + result.quarantined
        assert result.quarantined == 0
        answer = audit(store, "endpoint:churn")
    assert "model churn version 3 (90 % of traffic)" in answer.answer
    assert "made from dataset customers version 7" in answer.answer
    # Model 4 read customers 8 as `input_data`: that it trained on it is not said, and not guessed.
    roles = {(row.ref, row.role) for row in answer.datasets().itertuples()}
    assert (f"dataset:{NS}/customers@7", "training") in roles
    assert (f"dataset:{NS}/customers@8", "training") not in roles
    assert answer.verdict == "INCOMPLETE"


def test_both_spellings_say_the_same(tmp_path: Path) -> None:
    snake = cli_endpoint(traffic={"blue": 100}, creation_context=context("2026-01-01T00:00:00Z"))
    camel = arm(
        "onlineEndpoints", "churn", {"authMode": "key", "traffic": {"blue": 100}}, createdAt="2026-01-01T00:00:00Z"
    )
    camel["systemData"]["createdByType"] = "User"
    said = [read(write(tmp_path / str(number), form))[0] for number, form in enumerate((snake, camel))]
    assert [item for item in said[0] if not isinstance(item, Entity)] == [
        item for item in said[1] if not isinstance(item, Entity)
    ]


@pytest.mark.parametrize("shape", ["one", "list", "page", "file"])
def test_single_objects_lists_pages_files_and_folders_are_read(tmp_path: Path, shape: str) -> None:
    thing = arm("data", "d", {"dataUri": "azureml://datastores/x/paths/y"}, "1")
    wrapped = {"one": thing, "list": [thing], "page": {"value": [thing]}, "file": thing}[shape]
    location = write(tmp_path / "x", wrapped)
    items = list(AzureMLSource(location + "/x.json" if shape == "file" else location).read())
    assert f"dataset:{NS}/d@1" in [to_json(item.record).get("ref") for item in observations(items)]
    assert {item.position for item in items} == {"x.json#/value/0" if shape == "page" else "x.json:1"}


def test_a_further_page_that_is_not_there_is_said(tmp_path: Path) -> None:
    page = {"value": [arm("data", "d", {}, "1")], "nextLink": "https://management.azure.com/x?$skip=1&sig=abc"}
    records, rejected = read(write(tmp_path / "x", page))
    assert records
    assert [(item.position, "another page" in item.reason) for item in rejected] == [("x.json#/nextLink", True)]
    assert "sig" not in rejected[0].excerpt


def test_an_export_of_nothing_is_no_error(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x", "[]")) == ([], [])


# --- who serves ---


def test_a_split_that_leaves_a_deployment_out_gives_it_nothing(tmp_path: Path) -> None:
    location = write(
        tmp_path / "x",
        cli_endpoint(traffic={"Blue": 100, "gone": 0}),
        cli_deployment("blue", "azureml:m:1"),
        cli_deployment("idle", "azureml:m:2"),
    )
    assert split(read(location)[0]) == {
        "blue": (100.0, False, True),
        "gone": (0.0, False, True),
        "idle": (0.0, False, True),
    }


@pytest.mark.parametrize("extra", [{}, {"traffic": None}, {"traffic": "90"}, {"traffic": {"blue": "much"}}])
def test_a_split_that_was_not_read_is_not_zero(tmp_path: Path, extra: dict[str, Any]) -> None:
    location = write(tmp_path / "x", cli_endpoint(**extra), cli_deployment("blue", "azureml:m:1"))
    records, rejected = read(location)
    assert split(records) == {"blue": (None, False, True)}
    assert len(rejected) == (1 if extra.get("traffic") else 0)


def test_a_deployment_without_its_endpoint_may_serve_or_not(tmp_path: Path) -> None:
    records, _ = read(write(tmp_path / "x", cli_deployment("blue", "azureml:m:1")))
    assert split(records) == {"blue": (None, False, True)}


def test_mirrored_traffic_answers_nobody(tmp_path: Path) -> None:
    location = write(
        tmp_path / "x",
        arm("onlineEndpoints", "churn", {"traffic": {"blue": 100, "green": 0}, "mirrorTraffic": {"green": 20}}),
    )
    assert split(read(location)[0]) == {"blue": (100.0, False, True), "green": (20.0, True, True)}


@pytest.mark.parametrize(
    "endpoint",
    [
        {"id": f"{WS}/batchEndpoints/score", "name": "score", "defaults": {"deployment_name": "One"}},
        arm("batchEndpoints", "score", {"defaults": {"deploymentName": "one"}}),
    ],
)
def test_a_batch_endpoint_serves_by_its_default(tmp_path: Path, endpoint: dict[str, Any]) -> None:
    model = {"referenceType": "Id", "assetId": f"{WS}/models/m/versions/2"}
    other = arm("batchEndpoints/score/deployments", "two", {"model": model})
    other["type"] = f"{TYPE}/batchEndpoints/deployments"
    records, _ = read(write(tmp_path / "x", endpoint, other))
    assert split(records) == {"one": (None, False, False), "two": (0.0, False, True)}
    assert (f"deployment:{NS}/score:two", f"model:{NS}/m@2") in relations(records, "deploys")


def test_earlier_exports_of_an_endpoint_keep_what_was_true_then(tmp_path: Path) -> None:
    for month, share in ((2, 100), (3, 20)):
        written = arm(
            "onlineEndpoints",
            "churn",
            {"traffic": {"blue": share, "green": 100 - share}},
            lastModifiedAt=f"2026-0{month}-01T00:00:00Z",
        )
        write(tmp_path / "x", written, name=f"endpoint-{month}.json")
    write(tmp_path / "x", cli_deployment("blue", "azureml:m:1"), cli_deployment("green", "azureml:m:2"), name="d.json")
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        store.ingest(AzureMLSource(str(tmp_path / "x")))
        for day, share in (("2026-02-15", 100), ("2026-03-15", 20)):
            served = audit(store, "endpoint:churn", as_of=parse_instant(f"{day}T00:00:00Z")).to_dict()["serving"]
            assert {row["deployment"]: row["traffic"] for row in served} == {
                f"deployment:{NS}/churn:blue": share,
                f"deployment:{NS}/churn:green": 100 - share,
            }


def test_what_the_service_says_stands_before_what_a_repository_wants(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write(folder, cli_deployment("blue", f"{WS}/models/m/versions/2"))
    yaml = (
        f"$schema: {SCHEMA}/managedOnlineDeployment.schema.json\nname: blue\nendpoint_name: churn\nmodel: azureml:m:9\n"
    )
    write(folder, yaml, name="a.yml")
    records, rejected = read(str(folder))
    assert [cause for _, cause in relations(records, "deploys")] == [f"model:{NS}/m@2"]
    assert [item.position for item in rejected] == ["a.yml:1"]


# --- names ---


def test_ids_are_compared_without_regard_to_case(tmp_path: Path) -> None:
    shouting = cli_deployment("BLUE", f"AZUREML:{WS.upper()}/MODELS/Churn/VERSIONS/3", endpoint="CHURN")
    location = write(tmp_path / "x", cli_endpoint(traffic={"bLuE": 100}), shouting)
    records, rejected = read(location)
    assert not rejected
    assert split(records) == {"blue": (100.0, False, True)}
    assert list(relations(records, "deploys")) == [(f"deployment:{NS}/churn:blue", f"model:{NS}/churn@3")]


@pytest.mark.parametrize(
    "text",
    [
        "azureml:churn:3",
        f"{WS}/models/churn/versions/3",
        f"azureml:{WS}/models/churn/versions/3",
        "azureml://models/churn/versions/3",
        "azureml://subscriptions/0f1e/resourcegroups/rg-prod/workspaces/ml-prod/models/churn/versions/3",
    ],
)
def test_all_ways_to_name_a_thing_of_a_workspace_agree(tmp_path: Path, text: str) -> None:
    records, _ = read(write(tmp_path / "x", cli_deployment("blue", text)))
    assert [cause for _, cause in relations(records, "deploys")] == [f"model:{NS}/churn@3"]


def test_a_registry_is_a_place_of_its_own(tmp_path: Path) -> None:
    model = "azureml://registries/Shared/models/tiny/versions/1"
    records, _ = read(write(tmp_path / "x", cli_deployment("blue", model)), namespace="mine")
    assert [cause for _, cause in relations(records, "deploys")] == ["model:azureml-registry-shared/tiny@1"]


def test_two_workspaces_of_one_name_stay_apart(tmp_path: Path) -> None:
    one = arm("models", "m", {}, "1")
    two = {**one, "id": one["id"].replace("rg-prod", "rg-test")}
    refs = {item.ref for item in read(write(tmp_path / "x", one, two))[0] if isinstance(item, Entity)}
    assert len(refs) == 2


@pytest.mark.parametrize("text", ["azureml:m@latest", f"{WS}/models/m/labels/latest", "azureml:m:latest"])
def test_latest_is_never_a_version(tmp_path: Path, text: str) -> None:
    records, _ = read(write(tmp_path / "x", cli_deployment("blue", text)))
    [(_, cause)] = relations(records, "deploys")
    assert cause == f"model:{NS}/m~latest"
    assert next(iter(relations(records, "deploys").values())).basis == "name"


def test_a_list_of_names_tells_what_latest_means_now(tmp_path: Path) -> None:
    listed = {"id": f"{WS}/models/m", "name": "m", "latest version": "12"}
    records, _ = read(write(tmp_path / "x", [listed]))
    assert (f"model:{NS}/m~latest", f"model:{NS}/m@12") in relations(records, "alias_of")


@pytest.mark.parametrize(
    "left_open", ["<VERSION>", "<my-version>", "{{ version }}", "$(version)", "${VERSION}", "$VERSION"]
)
def test_a_placeholder_of_a_template_is_no_fact(tmp_path: Path, left_open: str) -> None:
    text = f"$schema: {SCHEMA}/model.schema.json\nname: m\nversion: '{left_open}'\npath: .\n"
    records, rejected = read(write(tmp_path / "x", text, name="m.yml"))
    assert records == []
    assert left_open in rejected[0].reason
    deployment = cli_deployment("blue", f"azureml:m:{left_open}")
    records, rejected = read(write(tmp_path / "y", deployment))
    assert not relations(records, "deploys")
    assert [item.position for item in rejected] == ["x.json:1 (model)"]


def test_a_hostile_name_is_a_name(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    records, rejected = read(
        write(tmp_path / "x", {"$schema": f"{SCHEMA}/model.schema.json", "name": name, "version": "1"})
    )
    assert not rejected
    [entity] = records
    assert [ref.name for ref in entity.refs()] == [name]


def test_a_version_in_yaml_stays_the_text_it_is(tmp_path: Path) -> None:
    text = f"$schema: {SCHEMA}/data.schema.json\nname: d\nversion: 1.10\ntype: uri_file\npath: ./d.csv\n"
    records, _ = read(write(tmp_path / "x", text, name="d.yml"), namespace="n")
    assert records[0].ref == "dataset:n/d@1.10"


# --- jobs ---


def test_a_role_is_read_only_from_the_word_for_it(tmp_path: Path) -> None:
    names = (
        "training_data",
        "train",
        "validationData",
        "test_data",
        "input_data",
        "trained_model_stats",
        "testdataset",
    )
    job = arm(
        "jobs",
        "j",
        {
            "jobType": "Command",
            "inputs": {name: {"jobInputType": "uri_file", "uri": f"azureml:{name}:1"} for name in names},
        },
    )
    used = relations(read(write(tmp_path / "x", job))[0], "used")
    assert [item.role for item in used.values()] == ["training", "training", "validation", "test", "", "", ""]


def test_automl_says_itself_what_it_trains_on(tmp_path: Path) -> None:
    task = {"taskType": "Classification", "trainingData": {"jobInputType": "mltable", "uri": "azureml:d:1"}}
    records, _ = read(write(tmp_path / "x", arm("jobs", "j", {"jobType": "AutoML", "taskDetails": task})))
    assert [item.role for item in relations(records, "used").values()] == ["training"]
    assert next(item for item in records if isinstance(item, Activity)).activity == "training"


def test_a_model_made_by_a_step_has_one_maker(tmp_path: Path) -> None:
    """Its own record names the pipeline, the pipeline's names the step: that is no contradiction."""
    job = {
        "id": f"{WS}/jobs/p",
        "name": "p",
        "type": "pipeline",
        "outputs": {"o": {"type": "mlflow_model", "name": "m", "version": "5"}},
        "jobs": {"fit": {"type": "command", "outputs": {"x": "${{parent.outputs.o}}"}}},
    }
    model = arm("models", "m", {"jobName": "p", "modelUri": "azureml://jobs/p/outputs/o"}, "5")
    records, _ = read(write(tmp_path / "x", job, model))
    assert list(relations(records, "was_generated_by")) == [(f"model:{NS}/m@5", f"run:{NS}/p:fit")]
    assert (f"run:{NS}/p:fit", f"run:{NS}/p") in relations(records, "part_of")


def test_a_job_that_failed_leaves_its_write_incomplete(tmp_path: Path) -> None:
    outputs = {"o": {"jobOutputType": "uri_folder", "assetName": "d", "assetVersion": "2"}}
    for status, complete in (("Completed", True), ("Failed", False), ("Running", False)):
        job = arm("jobs", "j", {"jobType": "Command", "status": status, "outputs": outputs})
        made = relations(read(write(tmp_path / status, job))[0], "was_generated_by")
        assert made[f"dataset:{NS}/d@2", f"run:{NS}/j"].complete is complete


def test_an_asset_in_a_jobs_folder_is_made_by_that_job(tmp_path: Path) -> None:
    outputs = {"o": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/ws/paths/azureml/j/o/"}}
    job = arm("jobs", "j", {"jobType": "Command", "status": "Completed", "outputs": outputs})
    data = arm("data", "d", {"dataUri": "azureml://datastores/ws/paths/azureml/j/o/part"}, "1")
    artifact = arm(
        "models", "m", {"modelUri": "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.k/model"}, "1"
    )
    made = relations(read(write(tmp_path / "x", job, data, artifact))[0], "was_generated_by")
    assert made[f"dataset:{NS}/d@1", f"run:{NS}/j"].basis == "containment"
    assert made[f"model:{NS}/m@1", f"run:{NS}/k"].basis == "containment"


def test_a_sas_query_is_no_part_of_a_name(tmp_path: Path) -> None:
    uri = "https://acme.blob.core.windows.net/c/d.csv?sv=2024&sig=abc"
    job = arm("jobs", "j", {"jobType": "Command", "inputs": {"x": {"jobInputType": "uri_file", "uri": uri}}})
    used = relations(read(write(tmp_path / "x", job))[0], "used")
    assert [cause for _, cause in used] == [f"dataset:{NS}/https:%2F%2Facme.blob.core.windows.net%2Fc%2Fd.csv"]


def test_a_job_in_a_repository_is_a_definition_and_its_word_is_weak(tmp_path: Path) -> None:
    text = (
        f"$schema: {SCHEMA}/commandJob.schema.json\ntype: command\ncommand: python t.py\n"
        "inputs:\n  train:\n    type: uri_file\n    path: azureml:d@latest\n"
    )
    records, _ = read(write(tmp_path / "x", text, name="job.yml"), namespace="n")
    [activity] = [item for item in records if isinstance(item, Activity)]
    assert activity.ref == "run:n/job.yml"
    assert "definition" in activity.attributes
    assert relations(records, "used")["run:n/job.yml", "dataset:n/d~latest"].basis == "declared"


# --- gates, people, and what is not read ---


def test_gate_tags_on_a_model_are_evidence_and_never_more_than_claimed(tmp_path: Path) -> None:
    tags = {
        "gate.auc.status": "passed",
        "gate.auc.threshold": "auc >= 0.8",
        "gate.auc.run_id": "J",
        "security": "Approved",
    }
    records, _ = read(write(tmp_path / "x", arm("models", "m", {"tags": tags}, "1")))
    found = {item.gate: (item.status, item.grade, item.pointer) for item in records if isinstance(item, Evidence)}
    # With a run and a threshold it could be recomputed; the points are not here, so it is not believed.
    assert found == {"auc": ("undetermined", "referenced", f"run:{NS}/j"), "security": ("passed", "claimed", "")}


def test_who_made_it_is_a_person_or_a_service(tmp_path: Path) -> None:
    person = arm("models", "a", {}, "1", createdByType="User")
    service = arm("models", "b", {}, "1", createdBy="5019", createdByType="Application")
    made = relations(read(write(tmp_path / "x", person, service))[0], "was_associated_with")
    assert [cause for _, cause in made] == [f"person:{NS}/Ada%20Example", f"service:{NS}/5019"]


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ({"id": f"{WS}/schedules/s", "name": "s"}, "a schedule is not read"),
        ({"$schema": "http://azureml/sdk-2-0/Schedule.json", "name": "s", "create_monitor": {}}, "a schedule is not read"),
        ({"id": f"{WS}/computes/c", "type": f"{TYPE}/computes", "properties": {}}, "a compute is not read"),
        ({"id": f"{WS}/datastores/d", "name": "d"}, "a datastore is not read"),
        ({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}, "ARM template"),
        ({"hello": "world"}, "nothing in it says"),
        ({"$schema": f"{SCHEMA}/model.schema.json"}, "has no name"),
        (3, "not an object"),
        (None, "only null"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_said(tmp_path: Path, thing: Any, said: str) -> None:
    records, rejected = read(write(tmp_path / "x", [thing, arm("models", "m", {}, "1")]))
    assert records
    assert [said in item.reason for item in rejected] == [True]
    assert rejected[0].position.startswith("x.json")


@pytest.mark.parametrize(
    "foreign",
    [
        {"type": "deployment", "endpoint": "e", "model": "model:m@1", "note": "was azureml:m:1"},
        {"type": "dataset", "dataset": "d@1", "uri": "azureml://datastores/x/paths/y"},
        {"name": "left-pad", "description": "for azureml"},
        {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "x": "azureml:a:1",
        },
    ],
)
def test_mentioning_azureml_is_not_being_it(tmp_path: Path, foreign: dict[str, Any]) -> None:
    assert not AzureMLSource.recognises(write(tmp_path / "x", foreign))


# --- public records ---


@pytest.mark.records
@pytest.mark.skipif(not RECORDS.is_dir(), reason="the shared records are not here")
class TestPublicRecords:
    def test_every_file_is_read_or_said_not_to_be(self, tmp_path: Path) -> None:
        items = list(AzureMLSource(str(RECORDS)).read())
        named = {item.position.partition(":")[0].partition("#")[0] for item in items}
        files = {
            path.relative_to(RECORDS).as_posix()
            for path in RECORDS.rglob("*")
            if path.suffix in (".json", ".yml", ".yaml")
        }
        assert named == files
        with open_store(tmp_path / "s.db", create_missing=True) as store:
            result = store.ingest(AzureMLSource(str(RECORDS)))
        assert result.read == len(items) == result.stored + result.unchanged + result.quarantined

    def test_templates_and_schedules_are_the_only_azureml_files_that_are_refused(self) -> None:
        refused = {item.position.split(":")[0]: item.reason for item in rejections(AzureMLSource(str(RECORDS)).read())}
        assert {place.split("/")[0] for place, reason in refused.items() if "schedule" in reason} == {
            "monitor-schedules"
        }
        assert sorted(place for place, reason in refused.items() if "template" in reason) == [
            "nyc-taxi/artifacts/model/nyc-taxi-model.yaml",
            "nyc-taxi/deploy.yml",
            "nyc-taxi/env_train.yml",
        ]

    @pytest.mark.parametrize("endpoint", ["credit-default", "my-endpoint"])
    def test_what_a_repository_alone_says_is_incomplete(self, endpoint: str, tmp_path: Path) -> None:
        with open_store(tmp_path / "s.db", create_missing=True) as store:
            store.ingest(AzureMLSource(str(RECORDS)))
            answer = audit(store, f"endpoint:{endpoint}")
        assert answer.verdict == "INCOMPLETE"
        assert "split-not-read" in set(answer.findings()["code"])

    def test_latest_stays_a_pointer(self) -> None:
        records, _ = read(str(RECORDS / "e2e-model-monitoring"), namespace="n")
        assert [cause for _, cause in relations(records, "deploys")] == ["model:n/credit-default-model~latest"]
