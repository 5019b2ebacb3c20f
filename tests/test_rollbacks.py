"""Going back: the version that served last before and is still there, and what the policy would say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, gate, open_store
from lineage_explorer.errors import InvalidQuestion, PolicyError, UnknownReference
from lineage_explorer.records import Entity, Record, Relation, format_instant, parse_instant
from lineage_explorer.rollbacks import Rollback, rollback
from lineage_explorer.store import Store

from .estates import at
from .estates import gate as judged
from .snapshots import Snapshot

_PROFILE = settings(
    max_examples=300 if os.environ.get("LINEAGE_CAMPAIGN") else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
#: What is deployed, with its share of the traffic, by site.
Deployed = Mapping[tuple[str, str], float | None]

ANY = """
name = "any"
version = "1"

[[requirement]]
id = "approved"
title = "Approved"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "approval"
"""
BACK = """
name = "back"
version = "1"

[[requirement]]
id = "back"
title = "Something to go back to"
hop = ["model", "deploys", "deployment"]
check = "rollback_target"
"""


def registry(versions: str, day: str, store: Store) -> None:
    """A registry that is read in full and shows these versions (one letter each)."""
    store.ingest(Snapshot([Entity(ref=f"model:m@{one}") for one in versions], location="registry"), observed_at=at(day))


def serving(store: Store, day: str, **models: float | None) -> None:
    """What serves from a day on, each version by a deployment of its own."""
    deployed(store, at(day), {(name, ""): traffic for name, traffic in models.items()})


def deployed(store: Store, when: datetime, what: Deployed) -> None:
    records: list[Record] = [Entity(ref="endpoint:e")]
    for (name, site), traffic in what.items():
        deployment = f"deployment:e:{name}{site}"
        records += [
            Relation(
                effect="endpoint:e", predicate="serves", cause=deployment, basis="identifier", slot=deployment,
                traffic=traffic, site=site,
            ),
            Relation(effect=deployment, predicate="deploys", cause=f"model:m@{name}", basis="identifier", slot="model"),
        ]  # fmt: skip
    store.ingest(Snapshot(records, location="serving"), observed_at=when)


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "policy.toml").write_text(text)
        return tmp_path / "policy.toml"

    return write


def refs(found: Rollback) -> list[str]:
    return [row["ref"].removeprefix("model:m@") for row in found.to_dict()["candidates"]]


# --- which version ---


def test_the_target_is_what_served_last_before_and_is_still_there(store: Store) -> None:
    registry("abc", "01-01", store)
    for day, name in (("02-01", "a"), ("03-01", "b"), ("04-01", "c")):
        serving(store, day, **{name: 100.0})
    registry("abc", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@b", ["b", "a"])
    assert found.why == ("model:m@b served last before (until 2026-04-01 00:00 UTC), and its source still has it")
    first = found.candidates().iloc[0]
    assert (first["served_since"], first["served_until"], first["here"]) == (at("03-01"), at("04-01"), True)
    assert first["deployment"] == "deployment:e:b"
    assert [share["version"] for share in found.to_dict()["serving"]] == ["model:m@c"]
    then = rollback(store, "e", as_of=at("03-15"))
    assert (then.target, refs(then)) == ("model:m@a", ["a"])


def test_after_a_rollback_the_version_that_was_left_is_what_served_before(store: Store) -> None:
    registry("abc", "01-01", store)
    for day, name in (("02-01", "a"), ("03-01", "b"), ("04-01", "c"), ("04-02", "b")):
        serving(store, day, **{name: 100.0})
    registry("abc", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@c", ["c", "a"])


def test_what_serves_at_its_first_instant_is_gone_back_to_when_nobody_answers_later(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01")
    registry("ab", "05-01", store)
    assert rollback(store, "e", as_of=at("03-01")).target == "model:m@a"


def test_a_time_in_which_it_serves_again_beside_what_replaced_it_is_not_told_as_before(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    serving(store, "04-01", b=50.0, a=50.0)
    serving(store, "05-01", b=100.0)
    registry("ab", "06-01", store)
    found = rollback(store, "e")
    (row,) = found.to_dict()["candidates"]
    assert (row["ref"], row["served_since"], row["served_until"]) == (
        "model:m@a",
        "2026-02-01T00:00:00Z",
        "2026-03-01T00:00:00Z",
    )


def test_while_a_canary_is_on_its_way_the_target_is_what_has_the_rest(store: Store) -> None:
    registry("abc", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    serving(store, "04-01", b=90.0, c=10.0)
    registry("abc", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@b", ["b", "a"])
    assert found.candidates()["served_until"].isna().tolist() == [True, False]
    assert "(it still serves)" in found.why
    assert found.lawful == gate(store, "model:m@b", endpoint="e").verdict


def test_the_first_version_has_nothing_to_go_back_to(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0, b=0.0)
    found = rollback(store, "e")
    assert (found.target, found.lawful, refs(found)) == (None, None, [])
    assert found.why == "No other version is on record that served endpoint:e before"
    assert len(found.candidates()) == 0
    assert repr(found).splitlines() == [
        f"<Rollback endpoint:e as of {found.to_dict()['question']['as_of']}: no target>",
        found.why,
    ]
    before = rollback(store, "e", as_of=at("01-15"))
    assert (before.target, before.why) == (None, "Nothing is on record that served endpoint:e by then")


def test_what_was_deleted_is_listed_and_is_no_target(store: Store) -> None:
    registry("abc", "01-01", store)
    for day, name in (("02-01", "a"), ("03-01", "b"), ("04-01", "c")):
        serving(store, day, **{name: 100.0})
    registry("ac", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@a", ["b", "a"])
    assert found.candidates()["here"].tolist() == [False, True]
    assert found.candidates()["why"][0].startswith("its source has model:m@b no longer; ")
    assert found.why.endswith("; model:m@b served later, but its source has model:m@b no longer")
    # At an instant before its deletion was seen, it was there.
    assert rollback(store, "e", as_of=at("04-15")).target == "model:m@b"
    registry("c", "06-01", store)
    gone = rollback(store, "e")
    assert (gone.target, gone.lawful) == (None, None)
    assert gone.why == "Every other version that served before was deleted: model:m@b, model:m@a"


def test_what_nobody_says_is_still_there_is_no_target(store: Store) -> None:
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    found = rollback(store, "e")
    assert (found.target, found.lawful) == (None, None)
    assert found.why == "Whether its source still has model:m@a is not recorded"
    assert found.candidates()["here"].tolist() == [None]
    assert found.candidates()["why"][0].startswith("whether its source still has model:m@a is not recorded; ")


def test_what_may_have_had_no_traffic_is_no_target(store: Store) -> None:
    registry("abc", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=None)
    serving(store, "04-01", c=100.0)
    registry("abc", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@a", ["b", "a"])
    assert found.candidates()["why"][0].startswith("whether model:m@b had any traffic is not recorded; ")


def test_while_nobody_answers_what_served_last_is_the_target(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    serving(store, "04-01", b=0.0)
    registry("ab", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, refs(found)) == ("model:m@b", ["b", "a"])
    assert [share["state"] for share in found.to_dict()["serving"]] == ["deployed"]


def test_an_alias_is_the_version_that_it_pointed_at(store: Store) -> None:
    registry("ab", "01-01", store)
    store.append(
        [
            Relation(
                effect="endpoint:e", predicate="serves", cause="deployment:e:d", basis="identifier", slot="d",
                traffic=100.0, valid_from=at("02-01"),
            ),
            Relation(
                effect="deployment:e:d", predicate="deploys", cause="model:m~champion", basis="identifier", slot="model",
                valid_from=at("02-01"),
            ),
            *(
                Relation(
                    effect="model:m~champion", predicate="alias_of", cause=f"model:m@{name}", basis="identifier",
                    slot="alias", valid_from=at(day),
                )
                for name, day in (("a", "01-15"), ("b", "03-01"))
            ),
        ]
    )  # fmt: skip
    registry("ab", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, found.candidates()["served_until"].tolist()) == ("model:m@a", [at("03-01")])


def test_what_names_no_version_of_a_model_is_told_and_not_judged(store: Store) -> None:
    serving(store, "02-01", a=100.0)
    store.append(
        [
            Relation(
                effect="deployment:e:a", predicate="deploys", cause="model:m", basis="identifier", slot="first",
                valid_from=at("01-15"), valid_to=at("02-20"),
            )
        ]
    )  # fmt: skip
    serving(store, "03-01", b=100.0)
    rows = {row["ref"]: row for row in rollback(store, "e").to_dict()["candidates"]}
    assert rows["model:m"]["verdict"] == "INCOMPLETE"
    assert rows["model:m"]["audit_digest"] == ""
    assert "names no version of a model" in rows["model:m"]["why"]


def test_a_name_that_may_mean_two_versions_is_no_target_and_never_passes(store: Store) -> None:
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    store.append([Entity(ref="model:x/m@a"), Entity(ref="model:y/m@a")])
    (row,) = rollback(store, "e").to_dict()["candidates"]
    assert (row["ref"], row["here"], row["verdict"]) == ("model:m@a", None, "INCOMPLETE")
    assert row["why"].endswith("; model:m@a may mean any of: model:x/m@a, model:y/m@a")


def test_a_reference_with_escapes_that_it_needs_not_is_told_and_not_judged(store: Store) -> None:
    for day, version in (("02-01", "%62"), ("03-01", "c")):
        deployed(store, at(day), {(version, ""): 100.0})
    (row,) = rollback(store, "e").to_dict()["candidates"]
    assert (row["ref"], row["verdict"], row["audit_digest"]) == ("model:m@%62", "INCOMPLETE", "")
    assert "cannot be asked about as it is written" in row["why"]


# --- sites ---


def test_each_site_has_what_served_there_before(store: Store) -> None:
    registry("abc", "01-01", store)
    deployed(store, at("02-01"), {("a", "brno"): 100.0, ("a", "graz"): 100.0})
    deployed(store, at("03-01"), {("b", "brno"): 100.0, ("a", "graz"): 100.0})
    deployed(store, at("04-01"), {("c", "brno"): 100.0, ("b", "graz"): 100.0})
    registry("abc", "05-01", store)
    brno, graz = (rollback(store, "e", site=site) for site in ("brno", "graz"))
    assert (brno.target, refs(brno)) == ("model:m@b", ["b", "a"])
    assert (graz.target, refs(graz)) == ("model:m@a", ["a"])
    assert {row["site"] for row in graz.to_dict()["serving"]} == {"graz"}
    assert graz.to_dict()["question"]["site"] == "graz"
    assert " at graz as of " in repr(graz)
    both = rollback(store, "e")
    assert (both.target, both.lawful) == (None, None)
    assert both.why == "It is not the same at every site, so ask about one. brno: model:m@b; graz: model:m@a"
    assert [(row["ref"], row["site"]) for row in both.to_dict()["candidates"]] == [
        ("model:m@b", "brno"),
        ("model:m@a", "graz"),
        ("model:m@a", "brno"),
    ]
    with pytest.raises(InvalidQuestion, match="'turin'; there are: brno, graz"):
        rollback(store, "e", site="turin")


def test_a_target_that_all_sites_share_is_the_target(store: Store) -> None:
    registry("ab", "01-01", store)
    deployed(store, at("02-01"), {("a", "brno"): 100.0, ("a", "graz"): 100.0})
    deployed(store, at("03-01"), {("b", "brno"): 100.0, ("a", "graz"): 100.0})
    deployed(store, at("04-01"), {("b", "brno"): 100.0, ("b", "graz"): 100.0})
    registry("ab", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, len(found.candidates())) == ("model:m@a", 2)
    assert "(until 2026-04-01 00:00 UTC at the last site)" in found.why


def test_a_site_that_is_closed_does_not_blur_the_target_of_the_others(store: Store) -> None:
    registry("abc", "01-01", store)
    deployed(store, at("02-01"), {("a", "brno"): 100.0, ("c", "graz"): 100.0})
    deployed(store, at("03-01"), {("b", "brno"): 100.0})
    registry("abc", "05-01", store)
    found = rollback(store, "e")
    assert (found.target, sorted(refs(found))) == ("model:m@a", ["a", "c"])
    assert rollback(store, "e", site="graz").target == "model:m@c"


# --- what the policy says ---


def test_the_verdict_is_that_of_a_gate_and_the_same_audit(store: Store, policy: Callable[[str], Path]) -> None:
    registry("abc", "01-01", store)
    for day, name in (("02-01", "a"), ("03-01", "b"), ("04-01", "c")):
        serving(store, day, **{name: 100.0})
    registry("abc", "05-01", store)
    store.append([judged("model:m@a", "approval", "01-15"), judged("model:m@b", "approval", "02-15", "failed")])
    rules = policy(ANY)
    found = rollback(store, "e", policy=rules)
    asked = found.to_dict()["question"]
    for row in found.to_dict()["candidates"]:
        answer = gate(store, row["ref"], rules, asked["as_of"], asked["known_at"], endpoint="endpoint:e")
        assert (row["verdict"], row["audit_digest"]) == (answer.verdict, answer.digest)
    assert (found.target, found.lawful) == ("model:m@b", "FAILED")
    frame = found.candidates().set_index("ref")
    assert frame.loc["model:m@b", "why"].startswith("Approved: ")
    assert frame.loc["model:m@a", "verdict"] != "FAILED"
    assert asked["policy"]["name"] == "any"


def test_the_policy_in_force_at_the_instant_judges(store: Store, tmp_path: Path) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    registry("ab", "03-02", store)
    registry("ab", "05-02", store)
    store.append([judged("model:m@a", "approval", "01-15", "failed")])
    newer = ANY.replace('name = "any"\n', "").replace(
        'version = "1"', 'version = "2"\neffective_from = 2026-05-01T00:00:00Z'
    )
    older = BACK.replace('name = "back"\n', "").replace("rollback_target", "resolved")
    text = 'name = "both"\n' + "".join(
        "[[version]]\n" + part.replace("[[requirement]]", "[[version.requirement]]") for part in (older, newer)
    )
    (tmp_path / "both.toml").write_text(text)
    then = rollback(store, "e", as_of=at("04-15"), policy=tmp_path / "both.toml")
    now = rollback(store, "e", as_of=at("05-15"), policy=tmp_path / "both.toml")
    assert [item.to_dict()["question"]["policy"]["version"] for item in (then, now)] == ["1", "2"]
    assert (then.target, now.target) == ("model:m@a", "model:m@a")
    assert (then.lawful == "FAILED", now.lawful) == (False, "FAILED")


def test_a_policy_that_there_is_not_is_refused_before_anything_is_asked(store: Store) -> None:
    with pytest.raises(PolicyError, match="nowhere"):
        rollback(store, "nobody", policy="nowhere")
    with pytest.raises(UnknownReference):
        rollback(store, "nobody")


def test_only_what_was_known_counts_and_the_same_question_has_the_same_digest(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    registry("ab", "04-01", store)
    known = store.now()
    first = rollback(store, "e", as_of=at("06-01"), known_at=known)
    assert first.target == "model:m@a"
    registry("b", "05-01", store)
    assert rollback(store, "e", as_of=at("06-01"), known_at=known).digest == first.digest
    assert rollback(store, "e", as_of=at("06-01")).target is None


# --- against the check of the same name ---

_SHARES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, 0.0, 50.0, 100.0]), max_size=3)
_PLAYED = st.lists(st.one_of(st.sets(st.sampled_from("abc"), min_size=1), _SHARES), min_size=2, max_size=8)


@_PROFILE
@given(steps=_PLAYED)
def test_there_is_a_target_where_the_check_rollback_target_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("s")
    (folder / "back.toml").write_text(BACK)
    with open_store(folder / "s.db", create_missing=True) as store:
        store.append([Entity(ref="endpoint:e")])
        registry("abc", "01-01", store)
        for number, step in enumerate(steps, 2):
            day = f"01-{number:02}"
            if isinstance(step, dict):
                deployed(store, at(day), {(name, ""): traffic for name, traffic in step.items()})
            else:
                registry("".join(sorted(step)), day, store)
        for number in range(2, len(steps) + 2):
            when = parse_instant(f"2026-01-{number:02}T12:00:00Z")
            found = rollback(store, "e", as_of=when, policy=folder / "back.toml")
            outcomes = {
                hop["cause"]: item["outcome"]
                for hop in audit(store, "e", as_of=when, policy=folder / "back.toml").to_dict()["hops"]
                for item in hop["requirements"]
                if item["requirement"] == "back" and item["required"]
            }
            began = last_begun(steps[: number - 1])
            if len(began) == 1:
                assert (outcomes[f"model:m@{began.pop()}"] == "holds") == (found.target is not None), found.why
            if found.target is not None:
                (row,) = [row for row in found.to_dict()["candidates"] if row["ref"] == found.target]
                assert row["here"] is True


def last_begun(steps: list[Any]) -> set[str]:
    """Of what serves in the end, what began last."""
    worlds = [step for step in steps if isinstance(step, dict)]
    since: dict[str, int] = {}
    for number, world in enumerate(worlds):
        now = {name for name, traffic in world.items() if traffic != 0}
        since = {name: since.get(name, number) for name in now}
    return {name for name, number in since.items() if number == max(since.values())}


# --- showing ---


def test_a_rollback_shows_itself_as_text(store: Store) -> None:
    name = "<img src=x onerror=alert(1)>"
    store.append([Entity(ref=f"model:m@{name}")])
    for day, version in (("02-01", name), ("03-01", "b")):
        deployed(store, at(day), {(version, "<b>\x1b[2J\u202e"): 100.0})
    found = rollback(store, "e")
    assert "<img" not in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()
    for text in (repr(found), found._repr_html_()):
        assert not {"\x1b", "\u202e"} & set(text)
    assert "not recorded" in repr(found)
    assert re.search(r"<Rollback endpoint:e as of \S+: no target>", repr(found))


def test_the_document_is_what_the_views_read(store: Store) -> None:
    registry("ab", "01-01", store)
    serving(store, "02-01", a=100.0)
    serving(store, "03-01", b=100.0)
    registry("ab", "05-01", store)
    document = rollback(store, "e", as_of=at("06-01")).to_dict()
    assert (document["format"], document["format_version"]) == ("lineage-explorer/rollback", 1)
    assert set(document) == {
        "format", "format_version", "tool", "digest", "question", "serving", "target", "candidates", "why",
    }  # fmt: skip
    assert document["question"]["as_of"] == format_instant(at("06-01"))
    assert set(document["serving"][0]) == {
        "deployment", "model", "version", "traffic", "state", "site", "environment",
    }  # fmt: skip
