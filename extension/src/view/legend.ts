/** What the signs of the drawing mean. */

import type { Status } from "./audit.js";
import { html, svg } from "./dom.js";
import { inlineMark, MARKS } from "./marks.js";

const STATUSES: readonly Status[] = ["passed", "failed", "pending", "waived", "stale", "missing", "undetermined", "none"];

export function legend(): HTMLElement {
  const sample = (height: number, shape: SVGElement, text: string): HTMLElement =>
    html("li", {}, svg("svg", { viewBox: `0 0 30 ${height}`, width: 30, height, "aria-hidden": "true", focusable: "false" }, shape), text);
  const line = (kind: string, text: string): HTMLElement => sample(10, svg("path", { class: `lx-line lx-${kind}`, d: "M1,5H29" }), text);
  return html(
    "details",
    { class: "lx-legend" },
    html("summary", {}, "How to read the drawing"),
    html("p", {}, "Data flows from left to right; each mark on a line is the gate of that hop. Drag to move; Ctrl or ⌘ with the wheel zooms. All keys: ?"),
    html(
      "ul",
      {},
      ...STATUSES.map((status) => html("li", {}, inlineMark(status), MARKS[status].word)),
      line("strong", "linked by content hash, identifier or version"),
      line("middling", "linked by truncated digest, time order or name"),
      line("weak", "linked by containment, or declared by somebody"),
      sample(14, svg("rect", { class: "lx-sample-unknown", x: 1, y: 1, width: 28, height: 12, rx: 3 }), "named, but not on record"),
      sample(14, svg("rect", { class: "lx-sample-training", x: 1, y: 1, width: 6, height: 12, rx: 2 }), "training data"),
    ),
  );
}
