/** The timeline: one axis, the lanes of who served, and a row for each version. Zooming and moving go through here. */

import { html, svg } from "../view/dom.js";
import { instant } from "../view/text.js";
import { Axis } from "./axis.js";
import type { Kept } from "./filters.js";
import { Lanes } from "./lanes.js";
import { Lives } from "./lives.js";
import { defs, legend } from "./glyphs.js";
import type { Story } from "./story.js";

export interface BoardEvents {
  /** A version or a span of a lane; empty for nothing. */
  select(id: string): void;
  say(text: string, quiet?: number): void;
}

/** How much a step zooms, and which part of the window a step moves. */
const ZOOM = 1.5;
const STEP = 0.2;
/** Pixels that a pointer moves before it drags. */
const SLACK = 4;
/** Pixels of the names beside the drawing. */
const NAME = 176;
const HEAD = 30;
/** Pixels of a letter of the axis. */
const LETTER = 6.2;

export class Board {
  readonly element = html("div", { class: "lx-board" });
  private readonly axis: Axis;
  private readonly lanes: Lanes;
  private readonly lives: Lives;
  private readonly head = svg("svg", { class: "lx-strip", height: HEAD, "aria-hidden": "true" });
  private readonly grid = svg("svg", { class: "lx-historygrid", "aria-hidden": "true", width: "100%", height: "100%" });
  private readonly range = html("span", { class: "lx-quiet lx-range-said" });
  private readonly frame: HTMLElement;
  private readonly watch: ResizeObserver;
  /** What the filters leave; nothing until it is shown. */
  private kept: Kept | undefined;
  private environments = false;
  private drawing = 0;
  private dragged = false;

  constructor(
    id: string,
    private readonly story: Story,
    private readonly events: BoardEvents,
  ) {
    const { whole, end } = story;
    this.axis = new Axis(whole?.from ?? end, Math.max(whole?.to ?? end, end));
    this.lanes = new Lanes(id, story, this.axis, (span) => events.select(span), () => this.later());
    this.lives = new Lives(id, story, this.axis, (ref) => events.select(ref));
    const act = (label: string, text: string, run: () => void): HTMLElement => {
      const button = html("button", { type: "button", class: "lx-button", "aria-label": label, title: label }, text);
      button.addEventListener("click", run);
      return button;
    };
    const buttons = html(
      "div",
      { class: "lx-controls", role: "group", "aria-label": "Time axis" },
      act("Earlier", "‹", () => this.pan(-STEP)),
      act("Later", "›", () => this.pan(STEP)),
      act("− Zoom out", "−", () => this.zoom(1 / ZOOM)),
      act("+ Zoom in", "+", () => this.zoom(ZOOM)),
      act("Fit: show all of the time", "Fit", () => this.fit()),
    );
    const modes = ["Endpoints", "Environments"].map((title, i) => {
      const input = html("input", { type: "radio", name: `${id}-lanes`, checked: i === 0 });
      input.addEventListener("change", () => {
        this.environments = i === 1;
        if (this.kept !== undefined) this.lanes.show(this.kept, this.environments);
        this.lanes.draw();
        this.events.say(`A lane for each ${i === 1 ? "environment" : "endpoint"}`);
      });
      return html("label", {}, input, html("span", {}, title));
    });
    const switched = html("fieldset", { class: "lx-directions", "aria-label": "A lane for each" }, ...modes);
    switched.hidden = story.lanes.length === 0;
    const axis = html("div", { class: "lx-historyaxis" }, html("div", { class: "lx-lanename lx-quiet" }, "UTC"), this.head);
    this.frame = html("div", { class: "lx-historyframe" }, html("div", { class: "lx-historygridbox" }, this.grid), axis, this.lanes.element, this.lives.element);
    this.element.append(html("div", { class: "lx-boardbar" }, switched, buttons, this.range), defs(id), this.frame, legend(id));
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.frame.addEventListener("pointerdown", (event) => this.press(event));
    this.frame.addEventListener("click", (event) => this.click(event));
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.frame);
  }

  destroy(): void {
    this.watch.disconnect();
    this.lives.destroy();
    cancelAnimationFrame(this.drawing);
  }

  show(kept: Kept): void {
    this.kept = kept;
    this.lanes.show(kept, this.environments);
    this.lives.show(kept.lives);
    this.draw(false);
  }

  mark(selected: string): void {
    this.lanes.mark(selected);
    this.lives.mark(selected);
  }

  /** When it comes into the page, and when that changes. */
  resize(): void {
    const before = this.axis.width;
    const wide = this.lives.element.clientWidth || this.frame.clientWidth || 1000 + NAME;
    const name = wide < 560 ? Math.round(wide * 0.3) : NAME;
    this.frame.style.setProperty("--lx-name", `${name}px`);
    this.axis.width = Math.max(60, wide - name);
    if (this.axis.width !== before && this.kept !== undefined) this.draw(true);
  }

  private later(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => this.draw(true));
  }

  private draw(rows: boolean): void {
    const { axis, story } = this;
    const ticks = story.whole === null ? [] : axis.ticks();
    this.head.setAttribute("width", String(axis.width));
    // Neither cut by the end nor crossed by the line of the instant asked about.
    const asked = axis.x(story.end);
    const fits = (x: number, label: string): boolean => [axis.width, asked].every((end) => x >= end || x + 3 + label.length * LETTER <= end);
    const texts = ticks.flatMap(({ x, label, context }, i) => [
      svg("path", { class: "lx-floor", d: `M${x.toFixed(1)},24v6` }),
      ...(fits(x, label) ? [svg("text", { x: x + 3, y: 27, "font-size": 11, class: "lx-small" }, label)] : []),
      ...(context === "" ? [] : [svg("text", { x: i === 0 ? Math.max(3, x + 3) : x + 3, y: 12, "font-size": 11 }, context)]),
    ]);
    this.grid.replaceChildren(
      svg("path", { class: "lx-floor", d: ticks.map(({ x }) => `M${x.toFixed(1)},${HEAD}V9999`).join("") }),
      ...(story.whole === null || asked < 0 || asked > axis.width ? [] : [svg("line", { class: "lx-instantmark", x1: asked, x2: asked, y1: HEAD - 8, y2: 9999 })]),
    );
    this.head.replaceChildren(...texts);
    this.range.textContent = story.whole === null ? "No time is on record" : `${shown(axis.from)} to ${shown(axis.to)}`;
    this.lanes.draw();
    if (rows) this.lives.draw();
  }

  // --- zooming and moving ---

  private zoom(by: number, about?: number): void {
    this.axis.zoom(by, about);
    this.changed();
  }

  private pan(part: number): void {
    this.axis.pan(part * this.axis.width);
    this.changed();
  }

  private fit(): void {
    this.axis.fit();
    this.changed();
  }

  private changed(): void {
    this.later();
    this.events.say(`${shown(this.axis.from)} to ${shown(this.axis.to)}`, 400);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const act: (() => void) | undefined = {
      "+": () => this.zoom(ZOOM),
      "=": () => this.zoom(ZOOM),
      "-": () => this.zoom(1 / ZOOM),
      "0": () => this.fit(),
      Escape: () => this.events.select(""),
    }[event.key];
    if (act !== undefined) act();
    else if (!this.lanes.key(event) && !this.lives.key(event)) {
      if (event.key === "ArrowLeft") this.pan(-STEP);
      else if (event.key === "ArrowRight") this.pan(STEP);
      else return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private wheel(event: WheelEvent): void {
    const across = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 240), this.place(event));
    else if (event.shiftKey || Math.abs(across) > Math.abs(event.deltaY)) this.axis.pan(across);
    else return;
    event.preventDefault();
    this.later();
  }

  /** Pixels from the left end of the drawing. */
  private place(event: MouseEvent): number {
    return Math.max(0, Math.min(this.axis.width, event.clientX - this.head.getBoundingClientRect().left));
  }

  private press(event: PointerEvent): void {
    this.dragged = false;
    if (event.button !== 0 || event.clientX < this.head.getBoundingClientRect().left) return;
    let last = event.clientX;
    const move = (next: PointerEvent): void => {
      if (!this.dragged && Math.abs(next.clientX - event.clientX) < SLACK) return;
      if (!this.dragged) this.frame.setPointerCapture(event.pointerId);
      this.dragged = true;
      this.frame.classList.add("lx-moving");
      this.axis.pan(last - next.clientX);
      last = next.clientX;
      this.later();
    };
    const done = (): void => {
      this.frame.classList.remove("lx-moving");
      this.frame.removeEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel"] as const) this.frame.removeEventListener(end, done);
    };
    this.frame.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"] as const) this.frame.addEventListener(end, done);
  }

  private click(event: MouseEvent): void {
    if (this.dragged) return;
    const id = this.lanes.at(event.target, this.place(event))?.id ?? this.lives.at(event.target)?.row.ref;
    if (id !== undefined) this.events.select(id);
  }
}

function shown(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : instant(date.toISOString());
}
