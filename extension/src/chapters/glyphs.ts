/** What is drawn on a history: patterns of stages and gaps, signs of what happened, and the legend that explains them. */

import { html, svg } from "../view/dom.js";
import { inlineMark, mark, MARKS, WORST_FIRST } from "../view/marks.js";
import type { Status } from "../view/audit.js";
import type { EventKind } from "./documents.js";
import type { Moment } from "./story.js";

export type Pattern = "plain" | "dots" | "rising" | "solid" | "cross" | "gap";

const PATTERNS: Record<Exclude<Pattern, "plain" | "solid">, { size: number; path: string }> = {
  dots: { size: 5, path: "M1,1.5h1.4M3.5,4h1.4" },
  rising: { size: 6, path: "M-1,1L1,-1M0,6L6,0M5,7L7,5" },
  cross: { size: 6, path: "M0,0L6,6M6,0L0,6" },
  gap: { size: 7, path: "M-1,6L1,8M0,0L7,7M6,-1L8,1" },
};
const STAGES: { [stage: string]: Pattern } = { none: "plain", development: "plain", evaluation: "dots", staging: "rising", production: "solid", monitoring: "solid", archived: "cross", retired: "cross", deleted: "cross" };

/** How a stage is drawn; one that nobody knows has its word. */
export function pattern(stage: string): Pattern {
  const name = stage.toLowerCase();
  return Object.hasOwn(STAGES, name) ? (STAGES[name] as Pattern) : "plain";
}

/** The patterns, for shapes that name them as `url(#id-gap)`. */
export function defs(id: string): SVGSVGElement {
  const made = Object.entries(PATTERNS).map(([name, { size, path }]) => svg("pattern", { id: `${id}-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse" }, svg("path", { class: "lx-hatch", d: path })));
  return svg("svg", { class: "lx-defs", width: 0, height: 0, "aria-hidden": "true", focusable: "false" }, svg("defs", {}, ...made));
}

/** Within 7 of (0, 0), as lines. */
const SIGNS: Partial<Record<EventKind, { word: string; path: string }>> = {
  rolled_back: { word: "rolled back", path: "M5,5A5.5,5.5 0 1,0 -4,-3M-5.5,-6.5L-4.5,-2L0,-3" },
  archived: { word: "archived", path: "M-6,-5H6V-2H-6ZM-5,-2V5H5V-2M-2,1H2" },
  deleted: { word: "deleted", path: "M-5,-5L5,5M5,-5L-5,5" },
  restored: { word: "restored", path: "M-5,5A5.5,5.5 0 1,1 4,-3M5.5,-6.5L4.5,-2L0,-3" },
};

export function sign(kind: EventKind): SVGGElement {
  const path = SIGNS[kind]?.path ?? "";
  return svg("g", { class: "lx-happened" }, svg("path", { class: "lx-halo", d: path }), svg("path", { d: path }));
}

/** Pixels of a mark beside another. */
export const WIDE = 14;

export interface Cluster {
  x: number;
  /** The worst of each; null where there is none. */
  gates: Status | null;
  approvals: Status | null;
  kinds: EventKind[];
  /** Gates and approvals. */
  many: number;
}

/** Pixels from the middle of its first mark to where another can begin. */
function extent({ gates, approvals, kinds, many }: Cluster): number {
  const marks = Number(gates !== null) + Number(approvals !== null);
  return WIDE * Math.max(1, marks + kinds.length) + (many > marks ? 4 + 6 * String(many).length : 0);
}

/** Moments so near to each other that they are drawn as one. */
export function cluster(moments: readonly Moment[], x: (time: number) => number, width: number): Cluster[] {
  const found: Cluster[] = [];
  const worse = (a: Status | null, b: Status): Status => (a === null || WORST_FIRST.indexOf(b) < WORST_FIRST.indexOf(a) ? b : a);
  for (const { time, kind, status, approval } of moments) {
    const at = x(time);
    if (at < -20 || at > width + 20) continue;
    let last = found.at(-1);
    if (last === undefined || at - last.x > extent(last)) found.push((last = { x: at, gates: null, approvals: null, kinds: [], many: 0 }));
    if (kind !== "" && !last.kinds.includes(kind)) last.kinds.push(kind);
    if (status === null) continue;
    last.many++;
    if (approval) last.approvals = worse(last.approvals, status);
    else last.gates = worse(last.gates, status);
  }
  return found;
}

/** A gate's shape, in a ring where it is somebody's decision. */
export function gate(status: Status, approval: boolean): SVGGElement {
  const made = mark(status);
  if (approval) made.append(svg("circle", { r: 12, class: "lx-ring" }));
  return made;
}

/** A bar as a stage or a share is drawn. */
export function bar(id: string, kind: Pattern, box: { x: number; y: number; width: number; height: number }, tone: string): SVGElement[] {
  const made = [svg("rect", { ...box, class: tone })];
  if (kind !== "plain" && kind !== "solid") made.push(svg("rect", { ...box, fill: `url(#${id}-${kind})` }));
  return made;
}

export function legend(id: string): HTMLElement {
  const item = (drawn: SVGElement[], text: string): HTMLElement => html("li", {}, svg("svg", { class: "lx-inline lx-strip", viewBox: "0 0 30 16", width: 30, height: 16, "aria-hidden": "true" }, ...drawn), text);
  const box = { x: 0.5, y: 2.5, width: 29, height: 11 };
  const place = (drawn: SVGGElement): SVGGElement => {
    drawn.setAttribute("transform", "translate(15,8) scale(0.6)");
    return drawn;
  };
  const stage = (kind: Pattern, text: string): HTMLElement => item(bar(id, kind, box, `lx-stagebar lx-p-${kind}`), text);
  return html(
    "details",
    { class: "lx-legend lx-historylegend" },
    html("summary", {}, "How to read the drawing"),
    html(
      "ul",
      {},
      item([svg("rect", { ...box, class: "lx-part lx-c0" })], "a version’s share of the requests, as high as it is; the same colour is the same version beside it"),
      item([svg("rect", { ...box, class: "lx-part lx-others" })], "something of another name"),
      item(bar(id, "gap", box, "lx-nobody"), "nobody answers"),
      item(bar(id, "dots", box, "lx-nobody"), "before the records, or a share that was not read"),
      item([svg("path", { class: "lx-edge lx-between", d: "M15,0V16" })], "begun between two syncs"),
      stage("plain", "registered, in no stage"),
      stage("dots", "in evaluation"),
      stage("rising", "in staging"),
      stage("solid", "in production"),
      stage("cross", "archived, retired"),
      ...WORST_FIRST.filter((status) => status !== "none").map((status) => html("li", {}, inlineMark(status), `gate ${MARKS[status].word}`)),
      item([place(gate("passed", true))], "in a ring: an approval"),
      ...Object.entries(SIGNS).map(([kind, { word }]) => item([place(sign(kind as EventKind))], word)),
    ),
  );
}
