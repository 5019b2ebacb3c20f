/** The same audit as tables: all that the drawing shows, for reading in order, sorting and hearing. */

import { html } from "./dom.js";
import { inlineMark, MARKS, statusOf } from "./marks.js";
import { link, name, when, type Model } from "./model.js";
import { brief, clean, instant, percent, words } from "./text.js";

/** Rows made at once; the rest follows on demand. */
const PAGE = 200;

interface Cell {
  text: string;
  /** Sorted by this where it is not the text. */
  order?: number;
  /** Selected when its row's button is pressed. */
  id?: string;
  status?: string;
  full?: string;
}

export interface Sheet {
  title: string;
  caption: string;
  columns: string[];
  rows: Cell[][];
}

const told = (text: string): Cell => ({ text: brief(text), full: text });

export function sheets(model: Model): Sheet[] {
  const { audit } = model;
  const node = (ref: string): Cell => ({ text: name(model, ref), id: ref, full: ref });
  const gate = (value: string): Cell => ({ text: value === "none" ? "no gate" : MARKS[statusOf(value)].word, status: value });
  const severity = { error: 0, warning: 1, info: 2 };
  return [
    {
      title: "Serving",
      caption: "Who serves the endpoint",
      columns: ["Model", "Deployment", "Traffic", "Site", "Since", "Verdict"],
      rows: audit.serving.map((row) => [
        row.model === null ? { text: "not on record", id: row.deployment } : node(row.model),
        node(row.deployment),
        { text: row.traffic === null ? "not read" : percent(row.traffic), order: row.traffic ?? -1 },
        told(row.site),
        { text: instant(row.since) },
        { text: row.verdict ?? words(row.state) },
      ]),
    },
    {
      title: "Hops",
      caption: "Every hop, from cause to effect",
      columns: ["Cause", "Link", "Effect", "Gate", "Why", "Basis", "When"],
      rows: audit.hops.map((hop) => [
        { ...node(hop.cause), id: hop.id },
        { text: link(hop) },
        node(hop.effect),
        gate(hop.status),
        told(hop.requirements.map((item) => item.why).join("; ")),
        { text: words(hop.basis) },
        { text: when(hop) },
      ]),
    },
    {
      title: "Data",
      caption: "Every dataset that was reached, and what for",
      columns: ["Dataset", "Role", "Identified by", "Digest", "How it was reached"],
      rows: audit.datasets.map((row) => [node(row.ref), { text: words(row.role) }, { text: words(row.identified_by) }, told(row.digest), told(row.how)]),
    },
    {
      title: "Evidence",
      caption: "Every gate result about what was reached",
      columns: ["About", "Gate", "Status", "Expected", "Found", "Said by", "When", "Grade", "Proof"],
      rows: audit.evidence.map((row) => [
        node(row.subject),
        told(row.gate),
        gate(row.status),
        told(row.expected),
        told(row.actual),
        told(row.evaluator),
        { text: instant(row.event_time) },
        { text: words(row.grade) },
        told(row.pointer),
      ]),
    },
    {
      title: "Findings",
      caption: "Gaps, contradictions and cautions",
      columns: ["About", "Severity", "Message"],
      rows: audit.findings.map((row) => [
        row.ref === "" ? { text: "the whole" } : node(row.ref),
        { text: row.severity, order: severity[row.severity] ?? 3 },
        told(row.message),
      ]),
    },
    {
      title: "Things",
      caption: "Everything that was reached",
      columns: ["Name", "Kind", "Lane", "Fact", "On record", "Read from"],
      rows: audit.nodes.map((row) => [
        node(row.ref),
        { text: words(row.kind) },
        { text: words(row.lane) },
        told(row.fact),
        { text: row.resolved ? "yes" : "no" },
        { text: row.source === null ? "" : brief(`${row.source.system} ${row.source.position}`) },
      ]),
    },
  ];
}

export class Table {
  readonly element: HTMLElement;
  private readonly body = html("tbody");
  private readonly more = html("button", { type: "button", class: "lx-more" });
  private readonly heads: HTMLTableCellElement[];
  private rows: Cell[][];
  private limit = PAGE;
  private sorted = -1;
  private down = false;
  private wanted: ((ids: string[], words: string) => boolean) | null = null;
  private selected = "";

  constructor(
    private readonly sheet: Sheet,
    private readonly select: (id: string) => void,
  ) {
    this.rows = sheet.rows;
    this.heads = sheet.columns.map((title, column) => {
      const sort = html("button", { type: "button" }, title);
      sort.addEventListener("click", () => this.sort(column));
      return html("th", { scope: "col" }, sort);
    });
    const table = html("table", {}, html("caption", {}, sheet.caption), html("thead", {}, html("tr", {}, ...this.heads)), this.body);
    this.more.addEventListener("click", () => {
      this.limit = Infinity;
      this.draw();
    });
    this.element = html(
      "div",
      { class: "lx-table" },
      html("div", { class: "lx-scroll", tabindex: 0, role: "region", "aria-label": sheet.caption }, table),
      this.more,
    );
    this.draw();
  }

  /** Shows only rows in which something is wanted; null shows all. */
  filter(wanted: ((ids: string[], words: string) => boolean) | null): void {
    this.wanted = wanted;
    this.draw();
  }

  mark(selected: string): void {
    this.selected = selected;
    for (const row of this.body.querySelectorAll("tr")) this.markRow(row);
  }

  private markRow(row: HTMLTableRowElement): void {
    const mine = this.selected !== "" && row.dataset["id"] === this.selected;
    row.classList.toggle("lx-selected", mine);
    if (mine) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }

  private sort(column: number): void {
    this.down = this.sorted === column && !this.down;
    this.sorted = column;
    const collator = new Intl.Collator(undefined, { numeric: true });
    const sign = this.down ? -1 : 1;
    this.rows = [...this.sheet.rows].sort((a, b) => {
      const [x, y] = [a[column] as Cell, b[column] as Cell];
      return sign * (x.order !== undefined && y.order !== undefined ? x.order - y.order : collator.compare(x.text, y.text));
    });
    this.heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.draw();
  }

  private draw(): void {
    const { wanted } = this;
    const rows =
      wanted === null
        ? this.rows
        : this.rows.filter((row) => wanted(row.flatMap((cell) => cell.id ?? []), row.map((cell) => cell.full ?? cell.text).join(" ")));
    this.body.replaceChildren(...rows.slice(0, this.limit).map((row) => this.row(row)));
    if (rows.length === 0) {
      const none = wanted === null ? "None on record." : "Nothing here matches the search.";
      this.body.append(html("tr", {}, html("td", { colspan: this.sheet.columns.length, class: "lx-quiet" }, none)));
    }
    this.more.hidden = rows.length <= this.limit;
    this.more.textContent = `Show all ${rows.length} rows`;
  }

  private row(cells: Cell[]): HTMLTableRowElement {
    const id = cells[0]?.id ?? "";
    const row = html("tr", { "data-id": id });
    cells.forEach((cell, i) => {
      const inner: (Node | string)[] = [];
      if (cell.status !== undefined) inner.push(inlineMark(statusOf(cell.status)), " ");
      if (cell.id !== undefined && cell.id !== "") {
        const go = html("button", { type: "button", class: "lx-link", title: clean(cell.full ?? cell.id) }, cell.text);
        go.addEventListener("click", () => this.select(cell.id as string));
        inner.push(go);
      } else inner.push(cell.text);
      const gate = cell.status === undefined ? null : "lx-gate";
      row.append(i === 0 ? html("th", { scope: "row" }, ...inner) : html("td", { class: gate }, ...inner));
    });
    this.markRow(row);
    return row;
  }
}
