// @vitest-environment happy-dom
import { nullTranslator } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";
import { afterEach, describe, expect, it, vi } from "vitest";

import { Branch, PAGE, type Entry, type Source } from "../src/lab/branches.js";
import { foundEntry, fixed } from "../src/lab/listing.js";
import { TreeView } from "../src/lab/tree.js";
import { Verdicts } from "../src/lab/verdicts.js";
import type { IEstate } from "../src/lab/tokens.js";

const entry = (label: string, children?: () => Source): Entry => ({ label, fact: "", kind: "model", ref: `model:${label}`, resolved: true, ...(children ? { children } : {}) });

/** A list of so many entries, and which of its pages were read. */
function long(total: number, read: number[] = []): Source {
  return (offset, limit) => {
    read.push(offset / PAGE);
    return Promise.resolve({ total, items: Array.from({ length: Math.min(limit, total - offset) }, (_, i) => entry(`m${offset + i}`)) });
  };
}

describe("a branch", () => {
  it("reads the pages that are looked at, each once", async () => {
    const read: number[] = [];
    const branch = new Branch(long(100_000, read));
    await branch.read(0);
    await Promise.all([branch.read(54_321), branch.read(54_322), branch.read(0)]);
    expect(branch.rows).toBe(100_000);
    expect(branch.at(54_321).entry?.label).toBe("m54321");
    expect(branch.at(10_000).entry).toBeNull();
    expect(read).toEqual([0, 271]);
  });

  it("finds the entry of a row, and the row of an entry, across open children", async () => {
    const root = new Branch(fixed([entry("a", () => long(1000)), entry("b", () => long(3)), entry("c")]));
    await root.read(0);
    root.toggle(0);
    root.toggle(1);
    await root.child(0)?.read(0);
    await root.child(1)?.read(0);
    expect(root.rows).toBe(3 + 1000 + 3);
    expect([0, 1, 200, 1000, 1001, 1002, 1005].map((row) => root.at(row).entry?.label)).toEqual(["a", "m0", "m199", undefined, "b", "m0", "c"]);
    for (const row of [0, 1, 500, 1000, 1001, 1004, 1005]) {
      const { branch, index } = root.at(row);
      expect(branch.rowOf(index)).toBe(row);
    }
    root.toggle(0);
    expect(root.at(1).entry?.label).toBe("b");
  });

  it("keeps a failed page as a row that can be tried again", async () => {
    let fail = true;
    const branch = new Branch(() => (fail ? Promise.reject(new Error("the server is down")) : Promise.resolve({ total: 1, items: [entry("a")] })));
    await branch.read(0);
    expect([branch.rows, branch.problem?.message]).toEqual([1, "the server is down"]);
    fail = false;
    branch.retry();
    await branch.read(0);
    expect(branch.at(0).entry?.label).toBe("a");
  });

  it("stops reading what was scrolled past, and does not call that a problem", async () => {
    const signals: AbortSignal[] = [];
    const branch = new Branch((offset, _, signal) => {
      if (offset === 0) return Promise.resolve({ total: 1000, items: Array.from({ length: PAGE }, (_, i) => entry(`m${i}`)) });
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
    });
    await branch.read(0);
    const reading = [branch.read(300), branch.read(700)];
    branch.abandon(new Set([branch.page(700)]));
    await reading[0];
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(branch.problem).toBeNull();
  });
});

describe("the tree", () => {
  afterEach(() => document.body.replaceChildren());

  async function shown(root: Branch, height = 260): Promise<{ tree: TreeView; chosen: Entry[]; press: (key: string) => Promise<void> }> {
    const chosen: Entry[] = [];
    const tree = new TreeView("Things", { decorate: () => undefined, look: () => "", note: (branch) => branch.problem?.message ?? "Reading…", activate: (one) => chosen.push(one), grip: () => undefined });
    Object.defineProperty(tree.node, "clientHeight", { value: height });
    Widget.attach(tree, document.body);
    tree.list(root);
    const settled = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 70));
    };
    await settled();
    const press = async (key: string): Promise<void> => {
      tree.node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      await settled();
    };
    return { tree, chosen, press };
  }
  const active = (tree: TreeView): HTMLElement | null => document.getElementById(tree.node.getAttribute("aria-activedescendant") ?? "");

  it("holds a windowful of a hundred thousand rows, and says which of how many each is", async () => {
    const { tree, press } = await shown(new Branch(long(100_000)));
    await press("End");
    const rows = tree.node.querySelectorAll("[role=treeitem]");
    expect(rows.length).toBeLessThan(40);
    expect(active(tree)?.textContent).toBe("m99999");
    expect(active(tree)?.getAttribute("aria-posinset")).toBe("100000");
    expect(active(tree)?.getAttribute("aria-setsize")).toBe("100000");
    await press("Home");
    expect(active(tree)?.textContent).toBe("m0");
  });

  it("opens, closes, goes in and out with the arrow keys, and finds what is typed", async () => {
    const { tree, press, chosen } = await shown(new Branch(fixed([entry("alpha", () => fixed([entry("one"), entry("two")])), entry("beta")])));
    await press("ArrowRight");
    expect(active(tree)?.getAttribute("aria-expanded")).toBe("true");
    await press("ArrowRight");
    expect([active(tree)?.textContent, active(tree)?.getAttribute("aria-level")]).toEqual(["one", "2"]);
    await press("ArrowLeft");
    expect(active(tree)?.textContent).toBe("alpha");
    await press("b");
    expect(active(tree)?.textContent).toBe("beta");
    await press("Enter");
    expect(chosen.map(({ ref }) => ref)).toEqual(["model:beta"]);
    await press("Home");
    await press("ArrowLeft");
    expect(tree.node.querySelectorAll("[role=treeitem]").length).toBe(2);
  });

  it("shows hostile names as the text they are", async () => {
    const name = "<img src=x onerror=alert(1)>";
    const { tree } = await shown(new Branch(fixed([foundEntry({ ref: "model:x@1", kind: "model", name, resolved: true }, nullTranslator.load(""))])));
    expect(tree.node.querySelector("img")).toBeNull();
    expect(tree.node.textContent).toContain(name);
  });
});

describe("verdicts", () => {
  const endpoint = (name: string): Entry => ({ ...entry(name), kind: "endpoint", ref: `endpoint:${name}` });

  it("are asked for what can be seen, in one batch, once", async () => {
    const asked: (readonly string[])[] = [];
    const estate = { verdicts: (_: string, refs: readonly string[]) => (asked.push(refs), Promise.resolve(Object.fromEntries(refs.map((ref) => [ref, { verdict: "PASSED", answer: "" }])))) };
    const verdicts = new Verdicts(estate as unknown as IEstate);
    verdicts.reset("s");
    verdicts.want([endpoint("a"), entry("a model"), endpoint("b")]);
    await vi.waitFor(() => expect(verdicts.of("endpoint:b")).toBeDefined());
    verdicts.want([endpoint("a"), endpoint("b")]);
    expect(asked).toEqual([["endpoint:a", "endpoint:b"]]);
  });

  it("of what was scrolled away are no longer waited for", async () => {
    const signals: AbortSignal[] = [];
    const estate = {
      verdicts: (_: string, _refs: readonly string[], signal: AbortSignal) => {
        signals.push(signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
      },
    };
    const verdicts = new Verdicts(estate as unknown as IEstate);
    verdicts.want([endpoint("a")]);
    verdicts.want([endpoint("a"), endpoint("b")]);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    verdicts.want([endpoint("c")]);
    await vi.waitFor(() => expect(signals.map((signal) => signal.aborted)).toEqual([true, false]));
  });
});
