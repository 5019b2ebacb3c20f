/** The endpoint through time: who served when, and the instant that is asked about. */

import { count } from "./changes.js";
import { html, keepPlainKeys, svg } from "./dom.js";
import { clean, fit, instant, percent, shortName, words } from "./text.js";
import type { Release } from "./transport.js";

const HEIGHT = 52;
/** Colours of models, after which they come again; the words beside them tell which. */
const COLOURS = 6;
/** How wide a letter is, and the narrowest band that has words. */
const LETTER = 6.4;
const WORDY = 76;

export interface TimelineEvents {
  /** Another instant is wanted, at once or when the reader has come to rest; empty for now. */
  move(as_of: string, quiet: number): void;
  /** The shown instant beside another; empty for now. Absent, as the next, where no chapter can be opened. */
  compare?: (other: string) => void;
  /** Where could it go back to? */
  rollback?: () => void;
}

export class Timeline {
  readonly element: HTMLElement;
  private readonly strip = svg("svg", { class: "lx-strip", width: "100%", height: HEIGHT + 18, "aria-hidden": "true" });
  private readonly slider = html("input", { type: "range", min: 0, step: 1, class: "lx-range", "aria-label": "Release" });
  private readonly field = html("input", { type: "datetime-local", class: "lx-instant", step: 60, max: "9999-12-31T23:59" });
  private readonly now = html("button", { type: "button", class: "lx-button" }, "Now");
  private readonly said = html("span", { class: "lx-asking" });
  private readonly list = html("details", { class: "lx-releases", hidden: true });
  private readonly body = html("div", { class: "lx-track", hidden: true }, this.strip, this.slider);
  /** Who serves until when, and who then. */
  private readonly then = html("p", { class: "lx-then" });
  private readonly chapters = html("p", { class: "lx-actions" });
  private readonly offers: (() => void)[] = [];
  private releases: Release[] = [];
  private instant = "";
  private readonly watch: ResizeObserver;

  constructor(
    id: string,
    private readonly events: TimelineEvents,
  ) {
    const label = html("label", { for: `${id}-instant` }, "As of (UTC)");
    this.field.id = `${id}-instant`;
    this.element = html(
      "section",
      { class: "lx-time", "aria-labelledby": `${id}-time` },
      html("div", { class: "lx-timebar" }, html("h3", { id: `${id}-time` }, "Time"), label, this.field, this.now, this.said),
      this.body,
      this.then,
      this.chapters,
      this.list,
    );
    const { compare, rollback } = events;
    if (compare !== undefined) {
      const beside = (by: number): (() => void) | null => {
        const other = this.releases[this.current() + by];
        return other === undefined ? null : () => compare(within(other));
      };
      this.offer("Compare with the release before", () => beside(-1));
      this.offer("Compare with the one after", () => beside(1));
      this.offer("Compare with now", () => beside(1) && (() => compare("")));
    }
    if (rollback !== undefined) this.offer("Where could it go back to?", () => (this.current() < 0 ? null : rollback));
    this.slider.addEventListener("input", () => {
      this.describe(Number(this.slider.value));
      this.go(Number(this.slider.value), 250);
    });
    this.field.addEventListener("change", () => {
      if (this.field.value !== "") this.events.move(`${this.field.value.slice(0, 16)}:00Z`, 600);
    });
    this.now.addEventListener("click", () => this.events.move("", 0));
    // Arrow keys change the instant here; they are nobody else's.
    for (const input of [this.slider, this.field]) keepPlainKeys(input);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.strip);
  }

  destroy(): void {
    this.watch.disconnect();
  }

  /** Shows the releases; the newest is the last. */
  show(releases: Release[]): void {
    this.releases = releases;
    this.body.hidden = this.list.hidden = releases.length === 0;
    this.slider.max = String(Math.max(0, releases.length - 1));
    this.slider.style.setProperty("--lx-count", String(releases.length));
    this.list.replaceChildren(
      html("summary", {}, `All ${count(releases.length, "release")}`),
      html(
        "ol",
        {},
        ...releases.map((release, i) => {
          const button = html("button", { type: "button", class: "lx-link" }, period(release));
          button.addEventListener("click", () => this.go(i, 0));
          return html("li", {}, button, ` ${who(release)}${release.between_syncs ? BETWEEN : ""}`);
        }),
      ),
    );
    this.said.replaceChildren(...(releases.length === 0 ? ["No release of this endpoint is on record."] : []));
    this.at(this.instant);
  }

  /** The instant of the answer that is shown. */
  at(as_of: string): void {
    this.instant = as_of;
    this.field.value = as_of.slice(0, 16);
    const current = this.current();
    this.slider.value = String(Math.max(0, current));
    this.describe(current);
    this.then.textContent = this.releases.length === 0 ? "" : story(this.releases, current);
    this.chapters.hidden = this.releases.length * this.offers.length === 0;
    for (const offer of this.offers) offer();
    this.list.querySelectorAll("li").forEach((item, i) => {
      if (i === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
    this.draw();
  }

  /** A question is on its way; what is shown is still the answer to the last. */
  asking(as_of: string): void {
    this.element.setAttribute("aria-busy", "true");
    const when = as_of === "" ? "as things are now" : `as of ${instant(as_of)}`;
    this.said.replaceChildren(html("span", { class: "lx-spinner", "aria-hidden": "true" }), `Asking ${when}…`);
  }

  answered(): void {
    this.element.removeAttribute("aria-busy");
    this.said.replaceChildren();
  }

  /** What went wrong stays until something else is asked. */
  failed(text: string, retry: () => void): void {
    this.element.removeAttribute("aria-busy");
    const again = html("button", { type: "button", class: "lx-button" }, "Try again");
    again.addEventListener("click", retry);
    this.said.replaceChildren(html("span", { class: "lx-problem" }, clean(text)), again);
    this.at(this.instant);
  }

  /** A button that can be pressed where its act makes sense. */
  private offer(label: string, act: () => (() => void) | null): void {
    const button = html("button", { type: "button", class: "lx-button" }, label);
    button.addEventListener("click", () => act()?.());
    this.offers.push(() => (button.disabled = act() === null));
    this.chapters.append(button);
  }

  private go(release: number, quiet: number): void {
    const found = this.releases[release];
    if (found !== undefined) this.events.move(within(found), quiet);
  }

  /** The release that the instant lies in; -1 before the first. */
  private current(): number {
    const at = Date.parse(this.instant);
    return this.releases.reduce((last, release, i) => (release.since === null || Date.parse(release.since) <= at ? i : last), -1);
  }

  private describe(index: number): void {
    const release = this.releases[index];
    const text = release === undefined ? "before the first release" : `${index + 1} of ${this.releases.length}: ${period(release)}, ${who(release)}${release.between_syncs ? BETWEEN : ""}`;
    this.slider.setAttribute("aria-valuetext", text);
  }

  private draw(): void {
    const { releases, strip } = this;
    const number = releases.length;
    const wide = strip.clientWidth / (number || 1);
    const current = this.current();
    const models = [...new Set(releases.flatMap((release) => release.serving.map((row) => row.model ?? "")))];
    const bands = releases.map((release, i) => {
      const band = svg("svg", { x: `${(100 * i) / number}%`, width: `${100 / number}%`, height: HEIGHT + 18, class: `lx-band${i === current ? " lx-current" : ""}` });
      band.append(svg("title", {}, `${period(release)}: ${who(release)}`), svg("rect", { class: "lx-bandground", width: "100%", height: HEIGHT, x: 0, y: 0 }));
      const say = (text: string, y: number, kind = ""): void => {
        if (wide > WORDY) band.append(svg("text", { x: kind ? 1 : 7, y, "font-size": 11, class: kind }, fit(text, Math.floor((wide - 12) / LETTER))));
      };
      let top = HEIGHT;
      for (const { model, part, text } of parts(release)) {
        const height = part * (HEIGHT - 2);
        top -= height;
        band.append(svg("rect", { class: `lx-part lx-c${models.indexOf(model) % COLOURS}`, x: 1, y: top, width: "100%", height: Math.max(1, height - 1) }));
        if (height > 13) say(text, top + Math.min(height / 2, 12) + 4);
      }
      if (top === HEIGHT) say("nobody serves", HEIGHT / 2 + 4);
      band.append(svg("path", { class: release.between_syncs ? "lx-edge lx-between" : "lx-edge", d: `M0.75,0V${HEIGHT}` }));
      say(release.since?.slice(0, 10) ?? "before", HEIGHT + 13, "lx-small");
      band.addEventListener("click", () => this.go(i, 0));
      return band;
    });
    strip.replaceChildren(...bands);
    if (number > 0) {
      const x = `${(100 * (Math.max(0, current) + this.into(current))) / number}%`;
      strip.append(svg("line", { class: "lx-instantmark", x1: x, x2: x, y1: 0, y2: HEIGHT + 4 }));
    }
  }

  /** How far into its release the instant is, from 0 to 1. */
  private into(current: number): number {
    const release = this.releases[current];
    if (release === undefined) return 0.004;
    const [from, to] = [Date.parse(release.since ?? ""), release.until === null ? Date.now() : Date.parse(release.until)];
    const part = (Date.parse(this.instant) - from) / (to - from);
    return Number.isFinite(part) ? Math.min(0.985, Math.max(0.015, part)) : 0.5;
  }
}

const BETWEEN = " (began between two syncs: when exactly is not known)";

/** An instant at which the release served. */
function within(release: Release): string {
  if (release.since !== null) return release.since;
  return release.until === null ? "" : new Date(Date.parse(release.until) - 1).toISOString();
}

function period(release: Release): string {
  const from = release.since === null ? "from before the records" : instant(release.since);
  return `${from} to ${release.until === null ? "now" : instant(release.until)}`;
}

/** Who serves at the instant, until when, and what came in its place. */
function story(releases: readonly Release[], current: number): string {
  const [release, next] = [releases[current], releases[current + 1]];
  const then = next === undefined ? "now; nothing has replaced it" : `${next.between_syncs ? "at the latest " : ""}${instant(next.since)}, then ${who(next)}`;
  return release === undefined ? `Nothing is on record before ${then}` : `${who(release)} until ${then}`;
}

/** Who serves at all: what is deployed without traffic is not among them. */
function serving({ serving: rows }: Release): Release["serving"] {
  return rows.filter((row) => row.traffic !== 0 && (row.state === "serving" || row.traffic !== null));
}

const named = (model: string | null): string => (model === null ? "no model on record" : shortName(model));

function who(release: Release): string {
  const parts = serving(release).map(({ model, traffic, state, site }) => `${named(model)} ${traffic === null ? words(state) : percent(traffic)}${site ? ` at ${clean(site)}` : ""}`);
  return parts.join(", ") || "nobody serves";
}

/** Shares of the whole. Where no traffic was read, those that serve have equal parts. */
function parts(release: Release): { model: string; part: number; text: string }[] {
  const rows = serving(release);
  const whole = Math.max(100, rows.reduce((sum, row) => sum + (row.traffic ?? 0), 0));
  const unread = rows.every((row) => row.traffic === null);
  return rows.map((row) => ({
    model: row.model ?? "",
    part: unread ? 1 / rows.length : (row.traffic ?? 0) / whole,
    text: `${named(row.model)}${row.traffic === null ? "" : ` ${percent(row.traffic)}`}`,
  }));
}
