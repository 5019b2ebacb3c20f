/**
 * A tree in a window: only the rows that can be seen are in the page, and the one with the focus. It is one stop of
 * the Tab key; inside, the keys are those of the ARIA tree pattern.
 */

import type { Message } from "@lumino/messaging";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import { html } from "../view/dom.js";
import type { Branch, Entry, Place } from "./branches.js";

/** Pixels; at least 24, so that a row can be hit. */
const ROW = 26;
/** Rows beyond the window that are drawn, so that a slow scroll shows no gap. */
const MARGIN = 6;
/** Milliseconds of rest before pages are read: whoever scrolls past does not want them. */
const REST = 60;
/** Rows that typing ahead looks through. */
const AHEAD = 2000;

export interface TreeHooks {
  /** What stands in a row before and after its text. */
  decorate(entry: Entry, row: HTMLElement): void;
  /** Changes when `decorate` would draw an entry another way. */
  look(entry: Entry): string;
  /** What a row without an entry says. */
  note(branch: Branch): string;
  /** Some entry was chosen with Enter or a click. */
  activate(entry: Entry): void;
  /** The pointer went down on an entry, and may drag it. */
  grip(entry: Entry, event: PointerEvent): void;
}

let trees = 0;

export class TreeView extends Widget {
  /** The entries that can be seen, once nothing moves. */
  readonly seen = new Signal<this, readonly Entry[]>(this);
  private readonly id_ = `lx-lab-tree${++trees}`;
  private readonly rowsOf = html("div", { class: "lx-lab-rows", role: "presentation" });
  private drawn = new Map<string, HTMLElement>();
  private root: Branch | null = null;
  private active = 0;
  private typed = "";
  private typedAt = 0;
  private rest = 0;
  private frame = 0;

  constructor(
    label: string,
    private readonly hooks: TreeHooks,
  ) {
    super({ node: html("div", { class: "lx-lab-tree", role: "tree", tabindex: 0, "aria-label": label }) });
    this.node.append(this.rowsOf);
  }

  /** Shows a tree from its top. */
  list(root: Branch | null): void {
    this.root?.abandon(new Set());
    this.root = root;
    this.active = 0;
    this.node.scrollTop = 0;
    this.redraw();
  }

  /** The entry with the focus. */
  get entry(): Entry | null {
    return this.place(this.active)?.entry ?? null;
  }

  redraw(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent) this.key(event);
    else if (event.type === "scroll") this.redraw();
    else if (event.type === "click") this.click(event);
    else if (event instanceof PointerEvent) this.pointer(event);
    else if (event.type === "contextmenu") this.focusOn(event);
  }

  protected override onAfterAttach(): void {
    for (const type of EVENTS) this.node.addEventListener(type, this, type === "scroll" ? { passive: true } : {});
    this.redraw();
  }

  protected override onBeforeDetach(): void {
    for (const type of EVENTS) this.node.removeEventListener(type, this);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
    this.frame = 0;
  }

  protected override onAfterShow(): void {
    this.redraw();
  }

  protected override onResize(): void {
    this.redraw();
  }

  protected override onActivateRequest(_message: Message): void {
    this.node.focus();
  }

  private place(row: number): Place | null {
    return this.root === null || row < 0 || row >= this.root.rows ? null : this.root.at(row);
  }

  private window(): number[] {
    const total = this.root?.rows ?? 0;
    const first = Math.max(0, Math.floor(this.node.scrollTop / ROW) - MARGIN);
    const last = Math.min(total - 1, Math.ceil((this.node.scrollTop + this.node.clientHeight) / ROW) + MARGIN);
    const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    if (total > 0 && (this.active < first || this.active > last)) rows.push(this.active);
    return rows;
  }

  private draw(): void {
    this.frame = 0;
    if (!this.isVisible) return;
    const total = this.root?.rows ?? 0;
    this.active = Math.max(0, Math.min(this.active, total - 1));
    this.rowsOf.style.height = `${total * ROW}px`;
    const wanted = new Map<string, HTMLElement>();
    for (const row of this.window().sort((a, b) => a - b)) {
      const place = this.place(row);
      if (place === null) continue;
      const sign = this.sign(place, row);
      wanted.set(sign, this.drawn.get(sign) ?? this.row(place, row));
    }
    for (const [sign, element] of this.drawn) if (!wanted.has(sign)) element.remove();
    this.drawn = wanted;
    // In the order of the rows, for whoever reads the page and not the screen.
    [...wanted.values()].forEach((element, i) => {
      if (this.rowsOf.children[i] !== element) this.rowsOf.insertBefore(element, this.rowsOf.children[i] ?? null);
    });
    if (total > 0) this.node.setAttribute("aria-activedescendant", `${this.id_}-${this.active}`);
    else this.node.removeAttribute("aria-activedescendant");
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => this.settle(), REST);
  }

  /** Reads what can be seen, and nothing else. */
  private settle(): void {
    if (!this.isVisible || this.root === null) return;
    const places = this.window().flatMap((row) => this.place(row) ?? []);
    this.root.abandon(new Set(places.map(({ branch, index }) => branch.page(index))));
    for (const { branch, index, entry } of places)
      if (entry === null && branch.problem === null && branch.total !== 0) void branch.read(index).then(() => this.redraw());
    this.seen.emit(places.flatMap(({ entry }) => entry ?? []));
  }

  /** What a row looks like, as a text: the same text needs no new element. */
  private sign({ branch, index, entry }: Place, row: number): string {
    const state = entry === null ? `${branch.problem?.message ?? branch.total}` : `${entry.label}\n${entry.fact}\n${branch.child(index) !== undefined}\n${this.hooks.look(entry)}`;
    return `${row}\n${branch.depth}\n${branch.total}\n${row === this.active}\n${entry?.ref}\n${state}`;
  }

  private row({ branch, index, entry }: Place, row: number): HTMLElement {
    const open = branch.child(index) !== undefined;
    const element = html("div", {
      class: `lx-lab-row${row === this.active ? " lx-lab-active" : ""}${entry === null ? " lx-lab-note" : ""}${branch.problem !== null ? " lx-lab-problem" : ""}`,
      role: "treeitem",
      id: `${this.id_}-${row}`,
      "data-row": row,
      "data-kind": entry?.kind ?? null,
      "data-ref": entry?.ref || null,
      "aria-level": branch.depth + 1,
      "aria-setsize": branch.bare ? 1 : branch.total,
      "aria-posinset": index + 1,
      "aria-expanded": entry?.children === undefined ? null : String(open),
      "aria-selected": String(row === this.active),
    });
    element.style.transform = `translateY(${row * ROW}px)`;
    element.style.setProperty("--lx-lab-depth", String(branch.depth));
    element.append(html("span", { class: `lx-lab-twisty${entry?.children === undefined ? "" : open ? " lx-lab-open" : " lx-lab-closed"}`, "aria-hidden": "true" }));
    if (entry === null) element.append(html("span", { class: "lx-lab-label" }, this.hooks.note(branch)));
    else {
      element.title = [entry.label, entry.fact].filter((part) => part !== "").join(", ");
      element.append(html("span", { class: `lx-lab-label${entry.resolved ? "" : " lx-lab-unknown"}` }, entry.label), html("span", { class: "lx-lab-fact" }, entry.fact));
      this.hooks.decorate(entry, element);
    }
    return element;
  }

  private go(row: number): void {
    const total = this.root?.rows ?? 0;
    this.active = Math.max(0, Math.min(row, total - 1));
    const top = this.active * ROW;
    const { scrollTop, clientHeight } = this.node;
    if (top < scrollTop) this.node.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.node.scrollTop = top + ROW - clientHeight;
    this.redraw();
  }

  private toggle(place: Place, open?: boolean): boolean {
    const changed = place.branch.toggle(place.index, open);
    if (changed) this.redraw();
    return changed;
  }

  private choose(place: Place): void {
    const { branch, entry } = place;
    if (entry === null) {
      branch.retry();
      this.redraw();
    } else if (entry.ref === "") this.toggle(place);
    else this.hooks.activate(entry);
  }

  private key(event: KeyboardEvent): void {
    const place = this.place(this.active);
    if (place === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const { branch, index } = place;
    const screen = Math.max(1, Math.floor(this.node.clientHeight / ROW) - 1);
    if (event.key === "ArrowDown") this.go(this.active + 1);
    else if (event.key === "ArrowUp") this.go(this.active - 1);
    else if (event.key === "PageDown") this.go(this.active + screen);
    else if (event.key === "PageUp") this.go(this.active - screen);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(Number.MAX_SAFE_INTEGER);
    else if (event.key === "ArrowRight") {
      if (!this.toggle(place, true) && branch.child(index) !== undefined) this.go(this.active + 1);
    } else if (event.key === "ArrowLeft") {
      if (!this.toggle(place, false) && branch.parent !== null) this.go(branch.parent.rowOf(branch.index));
    } else if (event.key === "Enter") this.choose(place);
    else if (event.key === " ") this.toggle(place);
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.menu();
    else if (event.key.length === 1) this.ahead(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** JupyterLab opens its menu where this event comes from. */
  private menu(): void {
    const row = document.getElementById(`${this.id_}-${this.active}`);
    const box = row?.getBoundingClientRect();
    if (row && box) row.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: box.left + 40, clientY: box.bottom - 4 }));
  }

  /** Goes to the next entry that begins with what is typed. */
  private ahead(char: string): void {
    const now = performance.now();
    this.typed = now - this.typedAt < 800 ? this.typed + char.toLowerCase() : char.toLowerCase();
    this.typedAt = now;
    const total = this.root?.rows ?? 0;
    // One letter again goes on to the next; more letters may still mean this one.
    const first = this.typed.length === 1 ? 1 : 0;
    for (let step = first; step < Math.min(total, AHEAD); step++) {
      const row = (this.active + step) % total;
      if (this.place(row)?.entry?.label.toLowerCase().startsWith(this.typed)) return this.go(row);
    }
  }

  private rowUnder(event: Event): number | null {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row]") : null;
    return row === null ? null : Number(row.dataset.row);
  }

  private focusOn(event: Event): void {
    const row = this.rowUnder(event);
    if (row !== null) this.go(row);
  }

  private click(event: Event): void {
    const row = this.rowUnder(event);
    const place = row === null ? null : this.place(row);
    if (row === null || place === null) return;
    this.go(row);
    const twisty = event.target instanceof Element && event.target.closest(".lx-lab-twisty") !== null;
    if (twisty && place.entry?.children !== undefined) this.toggle(place);
    else this.choose(place);
  }

  private pointer(event: PointerEvent): void {
    const row = event.button === 0 ? this.rowUnder(event) : null;
    const entry = row === null ? null : (this.place(row)?.entry ?? null);
    if (entry !== null && entry.ref !== "") this.hooks.grip(entry, event);
  }
}

const EVENTS = ["scroll", "click", "keydown", "contextmenu", "pointerdown"] as const;
