/**
 * The order of the vertices in their columns, with few crossings.
 *
 * Barycentre sweeps bring together what is joined; sifting then moves each vertex of a column to where it
 * crosses least, and knows by how much without counting anew. Each helps the other out of where it got stuck.
 * How much of this is done depends on the graph alone, never on the clock, so that it is always drawn alike.
 */

/** Who is joined to whom in the column to one side: those of `v` are `to[at[v]]` up to `to[at[v + 1]]`. */
export interface Joined {
  at: Int32Array;
  to: Int32Array;
}

/** For every pair `from[i]`, `to[i]`: the lists of what each of `count` vertices is joined to. */
export function joined(count: number, from: readonly number[], to: readonly number[]): Joined {
  const at = new Int32Array(count + 1);
  for (const v of from) at[v + 1]!++;
  for (let v = 0; v < count; v++) at[v + 1]! += at[v]!;
  const next = at.slice();
  const list = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) list[next[from[i]!]!++] = to[i]!;
  return { at, to: list };
}

/** Comparisons of two vertices after which a graph is left as it is, and after which it is not begun anew. */
const STEPS = 1_200_000;
const FEW = 100_000;
/** How many places up or down a vertex is tried at a time. */
const REACH = 14;
const STARTS = 3;

/** Orders the columns in place, and answers how many crossings are left. */
export function arrange(columns: readonly Int32Array[], left: Joined, right: Joined): number {
  const order = new Order(columns, left, right);
  let best = columns.map((column) => column.slice());
  let fewest = order.crossings();
  // From another beginning a small graph often ends better: 8 % fewer crossings for 200 nodes, 2 % for 1,000.
  for (let start = 0; start < STARTS && fewest > 0 && order.steps < (start === 0 ? STEPS : FEW); start++) {
    if (start > 0) order.shuffle(start);
    const crossings = order.settle();
    if (crossings >= fewest) continue;
    fewest = crossings;
    best = columns.map((column) => column.slice());
  }
  order.restore(best);
  return fewest;
}

class Order {
  /** Comparisons made. */
  steps = 0;
  /** Where each vertex stands in its column. */
  private readonly at: Int32Array;
  private readonly tree: Int32Array;
  private readonly keys: Float64Array;
  private readonly before: Int32Array;
  /** As `left.to` and `right.to`, but the places of the neighbours, from the top. */
  private readonly above: Int32Array;
  private readonly below: Int32Array;
  private readonly next: Int32Array;

  constructor(
    private readonly columns: readonly Int32Array[],
    private readonly left: Joined,
    private readonly right: Joined,
  ) {
    const largest = columns.reduce((most, column) => Math.max(most, column.length), 0);
    this.at = new Int32Array(left.at.length - 1);
    this.tree = new Int32Array(largest + 1);
    this.keys = new Float64Array(largest);
    this.before = new Int32Array(largest);
    this.above = new Int32Array(left.to.length);
    this.below = new Int32Array(right.to.length);
    this.next = left.at.slice();
    for (const column of columns) this.note(column);
  }

  restore(order: readonly Int32Array[]): void {
    this.columns.forEach((column, c) => {
      column.set(order[c]!);
      this.note(column);
    });
  }

  /** Begins anew, from an order that is the same every time. */
  shuffle(seed: number): void {
    let state = seed;
    for (const column of this.columns) {
      for (let i = column.length - 1; i > 0; i--) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const j = Math.floor((state / 2 ** 32) * (i + 1));
        const v = column[i]!;
        column[i] = column[j]!;
        column[j] = v;
      }
      this.note(column);
    }
  }

  /** Sweeps and sifts until that finds little more; answers the crossings of the order it leaves. */
  settle(): number {
    let fewest = Infinity;
    let best: Int32Array[] = [];
    const keep = (crossings: number): void => {
      if (crossings >= fewest) return;
      fewest = crossings;
      best = this.columns.map((column) => column.slice());
    };
    for (let sweep = 0; sweep < 8; sweep++) {
      this.sweep(sweep % 2 === 1);
      // The first sweeps only get better, and counting costs more than sweeping.
      if (sweep % 2 === 1 && sweep > 2) keep(this.crossings());
    }
    this.restore(best);
    keep(this.sift(fewest));
    if (this.steps < STEPS) {
      this.sweep(true);
      this.sweep(false);
      keep(this.sift(this.crossings()));
    }
    this.restore(best);
    return fewest;
  }

  private note(column: Int32Array): void {
    for (let i = 0; i < column.length; i++) this.at[column[i]!] = i;
  }

  /** Orders each column by the middle of what it is joined to on the side the sweep comes from. */
  sweep(rightward: boolean): void {
    const { columns, at } = this;
    const { at: start, to } = rightward ? this.left : this.right;
    for (let step = 0; step < columns.length; step++) {
      const column = columns[rightward ? step : columns.length - 1 - step]!;
      const keys = this.keys.subarray(0, column.length);
      for (let i = 0; i < column.length; i++) {
        const from = start[column[i]!]!;
        const end = start[column[i]! + 1]!;
        let sum = 0;
        for (let n = from; n < end; n++) sum += at[to[n]!]!;
        // One number holds the wish and, for equal wishes, the place until now: numbers sort without a function.
        keys[i] = Math.round((end > from ? sum / (end - from) : i) * 4096) * 2 ** 20 + i;
      }
      keys.sort();
      this.before.set(column);
      for (let i = 0; i < column.length; i++) column[i] = this.before[keys[i]! % 2 ** 20]!;
      this.note(column);
    }
  }

  /** Crossings between neighbouring columns, counted with a Fenwick tree. */
  crossings(): number {
    const { columns, tree, below } = this;
    const { at: start } = this.right;
    this.places(this.right, this.left, below);
    let total = 0;
    for (let c = 0; c + 1 < columns.length; c++) {
      const size = columns[c + 1]!.length;
      tree.fill(0, 0, size + 1);
      let seen = 0;
      for (const v of columns[c]!) {
        const from = start[v]!;
        const end = start[v + 1]!;
        for (let n = from; n < end; n++) {
          let upper = 0;
          for (let i = below[n]! + 1; i > 0; i -= i & -i) upper += tree[i]!;
          total += seen - upper;
        }
        for (let n = from; n < end; n++) {
          seen++;
          for (let i = below[n]! + 1; i <= size; i += i & -i) tree[i]!++;
        }
      }
    }
    return total;
  }

  /** Notes for all vertices where their neighbours on one side stand, from the top. */
  private places(side: Joined, other: Joined, into: Int32Array): void {
    const { next } = this;
    next.set(side.at);
    // Read from the neighbours' columns in their order, so that each list comes out sorted.
    for (const column of this.columns) this.placesFrom(column, other, next, into);
  }

  private placesFrom(column: Int32Array, other: Joined, next: Int32Array, into: Int32Array): void {
    for (let i = 0; i < column.length; i++) {
      const u = column[i]!;
      for (let n = other.at[u]!; n < other.at[u + 1]!; n++) into[next[other.to[n]!]!++] = i;
    }
  }

  /** Moves each vertex to where it crosses least, column by column and back, until nothing gets better. */
  sift(crossings: number): number {
    const { columns } = this;
    let left = crossings;
    this.places(this.left, this.right, this.above);
    this.places(this.right, this.left, this.below);
    const settled = new Uint8Array(columns.length);
    for (let pass = 0; this.steps < STEPS; pass++) {
      const before = left;
      for (let step = 0; step < columns.length; step++) {
        const c = pass % 2 === 0 ? step : columns.length - 1 - step;
        if (settled[c] === 1 || this.steps >= STEPS) continue;
        const gain = this.siftColumn(columns[c]!);
        settled[c] = 1;
        if (gain === 0) continue;
        left -= gain;
        this.note(columns[c]!);
        settled[c - 1] = settled[c] = settled[c + 1] = 0;
        // Only the two columns beside have to learn of it.
        if (c > 0) this.renew(columns[c]!, columns[c - 1]!, this.left, this.right, this.below);
        if (c + 1 < columns.length) this.renew(columns[c]!, columns[c + 1]!, this.right, this.left, this.above);
      }
      if (left === before) break;
    }
    return left;
  }

  /** Notes anew, for the vertices of `beside`, where their neighbours in `column` stand. */
  private renew(column: Int32Array, beside: Int32Array, toBeside: Joined, toColumn: Joined, into: Int32Array): void {
    for (const v of beside) this.next[v] = toColumn.at[v]!;
    this.placesFrom(column, toBeside, this.next, into);
  }

  private siftColumn(column: Int32Array): number {
    let gained = 0;
    this.before.set(column);
    this.steps += column.length * Math.min(2 * REACH, column.length);
    for (let n = 0; n < column.length; n++) {
      const v = this.before[n]!;
      // Where it stands now: those before it may have moved past.
      const i = column.indexOf(v);
      let most = 0;
      let to = i;
      let gain = 0;
      for (let j = i - 1; j >= 0 && i - j <= REACH; j--) {
        gain += this.exchanged(column[j]!, v);
        if (gain > most) {
          most = gain;
          to = j;
        }
      }
      gain = 0;
      for (let j = i + 1; j < column.length && j - i <= REACH; j++) {
        gain += this.exchanged(v, column[j]!);
        if (gain > most) {
          most = gain;
          to = j;
        }
      }
      if (most === 0) continue;
      gained += most;
      if (to < i) column.copyWithin(to + 1, to, i);
      else column.copyWithin(i, i + 1, to + 1);
      column[to] = v;
    }
    return gained;
  }

  /** How many crossings fewer there are with the lower before the upper. */
  private exchanged(upper: number, lower: number): number {
    const left = this.left.at;
    const right = this.right.at;
    return (
      inverted(this.above, left[upper]!, left[upper + 1]!, left[lower]!, left[lower + 1]!) +
      inverted(this.below, right[upper]!, right[upper + 1]!, right[lower]!, right[lower + 1]!)
    );
  }

}

/** Of all pairs out of two sorted lists: those with the first larger, less those with the first smaller. */
function inverted(list: Int32Array, a: number, aEnd: number, b: number, bEnd: number): number {
  if (a === aEnd || b === bEnd) return 0;
  if (aEnd - a === 1 && bEnd - b === 1) return list[a]! > list[b]! ? 1 : list[a]! < list[b]! ? -1 : 0;
  let found = 0;
  let smaller = b;
  let equal = b;
  for (; a < aEnd; a++) {
    const value = list[a]!;
    while (smaller < bEnd && list[smaller]! < value) smaller++;
    if (equal < smaller) equal = smaller;
    while (equal < bEnd && list[equal]! === value) equal++;
    found += smaller - b - (bEnd - equal);
  }
  return found;
}
