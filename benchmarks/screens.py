"""Pages in a Chromium: their first paint, and the frames while a mouse moves and a wheel zooms in them.

The same is done to each page, ours or a peer's. *First paint* is the start of the frame after the first one that
shows a node, layout included: from the navigation, and from the moment when the page was parsed and its scripts
began. *Frames* are the intervals of ``requestAnimationFrame`` in which the drawing came to stand somewhere new;
those for which the mouse came too late are left out, so that a busy machine flatters nobody.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as TookTooLong

from .layouts import Differs
from .view_peers import Bundle

#: Seconds after which a page without a drawing is closed.
LIMIT = 60
#: Seconds of panning there and back; a page that shows few frames in them is panned some times more.
PAN = 2.0
PASSES, ENOUGH = 5, 15
#: Seconds of zooming in or out, after which the wheel is turned the other way.
ZOOM = 8
#: The scale at which everything in the window is drawn in full, and how much a step of the wheel should zoom.
FULL, STEP = 0.7, 1.1
WINDOW = {"width": 1280, "height": 900}
#: The room that every page gives its drawing: what the report has in this window.
STAGE = {"width": 1238, "height": 620}

#: Watches for a drawing from the first moment of the page, and for every frame when it is asked to. A page of ours or
#: of a peer's says in lxStage how it is moved; the report has no such thing, and is read.
_WATCH = """
addEventListener("securitypolicyviolation", (event) => { (window.lxWrong ??= []).push(event.violatedDirective); });
window.lxDrawn = () => {
  const inDocument = performance.now();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const painted = performance.now();
    const [{domInteractive: parsed}] = performance.getEntriesByType("navigation");
    console.debug("painted " + JSON.stringify({inDocument, painted, parsed}));
  }));
};
const drawn = ".lx-canvas .lx-node, .lx-canvas .lx-box, .react-flow__node[style*='visibility: visible']";
const wait = (place) => new MutationObserver((_, watch) => {
  if (document.querySelector(drawn) === null) return;
  watch.disconnect();
  window.lxDrawn();
}).observe(place, {childList: true, subtree: true});
new MutationObserver((_, watch) => {
  const place = document.getElementById("lx-report") ?? document.getElementById("stage");
  if (place !== null) { watch.disconnect(); if (!("draws" in place.dataset)) wait(place); }
}).observe(document, {childList: true, subtree: true});
window.lxStage = {
  surface: () => document.querySelector(".lx-canvas"),
  place: () => {
    const frame = document.querySelector(".lx-canvas").getBoundingClientRect();
    const { e, f, a } = document.querySelector(".lx-sheet > svg > g").getScreenCTM();
    return [e - frame.left, f - frame.top, a];
  },
  hops: () => Number([...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.startsWith("Hops"))?.textContent.match(/\\d+/)?.[0] ?? -1),
  anchor() {
    const frame = document.querySelector(".lx-canvas").getBoundingClientRect();
    const [x, y] = [frame.left + frame.width / 2, frame.top + frame.height / 2];
    const middles = [...document.querySelectorAll(".lx-canvas .lx-node")].map((node) => {
      const box = node.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    });
    const far = (at) => Math.hypot(at[0] - x, at[1] - y);
    return middles.reduce((best, at) => (far(at) < far(best) ? at : best), [1e9, 1e9]);
  },
};
window.lxFrames = (on) => {
  if (!on) { window.lxOn = false; return window.lxSeen; }
  window.lxSeen = []; window.lxOn = true;
  const look = (at) => {
    window.lxSeen.push([at, ...window.lxStage.place()]);
    if (window.lxOn) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};
"""
_PAINTED = "painted "
#: The wheel once in every frame, with Ctrl held, about one point: into full detail, out again, and in. Wheels differ in
#: how far a step goes, so that after each the next is made larger or smaller.
_ZOOM = """async ({x, y, full, step, longest}) => {
  const surface = lxStage.surface();
  const frame = () => new Promise(requestAnimationFrame);
  const gaps = [], from = lxStage.place()[2];
  let deltaY = 10;
  await frame();
  let before = await frame();
  const turn = async (sign) => {
    const [, , old] = lxStage.place();
    const event = {clientX: x, clientY: y, deltaY: sign * deltaY, ctrlKey: true, bubbles: true, cancelable: true, view: window};
    surface.dispatchEvent(new WheelEvent("wheel", event));
    const at = await frame();
    const zoomed = Math.abs(Math.log(lxStage.place()[2] / old));
    gaps.push([at - before, zoomed]);
    before = at;
    if (zoomed > 0) deltaY = Math.min(120, Math.max(1, (deltaY * Math.log(step)) / zoomed));
  };
  const leg = async (sign, on) => {
    const end = before + longest;
    for (let n = 0; on(lxStage.place()[2]) && before < end && n < 200; n++) await turn(sign);
  };
  await leg(-1, (scale) => scale < full);
  await leg(1, (scale) => scale > from * step);
  longest *= 20;
  await leg(-1, (scale) => scale < full);
  return {gaps, from, to: lxStage.place()[2]};
}"""


class Frames(NamedTuple):
    """Milliseconds between the frames of a gesture that showed something new, and the share of all that these are."""

    gaps: list[float]
    share: float = 1.0

    @property
    def rate(self) -> float:
        """Frames per second."""
        return 1e3 * len(self.gaps) / sum(self.gaps)


class Seen(NamedTuple):
    """One opening of a page: first paint, gestures by name, elements of its drawing, and how many hops it tells of."""

    first: dict[str, float]
    frames: dict[str, Frames]
    elements: dict[str, int]
    hops: int


def page_of(content: dict[str, Any], bundle: Bundle, *, canvas: bool = False, classes: str = "") -> str:
    """A page with the audit as data, a stage, and a script that draws the one on the other.

    Each page is given the same data as the report, whole. One that draws on a canvas tells itself when it has drawn.
    """
    data = json.dumps(content, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    size = f"position: relative; overflow: hidden; width: {STAGE['width']}px; height: {STAGE['height']}px"
    script = bundle.script.replace("</script", "<\\/script")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>A seeded audit</title>\n'
        f"<style>body {{ margin: 20px }} {bundle.style} #stage {{ {size} }}</style>\n</head>\n<body>\n"
        f'<div class="{classes}"><div id="stage"{" data-draws" if canvas else ""}></div></div>\n'
        f'<script type="application/json" id="audit">{data}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def look(browser: Browser, path: Path, about: str | None = None, picture: Path | None = None) -> Seen | None:
    """Open a page in a new context and move in it; None if it had drawn nothing within the limit.

    ``about`` is the node that is zoomed to; without one, a node near the middle of the window.
    """
    context = browser.new_context(viewport=WINDOW, offline=True)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.add_init_script(_WATCH)
        try:
            # Told, and not asked for: a page that lays out answers nothing, and the report's policy forbids to wait in it.
            with page.expect_console_message(
                lambda message: message.text.startswith(_PAINTED), timeout=LIMIT * 1000
            ) as told:
                page.goto(path.as_uri(), wait_until="commit", timeout=LIMIT * 1000)
        except TookTooLong:
            if problems:
                raise Differs(f"{path.name} had problems: {problems[:3]}") from None
            return None
        first = json.loads(told.value.text.removeprefix(_PAINTED))
        if picture is not None:
            page.screenshot(path=picture)
        frames: dict[str, Frames] = {}
        elements = {"first look": _elements(page)}
        if about is not None:
            page.evaluate("void lxStage.fit()")  # what a library returns is no business of ours
        frames["panning, as it opens" if about is None else "panning, all of it"] = pan(page)
        if about is not None:
            page.evaluate("void lxStage.fit()")
        x, y = page.evaluate("(ref) => lxStage.anchor(ref)", about)
        frames["zooming"] = zoom(page, path, x, y)
        elements["full detail"] = _elements(page)
        if picture is not None:
            page.screenshot(path=picture.with_stem(picture.stem + "-full"))
        frames["panning, full detail"] = pan(page)
        problems += page.evaluate("window.lxWrong ?? []")
        if problems:
            raise Differs(f"{path.name} had problems: {problems[:3]}")
        return Seen(first, frames, elements, page.evaluate("lxStage.hops()"))
    finally:
        context.close()


def _elements(page: Page) -> int:
    # What holds the tables of the report is not the drawing; a canvas has no elements within.
    return int(page.evaluate("lxStage.surface().closest('.lx-canvas, #stage').querySelectorAll('*').length"))


def pan(page: Page) -> Frames:
    """The mouse held, once across the window and back at a brisk 1,000 pixels a second, up and down a little."""
    box = page.evaluate("(({left, top, height}) => [left, top, height])(lxStage.surface().getBoundingClientRect())")
    x, y = box[0] + 60, box[1] + box[2] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y)  # taken up: the drawing follows from here
    page.evaluate("lxFrames(true)")
    for _ in range(PASSES):
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < PAN:
            across = 1 - abs(1 - 2 * passed / PAN)
            page.mouse.move(x + 1000 * across, y + 80 * math.sin(6 * passed))
        if page.evaluate("lxSeen.length") >= ENOUGH:
            break
    seen = page.evaluate("lxFrames(false)")
    page.mouse.up()
    new = [before[1:] != after[1:] for before, after in itertools.pairwise(seen)]
    # What was moved before a frame may be drawn in it or in the next: the frames on both sides count.
    gaps = [seen[i + 1][0] - seen[i][0] for i in range(len(new)) if new[i] or (i > 0 and new[i - 1])]
    if len(gaps) < 2:
        raise Differs("the drawing did not follow the mouse")
    return Frames(gaps, len(gaps) / len(new))


def zoom(page: Page, path: Path, x: float, y: float) -> Frames:
    """The wheel turned into full detail, out and in."""
    done = page.evaluate(_ZOOM, {"x": x, "y": y, "full": FULL, "step": STEP, "longest": ZOOM * 1000})
    if done["to"] < FULL:
        raise Differs(f"{path.name} did not come to full detail by the wheel: from {done['from']} to {done['to']}")
    return Frames([gap for gap, _ in done["gaps"]])
