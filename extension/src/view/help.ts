/** Every key, in one place. */

import { html } from "./dom.js";
import { KEYS } from "./keys.js";

/** The keys of the view around the drawing. */
const OWN: typeof KEYS = [
  { keys: "/", does: "Search" },
  { keys: "Enter, Shift + Enter", does: "In the search: the next, the one before" },
  { keys: "T", does: "Light the path to the training data, or all again" },
  { keys: "?", does: "Show this list" },
  { keys: "Escape", does: "Close what is open: the details, a menu, this list" },
  { keys: "Tab", does: "Go on: time, search, drawing, details, tree and tables" },
];

const TREE: typeof KEYS = [
  { keys: "↑ ↓", does: "The item above, below" },
  { keys: "→ ←", does: "Open or go in, close or go out" },
  { keys: "Home, End", does: "The first, the last" },
  { keys: "Enter, Shift + Enter", does: "Select the thing, the hop to it" },
  { keys: "*", does: "Open all beside it" },
  { keys: "Letters", does: "The next name that begins with them" },
];

export class Help {
  readonly element: HTMLDialogElement;

  constructor(id: string) {
    const close = html("button", { type: "button", class: "lx-button" }, "Close");
    close.addEventListener("click", () => this.element.close());
    const drawing = KEYS.filter((item) => !OWN.some((own) => own.keys === item.keys));
    this.element = html(
      "dialog",
      { class: "lx-help", "aria-labelledby": `${id}-help` },
      html("header", {}, html("h2", { id: `${id}-help` }, "Keys"), close),
      html("div", { class: "lx-columns" }, ...list("In the drawing", drawing), ...list("Everywhere", OWN), ...list("In the tree", TREE)),
    );
    // The dialog closes itself at Escape and gives the focus back; the page must not hear of its keys.
    this.element.addEventListener("keydown", (event) => event.stopPropagation());
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close(); // on the ground beside it
    });
  }

  show(): void {
    if (!this.element.open) this.element.showModal();
  }
}

function list(title: string, keys: typeof KEYS): HTMLElement[] {
  if (keys.length === 0) return [];
  const rows = keys.flatMap((item) => [html("dt", {}, html("kbd", {}, item.keys)), html("dd", {}, item.does)]);
  return [html("div", {}, html("h3", {}, title), html("dl", { class: "lx-keys" }, ...rows))];
}
