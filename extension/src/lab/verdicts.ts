/** Verdicts of the endpoints that somebody looks at, asked for in batches and no sooner. */

import { Signal } from "@lumino/signaling";

import type { Entry } from "./branches.js";
import { isAborted } from "./http.js";
import type { IEstate, Judgement } from "./tokens.js";

/** As many as the server takes at once. */
const BATCH = 50;

export class Verdicts {
  /** A verdict is there that was not there before. */
  readonly changed = new Signal<this, void>(this);
  private known = new Map<string, Judgement>();
  private wanted: string[] = [];
  private asking: { refs: ReadonlySet<string>; control: AbortController } | null = null;
  private store = "";

  constructor(private readonly estate: IEstate) {}

  of(ref: string): Judgement | undefined {
    return this.known.get(ref);
  }

  /** Forgets them: another store, another policy, or more records. */
  reset(store: string): void {
    this.store = store;
    this.known = new Map();
    this.wanted = [];
    this.asking?.control.abort();
    this.asking = null;
  }

  /** Only these can be seen now. */
  want(entries: readonly Entry[]): void {
    this.wanted = [...new Set(entries.filter(({ kind, ref }) => kind === "endpoint" && ref !== "").map(({ ref }) => ref))].filter((ref) => !this.known.has(ref));
    if (this.asking !== null && !this.wanted.some((ref) => this.asking?.refs.has(ref))) {
      this.asking.control.abort();
      this.asking = null;
    }
    void this.ask();
  }

  private async ask(): Promise<void> {
    const refs = this.wanted.slice(0, BATCH);
    if (this.asking !== null || refs.length === 0) return;
    const asking = { refs: new Set(refs), control: new AbortController() };
    this.asking = asking;
    try {
      const verdicts = await this.estate.verdicts(this.store, refs, asking.control.signal);
      for (const ref of refs) this.known.set(ref, verdicts[ref] ?? { problem: "" });
    } catch (error) {
      if (isAborted(error)) return;
      for (const ref of refs) this.known.set(ref, { problem: error instanceof Error ? error.message : String(error) });
    } finally {
      if (this.asking === asking) this.asking = null;
    }
    this.wanted = this.wanted.filter((ref) => !this.known.has(ref));
    this.changed.emit();
    void this.ask();
  }
}
