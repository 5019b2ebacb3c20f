/**
 * How a view reaches whoever holds the records. One set of questions for every host: a notebook's comm answers
 * them, a Jupyter server answers them over HTTP, and a report has nobody to ask and shows what stands in it.
 */

import type { Comparison, History, Impact, Rollback } from "../chapters/documents.js";
import type { Audit, Beyond, EvidenceRow, Hop, TraceNode } from "./audit.js";

export type Direction = "upstream" | "downstream" | "both";

/** What a reader can set, and what a host can set for the reader; kept the same on both sides. */
export interface ViewState {
  /** Reference of a node or id of a hop; empty when nothing is selected. */
  selected: string;
  /** The instant asked about, ISO 8601 with a time zone; empty for "now". */
  as_of: string;
  direction: Direction;
  /** What is searched for in the trace. */
  query: string;
}

/** A span in which the same things served. */
export interface Release {
  since: string | null;
  until: string | null;
  serving: { deployment: string; model: string | null; traffic: number | null; state: string; site?: string }[];
  /** True where the change is only known to lie between two syncs. */
  between_syncs: boolean;
}

/** What stands around a reference. Nothing in it is judged. */
export interface Exploration {
  root: string;
  /** The question with the instants it resolved to. */
  question: { ref: string; direction: Direction; depth: number | null; as_of: string; known_at: string };
  nodes: TraceNode[];
  hops: Hop[];
  evidence: EvidenceRow[];
  /** References with neighbours that are not among the nodes: how many, each way. */
  beyond: { [ref: string]: Beyond };
}

export interface Found {
  ref: string;
  kind: string;
  name: string;
  resolved: boolean;
}

/** A chapter that can be opened from what is on the screen, with what it is asked with. */
export type Wanted =
  | { chapter: "history"; ref: string; as_of: string; known_at: string }
  /** `a` and `b` are `REF` or `REF@@INSTANT`. */
  | { chapter: "comparison"; a: string; b: string; known_at: string; policy: string }
  | { chapter: "impact"; ref: string; as_of: string; known_at: string }
  | { chapter: "rollback"; endpoint: string; as_of: string; known_at: string; policy: string };

/** What a chapter is asked with. */
type AskedOf<C extends Wanted["chapter"]> = Omit<Extract<Wanted, { chapter: C }>, "chapter">;

/** Every question, what it is asked with and what comes back. */
export interface Questions {
  audit: { asked: { endpoint: string; as_of: string; known_at: string; policy: string }; answer: Audit };
  releases: { asked: { endpoint: string; known_at: string }; answer: Release[] };
  explore: {
    asked: { ref: string; direction: Direction; depth: number | null; as_of: string; known_at: string };
    answer: Exploration;
  };
  search: { asked: { query: string; kind: string; limit: number }; answer: Found[] };
  history: { asked: AskedOf<"history">; answer: History };
  comparison: { asked: AskedOf<"comparison">; answer: Comparison };
  impact: { asked: AskedOf<"impact">; answer: Impact };
  rollback: { asked: AskedOf<"rollback">; answer: Rollback };
}

export interface Transport {
  /** How Python opens the store (`open_store("lineage.db")`), as an expression; empty when that is not known. */
  readonly store: string;
  /**
   * Asks; rejects with an Error whose message is for people. Absent where no store is at hand.
   * An empty text in a question means its default: now, everything known, the default policy.
   */
  readonly ask?: <Q extends keyof Questions>(
    question: Q,
    asked: Questions[Q]["asked"],
    signal?: AbortSignal,
  ) => Promise<Questions[Q]["answer"]>;
  /** Opens a chapter over the trace. Absent where nobody could answer it: then nothing offers one. */
  readonly open?: (wanted: Wanted) => void;
  /** The reader changed something. */
  changed(state: Partial<ViewState>): void;
}
