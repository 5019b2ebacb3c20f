/** The view of one audit: verdict and sentence, drawing, details, tables. It decides nothing about lineage. */

import type { Audit, Verdict } from "./audit.js";
import { details, copyText } from "./details.js";
import { html, svg } from "./dom.js";
import { Drawing } from "./drawing.js";
import { inlineMark, MARKS } from "./marks.js";
import { index, name, related, type Model } from "./model.js";
import { sheets, Table } from "./tables.js";
import { brief, clean, instant, percent } from "./text.js";
import type { Status } from "./audit.js";

/** How a view talks to whoever holds the records. The report has none: all it shows is in it. */
export interface Transport {
  /** The selection changed here. */
  selected(id: string): void;
}

export interface Mounted {
  select(id: string): void;
  destroy(): void;
}

let mounted = 0;

export function mountAudit(element: HTMLElement, audit: Audit, transport: Transport | null = null): Mounted {
  return new View(element, audit, transport);
}

class View implements Mounted {
  private readonly model: Model;
  private readonly drawing: Drawing;
  private readonly root: HTMLElement;
  private readonly panel: HTMLElement;
  private readonly search: HTMLInputElement;
  private readonly found = html("span", { class: "lx-found", role: "status" });
  private readonly tables: Table[];
  private selected = "";
  private hits: string[] | null = null;
  private hit = -1;
  private readonly watch: ResizeObserver;

  constructor(
    element: HTMLElement,
    audit: Audit,
    private readonly transport: Transport | null,
  ) {
    const id = `lx${++mounted}`;
    this.model = index(audit);
    this.drawing = new Drawing(this.model, {
      select: (chosen) => this.choose(chosen),
      search: () => this.search.focus(),
    });
    this.search = html("input", {
      type: "search",
      class: "lx-search",
      placeholder: "Search names, digests, tags…",
      "aria-label": "Search in this trace",
    });
    this.panel = html("aside", { class: "lx-details", "aria-label": "Details of the selection", hidden: true });
    const all = sheets(this.model);
    this.tables = all.map((sheet) => new Table(sheet, (chosen) => this.choose(chosen)));
    const stage = html("div", { class: "lx-stage" }, this.drawing.element);
    this.root = html(
      "section",
      { class: "lx-root", "aria-label": `Lineage of ${clean(audit.question.endpoint)}` },
      this.head(),
      this.bar(),
      html("div", { class: "lx-body" }, html("div", { class: "lx-picture" }, stage, legend()), this.panel),
      this.tabs(id, all.map((sheet) => [sheet.title, sheet.rows.length])),
    );
    this.listen();
    this.watch = new ResizeObserver(() => {
      if (stage.clientWidth > 0) stage.style.setProperty("--lx-height", `${this.drawing.suits(stage.clientWidth)}px`);
    });
    this.watch.observe(stage);
    element.replaceChildren(this.root);
  }

  destroy(): void {
    this.watch.disconnect();
    this.drawing.destroy();
    this.root.remove();
  }

  /** Shows a selection that came from outside; a reference that is not here selects nothing. */
  select(id: string): void {
    if (id !== this.selected) this.show(id);
  }

  private choose(id: string): void {
    this.show(id);
    this.transport?.selected(this.selected);
  }

  private show(id: string): void {
    const known = this.model.nodes.has(id) || this.model.hops.has(id);
    this.selected = known ? id : "";
    this.panel.hidden = !known;
    if (known) {
      const close = html("button", { type: "button", class: "lx-close", "aria-label": "Close the details" }, "✕");
      close.addEventListener("click", () => {
        const back = this.selected;
        this.choose("");
        this.drawing.focus(back);
      });
      this.panel.replaceChildren(close, ...details(this.model, id, (chosen) => this.choose(chosen)));
      this.panel.scrollTop = 0;
    } else this.panel.replaceChildren();
    this.lit();
    if (known) this.drawing.reveal(id);
    for (const table of this.tables) table.mark(this.selected);
  }

  private lit(): void {
    const hits = this.hits;
    if (hits !== null) this.drawing.show(this.selected, new Set(hits));
    else this.drawing.show(this.selected, this.selected === "" ? null : related(this.model, this.selected));
  }

  private head(): HTMLElement {
    const { audit } = this.model;
    const { question } = audit;
    const copy = html("button", { type: "button", class: "lx-button" }, "Copy the answer");
    copy.addEventListener("click", () => {
      copyText(`${audit.verdict}: ${audit.answer} (${audit.digest})`).then(
        () => (copy.textContent = "Copied"),
        () => (copy.textContent = "Could not copy: select the text"),
      );
    });
    return html(
      "header",
      { class: "lx-head" },
      html(
        "div",
        { class: "lx-title" },
        verdict(audit.verdict),
        html("h2", {}, clean(question.endpoint)),
        html(
          "p",
          { class: "lx-quiet" },
          `as of ${instant(question.as_of)} · known at ${instant(question.known_at)} · policy ${clean(question.policy.name)} ${clean(question.policy.version)}`,
        ),
      ),
      this.shares(),
      html("p", { class: "lx-answer" }, clean(audit.answer)),
      html("p", { class: "lx-quiet lx-sealed" }, html("code", {}, clean(audit.digest)), " ", copy),
    );
  }

  /** Who serves, as bars. */
  private shares(): HTMLElement {
    const { serving } = this.model.audit;
    const most = 8;
    const list = html("ul", { class: "lx-shares", "aria-label": "Who serves" });
    for (const row of serving.slice(0, most)) {
      const go = html("button", { type: "button", class: "lx-link" }, row.model === null ? "no model on record" : name(this.model, row.model));
      go.addEventListener("click", () => this.choose(row.model ?? row.deployment));
      const bar = svg(
        "svg",
        { class: "lx-share", viewBox: "0 0 100 8", width: 100, height: 8, preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { class: "lx-rail", width: 100, height: 8, rx: 4 }),
        svg("rect", { class: "lx-bar-fill", width: Math.max(0, Math.min(100, row.traffic ?? (row.state === "serving" ? 100 : 0))), height: 8, rx: 4 }),
      );
      const where = row.site !== "" ? clean(row.site) : deployment(row.deployment);
      const share = row.traffic !== null ? percent(row.traffic) : row.state === "serving" ? "all" : row.mirrored ? "mirrored" : row.state.replaceAll("_", " ");
      list.append(html("li", {}, go, html("span", { class: "lx-quiet" }, where), bar, html("span", { class: "lx-number" }, share), row.verdict === null ? html("span", { class: "lx-quiet" }, row.state.replaceAll("_", " ")) : verdict(row.verdict)));
    }
    if (serving.length > most) list.append(html("li", { class: "lx-quiet" }, `and ${serving.length - most} more deployments, in the table “Serving”`));
    if (serving.length === 0) list.append(html("li", { class: "lx-quiet" }, "Nobody serves it, as far as the records say."));
    return list;
  }

  private bar(): HTMLElement {
    const act = (label: string, sign: string, run: () => void): HTMLElement => {
      const button = html("button", { type: "button", class: "lx-button", "aria-label": label, title: label }, sign);
      button.addEventListener("click", run);
      return button;
    };
    return html(
      "div",
      { class: "lx-bar", role: "toolbar", "aria-label": "Drawing" },
      this.search,
      this.found,
      html("span", { class: "lx-space" }),
      html(
        "span",
        { class: "lx-zoom" },
        act("− Zoom out", "−", () => this.drawing.zoom(0.8)),
        act("+ Zoom in", "+", () => this.drawing.zoom(1.25)),
        act("Fit: show all of the drawing", "Fit", () => this.drawing.fit()),
      ),
    );
  }

  private listen(): void {
    this.search.addEventListener("input", () => this.find());
    this.search.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && this.hits !== null && this.hits.length > 0) {
        event.preventDefault();
        this.hit = (this.hit + (event.shiftKey ? -1 + this.hits.length : 1)) % this.hits.length;
        this.choose(this.hits[this.hit] as string);
        this.found.textContent = `${this.hit + 1} of ${this.hits.length}`;
      } else if (event.key === "Escape") {
        this.search.value = "";
        this.find();
        this.drawing.focus();
      }
    });
  }

  private find(): void {
    const wanted = this.search.value.trim().toLowerCase().split(/\s+/u).filter((word) => word !== "");
    this.hit = -1;
    if (wanted.length === 0) {
      this.hits = null;
      this.found.textContent = "";
      for (const table of this.tables) table.filter(null);
    } else {
      const has = (text: string): boolean => wanted.every((word) => text.includes(word));
      const { nodes } = this.model.audit;
      this.hits = nodes
        .filter((node) => has([node.ref, node.kind, node.label, node.fact, node.digest, node.description, JSON.stringify(node.attributes)].join(" ").toLowerCase()))
        .map((node) => node.ref);
      this.found.textContent = this.hits.length === 0 ? "nothing found" : `${this.hits.length} of ${nodes.length}; Enter goes to the next`;
      const hits = new Set(this.hits);
      for (const table of this.tables) table.filter((ids, text) => ids.some((id) => hits.has(id)) || has(text.toLowerCase()));
    }
    this.lit();
  }

  private tabs(id: string, titles: readonly (readonly [string, number])[]): HTMLElement {
    const open = (chosen: number, focus: boolean): void => {
      tabs.forEach((tab, i) => {
        tab.setAttribute("aria-selected", String(i === chosen));
        tab.tabIndex = i === chosen ? 0 : -1;
        (panels[i] as HTMLElement).hidden = i !== chosen;
      });
      if (focus) tabs[chosen]?.focus();
    };
    const tabs = titles.map(([title, count], i) => {
      const tab = html("button", { type: "button", role: "tab", id: `${id}-t${i}`, "aria-controls": `${id}-p${i}` }, title, " ", html("span", { class: "lx-count" }, String(count)));
      tab.addEventListener("click", () => open(i, false));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -i, End: titles.length - 1 - i }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        open((i + step + titles.length) % titles.length, true);
      });
      return tab;
    });
    const panels = this.tables.map((table, i) =>
      html("div", { role: "tabpanel", id: `${id}-p${i}`, "aria-labelledby": `${id}-t${i}` }, table.element),
    );
    open(1, false);
    return html("div", { class: "lx-tables" }, html("div", { role: "tablist", "aria-label": "The same as tables", class: "lx-tabs" }, ...tabs), ...panels);
  }
}

/** `deployment:churn-prod:stable@…`: the part after the endpoint's name. */
function deployment(ref: string): string {
  const plain = (ref.split("@")[0] ?? ref).split("/").pop() ?? ref;
  return brief(plain.split(":").pop() ?? plain);
}

function verdict(value: Verdict): HTMLElement {
  const status: Status = value === "PASSED" ? "passed" : value === "FAILED" ? "failed" : "undetermined";
  return html("span", { class: `lx-verdict lx-s-${status}` }, inlineMark(status), value);
}

function legend(): HTMLElement {
  const statuses: Status[] = ["passed", "failed", "pending", "waived", "stale", "missing", "undetermined", "none"];
  const sample = (kind: string, text: string): HTMLElement =>
    html("li", {}, svg("svg", { viewBox: "0 0 30 10", width: 30, height: 10, "aria-hidden": "true", focusable: "false" }, svg("path", { class: `lx-line lx-${kind}`, d: "M1,5H29" })), text);
  return html(
    "details",
    { class: "lx-legend" },
    html("summary", {}, "How to read the drawing"),
    html("p", {}, "Data flows from left to right; each mark on a line is the gate of that hop."),
    html(
      "ul",
      {},
      ...statuses.map((status) => html("li", {}, inlineMark(status), MARKS[status].word)),
      sample("strong", "linked by content hash, identifier or version"),
      sample("middling", "linked by truncated digest, time order or name"),
      sample("weak", "linked by containment, or declared by somebody"),
      html("li", {}, svg("svg", { viewBox: "0 0 30 14", width: 30, height: 14, "aria-hidden": "true", focusable: "false" }, svg("rect", { class: "lx-sample-unknown", x: 1, y: 1, width: 28, height: 12, rx: 3 })), "named, but not on record"),
      html("li", {}, svg("svg", { viewBox: "0 0 30 14", width: 30, height: 14, "aria-hidden": "true", focusable: "false" }, svg("rect", { class: "lx-sample-training", x: 1, y: 1, width: 6, height: 12, rx: 2 })), "training data"),
    ),
    html(
      "p",
      { class: "lx-quiet" },
      "Drag to move; Ctrl or ⌘ with the wheel, + and − zoom, 0 shows all. Arrow keys follow the hops, Shift with an arrow stops at the hop; " +
        "Enter opens the details, Escape closes them, Home goes to the endpoint, / searches.",
    ),
  );
}
