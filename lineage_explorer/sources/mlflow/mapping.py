"""One MLflow instance as records, in the order that lets each row be read once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

import msgspec

from ...errors import InvalidRecord
from ...records import Evidence, Record
from ..protocol import Observation, Rejected
from .changes import REGISTRY, RUNS, Cursor, Progress, selection
from .datasets import Datasets
from .gates import Claim, claims, evidence, not_after
from .measurements import measurements, unlinked_measurements
from .names import Names, written_instant
from .registry import Registry, logged_model_of
from .rows import LoggedModel, MetricPoint, ModelMetric, Rows, Run, Selection, Unreadable
from .runs import Runs, Seen

Row = TypeVar("Row")


class Translation:
    """Reads :class:`~.rows.Rows` and yields records.

    The registry and the logged models come first: they tell which runs made models, and which metrics of
    which runs the gates will ask for; the runs then pass by once, and the evidence follows.
    """

    def __init__(self, rows: Rows, namespace: str, before: Cursor | None = None) -> None:
        self._rows = rows
        self._before = before
        self._progress = Progress(int(time.time() * 1000), before)
        self._names = Names(namespace)
        self._datasets = Datasets(self._names, before.datasets if before else None)
        self._rejected: list[Rejected] = []
        self._claims: list[Claim] = []
        self._claims_of_runs: list[Claim] = []
        self._measured: dict[str, list[ModelMetric]] = {}
        self._made_by: dict[str, str] = {}
        self._retained: set[str] = set()
        self._wanted: set[tuple[str, str]] = set()
        self._stated: set[tuple[str, str, str]] = set()
        self._latest: dict[tuple[str, str], MetricPoint] = {}
        self._seen: dict[str, Seen] = {}
        #: The parts that were read in full, and what the next read needs to know; both once all is read.
        self.enumerated: frozenset[str] = frozenset()
        self.cursor: dict[str, Any] = {}

    def records(self) -> Iterator[Observation | Rejected]:
        """Everything, or after an earlier read what may have changed since, one record at a time."""
        experiments = list(self._readable(self._rows.experiments()))
        ids = [row.experiment_id for row in experiments]
        registry = Registry(
            self._names,
            self._datasets,
            self._readable(self._rows.registered_models()),
            self._readable(self._rows.versions()),
        )
        models = list(self._readable(self._rows.logged_models(ids)))
        self._made_by = {row.model_id: row.source_run_id for row in models}
        active = {row.model_id: row.source_run_id for row in models if row.lifecycle_stage != "deleted"}
        made_models = registry.runs() | set(self._made_by.values())
        runs = Runs(self._names, self._datasets, self._made_by, made_models, self._measured_by(models))
        for experiment in experiments:
            yield from self._observed(
                runs.of_experiment(experiment, self._rejected), f"experiments/{experiment.experiment_id}", REGISTRY
            )
        for name in registry.models:
            position = f"registered-models/{name.name}"
            yield from self._observed(registry.of_name(name, self._rejected), position, REGISTRY)
            self._collect(registry.claims_of_name(name), position)
        for version in registry.versions:
            position = f"versions/{version.name}/{version.version}"
            yield from self._observed(registry.of_version(version, active, self._rejected), position, REGISTRY)
            self._collect(registry.claims_of_version(version), position)
        for model in models:
            position = f"logged-models/{model.model_id}"
            yield from self._observed(runs.of_model(model, self._rejected), position, REGISTRY)
            self._collect(self._claims_of_model(model), position)
        yield from self._drained(REGISTRY)
        self._wanted = {claim.wanted for claim in self._claims if claim.wanted}
        self._stated = {found for claim in self._claims if (found := claim.measurement)}
        measuring = {metric.run_id for metrics in self._measured.values() for metric in metrics}
        self._retained = measuring | {run_id for run_id, _ in self._wanted}
        referred = self._referred(registry)
        chosen = None if self._before is None else selection(self._before, experiments, models, referred)
        models.clear()
        unlinked = {claim.run_id for claim in self._claims if claim.run_id and claim.run_id not in claim.linked_runs}
        for run in self._readable(self._rows.runs(ids, (unlinked - measuring) | registry.runs(), chosen)):
            yield from self._of_run(runs, run)
        yield from self._observed(self._datasets.entities(), "datasets", RUNS)
        yield from self._observed_each(self._measurements(chosen), RUNS)
        history = self._history()
        yield from self._observed_each(self._judged(self._claims, history), REGISTRY)
        yield from self._observed_each(self._judged(self._claims_of_runs, history), RUNS)
        again = self._progress.again(referred)
        self.cursor = self._progress.cursor(
            self._rows.kind,
            self._names.namespace,
            again=again,
            experiments=experiments,
            datasets=self._datasets.notes(),
            model_inputs=self._rows.model_inputs(set(chain.from_iterable(again.values()))),
        )
        self.enumerated = frozenset((REGISTRY, RUNS)) if chosen is None else frozenset((REGISTRY,))

    def _referred(self, registry: Registry) -> set[str]:
        """Runs that versions come from and gates of the registry point at; they are read every time."""
        logged = (logged_model_of(row) for row in registry.versions if not row.deleted)
        made = {self._made_by.get(model, "") for model in logged}
        return (registry.runs() | made | {claim.run_id for claim in self._claims}) - {""}

    # --- bookkeeping ----------------------------------------------------------------------------

    def _readable(self, rows: Iterable[Row | Unreadable]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row, Unreadable):
                self._rejected.append(Rejected(reason=row.reason, position=row.position, excerpt=row.excerpt))
            else:
                yield row

    def _observed(self, records: Iterator[Record], position: str, part: str) -> Iterator[Observation | Rejected]:
        try:
            for record in records:
                yield Observation(record=record, position=position, part=part)
        except InvalidRecord as error:
            self._rejected.append(Rejected(reason=error.reason, position=position))
        yield from self._drained(part)

    def _observed_each(self, records: Iterable[tuple[Record, str]], part: str) -> Iterator[Observation | Rejected]:
        for record, position in records:
            yield Observation(record=record, position=position, part=part)
        yield from self._drained(part)

    def _drained(self, part: str) -> Iterator[Rejected]:
        for item in self._rejected:
            yield msgspec.structs.replace(item, part=part)
        self._rejected.clear()

    def _collect(self, found: Iterator[Claim], position: str, *, of_run: bool = False) -> None:
        try:
            (self._claims_of_runs if of_run else self._claims).extend(found)
        except InvalidRecord as error:
            self._rejected.append(Rejected(reason=f"its gates are not read: {error.reason}", position=position))

    def _measured_by(self, models: Iterable[LoggedModel]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for model in models:
            for metric in model.metrics:
                found[metric.run_id].add(model.model_id)
        return found

    def _claims_of_model(self, row: LoggedModel) -> Iterator[Claim]:
        if row.metrics:
            self._measured[row.model_id] = row.metrics
        subject = self._names.logged_model(row.model_id)
        yield from claims(
            subject,
            row.tags,
            f"logged-models/{row.model_id}",
            linked_runs=(row.source_run_id,),
            model_id=row.model_id,
        )

    # --- runs -----------------------------------------------------------------------------------

    def _of_run(self, runs: Runs, row: Run) -> Iterator[Observation | Rejected]:
        position = f"runs/{row.run_id}"
        seen = Seen()
        yield from self._observed(runs.of_run(row, seen, self._rejected), position, RUNS)
        self._progress.saw(row)
        subject = self._names.run(row.run_id)
        before = len(self._claims_of_runs)
        self._collect(claims(subject, row.tags, position, linked_runs=(row.run_id,)), position, of_run=True)
        gates = self._claims_of_runs[before:]
        own = {claim.wanted for claim in gates}
        if gates:
            self._progress.evident.update((row.run_id, *(claim.run_id for claim in gates)))
        for name, point in row.metrics.items():
            if (row.run_id, name) in self._wanted or (row.run_id, name) in own:
                self._latest[row.run_id, name] = point
        if row.run_id in self._retained:
            self._seen[row.run_id] = seen
        yield from self._observed(self._unlinked(row, seen), position, RUNS)

    def _unlinked(self, row: Run, seen: Seen) -> Iterator[Evidence]:
        for item in unlinked_measurements(self._names, row, seen, self._measured):
            self._progress.evident.add(row.run_id)
            if (item.subject, item.gate, row.run_id) not in self._stated:
                yield item

    def _measurements(self, chosen: Selection | None) -> Iterator[tuple[Evidence, str]]:
        for run_id, item, position in measurements(self._names, self._measured, self._made_by, self._seen):
            # What a run measured is told with the run: of one that was not read, its data is not known.
            if chosen is not None and run_id not in self._seen:
                continue
            self._progress.evident.add(run_id)
            if (item.subject, item.gate, run_id) not in self._stated:
                yield item, position

    # --- gates ----------------------------------------------------------------------------------

    def _history(self) -> dict[tuple[str, str], list[MetricPoint]]:
        history: dict[tuple[str, str], list[MetricPoint]] = defaultdict(list)
        for measured, point in self._rows.metric_history(sorted(self._pairs_of_history())):
            history[measured].append(point)
        return history

    def _judged(
        self, found: Iterable[Claim], history: dict[tuple[str, str], list[MetricPoint]]
    ) -> Iterator[tuple[Evidence, str]]:
        for claim in found:
            pair = claim.wanted
            points: list[MetricPoint] = []
            if pair is not None:
                points = history.get(pair) or ([self._latest[pair]] if pair in self._latest else [])
            yield evidence(claim, self._names, points, self._linked(claim), self._rejected), claim.position

    def _pairs_of_history(self) -> set[tuple[str, str]]:
        # The latest point answers unless it is younger than the judgement: most gates need no more.
        needed = set()
        for claim in chain(self._claims, self._claims_of_runs):
            pair = claim.wanted
            if pair is None:
                continue
            if pair[0] not in self._progress.experiment_of:
                # A run that is not there; or, when a gate of another run points at it, one that was not chosen.
                if self._before is not None and pair not in self._wanted:
                    needed.add(pair)
                continue
            at = written_instant(claim.fields.get("at", ""), "", [])
            latest = self._latest.get(pair)
            if (latest is None and pair not in self._wanted) or (latest is not None and not not_after(latest, at)):
                needed.add(pair)
        return needed

    def _linked(self, claim: Claim) -> bool:
        run_id = claim.run_id
        if not run_id:
            return False
        judged = self._seen[run_id].judged if run_id in self._seen else set()
        model = self._names.logged_model(claim.model_id) if claim.model_id else ""
        return (
            run_id in claim.linked_runs
            or claim.subject in judged
            or model in judged
            or any(metric.run_id == run_id for metric in self._measured.get(claim.model_id, ()))
        )
