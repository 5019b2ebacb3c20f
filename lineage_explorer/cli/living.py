"""``lifecycle``: the versions of a model through their stages, what is kept how long, and what certifies their end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import LineageError
from ..tables import visible
from .terminal import print_frame, print_json

if TYPE_CHECKING:
    from ..lifecycles import Lifecycle

_TABLES = ("stages", "retention", "certificates")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("model")
@click.option("--as-of", metavar="T", help="The instant asked about, e.g. 2026-03-01T12:00:00Z. Now by default.")
@click.option("--known-at", metavar="T", help="Use only what the store knew by then.")
@click.option(
    "--keep",
    metavar="D",
    default="7y",
    show_default=True,
    help="How long versions are to be kept after they were retired: a number and h, d, w, m or y.",
)
@click.option(
    "--table",
    type=click.Choice(_TABLES),
    default="stages",
    show_default=True,
    help="Which table --csv, or a .csv file, holds.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write everything to .json, or a table to .csv.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def lifecycle(
    store: str,
    model: str,
    as_of: str | None,
    known_at: str | None,
    keep: str,
    table: str,
    output: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show every version of MODEL through its stages, until when it is kept, and what certifies its end.

    Stages come from what registries were seen to say, sync after sync, from what served, and from evidence; between two
    syncs a change has two bounds. Nothing is judged: that is what audit and gate do.

    \b
    lineage-explorer lifecycle lineage.db churn
    lineage-explorer lifecycle lineage.db model:churn --as-of 2026-03-01T12:00:00Z
    lineage-explorer lifecycle lineage.db churn --table retention --keep 10y --csv
    lineage-explorer lifecycle lineage.db churn -o churn.json
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms; give one of them")
    suffix = Path(output).suffix.lower() if output else ""
    if output and suffix not in (".json", ".csv"):
        raise click.BadParameter(
            f"{suffix or 'a file without a suffix'} is not written; there are .json and .csv", param_hint="-o"
        )
    from ..lifecycles import lifecycle as ask
    from ..store import open_store

    with open_store(store) as opened:
        found = ask(opened, model, as_of=as_of, known_at=known_at)
    if output:
        _save(Path(output), suffix, found, table, keep)
    if as_json:
        print_json(found.to_dict(keep))
    elif as_csv:
        click.echo(_csv(found, table, keep), nl=False)
    else:
        _show(found, keep)
        if output:
            click.echo(f"Written: {output}")


def _show(found: Lifecycle, keep: str) -> None:
    click.echo(visible(repr(found), keep="\n"))
    retired = found.retention(keep)
    retired = retired[retired["retired_at"].notna()]
    if not retired.empty:
        click.echo(f"\nRetired versions, kept for {keep}:")
        print_frame(retired, as_json=False)
    certificates = found.certificates()
    if not certificates.empty:
        click.echo("\nCertificates:")
        print_frame(certificates, as_json=False)


def _csv(found: Lifecycle, table: str, keep: str) -> str:
    """A table as CSV whose texts no spreadsheet takes for formulas."""
    frame = found.retention(keep) if table == "retention" else getattr(found, table)()
    for name in frame.select_dtypes(exclude=["datetimetz"]):
        frame[name] = frame[name].map(
            lambda cell: f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell
        )
    text: str = frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ", lineterminator="\n")
    return visible(text, keep="\n")


#: What a spreadsheet reads as the beginning of a formula.
_FORMULA = tuple("=+-@\t\r")


def _save(path: Path, suffix: str, found: Lifecycle, table: str, keep: str) -> None:
    import json

    text = json.dumps(found.to_dict(keep), indent=2) + "\n" if suffix == ".json" else _csv(found, table, keep)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
