"""Histories of a registry on a real MLflow server, read again and again while its aliases move and its versions come and go."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import open_store
from lineage_explorer.records import format_instant, parse_instant
from lineage_explorer.sources.mlflow import MLflowSource
from lineage_explorer.store import Store
from lineage_explorer.version_history import History, history
from tests.mlflow_estates import served


class Registry:
    """What a team does to a registry, over the server's REST interface."""

    def __init__(self, address: str) -> None:
        self._address = address

    def call(self, path: str, method: str = "POST", **fields: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._address}/api/2.0/mlflow/{path}",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return dict(json.loads(reply.read() or b"{}"))

    def train(self, strength: str, auc: float) -> str:
        """A run that reads data and logs a parameter and a metric."""
        run = self.call("runs/create", experiment_id="0", start_time=1_760_000_000_000, run_name=f"train-{strength}")
        run_id = str(run["run"]["info"]["run_id"])
        self.call("runs/log-parameter", run_id=run_id, key="C", value=strength)
        self.call("runs/log-metric", run_id=run_id, key="auc", value=auc, timestamp=1_760_000_000_000)
        data = {
            "name": "customers",
            "digest": strength,
            "source_type": "local",
            "source": "{}",
            "profile": '{"num_rows": 9}',
        }
        told = [{"key": "mlflow.data.context", "value": "training"}]
        self.call("runs/log-inputs", run_id=run_id, datasets=[{"dataset": data, "tags": told}])
        self.call("runs/update", run_id=run_id, status="FINISHED", end_time=1_760_000_060_000)
        return run_id

    def champion(self, version: int) -> None:
        self.call("registered-models/alias", name="churn", alias="champion", version=str(version))


class Played:
    """A store that read the registry five times, and when it did."""

    def __init__(self, store: Store, observed: list[str]) -> None:
        self.store, self.observed = store, observed
        self.found = history(store, "churn")

    def events(self, version: int) -> list[tuple[int | None, int, str, str]]:
        """What happened to a version: the numbers of the readings between which it did, the kind, and the words."""
        return [
            (self.reading(row["earliest"]), self.reading(row["at"]) or 0, row["kind"], row["text"])
            for row in self.found.to_dict()["events"]
            if row["ref"] == f"model:reg/churn@{version}"
        ]

    def reading(self, instant: str | None) -> int | None:
        """The number of a reading; 0 for a date that the registry itself states."""
        if instant is None:
            return None
        return self.observed.index(instant) + 1 if instant in self.observed else 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("registry")
    database = folder / "mlflow.db"
    with served(database, folder) as address, open_store(folder / "lineage.db", create_missing=True) as store:
        registry = Registry(address)

        def read() -> None:
            store.ingest(MLflowSource(address, namespace="reg"))

        runs = [registry.train("1", 0.7), registry.train("2", 0.8)]
        registry.call("registered-models/create", name="churn")
        for run in runs:
            registry.call("model-versions/create", name="churn", source=f"runs:/{run}/model", run_id=run)
        registry.champion(1)
        read()
        registry.champion(2)
        stage: dict[str, Any] = {"name": "churn", "version": "1", "archive_existing_versions": False}
        registry.call("model-versions/transition-stage", **stage, stage="Archived")
        read()
        registry.champion(1)
        registry.call("model-versions/delete", "DELETE", name="churn", version="2")
        read()
        # MLflow has no call that brings a version back, and gives its number to no other: an administrator puts
        # back what the backup held. A stage can be taken back by anybody.
        change(database, "UPDATE model_versions SET current_stage = 'None', status_message = NULL WHERE version = 2")
        registry.call("model-versions/transition-stage", **stage, stage="Staging")
        read()
        registry.call("model-versions/delete", "DELETE", name="churn", version="2")
        registry.call("model-versions/create", name="churn", source=f"runs:/{runs[0]}/model", run_id=runs[0])
        read()
        observed = [when.isoformat() for when in store.syncs()["observed_at"]]
        yield Played(store, [history_text(when) for when in observed])


def change(database: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        assert connection.execute(statement).rowcount


def history_text(when: str) -> str:
    """An instant as documents write it."""
    return format_instant(parse_instant(when))


def version_of(found: History, version: int) -> dict[str, Any]:
    return dict(found.to_dict()["versions"][version - 1])


def test_what_happened_between_two_readings_of_a_server_is_told_with_both(played: Played) -> None:
    assert played.events(1) == [
        (0, 0, "registered", "registered"),
        (None, 1, "stage", "alias champion points at it"),
        (1, 2, "stage", "alias champion no longer points at it"),
        (1, 2, "archived", "stage Archived"),
        (2, 3, "stage", "alias champion points at it again"),
        (3, 4, "restored", "no longer archived, stage Staging"),
    ]
    assert played.events(2) == [
        (0, 0, "registered", "registered"),
        (1, 2, "stage", "alias champion points at it"),
        (2, 3, "stage", "alias champion no longer points at it"),
        (2, 3, "deleted", "no longer in its source"),
        (3, 4, "restored", "its source shows it again"),
        (4, 5, "deleted", "no longer in its source"),
    ]
    # The number of what was deleted is never given again.
    assert played.events(3) == [(0, 0, "registered", "registered")]


def test_what_a_server_tells_of_versions_stays_when_it_tells_it_no_more(played: Played) -> None:
    found: History = played.found
    frame = found.table().set_index("version")
    assert frame["here"].tolist() == [True, False, True]
    assert frame["stage"].tolist() == ["staging", "deleted", "none"]
    assert (frame.loc["2", "params.C"], frame.loc["2", "metrics.auc"]) == ("2", 0.8)
    assert played.reading(version_of(found, 2)["gone_at"]) == 5
    assert [row["rows"] for row in version_of(found, 2)["data"]] == [9]
    assert found.complete
    # As of the third reading the second version was away for the first time.
    then = history(played.store, "churn", as_of=played.observed[2]).table().set_index("version")
    assert then["here"].tolist() == [True, False]
    then = history(played.store, "churn", as_of=played.observed[3]).table().set_index("version")
    assert then["here"].tolist() == [True, True]
