"""``policy``: a mistake is told where it is, and what a policy asks can be read by whoever is asked for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lineage_explorer.cli import wording
from lineage_explorer.policy import Requirement, load_policy, read_policy, shipped_policies
from lineage_explorer.policy.format import CHECKS

from .conftest import ROOT
from .test_gate_command import call

WRONG = """name = "house"
version = "1"

[[requirement]]
id = "f1"
title = "F1"
hop = ["model", "deploys", "deployment"]
check = "metrik"
metric = "f1"

[[requirement]]
id = "approval"
title = "Approved"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_typ = "approval"
"""

WHOLE = """name = "house"
description = "What we ask."

[[version]]
version = "1"
[[version.requirement]]
id = "a"
title = "Evaluated"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"

[[version]]
version = "2"
effective_from = 2026-03-01T00:00:00Z
[[version.requirement]]
id = "b"
title = "Both"
hop = ["model|ai_agent", "deploys", "deployment"]
of = "effect"
when = { environment = ["production", "staging"], tag = { risk = "high" } }
all = [
  { check = "evidence", gate_type = "approval", before = "release" },
  { not = { check = "environment", allowed = ["test"] } },
]
cites = "Our handbook, chapter 4"
[[version.waiver]]
requirement = "b"
subject = "model:churn@4"
by = "person:ada"
why = "Relabelling."
until = 2026-04-01T00:00:00Z
"""


# --- check ---


def test_every_mistake_is_told_with_its_place_and_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(WRONG)
    out, err = call("policy", "check", path, status=2)
    assert out == ""
    first, second = err.splitlines()
    for line, key, near in ((first, "check", "'metric'"), (second, "gate_typ", "'gate_type'")):
        place = re.fullmatch(rf"{re.escape(str(path))}:(\d+):(\d+): (.*)", line)
        assert place is not None, line
        assert WRONG.splitlines()[int(place[1]) - 1][int(place[2]) - 1 :].startswith(key)
        assert f"did you mean {near}" in place[3]


def test_what_is_no_toml_is_told_with_its_place_once(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text('name = "x"\nversion = \n')
    _, err = call("policy", "check", path, status=2)
    assert re.fullmatch(rf"{re.escape(str(path))}:2:\d+: [^(]+\n", err)


def test_all_files_are_checked_and_one_that_is_wrong_is_enough(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(WHOLE)
    bad.write_text(WRONG)
    out, err = call("policy", "check", bad, good, tmp_path / "nowhere.toml", status=2)
    assert out == f"{good}: policy house, 2 versions, 2 requirements\n"
    assert str(bad) in err
    assert "nowhere.toml" in err.splitlines()[-1]
    call("policy", "check", good)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b'name = "\x1b[31m"'], ids=repr)
def test_a_file_of_anything_is_an_error_and_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    out, err = call("policy", "check", path, status=2)
    assert out == ""
    assert "odd.toml" in err
    assert "bug" not in err
    assert "\x1b" not in err


# --- list and explain ---


def test_the_shipped_policies_are_listed() -> None:
    out, _ = call("policy", "list")
    told = json.loads(call("policy", "list", "--json")[0])
    assert [row["name"] for row in told] == shipped_policies()
    for row in told:
        assert re.search(rf"^{re.escape(row['name'])} +{re.escape(row['description'])}$", out, flags=re.M)
        assert row["digest"] == load_policy(row["name"]).digest


@pytest.mark.parametrize("name", shipped_policies())
def test_every_requirement_of_every_shipped_policy_is_explained(name: str) -> None:
    out, _ = call("policy", "explain", name)
    words = " ".join(out.split())
    found = load_policy(name)
    assert found.digest in words
    for version in found.versions:
        for number, requirement in enumerate(version.requirement, 1):
            assert f"{number}. {requirement.title}" in words
            assert f"[{requirement.id}]" in words
    assert len(re.findall(r"^ +must hold ", out, flags=re.M)) == sum(len(one.requirement) for one in found.versions)
    assert len(re.findall(r"^ +known from ", out, flags=re.M)) == sum(len(one.requirement) for one in found.versions)


def test_conditions_guards_versions_and_waivers_are_in_words(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(WHOLE)
    out, _ = call("policy", "explain", path)
    words = " ".join(out.split())
    assert "Version 1, always in force, until 2026-03-01T00:00:00Z" in words
    assert "Version 2, in force from 2026-03-01T00:00:00Z" in words
    assert "wherever a deployment deploys a model or an AI agent" in words
    assert "it is a deployment" in words
    assert "only if the deployment is in production or staging and the tag risk is high" in words
    assert (
        "must hold all of these: - an approval holds, dated no later than the release - the opposite of this:" in words
    )
    assert "- it is deployed in test" in words
    assert "waived for model:churn@4 by person:ada until 2026-04-01T00:00:00Z: Relabelling." in words
    assert "built on Our handbook, chapter 4" in words
    one, _ = call("policy", "explain", path, "--version", "1")
    assert "Both" not in one
    _, err = call("policy", "explain", path, "--version", "3", status=2)
    assert "no version '3'; there are: 1, 2" in err


def test_every_check_says_from_which_records_it_is_known() -> None:
    assert set(wording._FROM) == set(CHECKS)


def test_what_a_policy_says_reaches_the_terminal_as_text(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(WHOLE.replace("What we ask.", "\\u001b[31m").replace("Evaluated", "[bold]\\u202e"))
    out, _ = call("policy", "explain", path)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]" in out


def test_kinds_are_named_as_people_do() -> None:
    made = Requirement(id="x", title="X", hop=("dataset|feature_set", "used", "run"), role="training")
    assert wording.where(made) == "a run used a dataset or a feature set, with the role training"
    assert wording.kinds("model|ai_agent|logged_model") == "a model, an AI agent or a logged model"


# --- init ---


def test_what_is_begun_with_is_a_policy_that_can_be_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "churn-release.toml"
    out, _ = call("policy", "init", path)
    assert str(path) in out
    found = load_policy(path)
    assert (found.name, len(found.versions)) == ("churn-release", 1)
    call("policy", "check", path)
    call("policy", "explain", path)


def test_every_example_in_its_comments_is_right_too(tmp_path: Path) -> None:
    path = tmp_path / "churn-release.toml"
    call("policy", "init", path)
    text = path.read_text()
    examples = [
        block
        for block in re.split(r"\n\n", text)
        if re.search(r"^# \[\[", block, flags=re.M)
    ]  # fmt: skip
    assert len(examples) == 3
    for block in examples:
        example = "\n".join(line[2:] for line in block[block.index("# [[") :].splitlines())
        found = read_policy(f"{text}\n{example}\n")
        assert found.versions[0].requirement
    for option in re.findall(r"^# ((?:min_grade|not_older_than|effective_from) = \S+)", text, flags=re.M):
        read_policy(text.replace(f"# {option}", option))


@pytest.mark.parametrize("name", shipped_policies())
def test_it_can_begin_with_a_shipped_policy(tmp_path: Path, name: str) -> None:
    path = tmp_path / "ours.toml"
    call("policy", "init", path, "--from", name)
    ours, theirs = load_policy(path), load_policy(name)
    assert ours.name == "ours"
    assert [one.requirement for one in ours.versions] == [one.requirement for one in theirs.versions]


def test_nothing_is_overwritten_unless_one_insists(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("mine")
    _, err = call("policy", "init", path, status=2)
    assert "--force" in err
    assert path.read_text() == "mine"
    call("policy", "init", path, "--force")
    assert load_policy(path).name == "ours"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["x.toml", "--from", "defualt"], "default"), (["nowhere/x.toml"], "cannot be written"), (["."], "Usage:")],
)
def test_what_cannot_be_begun_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _, err = call("policy", "init", *words, status=2)
    assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ['a"b', "a\\b", "ä 中", "a\tb"])
def test_a_file_may_be_called_anything(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.toml"
    call("policy", "init", path)
    assert load_policy(path).name == name


def test_the_page_shows_commands_that_exist() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"lineage-explorer policy (\w+)", page))
    assert shown <= {"init", "check", "explain", "list"}
    for name in shown:
        call("policy", name, "--help")
