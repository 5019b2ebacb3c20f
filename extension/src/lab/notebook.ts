/** Notebooks: what their kernels hold of lineage is offered, and what is dropped on them opens stores from their folder. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, showErrorMessage } from "@jupyterlab/apputils";
import { PathExt } from "@jupyterlab/coreutils";
import { INotebookTracker, NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { Drag } from "@lumino/dragdrop";
import { Debouncer } from "@lumino/polling";
import { Menu, Widget } from "@lumino/widgets";

import { html } from "../view/dom.js";
import { clean, fit, shortName } from "../view/text.js";
import { refit } from "./cell.js";
import { message } from "./http.js";
import { lineageIcon } from "./icons.js";
import { readContent } from "./saved.js";
import { connect } from "./store-page.js";
import { commands, IEstate, IExplorer } from "./tokens.js";
import { content, variables, type Variable } from "./variables.js";

/** Milliseconds for which a kernel has to be idle before it is asked. */
const REST = 400;
/** Where the offer stands in a notebook's toolbar: after the buttons for cells, before the kernel. */
const PLACE = 10;

/** Looks into one notebook's kernel after each execution, while the notebook is the active one. */
class Offer extends Widget {
  private found: readonly Variable[] = [];
  private stale = true;
  private readonly look = new Debouncer(() => this.ask(), REST);
  private readonly button = html("button", { type: "button", class: "lx-lab-offer" });

  constructor(
    private readonly panel: NotebookPanel,
    private readonly active: () => boolean,
    private readonly trans: TranslationBundle,
    private readonly chosen: () => void,
  ) {
    super();
    this.addClass("lx-lab-offering");
    this.node.append(this.button);
    this.button.addEventListener("click", () => this.chosen());
    this.hide();
    const { sessionContext } = panel;
    sessionContext.kernelChanged.connect(() => this.forget());
    sessionContext.statusChanged.connect((_, status) => {
      if (status === "restarting" || status === "dead") this.forget();
      else if (status === "idle" && this.stale) void this.look.invoke();
    });
    panel.disposed.connect(() => this.dispose());
  }

  get variables(): readonly Variable[] {
    return this.found;
  }

  get anchor(): DOMRect {
    return this.button.getBoundingClientRect();
  }

  /** Something was executed, or the notebook became the active one. */
  expect(): void {
    this.stale = true;
    void this.look.invoke();
  }

  forget(): void {
    this.stale = true;
    this.offer([]);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.look.dispose();
    super.dispose();
  }

  private async ask(): Promise<void> {
    const kernel = this.panel.sessionContext.session?.kernel ?? null;
    // A kernel that is busy is asked when it is idle again: a question must not stand before somebody's cells.
    if (kernel === null || kernel.status !== "idle" || !this.stale || !this.active()) return;
    this.stale = false;
    if (!(await speaksPython(kernel)) || this.isDisposed) return;
    const found = await variables(kernel);
    if (!this.isDisposed && this.panel.sessionContext.session?.kernel === kernel) this.offer(found);
  }

  private offer(found: readonly Variable[]): void {
    const { trans } = this;
    this.found = found;
    const [first] = found;
    this.setHidden(first === undefined);
    if (first === undefined) return;
    const text = found.length === 1 ? trans.__("Lineage: %1", fit(first.name, 24)) : trans.__("Lineage: %1 variables", String(found.length));
    const label = found.length === 1 ? trans.__("Open %1", title(first, trans)) : trans.__("Open one of the variables with lineage: %1", found.map(({ name }) => clean(name)).join(", "));
    const icon = html("span", { "aria-hidden": "true" });
    lineageIcon.element({ container: icon, tag: "span" });
    this.button.replaceChildren(icon, html("span", {}, text));
    this.button.title = label;
    this.button.setAttribute("aria-label", label);
    if (found.length > 1) this.button.setAttribute("aria-haspopup", "menu");
    else this.button.removeAttribute("aria-haspopup");
  }
}

async function speaksPython(kernel: Kernel.IKernelConnection): Promise<boolean> {
  return (await kernel.info).language_info.name === "python";
}

/** A variable in a few words. */
function title({ name, kind, about, verdict }: Variable, trans: TranslationBundle): string {
  const said = kind === "store" ? trans.__("store %1", clean(about)) : kind === "audit" ? trans.__("audit of %1", shortName(about)) : trans.__("explorer of %1", shortName(about));
  return `${clean(name)}: ${said}${verdict === "" ? "" : `, ${verdict}`}`;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:notebook",
  description: "Offers what the active notebook's kernel holds of lineage.",
  autoStart: true,
  requires: [IEstate, IExplorer, INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate, explorer: IExplorer, notebooks: INotebookTracker, palette: ICommandPalette | null, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const offers = new Map<NotebookPanel, Offer>();
    const current = (): Offer | undefined => (notebooks.currentWidget === null ? undefined : offers.get(notebooks.currentWidget));

    const open = async (panel: NotebookPanel, variable: Variable): Promise<void> => {
      const kernel = panel.sessionContext.session?.kernel ?? null;
      const { name, kind, about } = variable;
      try {
        if (kind === "store") {
          const path = PathExt.normalize(PathExt.join(PathExt.dirname(panel.context.localPath), about));
          if (path.startsWith("..") || about.startsWith("/"))
            throw new Error(trans.__("%1 is outside the folder that this Jupyter server shows. Whoever runs the server can add it to LineageExplorer.roots.", clean(about)));
          await connect({ app, estate, explorer, store: path });
          return;
        }
        if (kernel === null) throw new Error(trans.__("The kernel is gone. Start it, and run the cell again."));
        await explorer.openAudit(await readContent(await content(kernel, name), trans), name, `${panel.context.path}:${name}`);
      } catch (error) {
        await showErrorMessage(trans.__("%1 cannot be opened", clean(name)), message(error));
      }
    };

    app.commands.addCommand(commands.openVariable, {
      label: ({ name }) => {
        const variable = current()?.variables.find((one) => one.name === name);
        return variable === undefined ? trans.__("Open a Notebook's Variable with Lineage") : title(variable, trans);
      },
      icon: lineageIcon,
      isEnabled: () => (current()?.variables.length ?? 0) > 0,
      execute: ({ name }) => {
        const panel = notebooks.currentWidget;
        const offer = current();
        if (panel === null || offer === undefined) return;
        const found = offer.variables.length === 1 ? offer.variables[0] : offer.variables.find((one) => one.name === name);
        if (found !== undefined) return open(panel, found);
        const menu = new Menu({ commands: app.commands });
        for (const one of offer.variables) menu.addItem({ command: commands.openVariable, args: { name: one.name } });
        menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
        const { left, bottom } = offer.anchor;
        menu.open(left, bottom);
        return;
      },
    });
    palette?.addItem({ command: commands.openVariable, category: trans.__("Lineage") });

    const follow = (): boolean => estate.preferences.followNotebooks;
    const add = (panel: NotebookPanel): void => {
      const offer = new Offer(
        panel,
        () => follow() && notebooks.currentWidget === panel,
        trans,
        () => void app.commands.execute(commands.openVariable),
      );
      offers.set(panel, offer);
      panel.toolbar.insertItem(PLACE, "lineage", offer);
      panel.disposed.connect(() => offers.delete(panel));
      offer.expect();
    };
    notebooks.forEach(add);
    notebooks.widgetAdded.connect((_, panel) => add(panel));
    notebooks.currentChanged.connect(() => current()?.expect());
    NotebookActions.executed.connect((_, { notebook }) => {
      for (const [panel, offer] of offers) if (panel.content === notebook) offer.expect();
    });
    let followed = follow();
    estate.changed.connect(() => {
      if (followed === follow()) return;
      followed = follow();
      if (followed) current()?.expect();
      else for (const offer of offers.values()) offer.forget();
    });

    // Before the notebook itself takes what is dropped: only now it is known which notebook that is.
    document.addEventListener(
      "lm-drop",
      (event) => {
        if (!(event instanceof Drag.Event)) return;
        const { target } = event;
        const panel = notebooks.find(({ node }) => target instanceof Node && node.contains(target));
        if (panel !== undefined) refit(event.mimeData, panel.context.path, estate);
      },
      true,
    );
  },
};

export default plugin;
