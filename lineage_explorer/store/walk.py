"""Reading the projection: what is reachable from a reference, at two times, by one recursion in the database.

A trace costs what its answer costs, not what the estate holds: the recursion visits the rows of the
answer only. The statements are text, sent straight to the driver, so that a question does not pay for
importing SQLAlchemy; ``CROSS JOIN`` tells SQLite to keep the order written (a planner with statistics
otherwise scans every edge).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import StoreError

if TYPE_CHECKING:
    from .engines import Engine

Direction = Literal["upstream", "downstream"]

#: Kinds that are never looked up in another namespace: the same name elsewhere is another thing.
ISSUED = ("endpoint", "deployment", "run")
#: What an :class:`Edge` is read from.
COLUMNS = ", ".join(
    f"e.{name}"
    for name in (
        *("effect", "cause", "predicate", "role", "basis", "traffic", "seq"),
        *("valid_from", "valid_to", "sure_to", "event_time"),
    )
)
#: That a relation was so at ``as_of``, as known at ``known_at``.
SEEN = "e.valid_from <= :as_of AND e.valid_to > :as_of AND e.recorded_from <= :known_at AND e.recorded_to > :known_at"


def _reach_statement(start: str, end: str, index: str) -> str:
    return f"""
WITH RECURSIVE walk(id) AS (
  SELECT j.value FROM each_number(:roots) AS j
  UNION
  SELECT e.{end} FROM walk CROSS JOIN edge AS e {index}
  WHERE e.{start} = walk.id AND e.flow = 1 AND {SEEN}
)
SELECT {COLUMNS}
FROM walk CROSS JOIN edge AS e {index}
WHERE e.{start} = walk.id AND e.flow = 1 AND {SEEN}"""


#: The two hot statements; tests read their query plans.
STATEMENTS: dict[Direction, str] = {
    "upstream": _reach_statement("effect", "cause", ""),
    "downstream": _reach_statement("cause", "effect", "INDEXED BY edge_by_cause"),
}


class Edge(NamedTuple):
    """A relation in an answer; ``effect`` and ``cause`` are node numbers of this store."""

    effect: int
    cause: int
    predicate: str
    role: str
    basis: str
    traffic: float | None
    seq: int
    valid_from: int
    valid_to: int
    sure_to: int | None
    event_time: int | None


class Node(NamedTuple):
    """A reference in an answer.

    Attributes
    ----------
    fact : int or None
        Number of the record that describes it.
    gone : int or None
        1 when its source no longer had it, None when nothing describes it.
    """

    id: int
    ref: str
    kind: str
    name: str
    namespace: str
    fact: int | None
    gone: int | None


class Reached(NamedTuple):
    """What a walk found: the roots' node numbers, the nodes, and the relations between them."""

    roots: tuple[int, ...]
    nodes: dict[int, Node]
    edges: list[Edge]


def reach(engine: Engine, roots: Sequence[int], direction: Direction, as_of: int, known_at: int) -> Reached:
    """Every node and relation reachable from the roots, as it was at two instants."""
    instants = {"as_of": as_of, "known_at": known_at}
    rows = engine.rows(STATEMENTS[direction], {"roots": list(roots), **instants})
    ids = set(roots)
    ids.update(row[0] for row in rows)
    ids.update(row[1] for row in rows)
    return Reached(tuple(roots), nodes(engine, ids, as_of, known_at), list(map(Edge._make, rows)))


def nodes(engine: Engine, ids: Iterable[int], as_of: int, known_at: int) -> dict[int, Node]:
    """The references of node numbers, and which record describes each at two instants."""
    wanted = sorted(set(ids))
    # Activity, agent and entity are the types that sort before evidence: one search of the index for
    # each node, where a list of three is three. Of several descriptions the last that was recorded counts here.
    found = engine.rows(
        """
        SELECT n.id, n.ref, n.kind, n.name, n.namespace, f.seq, f.gone
        FROM each_number(:ids) AS j CROSS JOIN node AS n LEFT JOIN fact AS f ON f.node = n.id AND f.type < 'evidence'
        AND f.valid_from <= :as_of AND f.valid_to > :as_of AND f.recorded_from <= :known_at AND f.recorded_to > :known_at
        WHERE n.id = j.value""",
        {"ids": wanted, "as_of": as_of, "known_at": known_at},
    )
    named: dict[int, Node] = {}
    for row in found:
        known = named.get(row[0])
        if known is None or (row[5] is not None and known.fact is not None and row[5] > known.fact):
            named[row[0]] = Node._make(row)
    if len(named) < len(wanted):
        raise damaged(engine, f"node {min(set(wanted) - named.keys())} is missing")
    return named


class Described(NamedTuple):
    """A record in the journal with where, when and from what it was read."""

    seq: int
    json: str
    digest: str
    recorded_at: int
    observed_at: int
    position: str
    system: str
    location: str


def describe(engine: Engine, seqs: Iterable[int]) -> dict[int, Described]:
    """The journal's records by number.

    Raises
    ------
    StoreError
        When a record is missing or is not what was journalled: nothing is answered from a text that nobody wrote.
    """
    wanted = set(seqs)
    found = engine.rows(
        """
        SELECT j.seq, b.json, j.digest, j.recorded_at, j.observed_at, j.position, s.system, s.location
        FROM each_number(:seqs) AS w CROSS JOIN journal AS j CROSS JOIN body AS b CROSS JOIN sync AS s
        WHERE j.seq = w.value AND b.seq = coalesce(j.of, j.seq) AND s.id = j.sync""",
        {"seqs": list(wanted)},
    )
    described = {
        row[0]: Described(row[0], checked(engine, row[0], row[1], row[2]), "sha256:" + bytes(row[2]).hex(), *row[3:])
        for row in found
    }
    if missing := wanted - described.keys():
        raise damaged(engine, f"record {min(missing)} is missing")
    return described


def checked(engine: Engine, seq: int, text: Any, digest: Any) -> str:
    """A record's text, when it has the digest that it was journalled under."""
    if not isinstance(text, str) or hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() != bytes(digest):
        raise damaged(engine, f"the text of record {seq} does not have the digest it was journalled under")
    return text


def damaged(engine: Engine, what: str) -> StoreError:
    """An error that says what is wrong with a store, and how to learn more."""
    return StoreError(
        f"{engine.name!r} is damaged or was changed: {what}. `lineage-explorer verify` tells what does not fit"
    )


class Said(NamedTuple):
    """A record about a node, as it stood at an instant.

    Attributes
    ----------
    node, seq : int
        The subject's node number, and the number of the record.
    gone : bool
        Whether its source no longer showed it.
    sure : bool
        False between the last sync that saw it so and the first that saw it otherwise.
    """

    node: int
    seq: int
    gone: bool
    sure: bool


def said(engine: Engine, ids: Iterable[int], as_of: int, known_at: int, *, evidence: bool) -> list[Said]:
    """All evidence about the nodes as it stood, or else all that describes them."""
    found = engine.rows(
        f"""
        SELECT f.node, f.seq, f.gone, f.sure_to FROM each_number(:ids) AS j CROSS JOIN fact AS f
        WHERE f.node = j.value AND f.type {"=" if evidence else "<"} 'evidence' AND f.valid_from <= :as_of AND f.valid_to > :as_of
        AND f.recorded_from <= :known_at AND f.recorded_to > :known_at ORDER BY f.seq""",
        {"ids": list(ids), "as_of": as_of, "known_at": known_at},
    )
    return [Said(node, seq, bool(gone), sure_to is None or as_of < sure_to) for node, seq, gone, sure_to in found]


def said_before(engine: Engine, names: Iterable[str], as_of: int, known_at: int) -> list[tuple[str, int]]:
    """All evidence about things of some names that was on record at or before an instant: (reference, record number).

    Also what was said otherwise later: whether a condition was changed is seen in what it was.
    """
    found = engine.rows(
        """
        SELECT n.ref, f.seq FROM each_text(:names) AS j CROSS JOIN node AS n CROSS JOIN fact AS f
        WHERE n.name = j.value AND f.node = n.id AND f.type = 'evidence' AND f.valid_from <= :as_of
        AND f.recorded_from <= :known_at AND f.recorded_to > :known_at ORDER BY f.seq""",
        {"names": list(names), "as_of": as_of, "known_at": known_at},
    )
    return [(ref, seq) for ref, seq in found]


def measured(engine: Engine, metric: str) -> bool:
    """Whether any record of evidence names a metric."""
    word = json.dumps(metric, ensure_ascii=False)  # as canonical JSON writes a text
    for char in ("\\", "%", "_"):
        word = word.replace(char, "\\" + char)
    found = engine.rows(
        """
        SELECT 1 FROM body AS b WHERE (b.json LIKE :gate ESCAPE '\\' OR b.json LIKE :metric ESCAPE '\\') LIMIT 1""",
        {"gate": f'%"gate":{word}%', "metric": f'%"metric":{word}%'},
    )
    return bool(found)


def beside(
    engine: Engine,
    ids: Iterable[int],
    predicate: str,
    as_of: int,
    known_at: int,
    *,
    effects: bool,
) -> list[Edge]:
    """Relations of one predicate that touch the nodes: as their effects, or as their causes."""
    side, index = ("effect", "") if effects else ("cause", "INDEXED BY edge_by_cause")
    found = engine.rows(
        f"""
        SELECT {COLUMNS}
        FROM each_number(:ids) AS j CROSS JOIN edge AS e {index}
        WHERE e.{side} = j.value AND e.flow IN (0, 1) AND e.predicate = :predicate AND {SEEN}""",
        {"ids": list(ids), "predicate": predicate, "as_of": as_of, "known_at": known_at},
    )
    return list(map(Edge._make, found))


def intervals(engine: Engine, ids: Iterable[int], predicate: str, known_at: int) -> list[Edge]:
    """Relations of one predicate that have the nodes as effects, at whatever instants they held."""
    found = engine.rows(
        f"""
        SELECT {COLUMNS} FROM each_number(:ids) AS j CROSS JOIN edge AS e
        WHERE e.effect = j.value AND e.flow IN (0, 1) AND e.predicate = :predicate
        AND e.recorded_from <= :known_at AND e.recorded_to > :known_at""",
        {"ids": list(ids), "predicate": predicate, "known_at": known_at},
    )
    return list(map(Edge._make, found))


def numbers(engine: Engine, refs: Iterable[str]) -> dict[str, int]:
    """Node numbers of the references that are in the store."""
    found = engine.rows(
        "SELECT n.ref, n.id FROM each_text(:refs) AS j CROSS JOIN node AS n WHERE n.ref = j.value",
        {"refs": list(refs)},
    )
    return dict(found)


def namesakes(engine: Engine, bares: Iterable[str], known_at: int) -> dict[str, list[str]]:
    """Described references with a namespace, by their text without it."""
    wanted = list(dict.fromkeys(bares))
    same: dict[str, list[str]] = {bare: [] for bare in wanted}
    found = engine.rows(
        """
        SELECT n.bare, n.ref FROM each_text(:bares) AS j CROSS JOIN node AS n
        WHERE n.bare = j.value AND n.namespace <> '' AND EXISTS (
          SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.type IN ('activity', 'agent', 'entity')
          AND f.recorded_from <= :known_at)
        ORDER BY n.ref""",
        {"bares": wanted, "known_at": known_at},
    )
    for bare, ref in found:
        same[bare].append(ref)
    return same
