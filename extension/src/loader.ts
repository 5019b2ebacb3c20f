/**
 * What every widget carries: a few lines that fetch the view. Its code and style stand once for the whole
 * notebook, in a model that all explorers name, however many of them there are.
 */

import { carried, type Naming } from "./modules.js";

interface Context {
  model: Naming;
  el: HTMLElement;
}

type Entry = { default: { render(context: Context): () => void } };

export default {
  async render(context: Context): Promise<() => void> {
    const { model, el } = context;
    try {
      return (await carried<Entry>(model, "view", el)).default.render(context);
    } catch (error) {
      el.textContent = `The view of this lineage could not be loaded (${String(error)}). Run its cell again.`;
      return () => undefined;
    }
  },
};
