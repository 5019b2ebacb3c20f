/** The versions of a name through time: one timeline, and the same as charts, tables and a tree. */

import { html } from "../view/dom.js";
import { Table, type Sheet } from "../view/tables.js";
import { Tabs } from "../view/tabs.js";
import { fileName } from "../view/saving.js";
import { clean, instant, percent, shortEndpoint, shortName } from "../view/text.js";
import type { Around, Shown } from "./around.js";
import { Board } from "./board.js";
import type { History, ServedRow } from "./documents.js";
import { Family } from "./family.js";
import { Filters, keep, type Kept } from "./filters.js";
import { describe } from "./lanes.js";
import { Metrics } from "./metrics.js";
import { count, lead, grouped, Page, press } from "./page.js";
import { approver, during, having, sentence, Story, type Life } from "./story.js";
import { nodeDetails, spanDetails, versionDetails, type Deeds } from "./version.js";
import { eventSheet, found, servingSheet, versionSheet } from "./versions.js";

/** So many that serve now are named; the table has them all. */
const NAMED = 3;

export function mountHistory(element: HTMLElement, content: History, around: Around): Shown {
  return new HistoryView(element, content, around);
}

class HistoryView implements Shown {
  readonly title: string;
  private readonly page: Page;
  private readonly story: Story;
  private readonly filters: Filters;
  private readonly board: Board;
  private readonly metrics: Metrics;
  private readonly family: Family;
  private readonly tabs: Tabs;
  private readonly panel = html("section", { class: "lx-details", "aria-label": "What is selected", hidden: true });
  /** Tables by their place; each is made when it is looked at. */
  private readonly tables = new Map<string, { table: Table; element: HTMLElement; columns: string }>();
  private readonly stale = new Set(["Metrics", "Family"]);
  private kept: Kept;
  private selected = "";
  /** What had the focus when something was selected. */
  private from: HTMLElement | null = null;
  private readonly deeds: Deeds;

  constructor(
    element: HTMLElement,
    private readonly content: History,
    around: Around,
  ) {
    const { ref } = content.question;
    this.title = `History of ${shortName(ref)}`;
    this.page = new Page(element, "lx-history", this.title);
    const { id } = this.page;
    this.story = new Story(content);
    this.deeds = { around, select: (to) => this.select(to), copy: (text, what) => this.page.copy(text, what) };
    this.filters = new Filters(this.story, (typed) => this.refilter(typed));
    this.kept = keep(this.story, this.filters.wanted);
    this.board = new Board(id, this.story, { select: (to) => this.select(to), say: (text, quiet) => this.page.live.say(text, quiet) });
    this.metrics = new Metrics(id, this.story, (to) => this.select(to), () => this.tabs.count(this.counts()));
    this.family = new Family(this.story, (to) => this.select(to));
    const panels: { [title: string]: () => HTMLElement } = {
      Timeline: () => this.board.element,
      Metrics: () => this.current("Metrics", this.metrics),
      Versions: () => this.table("Versions", versionSheet(this.story, this.kept, [...this.metrics.chosen])),
      Events: () => this.table("Events", eventSheet(this.story, this.kept)),
      Serving: () => this.table("Serving", servingSheet(this.story, this.kept)),
      Family: () => this.current("Family", this.family),
    };
    this.tabs = new Tabs(id, "The history as", Object.entries(panels).map(([title, fill]) => ({ title, count: "", fill })), 0);
    this.tabs.count(this.counts());
    this.tabs.element.addEventListener("click", () => this.resized());
    this.page.put(this.heading(), this.filters.element, html("div", { class: "lx-body lx-historybody" }, this.tabs.element, this.panel));
    this.page.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.selected === "" || event.defaultPrevented) return;
      event.stopPropagation();
      this.select("");
    });
    // Measured while there is little in the page, and drawn once.
    this.resized();
    this.board.show(this.kept);
  }

  destroy(): void {
    this.board.destroy();
    this.metrics.destroy();
    this.page.destroy();
  }

  /** Drawings know their size once they are in the page. */
  private resized(): void {
    this.board.resize();
    this.metrics.resize();
  }

  private heading(): HTMLElement {
    const { content, story } = this;
    const { question, versions, lanes, complete } = content;
    const endpoints = new Set(lanes.map((lane) => lane.endpoint)).size;
    const serving = this.serving();
    const counts = [count(versions.length, "version"), count(endpoints, "endpoint"), `${grouped(new Set(serving.map(({ life }) => life)).size)} serving`];
    const more = serving.length > NAMED ? [`; and ${serving.length - NAMED} more, in the table “Serving”`] : [];
    const parts = serving.slice(0, NAMED).flatMap(({ life, where }, i) => [i === 0 ? "" : "; ", lead(life.label, life.row.ref, () => this.select(life.row.ref)), ` ${where}, ${approver(life.row)}`]);
    const end = instant(question.as_of);
    const none = versions.length === 0 ? "No version is on record." : `None of its versions serves as of ${end}, as far as the records say.`;
    const read = complete ? "The registry was read completely." : "The registry was not read completely: there may be versions that are not here.";
    return html(
      "header",
      { class: "lx-head" },
      html("div", { class: "lx-title" }, html("h2", {}, clean(shortName(question.ref))), html("p", { class: "lx-quiet" }, [`as of ${end}`, `known at ${instant(question.known_at)}`].join(" · "))),
      html("p", { class: "lx-answer lx-nowserving" }, ...(parts.length === 0 ? [none] : ["Serving: ", ...parts, ...more, "."])),
      html("p", { class: complete ? "lx-quiet" : "lx-warning" }, `${counts.join(" · ")}. ${read}${story.whole === null && versions.length > 0 ? " No time is on record." : ""}`),
    );
  }

  /** Who serves at the instant asked about, the newest first, and where: sites of one endpoint together. */
  private serving(): { life: Life; where: string }[] {
    const { story } = this;
    return [...story.lives].reverse().flatMap((life) => {
      const places = new Map<string, ServedRow[]>();
      for (const row of during(life.row.serving, story.end)) if (having(row) === "serves") places.set(row.endpoint, [...(places.get(row.endpoint) ?? []), row]);
      return [...places].map(([endpoint, rows]) => {
        const shares = [...new Set(rows.map((row) => percent(row.traffic)))].filter((text) => text !== "");
        const sites = [...new Set(rows.map((row) => row.site))].filter((site) => site !== "").map(clean);
        const site = sites.length === 0 ? "" : sites.length > NAMED ? ` at ${sites.length} sites` : ` at ${sites.join(", ")}`;
        return { life, where: `${shares.length === 0 ? "" : `${shares.join(" and ")} of `}${shortEndpoint(endpoint)}${site}` };
      });
    });
  }

  // --- what is shown ---

  private counts(): string[] {
    const { kept, story } = this;
    return ["", String(this.metrics.chosen.size || ""), String(kept.lives.length), String(kept.events.length), String(servingSheet(story, kept).count), String(this.family.count || "")];
  }

  private refilter(typed: boolean): void {
    this.kept = keep(this.story, this.filters.wanted);
    this.stale.add("Metrics").add("Family");
    this.board.show(this.kept);
    this.tabs.count(this.counts());
    this.tabs.refresh();
    this.page.live.say(this.filters.show(this.kept, this.story.lives.length), typed ? 500 : 60);
  }

  /** A chart or a tree, with what the filters leave. */
  private current(name: string, part: Metrics | Family): HTMLElement {
    if (this.stale.delete(name)) {
      part.show(this.kept);
      part.mark(this.selected);
    }
    return part.element;
  }

  private table(name: string, sheet: Sheet): HTMLElement {
    const columns = sheet.columns.join("\n");
    const known = this.tables.get(name);
    if (known !== undefined && known.columns === columns) {
      known.table.change(sheet, found(this.kept));
      known.table.mark(this.selected);
      return known.element;
    }
    const table = new Table(sheet, (id) => this.select(id), found(this.kept));
    const file = fileName(this.content.question.ref, `${name.toLowerCase()}.csv`);
    const element = html("div", {}, html("div", { class: "lx-savebar" }, press("Save as CSV", () => this.page.save(file, table.content()))), table.element);
    table.mark(this.selected);
    this.tables.set(name, { table, element, columns });
    return element;
  }

  // --- what is selected ---

  private select(id: string): void {
    const before = this.selected;
    const life = this.story.byRef.get(id);
    const span = this.story.span(id);
    const shown = life !== undefined ? versionDetails(this.story, life, this.deeds) : span !== undefined ? spanDetails(this.story, span, this.deeds) : nodeDetails(this.story, id, this.deeds);
    this.selected = shown.length === 0 ? "" : id;
    const holder = document.activeElement;
    const inside = this.panel.contains(holder);
    if (!inside && holder instanceof HTMLElement && this.page.root.contains(holder)) this.from = holder;
    const close = press("✕", () => this.select(""), { class: "lx-button lx-close", "aria-label": "Close the details" });
    this.panel.replaceChildren(...(shown.length === 0 ? [] : [close, ...shown]));
    this.panel.hidden = shown.length === 0;
    this.panel.scrollTop = 0;
    this.board.mark(this.selected);
    this.metrics.mark(this.selected);
    this.family.mark(this.selected);
    for (const { table } of this.tables.values()) table.mark(this.selected);
    if (inside) (shown.length === 0 ? this.from : this.panel.querySelector<HTMLElement>("h3"))?.focus();
    this.resized();
    if (shown.length > 0) this.page.live.say(`Selected: ${life !== undefined ? sentence(this.story, life) : span !== undefined ? describe(span) : shortName(id)}`);
    else if (before !== "") this.page.live.say("Nothing is selected");
  }
}
