"""A real chain of DVC and Great Expectations, judged at each instant: it failed, passed by a changed suite, and so again.

The validation results are public records (``SOURCES.md`` in the folder). There is no source for them yet: here they
are put into records as a source would, with each expectation's own parameters as the condition.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import audit, open_store
from lineage_explorer.policy import read_policy
from lineage_explorer.records import Activity, Entity, Evidence, Record, Relation, parse_instant
from lineage_explorer.store import Store

RECORDS = Path(os.environ.get("LINEAGE_EXPLORER_RECORDS", Path(__file__).resolve().parents[3] / "shared" / "records"))
CHAIN = RECORDS / "chain_dvc_gx_smarthealth"

POLICY = read_policy(
    """
name = "data-gate"
version = "1"
[[requirement]]
id = "data-quality"
title = "The training data passed its suite"
hop = ["dataset", "used", "run"]
role = "training"
check = "evidence"
gate_type = "data_quality"
[[requirement]]
id = "same-suite"
title = "The suite was not made easier"
hop = ["dataset", "used", "run"]
role = "training"
check = "unweakened"
gate_type = "data_quality"
"""
)


def results() -> list[dict[str, Any]]:
    files = sorted(CHAIN.glob("gx/uncommitted/validations/*/*/*/*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def expectations(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in result["results"]:
        config = item["expectation_config"]
        asked = {key: value for key, value in config["kwargs"].items() if key not in ("batch_id", "column")}
        found[f"{config['type']}({config['kwargs'].get('column', '')})"] = asked
    return found


def records() -> Iterator[Record]:
    digest = "dataset:clean_obesity_data@1"
    begun = parse_instant("2025-10-01T00:00:00Z")
    yield from (Entity(ref="endpoint:obesity"), Entity(ref="deployment:obesity:default"), Entity(ref="model:obesity@1"))
    yield from (Entity(ref=digest), Activity(ref="run:train", activity="training"))
    for effect, predicate, cause in (
        ("endpoint:obesity", "serves", "deployment:obesity:default"),
        ("deployment:obesity:default", "deploys", "model:obesity@1"),
    ):
        yield Relation(
            effect=effect,
            predicate=predicate,  # type: ignore[arg-type]
            cause=cause,
            basis="identifier",
            slot="s",
            traffic=100.0 if predicate == "serves" else None,
            valid_from=begun,
        )
    yield Relation(effect="model:obesity@1", predicate="was_generated_by", cause="run:train", basis="identifier")
    yield Relation(
        effect="run:train", predicate="used", cause=digest, basis="identifier", role="training", event_time=begun
    )
    for result in results():
        yield Evidence(
            subject=digest,
            gate=result["suite_name"],
            gate_type="data_quality",
            status="passed" if result["success"] else "failed",
            grade="referenced",
            event_time=parse_instant(result["meta"]["run_id"]["run_time"]),
            attributes={"expectations": expectations(result)},
        )


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Store]:
    if not CHAIN.is_dir():
        pytest.skip("the shared records are not here")
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        store.append(records())
        yield store


def test_the_chain_is_judged_rightly_at_each_instant(chain: Store) -> None:
    told: list[tuple[str, str, str]] = []
    for result in results():
        judged = parse_instant(result["meta"]["run_id"]["run_time"])
        answer = audit(chain, "obesity", as_of=judged + timedelta(seconds=1), policy=POLICY)
        outcome = dict(zip(answer.requirements()["requirement"], answer.requirements()["outcome"], strict=True))
        told.append((answer.verdict, outcome["data-quality"], outcome["same-suite"]))
    assert told == [
        ("FAILED", "fails", "holds"),  # the first suite
        ("FAILED", "fails", "holds"),
        ("FAILED", "holds", "fails"),  # passed: one expectation was removed and one changed
        ("FAILED", "fails", "holds"),  # a larger suite, and it fails
        ("FAILED", "holds", "fails"),  # passed: the set of values was made larger
        ("PASSED", "holds", "holds"),  # passed by the same suite
    ]


def test_a_pass_by_an_easier_suite_is_flagged_with_before_and_after_under_any_policy(chain: Store) -> None:
    instants = [parse_instant(result["meta"]["run_id"]["run_time"]) + timedelta(seconds=1) for result in results()]
    flagged = []
    for instant in instants:
        found = audit(chain, "obesity", as_of=instant).findings()
        flagged.append(list(found[found["code"] == "gate-weakened"]["message"]))
    assert [len(messages) for messages in flagged] == [0, 0, 1, 1, 2, 2]
    assert "expect_column_to_exist(Gender) was removed" in flagged[2][0]
    assert any("value_set [0, 1, 2, 3, 4, 5] to value_set [0, 1, 2, 3, 4, 5, 6]" in text for text in flagged[4])
