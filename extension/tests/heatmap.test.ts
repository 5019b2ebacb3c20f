// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Verdict } from "../src/view/audit.js";
import { cell, having, isEstate, ordered, tally, type Estate, type EstateRow } from "../src/view/estate.js";
import { mountEstate } from "../src/view/heatmap.js";
import widget from "../src/widget.js";

const HOSTILE = `<img src=x onerror=alert(1)>\u202E`;

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

function row(ref: string, verdict: Verdict, cells: EstateRow["cells"], more: Partial<EstateRow> = {}): EstateRow {
  return { ref, verdict, holds: 1, fails: verdict === "FAILED" ? 1 : 0, undetermined: verdict === "INCOMPLETE" ? 1 : 0, finding: verdict === "PASSED" ? "" : `why ${ref}`, cells, ...more };
}

function estate(endpoints: EstateRow[] = [], more: Partial<Estate> = {}): Estate {
  return {
    format: "lineage-explorer/estate",
    format_version: 1,
    question: { as_of: "2026-11-21T10:00:00Z", known_at: "2026-11-21T10:00:00Z", policy: { name: "release", version: "2", digest: "sha256:00" } },
    gates: [
      { id: "f1", title: "F1 of at least 0.90" },
      { id: "approval", title: "Approved" },
    ],
    endpoints,
    digest: "sha256:0123",
    ...more,
  };
}

const FEW = (): Estate =>
  estate([
    row("endpoint:a", "PASSED", { f1: "passed", approval: "" }),
    row("endpoint:b", "FAILED", { f1: "failed", approval: "passed" }),
    row("endpoint:c", "INCOMPLETE", { f1: "passed", approval: "missing" }),
    row("endpoint:d2", "PASSED", { f1: "waived", approval: "passed" }),
    row("endpoint:d10", "PASSED", { f1: "passed", approval: "passed" }),
  ]);

function mount(content = FEW(), open = vi.fn()) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mountEstate(place, content, { open });
  const text = (selector: string): string[] => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "");
  const names = (): string[] => text(".lx-heatbody .lx-heatname");
  const click = (words: string): void => [...place.querySelectorAll<HTMLElement>("button")].find((item) => item.textContent?.startsWith(words))!.click();
  const press = (key: string, ctrlKey = false): void => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true, cancelable: true }));
  return { place, view, open, text, names, click, press };
}

describe("an estate's rows", () => {
  it("come worst first, and what does not apply comes last either way", () => {
    const content = FEW();
    const refs = (rows: readonly EstateRow[]): string => rows.map((item) => item.ref.split(":")[1]).join(" ");
    expect(refs(ordered(content, content.endpoints, "verdict", true))).toBe("b c a d2 d10");
    expect(refs(ordered(content, content.endpoints, 0, true))).toBe("b d2 a c d10");
    expect(refs(ordered(content, content.endpoints, 1, true))).toBe("c b d2 d10 a");
    expect(refs(ordered(content, content.endpoints, 1, false))).toBe("b d2 d10 c a");
    expect(refs(ordered(content, content.endpoints, "ref", false))).toBe("d10 d2 c b a");
    expect(refs(ordered(content, content.endpoints, "finding", true))).toBe("b c a d2 d10");
  });

  it("are counted by what came of a gate", () => {
    expect(tally(FEW().endpoints, "f1")).toEqual({ holds: 4, fails: 1, undetermined: 0, none: 0 });
    expect(tally(FEW().endpoints, "approval")).toEqual({ holds: 3, fails: 0, undetermined: 1, none: 1 });
  });

  it("are found by every word of their name or their finding", () => {
    expect(having(FEW().endpoints, "WHY b").map((item) => item.ref)).toEqual(["endpoint:b"]);
    expect(having(FEW().endpoints, "  ")).toHaveLength(5);
  });

  it("have nothing of a gate that they do not name, whatever it is called", () => {
    const odd = row("endpoint:a", "PASSED", JSON.parse('{"f1": "rubbish", "__proto__": "failed"}') as EstateRow["cells"]);
    expect(["toString", "f1", "__proto__", "constructor"].map((gate) => cell(odd, gate))).toEqual(["", "undetermined", "failed", ""]);
    expect([isEstate(FEW()), isEstate({}), isEstate({ format: "else" })]).toEqual([true, false, false]);
  });
});

describe("the heat map", () => {
  it("has a cell of a word and a shape for each endpoint and gate", () => {
    const { text, place, names } = mount();
    expect(names()).toEqual(["b", "c", "a", "d2", "d10"]);
    expect(text('.lx-heatbody [data-at="0"] > *')).toEqual(["b", "FAILED", "failed", "passed", "why endpoint:b"]);
    expect(text('.lx-heatbody [data-at="2"] .lx-heatgate')).toEqual(["passed", "does not apply"]);
    expect(place.querySelectorAll('.lx-heatbody [data-at="0"] .lx-heatgate .lx-mark')).toHaveLength(2);
    expect(text(".lx-heatcounts .lx-unseen").slice(-2)).toEqual(["1 fails, 0 cannot be determined, 4 holds", "0 fails, 1 cannot be determined, 3 holds"]);
  });

  it("is sorted by a column's title, and says how", () => {
    const { click, names, place, text } = mount();
    click("Approved");
    expect(names()[0]).toBe("c");
    click("Approved");
    expect(names()[0]).toBe("b");
    expect(place.querySelector("[aria-sort]")?.textContent).toBe("Approved");
    vi.advanceTimersByTime(100);
    expect(text('[role="status"]').at(-1)).toBe("Sorted by Approved, best first");
  });

  it("leaves what has a verdict, and what has the words", () => {
    const { click, names, text, place } = mount();
    click("PASSED");
    click("FAILED");
    expect(names()).toEqual(["b", "a", "d2", "d10"]);
    expect(text(".lx-found")).toEqual(["4 of 5 endpoints"]);
    const search = place.querySelector<HTMLInputElement>(".lx-search")!;
    search.value = "d1";
    search.dispatchEvent(new Event("input"));
    expect(names()).toEqual(["d10"]);
    search.value = "nobody";
    search.dispatchEvent(new Event("input"));
    expect(text(".lx-heatnone")).toEqual(["No endpoint matches the search and the verdict."]);
    expect(place.querySelectorAll('[role="grid"] [tabindex="0"]')).toHaveLength(1);
  });

  it("is walked with keys, one stop for Tab, and Enter opens the endpoint", () => {
    const { place, press, open } = mount();
    const here = (): string => document.activeElement?.textContent ?? "";
    place.querySelector<HTMLElement>('[role="grid"] [tabindex="0"]')!.focus();
    expect(here()).toBe("b");
    press("ArrowRight");
    press("ArrowRight");
    press("ArrowDown");
    expect(document.activeElement?.parentElement?.getAttribute("aria-rowindex")).toBe("4");
    expect(document.activeElement?.getAttribute("aria-colindex")).toBe("3");
    expect(place.querySelector(".lx-here")?.textContent).toBe("F1 of at least 0.90");
    press("Home");
    expect(here()).toBe("c");
    press("End");
    expect(here()).toBe("why endpoint:c");
    press("End", true);
    expect(document.activeElement?.parentElement?.getAttribute("aria-rowindex")).toBe("7");
    press("Home", true);
    expect(here()).toBe("b");
    press("ArrowUp");
    press("ArrowUp");
    expect(document.activeElement?.tagName).toBe("BUTTON");
    press("ArrowUp");
    expect(here()).toBe("Endpoint");
    press("ArrowDown");
    press("ArrowDown");
    press("Enter");
    expect(open).toHaveBeenLastCalledWith("endpoint:b");
    expect(place.querySelector('[aria-selected="true"]')?.textContent).toContain("FAILED");
    expect(place.querySelectorAll('[role="grid"] [tabindex="0"]')).toHaveLength(1);
    press("Escape");
    expect(open).toHaveBeenLastCalledWith("");
  });

  it("tells all of the endpoint that was chosen", () => {
    const { view, text, place } = mount();
    view.select("endpoint:c");
    expect(text(".lx-chosen h3")).toEqual(["endpoint:c"]);
    expect(text(".lx-chosen .lx-badge")).toEqual(["Approved: missing"]);
    view.select("endpoint:nobody");
    expect(place.querySelector<HTMLElement>(".lx-chosen")!.hidden).toBe(true);
  });

  it("has no more rows than can be seen, and says how many there are", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => row(`endpoint:e${i}`, "PASSED", { f1: "passed", approval: i % 7 === 0 ? "missing" : "passed" }));
    const { place, press } = mount(estate(many));
    const grid = place.querySelector('[role="grid"]')!;
    expect(grid.getAttribute("aria-rowcount")).toBe("10002");
    expect(place.querySelectorAll(".lx-heatbody .lx-heatrow").length).toBeLessThan(60);
    place.querySelector<HTMLElement>('[role="grid"] [tabindex="0"]')!.focus();
    press("End", true);
    expect(document.activeElement?.parentElement?.getAttribute("aria-rowindex")).toBe("10002");
    expect(place.querySelectorAll(".lx-heatbody .lx-heatrow").length).toBeLessThan(60);
    const order = [...place.querySelectorAll<HTMLElement>(".lx-heatbody .lx-heatrow")].map((item) => Number(item.dataset["at"]));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it("states evidence where the policy is a list of questions", () => {
    const content = FEW();
    content.question.policy.form = "questions";
    const { place, text } = mount(content);
    expect(place.textContent).not.toMatch(/PASSED|FAILED|INCOMPLETE/u);
    expect(text(".lx-head")[0]).toContain("Evidence, not a statement of compliance.");
  });

  it("is text, whatever the records say", () => {
    const bad = row(`endpoint:${HOSTILE}`, "FAILED", { [HOSTILE]: HOSTILE }, { finding: HOSTILE });
    const content = estate([bad], { gates: [{ id: HOSTILE, title: HOSTILE }], digest: HOSTILE });
    content.question.policy = { name: HOSTILE, version: HOSTILE, digest: HOSTILE };
    const { view, place } = mount(content);
    view.select(bad.ref);
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent).not.toContain("\u202E");
    expect(place.textContent).toContain("<img src=x");
  });

  it("says so when there is nothing", () => {
    expect(mount(estate()).text(".lx-heatnone")).toEqual(["No endpoint is on record."]);
  });
});

describe("a heat map in a notebook", () => {
  it("keeps what is chosen in step with Python, and takes another document", () => {
    const state: { [name: string]: unknown } = { content: FEW(), selected: "endpoint:c" };
    const heard: { [event: string]: (() => void)[] } = {};
    const model = {
      get: (name: string) => state[name],
      set: vi.fn((name: string, value: unknown) => void (state[name] = value)),
      save_changes: vi.fn(),
      send: vi.fn(),
      on: (event: string, callback: () => void) => void (heard[event] ??= []).push(callback),
      off: (event: string, callback: () => void) => void (heard[event] = (heard[event] ?? []).filter((item) => item !== callback)),
      widget_manager: {},
    };
    const el = document.createElement("div");
    document.body.append(el);
    const end = widget.render({ model: model as never, el });
    expect(el.querySelector(".lx-chosen h3")?.textContent).toBe("endpoint:c");
    el.querySelector<HTMLElement>('.lx-heatbody [data-at="0"] .lx-heatname')!.click();
    expect(state["selected"]).toBe("endpoint:b");
    state["selected"] = "endpoint:a";
    heard["change:selected"]!.forEach((tell) => tell());
    expect(model.set).toHaveBeenCalledTimes(1);
    expect(el.querySelector(".lx-chosen h3")?.textContent).toBe("endpoint:a");
    state["content"] = estate([row("endpoint:z", "PASSED", {})]);
    heard["change:content"]!.forEach((tell) => tell());
    expect(el.querySelector(".lx-heatbody .lx-heatname")?.textContent).toBe("z");
    end();
    expect(el.childElementCount).toBe(0);
    expect(Object.values(heard).flat()).toHaveLength(0);
  });
});
