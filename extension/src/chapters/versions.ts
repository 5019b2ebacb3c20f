/** The history as tables: the same versions, events and spans that are drawn. */

import type { Found } from "../view/query.js";
import type { Cell, Sheet } from "../view/tables.js";
import { brief, clean, instant, percent, shortEndpoint, shortName, words } from "../view/text.js";
import { timeOf } from "./axis.js";
import type { Share } from "./documents.js";
import type { Kept } from "./filters.js";
import { NOBODY, UNKNOWN } from "./lanes.js";
import { approver, begun, having, now, period, servedWhere, stageName, type Life, type Span, type Story } from "./story.js";
import { number, own } from "./version.js";

const told = (text: string): Cell => ({ text: brief(text), full: text });
const at = (text: string | null, none = ""): Cell => ({ text: text === null ? none : instant(text), full: text ?? none, order: timeOf(text) ?? -Infinity });

/** From when to when, to the day; the file has it to the minute. */
const days = (row: { since: string | null; until: string | null }): string => period(row).replace(/ \d\d:\d\d UTC/gu, "");

/** What a table is told of filters, so that an empty one says why; what is in it is chosen here. */
export function found({ narrowed }: Kept): Found | null {
  return narrowed ? { nodes: [], hops: [], lit: new Set(), text: () => true, problem: "", cut: false } : null;
}

export function versionSheet(story: Story, kept: Kept, metrics: readonly string[]): Sheet {
  return {
    title: "Versions",
    caption: "Every version, with its stages and where it served",
    columns: ["Version", "Registered", "State", "Stages", "Served", "Approval", ...metrics.map(clean), "Data", "Code"],
    count: kept.lives.length,
    rows: () =>
      [...kept.lives].reverse().map((life) => {
        const { row } = life;
        return [
          { text: life.label, id: row.ref, full: row.ref, key: row.ref, order: life.at },
          at(row.registered, "not on record"),
          { text: now(story, life) },
          { text: row.stages.map((one) => `${stageName(one.stage)} ${days(one)}`).join("; "), full: row.stages.map((one) => `${stageName(one.stage)} ${begun(one)}`).join("; ") },
          { text: row.serving.map((one) => `${servedWhere(one)} ${days(one)}`).join("; "), full: row.serving.map((one) => `${servedWhere(one)} ${period(one)}`).join("; ") },
          { text: approver(row) },
          ...metrics.map((name): Cell => {
            const value = own(row.metrics, name);
            return value === undefined ? { text: "", order: -Infinity } : { text: number(value), full: String(value), order: value };
          }),
          { text: row.data.map((one) => `${shortName(one.ref)} (${words(one.role) || "role not recorded"})`).join(", "), full: row.data.map((one) => one.ref).join(", ") },
          { text: row.code.map((one) => `${brief(one.commit) || shortName(one.ref)}${one.dirty === true ? " (changed)" : ""}`).join(", "), full: row.code.map((one) => one.commit || one.ref).join(", ") },
        ];
      }),
  };
}

export function eventSheet(story: Story, kept: Kept): Sheet {
  return {
    title: "Events",
    caption: "Everything that happened, the newest first",
    columns: ["When", "What", "Version", "Endpoint", "Who", "In words", "Read from"],
    count: kept.events.length,
    rows: () =>
      [...kept.events].reverse().map((event, i) => {
        const life = story.byRef.get(event.ref);
        const between = event.earliest !== null && event.at !== null && event.earliest !== event.at;
        return [
          { ...at(event.at, "not on record"), key: String(i), ...(between ? { text: `between ${instant(event.earliest)} and ${instant(event.at)}` } : {}) },
          { text: words(event.kind) },
          life === undefined ? told(event.ref) : { text: life.label, id: event.ref, full: event.ref, order: life.at },
          { text: event.endpoint === "" ? "" : shortEndpoint(event.endpoint), full: event.endpoint },
          told(event.who),
          told(event.text),
          event.source === null ? { text: "" } : told(`${event.source.system} ${event.source.position}`),
        ];
      }),
  };
}

export function servingSheet(story: Story, kept: Kept): Sheet {
  const rows = story.lanes
    .filter((lane) => kept.lane(lane))
    .flatMap(({ spans }) => spans)
    .filter((span) => span.from < kept.to && span.to >= kept.from)
    .flatMap((span): { span: Span; share: Share | null; life: Life | null }[] => {
      const shares = span.row.shares.map((share) => ({ span, share, life: story.lifeOf(share) }));
      // Who is looked for by what it is, is neither a gap nor something of another name.
      if (kept.chosen) return shares.filter(({ life }) => life !== null && kept.refs.has(life.row.ref));
      return shares.length === 0 ? [{ span, share: null, life: null }] : shares;
    });
  return {
    title: "Serving",
    caption: "Who served from when to when, with the gaps",
    columns: ["Endpoint", "Where", "From", "Until", "Who", "Traffic", "Deployment", "Findings"],
    count: rows.length,
    rows: () =>
      rows.map(({ span, share, life }, i) => {
        const { row, lane } = span;
        const name = share?.version ?? share?.model ?? null;
        const state = share === null ? "apart" : having(share);
        const traffic = share === null ? "" : share.state === "shadow" ? `mirrored${share.traffic === null ? "" : ` ${percent(share.traffic)}`}` : share.traffic !== null ? percent(share.traffic) : state === "unread" ? "not read" : state === "serves" ? "all" : "deployed";
        return [
          { text: lane.title, id: span.id, full: lane.endpoints.join(" "), key: String(i) },
          { text: share === null ? lane.place : [share.site, share.environment].filter((text) => text !== "").map(clean).join(" · ") },
          { ...at(row.since, "not on record"), ...(row.between_syncs ? { text: `${instant(row.since)} or earlier` } : {}) },
          { ...at(row.until, "still so"), ...(row.until === null ? { order: Infinity } : {}) },
          share === null ? { text: row.kind === "unknown" ? UNKNOWN : NOBODY } : life === null ? { text: name === null ? "no model on record" : shortName(name), full: name ?? "" } : { text: life.label, id: life.row.ref, full: life.row.ref, order: life.at },
          { text: traffic, order: share?.traffic ?? -1 },
          { text: share === null ? "" : shortName(share.deployment), full: share?.deployment ?? "" },
          told(row.findings.map((one) => one.message).join("; ")),
        ];
      }),
  };
}
