/** The keys of the drawing: what the help tells of them, and where the arrows lead. */

import type { Placed, PlacedLink, Scene } from "./scene.js";

/** Every key of the drawing. */
export const KEYS: readonly { keys: string; does: string }[] = [
  { keys: "← →", does: "Follow a hop upstream or downstream; past the last, to the button for more" },
  { keys: "↑ ↓", does: "Go along the column; on a hop, to the next hop into the same thing" },
  { keys: "Shift + ← →", does: "Stop at the hop between" },
  { keys: "Home", does: "Go to the endpoint" },
  { keys: "Enter", does: "Open the details; open a closed group; press a + button" },
  { keys: "Space", does: "Open the details, also of a closed group; again on a hop of several, the next of them" },
  { keys: "Escape", does: "Close the details, select nothing" },
  { keys: "G", does: "Open or close the group here" },
  { keys: "[ ]", does: "Close all groups, open all groups" },
  { keys: "E, Shift + E", does: "Show more upstream, more downstream of what is here" },
  { keys: "+ −", does: "Zoom in, zoom out" },
  { keys: "0", does: "Show all of the drawing" },
  { keys: "Page up, Page down", does: "Move the drawing up or down; with Shift, left or right" },
  { keys: "/", does: "Search" },
  { keys: "?", does: "Show this list" },
];

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

export function isArrow(key: string): key is Arrow {
  return ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(key);
}

/** Where an arrow leads from a thing or a link; undefined where there is nothing more. */
export function follow(scene: Scene, from: string, key: Arrow, shift: boolean): string | undefined {
  const on = scene.links.get(from);
  if (on !== undefined) {
    if (key === "ArrowLeft") return on.link.cause;
    if (key === "ArrowRight") return on.link.effect;
    const beside = [...(scene.into.get(on.link.effect) ?? [])].sort((a, b) => a.mark.y - b.mark.y);
    return beside[beside.indexOf(on) + (key === "ArrowUp" ? -1 : 1)]?.link.id;
  }
  const thing = scene.things.get(from);
  if (thing === undefined) return undefined;
  if (key === "ArrowUp" || key === "ArrowDown") return scene.columns[thing.column]?.[thing.row + (key === "ArrowUp" ? -1 : 1)]?.id;
  const end = key === "ArrowLeft" ? "cause" : "effect";
  const next = straightest(scene, thing, (end === "cause" ? scene.into : scene.out).get(from) ?? [], end);
  return shift ? next?.link.id : next?.link[end];
}

/** Beside the data and models that a trace is about: what they were made with. */
const MEANS = /^(code|environment|prompt|base_model):/u;

/** Of several links, the one to data or a model whose other end stands nearest in height; to what else there is where there is none. */
function straightest(scene: Scene, thing: Placed, links: readonly PlacedLink[], end: "cause" | "effect"): PlacedLink | undefined {
  const away = ({ link }: PlacedLink): number => Math.abs((scene.things.get(link[end])?.top ?? 0) - thing.top) + (MEANS.test(link[end]) ? 1e9 : 0);
  return [...links].sort((a, b) => away(a) - away(b))[0];
}

/** What the keys do. */
export interface Acts {
  arrow(key: Arrow, shift: boolean): void;
  home(): void;
  enter(): void;
  select(): void;
  leave(): void;
  group(): void;
  closeAll(): void;
  openAll(): void;
  more(side: "upstream" | "downstream"): void;
  zoom(factor: number): void;
  fit(): void;
  /** Parts of the window, to the right and down. */
  page(x: number, y: number): void;
  search(): void;
  help(): void;
}

/** Does what a key asks for, if it is one of the drawing's. */
export function press(event: KeyboardEvent, acts: Acts): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { key, shiftKey } = event;
  const page = (by: number): void => (shiftKey ? acts.page(by, 0) : acts.page(0, by));
  const known = new Map<string, () => void>([
    ["Home", () => acts.home()],
    ["Enter", () => acts.enter()],
    [" ", () => acts.select()],
    ["Escape", () => acts.leave()],
    ["g", () => acts.group()],
    ["[", () => acts.closeAll()],
    ["]", () => acts.openAll()],
    ["e", () => acts.more(shiftKey ? "downstream" : "upstream")],
    ["+", () => acts.zoom(1.25)],
    ["=", () => acts.zoom(1.25)],
    ["-", () => acts.zoom(0.8)],
    ["0", () => acts.fit()],
    ["PageUp", () => page(-0.5)],
    ["PageDown", () => page(0.5)],
    ["/", () => acts.search()],
    ["?", () => acts.help()],
  ]);
  const act = isArrow(key) ? () => acts.arrow(key, shiftKey) : known.get(key.length === 1 ? key.toLowerCase() : key);
  if (act === undefined) return;
  // The notebook has keys of its own; those that are used here are used only here.
  event.preventDefault();
  event.stopPropagation();
  act();
}
