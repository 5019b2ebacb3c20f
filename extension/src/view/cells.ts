/** The cells of a map of endpoints by gates, and what is told of one endpoint. */

import type { Outcome, Status } from "./audit.js";
import { html } from "./dom.js";
import { cell, tally, type Estate, type EstateRow } from "./estate.js";
import { verdict } from "./heading.js";
import { inlineMark, MARKS, statusOf, WORST_FIRST } from "./marks.js";
import { brief, clean } from "./text.js";
import { outcomeWords, VERDICTS, verdictStatus, verdictWords } from "./wording.js";

/** Of a gate that applies to none of an endpoint's hops. */
const BLANK = "does not apply";
const OUTCOMES: readonly Outcome[] = ["fails", "undetermined", "holds"];
const SIGNS: Record<Outcome, Status> = { fails: "failed", undetermined: "undetermined", holds: "passed" };

/** What a column holds, as its style is named: the name, the verdict, a gate, the first finding. */
export function kind({ gates }: Estate, column: number): string {
  return column === 0 ? "lx-heatname" : column === 1 ? "lx-heatverdict" : column < gates.length + 2 ? "lx-heatgate" : "lx-heatfinding";
}

/** What a gate came to: a shape and a word. */
export function gateCell(status: Status | ""): HTMLElement {
  const inner = status === "" ? [html("span", { class: "lx-unseen" }, BLANK)] : [inlineMark(status), html("span", { class: "lx-heatword" }, MARKS[status].word)];
  return html("div", { role: "gridcell", tabindex: -1, class: `lx-heatgate${status === "" ? "" : ` lx-t-${status}`}` }, ...inner);
}

export function verdictCell(row: EstateRow, { question }: Estate): HTMLElement {
  const status = verdictStatus(row.verdict);
  return html("div", { role: "gridcell", tabindex: -1, class: `lx-heatverdict lx-t-${status}`, "aria-colindex": 2 }, inlineMark(status), html("span", { class: "lx-heatword" }, verdictWords(row.verdict, question.policy)));
}

/** Of the endpoints that are shown: how many came to which verdict, and on how many each gate fails or cannot be determined. */
export function countCells(estate: Estate, rows: readonly EstateRow[]): HTMLElement[] {
  const { gates } = estate;
  const { policy } = estate.question;
  const box = (column: number, ...inner: (Node | string)[]): HTMLElement => html("div", { role: column === 0 ? "rowheader" : "gridcell", tabindex: -1, class: kind(estate, column), "aria-colindex": column + 1 }, ...inner);
  const line = (status: Status, many: number, ...more: Node[]): HTMLElement => html("span", { class: "lx-tallied" }, inlineMark(status), ...more, many.toLocaleString("en"));
  const verdicts = VERDICTS.map((value) => ({ value, many: rows.filter((row) => row.verdict === value).length })).filter(({ many }) => many > 0);
  const sum = (outcome: Outcome): string => rows.reduce((total, row) => total + row[outcome], 0).toLocaleString("en");
  return [
    box(0, number(rows.length, "endpoint")),
    box(1, ...verdicts.map(({ value, many }) => line(verdictStatus(value), many, html("span", { class: "lx-unseen" }, ` ${verdictWords(value, policy)} `)))),
    ...gates.map((gate, i) => {
      const found = tally(rows, gate.id);
      const told = OUTCOMES.map((outcome) => `${found[outcome]} ${outcomeWords(outcome, policy)}`).join(", ");
      // What holds is counted where nothing else is to be said.
      const shown = OUTCOMES.filter((outcome) => found[outcome] > 0 && (outcome !== "holds" || found.fails + found.undetermined === 0));
      const lines = shown.map((outcome) => line(SIGNS[outcome], found[outcome]));
      const made = box(i + 2, html("span", { class: "lx-unseen" }, told), ...lines);
      for (const one of lines) one.setAttribute("aria-hidden", "true");
      made.title = told;
      return made;
    }),
    box(gates.length + 2, `In all: ${OUTCOMES.map((outcome) => `${sum(outcome)} ${outcomeWords(outcome, policy)}`).join(" · ")}`),
  ];
}

/** The shapes and their words. */
export function signs(): HTMLElement {
  const known = WORST_FIRST.filter((status) => status !== "none").map((status) => html("li", {}, inlineMark(status), MARKS[status].word));
  return html("ul", { class: "lx-tally lx-heatsigns", "aria-label": "Signs" }, ...known, html("li", {}, `blank: ${BLANK}`));
}

/** All that is known here of one endpoint. */
export function chosen(estate: Estate, row: EstateRow, copy: (text: string) => void): HTMLElement[] {
  const { policy } = estate.question;
  const button = html("button", { type: "button", class: "lx-button" }, "Copy reference");
  button.addEventListener("click", () => copy(row.ref));
  const counted = OUTCOMES.filter((outcome) => row[outcome] > 0).map((outcome) => `${row[outcome]} ${outcomeWords(outcome, policy)}`);
  const wanting = estate.gates.flatMap((gate) => {
    const status = cell(row, gate.id);
    return status === "" || status === "passed" ? [] : [html("li", { class: "lx-badge" }, inlineMark(statusOf(status)), `${clean(gate.title)}: ${MARKS[statusOf(status)].word}`)];
  });
  return [
    html("div", { class: "lx-title" }, verdict(row.verdict, policy), html("h3", {}, clean(row.ref)), html("span", { class: "lx-quiet" }, counted.join(" · ")), html("span", { class: "lx-ends-bar" }, button)),
    ...(row.finding === "" ? [] : [html("p", {}, brief(row.finding))]),
    ...(wanting.length === 0 ? [] : [html("ul", { class: "lx-tally", "aria-label": "Gates that have not passed" }, ...wanting)]),
  ];
}

export function number(many: number, noun: string): string {
  return `${many.toLocaleString("en")} ${noun}${many === 1 ? "" : "s"}`;
}
