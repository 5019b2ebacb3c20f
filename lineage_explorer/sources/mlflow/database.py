"""Rows of an ``mlflow.db`` file, by plain SQL on a read-only connection; MLflow is not imported.

Rows are fetched in chunks, each its own short read: a connection that stayed inside one long read would
keep the user's own MLflow from committing.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any, ClassVar

from ...errors import SourceError, SourceUnavailable, UnsupportedVersion
from .opening import TABLES, ReadOnly
from .revisions import KNOWN
from .rows import (
    Asked,
    DatasetInput,
    Experiment,
    LoggedModel,
    MetricPoint,
    ModelMetric,
    RegisteredModel,
    Run,
    Selection,
    Unreadable,
    Version,
    newest,
)

# One SQL variable per id: SQLite before 3.32 allows 999 of them.
_CHUNK = 900
_MODEL_STATUS = {0: "UNSPECIFIED", 1: "PENDING", 2: "READY", 3: "FAILED"}

Row = tuple[Any, ...]


class DatabaseRows:
    """Reads one file; :class:`~.rows.Rows` says what each method yields."""

    kind: ClassVar[str] = "file"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = ReadOnly(path)
        self._connection = self._opened.connection
        try:
            self._columns = self._read_columns()
            self.revision = self._known_revision()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()

    # --- SQL ------------------------------------------------------------------------------------

    def _all(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            try:
                return self._connection.execute(statement, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                # Somebody wrote bytes that are not UTF-8. From here on they show as \xNN; decoding
                # in Python is slower, so it starts only when it is needed.
                self._connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
                return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise SourceUnavailable(f"{str(self._path)!r} could not be read to its end: {error}") from error
        except sqlite3.DatabaseError as error:
            raise SourceError(f"{str(self._path)!r} is damaged: {error}") from error

    def _read_columns(self) -> dict[str, set[str]]:
        statement = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        columns: dict[str, set[str]] = defaultdict(set)
        for table, column in self._all(statement):
            columns[table].add(column)
        return columns

    def _known_revision(self) -> str:
        if not self._columns.keys() >= TABLES:
            missing = ", ".join(sorted(TABLES - self._columns.keys()))
            raise SourceError(f"{str(self._path)!r} is a SQLite database, but not MLflow's: it has no table {missing}")
        found = [str(row[0]) for row in self._all("SELECT version_num FROM alembic_version")]
        if len(found) == 1 and found[0] in KNOWN:
            return found[0]
        raise UnsupportedVersion(
            f"{str(self._path)!r} has the schema revision {', '.join(map(repr, found)) or 'none'}, which this "
            f"version does not know (known: {KNOWN[0]} of MLflow 2.4 to {KNOWN[-1]} of MLflow 3.17). "
            f"Serve it with the MLflow that wrote it, mlflow server --backend-store-uri sqlite:///{self._path}, "
            "and give the server's address instead"
        )

    def _select(self, table: str, columns: str, where: str = "", parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a table; a column or table that this revision lacks reads as NULL or as empty."""
        if table not in self._columns:
            return []
        have = self._columns[table] | {"rowid"}
        listed = ", ".join(f'"{name}"' if name in have else "NULL" for name in columns.split())
        return self._all(f'SELECT {listed} FROM "{table}" {where}', parameters)  # noqa: S608 - names are constants

    def _chunks(self, table: str, columns: str) -> Iterator[list[Row]]:
        last = -1
        while True:
            rows = self._select(table, f"rowid {columns}", "WHERE rowid > ? ORDER BY rowid LIMIT ?", (last, _CHUNK))
            if not rows:
                return
            last = rows[-1][0]
            yield [row[1:] for row in rows]

    def _chosen(self, chosen: Selection) -> set[str]:
        since, own = chosen.since, self._columns["runs"]
        where = "WHERE end_time >= ? OR start_time >= ? OR status IN ('RUNNING', 'SCHEDULED')"
        if deletions := "deleted_time" in own:
            where += " OR deleted_time >= ?"
        rows = self._select("runs", "run_uuid", where, (since,) * (3 if deletions else 2))
        # A gate that was written on a finished run moves no time; the key of this table begins with the tag.
        rows += self._select("tags", "run_uuid", "WHERE \"key\" >= 'gate.' AND \"key\" < 'gate/'")
        for experiments in _batches(sorted(chosen.experiments)):
            rows += self._within("runs", "run_uuid", "experiment_id", experiments)
        return {row[0] for row in rows}.union(*chosen.runs.values())

    def _chosen_chunks(self, columns: str, chosen: Selection) -> Iterator[list[Row]]:
        places = [
            row
            for ids in _batches(sorted(self._chosen(chosen), key=str))
            for row in self._within("runs", "rowid", "run_uuid", ids)
        ]
        # In the order of the whole read, so that what many runs say first is said by the same one.
        for found in _batches(sorted(row[0] for row in places)):
            marks = ",".join("?" * len(found))
            yield self._select("runs", columns, f"WHERE rowid IN ({marks}) ORDER BY rowid", found)

    def _within(self, table: str, columns: str, key: str, ids: Sequence[Any], also: str = "") -> list[Row]:
        marks = ",".join("?" * len(ids))
        return self._select(table, columns, f'WHERE "{key}" IN ({marks}) {also}', ids)

    def _pairs(self, table: str, columns: str, key: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for owner, name, value in self._within(table, columns, key, ids):
            found[owner][_text(name)] = _text(value)
        return found

    # --- rows -----------------------------------------------------------------------------------

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        """Active and deleted experiments."""
        columns = "experiment_id name lifecycle_stage creation_time last_update_time workspace"
        for rows in self._chunks("experiments", columns):
            tags = self._pairs("experiment_tags", "experiment_id key value", "experiment_id", [row[0] for row in rows])
            for key, name, stage, created, updated, workspace in rows:
                yield Experiment(
                    str(key),
                    _within_workspace(workspace, name),
                    _text(stage),
                    _whole(created),
                    _whole(updated),
                    tags.get(key, {}),
                )

    def registered_models(self) -> Iterator[RegisteredModel | Unreadable]:
        """Models and prompts of the registry, with their aliases."""
        tags: dict[Row, dict[str, str]] = defaultdict(dict)
        aliases: dict[Row, dict[str, str]] = defaultdict(dict)
        for workspace, name, key, value in self._select("registered_model_tags", "workspace name key value"):
            tags[workspace, name][_text(key)] = _text(value)
        for workspace, name, alias, version in self._select("registered_model_aliases", "workspace name alias version"):
            aliases[workspace, name][_text(alias)] = str(version)
        columns = "workspace name creation_time last_updated_time description"
        for rows in self._chunks("registered_models", columns):
            for workspace, name, created, updated, description in rows:
                yield RegisteredModel(
                    _within_workspace(workspace, name),
                    _whole(created),
                    _whole(updated),
                    _text(description),
                    tags.get((workspace, name), {}),
                    aliases.get((workspace, name), {}),
                )

    def versions(self) -> Iterator[Version | Unreadable]:
        """Versions of models and prompts, the redacted shells of deleted ones too."""
        columns = "workspace name version creation_time last_updated_time description user_id current_stage source run_id status"
        for rows in self._chunks("model_versions", columns):
            tags: dict[Row, dict[str, str]] = defaultdict(dict)
            for *owner, key, value in self._within(
                "model_version_tags", "workspace name version key value", "name", sorted({row[1] for row in rows})
            ):
                tags[tuple(owner)][_text(key)] = _text(value)
            for workspace, name, version, created, updated, description, user, stage, source, run_id, status in rows:
                yield Version(
                    _within_workspace(workspace, name),
                    str(version),
                    _whole(created),
                    _whole(updated),
                    _text(description),
                    _text(user),
                    _text(stage),
                    _text(source),
                    _text(run_id),
                    _text(status),
                    "" if workspace in (None, "default") else _text(workspace),
                    tags.get((workspace, name, version), {}),
                )

    def logged_models(self, experiments: Iterable[str]) -> Iterator[LoggedModel | Unreadable]:  # noqa: ARG002
        """Logged models, the deleted too."""
        columns = (
            "model_id experiment_id name status lifecycle_stage creation_timestamp_ms last_updated_timestamp_ms "
            "source_run_id model_type"
        )
        for rows in self._chunks("logged_models", columns):
            ids = [row[0] for row in rows]
            params = self._pairs("logged_model_params", "model_id param_key param_value", "model_id", ids)
            tags = self._pairs("logged_model_tags", "model_id tag_key tag_value", "model_id", ids)
            metrics = self._model_metrics(ids)
            for key, experiment, name, status, stage, created, updated, run_id, model_type in rows:
                yield LoggedModel(
                    _text(key),
                    str(experiment),
                    _text(name),
                    _MODEL_STATUS.get(status, str(status)),
                    _text(stage),
                    _whole(created),
                    _whole(updated),
                    _text(run_id),
                    _text(model_type),
                    params.get(key, {}),
                    tags.get(key, {}),
                    newest(metrics.get(key, [])),
                )

    def _model_metrics(self, ids: Sequence[str]) -> dict[str, list[ModelMetric]]:
        columns = "model_id metric_name run_id metric_step metric_timestamp_ms metric_value dataset_name dataset_digest"
        found: dict[str, list[ModelMetric]] = defaultdict(list)
        for key, name, run_id, step, timestamp, value, dataset, digest in self._within(
            "logged_model_metrics", columns, "model_id", ids
        ):
            point = _point(step, timestamp, value, value is None)
            found[key].append(ModelMetric(_text(name), _text(run_id), point, _text(dataset), _text(digest)))
        return found

    def runs(
        self,
        experiments: Iterable[str],  # noqa: ARG002
        asked: Set[str],  # noqa: ARG002
        chosen: Selection | None = None,
    ) -> Iterator[Run | Unreadable]:
        """Active and deleted runs, or the chosen ones, with what they read and wrote."""
        columns = "run_uuid experiment_id name user_id status lifecycle_stage start_time end_time"
        for rows in self._chunks("runs", columns) if chosen is None else self._chosen_chunks(columns, chosen):
            ids = [row[0] for row in rows]
            params = self._pairs("params", "run_uuid key value", "run_uuid", ids)
            tags = self._pairs("tags", "run_uuid key value", "run_uuid", ids)
            metrics: dict[str, dict[str, MetricPoint]] = defaultdict(dict)
            for run_id, key, step, timestamp, value, is_nan in self._within(
                "latest_metrics", "run_uuid key step timestamp value is_nan", "run_uuid", ids
            ):
                metrics[run_id][_text(key)] = _point(step, timestamp, value, is_nan)
            datasets = self._dataset_inputs(ids)
            read = self._models_of("RUN_INPUT", "MODEL_INPUT", ids)
            written = self._models_of("RUN_OUTPUT", "MODEL_OUTPUT", ids)
            for key, experiment, name, user, status, stage, started, ended in rows:
                own = tags.get(key, {})
                yield Run(
                    _text(key),
                    str(experiment),
                    _text(name) or own.get("mlflow.runName", ""),
                    _text(user),
                    _text(status),
                    _text(stage),
                    _whole(started),
                    _whole(ended),
                    params.get(key, {}),
                    metrics.get(key, {}),
                    own,
                    datasets.get(key, []),
                    read.get(key, []),
                    written.get(key, []),
                )

    def _models_of(self, source: str, destination: str, ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        also = f"AND source_type = '{source}' AND destination_type = '{destination}' ORDER BY destination_id"
        for run_id, model_id in self._within("inputs", "source_id destination_id", "source_id", ids, also):
            found[run_id].append(_text(model_id))
        return found

    def _dataset_inputs(self, ids: Sequence[str]) -> dict[str, list[DatasetInput]]:
        if "inputs" not in self._columns or "datasets" not in self._columns:
            return {}
        marks = ",".join("?" * len(ids))
        statement = f"""
            SELECT i.input_uuid, i.destination_id, d.name, d.digest, d.dataset_source_type, d.dataset_source,
                   d.dataset_profile, d.dataset_schema
            FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
            WHERE i.destination_type = 'RUN' AND i.source_type = 'DATASET' AND i.destination_id IN ({marks})
            ORDER BY d.name, d.digest"""  # noqa: S608 - only question marks are put in
        rows = self._all(statement, ids)
        tags: dict[str, dict[str, str]] = {}
        for start in range(0, len(rows), _CHUNK):
            inputs = [row[0] for row in rows[start : start + _CHUNK]]
            tags.update(self._pairs("input_tags", "input_uuid name value", "input_uuid", inputs))
        found: dict[str, list[DatasetInput]] = defaultdict(list)
        for input_id, run_id, *fields in rows:
            name, digest, source_type, source, profile, schema = map(_text, fields)
            own = tags.get(input_id, {})
            found[run_id].append(DatasetInput(name, digest, source_type, source, profile, schema, own))
        return found

    def metric_history(self, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], MetricPoint]]:
        """Every point of these (run id, metric name) pairs."""
        for run_id, key in wanted:
            for step, timestamp, value, is_nan in self._select(
                "metrics", "step timestamp value is_nan", 'WHERE run_uuid = ? AND "key" = ?', (run_id, key)
            ):
                yield (run_id, key), _point(step, timestamp, value, is_nan)

    def model_inputs(self, again: Set[str]) -> dict[str, Asked]:  # noqa: ARG002
        """Nothing: here they cost no more than the rest."""
        return {}


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _whole(value: Any) -> int | None:
    # SQLite columns hold any type, whatever they were declared as.
    return value if isinstance(value, int) else None


def _point(step: Any, timestamp: Any, value: Any, is_nan: Any) -> MetricPoint:
    number = float("nan") if is_nan or not isinstance(value, (int, float)) else float(value)
    return MetricPoint(_whole(step) or 0, _whole(timestamp) or 0, number)


def _within_workspace(workspace: Any, name: Any) -> str:
    # Names are unique within a workspace only (MLflow 3.10); the default one needs no mention.
    return _text(name) if workspace in (None, "default") else f"{_text(workspace)}/{_text(name)}"
