/** Requests to the server extension. What goes wrong is said in words, with what to do next. */

import { URLExt } from "@jupyterlab/coreutils";
import { ServerConnection } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";

import type { Comparison, History, Impact, Rollback } from "../chapters/documents.js";
import type { Audit } from "../view/audit.js";
import type { Exploration, Found, Questions, Release, Transport, ViewState } from "../view/transport.js";
import type { IServer, Query } from "./tokens.js";

/** A request that was not answered, as people are told. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** The server's name for it, or one of ours: `ServerDown`, `ExtensionMissing`, `NotAllowed`. */
    readonly reason: string,
    readonly near: readonly string[] = [],
  ) {
    super(message);
    this.name = "Refusal";
  }
}

export class Server implements IServer {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle,
  ) {}

  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      for (const one of typeof value === "object" ? value : [value]) if (one !== "") asked.append(name, String(one));
    // "no-cache": the browser keeps the answer and asks with its ETag whether it still holds.
    return this.request(`${path}?${asked}`, { method: "GET", cache: "no-cache", ...(signal ? { signal } : {}) });
  }

  send<T>(method: "POST" | "DELETE", path: string, body?: object): Promise<T> {
    return this.request(path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  }

  private async request<T>(path: string, init: RequestInit): Promise<T> {
    const { trans } = this;
    const url = URLExt.join(this.settings.baseUrl, "lineage-explorer", path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      if (init.signal?.aborted) throw new DOMException("no longer wanted", "AbortError");
      if (!(error instanceof ServerConnection.NetworkError)) throw error;
      throw new Refusal(trans.__("The Jupyter server does not answer. Start it again, or wait until it is back, and try again."), "ServerDown");
    }
    const told = (await response.text().then(JSON.parse).catch(() => null)) as Told | T | null;
    if (response.ok && told !== null) return told as T;
    throw this.refusal(response.status, told as Told | null);
  }

  private refusal(status: number, told: Told | null): Refusal {
    const { trans } = this;
    // An error of ours names its class; anything else was answered before it came to us.
    if (told !== null && typeof told.error === "string" && typeof told.message === "string") return new Refusal(told.message, told.error, told.near ?? []);
    if (status === 401 || status === 403)
      return new Refusal(trans.__("This Jupyter server does not let you ask about lineage. Reload the page to sign in again; if that does not help, ask whoever runs the server."), "NotAllowed");
    if (status === 404)
      return new Refusal(
        trans.__("The server extension of lineage-explorer is not running. Run “jupyter server extension enable lineage_explorer.server” where the Jupyter server is installed, and start the server again."),
        "ExtensionMissing",
      );
    return new Refusal(trans.__("The Jupyter server answered %1 and gave no reason that could be read. Its log says more.", String(status)), "Unreadable");
  }
}

interface Told {
  error?: string;
  message?: string;
  near?: string[];
}

/** The view's questions to one store, over HTTP. */
export function transport(server: IServer, store: string, python: string, changed: (state: Partial<ViewState>) => void): Transport {
  const answers: { [Q in keyof Questions]: (asked: Questions[Q]["asked"], signal?: AbortSignal) => Promise<Questions[Q]["answer"]> } = {
    audit: (asked, signal) => server.get<Audit>("audit", { store, ...asked }, signal),
    releases: async (asked, signal) => (await server.get<{ releases: Release[] }>("releases", { store, ...asked }, signal)).releases,
    explore: ({ depth, ...asked }, signal) => server.get<Exploration>("explore", { store, ...asked, depth: depth ?? DEEPEST }, signal),
    search: async (asked, signal) => (await server.get<{ items: Found[] }>("search", { store, ...asked }, signal)).items,
    history: (asked, signal) => server.get<History>("history", { store, ...asked }, signal),
    comparison: (asked, signal) => server.get<Comparison>("comparison", { store, ...asked }, signal),
    impact: (asked, signal) => server.get<Impact>("impact", { store, ...asked }, signal),
    rollback: (asked, signal) => server.get<Rollback>("rollback", { store, ...asked }, signal),
  };
  return { store: python, ask: (question, asked, signal) => answers[question](asked, signal), changed };
}

/** As deep as the server goes: "all the way". */
const DEEPEST = 1000;

/** Whether an error only says that nobody waits for the answer any more. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
