/** What is drawn of a model, and where: which groups are open, and what stands for what. It draws nothing itself. */

import { findGroups, isGroup, type Group } from "./groups.js";
import type { Model } from "./model.js";
import { scene, type Box, type Scene } from "./scene.js";

/** Traces of more nodes begin with their groups closed. */
const CLOSED_FROM = 80;

export type Side = "upstream" | "downstream";

/** The name of the button for what lies beyond a thing. */
export function moreId(side: Side, ref: string): string {
  return `more:${side}:${ref}`;
}

/** Which button a name means; undefined if it is none. */
export function moreOf(id: string): { side: Side; ref: string } | undefined {
  const [, side, ref] = /^more:(upstream|downstream):(.*)$/su.exec(id) ?? [];
  return ref !== undefined && (side === "upstream" || side === "downstream") ? { side, ref } : undefined;
}

export class Plan {
  groups: readonly Group[];
  scene: Scene;

  constructor(public model: Model) {
    const open = model.audit.nodes.length <= CLOSED_FROM;
    this.groups = findGroups(model).map((group) => ({ ...group, open }));
    this.scene = scene(model, this.groups);
  }

  /** Takes another model; what was open stays open. */
  change(model: Model): void {
    const few = model.audit.nodes.length <= CLOSED_FROM;
    const was = new Map(this.groups.map(({ id, open }) => [id, open]));
    this.model = model;
    this.groups = findGroups(model).map((group) => ({
      ...group,
      // One that was not there is open where a member of it stood by itself.
      open: was.get(group.id) ?? (few || group.members.some((ref) => this.scene.things.has(ref))),
    }));
    this.scene = scene(model, this.groups);
  }

  /** Opens and closes groups; answers whether anything changed. */
  setOpen(open: (group: Group) => boolean): boolean {
    const next = this.groups.map((group) => ({ ...group, open: open(group) }));
    if (next.every((group, i) => group.open === this.groups[i]?.open)) return false;
    this.groups = next;
    this.scene = scene(this.model, next);
    return true;
  }

  /** Where the reader begins. */
  home(): string {
    const { audit } = this.model;
    return this.drawn(audit.question.endpoint) || this.drawn(audit.nodes[0]?.ref ?? "");
  }

  /** What is drawn for an item: itself, or the closed group or the link that it is in; empty where nothing is. */
  drawn(id: string): string {
    const { things, links, holder } = this.scene;
    const at = things.has(id) || links.has(id) ? id : holder.get(id);
    if (at !== undefined) return at;
    const hop = this.model.hops.get(id);
    if (hop !== undefined) return holder.get(hop.effect) ?? "";
    const more = moreOf(id);
    if (more === undefined) return "";
    return this.more(more.ref).includes(id) ? id : this.drawn(more.ref);
  }

  /** Whether an item is inside a closed group, so that nothing is drawn for it alone. */
  hidden(id: string): boolean {
    const drawn = this.drawn(id);
    return drawn !== id && this.scene.things.has(drawn) && moreOf(id) === undefined;
  }

  /** Whether an item stands in a group, a hop with both its ends. */
  inside(group: Group, id: string): boolean {
    const hop = this.model.hops.get(id);
    const other = this.groups.find((item) => item.id === id);
    if (other !== undefined) return other.members.length < group.members.length && group.members.includes(other.members[0] ?? "");
    return (hop === undefined ? [id] : [hop.cause, hop.effect]).every((ref) => group.members.includes(ref));
  }

  /** Where what an item stands for is in the drawing: all of a group, whether it is open or closed. */
  extent(id: string): Box | undefined {
    const members = this.groups.find((group) => group.id === id)?.members ?? [id];
    let all: Box | undefined;
    for (const drawn of new Set(members.map((ref) => this.drawn(ref)))) {
      const box = this.box(drawn);
      if (box === undefined) continue;
      const { left, top, right, bottom } = all ?? box;
      all = { left: Math.min(left, box.left), top: Math.min(top, box.top), right: Math.max(right, box.right), bottom: Math.max(bottom, box.bottom) };
    }
    return all;
  }

  /** Of a group's members, the one in the middle of them, as far as they are drawn. */
  middle(id: string): string {
    const group = this.groups.find((item) => item.id === id);
    const box = this.extent(id);
    if (group === undefined || box === undefined) return "";
    const away = (ref: string): number => {
      const at = this.box(this.drawn(ref));
      return at === undefined ? Infinity : Math.hypot(at.left - box.left, (at.top + at.bottom - box.top - box.bottom) / 2);
    };
    const [best = ""] = [...group.members].sort((a, b) => away(a) - away(b));
    return this.drawn(best);
  }

  /** The buttons for what lies beyond a thing, as far as there is something. */
  more(id: string): string[] {
    const beyond = this.scene.things.has(id) ? this.model.beyond?.get(id) : undefined;
    const sides: Side[] = ["upstream", "downstream"];
    return beyond === undefined ? [] : sides.filter((side) => beyond[side] > 0).map((side) => moreId(side, id));
  }

  /** The closed group that something is, or the innermost open one that it stands in. */
  groupAt(id: string): Group | undefined {
    const thing = this.scene.things.get(id)?.thing;
    if (thing !== undefined && isGroup(thing)) return thing;
    const link = this.scene.links.get(id)?.link;
    const ends = link === undefined ? [moreOf(id)?.ref ?? id] : [link.cause, link.effect];
    return this.groups.find((group) => group.open && ends.every((end) => this.inside(group, end)));
  }

  box(id: string): Box | undefined {
    const link = this.scene.links.get(id);
    if (link !== undefined) return { left: link.mark.x - 30, right: link.mark.x + 30, top: link.mark.y - 20, bottom: link.mark.y + 20 };
    const thing = this.scene.things.get(moreOf(id)?.ref ?? id);
    return thing && (id === thing.id ? thing : { left: thing.left - 40, right: thing.right + 40, top: thing.top, bottom: thing.bottom + 20 });
  }
}
