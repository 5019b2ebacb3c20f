"""Runs and logged models: what happened, who did it, what it read and what it made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ...records import Activity, Agent, Entity, Record, Relation
from ...redaction import redact_text
from ..protocol import Rejected
from .datasets import Datasets, Identity
from .names import JUDGING, Names, basis_of, instant, role_of, shown_tags
from .registry import declared_causes, linked_prompts
from .rows import Experiment, LoggedModel, Run

_UNFINISHED = frozenset(("FAILED", "KILLED", "RUNNING", "SCHEDULED"))
# A run may log thousands of parameters; the details need to be legible, and say what they leave out.
_SHOWN = 200


# Libraries whose models are fitted to data in the run that logs them. MLflow's own wrappers (pyfunc) and
# the libraries of agents and language models (langchain, openai, transformers, ...) are not among them.
_FITTING = frozenset(
    [
        *("catboost", "diviner", "fastai", "fastai_v2", "gluon", "h2o", "keras", "lightgbm", "paddle", "pmdarima"),
        *("prophet", "pytorch", "sklearn", "spark", "statsmodels", "tensorflow", "xgboost"),
    ]
)


class _LoggedByTag(msgspec.Struct):
    """An element of ``mlflow.log-model.history``, where MLflow 2 wrote what a run logged."""

    flavors: dict[str, msgspec.Raw] = {}


class Read(NamedTuple):
    """A dataset input under MLflow's name and digest, and under ours."""

    name: str
    digest: str
    identity: Identity
    role: str


class Seen(msgspec.Struct):
    """What one run turned out to be, for those who need to know after its records are written."""

    activity: str = ""
    datasets: list[Read] = []
    models: list[str] = []
    judged: set[str] = set()

    def dataset(self, name: str, digest: str) -> Read | None:
        """The input that MLflow calls by this name and digest."""
        return next((read for read in self.datasets if (read.name, read.digest) == (name, digest)), None)


class Runs:
    """Translates runs and logged models of one instance.

    Parameters
    ----------
    names : Names
        Writes references.
    datasets : Datasets
        Identifies what runs read.
    made_by : mapping
        Of every logged model that can be read, the run that logged it.
    made_models : set of str
        Runs that a logged model or a version came out of.
    measured : mapping
        Of every run, the logged models whose metrics it logged.
    """

    def __init__(
        self,
        names: Names,
        datasets: Datasets,
        made_by: Mapping[str, str],
        made_models: Set[str],
        measured: Mapping[str, Set[str]],
    ) -> None:
        self._names = names
        self._datasets = datasets
        self._made_by = made_by
        self._made_models = made_models
        self._measured = measured
        self._experiments: dict[str, str] = {}
        self._told: set[str] = set()

    def of_experiment(self, row: Experiment, problems: list[Rejected]) -> Iterator[Record]:
        """An experiment; a deleted one ends when it was last updated."""
        position = f"experiments/{row.experiment_id}"
        self._experiments[row.experiment_id] = row.name
        deleted = row.lifecycle_stage == "deleted"
        attributes: dict[str, Any] = {"name": row.name}
        if tags := shown_tags(row.tags):
            attributes["tags"] = tags
        if deleted:
            attributes["lifecycle_stage"] = "deleted"
        yield Entity(
            ref=self._names.ref("experiment", row.experiment_id),
            identified_by="identifier",
            created_at=instant(row.created, position, problems),
            ended_at=instant(row.updated, position, problems) if deleted else None,
            description=row.tags.get("mlflow.note.content", ""),
            attributes=attributes,
        )

    # --- logged models --------------------------------------------------------------------------

    def of_model(self, row: LoggedModel, problems: list[Rejected]) -> Iterator[Record]:
        """A logged model and the run that logged it."""
        position = f"logged-models/{row.model_id}"
        ref = self._names.logged_model(row.model_id)
        deleted = row.lifecycle_stage == "deleted"
        made = instant(row.created, position, problems)
        attributes: dict[str, Any] = {
            "name": row.name,
            "experiment_id": row.experiment_id,
            "experiment": self._experiments.get(row.experiment_id, ""),
            "model_type": row.model_type,
            "registration": row.status,
            "lifecycle_stage": "deleted" if deleted else "",
            "params": _first(row.params),
            "metrics": _first({metric.name: metric.point.value for metric in row.metrics}),
            "tags": shown_tags(row.tags),
        }
        yield Entity(
            ref=ref,
            identified_by="identifier",
            created_at=made,
            ended_at=instant(row.updated, position, problems) if deleted else None,
            description=row.tags.get("mlflow.note.content", ""),
            attributes=_told(attributes),
        )
        if row.source_run_id:
            yield Relation(
                effect=ref,
                predicate="was_generated_by",
                cause=self._names.run(row.source_run_id),
                basis="identifier",
                event_time=made,
                complete=row.status != "FAILED",
            )
        yield from declared_causes(self._names, self._datasets, ref, row.tags, made, position, problems)

    # --- runs -----------------------------------------------------------------------------------

    def of_run(self, row: Run, seen: Seen, problems: list[Rejected]) -> Iterator[Record]:
        """A run with everything it read, wrote and belongs to; fills ``seen``."""
        position = f"runs/{row.run_id}"
        ref = self._names.run(row.run_id)
        started = instant(row.started, position, problems)
        ended = instant(row.ended, position, problems)
        alone = len(row.inputs) == 1
        for given in row.inputs:
            identity = self._datasets.of_input(given, row.tags, alone, position, problems)
            role = role_of(given.tags.get("mlflow.data.context", ""))
            seen.datasets.append(Read(given.name, given.digest, identity, role))
        seen.models = self._models_read(row)
        seen.activity = self._activity(row, seen)
        yield self._activity_record(row, ref, seen.activity, started, ended)
        yield from self._read(row, ref, seen, started, position, problems)
        yield from self._wrote(row, ref, started, ended, position, problems)
        yield from self._belongs(row, ref)

    def _models_read(self, row: Run) -> list[str]:
        # A run that measures the model it is making lists it among its inputs: that is none, and
        # following it would lead in a circle.
        read = {*row.model_inputs, *self._measured.get(row.run_id, ())}.difference(row.model_outputs)
        return sorted(model for model in read if self._made_by.get(model) != row.run_id)

    def _activity(self, row: Run, seen: Seen) -> str:
        if stated := row.tags.get("lineage.activity", "").strip().lower():
            return stated
        made_model = bool(row.run_id in self._made_models or row.model_outputs)
        wrote_data = bool(row.tags.get("lineage.generated", "").strip())
        if any(read.role == "training" for read in seen.datasets) and (made_model or not wrote_data):
            return "training"
        if made_model:
            # An agent, a wrapper and an import are logged just as a fitted model is: which it was is
            # known only if the library that logged it is one that fits.
            return "training" if _fitted(row.tags) else ""
        if seen.models or (seen.datasets and all(read.role in JUDGING for read in seen.datasets)):
            return "evaluation"
        return "transform" if wrote_data else ""

    def _activity_record(
        self, row: Run, ref: str, activity: str, started: datetime | None, ended: datetime | None
    ) -> Activity:
        attributes: dict[str, Any] = {
            "name": row.name,
            "experiment_id": row.experiment_id,
            "experiment": self._experiments.get(row.experiment_id, ""),
            "params": _first(row.params),
            "metrics": _first({name: point.value for name, point in row.metrics.items()}),
            "tags": shown_tags(row.tags),
        }
        if row.lifecycle_stage == "deleted":
            attributes["lifecycle_stage"] = "deleted"
        return Activity(
            ref=ref,
            activity=activity,
            status=row.status,
            started_at=started,
            ended_at=ended,
            description=row.tags.get("mlflow.note.content", ""),
            attributes=_told(attributes),
        )

    def _read(
        self, row: Run, ref: str, seen: Seen, started: datetime | None, position: str, problems: list[Rejected]
    ) -> Iterator[Record]:
        known = set()
        for _, _, identity, role in seen.datasets:
            if (identity.ref, role) not in known:
                known.add((identity.ref, role))
                yield _used(ref, identity.ref, identity.identified_by, role, started)
        judging = seen.activity == "evaluation"
        for model_id in seen.models:
            cause = self._names.logged_model(model_id)
            seen.judged.add(cause)
            yield _used(ref, cause, "identifier", "evaluation" if judging else "input", started)
        for key, value in row.tags.items():
            if not key.startswith("lineage.used."):
                continue
            role = role_of(key[len("lineage.used.") :])
            for cause_ref in self._names.listed(value, f"{position}/tags/{key}"):
                if isinstance(cause_ref, Rejected):
                    problems.append(cause_ref)
                elif (str(cause_ref), role) not in known:
                    known.add((str(cause_ref), role))
                    self._datasets.of_tag(cause_ref)
                    if cause_ref.kind in ("model", "ai_agent", "logged_model"):
                        seen.judged.add(str(cause_ref))
                    yield _used(ref, str(cause_ref), basis_of(cause_ref.version), role, started)
        for prompt in linked_prompts(self._names, row.tags, position, problems):
            if (str(prompt), "prompt") not in known:
                known.add((str(prompt), "prompt"))
                yield _used(ref, str(prompt), "identifier", "prompt", started)
        yield from self._code(row, ref, started)

    def _code(self, row: Run, ref: str, started: datetime | None) -> Iterator[Record]:
        commit = row.tags.get("mlflow.source.git.commit", "").strip()
        if not commit:
            return
        repository = row.tags.get("mlflow.source.git.repoURL", "").strip()
        name = repository or row.tags.get("mlflow.source.name", "").strip() or "source"
        # A repository's address and a commit mean the same everywhere: no namespace.
        names = Names("") if repository else self._names
        cause = names.ref("code", name, commit)
        if cause not in self._told:
            self._told.add(cause)
            yield Entity(
                ref=cause,
                digest=f"git:{commit}",
                identified_by="identifier",
                attributes={"repository": redact_text(name)},
            )
        # Changes that were not committed are in no commit: what ran is then only said to be like it.
        dirty = {"true": True, "false": False}.get(row.tags.get("mlflow.source.git.dirty", "").strip().lower())
        yield Relation(
            effect=ref,
            predicate="used",
            cause=cause,
            basis="declared" if dirty else "identifier",
            role="code",
            event_time=started,
            attributes={} if dirty is None else {"dirty": dirty},
        )

    def _wrote(
        self,
        row: Run,
        ref: str,
        started: datetime | None,
        ended: datetime | None,
        position: str,
        problems: list[Rejected],
    ) -> Iterator[Record]:
        complete = row.status not in _UNFINISHED
        for model_id in row.model_outputs:
            if self._made_by.get(model_id) != row.run_id:
                yield Relation(
                    effect=self._names.logged_model(model_id),
                    predicate="was_generated_by",
                    cause=ref,
                    basis="identifier",
                    event_time=ended,
                    complete=complete,
                )
        key = "lineage.generated"
        done = set()
        for made in self._names.listed(row.tags.get(key, ""), f"{position}/tags/{key}"):
            if isinstance(made, Rejected):
                problems.append(made)
            elif made not in done:
                done.add(made)
                self._datasets.of_tag(made)
                yield Relation(
                    effect=str(made),
                    predicate="was_generated_by",
                    cause=ref,
                    basis=basis_of(made.version),
                    event_time=ended,
                    event_start=started,
                    complete=complete,
                )

    def _belongs(self, row: Run, ref: str) -> Iterator[Record]:
        yield _part(ref, self._names.ref("experiment", row.experiment_id))
        if parent := row.tags.get("mlflow.parentRunId", "").strip():
            yield _part(ref, self._names.run(parent))
        user = row.user or row.tags.get("mlflow.user", "")
        if user:
            person = self._names.ref("person", user)
            if person not in self._told:
                self._told.add(person)
                yield Agent(ref=person)
            # The client says who it is; nobody checked.
            yield Relation(effect=ref, predicate="was_associated_with", cause=person, basis="declared")


def _fitted(tags: Mapping[str, str]) -> bool:
    """Whether tags name a library that fits what it logs: the one that logged by itself, or a model's flavours."""
    if tags.get("mlflow.autologging", "").strip().lower() in _FITTING:
        return True
    try:
        history = msgspec.json.decode(tags.get("mlflow.log-model.history") or "[]", type=list[_LoggedByTag])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return any(not _FITTING.isdisjoint(logged.flavors) for logged in history)


def _used(effect: str, cause: str, basis: Any, role: str, when: datetime | None) -> Relation:
    return Relation(effect=effect, predicate="used", cause=cause, basis=basis, role=role, event_time=when)


def _part(effect: str, cause: str) -> Relation:
    return Relation(effect=effect, predicate="part_of", cause=cause, basis="identifier")


def _first(values: Mapping[str, Any]) -> dict[str, Any]:
    if len(values) <= _SHOWN:
        return {key: _finite(value) for key, value in values.items()}
    kept: dict[str, Any] = {key: _finite(values[key]) for key in sorted(values)[:_SHOWN]}
    kept["…"] = f"{len(values) - _SHOWN} more"
    return kept


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if value not in ("", None, {}, [])}
