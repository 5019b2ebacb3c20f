/** What a chapter (a history, a comparison, an impact, ...) is given by the place that shows it, and what it gives back. */

import type { Wanted } from "../view/transport.js";

export interface Around {
  /** Opens another chapter on top; absent where nobody can answer (a saved report): then no button for it is shown. */
  open?: (wanted: Wanted) => void;
  /** Shows the trace of something at an instant; absent where nobody can answer. */
  trace?: (ref: string, as_of: string) => void;
}

export interface Shown {
  /** What the chapter is about, in a few words, for the bar above it and for a tab. */
  readonly title: string;
  destroy(): void;
}
