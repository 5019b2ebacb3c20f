/** What the plugins promise one another. A plugin knows these and no other plugin. */

import type { IWidgetTracker, MainAreaWidget } from "@jupyterlab/apputils";
import { Token } from "@lumino/coreutils";
import type { ISignal } from "@lumino/signaling";

import type { Audit, Verdict } from "../view/audit.js";
import type { Found, Transport, ViewState, Wanted } from "../view/transport.js";

/** A store as the server lists it: a file below its root, by its path, or one that its configuration names. */
export interface StoreInfo {
  name: string;
  title: string;
  /** Null where even that cannot be told. */
  kind: "sqlite" | "postgresql" | null;
  /** The expression that opens it in Python; empty where that is not known. */
  python: string;
  size: number | null;
  entries: number | null;
  /** Why it cannot be read; null when it can. */
  problem: string | null;
}

export interface Page<T> {
  total: number;
  offset: number;
  items: T[];
}

/** All the versions of one name. */
export interface Thing {
  kind: string;
  namespace: string;
  name: string;
  ref: string;
  versions: number;
}

export interface Version {
  ref: string;
  version: string;
  resolved: boolean;
}

/** What an endpoint's audit came to, or why there is none. */
export type Judgement = { verdict: Verdict; answer: string } | { problem: string };

/** A question that a tab shows the answer of: enough to ask it again, here or in Python. */
export interface Question extends ViewState {
  store: string;
  ref: string;
  known_at: string;
  /** Empty for the default policy. */
  policy: string;
  /** What is opened on top of the answer. */
  chapter?: Wanted;
}

/** The settings of the schema, read. */
export interface Preferences {
  /** Store to open with, by name; empty for the one used last. */
  store: string;
  policy: string;
  badges: "colour" | "plain";
  followNotebooks: boolean;
}

/** The requests of the server extension. Each rejects with an Error whose message is for people. */
export interface IServer {
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  send<T>(method: "POST" | "DELETE", path: string, body?: object): Promise<T>;
}

export type Query = { [name: string]: string | number | readonly string[] };

/** The stores at hand, the one in use, and what they hold. */
export interface IEstate {
  readonly server: IServer;
  /** Done when the stores were listed for the first time, or could not be. */
  readonly ready: Promise<void>;
  readonly stores: readonly StoreInfo[];
  /** Folders in which the server looks for stores. */
  readonly roots: readonly string[];
  readonly policies: readonly string[];
  /** Name of the store in use; empty while there is none. */
  readonly current: string;
  readonly preferences: Preferences;
  /** Why the stores could not be listed; null when they were. */
  readonly problem: Error | null;
  /** The stores, the one in use, what it holds or the settings changed. */
  readonly changed: ISignal<IEstate, void>;
  /** Uses a store from now on, and remembers it; one that was not listed is added. */
  choose(store: string): Promise<void>;
  /** Reads the list of stores and what is in them again: after an ingest, say. */
  refresh(): Promise<void>;
  /** What Python calls a store. */
  python(store: string): string;
  kinds(store: string, signal?: AbortSignal): Promise<{ kinds: { [kind: string]: number }; head: string }>;
  things(store: string, kind: string, offset: number, limit: number, signal?: AbortSignal): Promise<Page<Thing>>;
  versions(store: string, thing: Thing, offset: number, limit: number, signal?: AbortSignal): Promise<Page<Version>>;
  search(store: string, text: string, limit: number, signal?: AbortSignal): Promise<Found[]>;
  verdicts(store: string, endpoints: readonly string[], signal?: AbortSignal): Promise<{ [ref: string]: Judgement }>;
  /** The view's way to a store; `changed` hears what the reader changes in it. */
  transport(store: string, changed?: (state: Partial<ViewState>) => void): Transport;
}

/** The tabs with answers in them. */
export interface IExplorer {
  readonly tracker: IWidgetTracker<MainAreaWidget>;
  /** The question of the tab in front; null when there is none, or when it shows a saved audit. */
  readonly current: Question | null;
  /** What the open context menu of the panel is about. */
  readonly pointed: string | undefined;
  /** The tab in front, its question or its selection changed. */
  readonly changed: ISignal<IExplorer, void>;
  /** Shows what a store knows of a reference; a tab that shows it already comes to the front. */
  open(store: string, ref: string, state?: Partial<Question>): Promise<MainAreaWidget>;
  /** Shows an audit that is at hand: a saved one, or one from a kernel. The same id is the same tab. */
  openAudit(audit: Audit, title: string, id: string): Promise<MainAreaWidget>;
  /** The Python that asks a question again. */
  code(question: Partial<Question> & Pick<Question, "store" | "ref">): string;
}

export const IEstate = new Token<IEstate>("lineage-explorer:IEstate", "The lineage stores at hand and the questions to them.");
export const IExplorer = new Token<IExplorer>("lineage-explorer:IExplorer", "The tabs that show lineage.");

/** Every command, so that no plugin spells another's out. */
export const commands = {
  openPanel: "lineage-explorer:open-panel",
  open: "lineage-explorer:open",
  search: "lineage-explorer:search",
  connect: "lineage-explorer:connect",
  refresh: "lineage-explorer:refresh",
  insertCell: "lineage-explorer:insert-cell",
  copyPython: "lineage-explorer:copy-python",
  copyReference: "lineage-explorer:copy-reference",
  ingest: "lineage-explorer:ingest",
  openVariable: "lineage-explorer:open-variable",
  history: "lineage-explorer:history",
  impact: "lineage-explorer:impact",
  compare: "lineage-explorer:compare",
  rollback: "lineage-explorer:rollback",
} as const;

/** What a dragged reference is, beside the cell that it becomes in a notebook. */
export const REF_MIME = "application/vnd.lineage-explorer.ref+json";
