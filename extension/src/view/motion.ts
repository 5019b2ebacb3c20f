/** Movement from one drawing to the next: short, and none for readers who asked for none. */

import { isGroup } from "./groups.js";
import type { Point } from "./layout.js";
import type { Scene } from "./scene.js";

const TIME = 300;
/** More than these at once would stutter. */
const MOST = 600;

/** A scene, and the elements of what is drawn of it. */
interface Still {
  scene: Scene;
  elements: ReadonlyMap<string, SVGElement>;
}

/**
 * How one scene becomes another. What is in both goes to its new place, what comes out of a group comes out of it,
 * what goes into one goes into it, and the rest fades. Null where that is too much to be seen.
 */
export function movers(before: Still, now: Still, today: (then: Point) => Point): Mover[] | null {
  if (before.elements.size + now.elements.size > 2 * MOST) return null;
  const found: Mover[] = [];
  const at = ({ scene }: Still, id: string): Point | undefined => {
    const box = scene.things.get(id);
    return box && { x: box.left, y: box.top };
  };
  // The camera has moved too: where something was in the window is told in the coordinates of today.
  const was = (id: string): Point | undefined => {
    const place = at(before, id) ?? at(before, before.scene.holder.get(id) ?? "");
    return place && today(place);
  };
  for (const [id, element] of now.elements) {
    const to = at(now, id);
    if (to === undefined) continue;
    const from = was(id);
    if (from === undefined || !before.scene.things.has(id)) found.push({ element, from: from ?? to, to, fade: "in" });
    else if (from.x !== to.x || from.y !== to.y) found.push({ element, from, to, fade: "" });
  }
  for (const [id, element] of before.elements) {
    const from = was(id);
    const thing = before.scene.things.get(id)?.thing;
    if (from === undefined || thing === undefined || now.elements.has(id)) continue;
    const first = isGroup(thing) ? undefined : (at(now, id) ?? at(now, now.scene.holder.get(id) ?? ""));
    found.push({ element, from, to: first ?? from, fade: "out" });
  }
  return found.length > MOST ? null : found;
}

/** Something that goes from one place to another, and may come or go. */
export interface Mover {
  element: SVGElement;
  from: Point;
  to: Point;
  fade: "" | "in" | "out";
}

export function still(): boolean {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches === true;
}

export class Motion {
  private frame = 0;
  private limit: ReturnType<typeof setTimeout> | undefined;
  private end: (() => void) | null = null;

  /** Moves; `also` gets how much of the way is done; `after` follows once, however it ends. */
  run(movers: readonly Mover[], also: (done: number) => void, after: () => void): void {
    this.finish();
    const put = (done: number): void => {
      // Slow at both ends.
      const eased = done < 0.5 ? 4 * done ** 3 : 1 - (2 - 2 * done) ** 3 / 2;
      for (const { element, from, to, fade } of movers) {
        element.setAttribute("transform", `translate(${from.x + (to.x - from.x) * eased} ${from.y + (to.y - from.y) * eased})`);
        if (fade !== "") element.style.opacity = done === 1 && fade === "in" ? "" : String(fade === "in" ? eased : 1 - eased);
      }
      also(done);
    };
    this.end = () => {
      put(1);
      after();
    };
    put(0);
    let begun = 0;
    const step = (now: number): void => {
      begun ||= now;
      const done = Math.min(1, (now - begun) / TIME);
      if (done === 1) return this.finish();
      put(done);
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
    // A page in the background has no frames; what it shows must be whole all the same.
    this.limit = setTimeout(() => this.finish(), 3 * TIME);
  }

  /** Goes to the end at once. */
  finish(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.limit);
    const { end } = this;
    this.end = null;
    end?.();
  }
}
