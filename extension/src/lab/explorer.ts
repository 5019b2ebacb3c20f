/** The tabs with answers in them: opened, kept apart, restored after a reload. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { MainAreaWidget, WidgetTracker, type IWidgetTracker } from "@jupyterlab/apputils";
import { ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation";
import { addIcon, refreshIcon, Toolbar, type LabIcon } from "@jupyterlab/ui-components";
import { UUID } from "@lumino/coreutils";
import { Signal, type ISignal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import type { Audit } from "../view/audit.js";
import { html } from "../view/dom.js";
import { clean, shortName } from "../view/text.js";
import { asked, pointing } from "./about.js";
import { Answer } from "./answer.js";
import { code, dragged, isEndpoint, startDrag } from "./cell.js";
import { lineageIcon } from "./icons.js";
import { SavedAudit } from "./saved.js";
import { commands, IEstate, IExplorer, type Question } from "./tokens.js";

const EMPTY: Question = { store: "", ref: "", as_of: "", known_at: "", policy: "", selected: "", direction: "both", query: "" };

type Tab = MainAreaWidget<Answer | SavedAudit>;

class Explorer implements IExplorer {
  readonly tabs = new WidgetTracker<Tab>({ namespace: "lineage-explorer" });
  private readonly signal = new Signal<IExplorer, void>(this);
  private readonly pointing: () => string | undefined;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly estate: IEstate,
    private readonly trans: TranslationBundle,
    /** Notebook 7 has one thing in its main area; beside it is room. */
    private readonly area: "main" | "right",
  ) {
    this.pointing = pointing(app);
    this.tabs.currentChanged.connect(() => this.signal.emit());
  }

  get tracker(): IWidgetTracker<MainAreaWidget> {
    return this.tabs;
  }

  get current(): Question | null {
    const { currentWidget: tab } = this.tabs;
    return tab !== null && tab.content instanceof Answer && (this.area === "right" || tab === this.app.shell.currentWidget) ? tab.content.answered : null;
  }

  get pointed(): string | undefined {
    return this.pointing();
  }

  get changed(): ISignal<IExplorer, void> {
    return this.signal;
  }

  code(asked: Partial<Question> & Pick<Question, "store" | "ref">): string {
    return code(asked, this.estate.python(asked.store));
  }

  async open(store: string, ref: string, { id, another, ...state }: Partial<Question> & { id?: string; another?: boolean } = {}): Promise<MainAreaWidget> {
    const same = another ? undefined : this.tabs.find(({ content }) => content instanceof Answer && content.question.store === store && content.question.ref === ref);
    if (same !== undefined && same.content instanceof Answer) {
      if (Object.keys(state).length > 0) same.content.set(state);
      this.app.shell.activateById(same.id);
      return same;
    }
    const question = { ...EMPTY, ...state, store, ref };
    const content = new Answer(this.estate, question, this.trans);
    const tab: Tab = new MainAreaWidget<Answer | SavedAudit>({ content, toolbar: this.toolbar(content) });
    tab.id = id ?? `lineage-explorer-${UUID.uuid4()}`;
    content.traced.connect((_, { ref: other, as_of }) => void this.open(store, other, { as_of }));
    content.changed.connect(() => {
      void this.tabs.save(tab);
      this.signal.emit();
    });
    await this.tabs.add(tab);
    this.show(tab);
    return tab;
  }

  openAudit(audit: Audit, title: string, id: string): Promise<MainAreaWidget> {
    const name = `lineage-explorer-audit-${id}`;
    const same = this.tabs.find((tab) => tab.id === name);
    const content = same?.content ?? new SavedAudit({ trans: this.trans, badges: this.estate.preferences.badges });
    if (content instanceof SavedAudit) content.present(audit);
    if (same !== undefined) {
      this.app.shell.activateById(name);
      return Promise.resolve(same);
    }
    const tab: Tab = new MainAreaWidget<Answer | SavedAudit>({ content });
    tab.id = name;
    tab.title.label = clean(title);
    tab.title.icon = lineageIcon;
    // What it shows is nowhere but here: it cannot be restored.
    void this.tabs.inject(tab);
    this.show(tab);
    return Promise.resolve(tab);
  }

  private show(tab: Tab): void {
    this.app.shell.add(tab, this.area, { type: "Lineage" });
    this.app.shell.activateById(tab.id);
  }

  private toolbar(answer: Answer): Toolbar {
    const { trans, estate } = this;
    const { ref, store } = answer.question;
    const bar = new Toolbar();
    bar.addClass("lx-lab-toolbar");
    bar.node.setAttribute("aria-label", trans.__("Lineage of %1", shortName(ref)));
    const button = (name: string, icon: LabIcon, label: string, title: string, run: () => void): void => {
      const element = html("button", { type: "button", class: "lx-lab-button", title, "aria-label": label === "" ? title : null });
      icon.element({ container: element, tag: "span" });
      if (label !== "") element.append(label);
      element.addEventListener("click", run);
      bar.addItem(name, new Widget({ node: html("div", {}, element) }));
    };
    button("reload", refreshIcon, "", trans.__("Ask the store again"), () => void answer.load());
    const inserted = trans.__("Puts the cell that makes this view again into the notebook that was last in use");
    button("insert", addIcon, trans.__("Insert into notebook"), inserted, () => void this.app.commands.execute(commands.insertCell, { ...answer.answered }));
    const grip = html("span", { class: "lx-lab-grip", title: trans.__("Drag into a notebook: becomes the cell that makes this view again") }, "⠿");
    grip.addEventListener("pointerdown", (event) => {
      if (event.button === 0) startDrag(event, shortName(ref), () => dragged(answer.answered, estate.python(store)), answer);
    });
    bar.addItem("drag", new Widget({ node: grip }));
    bar.addItem("space", Toolbar.createSpacerItem());
    if (isEndpoint(ref)) bar.addItem("policy", this.policies(answer));
    return bar;
  }

  /** Which policy judges; nothing to choose while there is one. */
  private policies(answer: Answer): Widget {
    const { trans, estate } = this;
    const select = html("select", { class: "lx-lab-policies", "aria-label": trans.__("Policy") });
    select.addEventListener("change", () => answer.set({ policy: select.value }));
    const item = new Widget({ node: html("div", { class: "lx-lab-policy" }, html("span", { "aria-hidden": "true" }, trans.__("Policy")), select) });
    const fill = (): void => {
      const chosen = answer.question.policy || estate.preferences.policy || "default";
      select.replaceChildren(...estate.policies.map((name) => html("option", { value: name, selected: name === chosen }, clean(name))));
      item.setHidden(estate.policies.length < 2);
    };
    fill();
    estate.changed.connect(fill);
    item.disposed.connect(() => estate.changed.disconnect(fill));
    return item;
  }
}

const plugin: JupyterFrontEndPlugin<IExplorer> = {
  id: "lineage-explorer:explorer",
  description: "Tabs that show what a store knows of a reference.",
  autoStart: true,
  provides: IExplorer,
  requires: [IEstate],
  optional: [ILabShell, ILayoutRestorer, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate, shell: ILabShell | null, restorer: ILayoutRestorer | null, translator: ITranslator | null): IExplorer => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const explorer = new Explorer(app, estate, trans, shell === null ? "right" : "main");
    app.commands.addCommand(commands.open, {
      label: (args) => (args.another === true ? trans.__("Open in Another Tab") : trans.__("Open Lineage")),
      icon: lineageIcon,
      execute: (args) => {
        const { store = estate.current, ref = explorer.pointed, ...state } = asked(args);
        if (typeof ref === "string" && ref !== "") return explorer.open(store, ref, state);
        return app.commands.execute(commands.search);
      },
    });
    void restorer?.restore(explorer.tabs, {
      command: commands.open,
      args: ({ id, content }) => (content instanceof Answer ? { ...content.question, id } : {}),
      name: ({ id }) => id,
    });
    return explorer;
  },
};

export default plugin;
