"""Ingests that the server runs: what they store, how they are watched and cancelled, and what they refuse."""

from __future__ import annotations

import http.server
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lineage_explorer import open_store
from lineage_explorer.records import Entity, to_json
from lineage_explorer.server import ingests as module
from lineage_explorer.server import reading
from lineage_explorer.server.ingests import Ingest, Ingests
from lineage_explorer.server.reading import Task, Told, main, read

from .conftest import Server, idle, until


def start(server: Server, **order: Any) -> dict[str, Any]:
    reply = server.request("ingests", "POST", body=order)
    assert reply.status == 202, reply.body
    assert reply.headers["Location"].endswith(f"/lineage-explorer/ingests/{reply.json['id']}")
    said: dict[str, Any] = reply.json
    return said


def ended(server: Server, started: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}

    def over() -> bool:
        said.update(server.request(f"ingests/{started['id']}").json)
        return bool(said["state"] != "running")

    until(over, 30)
    return said


@pytest.fixture(autouse=True)
def at_rest(server: Server) -> None:
    """No ingest of another test runs any more."""
    idle(server)


@pytest.fixture(scope="module")
def long(server: Server) -> Path:
    """A source that takes some seconds to read."""
    path = server.home / "long.jsonl"
    with path.open("w") as file:
        for number in range(120_000):
            file.write(json.dumps(to_json(Entity(ref=f"run:{number}"))) + "\n")
    return path


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes requests and never answers."""
    stop = threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stop.wait(60)

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        stop.set()
        listening.shutdown()


def test_an_ingest_is_done_with_its_counts_and_its_store_made(server: Server) -> None:
    said = ended(server, start(server, store="estate/made.db", source="records.jsonl", create=True))
    lines = len((server.home / "records.jsonl").read_text().splitlines())
    assert said["state"] == "done"
    assert said["counts"] == {"read": lines, "stored": lines, "unchanged": 0, "quarantined": 0, "vanished": 0}
    assert said["records"] == lines
    assert said["message"] is None
    assert said["ended_at"] > said["started_at"]
    again = ended(server, start(server, store="estate/made.db", source="records:records.jsonl", full=True))
    assert again["counts"]["unchanged"] == lines
    assert server.request("kinds", store="estate/made.db").json["kinds"]["endpoint"] == 1
    listed = server.request("ingests").json["ingests"]
    assert [item["id"] for item in listed[:2]] == [again["id"], said["id"]]


def test_a_store_is_made_only_when_that_is_asked_for(server: Server) -> None:
    reply = server.request("ingests", "POST", body={"store": "estate/unmade.db", "source": "records.jsonl"})
    assert reply.status == 404
    for name in ("estate/unmade.txt", "estate/.unmade.db", "nowhere/unmade.db", "../unmade.db"):
        reply = server.request("ingests", "POST", body={"store": name, "source": "records.jsonl", "create": True})
        assert reply.status in (403, 404), name
    assert not list(server.home.rglob("*unmade*"))


def test_a_source_that_cannot_be_read_makes_no_store_and_says_why(server: Server) -> None:
    (server.home / "nonsense.bin").write_bytes(b"\0\1\2")
    said = ended(server, start(server, store="estate/unread.db", source="nonsense.bin", create=True))
    assert said["state"] == "failed"
    assert "no source recognises" in said["message"]
    said = ended(
        server, start(server, store="estate/unread.db", source="http://eve:rabbithole@127.0.0.1:9/", create=True)
    )
    assert said["state"] == "failed"
    assert "rabbithole" not in json.dumps(said)
    assert "[redacted]" in said["source"]
    assert not (server.home / "estate" / "unread.db").exists()


def test_progress_is_told_and_a_cancelled_ingest_keeps_what_was_read(server: Server, long: Path) -> None:
    started = start(server, store="estate/long.db", source="long.jsonl", create=True)
    busy = {"store": "estate/long.db", "source": "./long.jsonl", "create": True}
    assert server.request("ingests", "POST", body=busy).status == 409
    until(lambda: server.request(f"ingests/{started['id']}").json["records"] > 0)
    assert server.request(f"ingests/{started['id']}", "DELETE").status == 202
    said = ended(server, started)
    assert said["state"] == "cancelled"
    assert 0 < said["records"] < 120_000
    assert said["counts"] is None
    with open_store(server.home / "estate" / "long.db") as store:
        assert store.kinds()["run"] == said["records"]
        assert not store.syncs()["complete"].iloc[-1]
        assert store.verify().ok
    assert server.request(f"ingests/{started['id']}", "DELETE").json["state"] == "cancelled"


def test_only_a_few_run_at_once_and_one_whose_source_is_silent_can_be_cancelled(server: Server, silent: str) -> None:
    started = [
        start(server, store="estate/lineage.db", source=f"mlflow:{silent}/{number}", full=True) for number in range(2)
    ]
    reply = server.request("ingests", "POST", body={"store": "estate/lineage.db", "source": "records.jsonl"})
    assert (reply.status, reply.json["error"]) == (429, "TooManyIngests")
    begun = time.monotonic()
    assert server.request("kinds", store="estate/lineage.db").status == 200  # questions do not wait for them
    assert time.monotonic() - begun < 5
    for item in started:
        server.request(f"ingests/{item['id']}", "DELETE")
    assert [ended(server, item)["state"] for item in started] == ["cancelled", "cancelled"]


def test_an_ingest_that_is_not_there_is_not_found(server: Server) -> None:
    for method in ("GET", "DELETE"):
        reply = server.request("ingests/00ff00ff00ff00ff", method)
        assert (reply.status, reply.json["error"]) == (404, "UnknownIngest")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "expected a JSON object"),
        ({"source": "records.jsonl"}, "store: missing"),
        ({"store": "estate/lineage.db", "source": 3}, "source: expected 1 to 2000 characters"),
        ({"store": "estate/lineage.db", "source": "records.jsonl", "full": "yes"}, "full: expected true or false"),
        ({"store": "estate/lineage.db", "source": "records.jsonl", "shell": "rm"}, "shell: unknown here"),
        ({"store": "estate/lineage.db", "source": "missing.jsonl"}, "there is nothing at 'missing.jsonl'"),
    ],
)
def test_a_wrong_order_is_refused_with_the_field(server: Server, body: Any, said: str) -> None:
    reply = server.request("ingests", "POST", body=body)
    assert reply.status in (400, 404)
    assert said in reply.json["message"]


def test_a_body_that_is_too_long_or_no_json_is_refused(server: Server) -> None:
    assert server.request("ingests", "POST", body={"store": "x" * 70_000, "source": "y"}).status == 413
    reply = server.request("ingests", "POST", headers={"Content-Length": "0"})
    assert (reply.status, reply.json["error"]) == (400, "InvalidParameter")


# --- the process that reads ---


@pytest.fixture
def task(tmp_path: Path) -> Task:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(to_json(Entity(ref=f"run:{number}"))) + "\n" for number in range(5)))
    return Task(store=str(tmp_path / "own.db"), create=True, source=str(path), namespace="", full=False)


def told(task: Task, *, stopped: bool = False) -> tuple[Told, list[Told]]:
    stop, said = threading.Event(), list[Told]()
    if stopped:
        stop.set()
    return read(task, stop, said.append), said


def test_reading_tells_how_far_it_is_and_how_it_ended(task: Task) -> None:
    last, said = told(task)
    assert [item.records for item in said] == [5]
    assert last.counts == {"read": 5, "stored": 5, "unchanged": 0, "quarantined": 0, "vanished": 0}
    assert told(task, stopped=True)[0].cancelled
    missing = msgspec.structs.replace(task, store=task.store + "x.db", create=False)
    assert told(missing)[0].error == "StoreNotFound"


def test_an_error_in_a_source_that_nobody_foresaw_goes_to_the_log(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("with a password in it")

    monkeypatch.setattr(reading, "open_source", broken)
    last, _ = told(task)
    assert (last.error, last.message) == ("ZeroDivisionError", "")
    assert "broken" in last.trace
    log: list[str] = []
    ingests = Ingests(1, lambda text: text.replace("password", "[redacted]"), log.append)
    ingest = Ingest("store", "source", task, ingests._failed)
    ingest._tell(last, 0)
    said = ingest.to_dict()
    assert said["state"] == "failed"
    assert "ZeroDivisionError" not in said["message"]
    assert "ZeroDivisionError: with a [redacted] in it" in log[0]
    assert log[0].split()[1].rstrip(":") in said["message"]


def test_reading_stops_when_who_started_it_is_gone(task: Task) -> None:
    answers = io.BytesIO()
    orders = io.BytesIO(msgspec.json.encode(task) + b"\n")  # and then its end
    main(orders, answers)
    last = msgspec.json.decode(answers.getvalue().splitlines()[-1], type=Told)
    assert last.cancelled or last.counts is not None  # so few records may be read before the end is seen


def test_a_process_that_is_killed_fails_its_ingest_and_harms_no_store(long: Path, tmp_path: Path) -> None:
    ingests = Ingests(1, str, lambda _: None)
    store = tmp_path / "own.db"
    task = Task(store=str(store), create=True, source=str(long), namespace="", full=False)
    number = ingests.start("own.db", "long.jsonl", task)["id"]
    until(lambda: ingests.get(number)["records"] > 0, 30)
    process = ingests._find(number)._process
    assert process is not None
    process.kill()
    until(lambda: ingests.get(number)["state"] == "failed", 30)
    assert "ended without a word (exit status -9)" in ingests.get(number)["message"]
    with open_store(store) as opened:
        assert opened.verify().ok
        assert opened.kinds()["run"] >= ingests.get(number)["records"]


def test_what_runs_is_stopped_with_the_server_and_old_ones_are_forgotten(
    long: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT", 2)
    ingests = Ingests(5, str, lambda _: None)
    numbers = []
    for index in range(4):
        missing = Task(store=str(tmp_path / f"{index}.db"), create=False, source="x", namespace="", full=False)
        numbers.append(ingests.start("x", "x", missing)["id"])
        until(lambda: ingests.get(numbers[-1])["state"] == "failed", 30)
    assert [item["id"] for item in ingests.listed()] == [numbers[3], numbers[2]]
    task = Task(store=str(tmp_path / "own.db"), create=True, source=str(long), namespace="", full=False)
    number = ingests.start("own.db", "long.jsonl", task)["id"]
    ingests.close()
    assert ingests.get(number)["state"] == "cancelled"
