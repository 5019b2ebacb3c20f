"""Small estates written as records, for tests of reasoning (tests of sources use real tools)."""

from __future__ import annotations

from typing import Any

from lineage_explorer.records import Activity, Entity, Evidence, Record, Relation, parse_instant


def at(day: str) -> Any:
    """An instant of 2026, as ``MM-DD``."""
    return parse_instant(f"2026-{day}T00:00:00Z")


def used(run: str, data: str, day: str, role: str = "training", **more: Any) -> Relation:
    return Relation(effect=run, predicate="used", cause=data, basis="identifier", role=role, event_time=at(day), **more)


def wrote(data: str, run: str, day: str, **more: Any) -> Relation:
    return Relation(
        effect=data, predicate="was_generated_by", cause=run, basis="identifier", event_time=at(day), **more
    )


def serves(
    endpoint: str, deployment: str, model: str, day: str, traffic: float | None = 100.0, **more: Any
) -> list[Record]:
    site = more.get("site", "")
    return [
        Entity(ref=endpoint),
        Entity(ref=deployment),
        Relation(
            effect=endpoint,
            predicate="serves",
            cause=deployment,
            basis="identifier",
            slot=f"{deployment}|{site}",
            valid_from=at(day),
            traffic=traffic,
            **more,
        ),
        Relation(
            effect=deployment, predicate="deploys", cause=model, basis="identifier", slot="model", valid_from=at(day)
        ),
    ]


def gate(subject: str, gate_type: str, day: str, status: str = "passed", **more: Any) -> Evidence:
    return Evidence(
        subject=subject,
        gate=more.pop("gate", gate_type),
        gate_type=gate_type,  # type: ignore[arg-type]
        status=status,  # type: ignore[arg-type]
        event_time=at(day),
        **more,
    )


def complete() -> list[Record]:
    """An endpoint whose every hop and gate is on record: PASSED."""
    return [
        *serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "03-01"),
        Entity(ref="model:churn@1"),
        Activity(ref="run:train", activity="training"),
        Activity(ref="run:prep", activity="transform"),
        Entity(ref="dataset:features@1"),
        Entity(ref="dataset:raw@1"),
        Relation(effect="model:churn@1", predicate="was_generated_by", cause="run:train", basis="identifier"),
        used("run:train", "dataset:features@1", "02-01"),
        wrote("dataset:features@1", "run:prep", "01-31"),
        used("run:prep", "dataset:raw@1", "01-30", role="input"),
        gate("model:churn@1", "evaluation", "02-10", expected="auc >= 0.8", actual="0.9", grade="recomputed"),
        gate("model:churn@1", "approval", "02-20", evaluator="person:mia"),
    ]
