"""What was when: ``history``, ``compare``, ``impact``, ``serving`` and ``rollback``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import InvalidQuestion
from ..tables import visible
from .asking import EXIT
from .terminal import console, print_json

#: Rows that are printed where nobody chose a table; files, --csv and --table hold all.
_PRINTED = 40
_Command = TypeVar("_Command", bound=Callable[..., Any])

_store = click.argument("store", type=click.Path(dir_okay=False))
_as_of = click.option(
    "--as-of", metavar="T", help="The instant asked about, e.g. 2026-03-01T12:00:00Z. Now by default."
)
_known_at = click.option("--known-at", metavar="T", help="Use only what the store knew by then.")
_policy = click.option("--policy", metavar="P", help="A shipped policy's name or a TOML file. Default: default.")


def _forms(*tables: str) -> Callable[[_Command], _Command]:
    """The ways in which an answer is told; the first table is the one that people look for."""

    def dress(command: _Command) -> _Command:
        options = [
            click.option("--json", "as_json", is_flag=True, help="Print everything as JSON."),
            click.option("--csv", "as_csv", is_flag=True, help="Print a table as CSV."),
            click.option(
                "-o",
                "--output",
                type=click.Path(dir_okay=False),
                metavar="FILE",
                help="Write a report: .html (with the drawing, offline), .md or .json; or a table as .csv.",
            ),
        ]
        if tables:
            told = f"Which table is printed, or written as CSV. Default: {tables[0]}."
            options.append(click.option("--table", type=click.Choice(tables), help=told))
        for option in options:
            command = option(command)
        return command

    return dress


@click.command()
@_store
@click.argument("model")
@_as_of
@_known_at
@_forms("versions", "events", "serving", "lanes", "stages", "gates", "data", "params", "metrics", "packages")
def history(store: str, model: str, as_of: str | None, known_at: str | None, **form: Any) -> None:
    """Show every version of MODEL: when it was registered, evaluated, approved, served, withdrawn, and what it is made of.

    MODEL is a model, a dataset, a prompt or anything else that has versions. Between two syncs a change has two bounds.

    \b
    lineage-explorer history lineage.db churn
    lineage-explorer history lineage.db model:churn --table events --as-of 2026-03-01T12:00:00Z
    lineage-explorer history lineage.db churn --table metrics --csv
    lineage-explorer history lineage.db churn -o churn.html
    """
    checked(**form)
    from ..store import open_store
    from ..version_history import history as ask

    with open_store(store) as opened:
        found = ask(opened, model, as_of=as_of, known_at=known_at).to_dict()
    columns = ("Version", "Registered", "Stage", "Serves", "Gates", "Still there", "Made from")
    _tell(
        found,
        {"versions": columns, "events": ("When", "Not before", "What", "Version", "Endpoint", "Who", "In words")},
        **form,
    )


@click.command()
@_store
@click.argument("sides", metavar="A [B]...", nargs=-1, required=True)
@_policy
@_known_at
@click.option("--all", "every", is_flag=True, help="Print also what differs in single requirements of the policy.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when anything differs, as git diff does.")
@_forms()
def compare(
    store: str,
    sides: tuple[str, ...],
    policy: str | None,
    known_at: str | None,
    every: bool,
    exit_code: bool,
    **form: Any,
) -> int:
    """Compare A and B: data, preparation, code, parameters, metrics, packages, prompts, gates and verdict.

    A and B are endpoints or models' versions, each as it is now or, as REF@@INSTANT, as it was then. Given one endpoint with
    several sites, or three and more of them, it shows who runs the same thing.

    \b
    lineage-explorer compare lineage.db model:churn@3 model:churn@4
    lineage-explorer compare lineage.db churn-prod@@2026-03-01T00:00:00Z churn-prod
    lineage-explorer compare lineage.db defect-detector
    lineage-explorer compare lineage.db model:churn@3 model:churn@4 --exit-code -o churn-3-4.html
    """
    checked(**form)
    from ..comparison import alike
    from ..comparison import compare as ask
    from ..store import open_store

    with open_store(store) as opened:
        if len(sides) == 2:
            found: Any = ask(*sides, store=opened, policy=policy, known_at=known_at)
        else:
            found = alike(list(sides), store=opened, policy=policy, known_at=known_at)
        same, content = bool(found.same), found.to_dict()
    if len(sides) == 1 and len(content["rows"]) < 2:
        raise InvalidQuestion(
            f"{sides[0]} has no several sites to compare; name a second thing, or {sides[0]}@@INSTANT for how it was then"
        )
    columns = {
        "differences": ("Aspect", "Subject", "Name", "Change", "A", "B", "Better"),
        "rows": ("Group", "Endpoint", "Site", "Runs", "Data", "Code", "Verdict"),
    }
    hidden = 0 if every else sum(row["aspect"] == "requirement" for row in content.get("differences", ()))
    _tell(content, columns, without="requirement" if hidden else "", **form)
    return int(exit_code and not same)


@click.command()
@_store
@click.argument("ref")
@_as_of
@_known_at
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many of each list. All by default.")
@_forms("versions", "endpoints", "exposures", "evaluations", "derived", "retrain")
def impact(store: str, ref: str, as_of: str | None, known_at: str | None, limit: int | None, **form: Any) -> None:
    """Whom did REF reach? Versions made from it, endpoints that answered with them, when, and what to train again.

    REF is anything on record: a dataset's version, a commit, a base model, a feature set, a package's version.

    \b
    lineage-explorer impact lineage.db dataset:customers@v12
    lineage-explorer impact lineage.db dataset:customers@v12 --table exposures
    lineage-explorer impact lineage.db dataset:customers@v12 --table retrain --csv
    lineage-explorer impact lineage.db dataset:customers@v12 -o recall.html
    """
    checked(**form)
    from ..impacts import impact as ask
    from ..store import open_store

    with open_store(store) as opened:
        found = ask(opened, ref, as_of=as_of, known_at=known_at, limit=limit).to_dict()
    columns = {
        "endpoints": (
            "Endpoint",
            "Retrain",
            "Reached now",
            "Traffic now %",
            "Was there for",
            "Strength",
            "First",
            "Last",
        ),
        "versions": ("Version", "Retrain", "Was there for", "Strength", "Serves now", "First served", "Last served"),
        "exposures": ("Endpoint", "Since", "Until", "Version", "Traffic %", "State", "Site", "Strength"),
    }
    _tell(found, columns, **form)


@click.command()
@_store
@click.argument("endpoint")
@click.option(
    "--from", "start", metavar="T", help="Not before, e.g. 2026-03-01T12:00:00Z. From the first record by default."
)
@click.option("--to", "end", metavar="T", help="Not after. No end by default.")
@_known_at
@_forms("serving", "findings")
def serving(store: str, endpoint: str, start: str | None, end: str | None, known_at: str | None, **form: Any) -> None:
    """Who served ENDPOINT when, without a hole: gaps in which nobody answered and overlaps are named.

    \b
    lineage-explorer serving lineage.db churn-prod
    lineage-explorer serving lineage.db churn-prod --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z
    lineage-explorer serving lineage.db churn-prod --csv
    lineage-explorer serving lineage.db churn-prod -o served.html
    """
    checked(**form)
    from ..servings import serving_document
    from ..store import open_store

    with open_store(store) as opened:
        found = serving_document(opened, endpoint, start, end, known_at)
    _tell(
        found,
        {"serving": ("Since", "Until", "What", "Version", "Traffic %", "State", "Site", "First seen only")},
        **form,
    )


@click.command()
@_store
@click.argument("endpoint")
@_as_of
@_known_at
@_policy
@click.option("--site", metavar="S", help="Only this site of the endpoint.")
@_forms("candidates", "serving")
def rollback(
    store: str,
    endpoint: str,
    as_of: str | None,
    known_at: str | None,
    policy: str | None,
    site: str | None,
    **form: Any,
) -> int:
    """To what can ENDPOINT go back, and would the policy allow it? Changes nothing.

    Exit status: that of the verdict about going back, 0 PASSED, 1 FAILED, 3 INCOMPLETE, which it is too where nothing on
    record can be gone back to; 2 a usage or other error.

    \b
    lineage-explorer rollback lineage.db churn-prod
    lineage-explorer rollback lineage.db churn-prod --as-of 2026-03-01T12:00:00Z --policy churn-release.toml
    lineage-explorer rollback lineage.db churn-prod -o rollback.html
    """
    checked(**form)
    from ..reports.headlines import target_verdict
    from ..rollbacks import rollback as ask
    from ..store import open_store

    with open_store(store) as opened:
        found = ask(opened, endpoint, as_of=as_of, known_at=known_at, policy=policy, site=site).to_dict()
    _tell(found, {"candidates": ("Version", "Verdict", "Still there", "Since", "Until", "Site", "Why")}, **form)
    return EXIT[target_verdict(found)]


# --- how an answer is told ---


def checked(output: str | None, as_csv: bool, as_json: bool, table: str | None = None) -> None:
    """Refuse what cannot be written before anything is asked."""
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms; give one of them")
    if table and as_json:
        raise click.UsageError("--json holds everything; --table chooses what is printed or written as CSV")
    if output:
        from ..reports.chapters import check

        check(Path(output))


def _tell(
    found: Mapping[str, Any],
    columns: Mapping[str, tuple[str, ...]],
    *,
    output: str | None,
    as_csv: bool,
    as_json: bool,
    table: str | None = None,
    without: str = "",
) -> None:
    from ..reports.chapters import csv, save

    if output:
        save(found, output, table)
    if as_json:
        print_json(found)
    elif as_csv:
        click.echo(csv(found, table), nl=False)  # without signs that act, as in the file
    else:
        _show(found, columns, table, without)
        if output:
            click.echo(f"Report: {visible(output)}")


def _show(found: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]], key: str | None, without: str) -> None:
    """The answer in sentences, the table that people look for, and the digest."""
    from rich.text import Text

    from ..reports.cells import told
    from ..reports.chapters import chosen
    from ..reports.headlines import sentences, title
    from .rows import briefly, print_rows

    out = console()

    def say(text: str, style: str = "") -> None:
        out.print(Text(briefly(told(text)), style=style), soft_wrap=False)

    say(title(found), "bold")
    for sentence in sentences(found):
        say(sentence)
    out.print()
    sheet = chosen(found, key)
    wanted = [index for index, name in enumerate(sheet.head) if name in columns.get(sheet.key, sheet.head)]
    rows = [row for row in sheet.rows if not without or row[0] != without]
    shown = rows if key else rows[:_PRINTED]
    if shown:
        head = [sheet.head[index] for index in wanted]
        print_rows(out, head, [[told(row[index]) for index in wanted] for row in shown], whole=key is not None)
        out.print()
    elif key:
        say(f"{sheet.title}: none on record.")
    if len(rows) > len(shown):
        say(f"… and {len(rows) - len(shown):,} more; -o FILE writes all")
    if len(sheet.rows) > len(rows):
        say(f"{len(sheet.rows) - len(rows):,} more in single requirements of the policy; --all shows them")
    cautions = [item for item in found.get("findings", ()) if item["severity"] != "info"]
    for item in cautions[:_PRINTED]:
        say(f"{item['severity']}: {item['message']}")
    if len(cautions) > _PRINTED:
        say(f"… and {len(cautions) - _PRINTED:,} more findings; -o FILE writes all")
    out.print(Text(f"digest {found['digest']}", style="dim"))
