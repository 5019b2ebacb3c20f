"""The question lists say what they rest on, what was read of it and what no record decides, and never more than that."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import audit
from lineage_explorer.policy import Requirement, load_policy
from lineage_explorer.records import parse_instant
from lineage_explorer.sources.neutral import NeutralSource
from lineage_explorer.store import open_store
from tests.conftest import ROOT

LISTS = ("eu-ai-act", "iso-42001", "nist-ai-rmf", "sr-26-2")
_NEGATION = re.compile(r"\b(no|not|never|none|neither|nothing)\b", re.IGNORECASE)


def page(name: str) -> str:
    return (ROOT / "docs" / "policies" / f"{name}.md").read_text(encoding="utf-8")


def file(name: str) -> str:
    return (ROOT / "lineage_explorer" / "policies" / f"{name}.toml").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("|---")]


def requirements(name: str) -> tuple[Requirement, ...]:
    (version,) = load_policy(name).versions
    return version.requirement


def cites(requirement: Requirement) -> list[str]:
    return requirement.cites.split("; ")


ASKED = [pytest.param(name, one, id=f"{name}:{one.id}") for name in LISTS for one in requirements(name)]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_questions_of_every_release_whenever_it_was(name: str) -> None:
    policy = load_policy(name)
    assert policy.name == name
    assert policy.form == "questions"
    assert [(one.version, one.effective_from) for one in policy.versions] == [("1", None)]
    assert "not a statement of compliance" in policy.description
    assert not policy.versions[0].waiver


@pytest.mark.parametrize(("name", "asked"), ASKED)
def test_a_question_is_a_question_and_cites_what_it_rests_on(name: str, asked: Requirement) -> None:
    assert asked.title.endswith("?")
    assert asked.cites
    assert all(cites(asked))


@pytest.mark.parametrize(("name", "asked"), ASKED)
def test_the_page_has_each_question_with_its_citation_and_its_answers(name: str, asked: Requirement) -> None:
    found = [row for row in rows(section(page(name), "The questions")) if row.startswith(f"| `{asked.id}`")]
    assert len(found) == 1, f"{asked.id} on the page of {name}"
    cells = [cell.strip() for cell in found[0].strip("|").split("|")]
    assert re.sub(r"^`[^`]+`°? ", "", cells[0]) == asked.title
    assert cells[1] == asked.cites
    assert all(cells[-3:]), "what each of the three answers means"


@pytest.mark.parametrize(("name", "asked"), ASKED)
def test_the_page_says_of_each_citation_what_was_read_of_it(name: str, asked: Requirement) -> None:
    read = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in rows(section(page(name), "How these texts were checked"))[1:]
    ]
    for cited in cites(asked):
        known = [row for row in read if _covers(row[0], cited)]
        assert known, f"{cited} is cited by {asked.id}, and nothing says what was read of it"
        for _, source, checked in known:
            assert source
            assert checked.startswith(("yes", "as above")) or "not checked against the primary text" in checked


def _covers(provisions: str, cited: str) -> bool:
    """Whether a row of the table speaks of what is cited: of itself, of what it is a part of, or of its section."""
    section_, _, _ = cited.partition(",")
    if section_.startswith("SR 26-2 "):
        return provisions.startswith("SR 26-2 ") and section_.removeprefix("SR 26-2 ") in re.split(
            r"[ ,:]+", provisions
        )
    return any(cited == one or cited.startswith(f"{one}(") for one in re.split(r", ", provisions))


@pytest.mark.parametrize("name", LISTS)
def test_the_page_lists_no_question_that_is_not_asked(name: str) -> None:
    on_page = re.findall(r"^\| `([a-z-]+)`", section(page(name), "The questions"), flags=re.M)
    assert on_page == [one.id for one in requirements(name)], "the same questions in the same order"


@pytest.mark.parametrize("name", LISTS)
def test_the_page_says_what_no_record_decides(name: str) -> None:
    assert len(re.findall(r"^- ", section(page(name), "What it cannot decide"), flags=re.M)) >= 5


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("read", [page, file], ids=["page", "file"])
def test_nothing_is_called_compliant(name: str, read: Any) -> None:
    for sentence in re.split(r"(?<=[.!?|])\s+", read(name)):
        if re.search(r"\b(compliant|complies|conformant)\b", sentence, re.IGNORECASE):
            assert _NEGATION.search(sentence), sentence


@pytest.mark.parametrize("name", LISTS)
def test_a_paid_standard_is_never_said_to_have_been_read(name: str) -> None:
    """ISO/IEC 42001 could only be taken from secondary sources; the others were read in copies, and say so."""
    checked = [row.strip("|").split("|")[-1] for row in rows(section(page(name), "How these texts were checked"))[1:]]
    said = ["yes" in cell for cell in checked]
    assert not any(said) if name == "iso-42001" else any(said)


def test_agents_are_not_asked_about_by_guidance_that_leaves_them_out() -> None:
    for one in requirements("sr-26-2"):
        released = one.hop[1:] == ("deploys", "deployment")
        assert "ai_agent" not in one.hop[0]
        assert released or (one.when is not None and set(one.when.kind) == {"model", "logged_model"}), one.id


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_plain_toml_with_one_version(name: str) -> None:
    table = tomllib.loads(file(name))
    assert {"name", "version", "description", "form", "requirement"} == set(table)


# --- what the lists answer ---

Row = dict[str, Any]
_BYTES = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_OTHER = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_BASE = "base_model:encoder@r7"


def records(*, good: bool) -> list[Row]:
    """A model about which everything is on record; or the same with every answer that a record can give being the wrong one."""
    passed = "passed" if good else "failed"
    stated = {
        "intended_use": "who may leave",
        "limitations": "not for new customers",
        "algorithm": "gbm",
        "code": "4f2a",
        "environment": "py311",
        "owner": "team:crm",
        "retention": "10 years",
    }
    return [
        _data("crm@1", "a"),
        _data("train@1", "b"),
        _data("test@1", "c"),
        {
            "type": "activity",
            "ref": "run:prepare",
            "activity": "transform",
            "status": "FINISHED",
            "started_at": "2025-06-01T08:00:00Z",
        },
        {
            "type": "activity",
            "ref": "run:t2",
            "activity": "training",
            "status": "FINISHED",
            "started_at": "2025-06-01T09:00:00Z",
        },
        _relation("run:prepare", "used", "dataset:crm@1", "input"),
        _relation("dataset:train@1", "was_generated_by", "run:prepare"),
        _relation("run:t2", "used", "dataset:train@1", "training"),
        {
            "type": "activity",
            "ref": "run:e2",
            "activity": "evaluation",
            "status": "FINISHED",
            "started_at": "2025-06-02T08:00:00Z",
        },
        _relation("run:e2", "used", "model:churn@2"),
        _relation("run:e2", "used", "dataset:test@1" if good else "dataset:train@1", "evaluation"),
        _relation("model:churn@2", "was_generated_by", "run:t2"),
        _relation("model:churn@2", "was_associated_with", "person:ada"),
        _relation("model:churn@2", "was_derived_from", _BASE, "base_model"),
        {"type": "agent", "ref": "person:ada"},
        {
            "type": "entity",
            "ref": _BASE,
            "identified_by": "name_version",
            "attributes": {"source": "hub", "licence": "Apache-2.0"},
        },
        {"type": "entity", "ref": "model:churn@1", "identified_by": "identifier", "created_at": "2025-05-01T10:00:00Z"},
        {
            "type": "entity",
            "ref": "model:churn@2",
            "identified_by": "identifier",
            "created_at": "2025-06-01T10:00:00Z",
            "description": "Who leaves",
            "attributes": stated,
        },
        _gate(
            "model:churn@1",
            "auc",
            "evaluation",
            "passed",
            at="2025-05-02T09:00:00Z",
            expected="auc >= 0.80",
            actual=0.82,
        ),
        {
            **_gate("model:churn@2", "auc", "evaluation", passed, at="2025-06-02T09:00:00Z", actual=0.83),
            "expected": "auc >= 0.80" if good else "auc >= 0.60",
            "subject_digest": _BYTES if good else _OTHER,
        },
        _gate(
            "model:churn@2",
            "approval",
            "approval",
            "approved",
            at="2025-06-03T09:00:00Z" if good else "2025-06-09T09:00:00Z",
        )
        | {"by": "person:mia" if good else "person:ada"},
        *(_gate("model:churn@2", word, word, passed) for word in ("fairness", "safety", "security", "monitoring")),
        *(
            _gate(data, word, word, passed)
            for data in ("dataset:train@1", "dataset:crm@1")
            for word in ("fairness", "data_quality")
        ),
        _gate(_BASE, "monitoring", "monitoring", passed),
        {
            "type": "deployment",
            "endpoint": "churn",
            "model": "churn@1",
            "at": "2025-05-03T09:00:00Z",
            "until": "2025-06-04T09:00:00Z",
        },
        {
            "type": "deployment",
            "endpoint": "churn",
            "model": "churn@2",
            "at": "2025-06-04T09:00:00Z",
            "model_digest": _BYTES,
        },
    ]


def _data(name: str, letter: str) -> Row:
    return {
        "type": "dataset",
        "dataset": name,
        "sha256": letter * 64,
        "uri": f"s3://acme/{name}",
        "created_at": "2025-05-30T00:00:00Z",
    }


def _relation(effect: str, predicate: str, cause: str, role: str = "") -> Row:
    row = {"type": "relation", "effect": effect, "predicate": predicate, "cause": cause, "basis": "identifier"}
    return {**row, **({"role": role} if role else {}), "event_time": "2025-06-01T09:30:00Z"}


def _gate(subject: str, gate: str, gate_type: str, status: str, at: str = "2025-06-02T12:00:00Z", **more: Any) -> Row:
    return {
        "type": "gate",
        "subject": subject,
        "gate": gate,
        "gate_type": gate_type,
        "status": status,
        "at": at,
        **more,
    }


def answers(name: str, rows: list[Row], folder: Path) -> dict[str, set[str]]:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with open_store(folder / "lineage.db", create_missing=True) as store:
        read = store.ingest(
            NeutralSource(str(folder / "rows.jsonl")), observed_at=parse_instant("2025-07-01T00:00:00Z")
        )
        assert read.quarantined == 0
        hops = audit(store, "churn", as_of="2025-07-02T00:00:00Z", policy=name).to_dict()["hops"]
    found: dict[str, set[str]] = {}
    for one in (one for hop in hops for one in hop["requirements"] if one["required"]):
        found.setdefault(one["requirement"], set()).add(one["outcome"])
    return found


def _can_be_contradicted(name: str) -> set[str]:
    """The questions that, as the page says, a record can contradict."""
    found = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in rows(section(page(name), "The questions"))[1:]
    ]
    return {re.findall(r"`([a-z-]+)`", cells[0])[0] for cells in found if cells[-2] != "never"}


#: What takes a registry's life, a team that approves or an order that goes back: shown with the checks themselves.
_ELSEWHERE = {"previous-version", "way-back", "retired-versions", "responsible-person"}


@pytest.mark.parametrize("name", LISTS)
def test_records_answer_every_question(name: str, tmp_path: Path) -> None:
    found = answers(name, records(good=True), tmp_path)
    assert set(found) == {one.id for one in requirements(name)}, "every question is asked"
    assert {one: outcomes for one, outcomes in found.items() if outcomes != {"holds"}}.keys() <= _ELSEWHERE


@pytest.mark.parametrize("name", LISTS)
def test_a_record_contradicts_what_the_page_says_that_it_can_and_nothing_else(name: str, tmp_path: Path) -> None:
    found = answers(name, records(good=False), tmp_path)
    contradicted = {one for one, outcomes in found.items() if "fails" in outcomes}
    assert contradicted <= _can_be_contradicted(name)
    assert _can_be_contradicted(name) - contradicted <= {*_ELSEWHERE, "dated-events"}


@pytest.mark.parametrize("name", LISTS)
def test_what_is_not_on_record_contradicts_nothing(name: str, tmp_path: Path) -> None:
    found = answers(name, [{"type": "deployment", "endpoint": "churn", "model": "churn"}], tmp_path)
    assert found
    assert "fails" not in set().union(*found.values())


def test_an_endpoint_that_only_agents_answer_is_not_asked_about_models(tmp_path: Path) -> None:
    assert (
        answers("sr-26-2", [{"type": "deployment", "endpoint": "churn", "model": "ai_agent:triage@2"}], tmp_path) == {}
    )
