/**
 * The trace as a tree: the endpoint, what it comes from, and so on. What several things come from stands where it
 * is met first and is named again, not repeated, at the others; so do circles.
 */

import type { Hop } from "./audit.js";
import { html } from "./dom.js";
import { inlineMark, MARKS, statusOf } from "./marks.js";
import { describeHop, judged, link, name, part, type Model } from "./model.js";
import type { Found } from "./query.js";
import { brief, clean, words } from "./text.js";

/** Children made at once. */
const PAGE = 100;
/** A trace of so many things is open from the start. */
const FEW = 40;
/** So many of what was found are opened up to. */
const OPENED = 200;

interface Item {
  ref: string;
  /** The hop to what it stands under. */
  hop: Hop | null;
  level: number;
  parent: Item | null;
  open: boolean;
  /** It has its own place elsewhere. */
  again: boolean;
  children: Hop[];
  /** Children that are shown when it is open. */
  limit: number;
  element: HTMLElement;
}

export class Tree {
  readonly element: HTMLElement;
  private readonly tree = html("div", { class: "lx-tree", role: "tree", "aria-label": "Everything it comes from" });
  private readonly none = html("p", { class: "lx-quiet", hidden: true }, "Nothing here matches the search and the filters.");
  private items: Item[] = [];
  /** The hop under which a thing has its place; null at the top. */
  private place = new Map<string, Hop | null>();
  private kept: Set<string> | null = null;
  private opened = new Set<string>();
  private current = "";
  private selected = "";
  private typed = "";
  private typedAt = 0;

  constructor(
    private model: Model,
    private readonly select: (id: string) => void,
    found: Found | null,
  ) {
    const help = html("p", { class: "lx-quiet" }, "From the endpoint to its causes. Arrow keys walk, open and close; Enter selects, Shift with Enter selects the hop.");
    this.element = html("div", { class: "lx-treebox" }, help, this.tree, this.none);
    this.tree.addEventListener("click", (event) => this.click(event));
    this.tree.addEventListener("keydown", (event) => this.key(event));
    this.place = places(model);
    const all = model.nodes.size <= FEW;
    for (const [ref, hop] of this.place) if (all || hop === null || this.place.get(hop.effect) === null) this.opened.add(ref);
    this.filter(found);
  }

  /** Shows only what is wanted and the ways to it, of another model if there is one; null shows all. */
  filter(found: Found | null, model = this.model): void {
    if (model !== this.model) this.place = places(model);
    this.model = model;
    this.kept = null;
    if (found !== null) {
      this.kept = new Set();
      for (const id of found.lit)
        for (let ref: string | undefined = id; ref !== undefined && this.place.has(ref) && !this.kept.has(ref); ref = this.place.get(ref)?.effect) this.kept.add(ref);
    }
    this.draw();
    if (found !== null) for (const ref of found.nodes.slice(0, OPENED)) this.openTo(ref);
    this.none.hidden = this.items.length > 0;
    this.tree.hidden = this.items.length === 0;
    this.mark(this.selected);
  }

  mark(selected: string): void {
    this.selected = selected;
    const hop = this.model.hops.get(selected);
    if (selected !== "") this.openTo(hop?.cause ?? selected);
    let shown = false;
    for (const item of this.items) {
      const mine = selected !== "" && (hop === undefined ? item.ref === selected : item.hop?.id === selected);
      item.element.setAttribute("aria-selected", String(mine));
      if (mine && !shown && !item.again) {
        shown = true;
        this.rove(item);
        // Only the tree itself is scrolled: the page stays where its reader is.
        const { tree } = this;
        const top = item.element.offsetTop - tree.offsetTop;
        if (top < tree.scrollTop || top > tree.scrollTop + tree.clientHeight - 40) tree.scrollTop = top - tree.clientHeight / 2;
      }
    }
  }

  private draw(): void {
    this.items = [];
    this.tree.replaceChildren();
    const roots = [...this.place.keys()].filter((ref) => this.place.get(ref) === null && (this.kept?.has(ref) ?? true));
    for (const ref of roots) this.insert(this.items.length, [this.item(ref, null, null)]);
    this.rove(this.items.find((item) => item.ref === this.current) ?? this.items[0]);
  }

  private item(ref: string, hop: Hop | null, parent: Item | null): Item {
    const again = hop !== null && this.place.get(ref) !== hop;
    const children = again ? [] : (this.model.into.get(ref) ?? []).filter((next) => this.kept?.has(next.cause) ?? true);
    const level = (parent?.level ?? 0) + 1;
    const element = html("div", { role: "treeitem", class: "lx-item", "aria-level": level, "aria-selected": "false", tabindex: -1 });
    if (children.length > 0) element.setAttribute("aria-expanded", "false");
    element.style.setProperty("--lx-level", String(Math.min(level - 1, 14)));
    const node = this.model.nodes.get(ref);
    const quiet = (text: string): HTMLElement => html("span", { class: "lx-quiet" }, text);
    element.append(
      html("span", { class: "lx-twist", "aria-hidden": "true" }),
      ...(hop === null ? [] : [quiet(link(hop))]),
      html("span", { class: "lx-itemname" }, name(this.model, ref)),
      quiet([words(node?.kind ?? ""), node === undefined ? "" : part(node), node?.resolved === false ? "not on record" : brief(node?.fact ?? "")].filter((text) => text !== "").join(" · ")),
      ...(hop === null || (hop.status === "none" && judged(this.model, hop))
        ? []
        : [
            html(
              "span",
              { class: "lx-badge", title: describeHop(this.model, hop) },
              ...(!judged(this.model, hop) ? ["not judged"] : [inlineMark(statusOf(hop.status)), MARKS[statusOf(hop.status)].word]),
            ),
          ]),
      ...(again ? [quiet("shown above")] : []),
      ...(hop === null && ref !== this.model.audit.question.endpoint ? [quiet("beside the flow")] : []),
    );
    element.title = clean(ref);
    return { ref, hop, level, parent, open: false, again, children, limit: PAGE, element };
  }

  /** Puts items in, and opens those that were open. */
  private insert(at: number, added: Item[]): void {
    const before = this.items[at]?.element ?? null;
    this.items.splice(at, 0, ...added);
    for (const item of added) this.tree.insertBefore(item.element, before);
    for (const item of added) if (item.children.length > 0 && this.opened.has(item.ref)) this.open(item);
  }

  private open(item: Item): void {
    if (item.open || item.children.length === 0) return;
    item.open = true;
    this.opened.add(item.ref);
    item.element.setAttribute("aria-expanded", "true");
    this.fill(item, 0);
  }

  /** Children from one on, up to the limit, and after them a word on how many more there are. */
  private fill(item: Item, from: number): void {
    const { children } = item;
    const added = children.slice(from, item.limit).map((hop) => this.item(hop.cause, hop, item));
    added.forEach((child, i) => {
      child.element.setAttribute("aria-setsize", String(children.length));
      child.element.setAttribute("aria-posinset", String(from + i + 1));
    });
    if (children.length > item.limit) {
      const more = this.item("", null, item);
      more.element.replaceChildren(html("span", { class: "lx-twist", "aria-hidden": "true" }), html("span", { class: "lx-itemname" }, `${children.length - item.limit} more: show them`));
      more.element.title = "";
      added.push(more);
    }
    this.insert(this.end(item), added);
  }

  private more(item: Item): void {
    const { parent } = item;
    if (parent === null) return;
    const from = parent.limit;
    parent.limit += 10 * PAGE;
    const at = this.items.indexOf(item);
    this.items.splice(at, 1);
    item.element.remove();
    this.fill(parent, from);
    this.focus(this.items[at]);
  }

  private close(item: Item): void {
    const from = this.items.indexOf(item) + 1;
    for (const gone of this.items.splice(from, this.end(item) - from)) gone.element.remove();
    item.open = false;
    item.limit = PAGE;
    this.opened.delete(item.ref);
    item.element.setAttribute("aria-expanded", "false");
  }

  /** Where what stands under an item ends. */
  private end(item: Item): number {
    let at = this.items.indexOf(item) + 1;
    while ((this.items[at]?.level ?? 0) > item.level) at++;
    return at;
  }

  private openTo(ref: string): void {
    if (!this.place.has(ref) || !(this.kept?.has(ref) ?? true)) return;
    const way: Hop[] = [];
    for (let hop = this.place.get(ref); hop; hop = this.place.get(hop.effect)) way.push(hop);
    let at = this.items.find((item) => item.level === 1 && item.ref === (way.at(-1)?.effect ?? ref));
    for (const hop of way.reverse()) {
      if (at === undefined) return;
      const index = at.children.indexOf(hop);
      this.open(at);
      if (index >= at.limit) {
        const word = this.items[this.end(at) - 1];
        at.limit = index + 1;
        if (word?.ref === "") {
          this.items.splice(this.items.indexOf(word), 1);
          word.element.remove();
        }
        this.fill(at, this.items.filter((item) => item.parent === at).length);
      }
      const parent: Item = at;
      at = this.items.find((item) => item.parent === parent && item.hop === hop);
    }
  }

  private rove(item: Item | undefined): void {
    for (const other of this.items) other.element.tabIndex = other === item ? 0 : -1;
    this.current = item?.ref ?? "";
  }

  private focus(item: Item | undefined): void {
    if (item === undefined) return;
    this.rove(item);
    item.element.focus();
  }

  private choose(item: Item, hop: boolean): void {
    if (item.ref === "") this.more(item);
    else this.select(hop && item.hop !== null ? item.hop.id : item.ref);
  }

  private click(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const { target } = event;
    const item = this.items.find(({ element }) => element.contains(target));
    if (item === undefined) return;
    if (target.closest(".lx-twist") !== null && item.children.length > 0) {
      if (item.open) this.close(item);
      else this.open(item);
      this.focus(item);
      return;
    }
    if (item.ref !== "") this.focus(item);
    this.choose(item, target.closest(".lx-badge") !== null);
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.items.findIndex(({ element }) => element === event.target);
    const item = this.items[at];
    if (item === undefined) return;
    const act: Record<string, () => void> = {
      ArrowDown: () => this.focus(this.items[at + 1]),
      ArrowUp: () => this.focus(this.items[at - 1]),
      ArrowRight: () => (item.open ? this.focus(this.items[at + 1]) : this.open(item)),
      ArrowLeft: () => (item.open ? this.close(item) : this.focus(item.parent ?? undefined)),
      Home: () => this.focus(this.items[0]),
      End: () => this.focus(this.items.at(-1)),
      Enter: () => this.choose(item, event.shiftKey),
      " ": () => this.choose(item, event.shiftKey),
      "*": () => this.items.filter((other) => other.parent === item.parent).forEach((other) => this.open(other)),
    };
    if (event.key in act) this.typed = "";
    const step = act[event.key] ?? (event.key.length === 1 && event.key !== "?" && event.key !== "/" ? () => this.type(event.key, at) : undefined);
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  }

  /** Goes to the next name that begins with what is typed. */
  private type(letter: string, at: number): void {
    const now = performance.now();
    this.typed = (now - this.typedAt < 700 ? this.typed : "") + letter.toLowerCase();
    this.typedAt = now;
    const from = this.typed.length === 1 ? at + 1 : at;
    const order = [...this.items.slice(from), ...this.items.slice(0, from)];
    this.focus(order.find((item) => item.ref !== "" && name(this.model, item.ref).toLowerCase().startsWith(this.typed)));
  }
}

/** Under which hop each thing has its place: where a reader who goes from top to bottom meets it first. */
function places(model: Model): Map<string, Hop | null> {
  const place = new Map<string, Hop | null>();
  const walk = (root: string): void => {
    if (place.has(root)) return;
    const waiting: [string, Hop | null][] = [[root, null]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [ref, hop] = next;
      if (place.has(ref)) continue;
      place.set(ref, hop);
      for (const cause of [...(model.into.get(ref) ?? [])].reverse()) waiting.push([cause.cause, cause]);
    }
  };
  if (model.nodes.has(model.audit.question.endpoint)) walk(model.audit.question.endpoint);
  for (const ref of model.nodes.keys()) if (!model.out.has(ref)) walk(ref);
  for (const ref of model.nodes.keys()) walk(ref);
  return place;
}
