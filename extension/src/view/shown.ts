/** What is drawn of a trace while some of its groups are closed: each thing once, and one link for all hops between the same two. */

import type { Hop, Status } from "./audit.js";
import { worst, type Group, type Thing } from "./groups.js";
import { statusOf, strength, WORST_FIRST, type Strength } from "./marks.js";
import { describeHop, type Model } from "./model.js";
import { words } from "./text.js";

export interface Link {
  /** The hop's, where it is one. */
  id: string;
  /** What it joins: references, or ids of closed groups. */
  cause: string;
  effect: string;
  /** The worst first. */
  hops: readonly Hop[];
  status: Status;
  /** The weakest of them: a link is never drawn stronger than a part of it. */
  strength: Strength;
  /** Whether all of it was joined by an exploration, and nobody judged it. */
  outside: boolean;
}

export interface Shown {
  things: Map<string, Thing>;
  links: Link[];
  /** For every reference and group that is not drawn itself: the closed group it is in. */
  holder: Map<string, string>;
}

export function shown(model: Model, groups: readonly Group[]): Shown {
  const holder = new Map<string, string>();
  const closed = new Map<string, Group>();
  const byId = new Map(groups.map((group) => [group.id, group]));
  // Groups that hold others come after them.
  for (const group of [...groups].reverse()) {
    const outer = byId.get(group.within);
    const over = outer && (holder.get(outer.id) ?? (outer.open ? undefined : outer.id));
    if (over !== undefined) holder.set(group.id, over);
    else if (!group.open) {
      closed.set(group.id, group);
      for (const ref of group.members) holder.set(ref, group.id);
    }
  }
  const things = new Map<string, Thing>();
  for (const node of model.audit.nodes) {
    const group = closed.get(holder.get(node.ref) ?? "");
    if (group === undefined) things.set(node.ref, node);
    else things.set(group.id, group);
  }
  const between = new Map<string, Hop[]>();
  for (const hop of model.audit.hops) {
    const cause = holder.get(hop.cause) ?? hop.cause;
    const effect = holder.get(hop.effect) ?? hop.effect;
    if ((cause === effect && hop.cause !== hop.effect) || !things.has(cause) || !things.has(effect)) continue;
    const key = `${cause}\n${effect}`;
    const hops = between.get(key);
    if (hops === undefined) between.set(key, [hop]);
    else hops.push(hop);
  }
  return { things, links: Array.from(between, ([key, hops]) => link(key, hops)), holder };
}

const WEAKEST_FIRST: readonly Strength[] = ["weak", "middling", "strong"];

function link(key: string, hops: Hop[]): Link {
  const [cause = "", effect = ""] = key.split("\n");
  const judged = hops.filter((hop) => hop.outside !== true);
  const rank = (hop: Hop): number => (hop.outside === true ? WORST_FIRST.length : WORST_FIRST.indexOf(statusOf(hop.status)));
  if (hops.length > 1) hops.sort((a, b) => rank(a) - rank(b));
  const bases = new Set(hops.map((hop) => strength(hop.basis)));
  return {
    id: hops.length === 1 ? hops[0]!.id : `l:${cause}→${effect}`,
    cause,
    effect,
    hops,
    status: worst(judged.map((hop) => statusOf(hop.status))),
    strength: WEAKEST_FIRST.find((item) => bases.has(item)) ?? "weak",
    outside: judged.length === 0,
  };
}

/** A link in one breath. `called` gives a thing's short name. */
export function describeLink(model: Model, link: Link, called: (id: string) => string): string {
  const { cause, effect, hops, status, outside } = link;
  if (hops.length === 1) return describeHop(model, hops[0]!);
  const counts = new Map<Status, number>();
  for (const hop of hops) counts.set(statusOf(hop.status), (counts.get(statusOf(hop.status)) ?? 0) + 1);
  const said = WORST_FIRST.filter((item) => item !== "none" && counts.has(item)).map((item) => `${counts.get(item)} ${words(item)}`);
  const gates = outside ? "not judged" : status === "none" ? "no gate here" : `gates ${said.join(", ")}`;
  return `${hops.length} hops from ${called(cause)} to ${called(effect)}: ${gates}`;
}
