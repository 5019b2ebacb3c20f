/** A place among many things that are drawn: arrow keys move it, and it is heard as a choice of a list. Only the one that is stood on has an element. */

import { html } from "../view/dom.js";

export interface Course {
  count(): number;
  /** In words, for people who hear it. */
  describe(at: number): string;
  /** Where it is drawn. */
  box(at: number): { left: number; width: number };
  choose(at: number): void;
  /** Before a place is shown: what is out of sight is to come in. */
  reach?(at: number): void;
}

export class Cursor {
  private readonly option: HTMLElement;
  at = 0;

  /** `list` is what has the focus; it holds the drawing. */
  constructor(
    id: string,
    private readonly list: HTMLElement,
    private readonly course: Course,
  ) {
    this.option = html("div", { role: "option", id, class: "lx-cursor", "aria-selected": "false" });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-orientation", "horizontal");
    list.append(this.option);
    list.addEventListener("focus", () => this.go(this.at));
  }

  /** True if the key was for it. */
  key({ key, shiftKey }: KeyboardEvent): boolean {
    const last = this.course.count() - 1;
    if (shiftKey || last < 0) return false;
    const to = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, Home: 0, End: last, PageDown: this.at + 20, PageUp: this.at - 20 }[key];
    if (to !== undefined) this.go(Math.max(0, Math.min(last, to)));
    else if (key === "Enter" || key === " ") this.course.choose(this.at);
    else return false;
    return true;
  }

  go(at: number): void {
    this.at = at;
    if (this.course.count() > 0) this.course.reach?.(this.at);
    this.place();
  }

  /** Again, after the drawing has changed. */
  place(selected = -1): void {
    const count = this.course.count();
    const { option, list } = this;
    option.hidden = count === 0;
    if (count === 0) {
      list.removeAttribute("aria-activedescendant");
      return;
    }
    this.at = Math.max(0, Math.min(count - 1, this.at));
    option.setAttribute("aria-posinset", String(this.at + 1));
    option.setAttribute("aria-setsize", String(count));
    option.setAttribute("aria-selected", String(selected === this.at));
    option.setAttribute("aria-label", this.course.describe(this.at));
    list.setAttribute("aria-activedescendant", option.id);
    this.move();
  }

  /** The same place, where it is drawn now. */
  move(): void {
    if (this.at >= this.course.count()) return;
    const { left, width } = this.course.box(this.at);
    this.option.style.transform = `translateX(${left}px)`;
    this.option.style.width = `${width}px`;
  }
}
