"""``history``, ``compare``, ``impact``, ``serving``, ``rollback``: what a terminal shows, what a script reads, what a file holds."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from lineage_explorer import cli
from lineage_explorer.cli import histories
from lineage_explorer.cli.rows import briefly
from lineage_explorer.comparison import alike, compare
from lineage_explorer.impacts import impact
from lineage_explorer.records import Activity, Entity, Record, Relation
from lineage_explorer.reports import chapters
from lineage_explorer.reports.cells import told
from lineage_explorer.rollbacks import rollback
from lineage_explorer.servings import serving_document
from lineage_explorer.store import Store, open_store
from lineage_explorer.version_history import history

from . import chapter_documents as made
from .estates import complete, gate, serves, used

WHEN = "2026-06-01T00:00:00Z"
WORDS = {
    "history": ("history", "s.db", "model:churn", "--as-of", WHEN),
    "compare": ("compare", "s.db", f"model:churn@1@@{WHEN}", f"model:churn@2@@{WHEN}"),
    "alike": ("compare", "s.db", "endpoint:plants"),
    "impact": ("impact", "s.db", "dataset:raw@1", "--as-of", WHEN),
    "serving": ("serving", "s.db", "churn"),
    "rollback": ("rollback", "s.db", "churn", "--as-of", WHEN),
}


def call(*words: object, status: int | None = 0, width: int = 120) -> tuple[str, str]:
    """What a command says on standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setenv("COLUMNS", str(width))
        patch.setenv("NO_COLOR", "1")
        patch.setattr(sys, "argv", ["lineage-explorer", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
    if status is not None:
        assert left.value.code == status, out.getvalue() + err.getvalue()
    return out.getvalue(), err.getvalue()


def second() -> list[Record]:
    """A second version with other parameters, and a third that differs in nothing but its name; and five plants."""
    records: list[Record] = []
    for number, day in ((2, "04-01"), (3, "05-01")):
        run = f"run:train{number}"
        records += [
            Entity(ref=f"model:churn@{number}"),
            Activity(ref=run, activity="training", attributes={"params": {"depth": "8"}}),
            Relation(effect=f"model:churn@{number}", predicate="was_generated_by", cause=run, basis="identifier"),
            used(run, "dataset:features@1", "03-01"),
            gate(
                f"model:churn@{number}", "evaluation", "03-10", expected="auc >= 0.8", actual="0.9", grade="recomputed"
            ),
            gate(f"model:churn@{number}", "approval", "03-20", evaluator="person:mia"),
        ]
        records += serves("endpoint:other", f"deployment:other:{number}", f"model:churn@{number}", day)
    records.append(
        Relation(
            effect="deployment:churn:blue", predicate="deploys", cause="model:churn@2", basis="identifier", slot="model",
            valid_from=gate("model:churn@1", "approval", "05-01").event_time,
        )
    )  # fmt: skip
    for site, model in (("graz", "model:churn@1"), ("brno", "model:churn@2"), ("turin", "model:churn@1")):
        records += serves("endpoint:plants", f"deployment:plants:{site}", model, "03-01", site=site)
    return records


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    with open_store("s.db", create_missing=True) as store:
        store.append([*complete(), *second()])
        yield store


def asked(name: str, store: Store) -> dict[str, Any]:
    """The answer of the library to what the command is asked."""
    asks: dict[str, Any] = {
        "history": lambda: history(store, "model:churn", as_of=WHEN),
        "compare": lambda: compare(f"model:churn@1@@{WHEN}", f"model:churn@2@@{WHEN}", store=store),
        "alike": lambda: alike(["endpoint:plants"], store=store),
        "impact": lambda: impact(store, "dataset:raw@1", as_of=WHEN),
        "serving": lambda: serving_document(store, "churn"),
        "rollback": lambda: rollback(store, "churn", as_of=WHEN),
    }
    found = asks[name]()
    content: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
    return content


def timeless(content: Any) -> Any:
    """A document without what depends on when it was asked for."""
    if isinstance(content, dict):
        gone = ("known_at", "as_of", "digest", "audit_digest", "asked", "title")
        return {key: timeless(value) for key, value in content.items() if key not in gone}
    return [timeless(item) for item in content] if isinstance(content, list) else content


# --- what a command says ---


@pytest.mark.parametrize("name", WORDS)
def test_the_answer_comes_before_its_table_and_the_digest_last(house: Store, name: str) -> None:
    document = asked(name, house)
    out, err = call(*WORDS[name], status=None)
    assert err == ""
    lines = out.splitlines()
    assert lines[0]
    assert lines[-1].startswith("digest sha256:")
    first = chapters.chosen(document).rows[0]
    assert briefly(told(first[0] if name != "alike" else first[1])) in out


@pytest.mark.parametrize("name", WORDS)
def test_json_is_the_document_of_the_library(house: Store, name: str) -> None:
    printed = json.loads(call(*WORDS[name], "--json", status=None)[0])
    assert timeless(printed) == timeless(asked(name, house))


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("suffix", ["html", "md", "csv", "json"])
def test_a_report_is_written_as_its_suffix_says(house: Store, name: str, suffix: str) -> None:
    out, _ = call(*WORDS[name], "-o", f"r.{suffix}", status=None)
    assert out.splitlines()[-1] == f"Report: r.{suffix}"
    text = Path(f"r.{suffix}").read_text(encoding="utf-8")
    if suffix == "json":
        assert timeless(json.loads(text)) == timeless(asked(name, house))
    elif suffix == "csv":
        assert timeless_rows(text) == timeless_rows(chapters.csv(asked(name, house)))
    else:
        assert text.startswith("<!DOCTYPE html>" if suffix == "html" else "# ")
        assert "This report states evidence, not compliance." in text


def timeless_rows(text: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text))
    return [{key: value for key, value in row.items() if key not in ("as_of", "audit_digest")} for row in rows]


@pytest.mark.parametrize(
    ("name", "table"),
    [(name, table)
     for name, command in (("history", histories.history), ("impact", histories.impact),
                           ("serving", histories.serving), ("rollback", histories.rollback))
     for option in command.params if option.name == "table"
     for table in option.type.choices],  # type: ignore[attr-defined]
)  # fmt: skip
def test_every_table_that_can_be_chosen_is_printed_and_written(house: Store, name: str, table: str) -> None:
    document = asked(name, house)
    printed, _ = call(*WORDS[name], "--table", table, "--csv", status=None)
    assert timeless_rows(printed) == timeless_rows(chapters.csv(document, table))
    rows = chapters.chosen(document, table).rows
    out, _ = call(*WORDS[name], "--table", table, status=None)
    assert ("none on record" in out) == (not rows)


def test_the_other_side_of_a_day_is_another_answer(house: Store) -> None:
    out, _ = call("serving", "s.db", "churn", "--from", "2026-04-01T00:00:00Z", "--to", "2026-04-15T00:00:00Z")
    assert "model:churn@1" in out
    assert "model:churn@2" not in out
    out, _ = call("compare", "s.db", "churn@@2026-04-01T00:00:00Z", f"churn@@{WHEN}")
    assert "churn@2" in out


def test_an_impact_with_a_limit_says_what_it_left_out(house: Store) -> None:
    out, _ = call(*WORDS["impact"], "--limit", "1")
    assert "Left out by the limit: " in out
    assert "Left out" not in call(*WORDS["impact"])[0]


# --- exit statuses ---


def test_rollback_ends_with_the_verdict_and_nothing_to_go_back_to_is_incomplete(house: Store) -> None:
    found = rollback(house, "churn", as_of=WHEN)
    assert found.target is None, "no registry says that its source still has it"
    call("rollback", "s.db", "churn", "--as-of", WHEN, status=3)


@pytest.mark.parametrize(("verdict", "status"), [("PASSED", 0), ("FAILED", 1), ("INCOMPLETE", 3)])
def test_a_target_ends_with_its_verdict(verdict: str, status: int) -> None:
    from lineage_explorer.cli.asking import EXIT
    from lineage_explorer.reports.headlines import target_verdict

    document = made.rollback()
    document["candidates"][0]["verdict"] = verdict
    assert EXIT[target_verdict(document)] == status


def test_compare_ends_with_one_for_a_difference_only_when_asked(house: Store) -> None:
    call(*WORDS["compare"])
    call(*WORDS["compare"], "--exit-code", status=1)
    call(*WORDS["compare"], "--exit-code", "-o", "r.md", "--json", status=1)
    same = f"model:churn@1@@{WHEN}"
    call("compare", "s.db", same, same, "--exit-code")
    call(*WORDS["alike"], "--exit-code", status=1)
    call("compare", "s.db", f"churn@@{WHEN}", f"churn@@{WHEN}", f"churn@@{WHEN}", "--exit-code")


def test_single_requirements_are_counted_and_shown_when_asked(house: Store) -> None:
    document = made.comparison()
    out = printed_of(document)
    assert "1 more in single requirements of the policy; --all shows them" in out
    assert "owned" not in out
    assert "owned" in printed_of(document, without="")
    assert any(row["aspect"] == "requirement" for row in document["differences"])


def printed_of(document: dict[str, Any], width: int = 120, without: str = "requirement", **form: Any) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("COLUMNS", str(width))
        patch.setenv("NO_COLOR", "1")
        given: dict[str, Any] = {"output": None, "as_csv": False, "as_json": False, **form}
        histories._tell(document, {}, without=without, **given)
    return out.getvalue()


# --- terminals ---


@pytest.mark.parametrize("kind", sorted(made.ALL))
@pytest.mark.parametrize("width", [30, 80, 200])
def test_what_a_record_says_is_shown_and_not_obeyed(kind: str, width: int) -> None:
    document = made.ALL[kind](made.HOSTILE)
    forms: list[dict[str, Any]] = [{}, {"as_csv": True}, {"as_json": True}]
    for form in forms:
        out = printed_of(document, width, **form)
        assert all(char.isprintable() or char == "\n" for char in out), form
    assert all(len(line) <= width for line in printed_of(document, width).splitlines() if not line.startswith("digest"))


@pytest.mark.parametrize("kind", sorted(made.ALL))
def test_a_narrow_terminal_breaks_and_drops_nothing(kind: str) -> None:
    document = made.ALL[kind]("strange")
    sheet = chapters.chosen(document)
    narrow = "".join(printed_of(document, 30, without="", table=sheet.key).split())
    wide = printed_of(document, 400, without="", table=sheet.key)
    for row in sheet.rows:
        for cell in row:
            said = briefly(told(cell))
            assert "".join(said.split()) in narrow
            assert said in wide


def test_a_digest_is_cut_at_first_sight_and_whole_where_its_table_was_chosen() -> None:
    document = made.rollback()
    assert "sha256:abababababab…" in printed_of(document)
    assert made.DIGEST not in printed_of(document)
    assert made.DIGEST in printed_of(document, 300, table="candidates")


def test_many_rows_are_cut_and_counted_unless_their_table_was_chosen() -> None:
    document = made.history(versions=100)
    assert "… and 60 more; -o FILE writes all" in printed_of(document)
    whole = printed_of(document, table="versions")
    assert "more; -o" not in whole
    assert "model:churn@100" in whole


# --- what cannot be asked ---


@pytest.mark.parametrize("name", WORDS)
def test_what_nothing_writes_is_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)  # there is no store: it would be missed first
    out, err = call(*WORDS[name], "-o", "r.docx", status=2)
    assert "r.docx" in err
    assert ".html, .csv, .md, .json" in err
    assert out == ""
    _, err = call(*WORDS[name], "--csv", "--json", status=2)
    assert "give one of them" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["history", "s.db", "model:chrun"], "model:churn"),
        (["history", "s.db", "churn", "--as-of", "yesterday"], "yesterday"),
        (["history", "s.db", "churn", "--table", "nonsense"], "versions"),
        (["history", "s.db", "churn", "--table", "events", "--json"], "--table"),
        (["history", "s.db", "churn", "-o", "nowhere/h.md"], "cannot be written"),
        (["history", "nowhere.db", "churn"], "nowhere.db"),
        (["compare", "s.db", "model:churn@1", "model:churn@9"], "model:churn@1"),
        (["compare", "s.db", "model:churn@1@@yesterday", "model:churn@2"], "yesterday"),
        (["compare", "s.db", "model:churn@1", "model:churn@2", "--policy", "nonesuch.toml"], "nonesuch.toml"),
        (["compare", "s.db"], "Usage:"),
        (["compare", "s.db", "churn"], "name a second thing"),
        (["impact", "s.db", "dataset:rwa@1"], "dataset:raw@1"),
        (["impact", "s.db", "dataset:raw@1", "--limit", "0"], "--limit"),
        (["serving", "s.db", "chrun"], "endpoint:churn"),
        (["serving", "s.db", "churn", "--from", "2026-04-01"], "2026-04-01"),
        (["rollback", "s.db", "chrun"], "endpoint:churn"),
        (["rollback", "s.db", "churn", "--site", "mars"], "mars"),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)
def test_what_cannot_be_asked_is_one_sentence_and_no_verdict(house: Store, words: list[str], said: str) -> None:
    out, err = call(*words, status=2)
    assert said in err
    assert out == ""
    assert "bug" not in err
    assert "Traceback" not in err


# --- help ---


def examples() -> Iterator[tuple[str, str]]:
    for name in ("history", "compare", "impact", "serving", "rollback"):
        for line in (cli.commands.commands[name].help or "").splitlines():
            if line.strip().startswith("lineage-explorer "):
                yield name, line.strip()


@pytest.mark.parametrize(("name", "line"), list(examples()))
def test_the_examples_of_the_help_can_be_called(name: str, line: str) -> None:
    command: click.Command = cli.commands.commands[name]
    assert line.startswith(f"lineage-explorer {name} ")
    command.make_context(name, shlex.split(line)[2:])  # a wrong option or a missing argument raises
