/** The audit as Python writes it (`Audit.to_dict()`, format 1). The view draws it and decides nothing. */

export type Status = "passed" | "failed" | "pending" | "waived" | "stale" | "missing" | "undetermined" | "none";
export type Verdict = "PASSED" | "FAILED" | "INCOMPLETE";
export type Outcome = "holds" | "fails" | "undetermined";
export type Lane = "data" | "preparation" | "features" | "training" | "registry" | "deployment" | "endpoint";
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Origin {
  system: string;
  location: string;
  position: string;
  observed_at: string | null;
  recorded_at: string | null;
  digest: string;
}

export interface TraceNode {
  ref: string;
  kind: string;
  type: string;
  name: string;
  version: string;
  namespace: string;
  label: string;
  fact: string;
  lane: Lane;
  resolved: boolean;
  roles: string[];
  digest: string;
  identified_by: string;
  since: string | null;
  description: string;
  attributes: { [key: string]: Json };
  record: Json;
  source: Origin | null;
  /** Joined by an exploration: it is not part of the audit, and nobody judged it. */
  outside?: boolean;
}

/** Who lets something pass that does not hold, why, and until when. */
export interface Waiver {
  by: string;
  why: string;
  until: string;
}

export interface RequirementResult {
  requirement: string;
  title: string;
  required: boolean;
  outcome: Outcome;
  status: Status;
  /** The comparison that was made. */
  why: string;
  evidence: string[];
  /** The weakest of the records used; empty when none was. With all that follows, it is not in audits saved before policies had versions. */
  grade?: string;
  /** What would decide what cannot be determined. */
  needed?: string;
  /** The text that it is built on. */
  cites?: string;
  policy_version?: string;
  waiver?: Waiver | null;
}

export interface Hop {
  id: string;
  cause: string;
  effect: string;
  predicate: string;
  role: string;
  basis: string;
  via: string;
  traffic: number | null;
  site: string;
  since: string | null;
  until: string | null;
  event_time: string | null;
  status: Status;
  requirements: RequirementResult[];
  record: Json;
  source: Origin | null;
  outside?: boolean;
}

export interface EvidenceRow {
  id: string;
  subject: string;
  gate: string;
  gate_type: string;
  status: Status;
  grade: string;
  expected: string;
  actual: string;
  evaluator: string;
  event_time: string | null;
  pointer: string;
  source: Origin | null;
}

export interface DatasetRow {
  ref: string;
  role: string;
  identified_by: string;
  digest: string;
  how: string;
  /** One way from the endpoint to it. */
  path?: string[];
}

export interface ServingRow {
  deployment: string;
  model: string | null;
  traffic: number | null;
  state: string;
  mirrored: boolean;
  site: string;
  since: string | null;
  verdict: Verdict | null;
}

export interface FindingRow {
  severity: "error" | "warning" | "info";
  code: string;
  ref: string;
  message: string;
}

/** How many neighbours of a thing are not shown, each way. */
export interface Beyond {
  upstream: number;
  downstream: number;
}

/** The policy of a question, and which of its versions judged how many hops. */
export interface AskedPolicy {
  name: string;
  version: string;
  digest: string;
  /** A list of questions states evidence, and no verdict. */
  form?: "verdict" | "questions";
  /** The instant whose version judged every hop, where one was given. */
  judged_as_of?: string | null;
  applied?: { version: string; digest: string; hops: number }[];
}

export interface Audit {
  question: {
    endpoint: string;
    as_of: string;
    known_at: string;
    policy: AskedPolicy;
    /** The model that is judged as though it were released at `as_of`. */
    candidate?: string | null;
  };
  /** Null for an exploration shown alone, which nobody judged. */
  verdict: Verdict | null;
  answer: string;
  serving: ServingRow[];
  nodes: TraceNode[];
  hops: Hop[];
  evidence: EvidenceRow[];
  datasets: DatasetRow[];
  findings: FindingRow[];
  /** Of an exploration shown alone. */
  beyond?: { [ref: string]: Beyond };
  digest: string;
}

export const LANES: readonly { lane: Lane; title: string }[] = [
  { lane: "data", title: "Source data" },
  { lane: "preparation", title: "Preparation" },
  { lane: "features", title: "Features" },
  { lane: "training", title: "Training" },
  { lane: "registry", title: "Registry" },
  { lane: "deployment", title: "Release" },
  { lane: "endpoint", title: "Endpoint" },
];
