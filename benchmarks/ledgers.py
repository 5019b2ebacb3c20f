"""Two ledgers from PyPI, as far as they can hold an estate: ``model-ledger``, and why not ``mldna-lineage``.

Each would be installed in a virtual environment of its own below the working folder, by pip. ``model-ledger`` links
named things and walks the links; a link has no time and no kind, so it is given only those that are in force at the
instant asked about. It answers with the names of all that is upstream, which is compared with our walk's answer.
``mldna-lineage`` keeps no relations at all (see README.md), so there is nothing to compare.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lineage_explorer import open_store
from lineage_explorer.references import micros_of
from lineage_explorer.store.schema import FOREVER

from .estate import AS_OF
from .load import KNOWN_AFTER, estate_of
from .report import Figure, percentile, say

_VERSION = "0.7.13"
# Runs in the peer's environment, which has nothing of ours.
_PEER = """
import json, sys, time
from model_ledger import DataNode, Ledger
sys.setrecursionlimit(100_000)
task = json.load(sys.stdin)
ledger = Ledger.from_sqlite(task["file"])
begun = time.perf_counter()
ledger.add([DataNode(name, platform="estate") for name in task["nodes"]])
for cause, effect in task["edges"]:
    ledger.link_dependency(cause, effect, actor="estate")
loaded = time.perf_counter() - begun
ledger = Ledger.from_sqlite(task["file"])
seconds, answers = [], []
for name in task["questions"]:
    ledger.upstream(name)
    begun = time.perf_counter()
    found = ledger.upstream(name)
    seconds.append(time.perf_counter() - begun)
    answers.append(sorted(found))
print(json.dumps({"loaded": loaded, "seconds": seconds, "answers": answers}))
"""


def figures(work: Path, records: int, differs: type[Exception]) -> tuple[list[Figure], list[str]]:
    """The peer that can hold an estate, on the smallest one."""
    python = _environment(work)
    if python is None:
        return [], [f"model-ledger {_VERSION} could not be installed: its figures are missing"]
    found = estate_of(records, work)
    size = f"{found.entries:,} records: {found.size}; ledgers"
    as_of = micros_of(AS_OF)
    with sqlite3.connect(found.path) as connection:
        names = dict(connection.execute("SELECT id, ref FROM node").fetchall())
        rows = connection.execute(
            "SELECT DISTINCT cause, effect FROM edge WHERE flow = 1 AND recorded_to = ? AND valid_from <= ? AND valid_to > ?",
            (FOREVER, as_of, as_of),
        ).fetchall()
    questions = random.Random(1).sample(found.endpoints, min(20, len(found.endpoints)))
    ours, answers = [], []
    with open_store(found.path) as store:
        for ref in questions:
            store.reachable(ref, "upstream", AS_OF, KNOWN_AFTER)
            begun = time.perf_counter()
            reached = store.reachable(ref, "upstream", AS_OF, KNOWN_AFTER)
            ours.append(time.perf_counter() - begun)
            answers.append(sorted({node.ref for node in reached.nodes.values()} - {ref}))
    file = work / "model-ledger.db"
    for left in work.glob("model-ledger.db*"):
        left.unlink()
    task = {
        "file": str(file),
        "nodes": list(names.values()),
        "edges": [(names[cause], names[effect]) for cause, effect in rows],
        "questions": questions,
    }
    done = subprocess.run(
        [str(python), "-c", _PEER], input=json.dumps(task), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"model-ledger ended with {done.returncode}; its message is above")
    told: dict[str, Any] = json.loads(done.stdout)
    if told["answers"] != answers:
        raise differs(f"{size}: model-ledger and lineage-explorer name different things upstream")
    peer = f"model-ledger {_VERSION}"
    made = []
    for share in (50, 99):
        mine, theirs = percentile(ours, share) * 1e3, percentile(told["seconds"], share) * 1e3
        made.append(Figure(f"everything upstream, p{share}", mine, "ms", size=size))
        made.append(Figure(f"everything upstream, p{share}", theirs, "ms", peer, theirs / mine, size))
    made.append(Figure("relations in", len(rows) / told["loaded"], "relations/s", peer, None, size))
    note = "model-ledger was given the relations in force at the instant asked about: it has no times to filter by"
    return made, [note, "mldna-lineage keeps no relations between things: not compared (see benchmarks/README.md)"]


def _environment(work: Path) -> Path | None:
    folder = work / f"model-ledger-{_VERSION}"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", f"model-ledger=={_VERSION}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        say(f"model-ledger could not be installed: {error}")
        python.unlink(missing_ok=True)
        return None
    return python
