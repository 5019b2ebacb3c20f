/**
 * Chapters in notebooks: over an explorer, which fetches them when the first is opened, and by themselves. In the bundle
 * everything of view/ is taken from `parts`, which view.js gives: it is there already, and is not carried twice.
 */

import { Chapters } from "./chapters/chapter.js";
import type { Chapter } from "./chapters/documents.js";
import type { Comm, WidgetModel } from "./comm.js";
import { problem } from "./view/asking.js";
import { html } from "./view/dom.js";
import { alone } from "./view/exploration.js";
import { clean, shortName } from "./view/text.js";
import type { Transport } from "./view/transport.js";
import { mountAudit } from "./view/view.js";

export interface Module {
  over: typeof over;
  render: typeof render;
}

/** Chapters over an explorer: while one is open, what is under it is not seen. */
export function over(host: HTMLElement, under: HTMLElement, { ask }: Transport): Chapters {
  return new Chapters(host, {
    ...(ask === undefined
      ? {}
      : {
          ask,
          trace: async (ref, as_of, signal) => {
            // Python shows what is asked for, in every view of the explorer.
            await ask("audit", { endpoint: ref, as_of, known_at: "", policy: "" }, signal);
            return "beneath";
          },
        }),
    changed: (_wanted, depth) => {
      host.hidden = depth === 0;
      under.hidden = depth > 0;
    },
    left: () => {
      const heading = under.querySelector<HTMLElement>("h2");
      if (heading !== null) heading.tabIndex = -1;
      heading?.focus();
    },
  });
}

/** One document by itself, and what is opened from it. */
export function render(model: WidgetModel, el: HTMLElement, comm: Comm): () => void {
  const { ask, store } = comm;
  const chapters = new Chapters(el, {
    ...(ask === undefined
      ? {}
      : {
          ask,
          trace: async (ref, as_of, signal) => {
            const asked = { as_of, known_at: "" };
            const shown = ref.startsWith("endpoint:")
              ? await ask("audit", { endpoint: ref, ...asked, policy: "" }, signal)
              : alone(await ask("explore", { ref, direction: "both", depth: null, ...asked }, signal));
            return (element) => {
              const transport: Transport = { store, ask, open: (wanted) => chapters.open(wanted), changed: () => undefined };
              const view = mountAudit(element, shown, transport, { state: { as_of } });
              return { title: `Trace of ${shortName(ref)}`, destroy: () => view.destroy() };
            };
          },
        }),
    selected: (ref) => {
      model.set("selected", ref);
      model.save_changes();
    },
  });
  const show = (): void => {
    try {
      chapters.show(model.get("content") as Chapter);
    } catch (error) {
      el.replaceChildren(html("p", { class: "lx-root lx-problem", role: "alert" }, clean(problem(error))));
    }
  };
  model.on("change:content", show);
  show();
  return () => {
    model.off("change:content", show);
    chapters.destroy();
  };
}
