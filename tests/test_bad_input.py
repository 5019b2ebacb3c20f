"""Bad input as a user meets it: a clear message or a visible gap, nothing lost, and the store opens afterwards.

Each source's own tests read its bad input line by line; these go the whole way, from the command to the answer.
"""

from __future__ import annotations

import html.parser
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lineage_explorer import audit
from lineage_explorer.records import Entity, Evidence, Ref, Relation
from lineage_explorer.store import Store, open_store
from lineage_explorer.store.schema import SCHEMA_VERSION

from .conftest import command
from .estates import complete, gate, used
from .test_cli import WHEN, Run, lines_of, run, started, store_of

__all__ = ["run"]  # a fixture


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    row = {"type": "deployment", "endpoint": "churn-prod", "model": "model:churn@3", "at": "2026-03-01T00:00:00Z"}
    return lines_of(tmp_path / "deployments.jsonl", [row])


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# --- places that are not there ---


@pytest.mark.parametrize(
    "source",
    ["deploymnts.jsonl", "records:deploymnts.jsonl", "azureml:deploymnts.jsonl", "mlflow:deploymnts.jsonl"],
)
def test_a_mistyped_source_makes_no_store_and_names_the_nearest(
    run: Run, tmp_path: Path, rows: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    for given in ([source], [rows, source]):
        assert "did you mean 'deployments.jsonl'?" in run("ingest", "s.db", *given, status=2).err
        assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("http://127.0.0.1:{port}", "nobody answers at 'http://127.0.0.1:{port}'"),
        ("mlflow:http://127.0.0.1:{port}", "http://127.0.0.1:{port} stopped answering"),
        ("http://mia:hunter2@127.0.0.1:{port}/?sig=hunter2", "nobody answers"),
        ("htp://127.0.0.1:{port}", "nobody answers"),
        ("http://127.0.0.1:99999", "is no address"),
        ("mlflow:http://[::1", "is no address"),
        ("s3://bucket/mlflow.db", "no source recognises"),
        ("", "there is nothing at ''"),
    ],
)
def test_an_address_where_nobody_is_makes_no_store_and_says_so(
    run: Run, tmp_path: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "1")
    said = run("ingest", tmp_path / "s.db", source.format(port=closed_port), status=2)
    assert words.format(port=closed_port) in said.err
    assert "hunter2" not in said.err
    assert "bug" not in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["audit", "e"], ["search", "e"], ["syncs"], ["quarantine"]], ids=lambda words: words[0]
)
def test_a_mistyped_store_is_not_made_by_asking_it(run: Run, tmp_path: Path, words: list[str]) -> None:
    store_of(tmp_path / "lineage.db", complete())
    before = listing(tmp_path)
    said = run(words[0], tmp_path / "linaege.db", *words[1:], status=2)
    assert f"did you mean {str(tmp_path / 'lineage.db')!r}?" in said.err
    assert listing(tmp_path) == before


def test_a_store_in_a_folder_that_is_not_there_makes_no_folder(run: Run, tmp_path: Path, rows: Path) -> None:
    assert "nowhere" in run("ingest", tmp_path / "nowhere" / "s.db", rows, status=2).err
    assert list(tmp_path.iterdir()) == [rows]


# --- stores that are none ---


def not_a_store(kind: str, folder: Path) -> Path:
    path = folder / "thing.db"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("once upon a time\n" * 100)
    elif kind == "another database":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE journal(x)")
        connection.close()
    else:
        store_of(path, complete())
        if kind == "newer":
            with sqlite3.connect(path) as connection:
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
            connection.close()
        elif kind == "truncated":
            path.write_bytes(path.read_bytes()[:20_000])
        else:
            raw = path.read_bytes()
            path.write_bytes(raw[:4096] + b"\xff" * (len(raw) - 4096))
    return path


@pytest.mark.parametrize("words", [["ingest", "deployments.jsonl"], ["audit", "churn"], ["search", "churn"], ["syncs"]])
@pytest.mark.parametrize("kind", ["folder", "text", "another database", "newer", "truncated", "overwritten"])
def test_what_is_no_store_is_said_and_left_byte_for_byte(
    run: Run, tmp_path: Path, rows: Path, monkeypatch: pytest.MonkeyPatch, kind: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    not_a_store(kind, tmp_path)
    before = listing(tmp_path)
    said = run(words[0], "thing.db", *words[1:], status=2)
    assert "thing.db" in said.err
    assert "bug" not in said.err
    assert said.out == ""
    assert listing(tmp_path) == before


def obeying_permissions() -> list[str]:
    """What to put before a command so that a file's mode holds for it (the superuser ignores modes)."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("runs as root and setpriv is not installed")
    caps = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}"]


def restricted(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*obeying_permissions(), sys.executable, "-m", "lineage_explorer", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_store_that_may_only_be_read_answers_and_refuses_to_grow(tmp_path: Path, rows: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    path = store_of(folder / "lineage.db", complete())
    path.chmod(0o444)
    folder.chmod(0o555)
    before = listing(folder)
    try:
        assert restricted("audit", path, "churn", "--as-of", WHEN).returncode == 0
        refused = restricted("ingest", path, rows)
        assert refused.returncode == 2
        assert re.search(r"cannot write to '.*lineage.db': attempt to write a readonly database", refused.stderr)
        report = restricted("audit", path, "churn", "--as-of", WHEN, "-o", folder / "a.html")
        assert (report.returncode, "Permission denied" in report.stderr) == (2, True)
        unmade = restricted("ingest", folder / "new.db", rows)
        assert (unmade.returncode, "unable to open database file" in unmade.stderr) == (2, True)
        assert listing(folder) == before
    finally:
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_what_may_not_be_read_is_said_to_be_that(tmp_path: Path, rows: Path) -> None:
    path = store_of(tmp_path / "lineage.db", complete())
    for secret in (path, rows):
        secret.chmod(0)
    for words in (["audit", path, "churn"], ["ingest", tmp_path / "s.db", rows]):
        done = restricted(*words)
        assert done.returncode == 2
        assert re.search(r"not readable|permission denied", done.stderr, re.I), done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "s.db").exists()


# --- databases and files with something wrong in them ---


def test_a_mlflow_database_of_an_unknown_schema_makes_no_store(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version(version_num); INSERT INTO alembic_version VALUES ('f00dfeed0000');"
            "CREATE TABLE experiments(experiment_id, name); CREATE TABLE runs(run_uuid, name);"
        )
    connection.close()
    before = listing(tmp_path)
    assert "f00dfeed0000" in run("ingest", tmp_path / "s.db", path, status=2).err
    assert listing(tmp_path) == before


def bad_lines() -> Iterator[tuple[str, str]]:
    """(line, what its rejection says); an empty text when the line is good."""
    data = '{"type": "dataset", "dataset": "dataset:%s@1"%s}'
    yield data % ("one", ""), ""
    yield '{"type": "dataset", "dataset":', "not JSON"
    yield data % ("two", ""), ""
    yield data % ("x", ', "dataset": "dataset:y@1"'), "stands 2 times"
    yield data % ("x", ', "attributes": {"rows": NaN}'), "NaN is not JSON"
    yield data % ("x", ', "attributes": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000), "nested deeper"
    yield "[" * 100_000, "nested deeper"
    yield data % ("x", ', "attributes": {"rows": 1e999}'), "larger than a number can be"
    yield data % ("x", f', "description": "{"x" * 17_000_000}"'), "bytes long"
    yield data % ("x\\ud800", ""), "not Unicode"
    yield data % ("x", ', "created_at": "2026-03-01T12:00:00"'), "no time zone"
    yield "null", "a JSON object"
    yield '{"type": "deploymnt"}', "did you mean 'deployment'?"
    yield data % ("three", ""), ""
    yield '{"type": "deployment", "endpoint": "e", "model": "model:ghost@9", "at": "2026-03-01T00:00:00Z"}', ""


def test_good_lines_among_bad_ones_are_stored_and_the_bad_ones_placed(run: Run, tmp_path: Path) -> None:
    lines = list(bad_lines())
    path, store = tmp_path / "rows.jsonl", tmp_path / "s.db"
    path.write_text("".join(line + "\n" for line, _ in lines), encoding="utf-8")
    told = run("ingest", store, path, "--json").json
    assert isinstance(told, dict)
    wrong = {f"rows.jsonl:{number}": words for number, (_, words) in enumerate(lines, 1) if words}
    assert told["quarantined"] == len(wrong)
    assert told["read"] == told["stored"] + told["unchanged"] + told["quarantined"]
    refused = json.loads(run("quarantine", store, "--json").out)
    assert [row["position"].split()[0] for row in refused] == list(wrong)
    for row, words in zip(refused, wrong.values(), strict=True):
        assert words in row["reason"]
        assert len(row["excerpt"]) <= 2_000
    assert run("search", store, "dataset").out.split() == ["dataset:one@1", "dataset:three@1", "dataset:two@1"]
    again = run("ingest", store, path, "--json").json
    assert isinstance(again, dict)
    assert (again["stored"], again["unchanged"]) == (0, told["stored"])
    said = run("audit", store, "e", status=3).out
    assert "model:ghost@9 is referred to, and no record describes it" in said


def test_a_half_of_a_surrogate_pair_in_a_reference_spoils_only_its_record(store: Store) -> None:
    """No database could hold it, and it once took the whole batch with it."""
    result = store.append([Entity(ref="model:a@1"), Entity(ref="model:%ED%A0%80@1"), Entity(ref="model:b@1")])
    assert (result.stored, result.quarantined) == (2, 1)
    assert store.refs("model") == ["model:a@1", "model:b@1"]


# --- names that would like to be something else ---

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\x9b2J\x07\u202e\u2066\r\n✓ PASSED  endpoint:spoof [bold]|`'\"&#x3c;"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    model, data, person = (str(Ref(kind, HOSTILE, "1")) for kind in ("model", "dataset", "person"))
    rows: list[dict[str, object]] = [
        {
            "type": "deployment",
            "endpoint": HOSTILE.replace("@", "%40"),
            "model": model,
            "deployment": HOSTILE,
            "site": HOSTILE,
            "by": person,
            "at": "2026-01-01T00:00:00Z",
            "attributes": {HOSTILE: HOSTILE},
        },
        {
            "type": "gate",
            "subject": model,
            "gate": HOSTILE,
            "gate_type": "approval",
            "status": HOSTILE,
            "expected": HOSTILE,
            "actual": HOSTILE,
            "pointer": "javascript:alert(1)",
            "by": person,
            "at": "2025-01-01T00:00:00Z",
        },
        {"type": "entity", "ref": model, "description": HOSTILE},
        {
            "type": "relation",
            "effect": model,
            "predicate": "was_generated_by",
            "cause": str(Ref("run", HOSTILE)),
            "basis": "identifier",
        },
        {
            "type": "relation",
            "effect": str(Ref("run", HOSTILE)),
            "predicate": "used",
            "cause": data,
            "role": "training",
            "basis": "identifier",
        },
        {"type": "dataset", "dataset": data, "description": HOSTILE, "uri": "javascript:alert(1)"},
    ]
    path = lines_of(tmp_path / "rows.jsonl", rows)
    with path.open("a", encoding="utf-8") as file:
        file.write(HOSTILE.replace("\n", " ").replace("\r", " ") + "\n")
    return path


def test_a_name_is_shown_on_a_terminal_and_never_obeyed(run: Run, tmp_path: Path, hostile: Path) -> None:
    store = tmp_path / "s.db"
    outputs = [run("ingest", store, hostile).out]
    with open_store(store) as opened:
        (endpoint,) = opened.refs("endpoint")
        assert opened.quarantine()["position"].tolist() == ["rows.jsonl:7"]
    for words in (["audit", store, endpoint], ["audit", store, endpoint, "--json"]):
        outputs.append(run(*words, status=3).out)
    for words in (["search", store, "img"], ["quarantine", store], ["syncs", store]):
        outputs += [run(*words).out, run(*words, "--json").out]
    outputs.append(run("audit", store, "nonesuch", status=2).err)
    assert sum("onerror=alert(1)" in output for output in outputs) >= 7  # shown, not swallowed
    for output in outputs:
        assert not [char for char in output if char != "\n" and not char.isprintable()]
        assert not re.search(r"^\W*PASSED", output, flags=re.M)


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_name_stays_text_in_every_report(run: Run, tmp_path: Path, hostile: Path) -> None:
    store = tmp_path / "s.db"
    run("ingest", store, hostile)
    with open_store(store) as opened:
        (endpoint,) = opened.refs("endpoint")
    saved = {}
    for suffix in ("html", "svg", "md"):
        run("audit", store, endpoint, "-o", tmp_path / f"report.{suffix}", status=3)
        saved[suffix] = (tmp_path / f"report.{suffix}").read_text(encoding="utf-8")
        assert "onerror=alert(1)" in saved[suffix].replace("\\", "")
        assert "\x1b" not in saved[suffix]  # a report is printed, too
    assert not re.search("[\u0080-\u009f\u202a-\u202e\u2066-\u2069]", saved["md"] + saved["svg"])
    page = Tags()
    page.feed(saved["html"])
    page.close()
    drawn = [(element.tag.rpartition("}")[2], element.attrib) for element in ET.fromstring(saved["svg"]).iter()]
    for tag, attributes in [*drawn, *page.found]:
        assert tag not in ("iframe", "object", "embed", "a", "image", "foreignObject")
        assert not [name for name in attributes if name.lower().startswith("on") or name.endswith("href")]
        assert tag != "img" or str(attributes["src"]).startswith("data:image/svg+xml;base64,")  # our own drawing
    assert not re.search(r"(?<!\\)<", saved["md"])
    assert sum(line.startswith("# ") for line in saved["md"].splitlines()) == 1


def test_graphviz_draws_a_hostile_name_as_text(tmp_path: Path, run: Run, hostile: Path) -> None:
    run("ingest", tmp_path / "s.db", hostile)
    with open_store(tmp_path / "s.db") as opened:
        result = audit(opened, opened.refs("endpoint")[0])
    drawn = result.to_graphviz().pipe(format="svg", encoding="utf-8")
    root = ET.fromstring(drawn)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "g", "title", "text", "path", "polygon", "polyline", "ellipse", "a",
    }  # fmt: skip
    assert "alert(1)" in "".join(root.itertext())
    links = [value for element in root.iter() for name, value in element.attrib.items() if name.endswith("}href")]
    assert links == []


# --- facts that do not fit together ---


@pytest.mark.parametrize("gate_type", ["evaluation", "approval"])
def test_a_gate_that_points_at_a_run_nobody_has_is_a_visible_gap(store: Store, gate_type: str) -> None:
    records = [item for item in complete() if not (isinstance(item, Evidence) and item.gate_type == gate_type)]
    pointing = gate("model:churn@1", gate_type, "02-10", grade="referenced", pointer="run:nobody-has-this")
    store.append([*records, pointing])
    result = audit(store, "churn", as_of=WHEN)
    assert result.verdict == "INCOMPLETE"
    assert "run:nobody-has-this" in result.answer


@pytest.mark.parametrize("length", [1, 2, 500])
def test_a_circle_of_derivations_ends_and_is_a_finding(file_store: Store, run: Run, length: int) -> None:
    names = [f"dataset:round{number:03}@1" for number in range(length)]
    circle = [
        Relation(effect=effect, predicate="was_derived_from", cause=cause, basis="identifier")
        for effect, cause in zip(names, [*names[1:], names[0]], strict=True)
    ]
    file_store.append([*complete(), *(Entity(ref=name) for name in names), *circle])
    file_store.append([used("run:train", names[0], "02-01")])
    said = run("audit", file_store.path, "churn", "--as-of", WHEN).out
    assert "derive from each other in a circle" in said
    assert names[-1] in said


def test_two_thousand_deployments_of_one_endpoint_are_all_counted(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "type,endpoint,model,deployment,traffic,at\n"
        + "".join(
            f"deployment,big,model:m@{number % 7},d{number},0.05,2026-01-01T00:00:00Z\n" for number in range(2_000)
        )
    )
    run("ingest", tmp_path / "s.db", path)
    told = run("audit", tmp_path / "s.db", "big", "--as-of", WHEN, "--json", status=3).json
    assert isinstance(told, dict)
    assert len(told["serving"]) == 2_000
    assert len(told["answer"]) < 10_000


# --- interruptions and company ---


def data_rows(path: Path, count: int) -> Path:
    return lines_of(path, [{"type": "dataset", "dataset": f"dataset:d{number}@1"} for number in range(count)])


def journal_length(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM journal WHERE kind = 1").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("moment", ["while reading", "while writing"])
def test_a_crash_in_the_middle_loses_nothing_acknowledged(run: Run, tmp_path: Path, moment: str) -> None:
    path, source = tmp_path / "s.db", data_rows(tmp_path / "rows.jsonl", 7_000)
    script = textwrap.dedent(
        """
        import os, sys
        from lineage_explorer.sources import open_source
        from lineage_explorer.store import open_store

        path, location, moment = sys.argv[1:]
        store = open_store(path, create_missing=True)
        source = open_source(location)
        acknowledged = 0

        def crash(*_):
            if acknowledged >= 4000:
                os._exit(9)

        def reading():
            for number, item in enumerate(type(source).read(source)):
                if moment == "while reading" and number == 5000:
                    os._exit(9)
                yield item

        source.read = reading
        if moment == "while writing":
            insert = store._engine.insert
            store._engine.insert = lambda *given: (insert(*given), crash())

        def told(count):
            global acknowledged
            acknowledged += count
            print(acknowledged, flush=True)

        store.ingest(source, progress=told)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(source), moment], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 9, done.stderr
    acknowledged = int(done.stdout.split()[-1])
    assert acknowledged == 4_000
    with open_store(path) as store:
        assert len(store.refs("dataset")) == acknowledged
        assert not store.syncs()["complete"].any()
    told = run("ingest", path, source, "--json").json
    assert isinstance(told, dict)
    assert (told["stored"], told["unchanged"]) == (3_000, 4_000)


def test_control_c_keeps_what_was_acknowledged(run: Run, tmp_path: Path) -> None:
    path, source = tmp_path / "s.db", data_rows(tmp_path / "rows.jsonl", 40_000)
    process = started("ingest", path, source)
    while journal_length(path) < 2_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "what was acknowledged is stored" in err
    assert "Traceback" not in err
    kept = journal_length(path)
    assert 2_000 <= kept < 40_000
    with open_store(path) as store:
        (sync,) = store.syncs().to_dict("records")
        assert (sync["complete"], sync["stored"]) == (False, kept)


@pytest.mark.parametrize("table", ["journal", "edge", "head"])
def test_an_interrupt_in_the_middle_of_a_batch_leaves_the_store_usable(
    store: Store, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """In a notebook the store lives on after Ctrl-C."""
    store.append([Entity(ref="model:before@1")])
    insert = store._engine.insert

    def interrupt(into: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if into == table:
            monkeypatch.undo()
            raise KeyboardInterrupt
        insert(into, columns, rows)

    monkeypatch.setattr(store._engine, "insert", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.append([Entity(ref="model:lost@1"), used("run:lost", "dataset:lost@1", "01-01")])
    assert store.refs("model") == ["model:before@1"]
    assert store.append([Entity(ref="model:after@1")]).stored == 1
    assert store.syncs()["complete"].tolist() == [True, False, True]
    assert store.verify().ok


def test_processes_that_make_write_and_read_one_store_at_once_lose_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    sources = [tmp_path / f"rows{writer}.jsonl" for writer in range(3)]
    for writer, source in enumerate(sources):
        lines_of(
            source,
            [{"type": "dataset", "dataset": f"dataset:w{writer}n{number}@1"} for number in range(3_000)]
            + [{"type": "dataset", "dataset": f"dataset:common{number}@1"} for number in range(500)],
        )
    writers = [started("ingest", path, source, "--json") for source in sources]
    seen, done = [0], threading.Event()

    def read() -> None:
        while not done.is_set():
            if path.exists() and path.stat().st_size:
                with open_store(path) as store:
                    seen.append(len(store.search("w1n1", 10_000)))
            time.sleep(0.01)

    reader = threading.Thread(target=read)
    reader.start()
    results = [process.communicate(timeout=120) for process in writers]
    done.set()
    reader.join()
    assert [process.returncode for process in writers] == [0, 0, 0], results
    assert sum(json.loads(out)["stored"] for out, _ in results) == 3 * 3_000 + 500
    assert seen == sorted(seen)
    with open_store(path) as store:
        assert len(store.refs("dataset")) == 3 * 3_000 + 500
        assert store.syncs()["complete"].all()


def test_a_source_that_fails_half_way_says_so_and_the_next_reading_completes(tmp_path: Path) -> None:
    """The second source is refused after the first was stored: nothing of the first is lost."""
    first, second = data_rows(tmp_path / "a.jsonl", 10), tmp_path / "b.jsonl"
    command("ingest", tmp_path / "s.db", first)
    second.write_text("")
    command("ingest", tmp_path / "s.db", first, f"records:{second}", status=2)
    with open_store(tmp_path / "s.db") as store:
        assert store.syncs()["complete"].tolist() == [True, True, False]
        assert len(store.refs("dataset")) == 10
