/** A view as the Python that makes it again. */

import type { Audit } from "./audit.js";
import type { ViewState } from "./transport.js";

/** Anything but letters, numbers and plain signs is escaped: nothing ends the literal, and nothing in it is unseen. */
const UNSAFE = /[^\p{L}\p{M}\p{N} !#-[\]-~]/gu;

/** A text as a Python literal. */
export function literal(text: string): string {
  const inner = text.replace(UNSAFE, (char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    if (char === "\n") return "\\n";
    const code = char.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${inner}"`;
}

const PLACEHOLDER = 'open_store("…")  # put here where your store is';

/** Asks a view's question again, at the same instants; shows it with the same selection. What is empty keeps its default. */
export function python({ question, verdict }: Pick<Audit, "question" | "verdict">, store: string, state: Partial<ViewState> = {}): string {
  const opened = store.trim() === "" || /[\r\n]/u.test(store) ? PLACEHOLDER : store;
  const judged = verdict !== null;
  const { candidate } = question;
  const how = !judged ? "Explorer" : candidate ? "gate" : "audit";
  const given = { as_of: question.as_of, known_at: question.known_at, ...(judged ? { policy: question.policy.name, policy_as_of: how === "audit" ? (question.policy.judged_as_of ?? "") : "" } : {}) };
  const call = [
    `${judged ? "answer" : "view"} = ${how}(`,
    "    store,",
    `    ${literal(candidate || question.endpoint)},`,
    ...(how === "gate" ? [`    endpoint=${literal(question.endpoint)},`] : []),
    ...Object.entries(given).flatMap(([name, value]) => (value === "" ? [] : [`    ${name}=${literal(value)},`])),
    ")",
  ];
  const chosen = [
    ...(state.selected ? [`view.selected = ${literal(state.selected)}`] : []),
    ...(state.query ? [`view.query = ${literal(state.query)}`] : []),
  ];
  const shown = judged ? (chosen.length === 0 ? ["answer"] : ["view = answer.widget()", ...chosen, "view"]) : [...chosen, "view"];
  return [`from lineage_explorer import ${how}, open_store`, "", `store = ${opened}`, ...call, ...shown, ""].join("\n");
}
