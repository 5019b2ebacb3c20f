"""Real MLflow estates, built at test time with the real package: what a team leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOSTILE = "<img src=x onerror=alert(1)>"
SHA = "ab" * 32


def quiet_mlflow() -> Any:
    """The mlflow package, imported with its telemetry and its chatter off."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    import logging
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.data

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
    return mlflow


class Estate:
    """An estate on disk, with the ids that tests ask for by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mlflow.db"
        self.ids: dict[str, str] = {}


def _dataset(mlflow: Any, name: str, digest: str, context: str, source: str, **tags: str) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(
        dataset=Dataset(
            name=name,
            digest=digest,
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=json.dumps({"num_rows": 12000}),
        ),
        tags=[
            *([InputTag("mlflow.data.context", context)] if context else []),
            *(InputTag(key, value) for key, value in tags.items()),
        ],
    )


def build(folder: Path) -> Estate:
    """One estate with every construct that the source translates."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = quiet_mlflow()
        # The registry looks logged models up through the global address.
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        try:
            return _build(folder, mlflow)
        finally:
            mlflow.set_tracking_uri(None)


def _build(folder: Path, mlflow: Any) -> Estate:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric, Param

    estate = Estate(folder)
    ids = estate.ids
    uri = f"sqlite:///{estate.database}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    churn = client.create_experiment("churn", artifact_location=str(folder / "artifacts"))
    client.set_experiment_tag(churn, "team", "growth")
    old = client.create_experiment("abandoned", artifact_location=str(folder / "artifacts"))
    ids |= {"experiment": churn, "deleted_experiment": old}

    def run(name: str, experiment: str = churn, start: int = 0, user: str = "ada", **tags: str) -> str:
        made = client.create_run(
            experiment,
            run_name=name,
            start_time=1_760_000_000_000 + start * 60_000,
            tags={"mlflow.user": user, **{key.replace("__", "."): value for key, value in tags.items()}},
        )
        ids[name] = made.info.run_id
        return str(made.info.run_id)

    def end(run_id: str, status: str = "FINISHED", start: int = 0) -> None:
        client.set_terminated(run_id, status, end_time=1_760_000_030_000 + start * 60_000)

    def model(name: str, run_id: str | None, experiment: str = churn, **tags: str) -> str:
        made = client.create_logged_model(
            experiment,
            name=name,
            source_run_id=run_id,
            tags=tags,
            params={"depth": "7"},
            model_type="sklearn",
        )
        client.finalize_logged_model(made.model_id, "READY")
        if run_id:
            client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
        ids[name] = made.model_id
        return str(made.model_id)

    # Preparation, then training in a nested run.
    sweep = run("sweep")
    prepare = run(
        "prepare",
        start=1,
        lineage__activity="transform", lineage__used__input=f"dataset:raw_customers@sha256:{'cd' * 32}", lineage__generated=f"dataset:customers@sha256:{SHA} not-a-reference",
    )
    end(prepare, start=1)
    train = run(
        "train",
        start=2,
        **{
            "mlflow__parentRunId": sweep,
            "mlflow__source__git__commit": "1234567890abcdef1234567890abcdef12345678",
            "mlflow__source__git__repoURL": "https://user:hunter2@git.example.org/team/churn.git",
            "mlflow__log-model__history": "[{not json",
            "mlflow__note__content": "the one that went to production",
            "data__customers__sha256": SHA,
        },
    )
    client.log_inputs(
        train,
        [
            _dataset(mlflow, "customers", "0a1b2c3d", "training", "s3://bucket/customers.parquet"),
            _dataset(
                mlflow,
                "holdout",
                "99999999",
                "validation",
                "s3://bucket/holdout.parquet?sig=topsecret",
                **{
                    "data.version": "2026-07",
                },
            ),
        ],
    )
    first = model("m-first", train)
    second = model("m-second", train)
    client.log_batch(
        train,
        metrics=[Metric("loss", 0.5 - step / 10, 1_760_000_125_000 + step, step) for step in range(3)],
        params=[Param("depth", "7"), Param("api_key", "abc"), Param("max_tokens", "256")],
    )
    client.log_metric(train, "weird", float("nan"))
    client.log_metric(train, "huge", float("inf"))
    client.log_metric(train, "long", 2.0**63)
    end(train, start=2)
    end(sweep, start=3)

    # Evaluation of the first model, measured twice; then a later, worse number.
    evaluate = run("evaluate", start=4, user="mia")
    holdout = _dataset(mlflow, "benchmark", "5e5e5e5e", "eval", "s3://bucket/benchmark.parquet")
    client.log_inputs(evaluate, [holdout], models=[LoggedModelInput(first)])
    for value, when in ((0.79, 1_760_000_240_000), (0.91, 1_760_000_250_000)):
        client.log_metric(
            evaluate,
            "auc",
            value,
            timestamp=when,
            step=0,
            model_id=first,
            dataset_name="benchmark",
            dataset_digest="5e5e5e5e",
        )
    client.log_metric(evaluate, "auc", 0.55, timestamp=1_770_000_000_000, step=1)
    client.log_metric(evaluate, "latency", 12.0, timestamp=1_760_000_255_000)
    end(evaluate, start=4)
    silent = run("silent-evaluation", start=5)
    client.log_inputs(silent, [holdout], models=[LoggedModelInput(second)])
    client.log_metric(silent, "f1", 0.7, timestamp=1_760_000_300_000)
    end(silent, start=5)

    # Things that went wrong or away.
    failed = run("failed-write", start=6, lineage__generated="dataset:customers@2026-08")
    end(failed, "FAILED", start=6)
    gone = run("gone", start=7)
    client.log_inputs(gone, [_dataset(mlflow, "customers", "0a1b2c3d", "training", "somewhere/else.csv")])
    end(gone, start=7)
    client.delete_run(gone)
    abandoned = run("abandoned-run", experiment=old, start=8)
    end(abandoned, start=8)
    client.delete_experiment(old)
    run("still-running", start=9)
    hostile = run(HOSTILE, start=10, note=HOSTILE, mlflow__linkedPrompts='[{"name": NaN}]')
    client.log_inputs(hostile, [_dataset(mlflow, HOSTILE, "digest with space", "", "x")])
    end(hostile, start=10)
    doomed = model("m-doomed", train)
    client.delete_logged_model(doomed)

    # The registry.
    client.create_registered_model(
        "churn", tags={"owner": "growth", "gate.review.status": "passed"}, description="Who leaves"
    )
    version = client.create_model_version(
        "churn",
        f"models:/{first}",
        run_id=train,
        model_id=first,
        tags={
            "gate.auc.status": "passed",
            "gate.auc.run_id": evaluate,
            "gate.auc.threshold": "auc >= 0.80",
            "gate.auc.at": "2025-10-10T00:00:00Z",
            "gate.auc.by": "person:mia",
            "gate.lying.status": "passed",
            "gate.lying.run_id": evaluate,
            "gate.lying.threshold": "auc >= 0.95",
            "gate.lying.at": "2025-10-10T00:00:00Z",
            "gate.latency.run_id": evaluate,
            "gate.latency.threshold": "< 100",
            "gate.approval.status": "Approved",
            "gate.approval.by": "mia",
            "gate.approval.at": "2025-10-10",
            "gate.safety.status": "looks fine",
            "gate.safety.evidence": "https://reports.example.org/1?sig=topsecret",
            "smoke_test": "Approved",
            "legal": "Pending",
            "deploy.churn-prod.status": "production",
            "deploy.churn-prod.at": "2025-11-01T00:00:00Z",
        },
        description="first",
    )
    client.set_registered_model_alias("churn", "champion", version.version)
    client.transition_model_version_stage("churn", version.version, "Production")
    client.create_model_version(
        "churn",
        f"models:/{second}",
        run_id=train,
        model_id=second,
        tags={
            "deploy.churn-prod.status": "retired",
            "deploy.churn-prod.at": "2025-11-01T00:00:00Z",
            "gate.borrowed.run_id": "0" * 32,
            "gate.borrowed.threshold": "auc > 0.5",
            "gate.borrowed.status": "passed",
        },
    )
    deleted = client.create_model_version(
        "churn", str(folder / "artifacts" / "old"), run_id=train, tags={"legal": "Approved"}
    )
    client.delete_model_version("churn", deleted.version)
    client.create_model_version("churn", str(folder / "artifacts" / "plain"), run_id="f" * 32)
    client.create_registered_model("churn-released")
    client.copy_model_version("models:/churn/1", "churn-released")
    client.copy_model_version("models:/churn-released/1", "churn-archived")
    client.create_registered_model(HOSTILE)
    client.create_model_version(HOSTILE, "", None)

    # A GenAI agent with its prompt.
    prompt = client.register_prompt("triage", "Classify {{ ticket }}", commit_message="start", tags={"tone": "calm"})
    client.set_prompt_alias("triage", "live", prompt.version)
    build_run = run(
        "build-agent",
        start=11,
        mlflow__linkedPrompts=json.dumps([{"name": "triage", "version": "1"}]), lineage__used__retrieval="index:kb@2026-09", lineage__used__base="base_model:gpt-4o@2024-08-06",
    )
    end(build_run, start=11)
    agent = model("m-agent", build_run)
    client.create_registered_model("triage-agent")
    client.create_model_version(
        "triage-agent",
        f"models:/{agent}",
        run_id=build_run,
        model_id=agent,
        tags={
            "lineage.kind": "ai_agent",
            "lineage.used.prompt": "prompt:triage@1",
        },
    )
    client.set_registered_model_alias("triage-agent", "live", "1")
    judge = run(
        "judge",
        start=12,
        lineage__activity="evaluation", lineage__used__evaluation="dataset:tickets@v1", lineage__used__subject="ai_agent:triage-agent@1",
    )
    client.log_metric(judge, "groundedness", 0.95, timestamp=1_760_000_800_000)
    end(judge, start=12)
    return estate


@contextlib.contextmanager
def served(database: Path, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A real tracking server on a free loopback port; ended afterwards, with all its workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{database}", "--workers", "1"),
        *("--default-artifact-root", str(folder / "served")),
    ]
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _await_answer(f"http://127.0.0.1:{port}/version", process, folder / "server.log")
            yield f"http://127.0.0.1:{port}", process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers in its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def _await_answer(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(address, timeout=2).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the MLflow server did not come up:\n{log.read_text(errors='replace')[-3000:]}")
