import { describe, expect, it } from "vitest";
import { layout, NODE_HEIGHT, NODE_WIDTH, type LayoutInput } from "../src/view/layout.js";

/** A seeded generator, so that a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function estate(count: number, seed: number): LayoutInput {
  const next = random(seed);
  const nodes = Array.from({ length: count }, (_, i) => ({ id: `n${i}`, lane: Math.floor((i / count) * 6) }));
  const edges = nodes.slice(1).flatMap((node, i) =>
    Array.from({ length: 1 + Math.floor(next() * 2) }, () => ({ cause: `n${Math.floor(next() * (i + 1))}`, effect: node.id })),
  );
  return { nodes, edges };
}

describe("layout", () => {
  it.each([1, 2, 3, 4, 5])("lays no node over another (seed %i)", (seed) => {
    const placed = [...layout(estate(150, seed)).nodes.values()];
    for (let i = 0; i < placed.length; i++)
      for (let j = 0; j < i; j++) {
        const [a, b] = [placed[i]!, placed[j]!];
        expect(Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT - 1e-6).toBe(true);
      }
  });

  it("puts every cause left of its effect, and the lanes in their order", () => {
    const input = estate(120, 7);
    const { nodes, lanes } = layout(input);
    for (const { cause, effect } of input.edges) expect(nodes.get(cause)!.x).toBeLessThan(nodes.get(effect)!.x);
    expect(lanes.map((lane) => lane.lane)).toEqual([0, 1, 2, 3, 4, 5]);
    for (let i = 1; i < lanes.length; i++) expect(lanes[i]!.left).toBeGreaterThan(lanes[i - 1]!.right);
  });

  it("ends on circles and hops against the flow, and says which it turned around", () => {
    const nodes = ["a", "b", "c"].map((id) => ({ id, lane: 1 }));
    const edges = [
      { cause: "a", effect: "b" },
      { cause: "b", effect: "c" },
      { cause: "c", effect: "a" },
      { cause: "a", effect: "a" },
    ];
    const placed = layout({ nodes, edges });
    expect(placed.nodes.size).toBe(3);
    expect(placed.reversed.size).toBe(1);
  });

  it("untangles two chains that were given tangled", () => {
    const nodes = ["a1", "b1", "b2", "a2", "a3", "b3"].map((id) => ({ id, lane: Number(id[1]) }));
    const edges = ["a", "b"].flatMap((chain) => [
      { cause: `${chain}1`, effect: `${chain}2` },
      { cause: `${chain}2`, effect: `${chain}3` },
    ]);
    const placed = layout({ nodes, edges });
    expect(placed.crossings).toBe(0);
    expect(placed.nodes.get("a1")!.y).toBe(placed.nodes.get("a3")!.y);
  });

  it("is the same whenever it is asked", () => {
    expect(layout(estate(80, 3))).toEqual(layout(estate(80, 3)));
  });

  it("leads a long hop past the nodes between, not through them", () => {
    const nodes = ["a", "b", "c"].map((id, lane) => ({ id, lane }));
    const placed = layout({
      nodes,
      edges: [
        { cause: "a", effect: "b" },
        { cause: "b", effect: "c" },
        { cause: "a", effect: "c" },
      ],
    });
    const bend = placed.bends[2]![0]!;
    expect(Math.abs(bend.y - placed.nodes.get("b")!.y)).toBeGreaterThan(NODE_HEIGHT / 2);
  });

  it.each([1, 2, 3, 4, 5])("unties a tree, whatever order its things come in (seed %i)", (seed) => {
    const next = random(seed);
    const nodes = Array.from({ length: 60 }, (_, i) => ({ id: `n${i}`, lane: Math.floor(Math.log2(i + 1)) }));
    const edges = nodes.slice(1).map((node, i) => ({ cause: node.id, effect: `n${Math.floor(i / 2)}` }));
    const shuffled = nodes.map((node) => ({ ...node, lane: 5 - node.lane, key: next() })).sort((a, b) => a.key - b.key);
    expect(layout({ nodes: shuffled, edges }).crossings).toBe(0);
  });

  it("crosses less than sweeping alone would", () => {
    // What barycentre sweeps left of these, when they were all there was.
    const swept = [[60, 1, 120], [120, 2, 629], [200, 3, 2037]] as const;
    for (const [count, seed, crossings] of swept) expect(layout(estate(count, seed)).crossings).toBeLessThan(0.95 * crossings);
  });

  it("puts a thing near what it goes to, where it has more of that than it comes from", () => {
    // Nothing comes before b; without that rule it would stand in the first column of its lane.
    const nodes = ["a1", "a2", "a3", "b", "c", "d"].map((id) => ({ id, lane: id === "c" || id === "d" ? 1 : 0 }));
    const edges = [["a1", "a2"], ["a2", "a3"], ["a3", "c"], ["b", "c"], ["b", "d"]].map(([cause, effect]) => ({ cause: cause!, effect: effect! }));
    const placed = layout({ nodes, edges });
    expect(placed.nodes.get("b")!.x).toBe(placed.nodes.get("a3")!.x);
    expect(placed.bends.flat()).toEqual([]);
  });

  it("takes any lanes, also with none between", () => {
    const nodes = [0, 3, 7, 12].map((lane) => ({ id: `n${lane}`, lane }));
    const placed = layout({ nodes, edges: [{ cause: "n0", effect: "n12" }, { cause: "n3", effect: "n7" }] });
    expect(placed.lanes.map((lane) => lane.lane)).toEqual([0, 3, 7, 12]);
    expect(layout({ nodes: [], edges: [] })).toMatchObject({ width: 0, height: 0, crossings: 0 });
  });
});
