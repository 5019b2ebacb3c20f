/**
 * The surface that is drawn on: what is in the window, in as much detail as can be read there.
 *
 * Three levels: *full* (kind, name, fact), *named* (the name alone, at a constant size on the screen) and
 * *outline* (no elements of their own: all nodes of a kind are one path). Only what is near the window
 * has elements. While the reader moves it, what was painted is moved as a picture, and painted anew when the
 * reader rests or has left what is there: painting thousands of lines takes longer than a frame.
 */

import { HEAD, type Camera } from "./camera.js";
import { drawBands, drawLines, drawOutlines, type Fade } from "./crowd.js";
import { html, svg } from "./dom.js";
import { moreOf, type Plan } from "./plan.js";
import { near, overlaps, type Box, type PlacedLink, type Scene } from "./scene.js";
import { drawFrame, drawLink, drawMore, drawThing, type Level, type Look } from "./shapes.js";

/** More things than this in the window are drawn as outlines. */
const MANY = 400;
const FULL_FROM = 0.68;
/** Below this, names would lie over one another. */
const NAMED_FROM = 0.18;
/** How much of the window's size is drawn on each side of it. */
const AROUND = 0.4;
/** How far a picture may be enlarged or reduced before it is painted anew: names get blurred by it. */
const STRETCH = 2;
const VAST = 800;
const NOWHERE: Box = { left: 0, top: 0, right: -1, bottom: -1 };

/** What is to be drawn. */
export interface Picture {
  plan: Plan;
  scene: Scene;
  /** The one item that Tab reaches. */
  current: string;
  selected: string;
  fade: Fade;
  /** Said on a closed group of which only a part is lit. */
  share: (id: string) => string;
  /** What another audit made different, for a moment. */
  news: ReadonlyMap<string, "lx-new" | "lx-pulse">;
}

interface Entry {
  parts: SVGElement[];
  focus: SVGElement;
  path: string;
  share: Element | null;
}

export class Surface {
  /** What the reader takes hold of; it stays where it is. */
  readonly canvas: HTMLElement;
  /** What has elements of its own, by its id. */
  private readonly shown = new Map<string, Entry>();
  /** Where what goes away fades out. */
  private readonly ghosts = svg("g", { class: "lx-ghosts", "aria-hidden": "true" });
  private readonly lines = svg("g", { "aria-hidden": "true" });
  private readonly gates = svg("g");
  private readonly world = svg("g");
  private readonly bands = svg("g", { class: "lx-bands", "aria-hidden": "true" });
  private readonly frames = svg("g");
  private readonly crowd = svg("g", { "aria-hidden": "true" });
  private readonly boxes = svg("g");
  private readonly extras = svg("g");
  private readonly heads = svg("svg", { class: "lx-lanes", width: "100%", height: HEAD, "aria-hidden": "true" });
  /** What is moved as a picture. */
  private readonly sheet = html("div", { class: "lx-sheet" }, svg("svg", { role: "presentation" }, this.world));
  /** Where the camera was when the sheet was painted. */
  private painted = { x: 0, y: 0, k: 1 };
  private covered = NOWHERE;
  private level: Level | "" = "";
  private scaleDrawn = 0;
  private scaleSet = 0;
  private letterWidth = 0;
  /** What the elements were last brought in line with. */
  private mended: Picture | null = null;

  constructor(
    private readonly camera: Camera,
    label: string,
  ) {
    this.canvas = html("div", { class: "lx-canvas", role: "application", "aria-label": label }, this.sheet, this.heads);
    this.world.append(this.bands, this.frames, this.crowd, this.lines, this.ghosts, this.boxes, this.gates, this.extras);
  }

  /** Whether many are drawn as one, so that none of them can change by itself. */
  get crowded(): boolean {
    return this.level === "outline" || this.crowd.hasChildNodes();
  }

  /** Whether something in it has the keys. */
  get focused(): boolean {
    const holder = this.canvas.ownerDocument.activeElement;
    return holder !== null && holder !== this.canvas && this.canvas.contains(holder);
  }

  /** The next drawing begins with nothing; `cut` where only the window has changed. */
  forget(cut = false): void {
    if (cut) this.covered = NOWHERE;
    else this.level = "";
  }

  /** Moves what is painted to where the camera is; false if that would blur it or leave gaps, unless the reader is to see even that. */
  move(picture: Picture, anyhow: boolean): boolean {
    const { camera, painted } = this;
    const by = camera.k / painted.k;
    if (this.level === "") return false;
    if (by !== 1 && this.vast(picture)) anyhow = true;
    if (!anyhow && (by > STRETCH || by < 1 / STRETCH || !this.covers(picture.scene))) return false;
    this.sheet.style.transform = `translate(${camera.x - painted.x * by}px,${camera.y - painted.y * by}px) scale(${by})`;
    this.drawHeads(picture.scene);
    return true;
  }

  /** Whether there is so much that painting it takes longer than anybody waits while zooming. */
  vast({ scene }: Picture): boolean {
    return scene.things.size > VAST;
  }

  /** Whether what is painted is what would be painted now: only moved, and nothing is missing. */
  settled(picture: Picture): boolean {
    return this.camera.k === this.painted.k && this.covers(picture.scene);
  }

  /** Whether all of the scene that is in the window is drawn. */
  private covers({ width, height }: Scene): boolean {
    const { covered } = this;
    const seen = this.camera.window(0);
    // Beyond the scene's ends there is nothing to draw; loops and names of frames go a little beyond them.
    const margin = 80;
    return (
      Math.max(seen.left, -margin) >= covered.left &&
      Math.min(seen.right, width + margin) <= covered.right &&
      Math.max(seen.top, -margin) >= covered.top &&
      Math.min(seen.bottom, height + margin) <= covered.bottom
    );
  }

  /** Draws now: the window's part of the scene if it has left what is there, else only the move. */
  draw(picture: Picture): void {
    const { camera } = this;
    this.painted = { x: camera.x, y: camera.y, k: camera.k };
    this.sheet.style.transform = "";
    if (camera.k !== this.scaleSet) {
      this.scaleSet = camera.k;
      this.world.style.setProperty("--lx-pixel", `${1 / camera.k}px`);
    }
    this.world.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.k})`);
    this.drawHeads(picture.scene);
    const level = this.levelNow(picture.scene);
    const rescaled = level !== "full" && Math.abs(Math.log(camera.k / this.scaleDrawn)) > 0.08;
    const holder = this.canvas.ownerDocument.activeElement;
    const { focused } = this;
    if (level !== this.level || (rescaled && level === "named")) this.begin(picture, level);
    else if (rescaled) this.drawFrames(picture.scene);
    const seen = camera.window(0);
    // After zooming in, the lines are cut anew: they reach far beyond the window, and all of that is painted.
    const wide = this.covered.right - this.covered.left > 3 * (seen.right - seen.left);
    if (wide || !this.covers(picture.scene)) this.drawWindow(picture);
    this.add(picture, picture.current);
    if (this.mended !== picture) this.mend(picture);
    if (focused && !this.canvas.contains(holder)) this.focus(picture.current);
  }

  /** Keeps elements while they fade, as pictures and nothing more; without any, those that were kept go. */
  haunt(...elements: SVGElement[]): void {
    for (const element of elements) for (const name of ["data-id", "role", "tabindex", "aria-label"]) element.removeAttribute(name);
    this.ghosts.replaceChildren(...elements);
  }

  /** Links come back in step with what moves between them. */
  fadeLinks(done: number): void {
    for (const layer of [this.lines, this.gates, this.crowd, this.extras, this.frames]) layer.style.opacity = done === 1 ? "" : String(Math.max(0, 2 * done - 1));
  }

  /** What stands for what, as it is drawn now. */
  elements(): Map<string, SVGElement> {
    return new Map(Array.from(this.shown, ([id, entry]) => [id, entry.focus]));
  }

  focus(id: string): void {
    this.shown.get(id)?.focus.focus({ preventScroll: true });
  }

  private begin({ scene, fade }: Picture, level: Level): void {
    for (const layer of [this.crowd, this.lines, this.boxes, this.gates, this.bands, this.extras]) layer.replaceChildren();
    this.shown.clear();
    this.covered = NOWHERE;
    this.level = level;
    this.scaleDrawn = this.camera.k;
    this.drawFrames(scene);
    if (level === "outline") drawOutlines(this.boxes, this.gates, scene, fade);
  }

  private drawFrames(scene: Scene): void {
    this.scaleDrawn = this.camera.k;
    this.frames.replaceChildren(...scene.frames.map((frame) => drawFrame(frame, this.camera.k)));
  }

  private levelNow(scene: Scene): Level {
    if (this.camera.k < NAMED_FROM) return "outline";
    if (scene.things.size > MANY) {
      const seen = this.camera.window(0);
      let count = 0;
      for (const thing of scene.things.values()) if (overlaps(thing, seen)) count++;
      if (count > MANY) return "outline";
    }
    return this.camera.k >= FULL_FROM ? "full" : "named";
  }

  private drawWindow(picture: Picture): void {
    const { scene, fade } = picture;
    this.covered = this.camera.window(AROUND);
    // Beyond the scene's ends too, as far as the reader can move without its being drawn anew.
    const { top: from, bottom: to } = this.camera.window(2);
    this.bands.replaceChildren();
    drawBands(this.bands, scene, from, to - from);
    this.crowd.replaceChildren();
    if (this.level === "outline") drawLines(this.crowd, scene.links.values(), this.covered, fade);
    const wanted = new Set<string>([picture.current, scene.holder.get(picture.selected) ?? picture.selected]);
    if (this.level !== "outline") {
      for (const [id, thing] of scene.things)
        if (overlaps(thing, this.covered)) {
          wanted.add(id);
          for (const more of picture.plan.more(id)) wanted.add(more);
        }
      const passing = [...scene.links.values()].filter((link) => link.pieces.some((piece) => overlaps(piece, this.covered)));
      const { left, right, top, bottom } = this.covered;
      const crowded = passing.length > 2 * MANY;
      // Where thousands of links pass, those whose gate is out of sight are lines and no more.
      const here = ({ mark: at }: PlacedLink): boolean => !crowded || (at.x >= left && at.x <= right && at.y >= top && at.y <= bottom);
      for (const item of passing) if (here(item)) wanted.add(item.link.id);
      if (crowded) drawLines(this.crowd, passing.filter((item) => !here(item)), this.covered, fade);
    }
    const focused = this.canvas.ownerDocument.activeElement;
    for (const [id, entry] of this.shown)
      if (!wanted.has(id) && entry.focus !== focused) {
        for (const element of entry.parts) element.remove();
        this.shown.delete(id);
      }
    for (const [id, entry] of this.shown) {
      const link = scene.links.get(id);
      const path = link === undefined ? "" : near(link, this.covered);
      if (path === entry.path) continue;
      for (const line of entry.parts[0]?.children ?? []) line.setAttribute("d", path);
      entry.path = path;
    }
    for (const id of wanted) this.add(picture, id);
  }

  private add(picture: Picture, id: string): void {
    if (this.shown.has(id)) return;
    this.mended = null;
    const { scene } = picture;
    const { model } = picture.plan;
    const look: Look = { model, things: scene.things, level: this.level || "full", scale: this.camera.k, letter: this.letter() };
    const thing = scene.things.get(id);
    const link = scene.links.get(id);
    const more = moreOf(id);
    if (thing !== undefined) {
      const element = drawThing(look, thing);
      this.boxes.append(element);
      this.shown.set(id, { parts: [element], focus: element, path: "", share: element.querySelector(".lx-part") });
    } else if (link !== undefined) {
      const path = near(link, this.covered);
      const [line, gate] = drawLink(look, link, path);
      this.lines.append(line);
      // What holds lies under what does not.
      if (link.link.status === "passed" || link.link.status === "none") this.gates.prepend(gate);
      else this.gates.append(gate);
      this.shown.set(id, { parts: [line, gate], focus: gate, path, share: null });
    } else if (more !== undefined && scene.things.has(more.ref)) {
      const element = drawMore(look, id, scene.things.get(more.ref)!, more.ref, more.side, model.beyond?.get(more.ref)?.[more.side] ?? 0);
      this.extras.append(element);
      this.shown.set(id, { parts: [element], focus: element, path: "", share: null });
    }
  }

  /** Selection, dimming and the tab stop, on what is there. */
  private mend(picture: Picture): void {
    const { current, scene, fade } = picture;
    const selected = scene.holder.get(picture.selected) ?? picture.selected;
    for (const [id, entry] of this.shown) {
      entry.focus.setAttribute("tabindex", id === current ? "0" : "-1");
      if (!entry.focus.classList.contains("lx-beyond")) entry.focus.setAttribute("aria-pressed", String(id === selected));
      const faded = fade(moreOf(id)?.ref ?? id);
      for (const element of entry.parts) {
        element.classList.toggle("lx-selected", id === selected);
        element.classList.toggle("lx-dim", faded === "lx-dim");
        element.classList.toggle("lx-far", faded === "lx-far");
      }
      if (entry.share !== null) entry.share.textContent = picture.share(id);
      for (const kind of ["lx-new", "lx-pulse"]) entry.focus.classList.toggle(kind, picture.news.get(id) === kind);
    }
    this.mended = picture;
  }

  /** The names of the lanes. Their elements stay while the drawing is moved: new ones have their style computed anew. */
  private drawHeads({ lanes }: Scene): void {
    const { camera, heads } = this;
    while (heads.childElementCount < lanes.length + 1) heads.append(heads.hasChildNodes() ? svg("text", { y: 19, "text-anchor": "middle" }) : svg("rect", { class: "lx-headband", width: "100%", height: HEAD - 6 }));
    while (heads.childElementCount > lanes.length + 1) heads.lastElementChild?.remove();
    const size = 7.4;
    lanes.forEach((lane, i) => {
      const name = heads.children[i + 1]!;
      const from = Math.max(lane.left * camera.k + camera.x, 4);
      const to = Math.min(lane.right * camera.k + camera.x, camera.width - 4);
      const room = Math.floor((to - from) / size);
      const text = room < 4 ? "" : lane.title.length <= room ? lane.title : `${lane.title.slice(0, room - 1)}…`;
      if (name.textContent !== text) name.textContent = text;
      if (text !== "") name.setAttribute("x", String((from + to) / 2));
    });
  }

  /** How wide a letter of a name is in this font, as a part of its size. */
  letter(): number {
    if (this.letterWidth === 0) {
      if (!this.canvas.isConnected) return 0.6;
      const context = this.canvas.ownerDocument.createElement("canvas").getContext("2d");
      const sample = "customers-features_2026";
      if (context === null) return 0.6;
      context.font = `600 100px ${getComputedStyle(this.canvas).fontFamily}`;
      this.letterWidth = context.measureText(sample).width / sample.length / 100;
    }
    return this.letterWidth;
  }
}
