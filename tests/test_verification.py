"""Tamper evidence: whatever is changed in a store is found, and told where. On both databases."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage_explorer.errors import InvalidTreeHead
from lineage_explorer.records import Entity
from lineage_explorer.sources import Rejected
from lineage_explorer.store import Store, TreeHead, open_store
from lineage_explorer.store.log import EMPTY, Tree
from lineage_explorer.store.schema import JOURNAL_TABLES, PROJECTION_TABLES, columns

from .conftest import command
from .estates import at, complete
from .snapshots import Snapshot

#: ``make test`` tries so many changes, seeded; LINEAGE_CAMPAIGN=1 tries them all.
_SAMPLE = 40


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 § 2.1.1 as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


@given(st.lists(st.binary(max_size=20), max_size=70))
def test_the_tree_is_that_of_rfc_9162(leaves: list[bytes]) -> None:
    tree = Tree()
    for number, leaf in enumerate(leaves):
        if number % 3 == 0:
            tree = Tree(tree.size, tree.peaks)  # as another process goes on
        tree.add(leaf)
    assert tree.head() == TreeHead(len(leaves), naive_root(leaves))


@pytest.mark.parametrize("text", ["", "7", "7:", "x:" + "0" * 64, "7:" + "0" * 63, "-1:" + "0" * 64, "²:" + "0" * 64])
def test_what_is_no_tree_head_is_refused_and_told_how_one_looks(store: Store, text: str) -> None:
    with pytest.raises(InvalidTreeHead, match="checkpoint"):
        store.verify(text)


def filled(store: Store) -> None:
    store.append(complete())
    store.ingest(Snapshot([Entity(ref="model:m@1", description="a"), Entity(ref="model:m@2")]), observed_at=at("01-01"))
    store.ingest(Snapshot([Entity(ref="model:m@1", description="b"), Rejected(reason="no", position="p")]))
    store.ingest(Snapshot([Entity(ref="model:m@1", description="b")]))


def test_a_store_that_nobody_touched_is_sound_and_says_when_there_is_no_anchor(store: Store) -> None:
    assert store.verify().ok
    filled(store)
    found = store.verify()
    assert (found.ok, found.anchored, found.syncs) == (True, False, 4)
    assert found.head == store.checkpoint()


def test_a_head_kept_elsewhere_proves_that_the_log_only_grew(store: Store, place: Callable[[], str]) -> None:
    empty = store.checkpoint()
    assert empty == TreeHead(0, EMPTY)
    filled(store)
    first = store.checkpoint()
    store.append([Entity(ref="model:later@1")])
    for head in (empty, first, store.checkpoint()):
        assert store.verify(str(head)).ok
    longer = TreeHead(store.checkpoint().size + 1, first.root)
    assert "shorter" in store.verify(longer).problems[0].message
    with open_store(place(), create_missing=True) as other:  # a whole store, exchanged for a sound one
        filled(other)
        other.append([Entity(ref="model:later@1")])
        assert other.verify().ok
        assert not other.verify(first).ok


def test_each_sync_has_its_tree_head_in_the_log(store: Store) -> None:
    filled(store)
    ends = store._engine.rows(
        "SELECT j.seq, b.json FROM journal AS j CROSS JOIN body AS b WHERE b.seq = j.seq AND j.kind = 5 ORDER BY j.seq"
    )
    assert len(ends) == 4
    for seq, text in ends:
        assert store.verify(TreeHead(seq - 1, bytes.fromhex(json.loads(text)["root"]))).ok


def test_a_store_can_be_verified_while_others_write(place: Callable[[], str]) -> None:
    location, stop = place(), threading.Event()
    with open_store(location, create_missing=True) as store:
        filled(store)

        def write() -> None:
            with open_store(location) as other:
                number = 0
                while not stop.is_set():
                    number += 1
                    other.append([*complete(), Entity(ref=f"model:busy@{number}")])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            found = [store.verify() for _ in range(5)]
        finally:
            stop.set()
            writer.join()
        assert [item.problems for item in found] == [[]] * 5
        assert found[0].entries < found[-1].entries


class Tamperer:
    """Changes a store as someone who may do everything would: the protection is taken away and put back."""

    def __init__(self, store: Store) -> None:
        self.engine = store._engine
        self._triggers: list[tuple[str, str]] = []

    def __enter__(self) -> Tamperer:
        if self.engine.dialect == "sqlite":
            self._triggers = self.engine.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")  # type: ignore[assignment]
            self.engine.script(f"DROP TRIGGER {name}" for name, _ in self._triggers)
        else:
            self.engine.script(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in JOURNAL_TABLES)
        return self

    def __exit__(self, *_: object) -> None:
        if self.engine.dialect == "sqlite":
            self.engine.script(sql for _, sql in self._triggers)
        else:
            self.engine.script(f"ALTER TABLE {table} ENABLE TRIGGER ALL" for table in JOURNAL_TABLES)


def other_than(value: Any, name: str) -> Any:
    if value is None:
        return {"topic": b"x", "identity": b"x", "enumerated": "x", "resume_at": "x"}.get(name, 1)
    if isinstance(value, (bytes, memoryview)):
        value = bytes(value)
        return bytes([value[0] ^ 1]) + value[1:] if value else b"\x00"
    if isinstance(value, str):
        return value[:-1] + ("y" if value[-1:] == "x" else "x")
    return value + 1_000


def test_any_changed_value_of_any_row_is_found(place: Callable[[], str]) -> None:
    location = place()
    with open_store(location, create_missing=True) as store:
        filled(store)
        engine = store._engine
        tables = [name for name in (*JOURNAL_TABLES, *PROJECTION_TABLES) if name != "name_index"]
        cases = [
            (table, name, row)
            for table in tables
            for row in engine.rows(f"SELECT {', '.join(columns(table))} FROM {table}")
            for name in columns(table)
        ]
        if not os.environ.get("LINEAGE_CAMPAIGN"):
            cases = random.Random(7).sample(cases, _SAMPLE)
        print(f"{len(cases)} changes")
        for table, name, row in cases:
            names = columns(table)
            key = [("effect", "flow", "cause", "seq", "valid_from", "recorded_from")] if table == "edge" else []
            key += [("node", "type", "seq", "valid_from", "recorded_from")] if table == "fact" else []
            key += [("scope", "seq")] if table == "enumeration" else []
            where = {column: row[names.index(column)] for column in (key[0] if key else names[:1])}
            condition = " AND ".join(f"{column} = :k_{column}" for column in where)
            new = other_than(row[names.index(name)], name)
            changed = {**where, **({name: new} if name in where else {})}
            with Tamperer(store):
                engine.change(
                    f"UPDATE {table} SET {name} = :new WHERE {condition}",
                    {"new": new, **{f"k_{column}": value for column, value in where.items()}},
                )
            found = store.verify()
            assert not found.ok, (table, name, row)
            condition = " AND ".join(f"{column} = :k_{column}" for column in changed)
            with Tamperer(store):
                engine.change(
                    f"UPDATE {table} SET {name} = :old WHERE {condition}",
                    {"old": row[names.index(name)], **{f"k_{column}": value for column, value in changed.items()}},
                )
        assert store.verify().ok


def body_of(store: Store, ref: str) -> int:
    return int(store._engine.one("SELECT max(seq) FROM body WHERE json LIKE :text", {"text": f"%{ref}%"}))


def test_a_changed_record_is_named_with_its_sync(store: Store) -> None:
    filled(store)
    seq = body_of(store, "model:m@2")
    with Tamperer(store) as raw:
        raw.engine.change("UPDATE body SET json = replace(json, 'm@2', 'm@3') WHERE seq = :seq", {"seq": seq})
    messages = [item.message for item in store.verify().problems]
    assert any(f"record {seq} (sync 2" in message and "digest" in message for message in messages), messages


@pytest.mark.parametrize("cut", ["one in the middle", "the last sync", "everything of a sync"])
def test_deleted_rows_are_found(store: Store, cut: str) -> None:
    filled(store)
    head = store.checkpoint()
    where = {
        "one in the middle": "seq = 5",
        "the last sync": "sync = 4",
        "everything of a sync": "sync = 2",
    }[cut]
    with Tamperer(store) as raw:
        raw.engine.change(f"DELETE FROM body WHERE seq IN (SELECT seq FROM journal WHERE {where})")
        raw.engine.change(f"DELETE FROM journal WHERE {where}")
    assert not store.verify().ok
    assert not store.verify(head).ok


def test_reordered_rows_are_found(store: Store) -> None:
    filled(store)
    with Tamperer(store) as raw:
        for first, second in ((3, 1003), (4, 3), (1003, 4)):
            for table in ("journal", "body"):
                raw.engine.change(f"UPDATE {table} SET seq = :b WHERE seq = :a", {"a": first, "b": second})
    found = store.verify()
    assert any("records 1 to" in item.where for item in found.problems), found.problems


def test_a_forged_history_that_fits_itself_is_found_only_with_a_head_from_elsewhere(tmp_path: Path) -> None:
    """What ``verify`` says about anchors is true: a rewritten store is sound in itself."""
    real, forged = tmp_path / "real.db", tmp_path / "forged.db"
    for path, status in ((real, "failed"), (forged, "passed")):
        with open_store(path, create_missing=True) as store:
            store.append([Entity(ref="model:m@1", description=status)])
    with open_store(real) as store:
        head = str(store.checkpoint())
    shutil.copy(forged, real)
    assert command("verify", real).stdout.startswith("OK")
    assert "No outside anchor" in command("verify", real).stdout
    done = command("verify", real, "--against", head, status=1)
    assert "NOT OK" in done.stdout
    (tmp_path / "head.txt").write_text(head + "\n")
    command("verify", real, "--against", tmp_path / "head.txt", status=1)
    command("verify", real, "--against", "nonsense", status=2)


def test_protection_that_was_taken_away_is_found(store: Store) -> None:
    filled(store)
    if store._engine.dialect == "sqlite":
        store._engine.script(["DROP TRIGGER journal_no_update"])
    else:
        store._engine.script(["ALTER TABLE journal DISABLE TRIGGER journal_append_only"])
    assert "append-only" in store.verify().problems[0].message or "protection" in store.verify().problems[0].message


def test_a_row_that_was_added_to_the_answers_is_found(store: Store) -> None:
    filled(store)
    store._engine.change(
        "INSERT INTO fact(node, type, seq, valid_from, recorded_from, valid_to, recorded_to, gone) "
        "VALUES (1, 'evidence', 5, 0, 0, 4611686018427387904, 4611686018427387904, 0)"
    )
    assert [item.where for item in store.verify().problems] == ["table fact"]


def test_a_name_that_was_taken_out_of_the_index_is_found(store: Store) -> None:
    filled(store)
    if store._engine.dialect == "sqlite":
        store._engine.script(
            ["INSERT INTO name_index(name_index, rowid, words) VALUES ('delete', 1, 'endpoint churn')"]
        )
    else:
        store._engine.script(["DELETE FROM name_index WHERE rowid = 1"])
    assert "index of names" in store.verify().problems[0].where


def test_one_byte_changed_in_the_file_is_found_wherever_it_stands_in_a_record(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_store(path, create_missing=True) as store:
        filled(store)
        store.append([Entity(ref="model:secret-of-mine@1", description="UNMISTAKABLE")])
    whole = path.read_bytes()
    places = [
        index for index in range(len(whole)) if whole.startswith((b"UNMISTAKABLE", b"model:secret-of-mine"), index)
    ]
    assert len(places) >= 3  # in the journal, and in the projection
    for place_ in places:
        with path.open("r+b") as file:
            file.seek(place_)
            file.write(b"Z")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT 1")
        done = command("verify", path, "--json", status=1)
        assert json.loads(done.stdout)["problems"]
        path.write_bytes(whole)
    command("verify", path)
