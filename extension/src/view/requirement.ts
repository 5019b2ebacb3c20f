/** What came of a requirement, so that a reader can check it: the comparison, the records it rests on, what would decide it. */

import type { EvidenceRow, Hop, RequirementResult } from "./audit.js";
import { html } from "./dom.js";
import { inlineMark, statusOf } from "./marks.js";
import { link, name, type Model } from "./model.js";
import { brief, clean, instant, words } from "./text.js";
import { outcomeSaid, outcomeWords } from "./wording.js";

export interface Leads {
  select(id: string): void;
  /** Shows a record of evidence where all of it is. */
  evidence(id: string): void;
}

/** What does not hold first, then what holds because somebody waived it. */
export function rank({ outcome, status }: RequirementResult): number {
  return outcome === "fails" ? 0 : outcome === "undetermined" ? 1 : status === "waived" ? 2 : 3;
}

/** `churn v4 deploys stable`: a hop by its ends. */
export function between(model: Model, hop: Hop): string {
  return `${name(model, hop.effect)} ${link(hop)} ${name(model, hop.cause)}`;
}

/** All of it, for the hop's own details. */
export function explained(model: Model, item: RequirementResult, leads: Leads): HTMLElement {
  const status = statusOf(item.status);
  const list = html("dl", { class: "lx-facts" });
  for (const [term, value] of grounds(model, item, leads)) list.append(html("dt", {}, term), html("dd", {}, ...value));
  return html(
    "li",
    { class: `lx-requirement lx-t-${status}` },
    html("div", { class: "lx-requirementhead" }, inlineMark(status), html("strong", {}, clean(item.title)), html("span", {}, item.required ? outcomeSaid(item, model.audit.question.policy) : `${item.status}, not required`)),
    html("p", { class: "lx-compared" }, brief(item.why)),
    ...(list.childElementCount === 0 ? [] : [list]),
  );
}

/** A requirement that came to the same on some hops. */
export interface Reason {
  item: RequirementResult;
  hops: Hop[];
}

/** The same in few lines, for a list of reasons; its title leads to the first of the hops. */
export function reason(model: Model, { item, hops }: Reason, leads: Leads): HTMLElement {
  const hop = hops[0] as Hop;
  const { policy } = model.audit.question;
  const said = item.outcome === "holds" ? "waived" : policy.form !== "questions" && item.outcome === "fails" ? "failed" : outcomeWords(item.outcome, policy);
  const go = html("button", { type: "button", class: "lx-link", title: between(model, hop) }, clean(item.title));
  go.addEventListener("click", () => leads.select(hop.id));
  const more = grounds(model, item, leads).map(([term, value]) => html("span", {}, html("b", {}, `${term} `), ...value));
  return html(
    "li",
    {},
    html("span", { class: "lx-reason" }, inlineMark(statusOf(item.status)), go, ` ${said}${hops.length > 1 ? ` on ${hops.length} hops` : ""}: ${brief(item.why)}`),
    ...(more.length === 0 ? [] : [html("span", { class: "lx-grounds" }, ...more)]),
  );
}

/** What stands behind an outcome, by name; nothing that the audit does not say. */
function grounds(model: Model, item: RequirementResult, leads: Leads): [string, (Node | string)[]][] {
  const { grade = "", needed = "", cites = "", policy_version: version = "", waiver } = item;
  const rows = item.evidence.flatMap((id) => model.evidence.get(id) ?? []);
  const several = (model.audit.question.policy.applied ?? []).length > 1;
  const found: [string, (Node | string)[]][] = [
    ["Needed", [brief(needed)]],
    ["Waived", waiver ? [`by ${clean(waiver.by)} until ${instant(waiver.until)}: ${clean(waiver.why)}`] : [""]],
    ["Grade", [words(grade)]],
    ["Records", rows.flatMap((row, i) => [...(i === 0 ? [] : [", "]), record(row, leads)])],
    ["Cites", [clean(cites)]],
    ["Judged by", [several && version !== "" ? `version ${clean(version)}` : ""]],
  ];
  return found.filter(([, value]) => value.length > 0 && value[0] !== "");
}

function record(row: EvidenceRow, leads: Leads): HTMLElement {
  const day = row.event_time === null ? "" : `, ${row.event_time.slice(0, 10)}`;
  const go = html("button", { type: "button", class: "lx-link", title: "Show this record in the table “Evidence”" }, `${brief(row.gate)}${day}`);
  go.addEventListener("click", () => leads.evidence(row.id));
  return go;
}
