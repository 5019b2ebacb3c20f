/** Everything on record about the selected node, hop or group. */

import type { EvidenceRow, FindingRow, Hop, Json, Origin, TraceNode } from "./audit.js";
import { count } from "./changes.js";
import { html, several } from "./dom.js";
import type { Group } from "./groups.js";
import { findingMark, inlineMark, MARKS, statusOf } from "./marks.js";
import { judged, link, name, part, when, type Model } from "./model.js";
import { explained, rank, type Leads } from "./requirement.js";
import { shown } from "./shown.js";
import { brief, clean, instant, percent, words } from "./text.js";
import type { Direction } from "./transport.js";

/** Neighbours and members that are named at once. */
const MOST = 25;

/** What can be done from the details. */
export interface Actions extends Leads {
  copy(text: string, what: string): void;
  /** Copies the Python that makes this view again. */
  python(): void;
  openGroup(id: string, open: boolean): void;
  /** Absent where no store is at hand. */
  expand?: (ref: string, direction: Direction) => void;
  /** Absent where no chapter can be opened. */
  chapter?: (chapter: "impact" | "history", ref: string) => void;
}

export function details(model: Model, id: string, groups: readonly Group[], actions: Actions): HTMLElement[] {
  const node = model.nodes.get(id);
  if (node !== undefined) return nodeDetails(model, node, actions);
  const hop = model.hops.get(id);
  if (hop !== undefined) return hopDetails(model, hop, groups, actions);
  const group = groups.find((item) => item.id === id);
  return group === undefined ? [] : groupDetails(model, group, actions);
}

function nodeDetails(model: Model, node: TraceNode, actions: Actions): HTMLElement[] {
  const tag = part(node);
  const into = model.into.get(node.ref) ?? [];
  const out = model.out.get(node.ref) ?? [];
  const about = model.about.get(node.ref) ?? [];
  const agents = into.filter((hop) => hop.predicate === "was_associated_with").map((hop) => name(model, hop.cause));
  return [
    heading(brief(node.label), `${words(node.kind)}${tag === "" ? "" : ` · ${tag}`}`),
    ...(node.resolved
      ? []
      : [html("p", { class: "lx-warning" }, inlineMark("missing"), " Named by another record; no record of its own was read.")]),
    ...(node.outside === true ? [html("p", { class: "lx-warning" }, "Beside the audit: shown because it was asked for, judged by nobody.")] : []),
    ...(node.description === "" ? [] : [html("p", {}, clean(node.description))]),
    actionBar("reference", node.ref, actions),
    facts([
      ["Reference", html("code", {}, clean(node.ref))],
      ["Version", brief(node.version)],
      ["Digest", node.digest === "" ? "" : copied(node.digest, "digest", actions)],
      ["Identified by", words(node.identified_by)],
      ["Roles", node.roles.map(words).join(", ")],
      ["Fact", clean(node.fact)],
      ["Since", instant(node.since)],
      ["Who", agents.join(", ")],
    ]),
    ...expanding(model, node.ref, actions),
    ...chapters(node, actions),
    ...findings(model.audit.findings.filter((row) => row.ref === node.ref)),
    ...evidence(model, about, actions),
    ...neighbours("Comes from", model, into, "cause", actions),
    ...neighbours("Goes to", model, out, "effect", actions),
    ...attributes(node.attributes),
    ...origin(node.source, actions),
    ...raw(node.record),
  ];
}

function hopDetails(model: Model, hop: Hop, groups: readonly Group[], actions: Actions): HTMLElement[] {
  const ends = html("p", { class: "lx-ends" });
  ends.append(button(model, hop.effect, actions), ` ${link(hop)} `, button(model, hop.cause, actions));
  return [
    heading(`${words(hop.predicate)}${hop.role === "" ? "" : ` (${words(hop.role)})`}`, "hop"),
    ends,
    ...requirements(model, hop, actions),
    ...findings(model.audit.findings.filter((row) => isAbout(model, hop, row))),
    actionBar("hop", `${hop.effect} ${hop.predicate} ${hop.cause}`, actions),
    facts([
      ["Hop", hop.outside === true ? "" : hop.id],
      ["Basis of the link", words(hop.basis)],
      ["Traffic", percent(hop.traffic)],
      ["Site", clean(hop.site)],
      ["When", when(hop)],
      ["Through", clean(hop.via)],
    ]),
    ...together(model, hop, groups, actions),
    ...evidence(
      model,
      hop.requirements.flatMap((item) => item.evidence.flatMap((id) => model.evidence.get(id) ?? [])),
      actions,
    ),
    ...origin(hop.source, actions),
    ...raw(hop.record),
  ];
}

/** What the policy asks for here, with what was compared and what it rests on; what does not hold comes first. */
function requirements(model: Model, hop: Hop, leads: Leads): HTMLElement[] {
  if (!judged(model, hop)) return [html("p", { class: "lx-warning" }, "Judged by nobody.")];
  if (hop.requirements.length === 0) return [html("p", { class: "lx-quiet" }, "The policy asks for nothing on this hop.")];
  const items = [...hop.requirements].sort((a, b) => Number(b.required) - Number(a.required) || rank(a) - rank(b)).map((item) => explained(model, item, leads));
  return [html("h4", {}, "Requirements"), html("ul", { class: "lx-list" }, ...items)];
}

/** Whether a finding is about what was judged here: about the gate's subject, where there was a gate. */
function isAbout(model: Model, hop: Hop, { code, ref }: FindingRow): boolean {
  if (findingMark(code) === undefined) return false;
  return hop.requirements.some((item) => item.evidence.length > 0 || item.waiver) && (ref === hop.cause || ref === hop.effect || hop.requirements.some((item) => item.evidence.some((id) => model.evidence.get(id)?.subject === ref)));
}

function findings(rows: readonly FindingRow[]): HTMLElement[] {
  if (rows.length === 0) return [];
  const item = ({ severity, code, message }: FindingRow): HTMLElement => {
    const mark = findingMark(code) ?? (severity === "error" ? "undetermined" : undefined);
    return html("li", { class: mark === undefined ? null : `lx-t-${mark}` }, ...(mark === undefined ? [] : [inlineMark(mark)]), html("strong", {}, clean(severity)), ` ${brief(message)}`);
  };
  return [html("h4", {}, "Findings"), several(rows, MOST, item)];
}

function groupDetails(model: Model, group: Group, actions: Actions): HTMLElement[] {
  const toggle = html("button", { type: "button", class: "lx-button" }, group.open ? "Close the group" : "Open the group");
  toggle.addEventListener("click", () => actions.openGroup(group.id, !group.open));
  const gates = [...group.statuses].filter(([status, number]) => status !== "none" && number > 0);
  return [
    heading(clean(group.title), group.kind === "chain" ? "group: one after another" : "group: side by side"),
    html("p", { class: "lx-actions" }, toggle),
    ...(gates.length === 0
      ? [html("p", { class: "lx-quiet" }, "No gate in it and on its links.")]
      : [html("h4", {}, "Gates in it and on its links"), html("ul", { class: "lx-tally" }, ...gates.map(([status, number]) => html("li", {}, inlineMark(status), `${number} ${MARKS[status].word}`)))]),
    html("h4", {}, count(group.members.length, "member")),
    several(group.members, MOST, (ref) => {
      const statuses = new Set((model.out.get(ref) ?? []).map((hop) => statusOf(hop.status)).filter((status) => status !== "none"));
      const marks = [...statuses].map((status) => html("span", { class: "lx-badge" }, inlineMark(status), MARKS[status].word));
      return html("li", {}, button(model, ref, actions), " ", ...marks);
    }),
  ];
}

/** The other hops of a link that is drawn for several. */
function together(model: Model, hop: Hop, groups: readonly Group[], actions: Actions): HTMLElement[] {
  const link = shown(model, groups).links.find(({ hops }) => hops.includes(hop));
  const others = link?.hops.filter((other) => other !== hop) ?? [];
  if (others.length === 0) return [];
  const list = several(others, MOST, (other) => html("li", {}, `${name(model, other.effect)} `, hopButton(model, other, actions), ` ${name(model, other.cause)}`));
  return [html("h4", {}, `Drawn as one line with ${count(others.length, "other hop")}`), list];
}

function actionBar(what: string, text: string, actions: Actions): HTMLElement {
  const copy = html("button", { type: "button", class: "lx-button" }, `Copy ${what}`);
  copy.addEventListener("click", () => actions.copy(text, what));
  const code = html("button", { type: "button", class: "lx-button" }, "Copy as Python");
  code.addEventListener("click", () => actions.python());
  return html("p", { class: "lx-actions" }, copy, code);
}

function expanding(model: Model, ref: string, actions: Actions): HTMLElement[] {
  const { expand } = actions;
  if (expand === undefined) return [];
  const beyond = model.beyond?.get(ref);
  const buttons = (["upstream", "downstream"] as const).map((direction) => {
    const more = beyond === undefined || beyond[direction] === 0 ? "" : ` (${beyond[direction]} more)`;
    const go = html("button", { type: "button", class: "lx-button" }, `Expand ${direction}${more}`);
    go.addEventListener("click", () => expand(ref, direction));
    return go;
  });
  return [html("p", { class: "lx-actions" }, ...buttons)];
}

/** What has a history: things that come in versions and serve. */
const VERSIONED = ["model", "ai_agent", "logged_model"];

function chapters({ ref, kind }: TraceNode, { chapter }: Actions): HTMLElement[] {
  if (chapter === undefined) return [];
  const offer = (label: string, which: "impact" | "history", about: string): HTMLElement => {
    const button = html("button", { type: "button", class: "lx-button" }, label);
    button.addEventListener("click", () => chapter(which, about));
    return button;
  };
  const versions = VERSIONED.includes(kind) ? [offer("All versions", "history", ref)] : [];
  return [html("p", { class: "lx-actions" }, offer("What does it reach?", "impact", ref), ...versions)];
}

function heading(text: string, kind: string): HTMLElement {
  return html("header", {}, html("p", { class: "lx-quiet" }, kind), html("h3", { tabindex: -1 }, text));
}

function facts(rows: readonly (readonly [string, string | Node])[]): HTMLElement {
  const list = html("dl", { class: "lx-facts" });
  for (const [term, value] of rows)
    if (value !== "") list.append(html("dt", {}, term), html("dd", {}, value));
  return list;
}

/** A text with a button that copies all of it, shown in full. */
function copied(text: string, what: string, actions: Actions): HTMLElement {
  const copy = html("button", { type: "button", class: "lx-copy", "aria-label": `Copy ${what}` }, "Copy");
  copy.addEventListener("click", () => actions.copy(text, what));
  return html("span", {}, html("code", {}, clean(text)), " ", copy);
}

function evidence(model: Model, rows: readonly EvidenceRow[], actions: Actions): HTMLElement[] {
  if (rows.length === 0) return [];
  const items = [...new Set(rows)].map((row) =>
    html(
      "li",
      {},
      html("div", {}, inlineMark(statusOf(row.status)), html("strong", {}, clean(row.gate)), ` ${MARKS[statusOf(row.status)].word}, ${words(row.grade)}`),
      facts([
        ["About", name(model, row.subject)],
        ["Expected", clean(row.expected)],
        ["Found", clean(row.actual)],
        ["Said by", clean(row.evaluator)],
        ["When", instant(row.event_time)],
        ["Proof", clean(row.pointer)],
        ["Read from", row.source === null ? "" : `${clean(row.source.system)} · ${clean(row.source.position)}`],
        ["Record digest", row.source === null || row.source.digest === "" ? "" : copied(row.source.digest, "digest of the evidence's record", actions)],
      ]),
    ),
  );
  return [html("h4", {}, "Evidence"), html("ul", { class: "lx-list" }, ...items)];
}

function neighbours(title: string, model: Model, hops: readonly Hop[], end: "cause" | "effect", actions: Actions): HTMLElement[] {
  if (hops.length === 0) return [];
  const list = several(hops, MOST, (hop) => html("li", {}, button(model, hop[end], actions), " ", hopButton(model, hop, actions)));
  return [html("h4", {}, title), list];
}

function hopButton(model: Model, hop: Hop, { select }: Actions): HTMLElement {
  const gate = html("button", { type: "button", class: "lx-link" }, link(hop));
  gate.addEventListener("click", () => select(hop.id));
  const status = statusOf(hop.status);
  const known = judged(model, hop);
  const said = !known ? "not judged" : status === "none" ? "no gate" : MARKS[status].word;
  return html("span", { class: "lx-badge" }, gate, " ", ...(known ? [inlineMark(status)] : []), said);
}

function button(model: Model, ref: string, { select }: Actions): HTMLElement {
  const there = html("button", { type: "button", class: "lx-link", title: clean(ref) }, name(model, ref));
  there.addEventListener("click", () => select(ref));
  return there;
}

function attributes(values: { [key: string]: Json }): HTMLElement[] {
  const rows: [string, string][] = [];
  const walk = (prefix: string, value: Json): void => {
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      for (const [key, item] of Object.entries(value)) walk(prefix === "" ? key : `${prefix} › ${key}`, item);
    else rows.push([clean(prefix), clean(typeof value === "string" ? value : JSON.stringify(value))]);
  };
  walk("", values);
  return rows.length === 0 ? [] : [html("h4", {}, "Attributes"), facts(rows)];
}

function origin(source: Origin | null, actions: Actions): HTMLElement[] {
  if (source === null) return [html("h4", {}, "Where this comes from"), html("p", {}, "Not from a record: found while following the others.")];
  return [
    html("h4", {}, "Where this comes from"),
    facts([
      ["System", clean(source.system)],
      ["Read from", clean(source.location)],
      ["Position", clean(source.position)],
      ["Observed", instant(source.observed_at)],
      ["Recorded", instant(source.recorded_at)],
      ["Record digest", source.digest === "" ? "" : copied(source.digest, "digest of the record", actions)],
    ]),
  ];
}

function raw(record: Json): HTMLElement[] {
  if (record === null || record === undefined) return [];
  return [html("details", {}, html("summary", {}, "The record as it is stored"), html("pre", { tabindex: 0 }, keepLines(JSON.stringify(record, null, 2))))];
}

/** As `clean`, with its line breaks. */
function keepLines(text: string): string {
  return text.split("\n").map(clean).join("\n");
}
