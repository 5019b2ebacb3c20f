// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Axis, timeOf } from "../src/chapters/axis.js";
import type { History, LaneRow, ServedRow, ServingSpan, Share, VersionRow } from "../src/chapters/documents.js";
import type { Around, Shown } from "../src/chapters/around.js";
import { mountHistory } from "../src/chapters/history.js";
import { scale, thresholds } from "../src/chapters/metrics.js";
import { pieces, Story } from "../src/chapters/story.js";

const HOSTILE = `<img src=x onerror=alert(1)>\u202E`;
const DAY = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);
const day = (number: number): string => new Date(BEGIN + number * DAY).toISOString();
const PROD = "endpoint:churn-prod";

const shown = new Set<Shown>();

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  for (const view of shown) view.destroy();
  shown.clear();
  document.body.replaceChildren();
  vi.useRealTimers();
});

function version(number: number, more: Partial<VersionRow> = {}): VersionRow {
  const ref = `model:prod/churn@${number}`;
  return {
    ref,
    kind: "model",
    version: String(number),
    label: `churn v${number}`,
    description: "",
    registered: day(number * 10),
    here: true,
    gone_at: null,
    stages: [],
    serving: [],
    gates: [],
    params: {},
    metrics: {},
    data: [],
    code: [],
    packages: {},
    ingredients: [],
    runs: [],
    parents: [],
    ...more,
  };
}

function share(number: number | null, traffic: number | null, more: Partial<Share> = {}): Share {
  const ref = number === null ? null : `model:prod/churn@${number}`;
  return { deployment: `deployment:churn-prod:d${number}`, model: ref, version: ref, traffic, state: "serving", site: "", environment: "production", ...more };
}

function span(since: number | null, until: number | null, shares: Share[], more: Partial<ServingSpan> = {}): ServingSpan {
  return { since: since === null ? null : day(since), until: until === null ? null : day(until), between_syncs: false, kind: shares.length > 0 ? "served" : "gap", shares, findings: [], ...more };
}

function served(number: number, since: number | null, until: number | null, traffic: number | null = 100, more: Partial<ServedRow> = {}): ServedRow {
  return { ...share(number, traffic), endpoint: PROD, since: since === null ? null : day(since), until: until === null ? null : day(until), between_syncs: false, ...more };
}

function history(versions: VersionRow[], lanes: LaneRow[] = [], more: Partial<History> = {}): History {
  return {
    format: "lineage-explorer/history",
    format_version: 1,
    tool: { name: "lineage-explorer", version: "0" },
    digest: "sha256:00",
    question: { ref: "model:prod/churn", as_of: day(100), known_at: day(100) },
    complete: true,
    versions,
    lanes,
    events: versions.map((row) => ({ at: row.registered, earliest: row.registered, kind: "registered", ref: row.ref, endpoint: "", who: "person:ben", text: `${row.label} was registered`, source: null })),
    tree: { nodes: [], links: [] },
    ...more,
  };
}

/** Three versions: 1 served alone, then 2 took 20 %, then nobody, then 2 alone. 3 was refused. */
function few(): History {
  const gate = (number: number, status: string, more: object) => ({ subject: `model:prod/churn@${number}`, gate: "auc", gate_type: "evaluation", status, grade: "recomputed", expected: "auc >= 0.80", actual: "0.85", evaluator: "person:ben", event_time: day(number * 10 + 1), pointer: "", ...more });
  const approval = { gate: "approval", gate_type: "approval", expected: "", actual: "", evaluator: "person:mia" };
  return history(
    [
      version(1, { serving: [served(1, 20, 40), served(1, 40, 50, 80)], metrics: { auc: 0.81, f1: 0.7 }, params: { depth: "4", gone: "1" }, gates: [gate(1, "passed", {}), gate(1, "passed", approval)], stages: [{ stage: "production", since: day(20), until: day(50), earliest: day(18), because: "serves" }, { stage: "archived", since: day(50), until: null, earliest: day(50), because: "" }] }),
      version(2, { serving: [served(2, 40, 50, 20), served(2, 60, null)], metrics: { auc: 0.85 }, params: { depth: "5" }, gates: [gate(2, "passed", approval)], stages: [{ stage: "production", since: day(40), until: null, earliest: day(40), because: "serves" }], data: [{ ref: "dataset:lake/customers@v12", role: "training", how: "read by the run", digest: "sha256:abc", identified_by: "content_hash", rows: 10 }] }),
      version(3, { metrics: { auc: 0.75, f1: 0.72 }, gates: [gate(3, "failed", { ...approval, event_time: day(32) })] }),
    ],
    [{ endpoint: PROD, site: "", environment: "production", spans: [span(null, 20, [], { kind: "unknown" }), span(20, 40, [share(1, 100)]), span(40, 50, [share(1, 80), share(2, 20)], { between_syncs: true }), span(50, 60, []), span(60, null, [share(2, 100)])] }],
  );
}

const AROUND = (): Around & { open: ReturnType<typeof vi.fn>; trace: ReturnType<typeof vi.fn> } => ({ open: vi.fn(), trace: vi.fn() });

function mount(content = few(), around: Around = AROUND()) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mountHistory(place, content, around);
  shown.add(view);
  const all = (selector: string): HTMLElement[] => [...place.querySelectorAll<HTMLElement>(selector)];
  const text = (selector: string): string[] => all(selector).map((item) => item.textContent ?? "");
  const one = (selector: string): HTMLElement => {
    const found = place.querySelector<HTMLElement>(selector);
    if (found === null) throw new Error(`nothing is ${selector}`);
    return found;
  };
  const click = (words: string): void => {
    const found = all("button").find((item) => item.textContent?.trim().startsWith(words));
    if (found === undefined) throw new Error(`no button begins with ${words}`);
    found.click();
  };
  const press = (key: string, target: Element = document.activeElement!): void => void target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const set = (selector: string, value: string): void => {
    const input = one(selector) as HTMLInputElement;
    input.value = value;
    input.dispatchEvent(new Event(input.type === "search" ? "input" : "change"));
  };
  const heard = (): string => {
    vi.advanceTimersByTime(1000);
    return one('[role="status"]').textContent ?? "";
  };
  const rows = (): string[] => text(".lx-life .lx-lanename b");
  return { place, view, all, text, one, click, press, set, heard, rows };
}

describe("an axis", () => {
  it("has ticks that suit what is seen, in UTC, and never many", () => {
    const axis = new Axis(Date.UTC(2024, 0, 1), Date.UTC(2027, 0, 1));
    expect(axis.ticks().map(({ label }) => label)).toContain("2025-07");
    while (axis.to - axis.from > 20 * DAY) axis.zoom(2, 500);
    expect(axis.ticks().every(({ label }) => /^\d\d-\d\d$/u.test(label))).toBe(true);
    expect(axis.ticks()[0]?.context).toMatch(/^\d{4}$/u);
    while (axis.to - axis.from > 3_600_000) axis.zoom(2, 500);
    expect(axis.ticks()[0]).toMatchObject({ label: expect.stringMatching(/^\d\d:\d\d$/u), context: expect.stringMatching(/^\d{4}-\d\d-\d\d$/u) });
    for (let i = 0; i < 60; i++, axis.zoom(1.5, 10)) expect(axis.ticks().length).toBeLessThan(30);
  });

  it("keeps the place that is zoomed about, and stays within the whole", () => {
    const axis = new Axis(0, 1000 * DAY);
    const time = axis.time(300);
    axis.zoom(4, 300);
    expect(axis.x(time)).toBeCloseTo(300);
    axis.pan(-1e9);
    expect(axis.from).toBe(axis.first);
    axis.zoom(1e-9);
    expect([axis.from, axis.to]).toEqual([axis.first, axis.last]);
    for (const end of [axis.x(axis.first), axis.x(axis.last)]) expect(Number.isFinite(end)).toBe(true);
  });

  it("stands for one instant, or centuries, without a number that is none", () => {
    for (const axis of [new Axis(5, 5), new Axis(-8e15, 8e15), new Axis(0, 0)]) {
      for (const { x, label } of axis.ticks()) expect([Number.isFinite(x), label]).toEqual([true, expect.not.stringContaining("NaN")]);
      expect(axis.to).toBeGreaterThan(axis.from);
    }
  });

  it("takes what is no instant as not recorded", () => {
    expect([timeOf(null), timeOf("soon"), timeOf(""), timeOf("2026-01-01T00:00:00Z")]).toEqual([null, null, null, BEGIN]);
  });
});

describe("times that overlap", () => {
  it("become pieces that follow one another and lose nothing", () => {
    const found = pieces([{ from: 0, to: 10, row: "a" }, { from: 5, to: 20, row: "b" }, { from: 30, to: Infinity, row: "c" }]);
    expect(found).toEqual([
      { from: 0, to: 5, rows: ["a"] },
      { from: 5, to: 10, rows: ["a", "b"] },
      { from: 10, to: 20, rows: ["b"] },
      { from: 30, to: Infinity, rows: ["c"] },
    ]);
  });
});

describe("who served", () => {
  const lane = (spans: ServingSpan[], versions = [version(1), version(2)]): Story => new Story(history(versions, [{ endpoint: PROD, site: "", environment: "", spans }]));

  it("is as high as its share, and what is not served stays empty", () => {
    const [first, second, third] = lane([span(1, 2, [share(1, 80), share(2, 20)]), span(2, 3, [share(1, 50)]), span(3, null, [share(1, 90), share(2, 60)])]).lanes[0]!.spans;
    expect(first!.parts.map(({ part }) => part)).toEqual([0.8, 0.2]);
    expect(second!.parts.map(({ part }) => part)).toEqual([0.5]);
    expect(third!.parts.reduce((sum, { part }) => sum + part, 0)).toBeCloseTo(1);
  });

  it("does not count what is mirrored or has no traffic, and says when a share was not read", () => {
    const [only] = lane([span(1, null, [share(1, null, { state: "undetermined" }), share(2, null, { state: "undetermined" }), share(2, 10, { state: "shadow" }), share(1, 0), share(1, null, { state: "deployed" })])]).lanes[0]!.spans;
    expect(only!.parts.map(({ label, part, unread }) => [label, part, unread])).toEqual([["v1 share not read", 0.5, true], ["v2 share not read", 0.5, true]]);
  });

  it("may be of another name, which is told from the versions here", () => {
    const [only] = lane([span(1, null, [share(null, 60, { version: "model:prod/rules@4", model: "model:prod/rules@4" }), share(null, 40)])]).lanes[0]!.spans;
    expect(only!.parts.map(({ life, label }) => [life, label])).toEqual([[null, "rules v4 60 %"], [null, "no model on record 40 %"]]);
  });

  it("is the mean of the lanes of an environment, with their gaps", () => {
    const story = new Story(history([version(1), version(2)], [
      { endpoint: PROD, site: "a", environment: "production", spans: [span(10, 30, [share(1, 100)]), span(30, null, [])] },
      { endpoint: PROD, site: "b", environment: "production", spans: [span(10, 20, [share(1, 100)]), span(20, null, [share(2, 100)])] },
    ]));
    const [only] = story.environments;
    expect(story.environments).toHaveLength(1);
    expect(only!.spans.map(({ parts }) => parts.map(({ label }) => label).join(", "))).toEqual(["v1 100 %", "v1 50 %, v2 50 %", "v2 50 %"]);
  });
});

describe("the heading", () => {
  it("says what serves and who approved it, and how much there is", () => {
    const { text } = mount();
    expect(text(".lx-nowserving")).toEqual(["Serving: v2 100 % of churn-prod, approved by mia on 2026-01-22."]);
    expect(text(".lx-head").join()).toContain("3 versions · 1 endpoint · 1 serving. The registry was read completely.");
  });

  it("never takes a refusal for an approval, nor an incomplete registry for a complete one", () => {
    const content = few();
    content.versions[1]!.gates = [];
    const { text } = mount({ ...content, complete: false });
    expect(text(".lx-nowserving")[0]).toContain("no approval on record");
    expect(text(".lx-warning")[0]).toContain("was not read completely");
    const other = few();
    other.versions[1]!.gates = other.versions[2]!.gates;
    expect(mount(other).text(".lx-nowserving")[0]).toContain("refused by mia on 2026-02-02");
  });

  it("does not say that something serves whose share was not read", () => {
    const state = "undetermined";
    const { text } = mount(history([version(1, { serving: [served(1, 20, null, null, { state })] })], [{ endpoint: PROD, site: "", environment: "", spans: [span(20, null, [share(1, null, { state })])] }]));
    expect(text(".lx-nowserving")[0]).toMatch(/^None of its versions serves/u);
    expect(text(".lx-life .lx-quiet")[0]).toContain("serving, share not read");
    expect(text(".lx-lane text")).toEqual(["v1 share not read"]);
  });

  it("says when nobody serves", () => {
    expect(mount(history([version(1)])).text(".lx-nowserving")[0]).toMatch(/^None of its versions serves as of/u);
  });
});

describe("the timeline", () => {
  it("has a row for each version, the newest first, whose life is a sentence", () => {
    const { rows, text } = mount();
    expect(rows()).toEqual(["v3", "v2", "v1"]);
    expect(text(".lx-life .lx-unseen")[2]).toBe(
      "v1: registered 2026-01-11 00:00 UTC; production begun between 2026-01-19 00:00 UTC and 2026-01-21 00:00 UTC, archived since 2026-02-20 00:00 UTC; " +
        "served churn-prod 100 % 2026-01-21 00:00 UTC to 2026-02-10 00:00 UTC, churn-prod 80 % 2026-02-10 00:00 UTC to 2026-02-20 00:00 UTC; gates: 2 passed; approved by mia on 2026-01-12; as things stood: archived.",
    );
    expect(text(".lx-life .lx-unseen")[0]).toContain("never served, as far as the records say; gates: 1 failed; refused by mia");
  });

  it("draws words, patterns and shapes, not colours alone", () => {
    const { all } = mount();
    const [third, second, first] = all(".lx-life");
    expect([...first!.querySelectorAll("text")].map((item) => item.textContent)).toEqual(expect.arrayContaining(["production", "archived"]));
    expect(first!.querySelector(".lx-p-cross + [fill*=cross]")).not.toBeNull();
    expect(second!.querySelector(".lx-part.lx-c1")).not.toBeNull();
    expect(first!.querySelector(".lx-part.lx-c0")).not.toBeNull();
    expect(third!.querySelectorAll(".lx-s-failed .lx-ring")).toHaveLength(1);
    expect(first!.querySelector(".lx-maybe")).not.toBeNull();
  });

  it("draws lanes with gaps that say so, and beginnings between two syncs as dashes", () => {
    const { one, text } = mount();
    expect(text(".lx-lane text")).toEqual(expect.arrayContaining(["v1 100 %", "v1 80 %", "nobody answers", "no record", "v2 100 %"]));
    expect(one(".lx-lane [fill*=gap]")).not.toBeNull();
    expect(one(".lx-lane .lx-between").getAttribute("d")!.match(/M/gu)).toHaveLength(1);
    expect(one(".lx-lane .lx-c0")).not.toBeNull();
  });

  it("has only the rows in sight of a thousand in the page, and all of them to be heard of", () => {
    const { all, one, rows } = mount(history(Array.from({ length: 1000 }, (_, i) => version(i + 1, { registered: day(i / 10) }))));
    expect(all(".lx-life").length).toBeLessThan(40);
    expect(all(".lx-life")[0]!.getAttribute("aria-setsize")).toBe("1000");
    const lives = one(".lx-lives");
    const before = new Set(all(".lx-life"));
    lives.scrollTop = 44 * 500;
    lives.dispatchEvent(new Event("scroll"));
    vi.advanceTimersByTime(50);
    expect(rows()).toContain("v498");
    // The first stays, for it is stood on; the others are the same elements, used again.
    expect(rows()[0]).toBe("v1000");
    expect(all(".lx-life").filter((row) => before.has(row)).length).toBe(before.size);
    expect(all(".lx-life").length).toBeLessThan(40);
    const places = all(".lx-life").map((row) => Number(row.getAttribute("aria-posinset")));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it("walks the rows with keys, and chooses with Enter", () => {
    const { one, press, all, text } = mount();
    const list = one(".lx-livesbody");
    list.focus();
    const here = (): string => document.getElementById(list.getAttribute("aria-activedescendant")!)!.querySelector("b")!.textContent!;
    expect(here()).toBe("v3");
    press("ArrowDown");
    expect(here()).toBe("v2");
    press("End");
    expect(here()).toBe("v1");
    press("ArrowDown");
    expect(here()).toBe("v1");
    press("Enter");
    expect(text(".lx-details h3")[0]).toContain("v1");
    expect(all('.lx-life[aria-selected="true"]')).toHaveLength(1);
    press("Escape");
    expect(one(".lx-details").hidden).toBe(true);
    press("Home");
    expect(here()).toBe("v3");
  });

  it("has no label that its end cuts, or that the instant asked about crosses", () => {
    for (let days = 20; days < 90; days++) {
      const { all } = mount(history([version(1, { registered: day(0) })], [], { question: { ref: "model:prod/churn", as_of: day(days), known_at: day(days) } }));
      const line = Number(all(".lx-instantmark")[0]!.getAttribute("x1"));
      const labels = all(".lx-historyaxis text.lx-small").map((label) => ({ from: Number(label.getAttribute("x")), to: Number(label.getAttribute("x")) + label.textContent!.length * 6 }));
      expect(labels.length).toBeGreaterThan(2);
      expect(labels.filter(({ from, to }) => to > 1000 || (from < line && to > line))).toEqual([]);
    }
  });

  it("zooms and moves with keys and the wheel, and says which time is seen", () => {
    const { one, press, heard, click } = mount();
    const range = (): string => one(".lx-range-said").textContent!;
    const whole = range();
    one(".lx-livesbody").focus();
    press("+");
    expect(heard()).toBe(range());
    const zoomed = range();
    expect(zoomed).not.toBe(whole);
    press("ArrowRight");
    heard();
    expect(range()).not.toBe(zoomed);
    press("0");
    heard();
    expect(range()).toBe(whole);
    // The page of these tests has wheels without Ctrl.
    const turned = (deltaY: number, ctrlKey: boolean): MouseEvent => Object.assign(new MouseEvent("wheel", { ctrlKey, bubbles: true, cancelable: true }), { deltaX: 0, deltaY });
    const wheel = turned(-100, true);
    one(".lx-lives").dispatchEvent(wheel);
    vi.advanceTimersByTime(50);
    expect([wheel.defaultPrevented, range() === whole]).toEqual([true, false]);
    const plain = turned(100, false);
    one(".lx-lives").dispatchEvent(plain);
    expect(plain.defaultPrevented).toBe(false);
    click("Fit");
    vi.advanceTimersByTime(50);
    expect(range()).toBe(whole);
  });

  it("walks a lane's spans with keys and tells who replaced whom", () => {
    const around = AROUND();
    const { one, press, text, click } = mount(few(), around);
    const track = one(".lx-lanetrack");
    track.focus();
    const said = (): string => document.getElementById(track.getAttribute("aria-activedescendant")!)!.getAttribute("aria-label")!;
    expect(said()).toBe("from before the records to 2026-01-21 00:00 UTC: before the first record");
    press("ArrowRight");
    press("ArrowRight");
    expect(said()).toBe("2026-02-10 00:00 UTC to 2026-02-20 00:00 UTC (begun between two syncs: when exactly is not known): v1 80 %, v2 20 %");
    press("Enter");
    expect(text(".lx-details h3")).toEqual(["Who served"]);
    expect(text(".lx-details dd")).toEqual(["2026-02-10 00:00 UTC, or earlier: begun between two syncs", "2026-02-20 00:00 UTC", "v1 100 % (2026-01-21 00:00 UTC to 2026-02-10 00:00 UTC)", "nobody answers (2026-02-20 00:00 UTC to 2026-03-02 00:00 UTC)"]);
    click("Compare with what served before");
    expect(around.open).toHaveBeenCalledWith({ chapter: "comparison", a: `${PROD}@@${day(20)}`, b: `${PROD}@@${day(40)}`, known_at: day(100), policy: "" });
    click("Trace");
    expect(around.trace).toHaveBeenCalledWith(PROD, day(40));
    press("ArrowRight", track);
    press("Enter", track);
    expect(text(".lx-details h3")).toEqual(["Nobody answered"]);
    expect(text(".lx-details button").join()).not.toContain("Compare");
  });

  it("has a lane for each environment when that is asked for", () => {
    const { all, text } = mount();
    const radio = all('input[type="radio"]')[1] as HTMLInputElement;
    radio.checked = true;
    radio.dispatchEvent(new Event("change"));
    expect(text(".lx-lane .lx-lanename b")).toEqual(["production"]);
  });
});

describe("the details of a version", () => {
  it("tell what differs from the version before, who approved, and what it was made of", () => {
    const { text, all, click } = mount();
    all(".lx-life")[1]!.click();
    const list = text(".lx-details li");
    expect(list).toEqual(expect.arrayContaining(["auc 0.85 +0.04", "depth 5 was 4", "gone none, was 1"]));
    expect(text(".lx-gaterow")[0]).toContain("approval passedby mia");
    expect(list.join()).toContain("customers v12 training, 10 rows");
    click("✕");
    all(".lx-life")[2]!.click();
    expect(text(".lx-details li").join()).toContain("production begun between 2026-01-19 00:00 UTC and 2026-01-21 00:00 UTC");
  });

  it("ask on with the instants of the history", () => {
    const around = AROUND();
    const { all, click, one } = mount(few(), around);
    all(".lx-life")[1]!.click();
    click("Compare with v1");
    expect(around.open).toHaveBeenLastCalledWith({ chapter: "comparison", a: `model:prod/churn@1@@${day(100)}`, b: `model:prod/churn@2@@${day(100)}`, known_at: day(100), policy: "" });
    click("What does it reach?");
    expect(around.open).toHaveBeenLastCalledWith({ chapter: "impact", ref: "model:prod/churn@2", as_of: day(100), known_at: day(100) });
    click("Trace");
    expect(around.trace).toHaveBeenCalledWith("model:prod/churn@2", day(100));
    const other = one(".lx-details select") as HTMLSelectElement;
    other.value = [...other.options].find((option) => option.textContent === "v3")!.value;
    other.dispatchEvent(new Event("change"));
    expect(around.open).toHaveBeenLastCalledWith(expect.objectContaining({ a: `model:prod/churn@3@@${day(100)}` }));
  });

  it("offer nothing that nobody answers", () => {
    const { all, text } = mount(few(), {});
    all(".lx-life")[1]!.click();
    expect(text(".lx-details button").filter((words) => /Compare|reach|Trace/u.test(words))).toEqual([]);
    expect(all(".lx-details select")).toHaveLength(0);
    expect(text(".lx-details button")).toContain("Copy reference");
  });
});

describe("filters", () => {
  it("leave the same in the drawing, the tables and the charts, and say how much", () => {
    const { set, rows, text, click, heard, all } = mount();
    set(".lx-search", "depth 5");
    expect(rows()).toEqual(["v2"]);
    expect(heard()).toBe("1 of 3 versions");
    expect(text(".lx-found")[0]).toBe("1 of 3 versions");
    click("Versions");
    expect(text('[role="tabpanel"]:not([hidden]) tbody th')).toEqual(["v2"]);
    click("Events");
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(1);
    click("Serving");
    expect(text('[role="tabpanel"]:not([hidden]) tbody td[data-label="Who"]')).toEqual(["v2", "v2"]);
    click("Metrics");
    expect(all(".lx-chart")[0]!.getAttribute("aria-label")).toContain("auc by version: 1 point");
    click("Clear");
    expect(rows()).toHaveLength(3);
    expect(heard()).toBe("3 of 3 versions");
  });

  it("know stages, service and days", () => {
    const { set, rows, one, text, click } = mount();
    set('select[aria-label="Stage"]', "archived");
    expect(rows()).toEqual(["v1"]);
    click("Clear");
    const box = one('.lx-bar input[type="checkbox"]') as HTMLInputElement;
    box.checked = true;
    box.dispatchEvent(new Event("change"));
    expect(rows()).toEqual(["v2", "v1"]);
    click("Clear");
    set('input[aria-label="To this day, UTC"]', day(25).slice(0, 10));
    expect(rows()).toEqual(["v2", "v1"]);
    click("Serving");
    expect(text('[role="tabpanel"]:not([hidden]) tbody td[data-label="Who"]')).toEqual(["before the first record", "v1"]);
  });

  it("say of how many left out no time is on record", () => {
    const { set, text } = mount(history([version(1), version(2, { registered: null })]));
    set('input[aria-label="From this day, UTC"]', "2026-01-01");
    expect(text(".lx-found")[0]).toBe("1 of 2 versions; of 1 left out no time is on record");
  });

  it("keep what is looked for from looking like a gap", () => {
    const { set, one, all } = mount();
    set(".lx-search", "v2");
    expect(one(".lx-lane .lx-leftout")).not.toBeNull();
    expect(all(".lx-lane .lx-c0")).toHaveLength(0);
    set(".lx-search", "nobody at all");
    expect(one(".lx-lives .lx-nolane").textContent).toBe("No version matches the filters.");
  });
});

describe("charts", () => {
  it("have a point for each version that has it, a gap where one has none, and what gates ask", () => {
    const { click, all, one } = mount();
    click("Metrics");
    const [auc, f1] = all(".lx-chart");
    expect(auc!.getAttribute("aria-label")).toBe("auc by version: 3 points; gates ask for ≥ 0.8");
    expect(f1!.querySelector(".lx-curve")!.getAttribute("d")!.match(/M/gu)).toHaveLength(2);
    expect(auc!.querySelector(".lx-curve")!.getAttribute("d")!.match(/M/gu)).toHaveLength(1);
    expect(auc!.querySelector(".lx-servedpoint")!.getAttribute("d")!.match(/M/gu)).toHaveLength(2);
    expect(one(".lx-threshold")).not.toBeNull();
  });

  it("are walked with keys, each point heard with what it misses", () => {
    const { click, all, press, text } = mount();
    click("Metrics");
    const chart = all(".lx-chart")[0]!;
    chart.focus();
    press("End", chart);
    expect(document.getElementById(chart.getAttribute("aria-activedescendant")!)!.getAttribute("aria-label")).toBe("v3: auc 0.75, not ≥ 0.8");
    press("ArrowLeft", chart);
    press("Enter", chart);
    expect(text(".lx-details h3")[0]).toContain("v2");
  });

  it("take a condition for the metric that it names, and a bare one for the gate's", () => {
    const gate = (name: string, expected: string) => ({ subject: "", gate: name, gate_type: "evaluation", status: "passed", grade: "", expected, actual: "", evaluator: "", event_time: null, pointer: "" });
    const { lives } = new Story(history([version(1, { gates: [gate("auc", ">= 0.8"), gate("quality", "auc <= 9e-1"), gate("f1", "auc > 0.1 and more"), gate("f1", ">= 0.9")] })]));
    expect(thresholds(lives, "auc")).toEqual([{ sign: "≥", value: 0.8 }, { sign: "≤", value: 0.9 }]);
  });

  it("have round numbers beside them, whatever the values are", () => {
    for (const [low, high] of [[0.71, 0.86], [0, 0], [-5, 5], [1e-9, 2e-9], [1e15, 1e15], [0.5, 0.5], [-3, -3]] as const) {
      const grid = scale(low, high);
      expect(grid.every(Number.isFinite)).toBe(true);
      expect([grid[0]! <= low, grid.at(-1)! >= high, grid.length <= 7]).toEqual([true, true, true]);
    }
  });
});

describe("the family", () => {
  const tree = {
    nodes: ["base_model:bert@1", "model:prod/churn@1", "model:prod/churn@2", "model:prod/churn@3"].map((ref) => ({ ref, kind: ref.split(":")[0]!, label: "" })),
    links: [
      { parent: "base_model:bert@1", child: "model:prod/churn@1", how: "base model" },
      { parent: "model:prod/churn@1", child: "model:prod/churn@2", how: "fine-tuning" },
      { parent: "base_model:bert@1", child: "model:prod/churn@2", how: "base model" },
      { parent: "model:prod/churn@3", child: "model:prod/churn@3", how: "copy" },
    ],
  };

  it("is a tree that ends, also where it is a circle or has two ways to one thing", () => {
    const { click, text } = mount({ ...few(), tree });
    click("Family");
    expect(text(".lx-itemname")).toEqual(["bert v1", "churn v1", "churn v2", "churn v2", "churn v3", "churn v3"]);
    expect(text('[role="treeitem"]').filter((words) => words.includes("(as above)"))).toHaveLength(2);
  });

  it("is walked with keys, and shows what is selected", () => {
    const { click, press, one, all, text, set } = mount({ ...few(), tree });
    click("Family");
    (one('[role="treeitem"][tabindex="0"]')).focus();
    press("ArrowLeft");
    expect(all('[role="treeitem"]').filter((item) => !item.hidden)).toHaveLength(3);
    press("ArrowRight");
    press("ArrowRight");
    press("Enter");
    expect(text(".lx-details h3")[0]).toContain("v1");
    set(".lx-search", "churn@2");
    expect(text(".lx-itemname")).toEqual(["bert v1", "churn v1", "churn v2", "churn v2"]);
  });
});

describe("odd histories", () => {
  // Read, never written: attributes of drawings are looked through as well as texts.
  const whole = (place: HTMLElement): string => place.innerHTML;

  it("are drawn empty, with one version, and without any time", () => {
    const empty = mount(history([]));
    expect(empty.text(".lx-nolane")).toEqual(["No endpoint that it served is on record.", "No version is on record."]);
    const dateless = mount(
      history([version(1, { registered: null, stages: [{ stage: "production", since: null, until: null, earliest: null, because: "" }], serving: [served(1, null, null)] }), version(2, { registered: "soon" })], [{ endpoint: PROD, site: "", environment: "", spans: [span(null, null, [share(1, 100)])] }], { question: { ref: "model:prod/churn", as_of: "", known_at: "" } }),
    );
    expect(dateless.text(".lx-range-said")).toEqual(["No time is on record"]);
    expect(dateless.text(".lx-life text")).toEqual(["no time of it is on record", "no time of it is on record"]);
    for (const { place, click } of [empty, dateless, mount(history([version(1)]))]) {
      for (const tab of ["Metrics", "Versions", "Events", "Serving", "Family", "Timeline"]) {
        click(tab);
        expect(whole(place)).not.toMatch(/NaN|Infinity|undefined/u);
      }
    }
  });

  it("draw what began before the records and lasts, from the left end on", () => {
    const { one, place } = mount(history([version(1, { serving: [served(1, null, null)], stages: [{ stage: "production", since: null, until: null, earliest: null, because: "" }] })], [{ endpoint: PROD, site: "", environment: "", spans: [span(null, null, [share(1, 100)])] }]));
    expect(Number(one(".lx-life .lx-part").getAttribute("x"))).toBeLessThanOrEqual(0);
    expect(Number(one(".lx-life .lx-part").getAttribute("width"))).toBeGreaterThan(900);
    expect(whole(place)).not.toMatch(/NaN|Infinity|undefined/u);
  });

  it("show hostile text as text", () => {
    const content = few();
    const [first] = content.versions;
    Object.assign(first!, { version: HOSTILE, label: HOSTILE, description: HOSTILE, metrics: JSON.parse(`{"__proto__": 1, "toString": 2, ${JSON.stringify(HOSTILE)}: 3}`), params: { [HOSTILE]: HOSTILE }, packages: { [HOSTILE]: HOSTILE } });
    first!.stages[0]!.stage = HOSTILE;
    first!.gates[0]!.evaluator = HOSTILE;
    content.lanes[0]!.site = HOSTILE;
    content.lanes[0]!.spans[1]!.findings = [{ code: HOSTILE, site: HOSTILE, message: HOSTILE }];
    content.events[0]!.text = HOSTILE;
    content.tree = { nodes: [{ ref: first!.ref, kind: HOSTILE, label: HOSTILE }], links: [{ parent: first!.ref, child: HOSTILE, how: HOSTILE }] };
    const { place, all, click, press } = mount(content);
    for (const tab of ["Metrics", "Versions", "Events", "Serving", "Family", "Timeline"]) click(tab);
    all(".lx-life")[2]!.click();
    press("ArrowRight", all(".lx-lanetrack")[0]);
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent).not.toContain("\u202E");
    expect(place.textContent).toContain("<img src=x onerror=alert(1)>");
  });

  it("leave nothing behind when they are closed", () => {
    const { place, view } = mount();
    view.destroy();
    expect(place.childElementCount).toBe(0);
  });
});
