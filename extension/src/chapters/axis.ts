/** A stretch of time and the pixels that it is drawn on, in UTC. Zooming and moving change the window, never the whole. */

export interface Tick {
  x: number;
  label: string;
  /** The day, month or year that the label lies in; empty where it is the same as the tick's before. */
  context: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The narrowest window. */
const LEAST = 10 * SECOND;
/** Pixels that a label and the room beside it take. */
const ROOM = 76;
/** What stands beside the first and the last instant. */
const MARGIN = 0.015;

const STEPS = [SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
/** Months between ticks. */
const MONTHS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000, 60000];
const MONTH = 30.44 * DAY;

/** Cut from the end: years may have more than four digits. */
const NAMES: Record<"year" | "month" | "day" | "minute" | "second", (text: string) => Pick<Tick, "label" | "context">> = {
  year: (text) => ({ label: text.slice(0, -20), context: "" }),
  month: (text) => ({ label: text.slice(0, -17), context: "" }),
  day: (text) => ({ label: text.slice(-19, -14), context: text.slice(0, -20) }),
  minute: (text) => ({ label: text.slice(-13, -8), context: text.slice(0, -14) }),
  second: (text) => ({ label: text.slice(-13, -5), context: text.slice(0, -14) }),
};

/** What texts were read as: one thing ends when the next begins, so that most instants are asked for several times. */
const read = new Map<string, number | null>();
const MOST = 50_000;

/** Milliseconds of a text; null where there is none, or where it is no instant. */
export function timeOf(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  const known = read.get(text);
  if (known !== undefined) return known;
  if (read.size >= MOST) read.clear();
  const at = Date.parse(text);
  const found = Number.isFinite(at) ? at : null;
  read.set(text, found);
  return found;
}

export class Axis {
  /** The whole that there is to see. */
  readonly first: number;
  readonly last: number;
  /** What of it is seen. */
  from: number;
  to: number;
  width = 1000;

  constructor(first: number, last: number) {
    const margin = Math.max((last - first) * MARGIN, LEAST / 2);
    this.first = this.from = first - margin;
    this.last = this.to = last + margin;
  }

  x(time: number): number {
    return ((time - this.from) / (this.to - this.from)) * this.width;
  }

  time(x: number): number {
    return this.from + (x / this.width) * (this.to - this.from);
  }

  /** Makes what is about a place larger or smaller; more than all of it there is not. */
  zoom(by: number, about = this.width / 2): void {
    const fixed = this.time(about);
    const part = about / this.width;
    const span = Math.min(this.last - this.first, Math.max(LEAST, (this.to - this.from) / by));
    this.put(fixed - part * span, span);
  }

  /** Moves by pixels: later for more than none. */
  pan(pixels: number): void {
    const span = this.to - this.from;
    this.put(this.from + (pixels / this.width) * span, span);
  }

  fit(): void {
    this.put(this.first, this.last - this.first);
  }

  /** Moves only if needed, so that an instant is in sight. */
  reveal(time: number): void {
    const span = this.to - this.from;
    if (time < this.from || time > this.to) this.put(time - span / 2, span);
  }

  private put(from: number, span: number): void {
    this.from = Math.max(this.first, Math.min(this.last - span, from));
    this.to = this.from + span;
  }

  ticks(): Tick[] {
    const { from, to, width } = this;
    const least = ((to - from) / Math.max(1, width)) * ROOM;
    const step = STEPS.find((one) => one >= least);
    const times = step === undefined ? this.months(MONTHS.find((one) => one * MONTH >= least) ?? 120000) : this.even(step);
    const name = step === undefined ? (least > 6 * MONTH ? "year" : "month") : step >= DAY ? "day" : step >= MINUTE ? "minute" : "second";
    let before = "";
    return times.map((time) => {
      const { label, context } = NAMES[name](iso(time));
      const tick = { x: this.x(time), label, context: context === before ? "" : context };
      before = context;
      return tick;
    });
  }

  private even(step: number): number[] {
    const found: number[] = [];
    for (let time = Math.ceil(this.from / step) * step; time <= this.to; time += step) found.push(time);
    return found;
  }

  private months(step: number): number[] {
    const begin = new Date(this.from);
    const found: number[] = [];
    let month = Math.floor((begin.getUTCFullYear() * 12 + begin.getUTCMonth()) / step) * step;
    for (; found.length < 200; month += step) {
      const time = Date.UTC(2000, month - 24000);
      if (!(time <= this.to)) break;
      if (time >= this.from) found.push(time);
    }
    return found;
  }
}

/** As RFC 3339 has it; what no calendar has, has no name. */
function iso(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "0000-00-00T00:00:00.000Z" : date.toISOString();
}
