/** A history read once: times as numbers, what overlaps laid side by side, and each version's life in words. */

import { statusOf, WORST_FIRST } from "../view/marks.js";
import type { Status } from "../view/audit.js";
import { brief, clean, fit, instant, percent, shortEndpoint, shortName, words } from "../view/text.js";
import { timeOf } from "./axis.js";
import type { EventKind, EventRow, GateRow, History, LaneRow, ServedRow, ServingSpan, Share, StageRow, VersionRow } from "./documents.js";

/** A time with what was so in it; -Infinity where no beginning is on record. */
export interface Piece<Row> {
  from: number;
  to: number;
  rows: Row[];
}

/** Gates at one instant, or something that happened to a version. */
export interface Moment {
  time: number;
  status: Status | null;
  approval: boolean;
  kind: EventKind | "";
}

export interface Life {
  row: VersionRow;
  /** Place among all versions of the history. */
  at: number;
  /** `v12`. */
  label: string;
  /** As view/timeline.ts counts them; -1 for what never served. */
  colour: number;
  registered: number | null;
  gone: number | null;
  readonly stages: Piece<StageRow>[];
  readonly serving: Piece<ServedRow>[];
  moments: Moment[];
  /** Between which instants anything is known of it; null where no time is on record. */
  known: { from: number; to: number } | null;
  before: Life | null;
}

/** A part of what answers in a span: of its height, from 0 to 1. */
export interface Part {
  /** A version of this history, or null for anything else. */
  life: Life | null;
  name: string;
  /** The name with its share. */
  label: string;
  part: number;
  /** How much of the traffic it is was not read. */
  unread: boolean;
}

export interface Span {
  id: string;
  from: number;
  to: number;
  row: ServingSpan;
  parts: Part[];
  lane: Lane;
  at: number;
}

export interface Lane {
  id: string;
  title: string;
  /** Where it is, in a few words. */
  place: string;
  endpoints: string[];
  environment: string;
  spans: Span[];
  /** Of how many lanes it is the mean. */
  of: number;
}

/** Colours of versions, after which they come again. */
const COLOURS = 6;
/** So many of a kind are named in a sentence. */
const NAMED = 3;

export type Having = "serves" | "unread" | "apart";

/** Whether something answers: what is mirrored or deployed without traffic does not. */
export function having({ state, traffic }: Pick<Share, "state" | "traffic">): Having {
  if (state === "undetermined") return "unread";
  if (state === "shadow" || traffic === 0) return "apart";
  return state === "serving" || traffic !== null ? "serves" : "apart";
}

export class Story {
  readonly lives: Life[];
  readonly byRef = new Map<string, Life>();
  /** One for each endpoint and site. */
  readonly lanes: Lane[];
  /** The instant asked about: until then what lasts is drawn. */
  readonly end: number;
  /** Between which instants anything happened; null where no time is on record. */
  readonly whole: { from: number; to: number } | null;
  private readonly texts = new Map<Life, string>();
  private readonly spans = new Map<string, Span>();
  private joined: Lane[] | undefined;

  constructor(readonly content: History) {
    const asked = timeOf(content.question.as_of);
    const happened = new Map<string, EventRow[]>();
    for (const event of content.events)
      if (["rolled_back", "archived", "deleted", "restored"].includes(event.kind)) happened.set(event.ref, [...(happened.get(event.ref) ?? []), event]);
    let [first, last] = [Infinity, asked ?? -Infinity];
    const seen = (time: number): void => {
      if (!Number.isFinite(time)) return;
      first = Math.min(first, time);
      last = Math.max(last, time);
    };
    let served = 0;
    this.lives = content.versions.map((row, at) => {
      const life = lifeOf(row, at, happened.get(row.ref) ?? []);
      if (row.serving.length > 0) life.colour = served++ % COLOURS;
      if (life.known !== null) [life.known.from, life.known.to].forEach(seen);
      this.byRef.set(row.ref, life);
      return life;
    });
    this.lives.forEach((life, i) => (life.before = this.lives[i - 1] ?? null));
    this.lanes = content.lanes.map((row, at) => this.lane(row, at));
    for (const { spans } of this.lanes) for (const { from, to } of spans) [from, to].forEach(seen);
    this.end = asked ?? (Number.isFinite(last) ? last : 0);
    this.whole = Number.isFinite(first) ? { from: first, to: last } : null;
  }

  /** The version that a share is of. */
  lifeOf(share: Pick<Share, "version" | "model">): Life | null {
    return this.byRef.get(share.version ?? "") ?? this.byRef.get(share.model ?? "") ?? null;
  }

  span(id: string): Span | undefined {
    return this.spans.get(id);
  }

  /** One lane for each environment, made when they are looked at. */
  get environments(): Lane[] {
    return (this.joined ??= this.byEnvironment());
  }

  /** All that can be searched of a version, in small letters. */
  text(life: Life): string {
    let text = this.texts.get(life);
    if (text === undefined) {
      const { row } = life;
      const parts = [row.ref, life.label, row.label, row.description, now(this, life), ...row.runs, ...Object.entries(row.params).flat(), ...Object.keys(row.metrics), ...Object.entries(row.packages).flat()];
      for (const one of row.stages) parts.push(one.stage, one.because);
      for (const one of row.serving) parts.push(one.endpoint, one.site, one.environment, one.deployment);
      for (const one of row.gates) parts.push(one.gate, one.status, one.evaluator, one.expected);
      for (const one of row.data) parts.push(one.ref, one.role, one.digest);
      for (const one of row.code) parts.push(one.ref, one.commit);
      for (const one of row.ingredients) parts.push(one.ref, one.label);
      for (const one of row.parents) parts.push(one.ref, one.how);
      this.texts.set(life, (text = parts.join("\n").toLowerCase()));
    }
    return text;
  }

  private lane(row: LaneRow, at: number): Lane {
    const place = [row.site, row.environment].filter((one) => one !== "").map(clean).join(" · ");
    const lane: Lane = { id: `#${at}`, title: shortEndpoint(row.endpoint), place, endpoints: [row.endpoint], environment: row.environment, spans: [], of: 1 };
    lane.spans = row.spans.map((span, i) => ({ id: `#${at}/${i}`, from: timeOf(span.since) ?? -Infinity, to: timeOf(span.until) ?? Infinity, row: span, parts: this.parts(span.shares), lane, at: i }));
    for (const span of lane.spans) this.spans.set(span.id, span);
    return lane;
  }

  /** Shares of the whole; never more than all of it, and what is less than all leaves the rest empty. */
  private parts(shares: readonly Share[]): Part[] {
    const rows = shares.filter((row) => having(row) !== "apart");
    const read = rows.reduce((sum, row) => sum + Math.max(0, row.traffic ?? 0), 0);
    const whole = Math.max(100, read);
    const unread = rows.filter((row) => row.traffic === null).length;
    return rows.map((row) => {
      const life = this.lifeOf(row);
      const name = life?.label ?? (row.version === null && row.model === null ? "no model on record" : shortName(row.version ?? row.model ?? ""));
      // Of those whose share was not read, all have as much of what is left.
      const part = row.traffic === null ? (whole - read) / whole / unread : Math.max(0, row.traffic) / whole;
      const doubtful = having(row) === "unread" || (row.traffic === null && rows.length > 1);
      // Of thousands few are wide enough to be labelled.
      return {
        life,
        name,
        get label() {
          return `${name}${row.traffic === null ? (doubtful ? " share not read" : "") : ` ${percent(row.traffic)}`}`;
        },
        part,
        unread: doubtful,
      };
    });
  }

  /** The mean of all lanes of an environment, whenever one of them changes. */
  private byEnvironment(): Lane[] {
    const groups = new Map<string, Lane[]>();
    for (const lane of this.lanes) groups.set(lane.environment, [...(groups.get(lane.environment) ?? []), lane]);
    return [...groups].map(([environment, lanes], at) => {
      const endpoints = [...new Set(lanes.flatMap((lane) => lane.endpoints))];
      const place = lanes.length === 1 ? `${lanes[0]?.title ?? ""}` : `mean of ${lanes.length} lanes`;
      const joined: Lane = { id: `#e${at}`, title: environment === "" ? "environment not recorded" : clean(environment), place, endpoints, environment, spans: [], of: lanes.length };
      const all = pieces(lanes.flatMap((lane) => lane.spans.map((span) => ({ from: span.from, to: span.to, row: span }))));
      joined.spans = all.map(({ from, to, rows }, i) => {
        const shares = rows.flatMap((span) => span.row.shares);
        const kind = rows.some((span) => span.row.kind === "served") ? "served" : rows.some((span) => span.row.kind === "gap") ? "gap" : "unknown";
        const since = rows.find((span) => span.from === from)?.row.since ?? null;
        const until = rows.find((span) => span.to === to)?.row.until ?? null;
        const row: ServingSpan = { since, until, between_syncs: rows.some((span) => span.from === from && span.row.between_syncs), kind, shares, findings: rows.flatMap((span) => span.row.findings) };
        return { id: `#e${at}/${i}`, from, to, row, parts: mean(rows.flatMap((span) => span.parts), lanes.length), lane: joined, at: i };
      });
      for (const span of joined.spans) this.spans.set(span.id, span);
      return joined;
    });
  }
}

/** The same things of several lanes together. */
function mean(all: readonly Part[], of: number): Part[] {
  const found = new Map<string, Part>();
  for (const part of all) {
    const key = JSON.stringify([part.life?.row.ref ?? "", part.name, part.unread]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { ...part, part: part.part / of });
    else known.part += part.part / of;
  }
  return [...found.values()].map((part) => ({ ...part, label: `${part.name}${part.unread ? " share not read" : ` ${percent(Math.round(part.part * 1000) / 10)}`}` }));
}

/** Times that overlap as pieces that do not: each with all that was so in it. */
export function pieces<Row>(spans: readonly { from: number; to: number; row: Row }[]): Piece<Row>[] {
  const cuts = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const begins = [...spans].sort((a, b) => a.from - b.from);
  const found: Piece<Row>[] = [];
  let open: typeof begins = [];
  let next = 0;
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i] as number, cuts[i + 1] as number];
    open = open.filter((one) => one.to > from);
    for (let one = begins[next]; one !== undefined && one.from <= from; one = begins[++next]) if (one.to > from) open.push(one);
    if (open.length > 0) found.push({ from, to, rows: open.map(({ row }) => row) });
  }
  return found;
}

const span = <Row extends { since: string | null; until: string | null }>(row: Row): { from: number; to: number; row: Row } => ({ from: timeOf(row.since) ?? -Infinity, to: timeOf(row.until) ?? Infinity, row });

function lifeOf(row: VersionRow, at: number, events: readonly EventRow[]): Life {
  const moments: Moment[] = [];
  for (const gate of row.gates) {
    const time = timeOf(gate.event_time);
    if (time !== null && !isMeasured(gate)) moments.push({ time, status: statusOf(gate.status), approval: gate.gate_type === "approval", kind: "" });
  }
  for (const event of events) {
    const time = timeOf(event.at);
    if (time !== null) moments.push({ time, status: null, approval: false, kind: event.kind });
  }
  moments.sort((a, b) => a.time - b.time);
  const [registered, gone] = [timeOf(row.registered), timeOf(row.gone_at)];
  let [from, to] = [Infinity, -Infinity];
  const seen = (time: number | null): void => {
    if (time === null) return;
    from = Math.min(from, time);
    to = Math.max(to, time);
  };
  seen(registered);
  seen(gone);
  for (const { time } of moments) seen(time);
  for (const { since, until } of [...row.stages, ...row.serving]) {
    seen(timeOf(since));
    seen(timeOf(until));
  }
  // Of thousands few are looked at.
  let stages: Piece<StageRow>[] | undefined;
  let serving: Piece<ServedRow>[] | undefined;
  return {
    row,
    at,
    label: versionName(row),
    colour: -1,
    registered,
    gone,
    get stages() {
      return (stages ??= pieces(row.stages.map(span)));
    },
    get serving() {
      return (serving ??= pieces(row.serving.map(span)));
    },
    moments,
    known: from > to ? null : { from, to },
    before: null,
  };
}

/** `v12`; all versions of a history have the same name. */
export function versionName({ version, ref }: Pick<VersionRow, "version" | "ref">): string {
  return version === "" ? shortName(ref) : `${/^\d+$/u.test(version) ? "v" : ""}${brief(version)}`;
}

/** The first of several texts for which there is room; a long name is cut where most of it can stay, and else left out. */
export function roomFor(said: readonly string[], letters: number): string {
  const found = said.map(clean).find((text) => text !== "" && text.length <= letters);
  const last = said.at(-1) ?? "";
  return found ?? (letters >= 8 && last.length > 10 ? fit(last, letters) : "");
}

/** From when to when, in words. */
export function period({ since, until }: { since: string | null; until: string | null }): string {
  if (until === null) return since === null ? "since before the records" : `since ${instant(since)}`;
  return `${since === null ? "from before the records" : instant(since)} to ${instant(until)}`;
}

/** `between 9:00 and 10:00` where a beginning is not known better than that. */
export function begun({ since, earliest }: Pick<StageRow, "since" | "earliest">): string {
  if (since === null) return "since before the records";
  return earliest !== null && earliest !== since ? `begun between ${instant(earliest)} and ${instant(since)}` : `since ${instant(since)}`;
}

/** Endpoint, site and share of something that serves. */
export function servedWhere(row: ServedRow): string {
  const share = row.state === "serving" || row.traffic !== null ? (row.traffic === null ? "" : ` ${percent(row.traffic)}`) : "";
  const state = row.state === "serving" ? "" : row.state === "undetermined" ? " (share not read)" : ` (${row.state === "shadow" ? "mirrored" : words(row.state)})`;
  return `${shortEndpoint(row.endpoint)}${row.site === "" ? "" : ` at ${clean(row.site)}`}${share}${state}`;
}

/** What was so at an instant; its end is not in it. */
export function during<Row extends { since: string | null; until: string | null }>(rows: readonly Row[], time: number): Row[] {
  return rows.filter(({ since, until }) => (timeOf(since) ?? -Infinity) <= time && time < (timeOf(until) ?? Infinity));
}

/** What has become of a version at the instant asked about, in a word or two; empty where nothing says. */
export function now(story: Story, life: Life): string {
  const { row } = life;
  if (row.here === false) return "deleted";
  const rows = during(row.serving, story.end);
  if (rows.some((one) => having(one) === "serves")) return "serving";
  if (rows.some((one) => having(one) === "unread")) return "serving, share not read";
  const stages = during(row.stages, story.end).filter((one) => one.stage !== "none").map((one) => words(one.stage));
  return [...new Set(stages)].join(", ");
}

/** Results of people who may release it, the newest first. */
export function approvals({ gates }: VersionRow): GateRow[] {
  return gates.filter((gate) => gate.gate_type === "approval").sort((a, b) => (timeOf(b.event_time) ?? -Infinity) - (timeOf(a.event_time) ?? -Infinity));
}

/** `approved by mia on 2026-11-03`: what people decided, the newest first; contradictions are both said. */
export function approver(row: VersionRow): string {
  const said = approvals(row).map(({ status, evaluator, event_time }) => {
    const decided = status === "passed" ? `approved by ${person(evaluator)}` : status === "failed" ? `refused by ${person(evaluator)}` : `approval ${words(status)}`;
    return `${decided}${event_time === null ? "" : ` on ${instant(event_time).slice(0, 10)}`}`;
  });
  return said.length === 0 ? "no approval on record" : [...new Set(said)].slice(0, NAMED).join(", ");
}

/** What a stage is called; a version may be in none. */
export function stageName(stage: string): string {
  return stage === "none" ? "no stage" : words(stage);
}

/** A value for which nobody stated a condition: it was measured, and no gate decides by it. */
export function isMeasured({ expected, status }: GateRow): boolean {
  return expected === "" && status === "undetermined";
}

export function person(evaluator: string): string {
  return evaluator === "" ? "somebody not named" : brief(evaluator.replace(/^person:/u, ""));
}

/** A version's life in a sentence, for people who hear it. */
export function sentence(story: Story, life: Life): string {
  const { row } = life;
  const few = (parts: string[]): string => `${parts.slice(0, NAMED).join(", ")}${parts.length > NAMED ? ` and ${parts.length - NAMED} more` : ""}`;
  const said = [`${life.label}: ${row.registered === null ? "when it was registered is not on record" : `registered ${instant(row.registered)}`}`];
  const served = row.serving.filter((one) => having(one) !== "apart");
  if (row.stages.length > 0) said.push(few(row.stages.map((one) => `${stageName(one.stage)} ${begun(one)}`)));
  said.push(served.length === 0 ? "never served, as far as the records say" : `served ${few(served.map((one) => `${servedWhere(one)} ${period(one)}`))}`);
  const counts = WORST_FIRST.map((status) => ({ status, many: row.gates.filter((gate) => !isMeasured(gate) && statusOf(gate.status) === status).length })).filter(({ many }) => many > 0);
  said.push(counts.length === 0 ? "no gates on record" : `gates: ${counts.map(({ status, many }) => `${many} ${status}`).join(", ")}`);
  if (approvals(row).length > 0) said.push(approver(row));
  const ends = new Set(life.moments.filter(({ kind }) => kind !== "").map(({ kind }) => words(kind)));
  if (ends.size > 0) said.push([...ends].join(", "));
  const state = now(story, life);
  if (state !== "") said.push(`as things stood: ${state}`);
  return `${said.join("; ")}.`;
}
