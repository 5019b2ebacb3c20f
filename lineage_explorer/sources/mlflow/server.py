"""Rows of a tracking server over its REST API, with the connection settings of mlflow-skinny.

MLflow's own transport is used (its credentials, TLS and proxy settings apply), but not its entities: a
page is decoded in one step, and a row that is not what the API promises spoils itself only.
"""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, ClassVar, TypeVar

import msgspec

from ...errors import MissingDependency, SourceError, SourceUnavailable
from ...redaction import redact_text
from . import replies
from .names import JUDGING, role_of
from .replies import API
from .rows import (
    UNFINISHED,
    Asked,
    Experiment,
    LoggedModel,
    MetricPoint,
    RegisteredModel,
    Run,
    Selection,
    Unreadable,
    Version,
)

_PAGE = 1000
_MODEL_PAGE = 500
_EXPERIMENTS_PER_CALL = 200
_RUNS_PER_CALL = 500
_TIMEOUT = 60
_RETRIES = 2
_NOT_FOUND = (404,)
# A tag may name a run that never was, or something that cannot be a run's id at all.
_NO_SUCH_RUN = (400, 404)
# A plain search leaves the prompts out.
_EVERY_NAME: tuple[dict[str, str], ...] = ({}, {"filter": "tags.`mlflow.prompt.is_prompt` = 'true'"})

# Ids as MLflow issues them; a tag may call anything a run.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")

Json = replies.Json
Row = TypeVar("Row")


class ServerRows:
    """Reads one server; :class:`~.rows.Rows` says what each method yields."""

    kind: ClassVar[str] = "server"

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._shown = redact_text(self._address)
        self._count: Counter[str] = Counter()
        self._source_runs: dict[str, str] = {}
        self._measuring: set[str] = set()
        self._known: dict[str, Asked] = {}
        self._found: dict[str, Asked] = {}
        self._upstream: set[str] = set()
        self._transport = _transport(self._address)

    def close(self) -> None:
        """Nothing stays open: MLflow pools its connections."""

    # --- calls ----------------------------------------------------------------------------------

    def _call(self, method: str, path: str, payload: Json, absent: Sequence[int] = ()) -> Json:
        """One reply; empty when the server answers with a status of ``absent``."""
        name = f"{method} {API}/{path}"
        try:
            status, body = self._transport(method, f"{API}/{path}", payload)
        except ConnectionError as error:
            raise SourceUnavailable(
                f"{self._shown} stopped answering at {name} ({self._so_far()}). What was read stays; ingest again when "
                f"it answers. {redact_text(str(error))[:500]}"
            ) from error
        if status in absent:
            return {}
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
        decoded = replies.decoded(body)
        if decoded is None:
            raise SourceUnavailable(
                f"{self._shown} answered {name} with something that is not an MLflow reply ({self._so_far()})"
            )
        return decoded

    def _so_far(self) -> str:
        return "read so far: " + (", ".join(f"{count} {what}" for what, count in self._count.items()) or "nothing")

    def _pages(
        self, what: str, call: tuple[str, str, Json], key: str, translate: Callable[[Json], Row], absent: Sequence[int]
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
        absent: Sequence[int] = (),
    ) -> Iterator[Row | Unreadable]:
        for page in self._pages(what, call, key, translate, absent):
            yield from page

    # --- rows -----------------------------------------------------------------------------------

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        """Active and deleted experiments."""
        payload = {"max_results": _PAGE, "view_type": "ALL", "order_by": ["creation_time ASC"]}
        yield from _once(
            self._rows("experiments", ("POST", "experiments/search", payload), "experiments", replies.experiment),
            lambda row: row.experiment_id,
        )

    def registered_models(self) -> Iterator[RegisteredModel | Unreadable]:
        """Models and prompts of the registry."""
        calls: list[Json] = [{"max_results": _PAGE, "order_by": "name ASC", **chosen} for chosen in _EVERY_NAME]
        found = (
            self._rows(
                "registered models",
                ("GET", "registered-models/search", payload),
                "registered_models",
                replies.registered_model,
            )
            for payload in calls
        )
        yield from _once(chain.from_iterable(found), lambda row: row.name)

    def versions(self) -> Iterator[Version | Unreadable]:
        """Versions of models and prompts."""
        order = ["name ASC", "version_number ASC"]
        calls: list[Json] = [{"max_results": _PAGE, "order_by": order, **chosen} for chosen in _EVERY_NAME]
        found = (
            self._rows("versions", ("GET", "model-versions/search", payload), "model_versions", replies.version)
            for payload in calls
        )
        yield from _once(chain.from_iterable(found), lambda row: (row.name, row.version))

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
                    "logged models",
                    ("POST", "logged-models/search", payload),
                    "models",
                    replies.logged_model,
                    absent=_NOT_FOUND,
                ),
                lambda row: row.model_id,
            ):
                if not isinstance(row, Unreadable):
                    self._source_runs[row.model_id] = row.source_run_id
                    self._measuring.update(metric.run_id for metric in row.metrics)
                yield row

    def runs(
        self, experiments: Iterable[str], asked: Set[str], chosen: Selection | None = None
    ) -> Iterator[Run | Unreadable]:
        """Active and deleted runs, or the chosen ones.

        A search does not tell which logged models a run read, and a call for each run would take longer
        than all the rest. So it is asked of those where it matters: the runs in ``asked``, those that made
        what they read in turn, and runs that may be evaluations, with data or metrics and no model made.
        A run that measured a logged model is known from the model's own metrics. What an earlier read asked
        of a finished run is not asked again unless the run has moved.
        """
        seen: set[str] = set()
        self._known = dict(chosen.model_inputs) if chosen else {}
        with ThreadPoolExecutor(max_workers=4) as pool:
            read = self._read_upstream(pool, asked) if self._source_runs else {}
            self._upstream = set(read)
            for page in self._run_pages(list(experiments), chosen):
                rows = [row for row in page if not isinstance(row, Unreadable) and row.run_id not in seen]
                if resumed := {row.run_id for row in rows if self._resumed(row)}:
                    for run_id in resumed:
                        del self._known[run_id]
                    read |= self._read_upstream(pool, resumed & read.keys())
                    self._upstream |= read.keys()
                read |= self._read_models(pool, {row.run_id for row in rows if self._may_evaluate(row)} - read.keys())
                for row in page:
                    if isinstance(row, Unreadable):
                        yield row
                    elif row.run_id not in seen:
                        seen.add(row.run_id)
                        inputs = read.get(row.run_id)
                        yield msgspec.structs.replace(row, model_inputs=inputs) if inputs else row

    def _run_pages(self, experiments: Sequence[str], chosen: Selection | None) -> Iterator[list[Run | Unreadable]]:
        for ids, condition, view in _run_searches(experiments, chosen):
            payload: Json = {
                "experiment_ids": ids,
                "run_view_type": view,
                "max_results": _PAGE,
                "order_by": ["attributes.start_time ASC"],
            }
            if condition:
                payload["filter"] = condition
            yield from self._pages("runs", ("POST", "runs/search", payload), "runs", replies.run, ())

    def _resumed(self, row: Run) -> bool:
        """Whether a run may have read more than what an earlier read was told of it."""
        known = self._known.get(row.run_id)
        return known is not None and (known.ended != row.ended or row.status in UNFINISHED)

    def _may_evaluate(self, row: Run) -> bool:
        """Whether a run says it is an evaluation, or read data that an evaluation reads and did not train.

        ``mlflow.evaluate`` and ``mlflow.genai.evaluate`` log their data without saying what it is for.
        """
        if not self._source_runs or row.model_outputs or row.run_id in self._measuring:
            return False
        if stated := row.tags.get("lineage.activity", "").strip().lower():
            return stated == "evaluation"
        roles = {role_of(given.tags.get("mlflow.data.context", "")) for given in row.inputs}
        return bool(roles & JUDGING or "" in roles) and "training" not in roles

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
        found = {run_id: self._known[run_id] for run_id in run_ids & self._known.keys()}
        listed = sorted(run_ids - found.keys())
        found |= zip(listed, pool.map(self._ask, listed), strict=True)
        self._found |= found
        return {run_id: asked.models for run_id, asked in found.items()}

    def _ask(self, run_id: str) -> Asked:
        reply = self._call("GET", "runs/get", {"run_id": run_id}, _NO_SUCH_RUN)
        try:
            return replies.asked(reply.get("run") or {})
        except (KeyError, TypeError, AttributeError, ValueError):
            return Asked(None, [])

    def model_inputs(self, again: Set[str]) -> dict[str, Asked]:
        """What was asked run by run, of finished runs that will be read again or lie upstream of those."""
        kept = sorted((again | self._upstream) & self._found.keys())
        return {run_id: self._found[run_id] for run_id in kept if self._found[run_id].ended is not None}

    def metric_history(self, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], MetricPoint]]:
        """Every point of these (run id, metric name) pairs."""
        for run_id, key in wanted:
            payload = {"run_id": run_id, "metric_key": key, "max_results": _PAGE}
            call = ("GET", "metrics/get-history", payload)
            for row in self._rows("metric points", call, "metrics", replies.point, absent=_NO_SUCH_RUN):
                if not isinstance(row, Unreadable):
                    yield (run_id, key), row


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
    send: Callable[..., Any] = http_request
    settings: Callable[[str], Any] = get_default_host_creds
    credentials = settings(address)

    def call(method: str, path: str, payload: Json) -> tuple[int, bytes]:
        given = {"params": payload} if method == "GET" else {"json": payload}
        try:
            reply = send(
                credentials, path, method, max_retries=_RETRIES, backoff_factor=1, backoff_jitter=0.0,
                timeout=_TIMEOUT, raise_on_status=False, **given,
            )  # fmt: skip
        except (MlflowException, OSError) as error:
            raise ConnectionError(str(error)) from error
        return reply.status_code, reply.content

    return call


def _run_searches(experiments: Sequence[str], chosen: Selection | None) -> Iterator[tuple[list[str], str, str]]:
    """Experiments, filter and view of each search; a filter knows no "or", so the chosen runs take several."""
    whole = experiments if chosen is None else [one for one in experiments if one in chosen.experiments]
    yield from ((ids, "", "ALL") for ids in _batches(whole))
    if chosen is None:
        return
    for ids in _batches(one for one in experiments if one not in chosen.experiments):
        for time in ("end_time", "start_time"):
            yield ids, f"attributes.{time} >= {chosen.since}", "ALL"
        for status in sorted(UNFINISHED):
            yield ids, f"attributes.status = '{status}'", "ACTIVE_ONLY"
    for ids in _batches(experiments):
        runs = {run_id for one in ("", *ids) for run_id in chosen.runs.get(one, ()) if _ID.match(run_id)}
        for some in _batches(sorted(runs), _RUNS_PER_CALL):
            yield ids, f"attributes.run_id IN ({', '.join(map(repr, some))})", "ALL"


def _batches(ids: Iterable[str], size: int = _EXPERIMENTS_PER_CALL) -> Iterator[list[str]]:
    listed = list(ids)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def _once(rows: Iterable[Row | Unreadable], key: Callable[[Row], Any]) -> Iterator[Row | Unreadable]:
    # Pages are offsets into a moving list: a row may come twice.
    seen = set()
    for row in rows:
        if not isinstance(row, Unreadable):
            if key(row) in seen:
                continue
            seen.add(key(row))
        yield row
