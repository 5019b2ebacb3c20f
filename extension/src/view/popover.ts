/** A button that shows what belongs to it: Escape closes and goes back to the button, leaving closes too. */

import { html } from "./dom.js";

export class Popover {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly panel: HTMLElement;

  /** `fill` makes what is shown each time it is opened. */
  constructor(
    id: string,
    label: string,
    private readonly fill: () => HTMLElement[],
  ) {
    this.button = html("button", { type: "button", class: "lx-button lx-opens", "aria-expanded": "false", "aria-controls": id }, label);
    this.panel = html("div", { class: "lx-popover", id, role: "group", "aria-label": label, hidden: true });
    this.element = html("div", { class: "lx-pop" }, this.button, this.panel);
    this.button.addEventListener("click", () => (this.panel.hidden ? this.open() : this.close(false)));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      this.close(true);
    });
    this.element.addEventListener("focusout", (event) => {
      // Without a next place (the window is left, a button goes that was pressed) nobody has gone elsewhere.
      if (event.relatedTarget instanceof Node && !this.element.contains(event.relatedTarget)) this.close(false);
    });
  }

  close(back: boolean): void {
    if (this.panel.hidden) return;
    document.removeEventListener("pointerdown", this.outside);
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
  }

  private open(): void {
    this.panel.replaceChildren(...this.fill());
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", this.outside);
    this.panel.querySelector<HTMLElement>("button, input")?.focus();
  }

  private readonly outside = (event: Event): void => {
    if (!event.composedPath().includes(this.element)) this.close(false);
  };
}
