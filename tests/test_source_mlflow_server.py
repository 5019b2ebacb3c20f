"""The MLflow source on a real tracking server: the same records as from its file, and how it fails."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lineage_explorer.errors import MissingDependency, SourceError, SourceUnavailable
from lineage_explorer.records import digest_of, to_json
from lineage_explorer.sources import Observation, open_source
from lineage_explorer.sources.mlflow import MLflowSource, server
from lineage_explorer.store import Store, open_store
from tests.mlflow_estates import OLD, YOUNG, Answer, Estate, Reading, estate, plant, relayed, served, tag_version
from tests.source_contract import PLANTED, SourceContract

RUNS = "/api/2.0/mlflow/runs/search"


class Served:
    """A server, the file it serves, and the process group it runs in."""

    def __init__(self, estate: Estate) -> None:
        self.database = estate.database
        self.ids = estate.ids
        self.address = ""
        self._folder = estate.folder
        self._processes: list[int] = []
        self._stack = ExitStack()

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self._processes:
            self.address = self._stack.enter_context(served(self.database, self._folder, self._processes))

    def kill(self) -> None:
        """End it as a power cut would."""
        os.killpg(self._processes.pop(), signal.SIGKILL)

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    built = estate(tmp_path_factory.mktemp("mlflow"))
    shutil.copyfile(built.database, folder / "mlflow.db")
    plant(folder / "mlflow.db", built.ids["train"], PLANTED)
    server_ = Served(Estate(folder, built.ids))
    yield server_
    server_.close()


@pytest.fixture
def running(_server: Served) -> Served:
    """The server that all tests of the module share; a test that killed it leaves it to the next to start."""
    _server.start()
    return _server


class TestContractOnServers(SourceContract):
    source_class = MLflowSource
    forbidden_imports: ClassVar[tuple[str, ...]] = ("mlflow", "pandas", "sqlalchemy", "requests", "networkx")

    @pytest.fixture
    def location(self, running: Served, tmp_path: Path) -> str:
        # What the contract compares before and after: the file that the server serves.
        (tmp_path / "mlflow.db").hardlink_to(running.database)
        return running.address

    @pytest.fixture
    def broken_location(self, running: Served) -> str:
        return running.address

    @pytest.fixture
    def secret_location(self, running: Served, tmp_path: Path) -> str:
        (tmp_path / "mlflow.db").hardlink_to(running.database)
        return running.address


# Sixty runs like the training run, each with data, a parameter and a metric.
SWEEP = """
    CREATE TEMP TABLE sweep AS
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59) SELECT printf('%032d', i) AS id FROM n;
    INSERT INTO runs
        SELECT s.id, 'sweep', source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
               source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time
        FROM runs, sweep s WHERE run_uuid = '{train}';
    INSERT INTO latest_metrics SELECT 'auc', 0.5, 1, 0, 0, id FROM sweep;
    INSERT INTO params SELECT 'C', '1', id FROM sweep;
    INSERT INTO inputs
        SELECT 'i' || s.id, source_type, source_id, destination_type, s.id, step FROM inputs, sweep s
        WHERE source_type = 'DATASET' AND destination_id = '{train}'
              AND source_id IN (SELECT dataset_uuid FROM datasets WHERE name = 'customers');
    INSERT INTO input_tags SELECT 'i' || id, 'mlflow.data.context', 'training' FROM sweep;
"""
UNSWEPT = """
    DELETE FROM input_tags WHERE input_uuid IN (SELECT 'i' || run_uuid FROM runs WHERE name = 'sweep' AND run_uuid LIKE '0000%');
    DELETE FROM inputs WHERE destination_id LIKE '0000%';
    DELETE FROM params WHERE run_uuid LIKE '0000%';
    DELETE FROM latest_metrics WHERE run_uuid LIKE '0000%';
    DELETE FROM runs WHERE run_uuid LIKE '0000%';
"""


# --- the same as from the file ---


def hidden_by_the_server(told: Reading) -> set[str]:
    """Positions of what MLflow's API does not show: deleted versions and deleted logged models."""
    return {
        item.position
        for item in told.items
        if isinstance(item, Observation)
        and item.position.startswith(("versions/", "logged-models/"))
        and item.record.attributes.get("lifecycle_stage") == "deleted"
    }


def test_a_server_and_its_file_say_the_same(running: Served) -> None:
    file, server_ = Reading(running.database), Reading(running.address)
    hidden = hidden_by_the_server(file)
    assert hidden == {"versions/churn/3", f"logged-models/{running.ids['m-doomed']}"}
    only_file, only_server = file.digests() - server_.digests(), server_.digests() - file.digests()
    assert {place for place, _ in only_file} == {*hidden, "versions/churn/3/tags/legal"}
    # All that is left of the deleted model is that its run had logged something.
    assert {place for place, _ in only_server} == {f"runs/{running.ids['train']}"}
    (left,) = server_.relations(effect=f"logged_model:x/{running.ids['m-doomed']}")
    assert only_server.total() == 1
    assert digest_of(left) in {digest for _, digest in only_server}
    assert len(server_.records) > 100


def test_pages_of_any_size_give_the_same(running: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Reading(running.address)
    paths: Counter[str] = Counter()
    monkeypatch.setattr(server, "_PAGE", 2)
    monkeypatch.setattr(server, "_MODEL_PAGE", 2)

    def note(path: str, count: int) -> Answer | None:
        paths[path.partition("?")[0].rpartition("mlflow/")[2]] += 1
        return None

    with relayed(running.address, note) as address:
        assert Reading(address).digests() == whole.digests()
    paged = ("experiments/search", "registered-models/search", "model-versions/search", "logged-models/search")
    assert all(paths[path] > 1 for path in (*paged, "runs/search", "metrics/get-history")), paths


def test_a_run_that_moves_to_the_next_page_meanwhile_is_told_once(
    running: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Reading(running.address).digests()
    pages: list[bytes] = []

    def repeat(path: str, count: int) -> Answer | None:
        if not path.startswith(RUNS):
            return None
        if not pages:
            payload = {"experiment_ids": ["0", "1", "2"], "run_view_type": "ALL", "max_results": 1000,
                       "order_by": ["attributes.start_time ASC"]}  # fmt: skip
            request = urllib.request.Request(
                running.address + RUNS, json.dumps(payload).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=30) as reply:
                runs = json.load(reply)["runs"]
            pages.append(json.dumps({"runs": runs[:8], "next_page_token": "more"}).encode())
            pages.append(json.dumps({"runs": runs[6:]}).encode())
            return 200, pages[0]
        return 200, pages[1]

    with relayed(running.address, repeat) as address:
        assert Reading(address).digests() == whole


def test_a_token_that_never_ends_does_not_loop(running: Served) -> None:
    def same(path: str, count: int) -> Answer | None:
        return (200, b'{"runs": [], "next_page_token": "again"}') if path.startswith(RUNS) else None

    with relayed(running.address, same) as address:
        assert Reading(address).records


def test_training_and_sweeping_runs_cost_no_calls_of_their_own(running: Served) -> None:
    def calls() -> int:
        counted: list[str] = []

        def note(path: str, count: int) -> Answer | None:
            counted.append(path)
            return None

        with relayed(running.address, note) as address:
            Reading(address)
        return len(counted)

    before = calls()
    with sqlite3.connect(running.database) as database:
        database.executescript(SWEEP.replace("{train}", running.ids["train"]))
    database.close()
    try:
        told = Reading(running.address)
        assert told.activity(f"{59:032d}").activity == "training"
        assert calls() == before
    finally:
        with sqlite3.connect(running.database) as database:
            database.executescript(UNSWEPT)
        database.close()


def test_an_evaluation_that_names_its_model_only_as_an_input_is_found(running: Served) -> None:
    told = Reading(running.address)
    read = told.causes(f"run:x/{running.ids['silent-evaluation']}", "used")
    assert read[f"logged_model:x/{running.ids['m-second']}"].role == "evaluation"


def test_a_gate_about_earlier_days_asks_for_the_history_of_its_metric(running: Served) -> None:
    assert Reading(running.address).evidence("model:x/churn@1")["auc"].actual == "0.91"  # the latest is 0.55


@pytest.mark.parametrize("run_id", ["0" * 32, "../../etc", "a b&c=d", "x" * 5000])
def test_a_gate_that_names_no_possible_run_stops_nothing(running: Served, run_id: str) -> None:
    tag_version(running.database, 2, "gate.borrowed.run_id", run_id)
    told = Reading(running.address).evidence("model:x/churn@2")["borrowed"]
    assert (told.status, told.grade) == ("undetermined", "referenced")


# --- a server that fails ---


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second attempts: they would only wait."""
    monkeypatch.setattr(server, "_RETRIES", 0)


def failing(part: str, answer: Answer) -> Any:
    def interfere(path: str, count: int) -> Answer | None:
        return answer if part in path else None

    return interfere


@pytest.mark.usefixtures("hurried")
def test_a_server_that_hangs_up_is_named_with_the_call_and_the_rows_so_far(running: Served) -> None:
    broken = relayed(running.address, failing("runs/search", (0, b"")))
    with broken as address, pytest.raises(SourceUnavailable) as caught:
        list(MLflowSource(address).read())
    assert address in str(caught.value)
    assert "POST /api/2.0/mlflow/runs/search" in str(caught.value)
    assert "3 experiments" in str(caught.value)


@pytest.mark.usefixtures("hurried")
def test_what_was_read_before_a_server_went_away_stays_and_the_next_read_completes(
    running: Served, tmp_path: Path
) -> None:
    with open_store(tmp_path / "whole.db", create_missing=True) as whole:
        everything = whole.ingest(MLflowSource(running.address, namespace="x"))
    with open_store(tmp_path / "cut.db", create_missing=True) as cut:
        broken = relayed(running.address, failing("runs/search", (0, b"")))
        with broken as address, pytest.raises(SourceUnavailable):
            cut.ingest(MLflowSource(address, namespace="x"))
        assert "model:x/churn@1" in cut.refs("model")
        assert list(cut.syncs()["complete"]) == [False]
        again = cut.ingest(MLflowSource(running.address, namespace="x"))
        assert again.unchanged > 0
        assert again.unchanged + again.stored == everything.stored
        assert list(cut.syncs()["complete"]) == [False, True]


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("call", "answer", "error", "words"),
    [
        ("experiments/search", (500, b"oops"), SourceUnavailable, "HTTP 500"),
        ("registered-models/search", (429, b"slow down"), SourceUnavailable, "HTTP 429"),
        ("experiments/search", (401, b""), SourceError, "MLFLOW_TRACKING_TOKEN"),
        ("runs/search", (403, b""), SourceError, "MLFLOW_TRACKING_USERNAME"),
        ("logged-models/search", (400, b'{"error_code": "INVALID"}'), SourceError, "INVALID"),
        ("runs/search", (404, b"no such place"), SourceError, "HTTP 404"),
        ("runs/get", (500, b"oops"), SourceUnavailable, "HTTP 500"),
        ("metrics/get-history", (503, b"oops"), SourceUnavailable, "HTTP 503"),
        ("model-versions/search", (200, b"<html>Please log in</html>"), SourceUnavailable, "not an MLflow reply"),
        ("experiments/search", (200, b"[]"), SourceUnavailable, "not an MLflow reply"),
        ("experiments/search", (200, b"[" * 100_000), SourceUnavailable, "not an MLflow reply"),
    ],
)
def test_an_answer_that_is_none_is_an_error_and_never_an_empty_estate(
    running: Served, call: str, answer: Answer, error: type[SourceError], words: str
) -> None:
    with relayed(running.address, failing(call, answer)) as address, pytest.raises(error, match=words) as caught:
        list(MLflowSource(address).read())
    assert address in str(caught.value)
    assert call in str(caught.value)


def test_a_server_without_logged_models_is_read_without_them(running: Served) -> None:
    with relayed(running.address, failing("logged-models/search", (404, b"Not Found"))) as address:
        told = Reading(address)
    # Then the version leads to its run directly.
    assert f"run:x/{running.ids['train']}" in told.causes("model:x/churn@1", "was_generated_by")


def test_a_row_that_is_not_as_documented_spoils_only_itself(running: Served) -> None:
    rows = [{"info": {"run_id": "a", "experiment_id": "1", "start_time": "soon"}}, None, {"info": "?"}, 7,
            {"info": {"run_id": "good", "experiment_id": "1", "status": "FINISHED"}}]  # fmt: skip
    reply = json.dumps({"runs": rows}).encode()
    with relayed(running.address, failing("runs/search", (200, reply))) as address:
        told = Reading(address)
    assert told.activity("good").status == "FINISHED"
    spoilt = [item for item in told.rejected if "not as documented" in item.reason]
    assert [item.position for item in spoilt] == ["runs/0", "runs/1", "runs/2", "runs/3"]


def test_text_that_is_not_unicode_becomes_visible(running: Served) -> None:
    reply = b'{"runs": [{"info": {"run_id": "r", "experiment_id": "1", "run_name": "a\\ud800b\xff"}}]}'
    with relayed(running.address, failing("runs/search", (200, reply))) as address:
        told = Reading(address).activity("r")
    assert to_json(told)["attributes"]["name"] == "a\\ud800b\\xff"


def test_a_slow_reader_of_a_server_gets_the_first_records_before_the_last(running: Served) -> None:
    asked: list[str] = []

    def note(path: str, count: int) -> Answer | None:
        asked.append(path)
        return None

    with relayed(running.address, note) as address:
        assert len(list(islice(MLflowSource(address).read(), 5))) == 5
    assert not [path for path in asked if path.startswith(RUNS)]


# --- recognising and naming ---


def test_a_server_is_recognised_by_its_answer(running: Served) -> None:
    assert isinstance(open_source(running.address), MLflowSource)
    assert isinstance(open_source(running.address + "/"), MLflowSource)


def test_a_guarded_server_is_recognised_and_the_error_says_what_it_wants(
    running: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with relayed(running.address, failing("/api/2.0/", (401, b"who are you"))) as address:
        assert MLflowSource.recognises(address)
        with pytest.raises(SourceError, match="MLFLOW_TRACKING_TOKEN"):
            list(open_source(address).read())


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b'{"status": "ok"}'), (404, b""), (500, b""), (0, b"")])
def test_another_web_server_is_not_taken_for_mlflow(running: Served, answer: Answer) -> None:
    with relayed(running.address, failing("/", answer)) as address:
        assert not MLflowSource.recognises(address)


def test_a_port_where_nobody_answers_is_not_recognised_and_said_when_read(hurried: None) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    assert not MLflowSource.recognises(address)
    with pytest.raises(SourceUnavailable, match=re.escape(address)):
        list(MLflowSource(address).read())


def test_a_password_in_an_address_is_in_no_name_and_no_error(running: Served, hurried: None) -> None:
    for answer in ((0, b""), (500, b""), (401, b"")):
        with relayed(running.address, failing("/", answer)) as address:
            source = MLflowSource(address.replace("://", "://ada:hunter2@"))
            assert source.namespace == MLflowSource(address).namespace
            assert "hunter2" not in source.location
            with pytest.raises(SourceError) as caught:
                list(source.read())
            assert "hunter2" not in str(caught.value)


def test_one_server_has_one_namespace_however_its_address_is_written() -> None:
    def named(address: str) -> str:
        return MLflowSource(address).namespace

    assert named("https://mlflow.example.org") == named("https://MLflow.example.org:443/")
    assert named("https://mlflow.example.org/a") != named("https://mlflow.example.org/b")
    assert named("https://mlflow.example.org") != named("http://mlflow.example.org")


def test_without_the_client_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlflow.exceptions", None)
    with pytest.raises(MissingDependency, match="pip install 'mlflow-skinny"):
        list(MLflowSource("http://127.0.0.1:9").read())


# --- credentials ---


def test_mlflows_own_credentials_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Guard(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard) as guard:
        thread = threading.Thread(target=guard.serve_forever)
        thread.start()
        with pytest.raises(SourceError, match="403"):
            list(MLflowSource(f"http://127.0.0.1:{guard.server_address[1]}").read())
        guard.shutdown()
        thread.join()
    assert seen == ["Bearer abc"]


# --- what a second read reads ---


def ask(address: str, method: str, path: str, **payload: Any) -> dict[str, Any]:
    """One call of MLflow's API, by which its client writes too."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/{path}", json.dumps(payload).encode(), {"Content-Type": "application/json"}
    )
    request.method = method
    with urllib.request.urlopen(request, timeout=30) as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def begin(address: str, start: int, experiment: str = "1") -> str:
    """A run that is running."""
    made = ask(address, "POST", "runs/create", experiment_id=experiment, start_time=start)
    return str(made["run"]["info"]["run_id"])


def end(address: str, run_id: str, when: int) -> None:
    """It has ended."""
    ask(address, "POST", "runs/update", run_id=run_id, status="FINISHED", end_time=when)


def compared(running: Served, since: dict[str, Any]) -> Reading:
    """A second read of the server, after comparing it with a full one."""
    full, second = Reading(running.address), Reading(running.address, since=since)
    assert second.enumerated == {"registry"}
    assert second.said("registry") == full.said("registry")
    assert second.said() <= full.said()
    return second


@pytest.fixture
def settled(running: Served) -> dict[str, Any]:
    """The cursor after a read of a server whose runs are long past, but for one."""
    end(running.address, begin(running.address, YOUNG - 1), YOUNG)
    first = Reading(running.address)
    assert first.enumerated == {"registry", "runs"}
    return first.cursor


def test_a_second_read_of_a_server_leaves_out_what_cannot_have_changed(
    running: Served, settled: dict[str, Any]
) -> None:
    second = compared(running, settled)
    needless = {running.ids[name] for name in ("prepare", "sweep", "failed-write", "gone", "abandoned-run")}
    assert second.runs() & needless == set()
    assert second.runs() >= {running.ids[name] for name in ("train", "evaluate", "still-running", "build-agent")}


def test_a_second_read_of_a_server_finds_runs_that_began_ended_or_were_registered(
    running: Served, settled: dict[str, Any]
) -> None:
    address = running.address
    early, late, back = begin(address, OLD), begin(address, YOUNG + 5), begin(address, OLD)
    end(address, back, OLD + 1)
    registered = running.ids["failed-write"]
    second = compared(running, settled)
    assert {early, late} <= second.runs()
    assert back not in second.runs()  # dated back: a full read finds it
    assert registered not in second.runs()
    end(address, early, OLD + 2)
    version = ask(
        address, "POST", "model-versions/create", name="churn", source=f"runs:/{registered}/model", run_id=registered
    )
    third = compared(running, second.cursor)
    assert third.activity(early).status == "FINISHED"
    assert registered in third.runs()
    assert back in Reading(address).runs()
    ask(address, "DELETE", "model-versions/delete", name="churn", version=version["model_version"]["version"])
    fourth = compared(running, third.cursor)
    assert registered in fourth.runs()  # once more, because it has become a run of no version
    assert registered not in compared(running, fourth.cursor).runs()
    for run_id in (early, late, back):
        ask(address, "POST", "runs/delete", run_id=run_id)


def test_a_second_read_of_a_server_reads_the_whole_registry(running: Served, settled: dict[str, Any]) -> None:
    address = running.address
    ask(address, "POST", "registered-models/create", name="short-lived")
    ask(address, "POST", "registered-models/alias", name="churn", alias="passing", version="2")
    ask(address, "POST", "model-versions/set-tag", name="churn", version="2", key="passing", value="Rejected")
    second = compared(running, settled)
    assert second.entity("model:x/short-lived")
    assert second.causes("model:x/churn~passing", "alias_of").keys() == {"model:x/churn@2"}
    assert second.evidence("model:x/churn@2")["passing"].status == "failed"
    ask(address, "DELETE", "registered-models/delete", name="short-lived")
    ask(address, "DELETE", "registered-models/alias", name="churn", alias="passing")
    ask(address, "DELETE", "model-versions/delete-tag", name="churn", version="2", key="passing")
    third = compared(running, second.cursor)
    assert "model:x/short-lived" not in {ref for _, ref, _ in third.said() for ref in ref.split("\x1f")}
    assert third.relations(effect="model:x/churn~passing") == []
    assert "passing" not in third.evidence("model:x/churn@2")


def test_a_second_read_of_a_server_asks_nothing_run_by_run(running: Served, settled: dict[str, Any]) -> None:
    asked: Counter[str] = Counter()

    def note(path: str, count: int) -> Answer | None:
        asked[path.partition("?")[0].rpartition("mlflow/")[2]] += 1
        return None

    whole = compared(running, settled).said()
    with relayed(running.address, note) as address:
        assert Reading(address, since=settled).said() == whole
    # Of the two runs that tags and versions name and that are nowhere: it is not known how they ended.
    assert asked["runs/get"] <= 2


def test_a_run_that_went_on_is_asked_again_what_it_read(running: Served, settled: dict[str, Any]) -> None:
    run_id = running.ids["silent-evaluation"]
    with contextlib.closing(sqlite3.connect(running.database)) as database:
        (ended,) = database.execute("SELECT end_time FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
    ask(running.address, "POST", "runs/update", run_id=run_id, status="RUNNING")
    payload = {"run_id": run_id, "models": [{"model_id": running.ids["m-agent"]}]}
    ask(running.address, "POST", "runs/log-inputs", **payload)
    try:
        assert settled["model_inputs"][run_id][1] == [running.ids["m-second"]]
        read = compared(running, settled).causes(f"run:x/{run_id}", "used")
        assert f"logged_model:x/{running.ids['m-agent']}" in read
    finally:
        end(running.address, run_id, ended)


def test_a_server_and_its_file_choose_the_same_runs(running: Served, settled: dict[str, Any]) -> None:
    new = begin(running.address, YOUNG + 7)
    server_ = Reading(running.address, since=settled).runs()
    file = Reading(running.database, since={**settled, "kind": "file", "model_inputs": {}})
    deleted = {running.ids[name] for name in ("gone", "abandoned-run")}
    assert file.enumerated == {"registry"}
    # The file tells besides when runs were deleted.
    assert new in server_
    assert file.runs() - server_ >= deleted
    assert server_ <= file.runs()
    ask(running.address, "POST", "runs/delete", run_id=new)


def test_the_cursor_of_a_file_is_none_of_its_server(running: Served) -> None:
    told = Reading(running.address, since=Reading(running.database).cursor)
    assert told.enumerated == {"registry", "runs"}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("call", ["registered-models/search", "runs/search", "metrics/get-history"])
def test_what_a_failing_server_left_out_is_not_taken_for_gone(
    running: Served, settled: dict[str, Any], call: str
) -> None:
    with relayed(running.address, failing(call, (500, b"oops"))) as address:
        source = MLflowSource(address, namespace="x")
        for reading in (source.read(), source.read_changes(settled)):
            with pytest.raises(SourceUnavailable):
                list(reading)
            assert (source.enumerated, source.cursor) == (frozenset(), {})


# --- last, because it ends the server ---


def test_a_server_that_is_killed_in_the_middle_is_an_error_that_names_it(
    running: Served, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = server.ServerRows._call

    def killing(self: server.ServerRows, method: str, path: str, *rest: Any) -> Any:
        if path == "runs/search":
            running.kill()
        return call(self, method, path, *rest)

    monkeypatch.setattr(server.ServerRows, "_call", killing)
    with pytest.raises(SourceUnavailable, match=re.escape(running.address)) as caught:
        store.ingest(MLflowSource(running.address, namespace="x"))
    assert "stopped answering at POST /api/2.0/mlflow/runs/search" in str(caught.value)
    assert "ingest again" in str(caught.value)
    assert "model:x/churn@1" in store.refs("model")
    again = store.ingest(MLflowSource(str(running.database), namespace="x"))  # its file says the same
    assert (again.unchanged > 0, again.stored > 0) == (True, True)
    assert list(store.syncs()["complete"]) == [False, True]
