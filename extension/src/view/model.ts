/** An audit, indexed for drawing and reading. It adds no reasoning: only who is joined to whom. */

import type { Audit, Beyond, EvidenceRow, Hop, TraceNode } from "./audit.js";
import { brief, instant, percent, words } from "./text.js";
import type { Direction } from "./transport.js";

export interface Model {
  audit: Audit;
  nodes: Map<string, TraceNode>;
  hops: Map<string, Hop>;
  /** Hops into a node: from its causes. */
  into: Map<string, Hop[]>;
  /** Hops out of a node: to its effects. */
  out: Map<string, Hop[]>;
  evidence: Map<string, EvidenceRow>;
  about: Map<string, EvidenceRow[]>;
  /** Neighbours that are not shown, where that is known. */
  beyond?: Map<string, Beyond>;
  /** Adds to what is drawn for some things, as a comparison marks what differs. */
  dress?: (element: SVGGElement, refs: readonly string[], full: boolean, scale: number) => void;
}

export function index(audit: Audit, beyond?: Map<string, Beyond>): Model {
  const into = new Map<string, Hop[]>();
  const out = new Map<string, Hop[]>();
  const about = new Map<string, EvidenceRow[]>();
  const add = <T>(map: Map<string, T[]>, key: string, item: T): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [item]);
    else list.push(item);
  };
  for (const hop of audit.hops) {
    add(into, hop.effect, hop);
    add(out, hop.cause, hop);
  }
  for (const row of audit.evidence) add(about, row.subject, row);
  return {
    audit,
    nodes: new Map(audit.nodes.map((node) => [node.ref, node])),
    hops: new Map(audit.hops.map((hop) => [hop.id, hop])),
    into,
    out,
    evidence: new Map(audit.evidence.map((row) => [row.id, row])),
    about,
    ...(beyond === undefined ? {} : { beyond }),
  };
}

/** Adds to `found` all that hops lead to from some things, and the hops that do. */
function follow(found: Set<string>, starts: Iterable<string>, hops: Map<string, Hop[]>, end: "cause" | "effect", passes: (hop: Hop) => boolean = () => true): void {
  const waiting = [...starts];
  const seen = new Set(waiting);
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    found.add(ref);
    for (const next of hops.get(ref) ?? []) {
      if (!passes(next)) continue;
      found.add(next.id);
      if (!seen.has(next[end])) {
        seen.add(next[end]);
        waiting.push(next[end]);
      }
    }
  }
}

/** Everything along the data flow from nodes or hops, themselves and a hop's two ends among it: references and hop ids. */
export function related(model: Model, ids: string | readonly string[], direction: Direction = "both"): Set<string> {
  const found = new Set<string>();
  const [causes, effects]: [string[], string[]] = [[], []];
  for (const id of typeof ids === "string" ? [ids] : ids) {
    const hop = model.hops.get(id);
    causes.push(hop?.cause ?? id);
    effects.push(hop?.effect ?? id);
    found.add(id);
  }
  for (const end of [...causes, ...effects]) found.add(end);
  if (direction !== "downstream") follow(found, causes, model.into, "cause");
  if (direction !== "upstream") follow(found, effects, model.out, "effect");
  return found;
}

/** Data that was read for these is never training data. */
const APART = ["validation", "test", "evaluation", "retrieval", "serving"];

/**
 * The ways from the training data to the endpoint: the witness of each training dataset, and all else that leads from
 * one of them to what is asked about. What data was read for something other than training is on none of them.
 */
export function trainingPath(model: Model): Set<string> {
  const { audit } = model;
  const training = audit.nodes.filter((node) => part(node) === "training data").map((node) => node.ref);
  const flows = (hop: Hop): boolean => !APART.includes(hop.role) && hop.outside !== true;
  const down = new Set<string>();
  follow(down, training, model.out, "effect", flows);
  const up = new Set<string>();
  follow(up, [audit.question.endpoint], model.into, "cause", flows);
  const found = new Set([...down].filter((id) => up.has(id)));
  for (const row of audit.datasets) {
    if (!training.includes(row.ref) || row.path === undefined) continue;
    row.path.forEach((ref, i, path) => {
      found.add(ref);
      for (const hop of model.into.get(ref) ?? []) if (hop.cause === path[i + 1]) found.add(hop.id);
    });
  }
  return found;
}

/** What a node's part in the answer is, in two words at most; empty when there is nothing to add. */
export function part(node: TraceNode): string {
  if (!["dataset", "feature_set", "index"].includes(node.kind)) return "";
  for (const role of ["training", "validation", "test", "evaluation", "retrieval"])
    if (node.roles.includes(role)) return `${role} data`;
  return "";
}

/** A node in one breath, for people who hear it. */
export function describeNode(model: Model, node: TraceNode): string {
  const hops = (model.into.get(node.ref) ?? []).length;
  return [
    `${words(node.kind)} ${brief(node.label)}`,
    part(node),
    node.outside === true ? "beside the audit, not judged" : "",
    node.resolved ? brief(node.fact) : "not on record",
    hops === 0 ? "nothing upstream" : `${hops} upstream`,
  ]
    .filter((piece) => piece !== "")
    .join(", ");
}

/** `used as training data`, `serves 90 %`: how a hop is said. */
export function link(hop: Hop): string {
  const role = hop.role === "" ? "" : ` as ${words(hop.role)} data`;
  const share = hop.traffic === null ? "" : ` ${percent(hop.traffic)}`;
  return `${words(hop.predicate)}${hop.predicate === "used" ? role : ""}${share}`;
}

/** Whether anybody judged a hop: not what was joined to an audit, and nothing where there is no audit. */
export function judged(model: Model, hop: Hop): boolean {
  return model.audit.verdict !== null && hop.outside !== true;
}

/** A hop in one breath. */
export function describeHop(model: Model, hop: Hop): string {
  const gate = !judged(model, hop) ? "not judged" : hop.status === "none" ? "no gate here" : `gate ${hop.status}`;
  return `${name(model, hop.effect)} ${link(hop)} ${name(model, hop.cause)}: ${gate}, link by ${words(hop.basis)}`;
}

/** The short name of a reference. */
export function name(model: Model, ref: string): string {
  const node = model.nodes.get(ref);
  return node === undefined ? brief(ref) : brief(node.label);
}

/** When a hop was so, or happened. */
export function when(hop: Hop): string {
  if (hop.event_time !== null) return instant(hop.event_time);
  if (hop.since === null) return "";
  return hop.until === null ? `since ${instant(hop.since)}` : `${instant(hop.since)} to ${instant(hop.until)}`;
}
