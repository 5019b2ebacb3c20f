"""What the server answers: the same as Python does, in pages, with tags, and stopped when nobody waits."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import audit, open_store
from lineage_explorer.comparison import compare
from lineage_explorer.errors import LineageError, StoreError
from lineage_explorer.explorations import explore
from lineage_explorer.impacts import impact
from lineage_explorer.records import Entity
from lineage_explorer.rollbacks import rollback
from lineage_explorer.server.answers import VerdictCache
from lineage_explorer.server.errors import STATUS, failure_of
from lineage_explorer.servings import releases, serving_document
from lineage_explorer.version_history import history

from .conftest import PASSWORD, TOKEN, Server, environment, make_store, until

STORE = "estate/lineage.db"
THEN = "2026-06-01T00:00:00Z"
#: Each chapter at a fixed instant, so that the records determine it.
CHAPTERS: list[tuple[str, dict[str, Any]]] = [
    ("history", {"ref": "model:churn", "as_of": THEN}),
    ("comparison", {"a": f"churn-prod@@{THEN}", "b": "endpoint:churn-prod@@2026-02-01T00:00:00Z"}),
    ("impact", {"ref": "dataset:raw@1", "as_of": THEN}),
    ("rollback", {"endpoint": "churn-prod", "as_of": THEN}),
    ("serving", {"endpoint": "churn-prod", "end": THEN}),
]


@pytest.fixture
def own(server: Server) -> Any:
    """A store of the test's own, below the roots."""
    number = len(list((server.home / "estate").iterdir()))
    path = make_store(server.home / "estate" / f"own{number}.db")
    yield path
    path.unlink(missing_ok=True)


# --- the same answers ---


def test_an_audit_over_http_is_the_audit(server: Server) -> None:
    said = server.request("audit", store=STORE, endpoint="churn-prod", as_of=THEN)
    with open_store(server.home / STORE) as store:
        assert said.json == audit(store, "churn-prod", THEN).to_dict()


def test_lists_are_those_of_the_store(server: Server) -> None:
    with open_store(server.home / STORE) as store:
        kinds = server.request("kinds", store=STORE).json
        head = store.checkpoint()
        assert kinds == {"kinds": store.kinds(), "head": f"{head.size}-{head.root.hex()}"}
        for kind in kinds["kinds"]:
            said = server.request("things", store=STORE, kind=kind).json
            assert said["total"] == kinds["kinds"][kind] == len(said["items"])
            for thing in said["items"]:
                page = server.request(
                    "versions", store=STORE, kind=kind, namespace=thing["namespace"], name=thing["name"]
                )
                assert len(page.json["items"]) == thing["versions"]
        hits = server.request("search", store=STORE, query="churn").json["items"]
        assert hits == [hit._asdict() for hit in store.search("churn", 50)]
        models = server.request("search", store=STORE, query="churn", kind="model").json["items"]
        assert models == [hit for hit in hits if hit["kind"] == "model"] != []
        said = server.request("releases", store=STORE, endpoint="churn-prod").json
        assert said == {"releases": releases(store, "churn-prod")}
        asked = {"ref": "endpoint:churn-prod", "direction": "upstream", "depth": 2, "as_of": THEN}
        assert server.request("explore", store=STORE, **asked).json == json.loads(
            json.dumps(explore(store, **asked, limit=500))
        )


def test_chapters_over_http_are_those_of_python(server: Server) -> None:
    said = {route: server.request(route, store=STORE, **query) for route, query in CHAPTERS}
    assert {route: reply.status for route, reply in said.items()} == dict.fromkeys(said, 200)
    with open_store(server.home / STORE) as store:
        expected = {
            "history": history(store, "model:churn", THEN).to_dict(),
            "comparison": compare(*(CHAPTERS[1][1][side] for side in "ab"), store=store).to_dict(),
            "impact": impact(store, "dataset:raw@1", THEN, limit=2_000).to_dict(),
            "rollback": rollback(store, "churn-prod", THEN).to_dict(),
            "serving": serving_document(store, "churn-prod", end=THEN),
        }
    for route, reply in said.items():
        assert reply.json == json.loads(json.dumps(expected[route])), route


def test_an_impact_over_http_is_no_longer_than_asked_and_counts_the_rest(server: Server, own: Path) -> None:
    from lineage_explorer.records import Relation

    with open_store(own) as store:
        store.append(
            Relation(
                effect=f"model:m@{number}", predicate="was_derived_from", cause="dataset:raw@1", basis="identifier"
            )
            for number in range(12)
        )
    said = server.request("impact", store=f"estate/{own.name}", ref="dataset:raw@1", limit=5).json
    assert len(said["versions"]) == 5
    assert said["beyond"]["versions"] == 8


def test_chapters_now_are_asked_again_each_time(server: Server) -> None:
    for route, query in CHAPTERS:
        if route == "serving":  # to this day, as the records tell it
            continue
        now = {key: text.partition("@@")[0] for key, text in query.items() if key != "as_of"}
        first = server.request(route, store=STORE, **now)
        again = server.request(route, store=STORE, headers={"If-None-Match": first.headers["Etag"]}, **now)
        assert (again.status, again.json["digest"] != first.json["digest"]) == (200, True), route


def test_pages_join_to_the_whole(server: Server, own: Path) -> None:
    with open_store(own) as store:
        store.append([Entity(ref=f"run:{number:03}") for number in range(25)])
    name = f"estate/{own.name}"
    whole = server.request("things", store=name, kind="run").json
    pages = [server.request("things", store=name, kind="run", offset=at, limit=10).json for at in (0, 10, 20, 30)]
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert {page["total"] for page in pages} == {whole["total"]}
    assert [page["offset"] for page in pages] == [0, 10, 20, 30]


def test_verdicts_are_those_of_audits_and_one_that_fails_hides_no_other(server: Server) -> None:
    said = server.request("verdicts", store=STORE, endpoint=["churn-prod", "nothing", "endpoint:churn-prod"]).json
    with open_store(server.home / STORE) as store:
        expected = audit(store, "churn-prod")
    assert said["verdicts"]["churn-prod"] == {"verdict": expected.verdict, "answer": expected.answer}
    assert said["verdicts"]["endpoint:churn-prod"] == said["verdicts"]["churn-prod"]
    assert "nothing" in said["verdicts"]["nothing"]["problem"]


def test_a_new_release_changes_the_verdict_in_the_same_minute(server: Server, own: Path) -> None:
    name = f"estate/{own.name}"
    before = server.request("verdicts", store=name, endpoint="churn-prod").json["verdicts"]["churn-prod"]
    with open_store(own) as store:
        from tests.estates import serves

        store.append(serves("endpoint:churn-prod", "deployment:next", "model:unheard-of@1", "05-01", 100.0))
    after = server.request("verdicts", store=name, endpoint="churn-prod").json["verdicts"]["churn-prod"]
    assert before["verdict"] == "PASSED"
    assert after["verdict"] != "PASSED"


def test_verdicts_that_are_remembered_are_bounded() -> None:
    cache = VerdictCache()
    for number in range(10_010):
        cache.put((str(number),), {})
    assert cache.get(("0",)) is None
    assert cache.get(("10009",)) == {}


# --- stores ---


def test_the_stores_that_are_listed_are_those_that_can_be_opened(server: Server) -> None:
    said = server.request("stores").json
    rows = {row["name"]: row for row in said["stores"]}
    assert set(rows) >= {STORE, "team", "shared", "odd", "elsewhere", "nowhere"}
    assert not [name for name in rows if "hidden" in name or "node_modules" in name or "foreign" in name]
    assert not [name for name in rows if name in ("out.db", "away/secret.db", "pipe.db", "circle.db")]
    with open_store(server.home / STORE) as store:
        assert rows[STORE]["entries"] == store.checkpoint().size
    assert rows[STORE]["size"] == (server.home / STORE).stat().st_size
    assert server.request("kinds", store="elsewhere").status == 200
    assert "LINEAGE_TEST_NOTHING" in rows["nowhere"]["problem"]
    assert said["roots"] == [{"title": str(server.home), "entries": said["roots"][0]["entries"], "complete": False}]


def test_the_expression_for_a_store_opens_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row["name"]: row["python"] for row in server.request("stores").json["stores"]}
    assert rows["team"] == 'open_store(os.environ["LINEAGE_STORE_TEAM"])'
    assert rows["shared"] == "open_store('postgresql://ada@127.0.0.1:9/lineage?schema=all')"
    assert rows["elsewhere"].startswith("open_store(os.environ") or "secret.db" in rows["elsewhere"]
    with eval(rows[STORE], {"open_store": open_store}) as store:
        assert store.path == server.home / STORE


def test_no_answer_and_no_line_of_the_log_holds_a_secret(server: Server) -> None:
    typed = "postgresql://eve:rabbithole@127.0.0.1/lineage"
    texts = [server.request("stores").body]
    for name in ("team", "odd", "shared"):
        reply = server.request("kinds", store=name)
        assert reply.status == 503
        texts.append(reply.body)
        texts.append(server.request("verdicts", store=name, endpoint="x").body)
    texts.append(server.request("kinds", store=typed).body)
    texts.append(server.request("ingests", "POST", body={"store": STORE, "source": typed}).body)
    texts.append(server.request("ingests", "POST", body={"store": typed, "source": "records.jsonl"}).body)
    texts.append(server.request(f"policies?token={TOKEN}", token=False).body)
    texts.append(server.request(f"policies?token={TOKEN}", token=False, headers={"Host": "evil.example"}).body)
    texts.append(server.request("/somebody/witness/broken", store=STORE).body)
    texts.append(server.log.read_bytes())
    for text in texts:
        for secret in (PASSWORD, "rabbithole", "hunter2", TOKEN):
            assert secret.encode() not in text


def test_no_question_makes_a_store(server: Server) -> None:
    before = sorted(server.home.rglob("*"))
    for name in ("estate/new.db", "new.db", "nowhere/new.db"):
        reply = server.request("kinds", store=name)
        assert reply.status == 404
        assert reply.json["error"] == "StoreNotFound"
    assert sorted(server.home.rglob("*")) == before
    assert "estate/lineage.db" in server.request("kinds", store="estate/linage.db").json["message"]


def test_a_store_that_is_exchanged_or_deleted_is_noticed(server: Server, own: Path, tmp_path: Path) -> None:
    name = f"estate/{own.name}"

    def endpoints() -> list[str]:
        return [item["name"] for item in server.request("things", store=name, kind="endpoint").json["items"]]

    assert endpoints() == ["churn-prod"]
    other = make_store(tmp_path / "other.db", "second-prod")
    other.replace(own)
    assert endpoints() == ["second-prod"]
    shutil.copyfile(make_store(tmp_path / "third.db", "third-prod"), own)  # into the same file
    assert endpoints() == ["third-prod"]
    own.unlink()
    assert server.request("kinds", store=name).status == 404
    assert server.request("kinds", store=STORE).status == 200  # the next question tidies up
    assert server.open_files(own) == 0


def test_a_question_upgrades_no_store(server: Server, own: Path) -> None:
    with closing(sqlite3.connect(own)) as old:
        old.execute("PRAGMA user_version = 1")
    before = own.read_bytes()
    reply = server.request("kinds", store=f"estate/{own.name}")
    assert (reply.status, reply.json["error"]) == (409, "StoreTooOld")
    rows = {row["name"]: row for row in server.request("stores").json["stores"]}
    assert "older" in rows[f"estate/{own.name}"]["problem"]
    assert own.read_bytes() == before


def test_open_files_do_not_pile_up(server: Server) -> None:
    for _ in range(30):
        server.request("kinds", store=STORE)
        server.request("audit", store=STORE, endpoint="nothing")
    assert server.open_files(server.home / STORE) <= 2


# --- tags ---


@pytest.mark.parametrize(
    ("route", "asked"),
    [
        ("stores", {}),
        ("policies", {}),
        ("openapi.json", {}),
        ("kinds", {"store": STORE}),
        ("things", {"store": STORE, "kind": "model"}),
        ("versions", {"store": STORE, "kind": "model", "name": "churn"}),
        ("search", {"store": STORE, "query": "churn"}),
        ("audit", {"store": STORE, "endpoint": "churn-prod", "as_of": THEN}),
        ("explore", {"store": STORE, "ref": "endpoint:churn-prod", "as_of": THEN}),
        ("releases", {"store": STORE, "endpoint": "churn-prod"}),
        *((route, {"store": STORE, **query}) for route, query in CHAPTERS),
    ],
)
def test_an_answer_that_the_client_has_is_not_sent_again(server: Server, route: str, asked: dict[str, Any]) -> None:
    first = server.request(route, **asked)
    assert first.status == 200
    again = server.request(route, headers={"If-None-Match": f'"other", W/{first.headers["Etag"]}'}, **asked)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["Etag"] == first.headers["Etag"]
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_what_the_records_determine_is_not_computed_for_a_client_that_has_it(server: Server, own: Path) -> None:
    name, path = f"estate/{own.name}", "/somebody/witness/counted"
    computed = server.seen("events").count("computed")
    tag = server.request(path, store=name).headers["Etag"]
    assert server.request(path, store=name, headers={"If-None-Match": tag}).status == 304
    assert server.seen("events").count("computed") == computed + 1
    with open_store(own) as store:
        store.append([Entity(ref="run:another")])
    assert server.request(path, store=name, headers={"If-None-Match": tag}).status == 200
    assert server.seen("events").count("computed") == computed + 2


def test_another_store_or_question_has_another_tag(server: Server, own: Path) -> None:
    with open_store(own) as store:
        store.append([Entity(ref="run:another")])
    asked = [
        ("things", {"store": STORE, "kind": "model"}),
        ("things", {"store": STORE, "kind": "dataset"}),
        ("things", {"store": STORE, "kind": "model", "offset": 1}),
        ("things", {"store": f"estate/{own.name}", "kind": "model"}),
        ("kinds", {"store": STORE}),
    ]
    assert len({server.request(route, **query).headers["Etag"] for route, query in asked}) == len(asked)


def test_now_is_asked_again_each_time(server: Server) -> None:
    first = server.request("audit", store=STORE, endpoint="churn-prod")
    again = server.request(
        "audit", store=STORE, endpoint="churn-prod", headers={"If-None-Match": first.headers["Etag"]}
    )
    assert again.status == 200
    assert again.json["question"]["as_of"] != first.json["question"]["as_of"]


# --- what is asked ---


@pytest.mark.parametrize(
    ("route", "asked", "said"),
    [
        ("history", {"store": STORE}, "ref: missing"),
        ("comparison", {"store": STORE, "a": "churn-prod"}, "b: missing"),
        ("comparison", {"store": STORE, "a": "churn-prod@@yesterday", "b": "churn-prod"}, "yesterday"),
        ("impact", {"store": STORE, "ref": "dataset:raw@1", "limit": "0"}, "limit: expected"),
        ("rollback", {"store": STORE, "endpoint": "churn-prod", "policy": "../own.toml"}, "no policy"),
        ("serving", {"store": STORE, "endpoint": "churn-prod", "end": "2026"}, "end"),
        ("things", {"kind": "model"}, "store: missing"),
        ("things", {"store": "", "kind": "model"}, "store: expected"),
        ("things", {"store": STORE, "kind": "model", "limit": 1001}, "limit: expected a whole number from 1 to 1000"),
        ("things", {"store": STORE, "kind": "model", "limit": "ten"}, "limit: expected a whole number from 1 to 1000"),
        ("things", {"store": STORE, "kind": "model", "offset": -1}, "offset: expected a whole number from 0"),
        ("things", {"store": STORE, "kind": "Model'--"}, "kind: expected a kind"),
        ("things", {"store": STORE, "kind": ["model", "run"]}, "kind: expected once, not 2 times"),
        (
            "things",
            {"store": STORE, "kind": "model", "colour": "blue"},
            "colour: unknown here; the parameters are store",
        ),
        ("policies", {"store": STORE}, "store: unknown here; the parameters are none"),
        ("search", {"store": STORE, "query": "x" * 2001}, "query: expected 0 to 2000 characters"),
        ("audit", {"store": STORE, "endpoint": "churn-prod", "as_of": "yesterday"}, "as_of: 'yesterday' is not"),
        ("audit", {"store": STORE, "endpoint": "churn-prod", "as_of": "2026-01-01T00:00:00"}, "has no time zone"),
        ("audit", {"store": STORE, "endpoint": "churn-prod", "policy": "strict"}, "there are: credit-scoring, default"),
        (
            "explore",
            {"store": STORE, "ref": "run:1", "direction": "sideways"},
            "expected one of both, downstream, upstream",
        ),
        ("explore", {"store": STORE, "ref": "run:1", "depth": 0}, "depth: expected a whole number from 1 to 1000"),
        ("verdicts", {"store": STORE, "endpoint": ["x"] * 51}, "endpoint: expected 1 to 50 times"),
        ("verdicts", {"store": STORE}, "endpoint: missing"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_was_expected(
    server: Server, route: str, asked: dict[str, Any], said: str
) -> None:
    reply = server.request(route, **asked)
    assert reply.status == 400
    assert said in reply.json["message"]


def test_what_jupyterlab_adds_to_an_address_is_no_parameter(server: Server) -> None:
    assert server.request("policies?1763738400000").status == 200
    assert server.request("policies?no_track_activity=1").status == 200
    assert server.request("policies?1763738400000=x").status == 400


def test_an_empty_text_means_the_default(server: Server) -> None:
    asked = {"store": STORE, "endpoint": "churn-prod", "as_of": "", "known_at": "", "policy": ""}
    assert server.request("audit", **asked).json["question"]["policy"]["name"] == "default"


def test_a_name_that_is_not_there_comes_with_the_nearest(server: Server) -> None:
    reply = server.request("audit", store=STORE, endpoint="churn-prd")
    assert (reply.status, reply.json["error"]) == (404, "UnknownReference")
    assert reply.json["near"][0] == "endpoint:churn-prod"  # others may have been made by the tests of ingests


# --- failures ---


def test_every_exception_of_ours_has_a_status() -> None:
    def below(kind: type[BaseException]) -> list[type[BaseException]]:
        return [kind, *(item for child in kind.__subclasses__() for item in below(child))]

    kinds = [kind for kind in below(LineageError) if kind is not LineageError and "test" not in kind.__module__]
    assert len(kinds) > 20
    assert [kind for kind in kinds if not any(item in STATUS for item in kind.__mro__)] == []


def test_the_nearest_class_in_the_table_counts() -> None:
    class Special(StoreError):
        pass

    assert failure_of(Special("x"), str).status == STATUS[StoreError]
    assert failure_of(KeyError("x"), str).status == 500


def test_an_unforeseen_failure_tells_the_client_only_where_to_look(server: Server) -> None:
    reply = server.request("/somebody/witness/broken", store=STORE)
    assert reply.status == 500
    assert set(reply.json) == {"error", "message", "reference"}
    assert b"Traceback" not in reply.body
    assert b"witness.py" not in reply.body
    log = server.log.read_text()
    assert f"lineage-explorer {reply.json['reference']}: Traceback" in log
    assert "ZeroDivisionError" in log.partition(reply.json["reference"])[2]


# --- nobody waits ---


def leave(server: Server, path: str) -> Any:
    """Ask, and have the means to leave before the answer."""
    connection = server.connect()
    connection.request("GET", f"{path}?store={STORE}", headers={"Authorization": f"token {TOKEN}"})
    return connection


@pytest.mark.parametrize("question", ["endless", "idle"])
def test_a_question_ends_when_its_client_leaves(server: Server, question: str) -> None:
    begun, ended = (server.seen("events").count(event) for event in ("began", "ended"))
    connection = leave(server, f"/somebody/witness/{question}")
    until(lambda: server.seen("events").count("began") == begun + 1)
    assert server.seen("events").count("ended") == ended
    connection.close()
    until(lambda: server.seen("events").count("ended") == ended + 1, 3)
    assert server.request("kinds", store=STORE).status == 200


def test_a_question_that_waits_for_its_turn_is_dropped_when_its_client_leaves(server: Server) -> None:
    begun = server.seen("events").count("began")
    running = [leave(server, "/somebody/witness/endless") for _ in range(2)]
    until(lambda: server.seen("events").count("began") == begun + 2)
    waiting = [leave(server, "/somebody/witness/endless") for _ in range(3)]
    time.sleep(0.3)
    for connection in (*waiting, *running):
        connection.close()
    until(lambda: server.request("kinds", store=STORE).status == 200)
    assert server.seen("events").count("began") == begun + 2


# --- the extension ---


def test_jupyter_lists_the_extension_as_sound(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=60,
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert "lineage_explorer.server enabled" in said, said
    assert any("OK" in line for line in said.splitlines() if "lineage_explorer" in line), said
    assert not any("X " in line for line in said.splitlines() if "lineage_explorer" in line), said


def test_the_library_does_not_need_jupyter_server() -> None:
    script = (
        "import sys; sys.modules['jupyter_server'] = sys.modules['tornado'] = None\n"
        "import lineage_explorer\nfrom lineage_explorer import *\nimport lineage_explorer.cli, lineage_explorer.server\n"
        "import lineage_explorer.server.reading"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
