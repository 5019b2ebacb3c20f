"""The command line: what it prints, what it leaves behind, and the exit status that a script relies on."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import click
import pytest

from lineage_explorer import __version__, cli
from lineage_explorer.records import Entity, Evidence, Record, Relation, format_instant, to_json
from lineage_explorer.store import open_store

from .conftest import command
from .estates import complete, gate, serves

WHEN = "2026-06-01T00:00:00Z"


class Said(NamedTuple):
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, exit status included."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*words: object, status: int = 0) -> Said:
        monkeypatch.setattr(sys, "argv", ["lineage-explorer", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        assert left.value.code == status, captured.out + captured.err
        return Said(captured.out, captured.err)

    return call


def walk(group: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    if isinstance(group, click.Group):
        for name, inner in group.commands.items():
            yield from walk(inner, *names, name)


def lines_of(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def store_of(path: Path, records: list[Record]) -> Path:
    with open_store(path, create_missing=True) as store:
        store.append(records)
    return path


def without(gate_type: str) -> list[Record]:
    return [item for item in complete() if not (isinstance(item, Evidence) and item.gate_type == gate_type)]


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    row = {"type": "deployment", "endpoint": "churn-prod", "model": "model:churn@3", "at": "2026-03-01T00:00:00Z"}
    return lines_of(tmp_path / "deployments.jsonl", [row])


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    return store_of(tmp_path / "lineage.db", complete())


# --- help ---


@pytest.mark.parametrize("names", list(walk(cli.commands)), ids=" ".join)
def test_every_help_shows_examples_that_parse(names: tuple[str, ...], run: Run) -> None:
    shown = run(*names, "--help").out
    text = re.sub(r"\\\n\s*", " ", shown.partition("\n")[2])
    examples = re.findall(r"^ +lineage-explorer (.*?)(?:   .*)?$", text, flags=re.M)
    assert examples, shown
    for example in examples:
        inner: click.Command = cli.commands
        words = shlex.split(example)
        while isinstance(inner, click.Group):
            inner = inner.commands[words.pop(0)]
        inner.make_context(example, words)  # a wrong option or a missing argument raises


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.strip().endswith(__version__)


@pytest.mark.parametrize("words", [["audit"], ["nonesuch"], ["audit", "s.db", "e", "--nonesuch"], ["ingest", "s.db"]])
def test_a_wrong_call_is_a_usage_error(words: list[str], run: Run) -> None:
    assert "Usage:" in run(*words, status=2).err


# --- ingest ---


def test_reading_again_adds_nothing_and_the_counts_say_so(run: Run, tmp_path: Path, deployments: Path) -> None:
    append(deployments, '{"type": "deployment"}\n')
    first = run("ingest", tmp_path / "s.db", deployments, "--json").json
    again = run("ingest", tmp_path / "s.db", deployments, "--json").json
    assert isinstance(first, dict)
    assert isinstance(again, dict)
    assert first["read"] == first["stored"] + first["unchanged"] + first["quarantined"]
    assert (first["unchanged"], first["quarantined"]) == (0, 1)
    assert (again["read"], again["stored"], again["unchanged"]) == (first["read"], 0, first["stored"])


def test_several_sources_are_counted_one_by_one_and_together(run: Run, tmp_path: Path, deployments: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    lines_of(folder / "data.jsonl", [{"type": "dataset", "dataset": "dataset:raw@1"}])
    (folder / "gates.csv").write_text("type,subject,gate,status\ngate,model:churn@3,approval,passed\n")
    told = run("ingest", tmp_path / "s.db", deployments, folder, f"records:{folder / 'data.jsonl'}", "--json").json
    assert isinstance(told, dict)
    assert [row["source"] for row in told["syncs"]] == ["records"] * 3
    assert [row["stored"] for row in told["syncs"]][2] == 0  # the folder had told it
    for name in ("read", "stored", "unchanged", "quarantined"):
        assert told[name] == sum(row[name] for row in told["syncs"])
    assert run("search", tmp_path / "s.db", "raw").out == "dataset:raw@1\n"


def test_a_person_is_told_the_counts_and_where_to_see_what_was_refused(
    run: Run, tmp_path: Path, deployments: Path
) -> None:
    append(deployments, "{\n")
    said = run("ingest", tmp_path / "s.db", deployments).out
    assert "deployments.jsonl" in re.sub(r"[\s\d]", "", said), said
    assert re.search(r"^records .* 5 +4 +0 +1 +0 *$", said, flags=re.M), said
    assert f"lineage-explorer quarantine {tmp_path / 's.db'}" in said


def test_a_namespace_is_put_before_the_names(run: Run, tmp_path: Path, deployments: Path) -> None:
    run("ingest", tmp_path / "s.db", deployments, "--namespace", "eu")
    assert "endpoint:eu/churn-prod" in run("search", tmp_path / "s.db", "churn-prod").out


# --- audit ---


@pytest.mark.parametrize(
    ("records", "status", "verdict"),
    [
        (complete(), 0, "PASSED"),
        ([*complete(), gate("model:churn@1", "evaluation", "02-28", "failed")], 1, "FAILED"),
        (without("approval"), 3, "INCOMPLETE"),
    ],
    ids=["passed", "failed", "incomplete"],
)
def test_the_exit_status_is_the_verdict(
    run: Run, tmp_path: Path, records: list[Record], status: int, verdict: str
) -> None:
    path = store_of(tmp_path / "s.db", records)
    said = run("audit", path, "churn", "--as-of", WHEN, status=status)
    assert said.out.splitlines()[0].split()[1:] == [verdict, "endpoint:churn"]
    assert "model churn version 1" in said.out
    told = run("audit", path, "endpoint:churn", "--as-of", WHEN, "--json", status=status).json
    assert isinstance(told, dict)
    assert (told["verdict"], told["question"]["as_of"]) == (verdict, WHEN)


def test_the_exit_status_is_the_verdict_in_a_process_of_its_own(tmp_path: Path) -> None:
    failing = [*complete(), gate("model:churn@1", "evaluation", "02-28", "failed")]
    command("audit", store_of(tmp_path / "a.db", failing), "churn", "--as-of", WHEN, status=1)
    command("audit", store_of(tmp_path / "b.db", without("approval")), "churn", "--as-of", WHEN, status=3)
    command("audit", tmp_path / "c.db", "churn", status=2)


def test_as_of_asks_what_served_then(run: Run, tmp_path: Path) -> None:
    later = serves("endpoint:churn", "deployment:churn:blue", "model:churn@2", "05-01")
    path = store_of(tmp_path / "s.db", [*complete(), *later, Entity(ref="model:churn@2")])
    assert "churn version 1" in run("audit", path, "churn", "--as-of", "2026-04-01T00:00:00+02:00").out
    assert "churn version 2" in run("audit", path, "churn", "--as-of", WHEN, status=3).out


def test_known_at_forgets_what_was_learnt_later(run: Run, tmp_path: Path) -> None:
    path = store_of(tmp_path / "s.db", without("approval"))
    with open_store(path) as store:
        before = format_instant(store.now())
        store.append(complete())
    run("audit", path, "churn", "--as-of", WHEN)
    run("audit", path, "churn", "--as-of", WHEN, "--known-at", before, status=3)


def test_a_policy_file_decides(run: Run, tmp_path: Path, passed: Path) -> None:
    policy = tmp_path / "strict.toml"
    policy.write_text(
        'name = "strict"\nversion = "7"\n[[requirement]]\nid = "safety"\ntitle = "Red-teamed"\n'
        'hop = ["model", "deploys", "deployment"]\ncheck = "evidence"\ngate_type = "safety"\n'
    )
    said = run("audit", passed, "churn", "--as-of", WHEN, "--policy", policy, status=3).out
    assert "Red-teamed" in said
    assert "policy strict version 7" in " ".join(said.split())
    run("audit", passed, "churn", "--as-of", WHEN, "--policy", "default")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name =", b'name = "x"\n', None], ids=repr)
def test_a_policy_that_cannot_be_used_is_named_and_nothing_is_judged(
    run: Run, tmp_path: Path, passed: Path, content: bytes | None
) -> None:
    policy = tmp_path / "odd.toml"
    if content is not None:
        policy.write_bytes(content)
    said = run("audit", passed, "churn", "--policy", policy, status=2)
    assert said.out == ""
    assert "odd.toml" in said.err
    assert "bug" not in said.err


def test_reports_hold_the_same_audit(run: Run, tmp_path: Path, passed: Path) -> None:
    with open_store(passed) as store:
        known = format_instant(store.now())
    question = ("audit", passed, "churn", "--as-of", WHEN, "--known-at", known)
    told = run(*question, "--json").json
    assert isinstance(told, dict)
    saved = {}
    for suffix in ("html", "json", "svg", "md"):
        path = tmp_path / f"report.{suffix}"
        assert f"Report: {path}" in run(*question, "-o", path).out
        saved[suffix] = path.read_text(encoding="utf-8")
    assert json.loads(saved["json"]) == told
    assert ET.fromstring(saved["svg"]).tag.endswith("svg")
    assert saved["html"].lower().startswith("<!doctype html")
    for suffix in ("html", "md"):
        assert str(told["digest"]) in saved[suffix]
    assert "model:churn@1" in saved["md"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.docx", ["'.docx'", "html, json, junit, md, sarif, svg, xml\n"]),
        ("a.widget", ["html, json, junit, md, sarif, svg, xml\n"]),
        ("a.graphviz", ["html, json, junit, md, sarif, svg, xml\n"]),
        ("nowhere/a.html", ["nowhere/a.html", "cannot be written", "No such file or directory"]),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error_and_leaves_no_file(
    run: Run, tmp_path: Path, passed: Path, name: str, words: list[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    said = run("audit", passed, "churn", "--as-of", WHEN, "-o", tmp_path / name, status=2)
    assert all(word in said.err for word in words), said.err
    assert "bug" not in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_endpoint_lists_the_nearest(run: Run, passed: Path) -> None:
    said = run("audit", passed, "chrun", status=2)
    assert said.err == "Error: nothing called 'chrun' is in lineage.db; did you mean endpoint:churn?\n"
    assert said.out == ""


def test_an_ambiguous_endpoint_lists_what_it_may_be(run: Run, passed: Path) -> None:
    store_of(passed, [Entity(ref="endpoint:eu/churn2"), Entity(ref="endpoint:us/churn2")])
    said = run("audit", passed, "churn2", status=2)
    assert "endpoint:eu/churn2, endpoint:us/churn2" in said.err


@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
@pytest.mark.parametrize("instant", ["2026-03-01", "2026-03-01T12:00:00", "yesterday", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_is_none_is_refused(run: Run, passed: Path, option: str, instant: str) -> None:
    assert instant in run("audit", passed, "churn", option, instant, status=2).err


# --- looking around ---


def test_search_finds_by_the_beginning_of_words(run: Run, passed: Path) -> None:
    assert run("search", passed, "feat").out == "dataset:features@1\n"
    assert run("search", passed, "nonesuch").out == ""
    told = run("search", passed, "churn", "--limit", 2, "--json").json
    assert isinstance(told, list)
    assert [row["ref"] for row in told] == ["endpoint:churn", "model:churn@1"]
    run("search", passed, "churn", "--limit", 0, status=2)


def test_search_marks_what_is_only_referred_to(run: Run, tmp_path: Path, deployments: Path) -> None:
    run("ingest", tmp_path / "s.db", deployments)
    assert run("search", tmp_path / "s.db", "model:churn").out == "model:churn@3  (referred to, not described)\n"


def test_sources_are_listed(run: Run) -> None:
    told = run("sources", "--json").json
    assert isinstance(told, list)
    assert {"azureml", "mlflow", "records"} <= {row["name"] for row in told}
    shown = run("sources").out
    assert all(row["name"] in shown and row["summary"] in shown for row in told)


def test_syncs_and_quarantine_tell_what_became_of_what_was_read(run: Run, tmp_path: Path, deployments: Path) -> None:
    path = tmp_path / "s.db"
    append(deployments, '{"type": "gate", "subject": "model:churn@3"}\n')
    run("ingest", path, deployments)
    (sync,) = json.loads(run("syncs", path, "--json").out)
    assert (sync["read"], sync["stored"], sync["quarantined"], sync["complete"]) == (5, 4, 1, True)
    (refused,) = json.loads(run("quarantine", path, "--json").out)
    assert refused["position"].startswith("deployments.jsonl:2")
    assert refused["reason"]
    assert refused["excerpt"] in deployments.read_text()
    shown = run("quarantine", path).out
    assert refused["position"] in shown
    assert refused["reason"] in shown
    assert str(deployments) in run("syncs", path).out


def test_an_empty_quarantine_says_so(run: Run, passed: Path) -> None:
    assert run("quarantine", passed).out == "Nothing.\n"
    assert run("quarantine", passed, "--json").json == []


# --- record ---


def test_what_a_pipeline_records_is_what_the_audit_shows(run: Run, tmp_path: Path) -> None:
    """Deployment, gates and dataset by ``record``; the training between them as another system would tell it."""
    ci, store = tmp_path / "ci.jsonl", tmp_path / "s.db"
    run("record", "dataset", ci, "--dataset", "dataset:raw@1", "--sha256", "ab" * 32)
    judge = ("record", "gate", ci, "--subject", "model:churn@1", "--status", "passed", "--at", "2026-02-20T00:00:00Z")
    run(*judge, "--gate", "auc", "--gate-type", "evaluation", "--expected", "auc >= 0.8", "--actual", "0.9")
    run(*judge, "--gate", "approval", "--by", "person:mia")
    roll = ("record", "deployment", ci, "--endpoint", "churn", "--model", "model:churn@1", "--at")
    run(*roll, "2026-03-01T00:00:00Z", "--by", "service:ci")
    training = [
        to_json(item)
        for item in complete()
        if not isinstance(item, Evidence)
        and not (isinstance(item, Relation) and item.predicate in ("serves", "deploys"))
        and getattr(item, "ref", "") not in ("dataset:raw@1", "endpoint:churn", "deployment:churn:blue")
    ]
    run("ingest", store, ci, lines_of(tmp_path / "training.jsonl", training))
    told = run("audit", store, "churn", "--as-of", WHEN, "--json").json
    assert isinstance(told, dict)
    assert {(row["gate"], row["actual"], row["evaluator"]) for row in told["evidence"]} == {
        ("auc", "0.9", ""),
        ("approval", "", "person:mia"),
    }
    (raw,) = (row for row in told["datasets"] if row["name"] == "raw")
    assert raw["digest"] == "sha256:" + "ab" * 32
    # What was judged worse later counts, as soon as it is read.
    run("record", "gate", ci, "--subject", "model:churn@1", "--gate", "auc", "--gate-type", "evaluation",
        "--status", "failed", "--at", "2026-02-25T00:00:00Z")  # fmt: skip
    run("ingest", store, ci)
    run("audit", store, "churn", "--as-of", WHEN, status=1)


@pytest.mark.parametrize(
    "words",
    [
        ["deployment", "--endpoint", "e", "--model", "model:m@1", "--at", "2026-03-01T12:00:00"],
        ["deployment", "--endpoint", "e", "--model", "modle:m@1"],
        ["deployment", "--endpoint", "e", "--model", "model:m@1", "--traffic", "101"],
        ["gate", "--subject", "model:m@1", "--gate", "g", "--status", "splendid"],
        ["dataset", "--dataset", "dataset:d@1", "--sha256", "short"],
    ],
    ids=lambda words: words[-1],
)
def test_a_wrong_fact_is_refused_before_a_file_is_made(run: Run, tmp_path: Path, words: list[str]) -> None:
    assert run("record", words[0], tmp_path / "ci.jsonl", *words[1:], status=2).err
    assert list(tmp_path.iterdir()) == []


# --- what is no verdict never looks like one ---


def test_what_nobody_foresaw_is_told_in_full_and_is_no_verdict(
    run: Run, passed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lineage_explorer import questions

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("a gap \x1b[31m in the\n✓ PASSED  machinery")

    monkeypatch.setattr(questions, "audit", broken)
    said = run("audit", passed, "churn", status=2)
    assert said.out == ""
    assert "Traceback" in said.err
    assert "test_cli.py" in said.err
    assert "please report it" in said.err
    assert "\x1b" not in said.err


def test_a_damaged_store_is_told_in_one_sentence(run: Run, passed: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(passed)
    connection.execute("DROP TABLE edge")
    connection.close()
    said = run("audit", passed, "churn", status=2)
    assert said.err == f"Error: {str(passed)!r} cannot be read: no such table: edge\n"


def started(*words: object, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lineage_explorer", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        # A shell starts background jobs with interrupts ignored, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **more,  # type: ignore[call-overload]
    )


def test_output_that_nobody_reads_is_no_verdict(passed: Path) -> None:
    """``lineage-explorer audit … | head -1`` under ``set -o pipefail``."""
    process = started("audit", passed, "churn", "--as-of", WHEN)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_verdict(passed: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lineage_explorer", "audit", str(passed), "churn", "--as-of", WHEN],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_only_ascii_still_gets_the_answer(passed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "PASSED  endpoint:churn" in command("audit", passed, "churn", "--as-of", WHEN).stdout


def test_an_interrupt_exits_130_and_leaves_no_half_made_store(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call and never answers
        process = started("ingest", tmp_path / "s.db", f"mlflow:http://127.0.0.1:{silent.getsockname()[1]}")
        called, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        called.close()
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
