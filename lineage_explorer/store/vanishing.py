"""What a full reading of a source did not show, and the source had shown before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from .log import Kind

if TYPE_CHECKING:
    from .engines import Engine


class Reading:
    """Which identities a reading has shown: beside the store, so that memory does not grow with their number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made = False
        self._spoke: set[int] = set()
        self._spoke_before: dict[int, bool] = {}

    def spoke(self, scope: int) -> bool:
        """Whether a scope said anything yet, whoever wrote it."""
        if scope not in self._spoke and self._engine.rows(
            "SELECT 1 FROM journal WHERE scope = :scope AND identity IS NOT NULL LIMIT 1", {"scope": scope}
        ):
            self._spoke.add(scope)
        return scope in self._spoke

    def spoke_before(self, scope: int, start: int) -> bool:
        """Whether a scope said anything before this sync."""
        if scope not in self._spoke_before:
            found = self._engine.rows(
                "SELECT 1 FROM journal WHERE scope = :scope AND identity IS NOT NULL AND seq <= :start LIMIT 1",
                {"scope": scope, "start": start},
            )
            self._spoke_before[scope] = bool(found)
        return self._spoke_before[scope]

    def remember(self, scope: int, identities: Iterable[bytes], start: int) -> None:
        """Note what was shown."""
        if not self.spoke_before(scope, start):
            return  # nothing of it can vanish
        self._make()
        self._engine.change_each(
            "INSERT INTO shown(scope, identity) VALUES (:scope, :identity) ON CONFLICT DO NOTHING",
            [{"scope": scope, "identity": identity} for identity in dict.fromkeys(identities)],
        )

    def _make(self) -> None:
        if not self._made:
            kind, end = ("blob", " WITHOUT ROWID") if self._engine.dialect == "sqlite" else ("bytea", "")
            self._engine.script(
                [
                    "DROP TABLE IF EXISTS shown",
                    f"CREATE TEMPORARY TABLE shown (scope bigint, identity {kind}, PRIMARY KEY (scope, identity)){end}",
                ]
            )
            self._made = True

    def missing(self, scope: int, start: int, at: int) -> list[int]:
        """The entries that say what a scope held, earlier than this sync, of what it did not show in it."""
        if not self.spoke_before(scope, start):
            return []
        self._make()
        rows = self._engine.stream(
            """
            SELECT j.identity, j.observed_at, j.seq, j.kind
            FROM (SELECT DISTINCT k.identity FROM journal AS k
              WHERE k.scope = :scope AND k.identity IS NOT NULL AND k.seq <= :start
              AND NOT EXISTS (SELECT 1 FROM shown AS s WHERE s.scope = :scope AND s.identity = k.identity)) AS absent
            CROSS JOIN journal AS j WHERE j.scope = :scope AND j.identity = absent.identity
            AND j.seq <= :start AND j.observed_at < :at ORDER BY j.identity, j.observed_at, j.seq""",
            {"scope": scope, "start": start, "at": at},
        )
        readings = self._late_readings(scope, at)
        words = ([row[1:] for row in group] for _, group in groupby(rows, key=lambda row: bytes(row[0])))
        last = (_last_word(known, readings) for known in words)
        return sorted(seq for _, seq, kind in last if kind != Kind.GONE)

    def _late_readings(self, scope: int, at: int) -> list[tuple[int, int]]:
        """Full readings of states before an instant, the latest state first; none where they came in order."""
        rows = self._engine.rows(
            "SELECT observed_at, seq FROM enumeration WHERE scope = :scope AND observed_at < :at ORDER BY seq",
            {"scope": scope, "at": at},
        )
        in_order = all(one[0] <= other[0] for one, other in pairwise(rows))
        return [] if in_order else sorted(((when, seq) for when, seq in rows), reverse=True)

    def refused_lately(self, scope: int) -> bool:
        """Whether this reading showed something unreadable that the last full reading of the scope did not show."""
        rows = self._engine.rows(
            "SELECT 1 FROM quarantine AS q CROSS JOIN journal AS j WHERE j.seq = q.seq AND j.scope = :scope "
            "AND q.ended_at IS NULL AND q.seq > (SELECT coalesce(max(e.seq), 0) FROM enumeration AS e WHERE e.scope = :scope) "
            "AND EXISTS (SELECT 1 FROM shown AS s WHERE s.scope = :scope AND s.identity = j.identity) LIMIT 1",
            {"scope": scope},
        )
        return bool(rows)

    def forget(self) -> None:
        """Drop the notes."""
        if self._made:
            self._engine.script(["DROP TABLE IF EXISTS shown"])
            self._made = False


def _last_word(known: Sequence[tuple[int, int, int]], readings: Iterable[tuple[int, int]]) -> tuple[int, int, int]:
    """Of entries (observed at, number, kind) about one thing, that which a source said last, silently or not.

    A full reading that showed it as it was known says so without an entry. A tombstone of an earlier state that
    arrived later does not take that back.
    """
    last = known[-1]
    for when, seq in readings:
        if when <= last[0]:
            break
        before = [entry for entry in known if entry[0] <= when and entry[1] < seq]
        if before:
            return before[-1]
    return last
