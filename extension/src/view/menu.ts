/** What a reader can take along from a view. */

import { problem } from "./asking.js";
import { html } from "./dom.js";
import { Popover } from "./popover.js";
import { csv, download, fileName, png, savedLink } from "./saving.js";
import type { Audit } from "./audit.js";
import { answerText } from "./heading.js";
import { instant } from "./text.js";
import { verdictWords } from "./wording.js";

export interface Takeable {
  /** As it was answered, without what was joined to it since. */
  audit(): Audit;
  svgText(): string;
  /** The table that is open, or the nearest to it. */
  table(): { title: string; rows: string[][] };
  python(): void;
  copy(text: string, what: string): void;
  tell(text: string, problem?: boolean): void;
}

/** The menu, and what each of its lines does. */
export function saveMenu(id: string, from: Takeable): Popover {
  const popover: Popover = new Popover(id, "Save", () => {
    const { question, verdict, digest } = from.audit();
    const name = (ending: string): string => fileName(question.endpoint, ending);
    const put = (file: string, type: string, content: string | Blob, more = ""): void => {
      download(file, typeof content === "string" ? new Blob([content], { type }) : content, popover.element);
      from.tell(`Saved ${file}${more}`);
    };
    const act = (label: string, run: () => void | Promise<void>): HTMLElement => {
      const button = html("button", { type: "button", class: "lx-line-button" }, label);
      button.addEventListener("click", () => {
        popover.close(true);
        Promise.resolve()
          .then(run)
          .catch((error: unknown) => from.tell(`Not saved: ${problem(error)}`, true));
      });
      return button;
    };
    const { title } = from.table();
    return [
      act("Drawing as SVG", () => put(name("svg"), "image/svg+xml", from.svgText())),
      act("Drawing as PNG", async () => {
        const { picture, scale } = await png(from.svgText());
        put(name("png"), "image/png", picture, scale < 1 ? "; it is large, and SVG shows more of it" : "");
      }),
      act(`Table “${title}” as CSV`, () => {
        const { rows } = from.table();
        put(name(`${title.toLowerCase()}.csv`), "text/csv;charset=utf-8", csv(rows), `: ${rows.length - 1} rows, as they are filtered`);
      }),
      act(verdict === null ? "What is shown, as JSON" : "Audit as JSON", () => put(name("lineage.json"), "application/json", `${JSON.stringify(from.audit(), null, 2)}\n`)),
      ...(verdict === null
        ? []
        : [
            act("Copy a link to the saved audit", () =>
              from.copy(savedLink(`${question.endpoint} as of ${instant(question.as_of)}: ${verdictWords(verdict, question.policy)} (${digest})`, name("lineage.json")), "link"),
            ),
            act("Copy the answer", () => from.copy(answerText(from.audit()), "answer")),
            act("Copy the digest", () => from.copy(digest, "digest")),
          ]),
      act("Copy as Python", () => from.python()),
    ];
  });
  return popover;
}
