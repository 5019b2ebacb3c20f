"""The store under faults: killed, starved, locked out, damaged, crowded. What was acknowledged stays; what is wrong is told.

``make test`` runs one sample of each campaign and prints its size; ``LINEAGE_CAMPAIGN=1`` runs it in full, with another seed each
time. The seed is printed, and ``LINEAGE_SEED`` chooses it (the instants of kills repeat as well as a busy machine lets them).
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine

from lineage_explorer import audit
from lineage_explorer.errors import StoreError
from lineage_explorer.records import Entity, to_json
from lineage_explorer.sources import Rejected, open_source
from lineage_explorer.store import open_store
from lineage_explorer.store.database import BATCH

from .conftest import ROOT
from .estates import at, complete
from .faults import Nursery, Said, Worker, estate, journalled, missing, record, records, text_of
from .postgres import PostgresServer

CAMPAIGN = bool(os.environ.get("LINEAGE_CAMPAIGN"))
SEED = int(os.environ.get("LINEAGE_SEED") or (secrets.randbelow(2**32) if CAMPAIGN else 20261121))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.fixture
def location(place: Callable[[], str]) -> str:
    """Where a new store can be made, on SQLite and on PostgreSQL in turn."""
    return place()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say in the summary how large the sample was: that belongs to the result."""

    def shown(text: str) -> None:
        request.node.user_properties.append(("sample", f"{text} (seed {SEED})"))

    return shown


def sample(few: int, all_of_them: int) -> int:
    return all_of_them if CAMPAIGN else few


# --- killed -------------------------------------------------------------------------------------


def check_after_kill(location: str, acknowledged: int, tried: list[tuple[int, int]], head: str) -> None:
    """What a killed writer left: everything acknowledged, each batch whole or absent, and the log only grew."""
    with open_store(location, create_missing=True) as store:
        there = journalled(location)
        assert len(there) == len(set(there)), "a record is there twice"
        assert not missing(map(text_of, records(0, acknowledged)), there)
        for start, end in tried:
            absent = missing(map(text_of, records(start, end)), there)
            assert len(absent) in (0, end - start), f"of the batch {start}..{end} {len(absent)} are missing"
        verification = store.verify(against=head or None)
        assert verification.ok, [problem.message for problem in verification.problems]


def test_a_writer_killed_at_any_instant_loses_nothing_that_it_acknowledged(
    nursery: Nursery, place: Callable[[], str], report: Callable[[str], None]
) -> None:
    location = place()
    kills, lives = sample(6 if "://" in location else 12, 200), 25
    chance = random.Random(SEED)
    phases: Counter[str] = Counter()
    hot = 0
    start, tried, head = 0, list[tuple[int, int]](), ""
    for kill in range(kills):
        if kill % lives == 0 and kill:  # a new store: making one is killed, too
            location = place()
            start, tried, head = 0, [], ""
        worker = nursery.start("grow", location=location, start=start, seed=chance.randrange(2**32))
        for _ in range(chance.choice((0, 0, 1, 3, 9))):  # said things; then an instant between two of them
            worker.hear()
        time.sleep(chance.random() * (0.05 if chance.random() < 0.7 else 0.005))
        said = worker.kill()
        phases[_phase(said)] += 1
        hot += Path(location + "-journal").exists()
        acknowledged = start
        for word in said:
            if "tried" in word:
                tried.append((acknowledged, word["tried"]))
            acknowledged = word.get("acknowledged", acknowledged)
            head = word.get("head", head)
        check_after_kill(location, acknowledged, tried[-1:], head)
        # The next goes on after the last batch tried: it may be there or not.
        with open_store(location) as store:
            start = max([acknowledged, *(end for _, end in tried)])
            store.append(records(acknowledged, start))
            head = str(store.checkpoint())
    report(f"{kills} kills, while {dict(phases)}; {hot} left a rollback journal to be played back")


def _phase(said: list[Said]) -> str:
    if not said:
        return "opening"
    return "writing" if "tried" in said[-1] else "asking for the head" if "head" not in said[-1] else "between batches"


def test_an_ingest_of_several_batches_killed_in_the_middle_keeps_what_was_committed(
    nursery: Nursery, place: Callable[[], str], tmp_path: Path, report: Callable[[str], None]
) -> None:
    kills = sample(2, 25)
    chance = random.Random(SEED)
    count = BATCH + 300
    texts = [text_of(record(number)) for number in range(count)]
    source = tmp_path / "records.jsonl"
    source.write_text("".join(json.dumps(to_json(record(number))) + "\n" for number in range(count)))
    kept = []
    for _ in range(kills):
        location = place()
        worker = nursery.start("ingest", location=location, source=str(source))
        worker.hear()
        for _ in range(chance.randrange(2)):
            worker.hear()
        time.sleep(chance.random() * 0.4)
        said = worker.kill()
        acknowledged = max((word["acknowledged"] for word in said if "acknowledged" in word), default=0)
        with open_store(location, create_missing=True) as store:
            there = journalled(location)
            assert there == texts[: len(there)]
            assert len(there) >= acknowledged
            assert len(there) % BATCH == 0 or len(there) == count
            assert store.verify().ok
            kept.append(len(there))
            if len(there) < count:
                assert not store.syncs()["complete"].any()
            again = store.ingest(open_source(source))
            assert (again.read, again.stored, again.unchanged) == (count, count - len(there), len(there))
    report(f"{kills} ingests of {count} records killed; kept {kept}")


# --- starved, full, unplugged, locked out -------------------------------------------------------


def account(said: list[Said]) -> tuple[int, list[str]]:
    """Check a ledger: everything acknowledged is in the journal, what failed is there whole or not at all.

    Returns
    -------
    tuple of int and list of str
        How many writes were acknowledged, and what the failures said.
    """
    journal = next(word["journal"] for word in said if "journal" in word)
    assert len(journal) == len(set(journal)), "a record is there twice"
    verdict = next(word for word in said if "sound" in word)
    assert verdict["sound"], verdict["problems"]
    written, failures = 0, []
    for word in said:
        if "when" not in word:
            continue
        absent = missing(map(text_of, records(word["start"], word["end"])), journal)
        if word["error"]:
            failures.append(word["error"])
            assert len(absent) in (0, word["end"] - word["start"]), word["when"]
        else:
            written += 1
            assert not absent, f"{word['when']}: {word['start']}..{word['end']} were acknowledged and are not there"
    return written, failures


def test_writes_that_fail_at_any_point_of_a_transaction_are_told_and_the_store_goes_on(
    nursery: Nursery, tmp_path: Path, report: Callable[[str], None]
) -> None:
    times = sample(25, 300)
    said = nursery.run("starve", path=tmp_path / "lineage.db", seed=SEED, times=times)
    written, failures = account(said)
    assert len(failures) > times // 3
    assert all(failure.startswith("cannot write to ") and "lineage.db" in failure for failure in failures), Counter(
        failures
    )
    report(f"{len(failures)} writes failed, {written} were acknowledged")


def test_a_full_disk_is_told_and_the_store_goes_on_when_there_is_room(
    nursery: Nursery, tmp_path: Path, report: Callable[[str], None]
) -> None:
    times = sample(15, 100)
    said = nursery.run("fill", folder=tmp_path, seed=SEED, times=times)
    if "refusal" in said[0]:
        pytest.skip(f"this system lets nobody mount a small file system: {said[0]['refusal']}")
    written, failures = account(said)
    assert len(failures) > times // 3
    assert all(failure.startswith("cannot write to ") and "lineage.db" in failure for failure in failures), Counter(
        failures
    )
    # Where there was not even room for the rollback journal, SQLite knows only that it could not be written.
    assert sum("disk is full" in failure for failure in failures) > len(failures) // 2, Counter(failures)
    report(f"{len(failures)} writes found the disk full, {written} were acknowledged")


def test_a_file_that_stops_answering_while_it_is_open_is_told_and_is_sound_afterwards(
    nursery: Nursery, tmp_path: Path
) -> None:
    said = nursery.run("unplug", path=tmp_path / "lineage.db")
    _, failures = account(said)
    assert failures
    asked = [word["asked"] for word in said if "asked" in word]
    assert all("lineage.db" in message for message in [*asked, *failures]), asked + failures


def test_nothing_is_acknowledged_into_a_file_that_was_moved_away(nursery: Nursery, tmp_path: Path) -> None:
    _, failures = account(nursery.run("move_away", path=tmp_path / "lineage.db"))
    assert failures


def test_permissions_that_go_in_the_middle_are_told_and_the_store_goes_on_when_they_are_back(nursery: Nursery) -> None:
    said = nursery.run("lock_out")
    _, failures = account(said)
    refusals = [word["error"] for word in said if "opened" in word]
    assert all("lineage.db" in message or "new.db" in message for message in [*failures, *refusals])


def test_a_server_that_ends_the_session_in_the_middle_is_told_and_the_store_goes_on(postgres: PostgresServer) -> None:
    url = postgres.fresh()
    database = url.rpartition("/")[2]
    secret = url.split(":")[2].partition("@")[0]
    failures = []
    for number in range(sample(4, 20)):

        def breaking() -> Iterator[Entity]:
            yield Entity(ref=f"model:a@{number}")  # noqa: B023 - used up within this turn
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                database,
            )

        with open_store(url, create_missing=True) as store:
            with pytest.raises(StoreError) as caught:
                store.append(breaking())
            failures.append(str(caught.value))
        with open_store(url) as store:
            assert store.append([Entity(ref=f"model:b@{number}")]).stored == 1
            assert store.verify().ok
    assert not [failure for failure in failures if secret in failure]


def test_a_server_that_was_stopped_is_told_without_its_password(postgres: PostgresServer) -> None:
    url = postgres.fresh()
    secret = url.split(":")[2].partition("@")[0]
    said = []
    with open_store(url, create_missing=True) as store:
        store.append(complete())
        postgres.stop()
        try:
            for action in (lambda: store.append(estate(1)), lambda: store.refs("model"), lambda: open_store(url)):
                with pytest.raises(StoreError) as caught:
                    action()
                said.append(str(caught.value))
        finally:
            postgres.start()
    assert not [message for message in said if secret in message]
    with open_store(url) as store:
        assert audit(store, "churn").verdict == "PASSED"
        assert store.verify().ok


# --- damaged ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small store of several syncs with something of everything in it, and an instant after all of it."""
    path = tmp_path_factory.mktemp("pristine") / "s.db"
    with open_store(path, create_missing=True) as store:
        for number in range(3):
            store.append(estate(number), origin=f"estate {number}")
        store.append(records(0, 60))
        store.append([Rejected(reason="not a record", position="x.jsonl:7", excerpt="{")])
        known_at = store.now().isoformat()
    return path, known_at


def check_damaged(said: list[Said]) -> Counter[str]:
    """Nothing but an error of ours came out, and where rows or answers differ, verify did not say that all is well."""
    tally: Counter[str] = Counter()
    bad: dict[str, list[Any]] = {}
    for damage, outcome in pairwise(said):
        if "damage" not in damage:
            continue
        for action, trace in outcome["wrong"].items():
            bad.setdefault(f"{action}: {_shortened(trace)}", []).append(damage["damage"])
        differ = outcome["rows differ"] + outcome["answers differ"]
        if outcome["verified"] and differ:
            what = differ[0].partition(" in ")[0].partition(":")[0]
            bad.setdefault(f"verify: all is well, although {what} changed", []).append(damage["damage"])
        tally["told when it is opened" if "open" in outcome["told"] else "opened"] += 1
        if outcome["verified"] is False:
            tally["told by verify"] += 1
        if not differ:
            tally["changed nothing that is said"] += 1
    told = [f"{len(cases)} times {what}, e.g. {cases[:3]}" for what, cases in bad.items()]
    assert not bad, f"of {len(said) // 2} damages, not told as they should be:\n" + "\n".join(told)
    return tally


def _shortened(trace: str) -> str:
    """The package's innermost line, and the exception without the particulars of the case."""
    lines = trace.strip().splitlines()
    lines[-1] = re.sub(r"0x[0-9a-f]+|\b\d+\b", "N", lines[-1])
    places = [line.strip().replace(str(ROOT), "") for line in lines if "/lineage_explorer/" in line]
    return f"{lines[-1][:100]} {places[-1] if places else ''}"


def test_a_store_that_was_cut_short_is_told_and_never_crashes(
    nursery: Nursery, pristine: tuple[Path, str], report: Callable[[str], None]
) -> None:
    path, known_at = pristine
    size = path.stat().st_size
    chance = random.Random(SEED)
    lengths = {0, 1, 15, 16, 99, 100, 511, 512, 4095, 4096, 4097, size // 2, size - 4096, size - 1}
    lengths.update(chance.randrange(size) for _ in range(sample(10, 200)))
    if CAMPAIGN:
        lengths.update(range(4096, size, 4096))
    said = nursery.run(
        "examine", pristine=path, known_at=known_at, damages=[["cut", length] for length in sorted(lengths)]
    )
    tally = check_damaged(said)
    report(f"{len(lengths)} lengths: {dict(tally)}")


def test_a_flipped_byte_anywhere_is_told_or_changes_nothing_and_never_crashes(
    nursery: Nursery, pristine: tuple[Path, str], report: Callable[[str], None]
) -> None:
    path, known_at = pristine
    size = path.stat().st_size
    chance = random.Random(SEED)
    # The file's header and each page's decide how all else is read: more often there.
    places = [
        *(chance.randrange(100) for _ in range(sample(20, 300))),
        *(chance.randrange(size // 4096) * 4096 + chance.randrange(16) for _ in range(sample(30, 500))),
        *(chance.randrange(size) for _ in range(sample(90, 1200))),
    ]
    damages = [["flip", place, chance.choice((1, 2, 4, 8, 16, 32, 64, 128, 255))] for place in places]
    # Two workers: the machine may have two cores, and nothing is shared.
    halves = [nursery.start("examine", pristine=path, known_at=known_at, damages=damages[part::2]) for part in range(2)]
    with ThreadPoolExecutor(2) as listeners:
        said = [word for words in listeners.map(Worker.all, halves) for word in words]
    tally = check_damaged(said)
    report(f"{len(damages)} flips: {dict(tally)}")


def test_healthy_syncs_are_still_read_beside_a_damaged_record(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    mark = "Wqzx" * 1500  # more than a page, so that the damage is in one record only
    with open_store(path, create_missing=True) as store:
        store.append(estate(1), origin="healthy 1")
        store.append([*estate(2), Entity(ref="model:churn2@9", description=mark)], origin="damaged")
        store.append(estate(3), origin="healthy 3")
        known_at = store.now()
        before = {
            number: audit(store, f"churn{number}", as_of=at("06-01"), known_at=known_at).digest for number in (1, 3)
        }
        syncs = store.syncs()
    whole = path.read_bytes()
    place = whole.rindex(b"WqzxWqzx")
    path.write_bytes(whole[:place] + b"\x00\xff" + whole[place + 2 :])
    with open_store(path) as store:
        assert store.syncs().equals(syncs)
        for number, digest in before.items():
            assert audit(store, f"churn{number}", as_of=at("06-01"), known_at=known_at).digest == digest
        verification = store.verify()
        assert not verification.ok
        assert verification.problems[0].message
        assert store.append(estate(4)).stored == len(estate(4))


# --- many at once -------------------------------------------------------------------------------


def test_four_processes_write_the_same_things_while_two_audit(
    nursery: Nursery, location: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    estates = sample(16, 60)
    until = tmp_path / "enough"
    auditors = [nursery.start("inspect", location=location, estates=estates, until=until) for _ in range(2)]
    writers = [nursery.start("contribute", location=location, seed=seed, estates=estates) for seed in range(4)]
    # Somebody must listen all the time, or they stop when their pipe is full.
    with ThreadPoolExecutor(2) as listeners:
        heard = listeners.map(Worker.all, auditors)
        try:
            totals = [writer.all()[-1]["total"] for writer in writers]
        finally:
            until.touch()
        asked = [word for said in heard for word in said if word["verdict"]]
    expected = sorted(text_of(item) for number in range(estates) for item in estate(number))
    with open_store(location) as store:
        assert sorted(journalled(location)) == expected, "everything is stored once"
        for read, stored, unchanged, quarantined in totals:
            assert read == len(expected) == stored + unchanged + quarantined
            assert not quarantined
        assert sum(total[1] for total in totals) == len(expected)
        assert store.verify().ok
        syncs = store.syncs()
        assert (syncs["read"] == syncs["stored"] + syncs["unchanged"] + syncs["quarantined"]).all()
        assert len(asked) > 10, "nobody audited while it was written"
        # What was written in one piece is never seen in part.
        halves = [word for word in asked if word["endpoint"] % 2 == 0 and word["verdict"] != "PASSED"]
        assert not halves, halves[:3]
        changed = [
            word
            for word in {word["digest"]: word for word in asked}.values()
            if audit(store, f"churn{word['endpoint']}", as_of=word["as_of"], known_at=word["known_at"]).digest
            != word["digest"]
        ]
        assert not changed, f"{len(changed)} answers are others when they are asked again: {changed[:3]}"
    report(f"{len(expected)} records from 4 writers, {len(asked)} audits by 2 others")


def test_two_ingests_that_begin_at_once_make_one_store_with_everything_in_it_once(
    location: str, tmp_path: Path
) -> None:
    source = tmp_path / "records.jsonl"
    source.write_text("".join(json.dumps(to_json(item)) + "\n" for item in records(0, 300)))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "lineage_explorer", "ingest", location, str(source), "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        for _ in range(2)
    ]
    done = []
    for process in processes:
        out, said = process.communicate(timeout=60)
        assert process.returncode == 0, out + said
        done.append(json.loads(out))
    assert sorted(counts["stored"] for counts in done) == [0, 300]
    assert sorted(journalled(location)) == sorted(text_of(item) for item in records(0, 300))
    with open_store(location) as store:
        assert store.verify().ok
        assert list(store.syncs()["complete"]) == [True, True]


def test_a_clock_that_jumps_back_changes_no_answer_and_no_order(location: str) -> None:
    known: list[Any] = []
    digests: list[str] = []
    with open_store(location, create_missing=True) as store:
        for day in ("05-01", "04-01", "04-02", "06-01", "01-01"):
            with time_machine.travel(at(day), tick=False):
                number = len(known)
                store.append(estate(number))
                known.append(store.now())
                digests.append(audit(store, f"churn{number}", as_of=at("12-01"), known_at=known[-1]).digest)
                assert audit(store, f"churn{number}").verdict in ("PASSED", "INCOMPLETE")
        assert known == sorted(set(known)), "what was recorded later looks earlier"
        for number, (when, digest) in enumerate(zip(known, digests, strict=True)):
            assert audit(store, f"churn{number}", as_of=at("12-01"), known_at=when).digest == digest
            later = [
                f"endpoint:churn{other}"
                for other in range(number + 1, len(known))
                if store.reachable(f"endpoint:churn{other}", as_of=at("12-01"), known_at=when).edges
            ]
            assert not later, f"known before it was recorded: {later}"
        starts = list(store.syncs()["started_at"])
        assert starts == sorted(starts)
        assert store.verify().ok
