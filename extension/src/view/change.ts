/** What is different between two audits of one question. */

import type { Hop } from "./audit.js";
import type { Model } from "./model.js";

export interface Change {
  /** References that are there now and were not. */
  added: readonly string[];
  removed: readonly string[];
  /** Hops, as they are numbered now, whose gate's status changed; and things that came on record, or went off it. */
  changed: readonly string[];
  /** What the hops that are in both are called now, by what they were called. */
  hops: ReadonlyMap<string, string>;
}

export function compare(before: Model, now: Model): Change {
  const old = new Map<string, Hop>();
  number(before, (key, hop) => old.set(key, hop));
  const changed = now.audit.nodes.filter((node) => before.nodes.get(node.ref)?.resolved === !node.resolved).map((node) => node.ref);
  const hops = new Map<string, string>();
  number(now, (key, hop) => {
    const was = old.get(key);
    if (was === undefined) return;
    hops.set(was.id, hop.id);
    if (was.status !== hop.status) changed.push(hop.id);
  });
  return {
    added: now.audit.nodes.filter((node) => !before.nodes.has(node.ref)).map((node) => node.ref),
    removed: before.audit.nodes.filter((node) => !now.nodes.has(node.ref)).map((node) => node.ref),
    changed,
    hops,
  };
}

/** Every hop with what tells it apart: its id is only its number in one audit. */
function number(model: Model, tell: (key: string, hop: Hop) => void): void {
  const seen = new Map<string, number>();
  for (const hop of model.audit.hops) {
    const key = [hop.cause, hop.effect, hop.predicate, hop.role, hop.site].join("\n");
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    tell(`${key}\n${count}`, hop);
  }
}
