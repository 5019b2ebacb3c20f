"""Histories, comparisons, impacts and rollbacks as their readers open them: in a notebook, in JupyterLab's tabs, by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from lineage_explorer.asking import StoreAtHand, part
from lineage_explorer.comparison import alike
from lineage_explorer.records import Activity, Entity, Ref, Relation, format_instant, parse_instant
from lineage_explorer.servings import releases, serving_document
from lineage_explorer.store import open_store
from tests import estates

from .conftest import Lab, execute, open_lab, picture, watch
from .test_lab import open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser
STORE = "demo/lineage.db"
ENDPOINT = "endpoint:churn-prod"
MODEL = "model:demo/churn"
INSTANTS = {"as_of": "", "known_at": ""}
CHAPTERS = ["history", "comparison", "impact", "rollback", "likeness", "serving"]
EXPLORE = """
from lineage_explorer.widget import Explorer
explorer = Explorer("demo/lineage.db", "churn-prod")
explorer
"""
HISTORY = """
from lineage_explorer import open_store
from lineage_explorer.version_history import history
with open_store("demo/lineage.db") as store:
    shown = history(store, "churn")
shown
"""


class Days(NamedTuple):
    """Of the demo's calendar, which ends today: a day on which two versions served, when that ended, and data of then."""

    then: str
    until: str
    customers: str


@pytest.fixture(scope="module")
def days(workspace: Path) -> Days:
    with open_store(workspace / STORE) as store:
        shared = releases(store, ENDPOINT)[1]
        customers = [ref for ref in store.refs("dataset") if ref.startswith("dataset:demo/customers@")]
    then = (parse_instant(shared["until"]) - timedelta(days=10)).replace(hour=0)
    return Days(format_instant(then), shared["until"][:16].replace("T", " "), customers[1])


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script("window.hit = 0")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def top(page: Page) -> Locator:
    """The chapter that is seen."""
    return page.locator(".lx-chapters > .lx-layer:not([hidden])")


def press(place: Locator, name: str) -> None:
    """A button, by keyboard alone."""
    place.get_by_role("button", name=name, exact=True).first.press("Enter")


def focused(page: Page) -> str:
    return str(page.evaluate("(document.activeElement?.ariaLabel || document.activeElement?.textContent || '').trim()"))


def answers_the_auditor(page: Page, root: Locator, days: Days) -> None:
    """What served on the 3rd of last month, what replaced it, what differed, who approved that, what must be retrained?"""
    field = root.get_by_label("As of (UTC)")
    field.fill(days.then[:16])
    field.press("Tab")
    expect(root.locator(".lx-then")).to_have_text(
        f"churn v1 90 %, churn v2 10 % until {days.until} UTC, then churn v2 100 %", timeout=60_000
    )
    expect(root.locator(".lx-answer")).to_contain_text(f"As of {days.then[:10]}")
    press(root, "Compare with the one after")
    differing = top(page)
    expect(differing.locator(".lx-answer")).to_contain_text("Approved by person:mia", timeout=60_000)
    expect(differing.locator(".lx-answer")).to_contain_text("customers is another version")
    assert "differences between A and B" in focused(page)
    page.keyboard.press("Escape")
    expect(root).to_be_visible()
    assert focused(page) == "Compare with the one after"
    # This dataset, found by its name; its details open with it.
    root.locator(".lx-search").fill("customers")
    root.locator(".lx-search").press("Enter")
    expect(root.locator(".lx-details h3")).to_contain_text("customers")
    press(root, "What does it reach?")
    reached = top(page)
    expect(reached.locator("h2").first).to_contain_text("customers", timeout=60_000)
    # Of what is withdrawn now, it is asked what must be done now.
    expect(reached.locator("header").first).not_to_contain_text(f"as of {days.then[:10]}")
    expect(reached).to_contain_text("churn-prod")
    expect(reached).to_contain_text("To be retrained")


def test_an_auditor_answers_it_all_in_the_widget_without_code(page: Page, lab: Lab, days: Days) -> None:
    open_notebook(page, lab, write_notebook(lab.root, "auditor.ipynb", EXPLORE))
    run_all(page)
    root = page.locator(".jp-OutputArea .lx-root:has(> .lx-time)")
    expect(root.get_by_role("slider", name="Release")).to_be_visible(timeout=120_000)
    answers_the_auditor(page, root, days)
    picture(page, "chapters-impact-in-a-notebook")
    press(top(page), "Back")
    root.locator(".lx-search").fill("churn v2")
    root.locator('.lx-node[data-id="model:demo/churn@2"]').press("Enter")
    press(root, "All versions")
    expect(top(page).locator("h2").first).to_contain_text("churn", timeout=60_000)
    picture(page, "chapters-history-in-a-notebook")


def test_a_history_displays_itself_and_leads_on_to_traces(page: Page, lab: Lab) -> None:
    watched = watch(page)
    open_notebook(page, lab, write_notebook(lab.root, "history.ipynb", HISTORY, "shown.widget().selected"))
    run_all(page)
    root = page.locator(".jp-OutputArea .lx-chapters").first
    expect(root.locator("h2").first).to_contain_text("churn", timeout=120_000)
    expect(page.locator(".lx-static").first).to_be_hidden()
    assert root.get_by_role("button", name="Back").count() == 0, "there is nothing to go back to"
    picture(page, "chapters-history-alone")
    assert not [item for item in watched.problems if "lineage" in item.lower() or "anywidget" in item.lower()]


# --- in JupyterLab's tabs ---


def test_a_tab_answers_the_auditor_too_and_comes_back_with_its_chapter(page: Page, lab: Lab, days: Days) -> None:
    open_lab(page, lab)
    execute(page, "lineage-explorer:open", store=STORE, ref=ENDPOINT)
    root = page.locator(".lx-lab-under > .lx-root")
    expect(root.get_by_role("slider", name="Release")).to_be_visible(timeout=60_000)
    answers_the_auditor(page, root, days)
    title = page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabLabel", has_text="reaches")
    expect(title).to_be_visible()
    page.wait_for_timeout(1500)  # JupyterLab writes its layout down after a second of rest
    open_lab(page, lab, reset=False)
    expect(top(page).locator("h2").first).to_contain_text("customers", timeout=60_000)
    picture(page, "chapters-tab-restored")
    # What is under it was left at another instant; it is asked for now.
    press(top(page), "Back")
    expect(root.locator(".lx-answer")).to_contain_text(f"As of {days.then[:10]}")


def test_the_panels_menu_opens_chapters_of_what_it_is_about(page: Page, lab: Lab) -> None:
    open_lab(page, lab)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    execute(page, "lineage-explorer:open-panel")
    row = page.locator(f'.lx-lab-tree [role=treeitem][data-ref="{ENDPOINT}"]')
    row.click(button="right")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("What Does It Reach?")).to_be_visible()
    expect(menu.get_by_text("All Versions")).to_be_hidden()
    menu.get_by_text("Compare with…").click()
    dialog = page.locator(".jp-Dialog")
    dialog.locator("input").fill("endpoint:credit-scoring")
    dialog.get_by_role("button", name="Compare").click()
    expect(top(page).locator(".lx-vs")).to_contain_text("credit-scoring", timeout=60_000)
    # A side's trace is another tab; this one keeps its place.
    press(top(page), "Trace of B")
    expect(page.locator(".lx-lab-answer:visible .lx-title h2")).to_contain_text("credit-scoring", timeout=60_000)
    execute(page, "lineage-explorer:history", store=STORE, ref=f"{MODEL}@2")
    expect(page.locator(".lx-lab-answer:visible .lx-chapters h2").first).to_contain_text("churn", timeout=60_000)


def test_a_server_that_is_down_is_said_and_asked_again(page: Page, lab: Lab) -> None:
    open_lab(page, lab)
    execute(page, "lineage-explorer:open", store=STORE, ref=ENDPOINT)
    root = page.locator(".lx-lab-under > .lx-root")
    expect(root.get_by_role("slider", name="Release")).to_be_visible(timeout=60_000)
    page.route(f"{lab.url}/lineage-explorer/**", lambda route: route.abort())
    press(root, "Where could it go back to?")
    expect(top(page).locator(".lx-problem")).to_contain_text("The Jupyter server does not answer")
    expect(top(page).get_by_role("button", name="Try again")).to_be_focused()
    picture(page, "chapters-server-down")
    page.unroute(f"{lab.url}/lineage-explorer/**")
    page.keyboard.press("Enter")
    expect(top(page).locator("h2").first).to_contain_text("churn-prod", timeout=60_000)


# --- the bundles in a page of their own, asked by a real store ---

#: A notebook's side of a widget, as far as the view needs it.
_HOST = """
async ([content, parts]) => {
    const texts = (text) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const style = document.createElement('style');
    style.textContent = parts.view.style;
    document.head.append(style);
    const heard = new Set();
    const state = { content, asks: true, store: '', selected: '', as_of: '', direction: 'both', query: '', chapters: 'chapters' };
    const model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; },
        save_changes: () => {},
        on: (event, call) => { if (event === 'msg:custom') heard.add(call); },
        off: (event, call) => { heard.delete(call); },
        send: ({ id, question, asked }) => window.askPython(question, asked).then((reply) => {
            for (const call of [...heard]) call({ id, ...reply });
        }),
        widget_manager: { get_model: async (id) => ({ get: (name) => parts[id][name] }) },
    };
    const el = document.createElement('main');
    document.body.replaceChildren(el);
    const { default: view } = await import(texts(parts.view.code));
    view.render({ model, el });
}
"""


def show(page: Page, store: StoreAtHand, document: dict[str, Any]) -> Locator:
    def answer(question: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {"answer": json.loads(json.dumps(store.answer(question, asked)))}

    page.goto("about:blank")
    page.expose_function("askPython", answer)
    page.evaluate("document.documentElement.lang = 'en'; document.title = 'Chapters'")
    page.evaluate(_HOST, [document, {name: part(name) for name in ("view", "chapters")}])
    expect(top(page).locator("h2, caption").first).to_be_attached()
    return top(page)


@pytest.fixture(scope="module")
def demo(workspace: Path) -> StoreAtHand:
    return StoreAtHand(workspace / STORE)


def document(store: StoreAtHand, name: str, days: Days) -> dict[str, Any]:
    """A document about the demo, as the view asks for it."""
    asked: dict[str, dict[str, str]] = {
        "history": {"ref": MODEL, **INSTANTS},
        "comparison": {"a": f"{ENDPOINT}@@{days.then}", "b": ENDPOINT, "known_at": "", "policy": ""},
        "impact": {"ref": days.customers, **INSTANTS},
        "rollback": {"endpoint": ENDPOINT, **INSTANTS, "policy": ""},
    }
    if name in asked:
        return dict(store.answer(name, asked[name]))
    with store.reading() as opened:
        if name == "likeness":
            return alike(opened.refs("endpoint"), store=opened).to_dict()
        return serving_document(opened, ENDPOINT)


@pytest.mark.parametrize("name", CHAPTERS)
def test_everybody_can_read_every_chapter(
    context: BrowserContext, demo: StoreAtHand, days: Days, axe: str, name: str
) -> None:
    shown = document(demo, name, days)
    # What is drawn is named in full, beside short words in a fixed room: as in the trace.
    run = """async () => (await axe.run('main', {rules: {'page-has-heading-one': {enabled: false}}})).violations
        .map(v => [v.id, v.nodes.map(n => n.html).filter(h => v.id !== 'label-content-name-mismatch' || !h.startsWith('<g'))])
        .filter(([, nodes]) => nodes.length > 0)"""
    page = context.new_page()
    show(page, demo, shown)
    page.evaluate(axe)
    for width, dark in ((1280, False), (1280, True), (480, False)):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("(dark) => document.documentElement.classList.toggle('lx-dark', dark)", dark)
        page.wait_for_timeout(250)
        picture(page, f"chapters-{name}-{width}{'-dark' if dark else ''}")
        found = page.evaluate(run)
        assert found == [], f"{width} {dark}: {found}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing hangs over the edge"


def test_chapters_lead_to_chapters_and_traces_and_back_again(page: Page, demo: StoreAtHand, days: Days) -> None:
    watched = watch(page)
    layer = show(page, demo, document(demo, "comparison", days))
    press(layer, "Trace of A")
    trace = top(page)
    expect(trace.locator(".lx-title h2")).to_contain_text("churn-prod", timeout=60_000)
    expect(trace.locator(".lx-answer").first).to_contain_text(f"As of {days.then[:10]}")
    press(trace, "Where could it go back to?")
    expect(top(page).locator(".lx-trail")).to_contain_text("Trace of churn-prod ›", timeout=60_000)
    expect(page.locator(".lx-chapters > .lx-layer")).to_have_count(3)
    page.keyboard.press("Escape")
    assert focused(page) == "Where could it go back to?"
    top(page).get_by_role("button", name="Back").first.press("Enter")
    expect(page.locator(".lx-chapters > .lx-layer")).to_have_count(1)
    assert focused(page) == "Trace of A"
    page.keyboard.press("Escape")
    expect(page.locator(".lx-chapters > .lx-layer")).to_have_count(1)
    assert not watched.problems


HOSTILE = "<img src=x onerror=hit=1>\u202e'\");hit=1//${hit=1}{{hit}}<script>hit=1</script>https://evil.example/x.png"


@pytest.fixture
def hostile(tmp_path: Path) -> StoreAtHand:
    """Two versions of something nasty, approved by something nasty, at a nasty place."""
    data = str(Ref(kind="dataset", name=HOSTILE, version=HOSTILE))
    with open_store(tmp_path / "hostile.db", create_missing=True) as store:
        for number, day in ((1, "03-01"), (2, "06-01")):
            model = str(Ref(kind="model", name=HOSTILE, version=f"{HOSTILE}{number}"))
            run, code = (str(Ref(kind=kind, name=f"{HOSTILE}{number}")) for kind in ("run", "code"))
            store.append(
                [
                    Entity(
                        ref=model,
                        description=HOSTILE,
                        attributes={
                            "params": {HOSTILE: f"{HOSTILE}{number}"},
                            "metrics": {HOSTILE: number},
                            "link": HOSTILE,
                        },
                    ),
                    Entity(ref=data, description=HOSTILE),
                    Entity(ref=code, attributes={"commit": HOSTILE, "url": "https://evil.example/x.png"}),
                    Activity(ref=run, activity="training", attributes={"params": {HOSTILE: f"{HOSTILE}{number}"}}),
                    Relation(effect=model, predicate="was_generated_by", cause=run, basis="identifier"),
                    Relation(effect=run, predicate="used", cause=code, basis="identifier"),
                    estates.used(run, data, "01-01"),
                    estates.gate(model, "approval", "02-20", gate=HOSTILE, evaluator=HOSTILE, actual=HOSTILE),
                    *estates.serves(
                        str(Ref(kind="endpoint", name=HOSTILE)),
                        str(Ref(kind="deployment", name=f"{HOSTILE}{number}")),
                        model,
                        day,
                        site=HOSTILE,
                    ),
                ]
            )
    return StoreAtHand(tmp_path / "hostile.db")


@pytest.mark.parametrize("name", CHAPTERS)
def test_hostile_names_are_shown_and_nothing_else_happens(page: Page, hostile: StoreAtHand, name: str) -> None:
    endpoint = str(Ref(kind="endpoint", name=HOSTILE))
    model, data = str(Ref(kind="model", name=HOSTILE)), str(Ref(kind="dataset", name=HOSTILE, version=HOSTILE))
    asked = {
        "history": {"ref": model, **INSTANTS},
        "comparison": {
            "a": f"{endpoint}@@2026-04-01T00:00:00Z",
            "b": f"{endpoint}@@2026-07-01T00:00:00Z",
            "known_at": "",
            "policy": "",
        },
        "impact": {"ref": data, **INSTANTS},
        "rollback": {"endpoint": endpoint, **INSTANTS, "policy": ""},
    }
    with hostile.reading() as store:
        shown = (
            hostile.answer(name, asked[name])
            if name in asked
            else serving_document(store, endpoint)
            if name == "serving"
            else alike([endpoint, endpoint], store=store).to_dict()
        )
    watched = watch(page)
    layer = show(page, hostile, shown)
    for button in layer.get_by_role("button").all()[:40]:
        if button.is_visible() and button.is_enabled() and "Save" not in (button.text_content() or ""):
            button.press("Enter")  # what is drawn has no room for a pointer of its own everywhere
            page.wait_for_timeout(30)
        if page.locator(".lx-chapters > .lx-layer").count() > 1:
            expect(top(page).locator("h2, .lx-problem").first).to_be_attached()
            top(page).get_by_role("button", name="Back").first.press("Enter")
        page.evaluate("document.querySelector('dialog[open]')?.close()")
    assert page.evaluate("window.hit") == 0
    assert page.locator("main img, main script, main a[href]").count() == 0
    assert not watched.problems
    assert not [url for url in watched.requests if not url.startswith(("data:", "blob:", "about:"))]
