/** Going to another instant: the question, its answer or its problem, and never a blank between. */

import { Asking, problem } from "./asking.js";
import type { Audit } from "./audit.js";
import { Timeline } from "./timeline.js";
import { instant } from "./text.js";
import type { Transport, Wanted } from "./transport.js";

export interface TravelEvents {
  /** The answer, for `as_of` as it was asked; `told` when the reader asked, and the host should know. */
  arrived(audit: Audit, as_of: string, told: boolean): void;
  /** The host sent that answer by itself, and it is shown already. */
  settled(as_of: string, told: boolean): void;
  say(text: string): void;
}

export class Travel {
  readonly timeline: Timeline;
  private readonly audits = new Asking();
  private readonly lists = new Asking();
  /** What is asked and not answered. */
  private pending: { as_of: string; told: boolean } | null = null;

  constructor(
    id: string,
    private shown: Audit,
    { open }: Pick<Transport, "open">,
    private readonly ask: NonNullable<Transport["ask"]>,
    private readonly events: TravelEvents,
  ) {
    this.timeline = new Timeline(id, {
      move: (as_of, quiet) => this.to(as_of, quiet, true),
      ...(open === undefined ? {} : { compare: (other) => open(this.beside(other)), rollback: () => open({ chapter: "rollback", ...this.asked(this.shown.question.as_of) }) }),
    });
    this.timeline.at(shown.question.as_of);
    this.list();
  }

  destroy(): void {
    this.audits.end();
    this.lists.end();
    this.timeline.destroy();
  }

  /** Another answer is shown. If it is to what is being asked, that is settled. */
  show(audit: Audit): void {
    this.shown = audit;
    this.timeline.at(audit.question.as_of);
    const { pending } = this;
    if (pending === null || !sameInstant(pending.as_of, audit.question.as_of)) return;
    this.audits.end();
    this.settle();
    this.events.settled(pending.as_of, pending.told);
  }

  to(as_of: string, quiet: number, told: boolean): void {
    if (this.pending !== null && sameInstant(this.pending.as_of, as_of)) return;
    if (as_of !== "" && sameInstant(as_of, this.shown.question.as_of)) {
      this.audits.end();
      this.settle();
      this.timeline.at(this.shown.question.as_of);
      return;
    }
    this.pending = { as_of, told };
    this.timeline.asking(as_of);
    this.audits.put((signal) => this.ask("audit", this.asked(as_of), signal), quiet).then(
      (audit) => {
        if (audit === undefined) return;
        this.settle();
        this.events.arrived(audit, as_of, told);
      },
      (error: unknown) => {
        this.pending = null;
        const when = as_of === "" ? "Now" : `As of ${instant(as_of)}`;
        const text = `${when} could not be asked: ${problem(error)} Shown is still the answer as of ${instant(this.shown.question.as_of)}.`;
        this.timeline.failed(text, () => this.to(as_of, 0, told));
        this.events.say(text);
      },
    );
  }

  /** The question at an instant, with what was known; now with all that is known. */
  private asked(as_of: string): { endpoint: string; as_of: string; known_at: string; policy: string } {
    const { endpoint, known_at, policy } = this.shown.question;
    return { endpoint, as_of, known_at: as_of === "" ? "" : known_at, policy: policy.name };
  }

  /** The shown instant and another, the earlier first. */
  private beside(other: string): Wanted {
    const { endpoint, known_at, policy } = this.asked(other);
    const { as_of } = this.shown.question;
    const sides = [`${endpoint}@@${as_of}`, other === "" ? endpoint : `${endpoint}@@${other}`] as const;
    const [a, b] = other !== "" && Date.parse(other) < Date.parse(as_of) ? [sides[1], sides[0]] : sides;
    return { chapter: "comparison", a, b, known_at, policy };
  }

  private settle(): void {
    this.pending = null;
    this.timeline.answered();
  }

  private list(): void {
    const { endpoint, known_at } = this.shown.question;
    this.lists.put((signal) => this.ask("releases", { endpoint, known_at }, signal)).then(
      (releases) => {
        if (releases !== undefined) this.timeline.show(releases);
      },
      (error: unknown) => {
        const text = `The releases could not be read: ${problem(error)}`;
        this.timeline.failed(text, () => {
          this.timeline.answered();
          this.list();
        });
        this.events.say(text);
      },
    );
  }
}

/** Whether two texts name one instant; empty is now, which is none but itself. */
export function sameInstant(a: string, b: string): boolean {
  return a === b || (a !== "" && b !== "" && Date.parse(a) === Date.parse(b));
}
