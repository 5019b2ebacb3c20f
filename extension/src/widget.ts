/** The entry for notebooks: the view, with what is shown and what is chosen kept in step with Python. */

import type { Module } from "./chapters-widget.js";
import { Comm, type Traits, type WidgetModel } from "./comm.js";
import { carried, install, type Naming } from "./modules.js";
import { parts, type Parts } from "./parts.js";
import { Asking, problem } from "./view/asking.js";
import type { Audit } from "./view/audit.js";
import { html, keepPlainKeys } from "./view/dom.js";
import { isEstate, type Estate } from "./view/estate.js";
import { alone } from "./view/exploration.js";
import { mountEstate } from "./view/heatmap.js";
import { clean } from "./view/text.js";
import type { Exploration, Found, ViewState } from "./view/transport.js";
import { mountAudit, type Mounted } from "./view/view.js";

const STATE = ["selected", "as_of", "direction", "query"] as const;

interface Context {
  model: WidgetModel;
  el: HTMLElement;
}

/** What the bundle of the chapters is: a module that wants its view. */
interface Chapters {
  default(parts: Parts): Module;
}

function render(context: Context): () => void {
  const content = context.model.get("content");
  if (isEstate(content)) return heatMap(context);
  return "format" in content && !("verdict" in content) ? chapter(context) : explorer(context);
}

/** A history, a comparison, an impact, ... by itself. */
function chapter({ model, el }: Context): () => void {
  let end: (() => void) | null = null;
  let left = false;
  carried<Chapters>(model as Naming, "chapters", el).then(
    (module) => {
      if (!left) end = module.default(parts).render(model, el, new Comm(model, false));
    },
    (error: unknown) => (el.textContent = problem(error)),
  );
  return () => {
    left = true;
    end?.();
  };
}

/** The policy results of many endpoints; which of them is chosen is kept in step with Python. */
function heatMap({ model, el }: Context): () => void {
  const content = (): Estate => model.get("content") as Estate;
  const view = mountEstate(el, content(), {
    open: (ref) => {
      model.set("selected", ref);
      model.save_changes();
    },
  });
  const show = (): void => view.estate(content());
  const select = (): void => view.select(model.get("selected"));
  model.on("change:content", show);
  model.on("change:selected", select);
  select();
  return () => {
    model.off("change:content", show);
    model.off("change:selected", select);
    view.destroy();
  };
}

function explorer({ model, el }: Context): () => void {
  const transport = new Comm(model);
  const [over, under] = [html("div"), html("div")];
  const close = transport.ask && opening(el, over, under, transport);
  el.replaceChildren(over, under);
  let view: Mounted | null = null;
  let shown = "";
  const state = (): ViewState => ({
    selected: model.get("selected"),
    as_of: model.get("as_of"),
    direction: model.get("direction"),
    query: model.get("query"),
  });
  const show = (): void => {
    const content = model.get("content");
    const audit = shownAs(content);
    if (audit === null) {
      view?.destroy();
      view = null;
      under.replaceChildren(chooser(transport, (ref) => open(ref)));
    } else if (view !== null && shown === audit.question.endpoint) view.audit(audit);
    else {
      view?.destroy();
      view = mountAudit(under, audit, transport, { state: state() });
    }
    shown = audit?.question.endpoint ?? "";
  };
  const open = (ref: string): Promise<void> | undefined =>
    transport.ask?.("audit", { endpoint: ref, as_of: model.get("as_of"), known_at: "", policy: "" }).then(() => undefined);
  const follow = STATE.map((name) => {
    const set = (): void => view?.set({ [name]: model.get(name) });
    model.on(`change:${name}`, set);
    return (): void => model.off(`change:${name}`, set);
  });
  model.on("change:content", show);
  show();
  return () => {
    model.off("change:content", show);
    for (const end of follow) end();
    close?.();
    view?.destroy();
  };
}

/** Chapters over the trace. Their code is fetched when the first is opened; until then a line says so, or why it could not be. */
function opening(el: HTMLElement, over: HTMLElement, under: HTMLElement, transport: Comm): () => void {
  let chapters: Promise<ReturnType<Module["over"]>> | null = null;
  const said = html("p", { class: "lx-root lx-chooser", role: "status" });
  transport.open = (wanted) => {
    if (chapters === null) {
      said.textContent = "Opening…";
      over.replaceChildren(said);
      chapters = transport
        .code("chapters")
        .then((code) => install<Chapters>(code, el))
        .then((module) => {
          said.remove();
          return module.default(parts).over(over, under, transport);
        });
    }
    chapters.then(
      (made) => made.open(wanted),
      (error: unknown) => {
        chapters = null;
        said.textContent = clean(`That could not be opened: ${problem(error)}`);
      },
    );
  };
  return () => void chapters?.then((made) => made.destroy(), () => undefined);
}

/** What the kernel holds, as the view reads it; null when nothing has been chosen yet. */
function shownAs(content: Traits["content"]): Audit | null {
  if ("verdict" in content) return content as Audit;
  return "root" in content ? alone(content as Exploration) : null;
}

/** Of a store with several endpoints, which one? */
function chooser(transport: Comm, open: (ref: string) => Promise<void> | undefined): HTMLElement {
  const list = html("ul", { class: "lx-choices" });
  const said = html("p", { class: "lx-quiet", role: "status" });
  const box = html("input", { type: "search", class: "lx-search", placeholder: "Search endpoints…", "aria-label": "Search endpoints" });
  const asking = new Asking();
  const tell = (error: unknown): void => {
    said.textContent = clean(problem(error));
  };
  const offer = (found: readonly Found[]): void => {
    list.replaceChildren(
      ...found.map(({ ref }) => {
        const button = html("button", { type: "button", class: "lx-link" }, clean(ref));
        button.addEventListener("click", () => {
          said.textContent = `Asking about ${clean(ref)}…`;
          open(ref)?.catch(tell);
        });
        return html("li", {}, button);
      }),
    );
    said.textContent = found.length === 0 ? "No endpoint of that name is in the store." : "";
  };
  const { ask } = transport;
  if (ask === undefined) said.textContent = "Run this cell again to choose an endpoint.";
  else {
    const fill = (quiet: number): void => {
      asking.put((signal) => ask("search", { query: box.value, kind: "endpoint", limit: 50 }, signal), quiet).then((found) => found && offer(found), tell);
    };
    box.addEventListener("input", () => fill(120));
    fill(0);
  }
  keepPlainKeys(box);
  return html("section", { class: "lx-root lx-chooser", "aria-label": "Lineage explorer" }, html("h2", {}, "Which endpoint?"), box, list, said);
}

export default { render };
