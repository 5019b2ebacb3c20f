/** What every chapter's page has: its root, what it says by itself, and how things are taken along from it. */

import { problem } from "../view/asking.js";
import { copyText } from "../view/clipboard.js";
import { html, shield } from "../view/dom.js";
import { Live } from "../view/live.js";
import { csv, download } from "../view/saving.js";
import { brief, clean, shortName } from "../view/text.js";

let made = 0;

export class Page {
  /** Begins every id in the page: a notebook has several. */
  readonly id = `lxc${++made}`;
  readonly live = new Live();
  readonly root: HTMLElement;
  private readonly unshield: () => void;

  constructor(
    private readonly element: HTMLElement,
    kind: string,
    label: string,
  ) {
    this.root = html("section", { class: `lx-root ${kind}`, "aria-label": clean(label) });
    this.unshield = shield(this.root);
  }

  /** Shows it, with what it says at its end. */
  put(...parts: HTMLElement[]): void {
    this.root.append(...parts, this.live.element, this.live.notice);
    this.element.replaceChildren(this.root);
  }

  section(title: string, kind: string, ...parts: (Node | string)[]): HTMLElement {
    const id = `${this.id}-${kind}`;
    return html("section", { class: "lx-chaptersection", "aria-labelledby": id }, html("h3", { id }, title), ...parts);
  }

  copy(text: string, what: string): void {
    copyText(text, this.root).then(
      () => this.live.tell(`Copied ${what}`),
      (error: unknown) => this.live.tell(`Not copied: ${problem(error)}`, true),
    );
  }

  save(name: string, rows: readonly (readonly string[])[]): void {
    download(name, new Blob([csv(rows)], { type: "text/csv;charset=utf-8" }), this.root);
    this.live.tell(`Saved ${name}: ${count(rows.length - 1, "row")}`);
  }

  destroy(): void {
    this.unshield();
    this.live.destroy();
    this.root.remove();
  }
}

/** A button that does something. */
export function press(label: string, run: () => void, more: { [name: string]: string } = {}): HTMLButtonElement {
  const button = html("button", { type: "button", class: "lx-button", ...more }, label);
  button.addEventListener("click", run);
  return button;
}

/** A button that looks like a link, with the whole of a shortened text as its title. */
export function lead(label: string, whole: string, run: () => void): HTMLButtonElement {
  return press(label, run, { class: "lx-link", title: clean(whole) });
}

/** A button that is pressed or not; whoever made it hears of it. */
export function toggle(label: (Node | string)[], pressed: boolean, changed: (pressed: boolean) => void): HTMLButtonElement {
  const button = html("button", { type: "button", class: "lx-button lx-toggled", "aria-pressed": String(pressed) }, ...label);
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    changed(now);
  });
  return button;
}

/** Heard, not seen. */
export function unseen(text: string): HTMLElement {
  return html("span", { class: "lx-unseen" }, text);
}

export function count(many: number, noun: string, more = `${noun}s`): string {
  return `${grouped(many)} ${many === 1 ? noun : more}`;
}

/** How many, in groups of three; a browser's own way takes 20 ms to set up when it is first asked. */
export function grouped(many: number): string {
  return String(many).replace(/\B(?=(?:\d{3})+$)/gu, ",");
}

export function quiet(...inner: (Node | string)[]): HTMLElement {
  return html("span", { class: "lx-quiet" }, ...inner);
}

/** Where one side has nothing: a dash that is seen, and a word that is heard. */
export function nothing(): HTMLElement {
  return quiet(html("span", { "aria-hidden": "true" }, "—"), unseen("none"));
}

export function code(text: string): HTMLElement {
  return html("code", {}, brief(text));
}

/** Some lines under each other in a cell; those beyond `most` are counted. */
export function short(items: readonly (Node | string)[], most = Infinity): HTMLElement {
  const rest = items.length - most;
  return html("ul", { class: "lx-columnlist" }, ...items.slice(0, most).map((item) => html("li", {}, item)), ...(rest > 0 ? [html("li", { class: "lx-quiet" }, `and ${rest} more`)] : []));
}

/** A commit as the trace calls it: `churn @ 0b76c99d`. */
export function commitName(ref: string): string {
  const [path = "", version = ""] = ref.replace(/^code:/u, "").split("@").map(decoded);
  const name = path.replace(/(?:\.git)?\/*$/u, "").split("/").pop() ?? path;
  return version === "" ? name : `${name} @ ${version.slice(0, 8)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is no escape
  }
}

/** A short name; all of it where it is pointed at. */
export function called(ref: string, label = shortName(ref), kind: string | null = null): HTMLElement {
  return html("span", { class: kind, title: clean(ref) }, brief(label));
}
