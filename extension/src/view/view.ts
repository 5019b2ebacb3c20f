/** The view of one audit: heading, time, drawing, details, tree and tables. It decides nothing about lineage. */

import { Asking, problem } from "./asking.js";
import type { Audit } from "./audit.js";
import type { Change } from "./change.js";
import { changeList, changes, count, summary } from "./changes.js";
import { copyText } from "./clipboard.js";
import { python } from "./code.js";
import { Controls } from "./controls.js";
import { details, type Actions } from "./details.js";
import { html, shield } from "./dom.js";
import { Drawing } from "./drawing.js";
import { heading } from "./heading.js";
import { Help } from "./help.js";
import { legend } from "./legend.js";
import { Lighting } from "./lighting.js";
import { Live } from "./live.js";
import { saveMenu } from "./menu.js";
import { describeHop, describeNode, name, type Model } from "./model.js";
import type { Popover } from "./popover.js";
import type { Found } from "./query.js";
import { Reading } from "./reading.js";
import { Search } from "./search.js";
import { Surroundings } from "./surroundings.js";
import type { Direction, Transport, ViewState } from "./transport.js";
import { sameInstant, Travel } from "./travel.js";
import { asked } from "./wording.js";

export interface ViewOptions {
  state?: Partial<ViewState>;
  /** Gates in colour, or by shape and word alone. */
  badges?: "colour" | "plain";
}

export interface Mounted {
  /** From the host: it is not told of it. */
  set(state: Partial<ViewState>): void;
  /** Another answer to the same question. */
  audit(audit: Audit): void;
  readonly state: ViewState;
  /** What the answer on the screen is the answer to, with the instants it resolved to. */
  readonly question: Audit["question"];
  destroy(): void;
}

let mounted = 0;

export function mountAudit(element: HTMLElement, audit: Audit, transport: Transport | null = null, options: ViewOptions = {}): Mounted {
  return new View(element, audit, transport, options);
}

class View implements Mounted {
  private readonly id = `lx${++mounted}`;
  private readonly now: ViewState = { selected: "", as_of: "", direction: "both", query: "" };
  private surroundings: Surroundings;
  private model: Model;
  private found: Found | null = null;

  private readonly root: HTMLElement;
  private readonly head = html("header", { class: "lx-head" });
  private readonly changed = html("div");
  private panel = html("section", { hidden: true });
  private readonly live = new Live();
  private readonly help: Help;
  private readonly drawing: Drawing;
  private readonly controls: Controls;
  private readonly search: Search;
  private readonly save: Popover;
  private readonly lighting: Lighting;
  private readonly reading: Reading;
  private readonly travel: Travel | null;
  private readonly expanding = new Asking();
  private readonly watch: ResizeObserver;
  private readonly unshield: () => void;

  constructor(
    element: HTMLElement,
    private base: Audit,
    private readonly transport: Transport | null,
    options: ViewOptions,
  ) {
    const { id } = this;
    this.surroundings = new Surroundings(base);
    this.model = this.surroundings.model();
    this.now.as_of = options.state?.as_of ?? "";
    this.help = new Help(id);
    this.drawing = new Drawing(this.model, {
      select: (chosen) => this.choose(chosen),
      search: () => this.search.focus(),
      help: () => this.help.show(),
      expand: (ref, direction) => this.expand(ref, direction),
      announce: (text) => this.live.say(text),
    });
    this.controls = new Controls(this.drawing);
    this.lighting = new Lighting(id, {
      changed: (direction) => {
        this.lit();
        if (direction !== null) this.tell({ direction });
      },
      path: () => this.lighting.toggle(this.model),
      say: (text) => this.live.say(text),
      tell: (text) => this.live.tell(text),
    });
    this.search = new Search(id, this.model, {
      found: (found, typed) => {
        this.filter(found);
        if (typed) this.tell({ query: this.search.query });
      },
      go: (chosen) => this.choose(chosen),
      leave: () => this.drawing.focus(),
      say: (text, quiet) => this.live.say(text, quiet),
    });
    this.save = saveMenu(`${id}-save`, {
      audit: () => this.base,
      svgText: () => this.drawing.svgText(),
      table: () => this.reading.open(),
      python: () => this.copyPython(),
      copy: (text, what) => this.copy(text, what),
      tell: (text, bad) => this.live.tell(text, bad),
    });
    const ask = transport?.ask;
    this.travel =
      ask === undefined || base.verdict === null
        ? null
        : new Travel(id, base, transport ?? {}, ask, {
            arrived: (audit, as_of, told) => {
              this.audit(audit);
              this.arrive(as_of, told);
            },
            settled: (as_of, told) => this.arrive(as_of, told),
            say: (text) => this.live.say(text),
          });
    this.reading = new Reading(`${id}-tabs`, this.model, (chosen) => this.choose(chosen));
    const stage = html("div", { class: "lx-stage" }, this.drawing.element);
    this.root = html(
      "section",
      { class: `lx-root${options.badges === "plain" ? " lx-plain" : ""}`, "aria-label": `Lineage of ${asked(base)}` },
      this.head,
      ...(this.travel === null ? [] : [this.travel.timeline.element]),
      this.changed,
      this.bar(),
      this.search.chips,
      html("div", { class: "lx-body" }, html("div", { class: "lx-picture" }, html("h3", { class: "lx-unseen" }, "Drawing"), stage, html("div", { class: "lx-under" }, legend(), this.controls.element), this.live.notice), this.panel),
      html("h3", { class: "lx-unseen" }, "Tree and tables"),
      this.reading.element,
      this.help.element,
      this.live.element,
    );
    this.write();
    this.listen();
    this.unshield = shield(this.root);
    this.watch = new ResizeObserver(() => {
      if (stage.clientWidth > 0) stage.style.setProperty("--lx-height", `${this.drawing.suits(stage.clientWidth)}px`);
    });
    this.watch.observe(stage);
    element.replaceChildren(this.root);
    if (options.state !== undefined) this.set(options.state);
  }

  get question(): Audit["question"] {
    return this.model.audit.question;
  }

  get state(): ViewState {
    return { ...this.now };
  }

  set(state: Partial<ViewState>): void {
    const { selected, as_of, direction, query } = state;
    if (direction !== undefined && direction !== this.now.direction) {
      this.now.direction = this.lighting.direction = direction;
      this.lit();
    }
    if (query !== undefined && query !== this.now.query) {
      this.now.query = query;
      this.search.query = query;
      this.filter(this.search.refresh());
    }
    if (selected !== undefined && selected !== this.now.selected) this.show(selected);
    if (as_of !== undefined && !sameInstant(as_of, this.now.as_of)) {
      this.now.as_of = as_of;
      // The host may be about to send the answer itself.
      this.travel?.to(as_of, 250, false);
    }
  }

  audit(audit: Audit): void {
    const { base, model: old } = this;
    if (audit.digest === base.digest && audit.digest !== "") {
      this.travel?.show(audit);
      return;
    }
    const chosen = old.hops.get(this.now.selected);
    this.expanding.end(); // its answer would be about another instant
    this.base = audit;
    this.surroundings = new Surroundings(audit);
    const change = this.apply();
    const found = changes(change, old, this.model);
    this.travel?.show(audit);
    this.write();
    const open = this.changed.querySelector("details")?.open === true;
    this.changed.replaceChildren(changeList(found, old, this.model, (id) => this.choose(id)));
    this.changed.querySelector("details")?.toggleAttribute("open", open);
    this.live.say(summary(found));
    // A hop has another number in another audit.
    const again = chosen === undefined ? this.now.selected : (change.hops.get(chosen.id) ?? "");
    const before = this.now.selected;
    this.show(again);
    if (this.now.selected !== before) this.transport?.changed({ selected: this.now.selected });
  }

  destroy(): void {
    this.unshield();
    this.watch.disconnect();
    this.expanding.end();
    this.travel?.destroy();
    this.search.destroy();
    this.save.close(false);
    this.live.destroy();
    this.drawing.destroy();
    this.root.remove();
  }

  private tell(state: Partial<ViewState>): void {
    Object.assign(this.now, state);
    this.transport?.changed(state);
  }

  /** Another instant is shown; `told` when the host should know. */
  private arrive(as_of: string, told: boolean): void {
    this.now.as_of = as_of;
    if (told) this.transport?.changed({ as_of });
  }

  /** The model is another: all that shows it follows. */
  private apply(): Change {
    this.model = this.surroundings.model();
    const change = this.drawing.change(this.model);
    this.controls.change();
    this.found = this.search.refresh(this.model);
    this.reading.change(this.model, this.found);
    this.lit();
    return change;
  }

  private write(): void {
    this.head.replaceChildren(...heading(this.model, { ...this.actions(), select: (id) => this.explain(id) }));
  }

  // --- selection ---

  private choose(id: string): void {
    this.show(id);
    this.transport?.changed({ selected: this.now.selected });
    this.live.say(this.described());
  }

  /** Selects what the verdict rests on; its explanation is wanted in sight. */
  private explain(id: string): void {
    this.choose(id);
    (this.panel.querySelector(".lx-requirement") ?? this.panel).scrollIntoView?.({ block: "nearest" });
  }

  /** The selection in one breath. */
  private described(): string {
    const { selected } = this.now;
    const node = this.model.nodes.get(selected);
    if (node !== undefined) return `Selected: ${describeNode(this.model, node)}`;
    const hop = this.model.hops.get(selected);
    if (hop !== undefined) return `Selected: ${describeHop(this.model, hop)}`;
    const group = this.drawing.groups.find((item) => item.id === selected);
    return group === undefined ? "Nothing is selected" : `Selected: ${group.title}`;
  }

  private show(id: string): void {
    const shown = details(this.model, id, this.drawing.groups, this.actions());
    const known = shown.length > 0;
    this.now.selected = known ? id : "";
    const close = html("button", { type: "button", class: "lx-button lx-close", "aria-label": "Close the details" }, "✕");
    close.addEventListener("click", () => this.leaveDetails());
    // Another element, which begins at its top: scrolling the same one back would lay out the whole page at once.
    const panel = html("section", { class: "lx-details", "aria-label": "Details of the selection", hidden: !known }, ...(known ? [close, ...shown] : []));
    this.panel.replaceWith(panel);
    this.panel = panel;
    this.lit();
    if (known) this.drawing.reveal(id);
    this.reading.mark(this.now.selected);
  }

  private leaveDetails(): void {
    const back = this.now.selected;
    this.choose("");
    this.drawing.focus(back);
  }

  private actions(): Actions {
    const known = {
      select: (id: string) => this.choose(id),
      evidence: (id: string) => {
        if (!this.reading.evidence(id)) this.live.tell("The search and the filters leave this record out; clear them to see it.");
      },
      copy: (text: string, what: string) => this.copy(text, what),
      python: () => this.copyPython(),
      openGroup: (id: string, open: boolean) => {
        this.drawing.toggleGroup(id, open);
        this.show(id);
        this.panel.querySelector<HTMLElement>(".lx-actions button")?.focus();
      },
    };
    const { ask, open } = this.transport ?? {};
    if (ask === undefined) return known;
    return {
      ...known,
      expand: (ref, direction) => this.expand(ref, direction),
      // As of now, whatever instant is shown: what is withdrawn now is found wherever it is now.
      ...(open === undefined ? {} : { chapter: (chapter, ref) => open({ chapter, ref, as_of: "", known_at: "" }) }),
    };
  }

  /** What stays bright: what was searched for, else what the reader chose. */
  private lit(): void {
    const { selected } = this.now;
    const members = this.drawing.groups.find((item) => item.id === selected)?.members;
    this.drawing.show(selected, this.found === null ? this.lighting.lit(this.model, selected, members) : this.found.lit);
  }

  private filter(found: Found | null): void {
    this.found = found;
    this.lit();
    this.reading.change(this.model, found);
  }

  /** Joins what is next to a thing in the store. */
  private expand(ref: string, direction: Direction): void {
    const ask = this.transport?.ask;
    if (ask === undefined) return;
    const { as_of, known_at } = this.base.question;
    const where = direction === "both" ? "around" : `${direction} of`;
    const title = name(this.model, ref);
    this.live.tell(`Asking what is ${where} ${title}…`);
    this.expanding.put((signal) => ask("explore", { ref, direction, depth: 1, as_of, known_at }, signal)).then(
      (answer) => {
        if (answer === undefined) return;
        const added = this.surroundings.add(answer);
        if (added.nodes + added.hops === 0) {
          this.live.tell(`There is nothing further ${where} ${title} on record.`);
          return;
        }
        const inside = this.panel.querySelector(":focus") !== null;
        this.apply();
        this.show(this.now.selected);
        if (inside) this.panel.querySelector<HTMLElement>("h3")?.focus();
        this.live.tell(`${count(added.nodes, "thing")} and ${count(added.hops, "hop")} added ${where} ${title}, not judged`);
      },
      (error: unknown) => this.live.tell(`What is ${where} ${title} could not be asked: ${problem(error)}`, true),
    );
  }

  // --- taking along ---

  private copy(text: string, what: string): void {
    copyText(text, this.root).then(
      () => this.live.tell(`Copied the ${what}`),
      (error: unknown) => this.live.tell(`Not copied: ${problem(error)}`, true),
    );
  }

  private copyPython(): void {
    this.copy(python(this.base, this.transport?.store ?? "", this.now), "Python that makes this view again");
  }

  // --- parts ---

  private bar(): HTMLElement {
    const help = html("button", { type: "button", class: "lx-button", "aria-label": "Keys and help", title: "Keys (?)" }, "?");
    help.addEventListener("click", () => this.help.show());
    return html(
      "div",
      { class: "lx-bar" },
      this.search.element,
      this.lighting.directions,
      ...(this.base.verdict === null ? [] : [this.lighting.path]),
      html("span", { class: "lx-ends-bar" }, this.save.element, help),
    );
  }

  private listen(): void {
    this.root.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || !(event.target instanceof Element)) return;
      if (event.target.matches("input, textarea, select")) return;
      const act: Record<string, () => void> = { "?": () => this.help.show(), "/": () => this.search.focus(), t: () => this.lighting.toggle(this.model), T: () => this.lighting.toggle(this.model) };
      const inside = this.panel.contains(event.target);
      const step = act[event.key] ?? (event.key === "Escape" && inside ? () => this.leaveDetails() : undefined);
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      step();
    });
  }
}
