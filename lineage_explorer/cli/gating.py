"""``gate``: may this model be released? A verdict that a pipeline can act on, and reports that it can show."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from ..errors import LineageError
from .asking import EXIT
from .terminal import console, visible

if TYPE_CHECKING:
    from rich.text import Text

    from ..audits import Audit
    from ..policy import Policy
    from ..reports.judgements import Judged

_OUTCOME = {"PASSED": "holds", "FAILED": "fails", "INCOMPLETE": "undetermined"}
_FORMATS = ("text", "json", "junit", "sarif")
#: What standard output of a build step is searched for: orders to GitHub's runner and to Azure's agent, which stand in
#: any place of a line. (GitHub's ``::order::`` stands at its beginning, where no record's text ever does.)
_ORDER = re.compile(r"#(?=#)")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("model")
@click.option("--policy", metavar="P", help="A shipped policy's name or a TOML file. Default: default.")
@click.option("--endpoint", metavar="REF", help="What it will answer, e.g. churn-prod. None by default.")
@click.option("--environment", default="production", show_default=True, help="Where it will be deployed.")
@click.option("--as-of", metavar="T", help="When it is to be released, e.g. 2026-03-01T12:00:00Z. Now by default.")
@click.option("--known-at", metavar="T", help="Use only what the store knew by then.")
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), help="How to say it. Default: text, or as FILE is called."
)
@click.option(
    "-o",
    "--output",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write a report (.sarif, .xml for JUnit, .json, .html, .md, .svg); may be repeated.",
)
def gate(
    store: str,
    model: str,
    policy: str | None,
    endpoint: str | None,
    environment: str,
    as_of: str | None,
    known_at: str | None,
    form: str | None,
    output: tuple[str, ...],
) -> int:
    """May MODEL be released? Judges it by a policy as though it were released now, and changes nothing.

    With -o, reports go to files and the explanation to the terminal. Exit status: 0 PASSED, 1 FAILED, 3 INCOMPLETE, 2 a
    usage or other error.

    \b
    lineage-explorer gate lineage.db model:churn@4 --policy churn-release.toml
    lineage-explorer gate lineage.db model:churn@4 --policy churn-release.toml --endpoint churn-prod -o gate.sarif
    lineage-explorer gate lineage.db model:churn@4 --policy churn-release.toml --format junit -o TEST-gate.xml
    """
    from ..policy import load_policy
    from ..questions import gate as ask
    from ..store import open_store

    rules = load_policy(policy)
    with open_store(store) as opened:
        result = ask(
            opened,
            model,
            policy=rules,
            as_of=as_of,
            known_at=known_at,
            endpoint=endpoint,
            environment=environment,
        )
    for path in output:
        _write(result, path, form, policy, rules)
    if output or form in (None, "text"):
        show(result.to_dict())
        for path in output:
            click.echo(f"Report: {visible(path)}")
    else:
        click.echo(_inert(_render(result, form or "json", policy, rules), form or "json"), nl=False)
    return EXIT[result.verdict]


# --- reports ---


def _render(result: Audit, form: str, policy: str | None, rules: Policy) -> str:
    from ..reports import data, junit, sarif

    content = result.to_dict()
    if form == "junit":
        return junit.render(content)
    if form == "sarif":
        return sarif.render(content, file=_uri(policy), lines=_lines(rules, content))
    return data.render(content)


def _write(result: Audit, path: str, form: str | None, policy: str | None, rules: Policy) -> None:
    form = form or {".sarif": "sarif"}.get(Path(path).suffix)
    if form is None:
        result.save(path)
        return
    text = explain(result.to_dict()) if form == "text" else _render(result, form, policy, rules)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LineageError(f"{path!r} cannot be written: {error.strerror}") from error


def _uri(policy: str | None) -> str:
    """The policy's file as code scanning names files: from the root of the repository. Empty for a shipped policy."""
    from ..policy import shipped_policies

    if policy is None or policy in shipped_policies():
        return ""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or os.environ.get("BUILD_SOURCESDIRECTORY") or Path.cwd()).resolve()
    file = Path(policy).resolve()  # code scanning does not follow links
    return quote(file.relative_to(root).as_posix()) if file.is_relative_to(root) else file.as_uri()


def _lines(policy: Policy, content: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """On which line of the policy's file each requirement begins that does not hold, by version and id."""
    import tomllib

    from ..policy.positions import position_of
    from ..reports.judgements import judged

    table = tomllib.loads(policy.source)
    several = isinstance(table.get("version"), list)
    wanted = {(row.version, row.id) for row in judged(content) if row.outcome != "holds"}
    found: dict[tuple[str, str], int] = {}
    for number, version in enumerate(table["version"] if several else [table]):
        for index, requirement in enumerate(version.get("requirement", [])):
            key = (str(version.get("version", "")), str(requirement["id"]))
            if key in wanted:
                above = ("version", number) if several else ()
                found[key] = max(1, position_of(policy.source, (*above, "requirement", index, "id"))[0])
    return found


def _inert(text: str, form: str) -> str:
    """A report on standard output, where a build system looks for orders: the same to whoever parses it."""
    return _ORDER.sub("&#35;" if form == "junit" else r"\\u0023", text)


# --- in words ---


def show(content: Mapping[str, Any]) -> None:
    """Print why a gate came to its verdict: one line for each requirement, worst first, and what to do next."""
    out = console()
    for text in _explanation(content):
        out.print(text, no_wrap=True, overflow="ignore", crop=False)


def explain(content: Mapping[str, Any]) -> str:
    """The same as plain text."""
    return "".join(f"{text.plain}\n" for text in _explanation(content))


def _explanation(content: Mapping[str, Any]) -> list[Text]:
    from rich.text import Text

    from ..reports.judgements import WORDS, asks, judged, subject, worst_first
    from ..sentences import VERDICT_MARKS

    question, policy = content["question"], content["question"]["policy"]
    mark, colour = VERDICT_MARKS[content["verdict"]]
    words = WORDS["questions" if asks(content) else "verdict"]
    rows = worst_first(judged(content))
    verdict = words[_OUTCOME[content["verdict"]]] if asks(content) else content["verdict"]
    said = [
        Text(f"{mark} {verdict}  {_safe(subject(content))}", style=f"bold {colour}"),
        Text(f"policy {_safe(policy['name'])} version {_safe(policy['version'])}, as of {question['as_of']}"),
        Text(""),
        *_requirements(rows, words if asks(content) else {}),
    ]
    warnings = [item for item in content["findings"] if item["severity"] == "warning"]
    said += [Text(f"warning: {_safe(item['message'])}") for item in warnings]
    counts = Counter(row.outcome for row in rows)
    return [
        *said,
        Text(""),
        Text(", ".join(f"{word}: {counts[outcome]}" for outcome, word in words.items())),
        Text(f"audit digest {content['digest']}", style="dim"),
        Text(f"Next: {_next(content, rows)}"),
    ]


def _requirements(rows: list[Judged], words: Mapping[str, str]) -> list[Text]:
    from rich.text import Text

    from ..policy import verdict_of
    from ..sentences import VERDICT_MARKS

    lines: list[Text] = []
    for row, count in _together(rows):
        mark, colour = VERDICT_MARKS[verdict_of(row.outcome)]  # type: ignore[arg-type]
        where = f" ({count} hops)" if count > 1 else f" ({row.where})" if row.where else ""
        why = row.why if count == 1 or row.outcome != "holds" else words.get(row.outcome, "holds")
        text = Text(f"  {mark} {words.get(row.outcome, row.status):<{16 if words else 12}}", style=colour)
        text.append(f" {_safe(row.title)}: {_safe(why)}{_safe(where)}", style="default")
        if row.needed:
            text.append(f"; needed: {_safe(row.needed)}", style="default")
        if row.waiver:
            said = "waived by {by} until {until}: {why}".format(**row.waiver)
            text.append(f"; {_safe(said)}", style="default")
        lines.append(text)
    return lines


def _together(rows: list[Judged]) -> list[tuple[Judged, int]]:
    """Rows that say the same, once; a requirement that holds on many hops is one line."""
    groups: dict[tuple[str, ...], list[Judged]] = {}
    for row in rows:
        same = (row.status,) if row.outcome == "holds" and not row.waiver else (row.status, row.why, row.needed)
        groups.setdefault((row.id, row.title, *same), []).append(row)
    return [(group[0], len(group)) for group in groups.values()]


def _next(content: Mapping[str, Any], rows: list[Judged]) -> str:
    from ..reports.judgements import asks, subject

    what = _safe(subject(content))
    worst = rows[0]
    if content["verdict"] == "PASSED":
        if asks(content):
            return "keep the audit digest; this states evidence, not compliance"
        return f"{what} may be released; keep the audit digest with the release"
    if content["verdict"] == "FAILED":
        if asks(content):
            return f"look at the records that contradict “{_safe(worst.title)}”"
        return (
            f"do not release {what}; make “{_safe(worst.title)}” hold and put it on record, or waive it in the policy: "
            "who, why and until when"
        )
    open_ = next(row for row in rows if row.outcome == "undetermined")
    if open_.needed:
        return f"put on record {_safe(open_.needed)}, ingest it, and ask again"
    return f"find out why “{_safe(open_.title)}” cannot be determined, put it on record, ingest it, and ask again"


def _safe(text: object) -> str:
    """A record's text on one line of a build log: it neither moves the cursor nor gives the build system an order."""
    return _ORDER.sub(r"\\u0023", visible(str(text)))
