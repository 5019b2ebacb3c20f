// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from "vitest";
import type { Audit, RequirementResult } from "../src/view/audit.js";
import { python } from "../src/view/code.js";
import { answerText } from "../src/view/heading.js";
import { mounted } from "./mounted.js";
import { audit, hop, node } from "./audits.js";

const HOSTILE = `<img src=x onerror=alert(1)>\u202E`;

afterEach(() => document.body.replaceChildren());

const failing: RequirementResult = {
  requirement: "f1",
  title: "F1 of at least 0.90",
  required: true,
  outcome: "fails",
  status: "failed",
  grade: "recomputed",
  why: "f1 0.87 < 0.90, recomputed from run 8a3f",
  needed: "",
  cites: "House rule 7",
  policy_version: "2",
  waiver: null,
  evidence: ["e1"],
};
const missing: RequirementResult = {
  ...failing,
  requirement: "approval",
  title: "Approved",
  outcome: "undetermined",
  status: "missing",
  grade: "",
  why: "no approval of model:churn@4 is on record",
  needed: "an approval of model:churn@4",
  cites: "",
  evidence: [],
};
const waived: RequirementResult = {
  ...failing,
  requirement: "latency",
  title: "Fast",
  outcome: "holds",
  status: "waived",
  cites: "",
  why: "p95 243 > 200",
  waiver: { by: "person:ada", why: "CHURN-812", until: "2027-01-01T00:00:00Z" },
};
const passing: RequirementResult = { ...failing, requirement: "data", title: "Data on record", outcome: "holds", status: "passed", why: "3 datasets", grade: "", cites: "", evidence: [] };

function judged(requirements: RequirementResult[], more: Partial<Audit["question"]> = {}, policy: Partial<Audit["question"]["policy"]> = {}): Audit {
  const made = audit(
    [node("model:churn@4", "registry", { label: "churn v4" }), node("deployment:churn:blue", "deployment", { label: "blue" }), node("endpoint:churn-prod", "endpoint")],
    [hop("h1", "model:churn@4", "deployment:churn:blue", "failed", { predicate: "deploys", requirements }), hop("h2", "deployment:churn:blue", "endpoint:churn-prod", "none", { predicate: "serves" })],
    {
      verdict: "FAILED",
      evidence: [
        { id: "e1", subject: "model:churn@4", gate: "f1", gate_type: "evaluation", status: "failed", grade: "recomputed", expected: "f1 >= 0.90", actual: "0.87", evaluator: "service:eval", event_time: "2026-11-01T10:00:00Z", pointer: "run:8a3f", source: null },
        { id: "e2", subject: "model:churn@4", gate: "auc", gate_type: "evaluation", status: "passed", grade: "claimed", expected: "", actual: "", evaluator: "", event_time: null, pointer: "", source: null },
      ],
    },
  );
  made.question = { ...made.question, ...more, policy: { ...made.question.policy, name: "churn-release", version: "2", ...policy } };
  return made;
}

function mount(content: Audit) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mounted(place, content);
  const text = (selector: string): string[] => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "");
  const click = (selector: string, words?: string): void => {
    const found = [...place.querySelectorAll<HTMLElement>(selector)].find((item) => words === undefined || item.textContent === words);
    if (found === undefined) throw new Error(`nothing at ${selector} ${words ?? ""}`);
    found.click();
  };
  const facts = (card: Element): { [term: string]: string | undefined } => Object.fromEntries([...card.querySelectorAll("dt")].map((term) => [term.textContent, term.nextElementSibling?.textContent]));
  return { place, view, text, click, facts };
}

describe("a requirement on a hop", () => {
  it("says what was compared, on what it rests and what it is built on, what does not hold first", () => {
    const { view, place, text, facts } = mount(judged([passing, waived, missing, failing]));
    view.set({ selected: "h1" });
    const cards = [...place.querySelectorAll(".lx-details .lx-requirement")];
    expect(text(".lx-details .lx-requirementhead strong")).toEqual(["F1 of at least 0.90", "Approved", "Fast", "Data on record"]);
    expect(text(".lx-details .lx-requirementhead span")).toEqual(["fails", "cannot be determined (missing)", "holds (waived)", "holds"]);
    expect(text(".lx-details .lx-compared")[0]).toBe("f1 0.87 < 0.90, recomputed from run 8a3f");
    expect(facts(cards[0]!)).toEqual({ Grade: "recomputed", Records: "f1, 2026-11-01", Cites: "House rule 7" });
    expect(facts(cards[1]!)).toEqual({ Needed: "an approval of model:churn@4" });
    expect(facts(cards[2]!)["Waived"]).toBe("by person:ada until 2027-01-01 00:00 UTC: CHURN-812");
    expect(facts(cards[3]!)).toEqual({});
  });

  it("names the version that judged where there were several, and only there", () => {
    const applied = [
      { version: "1", digest: "", hops: 1 },
      { version: "2", digest: "", hops: 3 },
    ];
    const { view, place, facts, text } = mount(judged([failing], {}, { applied }));
    view.set({ selected: "h1" });
    expect(facts(place.querySelector(".lx-requirement")!)["Judged by"]).toBe("version 2");
    expect(text(".lx-title .lx-quiet")[0]).toContain("policy churn-release 1 (1 hop), 2 (3 hops)");
  });

  it("leads to the record that it rests on", () => {
    const { view, click, text } = mount(judged([failing]));
    view.set({ selected: "h1" });
    click(".lx-requirement dd button", "f1, 2026-11-01");
    expect(text('[role="tab"][aria-selected="true"]')).toEqual(["Evidence 2"]);
    expect(document.activeElement?.closest("tr")?.textContent).toContain("f1 >= 0.90");
  });

  it("says so when the search leaves that record out", () => {
    const { view, click, text } = mount(judged([failing]));
    view.set({ selected: "h1", query: "blue" });
    click(".lx-requirement dd button");
    expect(text(".lx-notice")[0]).toContain("leave this record out");
  });

  it("is shown as before where an older audit says less", () => {
    const old = { requirement: "f1", title: "F1", required: true, outcome: "fails", status: "failed", why: "too low", evidence: [] } as RequirementResult;
    const { view, text } = mount(judged([old]));
    view.set({ selected: "h1" });
    expect(text(".lx-requirement")).toEqual(["F1failstoo low"]);
    expect(text(".lx-why li")).toEqual(["F1 failed: too low"]);
  });

  it("is text, whatever it says", () => {
    const bad = { ...waived, title: HOSTILE, why: HOSTILE, needed: HOSTILE, cites: HOSTILE, grade: HOSTILE, policy_version: HOSTILE, waiver: { by: HOSTILE, why: HOSTILE, until: HOSTILE } };
    const { view, place, click } = mount(judged([bad], {}, { name: HOSTILE, version: HOSTILE, applied: [{ version: HOSTILE, digest: "", hops: 1 }, { version: "2", digest: "", hops: 1 }] }));
    view.set({ selected: "h1" });
    click('[role="tab"]', "Requirements 1");
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent).not.toContain("\u202E");
  });
});

describe("the reasons beside the verdict", () => {
  it("hold what decides them, and what passes by a waiver alone is among them", () => {
    const { text } = mount(judged([passing, waived, missing, failing]));
    expect(text(".lx-reason")).toEqual([
      "F1 of at least 0.90 failed: f1 0.87 < 0.90, recomputed from run 8a3f",
      "Approved cannot be determined: no approval of model:churn@4 is on record",
      "Fast waived: p95 243 > 200",
    ]);
    expect(text(".lx-grounds")[1]).toBe("Needed an approval of model:churn@4");
    expect(text(".lx-grounds")[2]).toContain("Waived by person:ada until 2027-01-01 00:00 UTC: CHURN-812");
  });

  it("name what several hops share once", () => {
    const content = judged([failing]);
    content.hops.push(hop("h3", "model:churn@4", "deployment:churn:blue", "failed", { predicate: "deploys", requirements: [failing] }));
    expect(mount(content).text(".lx-reason")).toEqual(["F1 of at least 0.90 failed on 2 hops: f1 0.87 < 0.90, recomputed from run 8a3f"]);
  });
});

describe("the table of requirements", () => {
  it("has a row for each requirement on each hop, sorted by what is worst", () => {
    const { click, text } = mount(judged([passing, { ...passing, title: "Not asked for", required: false }, waived, missing, failing]));
    click('[role="tab"]', "Requirements 4");
    click('[role="tabpanel"]:not([hidden]) th button', "Outcome");
    const table = '[role="tabpanel"]:not([hidden])';
    expect(text(`${table} tbody tr:first-child > *`).map((cell) => cell.trim())).toEqual([
      "F1 of at least 0.90",
      "blue deploys churn v4",
      "fails",
      "recomputed",
      "f1 0.87 < 0.90, recomputed from run 8a3f",
      "",
    ]);
    expect(text(`${table} tbody th`)).toEqual(["F1 of at least 0.90", "Approved", "Fast", "Data on record"]);
    click(`${table} th button`, "F1 of at least 0.90");
    expect(text(".lx-details h3")).toEqual(["deploys"]);
  });
});

describe("a list of questions", () => {
  it("states evidence, and no verdict", () => {
    const content = judged([failing, missing], {}, { form: "questions" });
    content.serving = [{ deployment: "deployment:churn:blue", model: "model:churn@4", traffic: 100, state: "serving", mirrored: false, site: "", since: null, verdict: "INCOMPLETE" }];
    const { text, click, place } = mount(content);
    expect(text(".lx-verdict")).toEqual(["contradicted", "not determinable"]);
    expect(text(".lx-title")[0]).toContain("Evidence, not a statement of compliance.");
    expect(text(".lx-reason")[0]).toContain("F1 of at least 0.90 contradicted: ");
    for (const tab of ["Serving 1", "Requirements 2"]) click('[role="tab"]', tab);
    expect(place.textContent).not.toMatch(/PASSED|FAILED|INCOMPLETE/u);
    expect(answerText(content)).toMatch(/^contradicted: /u);
  });
});

describe("a model that is not released yet", () => {
  it("is what the heading is about, and what the code asks about", () => {
    const content = judged([failing], { candidate: "model:churn@4" });
    const { text } = mount(content);
    expect(text(".lx-title h2")).toEqual(["churn v4, as though released to churn-prod on 2026-11-21 10:00 UTC"]);
    const code = python(content, 'open_store("s.db")');
    expect(code).toContain("from lineage_explorer import gate, open_store");
    expect(code).toContain('answer = gate(\n    store,\n    "model:churn@4",\n    endpoint="endpoint:churn-prod",');
  });
});

describe("findings about gates", () => {
  it("stand on the hop whose gate they are about, and nowhere else", () => {
    const content = judged([failing]);
    content.findings = [
      { severity: "warning", code: "gate-weakened", ref: "model:churn@4", message: "Gate 'f1' holds, and the condition of f1 was weakened: f1 >= 0.90 → f1 >= 0.85" },
      { severity: "info", code: "waiver-in-force", ref: "model:other@1", message: "elsewhere" },
    ];
    const { view, text, click, place } = mount(content);
    view.set({ selected: "h1" });
    expect(text(".lx-details h4")).toContain("Findings");
    expect(place.querySelector(".lx-details .lx-t-undetermined")?.textContent).toContain("f1 >= 0.90 → f1 >= 0.85");
    expect(text(".lx-details").join()).not.toContain("elsewhere");
    view.set({ selected: "h2" });
    expect(text(".lx-details h4")).not.toContain("Findings");
    click('[role="tab"]', "Findings 2");
    expect(place.querySelectorAll('[role="tabpanel"]:not([hidden]) td .lx-mark.lx-s-waived')).toHaveLength(1);
  });
});
