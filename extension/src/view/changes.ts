/** What another answer to the same question changed, for reading and hearing. */

import type { AskedPolicy, Audit, Hop, Status, Verdict } from "./audit.js";
import type { Change } from "./change.js";
import { html, several } from "./dom.js";
import { inlineMark, MARKS, statusOf } from "./marks.js";
import { link, name, type Model } from "./model.js";
import { brief, clean, instant, words } from "./text.js";
import { verdictWords } from "./wording.js";

export interface Changes {
  before: Verdict | null;
  now: Verdict | null;
  policy: AskedPolicy;
  as_of: string;
  /** References. */
  added: readonly string[];
  removed: readonly string[];
  /** Things that came on record, or went off it. */
  recorded: string[];
  /** Hops that are in both, with what their gate was. */
  gates: { hop: Hop; was: Status }[];
  /** Whether others serve, or by other shares. */
  served: boolean;
}

/** Names of each list that are shown. */
const MOST = 8;

/** What is told of a change: `before` and `now` are the models between which it is. */
export function changes({ added, removed, changed, hops }: Change, before: Model, now: Model): Changes {
  const old = new Map([...hops].map(([was, is]) => [is, before.hops.get(was)]));
  const serving = ({ serving: rows }: Audit): string => JSON.stringify(rows.map((row) => [row.deployment, row.model, row.traffic, row.state]));
  return {
    before: before.audit.verdict,
    now: now.audit.verdict,
    as_of: now.audit.question.as_of,
    policy: now.audit.question.policy,
    added,
    removed,
    recorded: changed.filter((id) => now.nodes.has(id)),
    gates: changed.flatMap((id) => {
      const hop = now.hops.get(id);
      return hop === undefined ? [] : [{ hop, was: statusOf(old.get(id)?.status ?? "none") }];
    }),
    served: serving(before.audit) !== serving(now.audit),
  };
}

/** In one breath. */
export function summary(found: Changes): string {
  const { before, now, added, removed, recorded, gates, served } = found;
  const said = (value: Verdict | null): string => (value === null ? "not judged" : verdictWords(value, found.policy));
  const verdict = now === null ? "" : before === now ? `${said(now)}, as before` : `${said(now)}, was ${said(before)}`;
  const parts = [
    ...(added.length > 0 ? [`${count(added.length, "thing")} added`] : []),
    ...(removed.length > 0 ? [`${count(removed.length, "thing")} removed`] : []),
    ...(recorded.length > 0 ? [`${count(recorded.length, "thing")} came on record or went off it`] : []),
    ...(gates.length > 0 ? [`${count(gates.length, "gate")} changed`] : []),
    ...(served && added.length + removed.length + recorded.length + gates.length === 0 ? ["shares of traffic changed"] : []),
  ];
  const rest = parts.length === 0 ? "nothing else changed" : parts.join(", ");
  return `As of ${instant(found.as_of)}: ${[verdict, rest].filter((text) => text !== "").join("; ")}`;
}

/** A line that says it, and under it, when it is opened, a list with a button for what is still there. */
export function changeList(found: Changes, old: Model, model: Model, select: (id: string) => void): HTMLElement {
  const go = (id: string, text: string): HTMLElement => {
    const button = html("button", { type: "button", class: "lx-link", title: clean(id) }, text);
    button.addEventListener("click", () => select(id));
    return button;
  };
  const kind = (of: Model, ref: string): string => `${words(of.nodes.get(ref)?.kind ?? "")} `;
  const part = <T>(title: string, all: readonly T[], item: (one: T) => (Node | string)[]): HTMLElement[] =>
    all.length === 0 ? [] : [html("div", {}, html("h4", {}, title), several(all, MOST, (one) => html("li", {}, ...item(one))))];
  const lists = [
    ...part("Gates", found.gates, ({ hop, was }) => {
      const said = `${MARKS[statusOf(hop.status)].word}, was ${MARKS[was].word}: `;
      return [inlineMark(statusOf(hop.status)), said, go(hop.id, `${name(model, hop.effect)} ${link(hop)} ${name(model, hop.cause)}`)];
    }),
    ...part("On record, or off it", found.recorded, (ref) => [kind(model, ref), go(ref, name(model, ref)), model.nodes.get(ref)?.resolved === true ? ": on record" : ": not on record"]),
    ...part("Added", found.added, (ref) => [kind(model, ref), go(ref, name(model, ref))]),
    ...part("Removed", found.removed, (ref) => [kind(old, ref), html("span", { title: clean(ref) }, brief(old.nodes.get(ref)?.label ?? ref))]),
  ];
  const title = [html("h3", {}, "What changed"), html("span", { class: "lx-said" }, `${summary(found)}.`)];
  if (lists.length === 0) return html("div", { class: "lx-changes" }, html("p", { class: "lx-changeline" }, ...title));
  return html("details", { class: "lx-changes" }, html("summary", { class: "lx-changeline" }, ...title), html("div", { class: "lx-columns" }, ...lists));
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
