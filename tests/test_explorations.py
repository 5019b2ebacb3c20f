"""Explorations: what stands around anything, nearest first and never cut silently; and who served when."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, explore, lineage_graph, releases
from lineage_explorer.errors import AmbiguousReference, InvalidInstant, InvalidQuestion, UnknownReference
from lineage_explorer.records import Activity, Entity, Record, Ref, Relation, parse_instant
from lineage_explorer.store import Store, open_store, surroundings
from lineage_explorer.store.engines import for_sqlite

from . import estates
from .estates import at, gate, serves, used, wrote
from .snapshots import Snapshot

_PROFILE = settings(
    max_examples=400 if os.environ.get("LINEAGE_CAMPAIGN") else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def made(effect: str, cause: str, **more: Any) -> Relation:
    return Relation(effect=effect, predicate="was_derived_from", cause=cause, basis="identifier", **more)


def refs(found: Mapping[str, Any]) -> list[str]:
    return [node["ref"] for node in found["nodes"]]


def links(found: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(hop["cause"], hop["effect"]) for hop in found["hops"]}


# --- what stands around a thing ---


def test_the_neighbours_of_a_thing_are_one_step_away_and_what_is_further_is_counted(store: Store) -> None:
    store.append(estates.complete())
    found = explore(store, "run:train")
    assert refs(found) == ["run:train", "dataset:features@1", "model:churn@1"]
    assert found["beyond"] == {
        "dataset:features@1": {"upstream": 1, "downstream": 0},
        "model:churn@1": {"upstream": 0, "downstream": 1},
    }
    assert refs(explore(store, "run:train", "upstream")) == ["run:train", "dataset:features@1"]
    assert refs(explore(store, "run:train", "downstream")) == ["run:train", "model:churn@1"]
    assert refs(explore(store, "run:train", depth=0)) == ["run:train"]
    assert explore(store, "run:train", depth=0)["beyond"] == {"run:train": {"upstream": 1, "downstream": 1}}


def test_everything_upstream_of_an_endpoint_is_what_an_audit_reaches(store: Store) -> None:
    store.append(estates.complete())
    found = explore(store, "endpoint:churn", "upstream", depth=None)
    graph = lineage_graph(store, "endpoint:churn", as_of=store.now(), known_at=store.now())
    assert set(refs(found)) == set(graph)
    assert links(found) == set(graph.edges())
    assert found["beyond"] == {}


def test_rows_are_those_of_an_audit_and_nothing_is_judged(store: Store) -> None:
    store.append(
        [*estates.complete(), gate("dataset:features@1", "data_quality", "02-01", "failed", expected="rows > 0")]
    )
    judged = audit(store, "endpoint:churn").to_dict()
    found = explore(store, "endpoint:churn", "upstream", depth=None)
    rows = {node["ref"]: node for node in judged["nodes"]}
    for node in found["nodes"]:
        # What a node was for is read off the trace of an endpoint.
        assert node == {**rows[node["ref"]], "roles": [], "outside": False}
    assert len(found["hops"]) == len(judged["hops"])
    for mine, theirs in zip(found["hops"], judged["hops"], strict=True):
        assert mine == {**theirs, "id": "x" + theirs["id"][1:], "status": "none", "requirements": [], "outside": False}
    assert [{**row, "id": row["id"][1:]} for row in found["evidence"]] == judged["evidence"]
    assert not {row["id"] for row in found["hops"] + found["evidence"]} & {
        row["id"] for row in judged["hops"] + judged["evidence"]
    }


def test_both_ways_are_ancestors_and_descendants_and_not_what_shares_an_ancestor(store: Store) -> None:
    store.append(
        [
            made("model:mine@1", "dataset:d@1"),
            made("model:other@1", "dataset:d@1"),
            made("model:small@1", "model:mine@1"),
        ]
    )
    found = explore(store, "model:mine@1", depth=None)
    assert refs(found) == ["model:mine@1", "dataset:d@1", "model:small@1"]
    assert found["beyond"] == {"dataset:d@1": {"upstream": 0, "downstream": 1}}


def test_a_cycle_ends_and_is_shown_whole(store: Store) -> None:
    circle = [
        made("dataset:b@1", "dataset:a@1"),
        made("dataset:c@1", "dataset:b@1"),
        made("dataset:a@1", "dataset:c@1"),
    ]
    store.append([*circle, made("dataset:out@1", "dataset:b@1"), made("dataset:a@1", "dataset:a@1")])
    for direction in ("upstream", "downstream", "both"):
        found = explore(store, "dataset:a@1", direction, depth=None)  # type: ignore[arg-type]
        inside = {"dataset:a@1", "dataset:b@1", "dataset:c@1"}
        assert set(refs(found)) == inside | (set() if direction == "upstream" else {"dataset:out@1"})
        assert ("dataset:a@1", "dataset:a@1") in links(found)
        assert found["beyond"] == ({"dataset:b@1": {"upstream": 0, "downstream": 1}} if direction == "upstream" else {})


def test_what_stands_on_both_sides_takes_the_room_of_one(store: Store) -> None:
    store.append([made("model:z@1", "model:root@1"), made("model:a@1", "model:z@1"), made("model:root@1", "model:a@1")])
    store.append([made("model:m@1", "model:z@1")])
    assert refs(explore(store, "model:root@1", depth=None, limit=4)) == [
        f"model:{name}@1" for name in ("root", "a", "z", "m")
    ]


def test_what_feeds_thousands_of_things_is_shown_up_to_the_limit_and_the_rest_counted(store: Store) -> None:
    several = 3_000
    store.append(made(f"dataset:d{number:04}@1", "dataset:base@1") for number in range(several))
    store.append(made("dataset:base@1", f"dataset:source{number}@1") for number in range(3))
    found = explore(store, "dataset:base@1", depth=None, limit=40)
    assert len(found["nodes"]) == 40
    # In order of reference among what is equally near: whoever asks again sees the same.
    assert refs(found)[1:] == [f"dataset:d{number:04}@1" for number in range(39)]
    assert found["beyond"] == {"dataset:base@1": {"upstream": 3, "downstream": several - 39}}
    around = explore(store, "dataset:d0000@1", "upstream")
    assert around["beyond"] == {"dataset:base@1": {"upstream": 3, "downstream": several - 1}}


def test_a_limit_cuts_the_furthest_first(store: Store) -> None:
    store.append(made(f"dataset:{number + 1}@1", f"dataset:{number}@1") for number in range(20))
    found = explore(store, "dataset:10@1", depth=None, limit=5)
    assert refs(found) == [f"dataset:{number}@1" for number in (10, 11, 9, 12, 8)]
    assert found["beyond"] == {
        "dataset:12@1": {"upstream": 0, "downstream": 1},
        "dataset:8@1": {"upstream": 1, "downstream": 0},
    }
    assert refs(explore(store, "dataset:10@1", depth=None, limit=1)) == ["dataset:10@1"]


def test_a_reference_without_its_namespace_is_the_thing_that_it_can_only_mean(store: Store) -> None:
    store.append(
        [
            Entity(ref="dataset:lake/orders@1"),
            used("run:a", "dataset:orders@1", "02-01"),
            used("run:b", "dataset:lake/orders@1", "02-01"),
        ]
    )
    for asked in ("dataset:lake/orders@1", "dataset:orders@1"):
        found = explore(store, asked)
        assert found["root"] == "dataset:lake/orders@1"
        assert refs(found) == ["dataset:lake/orders@1", "run:a", "run:b"]
        hops = {hop["effect"]: hop for hop in found["hops"]}
        assert (hops["run:a"]["via"], hops["run:a"]["basis"]) == ("dataset:orders@1", "name_version")
        assert hops["run:b"]["via"] == ""
    # Seen from the reader it is one neighbour, also when it is read under both names.
    store.append([used("run:b", "dataset:orders@1", "02-01")])
    assert explore(store, "run:b", depth=0)["beyond"] == {"run:b": {"upstream": 1, "downstream": 0}}


def test_what_a_reference_means_is_what_was_known_then(store: Store) -> None:
    store.append([used("run:r", "dataset:orders@1", "02-01")])
    known = store.now()
    store.append([Entity(ref="dataset:lake/orders@1")])
    assert refs(explore(store, "run:r")) == ["run:r", "dataset:lake/orders@1"]
    assert refs(explore(store, "run:r", known_at=known)) == ["run:r", "dataset:orders@1"]


def test_a_reference_that_may_mean_several_things_stays_one_of_its_own(store: Store) -> None:
    store.append(
        [Entity(ref="dataset:a/orders@1"), Entity(ref="dataset:b/orders@1"), used("run:r", "dataset:orders@1", "02-01")]
    )
    found = explore(store, "run:r")
    assert refs(found) == ["run:r", "dataset:orders@1"]
    assert [node["resolved"] for node in found["nodes"]] == [False, False]


def test_two_records_of_one_name_stand_beside_each_other(store: Store) -> None:
    store.append([Entity(ref="dataset:orders@1"), Entity(ref="dataset:lake/orders@1")])
    found = explore(store, "dataset:orders@1")
    assert refs(found) == ["dataset:orders@1", "dataset:lake/orders@1"]
    assert [hop["predicate"] for hop in found["hops"]] == ["alternate_of"]
    alone = explore(store, "dataset:lake/orders@1", "upstream")
    assert alone["beyond"] == {"dataset:lake/orders@1": {"upstream": 0, "downstream": 1}}


def test_a_dataset_without_versions_stands_for_the_states_it_had_been_in(store: Store) -> None:
    store.append(
        [
            Entity(ref="dataset:t", description="orders"),
            *(wrote("dataset:t", f"run:w{day}", day) for day in ("02-01", "02-03", "02-05")),
            used("run:r", "dataset:t", "02-04"),
        ]
    )
    found = explore(store, "dataset:t", as_of=at("02-04"))
    states = [f"dataset:t@written:2026-02-{day}T00:00:00Z" for day in ("03", "01")]
    assert refs(found) == ["dataset:t", *states, "run:r", "run:w02-01", "run:w02-03"]
    assert {(state, "dataset:t") for state in states} <= links(found)
    assert (states[0], "run:r") in links(found)
    assert found["nodes"][1]["description"] == "orders"
    # A state is a thing like any other: what was written after it is not upstream of it.
    earlier = explore(store, states[1], "upstream", depth=None)
    assert refs(earlier) == [states[1], "run:w02-01"]
    short = explore(store, "dataset:t", as_of=at("02-06"), limit=2)
    assert refs(short) == ["dataset:t", "dataset:t@written:2026-02-05T00:00:00Z"]
    assert short["beyond"]["dataset:t"] == {"upstream": 2, "downstream": 0}


def test_what_no_record_describes_can_be_asked_about(store: Store) -> None:
    store.append([used("run:r", "dataset:nobody@1", "02-01")])
    found = explore(store, "dataset:nobody@1")
    assert [(node["ref"], node["resolved"]) for node in found["nodes"]] == [
        ("dataset:nobody@1", False),
        ("run:r", False),
    ]


def test_only_what_was_so_and_was_known_is_around(store: Store) -> None:
    store.append([used("run:early", "dataset:d@1", "02-01"), used("run:late", "dataset:d@1", "03-01")])
    known = store.now()
    store.append([used("run:told-later", "dataset:d@1", "02-01")])
    assert refs(explore(store, "dataset:d@1")) == ["dataset:d@1", "run:early", "run:late", "run:told-later"]
    assert refs(explore(store, "dataset:d@1", as_of=at("02-15"))) == ["dataset:d@1", "run:early", "run:told-later"]
    then = explore(store, "dataset:d@1", as_of="2026-02-15T01:00:00+01:00", known_at=known)
    assert refs(then) == ["dataset:d@1", "run:early"]
    assert then["question"]["as_of"] == "2026-02-15T00:00:00Z"
    question = dict(then["question"])
    assert explore(store, question.pop("ref"), **question) == then
    hidden = explore(store, "dataset:d@1", depth=0, as_of=at("02-15"))
    assert hidden["beyond"] == {"dataset:d@1": {"upstream": 0, "downstream": 2}}


def test_a_question_that_cannot_be_asked_says_what_can(store: Store) -> None:
    store.append([Entity(ref="model:a/m@1"), Entity(ref="model:b/m@1")])
    with pytest.raises(UnknownReference, match="model:a/m@1"):
        explore(store, "model:a/mm@1")
    with pytest.raises(AmbiguousReference, match="model:b/m@1"):
        explore(store, "model:m@1")
    with pytest.raises(InvalidQuestion, match="upstream, downstream, both"):
        explore(store, "model:a/m@1", "sideways")  # type: ignore[arg-type]
    with pytest.raises(InvalidQuestion, match="depth"):
        explore(store, "model:a/m@1", depth=-1)
    with pytest.raises(InvalidQuestion, match="limit"):
        explore(store, "model:a/m@1", limit=0)
    with pytest.raises(InvalidInstant, match="time zone"):
        explore(store, "model:a/m@1", as_of="2026-01-01")


def test_no_table_is_read_from_end_to_end_even_after_statistics_were_gathered(file_store: Store) -> None:
    file_store.append(estates.complete())
    connection = sqlite3.connect(file_store.path)
    connection.execute("ANALYZE")
    values = {"things": "[1]", "seen": "[1]", "room": 1, "as_of": 0, "known_at": 0}
    for statement in (*surroundings.NEXT.values(), *surroundings.BEYOND.values()):
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + for_sqlite(statement), values)]
        scanned = {step.split()[1] for step in plan if step.startswith("SCAN")}
        assert scanned <= {"j", "k", "own", "near", "x"}, plan
        assert any(step.startswith("SEARCH e USING") for step in plan), plan
    connection.close()


# --- against a model that is too simple to be wrong ---

_THINGS = [
    *(f"dataset:{namespace}d{number}@1" for number in range(2) for namespace in ("", "a/", "b/")),
    *(f"model:{namespace}m@1" for namespace in ("", "a/")),
    "run:r1",
    "run:a/r1",
]
_RELATIONS = st.lists(
    st.tuples(st.sampled_from(_THINGS), st.sampled_from(_THINGS), st.sampled_from(["", "01-05", "01-15"])), max_size=14
)


class Model:
    """Things and what they are made from, as sets."""

    def __init__(self, described: Iterable[str], relations: Iterable[tuple[str, str, str]], day: str) -> None:
        self.described = set(described)
        self.edges = {(self.meant(cause), self.meant(effect)) for effect, cause, when in relations if when <= day}
        for ref in self.described:
            if "/" not in ref and not ref.startswith("run:") and len(same := self.namesakes(ref)) == 1:
                self.edges.add((same[0], ref))

    def namesakes(self, bare: str) -> list[str]:
        return [ref for ref in self.described if "/" in ref and Ref.parse(ref).bare == bare]

    def meant(self, ref: str) -> str:
        if "/" in ref or ref.startswith("run:") or ref in self.described:
            return ref
        same = self.namesakes(ref)
        return same[0] if len(same) == 1 else ref

    def near(self, ref: str, way: str) -> set[str]:
        found = [(effect, cause) if way == "upstream" else (cause, effect) for cause, effect in self.edges]
        return {other for one, other in found if one == ref}

    def around(self, root: str, ways: list[str], depth: int | None, limit: int) -> list[str]:
        shown = [root]
        last = {way: {root} for way in ways}
        seen = {way: {root} for way in ways}
        level = 0
        while any(last.values()) and len(shown) < limit and (depth is None or level < depth):
            level += 1
            found = {way: {near for ref in last[way] for near in self.near(ref, way)} - seen[way] for way in ways}
            shown += sorted(set().union(*found.values()) - set(shown))[: limit - len(shown)]
            last = {way: found[way] & set(shown) for way in ways}
            seen = {way: seen[way] | last[way] for way in ways}
        return shown


@_PROFILE
@given(
    described=st.sets(st.sampled_from(_THINGS)),
    relations=_RELATIONS,
    day=st.sampled_from(["01-10", "01-20"]),
    direction=st.sampled_from(["upstream", "downstream", "both"]),
    depth=st.sampled_from([0, 1, 2, None]),
    limit=st.sampled_from([1, 3, 5, 100]),
)
def test_what_is_shown_and_what_is_counted_are_those_of_the_model(
    tmp_path_factory: pytest.TempPathFactory,
    described: set[str],
    relations: list[tuple[str, str, str]],
    day: str,
    direction: Any,
    depth: int | None,
    limit: int,
) -> None:
    model = Model(described, relations, day)
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append(Activity(ref=ref) if ref.startswith("run:") else Entity(ref=ref) for ref in described)
        store.append(
            made(effect, cause, **({"event_time": at(when)} if when else {})) for effect, cause, when in relations
        )
        for ref in sorted(described | {end for effect, cause, _ in relations for end in (effect, cause)}):
            found = explore(store, ref, direction, depth, at(day), limit=limit)
            ways = ["upstream", "downstream"] if direction == "both" else [direction]
            shown = model.around(model.meant(ref), ways, depth, limit)
            assert refs(found) == shown
            assert links(found) == {edge for edge in model.edges if set(edge) <= set(shown)}
            beyond = {
                item: {way: len(model.near(item, way) - set(shown)) for way in ("upstream", "downstream")}
                for item in shown
            }
            assert found["beyond"] == {item: counts for item, counts in beyond.items() if any(counts.values())}


# --- who served, and when ---


def served(found: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [(item["since"], item["until"], [row["model"] for row in item["serving"]]) for item in found]


def test_releases_follow_each_other_and_a_hole_is_one_too(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", valid_to=at("04-01")))
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@2", "05-01", site="", traffic=100.0))
    assert served(releases(store, "e")) == [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", ["model:m@1"]),
        ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", []),
        ("2026-05-01T00:00:00Z", None, ["model:m@2"]),
    ]
    assert [item["between_syncs"] for item in releases(store, "e")] == [False, False, False]


def test_an_endpoint_that_nobody_served_has_no_release(store: Store) -> None:
    store.append([Entity(ref="endpoint:e")])
    assert releases(store, "endpoint:e") == []
    with pytest.raises(UnknownReference):
        releases(store, "f")


def test_a_change_that_two_syncs_saw_the_ends_of_is_told_as_such(store: Store) -> None:
    for day, model in (("03-01", "model:m@1"), ("03-05", "model:m@1"), ("03-09", "model:m@2")):
        records = [
            Relation(
                effect="endpoint:e",
                predicate="serves",
                cause="deployment:e:d",
                basis="identifier",
                slot="d",
                splits=False,
            ),
            Relation(effect="deployment:e:d", predicate="deploys", cause=model, basis="identifier", slot="model"),
        ]
        store.ingest(Snapshot(records), observed_at=at(day))
    store.ingest(Snapshot([]), observed_at=at("03-12"))
    found = releases(store, "e")
    assert served(found) == [
        ("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z", ["model:m@1"]),
        ("2026-03-09T00:00:00Z", "2026-03-12T00:00:00Z", ["model:m@2"]),
        ("2026-03-12T00:00:00Z", None, []),
    ]
    assert [item["between_syncs"] for item in found] == [True, True, True]


def test_an_alias_that_moves_is_a_release_though_the_deployment_names_the_same(store: Store) -> None:
    def points(model: str, day: str) -> Relation:
        return Relation(
            effect="model:prod/m~champion",
            predicate="alias_of",
            cause=model,
            basis="identifier",
            slot="alias",
            valid_from=at(day),
        )

    store.append(serves("endpoint:e", "deployment:e:d", "model:m~champion", "03-01"))
    store.append(
        [Entity(ref="model:prod/m~champion"), points("model:prod/m@1", "02-01"), points("model:prod/m@2", "04-01")]
    )
    found = releases(store, "e")
    assert served(found) == [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", ["model:prod/m~champion"]),
        ("2026-04-01T00:00:00Z", None, ["model:prod/m~champion"]),
    ]
    assert [row["points_at"] for item in found for row in item["serving"]] == [["model:prod/m@1"], ["model:prod/m@2"]]


def test_releases_are_those_that_were_known(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01"))
    known = store.now()
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@2", "04-01"))
    assert served(releases(store, "e", known)) == [("2026-03-01T00:00:00Z", None, ["model:m@1"])]
    assert len(releases(store, "e")) == 2


_MODELS = ["model:m@1", "model:m@2", "model:m~live", "model:x/m@1"]
_DEPLOYED = st.dictionaries(
    st.sampled_from(["deployment:e:a", "deployment:e:b"]),
    st.tuples(st.sampled_from(_MODELS), st.sampled_from([None, 0.0, 40.0, 100.0]), st.booleans()),
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("synced"), st.integers(1, 9), st.tuples(_DEPLOYED, st.sampled_from(["", "model:m@1", "model:m@2"]))),
        st.tuples(st.just("dated"), st.integers(1, 19), st.tuples(st.sampled_from(["deployment:e:a", "deployment:e:c"]), st.sampled_from(_MODELS), st.sampled_from([0, 3]))),
        st.tuples(st.just("described"), st.integers(1, 19), st.sampled_from(_MODELS)),
    ),
    min_size=1,
    max_size=7,
)  # fmt: skip


def day(number: int) -> datetime:
    return parse_instant(f"2026-01-{number:02}T00:00:00Z")


def snapshot(deployed: Mapping[str, tuple[str, float | None, bool]], alias: str) -> list[Record]:
    found: list[Record] = [Entity(ref="endpoint:e")]
    for deployment, (model, traffic, splits) in deployed.items():
        found.append(
            Relation(
                effect="endpoint:e", predicate="serves", cause=deployment, basis="identifier", slot=deployment, traffic=traffic, splits=splits
            )
        )  # fmt: skip
        found.append(Relation(effect=deployment, predicate="deploys", cause=model, basis="identifier", slot="model"))
    if alias:
        found.append(
            Relation(effect="model:m~live", predicate="alias_of", cause=alias, basis="identifier", slot="alias")
        )
    return found


def write(store: Store, kind: str, number: int, what: Any) -> None:
    if kind == "synced":
        store.ingest(Snapshot(snapshot(*what)), observed_at=day(2 * number))
    elif kind == "described":
        store.append([Entity(ref=what)])
    else:
        deployment, model, lasts = what
        more = {"valid_to": day(number) + timedelta(days=lasts)} if lasts else {}
        store.append(serves("endpoint:e", deployment, model, f"01-{number:02}", **more))


def shown(rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    names = ("deployment", "model", "traffic", "state", "site")
    return sorted(([row[name] for name in names] for row in rows), key=repr)


@_PROFILE
@given(steps=_STEPS)
def test_an_audit_inside_a_span_names_the_same_that_served(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, Any]]
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append([Entity(ref="endpoint:e")])
        recorded = []
        for step in steps:
            write(store, *step)
            recorded.append(store.recorded_by(store.now()))
        for known in {recorded[-1], recorded[len(recorded) // 2]}:
            found = releases(store, "endpoint:e", known)
            for one, following in pairwise(found):
                assert one["until"] == following["since"]
                assert one["serving"] != following["serving"]
            if found:
                assert found[0]["serving"]
                assert found[-1]["until"] is None
                before = parse_instant(found[0]["since"]) - timedelta(microseconds=1)
                assert audit(store, "endpoint:e", before, known).to_dict()["serving"] == []
            for item in found:
                since = parse_instant(item["since"])
                until = parse_instant(item["until"]) if item["until"] else since + timedelta(days=3)
                for instant in (since, since + (until - since) / 2, until - timedelta(microseconds=1)):
                    said = audit(store, "endpoint:e", instant, known).to_dict()
                    assert shown(said["serving"]) == shown(item["serving"]), (item, instant)
