import { describe, expect, it } from "vitest";
import type { Hop, Status, TraceNode } from "../src/view/audit.js";
import { describeGroup, findGroups, trouble, type Group } from "../src/view/groups.js";
import { index } from "../src/view/model.js";
import { Plan } from "../src/view/plan.js";
import { shown } from "../src/view/shown.js";
import { audit, hop, node } from "./audits.js";

/** Tables read by one run that trains the model of an endpoint. */
function fan(tables: number, status: (i: number) => Status = () => "passed", more: (i: number) => Partial<TraceNode> = () => ({})) {
  const refs = Array.from({ length: tables }, (_, i) => `dataset:t${i}@1`);
  return audit(
    [
      ...refs.map((ref, i) => node(ref, "data", { roles: ["training"], ...more(i) })),
      node("run:train", "training", { label: "train-churn" }),
      node("model:m@1", "registry"),
      node("endpoint:e", "endpoint"),
    ],
    [
      ...refs.map((ref, i) => hop(`h${i}`, ref, "run:train", status(i), { role: "training" })),
      hop("hm", "run:train", "model:m@1", "none", { predicate: "was_generated_by" }),
      hop("he", "model:m@1", "endpoint:e", "passed", { predicate: "serves" }),
    ],
  );
}

/** A way of so many steps of preparation between a table and a training, begun anew `times` times. */
function chains(steps: number, times = 1, at: (i: number) => Partial<TraceNode> = () => ({})) {
  const nodes = [node("dataset:raw@1", "data"), node("run:train", "training"), node("endpoint:e", "endpoint")];
  const hops: Hop[] = [hop("he", "run:train", "endpoint:e")];
  for (let n = 0; n < times; n++) {
    let before = "dataset:raw@1";
    for (let i = 0; i < steps; i++) {
      const ref = i % 2 === 0 ? `run:s${n}-${i}` : `dataset:s${n}-${i}@1`;
      nodes.push(node(ref, "preparation", at(i)));
      hops.push(hop(`h${n}-${i}`, before, ref, i === 1 ? "failed" : "none"));
      before = ref;
    }
    hops.push(hop(`h${n}-end`, before, "run:train"));
  }
  return audit(nodes, hops);
}

const of = (content: ReturnType<typeof audit>): Group[] => findGroups(index(content));

describe("fans", () => {
  it("are things of one kind that are joined to the same, named by what that is", () => {
    const [group, ...others] = of(fan(38));
    expect(others).toEqual([]);
    expect(group).toMatchObject({ kind: "fan", title: "38 datasets read by train-churn", part: "training data", lane: "data", open: false, unknown: 0 });
    expect(group!.members).toHaveLength(38);
  });

  it("begin at five", () => {
    expect(of(fan(4))).toEqual([]);
    expect(of(fan(5))).toHaveLength(1);
  });

  it("tell how many gates are against them, each status with its number, the worst first", () => {
    const [group] = of(fan(8, (i) => (i < 2 ? "missing" : i === 2 ? "failed" : "passed")));
    expect(trouble(group!.statuses)).toBe("1 failed, 2 missing");
    expect(group!.statuses.get("passed")).toBe(5);
    expect(describeGroup(group!)).toContain("1 failed, 2 missing");
  });

  it("keep apart what is not on record, what has another part in the answer, and what nobody judged", () => {
    const unknown = of(fan(12, undefined, (i) => ({ resolved: i < 6 })));
    expect(unknown.map((group) => group.unknown).sort()).toEqual([0, 6]);
    expect(unknown.map(describeGroup).join()).toContain("6 not on record");
    expect(of(fan(12, undefined, (i) => ({ roles: [i < 6 ? "training" : "evaluation"] }))).map((group) => group.part)).toEqual(["training data", "evaluation data"]);
    expect(of(fan(12, undefined, (i) => (i < 6 ? { outside: true } : {}))).map((group) => group.outside)).toEqual([true, false]);
  });

  it("never hold the endpoint", () => {
    const content = audit(Array.from({ length: 9 }, (_, i) => node(`endpoint:e${i}`, "endpoint")), []);
    expect(of(content)[0]!.members).not.toContain(content.question.endpoint);
  });
});

describe("chains", () => {
  it("are ways without branches, named by their lane and their ends", () => {
    const [group, ...others] = of(chains(7));
    expect(others).toEqual([]);
    expect(group).toMatchObject({ kind: "chain", title: "7 steps of preparation from raw@1 to train", holds: expect.any(Array) });
    expect(group!.statuses).toEqual(new Map([["failed", 1]]));
  });

  it("begin at four, end where a lane ends, and never hide what is not on record", () => {
    expect(of(chains(3))).toEqual([]);
    expect(of(chains(4))).toHaveLength(1);
    expect(of(chains(7, 1, (i) => ({ resolved: i !== 3 })))).toEqual([]);
  });

  it("that begin and end alike are a fan of chains", () => {
    const found = of(chains(4, 6));
    const outer = found.at(-1)!;
    expect(outer).toMatchObject({ kind: "fan", count: "6 × 4 steps", within: "" });
    expect(outer.members).toHaveLength(24);
    expect(outer.holds).toEqual(found.slice(0, 6).map((group) => group.id));
    expect(found.slice(0, 6).every((group) => group.within === outer.id)).toBe(true);
  });

  it("end on circles", () => {
    const refs = ["a", "b", "c", "d", "e"].map((name) => `run:${name}`);
    const round = audit([...refs.map((ref) => node(ref, "preparation")), node("endpoint:e", "endpoint")], refs.map((ref, i) => hop(`h${i}`, ref, refs[(i + 1) % 5]!)));
    expect(() => of(round)).not.toThrow();
  });
});

describe("the name of a group", () => {
  it("is the same for the same members, in whatever order they come", () => {
    const content = fan(9);
    const turned = { ...content, nodes: [...content.nodes].reverse(), hops: [...content.hops].reverse() };
    expect(of(turned).map((group) => group.id)).toEqual(of(content).map((group) => group.id));
    expect(of(fan(10))[0]!.id).not.toBe(of(content)[0]!.id);
    expect(of(content)[0]!.id).toMatch(/^g:/u);
  });
});

describe("what is drawn while groups are closed", () => {
  it("is one link for all hops between the same two, as bad and as weak as the worst of them", () => {
    const content = fan(6, (i) => (i === 4 ? "failed" : "passed"));
    content.hops[2] = { ...content.hops[2]!, basis: "declared" };
    const model = index(content);
    const now = shown(model, findGroups(model));
    const merged = now.links.find((link) => link.effect === "run:train")!;
    expect(now.things.size).toBe(4);
    expect(merged.hops).toHaveLength(6);
    expect(merged.hops[0]!.id).toBe("h4");
    expect(merged).toMatchObject({ status: "failed", strength: "weak", outside: false });
  });

  it("is every node and every hop, each in one place", () => {
    const model = index(chains(4, 6));
    for (const open of [() => false, () => true, (group: Group) => group.kind === "fan", (group: Group) => group.kind === "chain"]) {
      const groups = findGroups(model).map((group) => ({ ...group, open: open(group) }));
      const now = shown(model, groups);
      const placed = model.audit.nodes.map((item) => (now.things.has(item.ref) ? item.ref : now.holder.get(item.ref)));
      expect(placed.every((id) => id !== undefined && now.things.has(id))).toBe(true);
      expect(new Set(placed)).toEqual(new Set(now.things.keys()));
      const joined = now.links.flatMap((link) => link.hops);
      const inside = model.audit.hops.filter((item) => now.holder.has(item.cause) && now.holder.get(item.cause) === now.holder.get(item.effect));
      expect(joined.length + inside.length).toBe(model.audit.hops.length);
    }
  });

  it("opens what an item stands in, and only that", () => {
    const plan = new Plan(index(chains(4, 24)));
    expect(plan.hidden("run:s3-2")).toBe(true);
    expect(plan.hidden("h3-1")).toBe(true);
    plan.setOpen((group) => group.open || plan.inside(group, "run:s3-2"));
    expect(plan.hidden("run:s3-2")).toBe(false);
    expect(plan.groups.filter((group) => group.open)).toHaveLength(2);
    expect(plan.groupAt("run:s3-2")).toMatchObject({ kind: "chain", open: true });
  });

  it("is everything in a small trace, and groups in a large one", () => {
    expect(new Plan(index(fan(20))).groups.map((group) => group.open)).toEqual([true]);
    expect(new Plan(index(fan(100))).groups.map((group) => group.open)).toEqual([false]);
  });

  it("keeps open what was open when another audit adds to it", () => {
    const plan = new Plan(index(fan(100)));
    plan.setOpen(() => true);
    plan.change(index(fan(101)));
    expect(plan.groups.map((group) => group.open)).toEqual([true]);
    plan.setOpen(() => false);
    plan.change(index(fan(102)));
    expect(plan.groups.map((group) => group.open)).toEqual([false]);
  });
});
