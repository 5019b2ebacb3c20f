/** Copying, also where the page has no clipboard of its own: a Jupyter server without TLS. */

import { html } from "./dom.js";

export async function copyText(text: string, near: HTMLElement): Promise<void> {
  // A page that is not secure has none, whatever the types say.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard !== undefined) return clipboard.writeText(text);
  const holder = near.ownerDocument.activeElement;
  const area = html("textarea", { class: "lx-unseen", readonly: true, "aria-hidden": "true", tabindex: -1 });
  area.value = text;
  near.append(area);
  area.focus({ preventScroll: true });
  area.select();
  const done = near.ownerDocument.execCommand("copy");
  area.remove();
  if (holder instanceof HTMLElement || holder instanceof SVGElement) holder.focus({ preventScroll: true });
  if (!done) throw new Error("This page may not copy. Select the text and copy it with the keys.");
}
