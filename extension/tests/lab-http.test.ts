// @vitest-environment happy-dom
import { ServerConnection } from "@jupyterlab/services";
import { nullTranslator } from "@jupyterlab/translation";
import { describe, expect, it } from "vitest";

import { isAborted, Refusal, Server, transport } from "../src/lab/http.js";

const TRANS = nullTranslator.load("lineage_explorer");

/** A server that answers each request with what is given, and keeps what it was asked. */
function server(answer: (url: URL, init: RequestInit) => Response | Promise<Response>): { server: Server; asked: URL[] } {
  const asked: URL[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: "http://localhost:1/base/",
    fetch: async (request) => {
      if (!(request instanceof Request)) throw new Error("a request was expected");
      asked.push(new URL(request.url));
      return answer(new URL(request.url), { method: request.method, signal: request.signal });
    },
  });
  return { server: new Server(settings, TRANS), asked };
}

const json = (status: number, value: object): Response => new Response(JSON.stringify(value), { status });

async function refusal(from: Server): Promise<Refusal> {
  try {
    await from.get("stores");
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("it was answered");
}

describe("requests to the server extension", () => {
  it("go below the server's base address, each value of a list by itself and empty ones left out", async () => {
    const { server: one, asked } = server(() => json(200, { verdicts: {} }));
    await one.get("verdicts", { store: "a b/ü.db", endpoint: ["endpoint:x&y", "endpoint:z"], policy: "" });
    expect(asked[0]?.pathname).toBe("/base/lineage-explorer/verdicts");
    expect([...(asked[0]?.searchParams ?? [])].filter(([name]) => name !== "_")).toEqual([
      ["store", "a b/ü.db"],
      ["endpoint", "endpoint:x&y"],
      ["endpoint", "endpoint:z"],
    ]);
  });

  it("are kept by the browser with their ETag, so that an answer that still holds is not sent again", async () => {
    const seen: unknown[] = [];
    class Watched extends Request {
      constructor(input: RequestInfo | URL, init?: RequestInit) {
        super(input, init);
        seen.push(init?.cache);
      }
    }
    const settings = ServerConnection.makeSettings({ baseUrl: "http://localhost:1/", Request: Watched, fetch: () => Promise.resolve(json(200, {})) });
    await new Server(settings, TRANS).get("kinds", { store: "x" });
    expect(seen).toEqual(["no-cache"]);
  });

  it("tell the server's own words where it has some", async () => {
    const { server: one } = server(() => json(404, { error: "UnknownReference", message: "There is no 'endpoint:chrun'.", near: ["endpoint:churn"] }));
    const said = await refusal(one);
    expect([said.message, said.reason, said.near]).toEqual(["There is no 'endpoint:chrun'.", "UnknownReference", ["endpoint:churn"]]);
  });

  it.each([
    ["is down", () => Promise.reject(new TypeError("Failed to fetch")), "ServerDown", "Start it again"],
    ["runs without our extension", () => new Response("<html>404</html>", { status: 404 }), "ExtensionMissing", "jupyter server extension enable lineage_explorer.server"],
    ["does not know who asks", () => json(403, { message: "Forbidden", reason: null }), "NotAllowed", "sign in again"],
    ["fails without a word", () => new Response("oops", { status: 500 }), "Unreadable", "log"],
    ["answers what is no JSON", () => new Response("<html>", { status: 200 }), "Unreadable", "200"],
  ] as const)("say what to do when the server %s", async (_, answer, reason, next) => {
    const said = await refusal(server(answer).server);
    expect(said.reason).toBe(reason);
    expect(said.message).toContain(next);
  });

  it("that nobody waits for any more are no failure to tell of", async () => {
    const control = new AbortController();
    const { server: one } = server(() => {
      control.abort();
      throw new DOMException("aborted", "AbortError");
    });
    const error: unknown = await one.get("search", {}, control.signal).catch((reason: unknown) => reason);
    expect(isAborted(error)).toBe(true);
  });
});

describe("the view's way to a store", () => {
  it("asks each question where it is answered, and names the store in each", async () => {
    const { server: one, asked } = server((url) => json(200, url.pathname.endsWith("releases") ? { releases: [] } : { items: [] }));
    const way = transport(one, "demo/lineage.db", 'open_store("lineage.db")', () => undefined);
    expect(await way.ask?.("releases", { endpoint: "endpoint:x", known_at: "" })).toEqual([]);
    expect(await way.ask?.("search", { query: "x", kind: "", limit: 5 })).toEqual([]);
    await way.ask?.("explore", { ref: "model:x@1", direction: "upstream", depth: null, as_of: "", known_at: "" });
    expect(asked.map((url) => url.pathname.split("/").pop())).toEqual(["releases", "search", "explore"]);
    expect(asked.every((url) => url.searchParams.get("store") === "demo/lineage.db")).toBe(true);
    // "All the way" is a number on the other side.
    expect(asked[2]?.searchParams.get("depth")).toBe("1000");
  });
});
