"""What stands around anything in a store: shown as it is on record, not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

from .content import evidence_rows, hop_rows, node_row
from .errors import InvalidQuestion
from .gathering import describe, evidence_about, fitting, instants
from .graph import from_reached, join
from .records import format_instant
from .release_history import namesakes
from .trace import Trace, lanes

if TYPE_CHECKING:
    from .store import Direction, Store

_WAYS: Mapping[str, tuple[Direction, ...]] = {
    "upstream": ("upstream",),
    "downstream": ("downstream",),
    "both": ("upstream", "downstream"),
}


# --- what stands around a thing ---


def explore(
    store: Store,
    ref: str,
    direction: Literal["upstream", "downstream", "both"] = "both",
    depth: int | None = 1,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """What stands around anything: a dataset, a model version, a run, an endpoint, a commit.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    ref : str
        A reference; without its namespace where it can mean one thing only. A dataset without versions stands for
        all its states.
    direction : {"upstream", "downstream", "both"}
        What it came from, what came of it, or the one and the other.
    depth : int, optional
        How many steps; None as many as there are.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    limit : int
        How many things at most, the nearest first.

    Returns
    -------
    dict
        Plain JSON values: ``question`` (with the instants it resolved to), ``root``, ``nodes`` (nearest first), ``hops``
        and ``evidence`` as in ``Audit.to_dict()``, and ``beyond``: for each node with neighbours that are not shown,
        how many ``upstream`` and ``downstream``. All relations among the nodes are there. Nothing is judged.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the reference cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When there is no such direction, depth or limit.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Relation(effect=f"run:{number}", predicate="used", cause="dataset:orders@7", basis="identifier")
    ...         for number in range(30)
    ...     )
    ...     found = explore(store, "dataset:orders@7", "downstream", limit=3)
    >>> [node["ref"] for node in found["nodes"]], found["beyond"]
    (['dataset:orders@7', 'run:0', 'run:1'], {'dataset:orders@7': {'upstream': 0, 'downstream': 28}})
    """
    if direction not in _WAYS:
        raise InvalidQuestion(f"no direction {direction!r}; there are: {', '.join(_WAYS)}")
    if depth is not None and depth < 0:
        raise InvalidQuestion(f"a depth is a number of steps, 0 or more, or None for all; not {depth}")
    if limit < 1:
        raise InvalidQuestion(f"a limit is a number of things, 1 or more; not {limit}")
    found = store.resolve(ref)
    asked, known = instants(store, as_of, known_at)
    with fitting(store):
        content = _around(store, found, _WAYS[direction], depth, limit, asked, known)
    question = {
        "ref": found,
        "direction": direction,
        "depth": depth,
        "as_of": format_instant(asked),
        "known_at": format_instant(known),
    }
    return {"question": question, **content}


def _around(
    store: Store,
    ref: str,
    ways: Sequence[Direction],
    depth: int | None,
    limit: int,
    as_of: datetime,
    known_at: datetime,
) -> dict[str, Any]:
    around = store.around(ref, ways, depth, limit, as_of, known_at)
    named = around.reached.nodes
    graph = from_reached(around.reached)
    join(graph, namesakes(store, named.values(), known_at))
    root = named[around.root].ref
    for state in around.states:
        _add_state(graph, named[state].ref, root)
    described = describe(store, graph, as_of, known_at)
    evidence, evidence_records = evidence_about(store, graph, as_of, known_at)
    result = Trace(root, graph, [], lanes=lanes(graph))
    rows, _ = evidence_rows(evidence, evidence_records, set(graph))
    return {
        "root": root,
        "nodes": [{**node_row(result, named[number].ref, described), "outside": False} for number in around.things],
        # A view may join this to an audit, whose hops are h1, h2, ... and whose evidence is e1, e2, ...
        "hops": [
            {**row, "id": f"x{index}", "outside": False}
            for index, row in enumerate(hop_rows(result, {}, {}, {}, described), 1)
        ],
        "evidence": [{**row, "id": f"x{row['id']}"} for row in rows],
        "beyond": {
            named[number].ref: {"upstream": upstream, "downstream": downstream}
            for number, (upstream, downstream) in around.beyond.items()
        },
    }


def _add_state(graph: nx.MultiDiGraph[str], state: str, root: str) -> None:
    """A state of a dataset without versions stands beside what was asked about, though no record relates the two."""
    graph.add_edge(
        state,
        root,
        (None, "alternate_of"),
        predicate="alternate_of",
        role="",
        basis="name",
        traffic=None,
        record_id=None,
        valid_from=None,
        valid_to=None,
        sure_to=None,
        event_time=None,
    )
