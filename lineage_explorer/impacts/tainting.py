"""Evaluations that rest on something: runs that read it to judge a model, and the gates that point at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import networkx as nx

from ..gathering import evidence_about
from ..records import Ref
from ..roles import RELEASED_KINDS, purpose
from ..store import histories
from .retraining import TESTING, listed

if TYPE_CHECKING:
    from ..store import Edge, Store
    from ..store.downstream import Downstream

_REGISTERED = ("model", "ai_agent")
_ORDER = ("subject", "gate", "event_time", "status", "actual", "expected", "evaluator", "grade")


class Tainted:
    """The evaluations that rest on what was reached.

    An evaluation rests on the data, the prompts or the code that it read, not on the model that it judged: that a
    model was trained on bad data makes no statement about the model untrue.

    Parameters
    ----------
    links : mapping
        Those of ``found`` by predicate.
    held : container of int
        Everything that was reached, the roots too.

    Attributes
    ----------
    runs : list of int
        Their numbers.
    """

    def __init__(
        self,
        store: Store,
        found: Downstream,
        links: Mapping[str, Iterable[tuple[Any, ...]]],
        held: Container[int],
        as_of: datetime,
        known_at: datetime,
    ) -> None:
        self._store, self._found, self._held = store, found, held
        self._as_of, self._known_at = as_of, known_at
        refs, kinds = found.refs, found.kinds
        self._read: dict[int, list[int]] = defaultdict(list)
        self._made: dict[int, list[int]] = defaultdict(list)
        testing: set[int] = set()
        for link in links["used"]:
            effect, cause, role = link[0], link[1], link[3]
            if cause in held and kinds[cause] not in RELEASED_KINDS and kinds[effect] == "run":
                self._read[effect].append(cause)
                if role != "training" and purpose(kinds[cause], role) in TESTING:
                    testing.add(effect)
        for link in links["was_generated_by"]:
            if link[1] in refs and kinds[link[0]] in RELEASED_KINDS:
                self._made[link[1]].append(link[0])
        # What made a model is no evaluation of another, whatever it read; and most runs that data reaches are such.
        asked = {run for run in self._read if run not in self._made}
        asked |= {number for number in (found.root, *found.versions) if kinds[number] == "run"}
        runs = testing | _confirmed(store, store.evaluations(asked, as_of, known_at), as_of, known_at)
        self.runs = sorted(runs)

    def rows(self, runs: Collection[int]) -> list[dict[str, Any]]:
        """``run``, ``data``, ``models``, ``gates`` and ``why`` of some of them."""
        if not runs:
            return []
        refs = self._found.refs
        judged, names = _judged(self._store, set(runs), self._made, self._as_of, self._known_at)
        gates = self._gates(runs, judged, names)
        rows = []
        for run in runs:
            data = sorted({refs[number] for number in self._read.get(run, ())})
            # Where nothing says what a run judged, the gates that point at it do.
            models = sorted({names[item] for item in judged[run]} or {row["subject"] for row in gates[run]})
            why = _why(data, models, [row["gate"] for row in gates[run]])
            rows.append({"run": refs[run], "data": data, "models": models, "gates": gates[run], "why": why})
        return rows

    def _gates(
        self, runs: Collection[int], judged: Mapping[int, set[int]], names: Mapping[int, str]
    ) -> dict[int, list[dict[str, Any]]]:
        """The gate results that name a run as their proof."""
        found = self._found
        subjects: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        subjects.add_nodes_from(names.values())
        if not all(judged[run] for run in runs):
            # It may be any of those that were reached: only their gates could tell.
            subjects.add_nodes_from(
                ref
                for number, ref in found.refs.items()
                if number in self._held and found.kinds[number] in RELEASED_KINDS
            )
        evidence, _ = evidence_about(self._store, subjects, self._as_of, self._known_at)
        meant: dict[str, int] = {}
        for run in runs:
            parsed = Ref.parse(found.refs[run])
            meant |= dict.fromkeys((str(parsed), parsed.bare, parsed.name), run)
        rows: dict[int, list[dict[str, Any]]] = {run: [] for run in runs}
        for subject in sorted(evidence):
            for _, item in evidence[subject]:
                proof = meant.get(item.get("pointer", ""))
                if proof is not None:
                    rows[proof].append(_gate_row(subject, item))
        for gates in rows.values():
            gates.sort(key=lambda row: tuple(str(row[name]) for name in _ORDER))
        return rows


def _gate_row(subject: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": subject,
        "gate": item["gate"],
        "gate_type": item.get("gate_type", "other"),
        "status": item["status"],
        "grade": item.get("grade", "claimed"),
        "expected": item.get("expected", ""),
        "actual": item.get("actual", ""),
        "evaluator": item.get("evaluator", ""),
        "event_time": item.get("event_time"),
        "pointer": item["pointer"],
    }


def _confirmed(store: Store, runs: Iterable[int], as_of: datetime, known_at: datetime) -> set[int]:
    said = store.descriptions(list(runs), as_of, known_at)
    read = store.records({item.seq for item in said})
    return {item.node for item in said if read[item.seq].get("activity") == "evaluation"}


def _judged(
    store: Store, runs: set[int], made: Mapping[int, Iterable[int]], as_of: datetime, known_at: datetime
) -> tuple[dict[int, set[int]], dict[int, str]]:
    """The models that runs judged: those they read, or made and tested at once; as registered, where they are."""
    judged: dict[int, set[int]] = {run: set(made.get(run, ())) for run in runs}
    edges: list[Edge] = store.beside(sorted(runs), "used", as_of, known_at, effects=True)
    named = store.nodes({edge.cause for edge in edges}, as_of, known_at)
    for edge in edges:
        if named[edge.cause].kind in RELEASED_KINDS:
            judged[edge.effect].add(edge.cause)
    every = {number for numbers in judged.values() for number in numbers}
    copies = histories.leading(store, every, "was_derived_from", known_at)
    named = store.nodes({*every, *(edge.effect for edge in copies)}, as_of, known_at)
    became: dict[int, set[int]] = defaultdict(set)
    for edge in copies:
        if named[edge.effect].kind in _REGISTERED and named[edge.cause].kind == "logged_model":
            became[edge.cause].add(edge.effect)
    # The logged model's own gates count, too: its name stays among those that are looked up.
    names = {number: node.ref for number, node in named.items() if node.kind in RELEASED_KINDS}
    return {
        run: {version for number in numbers for version in became.get(number, {number})}
        for run, numbers in judged.items()
    }, names


def _why(data: list[str], models: list[str], gates: list[str]) -> str:
    about = f" about {listed(models)}" if models else ""
    what = f"read {listed(data)}" if data else "is what was asked about"
    if gates:
        return f"{what}: what it says{about} rests on that. Gates that rest on it: {listed(sorted(set(gates)))}"
    return f"{what}: what it says{about} rests on that. No gate on record names it as its proof"
