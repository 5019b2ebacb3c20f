/**
 * Regular expressions that cannot hang the page. The browser's own go back and forth through a text, which on
 * `(a+)+$` and a hostile name takes for ever; these walk through it once with all possibilities side by side
 * (Thompson's construction), so that their cost is the text's length times the expression's.
 */

/** Letters of an expression, its steps when `{2,5}` is written out, and the work of writing them out. */
const LONGEST = 500;
const LARGEST = 1000;
const MOST = 20_000;
const TOO_LARGE = "this is too large; ask for fewer repetitions";

type Step =
  | { kind: "letter"; is: (letter: string) => boolean; next: number }
  | { kind: "either"; next: number; other: number }
  | { kind: "place"; holds: (before: string, after: string) => boolean; next: number }
  | { kind: "end" };

type Part =
  | { kind: "letter"; is: (letter: string) => boolean }
  | { kind: "place"; holds: (before: string, after: string) => boolean }
  | { kind: "all"; parts: Part[] }
  | { kind: "any"; parts: Part[] }
  | { kind: "times"; part: Part; least: number; most: number };

const WORD = /[\p{L}\p{N}_]/u;
const isWord = (letter: string): boolean => letter !== "" && WORD.test(letter);

export class Expression {
  private readonly steps: Step[] = [];
  private readonly start: number;
  private work = 0;

  /** Throws a SyntaxError with words for people. */
  constructor(source: string, flags: string) {
    const odd = [...flags].find((flag) => flag !== "i" && flag !== "u");
    if (odd !== undefined) throw new SyntaxError(`the flag “${odd}” means nothing here; “i” is known`);
    if (source.length > LONGEST) throw new SyntaxError(`this is too long; ${LONGEST} letters are looked at`);
    const part = new Reader(source, flags.includes("i")).read();
    this.start = this.build(part, this.push({ kind: "end" }));
  }

  private push(step: Step): number {
    if (this.steps.push(step) > LARGEST) throw new SyntaxError(TOO_LARGE);
    return this.steps.length - 1;
  }

  /** Steps for a part, before those that follow it. */
  private build(part: Part, next: number): number {
    // Empty groups repeated make no steps, and cost time all the same.
    if (++this.work > MOST) throw new SyntaxError(TOO_LARGE);
    if (part.kind === "letter" || part.kind === "place") return this.push({ ...part, next });
    if (part.kind === "all") return part.parts.reduceRight((after, item) => this.build(item, after), next);
    if (part.kind === "any") return part.parts.map((item) => this.build(item, next)).reduceRight((other, first) => this.push({ kind: "either", next: first, other }));
    let at = next;
    if (part.most === Infinity) {
      const again: Step = { kind: "either", next: 0, other: next };
      at = this.push(again);
      again.next = this.build(part.part, at);
    } else for (let i = part.least; i < part.most; i++) at = this.push({ kind: "either", next: this.build(part.part, at), other: next });
    for (let i = 0; i < part.least; i++) at = this.build(part.part, at);
    return at;
  }

  /** Whether it matches anywhere; undefined when `late` says so first. */
  test(text: string, late: () => boolean = () => false): boolean | undefined {
    const letters = [...text];
    let now: number[] = [];
    const marks = new Uint32Array(this.steps.length);
    let taken = 0;
    for (let i = 0; i <= letters.length; i++) {
      const [before, after] = [letters[i - 1] ?? "", letters[i] ?? ""];
      const reached: number[] = [];
      const waiting = [this.start, ...now.reverse()];
      for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
        if (marks[at] === i + 1) continue;
        marks[at] = i + 1;
        if (++taken % 4096 === 0 && late()) return undefined;
        const step = this.steps[at] as Step;
        if (step.kind === "end") return true;
        if (step.kind === "either") waiting.push(step.other, step.next);
        else if (step.kind === "place") {
          if (step.holds(before, after)) waiting.push(step.next);
        } else if (after !== "" && step.is(after)) reached.push(step.next);
      }
      now = reached;
    }
    return false;
  }
}

/** Reads an expression as far as it is known here; what one letter is, the browser's own expressions say. */
class Reader {
  private readonly letters: string[];
  private at = 0;

  constructor(
    source: string,
    private readonly folded: boolean,
  ) {
    this.letters = [...source];
  }

  read(): Part {
    const part = this.any();
    if (this.at < this.letters.length) throw new SyntaxError("a “)” has no “(” before it");
    return part;
  }

  private any(): Part {
    const parts = [this.all()];
    while (this.take("|")) parts.push(this.all());
    return parts.length === 1 ? (parts[0] as Part) : { kind: "any", parts };
  }

  private all(): Part {
    const parts: Part[] = [];
    for (let next = this.letters[this.at]; next !== undefined && next !== "|" && next !== ")"; next = this.letters[this.at]) parts.push(this.times(this.one(next)));
    return { kind: "all", parts };
  }

  private take(letter: string): boolean {
    if (this.letters[this.at] !== letter) return false;
    this.at++;
    return true;
  }

  private one(letter: string): Part {
    this.at++;
    if (letter === "(") return this.group();
    if (letter === "[") return this.set();
    if (letter === "\\") return this.escaped();
    if (letter === "^") return { kind: "place", holds: (before) => before === "" };
    if (letter === "$") return { kind: "place", holds: (_, after) => after === "" };
    if ("*+?".includes(letter)) throw new SyntaxError(`there is nothing before “${letter}” that it could repeat`);
    return this.letter(letter === "." ? "." : letter.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&"));
  }

  private group(): Part {
    if (this.take("?")) {
      const kind = this.letters[this.at++];
      const name = kind === "<" && !["=", "!"].includes(this.letters[this.at] ?? "");
      if (name) while (this.at < this.letters.length && this.letters[this.at++] !== ">");
      else if (kind !== ":") throw new SyntaxError("looking ahead or behind is not possible here");
    }
    const part = this.any();
    if (!this.take(")")) throw new SyntaxError("a “(” is not closed");
    return part;
  }

  private set(): Part {
    const from = this.at - 1;
    for (; this.letters[this.at] !== "]"; this.at++) {
      if (this.at >= this.letters.length) throw new SyntaxError("a “[” is not closed");
      if (this.letters[this.at] === "\\") this.at++;
    }
    this.at++;
    return this.letter(this.letters.slice(from, this.at).join(""));
  }

  private escaped(): Part {
    const letter = this.letters[this.at++];
    if (letter === undefined) throw new SyntaxError("a “\\” at the end escapes nothing");
    if (letter === "b") return { kind: "place", holds: (before, after) => isWord(before) !== isWord(after) };
    if (letter === "B") return { kind: "place", holds: (before, after) => isWord(before) === isWord(after) };
    if (/[1-9k]/u.test(letter)) throw new SyntaxError("referring to a group is not possible here");
    let atom = `\\${letter}`;
    const rest = { x: /^[0-9a-f]{2}/iu, u: /^([0-9a-f]{4}|\{[0-9a-f]+\})/iu, p: /^\{[^}]+\}/u, P: /^\{[^}]+\}/u }[letter];
    if (rest !== undefined) {
      const more = rest.exec(this.letters.slice(this.at, this.at + 60).join(""))?.[0] ?? "";
      this.at += [...more].length;
      atom += more;
    } else if (!/[\p{L}\p{N}]/u.test(letter)) atom = letter.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
    return this.letter(atom);
  }

  /** One letter, as the browser understands it. */
  private letter(atom: string): Part {
    let native: RegExp;
    try {
      native = new RegExp(`^${atom}$`, this.folded ? "iu" : "u");
    } catch {
      throw new SyntaxError(`“${atom}” cannot be understood`);
    }
    const known = new Map<string, boolean>();
    const is = (letter: string): boolean => {
      let answer = known.get(letter);
      if (answer === undefined) known.set(letter, (answer = native.test(letter)));
      return answer;
    };
    return { kind: "letter", is };
  }

  private times(part: Part): Part {
    let times: Part = part;
    for (;;) {
      const from = this.at;
      let [least, most] = [0, Infinity];
      if (this.take("+")) least = 1;
      else if (this.take("?")) most = 1;
      else if (this.take("{")) {
        const size = /^(\d+)(,?)(\d*)\}/u.exec(this.letters.slice(this.at, this.at + 20).join(""));
        if (size === null) throw new SyntaxError("after “{” a number is expected, as in “{2,5}”");
        this.at += size[0].length;
        least = Number(size[1]);
        most = size[2] === "" ? least : size[3] === "" ? Infinity : Number(size[3]);
        if (most < least) throw new SyntaxError("the numbers in “{}” stand the wrong way round");
      } else if (!this.take("*")) return times;
      if (part.kind === "place" || times !== part) throw new SyntaxError(`there is nothing before “${this.letters[from]}” that it could repeat`);
      this.take("?"); // as few as possible or as many: it is found or not
      times = { kind: "times", part, least, most };
    }
  }
}
