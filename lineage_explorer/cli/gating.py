"""``gate``: may this model be released? A verdict that a pipeline can act on, and reports that it can show."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from ..errors import LineageError
from ..tables import visible
from .asking import EXIT
from .explaining import ORDER, requirement_lines, safe
from .terminal import console

if TYPE_CHECKING:
    from rich.text import Text

    from ..audits import Audit
    from ..policy import Policy
    from ..reports.judgements import Judged

_OUTCOME = {"PASSED": "holds", "FAILED": "fails", "INCOMPLETE": "undetermined"}
_FORMATS = ("text", "json", "junit", "sarif")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("model")
@click.option("--policy", metavar="P", help="A shipped policy's name or a TOML file. Default: default.")
@click.option("--endpoint", metavar="REF", help="What it will answer, e.g. churn-prod. None by default.")
@click.option("--environment", default="production", show_default=True, help="Where it will be deployed.")
@click.option("--by", default="", metavar="WHO", help="Who will release it, e.g. person:noor, if the policy asks.")
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
    by: str,
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
            by=by,
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
    return ORDER.sub("&#35;" if form == "junit" else r"\\u0023", text)


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
        Text(f"{mark} {verdict}  {safe(subject(content))}", style=f"bold {colour}"),
        Text(f"policy {safe(policy['name'])} version {safe(policy['version'])}, as of {question['as_of']}"),
        Text(""),
        *requirement_lines(rows, words if asks(content) else {}),
    ]
    warnings = [item for item in content["findings"] if item["severity"] == "warning"]
    said += [Text(f"warning: {safe(item['message'])}") for item in warnings]
    counts = Counter(row.outcome for row in rows)
    return [
        *said,
        Text(""),
        Text(", ".join(f"{word}: {counts[outcome]}" for outcome, word in words.items())),
        Text(f"audit digest {content['digest']}", style="dim"),
        Text(f"Next: {_next(content, rows)}"),
    ]


def _next(content: Mapping[str, Any], rows: list[Judged]) -> str:
    from ..reports.judgements import asks, subject

    what = safe(subject(content))
    worst = rows[0]
    if content["verdict"] == "PASSED":
        if asks(content):
            return "keep the audit digest; this states evidence, not compliance"
        return f"{what} may be released; keep the audit digest with the release"
    if content["verdict"] == "FAILED":
        if asks(content):
            return f"look at the records that contradict “{safe(worst.title)}”"
        return (
            f"do not release {what}; make “{safe(worst.title)}” hold and put it on record, or waive it in the policy: "
            "who, why and until when"
        )
    open_ = next(row for row in rows if row.outcome == "undetermined")
    if open_.needed:
        return f"put on record {safe(open_.needed)}, ingest it, and ask again"
    return f"find out why “{safe(open_.title)}” cannot be determined, put it on record, ingest it, and ask again"
