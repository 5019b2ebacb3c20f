/**
 * Chapters over a trace: one on top of the other, each asked for when it is opened. Back, or Escape where nothing else
 * takes it, closes the last and puts the focus where it was.
 */

import { problem } from "../view/asking.js";
import { html, shield } from "../view/dom.js";
import { clean, instant, shortName } from "../view/text.js";
import type { Questions, Transport, Wanted } from "../view/transport.js";
import type { Around, Shown } from "./around.js";
import { mountComparison } from "./comparison.js";
import type { Chapter } from "./documents.js";
import { mountHistory } from "./history.js";
import { mountImpact } from "./impact.js";
import { mountLikeness } from "./likeness.js";
import { mountRollback } from "./rollback.js";
import { mountServing } from "./serving.js";

/** What a place that shows chapters gives them. */
export interface Place {
  /** Absent where nobody can be asked: then what is at hand is shown, and nothing further is offered. */
  ask?: Transport["ask"];
  /** Shows a trace; done when it is on the screen. What goes wrong is told with a way to try again. */
  trace?: (ref: string, as_of: string, signal: AbortSignal) => Promise<Traced>;
  /** The reader asked for something about a reference. */
  selected?: (ref: string) => void;
  /** Another number of layers: none, and what is beneath is seen again. `wanted` is the uppermost chapter that was asked for. */
  changed?: (wanted: Wanted | null, depth: number) => void;
  /** All are closed, and what had the focus before is not there any more. */
  left?: () => void;
  /** In the text's own colour, told by shape and word alone. */
  plain?: boolean;
}

/** Where a trace went: beneath the chapters, which give way to it; somewhere else; or on top of them, as one of them. */
export type Traced = "beneath" | "elsewhere" | ((element: HTMLElement) => Shown);

interface Layer {
  /** Null for what is at hand, and for a trace. */
  wanted: Wanted | null;
  title: string;
  element: HTMLElement;
  /** What has been opened, one after the other, to come here. */
  trail: HTMLElement;
  body: HTMLElement;
  shown: Shown | null;
  asking: AbortController | null;
  /** What had the focus when it was opened. */
  before: HTMLElement | SVGElement | null;
}

type Load = (signal: AbortSignal) => Promise<Traced>;

/** How long an answer may take before a reader is told that it is on its way. */
const PATIENCE = 250;

export class Chapters {
  readonly element: HTMLElement;
  private readonly layers: Layer[] = [];
  private readonly said = html("p", { class: "lx-unseen", role: "status" });
  private readonly unshield: () => void;

  constructor(
    private readonly host: HTMLElement,
    private readonly place: Place,
  ) {
    this.element = html("section", { class: `lx-root lx-chapters${place.plain ? " lx-plain" : ""}`, "aria-label": "Chapters of the lineage" }, this.said);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.unshield = shield(this.element);
    host.append(this.element);
  }

  get depth(): number {
    return this.layers.length;
  }

  /** Asks for a chapter and opens it on top. */
  open(wanted: Wanted): void {
    const { ask } = this.place;
    this.place.selected?.(about(wanted));
    this.put(called(wanted), wanted, async (signal) => {
      if (ask === undefined) throw new Error("There is no store to ask.");
      const content = await asked(ask, wanted, signal);
      return (element) => mount(element, content, this.around(layerInstant(wanted)));
    });
  }

  /** Shows a document that is at hand, beneath everything that is opened from it. */
  show(content: Chapter): void {
    this.close();
    const layer = this.layer("", null);
    this.fill(layer, (element) => mount(element, content, this.around("")), false);
  }

  /** Closes the last; false when it is the one that everything was opened from. */
  back(): boolean {
    const [bottom, last] = [this.layers[0], this.layers.at(-1)];
    if (last === undefined || (last === bottom && this.keeps)) return false;
    this.drop(last);
    this.surface();
    const { before } = last;
    const next = this.layers.at(-1);
    if (before !== null && before.isConnected && before.getClientRects().length > 0) before.focus();
    else if (next !== undefined) this.focus(next);
    else this.place.left?.();
    return true;
  }

  /** Closes all of them. */
  close(): void {
    for (const layer of [...this.layers].reverse()) this.drop(layer);
    this.surface();
  }

  destroy(): void {
    this.unshield();
    for (const layer of this.layers) this.drop(layer);
    this.element.remove();
  }

  /** Whether the first stays: it was at hand, and there is nothing beneath it. */
  private get keeps(): boolean {
    return this.layers[0]?.wanted === null;
  }

  private around(as_of: string): Around {
    const { ask, trace } = this.place;
    return {
      ...(ask === undefined ? {} : { open: (wanted: Wanted) => this.open(wanted) }),
      ...(trace === undefined ? {} : { trace: (ref: string, at: string) => this.trace(ref, at || as_of) }),
    };
  }

  private trace(ref: string, as_of: string): void {
    const { trace } = this.place;
    if (trace === undefined) return;
    this.place.selected?.(ref);
    this.put(`Trace of ${shortName(ref)}${as_of === "" ? "" : `, ${instant(as_of)}`}`, null, (signal) => trace(ref, as_of, signal));
  }

  /** Opens a layer, and fills it once that is loaded. */
  private put(title: string, wanted: Wanted | null, load: Load): void {
    const layer = this.layer(title, wanted);
    this.ask(layer, load);
  }

  private ask(layer: Layer, load: Load): void {
    const mine = new AbortController();
    layer.asking = mine;
    layer.body.setAttribute("aria-busy", "true");
    const cancel = html("button", { type: "button", class: "lx-button" }, "Cancel");
    cancel.addEventListener("click", () => this.back());
    const wait = setTimeout(() => {
      layer.body.replaceChildren(html("p", { class: "lx-asking" }, html("span", { class: "lx-spinner", "aria-hidden": "true" }), "Asking…", cancel));
      this.say(`Asking: ${layer.title}`);
    }, PATIENCE);
    layer.trail.focus();
    load(mine.signal)
      .then((traced) => {
        if (mine.signal.aborted) return;
        if (traced === "beneath") {
          this.close();
          this.place.left?.();
        }
        else if (traced === "elsewhere") this.back();
        else this.fill(layer, traced, true);
      })
      .catch((error: unknown) => {
        if (!mine.signal.aborted) this.fail(layer, load, error);
      })
      .finally(() => {
        clearTimeout(wait);
        layer.body.removeAttribute("aria-busy");
        if (layer.asking === mine) layer.asking = null;
      });
  }

  private fill(layer: Layer, make: (element: HTMLElement) => Shown, arrived: boolean): void {
    layer.body.replaceChildren();
    // Whoever is elsewhere by now, in another cell say, is not called back.
    const here = arrived && this.holds(layer);
    layer.shown = make(layer.body);
    this.call(layer, layer.shown.title);
    if (!here) return;
    this.focus(layer);
    this.say(`${layer.title}: opened`);
  }

  /** The focus goes to the heading of what a layer shows. */
  private focus({ body, trail }: Layer): void {
    const heading = body.querySelector<HTMLElement>("h2, h3") ?? trail;
    heading.tabIndex = -1;
    heading.focus();
  }

  private call(layer: Layer, title: string): void {
    layer.title = clean(title);
    layer.element.setAttribute("aria-label", layer.title);
    layer.trail.textContent = this.layers.slice(0, this.layers.indexOf(layer) + 1).map((one) => one.title).join(" › ");
  }

  private fail(layer: Layer, load: Load, error: unknown): void {
    const again = html("button", { type: "button", class: "lx-button" }, "Try again");
    again.addEventListener("click", () => this.ask(layer, load));
    const text = clean(problem(error));
    const here = this.holds(layer);
    layer.body.replaceChildren(html("div", { class: "lx-failed" }, html("p", { class: "lx-problem" }, text), again));
    this.say(`${layer.title} could not be opened: ${text}`);
    if (here) again.focus();
  }

  /** Whether the focus is in a layer, or nowhere. */
  private holds(layer: Layer): boolean {
    const active = this.active();
    return active === null || active === document.body || layer.element.contains(active);
  }

  private layer(title: string, wanted: Wanted | null): Layer {
    const before = this.active();
    const first = this.layers.length === 0;
    const trail = html("p", { class: "lx-trail", tabindex: -1 });
    const body = html("div", { class: "lx-chapter" });
    const leave = html("button", { type: "button", class: "lx-button lx-back" }, html("span", { "aria-hidden": "true" }, "← "), "Back");
    leave.addEventListener("click", () => this.back());
    // What was at hand has nothing to go back to.
    const bar = html("div", { class: "lx-chapterbar", hidden: first && wanted === null }, leave, trail);
    const element = html("article", { class: "lx-layer" }, bar, body);
    const layer: Layer = { wanted, title: "", element, trail, body, shown: null, asking: null, before };
    this.layers.push(layer);
    this.call(layer, title);
    this.element.append(element);
    this.surface();
    return layer;
  }

  private drop(layer: Layer): void {
    layer.asking?.abort();
    layer.shown?.destroy();
    layer.element.remove();
    this.layers.splice(this.layers.indexOf(layer), 1);
  }

  /** Only the last is seen. */
  private surface(): void {
    const last = this.layers.at(-1);
    for (const layer of this.layers) layer.element.hidden = layer !== last;
    this.element.hidden = last === undefined;
    this.place.changed?.([...this.layers].reverse().find((layer) => layer.wanted !== null)?.wanted ?? null, this.layers.length);
  }

  private say(text: string): void {
    this.said.textContent = text;
  }

  private active(): HTMLElement | SVGElement | null {
    const root = this.host.getRootNode();
    const found = root instanceof ShadowRoot ? root.activeElement : this.host.ownerDocument.activeElement;
    return found instanceof HTMLElement || found instanceof SVGElement ? found : null;
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    // In a field Escape empties it, in an open list it closes that.
    if (event.target instanceof Element && event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
    if (!this.back()) return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Draws a document of any format in an element. */
export function mount(element: HTMLElement, content: Chapter, around: Around): Shown {
  switch (content.format) {
    case "lineage-explorer/history":
      return mountHistory(element, content, around);
    case "lineage-explorer/comparison":
      return mountComparison(element, content, around);
    case "lineage-explorer/likeness":
      return mountLikeness(element, content, around);
    case "lineage-explorer/impact":
      return mountImpact(element, content, around);
    case "lineage-explorer/rollback":
      return mountRollback(element, content, around);
    case "lineage-explorer/serving":
      return mountServing(element, content, around);
  }
  throw new Error(`This document says that its format is ${clean(String((content as { format?: unknown }).format))}; there is no view of that here. A newer lineage-explorer may have one.`);
}

type Ask = NonNullable<Transport["ask"]>;

function asked(ask: Ask, wanted: Wanted, signal: AbortSignal): Promise<Questions[Wanted["chapter"]]["answer"]> {
  switch (wanted.chapter) {
    case "history": {
      const { ref, as_of, known_at } = wanted;
      return ask("history", { ref, as_of, known_at }, signal);
    }
    case "comparison": {
      const { a, b, known_at, policy } = wanted;
      return ask("comparison", { a, b, known_at, policy }, signal);
    }
    case "impact": {
      const { ref, as_of, known_at } = wanted;
      return ask("impact", { ref, as_of, known_at }, signal);
    }
    case "rollback": {
      const { endpoint, as_of, known_at, policy } = wanted;
      return ask("rollback", { endpoint, as_of, known_at, policy }, signal);
    }
  }
}

/** What a chapter will be called, before its document is there. */
export function called(wanted: Wanted): string {
  switch (wanted.chapter) {
    case "history":
      return `Versions of ${shortName(wanted.ref)}`;
    case "comparison":
      return `${sideName(wanted.a)} and ${sideName(wanted.b)}`;
    case "impact":
      return `What ${shortName(wanted.ref)} reaches`;
    case "rollback":
      return `Where ${shortName(wanted.endpoint)} could go back to`;
  }
}

/** The reference that a chapter is about first. */
export function about(wanted: Wanted): string {
  if (wanted.chapter === "rollback") return wanted.endpoint;
  return wanted.chapter === "comparison" ? (wanted.a.split("@@")[0] ?? "") : wanted.ref;
}

function layerInstant(wanted: Wanted): string {
  return wanted.chapter === "comparison" ? "" : wanted.as_of;
}

function sideName(text: string): string {
  const [ref = "", at = ""] = text.split("@@");
  return `${shortName(ref)}${at === "" ? "" : ` at ${instant(at)}`}`;
}
