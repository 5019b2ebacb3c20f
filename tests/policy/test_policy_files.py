"""Policy files: what they may say, and that a mistake in one is told with its place and stops every audit."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lineage_explorer import Entity, audit, open_store
from lineage_explorer.errors import PolicyError
from lineage_explorer.policy import load_policy, read_policy, shipped_policies
from lineage_explorer.policy.schema import policy_schema

from ..estates import complete, gate

HEAD = 'name = "p"\nversion = "1"\n'
HOP = 'id = "r"\ntitle = "R"\nhop = ["model", "deploys", "deployment"]\n'


def one(rest: str) -> str:
    return f"{HEAD}\n[[requirement]]\n{HOP}{rest}\n"


def refusal(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "p.toml")
    return caught.value


@pytest.mark.parametrize(
    ("rest", "line", "column", "words"),
    [
        ('check = "evidense"', 8, 1, ["evidense", "did you mean 'evidence'"]),
        ('chek = "evidence"', 8, 1, ["chek", "did you mean 'check'"]),
        ('check = "evidence"\ngate_typ = "approval"', 9, 1, ["gate_typ", "did you mean 'gate_type'"]),
        ('check = "evidence"\ngate_type = "aproval"', 9, 1, ["gate_type", "aproval"]),
        ('check = "metric"\nmetric = "f1"\nat_least = "0.9"', 10, 1, ["at_least", "a number, got text"]),
        ('check = "metric"\nmetric = "f1"\nat_least = nan', 10, 1, ["finite number"]),
        ('check = "metric"\nmetric = "f1"', 8, 1, ["needs at_least, above, at_most or below"]),
        ('check = "metric"\nmetric = ""\nbelow = 1', 8, 1, ["needs the name of a metric"]),
        ('check = "evidence"\nnot_older_than = "soon"', 9, 1, ["not_older_than"]),
        ('check = "evidence"\ngate = "^(a+"', 9, 1, ["no RE2 expression"]),
        ('check = "name"\nname = "(?<=a)b"', 9, 1, ["no RE2 expression"]),
        ('check = "name"', 8, 1, ["needs name, version or semantic"]),
        ('check = "order"\nsteps = ["evaluation"]', 8, 1, ["two or more"]),
        ('check = "canary"\nsteps = [100, 10]\nfor = "1d"', 8, 1, ["rise"]),
        ('check = "recorded"\nfacts = ["algorthm"]', 9, 10, ["facts", "algorthm"]),
        ('check = "recorded"\nfacts = []', 8, 1, ["facts is empty"]),
        ("all = []", 8, 1, ["all of nothing"]),
        ('any = [{ check = "evidence", min_grade = "gold" }]', 8, 30, ["min_grade", "gold"]),
        ('check = "evidence"\nall = [{ check = "resolved" }]', 6, 1, ["one of: check, all, any, not"]),
        (
            'check = "resolved"\nwhen = { enviroment = "production" }',
            9,
            10,
            ["enviroment", "did you mean 'environment'"],
        ),
        ('check = "resolved"\nwhen = {}', 9, 1, ["empty guard"]),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_name(
    rest: str, line: int, column: int, words: list[str]
) -> None:
    error = refusal(one(rest))
    assert all(word in str(error) for word in words), error
    assert str(error).startswith(f"p.toml:{error.line}:{error.column}: ")
    # A table that lacks something is pointed at by its first key.
    assert error.line in (line, 5), error
    if error.line == line:
        assert error.column == column, error


def test_what_is_no_toml_is_told_with_its_place() -> None:
    error = refusal('name = "p"\nversion = \n')
    assert (error.line, error.column) == (2, 11)


def test_every_mistake_is_told_at_once() -> None:
    error = refusal(one('check = "evidense"') + one('check = "metric"').removeprefix(HEAD))
    assert len(error.problems) == 3  # the misspelt check, the metric without a name, and the id that is there twice


def test_a_mistake_stops_the_audit(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(one('check = "evidense"'), encoding="utf-8")
    store = open_store(tmp_path / "s.db", create_missing=True)
    store.append(complete())
    with pytest.raises(PolicyError, match="evidense"):
        audit(store, "churn", policy=path)


def test_a_metric_that_nobody_measured_is_a_mistake_where_one_is_called_nearly_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.db", create_missing=True)
    measured = gate(
        "model:churn@1", "evaluation", "02-11", gate="f1_score", actual="0.9", pointer="run:e", grade="referenced"
    )
    store.append([*complete(), measured])
    path = tmp_path / "p.toml"
    path.write_text(one('check = "metric"\nmetric = "f1_scor"\nat_least = 0.5'), encoding="utf-8")
    with pytest.raises(PolicyError, match="did you mean 'f1_score'") as caught:
        audit(store, "churn", policy=path)
    assert caught.value.line == 9
    # Where somebody measured it elsewhere it is a metric, and this model lacks it.
    store.append(
        [Entity(ref="model:other@1"), gate("model:other@1", "evaluation", "02-11", gate="f1_scor", actual="0.1")]
    )
    assert audit(store, "churn", policy=path).verdict == "INCOMPLETE"


@pytest.mark.parametrize("missing", ["by", "why", "until"])
def test_a_waiver_without_who_why_or_end_is_refused(missing: str) -> None:
    fields = {
        "requirement": '"r"',
        "subject": '"model:churn@1"',
        "by": '"person:ada"',
        "why": '"relabelling"',
        "until": "2026-07-01T00:00:00Z",
    }
    rows = "\n".join(f"{key} = {value}" for key, value in fields.items() if key != missing)
    error = refusal(one('check = "resolved"') + f"\n[[waiver]]\n{rows}\n")
    assert "who (by), why and until when" in str(error)
    assert missing in str(error)


def test_a_waiver_of_nothing_or_of_nobody_is_refused() -> None:
    rows = 'requirement = "s"\nsubject = "churn"\nby = "a"\nwhy = "b"\nuntil = 2026-07-01T00:00:00Z\n'
    error = refusal(one('check = "resolved"') + f"\n[[waiver]]\n{rows}")
    assert [problem[0] for problem in error.problems] == [11, 12]


def test_a_time_without_a_zone_is_refused() -> None:
    assert "effective_from" in str(refusal(HEAD + "effective_from = 2026-01-01T00:00:00\n"))


def test_two_versions_cannot_be_in_force_at_once() -> None:
    text = 'name = "p"\n[[version]]\nversion = "1"\n[[version]]\nversion = "2"\n'
    assert "only one of them can be in force" in str(refusal(text))
    assert "one number" in str(refusal(text.replace('"2"', '"1"\neffective_from = 2026-01-01T00:00:00Z')))


def test_the_version_in_force_is_the_last_that_took_effect() -> None:
    policy = read_policy(
        'name = "p"\n[[version]]\nversion = "2"\neffective_from = 2026-03-01T00:00:00Z\n'
        '[[version]]\nversion = "1"\neffective_from = 2026-01-01T00:00:00Z\n'
    )
    day = 86_400_000_000
    january = 20454 * day  # 2026-01-01
    assert [one.version for one in policy.versions] == ["1", "2"]
    assert policy.in_force(january - 1) is None
    found = [policy.in_force(january + days * day) for days in (0, 58, 59)]
    assert [one.version for one in found if one is not None] == ["1", "1", "2"]


def test_the_digest_is_of_what_a_policy_says_and_not_of_how_it_is_written() -> None:
    text = one('check = "evidence"\ngate_type = "approval"')
    assert read_policy(text).digest == read_policy("# a remark\n" + text.replace(" = ", "=")).digest
    assert read_policy(text).digest != read_policy(text.replace("approval", "evaluation")).digest


@pytest.mark.parametrize("name", shipped_policies())
def test_the_schema_accepts_what_is_read(name: str) -> None:
    schema = jsonschema.Draft202012Validator(policy_schema())
    table = tomllib.loads(load_policy(name).source)
    assert list(schema.iter_errors(json.loads(json.dumps(table, default=_plain)))) == []


def _plain(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


@pytest.mark.parametrize(
    "rest",
    ['check = "evidense"', 'check = "evidence"\ngate_typ = "a"', 'check = "metric"\nmetric = "f1"\nat_least = "1"'],
)
def test_the_schema_refuses_what_is_refused(rest: str) -> None:
    schema = jsonschema.Draft202012Validator(policy_schema())
    assert list(schema.iter_errors(tomllib.loads(one(rest))))
