/** An audit, indexed for drawing and reading. It adds no reasoning: only who is joined to whom. */

import type { Audit, EvidenceRow, Hop, TraceNode } from "./audit.js";
import { brief, instant, percent, words } from "./text.js";

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
}

export function index(audit: Audit): Model {
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
  };
}

/** Everything up and down the data flow from a node or hop, itself among it: references and hop ids. */
export function related(model: Model, id: string): Set<string> {
  const found = new Set<string>([id]);
  const hop = model.hops.get(id);
  const follow = (start: string, hops: Map<string, Hop[]>, end: "cause" | "effect"): void => {
    const seen = new Set([start]);
    const waiting = [start];
    for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
      found.add(ref);
      for (const next of hops.get(ref) ?? []) {
        found.add(next.id);
        if (!seen.has(next[end])) {
          seen.add(next[end]);
          waiting.push(next[end]);
        }
      }
    }
  };
  follow(hop?.cause ?? id, model.into, "cause");
  follow(hop?.effect ?? id, model.out, "effect");
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

/** A hop in one breath. */
export function describeHop(model: Model, hop: Hop): string {
  const gate = hop.status === "none" ? "no gate here" : `gate ${hop.status}`;
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
