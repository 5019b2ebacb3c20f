/** A row for each version with its life, the newest first. Only the rows in sight are in the page, and those that leave it are used again. */

import { html, svg } from "../view/dom.js";
import { clean, instant, percent, shortEndpoint } from "../view/text.js";
import type { Axis } from "./axis.js";
import { bar, cluster, gate, pattern, sign, WIDE } from "./glyphs.js";
import { having, now, roomFor, sentence, servedWhere, stageName, type Life, type Story } from "./story.js";

/** Pixels of a row. */
export const ROW = 44;
/** Rows made beyond the window, so that scrolling finds them there. */
const BEYOND = 6;
const LETTER = 6;
/** From the top of a row: gates, the stage, what served. */
const GATES = 9;
const STAGE = { y: 17, height: 11 };
const SERVED = { y: 29.5, height: 12.5 };

interface Made {
  element: HTMLElement;
  name: HTMLElement;
  /** Its life in a sentence, for people who hear it. */
  said: HTMLElement;
  strip: SVGSVGElement;
}

export class Lives {
  readonly element = html("div", { class: "lx-lives" });
  private readonly body = html("div", { class: "lx-livesbody", role: "listbox", tabindex: 0, "aria-label": "Versions, the newest first" });
  private readonly none = html("p", { class: "lx-quiet lx-nolane", hidden: true });
  private rows: readonly Life[] = [];
  private readonly made = new Map<number, Made>();
  private readonly spare: Made[] = [];
  private selected = "";
  private active = 0;
  private painting = 0;

  constructor(
    private readonly id: string,
    private readonly story: Story,
    private readonly axis: Axis,
    private readonly select: (ref: string) => void,
  ) {
    this.element.append(this.body, this.none);
    this.element.addEventListener(
      "scroll",
      () => {
        cancelAnimationFrame(this.painting);
        this.painting = requestAnimationFrame(() => this.paint(false));
      },
      { passive: true },
    );
    this.body.addEventListener("focus", () => this.go(this.active));
  }

  destroy(): void {
    cancelAnimationFrame(this.painting);
  }

  show(lives: readonly Life[]): void {
    const here = this.rows[this.active]?.row.ref;
    this.rows = [...lives].reverse();
    this.active = Math.max(0, this.rows.findIndex((life) => life.row.ref === here));
    this.body.style.height = `${this.rows.length * ROW}px`;
    this.none.hidden = this.rows.length > 0;
    this.body.tabIndex = this.rows.length > 0 ? 0 : -1;
    this.none.textContent = this.story.lives.length === 0 ? "No version is on record." : "No version matches the filters.";
    this.element.scrollTop = 0;
    for (const at of [...this.made.keys()]) this.free(at);
    // What is beyond the window can wait until somebody scrolls.
    this.paint(true);
  }

  /** All rows in sight again: the axis shows another time, or is wider. */
  draw(): void {
    this.paint(true);
  }

  mark(selected: string): void {
    this.selected = selected;
    const at = this.rows.findIndex((life) => life.row.ref === selected);
    if (at >= 0) {
      this.active = at;
      this.reveal(at);
    }
    this.paint(false);
    for (const [row, made] of this.made) this.state(made, row);
  }

  /** The row that something in the page belongs to. */
  at(target: EventTarget | null): Life | undefined {
    for (const [at, { element }] of this.made) if (target instanceof Node && element.contains(target)) return this.rows[at];
    return undefined;
  }

  key({ key, target }: KeyboardEvent): boolean {
    if (target !== this.body) return false;
    const page = Math.max(1, Math.floor((this.element.clientHeight || 440) / ROW) - 1);
    const to = { ArrowUp: this.active - 1, ArrowDown: this.active + 1, Home: 0, End: this.rows.length - 1, PageUp: this.active - page, PageDown: this.active + page }[key];
    if (to !== undefined) this.go(to);
    else if (key === "Enter" || key === " ") this.select(this.rows[this.active]?.row.ref ?? "");
    else return false;
    return true;
  }

  focus(): void {
    this.body.focus({ preventScroll: true });
  }

  private go(to: number): void {
    this.active = Math.max(0, Math.min(this.rows.length - 1, to));
    this.reveal(this.active);
    this.paint(false);
    for (const [row, made] of this.made) this.state(made, row);
  }

  private reveal(at: number): void {
    const { element } = this;
    const room = element.clientHeight || 440;
    const top = at * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + room) element.scrollTop = top + ROW - room;
  }

  private free(at: number): void {
    const made = this.made.get(at);
    if (made === undefined) return;
    made.element.remove();
    this.made.delete(at);
    this.spare.push(made);
  }

  /** Rows that leave the window become those that come into it. The one that is stood on stays, or nobody would hear it. */
  private paint(again: boolean): void {
    const { scrollTop, clientHeight } = this.element;
    // What is beyond the window is made when it comes near, not with every step of the axis.
    const beyond = again ? 0 : BEYOND;
    const from = Math.max(0, Math.floor(scrollTop / ROW) - beyond);
    const to = Math.min(this.rows.length, Math.ceil((scrollTop + (clientHeight || 440)) / ROW) + beyond);
    for (const at of [...this.made.keys()]) if ((at < from || at >= to) && at !== this.active) this.free(at);
    const needed = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
    if (this.active < from || this.active >= to) needed.push(this.active);
    const known = [...this.made.keys()].sort((a, b) => a - b);
    for (const at of needed) {
      const life = this.rows[at];
      if (life === undefined) continue;
      const there = this.made.get(at);
      if (there !== undefined) {
        if (again) this.strip(there.strip, life);
        continue;
      }
      const made = this.spare.pop() ?? this.make();
      this.fill(made, life, at);
      this.made.set(at, made);
      // In the order of the rows: they are heard in it.
      const next = known.find((other) => other > at);
      this.body.insertBefore(made.element, next === undefined ? null : (this.made.get(next)?.element ?? null));
    }
    if (this.rows.length > 0) this.body.setAttribute("aria-activedescendant", `${this.id}-life${this.active}`);
    else this.body.removeAttribute("aria-activedescendant");
  }

  private make(): Made {
    const name = html("div", { class: "lx-lanename", "aria-hidden": "true" });
    const strip = svg("svg", { class: "lx-strip", height: ROW - 1, "aria-hidden": "true" });
    const said = html("span", { class: "lx-unseen" });
    return { element: html("div", { role: "option", class: "lx-life" }, name, said, strip), name, said, strip };
  }

  private fill(made: Made, life: Life, at: number): void {
    const { element, name, said, strip } = made;
    const { row } = life;
    element.id = `${this.id}-life${at}`;
    element.style.transform = `translateY(${at * ROW}px)`;
    element.setAttribute("aria-posinset", String(at + 1));
    element.setAttribute("aria-setsize", String(this.rows.length));
    said.textContent = sentence(this.story, life);
    const state = now(this.story, life);
    const since = row.registered === null ? "not dated" : instant(row.registered).slice(0, 10);
    name.replaceChildren(html("b", {}, life.label), html("span", { class: "lx-quiet" }, state, ...(state === "" ? [since] : [html("span", { class: "lx-lifedate" }, ` · ${since}`)])));
    name.title = clean(row.ref);
    this.strip(strip, life);
    this.state(made, at);
  }

  private state({ element }: Made, at: number): void {
    element.setAttribute("aria-selected", String(this.selected !== "" && this.rows[at]?.row.ref === this.selected));
    element.classList.toggle("lx-here", at === this.active);
  }

  private strip(strip: SVGSVGElement, life: Life): void {
    const { axis, story, id } = this;
    const { width } = axis;
    const drawn: SVGElement[] = [];
    strip.setAttribute("width", String(width));
    if (life.known === null) {
      strip.replaceChildren(svg("text", { x: 8, y: ROW / 2 + 4, "font-size": 11, class: "lx-small" }, "no time of it is on record"));
      return;
    }
    // A row without anything in it would look like a version without a life.
    if (life.known.from > axis.to) drawn.push(svg("text", { x: width - 8, y: ROW / 2 + 4, "text-anchor": "end", "font-size": 11, class: "lx-small" }, "later ›"));
    const x = (time: number): number => Math.max(-9, Math.min(width + 9, axis.x(Math.min(time, story.end))));
    const begin = x(life.registered ?? life.known.from);
    const middle = STAGE.y + STAGE.height / 2;
    const end = x(life.gone ?? (life.row.here === false ? life.known.to : story.end));
    drawn.push(svg("path", { class: `lx-lifeline${life.registered === null ? " lx-between" : ""}`, d: `M${begin.toFixed(1)},${middle}H${end.toFixed(1)}` }));
    if (life.registered !== null) drawn.push(svg("path", { class: "lx-born", d: `M${begin.toFixed(1)},${STAGE.y - 3}v${STAGE.height + 6}` }));
    for (const piece of life.stages) {
      const [left, right] = [x(piece.from), x(piece.to)];
      if (right < 0 || left > width) continue;
      const row = piece.rows[0];
      const kind = pattern(row?.stage ?? "");
      drawn.push(...bar(id, kind, { x: left, y: STAGE.y, width: Math.max(1, right - left), height: STAGE.height }, `lx-stagebar lx-p-${kind}`));
      const earliest = piece.rows.map((one) => Date.parse(one.earliest ?? "")).reduce((a, b) => (b < a ? b : a), piece.from);
      if (earliest < piece.from) drawn.push(svg("rect", { class: "lx-maybe", x: x(earliest), y: STAGE.y + 2, width: Math.max(0, left - x(earliest)), height: STAGE.height - 4 }));
      drawn.push(...write([[...new Set(piece.rows.map((one) => stageName(one.stage)))].join(", ")], left, right, width, STAGE.y + 9, 9.5));
    }
    for (const piece of life.serving) {
      const [left, right] = [x(piece.from), x(piece.to)];
      if (right < 0 || left > width) continue;
      const states = piece.rows.map(having);
      const unread = !states.includes("serves") && states.includes("unread");
      const apart = !unread && !states.includes("serves");
      const place = { x: left, y: SERVED.y + (apart ? 4 : 0), width: Math.max(1.5, right - left), height: SERVED.height - (apart ? 8 : 0) };
      drawn.push(...bar(id, unread ? "dots" : "solid", place, apart ? "lx-apart" : `lx-part lx-c${Math.max(0, life.colour)}`));
      if (piece.rows.some((row) => row.between_syncs && Date.parse(row.since ?? "") === piece.from)) drawn.push(svg("path", { class: "lx-edge lx-between", d: `M${left.toFixed(1)},${SERVED.y - 1}v${SERVED.height + 2}` }));
      const answering = piece.rows.filter((row) => having(row) !== "apart");
      const [only] = answering;
      const places = new Set(answering.map((one) => `${one.endpoint} ${one.site}`)).size;
      const said = only === undefined || answering.length > 1 ? [places > 1 ? `${places} places` : shortEndpoint(only?.endpoint ?? "")] : [servedWhere(only), `${shortEndpoint(only.endpoint)} ${percent(only.traffic)}`.trim(), percent(only.traffic)];
      drawn.push(...(apart ? [] : write(said, left, right, width, SERVED.y + 10, 10.5)));
    }
    for (const { x: at, gates, approvals, kinds, many } of cluster(life.moments, (time) => axis.x(time), width)) {
      let left = at;
      const put = (made: SVGGElement, scale: number, wide: number): void => {
        made.setAttribute("transform", `translate(${left.toFixed(1)},${GATES}) scale(${scale})`);
        drawn.push(made);
        left += wide;
      };
      if (gates !== null) put(gate(gates, false), 0.6, WIDE);
      if (approvals !== null) put(gate(approvals, true), 0.55, WIDE);
      for (const kind of kinds) put(sign(kind), 0.9, WIDE);
      if (many > Number(gates !== null) + Number(approvals !== null)) drawn.push(svg("text", { x: left - 5, y: GATES + 4, "font-size": 9.5, class: "lx-small" }, String(many)));
    }
    strip.replaceChildren(...drawn);
  }
}

/** Words in a bar, where it has room for them. */
function write(said: readonly string[], left: number, right: number, width: number, y: number, size: number): SVGElement[] {
  const text = roomFor(said, Math.floor((Math.min(right, width) - Math.max(left, 0) - 8) / (LETTER * (size / 10.5))));
  return text === "" ? [] : [svg("text", { x: Math.max(left, 0) + 4, y, "font-size": size }, text)];
}
