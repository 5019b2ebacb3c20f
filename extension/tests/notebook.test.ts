// @vitest-environment happy-dom
import { PageConfig } from "@jupyterlab/coreutils";
import { MimeData } from "@lumino/coreutils";
import { beforeEach, describe, expect, it } from "vitest";

import { dragged, storeFrom } from "../src/lab/cell.js";
import { content, variables, type Asking } from "../src/lab/variables.js";

describe("how a notebook opens a store", () => {
  beforeEach(() => PageConfig.setOption("serverRoot", "~/work"));

  it.each([
    ["a.ipynb", "demo/lineage.db", "open_store('/home/ada/work/demo/lineage.db')", 'open_store("demo/lineage.db")'],
    ["notebooks/deep/a.ipynb", "demo/lineage.db", "open_store('/home/ada/work/demo/lineage.db')", 'open_store("../../demo/lineage.db")'],
    // A store that the server did not list, since it lies too deep.
    ["notebooks/a.ipynb", "a/b/c/lineage.db", "", 'open_store("../a/b/c/lineage.db")'],
  ])("is by its path from the notebook's own folder: %s", (notebook, store, python, said) => {
    expect(storeFrom(notebook, store, python)).toBe(said);
  });

  it.each([
    ["a.ipynb", "team", 'open_store(os.environ["LINEAGE_STORE_TEAM"])'],
    // A configured name that looks like a file's.
    ["a.ipynb", "lineage.db", "open_store('/data/lineage.db')"],
    ["a.ipynb", "/data/lineage.db", "open_store('/data/lineage.db')"],
    // Where a drive's folder is on the kernel's machine, nobody here knows.
    ["GDrive:a.ipynb", "demo/lineage.db", "open_store('/home/ada/work/demo/lineage.db')"],
  ])("is as the server says where there is no such path: %s", (notebook, store, python) => {
    expect(storeFrom(notebook, store, python)).toBe(python);
  });
});

describe("a drag", () => {
  it("carries a cell that a notebook takes, with the code that asks again", () => {
    const data = dragged({ store: "lineage.db", ref: "endpoint:churn", as_of: "2026-10-01T00:00:00Z" }, 'open_store("lineage.db")');
    const [cell] = data.getData("application/vnd.jupyter.cells");
    expect(cell.cell_type).toBe("code");
    expect(cell.source).toContain('store = open_store("lineage.db")');
    expect(cell.source).toContain('as_of="2026-10-01T00:00:00Z"');
    expect(data.getData("text/plain")).toBe(cell.source);
    expect(data).toBeInstanceOf(MimeData);
  });
});

describe("a kernel", () => {
  /** Answers as a kernel does, and keeps what it was asked. */
  const kernel = (reply: object): { asked: Parameters<Asking["requestExecute"]>[0][]; kernel: Asking } => {
    const asked: Parameters<Asking["requestExecute"]>[0][] = [];
    return { asked, kernel: { requestExecute: (request) => (asked.push(request), { done: Promise.resolve({ content: reply }) }) } };
  };
  const answered = (value: unknown): object => ({ status: "ok", user_expressions: { lineage: { status: "ok", data: { "application/json": value } } } });

  it("is asked without leaving anything in it, and without stopping what waits", async () => {
    const { asked, kernel: one } = kernel(answered([]));
    await variables(one);
    expect(asked[0]).toMatchObject({ code: "", silent: true, store_history: false, stop_on_error: false, allow_stdin: false });
  });

  it("names its variables, and nothing that is none is taken for one", async () => {
    const answer = { name: "answer", kind: "audit", about: "endpoint:churn", verdict: "PASSED" };
    expect(await variables(kernel(answered([answer, { name: 1 }, null, { ...answer, kind: "bomb" }])).kernel)).toEqual([answer]);
  });

  it.each([
    ["has an error", { status: "ok", user_expressions: { lineage: { status: "error", ename: "NameError" } } }],
    ["is no IPython", { status: "ok", user_expressions: {} }],
    ["was told to stop", { status: "abort" }],
    ["fails", { status: "error", ename: "KeyboardInterrupt" }],
  ])("that %s has no variables to offer", async (_name, reply) => {
    expect(await variables(kernel(reply).kernel)).toEqual([]);
  });

  it("is asked for a variable by its name as a literal, whatever that name is", async () => {
    const { asked, kernel: one } = kernel(answered({}));
    await content(one, '"]; import os #');
    expect(JSON.stringify(asked[0])).toContain(String.raw`\\\"]; import os #`);
  });
});
