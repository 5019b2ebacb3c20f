"""The view with a store behind it: its questions are answered by Python, as a notebook's kernel answers them."""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from lineage_explorer import LineageError, audit, open_store
from lineage_explorer.explorations import explore
from lineage_explorer.sentences import minute_of
from lineage_explorer.servings import releases

from .conftest import watch

pytestmark = pytest.mark.browser

#: A notebook's widget without the notebook: the model that the view's entry is given, and a comm that asks Python.
_HOST = """async ([code, audit]) => {
  const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
  const entry = (await import(url)).default;
  const state = {content: audit, store: 'open_store("lineage.db")', endpoint: audit.question.endpoint, asks: true,
                 selected: "", as_of: "", direction: "both", query: ""};
  const heard = {};
  const tell = (event, content) => { for (const callback of [...(heard[event] ?? [])]) callback(content); };
  const model = {
    get: (name) => state[name],
    set: (name, value) => { if (state[name] !== value) { state[name] = value; tell(`change:${name}`); } },
    save_changes: () => undefined,
    on: (event, callback) => (heard[event] ??= []).push(callback),
    off: (event, callback) => { heard[event] = (heard[event] ?? []).filter((item) => item !== callback); },
    widget_manager: {},
    send: async ({id, question, asked}) => {
      const reply = JSON.parse(await window.answer(question, JSON.stringify(asked)));
      if (question === "audit" && reply.answer) { model.set("content", reply.answer); reply.answer = null; }
      tell("msg:custom", {id, ...reply});
    },
  };
  window.host = model;
  entry.render({model, el: document.getElementById("cell")});
}"""


class Kernel:
    """Answers the view's questions about one store, or says what is wrong with it."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.problem: str | None = None
        self.asked: list[str] = []

    def since(self, release: int) -> str:
        """When one of churn-prod's releases began: the demo's calendar ends yesterday, so no date is fixed."""
        with open_store(self.store) as store:
            return str(releases(store, "churn-prod")[release]["since"])

    def answer(self, question: str, asked: str) -> str:
        self.asked.append(question)
        if self.problem is not None:
            return json.dumps({"problem": self.problem})
        try:
            return json.dumps(
                {"answer": self._answer(question, {key: value or None for key, value in json.loads(asked).items()})}
            )
        except LineageError as error:
            return json.dumps({"problem": str(error)})

    def _answer(self, question: str, asked: dict[str, Any]) -> Any:
        with open_store(self.store) as store:
            if question == "audit":
                return audit(store, asked["endpoint"], asked["as_of"], asked["known_at"], asked["policy"]).to_dict()
            if question == "releases":
                return releases(store, asked["endpoint"], asked["known_at"])
            return explore(store, asked["ref"], asked["direction"], asked["depth"], asked["as_of"], asked["known_at"])


class Shown(NamedTuple):
    page: Page
    kernel: Kernel
    problems: list[str]


Show = Callable[..., Shown]


@pytest.fixture
def show(browser: Browser, workspace: Path) -> Iterator[Show]:
    static = importlib.resources.files("lineage_explorer").joinpath("static")
    contexts = []

    def go(endpoint: str = "churn-prod", width: int = 1280, **more: Any) -> Shown:
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        watched = watch(context.new_page())
        page = watched.page
        kernel = Kernel(workspace / "demo" / "lineage.db")
        page.expose_function("answer", kernel.answer)
        page.set_content(
            '<!DOCTYPE html><html lang="en"><title>A notebook</title><body><main><h1>A notebook</h1><div id="cell"></div></main>'
        )
        if more.get("color_scheme") == "dark":
            page.evaluate("document.body.dataset.jpThemeLight = 'false'")
            page.add_style_tag(content="body { background: #111; color: #fff; color-scheme: dark }")
        page.add_style_tag(content=static.joinpath("view.css").read_text())
        with open_store(kernel.store) as store:
            content = audit(store, endpoint).to_dict()
        page.evaluate(_HOST, [static.joinpath("view.js").read_text(), content])
        expect(page.locator(".lx-releases summary")).to_be_visible()
        return Shown(page, kernel, watched.problems)

    yield go
    for context in contexts:
        context.close()


def broken_rules(page: Page, axe: str) -> Any:
    if page.evaluate("typeof axe") == "undefined":
        page.add_script_tag(content=axe)
    # In the drawing a name is broken into lines and shortened to fit; the spoken name has it whole.
    return page.evaluate(
        """async () => (await axe.run({rules: {"target-size": {enabled: true}}})).violations
          .map(v => [v.id, v.nodes.map(n => n.html).filter(h => v.id !== 'label-content-name-mismatch' || !h.startsWith('<g'))])
          .filter(([, nodes]) => nodes.length > 0)"""
    )


def slide(page: Page, release: int) -> None:
    page.locator(".lx-range").focus()
    page.keyboard.press("Home")
    for _ in range(release):
        page.keyboard.press("ArrowRight")


def test_moving_the_time_asks_again_and_says_what_changed(show: Show) -> None:
    page, kernel, problems = show()
    expect(page.locator(".lx-releases li")).to_have_count(7)
    expect(page.locator(".lx-range")).to_have_attribute("aria-valuetext", re.compile("^7 of 7"))
    slide(page, 1)
    second = kernel.since(1)
    expect(page.locator(".lx-title")).to_contain_text(f"as of {minute_of(second)}")
    expect(page.locator(".lx-said")).to_contain_text(f"As of {minute_of(second)}: PASSED")
    expect(page.locator('.lx-node[data-id="model:demo/churn@1"]')).to_be_visible()
    expect(page.locator(".lx-root > [role=status]")).to_contain_text("things added")
    assert page.evaluate("host.get('as_of')") == second
    assert kernel.asked.count("audit") == 1, "releases that were only passed were asked about"
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.locator(".lx-shares")).to_contain_text("churn v4")
    assert problems == []


def test_a_question_that_fails_leaves_the_last_answer_and_can_be_asked_again(show: Show) -> None:
    page, kernel, _ = show()
    kernel.problem = "The store is locked by another process; wait for it to end."
    slide(page, 0)
    problem = page.locator(".lx-time .lx-problem")
    expect(problem).to_contain_text("The store is locked by another process")
    expect(page.locator(".lx-shares")).to_contain_text("churn v4")
    assert page.evaluate("host.get('as_of')") == ""
    kernel.problem = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".lx-title")).to_contain_text(f"as of {minute_of(kernel.since(0))}")
    expect(problem).to_have_count(0)


def test_the_host_and_the_view_keep_one_state(show: Show) -> None:
    page, _, _ = show()
    page.evaluate(
        "host.set('selected', 'model:demo/churn@3'); host.set('direction', 'upstream'); host.set('query', 'customers')"
    )
    expect(page.locator(".lx-details h3")).to_have_text("churn v3")
    expect(page.get_by_role("radio", name="upstream")).to_be_checked()
    expect(page.locator(".lx-found")).to_contain_text("of 25 things")
    page.get_by_role("radio", name="downstream").check(force=True)
    page.locator(".lx-search").fill("usage")
    page.get_by_role("button", name="Close the details").click()
    assert page.evaluate("['selected', 'direction', 'query'].map((name) => host.get(name))") == [
        "",
        "downstream",
        "usage",
    ]
    page.evaluate("host.set('as_of', '2026-10-28T12:00:00Z')")
    expect(page.locator(".lx-title")).to_contain_text("as of 2026-10-28 12:00 UTC")


def test_a_thing_is_expanded_and_what_comes_is_not_judged(show: Show) -> None:
    page, kernel, problems = show()
    page.evaluate("host.set('selected', 'model:demo/churn@3')")
    page.get_by_role("button", name="Expand downstream").click()
    expect(page.locator(".lx-notice")).to_contain_text(
        re.compile(r"\d things? and \d hops? added downstream of churn v3, not judged")
    )
    page.get_by_role("tab", name="Hops").click()
    expect(page.get_by_role("cell", name="not judged").first).to_be_attached()
    kernel.problem = "The store is gone."
    page.get_by_role("button", name="Expand upstream").click()
    expect(page.locator(".lx-notice")).to_contain_text("The store is gone.")
    assert problems == []


def test_the_code_that_is_copied_gives_the_same_audit(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page, kernel, _ = show()
    # A page without TLS has no clipboard: the text is selected and copied as by hand.
    page.evaluate("document.addEventListener('copy', () => { window.copied = document.activeElement.value })")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator(".lx-notice")).to_contain_text("Copied")
    monkeypatch.chdir(kernel.store.parent)
    names: dict[str, Any] = {}
    exec(page.evaluate("copied"), names)
    assert names["answer"].digest == page.evaluate("host.get('content').digest")
    names["store"].close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 480])
def test_every_state_is_accessible_and_nothing_is_wider_than_the_view(
    show: Show, axe: str, scheme: str, width: int
) -> None:
    page, kernel, problems = show("defect-detector", width, color_scheme=scheme)

    def check(state: str) -> None:
        expect(page.locator(".lx-ghosts > *")).to_have_count(0)  # what goes is still fading
        assert broken_rules(page, axe) == [], state
        wide = page.evaluate(
            """() => [document.documentElement, ...document.querySelectorAll('.lx-root, .lx-root *:not(svg, svg *)')]
                 .filter(e => e.checkVisibility() && !e.closest('.lx-unseen') && e.scrollWidth > e.clientWidth + 1
                              && getComputedStyle(e).display !== 'inline').map(e => e.className || e.tagName)"""
        )
        assert wide == [], state

    check("at first")
    page.evaluate("host.set('selected', 'model:demo/defect-detector@3')")
    check("details")
    page.get_by_role("button", name="Expand downstream").click()
    expect(page.locator(".lx-notice")).to_contain_text("downstream")
    check("expanded")
    slide(page, 0)
    expect(page.locator(".lx-said")).to_be_visible()
    page.locator(".lx-changeline").click()
    check("another time")
    kernel.problem = "The store is gone. " * 8
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.locator(".lx-time .lx-problem")).to_be_visible()
    check("a problem")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("checkbox", name="passed").check()
    check("filters")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Filter (1)")).to_be_focused()
    page.get_by_role("button", name="Save").click()
    check("the menu")
    page.keyboard.press("Escape")
    page.locator(".lx-search").fill("/(/")
    check("no expression")
    page.locator(".lx-search").fill("")
    page.get_by_role("tab", name="Tree").click()
    check("the tree")
    page.get_by_role("button", name="Keys and help").click()
    check("the help")
    assert problems == []
