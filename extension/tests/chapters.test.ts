// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { about, called, Chapters, mount, type Place } from "../src/chapters/chapter.js";
import type { Chapter, Serving } from "../src/chapters/documents.js";
import type { Release, Transport, Wanted } from "../src/view/transport.js";
import { audit, node, small } from "./audits.js";
import { mounted } from "./mounted.js";

const HOSTILE = "<img src=x onerror=alert(1)>\u202e";
const HISTORY: Wanted = { chapter: "history", ref: "model:churn", as_of: "", known_at: "" };

function serving(endpoint = "endpoint:churn-prod"): Serving {
  const share = { deployment: "deployment:blue", model: "model:churn@2", version: "model:churn@2", traffic: 100, state: "serving" as const, site: "", environment: "" };
  return {
    format: "lineage-explorer/serving",
    format_version: 1,
    tool: { name: "lineage-explorer", version: "1" },
    digest: "sha256:0",
    question: { endpoint, since: null, until: null, known_at: "2026-11-21T00:00:00Z" },
    spans: [
      { since: null, until: "2026-10-01T09:00:00Z", between_syncs: false, kind: "unknown", shares: [], findings: [] },
      { since: "2026-10-01T09:00:00Z", until: "2026-11-01T09:00:00Z", between_syncs: false, kind: "served", shares: [share], findings: [] },
      { since: "2026-11-01T09:00:00Z", until: null, between_syncs: true, kind: "gap", shares: [], findings: [{ code: "no-deployment", site: "", message: `nobody ${HOSTILE}` }] },
    ],
  };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function chapters(place: Place) {
  const opener = document.createElement("button");
  const host = document.createElement("div");
  document.body.append(opener, host);
  opener.getClientRects = () => [{}] as unknown as DOMRectList; // happy-dom lays nothing out
  opener.focus();
  const made = new Chapters(host, place);
  const text = (selector: string): string => [...host.querySelectorAll(`.lx-layer:not([hidden]) ${selector}`)].map((item) => item.textContent ?? "").join(" | ");
  const press = (name: string): void => {
    const found = [...host.querySelectorAll<HTMLButtonElement>(".lx-layer:not([hidden]) button")].find((button) => button.textContent === name);
    if (found === undefined) throw new Error(`no button ${name} among ${text("button")}`);
    found.click();
  };
  return { made, host, opener, text, press };
}

/** Answers every question with who served what, which is enough to see that it was opened. */
const answering = (given: () => Promise<Chapter> = async () => serving()): Place["ask"] => ((_question: string) => given()) as unknown as Place["ask"];

describe("chapters over a trace", () => {
  it("open one on top of the other and go back to where the reader was", async () => {
    const covered: [string | null, number][] = [];
    const { made, host, opener, text, press } = chapters({ ask: answering(), changed: (top, depth) => covered.push([top?.chapter ?? null, depth]) });
    made.open(HISTORY);
    await vi.runAllTimersAsync();
    expect(text(".lx-trail")).toBe("Who served churn-prod");
    expect(host.contains(document.activeElement)).toBe(true);
    made.open({ chapter: "impact", ref: "dataset:x@1", as_of: "", known_at: "" });
    expect(text(".lx-trail")).toBe("Who served churn-prod › What x v1 reaches");
    await vi.runAllTimersAsync();
    expect(host.querySelectorAll(".lx-layer")).toHaveLength(2);
    press("← Back");
    expect(host.querySelectorAll(".lx-layer")).toHaveLength(1);
    press("← Back");
    expect(made.element.hidden).toBe(true);
    expect(document.activeElement).toBe(opener);
    expect(covered).toEqual([["history", 1], ["impact", 2], ["history", 1], [null, 0]]);
  });

  it("go back at Escape, unless it was taken, and never from a field", async () => {
    const { made, host } = chapters({ ask: answering() });
    made.open(HISTORY);
    await vi.runAllTimersAsync();
    const press = (target: Element, prevented = false): void => {
      const event = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
      if (prevented) event.preventDefault();
      target.dispatchEvent(event);
    };
    const body = host.querySelector(".lx-chapter")!;
    const field = body.appendChild(document.createElement("input"));
    press(field);
    press(body, true);
    expect(made.depth).toBe(1);
    press(body);
    expect(made.depth).toBe(0);
  });

  it("tell what went wrong, ask again, and can be left while they ask", async () => {
    let broken = true;
    const ask = ((_question: string) => {
      return broken ? Promise.reject(new Error(`The store is locked. ${HOSTILE}`)) : Promise.resolve(serving());
    }) as unknown as Place["ask"];
    const { made, text, press } = chapters({ ask });
    made.open(HISTORY);
    await vi.runAllTimersAsync();
    expect(text("[class=lx-problem]")).toBe("The store is locked. <img src=x onerror=alert(1)>\u{FFFD}");
    expect(document.querySelector("img")).toBeNull();
    expect(document.activeElement?.textContent).toBe("Try again");
    broken = false;
    press("Try again");
    await vi.runAllTimersAsync();
    expect(text("caption")).toContain("3 spans");

    const slow = chapters({ ask: answering(() => new Promise(() => undefined)) });
    slow.made.open(HISTORY);
    await vi.advanceTimersByTimeAsync(300);
    expect(slow.text(".lx-asking")).toContain("Asking…");
    slow.press("Cancel");
    expect(slow.made.depth).toBe(0);
  });

  it("no longer wait for what was left", async () => {
    let answer: (given: Chapter) => void = () => undefined;
    let waiting: AbortSignal | null = null;
    const ask = ((_question: string, _asked: object, signal: AbortSignal) => {
      waiting = signal;
      return new Promise((resolve) => (answer = resolve));
    }) as unknown as Place["ask"];
    const { made, host } = chapters({ ask });
    made.open(HISTORY);
    expect(waiting).toMatchObject({ aborted: false });
    made.back();
    expect(waiting).toMatchObject({ aborted: true });
    answer(serving());
    await vi.runAllTimersAsync();
    expect(host.querySelectorAll(".lx-layer")).toHaveLength(0);
  });

  it("give way to the trace that is shown beneath them, and keep their place when it is shown elsewhere", async () => {
    for (const [where, depth] of [["beneath", 0], ["elsewhere", 1]] as const) {
      const traced = vi.fn(async () => where);
      const left = vi.fn();
      const { made, press } = chapters({ ask: answering(), trace: traced, left });
      made.open(HISTORY);
      await vi.runAllTimersAsync();
      press("2026-10-01 09:00 UTC");
      await vi.runAllTimersAsync();
      expect(traced).toHaveBeenCalledWith("endpoint:churn-prod", "2026-10-01T09:00:00Z", expect.anything());
      expect(made.depth).toBe(depth);
      expect(left).toHaveBeenCalledTimes(where === "beneath" ? 1 : 0);
      made.destroy();
      document.body.replaceChildren();
    }
  });

  it("keep what was at hand: there is nothing beneath it, and nobody to ask", () => {
    const { made, host, text } = chapters({});
    made.show(serving());
    expect(made.back()).toBe(false);
    expect(host.querySelector<HTMLElement>(".lx-chapterbar")?.hidden).toBe(true);
    expect(text(".lx-link")).toBe("");
    expect(text("td")).toContain("nobody answers");
    expect(document.querySelector("img")).toBeNull();
  });

  it("refuse a document that they do not know", () => {
    const strange = { ...serving(), format: `lineage-explorer/${HOSTILE}` } as unknown as Chapter;
    expect(() => mount(document.createElement("div"), strange, {})).toThrow("there is no view of that here");
  });

  it("are called by what was asked, before the answer is there", () => {
    const asked: Wanted[] = [
      HISTORY,
      { chapter: "comparison", a: "endpoint:churn-prod@@2026-10-03T00:00:00Z", b: "endpoint:churn-prod", known_at: "", policy: "" },
      { chapter: "rollback", endpoint: "endpoint:churn-prod", as_of: "", known_at: "", policy: "" },
    ];
    expect(asked.map(called)).toEqual(["Versions of churn", "churn-prod at 2026-10-03 00:00 UTC and churn-prod", "Where churn-prod could go back to"]);
    expect(asked.map(about)).toEqual(["model:churn", "endpoint:churn-prod", "endpoint:churn-prod"]);
  });
});

const AT = "2026-11-21T10:00:00Z";
const serves = (model: string): Release["serving"] => [{ deployment: "deployment:d", model, traffic: 100, state: "serving" }];
const RELEASES: Release[] = [
  { since: "2026-10-01T09:00:00Z", until: "2026-10-27T09:00:00Z", serving: serves("model:churn@1"), between_syncs: false },
  { since: "2026-10-27T09:00:00Z", until: "2026-11-22T09:00:00Z", serving: serves("model:churn@2"), between_syncs: false },
  { since: "2026-11-22T09:00:00Z", until: null, serving: serves("model:churn@3"), between_syncs: true },
];

function trace(releases: Release[], given = small(), able = true) {
  const place = document.createElement("div");
  document.body.append(place);
  const opened: Wanted[] = [];
  const transport: Transport = {
    store: "",
    changed: () => undefined,
    ask: (async (question: string) => (question === "releases" ? releases : given)) as unknown as NonNullable<Transport["ask"]>,
    ...(able ? { open: (wanted: Wanted) => void opened.push(wanted) } : {}),
  };
  const view = mounted(place, given, transport);
  const buttons = (): HTMLButtonElement[] => [...place.querySelectorAll("button")];
  const named = (name: string): HTMLButtonElement => buttons().find((button) => button.textContent === name)!;
  return { place, view, opened, buttons, named };
}

describe("a trace's ways to its chapters", () => {
  it("says what serves, until when, and what came in its place", async () => {
    const { place, view } = trace(RELEASES);
    await vi.runAllTimersAsync();
    const story = (): string => place.querySelector(".lx-then")?.textContent ?? "";
    expect(story()).toBe("churn v2 100 % until at the latest 2026-11-22 09:00 UTC, then churn v3 100 %");
    for (const [as_of, said] of [
      ["2026-10-03T00:00:00Z", "churn v1 100 % until 2026-10-27 09:00 UTC, then churn v2 100 %"],
      ["2026-12-01T00:00:00Z", "churn v3 100 % until now; nothing has replaced it"],
      ["2026-01-01T00:00:00Z", "Nothing is on record before 2026-10-01 09:00 UTC, then churn v1 100 %"],
    ] as const) {
      view.audit({ ...small(), digest: as_of, question: { ...small().question, as_of } });
      expect(story()).toBe(said);
    }
  });

  it("says at which sites each version serves", async () => {
    const plants = ["brno", "graz", "porto"].map((site, i) => ({ deployment: `deployment:d:${site}`, model: `model:d@${i === 0 ? 3 : 2}`, traffic: 100, state: "serving", site }));
    const halves = ["a", "b"].map((slot) => ({ deployment: `deployment:d:${slot}`, model: "model:d@2", traffic: 50, state: "serving", site: "" }));
    const since = "2026-10-01T09:00:00Z";
    const { place } = trace([{ since, until: AT, serving: halves, between_syncs: false }, { since: AT, until: null, serving: plants, between_syncs: false }]);
    await vi.runAllTimersAsync();
    expect(place.querySelector(".lx-then")?.textContent).toBe("d v3 100 % at brno, d v2 100 % at graz, d v2 100 % at porto until now; nothing has replaced it");
    expect(place.querySelector(".lx-releases li")?.textContent).toContain("d v2 50 %, d v2 50 %");
  });

  it("compares the release that is shown with its neighbours and with now, the earlier first", async () => {
    const { opened, named } = trace(RELEASES);
    await vi.runAllTimersAsync();
    named("Compare with the release before").click();
    named("Compare with the one after").click();
    named("Compare with now").click();
    named("Where could it go back to?").click();
    const here = `endpoint:churn-prod@@${AT}`;
    const policy = "default";
    expect(opened).toEqual([
      { chapter: "comparison", a: "endpoint:churn-prod@@2026-10-01T09:00:00Z", b: here, known_at: AT, policy },
      { chapter: "comparison", a: here, b: "endpoint:churn-prod@@2026-11-22T09:00:00Z", known_at: AT, policy },
      { chapter: "comparison", a: here, b: "endpoint:churn-prod", known_at: "", policy },
      { chapter: "rollback", endpoint: "endpoint:churn-prod", as_of: AT, known_at: AT, policy },
    ]);
  });

  it("offers no comparison where there is nothing to compare with", async () => {
    const { view, named } = trace(RELEASES);
    await vi.runAllTimersAsync();
    const off = (): string[] => ["Compare with the release before", "Compare with the one after", "Compare with now", "Where could it go back to?"].filter((name) => named(name).disabled);
    for (const [as_of, disabled] of [
      ["2026-10-03T00:00:00Z", ["Compare with the release before"]],
      ["2026-12-01T00:00:00Z", ["Compare with the one after", "Compare with now"]],
      ["2026-01-01T00:00:00Z", ["Compare with the release before", "Where could it go back to?"]],
    ] as const) {
      view.audit({ ...small(), digest: as_of, question: { ...small().question, as_of } });
      expect(off()).toEqual(disabled);
    }
  });

  it("asks of anything what it reaches now, and of models for all their versions", async () => {
    const agent = node("ai_agent:triage@1", "registry", { label: "triage" });
    const { view, opened, named, buttons } = trace(RELEASES, audit([...small().nodes, agent], small().hops));
    await vi.runAllTimersAsync();
    view.set({ selected: "dataset:customers@1" });
    expect(buttons().some((button) => button.textContent === "All versions")).toBe(false);
    named("What does it reach?").click();
    for (const ref of ["model:churn@3", "ai_agent:triage@1"]) {
      view.set({ selected: ref });
      named("All versions").click();
    }
    expect(opened).toEqual([
      { chapter: "impact", ref: "dataset:customers@1", as_of: "", known_at: "" },
      { chapter: "history", ref: "model:churn@3", as_of: "", known_at: "" },
      { chapter: "history", ref: "ai_agent:triage@1", as_of: "", known_at: "" },
    ]);
  });

  it("offers none where nobody could answer", async () => {
    const { view, buttons } = trace(RELEASES, small(), false);
    await vi.runAllTimersAsync();
    view.set({ selected: "model:churn@3" });
    expect(buttons().filter((button) => /compare|reach|versions|go back/iu.test(button.textContent ?? ""))).toEqual([]);
  });
});
