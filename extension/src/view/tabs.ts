/** Tabs, each filled when it is looked at. */

import { html } from "./dom.js";

export interface Tab {
  title: string;
  /** Shown beside the title; empty for none. */
  count: string;
  /** What is in it, as things are now. */
  fill: () => HTMLElement;
}

export class Tabs {
  readonly element: HTMLElement;
  private readonly heads: HTMLButtonElement[];
  private readonly panels: HTMLElement[];
  chosen = 0;

  constructor(
    id: string,
    label: string,
    private readonly tabs: readonly Tab[],
    chosen: number,
  ) {
    this.heads = tabs.map(({ title }, i) => {
      const head = html("button", { type: "button", role: "tab", id: `${id}-t${i}`, "aria-controls": `${id}-p${i}` }, title, " ", html("span", { class: "lx-count" }));
      head.addEventListener("click", () => this.open(i));
      head.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -i, End: tabs.length - 1 - i }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        this.open((i + step + tabs.length) % tabs.length);
        this.heads[this.chosen]?.focus();
      });
      return head;
    });
    this.panels = tabs.map((_, i) => html("div", { role: "tabpanel", id: `${id}-p${i}`, "aria-labelledby": `${id}-t${i}` }));
    this.element = html("div", { class: "lx-tables" }, html("div", { role: "tablist", "aria-label": label, class: "lx-tabs" }, ...this.heads), ...this.panels);
    this.count(tabs.map((tab) => tab.count));
    this.open(chosen);
  }

  count(counts: readonly string[]): void {
    this.heads.forEach((head, i) => ((head.lastElementChild as HTMLElement).textContent = counts[i] ?? ""));
  }

  open(chosen: number): void {
    this.chosen = chosen;
    this.heads.forEach((head, i) => {
      head.setAttribute("aria-selected", String(i === chosen));
      head.tabIndex = i === chosen ? 0 : -1;
      (this.panels[i] as HTMLElement).hidden = i !== chosen;
    });
    this.refresh();
  }

  /** Something else is to be seen in the open tab; the others follow when they are opened. */
  refresh(): void {
    const panel = this.panels[this.chosen];
    const content = this.tabs[this.chosen]?.fill();
    if (content !== undefined && panel?.firstChild !== content) panel?.replaceChildren(content);
  }
}
