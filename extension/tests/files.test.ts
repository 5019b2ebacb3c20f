// @vitest-environment happy-dom
import { nullTranslator } from "@jupyterlab/translation";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { notice, sentence } from "../src/lab/notice.js";
import { parseAudit, readAudit, readContent, SavedAudit } from "../src/lab/saved.js";
import { audit, node } from "./audits.js";

const TRANS = nullTranslator.load("lineage_explorer");
const saved = (more: object = {}): object => ({ format: "lineage-explorer/audit", format_version: 1, ...audit([], []), verdict: "PASSED", answer: "All is well.", ...more });

describe("a file that is opened as a saved audit", () => {
  it("is read when it is one", () => {
    expect(parseAudit(JSON.stringify(saved()), TRANS).answer).toBe("All is well.");
  });

  it.each([
    ["broken JSON", '{"format": "lineage-expl', /not JSON/u],
    ["nothing at all", "", /not JSON/u],
    ["other JSON", '{"hello": 1}', /no saved audit/u],
    ["a list", "[]", /no saved audit/u],
    ["nothing in JSON", "null", /no saved audit/u],
    ["a format from the future", JSON.stringify(saved({ format_version: 2 })), /format 2.*up to format 1.*upgrade/u],
    ["an audit without its nodes", JSON.stringify(saved({ nodes: undefined })), /lacks nodes/u],
    ["an audit with something else for hops", JSON.stringify(saved({ hops: [1], question: {} })), /lacks question, hops.id/u],
    ["an audit with a node that has no name", JSON.stringify(saved({ nodes: [{ ...node("model:a@1", "registry"), name: 7 }] })), /lacks nodes.name\./u],
  ])("says what is wrong with %s", (_name, text, why) => {
    expect(() => parseAudit(text, TRANS)).toThrow(why);
  });

  it("does not take an audit that nobody judged: that is an exploration, which is not saved", () => {
    expect(() => readAudit(saved({ verdict: null }), TRANS)).toThrow(/lacks verdict/u);
  });
});

describe("what an explorer in a kernel shows", () => {
  it("is an audit, or what stands around something, which nobody judged", async () => {
    const question = { ref: "model:a@1", direction: "both", depth: 1, as_of: "2026-01-01T00:00:00Z", known_at: "2026-01-01T00:00:00Z" };
    const around = { root: "model:a@1", question, nodes: [], hops: [], evidence: [], beyond: {} };
    expect((await readContent(saved(), TRANS)).verdict).toBe("PASSED");
    expect((await readContent(around, TRANS)).verdict).toBeNull();
    await expect(readContent({}, TRANS)).rejects.toThrow(/no saved audit/u);
  });
});

describe("a message", () => {
  it("shows a hostile text as text", () => {
    const shown = notice("<b>x</b>", "<img src=x onerror=alert(1)>\u202e");
    expect(shown.querySelector("img, b")).toBeNull();
    expect(shown.textContent).toContain("<img src=x onerror=alert(1)>\u{FFFD}");
  });

  it.each([
    ["there is no store 'x.db'; did you mean 'y.db'?", "There is no store 'x.db'; did you mean 'y.db'?"],
    ["'x.db' is no store", "'x.db' is no store."],
    ["lineage.db is no store", "lineage.db is no store."],
  ])("of Python's is a sentence: %s", (python, said) => {
    expect(sentence(python)).toBe(said);
  });
});

describe("a saved audit in a page", () => {
  let look: (seen: boolean) => void = () => undefined;

  beforeEach(() => {
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        constructor(told: (entries: { isIntersecting: boolean }[]) => void) {
          look = (seen) => told([{ isIntersecting: seen }]);
        }
        observe(): void {}
        disconnect(): void {}
      },
    );
  });
  afterEach(() => vi.unstubAllGlobals());

  it("is a sentence until somebody sees it, and the view from then on", async () => {
    const widget = new SavedAudit({ trans: TRANS });
    widget.present(readAudit(saved(), TRANS));
    expect(widget.node.textContent).toBe("PASSED All is well.");
    look(false);
    expect(widget.node.querySelector(".lx-root")).toBeNull();
    look(true);
    await vi.waitFor(() => expect(widget.node.querySelector(".lx-root")).not.toBeNull());
    widget.dispose();
  });

  it("is no view where none is wanted", async () => {
    const wanted = vi.fn(() => Promise.resolve(false));
    const widget = new SavedAudit({ trans: TRANS, wanted });
    widget.present(readAudit(saved(), TRANS));
    look(true);
    await vi.waitFor(() => expect(wanted).toHaveBeenCalled());
    await Promise.resolve();
    expect(widget.node.querySelector(".lx-root")).toBeNull();
  });

  it("is a message, never blank, when the view cannot be made of it", async () => {
    const widget = new SavedAudit({ trans: TRANS, wanted: () => Promise.reject(new Error("the server is gone")) });
    widget.present(readAudit(saved(), TRANS));
    look(true);
    await vi.waitFor(() => expect(widget.node.querySelector('[role="alert"]')).not.toBeNull());
    expect(widget.node.textContent).toContain("the server is gone");
  });
});
