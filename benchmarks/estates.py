"""A whole estate against a policy: endpoints a second, and how that grows, beside one ``audit()`` for each endpoint.

Estates of 100, 1,000 and 10,000 endpoints as platforms have them: each endpoint with one or two deployments, a model
version, the run that trained it, two to four datasets (some shared with others), an evaluation of several metrics and
an approval; one endpoint in ten lacks or fails something. The policy has twenty requirements.

Ours is ``audit_estate`` in the processes that it takes by itself, their start included, and in one process; the peer is
a loop over ``audit()``, as one would write without it, over endpoints spread through the estate. The verdicts must agree.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks.report import ROOT, Figure, parser, say, show
from lineage_explorer import audit, open_store
from lineage_explorer.estates import audit_estate
from lineage_explorer.records import Activity, Entity, Evidence, Record, Relation

#: Generator version: part of a kept estate's file name.
EDITION = 1
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
#: So many endpoints a second, from a file, on two cores.
TARGET = 500
#: Endpoints that are audited one by one.
_SAMPLE = 200
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


# --- measuring ---


def made(folder: Path, count: int) -> Path:
    """The store of an estate, made unless it is there from the last time."""
    path = folder / f"estate-{count}-{EDITION}.db"
    if not path.exists():
        say(f"making an estate of {count:,} endpoints")
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with open_store(part, create_missing=True) as store:
            store.append(records(count))
        part.rename(path)
    return path


def judged(task: dict[str, Any]) -> dict[str, Any]:
    """In this process: the estate, so many times; the verdicts, and the most memory that any of its processes took."""
    seconds = []
    with open_store(task["store"]) as store:
        for _ in range(task["times"]):
            begun = time.perf_counter()
            frame = audit_estate(store, task["policy"], AS_OF, progress=False, processes=task["processes"])
            seconds.append(time.perf_counter() - begun)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return {
        "seconds": min(seconds),
        "verdicts": dict(zip(frame["ref"], frame["verdict"], strict=True)),
        "peak_mb": peak,
    }


def one_by_one(task: dict[str, Any]) -> dict[str, Any]:
    """In this process: ``audit()`` of endpoints spread through the estate."""
    with open_store(task["store"]) as store:
        refs = store.refs("endpoint")
        refs = refs[:: max(1, len(refs) // _SAMPLE)][:_SAMPLE]
        audit(store, refs[0], AS_OF, policy=task["policy"])
        seconds = []
        for _ in range(task["times"]):
            begun = time.perf_counter()
            verdicts = {ref: audit(store, ref, AS_OF, policy=task["policy"]).verdict for ref in refs}
            seconds.append((time.perf_counter() - begun) / len(refs))
    return {"seconds": min(seconds), "verdicts": verdicts}


WAYS = {"judged": judged, "one_by_one": one_by_one}


def apart(way: str, **task: Any) -> dict[str, Any]:
    """One way of asking, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.estates", "--way", way],
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    options = parser(__doc__ or "", "python benchmarks/estates.py --quick")
    options.add_argument("--way", choices=WAYS, help="used by itself")
    asked = options.parse_args(given)
    if asked.way:
        print(json.dumps(WAYS[asked.way](json.load(sys.stdin))))
        return 0
    asked.work.mkdir(parents=True, exist_ok=True)
    policy = asked.work / "release.toml"
    policy.write_text(POLICY)
    load = os.getloadavg()[0]
    figures: list[Figure] = []
    each: dict[int, float] = {}
    for count in tqdm((100, 1_000) if asked.quick else (100, 1_000, 10_000), desc="estates"):
        times = 1 if asked.quick else 3 if count < 10_000 else 2
        task = {"store": str(made(asked.work, count)), "policy": str(policy), "times": times}
        ours = apart("judged", **task, processes=None)
        alone = apart("judged", **{**task, "times": 1}, processes=1)
        peer = apart("one_by_one", **task)
        wrong = [ref for ref, verdict in peer["verdicts"].items() if ours["verdicts"][ref] != verdict]
        if wrong or ours["verdicts"] != alone["verdicts"]:
            say(f"the verdicts differ: {wrong[:5]}")
            return 1
        size, rate = f"{count:,} endpoints", count / ours["seconds"]
        each[count] = ours["seconds"] / count
        name = "endpoints judged"
        figures += [
            Figure(name, rate, "endpoints/s", size=size),
            Figure(name, count / alone["seconds"], "endpoints/s", "lineage-explorer, one process", size=size),
            Figure(name, 1 / peer["seconds"], "endpoints/s", "audit() for each", rate * peer["seconds"], size),
            Figure("peak memory of a process", ours["peak_mb"], "MB", size=size),
        ]
        if count == 10_000:
            figures += [
                Figure(name, TARGET, "endpoints/s", "the target", rate / TARGET, size, ">= 1"),
                Figure(
                    "time for an endpoint",
                    each[1_000] * 1_000,
                    "ms",
                    "lineage-explorer at 1,000 endpoints",
                    each[count] / each[1_000],
                    size,
                    "<= 1.3",
                ),
            ]
    notes = [
        "twenty requirements; the best of two or three runs each (of one with --quick or in one process), with the start of "
        "its processes; "
        f"audit() for each asks {_SAMPLE} endpoints at most, in one process",
        f"load average when it began: {load:.1f} on {len(os.sched_getaffinity(0))} cores; what others computed at the same "
        "time is in these figures",
    ]
    show(figures, as_json=asked.json, notes=notes)
    return 0


#: What platforms ask of a model in production.
POLICY = """\
name = "release"
version = "1"
description = "What platforms ask of a model in production."

[[requirement]]
id = "on-record"
title = "Both ends of the hop are on record"
hop = ["*", "*", "*"]
check = "resolved"

[[requirement]]
id = "training-data"
title = "Training data is on record"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "training_data"

[[requirement]]
id = "data-identified"
title = "Training data is identified"
hop = ["dataset", "used", "run"]
role = "training"
check = "identified"
at_least = "truncated_digest"

[[requirement]]
id = "data-versioned"
title = "Training data has a version"
hop = ["dataset", "used", "run"]
role = "training"
check = "name"
version = "[0-9]+"

[[requirement]]
id = "evaluated"
title = "Evaluated before release"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
before = "release"

[[requirement]]
id = "approved"
title = "Approved before release"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "approval"
before = "release"

[[requirement]]
id = "recomputed"
title = "The evaluation can be recomputed"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
min_grade = "recomputed"

[[requirement]]
id = "recent"
title = "Evaluated within a year"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
not_older_than = "1y"

[[requirement]]
id = "auc"
title = "AUC of at least 0.85"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "metric"
metric = "auc"
at_least = 0.85

[[requirement]]
id = "f1"
title = "F1 of at least 0.85"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "metric"
metric = "f1"
at_least = 0.85

[[requirement]]
id = "order"
title = "Evaluated, then approved, then released"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "order"
steps = ["evaluation", "approval", "release"]

[[requirement]]
id = "approver"
title = "Approved by somebody else than the author"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
when = { environment = "production" }
check = "different_approver"
from = ["author"]

[[requirement]]
id = "approver-known"
title = "The approver is a person"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "identity"
who = "approver"
kinds = ["person"]

[[requirement]]
id = "named"
title = "The model is named as the platform names models"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "name"
name = "e[0-9]+"

[[requirement]]
id = "environment"
title = "Deployed in production or staging"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "environment"
allowed = ["production", "staging"]

[[requirement]]
id = "algorithm"
title = "The algorithm is on record"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "recorded"
facts = ["algorithm"]

[[requirement]]
id = "code"
title = "The code is on record"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "recorded"
facts = ["code"]

[[requirement]]
id = "documented"
title = "Purpose and description are on record"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "recorded"
facts = ["description", "intended_use"]

[[requirement]]
id = "measured"
title = "Metrics are on record"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "recorded"
facts = ["metrics"]

[[requirement]]
id = "high-risk"
title = "A high risk is approved with reference"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
when = { tag = { risk = "high" } }
check = "evidence"
gate_type = "approval"
min_grade = "referenced"
"""

if __name__ == "__main__":
    sys.exit(main())
