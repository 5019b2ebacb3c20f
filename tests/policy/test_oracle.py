"""Policies against a second evaluator that was written from docs/policies.md alone, on random estates.

``make test`` tries a sample and says how large it was; ``make campaign`` (``LINEAGE_CAMPAIGN=1``) tries all.
``LINEAGE_SEED`` chooses which.
"""

from __future__ import annotations

import json
import os
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import audit
from lineage_explorer.audits import Audit
from lineage_explorer.policy import Facts, Judge, Judgement, parse_policy
from lineage_explorer.records import Record, from_json, identity_of, to_json
from lineage_explorer.store import open_store
from lineage_explorer.trace import Trace, trace

from ..estates import complete
from . import estates, oracle
from .estates import ENDPOINT, Case

CAMPAIGN = bool(os.environ.get("LINEAGE_CAMPAIGN"))
SEED = int(os.environ.get("LINEAGE_SEED") or (secrets.randbelow(2**32) if CAMPAIGN else 0))
#: Each with a policy of its own.
GRAPHS = 10_000 if CAMPAIGN else 500
#: Written into stores.
STORED = 40 if CAMPAIGN else 8
#: What a check can come to; all others can come to all three.
NEVER_FAILS = frozenset({"resolved", "training_data", "identified", "pinned", "recorded"})
#: How often each check must have come to each outcome that it can come to.
AT_LEAST = 40 if CAMPAIGN else 3
_SHIPPED = ("default", "model-governance", "deployment-pipeline")


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say in the summary how large the sample was: that belongs to the result."""

    def shown(text: str) -> None:
        request.node.user_properties.append(("sample", f"{text} (seed {SEED})"))

    return shown


def cases(count: int = GRAPHS) -> Iterator[tuple[int, Case]]:
    for number in range(SEED, SEED + count):
        yield number, estates.case(number)


def product(case: Case, known: Trace) -> Callable[[oracle.Hop], list[Judgement]]:
    judge = Judge(known, parse_policy(case.policy), case.evidence, case.facts, case.judged_as_of)
    return lambda hop: judge.hop(hop[0], hop[1], known.graph.edges[hop])


def second_opinion(case: Case, known: Trace) -> tuple[dict[oracle.Hop, dict[str, str]], str, oracle.World]:
    return oracle.judge(
        known.graph,
        known.serving,
        case.evidence,
        case.facts,
        case.policy,
        case.as_of,
        ENDPOINT,
        case.judged_as_of,
        [item.ref for item in known.findings if item.severity == "error"],
    )


def disagreements(case: Case) -> list[str]:
    """What the two do not see alike."""
    known = trace(case.graph, ENDPOINT)
    expected, _, _ = second_opinion(case, known)
    judge = product(case, known)
    found = []
    for hop, wanted in expected.items():
        judged = judge(hop)
        outcomes: dict[str, str] = {item.requirement: item.outcome for item in judged}
        if oracle.WHOLE in wanted:  # no version, or several: only the hop as a whole has an outcome
            outcomes = {oracle.WHOLE: oracle.all_of(outcomes.values())} if outcomes else {}
        for name in sorted(set(wanted) | set(outcomes)):
            if wanted.get(name) != outcomes.get(name):
                why = "; ".join(item.why for item in judged if name in (item.requirement, oracle.WHOLE))
                found.append(
                    f"{hop[0]} -> {hop[1]}, {name}: {outcomes.get(name, 'not asked')} ({why}); "
                    f"as documented: {wanted.get(name, 'not asked')}"
                )
    return found


def told(number: int, case: Case) -> str:
    """The smallest case in which they still disagree."""
    least = estates.shrink(case, lambda smaller: bool(disagreements(smaller)))
    return "\n".join([f"--- estates.case({number}), without what does not matter", str(least), *disagreements(least)])


def test_judge_and_document_agree_on_every_hop(report: Callable[[str], None]) -> None:
    wrong = []
    hops = 0
    for number, case in cases():
        hops += case.graph.number_of_edges()
        if disagreements(case):
            wrong.append((number, case))
    report(f"{GRAPHS} graphs with a policy each, {hops} relations: {len(wrong)} disagreements")
    assert not wrong, f"{len(wrong)} of {GRAPHS} disagree; the first three:\n" + "\n".join(
        told(number, case) for number, case in wrong[:3]
    )


def test_every_check_came_to_every_outcome_that_it_can_come_to(report: Callable[[str], None]) -> None:
    """A sample in which a check never failed would say nothing of how it fails."""
    seen: Counter[tuple[str, str]] = Counter()
    for _, case in cases():
        seen.update(second_opinion(case, trace(case.graph, ENDPOINT))[2].seen)
    rows = {name: [seen[name, outcome] for outcome in ("holds", "fails", "undetermined")] for name in oracle.CHECKS}
    report("holds/fails/cannot: " + ", ".join(f"{name} {'/'.join(map(str, row))}" for name, row in rows.items()))
    for name, (holds, fails, cannot) in rows.items():
        assert holds >= AT_LEAST, f"{name} held {holds} times"
        assert cannot >= AT_LEAST, f"{name} could not be determined {cannot} times"
        assert fails == 0 if name in NEVER_FAILS else fails >= AT_LEAST, f"{name} failed {fails} times"


# --- nothing that is missing or ambiguous passes ------------------------------------------------

#: What cannot hold without evidence, and what cannot without what was gathered beside the trace.
_ON_EVIDENCE = frozenset({"evidence", "metric", "same_subject", "unweakened", "compared", "different_approver"})
# (A comparison fails by a record that fails, whatever served before.)
_ON_FACTS = frozenset({"canary", "rollback_target", "active_versions", "kept", "different_approver"})


def leaves(what: Mapping[str, Any]) -> set[str]:
    """The checks in a requirement."""
    parts = [*what.get("all", ()), *what.get("any", ()), *([what["not"]] if "not" in what else [])]
    return {what["check"]} if "check" in what else set().union(*map(leaves, parts))


def decided(case: Case, only: frozenset[str]) -> list[str]:
    """Requirements about nothing but these checks that came to an outcome although what they need is not there."""
    asked = {
        (version["version"], one["id"])
        for version in oracle.versions_of(case.policy)
        for one in version["requirement"]
        if leaves(one) <= only
    }
    known = trace(case.graph, ENDPOINT)
    judge = product(case, known)
    return [
        f"{hop[0]} -> {hop[1]}, {item.requirement}: {item.outcome} ({item.why})"
        for hop in second_opinion(case, known)[0]
        for item in judge(hop)
        if (item.policy_version, item.requirement) in asked and item.outcome != "undetermined" and not item.waiver
    ]


@pytest.mark.parametrize("missing", ["evidence", "facts"])
def test_nothing_is_decided_by_what_is_missing(missing: str, report: Callable[[str], None]) -> None:
    for number, case in cases():
        if missing == "evidence":
            facts = replace(case.facts, conditions={})
            wrong = decided(replace(case, evidence={}, facts=facts), _ON_EVIDENCE)
        else:
            wrong = decided(replace(case, facts=Facts(as_of=case.as_of)), _ON_FACTS)
        assert not wrong, f"estates.case({number}) without {missing}: {wrong}"
    report(f"{GRAPHS} graphs without any {missing}: nothing was decided")


def test_nothing_holds_by_records_that_contradict_each_other(report: Callable[[str], None]) -> None:
    count = 0
    for number, case in cases():
        opposite = {"passed": "failed", "waived": "failed"}
        # What judges nothing (a measurement without a condition) contradicts nothing.
        evidence = {
            subject: [
                *items,
                *((at + 100_000, {**item, "status": opposite.get(item["status"], "passed")}) for at, item in items),
            ]
            for subject, items in (
                (subject, [pair for pair in items if pair[1]["status"] != "undetermined"])
                for subject, items in case.evidence.items()
            )
        }
        known = trace(case.graph, ENDPOINT)
        judge = product(replace(case, evidence=evidence), known)
        asked = {
            (version["version"], one["id"])
            for version in oracle.versions_of(case.policy)
            for one in version["requirement"]
            if one.get("check") == "evidence"
        }
        for hop in second_opinion(case, known)[0]:
            for item in judge(hop):
                if (item.policy_version, item.requirement) in asked and not item.waiver:
                    count += 1
                    assert item.outcome != "holds", f"estates.case({number}), {hop}: {item}"
    report(f"{count} requirements of evidence of which every record is contradicted: none held")


def test_nothing_passes_that_a_plain_reading_of_the_document_does_not_pass(report: Callable[[str], None]) -> None:
    verdicts: Counter[str] = Counter()
    for number, case in cases():
        known = trace(case.graph, ENDPOINT)
        expected, documented, world = second_opinion(case, known)
        judge = product(case, known)
        judged = {hop: {str(at): item.outcome for at, item in enumerate(judge(hop))} for hop in expected}
        errors = [item.ref for item in known.findings if item.severity == "error"]
        verdict = oracle.verdict(world, ENDPOINT, judged, errors)
        verdicts[verdict] += 1
        if verdict == "PASSED":
            unsure = {hop: found for hop, found in expected.items() if set(found.values()) - {"holds"}}
            assert documented == "PASSED", f"estates.case({number}) passed, and {unsure} did not hold"
    assert verdicts["PASSED"], "nothing passed, so nothing was tried"
    report(f"verdicts {dict(verdicts)}; all that passed do as documented")


# --- through the store --------------------------------------------------------------------------


def records_of(case: Case) -> list[Record]:
    """What a source would have written of an estate."""
    found: list[dict[str, Any]] = [
        data["record"] for _, data in case.graph.nodes(data=True) if data["resolved"] and data["record"]
    ]
    for _, _, edge in case.graph.edges(data=True):
        if edge["predicate"] == "alternate_of":  # nobody's record: it is what a bare name can only mean
            continue
        plain = {**edge["record"], "basis": edge["basis"], "role": edge["role"], "traffic": edge["traffic"]}
        if edge["predicate"] in ("serves", "deploys"):
            plain["slot"] = f"{plain['cause']} {plain['effect']}"
        found.append({key: value for key, value in plain.items() if value not in ("", None)})
    for ref, agents in case.facts.agents.items():
        found += [
            {
                "type": "relation",
                "effect": ref,
                "predicate": "was_associated_with",
                "cause": one,
                "basis": "identifier",
            }
            for one in agents
        ]
    # What became of a result is no part of its record: it is told when records are read.
    found += [
        {key: value for key, value in item.items() if key != "because"}
        for items in case.evidence.values()
        for _, item in items
    ]
    # Two records of one identity are two readings of one thing, of which the journal keeps the later as what holds.
    return list({identity_of(plain): from_json(plain) for plain in found}.values())


def common(number: int) -> list[Record]:
    """An estate that has everything, or nearly: a little is left out, or said besides."""
    chance = random.Random(number)
    text = json.dumps([to_json(record) for record in complete()])
    text = text.replace('"endpoint:churn"', f'"{ENDPOINT}"').replace('"deployment:churn:', '"deployment:e:')
    found: list[dict[str, Any]] = json.loads(text)
    day = chance.choice(["2026-02-05", "2026-02-25", "2026-03-10"])
    said = {"type": "evidence", "subject": "model:churn@1", "event_time": f"{day}T00:00:00Z", "grade": "referenced"}
    for gate, gate_type in (("f1", "evaluation"), ("approval", "approval"), ("fairness", "fairness")):
        if chance.random() < 0.25:
            status = chance.choice(["passed", "passed", "passed", "failed", "pending"])
            found.append({**said, "gate": gate, "gate_type": gate_type, "status": status, "evaluator": "person:ann"})
    if chance.random() < 0.4:
        found.remove(chance.choice([plain for plain in found if plain["type"] in ("entity", "evidence")]))
    return [from_json(plain) for plain in {identity_of(plain): plain for plain in found}.values()]


def ask(place: Path, records: Iterable[Record], policy: Any) -> Audit:
    with open_store(place, create_missing=not place.exists()) as store:
        store.append(list(records))
        return audit(store, ENDPOINT, as_of=estates.day(estates.NOW), policy=policy)


def outcome(result: Audit) -> Any:
    """What an audit found, without the words."""
    content = result.to_dict()
    return (
        content["verdict"],
        sorted((item["deployment"], item["model"] or "", item["verdict"] or "") for item in content["serving"]),
        sorted(
            (hop["cause"], hop["effect"], hop["predicate"], item["requirement"], item["outcome"])
            for hop in content["hops"]
            for item in hop["requirements"]
        ),
    )


def stored() -> Iterator[tuple[str, list[Record], list[Any]]]:
    """Estates as records, and the policies to ask by."""
    for number, case in cases(STORED):
        shipped = _SHIPPED[number % len(_SHIPPED)]
        yield f"estates.case({number})", records_of(case), [parse_policy(case.policy), shipped]
        yield f"common({number})", common(number), ["default", shipped]


def reworded(plain: Any) -> Any:
    """The same with every free text replaced (an empty one stays empty: it is not on record)."""
    if isinstance(plain, dict):
        words = ("description", "comment", "title", "because", "reason")
        return {
            key: "Quite <another> text" if key in words and isinstance(value, str) and value else reworded(value)
            for key, value in plain.items()
        }
    return [reworded(item) for item in plain] if isinstance(plain, list) else plain


def renamed(records: Iterable[Record]) -> list[Record]:
    """The same estate with another name for every thing (people stay who they are)."""
    text = json.dumps([to_json(record) for record in records])
    for kind in ("endpoint", "deployment", "model", "ai_agent", "logged_model", "run", "dataset", "feature_set"):
        text = text.replace(f'"{kind}:', f'"{kind}:elsewhere/un')
    for kind in ("index", "prompt", "base_model", "code", "environment"):
        text = text.replace(f'"{kind}:', f'"{kind}:elsewhere/un')
    return [from_json(plain) for plain in json.loads(text.replace("elsewhere/unprod/", "elsewhere/un"))]


@pytest.mark.parametrize("change", ["other words", "another order", "twice", "something unrelated"])
def test_what_means_the_same_comes_to_the_same(change: str, tmp_path: Path, report: Callable[[str], None]) -> None:
    verdicts: Counter[str] = Counter()
    for at, (name, records, policies) in enumerate(stored()):
        chance = random.Random(at)
        changed = list(records)
        if change == "other words":
            changed = [from_json(reworded(to_json(record))) for record in records]
        elif change == "another order":
            chance.shuffle(changed)
        elif change == "twice":
            changed = [*records, *records]
            chance.shuffle(changed)
        else:
            changed = [*renamed(records_of(estates.case(SEED + at + 1))), *renamed(records), *records]
            chance.shuffle(changed)
        for policy in policies:
            before = ask(tmp_path / f"{at}.db", records, policy)
            after = ask(tmp_path / f"{at}-changed.db", changed, policy)
            verdicts[before.verdict] += 1
            assert outcome(after) == outcome(before), f"{name}: {change}"
    assert set(verdicts) == {"PASSED", "FAILED", "INCOMPLETE"}
    report(f"{2 * STORED} stores, 2 policies each, {change}: no verdict changed {dict(verdicts)}")


def test_evidence_that_is_taken_away_makes_nothing_pass(tmp_path: Path, report: Callable[[str], None]) -> None:
    tried = 0
    verdicts: Counter[str] = Counter()
    for at, (name, records, policies) in enumerate(stored()):
        for policy in policies:
            before = ask(tmp_path / f"{at}.db", records, policy)
            for gone in relied_on(before)[:3]:
                less = [record for record in records if not _is(record, gone)]
                assert len(less) == len(records) - 1, f"{name}: {gone} is not one of its records"
                after = ask(tmp_path / f"{at}-{tried}.db", less, policy)
                tried += 1
                verdicts[f"{before.verdict} -> {after.verdict}"] += 1
                assert after.verdict != "PASSED" or before.verdict == "PASSED", f"{name}: passes without {gone}"
                _no_better(before, after, gone)
    assert verdicts["PASSED -> INCOMPLETE"], "nothing that passed lost what it rested on"
    report(f"{tried} times the evidence of a requirement that held was taken away: {dict(verdicts)}")


def relied_on(result: Audit) -> list[dict[str, Any]]:
    """Evidence that requirements which hold rest on, and none that does not."""
    content = result.to_dict()
    judged = [
        item for hop in content["hops"] for item in hop["requirements"] if item["required"] and not item["waiver"]
    ]
    holding = {one for item in judged if item["outcome"] == "holds" for one in item["evidence"]}
    others = {one for item in judged if item["outcome"] != "holds" for one in item["evidence"]}
    return [item for item in content["evidence"] if item["id"] in holding - others]


def _is(record: Record, row: Mapping[str, Any]) -> bool:
    plain = to_json(record)
    if plain["type"] != "evidence":
        return False
    names = ("gate", "status", "evaluator", "event_time", "actual", "expected")
    return plain["subject"] == row["stated_about"] and all(
        (plain.get(name) or None) == (row[name] or None) for name in names
    )


def _no_better(before: Audit, after: Audit, gone: Mapping[str, Any]) -> None:
    """Nothing that rested on the evidence fares better for want of it."""
    rank = {"fails": 0, "undetermined": 1, "holds": 2}
    then = {item[:4]: item[4] for item in outcome(before)[2]}
    rested = {
        (hop["cause"], hop["effect"], hop["predicate"], item["requirement"])
        for hop in before.to_dict()["hops"]
        for item in hop["requirements"]
        if item["required"] and gone["id"] in item["evidence"]
    }
    for *key, now in outcome(after)[2]:
        if tuple(key) in rested:
            assert rank[now] <= rank[then[tuple(key)]], f"{key} was {then[tuple(key)]}, and is {now} without {gone}"


def test_a_verdict_is_the_worst_of_what_its_path_came_to(tmp_path: Path, report: Callable[[str], None]) -> None:
    """From the audit's own document: every hop of a path, and the errors found on it."""
    paths: Counter[str] = Counter()
    for at, (name, records, policies) in enumerate(stored()):
        for policy in policies:
            content = ask(tmp_path / f"{at}.db", records, policy).to_dict()
            causes: dict[str, set[str]] = {}
            for hop in content["hops"]:
                causes.setdefault(hop["effect"], set()).add(hop["cause"])
            verdicts = []
            for item in content["serving"]:
                if item["state"] not in ("serving", "undetermined"):
                    continue
                on = {content["question"]["endpoint"], item["deployment"], item["model"]} - {None}
                grown = {item["model"]} - {None}
                while grown:
                    grown = {cause for ref in grown for cause in causes.get(ref, ())} - on
                    on |= grown
                outcomes = [
                    one["outcome"]
                    for hop in content["hops"]
                    if hop["cause"] in on and hop["effect"] in on
                    for one in hop["requirements"]
                    if one["required"]
                ]
                errors = [one for one in content["findings"] if one["severity"] == "error" and one["ref"] in on]
                verdicts.append(oracle.all_of([*outcomes, *(oracle.CANNOT for _ in errors)]))
                paths[item["verdict"]] += 1
                assert item["verdict"] == oracle.VERDICTS[verdicts[-1]], f"{name}: {item}"
            assert content["verdict"] == oracle.VERDICTS[oracle.all_of(verdicts)], name
    assert set(paths) == {"PASSED", "FAILED", "INCOMPLETE"}
    report(f"{sum(paths.values())} paths through {2 * STORED} stores: {dict(paths)}")


def test_times_are_read_alike() -> None:
    assert oracle.micros(estates.text(0)) == estates.micros(0) == oracle.micros(datetime(2026, 1, 1, tzinfo=UTC))
