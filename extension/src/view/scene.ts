/** Where everything that is drawn stands, and which of it can be seen through a window. */

import { LANES } from "./audit.js";
import type { Group, Thing } from "./groups.js";
import { COLUMN_GAP, layout, NODE_HEIGHT, NODE_WIDTH, type Point } from "./layout.js";
import type { Model } from "./model.js";
import { shown, type Link } from "./shown.js";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Placed extends Box {
  id: string;
  thing: Thing;
  column: number;
  /** Its place in its column, from the top. */
  row: number;
}

/** A part of a link's line, from one column to the next. */
export interface Piece extends Box {
  start: string;
  path: string;
}

export interface PlacedLink extends Box {
  link: Link;
  pieces: Piece[];
  /** Where the gate's mark stands. */
  mark: Point;
  /** How large the mark can be drawn without touching the next, and how large with its word below it. */
  room: number;
  wordRoom: number;
}

/** An opened group: the frame around what is in it, and where its handle is. */
export interface Frame extends Box {
  group: Group;
  /** Whether nothing else stands in the frame; if something does, there is only the handle. */
  clear: boolean;
  handle: Point;
}

export interface Scene {
  things: Map<string, Placed>;
  links: Map<string, PlacedLink>;
  /** Links that end at a thing, and that begin there. */
  into: Map<string, PlacedLink[]>;
  out: Map<string, PlacedLink[]>;
  /** For what is not drawn itself, what is drawn for it: hops by their links, things by their closed groups. */
  holder: Map<string, string>;
  columns: Placed[][];
  lanes: { title: string; left: number; right: number }[];
  frames: Frame[];
  width: number;
  height: number;
}

export function scene(model: Model, groups: readonly Group[]): Scene {
  const lanes = new Map(LANES.map((item, i) => [item.lane, i]));
  const now = shown(model, groups);
  const all = [...now.things];
  const placed = layout({
    nodes: all.map(([id, thing]) => ({ id, lane: lanes.get(thing.lane) ?? 0 })),
    edges: now.links,
  });
  const things = new Map<string, Placed>();
  const byX = new Map<number, Placed[]>();
  for (const [id, thing] of all) {
    const at = placed.nodes.get(id)!;
    const top = at.y - NODE_HEIGHT / 2;
    const item = { id, thing, column: 0, row: 0, left: at.x, top, right: at.x + NODE_WIDTH, bottom: top + NODE_HEIGHT };
    things.set(id, item);
    const column = byX.get(at.x);
    if (column === undefined) byX.set(at.x, [item]);
    else column.push(item);
  }
  const columns = [...byX.entries()].sort(([a], [b]) => a - b).map(([, column]) => column);
  columns.forEach((column, c) => {
    column.sort((a, b) => a.top - b.top);
    column.forEach((item, r) => {
      item.column = c;
      item.row = r;
    });
  });
  const into = new Map(all.map(([id]) => [id, [] as PlacedLink[]]));
  const out = new Map(all.map(([id]) => [id, [] as PlacedLink[]]));
  const degree = (ends: Map<string, number>, id: string): Map<string, number> => ends.set(id, (ends.get(id) ?? 0) + 1);
  const causes = now.links.reduce((ends, link) => degree(ends, link.cause), new Map<string, number>());
  const effects = now.links.reduce((ends, link) => degree(ends, link.effect), new Map<string, number>());
  const links = new Map<string, PlacedLink>();
  const { holder } = now;
  now.links.forEach((link, i) => {
    // A mark stands away from the end where links crowd together.
    const crowd = (effects.get(link.effect) ?? 0) - (causes.get(link.cause) ?? 0);
    const t = crowd === 0 ? 0.5 : crowd > 0 ? 0.3 : 0.7;
    const item = route(link, things.get(link.cause)!, things.get(link.effect)!, placed.bends[i] ?? [], t);
    links.set(link.id, item);
    out.get(link.cause)!.push(item);
    into.get(link.effect)!.push(item);
    for (const hop of link.hops) if (hop.id !== link.id) holder.set(hop.id, link.id);
  });
  giveRoom(links.values());
  return {
    things,
    links,
    into,
    out,
    holder,
    columns,
    lanes: placed.lanes.map((span) => ({ ...span, title: LANES[span.lane]?.title ?? "" })),
    frames: groups.filter((group) => group.open && !holder.has(group.id)).flatMap((group) => frame(group, things, holder)),
    width: placed.width,
    height: placed.height,
  };
}

/** Heights of a mark, of its word below, and of what is written above it. */
const MARK = 19;
const WORD = 14;
const ABOVE = 14;

/** Notes how much room there is for each of the marks in the gap between two columns. */
function giveRoom(links: Iterable<PlacedLink>): void {
  const gaps = new Map<number, PlacedLink[]>();
  const headed = ({ link }: PlacedLink): boolean => link.hops.length > 1 || link.hops[0]?.traffic !== null;
  for (const item of links) {
    if (item.link.status === "none" && !headed(item)) continue;
    const gap = Math.round(item.mark.x / (NODE_WIDTH + COLUMN_GAP));
    const those = gaps.get(gap);
    if (those === undefined) gaps.set(gap, [item]);
    else those.push(item);
  }
  for (const those of gaps.values()) {
    those.sort((a, b) => a.mark.y - b.mark.y);
    for (let i = 1; i < those.length; i++) {
      const [upper, lower] = [those[i - 1]!, those[i]!];
      const apart = lower.mark.y - upper.mark.y;
      const needed = MARK + (headed(lower) ? ABOVE : 0);
      lower.room = apart / needed;
      upper.room = Math.min(upper.room, lower.room);
      upper.wordRoom = apart / (needed + WORD);
    }
  }
}

const MARGIN = 11;

function frame(group: Group, things: Map<string, Placed>, holder: Map<string, string>): Frame[] {
  const inside = new Set(group.members.map((ref) => holder.get(ref) ?? ref));
  const held = [...inside].flatMap((id) => things.get(id) ?? []);
  const first = held.reduce<Placed | undefined>((best, item) => (best === undefined || item.left < best.left || (item.left === best.left && item.top < best.top) ? item : best), undefined);
  if (first === undefined) return [];
  const box = {
    left: Math.min(...held.map((item) => item.left)) - MARGIN,
    top: Math.min(...held.map((item) => item.top)) - MARGIN,
    right: Math.max(...held.map((item) => item.right)) + MARGIN,
    bottom: Math.max(...held.map((item) => item.bottom)) + MARGIN,
  };
  let clear = true;
  for (const item of things.values()) if (overlaps(item, box) && !inside.has(item.id)) clear = false;
  return [{ group, clear, handle: { x: first.left, y: first.top }, ...box }];
}

/** A link's line: from the cause's right side, level past the columns between, into the effect's left side. */
function route(link: Link, cause: Placed, effect: Placed, bends: readonly Point[], t: number): PlacedLink {
  let x = cause.right;
  let y = (cause.top + cause.bottom) / 2;
  const end = { x: effect.left, y: (effect.top + effect.bottom) / 2 };
  const pieces: Piece[] = [];
  const box = { left: x, right: x, top: y, bottom: y };
  /** Adds what goes from here to the point, and `out` beyond the two at most. */
  const go = (px: number, py: number, path: string, out = 0): void => {
    const left = Math.min(x, px) - out;
    const right = Math.max(x, px) + out;
    const top = Math.min(y, py);
    const bottom = Math.max(y, py);
    pieces.push({ start: `M${r(x)},${r(y)}`, path, left, right, top, bottom });
    box.left = Math.min(box.left, left);
    box.right = Math.max(box.right, right);
    box.top = Math.min(box.top, top);
    box.bottom = Math.max(box.bottom, bottom);
    x = px;
    y = py;
  };
  const forward = end.x > x;
  for (const bend of bends) {
    const from = forward ? bend.x : bend.x + NODE_WIDTH;
    const to = forward ? bend.x + NODE_WIDTH : bend.x;
    const middle = (x + from) / 2;
    go(to, bend.y, `C${r(middle)},${r(y)} ${r(middle)},${r(bend.y)} ${r(from)},${r(bend.y)}H${r(to)}`);
  }
  // A link that runs against the flow leaves and enters in a loop, so that it cannot be taken for the others.
  const reach = forward ? (end.x - x) / 2 : COLUMN_GAP - 12;
  const along = (a: number, b: number, c: number, d: number): number =>
    a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t * t * (1 - t) + d * t ** 3;
  const mark = { x: along(x, x + reach, end.x - reach, end.x), y: along(y, y, end.y, end.y) };
  const last = `C${r(x + reach)},${r(y)} ${r(end.x - reach)},${r(end.y)} ${r(end.x)},${r(end.y)}`;
  go(end.x, end.y, last, forward ? 0 : reach);
  return { link, pieces, mark, room: Infinity, wordRoom: Infinity, ...box };
}

/** A link's line as far as it lies near a window. What is outside costs as much as what is seen: dashes are
 * laid along all of a line, and those of large traces are a hundred windows long. */
export function near(link: PlacedLink, window: Box): string {
  let path = "";
  let before = false;
  for (const piece of link.pieces) {
    const seen = overlaps(piece, window);
    if (seen) path += before ? piece.path : piece.start + piece.path;
    before = seen;
  }
  return path;
}

function r(value: number): number {
  return Math.round(value * 10) / 10;
}

export function overlaps(a: Box, b: Box): boolean {
  return a.left <= b.right && a.right >= b.left && a.top <= b.bottom && a.bottom >= b.top;
}
