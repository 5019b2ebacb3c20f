/** The same as the drawing, for reading: a tree and tables behind tabs, each made when it is first looked at. */

import type { Model } from "./model.js";
import type { Found } from "./query.js";
import { sheets, Table, type Sheet } from "./tables.js";
import { Tabs } from "./tabs.js";
import { Tree } from "./tree.js";

/** The tab that is open at first. */
const FIRST = "Hops";
const EVIDENCE = "Evidence";

export class Reading {
  readonly element: HTMLElement;
  private readonly tabs: Tabs;
  private sheets: readonly Sheet[];
  private found: Found | null = null;
  private selected = "";
  /** Grows with every other model and every other search; what is out of sight follows when it is looked at. */
  private version = 0;
  private readonly tables = new Map<number, { table: Table; version: number }>();
  private tree: { tree: Tree; version: number } | null = null;

  constructor(
    id: string,
    private model: Model,
    private readonly select: (id: string) => void,
  ) {
    this.sheets = sheets(model);
    const tables = this.sheets.map(({ title, count }, i) => ({ title, count: String(count), fill: () => this.table(i).element }));
    const tree = { title: "Tree", count: "", fill: () => this.grown().element };
    this.tabs = new Tabs(id, "The same as a tree and as tables", [tree, ...tables], this.first() + 1);
    this.element = this.tabs.element;
  }

  /** Another model, or something else that was found in it. */
  change(model: Model, found: Found | null): void {
    if (model !== this.model) {
      this.sheets = sheets(model);
      this.tabs.count(["", ...this.sheets.map((sheet) => String(sheet.count))]);
    }
    this.model = model;
    this.found = found;
    this.version++;
    this.tabs.refresh();
  }

  mark(selected: string): void {
    this.selected = selected;
    this.tabs.refresh();
  }

  /** The table that is open, with what it shows; beside the tree, the hops. */
  open(): { title: string; rows: string[][] } {
    const open = this.tabs.chosen === 0 ? this.first() : this.tabs.chosen - 1;
    return { title: this.sheets[open]?.title ?? "", rows: this.table(open).content() };
  }

  /** Opens the table of evidence at a record; false where the search or the filters leave it out. */
  evidence(id: string): boolean {
    const at = this.sheets.findIndex((sheet) => sheet.title === EVIDENCE);
    this.tabs.open(at + 1);
    return this.table(at).reach(id);
  }

  private first(): number {
    return this.sheets.findIndex((sheet) => sheet.title === FIRST);
  }

  private table(i: number): Table {
    const sheet = this.sheets[i] as Sheet;
    const { table, version } = this.tables.get(i) ?? { table: new Table(sheet, this.select, this.found), version: this.version };
    if (version !== this.version) table.change(sheet, this.found);
    this.tables.set(i, { table, version: this.version });
    table.mark(this.selected);
    return table;
  }

  private grown(): Tree {
    const { tree, version } = this.tree ?? { tree: new Tree(this.model, this.select, this.found), version: this.version };
    if (version !== this.version) tree.filter(this.found, this.model);
    this.tree = { tree, version: this.version };
    tree.mark(this.selected);
    return tree;
  }
}
