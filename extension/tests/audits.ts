/** Audits made for tests: small ones that say one thing, and large ones. */

import type { Audit, Hop, Lane, Status, TraceNode } from "../src/view/audit.js";

export function node(ref: string, lane: Lane, more: Partial<TraceNode> = {}): TraceNode {
  const [kind = "", rest = ""] = ref.split(/:(.*)/su);
  return {
    ref,
    kind,
    type: kind === "run" ? "activity" : "entity",
    name: rest,
    version: "",
    namespace: "",
    label: rest,
    fact: "",
    lane,
    resolved: true,
    roles: [],
    digest: "",
    identified_by: "identifier",
    since: null,
    description: "",
    attributes: {},
    record: {},
    source: null,
    ...more,
  };
}

export function hop(id: string, cause: string, effect: string, status: Status = "none", more: Partial<Hop> = {}): Hop {
  return {
    id,
    cause,
    effect,
    predicate: "used",
    role: "",
    basis: "identifier",
    via: "",
    traffic: null,
    site: "",
    since: null,
    until: null,
    event_time: null,
    status,
    requirements: [],
    record: {},
    source: null,
    ...more,
  };
}

export function audit(nodes: TraceNode[], hops: Hop[], more: Partial<Audit> = {}): Audit {
  return {
    question: {
      endpoint: nodes.find((item) => item.lane === "endpoint")?.ref ?? "endpoint:none",
      as_of: "2026-11-21T10:00:00Z",
      known_at: "2026-11-21T10:00:00Z",
      policy: { name: "default", version: "1", digest: "sha256:00" },
    },
    verdict: "INCOMPLETE",
    answer: "Nobody knows.",
    serving: [],
    nodes,
    hops,
    evidence: [],
    datasets: [],
    findings: [],
    digest: "sha256:0123456789abcdef",
    ...more,
  };
}

/** Two raw tables, one preparation, one model, one endpoint; and an evaluation beside the flow. */
export function small(): Audit {
  return audit(
    [
      node("dataset:customers@1", "data", { label: "customers v1", roles: ["training"], digest: "sha256:aaaa" }),
      node("dataset:usage@1", "data", { label: "usage v1", roles: ["training"] }),
      node("dataset:holdout@1", "data", { label: "holdout v1", roles: ["evaluation"] }),
      node("run:train", "training", { label: "train" }),
      node("model:churn@3", "registry", { label: "churn v3" }),
      node("run:evaluate", "registry", { label: "evaluate" }),
      node("endpoint:churn-prod", "endpoint", { label: "churn-prod" }),
    ],
    [
      hop("h1", "model:churn@3", "endpoint:churn-prod", "passed", { predicate: "serves", traffic: 90 }),
      hop("h2", "run:train", "model:churn@3", "missing", { predicate: "was_generated_by" }),
      hop("h3", "dataset:customers@1", "run:train", "failed", { role: "training" }),
      hop("h4", "dataset:usage@1", "run:train", "none", { role: "training", basis: "declared" }),
      hop("h5", "dataset:holdout@1", "run:evaluate", "none", { role: "evaluation" }),
      hop("h6", "model:churn@3", "run:evaluate", "none"),
    ],
  );
}
