"""The command line as scripts and people meet it: exit statuses, files written, what is said and where."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lineage_explorer import cli, open_store
from lineage_explorer.errors import LineageError
from lineage_explorer.records import Evidence, Record
from tests.conftest import command

from .estates import complete, gate, serves


def run(*arguments: object) -> Result:
    """The command in this process; what ``main`` would turn into exit status 2 is raised."""
    return CliRunner().invoke(
        cli.commands, [str(item) for item in arguments], catch_exceptions=False, standalone_mode=False
    )


def status(*arguments: object) -> int:
    return int(run(*arguments).return_value or 0)


def store_of(folder: Path, records: list[Record]) -> Path:
    path = folder / "lineage.db"
    with open_store(path, create_missing=True) as store:
        store.append(records)
    return path


def without(records: list[Record], gate_type: str) -> list[Record]:
    return [item for item in records if not (isinstance(item, Evidence) and item.gate_type == gate_type)]


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    return store_of(tmp_path, complete())


# --- audit ---


def test_a_verdict_is_an_exit_status(tmp_path: Path) -> None:
    kept, refused = without(complete(), "approval"), gate("model:churn@1", "approval", "02-20", "failed")
    for name, records, expected in (
        ("passed", complete(), 0),
        ("failed", [*kept, refused], 1),
        ("incomplete", kept, 3),
    ):
        (tmp_path / name).mkdir()
        assert status("audit", store_of(tmp_path / name, records), "churn") == expected, name


def test_every_other_end_has_the_status_two(passed: Path, tmp_path: Path) -> None:
    for arguments in (
        ("audit", passed, "chrn"),
        ("audit", tmp_path / "none.db", "churn"),
        ("audit", passed, "churn", "--as-of", "yesterday"),
        ("audit", passed, "churn", "--as-of", "2026-03-01T12:00:00"),
        ("audit", passed, "churn", "--policy", tmp_path / "none.toml"),
        ("audit", passed, "churn", "-o", tmp_path / "report.xyz"),
        ("audit", passed),
        ("nonsense",),
    ):
        done = command(*arguments, status=2)
        assert done.stdout == ""
        assert "Error" in done.stderr or "Usage" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_unknown_endpoint_is_answered_with_the_nearest(passed: Path) -> None:
    with pytest.raises(LineageError, match=r"did you mean endpoint:churn\?"):
        run("audit", passed, "churm")


def test_a_question_can_be_about_another_instant(passed: Path) -> None:
    assert status("audit", passed, "churn", "--as-of", "2026-02-01T00:00:00Z") == 3  # nothing served then
    assert status("audit", passed, "churn", "--known-at", "2026-02-01T00:00:00Z") == 3  # the store knew nothing then


def test_a_policy_of_ones_own_is_applied(passed: Path, tmp_path: Path) -> None:
    policy = tmp_path / "strict.toml"
    policy.write_text(
        'name = "strict"\nversion = "7"\n\n[[requirement]]\nid = "safety"\ntitle = "Safe"\n'
        'hop = ["model", "deploys", "deployment"]\ncheck = "evidence"\ngate_type = "safety"\n'
    )
    result = run("audit", passed, "churn", "--policy", policy, "--json")
    assert result.return_value == 3
    assert json.loads(result.stdout)["question"]["policy"]["name"] == "strict"


@pytest.mark.parametrize(
    ("suffix", "begins"), [("html", "<!DOCTYPE html>"), ("json", "{"), ("svg", "<svg"), ("md", "# ")]
)
def test_a_report_is_written_in_the_form_its_name_asks_for(
    passed: Path, tmp_path: Path, suffix: str, begins: str
) -> None:
    target = tmp_path / f"report.{suffix}"
    assert f"Report: {target}" in run("audit", passed, "churn", "-o", target).stdout
    assert target.read_text(encoding="utf-8").startswith(begins)


def test_the_answer_is_printed_with_its_hops_and_its_digest(passed: Path) -> None:
    told = run("audit", passed, "churn").stdout
    assert told.startswith("✓ PASSED  endpoint:churn")
    assert "is served by model churn version 1" in " ".join(told.split())
    assert "sha256:" in told.splitlines()[-1]


def test_json_is_the_whole_audit_and_nothing_else(passed: Path) -> None:
    content = json.loads(run("audit", passed, "churn", "--json").stdout)
    assert content["format"] == "lineage-explorer/audit"
    assert content["verdict"] == "PASSED"


def test_a_name_that_commands_the_terminal_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    path = store_of(tmp_path, serves("endpoint:churn", "deployment:churn:blue", "model:%1B%5B2Jchurn@1", "03-01"))
    told = run("audit", path, "churn").stdout
    assert "\x1b[2J" not in told
    assert "churn version 1" in " ".join(told.split())


# --- ingest ---


def rows(path: Path, *lines: dict[str, object] | str) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


DEPLOYMENT: dict[str, object] = {
    "type": "deployment",
    "endpoint": "churn-prod",
    "model": "model:churn@3",
    "at": "2026-03-01T00:00:00Z",
}


def test_what_was_read_is_stored_unchanged_or_quarantined(tmp_path: Path) -> None:
    source = rows(tmp_path / "deployments.jsonl", DEPLOYMENT, "this is no JSON")
    first = json.loads(run("ingest", tmp_path / "l.db", source, "--json").stdout)
    assert first["read"] == first["stored"] + first["unchanged"] + first["quarantined"]
    assert first["quarantined"] == 1
    again = json.loads(run("ingest", tmp_path / "l.db", source, "--json").stdout)
    assert again["stored"] == 0
    assert again["read"] == first["read"]
    refused = json.loads(run("quarantine", tmp_path / "l.db", "--json").stdout)[0]
    assert refused["position"] == "deployments.jsonl:2"
    assert len(json.loads(run("syncs", tmp_path / "l.db", "--json").stdout)) == 2


def test_several_sources_and_a_named_one_are_read_in_one_call(tmp_path: Path) -> None:
    one = rows(tmp_path / "one.jsonl", DEPLOYMENT)
    two = rows(tmp_path / "two.jsonl", {**DEPLOYMENT, "endpoint": "fraud-prod"})
    told = json.loads(run("ingest", tmp_path / "l.db", one, f"records:{two}", "--json").stdout)
    assert [sync["source"] for sync in told["syncs"]] == ["records", "records"]
    assert status("audit", tmp_path / "l.db", "fraud-prod") == 3


def test_a_mistyped_source_leaves_no_store_behind(tmp_path: Path) -> None:
    rows(tmp_path / "deployments.jsonl", DEPLOYMENT)
    before = sorted(tmp_path.iterdir())
    done = command("ingest", tmp_path / "l.db", tmp_path / "deploymnts.jsonl", status=2)
    assert "deployments.jsonl" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_an_unreachable_server_leaves_no_store_behind(tmp_path: Path) -> None:
    done = command("ingest", tmp_path / "l.db", "http://127.0.0.1:9", status=2)
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["text", "another database", "folder"])
def test_what_is_no_store_is_told_so_and_left_as_it_is(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing.db"
    if what == "text":
        path.write_text("some notes, " * 1_000)
    elif what == "folder":
        path.mkdir()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE notes (text)")
        connection.close()
    before = path.read_bytes() if path.is_file() else b""
    source = rows(tmp_path / "deployments.jsonl", DEPLOYMENT)
    for arguments in (("audit", path, "churn"), ("ingest", path, source), ("search", path, "churn")):
        done = command(*arguments, status=2)
        assert "Traceback" not in done.stderr
        assert "thing.db" in done.stderr
    assert (path.read_bytes() if path.is_file() else b"") == before


# --- record ---


def test_one_line_from_a_pipeline_becomes_an_answer(tmp_path: Path) -> None:
    log = tmp_path / "release.jsonl"
    run("record", "deployment", log, "--endpoint", "churn-prod", "--model", "model:churn@3", "--by", "service:ci")
    run(
        "record",
        "gate",
        log,
        "--subject",
        "model:churn@3",
        "--gate",
        "approval",
        "--status",
        "passed",
        "--by",
        "person:mia",
    )
    run("record", "dataset", log, "--dataset", "dataset:customers@2026-07", "--sha256", "ab" * 32)
    assert len(log.read_text().splitlines()) == 3
    told = json.loads(run("ingest", tmp_path / "l.db", log, "--json").stdout)
    assert told["quarantined"] == 0
    content = json.loads(run("audit", tmp_path / "l.db", "churn-prod", "--json").stdout)
    assert content["serving"][0]["model"] == "model:churn@3"
    assert [row["status"] for row in content["evidence"]] == ["passed"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("deployment", "--endpoint", "churn-prod", "--model", "model:churn@3@4"),
        ("deployment", "--endpoint", "churn-prod", "--model", "model:churn@3", "--at", "2026-03-01T12:00:00"),
        ("dataset", "--dataset", "dataset:customers@1", "--sha256", "not-a-digest"),
    ],
)
def test_a_line_that_would_not_be_read_is_not_written(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    log = tmp_path / "release.jsonl"
    done = command("record", arguments[0], log, *arguments[1:], status=2)
    assert "Traceback" not in done.stderr
    assert not log.exists()


# --- looking around ---


def test_search_finds_by_the_beginnings_of_words(passed: Path) -> None:
    assert run("search", passed, "chu").stdout.splitlines()[0].startswith("endpoint:churn")
    found = json.loads(run("search", passed, "features", "--json").stdout)
    assert [item["ref"] for item in found] == ["dataset:features@1"]


def test_searching_for_nothing_that_is_there_says_so(passed: Path) -> None:
    assert run("search", passed, "zebra").stdout == ""


def test_the_built_in_sources_are_listed() -> None:
    assert [row["name"] for row in json.loads(run("sources", "--json").stdout)] == ["azureml", "mlflow", "records"]


def test_the_version_is_that_of_the_package() -> None:
    from lineage_explorer import __version__

    assert __version__ in command("--version").stdout


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
