/** The window onto a scene: which part of it, and how large. */

import type { Box } from "./scene.js";

export const LARGEST = 2.5;
/** Room above the drawing for the names of the lanes, in pixels. */
export const HEAD = 34;
const EDGE = 14;
/** Below this, names cannot be read; a small drawing is shown in part rather than smaller. */
const LEGIBLE = 0.4;

export class Camera {
  x = 0;
  y = 0;
  k = 1;
  width = 0;
  height = 0;

  /** The scale at which the whole scene is seen. */
  whole(scene: { width: number; height: number }): number {
    const across = (this.width - 2 * EDGE) / Math.max(1, scene.width);
    const down = (this.height - HEAD - EDGE) / Math.max(1, scene.height);
    return Math.min(1.1, Math.max(0.001, Math.min(across, down)));
  }

  /** Shows all of it. */
  fit(scene: { width: number; height: number }): void {
    this.k = this.whole(scene);
    this.x = (this.width - scene.width * this.k) / 2;
    this.y = HEAD + (this.height - HEAD - EDGE - scene.height * this.k) / 2;
  }

  /** The first look: all of it, if something can be seen then; else as much around the endpoint as can be read. */
  begin(scene: { width: number; height: number }, target: Box, nodes: number): void {
    this.fit(scene);
    if (this.k >= LEGIBLE || (nodes > 400 && this.k > 0.12)) return;
    this.k = LEGIBLE;
    const across = scene.width * this.k;
    this.x = across < this.width ? (this.width - across) / 2 : this.width - EDGE - target.right * this.k;
    this.y = (this.height + HEAD) / 2 - ((target.top + target.bottom) / 2) * this.k;
    if (scene.height * this.k < this.height - HEAD - EDGE)
      this.y = HEAD + (this.height - HEAD - EDGE - scene.height * this.k) / 2;
  }

  /** Zooms about a point of the window. */
  zoom(factor: number, smallest: number, px = this.width / 2, py = (this.height + HEAD) / 2): void {
    const k = Math.min(LARGEST, Math.max(smallest, this.k * factor));
    this.x = px - ((px - this.x) * k) / this.k;
    this.y = py - ((py - this.y) * k) / this.k;
    this.k = k;
  }

  /** Moves only as far as needed to have a box in view. */
  reveal(box: Box): boolean {
    const { x, y } = this;
    const margin = 8;
    const shift = (low: number, high: number, from: number, to: number): number =>
      high - low > to - from ? (from + to - low - high) / 2 : low < from ? from - low : high > to ? to - high : 0;
    this.x += shift(box.left * this.k + x, box.right * this.k + x, margin, this.width - margin);
    this.y += shift(box.top * this.k + y, box.bottom * this.k + y, HEAD + margin, this.height - margin);
    return this.x !== x || this.y !== y;
  }

  /** Whether all of the scene is in the window. */
  holds(scene: { width: number; height: number }): boolean {
    return this.x >= 0 && this.y >= 0 && scene.width * this.k + this.x <= this.width && scene.height * this.k + this.y <= this.height;
  }

  /** Brings a point of the scene to the middle of the window. */
  centre(x: number, y: number): void {
    this.x = this.width / 2 - x * this.k;
    this.y = (this.height + HEAD) / 2 - y * this.k;
  }

  /** Keeps some of the scene in the window, so that nobody gets lost beside it. */
  hold(scene: { width: number; height: number }): void {
    const some = 60;
    this.x = Math.min(this.width - some, Math.max(some - scene.width * this.k, this.x));
    this.y = Math.min(this.height - some, Math.max(HEAD + some - scene.height * this.k, this.y));
  }

  /** What of the scene is in the window, with some more around it. */
  window(more: number): Box {
    const [mx, my] = [this.width * more, this.height * more];
    return {
      left: (-this.x - mx) / this.k,
      right: (this.width - this.x + mx) / this.k,
      top: (-this.y - my) / this.k,
      bottom: (this.height - this.y + my) / this.k,
    };
  }
}
