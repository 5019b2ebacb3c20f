/** Ingests that run: looked at while they do, and how they go in the status bar. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { Poll } from "@lumino/polling";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import { html } from "../view/dom.js";
import { clean, fit } from "../view/text.js";
import { message } from "./http.js";
import { sentence } from "./notice.js";
import type { IServer } from "./tokens.js";

/** Milliseconds between two looks at what runs. */
const OFTEN = 1000;
/** Characters of a source's name in the status bar. */
const NARROW = 32;

export interface Ingest {
  id: string;
  store: string;
  source: string;
  state: "running" | "done" | "failed" | "cancelled";
  records: number;
  counts: { read: number; stored: number; unchanged: number; quarantined: number; vanished: number } | null;
  message: string | null;
  started_at: string;
  ended_at: string | null;
}

/** What is to be read, and where to. */
export interface Order {
  source: string;
  store: string;
  full: boolean;
  create: boolean;
}

/** The ingests that run, looked at only while there are some. */
export class Watched {
  /** Another look was taken. */
  readonly changed = new Signal<this, void>(this);
  /** One that was running has ended. */
  readonly ended = new Signal<this, Ingest>(this);
  private readonly poll: Poll<Ingest[]>;
  private all = new Map<string, Ingest>();

  constructor(private readonly server: IServer) {
    this.poll = new Poll<Ingest[]>({
      name: "lineage-explorer:ingests",
      auto: false,
      factory: async () => (await server.get<{ ingests: Ingest[] }>("ingests")).ingests,
      frequency: { interval: OFTEN, backoff: true, max: 30 * OFTEN },
      standby: "when-hidden",
    });
    this.poll.ticked.connect((_, { phase, payload }) => {
      if (phase === "resolved" && Array.isArray(payload)) this.take(payload);
    });
  }

  /** Those that run, the last one started first. */
  get running(): Ingest[] {
    return [...this.all.values()].filter(({ state }) => state === "running");
  }

  /** Looks now, and then as long as something runs. */
  look(): void {
    void this.poll.refresh();
  }

  async start(order: Order): Promise<void> {
    const begun = await this.server.send<Ingest>("POST", "ingests", order);
    // It may end before the next look, and its end is to be told.
    this.all.set(begun.id, begun);
    this.changed.emit();
    this.look();
  }

  async cancel(id: string): Promise<void> {
    await this.server.send<Ingest>("DELETE", `ingests/${encodeURIComponent(id)}`);
    this.look();
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  private take(now: readonly Ingest[]): void {
    const ran = new Set(this.running.map(({ id }) => id));
    this.all = new Map(now.map((one) => [one.id, one]));
    // A server that was started again knows nothing of what ran before.
    if (this.running.length === 0) void this.poll.stop();
    this.changed.emit();
    for (const one of now) if (ran.has(one.id) && one.state !== "running") this.ended.emit(one);
  }
}

/** How an ingest ended, in one sentence. */
export function outcome({ state, counts, message: why }: Ingest, trans: TranslationBundle): string {
  if (state !== "done" || counts === null) return sentence(why ?? trans.__("Ended without a reason"));
  const { stored, unchanged, quarantined, vanished } = counts;
  return [
    trans.__("Done: %1 stored", stored.toLocaleString()),
    ...(unchanged > 0 ? [trans.__("%1 unchanged", unchanged.toLocaleString())] : []),
    // Also when there are none: what could not be read is always said.
    trans.__("%1 quarantined", quarantined.toLocaleString()),
    ...(vanished > 0 ? [trans.__("%1 vanished", vanished.toLocaleString())] : []),
  ].join(", ");
}

/** The end of a path or address, without what may be secret in a query. */
export function lastPart(source: string): string {
  return fit(source.split("?")[0]?.replace(/\/+$/u, "").split("/").pop() ?? source, NARROW);
}

/** The item in the status bar. */
export class Progress extends Widget {
  /** It has something to say now, or no longer. */
  readonly shown = new Signal<this, void>(this);
  private last: Ingest | null = null;
  private readonly text = html("span", { class: "lx-lab-going" });
  private readonly act = html("button", { type: "button", class: "lx-lab-plainbutton" });
  /** Told to screen readers: that it began and how it ended, not each count. */
  private readonly said = html("span", { class: "lx-lab-unseen", role: "status", "aria-live": "polite" });
  private run: () => void = () => undefined;

  constructor(
    private readonly watched: Watched,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass("lx-lab-progress");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", trans.__("Reading a source into a lineage store"));
    this.node.append(this.text, this.act, this.said);
    this.act.addEventListener("click", () => this.run());
    watched.changed.connect(() => this.refresh());
    watched.ended.connect((_, one) => {
      this.last = one;
      this.refresh();
    });
  }

  get active(): boolean {
    return this.watched.running.length > 0 || this.last !== null;
  }

  private refresh(): void {
    const [now, ...others] = this.watched.running;
    if (now !== undefined) this.going(now, others.length);
    else if (this.last !== null) this.over(this.last);
    this.shown.emit();
  }

  private going(one: Ingest, others: number): void {
    const { trans } = this;
    const more = others === 0 ? "" : ` ${trans.__("(and %1 more)", String(others))}`;
    this.text.textContent = `${trans.__("Reading %1: %2 records", lastPart(one.source), one.records.toLocaleString())}${more}`;
    this.node.title = trans.__("Reading %1 into %2", clean(one.source), clean(one.store));
    this.node.dataset.state = "running";
    this.tell(this.node.title);
    this.button(trans.__("Cancel"), trans.__("Cancel reading %1", clean(one.source)), () => {
      this.act.disabled = true;
      this.watched.cancel(one.id).catch((error: unknown) => {
        this.act.disabled = false;
        this.tell(trans.__("Not cancelled. %1", sentence(message(error))));
        this.text.textContent = this.said.textContent;
      });
    });
  }

  private over(one: Ingest): void {
    const { trans } = this;
    const end = outcome(one, trans);
    this.text.textContent = `${lastPart(one.source)}: ${end}`;
    this.node.title = `${clean(one.source)} → ${clean(one.store)}\n${end}`;
    this.node.dataset.state = one.state;
    this.tell(`${clean(one.source)}: ${end}`);
    this.button("✕", trans.__("Close this message"), () => {
      this.last = null;
      this.shown.emit();
    });
  }

  /** A live region is read out whenever it is written to. */
  private tell(text: string): void {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  private button(text: string, label: string, run: () => void): void {
    this.run = run;
    // Written only when it changes: somebody may be about to press it.
    if (this.act.getAttribute("aria-label") === label) return;
    this.act.disabled = false;
    this.act.textContent = text;
    this.act.setAttribute("aria-label", label);
  }
}
