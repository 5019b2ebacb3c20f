/**
 * Where the nodes stand: columns by lane and rank, few crossings, long hops led between the nodes.
 *
 * Longest-path ranks within lanes, dummy vertices on hops that pass a column, barycentre sweeps that
 * keep the best order seen, and rows placed by isotonic regression: each node as near to its neighbours'
 * middle as the order of its column allows.
 */

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

interface Vertex {
  rank: number;
  /** Height it takes in its column. */
  size: number;
  left: number[];
  right: number[];
}

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
  const vertices: Vertex[] = ranks.map((r) => ({ rank: r, size: NODE_HEIGHT + ROW_GAP, left: [], right: [] }));
  const chains = directed.map(([from, to]) => chain(vertices, from, to));
  const columns: number[][] = [];
  vertices.forEach((vertex, i) => (columns[vertex.rank] ??= []).push(i));
  for (let i = 0; i < columns.length; i++) columns[i] ??= [];
  const crossings = arrange(columns, vertices);
  const rows = place(columns, vertices);
  const x = (r: number): number => r * (NODE_WIDTH + COLUMN_GAP);
  const bends: Point[][] = input.edges.map(() => []);
  chains.forEach((bend, i) => {
    const edge = edgeOf[i] as number;
    const points = bend.map((v) => ({ x: x((vertices[v] as Vertex).rank), y: rows[v] as number }));
    bends[edge] = reversed.has(edge) ? points.reverse() : points;
  });
  const nodes = new Map(input.nodes.map((node, i) => [node.id, { x: x(ranks[i] as number), y: rows[i] as number }]));
  return {
    nodes,
    bends,
    reversed,
    lanes: spans.map((span) => ({ lane: span.lane, left: x(span.first), right: x(span.last) + NODE_WIDTH })),
    width: Math.max(0, columns.length * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP),
    height: Math.max(0, ...[...nodes.values()].map((point) => point.y + NODE_HEIGHT / 2)),
    crossings,
  };
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

function rank(
  lane: readonly number[],
  order: readonly number[],
  edges: readonly (readonly [number, number])[],
): { ranks: number[]; spans: { lane: number; first: number; last: number }[] } {
  const before: number[][] = lane.map(() => []);
  for (const [from, to] of edges) (before[to] as number[]).push(from);
  const ranks = new Array<number>(lane.length).fill(0);
  const spans: { lane: number; first: number; last: number }[] = [];
  const lanes = [...new Set(lane)].sort((a, b) => a - b);
  const byLane = new Map<number, number[]>(lanes.map((l) => [l, []]));
  for (const v of order) (byLane.get(lane[v] as number) as number[]).push(v);
  let first = 0;
  for (const l of lanes) {
    let last = first;
    for (const v of byLane.get(l) as number[]) {
      let r = first;
      for (const u of before[v] as number[]) if (lane[u] === l) r = Math.max(r, (ranks[u] as number) + 1);
      ranks[v] = r;
      last = Math.max(last, r);
    }
    spans.push({ lane: l, first, last });
    first = last + 1;
  }
  return { ranks, spans };
}

/** Dummy vertices in every column that an edge passes; returns them left to right. */
function chain(vertices: Vertex[], from: number, to: number): number[] {
  const passed: number[] = [];
  let previous = from;
  const last = (vertices[to] as Vertex).rank;
  for (let r = (vertices[from] as Vertex).rank + 1; r < last; r++) {
    const bend = vertices.push({ rank: r, size: BEND_HEIGHT, left: [], right: [] }) - 1;
    link(vertices, previous, bend);
    passed.push(bend);
    previous = bend;
  }
  link(vertices, previous, to);
  return passed;
}

function link(vertices: Vertex[], from: number, to: number): void {
  (vertices[from] as Vertex).right.push(to);
  (vertices[to] as Vertex).left.push(from);
}

/** Barycentre sweeps; the order with the fewest crossings is kept. Returns its crossings. */
function arrange(columns: number[][], vertices: readonly Vertex[]): number {
  const at = new Float64Array(vertices.length);
  const note = (column: number[]): void => column.forEach((v, i) => (at[v] = i));
  columns.forEach(note);
  let best = columns.map((column) => column.slice());
  let fewest = crossings(columns, vertices, at);
  const sweeps = vertices.length > 4000 ? 6 : 14;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const rightward = sweep % 2 === 1;
    for (let step = 0; step < columns.length; step++) {
      const column = columns[rightward ? step : columns.length - 1 - step] as number[];
      const key = new Map<number, number>();
      for (const v of column) {
        const near = rightward ? (vertices[v] as Vertex).left : (vertices[v] as Vertex).right;
        let sum = 0;
        for (const u of near) sum += at[u] as number;
        key.set(v, near.length > 0 ? sum / near.length : (at[v] as number));
      }
      column.sort((a, b) => (key.get(a) as number) - (key.get(b) as number) || (at[a] as number) - (at[b] as number));
      note(column);
    }
    const count = crossings(columns, vertices, at);
    if (count < fewest) {
      fewest = count;
      best = columns.map((column) => column.slice());
    }
  }
  best.forEach((column, i) => (columns[i] = column));
  return fewest;
}

/** Crossings between neighbouring columns, counted with a Fenwick tree. */
function crossings(columns: readonly number[][], vertices: readonly Vertex[], at: Float64Array): number {
  let total = 0;
  for (let c = 0; c + 1 < columns.length; c++) {
    const size = (columns[c + 1] as number[]).length;
    const tree = new Int32Array(size + 1);
    let seen = 0;
    for (const v of columns[c] as number[]) {
      const targets = (vertices[v] as Vertex).right.map((u) => at[u] as number);
      for (const target of targets) {
        let below = 0;
        for (let i = target + 1; i > 0; i -= i & -i) below += tree[i] as number;
        total += seen - below;
      }
      for (const target of targets) {
        seen++;
        for (let i = target + 1; i <= size; i += i & -i) tree[i] = (tree[i] as number) + 1;
      }
    }
  }
  return total;
}

/** Middle heights: each column's wishes, made to fit its order by pooling neighbours that would overlap. */
function place(columns: readonly number[][], vertices: readonly Vertex[]): Float64Array {
  const y = new Float64Array(vertices.length);
  for (const column of columns) {
    let top = 0;
    for (const v of column) {
      const size = (vertices[v] as Vertex).size;
      y[v] = top + size / 2;
      top += size;
    }
  }
  for (let sweep = 0; sweep < 10; sweep++) {
    const rightward = sweep % 2 === 0;
    for (let step = 0; step < columns.length; step++) {
      const column = columns[rightward ? step : columns.length - 1 - step] as number[];
      const wish = column.map((v) => {
        const vertex = vertices[v] as Vertex;
        const near = sweep > 7 ? vertex.left.concat(vertex.right) : rightward ? vertex.left : vertex.right;
        let sum = 0;
        for (const u of near) sum += y[u] as number;
        return near.length > 0 ? sum / near.length : (y[v] as number);
      });
      isotonic(column, wish, vertices, y);
    }
  }
  let lowest = Infinity;
  vertices.forEach((vertex, v) => (lowest = Math.min(lowest, (y[v] as number) - vertex.size / 2)));
  const shift = Number.isFinite(lowest) ? -lowest : 0;
  for (let v = 0; v < y.length; v++) y[v] = (y[v] as number) + shift;
  return y;
}

function isotonic(column: readonly number[], wish: readonly number[], vertices: readonly Vertex[], y: Float64Array): void {
  // Subtracting each node's distance from the first turns "do not overlap" into "do not decrease".
  const offset: number[] = [];
  let sum = 0;
  column.forEach((v, i) => {
    const half = (vertices[v] as Vertex).size / 2;
    if (i > 0) sum += half + (vertices[column[i - 1] as number] as Vertex).size / 2;
    offset.push(sum);
  });
  const pools: { mean: number; weight: number; count: number }[] = [];
  column.forEach((v, i) => {
    const weight = (vertices[v] as Vertex).size > BEND_HEIGHT ? 1 : 4; // straight long hops matter most
    let pool = { mean: (wish[i] as number) - (offset[i] as number), weight, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.mean >= pool.mean; last = pools.at(-1)) {
      pools.pop();
      const together = last.weight + pool.weight;
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / together,
        weight: together,
        count: last.count + pool.count,
      };
    }
    pools.push(pool);
  });
  let i = 0;
  for (const pool of pools)
    for (let n = 0; n < pool.count; n++, i++) y[column[i] as number] = pool.mean + (offset[i] as number);
}
