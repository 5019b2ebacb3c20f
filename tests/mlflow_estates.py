"""Real MLflow estates, built with the real package: what a team leaves behind.

They are built in a process of their own (``python -m tests.mlflow_estates``), because MLflow keeps its
addresses and its open databases in module globals, and a test must not inherit them.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineage_explorer.records import Activity, Entity, Evidence, Relation, digest_of, identity_of, to_json
from lineage_explorer.sources import Observation, Rejected
from lineage_explorer.sources.mlflow import MLflowSource

HOSTILE = "<img src=x onerror=alert(1)>"
SHA = "ab" * 32
ROOT = Path(__file__).parent.parent


class Estate:
    """An estate on disk, with the ids that tests ask for by name."""

    def __init__(self, folder: Path, ids: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.database = folder / "mlflow.db"
        self.ids = ids if ids is not None else {}


_built: list[Path] = []


def estate(parent: Path) -> Estate:
    """The estate that all tests of a session read."""
    folder = _made(parent) / "estate"
    return Estate(folder, json.loads((folder / "ids.json").read_text()))


def every_revision(parent: Path) -> Path:
    """A folder with one small database for each schema revision, ``<revision>.db``."""
    return _made(parent) / "revisions"


def _made(parent: Path) -> Path:
    """Both, built once a session and in one process: importing MLflow costs more than the building."""
    if not _built:
        command = [sys.executable, "-m", "tests.mlflow_estates", str(parent)]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the estates could not be built:\n{done.stderr[-3000:]}")
        _built.append(parent)
    return _built[0]


def environment() -> dict[str, str]:
    """An environment in which MLflow minds its own business."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return {
        **kept,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
    }


# --- reading ----------------------------------------------------------------------------------------


class Reading:
    """What a source said, with ways to find one record in it."""

    def __init__(self, location: str | Path, namespace: str = "x", *, since: Mapping[str, Any] | None = None) -> None:
        source = MLflowSource(str(location), namespace=namespace)
        # A cursor has been in a store: it comes back as JSON.
        self.items = list(source.read() if since is None else source.read_changes(json.loads(json.dumps(since))))
        self.cursor, self.enumerated = source.cursor, source.enumerated
        self.records = [item.record for item in self.items if isinstance(item, Observation)]
        self.rejected = [item for item in self.items if isinstance(item, Rejected)]

    def digests(self) -> Counter[tuple[str, str]]:
        """Position and digest of every record, reason of every rejection."""
        return Counter(
            (item.position, digest_of(item.record) if isinstance(item, Observation) else item.reason)
            for item in self.items
        )

    def said(self, part: str | None = None) -> set[tuple[str, str, str]]:
        """Part, identity and digest of every record; part, position and reason of every rejection."""
        return {
            (item.part, identity_of(to_json(item.record)), digest_of(item.record))
            if isinstance(item, Observation)
            else (item.part, item.position, item.reason)
            for item in self.items
            if part in (None, item.part)
        }

    def runs(self) -> set[str]:
        """Ids of the runs that were read."""
        return {record.ref.removeprefix("run:x/") for record in self.records if isinstance(record, Activity)}

    def entity(self, ref: str) -> Entity:
        """The entity of a reference."""
        (found,) = [record for record in self.records if isinstance(record, Entity) and record.ref == ref]
        return found

    def activity(self, run_id: str) -> Activity:
        """The activity of a run."""
        (found,) = [
            record for record in self.records if isinstance(record, Activity) and record.ref == f"run:x/{run_id}"
        ]
        return found

    def causes(self, effect: str, predicate: str) -> dict[str, Relation]:
        """Relations of an effect, by cause."""
        return {record.cause: record for record in self.relations(effect=effect, predicate=predicate)}

    def relations(self, **fields: str) -> list[Relation]:
        """Relations with these values."""
        return [
            record
            for record in self.records
            if isinstance(record, Relation) and all(getattr(record, name) == text for name, text in fields.items())
        ]

    def evidence(self, subject: str) -> dict[str, Evidence]:
        """Evidence about a subject, by gate."""
        return {
            record.gate: record for record in self.records if isinstance(record, Evidence) and record.subject == subject
        }


# --- changing a copy by hand ------------------------------------------------------------------------


def change(database: Path, statement: str, *parameters: Any) -> None:
    """Run one SQL statement that must change something."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute(statement, parameters).rowcount, statement


#: When the estate's runs had all ended, and a time by which they are long past.
OLD, YOUNG = 1_760_000_900_000, 1_761_000_000_000


def add_run(database: Path, run_id: str, ended: int | None, *, like: str, started: int | None = None) -> None:
    """Add a run, the row of another with an id and times of its own; it runs if it has no end."""
    change(
        database,
        """
        INSERT INTO runs (run_uuid, name, source_type, user_id, status, lifecycle_stage, artifact_uri, experiment_id,
                          start_time, end_time)
        SELECT ?, 'added', source_type, user_id, ?, 'active', artifact_uri, experiment_id, ?, ?
        FROM runs WHERE run_uuid = ?
        """,
        run_id,
        "RUNNING" if ended is None else "FINISHED",
        (ended or YOUNG) - 60_000 if started is None else started,
        ended,
        like,
    )


def read_data(database: Path, run_id: str, like: str) -> None:
    """Let a run read what another run read."""
    change(
        database,
        """
        INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id)
        SELECT input_uuid || ?, source_type, source_id, destination_type, ? FROM inputs
        WHERE source_type = 'DATASET' AND destination_id = ?
        """,
        run_id[:3],
        run_id,
        like,
    )


def tag_run(database: Path, run_id: str, **tags: str) -> None:
    """Set tags of a run; two underscores stand for a dot."""
    for key, value in tags.items():
        change(
            database,
            "INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
            key.replace("__", "."),
            value,
            run_id,
        )


def tag_version(database: Path, version: int, key: str, value: str, name: str = "churn") -> None:
    """Set a tag of a registered version."""
    change(
        database,
        "INSERT OR REPLACE INTO model_version_tags (key, value, name, version) VALUES (?, ?, ?, ?)",
        key,
        value,
        name,
        version,
    )


def plant(database: Path, run_id: str, secrets: Mapping[str, str]) -> None:
    """Leave secrets where users leave them: in parameters, tags, descriptions, sources and names."""
    for key, secret in secrets.items():
        tag_run(database, run_id, **{key: secret})
        tag_version(database, 1, key, secret)
        change(database, "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", key, secret, run_id)
        change(
            database,
            "INSERT INTO logged_model_params VALUES ((SELECT model_id FROM logged_models LIMIT 1), 1, ?, ?)",
            key,
            secret,
        )
    url = secrets["a_url"]
    change(database, "UPDATE registered_models SET description = ? WHERE name = 'churn-released'", url)
    change(
        database, "UPDATE model_versions SET source = ?, description = ? WHERE name = 'churn' AND version = 4", url, url
    )
    change(
        database,
        "UPDATE datasets SET dataset_source = ?, name = ? WHERE name = 'benchmark'",
        json.dumps({"uri": url}),
        url,
    )
    tag_version(database, 2, "gate.seen.evidence", url)
    tag_version(database, 2, "lineage.used.input", f"dataset:{url}")
    tag_run(database, run_id, lineage__used__input=f"dataset:{secrets['a_note'].split()[2]}@1")


# --- building: runs in the other process ------------------------------------------------------------


#: As MLflow's pandas datasets write them.
COLUMNS = {
    "mlflow_colspec": [
        {"type": "long", "name": "id", "required": True},
        {"type": "double", "name": "<b>fee</b>", "required": False},
    ]
}


def _dataset(mlflow: Any, name: str, digest: str, context: str, source: str, **tags: str) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(
        dataset=Dataset(
            name=name,
            digest=digest,
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=json.dumps({"num_rows": 12000}),
            schema=json.dumps(COLUMNS) if name == "customers" else "free text" if name == "holdout" else None,
        ),
        tags=[
            *([InputTag("mlflow.data.context", context)] if context else []),
            *(InputTag(key, value) for key, value in tags.items()),
        ],
    )


def build(folder: Path) -> None:
    """One estate with every construct that the source translates."""
    import mlflow
    import mlflow.data

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    (folder / "ids.json").write_text(json.dumps(_build(folder, mlflow).ids))


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
        lineage__activity="transform",
        lineage__used__input=f"dataset:raw_customers@sha256:{'cd' * 32}",
        lineage__generated=f"dataset:customers@sha256:{SHA} not-a-reference",
    )
    end(prepare, start=1)
    train = run(
        "train",
        start=2,
        **{
            "mlflow__parentRunId": sweep,
            "mlflow__source__git__commit": "1234567890abcdef1234567890abcdef12345678",
            "mlflow__source__git__repoURL": "https://user:hunter2@git.example.org/team/churn.git",
            "mlflow__source__git__dirty": "true",
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
        mlflow__linkedPrompts=json.dumps([{"name": "triage", "version": "1"}]),
        lineage__used__retrieval="index:kb@2026-09",
        lineage__used__base="base_model:gpt-4o@2024-08-06",
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
        lineage__activity="evaluation",
        lineage__used__evaluation="dataset:tickets@v1",
        lineage__used__subject="ai_agent:triage-agent@1",
    )
    client.log_metric(judge, "groundedness", 0.95, timestamp=1_760_000_800_000)
    end(judge, start=12)
    return estate


def build_revisions(folder: Path) -> None:
    """Rows written under the oldest schema, then migrated by MLflow's own Alembic scripts, one at a time."""
    import alembic.command
    import sqlalchemy
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    from lineage_explorer.sources.mlflow.revisions import KNOWN

    path = folder / "growing.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config: Any = _get_alembic_config(f"sqlite:///{path}")  # type: ignore[no-untyped-call]
    for revision in KNOWN:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, revision)
        engine.dispose()
        if revision == KNOWN[0]:
            _fill(path)
        shutil.copyfile(path, folder / f"{revision}.db")


def _fill(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            """
            INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'old', 'active');
            INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage,
                              experiment_id)
                VALUES ('r1', 'train', 'LOCAL', 'ada', 'FINISHED', 1000, 2000, 'active', 1);
            INSERT INTO params (key, value, run_uuid) VALUES ('depth', '7', 'r1');
            INSERT INTO latest_metrics VALUES ('auc', 0.9, 1500, 0, 0, 'r1');
            INSERT INTO tags (key, value, run_uuid) VALUES ('team', 'growth', 'r1');
            INSERT INTO datasets VALUES ('d1', 1, 'customers', '0a1b2c3d', 'local', '{}', '{}', '{}');
            INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id)
                VALUES ('i1', 'DATASET', 'd1', 'RUN', 'r1');
            INSERT INTO input_tags VALUES ('i1', 'mlflow.data.context', 'training');
            INSERT INTO registered_models (name, creation_time) VALUES ('churn', 1);
            INSERT INTO model_versions (name, version, creation_time, source, run_id, status, current_stage)
                VALUES ('churn', 1, 3000, '/artifacts/r1/model', 'r1', 'READY', 'Production');
            INSERT INTO model_version_tags (key, value, name, version)
                VALUES ('gate.auc.run_id', 'r1', 'churn', 1), ('gate.auc.threshold', 'auc > 0.8', 'churn', 1);
            INSERT INTO registered_model_aliases (alias, version, name) VALUES ('champion', 1, 'churn');
            """
        )


# --- serving ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(database: Path, folder: Path, processes: list[int] | None = None) -> Iterator[str]:
    """A real tracking server on a free loopback port; ended afterwards, with all its workers.

    ``processes`` receives the id of its process group, for a test that kills it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{database}", "--workers", "1"),
        *("--default-artifact-root", str(folder / "served")),
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=log, stderr=log, start_new_session=True
        )
        try:
            _await_answer(f"http://127.0.0.1:{port}/version", process, folder / "server.log")
            if processes is not None:
                processes.append(process.pid)
            yield f"http://127.0.0.1:{port}"
        finally:
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


Answer = tuple[int, bytes]
Interfere = Callable[[str, int], Answer | None]


@contextlib.contextmanager
def relayed(address: str, interfere: Interfere) -> Iterator[str]:
    """A relay in front of a server. ``interfere(path, count)`` may answer instead; status 0 hangs up."""
    count = 0

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._relay(None)

        def do_POST(self) -> None:
            self._relay(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _relay(self, body: bytes | None) -> None:
            nonlocal count
            count += 1
            answer = interfere(self.path, count)
            if answer is None:
                request = urllib.request.Request(
                    address + self.path, data=body, headers={"Content-Type": "application/json"}
                )
                try:
                    with urllib.request.urlopen(request, timeout=30) as reply:
                        answer = reply.status, reply.read()
                except urllib.error.HTTPError as error:
                    with error:
                        answer = error.code, error.read()
            if answer[0]:
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    for name, make in (("estate", build), ("revisions", build_revisions)):
        (Path(sys.argv[1]) / name).mkdir()
        make(Path(sys.argv[1]) / name)
