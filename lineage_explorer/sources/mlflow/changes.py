"""What a later read may leave out: the cursor between two reads, and the rule which runs are read again.

One rule for files and servers. Of the runs those are read again that

- ended or started no earlier than shortly before the newest time that had been seen (:data:`OVERLAP`),
- are not finished, or were not when they were last read,
- a version refers to, itself or through its logged model, or referred to when it was last read,
- carry evidence: they have gates, a gate points at them, or they measured a model,
- made or measured a logged model that is newer than the last read,
- lie in an experiment that is new, renamed, deleted or restored.

Everything else is read again every time, because MLflow moves no timestamp when an alias or a tag changes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Annotated, Any, Literal

import msgspec

from ...records import Basis
from ...version import __version__
from .rows import UNFINISHED, Asked, Experiment, LoggedModel, Run, Selection

#: The part that every read reads in full: experiments, registered models and prompts, versions, aliases,
#: logged models, and the gates on them.
REGISTRY = "registry"
#: The part that is read as it changes: runs and all that runs say, and the datasets that any row names.
RUNS = "runs"
#: In milliseconds. ``end_time`` and ``start_time`` are set by the clocks of many clients, and a client may
#: report the end of a run only when its network is back. An hour covers clocks that are wrong by that much
#: (daylight saving among them) and costs the runs of one hour.
OVERLAP = 3_600_000


class DatasetNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all runs together have said about one dataset."""

    bases: Annotated[list[Basis], msgspec.Meta(min_length=1)]
    digests: list[str] = []
    facts: dict[str, list[str]] = {}
    rows: int | None = None


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """What one read leaves for the next, as plain JSON.

    Attributes
    ----------
    format : int
        Of this structure.
    reader : str
        The version of lineage-explorer: another one may make other records of the same rows.
    kind, namespace : str
        Of the source. A server hides what its file shows.
    watermark : int or None
        The newest start or end of a run, in milliseconds, that was not later than the read itself.
    again : dict
        By experiment, the runs to read again whatever their times say.
    experiments : dict
        By id, a digest of name and state: a run's record has its experiment's name in it.
    datasets : dict
        By reference: a dataset's record is made of what many runs say, most of which are not read again.
    model_inputs : dict
        By id, the logged models that finished runs read; a server tells that only run by run.
    """

    format: Literal[1] = 1
    reader: str
    kind: str
    namespace: str
    watermark: int | None
    again: dict[str, list[str]]
    experiments: dict[str, str]
    datasets: dict[str, DatasetNote]
    model_inputs: dict[str, Asked]


def usable(cursor: Mapping[str, Any], kind: str, namespace: str) -> Cursor | None:
    """The cursor of an earlier read of this source; None when it is no such thing, and all must be read.

    Examples
    --------
    >>> usable({"format": 0}, "file", "mlflow-1") is None
    True
    """
    try:
        found = msgspec.convert(dict(cursor), Cursor)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        return None
    same = (found.reader, found.kind, found.namespace) == (__version__, kind, namespace)
    return found if same and found.watermark is not None and found.watermark > 0 else None


def selection(
    before: Cursor, experiments: Iterable[Experiment], models: Iterable[LoggedModel], referred: Set[str]
) -> Selection:
    """Which runs to read, by the rule above.

    Parameters
    ----------
    before : Cursor
        What the earlier read left.
    experiments, models : iterables
        All there are now.
    referred : set of str
        Runs that versions and gates of the registry name now.
    """
    since = max(0, (before.watermark or 0) - OVERLAP)
    late = set(referred)
    for model in models:
        if max(model.created or 0, model.updated or 0) >= since:
            late.add(model.source_run_id)
        late.update(metric.run_id for metric in model.metrics if metric.point.timestamp >= since)
    runs = {experiment: frozenset(ids) for experiment, ids in before.again.items()}
    runs[""] = frozenset(late.difference(*runs.values()) - {""})
    return Selection(
        since=since,
        experiments=frozenset(
            row.experiment_id for row in experiments if before.experiments.get(row.experiment_id) != _state(row)
        ),
        runs=runs,
        model_inputs=before.model_inputs,
    )


class Progress:
    """What a read has seen of the runs, from which the next cursor is made.

    Parameters
    ----------
    began : int
        When the read began, in milliseconds: a time in the future is somebody's wrong clock, and no watermark.
    before : Cursor or None
        What the earlier read left.
    """

    def __init__(self, began: int, before: Cursor | None) -> None:
        self._began = began
        self._newest = before.watermark if before else None
        self.experiment_of: dict[str, str] = {}
        self.unfinished: set[str] = set()
        self.evident: set[str] = set()

    def saw(self, row: Run) -> None:
        """Note a run that was read."""
        self.experiment_of[row.run_id] = row.experiment_id
        for time in (row.started, row.ended):
            if time is not None and time <= self._began and (self._newest is None or time > self._newest):
                self._newest = time
        if row.lifecycle_stage != "deleted" and (row.ended is None or row.status in UNFINISHED):
            self.unfinished.add(row.run_id)

    def again(self, referred: Set[str]) -> dict[str, list[str]]:
        """The runs that the next read must read, by experiment."""
        found: dict[str, list[str]] = defaultdict(list)
        # Only runs that are there: what tags call a run may be any text, and is found in the tags again.
        for run_id in sorted((self.unfinished | self.evident | referred) & self.experiment_of.keys()):
            found[self.experiment_of[run_id]].append(run_id)
        return dict(found)

    def cursor(
        self,
        kind: str,
        namespace: str,
        *,
        again: dict[str, list[str]],
        experiments: Iterable[Experiment],
        datasets: dict[str, DatasetNote],
        model_inputs: dict[str, Asked],
    ) -> dict[str, Any]:
        """The next cursor."""
        plain: dict[str, Any] = msgspec.to_builtins(
            Cursor(
                reader=__version__,
                kind=kind,
                namespace=namespace,
                watermark=None if self._newest is None else min(self._newest, self._began),
                again=again,
                experiments={row.experiment_id: _state(row) for row in experiments},
                datasets=datasets,
                model_inputs=model_inputs,
            )
        )
        return plain


def _state(row: Experiment) -> str:
    said = f"{row.lifecycle_stage}\0{row.name}".encode("utf-8", "backslashreplace")
    return hashlib.sha256(said).hexdigest()[:12]
