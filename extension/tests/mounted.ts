/** Views in tests: whatever was mounted is destroyed after its test, as hosts do, so that nothing is drawn when there is no page. */

import { afterEach } from "vitest";

import { mountAudit } from "../src/view/view.js";

const shown = new Set<{ destroy(): void }>();

afterEach(() => {
  for (const view of shown) view.destroy();
  shown.clear();
});

export function mounted(...asked: Parameters<typeof mountAudit>): ReturnType<typeof mountAudit> {
  const view = mountAudit(...asked);
  shown.add(view);
  return view;
}
