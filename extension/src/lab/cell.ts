/** References as cells: the code that asks again, and dragging it into a notebook. */

import { PageConfig, PathExt } from "@jupyterlab/coreutils";
import { MimeData } from "@lumino/coreutils";
import { Drag } from "@lumino/dragdrop";
import type { Widget } from "@lumino/widgets";

import { literal, python } from "../view/code.js";
import { html } from "../view/dom.js";
import { REF_MIME, type IEstate, type Question } from "./tokens.js";

/** What a notebook takes when something is dropped on it, and inserts as its own. */
const CELLS_MIME = "application/vnd.jupyter.cells";

/** Pixels that a pointer may stray while it clicks; a drawing that is drawn along with it waits as long. */
const STRAY = 4;

/** What is asked of a reference: a question, or the part of it that differs from "now". */
export type Asked = Pick<Question, "store" | "ref"> & Partial<Question>;

/** The Python that asks a question again. What was not asked for is left to its default: now, and all that is known. */
export function code(asked: Asked, store: string): string {
  const { ref, as_of = "", known_at = "", policy = "", selected = "", query = "" } = asked;
  const verdict = isEndpoint(ref) ? "INCOMPLETE" : null;
  const question = { endpoint: ref, as_of, known_at, policy: { name: policy, version: "", digest: "" } };
  return python({ question, verdict }, store, { selected, query });
}

/** Only endpoints are judged; of anything else its surroundings are shown. */
export function isEndpoint(ref: string): boolean {
  return ref.startsWith("endpoint:");
}

export function dragged(asked: Asked, store: string): MimeData {
  const data = new MimeData();
  data.setData(REF_MIME, asked);
  fill(data, code(asked, store));
  return data;
}

function fill(data: MimeData, source: string): void {
  data.setData(CELLS_MIME, [{ cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: source.trimEnd() }]);
  data.setData("text/plain", source.trimEnd());
}

/** What a drag of ours carries, as the notebook that it is dropped on would write it. */
export function refit(data: MimeData, notebook: string, estate: IEstate): void {
  const asked: unknown = data.getData(REF_MIME);
  if (isAsked(asked)) fill(data, code(asked, storeFrom(notebook, asked.store, estate.python(asked.store))));
}

function isAsked(value: unknown): value is Asked {
  return typeof value === "object" && value !== null && "store" in value && "ref" in value && typeof value.store === "string" && typeof value.ref === "string";
}

/**
 * How a notebook opens a store: a file below the server's folder by its path from the notebook's own, so that the
 * two can be moved and shared together; anything else as the server says.
 */
export function storeFrom(notebook: string, store: string, python: string): string {
  // Kernels run in the folder of their notebook; on a drive of its own that folder is somewhere else.
  if (notebook.includes(":") || store.startsWith("/")) return python;
  // The server writes its own folder's path in full, except for the home directory.
  const inFull = PathExt.join(PageConfig.getOption("serverRoot").replace(/^~/u, ""), store);
  if (python !== "" && !python.endsWith(`${inFull}')`)) return python;
  return `open_store(${literal(PathExt.relative(PathExt.dirname(notebook), store))})`;
}

/** Begins a drag once the pointer has moved as far as no click does. */
export function startDrag(down: PointerEvent, label: string, data: () => MimeData, source: Widget): void {
  const stop = (): void => {
    document.removeEventListener("pointermove", move, true);
    document.removeEventListener("pointerup", stop, true);
    document.removeEventListener("pointercancel", stop, true);
  };
  const move = (event: PointerEvent): void => {
    if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < STRAY) return;
    stop();
    event.stopPropagation();
    // The drag takes every event from here on: what else began under the pointer hears that it is over.
    down.target?.dispatchEvent(new PointerEvent("pointercancel", { pointerId: down.pointerId, bubbles: true }));
    const dragImage = html("div", { class: "lx-lab lx-lab-dragged" }, label);
    const drag = new Drag({ mimeData: data(), dragImage, proposedAction: "copy", supportedActions: "copy", source });
    void drag.start(event.clientX, event.clientY).then(() => drag.dispose());
  };
  document.addEventListener("pointermove", move, true);
  document.addEventListener("pointerup", stop, true);
  document.addEventListener("pointercancel", stop, true);
}
