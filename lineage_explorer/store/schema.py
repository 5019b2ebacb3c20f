"""The store's tables: a journal that only grows, and a projection that answers questions.

The journal (``scope``, ``journal``, ``body``, ``head``) is truth; the database itself refuses to change it. All
else is derived from it, and can be derived again. Instants are integers, microseconds since 1970 UTC, so that
a comparison is one machine instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from .engines import Engine

#: Written to an SQLite file's header; how a store is told from any other file ("LXJ1").
APPLICATION_ID = 0x4C584A31
#: The version of these tables.
SCHEMA_VERSION = 2
#: Before and after every instant.
ALWAYS, FOREVER = -(2**62), 2**62

JOURNAL_TABLES = ("scope", "journal", "body", "head")
#: Derived from the journal, in an order in which they can be emptied.
PROJECTION_TABLES = ("edge", "fact", "name_index", "node", "quarantine", "enumeration", "sync")


@cache
def metadata() -> MetaData:
    """The tables as SQLAlchemy Core sees them (imported only to make a store: it costs a tenth of a second)."""
    from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

    tables = MetaData()
    key = BigInteger().with_variant(Integer, "sqlite")
    # Text is compared byte by byte in both databases, or one store would sort and find otherwise than the other.
    text = Text().with_variant(Text(collation="C"), "postgresql")

    def plain(name: str, *, null: bool = False) -> Column[int]:
        return Column(name, BigInteger, nullable=null)

    # --- truth ---
    Table(
        "scope",
        tables,
        Column("id", key, primary_key=True, autoincrement=False),
        *(Column(name, text, nullable=False) for name in ("system", "namespace", "location", "part")),
    )
    journal = Table(
        "journal",
        tables,
        Column("seq", key, primary_key=True, autoincrement=False),
        Column("kind", SmallInteger, nullable=False),
        *(plain(name) for name in ("sync", "scope", "recorded_at", "observed_at")),
        plain("of", null=True),
        Column("topic", LargeBinary),
        Column("identity", LargeBinary),
        Column("digest", LargeBinary, nullable=False),
        Column("position", text, nullable=False),
    )
    Index("journal_identity", journal.c.scope, journal.c.identity)
    Index("journal_topic", journal.c.topic)
    Table(
        "body", tables, Column("seq", key, primary_key=True, autoincrement=False), Column("json", text, nullable=False)
    )
    head = Table(
        "head",
        tables,
        Column("size", key, primary_key=True, autoincrement=False),
        Column("root", LargeBinary, nullable=False),
        plain("recorded_at"),
    )
    Index("head_recorded", head.c.recorded_at)
    # The complete parts of the Merkle tree: one row, so that the next entry needs none of the old.
    Table("frontier", tables, Column("size", BigInteger, nullable=False), Column("peaks", LargeBinary, nullable=False))
    # What a source needs to read only changes next time: as it is read again anyway when this is lost or changed,
    # the journal holds its digest only.
    Table(
        "resume",
        tables,
        Column("place", key, primary_key=True, autoincrement=False),
        Column("json", text, nullable=False),
    )

    # --- derived ---
    Table(
        "sync",
        tables,
        Column("id", key, primary_key=True, autoincrement=False),
        *(plain(name) for name in ("started_at", "observed_at")),
        *(Column(name, text, nullable=False) for name in ("system", "location", "namespace", "actor", "tool_version")),
        Column("redaction_rules", text, nullable=False),
        *(plain(name, null=True) for name in ("finished_at", "read", "stored", "unchanged", "quarantined", "vanished")),
        Column("complete", SmallInteger, nullable=False),
        Column("enumerated", text),
        Column("resume_at", text),
    )
    Table(
        "enumeration",
        tables,
        Column("scope", BigInteger, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        plain("observed_at"),
    )
    Table(
        "quarantine",
        tables,
        Column("seq", key, primary_key=True, autoincrement=False),
        *(plain(name) for name in ("sync", "recorded_at")),
        *(Column(name, text, nullable=False) for name in ("position", "reason", "excerpt")),
        plain("ended_at", null=True),
    )
    node = Table(
        "node",
        tables,
        Column("id", key, primary_key=True, autoincrement=False),
        *(Column(name, text, nullable=False) for name in ("ref", "kind", "name", "namespace", "bare")),
    )
    # Hashed on PostgreSQL, whose ordered indexes refuse a long name.
    for name in ("ref", "bare", "name"):
        Index(f"node_{name}", node.c[name], postgresql_using="hash")
    Index("node_kind", node.c.kind)
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
        *(plain(name) for name in ("valid_to", "recorded_to")),
        plain("sure_to", null=True),
        *(Column(name, text, nullable=False) for name in ("predicate", "role", "basis")),
        Column("traffic", Float),
        plain("event_time", null=True),
        sqlite_with_rowid=False,
    )
    times = ("valid_from", "valid_to", "recorded_from", "recorded_to")
    Index("edge_by_cause", edge.c.cause, edge.c.flow, *(edge.c[name] for name in times))
    Table(
        "fact",
        tables,
        Column("node", BigInteger, primary_key=True),
        Column("type", text, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("valid_from", BigInteger, primary_key=True),
        Column("recorded_from", BigInteger, primary_key=True),
        *(plain(name) for name in ("valid_to", "recorded_to")),
        plain("sure_to", null=True),
        Column("gone", SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    return tables


@cache
def columns(table: str) -> tuple[str, ...]:
    """A table's columns in order."""
    return {
        "scope": ("id", "system", "namespace", "location", "part"),
        "journal": (
            *("seq", "kind", "sync", "scope", "recorded_at", "observed_at", "of", "topic", "identity", "digest"),
            "position",
        ),
        "body": ("seq", "json"),
        "head": ("size", "root", "recorded_at"),
        "quarantine": ("seq", "sync", "recorded_at", "position", "reason", "excerpt", "ended_at"),
        "enumeration": ("scope", "seq", "observed_at"),
        "node": ("id", "ref", "kind", "name", "namespace", "bare"),
        "edge": (
            *("effect", "flow", "cause", "seq", "valid_from", "recorded_from", "valid_to", "recorded_to", "sure_to"),
            *("predicate", "role", "basis", "traffic", "event_time"),
        ),
        "fact": ("node", "type", "seq", "valid_from", "recorded_from", "valid_to", "recorded_to", "sure_to", "gone"),
        "sync": (
            *("id", "started_at", "observed_at", "system", "location", "namespace", "actor", "tool_version"),
            *("redaction_rules", "finished_at", "read", "stored", "unchanged", "quarantined", "vanished", "complete"),
            *("enumerated", "resume_at"),
        ),
    }[table]


def statements(dialect: str, schema: str = "") -> Iterator[str]:
    """Everything that makes an empty store, in order.

    Parameters
    ----------
    dialect : {"sqlite", "postgresql"}
        Whose SQL.
    schema : str
        On PostgreSQL, the schema to make; already on the search path.
    """
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable

    compiled = sqlite.dialect() if dialect == "sqlite" else postgresql.dialect()  # type: ignore[no-untyped-call]
    if dialect == "postgresql":
        yield str(CreateSchema(schema, if_not_exists=True).compile(dialect=compiled))
    for table in metadata().tables.values():
        yield str(CreateTable(table).compile(dialect=compiled)).strip()
        for index in sorted(table.indexes, key=lambda item: str(item.name)):
            yield str(CreateIndex(index).compile(dialect=compiled))
    yield "INSERT INTO frontier(size, peaks) VALUES (0, {})".format("x''" if dialect == "sqlite" else "''::bytea")
    yield from _sqlite_only() if dialect == "sqlite" else _postgresql_only()


def _sqlite_only() -> Iterator[str]:
    for table in JOURNAL_TABLES:
        for action in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only: {action} of {table} refused'); END"
            )
        # REPLACE deletes without asking a DELETE trigger.
        key = columns(table)[0]
        yield (
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
            f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only: REPLACE of {table} refused'); END"
        )
    yield (
        "CREATE VIRTUAL TABLE name_index USING "
        "fts5(words, content='', detail='none', tokenize='unicode61 remove_diacritics 0', prefix='1 2 3 4 5 6 7 8')"
    )
    yield f"PRAGMA application_id = {APPLICATION_ID}"
    yield f"PRAGMA user_version = {SCHEMA_VERSION}"


def _postgresql_only() -> Iterator[str]:
    yield (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'the journal is append-only: % of % refused', TG_OP, TG_TABLE_NAME; END $$"
    )
    for table in JOURNAL_TABLES:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    yield "CREATE TABLE name_index (rowid bigint PRIMARY KEY, words tsvector NOT NULL)"
    yield "CREATE INDEX name_index_words ON name_index USING gin (words)"
    yield "CREATE TABLE about (application integer NOT NULL, version integer NOT NULL)"
    yield f"INSERT INTO about VALUES ({APPLICATION_ID}, {SCHEMA_VERSION})"


def create(engine: Engine, schema: str = "") -> None:
    """Make an empty store where there is nothing, all or nothing."""
    with engine.transaction():
        engine.script(statements(engine.dialect, schema))
