"""Lifecycles: stages as registries were seen to say them, what is kept, and what certifies an end.

The registry is a real MLflow, played through half a year in a process of its own (``python -m tests.test_lifecycle``),
which leaves a copy of its database at each moment at which it is then read.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lineage_explorer import audit, open_store
from lineage_explorer.errors import AmbiguousReference, InvalidQuestion, UnknownReference
from lineage_explorer.lifecycles import lifecycle, lives_of, spans_of, spans_of_each
from lineage_explorer.policy.facts import Life
from lineage_explorer.records import Agent, Entity, Evidence, Record, Relation, from_json, parse_instant
from lineage_explorer.references import micros
from lineage_explorer.servings import releases
from lineage_explorer.sources import Observation
from lineage_explorer.sources.mlflow import MLflowSource
from lineage_explorer.sources.neutral import NeutralSource
from lineage_explorer.stages import ARCHIVED, NAMED, NONE, SERVES, Word, line
from lineage_explorer.store import Store
from lineage_explorer.store.engines import SQLite
from lineage_explorer.store.schema import FOREVER
from tests.conftest import ROOT, command
from tests.estates import at, gate, serves
from tests.mlflow_estates import environment

HOSTILE = "<img src=x onerror=alert(1)>"


def day(month: int, number: int = 1) -> datetime:
    return parse_instant(f"2025-{month:02}-{number:02}T12:00:00Z")


def t(month: int, number: int = 1, hour: int = 12) -> int:
    return micros(f"2025-{month:02}-{number:02}T{hour:02}:00:00Z")


# --- a real registry, read month by month ---


def play(folder: Path) -> None:
    """Half a year of a registry; runs in a process of its own, for MLflow keeps its addresses in globals."""
    import time_machine
    from mlflow import MlflowClient

    database = folder / "mlflow.db"
    client = MlflowClient(f"sqlite:///{database}")
    source = str(folder / "artifacts")

    def stage(version: int, name: str, archive: bool = False) -> None:
        client.transition_model_version_stage("churn", str(version), name, archive_existing_versions=archive)

    def deploy(version: int, status: str, since: str) -> None:
        client.set_model_version_tag("churn", str(version), "deploy.churn-prod.status", status)
        client.set_model_version_tag("churn", str(version), "deploy.churn-prod.at", since)

    def january() -> None:
        client.create_registered_model("churn")
        client.create_registered_model("risk")
        for _ in range(2):
            client.create_model_version("churn", source)
            client.create_model_version("risk", source)
        stage(1, "Production")
        deploy(1, "active", "2025-01-05T00:00:00Z")
        client.set_registered_model_alias("risk", "champion", "1")

    def february() -> None:
        stage(2, "Staging")

    def march() -> None:
        stage(2, "Production", archive=True)
        deploy(2, "active", "2025-02-20T00:00:00Z")
        deploy(1, "retired", "2025-02-20T00:00:00Z")
        client.set_registered_model_alias("risk", "champion", "2")

    def april() -> None:
        client.delete_model_version("churn", "1")
        client.delete_model_version("risk", "1")

    def may() -> None:
        # MLflow has no call that brings a version back; an administrator puts back what the backup held.
        with sqlite3.connect(database) as connection:
            connection.execute(
                "UPDATE model_versions SET current_stage = 'Archived' WHERE name = 'churn' AND version = 1"
            )
        client.create_model_version("churn", source)

    for month, happens in enumerate((january, february, march, april, may), 1):
        # It happens some days before it is seen.
        with time_machine.travel(day(month), tick=True):
            happens()
        shutil.copyfile(database, folder / f"{month}.db")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played")
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_lifecycle", str(folder)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def reading(played: Path, tmp_path: Path, store: Store) -> Callable[[int], Store]:
    """Reads the registry as it was at months up to one, each on the 10th."""

    def read(until: int) -> Store:
        for month in range(1, until + 1):
            shutil.copyfile(played / f"{month}.db", tmp_path / "mlflow.db")
            store.ingest(MLflowSource(str(tmp_path / "mlflow.db"), namespace="reg"), observed_at=day(month, 10))
        return store

    return read


def stages(store: Store, ref: str, **more: Any) -> list[tuple[str, str]]:
    """Stage and the month and day since when, of one version."""
    frame = lifecycle(store, ref, **more).stages()
    mine = frame[frame["ref"] == ref]
    return [(row.stage, row.since.strftime("%m-%d")) for row in mine.itertuples()]


def test_stages_are_told_as_they_were_observed_sync_after_sync(reading: Callable[[int], Store]) -> None:
    store = reading(3)
    assert stages(store, "model:reg/churn@2") == [
        ("none", "01-01"),
        ("staging", "02-10"),
        ("production", "02-20"),  # its deployment is dated; the registry was only seen to say it on 10 March
    ]
    frame = lifecycle(store, "churn").stages()
    staging = frame[frame["stage"] == "staging"].iloc[0]
    assert (staging["earliest"], staging["since"]) == (day(1, 10), day(2, 10))
    assert (staging["because"], staging["system"], staging["position"]) == (
        "stage Staging",
        "mlflow",
        "versions/churn/2",
    )
    assert staging["until"] == parse_instant("2025-02-20T00:00:00Z")


def test_what_no_longer_serves_is_retired_until_its_registry_is_seen_to_archive_it(
    reading: Callable[[int], Store],
) -> None:
    store = reading(3)
    assert stages(store, "model:reg/churn@1") == [
        ("none", "01-01"),
        ("production", "01-05"),
        # Until 10 March the registry was seen to say Production only, though it served no more.
        ("archived", "03-10"),
    ]


def test_an_alias_stands_for_a_stage_where_a_registry_uses_aliases(reading: Callable[[int], Store]) -> None:
    store = reading(3)
    assert stages(store, "model:reg/risk@2") == [("none", "01-01"), ("production", "03-10")]
    frame = lifecycle(store, "risk").stages().set_index(["ref", "stage"])
    assert frame.loc[("model:reg/risk@2", "production"), "because"] == "alias champion"
    assert frame.loc[("model:reg/risk@2", "production"), "earliest"] == day(2, 10)
    retired = frame.loc[("model:reg/risk@1", "retired")]
    assert (retired["because"], retired["earliest"], retired["since"]) == (
        "no longer alias champion",
        day(2, 10),
        day(3, 10),
    )


def test_a_deletion_is_dated_by_its_source_and_a_version_put_back_is_there_again(
    reading: Callable[[int], Store],
) -> None:
    store = reading(5)
    assert stages(store, "model:reg/churn@1") == [
        ("none", "01-01"),
        ("production", "01-05"),
        ("archived", "03-10"),
        ("deleted", "04-01"),
        ("archived", "05-10"),
    ]
    lives = lives_of(store, ["model:reg/churn", "model:reg/risk"], day(4, 15), store.now())[0]
    first, second = lives["model:reg/churn"][:2]
    assert (first.here, first.gone_at is not None and first.gone_at // 1_000_000) == (False, t(4) // 1_000_000)
    assert (second.here, second.gone_at) == (True, None)
    now, complete = lives_of(store, ["model:reg/churn", "model:reg/risk"], store.now(), store.now())
    assert [life.here for life in now["model:reg/churn"]] == [True, True, True]
    assert [life.here for life in now["model:reg/risk"]] == [False, True]
    assert complete == {"model:reg/churn": True, "model:reg/risk": True}


def test_before_the_first_sync_no_stage_is_known_but_that_it_was_registered(reading: Callable[[int], Store]) -> None:
    store = reading(2)
    (lives,) = lives_of(store, ["model:reg/churn"], day(1, 3), store.now())[0].values()
    assert [life.at(t(1, 3)).stage for life in lives] == ["none", "none"]  # type: ignore[union-attr]
    (first, _) = lives
    assert first.at(t(1, 1, 11)) is None
    assert [life.here for life in lives] == [None, None]
    assert lives_of(store, ["model:reg/churn"], day(1, 3), store.now())[1] == {"model:reg/churn": False}
    assert stages(store, "model:reg/churn@1", as_of="2024-12-31T00:00:00Z") == []


def test_an_audit_of_the_time_at_which_a_deleted_version_served_still_answers(reading: Callable[[int], Store]) -> None:
    store = reading(4)
    assert stages(store, "model:reg/churn@1")[-1][0] == "deleted"
    found = audit(store, "churn-prod", as_of=day(2, 1))
    assert found.serving()["ref"].tolist()[0] == "model:reg/churn@1"
    (node,) = [node for node in found.to_dict()["nodes"] if node["ref"] == "model:reg/churn@1"]
    assert node["resolved"]
    assert "model:reg/churn@1" in found.answer or "churn v1" in found.answer


def test_what_the_store_knew_by_then_is_all_that_is_told(reading: Callable[[int], Store]) -> None:
    store = reading(2)
    known = store.recorded_by(store.now())
    before = lifecycle(store, "churn", as_of=day(6), known_at=known).to_dict()
    reading(5)
    assert lifecycle(store, "churn", as_of=day(6), known_at=known).to_dict() == before
    assert lifecycle(store, "churn", as_of=day(6)).to_dict() != before


def test_a_registry_whose_last_reading_broke_off_was_not_read_completely(
    reading: Callable[[int], Store], tmp_path: Path
) -> None:
    store = reading(2)

    class Breaking(MLflowSource):
        def read(self) -> Iterator[Any]:
            yield from list(super().read())[:5]
            raise OSError("gone")

    read_changes = Breaking.read
    Breaking.read_changes = lambda self, cursor: read_changes(self)  # type: ignore[method-assign]
    with pytest.raises(Exception, match="gone"):
        store.ingest(Breaking(str(tmp_path / "mlflow.db"), namespace="reg"), observed_at=day(2, 20))
    ask = lambda when: lives_of(store, ["model:reg/churn"], when, store.now())[1]["model:reg/churn"]  # noqa: E731
    assert (ask(day(2, 15)), ask(day(2, 25))) == (True, False)


# --- retention and certificates ---


def test_retention_says_what_expires_when_and_whether_its_source_still_has_it(reading: Callable[[int], Store]) -> None:
    frame = lifecycle(reading(4), "churn").retention("1y").set_index("ref")
    first = frame.loc["model:reg/churn@1"]
    assert (first["retired_at"], first["keep_until"]) == (day(3, 10), day(3, 10).replace(year=2026))
    assert (first["here"], first["forgets_at"]) == (False, "not recorded")
    assert "retired between 2025-02-20T00:00:00Z and 2025-03-10T12:00:00Z" in first["note"]
    assert "earlier than 1 year after its retirement" in first["note"]
    second = frame.loc["model:reg/churn@2"]
    assert (str(second["keep_until"]), second["here"], second["note"]) == ("NaT", True, "not retired: production")


@pytest.mark.parametrize("stated", [Agent(ref="service:reg", attributes={"retention": "30d"}), None])
def test_when_a_source_forgets_is_told_where_a_record_states_it(
    reading: Callable[[int], Store], stated: Record | None
) -> None:
    store = reading(4)
    store.append([stated] if stated else [Entity(ref="model:reg/churn", attributes={"retention": "30d"})])
    frame = lifecycle(store, "churn").retention().set_index("ref")
    assert frame.loc["model:reg/churn@1", "forgets_at"].startswith("2025-05-01T12:00")
    assert frame.loc["model:reg/churn@2", "forgets_at"] == "30 days after it is deleted"
    assert "states a retention of 30d" in frame.loc["model:reg/churn@2", "note"]


def test_a_keep_that_is_no_duration_is_refused(file_store: Store) -> None:
    file_store.append([Entity(ref="model:churn@1")])
    with pytest.raises(InvalidQuestion, match="no duration"):
        lifecycle(file_store, "churn").retention("seven years")


def certificate(subject: str, kind: str, day_: str, **more: Any) -> Record:
    return gate(
        subject, "other", day_, gate=kind, evaluator="person:ada", pointer="https://dms.example.org/4711", **more
    )


def test_certificates_are_held_against_the_journal(reading: Callable[[int], Store]) -> None:
    store = reading(4)
    store.append(
        [
            Relation(effect="model:reg/churn@2", predicate="was_derived_from", cause="dataset:old", basis="identifier"),
        ]
    )
    for subject, kind, when, status in (
        ("model:reg/churn@1", "retirement", "2025-03-11T00:00:00Z", "passed"),
        ("model:reg/churn@1", "deletion", "2025-04-02T00:00:00Z", "passed"),
        ("model:reg/churn@2", "Deletion", "2025-03-11T00:00:00Z", "passed"),
        ("model:reg/churn@2", "retirement", "2025-03-12T00:00:00Z", "passed"),
        ("model:reg/churn@2", "deletion", "2025-03-13T00:00:00Z", "pending"),
        ("dataset:old", "data_deletion", "2025-03-11T00:00:00Z", "passed"),
    ):
        row = {
            "type": "evidence",
            "subject": subject,
            "gate": kind,
            "status": status,
            "evaluator": "person:ada",
            "event_time": when,
        }
        store.append([from_json({**row, "pointer": "https://dms.example.org/4711"})])
    frame = lifecycle(store, "churn").certificates()
    found = [(row.ref, row.gate, row.journal) for row in frame.itertuples()]
    assert found == [
        ("dataset:old", "data_deletion", "not known"),
        ("model:reg/churn@1", "retirement", "agrees"),
        ("model:reg/churn@1", "deletion", "agrees"),
        ("model:reg/churn@2", "Deletion", "contradicted"),
        ("model:reg/churn@2", "retirement", "contradicted"),
        ("model:reg/churn@2", "deletion", "not known"),
    ]
    contradicted = frame[frame["gate"] == "Deletion"].iloc[0]
    assert contradicted["note"] == "the complete reading of 2025-04-10T12:00:00Z still shows it"
    assert (contradicted["who"], contradicted["proof"]) == ("person:ada", "https://dms.example.org/4711")


def test_a_deletion_that_came_later_than_its_certificate_contradicts_it(reading: Callable[[int], Store]) -> None:
    store = reading(4)
    store.append([Evidence(subject="model:reg/churn@1", gate="deletion", status="passed", event_time=day(2, 1))])
    (row,) = lifecycle(store, "churn").certificates().to_dict("records")
    assert row["journal"] == "contradicted"
    assert "still showed it; gone since" in row["note"]


# --- what stages are derived from ---


def test_evaluation_deployment_monitoring_and_retirement_are_read_off_the_records(store: Store) -> None:
    store.append(
        [
            Entity(ref="model:churn@1", created_at=at("01-01")),
            gate("model:churn@1", "evaluation", "01-10"),
            *serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "02-01"),
            gate("model:churn@1", "monitoring", "02-15"),
            *serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "04-01", traffic=0.0),
        ]
    )
    frame = lifecycle(store, "churn").stages()
    assert [(row.stage, row.since.strftime("%m-%d"), row.because) for row in frame.itertuples()] == [
        ("none", "01-01", "registered"),
        ("evaluation", "01-10", "evaluation evaluation"),
        ("production", "02-01", "serves endpoint:churn"),
        ("monitoring", "02-15", "monitored"),
        ("retired", "04-01", "no longer serves endpoint:churn"),
    ]
    assert (frame["since"] == frame["earliest"]).all()  # all of it is dated


@pytest.mark.parametrize(
    ("attributes", "stage"),
    [
        ({}, "production"),
        ({"environment": "production"}, "production"),
        ({"environment": "staging"}, "staging"),
        ({"environment": "lab"}, "staging"),
    ],
)
def test_a_deployment_is_production_unless_its_environment_is_another(
    store: Store, attributes: dict[str, Any], stage: str
) -> None:
    store.append(serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "02-01")[2:])
    store.append([Entity(ref="deployment:churn:blue", attributes=attributes)])
    assert lifecycle(store, "churn").stages()["stage"].tolist() == [stage]


def test_what_answers_in_production_is_in_production_though_it_is_tried_in_staging_later(store: Store) -> None:
    store.append(serves("endpoint:live", "deployment:live:a", "model:churn@1", "02-01"))
    store.append(serves("endpoint:lab", "deployment:lab:a", "model:churn@1", "02-03"))
    store.append([Entity(ref="deployment:lab:a", attributes={"environment": "staging"})])
    assert stages(store, "model:churn@1") == [("production", "02-01")]


def test_of_what_is_said_from_one_instant_on_the_order_of_arrival_decides_nothing(tmp_path: Path) -> None:
    said = [
        *serves("endpoint:live", "deployment:live:a", "model:churn@1", "02-01", valid_to=at("02-05")),
        *serves("endpoint:more", "deployment:more:a", "model:churn@1", "02-01", valid_to=at("02-05")),
        *serves("endpoint:lab", "deployment:lab:a", "model:churn@1", "02-01", valid_to=at("02-05"))[2:],
        Entity(ref="deployment:lab:a", attributes={"environment": "staging"}),
        Entity(ref="model:churn@1", created_at=at("01-01")),
    ]
    for name, records in (("forwards", said), ("backwards", said[::-1])):
        with open_store(tmp_path / f"{name}.db", create_missing=True) as store:
            store.append(records)
            assert lifecycle(store, "churn").stages()[["stage", "because"]].to_numpy().tolist() == [
                ["none", "registered"],
                ["production", "serves endpoint:live"],
                ["retired", "no longer serves endpoint:live"],
            ]


def test_shadow_traffic_is_evaluation_and_an_idle_deployment_is_nothing(store: Store) -> None:
    store.append(
        [Entity(ref="model:churn@1", created_at=at("01-01")), Entity(ref="model:churn@2", created_at=at("01-01"))]
    )
    store.append(serves("endpoint:churn", "deployment:churn:shadow", "model:churn@1", "02-01", mirrored=True))
    store.append(serves("endpoint:churn", "deployment:churn:idle", "model:churn@2", "02-01", traffic=0.0))
    frame = lifecycle(store, "churn").stages()
    assert frame.groupby("ref")["stage"].agg(list).to_dict() == {
        "model:churn@1": ["none", "evaluation"],
        "model:churn@2": ["none"],
    }


def test_a_deployment_that_names_no_namespace_counts_for_the_one_version_that_it_can_mean(
    reading: Callable[[int], Store],
) -> None:
    store = reading(5)
    store.append(serves("endpoint:other", "deployment:other:a", "model:churn@3", "01-15"))
    assert stages(store, "model:reg/churn@3")[-1] == ("production", "01-15")


def test_a_deployment_of_an_alias_counts_for_what_it_points_at(reading: Callable[[int], Store]) -> None:
    store = reading(3)
    store.append(
        Relation(effect=effect, predicate=predicate, cause=cause, basis="identifier", slot="x", valid_from=day(1, 2))  # type: ignore[arg-type]
        for effect, predicate, cause in (
            ("endpoint:risk", "serves", "deployment:risk:a"),
            ("deployment:risk:a", "deploys", "model:reg/risk~champion"),
        )
    )
    frame = lifecycle(store, "risk").stages()
    assert "serves endpoint:risk" in frame[frame["ref"] == "model:reg/risk@2"]["because"].tolist()


def test_a_version_that_is_only_referred_to_has_no_stage(store: Store) -> None:
    store.append([gate("model:churn@9", "approval", "01-01"), Entity(ref="model:churn@10", created_at=at("01-01"))])
    frame = lifecycle(store, "model:churn@9").stages()
    assert frame[["ref", "stage"]].to_numpy().tolist() == [
        ["model:churn@9", "not recorded"],
        ["model:churn@10", "none"],
    ]
    assert lifecycle(store, "churn").retention()["note"].tolist()[0].startswith("no stage of it is on record")


def test_what_one_source_forgets_is_there_while_another_shows_it(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text(
            '{"type": "entity", "ref": "model:churn@1"}\n{"type": "entity", "ref": "model:churn@2"}\n'
        )
        store.ingest(NeutralSource(str(tmp_path / f"{name}.jsonl")), observed_at=day(1))
    (tmp_path / "one.jsonl").write_text('{"type": "entity", "ref": "model:churn@2"}\n')
    store.ingest(NeutralSource(str(tmp_path / "one.jsonl")), observed_at=day(2))
    assert stages(store, "model:churn@1") == [("none", "01-01")]
    (tmp_path / "two.jsonl").write_text('{"type": "entity", "ref": "model:churn@2"}\n')
    store.ingest(NeutralSource(str(tmp_path / "two.jsonl")), observed_at=day(3))
    assert stages(store, "model:churn@1") == [("none", "01-01"), ("deleted", "03-01")]
    (life, _) = lives_of(store, ["model:churn"], store.now(), store.now())[0]["model:churn"]
    assert (life.here, life.gone_at) == (False, t(3))


def test_what_serves_is_in_production_though_its_registry_has_it_no_longer(reading: Callable[[int], Store]) -> None:
    store = reading(4)
    store.append(serves("endpoint:other", "deployment:other:a", "model:reg/churn@1", "01-15"))
    assert stages(store, "model:reg/churn@1")[-1] == ("production", "01-15")
    life = lives_of(store, ["model:reg/churn"], store.now(), store.now())[0]["model:reg/churn"][0]
    assert (life.here, life.gone_at is not None) == (False, True)


def test_the_end_that_a_record_states_is_a_retirement(store: Store) -> None:
    store.append([Entity(ref="model:churn@1", created_at=at("01-01"), ended_at=at("03-01"))])
    assert lifecycle(store, "churn").stages()["stage"].tolist() == ["none", "retired"]
    assert lifecycle(store, "churn").retention("1y")["keep_until"].tolist() == [at("03-01").replace(year=2027)]


def test_what_is_appended_is_never_known_to_be_all_there_is(store: Store) -> None:
    store.append([Entity(ref="model:churn@1")])
    lives, complete = lives_of(store, ["model:churn", "model:nobody"], store.now(), store.now())
    assert [life.here for life in lives["model:churn"]] == [None]
    assert (lives["model:nobody"], complete) == ((), {"model:churn": False, "model:nobody": False})


def test_several_words_come_to_one_stage_at_a_time() -> None:
    words = [
        Word("none", NONE, 0, FOREVER, 0, FOREVER, 1, "registered", 1),
        Word("staging", NAMED, 10, 20, 5, 15, 2, "stage Staging", 1),
        Word("archived", ARCHIVED, 30, FOREVER, 25, FOREVER, 3, "stage Archived", 1),
        Word("production", SERVES, 28, 40, 28, 40, 4, "serves"),
    ]
    found = [(one.interval.stage, one.interval.earliest, one.interval.start, one.interval.end) for one in line(words)]
    assert found == [
        ("none", 0, 0, 10),
        ("staging", 5, 10, 20),
        ("none", 15, 20, 28),
        ("production", 28, 28, 40),
        ("archived", 40, 40, None),
    ]
    assert line(reversed(words)) == line(words)
    assert Life("model:a@1", tuple(one.interval for one in line(words))).at(29).stage == "production"  # type: ignore[union-attr]


# --- what served ---


def test_spans_are_the_releases_of_an_endpoint_up_to_an_instant(reading: Callable[[int], Store]) -> None:
    store = reading(5)
    spans = spans_of(store, "endpoint:reg/churn-prod", day(6), store.now())
    assert [[share.model for share in span.shares if share.traffic] for span in spans] == [
        ["model:reg/churn@1"],
        ["model:reg/churn@2"],
    ]
    assert [span.start for span in spans] == [micros(item["since"]) for item in releases(store, "churn-prod")]
    earlier = spans_of(store, "endpoint:reg/churn-prod", day(2, 1), store.now())
    assert (len(earlier), earlier[-1].end) == (1, None)


def test_an_alias_is_told_as_the_version_that_it_pointed_at(reading: Callable[[int], Store]) -> None:
    store = reading(3)
    store.append(
        Relation(
            effect=effect,
            predicate=predicate,
            cause=cause,
            basis="identifier",
            slot="x",
            valid_from=day(1, 20),
            traffic=traffic,
        )  # type: ignore[arg-type]
        for effect, predicate, cause, traffic in (
            ("endpoint:risk", "serves", "deployment:risk:a", 100.0),
            ("deployment:risk:a", "deploys", "model:reg/risk~champion", None),
        )
    )
    spans = spans_of(store, "endpoint:risk", day(6), store.now())
    assert [(span.shares[0].model, span.sure) for span in spans] == [
        ("model:reg/risk@1", True),
        ("model:reg/risk@2", False),
    ]


def test_shares_carry_the_environment_and_no_traffic_that_answers_nobody(store: Store) -> None:
    store.append(serves("endpoint:churn", "deployment:churn:blue", "model:churn@1", "02-01", traffic=90.0))
    store.append(
        serves("endpoint:churn", "deployment:churn:shadow", "model:churn@2", "02-01", traffic=None, mirrored=True)
    )
    store.append([Entity(ref="deployment:churn:blue", attributes={"environment": "production"})])
    (span,) = spans_of(store, "endpoint:churn", store.now(), store.now())
    assert [(share.model, share.traffic, share.environment) for share in span.shares] == [
        ("model:churn@1", 90.0, "production"),
        ("model:churn@2", 0.0, ""),
    ]


def test_ten_times_the_names_and_endpoints_take_no_more_statements(tmp_path: Path) -> None:
    counts = []
    for size in (5, 50):
        with open_store(tmp_path / f"{size}.db", create_missing=True) as store:
            for number in range(size):
                store.append(Entity(ref=f"model:m{number}@{version}") for version in (1, 2))
                store.append(serves(f"endpoint:e{number}", f"deployment:e{number}:a", f"model:m{number}@1", "02-01"))
            assert isinstance(store._engine, SQLite)
            statements: list[str] = []
            store._engine.connection.set_trace_callback(statements.append)
            now = store.now()
            lives_of(store, [f"model:m{number}" for number in range(size)], now, now)
            found = spans_of_each(store, [f"endpoint:e{number}" for number in range(size)], now, now)
            store._engine.connection.set_trace_callback(None)
            assert len(found) == size
            counts.append(len([text for text in statements if not text.startswith("--")]))
    assert counts[0] == counts[1]
    assert counts[0] < 40


POLICY = """
name = "history"
version = "1"

[[requirement]]
id = "canary"
title = "Step by step"
hop = ["model", "deploys", "deployment"]
check = "canary"
steps = [100]
for = "1d"

[[requirement]]
id = "back"
title = "Something to go back to"
hop = ["model", "deploys", "deployment"]
check = "rollback_target"

[[requirement]]
id = "few"
title = "One active version"
hop = ["model", "deploys", "deployment"]
check = "active_versions"
at_most = 1

[[requirement]]
id = "kept"
title = "Kept"
hop = ["model", "deploys", "deployment"]
check = "kept"
for = "90d"

[[requirement]]
id = "compared"
title = "Compared with production"
hop = ["model", "deploys", "deployment"]
check = "compared"
gate_type = "evaluation"
"""


def test_a_policy_judges_by_these_facts_as_they_were_at_each_instant(
    reading: Callable[[int], Store], tmp_path: Path
) -> None:
    (tmp_path / "history.toml").write_text(POLICY)
    store = reading(5)
    champion = gate("model:reg/churn@2", "evaluation", "01-10")
    store.append([replace(champion, event_time=day(2, 15), attributes={"baseline": "model:churn@1"})])

    def outcomes(when: datetime) -> dict[str, str]:
        found = audit(store, "churn-prod", as_of=when, policy=tmp_path / "history.toml").to_dict()
        return {
            item["requirement"]: item["outcome"]
            for hop in found["hops"]
            if hop["predicate"] == "deploys" and hop["cause"] == "model:reg/churn@2"
            for item in hop["requirements"]
            if item["required"]
        }

    wanted = {"canary": "holds", "back": "holds", "few": "holds", "kept": "holds", "compared": "holds"}
    assert outcomes(day(3, 20)) == wanted
    # In April the archived version was deleted, in May it was put back.
    assert outcomes(day(4, 20)) == {**wanted, "back": "fails", "kept": "fails"}
    assert outcomes(day(5, 20)) == wanted


# --- asking and showing ---


def test_a_name_that_is_not_on_record_itself_is_found_by_its_versions(store: Store) -> None:
    store.append([Entity(ref="model:a/churn@1"), Entity(ref="model:b/other@1"), Entity(ref="model:c/other@1")])
    assert lifecycle(store, "churn").ref == "model:a/churn"
    assert lifecycle(store, "model:churn@1").ref == "model:a/churn"
    with pytest.raises(AmbiguousReference, match=r"model:b/other, model:c/other"):
        lifecycle(store, "other")
    with pytest.raises(UnknownReference):
        lifecycle(store, "nothing")


def test_a_lifecycle_shows_itself_as_a_table_of_text(store: Store) -> None:
    store.append([Entity(ref=f"model:{'%3Cb%3E'}@1", attributes={"stage": "Production"})])
    store.append([gate("model:x@1", "evaluation", "01-01", gate=HOSTILE + "\x1b[2J"), Entity(ref="model:x@1")])
    found = lifecycle(store, "model:x")
    assert repr(found).splitlines()[0].startswith("<Lifecycle model:x as of ")
    assert "\x1b" not in repr(found)
    assert "version  stage" in repr(found)
    html = found._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<td>x@1</td>" in html


def test_the_command_prints_tables_json_and_csv(store: Store, tmp_path: Path, played: Path) -> None:
    shutil.copyfile(played / "4.db", tmp_path / "mlflow.db")
    place = tmp_path / "lineage.db"
    with open_store(place, create_missing=True) as opened:
        opened.ingest(MLflowSource(str(tmp_path / "mlflow.db"), namespace="reg"), observed_at=day(4, 10))
        opened.append([Observation(record=certificate("model:reg/churn@1", "deletion", "01-01"))])
    shown = command("lifecycle", place, "churn").stdout
    assert "<Lifecycle model:reg/churn as of" in shown
    assert "Retired versions, kept for 7y:" in shown
    assert "Certificates:" in shown
    told = json.loads(command("lifecycle", place, "churn", "--json", "--keep", "1y").stdout)
    assert told["question"]["ref"] == "model:reg/churn"
    assert {row["ref"] for row in told["retention"]} == {"model:reg/churn@1", "model:reg/churn@2"}
    lines = command("lifecycle", place, "churn", "--csv", "--table", "retention").stdout.splitlines()
    assert lines[0] == "ref,retired_at,keep_until,here,forgets_at,note"
    assert len(lines) == 3
    command("lifecycle", place, "churn", "-o", tmp_path / "out.csv", "--as-of", "2025-02-01T00:00:00Z")
    assert (tmp_path / "out.csv").read_text().startswith("ref,stage,since,until,earliest,because,system,position\n")
    command("lifecycle", place, "churn", "-o", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["complete"] is True
    assert (
        "no duration"
        in command("lifecycle", place, "churn", "--csv", "--table", "retention", "--keep", "x", status=2).stderr
    )
    assert "is not written" in command("lifecycle", place, "churn", "-o", tmp_path / "out.docx", status=2).stderr


if __name__ == "__main__":
    play(Path(sys.argv[1]))
