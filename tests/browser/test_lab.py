"""The trace in a real JupyterLab: live, in step with Python, and still there without a kernel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Lab, picture, watch

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def open_notebook(page: Page, lab: Lab, path: str) -> None:
    page.goto(f"{lab.url}/lab/tree/{path}?reset&token={lab.token}")
    page.wait_for_function("window.jupyterapp !== undefined")
    page.wait_for_function("window.jupyterapp.restored.then(() => true)", timeout=60_000)
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)
    # A cell run before the kernel is there makes JupyterLab ask which kernel is meant.
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel", timeout=60_000)


def run_all(page: Page) -> None:
    # Not awaited: the command ends when the last cell has, and `expect` has a time limit where `evaluate` has none.
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def write_notebook(folder: Path, name: str, *cells: str) -> str:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / name)
    return name


ASK = """
from lineage_explorer import audit, open_store
with open_store("demo/lineage.db") as store:
    widget = audit(store, "churn-prod").widget()
widget
"""


def test_the_auditors_notebook_shows_a_live_trace(page: Page, lab: Lab) -> None:
    watched = watch(page)
    open_notebook(page, lab, "notebooks/01-which-data-trained-this-model.ipynb")
    run_all(page)
    live = page.locator(".lx-root").first
    expect(live).to_be_visible(timeout=120_000)
    expect(live.locator(".lx-title .lx-verdict")).to_have_text("PASSED")
    live.scroll_into_view_if_needed()  # what is off the screen is not drawn
    expect(live.locator('.lx-node[data-id^="model:"]').first).to_be_visible(timeout=60_000)
    picture(page, "lab-light")
    # The still picture is there for later; beside the live trace it would be said twice.
    expect(page.locator(".lx-static").first).to_be_hidden()
    assert not [item for item in watched.problems if "lineage" in item.lower() or "anywidget" in item.lower()]


def test_selection_goes_to_python_and_comes_from_it(page: Page, lab: Lab) -> None:
    name = write_notebook(
        lab.root, "selection.ipynb", ASK, "print('selected:', widget.selected)", "widget.selected = 'h1'"
    )
    open_notebook(page, lab, name)
    cells = page.locator(".jp-Notebook .jp-CodeCell")

    def run(number: int) -> None:
        cells.nth(number).locator(".cm-content").click()
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")

    run(0)
    node = page.locator('.lx-node[data-id="model:demo/churn@3"]')
    expect(node).to_be_visible(timeout=120_000)
    node.click()
    expect(page.locator(".lx-details h3")).to_have_text("churn v3")
    run(1)
    expect(cells.nth(1).locator(".jp-OutputArea-output")).to_contain_text(
        "selected: model:demo/churn@3", timeout=30_000
    )
    run(2)
    expect(page.locator('.lx-root tr[aria-current="true"]').first).to_have_attribute("data-id", "h1", timeout=30_000)


def test_keys_of_the_drawing_do_not_reach_the_notebook(page: Page, lab: Lab) -> None:
    name = write_notebook(lab.root, "keys.ipynb", ASK)
    open_notebook(page, lab, name)
    run_all(page)
    node = page.locator('.lx-node[data-id="endpoint:churn-prod"]')
    expect(node).to_be_visible(timeout=120_000)
    node.focus()
    for key in ("ArrowLeft", "ArrowLeft", "Enter", "0", "0", "-", "+"):  # 0 twice restarts a kernel in the notebook
        page.keyboard.press(key)
    expect(page.locator(".lx-details")).to_be_visible()
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)


def test_dark_theme_is_followed(page: Page, lab: Lab) -> None:
    name = write_notebook(lab.root, "dark.ipynb", ASK)
    open_notebook(page, lab, name)
    run_all(page)
    root = page.locator(".lx-root").first
    expect(root).to_be_visible(timeout=120_000)
    light = root.evaluate("element => getComputedStyle(element).backgroundColor")
    page.evaluate("() => void window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    assert root.evaluate("element => getComputedStyle(element).backgroundColor") != light
    picture(page, "lab-dark")
    page.evaluate("() => void window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")


def test_a_saved_notebook_shows_the_trace_without_a_kernel(page: Page, lab: Lab, executed: Path) -> None:
    watched = watch(page)
    path = executed.relative_to(lab.root) / "01-which-data-trained-this-model.ipynb"
    open_notebook(page, lab, str(path))
    still = page.locator(".lx-static").first
    still.scroll_into_view_if_needed(timeout=60_000)
    expect(still).to_be_visible()
    expect(still.locator(".lx-root .lx-title .lx-verdict")).to_have_text("PASSED", timeout=15_000)
    picture(page, "lab-saved")
    assert not [item for item in watched.problems if "dialog" in item]


def test_a_notebook_exported_as_html_shows_the_trace_offline(browser: Browser, executed: Path, tmp_path: Path) -> None:
    notebook = executed / "01-which-data-trained-this-model.ipynb"
    export = [
        sys.executable,
        "-m",
        "jupyter",
        "nbconvert",
        "--to",
        "html",
        "--output-dir",
        str(tmp_path),
        str(notebook),
    ]
    subprocess.run(export, check=True, capture_output=True, timeout=120)
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
    page = context.new_page()
    page.goto((tmp_path / f"{notebook.stem}.html").as_uri())
    still = page.locator(".lx-static").first
    still.scroll_into_view_if_needed()
    expect(still.locator("strong")).to_have_text("PASSED")
    assert still.locator("img").evaluate("image => image.complete && image.naturalWidth > 500")
    picture(page, "nbconvert")
    context.close()
