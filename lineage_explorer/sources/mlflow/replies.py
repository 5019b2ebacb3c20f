"""The REST API's JSON as rows. Each function raises when a reply is not as MLflow documents it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from .rows import (
    UNFINISHED,
    Asked,
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

API = "/api/2.0/mlflow"
# A byte that is not UTF-8, as Python's "surrogateescape" decodes it.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")

Json = dict[str, Any]


def decoded(body: bytes) -> Json | None:
    """A reply's JSON object; None for anything else."""
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            # Python's reader admits what strict JSON does not: NaN, half surrogate pairs, bytes
            # that are not UTF-8. They become visible escapes, as when a file is read.
            text = _NOT_UTF8.sub(_escaped, body.decode("utf-8", "surrogateescape"))
            plain = _without_surrogates(json.loads(text))
        except (ValueError, RecursionError):
            plain = None
    return plain if isinstance(plain, dict) else None


def _escaped(byte: re.Match[str]) -> str:
    return f"\\\\x{ord(byte[0]) - 0xDC00:02x}"  # two backslashes in JSON are one in its text


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


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


def asked(raw: Json) -> Asked:
    """Which logged models a run read, from a reply about this one run."""
    info = raw.get("info") or {}
    ended = None if info.get("status") in UNFINISHED else _whole(info.get("end_time"))
    return Asked(ended, sorted(model_ids(raw.get("inputs"), "model_inputs")))


def _dataset_input(raw: Json) -> DatasetInput:
    dataset = raw["dataset"]
    return DatasetInput(
        _text(dataset["name"]),
        _text(dataset.get("digest")),
        _text(dataset.get("source_type")),
        _text(dataset.get("source")),
        _text(dataset.get("profile")),
        _text(dataset.get("schema")),
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
