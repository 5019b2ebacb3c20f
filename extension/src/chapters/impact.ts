/** Whom a thing reached: what to retrain first, then everything that it went into, and when it answered. */

import type { Around, Shown } from "./around.js";
import { retrainOf, RETRAINS, retrainSign } from "./badges.js";
import type { Impact, Retrain } from "./documents.js";
import { count, grouped, Page, press, toggle } from "./page.js";
import { derivedRows, endpointRows, evaluationRows, findingRows, LADDER, NOT_LISTED, Onwards, rung, versionRows, wanting, wantingRows } from "./reached.js";
import type { Rows } from "./rows.js";
import { html, keepPlainKeys } from "../view/dom.js";
import { fileName } from "../view/saving.js";
import { Tabs } from "../view/tabs.js";
import { brief, clean, instant, shortName, words } from "../view/text.js";

/** What a row of any of the lists is filtered by; a list that does not say something is not filtered by it. */
interface Sieve {
  text: string;
  retrain?: string;
  strength?: string;
  now?: boolean;
}

interface List {
  title: string;
  file: string;
  total: number;
  beyond: number;
  rows: { element: HTMLElement; count: number; content(): string[][] };
  filter(): void;
}

export function mountImpact(element: HTMLElement, content: Impact, around: Around): Shown {
  return new View(element, content, around);
}

class View implements Shown {
  readonly title: string;
  private readonly page: Page;
  private readonly lists: List[];
  private readonly first: List;
  private readonly tabs: Tabs;
  private readonly search = html("input", { type: "search", class: "lx-search", placeholder: "Search…", "aria-label": "Search in all lists" });
  private readonly found = html("span", { class: "lx-found" });
  private readonly wanted = new Set<Retrain>();
  private least = LADDER.length;
  private now = false;

  constructor(
    element: HTMLElement,
    private readonly content: Impact,
    around: Around,
  ) {
    const { root, versions, endpoints, evaluations, derived, findings, beyond } = content;
    this.title = `Whom ${shortName(root)} reached`;
    this.page = new Page(element, "lx-impact", this.title);
    const { page } = this;
    const onwards = new Onwards(around, content.question);
    const all = wanting(content);
    this.first = this.list("To retrain", all, 0, wantingRows(`${page.id}-first`, all, onwards), (row) => ({ text: `${row.ref} ${row.label} ${row.why}`, retrain: row.retrain, strength: row.strength, now: row.now }));
    this.lists = [
      this.list("Endpoints", endpoints, beyond.endpoints, endpointRows(`${page.id}-e`, content, onwards), (row) => ({ ...row, text: [row.ref, row.why, ...row.exposures.map((one) => `${one.version ?? ""} ${one.deployment} ${one.site}`)].join(" ") })),
      this.list("Versions", versions, beyond.versions, versionRows(`${page.id}-v`, content, onwards), (row) => ({ text: [row.ref, row.label, row.why, ...row.path, ...row.endpoints].join(" "), retrain: row.retrain, strength: row.strength, now: row.endpoints.length > 0 })),
      this.list("Evaluations", evaluations, beyond.evaluations, evaluationRows(`${page.id}-q`, content), (row) => ({ text: [row.run, row.label, row.why, ...row.data, ...row.models, ...row.gates.map((gate) => gate.gate)].join(" ") })),
      this.list("In between", derived, beyond.derived, derivedRows(`${page.id}-d`, content, onwards), (row) => ({ text: `${row.ref} ${row.label} ${row.kind}`, strength: row.strength })),
      this.list("Findings", findings, 0, findingRows(`${page.id}-f`, content), (row) => ({ text: `${row.ref} ${row.severity} ${row.code} ${row.message}` })),
    ];
    this.tabs = new Tabs(`${page.id}-tabs`, "What was reached", this.lists.map((list) => ({ title: list.title, count: String(list.total), fill: () => list.rows.element })), 0);
    this.search.addEventListener("input", () => this.filter());
    keepPlainKeys(this.search);
    const missing = beyond.versions + beyond.endpoints;
    page.put(
      this.head(),
      this.bar(),
      page.section(
        "To retrain",
        "wanting",
        html("p", { class: "lx-aboverows" }, this.counted()),
        this.first.rows.element,
        ...(missing > 0 ? [html("p", { class: "lx-quiet lx-beyondrows" }, `${count(missing, "endpoint or version", "endpoints and versions")} ${missing === 1 ? "is" : "are"} not in this document; whether to retrain ${missing === 1 ? "it" : "them"} is not said here.`)] : []),
        html("p", { class: "lx-afterrows" }, press("Copy the list", () => this.copyList()), " ", press("Save the list as CSV", () => page.save(this.file("retrain"), this.first.rows.content()))),
      ),
      page.section("What was reached", "reached", this.tabs.element, html("p", { class: "lx-afterrows" }, press("Save this table as CSV", () => this.saveOpen())), legend()),
    );
    this.filter(false);
  }

  destroy(): void {
    this.page.destroy();
  }

  private head(): HTMLElement {
    const { question, root, summary, counts, digest } = this.content;
    const kinds = Object.entries(counts).filter(([, many]) => many > 0);
    return html(
      "header",
      { class: "lx-head" },
      html("div", { class: "lx-title" }, html("h2", {}, `Recall of ${brief(root)}`), html("p", { class: "lx-quiet" }, `as of ${instant(question.as_of)} · known at ${instant(question.known_at)}${question.ref === root ? "" : ` · asked for as ${brief(question.ref)}`}`)),
      ...(summary.length === 0 ? [] : [html("div", { class: "lx-answer lx-prose" }, ...summary.map((sentence) => html("p", {}, brief(sentence))))]),
      html("p", { class: "lx-unseen", id: `${this.page.id}-counts` }, "Everything reached, by kind"),
      kinds.length === 0 ? html("p", { class: "lx-quiet" }, "Nothing was reached, as far as the records say.") : html("ul", { class: "lx-tally lx-kinds", "aria-labelledby": `${this.page.id}-counts` }, ...kinds.map(([kind, many]) => html("li", {}, `${words(kind)} `, html("strong", {}, grouped(many))))),
      html("p", { class: "lx-quiet" }, html("code", {}, clean(digest))),
    );
  }

  private bar(): HTMLElement {
    const { versions, endpoints } = this.content;
    const rows = [...versions, ...endpoints];
    const chips = RETRAINS.map((value) =>
      toggle([retrainSign(value), `Retrain: ${value} `, html("span", { class: "lx-number" }, String(rows.filter((row) => retrainOf(row.retrain) === value).length))], false, (pressed) => {
        if (pressed) this.wanted.add(value);
        else this.wanted.delete(value);
        this.filter();
      }),
    );
    const strength = html("select", { class: "lx-select", id: `${this.page.id}-strength` }, html("option", { value: LADDER.length }, "any"), ...LADDER.map((name, i) => html("option", { value: i }, words(name))));
    strength.addEventListener("change", () => {
      this.least = Number(strength.value);
      this.filter();
    });
    keepPlainKeys(strength);
    return html(
      "div",
      { class: "lx-bar" },
      this.search,
      html("span", { class: "lx-chipset", role: "group", "aria-label": "Only to retrain" }, ...chips),
      html("span", { class: "lx-field" }, html("label", { for: strength.id }, "Strength at least"), strength),
      toggle(["Serving now"], false, (pressed) => {
        this.now = pressed;
        this.filter();
      }),
      this.found,
    );
  }

  /** One list with its own filter. */
  private list<T>(title: string, all: readonly T[], beyond: number, rows: Rows<T>, sieve: (row: T) => Sieve): List {
    return {
      title,
      file: title.toLowerCase().replaceAll(" ", "-"),
      total: all.length,
      beyond,
      rows,
      filter: () => {
        const shown = all.filter((row) => this.passes(sieve(row)));
        rows.show(shown, shown.length < all.length);
      },
    };
  }

  private passes({ text, retrain, strength, now }: Sieve): boolean {
    if (this.wanted.size > 0 && retrain !== undefined && !this.wanted.has(retrainOf(retrain))) return false;
    if (strength !== undefined && this.least < LADDER.length && rung(strength) > this.least) return false;
    if (this.now && now === false) return false;
    const small = text.toLowerCase();
    return this.search.value.toLowerCase().split(/\s+/u).every((word) => small.includes(word));
  }

  private filter(told = true): void {
    if (told) for (const list of [this.first, ...this.lists]) list.filter();
    const counts = this.lists.map(({ rows, total }) => (rows.count === total ? grouped(total) : `${grouped(rows.count)} of ${grouped(total)}`));
    this.tabs.count(counts.map((text, i) => `${text}${(this.lists[i]?.beyond ?? 0) > 0 ? " +" : ""}`));
    const text = this.lists.slice(0, 2).map(({ title, total }, i) => `${counts[i] ?? ""} ${title.toLowerCase().slice(0, total === 1 ? -1 : undefined)}`).join(", ");
    this.found.textContent = text;
    if (told) this.page.live.say(`${text}; ${count(this.first.rows.count, "row")} to retrain`, 300);
  }

  private counted(): string {
    const all = wanting(this.content);
    const part = (value: Retrain): string => {
      const rows = all.filter((row) => row.retrain === value);
      const endpoints = rows.filter((row) => row.kind === "endpoint").length;
      return `${count(endpoints, "endpoint")} and ${count(rows.length - endpoints, "version")}`;
    };
    const some = (value: Retrain): boolean => all.some((row) => row.retrain === value);
    if (all.length === 0) return NOT_LISTED;
    return [some("yes") ? `To retrain: ${part("yes")}.` : "Nothing is certain to have to be retrained.", some("maybe") ? `Perhaps: ${part("maybe")}; what is missing is said with each.` : ""].filter((text) => text !== "").join(" ");
  }

  /** Plain references, one a line, as they are filtered; what is not sure is among them. */
  private copyList(): void {
    const rows = this.first.rows.content().slice(1);
    const certain = rows.filter((row) => row[1] === "yes").length;
    this.page.copy(rows.map((row) => `${clean(row[0] ?? "")}\n`).join(""), `${count(rows.length, "reference")}: ${certain} to retrain, ${rows.length - certain} perhaps`);
  }

  private saveOpen(): void {
    const open = this.lists[this.tabs.chosen];
    if (open !== undefined) this.page.save(this.file(open.file), open.rows.content());
  }

  private file(what: string): string {
    return fileName(this.content.root, `${what}.csv`);
  }
}

function legend(): HTMLElement {
  return html("details", { class: "lx-legend lx-afterrows" }, html("summary", {}, "How to read the windows"), html("p", {}, "A bar is a window in which the endpoint answered with what was reached: as wide as it lasted, as high as its share of the requests. Dashed: linked by truncated digest, time order or name. Dotted: by containment or declaration. Hollow: no share was read. The upright line is the instant asked about. Rows unfold into the same in words."));
}
