/** What stands for what differs and for what is to be retrained: a shape, a word, and then a colour. */

import type { AskedPolicy, Status, Verdict } from "../view/audit.js";
import { html } from "../view/dom.js";
import { inlineMark } from "../view/marks.js";
import { verdictStatus, verdictWords } from "../view/wording.js";
import type { Difference, Retrain } from "./documents.js";

export type Change = Difference["change"];

export const CHANGES: Record<Change, { sign: string; word: string }> = {
  added: { sign: "+", word: "added" },
  removed: { sign: "−", word: "removed" },
  changed: { sign: "≠", word: "changed" },
};

/** A sign that is seen and a word that is read. */
export function badge(change: Change, word = CHANGES[change].word): HTMLElement {
  return html("span", { class: `lx-change lx-d-${change}` }, html("span", { class: "lx-changesign", "aria-hidden": "true" }, CHANGES[change].sign), word);
}

const RETRAIN: Record<Retrain, Status> = { yes: "stale", maybe: "undetermined", no: "none" };

/** Worst first. */
export const RETRAINS: readonly Retrain[] = ["yes", "maybe", "no"];

/** Anything else than these three words is not known, and never a no. */
export function retrainOf(value: string): Retrain {
  return value === "yes" || value === "no" ? value : "maybe";
}

export function retrainSign(value: Retrain): SVGSVGElement {
  return inlineMark(RETRAIN[value]);
}

export function retrainBadge(value: string): HTMLElement {
  const known = retrainOf(value);
  return html("span", { class: `lx-badge lx-retrain lx-r-${known}` }, retrainSign(known), known);
}

export function verdictBadge(value: Verdict | null, policy: Pick<AskedPolicy, "form">): HTMLElement {
  if (value === null) return html("span", { class: "lx-quiet" }, "not judged");
  const status = verdictStatus(value);
  return html("span", { class: `lx-verdict lx-s-${status}` }, inlineMark(status), verdictWords(value, policy));
}
