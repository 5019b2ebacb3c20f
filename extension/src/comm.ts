/** Questions over a notebook's comm: each gets one reply, an answer or a problem in words. */

import type { Chapter } from "./chapters/documents.js";
import type { Code, Naming } from "./modules.js";
import type { Audit } from "./view/audit.js";
import type { Estate } from "./view/estate.js";
import type { Exploration, Questions, Transport, ViewState, Wanted } from "./view/transport.js";

/** What a widget's model holds, by name. */
export interface Traits extends ViewState {
  content: Audit | Exploration | Estate | Chapter | Record<string, never>;
  asks: boolean;
  store: string;
  endpoint: string;
  /** Names the model with the code of chapters, where one is shown by itself. */
  chapters: string;
}

export interface WidgetModel {
  get<K extends keyof Traits>(name: K): Traits[K];
  set<K extends keyof Traits>(name: K, value: Traits[K]): void;
  save_changes(): void;
  send(content: object): void;
  on(event: string, callback: (content: unknown) => void): void;
  off(event: string, callback: (content: unknown) => void): void;
  readonly widget_manager: { readonly kernel?: unknown } & Naming["widget_manager"];
}

/** A kernel that is busy answers when its cell has run; one that is gone never does. */
const PATIENCE = 120_000;

interface Reply {
  id?: unknown;
  answer?: unknown;
  problem?: unknown;
}

/** Counted for the page: two views of one widget hear each other's replies. */
let last = 0;

export class Comm implements Transport {
  readonly store: string;
  readonly ask?: NonNullable<Transport["ask"]>;
  /** Set by who has a place for chapters. */
  open?: (wanted: Wanted) => void;

  /** `shared`: an audit that is asked for comes by the trait `content`, which all views of the widget follow. */
  constructor(
    private readonly model: WidgetModel,
    shared = true,
  ) {
    this.store = model.get("store");
    // A notebook that was opened without a kernel has a manager whose kernel is null.
    const manager = model.widget_manager;
    if (!model.get("asks") || ("kernel" in manager && manager.kernel === null)) return;
    this.ask = async <Q extends keyof Questions>(question: Q, asked: Questions[Q]["asked"], signal?: AbortSignal): Promise<Questions[Q]["answer"]> => {
      const answer = await this.put(question, asked, signal);
      // The reply only says that it is there.
      return (shared && question === "audit" ? model.get("content") : answer) as Questions[Q]["answer"];
    };
  }

  changed(state: Partial<ViewState>): void {
    const { selected, as_of, direction, query } = state;
    if (selected !== undefined) this.model.set("selected", selected);
    if (as_of !== undefined) this.model.set("as_of", as_of);
    if (direction !== undefined) this.model.set("direction", direction);
    if (query !== undefined) this.model.set("query", query);
    this.model.save_changes();
  }

  /** The code of another part of the view, which a notebook carries only once it is wanted. */
  code(part: "chapters", signal?: AbortSignal): Promise<Code> {
    return this.put("code", { part }, signal) as Promise<Code>;
  }

  private put(question: string, asked: object, signal?: AbortSignal): Promise<unknown> {
    const { model } = this;
    const id = ++last;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        model.off("msg:custom", hear);
        signal?.removeEventListener("abort", leave);
        clearTimeout(patience);
        settle();
      };
      const leave = (): void => end(() => reject(new DOMException("no longer wanted", "AbortError")));
      const hear = (content: unknown): void => {
        const reply = content as Reply;
        if (reply.id !== id) return;
        if (typeof reply.problem === "string") {
          const problem = reply.problem;
          end(() => reject(new Error(problem)));
        } else end(() => resolve(reply.answer));
      };
      const patience = setTimeout(
        () => end(() => reject(new Error("The kernel does not answer. If it is gone, run the cell again; if it is busy, wait for its cell to end and ask again."))),
        PATIENCE,
      );
      signal?.addEventListener("abort", leave);
      model.on("msg:custom", hear);
      model.send({ id, question, asked });
    });
  }
}
