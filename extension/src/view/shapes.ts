/** Nodes, groups, gates and the small buttons beside them, as elements. What a reader reads is put in as text. */

import type { Status, TraceNode } from "./audit.js";
import { svg } from "./dom.js";
import { against, counted, describeGroup, isGroup, trouble, worst, type Group } from "./groups.js";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout.js";
import { holds, kindSign, mark, MARKS } from "./marks.js";
import { describeNode, name, part, type Model } from "./model.js";
import type { Side } from "./plan.js";
import type { Frame, Placed, PlacedLink } from "./scene.js";
import { describeLink } from "./shown.js";
import { brief, clean, fit, percent, words } from "./text.js";

/** *full*: kind, name and fact; *named*: the name alone, at a constant size on the screen; *outline*: no elements of its own. */
export type Level = "full" | "named" | "outline";

/** What shapes are drawn for. */
export interface Look {
  model: Model;
  things: ReadonlyMap<string, Placed>;
  level: Level;
  scale: number;
  /** How wide a letter of a name is, as a part of its size. */
  letter: number;
}

const BOX = { class: "lx-box", width: NODE_WIDTH, height: NODE_HEIGHT, rx: 9 };
const FLAG = { class: "lx-flag", d: `M9,0A9,9 0 0,0 0,9V${NODE_HEIGHT - 9}A9,9 0 0,0 9,${NODE_HEIGHT}Z` };

export function drawThing(look: Look, { thing, left, top }: Placed): SVGGElement {
  const group = isGroup(thing) ? drawGroup(look, thing) : drawNode(look, thing);
  group.setAttribute("transform", `translate(${left} ${top})`);
  look.model.dress?.(group, isGroup(thing) ? thing.members : [thing.ref], look.level === "full", look.scale);
  return group;
}

function text(x: number, y: number, size: number, kind: string, words: string): SVGTextElement {
  return svg("text", { x, y, "font-size": size, class: kind, "aria-hidden": "true" }, words);
}

/** How many letters of a size have room from a place to the right edge. */
function letters({ letter }: Look, from: number, size: number, more = 8): number {
  return Math.floor((NODE_WIDTH - more - from) / (size * letter));
}

/** A name on lines read at 10.5 px whatever the scale, as many as then have room. */
function legible(look: Look, label: string): SVGTextElement[] {
  const size = 10.5 / look.scale;
  const across = letters(look, 16, size, 6);
  if (across < 3) return [];
  const rows = Math.max(1, Math.min(3, Math.floor((NODE_HEIGHT - 4) / (size * 1.12))));
  const pieces = lines(brief(label), across, rows);
  return pieces.map((piece, i) => text(16, NODE_HEIGHT / 2 + size * 0.36 + (i - (pieces.length - 1) / 2) * size * 1.12, size, "lx-name", piece));
}

function drawNode(look: Look, node: TraceNode): SVGGElement {
  const tag = part(node);
  const kind = [`lx-node lx-k-${node.type}`, node.resolved ? "lx-known" : "lx-unknown", tag === "training data" ? "lx-training" : "", node.outside === true ? "lx-outside" : ""];
  const group = svg(
    "g",
    { class: kind.join(" ").trim(), role: "button", "data-id": node.ref, "aria-label": describeNode(look.model, node) },
    svg("rect", BOX),
    svg("path", FLAG),
    svg("title", {}, clean(node.ref)),
  );
  const label = clean(node.label);
  if (look.level !== "full") {
    group.append(...legible(look, label));
    return group;
  }
  const note = node.outside === true ? "not judged" : tag;
  group.append(
    placedSign(node.kind),
    text(37, 19, 11, "lx-small", fit(words(node.kind) + (note === "" ? "" : ` · ${note}`), letters(look, 37, 11))),
    text(18, 38, 13.5, "lx-name", lines(brief(label), letters(look, 18, 13.5), 1).join("")),
    text(18, 54, 11, "lx-small", node.resolved ? fit(brief(node.fact), letters(look, 18, 11)) : "not on record"),
  );
  return group;
}

function placedSign(kind: string): SVGPathElement {
  const sign = kindSign(kind);
  sign.setAttribute("transform", "translate(18 8) scale(0.8)");
  return sign;
}

/** A closed group: a pile, with how much is in it and how the gates in it stand. */
function drawGroup(look: Look, group: Group): SVGGElement {
  const full = look.level === "full";
  const kind = ["lx-node lx-group", group.unknown > 0 ? "lx-unknown" : "lx-known", group.part === "training data" ? "lx-training" : "", group.outside ? "lx-outside" : ""];
  const piled = (by: number): SVGPathElement =>
    svg("path", { class: "lx-box lx-pile", d: `M${by + 6},${NODE_HEIGHT + by - 4}V${NODE_HEIGHT + by}H${NODE_WIDTH + by - 9}a9,9 0 0,0 9,-9V${by + 6}h-4` });
  const element = svg(
    "g",
    { class: kind.join(" ").trim(), role: "button", "data-id": group.id, "aria-label": describeGroup(group), "aria-expanded": "false" },
    piled(8),
    piled(4),
    svg("rect", BOX),
    svg("path", FLAG),
    svg("title", {}, clean(group.title)),
  );
  const radius = full ? 10 : Math.min(18, Math.max(10, 7 / look.scale));
  if (full)
    element.append(
      placedSign(group.sign),
      text(37, 19, 11, "lx-small", fit(brief(group.about), letters(look, 37, 11, 2 * radius + 12))),
      text(18, 38, 13.5, "lx-name", fit(brief(group.count), letters(look, 18, 13.5, 2 * radius + 12))),
      ...drawState(look, group, 54, 11, NODE_WIDTH - 26),
      svg("text", { x: NODE_WIDTH - 10, y: 38, "font-size": 11, class: "lx-small lx-part", "text-anchor": "end", "aria-hidden": "true" }),
    );
  else {
    const size = 10.5 / look.scale;
    const two = 2.3 * size <= NODE_HEIGHT;
    const across = letters(look, 16, size, 2 * radius + 10);
    if (across > 2) element.append(text(16, NODE_HEIGHT / 2 + size * (two ? -0.24 : 0.36), size, "lx-name", fit(brief(group.count), across)));
    if (two) element.append(...drawState(look, group, NODE_HEIGHT / 2 + size * 0.95, size, NODE_WIDTH - 26 - 2 * radius));
  }
  element.append(toggle(NODE_WIDTH - radius - 8, full ? 18 : NODE_HEIGHT / 2, radius, true, `Open: ${group.title}`));
  return element;
}

/** How the gates in a group stand, on one line: in words where they have room, else by their marks, each with its number. */
function drawState({ letter }: Look, group: Group, y: number, size: number, room: number): SVGElement[] {
  const x = 17;
  const bad = against(group.statuses);
  const gates = [...group.statuses.values()].reduce((sum, count) => sum + count, 0);
  const icon = (status: Status, at: number): SVGElement => {
    const shape = mark(status);
    shape.setAttribute("transform", `translate(${at + size * 0.55} ${y - size * 0.38}) scale(${size / 17})`);
    return shape;
  };
  const across = Math.floor(room / (size * letter));
  if (gates === 0) return [text(x, y, size, "lx-small", fit(group.unknown > 0 ? "not on record" : group.part || words(group.kind), Math.max(3, across)))];
  const kind = bad.length === 0 ? "lx-small" : "lx-bad";
  const unknown = group.unknown === 0 ? "" : `${group.unknown} not on record`;
  const said = [trouble(group.statuses) || `${counted(gates, "gate")} held`, unknown].filter((piece) => piece !== "").join(", ");
  if (said.length <= across - 3) return [icon(worst(group.statuses.keys()), x), text(x + size * 1.5, y, size, kind, said)];
  const shapes: SVGElement[] = [];
  let at = x;
  const all: readonly [Status, number][] = bad.length === 0 ? [[worst(group.statuses.keys()), gates]] : bad;
  const width = (count: number): number => size * (1.7 + letter * String(count).length);
  const fits = all.reduce((sum, [, count]) => sum + width(count), 0) <= room;
  for (const [status, count] of fits ? all : all.slice(0, 1)) {
    shapes.push(icon(status, at), text(at + size * 1.3, y, size, kind, String(count)));
    at += width(count);
  }
  // What has no room is counted together.
  if (!fits) shapes.push(text(at, y, size, kind, `+${all.slice(1).reduce((sum, [, count]) => sum + count, 0)}`));
  return shapes;
}

/** The + of a closed group, or the − of an open one. The key for it is `g`. */
function toggle(x: number, y: number, radius: number, plus: boolean, title: string): SVGGElement {
  const half = radius * 0.5;
  return svg(
    "g",
    { class: "lx-toggle", "data-toggle": "", transform: `translate(${x} ${y})`, "aria-hidden": "true" },
    svg("circle", { class: "lx-hit", r: radius + 5 }),
    svg("circle", { class: "lx-knob", r: radius }),
    svg("path", { class: "lx-plus", d: `M${-half},0H${half}${plus ? `M0,${-half}V${half}` : ""}` }),
    svg("title", {}, clean(title)),
  );
}

/** The frame of an open group, with its handle. */
export function drawFrame({ group, clear, handle, left, top, right, bottom }: Frame, scale: number): SVGGElement {
  const element = svg("g", { class: "lx-frame", "data-group": group.id, "aria-hidden": "true" });
  if (clear) element.append(svg("rect", { x: left, y: top, width: right - left, height: bottom - top, rx: 14 }));
  element.append(toggle(clear ? left + 4 : handle.x, clear ? top + 4 : handle.y, Math.min(22, Math.max(10, 8 / scale)), false, `Close: ${group.title}`));
  return element;
}

/** A link's line, and its gates. */
export function drawLink(look: Look, { link, mark: at, room, wordRoom }: PlacedLink, path: string): [SVGElement, SVGElement] {
  const described = describeLink(look.model, link, (id) => calledIn(look, id));
  const line = svg(
    "g",
    { "data-id": link.id },
    svg("path", { class: "lx-hit", d: path }),
    svg("path", { class: `lx-line lx-${link.strength}${link.outside ? " lx-outside" : ""}`, d: path }),
  );
  const [hop] = link.hops;
  const site = look.level === "full" && hop !== undefined ? clean(hop.site) : "";
  const above = link.hops.length > 1 ? `×${link.hops.length}` : [percent(hop?.traffic ?? null), site].filter((item) => item !== "").join(" · ");
  const word = link.status === "none" ? "" : MARKS[link.status].word;
  const wished = look.level === "full" ? 1 : Math.min(2.2, 0.85 / look.scale);
  // Where marks crowd, those that hold make room: smaller, and without their word. The shape tells them apart.
  const held = holds(link.status);
  const size = Math.min(wished, Math.max(held ? 0.6 : 0.7 * wished, room));
  const worded = word.length * 6.7 * size <= 84 && size <= wordRoom && 11 * size * look.scale >= 7;
  const gate = svg(
    "g",
    { class: `lx-hop${held ? "" : " lx-against"}`, role: "button", "data-id": link.id, "aria-label": described, transform: `translate(${at.x} ${at.y}) scale(${size})` },
    svg("circle", { class: "lx-ring", r: 14 }),
    mark(link.status),
    svg("title", {}, described),
  );
  const write = (kind: string, y: number, points: number, words: string): void => {
    gate.append(svg("text", { class: kind, "aria-hidden": "true", y, "text-anchor": "middle", "font-size": points }, words));
  };
  if (word !== "" && worded) write("lx-word", 22, 11, word);
  if (above !== "") write("lx-traffic", word === "" ? -8 : -13, 12.5, fit(above, 16));
  return [line, gate];
}

/** The short name of a thing that is drawn. */
export function calledIn({ model, things }: Pick<Look, "model" | "things">, id: string): string {
  const thing = things.get(id)?.thing;
  return thing !== undefined && isGroup(thing) ? brief(thing.title) : name(model, id);
}

/** `+12` beside a thing: how much more there is on that side, and a button that shows it. */
export function drawMore(look: Look, id: string, { left, top, right }: Placed, ref: string, side: Side, count: number): SVGGElement {
  const size = look.level === "full" ? 1 : Math.min(1.3, 0.75 / look.scale);
  const label = `+${count}`;
  const width = 14 + label.length * 7.5;
  const x = side === "upstream" ? left - 4 : right + 4 - width * size;
  return svg(
    "g",
    {
      class: "lx-beyond",
      role: "button",
      "data-id": id,
      "aria-label": `Show ${count} more ${side} of ${name(look.model, ref)}`,
      transform: `translate(${x} ${top + NODE_HEIGHT - 6}) scale(${size})`,
    },
    svg("rect", { class: "lx-box", width, height: 20, rx: 10 }),
    svg("text", { x: width / 2, y: 14, "font-size": 11.5, class: "lx-name", "text-anchor": "middle", "aria-hidden": "true" }, label),
    svg("title", {}, `Show ${count} more ${side}`),
  );
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
