/** What stays bright when something is selected, and the path to the training data. */

import { count } from "./changes.js";
import { html } from "./dom.js";
import { related, trainingPath, type Model } from "./model.js";
import type { Direction } from "./transport.js";

const DIRECTIONS: readonly Direction[] = ["upstream", "both", "downstream"];

export interface LightingEvents {
  /** The reader wants something else lit; `direction` where that is what changed. */
  changed(direction: Direction | null): void;
  /** The path was asked for. */
  path(): void;
  say(text: string): void;
  tell(text: string): void;
}

export class Lighting {
  readonly directions: HTMLElement;
  readonly path = html("button", { type: "button", class: "lx-button", "aria-pressed": "false", title: "Light only the ways from the training data to what is asked about (T)" }, "Path to the training data");
  private readonly radios: readonly HTMLInputElement[];
  private training = false;
  private now: Direction = "both";

  constructor(
    id: string,
    private readonly events: LightingEvents,
  ) {
    this.radios = DIRECTIONS.map((direction) => {
      const radio = html("input", { type: "radio", name: `${id}-direction`, value: direction });
      radio.addEventListener("change", () => {
        this.now = direction;
        this.events.changed(direction);
        this.events.say(direction === "both" ? "All the selection has to do with stays lit" : `What is ${direction} of the selection stays lit`);
      });
      return radio;
    });
    this.directions = html(
      "fieldset",
      { class: "lx-directions" },
      html("legend", {}, "Lit"),
      ...this.radios.map((radio) => html("label", {}, radio, html("span", {}, radio.value))),
    );
    this.path.addEventListener("click", () => this.events.path());
    this.direction = this.now;
  }

  get direction(): Direction {
    return this.now;
  }

  /** From the host: nobody is told. */
  set direction(direction: Direction) {
    this.now = direction;
    for (const radio of this.radios) radio.checked = radio.value === direction;
  }

  /** Lights the path to the training data, or all again. */
  toggle(model: Model): void {
    const path = trainingPath(model);
    if (path.size === 0 && !this.training) {
      this.events.tell("No training data is on record, so there is no path to it.");
      return;
    }
    this.training = !this.training;
    this.path.setAttribute("aria-pressed", String(this.training));
    this.events.changed(null);
    const things = [...path].filter((id) => model.nodes.has(id)).length;
    this.events.say(this.training ? `Lit: the ways from the training data to the endpoint, ${count(things, "thing")} of ${model.nodes.size}` : "All is lit again");
  }

  /** What stays bright around a selection, which for a group is its members; null for everything. */
  lit(model: Model, selected: string, members: readonly string[] | undefined): Set<string> | null {
    if (this.training) return trainingPath(model).add(selected);
    return selected === "" ? null : related(model, members ?? selected, this.now).add(selected);
  }
}
