"""Documents in a notebook: what is shown, what the reader can go on to, and what remains without a kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from lineage_explorer.asking import StoreAtHand, part
from lineage_explorer.chapters import Chapter, display, static_bundle, widget
from lineage_explorer.comparison import alike, compare
from lineage_explorer.errors import LineageError, PolicyError, StoreError
from lineage_explorer.impacts import impact
from lineage_explorer.records import Entity, Ref, Relation
from lineage_explorer.rollbacks import rollback
from lineage_explorer.servings import serving_document
from lineage_explorer.store import Store
from lineage_explorer.version_history import history
from lineage_explorer.widget import Explorer

from . import estates

JUNE = "2026-06-01T00:00:00Z"
ENDPOINT = "endpoint:churn"
HOSTILE = "<img src=x onerror=alert(1)>\u202e=cmd()"

Ask = Callable[[Store], dict[str, Any]]
DOCUMENTS: dict[str, Ask] = {
    "history": lambda store: history(store, "model:churn").to_dict(),
    "comparison": lambda store: compare(f"{ENDPOINT}@@2026-04-01T00:00:00Z", ENDPOINT, store=store).to_dict(),
    "likeness": lambda store: alike([ENDPOINT, "endpoint:other"], store=store).to_dict(),
    "impact": lambda store: impact(store, "dataset:raw@1").to_dict(),
    "rollback": lambda store: rollback(store, ENDPOINT).to_dict(),
    "serving": lambda store: serving_document(store, ENDPOINT),
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def estate(file_store: Store) -> Store:
    """``churn`` was served by version 1 and then by 2; ``other`` by 1 to this day."""
    file_store.append(
        [
            *estates.complete(),
            Entity(ref="model:churn@2"),
            *estates.serves("endpoint:other", "deployment:other", "model:churn@1", "03-01"),
            Relation(
                effect="deployment:churn:blue",
                predicate="deploys",
                cause="model:churn@2",
                basis="identifier",
                slot="model",
                valid_from=estates.at("06-01"),
            ),
        ]
    )
    return file_store


class Reader:
    """A reader in front of the view: asks as the view does and keeps what comes back."""

    def __init__(self, shown: Chapter | Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown = shown
        self.heard: list[dict[str, Any]] = []
        monkeypatch.setattr(type(shown), "send", lambda _self, content, buffers=None: self.heard.append(content))

    def ask(self, question: str, **asked: Any) -> dict[str, Any]:
        self.shown._handle_custom_msg({"id": len(self.heard), "question": question, "asked": asked}, [])
        reply = self.heard[-1]
        assert reply["id"] == len(self.heard) - 1
        json.dumps(reply)
        return reply


def asked(name: str) -> dict[str, Any]:
    """What the view asks with to have a document: see `Wanted` in transport.ts."""
    instants = {"as_of": "", "known_at": ""}
    return {
        "history": {"ref": "model:churn@2", **instants},
        "comparison": {"a": f"{ENDPOINT}@@2026-04-01T00:00:00Z", "b": ENDPOINT, "known_at": "", "policy": "default"},
        "impact": {"ref": "dataset:raw@1", **instants},
        "rollback": {"endpoint": ENDPOINT, **instants, "policy": ""},
    }[name]


# --- what is shown ---


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_a_view_and_remains_readable_without_one(estate: Store, name: str) -> None:
    document = DOCUMENTS[name](estate)
    shown = widget(document, str(estate.path))
    assert shown.content == document
    assert shown.asks
    assert re.fullmatch(r".+; run the cell to have it again\.", repr(shown))
    still = static_bundle(document)
    assert "churn" in still["text/plain"]
    assert "<table" in still["text/html"]


def test_what_python_answers_with_shows_itself(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: told.append(bundle))
    history(estate, "churn")._ipython_display_()
    live, still = told
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "churn" in still["text/plain"]
    shown = history(estate, "churn").widget()
    assert isinstance(shown, Chapter)
    assert shown.asks, "the store stands in a file, so the reader can go on"
    display(rollback(estate, ENDPOINT).to_dict())
    assert len(told) == 4


def test_a_document_of_another_kind_is_refused_and_leaves_the_last(estate: Store) -> None:
    document = DOCUMENTS["serving"](estate)
    shown = Chapter(document)
    with pytest.raises(LineageError, match="no view of 'something/else'"):
        shown.content = {"format": "something/else"}
    assert shown.content == document


def test_many_chapters_carry_their_code_once(estate: Store) -> None:
    one, two = (Chapter(DOCUMENTS[name](estate)) for name in ("serving", "rollback"))
    assert one.chapters is two.chapters
    assert one.view is two.view is Explorer(estate, "churn").view
    own = {name: value for name, value in two.get_state().items() if name != "content"}
    assert len(json.dumps(own)) < 5_000
    ipywidgets.Widget.close_all()
    assert Chapter(DOCUMENTS["serving"](estate)).chapters.comm is not None


class Markup(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(not name.startswith("on") and name not in ("src", "href") for name, _ in attrs)
        self.tags.add(tag)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_text_of_a_record_becomes_markup(file_store: Store, name: str) -> None:
    model = str(Ref(kind="model", name=HOSTILE))
    data = str(Ref(kind="dataset", name=HOSTILE, version=HOSTILE))
    endpoints = [str(Ref(kind="endpoint", name=f"{HOSTILE}{number}")) for number in (1, 2)]
    for number, day in ((1, "03-01"), (2, "06-01")):
        version = str(Ref(kind="model", name=HOSTILE, version=f"{HOSTILE}{number}"))
        run = str(Ref(kind="run", name=f"{HOSTILE}{number}"))
        file_store.append(
            [
                Entity(ref=version, description=HOSTILE, attributes={"params": {HOSTILE: HOSTILE}}),
                Entity(ref=data, description=HOSTILE),
                Relation(effect=version, predicate="was_generated_by", cause=run, basis="identifier"),
                estates.used(run, data, "01-01"),
                estates.gate(version, "approval", "02-20", gate=HOSTILE, evaluator=HOSTILE, actual=HOSTILE),
                *(
                    record
                    for endpoint in endpoints
                    for record in estates.serves(
                        endpoint, str(Ref(kind="deployment", name=endpoint)), version, day, site=HOSTILE
                    )
                ),
            ]
        )
    first, second = endpoints
    document = {
        "history": lambda: history(file_store, model).to_dict(),
        "comparison": lambda: compare(f"{first}@@2026-04-01T00:00:00Z", second, store=file_store).to_dict(),
        "likeness": lambda: alike(endpoints, store=file_store).to_dict(),
        "impact": lambda: impact(file_store, data).to_dict(),
        "rollback": lambda: rollback(file_store, first, site=HOSTILE).to_dict(),
        "serving": lambda: serving_document(file_store, first),
    }[name]()
    still = static_bundle(document)
    assert Markup(still["text/html"]).tags <= {
        *("div", "p", "strong", "h2", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    }
    assert "\u202e" not in still["text/html"] + still["text/plain"]
    assert "\u202e" not in repr(Chapter(document))


# --- going on ---


@pytest.mark.parametrize("name", ["history", "comparison", "impact", "rollback"])
def test_explorer_and_chapter_answer_with_what_python_answers(
    estate: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for shown in (Explorer(estate, "churn"), Chapter(DOCUMENTS["serving"](estate), estate)):
        answer = Reader(shown, monkeypatch).ask(name, **asked(name))["answer"]
        assert answer["format"] == f"lineage-explorer/{name}"
        assert answer["question" if name != "comparison" else "a"]


def test_a_chapter_reaches_the_trace_of_an_instant(estate: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Chapter(DOCUMENTS["history"](estate), estate.path), monkeypatch)
    at = "2026-04-01T00:00:00Z"
    found = reader.ask("audit", endpoint=ENDPOINT, as_of=at, known_at="", policy="")["answer"]
    assert [row["model"] for row in found["serving"]] == ["model:churn@1"]
    around = reader.ask("explore", ref="dataset:raw@1", direction="both", depth=None, as_of=at, known_at="")["answer"]
    assert around["root"] == "dataset:raw@1"


def test_what_goes_wrong_is_told_and_a_chapter_without_a_store_has_nobody_to_ask(
    estate: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(Chapter(DOCUMENTS["history"](estate), estate), monkeypatch)
    assert "did you mean" in reader.ask("history", ref="model:chrun", as_of="", known_at="")["problem"]
    assert "time zone" in reader.ask("impact", ref="dataset:raw@1", as_of="2026-04-01", known_at="")["problem"]
    assert "no answer to 'purge'" in reader.ask("purge")["problem"]
    alone = Chapter(DOCUMENTS["history"](estate))
    assert not alone.asks
    assert "no store to ask" in Reader(alone, monkeypatch).ask("history", **asked("history"))["problem"]


def test_an_explorer_fetches_the_code_of_chapters_when_it_is_wanted(
    estate: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(Explorer(estate, "churn"), monkeypatch)
    chapters = reader.ask("code", part="chapters")["answer"]
    assert (
        chapters
        == part("chapters")
        == {key: getattr(Chapter(DOCUMENTS["serving"](estate)).chapters, key) for key in chapters}
    )
    assert "no part '../widget.py'" in reader.ask("code", part="../widget.py")["problem"]


def test_the_policy_is_what_the_view_was_made_with_else_a_shipped_one(estate: Store, tmp_path: Path) -> None:
    wanted = {"endpoint": ENDPOINT, "as_of": JUNE, "known_at": ""}

    def policy(at_hand: StoreAtHand, name: str) -> str:
        return str(at_hand.answer("rollback", {**wanted, "policy": name})["question"]["policy"]["name"])

    assert policy(StoreAtHand(estate), "") == "default"
    assert policy(StoreAtHand(estate), "model-governance") == "model-governance"
    assert policy(StoreAtHand(estate, policy="model-governance"), "default") == "model-governance"
    own = tmp_path / "own.toml"
    own.write_text("anything")
    with pytest.raises(PolicyError, match="not at hand"):
        policy(StoreAtHand(estate), str(own))


def test_the_store_may_be_closed_and_is_opened_for_each_question(estate: Store) -> None:
    at_hand = StoreAtHand(estate)
    estate.close()
    assert at_hand.answer("history", asked("history"))["versions"]
    with pytest.raises(StoreError, match="no store to ask"):
        StoreAtHand(None).answer("history", asked("history"))
