/** The windows in which something served, along one axis of time: as wide as they lasted, as high as their share. */

import { html, svg } from "../view/dom.js";
import { strength } from "../view/marks.js";
import { clean, instant, percent, shortEndpoint, shortName, words } from "../view/text.js";
import type { Exposure } from "./documents.js";
import { called } from "./page.js";
import { column, Rows, time } from "./rows.js";

const WIDTH = 1000;
const HEIGHT = 30;
/** A window that is shorter is drawn as wide as this. */
const LEAST = 5;

/** From the first beginning that is on record to the last end, or the instant that is asked about. */
export interface Axis {
  from: number;
  to: number;
  now: number;
}

/** Undefined where no time is on record. */
export function axis(exposures: readonly Exposure[], as_of: string): Axis | undefined {
  const now = Date.parse(as_of);
  let [from, to] = [now, now];
  for (const { since, until } of exposures)
    for (const text of [since, until]) {
      const at = text === null ? Number.NaN : Date.parse(text);
      if (Number.isNaN(at)) continue;
      from = Number.isNaN(from) ? at : Math.min(from, at);
      to = Number.isNaN(to) ? at : Math.max(to, at);
    }
  return to > from ? { from, to, now: Number.isNaN(now) ? to : now } : undefined;
}

/** The two ends of the axis, for the head of the column. */
export function ends({ from, to, now }: Axis): HTMLElement {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  return html("span", { class: "lx-axis" }, html("span", {}, day(from)), html("span", {}, to > now ? day(to) : `${day(now)}, as asked`));
}

function serves({ state, traffic }: Exposure): boolean {
  return state === "serving" && traffic !== null;
}

export function chart(exposures: readonly Exposure[], { from, to, now }: Axis): SVGSVGElement {
  const x = (at: number): number => (WIDTH * (at - from)) / (to - from);
  const bars = exposures.map((one) => {
    const begin = one.since === null ? 0 : x(Date.parse(one.since));
    const end = one.until === null ? x(Math.max(now, from)) : x(Date.parse(one.until));
    const left = Math.min(begin, WIDTH - LEAST);
    return { one, left, right: Math.max(end, left + LEAST), part: one.traffic === null || one.state !== "serving" ? 100 : Math.max(0, Math.min(100, one.traffic)), below: 0 };
  });
  // What served at the same time stands on top of each other.
  bars.forEach((bar, i) => {
    for (const other of bars.slice(0, i)) if (other.left < bar.right && bar.left < other.right) bar.below = Math.max(bar.below, other.below + other.part);
  });
  const most = Math.max(100, ...bars.map((bar) => bar.below + bar.part));
  const y = (part: number): number => ((HEIGHT - 2) * part) / most;
  return svg(
    "svg",
    { class: "lx-windows", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", width: "100%", height: HEIGHT, "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "lx-ground-line", d: `M0,${HEIGHT - 0.5}H${WIDTH}`, "vector-effect": "non-scaling-stroke" }),
    ...bars.map(({ one, left, right, part, below }) => {
      const height = Math.max(2, y(part));
      const bar = svg("rect", {
        class: `lx-window lx-w-${strength(one.strength)}${serves(one) ? "" : " lx-hollow"}`,
        x: left,
        y: HEIGHT - 1 - y(below) - height,
        width: right - left,
        height,
        "vector-effect": "non-scaling-stroke",
      });
      bar.append(svg("title", {}, told(one)));
      return bar;
    }),
    svg("path", { class: "lx-nowline", d: `M${Math.min(WIDTH - 1, x(now))},0V${HEIGHT}`, "vector-effect": "non-scaling-stroke" }),
  );
}

/** When, in words: what has no end lasts. */
function since(one: Pick<Exposure, "since">): string {
  return one.since === null ? "before the first record" : instant(one.since);
}

function until(one: Pick<Exposure, "until">): string {
  return one.until === null ? "still, as asked" : instant(one.until);
}

function share({ traffic }: Exposure): string {
  return traffic === null ? "not read" : percent(traffic);
}

function told(one: Exposure): string {
  return clean(`${since(one)} to ${until(one)}: ${one.version === null ? "version not on record" : shortName(one.version)}, ${words(one.state)}, traffic ${share(one)}, link by ${words(one.strength)}${one.between_syncs ? ", to the nearest sync" : ""}`);
}

/** All windows of an endpoint, one a row. */
export function windowRows(id: string, endpoint: string, exposures: readonly Exposure[]): HTMLElement {
  return new Rows<Exposure>(
    id,
    {
      caption: `The windows in which ${shortEndpoint(endpoint)} answered with what was reached`,
      none: "No window is on record.",
      columns: [
        column("Since", since, undefined, (one) => time(one.since, -Infinity)),
        column("Until", until, undefined, (one) => time(one.until)),
        column("Version", (one) => one.version ?? "not on record", (one) => [one.version === null ? "not on record" : called(one.version)]),
        column("Traffic", share, undefined, (one) => one.traffic ?? -1),
        column("State", (one) => words(one.state)),
        column("Where", (one) => [one.site, one.environment].filter((text) => text !== "").join(", ")),
        column("Deployment", (one) => one.deployment, (one) => [called(one.deployment)]),
        column("Role", (one) => one.roles.map(words).join(", ")),
        column("Strength", (one) => words(one.strength)),
        column("Dates", (one) => (one.between_syncs ? "known to the nearest sync" : "on record")),
      ],
    },
    exposures,
  ).element;
}
