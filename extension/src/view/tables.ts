/** The same audit as tables: all that the drawing shows, for reading in order, sorting and hearing. */

import { html } from "./dom.js";
import { findingMark, inlineMark, MARKS, statusOf } from "./marks.js";
import { judged, link, name, when, type Model } from "./model.js";
import type { Found } from "./query.js";
import { between, rank } from "./requirement.js";
import { brief, clean, instant, percent, words } from "./text.js";
import { outcomeSaid, verdictWords } from "./wording.js";

/** Rows made at once; the rest follows on demand. */
const PAGE = 100;

export interface Cell {
  text: string;
  /** Sorted by this where it is not the text. */
  order?: number;
  /** Selected when its button is pressed. */
  id?: string;
  status?: string;
  /** All of it, where the text is shortened. */
  full?: string;
  /** In a row's first cell: what the row is found by, where its id is also others'. */
  key?: string;
}

export interface Sheet {
  title: string;
  caption: string;
  columns: readonly string[];
  /** How many rows there will be. */
  count: number;
  rows: () => Cell[][];
}

/** Best first. */
const GRADES = ["recomputed", "signed", "referenced", "claimed", ""];

const told = (text: string): Cell => ({ text: brief(text), full: text });
const at = (text: string | null): Cell => ({ text: instant(text), full: text ?? "" });

export function sheets(model: Model): Sheet[] {
  const { audit } = model;
  const node = (ref: string): Cell => ({ text: name(model, ref), id: ref, full: ref });
  const gate = (value: string): Cell => ({ text: value === "none" ? "no gate" : MARKS[statusOf(value)].word, status: value });
  const severity = { error: 0, warning: 1, info: 2 };
  const serving: Sheet = {
    title: "Serving",
    caption: "Who serves the endpoint",
    columns: ["Model", "Deployment", "Traffic", "Site", "Since", "Verdict"],
    count: audit.serving.length,
    rows: () =>
      audit.serving.map((row) => [
        row.model === null ? { text: "not on record", id: row.deployment } : node(row.model),
        node(row.deployment),
        { text: row.traffic === null ? "not read" : percent(row.traffic), order: row.traffic ?? -1 },
        told(row.site),
        at(row.since),
        { text: row.verdict === null ? words(row.state) : verdictWords(row.verdict, audit.question.policy) },
      ]),
  };
  const data: Sheet = {
    title: "Data",
    caption: "Every dataset that was reached, and what for",
    columns: ["Dataset", "Role", "Identified by", "Digest", "How it was reached"],
    count: audit.datasets.length,
    rows: () => audit.datasets.map((row) => [node(row.ref), { text: words(row.role) }, { text: words(row.identified_by) }, told(row.digest), told(row.how)]),
  };
  const evidence: Sheet = {
    title: "Evidence",
    caption: "Every gate result about what was reached",
    columns: ["About", "Gate", "Status", "Expected", "Found", "Said by", "When", "Grade", "Proof"],
    count: audit.evidence.length,
    rows: () =>
      audit.evidence.map((row) => [
        { ...node(row.subject), key: row.id },
        told(row.gate),
        gate(row.status),
        told(row.expected),
        told(row.actual),
        told(row.evaluator),
        at(row.event_time),
        { text: words(row.grade) },
        told(row.pointer),
      ]),
  };
  const findings: Sheet = {
    title: "Findings",
    caption: "Gaps, contradictions and cautions",
    columns: ["About", "Severity", "Message"],
    count: audit.findings.length,
    rows: () =>
      audit.findings.map((row) => [
        row.ref === "" ? { text: "the whole" } : node(row.ref),
        { text: row.severity, order: severity[row.severity] ?? 3, ...sign(row.code) },
        told(row.message),
      ]),
  };
  const hops: Sheet = {
    title: "Hops",
    caption: "Every hop, from cause to effect",
    columns: ["Cause", "Link", "Effect", "Gate", "Why", "Basis", "When"],
    count: audit.hops.length,
    rows: () =>
      audit.hops.map((hop) => [
        { ...node(hop.cause), id: hop.id },
        { text: link(hop) },
        node(hop.effect),
        judged(model, hop) ? gate(hop.status) : { text: "not judged" },
        told(hop.requirements.map((item) => item.why).join("; ")),
        { text: words(hop.basis) },
        { text: when(hop) },
      ]),
  };
  const asked = audit.hops.flatMap((hop) => hop.requirements.filter((item) => item.required).map((item) => ({ hop, item })));
  const requirements: Sheet = {
    title: "Requirements",
    caption: "Everything that the policy asks for, and what came of it",
    columns: ["Requirement", "Hop", "Outcome", "Grade", "Why", "Needed"],
    count: asked.length,
    rows: () =>
      asked.map(({ hop, item }) => [
        { text: clean(item.title), id: hop.id, full: item.title },
        { text: between(model, hop), full: `${hop.effect} ${hop.predicate} ${hop.cause}` },
        { text: outcomeSaid(item, audit.question.policy), status: item.status, order: rank(item) },
        { text: words(item.grade ?? ""), order: GRADES.indexOf(item.grade ?? "") },
        told(item.why),
        told(item.needed ?? ""),
      ]),
  };
  const things: Sheet = {
    title: "Things",
    caption: "Everything that was reached",
    columns: ["Name", "Kind", "Lane", "Fact", "On record", "Read from"],
    count: audit.nodes.length,
    rows: () =>
      audit.nodes.map((row) => [
        node(row.ref),
        { text: words(row.kind) },
        { text: row.outside === true ? `${words(row.lane)} (beside the audit)` : words(row.lane) },
        told(row.fact),
        { text: row.resolved ? "yes" : "no" },
        row.source === null ? { text: "" } : told(`${row.source.system} ${row.source.position}`),
      ]),
  };
  // What nobody judged has nothing to say of service, roles and gaps.
  return audit.verdict === null ? [hops, evidence, things] : [serving, hops, requirements, data, evidence, findings, things];
}

function sign(code: string): Pick<Cell, "status"> {
  const status = findingMark(code);
  return status === undefined ? {} : { status };
}

export class Table {
  readonly element: HTMLElement;
  private readonly body = html("tbody", { role: "rowgroup" });
  private readonly more = html("button", { type: "button", class: "lx-button lx-more" });
  private readonly heads: HTMLTableCellElement[];
  private rows: Cell[][];
  private limit = PAGE;
  private sorted = -1;
  private down = false;
  private selected = "";

  constructor(
    private sheet: Sheet,
    private readonly select: (id: string) => void,
    private found: Found | null,
  ) {
    this.rows = sheet.rows();
    this.heads = sheet.columns.map((title, column) => {
      const sort = html("button", { type: "button" }, title);
      sort.addEventListener("click", () => this.sort(column));
      return html("th", { scope: "col", role: "columnheader" }, sort);
    });
    // The roles are the elements' own. They are said because narrow views lay rows out as blocks, and browsers then forget them.
    const head = html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...this.heads));
    const table = html("table", { role: "table" }, html("caption", {}, sheet.caption), head, this.body);
    this.more.addEventListener("click", () => {
      const first = this.limit;
      this.limit = Infinity;
      this.draw();
      this.body.children[first]?.querySelector("button")?.focus();
    });
    this.element = html(
      "div",
      { class: "lx-table" },
      html("div", { class: "lx-scroll", tabindex: 0, role: "region", "aria-label": sheet.caption }, table),
      this.more,
    );
    this.draw();
  }

  /** The same table of another audit, or with only the rows in which something is wanted; it stays sorted as it was. */
  change(sheet: Sheet, found: Found | null): void {
    this.found = found;
    if (sheet !== this.sheet) {
      this.sheet = sheet;
      this.order();
    }
    this.draw();
  }

  mark(selected: string): void {
    this.selected = selected;
    for (const row of this.body.querySelectorAll("tr")) this.markRow(row);
  }

  /** Goes to the row with a key; false where the search or the filters leave it out. */
  reach(key: string): boolean {
    const at = this.wanted().findIndex((row) => row[0]?.key === key);
    if (at >= this.limit) {
      this.limit = Infinity;
      this.draw();
    }
    this.body.children[at]?.querySelector("button")?.focus();
    return at >= 0;
  }

  /** What is shown, in its order, whole: the first row names the columns. */
  content(): string[][] {
    return [[...this.sheet.columns], ...this.wanted().map((row) => row.map((cell) => cell.full ?? cell.text))];
  }

  private wanted(): Cell[][] {
    const { found } = this;
    if (found === null) return this.rows;
    return this.rows.filter((row) => found.lit.has(row[0]?.id ?? "") || found.text(row.map((cell) => cell.full ?? cell.text).join(" ")));
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
    this.order();
    this.heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.draw();
  }

  private order(): void {
    this.rows = this.sheet.rows();
    const { sorted } = this;
    if (sorted < 0) return;
    const collator = new Intl.Collator(undefined, { numeric: true });
    const sign = this.down ? -1 : 1;
    this.rows.sort((a, b) => {
      const [x, y] = [a[sorted] as Cell, b[sorted] as Cell];
      return sign * (x.order !== undefined && y.order !== undefined ? x.order - y.order : collator.compare(x.text, y.text));
    });
  }

  private draw(): void {
    const rows = this.wanted();
    this.body.replaceChildren(...rows.slice(0, this.limit).map((row) => this.row(row)));
    if (rows.length === 0) {
      const none = this.found === null ? "None on record." : "Nothing here matches the search and the filters.";
      this.body.append(html("tr", { role: "row" }, html("td", { role: "cell", colspan: this.sheet.columns.length, class: "lx-quiet" }, none)));
    }
    this.more.hidden = rows.length <= this.limit;
    this.more.textContent = `Show all ${rows.length} rows`;
  }

  private row(cells: Cell[]): HTMLTableRowElement {
    const id = cells[0]?.id ?? "";
    const row = html("tr", { role: "row", "data-id": id });
    cells.forEach((cell, i) => {
      const inner: (Node | string)[] = [];
      if (cell.status !== undefined) inner.push(inlineMark(statusOf(cell.status)), " ");
      if (cell.id !== undefined && cell.id !== "") {
        const go = html("button", { type: "button", class: "lx-link", title: clean(cell.full ?? cell.id) }, cell.text);
        go.addEventListener("click", () => this.select(cell.id as string));
        inner.push(go);
      } else inner.push(cell.text);
      const gate = cell.status === undefined ? null : "lx-gate";
      row.append(i === 0 ? html("th", { scope: "row", role: "rowheader" }, ...inner) : html("td", { role: "cell", class: gate, "data-label": this.sheet.columns[i] ?? "" }, ...inner));
    });
    this.markRow(row);
    return row;
  }
}
