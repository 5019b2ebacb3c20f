"""Whom a dataset reached: the cost of an impact beside that of the bare recursive query; and a history, drawn.

An estate as the other benchmarks use it, and in it one *hub*: a dataset that thousands of models were trained on. Each
was logged by a run, registered, and released in turn to one of the endpoints; of a hundred models one was evaluated on
the hub too. Three ways of asking what came of the hub:

- the **bare query**: the recursive statement over all relations that held at the instant, its rows fetched, and
  nothing made of them;
- ``impact()``: rows, roles, strengths, windows, decisions, labels and the digest of the document, once with all lists
  whole and once with a hundred things listed, as a page shows them;
- ``networkx.descendants`` of the whole estate in memory, which gives names and nothing else.
"""

from __future__ import annotations

import gc
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks.estate import EDITION
from benchmarks.load import estate_of
from benchmarks.peers import _whole_graph
from benchmarks.report import Figure, parser, percentile, say, show
from lineage_explorer import open_store
from lineage_explorer.impacts import Impact, impact
from lineage_explorer.records import Activity, Entity, Evidence, Record, Relation
from lineage_explorer.references import micros_of
from lineage_explorer.store import Store, downstream, walk

HUB = "dataset:lake/customers@v12"
#: The instant asked about: after all releases.
AS_OF = datetime(2027, 6, 1, tzinfo=UTC)
_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
#: Versions of one name, released to one endpoint one after another.
_IN_TURN = 5
_LISTED = 100
_EVALUATED = 100


class Differs(AssertionError):
    """Two ways gave different answers; no figure of theirs is worth anything."""


def hub_estate(entries: int, models: int, folder: Path) -> Path:
    """The estate with its hub, made now or kept from last time."""
    path = folder / f"hub-{EDITION}-{entries}-{models}.db"
    if path.exists():
        return path
    found = estate_of(entries, folder)
    part = path.with_suffix(".part")
    shutil.copy(found.path, part)
    with open_store(part) as store:
        done = store.append(tqdm(hub(models), desc=f"a hub of {models:,} models", unit=" records", leave=False))
        if done.quarantined:
            raise AssertionError(f"records of the hub were refused: {done}")
    part.rename(path)
    return path


def hub(models: int) -> Iterator[Record]:
    """A dataset that so many models were trained on, and what became of them."""
    yield Entity(ref=HUB, digest="sha256:" + "12" * 32, identified_by="content_hash", created_at=_FIRST)
    for index in range(models):
        place, version = divmod(index, _IN_TURN)
        begun = _FIRST + timedelta(days=60 * version, minutes=index)
        name, run = f"hub{place:05d}", f"run:hub/{index:06d}"
        logged, model = f"logged_model:hub/m-{index:06d}", f"model:hub/{name}@{version + 1}"
        deployment, endpoint = f"deployment:{name}:{version + 1}", f"endpoint:{name}"
        made, since = begun + timedelta(hours=1), begun + timedelta(days=3)
        yield Activity(ref=run, activity="training", status="FINISHED", started_at=begun, ended_at=made)
        yield _relation(run, "used", HUB, role="training", event_time=begun)
        yield Entity(ref=logged, created_at=made)
        yield _relation(logged, "was_generated_by", run, event_time=made)
        yield Entity(ref=model, created_at=made, attributes={"framework": "sklearn"})
        yield _relation(model, "was_derived_from", logged, event_time=made)
        yield Evidence(subject=model, gate="auc", gate_type="evaluation", status="passed", event_time=made, pointer=run)
        if not version:
            yield Entity(ref=endpoint, created_at=since)
        yield Entity(ref=deployment, created_at=since, attributes={"environment": "production"})
        yield _relation(endpoint, "serves", deployment, slot="live", traffic=100.0, valid_from=since)
        yield _relation(deployment, "deploys", model, slot="model", valid_from=since)
        if index % _EVALUATED == 0:
            judge = f"run:hub/e-{index:06d}"
            yield Activity(ref=judge, activity="evaluation", status="FINISHED", started_at=made)
            yield _relation(judge, "used", HUB, role="evaluation", event_time=made)
            yield _relation(judge, "used", model, event_time=made)


def _relation(effect: str, predicate: Any, cause: str, **more: Any) -> Relation:
    return Relation(effect=effect, predicate=predicate, cause=cause, basis="identifier", **more)


# --- impact ---


def _timed(ask: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """The median of some repetitions in milliseconds, asked once before; and the last answer."""
    answer = ask()
    times: list[float] = []
    for _ in range(repeat):
        gc.collect()
        begun = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - begun) * 1e3)
    return percentile(times, 50), answer


def impacts(entries: int, models: int, folder: Path, repeat: int) -> tuple[list[Figure], list[str]]:
    """What an impact costs beside the bare query, and beside NetworkX."""
    path = hub_estate(entries, models, folder)
    with open_store(path) as store:
        known = store.recorded_by(store.now())
        values = {"roots": [store.number(HUB)], "as_of": micros_of(AS_OF), "known_at": micros_of(known)}

        def bare() -> Any:
            return store._engine.rows(walk.STATEMENTS["downstream"], values)

        def own() -> Any:
            return store._engine.rows(downstream.STATEMENT, values)

        base, rows = _timed(bare, repeat)
        recursion, _ = _timed(own, repeat)
        whole, full = _timed(lambda: impact(store, HUB, AS_OF, known), repeat)
        page, short = _timed(lambda: impact(store, HUB, AS_OF, known, limit=_LISTED), repeat)
        entries_now = store._engine.one("SELECT max(seq) FROM journal")
        nodes = store._engine.one("SELECT count(*) FROM node")
        _same(store, full, short, {row[0] for row in rows} | {values["roots"][0]})
    size = f"{entries_now:,} records, {nodes:,} nodes; a hub of {models:,} models"
    large = models >= 10_000
    peer, built = _networkx(path, full, repeat)
    figures = [
        Figure("impact, bare query", base, "ms", size=size),
        Figure("impact, bare query over all instants", recursion, "ms", size=size),
        Figure(
            f"impact, {_LISTED} of each list", page, "ms", "the bare query", page / base, size, "<= 2" if large else ""
        ),
        Figure("impact, everything listed", whole, "ms", "the bare query", whole / base, size),
        Figure("impact", peer, "ms", "networkx.descendants in memory", peer / page, size),
        Figure("estate into memory, built", built, "s", "networkx in memory", None, size),
    ]
    counts = full.to_dict()["counts"]
    reached = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    return figures, [f"{size}: reached {reached}; the bare query fetched {len(rows):,} relations"]


def _same(store: Store, full: Impact, short: Impact, reached: set[int]) -> None:
    """The impact holds what the bare query reached at the instant, and no list is cut silently."""
    whole, page = full.to_dict(), short.to_dict()
    now = {row["ref"] for row in whole["endpoints"] if row["now"]}
    named = {node.ref for node in store.nodes(reached, AS_OF, store.now()).values()}
    if now != {ref for ref in named if ref.startswith("endpoint:")}:
        raise Differs("impact() and the bare query name different endpoints")
    listed = {row["ref"] for name in ("versions", "derived", "endpoints") for row in whole[name]}
    if missing := {ref for ref in named - listed if not ref.startswith("deployment:")} - {HUB}:
        raise Differs(f"impact() does not name {min(missing)}")
    for name, cut in page["beyond"].items():
        if len(page[name]) + cut != len(whole[name]) or page[name] != whole[name][: len(page[name])]:
            raise Differs(f"a limit does not give the first of {name}")
    if page["counts"] != whole["counts"]:
        raise Differs("a limit changes the counts")


def _networkx(path: Path, full: Impact, repeat: int) -> tuple[float, float]:
    import networkx as nx

    begun = time.perf_counter()
    graph = _whole_graph(str(path), micros_of(AS_OF))
    built = time.perf_counter() - begun
    median, found = _timed(lambda: nx.descendants(graph, HUB), repeat)
    counts = full.to_dict()["counts"]
    for kind in ("model", "endpoint", "run"):
        if sum(ref.startswith(f"{kind}:") for ref in found) != counts[kind]:
            raise Differs(f"networkx.descendants names another number of things of kind {kind}")
    return median, built


# --- the command ---


def figures(arguments: Any) -> tuple[list[Figure], list[str]]:
    """Every figure of this benchmark, and remarks."""
    entries, models, repeat = (100_000, 1_000, 3) if arguments.quick else (1_000_000, 10_000, 7)
    found, remarks = impacts(entries, models, arguments.work, repeat)
    from benchmarks.history_view import drawing  # needs a browser, which --help does not

    drawn, more = drawing(arguments.work, min(repeat, 5))
    return found + drawn, remarks + more


def arguments(given: list[str] | None = None) -> Any:
    """The command line's options."""
    return parser(__doc__ or "", "python benchmarks/history.py --quick --json").parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    asked = arguments(given)
    asked.work.mkdir(parents=True, exist_ok=True)
    try:
        found, remarks = figures(asked)
    except Differs as error:
        say(f"answers differ, so no time counts. {error}")
        return 1
    show(found, as_json=asked.json, notes=remarks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
