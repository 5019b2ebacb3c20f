/**
 * The documents of chapters as Python writes them: `History.to_dict()`, `Comparison.to_dict()`, `Impact.to_dict()`,
 * `Rollback.to_dict()` and `servings.document()`, format 1. The views draw them and decide nothing.
 *
 * Times are RFC 3339 texts in UTC, or null where nothing is on record. References are texts.
 */

import type { AskedPolicy, Audit, Json, Verdict } from "../view/audit.js";

export interface Asked {
  as_of: string;
  known_at: string;
}

interface Document {
  format_version: 1;
  tool: { name: string; version: string };
  digest: string;
}

/** Where a record was read. */
export interface Read {
  system: string;
  position: string;
}

/** A gate's result. */
export interface GateRow {
  subject: string;
  gate: string;
  gate_type: string;
  status: string;
  grade: string;
  expected: string;
  actual: string;
  evaluator: string;
  event_time: string | null;
  pointer: string;
}

// --- who served when ---

/** What a deployment had of an endpoint's requests. */
export interface Share {
  deployment: string;
  /** As the deployment names it: a version, or an alias. */
  model: string | null;
  /** The version, where an alias points at exactly one; else the model as named. */
  version: string | null;
  traffic: number | null;
  state: "serving" | "deployed" | "shadow" | "undetermined";
  site: string;
  environment: string;
}

export interface ServingSpan {
  /** Null only for the time before the first record, when no beginning was asked for. */
  since: string | null;
  /** Null while it lasts. */
  until: string | null;
  /** `since` is only when it was first seen; it may have begun earlier, after the sync before. */
  between_syncs: boolean;
  /** `gap`: nobody answers. `unknown`: before the first record. */
  kind: "served" | "gap" | "unknown";
  shares: Share[];
  /** Gaps and overlaps, named: `no-deployment`, `no-traffic`, `not-recorded`, `overlap`, `short`, `split-not-read`, `contradiction`. */
  findings: { code: string; site: string; message: string }[];
}

export interface Serving extends Document {
  format: "lineage-explorer/serving";
  question: { endpoint: string; since: string | null; until: string | null; known_at: string };
  /** They follow one another without a hole. */
  spans: ServingSpan[];
}

// --- the versions of a name ---

export interface StageRow {
  stage: string;
  since: string | null;
  until: string | null;
  /** It may have begun as early as this. */
  earliest: string | null;
  because: string;
}

/** A time in which a version had the same share of an endpoint. */
export interface ServedRow extends Share {
  endpoint: string;
  since: string | null;
  until: string | null;
  between_syncs: boolean;
}

export interface DataRow {
  ref: string;
  role: string;
  /** `read by the run`, or `upstream of what was read`. */
  how: string;
  digest: string;
  identified_by: string;
  rows: number | null;
}

export interface CodeRow {
  ref: string;
  commit: string;
  /** Null where no record says. */
  dirty: boolean | null;
  /** An address that a record states; shown as text, never fetched. */
  link: string;
}

export interface VersionRow {
  ref: string;
  kind: string;
  version: string;
  label: string;
  description: string;
  registered: string | null;
  /** Whether its source still has it; null where nothing says. */
  here: boolean | null;
  gone_at: string | null;
  stages: StageRow[];
  serving: ServedRow[];
  /** About the version, its logged model, and the runs that evaluated it. */
  gates: GateRow[];
  params: { [name: string]: string };
  metrics: { [name: string]: number };
  /** Metrics whose value on record is no finite number, as it is written: `NaN`. */
  metric_texts?: { [name: string]: string };
  data: DataRow[];
  /** How many more datasets there are than `data` tells. */
  data_beyond?: number;
  code: CodeRow[];
  /** Package and version, as an environment on record states them. */
  packages: { [name: string]: string };
  /** Prompts, base models, indexes, environments: what else it was made of. */
  ingredients: { ref: string; kind: string; label: string; fact: string }[];
  runs: string[];
  /** What it was copied from, tuned from or built on. */
  parents: { ref: string; how: "copy" | "fine-tuning" | "derived" | "base model" | "prompt" | "index" }[];
}

export type EventKind =
  | "registered"
  | "evaluated"
  | "approved"
  | "rejected"
  | "gate"
  | "stage"
  | "served"
  | "traffic"
  | "stopped"
  | "rolled_back"
  | "archived"
  | "deleted"
  | "restored";

export interface EventRow {
  at: string | null;
  /** It may have happened as early as this; the same as `at` where the date is on record. */
  earliest: string | null;
  kind: EventKind;
  ref: string;
  endpoint: string;
  who: string;
  /** In words. */
  text: string;
  source: Read | null;
}

export interface LaneRow {
  endpoint: string;
  site: string;
  environment: string;
  /** All of its spans, also those in which something of another name served; only the shares at this site. */
  spans: ServingSpan[];
}

export interface History extends Document {
  format: "lineage-explorer/history";
  /** With `filter` it is a part of the history. */
  question: Asked & {
    ref: string;
    filter?: {
      versions: string[] | null;
      endpoint: string | null;
      stage: string | null;
      since: string | null;
      until: string | null;
    };
  };
  /** Whether the registry that lists the versions was read completely at its latest sync. */
  complete: boolean;
  /** In order of version: numbers by their size. */
  versions: VersionRow[];
  lanes: LaneRow[];
  /** Oldest first. */
  events: EventRow[];
  /** What the versions were made from, and what was made from them, across names. */
  tree: {
    nodes: { ref: string; kind: string; label: string }[];
    links: { parent: string; child: string; how: string }[];
    /** How many more links there are than `links` tells. */
    beyond?: number;
  };
}

// --- two sides ---

export type Aspect =
  | "verdict"
  | "policy"
  | "serving"
  | "model"
  | "data"
  | "schema"
  | "preparation"
  | "feature"
  | "code"
  | "parameter"
  | "metric"
  | "package"
  | "environment"
  | "prompt"
  | "gate"
  | "requirement"
  | "other";

export interface Difference {
  /** `d1`, `d2`, ... */
  id: string;
  aspect: Aspect;
  /** What it is about, in words: `training data customers`. */
  subject: string;
  /** Within the subject: a parameter's, column's, package's or gate's name; empty for the subject itself. */
  name: string;
  change: "added" | "removed" | "changed";
  /** Null on the side that has none. */
  a: Json;
  b: Json;
  /** b - a, of numbers. */
  delta: number | null;
  /** Whether b is better than a; null where no record says which way is better. */
  better: boolean | null;
  a_ref: string | null;
  b_ref: string | null;
  /** Of texts: the lines of both, `-` only in a, `+` only in b, a space in both. */
  text: { op: " " | "-" | "+"; line: string }[] | null;
  note: string;
}

export interface Side {
  /** As it was asked for, with the instant it resolved to: `endpoint:churn-prod as of 2026-10-03T00:00:00Z`. */
  title: string;
  /** `REF@@INSTANT`, by which it can be asked again. */
  asked: string;
  audit: Audit;
}

export interface Comparison extends Document {
  format: "lineage-explorer/comparison";
  a: Side;
  b: Side;
  /** No difference at all. */
  same: boolean;
  /** Sentences made from the differences alone. */
  summary: string[];
  differences: Difference[];
  /** Things that stand at the same place of both lineages. */
  pairs: { a: string; b: string; changed: boolean }[];
  /** References that stand at a place which the other side does not have. */
  only_a: string[];
  only_b: string[];
}

/** Which of several run the same thing. */
export interface Likeness extends Document {
  format: "lineage-explorer/likeness";
  /** `known`: whether all that it would have to be alike in is on record; where it is not, the row stands alone. */
  rows: { endpoint: string; site: string; as_of: string; group: number; models: string[]; data: string[]; code: string[]; verdict: Verdict | null; note: string; known?: boolean }[];
}

// --- whom it reached ---

export type Retrain = "yes" | "maybe" | "no";

export interface ReachedVersion {
  ref: string;
  kind: string;
  label: string;
  /** What the thing was for, as seen from this version: `training`, `evaluation`, `role not recorded`, ... */
  roles: string[];
  /** The weakest link on the strongest path. */
  strength: string;
  /** That path, from the thing to this version. */
  path: string[];
  registered: string | null;
  here: boolean | null;
  /** Endpoints that it answers at the instant asked about. */
  endpoints: string[];
  first_served: string | null;
  /** Null also while it lasts. */
  last_served: string | null;
  retrain: Retrain;
  why: string;
}

export interface Exposure {
  since: string | null;
  until: string | null;
  deployment: string;
  version: string | null;
  traffic: number | null;
  state: string;
  site: string;
  environment: string;
  roles: string[];
  strength: string;
  /** Its beginning or its end is only known to lie between two syncs. */
  between_syncs: boolean;
}

export interface ReachedEndpoint {
  ref: string;
  /** Whether what it answers with now was reached. */
  now: boolean;
  /** Percent of its requests that go to what was reached now, summed over sites' means; null where a split was not read. */
  traffic_now: number | null;
  roles: string[];
  strength: string;
  retrain: Retrain;
  why: string;
  first: string | null;
  last: string | null;
  exposures: Exposure[];
}

export interface TaintedEvaluation {
  run: string;
  label: string;
  /** What it read of what was reached. */
  data: string[];
  /** Which models it evaluated. */
  models: string[];
  gates: GateRow[];
  why: string;
}

export interface Impact extends Document {
  format: "lineage-explorer/impact";
  question: Asked & { ref: string };
  root: string;
  summary: string[];
  /** Of everything reached, by kind; also of what is not listed. */
  counts: { [kind: string]: number };
  versions: ReachedVersion[];
  endpoints: ReachedEndpoint[];
  evaluations: TaintedEvaluation[];
  /** Datasets, runs, indexes and others in between. */
  derived: { ref: string; kind: string; label: string; strength: string }[];
  /** How many of each list are not in this document; zero but where a limit was asked for. */
  beyond: { versions: number; endpoints: number; evaluations: number; derived: number };
  findings: { severity: string; code: string; ref: string; message: string }[];
}

// --- going back ---

export interface Candidate {
  ref: string;
  deployment: string;
  site: string;
  served_since: string | null;
  served_until: string | null;
  here: boolean | null;
  /** What `gate` says of it for this endpoint at the instant asked about. */
  verdict: Verdict;
  why: string;
  audit_digest: string;
}

export interface Rollback extends Document {
  format: "lineage-explorer/rollback";
  /** `site`: the one that was asked about; null for all. */
  question: Asked & { endpoint: string; policy: AskedPolicy; site?: string | null };
  serving: Share[];
  /** The version to go back to: the last that served before and is still there; null when there is none. */
  target: string | null;
  /** The last first. */
  candidates: Candidate[];
  why: string;
}

export type Chapter = History | Comparison | Likeness | Impact | Rollback | Serving;
