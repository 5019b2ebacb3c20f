/** What a view says by itself: to people who hear it, and on the screen. */

import { html } from "./dom.js";
import { clean } from "./text.js";

/** How long a word stays that is no problem. */
const STAYS = 5_000;

export class Live {
  /** Heard, not seen. */
  readonly element = html("div", { class: "lx-unseen", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  /** Seen; what is heard says the same. */
  readonly notice = html("div", { class: "lx-notice", hidden: true });
  private speaking = 0;
  private leaving = 0;

  /** Says it once all is quiet for so long: of what is typed meanwhile only the last is worth hearing. */
  say(text: string, quiet = 60): void {
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      const said = clean(text);
      // A region is read when it changes; the same words again differ by a space that nobody hears.
      this.element.textContent = this.element.textContent === said ? `${said}\u00A0` : said;
    }, quiet);
  }

  /** Says and shows it. A problem stays until it is closed. */
  tell(text: string, problem = false): void {
    this.say(text);
    clearTimeout(this.leaving);
    const close = html("button", { type: "button", class: "lx-link", "aria-label": "Close the message" }, "✕");
    close.addEventListener("click", () => (this.notice.hidden = true));
    this.notice.replaceChildren(html("span", {}, clean(text)), ...(problem ? [close] : []));
    this.notice.classList.toggle("lx-problem", problem);
    this.notice.hidden = false;
    if (!problem) this.leaving = window.setTimeout(() => (this.notice.hidden = true), STAYS);
  }

  destroy(): void {
    clearTimeout(this.speaking);
    clearTimeout(this.leaving);
  }
}
