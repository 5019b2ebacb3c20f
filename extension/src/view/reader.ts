/** What mouse and keys do in the drawing, in words of what is drawn. */

import type { Camera } from "./camera.js";
import { follow, press, type Arrow } from "./keys.js";
import { moreOf, type Plan, type Side } from "./plan.js";
import { listen } from "./pointer.js";
import { overlaps } from "./scene.js";
import { calledIn } from "./shapes.js";
import type { Direction } from "./transport.js";

/** What the drawing asks of the view around it. */
export interface DrawingEvents {
  /** A node, a hop or a group; empty for nothing. */
  select(id: string): void;
  search(): void;
  help(): void;
  expand(id: string, direction: Direction): void;
  announce(text: string): void;
}

/** What the drawing does for its reader. */
export interface Deeds {
  readonly plan: Plan;
  readonly camera: Camera;
  /** Where the reader is. */
  readonly current: string;
  readonly selected: string;
  /** The reader is here now; what is drawn stays as it is. */
  stand(id: string): void;
  /** Gives the keys to what is drawn at an id. */
  hold(id: string): void;
  focus(id: string): void;
  toggleGroup(id: string, open?: boolean): void;
  openAll(): void;
  closeAll(): void;
  zoom(factor: number, x?: number, y?: number): void;
  /** As often as there are frames. */
  zoomLater(factor: number, x: number, y: number): void;
  fit(): void;
  /** The camera was moved. */
  moved(): void;
}

export function serve(canvas: HTMLElement, events: DrawingEvents, deeds: Deeds): void {
  const { plan, camera } = deeds;
  let from = { x: 0, y: 0 };

  /** The item under the pointer; among outlines it is found by place. */
  const at = (event: MouseEvent): string => {
    const id = (event.target as Element).closest("[data-id]")?.getAttribute("data-id");
    if (id) return id;
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left - camera.x) / camera.k;
    const y = (event.clientY - box.top - camera.y) / camera.k;
    for (const thing of plan.scene.things.values()) if (overlaps(thing, { left: x, right: x, top: y, bottom: y })) return thing.id;
    return "";
  };

  const more = (ref: string, side: Side): void => {
    const { model, scene } = plan;
    if ((model.beyond?.get(ref)?.[side] ?? 0) > 0) events.expand(ref, side);
    else events.announce(`Nothing more ${side} of ${calledIn({ model, things: scene.things }, ref)} can be shown`);
  };

  /** Selects what is drawn at an id: of several hops in one link the worst, and the next when it is asked for again. */
  const choose = (id: string): void => {
    const button = moreOf(id);
    if (button !== undefined) return more(button.ref, button.side);
    const hops = plan.scene.links.get(id)?.link.hops;
    if (hops === undefined) return events.select(id);
    const next = (hops.findIndex((hop) => hop.id === deeds.selected) + 1) % hops.length;
    events.select(hops[next]?.id ?? "");
    if (hops.length > 1) events.announce(`Hop ${next + 1} of ${hops.length} between these two`);
  };

  const arrow = (key: Arrow, shift: boolean): void => {
    const { scene } = plan;
    const outward = { ArrowLeft: "upstream", ArrowRight: "downstream", ArrowUp: "", ArrowDown: "" }[key];
    const button = moreOf(deeds.current);
    if (button !== undefined) {
      if (outward !== button.side) deeds.focus(outward === "" ? (follow(scene, button.ref, key, shift) ?? button.ref) : button.ref);
      return;
    }
    const to = follow(scene, deeds.current, key, shift) ?? plan.more(deeds.current).find((id) => moreOf(id)?.side === outward);
    if (to !== undefined) deeds.focus(to);
  };

  listen(canvas, {
    grab: () => (from = { x: camera.x, y: camera.y }),
    drag: (dx, dy) => {
      camera.x = from.x + dx;
      camera.y = from.y + dy;
      deeds.moved();
    },
    zoom: (factor, x, y) => deeds.zoomLater(factor, x, y),
    click: (event) => {
      const toggle = (event.target as Element).closest("[data-toggle]")?.closest("[data-group], [data-id]");
      if (toggle) return deeds.toggleGroup(toggle.getAttribute("data-group") ?? toggle.getAttribute("data-id") ?? "");
      const id = at(event);
      if (id !== "") deeds.stand(id);
      choose(id);
      if (id !== "") deeds.hold(deeds.current);
    },
    twice: (event, x, y) => {
      if (at(event) === "") deeds.zoom(1.6, x, y);
    },
  });
  canvas.addEventListener("keydown", (event) =>
    press(event, {
      arrow,
      home: () => deeds.focus(plan.home()),
      enter: () => {
        const group = plan.groupAt(deeds.current);
        if (group?.id === deeds.current) deeds.toggleGroup(group.id, true);
        else choose(deeds.current);
      },
      select: () => choose(deeds.current),
      leave: () => events.select(""),
      group: () => {
        const group = plan.groupAt(deeds.current);
        if (group === undefined) events.announce("There is no group here");
        else deeds.toggleGroup(group.id);
      },
      closeAll: () => deeds.closeAll(),
      openAll: () => deeds.openAll(),
      more: (side) => more(moreOf(deeds.current)?.ref ?? deeds.current, side),
      zoom: (factor) => deeds.zoom(factor),
      fit: () => deeds.fit(),
      page: (x, y) => {
        camera.x -= x * camera.width;
        camera.y -= y * camera.height;
        deeds.moved();
      },
      search: () => events.search(),
      help: () => events.help(),
    }),
  );
  canvas.addEventListener("focusin", (event) => {
    const id = (event.target as Element).closest("[data-id]")?.getAttribute("data-id");
    if (id && id !== deeds.current) deeds.stand(id);
  });
}
