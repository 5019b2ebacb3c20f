/** What a Python kernel's variables hold of lineage: asked without a trace in the notebook or the kernel. */

import type { KernelMessage } from "@jupyterlab/services";

import { literal } from "../view/code.js";
import { isObject } from "./saved.js";

/** The part of a kernel that is needed to ask it. */
export interface Asking {
  requestExecute(request: KernelMessage.IExecuteRequestMsg["content"]): { done: Promise<{ content: object }> };
}

export interface Variable {
  name: string;
  kind: "audit" | "store" | "explorer";
  /** The endpoint, or whatever an explorer shows; of a store, its file's path from the notebook's folder. */
  about: string;
  verdict: string;
}

/**
 * Looks at types and never at names or values: nothing of the user's runs. What was not imported is not imported, as
 * that takes a second. Functions of a namespace of its own, so that the user's is not touched.
 */
const PYTHON = `
import os, sys

def of(module, name):
    return getattr(sys.modules.get("lineage_explorer." + module), name, None)

def kind(value):
    known = {"audit": of("audits", "Audit"), "store": of("store", "Store"), "explorer": of("widget", "Explorer")}
    return next((kind for kind, there in known.items() if there is not None and issubclass(type(value), there)), "")

def row(name, value):
    about = verdict = ""
    if kind(value) == "store":
        try:
            path = os.path.realpath(value.path)
        except Exception:  # on a server: its address is not for a browser
            return None
        folder = os.path.dirname(os.environ.get("JPY_SESSION_NAME", "")) or os.getcwd()
        about = path.replace(os.sep, "/")
        try:
            about = os.path.relpath(path, os.path.realpath(folder)).replace(os.sep, "/")
        except ValueError:  # on another drive of Windows
            pass
    else:
        audit = value if kind(value) == "audit" else value.audit
        about, verdict = value.endpoint, "" if audit is None else audit.verdict
    return {"name": name, "kind": kind(value), "about": about, "verdict": verdict} if about else None

def shown(answer):
    from IPython.display import JSON
    return JSON(answer)

def rows(user):
    return shown([item for item in (row(*pair) for pair in list(user.items()) if not pair[0].startswith("_") and kind(pair[1])) if item])

def content(user, name):
    return shown(user[name].to_dict() if kind(user[name]) == "audit" else user[name].content)
`;

/** The variables that hold an audit, a store or an explorer; none where the kernel cannot say. */
export async function variables(kernel: Asking): Promise<Variable[]> {
  const rows = await evaluate(kernel, "rows");
  return Array.isArray(rows) ? rows.filter(isVariable) : [];
}

/** What a variable shows, as JSON values. */
export function content(kernel: Asking, name: string): Promise<unknown> {
  return evaluate(kernel, "content", name);
}

/** What one of the functions above says of the user's variables; undefined when it failed, or the kernel is no IPython. */
async function evaluate(kernel: Asking, what: "rows" | "content", ...names: string[]): Promise<unknown> {
  const given = ["get_ipython().user_ns", ...names.map(literal)].join(", ");
  const asked = `(lambda own: (exec(${literal(PYTHON)}, own), own["${what}"](${given}))[1])({})`;
  // Silent, and nothing but an expression: it is in no history, counts as no execution and leaves "_" alone. An error
  // in it stops none of the cells that wait.
  const future = kernel.requestExecute({ code: "", silent: true, store_history: false, user_expressions: { lineage: asked }, allow_stdin: false, stop_on_error: false });
  const { content: reply } = await future.done;
  // A reply that is no "ok" has no expressions, and one that failed has no data.
  const told = isObject(reply) && isObject(reply.user_expressions) ? reply.user_expressions.lineage : undefined;
  return isObject(told) && isObject(told.data) ? told.data["application/json"] : undefined;
}

function isVariable(value: unknown): value is Variable {
  return isObject(value) && ["name", "about", "verdict"].every((key) => typeof value[key] === "string") && ["audit", "store", "explorer"].includes(String(value.kind));
}
