"""The panel and its tabs in a real JupyterLab: found, opened, restored, and plain about what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from lineage_explorer.records import Entity, Ref, Relation
from lineage_explorer.store import open_store

from .conftest import Lab, execute, open_lab, picture, watch

pytestmark = pytest.mark.browser
STORE = "demo/lineage.db"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script("window.hit = 0")
    yield context.new_page()
    context.close()


def open_panel(page: Page, lab: Lab, **more: bool) -> None:
    open_lab(page, lab, **more)
    # The launcher takes the focus when it is there; whoever has it sooner would lose it again.
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    execute(page, "lineage-explorer:open-panel")
    expect(page.locator(".lx-lab-panel")).to_be_visible()


def row(page: Page, ref: str) -> Any:
    return page.locator(f'.lx-lab-tree [role=treeitem][data-ref="{ref}"]')


def test_a_newcomer_finds_an_endpoint_and_why_its_verdict_is_what_it_is(page: Page, lab: Lab) -> None:
    watched = watch(page)
    open_lab(page, lab)
    page.get_by_role("tab", name="Lineage").click()
    expect(page.get_by_role("combobox", name="Store")).to_have_value(STORE)
    expect(row(page, "endpoint:churn-prod").get_by_role("img", name="PASSED")).to_be_visible()
    failed = row(page, "endpoint:defect-detector")
    expect(failed.get_by_role("img", name="FAILED")).to_be_visible()
    picture(page, "panel-light")
    failed.click()
    tab = page.locator(".lx-lab-answer .lx-root")
    expect(tab.locator(".lx-title .lx-verdict")).to_have_text("FAILED")
    expect(tab.locator(".lx-answer")).to_contain_text("“Approved before release” failed")
    picture(page, "tab-light")
    assert not [item for item in watched.problems if "lineage" in item.lower()]


def test_an_endpoint_holds_its_deployments_and_those_their_versions(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    expect(row(page, "endpoint:churn-prod")).to_be_visible()
    page.locator(".lx-lab-tree").focus()
    for key in ("Home", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    expect(page.locator(".lx-lab-active")).to_contain_text("stable")
    served = page.locator('.lx-lab-tree [data-ref^="deployment:churn-prod:stable@"]')
    expect(served.first).to_have_attribute("aria-level", "4")
    expect(served.first).to_contain_text("churn v3")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".lx-lab-answer .lx-root")).to_contain_text("Nothing here is judged")


def test_search_goes_over_the_whole_store_with_the_keyboard_alone(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    expect(row(page, "endpoint:churn-prod")).to_be_visible()
    execute(page, "application:toggle-left-area")
    page.keyboard.press("Control+Alt+g")
    expect(page.get_by_role("searchbox", name="Search the whole store")).to_be_focused()
    page.keyboard.type("triage-ass")
    expect(page.locator(".lx-lab-status")).to_contain_text("found")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".lx-lab-tree")).to_be_focused()
    while page.locator(".lx-lab-active").get_attribute("data-ref") != "endpoint:triage-assistant":
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(100)
    page.keyboard.press("Enter")
    expect(page.locator(".lx-lab-answer .lx-title h2")).to_contain_text("triage-assistant")
    page.get_by_role("searchbox", name="Search the whole store").fill("nothing is called this")
    expect(page.locator(".lx-lab-status")).to_contain_text("Nothing in this store")


def test_a_tab_is_restored_as_it_was_left(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    asked = {
        "as_of": "2026-10-20T00:00:00Z",
        "selected": "endpoint:churn-prod",
        "direction": "upstream",
        "query": "churn",
    }
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:churn-prod", **asked)
    tab = page.locator(".lx-lab-answer .lx-root")
    expect(tab.locator(".lx-answer")).to_contain_text("As of 2026-10-20")
    page.wait_for_timeout(1500)  # JupyterLab writes its layout down after a second of rest
    open_lab(page, lab, reset=False)
    expect(tab.locator(".lx-answer")).to_contain_text("As of 2026-10-20", timeout=30_000)
    expect(tab.locator(".lx-details")).to_be_visible()
    expect(tab.locator(".lx-search")).to_have_value("churn")
    expect(page.get_by_role("combobox", name="Store")).to_have_value(STORE)


def test_asking_twice_about_one_thing_comes_back_to_its_tab(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    for ref in ("endpoint:churn-prod", "endpoint:credit-scoring", "endpoint:churn-prod"):
        row(page, ref).click()
        expect(page.locator(".lx-lab-answer:visible .lx-title h2")).to_contain_text(ref.removeprefix("endpoint:"))
    expect(page.locator(".lx-lab-answer")).to_have_count(2)


def test_a_dragged_endpoint_becomes_the_cell_that_asks_again(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    expect(row(page, "endpoint:churn-prod")).to_be_visible()
    execute(page, "notebook:create-new", kernelName="python3")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(1, timeout=60_000)
    row(page, "endpoint:churn-prod").hover()
    page.mouse.down()
    box = page.locator(".jp-Notebook .jp-Cell").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 10, steps=12)
    page.mouse.up()
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)
    source = page.evaluate("window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells[0].getSource()")
    assert '"endpoint:churn-prod"' in source
    compile(source, "cell", "exec")


def test_the_tab_puts_its_own_question_into_the_notebook(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    execute(page, "notebook:create-new", kernelName="python3")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(1, timeout=60_000)
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:churn-prod", as_of="2026-10-20T00:00:00Z")
    expect(page.locator(".lx-lab-answer .lx-answer")).to_contain_text("As of 2026-10-20")
    page.get_by_role("button", name="Insert into notebook").click()
    expect(page.locator(".jp-Notebook .jp-InputArea-editor").first).to_contain_text('as_of="2026-10-20T00:00:00Z"')
    expect(page.locator(".jp-Notebook .jp-InputArea-editor").first).to_contain_text("known_at=")


def test_the_context_menu_acts_on_the_entry_under_the_pointer_or_with_the_focus(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    expect(row(page, "endpoint:credit-scoring")).to_be_visible()
    page.locator(".lx-lab-tree").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".lx-lab-active")).to_have_attribute("data-ref", "endpoint:churn-prod")
    page.keyboard.press("Shift+F10")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("Copy Reference")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    row(page, "endpoint:credit-scoring").click(button="right")
    expect(menu).to_have_count(1)
    menu.get_by_text("Open Lineage").click()
    expect(page.locator(".lx-lab-answer .lx-title h2")).to_contain_text("credit-scoring")


# --- what goes wrong ---


def test_a_server_that_is_down_is_said_and_asked_again(page: Page, lab: Lab) -> None:
    open_panel(page, lab)
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:churn-prod")
    expect(page.locator(".lx-lab-answer .lx-root")).to_be_visible()
    page.route(f"{lab.url}/lineage-explorer/**", lambda route: route.abort())
    page.get_by_role("button", name="Read the stores again").click()
    expect(page.locator(".lx-lab-panel [role=alert]")).to_contain_text("The Jupyter server does not answer")
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:credit-scoring")
    expect(page.locator(".lx-lab-answer:visible [role=alert]")).to_contain_text("The Jupyter server does not answer")
    picture(page, "server-down")
    page.unroute(f"{lab.url}/lineage-explorer/**")
    page.locator(".lx-lab-panel").get_by_role("button", name="Try again").click()
    expect(row(page, "endpoint:churn-prod")).to_be_visible()
    # The tab heard that the server is back.
    expect(page.locator(".lx-lab-answer:visible .lx-title h2")).to_contain_text("credit-scoring")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, "<html>404</html>", "jupyter server extension enable lineage_explorer.server"),
        (403, '{"message": "Forbidden"}', "sign in again"),
        (200, '{"stores": [], "roots": [{"title": "/home/me"}], "policies": []}', "lineage-explorer demo demo"),
        (503, '{"error": "StoreError", "message": "The store is locked. Try again."}', "The store is locked"),
    ],
)
def test_the_panel_says_what_to_do_next(page: Page, lab: Lab, status: int, body: str, said: str) -> None:
    page.route(f"{lab.url}/lineage-explorer/**", lambda route: route.fulfill(status=status, body=body))
    open_panel(page, lab)
    expect(page.locator(".lx-lab-panel [role=alert]")).to_contain_text(said)
    expect(page.locator(".lx-lab-panel").get_by_role("button", name="Try again")).to_be_visible()
    picture(page, f"panel-{status}")


# --- much, and hostile ---


def test_a_hundred_thousand_entries_are_a_windowful(page: Page, lab: Lab) -> None:
    total, asked = 100_000, []

    def things(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        first, limit = int(query.get("offset", ["0"])[0]), int(query["limit"][0])
        asked.append(first)
        items = [
            {"kind": "endpoint", "namespace": "", "name": f"e{i}", "ref": f"endpoint:e{i}", "versions": 0}
            for i in range(first, min(first + limit, total))
        ]
        route.fulfill(json={"total": total, "offset": first, "items": items})

    judged: list[int] = []

    def verdicts(route: Route) -> None:
        refs = parse_qs(urlsplit(route.request.url).query)["endpoint"]
        judged.append(len(refs))
        route.fulfill(json={"verdicts": {ref: {"verdict": "PASSED", "answer": ""} for ref in refs}})

    page.route(f"{lab.url}/lineage-explorer/things?*", things)
    page.route(f"{lab.url}/lineage-explorer/verdicts?*", verdicts)
    open_panel(page, lab)
    expect(row(page, "endpoint:e0").get_by_role("img", name="PASSED")).to_be_visible()
    tree = page.locator(".lx-lab-tree")
    # From top to bottom: what is only passed is neither read nor judged.
    tree.evaluate(
        "node => { for (let y = 0; y < node.scrollHeight; y += 20000) node.scrollTop = y; node.scrollTop = 1300000 }"
    )
    expect(row(page, "endpoint:e50000").get_by_role("img", name="PASSED")).to_be_visible()
    assert len(asked) <= 4
    assert sum(judged) <= 150
    assert tree.locator("[role=treeitem]").count() < 60
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("e")
    expect(page.locator(".lx-lab-active")).to_have_attribute("aria-setsize", str(total))


HOSTILE = [
    "<img src=x onerror='window.hit=1'>",
    '"><script>window.hit=1</script>',
    "javascript:window.hit=1",
    "${window.hit=1}{{window.hit=1}}",
    "‮gnirts desrever",
]


@pytest.fixture(scope="module")
def hostile(lab: Lab) -> str:
    """A store in which everything is called something nasty."""
    name = "hostile <img src=x onerror=window.hit=1>.db"
    with open_store(lab.root / name, create_missing=True) as store:
        for text in HOSTILE:
            endpoint = str(Ref(kind="endpoint", name=text))
            deployment = str(Ref(kind="deployment", name=text, version=text))
            model = str(Ref(kind="model", namespace=text, name=text, version=text))
            store.append(
                [
                    *(Entity(ref=ref, description=text) for ref in (endpoint, deployment, model)),
                    Relation(
                        effect=endpoint,
                        predicate="serves",
                        cause=deployment,
                        basis="identifier",
                        traffic=100.0,
                        site=text,
                    ),
                    Relation(effect=deployment, predicate="deploys", cause=model, basis="identifier"),
                ]
            )
    return name


def test_hostile_names_are_shown_and_nothing_else_happens(page: Page, lab: Lab, hostile: str) -> None:
    watched = watch(page)
    open_panel(page, lab)
    page.get_by_role("combobox", name="Store").select_option(hostile)
    endpoints = page.locator('.lx-lab-tree [data-kind=endpoint][aria-level="2"]')
    expect(endpoints).to_have_count(len(HOSTILE))
    page.locator(".lx-lab-tree").focus()
    page.keyboard.press("Home")
    for _ in range(2 * len(HOSTILE)):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)
    for i in range(endpoints.count()):
        endpoints.nth(i).click()
        expect(page.locator(".lx-lab-answer:visible .lx-root")).to_be_visible()
    page.get_by_role("searchbox", name="Search the whole store").fill("window")
    expect(page.locator(".lx-lab-status")).to_contain_text("found")
    assert page.evaluate("window.hit") == 0
    assert page.locator(".lx-lab-panel img, .lx-lab-answer img").count() == 0
    assert not [item for item in watched.problems if "lineage" in item.lower() or "dialog" in item]
    assert not [url for url in watched.requests if not url.startswith((lab.url, "data:", "blob:"))]


# --- for everybody ---


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 480])
def test_no_accessibility_rule_is_broken(page: Page, lab: Lab, axe: str, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_panel(page, lab)
    execute(page, "apputils:change-theme", theme=THEMES[theme])
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", json.dumps(theme == "light"))
    expect(row(page, "endpoint:defect-detector").get_by_role("img", name="FAILED")).to_be_visible()
    page.evaluate(axe)
    run = """async (where) => (await axe.run(where)).violations
        .map(v => [v.id, v.nodes.map(n => n.html).filter(h => v.id !== 'label-content-name-mismatch' || !h.startsWith('<g'))])
        .filter(([, nodes]) => nodes.length > 0)"""
    picture(page, f"panel-{theme}-{width}")
    assert page.evaluate(run, ".lx-lab-panel") == []
    execute(page, "lineage-explorer:open", store=STORE, ref="endpoint:defect-detector")
    expect(page.locator(".lx-lab-answer .lx-root")).to_be_visible()
    if width < 600:
        execute(page, "application:toggle-left-area")
    picture(page, f"tab-{theme}-{width}")
    assert page.evaluate(run, ".lx-lab-toolbar") == []
    assert page.evaluate(run, ".lx-lab-answer") == []
    execute(page, "apputils:change-theme", theme=THEMES["light"])
