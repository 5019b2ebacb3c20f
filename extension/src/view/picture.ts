/** The whole drawing as one SVG document, for a file: with its colours in it, whatever is in the window. */

import { drawBands } from "./crowd.js";
import { svg } from "./dom.js";
import { drawFrame, drawLink, drawMore, drawThing, type Look } from "./shapes.js";
import { moreOf } from "./plan.js";
import type { Picture } from "./surface.js";
import { clean } from "./text.js";

/** What a viewer must know of an element's style, and what it takes for granted. */
const SHAPE: [string, string][] = [["fill", ""], ["stroke", "none"], ["opacity", "1"]];
const STROKE: [string, string][] = [["stroke-width", "1px"], ["stroke-dasharray", "none"], ["stroke-linecap", "butt"], ["stroke-linejoin", "miter"], ["paint-order", "normal"]];
const TEXT: [string, string][] = [["font-size", ""], ["font-weight", "400"]];
/** What the page needs of an element, and a document does not. */
const DROPPED = /^(class|style|role|tabindex|hidden|data-.*|aria-.*)$/u;
const EDGE = 30;
const HEAD = 34;
/** Nothing else may stand in XML, not even escaped. */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

export function picture({ plan, scene, selected, fade, share }: Picture, canvas: HTMLElement, letter: number): string {
  const { model } = plan;
  const look: Look = { model, things: scene.things, level: "full", scale: 1, letter };
  const at = scene.holder.get(selected) ?? selected;
  const width = scene.width + 2 * EDGE;
  const height = scene.height + 2 * EDGE + HEAD;
  const [bands, frames, lines, boxes, gates, heads] = ["lx-bands", "", "", "", "", "lx-lanes"].map((kind) => svg("g", { class: kind }));
  const dress = (id: string, ...elements: Element[]): void => {
    for (const element of elements) {
      if (id === at) element.classList.add("lx-selected");
      const faded = fade(id);
      if (faded !== "") element.classList.add(faded);
    }
  };
  drawBands(bands!, scene, -HEAD - EDGE, height);
  frames!.append(...scene.frames.map((frame) => drawFrame(frame, 1)));
  for (const thing of scene.things.values()) {
    const element = drawThing(look, thing);
    const part = element.querySelector(".lx-part");
    if (part !== null) part.textContent = share(thing.id);
    dress(thing.id, element);
    boxes!.append(element);
    for (const id of plan.more(thing.id)) {
      const { side, ref } = moreOf(id)!;
      gates!.append(drawMore(look, id, thing, ref, side, model.beyond?.get(ref)?.[side] ?? 0));
    }
  }
  for (const link of scene.links.values()) {
    const [line, gate] = drawLink(look, link, link.pieces.map((piece, i) => (i === 0 ? piece.start : "") + piece.path).join(""));
    dress(link.link.id, line, gate);
    lines!.append(line);
    gates!.append(gate);
  }
  for (const lane of scene.lanes) heads!.append(svg("text", { x: (lane.left + lane.right) / 2, y: -HEAD / 2, "text-anchor": "middle", "font-size": 12 }, lane.title));
  const ground = svg("rect", { class: "lx-ground", x: -EDGE, y: -HEAD - EDGE, width, height });
  const { question, answer, digest } = model.audit;
  const document = svg(
    "svg",
    { class: "lx-canvas lx-export", viewBox: `${-EDGE} ${-HEAD - EDGE} ${width} ${height}`, width, height },
    svg("title", {}, clean(`Lineage of ${question.endpoint}`)),
    svg("desc", {}, clean([answer, `As of ${question.as_of}, known at ${question.known_at}.`, digest].filter((text) => text !== "").join(" "))),
    ground,
    bands!,
    frames!,
    lines!,
    boxes!,
    gates!,
    heads!,
  );
  // Its colours are those of the page: it must stand in it, out of sight, to be asked for them.
  const parent = canvas.parentElement ?? canvas.ownerDocument.body;
  parent.append(document);
  try {
    resolve(document, new Map(), "");
  } finally {
    document.remove();
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(document).replace(FORBIDDEN, "\u{FFFD}")}\n`;
}

/** Puts the style of an element and all in it into attributes. Elements of one class in one place look alike: each kind is asked for once. */
function resolve(element: Element, known: Map<string, readonly [string, string][]>, place: string): void {
  const kind = element.tagName;
  if (kind === "title" || kind === "desc") return;
  const here = `${place}/${kind}.${element.getAttribute("class") ?? ""}`;
  let styles = known.get(here);
  if (styles === undefined) {
    const computed = getComputedStyle(element);
    const told = (names: readonly [string, string][]): [string, string][] =>
      names.flatMap(([name, usual]): [string, string][] => {
        const value = computed.getPropertyValue(name);
        return value === "" || value === usual ? [] : [[name, value]];
      });
    const grouped = kind === "g" || kind === "svg";
    const stroke = grouped || computed.getPropertyValue("stroke") === "none" ? [] : told(STROKE);
    styles = grouped ? told([["opacity", "1"]]) : [...told(SHAPE), ...stroke, ...(kind === "text" ? told(TEXT) : [])];
    if (kind === "svg") styles = [...styles, ...told([["font-family", ""]])];
    known.set(here, styles);
  }
  // What is in it goes first: its looks depend on the classes out here.
  for (const child of [...element.children])
    if (child.classList.contains("lx-hit") || child.classList.contains("lx-ring") || child.classList.contains("lx-toggle")) child.remove();
    else resolve(child, known, here);
  for (const { name } of [...element.attributes]) if (DROPPED.test(name)) element.removeAttribute(name);
  for (const [name, value] of styles) if (name !== "font-size" || !element.hasAttribute(name)) element.setAttribute(name, value);
}
