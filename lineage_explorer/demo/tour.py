"""The demo from end to end: build the estate, read it as it grows, ask, report."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ..questions import audit
from ..records import format_instant
from ..sentences import VERDICT_MARKS
from ..sources import open_source
from ..store import Store, SyncResult, open_store
from . import DemoEstate, build

if TYPE_CHECKING:
    from rich.console import Console

    from ..audits import Audit

#: Names the MLflow instance in references, wherever the demo's folder stands.
NAMESPACE = "demo"


def run(directory: Path, console: Console) -> DemoEstate:
    """Build, ingest, audit and report, telling what happens.

    Parameters
    ----------
    directory : Path
        Empty, new, or an earlier demo.
    console : rich.console.Console
        Where the answers are printed.

    Returns
    -------
    DemoEstate
        What was built.
    """
    began = time.monotonic()
    total = SyncResult()
    with tqdm(total=1, unit="step", bar_format="{percentage:3.0f}%|{bar:24}| {desc}") as bar:

        def progress(done: int, steps: int, what: str) -> None:
            bar.total, bar.n = steps, done
            bar.set_description_str(what[:60])

        def sync(_when: datetime) -> None:
            nonlocal total
            with open_store(directory / "lineage.db", create_missing=True) as store:
                total += read(store, directory)

        estate = build(directory, sync=sync, progress=progress)
        sync(estate.now)
    console.print(
        f"Read {total.read:,} records in {len(estate.syncs) + 1} syncs: {total.stored:,} stored, "
        f"{total.unchanged:,} unchanged, {total.quarantined:,} quarantined.\n"
    )
    with open_store(estate.store) as store:
        for endpoint in estate.endpoints:
            _tell(console, audit(store, endpoint))
        then = audit(store, estate.endpoints[0], as_of=estate.last_month)
        console.print(f"And a month ago ({format_instant(estate.last_month)}):")
        _tell(console, then)
        audit(store, estate.endpoints[0]).save(estate.report)
        for endpoint in estate.endpoints[1:]:
            audit(store, endpoint).save(directory / f"report-{endpoint}.html")
    console.print(
        f"Took {time.monotonic() - began:.0f} s. The store is {estate.store}; the report is {estate.report}\n"
        f"(open it in a browser: one file, no network). Ask it yourself:\n\n"
        f"  lineage-explorer audit {estate.store} churn-prod --as-of {format_instant(estate.last_month)}\n"
        f"  make lab        opens JupyterLab on notebooks/01-which-data-trained-this-model.ipynb"
    )
    return estate


def read(store: Store, directory: Path) -> SyncResult:
    """Ingest the estate in a folder as it now is: the MLflow database and the pipeline's record files."""
    total = store.ingest(open_source(f"mlflow:{directory / 'mlflow.db'}", namespace=NAMESPACE))
    for path in sorted(directory.glob("*.jsonl")):
        total += store.ingest(open_source(f"records:{path}"))
    return total


def _tell(console: Console, result: Audit) -> None:
    from rich.text import Text

    mark, colour = VERDICT_MARKS[result.verdict]
    console.print(Text(f"{mark} {result.verdict:<10} {result.endpoint}", style=f"bold {colour}"))
    console.print(Text(result.answer), soft_wrap=False)
    console.print()
