/** Files that open with a double click: a saved audit as its trace, a store as what it holds. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { WidgetTracker } from "@jupyterlab/apputils";
import { ABCWidgetFactory, DocumentModel, DocumentWidget, TextModelFactory, type DocumentRegistry } from "@jupyterlab/docregistry";
import type { Contents } from "@jupyterlab/services";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { Debouncer } from "@lumino/polling";

import { lineageIcon } from "./icons.js";
import { AUDIT_MIME, parseAudit, SavedAudit } from "./saved.js";
import { StorePage } from "./store-page.js";
import { IEstate, IExplorer } from "./tokens.js";

/** Names of the file types and of what opens them; people see the labels. */
const AUDIT = "lineage-audit";
const STORE = "lineage-store";
/** Names that say that a file is a store; the server says whether that is true. */
const STORE_FILES = String.raw`(^|\.)lineage\.(db|sqlite)$`;
/** Milliseconds for which an open file has to be left alone before it is read again. */
const REST = 300;

/** Opens saved audits, read-only. */
class AuditFactory extends ABCWidgetFactory<DocumentWidget<SavedAudit>> {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly trans: TranslationBundle,
    private readonly badges: () => "colour" | "plain",
  ) {
    super({ name: AUDIT, label: trans.__("Lineage"), fileTypes: [AUDIT, "json"], defaultFor: [AUDIT], readOnly: true });
  }

  protected createNewWidget(context: DocumentRegistry.Context): DocumentWidget<SavedAudit> {
    const { app, trans } = this;
    const content = new SavedAudit({ trans, badges: this.badges() });
    content.title.icon = lineageIcon;
    const asText = { label: trans.__("Open as text"), act: () => void app.commands.execute("docmanager:open", { path: context.path, factory: "Editor" }) };
    const read = (): void => {
      if (content.isDisposed) return;
      try {
        content.present(parseAudit(context.model.toString(), trans));
      } catch (error) {
        content.tell(trans.__("%1 cannot be shown as lineage", context.localPath), error instanceof Error ? error.message : String(error), asText);
      }
    };
    const soon = new Debouncer(read, REST);
    void context.ready.then(() => {
      read();
      context.model.contentChanged.connect(() => void soon.invoke());
    });
    content.disposed.connect(() => soon.dispose());
    return bare(new DocumentWidget({ content, context }));
  }
}

/**
 * What JupyterLab holds of a store's file: nothing. A store can be larger than a browser's memory, and only the
 * server reads it.
 */
class UnreadModel extends DocumentModel {
  /** Says that somebody else saves it. Otherwise JupyterLab would copy the whole file as a checkpoint. */
  override get collaborative(): boolean {
    return true;
  }
}

class UnreadFactory extends TextModelFactory {
  constructor() {
    super(false);
  }

  override get name(): string {
    return STORE;
  }

  /** Without a format, only the file's name and date are asked for. */
  override get fileFormat(): Contents.FileFormat {
    return null;
  }

  override createNew(options: DocumentRegistry.IModelOptions<DocumentModel["sharedModel"]> = {}): DocumentModel {
    return new UnreadModel(options);
  }
}

class StoreFactory extends ABCWidgetFactory<DocumentWidget<StorePage>, DocumentRegistry.ICodeModel> {
  constructor(
    private readonly page: (path: string) => StorePage,
    trans: TranslationBundle,
  ) {
    super({ name: STORE, label: trans.__("Lineage store"), modelName: STORE, fileTypes: [STORE], defaultFor: [STORE], readOnly: true });
  }

  protected createNewWidget(context: DocumentRegistry.CodeContext): DocumentWidget<StorePage> {
    const content = this.page(context.path);
    const widget = new DocumentWidget<StorePage, DocumentRegistry.ICodeModel>({ content, context });
    content.title.icon = lineageIcon;
    // The answer is shown elsewhere, and this page would only repeat its name.
    content.settled.connect(() => widget.close());
    return bare(widget);
  }
}

/** Without the bar for tools, as there are none. */
function bare<W extends DocumentWidget>(widget: W): W {
  widget.toolbar.hide();
  return widget;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:files",
  description: "Opens saved audits and stores from the file browser.",
  autoStart: true,
  optional: [IEstate, IExplorer, ILayoutRestorer, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate | null, explorer: IExplorer | null, restorer: ILayoutRestorer | null, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const { docRegistry, serviceManager } = app;
    const tracked = (name: string, factory: ABCWidgetFactory<DocumentWidget>): void => {
      const tracker = new WidgetTracker<DocumentWidget>({ namespace: name });
      factory.widgetCreated.connect((_, widget) => {
        void tracker.add(widget);
        widget.context.pathChanged.connect(() => void tracker.save(widget));
      });
      // The types of the class and of what is asked for here differ in an optional `undefined`; the values do not.
      docRegistry.addWidgetFactory(factory as DocumentRegistry.WidgetFactory);
      void restorer?.restore(tracker, {
        command: "docmanager:open",
        args: ({ context }) => ({ path: context.path, factory: name }),
        name: ({ context }) => context.path,
      });
    };
    docRegistry.addFileType({
      name: AUDIT,
      displayName: trans.__("Saved audit"),
      extensions: [".lineage.json"],
      mimeTypes: [AUDIT_MIME],
      fileFormat: "text",
      icon: lineageIcon,
    });
    tracked(AUDIT, new AuditFactory(app, trans, () => estate?.preferences.badges ?? "colour"));
    if (estate === null || explorer === null) return;
    docRegistry.addFileType({
      name: STORE,
      displayName: trans.__("Lineage store"),
      extensions: [],
      pattern: STORE_FILES,
      mimeTypes: ["application/vnd.sqlite3"],
      fileFormat: null,
      icon: lineageIcon,
    });
    docRegistry.addModelFactory(new UnreadFactory());
    // A page that comes back with the layout brings nothing to the front.
    let restored = false;
    void app.restored.then(() => (restored = true));
    const { contents } = serviceManager;
    const store = (path: string): string | null => (["", "RTC"].includes(contents.driveName(path)) ? contents.localPath(path) : null);
    tracked(STORE, new StoreFactory((path) => new StorePage({ app, estate, explorer, trans, store: store(path), front: restored }), trans));
  },
};

export default plugin;
