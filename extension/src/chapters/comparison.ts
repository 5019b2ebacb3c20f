/** Two audits next to each other: what differs, in words, in a table, in both drawings, and in full. */

import type { Around, Shown } from "./around.js";
import { badge, verdictBadge } from "./badges.js";
import { aspects, aspectTitle, differenceRows, differenceTable, JUDGED, lines, said, type Line } from "./differences.js";
import type { Comparison, Difference, Side } from "./documents.js";
import { onlyWord } from "./marked.js";
import { count, lead, nothing, grouped, Page, press, quiet, toggle } from "./page.js";
import { column, Rows, type Column } from "./rows.js";
import { Sides } from "./sides.js";
import { html, keepPlainKeys } from "../view/dom.js";
import { fileName } from "../view/saving.js";
import { brief, clean, fit, instant, shortName, words } from "../view/text.js";
import { EVIDENCE_ONLY, policyWords } from "../view/wording.js";

/** Letters of a side's name where both stand in one line. */
export function titleOf({ title }: Pick<Side, "title">): string {
  return brief(title.replace(/(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z/gu, "$1 $2 UTC"));
}

/** A place of either lineage, and what stands there. */
interface Place {
  a: string;
  b: string;
  state: string;
  change: Difference["change"] | null;
}

export function mountComparison(element: HTMLElement, content: Comparison, around: Around): Shown {
  return new View(element, content, around);
}

class View implements Shown {
  readonly title: string;
  private readonly page: Page;
  private readonly sides: Sides;
  private readonly rows: Rows<Line>;
  private readonly search = html("input", { type: "search", class: "lx-search", placeholder: "Search differences…", "aria-label": "Search differences" });
  private readonly found = html("span", { class: "lx-found" });
  private readonly wanted = new Set<string>();
  private judged: boolean;

  constructor(
    element: HTMLElement,
    private readonly content: Comparison,
    private readonly around: Around,
  ) {
    const { a, b, differences } = content;
    this.title = `${fit(titleOf(a), 80)} and ${fit(titleOf(b), 80)}`;
    this.page = new Page(element, "lx-comparison", `Comparison: ${this.title}`);
    const { page } = this;
    // What follows from the rest is left out at first, unless there is no rest.
    this.judged = differences.every((item) => JUDGED.includes(item.aspect));
    this.sides = new Sides(page.id, content, {
      say: (text) => page.live.say(text),
      search: () => this.search.focus(),
      selected: (x, y) => this.rows.mark(({ items }) => items.some((item) => (x !== "" && item.a_ref === x) || (y !== "" && item.b_ref === y))),
    });
    this.rows = differenceRows(`${page.id}-rows`, [], {
      drawn: (ref) => this.sides.has(ref),
      select: (item) => this.sides.point(item),
      policy: a.audit.question.policy,
    });
    this.search.addEventListener("input", () => this.filter());
    keepPlainKeys(this.search);
    this.filter(false);
    const differing = page.section("What differs", "differing", ...(differences.length === 0 ? [html("p", { class: "lx-nothing" }, unlisted(content))] : [this.bar(), this.rows.element]));
    page.put(
      this.head(),
      differing,
      page.section("Side by side", "drawn", this.sides.element),
      page.section("All places of both lineages", "places", this.places()),
    );
  }

  destroy(): void {
    this.sides.destroy();
    this.page.destroy();
  }

  private head(): HTMLElement {
    const { a, b, differences, summary, digest } = this.content;
    const { open } = this.around;
    const policies = [a, b].map(({ audit }) => audit.question.policy);
    const swap = (): void =>
      open?.({ chapter: "comparison", a: b.asked, b: a.asked, known_at: a.audit.question.known_at, policy: policies[0]?.name === policies[1]?.name ? (policies[0]?.name ?? "") : "" });
    return html(
      "header",
      { class: "lx-head" },
      html("h2", {}, differences.length === 0 ? (this.content.same ? "No difference between A and B" : "No difference between A and B is listed") : `${count(differences.length, "difference")} between A and B`),
      html("div", { class: "lx-vs" }, this.card("A", a), ...(open === undefined ? [] : [press("⇄ Swap", swap, { "aria-label": "⇄ Swap A and B" })]), this.card("B", b)),
      ...(summary.length === 0 ? [] : [html("div", { class: "lx-answer lx-prose" }, ...summary.map((sentence) => html("p", {}, brief(sentence))))]),
      ...(policies.some(({ form }) => form === "questions") ? [html("p", { class: "lx-quiet" }, EVIDENCE_ONLY)] : []),
      html("p", { class: "lx-quiet lx-sealed" }, html("code", {}, clean(digest)), press("Copy the summary", () => this.page.copy([`A: ${a.title}`, `B: ${b.title}`, ...summary, digest].join("\n"), "the summary"))),
    );
  }

  private card(letter: "A" | "B", side: Side): HTMLElement {
    const { audit } = side;
    const { question, verdict } = audit;
    const { trace } = this.around;
    const [ref, at] = askedOf(side);
    return html(
      "div",
      { class: "lx-vsside", role: "group", "aria-label": letter },
      html("p", {}, html("span", { class: "lx-letter" }, letter), " ", html("strong", { title: clean(side.title) }, fit(titleOf(side), 160))),
      html("p", {}, verdictBadge(verdict, question.policy)),
      html("p", { class: "lx-quiet" }, [`as of ${instant(question.as_of)}`, `known at ${instant(question.known_at)}`, ...(question.policy.name === "" ? [] : [policyWords(question.policy)])].join(" · ")),
      ...(trace === undefined ? [] : [html("p", {}, press(`Trace of ${letter}`, () => trace(ref, at)))]),
    );
  }

  /** Chips to filter by, each with how many there are. */
  private bar(): HTMLElement {
    const { differences } = this.content;
    const found = aspects(differences);
    const chips = new Map(
      found.map(([aspect, many]) => [
        aspect,
        toggle([aspectTitle(aspect), " ", html("span", { class: "lx-number" }, String(many))], false, (pressed) => {
          if (pressed) this.wanted.add(aspect);
          else this.wanted.delete(aspect);
          this.filter();
        }),
      ]),
    );
    const judged = found.filter(([aspect]) => JUDGED.includes(aspect)).reduce((sum, [, many]) => sum + many, 0);
    const box = html("input", { type: "checkbox", role: "switch", checked: this.judged });
    const follow = (): void => {
      for (const [aspect, chip] of chips) if (JUDGED.includes(aspect)) chip.hidden = !this.judged;
    };
    box.addEventListener("change", () => {
      this.judged = box.checked;
      for (const aspect of JUDGED) {
        if (this.judged) continue;
        this.wanted.delete(aspect);
        chips.get(aspect)?.setAttribute("aria-pressed", "false");
      }
      follow();
      this.filter();
    });
    follow();
    return html(
      "div",
      { class: "lx-bar lx-differencebar" },
      this.search,
      html("span", { class: "lx-chipset", role: "group", "aria-label": "Only what is about" }, ...chips.values()),
      ...(judged === 0 ? [] : [html("label", { class: "lx-choice" }, box, "Requirements and gates too ", html("span", { class: "lx-count" }, `(${judged})`))]),
      this.found,
      html("span", { class: "lx-ends-bar" }, press("Save as CSV", () => this.page.save(this.file("differences"), differenceTable(this.listed().flatMap(({ items }) => items))))),
    );
  }

  private listed(): Line[] {
    const typed = this.search.value.toLowerCase().split(/\s+/u).filter((word) => word !== "");
    return lines(this.content.differences).filter(({ aspect, items }) => {
      if (!this.judged && JUDGED.includes(aspect)) return false;
      if (this.wanted.size > 0 && !this.wanted.has(aspect)) return false;
      if (typed.length === 0) return true;
      const text = items.flatMap((item) => [aspectTitle(aspect), item.subject, item.name, said(item.a), said(item.b), item.change, item.note, item.a_ref ?? "", item.b_ref ?? "", ...(item.text ?? []).map(({ line }) => line)]).join(" ").toLowerCase();
      return typed.every((word) => text.includes(word));
    });
  }

  private filter(told = true): void {
    const shown = this.listed();
    const { differences } = this.content;
    const many = shown.reduce((sum, { items }) => sum + items.length, 0);
    const text = many === differences.length ? count(many, "difference") : `${grouped(many)} of ${count(differences.length, "difference")}`;
    this.rows.show(shown, many < differences.length);
    this.found.textContent = text;
    if (told) this.page.live.say(`${text} shown`, 300);
  }

  /** Everything, as a table: what changed, what only one side has, what is alike. */
  private places(): HTMLElement {
    const { a, b, pairs, only_a, only_b } = this.content;
    const nodes = new Map([...a.audit.nodes, ...b.audit.nodes].map((node) => [node.ref, node]));
    const changed = pairs.filter((pair) => pair.changed);
    const alike = pairs.filter((pair) => !pair.changed);
    const all: Place[] = [
      ...changed.map((pair) => ({ ...pair, state: "changed", change: "changed" as const })),
      ...only_a.map((ref) => ({ a: ref, b: "", state: onlyWord("A", "removed"), change: "removed" as const })),
      ...only_b.map((ref) => ({ a: "", b: ref, state: onlyWord("B", "added"), change: "added" as const })),
      ...alike.map((pair) => ({ ...pair, state: "alike", change: null })),
    ];
    const side = (title: "A" | "B", of: (place: Place) => string): Column<Place> =>
      column(title, of, (place) => {
        const ref = of(place);
        if (ref === "") return [nothing()];
        const label = brief(nodes.get(ref)?.label ?? shortName(ref));
        return [this.sides.has(ref) ? lead(label, ref, () => this.sides.select(title === "A" ? 0 : 1, ref)) : label];
      });
    const rows = new Rows<Place>(
      `${this.page.id}-places`,
      {
        caption: `${count(changed.length, "place")} changed, ${only_a.length} only in A, ${only_b.length} only in B, ${alike.length} alike`,
        none: "Nothing is on record of either.",
        columns: [
          side("A", (place) => place.a),
          side("B", (place) => place.b),
          column("Kind", ({ a: one, b: other }) => words(nodes.get(one || other)?.kind ?? (one || other).replace(/:.*/su, ""))),
          column("State", ({ state }) => state, ({ state, change }) => [change === null ? quiet(state) : badge(change, state)], (place) => all.indexOf(place)),
        ],
      },
      all,
    );
    return html("div", {}, rows.element, html("p", { class: "lx-afterrows" }, press("Save as CSV", () => this.page.save(this.file("places"), rows.content()), { "aria-label": "Save as CSV: all places" })));
  }

  private file(what: string): string {
    const { a, b } = this.content;
    return fileName(`${shortName(askedOf(a)[0])}-${shortName(askedOf(b)[0])}`, `${what}.csv`);
  }
}

/** What a side asks about, and when. */
function askedOf({ asked, audit }: Side): [string, string] {
  const at = asked.lastIndexOf("@@");
  return at < 0 ? [asked, audit.question.as_of] : [asked.slice(0, at), asked.slice(at + 2) || audit.question.as_of];
}

function unlisted({ same }: Comparison): string {
  return `${same ? "Nothing that is on record differs between A and B" : "No single difference is listed"}; what is on record of neither cannot be compared.`;
}
