// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Around, Shown } from "../src/chapters/around.js";
import { mountComparison } from "../src/chapters/comparison.js";
import type { Comparison, Difference, Likeness } from "../src/chapters/documents.js";
import { between, mountLikeness, sentence } from "../src/chapters/likeness.js";
import { marked } from "../src/chapters/marked.js";
import type { Audit } from "../src/view/audit.js";
import { audit, hop, node } from "./audits.js";

const HOSTILE = `<img src=x onerror=alert(1)>\u202E`;
const shown = new Set<Shown>();
const tool = { name: "lineage-explorer", version: "0" };

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  for (const view of shown) view.destroy();
  shown.clear();
  vi.useRealTimers();
  document.body.replaceChildren();
});

let counted = 0;
function difference(more: Partial<Difference>): Difference {
  return { id: `d${++counted}`, aspect: "parameter", subject: "training of churn", name: "", change: "changed", a: null, b: null, delta: null, better: null, a_ref: null, b_ref: null, text: null, note: "", ...more };
}

function side(version: number): Audit {
  return audit(
    [
      node(`dataset:customers@${version}`, "data", { label: `customers v${version}`, roles: ["training"], digest: `sha256:${version}`, attributes: { rows: version * 1000, owner: "data team" } }),
      node("run:train", "training", { label: "train" }),
      node(`model:churn@${version}`, "registry", { label: `churn v${version}`, version: String(version) }),
      ...(version === 2 ? [node("dataset:extra@1", "data", { label: "extra v1" })] : []),
      node("endpoint:churn-prod", "endpoint", { label: "churn-prod" }),
    ],
    [hop("h1", `dataset:customers@${version}`, "run:train", version === 1 ? "passed" : "missing", { role: "training" }), hop("h2", "run:train", `model:churn@${version}`, "none", { predicate: "was_generated_by" }), hop("h3", `model:churn@${version}`, "endpoint:churn-prod", "passed", { predicate: "serves" }), ...(version === 2 ? [hop("h4", "dataset:extra@1", "run:train")] : [])],
    { verdict: version === 1 ? "PASSED" : "FAILED" },
  );
}

function comparison(differences: Difference[], more: Partial<Comparison> = {}): Comparison {
  return {
    format: "lineage-explorer/comparison",
    format_version: 1,
    tool,
    digest: "sha256:00",
    a: { title: "endpoint:churn-prod as of 2026-09-01T00:00:00Z", asked: "endpoint:churn-prod@@2026-09-01T00:00:00Z", audit: side(1) },
    b: { title: "endpoint:churn-prod as of 2026-10-01T00:00:00Z", asked: "endpoint:churn-prod@@2026-10-01T00:00:00Z", audit: side(2) },
    same: differences.length === 0,
    summary: ["B serves churn v2."],
    differences,
    pairs: [
      { a: "dataset:customers@1", b: "dataset:customers@2", changed: true },
      { a: "model:churn@1", b: "model:churn@2", changed: true },
      { a: "run:train", b: "run:train", changed: false },
      { a: "endpoint:churn-prod", b: "endpoint:churn-prod", changed: false },
    ],
    only_a: [],
    only_b: ["dataset:extra@1"],
    ...more,
  };
}

function reader(place: HTMLElement) {
  const text = (selector: string): string[] => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "");
  const find = (selector: string, words?: string): HTMLElement => {
    const found = [...place.querySelectorAll<HTMLElement>(selector)].find((item) => words === undefined || item.textContent === words || item.getAttribute("aria-label") === words);
    if (found === undefined) throw new Error(`nothing at ${selector} ${words ?? ""}`);
    return found;
  };
  return { text, find, click: (selector: string, words?: string): void => find(selector, words).click() };
}

function mount(content: Comparison, around: Around = {}) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mountComparison(place, content, around);
  shown.add(view);
  // Nobody tells sizes here: it is drawn for the usual one.
  vi.advanceTimersByTime(200);
  const rows = (): string[] => [...place.querySelectorAll(".lx-differencebar + .lx-rows tbody tr:not(.lx-grouprow, .lx-unfolded)")].map((row) => row.textContent ?? "");
  return { place, view, rows, ...reader(place) };
}

const some = (): Difference[] => [
  difference({ aspect: "metric", subject: "churn", name: "loss", a: 0.3, b: 0.25, delta: -0.05, better: true }),
  difference({ aspect: "data", subject: "training data customers", name: "version", a: "1", b: "2", a_ref: "dataset:customers@1", b_ref: "dataset:customers@2" }),
  difference({ aspect: "data", subject: "data extra", change: "added", b: "1", b_ref: "dataset:extra@1" }),
  difference({ aspect: "gate", subject: "churn", name: "bias", a: "passed; at most 0.1", b: "missing" }),
];

describe("a comparison", () => {
  it("says how many differences there are, who A and B are and both verdicts", () => {
    const { text, view } = mount(comparison(some()));
    expect(text(".lx-head h2")).toEqual(["4 differences between A and B"]);
    expect(text(".lx-vsside strong")).toEqual(["endpoint:churn-prod as of 2026-09-01 00:00 UTC", "endpoint:churn-prod as of 2026-10-01 00:00 UTC"]);
    expect(text(".lx-vsside .lx-verdict")).toEqual(["PASSED", "FAILED"]);
    expect(text(".lx-prose")).toEqual(["B serves churn v2."]);
    expect(view.title).toContain("churn-prod");
  });

  it("says plainly that nothing differs, and marks and dims nothing then", () => {
    const { text, place } = mount(comparison([], { pairs: [], only_b: [] }));
    expect(text(".lx-head h2")).toEqual(["No difference between A and B"]);
    expect(text(".lx-nothing")[0]).toContain("cannot be compared");
    expect(place.querySelector(".lx-diffbadge, .lx-dim, .lx-far")).toBeNull();
  });

  it("does not call sides the same that are not said to be", () => {
    expect(mount(comparison([], { same: false })).text(".lx-nothing")[0]).toContain("No single difference is listed");
  });

  it("groups differences by what they are about, and leaves gates out until they are asked for", () => {
    const { text, rows, find, click } = mount(comparison(some()));
    expect(text(".lx-grouprow")).toEqual(["Data", "Metrics"]);
    expect(text(".lx-found")).toEqual(["3 of 4 differences"]);
    find("[role=switch]").click();
    expect(text(".lx-grouprow")).toEqual(["Data", "Metrics", "Gates"]);
    expect(rows()).toHaveLength(4);
    click(".lx-chipset button", "Data 2");
    expect(find(".lx-chipset button", "Data 2").getAttribute("aria-pressed")).toBe("true");
    expect(rows()).toHaveLength(2);
  });

  it("shows gates at once where nothing else differs", () => {
    expect(mount(comparison([difference({ aspect: "gate", a: "passed", b: "failed" })])).rows()).toHaveLength(1);
  });

  it("finds differences by words in any order, and says when none has them", () => {
    const { find, rows } = mount(comparison(some()));
    const search = find(".lx-search") as HTMLInputElement;
    search.value = "customers DATA";
    search.dispatchEvent(new Event("input"));
    expect(rows()).toHaveLength(1);
    search.value = "nobody";
    search.dispatchEvent(new Event("input"));
    expect(rows()).toEqual(["Nothing here matches the search and the filters."]);
  });

  it("says added, removed and changed, better and worse by a sign and a word", () => {
    const { text } = mount(
      comparison([
        difference({ change: "added", b: 1 }),
        difference({ change: "removed", a: 1 }),
        difference({ aspect: "metric", name: "auc", a: 0.9, b: 0.8, delta: -0.1, better: false }),
        difference({ aspect: "metric", name: "loss", a: 0.9, b: 0.8, delta: -0.1, better: true }),
        difference({ aspect: "metric", name: "odd", a: 1, b: 2, delta: 1 }),
      ]),
    );
    expect(text(".lx-rows td .lx-change").slice(0, 3)).toEqual(["+added", "−removed", "≠changed"]);
    expect(text(".lx-which")).toEqual(["✕ worse", "✓ better", "no record says which way is better"]);
    expect(text("td .lx-number").filter((value) => /^[+−]/u.test(value))).toEqual(["−0.1", "−0.1", "+1"]);
  });

  it("unfolds texts line by line, in words too, and folds what both have", () => {
    const same = Array.from({ length: 12 }, (_, i) => ({ op: " " as const, line: `line ${i}` }));
    const { place, click, text } = mount(comparison([difference({ aspect: "prompt", subject: "prompt triage", text: [...same, { op: "-", line: "old" }, { op: "+", line: HOSTILE }] })]));
    const twist = place.querySelector(".lx-twistrow")!;
    expect(twist.getAttribute("aria-expanded")).toBe("false");
    click(".lx-twistrow");
    expect(twist.getAttribute("aria-expanded")).toBe("true");
    expect(text(".lx-line-removed")).toEqual(["−only in A: old"]);
    expect(text(".lx-line-added")[0]).toContain("only in B: <img");
    expect(text(".lx-line-alike")).toHaveLength(3);
    click(".lx-line-folded button");
    expect(text(".lx-line-alike")).toHaveLength(12);
    expect(place.querySelector("img")).toBeNull();
  });

  it("holds the columns of one schema in one row, and of two in two", () => {
    const column = (name: string, ref: string, more: Partial<Difference>): Difference => difference({ aspect: "schema", subject: "customers", name, a_ref: ref, b_ref: ref, ...more });
    const { rows, text } = mount(
      comparison([column("age", "dataset:x@1", { change: "added", b: "int" }), column("zip", "dataset:x@1", { change: "removed", a: "string" }), column("plan", "dataset:x@1", { a: "int", b: "long" }), column("age", "dataset:y@1", { change: "added", b: "int" })]),
    );
    expect(rows()).toHaveLength(2);
    expect(text(".lx-rows tr:nth-child(2) .lx-columnlist")).toEqual(["zip: stringplan: int", "age: intplan: long", "≠1 retyped+1 added−1 removed"]);
  });

  it("selects both sides from a row, marks the row, and sets both in two columns", () => {
    const { click, text, place } = mount(comparison(some()));
    click(".lx-rows .lx-link", "training data customers");
    expect(text(".lx-details thead th")).toEqual(["A customers v1", "B customers v2"]);
    const facts = text(".lx-differs");
    expect(facts.some((row) => row.startsWith("Digest") && row.includes("sha256:1sha256:2"))).toBe(true);
    expect(facts.some((row) => row.startsWith("rows") && row.includes("10002000"))).toBe(true);
    // What was recorded besides and is alike is not listed.
    expect(text(".lx-facing").join()).not.toContain("data team");
    expect(place.querySelector(".lx-rows tr.lx-selected")!.textContent).toContain("training data customers");
    expect([...place.querySelectorAll('.lx-canvas [aria-pressed="true"]')].map((item) => item.getAttribute("data-id"))).toEqual(["dataset:customers@1", "dataset:customers@2"]);
  });

  it("says so where the other side has nothing at a place", () => {
    const { click, text } = mount(comparison(some()));
    click(".lx-rows .lx-link", "data extra");
    expect(text(".lx-details thead th")[0]).toContain("nothing at this place in A");
    expect(text(".lx-details p").join()).toContain("Only in B.");
  });

  it("selects the hop between the same places, and closes with Escape", () => {
    const { place, text } = mount(comparison(some()));
    const canvas = place.querySelector(".lx-canvas")!;
    const gate = canvas.querySelector<SVGElement>('[data-id="h1"].lx-hop')!;
    gate.focus();
    gate.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    expect(text(".lx-differs")[0]).toContain("Gate");
    expect(text(".lx-differs")[0]).toMatch(/passed.*missing/u);
    place.querySelector(".lx-details")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
    expect(place.querySelector<HTMLElement>(".lx-details")!.hidden).toBe(true);
  });

  it("tells what is selected on both sides to those who hear it", () => {
    const { click, text } = mount(comparison(some()));
    click(".lx-rows .lx-link", "training data customers");
    vi.advanceTimersByTime(1000);
    expect(text("[role=status]")[0]).toMatch(/^Selected: in A dataset customers v1.*; in B dataset customers v2/u);
  });

  it("marks nodes by shape and word, also for those who hear them", () => {
    const { marks, lit, model } = marked(side(2), "B", "added", ["dataset:extra@1"], ["model:churn@2"]);
    expect([...marks]).toEqual([["model:churn@2", "changed"], ["dataset:extra@1", "added"]]);
    expect(lit).toEqual(new Set(["model:churn@2", "dataset:extra@1"]));
    const element = document.createElementNS("http://www.w3.org/2000/svg", "g");
    element.setAttribute("aria-label", "dataset extra");
    model.dress!(element, ["dataset:extra@1"], true, 1);
    expect(element.getAttribute("aria-label")).toBe("dataset extra, only in B");
    expect(element.textContent).toBe("+ only in B");
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    model.dress!(group, ["dataset:extra@1", "dataset:other@1", "model:churn@2"], true, 1);
    expect(group.textContent).toBe("≠ 2 of 3 differ");
    const alike = document.createElementNS("http://www.w3.org/2000/svg", "g");
    model.dress!(alike, ["run:train"], true, 1);
    expect(alike.childElementCount).toBe(0);
  });

  it("lists every place of both in a table: what changed, what only one has, what is alike", () => {
    const { place, text } = mount(comparison(some()));
    const table = [...place.querySelectorAll(".lx-rows")].at(-1)!;
    expect(table.querySelector("caption")!.textContent).toBe("2 places changed, 0 only in A, 1 only in B, 2 alike");
    expect([...table.querySelectorAll("td:last-child")].map((cell) => cell.textContent)).toEqual(["≠changed", "≠changed", "+only in B", "alike", "alike"]);
    expect(table.querySelectorAll("tbody tr")[2]!.textContent).toBe("—none" + "extra v1" + "dataset" + "+only in B");
    table.querySelector<HTMLElement>("tbody button")!.click();
    expect(text(".lx-details thead th")).toEqual(["A customers v1", "B customers v2"]);
  });

  it("offers to swap and to trace where somebody can answer, and nowhere else", () => {
    const [open, trace] = [vi.fn(), vi.fn()];
    const { click } = mount(comparison(some()), { open, trace });
    click("button", "⇄ Swap A and B");
    expect(open).toHaveBeenCalledWith({ chapter: "comparison", a: "endpoint:churn-prod@@2026-10-01T00:00:00Z", b: "endpoint:churn-prod@@2026-09-01T00:00:00Z", known_at: "2026-11-21T10:00:00Z", policy: "default" });
    click("button", "Trace of B");
    expect(trace).toHaveBeenCalledWith("endpoint:churn-prod", "2026-10-01T00:00:00Z");
    const alone = mount(comparison(some()));
    expect(alone.text("button").join()).not.toMatch(/Swap|Trace/u);
  });

  it("never makes markup of a record", () => {
    const all = ["data", "metric", "schema", "gate", "prompt"].map((aspect) => difference({ aspect: aspect as Difference["aspect"], subject: HOSTILE, name: HOSTILE, a: HOSTILE.repeat(20), b: { [HOSTILE]: HOSTILE }, note: HOSTILE, b_ref: "model:churn@2" }));
    const { place, view } = mount(comparison(all, { summary: [HOSTILE], only_a: [HOSTILE] }));
    for (const button of place.querySelectorAll<HTMLElement>(".lx-twistrow, [role=tab], [role=switch], .lx-rows .lx-link")) button.click();
    expect(place.querySelector("img, script")).toBeNull();
    expect(place.textContent).not.toContain("\u202E");
    view.destroy();
    expect(place.childElementCount).toBe(0);
  });
});

// --- who runs the same ---

type Row = Likeness["rows"][number];
const row = (site: string, group: number, models: string[], more: Partial<Row> = {}): Row => ({ endpoint: "endpoint:defects", site, as_of: "2026-11-21T10:00:00Z", group, models, data: [], code: [], verdict: "PASSED", note: "", ...more });

describe("who runs the same", () => {
  const same = ["a", "b", "c"].map((site) => row(site, 1, ["model:m@2"]));

  it("says that all run the same, or who runs what", () => {
    expect(sentence(same)).toBe("All 3 sites run the same: m v2 (A).");
    expect(sentence([row("d", 7, ["model:m@1"]), ...same])).toBe("3 of 4 sites run m v2 (A), 1 runs m v1 (B).");
    // Sites beside an endpoint that has none.
    expect(sentence([{ ...row("", 7, ["model:n@1"]), endpoint: "endpoint:o" }, ...same])).toBe("3 of 4 places run m v2 (A), 1 runs n v1 (B).");
    expect(sentence([])).toBe("There is nothing to compare.");
  });

  it("names those of which it is not known, and never counts them as the same", () => {
    expect(sentence([...same, row("dark", 1, [])])).toBe("3 of 4 sites run m v2 (A). It cannot be determined for dark.");
    expect(sentence([...same, row("dark", 1, ["model:m@2"], { known: false })])).toContain("It cannot be determined for dark");
    expect(sentence([row("dark", 0, [])])).toBe("What the site runs is not on record.");
  });

  function mountRows(rows: Row[], around: Around = {}) {
    const place = document.createElement("div");
    document.body.append(place);
    const view = mountLikeness(place, { format: "lineage-explorer/likeness", format_version: 1, tool, digest: "sha256:00", rows }, around);
    shown.add(view);
    return { place, ...reader(place) };
  }

  it("calls commits as the trace does, whatever their references are made of", () => {
    const refs = ["code:https:%2F%2Fgit.example.com%2Facme%2Fchurn.git@0b76c99dc2b0f803", "code:100%@1", `code:${encodeURIComponent(HOSTILE)}`];
    const { text } = mountRows([row("a", 1, [], { code: refs })]);
    const said = text("td:nth-child(7) li");
    expect(said.slice(0, 2)).toEqual(["churn @ 0b76c99d", "100% @ 1"]);
    expect(said[2]).not.toContain("\u202E");
  });

  it("gives groups a letter and a shape of their own", () => {
    const { text, place } = mountRows([...same, row("d", 2, ["model:m@1"]), row("e", 3, [], { verdict: null })]);
    expect(text("td:nth-child(4)")).toEqual(["A", "A", "A", "B", "? undetermined"]);
    const shapes = [...place.querySelectorAll(".lx-groupshape path")].map((path) => path.getAttribute("d"));
    expect(new Set(shapes).size).toBe(2);
    expect(text("td:nth-child(8)").at(-1)).toBe("not judged");
  });

  it("compares the two rows that were chosen, the third choice taking the place of the first", () => {
    const open = vi.fn();
    const { place, find } = mountRows([row("", 1, ["model:m@2"]), row("", 1, ["model:m@2"], { endpoint: "endpoint:b" }), row("", 2, ["model:m@1"], { endpoint: "endpoint:c" })], { open });
    const compare = find("button", "Compare the two") as HTMLButtonElement;
    expect(compare.disabled).toBe(true);
    const boxes = [...place.querySelectorAll<HTMLInputElement>("tbody input")];
    for (const box of boxes) box.click();
    expect(boxes.map((box) => box.checked)).toEqual([false, true, true]);
    compare.click();
    expect(open).toHaveBeenCalledWith({ chapter: "comparison", a: "endpoint:b@@2026-11-21T10:00:00Z", b: "endpoint:c@@2026-11-21T10:00:00Z", known_at: "", policy: "" });
  });

  it("compares sites of one endpoint by their models, and not one thing with itself", () => {
    expect(between(row("a", 1, ["model:m@2"]), row("b", 2, ["model:m@1"]))).toEqual(["model:m@2@@2026-11-21T10:00:00Z", "model:m@1@@2026-11-21T10:00:00Z"]);
    expect(between(row("a", 1, ["model:m@2"]), row("b", 1, ["model:m@2"]))).toBeNull();
    expect(between(row("a", 1, ["model:m@2"]), row("b", 1, []))).toBeNull();
  });

  it("offers no choice where nobody can answer", () => {
    expect(mountRows(same).place.querySelector("input")).toBeNull();
  });
});
