/** What stays bright: what is lit, then what is joined to it, then the rest. Nothing goes out altogether. */

import type { Fade } from "./crowd.js";
import { isGroup } from "./groups.js";
import type { Scene } from "./scene.js";

/** How the things and links of a scene are faded when some of what they stand for is lit; null lights everything. */
export function fades(scene: Scene, lit: ReadonlySet<string> | null): Fade {
  if (lit === null) return () => "";
  const bright = new Set<string>();
  for (const { id, thing } of scene.things.values())
    if (lit.has(id) || (isGroup(thing) && thing.members.some((ref) => lit.has(ref)))) bright.add(id);
  for (const { link } of scene.links.values()) if (link.hops.some((hop) => lit.has(hop.id))) bright.add(link.id);
  const beside = new Set<string>();
  for (const { link } of scene.links.values()) {
    const joins = bright.has(link.cause) || bright.has(link.effect);
    if (joins) for (const id of [link.id, link.cause, link.effect]) beside.add(id);
  }
  return (id) => (bright.has(id) ? "" : beside.has(id) ? "lx-dim" : "lx-far");
}

/** `12 of 38` on a closed group of which only a part is lit; else empty. */
export function share(scene: Scene, lit: ReadonlySet<string> | null, id: string): string {
  const thing = scene.things.get(id)?.thing;
  if (lit === null || lit.has(id) || thing === undefined || !isGroup(thing)) return "";
  const count = thing.members.reduce((sum, ref) => sum + Number(lit.has(ref)), 0);
  return count === 0 || count === thing.members.length ? "" : `${count} of ${thing.members.length} lit`;
}
