"""Keeping a store: what was synced, what was refused, and whether everything is still what was written."""

from __future__ import annotations

from pathlib import Path

import click

from ..redaction import redact_text
from ..tables import visible
from .terminal import print_frame, print_json, progress

_STORE = click.argument("store", type=click.Path(dir_okay=False))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.command()
@_STORE
@_JSON
def syncs(store: str, as_json: bool) -> None:
    """Show every sync of STORE: when, from where, and what became of what was read.

    \b
    lineage-explorer syncs lineage.db
    """
    from ..store import open_store

    with open_store(store) as opened:
        print_frame(opened.syncs(), as_json=as_json)


@click.command()
@_STORE
@click.option("--all", "every", is_flag=True, help="Also what is settled: gone from its source, or read well since.")
@click.option("--retry", is_flag=True, help="First read the sources of what is quarantined again, in full.")
@_JSON
def quarantine(store: str, every: bool, retry: bool, as_json: bool) -> None:
    """Show what was read into STORE and could not become a record, and why.

    After an upgrade --retry reads those sources again: what this version understands becomes records and leaves
    quarantine.

    \b
    lineage-explorer quarantine lineage.db
    lineage-explorer quarantine lineage.db --retry
    """
    from ..store import open_store

    with open_store(store) as opened:
        if retry:
            with progress("retrying") as advance:
                outcomes = opened.retry(progress=advance)
            for outcome in outcomes:
                told = f"not read again: {outcome.error}" if outcome.error else f"{outcome.stored} stored"
                click.echo(visible(f"{outcome.system}:{outcome.location}: {told}"), err=True)
        print_frame(opened.quarantine(every=every), as_json=as_json)


@click.command()
@_STORE
@click.option(
    "--against",
    metavar="HEAD",
    help="A head kept elsewhere (or a file that holds one), as checkpoint printed it: proves that the log only grew.",
)
@_JSON
def verify(store: str, against: str | None, as_json: bool) -> int:
    """Check that nothing in STORE was changed, removed or reordered since it was written.

    Recomputes every digest and the Merkle tree, and replays the journal to compare it with the tables that answer
    questions. Exit status: 0 everything fits, 1 something does not, 2 a usage or other error.

    \b
    lineage-explorer verify lineage.db
    lineage-explorer verify lineage.db --against "$(cat head-of-march.txt)"
    """
    from ..store import open_store

    if against is not None and ":" not in against and Path(against).is_file():
        against = Path(against).read_text(encoding="utf-8")
    with open_store(store) as opened, progress("verifying", " entries") as advance:
        found = opened.verify(against, progress=advance)
    if as_json:
        print_json(
            {
                "ok": found.ok,
                "head": str(found.head),
                "entries": found.entries,
                "syncs": found.syncs,
                "anchored": found.anchored,
                "problems": [{"where": item.where, "message": item.message} for item in found.problems],
                "problem_count": found.count,
            }
        )
        return 0 if found.ok else 1
    for item in found.problems:
        click.echo(visible(item.message))
    if found.count > len(found.problems):
        click.echo(f"... and {found.count - len(found.problems)} more.")
    click.echo(f"{'OK' if found.ok else 'NOT OK'}: {found.entries} entries of {found.syncs} syncs, head {found.head}")
    if not found.anchored:
        click.echo(
            "No outside anchor: whoever can rewrite the whole store can make it look sound. Keep what "
            f"`lineage-explorer checkpoint {redact_text(store)}` prints elsewhere, and give it as --against."
        )
    return 0 if found.ok else 1


@click.command()
@_STORE
@_JSON
def checkpoint(store: str, as_json: bool) -> None:
    """Print the head of STORE's log, size:root, to keep elsewhere: the proof that later the log only grew.

    \b
    lineage-explorer checkpoint lineage.db
    lineage-explorer checkpoint lineage.db --json
    """
    from ..store import open_store

    with open_store(store) as opened:
        head = opened.checkpoint()
    if as_json:
        print_json({"store": redact_text(store), "size": head.size, "root": head.root.hex(), "head": str(head)})
    else:
        click.echo(str(head))


@click.command()
@_STORE
def rebuild(store: str) -> None:
    """Make the tables that answer questions anew from STORE's journal.

    \b
    lineage-explorer rebuild lineage.db
    """
    from ..store import open_store

    with open_store(store) as opened, progress("rebuilding", " entries") as advance:
        count = opened.rebuild(progress=advance)
    click.echo(f"Replayed {count} entries.")
