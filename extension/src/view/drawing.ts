/** The drawing as the view uses it: what is open, what is selected, where the reader is. The surface draws it. */

import { Camera, HEAD } from "./camera.js";
import { compare, type Change } from "./change.js";
import { html } from "./dom.js";
import type { Group } from "./groups.js";
import { fades, share } from "./lights.js";
import { Minimap } from "./minimap.js";
import type { Model } from "./model.js";
import { Motion, movers, still } from "./motion.js";
import { picture } from "./picture.js";
import { Plan } from "./plan.js";
import { serve, type DrawingEvents } from "./reader.js";
import { Surface, type Picture } from "./surface.js";

export { KEYS } from "./keys.js";
export type { Change, DrawingEvents, Group };

/** How long nobody may tell how large the window is, in milliseconds, until it is drawn for the usual one. */
const PATIENCE = 100;
const USUAL = { width: 1000, height: 500 };
/** After how long without a movement the reader rests, in milliseconds. */
const REST = 120;
/** Of the time of a long movement, one part in so many and one goes to painting; the rest moves what is painted. */
const PACE = 6;
/** How long what is new is marked, in milliseconds. */
const NEWS = 2500;

const LABEL =
  "Drawing of the lineage. Left and right arrows follow the data flow, up and down go along a column, " +
  "Shift with an arrow goes to the hop between, Enter opens the details, a question mark tells all keys. The tables below hold the same.";

export class Drawing {
  readonly element: HTMLElement;
  private readonly plan: Plan;
  private readonly camera = new Camera();
  private readonly surface = new Surface(this.camera, LABEL);
  private readonly minimap = new Minimap(this.camera, () => this.later());
  private readonly motion = new Motion();
  private readonly watch = new ResizeObserver(() => this.resize());
  private readonly sight: IntersectionObserver | undefined;
  private readonly patience: ReturnType<typeof setTimeout>;
  private picture: Picture;
  /** The one item that Tab reaches. */
  private current: string;
  private selected = "";
  private lit: ReadonlySet<string> | null = null;
  private news: ReadonlyMap<string, "lx-new" | "lx-pulse"> = new Map();
  private newsEnd: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;
  /** How long it took the last time, in milliseconds. */
  private cost = 0;
  /** Until then nothing is painted in the midst of a movement. */
  private pause = 0;
  /** Whether somebody told how large the window is. */
  private sized = false;
  /** Whether the reader has moved the drawing; until then it is kept in the middle. */
  private moved = false;

  constructor(
    model: Model,
    private readonly events: DrawingEvents,
  ) {
    this.plan = new Plan(model);
    this.current = this.plan.home();
    this.picture = this.state();
    this.element = html("div", { class: "lx-drawing" }, this.surface.canvas, this.minimap.element);
    this.serve();
    // Nobody tells the size of what is out of sight, as a notebook's cell below the window is. It is drawn all the
    // same, and fitted when the size is told or when it comes into sight: whichever is first, and never nothing.
    this.watch.observe(this.surface.canvas);
    this.sight = "IntersectionObserver" in globalThis ? new IntersectionObserver(() => this.resize()) : undefined;
    this.sight?.observe(this.surface.canvas);
    this.patience = setTimeout(() => this.resize(USUAL), PATIENCE);
  }

  destroy(): void {
    this.watch.disconnect();
    this.sight?.disconnect();
    this.motion.finish();
    clearTimeout(this.patience);
    clearTimeout(this.newsEnd);
    clearTimeout(this.rest);
    cancelAnimationFrame(this.frame);
  }

  get groups(): readonly Group[] {
    return this.plan.groups;
  }

  /** How many pixels of the screen a unit of the drawing has. */
  get scale(): number {
    return this.camera.k;
  }

  /** The height that suits the scene at this width, in pixels. */
  suits(width: number): number {
    const { scene } = this.plan;
    const k = Math.min(1, Math.max(0.4, (width - 28) / Math.max(1, scene.width)));
    const least = this.groups.some((group) => !group.open) ? 420 : 260; // room to open them
    return Math.round(Math.min(620, Math.max(least, scene.height * k + HEAD + 28)));
  }

  /** All of it as an SVG document that needs nothing else. */
  svgText(): string {
    return picture(this.picture, this.surface.canvas, this.surface.letter());
  }

  fit(): void {
    this.moved = false;
    this.camera.fit(this.plan.scene);
    this.draw();
  }

  zoom(factor: number, px?: number, py?: number): void {
    this.moved = true;
    this.camera.zoom(factor, this.smallest(), px, py);
    this.draw();
  }

  /** Marks what is selected; `lit` is what stays bright, or null for everything. */
  show(selected: string, lit: Set<string> | null): void {
    this.selected = selected;
    this.lit = lit;
    this.unfold(selected);
    this.current = this.plan.drawn(selected) || this.current;
    if (this.surface.crowded) this.surface.forget(); // one path holds many: it is drawn anew
    this.redraw();
  }

  /** Brings an item into the window, out of the closed groups that it is in. */
  reveal(id: string): void {
    this.unfold(id);
    const box = this.plan.box(this.plan.drawn(id));
    if (box === undefined || this.camera.width === 0) return;
    if (this.camera.k < 0.3) {
      this.camera.zoom(0.8 / this.camera.k, 0);
      this.moved = true;
    }
    if (this.camera.reveal(box)) this.moved = true;
    this.draw();
  }

  focus(id = this.current): void {
    if (this.camera.width === 0) this.resize(USUAL);
    this.motion.finish();
    this.reveal(id);
    const drawn = this.plan.drawn(id);
    if (drawn === "") return;
    this.current = drawn;
    this.redraw();
    this.surface.focus(drawn);
  }

  /** Opens a closed group or closes an open one; what is in it stays at its place in the window. */
  toggleGroup(id: string, open?: boolean): void {
    const group = this.groups.find((item) => item.id === id);
    if (group === undefined || group.open === (open ?? !group.open)) return;
    this.replace(() => this.plan.setOpen((item) => (item === group ? !group.open : item.open)), [id]);
    this.events.announce(`${group.open ? "Closed" : "Opened"}: ${group.title}`);
    if (group.open && this.plan.inside(group, this.selected)) this.events.select(id);
  }

  openAll(): void {
    this.replace(() => this.plan.setOpen(() => true), [this.current]);
  }

  /** Closes all groups but those that the selected item is in. */
  closeAll(): void {
    this.replace(() => this.plan.setOpen((group) => this.selected !== "" && this.plan.inside(group, this.selected)), [this.selected, this.current]);
  }

  /** Draws another audit of the same question, or the same audit with more around it. */
  change(model: Model): Change {
    const before = this.plan.model;
    const change = compare(before, model);
    const link = this.plan.scene.links.get(this.current)?.link;
    const stays = [this.selected, link?.effect ?? this.current, this.plan.home()].filter((id) => model.nodes.has(id));
    this.replace(() => {
      // Hops are numbered anew in each audit: the same number may be another hop.
      if (before.hops.has(this.selected)) this.selected = change.hops.get(this.selected) ?? "";
      this.plan.change(model);
      if (link !== undefined) this.current = this.plan.scene.out.get(link.cause)?.find((item) => item.link.effect === link.effect)?.link.id ?? link.effect;
    }, stays, true);
    const news = new Map<string, "lx-new" | "lx-pulse">();
    for (const id of change.changed) news.set(this.plan.drawn(id), "lx-pulse");
    for (const id of change.added) news.set(this.plan.drawn(id), "lx-new");
    this.tell(news);
    return change;
  }

  private tell(news: typeof this.news): void {
    this.news = news;
    clearTimeout(this.newsEnd);
    if (news.size > 0) this.newsEnd = setTimeout(() => this.tell(new Map()), NEWS);
    this.redraw();
  }

  private unfold(id: string): void {
    if (this.plan.hidden(id)) this.replace(() => this.plan.setOpen((group) => group.open || this.plan.inside(group, id)), [id]);
  }

  /** Changes the plan, and draws that as a movement; the first of the anchors that is drawn before and after keeps its place. */
  private replace(act: () => boolean | void, anchors: readonly string[], refit = false): void {
    this.motion.finish();
    const { plan, surface, camera } = this;
    const before = { scene: plan.scene, elements: surface.elements() };
    const was = anchors.map((id) => plan.extent(id));
    if (act() === false) return;
    const { scene } = plan;
    const { x, y, k } = camera;
    // What was there as a whole, and nobody has moved, is there as a whole again, if that makes nothing much smaller.
    if (refit && !this.moved && camera.holds(before.scene) && camera.whole(scene) > 0.85 * k) camera.fit(scene);
    else {
      const i = anchors.findIndex((id, n) => was[n] !== undefined && plan.extent(id) !== undefined);
      const [from, to] = [was[i], plan.extent(anchors[i] ?? "")];
      if (from !== undefined && to !== undefined) {
        camera.x -= (to.left - from.left) * k;
        camera.y -= ((to.top + to.bottom - from.top - from.bottom) / 2) * k;
      }
      this.moved = true;
    }
    this.current = plan.drawn(this.current) || plan.middle(this.current) || plan.home();
    const box = plan.box(this.current);
    if (box !== undefined && surface.focused) camera.reveal(box);
    surface.forget();
    this.redraw();
    const moving = still() ? null : movers(before, { scene, elements: surface.elements() }, (then) => ({ x: (then.x * k + x - camera.x) / camera.k, y: (then.y * k + y - camera.y) / camera.k }));
    if (moving === null) return;
    surface.haunt(...moving.filter((item) => item.fade === "out").map((item) => item.element));
    this.motion.run(
      moving,
      (done) => surface.fadeLinks(done),
      () => surface.haunt(),
    );
  }

  private state(): Picture {
    const { plan, current, selected, lit, news } = this;
    const { scene } = plan;
    return { plan, scene, current, selected, news, fade: fades(scene, lit), share: (id) => share(scene, lit, id) };
  }

  private redraw(): void {
    this.picture = this.state();
    this.draw();
  }

  private draw(): void {
    clearTimeout(this.rest);
    if (this.camera.width === 0) return;
    this.surface.draw(this.picture);
    this.minimap.show(this.plan.scene);
  }

  /** In the next frame, after the reader moved it: as a picture while the reader goes on, painted when the reader rests. */
  private later(): void {
    this.moved = true;
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.camera.hold(this.plan.scene);
      clearTimeout(this.rest);
      if (this.camera.width === 0) return;
      const begun = performance.now();
      if (!this.surface.move(this.picture, begun < this.pause)) {
        this.draw();
        // What it took is known when the frame after the next comes: painting is the larger part of it.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            const now = performance.now();
            this.cost = now - begun;
            this.pause = now + PACE * this.cost;
          }),
        );
        return;
      }
      this.minimap.show(this.plan.scene);
      if (!this.surface.settled(this.picture)) this.rest = setTimeout(() => this.draw(), (this.surface.vast(this.picture) ? 4 : 1) * REST + this.cost);
    });
  }

  private smallest(): number {
    return Math.min(0.4, this.camera.whole(this.plan.scene)) * 0.8;
  }

  private resize(usual?: { width: number; height: number }): void {
    const { camera, plan } = this;
    const { clientWidth, clientHeight } = this.surface.canvas;
    const told = clientWidth > 0 && clientHeight > 0;
    const { width, height } = told ? { width: clientWidth, height: clientHeight } : camera.width === 0 && usual !== undefined ? usual : camera;
    if (width === camera.width && height === camera.height) return;
    camera.width = width;
    camera.height = height;
    if (told && !this.sized) {
      // What was drawn until now was drawn for nobody.
      this.moved = false;
      this.sized = true;
      this.surface.forget();
    } else this.surface.forget(true);
    const target = plan.scene.things.get(plan.home());
    if (!this.moved && target !== undefined) camera.begin(plan.scene, target, plan.scene.things.size);
    if (this.selected !== "") this.reveal(this.selected);
    this.draw();
  }

  /** Lets mouse and keys do what they are there for. */
  private serve(): void {
    const { plan, camera, surface, events } = this;
    const drawing = this;
    serve(surface.canvas, events, {
      plan,
      camera,
      get current() {
        return drawing.current;
      },
      get selected() {
        return drawing.selected;
      },
      stand: (id) => {
        this.current = id;
        this.redraw();
      },
      hold: (id) => surface.focus(id),
      focus: (id) => this.focus(id),
      toggleGroup: (id, open) => this.toggleGroup(id, open),
      openAll: () => this.openAll(),
      closeAll: () => this.closeAll(),
      zoom: (factor, x, y) => this.zoom(factor, x, y),
      zoomLater: (factor, x, y) => {
        camera.zoom(factor, this.smallest(), x, y);
        this.later();
      },
      fit: () => this.fit(),
      moved: () => this.later(),
    });
  }
}
