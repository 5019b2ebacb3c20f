"""Metrics of models as evidence: measured, but judged by nobody until a policy states a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...records import Evidence
from .gates import number
from .names import Names, instant
from .rows import MetricPoint, ModelMetric, Run
from .runs import Read, Seen


def measurements(
    names: Names,
    measured: Mapping[str, list[ModelMetric]],
    made_by: Mapping[str, str],
    seen: Mapping[str, Seen],
) -> Iterator[tuple[str, Evidence, str]]:
    """Evidence from the metrics that MLflow keeps with a logged model, with the run's id and its position.

    What the training run itself measured, on training data or on data it does not name, is how training
    went and not an evaluation: it stays with the model's attributes.
    """
    for model_id, metrics in measured.items():
        subject = names.logged_model(model_id)
        position = f"logged-models/{model_id}/metrics"
        said = set()
        for metric in metrics:
            run = seen.get(metric.run_id)
            read = run.dataset(metric.dataset_name, metric.dataset_digest) if run else None
            training = metric.run_id == made_by.get(model_id)
            if training and (not metric.dataset_name or (read and read.role == "training")):
                continue
            # One run may measure one metric on two datasets within a millisecond.
            gate = metric.name
            if (gate, metric.run_id, metric.point.timestamp) in said:
                gate = f"{metric.name} on {metric.dataset_name}@{metric.dataset_digest}"
            said.add((gate, metric.run_id, metric.point.timestamp))
            if read is None and metric.dataset_name:
                dataset = names.ref("dataset", metric.dataset_name, metric.dataset_digest)
            else:
                dataset = _only(run) if read is None else read.identity.ref
            yield metric.run_id, _evidence(names, subject, gate, metric.run_id, metric.point, dataset), position


def unlinked_measurements(
    names: Names, row: Run, seen: Seen, measured: Mapping[str, list[ModelMetric]]
) -> Iterator[Evidence]:
    """Evidence from an evaluation run that read exactly one model and logged its metrics without naming it."""
    if seen.activity != "evaluation" or len(seen.judged) != 1 or row.model_outputs:
        return
    (subject,) = seen.judged
    told = {
        metric.name for model_id in seen.models for metric in measured.get(model_id, ()) if metric.run_id == row.run_id
    }
    for name, point in row.metrics.items():
        if name not in told:
            yield _evidence(names, subject, name, row.run_id, point, _only(seen))


def _only(seen: Seen | None) -> str:
    reads: list[Read] = seen.datasets if seen else []
    return reads[0].identity.ref if len(reads) == 1 else ""


def _evidence(names: Names, subject: str, gate: str, run_id: str, point: MetricPoint, dataset: str) -> Evidence:
    attributes: dict[str, Any] = {"step": point.step}
    if dataset:
        attributes["dataset"] = dataset
    return Evidence(
        subject=subject,
        gate=gate,
        gate_type="evaluation",
        status="undetermined",
        grade="referenced",
        actual=number(point.value),
        event_time=instant(point.timestamp, "", []),
        pointer=names.run(run_id),
        attributes=attributes,
    )
