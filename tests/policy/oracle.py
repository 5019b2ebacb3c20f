"""What docs/policies.md says, a second time and as plainly as it can be put: the judge's answers are compared with these.

Nothing here comes from ``lineage_explorer.policy`` but plain data (``Facts``). Everything is looked for anew, with loops,
wherever it is wanted: this is for graphs of a few nodes. Where the page leaves a question open, a comment beginning with
"reading" says how it was read here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

HOLDS, FAILS, CANNOT = "holds", "fails", "undetermined"
LADDER = (
    "content_hash",
    "identifier",
    "name_version",
    "truncated_digest",
    "time_order",
    "name",
    "containment",
    "declared",
)
GRADES = ("recomputed", "signed", "referenced", "claimed")
DATA = ("dataset", "feature_set", "index")
INGREDIENTS = ("prompt", "base_model", "code", "environment")
NOT_ACTIVE = ("archived", "retired", "deleted")
IN_USE = ("evaluation", "staging", "production", "monitoring")
#: What stands in the place of a requirement's id where only the hop as a whole has an outcome.
WHOLE = "*"

Hop = tuple[str, str, Any]
Item = tuple[int, Mapping[str, Any]]


def micros(when: str | datetime) -> int:
    moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def earlier(instant: int, duration: str, back: int = 1) -> int:
    """The instant that lies a duration before another (after it with ``back`` -1)."""
    amount, unit = float(duration[:-1]), duration[-1]
    if unit in "my":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
        months = moment.year * 12 + moment.month - 1 - back * int(amount * (12 if unit == "y" else 1))
        year, month = divmod(months, 12)
        for day in range(moment.day, 0, -1):  # the 31st of a shorter month is its last day
            try:
                return micros(moment.replace(year=year, month=month + 1, day=day))
            except ValueError:
                continue
    hours = {"h": 1, "d": 24, "w": 7 * 24}[unit]
    return instant - back * int(amount * hours * 3_600_000_000)


def all_of(outcomes: Iterable[str]) -> str:
    outcomes = list(outcomes)
    if FAILS in outcomes:
        return FAILS
    if CANNOT in outcomes or not outcomes:
        return CANNOT
    return HOLDS


def any_of(outcomes: Iterable[str]) -> str:
    outcomes = list(outcomes)
    if HOLDS in outcomes:
        return HOLDS
    if CANNOT in outcomes or not outcomes:
        return CANNOT
    return FAILS


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


@dataclass
class World:
    """Everything that is known, and what each check came to on the way."""

    graph: Any
    serving: Sequence[Any]
    evidence: Mapping[str, Sequence[Item]]
    facts: Any
    as_of: int
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    # --- the graph ---

    def kind(self, ref: str) -> str:
        return str(self.graph.nodes[ref]["kind"])

    def attributes(self, ref: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.graph.nodes[ref].get("record", {}).get("attributes", {})
        return found

    def into(self, ref: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(cause, edge) for cause, effect, edge in self.graph.edges(data=True) if effect == ref]

    def upstream(self, ref: str) -> set[str]:
        found: set[str] = set()
        grown = {ref}
        while grown:
            grown = {cause for node in grown for cause, _ in self.into(node)} - found
            found |= grown
        return found - {ref}

    def answering(self) -> list[Any]:
        return [item for item in self.serving if item.state in ("serving", "undetermined")]

    def roles(self, released: str) -> dict[str, set[str]]:
        """What the things upstream of one thing were for."""
        roles: dict[str, set[str]] = {}
        steps = [(released, "")]
        for node, role in steps:  # grows while it is walked
            for cause, edge in self.into(node):
                its = role
                if not role and self.kind(cause) in INGREDIENTS:
                    its = self.kind(cause).replace("_", " ")
                elif not role and self.kind(cause) in DATA:
                    its = {"": "role not recorded", "input": "role not recorded", "train": "training"}.get(
                        edge["role"].lower(), edge["role"].lower()
                    )
                if its:
                    roles.setdefault(cause, set()).add(its)
                if (cause, its) not in steps:
                    steps.append((cause, its))
        return roles

    def evaluated_with(self, subject: str) -> set[str]:
        """What the runs read that stand beside the flow and evaluated a thing."""
        same = self.same_things(subject)
        return {
            data
            for run, beside in self.graph.nodes(data=True)
            if beside.get("side") and any(cause in same for cause, _ in self.into(run))
            for data, edge in self.into(run)
            if edge["predicate"] == "used" and self.kind(data) in DATA
        }

    def every_role(self, ref: str) -> set[str]:
        found = {
            role for item in self.answering() if item.model is not None for role in self.roles(item.model).get(ref, ())
        }
        for run, beside in self.graph.nodes(data=True):
            if (
                beside.get("side")
                and self.kind(ref) in DATA
                and any(cause == ref and edge["predicate"] == "used" for cause, edge in self.into(run))
            ):
                found.add("evaluation")
        return found

    def same_things(self, subject: str) -> list[str]:
        """A thing, what it is an alias of, and the logged model whose bytes it is."""
        found = [subject]
        for cause, edge in self.into(subject):
            same_bytes = (
                edge["predicate"] == "was_derived_from"
                and self.kind(cause) == "logged_model"
                and edge["basis"] in ("content_hash", "identifier")
            )
            # `alternate_of` is what gathering puts between a bare name and what it means. One step: the bytes of the
            # version that an alias points to are not looked for.
            if (same_bytes or edge["predicate"] in ("alias_of", "alternate_of")) and cause not in found:
                found.append(cause)
        return found

    def runs_that_made(self, subject: str) -> list[str]:
        # Reading: who made the logged model made the version of its bytes.
        return [
            cause
            for one in self.same_things(subject)
            for cause, edge in self.into(one)
            if edge["predicate"] == "was_generated_by" and self.kind(cause) == "run"
        ]

    def versions(self, hop: Hop, subject: str) -> set[str]:
        """Reading: "the version" is the subject where it can be released, else what the hop leads to."""
        if self.kind(subject) in ("model", "ai_agent", "logged_model"):
            return {self.pointed_at(subject)}
        return {self.pointed_at(item.model) for item in self.paths_through(hop) if item.model is not None}

    def pointed_at(self, ref: str) -> str:
        """The version that an alias points to."""
        for cause, edge in self.into(ref):
            if edge["predicate"] == "alias_of":
                return cause
        return ref

    def paths_through(self, hop: Hop) -> list[Any]:
        """The answering paths (a deployment and what it runs) that a hop leads to."""
        cause, effect, _ = hop
        predicate = self.graph.edges[hop]["predicate"]
        found = []
        for item in self.answering():
            if predicate == "serves":
                on = item.deployment == cause
            elif predicate == "deploys":
                on = item.deployment == effect and item.model == cause
            else:
                on = item.model is not None and (effect == item.model or effect in self.upstream(item.model))
            if on:
                found.append(item)
        return found

    def deployment(self, hop: Hop) -> str | None:
        predicate = self.graph.edges[hop]["predicate"]
        return hop[1] if predicate == "deploys" else hop[0] if predicate == "serves" else None

    # --- times ---

    def event(self, hop: Hop) -> int | None:
        """When what is gated happened."""
        effect = hop[1]
        edge = self.graph.edges[hop]
        record = self.graph.nodes[effect].get("record", {})
        if self.kind(effect) == "deployment":
            return self.released(effect)
        if self.kind(effect) == "endpoint":
            return edge["valid_from"] if "valid_from" in edge["record"] else None
        for name in ("started_at", "ended_at") if self.kind(effect) == "run" else ("created_at",):
            if record.get(name):
                return micros(record[name])
        when: int | None = edge["event_time"]
        return when

    def released(self, deployment: str) -> int | None:
        """When a deployment was released."""
        for predicate in ("deploys", "serves"):
            times = [
                relation["valid_from"]
                for cause, effect, relation in self.graph.edges(data=True)
                if relation["predicate"] == predicate
                and deployment == (effect if predicate == "deploys" else cause)
                and "valid_from" in relation["record"]
            ]
            if times:
                return min(times)
        return None

    def release(self, hop: Hop) -> int | None:
        own = self.deployment(hop)
        places = [own] if own is not None else [item.deployment for item in self.paths_through(hop)]
        times = [self.released(place) for place in places]
        return None if None in times else min(times, default=None)  # type: ignore[type-var]


# --- evidence that counts ---


def when_of(item: Mapping[str, Any]) -> int | None:
    return micros(item["event_time"]) if item.get("event_time") else None


def about(world: World, subject: str) -> list[Item]:
    return [item for one in world.same_things(subject) for item in world.evidence.get(one, ())]


def outcome_of_record(world: World, item: Mapping[str, Any]) -> str:
    if item["status"] == "passed":
        return HOLDS
    if item["status"] == "failed":
        return FAILS
    if item["status"] == "waived":
        reason = item.get("attributes", {}).get("reason")
        until = item.get("valid_to")
        if item.get("evaluator") and reason and until and world.as_of < micros(until):
            return HOLDS
    return CANNOT


def selected(world: World, subject: str, gate: str = "", gate_type: str = "") -> list[Item]:
    """The evidence about a subject that a check looks at."""
    found = [
        (number, item)
        for number, item in about(world, subject)
        if (not gate or matches(gate, item["gate"])) and (not gate_type or item.get("gate_type", "other") == gate_type)
    ]
    return [pair for pair in found if not judges_nothing(pair[1])] or found


def judges_nothing(item: Mapping[str, Any]) -> bool:
    """Whether it is a measurement that states no condition (not one that somebody changed between two syncs)."""
    states_nothing = item["status"] == "undetermined" and not item.get("expected") and not item.get("because")
    return states_nothing and bool(item.get("actual"))


def groups_of(items: Sequence[Item]) -> list[tuple[str, str, list[Item]]]:
    """Gate, evaluator where approvals name one, and the records that count there."""
    found = []
    for gate in dict.fromkeys(item["gate"] for _, item in items):
        of_gate = [pair for pair in items if pair[1]["gate"] == gate]
        named = dict.fromkeys(approver(item) for _, item in of_gate if approver(item))
        for who in named or [""]:
            found.append((gate, who, [pair for pair in of_gate if approver(pair[1]) in ("", who)]))
    return found


def approver(item: Mapping[str, Any]) -> str:
    return str(item.get("evaluator", "")) if item.get("gate_type") == "approval" else ""


def latest(items: Sequence[Item]) -> list[Item]:
    """The deciding ones: those of the latest time, and those without a time."""
    times = [when for _, item in items if (when := when_of(item)) is not None]
    return [(number, item) for number, item in items if when_of(item) in (None, max(times, default=None))]


def come_to(world: World, deciding: Sequence[Item]) -> str:
    outcomes = {outcome_of_record(world, item) for _, item in deciding}
    return outcomes.pop() if len(outcomes) == 1 else CANNOT


def settle(world: World, items: Sequence[Item], before: bool, release: int | None) -> tuple[str, list[Item]]:
    """What one group comes to, and by which records."""
    if not before or release is None:
        deciding = latest(items)
        outcome = come_to(world, deciding)
        return (CANNOT if before and outcome == HOLDS else outcome), deciding
    early = [pair for pair in items if (when_of(pair[1]) or 0) <= release]  # also those without a time
    late = [pair for pair in items if (when_of(pair[1]) or 0) > release]
    if not early:
        deciding = latest(late)
        outcome = come_to(world, deciding)
        return (FAILS if outcome == HOLDS else outcome), deciding
    deciding = latest(early)
    if late and all(when_of(item) is None for _, item in early):
        deciding = deciding + latest(late)  # reading: whether what has no time came before is not known
    outcome = come_to(world, deciding)
    if outcome == HOLDS and any(when_of(item) is None for _, item in deciding):
        outcome = CANNOT
    if late and come_to(world, latest(late)) == FAILS:
        return FAILS, latest(late)
    return outcome, deciding


def settle_all(
    world: World, items: Sequence[Item], before: bool = False, release: int | None = None
) -> tuple[str, list[Item]]:
    """What all groups come to: the worst, except that approvals may contradict each other."""
    gates: dict[str, list[str]] = {}
    deciding: list[Item] = []
    for gate, _, group in groups_of(items):
        outcome, by = settle(world, group, before, release)
        deciding += [pair for pair in by if pair not in deciding]
        gates.setdefault(gate, []).append(outcome)
    # A gate has several groups only where approvers are named, each of whom has one.
    return all_of(CANNOT if HOLDS in found and FAILS in found else all_of(found) for found in gates.values()), deciding


def weakest(deciding: Iterable[Item]) -> int:
    return max(GRADES.index(item.get("grade", "claimed")) for _, item in deciding)


def too_old(world: World, deciding: Iterable[Item], limit: str) -> bool:
    """Whether one is older than that at the instant asked about, or may be."""
    if not limit:
        return False
    return any((when_of(item) or -(10**18)) < earlier(world.as_of, limit) for _, item in deciding)


# --- checks: (world, hop, subject, parameters) -> outcome ---


def check_resolved(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    for ref in hop[:2]:
        node = world.graph.nodes[ref]
        if node.get("candidates") or not (node["resolved"] or node["implied"]):
            return CANNOT
    return HOLDS


def check_training_data(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    return HOLDS if training_data(world, subject) else CANNOT


def training_data(world: World, subject: str) -> list[str]:
    return [ref for ref, roles in world.roles(subject).items() if "training" in roles and world.kind(ref) in DATA]


def check_identified(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    basis = world.graph.nodes[subject].get("identified_by") or "name"
    return HOLDS if LADDER.index(basis) <= LADDER.index(params["at_least"]) else CANNOT


def check_pinned(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    named = any(world.attributes(subject).get(name) for name in ("source", "uri", "url", "provider"))
    return HOLDS if "@" in subject and named else CANNOT


def has(world: World, ref: str, *names: str) -> bool:
    attributes = world.attributes(ref)
    for place in (attributes, *(attributes.get(name) for name in ("tags", "params", "metadata"))):
        for key, value in place.items() if isinstance(place, Mapping) else ():
            if key.lower() in names and value not in (None, [], {}) and str(value).strip():
                return True
    return False


def check_recorded(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    return all_of(HOLDS if on_record(world, subject, fact) else CANNOT for fact in params["facts"])


def on_record(world: World, subject: str, fact: str) -> bool:
    runs = world.runs_that_made(subject)

    def run_used(kind: str) -> bool:
        return any(
            edge["predicate"] == "used" and world.kind(cause) == kind for run in runs for cause, edge in world.into(run)
        )

    def run_has(*names: str) -> bool:
        return any(has(world, ref, *names) for ref in (subject, *runs))  # reading: or the thing itself has it

    if fact == "algorithm":
        names = ("algorithm", "model_type", "estimator", "flavor", "flavors")
        return has(world, subject, *names) or run_has(*names)
    if fact == "dataset_version":
        bases = [world.graph.nodes[ref].get("identified_by") or "name" for ref in training_data(world, subject)]
        return bool(bases) and all(LADDER.index(basis) <= LADDER.index("truncated_digest") for basis in bases)
    if fact == "metrics":
        measured = any(item.get("actual") for _, item in about(world, subject))
        return has(world, subject, "metrics") or run_has("metrics") or measured
    if fact == "feature_spec":
        upstream = any(world.kind(ref) == "feature_set" for ref in world.upstream(subject))
        return upstream or has(world, subject, "feature_spec", "signature", "schema", "inputs")
    if fact == "code":
        return run_used("code") or run_has("commit", "git_commit", "code", "source_version")
    if fact == "environment":
        return run_used("environment") or run_has("environment", "conda", "requirements", "image")
    if fact in ("prompt", "retrieval_index", "base_model"):
        return any(world.kind(ref) == fact.removeprefix("retrieval_") for ref in world.upstream(subject))
    if fact == "owner":
        return bool(world.facts.agents.get(subject)) or has(world, subject, "owner", "team", "user")
    if fact == "description":
        return bool(world.graph.nodes[subject].get("record", {}).get("description"))
    alike = {
        "licence": ("licence", "license"),
        "intended_use": ("intended_use", "purpose"),
        "limitations": ("limitations", "risks"),
        "retention": ("retention",),
    }
    return has(world, subject, *alike[fact])


def check_evidence(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    found = selected(world, subject, params.get("gate", ""), params.get("gate_type", ""))
    if not found:
        return CANNOT
    outcome, deciding = settle_all(world, found, params.get("before") == "release", world.release(hop))
    if outcome != HOLDS:
        return outcome
    if weakest(deciding) > GRADES.index(params.get("min_grade", "claimed")):
        return CANNOT
    return CANNOT if too_old(world, deciding, params.get("not_older_than", "")) else HOLDS


def number(text: str) -> float | None:
    """What people write for a number, and nothing else that Python takes for one (``inf``, ``1_0``, `` 1``)."""
    written = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
    return float(text) if written and abs(float(text)) != float("inf") else None


def check_metric(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    measured = [
        (at, item)
        for at, item in about(world, subject)
        if item.get("actual") and (item.get("attributes", {}).get("metric") or item["gate"]) == params["metric"]
    ]
    release = world.release(hop)
    if release is not None:
        measured = [pair for pair in measured if (when_of(pair[1]) or 0) <= release]
    if not measured:
        return CANNOT
    deciding = latest(measured)
    outcomes = set()
    for _, item in deciding:
        value = number(item["actual"])
        if value is None or item["status"] == "stale" or item.get("because"):
            outcomes.add(CANNOT)
            continue
        met = (
            value >= params.get("at_least", value)
            and value <= params.get("at_most", value)
            and not ("above" in params and value <= params["above"])
            and not ("below" in params and value >= params["below"])
        )
        outcomes.add(HOLDS if met else FAILS)
    outcome = outcomes.pop() if len(outcomes) == 1 else CANNOT
    if outcome != HOLDS:
        return outcome  # reading: as a gate's, a measurement that does not meet the bounds fails whatever its grade
    if release is None or any(when_of(item) is None for _, item in deciding):
        return CANNOT
    if weakest(deciding) > GRADES.index(params.get("min_grade", "referenced")):
        return CANNOT
    return CANNOT if too_old(world, deciding, params.get("not_older_than", "")) else HOLDS


def check_same_subject(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    places = {item.deployment for item in world.paths_through(hop) if item.model == subject}
    if world.graph.edges[hop]["predicate"] == "deploys" and subject == hop[0]:
        places = {hop[1]}
    own = world.graph.nodes[subject].get("record", {}).get("digest", "")
    digests = {world.attributes(place).get("model_digest") or own for place in places} or {own}
    deployed = digests.pop() if len(digests) == 1 else ""
    _, deciding = settle_all(world, selected(world, subject, params.get("gate", ""), params.get("gate_type", "")))
    outcomes = []
    for _, item in deciding:
        judged = item.get("subject_digest", "")
        full = all(re.fullmatch("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", text) for text in (judged, deployed))
        if not full or judged.partition(":")[0] != deployed.partition(":")[0]:
            outcomes.append(CANNOT)  # reading: two algorithms' digests of the same bytes differ, too
        else:
            outcomes.append(HOLDS if judged == deployed else FAILS)
    return all_of(outcomes)


def check_order(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    # Reading: it holds where one record of each step, that holds itself, stands in this order; others do no harm.
    times: list[list[int | None]] = []
    for step in params["steps"]:
        if step == "release":
            times.append([world.release(hop)])
        else:
            found = selected(world, subject, gate_type=step)
            times.append([when_of(item) for _, item in found if outcome_of_record(world, item) == HOLDS] or [None])
    dated = [[when for when in step if when is not None] for step in times]
    if all(dated) and in_order(dated):
        return HOLDS
    return CANNOT if in_order([dated[place] for place, step in enumerate(times) if None not in step]) else FAILS


def in_order(times: Iterable[Sequence[int]]) -> bool:
    at = -(10**18)
    for step in times:
        later = [when for when in step if when >= at]
        if not later:
            return False
        at = min(later)
    return True


def holding(world: World, items: Iterable[Item]) -> list[Item]:
    """Those of the deciding records that hold."""
    return [pair for pair in settle_all(world, list(items))[1] if outcome_of_record(world, pair[1]) == HOLDS]


def people(world: World, hop: Hop, subject: str, who: str) -> list[str]:
    """Who they are; "" stands for somebody who is not named."""
    if who == "approver":
        # Reading: whoever refused has approved nothing.
        found = selected(world, subject, gate_type="approval")
        return [item.get("evaluator", "") for _, item in holding(world, found)]
    agents = world.facts.agents
    if who == "deployer":
        own = world.deployment(hop)
        places = [own] if own else sorted({item.deployment for item in world.paths_through(hop)})
        return [one for place in places for one in agents.get(place) or ([] if own else [""])]
    made = (*world.same_things(subject), *world.runs_that_made(subject))
    return [one for ref in made for one in agents.get(ref, ())]


def kind_of_person(text: str) -> str:
    kind, colon, _ = text.partition(":")
    return kind if colon and re.fullmatch("[a-z][a-z0-9_]*", kind) else ""


def name_of_person(text: str) -> str:
    """Without the namespace, and without what follows the @ sign."""
    return unquote(text.partition(":")[2]).rpartition("/")[2].partition("@")[0]


def same_person(one: str, other: str) -> str:
    """HOLDS: the same. FAILS: two. CANNOT: it is not known."""
    kinds = {kind_of_person(one), kind_of_person(other)}
    if not kinds <= {"person", "service"}:
        return CANNOT  # nobody, a bare name, or a group, in which anybody may be
    if one == other:
        return HOLDS
    # Reading: whoever bears one name may be the same, also under two namespaces, and as a person and a service.
    return CANNOT if name_of_person(one) == name_of_person(other) else FAILS


def check_different_approver(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    approvers = people(world, hop, subject, "approver") or [""]
    outcomes = []
    for who in params["from"]:
        for other in people(world, hop, subject, who) or [""]:
            for approver in approvers:
                outcomes.append({HOLDS: FAILS, FAILS: HOLDS, CANNOT: CANNOT}[same_person(approver, other)])
    return all_of(outcomes)


def check_identity(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    outcomes = []
    for one in people(world, hop, subject, params["who"]):
        kind = kind_of_person(one)
        right = kind in params.get("kinds", ("person", "service"))
        allowed = not params.get("allowed") or any(
            matches(pattern, one if ":" in pattern else one.removeprefix(kind + ":")) or matches(pattern, one)
            for pattern in params["allowed"]
        )
        outcomes.append(CANNOT if not kind else HOLDS if right and allowed else FAILS)
    return all_of(outcomes)


def check_separate_data(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    tested = world.evaluated_with(subject)
    for run in world.runs_that_made(subject):
        tested |= {
            data
            for data, edge in world.into(run)
            if edge["role"].lower() in ("evaluation", "test") and world.kind(data) in DATA
        }
    for _, item in about(world, subject):
        named = item.get("attributes", {}).get("dataset")
        if named and item.get("gate_type") == "evaluation":
            tested.add(named)
    return all_of(two_data(world, one, other) for one in tested for other in training_data(world, subject))


def two_data(world: World, one: str, other: str) -> str:
    """HOLDS: they differ. FAILS: they are the same."""
    digests = [digest_of(world, ref) for ref in (one, other)]
    rungs = [LADDER.index(rung_of(world, ref)) for ref in (one, other)]
    if one == other:
        return FAILS
    if all(digests) and digests[0] == digests[1]:
        return FAILS
    kinds = {digest.partition(":")[0] for digest in digests}
    return HOLDS if (all(digests) and len(kinds) == 1) or max(rungs) <= LADDER.index("name_version") else CANNOT


def digest_of(world: World, ref: str) -> str:
    digest = str(world.graph.nodes[ref].get("digest", "")) if ref in world.graph else ""
    return digest if digest.partition(":")[0] in ("sha256", "sha512", "sha1", "md5") else ""


def rung_of(world: World, ref: str) -> str:
    return str(world.graph.nodes[ref].get("identified_by") or "name") if ref in world.graph else "name"


_NUMBER = r"(0|[1-9]\d*)"
_MARK = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMANTIC = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_MARK}(\.{_MARK})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"


def check_name(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    node = world.graph.nodes[subject]
    version = "" if node["version"].startswith("~") else node["version"]
    outcomes = []
    if params.get("name"):
        outcomes.append(HOLDS if matches(params["name"], node["name"]) else FAILS)
    for pattern in [params.get("version"), _SEMANTIC if params.get("semantic") else None]:
        if pattern:
            outcomes.append(CANNOT if not version else HOLDS if matches(pattern, version) else FAILS)
    return all_of(outcomes)


def environments(world: World, hop: Hop) -> list[str]:
    own = world.deployment(hop)
    places = [own] if own else [item.deployment for item in world.paths_through(hop)]
    return [str(world.attributes(place).get("environment") or "").lower() for place in places]


def check_environment(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    # Further up every one of the deployments must be allowed.
    allowed = [one.lower() for one in params["allowed"]]
    return all_of(CANNOT if not one else HOLDS if one in allowed else FAILS for one in environments(world, hop))


# --- checks of the past ---


def name_of(ref: str) -> str:
    return re.split("[@~]", ref)[0]


def condition_of(item: Mapping[str, Any]) -> Any:
    """(metric, direction, number), or a table of expectations, or text that cannot be compared, or None."""
    table = item.get("attributes", {}).get("expectations")
    if table:
        return table
    text = item.get("expected", "").strip()
    found = re.fullmatch(r"(\S+)\s*(>=|<=|>|<)\s*(-?\d+(\.\d+)?)", text)
    return (found[1], found[2], float(found[3])) if found else text or None


def compare_conditions(before: Any, after: Any) -> str:
    """HOLDS: the same or stricter. FAILS: weaker."""
    if before is None or after is None:
        return CANNOT
    if before == after:
        return HOLDS
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return all_of(FAILS if name not in after else compare_expectation(before[name], after[name]) for name in before)
    if not (isinstance(before, tuple) and isinstance(after, tuple)):
        return CANNOT
    if before[0] != after[0] or before[1][0] != after[1][0]:
        return CANNOT
    sign = 1 if before[1][0] == ">" else -1
    if before[2] != after[2]:
        return HOLDS if sign * after[2] > sign * before[2] else FAILS
    return HOLDS if len(after[1]) <= len(before[1]) else FAILS  # ">" is stricter than ">="


def compare_expectation(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    outcomes = []
    for key in sorted(set(before) | set(after)):
        a, b = before.get(key), after.get(key)
        if a == b:
            outcomes.append(HOLDS)
        elif key == "mostly":
            outcomes.append(HOLDS if (1 if b is None else b) >= (1 if a is None else a) else FAILS)
        elif key in ("min_value", "max_value"):
            sign = 1 if key == "min_value" else -1
            outcomes.append(FAILS if b is None else HOLDS if a is None or sign * b >= sign * a else FAILS)
        elif key == "value_set" and a is not None and b is not None:
            outcomes.append(HOLDS if set(b) <= set(a) else FAILS if set(b) > set(a) else CANNOT)
        elif key == "value_set":
            outcomes.append(FAILS if b is None else HOLDS)
        else:
            outcomes.append(CANNOT)
    return all_of(outcomes)


def check_unweakened(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    found = selected(world, subject, params.get("gate", ""), params.get("gate_type", ""))
    outcomes = []
    for at, item in settle_all(world, found)[1]:
        mine, condition = when_of(item), condition_of(item)
        said = world.facts.conditions.get((name_of(item["subject"]), item["gate"]), ())
        # Reading: a record that states no condition is passed over.
        others = [one for one in said if one.number != at and condition_of(one.evidence) is not None]
        before = [one for one in others if one.when is not None and mine is not None and one.when < mine]
        if condition is None:
            outcomes.append(CANNOT)
        elif mine is None or any(one.when is None for one in others):
            # Their order is not known, and does not matter where all are the same.
            outcomes.append(HOLDS if all(condition_of(one.evidence) == condition for one in others) else CANNOT)
        elif not before:
            outcomes.append(HOLDS)  # reading: the first condition of a gate weakens none
        else:
            last = max(one.when for one in before)
            outcomes += [
                compare_conditions(condition_of(one.evidence), condition) for one in before if one.when == last
            ]
    return all_of(outcomes)


def in_production(share: Any) -> bool:
    return share.environment.lower() in ("", "production", "prod")


def levels(spans: Iterable[Any], site: str | None, which: Any) -> list[tuple[Any, float | None]]:
    """The traffic that the shares for which something is true had at a site in each span, also where that is none."""
    found = []
    for span in spans:
        traffic = [share.traffic for share in span.shares if site in (None, share.site) and which(share)]
        found.append((span, None if None in traffic else round(sum(traffic), 6)))
    return found


def had_traffic(traffic: Iterable[float | None]) -> str:
    return any_of(CANNOT if one is None else HOLDS if one > 0 else FAILS for one in [0, *traffic])


def served_before(world: World, release: int | None, own: set[str]) -> dict[str, str] | None:
    """What other versions had traffic right before an instant; None where that is not known."""
    spans = list(world.facts.releases or ())
    for place, span in enumerate(spans):
        if (
            release is not None
            and (span.start is None or span.start < release)
            and (span.end is None or release <= span.end)
        ):
            if any(not after.sure and after.start != release for after in spans[place + 1 : place + 2]):
                return None  # when it changed is not known
            # Only at the sites at which the version itself ever stood.
            own_sites = {share.site for one in spans for share in one.shares if share.model in own}
            others = [
                share
                for share in span.shares
                if share.model not in own and in_production(share) and (share.site in own_sites or not own_sites)
            ]
            return {
                one.model: found
                for one in others
                if (found := had_traffic(share.traffic for share in others if share.model == one.model)) != FAILS
            }
    return None


def check_compared(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    found = selected(world, subject, params.get("gate", ""), params.get("gate_type", ""))
    served = served_before(world, world.release(hop), world.versions(hop, subject)) or {}
    outcomes = []
    for _, _, group in groups_of(found):
        outcome, deciding = settle(world, group, False, None)
        named = {item.get("attributes", {}).get("baseline") or "" for _, item in deciding}
        if named == {""}:
            continue
        if outcome != HOLDS:
            outcomes.append(outcome)
            continue
        for one in named:
            if not one or not served:
                outcomes.append(CANNOT)
                continue
            meant = [model for model in served if one in (model, without_namespace(model))]
            if meant:
                outcomes.append(any_of(served[model] for model in meant))
            else:
                outcomes.append(FAILS if HOLDS in served.values() else CANNOT)
    return all_of(outcomes)


def without_namespace(ref: str) -> str:
    kind, _, rest = ref.partition(":")
    return f"{kind}:{rest.rpartition('/')[2]}"


def check_canary(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    versions = world.versions(hop, subject)
    return all_of(
        all_of(canary(world, version, site, params) for site in sites(world, version)) for version in versions
    )


def sites(world: World, version: str) -> set[str]:
    """Where a version had traffic, as far as anybody knows."""
    return {
        share.site
        for span in world.facts.releases or ()
        for share in span.shares
        if share.model == version and (share.traffic is None or share.traffic > 0)
    }


def canary(world: World, version: str, site: str, params: Mapping[str, Any]) -> str:
    """The best of the times in which a version served a site."""
    spans = world.facts.releases or ()
    mine = levels(spans, site, lambda share: share.model == version)
    times: list[list[tuple[Any, float | None]]] = []
    for place, (span, level) in enumerate(mine):
        if level == 0:
            continue
        if place and mine[place - 1][1] != 0:
            times[-1].append((span, level))
        else:
            times.append([(span, level)])
    outcomes = []
    for time in times:
        outcome = one_canary(time, list(params["steps"]), params["for"])
        began = time[0][0].start
        earlier_ones = [span for span in spans if span.start is None or (began is not None and span.start <= began)]
        others = [
            share.traffic
            for span in earlier_ones
            for share in span.shares
            if share.site == site and share.model != version
        ]
        if outcome == FAILS and had_traffic(others) != HOLDS:
            outcome = CANNOT
        outcomes.append(outcome)
    return any_of(outcomes)


def one_canary(time: Sequence[tuple[Any, float | None]], steps: Sequence[float], stay: str) -> str:
    """One time from beginning to serve until no traffic any more."""
    known: list[list[Any]] = []  # [share, start, end] of each time in which it did not change
    for span, level in time:
        if level is not None and known and known[-1][0] == level:
            known[-1][2] = span.end
        elif level is None or not span.sure or span.start is None:
            known.append([None, span.start, span.end])
            break
        else:
            known.append([level, span.start, span.end])
    stayed: set[float] = set()
    for level, start, end in known:
        if level is None:
            return CANNOT
        if any(level > step and step not in stayed for step in steps):
            return FAILS
        if level == steps[-1]:
            return HOLDS
        if end is not None and end >= earlier(start, stay, -1):
            stayed.add(level)
    return CANNOT


def deleted(world: World, ref: str) -> bool | None:
    """Whether a version was deleted; None when nothing is on record of it."""
    for life in world.facts.lives.get(name_of(ref), ()):
        if life.ref == ref:
            stage = life.at(world.as_of)
            if (life.gone_at is not None and life.gone_at <= world.as_of) or (
                stage is not None and stage.stage == "deleted"
            ):
                return True
            return None if life.here is None else not life.here
    return None


def check_rollback_target(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    return all_of(rollback(world, hop, version) for version in world.versions(hop, subject))


def rollback(world: World, hop: Hop, version: str) -> str:
    mine = levels(world.facts.releases or (), None, lambda share: share.model == version)
    begins = [
        span.start for place, (span, level) in enumerate(mine) if level != 0 and not (place and mine[place - 1][1] != 0)
    ]
    until = begins[-1] if begins else world.release(hop)
    traffic: dict[str, list[float | None]] = {}
    for span, _ in mine:
        if until is not None and (span.start is None or span.start < until):
            for share in span.shares:
                if share.model != version:
                    traffic.setdefault(share.model, []).append(share.traffic)
    had = {model: found for model, its in traffic.items() if (found := had_traffic(its)) != FAILS}
    gone = {model: deleted(world, model) for model in had}
    if any(had[model] == HOLDS and gone[model] is False for model in had):
        return HOLDS
    return FAILS if HOLDS in had.values() and all(gone.values()) else CANNOT


def check_active_versions(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    return all_of(active(world, name_of(version), params) for version in world.versions(hop, subject))


def active(world: World, name: str, params: Mapping[str, Any]) -> str:
    lives = world.facts.lives.get(name)
    if lives is None:
        return CANNOT
    outcomes = [is_active(world, life) for life in lives]
    if outcomes.count(HOLDS) > params["at_most"]:
        return FAILS
    if not world.facts.complete.get(name) or len(outcomes) - outcomes.count(FAILS) > params["at_most"]:
        return CANNOT
    return HOLDS


def is_active(world: World, life: Any) -> str:
    now = life.at(world.as_of)
    # Between two syncs it was perhaps already what was seen next.
    may_be = [now, *(one for one in life.stages if one.start is not None and begun_perhaps(one, world.as_of))]
    outcomes = {CANNOT if one is None else HOLDS if one.stage in IN_USE else FAILS for one in may_be}
    return outcomes.pop() if len(outcomes) == 1 else CANNOT


def begun_perhaps(stage: Any, instant: int) -> bool:
    return instant < stage.start and (stage.earliest is None or stage.earliest < instant)


def check_kept(world: World, hop: Hop, subject: str, params: Mapping[str, Any]) -> str:
    return all_of(kept(world, name_of(version), params) for version in world.versions(hop, subject))


def kept(world: World, name: str, params: Mapping[str, Any]) -> str:
    outcomes = []
    since = earlier(world.as_of, params["for"])
    if name not in world.facts.lives:
        return CANNOT
    for life in world.facts.lives[name]:
        gone = deleted(world, life.ref)
        retired = None
        for one in reversed([one for one in life.stages if one.start is None or one.start <= world.as_of]):
            if one.stage not in NOT_ACTIVE:
                break
            retired = one
        if gone is False:
            outcomes.append(HOLDS)
        elif retired is None or retired.start is None:
            outcomes.append(CANNOT)  # nothing says when it was retired
        elif retired.start <= since:
            outcomes.append(HOLDS)  # so long ago that nobody asks
        else:
            sure = retired.earliest is not None and retired.earliest > since
            outcomes.append(FAILS if gone and sure else CANNOT)
    if FAILS not in outcomes and not world.facts.complete.get(name):
        return CANNOT
    return all_of(outcomes)


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}


# --- guards, requirements, versions ---


def one_of(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def guard(world: World, hop: Hop, subject: str, when: Mapping[str, Any]) -> str:
    outcomes = []
    if "environment" in when:
        wanted = [one.lower() for one in one_of(when["environment"])]
        found = environments(world, hop)
        outcomes.append(any_of(CANNOT if not one else HOLDS if one in wanted else FAILS for one in found))
    if "kind" in when:
        kinds = [world.kind(item.model) for item in world.paths_through(hop) if item.model is not None]
        outcomes.append(any_of(HOLDS if kind in one_of(when["kind"]) else FAILS for kind in kinds))
    for key, text in when.get("tag", {}).items():
        attributes = world.attributes(subject)
        tags = attributes.get("tags")
        places = [place for place in (attributes, tags) if isinstance(place, Mapping)]
        said = [str(place[key]) for place in places if place.get(key) is not None]
        outcomes.append(CANNOT if len(set(said)) != 1 else HOLDS if text in said else FAILS)
    return all_of(outcomes)


def evaluate(world: World, hop: Hop, subject: str, what: Mapping[str, Any]) -> str:
    if "all" in what:
        return all_of([evaluate(world, hop, subject, part) for part in what["all"]])
    if "any" in what:
        return any_of([evaluate(world, hop, subject, part) for part in what["any"]])
    if "not" in what:
        inner = evaluate(world, hop, subject, what["not"])
        return {HOLDS: FAILS, FAILS: HOLDS, CANNOT: CANNOT}[inner]
    outcome = CHECKS[what["check"]](world, hop, subject, what)
    world.seen[what["check"], outcome] += 1
    return outcome


def asked(world: World, hop: Hop, version: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The requirements of a version that are about such a hop."""
    cause, effect, _ = hop
    ends = (world.kind(cause), world.graph.edges[hop]["predicate"], world.kind(effect))
    return [
        requirement
        for requirement in version.get("requirement", ())
        if all(wanted == "*" or is_ in wanted.split("|") for wanted, is_ in zip(requirement["hop"], ends, strict=True))
        and (not requirement.get("role") or requirement["role"] in world.every_role(cause))
    ]


def judge_by(
    world: World, hop: Hop, version: Mapping[str, Any], waivers: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What each requirement of a version that applies to a hop comes to."""
    cause, effect, _ = hop
    found: dict[str, str] = {}
    for requirement in asked(world, hop, version):
        subject = effect if requirement.get("of") == "effect" else cause
        applies = guard(world, hop, subject, requirement["when"]) if requirement.get("when") else HOLDS
        if applies == FAILS:
            continue
        outcome = evaluate(world, hop, subject, requirement)
        if applies == CANNOT:
            outcome = CANNOT
        for waiver in waivers:
            if (
                waiver["requirement"] == requirement["id"]
                and waiver["subject"] == subject
                and world.as_of < micros(waiver["until"])
            ):
                outcome = HOLDS
        found[requirement["id"]] = outcome
    return found


def versions_of(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(policy["version"]) if isinstance(policy["version"], list) else [policy]


def in_force(versions: Sequence[Mapping[str, Any]], instant: int) -> Mapping[str, Any] | None:
    begun = [
        (micros(version["effective_from"]) if "effective_from" in version else -(10**18), number)
        for number, version in enumerate(versions)
    ]
    begun = [pair for pair in begun if pair[0] <= instant]
    return versions[max(begun)[1]] if begun else None


def judge_hop(world: World, hop: Hop, policy: Mapping[str, Any], judged_as_of: int | None) -> dict[str, str]:
    versions = versions_of(policy)
    if not any(asked(world, hop, version) for version in versions):
        return {}  # reading: nothing is asked of such a hop, whichever version judges
    event = world.event(hop) if judged_as_of is None else judged_as_of
    now = world.as_of if judged_as_of is None else judged_as_of
    waivers = (in_force(versions, now) or {}).get("waiver", ())
    if event is not None:
        version = in_force(versions, event)
        return {WHOLE: CANNOT} if version is None else judge_by(world, hop, version, waivers)
    known = [one for one in versions if "effective_from" not in one or micros(one["effective_from"]) <= world.as_of]
    answers = [judge_by(world, hop, version, waivers) for version in known]
    if len(answers) == 1:
        return answers[0]
    if not known:
        return {WHOLE: CANNOT}
    # Reading: a version that asks nothing of the hop comes to no outcome.
    wholes = {all_of(answer.values()) for answer in answers if answer}
    return {} if not wholes else {WHOLE: wholes.pop() if len(wholes) == 1 else CANNOT}


def hops_of(world: World, endpoint: str) -> list[Hop]:
    """The relations between what answers requests and what that was made from."""
    flow = {endpoint}
    for item in world.answering():
        flow.add(item.deployment)
        if item.model is not None:
            flow |= {item.model, *world.upstream(item.model)}
    return [
        (cause, effect, key)
        for cause, effect, key, edge in world.graph.edges(keys=True, data=True)
        if cause in flow
        and effect in flow
        and edge["predicate"] != "alternate_of"
        and not world.graph.nodes[effect].get("side")
    ]


VERDICTS = {HOLDS: "PASSED", FAILS: "FAILED", CANNOT: "INCOMPLETE"}


def verdict(world: World, endpoint: str, judged: Mapping[Hop, Mapping[str, str]], errors: Iterable[str] = ()) -> str:
    """The worst over the answering paths; an error found on a path makes it incomplete at best."""
    paths = []
    for item in world.answering():
        on = {endpoint, item.deployment}
        if item.model is not None:
            on |= {item.model, *world.upstream(item.model)}
        outcomes = [
            outcome
            for (cause, effect, _), outcomes in judged.items()
            if cause in on and effect in on
            for outcome in outcomes.values()
        ]
        paths.append(all_of([*outcomes, *(CANNOT for ref in errors if ref in on)]))
    return VERDICTS[all_of(paths)]


def judge(
    graph: Any,
    serving: Sequence[Any],
    evidence: Mapping[str, Sequence[Item]],
    facts: Any,
    policy: Mapping[str, Any],
    as_of: int,
    endpoint: str,
    judged_as_of: int | None = None,
    errors: Iterable[str] = (),
) -> tuple[dict[Hop, dict[str, str]], str, World]:
    """Outcomes by hop and requirement, the verdict, and the world with the counts of what each check came to."""
    world = World(graph, serving, evidence, facts, as_of)
    judged = {hop: judge_hop(world, hop, policy, judged_as_of) for hop in hops_of(world, endpoint)}
    return judged, verdict(world, endpoint, judged, errors), world


__all__ = ["CHECKS", "WHOLE", "World", "judge"]
