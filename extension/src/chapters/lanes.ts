/** Who served, as bands over one time axis: a lane for each endpoint and site, or for each environment. */

import { html, svg } from "../view/dom.js";
import { mark } from "../view/marks.js";
import { clean } from "../view/text.js";
import type { Axis } from "./axis.js";
import { Cursor } from "./cursor.js";
import type { Kept } from "./filters.js";
import { period, roomFor, type Lane, type Span, type Story } from "./story.js";

/** Pixels of a lane, and of the bands in it. */
const LANE = 50;
const HEIGHT = 40;
const TOP = 5;
const LETTER = 6.2;

export const NOBODY = "nobody answers";
export const UNKNOWN = "before the first record";

/** Who serves in a span, in words. */
export function who(span: Span): string {
  if (span.row.kind === "unknown" && span.parts.length === 0) return UNKNOWN;
  return span.parts.length === 0 ? NOBODY : span.parts.map((part) => part.label).join(", ");
}

export function describe(span: Span): string {
  const between = span.row.between_syncs ? " (begun between two syncs: when exactly is not known)" : "";
  const notes = [...new Set(span.row.findings.map((row) => row.message))];
  return `${period(span.row)}${between}: ${who(span)}${notes.length === 0 ? "" : `. ${notes.map(clean).join(". ")}`}`;
}

interface Drawn {
  lane: Lane;
  row: HTMLElement;
  track: HTMLElement;
  strip: SVGSVGElement;
  cursor: Cursor;
}

export class Lanes {
  readonly element = html("div", { class: "lx-lanebox", role: "group", "aria-label": "Who served" });
  private drawn: Drawn[] = [];
  private kept!: Kept;
  private selected = "";
  private active = 0;

  constructor(
    private readonly id: string,
    private readonly story: Story,
    private readonly axis: Axis,
    private readonly select: (id: string) => void,
    private readonly redraw: () => void,
  ) {}

  /** The lanes that are wanted. */
  show(kept: Kept, environments: boolean): void {
    this.kept = kept;
    const lanes = (environments ? this.story.environments : this.story.lanes).filter((lane) => kept.lane(lane));
    this.drawn = lanes.map((lane, i) => this.row(lane, i));
    this.active = Math.max(0, Math.min(this.active, lanes.length - 1));
    const none = this.story.lanes.length === 0 ? "No endpoint that it served is on record." : "No endpoint matches the filters.";
    this.element.replaceChildren(...(lanes.length === 0 ? [html("p", { class: "lx-quiet lx-nolane" }, none)] : this.drawn.map(({ row }) => row)));
    for (const { cursor } of this.drawn) cursor.place();
    this.rove();
  }

  draw(): void {
    for (const drawn of this.drawn) {
      this.strip(drawn);
      drawn.cursor.move();
    }
  }

  mark(selected: string): void {
    this.selected = selected;
    const span = this.story.span(selected);
    for (const drawn of this.drawn) if (span !== undefined && drawn.lane === span.lane) drawn.cursor.at = span.at;
    for (const drawn of this.drawn) drawn.cursor.place(this.chosen(drawn));
    this.draw();
  }

  /** The span at a place of the window; by its band where there are several lanes. */
  at(target: EventTarget | null, x: number): Span | undefined {
    const drawn = this.drawn.find(({ track }) => target instanceof Node && track.contains(target));
    return drawn?.lane.spans[at(drawn.lane.spans, this.axis.time(x))];
  }

  key(event: KeyboardEvent): boolean {
    const drawn = this.drawn[this.active];
    if (drawn === undefined || !(event.target instanceof Node) || !drawn.track.contains(event.target)) return false;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return drawn.cursor.key(event);
    const next = this.drawn[this.active + step];
    if (next === undefined) return true;
    this.active += step;
    this.rove();
    // Beside where the reader was.
    const span = drawn.lane.spans[drawn.cursor.at];
    if (span !== undefined) next.cursor.at = Math.max(0, at(next.lane.spans, Math.max(span.from, this.axis.first)));
    next.track.focus();
    return true;
  }

  private rove(): void {
    this.drawn.forEach(({ track }, i) => (track.tabIndex = i === this.active ? 0 : -1));
  }

  private chosen({ lane }: Drawn): number {
    return lane.spans.findIndex((span) => span.id === this.selected);
  }

  private row(lane: Lane, number: number): Drawn {
    const strip = svg("svg", { class: "lx-strip", height: LANE, "aria-hidden": "true" });
    const name = [lane.title, lane.place].filter((text) => text !== "").join(", ");
    const track = html("div", { class: "lx-lanetrack", "aria-label": `${name}: ${lane.spans.length} span${lane.spans.length === 1 ? "" : "s"}` }, strip);
    const label = html("div", { class: "lx-lanename", title: name, "aria-hidden": "true" }, html("b", {}, lane.title), html("span", { class: "lx-quiet" }, lane.place));
    const cursor = new Cursor(`${this.id}-lane${number}`, track, {
      count: () => lane.spans.length,
      describe: (at) => `${describe(lane.spans[at] as Span)}${this.selected === lane.spans[at]?.id ? ", selected" : ""}`,
      box: (at) => this.box(lane.spans[at] as Span),
      choose: (at) => this.select(lane.spans[at]?.id ?? ""),
      reach: (at) => {
        const span = lane.spans[at] as Span;
        const begin = Math.max(span.from, this.axis.first);
        if (Math.min(span.to, this.story.end) >= this.axis.from && begin <= this.axis.to) return;
        this.axis.reveal(begin);
        this.redraw();
      },
    });
    track.addEventListener("focus", () => {
      this.active = this.drawn.findIndex((other) => other.track === track);
      this.rove();
    });
    return { lane, row: html("div", { class: "lx-lane" }, label, track), track, strip, cursor };
  }

  private box({ from, to }: Span): { left: number; width: number } {
    const left = Math.max(0, this.axis.x(from));
    return { left, width: Math.max(4, Math.min(this.axis.width, this.axis.x(Math.min(to, this.story.end))) - left) };
  }

  /** A path for all bands of a kind, so that thousands are a few elements; words where there is room. */
  private strip({ lane, strip }: Drawn): void {
    const { axis, story, kept } = this;
    const paths = new Map<string, string[]>();
    const add = (kind: string, path: string): void => void (paths.get(kind)?.push(path) ?? paths.set(kind, [path]));
    const texts: SVGElement[] = [];
    const { spans } = lane;
    let drawnTo = -Infinity;
    for (let i = Math.max(0, at(spans, axis.from)); i < spans.length; i++) {
      const span = spans[i] as Span;
      const left = Math.max(-9, axis.x(span.from));
      if (left > axis.width) break;
      const right = Math.min(axis.width + 9, axis.x(Math.min(span.to, story.end)));
      const width = Math.max(0.6, right - left);
      // Of several within a part of a pixel one is seen.
      if (right < drawnTo + 0.5) continue;
      drawnTo = right;
      const outlined = width > 4 ? "lx-part " : "";
      const room = Math.floor((Math.min(right, axis.width) - Math.max(left, 0) - 12) / LETTER);
      const write = (y: number, said: readonly string[], tone = ""): void => {
        const text = roomFor(said, room);
        if (text !== "") texts.push(svg("text", { x: Math.max(left, 0) + 6, y, "font-size": 11, class: tone }, text));
      };
      const wordy = room > 1;
      if (span.parts.length === 0) {
        const unknown = span.row.kind === "unknown";
        add(unknown ? "url dots" : "url gap", box(left, TOP, width, HEIGHT));
        if (wordy) write(TOP + HEIGHT / 2 + 4, unknown ? [UNKNOWN, "no record"] : [NOBODY, "nobody"], "lx-onhatch");
      }
      let top = TOP + HEIGHT;
      for (const part of span.parts) {
        const height = part.part * HEIGHT;
        top -= height;
        const own = part.life !== null && (kept.refs.has(part.life.row.ref) || !kept.chosen);
        add(`${outlined}${part.life === null ? "lx-others" : own ? `lx-c${part.life.colour}` : "lx-leftout"}`, box(left, top, width, Math.max(1, height - 0.5)));
        if (part.unread) add("url dots", box(left, top, width, Math.max(1, height)));
        if (wordy && height > 12 && (own || part.life === null)) write(top + Math.min(height / 2, 20) + 4, [part.label, part.name], part.unread ? "lx-onhatch" : "");
      }
      if (width > 4 && span.from !== -Infinity) add(span.row.between_syncs ? "lx-edge lx-between" : "lx-edge", `M${left.toFixed(1)},${TOP}v${HEIGHT}`);
      if (span.row.findings.length > 0 && width > 15) {
        const found = mark("undetermined");
        found.setAttribute("transform", `translate(${(Math.min(right, axis.width) - 9).toFixed(1)},${TOP + 9}) scale(0.5)`);
        texts.push(found);
      }
    }
    const chosen = spans[this.chosen({ lane } as Drawn)];
    const order = [...paths].sort(([a], [b]) => Number(a.startsWith("url")) - Number(b.startsWith("url")) || Number(a.startsWith("lx-edge")) - Number(b.startsWith("lx-edge")));
    strip.setAttribute("width", String(axis.width));
    strip.replaceChildren(
      svg("path", { class: "lx-floor", d: `M0,${TOP + HEIGHT + 0.5}H${axis.width}` }),
      ...order.map(([kind, all]) => (kind.startsWith("url") ? svg("path", { fill: `url(#${this.id}-${kind.slice(4)})`, d: all.join("") }) : svg("path", { class: kind, d: all.join("") }))),
      ...texts,
    );
    if (chosen !== undefined) {
      const { left, width } = this.box(chosen);
      strip.append(svg("rect", { class: "lx-lanechosen", x: left, y: TOP - 2, width, height: HEIGHT + 4 }));
    }
  }
}

/** Tenths of a pixel are enough. */
const tenth = (value: number): number => Math.round(value * 10) / 10;

const box = (x: number, y: number, width: number, height: number): string => `M${tenth(x)},${tenth(y)}h${tenth(width)}v${tenth(height)}h${-tenth(width)}z`;

/** The span that an instant lies in; they follow one another. -1 before the first. */
function at(spans: readonly Span[], time: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).from <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
