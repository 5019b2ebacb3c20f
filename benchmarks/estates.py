"""A whole estate against a policy: endpoints a second, and how that grows, beside one ``audit()`` for each endpoint.

Estates of 100, 1,000 and 10,000 endpoints as platforms have them: each endpoint with one or two deployments, a model
version, the run that trained it, two to four datasets (one in three shared with others), an evaluation of several
metrics and an approval; one endpoint in twenty lacks or fails something. The policy has twenty requirements.

Ours is ``audit_estate`` in the processes that it takes by itself; the peer is a loop over ``audit()`` in one process,
as one would write without it, over endpoints spread through the estate. The verdicts of both must agree.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.report import ROOT, Figure, parser, say, show
from lineage_explorer import open_store
from lineage_explorer.records import Activity, Agent, Entity, Evidence, Record, Relation, parse_instant

#: Generator version: part of a kept estate's file name.
EDITION = 1
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
_METRICS = ("auc", "f1", "recall", "precision")


def endpoint(chance: random.Random, index: int, shared: int) -> Iterator[Record]:
    """One endpoint and all that stands behind it."""
    name = f"e{index:05d}"
    released = _FIRST + timedelta(days=30 + chance.randrange(150), seconds=chance.randrange(86_000))
    trained = released - timedelta(days=20)
    model, run = f"model:registry/{name}@{1 + index % 4}", f"run:tracking/{chance.getrandbits(128):032x}"
    yield Entity(ref=f"endpoint:{name}")
    said = f"model:{name}@{1 + index % 4}" if index % 33 == 5 else model  # as a pipeline names it, without the registry
    shares = (100.0,) if chance.random() < 0.7 else (90.0, 10.0)
    for number, share in enumerate(shares):
        deployment = f"deployment:{name}:{('blue', 'green')[number]}"
        yield Entity(ref=deployment, attributes={"environment": "production" if index % 50 else "staging"})
        yield Relation(
            effect=f"endpoint:{name}",
            predicate="serves",
            cause=deployment,
            basis="identifier",
            slot=deployment,
            traffic=share,
            valid_from=released,
        )
        yield Relation(
            effect=deployment,
            predicate="deploys",
            cause=said,
            basis="identifier",
            slot="model",
            valid_from=released,
        )
        yield Relation(
            effect=deployment, predicate="was_associated_with", cause=f"service:{name[:3]}-cd", basis="identifier"
        )
    yield Entity(
        ref=model,
        created_at=trained,
        description=f"The model of {name}",
        attributes={"tags": {"risk": ("high", "low")[index % 2]}, "framework": "sklearn", "intended_use": "scoring"},
        digest=f"sha256:{chance.getrandbits(256):064x}",
    )
    yield Activity(
        ref=run,
        activity="training",
        status="FINISHED",
        started_at=trained - timedelta(hours=2),
        ended_at=trained,
        attributes={"params": {"model_type": "gbm"}, "metrics": {"auc": 0.91}, "git_commit": name},
    )
    yield Relation(
        effect=run, predicate="was_associated_with", cause=f"person:u{chance.randrange(200)}", basis="identifier"
    )
    yield Relation(effect=model, predicate="was_generated_by", cause=run, basis="identifier", event_time=trained)
    for number in range(chance.randint(2, 4)):
        own = number == 0 or chance.random() < 0.5
        data = f"dataset:lake/{name}-{number}@1" if own else f"dataset:lake/shared-{chance.randrange(shared)}@1"
        if own:
            digest = {"digest": f"sha256:{chance.getrandbits(256):064x}"} if index % 21 else {}
            yield Entity(ref=data, created_at=trained - timedelta(days=5), **digest)
        yield Relation(
            effect=run,
            predicate="used",
            cause=data,
            basis="identifier",
            role="training",
            event_time=trained - timedelta(hours=2),
        )
    for metric in _METRICS[: chance.randint(2, 4)]:
        value = 0.9 + chance.random() / 10 - (0.3 if index % 23 == 7 else 0)
        yield Evidence(
            subject=model,
            gate=metric,
            gate_type="evaluation",
            status="passed" if value >= 0.85 else "failed",
            grade="recomputed",
            expected=f"{metric} >= 0.85",
            actual=f"{value:.4f}",
            event_time=trained + timedelta(days=1),
            pointer=run,
        )
    if index % 20 != 3:
        yield Evidence(
            subject=model,
            gate="release",
            gate_type="approval",
            status="passed",
            grade="referenced",
            evaluator=f"person:lead{index % 17}",
            event_time=released - timedelta(days=2),
        )


def records(count: int, seed: int = 1) -> Iterator[Record]:
    """An estate of so many endpoints; the same seed and size give the same."""
    chance = random.Random(f"{seed}/{count}")
    shared = max(5, count // 20)
    for index in range(shared):
        yield Entity(ref=f"dataset:lake/shared-{index}@1", digest=f"sha256:{chance.getrandbits(256):064x}")
    for index in range(count):
        yield from endpoint(chance, index, shared)
