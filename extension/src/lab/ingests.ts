/** Reading a source into a store, from JupyterLab: the dialog, and how it goes in the status bar. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Dialog, ICommandPalette, Notification, showDialog } from "@jupyterlab/apputils";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";

import { html } from "../view/dom.js";
import { clean } from "../view/text.js";
import { message } from "./http.js";
import { sentence } from "./notice.js";
import { lastPart, outcome, Progress, Watched, type Order } from "./progress.js";
import { commands, IEstate } from "./tokens.js";

/** What the dialog asks for. */
class OrderForm extends Widget implements Dialog.IBodyWidget<Order> {
  private readonly source: HTMLInputElement;
  private readonly store: HTMLInputElement;
  private readonly full = html("input", { type: "checkbox" });
  private readonly create = html("input", { type: "checkbox" });

  /** `problem`: why what was typed before could not be done. */
  constructor(estate: IEstate, trans: TranslationBundle, before: Order, problem: string) {
    super();
    this.addClass("lx-lab-order");
    this.source = html("input", { type: "text", class: "jp-mod-styled", value: before.source, placeholder: "demo/mlflow.db", spellcheck: "false", "aria-describedby": "lx-lab-order-source" });
    this.store = html("input", { type: "text", class: "jp-mod-styled", value: before.store, list: "lx-lab-order-stores", placeholder: "lineage.db", spellcheck: "false" });
    this.full.checked = before.full;
    this.create.checked = before.create;
    const roots = estate.roots.length === 0 ? "" : ` ${trans.__("Paths start at %1.", clean(estate.roots.join(", ")))}`;
    this.node.append(
      ...(problem === "" ? [] : [html("p", { class: "lx-lab-refused", role: "alert" }, sentence(problem))]),
      html("label", {}, trans.__("Source"), this.source),
      html("p", { id: "lx-lab-order-source" }, `${trans.__("A path, an address (https://…), or name:location as “lineage-explorer ingest” takes it.")}${roots}`),
      html("label", {}, trans.__("Store"), this.store),
      html("datalist", { id: "lx-lab-order-stores" }, ...estate.stores.map(({ name }) => html("option", { value: name }))),
      html("label", { class: "lx-lab-check" }, this.create, trans.__("Make the store if it is not there")),
      html("label", { class: "lx-lab-check" }, this.full, trans.__("Read everything again, not only what is new")),
    );
  }

  getValue(): Order {
    return { source: this.source.value.trim(), store: this.store.value.trim(), full: this.full.checked, create: this.create.checked };
  }
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:ingests",
  description: "Reads sources into stores, and shows in the status bar how it goes.",
  autoStart: true,
  requires: [IEstate],
  optional: [IStatusBar, ICommandPalette, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate, bar: IStatusBar | null, palette: ICommandPalette | null, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const watched = new Watched(estate.server);
    const item = new Progress(watched, trans);
    bar?.registerStatusItem("lineage-explorer:ingests", { item, align: "middle", isActive: () => item.active, activeStateChanged: item.shown });
    watched.ended.connect((_, one) => {
      const { store, state } = one;
      // Notebook 7 has no status bar.
      if (bar === null) Notification.emit(`${lastPart(one.source)}: ${outcome(one, trans)}`, state === "failed" ? "error" : "info");
      // What was read until it failed or was cancelled is in the store too.
      void estate.refresh();
      if (state === "done" && estate.current === "") void estate.choose(store);
    });
    // One may be running since before this page was loaded.
    void estate.ready.then(() => {
      if (estate.problem === null) watched.look();
    });
    app.commands.addCommand(commands.ingest, {
      label: trans.__("Read a Source into a Lineage Store…"),
      caption: trans.__("MLflow, Azure ML, or records in files; the status bar shows how it goes"),
      execute: async () => {
        let order: Order = { source: "", store: estate.current, full: false, create: estate.stores.length === 0 };
        let problem = "";
        for (;;) {
          const { button, value } = await showDialog({
            title: trans.__("Read a source into a lineage store"),
            body: new OrderForm(estate, trans, order, problem),
            buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__("Read") })],
            focusNodeSelector: "input",
          });
          if (!button.accept || value === null) return;
          order = value;
          if (order.source === "" || order.store === "") {
            problem = trans.__("Both are needed: what to read, and the store to read it into.");
            continue;
          }
          try {
            await watched.start(order);
            return;
          } catch (error) {
            // Back to what was typed, so that one letter can be put right.
            problem = message(error);
          }
        }
      },
    });
    palette?.addItem({ command: commands.ingest, category: trans.__("Lineage") });
  },
};

export default plugin;
