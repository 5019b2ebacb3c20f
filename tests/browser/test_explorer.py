"""The explorer as its readers use it: through time, by keyboard alone, in Notebook 7, and with hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lineage_explorer.records import Activity, Entity, Evidence, Relation
from lineage_explorer.store import open_store

from .conftest import Lab, execute, open_lab, picture, watch
from .test_lab import open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser
STORE = "demo/lineage.db"
EXPLORE = """
from lineage_explorer.widget import Explorer
explorer = Explorer("demo/lineage.db", "churn-prod")
explorer
"""
HOSTILE = "<img src=x onerror=hit=1>\u202e'\");hit=1//${hit=1}{{hit}}<script>hit=1</script>https://evil.example/x.png"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script("window.hit = 0")
    yield context.new_page()
    context.close()


def run_cell(page: Page, number: int) -> None:
    page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".cm-content").click()
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")


def test_a_widget_of_a_store_goes_back_in_time_and_python_goes_with_it(page: Page, lab: Lab) -> None:
    name = write_notebook(
        lab.root,
        "time.ipynb",
        EXPLORE,
        "print('asked:', explorer.as_of, explorer.audit.question['as_of'], explorer.direction, explorer.query)",
        "explorer.as_of = ''; explorer.query = 'train'; explorer.direction = 'downstream'",
    )
    open_notebook(page, lab, name)
    run_cell(page, 0)
    root = page.locator(".lx-root").first
    slider = root.get_by_role("slider", name="Release")
    expect(slider).to_be_visible(timeout=120_000)
    today = root.locator(".lx-answer").inner_text()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".lx-answer")).not_to_have_text(today, timeout=30_000)
    then = root.locator(".lx-answer").inner_text()
    asked = re.search(r"As of (\S+ \S+) UTC", then)
    assert asked is not None, then
    picture(page, "widget-back-in-time")
    root.get_by_role("radio", name="upstream").check(force=True)  # its label is what is seen and pressed
    root.locator(".lx-search").fill("stable")
    expect(root.locator(".lx-found")).to_contain_text("of")
    run_cell(page, 1)
    said = page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    expect(said).to_contain_text(f"asked: {asked.group(1).replace(' ', 'T')}", timeout=30_000)
    expect(said).to_contain_text("upstream stable")
    run_cell(page, 2)
    expect(root.locator(".lx-search")).to_have_value("train", timeout=30_000)
    expect(root.get_by_role("radio", name="downstream")).to_be_checked()


def test_a_whole_audit_needs_no_pointer(page: Page, lab: Lab) -> None:
    """Find an endpoint, read its verdict, go to the gate that decides, go back a release, and take the code along."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_lab(page, lab)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    page.keyboard.press("Control+Alt+g")
    expect(page.get_by_role("searchbox", name="Search the whole store")).to_be_focused()
    page.keyboard.type("churn-prod")
    expect(page.locator(".lx-lab-status")).to_contain_text("found")
    page.keyboard.press("ArrowDown")
    active = page.locator(".lx-lab-active")
    for _ in range(20):
        if active.get_attribute("data-ref") == "endpoint:churn-prod":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    root = page.locator(".lx-lab-answer .lx-root")
    expect(root.locator(".lx-title .lx-verdict")).to_have_text("PASSED")

    def focused() -> str:
        return str(
            page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent || '').trim()")
        )

    def tab_to(wanted: str, most: int = 60) -> None:
        heard = []
        for _ in range(most):
            page.keyboard.press("Tab")
            heard.append(focused()[:60])
            if wanted in focused():
                return
        raise AssertionError(f"Tab never reached {wanted!r}: {heard}")

    tab_to("churn-prod, ")  # the endpoint, in the drawing
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert "gate passed" in focused()
    page.keyboard.press("Enter")
    details = root.locator(".lx-details")
    expect(details).to_contain_text("expected auc >= 0.80")
    expect(details).to_contain_text("person:mia")
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(root.locator(".lx-hop:focus")).to_have_count(1)
    today = root.locator(".lx-answer").inner_text()
    for _ in range(80):
        page.keyboard.press("Shift+Tab")
        if focused() == "Release":
            break
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".lx-answer")).not_to_have_text(today, timeout=30_000)
    page.keyboard.press("Control+Shift+c")
    expect(page.locator(".lm-CommandPalette-input")).to_be_focused()
    page.keyboard.type("copy as python")
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text("Copy as Python")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied the Python")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    for name in ("as_of", "known_at", "policy"):
        assert f"{name}=" in code, "the code has the same answer whenever it is run"
    assert "audit(" in code
    assert "churn-prod" in code


def test_notebook_7_shows_the_same(page: Page, lab: Lab) -> None:
    watched = watch(page)
    name = write_notebook(lab.root, "seven.ipynb", EXPLORE)
    page.goto(f"{lab.url}/notebooks/{name}?token={lab.token}")
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_be_visible(timeout=60_000)
    page.locator(".jp-Notebook .cm-content").first.click()
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_visible(timeout=60_000)
    page.keyboard.press("Control+Enter")
    expect(page.locator('.lx-root .lx-node[data-id="endpoint:churn-prod"]')).to_be_visible(timeout=120_000)
    expect(page.locator(".lx-root").first.get_by_role("slider", name="Release")).to_be_visible(timeout=30_000)
    picture(page, "notebook-7")
    assert not [item for item in watched.problems if "lineage" in item.lower()]


def hostile_store(path: Path) -> None:
    """Every text field of every kind of record holds something that would like to be run or fetched."""
    text = HOSTILE
    endpoint, deployment, model, run, data = (
        str(thing)
        for thing in (
            _ref("endpoint"),
            _ref("deployment"),
            _ref("model", "3"),
            _ref("run"),
            _ref("dataset", "7"),
        )
    )
    more = {"description": text, "attributes": {text: text, "nested": {text: [text]}}}
    with open_store(path, create_missing=True) as store:
        store.append(
            [
                *(Entity(ref=ref, **more) for ref in (endpoint, deployment, model, data)),  # type: ignore[arg-type]
                Activity(ref=run, activity="training", **more),  # type: ignore[arg-type]
                Relation(
                    effect=endpoint, predicate="serves", cause=deployment, basis="identifier", traffic=100.0, site=text
                ),
                Relation(effect=deployment, predicate="deploys", cause=model, basis="identifier"),
                Relation(effect=model, predicate="was_generated_by", cause=run, basis="identifier"),
                Relation(effect=run, predicate="used", cause=data, basis="identifier", role="training"),
                Evidence(
                    subject=model,
                    gate=text,
                    status="failed",
                    evaluator=text,
                    expected=text,
                    actual=text,
                    pointer=f"https://evil.example/{text}",
                ),
            ],
            origin=text,
        )


def _ref(kind: str, version: str = "") -> str:
    from lineage_explorer.records import Ref

    return str(Ref(kind, HOSTILE, version))


def test_hostile_names_are_text_in_the_widget_and_ask_nobody(page: Page, lab: Lab) -> None:
    hostile_store(lab.root / "hostile.db")
    name = write_notebook(
        lab.root, "hostile.ipynb", "from lineage_explorer.widget import Explorer\nExplorer('hostile.db')"
    )
    watched = watch(page)
    open_notebook(page, lab, name)
    run_all(page)
    root = page.locator(".lx-root").first
    expect(root.locator(".lx-node").first).to_be_visible(timeout=120_000)
    for node in root.locator(".lx-node").all():
        node.click()
        for item in root.locator(".lx-details summary").all():
            item.click()
    for tab in root.get_by_role("tab").all():
        tab.click()
    expect(root).to_contain_text("onerror=hit=1")
    assert page.evaluate("window.hit") == 0
    assert root.locator("img, script, iframe, a[href], object, embed").count() == 0
    assert not [url for url in watched.requests if "evil" in url], "nothing in a record is fetched"
    assert not [
        url
        for url in watched.requests
        if not url.startswith((lab.url, lab.url.replace("http", "ws"), "data:", "blob:"))
    ]
    assert not [item for item in watched.problems if "dialog" in item]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_widget_has_no_barriers_that_axe_can_tell(page: Page, lab: Lab, axe: str, scheme: str) -> None:
    name = write_notebook(lab.root, f"axe-{scheme}.ipynb", EXPLORE)
    open_notebook(page, lab, name)
    if scheme == "dark":
        execute(page, "apputils:change-theme", theme="JupyterLab Dark")
        page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    run_all(page)
    root = page.locator(".lx-root").first
    expect(root.get_by_role("slider", name="Release")).to_be_visible(timeout=120_000)
    page.evaluate(axe)
    try:
        for state in ("as it is", "selected", "in the tree"):
            if state == "selected":
                root.locator('.lx-node[data-id^="deployment:"]').first.click()
            elif state == "in the tree":
                root.get_by_role("tab", name="Tree").click()
            found = page.evaluate(
                "axe.run('.lx-root').then((answer) => answer.violations.map((item) =>"
                " `${item.id}: ${item.help}: ${item.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`))"
            )
            assert found == [], f"{state}: {found}"
    finally:
        execute(page, "apputils:change-theme", theme="JupyterLab Light")
