"""Small random estates and policies, drawn so that every check comes to each of its outcomes.

The graphs have the attributes that :mod:`lineage_explorer.graph` and :mod:`lineage_explorer.gathering` put on nodes and edges.
Times lie on a grid of days, so that ties and boundaries are met all the time.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import networkx as nx

from lineage_explorer.policy.facts import Condition, Facts, Interval, Life, Share, Span

ENDPOINT = "endpoint:e"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ZERO = datetime(1970, 1, 1, tzinfo=UTC)
NOW = 100
DAY = 86_400_000_000
FULL = ["sha256:" + digit * 64 for digit in "abc"]
PEOPLE = (
    "person:ada",
    "person:mia",
    "person:corp/ada",
    "person:other/ada",
    "person:ada%40example.org",
    "service:ci",
    "service:ada",
    "team:risk",
    "group:board",
    "organization:acme",
)
GATE_TYPES = ("evaluation", "approval", "safety")


def day(number: int) -> datetime:
    return EPOCH + timedelta(days=number)


def text(number: int) -> str:
    return day(number).isoformat().replace("+00:00", "Z")


def micros(number: int) -> int:
    return (day(number) - ZERO) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Case:
    """One graph, what is known beside it, and a policy to judge it by."""

    graph: Any
    evidence: dict[str, list[tuple[int, dict[str, Any]]]]
    facts: Facts
    policy: dict[str, Any]
    judged_as_of: int | None = None
    as_of: int = field(default_factory=lambda: micros(NOW))

    def __str__(self) -> str:
        lines = ["policy " + json.dumps({k: v for k, v in self.policy.items() if k != "name"}, default=_shown)]
        for ref, data in sorted(self.graph.nodes(data=True)):
            plain = {k: v for k, v in data.items() if k not in ("kind", "name", "namespace", "record_id") and v}
            lines.append(f"node {ref} {json.dumps(plain, default=_shown)}")
        for cause, effect, edge in self.graph.edges(data=True):
            told = {k: v for k, v in edge.items() if v not in (None, "", {}) and k not in ("record_id", "sure")}
            for name in ("valid_from", "event_time"):
                if name in told:
                    told[name] = _day(told[name])
            told["record"] = {k: v for k, v in edge["record"].items() if k in ("valid_from", "splits", "mirrored")}
            lines.append(f"edge {cause} -> {effect} {json.dumps(told, default=_shown)}")
        lines += [
            f"evidence {number} {json.dumps(item)}" for _, items in self.evidence.items() for number, item in items
        ]
        lines.append(f"agents {self.facts.agents}")
        for span in self.facts.releases or ():
            shares = ", ".join(f"{share.model} {share.traffic}" for share in span.shares)
            lines.append(f"span {_day(span.start)}..{_day(span.end)} sure={span.sure}: {shares}")
        if self.facts.releases is None:
            lines.append("releases None")
        for lives in self.facts.lives.values():
            for life in lives:
                stages = [(one.stage, _day(one.earliest), _day(one.start), _day(one.end)) for one in life.stages]
                lines.append(f"life {life.ref} {stages} gone_at={_day(life.gone_at)} here={life.here}")
        lines.append(f"complete {dict(self.facts.complete)}")
        for key, conditions in self.facts.conditions.items():
            lines.append(
                f"conditions {key}: "
                + str(
                    [
                        (one.number, _day(one.when), one.evidence.get("expected"), one.evidence.get("attributes"))
                        for one in conditions
                    ]
                )
            )
        lines.append(f"as_of {_day(self.as_of)}, judged_as_of {_day(self.judged_as_of)}")
        return "\n".join(lines)


def _day(instant: int | None) -> str | None:
    if instant is None:
        return None
    return f"{(ZERO + timedelta(microseconds=instant)).isoformat()[:10]}={(instant - micros(0)) / DAY:g}"


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


# --- graphs ---


class _Maker:
    """Draws one case."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        # Each number has a check of its own to try; and in a calm estate most of what is asked for is on record.
        self.focus = list(_CHECKS)[seed % len(_CHECKS)]
        self.calm = self.often(55)
        self.graph: Any = nx.MultiDiGraph()
        self.count = 0
        self.evidence: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.agents: dict[str, tuple[str, ...]] = {}

    def often(self, percent: float) -> bool:
        return self.chance.random() * 100 < percent

    def number(self) -> int:
        self.count += 1
        return self.count

    def node(self, ref: str, likely: float = 92, **record: Any) -> str:
        if ref in self.graph:
            return ref
        kind, _, rest = ref.partition(":")
        namespace, _, tail = rest.rpartition("/")
        name, version = tail.partition("@")[0].partition("~")[0], tail.partition("@")[2]
        if "~" in tail:
            version = "~" + tail.partition("~")[2]
        resolved = self.often(likely)
        kept = {key: value for key, value in record.items() if value not in (None, {}, "")} if resolved else {}
        digest = kept.get("digest", "")
        basis = kept.get("identified_by") or (
            "content_hash" if digest.startswith("sha256:") else "name_version" if "@" in ref else "name"
        )
        self.graph.add_node(
            ref,
            kind=kind,
            name=name,
            version=version,
            namespace=namespace,
            resolved=resolved,
            implied=False,
            record_id=self.number() if resolved else None,
            gone=False,
            record={"type": "activity" if kind == "run" else "entity", "ref": ref, **kept} if resolved else {},
            contradicted=(),
            description_sure=True,
            identified_by=basis,
            digest=digest,
            seen_later=False,
        )
        if self.often(2):
            self.graph.nodes[ref]["candidates"] = ["x", "y"]
        return ref

    def edge(self, cause: str, effect: str, predicate: str, **more: Any) -> None:
        number = self.number()
        valid_from, when = more.pop("valid_from", None), more.pop("event_time", None)
        record: dict[str, Any] = {"type": "relation", "effect": effect, "predicate": predicate, "cause": cause}
        record |= more.pop("record", {})
        stated = valid_from is not None and self.often(85 + 10 * self.calm)
        if stated:
            record["valid_from"] = text(valid_from)
        if when is not None:
            record["event_time"] = text(when)
        self.graph.add_edge(
            cause,
            effect,
            (number, predicate),
            predicate=predicate,
            role=more.pop("role", ""),
            basis=more.pop("basis", "identifier"),
            traffic=more.pop("traffic", None),
            record_id=number,
            # What no record states is the instant of the sync that first saw it.
            valid_from=None if valid_from is None else micros(valid_from),
            valid_to=None,
            sure_to=None,
            event_time=None if when is None else micros(when),
            record=record,
            sure=True,
        )

    def when(self, first: int, last: int, likely: float = 80) -> int | None:
        """A day, on a coarse grid so that days coincide."""
        likely += 15 if self.calm else 0
        return self.chance.randrange(first, last + 1, 5) if self.often(likely) else None

    def associated(self, ref: str, likely: float) -> None:
        if self.often(likely + 35 * self.calm):
            self.agents[ref] = tuple(
                self.chance.sample(PEOPLE[:4] if self.calm else PEOPLE, self.chance.choice((1, 1, 1, 2)))
            )

    def attributes(self, *keys: str, likely: float = 25) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in keys:
            if not self.often(likely + 25 * self.calm):
                continue
            value: Any = self.chance.choice(["something", "something", "", "  x", 0, 3])
            place = self.chance.choice(["", "", "tags", "params", "metadata"])
            name = self.chance.choice([key, key, key.upper()])
            if place:
                found.setdefault(place, {})[name] = value
            else:
                found[name] = value
        for place in (found, found.setdefault("tags", {})):
            if self.often(30):
                place["risk"] = self.chance.choice(["high", "low", "high", "low", 1, None])
            if self.often(30):
                place["audience"] = self.chance.choice(["public", "staff"])
        if not found["tags"]:
            del found["tags"]
        return found

    def digest(self) -> str:
        if self.calm:
            return self.chance.choice([*FULL[:1] * (9 if self.focus == "same_subject" else 4), FULL[1], ""])
        return self.chance.choice([*FULL, *FULL[:1] * 2, "", "", "mlflow-md5-8:aabbccdd"])

    # --- the parts of an estate ---

    def dataset(self) -> str:
        kind = self.chance.choice(["dataset"] * 5 + ["feature_set", "index"])
        name = self.chance.choice(["d1", "d2", "d3", "d4"])
        version = self.chance.choice(["@1", "@1", "@2", ""])
        basis = self.chance.choice(
            ["", "", "", "identifier", *([] if self.calm else ["truncated_digest", "time_order", "name", "declared"])]
        )
        return self.node(
            f"{kind}:{name}{version}",
            digest=self.chance.choice([*FULL, "", "", "", "md5:0a", "md5:0b", "mlflow-md5-8:aabbccdd"]),
            identified_by=basis,
            created_at=_maybe(self.when(0, 20, 50)),
            attributes=self.attributes("source", "uri", "retention", "owner"),
        )

    def run(self, name: str, activity: str) -> str:
        started, ended = self.when(0, 30, 60), self.when(0, 30, 40)
        ref = self.node(
            f"run:{name}",
            activity=activity,
            started_at=_maybe(started),
            ended_at=_maybe(ended),
            attributes=self.attributes(
                "algorithm", "flavors", "metrics", "commit", "conda", "requirements", "Code", likely=18
            ),
        )
        self.associated(ref, 55)
        return ref

    def reads(self, run: str, roles: tuple[str, ...]) -> None:
        self.edge(
            self.dataset(),
            run,
            "used",
            role=self.chance.choice(roles),
            event_time=self.when(0, 40),
            basis=self.chance.choice(["identifier", "name_version"]),
        )

    def model(self, ref: str) -> str:
        if ref in self.graph:
            return ref
        kind = ref.partition(":")[0]
        self.node(
            ref,
            digest=self.digest(),
            created_at=_maybe(self.when(0, 40)),
            description=self.chance.choice(["", "Who leaves"]),
            attributes=self.attributes(
                "algorithm",
                "metrics",
                "signature",
                "owner",
                "licence",
                "license",
                "purpose",
                "intended_use",
                "limitations",
                "risks",
                "retention",
                "source",
                "uri",
                likely=60 if self.focus == "pinned" else 22,
            ),
        )
        self.associated(ref, 35)
        if "~" in ref:
            self.edge(self.model("model:churn@1"), ref, "alias_of", valid_from=self.when(0, 40))
            return ref
        if ref == "model:churn@3":  # it can mean no other
            self.edge(self.model("model:prod/churn@3"), ref, "alternate_of", basis="name_version")
        maker = f"r{self.chance.randrange(3)}"
        if kind == "model" and self.often(30):
            logged = self.model(f"logged_model:m{self.chance.randrange(2)}")
            self.edge(
                logged,
                ref,
                "was_derived_from",
                event_time=self.when(0, 40),
                basis=self.chance.choice(["content_hash", "identifier", "identifier", "name", "name_version"]),
            )
        if self.often(85):
            fresh = f"run:{maker}" not in self.graph
            run = self.run(maker, "training")
            self.edge(run, ref, "was_generated_by", event_time=self.when(0, 40))
            if fresh:
                for _ in range(self.chance.choice((1, 2, 3) if self.focus == "separate_data" else (0, 1, 1, 2, 3))):
                    self.reads(
                        run, ("training", "training", "training", "validation", "test", "evaluation", "", "input")
                    )
                for kind_, likely in (("code", 25), ("environment", 25), ("prompt", 10), ("base_model", 15)):
                    if self.often(likely):
                        thing = self.node(
                            f"{kind_}:{kind_[0]}{self.chance.choice(['@1', ''])}",
                            attributes=self.attributes("source", "uri", "url", "provider", likely=35),
                        )
                        self.edge(thing, run, "used", event_time=self.when(0, 40))
        if kind == "ai_agent" and self.often(60):
            base = self.node("base_model:claude@4", attributes=self.attributes("source", "provider", likely=50))
            self.edge(base, ref, "used", event_time=self.when(0, 40))
        return ref

    def build(self) -> None:
        chance = self.chance
        self.node(ENDPOINT, 97)
        names = [
            "model:churn@1",
            "model:churn@2",
            "model:churn@1.2.0",
            "model:prod/churn@3",
            "model:churn@3",
            "model:churn",
            "ai_agent:bot@1",
            "model:churn~champion",
            "logged_model:m0",
        ]
        for name in chance.sample(["blue", "green", "canary"], chance.choice((1, 1, 1, 1, 2, 3))):
            deployment = self.node(
                f"deployment:e:{name}",
                attributes={
                    **(
                        {"environment": chance.choice(["production", "production", "Production", "staging", ""])}
                        if self.often(75)
                        else {}
                    ),
                    **({"model_digest": self.digest()} if self.often(40) else {}),
                },
            )
            self.associated(deployment, 55)
            traffic = chance.choice([100.0, 100.0, 90.0, 10.0, 0.0, None])
            record = {"splits": False} if self.often(15) else {"mirrored": True} if self.often(8) else {}
            release = chance.randrange(20, 80, 5)
            self.edge(
                deployment,
                ENDPOINT,
                "serves",
                traffic=traffic,
                record=record,
                valid_from=release + chance.choice((-5, 0, 0, 5)) if self.often(80 + 18 * self.calm) else None,
            )
            for model in chance.sample(names, chance.choice((0, 1, 1, 1, 1, 1, 1, 1, 2)) if self.often(50) else 1):
                self.edge(
                    self.model(model),
                    deployment,
                    "deploys",
                    valid_from=release if self.often(75 + 20 * self.calm) else None,
                    event_time=self.when(20, 80, 20),
                )
        for run in [ref for ref in self.graph if ref.startswith("run:")]:
            if self.often(25):  # what prepared the data that a run read
                data = [cause for cause, _ in self.graph.in_edges(run) if cause.startswith("dataset:")]
                if data:
                    prepared = self.run("prep", "transform")
                    self.edge(prepared, data[0], "was_generated_by", event_time=self.when(0, 30))
                    self.reads(prepared, ("input", "", "training"))
        for model in [ref for ref in self.graph if self.graph.nodes[ref]["kind"] in ("model", "logged_model")]:
            if self.often(80 if self.focus == "separate_data" else 35):
                side = self.run(f"eval{self.number()}", "evaluation")
                self.graph.nodes[side]["side"] = True
                self.edge(model, side, "used", event_time=self.when(0, 60))
                for _ in range(chance.choice((1, 1, 2))):
                    self.reads(side, ("evaluation", "test", ""))
        self.say()

    def evidence_of(self, subject: str) -> dict[str, Any]:
        chance = self.chance
        calm = self.calm
        gate_type = chance.choice(["evaluation", "evaluation", "approval", "approval", "approval", "safety", "other"])
        if self.often(80):
            gate_type = {"metric": "evaluation", "compared": "evaluation", "different_approver": "approval"}.get(
                self.focus, gate_type
            )
        gate = {
            "evaluation": ["f1", "auc", "eval-suite"],
            "approval": ["approval", "approval", "board"],
            "safety": ["red-team", "eval-suite"],
            "other": ["other", "f1"],
        }[gate_type]
        status = chance.choice(
            ["passed"] * (40 if calm else 9)
            + ["failed"] * 2
            + ["waived", "waived", "pending", "stale", "missing", "undetermined"]
        )
        item: dict[str, Any] = {"type": "evidence", "subject": subject, "gate": chance.choice(gate), "status": status}
        if gate_type != "other" or self.often(50):
            item["gate_type"] = gate_type
        if self.often(98 if calm else 85):
            item["event_time"] = text(chance.randrange(0, 60 if calm else NOW, 5))
        grade = chance.choice(["recomputed", "recomputed", "signed", "referenced", *([] if calm else ["claimed", ""])])
        if grade:
            item["grade"] = grade
        if self.often((97 if self.focus == "different_approver" else 85) if gate_type == "approval" else 30):
            item["evaluator"] = chance.choice(PEOPLE[:6] if calm else [*PEOPLE, *PEOPLE[:2] * 3, "ada", "Risk office"])
        if gate_type in ("evaluation", "other") and self.often(80):
            item["actual"] = chance.choice(
                ["0.85", "0.9", "0.9", "0.95", "1e-1", *([] if calm else ["nan", "inf", "1_0", "good", "0.90 %"])]
            )
            if self.often(70):
                item["expected"] = (
                    f"{item['gate']} {chance.choice(['>=', '>=', '>=', '<='])} {chance.choice(['0.8', '0.9', '0.95'])}"
                )
            elif self.often(30):
                item["expected"] = "good enough"
        if self.focus == "unweakened" and self.often(80):
            item["expected"] = f"{item['gate']} >= {chance.choice(['0.8', '0.9', '0.95'])}"
        attributes: dict[str, Any] = {}
        if "actual" in item and self.often(30):
            attributes["metric"] = chance.choice(["f1", "auc"])
        if gate_type == "evaluation" and self.often(92 if self.focus == "compared" else 30):
            attributes["baseline"] = chance.choice(
                ["model:churn@1", "model:churn@2", "model:churn@3", "model:prod/churn@3", *["model:churn@0"] * 9]
            )
        if gate_type == "safety" and self.often(70):
            attributes["expectations"] = self.expectations()
        if status == "waived":
            if self.often(75):
                attributes["reason"] = "relabelling"
            if self.often(80):
                item["valid_to"] = text(NOW + chance.choice((-20, 0, 20, 20)))
        if gate_type == "evaluation" and self.often(50 if self.focus == "separate_data" else 10):
            attributes["dataset"] = chance.choice(
                ["dataset:d1@1", "dataset:d2@1", "dataset:d3@2", "dataset:d9@1", "held out"]
            )
        if attributes:
            item["attributes"] = attributes
        if self.often(3):
            item["status"] = "undetermined"
        if item["status"] in ("stale", "undetermined") and self.often(60):
            item["because"] = "its source changed it between two syncs, around this instant"
        if self.often(97 if self.focus == "same_subject" else 40):
            item["subject_digest"] = self.digest()
        return {key: value for key, value in item.items() if value != ""}

    def expectations(self) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for name in self.chance.sample(["nulls", "range", "country"], self.chance.choice((1, 1, 2))):
            if name == "range":
                table[name] = {"min_value": self.chance.choice([0, 1]), "max_value": self.chance.choice([9, 10])}
            elif name == "country":
                table[name] = {"value_set": self.chance.choice([["fr"], ["fr", "de"], ["fr", "it"]])}
            else:
                table[name] = {"mostly": self.chance.choice([0.9, 0.95, 1.0])}
        return table

    def say(self) -> None:
        for ref in list(self.graph):
            kind = self.graph.nodes[ref]["kind"]
            many = {"model": (0, 2, 3, 4, 6), "logged_model": (0, 1, 2, 3), "ai_agent": (0, 2, 4)}.get(
                kind, (0, 0, 0, 1)
            )
            if self.calm and kind in ("model", "ai_agent"):
                many = (2, 3)  # the more is said, the more contradicts
            for _ in range(self.chance.choice(many)):
                self.evidence.setdefault(ref, []).append((self.number(), self.evidence_of(ref)))
            if ref in self.evidence and self.often(25):  # another result of a gate at the same instant
                _, item = self.chance.choice(self.evidence[ref])
                twin = {**item, "status": self.chance.choice(["passed", "failed", "pending"])}
                if self.often(50):
                    twin["evaluator"] = self.chance.choice(PEOPLE)
                self.evidence[ref].append((self.number(), twin))

    # --- beside the graph ---

    def facts(self) -> Facts:
        chance = self.chance
        return Facts(
            as_of=micros(NOW),
            agents=self.agents,
            releases=self.releases() if self.often(90) else None,
            lives={base: self.lives(base) for base in ("model:churn", "model:prod/churn") if self.often(90)},
            complete={base: chance.random() < 0.8 for base in ("model:churn", "model:prod/churn") if self.often(90)},
            conditions=self.conditions(),
        )

    def releases(self) -> tuple[Span, ...]:
        chance = self.chance
        deploys = [
            (edge["valid_from"], "model:churn@1" if "~" in model else model, deployment)
            for model, deployment, edge in self.graph.edges(data=True)
            if edge["predicate"] == "deploys" and edge["valid_from"] is not None
        ]
        if not deploys:
            return ()
        begins, model, deployment = chance.choice(deploys)
        versions = ("model:churn@0", "model:churn@1", "model:churn@2", "model:prod/churn@3")
        others = [one for one in versions if one != model]
        old = "model:churn@0" if self.focus == "compared" and self.often(85) else chance.choice(others)
        plan = chance.choice(
            [[10, 50, 100]] * 4
            + [[10, 100], [50, 100], [100], [10, 50], [10, 50, 100, 100], [10, 30, 100], [10, 5, 10, 50, 100]]
            + [[10, 50, 0, 10, 50, 100], [100, 0, 10, 50, 100], [10, 50, 100, 0]]
        )
        # Some deployments say nothing of their environment, some stand beside production, and some at another site.
        place = self.chance.choice(
            ["", "", "", "production", "Prod", *([] if self.focus == "compared" else ["staging"])]
        )
        spans = []
        if self.often(85):
            start = None if self.often(30) else begins - 20 * DAY
            before = [Share(old, "deployment:e:old", chance.choice([100.0, 100.0, 100.0, None]), "", place)]
            if self.often(20):
                third = chance.choice([one for one in others if one != old])
                before.append(Share(third, "deployment:e:third", chance.choice([50.0, 0.0, None]), "", place))
            if self.often(25):
                before.append(Share(old, "deployment:e:old2", chance.choice([50.0, 0.0, None]), "", place))
            if self.often(8):
                before.append(Share(model, deployment, chance.choice([10.0, 0.0, None]), "", place))
            spans.append(Span(start, begins, tuple(before)))
        at = begins
        sure = self.often(80)
        two_sites = self.often(8)
        for position, step in enumerate(plan):
            last = position == len(plan) - 1
            end = None if last else at + chance.choice([DAY // 2, DAY, 2 * DAY, 2 * DAY])
            mine = [Share(model, deployment, None if self.often(3) else float(step))]
            if step and self.often(10):  # two deployments of one version
                mine = [Share(model, deployment, step / 2), Share(model, "deployment:e:twin", step / 2)]
            if two_sites:
                mine.append(Share(model, deployment, float(chance.choice(plan)), "eu"))
            rest = (Share(old, "deployment:e:old", 100.0 - step),) if step < 100 else ()
            spans.append(Span(at, end, (*mine, *rest), sure=sure or self.often(70)))
            at = end or at
        return tuple(spans)

    def lives(self, base: str) -> tuple[Life, ...]:
        chance = self.chance
        lives = []
        for version in ("0", "1", "2", "3"):
            if self.often(25):
                continue
            stages: list[Interval] = []
            at: int | None = None if self.often(15) else micros(chance.randrange(0, 40, 5))
            words = chance.choice(
                [
                    ["production"],
                    ["staging", "production"],
                    ["none"],
                    ["development", "staging"],
                    ["production", "archived"],
                    ["production", "retired"],
                    ["staging", "production", "archived"],
                    ["archived"],
                    ["production", "deleted"],
                    ["archived", "production", "archived", "retired"],
                    ["production", "deleted", "production"],
                    [],
                ]
            )
            for position, stage in enumerate(words):
                end = None if position == len(words) - 1 else (at or micros(0)) + chance.randrange(10, 40, 5) * DAY
                # Where a source does not date a change it lies between two syncs.
                earliest = at
                if at is not None and self.often(25):
                    earliest = None if self.often(20) else at - chance.choice((5, 30)) * DAY
                stages.append(Interval(stage, at, end, earliest=earliest, number=self.number()))  # type: ignore[arg-type]
                at = end
            gone = None
            if (words and words[-1] in ("archived", "retired") and self.often(35)) or self.often(6):
                gone = (stages[-1].start if stages and stages[-1].start else micros(40)) + chance.randrange(
                    0, 40, 5
                ) * DAY
                gone = min(gone, micros(NOW - 5))
            if stages and stages[-1].end is None and self.often(8):  # it changed between two syncs around the instant
                known = stages[-1]
                stages[-1] = replace(known, end=micros(NOW + 5))
                other: Any = chance.choice(["staging", "archived", "none"])
                stages.append(Interval(other, micros(NOW + 5), None, micros(NOW - 5), self.number()))
            if words and words[-1] == "deleted" and self.often(70):
                gone = stages[-1].start
            here = False if gone is not None else (None if self.often(10) else True)
            lives.append(Life(f"{base}@{version}", tuple(stages), None, gone, here))
        return tuple(lives)

    def conditions(self) -> dict[tuple[str, str], tuple[Condition, ...]]:
        found: dict[tuple[str, str], list[Condition]] = {}
        for subject, items in self.evidence.items():
            base = subject.partition("@")[0].partition("~")[0]
            for number, item in items:
                moment = item.get("event_time")
                when = None if moment is None else (datetime.fromisoformat(moment) - ZERO) // timedelta(microseconds=1)
                found.setdefault((base, item["gate"]), []).append(Condition(number, when, item))
        for (base, gate), conditions in found.items():
            for _ in range(
                self.chance.choice((1, 2, 3) if self.focus == "unweakened" else (0, 0, 1, 2))
            ):  # of versions that are not in this graph
                other = {**self.evidence_of(base + "@0"), "gate": gate}
                if self.focus == "unweakened" and self.often(80):
                    other["event_time"] = text(self.chance.randrange(0, 30, 5))
                if "expected" in other:
                    other["expected"] = f"{gate} >= {self.chance.choice(['0.7', '0.8', '0.9', '0.95'])}"
                moment = other.get("event_time")
                if moment:
                    when = (datetime.fromisoformat(moment) - ZERO) // timedelta(microseconds=1)
                    conditions.append(Condition(self.number(), when, other))
            conditions.sort(key=lambda one: (one.when is not None, one.when or 0, one.number))
        return {key: tuple(conditions) for key, conditions in found.items()}

    # --- policies ---

    def check(self) -> dict[str, Any]:
        name = self.focus if self.often(45) else self.chance.choice(list(_CHECKS))
        return {"check": name, **_CHECKS[name](self)}

    def condition(self, depth: int = 0) -> dict[str, Any]:
        """A check, or several under ``all``, ``any``, ``not``."""
        if depth > 2 or self.often(78 if depth == 0 else 70):
            return self.check()
        how = self.chance.choice(["all", "any", "not"])
        if how == "not":
            return {"not": self.condition(depth + 1)}
        return {how: [self.condition(depth + 1) for _ in range(self.chance.choice((1, 2, 2, 3)))]}

    def requirement(self, number: int) -> dict[str, Any]:
        what = self.condition()
        found: dict[str, Any] = {"id": f"r{number}", "title": f"Requirement {number}", **what}
        found["hop"] = ["model|ai_agent|logged_model", "deploys", "deployment"]
        if what.get("check") == "environment":
            found["hop"] = ["*", self.chance.choice(["deploys", "serves", "*"]), "*"]
        elif what.get("check") == "identified" or self.often(12):
            found["hop"] = self.chance.choice(
                [
                    ["dataset|feature_set|index", "used", "run"],
                    ["*", "*", "*"],
                    ["run", "was_generated_by", "*"],
                    ["deployment", "serves", "endpoint"],
                    ["base_model|prompt|code", "*", "*"],
                    ["logged_model", "*", "model"],
                    ["model", "alias_of", "model"],
                ]
            )
            if self.often(25):
                found["of"] = self.chance.choice(["cause", "effect"])
            if self.often(20):
                found["role"] = self.chance.choice(["training", "validation", "test", "evaluation", "prompt"])
        if self.often(25):
            when: dict[str, Any] = {}
            if self.often(60):
                when["environment"] = self.chance.choice(["production", "staging", ["production", "staging"], ["test"]])
            if self.often(30):
                when["kind"] = self.chance.choice(["model", "ai_agent", ["model", "logged_model"]])
            if self.often(40) or not when:
                when["tag"] = {"risk": self.chance.choice(["high", "low"])}
                if self.often(20):
                    when["tag"]["audience"] = "public"
            found["when"] = when
        return found

    def waivers(self) -> list[dict[str, Any]]:
        models = [ref for ref in self.graph if self.graph.nodes[ref]["kind"] in ("model", "dataset", "ai_agent")]
        return [
            {
                "requirement": f"r{self.chance.randrange(1, 4)}",
                "subject": self.chance.choice(models),
                "by": "person:ada",
                "why": "It is being relabelled.",
                "until": day(NOW + self.chance.choice((-20, 0, 20))),
            }
            for _ in range(self.chance.choice((1, 1, 2)))
            if models
        ]

    def version(self, number: int) -> dict[str, Any]:
        count = self.chance.choice((1, 2, 3, 4))
        found: dict[str, Any] = {
            "version": str(number),
            "requirement": [self.requirement(at) for at in range(1, count + 1)],
        }
        if self.often(20) and (waivers := self.waivers()):
            asked = {one["id"] for one in found["requirement"]}
            waivers = [one for one in waivers if one["requirement"] in asked]
            if waivers:
                found["waiver"] = waivers
        return found

    def policy(self) -> dict[str, Any]:
        if self.often(70):
            return {"name": "random", **self.version(1)} | (
                {"effective_from": day(self.chance.randrange(0, 60, 5))} if self.often(12) else {}
            )
        starts = sorted(self.chance.sample(range(0, NOW + 20, 5), self.chance.choice((2, 2, 3))))
        versions = [{**self.version(number), "effective_from": day(start)} for number, start in enumerate(starts, 1)]
        if self.often(50):
            del versions[0]["effective_from"]
        return {"name": "random", "version": versions}


def _maybe(number: int | None) -> str | None:
    return None if number is None else text(number)


def _gates(maker: _Maker) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if maker.often(70):
        found["gate_type"] = maker.chance.choice(GATE_TYPES)
    if maker.often(35) or not found:
        found["gate"] = maker.chance.choice(["f1", "f1|auc", "eval-.*", "approval|board", "[a-z]+", "red-team", ".*"])
    return found


def _some(chance: random.Random, *words: str, most: int = 9) -> list[str]:
    return chance.sample(words, chance.randint(1, min(most, len(words))))


def _evidence(maker: _Maker) -> dict[str, Any]:
    found = _gates(maker)
    if maker.often(25):
        found["min_grade"] = maker.chance.choice(["recomputed", "signed", "referenced", "claimed"])
    if maker.often(50):
        found["before"] = "release"
    if maker.often(20):
        found["not_older_than"] = maker.chance.choice(["30d", "70d", "5w", "1m", "3m", "1y", "240h"])
    return found


def _metric(maker: _Maker) -> dict[str, Any]:
    found: dict[str, Any] = {"metric": maker.chance.choice(["f1", "auc"])}
    low, high = maker.often(75), maker.often(30)
    if low or not high:
        found[maker.chance.choice(["at_least", "above"])] = maker.chance.choice([0.8, 0.9, 0.95])
    if high:
        found[maker.chance.choice(["at_most", "below"])] = maker.chance.choice([0.9, 1])
    if maker.often(60):
        found["min_grade"] = maker.chance.choice(["recomputed", "claimed", "claimed", "claimed"])
    if maker.often(10):
        found["not_older_than"] = "70d"
    return found


def _name(maker: _Maker) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if maker.often(60):
        found["name"] = maker.chance.choice(["churn", "[a-z]+", "ch.*", "bot|m0", "x"])
    if maker.often(40):
        found["version"] = maker.chance.choice([r"\d+", r"[1-9].*", "v.*"])
    if maker.often(40) or not found:
        found["semantic"] = True
    return found


_FACTS = (
    "algorithm",
    "dataset_version",
    "metrics",
    "feature_spec",
    "code",
    "environment",
    "owner",
    "licence",
    "description",
    "intended_use",
    "limitations",
    "retention",
    "prompt",
    "retrieval_index",
    "base_model",
)
_CHECKS: Mapping[str, Callable[[_Maker], dict[str, Any]]] = {
    "resolved": lambda maker: {},
    "training_data": lambda maker: {},
    "identified": lambda maker: {
        "at_least": maker.chance.choice(["content_hash", "name_version", "truncated_digest", "name"])
    },
    "pinned": lambda maker: {},
    "recorded": lambda maker: {"facts": _some(maker.chance, *_FACTS, most=3)},
    "evidence": _evidence,
    "metric": _metric,
    "same_subject": _gates,
    "order": lambda maker: {
        "steps": maker.chance.choice(
            [
                ["evaluation", "approval", "release"],
                ["evaluation", "approval"],
                ["approval", "release"],
                ["safety", "release"],
                ["evaluation", "release"],
                ["release", "safety"],
            ]
        )
    },
    "different_approver": lambda maker: {"from": _some(maker.chance, "author", "deployer")},
    "identity": lambda maker: {
        "who": maker.chance.choice(["approver", "author", "deployer"]),
        **maker.chance.choice(
            [
                {"allowed": ["person:.*"]},
                {"allowed": [".*ada.*", "service:ci"]},
                {"kinds": ["person"]},
                {"kinds": ["person", "service"], "allowed": [".*:(ada|mia|ci)"]},
                {"kinds": ["team", "group", "person"]},
                {"allowed": ["ada|ci", "person:mia"]},
            ]
        ),
    },
    "separate_data": lambda maker: {},
    "name": _name,
    "environment": lambda maker: {
        "allowed": maker.chance.choice([["production"], ["staging", "test"], ["production", "staging"]])
    },
    "unweakened": _gates,
    "compared": lambda maker: (
        {**_gates(maker), "with": "production"}
        if maker.often(15 if maker.focus == "compared" else 50)
        else {"gate_type": "evaluation", "with": "production"}
    ),
    "canary": lambda maker: {
        "steps": maker.chance.choice([[10, 50, 100], [10, 50, 100], [10, 100], [50, 100], [10, 50], [100]]),
        "for": maker.chance.choice(["24h", "1d", "12h", "2d"]),
    },
    "rollback_target": lambda maker: {},
    "active_versions": lambda maker: {"at_most": maker.chance.choice([0, 1, 2, 3])},
    "kept": lambda maker: {"for": maker.chance.choice(["10d", "30d", "8w", "1y"])},
}


def case(seed: int) -> Case:
    """The estate and the policy that a number stands for."""
    maker = _Maker(seed)
    maker.build()
    judged = maker.chance.randrange(0, NOW, 5) if maker.often(15) else None
    return Case(maker.graph, maker.evidence, maker.facts(), maker.policy(), None if judged is None else micros(judged))


# --- smaller ones ---


def simpler(found: Case) -> list[Callable[[], Case]]:
    """Cases that are a little smaller, the boldest first."""
    ways: list[Callable[[], Case]] = []

    def without(key: str, at: int, holder: dict[str, Any]) -> dict[str, Any]:
        kept = [one for place, one in enumerate(holder[key]) if place != at]
        return {**{k: v for k, v in holder.items() if k != key}, **({key: kept} if kept else {})}

    policy = found.policy
    if isinstance(policy["version"], list):
        for version in policy["version"]:
            ways.append(lambda version=version: replace(found, policy={"name": "random", **version}))
    else:
        for key in ("waiver", "effective_from"):
            if key in policy:
                ways.append(lambda key=key: replace(found, policy={k: v for k, v in policy.items() if k != key}))
        for at in range(len(policy["requirement"])):
            if len(policy["requirement"]) > 1:
                ways.append(lambda at=at: replace(found, policy=without("requirement", at, policy)))
            one = policy["requirement"][at]
            smaller = [{k: v for k, v in one.items() if k != key} for key in ("when", "role", "of") if key in one]
            rest = {k: v for k, v in one.items() if k not in ("all", "any", "not")}
            for how in ("all", "any"):
                smaller += [{**rest, **part} for part in one.get(how, ())]
                smaller += [without(how, place, one) for place in range(len(one.get(how, ()))) if len(one[how]) > 1]
            if "not" in one:
                smaller.append({**rest, **one["not"]})
            for less in smaller:
                kept = [*policy["requirement"][:at], less, *policy["requirement"][at + 1 :]]
                ways.append(lambda kept=kept: replace(found, policy={**policy, "requirement": kept}))
    if found.judged_as_of is not None:
        ways.append(lambda: replace(found, judged_as_of=None))
    for ref in list(found.graph):
        if ref != ENDPOINT:
            kept = [node for node in found.graph if node != ref]
            ways.append(lambda kept=kept: replace(found, graph=found.graph.subgraph(kept).copy()))
    for edge in list(found.graph.edges(keys=True)):
        ways.append(lambda edge=edge: replace(found, graph=_unlinked(found.graph, edge)))
    for subject, items in found.evidence.items():
        for at in range(len(items)):
            ways.append(lambda subject=subject, at=at: replace(found, evidence=without(subject, at, found.evidence)))
    facts = found.facts
    for name in ("agents", "lives", "complete", "conditions"):
        for key in getattr(facts, name):
            less = {k: v for k, v in getattr(facts, name).items() if k != key}
            ways.append(lambda name=name, less=less: replace(found, facts=replace(facts, **{name: less})))
    for name in ("lives", "conditions"):
        for key, many in getattr(facts, name).items():
            for at in range(len(many)):
                less = {**getattr(facts, name), key: many[:at] + many[at + 1 :]}
                ways.append(lambda name=name, less=less: replace(found, facts=replace(facts, **{name: less})))
    for at in range(len(facts.releases or ())):
        less = (facts.releases or ())[:at] + (facts.releases or ())[at + 1 :]
        ways.append(lambda less=less: replace(found, facts=replace(facts, releases=less)))
    for ref, data in found.graph.nodes(data=True):
        for key in data["record"].get("attributes", {}):
            ways.append(lambda ref=ref, key=key: replace(found, graph=_without_attribute(found.graph, ref, key)))
    return ways


def _unlinked(graph: Any, edge: Any) -> Any:
    less = graph.copy()
    less.remove_edge(*edge)
    return less


def _without_attribute(graph: Any, ref: str, key: str) -> Any:
    less = graph.copy()
    record = less.nodes[ref]["record"]
    attributes = {k: v for k, v in record["attributes"].items() if k != key}
    less.nodes[ref]["record"] = {**record, "attributes": attributes}
    return less


def shrink(found: Case, wrong: Callable[[Case], bool]) -> Case:
    """The smallest case that is still wrong, as far as leaving things out finds it."""
    going = True
    while going:
        going = False
        for way in simpler(found):
            less = way()
            try:
                still = wrong(less)
            except Exception:  # noqa: BLE001 - a part that something else needs was left out
                still = False
            if still:
                found, going = less, True
                break
    return found
