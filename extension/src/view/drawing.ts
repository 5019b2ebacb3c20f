/**
 * The drawing: what is in the window, in as much detail as can be read there.
 *
 * Three levels: *full* (kind, name, fact), *named* (the name alone, at a constant size on the screen) and
 * *outline* (no elements of their own: all nodes of a lane are one path). Only what is near the window
 * has elements; moving within it changes one attribute.
 */

import { Camera, HEAD } from "./camera.js";
import { svg } from "./dom.js";
import { kindSign, mark, MARKS, statusOf, strength } from "./marks.js";
import { describeHop, describeNode, part, type Model } from "./model.js";
import { near, overlaps, scene, type Box, type PlacedHop, type PlacedNode, type Scene } from "./scene.js";
import { brief, clean, fit, percent, words } from "./text.js";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout.js";

type Level = "full" | "named" | "outline";

/** More nodes than this in the window are drawn as outlines. */
const MANY = 400;
/** Elements for the lines of one style, where thousands of hops pass. A line of many is slower to paint than many. */
const LINES = 400;
const FULL_FROM = 0.68;

export interface DrawingEvents {
  select(id: string): void;
  search(): void;
}

export class Drawing {
  readonly element: SVGSVGElement;
  readonly scene: Scene;
  readonly camera = new Camera();
  private readonly world = svg("g");
  private readonly bands = svg("g", { class: "lx-bands", "aria-hidden": "true" });
  private readonly crowd = svg("g", { "aria-hidden": "true" });
  private readonly lines = svg("g", { "aria-hidden": "true" });
  private readonly boxes = svg("g");
  private readonly gates = svg("g");
  private readonly heads = svg("g", { class: "lx-lanes", "aria-hidden": "true" });
  private readonly shown = new Map<string, { parts: SVGElement[]; focus: SVGElement; path: string }>();
  private covered: Box = { left: 0, top: 0, right: -1, bottom: -1 };
  private level: Level | "" = "";
  private scaleDrawn = 0;
  private scaleSet = 0;
  private letterWidth = 0;
  private frame = 0;
  private started = false;
  /** Whether the reader has moved the drawing; until then it is kept in the middle. */
  private moved = false;
  /** The one item that Tab reaches. */
  private current: string;
  private selected = "";
  private lit: Set<string> | null = null;
  private readonly watch: ResizeObserver;

  constructor(
    private readonly model: Model,
    private readonly events: DrawingEvents,
  ) {
    this.scene = scene(model);
    this.current = model.audit.question.endpoint;
    if (!this.scene.nodes.has(this.current)) this.current = model.audit.nodes[0]?.ref ?? "";
    this.element = svg(
      "svg",
      {
        class: "lx-canvas",
        role: "application",
        "aria-label":
          "Drawing of the lineage. Left and right arrows follow the data flow, up and down go along a column, " +
          "Shift with an arrow goes to the hop between; Enter opens the details. The tables below hold the same.",
      },
      this.world,
      this.heads,
    );
    this.world.append(this.bands, this.crowd, this.lines, this.boxes, this.gates);
    this.listen();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.element);
  }

  destroy(): void {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** The height that suits the scene at this width, in pixels. */
  suits(width: number): number {
    const k = Math.min(1, Math.max(0.4, (width - 28) / Math.max(1, this.scene.width)));
    return Math.round(Math.min(620, Math.max(260, this.scene.height * k + HEAD + 28)));
  }

  fit(): void {
    this.moved = false;
    this.camera.fit(this.scene);
    this.draw();
  }

  zoom(factor: number, px?: number, py?: number): void {
    this.moved = true;
    this.camera.zoom(factor, Math.min(0.4, this.camera.whole(this.scene)) * 0.8, px, py);
    this.draw();
  }

  /** Marks what is selected; `lit` is what stays bright, or null for everything. */
  show(selected: string, lit: Set<string> | null): void {
    this.selected = selected;
    this.lit = lit;
    if (selected !== "" && this.place(selected) !== undefined) this.current = selected;
    if (this.crowd.hasChildNodes()) this.level = ""; // one path holds many: it is drawn anew
    this.draw();
  }

  /** Brings an item into the window. */
  reveal(id: string): void {
    const box = this.place(id);
    if (box === undefined || this.camera.width === 0) return;
    if (this.camera.k < 0.3) {
      this.camera.zoom(0.8 / this.camera.k, 0);
      this.moved = true;
    }
    if (this.camera.reveal(box)) this.moved = true;
    this.draw();
  }

  focus(id = this.current): void {
    if (this.place(id) === undefined) return;
    this.current = id;
    this.reveal(id);
    this.draw();
    this.shown.get(id)?.focus.focus({ preventScroll: true });
  }

  private place(id: string): Box | undefined {
    const node = this.scene.nodes.get(id);
    if (node !== undefined) return node;
    const hop = this.scene.hops.get(id);
    return hop && { left: hop.mark.x - 30, right: hop.mark.x + 30, top: hop.mark.y - 20, bottom: hop.mark.y + 20 };
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.camera.width = clientWidth;
    this.camera.height = clientHeight;
    this.covered = { left: 0, top: 0, right: -1, bottom: -1 };
    if (!this.moved) {
      const target = this.scene.nodes.get(this.model.audit.question.endpoint);
      if (target !== undefined) this.camera.begin(this.scene, target, this.scene.nodes.size);
      else this.camera.fit(this.scene);
      this.started = true;
    }
    if (this.selected !== "") this.reveal(this.selected);
    this.draw();
  }

  /** Draws now: the window's part of the scene if it has left what is there, else only the move. */
  draw(): void {
    const { camera } = this;
    if (!this.started) return;
    if (camera.k !== this.scaleSet) {
      this.scaleSet = camera.k;
      this.world.style.setProperty("--lx-pixel", `${1 / camera.k}px`);
    }
    this.world.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.k})`);
    this.drawHeads();
    const level = this.levelNow();
    const rescaled = level === "named" && Math.abs(Math.log(camera.k / this.scaleDrawn)) > 0.08;
    const holder = this.element.ownerDocument.activeElement;
    const focused = holder !== null && holder !== this.element && this.element.contains(holder);
    if (level !== this.level || rescaled) {
      for (const layer of [this.crowd, this.lines, this.boxes, this.gates, this.bands]) layer.replaceChildren();
      this.shown.clear();
      this.covered = { left: 0, top: 0, right: -1, bottom: -1 };
      this.level = level;
      this.scaleDrawn = camera.k;
      this.drawBands();
      if (level === "outline") this.drawOutlines();
    }
    const seen = camera.window(0);
    const { covered } = this;
    const inside =
      seen.left >= covered.left && seen.right <= covered.right && seen.top >= covered.top && seen.bottom <= covered.bottom;
    // After zooming in, the lines are cut anew: they reach far beyond the window, and all of that is painted.
    const wide = covered.right - covered.left > 3 * (seen.right - seen.left);
    if (!inside || wide) this.drawWindow();
    this.mend();
    if (focused && !this.element.contains(holder)) this.shown.get(this.current)?.focus.focus({ preventScroll: true });
  }

  private later(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private levelNow(): Level {
    if (this.scene.nodes.size > MANY) {
      const seen = this.camera.window(0.25);
      let count = 0;
      for (const node of this.scene.nodes.values()) if (overlaps(node, seen)) count++;
      if (count > MANY) return "outline";
    }
    return this.camera.k >= FULL_FROM ? "full" : "named";
  }

  private drawWindow(): void {
    this.covered = this.camera.window(0.25);
    this.crowd.replaceChildren();
    if (this.level === "outline") this.drawLines(this.crowd, this.scene.hops.values());
    const wanted = new Set<string>([this.current, this.selected]);
    if (this.level !== "outline") {
      for (const [id, node] of this.scene.nodes) if (overlaps(node, this.covered)) wanted.add(id);
      const passing = [...this.scene.hops.values()].filter((hop) => hop.pieces.some((piece) => overlaps(piece, this.covered)));
      const { left, right, top, bottom } = this.covered;
      const crowded = passing.length > 2 * MANY;
      // Where thousands of hops pass, those whose gate is out of sight are lines and no more.
      const here = ({ mark: at }: PlacedHop): boolean =>
        !crowded || (at.x >= left && at.x <= right && at.y >= top && at.y <= bottom);
      for (const hop of passing) if (here(hop)) wanted.add(hop.hop.id);
      if (crowded) this.drawLines(this.crowd, passing.filter((hop) => !here(hop)));
    }
    const focused = this.element.ownerDocument.activeElement;
    for (const [id, item] of this.shown)
      if (!wanted.has(id) && item.focus !== focused) {
        for (const element of item.parts) element.remove();
        this.shown.delete(id);
      }
    for (const [id, item] of this.shown) {
      const hop = this.scene.hops.get(id);
      const path = hop === undefined ? "" : near(hop, this.covered);
      if (path === item.path) continue;
      for (const line of item.parts[0]?.children ?? []) line.setAttribute("d", path);
      item.path = path;
    }
    for (const id of wanted) this.add(id);
  }

  private add(id: string): void {
    if (this.shown.has(id)) return;
    const node = this.scene.nodes.get(id);
    if (node !== undefined) {
      const element = this.drawNode(node);
      this.boxes.append(element);
      this.shown.set(id, { parts: [element], focus: element, path: "" });
      return;
    }
    const hop = this.scene.hops.get(id);
    if (hop === undefined) return;
    const path = near(hop, this.covered);
    const [line, gate] = this.drawHop(hop, path);
    this.lines.append(line);
    this.gates.append(gate);
    this.shown.set(id, { parts: [line, gate], focus: gate, path });
  }

  /** Selection, dimming and the tab stop, on what is there. */
  private mend(): void {
    this.add(this.current);
    for (const [id, item] of this.shown) {
      item.focus.setAttribute("tabindex", id === this.current ? "0" : "-1");
      item.focus.setAttribute("aria-pressed", String(id === this.selected));
      for (const element of item.parts) {
        element.classList.toggle("lx-selected", id === this.selected);
        element.classList.toggle("lx-dim", this.lit !== null && !this.lit.has(id));
      }
    }
  }

  private drawHeads(): void {
    const { camera } = this;
    this.heads.replaceChildren(svg("rect", { class: "lx-headband", width: camera.width, height: HEAD - 6 }));
    const size = 7.4;
    this.scene.lanes.forEach((lane) => {
      const left = lane.left * camera.k + camera.x;
      const right = lane.right * camera.k + camera.x;
      const [from, to] = [Math.max(left, 4), Math.min(right, camera.width - 4)];
      const room = Math.floor((to - from) / size);
      if (room < 4) return;
      const text = lane.title.length <= room ? lane.title : `${lane.title.slice(0, room - 1)}…`;
      this.heads.append(svg("text", { x: (from + to) / 2, y: 19, "text-anchor": "middle" }, text));
    });
  }

  private drawBands(): void {
    const tall = 100_000;
    this.scene.lanes.forEach((lane, i) => {
      if (i % 2 === 0)
        this.bands.append(
          svg("rect", { x: lane.left - 22, y: -tall, width: lane.right - lane.left + 44, height: 2 * tall }),
        );
    });
  }

  /** Many hops as few lines of each style. */
  private drawLines(into: SVGGElement, hops: Iterable<PlacedHop>): void {
    const lines: Record<string, string[]> = {};
    for (const placed of hops) {
      const { hop } = placed;
      (lines[`${strength(hop.basis)}${this.lit !== null && !this.lit.has(hop.id) ? " lx-dim" : ""}`] ??= []).push(near(placed, this.covered));
    }
    for (const [kind, paths] of Object.entries(lines)) {
      const each = Math.ceil(paths.length / LINES);
      for (let i = 0; i < paths.length; i += each)
        into.append(svg("path", { class: `lx-line lx-${kind}`, d: paths.slice(i, i + each).join("") }));
    }
  }

  private drawOutlines(): void {
    const boxes: Record<string, string[]> = {};
    for (const { node, left, top } of this.scene.nodes.values())
      (boxes[`${node.resolved ? "known" : "unknown"}${this.lit !== null && !this.lit.has(node.ref) ? " lx-dim" : ""}`] ??=
        []).push(`M${left},${top}h${NODE_WIDTH}v${NODE_HEIGHT}h-${NODE_WIDTH}z`);
    for (const [kind, paths] of Object.entries(boxes))
      this.boxes.append(svg("path", { class: `lx-box lx-${kind}`, d: paths.join("") }));
    const gates: Record<string, string[]> = {};
    for (const { hop, mark: at } of this.scene.hops.values())
      if (hop.status !== "none") (gates[statusOf(hop.status)] ??= []).push(`M${at.x - 20},${at.y - 20}h40v40h-40z`);
    for (const [status, paths] of Object.entries(gates))
      this.gates.append(svg("path", { class: `lx-spot lx-s-${status}`, d: paths.join("") }));
  }

  private drawNode({ node, left, top }: PlacedNode): SVGGElement {
    const tag = part(node);
    const group = svg(
      "g",
      {
        class: `lx-node lx-k-${node.type} ${node.resolved ? "lx-known" : "lx-unknown"}${tag === "training data" ? " lx-training" : ""}`,
        transform: `translate(${left} ${top})`,
        role: "button",
        "data-id": node.ref,
        "aria-label": describeNode(this.model, node),
      },
      svg("rect", { class: "lx-box", width: NODE_WIDTH, height: NODE_HEIGHT, rx: 9 }),
      svg("path", { class: "lx-flag", d: `M9,0H5A5,5 0 0,0 0,9V${NODE_HEIGHT - 9}A5,5 0 0,0 5,${NODE_HEIGHT}H9Z` }),
      svg("title", {}, clean(node.ref)),
    );
    const text = (x: number, y: number, size: number, kind: string, words: string): void => {
      group.append(svg("text", { x, y, "font-size": size, class: kind, "aria-hidden": "true" }, words));
    };
    const label = clean(node.label);
    if (this.level === "full") {
      const sign = kindSign(node.kind);
      sign.setAttribute("transform", "translate(18 8) scale(0.8)");
      group.append(sign);
      text(37, 19, 11, "lx-small", fit(words(node.kind) + (tag === "" ? "" : ` · ${tag}`), 28));
      text(18, 38, 13.5, "lx-name", fit(brief(label), 24));
      text(18, 54, 11, "lx-small", node.resolved ? fit(brief(node.fact), 30) : "not on record");
      return group;
    }
    // Read at 10.5 px whatever the scale, on as many lines as then have room.
    const size = 10.5 / this.camera.k;
    const room = Math.max(4, Math.floor((NODE_WIDTH - 22) / (size * this.letter())));
    const rows = Math.max(1, Math.min(3, Math.floor((NODE_HEIGHT - 4) / (size * 1.12))));
    const pieces = lines(brief(label), room, rows);
    pieces.forEach((piece, i) =>
      text(16, NODE_HEIGHT / 2 + size * 0.36 + (i - (pieces.length - 1) / 2) * size * 1.12, size, "lx-name", piece),
    );
    return group;
  }

  private drawHop({ hop, mark: at }: PlacedHop, path: string): [SVGElement, SVGElement] {
    const line = svg(
      "g",
      { "data-id": hop.id },
      svg("path", { class: "lx-hit", d: path }),
      svg("path", { class: `lx-line lx-${strength(hop.basis)}`, d: path }),
    );
    const size = this.level === "full" ? 1 : Math.min(2.2, 0.85 / this.camera.k);
    const gate = svg(
      "g",
      {
        class: "lx-hop",
        role: "button",
        "data-id": hop.id,
        "aria-label": describeHop(this.model, hop),
        transform: `translate(${at.x} ${at.y}) scale(${size})`,
      },
      svg("circle", { class: "lx-ring", r: 14 }),
      mark(statusOf(hop.status)),
      svg("title", {}, describeHop(this.model, hop)),
    );
    if (hop.status !== "none")
      gate.append(svg("text", { class: "lx-word", "aria-hidden": "true", y: 22, "text-anchor": "middle", "font-size": 11 }, MARKS[statusOf(hop.status)].word));
    const above = [percent(hop.traffic), this.level === "full" ? clean(hop.site) : ""].filter((item) => item !== "").join(" · ");
    if (above !== "")
      gate.append(svg("text", { class: "lx-traffic", "aria-hidden": "true", y: -13, "text-anchor": "middle", "font-size": 12.5 }, fit(above, 16)));
    return [line, gate];
  }

  /** How wide a letter of a name is in this font, as a part of its size. */
  private letter(): number {
    if (this.letterWidth === 0) {
      const context = this.element.ownerDocument.createElement("canvas").getContext("2d");
      const sample = "customers-features_2026";
      if (context === null) return 0.6;
      context.font = `600 100px ${getComputedStyle(this.element).fontFamily}`;
      this.letterWidth = context.measureText(sample).width / sample.length / 100;
    }
    return this.letterWidth;
  }

  private listen(): void {
    const { element, camera } = this;
    let from: { x: number; y: number; cx: number; cy: number } | null = null;
    let moved = false;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, cx: camera.x, cy: camera.y };
      moved = false;
    });
    element.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      if (!moved) element.setPointerCapture(event.pointerId);
      moved = this.moved = true;
      element.classList.add("lx-moving");
      camera.x = from.cx + dx;
      camera.y = from.cy + dy;
      this.later();
    });
    const end = (): void => {
      from = null;
      element.classList.remove("lx-moving");
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
    element.addEventListener("click", (event) => {
      if (moved) return;
      const id = this.at(event);
      if (id !== "") this.current = id;
      this.events.select(id);
      if (id !== "") this.shown.get(id)?.focus.focus({ preventScroll: true });
    });
    element.addEventListener("dblclick", (event) => {
      if (this.at(event) !== "") return;
      const box = element.getBoundingClientRect();
      this.zoom(1.6, event.clientX - box.left, event.clientY - box.top);
    });
    element.addEventListener(
      "wheel",
      (event) => {
        // Without a modifier the wheel scrolls the page, as readers expect of a picture in a text.
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const box = element.getBoundingClientRect();
        const step = Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode === 1 ? 16 : 1)));
        this.moved = true;
        this.camera.zoom(Math.exp(-step / 130), Math.min(0.4, camera.whole(this.scene)) * 0.8, event.clientX - box.left, event.clientY - box.top);
        this.later();
      },
      { passive: false },
    );
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("focusin", (event) => {
      const id = (event.target as Element).closest("[data-id]")?.getAttribute("data-id");
      if (id && id !== this.current) {
        this.current = id;
        this.mend();
      }
    });
  }

  /** The item under the pointer; among outlines it is found by place. */
  private at(event: MouseEvent): string {
    const id = (event.target as Element).closest("[data-id]")?.getAttribute("data-id");
    if (id) return id;
    const box = this.element.getBoundingClientRect();
    const x = (event.clientX - box.left - this.camera.x) / this.camera.k;
    const y = (event.clientY - box.top - this.camera.y) / this.camera.k;
    for (const [ref, node] of this.scene.nodes) if (overlaps(node, { left: x, right: x, top: y, bottom: y })) return ref;
    return "";
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act: Record<string, () => void> = {
      Enter: () => this.events.select(this.current),
      " ": () => this.events.select(this.current),
      Escape: () => this.events.select(""),
      Home: () => this.focus(this.model.audit.question.endpoint),
      "+": () => this.zoom(1.25),
      "=": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      "0": () => this.fit(),
      "/": () => this.events.search(),
    };
    const step = act[event.key] ?? this.arrow(event.key, event.shiftKey);
    if (step === undefined) return;
    // The notebook has keys of its own; those that are used here are used only here.
    event.preventDefault();
    event.stopPropagation();
    step();
  }

  private arrow(key: string, shift: boolean): (() => void) | undefined {
    if (!key.startsWith("Arrow")) return undefined;
    const { model } = this;
    const hop = model.hops.get(this.current);
    let to: string | undefined;
    if (hop !== undefined) {
      const beside = (model.into.get(hop.effect) ?? []).filter((item) => this.scene.hops.has(item.id));
      beside.sort((a, b) => this.scene.hops.get(a.id)!.mark.y - this.scene.hops.get(b.id)!.mark.y);
      const at = beside.indexOf(hop);
      to = { ArrowLeft: hop.cause, ArrowRight: hop.effect, ArrowUp: beside[at - 1]?.id, ArrowDown: beside[at + 1]?.id }[key];
    } else {
      const node = this.scene.nodes.get(this.current);
      if (node === undefined) return undefined;
      const column = this.scene.columns[node.column] ?? [];
      const near = key === "ArrowLeft" ? model.into.get(this.current) : model.out.get(this.current);
      if (key === "ArrowUp" || key === "ArrowDown") to = column[node.row + (key === "ArrowUp" ? -1 : 1)]?.node.ref;
      else {
        const end = key === "ArrowLeft" ? "cause" : "effect";
        const next = this.straightest(node, near ?? [], end);
        to = shift ? next?.id : next?.[end];
      }
    }
    return () => {
      if (to !== undefined) this.focus(to);
    };
  }

  /** Of several hops, the one whose other end stands nearest in height. */
  private straightest<H extends { cause: string; effect: string }>(node: PlacedNode, hops: readonly H[], end: "cause" | "effect"): H | undefined {
    const away = (hop: H): number => Math.abs((this.scene.nodes.get(hop[end])?.top ?? Infinity) - node.top);
    return hops.reduce<H | undefined>((best, hop) => (best === undefined || away(hop) < away(best) ? hop : best), undefined);
  }
}

/** In few letters, a digest is told by its first. */
const DIGEST = /sha256:([0-9a-f]{8})[0-9a-f]*…?/gu;
/** Where names may be broken: after a sign between words, not inside a date or number. */
const BREAKS = /(?<=[_/: ]|(?<!\d)[-.]|[-.](?!\d))/u;

/** A label on at most so many lines of so many characters: its version has a line of its own, names are
 * broken where words end, and what is too long loses its middle. */
export function lines(text: string, room: number, rows: number): string[] {
  const [name = "", version] = text.replace(DIGEST, "#$1…").split(" @ ");
  if (version !== undefined && rows > 1) return [...wrap(name, room, rows - 1), fit(version, room)];
  return wrap(text.replace(DIGEST, "#$1…").replace(" @ ", " "), room, rows);
}

function wrap(text: string, room: number, rows: number): string[] {
  const pieces: string[] = [];
  for (const word of text.split(BREAKS)) {
    const last = pieces.at(-1);
    if (last !== undefined && (last + word).trimEnd().length <= room) pieces[pieces.length - 1] = last + word;
    else pieces.push(word);
  }
  if (pieces.length > rows) pieces.splice(rows - 1, pieces.length, pieces.slice(rows - 1).join(""));
  return pieces.map((piece) => fit(piece.trim(), room));
}
