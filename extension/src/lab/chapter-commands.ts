/** The commands that open a chapter: history, impact, comparison, and where an endpoint could go back to. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, InputDialog } from "@jupyterlab/apputils";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";

import { shortName } from "../view/text.js";
import type { Wanted } from "../view/transport.js";
import { subject } from "./about.js";
import { isEndpoint } from "./cell.js";
import { message } from "./http.js";
import { commands, IEstate, IExplorer, type Question } from "./tokens.js";

/** What comes in versions and serves. */
const VERSIONED = /^(model|ai_agent|logged_model):/u;
/** As many as a chooser offers. */
const MOST = 200;

type Subject = Partial<Question> & Pick<Question, "store" | "ref">;

const plugin: JupyterFrontEndPlugin<void> = {
  id: "lineage-explorer:chapters",
  description: "Histories, comparisons and impacts from the panel and the palette.",
  autoStart: true,
  requires: [IEstate, IExplorer],
  optional: [ICommandPalette, ITranslator],
  activate: (app: JupyterFrontEnd, estate: IEstate, explorer: IExplorer, palette: ICommandPalette | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const about = subject(estate, explorer);
    const add = (command: string, label: string, suits: (ref: string) => boolean, wanted: (asked: Subject) => Wanted | null | Promise<Wanted | null>): void => {
      const suited = (args: { readonly [name: string]: unknown }): Subject | null => {
        const found = about(args);
        return found !== null && suits(found.ref) ? found : null;
      };
      app.commands.addCommand(command, {
        label,
        isEnabled: (args) => suited(args) !== null,
        isVisible: (args) => explorer.pointed === undefined || suited(args) !== null,
        execute: async (args) => {
          const asked = suited(args);
          if (asked === null) return;
          const chapter = await wanted(asked);
          if (chapter !== null) await explorer.open(asked.store, asked.ref, { chapter });
        },
      });
      palette?.addItem({ command, category: trans.__("Lineage") });
    };
    const when = ({ as_of = "", known_at = "" }: Subject): { as_of: string; known_at: string } => ({ as_of, known_at });

    add(commands.history, trans.__("All Versions"), (ref) => VERSIONED.test(ref), (asked) => ({ chapter: "history", ref: asked.ref, ...when(asked) }));
    add(commands.impact, trans.__("What Does It Reach?"), () => true, (asked) => ({ chapter: "impact", ref: asked.ref, ...when(asked) }));
    add(commands.rollback, trans.__("Where Could It Go Back To?"), isEndpoint, (asked) => ({ chapter: "rollback", endpoint: asked.ref, ...when(asked), policy: asked.policy ?? "" }));
    add(commands.compare, trans.__("Compare with…"), (ref) => isEndpoint(ref) || (VERSIONED.test(ref) && ref.includes("@")), async (asked) => {
      const { ref, as_of = "", known_at = "", policy = "" } = asked;
      const others = await candidates(estate, asked);
      const { value } = await InputDialog.getItem({
        title: trans.__("Compare %1 with", shortName(ref)),
        label: trans.__("One of these, or any reference; with @@ and an instant (2026-10-03T00:00:00Z) as it was then"),
        items: others,
        editable: true,
        okLabel: trans.__("Compare"),
      });
      if (value === null || value.trim() === "") return null;
      return { chapter: "comparison", a: as_of === "" ? ref : `${ref}@@${as_of}`, b: value.trim(), known_at, policy };
    });
  },
};

/** What something is compared with most often: other endpoints, other versions of the same name. */
async function candidates(estate: IEstate, { store, ref }: Subject): Promise<string[]> {
  try {
    if (isEndpoint(ref)) {
      const { items } = await estate.things(store, "endpoint", 0, MOST);
      return items.map((item) => item.ref).filter((other) => other !== ref);
    }
    const name = ref.split("@")[0] ?? ref;
    const found = await estate.search(store, shortName(name), MOST);
    return found.map((item) => item.ref).filter((other) => other !== ref && other.startsWith(`${name}@`));
  } catch (error) {
    // A reference can still be typed.
    console.warn(`lineage-explorer: nothing to choose from: ${message(error)}`);
    return [];
  }
}

export default plugin;
