"""The pictures of the README and the pages, from the demo estate in a real JupyterLab: `make pictures` keeps them in docs/images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lineage_explorer import Store, compare, history, impact, open_store
from lineage_explorer.documents import Documented

from .conftest import Lab, execute, open_lab
from .test_explorer import EXPLORE
from .test_lab import open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser
STORE = "demo/lineage.db"
Opening = Callable[[int, int], Page]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return Path(os.environ.get("LINEAGE_EXPLORER_PICTURES", tmp_path))


@pytest.fixture
def open_at(browser: Browser) -> Iterator[Opening]:
    contexts = []

    def opened(width: int, height: int) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce"))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def take(page: Page, kept: Path, name: str) -> None:
    page.evaluate("document.fonts.ready.then(() => null)")
    page.mouse.move(2, 2)
    page.wait_for_timeout(700)  # what is new is marked for a moment
    page.screenshot(path=str(kept / name))
    assert (kept / name).stat().st_size > 20_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_endpoint_that_failed_and_the_gate_that_says_so(open_at: Opening, lab: Lab, kept: Path, theme: str) -> None:
    page = open_at(1280, 860)
    open_lab(page, lab)
    execute(page, "apputils:change-theme", theme=f"JupyterLab {theme.title()}")
    execute(page, "lineage-explorer:open-panel")
    expect(page.get_by_role("img", name="FAILED")).to_be_visible()
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:defect-detector")
    root = page.locator(".lx-lab-answer .lx-root")
    expect(root.locator(".lx-node").first).to_be_visible()
    root.get_by_role("list", name="Why").get_by_role("button").first.click()
    expect(root.locator(".lx-details")).to_contain_text("failed")
    page.locator(".lx-lab-answer .lx-root").evaluate("element => element.scrollIntoView({block: 'start'})")
    take(page, kept, f"explorer-{theme}.png")
    execute(page, "apputils:change-theme", theme="JupyterLab Light")


def test_a_notebook_that_went_back_a_release(open_at: Opening, lab: Lab, kept: Path) -> None:
    page = open_at(1280, 860)
    open_notebook(page, lab, write_notebook(lab.root, "back.ipynb", EXPLORE.strip()))
    execute(page, "application:toggle-left-area")
    run_all(page)
    root = page.locator(".lx-root").first
    slider = root.get_by_role("slider", name="Release")
    expect(slider).to_be_visible(timeout=120_000)
    before = root.locator(".lx-answer").inner_text()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".lx-answer")).not_to_have_text(before, timeout=30_000)
    root.locator(".lx-time").evaluate("element => element.scrollIntoView({block: 'start'})")
    take(page, kept, "notebook.png")


def test_a_narrow_window(open_at: Opening, lab: Lab, kept: Path) -> None:
    page = open_at(480, 860)
    open_lab(page, lab)
    execute(page, "application:toggle-left-area")
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:churn-prod")
    root = page.locator(".lx-lab-answer .lx-root")
    expect(root.locator(".lx-node").first).to_be_visible()
    root.locator(".lx-bar").evaluate("element => element.scrollIntoView({block: 'start'})")
    take(page, kept, "narrow.png")


def _asked(store: Store, name: str) -> Documented:
    if name == "history":
        return history(store, "churn")
    if name == "recall":
        first = history(store, "churn").to_dict()["versions"][2]["data"]
        return impact(store, next(row["ref"] for row in first if "/customers@" in row["ref"]))
    return compare("model:demo/churn@2", "model:demo/churn@3", store=store)


@pytest.mark.parametrize("name", ["history", "comparison", "recall"])
def test_what_changed_and_whom_it_reached(open_at: Opening, workspace: Path, kept: Path, name: str) -> None:
    with open_store(workspace / STORE) as store:
        saved = _asked(store, name).save(kept / f"{name}.html")
    page = open_at(1280, 760)
    page.goto(saved.as_uri())
    expect(page.locator(".lx-root h2").first).to_be_visible()
    take(page, kept, f"{name}.png")
    saved.unlink()
