"""The command line: ``lineage-explorer COMMAND --help`` shows examples."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .errors import LineageError, StoreNotFound
from .version import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from .audits import Audit
    from .sources import Source
    from .store import Store, SyncResult

#: What ``audit`` tells a script. 2 is a usage or other error, 130 an interrupt.
EXIT = {"PASSED": 0, "FAILED": 1, "INCOMPLETE": 3}
#: How much of a refused text a table shows, in characters; reasons and positions are shown whole.
_EXCERPT = 60


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False)


def main() -> NoReturn:
    """Run the command line; every failure is one sentence on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal or pipe that cannot hold every sign
    try:
        status = commands.main(standalone_mode=False, prog_name="lineage-explorer")
    except click.exceptions.Abort:
        click.echo("Interrupted; what was acknowledged is stored.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except LineageError as error:
        click.echo(f"Error: {_visible(' '.join(str(error).splitlines()))}", err=True)
        sys.exit(2)
    except (BrokenPipeError, SystemExit):
        # When nobody reads its output any more, click leaves with 1, which would be a verdict.
        sys.exit(2)
    except OSError as error:
        click.echo(f"Error: {_visible(str(error))}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - told in full, and never with the exit status of a verdict
        _tell_unforeseen(error)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _tell_unforeseen(error: Exception) -> None:
    import traceback

    click.echo(_visible("".join(traceback.format_exception(error)), keep="\n"), err=True)
    click.echo(
        f"Error: {type(error).__name__}: {_visible(str(error))}. This is a bug; please report it.",
        err=True,
    )


def _visible(text: str, keep: str = "") -> str:
    """A record's text on a terminal: escape sequences, direction marks and line breaks are shown, not obeyed."""
    return "".join(char if char.isprintable() or char in keep else f"\\u{ord(char):04x}" for char in text)


def _json(value: Any) -> None:
    # ASCII: what a record holds cannot reach the terminal, and every encoding can carry it.
    click.echo(json.dumps(value, indent=2, default=str))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lineage-explorer")
def commands() -> None:
    """Which data trained the model that serves this endpoint, and what proves it was allowed to?

    \b
    lineage-explorer demo                                try it on a made-up estate
    lineage-explorer ingest lineage.db mlflow.db         read a system's records
    lineage-explorer audit lineage.db churn-prod         ask
    """


# --- ingest ---


@commands.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("source", nargs=-1, required=True)
@click.option("--namespace", help="Name of the system instance in references; derived from the location by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def ingest(store: str, source: tuple[str, ...], namespace: str | None, as_json: bool) -> None:
    """Read the records of one or more SOURCEs into STORE, which is made if it is not there.

    SOURCE is a URL, a file or a folder, recognised by its content, or name:location.
    Reading the same thing twice adds nothing.

    \b
    lineage-explorer ingest lineage.db http://localhost:5000
    lineage-explorer ingest lineage.db mlflow.db deployments.jsonl gates.csv
    lineage-explorer ingest lineage.db azureml:./exported-records --namespace azure-prod
    """
    from .sources import open_source
    from .store import SyncResult

    opened = [open_source(item, namespace=namespace) for item in source]
    total = SyncResult()
    rows: list[dict[str, Any]] = []
    with _store_for(store, opened) as target:
        for item in opened:
            with _progress(item) as advance:
                result = target.ingest(item, progress=advance)
            total += result
            rows.append({"source": item.name, "location": item.location, **_counts(result)})
    if as_json:
        _json({"store": store, "syncs": rows, **_counts(total)})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("source", "location", "read", "stored", "unchanged", "quarantined"):
        table.add_column(name, overflow="fold")  # the end of a path says most
    for row in rows:
        table.add_row(*(_visible(str(value)) for value in row.values()))
    _console().print(table)
    if total.quarantined:
        click.echo(f"{total.quarantined} could not become records: lineage-explorer quarantine {store} shows why.")


def _store_for(store: str, sources: list[Source]) -> Store:
    """The store, made only when every source has something to say: a mistyped place leaves no file behind."""
    from .store import open_store

    try:
        return open_store(store)
    except StoreNotFound:
        for source in sources:
            next(source.read(), None)
        return open_store(store, create_missing=True)


def _counts(result: SyncResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in ("read", "stored", "unchanged", "quarantined")}


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[int], object]]:
    from tqdm.auto import tqdm

    with tqdm(desc=f"{source.name} {source.location}"[:60], unit=" records", disable=not sys.stderr.isatty()) as bar:
        yield bar.update


# --- audit ---


@commands.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("endpoint")
@click.option("--as-of", metavar="T", help="The instant asked about, e.g. 2026-03-01T12:00:00Z. Now by default.")
@click.option("--known-at", metavar="T", help="Use only what the store knew by then.")
@click.option("--policy", metavar="P", help="A shipped policy's name or a TOML file. Default: default.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write a report: .html, .json, .svg or .md.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole audit as JSON.")
def audit(
    store: str,
    endpoint: str,
    as_of: str | None,
    known_at: str | None,
    policy: str | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Which data trained the model behind ENDPOINT, and do its gates hold?

    Exit status: 0 PASSED, 1 FAILED, 3 INCOMPLETE, 2 a usage or other error.

    \b
    lineage-explorer audit lineage.db churn-prod
    lineage-explorer audit lineage.db endpoint:churn-prod --as-of 2026-03-01T12:00:00Z
    lineage-explorer audit lineage.db churn-prod -o report.html
    """
    from .questions import audit as ask
    from .store import open_store

    with open_store(store) as opened:
        result = ask(opened, endpoint, as_of=as_of, known_at=known_at, policy=policy)
    if output:
        result.save(output)
    if as_json:
        _json(result.to_dict())
    else:
        _show(result)
        if output:
            click.echo(f"Report: {output}")
    return EXIT[result.verdict]


def _show(result: Audit) -> None:
    from rich.table import Table
    from rich.text import Text

    from .sentences import VERDICT_MARKS

    console = _console()
    content = result.to_dict()
    mark, colour = VERDICT_MARKS[result.verdict]
    console.print(
        Text(
            f"{mark} {result.verdict}  {_visible(result.endpoint)}",
            style=f"bold {colour}",
        )
    )
    console.print(Text(_visible(result.answer)), soft_wrap=False)
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("cause", "link", "effect", "basis", "gate"):
        table.add_column(name, overflow="fold")  # a narrow terminal breaks a reference; it never drops a part of it
    for hop in content["hops"]:
        link = hop["predicate"].replace("_", " ") + (f" ({hop['role']})" if hop["role"] else "")
        link += f" {hop['traffic']:g} %" if hop["traffic"] is not None else ""
        row = (_short(hop["cause"]), link, _short(hop["effect"]), hop["basis"].replace("_", " "))
        table.add_row(*(Text(_visible(cell)) for cell in row), Text("" if hop["status"] == "none" else hop["status"]))
    console.print(table)
    shown = [item for item in content["findings"] if item["severity"] != "info"]
    if shown:
        console.print()
        for item in shown:
            console.print(Text(f"{item['severity']}: {_visible(item['message'])}"))
    console.print(Text(f"\naudit digest {result.digest}", style="dim"))


def _short(ref: str) -> str:
    from .records import Ref
    from .sentences import short

    parsed = Ref.parse(ref)
    return f"{parsed.kind}:{parsed.name}" + (f"@{short(parsed.version)}" if parsed.version else "")


# --- looking around ---


@commands.command()
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
    from .store import open_store

    with open_store(store) as opened:
        hits = opened.search(text, limit)
    if as_json:
        _json([hit._asdict() for hit in hits])
        return
    for hit in hits:
        click.echo(_visible(hit.ref) + ("" if hit.resolved else "  (referred to, not described)"))
    if not hits:
        click.echo(f"Nothing in {store} matches {text!r}.", err=True)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sources(as_json: bool) -> None:
    """List the systems whose records can be read.

    \b
    lineage-explorer sources
    """
    from .sources import available
    from .sources.protocol import load

    rows = [{"name": name, "summary": load(name).summary} for name in available()]
    if as_json:
        _json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']:<10} {row['summary']}")


@commands.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def syncs(store: str, as_json: bool) -> None:
    """Show every sync of STORE: when, from where, and what became of what was read.

    \b
    lineage-explorer syncs lineage.db
    """
    from .store import open_store

    with open_store(store) as opened:
        _frame(opened.syncs(), as_json)


@commands.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def quarantine(store: str, as_json: bool) -> None:
    """Show what was read into STORE and could not become a record, and why.

    \b
    lineage-explorer quarantine lineage.db
    """
    from .store import open_store

    with open_store(store) as opened:
        _frame(opened.quarantine(), as_json)


def _frame(frame: Any, as_json: bool) -> None:
    if as_json:
        click.echo(frame.to_json(orient="records", date_format="iso", indent=2))
        return
    if frame.empty:
        click.echo("Nothing.")
        return
    if "excerpt" in frame:
        frame = frame.assign(excerpt=frame["excerpt"].str.slice(0, _EXCERPT))
    click.echo(_visible(frame.to_string(index=False), keep="\n"))


# --- record: one line that a CI pipeline can call ---


@commands.group()
def record() -> None:
    """Write down a deployment, a gate or a dataset that no system keeps: one line, one call.

    Each call appends one JSON line to FILE (checked first), which `ingest` reads like any source.

    \b
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@3
    lineage-explorer ingest lineage.db deployments.jsonl
    """


_TIME = click.option("--at", metavar="T", help="When it was so, with a time zone. Now by default.")
_BY = click.option("--by", metavar="WHO", help="Who did it, e.g. person:mia or service:ci.")


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--endpoint", required=True, help="Name of the endpoint.")
@click.option("--model", required=True, metavar="REF", help="What was rolled out, e.g. model:churn@3.")
@click.option("--deployment", help="Name of the deployment; another record of the same name replaces this one.")
@click.option("--traffic", type=click.FloatRange(0, 100), help="Percent of requests. Without --deployment: 100.")
@click.option("--site", help="Plant, region or tenant, where one endpoint has several.")
@click.option("--environment", help="E.g. production.")
@click.option("--model-digest", help="Digest of the deployed bytes, e.g. sha256:...")
@_TIME
@_BY
def deployment(file: str, **row: Any) -> None:
    """Record what was rolled out to an endpoint.

    \b
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@3
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@4 \\
        --deployment canary --traffic 10 --by service:ci
    """
    _append(file, "deployment", row)


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--subject", required=True, metavar="REF", help="Exactly what was judged, e.g. model:churn@3.")
@click.option("--gate", required=True, help="The gate's name.")
@click.option(
    "--status",
    required=True,
    type=click.Choice(["passed", "failed", "pending", "waived", "stale", "missing", "undetermined"]),
)
@click.option(
    "--gate-type",
    type=click.Choice(
        ["evaluation", "approval", "data_quality", "safety", "fairness", "security", "monitoring", "other"]
    ),
    help="What sort of question the gate answers.",
)
@click.option("--expected", help="The condition, e.g. 'auc >= 0.8'.")
@click.option("--actual", help="The value met.")
@click.option("--pointer", help="Where the proof is: a run reference or a URI. Never fetched.")
@_TIME
@_BY
def gate(file: str, **row: Any) -> None:
    """Record a gate's result about one subject.

    \b
    lineage-explorer record gate gates.jsonl --subject model:churn@3 --gate approval --status passed --by person:mia
    lineage-explorer record gate gates.jsonl --subject dataset:customers@2026-07 --gate null-rate \\
        --gate-type data_quality --status failed --expected "<= 1 %" --actual "3.2 %"
    """
    _append(file, "gate", row)


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--dataset", required=True, metavar="REF", help="E.g. dataset:customers@2026-07.")
@click.option("--sha256", help="SHA-256 of its bytes.")
@click.option("--uri", help="Where it is kept. Never fetched.")
@click.option("--derived-from", multiple=True, metavar="REF", help="What it was made from; may be repeated.")
@click.option("--description", help="Free text.")
@click.option("--created-at", metavar="T", help="When it was made, with a time zone.")
def dataset(file: str, derived_from: tuple[str, ...], **row: Any) -> None:
    """Record a dataset version.

    \b
    lineage-explorer record dataset datasets.jsonl --dataset dataset:customers@2026-07 --sha256 4f5d...
    """
    _append(file, "dataset", {**row, "derived_from": list(derived_from) or None})


def _append(file: str, kind: str, row: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from .records import format_instant
    from .sources.neutral import append_row

    filled = {key: value for key, value in row.items() if value is not None}
    if "at" in row:
        filled.setdefault("at", format_instant(datetime.now(UTC)))
    append_row(file, {"type": kind, **filled})
    click.echo(f"Recorded in {file}.")


# --- demo ---


@commands.command()
@click.argument("directory", default="demo", type=click.Path(file_okay=False, path_type=Path))
def demo(directory: Path) -> None:
    """Build a real estate in DIRECTORY (./demo by default), ingest it, audit it and write a report.

    Three months of a small company: preparation, training and evaluation with scikit-learn against a real
    MLflow store, approvals, roll-outs, a rollback. Takes under a minute.

    \b
    lineage-explorer demo
    lineage-explorer demo /tmp/estate
    """
    from .demo.tour import run

    run(directory, _console())
