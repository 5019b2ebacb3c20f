/** The shapes. A status has a shape, a word and a colour; a kind has a sign; a basis has a line. */

import type { Status } from "./audit.js";
import { svg } from "./dom.js";

interface Mark {
  word: string;
  /** Filled outline around (0, 0), 18 across. */
  outline: string;
  /** What is drawn on it. */
  sign: string;
}

const CIRCLE = "M-9,0a9,9 0 1,0 18,0a9,9 0 1,0 -18,0Z";

export const MARKS: Record<Status, Mark> = {
  passed: { word: "passed", outline: CIRCLE, sign: "M-4,0.5L-1,3.5L4.5,-3" },
  failed: { word: "failed", outline: "M-4,-9H4L9,-4V4L4,9H-4L-9,4V-4Z", sign: "M-3.5,-3.5L3.5,3.5M3.5,-3.5L-3.5,3.5" },
  pending: { word: "pending", outline: "M-8.5,-8.5H8.5V8.5H-8.5Z", sign: "M0,-5V0.5L3.5,2.5" },
  waived: { word: "waived", outline: "M0,-10L10,0L0,10L-10,0Z", sign: "M-4,0H4" },
  stale: { word: "stale", outline: "M-9,-5L0,-10L9,-5V5L0,10L-9,5Z", sign: "M3.5,-3A4.5,4.5 0 1,0 4.5,1M4,-6V-2.5H0.5" },
  missing: { word: "missing", outline: "M-9,-9H9L5,0L9,9H-9L-5,0Z", sign: "M0,-5V1M0,4V4.6" },
  undetermined: { word: "undetermined", outline: "M0,-10L10,8H-10Z", sign: "M0,-4V2M0,5V5.4" },
  none: { word: "no gate", outline: "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0Z", sign: "" },
};

export const WORST_FIRST: readonly Status[] = ["failed", "missing", "undetermined", "stale", "pending", "waived", "passed", "none"];

/** Whether a gate with this status stands in nobody's way. */
export function holds(status: Status): boolean {
  return status === "passed" || status === "waived" || status === "none";
}

export function statusOf(value: string): Status {
  return Object.hasOwn(MARKS, value) ? (value as Status) : "undetermined";
}

/** The shape of what a gate's finding is about; undefined for findings of other kinds. */
export function findingMark(code: string): Status | undefined {
  return FINDINGS.get(code);
}

const FINDINGS = new Map<string, Status>([
  ["failed-gate", "failed"],
  ["gate-weakened", "undetermined"],
  ["gate-changed", "undetermined"],
  ["stale-evidence", "stale"],
  ["waiver-expired", "waived"],
  ["waiver-in-force", "waived"],
]);

/** A status's shape, centred on (0, 0). */
export function mark(status: Status): SVGGElement {
  const { outline, sign } = MARKS[status];
  return svg(
    "g",
    { class: `lx-mark lx-s-${status}`, "aria-hidden": "true" },
    svg("path", { d: outline, class: "lx-outline" }),
    svg("path", { d: sign, class: "lx-sign" }),
  );
}

/** The shape in running text, to stand before its word. */
export function inlineMark(status: Status): SVGSVGElement {
  return svg(
    "svg",
    { viewBox: "-11 -11 22 22", width: 16, height: 16, class: "lx-inline", "aria-hidden": "true", focusable: "false" },
    mark(status),
  );
}

const SIGNS: Record<string, string> = {
  dataset: "M1,4C1,1 15,1 15,4V12C15,15 1,15 1,12ZM1,4C1,7 15,7 15,4M1,8C1,11 15,11 15,8",
  feature_set: "M1,2H15V14H1ZM1,6H15M6,2V14M11,2V14",
  index: "M1,3H10M1,7H7M1,11H6M14,14L11,11M12,9A3,3 0 1,1 6.1,9A3,3 0 1,1 12,9",
  run: "M3,1.5L14,8L3,14.5Z",
  model: "M8,1L15,4.5V11.5L8,15L1,11.5V4.5ZM1,4.5L8,8L15,4.5M8,8V15",
  logged_model: "M8,1L15,4.5V11.5L8,15L1,11.5V4.5Z",
  base_model: "M8,1L15,4.5V11.5L8,15L1,11.5V4.5ZM4,8H12M8,4V12",
  ai_agent: "M3,5H13V13H3ZM8,2V5M6,8.2V9.6M10,8.2V9.6M0.8,8V11M15.2,8V11",
  prompt: "M1,2H15V11H7L3,15V11H1ZM4,5H12M4,8H9",
  deployment: "M1,9H15V15H1ZM8,12H12M8,1V6M5,4L8,1L11,4",
  endpoint: "M1,8A7,7 0 1,0 15,8A7,7 0 1,0 1,8M5,8A3,3 0 1,0 11,8A3,3 0 1,0 5,8",
  code: "M5,3L1,8L5,13M11,3L15,8L11,13",
  environment: "M2,2H14V14H2ZM2,6H14",
  person: "M5,5A3,3 0 1,0 11,5A3,3 0 1,0 5,5M2,15C2,10 14,10 14,15",
};

/** A kind's sign in a 16 x 16 box. */
export function kindSign(kind: string): SVGPathElement {
  return svg("path", { d: SIGNS[kind] ?? "M2,2H14V14H2Z", class: "lx-kind" });
}

export type Strength = "strong" | "middling" | "weak";

/** How a link's basis is drawn: the ladder in three steps. */
export function strength(basis: string): Strength {
  if (["content_hash", "identifier", "name_version"].includes(basis)) return "strong";
  return ["truncated_digest", "time_order", "name"].includes(basis) ? "middling" : "weak";
}
