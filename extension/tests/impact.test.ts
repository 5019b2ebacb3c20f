// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Around, Shown } from "../src/chapters/around.js";
import type { Candidate, Exposure, Impact, ReachedEndpoint, ReachedVersion, Rollback } from "../src/chapters/documents.js";
import { mountImpact } from "../src/chapters/impact.js";
import { mountRollback } from "../src/chapters/rollback.js";
import { axis, chart } from "../src/chapters/windows.js";

const HOSTILE = `<img src=x onerror=alert(1)>\u202E`;
const NOW = "2026-11-21T10:00:00Z";
const common = { format_version: 1 as const, tool: { name: "lineage-explorer", version: "0" }, digest: "sha256:00" };
const shown = new Set<Shown>();

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  for (const view of shown) view.destroy();
  shown.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

function exposure(more: Partial<Exposure> = {}): Exposure {
  return { since: "2026-10-01T00:00:00Z", until: null, deployment: "deployment:churn-prod:stable", version: "model:churn@3", traffic: 100, state: "serving", site: "", environment: "production", roles: ["training"], strength: "identifier", between_syncs: false, ...more };
}

function endpoint(ref: string, more: Partial<ReachedEndpoint> = {}): ReachedEndpoint {
  return { ref, now: true, traffic_now: 100, roles: ["training"], strength: "identifier", retrain: "yes", why: "trained on it", first: "2026-10-01T00:00:00Z", last: null, exposures: [exposure()], ...more };
}

function version(number: number, more: Partial<ReachedVersion> = {}): ReachedVersion {
  return { ref: `model:prod/churn@${number}`, kind: "model", label: `churn v${number}`, roles: ["training"], strength: "identifier", path: ["dataset:customers@12", "run:train", `model:prod/churn@${number}`], registered: null, here: null, endpoints: [], first_served: null, last_served: null, retrain: "yes", why: "trained on it", ...more };
}

function impact(more: Partial<Impact> = {}): Impact {
  return {
    ...common,
    format: "lineage-explorer/impact",
    question: { ref: "dataset:customers@12", as_of: NOW, known_at: NOW },
    root: "dataset:customers@12",
    summary: ["It reached two versions."],
    counts: { model: 2, endpoint: 2 },
    versions: [version(3, { endpoints: ["endpoint:churn-prod"] }), version(4, { retrain: "maybe", strength: "declared", why: "role not recorded" }), version(5, { retrain: "no", roles: ["evaluation"] })],
    endpoints: [endpoint("endpoint:churn-prod"), endpoint("endpoint:other", { now: false, retrain: "no", last: "2026-10-09T00:00:00Z", strength: "name" })],
    evaluations: [
      { run: "run:evaluate", label: "evaluate", data: ["dataset:customers@12"], models: ["model:prod/churn@3"], why: "it read it", gates: [{ subject: "model:prod/churn@3", gate: "bias", gate_type: "fairness", status: "passed", grade: "claimed", expected: "", actual: "", evaluator: "", event_time: null, pointer: "" }] },
    ],
    derived: [{ ref: "dataset:clean@1", kind: "dataset", label: "clean", strength: "content_hash" }],
    beyond: { versions: 0, endpoints: 0, evaluations: 0, derived: 0 },
    findings: [{ severity: "warning", code: "x", ref: "", message: "careful" }],
    ...more,
  };
}

function reader(place: HTMLElement) {
  const text = (selector: string): string[] => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "");
  const find = <E extends HTMLElement>(selector: string, words?: string): E => {
    const found = [...place.querySelectorAll<E>(selector)].find((item) => words === undefined || item.textContent === words || item.getAttribute("aria-label") === words);
    if (found === undefined) throw new Error(`nothing at ${selector} ${words ?? ""}`);
    return found;
  };
  const click = (selector: string, words?: string): void => find(selector, words).click();
  const panel = (): string[] => text('[role="tabpanel"]:not([hidden]) > .lx-rows > .lx-scroll > table > tbody > tr:not(.lx-unfolded)');
  const first = (): string[] => text(".lx-aboverows + .lx-rows tbody tr");
  return { text, find, click, panel, first };
}

function mount(content: Impact = impact(), around: Around = {}) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mountImpact(place, content, around);
  shown.add(view);
  return { place, view, ...reader(place) };
}

describe("an impact", () => {
  it("says first what to retrain: certain before perhaps, each by a word and why, and not what need not be", () => {
    const { text, first } = mount();
    expect(text(".lx-head h2")).toEqual(["Recall of dataset:customers@12"]);
    expect(text(".lx-aboverows")).toEqual(["To retrain: 1 endpoint and 1 version. Perhaps: 0 endpoints and 1 version; what is missing is said with each."]);
    expect(text(".lx-aboverows + .lx-rows tbody th")).toEqual(["churn-prod", "churn v3", "churn v4"]);
    expect(text(".lx-aboverows + .lx-rows .lx-retrain")).toEqual(["yes", "yes", "maybe"]);
    expect(first()[2]).toContain("role not recorded");
  });

  it("takes a word that it does not know for perhaps, never for a no", () => {
    const odd = version(9, { retrain: "unknown" as "no" });
    expect(mount(impact({ versions: [odd], endpoints: [] })).text(".lx-aboverows + .lx-rows .lx-retrain")).toEqual(["maybe"]);
  });

  it("counts what is not in the document, and says nothing of whether to retrain it", () => {
    const { text } = mount(impact({ counts: { model: 3003 }, beyond: { versions: 3000, endpoints: 0, evaluations: 0, derived: 0 } }));
    expect(text(".lx-kinds li")).toEqual(["model 3,003"]);
    expect(text(".lx-beyondrows").join(" ")).toContain("3,000 endpoints and versions are not in this document");
    expect(text('[role="tab"]')[1]).toBe("Versions 3 +");
  });

  it("says at the end of a list how many more there are", () => {
    const { click, text } = mount(impact({ beyond: { versions: 3000, endpoints: 0, evaluations: 0, derived: 0 } }));
    click('[role="tab"]', "Versions 3 +");
    expect(text('[role="tabpanel"]:not([hidden]) .lx-beyondrows')).toEqual(["… and 3,000 more; not in this document."]);
  });

  it("filters all lists by words, by retraining, by strength at least and by who serves now", () => {
    const { find, click, first, text } = mount();
    const tabs = (): string[] => text('[role="tab"]').slice(0, 2);
    click("button", "Retrain: maybe 1");
    expect(tabs()).toEqual(["Endpoints 0 of 2", "Versions 1 of 3"]);
    expect(first()).toHaveLength(1);
    click("button", "Retrain: maybe 1");
    click("button", "Serving now");
    expect(tabs()).toEqual(["Endpoints 1 of 2", "Versions 1 of 3"]);
    click("button", "Serving now");
    const strength = find<HTMLSelectElement>("select");
    strength.value = "1"; // by identifier, or by content hash
    strength.dispatchEvent(new Event("change"));
    expect(tabs()).toEqual(["Endpoints 1 of 2", "Versions 2 of 3"]);
    strength.value = "8";
    strength.dispatchEvent(new Event("change"));
    const search = find<HTMLInputElement>(".lx-search");
    search.value = "ROLE v4";
    search.dispatchEvent(new Event("input"));
    expect(tabs()).toEqual(["Endpoints 0 of 2", "Versions 1 of 3"]);
    vi.advanceTimersByTime(1000);
    expect(text("[role=status]")).toEqual(["0 of 2 endpoints, 1 of 3 versions; 1 row to retrain"]);
  });

  it("does not let an unknown strength pass for a strong one", () => {
    const { find, text } = mount(impact({ versions: [version(1, { strength: "who knows" })] }));
    const strength = find<HTMLSelectElement>("select");
    strength.value = "7";
    strength.dispatchEvent(new Event("change"));
    expect(text('[role="tab"]')[1]).toBe("Versions 0 of 1");
  });

  it("unfolds an endpoint's windows as a table that says what the chart shows", () => {
    const { text, click } = mount(impact({ endpoints: [endpoint("endpoint:churn-prod", { exposures: [exposure(), exposure({ since: null, until: "2026-10-01T00:00:00Z", traffic: null, state: "undetermined", version: null, between_syncs: true })] })] }));
    expect(text('[role="tabpanel"] .lx-windows ~ .lx-quiet')).toEqual(["2 windows"]);
    click(".lx-twistrow", "Details of endpoint:churn-prod");
    const rows = text(".lx-unfolded:not([hidden]) tbody tr");
    expect(rows[0]).toContain("2026-10-01 00:00 UTC" + "still, as asked" + "churn v3" + "100 %");
    expect(rows[1]).toContain("before the first record" + "2026-10-01 00:00 UTC" + "not on record" + "not read" + "undetermined");
    expect(rows[1]).toContain("known to the nearest sync");
  });

  it("unfolds the path to a version as references one after another", () => {
    const { click, text } = mount();
    click('[role="tab"]', "Versions 3");
    click(".lx-twistrow", "Details of model:prod/churn@3");
    expect(text(".lx-chain li")).toEqual(["dataset:customers@12", "run:train", "model:prod/churn@3"]);
  });

  it("shows tainted evaluations with their gates, what lies between, and findings", () => {
    const { click, panel, text } = mount();
    click('[role="tab"]', "Evaluations 1");
    expect(panel()[0]).toContain("bias: passed");
    click(".lx-twistrow", "Details of run:evaluate");
    expect(text(".lx-unfolded:not([hidden]) li")[0]).toContain("bias passed, claimed: about churn v3");
    click('[role="tab"]', "In between 1");
    expect(panel()[0]).toContain("content hash");
    click('[role="tab"]', "Findings 1");
    expect(panel()).toEqual(["the wholewarningcareful"]);
  });

  it("keeps a sorted and unfolded table as it was when the filter changes", () => {
    const { click, panel, find, text } = mount();
    click('[role="tab"]', "Versions 3");
    click(".lx-twistrow", "Details of model:prod/churn@3");
    const head = find('[role="tabpanel"]:not([hidden]) thead button', "Version");
    head.click();
    head.click();
    expect(panel().map((row) => row.slice(0, 8))).toEqual(["churn v5", "churn v4", "churn v3"]);
    click("button", "Retrain: yes 2");
    expect(panel()).toHaveLength(1);
    expect(text(".lx-unfolded:not([hidden]) .lx-chain li")).toHaveLength(3);
  });

  it("makes a page of a long list, and the rest on demand", () => {
    const derived = Array.from({ length: 1250 }, (_, i) => ({ ref: `run:r${i}`, kind: "run", label: `r${i}`, strength: "identifier" }));
    const { click, panel, find } = mount(impact({ derived }));
    click('[role="tab"]', "In between 1,250");
    const more = '[role="tabpanel"]:not([hidden]) .lx-more';
    expect(panel()).toHaveLength(100);
    expect(find(more).textContent).toBe("Show 1,000 more of 1,250 rows");
    click(more);
    expect(panel()).toHaveLength(1100);
    click(more, "Show all 1,250 rows");
    expect(panel()).toHaveLength(1250);
    expect(find(more).hidden).toBe(true);
  });

  it("copies the references to retrain, one a line, and says how many of them are not sure", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    const { click, text } = mount();
    click("button", "Copy the list");
    for (let i = 0; i < 5; i++) await Promise.resolve();
    expect(writeText).toHaveBeenCalledWith("endpoint:churn-prod\nmodel:prod/churn@3\nmodel:prod/churn@4\n");
    expect(text(".lx-notice")).toEqual(["Copied 3 references: 2 to retrain, 1 perhaps"]);
  });

  it("leads to the trace and to the history of a name, where somebody can answer", () => {
    const [open, trace] = [vi.fn(), vi.fn()];
    const { click } = mount(impact(), { open, trace });
    click("button", "History of model:prod/churn@3");
    expect(open).toHaveBeenCalledWith({ chapter: "history", ref: "model:prod/churn", as_of: NOW, known_at: NOW });
    click("button", "Trace of endpoint:churn-prod");
    expect(trace).toHaveBeenCalledWith("endpoint:churn-prod", NOW);
    expect(mount().text("button").join()).not.toMatch(/History|Trace/u);
  });

  it("says that nothing was reached where nothing was", () => {
    const { text, panel, first } = mount(impact({ summary: [], counts: {}, versions: [], endpoints: [], evaluations: [], derived: [], findings: [] }));
    expect(text(".lx-head .lx-quiet").join()).toContain("Nothing was reached, as far as the records say.");
    expect(panel()).toEqual(["No endpoint was reached."]);
    expect(first()).toHaveLength(1);
  });

  it("never makes markup of a record", () => {
    const odd = { label: HOSTILE, why: HOSTILE, roles: [HOSTILE], strength: HOSTILE, path: [HOSTILE, HOSTILE] };
    const { place } = mount(
      impact({
        root: HOSTILE,
        summary: [HOSTILE],
        counts: { [HOSTILE]: 1 },
        versions: [version(1, odd)],
        endpoints: [endpoint(HOSTILE, { why: HOSTILE, exposures: [exposure({ deployment: HOSTILE, version: HOSTILE, site: HOSTILE, state: HOSTILE })] })],
        findings: [{ severity: HOSTILE, code: HOSTILE, ref: HOSTILE, message: HOSTILE }],
      }),
      { open: () => undefined, trace: () => undefined },
    );
    for (const tab of place.querySelectorAll<HTMLElement>("[role=tab]")) {
      tab.click();
      for (const button of place.querySelectorAll<HTMLElement>(".lx-twistrow")) button.click();
    }
    expect(place.querySelector("img, script")).toBeNull();
    expect(place.textContent).not.toContain("\u202E");
  });
});

describe("the chart of windows", () => {
  const time = axis([exposure({ since: "2026-10-22T10:00:00Z" })], NOW)!;
  const bars = (...all: Exposure[]) => [...chart(all, time).querySelectorAll("rect")].map((bar) => ({ x: Number(bar.getAttribute("x")), y: Number(bar.getAttribute("y")), width: Number(bar.getAttribute("width")), height: Number(bar.getAttribute("height")), kind: bar.getAttribute("class") ?? "" }));

  it("is as wide as a window lasted and as high as its share", () => {
    const [half, whole] = bars(exposure({ since: "2026-10-22T10:00:00Z", until: "2026-11-06T10:00:00Z", traffic: 50 }), exposure({ since: "2026-11-06T10:00:00Z" }));
    expect([half!.x, half!.width, whole!.x, whole!.width]).toEqual([0, 500, 500, 500]);
    expect(half!.height * 2).toBe(whole!.height);
  });

  it("stacks what served at the same time, and stays within its height", () => {
    const [lower, upper] = bars(exposure({ traffic: 90 }), exposure({ traffic: 10 }));
    expect(upper!.y + upper!.height).toBeCloseTo(lower!.y);
    const many = bars(...Array.from({ length: 5 }, () => exposure()));
    expect(Math.min(...many.map((bar) => bar.y))).toBeGreaterThanOrEqual(0);
  });

  it("tells weak links and shares that were not read by their outline", () => {
    const kinds = bars(exposure(), exposure({ strength: "declared" }), exposure({ traffic: null }), exposure({ state: "deployed" })).map(({ kind }) => kind);
    expect(kinds).toEqual(["lx-window lx-w-strong", "lx-window lx-w-weak", "lx-window lx-w-strong lx-hollow", "lx-window lx-w-strong lx-hollow"]);
  });

  it("shows a moment too, and draws nothing where no time is on record", () => {
    expect(bars(exposure({ since: NOW, until: NOW }))[0]!.width).toBeGreaterThan(1);
    expect(axis([exposure({ since: null })], NOW)).toBeUndefined();
    expect(axis([], "never")).toBeUndefined();
  });
});

// --- going back ---

function candidate(number: number, more: Partial<Candidate> = {}): Candidate {
  return { ref: `model:churn@${number}`, deployment: "deployment:churn-prod:stable", site: "", served_since: null, served_until: null, here: true, verdict: "PASSED", why: `why of ${number}`, audit_digest: "sha256:00", ...more };
}

function rollback(more: Partial<Rollback> = {}): Rollback {
  const share = { deployment: "deployment:churn-prod:stable", model: "model:churn@3", version: "model:churn@3", traffic: 90, state: "serving" as const, site: "", environment: "production" };
  return {
    ...common,
    format: "lineage-explorer/rollback",
    question: { endpoint: "endpoint:churn-prod", as_of: NOW, known_at: NOW, policy: { name: "default", version: "1", digest: "sha256:00" } },
    serving: [{ ...share, version: "model:churn@4", model: "model:churn@4", traffic: 10 }, share],
    target: "model:churn@2",
    candidates: [candidate(2), candidate(1, { here: null, verdict: "INCOMPLETE" }), candidate(0, { here: false, verdict: "FAILED" })],
    why: "it served last",
    ...more,
  };
}

function mountBack(content: Rollback, around: Around = {}) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mountRollback(place, content, around);
  shown.add(view);
  return { place, ...reader(place) };
}

describe("a rollback", () => {
  it("names the target with its verdict and why, and marks it among the candidates, which keep their order", () => {
    const { text, place } = mountBack(rollback());
    expect(text(".lx-goal")[0]).toMatch(/churn v2.*PASSED.*it served last.*why of 2/u);
    expect(text("tbody th")).toEqual(["churn v2 ▶ target", "churn v1", "churn v0"]);
    expect(place.querySelector('tbody tr[aria-current="true"] th')!.textContent).toContain("churn v2");
    expect(text("tbody td:nth-child(6)")).toEqual(["yes", "no record says", "no, it is gone"]);
    expect(text("tbody .lx-verdict")).toEqual(["PASSED", "INCOMPLETE", "FAILED"]);
  });

  it("compares a candidate with what serves most, judged by the same policy", () => {
    const [open, trace] = [vi.fn(), vi.fn()];
    const { click } = mountBack(rollback(), { open, trace });
    click("tbody button", "Compare with what serves: model:churn@1");
    expect(open).toHaveBeenCalledWith({ chapter: "comparison", a: `model:churn@3@@${NOW}`, b: `model:churn@1@@${NOW}`, known_at: NOW, policy: "default" });
    click("tbody button", "Trace of model:churn@1");
    expect(trace).toHaveBeenCalledWith("model:churn@1", NOW);
  });

  it("offers no comparison where the version that serves is not known, and no button where nobody can answer", () => {
    const unknown = rollback().serving.map((share) => ({ ...share, version: null }));
    expect(mountBack(rollback({ serving: unknown }), { open: () => undefined }).text("button").join()).not.toContain("Compare");
    expect(mountBack(rollback()).text("button").join()).not.toMatch(/Compare|Trace/u);
  });

  it("says that there is none to go back to, and that nobody serves", () => {
    const { text } = mountBack(rollback({ target: null, candidates: [], serving: [], why: HOSTILE }));
    expect(text(".lx-goal strong")).toEqual(["There is no version to go back to."]);
    expect(text(".lx-aboverows")).toEqual(["Nobody serves it, as far as the records say."]);
    expect(text("tbody td")).toEqual(["No version that served before is on record."]);
  });
});
