"""The project's own record format: what rows mean, where errors are, and that hostile files stay files."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from lineage_explorer.cli import commands
from lineage_explorer.errors import (
    InvalidRecord,
    LineageError,
    LocationNotFound,
    SourceError,
    UnknownFormat,
)
from lineage_explorer.questions import audit
from lineage_explorer.records import Entity, Evidence, Record, Relation, parse_instant, to_json
from lineage_explorer.sources import Observation, Rejected, documents, open_source
from lineage_explorer.sources.neutral import NeutralSource, append_row, row_json_schema
from lineage_explorer.sources.neutral.convenience import read_row
from lineage_explorer.sources.neutral.rows import Row
from lineage_explorer.sources.neutral.shapes import FIELDS
from lineage_explorer.store import Store
from tests.source_contract import PLANTED, SourceContract, contents, observations, rejections

ROOT = Path(__file__).parent.parent
HOSTILE = "<img src=x onerror=alert(1)>"
GATE = {"type": "gate", "subject": "model:churn@3", "gate": "approval", "status": "passed"}
DEPLOYMENT = {"type": "deployment", "endpoint": "churn-prod", "model": "churn@3"}
ROWS: list[dict[str, Any]] = [
    {**DEPLOYMENT, "at": "2026-08-01T09:00:00Z", "by": "person:ada"},
    {**DEPLOYMENT, "deployment": "green", "model": "model:churn@4", "traffic": 10, "at": "2026-08-02T09:00:00+02:00"},
    {**GATE, "at": "2026-07-30T16:00:00Z", "by": "person:mia", "expected": "ok", "pointer": "run:8a3f"},
    {"type": "dataset", "dataset": "customers@2026-07", "sha256": "ab" * 32, "created_at": "2026-07-01T00:00:00Z"},
    {"type": "relation", "effect": "run:8a3f", "predicate": "used", "cause": "dataset:customers@2026-07",
     "basis": "name_version", "role": "training", "event_time": "2026-07-29T09:00:00Z"},
]  # fmt: skip


def write_lines(path: Path, rows: Sequence[Any]) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return str(path)


def write_table(path: Path, rows: Sequence[dict[str, Any]], separator: str = ",") -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    table = csv.DictWriter(text, columns, delimiter=separator)
    table.writeheader()
    table.writerows(rows)
    path.write_text(text.getvalue(), "utf-8", newline="")
    return str(path)


def read(location: str | Path) -> list[Observation | Rejected]:
    return list(NeutralSource(str(location)).read())


def records(items: Sequence[Observation | Rejected]) -> list[Record]:
    return [item.record for item in observations(items)]


def said(tmp_path: Path, row: Any, name: str = "rows.jsonl") -> list[Observation | Rejected]:
    """What one row, or one raw line, becomes."""
    return read(write_lines(tmp_path / name, [row]))


class TestContractOnJsonLines(SourceContract):
    source_class = NeutralSource
    forbidden_imports: ClassVar[tuple[str, ...]] = ("mlflow", "pandas", "sqlalchemy", "networkx")

    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return write_lines(tmp_path / "rows.jsonl", ROWS)

    @pytest.fixture
    def broken_location(self, tmp_path: Path) -> str:
        return write_lines(tmp_path / "broken.jsonl", ["{", ROWS[0], "[]", {**GATE, "statsu": "x"}])

    @pytest.fixture
    def secret_location(self, tmp_path: Path) -> str:
        secret = [
            {**GATE, "pointer": PLANTED["a_url"], "actual": PLANTED["a_note"], "attributes": PLANTED},
            {**DEPLOYMENT, "endpoint": PLANTED["a_note"], "attributes": {"deep": [{"password": PLANTED["password"]}]}},
            {"type": "dataset", "dataset": "d@1", "uri": PLANTED["a_url"], "description": PLANTED["a_connection"]},
            {"type": "entity", "ref": f"dataset:{PLANTED['a_note'].split()[2]}"},
            {**GATE, "gate": PLANTED["a_connection"], "statsu": "rejected, and quoted in quarantine"},
            "{" + PLANTED["a_url"],
        ]
        return write_lines(tmp_path / "secrets.jsonl", secret)


class TestContractOnCsv(SourceContract):
    source_class = NeutralSource
    forbidden_imports: ClassVar[tuple[str, ...]] = ("mlflow", "pandas", "sqlalchemy", "networkx")

    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return write_table(tmp_path / "rows.csv", ROWS, ";")

    @pytest.fixture
    def broken_location(self, tmp_path: Path) -> str:
        return write_table(tmp_path / "broken.csv", [ROWS[0], {**GATE, "traffic": "ninety"}, {"type": "gat"}])

    @pytest.fixture
    def secret_location(self, tmp_path: Path) -> str:
        cells = {f"attributes.{key}": secret for key, secret in PLANTED.items()}
        return write_table(tmp_path / "secrets.csv", [{**GATE, "pointer": PLANTED["a_url"], **cells}])


class TestContractOnFolders(SourceContract):
    source_class = NeutralSource

    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        (tmp_path / "records" / "b").mkdir(parents=True)
        write_lines(tmp_path / "records" / "b" / "rows.jsonl", ROWS[:2])
        write_table(tmp_path / "records" / "gates.csv", ROWS[2:])
        return str(tmp_path / "records")

    @pytest.fixture
    def broken_location(self, tmp_path: Path) -> str:
        (tmp_path / "mixed").mkdir()
        write_lines(tmp_path / "mixed" / "rows.jsonl", ROWS)
        (tmp_path / "mixed" / "package.json").write_text('{"name": "left-pad"}')
        return str(tmp_path / "mixed")

    @pytest.fixture
    def secret_location(self, tmp_path: Path) -> str:
        (tmp_path / "secret").mkdir()
        write_lines(tmp_path / "secret" / "rows.json", [[{**GATE, "attributes": PLANTED}]])
        return str(tmp_path / "secret")


# --- what rows mean ---


def test_a_deployment_is_an_endpoint_a_deployment_and_what_it_runs(tmp_path: Path) -> None:
    row = {**DEPLOYMENT, "deployment": "blue", "traffic": 90, "at": "2026-08-01T09:00:00Z", "by": "person:ada"}
    serves, deploys, who = [item for item in records(said(tmp_path, row)) if isinstance(item, Relation)]
    begun = parse_instant("2026-08-01T09:00:00Z")
    revision = "deployment:churn-prod:blue@2026-08-01T09:00:00Z"
    assert (serves.effect, serves.cause, serves.traffic, serves.slot, serves.valid_from) == (
        "endpoint:churn-prod",
        revision,
        90,
        "blue",
        begun,
    )
    assert (deploys.effect, deploys.cause, deploys.valid_from) == (revision, "model:churn@3", begun)
    assert (who.effect, who.cause) == (revision, "person:ada")


@pytest.mark.parametrize(
    ("row", "traffic"),
    [({}, 100.0), ({"deployment": "blue"}, None), ({"deployment": "blue", "traffic": 0}, 0.0), ({"traffic": 40}, 40.0)],
)
def test_traffic_that_was_not_written_is_whole_only_for_an_only_deployment(
    tmp_path: Path, row: dict[str, Any], traffic: float | None
) -> None:
    (serves,) = [
        item
        for item in records(said(tmp_path, {**DEPLOYMENT, **row}))
        if isinstance(item, Relation) and item.predicate == "serves"
    ]
    assert serves.traffic == traffic


def test_two_sites_are_two_deployments_of_one_endpoint(tmp_path: Path) -> None:
    rows = [{**DEPLOYMENT, "site": site, "at": "2026-08-01T00:00:00Z"} for site in ("lyon", "graz")]
    items = records(read(write_lines(tmp_path / "rows.jsonl", rows)))
    serves = [item for item in items if isinstance(item, Relation) and item.predicate == "serves"]
    assert {item.effect for item in serves} == {"endpoint:churn-prod"}
    assert len({item.cause for item in serves}) == len({item.slot for item in serves}) == 2


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("passed", "passed"),
        ("Approved", "passed"),
        ("ok", "passed"),
        ("Rejected", "failed"),
        ("waived", "waived"),
        ("yes", "undetermined"),
        ("passed?", "undetermined"),
        ("not passed", "undetermined"),
        ("PASSED ", "passed"),
    ],
)
def test_a_word_that_is_not_understood_never_passes(tmp_path: Path, word: str, status: str) -> None:
    (gate,) = [item for item in records(said(tmp_path, {**GATE, "status": word})) if isinstance(item, Evidence)]
    assert gate.status == status
    assert gate.attributes.get("status_as_written", word) == word


@pytest.mark.parametrize("grade", ["recomputed", "signed"])
def test_a_record_cannot_vouch_for_itself(tmp_path: Path, grade: str) -> None:
    row = {"type": "evidence", "subject": "model:churn@3", "gate": "auc", "status": "passed", "grade": grade}
    (claimed,) = records(said(tmp_path, row))
    (pointing,) = records(said(tmp_path, {**row, "pointer": "run:8a3f"}))
    assert (claimed.grade, claimed.attributes["claimed_grade"]) == ("claimed", grade)
    assert (pointing.grade, pointing.attributes["claimed_grade"]) == ("referenced", grade)


def test_a_row_cannot_raise_its_own_grade(tmp_path: Path) -> None:
    (claimed,) = records(said(tmp_path, {**GATE, "grade": "recomputed"}))
    (referenced,) = records(said(tmp_path, {**GATE, "grade": "signed", "pointer": "run:8a3f"}))
    assert isinstance(claimed, Evidence)
    assert isinstance(referenced, Evidence)
    assert (claimed.grade, claimed.attributes["claimed_grade"]) == ("claimed", "recomputed")
    assert (referenced.grade, referenced.attributes["claimed_grade"]) == ("referenced", "signed")


def test_a_hash_without_a_version_becomes_the_version(tmp_path: Path) -> None:
    (data,) = records(said(tmp_path, {"type": "dataset", "dataset": "customers", "sha256": "AB" * 32}))
    assert isinstance(data, Entity)
    assert (data.ref, data.digest, data.identified_by) == (
        f"dataset:customers@sha256:{'ab' * 32}",
        f"sha256:{'ab' * 32}",
        "content_hash",
    )


def test_a_namespace_is_put_before_names_that_rows_issue_and_not_before_what_they_refer_to(tmp_path: Path) -> None:
    items = list(NeutralSource(write_lines(tmp_path / "rows.jsonl", ROWS[:1]), namespace="acme").read())
    (serves, deploys) = [item for item in records(items) if isinstance(item, Relation)][:2]
    assert serves.effect == "endpoint:acme/churn-prod"
    assert deploys.cause == "model:churn@3"


def test_rows_answer_the_question(tmp_path: Path, store: Store) -> None:
    made = {"type": "relation", "effect": "model:churn@3", "predicate": "was_generated_by", "cause": "run:8a3f",
            "basis": "identifier"}  # fmt: skip
    assert (
        store.ingest(NeutralSource(write_lines(tmp_path / "rows.jsonl", [ROWS[0], *ROWS[2:], made]))).quarantined == 0
    )
    answer = audit(store, "churn-prod", as_of="2026-08-05T00:00:00Z").to_dict()
    assert [data["ref"] for data in answer["datasets"]] == ["dataset:customers@2026-07"]


# --- one meaning in every form ---


def test_lines_table_json_and_frame_say_the_same(tmp_path: Path) -> None:
    rows = [{**row, "attributes.ticket": "OPS-1"} for row in ROWS[:4]]
    typed = [{**row, "attributes": {"ticket": "OPS-1"}} for row in ROWS[:4]]
    forms = {
        "lines": records(read(write_lines(tmp_path / "rows.jsonl", typed))),
        "list": records(read(write_lines(tmp_path / "rows.json", [typed]))),
        "commas": records(read(write_table(tmp_path / "comma.csv", rows))),
        "semicolons": records(read(write_table(tmp_path / "semicolon.csv", rows, ";"))),
        "tabs": records(read(write_table(tmp_path / "tab.csv", rows, "\t"))),
        "frame": records(list(NeutralSource.from_frame(pd.DataFrame(typed)).read())),
    }
    assert len(forms["lines"]) >= 10
    for name, form in forms.items():
        assert form == forms["lines"], name


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_byte_order_mark_and_line_endings_mean_nothing(tmp_path: Path, ending: str, mark: bytes, suffix: str) -> None:
    table = [list(GATE), list(GATE.values())]
    lines = [json.dumps(GATE)] if suffix == ".jsonl" else [",".join(row) for row in table]
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(mark + "".join(line + ending for line in lines).encode())
    assert isinstance(open_source(path), NeutralSource)
    assert records(read(path)) == records(said(tmp_path, GATE, "plain.jsonl"))


def test_a_table_keeps_line_breaks_and_quotes_in_cells(tmp_path: Path) -> None:
    row = {"type": "dataset", "dataset": "d@1", "description": 'two\nlines, and "quotes"; and more'}
    items = read(write_table(tmp_path / "rows.csv", [row, {"type": "dataset", "dataset": "e@1"}]))
    first, second = observations(items)
    assert isinstance(first.record, Entity)
    assert first.record.description == row["description"]
    assert (first.position, second.position) == ("rows.csv:2", "rows.csv:4")


def test_cells_are_read_as_what_their_field_wants(tmp_path: Path) -> None:
    row = {"type": "relation", "effect": "endpoint:e", "predicate": "serves", "cause": "deployment:e:b",
           "basis": "declared", "traffic": "12.5", "splits": "false"}  # fmt: skip
    (relation,) = records(read(write_table(tmp_path / "rows.csv", [row])))
    assert isinstance(relation, Relation)
    assert (relation.traffic, relation.splits) == (12.5, False)


def test_missing_values_of_a_frame_are_absent() -> None:
    frame = pd.DataFrame(
        [
            {**DEPLOYMENT, "at": pd.Timestamp("2026-08-01T09:00Z"), "traffic": 40},
            {**DEPLOYMENT, "endpoint": "other", "at": pd.NaT, "traffic": float("nan"), "site": pd.NA, "by": None},
        ]
    )
    items = list(NeutralSource.from_frame(frame).read())
    assert rejections(items) == []
    serves = [item for item in records(items) if isinstance(item, Relation) and item.predicate == "serves"]
    assert [(item.traffic, item.valid_from is None) for item in serves] == [(40.0, False), (100.0, True)]


# --- where errors are ---


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        ({**GATE, "at": "2026-03-01T00:00:00"}, "$.at", "has no time zone"),
        ({**GATE, "at": "yesterday"}, "$.at", "is not an ISO 8601 time"),
        ({**GATE, "at": 20260301}, "$.at", "not 20260301"),
        ({**GATE, "observed_at": "2026-03-01"}, "$.observed_at", "has no time zone"),
        ({**GATE, "statsu": "x"}, "$.statsu", "did you mean 'status'?"),
        ({**GATE, "zzz": 1}, "$.zzz", "known: actual, at"),
        ({**GATE, "type": "gat"}, "$.type", "did you mean 'gate'?"),
        ({**GATE, "type": 7}, "$.type", "is no type of row"),
        ({"gate": "x"}, "$.type", "the row has no type; write one of deployment, gate"),
        ({**GATE, "gate_type": "aproval"}, "$.gate_type", "did you mean 'approval'?"),
        ({**GATE, "actual": {"a": 1}}, "$.actual", "got `object`"),
        ({**GATE, "attributes": []}, "$.attributes", "got `array`"),
        ({**GATE, "subject": "churn@3"}, "$.subject", "write for example model:churn@3"),
        ({**GATE, "subject": "modle:churn@3"}, "$.subject", "did you mean 'model'?"),
        ({**GATE, "subject": "model:a@b@c"}, "$.subject", "%40"),
        ({**GATE, "by": "bot:x"}, "$.by", "known: person, team, service"),
        ({"type": "gate", "subject": "model:a"}, "$.gate", "needs 'gate'"),
        ({**DEPLOYMENT, "traffic": 100.5}, "$.traffic", "<= 100.0, not 100.5"),
        ({**DEPLOYMENT, "traffic": -0.1}, "$.traffic", ">= 0.0, not -0.1"),
        ({**DEPLOYMENT, "traffic": "90"}, "$.traffic", "not '90'"),
        ({**DEPLOYMENT, "traffic": True}, "$.traffic", "got `bool`"),
        ({**DEPLOYMENT, "mirrored": 1}, "$.mirrored", "got `int`"),
        ({**DEPLOYMENT, "endpoint": ""}, "$.endpoint", "length >= 1"),
        ({**DEPLOYMENT, "endpoint": "e@2"}, "$.endpoint", "an endpoint has no version"),
        ({**DEPLOYMENT, "model": "dataset:d@1"}, "$.model", "not a dataset"),
        ({**DEPLOYMENT, "model_digest": "zzz"}, "$.model_digest", "64 hexadecimal digits"),
        ({**DEPLOYMENT, "at": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "$.until", "before it begins"),
        ({"type": "dataset", "dataset": "d~latest"}, "$.dataset", "moving alias"),
        ({"type": "dataset", "dataset": "d", "derived_from": ["model:m", "x:y"]}, "$.derived_from[1]", "no kind"),
        (
            {"type": "dataset", "dataset": f"d@sha256:{'ab' * 32}", "sha256": "cd" * 32},
            "$.sha256",
            "different digests",
        ),
        ({"type": "entity", "ref": "nonsense"}, "$.ref", "is not a reference"),
        ({**ROWS[4], "cause": "a/b:c"}, "$.cause", "must be lower-case"),
        ({**ROWS[4], "predicate": "use"}, "$.predicate", "did you mean 'used'?"),
        ({**ROWS[4], "event_time": "2026-03-01T00:00:00"}, "$.event_time", "timezone"),
        ({**ROWS[4], "traffic": 120}, "$.traffic", "<= 100.0"),
    ],
)
def test_an_error_names_the_line_the_key_and_what_to_do(
    tmp_path: Path, row: dict[str, Any], place: str, words: str
) -> None:
    items = read(write_lines(tmp_path / "rows.jsonl", [GATE, "", row, GATE]))
    (rejected,) = rejections(items)
    assert rejected.position == f"rows.jsonl:3 {place}"
    assert words in rejected.reason
    assert rejected.excerpt == json.dumps(row)
    assert len(observations(items)) == 2


def test_an_error_in_a_table_and_in_a_frame_is_placed_as_well(tmp_path: Path) -> None:
    rows = [GATE, {**DEPLOYMENT, "traffic": "ninety"}]
    (in_table,) = rejections(read(write_table(tmp_path / "rows.csv", rows)))
    assert (in_table.position, "ninety" in in_table.reason) == ("rows.csv:3 $.traffic", True)
    frame = pd.DataFrame([GATE, {**GATE, "at": pd.Timestamp("2026-08-01")}])
    (in_frame,) = rejections(list(NeutralSource.from_frame(frame, name="sheet").read()))
    assert in_frame.position == "sheet:row 1 $.at"
    assert "no time zone" in in_frame.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"type": "gate"', "not JSON: Expecting ',' delimiter at line 1, column 16"),
        (json.dumps(GATE) + " {}", "something follows the value at column 85"),
        ('{"type": "gate", "a": 1, "a": 2}', "the key 'a' stands 2 times"),
        ('{"type": "gate", "attributes": {"a": 1, "a": 1}}', "the key 'a' stands 2 times"),
        ('{"type": "gate", "actual": NaN}', "NaN is not JSON"),
        ('{"type": "gate", "actual": -Infinity}', "Infinity is not JSON"),
        ('{"type": "gate", "actual": 1e999}', "larger than a number can be"),
        ('{"type": "gate", "actual": ' + "9" * 5000 + "}", "not a usable number"),
        ('{"type": "gate", "actual": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested deeper than 64 levels"),
        ('{"type": "gate", "attributes": ' + '{"a":' * 100_000 + "1" + "}" * 100_001, "nested deeper than 64 levels"),
        ('{"type": "gate", "attributes": ' + '{"a":' * 64 + "1" + "}" * 65, "nested deeper than 64 levels"),
        ("[" * 100_000, "nested deeper than 64 levels"),
        ("[1]", "a row is a JSON object, not a list"),
        ("null", "a row is a JSON object, not null"),
        ("'single'", "not JSON"),
    ],
)
def test_a_line_that_two_readers_could_read_differently_is_refused_and_the_next_is_read(
    tmp_path: Path, line: str, words: str
) -> None:
    items = read(write_lines(tmp_path / "rows.jsonl", [line, GATE]))
    (rejected,) = rejections(items)
    assert rejected.position == "rows.jsonl:1"
    assert words in rejected.reason
    assert len(rejected.excerpt) <= 2000
    assert [item.position for item in observations(items)] == ["rows.jsonl:2"]


def test_sixty_four_levels_are_read(tmp_path: Path) -> None:
    attributes = '{"a":' * 63 + "1" + "}" * 63
    (entity,) = records(said(tmp_path, f'{{"type": "entity", "ref": "model:x", "attributes": {attributes}}}'))
    assert to_json(entity)["attributes"]["a"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"type": "gate", "gate": "\xe9"}', "not UTF-8: byte 0xe9 at byte offset 26"),
        ('{"type": "gate"}'.encode("utf-16"), "UTF-16 or UTF-32"),
        ('{"type": "gate"}'.encode("utf-32"), "UTF-16 or UTF-32"),
        (bytes(range(128, 256)), "not UTF-8: byte 0x80 at byte offset 0"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_another_encoding_is_named(tmp_path: Path, raw: bytes, words: str, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(raw)
    assert words in rejections(read(path))[0].reason


def test_a_number_of_many_digits_survives_as_text(tmp_path: Path) -> None:
    (entity,) = records(said(tmp_path, '{"type": "entity", "ref": "model:x", "attributes": {"n": 9007199254740993}}'))
    assert to_json(entity)["attributes"] == {"n": "9007199254740993"}


# --- tables and frames that are not what they seem ---


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("name,age\nAda,36\n", "rows.csv:1", "no column 'type'"),
        ("type,gate,gate\n", "rows.csv:1", "the column 'gate' stands twice"),
        ('type,subject,gate,status\ngate,model:a,"open,passed\n', "rows.csv:2", "a quote is opened and not closed"),
        ("type,subject,gate,status\ngate,model:a,b,passed,extra\n", "rows.csv:2", "'extra' stands under no column"),
        ("type,subject,gate,status,\ngate,model:a,b,passed,extra\n", "rows.csv:2", "'extra' stands under no column"),
        ('type,subject,gate,status\ngate,"model:a"x,b,passed\n', "rows.csv:2", "not CSV"),
        ("type,endpoint,model,mirrored\ndeployment,e,m,yes\n", "rows.csv:2 $.mirrored", "not 'yes'"),
        ("type,subject,gate,status,statsu\ngate,model:a,b,passed,x\n", "rows.csv:2 $.statsu", "did you mean 'status'?"),
    ],
)
def test_a_table_that_is_not_in_order_says_where(tmp_path: Path, text: str, place: str, words: str) -> None:
    (tmp_path / "rows.csv").write_text(text)
    (rejected,) = rejections(read(tmp_path / "rows.csv"))
    assert rejected.position == place
    assert words in rejected.reason


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_below(tmp_path: Path) -> None:
    rows = "".join(f"gate,model:m@{number},b,passed\n" for number in range(500))
    (tmp_path / "rows.csv").write_text('type,subject,gate,status\ngate,model:a,"open,passed\n' + rows)
    items = read(tmp_path / "rows.csv")
    assert len(rejections(items)) == 1
    assert len(observations(items)) == 500


def test_a_frame_with_one_column_twice_is_not_guessed_at() -> None:
    frame = pd.DataFrame([["gate", "model:a", "b", "passed", "failed"]], columns=[*GATE, "status"])
    (rejected,) = list(NeutralSource.from_frame(frame).read())
    assert isinstance(rejected, Rejected)
    assert "the column 'status' stands twice" in rejected.reason


def test_values_of_a_frame_that_no_json_holds_are_placed_or_become_text() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    frame = pd.DataFrame({"type": ["gate"] * 3, "subject": ["model:a"] * 3, "gate": ["b"] * 3, "status": ["ok"] * 3,
                          "attributes": [deep, {1: {2, 3}}, {"when": pd.Timestamp("2026-01-01")}]})  # fmt: skip
    items = list(NeutralSource.from_frame(frame).read())
    (rejected,) = rejections(items)
    assert (rejected.position, rejected.reason) == ("frame:row 0", "nested deeper than 64 levels")
    assert [to_json(record)["attributes"] for record in records(items)] == [
        {"1": [2, 3], "status_as_written": "ok"},
        {"when": "2026-01-01T00:00:00", "status_as_written": "ok"},
    ]


# --- files that are too much, or nothing ---

MEASURE = """
import resource, sys
from lineage_explorer.sources.neutral import NeutralSource
import json, csv
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
items = list(NeutralSource(sys.argv[1]).read())
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([after - before, [getattr(item, "reason", "") for item in items], [item.position for item in items]]))
"""


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_line_without_end_is_passed_over_and_never_held(tmp_path: Path, suffix: str) -> None:
    path, size = tmp_path / f"rows{suffix}", 256 * 1024 * 1024 + 1
    header = b"type,subject,gate,status\n" if suffix == ".csv" else b""
    row = b"gate,model:churn@3,approval,passed\n" if suffix == ".csv" else json.dumps(GATE).encode() + b"\n"
    with path.open("wb") as file:
        file.write(header + row)
        file.seek(size - 1, 1)  # sparse: a quarter of a gigabyte of zeros that takes no room
        file.write(b"\n" + row)
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    grown, reasons, positions = json.loads(done.stdout)
    first = 2 if header else 1
    assert positions == [f"rows{suffix}:{first + number}" for number in range(3)]
    assert reasons == ["", f"the line is {size:,} bytes long; at most {documents.MAX_LINE:,} are read", ""]
    assert grown < 4 * documents.MAX_LINE / 1024, f"{grown} KiB"


def test_the_longest_line_that_is_read_is_the_limit_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = json.dumps(GATE)
    monkeypatch.setattr(documents, "MAX_LINE", len(line))
    assert rejections(said(tmp_path, line)) == []
    assert "at most" in rejections(said(tmp_path, line + " "))[0].reason


def test_a_document_of_one_piece_has_a_limit_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    with path.open("wb") as file:
        file.truncate(documents.MAX_DOCUMENT + 1)
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert "67,108,865 bytes" in rejected.reason
    assert ".jsonl" in rejected.reason


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_a_file_without_rows_is_an_error_and_not_an_empty_estate(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert not NeutralSource.recognises(str(tmp_path / name))
    with pytest.raises(UnknownFormat, match="there are no rows"):
        read(tmp_path / name)


def test_a_header_alone_and_an_empty_list_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("type,subject,gate,status\n")
    (tmp_path / "rows.json").write_text("[]")
    for name in ("rows.csv", "rows.json"):
        with pytest.raises(UnknownFormat, match="there are no rows"):
            read(tmp_path / name)


def test_a_mistyped_path_names_the_nearest(tmp_path: Path) -> None:
    write_lines(tmp_path / "deployments.jsonl", [GATE])
    with pytest.raises(LocationNotFound, match=r"did you mean '.*deployments\.jsonl'"):
        read(tmp_path / "deployment.jsonl")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "rows.jsonl")
    assert not NeutralSource.recognises(str(tmp_path / "rows.jsonl"))
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read(tmp_path / "rows.jsonl")


def test_a_folder_is_read_in_order_and_its_other_files_are_said_to_be_left(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", [GATE])
    write_lines(tmp_path / "a.jsonl", [{**GATE, "gate": "first"}])
    (tmp_path / "other.json").write_text('{"name": "left-pad"}')
    (tmp_path / ".hidden.jsonl").write_text("{")
    (tmp_path / "notes.txt").write_text("{")
    items = read(tmp_path)
    assert [item.position for item in items] == ["a.jsonl:1", "b.jsonl:1", "other.json"]
    assert rejections(items)[0].reason == "the file holds no rows of a known type"


def test_elements_of_a_json_list_are_placed_and_refused_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[\n{"type": "gate"},\n' + json.dumps(GATE) + ",\n7\n,\n{bad}, {}]")
    items = read(tmp_path / "rows.json")
    assert [(type(item).__name__, item.position) for item in items] == [
        ("Rejected", "rows.json:2 $.subject"),
        ("Observation", "rows.json:3"),
        ("Rejected", "rows.json:4"),
        ("Rejected", "rows.json:6"),
    ]
    assert "what follows in the file is not read" in rejections(items)[-1].reason


@pytest.mark.parametrize(
    "name", [HOSTILE, "a\nb", "\u202egnp.exe", "a\x00b", "'; DROP TABLE node; --", "{{ 7 * 7 }}", "名前", "é" * 5000]
)
def test_a_hostile_name_comes_back_as_it_was_and_is_only_text(tmp_path: Path, store: Store, name: str) -> None:
    row = {**DEPLOYMENT, "endpoint": name.replace("%", "%25"), "attributes": {name: name}}
    result = store.ingest(NeutralSource(write_lines(tmp_path / "rows.jsonl", [row])))
    assert result.quarantined == 0
    (endpoint,) = store.refs("endpoint")
    assert endpoint.isprintable()
    from lineage_explorer.records import Ref

    assert Ref.parse(endpoint).name == name


# --- writing ---


def run_cli(*words: str) -> None:
    commands.main(args=list(words), standalone_mode=False)


def test_what_the_command_line_records_is_read_back_as_it_was_said(tmp_path: Path) -> None:
    file = str(tmp_path / "rows.jsonl")
    run_cli("record", "deployment", file, "--endpoint", "churn-prod", "--model", "model:churn@3", "--deployment", "blue",
            "--traffic", "90", "--site", "lyon", "--environment", "production", "--model-digest", "sha256:" + "ab" * 32,
            "--at", "2026-08-01T09:00:00Z", "--by", "person:ada")  # fmt: skip
    run_cli("record", "gate", file, "--subject", "model:churn@3", "--gate", "auc", "--status", "failed", "--gate-type",
            "evaluation", "--expected", "auc >= 0.8", "--actual", "0.7", "--pointer", "run:8a3f", "--at",
            "2026-08-01T09:00:00Z", "--by", "service:ci")  # fmt: skip
    run_cli("record", "dataset", file, "--dataset", "dataset:d@1", "--sha256", "cd" * 32, "--uri", "s3://b/d", "--derived-from",
            "dataset:a@1", "--derived-from", "dataset:b@2", "--description", HOSTILE, "--created-at",
            "2026-08-01T09:00:00Z")  # fmt: skip
    rows: list[dict[str, Any]] = [
        {"type": "deployment", "endpoint": "churn-prod", "model": "model:churn@3", "deployment": "blue", "traffic": 90.0,
         "site": "lyon", "environment": "production", "model_digest": "sha256:" + "ab" * 32,
         "at": "2026-08-01T09:00:00Z", "by": "person:ada"},
        {"type": "gate", "subject": "model:churn@3", "gate": "auc", "status": "failed", "gate_type": "evaluation",
         "expected": "auc >= 0.8", "actual": "0.7", "pointer": "run:8a3f", "at": "2026-08-01T09:00:00Z", "by": "service:ci"},
        {"type": "dataset", "dataset": "dataset:d@1", "sha256": "cd" * 32, "uri": "s3://b/d",
         "derived_from": ["dataset:a@1", "dataset:b@2"], "description": HOSTILE, "created_at": "2026-08-01T09:00:00Z"},
    ]  # fmt: skip
    assert [json.loads(line) for line in Path(file).read_text().splitlines()] == rows
    items = read(file)
    assert rejections(items) == []
    meant = [record for number, row in enumerate(rows) for record in read_row(Row(f"{number}", row, ""))[0]]
    assert records(items)[: len(meant)] == meant


def test_a_record_without_a_time_is_dated_now(tmp_path: Path) -> None:
    before = parse_instant(str(pd.Timestamp.now("UTC").floor("s")))
    run_cli("record", "gate", str(tmp_path / "g.jsonl"), "--subject", "model:a", "--gate", "b", "--status", "passed")
    (gate,) = records(read(tmp_path / "g.jsonl"))
    assert isinstance(gate, Evidence)
    assert gate.event_time is not None
    assert before <= gate.event_time <= parse_instant(str(pd.Timestamp.now("UTC")))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({**GATE, "at": "2026-03-01T00:00:00"}, InvalidRecord),
        ({**GATE, "statsu": "x"}, InvalidRecord),
        ({**GATE, "attributes": {"a": float("nan")}}, InvalidRecord),
        ({**GATE, "attributes": {"a": object()}}, InvalidRecord),
        ({**GATE, "attributes": {1: 2}}, InvalidRecord),
        ({**DEPLOYMENT, "traffic": 101}, InvalidRecord),
    ],
)
def test_nothing_is_written_of_a_row_that_is_wrong(tmp_path: Path, row: dict[str, Any], error: type[Exception]) -> None:
    path = tmp_path / "rows.jsonl"
    append_row(path, GATE)
    before = path.read_bytes()
    with pytest.raises(error):
        append_row(path, row)
    with pytest.raises(error):
        append_row(tmp_path / "new.jsonl", row)
    assert contents(tmp_path) == {"rows.jsonl": before}


def test_a_row_is_not_appended_to_something_else(tmp_path: Path) -> None:
    (tmp_path / "table.jsonl").write_text("type,gate\n")
    (tmp_path / "rows.csv").write_text("type,gate\n")
    before = contents(tmp_path)
    for name, error in (
        ("table.jsonl", UnknownFormat),
        ("rows.csv", SourceError),
        ("none/rows.jsonl", LocationNotFound),
    ):
        with pytest.raises(error):
            append_row(tmp_path / name, GATE)
    assert contents(tmp_path) == before


def test_a_last_line_that_an_editor_left_open_is_closed_first(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(GATE))
    append_row(path, {**GATE, "gate": "second"})
    assert [item.position for item in observations(read(path))] == ["rows.jsonl:1", "rows.jsonl:2"]


def test_secrets_do_not_reach_the_file(tmp_path: Path) -> None:
    append_row(tmp_path / "rows.jsonl", {**GATE, "pointer": PLANTED["a_url"], "attributes": PLANTED})
    text = (tmp_path / "rows.jsonl").read_text()
    assert text.count("[redacted]") >= 4
    assert [key for key, secret in PLANTED.items() if secret in text] == []


WRITER = """
import sys
from lineage_explorer.sources.neutral import append_row
for number in range(40):
    append_row(sys.argv[1], {"type": "gate", "subject": "model:a", "gate": f"{sys.argv[2]}-{number}", "status": "passed",
                             "attributes": {"padding": sys.argv[2] * 20000}})
"""


def test_jobs_that_record_at_the_same_time_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    jobs = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter], cwd=ROOT) for letter in "abcd"]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0, 0, 0]
    items = read(path)
    assert rejections(items) == []
    gates = sorted(item.gate for item in records(items) if isinstance(item, Evidence))
    assert gates == sorted(f"{letter}-{number}" for letter in "abcd" for number in range(40))


# --- the page ---

PAGE = (ROOT / "docs" / "record-format.md").read_text("utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def blocks(info: str) -> list[str]:
    return [body for found, body in BLOCKS if found == info]


def test_every_block_of_the_page_is_of_a_kind_that_is_tested() -> None:
    assert {info for info, _ in BLOCKS} == {"jsonl", "jsonl rejected", "text", "csv", "json", "python", "sh"}


@pytest.mark.parametrize("form", ["jsonl", "csv", "json"])
def test_every_example_of_the_page_is_read_whole(tmp_path: Path, form: str) -> None:
    assert blocks(form)
    for body in blocks(form):
        (tmp_path / f"rows.{form}").write_text(body, "utf-8")
        items = read(tmp_path / f"rows.{form}")
        assert rejections(items) == []
        lines = {item.position for item in observations(items)}
        assert len(lines) == len(body.splitlines()) - {"jsonl": 0, "csv": 1, "json": 2}[form]


def test_the_page_shows_every_type_of_row() -> None:
    shown = {json.loads(line)["type"] for body in blocks("jsonl") for line in body.splitlines()}
    assert shown == set(FIELDS)


def test_every_error_on_the_page_is_said_as_it_stands_there(tmp_path: Path) -> None:
    (body,), (errors,) = blocks("jsonl rejected"), blocks("text")
    (tmp_path / "rows.jsonl").write_text(body)
    items = read(tmp_path / "rows.jsonl")
    assert observations(items) == []
    assert [f"{item.position}: {item.reason}" for item in rejections(items)] == errors.splitlines()


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for body in blocks("python"):
        names: dict[str, Any] = {}
        exec(compile(body, "record-format.md", "exec"), names)
        assert (names["result"].quarantined, names["result"].stored > 0) == (0, True)


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    monkeypatch.chdir(tmp_path)
    for body in blocks("sh"):
        for line in body.splitlines():
            program, *words = shlex.split(line)
            assert program == "lineage-explorer"
            run_cli(*words)
    assert rejections(read("rows.jsonl")) == []
    assert len(observations(read("rows.jsonl"))) > 3


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_the_page_has_every_key_of_every_type(kind: str) -> None:
    if kind in ("deployment", "gate", "dataset"):
        start = PAGE.index(f"\n### {kind}\n")
        part = PAGE[start : PAGE.index("\n##", start + 5)]
        keys = {key for line in part.splitlines() if line.startswith("| `") for key in codes(line.split("|")[1])}
    else:
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind}`")]
        keys = {*codes(line)[1:], "attributes", "observed_at"}
    assert keys == FIELDS[kind]


def codes(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def test_the_schema_knows_what_the_reader_knows() -> None:
    schema = row_json_schema()
    for kind, fields in FIELDS.items():
        (shape,) = [
            body for body in schema["$defs"].values() if body["properties"].get("type", {}).get("enum") == [kind]
        ]
        assert set(shape["properties"]) == {*fields, "type"}, kind


def test_no_error_leaves_the_tree(tmp_path: Path) -> None:
    """Whatever bytes stand in a file, reading ends in records, rejections or one of our own errors."""
    import random

    chance = random.Random(7)
    good = json.dumps(ROWS[1]).encode()
    for suffix in (".jsonl", ".json", ".csv"):
        for _ in range(150):
            raw = bytearray(good if suffix != ".csv" else b"type,subject,gate,status\ngate,model:a,b,passed\n")
            for _ in range(chance.randint(1, 6)):
                raw[chance.randrange(len(raw))] = chance.choice(b'"{}[],:\\\n\x00\xff0eE-,;@~%')
            path = tmp_path / f"fuzz{suffix}"
            path.write_bytes(bytes(raw))
            with contextlib.suppress(LineageError):
                read(path)
