/** The commands that need more of JupyterLab than a panel and tabs: notebooks, clipboard, palette, launcher. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Clipboard, ICommandPalette, InputDialog, Notification } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker, NotebookActions, NotebookPanel } from "@jupyterlab/notebook";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";

import { asked, subject } from "./about.js";
import { code, storeFrom } from "./cell.js";
import { commands, IEstate, IExplorer, type Question } from "./tokens.js";

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:commands",
  description: "Lineage in the palette, the launcher and notebooks.",
  autoStart: true,
  requires: [IEstate, IExplorer],
  optional: [ICommandPalette, ILauncher, INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    estate: IEstate,
    explorer: IExplorer,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const about = subject(estate, explorer);
    const isAbout = (args: { readonly [name: string]: unknown }): boolean => about(args) !== null;

    app.commands.addCommand(commands.insertCell, {
      label: trans.__("Insert into Notebook"),
      caption: trans.__("Insert the cell that makes this view again"),
      isEnabled: isAbout,
      execute: async (args) => {
        const question = about(args);
        if (question === null) return;
        // Without a notebook there is a new one, with the kernel that JupyterLab would start.
        const made: unknown = notebooks?.currentWidget ?? (await app.commands.execute("notebook:create-new", { kernelName: app.serviceManager.kernelspecs.specs?.default ?? "" }));
        if (!(made instanceof NotebookPanel)) return;
        await made.context.ready;
        await made.revealed;
        const store = storeFrom(made.context.path, question.store, estate.python(question.store));
        insert(made, code(question, store).trimEnd());
        app.shell.activateById(made.id);
      },
    });
    const copy = (command: string, label: string, said: string, text: (question: Pick<Question, "store" | "ref">) => string): void => {
      app.commands.addCommand(command, {
        label,
        isEnabled: isAbout,
        execute: (args) => {
          const question = about(args);
          if (question === null) return;
          Clipboard.copyToSystem(text(question));
          Notification.success(said, { autoClose: 2000 });
        },
      });
    };
    copy(commands.copyPython, trans.__("Copy as Python"), trans.__("Copied the Python that makes this view again"), (question) => explorer.code(question));
    copy(commands.copyReference, trans.__("Copy Reference"), trans.__("Copied the reference"), ({ ref }) => ref);

    app.commands.addCommand(commands.refresh, {
      label: trans.__("Read Lineage Stores Again"),
      execute: () => estate.refresh(),
    });
    app.commands.addCommand(commands.connect, {
      label: trans.__("Choose a Lineage Store…"),
      execute: async (args) => {
        const given = asked(args).store ?? (await ask());
        if (given === undefined || given === null || given === "") return;
        await estate.choose(given);
        await app.commands.execute(commands.openPanel);
      },
    });
    const ask = async (): Promise<string | null> => {
      const items = estate.stores.map(({ name }) => name);
      const { value } = await InputDialog.getItem({
        title: trans.__("Choose a lineage store"),
        label: trans.__("One of those that were found or configured, or a path below the server's folder"),
        items,
        current: Math.max(0, items.indexOf(estate.current)),
        editable: true,
        okLabel: trans.__("Open"),
      });
      return value;
    };

    const category = trans.__("Lineage");
    for (const command of [commands.openPanel, commands.search, commands.connect, commands.refresh, commands.insertCell, commands.copyPython, commands.copyReference])
      palette?.addItem({ command, category });
    launcher?.add({ command: commands.openPanel, args: { isLauncher: true }, category: trans.__("Other"), rank: 5 });
  },
};

/** Into the active cell when that is empty, else below it. */
function insert(panel: NotebookPanel, source: string): void {
  const notebook = panel.content;
  const active = notebook.activeCell;
  if (active === null || active.model.type !== "code" || active.model.sharedModel.getSource().trim() !== "") NotebookActions.insertBelow(notebook);
  notebook.activeCell?.model.sharedModel.setSource(source);
}

export default plugin;
