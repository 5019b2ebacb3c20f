/** Where everything of an audit stands, and which of it can be seen through a window. */

import { LANES, type Hop, type TraceNode } from "./audit.js";
import { layout, NODE_HEIGHT, NODE_WIDTH, type Point } from "./layout.js";
import type { Model } from "./model.js";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface PlacedNode extends Box {
  node: TraceNode;
  column: number;
  /** Its place in its column, from the top. */
  row: number;
}

/** A part of a hop's line, from one column to the next. */
export interface Piece extends Box {
  start: string;
  path: string;
}

export interface PlacedHop extends Box {
  hop: Hop;
  pieces: Piece[];
  /** Where the gate's mark stands. */
  mark: Point;
}

export interface Scene {
  nodes: Map<string, PlacedNode>;
  hops: Map<string, PlacedHop>;
  columns: PlacedNode[][];
  lanes: { title: string; left: number; right: number }[];
  width: number;
  height: number;
}

export function scene(model: Model): Scene {
  const lanes = new Map(LANES.map((item, i) => [item.lane, i]));
  const { audit } = model;
  const placed = layout({
    nodes: audit.nodes.map((node) => ({ id: node.ref, lane: lanes.get(node.lane) ?? 0 })),
    edges: audit.hops,
  });
  const nodes = new Map<string, PlacedNode>();
  const byX = new Map<number, PlacedNode[]>();
  for (const node of audit.nodes) {
    const at = placed.nodes.get(node.ref) as Point;
    const top = at.y - NODE_HEIGHT / 2;
    const item = { node, column: 0, row: 0, left: at.x, top, right: at.x + NODE_WIDTH, bottom: top + NODE_HEIGHT };
    nodes.set(node.ref, item);
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
  const hops = new Map<string, PlacedHop>();
  audit.hops.forEach((hop, i) => {
    const cause = nodes.get(hop.cause);
    const effect = nodes.get(hop.effect);
    if (cause !== undefined && effect !== undefined)
      hops.set(hop.id, route(hop, cause, effect, placed.bends[i] ?? [], meet(model, hop)));
  });
  return {
    nodes,
    hops,
    columns,
    lanes: placed.lanes.map((span) => ({ ...span, title: LANES[span.lane]?.title ?? "" })),
    width: placed.width,
    height: placed.height,
  };
}

/** How far along its last piece a hop's mark stands: away from the end where hops crowd together. */
function meet(model: Model, hop: Hop): number {
  const into = model.into.get(hop.effect)?.length ?? 0;
  const out = model.out.get(hop.cause)?.length ?? 0;
  return into === out ? 0.5 : into > out ? 0.3 : 0.7;
}

/** A hop's line: from the cause's right side, level past the columns between, into the effect's left side. */
function route(hop: Hop, cause: PlacedNode, effect: PlacedNode, bends: readonly Point[], t: number): PlacedHop {
  let x = cause.right;
  let y = (cause.top + cause.bottom) / 2;
  const end = { x: effect.left, y: (effect.top + effect.bottom) / 2 };
  const pieces: Piece[] = [];
  const box = { left: x, right: x, top: y, bottom: y };
  /** Adds what goes from here to the point, and `out` beyond the two at most. */
  const go = (px: number, py: number, path: string, out = 0): void => {
    const [left, right] = [Math.min(x, px) - out, Math.max(x, px) + out];
    const [top, bottom] = [Math.min(y, py), Math.max(y, py)];
    pieces.push({ start: `M${r(x)},${r(y)}`, path, left, right, top, bottom });
    box.left = Math.min(box.left, left);
    box.right = Math.max(box.right, right);
    box.top = Math.min(box.top, top);
    box.bottom = Math.max(box.bottom, bottom);
    [x, y] = [px, py];
  };
  const forward = end.x > x;
  for (const bend of bends) {
    const [from, to] = forward ? [bend.x, bend.x + NODE_WIDTH] : [bend.x + NODE_WIDTH, bend.x];
    const middle = (x + from) / 2;
    go(to, bend.y, `C${r(middle)},${r(y)} ${r(middle)},${r(bend.y)} ${r(from)},${r(bend.y)}H${r(to)}`);
  }
  // A hop that runs against the flow leaves and enters in a loop, so that it cannot be taken for the others.
  const reach = forward ? (end.x - x) / 2 : 60;
  const along = (a: number, b: number, c: number, d: number): number =>
    a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t * t * (1 - t) + d * t ** 3;
  const mark = { x: along(x, x + reach, end.x - reach, end.x), y: along(y, y, end.y, end.y) };
  const last = `C${r(x + reach)},${r(y)} ${r(end.x - reach)},${r(end.y)} ${r(end.x)},${r(end.y)}`;
  go(end.x, end.y, last, forward ? 0 : reach);
  return { hop, pieces, mark, ...box };
}

/** A hop's line as far as it lies near a window. What is outside costs as much as what is seen: dashes are
 * laid along all of a line, and those of large traces are a hundred windows long. */
export function near(hop: PlacedHop, window: Box): string {
  let path = "";
  let before = false;
  for (const piece of hop.pieces) {
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
