"""The store's tables: a journal that only grows, and a projection that answers questions.

The journal (``sync``, ``sync_end``, ``body``, ``journal``, ``quarantine``) is truth; the database itself
refuses to change it. The projection (``node``, ``edge``, ``fact``) is derived from it. Instants are integers,
microseconds since 1970 UTC, so that a comparison is one machine instruction.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import MetaData

#: Written to the file's header; how a store is told from any other SQLite file ("LXJ1").
APPLICATION_ID = 0x4C584A31
#: The version of these tables.
SCHEMA_VERSION = 1
#: Before and after every instant.
ALWAYS, FOREVER = -(2**62), 2**62

JOURNAL_TABLES = ("sync", "sync_end", "body", "journal", "quarantine")


@cache
def metadata() -> MetaData:
    """The tables as SQLAlchemy Core sees them (imported only by a writer: it costs a tenth of a second)."""
    from sqlalchemy import (
        BigInteger,
        Column,
        Float,
        Index,
        Integer,
        LargeBinary,
        MetaData,
        SmallInteger,
        Table,
        Text,
    )

    tables = MetaData()
    key = BigInteger().with_variant(Integer, "sqlite")
    Table(
        "sync",
        tables,
        Column("id", key, primary_key=True),
        Column("started_at", BigInteger, nullable=False),
        Column("observed_at", BigInteger, nullable=False),
        Column("system", Text, nullable=False),
        Column("location", Text, nullable=False),
        Column("namespace", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("tool_version", Text, nullable=False),
        Column("redaction_rules", Text, nullable=False),
    )
    # A sync's counts are a row of their own: the journal is never updated, and a sync without
    # an end is one that was interrupted.
    Table(
        "sync_end",
        tables,
        Column("sync", key, primary_key=True, autoincrement=False),
        Column("finished_at", BigInteger, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in ("read", "stored", "unchanged", "quarantined")),
        Column("complete", SmallInteger, nullable=False),
    )
    Table(
        "body",
        tables,
        Column("digest", LargeBinary, primary_key=True),
        Column("json", Text, nullable=False),
    )
    journal = Table(
        "journal",
        tables,
        Column("seq", key, primary_key=True),
        Column("sync", BigInteger, nullable=False),
        Column("recorded_at", BigInteger, nullable=False),
        Column("observed_at", BigInteger, nullable=False),
        Column("topic", LargeBinary, nullable=False),
        Column("identity", LargeBinary, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("position", Text, nullable=False),
    )
    Index("journal_topic", journal.c.topic, journal.c.identity, journal.c.observed_at)
    Table(
        "quarantine",
        tables,
        Column("id", key, primary_key=True),
        Column("sync", BigInteger, nullable=False),
        Column("recorded_at", BigInteger, nullable=False),
        Column("position", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("excerpt", Text, nullable=False),
    )
    node = Table(
        "node",
        tables,
        Column("id", key, primary_key=True),
        Column("ref", Text, nullable=False, unique=True),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("namespace", Text, nullable=False),
        Column("bare", Text, nullable=False),
    )
    Index("node_bare", node.c.bare)
    Index("node_name", node.c.kind, node.c.name)
    times = ("valid_from", "valid_to", "recorded_from", "recorded_to")
    # Clustered by effect: the walk upstream reads one run of rows for each node. The key holds
    # the record, because two relations of one kind can stand between two nodes.
    edge = Table(
        "edge",
        tables,
        Column("effect", BigInteger, primary_key=True),
        Column("flow", SmallInteger, primary_key=True),
        Column("cause", BigInteger, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("valid_from", BigInteger, primary_key=True),
        Column("recorded_from", BigInteger, primary_key=True),
        Column("valid_to", BigInteger, nullable=False),
        Column("recorded_to", BigInteger, nullable=False),
        Column("predicate", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("basis", Text, nullable=False),
        Column("traffic", Float),
        Column("event_time", BigInteger),
        sqlite_with_rowid=False,
    )
    Index("edge_by_cause", edge.c.cause, edge.c.flow, *(edge.c[name] for name in times))
    fact = Table(
        "fact",
        tables,
        Column("node", BigInteger, primary_key=True),
        Column("type", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("valid_from", BigInteger, primary_key=True),
        Column("recorded_from", BigInteger, primary_key=True),
        Column("valid_to", BigInteger, nullable=False),
        Column("recorded_to", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    del fact
    return tables


def create(connection: sqlite3.Connection) -> None:
    """Make an empty store in a new SQLite file, in one transaction."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    dialect = sqlite.dialect()
    tables = metadata()
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table in tables.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=dialect)))
            for index in sorted(table.indexes, key=lambda item: str(item.name)):
                connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
        for table_name in JOURNAL_TABLES:
            for action in ("UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER {table_name}_no_{action.lower()} BEFORE {action} ON {table_name} "
                    f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only: {action} of {table_name} refused'); END"
                )
            # REPLACE deletes without asking a DELETE trigger.
            key = next(iter(tables.tables[table_name].primary_key)).name
            refusal = (
                "IGNORE"
                if table_name == "body"
                else f"ABORT, 'the journal is append-only: REPLACE of {table_name} refused'"
            )
            taken = f"EXISTS (SELECT 1 FROM {table_name} WHERE {key} = NEW.{key})"  # noqa: S608 - names from this file
            connection.execute(
                f"CREATE TRIGGER {table_name}_no_replace BEFORE INSERT ON {table_name} "
                f"WHEN {taken} BEGIN SELECT RAISE({refusal}); END"
            )
        connection.execute(
            "CREATE VIRTUAL TABLE name_index USING fts5(text, content='', tokenize=\"unicode61 remove_diacritics 2\", prefix='1 2 3')"
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
