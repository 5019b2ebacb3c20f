/** A message in place of something that cannot be shown, with what can be done about it. */

import { html } from "../view/dom.js";
import { clean } from "../view/text.js";

export interface Remedy {
  label: string;
  act: () => void;
}

export function notice(title: string, message: string, ...remedies: Remedy[]): HTMLElement {
  const buttons = remedies.map(({ label, act }) => {
    const button = html("button", { type: "button", class: "jp-mod-styled" }, label);
    button.addEventListener("click", act);
    return button;
  });
  return html(
    "div",
    { class: "lx-lab-notice", role: "alert" },
    html("h2", {}, clean(title)),
    html("p", {}, sentence(message)),
    ...(buttons.length === 0 ? [] : [html("p", { class: "lx-lab-remedies" }, ...buttons)]),
  );
}

/** A message of Python's, which begins like a part of a sentence, as one. */
export function sentence(message: string): string {
  const text = clean(message).trim();
  const whole = text.replace(/^\p{Ll}(?=\p{L}* )/u, (letter) => letter.toUpperCase());
  return /[\p{L}\p{N})'”]$/u.test(whole) ? `${whole}.` : whole;
}
