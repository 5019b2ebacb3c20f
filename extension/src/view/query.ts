/** Which things and hops of a trace are wanted: by words, by an expression, by what they are. */

import type { Hop, Json, TraceNode } from "./audit.js";
import { Expression } from "./expression.js";
import { MARKS, statusOf } from "./marks.js";
import { judged, type Model } from "./model.js";
import { words } from "./text.js";

export type Facet = "kind" | "status" | "basis" | "source";
export type Filters = Record<Facet, ReadonlySet<string>>;

export const FACETS: readonly { facet: Facet; title: string }[] = [
  { facet: "kind", title: "Kind" },
  { facet: "status", title: "Gate" },
  { facet: "basis", title: "Basis of the link" },
  { facet: "source", title: "Source system" },
];

export const NO_FILTERS: Filters = { kind: new Set(), status: new Set(), basis: new Set(), source: new Set() };

/** Milliseconds after which a search ends with what it has. */
const BUDGET = 200;

export interface Found {
  /** What was looked for itself: nodes, then hops. */
  nodes: string[];
  hops: string[];
  /** These, the hops at those nodes and the ends of those hops. */
  lit: Set<string>;
  /** Whether some text, such as a row of a table, has what is looked for. Filters know only things and hops. */
  text: (text: string) => boolean;
  /** Why the expression cannot be used; nothing is found then. */
  problem: string;
  /** True where the time was up before everything was looked at. */
  cut: boolean;
}

/** Says when the time is up that begins with the first look at it. */
function clock(): () => boolean {
  let end = 0;
  return () => {
    if (end === 0) end = performance.now() + BUDGET;
    return performance.now() > end;
  };
}

/** What can be searched of one item: each text as it is, and all of them in small letters. */
interface Texts {
  each: readonly string[];
  small: string;
}

type Test = (texts: Texts) => boolean | undefined;

const known = new WeakMap<TraceNode | Hop, Texts>();

/** Made once for each item: whoever types asks again at every letter. */
function textsOf(item: TraceNode | Hop, make: () => string[]): Texts {
  let texts = known.get(item);
  if (texts === undefined) known.set(item, (texts = texted(make())));
  return texts;
}

function texted(each: string[]): Texts {
  return { each, small: each.join("\n").toLowerCase() };
}

/** `/…/i`: the expression and its flags; undefined for plain words. */
export function expressionOf(query: string): { source: string; flags: string } | undefined {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/su.exec(query.trim()) ?? [];
  return source === undefined ? undefined : { source, flags: flags ?? "" };
}

function tester(query: string, late: () => boolean): Test {
  const expression = expressionOf(query);
  if (expression === undefined) {
    const wanted = query.toLowerCase().split(/\s+/u).filter((word) => word !== "");
    return ({ small }) => wanted.every((word) => small.includes(word));
  }
  const compiled = new Expression(expression.source, expression.flags);
  return ({ each }) => {
    for (const text of each) {
      const answer = late() ? undefined : compiled.test(text, late);
      if (answer !== false) return answer;
    }
    return false;
  };
}

/** What is wanted; null where nothing is asked, so that everything is. */
export function find(model: Model, query: string, filters: Filters): Found | null {
  const asked = query.trim() !== "";
  const by = (facet: Facet): boolean => filters[facet].size > 0;
  if (!asked && !FACETS.some(({ facet }) => by(facet))) return null;
  const late = clock();
  const found: Found = { nodes: [], hops: [], lit: new Set(), text: () => false, problem: "", cut: false };
  let test: Test;
  try {
    test = tester(query, late);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...found, problem: error.message };
  }
  const passes = (facet: Facet, value: string): boolean => !by(facet) || filters[facet].has(value);
  const wanted = (item: TraceNode | Hop, texts: () => string[]): boolean => {
    if (!asked) return true;
    if (found.cut || late()) found.cut = true;
    const answer = found.cut ? undefined : test(textsOf(item, texts));
    if (answer === undefined) found.cut = true;
    return answer === true;
  };
  const link = (hop: Hop): boolean => passes("status", gateOf(model, hop)) && passes("basis", hop.basis);
  const around = (ref: string): Hop[] => [...(model.into.get(ref) ?? []), ...(model.out.get(ref) ?? [])];

  if (asked || by("kind") || by("source"))
    for (const node of model.nodes.values())
      if (passes("kind", node.kind) && passes("source", sourceOf(node)) && ((!by("status") && !by("basis")) || around(node.ref).some(link)) && wanted(node, () => nodeTexts(node)))
        found.nodes.push(node.ref);
  const ofKind = (hop: Hop): boolean => [hop.cause, hop.effect].some((ref) => passes("kind", model.nodes.get(ref)?.kind ?? ""));
  if (asked || by("status") || by("basis") || by("source"))
    for (const hop of model.hops.values())
      if (link(hop) && passes("source", sourceOf(hop)) && ofKind(hop) && wanted(hop, () => hopTexts(model, hop))) found.hops.push(hop.id);

  for (const ref of found.nodes) {
    found.lit.add(ref);
    for (const hop of around(ref)) if (link(hop)) found.lit.add(hop.id);
  }
  for (const id of found.hops) {
    const hop = model.hops.get(id);
    if (hop !== undefined) for (const item of [id, hop.cause, hop.effect]) found.lit.add(item);
  }
  if (asked && !FACETS.some(({ facet }) => by(facet))) {
    const plain = tester(query, clock());
    found.text = (text) => plain(texted([text])) === true;
  }
  return found;
}

/** How many have what, for the choices that can be made. */
export function choices(model: Model): Record<Facet, Map<string, number>> {
  const counts = { kind: new Map<string, number>(), status: new Map<string, number>(), basis: new Map<string, number>(), source: new Map<string, number>() };
  const add = (facet: Facet, value: string): Map<string, number> => counts[facet].set(value, (counts[facet].get(value) ?? 0) + 1);
  for (const node of model.nodes.values()) {
    add("kind", node.kind);
    add("source", sourceOf(node));
  }
  for (const hop of model.hops.values()) {
    add("status", gateOf(model, hop));
    add("basis", hop.basis);
  }
  return counts;
}

/** How a choice is called. */
export function choiceName(facet: Facet, value: string): string {
  if (facet === "status") return value === "outside" ? "not judged" : MARKS[statusOf(value)].word;
  return facet === "source" && value === "" ? "no record read" : words(value);
}

function gateOf(model: Model, hop: Hop): string {
  return !judged(model, hop) ? "outside" : statusOf(hop.status);
}

function sourceOf(item: TraceNode | Hop): string {
  return item.source?.system ?? "";
}

function nodeTexts(node: TraceNode): string[] {
  return [node.ref, words(node.kind), node.label, node.fact, node.digest, node.description, ...node.roles, sourceOf(node), ...leaves(node.attributes)].filter((text) => text !== "");
}

function hopTexts(model: Model, hop: Hop): string[] {
  const gates = hop.requirements.flatMap((item) => [item.title, item.why]);
  return [words(hop.predicate), words(hop.basis), hop.role, hop.site, hop.via, choiceName("status", gateOf(model, hop)), ...gates].filter((text) => text !== "");
}

/** `key: value` of everything in it. */
function leaves(value: Json, key = ""): string[] {
  if (value === null || typeof value !== "object") return [`${key}: ${String(value)}`];
  return Object.entries(value).flatMap(([name, item]) => leaves(item, Array.isArray(value) ? key : name));
}
