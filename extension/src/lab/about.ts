/** What a command is about. */

import type { JupyterFrontEnd } from "@jupyterlab/application";

import type { Wanted } from "../view/transport.js";
import type { IEstate, IExplorer, Question } from "./tokens.js";

/**
 * The reference in a row of the panel that the open context menu is about; undefined when none is open.
 *
 * JupyterLab remembers the element under the pointer. That does not do here: the row is drawn anew while the menu is
 * open, and a menu that was closed says nothing about the next command.
 */
export function pointing(app: JupyterFrontEnd): () => string | undefined {
  let at: Event | null = null;
  let ref: string | undefined;
  document.addEventListener(
    "contextmenu",
    (event) => {
      at = event;
      ref = event.target instanceof Element ? event.target.closest<HTMLElement>(".lx-lab-tree [data-ref]")?.dataset.ref : undefined;
    },
    true,
  );
  app.contextMenu.menu.aboutToClose.connect(() => {
    const was = at;
    // A menu closes before what was chosen in it runs.
    setTimeout(() => {
      if (at === was) ref = undefined;
    });
  });
  return () => ref;
}

/** The parts of a question among a command's arguments, which anybody may write. */
export function asked(args: { readonly [name: string]: unknown }): Partial<Question> & { id?: string; another?: boolean } {
  const texts = ["store", "ref", "as_of", "known_at", "policy", "selected", "query", "id"].filter((name) => typeof args[name] === "string");
  const chapter = wanted(args.chapter);
  const direction = (["upstream", "downstream", "both"] as const).find((one) => one === args.direction);
  return { ...Object.fromEntries(texts.map((name) => [name, String(args[name])])), ...(direction ? { direction } : {}), ...(chapter ? { chapter } : {}), ...(args.another === true ? { another: true } : {}) };
}

/** What each chapter is asked with. */
const CHAPTERS: { readonly [chapter: string]: readonly string[] } = {
  history: ["ref", "as_of", "known_at"],
  comparison: ["a", "b", "known_at", "policy"],
  impact: ["ref", "as_of", "known_at"],
  rollback: ["endpoint", "as_of", "known_at", "policy"],
};

/** A chapter among a command's arguments, or among what was kept for after a reload; null when it is none. */
function wanted(value: unknown): Wanted | null {
  if (typeof value !== "object" || value === null || !("chapter" in value) || typeof value.chapter !== "string" || !Object.hasOwn(CHAPTERS, value.chapter)) return null;
  const given = value as { [name: string]: unknown };
  const texts = Object.fromEntries((CHAPTERS[value.chapter] ?? []).map((name) => [name, given[name] ?? ""]));
  return Object.values(texts).every((text) => typeof text === "string") ? ({ chapter: value.chapter, ...texts } as Wanted) : null;
}

type Arguments = { readonly [name: string]: unknown };

/** What a command is about: what it is told, else what the menu was opened on, else the tab in front. */
export function subject(estate: IEstate, explorer: IExplorer): (args: Arguments) => (Partial<Question> & Pick<Question, "store" | "ref">) | null {
  return (args) => {
    const told = asked(args);
    const ref = told.ref ?? explorer.pointed;
    if (ref === undefined) return explorer.current;
    return { store: estate.current, policy: estate.preferences.policy, ...told, ref };
  };
}
