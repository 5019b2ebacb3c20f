/** The entry for the report: the view over the data that stands in the page. It asks nobody for anything. */

import type { Audit } from "./view/audit.js";
import { html } from "./view/dom.js";
import { clean } from "./view/text.js";
import { mountAudit } from "./view/view.js";

const data = document.getElementById("lx-audit")?.textContent;
const place = document.getElementById("lx-report");
if (data && place) {
  const audit = JSON.parse(data) as Audit;
  const view = html("div");
  mountAudit(view, audit);
  place.setAttribute("role", "main");
  place.append(html("h1", { class: "lx-unseen" }, `Lineage report: ${clean(audit.question.endpoint)}, ${audit.verdict}`), view);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = (): boolean => document.documentElement.classList.toggle("lx-dark", dark.matches);
  dark.addEventListener("change", dress);
  dress();
  // What was there for readers without scripts stays for the printer.
  document.documentElement.classList.add("lx-live");
}
