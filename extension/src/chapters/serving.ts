/** Who served an endpoint when, as a table: the gaps and overlaps are rows and words like the rest. */

import { html } from "../view/dom.js";
import { clean, instant, percent, shortName } from "../view/text.js";
import type { Around, Shown } from "./around.js";
import type { Serving, ServingSpan, Share } from "./documents.js";

export function mountServing(element: HTMLElement, content: Serving, { trace }: Around): Shown {
  const { endpoint } = content.question;
  const title = `Who served ${shortName(endpoint)}`;
  const rows = content.spans.map((span) => {
    const began = span.since;
    const from = html("th", { scope: "row" });
    if (trace === undefined || began === null || span.kind !== "served") from.append(began === null ? "before the first record" : instant(began));
    else {
      const go = html("button", { type: "button", class: "lx-link" }, instant(began));
      go.addEventListener("click", () => trace(endpoint, began));
      from.append(go);
    }
    if (span.between_syncs) from.append(" (or earlier, after the sync before)");
    return html(
      "tr",
      {},
      from,
      html("td", { "data-label": "Until" }, span.until === null ? "now" : instant(span.until)),
      html("td", { "data-label": "Who" }, ...who(span)),
      html("td", { "data-label": "Found" }, ...span.findings.map((found) => html("div", {}, clean(found.message)))),
    );
  });
  const head = html("tr", {}, ...["From", "Until", "Who", "Found"].map((word) => html("th", { scope: "col" }, word)));
  const scroll = html("div", { class: "lx-scroll lx-table", tabindex: 0, role: "region", "aria-label": "Spans" });
  scroll.append(html("table", {}, html("caption", {}, `${content.spans.length} spans, one after the other without a hole`), html("thead", {}, head), html("tbody", {}, ...rows)));
  const page = html("div", {}, html("header", { class: "lx-head" }, html("h2", {}, title)), scroll);
  element.replaceChildren(page);
  return { title, destroy: () => page.remove() };
}

function who({ kind, shares }: ServingSpan): HTMLElement[] {
  if (kind === "unknown") return [html("div", {}, "not known")];
  if (shares.length === 0) return [html("div", {}, "nobody answers")];
  return shares.map((share) => html("div", {}, said(share)));
}

function said({ version, model, deployment, traffic, state, site }: Share): string {
  const named = version ?? model;
  const parts = [named === null ? `no model on record, through ${shortName(deployment)}` : shortName(named), traffic === null ? "share not read" : percent(traffic), state, site === "" ? "" : `at ${clean(site)}`];
  return parts.filter((part) => part !== "").join(", ");
}
