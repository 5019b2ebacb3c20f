"""How many records a second come into the store, from a real MLflow estate of 5,000 runs and 2,000 versions.

Over HTTP from a real ``mlflow server``, and from its database file; reading alone, and reading with storing;
beside ``MlflowClient`` paging through the same estate and keeping nothing, and beside bare SQLite insertion of
the same bodies. The estate's rows are MLflow's own (see mlflow_estate.py). Before any time counts, what came
over HTTP is compared with what came from the file, and with the numbers of things that the client saw.
"""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks.mlflow_estate import RUNS, VERSIONS, environment, estate, served
from benchmarks.report import ROOT, Figure, parser, percentile, say, show
from lineage_explorer import open_source, open_store
from lineage_explorer.records import Record, canonical
from lineage_explorer.sources.protocol import Observation
from lineage_explorer.store.database import BATCH

_NAMESPACE = "bench"


class Differs(AssertionError):
    """Two ways of reading one estate gave different things; their times cannot be compared."""


def _read(location: str) -> list[Record]:
    """Every record of the estate, none rejected."""
    records: list[Record] = []
    for item in open_source(location, namespace=_NAMESPACE).read():
        if not isinstance(item, Observation):
            raise Differs(f"{location}: {item.position} was rejected: {item.reason}")
        records.append(item.record)
    return records


def _seconds(work: Callable[[], Any], repeat: int, bar: Any, what: str) -> tuple[float, Any]:
    """The median time of a piece of work, and its last result."""
    times: list[float] = []
    result = None
    for _ in range(repeat):
        bar.set_postfix_str(what)
        result = None
        gc.collect()
        begun = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begun)
        bar.update()
    return percentile(times, 50), result


def _ingest(location: str, path: Path) -> Callable[[], int]:
    def work() -> int:
        path.unlink(missing_ok=True)
        with open_store(path, create_missing=True) as store:
            result = store.ingest(open_source(location, namespace=_NAMESPACE))
        if result.quarantined:
            raise Differs(f"{result.quarantined} records of {location} were quarantined")
        return result.read

    return work


def _again(location: str, path: Path) -> Callable[[], int]:
    def work() -> int:
        with open_store(path) as store:
            result = store.ingest(open_source(location, namespace=_NAMESPACE))
        if result.stored:
            raise Differs(f"{result.stored} records of {location} were new the second time")
        return result.read

    return work


def _bare(bodies: list[bytes], path: Path) -> Callable[[], int]:
    """The least that keeping these bodies costs: one table, as safely committed and as often."""

    def work() -> int:
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("CREATE TABLE body (digest BLOB PRIMARY KEY, json TEXT NOT NULL)")
        for start in range(0, len(bodies), BATCH):
            rows = [(hashlib.sha256(body).digest(), body.decode()) for body in bodies[start : start + BATCH]]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO body VALUES (?, ?)", rows)
            connection.execute("COMMIT")
        connection.close()
        return len(bodies)

    return work


def _page(uri: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.paging", uri],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _paged(uri: str, repeat: int, bar: Any, what: str) -> tuple[float, dict[str, int]]:
    times, things = [], {}
    for _ in range(repeat):
        bar.set_postfix_str(what)
        found = _page(uri)
        times.append(found["seconds"])
        things = found["things"]
        bar.update()
    return percentile(times, 50), things


def _compare(file: list[Record], server: list[Record], things: dict[str, int], copies: int) -> None:
    first, second = ({canonical(record) for record in records} for records in (file, server))
    if first != second:
        example = next(iter(first ^ second)).decode()[:300]
        raise Differs(f"the file gave {len(first)} records, the server {len(second)}; only one of them gave {example}")
    kinds = Counter(getattr(record, "ref", "").partition(":")[0] for record in file)
    for kind, name in (("run", "runs"), ("logged_model", "logged models")):
        if kinds[kind] != things[name]:
            raise Differs(f"{kinds[kind]} {name} were read, and MlflowClient saw {things[name]}")
    if (things["runs"], things["versions"]) != (RUNS * copies, VERSIONS * copies):
        raise Differs(f"the estate is not of the size it should be: {things}")


def figures(arguments: Any) -> tuple[list[Figure], list[str]]:
    """Every figure of this benchmark, and remarks."""
    copies, repeat = (20, 1) if arguments.quick else (200, 3)
    work: Path = arguments.work
    database = estate(copies, work)
    size = f"{RUNS * copies:,} runs, {VERSIONS * copies:,} versions"
    # The server and the client may migrate what they open: each gets a copy.
    others = {name: work / f"mlflow-{name}.db" for name in ("server", "client")}
    for path in others.values():
        shutil.copyfile(database, path)
    store = work / "ingested.db"
    with tqdm(total=5 * repeat + 3, desc=size, leave=False) as bar:
        read_file, from_file = _seconds(lambda: _read(str(database)), repeat, bar, "reading the file")
        bodies = [canonical(record) for record in from_file]
        bare, _ = _seconds(_bare(bodies, work / "bare.db"), repeat, bar, "bare insertion")
        stored_file, count = _seconds(_ingest(str(database), store), repeat, bar, "storing from the file")
        again, _ = _seconds(_again(str(database), store), repeat, bar, "the same again")
        paged_file, things = _paged(f"sqlite:///{others['client']}", repeat, bar, "MlflowClient, file")
        with served(others["server"], work) as address:
            paged_http, seen = _paged(address, 1, bar, "MlflowClient, HTTP")
            read_http, from_server = _seconds(lambda: _read(address), 1, bar, "reading over HTTP")
            stored_http, _ = _seconds(_ingest(address, store), 1, bar, "storing over HTTP")
    if seen != things:
        raise Differs(f"MlflowClient saw {things} in the file and {seen} over HTTP")
    _compare(from_file, from_server, things, copies)
    found: list[Figure] = []

    def add(name: str, seconds: float, peers: dict[str, float]) -> None:
        found.append(Figure(name, count / seconds, "records/s", size=size))
        for peer, theirs in peers.items():
            found.append(Figure(name, count / theirs, "records/s", peer, theirs / seconds, size))

    over_http, in_file = "MlflowClient over HTTP, paging alone", "MlflowClient on the file, paging alone"
    add("reading the file", read_file, {in_file: paged_file})
    add("file into the store", stored_file, {in_file: paged_file, "bare SQLite insertion, nothing read": bare})
    add("file into the store again, nothing new", again, {})
    add("reading over HTTP", read_http, {over_http: paged_http})
    add("HTTP into the store", stored_http, {over_http: paged_http, "bare SQLite insertion, nothing read": bare})
    found.append(Figure("store file", store.stat().st_size / 2**20, "MB", size=size))
    found.append(
        Figure(
            "store file",
            database.stat().st_size / 2**20,
            "MB",
            "MLflow's own file",
            database.stat().st_size / store.stat().st_size,
            size,
        )
    )
    remarks = [
        f"{size}: {count:,} records, the same from the file and over HTTP; "
        + ", ".join(f"{number:,} {name}" for name, number in things.items()),
        "MlflowClient's pages are counted as the records that the same things make; it makes none and stores nothing",
        f"medians of {repeat}; over HTTP, where a read takes longest, one",
        "the estate: one project written by MlflowClient into a schema that MLflow made, its rows then copied by SQL "
        "with ids of their own",
    ]
    return found, remarks


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    return parser(__doc__ or "", "python benchmarks/ingest.py --quick").parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked = arguments(given)
    try:
        found, remarks = figures(asked)
    except Differs as error:
        say(f"answers differ, so no time counts. {error}")
        return 1
    show(found, as_json=asked.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
