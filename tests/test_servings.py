"""Who served when: spans that partition time, shares as they were recorded, gaps and overlaps by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, open_store
from lineage_explorer.errors import AmbiguousReference, InvalidInstant, InvalidQuestion, UnknownReference
from lineage_explorer.records import Entity, Relation, digest_of, format_instant, parse_instant
from lineage_explorer.servings import serving, serving_document
from lineage_explorer.store import Store

from .estates import at, serves
from .snapshots import Snapshot
from .test_explorations import _STEPS, day, shown, write

_PROFILE = settings(
    max_examples=400 if os.environ.get("LINEAGE_CAMPAIGN") else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
INSTANT = timedelta(microseconds=1)


def told(document: Mapping[str, Any]) -> list[Any]:
    return [(span["since"], span["until"], span["kind"]) for span in document["spans"]]


def codes(document: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    return [[(item["code"], item["site"]) for item in span["findings"]] for span in document["spans"]]


def t(text: str) -> str:
    return f"2026-{text}T00:00:00Z"


# --- what a question is asked with ---


def test_spans_begin_and_end_where_they_were_asked_to(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", valid_to=at("04-01")))
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@2", "05-01"))
    assert told(serving_document(store, "e")) == [
        (t("03-01"), t("04-01"), "served"),
        (t("04-01"), t("05-01"), "gap"),
        (t("05-01"), None, "served"),
    ]
    assert told(serving_document(store, "e", at("02-01"), "2026-03-15T01:00:00+01:00")) == [
        (t("02-01"), t("03-01"), "unknown"),
        (t("03-01"), t("03-15"), "served"),
    ]
    assert told(serving_document(store, "e", at("03-15"), at("05-01"))) == [
        (t("03-15"), t("04-01"), "served"),
        (t("04-01"), t("05-01"), "gap"),
    ]
    assert told(serving_document(store, "e", at("04-01"), at("04-15"))) == [(t("04-01"), t("04-15"), "gap")]
    assert told(serving_document(store, "e", at("01-01"), at("03-01"))) == [(t("01-01"), t("03-01"), "unknown")]
    assert told(serving_document(store, "e", end=at("02-01"))) == [(None, t("02-01"), "unknown")]


def test_nothing_is_told_of_what_is_to_come(file_store: Store) -> None:
    file_store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", valid_to=datetime.max.replace(tzinfo=at("01-01").tzinfo)))  # fmt: skip
    later = file_store.now() + timedelta(days=300)
    file_store.append(
        [
            Relation(
                effect="endpoint:e", predicate="serves", cause="deployment:e:next", basis="identifier", slot="next",
                valid_from=later,
            )
        ]
    )  # fmt: skip
    assert told(serving_document(file_store, "e")) == [(t("03-01"), None, "served")]
    before = file_store.now()
    found = serving_document(file_store, "e", end=later + timedelta(days=30))
    assert before <= parse_instant(found["question"]["until"]) <= file_store.now()
    assert told(found) == [(t("03-01"), found["question"]["until"], "served")]


def test_a_time_that_is_none_is_refused(file_store: Store) -> None:
    file_store.append([Entity(ref="endpoint:e"), Entity(ref="endpoint:a/f"), Entity(ref="endpoint:b/f")])
    with pytest.raises(InvalidQuestion, match="2026-03-01T00:00:00Z is not before 2026-03-01T00:00:00Z"):
        serving(file_store, "e", at("03-01"), at("03-01"))
    with pytest.raises(InvalidQuestion, match="not before now"):
        serving(file_store, "e", file_store.now() + timedelta(days=1))
    with pytest.raises(InvalidQuestion, match="not before now"):
        serving(file_store, "e", file_store.now() + timedelta(days=1), file_store.now() + timedelta(days=2))
    with pytest.raises(InvalidInstant, match="time zone"):
        serving(file_store, "e", "2026-03-01")
    with pytest.raises(UnknownReference, match="endpoint:e"):
        serving(file_store, "ee")
    with pytest.raises(AmbiguousReference, match="endpoint:b/f"):
        serving(file_store, "f")


def test_an_endpoint_that_nobody_served_is_unknown_and_never_a_gap(store: Store) -> None:
    store.append([Entity(ref="endpoint:e")])
    found = serving_document(store, "e")
    assert told(found) == [(None, None, "unknown")]
    assert codes(found) == [[("not-recorded", "")]]
    (row,) = serving(store, "e", at("02-01"), at("03-01")).to_dict("records")
    assert (row["kind"], row["since"], row["until"], row["deployment"]) == ("unknown", at("02-01"), at("03-01"), None)
    assert row["finding"] == "Nothing is on record of who served endpoint:e in this time"


def test_only_what_was_known_is_told_and_the_same_question_has_the_same_digest(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01"))
    known = store.now()
    first = serving_document(store, "e", at("02-01"), at("05-01"), known)
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@2", "04-01"))
    assert serving_document(store, "e", at("02-01"), at("05-01"), known) == first
    assert first["digest"] == digest_of({key: item for key, item in first.items() if key != "digest"})
    assert len(serving_document(store, "e", at("02-01"), at("05-01"))["spans"]) == 3


# --- gaps and overlaps ---


def test_a_gap_says_whether_nothing_was_deployed_or_nothing_had_traffic(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", valid_to=at("04-01")))
    store.append(serves("endpoint:e", "deployment:e:idle", "model:m@1", "05-01", traffic=0.0))
    store.append(serves("endpoint:e", "deployment:e:copy", "model:m@1", "05-01", traffic=100.0, mirrored=True))
    found = serving_document(store, "e")
    assert [span["kind"] for span in found["spans"]] == ["served", "gap", "gap"]
    assert codes(found) == [[], [("no-deployment", "")], [("no-traffic", "")]]
    frame = serving(store, "e")
    assert frame["state"].isna().tolist() == [False, True, False, False]
    assert frame["state"].tolist()[2:] == ["shadow", "deployed"]
    assert frame["finding"].tolist()[1:] == [
        "endpoint:e has no deployment on record in this time",
        *["endpoint:e has deployments, and none of them receives traffic in this time"] * 2,
    ]


def test_traffic_that_is_more_or_less_than_all_is_named_for_each_site_and_never_rescaled(store: Store) -> None:
    for site, one, two in (("brno", 70.0, 70.0), ("graz", 30.0, 40.0), ("porto", 60.0, 40.0), ("turin", 33.3, 66.7)):
        store.append(serves("endpoint:e", f"deployment:e:{site}-a", "model:m@1", "03-01", traffic=one, site=site))
        store.append(serves("endpoint:e", f"deployment:e:{site}-b", "model:m@2", "03-01", traffic=two, site=site))
    found = serving_document(store, "e")
    assert codes(found) == [[("overlap", "brno"), ("short", "graz")]]
    assert [share["traffic"] for share in found["spans"][0]["shares"]] == [70, 70, 40, 30, 60, 40, 66.7, 33.3]
    frame = serving(store, "e").set_index("site")
    assert set(frame.loc["brno", "finding"]) == {
        "The recorded traffic of endpoint:e at brno adds up to 140 %, not 100 %"
    }
    assert set(frame.loc["graz", "finding"]) == {
        "The recorded traffic of endpoint:e at graz adds up to 70 %, not 100 %"
    }
    assert set(frame.loc["porto", "finding"]) == set(frame.loc["turin", "finding"]) == {""}


def test_a_site_without_an_answer_is_named_though_others_serve(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:brno", "model:m@1", "03-01", site="brno"))
    store.append(serves("endpoint:e", "deployment:e:graz", "model:m@1", "03-10", site="graz", valid_to=at("04-01")))
    store.append(serves("endpoint:e", "deployment:e:porto", "model:m@1", "05-01", site="porto", traffic=0.0))
    found = serving_document(store, "e")
    assert {span["kind"] for span in found["spans"]} == {"served"}
    # Of a site that was not heard of yet, nothing is missing.
    assert codes(found) == [
        [],
        [],
        [("no-deployment", "graz")],
        [("no-deployment", "graz"), ("no-traffic", "porto")],
    ]
    last = [row for row in serving(store, "e").to_dict("records") if row["since"] == at("05-01")]
    assert [(row["site"], row["deployment"]) for row in last][:2] == [
        ("brno", "deployment:e:brno"),
        ("porto", "deployment:e:porto"),
    ]
    assert (last[2]["site"], last[2]["finding"]) == (
        "graz",
        "endpoint:e at graz has no deployment on record in this time",
    )


def test_a_split_that_was_not_read_is_no_gap_and_adds_up_to_nothing(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:a", "model:m@1", "03-01", traffic=None))
    store.append(serves("endpoint:e", "deployment:e:b", "model:m@2", "03-01", traffic=40.0))
    found = serving_document(store, "e")
    assert (found["spans"][0]["kind"], codes(found)) == ("served", [[("split-not-read", "")]])
    frame = serving(store, "e")
    assert frame["traffic"].isna().tolist() == [False, True]
    assert "it may serve or not" in frame["finding"][0]


def test_sources_that_contradict_each_other_are_named_while_they_do(store: Store) -> None:
    def claims(colour: str) -> list[Any]:
        return [
            Relation(
                effect="endpoint:e", predicate="serves", cause=f"deployment:e:{colour}", basis="identifier", slot="live",
                site="brno", splits=False,
            ),
            Relation(
                effect=f"deployment:e:{colour}", predicate="deploys", cause="model:m@1", basis="identifier", slot="model"
            ),
        ]  # fmt: skip

    store.ingest(Snapshot(claims("blue"), location="one"), observed_at=at("03-01"))
    store.ingest(Snapshot(claims("green"), location="two"), observed_at=at("04-01"))
    store.ingest(Snapshot(claims("green"), location="one"), observed_at=at("05-01"))
    found = serving_document(store, "e")
    assert codes(found) == [[], [("contradiction", "brno"), ("overlap", "brno")], []]
    message = found["spans"][1]["findings"][0]["message"]
    assert (
        message == "Sources contradict each other about what endpoint:e serves: deployment:e:blue, deployment:e:green"
    )
    said = audit(store, "e", at("04-15")).findings()
    assert message in said[said["code"] == "contradiction"]["message"].tolist()


def test_a_contradiction_that_ends_ends_a_span_though_the_same_things_serve(store: Store) -> None:
    def deploys(slot: str, model: str, day_: str, location: str) -> None:
        records = [
            *serves("endpoint:e", "deployment:e:d", "model:m@1", "03-01", splits=False, traffic=None)[:3],
            Relation(effect="deployment:e:d", predicate="deploys", cause=model, basis="identifier", slot=slot),
        ]
        store.ingest(Snapshot(records, location=location), observed_at=at(day_))

    deploys("model", "model:m@1", "03-01", "one")
    deploys("model", "model:m@2", "03-01", "two")
    deploys("other", "model:m@2", "04-01", "two")
    found = serving_document(store, "e")
    spans = [span for span in found["spans"] if len(span["shares"]) == 2]
    assert [[item["code"] for item in span["findings"]] for span in spans] == [["contradiction"], []]
    assert spans[0]["shares"] == spans[1]["shares"]


def test_two_words_about_one_share_are_a_contradiction_and_not_a_sum(store: Store) -> None:
    for slot, traffic in (("one", 100.0), ("two", 40.0)):
        store.append(
            [
                Relation(
                    effect="endpoint:e", predicate="serves", cause="deployment:e:d", basis="identifier", slot=slot,
                    traffic=traffic, valid_from=at("03-01"),
                )
            ]
        )  # fmt: skip
    found = serving_document(store, "e")
    assert codes(found) == [[("contradiction", "")]]
    assert found["spans"][0]["findings"][0]["message"].endswith("the traffic of deployment:e:d: 40 %, 100 %")


# --- what a share says ---


def test_an_alias_is_told_with_the_version_that_it_pointed_at(store: Store) -> None:
    store.append(serves("endpoint:e", "deployment:e:d", "model:m~champion", "03-01"))
    store.append(
        Relation(
            effect="model:m~champion", predicate="alias_of", cause=f"model:m@{number}", basis="identifier",
            slot="alias", valid_from=at(f"0{number + 2}-15"),
        )
        for number in (1, 2)
    )  # fmt: skip
    frame = serving(store, "e")
    assert frame["model"].tolist() == ["model:m~champion"] * 3
    assert frame["version"].tolist() == ["model:m~champion", "model:m@1", "model:m@2"]


def test_a_share_carries_the_environment_and_a_change_between_two_syncs_is_told(store: Store) -> None:
    def synced(model: str, when: str) -> None:
        store.ingest(
            Snapshot(
                [
                    Entity(ref="deployment:e:d", attributes={"environment": "staging"}),
                    Relation(
                        effect="endpoint:e", predicate="serves", cause="deployment:e:d", basis="identifier", slot="d", splits=False
                    ),
                    Relation(
                        effect="deployment:e:d", predicate="deploys", cause=model, basis="identifier", slot="model"
                    ),
                ]
            ),
            observed_at=at(when),
        )  # fmt: skip

    synced("model:m@1", "03-01")
    synced("model:m@2", "04-01")
    frame = serving(store, "e", at("03-15"))
    assert frame["environment"].tolist() == ["staging", "staging"]
    # Where the question begins is no change.
    assert frame["between_syncs"].tolist() == [False, True]
    assert serving(store, "e", at("03-01"))["between_syncs"].tolist() == [True, True]


def test_names_of_any_text_stay_what_they_are(store: Store) -> None:
    name = "deployment:%3Cimg src=x onerror=alert(1)%3E"
    store.append(serves("endpoint:e", name, "model:m@1", "03-01", site="<b>\u202eplant\x1b[2J", traffic=40.0))
    (row,) = serving(store, "e").to_dict("records")
    assert (row["deployment"], row["site"]) == (
        serving_document(store, "e")["spans"][0]["shares"][0]["deployment"],
        "<b>\u202eplant\x1b[2J",
    )
    assert row["finding"].endswith("adds up to 40 %, not 100 %")


def test_times_before_and_after_what_nanoseconds_reach_are_told(file_store: Store) -> None:
    file_store.append(
        [
            Relation(
                effect="endpoint:e", predicate="serves", cause="deployment:e:d", basis="identifier", slot="d",
                traffic=100.0, valid_from=parse_instant("0999-01-01T00:00:00Z"),
            )
        ]
    )  # fmt: skip
    frame = serving(file_store, "e", "0002-01-01T00:00:00.5Z", at("03-01"))
    assert [format_instant(when) for when in frame["since"].dt.to_pydatetime()] == [
        "0002-01-01T00:00:00.5Z",
        "0999-01-01T00:00:00Z",
    ]


# --- against a model that is too simple to be wrong ---

_SITES = ["", "x", "y"]
_ROWS = st.lists(
    st.tuples(
        st.integers(1, 20),  # first day
        st.integers(1, 12),  # days
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(_SITES),
        st.sampled_from([None, 0.0, 30.0, 70.0, 100.0]),
        st.booleans(),  # mirrored
        st.booleans(),  # splits
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip
_WINDOW = st.tuples(st.none() | st.integers(1, 15), st.none() | st.integers(16, 40))


def moment(number: int) -> datetime:
    return parse_instant("2026-01-01T00:00:00Z") + timedelta(days=number)


def state(traffic: float | None, mirrored: bool, splits: bool) -> tuple[str, float | None]:
    if mirrored:
        return "shadow", traffic
    if traffic is None:
        return ("undetermined", None) if splits else ("serving", 100.0)
    return ("serving" if traffic else "deployed"), traffic


def expected(rows: list[Any], when: datetime) -> tuple[list[Any], str, list[tuple[str, str]]]:
    """What holds at an instant, as a list of rows says, and what is to be named."""
    began = [row for row in rows if moment(row[0]) <= when]
    held = [
        (name, site, *state(traffic, mirrored, splits))
        for first, days, name, site, traffic, mirrored, splits in began
        if when < moment(first + days)
    ]
    if not began:
        return [], "unknown", [("not-recorded", "")]
    found = set()
    sites = {row[3] for row in began}
    for site in sites:
        own = [row for row in held if row[1] == site]
        if not any(row[2] in ("serving", "undetermined") for row in own) and (own or site or sites == {""}):
            found.add(("no-traffic" if own else "no-deployment", site))
        found |= {("split-not-read", site) for row in own if row[2] == "undetermined"}
        shares = {(row[0], row[3]) for row in own if row[2] in ("serving", "deployed")}
        if len({name for name, _ in shares}) < len(shares):
            found.add(("contradiction", site))
        elif all(row[2] != "undetermined" for row in own) and (total := sum(share for _, share in shares)):
            found |= {("overlap", site)} if total > 100 else {("short", site)} if total < 100 else set()
    kind = "served" if any(row[2] in ("serving", "undetermined") for row in held) else "gap"
    return sorted(map(repr, held)), kind, sorted(found)


@_PROFILE
@given(rows=_ROWS, window=_WINDOW)
def test_spans_partition_time_and_every_share_is_the_one_recorded(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], window: tuple[int | None, int | None]
) -> None:
    start, end = (None if number is None else moment(number) for number in window)
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append(Entity(ref=ref) for ref in ("endpoint:e", *(f"deployment:e:{name}" for name in "abc")))
        store.append(
            Relation(
                effect="endpoint:e", predicate="serves", cause=f"deployment:e:{name}", basis="identifier",
                slot=f"row {number}", traffic=traffic, mirrored=mirrored, splits=splits, site=site,
                valid_from=moment(first), valid_to=moment(first + days),
            )
            for number, (first, days, name, site, traffic, mirrored, splits) in enumerate(rows)
        )  # fmt: skip
        found = serving_document(store, "e", start, end)
        frame = serving(store, "e", start, end)
    spans = found["spans"]
    assert spans
    for one, following in pairwise(spans):
        assert one["until"] == following["since"]
        assert (one["shares"], one["findings"], one["kind"]) != (
            following["shares"],
            following["findings"],
            following["kind"],
        )
    recorded = min(moment(row[0]) for row in rows)
    heard = end is None or recorded < end
    assert spans[0]["since"] == (format_instant(start or recorded) if start or heard else None)
    assert spans[-1]["until"] == (format_instant(end) if end else None)
    for span in spans:
        since = parse_instant(span["since"]) if span["since"] else recorded - timedelta(days=9)
        until = parse_instant(span["until"]) if span["until"] else since + timedelta(days=90)
        for when in (since, since + (until - since) / 2, until - INSTANT):
            shares = [
                (item["deployment"].removeprefix("deployment:e:"), item["site"], item["state"], item["traffic"])
                for item in span["shares"]
            ]
            named = sorted({(item["code"], item["site"]) for item in span["findings"]})
            assert (sorted(map(repr, shares)), span["kind"], named) == expected(rows, when), (span, when)
    # The table says what the document says.
    given_rows = frame.to_dict("records")
    assert [
        (row["since"], row["deployment"], row["site"], row["state"])
        for row in given_rows
        if isinstance(row["deployment"], str)
    ] == [
        (parse_instant(span["since"]), share["deployment"], share["site"], share["state"])
        for span in spans
        for share in span["shares"]
    ]
    for span in spans:
        own = [row for row in given_rows if (row["since"] if span["since"] else None) == (parse_instant(span["since"]) if span["since"] else None)]  # fmt: skip
        assert {row["kind"] for row in own} == {span["kind"]}
        for finding in span["findings"]:
            mine = [row for row in own if row["site"] == finding["site"]]
            assert mine
            assert all(finding["message"] in row["finding"] for row in mine)


@_PROFILE
@given(steps=_STEPS)
def test_an_audit_at_any_instant_of_a_span_names_the_same_that_served(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, Any]]
) -> None:
    with open_store(tmp_path_factory.mktemp("s") / "s.db", create_missing=True) as store:
        store.append([Entity(ref="endpoint:e")])
        for step in steps:
            write(store, *step)
        known = store.recorded_by(store.now())
        for span in serving_document(store, "endpoint:e", day(1), day(27), known)["spans"]:
            since, until = parse_instant(span["since"]), parse_instant(span["until"])
            for instant in (since, since + (until - since) / 2, until - INSTANT):
                answer = audit(store, "endpoint:e", instant, known)
                said = answer.to_dict()["serving"]
                assert shown(said) == shown(span["shares"]), (span, instant)
                assert len(answer.serving()) == len(span["shares"])
                found = {item["code"] for item in answer.to_dict()["findings"]}
                named = {item["code"] for item in span["findings"]}
                assert ("nothing-serves" in found) == (span["kind"] != "served")
                assert ("split-not-read" in found) == ("split-not-read" in named)
                if "contradiction" not in named:
                    assert ("traffic-sum" in found) == bool(named & {"overlap", "short"})
