/** The differences as a table: grouped by what they are about, the longer ones to be unfolded. */

import { badge, CHANGES, verdictBadge } from "./badges.js";
import type { Aspect, Difference } from "./documents.js";
import { count, lead, nothing, short, unseen } from "./page.js";
import { Rows, type Column } from "./rows.js";
import type { AskedPolicy, Json } from "../view/audit.js";
import { html } from "../view/dom.js";
import { inlineMark, MARKS, statusOf } from "../view/marks.js";
import { brief, clean, fit, words } from "../view/text.js";
import { VERDICTS } from "../view/wording.js";

/** Letters of a value that stand in the table; all of it unfolds. */
const LONG = 120;
/** Columns of a schema that are named at once. */
const COLUMNS = 6;
/** Lines that are alike on both sides, around those that are not. */
const AROUND = 3;

const TITLES: Record<Aspect, string> = {
  verdict: "Verdict",
  policy: "Policy",
  serving: "Serving",
  model: "Model",
  data: "Data",
  schema: "Schema",
  preparation: "Preparation",
  feature: "Features",
  code: "Code",
  parameter: "Parameters",
  metric: "Metrics",
  package: "Packages",
  environment: "Environment",
  prompt: "Prompts",
  gate: "Gates",
  requirement: "Requirements",
  other: "Other",
};
const ORDER = Object.keys(TITLES);

/** What follows from the rest more often than not: shown when it is asked for. */
export const JUDGED: readonly string[] = ["gate", "requirement"];

export function aspectTitle(aspect: string): string {
  return Object.hasOwn(TITLES, aspect) ? TITLES[aspect as Aspect] : words(aspect);
}

/** How many there are of each aspect, in the order in which they are shown. */
export function aspects(differences: readonly Difference[]): [string, number][] {
  const found = new Map<string, number>();
  for (const { aspect } of differences) found.set(aspect, (found.get(aspect) ?? 0) + 1);
  return [...found].sort(([a], [b]) => place(a) - place(b));
}

function place(aspect: string): number {
  const at = ORDER.indexOf(aspect);
  return at < 0 ? ORDER.length : at;
}

/** A row: one difference, or all the columns of one schema. */
export interface Line {
  aspect: string;
  subject: string;
  items: Difference[];
}

export function lines(differences: readonly Difference[]): Line[] {
  const found: Line[] = [];
  const schemas = new Map<string, Line>();
  for (const item of [...differences].sort((a, b) => place(a.aspect) - place(b.aspect))) {
    // Two datasets can be called the same.
    const key = JSON.stringify([item.subject, item.a_ref, item.b_ref]);
    const known = item.aspect === "schema" ? schemas.get(key) : undefined;
    if (known !== undefined) {
      known.items.push(item);
      continue;
    }
    const line = { aspect: item.aspect, subject: item.subject, items: [item] };
    if (item.aspect === "schema") schemas.set(key, line);
    found.push(line);
  }
  return found;
}

/** A value as a text: nothing where there is none. */
export function said(value: Json): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function deltaText(delta: number): string {
  const plain = Number(Math.abs(delta).toPrecision(6));
  return `${delta < 0 ? "−" : "+"}${plain}`;
}

export interface Leads {
  /** Whether a reference stands in one of the drawings. */
  drawn(ref: string | null): boolean;
  /** Selects both sides of a difference. */
  select(item: Difference): void;
  policy: Pick<AskedPolicy, "form">;
}

export function differenceRows(id: string, all: readonly Line[], leads: Leads): Rows<Line> {
  const side = (which: "a" | "b"): Column<Line> => ({
    title: which.toUpperCase(),
    text: ({ items }) => (items.length > 1 ? items.map((item) => (item[which] === null ? "" : columnText(item, which))).filter((text) => text !== "").join(", ") : said(items[0]?.[which] ?? null)),
    show: ({ items }) => (items.length > 1 ? columns(items.filter((item) => item[which] !== null), which) : items[0] === undefined ? [] : value(items[0], which, leads)),
  });
  return new Rows(
    id,
    {
      caption: "What differs, by what it is about",
      none: "No difference is listed.",
      group: ({ aspect }) => aspectTitle(aspect),
      unfolds: ({ items }) => items.some((item) => item.text !== null) || items.length > COLUMNS || items.some((item) => [item.a, item.b].some((one) => said(one).length > LONG || (one !== null && typeof one === "object"))),
      detail: ({ items }) => html("div", { class: "lx-long" }, ...items.map((item) => long(item, items.length > 1))),
      columns: [
        {
          title: "About",
          text: ({ subject }) => subject,
          show: ({ subject, items }) => {
            const first = items[0];
            const there = first !== undefined && (leads.drawn(first.a_ref) || leads.drawn(first.b_ref));
            return [first !== undefined && there ? lead(brief(subject), `${first.a_ref ?? ""} ${first.b_ref ?? ""}`.trim(), () => leads.select(first)) : brief(subject)];
          },
        },
        { title: "Name", text: ({ items }) => (items.length > 1 ? count(items.length, "column") : (items[0]?.name ?? "")) },
        side("a"),
        side("b"),
        {
          title: "What changed",
          text: ({ items }) => items.map((item) => [item.change, item.delta === null ? "" : deltaText(item.delta), better(item), item.note].filter((text) => text !== "").join(", ")).join("; "),
          show: ({ items }) => (items.length > 1 ? tally(items) : items[0] === undefined ? [] : changed(items[0])),
        },
      ],
    },
    all,
  );
}

/** What is saved: each difference by itself. */
export function differenceTable(differences: readonly Difference[]): string[][] {
  return [
    ["id", "aspect", "subject", "name", "change", "a", "b", "delta", "better", "a_ref", "b_ref", "note"],
    ...differences.map((item) => [item.id, item.aspect, item.subject, item.name, item.change, said(item.a), said(item.b), item.delta === null ? "" : String(item.delta), better(item), item.a_ref ?? "", item.b_ref ?? "", item.note]),
  ];
}

function better({ better: value, delta, aspect }: Difference): string {
  if (value !== null) return value ? "better" : "worse";
  return aspect === "metric" && delta !== null ? "no record says which way is better" : "";
}

function changed(item: Difference): (Node | string)[] {
  const which = better(item);
  const sign = which === "better" ? "✓ " : which === "worse" ? "✕ " : "";
  return [
    badge(item.change),
    ...(item.delta === null ? [] : [" ", html("span", { class: "lx-number" }, deltaText(item.delta))]),
    ...(which === "" ? [] : [" ", html("span", { class: `lx-which${sign === "" ? " lx-quiet" : ` lx-w-${which}`}` }, html("span", { "aria-hidden": "true" }, sign), which)]),
    ...(item.text === null ? [] : [html("span", { class: "lx-quiet lx-noted" }, textCounts(item.text))]),
    ...(item.note === "" ? [] : [html("span", { class: "lx-quiet lx-noted" }, brief(item.note))]),
  ];
}

function textCounts(text: NonNullable<Difference["text"]>): string {
  const plus = text.filter(({ op }) => op === "+").length;
  const minus = text.filter(({ op }) => op === "-").length;
  return `${count(minus, "line")} only in A, ${count(plus, "line")} only in B`;
}

function value(item: Difference, which: "a" | "b", { policy }: Leads): (Node | string)[] {
  const one = item[which];
  if (one === null || one === undefined) return [nothing()];
  if (item.text !== null) return [html("span", { class: "lx-quiet" }, "a text: unfold the row")];
  const verdict = VERDICTS.find((known) => known === one);
  if (item.aspect === "verdict" && verdict !== undefined) return [verdictBadge(verdict, policy)];
  const text = said(one);
  if (JUDGED.includes(item.aspect)) {
    // The status comes first, then what was expected and found.
    const [first = "", ...rest] = text.split("; ");
    if (Object.hasOwn(MARKS, first)) return [inlineMark(statusOf(first)), MARKS[statusOf(first)].word, ...(rest.length === 0 ? [] : [html("span", { class: "lx-quiet lx-noted" }, fit(brief(rest.join("; ")), LONG))])];
  }
  // A number as it is read; all its digits are in what is saved.
  const told = typeof one === "number" ? String(Number(one.toPrecision(6))) : brief(text);
  return [html("span", { class: typeof one === "number" ? "lx-number" : null }, told.length > LONG ? fit(told, LONG) : told)];
}

function columnText(item: Difference, which: "a" | "b"): string {
  return `${item.name}: ${said(item[which])}`;
}

function columns(items: readonly Difference[], which: "a" | "b"): (Node | string)[] {
  if (items.length === 0) return [nothing()];
  return [short(items.map((item) => html("code", {}, fit(columnText(item, which), 60))), COLUMNS)];
}

function tally(items: readonly Difference[]): (Node | string)[] {
  const kinds = (["changed", "added", "removed"] as const).map((change) => [change, items.filter((item) => item.change === change).length] as const).filter(([, many]) => many > 0);
  return [short(kinds.map(([change, many]) => badge(change, `${many} ${change === "changed" ? "retyped" : CHANGES[change].word}`)))];
}

/** All of a difference: its texts line by line, or both values whole. */
function long(item: Difference, named: boolean): HTMLElement {
  if (item.text !== null) return diff(item.text, item.subject);
  const whole = (which: "a" | "b"): HTMLElement => {
    const one = item[which];
    const text = one !== null && typeof one === "object" ? JSON.stringify(one, null, 2) : said(one);
    return html("div", {}, html("h4", {}, which.toUpperCase()), one === null ? html("p", { class: "lx-quiet" }, "None.") : html("pre", { tabindex: 0, role: "region", "aria-label": clean(`${which.toUpperCase()}: ${item.subject} ${item.name} (${item.id})`) }, keepLines(text)));
  };
  if (named) return html("p", { class: "lx-retyped" }, badge(item.change), " ", html("code", {}, clean(item.name)), ` ${[item.a, item.b].filter((one) => one !== null).map((one) => clean(said(one))).join(" → ")}`);
  return html("div", { class: "lx-two" }, whole("a"), whole("b"));
}

/** Both texts as one: a sign and a word for each line that only one of them has; long stretches that both have are folded. */
export function diff(text: NonNullable<Difference["text"]>, subject: string): HTMLElement {
  const line = ({ op, line: content }: (typeof text)[number]): HTMLElement => {
    const [kind, word] = op === "-" ? ["removed", "only in A: "] : op === "+" ? ["added", "only in B: "] : ["alike", ""];
    return html("li", { class: `lx-line-${kind}` }, html("span", { class: "lx-op", "aria-hidden": "true" }, op === "-" ? "−" : op), ...(word === "" ? [] : [unseen(word)]), html("span", { class: "lx-linetext" }, clean(content)));
  };
  const near = text.map((_, i) => text.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(({ op }) => op !== " "));
  const list = html("ol", { class: "lx-diff", "aria-label": `The text of both: ${clean(subject)}` });
  for (let i = 0; i < text.length; ) {
    let end = i;
    while (end < text.length && near[end] !== true) end++;
    const folded = text.slice(i, end);
    if (folded.length > 2) {
      const more = lead(`${folded.length} lines that both have`, "Show them", () => {
        const all = folded.map(line);
        item.replaceWith(...all);
        list.tabIndex = -1;
        list.focus();
      });
      const item = html("li", { class: "lx-line-folded" }, more);
      list.append(item);
    } else list.append(...folded.map(line));
    i = end;
    while (i < text.length && near[i] === true) list.append(line(text[i++] as (typeof text)[number]));
  }
  return list;
}

/** As `clean`, with its line breaks. */
function keepLines(text: string): string {
  return text.split("\n").map(clean).join("\n");
}
