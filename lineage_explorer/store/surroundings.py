"""What stands around a thing: the nearest neighbours first, level by level, and how many more there are.

Each level is one statement, which gives no more than there is room for, and numbers that are not shown are counted
in the database: the surroundings of something that feeds fifty thousand things cost what is shown of them.

A reference without a namespace that can mean one described thing only is that thing, here as in
:func:`lineage_explorer.lineage_graph`; so the statements look for the relations of both, and count them as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..references import Ref
from .names import in_column
from .projection import MUTABLE_KINDS, STATE
from .walk import COLUMNS, ISSUED, SEEN, Direction, Edge, Reached, nodes

if TYPE_CHECKING:
    from .engines import Engine

_LOOKED_UP = f"NOT IN ({', '.join(repr(kind) for kind in ISSUED)})"
_ENDS: dict[Direction, tuple[str, str, str]] = {
    "upstream": ("effect", "cause", ""),
    "downstream": ("cause", "effect", "INDEXED BY edge_by_cause"),
}


class Around(NamedTuple):
    """What stands around a thing.

    Attributes
    ----------
    root : int
        The thing itself, which a reference without a namespace may only have meant.
    things : list of int
        Node numbers of what is shown, nearest first.
    reached : Reached
        Their nodes and the relations among them, also under references without a namespace.
    states : list of int
        Those among the things that are states of the root, a dataset without versions.
    beyond : dict
        By node number: how many neighbours upstream, and how many downstream, are not among the things.
    """

    root: int
    things: list[int]
    reached: Reached
    states: list[int]
    beyond: dict[int, tuple[int, int]]


def around(
    engine: Engine, start: int, ways: Sequence[Direction], depth: int | None, limit: int, as_of: int, known_at: int
) -> Around:
    """Gather what stands around a node, up to a number of things."""
    asking = _Asking(engine, as_of, known_at)
    root = asking.meant(start)
    every_state = asking.states(root)
    states = every_state[: limit - 1]
    shown = dict.fromkeys([root, *states])
    seen = {way: set(shown) for way in ways}
    edge = {way: list(shown) for way in ways}
    level = 0
    while any(edge.values()) and len(shown) < limit and (depth is None or level < depth):
        level += 1
        room = limit - len(shown)
        found: dict[tuple[str, int], list[Direction]] = {}
        for way in ways:
            # What is shown already because it also stands on the other side is walked on from, and takes no room.
            for number, ref in asking.next(way, edge[way], seen[way], room + len(shown) - len(seen[way])):
                found.setdefault((ref, number), []).append(way)
        new = [item for item in sorted(found) if item[1] not in shown][:room]
        shown.update((number, None) for _, number in new)
        for way in ways:
            edge[way] = [number for (_, number), by in sorted(found.items()) if way in by and number in shown]
            seen[way].update(edge[way])
    things = list(shown)
    beyond: dict[int, tuple[int, int]] = {}
    up, down = asking.beyond("upstream", things), asking.beyond("downstream", things)
    if len(every_state) > len(states):
        up[root] = up.get(root, 0) + len(every_state) - len(states)
    for number in things:
        if number in up or number in down:
            beyond[number] = (up.get(number, 0), down.get(number, 0))
    return Around(root, things, asking.among(root, things), states, beyond)


def _described(node: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM fact AS f WHERE f.node = {node}.id AND f.type < 'evidence' AND f.valid_from <= :as_of "
        "AND f.valid_to > :as_of AND f.recorded_from <= :known_at AND f.recorded_to > :known_at)"
    )


def _only(node: str) -> str:
    """The one described thing with a namespace that bears the text of a node without one; NULL unless it is one."""
    return (
        "(SELECT CASE WHEN count(*) = 1 THEN min(s.id) END FROM node AS s "
        f"WHERE s.bare = {node}.ref AND s.namespace <> '' AND EXISTS (SELECT 1 FROM fact AS g "
        "WHERE g.node = s.id AND g.type < 'evidence' AND g.recorded_from <= :known_at))"
    )


def _meant(node: str) -> str:
    return (
        f"CASE WHEN {node}.namespace <> '' OR NOT {node}.kind {_LOOKED_UP} OR {_described(node)} THEN {node}.id "
        f"ELSE coalesce({_only(node)}, {node}.id) END"
    )


def _bare_twins(described: str) -> str:
    """Pairs of a thing and the reference without a namespace that can mean it only."""
    return f"""
  SELECT t.id, b.id FROM each_number(:things) AS j CROSS JOIN node AS t CROSS JOIN node AS b
  WHERE t.id = j.value AND t.namespace <> '' AND b.ref = t.bare AND b.kind {_LOOKED_UP} AND {described} {_described("b")}
  AND {_only("b")} = t.id"""


#: Each thing with the nodes that are it.
_OWN = f"""own(thing, id) AS (
  SELECT j.value, j.value FROM each_number(:things) AS j
  UNION ALL {_bare_twins("NOT")})"""

#: Two records about what bears one name stand beside each other: as ``graph.join`` draws it.
_BESIDE: dict[Direction, str] = {
    "upstream": f"""
  SELECT b.id, {_only("b")} FROM each_number(:things) AS j CROSS JOIN node AS b
  WHERE b.id = j.value AND b.namespace = '' AND b.kind {_LOOKED_UP} AND {_described("b")} AND {_only("b")} IS NOT NULL""",
    "downstream": _bare_twins(""),
}


def _near(way: Direction) -> str:
    start, end, index = _ENDS[way]
    return f"""
WITH {_OWN}, near(thing, id) AS (
  SELECT own.thing, {_meant("n")} FROM own CROSS JOIN edge AS e {index} CROSS JOIN node AS n
  WHERE e.{start} = own.id AND e.flow = 1 AND {SEEN} AND n.id = e.{end}
  UNION ALL {_BESIDE[way]})"""


#: The statements of a level and of what is not shown; tests read their query plans.
NEXT: dict[Direction, str] = {
    way: f"""{_near(way)}
SELECT x.id, t.ref FROM (
  SELECT DISTINCT near.id FROM near WHERE near.id NOT IN (SELECT k.value FROM each_number(:seen) AS k)
) AS x CROSS JOIN node AS t WHERE t.id = x.id ORDER BY t.ref LIMIT :room"""
    for way in _ENDS
}
BEYOND: dict[Direction, str] = {
    way: f"""{_near(way)}
SELECT near.thing, count(DISTINCT near.id) FROM near
WHERE near.id NOT IN (SELECT k.value FROM each_number(:things) AS k) GROUP BY near.thing"""
    for way in _ENDS
}


class _Asking:
    """The statements at two instants."""

    def __init__(self, engine: Engine, as_of: int, known_at: int) -> None:
        self._engine = engine
        self._as_of, self._known_at = as_of, known_at
        self._instants = {"as_of": as_of, "known_at": known_at}

    def meant(self, number: int) -> int:
        """What a node means."""
        statement = f"SELECT {_meant('n')} FROM node AS n WHERE n.id = :number"
        return int(self._engine.one(statement, {"number": number, **self._instants}))

    def states(self, number: int) -> list[int]:
        """The states that a dataset without versions had been in by then, the latest first."""
        ref = self._engine.rows("SELECT ref FROM node WHERE id = :number", {"number": number})[0][0]
        parsed = Ref.parse(ref)
        if parsed.kind not in MUTABLE_KINDS or parsed.version or parsed.alias:
            return []
        rows = self._engine.rows(
            f"""
            SELECT n.ref, n.id FROM node AS n INDEXED BY node_name WHERE n.name = :name AND n.kind = :kind
            AND n.namespace = :namespace AND EXISTS (SELECT 1 FROM edge AS e WHERE e.effect = n.id AND e.flow = 1 AND {SEEN})""",
            {
                "name": in_column(parsed.name),
                "namespace": in_column(parsed.namespace),
                "kind": parsed.kind,
                **self._instants,
            },
        )
        return [number for ref, number in sorted(rows, reverse=True) if Ref.parse(ref).version.startswith(STATE)]

    def next(self, way: Direction, things: Sequence[int], seen: Iterable[int], room: int) -> list[tuple[int, str]]:
        """The neighbours of things that were not seen yet, by reference, as many as there is room for."""
        found = self._engine.rows(
            NEXT[way], {"things": list(things), "seen": list(seen), "room": room, **self._instants}
        )
        return [(number, ref) for number, ref in found]

    def beyond(self, way: Direction, things: Sequence[int]) -> dict[int, int]:
        """How many neighbours each thing has that are not among the things."""
        return dict(self._engine.rows(BEYOND[way], {"things": list(things), **self._instants}))

    def among(self, root: int, things: Sequence[int]) -> Reached:
        """The things and the relations among them, also under references without a namespace."""
        own = self._engine.rows(f"WITH {_OWN} SELECT id FROM own", {"things": list(things), **self._instants})
        ids = [row[0] for row in own]
        # The sign keeps the causes a filter: looking each of them up at each effect would be their product.
        rows = self._engine.rows(
            f"""
            SELECT {COLUMNS} FROM each_number(:ids) AS j CROSS JOIN edge AS e
            WHERE e.effect = j.value AND e.flow = 1 AND {SEEN} AND +e.cause IN (SELECT k.value FROM each_number(:ids) AS k)""",
            {"ids": ids, **self._instants},
        )
        named = nodes(self._engine, ids, self._as_of, self._known_at)
        return Reached((root,), named, list(map(Edge._make, rows)))
