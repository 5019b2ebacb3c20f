/** Metrics by version: a chart for each metric, with what gates asked of it. */

import { html, svg } from "../view/dom.js";
import { Popover } from "../view/popover.js";
import { clean, fit } from "../view/text.js";
import { Cursor } from "./cursor.js";
import type { Kept } from "./filters.js";
import { count } from "./page.js";
import { having, type Life, type Story } from "./story.js";
import { number, own } from "./version.js";

/** Metrics that are charted from the start. */
const FIRST = 4;
const HEIGHT = 150;
const PAD = { left: 52, right: 14, top: 12, bottom: 24 };
/** Lines of thresholds; more would hide what they are about. */
const LINES = 3;

export interface Threshold {
  sign: string;
  value: number;
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;

/** What gates asked of a metric: `auc >= 0.80`, or `>= 0.80` of a gate that has its name. */
export function thresholds(lives: readonly Life[], metric: string): Threshold[] {
  const found = new Map<string, Threshold>();
  const condition = new RegExp(String.raw`^(.*?)\s*(>=|<=|≥|≤|>|<)\s*(${NUMBER})\s*$`, "iu");
  for (const { row } of lives)
    for (const gate of row.gates) {
      const [, left = "", sign = "", value = ""] = condition.exec(gate.expected.trim()) ?? [];
      if (sign === "" || (left.trim() || gate.gate) !== metric) continue;
      const shown = { sign: sign.replace(">=", "≥").replace("<=", "≤"), value: Number(value) };
      found.set(`${shown.sign}${shown.value}`, shown);
    }
  return [...found.values()];
}

/** Metrics, those of most versions first. */
export function metricNames(lives: readonly Life[]): { name: string; many: number }[] {
  const counts = new Map<string, number>();
  for (const { row } of lives) for (const [name, value] of Object.entries(row.metrics)) if (Number.isFinite(value)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, many]) => ({ name, many })).sort((a, b) => b.many - a.many || (a.name < b.name ? -1 : 1));
}

export class Metrics {
  readonly element = html("div", { class: "lx-metrics" });
  readonly chosen: Set<string>;
  private readonly charts = html("div", { class: "lx-charts" });
  private readonly watch: ResizeObserver;
  private readonly names: readonly { name: string; many: number }[];
  private drawn: Chart[] = [];
  private kept!: Kept;
  private selected = "";

  constructor(
    private readonly id: string,
    story: Story,
    private readonly select: (ref: string) => void,
    private readonly changed: () => void,
  ) {
    this.names = metricNames(story.lives);
    this.chosen = new Set(this.names.slice(0, FIRST).map(({ name }) => name));
    const popover = new Popover(`${id}-metrics`, "Metrics", () => [this.choices()]);
    const signs = html(
      "span",
      { class: "lx-quiet lx-chartsigns" },
      svg("svg", { class: "lx-inline", viewBox: "-8 -8 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { class: "lx-point", d: dot(0, 0) })),
      "a version",
      svg("svg", { class: "lx-inline", viewBox: "-8 -8 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { class: "lx-point lx-servedpoint", d: diamond(0, 0) })),
      "a version that served",
    );
    const bar = html("div", { class: "lx-bar" }, popover.element, signs);
    this.element.append(...(this.names.length === 0 ? [html("p", { class: "lx-quiet lx-nolane" }, "No metric is on record.")] : [bar, this.charts]));
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.charts);
  }

  destroy(): void {
    this.watch.disconnect();
  }

  show(kept: Kept): void {
    this.kept = kept;
    this.draw();
  }

  mark(selected: string): void {
    this.selected = selected;
    for (const chart of this.drawn) chart.mark(selected);
  }

  /** When it comes into the page, and when that changes. */
  resize(): void {
    for (const chart of this.drawn) chart.resize();
  }

  private draw(): void {
    const names = this.names.filter(({ name }) => this.chosen.has(name));
    this.drawn = names.map(({ name }, i) => new Chart(`${this.id}-chart${i}`, name, this.kept.lives, this.select));
    this.charts.replaceChildren(...(names.length === 0 ? [html("p", { class: "lx-quiet" }, "No metric is chosen.")] : this.drawn.map((chart) => chart.element)));
    for (const chart of this.drawn) chart.mark(this.selected);
    this.resize();
  }

  private choices(): HTMLElement {
    const list = html("fieldset", { class: "lx-metricchoices" }, html("legend", { class: "lx-unseen" }, "Metrics that are charted"));
    for (const { name, many } of this.names) {
      const input = html("input", { type: "checkbox", checked: this.chosen.has(name) });
      input.addEventListener("change", () => {
        if (input.checked) this.chosen.add(name);
        else this.chosen.delete(name);
        this.draw();
        this.changed();
      });
      list.append(html("label", { class: "lx-choice" }, input, clean(name), html("span", { class: "lx-count" }, count(many, "version"))));
    }
    return list;
  }
}

class Chart {
  readonly element: HTMLElement;
  private readonly picture = svg("svg", { class: "lx-strip", height: HEIGHT, width: "100%", "aria-hidden": "true" });
  private readonly list = html("div", { class: "lx-chart", tabindex: 0 });
  private readonly said = html("p", { class: "lx-quiet lx-chartsaid", "aria-hidden": "true" }, "\u00A0");
  private readonly cursor: Cursor;
  /** Versions that have it, and where they stand among all that are shown. */
  private readonly points: { life: Life; at: number; value: number; served: boolean }[];
  private readonly asked: Threshold[];
  private width = 520;
  private selected = "";

  constructor(
    id: string,
    private readonly name: string,
    private readonly lives: readonly Life[],
    select: (ref: string) => void,
  ) {
    this.points = lives.flatMap((life, at) => {
      const value = own(life.row.metrics, name);
      return value === undefined || !Number.isFinite(value) ? [] : [{ life, at, value, served: life.row.serving.some((row) => having(row) === "serves") }];
    });
    this.asked = thresholds(lives, name);
    const limits = this.asked.map(({ sign, value }) => `${sign} ${number(value)}`).join(", ");
    this.list.setAttribute("aria-label", `${clean(name)} by version: ${count(this.points.length, "point")}${limits === "" ? "" : `; gates ask for ${limits}`}`);
    this.list.append(this.picture);
    this.element = html("figure", { class: "lx-figure" }, html("figcaption", {}, html("b", {}, clean(name)), ...(limits === "" ? [] : [html("span", { class: "lx-quiet" }, ` gates ask for ${limits}`)])), this.list, this.said);
    this.cursor = new Cursor(id, this.list, {
      count: () => this.points.length,
      describe: (at) => this.describe(at),
      box: (at) => ({ left: this.x(this.points[at]?.at ?? 0) - 8, width: 16 }),
      choose: (at) => select(this.points[at]?.life.row.ref ?? ""),
      reach: (at) => (this.said.textContent = this.describe(at)),
    });
    this.list.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !this.cursor.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    const near = (event: MouseEvent): number => {
      const x = event.clientX - this.list.getBoundingClientRect().left;
      return this.points.reduce((best, point, i) => (Math.abs(this.x(point.at) - x) < Math.abs(this.x(this.points[best]?.at ?? 0) - x) ? i : best), 0);
    };
    this.list.addEventListener("pointermove", (event) => void (this.points.length > 0 && (this.said.textContent = this.describe(near(event)))));
    this.list.addEventListener("click", (event) => {
      if (this.points.length === 0) return;
      this.cursor.go(near(event));
      select(this.points[this.cursor.at]?.life.row.ref ?? "");
    });
    this.draw();
  }

  mark(selected: string): void {
    this.selected = selected;
    const at = this.points.findIndex(({ life }) => life.row.ref === selected);
    if (at >= 0) this.cursor.at = at;
    this.draw();
  }

  resize(): void {
    const width = this.list.clientWidth;
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.draw();
  }

  private describe(at: number): string {
    const point = this.points[at];
    if (point === undefined) return "\u00A0";
    const missed = this.asked.filter(({ sign, value }) => !({ "≥": point.value >= value, "≤": point.value <= value, ">": point.value > value, "<": point.value < value }[sign] ?? true));
    return `${point.life.label}: ${clean(this.name)} ${number(point.value)}${point.served ? ", served" : ""}${missed.map(({ sign, value }) => `, not ${sign} ${number(value)}`).join("")}`;
  }

  private x(at: number): number {
    const room = this.width - PAD.left - PAD.right;
    return this.lives.length < 2 ? PAD.left + room / 2 : PAD.left + (room * at) / (this.lives.length - 1);
  }

  private draw(): void {
    const { points, asked, width } = this;
    const values = [...points.map(({ value }) => value), ...asked.slice(0, LINES).map(({ value }) => value)];
    const [low, high] = values.length === 0 ? [0, 1] : values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    const grid = scale(low, high);
    const [bottom, top] = [grid[0] ?? 0, grid.at(-1) ?? 1];
    const y = (value: number): number => HEIGHT - PAD.bottom - ((value - bottom) / (top - bottom || 1)) * (HEIGHT - PAD.top - PAD.bottom);
    const lines = points.map(({ at, value }, i) => `${points[i - 1]?.at === at - 1 ? "L" : "M"}${this.x(at).toFixed(1)},${y(value).toFixed(1)}`);
    const drawn: SVGElement[] = [];
    for (const value of grid) drawn.push(svg("path", { class: "lx-floor", d: `M${PAD.left},${y(value).toFixed(1)}H${width - PAD.right}` }), svg("text", { x: PAD.left - 6, y: y(value) + 4, "text-anchor": "end", "font-size": 10.5, class: "lx-small" }, number(value)));
    const every = Math.max(1, Math.ceil(this.lives.length / Math.max(2, Math.floor((width - PAD.left) / 70))));
    this.lives.forEach((life, at) => {
      if (at % every === 0) drawn.push(svg("text", { x: this.x(at), y: HEIGHT - 7, "text-anchor": "middle", "font-size": 10.5, class: "lx-small" }, fit(life.label, 10)));
    });
    for (const { sign, value } of asked.slice(0, LINES)) drawn.push(svg("path", { class: "lx-threshold", d: `M${PAD.left},${y(value).toFixed(1)}H${width - PAD.right}` }), svg("text", { x: width - PAD.right, y: y(value) - 3, "text-anchor": "end", "font-size": 10.5 }, `${sign} ${number(value)}`));
    const chosen = points.find(({ life }) => life.row.ref === this.selected);
    if (chosen !== undefined) drawn.push(svg("path", { class: "lx-chosenline", d: `M${this.x(chosen.at).toFixed(1)},${PAD.top}V${HEIGHT - PAD.bottom}` }));
    drawn.push(
      svg("path", { class: "lx-curve", d: lines.join("") }),
      svg("path", { class: "lx-point", d: points.map((point) => (point.served ? "" : dot(this.x(point.at), y(point.value)))).join("") }),
      svg("path", { class: "lx-point lx-servedpoint", d: points.map((point) => (point.served ? diamond(this.x(point.at), y(point.value)) : "")).join("") }),
    );
    this.picture.replaceChildren(...drawn);
    this.cursor.place(points.findIndex(({ life }) => life.row.ref === this.selected));
  }
}

function dot(x: number, y: number): string {
  return `M${(x - 2.5).toFixed(1)},${y.toFixed(1)}a2.5,2.5 0 1,0 5,0a2.5,2.5 0 1,0 -5,0z`;
}

function diamond(x: number, y: number): string {
  return `M${x.toFixed(1)},${(y - 5).toFixed(1)}l5,5l-5,5l-5,-5z`;
}

/** Round numbers from below to above, three to six of them. */
export function scale(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const rough = 10 ** Math.floor(Math.log10(span / 3));
  const step = [1, 2, 5, 10].map((by) => by * rough).find((by) => span / by <= 4) ?? rough * 10;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  if (!Number.isFinite(first) || !Number.isFinite(last) || last - first > 20) return [low, high];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
