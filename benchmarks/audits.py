"""Seeded audits of any size, as ``Audit.to_dict()`` gives them: what ``view.py`` draws, and its peers.

Raw tables, chains and fans of preparation, trainings, versions, deployments and one endpoint: an estate as
machine-learning teams grow them, with what crosses it.
"""

from __future__ import annotations

import random
from typing import Any


def audit(count: int) -> dict[str, Any]:
    """A seeded audit of so many nodes: raw tables, chains and fans of preparation, trainings, versions, one endpoint."""
    chance = random.Random(count)
    made = _Audit()
    deployments = max(2, count // 500)
    trainings = max(3, count // 60)
    raw = count // 7
    tables = [made.node(f"dataset:lake/raw-{i:04}@{1 + i % 5}", "data", roles=["training"]) for i in range(raw)]
    stages = [tables]
    room = count - 1 - deployments - 3 * trainings - raw
    runs = 0
    while room >= 2:
        stages.append([])
        # Each stage is narrower than the one before, until a new wave of preparations begins.
        for _ in range(max(2, len(stages[-2]) * 2 // 5) if len(stages) % 9 else raw // 2):
            if room < 2:
                break
            run = made.node(f"run:etl/prepare-{runs:04}", "preparation", type="activity", fact="finished")
            for source in _some(chance, stages[-2], 1 + int(chance.expovariate(0.45))):
                made.hop(source, run, "used", chance.choice(("training", "training", "")), chance)
            if len(stages) > 3 and chance.random() < 0.12:  # what a stage long before left behind
                made.hop(chance.choice(stages[chance.randrange(len(stages) - 2)]), run, "used", "", chance)
            room -= 1
            for part in range(min(room, chance.choice((1, 1, 1, 2, 3)))):
                ref = f"dataset:lake/features-{runs:04}-{part}@{chance.randrange(1, 30)}"
                stages[-1].append(made.node(ref, "preparation", roles=["training"]))
                made.hop(run, ref, "was_generated_by", "", chance)
                room -= 1
            runs += 1
        if not stages[-1]:
            stages.pop()
    if room:
        stages[-1].append(made.node("dataset:lake/left-over@1", "preparation", resolved=False, fact=""))
    last = [ref for stage in stages[-3:] for ref in stage]
    models = []
    for i in range(trainings):
        run = made.node(f"run:mlflow/train-{i:04}", "training", type="activity", fact="finished")
        for source in _some(chance, last, chance.randrange(3, 9)):
            made.hop(source, run, "used", "training", chance)
        logged = made.node(f"logged_model:mlflow/m-{i:04}", "registry")
        version = made.node(f"model:churn@{i + 1}", "registry", roles=["serving"])
        made.hop(run, logged, "was_generated_by", "", chance)
        made.hop(logged, version, "was_derived_from", "", chance)
        models.append(version)
    places = [made.node(f"deployment:churn-prod/blue-{i:02}", "deployment", type="agent") for i in range(deployments)]
    endpoint = made.node("endpoint:churn-prod", "endpoint", type="agent")
    for i, version in enumerate(models):
        made.hop(version, places[i % deployments], "serves", "", chance)
    for ref in places:
        made.hop(ref, endpoint, "serves", "", chance, traffic=round(100 / deployments, 1))
    for stage in stages[:-1]:  # what nothing used went straight into a training
        for ref in stage:
            if ref not in made.causes:
                made.hop(ref, f"run:mlflow/train-{chance.randrange(trainings):04}", "used", "training", chance)
    assert len(made.nodes) == count, (len(made.nodes), count)
    return made.content(endpoint, places, models)


def _some(chance: random.Random, refs: list[str], count: int) -> list[str]:
    """Neighbours of one another, mostly: what is prepared together is used together."""
    start = chance.randrange(len(refs))
    near = refs[start : start + 3 * count] or refs
    return chance.sample(near, min(len(near), count))


class _Audit:
    """Nodes and hops as ``Audit.to_dict()`` has them."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.hops: list[dict[str, Any]] = []
        self.causes: set[str] = set()

    def node(self, ref: str, lane: str, **more: Any) -> str:
        kind, _, rest = ref.partition(":")
        name, _, version = rest.partition("@")
        digest = f"sha256:{random.Random(ref).randbytes(32).hex()}"
        self.nodes.append(
            {
                "ref": ref,
                "kind": kind,
                "type": "entity",
                "name": name,
                "version": version,
                "namespace": "",
                "label": f"{name.rpartition('/')[2]}{version and f' v{version}'}",
                "fact": f"{digest[:19]}…",
                "lane": lane,
                "resolved": True,
                "roles": [],
                "digest": digest if kind == "dataset" else "",
                "identified_by": "content_hash" if kind == "dataset" else "identifier",
                "since": "2026-03-01T08:00:00Z",
                "description": "",
                "attributes": {},
                "record": {"ref": ref, "type": "entity"},
                "source": self._source(ref),
                **more,
            }
        )
        return ref

    def hop(self, cause: str, effect: str, predicate: str, role: str, chance: random.Random, **more: Any) -> None:
        self.causes.add(cause)
        gated = predicate == "serves" or role == "training"
        status = chance.choices(
            ("passed", "missing", "failed", "pending", "waived", "stale", "undetermined"), (80, 6, 3, 3, 3, 3, 2)
        )[0]
        status = status if gated else "none"
        self.hops.append(
            {
                "id": f"h{len(self.hops) + 1}",
                "cause": cause,
                "effect": effect,
                "predicate": predicate,
                "role": role,
                "basis": chance.choices(("identifier", "content_hash", "time_order", "declared"), (70, 15, 10, 5))[0],
                "via": "",
                "traffic": None,
                "site": "",
                "since": None,
                "until": None,
                "event_time": "2026-03-01T08:00:00Z",
                "status": status,
                "requirements": [
                    {
                        "requirement": "training-data-identified",
                        "title": "Training data is identified by more than a name",
                        "required": True,
                        "outcome": "holds" if status in ("passed", "waived") else "fails",
                        "status": status,
                        "why": "identified by content hash",
                        "evidence": [],
                    }
                ]
                if gated
                else [],
                "record": {"cause": cause, "effect": effect, "predicate": predicate, "type": "relation"},
                "source": self._source(cause + effect),
                **more,
            }
        )

    @staticmethod
    def _source(of: str) -> dict[str, Any]:
        return {
            "system": "records",
            "location": "append",
            "position": "",
            "observed_at": "2026-09-01T00:00:00Z",
            "recorded_at": "2026-09-01T00:00:00Z",
            "digest": f"sha256:{random.Random(of).randbytes(32).hex()}",
        }

    def content(self, endpoint: str, deployments: list[str], models: list[str]) -> dict[str, Any]:
        instant = "2026-11-21T10:00:00Z"
        digest = f"sha256:{random.Random(endpoint).randbytes(32).hex()}"
        return {
            "format": "lineage-explorer-audit",
            "format_version": 1,
            "tool": {"name": "lineage-explorer", "version": "0.1.0"},
            "question": {
                "endpoint": endpoint,
                "as_of": instant,
                "known_at": instant,
                "policy": {"name": "default", "version": "1", "digest": digest},
            },
            "verdict": "INCOMPLETE",
            "answer": "A seeded audit, made to be drawn.",
            "serving": [
                {
                    "deployment": ref,
                    "model": model,
                    "traffic": round(100 / len(deployments), 1),
                    "state": "serving",
                    "mirrored": False,
                    "site": "",
                    "since": instant,
                    "verdict": "INCOMPLETE",
                }
                for ref, model in zip(deployments, models, strict=False)
            ],
            "nodes": self.nodes,
            "hops": self.hops,
            "evidence": [],
            "datasets": [
                {
                    "ref": node["ref"],
                    "role": "training",
                    "identified_by": node["identified_by"],
                    "digest": node["digest"],
                    "how": "direct",
                }
                for node in self.nodes
                if node["kind"] == "dataset"
            ],
            "findings": [],
            "digest": digest,
        }
