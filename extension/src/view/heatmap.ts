/** Endpoints by gates: which requirement holds where. A grid of which only what is in sight is in the page. */

import { problem } from "./asking.js";
import type { Verdict } from "./audit.js";
import { chosen, countCells, gateCell, kind, number, signs, verdictCell } from "./cells.js";
import { copyText } from "./clipboard.js";
import { html, keepPlainKeys, shield } from "./dom.js";
import { cell, having, ordered, type Estate, type EstateRow, type Key } from "./estate.js";
import { Live } from "./live.js";
import { inlineMark, statusOf } from "./marks.js";
import { csv, download } from "./saving.js";
import { brief, clean, instant, shortEndpoint } from "./text.js";
import { EVIDENCE_ONLY, policyWords, VERDICTS, verdictStatus, verdictWords } from "./wording.js";

export interface EstateHooks {
  /** The reader chose an endpoint; empty when none is chosen any more. */
  open(ref: string): void;
}

export interface MountedEstate {
  /** From the host, which is not told of it; a reference that is not there selects nothing. */
  select(ref: string): void;
  /** Another answer to the same question. */
  estate(estate: Estate): void;
  destroy(): void;
}

/** Pixels of a row: what a finger can hit. */
const ROW = 32;
/** Rows made beyond the window, so that scrolling finds them there. */
const BEYOND = 12;
/** Pixels of a gate's column where words have room, and where only the shapes have. */
const ROOMY = 92;
const NARROW = 46;
/** Pixels of a name's column and of the first finding's. */
const NAME = 210;
const FINDING = 260;
/** The two rows above the endpoints: titles and counts. */
const TITLES = -2;
const COUNTS = -1;

export function mountEstate(element: HTMLElement, estate: Estate, hooks: Partial<EstateHooks> = {}): MountedEstate {
  return new HeatMap(element, estate, hooks);
}

class HeatMap implements MountedEstate {
  private readonly root = html("section", { class: "lx-root lx-estate" });
  private readonly head = html("header", { class: "lx-head" });
  private readonly search = html("input", { type: "search", class: "lx-search", placeholder: "Search endpoints…", "aria-label": "Search endpoints and findings" });
  private readonly verdicts = html("span", { class: "lx-verdicts", role: "group", "aria-label": "Only with this verdict" });
  private readonly said = html("span", { class: "lx-found" });
  private readonly scroller = html("div", { class: "lx-heat" });
  private readonly grid = html("div", { class: "lx-heatgrid", role: "grid", "aria-readonly": "true" });
  private readonly titles = html("div", { role: "row", class: "lx-heatrow lx-heattitles", "aria-rowindex": 1 });
  private readonly counts = html("div", { role: "row", class: "lx-heatrow lx-heatcounts", "aria-rowindex": 2 });
  private readonly body = html("div", { role: "rowgroup", class: "lx-heatbody" });
  private readonly none = html("p", { class: "lx-quiet lx-heatnone", hidden: true });
  /** The cell that is pointed at or has the focus, in words. It is heard already. */
  private readonly here = html("p", { class: "lx-quiet lx-heathere", "aria-hidden": "true" }, "\u00A0");
  private readonly panel = html("div", { class: "lx-chosen", role: "group", "aria-label": "The selected endpoint", hidden: true });
  private readonly live = new Live();
  private readonly watch: ResizeObserver;
  private readonly unshield = shield(this.root);

  private rows: readonly EstateRow[] = [];
  private readonly made = new Map<number, HTMLElement>();
  private templates = new Map<string, HTMLElement>();
  private key: Key = "verdict";
  private first = true;
  private readonly wanted = new Set<Verdict>();
  private selected = "";
  private active = { row: 0, column: 0 };
  private painting = 0;

  constructor(
    element: HTMLElement,
    private base: Estate,
    private readonly hooks: Partial<EstateHooks>,
  ) {
    const save = html("button", { type: "button", class: "lx-button" }, "Save as CSV");
    save.addEventListener("click", () => this.save());
    this.grid.append(html("div", { role: "rowgroup", class: "lx-heathead" }, this.titles, this.counts), this.body);
    this.scroller.append(this.grid);
    this.root.append(
      this.head,
      html("div", { class: "lx-bar" }, this.search, this.verdicts, this.said, html("span", { class: "lx-ends-bar" }, save)),
      this.scroller,
      this.none,
      this.here,
      signs(),
      this.panel,
      this.live.element,
      this.live.notice,
    );
    this.search.addEventListener("input", () => this.refresh(true));
    keepPlainKeys(this.search);
    this.scroller.addEventListener("scroll", () => this.later(), { passive: true });
    this.grid.addEventListener("keydown", (event) => this.keys(event));
    this.grid.addEventListener("click", (event) => this.click(event));
    this.grid.addEventListener("pointerover", (event) => this.tell(event.target));
    this.grid.addEventListener("focusin", (event) => this.arrived(event));
    this.watch = new ResizeObserver(() => this.fit());
    this.estate(base);
    element.replaceChildren(this.root);
    this.watch.observe(this.scroller);
    this.fit();
  }

  estate(estate: Estate): void {
    this.base = estate;
    const { question, gates, endpoints, digest } = estate;
    const { policy } = question;
    this.templates = new Map();
    this.root.setAttribute("aria-label", `Policy results of ${number(endpoints.length, "endpoint")}: ${clean(policy.name)}`);
    const when = [`as of ${instant(question.as_of)}`, `known at ${instant(question.known_at)}`, policyWords(policy), ...(policy.form === "questions" ? [EVIDENCE_ONLY] : [])];
    this.head.replaceChildren(
      html("div", { class: "lx-title" }, html("h2", {}, `${number(endpoints.length, "endpoint")}, ${number(gates.length, "requirement")}`), html("p", { class: "lx-quiet" }, when.join(" · "))),
      ...(digest === "" ? [] : [html("p", { class: "lx-quiet" }, html("code", {}, clean(digest)))]),
    );
    this.grid.setAttribute("aria-label", "Endpoints by requirements");
    this.grid.setAttribute("aria-colcount", String(gates.length + 3));
    this.titles.replaceChildren(...["Endpoint", "Verdict", ...gates.map((gate) => gate.title), "First finding"].map((title, column) => this.title(title, column)));
    if (typeof this.key === "number" && this.key >= gates.length) this.key = "verdict";
    this.refresh(false);
    this.select(this.selected);
  }

  select(ref: string): void {
    const row = this.base.endpoints.find((item) => item.ref === ref);
    this.selected = row?.ref ?? "";
    for (const [at, made] of this.made) this.markRow(made, at);
    this.panel.hidden = row === undefined;
    this.panel.replaceChildren(...(row === undefined ? [] : chosen(this.base, row, (text) => this.copy(text))));
  }

  destroy(): void {
    this.watch.disconnect();
    this.unshield();
    cancelAnimationFrame(this.painting);
    this.live.destroy();
    this.root.remove();
  }

  // --- what is shown, and in what order ---

  private keyOf(column: number): Key {
    const { length } = this.base.gates;
    return column === 0 ? "ref" : column === 1 ? "verdict" : column < length + 2 ? column - 2 : "finding";
  }

  private sort(column: number): void {
    const key = this.keyOf(column);
    this.first = this.key === key ? !this.first : true;
    this.key = key;
    this.refresh(false);
    const how = key === "ref" || key === "finding" ? (this.first ? "A first" : "Z first") : this.first ? "worst first" : "best first";
    this.live.say(`Sorted by ${this.titles.children[column]?.textContent ?? ""}, ${how}`);
  }

  /** What is wanted, in its order; `typed` when the reader is waiting to hear how much that is. */
  private refresh(typed: boolean): void {
    const { base, wanted } = this;
    const found = having(base.endpoints, this.search.value);
    const here = this.rows[this.active.row]?.ref;
    const shown = found.filter((row) => wanted.size === 0 || wanted.has(row.verdict));
    this.rows = ordered(base, shown, this.key, this.first);
    this.verdicts.replaceChildren(...VERDICTS.map((value) => this.verdictButton(value, found.filter((row) => row.verdict === value).length)));
    const all = this.rows.length === base.endpoints.length;
    this.said.textContent = all ? "" : `${this.rows.length} of ${number(base.endpoints.length, "endpoint")}`;
    if (typed) this.live.say(`${this.rows.length} of ${number(base.endpoints.length, "endpoint")}`, 500);
    this.grid.setAttribute("aria-rowcount", String(this.rows.length + 2));
    this.counts.replaceChildren(...countCells(base, this.rows));
    [...this.titles.children].forEach((title, column) => {
      if (this.keyOf(column) !== this.key) title.removeAttribute("aria-sort");
      else title.setAttribute("aria-sort", (this.key === "ref" || this.key === "finding") === this.first ? "ascending" : "descending");
    });
    this.none.hidden = this.rows.length > 0;
    this.none.textContent = base.endpoints.length === 0 ? "No endpoint is on record." : "No endpoint matches the search and the verdict.";
    this.body.style.height = `${this.rows.length * ROW}px`;
    for (const row of this.made.values()) row.remove();
    this.made.clear();
    if (this.active.row >= 0) {
      this.active.row = Math.max(0, this.rows.findIndex((row) => row.ref === here));
      if (this.rows.length === 0) this.active.row = TITLES;
      this.scroller.scrollTop = 0;
    }
    this.paint();
    this.rove();
  }

  private verdictButton(value: Verdict, many: number): HTMLElement {
    const on = this.wanted.has(value);
    const status = verdictStatus(value);
    const button = html("button", { type: "button", class: "lx-button", "aria-pressed": String(on), "data-verdict": value }, inlineMark(status), `${verdictWords(value, this.base.question.policy)} `, html("span", { class: "lx-number" }, many.toLocaleString("en")));
    button.addEventListener("click", () => {
      if (!this.wanted.delete(value)) this.wanted.add(value);
      this.refresh(true);
      this.verdicts.querySelector<HTMLElement>(`[data-verdict="${value}"]`)?.focus();
    });
    return button;
  }

  // --- the rows above ---

  private title(text: string, column: number): HTMLElement {
    const sort = html("button", { type: "button", tabindex: -1 }, html("span", {}, clean(text)));
    sort.title = clean(text);
    sort.addEventListener("click", () => this.sort(column));
    return html("div", { role: "columnheader", "aria-colindex": column + 1, class: kind(this.base, column) }, sort);
  }

  // --- the rows of endpoints ---

  private row(at: number): HTMLElement {
    const row = this.rows[at] as EstateRow;
    const made = html("div", { role: "row", class: "lx-heatrow", "aria-rowindex": at + 3, "data-at": at });
    made.style.top = `${at * ROW}px`;
    const name = html("div", { role: "rowheader", tabindex: -1, class: "lx-heatname", "aria-colindex": 1 }, shortEndpoint(row.ref));
    const judged = this.template(`v${row.verdict}`, () => verdictCell(row, this.base));
    const cells = this.base.gates.map((gate, i) => {
      const status = cell(row, gate.id);
      const one = this.template(status, () => gateCell(status === "" ? "" : statusOf(status)));
      one.setAttribute("aria-colindex", String(i + 3));
      return one;
    });
    const finding = html("div", { role: "gridcell", tabindex: -1, class: "lx-heatfinding", "aria-colindex": cells.length + 3 }, brief(row.finding));
    made.append(name, judged, ...cells, finding);
    this.markRow(made, at);
    return made;
  }

  /** Cells of one status are alike, and copied from one. */
  private template(of: string, make: () => HTMLElement): HTMLElement {
    let one = this.templates.get(of);
    if (one === undefined) this.templates.set(of, (one = make()));
    return one.cloneNode(true) as HTMLElement;
  }

  private markRow(made: HTMLElement, at: number): void {
    const mine = this.selected !== "" && this.rows[at]?.ref === this.selected;
    made.setAttribute("aria-selected", String(mine));
  }

  private later(): void {
    cancelAnimationFrame(this.painting);
    this.painting = requestAnimationFrame(() => this.paint());
  }

  /** Makes the rows in sight. The one that has the focus stays, or the focus would be lost. */
  private paint(): void {
    const { scrollTop, clientHeight } = this.scroller;
    const from = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const to = Math.min(this.rows.length, Math.ceil((scrollTop + (clientHeight || 600)) / ROW) + BEYOND);
    for (const [at, made] of this.made)
      if ((at < from || at >= to) && at !== this.active.row) {
        made.remove();
        this.made.delete(at);
      }
    const needed = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
    if (this.active.row >= 0 && this.active.row < this.rows.length) needed.push(this.active.row);
    for (const at of needed) {
      if (this.made.has(at)) continue;
      const made = this.row(at);
      this.made.set(at, made);
      // In the order of the rows: screen readers read in it.
      const next = [...this.made.keys()].filter((other) => other > at).reduce((a, b) => Math.min(a, b), Infinity);
      this.body.insertBefore(made, this.made.get(next) ?? null);
      if (at === this.active.row) this.rove();
    }
  }

  /** Words where there is room for them, and shapes alone where there is not. */
  private fit(): void {
    const width = this.scroller.clientWidth || 1200;
    const { length } = this.base.gates;
    const slim = width < 620;
    const name = slim ? Math.round(width * 0.36) : NAME;
    const judged = slim ? 88 : this.base.question.policy.form === "questions" ? 156 : 128;
    const left = width - name - judged;
    const roomy = length > 0 && left / length >= ROOMY;
    const gate = roomy ? Math.min(130, Math.floor(left / length)) : NARROW;
    this.root.classList.toggle("lx-tight", !roomy);
    this.root.classList.toggle("lx-slim", slim);
    this.grid.style.setProperty("--lx-cols", `${name}px ${judged}px repeat(${length}, ${gate}px) minmax(${FINDING}px, 1fr)`);
    this.grid.style.minWidth = `${name + judged + length * gate + FINDING}px`;
    this.paint();
  }

  // --- keys ---

  private at(row: number, column: number): HTMLElement | null {
    const line = row === TITLES ? this.titles : row === COUNTS ? this.counts : this.made.get(row);
    const found = line?.children[column];
    if (!(found instanceof HTMLElement)) return null;
    return row === TITLES ? found.querySelector("button") : found;
  }

  /** One cell of the grid is reached by Tab. */
  private rove(): void {
    for (const other of this.grid.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    const { row, column } = this.active;
    const here = this.at(row, column);
    if (here !== null) here.tabIndex = 0;
    [...this.titles.children].forEach((title, i) => title.classList.toggle("lx-here", i === column));
  }

  private go(row: number, column: number): void {
    this.active = {
      row: Math.max(TITLES, Math.min(this.rows.length - 1, row)),
      column: Math.max(0, Math.min(this.base.gates.length + 2, column)),
    };
    if (this.active.row >= 0) this.show(this.active.row);
    this.paint();
    this.rove();
    this.at(this.active.row, this.active.column)?.focus();
  }

  /** Scrolls so that a row stands below the head. */
  private show(row: number): void {
    const { scroller } = this;
    const head = this.titles.offsetHeight + this.counts.offsetHeight;
    const room = (scroller.clientHeight || 600) - head;
    const top = row * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW > scroller.scrollTop + room) scroller.scrollTop = top + ROW - room;
  }

  private arrived(event: FocusEvent): void {
    const place = this.place(event.target);
    this.tell(event.target);
    if (place === null || (place.row === this.active.row && place.column === this.active.column)) return;
    this.active = place;
    this.rove();
  }

  private place(target: EventTarget | null): { row: number; column: number } | null {
    if (!(target instanceof Element)) return null;
    const line = target.closest<HTMLElement>('[role="row"]');
    const one = target.closest('[role="gridcell"], [role="rowheader"], [role="columnheader"]');
    if (line === null || one === null) return null;
    const row = line === this.titles ? TITLES : line === this.counts ? COUNTS : Number(line.dataset["at"]);
    return { row, column: [...line.children].indexOf(one) };
  }

  private keys(event: KeyboardEvent): void {
    if (event.altKey || event.metaKey) return;
    const { row, column } = this.active;
    const page = Math.max(1, Math.floor((this.scroller.clientHeight || 600) / ROW) - 6);
    const last = this.rows.length - 1;
    const step: { [key: string]: () => void } = {
      ArrowUp: () => this.go(row - 1, column),
      ArrowDown: () => this.go(row + 1, column),
      ArrowLeft: () => this.go(row, column - 1),
      ArrowRight: () => this.go(row, column + 1),
      PageUp: () => this.go(Math.max(Math.min(0, row), row - page), column),
      PageDown: () => this.go(row + page, column),
      Home: () => this.go(event.ctrlKey ? 0 : row, 0),
      End: () => this.go(event.ctrlKey ? last : row, Infinity),
      ...(row >= 0 ? { Enter: () => this.choose(row), " ": () => this.choose(row) } : {}),
      ...(this.selected === "" ? {} : { Escape: () => this.choose(-1) }),
    };
    const act = event.ctrlKey && !/^(?:Home|End)$/u.test(event.key) ? undefined : step[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** Says in words what is pointed at or has the focus: shapes alone stand in narrow columns. */
  private tell(target: EventTarget | null): void {
    const place = this.place(target);
    const row = this.rows[place?.row ?? -1];
    const one = place === null ? null : this.at(place.row, place.column);
    if (place === null || one === null) return;
    const gate = this.base.gates[place.column - 2];
    const said = gate === undefined ? one.textContent : `${clean(gate.title)}: ${one.textContent ?? ""}`;
    const told = row === undefined ? one.title : place.column === 0 ? clean(row.ref) : `${clean(row.ref)} · ${said ?? ""}`;
    this.here.textContent = told || "\u00A0";
    if (row !== undefined) one.title = told;
  }

  private click(event: MouseEvent): void {
    const place = this.place(event.target);
    if (place === null || place.row < 0) return;
    this.go(place.row, place.column);
    this.choose(place.row);
  }

  // --- the endpoint that was chosen ---

  private choose(at: number): void {
    const row = this.rows[at];
    this.select(row?.ref ?? "");
    this.hooks.open?.(this.selected);
    this.live.say(row === undefined ? "Nothing is selected" : `Selected: ${shortEndpoint(row.ref)}, ${verdictWords(row.verdict, this.base.question.policy)}. ${brief(row.finding)}`);
  }

  private copy(text: string): void {
    copyText(text, this.root).then(
      () => this.live.tell("Copied the reference"),
      (error: unknown) => this.live.tell(`Not copied: ${problem(error)}`, true),
    );
  }

  /** What is shown, in its order, with the columns that Python gives it. */
  private save(): void {
    const { gates, question } = this.base;
    const head = ["ref", "verdict", "holds", "fails", "undetermined", "finding", ...gates.map((gate) => gate.id)];
    const lines = this.rows.map((row) => [row.ref, verdictWords(row.verdict, question.policy), ...[row.holds, row.fails, row.undetermined].map(String), row.finding, ...gates.map((gate) => cell(row, gate.id))]);
    download("endpoints.csv", new Blob([csv([head, ...lines])], { type: "text/csv;charset=utf-8" }), this.root);
    this.live.tell(`Saved endpoints.csv: ${number(lines.length, "row")}, as they are filtered`);
  }
}
