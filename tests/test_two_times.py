"""Two times, against a model that is too simple to be wrong: random histories, in any order of arrival.

A snapshot shows everything that a registry holds at an instant. So what was so at T is what the last snapshot at or
before T showed; and what was known at K is the same, of the snapshots that had arrived by K.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, lineage_graph
from lineage_explorer.records import Entity, Evidence, Record, Relation, parse_instant
from lineage_explorer.sources import Observation
from lineage_explorer.store import Store, open_store

from .estates import serves, used, wrote
from .snapshots import Snapshot

Content = Mapping[str, str]
_NAMES = ("a", "b")
_PROFILE = settings(
    max_examples=400 if os.environ.get("LINEAGE_CAMPAIGN") else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def day(number: int) -> Any:
    return parse_instant(f"2026-01-{number:02}T00:00:00Z")


def records(content: Content) -> list[Record]:
    """Aliases that point at versions, an approval that goes with each, and a description."""
    found: list[Record] = []
    for name, value in content.items():
        alias = f"model:m~{name}"
        found.append(
            Relation(effect=alias, predicate="alias_of", cause=f"model:m@{value}", basis="identifier", slot="alias")
        )
        status: Any = "passed" if value in "13" else "failed"
        found.append(Evidence(subject=alias, gate="g", status=status))
        found.append(Entity(ref=alias, description=value))
    return found


def gate(value: str | None) -> bool | None:
    return None if value is None else value in "13"


_CONTENT = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from("123"))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, Content]]:
    """Snapshots of different days, in the order in which they arrive."""
    days = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    return [(2 * number, draw(_CONTENT)) for number in days]


def shown(snapshots: list[tuple[int, Content]], when: int) -> tuple[Content, Content | None]:
    """What the last snapshot at or before a day showed; and the next one's, where the day lies between the two."""
    before = [item for item in snapshots if item[0] <= when]
    after = [item for item in snapshots if item[0] > when]
    last: tuple[int, Content] = max(before, key=lambda item: item[0], default=(0, {}))
    following = min(after, key=lambda item: item[0])[1] if after and before and when > last[0] else None
    return last[1], following


def answered(store: Store, when: int, known: Any) -> dict[str, Any]:
    """What the store says at a day, of what it knew: pointing, surety, gate, description."""
    found: dict[str, Any] = {}
    for name in _NAMES:
        ref = f"model:m~{name}"
        number = store.number(ref)
        if number is None:
            continue
        reached = store.reachable(ref, as_of=day(when), known_at=known)
        targets = [(reached.nodes[edge.cause].ref, edge.sure_to) for edge in reached.edges if edge.effect == number]
        said = store.evidence([number], day(when), known)
        texts = {item.seq: store.describe([item.seq])[item.seq].json for item in said}
        entity = reached.nodes[number]
        found[name] = (targets, [(item, "passed" in texts[item.seq]) for item in said], bool(entity.gone))
    return found


@_PROFILE
@example(history=[(2, {"a": "1"}), (6, {"a": "1"}), (4, {}), (8, {})])
@given(history=histories())
def test_what_was_so_and_what_was_known_are_those_of_the_model(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[int, Content]]
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        known: list[Any] = []
        for number, content in history:
            store.ingest(Snapshot(records(content)), observed_at=day(number))
            known.append(store.recorded_by(store.now()))
        for arrived, instant in enumerate(known, 1):
            for when in range(1, 20):
                now, following = shown(history[:arrived], when)
                said = answered(store, when, instant)
                for name in _NAMES:
                    targets, evidence, gone = said.get(name, ([], [], False))
                    assert [target for target, _ in targets] == ([f"model:m@{now[name]}"] if name in now else []), name
                    changing = following is not None and now.get(name) != following.get(name)
                    for _, sure_to in targets:
                        assert (sure_to is not None and _micros(when) >= sure_to) == changing, (name, when)
                    standing = [(item, passed) for item, passed in evidence if not item.gone]
                    assert [passed for _, passed in standing] == ([now[name] in "13"] if name in now else []), name
                    judged = following is not None and gate(now.get(name)) != gate(following.get(name))
                    assert all(item.sure != judged for item, _ in standing)
                    ever = any(name in content for number, content in history[:arrived] if number <= when)
                    assert gone == (ever and name not in now), (name, when)
        assert store.verify().ok


def _micros(when: int) -> int:
    return int(day(when).timestamp()) * 1_000_000


def said_graph(store: Store, ref: str, when: int) -> Any:
    graph = lineage_graph(store, ref, as_of=day(when), known_at=store.now())
    return sorted(
        (cause, effect, data["predicate"], data["basis"], data["valid_from"], data["valid_to"], data["sure_to"])
        for cause, effect, data in graph.edges(data=True)
    )


@_PROFILE
@given(history=histories(), data=st.data())
def test_snapshots_give_one_graph_in_whatever_order_they_come_and_however_often(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[int, Content]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history + history[:1]))
    answers = []
    for order in (history, shuffled):
        with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
            for number, content in order:
                store.ingest(Snapshot(records(content)), observed_at=day(number))
            answers.append(
                {
                    (name, when): said_graph(store, f"model:m~{name}", when)
                    for name in _NAMES
                    for when in range(1, 20)
                    if store.number(f"model:m~{name}") is not None
                }
            )
    assert answers[0] == answers[1]


_DATED = st.one_of(
    st.builds(lambda n, d: [wrote("dataset:t", f"run:w{n}", f"01-{d:02}")], st.integers(0, 3), st.integers(1, 19)),
    st.builds(lambda n, d: [used(f"run:r{n}", "dataset:t", f"01-{d:02}")], st.integers(0, 2), st.integers(1, 19)),
    st.builds(
        lambda n, d: [*serves("endpoint:e", "deployment:e:d", f"model:m@{n}", f"01-{d:02}")],
        st.integers(0, 3),
        st.integers(1, 19),
    ),
    st.builds(
        lambda n, r: [
            Relation(effect=f"model:m@{n}", predicate="was_generated_by", cause=f"run:r{r}", basis="identifier")
        ],
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    st.builds(lambda v: records({"a": v}), st.sampled_from("123")),
)


def audited(store: Store, when: int) -> Any:
    """An audit without what tells when and as which line it was recorded."""

    def stripped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: stripped(item) for key, item in value.items() if key not in ("recorded_at", "known_at")}
        return [stripped(item) for item in value] if isinstance(value, list) else value

    return {
        key: item for key, item in stripped(audit(store, "e", as_of=day(when)).to_dict()).items() if key != "digest"
    }


@_PROFILE
@given(history=st.lists(st.tuples(_DATED, st.integers(1, 19)), min_size=1, max_size=7), data=st.data())
def test_observations_of_their_own_time_give_one_audit_in_whatever_order_they_come(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[list[Record], int]], data: st.DataObject
) -> None:
    """A@1, A@3 and then a late B@2 included: what was confirmed is not forgotten."""
    items = [Observation(record=record, observed_at=day(when)) for found, when in history for record in found]
    items.append(Observation(record=Entity(ref="endpoint:e"), observed_at=day(1)))
    shuffled = data.draw(st.permutations(items + items[:2]))
    answers = []
    for order, size in ((items, len(items)), (shuffled, 2)):
        with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
            for start in range(0, len(order), size):
                store.append(order[start : start + size])
            answers.append([audited(store, when) for when in (2, 7, 12, 20)])
            assert store.verify().ok
    assert answers[0] == answers[1]


@_PROFILE
@given(history=histories(), later=histories())
def test_an_audit_of_the_past_has_one_digest_however_much_is_ingested_later(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[int, Content]], later: list[tuple[int, Content]]
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append(serves("endpoint:e", "deployment:e:d", "model:m~a", "01-01"))
        for number, content in history:
            store.ingest(Snapshot(records(content)), observed_at=day(number))
        known = store.now()
        before = {when: audit(store, "e", as_of=day(when), known_at=known).digest for when in (3, 10, 19)}
        for number, content in later:
            store.ingest(Snapshot(records(content)), observed_at=day(number))
        store.append(serves("endpoint:e", "deployment:e:d", "model:m@9", "01-02"))
        assert {when: audit(store, "e", as_of=day(when), known_at=known).digest for when in (3, 10, 19)} == before
        changed = [when for when in before if audit(store, "e", as_of=day(when)).digest != before[when]]
        assert changed == [3, 10, 19]  # the late release changes what is known now of all of them
