/** Code and style that came as text, imported once for the page and kept by their digest. */

export interface Code {
  code: string;
  style: string;
  digest: string;
}

const KEY = Symbol.for("lineage-explorer");
const modules = ((globalThis as { [KEY]?: Map<string, Promise<unknown>> })[KEY] ??= new Map<string, Promise<unknown>>());

/** The module, with its style where the element stands: a page's style sheet does not reach into a shadow root, where some hosts put widgets. */
export function install<M>({ code, style, digest }: Code, element: Element): Promise<M> {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  const id = `lineage-explorer-${digest}`;
  if (place.querySelector(`#${id}`) === null) {
    const sheet = document.createElement("style");
    sheet.id = id;
    sheet.textContent = style;
    place.append(sheet);
  }
  let found = modules.get(digest);
  if (found === undefined) {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    found = import(/* webpackIgnore: true */ url) as Promise<unknown>;
    modules.set(digest, found);
  }
  return found as Promise<M>;
}

/** A widget's model that names others, which hold code and style: see `View` in widget.py. */
export interface Naming {
  get(name: string): unknown;
  readonly widget_manager: { get_model(id: string): Promise<{ get(name: keyof Code): string }> };
}

/** The module that a widget's model names. */
export async function carried<M>(model: Naming, name: string, element: Element): Promise<M> {
  const shared = await model.widget_manager.get_model(String(model.get(name)).replace("IPY_MODEL_", ""));
  return install<M>({ code: shared.get("code"), style: shared.get("style"), digest: shared.get("digest") }, element);
}
