/** What is selected on both sides, in two columns: what is alike is said once, what differs is marked. */

import { badge } from "./badges.js";
import { count, nothing, quiet } from "./page.js";
import type { Hop, Json, TraceNode } from "../view/audit.js";
import { html } from "../view/dom.js";
import { inlineMark, MARKS, statusOf } from "../view/marks.js";
import { judged, link, name, part, when, type Model } from "../view/model.js";
import { brief, clean, instant, percent, words } from "../view/text.js";

type Facts = readonly (readonly [string, string])[];

/** A thing or a hop of one side; undefined where that side has none. */
function one(model: Model, id: string): { title: string; kind: string; facts: Facts } | undefined {
  const node = model.nodes.get(id);
  if (node !== undefined) return { title: brief(node.label), kind: [words(node.kind), part(node)].filter((text) => text !== "").join(" · "), facts: nodeFacts(node) };
  const hop = model.hops.get(id);
  return hop === undefined ? undefined : { title: `${name(model, hop.effect)} ${link(hop)} ${name(model, hop.cause)}`, kind: "hop", facts: hopFacts(model, hop) };
}

export function facing(a: Model, idA: string, b: Model, idB: string): HTMLElement[] {
  const sides = [one(a, idA), one(b, idB)] as const;
  const [left, right] = sides;
  const shown = left ?? right;
  if (shown === undefined) return [];
  const title = (side: (typeof sides)[number], letter: string): HTMLElement =>
    html("th", { scope: "col", role: "columnheader" }, html("span", { class: "lx-letter" }, letter), " ", side === undefined ? quiet(`nothing at this place in ${letter}`) : html("span", {}, side.title));
  const values = sides.map((side) => new Map(side?.facts ?? []));
  const names = [...new Set(sides.flatMap((side) => (side?.facts ?? []).map(([term]) => term)))];
  const alone = left === undefined || right === undefined;
  const differ = (term: string): boolean => !alone && (values[0]?.get(term) ?? "") !== (values[1]?.get(term) ?? "");
  const stated = names.filter((term) => values.some((side) => (side.get(term) ?? "") !== ""));
  // Of what was recorded besides, only that which differs: there may be hundreds.
  const rows = stated.filter((term) => differ(term) || alone || !term.includes(ATTRIBUTE));
  const alike = stated.length - rows.length;
  const cell = (term: string, side: number): HTMLElement => {
    const text = values[side]?.get(term) ?? "";
    const status = term === GATE && Object.hasOwn(MARKS, text) ? statusOf(text) : undefined;
    const inner = text === "" ? [nothing()] : status === undefined ? [clean(text)] : [inlineMark(status), MARKS[status].word];
    return html("td", { role: "cell", "data-label": side === 0 ? "A" : "B" }, ...inner);
  };
  const body = rows.map((term) => html("tr", { role: "row", class: differ(term) ? "lx-differs" : null }, html("th", { scope: "row", role: "rowheader" }, clean(term.replace(ATTRIBUTE, "")), ...(differ(term) ? [" ", badge("changed", "differs")] : [])), cell(term, 0), cell(term, 1)));
  const head = html("tr", { role: "row" }, html("td", { role: "cell" }, ""), title(left, "A"), title(right, "B"));
  const different = rows.filter(differ).length;
  const summary = alone ? `Only in ${left === undefined ? "B" : "A"}` : different === 0 ? "Alike in all that is on record here" : `${count(different, "thing")} on record here ${different === 1 ? "differs" : "differ"}`;
  return [
    html("header", {}, html("p", { class: "lx-quiet" }, shown.kind), html("h4", { tabindex: -1 }, shown.title)),
    html("p", {}, `${summary}.`),
    html("table", { class: "lx-facing", role: "table" }, html("thead", { role: "rowgroup" }, head), html("tbody", { role: "rowgroup" }, ...body)),
    ...(alike > 0 ? [html("p", { class: "lx-quiet" }, `${count(alike, "attribute")} alike on both sides ${alike === 1 ? "is" : "are"} not listed.`)] : []),
  ];
}

/** Before the name of what a record says besides; nobody sees it. */
const ATTRIBUTE = "\u0000";
const GATE = "Gate";

function nodeFacts(node: TraceNode): Facts {
  return [
    ["Reference", node.ref],
    ["Version", node.version],
    ["Digest", node.digest],
    ["Identified by", words(node.identified_by)],
    ["Roles", node.roles.map(words).join(", ")],
    ["Fact", node.fact],
    ["Since", instant(node.since)],
    ["On record", node.resolved ? "yes" : "no"],
    ["Description", node.description],
    ...flat(node.attributes),
  ];
}

function hopFacts(model: Model, hop: Hop): Facts {
  return [
    [GATE, judged(model, hop) ? hop.status : "not judged"],
    ["Link", words(hop.predicate)],
    ["Role", words(hop.role)],
    ["Basis of the link", words(hop.basis)],
    ["Traffic", percent(hop.traffic)],
    ["Site", hop.site],
    ["When", when(hop)],
    ["Through", hop.via],
    ["Requirements", hop.requirements.filter((item) => item.required).map((item) => `${item.title}: ${item.outcome}`).join("; ")],
  ];
}

function flat(values: { [key: string]: Json }): [string, string][] {
  const rows: [string, string][] = [];
  const walk = (prefix: string, value: Json): void => {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) for (const [key, item] of Object.entries(value)) walk(prefix === "" ? key : `${prefix} › ${key}`, item);
    else rows.push([`${ATTRIBUTE}${prefix}`, typeof value === "string" ? value : JSON.stringify(value)]);
  };
  walk("", values);
  return rows;
}
