/** Mouse, pen, fingers and wheel over the drawing. */

export interface Pointed {
  /** The drawing was taken up; what is told next is how far it was drawn from there. */
  grab(): void;
  drag(dx: number, dy: number): void;
  /** About a point of the window. */
  zoom(factor: number, x: number, y: number): void;
  /** A click or tap that moved nothing. */
  click(event: MouseEvent): void;
  /** Twice on nothing in particular. */
  twice(event: MouseEvent, x: number, y: number): void;
}

/** How far a pointer may stray while it clicks. */
const STRAY = 4;

export function listen(canvas: HTMLElement, to: Pointed): void {
  const down = new Map<number, { x: number; y: number }>();
  let from: { x: number; y: number } | null = null;
  let moved = false;
  const local = ({ clientX, clientY }: { clientX: number; clientY: number }): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect();
    return { x: clientX - box.left, y: clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    from = down.size === 1 ? { x: event.clientX, y: event.clientY } : null;
    if (down.size === 1) moved = false;
    to.grab();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...down.entries()].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      // Two fingers: what is between them is drawn apart or together.
      const apart = (point: { x: number; y: number }): number => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
      const middle = local({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 });
      moved = true;
      to.zoom(apart(now) / apart(before), middle.x, middle.y);
    } else if (from !== null) {
      const [dx, dy] = [now.x - from.x, now.y - from.y];
      if (!moved && Math.hypot(dx, dy) < STRAY) return;
      if (!moved) canvas.setPointerCapture(event.pointerId);
      moved = true;
      canvas.classList.add("lx-moving");
      to.drag(dx, dy);
    }
    down.set(event.pointerId, now);
  });
  const end = (event: PointerEvent): void => {
    down.delete(event.pointerId);
    from = null;
    canvas.classList.remove("lx-moving");
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => {
    if (!canvas.hasPointerCapture?.(event.pointerId)) end(event);
  });
  canvas.addEventListener("click", (event) => {
    if (!moved) to.click(event);
  });
  canvas.addEventListener("dblclick", (event) => {
    const { x, y } = local(event);
    to.twice(event, x, y);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      // Without a modifier the wheel scrolls the page, as readers expect of a picture in a text.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const step = Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode === 1 ? 16 : 1)));
      const { x, y } = local(event);
      to.zoom(Math.exp(-step / 130), x, y);
    },
    { passive: false },
  );
}
