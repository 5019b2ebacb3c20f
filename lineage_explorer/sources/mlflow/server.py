"""Rows of a tracking server over its REST API, with the connection settings of mlflow-skinny.

MLflow's own transport is used (its credentials, TLS and proxy settings apply), but not its entities: a
page is decoded in one step, and a row that is not what the API promises spoils itself only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.request
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from ...errors import MissingDependency, SourceError, SourceUnavailable
from ...redaction import redact_text
from .rows import (
    DatasetInput,
    Experiment,
    LoggedModel,
    MetricPoint,
    ModelMetric,
    RegisteredModel,
    Run,
    Unreadable,
    Version,
    newest,
)

_API = "/api/2.0/mlflow"
_PAGE = 1000
_MODEL_PAGE = 500
_EXPERIMENTS_PER_CALL = 200
_TIMEOUT = 60
_RETRIES = 2
_PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"

Json = dict[str, Any]
Row = TypeVar("Row")


class ServerRows:
    """Reads one server; :class:`~.rows.Rows` says what each method yields."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._shown = redact_text(self._address)
        self._count: Counter[str] = Counter()
        self._source_runs: dict[str, str] = {}
        self._measuring: set[str] = set()
        self._transport = _transport(self._address)

    def close(self) -> None:
        """Nothing stays open: MLflow pools its connections."""

    # --- calls ----------------------------------------------------------------------------------

    def _call(self, method: str, path: str, payload: Json, absent: Json | None = None) -> Json:
        name = f"{method} {_API}/{path}"
        try:
            status, body = self._transport(method, f"{_API}/{path}", payload)
        except ConnectionError as error:
            raise SourceUnavailable(
                f"{self._shown} stopped answering at {name} ({self._so_far()}): {redact_text(str(error))[:500]}"
            ) from error
        if status in (400, 404) and absent is not None:
            return absent
        if status in (401, 403):
            raise SourceError(
                f"{self._shown} refused {name} with HTTP {status} ({self._so_far()}); set MLFLOW_TRACKING_TOKEN, or "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        if status != 200:
            kind = SourceUnavailable if status >= 500 or status == 429 else SourceError
            said = redact_text(body[:300].decode("utf-8", "replace"))
            raise kind(f"{self._shown} answered {name} with HTTP {status} ({self._so_far()}): {said}")
        return self._decoded(body, name)

    def _decoded(self, body: bytes, name: str) -> Json:
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            try:
                # Python's reader admits what strict JSON does not: NaN, half surrogate pairs, bytes
                # that are not UTF-8. They become visible escapes, as when a file is read.
                decoded = _without_surrogates(json.loads(body.decode("utf-8", "backslashreplace")))
            except (ValueError, RecursionError):
                decoded = None
        if not isinstance(decoded, dict):
            raise SourceUnavailable(
                f"{self._shown} answered {name} with something that is not an MLflow reply ({self._so_far()})"
            )
        return decoded

    def _so_far(self) -> str:
        return "read so far: " + (", ".join(f"{count} {what}" for what, count in self._count.items()) or "nothing")

    def _pages(
        self, what: str, call: tuple[str, str, Json], key: str, translate: Callable[[Json], Row], absent: Json | None
    ) -> Iterator[list[Row | Unreadable]]:
        """Follow page tokens; each page's rows translated, those that cannot be as :class:`Unreadable`."""
        method, path, payload = call
        token = ""
        while True:
            page = self._call(method, path, {**payload, "page_token": token} if token else payload, absent)
            rows: list[Row | Unreadable] = []
            for raw in page.get(key) or ():
                try:
                    rows.append(translate(raw))
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    rows.append(
                        Unreadable(
                            f"the server's row is not as documented: {type(error).__name__} {error}",
                            f"{what}/{self._count[what]}",
                            repr(raw)[:2000],
                        )
                    )
                self._count[what] += 1
            yield rows
            following = page.get("next_page_token") or ""
            if not following or following == token:
                return
            token = following

    def _rows(
        self,
        what: str,
        call: tuple[str, str, Json],
        key: str,
        translate: Callable[[Json], Row],
        absent: Json | None = None,
    ) -> Iterator[Row | Unreadable]:
        for page in self._pages(what, call, key, translate, absent):
            yield from page

    # --- rows -----------------------------------------------------------------------------------

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        """Active and deleted experiments."""
        payload = {"max_results": _PAGE, "view_type": "ALL", "order_by": ["creation_time ASC"]}
        yield from _once(
            self._rows("experiments", ("POST", "experiments/search", payload), "experiments", _experiment),
            lambda row: row.experiment_id,
        )

    def registered_models(self) -> Iterator[RegisteredModel | Unreadable]:
        """Models and prompts of the registry: a plain search leaves the prompts out."""
        for chosen in ({}, {"filter": _PROMPTS}):
            payload: Json = {"max_results": _PAGE, "order_by": "name ASC", **chosen}
            yield from _once(
                self._rows(
                    "registered models", ("GET", "registered-models/search", payload), "registered_models", _registered
                ),
                lambda row: row.name,
            )

    def versions(self) -> Iterator[Version | Unreadable]:
        """Versions of models and prompts."""
        for chosen in ({}, {"filter": _PROMPTS}):
            payload: Json = {"max_results": _PAGE, "order_by": ["name ASC", "version_number ASC"], **chosen}
            yield from _once(
                self._rows("versions", ("GET", "model-versions/search", payload), "model_versions", _version),
                lambda row: (row.name, row.version),
            )

    def logged_models(self, experiments: Iterable[str]) -> Iterator[LoggedModel | Unreadable]:
        """Logged models; the server hides deleted ones. Servers before MLflow 3 have none."""
        for ids in _batches(experiments):
            payload = {
                "experiment_ids": ids,
                "max_results": _MODEL_PAGE,
                "order_by": [{"field_name": "creation_timestamp", "ascending": True}],
            }
            for row in _once(
                self._rows(
                    "logged models", ("POST", "logged-models/search", payload), "models", _logged_model, absent={}
                ),
                lambda row: row.model_id,
            ):
                if not isinstance(row, Unreadable):
                    self._source_runs[row.model_id] = row.source_run_id
                    self._measuring.update(metric.run_id for metric in row.metrics)
                yield row

    def runs(self, experiments: Iterable[str], asked: Set[str]) -> Iterator[Run | Unreadable]:
        """Active and deleted runs.

        A search does not tell which logged models a run read, and a call for each run would take longer
        than all the rest. So it is asked of those where it matters: the runs in ``asked``, those that made
        what they read in turn, and runs that may be evaluations, with data or metrics and no model made.
        A run that measured a logged model is known from the model's own metrics.
        """
        seen: set[str] = set()
        with ThreadPoolExecutor(max_workers=4) as pool:
            read = self._read_upstream(pool, asked) if self._source_runs else {}
            for ids in _batches(experiments):
                payload = {
                    "experiment_ids": ids,
                    "run_view_type": "ALL",
                    "max_results": _PAGE,
                    "order_by": ["attributes.start_time ASC"],
                }
                for page in self._pages("runs", ("POST", "runs/search", payload), "runs", _run, None):
                    read |= self._read_models(
                        pool,
                        {row.run_id for row in page if not isinstance(row, Unreadable) and self._may_evaluate(row)}
                        - seen
                        - read.keys(),
                    )
                    for row in page:
                        if isinstance(row, Unreadable):
                            yield row
                        elif row.run_id not in seen:
                            seen.add(row.run_id)
                            inputs = read.get(row.run_id)
                            yield msgspec.structs.replace(row, model_inputs=inputs) if inputs else row

    def _may_evaluate(self, row: Run) -> bool:
        return (
            bool(self._source_runs)
            and not row.model_outputs
            and row.run_id not in self._measuring
            and bool(row.inputs or row.metrics)
        )

    def _read_upstream(self, pool: ThreadPoolExecutor, asked: Set[str]) -> dict[str, list[str]]:
        read: dict[str, list[str]] = {}
        front = set(asked)
        while front:
            found = self._read_models(pool, front)
            read |= found
            made_by = {self._source_runs.get(model, "") for models in found.values() for model in models}
            front = made_by - read.keys() - {""}
        return read

    def _read_models(self, pool: ThreadPoolExecutor, run_ids: Set[str]) -> dict[str, list[str]]:
        listed = sorted(run_ids)
        return dict(zip(listed, pool.map(self._model_inputs, listed), strict=True))

    def _model_inputs(self, run_id: str) -> list[str]:
        reply = self._call("GET", "runs/get", {"run_id": run_id}, {})
        try:
            return sorted(_model_ids((reply.get("run") or {}).get("inputs"), "model_inputs"))
        except (KeyError, TypeError, AttributeError):
            return []

    def metric_history(self, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], MetricPoint]]:
        """Every point of these (run id, metric name) pairs."""
        for run_id, key in wanted:
            payload = {"run_id": run_id, "metric_key": key, "max_results": _PAGE}
            call = ("GET", "metrics/get-history", payload)
            for row in self._rows("metric points", call, "metrics", _point, absent={}):
                if not isinstance(row, Unreadable):
                    yield (run_id, key), row


def answers_like_mlflow(address: str) -> bool:
    """Whether an MLflow server answers at an address, found out with two short calls and no mlflow import."""
    base = re.sub(r"(?<=://)[^/@]*@", "", address.rstrip("/"))
    status, body = _peek(f"{base}{_API}/experiments/search?max_results=1")
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reply = None
    if status == 200:
        return (
            isinstance(reply, dict)
            and isinstance(reply.get("experiments", []), list)
            and set(reply)
            <= {
                "experiments",
                "next_page_token",
            }
        )
    if status in (401, 403):
        # A guarded server: its version page is open, or its error is in MLflow's words.
        _, version = _peek(f"{base}/version")
        return bool(re.fullmatch(rb"\d+\.\d+\.\d+\S*\s*", version)) or b"mlflow" in body.lower()
    return False


def _peek(url: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - http(s), as the user wrote it
    try:
        with urllib.request.urlopen(request, timeout=3) as reply:  # noqa: S310
            return reply.status, reply.read(1_000_000)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(10_000)
    except (OSError, http.client.HTTPException, ValueError):
        return 0, b""


def _transport(address: str) -> Callable[[str, str, Json], tuple[int, bytes]]:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mlflow.exceptions import MlflowException
            from mlflow.utils.credentials import get_default_host_creds
            from mlflow.utils.rest_utils import http_request
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"reading an MLflow server needs {error.name!r}: pip install 'mlflow-skinny>=3.10,<4'"
        ) from error
    credentials = get_default_host_creds(address)

    def call(method: str, path: str, payload: Json) -> tuple[int, bytes]:
        given = {"params": payload} if method == "GET" else {"json": payload}
        try:
            reply = http_request(
                credentials, path, method, max_retries=_RETRIES, backoff_factor=1, backoff_jitter=0.0,
                timeout=_TIMEOUT, raise_on_status=False, **given,
            )  # fmt: skip
        except (MlflowException, OSError) as error:
            raise ConnectionError(str(error)) from error
        return reply.status_code, reply.content

    return call


# --- from the REST API's JSON -----------------------------------------------------------------------


def _experiment(raw: Json) -> Experiment:
    return Experiment(
        str(raw["experiment_id"]),
        _text(raw.get("name")),
        _text(raw.get("lifecycle_stage")),
        _whole(raw.get("creation_time")),
        _whole(raw.get("last_update_time")),
        _pairs(raw.get("tags")),
    )


def _registered(raw: Json) -> RegisteredModel:
    return RegisteredModel(
        _named(raw),
        _whole(raw.get("creation_timestamp")),
        _whole(raw.get("last_updated_timestamp")),
        _text(raw.get("description")),
        _pairs(raw.get("tags")),
        {_text(item["alias"]): str(item["version"]) for item in raw.get("aliases") or ()},
    )


def _version(raw: Json) -> Version:
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


def _logged_model(raw: Json) -> LoggedModel:
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
                _point(item),
                _text(item.get("dataset_name")),
                _text(item.get("dataset_digest")),
            )
            for item in data.get("metrics") or ()
        ),
    )


def _run(raw: Json) -> Run:
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
        None,
        _pairs(data.get("params")),
        {_text(item["key"]): _point(item) for item in data.get("metrics") or ()},
        tags,
        sorted(map(_dataset_input, given.get("dataset_inputs") or ()), key=lambda row: (row.name, row.digest)),
        sorted(_model_ids(given, "model_inputs")),
        sorted(_model_ids(raw.get("outputs"), "model_outputs")),
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


def _model_ids(raw: Json | None, key: str) -> list[str]:
    return [str(item["model_id"]) for item in (raw or {}).get(key) or ()]


def _point(raw: Json) -> MetricPoint:
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


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    listed = list(ids)
    for start in range(0, len(listed), _EXPERIMENTS_PER_CALL):
        yield listed[start : start + _EXPERIMENTS_PER_CALL]


def _once(rows: Iterable[Row | Unreadable], key: Callable[[Row], Any]) -> Iterator[Row | Unreadable]:
    # Pages are offsets into a moving list: a row may come twice.
    seen = set()
    for row in rows:
        if not isinstance(row, Unreadable):
            if key(row) in seen:
                continue
            seen.add(key(row))
        yield row
