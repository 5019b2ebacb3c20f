/** The search in a trace and its filters, as a reader uses them. What is found, `query.ts` says. */

import { html, keepPlainKeys } from "./dom.js";
import { inlineMark, statusOf } from "./marks.js";
import type { Model } from "./model.js";
import { Popover } from "./popover.js";
import { choiceName, choices, expressionOf, FACETS, find, NO_FILTERS, type Facet, type Filters, type Found } from "./query.js";

export interface SearchEvents {
  /** Something else is wanted; `typed` tells the query's change from a filter's. */
  found(found: Found | null, typed: boolean): void;
  /** The next of what was found. */
  go(id: string): void;
  leave(): void;
  say(text: string, quiet?: number): void;
}

export class Search {
  readonly element: HTMLElement;
  /** What is filtered by, each with a button that takes it away. */
  readonly chips = html("ul", { class: "lx-chips", "aria-label": "Filters in force", hidden: true });
  private readonly input = html("input", {
    type: "search",
    class: "lx-search",
    placeholder: "Search names, digests, tags…",
    "aria-label": "Search in this trace: words, or an expression as /…/",
    spellcheck: "false",
    autocomplete: "off",
  });
  private readonly toggle = html("button", { type: "button", class: "lx-button lx-regex", "aria-pressed": "false", title: "Search with a regular expression", "aria-label": ".* Regular expression" }, ".*");
  private readonly count = html("span", { class: "lx-found" });
  private readonly popover: Popover;
  private filters: Filters = NO_FILTERS;
  private found: Found | null = null;
  private hit = -1;

  constructor(
    id: string,
    private model: Model,
    private readonly events: SearchEvents,
  ) {
    this.popover = new Popover(`${id}-filters`, "Filter", () => this.boxes());
    this.element = html("div", { class: "lx-finder", role: "search", "aria-label": "In this trace" }, this.input, this.toggle, this.popover.element, this.count);
    this.input.addEventListener("input", () => this.look(true));
    this.input.addEventListener("keydown", (event) => this.key(event));
    keepPlainKeys(this.input);
    this.toggle.addEventListener("click", () => {
      const { value } = this.input;
      const expression = expressionOf(value);
      this.input.value = expression === undefined ? `/${value.trim() === "" ? ".*" : value.trim()}/i` : expression.source;
      this.look(true);
      this.input.focus();
    });
  }

  get query(): string {
    return this.input.value;
  }

  /** From the host: nobody is told. */
  set query(text: string) {
    this.input.value = text;
    this.refresh();
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** Looks again, in another model if there is one. */
  refresh(model = this.model): Found | null {
    this.model = model;
    this.hit = -1;
    this.found = find(model, this.query, this.filters);
    this.toggle.setAttribute("aria-pressed", String(expressionOf(this.query) !== undefined));
    this.tell();
    return this.found;
  }

  destroy(): void {
    this.popover.close(false);
  }

  private look(typed: boolean): void {
    this.refresh();
    this.events.found(this.found, typed);
    const { found } = this;
    const next = found !== null && found.nodes.length + found.hops.length > 0 ? "; Enter goes to the next" : "";
    this.events.say(found === null ? "Nothing is searched for; all is shown" : `${this.count.textContent}${next}`, 500);
  }

  private tell(): void {
    const { found } = this;
    const wrong = found !== null && found.problem !== "";
    this.count.classList.toggle("lx-problem", wrong);
    this.input.setAttribute("aria-invalid", String(wrong));
    this.count.textContent = found === null ? "" : this.words(found);
  }

  private words({ nodes, hops, problem, cut }: Found): string {
    if (problem !== "") return `not an expression: ${problem}`;
    const parts = [
      ...(nodes.length > 0 ? [`${nodes.length} of ${this.model.nodes.size} ${this.model.nodes.size === 1 ? "thing" : "things"}`] : []),
      ...(hops.length > 0 ? [`${hops.length} of ${this.model.hops.size} ${this.model.hops.size === 1 ? "hop" : "hops"}`] : []),
    ];
    const said = parts.length === 0 ? "nothing found" : parts.join(", ");
    return cut ? `${said} (stopped: it took too long, and not all was looked at)` : said;
  }

  private key(event: KeyboardEvent): void {
    const hits = this.found === null ? [] : [...this.found.nodes, ...this.found.hops];
    if (event.key === "Enter" && hits.length > 0) {
      event.preventDefault();
      this.hit = event.shiftKey ? (Math.max(0, this.hit) - 1 + hits.length) % hits.length : (this.hit + 1) % hits.length;
      this.events.go(hits[this.hit] as string);
      this.count.textContent = `${this.hit + 1} of ${hits.length}`;
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.query === "") this.events.leave();
      else {
        this.input.value = "";
        this.look(true);
      }
    }
  }

  private boxes(): HTMLElement[] {
    const counts = choices(this.model);
    const made = FACETS.map(({ facet, title }) => {
      const all = [...counts[facet].entries()].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
      return html(
        "fieldset",
        {},
        html("legend", {}, title),
        ...all.map(([value, count]) => {
          const box = html("input", { type: "checkbox" });
          box.checked = this.filters[facet].has(value);
          box.addEventListener("change", () => this.choose(facet, value, box.checked));
          const sign = facet === "status" && value !== "outside" ? [inlineMark(statusOf(value))] : [];
          return html("label", { class: "lx-choice" }, box, ...sign, html("span", {}, choiceName(facet, value)), html("span", { class: "lx-count" }, String(count)));
        }),
      );
    });
    return [html("div", { class: "lx-facets" }, ...made)];
  }

  private choose(facet: Facet, value: string, on: boolean): void {
    const chosen = new Set(this.filters[facet]);
    if (on) chosen.add(value);
    else chosen.delete(value);
    this.filters = { ...this.filters, [facet]: chosen };
    this.chip();
    this.look(false);
  }

  private chip(): void {
    const items = FACETS.flatMap(({ facet, title }) =>
      [...this.filters[facet]].map((value) => {
        const name = choiceName(facet, value);
        const off = html("button", { type: "button", class: "lx-chip", "aria-label": `Remove the filter ${title}: ${name}` }, `${title}: ${name} `, html("span", { "aria-hidden": "true" }, "✕"));
        off.addEventListener("click", () => {
          this.choose(facet, value, false);
          (this.chips.querySelector("button") ?? this.popover.button).focus();
        });
        return html("li", {}, off);
      }),
    );
    const many = items.length;
    if (many > 0) {
      const clear = html("button", { type: "button", class: "lx-link" }, "Clear all");
      clear.addEventListener("click", () => {
        this.filters = NO_FILTERS;
        this.chip();
        this.look(false);
        this.popover.button.focus();
      });
      items.push(html("li", {}, clear));
    }
    this.chips.replaceChildren(...items);
    this.chips.hidden = many === 0;
    this.popover.button.textContent = many === 0 ? "Filter" : `Filter (${many})`;
  }
}
