/**
 * Groups: what does the same, or follows one after another, is drawn as one thing until it is asked for.
 *
 * A *fan* is of one kind, one lane and one part in the answer, and joined to the same things; a *chain* is a way
 * without branches inside one lane. Groups may hold groups: a chain of fans, a fan of chains. They say nothing
 * about lineage; they only name what stands together, and count what is in it.
 */

import { LANES, type Lane, type Status, type TraceNode } from "./audit.js";
import { holds, MARKS, statusOf, WORST_FIRST } from "./marks.js";
import { name, part, type Model } from "./model.js";
import { words } from "./text.js";

export interface Group {
  /** `g:…`, the same for the same members. */
  id: string;
  kind: "chain" | "fan";
  /** `38 datasets read by train-churn`. */
  title: string;
  /** References of everything in it, also of what is in groups in it. */
  members: readonly string[];
  open: boolean;
  /** Gates inside it and on its links, by their status. */
  statuses: ReadonlyMap<Status, number>;
  /** The title's two halves: `38 datasets`, `read by train-churn`. */
  count: string;
  about: string;
  /** The kind of everything in it, or the commonest. */
  sign: string;
  lane: Lane;
  /** The part in the answer that all the data in it has; `training data` also where only some has. */
  part: string;
  /** How many of its members are not on record. */
  unknown: number;
  outside: boolean;
  /** References, and ids of groups, that stand in it directly. */
  holds: readonly string[];
  /** The group that this one stands in; empty for none. */
  within: string;
}

export type Thing = TraceNode | Group;

export function isGroup(thing: Thing): thing is Group {
  return "members" in thing;
}

/** Fewer of a kind are shown one by one. */
const FAN = 5;
const CHAIN = 4;
/** Groups in groups in groups; more would be a puzzle. */
const ROUNDS = 3;

/** What a step of grouping sees: a node, or a group made by a step before. */
interface Piece {
  id: string;
  sign: string;
  lane: Lane;
  part: string;
  resolved: boolean;
  outside: boolean;
  leaves: readonly TraceNode[];
  /** Pieces it is joined to. */
  causes: Set<string>;
  effects: Set<string>;
}

/** All groups of a trace, inner ones before those that hold them; all closed. */
export function findGroups(model: Model): Group[] {
  return new Grouping(model).groups();
}

class Grouping {
  private readonly pieces = new Map<string, Piece>();
  private readonly made = new Map<string, Group>();
  private readonly endpoint: string;

  constructor(private readonly model: Model) {
    this.endpoint = model.audit.question.endpoint;
    for (const node of model.audit.nodes)
      this.pieces.set(node.ref, {
        id: node.ref,
        sign: node.kind,
        lane: node.lane,
        part: part(node),
        resolved: node.resolved,
        outside: node.outside === true,
        leaves: [node],
        causes: new Set(),
        effects: new Set(),
      });
    for (const { cause, effect } of model.audit.hops) {
      if (cause === effect || !this.pieces.has(cause) || !this.pieces.has(effect)) continue;
      this.pieces.get(cause)!.effects.add(effect);
      this.pieces.get(effect)!.causes.add(cause);
    }
  }

  groups(): Group[] {
    for (let round = 0; round < ROUNDS; round++) {
      const before = this.made.size;
      for (const fan of this.fans()) this.close("fan", fan);
      for (const chain of this.chains()) this.close("chain", chain);
      if (this.made.size === before) break;
    }
    const made = [...this.made.values()];
    const inside = new Map(made.flatMap((group) => group.holds.map((id) => [id, group.id])));
    const statuses = this.statuses(inside);
    return made.map((group) => ({ ...group, within: inside.get(group.id) ?? "", statuses: statuses.get(group.id)! }));
  }

  /** Pieces that only their names tell apart. What is not on record is never among what is. */
  private fans(): Piece[][] {
    const number = new Map<string, number>();
    for (const id of this.pieces.keys()) number.set(id, number.size);
    const sum = (ids: Set<string>): number => {
      let total = ids.size * 1e6;
      for (const id of ids) total += number.get(id)!;
      return total;
    };
    const joined = (ids: Set<string>): string => Array.from(ids, (id) => number.get(id)!).sort((a, b) => a - b).join();
    // After the first round, only a group nearby can have made alike what was not.
    const near = ({ id, causes, effects }: Piece): boolean => [id, ...causes, ...effects].some((other) => this.made.has(other));
    const candidates = [...this.pieces.values()].filter((piece) => piece.id !== this.endpoint && (this.made.size === 0 || near(piece)));
    // Sums first: they are cheap, and where they differ the neighbours do.
    return alike(candidates, ({ causes, effects }) => 31 * sum(causes) + sum(effects)).flatMap((those) =>
      alike(those, ({ id, sign, lane, part, resolved, outside, causes, effects }) =>
        [sign, this.made.get(id)?.kind, lane, part, resolved, outside, joined(causes), joined(effects)].join("|"),
      ),
    );
  }

  /** Ways without branches inside one lane, of things on record. */
  private chains(): Piece[][] {
    const fits = (piece: Piece): boolean =>
      piece.id !== this.endpoint && piece.resolved && piece.causes.size <= 1 && piece.effects.size <= 1 && this.made.get(piece.id)?.kind !== "chain";
    /** What follows in the same chain. */
    const next = (piece: Piece): Piece | undefined => {
      const [id] = piece.effects;
      const other = id === undefined ? undefined : this.pieces.get(id);
      return other !== undefined && fits(other) && other.causes.size === 1 && other.lane === piece.lane && other.outside === piece.outside ? other : undefined;
    };
    const found: Piece[][] = [];
    for (const piece of this.pieces.values()) {
      if (!fits(piece)) continue;
      const [cause] = piece.causes;
      const before = cause === undefined ? undefined : this.pieces.get(cause);
      if (before !== undefined && fits(before) && next(before) === piece) continue; // not its beginning
      const chain = new Set<Piece>();
      for (let at: Piece | undefined = piece; at !== undefined && !chain.has(at); at = next(at)) chain.add(at);
      if (chain.size >= CHAIN) found.push([...chain]);
    }
    return found;
  }

  /** Puts one piece in the place of several. */
  private close(kind: Group["kind"], inside: readonly Piece[]): void {
    const leaves = inside.flatMap((piece) => piece.leaves);
    const members = leaves.map((node) => node.ref);
    const first = inside[0]!;
    const [causes, effects] = [new Set<string>(), new Set<string>()];
    const ids = new Set(inside.map((piece) => piece.id));
    for (const piece of inside) {
      for (const id of piece.causes) if (!ids.has(id)) causes.add(id);
      for (const id of piece.effects) if (!ids.has(id)) effects.add(id);
    }
    const id = groupId(kind, members);
    const parts = new Set(leaves.map(part).filter((item) => item !== ""));
    const [only = ""] = parts;
    const piece: Piece = {
      id,
      sign: kind === "fan" ? first.sign : commonest(leaves),
      lane: first.lane,
      part: parts.has("training data") ? "training data" : parts.size === 1 ? only : "",
      resolved: first.resolved,
      outside: first.outside,
      leaves,
      causes,
      effects,
    };
    const [count, about] = kind === "fan" ? this.fanTitle(inside, piece) : this.chainTitle(leaves, piece);
    for (const { id: gone, causes: from, effects: to } of inside) {
      this.pieces.delete(gone);
      for (const other of from) swap(this.pieces.get(other)?.effects, gone, id);
      for (const other of to) swap(this.pieces.get(other)?.causes, gone, id);
    }
    this.pieces.set(id, piece);
    this.made.set(id, {
      id,
      kind,
      title: `${count} ${about}`.trim(),
      members,
      open: false,
      statuses: new Map(),
      count,
      about,
      sign: piece.sign,
      lane: piece.lane,
      part: piece.part,
      unknown: leaves.filter((node) => !node.resolved).length,
      outside: piece.outside,
      holds: [...ids],
      within: "",
    });
  }

  private fanTitle(inside: readonly Piece[], { causes, effects, sign, leaves }: Piece): [string, string] {
    const held = this.made.get(inside[0]!.id);
    const count = held === undefined ? counted(inside.length, sign) : `${inside.length} × ${held.count}`;
    const refs = new Set(leaves.map((node) => node.ref));
    // Told by the side that says most: one thing that all lead to, else one that they come from, else how many.
    const down = effects.size === 1 || (effects.size > 0 && causes.size !== 1);
    if (!down && causes.size === 0) return [count, "joined to nothing shown"];
    const hops = leaves.flatMap((node) => (down ? this.model.out : this.model.into).get(node.ref) ?? []);
    const predicates = new Set(hops.filter((hop) => !refs.has(down ? hop.effect : hop.cause)).map((hop) => hop.predicate));
    const [predicate = ""] = predicates;
    const [before, after] = SAID[predicates.size === 1 ? predicate : ""] ?? ["for", "from"];
    return [count, `${down ? before : after} ${this.named(down ? effects : causes)}`];
  }

  private chainTitle(leaves: readonly TraceNode[], { causes, effects, lane }: Piece): [string, string] {
    const title = LANES.find((item) => item.lane === lane)?.title ?? lane;
    const from = causes.size === 0 ? "" : ` from ${this.named(causes)}`;
    const to = effects.size === 0 ? "" : ` to ${this.named(effects)}`;
    return [`${leaves.length} steps`, `of ${title.toLowerCase()}${from}${to}`];
  }

  /** A thing by its name, several by their number. */
  private named(ids: Set<string>): string {
    const [first = ""] = ids;
    if (ids.size === 1) return this.made.get(first)?.count ?? name(this.model, first);
    const signs = new Set(Array.from(ids, (id) => this.pieces.get(id)?.sign ?? ""));
    const [sign = ""] = signs;
    return signs.size === 1 ? counted(ids.size, sign) : `${ids.size} things`;
  }

  /** For every group: the gates on the hops that have an end in it. */
  private statuses(inside: ReadonlyMap<string, string>): Map<string, Map<Status, number>> {
    const found = new Map(Array.from(this.made.keys(), (id) => [id, new Map<Status, number>()]));
    for (const hop of this.model.audit.hops) {
      if (hop.status === "none" || hop.outside === true) continue;
      const met = new Set<string>();
      for (const end of [hop.cause, hop.effect])
        for (let id = inside.get(end); id !== undefined; id = inside.get(id)) met.add(id);
      const status = statusOf(hop.status);
      for (const id of met) found.get(id)!.set(status, (found.get(id)!.get(status) ?? 0) + 1);
    }
    return found;
  }
}

/** Those with the same key, where they are enough for a fan. */
function alike(pieces: readonly Piece[], key: (piece: Piece) => string | number): Piece[][] {
  const found = new Map<string | number, Piece[]>();
  for (const piece of pieces) {
    const k = key(piece);
    const those = found.get(k);
    if (those === undefined) found.set(k, [piece]);
    else those.push(piece);
  }
  return [...found.values()].filter((those) => those.length >= FAN);
}

/** How a predicate is said of its causes, and of its effects. */
const SAID: Record<string, [string, string]> = {
  used: ["read by", "that read"],
  was_generated_by: ["that wrote", "written by"],
  was_derived_from: ["behind", "derived from"],
  serves: ["that serve", "served by"],
  deploys: ["deployed by", "that deploy"],
};

const PLURALS: Record<string, string> = { index: "indexes", person: "people", code: "code commits" };

/** `38 datasets`. */
export function counted(count: number, kind: string): string {
  if (count === 1) return `1 ${words(kind)}`;
  return `${count} ${PLURALS[kind] ?? `${words(kind)}s`}`;
}

/** What does not hold, the worst first, each with its number. */
export function against(statuses: ReadonlyMap<Status, number>): [Status, number][] {
  return WORST_FIRST.filter((status) => !holds(status)).flatMap((status): [Status, number][] => (statuses.has(status) ? [[status, statuses.get(status)!]] : []));
}

/** `2 failed, 1 missing`; empty where all gates hold. */
export function trouble(statuses: ReadonlyMap<Status, number>): string {
  return against(statuses)
    .map(([status, count]) => `${count} ${MARKS[status].word}`)
    .join(", ");
}

/** The worst of some statuses. */
export function worst(statuses: Iterable<Status>): Status {
  const all = new Set(statuses);
  return WORST_FIRST.find((status) => all.has(status)) ?? "none";
}

/** A group in one breath. */
export function describeGroup(group: Group): string {
  const gates = [...group.statuses.values()].reduce((sum, count) => sum + count, 0);
  return [
    `Closed group: ${group.title}`,
    group.part,
    group.outside ? "beside the audit, not judged" : "",
    group.unknown === 0 ? "" : `${group.unknown} not on record`,
    gates === 0 ? "no gate here" : trouble(group.statuses) || `${counted(gates, "gate")} held`,
  ]
    .filter((piece) => piece !== "")
    .join(", ");
}

function commonest(leaves: readonly TraceNode[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of leaves) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].reduce((most, item) => (item[1] > most[1] ? item : most))[0];
}

function swap(ids: Set<string> | undefined, gone: string, here: string): void {
  if (ids?.delete(gone)) ids.add(here);
}

/** FNV-1a over the members in the order of their names, twice as long as usual: the same members, the same id. */
function groupId(kind: Group["kind"], members: readonly string[]): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (const char of `${kind}\n${[...members].sort().join("\n")}`) {
    const code = char.codePointAt(0)!;
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (low >>> 13);
  }
  return `g:${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`;
}
