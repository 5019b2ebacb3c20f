"""Leafing through what a store mentions, and breaking off what takes too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer.errors import InvalidQuestion, StoreError
from lineage_explorer.records import Entity, Record, Ref
from lineage_explorer.store import Store, open_store

from .estates import complete, used, wrote

# --- things ---


def listed(store: Store, kind: str, text: str = "") -> list[tuple[str, str, str, int]]:
    page = store.things(kind, text=text)
    assert page.total == len(page.items)
    return [(item.namespace, item.name, item.ref, item.versions) for item in page.items]


def entities(*refs: str) -> list[Record]:
    return [Entity(ref=ref) for ref in refs]


def test_the_versions_of_a_thing_are_one_item(store: Store) -> None:
    store.append(
        entities("model:churn@1", "model:churn@2", "model:churn~champion", "model:prod/churn@1", "model:churn-b@7")
    )
    assert listed(store, "model") == [
        ("", "churn", "model:churn", 3),
        ("", "churn-b", "model:churn-b@7", 1),
        ("prod", "churn", "model:prod/churn@1", 1),
    ]


def test_a_thing_is_told_by_its_own_reference_where_that_is_on_record(store: Store) -> None:
    store.append(
        entities("dataset:lake/orders@1", "dataset:lake/orders", "dataset:lake/returns", "dataset:once~latest")
    )
    assert listed(store, "dataset") == [
        ("lake", "orders", "dataset:lake/orders", 1),
        ("lake", "returns", "dataset:lake/returns", 0),
        ("", "once", "dataset:once~latest", 1),
    ]


def test_what_is_only_mentioned_is_listed_too_and_so_are_the_states_of_data(store: Store) -> None:
    store.append(
        [
            used("run:r", "dataset:raw@1", "02-03"),
            wrote("dataset:t", "run:w", "02-01"),
            used("run:r", "dataset:t", "02-02"),
        ]
    )
    assert listed(store, "dataset") == [
        ("", "raw", "dataset:raw@1", 1),
        ("", "t", "dataset:t@written:2026-02-01T00:00:00Z", 1),
    ]
    assert listed(store, "run") == [("", "r", "run:r", 0), ("", "w", "run:w", 0)]


def test_kinds_are_counted_in_things(store: Store) -> None:
    assert store.kinds() == {}
    store.append(complete())
    store.append(entities("model:churn@2", "model:risk@1"))
    assert store.kinds() == {"dataset": 2, "deployment": 1, "endpoint": 1, "model": 2, "run": 2}


def test_what_is_added_appears_whoever_added_it(place: Callable[[], str]) -> None:
    location = place()
    with open_store(location, create_missing=True) as store, open_store(location) as other:
        store.append(entities("model:a@1"))
        assert (listed(other, "model"), other.kinds()) == ([("", "a", "model:a@1", 1)], {"model": 1})
        store.append(entities("model:a@2", "model:b@1"))
        assert listed(other, "model") == [("", "a", "model:a", 2), ("", "b", "model:b@1", 1)]
        assert other.things("model", text="b").total == 1
        assert other.kinds() == {"model": 2}


def test_what_was_taken_back_is_not_listed(store: Store) -> None:
    def undone() -> None:
        columns = ("id", "ref", "kind", "name", "namespace", "bare")
        with store._transaction():
            store._engine.insert("node", columns, [(2, "model:ghost@1", "model", "ghost", "", "model:ghost@1")])
            assert [name for _, name, _, _ in listed(store, "model")] == ["ghost", "real"]
            raise OSError("the disk is full")

    store.append(entities("model:real@1"))
    with pytest.raises(OSError, match="full"):
        undone()
    store.append(entities("model:second@1"))  # under the number that the ghost had
    assert [name for _, name, _, _ in listed(store, "model")] == ["real", "second"]


def test_pages_together_are_the_list(store: Store) -> None:
    store.append(
        entities(*(f"dataset:ns{number % 3}/d{number}@{version}" for number in range(40) for version in (1, 2)))
    )
    whole = store.things("dataset", limit=1000)
    assert (whole.total, len(whole.items)) == (40, 40)
    pages = [store.things("dataset", offset=offset, limit=7) for offset in range(0, 49, 7)]
    assert {page.total for page in pages} == {40}
    assert [item for page in pages for item in page.items] == whole.items
    assert store.things("dataset", offset=1_000).items == []
    with pytest.raises(InvalidQuestion):
        store.things("dataset", offset=-1)
    with pytest.raises(InvalidQuestion):
        store.versions("dataset", "ns0", "d0", limit=0)


def test_a_text_keeps_what_has_words_that_begin_so(store: Store) -> None:
    store.append(entities("model:prod/churn-model@3", "model:prod/Kündigung@1", "model:risk@33", "dataset:churn@3"))

    def names(text: str, kind: str = "model") -> list[str]:
        return [name for _, name, _, _ in listed(store, kind, text)]

    assert names("chu") == ["churn-model"]
    assert names("kundig") == ["Kündigung"]
    assert names("pro mod") == ["churn-model", "Kündigung"]  # every model begins with "mod"
    assert names("prod chu 3") == ["churn-model"]
    assert names("3") == ["churn-model", "risk"]
    assert names("hurn") == []
    assert names("data", "dataset") == ["churn"]
    assert names("  ") == names("")
    assert names("-/") == []
    assert names("\" OR * '") == []
    assert names("x", "nothing") == []


_NAMES = st.sampled_from(["a", "a-b", "a!", "B", "ä", "a/b", "x@y", "q~r", "50%", "two words", "a\nb", "z\0"])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    made=st.sets(
        st.builds(
            lambda kind, name, version, namespace, pointer: Ref(
                kind, name, "" if pointer else version, namespace, version if pointer else ""
            ),
            st.sampled_from(["model", "models", "mode"]),
            _NAMES,
            st.sampled_from(["", "1", "v/2", "@"]),
            st.sampled_from(["", "ns", "n/s", "~"]),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_every_reference_is_under_its_thing_whatever_its_parts_are(
    tmp_path_factory: pytest.TempPathFactory, made: set[Ref]
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append(entities(*map(str, made)))
        assert store.kinds() == {
            kind: len({(ref.namespace, ref.name) for ref in made if ref.kind == kind})
            for kind in sorted({ref.kind for ref in made})
        }
        for kind in ("model", "models", "mode"):
            things = store.things(kind).items
            assert {(item.namespace, item.name) for item in things} == {
                (ref.namespace, ref.name) for ref in made if ref.kind == kind
            }
            for item in things:
                whole = Ref(kind, item.name, "", item.namespace)
                same = {ref for ref in made if (ref.kind, ref.name, ref.namespace) == (kind, item.name, item.namespace)}
                versions = store.versions(kind, item.namespace, item.name)
                assert {found.ref for found in versions.items} == {str(ref) for ref in same - {whole}}
                assert versions.total == item.versions
                assert all(
                    found.version in (Ref.parse(found.ref).version, "~" + Ref.parse(found.ref).alias)
                    for found in versions.items
                )
                only = next(iter(same)) if len(same) == 1 else whole
                assert item.ref == str(only)


def test_the_newest_version_comes_first_and_aliases_before_all(store: Store) -> None:
    store.append(
        entities(
            "model:m",
            *(f"model:m@{version}" for version in ("9", "10", "1.2.10", "1.2.9", "2024-01-31", "9" * 5_000)),
            "model:m~stable",
            "model:m~champion",
        )
    )
    store.append(entities("model:other/m@99"))
    store.append([used("run:r", "model:m@11", "02-01")])
    page = store.versions("model", "", "m")
    assert [item.version[:12] for item in page.items] == [
        "~champion",
        "~stable",
        "9" * 12,
        "2024-01-31",
        "11",
        "10",
        "9",
        "1.2.10",
        "1.2.9",
    ]
    assert page.total == 9
    assert [item.version for item in page.items if not item.resolved] == ["11"]
    assert store.versions("model", "", "m", offset=4, limit=2) == (9, page.items[4:6])
    assert store.versions("model", "", "nobody") == (0, [])


# --- breaking off ---

_ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT count(*) FROM n"


class Asking(threading.Thread):
    """A question in a thread of its own."""

    def __init__(self, question: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.question = question
        self.error: StoreError | None = None

    def run(self) -> None:
        try:
            self.question()
        except StoreError as error:
            self.error = error

    def broken_off(self, store: Store) -> str:
        """Insist until it has ended: what comes before the question has begun stops nothing."""
        self.start()
        for _ in range(600):
            self.join(0.05)
            if not self.is_alive():
                break
            store.interrupt()
        assert not self.is_alive()
        assert self.error is not None
        return str(self.error)


def streamed(store: Store) -> None:
    for _ in store._engine.stream("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n"):
        pass


@pytest.mark.parametrize(
    "question",
    [
        lambda store: store._engine.rows(_ENDLESS),
        lambda store: store._engine.search(_ENDLESS, {}),
        streamed,
        # The first row comes at once, the second never.
        lambda store: list(
            store._engine.lookup(f"SELECT seq FROM body WHERE (seq = 1 OR ({_ENDLESS}) > 0) AND seq {{keys}}", [1, 2])
        ),
    ],
    ids=["rows", "search", "stream", "lookup"],
)
def test_a_question_that_takes_too_long_can_be_broken_off(store: Store, question: Callable[[Store], object]) -> None:
    store.append(complete())
    said = Asking(lambda: question(store)).broken_off(store)
    assert "was cancelled" in said
    assert store.name in said
    # The store answers the next question as if nothing had been.
    assert store.kinds()["model"] == 1
    assert store.verify().ok


def test_what_is_written_can_be_broken_off_and_is_stored_as_far_as_it_was_acknowledged(store: Store) -> None:
    def endless() -> Iterator[Record]:
        number = 0
        while True:
            number += 1
            yield Entity(ref=f"model:m@{number}", description="x" * 200)

    said = Asking(lambda: store.append(endless())).broken_off(store)
    assert "was cancelled; nothing of this batch was stored" in said
    assert store.verify().ok
    assert store.append(entities("model:after@1")).stored == 1


def test_nothing_is_broken_off_where_nothing_runs(place: Callable[[], str]) -> None:
    store = open_store(place(), create_missing=True)
    store.interrupt()
    store.append(complete())
    store.interrupt()
    assert store.kinds()["model"] == 1
    store.close()
    store.interrupt()
