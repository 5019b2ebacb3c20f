/** The buttons of the drawing: what its keys and the mouse do, for those who use neither. */

import type { Drawing } from "./drawing.js";
import { html } from "./dom.js";

export class Controls {
  readonly element: HTMLElement;
  private readonly groups: HTMLElement;

  constructor(private readonly drawing: Drawing) {
    const act = (label: string, sign: string, run: () => void): HTMLElement => {
      const button = html("button", { type: "button", class: "lx-button", "aria-label": label, title: label }, sign);
      button.addEventListener("click", run);
      return button;
    };
    this.groups = html(
      "span",
      {},
      act("Open groups: show everything by itself", "Open groups", () => drawing.openAll()),
      act("Close groups", "Close groups", () => drawing.closeAll()),
    );
    this.element = html(
      "div",
      { class: "lx-controls", role: "group", "aria-label": "Drawing" },
      this.groups,
      act("− Zoom out", "−", () => drawing.zoom(0.8)),
      act("+ Zoom in", "+", () => drawing.zoom(1.25)),
      act("Fit: show all of the drawing", "Fit", () => drawing.fit()),
    );
    this.change();
  }

  /** Groups are offered where there are some. */
  change(): void {
    this.groups.hidden = this.drawing.groups.length === 0;
  }
}
