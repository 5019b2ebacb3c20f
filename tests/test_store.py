"""The store: nothing lost, nothing changed, two times, and a projection that forgets the order of arrival."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer.errors import (
    AmbiguousReference,
    NotAStore,
    StoreError,
    StoreNotFound,
    StoreTooNew,
    UnknownReference,
)
from lineage_explorer.records import Entity, Record, Relation, parse_instant
from lineage_explorer.sources import Observation, Rejected
from lineage_explorer.store import Store, open_store
from lineage_explorer.store.engines import for_sqlite
from lineage_explorer.store.schema import JOURNAL_TABLES, SCHEMA_VERSION, columns
from lineage_explorer.store.walk import STATEMENTS

from .estates import at, complete, serves, used, wrote


def upstream(store: Store, ref: str, day: str | None = None) -> set[str]:
    reached = store.reachable(ref, as_of=at(day) if day else None)
    return {node.ref for node in reached.nodes.values()}


def test_a_mistyped_path_makes_no_file_and_names_the_nearest(tmp_path: Path) -> None:
    open_store(tmp_path / "lineage.db", create_missing=True).close()
    with pytest.raises(StoreNotFound, match=r"lineage\.db"):
        open_store(tmp_path / "linage.db")
    assert [entry.name for entry in tmp_path.iterdir()] == ["lineage.db"]


def test_another_database_or_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE t(x)").connection.close()
    text = tmp_path / "notes.txt"
    text.write_text("hello" * 500)
    for path in (other, text):
        before = path.read_bytes()
        with pytest.raises(NotAStore):
            open_store(path, create_missing=True)
        assert path.read_bytes() == before
    with pytest.raises(NotAStore, match="folder"):
        open_store(tmp_path)


def test_a_store_of_a_newer_version_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lineage.db"
    open_store(path, create_missing=True).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer"):
        open_store(path)
    assert path.read_bytes() == before


def test_reading_the_same_thing_twice_adds_nothing(store: Store) -> None:
    first, second = store.append(complete()), store.append(complete())
    assert first.read == first.stored == len(complete())
    assert (second.stored, second.unchanged) == (0, len(complete()))


def test_what_cannot_be_a_record_is_quarantined_with_its_reason_and_counted(store: Store) -> None:
    result = store.append(
        [
            Entity(ref="model:ok@1"),
            Rejected(reason="duplicate key 'a'", position="x.jsonl:3", excerpt='{"a":1,"a":2}'),
            Observation(record=Entity(ref="not a reference"), position="x.jsonl:4"),
            Entity(ref="model:ok@2", description="\ud800"),
        ]
    )
    assert (result.read, result.stored, result.unchanged, result.quarantined) == (4, 1, 0, 3)
    frame = store.quarantine()
    assert list(frame["position"]) == ["x.jsonl:3", "x.jsonl:4", ""]
    assert "duplicate key" in frame["reason"][0]


@pytest.mark.parametrize("table", JOURNAL_TABLES)
def test_the_database_itself_refuses_to_change_the_journal(store: Store, table: str) -> None:
    store.append([*complete(), Rejected(reason="x")])
    engine, names = store._engine, columns(table)
    everything = f"SELECT * FROM {table} ORDER BY 1"
    before = engine.rows(everything)
    key = names[0]
    statements = [f"DELETE FROM {table}", f"UPDATE {table} SET {key} = {key} + 1000"]
    statements += (
        [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"]
        if engine.dialect == "sqlite"
        else [f"TRUNCATE {table}"]
    )
    for statement in statements:
        with pytest.raises(StoreError, match="append-only"):
            engine.change(statement)
    assert engine.rows(everything) == before


def test_an_alias_that_goes_a_b_a_keeps_three_observations(store: Store) -> None:
    def points_to(version: str, day: str) -> Observation:
        relation = Relation(
            effect="model:m~champion",
            predicate="alias_of",
            cause=f"model:m@{version}",
            basis="identifier",
            slot="alias",
        )
        return Observation(record=relation, observed_at=at(day))

    for version, day in (("1", "01-01"), ("2", "02-01"), ("1", "03-01")):
        assert store.append([points_to(version, day)]).stored == 1
    assert store.append([points_to("1", "04-01")]).unchanged == 1
    seen = [upstream(store, "model:m~champion", day) - {"model:m~champion"} for day in ("01-15", "02-15", "03-15")]
    assert seen == [{"model:m@1"}, {"model:m@2"}, {"model:m@1"}]
    assert upstream(store, "model:m~champion") == {"model:m~champion", "model:m@1"}


def test_before_the_first_sync_an_undated_fact_is_not_known(store: Store) -> None:
    undated = Relation(
        effect="endpoint:e", predicate="serves", cause="deployment:e:d", basis="identifier", slot="d", traffic=100.0
    )
    store.append([Observation(record=undated, observed_at=at("02-01"))])
    assert upstream(store, "endpoint:e", "01-31") == {"endpoint:e"}
    assert "deployment:e:d" in upstream(store, "endpoint:e", "02-01")


def test_a_preparation_that_rewrote_a_table_after_it_was_read_is_not_upstream(store: Store) -> None:
    store.append(
        [
            wrote("dataset:t", "run:early", "01-01"),
            used("run:train", "dataset:t", "01-15"),
            wrote("dataset:t", "run:late", "02-01"),
        ]
    )
    assert "run:early" in upstream(store, "run:train")
    assert "run:late" not in upstream(store, "run:train")


def test_a_state_derives_from_the_one_before_unless_it_was_overwritten(store: Store) -> None:
    store.append(
        [
            wrote("dataset:a", "run:a1", "01-01"),
            wrote("dataset:a", "run:a2", "01-02"),
            used("run:x", "dataset:a", "01-03"),
        ]
    )
    store.append(
        [
            wrote("dataset:b", "run:b1", "01-01"),
            wrote("dataset:b", "run:b2", "01-02", overwrites=True),
            used("run:y", "dataset:b", "01-03"),
        ]
    )
    assert {"run:a1", "run:a2"} <= upstream(store, "run:x")
    assert "run:b1" not in upstream(store, "run:y")
    assert "run:b2" in upstream(store, "run:y")


def test_a_read_during_a_write_or_after_a_failed_one_keeps_both_candidates(store: Store) -> None:
    store.append(
        [
            wrote("dataset:t", "run:one", "01-01", overwrites=True),
            wrote("dataset:t", "run:two", "02-01", event_start=at("01-20"), overwrites=True),
            used("run:during", "dataset:t", "01-25"),
            wrote("dataset:u", "run:good", "01-01", overwrites=True),
            wrote("dataset:u", "run:broken", "01-10", complete=False, overwrites=True),
            used("run:after", "dataset:u", "01-25"),
        ]
    )
    assert {"run:one", "run:two"} <= upstream(store, "run:during")
    assert {"run:good", "run:broken"} <= upstream(store, "run:after")


def test_a_late_write_rebinds_the_read_and_leaves_what_was_known_before_alone(store: Store) -> None:
    store.append([wrote("dataset:t", "run:one", "01-01"), used("run:train", "dataset:t", "02-01")])
    before = store.now()
    store.append([wrote("dataset:t", "run:between", "01-20", overwrites=True)])
    assert "run:between" in upstream(store, "run:train")
    then = store.reachable("run:train", known_at=before)
    assert {node.ref for node in then.nodes.values()} == {
        "run:train",
        "dataset:t@written:2026-01-01T00:00:00Z",
        "run:one",
    }


def test_a_late_correction_changes_as_of_and_leaves_known_at_alone(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "01-01"))
    before = store.now()
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@2", "02-01"))
    assert "model:m@1" in upstream(store, "endpoint:e", "01-15")
    assert "model:m@2" in upstream(store, "endpoint:e", "03-01")
    then = store.reachable("endpoint:e", as_of=at("03-01"), known_at=before)
    assert "model:m@1" in {node.ref for node in then.nodes.values()}


def test_two_relations_of_one_kind_between_two_nodes_both_stay(store: Store) -> None:
    store.append(
        [used("run:r", "dataset:d@1", "01-01", role="training"), used("run:r", "dataset:d@1", "01-01", role="test")]
    )
    assert sorted(edge.role for edge in store.reachable("run:r").edges) == ["test", "training"]


def test_a_cycle_ends(store: Store) -> None:
    store.append(
        [
            Relation(effect="dataset:a@1", predicate="was_derived_from", cause="dataset:b@1", basis="identifier"),
            Relation(effect="dataset:b@1", predicate="was_derived_from", cause="dataset:a@1", basis="identifier"),
        ]
    )
    assert upstream(store, "dataset:a@1") == {"dataset:a@1", "dataset:b@1"}


def test_downstream_is_the_inverse_of_upstream(store: Store) -> None:
    store.append(complete())
    refs = upstream(store, "endpoint:churn")
    for ref in refs:
        below = {node.ref for node in store.reachable(ref, "downstream").nodes.values()}
        assert "endpoint:churn" in below


def test_part_of_is_not_data_flow(store: Store) -> None:
    store.append(
        [
            Relation(effect="run:child", predicate="part_of", cause="run:parent", basis="identifier"),
            used("run:parent", "dataset:d@1", "01-01"),
        ]
    )
    assert upstream(store, "run:child") == {"run:child"}


_HISTORY = st.lists(
    st.one_of(
        st.builds(
            lambda n, day: wrote("dataset:t", f"run:w{n}", f"01-{day:02}"), st.integers(0, 3), st.integers(1, 28)
        ),
        st.builds(lambda n, day: used(f"run:r{n}", "dataset:t", f"01-{day:02}"), st.integers(0, 2), st.integers(1, 28)),
        st.builds(
            lambda n, day: serves("endpoint:e", "deployment:e:d", f"model:m@{n}", f"01-{day:02}")[2],
            st.integers(0, 3),
            st.integers(1, 28),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_HISTORY, data=st.data())
def test_order_and_duplication_of_arrival_do_not_change_what_is_reachable(
    tmp_path_factory: pytest.TempPathFactory, history: list[Record], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history + history[:2]))
    answers = []
    for records, size in ((history, len(history)), (shuffled, 2)):
        with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
            for start in range(0, len(records), size):
                store.append(
                    [Observation(record=record, observed_at=at("01-01")) for record in records[start : start + size]]
                )
            answers.append(
                {
                    ref: sorted(upstream(store, ref))
                    for kind in ("run", "dataset", "endpoint")
                    for ref in store.refs(kind)
                }
            )
    assert answers[0].keys() <= answers[1].keys() or answers[1].keys() <= answers[0].keys()
    for ref in answers[0].keys() & answers[1].keys():
        assert answers[0][ref] == answers[1][ref]


def test_what_came_before_a_source_broke_is_stored_and_the_failure_is_raised(store: Store) -> None:
    def breaking() -> Iterator[Record]:
        yield Entity(ref="model:a@1")
        raise OSError("the server went away")

    with pytest.raises(OSError, match="went away"):
        store.append(breaking())
    assert store.resolve("model:a@1") == "model:a@1"
    last = store.syncs().iloc[-1]
    assert not last["complete"]
    assert last["stored"] == 1


def test_an_ingest_killed_in_the_middle_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "lineage.db"
    script = textwrap.dedent(
        """
        import sys
        from lineage_explorer.records import Entity
        from lineage_explorer.store import open_store
        with open_store(sys.argv[1], create_missing=True) as store:
            for number in range(10**6):
                store.append([Entity(ref=f"model:m@{number}")])
                print(number, flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 5:
            break
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    acknowledged = max([5, *(int(line) for line in rest.splitlines() if line.strip().isdigit())])
    with open_store(path) as store:
        assert set(store.refs("model")) >= {f"model:m@{number}" for number in range(acknowledged + 1)}
        assert store.append([Entity(ref="model:after@1")]).stored == 1


def test_two_processes_may_have_one_file_open_together(tmp_path: Path) -> None:
    path = tmp_path / "lineage.db"
    with open_store(path, create_missing=True) as writer, open_store(path) as reader:
        writer.append(complete())
        assert "model:churn@1" in upstream(reader, "endpoint:churn")
        reader.append([Entity(ref="model:other@1")])
        assert writer.resolve("model:other@1") == "model:other@1"


def test_a_clock_that_jumps_back_does_not_make_later_records_look_earlier(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lineage_explorer.store import database

    class Clock(database.datetime):
        moment = parse_instant("2026-05-01T00:00:00Z")

        @classmethod
        def now(cls, tz: object = None) -> object:  # type: ignore[override]
            return cls.moment

    monkeypatch.setattr(database, "datetime", Clock)
    store.append([Entity(ref="model:a@1")])
    known = store.now()
    Clock.moment = parse_instant("2026-04-01T00:00:00Z")
    store.append([Entity(ref="model:b@1")])
    recorded = [row[0] for row in store._engine.rows("SELECT recorded_at FROM head ORDER BY size")]
    assert recorded == sorted(set(recorded))
    assert store.now() > known


def test_names_are_found_by_the_beginning_of_any_word(store: Store) -> None:
    store.append(
        [
            Entity(ref="endpoint:churn-prod"),
            Entity(ref="model:prod/Kündigung@3"),
            Entity(ref="dataset:x%27%22%20OR%201@1"),
        ]
    )
    assert [hit.ref for hit in store.search("pro chu")] == ["endpoint:churn-prod"]
    assert [hit.ref for hit in store.search("kundig")] == ["model:prod/Kündigung@3"]
    assert store.search('" OR x NEAR(') == [] or all("x%27" in hit.ref for hit in store.search('" OR x NEAR('))
    assert store.search("***") == []


def test_a_name_that_means_two_things_is_not_settled_by_order_of_arrival(store: Store) -> None:
    store.append([Entity(ref="model:a/churn@3"), Entity(ref="model:b/churn@3")])
    with pytest.raises(AmbiguousReference) as caught:
        store.resolve("model:churn@3")
    assert caught.value.candidates == ["model:a/churn@3", "model:b/churn@3"]


def test_an_unknown_name_lists_the_nearest(store: Store) -> None:
    store.append([Entity(ref="endpoint:churn-prod")])
    with pytest.raises(UnknownReference, match="endpoint:churn-prod"):
        store.resolve("churn-prd")


def test_the_walks_use_their_indexes_even_after_statistics_were_gathered(file_store: Store) -> None:
    file_store.append(complete())
    connection = sqlite3.connect(file_store.path)
    connection.execute("ANALYZE")
    for statement in STATEMENTS.values():
        values = {"roots": "[1]", "as_of": 0, "known_at": 0}
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + for_sqlite(statement), values)]
        assert not [step for step in plan if step.startswith("SCAN e")], plan
        assert sum("SEARCH e" in step for step in plan) == 2, plan
    connection.close()


@pytest.mark.parametrize("url", ["mysql://u:secret99@host/db", "postgresql://u:secret99@127.0.0.1:1/db"])
def test_a_server_that_cannot_hold_a_store_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(StoreError, match="SQLite" if url.startswith("mysql") else "cannot open") as caught:
        open_store(url)
    assert "secret99" not in str(caught.value)


def test_a_file_that_is_damaged_under_an_open_store_is_told_as_an_error_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_store(path, create_missing=True) as store:
        store.append([Entity(ref=f"model:m{number}@1", description="x" * 500) for number in range(500)])
    with open_store(path) as store, path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (path.stat().st_size - 4096))
        file.flush()
        with pytest.raises(StoreError, match="cannot be read"):
            store.refs("model")


def test_a_search_of_one_kind_finds_that_kind_alone_and_what_is_on_record_first(store: Store) -> None:
    used = Relation(effect="run:churn-training", predicate="used", cause="model:churn@9", basis="name_version")
    store.append(
        [Entity(ref="model:lab/churn@1"), Entity(ref="dataset:churn@1"), Entity(ref="dataset:model-churn@1"), used]
    )
    assert [hit.ref for hit in store.search("chu", kind="model")] == ["model:lab/churn@1", "model:churn@9"]
    assert [hit.ref for hit in store.search("model chu", kind="dataset")] == ["dataset:model-churn@1"]
    assert store.search("chu", kind="endpoint") == []
