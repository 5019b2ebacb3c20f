"""What the shipped policies ask: each has a page, the records on the page satisfy it, and less or other records do not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lineage_explorer
from lineage_explorer import audit
from lineage_explorer.audits import Audit
from lineage_explorer.policy import load_policy, read_policy
from lineage_explorer.records import parse_instant
from lineage_explorer.sources.neutral import NeutralSource
from lineage_explorer.store import Store, open_store
from tests.conftest import ROOT

Row = dict[str, Any]
Edit = Callable[[list[Row]], list[Row]]

NAMES = sorted(path.stem for path in (Path(lineage_explorer.__file__).parent / "policies").glob("*.toml"))
#: The endpoint that the records on each page are about; the policies with a verdict.
ENDPOINTS = {
    "default": "churn-prod",
    "model-governance": "churn-prod",
    "deployment-pipeline": "churn-prod",
    "genai-agent": "triage-assistant",
    "credit-scoring": "credit-scoring",
    "defect-detection": "defect-detector",
}
READ, READ_AGAIN, ASKED = (parse_instant(f"2025-07-{day}T00:00:00Z") for day in ("01", "08", "15"))


def page(name: str) -> str:
    return (ROOT / "docs" / "policies" / f"{name}.md").read_text(encoding="utf-8")


def rows_on_page(name: str) -> list[Row]:
    found = re.search(r"^```jsonl\n(.*?)^```", page(name), re.M | re.S)
    assert found, f"{name}.md shows no records"
    return [json.loads(line) for line in found[1].splitlines()]


def requirements(name: str) -> list[str]:
    return [one.id for version in load_policy(name).versions for one in version.requirement]


# --- what every shipped policy has ---


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_policy_loads_under_its_own_name(name: str) -> None:
    policy = load_policy(name)
    assert policy.name == name
    assert policy.description
    assert requirements(name)


@pytest.mark.parametrize("name", NAMES)
def test_its_page_names_every_requirement_and_what_it_cannot_decide(name: str) -> None:
    text = page(name)
    assert [one for one in requirements(name) if f"`{one}`" not in text] == []
    assert re.search(r"^## .*cannot (decide|be decided|determine)", text, re.M | re.I)


@pytest.mark.parametrize("name", NAMES)
def test_each_requirement_says_what_it_is_built_on(name: str) -> None:
    # The default is what anybody would ask; its page says what it leans on.
    uncited = [one.id for version in load_policy(name).versions for one in version.requirement if not one.cites]
    assert uncited == [] or name == "default"


def test_the_index_lists_every_shipped_policy_and_nothing_else() -> None:
    linked = set(re.findall(r"^\| \[([a-z0-9-]+)\]\(\1\.md\)", page("README"), re.M))
    assert linked == set(NAMES)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_what_a_page_says_to_put_into_a_copy_is_read(name: str) -> None:
    shipped = (Path(lineage_explorer.__file__).parent / "policies" / f"{name}.toml").read_text(encoding="utf-8")
    for snippet in re.findall(r"^```toml\n(.*?)^```", page(name), re.M | re.S):
        # A requirement on the page takes the place of the one of its id.
        own = shipped
        for one in re.findall(r'^id = "(.+)"$', snippet, re.M):
            own = re.sub(rf'^\[\[requirement\]\]\nid = "{one}"\n(?:(?!\[\[).*\n?)*', "", own, flags=re.M)
        assert read_policy(f"{own}\n{snippet}", name).name == name


# --- the records on the pages ---


def ingest(store: Store, folder: Path, rows: list[Row], when: Any) -> None:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert store.ingest(NeutralSource(str(file)), observed_at=when).quarantined == 0


def judged(name: str, folder: Path, rows: list[Row], later: list[Row] | None = None) -> Audit:
    """The audit of what rows say; ``later`` is what the file says when it is read again."""
    with open_store(folder / "lineage.db", create_missing=True) as store:
        ingest(store, folder, rows, READ)
        ingest(store, folder, rows if later is None else later, READ_AGAIN)
        return audit(store, ENDPOINTS[name], as_of=ASKED, policy=name)


WORST = ["fails", "undetermined", "holds"]


def outcome(result: Audit, requirement: str, of: str = "") -> str:
    """The worst that a requirement came to (``of`` one cause); nothing, when it applied to no hop."""
    found = [
        one["outcome"]
        for hop in result.to_dict()["hops"]
        for one in hop["requirements"]
        if one["required"] and one["requirement"] == requirement and of in ("", hop["cause"])
    ]
    return min(found, key=WORST.index, default="")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_records_on_its_page_satisfy_a_policy(name: str, tmp_path: Path) -> None:
    result = judged(name, tmp_path, rows_on_page(name))
    assert {one: outcome(result, one) for one in requirements(name)} == dict.fromkeys(requirements(name), "holds")
    assert result.verdict == "PASSED", result.answer


# --- other records ---


def _is(row: Row, which: Row) -> bool:
    return all(row.get(key) == value for key, value in which.items())


def drop(**which: Any) -> Edit:
    """Without the rows that have these values."""
    return lambda rows: [row for row in rows if not _is(row, which)]


def alter(new: Row, **which: Any) -> Edit:
    """With other values in the rows that have these; None takes a key away."""

    def edit(rows: list[Row]) -> list[Row]:
        assert any(_is(row, which) for row in rows), f"no row has {which}"
        return [
            {key: value for key, value in {**row, **new}.items() if value is not None} if _is(row, which) else row
            for row in rows
        ]

    return edit


def add(*more: Row) -> Edit:
    return lambda rows: [*rows, *more]


def rename(old: str, new: str) -> Edit:
    """Call a thing by another reference wherever a row names it."""

    def edit(rows: list[Row]) -> list[Row]:
        text = json.dumps(rows)
        assert old in text
        return list(json.loads(text.replace(old, new)))

    return edit


def both(*edits: Edit) -> Edit:
    def edit(rows: list[Row]) -> list[Row]:
        for one in edits:
            rows = one(rows)
        return rows

    return edit


def keep(rows: list[Row]) -> list[Row]:
    return rows


@dataclass(frozen=True)
class Case:
    """What a requirement comes to when the records on its policy's page are edited.

    Attributes
    ----------
    later : Edit
        What is other when the file is read a second time.
    of : str
        Which version is meant, where several answer.
    """

    policy: str
    requirement: str
    outcome: str
    what: str
    edit: Edit = keep
    later: Edit = keep
    of: str = ""


VERSION = {"type": "entity", "identified_by": "identifier", "attributes": {"stage": "production"}}
UNSTATED = {"status": "waived", "by": "person:mia"}
WAIVED = {**UNSTATED, "until": "2026-01-01T00:00:00Z", "attributes": {"reason": "Retraining (CHURN-8)"}}

CASES = [
    # default
    Case("default", "on-record", "undetermined", "no record describes the model", drop(ref="model:churn@3")),
    Case("default", "training-data", "undetermined", "nobody recorded what the run read", drop(role="training")),
    Case(
        "default",
        "training-data-identified",
        "undetermined",
        "known by its name",
        both(rename("customers@2025-06", "customers"), alter({"sha256": None}, type="dataset")),
    ),
    Case("default", "evaluation", "fails", "it failed", alter({"status": "failed"}, gate="auc")),
    Case("default", "evaluation", "undetermined", "none on record", drop(gate="auc")),
    Case("default", "approval", "fails", "given afterwards", alter({"at": "2025-06-06T09:00:00Z"}, gate="approval")),
    Case("default", "approval", "undetermined", "pending", alter({"status": "pending"}, gate="approval")),
    Case(
        "default",
        "base-model-pinned",
        "undetermined",
        "a moving name",
        rename("base_model:text-encoder@r7", "base_model:text-encoder"),
    ),
    # model-governance
    Case("model-governance", "algorithm", "undetermined", "not named", alter({"attributes": {}}, ref="run:t4")),
    Case("model-governance", "dataset-version", "undetermined", "no training data", drop(role="training")),
    Case(
        "model-governance",
        "dataset-version",
        "undetermined",
        "training data known by its name",
        both(rename("customers@2025-06", "customers"), alter({"sha256": None}, type="dataset")),
    ),
    Case(
        "model-governance",
        "metrics",
        "undetermined",
        "nothing was measured",
        both(drop(gate="auc"), alter({"actual": None}, gate="ab-test")),
    ),
    Case(
        "model-governance",
        "feature-spec",
        "undetermined",
        "no features on record",
        alter({"attributes": {"stage": "production"}}, ref="model:churn@4"),
    ),
    Case(
        "model-governance", "responsible-ai", "fails", "harm found", alter({"status": "failed"}, gate_type="fairness")
    ),
    Case(
        "model-governance",
        "responsible-ai",
        "fails",
        "after the release",
        alter({"at": "2025-06-22T09:00:00Z"}, gate_type="fairness"),
    ),
    Case("model-governance", "responsible-ai", "undetermined", "none on record", drop(gate_type="fairness")),
    Case(
        "model-governance",
        "responsible-ai",
        "undetermined",
        "waived without why and until when",
        alter(UNSTATED, gate_type="fairness"),
    ),
    Case("model-governance", "responsible-ai", "holds", "waived for a while", alter(WAIVED, gate_type="fairness")),
    Case("model-governance", "ab-test", "fails", "it lost", alter({"status": "failed"}, gate="ab-test")),
    Case(
        "model-governance",
        "ab-test",
        "fails",
        "against a version of long ago",
        both(
            alter({"attributes": {"baseline": "model:churn@1"}}, gate="ab-test"),
            add({**VERSION, "ref": "model:churn@1"}),
        ),
    ),
    Case("model-governance", "ab-test", "undetermined", "none on record", drop(gate="ab-test")),
    Case(
        "model-governance",
        "ab-test",
        "undetermined",
        "against nothing that it names",
        alter({"attributes": {}}, gate="ab-test"),
    ),
    Case(
        "model-governance",
        "ab-test",
        "undetermined",
        "the first version has nothing to be compared with",
        drop(model="churn@3"),
    ),
    Case(
        "model-governance",
        "ab-test",
        "undetermined",
        "nobody says whether this is production",
        alter({"environment": None}, model="churn@4"),
    ),
    Case("model-governance", "ab-test", "", "not asked in staging", alter({"environment": "staging"}, model="churn@4")),
    Case(
        "model-governance",
        "kept-7-years",
        "fails",
        "an archived version was deleted",
        later=drop(ref="model:churn@3"),
    ),
    Case(
        "model-governance",
        "kept-7-years",
        "undetermined",
        "no source describes a version that served",
        drop(ref="model:churn@3"),
    ),
    Case(
        "model-governance",
        "active-versions",
        "fails",
        "eleven of them",
        add(*({**VERSION, "ref": f"model:churn@{number}"} for number in range(10, 20))),
    ),
    Case(
        "model-governance",
        "active-versions",
        "holds",
        "ten of them",
        add(*({**VERSION, "ref": f"model:churn@{number}"} for number in range(11, 20))),
    ),
    Case(
        "model-governance",
        "active-versions",
        "undetermined",
        "no registry was read",
        both(drop(ref="model:churn@3"), drop(ref="model:churn@4")),
    ),
    # deployment-pipeline
    Case("deployment-pipeline", "evaluation", "fails", "it failed", alter({"status": "failed"}, gate="auc")),
    Case(
        "deployment-pipeline",
        "evaluation",
        "undetermined",
        "claimed: no run is named",
        alter({"pointer": None}, gate="auc"),
    ),
    Case("deployment-pipeline", "safety", "fails", "broken into", alter({"status": "failed"}, gate_type="safety")),
    Case("deployment-pipeline", "safety", "undetermined", "none on record", drop(gate_type="safety")),
    Case("deployment-pipeline", "approval", "fails", "refused", alter({"status": "rejected"}, gate="approval")),
    Case("deployment-pipeline", "approval", "undetermined", "without a date", alter({"at": None}, gate="approval")),
    Case(
        "deployment-pipeline",
        "order",
        "fails",
        "approved before it was evaluated",
        alter({"at": "2025-06-02T16:00:00Z"}, gate="approval"),
    ),
    Case(
        "deployment-pipeline",
        "order",
        "undetermined",
        "nobody knows when it was evaluated",
        alter({"at": None}, gate="auc"),
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "fails",
        "half of the traffic at once",
        both(
            alter({"traffic": 50}, deployment="canary", traffic=10),
            alter({"traffic": 50}, deployment="stable", traffic=90),
        ),
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "fails",
        "for two hours",
        rename("2025-06-12T09:00:00Z", "2025-06-10T11:00:00Z"),
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "undetermined",
        "the first version has everything at once",
        both(drop(model="churn@3"), drop(deployment="canary")),
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "undetermined",
        "on its way",
        drop(at="2025-06-12T09:00:00Z"),
        of="model:churn@4",
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "undetermined",
        "nobody recorded how much it had",
        alter({"traffic": None}, deployment="canary", traffic=10),
    ),
    Case(
        "deployment-pipeline",
        "canary",
        "",
        "not asked in staging",
        alter({"environment": "staging"}, type="deployment"),
    ),
    # genai-agent
    Case("genai-agent", "prompt", "undetermined", "none on record", drop(role="prompt")),
    Case("genai-agent", "retrieval-index", "undetermined", "none on record", drop(role="retrieval")),
    Case("genai-agent", "base-model", "undetermined", "none on record", drop(role="base_model")),
    Case(
        "genai-agent",
        "prompt-pinned",
        "undetermined",
        "no version",
        both(
            rename("prompt:triage@2", "prompt:triage"),
            alter({"identified_by": None, "digest": None}, ref="prompt:triage"),
        ),
    ),
    Case("genai-agent", "index-pinned", "undetermined", "no version", rename("index:kb@2025-06", "index:kb")),
    Case(
        "genai-agent",
        "base-model-pinned",
        "undetermined",
        "a moving name",
        rename("@0e9e39f249a16976918f6564b8830bc894c89659", ""),
    ),
    Case(
        "genai-agent",
        "base-model-pinned",
        "undetermined",
        "from nobody knows where",
        alter({"attributes": {}}, identified_by="name_version", type="entity"),
    ),
    Case(
        "genai-agent", "evaluation-pinned", "fails", "it failed", alter({"status": "failed"}, gate="routing-accuracy")
    ),
    Case(
        "genai-agent",
        "evaluation-pinned",
        "undetermined",
        "of another version",
        alter({"subject": "ai_agent:triage@1"}, gate="routing-accuracy"),
    ),
    Case(
        "genai-agent", "evaluation-pinned", "undetermined", "claimed", alter({"pointer": None}, gate="routing-accuracy")
    ),
    Case("genai-agent", "content-safety", "fails", "unsafe", alter({"status": "failed"}, gate="content-safety")),
    Case("genai-agent", "content-safety", "undetermined", "none on record", drop(gate="content-safety")),
    # credit-scoring
    Case(
        "credit-scoring",
        "identified",
        "undetermined",
        "a name without a version",
        both(
            rename("scoring@2", "scoring"),
            alter({"identified_by": None}, ref="model:scoring"),
        ),
    ),
    Case(
        "credit-scoring",
        "same-bytes",
        "fails",
        "other bytes were deployed",
        alter({"subject_digest": f"sha256:{'0' * 64}"}, gate="auc"),
    ),
    Case("credit-scoring", "same-bytes", "undetermined", "not stated", alter({"subject_digest": None}, gate="auc")),
    Case("credit-scoring", "training-data", "undetermined", "nobody recorded what the run read", drop(role="training")),
    Case(
        "credit-scoring",
        "approval",
        "fails",
        "given afterwards",
        alter({"at": "2025-06-06T09:00:00Z"}, gate="approval"),
    ),
    Case("credit-scoring", "approval", "undetermined", "none on record", drop(gate="approval")),
    Case("credit-scoring", "four-eyes", "fails", "the author approved", alter({"by": "person:ben"}, gate="approval")),
    Case(
        "credit-scoring",
        "four-eyes",
        "fails",
        "the deployer approved",
        alter({"by": "service:release-pipeline"}, gate="approval"),
    ),
    Case("credit-scoring", "four-eyes", "undetermined", "a team approved", alter({"by": "team:risk"}, gate="approval")),
    Case(
        "credit-scoring",
        "four-eyes",
        "undetermined",
        "it may be the author under another name",
        alter({"by": "person:bank/ben"}, gate="approval"),
    ),
    Case("credit-scoring", "four-eyes", "undetermined", "nobody knows who trained it", drop(cause="person:ben")),
    Case(
        "credit-scoring",
        "rollback-target",
        "fails",
        "the version before was deleted",
        later=drop(ref="model:scoring@1"),
    ),
    Case("credit-scoring", "rollback-target", "undetermined", "the first version", drop(model="scoring@1")),
    # defect-detection
    Case("defect-detection", "training-data", "undetermined", "not on record", drop(role="training")),
    Case(
        "defect-detection",
        "training-data-identified",
        "undetermined",
        "a batch without a number",
        both(rename("patches@2025-06", "patches"), alter({"sha256": None}, type="dataset")),
    ),
    Case("defect-detection", "approval", "fails", "refused", alter({"status": "rejected"}, gate="approval")),
    Case(
        "defect-detection",
        "approval",
        "fails",
        "given after one of the sites had it",
        alter({"at": "2025-06-05T16:00:00Z"}, gate="approval"),
    ),
    Case("defect-detection", "approval", "undetermined", "pending", alter({"status": "pending"}, gate="approval")),
    Case("defect-detection", "approver", "fails", "a machine", alter({"by": "service:ci"}, gate="approval")),
    Case("defect-detection", "approver", "undetermined", "nobody", alter({"by": None}, gate="approval")),
    Case("defect-detection", "deployer", "fails", "by hand", alter({"by": "person:marek"}, site="plant-graz")),
    Case("defect-detection", "deployer", "undetermined", "nobody says", alter({"by": None}, site="plant-graz")),
    Case("defect-detection", "environment", "fails", "a trial", alter({"environment": "trial"}, site="plant-graz")),
    Case(
        "defect-detection",
        "environment",
        "undetermined",
        "nobody says",
        alter({"environment": None}, site="plant-graz"),
    ),
]

#: What only a record can make hold, and no record can make fail.
NEVER_FAIL = {
    ("default", "on-record"),
    ("default", "training-data"),
    ("default", "training-data-identified"),
    ("default", "base-model-pinned"),
    ("model-governance", "algorithm"),
    ("model-governance", "dataset-version"),
    ("model-governance", "metrics"),
    ("model-governance", "feature-spec"),
    ("genai-agent", "prompt"),
    ("genai-agent", "retrieval-index"),
    ("genai-agent", "base-model"),
    ("genai-agent", "prompt-pinned"),
    ("genai-agent", "index-pinned"),
    ("genai-agent", "base-model-pinned"),
    ("credit-scoring", "identified"),
    ("credit-scoring", "training-data"),
    ("defect-detection", "training-data"),
    ("defect-detection", "training-data-identified"),
}


def _names(case: Case) -> str:
    return f"{case.policy}-{case.requirement}-{case.what.replace(' ', '-')}"


@pytest.mark.parametrize("case", CASES, ids=_names)
def test_other_records_come_to_another_outcome(case: Case, tmp_path: Path) -> None:
    rows = case.edit(rows_on_page(case.policy))
    result = judged(case.policy, tmp_path, rows, case.later(rows))
    assert outcome(result, case.requirement, case.of) == case.outcome, result.answer
    expected = {"fails": "FAILED", "undetermined": "INCOMPLETE"}
    if case.outcome in expected:
        assert result.verdict in (expected[case.outcome], "FAILED")


def _shown(outcomes: str) -> Iterator[tuple[str, str]]:
    return ((case.policy, case.requirement) for case in CASES if case.outcome == outcomes)


def test_each_requirement_is_shown_to_fail_where_it_can_and_to_be_open() -> None:
    every = {(name, one) for name in ENDPOINTS for one in requirements(name)}
    assert set(_shown("fails")) == every - NEVER_FAIL
    assert set(_shown("undetermined")) == every


@pytest.mark.parametrize("role", ["prompt", "retrieval"])
def test_an_agent_without_an_ingredient_on_record_never_passes(role: str, tmp_path: Path) -> None:
    assert judged("genai-agent", tmp_path, drop(role=role)(rows_on_page("genai-agent"))).verdict == "INCOMPLETE"


def test_one_site_that_went_past_the_pipeline_fails_and_the_others_do_not(tmp_path: Path) -> None:
    brno = {
        "type": "deployment",
        "endpoint": "defect-detector",
        "site": "plant-brno",
        "model": "defects@13",
        "environment": "production",
        "at": "2025-06-20T22:00:00Z",
        "by": "person:marek",
    }
    refused = {
        "type": "gate",
        "subject": "model:defects@13",
        "gate": "approval",
        "status": "rejected",
        "by": "person:noor",
    }
    result = judged("defect-detection", tmp_path, [*rows_on_page("defect-detection"), brno, refused])
    serving = result.serving()
    assert dict(zip(serving["site"], serving["verdict"], strict=True)) == {
        "plant-lyon": "PASSED",
        "plant-graz": "PASSED",
        "plant-brno": "FAILED",
    }
    assert result.verdict == "FAILED"


def test_an_endpoint_without_an_agent_has_nothing_that_the_agents_policy_could_pass(tmp_path: Path) -> None:
    with open_store(tmp_path / "lineage.db", create_missing=True) as store:
        ingest(store, tmp_path, rows_on_page("default"), READ)
        result = audit(store, "churn-prod", as_of=ASKED, policy="deployment-pipeline")
        assert result.verdict != "PASSED"
        bare = [row for row in rows_on_page("default") if "base_model" not in json.dumps(row)]
    with open_store(tmp_path / "bare.db", create_missing=True) as store:
        ingest(store, tmp_path, bare, READ)
        assert audit(store, "churn-prod", as_of=ASKED, policy="genai-agent").verdict == "INCOMPLETE"
