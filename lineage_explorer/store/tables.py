"""What a store holds, as DataFrames: its syncs, its quarantine, and what was observed of a thing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .claims import Claim, Seen, by_source, is_gone
from .projection import topic_of
from .schema import FOREVER

if TYPE_CHECKING:
    import pandas as pd

    from .engines import Engine

#: Fields that say which record it is, not what it says.
_IDENTITY = frozenset({"type", "ref", "effect", "predicate", "subject", "gate", "slot"})


def _frame(rows: list[tuple[Any, ...]], names: tuple[str, ...], instants: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(names))
    try:
        for name in instants:
            frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="us", utc=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(
            f"the store holds an instant that nobody wrote ({error}): run `lineage-explorer verify`"
        ) from error
    return frame


def syncs(engine: Engine) -> pd.DataFrame:
    """Every sync with its counts; see :meth:`Store.syncs`."""
    names = (
        *("sync", "system", "location", "namespace", "started_at", "finished_at", "observed_at", "read", "stored"),
        *("unchanged", "quarantined", "vanished", "complete", "enumerated", "actor", "tool_version"),
    )
    rows = engine.rows(f"SELECT id, {', '.join(names[1:])} FROM sync ORDER BY id")
    frame = _frame(rows, names, ("started_at", "finished_at", "observed_at"))
    frame["complete"] = frame["complete"].astype(bool)
    for name in ("read", "stored", "unchanged", "quarantined", "vanished"):
        # An interrupted sync may have no counts; the others' are whole numbers all the same.
        frame[name] = frame[name].astype("Int64") if frame[name].isna().any() else frame[name].astype("int64")
    return frame


def quarantine(engine: Engine, *, every: bool) -> pd.DataFrame:
    """What could not become a record; see :meth:`Store.quarantine`."""
    names = ("sync", "system", "location", "position", "reason", "excerpt", "recorded_at", "ended_at")
    rows = engine.rows(
        "SELECT q.sync, s.system, s.location, q.position, q.reason, q.excerpt, q.recorded_at, q.ended_at "
        "FROM quarantine AS q CROSS JOIN sync AS s WHERE s.id = q.sync "
        f"{'' if every else 'AND q.ended_at IS NULL '}ORDER BY q.seq"
    )
    return _frame(rows, names, ("recorded_at", "ended_at"))


def open_quarantine(engine: Engine) -> list[tuple[str, str, str]]:
    """The places (system, location, namespace) that hold something which cannot be read."""
    rows = engine.rows(
        "SELECT DISTINCT s.system, s.location, s.namespace FROM quarantine AS q CROSS JOIN sync AS s "
        "WHERE s.id = q.sync AND q.ended_at IS NULL ORDER BY 1, 2, 3"
    )
    return [(system, location, namespace) for system, location, namespace in rows]


def observations(engine: Engine, ref: str) -> pd.DataFrame:
    """What sources said about a reference; see :meth:`Store.observations`."""
    names = (
        *("record", "field", "value", "not_before", "first_seen", "last_seen", "ended_by"),
        *("sync", "system", "location", "position"),
    )
    rows = sorted(_observed(engine, ref), key=lambda row: (row[0], row[1], row[4], row[7]))
    return _frame(rows, names, ("not_before", "first_seen", "last_seen", "ended_by"))


def _observed(engine: Engine, ref: str) -> Iterator[tuple[Any, ...]]:
    seqs = [
        row[0]
        for row in engine.rows(
            """
            SELECT f.seq FROM node AS n CROSS JOIN fact AS f WHERE n.ref = :ref AND f.node = n.id
            UNION SELECT e.seq FROM node AS n CROSS JOIN edge AS e WHERE n.ref = :ref AND e.effect = n.id""",
            {"ref": ref},
        )
    ]
    keys = {bytes(row[0]) for row in engine.lookup("SELECT topic FROM journal WHERE seq {keys}", seqs)}
    found = engine.lookup(
        "SELECT j.seq, j.kind, j.scope, j.identity, j.observed_at, j.of, j.digest, coalesce(j.of, j.seq) "
        "FROM journal AS j WHERE j.topic {keys}",
        sorted(keys),
    )
    entries = sorted(found)
    bodies = {
        seq: json.loads(text)
        for seq, text in engine.lookup(
            "SELECT seq, json FROM body WHERE seq {keys}", sorted({row[7] for row in entries})
        )
    }
    origin = {
        row[0]: row[1:]
        for row in engine.lookup(
            "SELECT j.seq, j.sync, s.system, s.location, j.position FROM journal AS j CROSS JOIN sync AS s "
            "WHERE s.id = j.sync AND j.seq {keys}",
            [row[0] for row in entries],
        )
    }
    seen = [
        Seen(seq, of, scope, bytes(identity), when, is_gone(kind), bytes(digest), bodies[of])
        for seq, kind, scope, identity, when, _, digest, of in entries
    ]
    seen = [item for item in seen if _speaks_of(item.plain, ref)]
    readings: dict[int, list[tuple[int, int]]] = {}
    for scope in {item.scope for item in seen}:
        readings[scope] = [
            (seq, when)
            for seq, when in engine.rows(
                "SELECT seq, observed_at FROM enumeration WHERE scope = :scope ORDER BY seq", {"scope": scope}
            )
        ]
    for sources in by_source(seen, readings).values():
        for claims in sources:
            for claim, confirmed in zip(claims, [*claims[1:], None], strict=True):
                last = claim.last if confirmed is not None else _confirmed(claim, seen, readings)
                yield from _fields(claim, last, claims, origin[claim.seq])


def _speaks_of(plain: Mapping[str, Any], ref: str) -> bool:
    return ref in (plain.get("ref"), plain.get("subject"), plain.get("effect")) or topic_of(plain).endswith(ref)


def _confirmed(claim: Claim, seen: list[Seen], readings: Mapping[int, list[tuple[int, int]]]) -> int:
    """When a claim that stands was last confirmed by a full reading of its source."""
    scope = next(item.scope for item in seen if item.seq == claim.seq)
    return max([claim.last, *(when for seq, when in readings.get(scope, ()) if seq > claim.seq)])


def _fields(claim: Claim, last: int, claims: list[Claim], origin: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    plain = claim.plain
    index = claims.index(claim)
    before = claims[index - 1] if index else None
    name = _name_of(plain)
    end = None if claim.end == FOREVER else claim.end
    if claim.gone:
        not_before = None if before is None else before.last
        yield name, "", "(no longer in its source)", not_before, claim.first, last, end, *origin
        return
    for field, value in _flat(plain):
        # A field that did not change with the record goes on.
        if before is not None and not before.gone and dict(_flat(before.plain)).get(field) == value:
            continue
        stop, seen_last = end, last
        for later in claims[index + 1 :]:
            if later.gone or dict(_flat(later.plain)).get(field) != value:
                stop = later.first
                break
            seen_last, stop = later.last, None if later.end == FOREVER else later.end
        not_before = before.last if before is not None else None
        yield name, field, value, not_before, claim.first, seen_last, stop, *origin


def _name_of(plain: Mapping[str, Any]) -> str:
    if plain["type"] == "relation":
        slot = f" [{plain['slot']}]" if plain.get("slot") else f" {plain['cause']}"
        return f"{plain['effect']} {plain['predicate']}{slot}"
    if plain["type"] == "evidence":
        return f"{plain['subject']} gate {plain['gate']}"
    return str(plain["ref"])


def _flat(plain: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for key, value in plain.items():
        if key == "attributes" and isinstance(value, dict):
            found += [(f"attributes.{name}", _text(item)) for name, item in value.items()]
        elif key not in _IDENTITY:
            found.append((key, _text(value)))
    return found or [("", "on record")]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
