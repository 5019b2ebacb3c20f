/** A store's file, opened: connected to the panel, and listed by its endpoints. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { TranslationBundle } from "@jupyterlab/translation";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import { html } from "../view/dom.js";
import { inlineMark } from "../view/marks.js";
import { clean, words } from "../view/text.js";
import { message } from "./http.js";
import { headings } from "./listing.js";
import { notice } from "./notice.js";
import { commands, type IEstate, type IExplorer, type Judgement, type Page, type Thing } from "./tokens.js";

/** Endpoints that are listed with their verdicts: as many as the server judges at once. The panel has all of them. */
const MOST = 50;

export interface Connecting {
  app: JupyterFrontEnd;
  estate: IEstate;
  explorer: IExplorer;
  store: string;
}

/**
 * Uses a store from now on: its panel comes to the front, and with one endpoint that endpoint. Rejects when it is no
 * store. Gives what there is to choose from, null when there was nothing to choose.
 */
export async function connect({ app, estate, explorer, store }: Connecting): Promise<Page<Thing> | null> {
  const endpoints = await estate.things(store, "endpoint", 0, MOST);
  await estate.choose(store);
  // Notebook 7 has no panel.
  if (app.commands.hasCommand(commands.openPanel)) await app.commands.execute(commands.openPanel);
  const [only] = endpoints.items;
  if (endpoints.total !== 1 || only === undefined) return endpoints;
  await explorer.open(store, only.ref);
  return null;
}

export interface PageOptions extends Omit<Connecting, "store"> {
  trans: TranslationBundle;
  /** The store's name; null when the file is on a drive that the server cannot read. */
  store: string | null;
  /** Whether somebody just asked for it, so that more than this page may come to the front. */
  front: boolean;
}

export class StorePage extends Widget {
  /** All that there is to see was opened elsewhere. */
  readonly settled = new Signal<this, void>(this);

  constructor(private readonly options: PageOptions) {
    super();
    this.addClass("lx-lab");
    this.addClass("lx-lab-store");
    void this.open();
  }

  private async open(): Promise<void> {
    const { estate, trans, store, front } = this.options;
    if (store === null) {
      this.node.replaceChildren(notice(trans.__("This store cannot be opened"), trans.__("It is on a drive of its own. Stores are read where the Jupyter server runs: copy the file there.")));
      return;
    }
    this.node.replaceChildren(html("p", { class: "lx-lab-brief", role: "status" }, trans.__("Opening %1…", clean(store))));
    try {
      const endpoints = front ? await connect({ ...this.options, store }) : await estate.things(store, "endpoint", 0, MOST);
      if (endpoints === null) {
        this.settled.emit();
        return;
      }
      const { kinds } = await estate.kinds(store);
      if (this.isDisposed) return;
      this.list(store, kinds, endpoints);
      if (endpoints.items.length > 0) this.judge(await estate.verdicts(store, endpoints.items.map(({ ref }) => ref)));
    } catch (error) {
      if (this.isDisposed) return;
      const again = { label: trans.__("Try again"), act: () => void this.open() };
      this.node.replaceChildren(notice(trans.__("%1 cannot be opened as a lineage store", clean(store)), message(error), again));
    }
  }

  private async look(ref: string): Promise<void> {
    const { explorer, store, trans } = this.options;
    const tab = await explorer.open(store ?? "", ref);
    if (tab.isAttached) return;
    // Notebook 7 shows one thing in a window, and this page is it.
    const back = html("button", { type: "button", class: "jp-mod-styled" }, trans.__("Back to the store"));
    back.addEventListener("click", () => {
      tab.dispose();
      void this.open();
    });
    this.node.replaceChildren(back);
    Widget.attach(tab, this.node);
    this.disposed.connect(() => tab.dispose());
  }

  private list(store: string, kinds: { [kind: string]: number }, { items, total }: Page<Thing>): void {
    const { trans } = this.options;
    const names = headings(trans);
    const holds = Object.entries(kinds)
      .map(([kind, count]) => ({ title: names[kind] ?? words(kind), count }))
      .sort((a, b) => a.title.localeCompare(b.title))
      .map(({ title, count }) => html("li", {}, `${title} `, html("strong", {}, count.toLocaleString())));
    const rows = items.map(({ ref, name }) => {
      const button = html("button", { type: "button", "data-ref": ref }, html("span", {}, clean(name)), html("span", { class: "lx-lab-verdict" }, trans.__("asking…")));
      button.addEventListener("click", () => void this.look(ref));
      return html("li", {}, button);
    });
    this.node.replaceChildren(
      html("h2", {}, clean(store)),
      html("p", {}, trans.__("A lineage store. The Lineage panel lists and searches everything that is in it.")),
      html("h3", {}, trans.__("Endpoints")),
      ...(rows.length === 0
        ? [html("p", {}, trans.__("None yet: nothing in this store says what serves. “Read a Source into a Lineage Store” in the command palette adds to it."))]
        : [html("ul", { class: "lx-lab-endpoints" }, ...rows)]),
      ...(total > rows.length ? [html("p", {}, trans.__("%1 more are in the panel.", (total - rows.length).toLocaleString()))] : []),
      html("h3", {}, trans.__("What it holds")),
      html("ul", { class: "lx-lab-holds" }, ...holds),
    );
  }

  private judge(verdicts: { [ref: string]: Judgement }): void {
    const { trans, estate } = this.options;
    const plain = estate.preferences.badges === "plain";
    this.node.classList.add(plain ? "lx-lab-plain" : "lx-lab-colour");
    for (const button of this.node.querySelectorAll<HTMLElement>("[data-ref]")) {
      const told = verdicts[button.dataset.ref ?? ""];
      const said = button.querySelector(".lx-lab-verdict");
      if (said === null || told === undefined) continue;
      const judged = "verdict" in told;
      const status = !judged ? "none" : told.verdict === "PASSED" ? "passed" : told.verdict === "FAILED" ? "failed" : "undetermined";
      said.replaceChildren(inlineMark(status), ` ${judged ? told.verdict : trans.__("not judged")}`);
      button.title = clean(judged ? told.answer : told.problem);
    }
  }
}
