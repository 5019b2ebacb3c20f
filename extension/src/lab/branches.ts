/**
 * A tree whose lists are read in pages, when somebody looks at them. Only what was looked at is in memory, and
 * finding the entry of a row costs as much as there are open branches, not entries.
 */

export interface Entry {
  label: string;
  /** What is said beside the label. */
  fact: string;
  kind: string;
  /** What it opens; empty for a heading, which only opens and closes. */
  ref: string;
  /** Whether a record describes it. */
  resolved: boolean;
  /** Its children; absent where it can have none. */
  readonly children?: () => Source;
}

/** A list of entries of which a part can be read. */
export type Source = (offset: number, limit: number, signal: AbortSignal) => Promise<{ total: number; items: readonly Entry[] }>;

/** What stands in a row: an entry, or a note in place of one. */
export interface Place {
  readonly branch: Branch;
  readonly index: number;
  /** Null while its page is read, and where there is none. */
  readonly entry: Entry | null;
}

export const PAGE = 200;
/** Rows of one list; browsers cannot scroll through more than some millions of pixels. */
const MOST = 300_000;

export class Branch {
  /** How many entries there are; null until the first page is read. */
  total: number | null = null;
  problem: Error | null = null;
  private readonly pages = new Map<number, readonly Entry[]>();
  private readonly asked = new Map<number, AbortController>();
  private readonly open = new Map<number, Branch>();

  constructor(
    private readonly source: Source,
    readonly parent: Branch | null = null,
    /** Where it hangs in its parent. */
    readonly index = 0,
  ) {}

  get depth(): number {
    return this.parent === null ? 0 : this.parent.depth + 1;
  }

  /** A list of which nothing can be shown has one row that says so. */
  get bare(): boolean {
    return this.problem !== null || this.total === null || this.total === 0;
  }

  /** Rows, those of open children included. */
  get rows(): number {
    let rows = this.bare ? 1 : Math.min(this.total ?? 0, MOST);
    for (const child of this.open.values()) rows += child.rows;
    return rows;
  }

  at(row: number): Place {
    let before = 0;
    for (const child of this.children()) {
      const heading = child.index + before;
      if (row <= heading) break;
      if (row <= heading + child.rows) return child.at(row - heading - 1);
      before += child.rows;
    }
    const index = row - before;
    return { branch: this, index, entry: this.entry(index) };
  }

  /** The row of one of its own entries, counted from the root. */
  rowOf(index: number): number {
    let row = this.parent === null ? 0 : this.parent.rowOf(this.index) + 1;
    for (const child of this.open.values()) if (child.index < index) row += child.rows;
    return row + index;
  }

  entry(index: number): Entry | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  child(index: number): Branch | undefined {
    return this.open.get(index);
  }

  /** Opens or closes an entry; says whether that changed anything. */
  toggle(index: number, open = !this.open.has(index)): boolean {
    const children = this.entry(index)?.children;
    if (children === undefined || open === this.open.has(index)) return false;
    if (open) this.open.set(index, new Branch(children(), this, index));
    else {
      this.open.get(index)?.abandon(new Set());
      this.open.delete(index);
    }
    return true;
  }

  /** Reads the page of an entry, unless that was done or is being done. */
  async read(index: number): Promise<void> {
    const page = Math.floor(index / PAGE);
    if (this.pages.has(page) || this.asked.has(page)) return;
    const control = new AbortController();
    this.asked.set(page, control);
    try {
      const { total, items } = await this.source(page * PAGE, PAGE, control.signal);
      this.total = total;
      this.problem = null;
      this.pages.set(page, items);
    } catch (error) {
      if (!control.signal.aborted) this.problem = error instanceof Error ? error : new Error(String(error));
    } finally {
      if (this.asked.get(page) === control) this.asked.delete(page);
    }
  }

  /** Forgets a problem, so that it is tried again. */
  retry(): void {
    this.problem = null;
  }

  /** Stops reading pages that nobody looks at any more, here and below. */
  abandon(wanted: ReadonlySet<string>, path = ""): void {
    for (const [page, control] of this.asked)
      if (!wanted.has(`${path}/${page}`)) {
        control.abort();
        this.asked.delete(page);
      }
    for (const child of this.open.values()) child.abandon(wanted, `${path}/${child.index}:`);
  }

  /** Names the page of an entry for `abandon`. */
  page(index: number): string {
    return `${this.path}/${Math.floor(index / PAGE)}`;
  }

  private get path(): string {
    return this.parent === null ? "" : `${this.parent.path}/${this.index}:`;
  }

  private children(): Branch[] {
    return [...this.open.values()].sort((a, b) => a.index - b.index);
  }
}
