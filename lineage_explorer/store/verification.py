"""Checking a store: is the log the one that was written, and do the answers follow from it?

Four questions, each asked on its own so that damage found by one hides nothing from the others:

1. Is the database itself sound, with its protection in place?
2. Does every record have the digest it was journalled under, and every entry its place?
3. Do the entries make the Merkle tree whose heads were kept, transaction by transaction, and the head that
   somebody kept elsewhere?
4. Replayed into an empty store, does the journal give the projection that answers questions?

A head that is kept in the same file proves nothing against whoever can rewrite the whole file: only a head
kept elsewhere does (``against``), and the result says whether there was one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from .engines import Row, SQLite
from .log import Tree, TreeHead
from .rereading import Rereading, conclude, read_on
from .results import Verification
from .schema import PROJECTION_TABLES, columns, create

if TYPE_CHECKING:
    from .engines import Engine


def verify(
    engine: Engine, against: TreeHead | None = None, progress: Callable[[int], object] | None = None
) -> Verification:
    """Check one store; see :meth:`lineage_explorer.store.Store.verify`."""
    result = Verification(Tree().head(), anchored=against is not None)
    with tempfile.TemporaryDirectory(prefix="lineage-explorer-verify-") as folder:
        replayed = SQLite(Path(folder) / "replayed.db", "rwc")
        try:
            replayed.connection.execute("PRAGMA synchronous = OFF")
            create(replayed)
            _database(engine, replayed, result)
            log = Rereading(engine, replayed, result, met=against is None or against == Tree().head())
            # The log only grows, so most of it is read while others write; what they added meanwhile, and the
            # projection, are read in one state.
            replayed.script(["BEGIN"])
            read_on(engine, log, against, progress, still=False)
            with engine.snapshot():
                log.copy_scopes()
                read_on(engine, log, against, progress, still=True)
                conclude(engine, log, against)
                replayed.script(["COMMIT"])
                if log.replayable:
                    _projection(engine, replayed, result)
        except (StoreError, TypeError) as error:  # a TypeError: a number where a text should be, or the other way
            result.add("the database", f"It cannot be checked to the end: {error}")
        finally:
            replayed.close()
    return result


# --- the database ---


def _database(engine: Engine, replayed: SQLite, result: Verification) -> None:
    try:
        if engine.dialect == "sqlite":
            for (message,) in engine.rows("PRAGMA integrity_check(20)"):
                if message != "ok":
                    result.add("the file", f"SQLite finds the file damaged: {message}")
            made = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            have = set(engine.rows(made))
            for kind, name, _, _ in sorted(set(replayed.rows(made)) - have, key=repr):
                result.add(
                    "the schema", f"Its protection or a table was changed: the {kind} {name} is not as it was made"
                )
        else:
            rows = engine.rows(
                "SELECT c.relname FROM pg_trigger AS t CROSS JOIN pg_class AS c WHERE c.oid = t.tgrelid "
                "AND t.tgname LIKE '%_append_only' AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace"
            )
            for table in sorted({"scope", "journal", "body", "head"} - {row[0] for row in rows}):
                result.add("the schema", f"The trigger that makes {table} append-only is gone or switched off")
    except StoreError as error:
        result.add("the file", f"The database cannot be checked: {error}")


# --- the projection ---


def _projection(engine: Engine, replayed: Engine, result: Verification) -> None:
    for table in PROJECTION_TABLES:
        if table == "name_index":
            continue
        names = columns(table)
        # By their key, which is whole numbers but for a fact's type; both databases compare text byte by byte.
        key = {"edge": 6, "fact": 5, "enumeration": 2}.get(table, 1)
        text = f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(names[:key])}"
        _compare(table, engine.stream(text), replayed.stream(text), result, key)
    _names(engine, replayed, result)


def _compare(table: str, have: Iterator[Row], should: Iterator[Row], result: Verification, key: int) -> None:
    """Merge two sorted streams and tell where they differ."""
    first, second = next(have, None), next(should, None)
    while first is not None or second is not None:
        if first == second:
            first, second = next(have, None), next(should, None)
            continue
        if first is not None and second is not None and first[:key] == second[:key]:
            names = ", ".join(
                name for name, one, other in zip(columns(table), first, second, strict=True) if one != other
            )
            result.add(
                f"table {table}", f"A row of {table} that answers questions was changed: {names} of {first[:key]}"
            )
            first, second = next(have, None), next(should, None)
        elif second is None or (first is not None and first[:key] < second[:key]):
            result.add(f"table {table}", f"A row of {table} follows from no record: {(first or ())[:key]}")
            first = next(have, None)
        else:
            result.add(f"table {table}", f"A row of {table} is missing: {second[:key]}")
            second = next(should, None)


def _names(engine: Engine, replayed: Engine, result: Verification) -> None:
    vocabulary = [
        "DROP TABLE IF EXISTS temp.name_terms",
        "CREATE VIRTUAL TABLE temp.name_terms USING fts5vocab('main', 'name_index', 'instance')",
    ]
    replayed.script(vocabulary)
    if engine.dialect == "sqlite":
        engine.script(vocabulary)
        statement = "SELECT doc, term, offset FROM temp.name_terms ORDER BY doc, term, offset"
        pairs = _zipped(engine.stream(statement), replayed.stream(statement))
    else:
        have = (
            (number, word)
            for number, words in engine.stream("SELECT rowid, tsvector_to_array(words) FROM name_index ORDER BY rowid")
            for word in sorted(words)
        )
        pairs = _zipped(have, replayed.stream("SELECT doc, term FROM temp.name_terms ORDER BY doc, term"))
    if engine.dialect == "sqlite":
        pairs = chain(pairs, _beginnings(engine, replayed))
    for one, other in pairs:
        if one != other:
            result.add("the index of names", f"The index of names differs from the journal at {one or other}")
            return


def _beginnings(engine: Engine, replayed: Engine) -> Iterator[tuple[Row | None, Row | None]]:
    """What a search for the first letters of words finds: SQLite keeps an index of its own for those."""
    for length in range(1, 9):
        terms = replayed.rows(
            "SELECT DISTINCT substr(term, 1, :length) FROM temp.name_terms WHERE length(term) >= :length ORDER BY 1",
            {"length": length},
        )
        for (beginning,) in terms:
            statement, words = (
                "SELECT rowid FROM name_index WHERE name_index MATCH :words",
                {"words": f'"{beginning}"*'},
            )
            yield from _zipped(engine.stream(statement, words), replayed.stream(statement, words))


def _zipped(have: Iterator[Row], should: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    while True:
        one, other = next(have, None), next(should, None)
        if one is None and other is None:
            return
        yield one, other
