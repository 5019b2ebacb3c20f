/** The policy results of many endpoints, as Python writes them (`lineage-explorer/estate`, format 1): put in order, filtered and counted. */

import type { AskedPolicy, Outcome, Verdict } from "./audit.js";
import { statusOf, WORST_FIRST } from "./marks.js";
import { shortEndpoint } from "./text.js";
import { VERDICTS } from "./wording.js";

export interface EstateRow {
  ref: string;
  verdict: Verdict;
  /** Requirements on its hops, by what came of them. */
  holds: number;
  fails: number;
  undetermined: number;
  /** The first reason, in words. */
  finding: string;
  /** By gate the worst status; empty or absent where it applies to no hop. */
  cells: { [gate: string]: string };
}

export interface Estate {
  format: "lineage-explorer/estate";
  format_version: number;
  question: { as_of: string; known_at: string; policy: AskedPolicy };
  gates: { id: string; title: string }[];
  endpoints: EstateRow[];
  digest: string;
}

export function isEstate(content: object): content is Estate {
  return "format" in content && content.format === "lineage-explorer/estate";
}

/** What a gate came to on an endpoint; empty where it applies to none of its hops. */
export function cell(row: EstateRow, gate: string): string {
  const value = Object.hasOwn(row.cells, gate) ? row.cells[gate] : "";
  return typeof value === "string" && value !== "" ? statusOf(value) : "";
}

/** What rows are put in order by: a gate's number, or something that every endpoint has. */
export type Key = "ref" | "verdict" | "finding" | number;

/** In order by one thing and, where that is the same, by name; `first` is the worst, or A. What does not apply is last, either way. */
export function ordered(estate: Estate, rows: readonly EstateRow[], key: Key, first: boolean): EstateRow[] {
  const collator = new Intl.Collator(undefined, { numeric: true });
  const byName = new Map(rows.map((row) => [row, shortEndpoint(row.ref)]));
  const named = (a: EstateRow, b: EstateRow): number => collator.compare(byName.get(a) ?? "", byName.get(b) ?? "");
  const sign = first ? 1 : -1;
  if (key === "ref") return [...rows].sort((a, b) => sign * named(a, b));
  if (key === "finding") return [...rows].sort((a, b) => Number(a.finding === "") - Number(b.finding === "") || sign * collator.compare(a.finding, b.finding) || named(a, b));
  const rank = (row: EstateRow): number => {
    if (key === "verdict") return VERDICTS.indexOf(row.verdict);
    const status = cell(row, estate.gates[key]?.id ?? "");
    return status === "" ? Infinity : WORST_FIRST.indexOf(statusOf(status));
  };
  const ranks = new Map(rows.map((row) => [row, rank(row)]));
  return [...rows].sort((a, b) => {
    const [x, y] = [ranks.get(a) ?? 0, ranks.get(b) ?? 0];
    // As Python's reports have it: what fails most first.
    if (x === y) return (key === "verdict" ? sign * (b.fails - a.fails || b.undetermined - a.undetermined) : 0) || named(a, b);
    return x === Infinity ? 1 : y === Infinity ? -1 : sign * (x - y);
  });
}

export type Tally = Record<Outcome | "none", number>;

const OUTCOME: { [status: string]: Outcome } = { passed: "holds", waived: "holds", failed: "fails" };

/** How many endpoints a gate holds on, fails on, and so on. */
export function tally(rows: readonly EstateRow[], gate: string): Tally {
  const found: Tally = { holds: 0, fails: 0, undetermined: 0, none: 0 };
  for (const row of rows) {
    const status = cell(row, gate);
    found[status === "" ? "none" : (OUTCOME[status] ?? "undetermined")]++;
  }
  return found;
}

/** Rows whose name or first reason has every word that was typed. */
export function having(rows: readonly EstateRow[], text: string): readonly EstateRow[] {
  const wanted = text.toLowerCase().split(/\s+/u).filter((word) => word !== "");
  if (wanted.length === 0) return rows;
  return rows.filter((row) => {
    const all = `${row.ref} ${row.finding}`.toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}
