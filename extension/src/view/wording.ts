/** The words for what came of a policy. They are Python's (sentences.py); a list of questions states evidence, never a verdict. */

import type { AskedPolicy, Audit, Outcome, RequirementResult, Status, Verdict } from "./audit.js";
import { brief, clean, instant, shortName } from "./text.js";

type Form = Pick<AskedPolicy, "form">;

const QUESTIONS: Record<Outcome, string> = { holds: "evidence found", fails: "contradicted", undetermined: "not determinable" };
const OUTCOMES: Record<Outcome, string> = { holds: "holds", fails: "fails", undetermined: "cannot be determined" };
const OUTCOME_OF: Record<Verdict, Outcome> = { PASSED: "holds", FAILED: "fails", INCOMPLETE: "undetermined" };
const STATUS_OF: Record<Outcome, Status> = { holds: "passed", fails: "failed", undetermined: "undetermined" };

/** Worst first. */
export const VERDICTS: readonly Verdict[] = ["FAILED", "INCOMPLETE", "PASSED"];
export const EVIDENCE_ONLY = "Evidence, not a statement of compliance.";

export function verdictWords(verdict: Verdict, { form }: Form): string {
  return form === "questions" ? QUESTIONS[OUTCOME_OF[verdict]] : verdict;
}

/** The status that has a verdict's shape. */
export function verdictStatus(verdict: Verdict): Status {
  return STATUS_OF[OUTCOME_OF[verdict]];
}

export function outcomeWords(outcome: Outcome, { form }: Form): string {
  return (form === "questions" ? QUESTIONS : OUTCOMES)[outcome];
}

/** An outcome with what the gate's own status adds to it. */
export function outcomeSaid({ outcome, status }: Pick<RequirementResult, "outcome" | "status">, form: Form): string {
  const said = outcomeWords(outcome, form);
  return status === STATUS_OF[outcome] ? said : `${said} (${status})`;
}

/** What is asked about: an endpoint, or a model as though it were released to it. */
export function asked({ question, nodes }: Pick<Audit, "question" | "nodes">): string {
  if (!question.candidate) return clean(question.endpoint);
  const known = nodes.find((node) => node.ref === question.candidate);
  return `${known === undefined ? shortName(question.candidate) : brief(known.label)}, as though released to ${shortName(question.endpoint)} on ${instant(question.as_of)}`;
}

/** Which policy judged, and which of its versions. */
export function policyWords({ name, version, applied = [], judged_as_of }: AskedPolicy): string {
  const versions = applied.length > 1 ? applied.map((item) => `${clean(item.version)} (${item.hops} hop${item.hops === 1 ? "" : "s"})`).join(", ") : clean(version);
  return `policy ${clean(name)} ${versions}${judged_as_of ? `, as in force at ${instant(judged_as_of)}` : ""}`;
}
