"""Real MLflow estates of thousands of runs, made in seconds.

MLflow itself creates the database and, through ``MlflowClient``, writes one team's project into it: an
experiment, preparation, training and evaluation runs with parameters, metrics, tags and dataset inputs, logged
models, and a registered model whose versions carry gates and aliases. Writing a large estate that way takes
the better part of an hour, so the project's rows are then copied by SQL, table by table, with ids and names of
their own: every row is one that MLflow wrote, but for its ids.

``python -m benchmarks.mlflow_estate FILE COPIES`` makes one. It runs in a process of its own, because MLflow
keeps its addresses and its open databases in module globals.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .report import ROOT

#: One project: this many runs and versions. 200 copies make 5,000 runs and 2,000 versions.
RUNS, VERSIONS = 25, 10
EDITION = 1
_FIRST = 1_760_000_000_000
_NAME = "project-000"


def estate(copies: int, folder: Path) -> Path:
    """The database of a size, made now or kept from last time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"mlflow-{EDITION}-{copies}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.mlflow_estate", str(part), str(copies)],
            cwd=ROOT,
            env=environment(),
            stdout=sys.stderr,
            check=True,
        )
        part.rename(path)
    return path


def environment() -> dict[str, str]:
    """An environment in which MLflow minds its own business."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return {
        **kept,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
    }


@contextlib.contextmanager
def served(database: Path, folder: Path) -> Iterator[str]:
    """A real tracking server on a free loopback port, ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    log = folder / "mlflow-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "mlflow",
                    "server",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    address.rpartition(":")[2],
                ),
                *("--backend-store-uri", f"sqlite:///{database}", "--workers", "1"),
                *("--default-artifact-root", str(folder / "artifacts")),
            ],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_answer(address, process, log)
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)  # the workers are in the session that we started
            process.wait(30)


def _await_answer(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/version", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the MLflow server did not come up:\n{log.read_text(errors='replace')[-2000:]}")


# --- making: runs in the other process --------------------------------------------------------------


def _project(path: Path) -> None:
    """One project, written by MLflow's client."""
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, Metric, Param

    uri = f"sqlite:///{path}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    chance = random.Random(1)
    experiment = client.create_experiment(_NAME, artifact_location=str(path.parent / "artifacts"))
    client.set_experiment_tag(experiment, "team", "growth")
    client.create_registered_model(_NAME, tags={"owner": "growth"}, description="Who leaves")

    def data(name: str, digest: str, role: str) -> DatasetInput:
        source, profile = json.dumps({"uri": f"s3://lake/{name}/{digest}.parquet"}), json.dumps({"num_rows": 12_000})
        return DatasetInput(
            dataset=Dataset(name=name, digest=digest, source_type="s3", source=source, profile=profile),
            tags=[InputTag("mlflow.data.context", role)],
        )

    def run(number: int, activity: str, inputs: list[DatasetInput], read: list[str], **tags: str) -> str:
        begun = _FIRST + number * 3_600_000
        made = client.create_run(
            experiment,
            run_name=f"{activity}-{number}",
            start_time=begun,
            tags={
                "mlflow.user": chance.choice(("ada", "mia", "tom")),
                "mlflow.source.name": "train.py",
                "mlflow.source.git.commit": f"{chance.getrandbits(160):040x}",
                "lineage.activity": activity,
                **tags,
            },
        )
        key = str(made.info.run_id)
        names = ("auc", "f1", "loss", "precision", "recall")
        client.log_batch(
            key,
            metrics=[Metric(name, chance.random(), begun + step, step) for name in names for step in range(3)],
            params=[Param(name, f"{chance.random():.4f}") for name in ("depth", "rate", "rounds", "seed", "subsample")],
        )
        client.log_inputs(key, inputs, models=[LoggedModelInput(model) for model in read])
        client.set_terminated(key, "FINISHED", end_time=begun + 1_800_000)
        return key

    prepared = 0
    for number in range(RUNS - 2 * VERSIONS):
        used, made = f"dataset:raw@{number}", f"dataset:customers@{number}"
        run(prepared, "transform", [], [], **{"lineage.used.input": used, "lineage.generated": made})
        prepared += 1
    for version in range(1, VERSIONS + 1):
        digest = f"{chance.getrandbits(32):08x}"
        trained = run(
            prepared + 2 * version,
            "training",
            [data("customers", digest, "training"), data("holdout", "5e5e5e5e", "validation")],
            [],
            **{"data.customers.version": str(version % 5)},
        )
        model = client.create_logged_model(
            experiment, name=f"m-{version}", source_run_id=trained, params={"depth": "7"}, model_type="sklearn"
        )
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(trained, [LoggedModelOutput(model.model_id, step=0)])
        judged = run(
            prepared + 2 * version + 1, "evaluation", [data("benchmark", "9a9a9a9a", "eval")], [model.model_id]
        )
        client.create_model_version(
            _NAME,
            f"models:/{model.model_id}",
            run_id=trained,
            model_id=model.model_id,
            tags={
                "gate.auc.status": "passed",
                "gate.auc.run_id": judged,
                "gate.auc.threshold": "auc >= 0.1",
                "gate.approval.status": "approved",
                "gate.approval.by": "person:mia",
                "gate.approval.at": "2025-11-01T00:00:00Z",
            },
        )
    client.set_registered_model_alias(_NAME, "champion", str(VERSIONS))


#: Tables whose whole rows belong to the project.
_COPIED = (
    "experiments",
    "experiment_tags",
    "runs",
    "params",
    "metrics",
    "latest_metrics",
    "tags",
    "datasets",
    "inputs",
    "input_tags",
    "logged_models",
    "logged_model_metrics",
    "logged_model_params",
    "logged_model_tags",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
)
_ID = re.compile(r"[0-9a-f]{32}|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def _multiply(path: Path, copies: int) -> None:
    from tqdm import tqdm

    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    first = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (_NAME,)).fetchone()[0]
    tables: list[tuple[str, list[Any], int | None]] = []
    for table in _COPIED:
        cursor = connection.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in cursor.description]
        place = columns.index("experiment_id") if "experiment_id" in columns else None
        rows = [row for row in cursor if place is None or row[place] == first]
        if rows:
            tables.append((table, rows, place))
    connection.execute("BEGIN")
    for copy in tqdm(range(1, copies), desc="copying projects", leave=False):
        chance = random.Random(copy)
        given: dict[str, str] = {}

        def fresh(found: re.Match[str], chance: random.Random = chance, given: dict[str, str] = given) -> str:
            old = found[0]
            if old not in given:
                new = uuid.UUID(int=chance.getrandbits(128))
                given[old] = str(new) if "-" in old else new.hex
            return given[old]

        for table, rows, place in tables:
            new_rows = []
            for row in rows:
                new = [
                    _ID.sub(fresh, cell).replace(_NAME, f"project-{copy:03d}") if isinstance(cell, str) else cell
                    for cell in row
                ]
                if place is not None:
                    new[place] = first + copy
                new_rows.append(new)
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', new_rows)
    connection.execute("COMMIT")
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the copied rows contradict each other: {broken[:3]}")
    connection.close()


def main() -> None:
    """Make one estate."""
    path, copies = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    _project(path)
    _multiply(path, copies)


if __name__ == "__main__":
    main()
