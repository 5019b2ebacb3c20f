/** All of the scene in a corner, with the window in it, where the window does not show all. Only for the mouse: keys have Home, 0 and the arrows. */

import type { Camera } from "./camera.js";
import { svg } from "./dom.js";
import type { Placed, Scene } from "./scene.js";

const WIDTH = 168;
const HEIGHT = 104;
/** In a drawing narrower than this it would cover too much. */
const NARROW = 520;

export class Minimap {
  readonly element: SVGSVGElement;
  private readonly map = svg("g");
  private readonly pane = svg("rect", { class: "lx-pane" });
  private drawn: Scene | null = null;
  private drawnFor = 0;
  private scale = 0;
  private held = false;

  constructor(
    private readonly camera: Camera,
    private readonly go: () => void,
  ) {
    this.element = svg("svg", { class: "lx-minimap", "aria-hidden": "true", focusable: "false", hidden: true }, this.map, this.pane);
    const move = (event: PointerEvent): void => {
      const box = this.element.getBoundingClientRect();
      const x = (event.clientX - box.left) / this.scale;
      const y = (event.clientY - box.top) / this.scale;
      this.camera.centre(x, y);
      this.go();
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.scale === 0) return;
      event.preventDefault();
      this.held = true;
      this.element.setPointerCapture(event.pointerId);
      move(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.held) move(event);
    });
    const end = (): void => {
      this.held = false;
    };
    this.element.addEventListener("pointerup", end);
    this.element.addEventListener("pointercancel", end);
  }

  /** Follows the camera. */
  show(scene: Scene): void {
    const { camera } = this;
    const all = camera.holds(scene);
    const away = all || camera.width < NARROW || scene.things.size === 0;
    if (away !== this.element.hasAttribute("hidden")) this.element.toggleAttribute("hidden", away);
    if (away) return;
    if (this.drawn !== scene || this.drawnFor !== camera.width * camera.height) this.draw(scene);
    const { scale } = this;
    const box = camera.window(0);
    const left = Math.max(0, box.left * scale);
    const top = Math.max(0, box.top * scale);
    this.pane.setAttribute("x", String(left));
    this.pane.setAttribute("y", String(top));
    this.pane.setAttribute("width", String(Math.max(3, Math.min(scene.width * scale, box.right * scale) - left)));
    this.pane.setAttribute("height", String(Math.max(3, Math.min(scene.height * scale, box.bottom * scale) - top)));
  }

  private draw(scene: Scene): void {
    this.drawn = scene;
    this.drawnFor = this.camera.width * this.camera.height;
    const width = Math.min(WIDTH, this.camera.width / 4);
    const height = Math.min(HEIGHT, this.camera.height / 4);
    this.scale = Math.min(width / Math.max(1, scene.width), height / Math.max(1, scene.height));
    this.element.setAttribute("width", String(Math.max(24, scene.width * this.scale)));
    this.element.setAttribute("height", String(Math.max(16, scene.height * this.scale)));
    this.map.replaceChildren(
      ...scene.lanes.map((lane, i) => {
        const columns = scene.columns.filter(([first]) => first !== undefined && first.left >= lane.left && first.left < lane.right);
        return svg("path", { class: i % 2 === 0 ? "lx-lane" : "lx-lane lx-other", d: columns.map((column) => this.strips(column)).join("") });
      }),
    );
  }

  /** A column as few strips: what stands closer than can be told apart there is one. */
  private strips(column: readonly Placed[]): string {
    let path = "";
    let strip: { top: number; bottom: number } | null = null;
    const end = (): void => {
      if (strip === null) return;
      const { left, right } = column[0]!;
      const [x, y, w, h] = [left, strip.top, right - left, strip.bottom - strip.top].map((value) => Math.round(value * this.scale * 10) / 10);
      path += `M${x},${y}h${Math.max(1, w!)}v${Math.max(1, h!)}h${-Math.max(1, w!)}z`;
    };
    for (const { top, bottom } of column) {
      if (strip !== null && (top - strip.bottom) * this.scale < 1.2) strip.bottom = bottom;
      else {
        end();
        strip = { top, bottom };
      }
    }
    end();
    return path;
  }
}
