// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { lines } from "../src/view/shapes.js";
import { index, related, trainingPath } from "../src/view/model.js";
import { brief, clean, fit } from "../src/view/text.js";
import type { ViewState } from "../src/view/transport.js";
import { mounted } from "./mounted.js";
import { audit, hop, node, small } from "./audits.js";

const HOSTILE = `<img src=x onerror=alert(1)>`;

afterEach(() => document.body.replaceChildren());

function mount(content = small(), changed: (state: Partial<ViewState>) => void = () => undefined) {
  const place = document.createElement("div");
  document.body.append(place);
  const view = mounted(place, content, { store: "", changed });
  const text = (selector: string): string[] => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "");
  const click = (selector: string, words?: string): void => {
    const found = [...place.querySelectorAll<HTMLElement>(selector)].find((item) => words === undefined || item.textContent === words);
    if (found === undefined) throw new Error(`nothing at ${selector} ${words ?? ""}`);
    found.click();
  };
  return { place, view, text, click };
}

describe("text from records", () => {
  it("is never markup, wherever it stands", () => {
    const hostile = audit(
      [
        node(`model:${HOSTILE}@1`, "registry", {
          label: HOSTILE,
          fact: HOSTILE,
          description: HOSTILE,
          attributes: { [HOSTILE]: HOSTILE },
          record: { value: HOSTILE },
        }),
        node(`endpoint:${HOSTILE}`, "endpoint", { label: HOSTILE }),
      ],
      [hop("h1", `model:${HOSTILE}@1`, `endpoint:${HOSTILE}`, "failed", { site: HOSTILE, predicate: HOSTILE })],
      { answer: HOSTILE, findings: [{ severity: "error", code: HOSTILE, ref: "", message: HOSTILE }] },
    );
    const { place, view } = mount(hostile);
    view.set({ selected: `model:${HOSTILE}@1` });
    view.set({ selected: "h1" });
    view.set({ selected: `model:${HOSTILE}@1` });
    expect(place.querySelector("img")).toBeNull();
    expect(place.textContent).toContain(HOSTILE);
  });

  it("shows what cannot be seen, and what turns the reading order around", () => {
    expect(clean("a\u202Eb\u0000c\u200Bd")).toBe("a\uFFFDb\uFFFDc\uFFFDd");
  });

  it("keeps both ends of what is too long, and the head of a digest", () => {
    expect(fit("customers-2026-01-31", 11)).toBe("custo…01-31");
    expect(brief(`sha256:${"0123456789abcdef".repeat(4)}`)).toBe("sha256:0123456789…");
  });

  it("breaks names between words, not inside a date or a number", () => {
    expect(lines("prepare-2026-11-12", 12, 2)).toEqual(["prepare-", "2026-11-12"]);
    expect(lines(`features @ sha256:${"ab12cd34".repeat(8)}`, 12, 2)).toEqual(["features", "#ab12cd34…"]);
    expect(lines("churn-features-of-the-year @ 2026-11-12", 12, 2)).toEqual(["churn-…-year", "2026-11-12"]);
    expect(lines("one two three four five six", 9, 2)).toHaveLength(2);
  });
});

describe("what belongs together", () => {
  it("is all that lies up and down the flow of a thing, and not its neighbours", () => {
    const found = related(index(small()), "dataset:customers@1");
    expect(found).toContain("endpoint:churn-prod");
    expect(found).toContain("h1");
    expect(found).not.toContain("dataset:usage@1");
    expect(found).not.toContain("dataset:holdout@1");
  });

  it("goes one way when one way is asked for", () => {
    const model = index(small());
    expect(related(model, "model:churn@3", "upstream")).not.toContain("endpoint:churn-prod");
    expect(related(model, "model:churn@3", "downstream")).toEqual(new Set(["model:churn@3", "h1", "endpoint:churn-prod", "h6", "run:evaluate"]));
    expect(related(model, ["dataset:customers@1", "dataset:usage@1"], "downstream")).toContain("h1");
  });

  it("is, for the training data, all between it and the endpoint, and no data that was kept apart", () => {
    const path = trainingPath(index(small()));
    expect(path).toEqual(new Set(["dataset:customers@1", "dataset:usage@1", "run:train", "model:churn@3", "endpoint:churn-prod", "h1", "h2", "h3", "h4"]));
  });

  it("ends on a circle", () => {
    const round = audit([node("dataset:a", "data"), node("dataset:b", "data")], [hop("h1", "dataset:a", "dataset:b"), hop("h2", "dataset:b", "dataset:a")]);
    expect(related(index(round), "h1")).toEqual(new Set(["h1", "h2", "dataset:a", "dataset:b"]));
  });
});

describe("the view", () => {
  it("says verdict and sentence in words", () => {
    const { text } = mount();
    expect(text(".lx-title .lx-verdict")).toEqual(["INCOMPLETE"]);
    expect(text(".lx-answer")).toEqual(["Nobody knows."]);
  });

  it("says every status in a word beside its shape", () => {
    const { text } = mount();
    expect(text('[role="tabpanel"]:not([hidden]) .lx-gate').map((word) => word.trim())).toEqual([
      "passed",
      "missing",
      "failed",
      "no gate",
      "no gate",
      "no gate",
    ]);
  });

  it("tells the other side what was selected, and takes what it selects without an echo", () => {
    const changed = vi.fn();
    const { view, click, text } = mount(small(), changed);
    click('[role="tabpanel"]:not([hidden]) th .lx-link');
    expect(changed).toHaveBeenLastCalledWith({ selected: "h1" });
    expect(text(".lx-details h3")).toEqual(["serves"]);
    view.set({ selected: "dataset:customers@1", direction: "upstream", query: "churn" });
    expect(view.state).toEqual({ selected: "dataset:customers@1", direction: "upstream", query: "churn", as_of: "" });
    expect(changed).toHaveBeenCalledTimes(1);
    expect(text(".lx-details h3")).toEqual(["customers v1"]);
  });

  it("selects nothing when asked for what is not there", () => {
    const { view, place } = mount();
    view.set({ selected: "dataset:customers@1" });
    expect(place.querySelector<HTMLElement>(".lx-details")!.hidden).toBe(false);
    view.set({ selected: "model:nobody@1" });
    expect(place.querySelector<HTMLElement>(".lx-details")!.hidden).toBe(true);
  });

  it("sorts numbers by size and says so", () => {
    const shares = [5, 100, 20].map((traffic, i) => ({
      deployment: `deployment:d${i}`,
      model: null,
      traffic,
      state: "serving",
      mirrored: false,
      site: "",
      since: null,
      verdict: null,
    }));
    const { click, text, place } = mount(audit([node("endpoint:e", "endpoint")], [], { serving: shares }));
    click('[role="tab"]', "Serving 3");
    click('[role="tabpanel"]:not([hidden]) th button', "Traffic");
    expect(text('[role="tabpanel"]:not([hidden]) td:nth-child(3)')).toEqual(["5 %", "20 %", "100 %"]);
    expect(place.querySelector('[role="tabpanel"]:not([hidden]) th[aria-sort]')!.getAttribute("aria-sort")).toBe("ascending");
  });

  it("shows every row of a long table when asked", () => {
    const many = Array.from({ length: 300 }, (_, i) => node(`dataset:d${i}`, "data"));
    const { click, text } = mount(audit([...many, node("endpoint:e", "endpoint")], []));
    click('[role="tab"]', "Things 301");
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(100);
    click('[role="tabpanel"]:not([hidden]) .lx-more');
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(301);
  });

  it("finds by words in any order and leaves only the matching rows", () => {
    const { place, text } = mount();
    const search = place.querySelector<HTMLInputElement>(".lx-search")!;
    search.value = "v1 CUSTOMERS";
    search.dispatchEvent(new Event("input"));
    expect(text(".lx-found")[0]).toContain("1 of 7 things");
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(1);
    search.value = "nothing-like-it";
    search.dispatchEvent(new Event("input"));
    expect(text(".lx-found")).toEqual(["nothing found"]);
  });

  it("says what an expression lacks, and finds nothing by it", () => {
    const { place, text } = mount();
    type(place, "/churn(/");
    expect(text(".lx-found")[0]).toContain("not an expression");
    expect(place.querySelector(".lx-search")!.getAttribute("aria-invalid")).toBe("true");
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')[0]).toContain("Nothing here matches");
  });

  it("turns words into an expression and back", () => {
    const { place, click } = mount();
    type(place, "churn");
    click(".lx-regex");
    expect(place.querySelector<HTMLInputElement>(".lx-search")!.value).toBe("/churn/i");
    expect(place.querySelector(".lx-regex")!.getAttribute("aria-pressed")).toBe("true");
    click(".lx-regex");
    expect(place.querySelector<HTMLInputElement>(".lx-search")!.value).toBe("churn");
  });

  it("filters by what is ticked, shows it as chips and takes it back", () => {
    const { place, text, click } = mount();
    click(".lx-opens", "Filter");
    const box = [...place.querySelectorAll<HTMLLabelElement>(".lx-choice")].find((label) => label.textContent === "failed1")!;
    box.querySelector("input")!.click();
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(1);
    expect(text(".lx-chip")).toEqual(["Gate: failed ✕"]);
    expect(text(".lx-opens")[0]).toBe("Filter (1)");
    click(".lx-chips .lx-link", "Clear all");
    expect(text('[role="tabpanel"]:not([hidden]) tbody tr')).toHaveLength(6);
    expect(place.querySelector<HTMLElement>(".lx-chips")!.hidden).toBe(true);
  });

  it("shows an exploration without a verdict, and with none of what only an audit has", () => {
    const { place, text } = mount({ ...small(), verdict: null, digest: "" });
    expect(place.querySelector(".lx-verdict")).toBeNull();
    expect(text('[role="tab"]').map((title) => title.replace(/ \d*$/u, ""))).toEqual(["Tree", "Hops", "Evidence", "Things"]);
  });

  it("marks gates by shape and word alone when asked to", () => {
    const place = document.createElement("div");
    mounted(place, small(), null, { badges: "plain" });
    expect(place.querySelector(".lx-root.lx-plain")).not.toBeNull();
  });
});

function type(place: HTMLElement, text: string): void {
  const search = place.querySelector<HTMLInputElement>(".lx-search")!;
  search.value = text;
  search.dispatchEvent(new Event("input"));
}

describe("the heading", () => {
  it("says why a verdict is not better, failures first, and leads to the hop", () => {
    const asks = (outcome: "fails" | "undetermined", title: string) => ({
      requirement: title,
      title,
      required: true,
      outcome,
      status: outcome === "fails" ? ("failed" as const) : ("missing" as const),
      why: `because of ${title}`,
      evidence: [],
    });
    const content = audit(
      [node("model:m@1", "registry"), node("endpoint:e", "endpoint")],
      [hop("h1", "model:m@1", "endpoint:e", "failed", { requirements: [asks("undetermined", "Data"), asks("fails", "Approval")] })],
      { verdict: "FAILED" },
    );
    const { text, click, view } = mount(content);
    expect(text(".lx-why li")).toEqual(["Approval failed: because of Approval", "Data cannot be determined: because of Data"]);
    click(".lx-why button", "Approval");
    expect(view.state.selected).toBe("h1");
  });

  it("folds a long answer, and keeps a short one as it is", () => {
    const long = "word ".repeat(200);
    const { place, text, click } = mount(audit([node("endpoint:e", "endpoint")], [], { answer: long }));
    expect(text(".lx-folded")).toEqual([long]);
    click(".lx-unfold");
    expect(place.querySelector(".lx-folded")).toBeNull();
    expect(mount(audit([node("endpoint:e", "endpoint")], [], { answer: "Short." })).place.querySelector(".lx-unfold")).toBeNull();
  });
});

it("keeps the selected one of two hops that only their records tell apart, when another audit numbers them anew", () => {
  const nodes = [node("dataset:d@1", "data"), node("run:r", "training"), node("endpoint:e", "endpoint")];
  const twice = (first: string, second: string) => [hop(first, "dataset:d@1", "run:r"), hop(second, "dataset:d@1", "run:r", "failed")];
  const { view } = mount(audit(nodes, twice("h1", "h2"), { digest: "sha256:one" }));
  view.set({ selected: "h2" });
  view.audit(audit(nodes, twice("h3", "h4"), { digest: "sha256:two" }));
  expect(view.state.selected).toBe("h4");
});
