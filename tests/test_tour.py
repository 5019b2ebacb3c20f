"""The demo from end to end, as ``make demo`` runs it: what it leaves behind and what it says."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import command


def test_the_demo_says_the_answers_it_was_made_for(workspace: Path) -> None:
    told = (workspace / "demo.out").read_text()
    for verdict, endpoint in (
        ("✓ PASSED", "churn-prod"),
        ("△ INCOMPLETE", "credit-scoring"),
        ("✕ FAILED", "defect-detector"),
        ("✓ PASSED", "triage-assistant"),
    ):
        assert any(line.startswith(verdict) and line.endswith(f"endpoint:{endpoint}") for line in told.splitlines()), (
            endpoint
        )
    assert "a month ago" in told
    for name in ("lineage.db", "mlflow.db", "deployments.jsonl", "gates.jsonl", "report.html"):
        assert (workspace / "demo" / name).stat().st_size > 0


def test_last_month_differs_from_today(workspace: Path) -> None:
    store = workspace / "demo" / "lineage.db"
    today = json.loads(command("audit", store, "churn-prod", "--json").stdout)
    then = json.loads(
        command(
            "audit", store, "churn-prod", "--as-of", today["question"]["as_of"].replace("-11-", "-10-"), "--json"
        ).stdout
    )
    assert {row["model"] for row in today["serving"] if row["verdict"]} != {
        row["model"] for row in then["serving"] if row["verdict"]
    }
    assert then["verdict"] == "PASSED"
