/** The entry for reports: the view over the data that stands in the page. It asks nobody for anything. */

import type { Audit } from "./view/audit.js";
import { html } from "./view/dom.js";
import { isEstate, type Estate } from "./view/estate.js";
import { mountEstate } from "./view/heatmap.js";
import { mountAudit } from "./view/view.js";
import { asked, verdictWords } from "./view/wording.js";

const data = document.querySelector("#lx-audit, #lx-estate")?.textContent;
const place = document.getElementById("lx-report");
try {
  if (data && place) show(place, JSON.parse(data) as Audit | Estate);
} catch (error) {
  // The tables say the same.
  document.documentElement.classList.add("lx-broken");
  throw error;
}

function show(place: HTMLElement, content: Audit | Estate): void {
  const view = html("div");
  if (isEstate(content)) mountEstate(view, content);
  else mountAudit(view, content);
  place.setAttribute("role", "main");
  const title = isEstate(content) ? "Policy report" : `Lineage report: ${asked(content)}, ${content.verdict === null ? "not judged" : verdictWords(content.verdict, content.question.policy)}`;
  place.append(html("h1", { class: "lx-unseen" }, title), view);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = (): boolean => document.documentElement.classList.toggle("lx-dark", dark.matches);
  dark.addEventListener("change", dress);
  dress();
  // What was there for readers without scripts stays for the printer.
  document.documentElement.classList.add("lx-live");
}
