/** What a command is about. */

import type { JupyterFrontEnd } from "@jupyterlab/application";

import type { Question } from "./tokens.js";

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
  const direction = (["upstream", "downstream", "both"] as const).find((one) => one === args.direction);
  return { ...Object.fromEntries(texts.map((name) => [name, String(args[name])])), ...(direction ? { direction } : {}), ...(args.another === true ? { another: true } : {}) };
}
