"""What MLflow keeps, as plain rows: the same whether they came from a database file or over HTTP.

Both readers yield these, one mapping turns them into records; so the two ways cannot disagree about
what a row means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import ClassVar, NamedTuple, Protocol

import msgspec

#: States of a run that goes on.
UNFINISHED = frozenset(("RUNNING", "SCHEDULED"))


class MetricPoint(NamedTuple):
    """One logged value. Compared as MLflow does to find the latest: step, then time, then value."""

    step: int
    timestamp: int
    value: float


class ModelMetric(msgspec.Struct, frozen=True):
    """A value of a logged model's metric, with the run that measured it and the data it was measured on."""

    name: str
    run_id: str
    point: MetricPoint
    dataset_name: str = ""
    dataset_digest: str = ""


class DatasetInput(msgspec.Struct, frozen=True):
    """A dataset that a run read, as MLflow recorded it."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    profile: str = ""
    schema: str = ""
    tags: dict[str, str] = {}


class Experiment(msgspec.Struct, frozen=True):
    """A row of ``experiments`` with its tags."""

    experiment_id: str
    name: str
    lifecycle_stage: str
    created: int | None = None
    updated: int | None = None
    tags: dict[str, str] = {}


class Run(msgspec.Struct, frozen=True):
    """A row of ``runs`` with everything that hangs on it."""

    run_id: str
    experiment_id: str
    name: str
    user: str
    status: str
    lifecycle_stage: str
    started: int | None = None
    ended: int | None = None
    params: dict[str, str] = {}
    metrics: dict[str, MetricPoint] = {}
    tags: dict[str, str] = {}
    inputs: list[DatasetInput] = []
    model_inputs: list[str] = []
    model_outputs: list[str] = []


class LoggedModel(msgspec.Struct, frozen=True):
    """A row of ``logged_models`` (MLflow 3)."""

    model_id: str
    experiment_id: str
    name: str
    status: str
    lifecycle_stage: str = "active"
    created: int | None = None
    updated: int | None = None
    source_run_id: str = ""
    model_type: str = ""
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: list[ModelMetric] = []


class RegisteredModel(msgspec.Struct, frozen=True):
    """A name in the registry, with its aliases."""

    name: str
    created: int | None = None
    updated: int | None = None
    description: str = ""
    tags: dict[str, str] = {}
    aliases: dict[str, str] = {}


class Version(msgspec.Struct, frozen=True):
    """A version of a registered name."""

    name: str
    version: str
    created: int | None = None
    updated: int | None = None
    description: str = ""
    user: str = ""
    stage: str = ""
    source: str = ""
    run_id: str = ""
    status: str = ""
    workspace: str = ""
    tags: dict[str, str] = {}

    @property
    def deleted(self) -> bool:
        """Whether only the shell is left: MLflow redacts source and run of a deleted version."""
        return self.stage == "Deleted_Internal"


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """The logged models that a run had read when a server was asked, and when the run had ended by then."""

    ended: int | None
    models: list[str]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the runs; :mod:`.changes` says which, the readers fetch them and no others.

    Attributes
    ----------
    since : int
        Milliseconds: runs that started or ended (or, where it is recorded, were deleted) at that time or later.
    experiments : set of str
        All runs of these.
    runs : mapping
        By experiment, these runs; those under an empty text may be in any experiment.
    model_inputs : mapping
        What is known already of the logged models that finished runs read.

    Runs that are not finished are always among the chosen.
    """

    since: int
    experiments: frozenset[str] = frozenset()
    runs: Mapping[str, frozenset[str]] = {}
    model_inputs: Mapping[str, Asked] = {}


class Unreadable(msgspec.Struct, frozen=True):
    """A row that is not what its table or API promises."""

    reason: str
    position: str
    excerpt: str = ""


def newest(metrics: Iterable[ModelMetric]) -> list[ModelMetric]:
    """Of each metric, run and dataset the point that MLflow calls the latest.

    Examples
    --------
    >>> points = [ModelMetric("auc", "r", MetricPoint(step, 0, 0.5)) for step in (0, 2, 1)]
    >>> [metric.point.step for metric in newest(points)]
    [2]
    """
    best: dict[tuple[str, str, str, str], ModelMetric] = {}
    for metric in metrics:
        key = (metric.name, metric.run_id, metric.dataset_name, metric.dataset_digest)
        if key not in best or metric.point > best[key].point:
            best[key] = metric
    return [best[key] for key in sorted(best)]


class Rows(Protocol):
    """Reads one MLflow instance. Each method is called once per sync, in this order."""

    #: ``file`` or ``server``: the two do not show all the same.
    kind: ClassVar[str]

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        """Active and deleted experiments."""
        ...

    def registered_models(self) -> Iterator[RegisteredModel | Unreadable]:
        """Models and prompts of the registry."""
        ...

    def versions(self) -> Iterator[Version | Unreadable]:
        """Versions of models and prompts."""
        ...

    def logged_models(self, experiments: Iterable[str]) -> Iterator[LoggedModel | Unreadable]:
        """Logged models of these experiments."""
        ...

    def runs(
        self, experiments: Iterable[str], asked: Set[str], chosen: Selection | None = None
    ) -> Iterator[Run | Unreadable]:
        """Active and deleted runs, or the chosen ones; of ``asked`` it matters which logged models they read."""
        ...

    def metric_history(self, wanted: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], MetricPoint]]:
        """Every point of these (run id, metric name) pairs."""
        ...

    def model_inputs(self, again: Set[str]) -> dict[str, Asked]:
        """What was costly to find out about finished runs, for a later :class:`Selection` of the runs ``again``."""
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...
