/** What is asked and what the answer is: verdict, sentence, who serves. */

import type { AskedPolicy, Audit, ServingRow, Verdict } from "./audit.js";
import { html, svg } from "./dom.js";
import { inlineMark } from "./marks.js";
import { name, type Model } from "./model.js";
import { rank, reason, type Leads, type Reason } from "./requirement.js";
import { brief, clean, instant, percent, words } from "./text.js";
import { asked, EVIDENCE_ONLY, policyWords, verdictStatus, verdictWords } from "./wording.js";

/** Bars shown; the table has them all. */
const MOST = 8;
/** Reasons shown beside the verdict. */
const REASONS = 3;
/** Letters of an answer that is shown as it is. */
const LONG = 420;

export interface HeadingActions extends Leads {
  copy(text: string, what: string): void;
}

export function heading(model: Model, actions: HeadingActions): HTMLElement[] {
  const { audit } = model;
  const { question } = audit;
  const when = [`as of ${instant(question.as_of)}`, `known at ${instant(question.known_at)}`];
  if (question.policy.name !== "") when.push(policyWords(question.policy));
  if (question.policy.form === "questions") when.push(EVIDENCE_ONLY);
  const title = html(
    "div",
    { class: "lx-title" },
    ...(audit.verdict === null ? [] : [verdict(audit.verdict, question.policy)]),
    html("h2", {}, asked(audit)),
    html("p", { class: "lx-quiet" }, when.join(" · ")),
  );
  const answer = folded(html("p", { class: "lx-answer" }, clean(audit.answer)));
  if (audit.verdict === null) return [title, ...answer];
  const whole = html("button", { type: "button", class: "lx-button" }, "Copy the answer");
  whole.addEventListener("click", () => actions.copy(answerText(audit), "answer"));
  const sealed = html("p", { class: "lx-quiet lx-sealed" }, html("code", {}, clean(audit.digest)), " ", whole);
  return [title, html("div", { class: "lx-told" }, html("div", {}, ...reasons(model, actions), ...answer, sealed), shares(model, actions.select))];
}

/** A sentence that may be long: its beginning, and all of it on demand. Whoever hears it hears all of it. */
function folded(answer: HTMLElement): HTMLElement[] {
  if ((answer.textContent ?? "").length <= LONG) return [answer];
  answer.classList.add("lx-folded");
  const more = html("button", { type: "button", class: "lx-link lx-unfold", "aria-expanded": "false" }, "All of the answer");
  more.addEventListener("click", () => {
    const open = !answer.classList.toggle("lx-folded");
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? "Less of the answer" : "All of the answer";
  });
  return [answer, more];
}

/** Why the verdict is not better: what failed first, then what cannot be determined, then what holds by a waiver alone. */
function reasons(model: Model, leads: Leads): HTMLElement[] {
  const { audit, hops } = model;
  const found = new Map<string, Reason>();
  for (const hop of hops.values())
    for (const item of hop.requirements) {
      if (!item.required || rank(item) === 3) continue;
      // One model at several sites is one reason.
      const key = JSON.stringify([item.requirement, item.why, item.evidence]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { item, hops: [hop] });
      else known.hops.push(hop);
    }
  const wanting = [...found.values()].sort((a, b) => rank(a.item) - rank(b.item));
  const errors = wanting.length > 0 ? [] : audit.findings.filter((row) => row.severity === "error");
  if (wanting.length + errors.length === 0) return [];
  const rows = [
    ...wanting.slice(0, REASONS).map((one) => reason(model, one, leads)),
    ...errors.slice(0, REASONS).map((row) => html("li", {}, inlineMark("undetermined"), brief(row.message))),
  ];
  const more = wanting.length + errors.length - REASONS;
  return [html("ul", { class: "lx-why", "aria-label": "Why" }, ...rows, ...(more > 0 ? [html("li", { class: "lx-quiet" }, `and ${more} more, in the tables “Requirements” and “Findings”`)] : []))];
}

/** The answer as it can be quoted, with what it can be checked against. */
export function answerText(audit: Audit): string {
  return audit.verdict === null ? audit.answer : `${verdictWords(audit.verdict, audit.question.policy)}: ${audit.answer} (${audit.digest})`;
}

/** Who serves, as bars. */
function shares(model: Model, select: (id: string) => void): HTMLElement {
  const { serving } = model.audit;
  const list = html("ul", { class: "lx-shares", "aria-label": "Who serves" });
  for (const row of serving.slice(0, MOST)) {
    const go = html("button", { type: "button", class: "lx-link" }, row.model === null ? "no model on record" : name(model, row.model));
    go.addEventListener("click", () => select(row.model ?? row.deployment));
    const full = Math.max(0, Math.min(100, row.traffic ?? (row.state === "serving" ? 100 : 0)));
    const bar = svg(
      "svg",
      { class: "lx-share", viewBox: "0 0 100 8", width: 100, height: 8, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "lx-rail", width: 100, height: 8, rx: 4 }),
      svg("rect", { class: "lx-bar-fill", width: full, height: 8, rx: 4 }),
    );
    const where = row.site !== "" ? clean(row.site) : deploymentName(row.deployment);
    const judged = row.verdict === null ? html("span", { class: "lx-quiet" }, words(row.state)) : verdict(row.verdict, model.audit.question.policy);
    list.append(html("li", {}, go, html("span", { class: "lx-quiet" }, where), bar, html("span", { class: "lx-number" }, share(row)), judged));
  }
  if (serving.length > MOST) list.append(html("li", { class: "lx-quiet" }, `and ${serving.length - MOST} more deployments, in the table “Serving”`));
  if (serving.length === 0) list.append(html("li", { class: "lx-quiet" }, "Nobody serves it, as far as the records say."));
  return list;
}

function share(row: ServingRow): string {
  if (row.traffic !== null) return percent(row.traffic);
  if (row.state === "serving") return "all";
  return row.mirrored ? "mirrored" : words(row.state);
}

/** `deployment:churn-prod:stable@…`: the part after the endpoint's name. */
export function deploymentName(ref: string): string {
  const plain = (ref.split("@")[0] ?? ref).split("/").pop() ?? ref;
  return brief(plain.split(":").pop() ?? plain);
}

export function verdict(value: Verdict, form: Pick<AskedPolicy, "form">): HTMLElement {
  const status = verdictStatus(value);
  return html("span", { class: `lx-verdict lx-s-${status}` }, inlineMark(status), verdictWords(value, form));
}
