/** The page of benchmarks/history_view.py: a history as data, mounted when it is asked for, and timed to the frame that shows it. */

import type { History } from "../../extension/src/chapters/documents.js";
import { mountHistory } from "../../extension/src/chapters/history.js";

const content = JSON.parse(document.getElementById("history")?.textContent ?? "{}") as History;
const place = document.getElementById("stage") as HTMLElement;
const frame = (): Promise<number> => new Promise(requestAnimationFrame);

/** What a gesture changes: how far the rows are scrolled, and which time is seen. */
const state = (): string => `${place.querySelector(".lx-lives")?.scrollTop} ${place.querySelector(".lx-historygrid path")?.getAttribute("d")}`;

Object.assign(globalThis, {
  lxHistory: {
    /** Milliseconds from the call until all is in the document, and until the frame after the one that shows it begins. */
    async mount() {
      await frame();
      const begun = performance.now();
      mountHistory(place, content, {});
      const inDocument = performance.now() - begun;
      await frame();
      await frame();
      const rows = [...place.querySelectorAll(".lx-life")];
      return { inDocument, painted: performance.now() - begun, versions: Number(rows[0]?.getAttribute("aria-setsize") ?? 0), rows: rows.length };
    },
    /** A step of the wheel in every frame, there and back; milliseconds between the frames that showed something new. */
    async turn(kind: "scroll" | "pan" | "zoom", steps: number) {
      const lives = place.querySelector(".lx-lives") as HTMLElement;
      const { left, top } = lives.getBoundingClientRect();
      const gaps: number[] = [];
      const turn = (by: WheelEventInit): boolean => lives.dispatchEvent(new WheelEvent("wheel", { ...by, clientX: left + 600, clientY: top + 100, bubbles: true, cancelable: true }));
      // Where all is seen there is nowhere to go.
      if (kind === "pan") for (let i = 0; i < 4; i++) turn({ ctrlKey: true, deltaY: -120 });
      let [before, was] = [await frame(), state()];
      for (let i = 0; i < steps; i++) {
        const sign = i % 120 < 60 ? 1 : -1;
        if (kind === "scroll") lives.scrollTop += 120 * sign;
        else turn(kind === "zoom" ? { ctrlKey: true, deltaY: -10 * sign } : { deltaX: 9 * sign });
        const at = await frame();
        const is = state();
        if (is !== was) gaps.push(at - before);
        [before, was] = [at, is];
      }
      return gaps;
    },
  },
});
