/** A table whose rows can be sorted, grouped, filtered and unfolded; of many, a page at a time is in the document. */

import { html } from "../view/dom.js";
import { clean } from "../view/text.js";
import { grouped, unseen } from "./page.js";

/** Rows made at once, and how many more at most when more are asked for. */
const PAGE = 100;
const MOST = 1000;

export interface Column<T> {
  title: string;
  /** All of a cell as text: it is searched, sorted by and saved. */
  text: (row: T) => string;
  /** What is seen, where that is not the text. */
  show?: (row: T) => (Node | string)[];
  /** Sorted by this where it is not the text. */
  order?: (row: T) => number;
  /** What stands in the head instead of the title. */
  head?: HTMLElement;
  /** Holds buttons alone: it is neither sorted by nor saved. */
  acts?: boolean;
}

export function column<T>(title: string, text: Column<T>["text"], show?: Column<T>["show"], order?: Column<T>["order"]): Column<T> {
  return { title, text, ...(show === undefined ? {} : { show }), ...(order === undefined ? {} : { order }) };
}

/** Times in order; what is not on record stands at an end. */
export function time(text: string | null, none = Infinity): number {
  return text === null ? none : Date.parse(text);
}

export interface Listed<T> {
  caption: string;
  columns: readonly Column<T>[];
  /** What is said when there are no rows at all. */
  none: string;
  /** What unfolds under a row; null where nothing does. */
  detail?: (row: T) => HTMLElement | null;
  /** Whether something unfolds, where making it to find out would cost too much. */
  unfolds?: (row: T) => boolean;
  /** Rows that follow one another with the same title stand under it. */
  group?: (row: T) => string;
  /** What is told of the rows that are not in the document. */
  beyond?: string;
}

export class Rows<T> {
  private readonly box: HTMLElement;
  private readonly table = html("table", { role: "table" });
  private readonly more = html("button", { type: "button", class: "lx-button lx-more" });
  private readonly heads: HTMLTableCellElement[];
  private readonly open = new Set<T>();
  private readonly made = new Map<T, HTMLTableRowElement>();
  /** Where the next row goes, and the title that it stands under. */
  private body = html("tbody", { role: "rowgroup" });
  private title = "";
  /** Whether other rows are to be shown than those that are made. */
  private stale = true;
  private rows: readonly T[] = [];
  private all: readonly T[];
  private limit = PAGE;
  private sorted = -1;
  private down = false;
  private narrowed = false;
  private wanted: (row: T) => boolean = () => false;

  constructor(
    private readonly id: string,
    private readonly listed: Listed<T>,
    rows: readonly T[],
  ) {
    this.all = rows;
    this.heads = listed.columns.map((column, i) => {
      if (column.acts === true) return html("th", { scope: "col", role: "columnheader" }, unseen(column.title));
      const sort = html("button", { type: "button" }, column.title);
      sort.addEventListener("click", () => this.sort(i));
      return html("th", { scope: "col", role: "columnheader" }, sort, ...(column.head === undefined ? [] : [column.head]));
    });
    // The roles are the elements' own. They are said because narrow views lay rows out as blocks, and browsers then forget them.
    this.table.append(html("caption", {}, clean(listed.caption)), html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...this.heads)));
    this.more.addEventListener("click", () => {
      const first = this.rows[this.limit];
      this.limit += MOST;
      this.add(this.limit - MOST);
      if (first !== undefined) (this.made.get(first)?.querySelector<HTMLElement>("button") ?? this.more).focus();
    });
    const scroll = html("div", { class: "lx-scroll", tabindex: 0, role: "region", "aria-label": clean(listed.caption) }, this.table);
    this.box = html("div", { class: `lx-table lx-rows${listed.detail === undefined ? "" : " lx-foldable"}` }, scroll, this.more, ...(listed.beyond === undefined || listed.beyond === "" ? [] : [html("p", { class: "lx-quiet lx-beyondrows" }, listed.beyond)]));
    this.order();
  }

  /** The table, with its rows made: nobody waits for those of a table that is never looked at. */
  get element(): HTMLElement {
    if (this.stale) this.draw();
    return this.box;
  }

  /** Other rows; `narrowed` where a filter left some out. It stays sorted and unfolded as it was. */
  show(rows: readonly T[], narrowed: boolean): void {
    this.all = rows;
    this.narrowed = narrowed;
    this.order();
    this.stale = true;
    if (this.box.isConnected && this.box.closest("[hidden]") === null) this.draw();
  }

  get count(): number {
    return this.rows.length;
  }

  /** What is shown, in its order, whole: the first row names the columns. */
  content(): string[][] {
    const columns = this.listed.columns.filter((column) => column.acts !== true);
    return [columns.map((column) => column.title), ...this.rows.map((row) => columns.map((column) => column.text(row)))];
  }

  /** Marks the rows that something is true of. */
  mark(wanted: (row: T) => boolean): void {
    this.wanted = wanted;
    for (const [row, element] of this.made) {
      const mine = wanted(row);
      element.classList.toggle("lx-selected", mine);
      if (mine) element.setAttribute("aria-current", "true");
      else element.removeAttribute("aria-current");
    }
  }

  private sort(column: number): void {
    this.down = this.sorted === column && !this.down;
    this.sorted = column;
    this.heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.order();
    this.draw();
  }

  /** Within a group; the groups stay where they are. */
  private order(): void {
    const column = this.listed.columns[this.sorted];
    this.rows = this.all;
    if (column === undefined) return;
    const { group = () => "" } = this.listed;
    const places = new Map<string, number>();
    for (const row of this.all) if (!places.has(group(row))) places.set(group(row), places.size);
    const place = (row: T): number => places.get(group(row)) ?? 0;
    const collator = new Intl.Collator(undefined, { numeric: true });
    const sign = this.down ? -1 : 1;
    const { order } = column;
    this.rows = [...this.all].sort((a, b) => place(a) - place(b) || sign * (order === undefined ? collator.compare(column.text(a), column.text(b)) : order(a) - order(b)));
  }

  private draw(): void {
    const { listed, rows } = this;
    this.stale = false;
    for (const body of this.table.querySelectorAll(":scope > tbody")) body.remove();
    this.made.clear();
    this.title = "";
    this.body = html("tbody", { role: "rowgroup" });
    this.table.append(this.body);
    if (rows.length === 0) {
      const none = this.narrowed ? "Nothing here matches the search and the filters." : listed.none;
      this.body.append(html("tr", { role: "row" }, html("td", { role: "cell", colspan: listed.columns.length, class: "lx-quiet" }, none)));
    }
    this.add(0);
  }

  /** Makes rows, from one on, as far as they are to be shown. */
  private add(from: number): void {
    const { listed, rows, limit } = this;
    rows.slice(from, limit).forEach((row, i) => {
      const title = listed.group?.(row) ?? "";
      if (title !== this.title) {
        this.title = title;
        this.body = html("tbody", { role: "rowgroup" }, html("tr", { role: "row", class: "lx-grouprow" }, html("th", { scope: "rowgroup", role: "rowheader", colspan: listed.columns.length }, title)));
        this.table.append(this.body);
      }
      this.body.append(...this.row(row, from + i));
    });
    this.mark(this.wanted);
    const rest = rows.length - limit;
    this.more.hidden = rest <= 0;
    this.more.textContent = rest <= MOST ? `Show all ${grouped(rows.length)} rows` : `Show ${grouped(MOST)} more of ${grouped(rows.length)} rows`;
  }

  private row(row: T, i: number): HTMLTableRowElement[] {
    const { columns, detail, unfolds } = this.listed;
    const element = html("tr", { role: "row" });
    this.made.set(row, element);
    const cells = columns.map((column, n) => {
      const inner = column.show?.(row) ?? [clean(column.text(row))];
      return n === 0 ? html("th", { scope: "row", role: "rowheader" }, ...inner) : html("td", { role: "cell", "data-label": column.title }, ...inner);
    });
    element.append(...cells);
    const folded = detail === undefined || unfolds?.(row) === false ? null : html("tr", { role: "row", class: "lx-unfolded", id: `${this.id}-d${i}`, hidden: true });
    if (folded === null || detail === undefined) return [element];
    const cell = html("td", { role: "cell", colspan: columns.length });
    folded.append(cell);
    const named = clean(columns[0]?.text(row) ?? "");
    const button = html("button", { type: "button", class: "lx-twistrow", "aria-expanded": "false", "aria-controls": folded.id, "aria-label": `Details of ${named}` });
    const turn = (open: boolean): void => {
      if (open && cell.firstChild === null) cell.append(...[detail(row)].filter((part) => part !== null));
      folded.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
      if (open) this.open.add(row);
      else this.open.delete(row);
    };
    button.addEventListener("click", () => turn(folded.hidden));
    cells[0]?.prepend(button);
    if (this.open.has(row)) turn(true);
    return [element, folded];
  }
}
