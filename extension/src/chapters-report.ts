/** The entry for reports of chapters: the view over the document that stands in the page. It asks nobody for anything. */

import { mountComparison } from "./chapters/comparison.js";
import type { Chapter, Serving } from "./chapters/documents.js";
import { mountHistory } from "./chapters/history.js";
import { mountImpact } from "./chapters/impact.js";
import { mountLikeness } from "./chapters/likeness.js";
import { mountRollback } from "./chapters/rollback.js";
import type { Shown } from "./chapters/around.js";
import { html } from "./view/dom.js";

const data = document.getElementById("lx-chapter")?.textContent;
const place = document.getElementById("lx-report");
try {
  if (data && place) show(place, JSON.parse(data) as Chapter);
} catch (error) {
  // The tables say the same.
  document.documentElement.classList.add("lx-broken");
  throw error;
}

function show(place: HTMLElement, content: Chapter): void {
  if (content.format === "lineage-explorer/serving") {
    // Who served when is a table, and stands in the page already.
    document.documentElement.classList.add("lx-plain");
    return;
  }
  const view = html("div");
  const heading = html("h1", { class: "lx-unseen" });
  place.setAttribute("role", "main");
  // Before it is mounted: a drawing measures the room that it has.
  place.append(heading, view);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = (): boolean => document.documentElement.classList.toggle("lx-dark", dark.matches);
  dark.addEventListener("change", dress);
  dress();
  heading.textContent = mount(view, content).title;
  // What was there for readers without scripts stays for the printer.
  document.documentElement.classList.add("lx-live");
}

/** Nobody answers questions here, so nothing is given that could ask them. */
function mount(view: HTMLElement, content: Exclude<Chapter, Serving>): Shown {
  switch (content.format) {
    case "lineage-explorer/history":
      return mountHistory(view, content, {});
    case "lineage-explorer/comparison":
      return mountComparison(view, content, {});
    case "lineage-explorer/likeness":
      return mountLikeness(view, content, {});
    case "lineage-explorer/impact":
      return mountImpact(view, content, {});
    case "lineage-explorer/rollback":
      return mountRollback(view, content, {});
    default:
      throw new Error("this page's document is of a kind that this report does not know");
  }
}
