"""Asking a store: ``audit``, ``search``, ``observations``; and which sources there are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ..redaction import redact_text
from ..tables import visible
from .terminal import console, print_frame, print_json

if TYPE_CHECKING:
    from ..audits import Audit

#: What ``audit`` tells a script. 2 is a usage or other error, 130 an interrupt.
EXIT = {"PASSED": 0, "FAILED": 1, "INCOMPLETE": 3}


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("endpoint", required=False)
@click.option("--all", "every", is_flag=True, help="Audit every endpoint, a row for each.")
@click.option("--as-of", metavar="T", help="The instant asked about, e.g. 2026-03-01T12:00:00Z. Now by default.")
@click.option("--known-at", metavar="T", help="Use only what the store knew by then.")
@click.option("--policy", metavar="P", help="A shipped policy's name or a TOML file. Default: default.")
@click.option(
    "--policy-as-of", metavar="T", help="Judge by the policy's version in force then, not by that of each event."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write a report: .html, .json, .svg, .md, .sarif or .xml (JUnit); of --all .html, .csv, .md or .json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole audit as JSON.")
def audit(
    store: str,
    endpoint: str | None,
    every: bool,
    as_of: str | None,
    known_at: str | None,
    policy: str | None,
    policy_as_of: str | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Which data trained the model behind ENDPOINT, and do its gates hold?

    With --all, of every endpoint: a row for each, and the exit status of the worst.

    Exit status: 0 PASSED, 1 FAILED, 3 INCOMPLETE, 2 a usage or other error.

    \b
    lineage-explorer audit lineage.db churn-prod
    lineage-explorer audit lineage.db endpoint:churn-prod --as-of 2026-03-01T12:00:00Z
    lineage-explorer audit lineage.db churn-prod -o report.html
    lineage-explorer audit lineage.db churn-prod --policy rules.toml --policy-as-of 2026-01-01T00:00:00Z
    lineage-explorer audit lineage.db --all --policy rules.toml -o estate.html
    """
    from ..store import open_store

    if every == (endpoint is not None):
        raise click.UsageError("name an ENDPOINT, or say --all for every one; not both")
    if endpoint is None:
        question = {"policy": policy, "as_of": as_of, "known_at": known_at, "policy_as_of": policy_as_of}
        return _audit_all(store, question, output, as_json=as_json)
    from ..questions import audit as ask

    with open_store(store) as opened:
        result = ask(opened, endpoint, as_of=as_of, known_at=known_at, policy=policy, policy_as_of=policy_as_of)
    if output:
        result.save(output)
    if as_json:
        print_json(result.to_dict())
    else:
        _show(result)
        if output:
            click.echo(f"Report: {output}")
    return EXIT[result.verdict]


def _show(result: Audit) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..sentences import VERDICT_MARKS, verdict_words

    out = console()
    content = result.to_dict()
    mark, colour = VERDICT_MARKS[result.verdict]
    out.print(
        Text(
            f"{mark} {verdict_words(content)}  {visible(result.endpoint)}",
            style=f"bold {colour}",
        )
    )
    out.print(Text(visible(result.answer)), soft_wrap=False)
    out.print()
    _explain(content)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("cause", "link", "effect", "basis", "gate"):
        table.add_column(name, overflow="fold")  # a narrow terminal breaks a reference; it never drops a part of it
    for hop in content["hops"]:
        link = hop["predicate"].replace("_", " ") + (f" ({hop['role']})" if hop["role"] else "")
        link += f" {hop['traffic']:g} %" if hop["traffic"] is not None else ""
        row = (_short(hop["cause"]), link, _short(hop["effect"]), hop["basis"].replace("_", " "))
        table.add_row(*(Text(visible(cell)) for cell in row), Text("" if hop["status"] == "none" else hop["status"]))
    out.print(table)
    shown = [item for item in content["findings"] if item["severity"] != "info"]
    if shown:
        out.print()
        for item in shown:
            out.print(Text(f"{item['severity']}: {visible(item['message'])}"))
    out.print(Text(f"\naudit digest {result.digest}", style="dim"))


def _explain(content: dict[str, Any]) -> None:
    """What keeps the verdict from being better, one line for each requirement, and how many hold."""
    from rich.text import Text

    from ..reports.judgements import WORDS, asks, judged, worst_first
    from .explaining import requirement_lines

    out = console()
    words = WORDS["questions" if asks(content) else "verdict"]
    rows = [row for row in worst_first(judged(content)) if row.hop is not None]
    for line in requirement_lines([row for row in rows if row.outcome != "holds"], words if asks(content) else {}):
        out.print(line, no_wrap=True, overflow="ignore", crop=False)
    counts = content["requirements"]
    out.print(Text("requirements: " + ", ".join(f"{word} {counts[outcome]}" for outcome, word in words.items())))
    out.print()


def _audit_all(store: str, question: dict[str, Any], output: str | None, *, as_json: bool) -> int:
    from pathlib import Path

    from ..estates import estate_document
    from ..reports.estate import check, save, worst_of
    from ..store import open_store

    if output:
        check(Path(output))
    with open_store(store) as opened:
        found = estate_document(opened, **question, progress=sys.stderr.isatty())
    if output:
        save(found, output)
    if as_json:
        print_json(found)
    else:
        _show_all(found)
        if output:
            click.echo(f"Report: {output}")
    return EXIT[worst_of(found)]


#: Endpoints that are printed; a report holds them all.
_PRINTED = 50


def _show_all(estate: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..reports.estate import summary, words, worst_first, worst_of
    from ..sentences import VERDICT_MARKS

    out = console()
    policy = estate["question"]["policy"]
    mark, colour = VERDICT_MARKS[worst_of(estate)]
    out.print(Text(f"{mark} {summary(estate)}", style=f"bold {colour}"))
    asked = f"policy {policy['name']} version {policy['version']}, as of {estate['question']['as_of']}"
    out.print(Text(visible(asked)))
    open_ = [row for row in worst_first(estate) if row["verdict"] != "PASSED"]
    if open_:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("endpoint", "verdict", "first finding"):
            table.add_column(name, overflow="fold")
        for row in open_[:_PRINTED]:
            told = (row["ref"], words(row["verdict"], policy.get("form", "verdict")), row["finding"])
            table.add_row(*(Text(visible(cell)) for cell in told))
        out.print()
        out.print(table)
    if len(open_) > _PRINTED:
        out.print(Text(f"\n… and {len(open_) - _PRINTED:,} more; -o FILE writes all"))
    out.print(Text(f"\nestate digest {estate['digest']}", style="dim"))


def _short(ref: str) -> str:
    from ..records import Ref
    from ..sentences import short

    parsed = Ref.parse(ref)
    return f"{parsed.kind}:{parsed.name}" + (f"@{short(parsed.version)}" if parsed.version else "")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("text")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def search(store: str, text: str, limit: int, as_json: bool) -> None:
    """Find references in STORE whose words begin with the words of TEXT.

    \b
    lineage-explorer search lineage.db churn
    lineage-explorer search lineage.db "endpoint credit"
    """
    from ..store import open_store

    with open_store(store) as opened:
        hits = opened.search(text, limit)
    if as_json:
        print_json([hit._asdict() for hit in hits])
        return
    for hit in hits:
        click.echo(visible(hit.ref) + ("" if hit.resolved else "  (referred to, not described)"))
    if not hits:
        click.echo(f"Nothing in {redact_text(store)} matches {text!r}.", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sources(as_json: bool) -> None:
    """List the systems whose records can be read.

    \b
    lineage-explorer sources
    """
    from ..sources import available
    from ..sources.protocol import load

    rows = [{"name": name, "summary": load(name).summary} for name in available()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']:<10} {row['summary']}")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def observations(store: str, ref: str, as_json: bool) -> None:
    """Show what sources said about REF, and when they were seen to say it.

    A registry keeps no history: a value changed between the last sync that saw the old one (not_before) and the first
    that saw the new one (first_seen). Before the first sync nothing is known.

    \b
    lineage-explorer observations lineage.db model:churn~champion
    lineage-explorer observations lineage.db model:churn@3 --json
    """
    from ..store import open_store

    with open_store(store) as opened:
        print_frame(opened.observations(ref), as_json=as_json)
