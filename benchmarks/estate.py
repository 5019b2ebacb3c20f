"""Seeded estates of any size: what a team with many pipelines would leave in a store.

An estate is a series of *projects*. Each prepares data in a chain of 5 to 30 steps (several runs a step,
each reading some of what the step before wrote, and tables that many projects share), trains models from
the end of the chain, releases them to an endpoint one after another, and has them judged. What makes it
lifelike, and hard:

- **heavy tails**: a shared table is picked by a Pareto law, so that a few are read by a large part of all runs;
- **dates everywhere**: reads, writes, and deployments that follow each other, so that a question "as of" a day
  must tell apart what held then;
- **other projects**: a chain may begin with what an earlier project made;
- **tables without versions**, whose states the store has to infer;
- **bare references**: every tenth endpoint's deployments name the model as a CI pipeline would, without the registry;
- **corrections**: four records in a hundred are said otherwise by a second sync, and some reads are told late.

The same seed and size give the same estate, to the byte.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lineage_explorer.records import format_instant

#: The instant that trace benchmarks ask about.
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
#: Projects begin over this span; the last ones after AS_OF, so that the future has to be left out.
_SPAN_DAYS = 1_300

#: Generator version: part of a kept estate's file name.
EDITION = 3

Plain = dict[str, Any]


@dataclass
class Project:
    """One pipeline's records in canonical plain form, and its endpoints.

    Attributes
    ----------
    records : list of dict
        As :func:`lineage_explorer.records.to_json` gives them.
    endpoints : list of str
        Those that serve something at :data:`AS_OF`, through references in full.
    bare_endpoints : list of str
        Those whose deployments name their model without its namespace.
    """

    records: list[Plain] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)
    bare_endpoints: list[str] = field(default_factory=list)
    nodes: int = 0
    relations: int = 0


def projects(nodes: int, seed: int = 1) -> Iterator[Project]:
    """Projects until the estate holds about so many nodes.

    Parameters
    ----------
    nodes : int
        Things and runs; relations come to about 3.6 for each.
    seed : int
        Estates of different seeds differ.
    """
    chance = random.Random(f"{seed}/{nodes}")
    shared = max(20, nodes // 200)
    first = _shared_tables(chance, shared)
    made = first.nodes
    yield first
    outputs: list[str] = []
    while made < nodes:
        # Projects are in order of time, so that a chain can begin with what an earlier one made.
        start = _FIRST + timedelta(days=_SPAN_DAYS * made / nodes, seconds=chance.randrange(86_400))
        project = _Writer(chance, start, len(outputs), shared, outputs).write()
        made += project.nodes
        yield project


def corrections(plain: Plain, index: int, nodes: int) -> list[Plain]:
    """What a second sync says of the estate's record number ``index``: nothing, mostly.

    Parameters
    ----------
    plain : dict
        The record as the first sync had it.
    nodes : int
        The estate's size, as :func:`projects` takes it.

    Returns
    -------
    list of dict
        The record corrected, and now and then a read that the first sync had missed.
    """
    if index % 25 != 11:
        return []
    if plain["type"] == "relation":
        found = [{**plain, "basis": "name_version"}]
        if plain["predicate"] == "used" and index % 3 == 0:
            cause = _shared(index % max(20, nodes // 200))
            found.append({**plain, "cause": cause, "role": "retrieval"})
        return found
    if plain["type"] == "evidence":
        return [{**plain, "grade": "signed"}]
    return [{**plain, "attributes": {**plain.get("attributes", {}), "owner": f"u{index % 200}"}}]


def _shared_tables(chance: random.Random, count: int) -> Project:
    project = Project()
    for index in range(count):
        begun = _FIRST - timedelta(days=chance.randrange(1, 400))
        _entity(project, _shared(index), begun, identified_by="content_hash", digest=_hash(chance))
    return project


def _shared(index: int) -> str:
    return f"dataset:lake/shared-{index:05d}@1"


def _hash(chance: random.Random) -> str:
    return f"sha256:{chance.getrandbits(256):064x}"


def _entity(project: Project, ref: str, created: datetime, **more: Any) -> None:
    project.nodes += 1
    project.records.append({"type": "entity", "ref": ref, "created_at": format_instant(created), **more})


def _relation(project: Project, effect: str, predicate: str, cause: str, **more: Any) -> None:
    project.relations += 1
    more.setdefault("basis", "identifier")
    project.records.append({"type": "relation", "effect": effect, "predicate": predicate, "cause": cause, **more})


class _Writer:
    """Writes one project; its chain, its models, their releases."""

    def __init__(self, chance: random.Random, start: datetime, index: int, shared: int, outputs: list[str]) -> None:
        self._chance = chance
        self._start = start
        self._name = f"p{index:05d}"
        self._shared_count = shared
        self._outputs = outputs
        self._project = Project()

    def write(self) -> Project:
        chance = self._chance
        depth, width = chance.randint(5, 30), chance.randint(3, 6)
        data = [self._raw(number) for number in range(width)]
        if self._outputs and chance.random() < 0.3:
            data.append(chance.choice(self._outputs))
        before: list[str] = []
        for step in range(depth):
            begun = self._start + timedelta(days=2 * step)
            written = [self._step(step, number, begun, data, before) for number in range(width)]
            before, data = data, written
        finished = self._start + timedelta(days=2 * depth)
        # Only what has a version leaves the project: states are inferred from all readers together, and
        # load.py does that one project at a time.
        self._outputs += [ref for ref in data if "@" in ref][:1]
        self._release(finished, data)
        return self._project

    def _raw(self, number: int) -> str:
        ref = f"dataset:lake/{self._name}-raw-{number}@1"
        _entity(
            self._project,
            ref,
            self._start - timedelta(days=self._chance.randint(1, 90)),
            identified_by="content_hash",
            digest=_hash(self._chance),
            attributes={"uri": f"s3://lake/{self._name}/raw/{number}.parquet", "rows": self._chance.randrange(10**6)},
        )
        return ref

    def _step(self, step: int, number: int, begun: datetime, data: list[str], before: list[str]) -> str:
        chance, project = self._chance, self._project
        begun += timedelta(seconds=chance.randrange(40_000))
        ended = begun + timedelta(seconds=chance.randrange(60, 20_000))
        run = f"run:mlflow-1/{chance.getrandbits(128):032x}"
        self._run(run, "transform", begun, ended)
        inputs = chance.sample(data, min(len(data), chance.randint(2, 5)))
        inputs += chance.sample(before, min(len(before), chance.randint(0, 2)))
        inputs += [self._popular() for _ in range(chance.randint(1, 5))]
        self._reads(run, inputs, begun, "input")
        # One table in twenty is rewritten in place: no version tells its states apart.
        versioned = chance.random() >= 0.05
        ref = f"dataset:lake/{self._name}-s{step:02d}-{number}" + ("@1" if versioned else "")
        _entity(
            project, ref, ended, **({"identified_by": "content_hash", "digest": _hash(chance)} if versioned else {})
        )
        _relation(
            project,
            ref,
            "was_generated_by",
            run,
            event_start=format_instant(begun),
            event_time=format_instant(ended),
        )
        return ref

    def _popular(self) -> str:
        return _shared(int(self._chance.paretovariate(0.7) - 1) % self._shared_count)

    def _run(self, run: str, activity: str, begun: datetime, ended: datetime) -> None:
        self._project.nodes += 1
        self._project.records.append(
            {
                "type": "activity",
                "ref": run,
                "activity": activity,
                "status": "FINISHED",
                "started_at": format_instant(begun),
                "ended_at": format_instant(ended),
                "attributes": {"experiment": self._name, "user": f"u{self._chance.randrange(200)}"},
            }
        )

    def _reads(self, run: str, inputs: list[str], begun: datetime, role: str) -> None:
        for ref in dict.fromkeys(inputs):
            _relation(self._project, run, "used", ref, role=role, event_time=format_instant(begun))

    def _release(self, finished: datetime, data: list[str]) -> None:
        """Models trained one after another, and the endpoint that they answered in turn."""
        chance, project = self._chance, self._project
        endpoint = f"endpoint:{self._name}"
        bare = chance.random() < 0.1
        _entity(project, endpoint, finished)
        starts: list[datetime] = []
        for version in range(1, chance.randint(1, 4) + 1):
            begun = finished + timedelta(days=45 * (version - 1), seconds=chance.randrange(80_000))
            ended = begun + timedelta(seconds=chance.randrange(60, 20_000))
            run = f"run:mlflow-1/{chance.getrandbits(128):032x}"
            self._run(run, "training", begun, ended)
            _relation(
                project,
                run,
                "was_associated_with",
                f"person:u{chance.randrange(200)}",
                event_time=format_instant(begun),
            )
            self._reads(run, data, begun, "training")
            logged = f"logged_model:mlflow-1/m-{chance.getrandbits(128):032x}"
            _entity(project, logged, ended)
            _relation(project, logged, "was_generated_by", run, event_time=format_instant(ended))
            model = f"model:mlflow-1/{self._name}@{version}"
            _entity(project, model, ended, attributes={"framework": "sklearn", "auc": "0.91"})
            _relation(project, model, "was_derived_from", logged, event_time=format_instant(ended))
            self._judge(model, run, ended)
            since = ended + timedelta(days=3)
            starts.append(since)
            self._deploy(endpoint, f"model:{self._name}@{version}" if bare else model, since)
        if starts[0] <= AS_OF:
            (project.bare_endpoints if bare else project.endpoints).append(endpoint)

    def _judge(self, model: str, run: str, ended: datetime) -> None:
        for gate, gate_type, days in (("auc", "evaluation", 1), ("approval", "approval", 2)):
            self._project.records.append(
                {
                    "type": "evidence",
                    "subject": model,
                    "gate": gate,
                    "gate_type": gate_type,
                    "status": "passed",
                    "grade": "referenced",
                    "event_time": format_instant(ended + timedelta(days=days)),
                    "pointer": run,
                }
            )

    def _deploy(self, endpoint: str, model: str, since: datetime) -> None:
        project, when = self._project, format_instant(since)
        deployment = f"deployment:{self._name}:blue@{when}"
        _entity(project, deployment, since)
        # One slot: what was served before ends where this begins.
        _relation(
            project,
            endpoint,
            "serves",
            deployment,
            slot="blue",
            traffic=100,
            valid_from=when,
            attributes={"pipeline": self._name},
        )
        _relation(project, deployment, "deploys", model, slot="model", valid_from=when)
