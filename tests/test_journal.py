"""The journal: a second sync stores differences, what vanished stays, and every count adds up. On both databases."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from lineage_explorer import audit, open_source
from lineage_explorer.records import Entity, Record, Relation
from lineage_explorer.sources import Observation, Rejected
from lineage_explorer.store import Store, open_store
from lineage_explorer.store.database import BATCH
from lineage_explorer.store.schema import PROJECTION_TABLES, columns

from .conftest import command
from .estates import at, complete, gate, serves
from .snapshots import Snapshot
from .test_cli import append as append_line
from .test_cli import lines_of, started


def alias(version: str, name: str = "champion") -> Relation:
    return Relation(
        effect=f"model:m~{name}", predicate="alias_of", cause=f"model:m@{version}", basis="identifier", slot="alias"
    )


def upstream(store: Store, ref: str, day: str) -> set[str]:
    return {node.ref for node in store.reachable(ref, as_of=at(day)).nodes.values()} - {ref}


def counts(store: Store) -> list[tuple[int, ...]]:
    frame = store.syncs()
    return [tuple(row) for row in frame[["read", "stored", "unchanged", "quarantined", "vanished"]].to_numpy()]


# --- differences ---


def test_a_second_sync_of_the_same_source_stores_only_what_differs(store: Store) -> None:
    first = [Entity(ref="model:m@1"), Entity(ref="model:m@2"), alias("1")]
    store.ingest(Snapshot(first))
    store.ingest(Snapshot(first))
    store.ingest(Snapshot([*first[:2], alias("2")]))
    assert counts(store) == [(3, 3, 0, 0, 0), (3, 0, 3, 0, 0), (3, 1, 2, 0, 0)]


def test_every_sync_says_when_from_where_by_whom_and_with_which_version(store: Store) -> None:
    store.ingest(Snapshot([alias("1")], location="https://u:secret99@registry.example"), observed_at=at("03-01"))
    (row,) = store.syncs().to_dict("records")
    assert row["observed_at"] == pd.Timestamp("2026-03-01", tz="UTC")
    assert (row["system"], row["complete"], row["enumerated"]) == ("snapshot", True, '[""]')
    assert "secret99" not in row["location"]
    assert row["actor"]
    assert row["tool_version"]


def test_one_file_is_one_source_however_its_path_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines_of(tmp_path / "d.jsonl", [{"type": "dataset", "dataset": "dataset:raw@1"}])
    store.ingest(open_source(tmp_path / "d.jsonl"))
    monkeypatch.chdir(tmp_path)
    assert store.ingest(open_source("d.jsonl")).unchanged == 1
    assert store.ingest(open_source("records:./d.jsonl")).unchanged == 1


def test_a_second_source_that_says_the_same_is_one_more_voice_and_nothing_new(store: Store) -> None:
    store.ingest(Snapshot(complete(), location="one"))
    second = store.ingest(Snapshot(complete(), location="two"))
    assert (second.stored, second.unchanged) == (0, len(complete()))
    # So that when the first forgets it, the second still says it.
    store.ingest(Snapshot([], location="one"))
    assert audit(store, "churn").verdict == "PASSED"
    store.ingest(Snapshot([], location="two"))
    assert audit(store, "churn").verdict != "PASSED"


def test_a_file_that_holds_an_old_word_and_a_new_one_is_unchanged_when_it_is_read_again(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    lines_of(path, [{"type": "entity", "ref": "dataset:d@1", "description": text} for text in ("old", "new")])
    assert store.ingest(open_source(path)).stored == 2
    for _ in range(2):
        assert store.ingest(open_source(path)).unchanged == 2
    append_line(path, '{"type": "entity", "ref": "dataset:d@1", "description": "newest"}\n')
    assert store.ingest(open_source(path)).stored == 1
    assert store.ingest(open_source(path)).unchanged == 3
    append_line(path, '{"type": "entity", "ref": "dataset:d@1", "description": "old"}\n')
    assert store.ingest(open_source(path)).stored == 1
    assert store.ingest(open_source(path)).unchanged == 4
    said = store.observations("dataset:d@1")
    assert said["value"].tolist() == ["old", "new", "newest", "old"]


# --- what vanished ---


def test_what_vanished_is_a_tombstone_and_its_past_stays(store: Store) -> None:
    store.ingest(Snapshot([Entity(ref="model:m@1"), alias("1")]), observed_at=at("01-01"))
    store.ingest(Snapshot([Entity(ref="model:m@1"), alias("1")]), observed_at=at("02-01"))
    gone = store.ingest(Snapshot([Entity(ref="model:m@1")]), observed_at=at("03-01"))
    assert (gone.vanished, gone.stored) == (1, 0)
    assert upstream(store, "model:m~champion", "02-01") == {"model:m@1"}
    assert upstream(store, "model:m~champion", "03-01") == set()
    assert store.ingest(Snapshot([Entity(ref="model:m@1")])).vanished == 0  # told once
    back = store.ingest(Snapshot([Entity(ref="model:m@1"), alias("1")]), observed_at=at("05-01"))
    assert back.stored == 1
    assert upstream(store, "model:m~champion", "05-02") == {"model:m@1"}


@pytest.mark.parametrize("how", ["not whole", "it failed", "another place", "appended", "something new is unreadable"])
def test_nothing_vanishes_unless_the_same_source_was_read_in_full(store: Store, how: str) -> None:
    store.ingest(Snapshot([alias("1"), alias("2", "challenger")]))
    only = [alias("1")]
    if how == "not whole":
        store.ingest(Snapshot(only, whole=False))
    elif how == "it failed":
        with pytest.raises(OSError, match="went away"):
            store.ingest(Snapshot(only, fails=True))
    elif how == "another place":
        store.ingest(Snapshot(only, location="elsewhere"))
    elif how == "appended":
        store.append(only)
    else:
        store.ingest(Snapshot([*only, Rejected(reason="not JSON", position="item/1")]))
    assert store.syncs()["vanished"].sum() == 0
    assert upstream(store, "model:m~challenger", "12-31") == {"model:m@2"}


def test_what_stands_where_something_cannot_be_read_has_not_vanished(store: Store) -> None:
    store.ingest(Snapshot([alias("1"), alias("2", "challenger")]))
    damaged = [alias("1"), Rejected(reason="not JSON", position="item/1")]
    for _ in range(3):
        store.ingest(Snapshot(damaged))
    assert store.syncs()["vanished"].sum() == 0
    assert store.ingest(Snapshot([alias("1")])).vanished == 1


def test_nothing_vanishes_as_long_as_something_new_cannot_be_read_wherever_it_stands(store: Store) -> None:
    both = [alias("1"), alias("2", "challenger")]
    refused = Rejected(reason="a page is missing", position="page/2")
    store.ingest(Snapshot(both))
    for _ in range(3):
        assert store.ingest(Snapshot([alias("1"), refused])).vanished == 0
    store.ingest(Snapshot([*both, refused]))  # nothing is missing, so that everything was read beside what is refused
    assert store.ingest(Snapshot([alias("1"), refused])).vanished == 1


def test_only_the_part_that_was_read_in_full_can_lose_something(store: Store) -> None:
    class Registry(Snapshot):
        def read(self) -> Iterator[Observation | Rejected]:
            yield from super().read()
            self.enumerated = frozenset({"registry"})

    store.ingest(Registry({"registry": [alias("1")], "runs": [Entity(ref="run:old")]}))
    assert store.ingest(Registry({"registry": [], "runs": []})).vanished == 1
    assert store.ingest(Snapshot({"registry": [], "runs": []})).vanished == 1


def test_more_than_a_transaction_can_vanish_at_once(store: Store) -> None:
    many = [Entity(ref=f"model:m@{number}") for number in range(2 * BATCH + 1)]
    store.ingest(Snapshot(many))
    result = store.ingest(Snapshot(many[:1]))
    assert (result.read, result.unchanged, result.vanished) == (1, 1, 2 * BATCH)
    assert store.verify().ok


def test_a_deleted_version_is_still_described_and_said_to_be_deleted(store: Store) -> None:
    store.ingest(Snapshot([item for item in complete() if item != Entity(ref="model:churn@1")], location="rest"))
    store.ingest(Snapshot([Entity(ref="model:churn@1", description="ours")]))
    store.ingest(Snapshot([]))
    result = audit(store, "churn")
    assert result.verdict == "PASSED"
    assert any(item["code"] == "deleted-upstream" for item in result.to_dict()["findings"])
    assert next(row for row in result.to_dict()["nodes"] if row["ref"] == "model:churn@1")["description"] == "ours"


def test_an_approval_that_its_source_no_longer_shows_does_not_pass_and_a_failure_stays(store: Store) -> None:
    rest = [item for item in complete() if getattr(item, "gate", "") != "approval"]
    approval = gate("model:churn@1", "approval", "02-20", evaluator="person:mia")
    failed = gate("model:churn@1", "safety", "02-21", status="failed")
    store.ingest(Snapshot(rest, location="rest"), observed_at=at("02-28"))
    store.ingest(Snapshot([approval]), observed_at=at("03-02"))
    store.ingest(Snapshot([approval, failed]), observed_at=at("04-01"))
    store.ingest(Snapshot([]), observed_at=at("05-01"))
    assert audit(store, "churn", as_of=at("03-15")).verdict == "PASSED"  # seen before, and confirmed after
    assert audit(store, "churn", as_of=at("04-15")).verdict == "INCOMPLETE"  # last seen before, gone after
    now = audit(store, "churn")
    assert now.verdict == "INCOMPLETE"
    said = {row["gate"]: row["status"] for row in now.to_dict()["evidence"]}
    assert (said["approval"], said["safety"]) == ("stale", "failed")


# --- intervals ---


def test_a_change_lies_between_the_last_sync_that_saw_the_old_and_the_first_that_saw_the_new(store: Store) -> None:
    for day, version in (("01-01", "1"), ("02-01", "1"), ("03-01", "1"), ("04-01", "2"), ("05-01", "2")):
        store.ingest(Snapshot([alias(version)]), observed_at=at(day))
    rows = store.observations("model:m~champion")
    rows = rows[rows["field"] == "cause"]
    stamps = rows[["not_before", "first_seen", "last_seen", "ended_by"]].to_numpy().tolist()
    days = [[None if pd.isna(stamp) else f"{stamp:%m-%d}" for stamp in line] for line in stamps]
    assert rows["value"].tolist() == ["model:m@1", "model:m@2"]
    assert days == [[None, "01-01", "03-01", "04-01"], ["03-01", "04-01", "05-01", None]]


def test_around_a_change_the_answer_is_incomplete_and_says_between_what(store: Store) -> None:
    def deployed(version: str) -> list[Record]:
        found = serves("endpoint:e", "deployment:e:d", f"model:m@{version}", "01-01")
        link = Relation(
            effect="deployment:e:d", predicate="deploys", cause=f"model:m@{version}", basis="identifier", slot="model"
        )
        return [*found[:3], link]

    for day, version in (("01-05", "1"), ("02-01", "1"), ("03-01", "2")):
        store.ingest(Snapshot(deployed(version)), observed_at=at(day))
    findings = {
        day: [item["code"] for item in audit(store, "e", as_of=at(day)).to_dict()["findings"]]
        for day in ("01-20", "02-01", "02-15", "03-01")
    }
    assert [day for day, codes in findings.items() if "changed-between-syncs" in codes] == ["02-15"]


def test_two_registries_that_disagree_about_one_slot_are_a_contradiction_not_a_race(place: Callable[[], str]) -> None:
    rest = complete()
    link = Relation(
        effect="deployment:churn:blue", predicate="deploys", cause="model:other@9", basis="identifier", slot="model"
    )
    here = Relation(
        effect="deployment:churn:blue", predicate="deploys", cause="model:churn@1", basis="identifier", slot="model"
    )
    rest = [item for item in rest if getattr(item, "predicate", "") != "deploys"]
    for first, second in ((here, link), (link, here)):
        with open_store(place(), create_missing=True) as other:
            other.append(rest)
            other.ingest(Snapshot([first], location="one"), observed_at=at("03-02"))
            other.ingest(Snapshot([second], location="two"), observed_at=at("03-03"))
            result = audit(other, "churn", as_of=at("04-01"))
            assert result.verdict == "INCOMPLETE"
            assert "contradiction" in [item["code"] for item in result.to_dict()["findings"]]


def test_a_description_that_changed_around_the_instant_asked_about_is_a_finding(store: Store) -> None:
    store.append([item for item in complete() if item != Entity(ref="model:churn@1")])
    for day, stage in (("03-01", "Staging"), ("05-01", "Production")):
        store.ingest(Snapshot([Entity(ref="model:churn@1", attributes={"stage": stage})]), observed_at=at(day))
    found = {
        day: [item["code"] for item in audit(store, "churn", as_of=at(day)).to_dict()["findings"]]
        for day in ("03-01", "04-01", "05-01")
    }
    assert [day for day, codes in found.items() if "description-changed-between-syncs" in codes] == ["04-01"]


# --- conservation and quarantine ---


def test_everything_that_was_read_is_stored_unchanged_or_quarantined(store: Store) -> None:
    items: list[Record | Observation | Rejected] = [*complete(), Rejected(reason="no"), Entity(ref="not a reference")]
    for _ in range(3):
        store.ingest(Snapshot(items))
    for read, stored, unchanged, quarantined, _ in counts(store):
        assert read == stored + unchanged + quarantined == len(items)
    assert len(store.quarantine()) == 2  # each refused thing once, however often it was read


def test_what_a_later_version_can_read_leaves_quarantine(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"type": "dataset", "dataset": "dataset:raw@1"}\n{"type": "dataset"\n')
    store.ingest(open_source(path))
    assert len(store.quarantine()) == 1
    # As an upgrade would: the same place now gives a record where it gave none.
    path.write_text(
        '{"type": "dataset", "dataset": "dataset:raw@1"}\n{"type": "dataset", "dataset": "dataset:raw@2"}\n'
    )
    (outcome,) = store.retry()
    assert (outcome.stored, outcome.error) == (1, "")
    assert store.quarantine().empty
    (settled,) = store.quarantine(every=True).to_dict("records")
    assert settled["ended_at"] > settled["recorded_at"]


def test_a_retry_of_a_source_that_is_gone_says_so_and_keeps_the_reason(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"type": "dataset", "dataset": "dataset:raw@1"}\n{"type": "dataset"\n')
    store.ingest(open_source(path))
    path.unlink()
    (outcome,) = store.retry()
    assert "nothing at" in outcome.error
    assert len(store.quarantine()) == 1


# --- truth and projection ---


def history(store: Store) -> None:
    """Corrections, tombstones, late words, refusals, two sources: everything that a projection has to follow."""
    store.append(complete())
    for day, version in (("01-01", "1"), ("03-01", "2"), ("02-01", "3")):
        store.ingest(Snapshot([alias(version), Entity(ref="model:m@1", description=version)]), observed_at=at(day))
    store.ingest(Snapshot([Rejected(reason="no", position="p")]), observed_at=at("04-01"))
    store.ingest(Snapshot([]), observed_at=at("05-01"))
    store.append(
        [Observation(record=alias(version), observed_at=at(day)) for version, day in (("7", "06-01"), ("8", "05-15"))]
    )
    store.ingest(Snapshot([alias("9")], location="another"))


def tables(store: Store) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for table in PROJECTION_TABLES:
        names = columns(table) if table != "name_index" else ("rowid",)
        rows = store._engine.rows(f"SELECT {', '.join(names)} FROM {table}")
        found[table] = sorted(rows, key=repr)
    return found


def test_a_rebuilt_projection_equals_the_grown_one(store: Store) -> None:
    history(store)
    grown, found = tables(store), [hit.ref for hit in store.search("m")]
    assert store.rebuild() == store.checkpoint().size
    assert tables(store) == grown
    assert [hit.ref for hit in store.search("m")] == found
    assert store.verify().ok


def test_a_store_goes_on_growing_after_it_was_rebuilt(store: Store) -> None:
    history(store)
    store.rebuild()
    store.ingest(Snapshot([alias("10")], location="another"))
    assert store.verify().ok


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    """Records are read, written and let go batch by batch; what is held at the peak is that of a batch."""
    import tracemalloc

    def records(count: int) -> Iterator[Record]:
        for number in range(count):
            yield Entity(ref=f"model:m@{number}", description="x" * 200)

    peaks = []
    for count in (2 * BATCH, 8 * BATCH):
        with open_store(tmp_path / f"{count}.db", create_missing=True) as store:
            store.append(records(10))  # what is imported and cached once
            tracemalloc.start()
            store.append(records(count))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 15_000_000, peaks  # numbers of nodes are cached, up to a bound


# --- PostgreSQL ---


def test_a_read_only_user_may_audit_and_nothing_else(place: Callable[[], str], request: pytest.FixtureRequest) -> None:
    if "postgresql" not in request.node.callspec.params.values():
        pytest.skip("users are a server's; that of a file is tested in test_store_faults.py")
    server = request.getfixturevalue("postgres")
    location = place()
    with open_store(location, create_missing=True) as store:
        store.append(complete())
    schema = location.rpartition("=")[2]
    if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'reader'"):
        server.role("reader")
    for grant in (f'USAGE ON SCHEMA "{schema}"', f'SELECT ON ALL TABLES IN SCHEMA "{schema}"'):
        server.execute(f"GRANT {grant} TO reader", database="stores")
    with open_store(f"{server.url(database='stores', role='reader')}?schema={schema}") as store:
        assert audit(store, "churn").verdict == "PASSED"
        assert store.verify().ok
        assert len(store.search("churn")) > 0
        with pytest.raises(Exception, match="permission denied"):
            store.append([Entity(ref="model:new@1")])


def test_no_command_prints_the_password_of_a_stores_address(
    place: Callable[[], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "postgresql" not in request.node.callspec.params.values():
        pytest.skip("a file has no password")
    location = place()
    password = location.partition("://")[2].partition(":")[2].partition("@")[0]
    path = tmp_path / "d.jsonl"
    path.write_text('{"type": "dataset", "dataset": "dataset:raw@1"}\n{\n')
    said = [command("ingest", location, path), command("ingest", location, path, "--json")]
    said += [command(word, location) for word in ("syncs", "quarantine", "verify", "checkpoint", "rebuild")]
    said += [command("checkpoint", location, "--json"), command("search", location, "nothing-like-this")]
    said += [
        command("audit", location, "nobody", status=2),
        command("ingest", location.replace("/stores", "/no"), path, status=2),
    ]
    assert not [done.args for done in said if password in done.stdout + done.stderr]


# --- the command line ---


def test_the_commands_show_what_vanished_what_was_seen_and_when(tmp_path: Path) -> None:
    store, path = tmp_path / "s.db", tmp_path / "d.jsonl"
    rows = [{"type": "dataset", "dataset": f"dataset:raw@{number}"} for number in range(3)]
    lines_of(path, rows)
    command("ingest", store, path)
    lines_of(path, rows[:2])
    said = command("ingest", store, path, "--observed-at", "2030-01-01T00:00:00Z").stdout
    assert "vanished" in said
    assert command("syncs", store, "--json").stdout.count('"vanished":1') == 1
    assert "no longer in its source" in command("observations", store, "dataset:raw@2").stdout
    assert command("quarantine", store).stdout == "Nothing.\n"
    assert command("rebuild", store).stdout.startswith("Replayed")


# --- live ---


def lines_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if wanted in line:
            return line
    raise AssertionError(f"{wanted!r} never came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_reads_again_and_again_and_stops_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    store, path = tmp_path / "s.db", tmp_path / "d.jsonl"
    row = {"type": "dataset", "dataset": "dataset:raw@1"}
    lines_of(path, [row])
    process = started("ingest", store, path, "--watch", "0.1")
    try:
        assert "1 stored" in lines_until(process, "1 stored")
        assert "1 unchanged" in lines_until(process, "1 unchanged")
        lines_of(path, [row, {**row, "dataset": "dataset:raw@2"}])
        lines_until(process, "1 stored")
        path.rename(tmp_path / "away.jsonl")  # the source is away for a while: told, and tried again
        time.sleep(0.5)
        (tmp_path / "away.jsonl").rename(path)
        lines_until(process, "2 unchanged")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert "Stopped" in err
    assert "Traceback" not in err
    with open_store(store) as opened:
        assert opened.refs("dataset") == ["dataset:raw@1", "dataset:raw@2"]
        assert opened.syncs()["vanished"].sum() == 0
        assert opened.verify().ok


def test_watch_and_a_time_of_its_own_exclude_each_other(tmp_path: Path) -> None:
    lines_of(tmp_path / "d.jsonl", [{"type": "dataset", "dataset": "dataset:raw@1"}])
    done = command(
        "ingest",
        tmp_path / "s.db",
        tmp_path / "d.jsonl",
        "--watch",
        "1",
        "--observed-at",
        "2026-01-01T00:00:00Z",
        status=2,
    )
    assert "Give one of them" in done.stderr


# --- reading only what changed ---


class Changing(Snapshot):
    """A registry that can be read from where the last reading stopped."""

    asked: ClassVar[list[Any]] = []

    @property
    def cursor(self) -> dict[str, Any]:
        return {"seen": len(self.items)} if self.enumerated else {}

    def read(self) -> Iterator[Observation | Rejected]:
        self.asked.append(None)
        yield from super().read()

    def read_changes(self, cursor: Mapping[str, Any]) -> Iterator[Observation | Rejected]:
        self.asked.append(cursor)
        yield from super().read()


def test_a_second_sync_goes_on_where_the_last_complete_one_stopped(store: Store) -> None:
    Changing.asked.clear()
    items = [alias("1"), Entity(ref="model:m@1")]
    store.ingest(Changing(items))
    with pytest.raises(OSError, match="went away"):
        store.ingest(Changing(items[:1], fails=True))
    store.ingest(Changing(items))
    store.ingest(Changing(items), full=True)
    store.ingest(Changing(items, location="elsewhere"))
    assert Changing.asked[:2] == [None, {"seen": 2}]
    assert Changing.asked[2:] == [{"seen": 2}, None, None]


def test_where_to_go_on_from_is_not_believed_when_it_was_changed(store: Store) -> None:
    Changing.asked.clear()
    store.ingest(Changing([alias("1")]))
    store._engine.change("UPDATE resume SET json = :text", {"text": '{"seen": 9}'})
    assert [item.where for item in store.verify().problems] == ["table resume"]
    store.ingest(Changing([alias("1")]))
    assert Changing.asked == [None, None]
    assert store.verify().ok
