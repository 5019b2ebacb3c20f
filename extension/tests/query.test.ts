import { describe, expect, it, vi } from "vitest";
import { index } from "../src/view/model.js";
import { choices, find, NO_FILTERS } from "../src/view/query.js";
import { audit, node, small } from "./audits.js";

const model = index(small());

describe("what is searched for", () => {
  it("is all of the words, in any order, in any field", () => {
    expect(find(model, "v1 CUSTOMERS", NO_FILTERS)?.nodes).toEqual(["dataset:customers@1"]);
    expect(find(model, "  ", NO_FILTERS)).toBeNull();
  });

  it("is an expression between slashes, each field by itself", () => {
    expect(find(model, "/^churn/", NO_FILTERS)?.nodes).toEqual(["model:churn@3", "endpoint:churn-prod"]);
    expect(find(model, "/^CHURN$/", NO_FILTERS)?.nodes).toEqual([]);
    expect(find(model, "/churn v\\d$/i", NO_FILTERS)?.nodes).toEqual(["model:churn@3"]);
  });

  it("is nothing when the expression is none, and the reader is told why", () => {
    const found = find(model, "/(churn/", NO_FILTERS);
    expect(found?.problem).toContain("not closed");
    expect(found?.lit.size).toBe(0);
  });

  it("lights the hops of what was found", () => {
    expect(find(model, "customers", NO_FILTERS)?.lit).toEqual(new Set(["dataset:customers@1", "h3"]));
  });

  it("ends within its time, and says that not all was looked at", () => {
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 3));
    const many = index(audit(Array.from({ length: 500 }, (_, i) => node(`dataset:d${i}`, "data")), []));
    const found = find(many, "/d/", NO_FILTERS);
    clock.mockRestore();
    expect(found?.cut).toBe(true);
    expect(found?.nodes.length).toBeGreaterThan(0);
    expect(found?.nodes.length).toBeLessThan(500);
  });
});

describe("filters", () => {
  it("leave hops by gate and by basis, with their ends", () => {
    const found = find(model, "", { ...NO_FILTERS, status: new Set(["failed"]) });
    expect(found?.hops).toEqual(["h3"]);
    expect(found?.lit).toEqual(new Set(["h3", "dataset:customers@1", "run:train"]));
    expect(find(model, "", { ...NO_FILTERS, basis: new Set(["declared"]) })?.hops).toEqual(["h4"]);
  });

  it("leave things by kind, and join with words", () => {
    expect(find(model, "", { ...NO_FILTERS, kind: new Set(["dataset"]) })?.nodes).toHaveLength(3);
    expect(find(model, "usage", { ...NO_FILTERS, kind: new Set(["dataset"]) })?.nodes).toEqual(["dataset:usage@1"]);
    expect(find(model, "", { ...NO_FILTERS, kind: new Set(["dataset"]), status: new Set(["failed"]) })?.nodes).toEqual(["dataset:customers@1"]);
  });

  it("offer what there is, with how many", () => {
    const { kind, status } = choices(model);
    expect(Object.fromEntries(kind)).toEqual({ dataset: 3, run: 2, model: 1, endpoint: 1 });
    expect(Object.fromEntries(status)).toEqual({ passed: 1, missing: 1, failed: 1, none: 3 });
  });
});
