"""The whole of one MLflow instance as records, in the order that lets each row be read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ...errors import InvalidRecord
from ...records import Evidence, Record
from ..protocol import Observation, Rejected
from .datasets import Datasets
from .gates import Claim, claims, evidence, not_after
from .measurements import measurements, unlinked_measurements
from .names import Names, written_instant
from .registry import Registry
from .rows import LoggedModel, MetricPoint, ModelMetric, Rows, Run, Unreadable
from .runs import Runs, Seen

Row = TypeVar("Row")


class Translation:
    """Reads :class:`~.rows.Rows` and yields records.

    The registry and the logged models come first: they tell which runs made models, and which metrics of
    which runs the gates will ask for; the runs then pass by once, and the evidence follows.
    """

    def __init__(self, rows: Rows, namespace: str) -> None:
        self._rows = rows
        self._names = Names(namespace)
        self._datasets = Datasets(self._names)
        self._rejected: list[Rejected] = []
        self._claims: list[Claim] = []
        self._measured: dict[str, list[ModelMetric]] = {}
        self._made_by: dict[str, str] = {}
        self._retained: set[str] = set()
        self._wanted: set[tuple[str, str]] = set()
        self._run_ids: set[str] = set()
        self._latest: dict[tuple[str, str], MetricPoint] = {}
        self._seen: dict[str, Seen] = {}

    def records(self) -> Iterator[Observation | Rejected]:
        """Everything, one record at a time."""
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
                runs.of_experiment(experiment, self._rejected), f"experiments/{experiment.experiment_id}"
            )
        for name in registry.models:
            position = f"registered-models/{name.name}"
            yield from self._observed(registry.of_name(name, self._rejected), position)
            self._collect(registry.claims_of_name(name), position)
        for version in registry.versions:
            position = f"versions/{version.name}/{version.version}"
            yield from self._observed(registry.of_version(version, active, self._rejected), position)
            self._collect(registry.claims_of_version(version), position)
        for model in models:
            position = f"logged-models/{model.model_id}"
            yield from self._observed(runs.of_model(model, self._rejected), position)
            self._collect(self._claims_of_model(model), position)
        models.clear()
        self._wanted = {claim.wanted for claim in self._claims if claim.wanted}
        measuring = {metric.run_id for metrics in self._measured.values() for metric in metrics}
        self._retained = measuring | {run_id for run_id, _ in self._wanted}
        unlinked = {claim.run_id for claim in self._claims if claim.run_id and claim.run_id not in claim.linked_runs}
        for run in self._readable(self._rows.runs(ids, (unlinked - measuring) | registry.runs())):
            yield from self._of_run(runs, run)
        yield from self._observed(self._datasets.entities(), "datasets")
        yield from self._observed_each(measurements(self._names, self._measured, self._made_by, self._seen))
        yield from self._observed_each(self._judged())

    # --- bookkeeping ----------------------------------------------------------------------------

    def _readable(self, rows: Iterable[Row | Unreadable]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row, Unreadable):
                self._rejected.append(Rejected(reason=row.reason, position=row.position, excerpt=row.excerpt))
            else:
                yield row

    def _observed(self, records: Iterator[Record], position: str) -> Iterator[Observation | Rejected]:
        try:
            for record in records:
                yield Observation(record=record, position=position)
        except InvalidRecord as error:
            self._rejected.append(Rejected(reason=error.reason, position=position))
        yield from self._drained()

    def _observed_each(self, records: Iterable[tuple[Record, str]]) -> Iterator[Observation | Rejected]:
        for record, position in records:
            yield Observation(record=record, position=position)
        yield from self._drained()

    def _drained(self) -> Iterator[Rejected]:
        yield from self._rejected
        self._rejected.clear()

    def _collect(self, found: Iterator[Claim], position: str) -> None:
        try:
            self._claims.extend(found)
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
        yield from self._observed(runs.of_run(row, seen, self._rejected), position)
        self._run_ids.add(row.run_id)
        subject = self._names.run(row.run_id)
        before = len(self._claims)
        self._collect(claims(subject, row.tags, position, linked_runs=(row.run_id,)), position)
        own = {claim.wanted for claim in self._claims[before:]}
        for name, point in row.metrics.items():
            if (row.run_id, name) in self._wanted or (row.run_id, name) in own:
                self._latest[row.run_id, name] = point
        if row.run_id in self._retained:
            self._seen[row.run_id] = seen
        yield from self._observed(unlinked_measurements(self._names, row, seen, self._measured), position)

    # --- gates ----------------------------------------------------------------------------------

    def _judged(self) -> Iterator[tuple[Evidence, str]]:
        history: dict[tuple[str, str], list[MetricPoint]] = defaultdict(list)
        for measured, point in self._rows.metric_history(sorted(self._pairs_of_history())):
            history[measured].append(point)
        for claim in self._claims:
            pair = claim.wanted
            points: list[MetricPoint] = []
            if pair is not None:
                points = history.get(pair) or ([self._latest[pair]] if pair in self._latest else [])
            yield evidence(claim, self._names, points, self._linked(claim), self._rejected), claim.position

    def _pairs_of_history(self) -> set[tuple[str, str]]:
        # The latest point answers unless it is younger than the judgement: most gates need no more.
        needed = set()
        for claim in self._claims:
            pair = claim.wanted
            if pair is None or pair[0] not in self._run_ids:
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
