/** Everything on record about the version, or the span of a lane, that was chosen. */

import { html, several } from "../view/dom.js";
import { inlineMark, MARKS, statusOf } from "../view/marks.js";
import { brief, clean, instant, percent, shortName, words } from "../view/text.js";
import type { Around } from "./around.js";
import type { GateRow, ServingSpan } from "./documents.js";
import { who } from "./lanes.js";
import { grouped, lead, press } from "./page.js";
import { approvals, approver, begun, having, isMeasured, now, period, person, servedWhere, stageName, type Life, type Span, type Story } from "./story.js";

/** So many of a list are shown at once. */
const MOST = 12;

export interface Deeds {
  around: Around;
  select(id: string): void;
  copy(text: string, what: string): void;
}

type Fact = readonly [string, string | HTMLElement];

export function versionDetails(story: Story, life: Life, deeds: Deeds): HTMLElement[] {
  const { row, before } = life;
  const state = now(story, life);
  const ends = row.here === false ? `gone${row.gone_at === null ? ", when is not on record" : ` since ${instant(row.gone_at)}`}` : row.here === true ? "still in the registry" : "whether the registry still has it is not on record";
  const section = (title: string, all: readonly HTMLElement[], none = ""): HTMLElement[] => (all.length > 0 ? [html("h4", {}, title), several(all, MOST, (one) => one)] : none === "" ? [] : [html("h4", {}, title), html("p", { class: "lx-quiet" }, none)]);
  const go = (ref: string, text = shortName(ref)): HTMLElement => (story.byRef.has(ref) ? lead(text, ref, () => deeds.select(ref)) : html("span", { title: clean(ref) }, text));
  const since = before === null ? "" : ` since ${before.label}`;
  return [
    html("header", {}, html("h3", { tabindex: -1 }, `${life.label}${row.label === "" || row.label === life.label ? "" : ` · ${brief(row.label)}`}`), html("p", { class: "lx-quiet" }, [words(row.kind), state].filter((text) => text !== "").join(" · "))),
    ...(row.description === "" ? [] : [html("p", {}, clean(row.description))]),
    actions(story, life, deeds),
    facts([
      ["Reference", html("code", {}, clean(row.ref))],
      ["Registered", row.registered === null ? "not on record" : instant(row.registered)],
      ["State", ends],
      ["Approval", approver(row)],
      ["Runs", row.runs.map(brief).join(", ")],
    ]),
    ...section("Stages", row.stages.map((one) => html("li", {}, html("b", {}, stageName(one.stage)), ` ${begun(one)}${one.until === null ? "" : ` until ${instant(one.until)}`}`, ...(one.because === "" ? [] : [html("span", { class: "lx-quiet" }, `: ${brief(one.because)}`)])))),
    ...section("Served", row.serving.map((one) => html("li", {}, html("b", {}, servedWhere(one)), ` ${period(one)}`, ...(one.environment === "" ? [] : [html("span", { class: "lx-quiet" }, ` · ${clean(one.environment)}`)]), one.between_syncs ? " (begun between two syncs)" : "")), "Never, as far as the records say."),
    ...section("Gates", [...approvals(row), ...row.gates.filter((one) => one.gate_type !== "approval" && !isMeasured(one))].map((one) => html("li", { class: "lx-gaterow" }, ...gateLine(one))), "None on record."),
    ...section("Measured, with no condition stated", row.gates.filter((one) => one.gate_type !== "approval" && isMeasured(one)).map((one) => html("li", {}, `${clean(one.gate)} `, html("b", { class: "lx-number" }, brief(one.actual))))),
    ...section(`Metrics${before !== null && Object.keys(row.metrics).length > 0 ? `, and the difference${since}` : ""}`, Object.entries(row.metrics).map(([name, value]) => html("li", {}, `${clean(name)} `, html("b", { class: "lx-number" }, number(value)), difference(value, own(before?.row.metrics ?? {}, name), since)))),
    ...section("Parameters", params(row.params, before?.row.params ?? null, since)),
    ...section(
      "Data",
      row.data.map((one) =>
        html("li", {}, go(one.ref), ` ${words(one.role) || "role not recorded"}${one.rows === null ? "" : `, ${grouped(one.rows)} rows`}`, html("span", { class: "lx-quiet" }, ` ${words(one.how)}`), ...(one.digest === "" ? [html("span", { class: "lx-quiet" }, " no digest on record")] : [html("br"), html("code", { title: clean(one.digest) }, brief(one.digest)), " ", copy(one.digest, "the digest", deeds)])),
      ),
      "None on record.",
    ),
    ...section("Code", row.code.map((one) => html("li", {}, html("code", { title: clean(one.ref) }, brief(one.commit) || shortName(one.ref)), one.dirty === null ? "" : one.dirty ? " with changes that were not committed" : " as committed", ...(one.link === "" ? [] : [html("br"), html("span", { class: "lx-quiet" }, clean(one.link))]))), "None on record."),
    ...section("Made of", row.ingredients.map((one) => html("li", {}, go(one.ref, brief(one.label) || shortName(one.ref)), html("span", { class: "lx-quiet" }, ` ${words(one.kind)}${one.fact === "" ? "" : ` · ${brief(one.fact)}`}`)))),
    ...section("Comes from", row.parents.map((one) => html("li", {}, go(one.ref), html("span", { class: "lx-quiet" }, ` ${one.how}`)))),
    ...folded("Packages", Object.entries(row.packages)),
  ];
}

/** The buttons: what can be asked on from a version. Without anybody who answers only copying is left. */
function actions(story: Story, life: Life, deeds: Deeds): HTMLElement {
  const { around } = deeds;
  const { open, trace } = around;
  const { as_of, known_at } = story.content.question;
  const { ref } = life.row;
  const made: HTMLElement[] = [];
  if (open !== undefined) {
    const compare = (other: Life): void => open({ chapter: "comparison", a: `${other.row.ref}@@${as_of}`, b: `${ref}@@${as_of}`, known_at, policy: "" });
    const { before } = life;
    if (before !== null) made.push(press(`Compare with ${before.label}, the version before`, () => compare(before)));
    const others = [...story.lives].reverse().filter((other) => other !== life);
    if (others.length > 0) {
      const choose = html("select", { class: "lx-instant lx-select", "aria-label": "Compare with another version" }, html("option", { value: "" }, "Compare with…"), ...others.map((other) => html("option", { value: String(other.at) }, other.label)));
      choose.addEventListener("change", () => {
        const other = story.lives[Number(choose.value)];
        if (choose.value !== "" && other !== undefined) compare(other);
        choose.value = "";
      });
      made.push(choose);
    }
    made.push(press("What does it reach?", () => open({ chapter: "impact", ref, as_of, known_at })));
  }
  if (trace !== undefined) made.push(press("Trace", () => trace(ref, as_of)));
  made.push(press("Copy reference", () => deeds.copy(ref, "the reference")));
  return html("div", { class: "lx-actions" }, ...made);
}

/** An instant at which a span was so; empty where none is on record. */
function within({ since, until }: Pick<ServingSpan, "since" | "until">): string {
  if (since !== null) return since;
  const end = until === null ? Number.NaN : Date.parse(until);
  return Number.isFinite(end) ? new Date(end - 1).toISOString() : "";
}

export function spanDetails(story: Story, span: Span, deeds: Deeds): HTMLElement[] {
  const { lane, row } = span;
  const { known_at } = story.content.question;
  const { open, trace } = deeds.around;
  const [before, after] = [lane.spans[span.at - 1], lane.spans[span.at + 1]];
  const endpoint = lane.endpoints.length === 1 && lane.of === 1 ? (lane.endpoints[0] ?? "") : "";
  const here = within(row);
  const made: HTMLElement[] = [];
  const other = before === undefined ? "" : within(before.row);
  if (open !== undefined && endpoint !== "" && here !== "" && other !== "" && row.kind === "served" && before?.row.kind === "served")
    made.push(press("Compare with what served before", () => open({ chapter: "comparison", a: `${endpoint}@@${other}`, b: `${endpoint}@@${here}`, known_at, policy: "" })));
  if (trace !== undefined && endpoint !== "" && here !== "") made.push(press("Trace", () => trace(endpoint, here)));
  if (endpoint !== "") made.push(press("Copy reference", () => deeds.copy(endpoint, "the reference of the endpoint")));
  const beside = (one: Span | undefined, none: string): string | HTMLElement => (one === undefined ? none : lead(`${who(one)} (${period(one.row)})`, who(one), () => deeds.select(one.id)));
  const shares = row.shares.map((share) => {
    const life = story.lifeOf(share);
    const named = share.version ?? share.model;
    const name = life !== null ? lead(life.label, life.row.ref, () => deeds.select(life.row.ref)) : html("span", { title: clean(named ?? "") }, named === null ? "no model on record" : shortName(named));
    const state = having(share);
    const traffic = share.traffic === null ? (state === "serves" ? "all" : "share not read") : percent(share.traffic);
    const place = [share.site, share.environment].filter((text) => text !== "").map(clean).join(" · ");
    const rest = [state === "apart" ? (share.state === "shadow" ? "mirrored" : "deployed, no traffic") : traffic, shortName(share.deployment), place].filter((text) => text !== "").join(" · ");
    return html("li", {}, name, ` ${rest}`, ...(life === null ? [] : [html("span", { class: "lx-quiet" }, ` · ${approver(life.row)}`)]));
  });
  const title = row.kind === "served" ? "Who served" : row.kind === "gap" ? "Nobody answered" : "Before the first record";
  return [
    html("header", {}, html("h3", { tabindex: -1 }, title), html("p", { class: "lx-quiet" }, [lane.title, lane.place].filter((text) => text !== "").join(" · "))),
    ...(made.length === 0 ? [] : [html("div", { class: "lx-actions" }, ...made)]),
    facts([
      ["From", row.since === null ? "not on record" : `${instant(row.since)}${row.between_syncs ? ", or earlier: begun between two syncs" : ""}`],
      ["Until", row.until === null ? "still so" : instant(row.until)],
      ["Replaced", beside(before, "nothing before it is on record")],
      ["Replaced by", beside(after, "nothing yet")],
    ]),
    ...(shares.length === 0 ? [] : [html("h4", {}, lane.of === 1 ? "Shares" : `Shares, at each of ${lane.of} places`), several(shares, MOST, (one) => one)]),
    ...(row.findings.length === 0 ? [] : [html("h4", {}, "Findings"), several(row.findings, MOST, (one) => html("li", {}, inlineMark("undetermined"), `${one.site === "" ? "" : `${clean(one.site)}: `}${clean(one.message)}`))]),
  ];
}

/** Of what is in the family alone: of another name, or not a version. */
export function nodeDetails(story: Story, ref: string, deeds: Deeds): HTMLElement[] {
  const { nodes, links } = story.content.tree;
  const node = nodes.find((one) => one.ref === ref);
  if (node === undefined) return [];
  const { as_of, known_at } = story.content.question;
  const { open, trace } = deeds.around;
  const go = (to: string): HTMLElement => lead(brief(nodes.find((one) => one.ref === to)?.label ?? "") || shortName(to), to, () => deeds.select(to));
  const list = (title: string, all: readonly { to: string; how: string }[]): HTMLElement[] => (all.length === 0 ? [] : [html("h4", {}, title), several(all, MOST, ({ to, how }) => html("li", {}, go(to), html("span", { class: "lx-quiet" }, ` ${clean(how)}`)))]);
  return [
    html("header", {}, html("h3", { tabindex: -1 }, brief(node.label) || shortName(ref)), html("p", { class: "lx-quiet" }, words(node.kind))),
    html("div", { class: "lx-actions" }, ...(open === undefined ? [] : [press("What does it reach?", () => open({ chapter: "impact", ref, as_of, known_at }))]), ...(trace === undefined ? [] : [press("Trace", () => trace(ref, as_of))]), press("Copy reference", () => deeds.copy(ref, "the reference"))),
    facts([["Reference", html("code", {}, clean(ref))]]),
    ...list("Comes from", links.filter((one) => one.child === ref).map(({ parent, how }) => ({ to: parent, how }))),
    ...list("What came of it", links.filter((one) => one.parent === ref).map(({ child, how }) => ({ to: child, how }))),
  ];
}

export function gateLine(one: GateRow): (Node | string)[] {
  const status = statusOf(one.status);
  const said = [one.expected === "" ? "" : `expected ${brief(one.expected)}`, one.actual === "" ? "" : `found ${brief(one.actual)}`].filter((text) => text !== "").join(", ");
  const by = `${one.evaluator === "" ? "" : `by ${person(one.evaluator)}, `}${one.event_time === null ? "when is not on record" : instant(one.event_time)}${one.grade === "" ? "" : `, ${words(one.grade)}`}`;
  return [inlineMark(status), html("b", {}, clean(one.gate)), ` ${MARKS[status].word}${said === "" ? "" : `: ${said}`}`, html("br"), html("span", { class: "lx-quiet" }, by)];
}

function facts(all: readonly Fact[]): HTMLElement {
  return html("dl", { class: "lx-facts" }, ...all.filter(([, value]) => value !== "").flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
}

function copy(text: string, what: string, deeds: Deeds): HTMLElement {
  return press("Copy", () => deeds.copy(text, what), { class: "lx-copy", "aria-label": `Copy ${what}` });
}

function folded(title: string, all: readonly (readonly [string, string])[]): HTMLElement[] {
  if (all.length === 0) return [];
  const list = html("dl", { class: "lx-facts" }, ...all.flatMap(([name, value]) => [html("dt", {}, clean(name)), html("dd", {}, clean(value))]));
  return [html("details", {}, html("summary", {}, `${title} (${all.length})`), list)];
}

/** Only what an object has itself: records name things as they like. */
export function own<T>(of: { [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e9) ? value.toExponential(3) : String(Number(value.toPrecision(6)));
}

function difference(value: number, was: number | undefined, since: string): HTMLElement | string {
  if (since === "") return "";
  if (was === undefined) return html("span", { class: "lx-quiet" }, " not recorded before");
  const by = value - was;
  return html("span", { class: "lx-quiet lx-number" }, by === 0 ? " as before" : ` ${by > 0 ? "+" : "−"}${number(Math.abs(by))}`);
}

function params(all: { [name: string]: string }, before: { [name: string]: string } | null, since: string): HTMLElement[] {
  const changed = (name: string): boolean => before !== null && own(before, name) !== own(all, name);
  const names = Object.keys(all).sort((a, b) => Number(changed(b)) - Number(changed(a)) || a.localeCompare(b));
  const lost = before === null ? [] : Object.keys(before).filter((name) => own(all, name) === undefined);
  return [
    ...names.map((name) => {
      const was = before === null ? undefined : own(before, name);
      const said = !changed(name) ? "" : was === undefined ? ` new${since}` : ` was ${brief(was)}`;
      return html("li", {}, `${clean(name)} `, html("b", {}, brief(all[name] ?? "")), html("span", { class: "lx-quiet" }, said));
    }),
    ...lost.map((name) => html("li", {}, `${clean(name)} `, html("span", { class: "lx-quiet" }, `none, was ${brief(before?.[name] ?? "")}`))),
  ];
}
