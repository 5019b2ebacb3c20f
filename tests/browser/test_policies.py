"""What came of a policy, as its readers see it: why a requirement failed, and endpoints by requirements."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lineage_explorer import audit, open_store
from lineage_explorer.estates import estate_document
from lineage_explorer.records import Evidence
from lineage_explorer.reports import estate as estate_report
from tests import estates

from .conftest import Lab, Watched, execute, picture, watch
from .test_lab import open_notebook, write_notebook

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=hit=1>\u202e'\"${hit=1}<script>hit=1</script>https://evil.example/x.png"
Open = Callable[..., Watched]


@pytest.fixture
def open_file(browser: Browser) -> Iterator[Open]:
    contexts = []

    def go(path: Path, width: int = 1280, height: int = 800, **more: Any) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **more)
        contexts.append(context)
        watched = watch(context.new_page())
        watched.page.goto(path.as_uri())
        expect(watched.page.locator(".lx-root")).to_be_visible()
        return watched

    yield go
    for context in contexts:
        context.close()


def document(endpoints: int, gates: int, text: str = "") -> dict[str, Any]:
    """An estate of so many; `text` stands in every field that a record or a policy can fill."""
    statuses = ["passed", "passed", "failed", "missing", "waived", "stale", "pending", "undetermined", ""]
    verdicts = ["PASSED", "FAILED", "INCOMPLETE"]
    titles = [f"{text} requirement {number}, by somebody else than the author" for number in range(gates)]
    return {
        "format": "lineage-explorer/estate",
        "format_version": 1,
        "question": {
            "as_of": "2026-11-21T10:00:00Z",
            "known_at": "2026-11-21T10:00:00Z",
            "policy": {"name": f"release {text}", "version": f"2{text}", "digest": "sha256:00", "form": "verdict"},
        },
        "gates": [{"id": f"g{number}{text}", "title": title} for number, title in enumerate(titles)],
        "endpoints": [
            {
                "ref": f"endpoint:shop/e{number}{text}",
                "verdict": verdicts[number % 3],
                "holds": 2,
                "fails": number % 3 == 1,
                "undetermined": number % 3 == 2,
                "finding": "" if number % 3 == 0 else f"f1 0.87 < 0.90 {text}",
                "cells": {f"g{gate}{text}": statuses[(number * 7 + gate) % len(statuses)] for gate in range(gates)},
            }
            for number in range(endpoints)
        ],
        "digest": "sha256:" + "ab" * 32,
    }


def written(content: dict[str, Any], folder: Path) -> Path:
    return estate_report.save(content, folder / "estate.html")


def broken_rules(page: Page, axe: str) -> Any:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(axe)
    return page.evaluate(
        """async () => (await axe.run('.lx-root', {rules: {"target-size": {enabled: true}}})).violations
          .map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])"""
    )


def wider_than_it_may(page: Page) -> Any:
    return page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll('.lx-root, .lx-root > *')]
          .filter(e => !e.matches('.lx-unseen, .lx-heat') && e.scrollWidth > e.clientWidth + 1).map(e => e.className)"""
    )


# --- a requirement ---


def test_a_failed_requirement_explains_itself_in_one_screen(open_file: Open, workspace: Path, tmp_path: Path) -> None:
    with open_store(workspace / "demo" / "lineage.db") as store:
        audit(store, "defect-detector").save(tmp_path / "report.html")
    watched = open_file(tmp_path / "report.html")
    page = watched.page
    page.locator(".lx-why button").first.click()
    card = page.locator(".lx-details .lx-requirement").first
    for part in (card.locator("strong"), card.locator(".lx-compared"), card.locator("dd").last):
        expect(part).to_be_in_viewport(ratio=1)
    expect(page.locator(".lx-title .lx-verdict")).to_be_in_viewport(ratio=1)
    expect(page.locator(".lx-hop.lx-selected")).to_be_in_viewport()
    expect(card).to_contain_text("fails")
    expect(card).to_contain_text("expected recall >= 0.85")
    expect(card.locator("dl")).to_contain_text("recomputed")
    picture(page, "requirement")
    card.locator("dd button").first.click()
    expect(page.get_by_role("tab", name="Evidence")).to_have_attribute("aria-selected", "true")
    row = page.locator("tr:has(:focus)")
    expect(row).to_be_in_viewport()
    expect(row).to_contain_text("recall >= 0.85")
    assert watched.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 480])
def test_what_a_policy_says_has_no_barriers_and_no_markup(
    open_file: Open, axe: str, tmp_path: Path, scheme: str, width: int
) -> None:
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        store.append(
            [
                *estates.complete(),
                Evidence(subject="model:churn@3", gate="bias", gate_type="fairness", status="failed"),
            ]
        )
        content = audit(store, "churn").to_dict()
    result = {
        "requirement": HOSTILE, "title": HOSTILE, "required": True, "why": HOSTILE, "needed": HOSTILE, "cites": HOSTILE,
        "grade": "claimed", "policy_version": HOSTILE, "evidence": [row["id"] for row in content["evidence"]],
        "waiver": {"by": HOSTILE, "why": HOSTILE, "until": "2027-01-01T00:00:00Z"},
    }  # fmt: skip
    hop = next(hop for hop in content["hops"] if hop["predicate"] == "deploys")
    hop["requirements"] = [
        {**result, "outcome": outcome, "status": status}
        for outcome, status in (
            ("fails", "failed"),
            ("undetermined", "missing"),
            ("holds", "waived"),
            ("holds", "passed"),
        )
    ]
    content["findings"] = [
        {"severity": "warning", "code": code, "ref": hop["cause"], "message": f"{code} 0.90 → 0.85 {HOSTILE}"}
        for code in ("gate-weakened", "waiver-expired", "stale-evidence", "waiver-in-force")
    ]
    applied = [{"version": name, "digest": "sha256:00", "hops": 2} for name in ("1", HOSTILE)]
    content["question"]["policy"] |= {"name": HOSTILE, "applied": applied, "form": "questions"}
    content["question"]["candidate"] = hop["cause"]
    from lineage_explorer.reports import page as report

    (tmp_path / "report.html").write_text(report.render(content))
    watched = open_file(tmp_path / "report.html", width, color_scheme=scheme)
    page = watched.page
    expect(page.locator(".lx-title")).to_contain_text("as though released to")
    page.locator(".lx-why button").first.click()
    expect(page.locator(".lx-details")).to_contain_text("gate-weakened 0.90 → 0.85")
    for tab in ("Requirements", "Findings"):
        page.get_by_role("tab", name=tab).click()
        assert broken_rules(page, axe) == [], tab
        assert wider_than_it_may(page) == [], tab
    assert page.evaluate("window.hit") is None
    assert page.locator(".lx-root").locator("img, script, a[href]").count() == 0
    assert "\u202e" not in page.locator(".lx-root").inner_text()
    assert watched.problems == []


# --- endpoints by requirements ---


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "gates"), [(1280, 6), (1280, 20), (480, 20)])
def test_a_heat_map_has_no_barriers_and_hostile_names_are_text(
    open_file: Open, axe: str, tmp_path: Path, scheme: str, width: int, gates: int
) -> None:
    watched = open_file(written(document(80, gates, HOSTILE), tmp_path), width, color_scheme=scheme)
    page = watched.page
    page.locator(".lx-heatbody .lx-heatgate").first.click()
    expect(page.locator(".lx-chosen")).to_contain_text("onerror=hit=1")
    picture(page, f"estate-{width}-{gates}-{scheme}")
    assert broken_rules(page, axe) == []
    assert wider_than_it_may(page) == []
    page.locator(".lx-search").fill("nobody")
    expect(page.locator(".lx-heatnone")).to_be_visible()
    assert broken_rules(page, axe) == []
    assert page.evaluate("window.hit") is None
    assert page.locator(".lx-root").locator("img, script, a[href]").count() == 0
    assert "\u202e" not in page.locator(".lx-root").inner_text()
    assert watched.problems == []
    assert watched.requests == [(tmp_path / "estate.html").as_uri()]


def test_a_heat_map_is_walked_with_keys(open_file: Open, tmp_path: Path) -> None:
    page = open_file(written(document(500, 20), tmp_path)).page

    def here() -> list[str]:
        found: list[str] = page.evaluate(
            "(({parentElement: r, ariaColIndex: c}) => [r.ariaRowIndex, c])(document.activeElement)"
        )
        return found

    page.get_by_role("button", name="Save as CSV").focus()
    page.keyboard.press("Tab")
    assert here() == ["3", "1"]
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert here() == ["5", "2"]
    for key in ("End", "PageDown", "PageDown"):
        page.keyboard.press(key)
    assert here()[1] == "23"
    # Neither the head nor the names lie over what has the focus.
    assert page.evaluate(
        """() => { const r = document.activeElement.getBoundingClientRect();
          return document.elementFromPoint(r.left + 4, r.top + r.height / 2) === document.activeElement }"""
    )
    page.keyboard.press("Control+End")
    assert here() == ["502", "23"]
    page.keyboard.press("Home")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator(".lx-chosen h3")).to_have_text(f"endpoint:{name}")
    page.keyboard.press("Escape")
    expect(page.locator(".lx-chosen")).to_be_hidden()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('[role=grid]') === null"), "Tab does not leave the grid"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+Home")
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort]")).to_have_text(re.compile("^Endpoint"))


def test_ten_thousand_endpoints_by_twenty_requirements_are_scrolled_and_sorted_at_once(
    open_file: Open, tmp_path: Path
) -> None:
    watched = open_file(written(document(10_000, 20), tmp_path))
    page = watched.page
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "10002")
    assert page.locator(".lx-heat *").count() < 8_000
    slowest = page.evaluate(
        """async () => {
          const heat = document.querySelector('.lx-heat'), frame = () => new Promise(requestAnimationFrame);
          let slowest = 0;
          for (let i = 0; i < 40; i++) {
            heat.scrollTop += 500;
            await frame();
            const before = performance.now();
            await frame();
            slowest = Math.max(slowest, performance.now() - before);
          }
          const started = performance.now();
          heat.querySelectorAll('[role=columnheader] button')[4].click();
          return [slowest, performance.now() - started];
        }"""
    )
    assert slowest[0] < 300, "a frame while scrolling"
    assert slowest[1] < 2_000, "a sort"
    assert page.locator(".lx-heatbody .lx-heatrow").count() < 70
    assert watched.problems == []


def test_without_colours_of_its_own_the_shapes_remain(open_file: Open, tmp_path: Path) -> None:
    page = open_file(written(document(30, 6), tmp_path), forced_colors="active").page
    inks = page.evaluate(
        """() => [...document.querySelectorAll('.lx-heatbody .lx-heatgate .lx-outline')].slice(0, 40)
          .map(e => [getComputedStyle(e).fill, getComputedStyle(e.closest('.lx-heatgate')).backgroundColor])"""
    )
    assert inks
    assert all(ink != ground for ink, ground in inks)
    picture(page, "estate-forced-colours")


def test_a_heat_map_goes_along_as_a_sheet(open_file: Open, workspace: Path, tmp_path: Path) -> None:
    with open_store(workspace / "demo" / "lineage.db") as store:
        content = estate_document(store)
    page = open_file(written(content, tmp_path)).page
    page.get_by_role("button", name=re.compile("^FAILED")).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0].startswith("ref,verdict,holds,fails,undetermined,finding,on-record")
    assert [row.split(",")[:2] for row in rows[1:]] == [["endpoint:defect-detector", "FAILED"]]


def test_a_report_whose_data_cannot_be_read_still_shows_its_tables(browser: Browser, tmp_path: Path) -> None:
    path = written(document(3, 2), tmp_path)
    path.write_text(path.read_text().replace('id="lx-estate">{', 'id="lx-estate">{{'))
    page = browser.new_page()
    page.goto(path.as_uri())
    expect(page.locator("#lx-still")).to_be_visible()
    page.close()


# --- in a notebook ---


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script("window.hit = 0")
    yield context.new_page()
    context.close()


def test_a_heat_map_in_a_notebook_is_in_step_with_python(page: Page, lab: Lab, axe: str) -> None:
    (lab.root / "hostile.json").write_text(json.dumps(document(40, 8, HOSTILE)))
    name = write_notebook(
        lab.root,
        "estate.ipynb",
        "import json\nfrom lineage_explorer import HeatMap\nheat = HeatMap('demo/lineage.db')\nheat",
        "print('chosen:', heat.selected)",
        "heat.selected = 'endpoint:churn-prod'",
        "HeatMap(json.load(open('hostile.json')))",
    )
    watched = watch(page)
    open_notebook(page, lab, name)

    def run(number: int) -> None:
        page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".cm-content").click()
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-cell')")

    run(0)
    root = page.locator(".lx-estate").first
    expect(root.get_by_role("grid")).to_be_visible(timeout=120_000)
    root.locator(".lx-heatbody .lx-heatname", has_text="defect-detector").click()
    expect(root.locator(".lx-chosen")).to_contain_text("Approved before release")
    # The still table is there for later; beside the live map it would be said twice.
    expect(page.locator(".lx-static").first).to_be_hidden()
    run(1)
    said = page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    expect(said).to_contain_text("chosen: endpoint:defect-detector", timeout=30_000)
    run(2)
    expect(root.locator(".lx-chosen h3")).to_have_text("endpoint:churn-prod", timeout=30_000)
    root.locator('[role="grid"] [tabindex="0"]').focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("b")  # JupyterLab's key for a new cell
    page.keyboard.press("Enter")
    expect(root.locator(".lx-chosen h3")).to_have_text(re.compile("^endpoint:"))
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(4)
    picture(page, "estate-notebook")
    run(3)
    hostile = page.locator(".lx-estate").nth(1)
    expect(hostile.get_by_role("grid")).to_be_visible(timeout=60_000)
    hostile.locator(".lx-heatbody .lx-heatname").first.click()
    expect(hostile.locator(".lx-chosen")).to_contain_text("onerror=hit=1")
    try:
        for theme in ("Light", "Dark"):
            execute(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
            page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(theme == 'Light').lower()}'")
            assert broken_rules(page, axe) == [], theme
    finally:
        execute(page, "apputils:change-theme", theme="JupyterLab Light")
    assert page.evaluate("window.hit") == 0
    assert page.locator(".lx-estate").locator("img, script, a[href]").count() == 0
    assert not [url for url in watched.requests if "evil" in url], "nothing in a record is fetched"
    assert not [item for item in watched.problems if "lineage" in item.lower() or "dialog" in item]
