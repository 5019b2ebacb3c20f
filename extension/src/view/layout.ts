/**
 * Where the nodes stand: columns by lane and rank, few crossings, long hops led between the nodes.
 *
 * Longest-path ranks within lanes, made shorter; bends on hops that pass a column; an order of each column
 * with few crossings (order.ts); and rows placed by isotonic regression: each node as near to its
 * neighbours' middle as the order of its column allows.
 */

import { arrange, joined, type Joined } from "./order.js";

export interface LayoutInput {
  nodes: readonly { id: string; lane: number }[];
  edges: readonly { cause: string; effect: string }[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  nodes: Map<string, Point>;
  /** For each edge, in the order given: the left ends of the level pieces it passes. */
  bends: Point[][];
  /** Edges that were turned around because they close a circle, by index. */
  reversed: Set<number>;
  /** For each lane that has nodes: its first column's left edge and its last column's right edge. */
  lanes: { lane: number; left: number; right: number }[];
  width: number;
  height: number;
  crossings: number;
}

export const NODE_WIDTH = 212;
export const NODE_HEIGHT = 62;
export const COLUMN_GAP = 72;
const ROW_GAP = 22;
const BEND_HEIGHT = 14;

export function layout(input: LayoutInput): Layout {
  const index = new Map(input.nodes.map((node, i) => [node.id, i]));
  const ends = input.edges.map((edge) => [index.get(edge.cause), index.get(edge.effect)] as const);
  const lane = input.nodes.map((node) => node.lane);
  const { order, reversed } = acyclic(lane, ends);
  const directed: [number, number][] = [];
  const edgeOf: number[] = [];
  ends.forEach(([cause, effect], i) => {
    if (cause === undefined || effect === undefined || cause === effect) return;
    directed.push(reversed.has(i) ? [effect, cause] : [cause, effect]);
    edgeOf.push(i);
  });
  const { ranks, spans } = rank(lane, order, directed);
  // From here on there are vertices: the nodes, and a bend in every column that an edge passes.
  const from: number[] = [];
  const to: number[] = [];
  const chains = directed.map(([cause, effect]) => {
    const passed: number[] = [];
    for (let r = ranks[cause]! + 1, last = ranks[effect]!; r < last; r++) passed.push(ranks.push(r) - 1);
    let previous = cause;
    for (const next of [...passed, effect]) {
      from.push(previous);
      to.push(next);
      previous = next;
    }
    return passed;
  });
  const columns = byRank(ranks, spans.at(-1)?.last ?? -1);
  const [left, right] = [joined(ranks.length, to, from), joined(ranks.length, from, to)];
  const crossings = arrange(columns, left, right);
  const rows = place(columns, left, right, input.nodes.length);
  const x = (r: number): number => r * (NODE_WIDTH + COLUMN_GAP);
  const bends: Point[][] = input.edges.map(() => []);
  chains.forEach((passed, i) => {
    const points = passed.map((v) => ({ x: x(ranks[v]!), y: rows[v]! }));
    bends[edgeOf[i]!] = reversed.has(edgeOf[i]!) ? points.reverse() : points;
  });
  const nodes = new Map(input.nodes.map((node, i) => [node.id, { x: x(ranks[i]!), y: rows[i]! }]));
  return {
    nodes,
    bends,
    reversed,
    lanes: spans.map((span) => ({ lane: span.lane, left: x(span.first), right: x(span.last) + NODE_WIDTH })),
    width: Math.max(0, columns.length * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP),
    height: input.nodes.reduce((lowest, _, i) => Math.max(lowest, rows[i]! + NODE_HEIGHT / 2), 0),
    crossings,
  };
}

function byRank(ranks: readonly number[], last: number): Int32Array[] {
  const sizes = new Int32Array(last + 1);
  for (const r of ranks) sizes[r]!++;
  const columns = [...sizes].map((size) => new Int32Array(size));
  sizes.fill(0);
  ranks.forEach((r, v) => (columns[r]![sizes[r]!++] = v));
  return columns;
}

type Ends = readonly (readonly [number | undefined, number | undefined])[];

/** A topological order, after turning around the edges that close circles or run against the lanes. */
function acyclic(lane: readonly number[], ends: Ends): { order: number[]; reversed: Set<number> } {
  const out: { to: number; edge: number }[][] = lane.map(() => []);
  const reversed = new Set<number>();
  ends.forEach(([from, to], edge) => {
    if (from === undefined || to === undefined || from === to) return;
    if ((lane[from] as number) > (lane[to] as number)) {
      reversed.add(edge);
      (out[to] as { to: number; edge: number }[]).push({ to: from, edge });
    } else (out[from] as { to: number; edge: number }[]).push({ to, edge });
  });
  const state = new Uint8Array(lane.length); // 0 unseen, 1 on the path, 2 done
  const order: number[] = [];
  for (let start = 0; start < lane.length; start++) {
    if (state[start] !== 0) continue;
    const stack: { v: number; next: number }[] = [{ v: start, next: 0 }];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { v: number; next: number };
      const step = (out[top.v] as { to: number; edge: number }[])[top.next++];
      if (step === undefined) {
        state[top.v] = 2;
        order.push(top.v);
        stack.pop();
      } else if (state[step.to] === 0) {
        state[step.to] = 1;
        stack.push({ v: step.to, next: 0 });
      } else if (state[step.to] === 1) {
        // Closing a circle: turned around, or turned back if the lanes had turned it.
        if (reversed.has(step.edge)) reversed.delete(step.edge);
        else reversed.add(step.edge);
      }
    }
  }
  return { order: order.reverse(), reversed };
}

/** Columns: in its lane, each node as far left as what it comes from allows, then nearer to what it is joined to. */
function rank(
  lane: readonly number[],
  order: readonly number[],
  edges: readonly (readonly [number, number])[],
): { ranks: number[]; spans: { lane: number; first: number; last: number }[] } {
  const into: number[][] = lane.map(() => []);
  const out: number[][] = lane.map(() => []);
  for (const [from, to] of edges) {
    into[to]!.push(from);
    out[from]!.push(to);
  }
  const ranks = new Array<number>(lane.length).fill(0);
  const spans: { lane: number; first: number; last: number }[] = [];
  const lanes = [...new Set(lane)].sort((a, b) => a - b);
  const byLane = new Map<number, number[]>(lanes.map((l) => [l, []]));
  for (const v of order) byLane.get(lane[v]!)!.push(v);
  let first = 0;
  for (const l of lanes) {
    let last = first;
    for (const v of byLane.get(l)!) {
      let r = first;
      for (const u of into[v]!) if (lane[u] === l) r = Math.max(r, ranks[u]! + 1);
      ranks[v] = r;
      last = Math.max(last, r);
    }
    spans.push({ lane: l, first, last });
    first = last + 1;
  }
  const span = new Map(spans.map((item) => [item.lane, item]));
  for (let pass = 0; pass < 4; pass++) {
    const rightward = pass % 2 === 0;
    for (let i = 0; i < order.length; i++) {
      const v = order[rightward ? order.length - 1 - i : i]!;
      const more = out[v]!.length - into[v]!.length;
      const { first, last } = span.get(lane[v]!)!;
      if (rightward && more > 0) ranks[v] = out[v]!.reduce((most, u) => Math.min(most, ranks[u]! - 1), last);
      else if (!rightward && more < 0) ranks[v] = into[v]!.reduce((least, u) => Math.max(least, ranks[u]! + 1), first);
    }
  }
  return { ranks, spans };
}

/** Middle heights: each column's wishes, made to fit its order by pooling neighbours that would overlap. */
function place(columns: readonly Int32Array[], left: Joined, right: Joined, nodes: number): Float64Array {
  const y = new Float64Array(left.at.length - 1);
  const size = (v: number): number => (v < nodes ? NODE_HEIGHT + ROW_GAP : BEND_HEIGHT);
  const largest = columns.reduce((most, column) => Math.max(most, column.length), 0);
  const fitted = new Isotonic(largest, nodes);
  for (const column of columns) {
    let top = 0;
    for (const v of column) {
      y[v] = top + size(v) / 2;
      top += size(v);
    }
  }
  for (let sweep = 0; sweep < 10; sweep++) {
    const rightward = sweep % 2 === 0;
    const both = sweep > 7;
    for (let step = 0; step < columns.length; step++) {
      const column = columns[rightward ? step : columns.length - 1 - step]!;
      for (let i = 0; i < column.length; i++) {
        const v = column[i]!;
        let sum = 0;
        let count = 0;
        if (rightward || both) {
          for (let n = left.at[v]!; n < left.at[v + 1]!; n++) sum += y[left.to[n]!]!;
          count += left.at[v + 1]! - left.at[v]!;
        }
        if (!rightward || both) {
          for (let n = right.at[v]!; n < right.at[v + 1]!; n++) sum += y[right.to[n]!]!;
          count += right.at[v + 1]! - right.at[v]!;
        }
        fitted.wish[i] = count > 0 ? sum / count : y[v]!;
      }
      fitted.fit(column, size, y);
    }
  }
  let lowest = Infinity;
  for (let v = 0; v < y.length; v++) lowest = Math.min(lowest, y[v]! - size(v) / 2);
  for (let v = 0; v < y.length; v++) y[v]! -= lowest;
  return y;
}

/** Isotonic regression of one column at a time: the nearest heights to those wished that do not overlap. */
class Isotonic {
  readonly wish: Float64Array;
  private readonly offset: Float64Array;
  private readonly mean: Float64Array;
  private readonly weight: Float64Array;
  private readonly end: Int32Array;

  constructor(
    largest: number,
    private readonly nodes: number,
  ) {
    this.wish = new Float64Array(largest);
    this.offset = new Float64Array(largest);
    this.mean = new Float64Array(largest);
    this.weight = new Float64Array(largest);
    this.end = new Int32Array(largest);
  }

  fit(column: Int32Array, size: (v: number) => number, y: Float64Array): void {
    const { wish, offset, mean, weight, end } = this;
    let pools = 0;
    let sum = 0;
    for (let i = 0; i < column.length; i++) {
      // Less each one's distance from the first, "do not overlap" is "do not decrease".
      if (i > 0) sum += (size(column[i - 1]!) + size(column[i]!)) / 2;
      offset[i] = sum;
      let here = wish[i]! - sum;
      let heavy = column[i]! < this.nodes ? 1 : 4; // straight long hops matter most
      while (pools > 0 && mean[pools - 1]! >= here) {
        pools--;
        const together = weight[pools]! + heavy;
        here = (mean[pools]! * weight[pools]! + here * heavy) / together;
        heavy = together;
      }
      mean[pools] = here;
      weight[pools] = heavy;
      end[pools++] = i + 1;
    }
    for (let pool = 0, i = 0; pool < pools; pool++) for (; i < end[pool]!; i++) y[column[i]!] = mean[pool]! + offset[i]!;
  }
}
