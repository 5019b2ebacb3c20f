"""An estate: every row says what the audit of its endpoint says, however it was read, and nothing hides or stops the rest."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest

import lineage_explorer.estates as estates
from lineage_explorer import audit, open_store
from lineage_explorer.content import STATUS_ORDER
from lineage_explorer.dealing import deal
from lineage_explorer.errors import LineageError, PolicyError, StoreError
from lineage_explorer.estates import audit_estate, estate, estate_document
from lineage_explorer.policy import shipped_policies
from lineage_explorer.records import Activity, Entity, Record, Relation, digest_of
from lineage_explorer.reports import estate as report
from lineage_explorer.store import Store
from lineage_explorer.store.schema import JOURNAL_TABLES

from .conftest import ROOT, command
from .estates import at, complete, gate, serves, used, wrote

STRICT = """
name = "strict"
version = "1"

[[requirement]]
id = "on-record"
title = "Both ends are on record"
hop = ["*", "*", "*"]
check = "resolved"

[[requirement]]
id = "evaluation"
title = "Evaluated before release"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"
before = "release"

[[requirement]]
id = "verdict"
title = "Approved by somebody else, in production"
hop = ["model|ai_agent|logged_model", "deploys", "deployment"]
when = { environment = "production" }
all = [
  { check = "evidence", gate_type = "approval", min_grade = "referenced" },
  { check = "different_approver", from = ["author"] },
]

[[requirement]]
id = "auc"
title = "AUC of at least 0.8"
hop = ["model", "deploys", "deployment"]
any = [{ check = "metric", metric = "auc", at_least = 0.8 }, { not = { check = "training_data" } }]

[[requirement]]
id = "identified"
title = "Training data is identified"
hop = ["dataset", "used", "run"]
role = "training"
check = "identified"
at_least = "truncated_digest"
"""
VERSIONS = """
name = "in-time"

[[version]]
version = "1"
effective_from = 2026-02-01T00:00:00Z
[[version.requirement]]
id = "approved"
title = "Approved"
hop = ["*", "deploys", "*"]
check = "evidence"
gate_type = "approval"

[[version]]
version = "2"
effective_from = 2026-03-10T00:00:00Z
[[version.requirement]]
id = "approved"
title = "Approved before release"
hop = ["*", "deploys", "*"]
check = "evidence"
gate_type = "approval"
before = "release"
[[version.requirement]]
id = "owned"
title = "The owner is on record"
hop = ["*", "deploys", "*"]
check = "recorded"
facts = ["owner"]
[[version.waiver]]
requirement = "owned"
subject = "model:churn@1"
by = "person:ada"
why = "not yet"
until = 2026-05-01T00:00:00Z
"""
HISTORY = """
name = "history"
version = "1"

[[requirement]]
id = "canary"
title = "Through a canary"
hop = ["*", "deploys", "deployment"]
check = "canary"
steps = [10, 100]
for = "1d"

[[requirement]]
id = "back"
title = "There is a version to go back to"
hop = ["*", "deploys", "deployment"]
check = "rollback_target"

[[requirement]]
id = "few"
title = "Two active versions at most"
hop = ["*", "deploys", "deployment"]
check = "active_versions"
at_most = 2

[[requirement]]
id = "unweakened"
title = "Evaluated by what was asked before"
hop = ["*", "deploys", "deployment"]
check = "unweakened"
gate_type = "evaluation"

[[requirement]]
id = "kept"
title = "Kept for a year"
hop = ["*", "deploys", "deployment"]
check = "kept"
for = "1y"
"""
POLICIES = {"default": "default", "strict": STRICT, "versions": VERSIONS, "history": HISTORY}


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    text = POLICIES[request.param]
    if "\n" not in text:
        return text
    path = tmp_path / f"{request.param}.toml"
    path.write_text(text)
    return str(path)


def lifelike() -> list[Record]:
    """What estates hold: whole lineages, idle and mirrored deployments, sites, aliases, ambiguous and bare references, evaluations."""
    model, run = "model:reg/credit@2", "run:mlflow/t2"
    return [
        *complete(),
        # two sites, one idle, one mirrored
        *serves("endpoint:credit", "deployment:credit:a", model, "03-01", 70.0, site="a"),
        *serves("endpoint:credit", "deployment:credit:b", "model:reg/credit@1", "03-02", 30.0, site="a"),
        *serves("endpoint:credit", "deployment:credit:c", "model:reg/credit@3", "03-03", 100.0, site="b"),
        *serves("endpoint:credit", "deployment:credit:idle", "model:reg/credit@4", "03-03", 0.0, site="b"),
        *serves(
            "endpoint:credit", "deployment:credit:dark", "model:reg/credit@4", "03-03", 50.0, site="b", mirrored=True
        ),
        *(Entity(ref=f"model:reg/credit@{number}") for number in (1, 2, 3)),
        Entity(ref=f"{model}", attributes={"auc": 0.9}),
        Activity(ref=run, activity="training", started_at=at("02-01")),
        Relation(effect=model, predicate="was_generated_by", cause=run, basis="identifier"),
        Relation(effect=run, predicate="was_associated_with", cause="person:mia", basis="identifier"),
        used(run, "dataset:lake/loans@1", "02-01"),
        Entity(ref="dataset:lake/loans@1", digest="sha256:" + "1" * 64),
        gate(
            model,
            "evaluation",
            "02-10",
            gate="auc",
            expected="auc >= 0.8",
            actual="0.9",
            grade="recomputed",
            pointer=run,
        ),
        gate(model, "approval", "02-20", evaluator="person:mia", grade="referenced"),
        gate("model:credit@2", "security", "02-20", "failed"),
        # an evaluation beside the flow
        Activity(ref="run:mlflow/e2", activity="evaluation"),
        used("run:mlflow/e2", model, "02-09", role="model"),
        used("run:mlflow/e2", "dataset:lake/holdout@1", "02-09", role="evaluation"),
        # a bare reference that means one thing, one that means two, one that means nothing
        *serves("endpoint:bare", "deployment:bare:x", "model:credit@2", "03-05"),
        *serves("endpoint:twofold", "deployment:twofold:x", "model:twin@1", "03-05"),
        Entity(ref="model:eu/twin@1"),
        Entity(ref="model:us/twin@1"),
        *serves("endpoint:dangling", "deployment:dangling:x", "model:nowhere@1", "03-05"),
        # pointers that move
        *serves("endpoint:alias", "deployment:alias:x", "model:reg/credit~champion", "03-05"),
        Relation(
            effect="model:reg/credit~champion",
            predicate="alias_of",
            cause=model,
            basis="identifier",
            slot="champion",
            valid_from=at("03-01"),
        ),
        # one whose split was not read, one that nobody serves, one that has a model without a name
        *serves("endpoint:split", "deployment:split:x", model, "03-05", None, splits=True),
        Entity(ref="endpoint:idle"),
        Entity(ref="endpoint:prod/idle"),
        # proofs that are not there, a circle, states of a table without versions
        *serves("endpoint:circle", "deployment:circle:x", "model:circle@1", "03-05"),
        Entity(ref="model:circle@1"),
        Relation(effect="model:circle@1", predicate="was_derived_from", cause="model:circle@2", basis="declared"),
        Relation(effect="model:circle@2", predicate="was_derived_from", cause="model:circle@1", basis="declared"),
        gate("model:circle@1", "evaluation", "02-10", grade="recomputed", pointer="run:gone"),
        *serves("endpoint:states", "deployment:states:x", "model:states@1", "03-05"),
        Entity(ref="model:states@1", attributes={"owner": "genuine"}),
        Entity(ref="dataset:table"),
        wrote("dataset:table", "run:w1", "01-10"),
        wrote("dataset:table", "run:w2", "01-20"),
        Activity(ref="run:s", activity="training"),
        used("run:s", "dataset:table", "01-15"),
        Relation(effect="model:states@1", predicate="was_generated_by", cause="run:s", basis="identifier"),
        # records are hostile text
        *serves("endpoint:<img%20src=x>|`#`", "deployment:=1+1", "model:https%3A%2F%2Fx@1", "03-05"),
        gate("model:https%3A%2F%2Fx@1", "approval", "02-20", "failed", gate='=cmd|"/c calc"!A1'),
    ]


def tangled(seed: int) -> list[Record]:
    """What nobody would write on purpose: few names, every namespace, any predicate between any two."""
    chance = random.Random(seed)
    spaces, made = ("", "", "eu/", "us/"), []

    def ref(kind: str) -> str:
        version = {"model": ("@1", "@2", "~top", ""), "dataset": ("@1", "", "@2")}.get(kind, ("",))
        return f"{kind}:{chance.choice(spaces)}{chance.choice('ab')}{chance.choice(version)}"

    def day() -> str:
        return f"0{chance.randint(1, 5)}-{chance.randint(10, 28)}"

    for _ in range(chance.randint(15, 45)):
        what = chance.random()
        if what < 0.3:
            made += serves(
                f"endpoint:{chance.choice(spaces)}{chance.choice('ab')}",
                f"deployment:{chance.choice('abc')}",
                chance.choice((ref("model"), ref("model"), ref("ai_agent"), ref("logged_model"))),
                day(),
                chance.choice((None, 0.0, 50.0, 100.0)),
                site=chance.choice(("", "a", "b")),
                mirrored=chance.random() < 0.1,
            )
        elif what < 0.5:
            kind = chance.choice(("model", "dataset", "run", "logged_model", "ai_agent"))
            if kind == "run":
                made.append(Activity(ref=ref("run"), activity=chance.choice(("training", "evaluation", ""))))
            else:
                made.append(Entity(ref=ref(kind), attributes=chance.choice(({}, {"owner": "x"}))))
        elif what < 0.75:
            made.append(
                chance.choice(
                    (
                        used(ref("run"), ref("dataset"), day(), role=chance.choice(("training", "", "evaluation"))),
                        used(ref("run"), ref("model"), day(), role="model"),
                        wrote(ref("dataset"), ref("run"), day()),
                        Relation(effect=ref("model"), predicate="was_generated_by", cause=ref("run"), basis="declared"),
                        Relation(effect=ref("model"), predicate="alias_of", cause=ref("model"), basis="name"),
                        Relation(
                            effect=ref("model"),
                            predicate="was_derived_from",
                            cause=ref("logged_model"),
                            basis="identifier",
                        ),
                        Relation(
                            effect=ref("run"), predicate="was_associated_with", cause="person:mia", basis="identifier"
                        ),
                    )
                )
            )
        else:
            made.append(
                gate(
                    ref(chance.choice(("model", "model", "logged_model", "dataset"))),
                    chance.choice(("evaluation", "approval")),
                    day(),
                    chance.choice(("passed", "passed", "failed", "waived", "pending")),
                    gate=chance.choice(("auc", "sign")),
                    actual=chance.choice(("", "0.9", "0.7")),
                    evaluator=chance.choice(("", "person:mia", "person:bob")),
                    grade=chance.choice(("claimed", "referenced")),
                    pointer=chance.choice(("", ref("run"))),
                )
            )
    return made


def one_by_one(store: Store, policy: str, **instants: object) -> list[dict[str, object]]:
    """Rows as the audits of all endpoints say them, in full."""
    rows = []
    for ref in sorted(store.refs("endpoint")):
        found = audit(store, ref, policy=policy, **instants).to_dict()  # type: ignore[arg-type]
        asked = [item for hop in found["hops"] for item in hop["requirements"] if item["required"]]
        worst = {
            name: min((item["status"] for item in asked if item["requirement"] == name), key=STATUS_ORDER.index)
            for name in {item["requirement"] for item in asked}
        }
        rows.append({"ref": ref, "verdict": found["verdict"], **found["requirements"], "cells": worst})
    return rows


def without_words(rows: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            **{key: value for key, value in row.items() if key != "finding"},
            "cells": {k: v for k, v in row["cells"].items() if v},
        }  # type: ignore[attr-defined]
        for row in rows
    ]


@pytest.mark.parametrize("day", ["02-15", "03-02", "04-01", "06-01"])
def test_every_row_says_what_the_audit_of_its_endpoint_says(store: Store, policy: str, day: str) -> None:
    store.append(lifelike())
    store.append([Entity(ref="model:reg/credit@4"), gate("model:reg/credit@1", "approval", "03-20")], origin="later")
    asked = {"as_of": at(day), "known_at": store.now()}
    assert without_words(estate(store, policy, **asked)) == one_by_one(store, policy, **asked)


def test_rows_by_each_shipped_policy_are_those_of_its_audits(file_store: Store) -> None:
    file_store.append(lifelike())
    asked = {"as_of": at("06-01"), "known_at": file_store.now()}
    for name in shipped_policies():
        assert without_words(estate(file_store, name, **asked)) == one_by_one(file_store, name, **asked), name


# `make campaign` tries all sixty estates, one on top of the other.
@pytest.mark.parametrize("first", range(0, 60 if os.environ.get("LINEAGE_CAMPAIGN") else 20, 10))
def test_rows_of_tangled_estates_are_those_of_their_audits(file_store: Store, policy: str, first: int) -> None:
    told = set()
    for seed in range(first, first + 10):
        file_store.append(tangled(seed), origin=f"seed {seed}")  # each on top of the ones before
        for day in ("03-01", "05-30"):
            asked = {"as_of": at(day), "known_at": file_store.now()}
            rows = without_words(estate(file_store, policy, **asked))
            assert rows == one_by_one(file_store, policy, **asked)
            told |= {row["verdict"] for row in rows}
    assert "INCOMPLETE" in told


def test_what_was_known_earlier_is_judged_as_it_was_known(store: Store) -> None:
    store.append(complete())
    then = store.now()
    store.append([gate("model:churn@1", "evaluation", "02-12", "failed", gate="fairness")], origin="later")
    store.append([Entity(ref="endpoint:new")])
    early = estate_document(store, as_of=at("06-01"), known_at=then)
    assert [row["verdict"] for row in early["endpoints"]] == ["PASSED"]
    assert [row["verdict"] for row in estate(store, as_of=at("06-01"))] == ["FAILED", "INCOMPLETE"]
    store.append([Entity(ref="endpoint:newer")])
    assert estate_document(store, as_of=at("06-01"), known_at=then)["digest"] == early["digest"]


@pytest.mark.parametrize("portion", [1, 3, 200])
@pytest.mark.parametrize("processes", [1, 2])
def test_rows_are_the_same_in_any_portions_and_processes(
    file_store: Store, monkeypatch: pytest.MonkeyPatch, portion: int, processes: int
) -> None:
    file_store.append(lifelike())
    asked = {"as_of": at("06-01"), "known_at": file_store.now()}
    expected = list(estate(file_store, **asked))
    monkeypatch.setattr(estates, "_PORTION", portion)
    assert list(estate(file_store, **asked, processes=processes)) == expected
    assert [row["ref"] for row in expected] == sorted(row["ref"] for row in expected)


def test_a_row_says_first_what_its_verdict_is_owed_to(store: Store) -> None:
    store.append(lifelike())
    told = {row["ref"]: row["finding"] for row in estate(store, as_of=at("06-01"))}
    assert told["endpoint:churn"] == ""
    assert told["endpoint:idle"] == "endpoint:idle has no deployment on record at this instant"
    assert "may mean any of: model:eu/twin@1, model:us/twin@1" in told["endpoint:twofold"]
    store.append([gate("model:churn@1", "evaluation", "02-12", "failed", gate="fairness", actual="9" * 500)])
    (row,) = (row for row in estate(store, as_of=at("06-01")) if row["ref"] == "endpoint:churn")
    assert row["verdict"] == "FAILED"
    assert row["finding"].startswith("Evaluated before release: fairness: failed")
    assert len(row["finding"]) <= 300


def test_a_table_of_the_estate_has_a_column_for_each_requirement(store: Store, tmp_path: Path) -> None:
    store.append(lifelike())
    (tmp_path / "p.toml").write_text(STRICT)
    frame = audit_estate(store, tmp_path / "p.toml", at("06-01"), progress=False)
    assert list(frame.columns) == [
        *("ref", "verdict", "holds", "fails", "undetermined", "finding"),
        *("on-record", "evaluation", "verdict (requirement)", "auc", "identified"),
    ]
    assert frame.attrs["question"]["policy"]["name"] == "strict"
    assert frame.attrs["question"]["as_of"] == "2026-06-01T00:00:00Z"
    churn = frame[frame["ref"] == "endpoint:churn"].iloc[0]
    assert (churn["on-record"], churn["evaluation"], churn["verdict (requirement)"]) == (
        "passed",
        "passed",
        "undetermined",
    )
    idle = frame[frame["ref"] == "endpoint:idle"].iloc[0]
    assert (idle["verdict"], idle["holds"], idle["on-record"]) == ("INCOMPLETE", 0, "")


def test_versions_of_a_policy_share_one_table(store: Store, tmp_path: Path) -> None:
    store.append(complete())
    (tmp_path / "p.toml").write_text(VERSIONS)
    found = estate_document(store, tmp_path / "p.toml", at("06-01"))
    assert [item["id"] for item in found["gates"]] == ["approved", "owned", "policy-in-force"]
    (fixed,) = estate(store, tmp_path / "p.toml", at("06-01"), policy_as_of=at("03-15"))
    assert fixed["verdict"] == audit(store, "churn", at("06-01"), None, tmp_path / "p.toml", at("03-15")).verdict
    assert fixed["cells"]["owned"] == "missing"  # its waiver has expired
    told = estate_document(store, tmp_path / "p.toml", at("06-01"), policy_as_of=at("03-15"))["question"]["policy"]
    assert (told["version"], told["judged_as_of"]) == ("2", "2026-03-15T00:00:00Z")
    (early,) = estate(store, tmp_path / "p.toml", at("06-01"), policy_as_of=at("01-15"))
    assert early["cells"]["policy-in-force"] == "missing"


# --- what goes wrong ---


def damage(path: Path, word: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for table in JOURNAL_TABLES:
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", [table]
            ).fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
        changed = database.execute(
            "UPDATE body SET json = replace(json, ?, 'forged') WHERE json LIKE ?", [word, f"%{word}%"]
        )
        assert changed.rowcount == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_an_endpoint_that_cannot_be_judged_is_a_row_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    path = tmp_path / "s.db"
    with open_store(path, create_missing=True) as store:
        store.append(lifelike())
        known_at = store.now()
        before = {row["ref"]: row for row in estate(store, as_of=at("06-01"), known_at=known_at)}
    damage(path, "genuine")
    monkeypatch.setattr(estates, "_PORTION", 4)
    with open_store(path) as store:
        after = {row["ref"]: row for row in estate(store, as_of=at("06-01"), known_at=known_at, processes=processes)}
    broken = after.pop("endpoint:states")
    assert broken["verdict"] == "INCOMPLETE"
    assert "cannot be judged" in broken["finding"]
    assert "damaged" in broken["finding"]
    assert set(broken["cells"].values()) == {""}
    before.pop("endpoint:states")
    assert after == before


@pytest.mark.parametrize("processes", [1, 2])
def test_a_store_that_cannot_be_read_is_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    path = tmp_path / "s.db"
    with open_store(path, create_missing=True) as store:
        store.append(lifelike())
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE body")
        monkeypatch.setattr(estates, "_PORTION", 4)
        with pytest.raises(LineageError, match="cannot be read"):
            list(estate(store, processes=processes))


def test_a_policy_that_asks_for_a_misspelt_metric_is_refused_for_the_whole_estate(store: Store, tmp_path: Path) -> None:
    store.append(lifelike())
    (tmp_path / "p.toml").write_text(STRICT.replace('metric = "auc"', 'metric = "auuc"'))
    with pytest.raises(PolicyError, match="auc"):
        list(estate(store, tmp_path / "p.toml", at("06-01")))


def test_a_question_that_cannot_be_asked_is_refused_before_the_first_row(store: Store) -> None:
    with pytest.raises(LineageError):
        estate(store, as_of="yesterday")
    with pytest.raises(PolicyError):
        estate(store, "no-such-policy")


def test_processes_that_end_are_told_and_leave_nothing_behind() -> None:
    with pytest.raises(StoreError, match="ended before it was done"):
        list(deal("estates:no_such_function", None, [["a"], ["b"]], 2))
    rows = deal("dealing:cores", None, [["a"]] * 5, 2)
    rows.close()  # type: ignore[attr-defined]


def test_other_processes_do_not_run_the_program_that_asked_again(tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    # No `if __name__ == "__main__"`: that is how people write what they try.
    script.write_text(
        textwrap.dedent(
            f"""
            import lineage_explorer.estates as estates
            from lineage_explorer import Entity, open_store
            print("begun", flush=True)
            with open_store({str(tmp_path / "s.db")!r}, create_missing=True) as store:
                store.append(Entity(ref=f"endpoint:e{{number}}") for number in range(6))
                estates._PORTION = 2
                print([row["verdict"] for row in estates.estate(store, processes=2)])
            """
        )
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "begun\n" + str(["INCOMPLETE"] * 6) + "\n"
    assert done.stderr == ""


# --- streams ---


def test_rows_come_before_the_whole_estate_was_read(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    file_store.append(Entity(ref=f"endpoint:e{number:03}") for number in range(30))
    monkeypatch.setattr(estates, "_PORTION", 5)
    judged: list[int] = []
    whole = estates._portion
    monkeypatch.setattr(estates, "_portion", lambda *given: (judged.append(1), whole(*given))[1])
    rows = estate(file_store)
    assert next(rows)["ref"] == "endpoint:e000"
    assert len(judged) == 1


def test_memory_does_not_grow_with_the_estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estates, "_PORTION", 20)
    peaks = []
    for count in (40, 240):
        with open_store(tmp_path / f"{count}.db", create_missing=True) as store:
            for number in range(count):
                store.append(serves(f"endpoint:e{number}", f"deployment:e{number}:x", f"model:r/e{number}@1", "03-01"))
                store.append([Entity(ref=f"model:r/e{number}@1", description="x" * 2_000)], origin=f"{number}")
            for _ in estate(store):  # what is loaded once is loaded
                break
            tracemalloc.start()
            assert sum(1 for _ in estate(store)) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_progress_counts_endpoints_and_only_when_asked(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    store.append(lifelike())
    count = len(list(estate(store)))
    assert capfd.readouterr().err == ""
    list(estate(store, progress=True))
    assert f"{count}/{count}" in capfd.readouterr().err


# --- reports ---


class Tables(HTMLParser):
    """The cells of each table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.scopes: list[str | None] = []
        self._open = ""
        self._caption = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "img", "no record becomes markup"
        self._open = tag
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("th", "td"):
            self.tables[self._caption][-1].append("")
            if tag == "th":
                self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "caption":
            self._caption = data
        elif self._open in ("th", "td"):
            self.tables[self._caption][-1][-1] += data


@pytest.fixture
def document(file_store: Store) -> dict[str, object]:
    file_store.append(lifelike())
    file_store.append([gate("model:churn@1", "evaluation", "02-12", "failed", gate="fairness")])
    return estate_document(file_store, as_of=at("06-01"))


def test_the_document_says_all_and_has_a_digest(document: dict[str, object]) -> None:
    assert (document["format"], document["format_version"]) == ("lineage-explorer/estate", 1)
    assert document["digest"] == digest_of({key: value for key, value in document.items() if key != "digest"})
    assert json.loads(report.json(document)) == document
    ids = [item["id"] for item in document["gates"]]  # type: ignore[attr-defined]
    assert all(list(row["cells"]) == ids for row in document["endpoints"])  # type: ignore[attr-defined]


def test_the_page_is_complete_without_scripts_and_holds_nothing_that_acts(document: dict[str, object]) -> None:
    page = report.html(document)
    still = page[page.index('<main id="lx-still"') : page.index("</main>")]
    found = Tables()
    found.feed(still)
    assert set(found.tables) == {"The question", "Requirements", "Endpoints, the worst first"}
    head, *rows = found.tables["Endpoints, the worst first"]
    assert head[:2] == ["Endpoint", "Verdict"]
    assert len(rows) == len(document["endpoints"])  # type: ignore[arg-type]
    verdicts = [row[1] for row in rows]
    assert verdicts == sorted(verdicts, key=report.VERDICTS.index)
    assert "endpoint:<img%20src=x>|`#`" in [row[0] for row in rows]
    assert None not in found.scopes
    data = page[page.index('id="lx-estate">') + len('id="lx-estate">') :]
    assert json.loads(data[: data.index("</script>")]) == document
    assert "default-src 'none'" in page


def test_a_sheet_has_the_same_columns_and_runs_no_formula(file_store: Store, document: dict[str, object]) -> None:
    rows = list(csv.reader(io.StringIO(report.csv(document))))
    frame = audit_estate(file_store, as_of=at("06-01"), progress=False)
    assert rows[0] == list(frame.columns)
    assert sorted(row[0] for row in rows[1:]) == sorted(frame["ref"])
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert report.csv({**document, "gates": [{"id": "=1+1", "title": "x"}]}).splitlines()[0].endswith(",'=1+1")


def test_markdown_shows_what_records_say_as_text(document: dict[str, object]) -> None:
    text = report.md(document)
    assert "<img" not in text.replace("\\<img", "")
    lines = [line for line in text.splitlines() if line.startswith("| endpoint:")]
    assert len(lines) == len(document["endpoints"])  # type: ignore[arg-type]
    assert text.startswith("# ")


def test_a_list_of_questions_states_evidence_in_its_own_words(document: dict[str, object]) -> None:
    asked = json.loads(json.dumps(document))
    asked["question"]["policy"]["form"] = "questions"
    for text in (report.html(asked).partition('<script type="application')[0], report.md(asked), report.csv(asked)):
        assert "contradicted" in text
        assert "FAILED" not in text


def test_the_command_judges_all_and_ends_with_the_worst(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_store(path, create_missing=True) as store:
        store.append(complete())
    done = command("audit", path, "--all", "--as-of", "2026-06-01T00:00:00Z", "-o", tmp_path / "e.csv")
    assert "1 endpoint: 1 PASSED" in done.stdout
    assert (tmp_path / "e.csv").read_text().startswith("ref,verdict,")
    with open_store(path) as store:
        store.append([Entity(ref="endpoint:idle")])
    assert "INCOMPLETE" in command("audit", path, "--all", "--as-of", "2026-06-01T00:00:00Z", status=3).stdout
    with open_store(path) as store:
        store.append([gate("model:churn@1", "evaluation", "02-12", "failed", gate="fairness")])
    done = command("audit", path, "--all", "--as-of", "2026-06-01T00:00:00Z", "--json", status=1)
    assert json.loads(done.stdout)["format"] == "lineage-explorer/estate"
    assert "not both" in command("audit", path, status=2).stderr
    assert "not both" in command("audit", path, "churn", "--all", status=2).stderr
    assert "csv, html, json, md" in command("audit", path, "--all", "-o", tmp_path / "e.svg", status=2).stderr


def test_an_estate_without_endpoints_shows_nothing_and_is_incomplete(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        store.append([Entity(ref="model:churn@1")])
        assert list(audit_estate(store, progress=False)["verdict"]) == []
    assert "0 endpoints" in command("audit", tmp_path / "s.db", "--all", status=3).stdout
