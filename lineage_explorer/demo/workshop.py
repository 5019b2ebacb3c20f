"""Where the stories are played: an MLflow store, a release pipeline's log, and a clock that can be moved.

Everything that touches MLflow's Python interface is here; the stories say what happened, not how it
is logged. MLflow is imported inside functions: it takes seconds, and only the demo needs it.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import logging
import os
import platform
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..records import format_instant
from ..sources.neutral import append_row
from .calendar import Calendar

if TYPE_CHECKING:
    import pandas as pd
    from time_machine import Traveller

_BUILDS = itertools.count()
_PIPELINE = "service:release-pipeline"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Data:
    """A file that runs read or wrote.

    Attributes
    ----------
    name : str
        The dataset's name in MLflow.
    path : Path
        The file.
    version : str
        The label of the extract it came with; empty for what a run computed.
    """

    name: str
    path: Path
    version: str = ""

    @property
    def ref(self) -> str:
        """The reference under which the dataset is traced."""
        return f"dataset:{self.name}@{self.version or 'sha256:' + sha256_of(self.path)}"

    @property
    def tags(self) -> dict[str, str]:
        """What identifies the bytes, in the tags that lineage-explorer documents."""
        known = {"data.sha256": sha256_of(self.path)}
        return {**known, "data.version": self.version} if self.version else known


@dataclass(frozen=True)
class Code:
    """A commit of a team's repository, as whatever starts its runs notes it.

    Attributes
    ----------
    team : str
        Whose repository.
    revision : str
        Which state of the scripts; the commit is made of the two.
    dirty : bool
        Whether it ran with changes that nobody had committed.
    """

    team: str
    revision: str
    dirty: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """The tags that MLflow keeps a commit in."""
        return {
            "mlflow.source.git.repoURL": f"https://git.example.com/acme/{self.team}.git",
            "mlflow.source.git.commit": hashlib.sha1(
                f"{self.team} {self.revision}".encode(), usedforsecurity=False
            ).hexdigest(),
            "mlflow.source.git.dirty": str(self.dirty).lower(),
        }


@dataclass(frozen=True)
class Logged:
    """A model that a run logged."""

    model_id: str
    uri: str
    run_id: str


class Workshop:
    """The tools of a small company's machine-learning teams, at a time of our choosing.

    Parameters
    ----------
    directory : Path
        The estate.
    calendar : Calendar
        The dates the stories are told in.
    clock : time_machine.Traveller
        The clock everything in this process sees.
    """

    def __init__(self, directory: Path, calendar: Calendar, clock: Traveller) -> None:
        self.directory = directory
        self.calendar = calendar
        self.clock = clock
        self.data = directory / "data"
        self._experiments: dict[str, str] = {}
        self._images: set[str] = set()

    # --- time ---

    def pass_time(self, **amount: float) -> None:
        """Let time go by, as ``timedelta`` counts it."""
        self.clock.shift(timedelta(**amount))

    def now(self) -> datetime:
        """What the clock shows."""
        return datetime.now(UTC)

    # --- MLflow: experiments and runs ---

    @property
    def client(self) -> Any:
        """MLflow's client for the estate's store."""
        import mlflow

        return mlflow.MlflowClient()

    def _experiment(self, name: str) -> str:
        if name not in self._experiments:
            location = (self.directory / "artifacts" / name).as_uri()
            self._experiments[name] = self.client.create_experiment(name, artifact_location=location)
        return self._experiments[name]

    @contextmanager
    def run(
        self,
        experiment: str,
        name: str,
        *,
        by: str,
        minutes: float,
        script: str,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        code: Code | None = None,
        image: str = "",
    ) -> Iterator[str]:
        """A run by somebody that takes so many minutes, of a commit, in an image.

        A run whose body raises ends as ``FAILED``, as MLflow has it, and the error goes on.
        """
        import mlflow

        # Created through the client: the fluent interface would add this process's user, file and Git
        # commit, which are those of whoever builds the demo and not of the story.
        created = self.client.create_run(
            self._experiment(experiment),
            run_name=name,
            tags={
                "mlflow.user": by,
                "mlflow.source.name": script,
                "mlflow.source.type": "LOCAL",
                **({"mlflow.parentRunId": parent} if parent else {}),
                **(code.tags if code else {}),
                **({"lineage.used.environment": image} if image else {}),
                **(tags or {}),
            },
        )
        with mlflow.start_run(run_id=created.info.run_id, nested=parent is not None):
            try:
                yield created.info.run_id
            finally:
                self.pass_time(minutes=minutes)

    def reads(
        self, data: Data, frame: pd.DataFrame, context: str, *, model: Logged | None = None, targets: str | None = None
    ) -> Any:
        """Log that the active run reads a dataset; gives MLflow's dataset, for metrics about it."""
        import mlflow
        from mlflow.data.pandas_dataset import from_pandas
        from mlflow.entities import LoggedModelInput

        dataset = from_pandas(frame, source=str(data.path), name=data.name, targets=targets)
        mlflow.log_input(
            dataset,
            context=context,
            tags=data.tags,
            model=LoggedModelInput(model.model_id) if model else None,
        )
        return dataset

    def writes(self, *data: Data) -> None:
        """Log which files the active run wrote, by their content.

        MLflow has no word for the output of a run that is not a model, hence the tag.
        """
        import mlflow

        mlflow.set_tag("lineage.generated", " ".join(item.ref for item in data))
        for item in data:
            mlflow.log_artifact(str(item.path))

    # --- MLflow: models ---

    def log_sklearn(self, model: Any, name: str) -> Logged:
        """Log a fitted scikit-learn model from the active run."""
        import mlflow.sklearn

        info = mlflow.sklearn.log_model(
            model,
            name=name,
            # The default format needs a package more; nothing in lineage-explorer ever loads a model.
            serialization_format="cloudpickle",
            # Inferring them would start another Python for each model.
            pip_requirements=["scikit-learn"],
        )
        return Logged(info.model_id, info.model_uri, info.run_id)

    def register(self, name: str, model: Logged, *, description: str, tags: Mapping[str, str] | None = None) -> str:
        """Register the next version of a model; gives the version."""
        from mlflow.exceptions import MlflowException

        client = self.client
        try:
            client.get_registered_model(name)
        except MlflowException:
            client.create_registered_model(name)
        created = client.create_model_version(
            name,
            source=model.uri,
            run_id=model.run_id,
            model_id=model.model_id,
            description=description,
            tags=dict(tags or {}),
        )
        return str(created.version)

    def point(self, name: str, **aliases: str) -> None:
        """Move aliases of a registered model: ``point("churn", champion="3")``."""
        for alias, version in aliases.items():
            self.client.set_registered_model_alias(name, alias, version)

    def gate(self, name: str, version: str, gate: str, **facts: str) -> None:
        """Tag a model version with a gate's result, dated now: ``gate.<gate>.<fact>``."""
        client = self.client
        for fact, value in {**facts, "at": format_instant(self.now().replace(microsecond=0))}.items():
            client.set_model_version_tag(name, version, f"gate.{gate}.{fact}", value)

    # --- the pipeline's record files ---

    def _append(self, file: str, row: Mapping[str, object]) -> None:
        # As a pipeline does with `lineage-explorer record`: checked, and one line that is never rewritten.
        append_row(self.directory / file, row)

    def deploy(
        self,
        endpoint: str,
        deployment: str,
        subject: str,
        traffic: float,
        *,
        site: str | None = None,
        by: str = _PIPELINE,
    ) -> None:
        """Record that a deployment of an endpoint runs a version from now on."""
        row: dict[str, object] = {
            "type": "deployment",
            "endpoint": endpoint,
            "deployment": deployment,
            "model": subject,
            "traffic": traffic,
            "environment": "production",
            "at": self._stamp(),
            "by": by,
        }
        self._append("deployments.jsonl", {**row, "site": site} if site else row)

    def judge(self, subject: str, gate: str, gate_type: str, status: str, *, by: str, **facts: str) -> None:
        """Record a gate's result about something, dated now."""
        self._append(
            "gates.jsonl",
            {
                "type": "gate",
                "subject": subject,
                "gate": gate,
                "gate_type": gate_type,
                "status": status,
                "by": by,
                "at": self._stamp(),
                **facts,
            },
        )

    def declare(self, row: Mapping[str, object]) -> None:
        """Record a base model in the platform team's list."""
        self._append("base-models.jsonl", row)

    def publish(self, image: str, *packages: str) -> str:
        """Record an image that runs run in, with the versions that are really installed; gives its reference."""
        if image not in self._images:
            self._images.add(image)
            installed = {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}
            self._append(
                "environments.jsonl",
                {
                    "type": "entity",
                    "ref": image,
                    "identified_by": "name_version",
                    "created_at": self._stamp(),
                    "attributes": {"packages": installed},
                },
            )
        return image

    def _stamp(self) -> str:
        return format_instant(self.now().replace(microsecond=0))


@contextmanager
def mlflow_store(database: Path) -> Iterator[None]:
    """Point MLflow at a database file, quietly, and leave the process as it was found."""
    settings: dict[str, str | None] = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        # No connection outlives its statement: the file can be read, copied and deleted at any time.
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        # Where the experiment "Default" would keep files: not in whatever folder the user stands in.
        "_MLFLOW_SERVER_ARTIFACT_ROOT": (database.parent / "artifacts").as_uri(),
        "MLFLOW_TRACKING_URI": None,
        "MLFLOW_REGISTRY_URI": None,
        "MLFLOW_RUN_ID": None,
    }
    before = {name: os.environ.get(name) for name in settings}
    _set_environment(settings)
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    # MLflow keeps one store object for each address, for the life of the process, and makes the tables
    # only when it makes the object. An address of its own for each build lets a demo be built twice.
    address = f"sqlite:///{database}?timeout={30 + next(_BUILDS)}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Any: both setters take None for "unset", and their annotations do not say so.
            mlflow: Any = importlib.import_module("mlflow")
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            tracking = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
            registry = mlflow.get_registry_uri()
            mlflow.set_tracking_uri(address)
            mlflow.set_registry_uri(address)
            try:
                yield
            finally:
                mlflow.set_tracking_uri(tracking)
                # An unset registry follows the tracking store, and must do so again.
                mlflow.set_registry_uri(None if registry == mlflow.get_tracking_uri() else registry)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        _set_environment(before)


def _set_environment(settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
