/** The entry for notebooks: the view, with its audit and selection kept in step with Python. */

import type { Audit } from "./view/audit.js";
import { mountAudit } from "./view/view.js";

interface WidgetModel {
  get(name: "audit"): Audit;
  get(name: "selected"): string;
  set(name: "selected", value: string): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const mount = (): ReturnType<typeof mountAudit> =>
    mountAudit(el, model.get("audit"), {
      selected(id) {
        model.set("selected", id);
        model.save_changes();
      },
    });
  let view = mount();
  view.select(model.get("selected"));
  const again = (): void => {
    view.destroy();
    view = mount();
    view.select(model.get("selected"));
  };
  const select = (): void => view.select(model.get("selected"));
  model.on("change:audit", again);
  model.on("change:selected", select);
  return () => {
    model.off("change:audit", again);
    model.off("change:selected", select);
    view.destroy();
  };
}

export default { render };
