"""``ingest``: reading sources into a store, once or again and again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ..errors import LineageError, StoreNotFound
from ..redaction import redact_text
from ..tables import visible
from .terminal import console, print_json, progress

if TYPE_CHECKING:
    from ..sources import Source
    from ..store import Store, SyncResult

COUNTS = ("read", "stored", "unchanged", "quarantined", "vanished")


@click.command()
@click.argument("store", type=click.Path(dir_okay=False))
@click.argument("source", nargs=-1, required=True)
@click.option("--namespace", help="Name of the system instance in references; derived from the location by default.")
@click.option("--full", is_flag=True, help="Read everything, also where only changes since the last sync would do.")
@click.option(
    "--observed-at", metavar="T", help="When the source was in this state (an export has an age). Now by default."
)
@click.option(
    "--watch", metavar="SECONDS", type=click.FloatRange(min=0.1), help="Go on: read again after so many seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def ingest(
    store: str,
    source: tuple[str, ...],
    namespace: str | None,
    full: bool,
    observed_at: str | None,
    watch: float | None,
    as_json: bool,
) -> None:
    """Read the records of one or more SOURCEs into STORE, which is made if it is not there.

    SOURCE is a URL, a file or a folder, recognised by its content, or name:location. STORE is a file, or
    postgresql://user@host/database. Reading the same thing twice adds nothing. What a source showed before and
    shows no longer is put on record as vanished, and stays in the store.

    \b
    lineage-explorer ingest lineage.db http://localhost:5000
    lineage-explorer ingest lineage.db mlflow.db deployments.jsonl gates.csv
    lineage-explorer ingest lineage.db azureml:./exported-records --namespace azure-prod
    lineage-explorer ingest lineage.db http://localhost:5000 --watch 300
    """
    from ..records import parse_instant
    from ..sources import open_source

    seen = None if observed_at is None else parse_instant(observed_at)
    if watch is not None and seen is not None:
        raise click.UsageError("--watch reads what is so now; --observed-at says that it is not. Give one of them.")
    opened = [open_source(item, namespace=namespace) for item in source]
    with _store_for(store, opened) as target:
        if watch is not None:
            _watch(target, opened, watch, full=full, as_json=as_json)
            return
        rows: list[dict[str, Any]] = [
            {"source": item.name, "location": item.location, **_counts(_read(target, item, full=full, seen=seen))}
            for item in opened
        ]
    if as_json:
        print_json(
            {"store": redact_text(store), "syncs": rows, **{name: sum(row[name] for row in rows) for name in COUNTS}}
        )
        return
    _table(rows)
    quarantined = sum(row["quarantined"] for row in rows)
    if quarantined:
        click.echo(
            f"{quarantined} could not become records: lineage-explorer quarantine {redact_text(store)} shows why."
        )


def _read(store: Store, source: Source, *, full: bool, seen: datetime | None = None) -> SyncResult:
    with progress(f"{source.name} {source.location}") as advance:
        return store.ingest(source, progress=advance, full=full, observed_at=seen)


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("source", "location", *COUNTS):
        table.add_column(name, overflow="fold")  # the end of a path says most
    for row in rows:
        table.add_row(*(visible(str(value)) for value in row.values()))
    console().print(table)


def _store_for(store: str, sources: list[Source]) -> Store:
    """The store, made only when every source has something to say: a mistyped place leaves no file behind."""
    from ..store import open_store

    try:
        return open_store(store)
    except StoreNotFound:
        for source in sources:
            next(source.read(), None)
        return open_store(store, create_missing=True)


def _counts(result: SyncResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in COUNTS}


# --- again and again ---


class _Stopped(Exception):
    """A signal came while a source was read."""


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second signal interrupts whatever is being done."""
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(store: Store, sources: list[Source], seconds: float, *, full: bool, as_json: bool) -> None:
    """Read the sources again and again until a signal; a source that fails is told, and tried again."""
    with _signals() as stop:

        def advance(_count: int) -> None:
            if stop.is_set():
                raise _Stopped

        while not stop.is_set():
            for source in sources:
                said: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds")}
                said |= {"source": source.name, "location": source.location}
                try:
                    said |= _counts(store.ingest(source, progress=advance, full=full))
                except _Stopped:
                    break
                except LineageError as error:
                    said["error"] = " ".join(str(error).split())
                _tell(said, as_json=as_json)
            stop.wait(seconds)
    click.echo("Stopped; what was acknowledged is stored.", err=True)


def _tell(said: dict[str, Any], *, as_json: bool) -> None:
    """One line for each reading, at once: others read along."""
    import json

    if as_json:
        line = json.dumps(said)
    else:
        rest = said.get("error") or ", ".join(f"{said[name]} {name}" for name in COUNTS)
        line = visible(f"{said['at']}  {said['source']} {said['location']}: {rest}")
    click.echo(line, err="error" in said and not as_json)
