/** One question and what a store answers, in a tab. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import { Asking } from "../view/asking.js";
import type { Audit } from "../view/audit.js";
import { html } from "../view/dom.js";
import { clean, shortName } from "../view/text.js";
import type { Transport, Wanted } from "../view/transport.js";
import type { Chapters, Traced } from "../chapters/chapter.js";
import { dragged, isEndpoint, startDrag } from "./cell.js";
import { message } from "./http.js";
import { lineageIcon } from "./icons.js";
import { notice } from "./notice.js";
import type { IEstate, Question } from "./tokens.js";
import type { Mounted } from "./view.js";

/** Milliseconds after which a reader is told that an answer is on its way. */
const PATIENCE = 300;

export class Answer extends Widget {
  /** The reader changed the question, or what is selected in its answer. */
  readonly changed = new Signal<this, void>(this);
  /** The trace of something else is wanted. */
  readonly traced = new Signal<this, { ref: string; as_of: string }>(this);
  private readonly asking = new Asking();
  private readonly transport: Transport;
  private view: Mounted | null = null;
  /** Where the chapters stand, and what is under them. */
  private readonly over = html("div", { class: "lx-lab-over", hidden: true });
  private readonly under = html("div", { class: "lx-lab-under" });
  private chapters: Chapters | null = null;
  /** What the store held and how badges looked when the answer came. */
  private basis = "";
  private failed = false;

  constructor(
    private readonly estate: IEstate,
    private asked: Question,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass("lx-lab-answer");
    const { ref, store } = asked;
    this.title.label = shortName(ref);
    this.title.caption = `${clean(ref)}\n${clean(store)}`;
    this.title.icon = lineageIcon;
    this.node.append(this.over, this.under);
    const transport = estate.transport(store, (state) => {
      this.asked = { ...this.asked, ...state };
      this.changed.emit();
    });
    this.transport = { ...transport, open: (wanted) => void this.open({ ...wanted, known_at: wanted.known_at || this.asked.known_at }) };
    this.node.addEventListener("pointerdown", (event) => this.grip(event));
    estate.changed.connect(this.followStore, this);
    // What is under a chapter is asked for when that is closed.
    if (asked.chapter === undefined) void this.load();
    else void this.open(asked.chapter);
  }

  get question(): Question {
    return this.asked;
  }

  /** The question whose answer is on the screen, at the instants it resolved to: asked again, it has the same answer. */
  get answered(): Question {
    const { chapter: _, ...asked } = this.asked;
    if (this.view === null) return asked;
    const { as_of, known_at, policy } = this.view.question;
    return { ...asked, as_of, known_at, policy: policy.name };
  }

  /** Asks something else about the same thing. */
  set(state: Partial<Question>): void {
    const { chapter, ...rest } = state;
    const before = this.asked;
    this.asked = { ...before, ...rest };
    if (chapter !== undefined && JSON.stringify(chapter) !== JSON.stringify(before.chapter)) void this.open(chapter);
    const { as_of, known_at, policy } = this.asked;
    if (as_of !== before.as_of || known_at !== before.known_at || policy !== before.policy) void this.load();
    else this.view?.set(rest);
    this.changed.emit();
  }

  /** Asks again; what is shown stays until the answer is there. */
  async load(): Promise<void> {
    const { trans } = this;
    const wait = setTimeout(() => {
      if (this.view === null && !this.isDisposed) this.under.replaceChildren(html("p", { class: "lx-lab-wait", role: "status" }, trans.__("Asking the store…")));
    }, PATIENCE);
    try {
      await this.estate.ready;
      const answer = await this.asking.put((signal) => this.ask(signal));
      if (answer !== undefined && !this.isDisposed) await this.present(answer);
    } catch (error) {
      if (!this.isDisposed) this.fail(error);
    } finally {
      clearTimeout(wait);
    }
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.asking.end();
    this.chapters?.destroy();
    this.view?.destroy();
    Signal.clearData(this);
    super.dispose();
  }

  protected override onActivateRequest(): void {
    this.node.tabIndex = -1;
    if (!this.node.contains(document.activeElement)) this.node.focus();
  }

  private async ask(signal: AbortSignal, as_of = this.asked.as_of): Promise<Audit> {
    const { transport } = this;
    const { ref, known_at } = this.asked;
    if (transport.ask === undefined) throw new Error(this.trans.__("There is no store to ask."));
    const policy = this.asked.policy || this.estate.preferences.policy;
    if (isEndpoint(ref)) return transport.ask("audit", { endpoint: ref, as_of, known_at, policy }, signal);
    const { alone } = await import("./view.js");
    return alone(await transport.ask("explore", { ref, direction: "both", depth: null, as_of, known_at }, signal));
  }

  private async present(audit: Audit): Promise<void> {
    const { mountAudit } = await import("./view.js");
    const { badges } = this.estate.preferences;
    const { selected, as_of, direction, query } = this.asked;
    const basis = this.standing();
    this.failed = false;
    const same = this.view !== null && basis.endsWith(badges) && this.basis.endsWith(badges);
    this.basis = basis;
    if (same) this.view?.audit(audit);
    else {
      this.view?.destroy();
      this.under.replaceChildren();
      this.view = mountAudit(this.under, audit, this.transport, { state: { selected, as_of, direction, query }, badges });
    }
  }

  private fail(error: unknown): void {
    const { trans } = this;
    this.view?.destroy();
    this.view = null;
    this.failed = true;
    const retry = { label: trans.__("Try again"), act: () => void this.load() };
    this.under.replaceChildren(notice(trans.__("%1 cannot be shown", shortName(this.asked.ref)), this.said(error), retry));
  }

  private said(error: unknown): string {
    // The files of an older build are gone once a newer one is installed.
    const stale = error instanceof Error && error.name === "ChunkLoadError";
    return stale ? this.trans.__("The view's own files could not be loaded. If lineage-explorer was upgraded since, reload the page.") : message(error);
  }

  /** Opens a chapter on top of what is shown. */
  private async open(wanted: Wanted): Promise<void> {
    const { trans } = this;
    try {
      // The chapters stand in the view's own look.
      const [{ called, Chapters: Made }] = await Promise.all([import("./chapters.js"), import("./view.js")]);
      if (this.isDisposed) return;
      if (this.chapters === null) {
        this.over.replaceChildren();
        this.chapters = new Made(this.over, {
          ...(this.transport.ask === undefined ? {} : { ask: this.transport.ask }),
          trace: (ref, as_of, signal) => this.trace(ref, as_of, signal),
          changed: (top, depth) => this.cover(top, depth, top === null ? "" : called(top)),
          left: () => this.node.focus(),
          plain: this.estate.preferences.badges === "plain",
        });
      }
      this.chapters.open(wanted);
    } catch (error) {
      if (this.isDisposed) return;
      const retry = { label: trans.__("Try again"), act: () => void this.open(wanted) };
      this.over.replaceChildren(notice(trans.__("That cannot be shown"), this.said(error), retry));
      this.over.hidden = false;
      if (this.view === null) void this.load();
    }
  }

  /** Another chapter is on top, or none is. */
  private cover(top: Wanted | null, depth: number, title: string): void {
    this.over.hidden = depth === 0;
    this.under.hidden = depth > 0;
    const { chapter: _, ...rest } = this.asked;
    this.asked = top === null ? rest : { ...rest, chapter: top };
    this.title.label = top === null ? shortName(rest.ref) : title;
    this.changed.emit();
    if (depth === 0 && this.view === null && !this.isDisposed) void this.load();
  }

  private async trace(ref: string, as_of: string, signal: AbortSignal): Promise<Traced> {
    if (ref !== this.asked.ref) {
      this.traced.emit({ ref, as_of });
      return "elsewhere";
    }
    const audit = await this.ask(signal, as_of);
    this.asked = { ...this.asked, as_of };
    await this.present(audit);
    return "beneath";
  }

  private standing(): string {
    const { estate } = this;
    return `${estate.stores.find(({ name }) => name === this.asked.store)?.entries} ${estate.preferences.badges}`;
  }

  /** More records, other badges, or a server that is back: the answer is another. */
  private followStore(): void {
    if (this.estate.problem === null && (this.failed || (this.view !== null && this.standing() !== this.basis))) void this.load();
  }

  /** A node, and what the view marks as its grip, can be dragged into a notebook. With a finger the drawing is moved. */
  private grip(event: PointerEvent): void {
    const grip = event.target instanceof Element ? event.target.closest<HTMLElement>(".lx-grip[data-lx-ref], .lx-node[data-id]") : null;
    const ref = grip?.dataset.lxRef ?? grip?.dataset.id;
    // A group is no thing of its own.
    if (ref === undefined || ref.startsWith("g:") || event.button !== 0 || event.pointerType === "touch") return;
    const { as_of, known_at, policy, store } = this.answered;
    const asked = ref === this.asked.ref ? this.answered : { store, ref, as_of, known_at, policy };
    startDrag(event, shortName(ref), () => dragged(asked, this.estate.python(store)), this);
  }
}
