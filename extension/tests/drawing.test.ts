// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Audit, Hop, TraceNode } from "../src/view/audit.js";
import { Drawing, KEYS, type DrawingEvents } from "../src/view/drawing.js";
import { index, related, type Model } from "../src/view/model.js";
import { audit, hop, node, small } from "./audits.js";

const HOSTILE = `</text><script>alert(1)</script><img src="x" onerror="alert(1)">&\u202E\u0007\uFFFE`;

let drawing: Drawing;
const events = { select: vi.fn(), search: vi.fn(), help: vi.fn(), expand: vi.fn(), announce: vi.fn() } satisfies DrawingEvents;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  drawing.destroy();
  document.body.replaceChildren();
  vi.clearAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function draw(content: Audit | Model): Drawing {
  drawing = new Drawing("nodes" in content && content.nodes instanceof Map ? (content as Model) : index(content as Audit), events);
  document.body.append(drawing.element);
  vi.advanceTimersByTime(200);
  return drawing;
}

const all = (selector: string): Element[] => [...drawing.element.querySelectorAll(selector)];
const at = (id: string): SVGElement | null => drawing.element.querySelector(`[role="button"][data-id="${id}"]`);
const focused = (): string => document.activeElement?.getAttribute("data-id") ?? "";
const press = (key: string, shiftKey = false): void => {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
};

/** Where in the window an item stands, in pixels. */
function placeOf(id: string): number[] {
  const numbers = (element: Element): number[] => element.getAttribute("transform")!.match(/-?[\d.]+(?:e-?\d+)?/gu)!.map(Number);
  const [x, y, k] = numbers(drawing.element.querySelector(".lx-sheet > svg > g")!);
  const [left, top] = numbers(at(id)!);
  return [x! + left! * k!, y! + top! * k!].map(Math.round);
}

/** So many tables read by one run, and an endpoint. */
function fan(tables: number, status: Hop["status"] = "passed"): Audit {
  const refs = Array.from({ length: tables }, (_, i) => `dataset:t${i}@1`);
  const nodes: TraceNode[] = [...refs.map((ref) => node(ref, "data")), node("run:train", "training", { label: "train" }), node("endpoint:e", "endpoint")];
  return audit(nodes, [...refs.map((ref, i) => hop(`h${i}`, ref, "run:train", i === 3 ? "failed" : status)), hop("he", "run:train", "endpoint:e")]);
}

describe("a drawing of which nobody tells the size", () => {
  it("draws all the same", () => {
    draw(small());
    expect(all(".lx-node")).toHaveLength(7);
    expect(all(".lx-hop")).toHaveLength(6);
  });

  it("draws at once when something is to have the focus", () => {
    drawing = new Drawing(index(small()), events);
    document.body.append(drawing.element);
    drawing.focus("model:churn@3");
    expect(focused()).toBe("model:churn@3");
  });

  it("is fitted when the size is told", () => {
    let tell: () => void = () => undefined;
    vi.stubGlobal("ResizeObserver", class { constructor(run: () => void) { tell = run; } observe(): void {} disconnect(): void {} });
    draw(small());
    const world = (): string => drawing.element.querySelector(".lx-sheet > svg > g")!.getAttribute("transform")!;
    const before = world();
    const canvas = drawing.element.querySelector(".lx-canvas")!;
    Object.defineProperty(canvas, "clientWidth", { value: 480 });
    Object.defineProperty(canvas, "clientHeight", { value: 300 });
    tell();
    expect(world()).not.toBe(before);
    expect(all(".lx-node").length).toBeGreaterThan(0);
  });
});

describe("keys", () => {
  it("are told where they are, and each of those told is one", () => {
    expect(KEYS.map((item) => item.keys).join(" ")).toContain("Home");
    expect(KEYS.every((item) => item.keys !== "" && item.does !== "")).toBe(true);
  });

  it("follow the hops, and stop at them with Shift", () => {
    draw(small());
    drawing.focus();
    expect(focused()).toBe("endpoint:churn-prod");
    press("ArrowLeft");
    expect(focused()).toBe("model:churn@3");
    press("ArrowLeft", true);
    expect(focused()).toBe("h2");
    press("ArrowLeft");
    expect(focused()).toBe("run:train");
    press("Home");
    expect(focused()).toBe("endpoint:churn-prod");
  });

  it("follow the data before what a run was done with", () => {
    const content = small();
    const made = [node("code:shop@0a1b", "data", { label: "0a1b" }), node("environment:image@1", "data", { label: "image" })];
    const used = made.map(({ ref }, number) => hop(`h${7 + number}`, ref, "run:train", "none", { predicate: "used" }));
    const only = hop("h9", "code:shop@0a1b", "dataset:customers@1", "none");
    draw({ ...content, nodes: [...made, ...content.nodes], hops: [...used, ...content.hops, only] });
    drawing.focus("run:train");
    press("ArrowLeft");
    expect(focused()).toMatch(/^dataset:/u);
    drawing.focus("dataset:customers@1");
    press("ArrowLeft");
    expect(focused(), "where there is nothing else").toBe("code:shop@0a1b");
  });

  it("leave one stop for Tab, wherever they lead", () => {
    draw(small());
    drawing.focus();
    for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowRight"]) press(key);
    expect(all('[tabindex="0"]').map((item) => item.getAttribute("data-id"))).toEqual([focused()]);
  });

  it("select, leave, search and help", () => {
    draw(small());
    drawing.focus("h2");
    press("Enter");
    expect(events.select).toHaveBeenLastCalledWith("h2");
    press("Escape");
    expect(events.select).toHaveBeenLastCalledWith("");
    press("/");
    press("?");
    expect(events.search).toHaveBeenCalledOnce();
    expect(events.help).toHaveBeenCalledOnce();
  });

  it("are the notebook's where the drawing has none for them", () => {
    draw(small());
    drawing.focus();
    const heard = vi.fn();
    document.body.addEventListener("keydown", heard);
    press("ArrowLeft");
    press("x");
    expect(heard).toHaveBeenCalledOnce();
    document.body.removeEventListener("keydown", heard);
  });
});

describe("groups", () => {
  it("are closed in a large trace, and say how much is in them and how it stands", () => {
    draw(fan(100));
    const [group] = drawing.groups;
    expect(all(".lx-node")).toHaveLength(3);
    expect(at(group!.id)!.getAttribute("aria-label")).toContain("100 datasets read by train");
    expect(at(group!.id)!.getAttribute("aria-label")).toContain("1 failed");
    expect(at(group!.id)!.textContent).toContain("100 datasets");
    expect(all(".lx-traffic").map((item) => item.textContent)).toContain("×100");
  });

  it("open on Enter and close on g, and the focus stays with them", () => {
    draw(fan(100));
    const { id, members } = drawing.groups[0]!;
    drawing.focus(id);
    press("Enter");
    expect(drawing.groups[0]!.open).toBe(true);
    expect(members).toContain(focused());
    expect(events.announce).toHaveBeenLastCalledWith("Opened: 100 datasets read by train");
    press("g");
    expect(drawing.groups[0]!.open).toBe(false);
    expect(focused()).toBe(id);
  });

  it("open by their +, and close by their −", () => {
    draw(fan(100));
    const click = (selector: string): boolean => drawing.element.querySelector(selector)!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    click(".lx-group .lx-toggle");
    expect(drawing.groups[0]!.open).toBe(true);
    expect(events.select).not.toHaveBeenCalled();
    click(".lx-frame .lx-toggle");
    expect(drawing.groups[0]!.open).toBe(false);
  });

  it("are selected as a whole by a click beside the +", () => {
    draw(fan(100));
    at(drawing.groups[0]!.id)!.querySelector("rect")!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(events.select).toHaveBeenLastCalledWith(drawing.groups[0]!.id);
  });

  it("give out what is selected or asked for, and keep the group closed for one of its hops", () => {
    draw(fan(100));
    drawing.show("h3", null);
    drawing.reveal("h3");
    expect(drawing.groups[0]!.open).toBe(false);
    expect(all(".lx-hop.lx-selected")).toHaveLength(1);
    drawing.show("dataset:t7@1", null);
    drawing.reveal("dataset:t7@1");
    expect(drawing.groups[0]!.open).toBe(true);
    expect(at("dataset:t7@1")!.getAttribute("aria-pressed")).toBe("true");
  });

  it("with the selected item in them stay open when all are closed; a single one takes the selection with it", () => {
    draw(fan(100));
    drawing.show("dataset:t7@1", null);
    drawing.closeAll();
    expect(drawing.groups[0]!.open).toBe(true);
    drawing.toggleGroup(drawing.groups[0]!.id, false);
    expect(events.select).toHaveBeenLastCalledWith(drawing.groups[0]!.id);
  });

  it("show each hop of a link of many in turn, the worst first", () => {
    draw(fan(100));
    const link = all(".lx-hop").find((item) => item.getAttribute("data-id")!.startsWith("l:"))!;
    link.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(events.select).toHaveBeenLastCalledWith("h3");
    drawing.show("h3", null);
    link.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(events.select).toHaveBeenLastCalledWith("h0");
  });

  it("keep their place in the window when they open and close", () => {
    draw(fan(100));
    const [{ id }] = [drawing.groups[0]!];
    const before = placeOf(id);
    for (const [open, close] of [[() => drawing.toggleGroup(id), () => drawing.toggleGroup(id)], [() => drawing.openAll(), () => drawing.closeAll()]] as const) {
      open();
      expect(at(id)).toBeNull();
      close();
      vi.advanceTimersByTime(2000);
      expect(placeOf(id)).toEqual(before);
    }
  });

  it("tell how much of them is lit", () => {
    draw(fan(100));
    drawing.show("", new Set(["dataset:t1@1", "dataset:t2@1"]));
    drawing.zoom(4);
    drawing.focus(drawing.groups[0]!.id);
    expect(at(drawing.groups[0]!.id)!.textContent).toContain("2 of 100 lit");
    expect(at(drawing.groups[0]!.id)!.classList.contains("lx-dim")).toBe(false);
  });
});

describe("focus and context", () => {
  it("fades what is not lit, more so what is far, and takes nothing away", () => {
    draw(small());
    drawing.show("run:train", related(index(small()), "run:train", "upstream"));
    expect(at("dataset:customers@1")!.classList.value).not.toMatch(/lx-dim|lx-far/u);
    expect(at("model:churn@3")!.classList.contains("lx-dim")).toBe(true);
    expect(at("dataset:holdout@1")!.classList.contains("lx-far")).toBe(true);
    drawing.show("", null);
    expect(all(".lx-dim, .lx-far")).toEqual([]);
    expect(all(".lx-node")).toHaveLength(7);
  });
});

describe("another audit", () => {
  /** `small` at another instant: one table fewer, one more, and a gate that failed. */
  function later(): Audit {
    const before = small();
    return {
      ...before,
      nodes: [...before.nodes.filter((item) => item.ref !== "dataset:usage@1"), node("dataset:clicks@1", "data")],
      hops: [
        // Numbered anew, as every audit numbers its hops.
        hop("h1", "dataset:clicks@1", "run:train", "passed", { role: "training" }),
        hop("h2", "model:churn@3", "endpoint:churn-prod", "failed", { predicate: "serves", traffic: 90 }),
        ...before.hops.slice(1).filter((item) => item.cause !== "dataset:usage@1").map((item, i) => ({ ...item, id: `h${i + 3}` })),
      ],
    };
  }

  it("tells what came, went and changed", () => {
    draw(small());
    expect(drawing.change(index(later()))).toMatchObject({ added: ["dataset:clicks@1"], removed: ["dataset:usage@1"], changed: ["h2"] });
    expect(drawing.change(index(later()))).toMatchObject({ added: [], removed: [], changed: [] });
  });

  it("marks for a moment what is new and what changed", () => {
    draw(small());
    drawing.change(index(later()));
    expect(all(".lx-new").map((item) => item.getAttribute("data-id"))).toEqual(["dataset:clicks@1"]);
    expect(all(".lx-pulse").map((item) => item.getAttribute("data-id"))).toEqual(["h2"]);
    vi.advanceTimersByTime(5000);
    expect(all(".lx-new, .lx-pulse")).toEqual([]);
  });

  it("ends with nothing of what went, and everything in its place", () => {
    draw(small());
    drawing.change(index(later()));
    vi.advanceTimersByTime(5000);
    expect(at("dataset:usage@1")).toBeNull();
    expect(all(".lx-ghosts *")).toEqual([]);
    const moved = [...all(".lx-node")].map((item) => item.getAttribute("transform"));
    const fresh = new Drawing(index(later()), events);
    document.body.append(fresh.element);
    vi.advanceTimersByTime(200);
    expect(new Set([...fresh.element.querySelectorAll(".lx-node")].map((item) => item.getAttribute("transform")))).toEqual(new Set(moved));
    fresh.destroy();
  });

  it("keeps the focus and the selection, though the hop there has another number now", () => {
    draw(small());
    drawing.show("h1", null);
    drawing.focus("h1");
    expect(drawing.change(index(later())).hops.get("h1")).toBe("h2");
    expect(focused()).toBe("h2");
    expect(all(".lx-hop.lx-selected").map((item) => item.getAttribute("data-id"))).toEqual(["h2"]);
    drawing.focus("dataset:customers@1");
    drawing.change(index(audit([node("endpoint:churn-prod", "endpoint")], [])));
    expect(focused()).toBe("endpoint:churn-prod");
  });

  it("keeps what is selected where it is in the window", () => {
    draw(fan(30));
    drawing.show("dataset:t5@1", null);
    const before = placeOf("dataset:t5@1");
    drawing.change(index(fan(60)));
    vi.advanceTimersByTime(5000);
    expect(placeOf("dataset:t5@1")).toEqual(before);
  });

  it("does not move for readers who asked for no motion", () => {
    vi.stubGlobal("matchMedia", () => ({ matches: true }));
    const frames = vi.spyOn(globalThis, "requestAnimationFrame");
    draw(small());
    drawing.change(index(later()));
    expect(frames).not.toHaveBeenCalled();
    expect(all(".lx-ghosts *")).toEqual([]);
  });
});

describe("what lies beyond", () => {
  const beside = (): Model => ({ ...index(small()), beyond: new Map([["dataset:customers@1", { upstream: 12, downstream: 3 }]]) });

  it("has a button with its number, that a click presses", () => {
    draw(beside());
    const button = at("more:upstream:dataset:customers@1")!;
    expect(button.getAttribute("aria-label")).toBe("Show 12 more upstream of customers v1");
    expect(button.textContent).toContain("+12");
    button.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(events.expand).toHaveBeenLastCalledWith("dataset:customers@1", "upstream");
  });

  it("is reached past the last hop, and by a key from the thing itself", () => {
    draw(beside());
    drawing.focus("dataset:customers@1");
    press("ArrowLeft");
    expect(focused()).toBe("more:upstream:dataset:customers@1");
    press("Enter");
    expect(events.expand).toHaveBeenLastCalledWith("dataset:customers@1", "upstream");
    press("ArrowRight");
    expect(focused()).toBe("dataset:customers@1");
    press("E", true);
    expect(events.expand).toHaveBeenLastCalledWith("dataset:customers@1", "downstream");
    drawing.focus("run:train");
    press("e");
    expect(events.announce).toHaveBeenLastCalledWith("Nothing more upstream of train can be shown");
  });

  it("is drawn as not judged when it was joined", () => {
    const content = small();
    content.nodes.push(node("dataset:more@1", "data", { outside: true }));
    content.hops.push({ ...hop("x1", "dataset:more@1", "run:train"), outside: true });
    draw(content);
    expect(at("dataset:more@1")!.classList.contains("lx-outside")).toBe(true);
    expect(at("dataset:more@1")!.getAttribute("aria-label")).toContain("not judged");
    expect(at("x1")!.getAttribute("aria-label")).toContain("not judged");
  });
});

describe("the picture to take away", () => {
  const parsed = (): Document => new DOMParser().parseFromString(drawing.svgText(), "image/svg+xml");

  it("has everything in it, whatever is in the window, and nothing of the page", () => {
    draw(small());
    drawing.zoom(5);
    const text = drawing.svgText();
    for (const label of ["customers v1", "holdout v1", "churn-prod", "Training", "missing", "90 %"]) expect(text).toContain(label);
    expect(text).toContain("<title>Lineage of endpoint:churn-prod</title>");
    expect(text).toContain("Nobody knows.");
    expect(text).not.toMatch(/class=|style=|data-id|aria-|role=|tabindex|href|url\(|<script/u);
    expect(drawing.element.querySelectorAll(".lx-export")).toHaveLength(0);
  });

  it("is text where records are hostile, and XML whatever they hold", () => {
    draw(audit([node("model:x@1", "registry", { label: HOSTILE, fact: HOSTILE }), node("endpoint:e", "endpoint")], [hop("h1", "model:x@1", "endpoint:e", "failed", { site: HOSTILE })], { answer: HOSTILE }));
    expect(parsed().querySelector("parsererror, script, img")).toBeNull();
    expect(drawing.svgText()).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u202E\uFFFE\uFFFF]/u);
    expect(all("script, img")).toEqual([]);
  });
});

describe("the map in the corner", () => {
  const map = (): Element => drawing.element.querySelector(".lx-minimap")!;

  it("is there only where the window does not show all", () => {
    draw(small());
    drawing.fit();
    expect(map().hasAttribute("hidden")).toBe(true);
    drawing.zoom(6);
    expect(map().hasAttribute("hidden")).toBe(false);
    expect(map().getAttribute("aria-hidden")).toBe("true");
    expect(map().querySelectorAll("path")).toHaveLength(4); // one for each lane that has something
  });
});

it("draws nothing of nothing, and does not mind", () => {
  draw(audit([], []));
  drawing.focus();
  drawing.openAll();
  drawing.fit();
  expect(all(".lx-node")).toEqual([]);
  expect(drawing.svgText()).toContain("<svg");
});

it("has no more elements than can be seen, however large the trace is", () => {
  const nodes = Array.from({ length: 3000 }, (_, i) => node(`dataset:d${i}`, "data", { resolved: i % 2 === 0, roles: [["training"], ["test"], []][i % 3] ?? [] }));
  const hops = nodes.map((item, i) => hop(`h${i}`, item.ref, `run:r${i % 700}`));
  draw(audit([...nodes, ...Array.from({ length: 700 }, (_, i) => node(`run:r${i}`, "training")), node("endpoint:e", "endpoint")], hops));
  drawing.openAll();
  drawing.fit();
  expect(all(".lx-canvas *").length).toBeLessThan(2500);
  drawing.focus("dataset:d1234");
  expect(focused()).toBe("dataset:d1234");
  drawing.fit();
  expect(focused()).toBe("dataset:d1234");
});
