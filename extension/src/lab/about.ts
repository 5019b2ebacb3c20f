/** What a command is about. */

import type { JupyterFrontEnd } from "@jupyterlab/application";

import type { Question } from "./tokens.js";

/** The reference in a row of the panel that the context menu was opened on. */
export function pointed(app: JupyterFrontEnd): string | undefined {
  return app.contextMenuHitTest((node) => node.dataset.ref !== undefined)?.dataset.ref;
}

/** The parts of a question among a command's arguments, which anybody may write. */
export function asked(args: { readonly [name: string]: unknown }): Partial<Question> & { id?: string; another?: boolean } {
  const texts = ["store", "ref", "as_of", "known_at", "policy", "selected", "query", "id"].filter((name) => typeof args[name] === "string");
  const direction = (["upstream", "downstream", "both"] as const).find((one) => one === args.direction);
  return { ...Object.fromEntries(texts.map((name) => [name, String(args[name])])), ...(direction ? { direction } : {}), ...(args.another === true ? { another: true } : {}) };
}
