/** Audits in a notebook's outputs: the interactive trace, without a kernel and without a store. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { nullTranslator } from "@jupyterlab/translation";

import { AUDIT_MIME, readAudit, SavedAudit } from "./saved.js";

/** Before the drawing in HTML and SVG that stands in the same output, for places without this renderer. */
const RANK = 10;
/** How long a live trace may take to appear, in milliseconds, where it is not known whether one will. */
const PATIENCE = 5000;

class AuditRenderer extends SavedAudit implements IRenderMime.IRenderer {
  private readonly mimeType: string;

  constructor(private readonly given: IRenderMime.IRendererOptions) {
    const trans = (given.translator ?? nullTranslator).load("lineage_explorer");
    super({ trans, wanted: () => this.alone() });
    this.mimeType = given.mimeType;
    // The view's style sheet hides what is still where it follows what is live.
    this.addClass("lx-static");
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const trans = (this.given.translator ?? nullTranslator).load("lineage_explorer");
    try {
      this.present(readAudit(model.data[this.mimeType], trans));
    } catch (error) {
      this.tell(trans.__("This output cannot be shown"), error instanceof Error ? error.message : String(error));
    }
    return Promise.resolve();
  }

  /** Whether no live trace stands before this output. One that may be on its way is waited for. */
  private async alone(): Promise<boolean> {
    const before = this.node.closest(".jp-OutputArea-child")?.previousElementSibling ?? null;
    const now = await settled(before);
    // Hides the widget's own word of its loss, which this view makes good.
    this.toggleClass("lx-lab-instead", now === "lost");
    return now !== "live";
  }
}

/** What stands before an output: a live trace, a widget that may become one, one that was lost, or something else. */
type Fate = "live" | "open" | "lost" | "none";

function settled(before: Element | null): Promise<Fate> {
  return new Promise((resolve) => {
    const look = (late: boolean): void => {
      const now = fate(before);
      if (now === "open" && !late) return;
      watch.disconnect();
      clearTimeout(timer);
      resolve(now);
    };
    const watch = new MutationObserver(() => look(false));
    const timer = setTimeout(() => look(true), PATIENCE);
    if (before !== null) watch.observe(before, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    look(false);
  });
}

function fate(before: Element | null): Fate {
  const output = before?.querySelector(".jp-OutputArea-output") ?? null;
  if (output === null) return "none";
  // A still trace of another audit is not live.
  if (output.classList.contains("lx-static")) return "none";
  if (output.querySelector(".lx-root") !== null) return "live";
  if (/(^| )jp-Rendered/u.test(output.className)) return "none";
  // A widget whose model is lost says so in a sentence, with no element in it.
  return output.classList.contains("jupyter-widgets") && output.childElementCount === 0 ? "lost" : "open";
}

const extension: IRenderMime.IExtension = {
  id: "lineage-explorer:mime",
  description: "Shows the audits in a notebook's outputs, with no kernel.",
  rendererFactory: {
    // Everything that a record says is put in as text.
    safe: true,
    mimeTypes: [AUDIT_MIME],
    createRenderer: (options) => new AuditRenderer(options),
  },
  rank: RANK,
  dataType: "json",
};

export default extension;
