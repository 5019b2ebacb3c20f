"""The REST API's JSON as rows. Each function raises when a reply is not as MLflow documents it."""

from __future__ import annotations

from typing import Any

from .rows import (
    DatasetInput,
    Experiment,
    LoggedModel,
    MetricPoint,
    ModelMetric,
    RegisteredModel,
    Run,
    Version,
    newest,
)

Json = dict[str, Any]


def experiment(raw: Json) -> Experiment:
    """An experiment."""
    return Experiment(
        str(raw["experiment_id"]),
        _text(raw.get("name")),
        _text(raw.get("lifecycle_stage")),
        _whole(raw.get("creation_time")),
        _whole(raw.get("last_update_time")),
        _pairs(raw.get("tags")),
    )


def registered_model(raw: Json) -> RegisteredModel:
    """A registered name with its aliases."""
    return RegisteredModel(
        _named(raw),
        _whole(raw.get("creation_timestamp")),
        _whole(raw.get("last_updated_timestamp")),
        _text(raw.get("description")),
        _pairs(raw.get("tags")),
        {_text(item["alias"]): str(item["version"]) for item in raw.get("aliases") or ()},
    )


def version(raw: Json) -> Version:
    """A version of a registered name."""
    return Version(
        _named(raw),
        str(raw["version"]),
        _whole(raw.get("creation_timestamp")),
        _whole(raw.get("last_updated_timestamp")),
        _text(raw.get("description")),
        _text(raw.get("user_id")),
        _text(raw.get("current_stage")),
        _text(raw.get("source")),
        _text(raw.get("run_id")),
        _text(raw.get("status")),
        tags=_pairs(raw.get("tags")),
    )


def logged_model(raw: Json) -> LoggedModel:
    """A logged model with its newest metrics."""
    info, data = raw["info"], raw.get("data") or {}
    return LoggedModel(
        str(info["model_id"]),
        str(info["experiment_id"]),
        _text(info.get("name")),
        _text(info.get("status")).removeprefix("LOGGED_MODEL_"),
        "active",
        _whole(info.get("creation_timestamp_ms")),
        _whole(info.get("last_updated_timestamp_ms")),
        _text(info.get("source_run_id")),
        _text(info.get("model_type")),
        _pairs(data.get("params")),
        _pairs(info.get("tags")),
        newest(
            ModelMetric(
                _text(item["key"]),
                _text(item.get("run_id")),
                point(item),
                _text(item.get("dataset_name")),
                _text(item.get("dataset_digest")),
            )
            for item in data.get("metrics") or ()
        ),
    )


def run(raw: Json) -> Run:
    """A run; a search leaves out the logged models it read."""
    info, data = raw["info"], raw.get("data") or {}
    tags = _pairs(data.get("tags"))
    given = raw.get("inputs") or {}
    return Run(
        str(info.get("run_id") or info["run_uuid"]),
        str(info["experiment_id"]),
        _text(info.get("run_name")) or tags.get("mlflow.runName", ""),
        _text(info.get("user_id")),
        _text(info.get("status")),
        _text(info.get("lifecycle_stage")),
        _whole(info.get("start_time")),
        _whole(info.get("end_time")),
        _pairs(data.get("params")),
        {_text(item["key"]): point(item) for item in data.get("metrics") or ()},
        tags,
        sorted(map(_dataset_input, given.get("dataset_inputs") or ()), key=lambda row: (row.name, row.digest)),
        sorted(model_ids(given, "model_inputs")),
        sorted(model_ids(raw.get("outputs"), "model_outputs")),
    )


def _dataset_input(raw: Json) -> DatasetInput:
    dataset = raw["dataset"]
    return DatasetInput(
        _text(dataset["name"]),
        _text(dataset.get("digest")),
        _text(dataset.get("source_type")),
        _text(dataset.get("source")),
        _text(dataset.get("profile")),
        _pairs(raw.get("tags")),
    )


def model_ids(raw: Json | None, key: str) -> list[str]:
    """The logged models that a run read or wrote."""
    return [str(item["model_id"]) for item in (raw or {}).get(key) or ()]


def point(raw: Json) -> MetricPoint:
    """A metric point."""
    # A value that is no number travels as the text "NaN".
    return MetricPoint(_whole(raw.get("step")) or 0, _whole(raw.get("timestamp")) or 0, float(raw.get("value", "nan")))


def _named(raw: Json) -> str:
    if not isinstance(raw["name"], str):
        raise TypeError("a name must be text")
    return raw["name"]


def _pairs(raw: Any) -> dict[str, str]:
    return {_text(item["key"]): _text(item.get("value")) for item in raw or ()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _whole(value: Any) -> int | None:
    if isinstance(value, str):  # some gateways follow proto3's JSON and quote 64-bit numbers
        return int(value)
    return value if isinstance(value, int) else None
