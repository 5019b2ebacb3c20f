// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { index } from "../src/view/model.js";
import { find, NO_FILTERS } from "../src/view/query.js";
import { Tree } from "../src/view/tree.js";
import { audit, hop, node, small } from "./audits.js";

afterEach(() => document.body.replaceChildren());

function grow(content = small(), select: (id: string) => void = () => undefined) {
  const model = index(content);
  const tree = new Tree(model, select, null);
  document.body.append(tree.element);
  const items = (): HTMLElement[] => [...tree.element.querySelectorAll<HTMLElement>('[role="treeitem"]')];
  const names = (): string[] => items().map((item) => `${item.getAttribute("aria-level")} ${item.querySelector(".lx-itemname")!.textContent}`);
  const press = (key: string, more: KeyboardEventInit = {}): void => {
    document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  };
  const focused = (): string => document.activeElement?.querySelector(".lx-itemname")?.textContent ?? "";
  return { model, tree, items, names, press, focused };
}

describe("the tree", () => {
  it("goes from the endpoint to its causes, and shows what stands beside the flow", () => {
    expect(grow().names()).toEqual(["1 churn-prod", "2 churn v3", "3 train", "4 customers v1", "4 usage v1", "1 evaluate", "2 holdout v1", "2 churn v3"]);
  });

  it("repeats nothing: what is met again is named, and a circle ends", () => {
    const round = grow(audit([node("endpoint:e", "endpoint"), node("run:a", "training"), node("run:b", "training")], [hop("h1", "run:a", "endpoint:e"), hop("h2", "run:b", "run:a"), hop("h3", "run:a", "run:b")]));
    expect(round.names()).toEqual(["1 e", "2 a", "3 b", "4 a"]);
    const last = round.items().at(-1)!;
    expect(last.textContent).toContain("shown above");
    expect(last.hasAttribute("aria-expanded")).toBe(false);
  });

  it("is walked with keys, one item being reached by Tab", () => {
    const select = vi.fn();
    const { items, press, focused, names } = grow(small(), select);
    expect(items().filter((item) => item.tabIndex === 0)).toHaveLength(1);
    items()[0]!.focus();
    press("ArrowRight");
    expect(focused()).toBe("churn v3");
    press("ArrowLeft");
    expect(names()).toHaveLength(5);
    expect(items()[1]!.getAttribute("aria-expanded")).toBe("false");
    press("ArrowLeft");
    expect(focused()).toBe("churn-prod");
    press("End");
    press("Home");
    press("e");
    expect(focused()).toBe("evaluate");
    press("ArrowDown");
    press("c");
    press("h");
    expect(focused()).toBe("churn v3");
    press("Enter");
    expect(select).toHaveBeenLastCalledWith("model:churn@3");
    press("Enter", { shiftKey: true });
    expect(select).toHaveBeenLastCalledWith("h6");
  });

  it("opens as far as the selection, and marks it", () => {
    const { tree, items, press, names } = grow();
    items()[0]!.focus();
    press("ArrowLeft");
    expect(names()).toHaveLength(4);
    tree.mark("dataset:usage@1");
    const marked = items().filter((item) => item.getAttribute("aria-selected") === "true");
    expect(marked.map((item) => item.querySelector(".lx-itemname")!.textContent)).toEqual(["usage v1"]);
    expect(marked[0]!.tabIndex).toBe(0);
  });

  it("shows what was found with the ways to it, and all again", () => {
    const { tree, names, model } = grow();
    tree.filter(find(model, "usage", NO_FILTERS));
    expect(names()).toEqual(["1 churn-prod", "2 churn v3", "3 train", "4 usage v1", "1 evaluate", "2 churn v3"].slice(0, 4));
    tree.filter(find(model, "nothing-like-it", NO_FILTERS));
    expect(names()).toEqual([]);
    expect(tree.element.textContent).toContain("Nothing here matches");
    tree.filter(null);
    expect(names()).toHaveLength(8);
  });

  it("makes no more items than are asked for, whatever the number of causes", () => {
    const many = Array.from({ length: 1_500 }, (_, i) => node(`dataset:d${i}`, "data"));
    const wide = grow(audit([node("endpoint:e", "endpoint"), ...many], many.map((item, i) => hop(`h${i}`, item.ref, "endpoint:e"))));
    expect(wide.items()).toHaveLength(102);
    expect(wide.items()[1]!.getAttribute("aria-setsize")).toBe("1500");
    wide.items().at(-1)!.click();
    expect(wide.items()).toHaveLength(1102);
    expect(wide.focused()).toBe("d100");
    wide.tree.mark("dataset:d1250");
    expect(wide.items().find((item) => item.getAttribute("aria-selected") === "true")?.textContent).toContain("d1250");
    expect(wide.items().at(-1)!.textContent).toContain("249 more");
  });

  it("is built of a chain of any length", () => {
    const chain = Array.from({ length: 5_000 }, (_, i) => node(`run:r${i}`, "training"));
    const deep = grow(audit([node("endpoint:e", "endpoint"), ...chain], chain.map((item, i) => hop(`h${i}`, item.ref, i === 0 ? "endpoint:e" : `run:r${i - 1}`))));
    deep.tree.mark("run:r900");
    expect(deep.items().find((item) => item.getAttribute("aria-selected") === "true")?.getAttribute("aria-level")).toBe("902");
  });
});
