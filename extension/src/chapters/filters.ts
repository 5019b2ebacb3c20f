/** Which versions, lanes and events are wanted, and the row of controls that says so. */

import { html, keepPlainKeys } from "../view/dom.js";
import { clean, shortEndpoint, words } from "../view/text.js";
import { timeOf } from "./axis.js";
import type { EventRow } from "./documents.js";
import { count, grouped } from "./page.js";
import { having, type Lane, type Life, type Story } from "./story.js";

export interface Wanted {
  text: string;
  endpoint: string;
  stage: string;
  served: boolean;
  /** Days, as `2026-10-22`; both are within. */
  from: string;
  to: string;
}

export interface Kept {
  lives: Life[];
  refs: ReadonlySet<string>;
  lane: (lane: Lane) => boolean;
  events: EventRow[];
  from: number;
  to: number;
  /** Whether anything is left out. */
  narrowed: boolean;
  /** Whether versions are left out for what they are, not for where or when they served. */
  chosen: boolean;
  /** Versions left out because no time of theirs is on record. */
  undated: number;
}

const NOTHING: Wanted = { text: "", endpoint: "", stage: "", served: false, from: "", to: "" };
const DAY = 86_400_000;

export function keep(story: Story, wanted: Wanted): Kept {
  const pieces = wanted.text.toLowerCase().split(/\s+/u).filter((piece) => piece !== "");
  const from = timeOf(wanted.from) ?? -Infinity;
  const to = (timeOf(wanted.to) ?? Infinity) + DAY;
  const dated = wanted.from !== "" || wanted.to !== "";
  const within = (begin: number, end: number): boolean => begin < to && end >= from;
  let undated = 0;
  const lives = story.lives.filter((life) => {
    const { row } = life;
    if (wanted.endpoint !== "" && !row.serving.some((one) => one.endpoint === wanted.endpoint)) return false;
    if (wanted.stage !== "" && !row.stages.some((one) => one.stage === wanted.stage)) return false;
    // Whether it served where a split was not read, nobody knows: it is not left out.
    if (wanted.served && !row.serving.some((one) => having(one) !== "apart")) return false;
    if (pieces.length > 0 && !pieces.every((piece) => story.text(life).includes(piece))) return false;
    if (!dated) return true;
    if (life.known === null) undated++;
    // Its life goes on until it is gone.
    return life.known !== null && within(life.known.from, life.gone ?? Infinity);
  });
  const refs = new Set(lives.map(({ row }) => row.ref));
  const lane = (lane: Lane): boolean => (wanted.endpoint === "" || lane.endpoints.includes(wanted.endpoint)) && (!dated || lane.spans.some((span) => within(span.from, span.to)));
  const events = story.content.events.filter((event) => {
    if (story.byRef.has(event.ref) ? !refs.has(event.ref) : wanted.stage !== "" || wanted.served || pieces.length > 0) return false;
    if (wanted.endpoint !== "" && event.endpoint !== "" && event.endpoint !== wanted.endpoint) return false;
    const time = timeOf(event.at);
    return !dated || (time !== null && within(timeOf(event.earliest) ?? time, time));
  });
  const chosen = pieces.length > 0 || wanted.stage !== "" || wanted.served;
  return { lives, refs, lane, events, from, to, narrowed: chosen || dated || wanted.endpoint !== "", chosen, undated };
}

export class Filters {
  readonly element: HTMLElement;
  private readonly text = html("input", { type: "search", class: "lx-search", placeholder: "Search versions…", "aria-label": "Search versions" });
  private readonly endpoint: HTMLSelectElement;
  private readonly stage: HTMLSelectElement;
  private readonly served = html("input", { type: "checkbox" });
  private readonly from = html("input", { type: "date", class: "lx-instant", max: "9999-12-31", "aria-label": "From this day, UTC" });
  private readonly to = html("input", { type: "date", class: "lx-instant", max: "9999-12-31", "aria-label": "To this day, UTC" });
  private readonly clear = html("button", { type: "button", class: "lx-button", hidden: true }, "Clear");
  private readonly said = html("span", { class: "lx-found" });

  constructor(story: Story, changed: (typed: boolean) => void) {
    const endpoints = new Set([...story.content.lanes.map((lane) => lane.endpoint), ...story.content.versions.flatMap((row) => row.serving.map((one) => one.endpoint))]);
    this.endpoint = select("Endpoint", "All endpoints", [...endpoints].map((ref) => [ref, shortEndpoint(ref)]));
    const stages = new Set(story.content.versions.flatMap((row) => row.stages.map((one) => one.stage)));
    this.stage = select("Stage", "All stages", [...stages].sort().map((stage) => [stage, words(stage)]));
    this.endpoint.hidden = endpoints.size < 2;
    this.stage.hidden = stages.size < 2;
    const dates = html("span", { class: "lx-dates", role: "group", "aria-label": "Days" }, this.from, html("span", { class: "lx-quiet" }, "to"), this.to);
    this.element = html("div", { class: "lx-bar lx-historybar", role: "search", "aria-label": "Filter the history" }, this.text, this.endpoint, this.stage, html("label", { class: "lx-choice" }, this.served, "Ever served"), dates, this.clear, this.said);
    this.text.addEventListener("input", () => changed(true));
    for (const input of [this.endpoint, this.stage, this.served, this.from, this.to]) input.addEventListener("change", () => changed(false));
    for (const input of [this.text, this.endpoint, this.stage, this.from, this.to]) keepPlainKeys(input);
    this.clear.addEventListener("click", () => {
      this.set(NOTHING);
      this.text.focus();
      changed(false);
    });
  }

  get wanted(): Wanted {
    return { text: this.text.value, endpoint: this.endpoint.value, stage: this.stage.value, served: this.served.checked, from: this.from.value, to: this.to.value };
  }

  private set(wanted: Wanted): void {
    for (const name of ["text", "endpoint", "stage", "from", "to"] as const) this[name].value = wanted[name];
    this.served.checked = wanted.served;
  }

  /** How much is left; the same in words. */
  show(kept: Kept, all: number): string {
    const left = kept.undated === 0 ? "" : `; of ${kept.undated} left out no time is on record`;
    const said = `${grouped(kept.lives.length)} of ${count(all, "version")}${left}`;
    this.clear.hidden = !kept.narrowed;
    this.said.textContent = kept.narrowed ? said : "";
    return said;
  }
}

function select(label: string, all: string, choices: readonly (readonly [string, string])[]): HTMLSelectElement {
  return html("select", { class: "lx-instant lx-select", "aria-label": label }, html("option", { value: "" }, all), ...choices.map(([value, text]) => html("option", { value }, clean(text))));
}
