/**
 * What every widget carries: a few lines that fetch the view. Its code and style stand once for the whole
 * notebook, in a model that all explorers name, however many of them there are.
 */

interface Shared {
  get(name: "code" | "style" | "digest"): string;
}

interface Model {
  get(name: "view"): string;
  readonly widget_manager: { get_model(id: string): Promise<Shared> };
}

interface Context {
  model: Model;
  el: HTMLElement;
}

type Entry = { default: { render(context: Context): () => void } };

const KEY = Symbol.for("lineage-explorer");
const entries = ((globalThis as { [KEY]?: Map<string, Promise<Entry>> })[KEY] ??= new Map<string, Promise<Entry>>());

async function load(model: Model, el: HTMLElement): Promise<Entry> {
  const shared = await model.widget_manager.get_model(model.get("view").replace("IPY_MODEL_", ""));
  const digest = shared.get("digest");
  // A style sheet of the page does not reach into a shadow root, where some hosts put widgets.
  const root = el.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  const id = `lineage-explorer-${digest}`;
  if (place.querySelector(`#${id}`) === null) {
    const style = document.createElement("style");
    style.id = id;
    style.textContent = shared.get("style");
    place.append(style);
  }
  let entry = entries.get(digest);
  if (entry === undefined) {
    const url = URL.createObjectURL(new Blob([shared.get("code")], { type: "text/javascript" }));
    entry = import(/* webpackIgnore: true */ url) as Promise<Entry>;
    entries.set(digest, entry);
  }
  return entry;
}

export default {
  async render(context: Context): Promise<() => void> {
    try {
      return (await load(context.model, context.el)).default.render(context);
    } catch (error) {
      context.el.textContent = `The view of this lineage could not be loaded (${String(error)}). Run its cell again.`;
      return () => undefined;
    }
  },
};
