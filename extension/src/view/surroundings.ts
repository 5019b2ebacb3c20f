/** What explorations found around an audit: joined to what is shown, never judged, never there twice. */

import type { Audit, Beyond, EvidenceRow, Hop, TraceNode } from "./audit.js";
import { index, type Model } from "./model.js";
import type { Exploration } from "./transport.js";

/** The same link, however the hop is called: two of one kind between the same things differ in their records. */
export function linkKey(hop: Hop): string {
  return JSON.stringify([hop.cause, hop.effect, hop.predicate, hop.role, hop.source?.digest ?? "", hop.source?.position ?? ""]);
}

export class Surroundings {
  private readonly nodes = new Map<string, TraceNode>();
  private readonly hops = new Map<string, Hop>();
  private readonly evidence: EvidenceRow[] = [];
  /** How many neighbours a thing has in the store, each way. */
  private readonly all = new Map<string, Beyond>();

  constructor(private readonly audit: Audit) {
    if (audit.beyond !== undefined) this.count(audit.hops, audit.beyond);
  }

  /** Joins an answer; says how many things and hops were new. */
  add(found: Exploration): { nodes: number; hops: number } {
    const before = { nodes: this.nodes.size, hops: this.hops.size };
    const known = new Set(this.audit.nodes.map((node) => node.ref));
    const links = new Set(this.audit.hops.map(linkKey));
    const outside = this.audit.verdict !== null;
    const fresh = new Set<string>();
    for (const node of found.nodes) {
      if (known.has(node.ref) || this.nodes.has(node.ref)) continue;
      fresh.add(node.ref);
      this.nodes.set(node.ref, { ...node, outside });
    }
    for (const row of found.evidence) if (fresh.has(row.subject)) this.evidence.push({ ...row, id: `x${this.evidence.length + 1}` });
    for (const hop of found.hops) {
      const key = linkKey(hop);
      if (links.has(key) || this.hops.has(key)) continue;
      // An exploration numbers its hops by itself, as the audit does.
      this.hops.set(key, { ...hop, id: `x${this.hops.size + 1}`, outside, ...(outside ? { status: "none", requirements: [] } : {}) });
    }
    this.count(found.hops, found.beyond);
    return { nodes: this.nodes.size - before.nodes, hops: this.hops.size - before.hops };
  }

  /** All that is to be shown. */
  model(): Model {
    const { audit } = this;
    const shown = { ...audit, nodes: [...audit.nodes, ...this.nodes.values()], hops: [...audit.hops, ...this.hops.values()], evidence: [...audit.evidence, ...this.evidence] };
    const model = index(shown);
    const beyond = new Map<string, Beyond>();
    for (const [ref, total] of this.all) {
      const upstream = Math.max(0, total.upstream - neighbours(model.into.get(ref), "cause"));
      const downstream = Math.max(0, total.downstream - neighbours(model.out.get(ref), "effect"));
      if (upstream + downstream > 0) beyond.set(ref, { upstream, downstream });
    }
    return { ...model, beyond };
  }

  private count(hops: readonly Hop[], beyond: { [ref: string]: Beyond }): void {
    const causes = new Map<string, Set<string>>();
    const effects = new Map<string, Set<string>>();
    const note = (map: Map<string, Set<string>>, ref: string, other: string): void => {
      map.set(ref, (map.get(ref) ?? new Set()).add(other));
    };
    for (const hop of hops) {
      note(causes, hop.effect, hop.cause);
      note(effects, hop.cause, hop.effect);
    }
    for (const [ref, more] of Object.entries(beyond))
      this.all.set(ref, { upstream: more.upstream + (causes.get(ref)?.size ?? 0), downstream: more.downstream + (effects.get(ref)?.size ?? 0) });
  }
}

function neighbours(hops: readonly Hop[] | undefined, end: "cause" | "effect"): number {
  return new Set(hops?.map((hop) => hop[end])).size;
}
