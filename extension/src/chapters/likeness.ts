/** Which of several endpoints or sites run the same thing. */

import type { Around, Shown } from "./around.js";
import { verdictBadge } from "./badges.js";
import type { Likeness } from "./documents.js";
import { called, commitName, count, lead, grouped, Page, press, quiet, short } from "./page.js";
import { column, Rows } from "./rows.js";
import { html, svg } from "../view/dom.js";
import { brief, clean, instant, shortEndpoint, shortName } from "../view/text.js";

type Row = Likeness["rows"][number];

/** Shapes that groups are told apart by, beside their letters. */
const SHAPES = ["M-8,-8H8V8H-8Z", "M-9,0a9,9 0 1,0 18,0a9,9 0 1,0 -18,0Z", "M0,-10L10,8H-10Z", "M0,-10L10,0L0,10L-10,0Z", "M-9,-5L0,-10L9,-5V5L0,10L-9,5Z", "M-4,-9H4L9,-4V4L4,9H-4L-9,4V-4Z"];

/** What is not known is like nothing, not even like something else that is not known. */
export function determined({ models, known }: Pick<Row, "models" | "known">): boolean {
  return known !== false && models.length > 0;
}

/** Groups in the order of their size, each with its letter. */
export function letters(rows: readonly Row[]): Map<number, string> {
  const sizes = new Map<number, number>();
  for (const row of rows) if (determined(row)) sizes.set(row.group, (sizes.get(row.group) ?? 0) + 1);
  return new Map([...sizes].sort(([g, a], [h, b]) => b - a || g - h).map(([group], i) => [group, letter(i)]));
}

/** A, B, … Z, AA, AB, … */
function letter(i: number): string {
  return (i >= 26 ? letter(Math.floor(i / 26) - 1) : "") + String.fromCharCode(65 + (i % 26));
}

/** Who runs the same, in one sentence, and who cannot be told. */
export function sentence(rows: readonly Row[]): string {
  const groups = letters(rows);
  const known = rows.filter(determined);
  const unknown = rows.filter((row) => !determined(row));
  const sites = rows.every((row) => row.site !== "");
  // With sites among them, a row is neither an endpoint nor a site.
  const noun = sites ? "site" : rows.some((row) => row.site !== "") ? "place" : "endpoint";
  const where = (row: Row): string => (sites ? clean(row.site) : [shortEndpoint(row.endpoint), clean(row.site)].filter((text) => text !== "").join(" at "));
  const parts = [...groups].map(([group, name], i) => {
    const here = known.filter((row) => row.group === group);
    const models = [...new Set(here[0]?.models ?? [])].map(shortName).join(" and ");
    return `${grouped(here.length)}${i === 0 ? ` of ${count(rows.length, noun)}` : ""} ${here.length === 1 ? "runs" : "run"} ${models} (${name})`;
  });
  const told =
    rows.length === 0
      ? "There is nothing to compare."
      : groups.size === 0
        ? `What ${rows.length === 1 ? `the ${noun}` : `the ${rows.length} ${noun}s`} ${rows.length === 1 ? "runs" : "run"} is not on record.`
        : groups.size === 1 && unknown.length === 0
          ? `${rows.length === 1 ? `The one ${noun} is` : `All ${rows.length} ${noun}s run the same`}: ${parts[0]?.replace(/^.* runs? /u, "") ?? ""}.`
          : `${parts.join(", ")}.`;
  return unknown.length === 0 || groups.size === 0 ? told : `${told} It cannot be determined for ${unknown.map(where).join(", ")}.`;
}

export function mountLikeness(element: HTMLElement, content: Likeness, around: Around): Shown {
  const { rows, digest } = content;
  const title = "Who runs the same";
  const page = new Page(element, "lx-likeness", title);
  const groups = letters(rows);
  const { open, trace } = around;
  const chosen = new Set<Row>();
  const boxes = new Map<Row, HTMLInputElement>();
  const why = html("span", { class: "lx-quiet" });
  const compare = press("Compare the two", () => {
    const asked = between(...([...chosen] as [Row, Row]));
    if (open !== undefined && chosen.size === 2 && asked !== null) open({ chapter: "comparison", a: asked[0], b: asked[1], known_at: "", policy: "" });
  });
  const choose = (): void => {
    const two = [...chosen];
    const asked = two.length === 2 ? between(two[0] as Row, two[1] as Row) : null;
    compare.disabled = asked === null;
    why.textContent = two.length === 2 ? (asked === null ? "These two rows are of one endpoint, and do not each run one model of its own: there are no two sides to compare." : "Two rows are chosen.") : `${two.length} of 2 rows chosen`;
    page.live.say(why.textContent);
  };
  const name = (row: Row): string => [row.endpoint, row.site].filter((text) => text !== "").join(" at ");
  const mark = (row: Row): Node => {
    const known = groups.get(row.group);
    if (!determined(row) || known === undefined) return html("span", { class: "lx-badge lx-quiet" }, "? undetermined");
    const i = [...groups.keys()].indexOf(row.group);
    const shape = svg("svg", { viewBox: "-11 -11 22 22", width: 18, height: 18, class: "lx-inline lx-groupshape", "aria-hidden": "true" }, svg("path", { class: `lx-c${i % 6}`, d: SHAPES[i % SHAPES.length] ?? "" }));
    return html("span", { class: "lx-badge lx-groupmark" }, shape, html("strong", {}, known));
  };
  const list = (refs: readonly string[], none: string): (Node | string)[] => [refs.length === 0 ? quiet(none) : short(refs.map((ref) => called(ref)))];
  const table = new Rows<Row>(
    `${page.id}-rows`,
    {
      caption: "Endpoints and sites, with what they run",
      none: "There is nothing to compare.",
      columns: [
        {
          title: "Endpoint",
          text: (row) => row.endpoint,
          show: (row) => {
            const shown: (Node | string)[] = [trace === undefined ? shortEndpoint(row.endpoint) : lead(shortEndpoint(row.endpoint), `Trace of ${row.endpoint}`, () => trace(row.endpoint, row.as_of))];
            if (open === undefined) return shown;
            const box = boxes.get(row) ?? html("input", { type: "checkbox", "aria-label": clean(`Choose ${name(row)}`) });
            if (!boxes.has(row))
              box.addEventListener("change", () => {
                if (box.checked) chosen.add(row);
                else chosen.delete(row);
                // The third takes the place of the first.
                const first = [...chosen][0];
                if (chosen.size > 2 && first !== undefined) {
                  chosen.delete(first);
                  const old = boxes.get(first);
                  if (old !== undefined) old.checked = false;
                }
                choose();
              });
            boxes.set(row, box);
            return [html("span", { class: "lx-choice" }, box, ...shown)];
          },
        },
        column("Site", (row) => row.site),
        column("As of", (row) => row.as_of, (row) => [instant(row.as_of)]),
        column("Group", (row) => (determined(row) ? (groups.get(row.group) ?? "") : "undetermined"), (row) => [mark(row)]),
        column("Models", (row) => row.models.join(", "), (row) => list(row.models, "not on record")),
        column("Data", (row) => row.data.join(", "), (row) => list(row.data, "none on record")),
        column("Code", (row) => row.code.join(", "), (row) => [row.code.length === 0 ? quiet("none on record") : short(row.code.map((ref) => called(ref, commitName(ref))))]),
        column("Verdict", (row) => row.verdict ?? "not judged", (row) => [verdictBadge(row.verdict, {})]),
        column("Note", (row) => row.note, (row) => [brief(row.note)]),
      ],
    },
    rows,
  );
  if (open !== undefined) choose();
  page.put(
    html("header", { class: "lx-head" }, html("h2", {}, title), html("p", { class: "lx-answer" }, sentence(rows)), html("p", { class: "lx-quiet" }, html("code", {}, clean(digest)))),
    page.section(
      "Endpoints and sites",
      "alike",
      html("div", { class: "lx-bar" }, ...(open === undefined ? [] : [compare, why]), html("span", { class: "lx-ends-bar" }, press("Save as CSV", () => page.save("likeness.csv", table.content())))),
      table.element,
    ),
  );
  return { title, destroy: () => page.destroy() };
}

/** What two rows are asked for by: their endpoints, and of sites of one endpoint their models. Null where that is one thing twice. */
export function between(x: Row, y: Row): [string, string] | null {
  if (x.endpoint !== y.endpoint || x.as_of !== y.as_of) return [`${x.endpoint}@@${x.as_of}`, `${y.endpoint}@@${y.as_of}`];
  const [a, b] = [x.models[0], y.models[0]];
  if (x.models.length !== 1 || y.models.length !== 1 || a === undefined || b === undefined || a === b) return null;
  return [`${a}@@${x.as_of}`, `${b}@@${y.as_of}`];
}
