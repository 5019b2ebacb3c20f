"""``policy``: writing, checking and reading what is required."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import LineageError, PolicyError
from ..tables import visible
from .terminal import console, print_json

if TYPE_CHECKING:
    from ..policy import Policy
    from ..policy.format import PolicyVersion, Requirement

_TEMPLATE = """\
# A policy: what each hop of a lineage must show before a model is released. docs/policies.md explains every key.
#
#   lineage-explorer policy check {file}        is it well-formed?
#   lineage-explorer policy explain {file}      what does it ask, in words?
#   lineage-explorer gate STORE MODEL --policy {file}
#
# What is not on record cannot be determined. Only a record can make a requirement fail, and only a record can make it
# hold.
name = {name}
description = "What a model needs before it answers requests."

# A hop is judged by the version that was in force when its deployment was released: change requirements by adding a
# version, and what was released before is still judged by what was asked then.
[[version]]
version = "1"
# effective_from = 2026-03-01T00:00:00Z     # with a time zone; without this it was always in force

[[version.requirement]]
id = "on-record"
title = "Both ends of the hop are on record"
hop = ["*", "*", "*"]                       # [kind of the cause, predicate, kind of the effect]; * is any
check = "resolved"

[[version.requirement]]
id = "training-data"
title = "Training data is on record"
hop = ["model|logged_model", "deploys", "deployment"]
check = "training_data"

[[version.requirement]]
id = "evaluation"
title = "Evaluated before release"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
before = "release"
# min_grade = "referenced"                  # recomputed, signed, referenced, claimed
# not_older_than = "90d"

[[version.requirement]]
id = "approval"
title = "Approved before release"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
when = {{ environment = "production" }}       # only there; kind and tag are other guards
check = "evidence"
gate_type = "approval"
before = "release"

# A number of your own, whatever the gate's own threshold was:
#
# [[version.requirement]]
# id = "f1"
# title = "F1 of at least 0.90"
# hop = ["model", "deploys", "deployment"]
# check = "metric"
# metric = "f1"
# at_least = 0.90

# Several conditions: all, any, not.
#
# [[version.requirement]]
# id = "four-eyes"
# title = "Approved by somebody else than the author"
# hop = ["model", "deploys", "deployment"]
# all = [
#   {{ check = "evidence", gate_type = "approval", before = "release" }},
#   {{ check = "different_approver", from = ["author"] }},
# ]

# A waiver needs who, why and until when, and is shown wherever its requirement is.
#
# [[version.waiver]]
# requirement = "approval"
# subject = "model:churn@4"
# by = "person:ada"
# why = "The approval board meets on Friday (CHURN-812)."
# until = 2026-04-01T00:00:00Z
"""


@click.group()
def policy() -> None:
    """Write, check and read policies: what each hop of a lineage must show.

    \b
    lineage-explorer policy init churn-release.toml
    lineage-explorer policy check churn-release.toml
    lineage-explorer policy explain churn-release.toml
    """


@policy.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List the policies that come with the package.

    \b
    lineage-explorer policy list
    """
    from ..policy import load_policy, shipped_policies

    rows = [
        {
            "name": name,
            "versions": [one.version for one in found.versions],
            "form": found.form,
            "description": found.description,
            "digest": found.digest,
        }
        for name in shipped_policies()
        for found in [load_policy(name)]
    ]
    if as_json:
        print_json(rows)
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['description']}")


@policy.command()
@click.argument("file", nargs=-1, required=True, type=click.Path())
def check(file: tuple[str, ...]) -> int:
    """Check that policy FILEs are well-formed: each mistake with its line, its column and the nearest name.

    Exit status: 0 all are, 2 one is not.

    \b
    lineage-explorer policy check churn-release.toml
    lineage-explorer policy check policies/*.toml
    """
    from ..policy import load_policy

    wrong = 0
    for name in file:
        try:
            found = load_policy(Path(name) if Path(name).is_file() else name)
        except PolicyError as error:
            wrong += 1
            for line in _mistakes(name, error):
                click.echo(visible(line), err=True)
        else:
            click.echo(f"{visible(name)}: {_summary(found)}")
    return 2 if wrong else 0


def _mistakes(name: str, error: PolicyError) -> list[str]:
    if not error.problems:
        return [f"{name}: {error}" if name not in str(error) else str(error)]
    return [
        # Where it is stands in front: TOML's own message repeats it at its end.
        f"{name}:{line}:{column}: " + re.sub(r" \(at (line \d+, column \d+|end of document)\)$", "", message)
        for line, column, message in error.problems
    ]


def _summary(found: Policy) -> str:
    requirements = len({item.id for version in found.versions for item in version.requirement})
    said = [_count(len(found.versions), "version"), _count(requirements, "requirement")]
    return f"policy {visible(found.name)}, {', '.join(said)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


@policy.command()
@click.argument("source", metavar="FILE_OR_NAME")
@click.option("--version", "number", metavar="V", help="Only this version of it. Every version by default.")
def explain(source: str, number: str | None) -> None:
    """Say in words what a policy asks: of which hops, what must hold, and from which records it can be known.

    \b
    lineage-explorer policy explain default
    lineage-explorer policy explain churn-release.toml --version 2
    """
    from rich.text import Text

    from ..policy import load_policy

    found = load_policy(source)
    versions = [one for one in found.versions if number in (None, one.version)]
    if not versions:
        have = ", ".join(one.version for one in found.versions)
        raise PolicyError(f"policy {found.name!r} has no version {number!r}; there are: {have}")
    out = console()
    out.print(Text(visible(found.name), style="bold"))
    if found.description:
        out.print(Text(visible(found.description)), soft_wrap=False)
    if found.form == "questions":
        words = "evidence found, contradicted, or not determinable. It states evidence, never compliance."
        out.print(Text(f"Its answers are: {words}"), soft_wrap=False)
    out.print(Text(f"digest {found.digest}", style="dim"))
    for version in versions:
        out.print()
        out.print(Text(f"Version {visible(version.version)}, {_in_force(found, version)}", style="bold"))
        for index, requirement in enumerate(version.requirement, 1):
            out.print()
            _explain(index, requirement, version)


def _in_force(found: Policy, version: PolicyVersion) -> str:
    from ..records import format_instant

    later = [one.effective_from for one in found.versions[found.versions.index(version) + 1 :]]
    since = (
        "always in force"
        if version.effective_from is None
        else f"in force from {format_instant(version.effective_from)}"
    )
    until = next((when for when in later if when is not None), None)
    return f"{since}, until {format_instant(until)}" if until else since


def _explain(index: int, requirement: Requirement, version: PolicyVersion) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from . import wording

    out = console()
    title = Text(f"{index}. {visible(requirement.title)}", style="bold")
    out.print(title.append(f"  [{visible(requirement.id)}]", style="not bold dim"), soft_wrap=False)
    rows = [("wherever", wording.where(requirement)), ("it is", wording.about(requirement))]
    rows += [("only if", said)] if (said := wording.applies(requirement.when)) else []
    for number, (depth, said) in enumerate(wording.conditions(requirement.condition)):
        rows.append(("must hold" if number == 0 else "", "  " * depth + ("- " if depth else "") + said))
    for number, said in enumerate(wording.records(requirement)):
        rows.append(("known from" if number == 0 else "", said))
    rows += [("waived", said) for said in wording.waived(requirement, version.waiver)]
    rows += [("built on", requirement.cites)] if requirement.cites else []
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    for name, said in rows:
        table.add_row(name, Text(visible(said)))
    out.print(Padding(table, (0, 0, 0, 3)), soft_wrap=False)


@policy.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "origin", metavar="NAME", help="Begin with a copy of this shipped policy.")
@click.option("--force", is_flag=True, help="Overwrite PATH if it is there.")
def init(path: Path, origin: str | None, force: bool) -> None:
    """Write a commented policy to begin with to PATH.

    \b
    lineage-explorer policy init churn-release.toml
    lineage-explorer policy init churn-release.toml --from default
    """
    from ..policy.reading import read_policy

    name = json.dumps(path.stem, ensure_ascii=False)
    if origin is None:
        text = _TEMPLATE.format(name=name, file=visible(path.name))
    else:
        copied = _shipped(origin)
        text = re.sub(r'(?m)^name = ".*"$', lambda _: f"name = {name}", copied, count=1)
    read_policy(text, str(path))  # a name that no file can hold is told before anything is written
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise LineageError(f"{str(path)!r} is there already; --force overwrites it") from error
    except OSError as error:
        raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
    click.echo(f"Wrote {visible(str(path))}; lineage-explorer policy explain {visible(str(path))} says what it asks.")


def _shipped(name: str) -> str:
    from ..policy import shipped_policies

    have = shipped_policies()
    if name not in have:
        raise PolicyError(f"no shipped policy {name!r}; there are: {', '.join(have)}")
    return files("lineage_explorer").joinpath("policies", f"{name}.toml").read_text(encoding="utf-8")
