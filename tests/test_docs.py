"""The documentation says what the code does: an undocumented command, option or public name fails here."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

import lineage_explorer
from lineage_explorer import cli, errors, records, sources
from lineage_explorer.records import Activity, Agent, Record, to_json
from tests import estates
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])


def words(path: str) -> str:
    return re.sub(r"\s+", " ", (ROOT / path).read_text(encoding="utf-8"))


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands(cli.commands, "lineage-explorer"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_is_documented(path: str) -> None:
    page = words("docs/command-line.md")
    section = page.partition(f"## {path} ```text")[2].partition("```")[0]
    assert section, f"{path} is missing from docs/command-line.md: make docs"
    command = COMMANDS[path]
    for parameter in command.params:
        for option in (
            parameter.opts if isinstance(parameter, click.Option) else [parameter.make_metavar(click.Context(command))]
        ):
            assert option in section, f"{option} of {path}: make docs"
    sentence = re.sub(r"\s+", " ", (command.help or "").partition("\n\n")[0].replace("\b", "")).strip()
    assert sentence
    assert sentence in section, f"{path} says something else now: make docs"


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)])
def test_every_command_shows_an_example(path: str) -> None:
    assert f"{path}" in (COMMANDS[path].help or ""), f"{path} --help has no example"


def public() -> list[tuple[str, Any]]:
    found = [(name, getattr(lineage_explorer, name)) for name in lineage_explorer.__all__ if name != "__version__"]
    found += [(name, getattr(sources, name)) for name in sources.__all__]
    found += [item for item in vars(errors).items() if getattr(item[1], "__module__", "") == errors.__name__]
    return found


@pytest.mark.parametrize(("name", "item"), public(), ids=lambda item: item if isinstance(item, str) else "")
def test_every_public_name_is_documented(name: str, item: Any) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert f"\n### {name}\n" in page, f"{name} is missing from docs/python.md: make docs"
    assert item.__doc__, f"{name} has no docstring"
    assert item.__doc__.strip().splitlines()[0] in page, f"{name} says something else now: make docs"


def test_the_public_names_are_these() -> None:
    """A guard: what users import does not come or go by accident."""
    assert lineage_explorer.__all__ == [
        "Activity", "Agent", "Audit", "Comparison", "Entity", "Evidence", "Explorer", "HeatMap", "History",
        "Impact", "Lifecycle", "Likeness", "LineageError", "Policy", "Ref", "Relation", "Rollback", "Store",
        "SyncResult", "__version__", "alike", "audit", "audit_estate", "compare", "explore", "gate", "history",
        "impact", "lifecycle", "lineage_graph", "load_policy", "open_source", "open_store", "releases",
        "rollback", "serving",
    ]  # fmt: skip
    assert [name for name in lineage_explorer.__all__ if not hasattr(lineage_explorer, name)] == []


def schema() -> dict[str, Any]:
    shipped: dict[str, Any] = json.loads(
        importlib.resources.files("lineage_explorer").joinpath("record.schema.json").read_text(encoding="utf-8")
    )
    return shipped


def test_the_published_schema_is_that_of_the_code() -> None:
    assert schema() == records.json_schema(), "make docs"
    assert schema() == json.loads((ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8")), "make docs"


@pytest.mark.parametrize("record", [*estates.complete(), Agent(ref="person:ada")], ids=lambda item: type(item).__name__)
def test_every_record_is_valid_under_the_published_schema(record: Record) -> None:
    jsonschema.Draft202012Validator(schema()).validate(to_json(record))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "entity"},
        {"type": "entity", "ref": "model:churn@3", "colour": "blue"},
        {"type": "relation", "effect": "a:b", "predicate": "loves", "cause": "a:c", "basis": "identifier"},
        {**to_json(Activity(ref="run:1")), "type": "nothing"},
    ],
)
def test_the_published_schema_refuses_what_the_code_refuses(wrong: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schema()).is_valid(wrong)
    with pytest.raises(errors.InvalidRecord):
        records.from_json(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_pages_show_exist(page: Path) -> None:
    blocks = "\n".join(re.findall(r"```(?:sh|text|bash)?\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S))
    for line in re.findall(r"^\s*\$? ?(lineage-explorer [a-z].*)$", blocks, flags=re.M):
        names = [word for word in line.split()[1:3] if re.fullmatch(r"[a-z]+", word)]
        assert any(f"lineage-explorer {' '.join(names[:depth])}" in COMMANDS for depth in (1, 2)), line


def test_every_finding_is_explained() -> None:
    code = "".join(
        (ROOT / "lineage_explorer" / name).read_text() for name in ("findings.py", "trace.py", "questions.py")
    )
    codes = set(re.findall(r'Finding\(\s*"(?:error|warning|info)",\s*"([a-z-]+)"', code))
    assert len(codes) > 10
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert sorted(code for code in codes if f"`{code}`" not in page) == []


def test_make_knows_every_target_that_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), flags=re.M)) <= targets


def test_a_decision_takes_one_page() -> None:
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name
