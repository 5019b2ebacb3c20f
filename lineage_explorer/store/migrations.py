"""Bringing an older store up to date: in one transaction, from any released schema to the present one.

Every released schema has one step to the next. A step may rewrite what is derived, and may give the journal
a new form; it never changes what a record says, nor when it was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from ..errors import NotAStore, StoreError, StoreTooOld
from ..records import identity_of
from ..sources.protocol import Rejected
from .engines import Row, SQLite
from .journal import Draft, Journal, Scope, document, draft, key_of, prepare, storable
from .log import Kind
from .projection import topic_of
from .schema import SCHEMA_VERSION, statements


def upgrade(engine: SQLite, version: int) -> None:
    """Bring a store from an older schema to the present one, all or nothing.

    Raises
    ------
    StoreTooOld
        When the file may not be written to.
    """
    try:
        with engine.transaction():
            # Another process may have done it while this one waited for the lock.
            version = int(engine.connection.execute("PRAGMA user_version").fetchone()[0])
            if version < SCHEMA_VERSION and version not in _STEPS:
                raise NotAStore(f"{engine.name!r} is damaged: no version wrote a schema {version}")
            for step in range(version, SCHEMA_VERSION):
                _STEPS[step](engine)
    except StoreError as error:
        if "readonly" in str(error):
            raise StoreTooOld(
                f"{engine.name!r} was written by an older lineage-explorer (schema {version}) and may not be written "
                f"to here; whoever may, upgrades it to schema {SCHEMA_VERSION} by opening it: lineage-explorer syncs {engine.name}"
            ) from error
        raise


def _from_1(engine: SQLite) -> None:
    """Schema 1 (0.1): no tombstones, no tree, syncs and quarantine beside the journal.

    What was recorded together (one instant) stays together, so that every answer about the past stays as it was.
    """
    old = ("sync", "sync_end", "body", "journal", "quarantine", "node", "edge", "fact")
    triggers = engine.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    indexes = engine.rows("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    engine.script(f"DROP TRIGGER {name}" for (name,) in triggers)
    engine.script(f"DROP INDEX {name}" for (name,) in indexes)
    engine.script([*(f"ALTER TABLE {name} RENAME TO old_{name}" for name in old), "DROP TABLE name_index"])
    engine.script(statements("sqlite"))
    journal = Journal(engine)
    syncs = {row[0]: row for row in engine.rows("SELECT * FROM old_sync")}
    for now, drafts in _grouped(_old_entries(engine, syncs)):
        tree = journal.tree()
        for sync, entry in drafts:
            journal.write([entry], sync, _place(syncs[sync]), now, tree)
        journal.seal(tree, now)
    engine.script(f"DROP TABLE old_{name}" for name in old)


def _place(row: Row) -> Scope:
    return Scope(storable(row[3]), storable(row[5]), storable(row[4]), "")


def _old_entries(engine: SQLite, syncs: dict[int, Row]) -> Iterator[tuple[int, int, Draft]]:
    """(instant of recording, sync, entry), in the order in which they were written."""
    instants = [
        row[0]
        for row in engine.rows(
            "SELECT started_at FROM old_sync UNION SELECT finished_at FROM old_sync_end "
            "UNION SELECT DISTINCT recorded_at FROM old_journal UNION SELECT recorded_at FROM old_quarantine ORDER BY 1"
        )
    ]
    engine.script(
        [
            "CREATE INDEX old_journal_recorded ON old_journal(recorded_at)",
            "CREATE INDEX old_quarantine_recorded ON old_quarantine(recorded_at)",
        ]
    )
    for now in instants:
        for sync, row in syncs.items():
            if row[1] == now:
                names = ("system", "location", "namespace", "actor", "tool_version", "redaction_rules")
                about = {name: storable(text) for name, text in zip(names, row[3:9], strict=True)}
                yield now, sync, document(Kind.BEGIN, about, row[2])
        for sync, observed_at, digest, position, text in engine.rows(
            "SELECT j.sync, j.observed_at, j.digest, j.position, b.json FROM old_journal AS j "
            "CROSS JOIN old_body AS b WHERE b.digest = j.digest AND j.recorded_at = :now ORDER BY j.seq",
            {"now": now},
        ):
            plain = json.loads(text)
            keys = key_of(topic_of(plain)), key_of(identity_of(plain))
            yield now, sync, Draft(Kind.SEEN, "", observed_at, digest, storable(position), None, *keys, text, plain)
        for sync, position, reason, excerpt in engine.rows(
            "SELECT sync, position, reason, excerpt FROM old_quarantine WHERE recorded_at = :now ORDER BY id",
            {"now": now},
        ):
            item = prepare(Rejected(reason=reason, position=position, excerpt=excerpt))
            yield now, sync, draft(item, now)
        for sync, read, stored, unchanged, quarantined, complete in engine.rows(
            "SELECT sync, read, stored, unchanged, quarantined, complete FROM old_sync_end WHERE finished_at = :now",
            {"now": now},
        ):
            counts = {"read": read, "stored": stored, "unchanged": unchanged, "quarantined": quarantined}
            # Schema 1 did not say whether a source was read in full; the next sync does.
            about_end: dict[str, Any] = {**counts, "vanished": 0, "complete": bool(complete), "enumerated": {}}
            yield now, sync, document(Kind.END, about_end, syncs[sync][2])


def _grouped(items: Iterator[tuple[int, int, Draft]]) -> Iterator[tuple[int, list[tuple[int, Draft]]]]:
    for now, group in groupby(items, key=lambda item: item[0]):
        yield now, [(sync, entry) for _, sync, entry in group]


_STEPS: dict[int, Callable[[SQLite], None]] = {1: _from_1}
