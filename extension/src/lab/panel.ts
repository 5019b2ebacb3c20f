/** The left panel: which store, what is in it, and a search over all of it. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { refreshIcon, type LabIcon } from "@jupyterlab/ui-components";
import { Signal } from "@lumino/signaling";
import { PanelLayout, Widget } from "@lumino/widgets";

import { Asking } from "../view/asking.js";
import { html, svg } from "../view/dom.js";
import { inlineMark, kindSign } from "../view/marks.js";
import { clean, words } from "../view/text.js";
import { Branch, type Entry } from "./branches.js";
import { dragged, startDrag } from "./cell.js";
import { message } from "./http.js";
import { lineageIcon } from "./icons.js";
import { everything, fixed, foundEntry } from "./listing.js";
import { notice } from "./notice.js";
import { commands, IEstate, IExplorer } from "./tokens.js";
import { TreeView } from "./tree.js";
import { Verdicts } from "./verdicts.js";

/** Milliseconds between a key and the question. */
const PAUSE = 120;
/** As many as the server gives. */
const MOST_FOUND = 200;

class Panel extends Widget {
  /** An entry was chosen. */
  readonly chosen = new Signal<this, Entry>(this);
  private readonly stores: HTMLSelectElement;
  private readonly search: HTMLInputElement;
  private readonly status = html("p", { class: "lx-lab-status", role: "status" });
  private readonly message = new Widget({ node: html("div", { class: "lx-lab-message" }) });
  private readonly tree: TreeView;
  private readonly verdicts: Verdicts;
  private whole: Branch | null = null;
  private shown = "";
  private readonly asking = new Asking();

  constructor(
    private readonly estate: IEstate,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass("lx-lab-panel");
    this.addClass("lx-lab");
    this.stores = html("select", { class: "lx-lab-stores", "aria-label": trans.__("Store") });
    this.stores.addEventListener("change", () => void estate.choose(this.stores.value));
    const refresh = this.button(refreshIcon, trans.__("Read the stores again"), () => {
      this.shown = "";
      void estate.refresh();
    });
    this.search = html("input", { type: "search", class: "lx-lab-search", placeholder: trans.__("Search the whole store…"), "aria-label": trans.__("Search the whole store"), spellcheck: "false" });
    this.search.addEventListener("input", () => void this.find(PAUSE));
    this.search.addEventListener("keydown", (event) => this.searchKey(event));
    this.verdicts = new Verdicts(estate);
    this.tree = new TreeView(trans.__("What is in the store"), {
      decorate: (entry, row) => this.decorate(entry, row),
      look: ({ kind, ref }) => (kind === "endpoint" ? JSON.stringify(this.verdicts.of(ref) ?? null) : ""),
      note: (branch) =>
        branch.problem !== null ? trans.__("%1 (Enter or a click tries again)", message(branch.problem)) : branch.total === 0 ? trans.__("Nothing on record") : trans.__("Reading…"),
      activate: (entry) => this.chosen.emit(entry),
      grip: (entry, event) => this.grip(entry, event),
    });
    this.verdicts.changed.connect(() => this.tree.redraw());
    this.tree.seen.connect((_, entries) => this.verdicts.want(entries));
    const layout = new PanelLayout();
    this.layout = layout;
    const head = html("div", { class: "lx-lab-head" }, html("div", { class: "lx-lab-chooser" }, this.stores, refresh), this.search, this.status);
    layout.addWidget(new Widget({ node: head }));
    layout.addWidget(this.message);
    layout.addWidget(this.tree);
    estate.changed.connect(() => this.update_());
    this.update_();
  }

  focusSearch(): void {
    this.search.focus();
    this.search.select();
  }

  protected override onActivateRequest(): void {
    this.focusSearch();
  }

  private button(icon: LabIcon, label: string, run: () => void): HTMLElement {
    const button = html("button", { type: "button", class: "lx-lab-button", title: label, "aria-label": label });
    icon.element({ container: button, tag: "span" });
    button.addEventListener("click", run);
    return button;
  }

  private update_(): void {
    const { estate } = this;
    this.addClass(estate.preferences.badges === "plain" ? "lx-lab-plain" : "lx-lab-colour");
    this.removeClass(estate.preferences.badges === "plain" ? "lx-lab-colour" : "lx-lab-plain");
    this.stores.replaceChildren(...estate.stores.map(({ name, problem }) => html("option", { value: name, selected: name === estate.current }, problem === null ? clean(name) : this.trans.__("%1 (cannot be read)", clean(name)))));
    this.stores.disabled = estate.stores.length === 0;
    const store = estate.stores.find(({ name }) => name === estate.current);
    this.stores.title = store ? clean(store.name) : "";
    const problem = estate.problem?.message ?? store?.problem ?? null;
    if (problem !== null) this.say(this.trans.__("Lineage cannot be read"), problem, true);
    else if (store === undefined) this.sayEmpty();
    else this.list(store.name, store.entries);
  }

  /** Lists a store, unless it is listed already as it is now. */
  private list(store: string, entries: number | null): void {
    this.message.hide();
    this.tree.show();
    this.search.disabled = false;
    const now = JSON.stringify([store, entries, this.estate.preferences.policy]);
    if (now === this.shown) return;
    this.shown = now;
    this.verdicts.reset(store);
    this.whole = new Branch(everything(this.estate, store, this.trans));
    void this.whole.read(0).then(() => {
      // What most people came for is open.
      this.whole?.toggle(0, true);
      this.tree.redraw();
    });
    void this.find();
  }

  private sayEmpty(): void {
    const { estate, trans } = this;
    if (estate.roots.length === 0 && estate.stores.length === 0) this.say(trans.__("Looking for stores…"), "", false);
    else if (estate.stores.length > 0) this.say(trans.__("Choose a store above"), "", false);
    else
      this.say(
        trans.__("No store found"),
        trans.__("None of the files below %1 is a lineage store. In a terminal, “lineage-explorer demo demo” makes one to try, and “lineage-explorer ingest” reads your own system into one. Then try again.", clean(estate.roots.join(", "))),
        true,
      );
  }

  private say(title: string, text: string, retry: boolean): void {
    this.shown = "";
    this.tree.hide();
    this.tree.list(null);
    this.search.disabled = true;
    this.status.textContent = "";
    const again = { label: this.trans.__("Try again"), act: () => void this.estate.refresh() };
    this.message.node.replaceChildren(notice(title, text, ...(retry ? [again] : [])));
    this.message.show();
  }

  /** Lists what is called something like the text in the search field; everything when it is empty. */
  private async find(pause = 0): Promise<void> {
    const { trans } = this;
    const text = this.search.value.trim();
    if (text === "") {
      this.asking.end();
      this.status.textContent = "";
      this.tree.list(this.whole);
      return;
    }
    try {
      const found = await this.asking.put((signal) => this.estate.search(this.estate.current, text, MOST_FOUND, signal), pause);
      if (found === undefined) return;
      // What a record describes is more likely meant than what was only named.
      const items = [...found].sort((a, b) => Number(b.resolved) - Number(a.resolved)).map((one) => foundEntry(one, trans));
      const branch = new Branch(fixed(items));
      await branch.read(0);
      this.tree.list(branch);
      if (items.length === 0) this.status.textContent = trans.__("Nothing in this store is called something like that.");
      else if (items.length === MOST_FOUND) this.status.textContent = trans.__("The first %1; more letters find fewer.", String(items.length));
      else this.status.textContent = trans._n("%1 found", "%1 found", items.length, items.length);
    } catch (error) {
      this.status.textContent = message(error);
    }
  }

  private searchKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") this.tree.node.focus();
    else if (event.key === "Enter" && this.tree.entry !== null && this.search.value !== "") this.chosen.emit(this.tree.entry);
    else if (event.key === "Escape" && this.search.value !== "") {
      this.search.value = "";
      void this.find();
    } else return;
    event.preventDefault();
  }

  private decorate({ kind, ref }: Entry, row: HTMLElement): void {
    row.firstElementChild?.after(svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, class: "lx-lab-kind", ...(ref === "" ? { "aria-hidden": "true" } : { role: "img", "aria-label": words(kind) }) }, kindSign(kind)));
    const told = kind === "endpoint" && ref !== "" ? this.verdicts.of(ref) : undefined;
    if (told === undefined) return;
    const judged = "verdict" in told;
    const status = !judged ? "none" : told.verdict === "PASSED" ? "passed" : told.verdict === "FAILED" ? "failed" : "undetermined";
    const mark = inlineMark(status);
    mark.removeAttribute("aria-hidden");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", judged ? told.verdict : this.trans.__("not judged"));
    row.append(mark);
    row.title = judged ? `${told.verdict}: ${clean(told.answer)}` : clean(told.problem);
  }

  private grip({ ref, label }: Entry, event: PointerEvent): void {
    const { current: store, preferences } = this.estate;
    startDrag(event, label, () => dragged({ store, ref, policy: preferences.policy }, this.estate.python(store)), this);
  }
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:panel",
  description: "The panel on the left: stores, search and tree.",
  autoStart: true,
  requires: [IEstate, IExplorer],
  optional: [ILabShell, ILayoutRestorer, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate, explorer: IExplorer, shell: ILabShell | null, restorer: ILayoutRestorer | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const panel = new Panel(estate, trans);
    panel.id = "lineage-explorer-panel";
    panel.title.icon = lineageIcon;
    panel.title.caption = trans.__("Lineage: stores and what is in them");
    panel.node.setAttribute("role", "region");
    panel.node.setAttribute("aria-label", trans.__("Lineage"));
    panel.chosen.connect((_, { ref }) => void explorer.open(estate.current, ref));
    app.shell.add(panel, "left", { rank: 650, type: "Lineage" });
    restorer?.add(panel, panel.id);
    const show = (): void => {
      if (shell !== null) shell.activateById(panel.id);
      else app.shell.activateById(panel.id);
    };
    app.commands.addCommand(commands.openPanel, {
      label: (args) => (args.isLauncher === true ? trans.__("Lineage") : trans.__("Show Lineage")),
      caption: trans.__("Stores, and the endpoints, models and datasets in them"),
      icon: lineageIcon,
      execute: show,
    });
    app.commands.addCommand(commands.search, {
      label: trans.__("Search Lineage…"),
      icon: lineageIcon,
      execute: () => {
        show();
        panel.focusSearch();
      },
    });
  },
};

export default plugin;
