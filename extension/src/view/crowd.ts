/** What is drawn without elements of its own: thousands of nodes, links and gates as a few paths. */

import { svg } from "./dom.js";
import { isGroup } from "./groups.js";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout.js";
import { part } from "./model.js";
import { near, type Box, type PlacedLink, type Scene } from "./scene.js";

/** Elements for the lines of one style, where thousands of links pass. A line of many is slower to paint than many. */
const LINES = 400;

/** From so many on, lines are drawn alike. */
const DENSE = 2000;

/** How much of its colour something keeps: empty for all of it. */
export type Fade = (id: string) => "" | "lx-dim" | "lx-far";

/** Many links as few lines of each style. */
export function drawLines(into: SVGGElement, links: Iterable<PlacedLink>, window: Box, fade: Fade): void {
  const lines = new Sorted();
  const all = [...links];
  // Dashes are laid along all of a line, seen or not, and nobody tells them apart among so many.
  const plain = all.length > DENSE;
  for (const placed of all) {
    const { id, strength, outside } = placed.link;
    lines.add(`lx-line ${plain ? "" : `lx-${strength} `}${outside ? "lx-outside " : ""}${fade(id)}`, near(placed, window));
  }
  for (const [kind, paths] of lines.kinds) {
    const each = Math.ceil(paths.length / LINES);
    for (let i = 0; i < paths.length; i += each) into.append(svg("path", { class: kind.trim(), d: paths.slice(i, i + each).join("") }));
  }
}

/** All things as outlines, and the gates on their links as spots. */
export function drawOutlines(boxes: SVGGElement, gates: SVGGElement, scene: Scene, fade: Fade): void {
  const outlines = new Sorted();
  for (const { id, thing, left, top } of scene.things.values()) {
    const known = isGroup(thing) ? thing.unknown === 0 : thing.resolved;
    const training = (isGroup(thing) ? thing.part : part(thing)) === "training data";
    outlines.add(
      `lx-box lx-small-box lx-${known ? "known" : "unknown"} ${training ? "lx-trained " : ""}${isGroup(thing) ? "lx-heap " : ""}${thing.outside === true ? "lx-outside " : ""}${fade(id)}`,
      `M${left},${top}h${NODE_WIDTH}v${NODE_HEIGHT}h-${NODE_WIDTH}z`,
    );
  }
  outlines.into(boxes);
  const spots = new Sorted();
  for (const { link, mark: at } of scene.links.values())
    if (link.status !== "none") spots.add(`lx-spot lx-s-${link.status} ${fade(link.id)}`, `M${at.x - 20},${at.y - 20}h40v40h-40z`);
  spots.into(gates);
}

/** Stripes below every other lane. */
export function drawBands(into: SVGGElement, scene: Scene, top: number, height: number): void {
  scene.lanes.forEach((lane, i) => {
    if (i % 2 === 0) into.append(svg("rect", { x: lane.left - 22, y: top, width: lane.right - lane.left + 44, height }));
  });
}

/** Paths by their class. */
class Sorted {
  readonly kinds = new Map<string, string[]>();

  add(kind: string, path: string): void {
    const paths = this.kinds.get(kind);
    if (paths === undefined) this.kinds.set(kind, [path]);
    else paths.push(path);
  }

  into(layer: SVGGElement): void {
    for (const [kind, paths] of this.kinds) layer.append(svg("path", { class: kind.trim(), d: paths.join("") }));
  }
}
