"""A small world in which everything that is compared is on record, to be changed in one place by each test."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lineage_explorer import Audit, audit, open_store
from lineage_explorer.records import from_json

Record = dict[str, Any]
World = dict[str, Record]
Change = Callable[[World], None]
A, B, C, D = ("sha256:" + digit * 64 for digit in "abcd")
_numbers = itertools.count()
#: Audits by what was asked of which records: most tests compare with one and the same world.
_asked: dict[str, Audit] = {}


def world(making: str = "1") -> World:
    """One endpoint and all that its model was made from; ``making`` names what another training would make anew."""
    model, logged, train, judge = (
        f"model:churn@{making}",
        f"logged_model:m-{making}",
        f"run:train-{making}",
        f"run:eval-{making}",
    )
    deployment = f"deployment:e:blue@2026-03-0{making}T00:00:00Z"
    when = f"2026-02-0{making}T00:00:00Z"

    def entity(ref: str, **fields: Any) -> Record:
        return {"type": "entity", "ref": ref, **fields}

    def link(effect: str, predicate: str, cause: str, **fields: Any) -> Record:
        return {
            "type": "relation",
            "effect": effect,
            "predicate": predicate,
            "cause": cause,
            "basis": "identifier",
            **fields,
        }

    def used(run: str, cause: str, role: str) -> Record:
        return link(run, "used", cause, role=role, event_time=when)

    def run(ref: str, activity: str, **attributes: Any) -> Record:
        return {"type": "activity", "ref": ref, "activity": activity, "status": "FINISHED", "attributes": attributes}

    def gate(subject: str, name: str, kind: str, **fields: Any) -> Record:
        return {
            "type": "evidence",
            "subject": subject,
            "gate": name,
            "gate_type": kind,
            "status": "passed",
            "event_time": when,
            **fields,
        }

    params = {"C": "1.0", "solver": "lbfgs"}
    return {
        "endpoint": entity("endpoint:e"),
        "deployment": entity(deployment, attributes={"environment": "production"}),
        "serves": link(
            "endpoint:e",
            "serves",
            deployment,
            traffic=100.0,
            slot="blue",
            valid_from=f"2026-03-0{making}T00:00:00Z",
        ),
        "deploys": link(deployment, "deploys", model, slot="model", valid_from=f"2026-03-0{making}T00:00:00Z"),
        "model": entity(model, created_at=when),
        "logged": entity(logged, attributes={"name": "classifier", "params": dict(params), "metrics": {"auc": 0.9}}),
        "registered": link(model, "was_derived_from", logged),
        "made": link(logged, "was_generated_by", train),
        "train": run(
            train,
            "training",
            name=f"train-v{making}",
            params=dict(params),
            metrics={"loss": 0.3, "cost": 7.0},
            tags={"mlflow.source.name": "train.py"},
        ),
        "judge": run(judge, "evaluation", name=f"evaluate-v{making}", metrics={"auc": 0.9}),
        "judged": used(judge, logged, "evaluation"),
        "held": used(judge, "dataset:holdout@1", "evaluation"),
        "reads": used(train, "dataset:features@1", "training"),
        "wrote": link("dataset:features@1", "was_generated_by", "run:prep", event_time="2026-01-02T00:00:00Z"),
        "prep": run(
            "run:prep", "transform", name="prepare", params={"drop": "yes"}, tags={"mlflow.source.name": "prepare.py"}
        ),
        "read": used("run:prep", "dataset:raw@1", "input"),
        "raw": entity(
            "dataset:raw@1",
            digest=A,
            identified_by="content_hash",
            attributes={"rows": 100, "schema": {"age": "long", "plan": "string"}},
        ),
        "features": entity("dataset:features@1", digest=B, identified_by="content_hash", attributes={"rows": 90}),
        "holdout": entity("dataset:holdout@1", digest=C, identified_by="content_hash", attributes={"rows": 10}),
        "feature set": entity("feature_set:usage@1"),
        "uses features": used(train, "feature_set:usage@1", "training"),
        "code": entity(
            "code:github.com%2Facme%2Fchurn@aaaa",
            digest="git:aaaa",
            attributes={"repository": "https://github.com/acme/churn"},
        ),
        "uses code": used(train, "code:github.com%2Facme%2Fchurn@aaaa", "code"),
        "environment": entity(
            "environment:sklearn@1", attributes={"packages": {"numpy": "2.0", "pandas": "2.2"}, "image": "python:3.11"}
        ),
        "uses environment": used(train, "environment:sklearn@1", "environment"),
        "prompt": entity("prompt:greet@1", attributes={"text": "Be kind.\nBe short."}),
        "uses prompt": used(train, "prompt:greet@1", "prompt"),
        "auc": gate(
            model,
            "auc",
            "evaluation",
            expected="auc >= 0.8",
            actual="0.9",
            grade="referenced",
            evaluator="service:ci",
            pointer=judge,
        ),
        "approval": gate(model, "approval", "approval", evaluator="person:mia"),
        "quality": gate("dataset:features@1", "nulls", "data_quality", expected="none", actual="0 nulls"),
    }


def renamed(found: World, old: str, new: str) -> None:
    """Another reference in every record."""
    text = json.dumps(found).replace(json.dumps(old), json.dumps(new))
    found.clear()
    found.update(json.loads(text))


def asked(
    folder: Path, records: Iterable[Record], seed: int | None = None, endpoint: str = "endpoint:e", **more: Any
) -> Audit:
    """The audit of a world; with a seed, its records arrive in another order, and some of them twice."""
    rows = list(records)
    portions = [rows]
    if seed is not None:
        chance = random.Random(seed)
        rows = rows + chance.sample(rows, len(rows) // 3)
        chance.shuffle(rows)
        portions = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    key = json.dumps([rows, seed, endpoint, more], default=str)
    if key not in _asked:
        with open_store(folder / f"w{next(_numbers)}.db", create_missing=True) as store:
            for portion in portions:
                store.append([from_json(row) for row in portion])
            _asked[key] = audit(store, endpoint, **{"as_of": "2026-06-01T00:00:00Z", **more})
    return _asked[key]
