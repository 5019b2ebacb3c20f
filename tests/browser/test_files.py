"""Files, notebooks and ingests in a real JupyterLab: opened, dropped on, followed, watched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lineage_explorer import audit, open_store
from lineage_explorer.widget import static_bundle

from .conftest import Lab, execute, open_lab, picture, watch

pytestmark = pytest.mark.browser
#: A message in place of what was opened; the panel has some of its own.
NOTICE = "#jp-main-dock-panel .lx-lab-notice"
#: Breaks out of a careless page, and would be seen: an image that is fetched, a script that says so.
HOSTILE = '<img src="http://evil.invalid/x" onerror="document.title=1"><script>alert(1)</script>\u202e'


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def folder(lab: Lab, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own, where the lab can see it."""
    made = lab.root / "files" / request.node.name
    made.mkdir(parents=True)
    return made


@pytest.fixture(scope="session")
def answer(lab: Lab) -> str:
    """A saved audit."""
    with open_store(lab.root / "demo" / "lineage.db") as store:
        return audit(store, "churn-prod").save(lab.root / "answer.lineage.json").read_text(encoding="utf-8")


def double_click(page: Page, lab: Lab, file: Path) -> None:
    open_lab(page, lab)
    execute(page, "filebrowser:go-to-path", path=file.parent.relative_to(lab.root).as_posix())
    page.locator(".jp-DirListing-item", has_text=file.name).dblclick()


def open_notebook(page: Page, lab: Lab, path: Path, *, kernel: bool = False) -> None:
    open_lab(page, lab)
    place = path.relative_to(lab.root).as_posix()
    execute(page, "docmanager:open", path=place, kernelPreference={} if kernel else {"shouldStart": False})
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)


def with_kernel(page: Page, lab: Lab, path: Path) -> None:
    open_notebook(page, lab, path, kernel=True)
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel", timeout=60_000)


def run_all(page: Page) -> None:
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def run(page: Page, number: int) -> None:
    page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".cm-content").click()
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")


def sources(page: Page) -> list[str]:
    """What stands in the cells of the notebook."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .cm-content')]
            .map(cell => [...cell.querySelectorAll('.cm-line')].map(line => line.textContent).join('\\n'))"""
    )


def write_notebook(path: Path, *cells: str | nbformat.NotebookNode) -> Path:
    made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    book = nbformat.v4.new_notebook(cells=made)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


# --- files ---


def test_a_saved_audit_opens_with_a_double_click(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    (folder / "answer.lineage.json").write_text(answer, encoding="utf-8")
    double_click(page, lab, folder / "answer.lineage.json")
    view = page.locator(".lx-root")
    expect(view.locator(".lx-title .lx-verdict")).to_have_text("PASSED")
    expect(view).to_contain_text(json.loads(answer)["digest"].removeprefix("sha256:"))
    node = view.locator('.lx-node[data-id="model:demo/churn@3"]')
    node.click()
    expect(view.locator(".lx-details h3")).to_have_text("churn v3")
    picture(page, "file-audit")


def test_a_plain_json_file_can_be_opened_as_an_audit(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    (folder / "plain.json").write_text(answer, encoding="utf-8")
    open_lab(page, lab)
    path = (folder / "plain.json").relative_to(lab.root).as_posix()
    execute(page, "docmanager:open", path=path, factory="lineage-audit")
    expect(page.locator(".lx-root .lx-title .lx-verdict")).to_have_text("PASSED")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:2000], "This is not JSON"),
        (lambda _: '{"hello": 1}', "no saved audit"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 9'), "format 9"),
        (lambda text: text.replace('"verdict": "PASSED"', '"verdict": 0'), "damaged"),
    ],
    ids=["broken", "other", "newer", "damaged"],
)
def test_what_is_no_audit_is_said_and_can_be_opened_as_text(
    page: Page, lab: Lab, folder: Path, answer: str, change: Callable[[str], str], said: str
) -> None:
    (folder / "wrong.lineage.json").write_text(change(answer), encoding="utf-8")
    double_click(page, lab, folder / "wrong.lineage.json")
    message = page.locator(NOTICE)
    expect(message).to_contain_text(said)
    picture(page, f"file-{said.split()[-1]}")
    message.get_by_role("button", name="Open as text").click()
    expect(page.locator(".jp-FileEditor")).to_be_visible()


def test_an_audit_that_changes_on_disk_is_shown_as_it_is_now(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    file = folder / "answer.lineage.json"
    file.write_text(answer, encoding="utf-8")
    double_click(page, lab, file)
    expect(page.locator(".lx-title .lx-verdict")).to_have_text("PASSED")
    file.write_text("{}", encoding="utf-8")
    page.evaluate("() => void window.jupyterapp.shell.currentWidget.context.revert()")
    expect(page.locator(NOTICE)).to_contain_text("no saved audit")
    file.write_text(answer, encoding="utf-8")
    page.evaluate("() => void window.jupyterapp.shell.currentWidget.context.revert()")
    expect(page.locator(".lx-title .lx-verdict")).to_have_text("PASSED")


def test_a_store_connects_the_panel_and_is_never_loaded_into_the_browser(page: Page, lab: Lab, folder: Path) -> None:
    shutil.copy(lab.root / "demo" / "lineage.db", folder / "team.lineage.db")
    watched = watch(page)
    double_click(page, lab, folder / "team.lineage.db")
    endpoints = page.locator(".lx-lab-endpoints button")
    expect(endpoints).to_have_count(4)
    expect(endpoints.filter(has_text="churn-prod")).to_contain_text("PASSED")
    expect(endpoints.filter(has_text="defect-detector")).to_contain_text("FAILED")
    picture(page, "file-store")
    name = (folder / "team.lineage.db").relative_to(lab.root).as_posix()
    expect(page.locator(".lx-lab-stores")).to_have_value(name)
    expect(page.locator(".lx-lab-tree")).to_be_visible()
    asked = [item for item in watched.requests if "team.lineage.db" in item and "/api/contents/" in item]
    assert asked
    assert not [item for item in asked if "content=1" in item or "hash=1" in item]
    # JupyterLab makes a checkpoint of what it opens: of a store that would be a whole copy.
    assert not list(folder.glob(".ipynb_checkpoints/*"))
    endpoints.filter(has_text="churn-prod").click()
    expect(page.locator(".lx-root .lx-title .lx-verdict")).to_have_text("PASSED")


def test_a_store_with_one_endpoint_opens_that_endpoint(page: Page, lab: Lab, folder: Path) -> None:
    with open_store(folder / "one.lineage.db", create_missing=True) as store:
        from lineage_explorer.sources import open_source

        records = folder / "records.jsonl"
        records.write_text(
            '{"type": "deployment", "endpoint": "only", "deployment": "blue", "model": "model:m@1", "traffic": 100, '
            '"environment": "production", "at": "2026-08-27T09:00:00Z"}\n'
        )
        store.ingest(open_source(str(records)))
    double_click(page, lab, folder / "one.lineage.db")
    expect(page.locator(".lx-title h2")).to_contain_text("only")
    expect(page.locator(".lx-lab-store")).to_have_count(0)


def test_a_file_with_a_stores_name_that_is_none_is_told(page: Page, lab: Lab, folder: Path) -> None:
    (folder / "lineage.db").write_bytes(b"nothing of the kind")
    double_click(page, lab, folder / "lineage.db")
    expect(page.locator(NOTICE)).to_contain_text("not a lineage-explorer store")


def test_files_come_back_after_a_reload(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    (folder / "answer.lineage.json").write_text(answer, encoding="utf-8")
    double_click(page, lab, folder / "answer.lineage.json")
    expect(page.locator(".lx-root")).to_be_visible()
    page.wait_for_timeout(1500)  # JupyterLab saves the layout a moment later
    open_lab(page, lab, reset=False)
    expect(page.locator(".lx-root .lx-title .lx-verdict")).to_have_text("PASSED", timeout=20_000)


def test_a_hostile_audit_runs_nothing_and_fetches_nothing(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    def poisoned(value: object) -> object:
        if isinstance(value, dict):
            return {key: poisoned(item) for key, item in value.items()}
        if isinstance(value, list):
            return [poisoned(item) for item in value]
        return f"{value}{HOSTILE}" if isinstance(value, str) else value

    content = json.loads(answer)
    content |= {"answer": HOSTILE, "nodes": content["nodes"]}
    for row in (*content["nodes"], *content["hops"], *content["evidence"], *content["datasets"]):
        row |= {key: poisoned(item) for key, item in row.items() if key in ("label", "name", "fact", "description", "record", "source", "attributes", "basis", "gate", "actual", "how")}  # fmt: skip
    (folder / "hostile.lineage.json").write_text(json.dumps(content), encoding="utf-8")
    watched = watch(page)
    double_click(page, lab, folder / "hostile.lineage.json")
    page.locator('.lx-node[data-id="model:demo/churn@3"]').click()
    expect(page.locator(".lx-details h3")).to_contain_text("<img src=")
    assert page.locator('.lx-root img, .lx-root script, .lx-root [src^="http"]').count() == 0
    assert not [item for item in watched.requests if "evil" in item]
    assert not [item for item in watched.problems if "dialog" in item]
    assert page.title() != "1"


# --- notebooks without a kernel ---


def outputs(answer: str, count: int = 1) -> nbformat.NotebookNode:
    """A cell that was run some time ago, and left the still trace."""
    bundle = static_bundle(json.loads(answer))
    return nbformat.v4.new_code_cell(
        "answer", outputs=[nbformat.v4.new_output("display_data", data=bundle) for _ in range(count)]
    )


def test_a_reopened_notebook_has_the_interactive_trace_without_a_kernel(
    page: Page, lab: Lab, folder: Path, answer: str
) -> None:
    open_notebook(page, lab, write_notebook(folder / "saved.ipynb", outputs(answer)))
    view = page.locator(".lx-static .lx-root")
    view.locator('.lx-node[data-id="model:demo/churn@3"]').click()
    expect(view.locator(".lx-details h3")).to_have_text("churn v3")
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session === null")
    # Instead of the drawing that stands in the same output for other places.
    expect(page.locator(".jp-OutputArea-output img")).to_have_count(0)
    picture(page, "notebook-still")


def test_every_still_trace_of_a_cell_is_shown(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    open_notebook(page, lab, write_notebook(folder / "two.ipynb", outputs(answer, 2)))
    for number in range(2):
        still = page.locator(".lx-static").nth(number)
        still.scroll_into_view_if_needed()
        expect(still.locator(".lx-root")).to_be_visible(timeout=15_000)


def test_a_still_trace_follows_the_dark_theme(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    open_notebook(page, lab, write_notebook(folder / "dark.ipynb", outputs(answer)))
    root = page.locator(".lx-static .lx-root")
    expect(root).to_be_visible(timeout=15_000)
    light = root.evaluate("element => getComputedStyle(element).backgroundColor")
    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
        assert root.evaluate("element => getComputedStyle(element).backgroundColor") != light
        picture(page, "notebook-still-dark")
    finally:
        execute(page, "apputils:change-theme", theme="JupyterLab Light")


def test_notebook_7_has_the_still_trace_too(page: Page, lab: Lab, folder: Path, answer: str) -> None:
    path = write_notebook(folder / "seven.ipynb", outputs(answer)).relative_to(lab.root).as_posix()
    page.goto(f"{lab.url}/notebooks/{path}?token={lab.token}")
    expect(page.locator(".lx-static .lx-root .lx-title .lx-verdict")).to_have_text("PASSED", timeout=60_000)


# --- kernels ---

OPENED = f"""
from lineage_explorer import audit, open_store
store = open_store("../../demo/lineage.db")
answer = audit(store, "churn-prod")
{HOSTILE!r}
"""


def test_beside_a_live_trace_the_still_one_is_never_made(page: Page, lab: Lab, folder: Path) -> None:
    with_kernel(page, lab, write_notebook(folder / "live.ipynb", OPENED, "answer"))
    run_all(page)
    expect(page.locator(".lx-root").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(6500)  # longer than a still trace waits for a live one
    expect(page.locator(".lx-root")).to_have_count(1)
    expect(page.locator(".lx-static")).to_be_hidden()


def test_a_kernels_audit_and_store_are_offered_and_open(page: Page, lab: Lab, folder: Path) -> None:
    with_kernel(page, lab, write_notebook(folder / "follow.ipynb", OPENED))
    offer = page.locator(".lx-lab-offer")
    expect(offer).to_be_hidden()
    run_all(page)
    expect(offer).to_have_text("Lineage: 2 variables", timeout=60_000)
    picture(page, "notebook-offer")
    offer.click()
    page.locator(".lm-Menu-item", has_text="answer: audit of churn-prod, PASSED").click()
    expect(page.locator(".lx-root .lx-title .lx-verdict")).to_have_text("PASSED")
    page.locator(".lm-TabBar-tab", has_text="follow.ipynb").click()
    offer.click()
    page.locator(".lm-Menu-item", has_text="store: store ../../demo/lineage.db").click()
    expect(page.locator(".lx-lab-stores")).to_have_value("demo/lineage.db")


def test_looking_for_variables_leaves_the_kernel_as_it_was(page: Page, lab: Lab, folder: Path) -> None:
    first = OPENED + "before = {*globals(), 'before'}\n41 + 1"
    then = "_, sorted(set(globals()) - before), len(In)"
    with_kernel(page, lab, write_notebook(folder / "same.ipynb", first, then))
    run(page, 0)
    expect(page.locator(".lx-lab-offer")).to_be_visible(timeout=60_000)
    run(page, 1)
    # The last value is still 42, and this is the second execution; `_1` and `_i2` are IPython's own.
    expect(page.locator(".jp-OutputArea-executeResult").last).to_contain_text("(42, ['_1', '_i2'], 3)", timeout=30_000)
    expect(page.locator(".jp-InputPrompt").last).to_have_text("[2]:")


def test_a_kernel_that_never_imported_lineage_is_offered_nothing_and_imports_nothing(
    page: Page, lab: Lab, folder: Path
) -> None:
    asks = "import sys; 'lineage_explorer' in sys.modules"
    with_kernel(page, lab, write_notebook(folder / "other.ipynb", "answer = 42", asks))
    run(page, 0)
    expect(page.locator(".jp-InputPrompt").first).to_have_text("[1]:", timeout=60_000)
    page.wait_for_timeout(2000)  # the kernel is looked into in that time
    run(page, 1)
    expect(page.locator(".jp-OutputArea-executeResult").last).to_contain_text("False", timeout=30_000)
    expect(page.locator(".lx-lab-offer")).to_be_hidden()


# --- the reproducing cell ---


def drag(page: Page, what: Locator, onto: Locator) -> None:
    box, target = what.bounding_box(), onto.bounding_box()
    assert box
    assert target
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 12, y + 4, steps=4)
    page.mouse.move(target["x"] + 120, target["y"] + 12, steps=10)
    page.mouse.up()


@pytest.fixture
def beside(page: Page, lab: Lab, folder: Path) -> Locator:
    """A notebook with an explorer tab at its right; its cells."""
    page.set_viewport_size({"width": 1500, "height": 950})
    with_kernel(page, lab, write_notebook(folder / "target.ipynb", ""))
    execute(page, "lineage-explorer:open", store="demo/lineage.db", ref="endpoint:churn-prod")
    expect(page.locator(".lx-root")).to_be_visible()
    page.evaluate(
        "() => { const { shell } = window.jupyterapp; shell.add(shell.currentWidget, 'main', {mode: 'split-right'}); }"
    )
    expect(page.locator(".jp-Notebook")).to_be_visible()
    return page.locator(".jp-Notebook .jp-Cell")


def test_a_node_dropped_on_a_notebook_becomes_the_cell_that_shows_it_again(page: Page, beside: Locator) -> None:
    node = page.locator('.lx-node[data-id="model:demo/churn@3"]')
    node.scroll_into_view_if_needed()
    expect(node).to_be_in_viewport()
    drag(page, node, beside.first)
    expect(beside).to_have_count(2)
    assert 'open_store("../../demo/lineage.db")' in sources(page)[0]
    assert '"model:demo/churn@3"' in sources(page)[0]
    picture(page, "notebook-dropped")
    # The drawing did not begin to move along, and does not hang on the pointer.
    node.hover()
    before = node.bounding_box()
    page.mouse.move(1250, 500, steps=5)
    after = node.bounding_box()
    assert before
    assert after
    assert abs(after["x"] - before["x"]) < 2
    run_all(page)
    expect(page.locator(".jp-Notebook .lx-title h2")).to_contain_text("model:demo/churn@3", timeout=60_000)


def test_an_endpoint_of_the_panel_dropped_on_a_notebook_becomes_its_audit(page: Page, beside: Locator) -> None:
    execute(page, "lineage-explorer:open-panel")
    drag(page, page.locator('.lx-lab-row[data-ref="endpoint:credit-scoring"]'), beside.first)
    expect(beside).to_have_count(2)
    run_all(page)
    expect(page.locator(".jp-Notebook .lx-title .lx-verdict").first).to_have_text("INCOMPLETE", timeout=60_000)


def test_the_command_inserts_the_same_cell_without_a_mouse(page: Page, beside: Locator) -> None:
    execute(page, "lineage-explorer:insert-cell", store="demo/lineage.db", ref="endpoint:churn-prod")
    expect(beside.first).to_contain_text("churn-prod")
    assert 'open_store("../../demo/lineage.db")' in sources(page)[0]


# --- ingests ---


def order(page: Page, source: str, store: str, *, create: bool = False) -> Locator:
    page.evaluate("() => void window.jupyterapp.commands.execute('lineage-explorer:ingest')")
    form = page.locator(".lx-lab-order")
    expect(form.get_by_label("Source")).to_be_focused()
    form.get_by_label("Source").fill(source)
    form.get_by_label("Store", exact=True).fill(store)
    form.get_by_label("Make the store").set_checked(create)
    page.get_by_role("button", name="Read", exact=True).click()
    return page.locator(".lx-lab-progress")


def test_an_ingest_says_in_the_status_bar_how_it_ended(page: Page, lab: Lab, folder: Path) -> None:
    (folder / "records.jsonl").write_text(
        "".join(f'{{"type": "entity", "ref": "dataset:d{number}@1"}}\n' for number in range(120))
        + '{"type": "nonsense"}\n' * 3
    )
    place = folder.relative_to(lab.root).as_posix()
    open_lab(page, lab)
    item = order(page, f"{place}/records.jsonl", f"{place}/new.lineage.db", create=True)
    expect(item).to_contain_text("Done: 120 stored, 3 quarantined", timeout=60_000)
    picture(page, "ingest-done")
    item.get_by_role("button", name="Close this message").click()
    expect(item).to_be_hidden()
    with open_store(folder / "new.lineage.db") as store:
        assert store.kinds() == {"dataset": 120}


def test_an_ingest_that_is_refused_goes_back_to_what_was_typed(page: Page, lab: Lab) -> None:
    open_lab(page, lab)
    order(page, "demo/nothing.db", "demo/lineage.db")
    form = page.locator(".lx-lab-order")
    expect(form.get_by_role("alert")).to_contain_text("There is nothing at")
    expect(form.get_by_label("Source")).to_have_value("demo/nothing.db")
    picture(page, "ingest-refused")


def test_an_ingest_can_be_cancelled_while_it_runs(page: Page, lab: Lab, folder: Path) -> None:
    with (folder / "many.jsonl").open("w") as file:
        for number in range(150_000):
            file.write(f'{{"type": "entity", "ref": "dataset:d{number}@1"}}\n')
    place = folder.relative_to(lab.root).as_posix()
    open_lab(page, lab)
    item = order(page, f"{place}/many.jsonl", f"{place}/many.lineage.db", create=True)
    expect(item).to_contain_text("Reading many.jsonl", timeout=30_000)
    picture(page, "ingest-running")
    item.get_by_role("button", name="Cancel reading").click()
    expect(item).to_contain_text("Cancelled", timeout=60_000)


# --- accessibility ---


def test_axe_finds_nothing_in_files_messages_and_the_ingest_dialog(
    page: Page, lab: Lab, folder: Path, answer: str, axe: str
) -> None:
    def violations(part: str) -> list[str]:
        page.evaluate(axe)
        found = page.evaluate("part => axe.run(part)", part)
        return [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in found["violations"]]

    (folder / "answer.lineage.json").write_text(answer, encoding="utf-8")
    (folder / "wrong.lineage.json").write_text("{", encoding="utf-8")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        double_click(page, lab, folder / "wrong.lineage.json")
        execute(page, "apputils:change-theme", theme=theme)
        expect(page.locator(NOTICE)).to_be_visible()
        assert violations(NOTICE) == []
        execute(page, "docmanager:open", path="demo/lineage.db")
        expect(page.locator(".lx-lab-endpoints button").first).to_contain_text("PASSED")
        assert violations(".lx-lab-store") == []
        page.evaluate("() => void window.jupyterapp.commands.execute('lineage-explorer:ingest')")
        expect(page.locator(".lx-lab-order")).to_be_visible()
        assert violations(".lx-lab-order") == []
        page.keyboard.press("Escape")
        item = order(page, "demo/deployments.jsonl", "demo/lineage.db")
        expect(item).to_contain_text("Done", timeout=60_000)
        assert violations(".lx-lab-progress") == []
    execute(page, "apputils:change-theme", theme="JupyterLab Light")
