/** Making elements. Text goes in as text; there is no way here to put markup in. */

type Attributes = { [name: string]: string | number | boolean | null };

function fill<E extends Element>(element: E, attributes: Attributes, children: (Node | string)[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  element.append(...children);
  return element;
}

export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** A list of which the first are shown, and the rest when asked for. */
export function several<T>(all: readonly T[], most: number, item: (one: T) => HTMLElement): HTMLElement {
  const list = html("ul", { class: "lx-list" }, ...all.slice(0, most).map(item));
  if (all.length > most) {
    const more = html("button", { type: "button", class: "lx-button" }, `Show all ${all.length}`);
    const last = html("li", {}, more);
    more.addEventListener("click", () => {
      const rest = all.slice(most).map(item);
      last.replaceWith(...rest);
      rest[0]?.querySelector("button")?.focus();
    });
    list.append(last);
  }
  return list;
}

/** Keeps what is typed here from the page's own keys. With Ctrl, Alt or Cmd keys stay the page's: its palette opens from here too. */
export function keepPlainKeys(element: HTMLElement): void {
  element.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.altKey && !event.metaKey) event.stopPropagation();
  });
}

/**
 * JupyterLab hears keys before a view does, and would insert a cell at "b"; with Ctrl, Alt or Cmd they stay its own. It looks
 * for the attribute where the focus is first. Ends with what it gives.
 */
export function shield(root: HTMLElement): () => void {
  const mark = ({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): void => {
    if (target instanceof Element && root.contains(target)) target.toggleAttribute("data-lm-suppress-shortcuts", !(ctrlKey || metaKey || altKey));
  };
  window.addEventListener("keydown", mark, true);
  return () => window.removeEventListener("keydown", mark, true);
}
