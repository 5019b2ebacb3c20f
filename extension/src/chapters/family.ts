/** What the versions were made from and what was made from them, as a tree. What has several parents stands under the first and is named again under the others. */

import { html } from "../view/dom.js";
import { brief, clean, shortName, words } from "../view/text.js";
import type { Kept } from "./filters.js";
import type { Story } from "./story.js";

interface Item {
  ref: string;
  level: number;
  parent: Item | null;
  children: Item[];
  open: boolean;
  element: HTMLElement;
}

/** A family of so many things is open from the start. */
const FEW = 300;

export class Family {
  readonly element = html("div", { class: "lx-treebox" });
  private readonly tree = html("div", { class: "lx-tree", role: "tree", "aria-label": "What the versions were made from" });
  private readonly none = html("p", { class: "lx-quiet" });
  private items: Item[] = [];
  private current: Item | undefined;
  private selected = "";

  constructor(
    private readonly story: Story,
    private readonly select: (ref: string) => void,
  ) {
    this.element.append(html("p", { class: "lx-quiet" }, "From what was there first to what was made of it. Arrow keys walk, open and close; Enter selects."), this.tree, this.none);
    this.tree.addEventListener("click", (event) => this.click(event));
    this.tree.addEventListener("keydown", (event) => this.key(event));
  }

  get count(): number {
    return this.story.content.tree.nodes.length;
  }

  show(kept: Kept): void {
    const { nodes, links } = this.story.content.tree;
    const known = new Map(nodes.map((node) => [node.ref, node]));
    const up = new Map<string, string[]>();
    const down = new Map<string, { ref: string; how: string }[]>();
    for (const { parent, child, how } of links) {
      if (!known.has(parent) || !known.has(child)) continue;
      up.set(child, [...(up.get(child) ?? []), parent]);
      const list = down.get(parent);
      if (list === undefined) down.set(parent, [{ ref: child, how }]);
      else list.push({ ref: child, how });
    }
    // What is wanted, and the ways to it.
    const wanted = new Set<string>();
    const ways = kept.narrowed ? [...known.keys()].filter((ref) => kept.refs.has(ref)) : [...known.keys()];
    for (let ref = ways.pop(); ref !== undefined; ref = ways.pop()) {
      if (wanted.has(ref)) continue;
      wanted.add(ref);
      if (kept.narrowed) ways.push(...(up.get(ref) ?? []));
    }
    this.items = [];
    const placed = new Set<string>();
    const add = (ref: string, how: string, parent: Item | null): Item => {
      const again = placed.has(ref);
      placed.add(ref);
      const level = (parent?.level ?? 0) + 1;
      const node = known.get(ref);
      const element = html("div", { role: "treeitem", class: "lx-item", "aria-level": level, "aria-selected": "false", tabindex: -1, title: clean(ref) });
      element.style.setProperty("--lx-level", String(Math.min(level - 1, 14)));
      const quiet = (text: string): HTMLElement => html("span", { class: "lx-quiet" }, text);
      const life = this.story.byRef.get(ref);
      element.append(
        html("span", { class: "lx-twist", "aria-hidden": "true" }),
        ...(how === "" ? [] : [quiet(words(how))]),
        html("span", { class: "lx-itemname" }, brief(node?.label ?? "") || shortName(ref)),
        quiet(words(node?.kind ?? "")),
        ...(life === undefined ? [] : [quiet("version of this history")]),
        ...(again ? [quiet("(as above)")] : []),
      );
      const item: Item = { ref, level, parent, children: [], open: true, element };
      parent?.children.push(item);
      this.items.push(item);
      return item;
    };
    // Without recursion: a family may be as deep as it is long.
    const from = (root: string): void => {
      const stack: { ref: string; how: string; parent: Item | null }[] = [{ ref: root, how: "", parent: null }];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        const again = placed.has(next.ref);
        const item = add(next.ref, next.how, next.parent);
        if (!again) for (const child of [...(down.get(next.ref) ?? [])].reverse()) if (wanted.has(child.ref)) stack.push({ ...child, parent: item });
      }
    };
    for (const ref of wanted.size === 0 ? [] : known.keys()) if (wanted.has(ref) && !(up.get(ref) ?? []).some((other) => wanted.has(other))) from(ref);
    // What is left stands in circles.
    for (const ref of known.keys()) if (wanted.has(ref) && !placed.has(ref)) from(ref);
    const few = this.items.length <= FEW;
    for (const item of this.items) if (item.children.length > 0) item.element.setAttribute("aria-expanded", String((item.open = few || item.level === 1)));
    this.tree.replaceChildren(...this.items.map((item) => item.element));
    this.tree.hidden = this.items.length === 0;
    this.none.textContent = this.items.length > 0 ? "" : kept.narrowed ? "Nothing here matches the filters." : "Nothing that it was made from, or that was made from it, is on record.";
    this.fold();
    this.rove(this.items.find((item) => item.ref === this.current?.ref) ?? this.items[0]);
    this.mark(this.selected);
  }

  mark(selected: string): void {
    this.selected = selected;
    for (const item of this.items) item.element.setAttribute("aria-selected", String(selected !== "" && item.ref === selected));
  }

  private fold(): void {
    // Parents stand before their children.
    for (const item of this.items) item.element.hidden = item.parent !== null && (item.parent.element.hidden || !item.parent.open);
  }

  private open(item: Item, open: boolean): void {
    item.open = open;
    item.element.setAttribute("aria-expanded", String(open));
    this.fold();
  }

  private rove(item: Item | undefined, focus = false): void {
    if (this.current !== undefined) this.current.element.tabIndex = -1;
    this.current = item;
    if (item === undefined) return;
    item.element.tabIndex = 0;
    if (focus) item.element.focus();
  }

  private click(event: MouseEvent): void {
    const item = this.items.find(({ element }) => event.target instanceof Node && element.contains(event.target));
    if (item === undefined) return;
    this.rove(item, true);
    if (event.target instanceof Element && event.target.matches(".lx-twist") && item.children.length > 0) this.open(item, !item.open);
    else this.select(item.ref);
  }

  private key(event: KeyboardEvent): void {
    const item = this.current;
    if (item === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const shown = this.items.filter(({ element }) => !element.hidden);
    const at = shown.indexOf(item);
    const act: (() => void) | undefined = {
      ArrowDown: () => this.rove(shown[at + 1] ?? item, true),
      ArrowUp: () => this.rove(shown[at - 1] ?? item, true),
      Home: () => this.rove(shown[0], true),
      End: () => this.rove(shown.at(-1), true),
      ArrowRight: () => (item.children.length === 0 ? undefined : item.open ? this.rove(item.children[0], true) : this.open(item, true)),
      ArrowLeft: () => (item.open && item.children.length > 0 ? this.open(item, false) : this.rove(item.parent ?? item, true)),
      Enter: () => this.select(item.ref),
      " ": () => this.select(item.ref),
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
