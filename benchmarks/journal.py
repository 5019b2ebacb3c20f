"""What the journal and its two times cost: estates of 10 thousand to 10 million records, on SQLite and PostgreSQL.

For each size and engine: a trace's p50 and p99 as it is known now and as it was known before a second sync corrected
four records in a hundred, beside a bare recursive statement over a table with one time or none; the first answer of
a process, with the file in the system's cache and without; what depends on a dataset; bytes for each record. Search
as you type over a million names. A file of records into the store beside ``json.loads`` and bare insertion; one
record and one commit beside DuckDB; rebuilding and verifying. And what two ledgers from PyPI say of the same estate.

Answers are compared before times count: SQLite's with PostgreSQL's, the bare tables' and the peers' with ours.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks import keeping, ledgers
from benchmarks.asking import make_bare
from benchmarks.estate import AS_OF
from benchmarks.load import KNOWN_AFTER, KNOWN_BEFORE, Estate, estate, estate_of
from benchmarks.postgres import SETTINGS, Server, binaries, estate_on
from benchmarks.report import ROOT, Figure, number, parser, percentile, say, show
from lineage_explorer.references import micros_of

_TIMES = {"as_of": micros_of(AS_OF), "before": micros_of(KNOWN_BEFORE), "after": micros_of(KNOWN_AFTER)}
_SQLITE, _POSTGRES = "SQLite", "PostgreSQL"
_MID, _POPULAR = "a dataset of the middle", "the most used dataset"
#: A supernode's impact is counted, not fetched, above so many things.
_MOST = 250_000


class Differs(AssertionError):
    """Two ways of asking gave different answers; their times cannot be compared."""


class Place(NamedTuple):
    """An estate on one engine."""

    engine: str
    store: str
    bare: str


class Measured(NamedTuple):
    """What later figures are compared with."""

    graph: float
    evicted: float
    answers: list[str]


def run(module: str, what: str, task: dict[str, Any]) -> dict[str, Any]:
    """One task in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", what],
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"benchmarks.{module} {what} ended with {done.returncode}; its message is above")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def evict(paths: Iterable[Path]) -> None:
    """Let the system forget the pages of files: written first, or they could not be let go."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


class _Size:
    """Every figure of one estate on one engine."""

    def __init__(self, found: Estate, place: Place, server: Server | None, arguments: Any) -> None:
        self._found, self._place, self._server, self._arguments = found, place, server, arguments
        self._size = f"{found.entries:,} records: {found.size}; {place.engine}"
        self.figures: list[Figure] = []
        self.notes: list[str] = []
        chance = random.Random(found.nodes)
        count = min(arguments.questions, len(found.endpoints))
        self._questions = chance.sample(found.endpoints, count)

    def _add(
        self, name: str, value: float, unit: str, peer: str | None = None, ratio: float | None = None, want: str = ""
    ) -> None:
        self.figures.append(Figure(name, value, unit, peer, ratio, self._size, want))

    def all(self, other: Measured | None) -> Measured:
        """Measure; ``other`` is SQLite's figures where this is PostgreSQL."""
        graph, answers = self._traces(other)
        evicted = self._cold()
        self._impact()
        self._bytes()
        return Measured(graph, evicted, answers)

    def _traces(self, other: Measured | None) -> tuple[float, list[str]]:
        place = self._place
        told = run(
            "asking", "traces", {"store": place.store, "bare": place.bare, "questions": self._questions, **_TIMES}
        )
        answers: dict[str, list[str]] = told["answers"]
        for ours, theirs in (("walk", "walk, one time"), ("statement", "statement, no time")):
            if answers[ours] != answers[theirs]:
                raise Differs(f"{self._size}: the bare tables ({theirs}) and the store answer differently")
        if other is not None and answers["graph"] != other.answers:
            raise Differs(f"{self._size}: PostgreSQL and SQLite answer differently")
        changed = sum(map(str.__ne__, answers["graph"], answers["graph, known before"]))
        self.notes.append(
            f"{self._size}: {changed} of {len(self._questions)} answers differ with what was known before"
        )
        seconds: dict[str, list[float]] = told["seconds"]
        names = {"statement": "the statement alone", "walk": "walk", "graph": "trace to graph"}
        for way, name in names.items():
            for share in (50, 99):
                mine = percentile(seconds[way], share) * 1e3
                self._add(f"{name}, p{share}", mine, "ms")
                for peer, key, want in (
                    ("the same, known before the second sync", f"{way}, known before", "<= 3"),
                    ("bare tables, one time", f"{way}, one time", ">= 0.667"),
                    ("bare tables, no time, numbers only", f"{way}, no time", ""),
                ):
                    if key in seconds:
                        theirs = percentile(seconds[key], share) * 1e3
                        ratio = theirs / mine
                        self._add(f"{name}, p{share}", theirs, "ms", peer, ratio, want if share == 50 else "")
        middle = percentile(seconds["graph"], 50)
        if other is not None:
            self._add("trace to graph, p50", middle * 1e3, "ms", "itself on SQLite", middle / other.graph, "<= 2")
        self._add("peak memory of all these questions", told["peak_mb"], "MB")
        return middle, answers["graph"]

    def _cold(self) -> float:
        asked = self._questions[: self._arguments.cold]
        times: dict[bool, list[float]] = {False: [], True: []}
        inside: dict[bool, list[float]] = {False: [], True: []}
        beside: list[float] = []
        for gone in (False, True):
            for index, ref in enumerate([asked[0], *asked]):
                if gone:
                    self._forget()
                begun = time.perf_counter()
                told = run("asking", "cold", {"store": self._place.store, "question": ref, "as_of": _TIMES["as_of"]})
                if index:
                    times[gone].append(time.perf_counter() - begun)
                    inside[gone].append(told["seconds"])
                    beside.append(told["peak_mb"] - told["imported_mb"])
        self._add("cold process to answer, p50", percentile(times[False], 50) * 1e3, "ms")
        self._add("cold process to answer, its pages not in the cache, p50", percentile(times[True], 50) * 1e3, "ms")
        self._add("of that, opening the store and asking", percentile(inside[True], 50) * 1e3, "ms")
        worst = max(beside)
        self._add("memory of a cold answer beside the imports", worst, "MB", "the target", worst / 60, "<= 1")
        return percentile(times[True], 50)

    def _forget(self) -> None:
        if self._place.engine == _SQLITE:
            evict([Path(self._place.store)])
        elif self._server is not None:
            self._server.stop()
            evict(self._server.files())
            self._server.start()

    def _impact(self) -> None:
        datasets = {
            _MID: f"dataset:lake/shared-{min(self._found.nodes // 400, 200):05d}@1",
            _POPULAR: "dataset:lake/shared-00000@1",
        }
        task = {"store": self._place.store, "datasets": datasets, "most": _MOST, **_TIMES}
        for name, found in run("asking", "impacts", task)["impacts"].items():
            what = f"impact of {name}: {found['count']:,} things"
            self._add(f"{what}, counted", found["counted"] * 1e3, "ms")
            if "seconds" in found:
                self._add(f"{what}, {found['relations']:,} relations, fetched", found["seconds"] * 1e3, "ms")

    def _bytes(self) -> None:
        sizes: dict[str, int] = run("keeping", "sizes", {"store": self._place.store})["bytes"]
        entries = self._found.entries
        self._add("on disk for each record", sum(sizes.values()) / entries, "bytes")
        parts = ", ".join(
            f"{name} {number(size / entries)}" for name, size in sorted(sizes.items(), key=lambda p: -p[1])
        )
        self.notes.append(f"{self._size}: bytes for each record by table with its indexes: {parts}")


def _places(found: Estate, server: Server | None) -> tuple[list[Place], list[str]]:
    notes = []
    bare = Path(found.path).with_suffix(".bare")
    if not bare.exists():
        part = bare.with_suffix(".part")
        make_bare(found.path, str(part), _TIMES["as_of"])
        part.rename(bare)
    places = [Place(_SQLITE, found.path, str(bare))]
    notes.append(f"{found.entries:,} records: loaded into SQLite in {found.seconds:,.0f} s (when they were loaded)")
    if server is not None:
        url, seconds = estate_on(server, found.path)
        beside = f"{url}?schema=bare"
        if seconds:
            make_bare(found.path, beside, _TIMES["as_of"])
            notes.append(f"{found.entries:,} records: copied into PostgreSQL in {seconds:,.0f} s")
        places.append(Place(_POSTGRES, url, beside))
    return places, notes


def asked(arguments: Any, server: Server | None) -> tuple[list[Figure], list[str]]:
    """Every size on every engine."""
    figures: list[Figure] = []
    notes: list[str] = []
    smallest: dict[str, tuple[int, Measured]] = {}
    for size in arguments.sizes:
        found = estate_of(size, arguments.work)
        places, said = _places(found, server)
        notes += said
        other: Measured | None = None
        for place in tqdm(places, desc=f"{found.entries:,} records", leave=False):
            one = _Size(found, place, server, arguments)
            told = one.all(other)
            other = other or told
            first = smallest.setdefault(place.engine, (found.entries, told))
            if first[1] is not told:
                peer = f"itself at {first[0]:,} records"
                final = size >= 10_000_000
                for name, mine, base, want in (
                    ("trace to graph, p50", told.graph, first[1].graph, "<= 2.5"),
                    ("cold process to answer, its pages not in the cache, p50", told.evicted, first[1].evicted, "<= 2"),
                ):
                    one._add(name, mine * 1e3, "ms", peer, mine / base, want if final else "")
            figures += one.figures
            notes += one.notes
    return figures, notes


def searched(arguments: Any, server: Server | None) -> tuple[list[Figure], list[str]]:
    """Search as you type, over as many names as the arguments say."""
    found = estate(arguments.names, arguments.work)
    stores = {_SQLITE: found.path}
    if server is not None:
        stores[_POSTGRES] = estate_on(server, found.path)[0]
    figures = []
    for engine, store in stores.items():
        size = f"{found.nodes:,} names; {engine}"
        seconds: dict[str, list[float]] = run("asking", "searches", {"store": store, "count": 300})["seconds"]
        every = [value for values in seconds.values() for value in values]
        for name, values in {"search as you type, everything below": every, **seconds}.items():
            middle = percentile(values, 50) * 1e3
            figures.append(Figure(f"{name}, p50", middle, "ms", "the target, 1 ms", middle, size, "<= 1"))
            figures.append(Figure(f"{name}, p99", percentile(values, 99) * 1e3, "ms", size=size))
    return figures, []


def kept(arguments: Any, server: Server | None) -> tuple[list[Figure], list[str]]:
    """Into the store, and out of the journal again."""
    work: Path = arguments.work
    file, store, scratch = work / "records.jsonl", work / "kept.db", str(work / "scratch.db")
    count = keeping.lines(file, arguments.records)
    size = f"a file of {count:,} records"
    figures: list[Figure] = []

    def add(
        name: str, value: float, unit: str, peer: str | None = None, ratio: float | None = None, want: str = ""
    ) -> None:
        figures.append(Figure(name, value, unit, peer, ratio, size, want))

    best: dict[str, Any] = {}
    for _ in range(arguments.repeat):  # the least of several: the machine has other things to do at times
        store.unlink(missing_ok=True)
        told = run("keeping", "ingest", {"file": str(file), "store": str(store)})
        bare = run("keeping", "bare", {"store": str(store), "scratch": scratch})
        alone = run("keeping", "read", {"file": str(file)})
        for name, value in {
            **{name: told[name] for name in ("loads", "first", "again", "peak_mb")},
            "read": alone["seconds"],
            **bare["seconds"],
        }.items():
            best[name] = min(value, best.get(name, value))
    if told["first_result"][1] != told["first_result"][0] or told["again_result"][1]:
        raise Differs(f"the file was not stored once: {told['first_result']}, then {told['again_result']}")
    add("file into the store", count / best["first"], "records/s")
    ours = best["first"]
    for peer, key, want in (
        ("json.loads of each line, nothing kept", "loads", ">= 0.2"),
        ("the source read, nothing kept", "read", ""),
        ("bare executemany of the same rows", "rows", ">= 0.25"),
        ("bare executemany of the records alone, one table", "records", ""),
    ):
        add("file into the store", count / best[key], "records/s", peer, best[key] / ours, want)
    add("the same file again, nothing new", count / best["again"], "records/s", "the first time", ours / best["again"])
    add("peak memory of an ingest and a second one", best["peak_mb"], "MB")
    add("store file, grown, for each record", store.stat().st_size / count, "bytes")
    fresh = work / "profiled.db"
    fresh.unlink(missing_ok=True)
    profile = run("keeping", "shares", {"file": str(file), "store": str(fresh)})
    notes = ["time of an ingest under the profiler: " + ", ".join(f"{k} {v:.0%}" for k, v in profile["stages"].items())]
    notes.append(
        f"of it, whichever stage: inserts {profile['inserts']:.0%}, reading queries {profile['lookups']:.0%}, "
        f"other statements and commits {profile['execute']:.0%}"
    )
    single = run(
        "keeping",
        "single",
        {"base": str(store), "store": scratch, "scratch": str(work / "single.duckdb"), "count": arguments.singles},
    )
    mine, theirs = (percentile(single[name], 50) * 1e3 for name in ("store", "duckdb"))
    add("one record, one commit, p50", mine, "ms")
    add("one record, one commit, p50", theirs, "ms", "duckdb, one row", theirs / mine, ">= 5")
    stores = {_SQLITE: str(store)}
    if server is not None:
        stores[_POSTGRES] = server.made("kept")
        told = run("keeping", "ingest", {"file": str(file), "store": stores[_POSTGRES]})
        add(
            "file into the store, on PostgreSQL",
            count / told["first"],
            "records/s",
            "itself on SQLite",
            ours / told["first"],
        )
        on_server = run("keeping", "single", {"store": stores[_POSTGRES], "scratch": scratch + ".duck", "count": 100})
        add("one record, one commit on PostgreSQL, p50", percentile(on_server["store"], 50) * 1e3, "ms")
    for engine, place in stores.items():
        made = run("keeping", "derive", {"store": place, "scratch": scratch})
        if not made["ok"]:
            raise Differs(f"{engine}: a store that was ingested does not verify: {made['problems']}")
        add(f"rebuilding the projection, {engine}", made["entries"] / made["rebuild"], "records/s")
        add(f"verifying, {engine}", made["entries"] / made["verify"], "records/s")
    return figures, notes


def figures(arguments: Any) -> tuple[list[Figure], list[str]]:
    """Every figure of this benchmark, and remarks."""
    arguments.work.mkdir(parents=True, exist_ok=True)
    server = None
    notes: list[str] = []
    if binaries() is None:
        say("PostgreSQL's server is not installed: its figures are missing (make system)")
        notes.append("without PostgreSQL: its server is not installed")
    elif not arguments.no_postgres:
        server = Server(arguments.work / "postgres")
        said = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
        notes.append(f"PostgreSQL {server.execute('SHOW server_version')[0][0]} on loopback with {said}")
    notes.append(
        "evicted: fsync and posix_fadvise(DONTNEED) of the file; of PostgreSQL's files, with the server stopped"
    )
    found: list[Figure] = []
    try:
        for part in (kept, asked, searched):
            if arguments.only in ("", part.__name__):
                more, said_more = part(arguments, server)
                found += more
                notes += said_more
        if arguments.only in ("", "ledgers"):
            more, said_more = ledgers.figures(arguments.work, 2_000 if arguments.quick else 10_000, Differs)
            found += more
            notes += said_more
    finally:
        if server is not None:
            server.stop()
    return found, list(dict.fromkeys(notes))


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    options = parser(__doc__ or "", "python benchmarks/journal.py --sizes 10000,100000 --only asked")
    options.add_argument(
        "--sizes",
        type=lambda text: [int(part.replace("_", "")) for part in text.split(",")],
        metavar="N,N",
        help="records of the estates (default: 10000,100000,1000000; with --full 10000000 too, with --quick 10000)",
    )
    options.add_argument("--full", action="store_true", help="ten million records too: half an hour and 40 GB more")
    options.add_argument("--names", type=int, metavar="N", help="names to search (default: 1000000; --quick 20000)")
    options.add_argument("--records", type=int, metavar="N", help="records of the file to ingest (default: 100000)")
    options.add_argument("--questions", type=int, default=200, metavar="N", help="endpoints asked (default: 200)")
    options.add_argument("--only", default="", choices=["", "kept", "asked", "searched", "ledgers"], help="this part")
    options.add_argument("--no-postgres", action="store_true", help="SQLite only")
    parsed = options.parse_args(given)
    sizes = [10_000] if parsed.quick else [10_000, 100_000, 1_000_000] + [10_000_000] * parsed.full
    parsed.sizes = parsed.sizes or sizes
    parsed.names = parsed.names or (20_000 if parsed.quick else 1_000_000)
    parsed.records = parsed.records or (10_000 if parsed.quick else 100_000)
    parsed.repeat, parsed.singles = (1, 50) if parsed.quick else (3, 200)
    parsed.cold = 3 if parsed.quick else 10
    return parsed


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked_for = arguments(given)
    try:
        found, remarks = figures(asked_for)
    except Differs as error:
        say(f"answers differ, so no time counts. {error}")
        return 1
    show(found, as_json=asked_for.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
