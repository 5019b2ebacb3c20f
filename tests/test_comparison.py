"""Two audits side by side: what is planted is found, and nothing else; what is missing is never the same."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_explorer import Audit, audit, open_store
from lineage_explorer.comparison import Comparison, alike, compare, summing
from lineage_explorer.comparison.aligning import align
from lineage_explorer.comparison.lineages import Lineage
from lineage_explorer.comparison.rows import ASPECTS, Difference
from lineage_explorer.comparison.texts import lines_of
from lineage_explorer.errors import InvalidInstant, InvalidQuestion, UnknownReference
from lineage_explorer.questions import gate
from lineage_explorer.records import Activity, Entity, Record, Relation, from_json

from .comparison_worlds import A, B, D, World, asked, renamed, world
from .estates import at, complete, serves, used, wrote
from .estates import gate as gated

Told = tuple[str, str, str]


def told(comparison: Comparison) -> list[Told]:
    """Aspect, name and change of every difference."""
    return sorted((row["aspect"], row["name"], row["change"]) for row in comparison.to_dict()["differences"])


def one(comparison: Comparison, aspect: str, name: str = "") -> dict[str, Any]:
    """The only difference of an aspect and a name."""
    rows = [row for row in comparison.to_dict()["differences"] if (row["aspect"], row["name"]) == (aspect, name)]
    assert len(rows) == 1, comparison.to_dict()["differences"]
    return rows[0]


def mirrored(row: dict[str, Any]) -> dict[str, Any]:
    """A difference as it is told from b to a."""
    change = {"added": "removed", "removed": "added", "changed": "changed"}[row["change"]]
    flipped = {" ": " ", "-": "+", "+": "-"}
    text = row["text"] and sorted((flipped[line["op"]], line["line"]) for line in row["text"])
    return {
        "aspect": row["aspect"],
        "subject": row["subject"],
        "name": row["name"],
        "change": change,
        "a": row["b"],
        "b": row["a"],
        "delta": None if row["delta"] is None else -row["delta"],
        "better": None if row["better"] is None else not row["better"],
        "a_ref": row["b_ref"],
        "b_ref": row["a_ref"],
        "text": text,
    }


def unnumbered(row: dict[str, Any]) -> dict[str, Any]:
    text = row["text"] and sorted((line["op"], line["line"]) for line in row["text"])
    kept = {key: value for key, value in row.items() if key not in ("id", "note", "text")}
    return {**kept, "text": text}


def assert_antisymmetric(a: Any, b: Any, **more: Any) -> None:
    forth, back = compare(a, b, **more).to_dict(), compare(b, a, **more).to_dict()
    rows = [[*map(turned, whole["differences"])] for turned, whole in ((mirrored, forth), (unnumbered, back))]
    assert sorted(rows[0], key=str) == sorted(rows[1], key=str)
    # They stand in the same order, but for two that are each other's mirror.
    places = [
        [(*(row[name] for name in ("aspect", "subject", "name")), {row["a_ref"], row["b_ref"]}) for row in side]
        for side in rows
    ]
    assert places[0] == places[1]
    assert {(pair["a"], pair["b"], pair["changed"]) for pair in forth["pairs"]} == {
        (pair["b"], pair["a"], pair["changed"]) for pair in back["pairs"]
    }
    assert (forth["only_a"], forth["only_b"]) == (back["only_b"], back["only_a"])
    assert forth["same"] == back["same"]


# --- nothing differs ---


def test_a_world_is_the_same_as_itself_whatever_the_order_in_which_its_records_arrive(tmp_path: Path) -> None:
    first = asked(tmp_path, world().values())
    for seed in range(4):
        found = compare(first, asked(tmp_path, world().values(), seed))
        assert found.same
        assert found.differences().empty
        assert found.to_dict()["only_a"] == found.to_dict()["only_b"] == []
        assert found.summary.endswith("Nothing that is on record differs.")


def test_a_model_made_anew_of_the_same_things_is_another_version_and_nothing_else(tmp_path: Path) -> None:
    found = compare(asked(tmp_path, world("1").values()), asked(tmp_path, world("2").values()))
    assert told(found) == [("model", "version", "changed")]
    assert {"a": "run:train-1", "b": "run:train-2", "changed": False} in found.to_dict()["pairs"]
    assert {"a": "run:eval-1", "b": "run:eval-2", "changed": False} in found.to_dict()["pairs"]


def test_one_endpoint_at_two_instants_between_which_nothing_happened_is_the_same(tmp_path: Path) -> None:
    first = asked(tmp_path, world().values(), as_of="2026-05-01T00:00:00Z")
    second = asked(tmp_path, world().values(), as_of="2026-05-09T00:00:00Z")
    assert compare(first, second).same


# --- what is planted is found, and nothing else ---


def put(record: str, *path: str, value: Any) -> Callable[[World], None]:
    def change(found: World) -> None:
        place: Any = found[record]
        for step in path[:-1]:
            place = place.setdefault(step, {})
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change


def param(value: str | None) -> Callable[[World], None]:
    def change(found: World) -> None:
        for record in ("train", "logged"):
            put(record, "attributes", "params", "C", value=value)(found)

    return change


def measured(value: float) -> Callable[[World], None]:
    def change(found: World) -> None:
        found["logged"]["attributes"]["metrics"]["auc"] = value
        found["judge"]["attributes"]["metrics"]["auc"] = value
        found["auc"]["actual"] = str(value)

    return change


def version(old: str, new: str, *changes: Callable[[World], None]) -> Callable[[World], None]:
    def change(found: World) -> None:
        renamed(found, old, new)
        for item in changes:
            item(found)

    return change


def without(*records: str) -> Callable[[World], None]:
    def change(found: World) -> None:
        for record in records:
            del found[record]

    return change


def also(name: str, record: dict[str, Any]) -> Callable[[World], None]:
    return lambda found: found.update({name: record})


PLANTED: dict[str, tuple[Callable[[World], None], list[Told]]] = {
    "a parameter": (param("10.0"), [("parameter", "C", "changed")]),
    "a parameter less": (param(None), [("parameter", "C", "removed")]),
    "a parameter of the preparation": (
        put("prep", "attributes", "params", "drop", value="no"),
        [("preparation", "drop", "changed")],
    ),
    "the file of the preparation": (
        put("prep", "attributes", "tags", "mlflow.source.name", value="clean.py"),
        [("preparation", "source file", "changed")],
    ),
    "the file of the training": (
        put("train", "attributes", "tags", "mlflow.source.name", value="fit.py"),
        [("code", "source file", "changed")],
    ),
    "a metric": (measured(0.95), [("metric", "auc", "changed")]),
    "a metric of one run": (
        put("train", "attributes", "metrics", "loss", value=0.2),
        [("metric", "loss", "changed")],
    ),
    "a new metric": (put("train", "attributes", "metrics", "speed", value=3.0), [("metric", "speed", "added")]),
    "a new column": (
        put("raw", "attributes", "schema", "region", value="string"),
        [("schema", "region", "added")],
    ),
    "a column less": (put("raw", "attributes", "schema", "plan", value=None), [("schema", "plan", "removed")]),
    "a type": (put("raw", "attributes", "schema", "age", value="double"), [("schema", "age", "changed")]),
    "rows": (put("raw", "attributes", "rows", value=120), [("data", "rows", "changed")]),
    "a digest": (put("raw", "digest", value=D), [("data", "digest", "changed")]),
    "a version of data": (
        version("dataset:raw@1", "dataset:raw@2", put("raw", "digest", value=D)),
        [("data", "version", "changed")],
    ),
    "a role": (
        put("reads", "role", value="validation"),
        # It is asked of what a model was trained on: of the features, and of the raw data behind them.
        [("data", "role", "changed"), *[("requirement", "training-data-identified", "removed")] * 2],
    ),
    "other data": (
        version("dataset:raw@1", "dataset:crm@1"),
        [("data", "", "added"), ("data", "", "removed")],
    ),
    "a package": (
        put("environment", "attributes", "packages", "numpy", value="2.1"),
        [("package", "numpy", "changed")],
    ),
    "a package less": (
        put("environment", "attributes", "packages", "pandas", value=None),
        [("package", "pandas", "removed")],
    ),
    "an image": (
        put("environment", "attributes", "image", value="python:3.12"),
        [("environment", "image", "changed")],
    ),
    "a commit": (
        version(
            "code:github.com%2Facme%2Fchurn@aaaa",
            "code:github.com%2Facme%2Fchurn@bbbb",
            put("code", "digest", value="git:bbbb"),
        ),
        [("code", "commit", "changed")],
    ),
    "an uncommitted change": (put("code", "attributes", "dirty", value=True), [("code", "dirty", "added")]),
    "a feature set": (
        version("feature_set:usage@1", "feature_set:usage@2"),
        [("feature", "version", "changed")],
    ),
    "a line of a prompt": (
        version("prompt:greet@1", "prompt:greet@2", put("prompt", "attributes", "text", value="Be kind.\nBe long.")),
        [("prompt", "text", "changed")],
    ),
    "a prompt under its own version": (
        put("prompt", "attributes", "text", value="Be kind.\nBe long."),
        [("prompt", "text", "changed")],
    ),
    "an approver": (put("approval", "evaluator", value="person:noor"), [("gate", "approval", "changed")]),
    "a condition": (put("auc", "expected", value="auc >= 0.7"), [("gate", "auc", "changed")]),
    "a gate less": (without("quality"), [("gate", "nulls", "removed")]),
    "a value of a gate on data": (put("quality", "actual", value="3 nulls"), [("gate", "nulls", "changed")]),
    "a share": (put("serves", "traffic", value=60.0), [("serving", "share", "changed")]),
    "a site": (put("serves", "site", value="plant-brno"), [("serving", "site", "added")]),
    "a place of deployment": (
        put("deployment", "attributes", "environment", value="staging"),
        [("serving", "environment", "changed")],
    ),
    "an approval less": (
        without("approval"),
        [
            ("gate", "approval", "removed"),
            ("requirement", "approval", "changed"),
            ("verdict", "", "changed"),
        ],
    ),
    "a failed run": (put("prep", "status", value="FAILED"), [("preparation", "status", "changed")]),
    "a list": (put("model", "attributes", "owners", value=["team:x", {"y": 1}]), [("other", "owners", "added")]),
    "something else": (put("model", "attributes", "owner", value="team:x"), [("other", "owner", "added")]),
    "the firmness of a link": (put("reads", "basis", value="name"), [("other", "basis", "changed")]),
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("making", ["1", "2"])
def test_what_is_planted_is_told_and_nothing_else(tmp_path: Path, name: str, making: str) -> None:
    change, expected = PLANTED[name]
    changed = world(making)
    change(changed)
    first = asked(tmp_path, world("1").values())
    found = compare(first, asked(tmp_path, changed.values()))
    anew = [("model", "version", "changed")] if making == "2" else []
    assert told(found) == sorted([*expected, *anew])
    assert not found.same
    assert_antisymmetric(first, asked(tmp_path, changed.values(), seed=5))
    again = compare(asked(tmp_path, world("1").values(), seed=7), asked(tmp_path, changed.values(), seed=5))
    assert again.to_dict()["differences"] == found.to_dict()["differences"]
    assert again.summary == found.summary


def changed_by(tmp_path: Path, change: Callable[[World], None], making: str = "2", **more: Any) -> Comparison:
    found = world(making)
    change(found)
    return compare(asked(tmp_path, world("1").values()), asked(tmp_path, found.values()), **more)


def test_numbers_have_a_delta_and_say_whether_it_is_better(tmp_path: Path) -> None:
    row = one(changed_by(tmp_path, measured(0.95)), "metric", "auc")
    assert (row["a"], row["b"], row["better"]) == (0.9, 0.95, True)
    assert row["delta"] == pytest.approx(0.05)
    worse = one(changed_by(tmp_path, put("train", "attributes", "metrics", "loss", value=0.4)), "metric", "loss")
    assert worse["better"] is False
    nobody = one(changed_by(tmp_path, put("train", "attributes", "metrics", "cost", value=8.0)), "metric", "cost")
    assert nobody["better"] is None
    assert one(changed_by(tmp_path, put("raw", "attributes", "rows", value=120)), "data", "rows")["delta"] == 20
    assert one(changed_by(tmp_path, param("10.0")), "parameter", "C")["delta"] == 9


def test_a_gate_on_record_says_which_way_is_better_and_contradicting_gates_say_nothing(tmp_path: Path) -> None:
    def dearer(found: World) -> None:
        found["train"]["attributes"]["metrics"]["cost"] = 8.0

    def with_gate(expected: str) -> Callable[[World], None]:
        def change(found: World) -> None:
            dearer(found)
            found["cost gate"] = {**found["auc"], "gate": "cost", "expected": expected, "actual": "8.0"}

        return change

    assert one(changed_by(tmp_path, with_gate("cost <= 9")), "metric", "cost")["better"] is False
    assert one(changed_by(tmp_path, with_gate("cost >= 5")), "metric", "cost")["better"] is True

    def torn(found: World) -> None:
        with_gate("cost <= 9")(found)
        found["other gate"] = {**found["cost gate"], "expected": "cost >= 1", "evaluator": "person:x"}

    assert one(changed_by(tmp_path, torn), "metric", "cost")["better"] is None


def test_an_approval_by_another_person_names_both_and_when(tmp_path: Path) -> None:
    found = changed_by(tmp_path, put("approval", "evaluator", value="person:noor"))
    note = one(found, "gate", "approval")["note"]
    assert "person:mia at 2026-02-01T00:00:00Z" in note
    assert "person:noor at 2026-02-02T00:00:00Z" in note
    assert "Approved by person:mia in A, by person:noor in B." in found.summary


def test_one_refused_version_among_several_is_not_told_as_approved(tmp_path: Path) -> None:
    found = world("2")
    found["approval"]["status"] = "failed"
    old = world("1")
    both = {**{f"1 {name}": row for name, row in old.items()}, **found}
    del both["1 serves"]
    both["still"] = {
        **old["serves"],
        "slot": "green",
        "traffic": 50.0,
    }
    comparison = compare(asked(tmp_path, old.values()), asked(tmp_path, both.values()))
    assert "in both" not in comparison.summary
    assert "churn@2: failed by person:mia" in comparison.summary


def test_of_two_versions_behind_an_endpoint_each_difference_says_which_it_is_about(tmp_path: Path) -> None:
    def released(*versions: tuple[str, str, float, str, int]) -> Iterator[Record]:
        for slot, version, auc, penalty, share in versions:
            model, judge, data = f"model:m@{version}", f"run:judge-{version}", f"dataset:held@{version}"
            yield from serves("endpoint:e", f"deployment:e:{slot}", model, "03-01", traffic=float(share))
            yield Entity(ref=model, attributes={"metrics": {"auc": auc}, "params": {"C": penalty, "seed": "7"}})
            yield Activity(ref=judge, activity="evaluation")
            yield used(judge, model, "02-01", role="evaluation")
            yield used(judge, data, "02-01", role="evaluation")
            yield Entity(ref=data, attributes={"rows": 10 * int(version)})

    sides = []
    for name, records in (
        ("before", released(("stable", "1", 0.8, "1", 90), ("canary", "2", 0.9, "1", 10))),
        ("after", released(("stable", "3", 0.7, "1", 90), ("canary", "4", 0.95, "10", 10))),
    ):
        with open_store(tmp_path / f"{name}.db", create_missing=True) as store:
            store.append(records)
            sides.append(audit(store, "e"))
    found = compare(*sides)
    rows = found.to_dict()["differences"]
    assert {
        (row["name"], row["a"], row["b"]): row["note"] for row in rows if row["aspect"] in ("metric", "parameter")
    } == {
        ("auc", 0.8, 0.7): "for m@1 → m@3",
        ("auc", 0.9, 0.95): "for m@2 → m@4",
        ("C", "1", "10"): "for m@2 → m@4",
    }
    assert [row["note"] for row in rows if row["name"] == "rows"] == ["for m@1 → m@3", "for m@2 → m@4"]
    assert "C rose from 1 to 10 (m@2 → m@4)." in found.summary
    assert "auc 0.8 → 0.7, worse (m@1 → m@3); auc 0.9 → 0.95, better (m@2 → m@4)." in found.summary
    assert_antisymmetric(*sides)
    # Where one version answers on each side there is nothing to tell apart.
    alone = changed_by(tmp_path, lambda one: one["logged"]["attributes"]["params"].update(C="9"))
    notes = [row["note"] for row in alone.to_dict()["differences"] if row["name"] == "C"]
    assert notes, "the change is told"
    assert not any("→" in note for note in notes)


def test_the_lines_of_a_prompt_are_told(tmp_path: Path) -> None:
    change, _ = PLANTED["a line of a prompt"]
    row = one(changed_by(tmp_path, change), "prompt", "text")
    assert [line["op"] + line["line"] for line in row["text"]] == [" Be kind.", "-Be short.", "+Be long."]


def test_the_diff_of_two_texts_is_the_mirror_of_the_diff_the_other_way() -> None:
    chance = random.Random(6)
    for _ in range(300):
        first, second = ("\n".join(chance.choices("abc", k=chance.randrange(9))) for _ in range(2))
        forth, back = lines_of(first, second), lines_of(second, first)
        assert forth is not None
        assert back is not None
        assert [line for op, line in forth if op != "+"] == first.split("\n")
        assert [line for op, line in forth if op != "-"] == second.split("\n")
        assert [line for op, line in forth if op == " "] == [line for op, line in back if op == " "]
    assert lines_of("a\n" * 3_000, "b\n" * 3_000) is None


def test_commits_are_compared_at_an_address_that_is_text(tmp_path: Path) -> None:
    change, _ = PLANTED["a commit"]
    note = one(changed_by(tmp_path, change), "code", "commit")["note"]
    assert note == "https://github.com/acme/churn/compare/aaaa...bbbb"

    def elsewhere(found: World) -> None:
        change(found)
        found["code"]["attributes"]["repository"] = "javascript:alert(1)"

    assert one(changed_by(tmp_path, elsewhere), "code", "commit")["note"] == ""


def test_a_parameter_that_only_the_run_or_only_the_model_states_is_no_difference(tmp_path: Path) -> None:
    assert told(changed_by(tmp_path, put("logged", "attributes", "params", value=None))) == [
        ("model", "version", "changed")
    ]
    assert told(changed_by(tmp_path, put("train", "attributes", "params", value=None))) == [
        ("model", "version", "changed")
    ]


def test_a_run_and_a_model_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    row = one(changed_by(tmp_path, put("logged", "attributes", "params", "C", value="2.0")), "parameter", "C")
    assert (row["a"], row["b"]) == ("1.0", "1.0 · 2.0")


def test_a_metric_with_several_values_is_compared_by_where_it_was_measured(tmp_path: Path) -> None:
    def world_with(making: str, value: float) -> World:
        found = world(making)
        found["train"]["attributes"]["metrics"]["auc"] = value
        return found

    found = compare(asked(tmp_path, world_with("1", 0.99).values()), asked(tmp_path, world_with("2", 0.98).values()))
    row = one(found, "metric", "auc")
    assert (row["a"], row["b"], row["note"]) == (0.99, 0.98, "measured by: training train")


# --- identity of data ---


def data_row(tmp_path: Path, first: str, second: str) -> dict[str, Any]:
    """The difference between two versions of raw data with these digests."""
    old, new = world("1"), world("1")
    renamed(new, "dataset:raw@1", "dataset:raw@2")
    for found, digest in ((old, first), (new, second)):
        found["raw"].pop("digest")
        found["raw"].pop("identified_by")
        if digest:
            found["raw"]["digest"] = digest
    comparison = compare(asked(tmp_path, old.values()), asked(tmp_path, new.values()))
    assert not comparison.same
    (row,) = [row for row in comparison.to_dict()["differences"] if row["name"] == "version"]
    return row


def test_the_same_bytes_under_another_version_are_named_and_no_change_of_data(tmp_path: Path) -> None:
    row = data_row(tmp_path, A, A)
    assert (row["aspect"], row["note"]) == ("other", "same bytes under another version")


@pytest.mark.parametrize(
    ("first", "second", "note"),
    [
        (A, D, "other bytes: the digests differ"),
        ("", "", "not comparable: no digest"),
        (A, "", "not comparable: no digest on one side"),
        ("mlflow-md5-8:0a1b2c3d", "mlflow-md5-8:0a1b2c3d", "the truncated digests agree, which is weak"),
        ("mlflow-md5-8:0a1b2c3d", "mlflow-md5-8:ffffffff", "they are truncated, which is weak"),
        (A, "mlflow-md5-8:ffffffff", "not comparable: a digest of all bytes and one of another sort"),
        (A, "sha512:" + "a" * 128, "not comparable: digests by different algorithms"),
        ("sha256:abcd", "sha256:abcd", "weak"),
    ],
)
def test_without_two_digests_of_all_bytes_other_versions_are_never_the_same(
    tmp_path: Path, first: str, second: str, note: str
) -> None:
    row = data_row(tmp_path, first, second)
    assert row["aspect"] == "data"
    assert note in row["note"]
    assert "same bytes under" not in row["note"]


def test_what_is_on_record_on_one_side_only_is_never_the_same(tmp_path: Path) -> None:
    for record, field, aspect, name in (
        ("raw", "schema", "schema", ""),
        ("raw", "rows", "data", "rows"),
        ("environment", "packages", "package", ""),
        ("prompt", "text", "prompt", "text"),
    ):
        row = one(changed_by(tmp_path, put(record, "attributes", field, value=None), "1"), aspect, name)
        assert row["change"] == "removed"
        assert "on one side only" in row["note"]
    row = one(changed_by(tmp_path, without("raw"), "1"), "data", "on record")
    assert (row["a"], row["b"]) == (True, False)


@pytest.mark.parametrize(
    "schema",
    [
        [{"name": "age", "type": "long"}, {"name": "plan", "type": "string"}],
        {"mlflow_colspec": [{"type": "string", "name": "plan"}, {"type": "long", "name": "age"}]},
        '{"mlflow_colspec": [{"type": "long", "name": "age"}, {"type": "string", "name": "plan"}]}',
        {"fields": [{"type": "long", "name": "age"}, {"type": "string", "name": "plan"}]},
        {"plan": "string", "age": "long"},
    ],
)
def test_columns_are_the_same_however_they_are_written(tmp_path: Path, schema: Any) -> None:
    assert changed_by(tmp_path, put("raw", "attributes", "schema", value=schema), "1").same


@pytest.mark.parametrize(
    "schema",
    [
        "age, plan",
        ["age", "plan"],
        [{"name": "age", "type": "long"}, {"name": "age", "type": "string"}],
        {"mlflow_tensorspec": [{"shape": [1]}]},
        7,
    ],
)
def test_columns_that_cannot_be_read_are_compared_as_text_and_said_to_be(tmp_path: Path, schema: Any) -> None:
    row = one(changed_by(tmp_path, put("raw", "attributes", "schema", value=schema), "1"), "schema")
    assert "compared as text" in row["note"]
    assert str(row["b"])


# --- aligning ---


def test_a_version_is_compared_with_what_took_its_place_also_where_it_still_stands_idle_elsewhere(
    tmp_path: Path,
) -> None:
    def history() -> Iterator[dict[str, Any]]:
        for making in ("1", "2"):
            found = world(making)
            for name in ("train", "logged"):
                found[name]["attributes"]["params"]["C"] = making
            for name in ("serves", "deploys", "deployment"):
                del found[name]
            yield from found.values()
        for day, slot, making, traffic in (
            ("01", "stable", "1", 100.0),
            ("01", "canary", "1", 0.0),
            ("09", "stable", "2", 100.0),
        ):
            ref, since = f"deployment:e:{slot}@2026-03-{day}", f"2026-03-{day}T00:00:00Z"
            yield {"type": "entity", "ref": ref}
            held = {"type": "relation", "basis": "identifier", "valid_from": since}
            yield {
                **held,
                "effect": "endpoint:e",
                "predicate": "serves",
                "cause": ref,
                "slot": slot,
                "traffic": traffic,
            }
            yield {**held, "effect": ref, "predicate": "deploys", "cause": f"model:churn@{making}", "slot": "model"}

    rows = list(history())
    first = asked(tmp_path, rows, as_of="2026-03-05T00:00:00Z")
    second = asked(tmp_path, rows, as_of="2026-03-12T00:00:00Z")
    found = compare(first, second)
    assert told(found) == [("model", "version", "changed"), ("parameter", "C", "changed")]
    assert "C rose from 1 to 2." in found.summary
    assert found.to_dict()["only_a"] == found.to_dict()["only_b"] == []
    assert_antisymmetric(first, second)


def test_more_versions_behind_an_endpoint_are_added_and_the_same_one_is_kept(tmp_path: Path) -> None:
    old = [*complete()]
    canary = [
        *serves("endpoint:churn", "deployment:churn:green", "model:churn@2", "03-02", traffic=10.0),
        Entity(ref="model:churn@2"),
    ]
    one_store, two = tmp_path / "a.db", tmp_path / "b.db"
    with open_store(one_store, create_missing=True) as store:
        store.append(old)
        first = audit(store, "churn", as_of=at("05-01"))
    with open_store(two, create_missing=True) as store:
        store.append([*old, *canary])
        second = audit(store, "churn", as_of=at("05-01"))
    found = compare(first, second)
    assert found.to_dict()["only_b"] == ["deployment:churn:green", "model:churn@2"]
    assert ("model", "", "added") in told(found)
    assert ("serving", "", "added") in told(found)
    assert {"a": "model:churn@1", "b": "model:churn@1", "changed": False} in found.to_dict()["pairs"]


def many(chance: random.Random, tag: str) -> list[Record]:
    """A model trained on several versions of several data, which runs of one name prepared."""
    records: list[Record] = [
        *serves("endpoint:e", "deployment:e:x", f"model:m@{tag}", "03-01"),
        Entity(ref=f"model:m@{tag}"),
        Relation(effect=f"model:m@{tag}", predicate="was_generated_by", cause=f"run:train{tag}", basis="identifier"),
        from_json({"type": "activity", "ref": f"run:train{tag}", "activity": "training"}),
    ]
    for number in range(chance.randrange(1, 6)):
        name, mark = chance.choice("xy"), chance.randrange(9)
        data, run = f"dataset:{name}@{mark}", f"run:{tag}-{number}"
        records += [
            Entity(ref=data, digest=["", A, B][mark % 3]),
            used(f"run:train{tag}", data, "02-01", chance.choice(["training", "validation", ""])),
            wrote(data, run, "01-01"),
            from_json({"type": "activity", "ref": run, "activity": "transform", "attributes": {"name": "prepare"}}),
            used(run, f"dataset:raw-{chance.choice('pq')}@{chance.randrange(4)}", "01-01", "input"),
        ]
    chance.shuffle(records)
    return records


def answered(folder: Path, records: list[Record], name: str) -> Audit:
    with open_store(folder / name, create_missing=True) as store:
        store.append(records)
        return audit(store, "endpoint:e", as_of="2026-06-01T00:00:00Z")


@pytest.mark.parametrize("seed", range(12))
def test_where_several_could_be_meant_neither_arrival_nor_the_side_decides(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    left, right = many(chance, "1"), many(chance, "2")
    first, second = answered(tmp_path, left, "a.db"), answered(tmp_path, right, "b.db")
    assert_antisymmetric(first, second)
    chance.shuffle(left)
    shuffled = answered(tmp_path, left + left[:3], "c.db")
    forth, again = compare(first, second).to_dict(), compare(shuffled, second).to_dict()
    for field in ("differences", "pairs", "only_a", "only_b", "summary"):
        assert forth[field] == again[field]
    assert compare(first, first).same
    assert compare(first, shuffled).same


def content(hops: list[tuple[str, str]], root: str = "endpoint:e") -> dict[str, Any]:
    """An audit's content with nothing but things and hops."""
    refs = sorted({root, *(end for hop in hops for end in hop)})
    plain = {
        "namespace": "",
        "label": "",
        "resolved": True,
        "roles": [],
        "digest": "",
        "identified_by": "",
        "since": None,
    }
    return {
        "question": {
            "endpoint": root,
            "as_of": "",
            "known_at": "",
            "policy": {"name": "", "version": "", "digest": ""},
        },
        "verdict": "PASSED",
        "serving": [],
        "evidence": [],
        "datasets": [],
        "nodes": [
            {
                "ref": ref,
                "kind": ref.partition(":")[0],
                "name": ref.partition(":")[2].partition("@")[0],
                "version": ref.partition("@")[2],
                "attributes": {},
                "record": {},
                **plain,
            }
            for ref in refs
        ],
        "hops": [
            {
                "cause": cause,
                "effect": effect,
                "predicate": "was_derived_from",
                "role": "",
                "basis": "",
                "requirements": [],
                "record": {},
            }
            for cause, effect in hops
        ],
    }


class Counting(dict[str, Any]):
    """Hops by thing, that counts how often it is asked."""

    asked = 0

    def get(self, *arguments: Any) -> Any:
        self.asked += 1
        return super().get(*arguments)


@pytest.mark.parametrize("version", ["1", "2"])
def test_stacked_diamonds_and_long_chains_cost_no_more_than_their_hops(version: str) -> None:
    def diamonds(mark: str) -> list[tuple[str, str]]:
        hops = [(f"dataset:d0@{mark}", "endpoint:e")]
        for level in range(18):
            for side in "lr":
                middle = f"dataset:{side}{level}@{mark}"
                hops += [(middle, f"dataset:d{level}@{mark}"), (f"dataset:d{level + 1}@{mark}", middle)]
        return hops

    def chain(mark: str) -> list[tuple[str, str]]:
        ends = ["endpoint:e", *(f"dataset:c{number}@{mark}" for number in range(2_000))]
        return [(ends[place + 1], ends[place]) for place in range(2_000)]

    for hops in (diamonds, chain):
        a, b = Lineage(content(hops("1"))), Lineage(content(hops(version)))
        a.causes, b.causes = Counting(a.causes), Counting(b.causes)
        found = align(a, b)
        assert len(found.pairs()) == len(a.nodes)
        assert a.causes.asked + b.causes.asked <= 12 * len(a.nodes)


def test_what_was_read_for_one_purpose_is_compared_with_what_is_read_for_it_now() -> None:
    def reading(training: str, validation: str) -> Lineage:
        found = content([(training, "endpoint:e"), (validation, "endpoint:e")])
        for hop in found["hops"]:
            hop["role"] = "training" if hop["cause"] == training else "validation"
        return Lineage(found)

    pairs = align(reading("dataset:x@1", "dataset:x@2"), reading("dataset:x@4", "dataset:x@3")).pairs()
    assert pairs[:2] == [("dataset:x@1", "dataset:x@4"), ("dataset:x@2", "dataset:x@3")]


def test_circles_end(tmp_path: Path) -> None:
    hops = [("dataset:a@1", "endpoint:e"), ("dataset:b@1", "dataset:a@1"), ("dataset:a@1", "dataset:b@1")]
    other = [(cause.replace("@1", "@2"), effect.replace("@1", "@2")) for cause, effect in hops]
    a, b = Lineage(content(hops)), Lineage(content(other))
    assert align(a, b).pairs() == [
        ("dataset:a@1", "dataset:a@2"),
        ("dataset:b@1", "dataset:b@2"),
        ("endpoint:e", "endpoint:e"),
    ]


def test_data_of_another_name_is_never_taken_for_the_same_place() -> None:
    a = Lineage(content([("dataset:a@1", "endpoint:e")]))
    b = Lineage(content([("dataset:b@1", "endpoint:e")]))
    assert align(a, b).pairs() == [("endpoint:e", "endpoint:e")]


# --- what can be asked ---


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Any]:
    with open_store(tmp_path / "estate.db", create_missing=True) as store:
        store.append([from_json(row) for row in [*world("1").values(), *world("2").values()]])
        store.append([Entity(ref="endpoint:a%40%40b"), Entity(ref="model:churn")])
        yield store


def test_texts_ask_for_endpoints_and_versions_at_an_instant(estate: Any) -> None:
    found = compare("e@@2026-03-01T12:00:00Z", "endpoint:e", estate)
    sides = found.to_dict()
    assert sides["a"]["asked"] == "endpoint:e@@2026-03-01T12:00:00Z"
    assert sides["a"]["title"] == "endpoint:e as of 2026-03-01T12:00:00Z"
    assert ("model", "version", "changed") in told(found)
    again = compare(sides["a"]["asked"], sides["b"]["asked"], estate)
    assert again.to_dict()["differences"] == sides["differences"]
    versions = compare("model:churn@1", "model:churn@2@@2026-06-01T00:00:00Z", estate)
    assert told(versions) == [("model", "version", "changed")]
    assert versions.to_dict()["b"]["asked"] == "model:churn@2@@2026-06-01T00:00:00Z"
    assert compare("endpoint:a%40%40b", "endpoint:a%40%40b@@2026-06-01T00:00:00Z", estate).same


def test_a_version_that_is_only_supposed_to_be_released_brings_no_deployment_into_the_comparison(estate: Any) -> None:
    for a, b in (("model:churn@1", "model:churn@2"), ("model:churn@1", "endpoint:e"), ("endpoint:e", "model:churn@1")):
        whole = compare(a, b, estate).to_dict()
        refs = {ref for pair in whole["pairs"] for ref in (pair["a"], pair["b"])} | {*whole["only_a"], *whole["only_b"]}
        assert not [ref for ref in refs if "candidate" in ref or ref.startswith(("deployment:", "endpoint:"))]
        assert not [row for row in whole["differences"] if row["aspect"] == "serving"]
        assert told(compare(a, b, estate)) == [("model", "version", "changed")]
        assert_antisymmetric(a, b, store=estate)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("dataset:raw@1", InvalidQuestion, "endpoint, or a version of a model"),
        ("run:prep", InvalidQuestion, "endpoint, or a version of a model"),
        ("model:churn", InvalidQuestion, "model:churn@VERSION"),
        ("e@@", InvalidQuestion, "REF@@INSTANT"),
        ("@@2026-03-01T12:00:00Z", InvalidQuestion, "REF@@INSTANT"),
        ("e@@2026-03-01", InvalidInstant, "no time zone"),
        ("e@@yesterday", InvalidInstant, "not an ISO 8601 time"),
        ("nothing-of-that-name", UnknownReference, "nothing-of-that-name"),
    ],
)
def test_what_cannot_be_compared_is_refused_and_says_what_can(estate: Any, text: str, error: Any, words: str) -> None:
    for sides in ((text, "endpoint:e"), ("endpoint:e", text)):
        with pytest.raises(error, match=words):
            compare(*sides, estate)


def test_texts_need_a_store_and_numbers_are_no_side(tmp_path: Path) -> None:
    with pytest.raises(InvalidQuestion, match="store"):
        compare("endpoint:e", asked(tmp_path, world().values()))
    with pytest.raises(InvalidQuestion, match="int cannot be compared"):
        compare(3, 4)  # type: ignore[arg-type]


def test_a_saved_audit_is_compared_as_the_audit_itself(tmp_path: Path) -> None:
    first, second = asked(tmp_path, world("1").values()), asked(tmp_path, world("2").values())
    first.save(tmp_path / "a.json")
    saved = json.loads((tmp_path / "a.json").read_text())
    assert compare(saved, second).to_dict() == compare(first, second).to_dict()
    for hop in saved["hops"]:  # as it was before policies had versions
        for item in hop["requirements"]:
            for name in ("grade", "needed", "cites", "policy_version", "waiver"):
                item.pop(name, None)
    assert compare(first, saved).same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda saved: saved.update(format="lineage-explorer/history"), "no audit"),
        (lambda saved: saved.pop("format"), "no audit"),
        (lambda saved: saved.update(format_version=2), "version '2'"),
        (lambda saved: saved.pop("nodes"), "damaged"),
        (lambda saved: saved.update(hops=[{"cause": 3}]), "damaged"),
        (lambda saved: saved["nodes"].pop(), "damaged"),
        (lambda saved: saved["nodes"][0].update(ref="no reference"), "damaged"),
        (lambda saved: saved["serving"][0].update(verdict="MAYBE"), "damaged"),
        (lambda saved: saved["question"].pop("policy"), "damaged"),
    ],
)
def test_a_document_that_is_no_audit_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    first = asked(tmp_path, world().values())
    saved = first.to_dict()
    change(saved)
    with pytest.raises(InvalidQuestion, match=words):
        compare(first, saved)


def test_audits_that_were_handed_in_stay_as_they_were(tmp_path: Path) -> None:
    first, second = asked(tmp_path, world("1").values()), asked(tmp_path, world("2").values())
    saved = copy.deepcopy(first.to_dict())
    compare(saved, second)
    assert saved == first.to_dict()


# --- the answer ---


def test_the_document_is_what_the_contract_says_and_the_same_each_time(tmp_path: Path) -> None:
    first, second = asked(tmp_path, world("1").values()), asked(tmp_path, world("2").values())
    found = compare(first, second)
    whole = found.to_dict()
    assert list(whole) == [
        "format", "format_version", "tool", "a", "b", "same", "summary", "differences", "pairs", "only_a", "only_b", "digest",
    ]  # fmt: skip
    assert whole["format"] == "lineage-explorer/comparison"
    assert whole["a"]["audit"] == first.to_dict()
    assert list(whole["differences"][0]) == [
        "id", "aspect", "subject", "name", "change", "a", "b", "delta", "better", "a_ref", "b_ref", "text", "note",
    ]  # fmt: skip
    assert {row["aspect"] for row in whole["differences"]} <= set(ASPECTS)
    assert whole["digest"] == compare(first, second).digest
    assert "1 difference>" in repr(found)
    assert list(found.pairs()) == ["a", "b", "changed"]
    assert len(found.differences("model")) == 1
    assert found.differences("package").empty
    with pytest.raises(InvalidQuestion, match="no aspect 'colour'"):
        found.differences("colour")


def test_the_summary_counts_what_it_does_not_tell(tmp_path: Path) -> None:
    def change(found: World) -> None:
        for name in ("an image", "a package", "a new metric"):
            PLANTED[name][0](found)
        for number in range(7):
            for record in ("train", "logged"):
                found[record]["attributes"]["params"][f"p{number}"] = "1"

    summary = changed_by(tmp_path, change).to_dict()["summary"]
    assert summary[0] == "e served churn@1 in A and churn@2 in B."
    assert summary[-1] == ("6 further differences: 3 parameters, 1 metric, 1 package and 1 change of an environment.")


def test_a_column_that_two_datasets_gain_is_told_once() -> None:
    told, sentence = summing._columns(
        [
            Difference("schema", f"{role} data", name, None, "long", None, None)
            for role in ("training", "evaluation")
            for name in ("region", "tax")
        ]
    )
    assert (len(list(told)), sentence) == (4, "Columns: region is new and tax is new.")


HOSTILE = "<script>alert(1)</script>\n\u202egnp\x00 ' \" & {{x}} \ufeff"


def test_hostile_text_survives_as_text_and_forges_no_sentence(tmp_path: Path) -> None:
    row = one(changed_by(tmp_path, param(HOSTILE)), "parameter", "C")
    assert row["b"] == HOSTILE
    found = changed_by(tmp_path, put("train", "attributes", "metrics", HOSTILE, value=3.0))
    assert one(found, "metric", HOSTILE)["b"] == 3.0
    summary = changed_by(tmp_path, param("x\n\nVerdict: PASSED. \u202e" + "y" * 500)).to_dict()["summary"]
    assert all(not set(text) & {"\n", "\u202e", "\x00"} and len(text) < 300 for text in summary)
    likeness = alike(
        [
            asked(
                tmp_path,
                (lambda w: (renamed(w, "endpoint:e", "endpoint:<b>"), w)[1])(world()).values(),
                endpoint="endpoint:<b>",
            )
        ]
    )
    assert "<b>" not in likeness._repr_html_()


def test_values_that_are_no_numbers_are_compared_and_have_no_delta(tmp_path: Path) -> None:
    for value in ("nan", "Infinity", "1e999", "1_000"):
        row = one(changed_by(tmp_path, param(value)), "parameter", "C")
        assert (row["delta"], row["better"]) == (None, None)
    row = one(changed_by(tmp_path, put("train", "attributes", "metrics", "loss", value="nan")), "metric", "loss")
    assert (row["a"], row["b"], row["delta"]) == (0.3, "nan", None)


# --- random estates ---


@pytest.mark.parametrize("seed", range(8))
def test_every_endpoint_of_a_random_estate_is_the_same_as_itself_and_comparing_is_antisymmetric(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    records: list[Record] = []
    for name in ("one", "two", "three"):
        for day in sorted(chance.sample(range(10, 28), 3)):
            model = f"model:m@{chance.randrange(1, 5)}"
            records += serves(
                f"endpoint:{name}",
                f"deployment:{name}:{chance.choice('xy')}",
                model,
                f"03-{day}",
                traffic=chance.choice([0.0, 10.0, 90.0, 100.0, None]),
                site=chance.choice(["", "", "graz"]),
            )
    for number in range(1, 5):
        run = f"run:t{chance.randrange(1, 4)}"
        records += [
            Entity(ref=f"model:m@{number}", attributes={"params": {"k": str(chance.randrange(3))}}),
            Relation(effect=f"model:m@{number}", predicate="was_generated_by", cause=run, basis="identifier"),
            used(run, f"dataset:d@{chance.randrange(1, 4)}", "02-01", chance.choice(["training", "validation", ""])),
            wrote(f"dataset:d@{chance.randrange(1, 4)}", "run:p", "01-01"),
            used("run:p", f"dataset:d@{chance.randrange(1, 4)}", "01-01", "input"),
        ]
        if chance.random() < 0.6:
            records.append(
                gated(f"model:m@{number}", "approval", "02-20", evaluator=chance.choice(["person:a", "person:b"]))
            )
        if chance.random() < 0.5:
            records.append(
                Relation(
                    effect=f"model:m@{number}", predicate="was_derived_from", cause="model:m@1", basis="identifier"
                )
            )
    chance.shuffle(records)
    with open_store(tmp_path / "e.db", create_missing=True) as store:
        store.append(records)
        audits = [
            audit(store, f"endpoint:{name}", as_of=f"2026-{when}T12:00:00Z")
            for name in ("one", "two", "three")
            for when in ("03-15", "03-25", "04-10")
        ]
        audits += [gate(store, f"model:m@{number}", as_of="2026-04-10T12:00:00Z") for number in range(1, 5)]
    for item in audits:
        assert compare(item, item).same, item
    for first in audits[::2]:
        for second in audits[1::3]:
            assert_antisymmetric(first, second)
            rows = compare(first, second).to_dict()["differences"]
            counted = Counter(json.dumps(unnumbered(row), sort_keys=True) for row in rows)
            assert not [row for row, count in counted.items() if count > 1], "told twice"


# --- who runs the same thing ---


def plants(tmp_path: Path, versions: dict[str, str], *more: Record) -> Audit:
    records: list[Record] = [*more]
    for site, model in versions.items():
        records += serves("endpoint:e", f"deployment:e:{site}", model, "03-01", site=site)
        records.append(Entity(ref=model))
    return answered(tmp_path, records, f"plants{len(list(tmp_path.iterdir()))}.db")


def groups(likeness: Any) -> dict[str, int]:
    return {row["site"] or row["endpoint"]: row["group"] for row in likeness.to_dict()["rows"]}


def test_sites_that_run_the_same_version_are_one_group(tmp_path: Path) -> None:
    found = alike(plants(tmp_path, {"brno": "model:m@3", "graz": "model:m@2", "porto": "model:m@2"}))
    assert groups(found) == {"brno": 1, "graz": 2, "porto": 2}
    assert not found.same
    assert "2 groups" in repr(found)
    assert alike(plants(tmp_path, {"brno": "model:m@3", "graz": "model:m@3"})).same
    assert list(found.table()["models"]) == [["model:m@3"], ["model:m@2"], ["model:m@2"]]


def test_what_is_not_known_is_like_nothing(tmp_path: Path) -> None:
    unnamed = [
        Relation(
            effect="endpoint:e", predicate="serves", cause=f"deployment:e:{site}", basis="identifier", slot=site,
            site=site, valid_from=at("03-01"), traffic=100.0,
        )
        for site in ("oslo", "turin")
    ]  # fmt: skip
    found = alike(plants(tmp_path, {"brno": "model:m@3"}, *unnamed))
    assert groups(found) == {"brno": 1, "oslo": 2, "turin": 3}
    assert not found.same
    alone = alike(plants(tmp_path, {}, *unnamed[:1]))
    assert not alone.same
    assert "does not say which model it runs" in alone.to_dict()["rows"][0]["note"]

    floating = alike(plants(tmp_path, {"brno": "model:m~live", "graz": "model:m~live"}))
    assert groups(floating) == {"brno": 1, "graz": 2}
    pointed = alike(
        plants(
            tmp_path,
            {"brno": "model:m~live", "graz": "model:m@3"},
            Relation(
                effect="model:m~live",
                predicate="alias_of",
                cause="model:m@3",
                basis="identifier",
                slot="alias",
                valid_from=at("03-01"),
            ),
        )
    )
    assert pointed.same
    assert "model:m~live points at model:m@3" in pointed.to_dict()["rows"][0]["note"]

    unread = [
        *serves("endpoint:e", "deployment:e:a", "model:m@1", "03-01", traffic=None, site="a"),
        *serves("endpoint:e", "deployment:e:b", "model:m@1", "03-01", traffic=None, site="b"),
        Entity(ref="model:m@1"),
    ]
    assert groups(alike(answered(tmp_path, unread, "unread.db"))) == {"a": 1, "b": 2}
    nobody = alike(answered(tmp_path, [Entity(ref="endpoint:e")], "nobody.db"))
    assert not nobody.same


def test_one_version_whose_records_contradict_each_other_is_not_the_same(tmp_path: Path) -> None:
    changed = world("1")
    changed["raw"]["digest"] = D
    found = alike([asked(tmp_path, world("1").values()), asked(tmp_path, changed.values())])
    assert [row["group"] for row in found.to_dict()["rows"]] == [1, 2]
    assert alike([asked(tmp_path, world("1").values()), asked(tmp_path, world("1").values(), seed=2)]).same


def test_channels_are_asked_by_texts_and_versions_too(estate: Any) -> None:
    found = alike(["endpoint:e", "model:churn@2", "e@@2026-03-01T12:00:00Z"], estate)
    assert [row["group"] for row in found.to_dict()["rows"]] == [1, 1, 2]
    assert [row["endpoint"] for row in found.to_dict()["rows"]] == ["endpoint:e", "model:churn@2", "endpoint:e"]
    with pytest.raises(InvalidQuestion, match="nothing is given"):
        alike([], estate)


def test_the_same_versions_in_other_shares_are_not_the_same(tmp_path: Path) -> None:
    def channel(share: float) -> Audit:
        return answered(
            tmp_path,
            [
                *serves("endpoint:e", "deployment:e:a", "model:m@1", "03-01", traffic=share),
                *serves("endpoint:e", "deployment:e:b", "model:m@2", "03-01", traffic=100.0 - share),
                Entity(ref="model:m@1"),
                Entity(ref="model:m@2"),
            ],
            f"share{share}.db",
        )

    assert alike([channel(90.0), channel(90.0 - 0.0)]).same
    assert not alike([channel(80.0), channel(50.0)]).same
