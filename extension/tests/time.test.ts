// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Audit } from "../src/view/audit.js";
import { compare } from "../src/view/change.js";
import { changes, summary } from "../src/view/changes.js";
import { index } from "../src/view/model.js";
import type { Questions, Release, Transport } from "../src/view/transport.js";
import type { Mounted } from "../src/view/view.js";
import { mounted } from "./mounted.js";
import { node, small } from "./audits.js";

const RELEASES: Release[] = [
  { since: "2026-10-01T09:00:00Z", until: "2026-11-17T09:00:00Z", serving: [{ deployment: "deployment:d", model: "model:churn@2", traffic: 100, state: "serving" }], between_syncs: false },
  { since: "2026-11-17T09:00:00Z", until: null, serving: [{ deployment: "deployment:d", model: "model:churn@3", traffic: 100, state: "serving" }], between_syncs: true },
];

/** The same endpoint a month before: another status at one gate, one thing less, one that is gone since. */
function earlier(): Audit {
  const now = small();
  return {
    ...now,
    question: { ...now.question, as_of: "2026-10-01T09:00:00Z" },
    verdict: "FAILED",
    digest: "sha256:earlier",
    nodes: [...now.nodes.filter((item) => item.ref !== "dataset:usage@1"), node("dataset:old@1", "data", { label: "old v1" })],
    // Hops are numbered anew in each audit.
    hops: now.hops.filter((hop) => hop.cause !== "dataset:usage@1").map((hop) => ({ ...hop, id: `n${hop.id}`, status: hop.id === "h1" ? "failed" : hop.status })),
  };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

type Answers = { [Q in keyof Questions]?: (asked: Questions[Q]["asked"], signal?: AbortSignal) => Promise<Questions[Q]["answer"]> };

function mount(answers: Answers) {
  const place = document.createElement("div");
  document.body.append(place);
  const changed = vi.fn();
  const asked: { question: string; asked: object; signal?: AbortSignal | undefined }[] = [];
  const transport: Transport = {
    store: "",
    changed,
    ask: async (question, what, signal) => {
      asked.push({ question, asked: what, signal });
      const answer = answers[question];
      if (answer === undefined) throw new Error(`nobody knows of ${question}`);
      return answer(what, signal);
    },
  };
  const view = mounted(place, small(), transport);
  const text = (selector: string): string => [...place.querySelectorAll(selector)].map((item) => item.textContent ?? "").join(" | ");
  const slide = (to: number): void => {
    const slider = place.querySelector<HTMLInputElement>(".lx-range")!;
    slider.value = String(to);
    slider.dispatchEvent(new Event("input"));
  };
  return { place, view, changed, asked, text, slide };
}

describe("going through time", () => {
  it("shows the releases, who served and what is not known of them", async () => {
    const { place, text } = mount({ releases: async () => RELEASES });
    await vi.runAllTimersAsync();
    const slider = place.querySelector(".lx-range")!;
    expect(slider.getAttribute("aria-valuetext")).toBe("2 of 2: 2026-11-17 09:00 UTC to now, churn v3 100 % (began between two syncs: when exactly is not known)");
    expect(place.querySelectorAll(".lx-between")).toHaveLength(1);
    expect(text(".lx-releases li")).toContain("churn v2 100 %");
  });

  it("asks at the instant where the reader comes to rest, says what changed and tells the host", async () => {
    const { view, asked, text, slide, changed } = mount({ releases: async () => RELEASES, audit: async () => earlier() });
    await vi.runAllTimersAsync();
    slide(1);
    slide(0);
    expect(text(".lx-asking")).toContain("Asking as of 2026-10-01 09:00 UTC");
    expect(text(".lx-title .lx-verdict")).toBe("INCOMPLETE");
    await vi.runAllTimersAsync();
    expect(asked.filter(({ question }) => question === "audit").map((item) => item.asked)).toEqual([
      { endpoint: "endpoint:churn-prod", as_of: "2026-10-01T09:00:00Z", known_at: "2026-11-21T10:00:00Z", policy: "default" },
    ]);
    expect(text(".lx-title .lx-verdict")).toBe("FAILED");
    expect(text(".lx-said")).toBe("As of 2026-10-01 09:00 UTC: FAILED, was INCOMPLETE; 1 thing added, 1 thing removed, 1 gate changed.");
    expect(text(".lx-root > .lx-unseen[role=status]")).toContain("FAILED, was INCOMPLETE");
    expect(changed).toHaveBeenCalledTimes(1);
    expect(changed).toHaveBeenCalledWith({ as_of: "2026-10-01T09:00:00Z" });
    expect(view.state.as_of).toBe("2026-10-01T09:00:00Z");
  });

  it("aborts a question whose answer is no longer wanted", async () => {
    const { asked, slide, view } = mount({ releases: async () => RELEASES, audit: () => new Promise(() => undefined) });
    await vi.runAllTimersAsync();
    slide(0);
    await vi.advanceTimersByTimeAsync(300);
    view.set({ as_of: "2026-11-01T00:00:00Z" });
    await vi.advanceTimersByTimeAsync(300);
    const audits = asked.filter(({ question }) => question === "audit");
    expect(audits.map(({ signal }) => signal?.aborted)).toEqual([true, false]);
  });

  it("keeps the last answer and the problem on the screen, and asks again", async () => {
    let broken = true;
    const { text, slide, place, changed } = mount({
      releases: async () => RELEASES,
      audit: async () => {
        if (broken) throw new Error("The store is locked.");
        return earlier();
      },
    });
    await vi.runAllTimersAsync();
    slide(0);
    await vi.runAllTimersAsync();
    expect(text(".lx-time .lx-problem")).toBe("As of 2026-10-01 09:00 UTC could not be asked: The store is locked. Shown is still the answer as of 2026-11-21 10:00 UTC.");
    expect(text(".lx-title .lx-verdict")).toBe("INCOMPLETE");
    expect(changed).not.toHaveBeenCalled();
    expect(place.querySelector<HTMLInputElement>(".lx-range")!.value).toBe("1");
    broken = false;
    place.querySelector<HTMLButtonElement>(".lx-time .lx-asking button")!.click();
    await vi.runAllTimersAsync();
    expect(text(".lx-title .lx-verdict")).toBe("FAILED");
    expect(text(".lx-time .lx-problem")).toBe("");
  });

  it("says when the releases cannot be read, and shows the audit all the same", async () => {
    const { text } = mount({});
    await vi.runAllTimersAsync();
    expect(text(".lx-time .lx-problem")).toContain("The releases could not be read: nobody knows of releases");
    expect(text(".lx-title .lx-verdict")).toBe("INCOMPLETE");
  });

  it("takes an answer that the host sends for the one it asked for, and echoes nothing", async () => {
    const { view, asked, changed, text } = mount({ releases: async () => RELEASES, audit: async () => earlier() });
    await vi.runAllTimersAsync();
    view.set({ as_of: "2026-10-01T09:00:00Z" });
    view.audit(earlier());
    await vi.runAllTimersAsync();
    expect(asked.some(({ question }) => question === "audit")).toBe(false);
    expect(text(".lx-title .lx-verdict")).toBe("FAILED");
    expect(text(".lx-asking")).toBe("");
    expect(changed).not.toHaveBeenCalled();
  });

  it("tells the host of an instant once, also where the host sends the answer before it replies", async () => {
    const host: { view?: Mounted } = {};
    const { view, changed, text, slide } = mount({
      releases: async () => RELEASES,
      audit: async () => {
        host.view?.audit(earlier());
        return earlier();
      },
    });
    host.view = view;
    await vi.runAllTimersAsync();
    slide(0);
    await vi.runAllTimersAsync();
    expect(text(".lx-title .lx-verdict")).toBe("FAILED");
    expect(changed.mock.calls).toEqual([[{ as_of: "2026-10-01T09:00:00Z" }]]);
    expect(view.state.as_of).toBe("2026-10-01T09:00:00Z");
  });

  it("keeps what is selected, also a hop that has another number now", async () => {
    const { view, text } = mount({ releases: async () => [] });
    view.set({ selected: "h1" });
    view.audit(earlier());
    expect(view.state.selected).toBe("nh1");
    expect(text(".lx-details h3")).toBe("serves");
    view.set({ selected: "dataset:customers@1" });
    view.audit({ ...small(), nodes: small().nodes.filter((item) => item.ref !== "dataset:customers@1"), digest: "sha256:other" });
    expect(view.state.selected).toBe("");
  });

  it("does nothing for the same answer", async () => {
    const { view, place } = mount({ releases: async () => [] });
    const head = place.querySelector(".lx-title");
    view.audit(small());
    expect(place.querySelector(".lx-title")).toBe(head);
    expect(place.querySelector(".lx-changes")).toBeNull();
  });

  it("is not offered where nobody can be asked", () => {
    const place = document.createElement("div");
    mounted(place, small(), { store: "", changed: () => undefined });
    expect(place.querySelector(".lx-time")).toBeNull();
  });
});

describe("what changed", () => {
  it("is nothing between the same", () => {
    const model = index(small());
    expect(summary(changes(compare(model, model), model, model))).toBe("As of 2026-11-21 10:00 UTC: INCOMPLETE, as before; nothing else changed");
  });
});
