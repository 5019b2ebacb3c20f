"""Which endpoints the versions of a name were deployed behind, and who answered there when: read for all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..content import iso
from ..lives import Name
from ..records import Ref
from ..references import micros_of
from ..release_history import ReleaseHistory, Span, environments_of
from ..servings import share_row, told_spans
from ..store import histories
from .events import Change, answering_of

if TYPE_CHECKING:
    from ..store import Edge, Store


class Served:
    """Who answered at every endpoint that any version of a name was ever deployed behind.

    Attributes
    ----------
    rows : dict
        By version: times in which it had the same share of an endpoint.
    lanes : list of dict
        For each endpoint and site: all spans, also those in which something of another name served.
    changes : dict
        The same by endpoint and site, for what happened; their ``earliest`` is left to be found.
    first : dict
        When a deployment was first heard of.
    said : dict
        By deployment and instant: the record that says that something of it began then, else that it ended.
    numbers : set of int
        All records that bear on it.
    """

    def __init__(self, store: Store, name: Name, as_of: datetime, known_at: datetime) -> None:
        self.now = micros_of(as_of)
        self.mine = {version.ref for version in name.versions}
        endpoints = _endpoints(store, name, known_at)
        self.history = ReleaseHistory(store, endpoints, known_at)
        self.environments = environments_of(store, self.history, as_of, known_at)
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.lanes: list[dict[str, Any]] = []
        self.changes: dict[tuple[str, str], list[Change]] = {}
        for endpoint in sorted(endpoints):
            spans = [span for span in self.history.spans(endpoint, contradicted=True) if span.start <= self.now]
            shares = [[share_row(row, self.environments) for row in span.serving] for span in spans]
            self._keep_rows(endpoint, spans, shares)
            self._keep_lanes(endpoint, spans, shares)
        for rows in self.rows.values():
            rows.sort(key=lambda row: (row["since"] or "", row["endpoint"], row["site"], row["deployment"]))
        self._index(endpoints)

    # --- what each version had of it ---

    def _keep_rows(self, endpoint: str, spans: list[Span], shares: list[list[dict[str, Any]]]) -> None:
        open_: dict[tuple[Any, ...], dict[str, Any]] = {}
        for span, rows in zip(spans, shares, strict=True):
            there = {tuple(row.values()): row for row in rows if row["version"] in self.mine}
            for key in open_.keys() - there.keys():
                open_.pop(key)["until"] = iso(span.start)
            for key in sorted(there.keys() - open_.keys(), key=repr):
                common = {"endpoint": endpoint, "since": iso(span.start), "until": None}
                open_[key] = {**there[key], **common, "between_syncs": span.between_syncs}
                self.rows[there[key]["version"]].append(open_[key])
        if spans and spans[-1].end is not None and spans[-1].end <= self.now:  # pragma: no cover - a last span lasts
            for row in open_.values():
                row["until"] = iso(spans[-1].end)

    # --- who answered at each place ---

    def _keep_lanes(self, endpoint: str, spans: list[Span], shares: list[list[dict[str, Any]]]) -> None:
        sites: dict[str, bool] = {}
        for rows in shares:
            for row in rows:
                sites[row["site"]] = sites.get(row["site"], False) or row["version"] in self.mine
        told = list(told_spans(endpoint, spans, self.environments, None, None, self.now)) if spans else []
        for site in sorted(site for site, ours in sites.items() if ours):
            lane = list(_at_site(told, site))
            environments = [share["environment"] for span in lane for share in span["shares"] if share["environment"]]
            self.lanes.append(
                {
                    "endpoint": endpoint,
                    "site": site,
                    "environment": environments[-1] if environments else "",
                    "spans": lane,
                }
            )
            self.changes[endpoint, site] = [
                # The date counts where it is on record; if not, whoever knows the readings finds the bound.
                Change(
                    span.start,
                    None if span.between_syncs else span.start,
                    *answering_of(row for row in rows if row["site"] == site),
                )
                for span, rows in zip(spans, shares, strict=True)
            ]

    # --- records and bounds ---

    def _index(self, endpoints: set[str]) -> None:
        nodes = self.history.nodes
        self.numbers = {edge.seq for edge in self.history.edges}
        self.first: dict[str, int] = {}
        begun: dict[tuple[str, int], int] = {}
        ended: dict[tuple[str, int], int] = {}
        for edge in sorted(self.history.edges, key=lambda edge: (edge.predicate != "serves", edge.seq)):
            deployment = nodes[edge.cause if edge.predicate == "serves" else edge.effect].ref
            if edge.predicate == "alias_of":
                continue
            self.first[deployment] = min(self.first.get(deployment, edge.valid_from), edge.valid_from)
            begun.setdefault((deployment, edge.valid_from), edge.seq)
            ended.setdefault((deployment, edge.valid_to), edge.seq)
        self.said: Mapping[tuple[str, int], int] = {**ended, **begun}
        self._leaving: dict[tuple[int, str, int], int] = {}
        by_effect: dict[int, list[Edge]] = defaultdict(list)
        for edge in self.history.edges:
            by_effect[edge.effect].append(edge)
            if edge.sure_to is not None:
                key = (edge.effect, edge.predicate, edge.valid_to)
                self._leaving[key] = min(edge.sure_to - 1, self._leaving.get(key, edge.sure_to))
        self._changing: dict[str, dict[int, list[Edge]]] = {
            endpoint: _changing(self.history, endpoint, by_effect) for endpoint in endpoints
        }

    def bounds(self, endpoint: str, at: int) -> Iterator[tuple[int, int | None]]:
        """When each relation that changed at an instant was last known to be otherwise; None where only a reading tells."""
        for edge in self._changing[endpoint].get(at, ()):
            before = self._leaving.get((edge.effect, edge.predicate, at))
            dated = edge.valid_from == at and "valid_from" in self.history.records[edge.seq]
            if before is not None and not dated:
                yield edge.seq, before
            elif edge.valid_from == at and not dated:
                yield edge.seq, None
            else:
                yield edge.seq, at


def _endpoints(store: Store, name: Name, known_at: datetime) -> set[str]:
    """Every endpoint that a version, or an alias of the name, was ever deployed behind."""
    parsed = Ref.parse(name.ref)
    aliases = [
        node.id
        for node in histories.named(store, [parsed.name])
        if node.kind == parsed.kind and "~" in node.ref and node.namespace in ("", parsed.namespace)
    ]
    things = {*aliases, *(number for version in name.versions for number in version.numbers)}
    deployments = {edge.effect for edge in histories.leading(store, things, "deploys", known_at)}
    ends = {edge.effect for edge in histories.leading(store, deployments, "serves", known_at)}
    return {node.ref for node in store.nodes(ends, known_at, known_at).values()}


def _changing(history: ReleaseHistory, endpoint: str, by_effect: Mapping[int, list[Edge]]) -> dict[int, list[Edge]]:
    """The relations between an endpoint and whatever served it, by the instants at which they begin or end."""
    found: dict[int, list[Edge]] = defaultdict(list)
    seen: set[int] = set()
    new = [history.roots[endpoint]]
    while new:
        number = new.pop()
        if number in seen:
            continue
        seen.add(number)
        new += [history.numbers[ref] for ref in history.links.get(history.nodes[number].ref, ())]
        for edge in by_effect.get(number, ()):
            found[edge.valid_from].append(edge)
            found[edge.valid_to].append(edge)
            new.append(edge.cause)
    return found


def _at_site(told: list[dict[str, Any]], site: str) -> Iterator[dict[str, Any]]:
    """The spans of one place: what changes elsewhere begins none."""
    open_: dict[str, Any] | None = None
    for span in told:
        shares = [share for share in span["shares"] if share["site"] == site]
        if open_ is None and not shares:
            continue  # nobody had heard of this place yet
        found = {
            **span,
            "kind": "served" if any(share["state"] in ("serving", "undetermined") for share in shares) else "gap",
            "shares": shares,
            "findings": [finding for finding in span["findings"] if finding["site"] == site],
        }
        if open_ is not None and all(open_[key] == found[key] for key in ("kind", "shares", "findings")):
            open_["until"] = span["until"]
            continue
        if open_ is not None:
            yield open_
        open_ = found
    if open_ is not None:
        yield open_
