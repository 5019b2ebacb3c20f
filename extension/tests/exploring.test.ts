// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { Surroundings } from "../src/view/surroundings.js";
import type { Exploration, Transport } from "../src/view/transport.js";
import { mounted } from "./mounted.js";
import { hop, node, small } from "./audits.js";

afterEach(() => document.body.replaceChildren());

/** What the store has below the customers: the run that is known, and another that reads them. */
function around(): Exploration {
  return {
    root: "dataset:customers@1",
    question: { ref: "dataset:customers@1", direction: "downstream", depth: 1, as_of: "", known_at: "" },
    nodes: [node("dataset:customers@1", "data"), node("run:train", "training"), node("run:other", "training", { label: "other" })],
    hops: [hop("h1", "dataset:customers@1", "run:train", "none", { role: "training" }), hop("h2", "dataset:customers@1", "run:other")],
    evidence: [],
    beyond: { "dataset:customers@1": { upstream: 2, downstream: 0 }, "run:train": { upstream: 1, downstream: 1 }, "run:other": { upstream: 0, downstream: 4 } },
  };
}

describe("what is joined to an audit", () => {
  it("is not there twice, has ids of its own, and is marked as not judged", () => {
    const surroundings = new Surroundings(small());
    expect(surroundings.add(around())).toEqual({ nodes: 1, hops: 1 });
    expect(surroundings.add(around())).toEqual({ nodes: 0, hops: 0 });
    const { nodes, hops, audit } = surroundings.model();
    expect(nodes.size).toBe(8);
    expect(nodes.get("run:other")?.outside).toBe(true);
    expect(nodes.get("run:train")?.outside).toBeUndefined();
    expect(hops.get("x1")).toMatchObject({ effect: "run:other", outside: true });
    expect(audit.hops).toHaveLength(7);
  });

  it("counts what lies further without what is shown already", () => {
    const surroundings = new Surroundings(small());
    surroundings.add(around());
    // Of the run's neighbours one more cause (the usage data) and one effect (the model) are in the audit.
    expect(Object.fromEntries(surroundings.model().beyond ?? [])).toEqual({
      "dataset:customers@1": { upstream: 2, downstream: 0 },
      "run:other": { upstream: 0, downstream: 4 },
    });
  });
});

describe("expanding", () => {
  function mount(ask: () => Promise<unknown>) {
    const place = document.createElement("div");
    document.body.append(place);
    const asked = vi.fn();
    const transport: Transport = {
      store: "",
      changed: () => undefined,
      ask: async (question, what) => {
        if (question === "releases") return [] as never;
        asked(question, what);
        return (await ask()) as never;
      },
    };
    const view = mounted(place, small(), transport);
    view.set({ selected: "dataset:customers@1" });
    const press = (words: string): void => [...place.querySelectorAll<HTMLElement>(".lx-details button")].find((item) => item.textContent?.startsWith(words))!.click();
    const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 80));
    return { place, view, asked, press, settle };
  }

  it("asks the store at the audit's instants and shows what comes, saying that nobody judged it", async () => {
    const { place, asked, press, settle } = mount(async () => around());
    press("Expand downstream");
    await settle();
    expect(asked).toHaveBeenCalledWith("explore", { ref: "dataset:customers@1", direction: "downstream", depth: 1, as_of: "2026-11-21T10:00:00Z", known_at: "2026-11-21T10:00:00Z" });
    expect(place.querySelector('[role="tab"][id$="t2"]')!.textContent).toBe("Hops 7");
    expect(place.querySelector(".lx-notice")!.textContent).toBe("1 thing and 1 hop added downstream of customers v1, not judged");
    expect([...place.querySelectorAll(".lx-details button")].map((item) => item.textContent)).toContain("Expand upstream (2 more)");
    press("Expand downstream");
    await settle();
    expect(place.querySelector(".lx-notice")!.textContent).toContain("nothing further downstream of customers v1");
  });

  it("says in words what went wrong, and leaves what is shown", async () => {
    const { place, press, settle } = mount(() => Promise.reject(new Error("The server is gone.")));
    press("Expand upstream");
    await settle();
    expect(place.querySelector(".lx-notice.lx-problem")!.textContent).toContain("The server is gone.");
    expect(place.querySelector(".lx-details h3")!.textContent).toBe("customers v1");
  });
});
