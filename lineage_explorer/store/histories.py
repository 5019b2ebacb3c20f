"""What was on record of things at all instants, not at one: rows of the projection as they are known at an instant.

Each is one statement for however many things are asked about, as in :mod:`.walk`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..references import micros_of
from .names import in_column
from .walk import COLUMNS, Edge

if TYPE_CHECKING:
    from .reading import Readable


class Named(NamedTuple):
    """A reference of the store."""

    id: int
    ref: str
    kind: str
    namespace: str


class Held(NamedTuple):
    """What one record says of a thing, and from when to when.

    Attributes
    ----------
    type : str
        ``entity``, ``activity``, ``agent`` or ``evidence``.
    valid_from, valid_to : int
        Of what describes a thing, the first word stands from ``ALWAYS`` on.
    sure_to : int or None
        From here to ``valid_to`` it may have been otherwise already.
    gone : bool
        Its source no longer showed it.
    """

    node: int
    type: str
    seq: int
    valid_from: int
    valid_to: int
    sure_to: int | None
    gone: bool


class Place(NamedTuple):
    """Where a record was read, and when first: a scope, with its system and namespace."""

    scope: int
    observed_at: int
    system: str
    namespace: str
    position: str


class Reading(NamedTuple):
    """A reading of all that a scope holds.

    Attributes
    ----------
    latest : bool
        Up to the instant asked about, no later sync of the same place came after it.
    """

    scope: int
    observed_at: int
    latest: bool


def named(store: Readable, names: Iterable[str]) -> list[Named]:
    """Every reference with one of these names: of any kind and namespace, with and without a version."""
    rows = store._engine.rows(
        """
        SELECT n.id, n.ref, n.kind, n.namespace FROM each_text(:names) AS j CROSS JOIN node AS n INDEXED BY node_name
        WHERE n.name = j.value ORDER BY n.ref""",
        {"names": sorted({in_column(name) for name in names})},
    )
    return [Named(*row) for row in rows]


def held(store: Readable, ids: Iterable[int], known_at: datetime) -> list[Held]:
    """Everything that describes or judges these things, at all instants."""
    rows = store._engine.rows(
        """
        SELECT f.node, f.type, f.seq, f.valid_from, f.valid_to, f.sure_to, f.gone
        FROM each_number(:ids) AS j CROSS JOIN fact AS f
        WHERE f.node = j.value AND f.recorded_from <= :known_at AND f.recorded_to > :known_at
        ORDER BY f.node, f.valid_from, f.seq""",
        {"ids": sorted(set(ids)), "known_at": micros_of(known_at)},
    )
    return [Held._make((*row[:-1], bool(row[-1]))) for row in rows]


def leading(store: Readable, ids: Iterable[int], predicate: str, known_at: datetime) -> list[Edge]:
    """Relations of one predicate that have these things as causes, at whatever instants they held."""
    rows = store._engine.rows(
        f"""
        SELECT {COLUMNS} FROM each_number(:ids) AS j CROSS JOIN edge AS e INDEXED BY edge_by_cause
        WHERE e.cause = j.value AND e.flow IN (0, 1) AND e.predicate = :predicate
        AND e.recorded_from <= :known_at AND e.recorded_to > :known_at""",
        {"ids": sorted(set(ids)), "predicate": predicate, "known_at": micros_of(known_at)},
    )
    return list(map(Edge._make, rows))


def places(store: Readable, seqs: Iterable[int]) -> dict[int, Place]:
    """Where records were read, by number."""
    rows = store._engine.rows(
        """
        SELECT j.seq, j.scope, j.observed_at, s.system, s.namespace, j.position
        FROM each_number(:seqs) AS w CROSS JOIN journal AS j CROSS JOIN scope AS s
        WHERE j.seq = w.value AND s.id = j.scope""",
        {"seqs": sorted(set(seqs))},
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def readings(store: Readable, scopes: Iterable[int], as_of: datetime, known_at: datetime) -> list[Reading]:
    """The full readings of scopes at all instants, in order of time."""
    wanted = sorted(set(scopes))
    instants = {"as_of": micros_of(as_of), "known_at": micros_of(known_at)}
    rows = store._engine.rows(
        """
        SELECT e.scope, e.observed_at, j.sync
        FROM each_number(:scopes) AS w CROSS JOIN enumeration AS e CROSS JOIN journal AS j
        WHERE e.scope = w.value AND j.seq = e.seq AND j.recorded_at <= :known_at
        ORDER BY e.observed_at, e.seq""",
        {"scopes": wanted, "known_at": instants["known_at"]},
    )
    # A sync that broke off counts: what it would have shown is not known.
    last: dict[int, int] = dict(
        store._engine.rows(
            """
            SELECT w.value, (SELECT y.id FROM scope AS s CROSS JOIN sync AS y WHERE s.id = w.value
              AND y.system = s.system AND y.namespace = s.namespace AND y.location = s.location
              AND y.observed_at <= :as_of AND y.started_at <= :known_at ORDER BY y.observed_at DESC, y.id DESC LIMIT 1)
            FROM each_number(:scopes) AS w""",
            {"scopes": wanted, **instants},
        )
    )
    return [Reading(scope, when, last.get(scope) == sync) for scope, when, sync in rows]
