/** Everything on record about the selected node or hop. */

import type { EvidenceRow, Hop, Json, Origin, TraceNode } from "./audit.js";
import { html } from "./dom.js";
import { inlineMark, MARKS, statusOf } from "./marks.js";
import { link, name, part, when, type Model } from "./model.js";
import { brief, clean, instant, words } from "./text.js";

type Select = (id: string) => void;

export function details(model: Model, id: string, select: Select): HTMLElement[] {
  const node = model.nodes.get(id);
  if (node !== undefined) return nodeDetails(model, node, select);
  const hop = model.hops.get(id);
  return hop === undefined ? [] : hopDetails(model, hop, select);
}

function nodeDetails(model: Model, node: TraceNode, select: Select): HTMLElement[] {
  const tag = part(node);
  const into = model.into.get(node.ref) ?? [];
  const out = model.out.get(node.ref) ?? [];
  return [
    heading(brief(node.label), `${words(node.kind)}${tag === "" ? "" : ` · ${tag}`}`),
    ...(node.resolved
      ? []
      : [html("p", { class: "lx-warning" }, inlineMark("missing"), " Named by another record; no record of its own was read.")]),
    ...(node.description === "" ? [] : [html("p", {}, clean(node.description))]),
    facts([
      ["Reference", copied(node.ref)],
      ["Version", clean(node.version)],
      ["Digest", node.digest === "" ? "" : copied(node.digest)],
      ["Identified by", words(node.identified_by)],
      ["Roles", node.roles.map(words).join(", ")],
      ["Fact", clean(node.fact)],
      ["Since", instant(node.since)],
    ]),
    ...evidence(model, model.about.get(node.ref) ?? []),
    ...neighbours("Comes from", model, into, "cause", select),
    ...neighbours("Goes to", model, out, "effect", select),
    ...attributes(node.attributes),
    ...origin(node.source),
    ...raw(node.record),
  ];
}

function hopDetails(model: Model, hop: Hop, select: Select): HTMLElement[] {
  const ends = html("p", { class: "lx-ends" });
  ends.append(button(model, hop.effect, select), ` ${link(hop)} `, button(model, hop.cause, select));
  const requirements = hop.requirements.map((item) =>
    html(
      "li",
      {},
      html("div", {}, inlineMark(statusOf(item.status)), html("strong", {}, clean(item.title)), ` ${MARKS[statusOf(item.status)].word}`),
      html("div", { class: "lx-quiet" }, brief(item.why)),
    ),
  );
  return [
    heading(`${words(hop.predicate)}${hop.role === "" ? "" : ` (${words(hop.role)})`}`, "hop"),
    ends,
    ...(requirements.length === 0
      ? [html("p", { class: "lx-quiet" }, "The policy asks for nothing on this hop.")]
      : [html("h4", {}, "Requirements"), html("ul", { class: "lx-list" }, ...requirements)]),
    facts([
      ["Hop", hop.id],
      ["Basis of the link", words(hop.basis)],
      ["Traffic", hop.traffic === null ? "" : `${hop.traffic} %`],
      ["Site", clean(hop.site)],
      ["When", when(hop)],
      ["Through", clean(hop.via)],
    ]),
    ...evidence(
      model,
      hop.requirements.flatMap((item) => item.evidence.flatMap((id) => model.evidence.get(id) ?? [])),
    ),
    ...origin(hop.source),
    ...raw(hop.record),
  ];
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
function copied(text: string): HTMLElement {
  const copy = html("button", { type: "button", class: "lx-copy", "aria-label": `Copy ${clean(text).slice(0, 80)}` }, "Copy");
  copy.addEventListener("click", () => {
    copyText(text).then(
      () => (copy.textContent = "Copied"),
      () => (copy.textContent = "Select and copy"),
    );
  });
  return html("span", {}, html("code", {}, clean(text)), " ", copy);
}

/** Copies, also where the page has no clipboard of its own (a file, an insecure server). */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  throw new Error("no clipboard here");
}

function evidence(model: Model, rows: readonly EvidenceRow[]): HTMLElement[] {
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
      ]),
    ),
  );
  return [html("h4", {}, "Evidence"), html("ul", { class: "lx-list" }, ...items)];
}

function neighbours(title: string, model: Model, hops: readonly Hop[], end: "cause" | "effect", select: Select): HTMLElement[] {
  if (hops.length === 0) return [];
  const most = 25;
  const items = hops.slice(0, most).map((hop) => {
    const gate = html("button", { type: "button", class: "lx-link", "aria-label": `Hop ${hop.id}: ${link(hop)}` }, link(hop));
    gate.addEventListener("click", () => select(hop.id));
    return html("li", {}, button(model, hop[end], select), " ", inlineMark(statusOf(hop.status)), gate);
  });
  if (hops.length > most) items.push(html("li", {}, `and ${hops.length - most} more, in the table of hops`));
  return [html("h4", {}, title), html("ul", { class: "lx-list" }, ...items)];
}

function button(model: Model, ref: string, select: Select): HTMLElement {
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

function origin(source: Origin | null): HTMLElement[] {
  if (source === null) return [html("h4", {}, "Where this comes from"), html("p", {}, "Not from a record: found while following the others.")];
  return [
    html("h4", {}, "Where this comes from"),
    facts([
      ["System", clean(source.system)],
      ["Read from", clean(source.location)],
      ["Position", clean(source.position)],
      ["Observed", instant(source.observed_at)],
      ["Recorded", instant(source.recorded_at)],
      ["Record digest", source.digest === "" ? "" : copied(source.digest)],
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
