/** Two traces next to each other, as large as each other; what is selected in one is selected in the other. */

import { badge } from "./badges.js";
import type { Comparison, Difference } from "./documents.js";
import { facing } from "./facing.js";
import { marked, onlyWord, type Marked } from "./marked.js";
import { press, toggle } from "./page.js";
import { html } from "../view/dom.js";
import { Drawing } from "../view/drawing.js";
import { Help } from "../view/help.js";
import { describeHop, describeNode, type Model } from "../view/model.js";
import { brief, fit } from "../view/text.js";

/** Below this, a name has no room in its box: a part is shown then. */
const LEGIBLE = 0.22;

type Which = 0 | 1;

export interface SidesEvents {
  say(text: string): void;
  search(): void;
  /** What is selected on each side; empty where nothing is. */
  selected(a: string, b: string): void;
}

export class Sides {
  readonly element: HTMLElement;
  private readonly sides: readonly [Marked, Marked];
  private readonly drawings: readonly [Drawing, Drawing];
  private readonly stages: readonly HTMLElement[];
  private readonly pairs: readonly [Map<string, string>, Map<string, string>];
  private panel = html("section", { hidden: true });
  private readonly help: Help;
  private readonly watch: ResizeObserver;
  private chosen: [string, string] = ["", ""];
  private width = 0;
  private frame = 0;
  /** Whether all of both is in sight, so that nothing has to be brought there. */
  private whole = false;

  constructor(
    id: string,
    { a, b, pairs, only_a, only_b }: Comparison,
    private readonly events: SidesEvents,
  ) {
    const changed = pairs.filter((pair) => pair.changed);
    this.sides = [
      marked(a.audit, "A", "removed", only_a, changed.map((pair) => pair.a)),
      marked(b.audit, "B", "added", only_b, changed.map((pair) => pair.b)),
    ];
    this.pairs = [new Map(pairs.map((pair) => [pair.a, pair.b])), new Map(pairs.map((pair) => [pair.b, pair.a]))];
    this.help = new Help(`${id}-help`);
    this.drawings = [this.draw(0), this.draw(1)];
    this.stages = this.drawings.map((drawing) => html("div", { class: "lx-stage" }, drawing.element));
    const side = (which: Which, letter: string, title: string): HTMLElement =>
      html("div", { class: "lx-side", role: "group", "aria-label": `Trace of ${letter}` }, html("h4", {}, html("span", { class: "lx-letter" }, letter), " ", fit(shown(title), 100)), this.stages[which] ?? "");
    const both = (run: (drawing: Drawing) => void): (() => void) => () => {
      this.whole = false;
      this.drawings.forEach(run);
    };
    const groups = this.drawings.some((drawing) => drawing.groups.length > 0);
    const drawings = html("div", { class: "lx-sides" }, side(0, "A", a.title), side(1, "B", b.title));
    const stacks = toggle(["One below the other"], false, (pressed) => drawings.classList.toggle("lx-stacked", pressed));
    stacks.classList.add("lx-stacks");
    const controls = html(
      "div",
      { class: "lx-controls", role: "group", "aria-label": "Both drawings" },
      stacks,
      ...(groups ? [press("Open groups", both((drawing) => drawing.openAll())), press("Close groups", both((drawing) => drawing.closeAll()))] : []),
      press("−", both((drawing) => drawing.zoom(0.8)), { "aria-label": "− Zoom out in both", title: "Zoom out in both" }),
      press("+", both((drawing) => drawing.zoom(1.25)), { "aria-label": "+ Zoom in in both", title: "Zoom in in both" }),
      press("Fit", () => this.fit(true), { "aria-label": "Fit: show all of both drawings", title: "Show all of both drawings" }),
    );
    const signs = html(
      "ul",
      { class: "lx-tally lx-quiet", "aria-label": "Signs" },
      ...(this.sides.every(({ lit }) => lit === null)
        ? [html("li", {}, "Nothing differs, so nothing is marked.")]
        : [html("li", {}, badge("changed"), " at the same place of both"), html("li", {}, badge("removed", onlyWord("A", "removed"))), html("li", {}, badge("added", onlyWord("B", "added"))), html("li", {}, "pale: alike")]),
    );
    this.element = html("div", { class: "lx-facingdrawings" }, drawings, html("div", { class: "lx-under" }, signs, controls), this.panel, this.help.element);
    this.stages.forEach((stage, i) => {
      this.drawings[i]?.show("", this.sides[i]?.lit ?? null);
      // One is as large as the other, whichever the reader makes larger.
      for (const event of ["wheel", "keydown", "dblclick"]) stage.addEventListener(event, () => this.later(i as Which), { capture: true, passive: true });
      stage.addEventListener("pointermove", ({ buttons }) => {
        if (buttons !== 0) this.whole = false;
      });
    });
    this.watch = new ResizeObserver(() => this.resize());
    for (const stage of this.stages) this.watch.observe(stage);
  }

  destroy(): void {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    for (const drawing of this.drawings) drawing.destroy();
  }

  has(ref: string | null): boolean {
    return ref !== null && this.sides.some(({ model }) => model.nodes.has(ref));
  }

  /** Selects both sides of a difference, and brings them in sight. */
  point({ a_ref, b_ref }: Difference): void {
    const [a, b] = this.known(a_ref ?? "", b_ref ?? "");
    this.both(a === "" ? (this.pairs[1].get(b) ?? "") : a, b === "" ? (this.pairs[0].get(a) ?? "") : b);
    this.element.scrollIntoView?.({ block: "nearest" });
  }

  /** Selects something of one side, and what stands at its place on the other. */
  select(which: Which, id: string): void {
    const other = this.partner(which, id);
    if (which === 0) this.both(id, other);
    else this.both(other, id);
  }

  private draw(which: Which): Drawing {
    const drawing: Drawing = new Drawing((this.sides[which] as Marked).model, {
      select: (id) => this.select(which, id),
      search: () => this.events.search(),
      help: () => this.help.show(),
      expand: () => undefined,
      announce: (text) => this.events.say(`${which === 0 ? "A" : "B"}: ${text}`),
    });
    const letter = which === 0 ? "A" : "B";
    const canvas = drawing.element.querySelector(".lx-canvas");
    canvas?.setAttribute("aria-label", `${letter}: ${canvas.getAttribute("aria-label") ?? ""}`);
    return drawing;
  }

  private known(a: string, b: string): [string, string] {
    return [this.sides[0].model.nodes.has(a) ? a : "", this.sides[1].model.nodes.has(b) ? b : ""];
  }

  /** What stands on the other side at the place of a thing or a hop. */
  private partner(which: Which, id: string): string {
    const [here, there] = which === 0 ? this.sides : ([this.sides[1], this.sides[0]] as const);
    const pairs = this.pairs[which];
    const hop = here.model.hops.get(id);
    if (hop === undefined) return pairs.get(id) ?? "";
    const cause = pairs.get(hop.cause);
    const found = (there.model.into.get(pairs.get(hop.effect) ?? "") ?? []).filter((other) => other.cause === cause && other.predicate === hop.predicate);
    return (found.find((other) => other.role === hop.role && other.site === hop.site) ?? found[0])?.id ?? "";
  }

  private both(a: string, b: string): void {
    this.chosen = [a, b];
    this.drawings.forEach((drawing, i) => {
      const id = this.chosen[i] ?? "";
      drawing.show(id, this.sides[i]?.lit ?? null);
      if (id !== "" && !this.whole) drawing.reveal(id);
    });
    const content = facing(this.sides[0].model, a, this.sides[1].model, b);
    const close = press("✕", () => this.leave(), { class: "lx-button lx-close", "aria-label": "Close the details" });
    const panel = html("section", { class: "lx-details", "aria-label": "Both sides of the selection", hidden: content.length === 0 }, ...(content.length === 0 ? [] : [close, ...content]));
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.leave();
    });
    this.panel.replaceWith(panel);
    this.panel = panel;
    this.events.selected(a, b);
    this.events.say(this.described());
  }

  private leave(): void {
    const [a, b] = this.chosen;
    this.both("", "");
    if (a !== "") this.drawings[0].focus(a);
    else this.drawings[1].focus(b);
  }

  private described(): string {
    const one = ({ model }: Marked, id: string): string => {
      const node = model.nodes.get(id);
      const hop = model.hops.get(id);
      return node !== undefined ? describeNode(model, node) : hop !== undefined ? describeHop(model, hop) : "";
    };
    const [a, b] = [one(this.sides[0], this.chosen[0]), one(this.sides[1], this.chosen[1])];
    if (a === "" && b === "") return this.chosen.some((id) => id !== "") ? "Selected: a group" : "Nothing is selected";
    return `Selected: ${a === "" ? "nothing in A" : `in A ${a}`}; ${b === "" ? "nothing in B" : `in B ${b}`}`;
  }

  private resize(): void {
    const width = Math.min(...this.stages.map((stage) => stage.clientWidth));
    if (width <= 0 || width === this.width) return;
    this.width = width;
    const height = Math.min(560, Math.max(...this.drawings.map((drawing) => drawing.suits(width))));
    for (const stage of this.stages) stage.style.setProperty("--lx-height", `${height}px`);
    cancelAnimationFrame(this.frame);
    // The drawings hear of their new size in this frame, and are fitted to it in the next.
    this.frame = requestAnimationFrame(() => (this.frame = requestAnimationFrame(() => this.fit(false))));
  }

  /** Both as large as the larger one can be shown; unless all is asked for, never so small that nothing can be read. */
  private fit(all: boolean): void {
    for (const drawing of this.drawings) drawing.fit();
    const scale = Math.min(...this.drawings.map((drawing) => drawing.scale));
    const wanted = all ? scale : Math.max(LEGIBLE, scale);
    this.whole = wanted === scale;
    this.drawings.forEach((drawing, i) => {
      if (Math.abs(drawing.scale - wanted) > 1e-6) drawing.zoom(wanted / drawing.scale);
      const endpoint = endOf(this.sides[i]?.model);
      if (wanted > scale && endpoint !== "") drawing.reveal(this.chosen[i] || endpoint);
    });
  }

  private later(which: Which): void {
    this.whole = false;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.frame = requestAnimationFrame(() => {
        const [from, to] = which === 0 ? this.drawings : ([this.drawings[1], this.drawings[0]] as const);
        if (Math.abs(from.scale / to.scale - 1) > 0.001) to.zoom(from.scale / to.scale);
      });
    });
  }
}

function endOf(model: Model | undefined): string {
  const ref = model?.audit.question.endpoint ?? "";
  return model?.nodes.has(ref) === true ? ref : "";
}

function shown(title: string): string {
  return brief(title).replace(/(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z/gu, "$1 $2 UTC");
}
