/**
 * What benchmarks/view.py measures apart from a report: one layout of one graph, by this view and by its peers, and
 * the drawing with everything open, on a page like the peers'.
 *
 * A layout runs in a worker that is new each time, as a report lays out once, on code that has not run before.
 * Dagre is there if its script was loaded before this one; ELK brings a worker of its own; dot has run before.
 */

import type { Audit } from "./view/audit.js";
import { Drawing } from "./view/drawing.js";
import { layout, NODE_HEIGHT, NODE_WIDTH, type LayoutInput, type Point } from "./view/layout.js";
import { index } from "./view/model.js";

const COLUMN_GAP = 72;
const ROW_GAP = 22;

interface Drawn {
  /** Of the layout alone: neither building a peer's graph nor reading its answer is counted. */
  ms: number;
  /** Nodes that were placed, and pairs of them that lie over one another. */
  placed: number;
  overlaps: number;
  /** Crossings of the hops, drawn as straight pieces. */
  crossings: number;
}

interface DagreGraph {
  setGraph(options: object): void;
  setNode(id: string, size: object): void;
  setEdge(from: string, to: string, label: object, name: string): void;
  node(id: string): Partial<Point> | undefined;
  edge(from: string, to: string, name: string): { points: Point[] };
}

interface Dagre {
  graphlib: { Graph: new (options: object) => DagreGraph };
  layout(graph: DagreGraph): void;
}

interface ElkGraph {
  children: { id: string; x?: number; y?: number }[];
  edges: { sections?: { startPoint: Point; bendPoints?: Point[]; endPoint: Point }[] }[];
}

function ours(input: LayoutInput): Drawn {
  const begun = performance.now();
  const made = layout(input);
  const ms = performance.now() - begun;
  const lines = input.edges.map(({ cause, effect }, i) => {
    const from = made.nodes.get(cause) as Point;
    const passed = (made.bends[i] ?? []).flatMap((bend) => [bend, { x: bend.x + NODE_WIDTH, y: bend.y }]);
    return [{ x: from.x + NODE_WIDTH, y: from.y }, ...passed, made.nodes.get(effect) as Point];
  });
  return judged(ms, [...made.nodes.values()], lines);
}

function dagre(input: LayoutInput): Drawn {
  const library = (globalThis as unknown as { dagre: Dagre }).dagre;
  const graph = new library.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: ROW_GAP, ranksep: COLUMN_GAP });
  for (const { id } of input.nodes) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  input.edges.forEach(({ cause, effect }, i) => graph.setEdge(cause, effect, {}, String(i)));
  const begun = performance.now();
  library.layout(graph);
  const ms = performance.now() - begun;
  const places = input.nodes.flatMap(({ id }) => {
    const { x, y } = graph.node(id) ?? {};
    return x === undefined || y === undefined ? [] : [{ x: x - NODE_WIDTH / 2, y }];
  });
  return judged(ms, places, input.edges.map(({ cause, effect }, i) => graph.edge(cause, effect, String(i)).points));
}

/** The graph as ELK is given it. */
function forElk(input: LayoutInput): object {
  return {
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "POLYLINE",
      "elk.spacing.nodeNode": String(ROW_GAP),
      "elk.layered.spacing.nodeNodeBetweenLayers": String(COLUMN_GAP),
    },
    children: input.nodes.map(({ id }) => ({ id, width: NODE_WIDTH, height: NODE_HEIGHT })),
    edges: input.edges.map(({ cause, effect }, i) => ({ id: `e${i}`, sources: [cause], targets: [effect] })),
  };
}

/** What ELK answered. */
function fromElk(ms: number, answer: ElkGraph): Drawn {
  const places = answer.children.flatMap(({ x, y }) => (x === undefined || y === undefined ? [] : [{ x, y: y + NODE_HEIGHT / 2 }]));
  const lines = answer.edges.flatMap(({ sections }) =>
    (sections ?? []).map(({ startPoint, bendPoints, endPoint }) => [startPoint, ...(bendPoints ?? []), endPoint]),
  );
  return judged(ms, places, lines);
}

/** What is measured of every layout. Places are the nodes' left ends, halfway down; lines are straight pieces. */
function judged(ms: number, places: readonly Point[], lines: readonly Point[][]): Drawn {
  let overlaps = 0;
  places.forEach((a, i) => {
    for (let j = 0; j < i; j++) {
      const b = places[j] as Point;
      if (Math.abs(a.x - b.x) < NODE_WIDTH - 1e-6 && Math.abs(a.y - b.y) < NODE_HEIGHT - 1e-6) overlaps++;
    }
  });
  return { ms, placed: places.length, overlaps, crossings: crossings(lines) };
}

/** Pairs of straight pieces, of different lines, that go through each other; meeting at an end is none. */
function crossings(lines: readonly Point[][]): number {
  const pieces = lines
    .flatMap((line, owner) =>
      line.slice(1).map((b, i) => {
        const a = line[i] as Point;
        const [left, right, top, bottom] = [Math.min(a.x, b.x), Math.max(a.x, b.x), Math.min(a.y, b.y), Math.max(a.y, b.y)];
        return { owner, a, b, left, right, top, bottom };
      }),
    )
    .sort((one, other) => one.left - other.left);
  const side = (a: Point, b: Point, c: Point): number => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
  const apart = (first: number, second: number): boolean => (first > 1e-6 && second < -1e-6) || (first < -1e-6 && second > 1e-6);
  let found = 0;
  let open: typeof pieces = [];
  for (const piece of pieces) {
    open = open.filter((other) => other.right > piece.left);
    for (const { owner, a, b, top, bottom } of open) {
      if (owner === piece.owner || top > piece.bottom || bottom < piece.top) continue;
      if (apart(side(a, b, piece.a), side(a, b, piece.b)) && apart(side(piece.a, piece.b, a), side(piece.a, piece.b, b))) found++;
    }
    open.push(piece);
  }
  return found;
}

/** The drawing alone, with all groups open. */
function stage(audit: Audit, place: HTMLElement): Drawing {
  const nothing = (): void => undefined;
  const drawing = new Drawing(index(audit), { select: nothing, search: nothing, help: nothing, expand: nothing, announce: nothing });
  drawing.openAll();
  place.append(drawing.element);
  return drawing;
}

Object.assign(globalThis, { lxBench: { ours, dagre, forElk, fromElk, judged, stage } });
