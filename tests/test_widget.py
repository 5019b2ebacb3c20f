"""The explorer's Python side: what it asks, what it answers, and what it leaves where no widget lives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import traitlets

from lineage_explorer import audit
from lineage_explorer.errors import InvalidInstant, StoreError, UnknownReference
from lineage_explorer.records import Entity, Evidence, Relation
from lineage_explorer.store import Store, open_store
from lineage_explorer.widget import AUDIT_MIME, Explorer, static_bundle

JUNE = "2026-06-01T00:00:00Z"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def estate(file_store: Store) -> Store:
    """Two endpoints; the model behind ``churn`` changed in June."""
    file_store.append(
        [
            *(Entity(ref=ref) for ref in ("endpoint:churn", "endpoint:other", "deployment:churn")),
            *(Entity(ref=f"model:churn@{version}") for version in "12"),
            Entity(ref="dataset:customers@v1"),
            Relation(
                effect="endpoint:churn",
                predicate="serves",
                basis="identifier",
                cause="deployment:churn",
                traffic=100.0,
                valid_from="2026-01-01T00:00:00Z",
            ),
            *(
                Relation(
                    effect="deployment:churn",
                    predicate="deploys",
                    basis="identifier",
                    cause=f"model:churn@{version}",
                    valid_from=since,
                    valid_to=until,
                )
                for version, since, until in (("1", "2026-01-01T00:00:00Z", JUNE), ("2", JUNE, None))
            ),
            Relation(
                effect="model:churn@2", predicate="was_derived_from", basis="identifier", cause="dataset:customers@v1"
            ),
            Evidence(subject="model:churn@2", gate="quality", status="passed", evaluator="team"),
        ]
    )
    return file_store


class Reader:
    """A reader in front of the view: asks as the view does and keeps what comes back."""

    def __init__(self, explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.explorer = explorer
        self.heard: list[dict[str, Any]] = []
        monkeypatch.setattr(Explorer, "send", lambda _self, content, buffers=None: self.heard.append(content))

    def ask(self, question: str, **asked: Any) -> dict[str, Any]:
        self.explorer._handle_custom_msg({"id": len(self.heard), "question": question, "asked": asked}, [])
        reply = self.heard[-1]
        assert reply["id"] == len(self.heard) - 1
        json.dumps(reply)
        return reply


def test_an_explorer_of_a_store_shows_the_endpoint_as_of_the_instant_asked(estate: Store) -> None:
    explorer = Explorer(estate, "churn", as_of="2026-03-01T00:00:00Z")
    assert explorer.audit is not None
    assert explorer.content["serving"][0]["model"] == "model:churn@1"
    explorer.as_of = "2026-07-01T02:00:00+02:00"
    assert explorer.as_of == "2026-07-01T00:00:00Z"
    assert explorer.content["serving"][0]["model"] == "model:churn@2"
    assert explorer.content["digest"] == explorer.audit.digest


def test_an_instant_that_cannot_be_read_changes_nothing(estate: Store) -> None:
    explorer = Explorer(estate, "churn")
    before = explorer.content
    with pytest.raises(InvalidInstant):
        explorer.as_of = "last month"
    assert (explorer.as_of, explorer.content) == ("", before)


def test_an_unknown_endpoint_leaves_the_last_answer(estate: Store) -> None:
    explorer = Explorer(estate, "churn")
    with pytest.raises(UnknownReference):
        explorer.endpoint = "chrun"
    assert explorer.content["question"]["endpoint"] == "endpoint:churn"


def test_a_direction_that_is_none_is_refused(estate: Store) -> None:
    with pytest.raises(traitlets.TraitError):
        Explorer(estate, "churn").direction = "sideways"


def test_a_store_of_several_endpoints_lets_the_reader_choose_and_one_of_one_does_not(
    estate: Store, tmp_path: Path
) -> None:
    assert Explorer(estate).content == {}
    with open_store(tmp_path / "one.db", create_missing=True) as one:
        one.append([Entity(ref="endpoint:only")])
        assert Explorer(one).endpoint == "endpoint:only"


def test_what_is_no_endpoint_is_explored_and_not_judged(estate: Store) -> None:
    explorer = Explorer(estate, "dataset:customers@v1")
    assert explorer.audit is None
    assert "verdict" not in explorer.content
    assert {node["ref"] for node in explorer.content["nodes"]} >= {
        "dataset:customers@v1",
        "model:churn@2",
        "endpoint:churn",
    }


def test_the_store_may_be_closed_after_the_explorer_was_made(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer(estate, "churn")
    estate.close()
    assert "answer" in Reader(explorer, monkeypatch).ask("releases", endpoint="endpoint:churn", known_at="")


def test_every_question_gets_a_reply_errors_included(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Explorer(estate, "churn"), monkeypatch)
    spans = reader.ask("releases", endpoint="endpoint:churn", known_at="")["answer"]
    assert [[item["model"] for item in span["serving"]] for span in spans][-2:] == [
        ["model:churn@1"],
        ["model:churn@2"],
    ]
    around = reader.ask("explore", ref="model:churn@2", direction="upstream", depth=1, as_of="", known_at="")["answer"]
    assert "dataset:customers@v1" in {node["ref"] for node in around["nodes"]}
    assert [hit["ref"] for hit in reader.ask("search", query="", kind="endpoint", limit=9)["answer"]] == [
        "endpoint:churn",
        "endpoint:other",
    ]
    assert reader.ask("search", query="oth", kind="endpoint", limit=9)["answer"][0]["ref"] == "endpoint:other"
    assert "did you mean" in reader.ask("audit", endpoint="endpoint:chrun", as_of="", known_at="", policy="")["problem"]
    assert "no answer to 'purge'" in reader.ask("purge")["problem"]


def test_an_audit_asked_for_by_the_view_reaches_python_too(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer(estate, "churn")
    reply = Reader(explorer, monkeypatch).ask(
        "audit", endpoint="endpoint:churn", as_of="2026-03-01T00:00:00Z", known_at="", policy=""
    )
    assert reply["answer"] is None, "the answer goes by the trait, once"
    assert explorer.as_of == "2026-03-01T00:00:00Z"
    assert explorer.content["serving"][0]["model"] == "model:churn@1"


def test_an_explorer_of_one_audit_has_nobody_to_ask(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = audit(estate, "churn")
    explorer = answer.widget()
    assert (explorer.audit, explorer.asks) == (answer, False)
    assert (
        "no store to ask"
        in Reader(explorer, monkeypatch).ask("releases", endpoint="endpoint:churn", known_at="")["problem"]
    )
    with pytest.raises(StoreError, match="no store to ask"):
        explorer.as_of = "2026-03-01T00:00:00Z"


def test_several_explorers_carry_the_views_code_once(estate: Store) -> None:
    one, two = Explorer(estate, "churn"), Explorer(estate, "other")
    assert one.view is two.view
    own = {name: value for name, value in two.get_state().items() if name not in ("content",)}
    assert len(json.dumps(own)) < 5_000, {name: len(str(value)) for name, value in own.items()}
    ipywidgets.Widget.close_all()
    assert Explorer(estate, "churn").view.comm is not None


def test_what_remains_without_a_kernel_is_data_picture_and_words(estate: Store) -> None:
    content = audit(estate, "churn").to_dict()
    bundle = static_bundle(content)
    assert bundle[AUDIT_MIME] == content
    assert bundle["text/plain"].startswith("INCOMPLETE: As of ")
    assert bundle["image/svg+xml"].startswith("<svg")
