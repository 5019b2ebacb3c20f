"""Everything a history of versions tells, gathered for all versions of a name at once and written down as plain JSON values.

The keys are those of ``History.to_dict()``, format 1. As many statements are asked for a thousand versions as for one.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..content import evidence_rows, iso
from ..gathering import add_evaluations, describe, evidence_about
from ..graph import bare_refs, from_reached, join
from ..lives import Name, Version, names_of
from ..records import Ref, format_instant
from ..references import micros_of
from ..roles import DATA_KINDS, RELEASED_KINDS
from ..sentences import fact_of, label_of
from ..stages import NONE
from ..store import histories
from ..store.schema import ALWAYS
from ..trace import labels
from .children import Children
from .events import Change, Event, gate_event, registry_events, rows_of, serving_events
from .facts import code_of, metrics_of, packages_of, params_of
from .lanes import Served
from .tree import INGREDIENTS, Own, own_of, parents_of, tree_of

if TYPE_CHECKING:
    import networkx as nx

    from ..store import Store

FORMAT = "lineage-explorer/history"
#: Of data behind one version as many rows are told, the nearest first: a chain of a thousand tunings has a thousand sets.
DATA_LIMIT = 200
_GATE = (
    *("subject", "gate", "gate_type", "status", "grade", "expected", "actual", "evaluator", "event_time"),
    "pointer",
)


def content_of(store: Store, base: str, as_of: datetime, known_at: datetime) -> dict[str, Any]:
    """The document of a name's versions, but for its digest.

    Parameters
    ----------
    base : str
        A reference without a version, of a kind that can be released.
    """
    return _Gathered(store, names_of(store, [base], as_of, known_at)[base], as_of, known_at).content()


class _Gathered:
    """All that bears on the versions of one name."""

    def __init__(self, store: Store, name: Name, as_of: datetime, known_at: datetime) -> None:
        self.store, self.name = store, name
        self.as_of, self.known_at = as_of, known_at
        self.now = micros_of(as_of)
        self.versions: Mapping[str, Version] = {version.ref: version for version in name.versions}
        self.order = {ref: place for place, ref in enumerate(self.versions)}
        self.graph = self._upstream()
        self.own: dict[str, Own] = {ref: own_of(self.graph, ref) for ref in self.versions}
        self.sides = {ref: self._sides(own) for ref, own in self.own.items()}
        self.judging = {ref: self._judging(ref) for ref in self.own}
        self.registered = self._registered()
        self.served = Served(store, name, as_of, known_at)
        self._gather_gates()
        self._gather_people()

    def _upstream(self) -> nx.MultiDiGraph[str]:
        """What all versions came from, with the runs that evaluated them beside it."""
        store, as_of, known_at = self.store, self.as_of, self.known_at
        roots = {number for version in self.versions.values() for number in version.numbers}
        reached = store.reachable(sorted(roots), "upstream", as_of, known_at)
        links: dict[str, list[str]] = {}
        asked: set[str] = set()
        while bare := [text for text in bare_refs(reached.nodes.values()) if text not in asked]:
            asked.update(bare)
            found = {text: same for text, same in store.namesakes(bare, known_at).items() if same}
            links |= found
            if not found:
                break
            meant = store.numbers({ref for same in found.values() for ref in same}).values()
            reached = store.reachable(sorted({*reached.roots, *meant}), "upstream", as_of, known_at)
        graph = from_reached(reached)
        join(graph, links)
        for ref in self.versions:
            if ref not in graph:  # it has been heard of under another reference only
                raise KeyError(ref)
        add_evaluations(store, graph, as_of, known_at)
        self.described = describe(store, graph, as_of, known_at)
        return graph

    def _sides(self, own: Own) -> list[str]:
        """Runs that evaluated this version, oldest first."""
        found = {
            run
            for body in (own.ref, *own.sure)
            for run in self.graph.successors(body)
            if self.graph.nodes[run].get("side")
        }
        return sorted(found, key=lambda run: (self._record(run).get("started_at", ""), run))

    def _judging(self, ref: str) -> list[str]:
        """Of them those that evaluated no other: what they measured can only be about this one."""
        mine = {ref, *self.own[ref].logged}
        return [
            run
            for run in self.sides[ref]
            if all(cause in mine or self._kind(cause) not in RELEASED_KINDS for cause in self.graph.predecessors(run))
        ]

    def _kind(self, ref: str) -> str:
        return str(self.graph.nodes[ref]["kind"])

    def _record(self, ref: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.graph.nodes[ref].get("record", {})
        return found

    def _registered(self) -> dict[str, str]:
        """The one version that each logged model in the graph was registered as."""
        logged = self.store.numbers(ref for ref in self.graph if self._kind(ref) == "logged_model")
        edges = self.store.beside(logged.values(), "was_derived_from", self.as_of, self.known_at, effects=False)
        named = self.store.nodes({edge.effect for edge in edges}, self.as_of, self.known_at)
        refs = {number: ref for ref, number in logged.items()}
        found: dict[str, set[str]] = defaultdict(set)
        for edge in edges:
            if named[edge.effect].kind in RELEASED_KINDS and not edge.role:
                found[refs[edge.cause]].add(named[edge.effect].ref)
        return {ref: min(versions) for ref, versions in found.items() if len(versions) == 1}

    # --- gates and people ---

    def _gather_gates(self) -> None:
        about = {
            body for ref, own in self.own.items() for body in (own.ref, *own.sure, *self.judging[ref])
        } & self.graph.nodes
        evidence, described = evidence_about(self.store, self.graph.subgraph(about), self.as_of, self.known_at)
        rows, _ = evidence_rows(evidence, described, about)
        self.gates: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            self.gates[row["subject"]].append({name: row[name] for name in _GATE})
        # Also what was said otherwise before, for what happened.
        numbers = self.store.numbers(about)
        meant = {number: ref for ref, number in numbers.items()}
        meant |= {number: version.ref for version in self.versions.values() for number in version.numbers}
        held = [row for row in histories.held(self.store, meant, self.known_at) if row.type == "evidence"]
        self.said = [(meant[row.node], row) for row in held if not row.gone and row.valid_from <= self.now]
        seqs = {row.seq for _, row in self.said}
        self.evidence = {seq: json.loads(found.json) for seq, found in self.store.describe(seqs).items()}
        words = {word.number for version in self.versions.values() for word in version.words}
        self.places = histories.places(self.store, seqs | words | self.served.numbers)
        scopes = {place.scope for place in self.places.values()}
        self.readings: dict[int, list[int]] = defaultdict(list)
        for reading in histories.readings(self.store, scopes, self.as_of, self.known_at):
            self.readings[reading.scope].append(reading.observed_at)

    def _gather_people(self) -> None:
        """Who is associated with versions, runs and deployments, and when that was."""
        wanted = {body for own in self.own.values() for body in (own.ref, *own.runs)}
        wanted |= {run for runs in self.sides.values() for run in runs} | self.served.first.keys()
        numbers = self.store.numbers(wanted)
        edges = self.store.beside(numbers.values(), "was_associated_with", self.as_of, self.known_at, effects=True)
        named = self.store.nodes({edge.cause for edge in edges}, self.as_of, self.known_at)
        by_number = {number: ref for ref, number in numbers.items()}
        self.people: dict[str, set[tuple[str, int | None]]] = defaultdict(set)
        for edge in edges:
            self.people[by_number[edge.effect]].add((named[edge.cause].ref, edge.event_time))

    def _who(self, refs: Iterable[str]) -> str:
        """Those who are associated with the first of some things that anybody is."""
        for ref in refs:
            if ref in self.people:
                return ", ".join(sorted({person for person, _ in self.people[ref]}))
        return ""

    def _who_released(self) -> dict[tuple[str, int], str]:
        """Who is on record for a deployment at the instants at which something of it began."""
        found = {}
        for deployment, instant in self.served.said:
            people = self.people.get(deployment, set())
            who = {person for person, when in people if when == instant}
            # Whoever deployed it first, on whatever date that was written down, did not for that change its share later.
            if not who and self.served.first[deployment] == instant:
                who = {person for person, when in people if when is None} or {person for person, _ in people}
            found[deployment, instant] = ", ".join(sorted(who))
        return found

    def _read_before(self, scope: int, instant: int) -> int | None:
        """The last full reading of a source before something was first seen in it."""
        readings = self.readings.get(scope, [])
        index = bisect_left(readings, instant)
        return readings[index - 1] if index else None

    # --- the document ---

    def content(self) -> dict[str, Any]:
        """The whole document."""
        rows = [self._version(version) for version in self.versions.values()]
        read = {number: (place.system, place.position) for number, place in self.places.items()}
        return {
            "format": FORMAT,
            "question": {
                "ref": self.name.ref,
                "as_of": format_instant(self.as_of),
                "known_at": format_instant(self.known_at),
            },
            "complete": self.name.complete,
            "versions": rows,
            "lanes": self.served.lanes,
            "events": rows_of(self._events(), self.order, read),
            "tree": self._tree(rows),
        }

    def _tree(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        children = Children(self.store, self.name, self.own, self.registered, self.as_of, self.known_at)
        parents = {parent["ref"] for row in rows for parent in row["parents"]}
        described = {ref: self._record(ref) for ref in parents if ref in self.graph}
        return tree_of(rows, children.found, children.records | described)

    def _version(self, version: Version) -> dict[str, Any]:
        ref, own = version.ref, self.own[version.ref]
        record = self._record(ref)
        registered = [word.start for word in version.words if word.rank == NONE and word.start <= self.now]
        params, metrics, texts = self._measured(ref)
        data, beyond = self._data(ref)
        gates = [row for body in (ref, *own.sure, *self.judging[ref]) for row in self.gates.get(body, ())]
        ingredients = self._ingredients(own)
        return {
            "ref": ref,
            "kind": Ref.parse(ref).kind,
            "version": Ref.parse(ref).version,
            "label": label_of(self.graph.nodes[ref], record),
            "description": record.get("description", ""),
            "registered": iso(version.created_at if version.created_at is not None else min(registered, default=None)),
            "here": version.here,
            "gone_at": iso(version.gone_at),
            "stages": [
                {
                    "stage": stretch.interval.stage,
                    "since": iso(stretch.interval.start),
                    "until": None if (stretch.interval.end or self.now) >= self.now else iso(stretch.interval.end),
                    "earliest": iso(stretch.interval.earliest),
                    "because": stretch.said,
                }
                for stretch in version.stretches
                if stretch.interval.start is None or stretch.interval.start <= self.now
            ],
            "serving": self.served.rows.get(ref, []),
            "gates": sorted(gates, key=lambda row: row["event_time"] or ""),
            "params": params,
            "metrics": metrics,
            "metric_texts": texts,
            "data": data,
            "data_beyond": beyond,
            "code": self._code(own),
            "packages": self._packages(ingredients),
            "ingredients": ingredients,
            "runs": own.runs,
            "parents": [parent._asdict() for parent in parents_of(self.graph, own, self.registered)],
        }

    def _measured(self, ref: str) -> tuple[dict[str, str], dict[str, float], dict[str, str]]:
        """Parameters, metrics, and metrics that are no numbers: the logged model's word, then its run's, then an evaluation's."""
        own = self.own[ref]
        params: dict[str, str] = {}
        numbers: dict[str, float] = {}
        texts: dict[str, str] = {}
        # Of several evaluations the last.
        for body in (*own.bodies, *own.runs, *reversed(self.judging[ref])):
            record = self._record(body)
            if body not in self.judging[ref]:
                params = {**params_of(record), **params}
            found, other = metrics_of(record)
            known = numbers.keys() | texts.keys()
            numbers |= {name: value for name, value in found.items() if name not in known}
            texts |= {name: value for name, value in other.items() if name not in known}
        return dict(sorted(params.items())), dict(sorted(numbers.items())), dict(sorted(texts.items()))

    def _data(self, ref: str) -> tuple[list[dict[str, Any]], int]:
        own = self.own[ref]
        roles = {node: set(said) for node, said in labels(self.graph, ref).items() if self._kind(node) in DATA_KINDS}
        direct = {node for run in own.runs for node in self._read_by(run)}
        for run in self.sides[ref]:
            for node in self._read_by(run):
                roles.setdefault(node, set()).add("evaluation")
                direct.add(node)
        ordered = sorted(roles, key=lambda node: (node not in direct, "training" not in roles[node], node))
        rows = []
        for node in ordered[:DATA_LIMIT]:
            attributes = self._record(node).get("attributes", {})
            counts = [attributes.get(name) for name in ("rows", "num_rows")]
            rows.append(
                {
                    "ref": node,
                    "role": " + ".join(sorted(roles[node])),
                    "how": "read by the run" if node in direct else "upstream of what was read",
                    "digest": self.graph.nodes[node]["digest"],
                    "identified_by": self.graph.nodes[node]["identified_by"],
                    "rows": next((count for count in counts if type(count) is int and abs(count) < 2**53), None),
                }
            )
        return rows, max(0, len(ordered) - DATA_LIMIT)

    def _read_by(self, run: str) -> Iterator[str]:
        for cause, _, data in self.graph.in_edges(run, data=True):
            if data["predicate"] == "used" and self._kind(cause) in DATA_KINDS:
                yield cause

    def _code(self, own: Own) -> list[dict[str, Any]]:
        witnesses: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for made in (*own.bodies, *own.runs):
            for cause, _, data in self.graph.in_edges(made, data=True):
                if self._kind(cause) == "code":
                    witnesses[cause] += [data.get("record", {}), self._record(made)]
        return [code_of(ref, self._record(ref), said) for ref, said in sorted(witnesses.items())]

    def _ingredients(self, own: Own) -> list[dict[str, Any]]:
        found = {
            cause
            for made in (*own.bodies, *own.runs)
            for cause in self.graph.predecessors(made)
            if self._kind(cause) in INGREDIENTS
        }
        return [
            {
                "ref": ref,
                "kind": self._kind(ref),
                "label": label_of(self.graph.nodes[ref], self._record(ref)),
                "fact": fact_of(self.graph.nodes[ref], self._record(ref)),
            }
            for ref in sorted(found)
        ]

    def _packages(self, ingredients: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in ingredients:
            if row["kind"] == "environment":
                found = {**packages_of(self._record(row["ref"])), **found}
        return dict(sorted(found.items()))

    # --- what happened ---

    def _events(self) -> Iterator[Event]:
        for version in self.versions.values():
            own = self.own[version.ref]
            for event in registry_events(version.ref, version.words, self.now):
                yield event._replace(who=self._who(own.bodies + own.runs)) if event.kind == "registered" else event
        yield from self._judged()
        agents = self._who_released()
        for (endpoint, site), changes in self.served.changes.items():
            dated = [change._replace(earliest=self._bound(endpoint, change)) for change in changes]
            yield from serving_events(endpoint, site, dated, self.versions, agents, self.served.said)

    def _judged(self) -> Iterator[Event]:
        about: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for ref, own in self.own.items():
            for body in (ref, *own.sure):
                about[body].append((ref, True))
            for run in self.judging[ref]:
                about[run].append((ref, False))
        for body, row in self.said:
            record, place = self.evidence[row.seq], self.places[row.seq]
            at = place.observed_at if row.valid_from == ALWAYS else row.valid_from
            earliest = at if "event_time" in record else self._read_before(place.scope, at)
            who = record.get("evaluator", "") or self._who([record.get("pointer", "")])
            for ref, own_word in about[body]:
                yield gate_event(ref, record, at, earliest, row.seq, who, own=own_word)

    def _bound(self, endpoint: str, change: Change) -> int | None:
        """When what changed was last known to be otherwise."""
        bounds = [
            before if before is not None else self._read_before(self.places[seq].scope, change.at)
            for seq, before in self.served.bounds(endpoint, change.at)
        ]
        known = [bound for bound in bounds if bound is not None]
        return None if len(known) < len(bounds) else min(known, default=change.at)
