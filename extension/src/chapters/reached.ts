/** The tables of what was reached: endpoints, versions, evaluations, what lies between, findings. */

import type { Around } from "./around.js";
import { retrainBadge, retrainOf, RETRAINS } from "./badges.js";
import type { GateRow, Impact, ReachedEndpoint, ReachedVersion, Retrain, TaintedEvaluation } from "./documents.js";
import { called, code, count, grouped, press, quiet, short } from "./page.js";
import { column, Rows, time, type Column } from "./rows.js";
import { axis, chart, ends, windowRows } from "./windows.js";
import { html } from "../view/dom.js";
import { findingMark, inlineMark, MARKS, statusOf } from "../view/marks.js";
import { brief, clean, instant, percent, shortEndpoint, shortName, words } from "../view/text.js";

/** Strongest first, as records.py has it. */
export const LADDER: readonly string[] = ["content_hash", "identifier", "name_version", "truncated_digest", "time_order", "name", "containment", "declared"];

/** Where a strength stands; what nobody knows is below all others. */
export function rung(strength: string): number {
  const at = LADDER.indexOf(strength);
  return at < 0 ? LADDER.length : at;
}

/** Something to retrain: an endpoint or a version. */
export interface Wanting {
  ref: string;
  kind: string;
  label: string;
  retrain: Retrain;
  why: string;
  strength: string;
  now: boolean;
}

export function wanting({ endpoints, versions }: Impact): Wanting[] {
  const all: Wanting[] = [
    ...endpoints.map((row) => ({ ref: row.ref, kind: "endpoint", label: shortEndpoint(row.ref), retrain: retrainOf(row.retrain), why: row.why, strength: row.strength, now: row.now })),
    ...versions.map((row) => ({ ref: row.ref, kind: row.kind, label: row.label || shortName(row.ref), retrain: retrainOf(row.retrain), why: row.why, strength: row.strength, now: row.endpoints.length > 0 })),
  ];
  return all.filter((row) => row.retrain !== "no").sort((a, b) => RETRAINS.indexOf(a.retrain) - RETRAINS.indexOf(b.retrain));
}

/** What can be asked further about what is listed. */
export class Onwards {
  constructor(
    private readonly around: Around,
    private readonly question: Impact["question"],
  ) {}

  get any(): boolean {
    return this.around.open !== undefined || this.around.trace !== undefined;
  }

  buttons(ref: string, kind: string): HTMLElement[] {
    const { open, trace } = this.around;
    const { as_of, known_at } = this.question;
    const name = brief(ref);
    const versioned = ref.includes("@") && /model|agent/u.test(kind);
    return [
      ...(trace === undefined ? [] : [press("Trace", () => trace(ref, as_of), { "aria-label": `Trace of ${name}` })]),
      ...(open === undefined || !versioned ? [] : [press("History", () => open({ chapter: "history", ref: ref.replace(/@.*$/su, ""), as_of, known_at }), { "aria-label": `History of ${name}` })]),
    ];
  }

  /** A column of buttons, where somebody can answer. */
  column<T>(of: (row: T) => { ref: string; kind: string }): Column<T>[] {
    if (!this.any) return [];
    return [{ ...column<T>("Go on", () => "", (row) => [html("span", { class: "lx-acts" }, ...this.buttons(of(row).ref, of(row).kind))]), acts: true }];
  }
}

const retrain = <T extends { retrain: string }>(): Column<T> => column("Retrain", (row) => retrainOf(row.retrain), (row) => [retrainBadge(row.retrain)], (row) => RETRAINS.indexOf(retrainOf(row.retrain)));
const why = <T extends { why: string }>(): Column<T> => column("Why", (row) => row.why, (row) => [brief(row.why)]);
const role = <T extends { roles: string[] }>(): Column<T> => column("Role", (row) => row.roles.map(words).join(", "));
const byStrength = <T extends { strength: string }>(): Column<T> => column("Strength", (row) => words(row.strength), undefined, (row) => rung(row.strength));
const kind = <T extends { kind: string }>(): Column<T> => column("Kind", (row) => words(row.kind));
const thing = <T extends { ref: string; label: string }>(title: string): Column<T> => column(title, (row) => row.ref, (row) => [called(row.ref, row.label || shortName(row.ref), "lx-called")]);

function beyond(many: number): string {
  return many > 0 ? `… and ${grouped(many)} more; not in this document.` : "";
}

export function wantingRows(id: string, rows: readonly Wanting[], onwards: Onwards): Rows<Wanting> {
  return new Rows(
    id,
    {
      caption: "Endpoints and versions to retrain, the certain ones first",
      none: NOT_LISTED,
      columns: [thing("What"), retrain(), kind(), why(), byStrength(), column("Serving now", (row) => (row.now ? "yes" : "no")), ...onwards.column<Wanting>((row) => row)],
    },
    rows,
  );
}

export function endpointRows(id: string, { endpoints, question, beyond: more }: Impact, onwards: Onwards): Rows<ReachedEndpoint> {
  const scale = axis(endpoints.flatMap(({ exposures }) => exposures), question.as_of);
  const windows = column<ReachedEndpoint>(
    "Exposed",
    ({ exposures }) => exposures.map((one) => `${one.since ?? ""}/${one.until ?? ""} ${one.version ?? ""} ${one.traffic === null ? "not read" : percent(one.traffic)}`).join("; "),
    ({ exposures }) => (exposures.length === 0 ? [quiet("no window on record")] : [...(scale === undefined ? [] : [chart(exposures, scale)]), quiet(count(exposures.length, "window"))]),
    ({ first }) => time(first),
  );
  return new Rows<ReachedEndpoint>(
    id,
    {
      caption: "Endpoints that answered with it, and when",
      none: "No endpoint was reached.",
      beyond: beyond(more.endpoints),
      detail: (row) => windowRows(`${id}-w${endpoints.indexOf(row)}`, row.ref, row.exposures),
      unfolds: ({ exposures }) => exposures.length > 0,
      columns: [
        column("Endpoint", (row) => row.ref, (row) => [called(row.ref, shortEndpoint(row.ref), "lx-called")]),
        retrain(),
        column("Now", nowText, undefined, (row) => (row.now ? (row.traffic_now ?? 0.5) : -1)),
        { ...windows, ...(scale === undefined ? {} : { head: ends(scale) }) },
        column("First", (row) => instant(row.first) || "not on record", undefined, (row) => time(row.first)),
        column("Last", (row) => (row.now ? "still" : instant(row.last) || "not on record"), undefined, (row) => (row.now ? Infinity : time(row.last, -Infinity))),
        role(),
        byStrength(),
        why(),
        ...onwards.column<ReachedEndpoint>((row) => ({ ref: row.ref, kind: "endpoint" })),
      ],
    },
    endpoints,
  );
}

function nowText({ now, traffic_now }: ReachedEndpoint): string {
  if (!now) return "no";
  return traffic_now === null ? "yes, share not read" : `yes, ${percent(traffic_now)} of its requests`;
}

export function versionRows(id: string, { versions, beyond: more }: Impact, onwards: Onwards): Rows<ReachedVersion> {
  return new Rows<ReachedVersion>(
    id,
    {
      caption: "Versions that were made with it",
      none: "No version was reached.",
      beyond: beyond(more.versions),
      unfolds: ({ path }) => path.length > 0,
      detail: ({ path }) => chain(path),
      columns: [
        thing("Version"),
        retrain(),
        role(),
        byStrength(),
        column("Answers now", (row) => row.endpoints.map(shortEndpoint).join(", ") || "nowhere"),
        column("First served", (row) => instant(row.first_served) || NEVER, undefined, (row) => time(row.first_served)),
        column("Last served", lastServed, undefined, (row) => time(row.last_served)),
        column("Registered", (row) => instant(row.registered) || "not on record", undefined, (row) => time(row.registered)),
        column("Still there", (row) => here(row.here)),
        why(),
        column("Path", (row) => row.path.join(" → "), (row) => [count(Math.max(0, row.path.length - 1), "link")], (row) => row.path.length),
        ...onwards.column<ReachedVersion>((row) => row),
      ],
    },
    versions,
  );
}

const NEVER = "never, on record";
/** Also said above the list. */
export const NOT_LISTED = "Nothing that is listed here has to be retrained, as far as the records say.";

function lastServed({ last_served, first_served, endpoints }: ReachedVersion): string {
  return instant(last_served) || (endpoints.length > 0 ? "still" : first_served === null ? NEVER : "not on record");
}

export function here(value: boolean | null): string {
  return value === null ? "no record says" : value ? "yes" : "no, it is gone";
}

/** References one after another, as one leads to the next. */
function chain(path: readonly string[]): HTMLElement {
  return html("ol", { class: "lx-chain", "aria-label": "From the thing to this version" }, ...path.map((ref) => html("li", {}, code(ref))));
}

/** A gate in one line. */
function gateLine({ gate, status, grade, subject, expected, actual, event_time }: GateRow): HTMLElement {
  const more = [`about ${shortName(subject)}`, ...(expected === "" ? [] : [`expected ${expected}`]), ...(actual === "" ? [] : [`found ${actual}`]), instant(event_time)];
  return html("li", {}, inlineMark(statusOf(status)), html("strong", {}, clean(gate)), ` ${MARKS[statusOf(status)].word}, ${words(grade)}: ${clean(more.filter((text) => text !== "").join(", "))}`);
}

export function evaluationRows(id: string, { evaluations, beyond: more }: Impact): Rows<TaintedEvaluation> {
  const names = (title: string, of: (row: TaintedEvaluation) => string[]): Column<TaintedEvaluation> => column(title, (row) => of(row).join(", "), (row) => [short(of(row).map((ref) => called(ref)), 8)]);
  return new Rows<TaintedEvaluation>(
    id,
    {
      caption: "Evaluations that read it: what they say of a model is in doubt",
      none: "No evaluation read it, as far as the records say.",
      beyond: beyond(more.evaluations),
      unfolds: ({ gates }) => gates.length > 0,
      detail: ({ gates }) => html("ul", { class: "lx-list" }, ...gates.map(gateLine)),
      columns: [
        column("Evaluation", (row) => row.run, (row) => [called(row.run, row.label || shortName(row.run), "lx-called")]),
        column("Gates in doubt", ({ gates }) => gates.map((gate) => `${gate.gate}: ${gate.status}`).join(", "), ({ gates }) => [gates.length === 0 ? quiet("none on record") : short(gates.map(({ gate, status }) => html("span", {}, inlineMark(statusOf(status)), `${clean(gate)}: ${MARKS[statusOf(status)].word}`)), 4)]),
        names("Models", (row) => row.models),
        names("What it read", (row) => row.data),
        why(),
      ],
    },
    evaluations,
  );
}

type Derived = Impact["derived"][number];

export function derivedRows(id: string, { derived, beyond: more }: Impact, onwards: Onwards): Rows<Derived> {
  return new Rows<Derived>(
    id,
    {
      caption: "What was made of it on the way: datasets, runs, indexes and others",
      none: "Nothing lies in between.",
      beyond: beyond(more.derived),
      columns: [thing("Thing"), kind(), column("Reference", (row) => row.ref, (row) => [code(row.ref)]), byStrength(), ...onwards.column<Derived>((row) => row)],
    },
    derived,
  );
}

type Finding = Impact["findings"][number];
const SEVERITIES = ["error", "warning", "info"];

export function findingRows(id: string, { findings }: Impact): Rows<Finding> {
  return new Rows<Finding>(
    id,
    {
      caption: "Gaps, contradictions and cautions",
      none: "No findings.",
      columns: [
        column("About", (row) => row.ref || "the whole", (row) => [row.ref === "" ? "the whole" : called(row.ref)]),
        column(
          "Severity",
          (row) => row.severity,
          ({ code: about, severity }) => {
            const mark = findingMark(about) ?? (severity === "error" ? "undetermined" : undefined);
            return [...(mark === undefined ? [] : [inlineMark(mark)]), clean(severity)];
          },
          (row) => (SEVERITIES.indexOf(row.severity) + 4) % 4,
        ),
        column("Message", (row) => row.message, (row) => [brief(row.message)]),
      ],
    },
    findings,
  );
}
