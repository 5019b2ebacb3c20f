/** Going back: what serves, what could serve instead, and whether that would have been lawful. */

import type { Around, Shown } from "./around.js";
import { verdictBadge } from "./badges.js";
import type { Candidate, Rollback, Share } from "./documents.js";
import { called, code, Page, press, quiet } from "./page.js";
import { here } from "./reached.js";
import { column, Rows, time } from "./rows.js";
import { html } from "../view/dom.js";
import { fileName } from "../view/saving.js";
import { brief, clean, instant, percent, shortEndpoint, shortName, words } from "../view/text.js";
import { EVIDENCE_ONLY, policyWords } from "../view/wording.js";

export function mountRollback(element: HTMLElement, content: Rollback, around: Around): Shown {
  const { question, serving, target, candidates, why, digest } = content;
  const { policy, as_of, known_at } = question;
  const { open, trace } = around;
  const title = `Rollback of ${shortEndpoint(question.endpoint)}`;
  const page = new Page(element, "lx-rollback", title);
  // Of several that serve, the one with the largest share.
  const now = [...serving].filter((one) => one.version !== null).sort((a, b) => (b.traffic ?? -1) - (a.traffic ?? -1))[0]?.version ?? null;
  const actions = (row: Pick<Candidate, "ref">): HTMLElement[] => [
    ...(open === undefined || now === null || now === row.ref
      ? []
      : [press("Compare with what serves", () => open({ chapter: "comparison", a: `${now}@@${as_of}`, b: `${row.ref}@@${as_of}`, known_at, policy: policy.name }), { "aria-label": `Compare with what serves: ${brief(row.ref)}` })]),
    ...(trace === undefined ? [] : [press("Trace", () => trace(row.ref, as_of), { "aria-label": `Trace of ${brief(row.ref)}` })]),
  ];
  const rows = new Rows<Candidate>(
    `${page.id}-rows`,
    {
      caption: "Versions that served before, the last first",
      none: "No version that served before is on record.",
      columns: [
        column("Version", (row) => row.ref, (row) => [called(row.ref, undefined, "lx-called"), ...(row.ref === target ? [" ", html("span", { class: "lx-target" }, "▶ target")] : [])]),
        column("Verdict", (row) => row.verdict, (row) => [verdictBadge(row.verdict, policy)]),
        column("Why", (row) => row.why, (row) => [brief(row.why)]),
        column("Served since", (row) => instant(row.served_since) || "not on record", undefined, (row) => time(row.served_since, -Infinity)),
        column("Served until", (row) => instant(row.served_until) || "still serves", undefined, (row) => time(row.served_until)),
        column("Still there", (row) => here(row.here)),
        column("Site", (row) => row.site),
        column("Deployment", (row) => row.deployment, (row) => [called(row.deployment)]),
        column("Audit", (row) => row.audit_digest, (row) => [code(row.audit_digest)]),
        ...(open === undefined && trace === undefined ? [] : [{ ...column<Candidate>("Go on", () => "", (row) => [html("span", { class: "lx-acts" }, ...actions(row))]), acts: true }]),
      ],
    },
    candidates,
  );
  rows.mark((row) => row.ref === target);
  const chosen = candidates.find((row) => row.ref === target);
  const goal = html(
    "div",
    { class: "lx-goal" },
    ...(target === null
      ? [html("p", {}, html("strong", {}, "There is no version to go back to."))]
      : [html("p", { class: "lx-title" }, called(target, undefined, "lx-called"), chosen === undefined ? quiet("not judged") : verdictBadge(chosen.verdict, policy), code(target))]),
    ...(why === "" ? [] : [html("p", {}, sentence(why))]),
    ...(chosen === undefined || chosen.why === "" || chosen.why === why ? [] : [html("p", {}, sentence(`Judged as if it were released at that instant: ${chosen.why}`))]),
    ...(target === null ? [] : [html("p", { class: "lx-acts" }, ...actions({ ref: target }))]),
  );
  page.put(
    html(
      "header",
      { class: "lx-head" },
      html("div", { class: "lx-title" }, html("h2", {}, title), html("p", { class: "lx-quiet" }, [...(question.site ? [`site ${clean(question.site)}`] : []), `as of ${instant(as_of)}`, `known at ${instant(known_at)}`, ...(policy.name === "" ? [] : [policyWords(policy)]), ...(policy.form === "questions" ? [EVIDENCE_ONLY] : [])].join(" · "))),
      html("p", { class: "lx-quiet" }, html("code", {}, clean(digest))),
    ),
    page.section("What to go back to", "goal", goal),
    page.section("What serves", "serves", serves(serving)),
    page.section("Candidates", "candidates", rows.element, html("p", { class: "lx-afterrows" }, press("Save as CSV", () => page.save(fileName(question.endpoint, "candidates.csv"), rows.content())))),
  );
  return { title, destroy: () => page.destroy() };
}

function serves(shares: readonly Share[]): HTMLElement {
  if (shares.length === 0) return html("p", { class: "lx-aboverows" }, "Nobody serves it, as far as the records say.");
  const one = ({ version, model, deployment, traffic, state, site, environment }: Share): HTMLElement =>
    html(
      "li",
      {},
      html("strong", { title: clean(version ?? model ?? deployment) }, version !== null ? shortName(version) : model !== null ? `${brief(model)}, version not on record` : "no model on record"),
      ` ${traffic === null ? "share not read" : percent(traffic)}, ${words(state)}`,
      html("span", { class: "lx-quiet" }, [shortName(deployment), site, environment].filter((text) => text !== "").map((text) => ` · ${clean(text)}`).join("")),
    );
  return html("ul", { class: "lx-list lx-aboverows" }, ...shares.map(one));
}

/** A reason that stands alone. */
function sentence(text: string): string {
  const said = brief(text);
  return /[.!?…]$/u.test(said) ? said : `${said}.`;
}
