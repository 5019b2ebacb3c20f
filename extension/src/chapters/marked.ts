/** A trace as it is drawn beside another: what differs has a badge, what is alike is dimmed. */

import { CHANGES, type Change } from "./badges.js";
import type { Audit } from "../view/audit.js";
import { svg } from "../view/dom.js";
import { NODE_WIDTH } from "../view/layout.js";
import { index, type Model } from "../view/model.js";

/** How a letter is wide in a badge, as a part of its size. */
const LETTER = 0.58;

export interface Marked {
  model: Model;
  /** What differs, by its reference. */
  marks: ReadonlyMap<string, Change>;
  /** What stays bright: what differs; null where nothing does, so that nothing is dimmed. */
  lit: Set<string> | null;
}

/** What is only on this side, in words. */
export function onlyWord(side: "A" | "B", change: Change): string {
  return change === "changed" ? "changed" : `only in ${side}`;
}

/** `only` is added or removed: what a thing is that stands on this side alone. */
export function marked(audit: Audit, side: "A" | "B", only: Exclude<Change, "changed">, alone: readonly string[], changed: readonly string[]): Marked {
  const marks = new Map<string, Change>([...changed.map((ref) => [ref, "changed"] as const), ...alone.map((ref) => [ref, only] as const)]);
  const dress = (element: SVGGElement, refs: readonly string[], full: boolean, scale: number): void => {
    const found = refs.filter((ref) => marks.has(ref));
    if (found.length === 0) return;
    const kinds = new Set(found.map((ref) => marks.get(ref)));
    const change: Change = kinds.size === 1 ? (marks.get(found[0] ?? "") ?? "changed") : "changed";
    const word = refs.length > 1 ? `${found.length} of ${refs.length} differ` : onlyWord(side, change);
    element.setAttribute("aria-label", `${element.getAttribute("aria-label") ?? ""}, ${word}`);
    const size = full ? 11 : Math.min(26, 10 / scale);
    const text = full ? `${CHANGES[change].sign} ${word}` : CHANGES[change].sign;
    const width = size * (LETTER * text.length + 1);
    const height = size * 1.5;
    element.append(
      svg(
        "g",
        { class: `lx-diffbadge lx-d-${change}`, "aria-hidden": "true", transform: `translate(${NODE_WIDTH - width - 6} ${-height * 0.6})` },
        svg("rect", { width, height, rx: change === "changed" ? 2 : height / 2 }),
        svg("text", { x: width / 2, y: size * 1.12, "font-size": size, "text-anchor": "middle" }, text),
      ),
    );
  };
  return { model: { ...index(audit), dress }, marks, lit: marks.size === 0 ? null : new Set(marks.keys()) };
}
