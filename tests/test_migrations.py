"""Upgrading a store: all or nothing, and every answer about the past stays as it was."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lineage_explorer.errors import StoreError, StoreTooOld
from lineage_explorer.records import Entity
from lineage_explorer.store import migrations, open_store
from lineage_explorer.store.engines import SQLite
from lineage_explorer.store.schema import SCHEMA_VERSION

from .conftest import command
from .estates import at, complete

#: Written by version 0.1.0 (schema 1) itself: seven syncs, corrections, a quarantined line, a broken source.
_STORES = Path(__file__).parent / "stores"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    path.write_bytes(gzip.decompress((_STORES / "schema1.db.gz").read_bytes()))
    return path


def schema_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return version


def test_a_store_of_the_first_schema_is_upgraded_when_it_is_opened_and_is_sound(old: Path) -> None:
    assert schema_of(old) == 1
    with open_store(old) as store:
        assert store.verify().ok
        frame = store.syncs()
        assert frame["stored"].sum() == 23
        assert frame["complete"].tolist() == [True] * 7 + [False]
        assert store.quarantine()["position"].tolist() == ["x.jsonl:3"]
    assert schema_of(old) == SCHEMA_VERSION


def test_every_answer_of_the_old_version_is_given_again_for_what_was_known_then(old: Path) -> None:
    answers = json.loads(gzip.decompress((_STORES / "schema1.answers.json.gz").read_bytes()))
    assert len(answers) > 100
    with open_store(old) as store:
        for known, day, ref, nodes, edges in answers:
            found = store.reachable(ref, as_of=at(day), known_at=_EPOCH + timedelta(microseconds=known))
            assert sorted(node.ref for node in found.nodes.values()) == nodes, (known, day, ref)
            assert (
                sorted(
                    [found.nodes[edge.effect].ref, edge.predicate, found.nodes[edge.cause].ref, edge.basis]
                    for edge in found.edges
                )
                == edges
            ), (known, day, ref)


def test_an_upgraded_store_goes_on_where_the_old_one_stopped(old: Path) -> None:
    with open_store(old) as store:
        # The last word of the old store on model:churn@1 is another description; that of the source before it is back.
        result = store.append([*complete(), Entity(ref="model:new@1")])
        assert (result.stored, result.unchanged) == (2, len(complete()) - 1)
        assert store.verify().ok


def test_an_upgrade_that_fails_in_the_middle_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()

    def broken(engine: object) -> None:
        step(engine)  # type: ignore[arg-type]
        raise StoreError("the disk is full")

    step = migrations._STEPS[1]
    monkeypatch.setitem(migrations._STEPS, 1, broken)
    with pytest.raises(StoreError, match="full"):
        open_store(old)
    assert old.read_bytes() == before
    monkeypatch.undo()
    with open_store(old) as store:
        assert store.verify().ok


def test_an_old_store_that_may_not_be_written_to_says_who_may_upgrade_it(old: Path) -> None:
    before = old.read_bytes()
    engine = SQLite(old, "ro")  # as SQLite opens a file without the right to write
    with pytest.raises(StoreTooOld, match="upgrades it"):
        migrations.upgrade(engine, 1)
    engine.close()
    assert old.read_bytes() == before


def test_two_processes_that_meet_an_old_store_upgrade_it_once(old: Path) -> None:
    script = "import sys; from lineage_explorer.store import open_store; open_store(sys.argv[1]).close()"
    both = [subprocess.Popen([sys.executable, "-c", script, str(old)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert command("verify", old).stdout.startswith("OK")
