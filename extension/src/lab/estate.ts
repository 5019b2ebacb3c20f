/** The stores at hand: listed by the server, one of them in use, and that one remembered. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStateDB } from "@jupyterlab/statedb";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { PromiseDelegate } from "@lumino/coreutils";
import { Signal, type ISignal } from "@lumino/signaling";

import type { Found, Transport, ViewState } from "../view/transport.js";
import { isAborted, Server, transport } from "./http.js";
import { IEstate, type IServer, type Judgement, type Page, type Preferences, type StoreInfo, type Thing, type Version } from "./tokens.js";

export const PLUGIN = "lineage-explorer:estate";
/** Where the state database keeps what was used. */
const KEPT = "lineage-explorer:stores";
const DEFAULTS: Preferences = { store: "", policy: "", badges: "colour", followNotebooks: true };

class Estate implements IEstate {
  stores: readonly StoreInfo[] = [];
  roots: readonly string[] = [];
  policies: readonly string[] = [];
  current = "";
  preferences = DEFAULTS;
  problem: Error | null = null;
  private readonly listed = new PromiseDelegate<void>();
  private readonly signal = new Signal<IEstate, void>(this);

  constructor(
    readonly server: IServer,
    private readonly db: IStateDB | null,
  ) {}

  get ready(): Promise<void> {
    return this.listed.promise;
  }

  get changed(): ISignal<IEstate, void> {
    return this.signal;
  }

  /** Recalls what was used last, and lists what is there. */
  async start(): Promise<void> {
    const kept = await this.db?.fetch(KEPT);
    this.current = this.preferences.store || (typeof kept === "string" ? kept : "");
    await this.refresh();
    this.listed.resolve();
  }

  prefer(preferences: Preferences): void {
    this.preferences = preferences;
    this.signal.emit();
  }

  async choose(store: string): Promise<void> {
    this.current = store;
    this.stores = this.withCurrent(this.stores);
    this.signal.emit();
    await this.db?.save(KEPT, store);
  }

  async refresh(): Promise<void> {
    try {
      const [{ stores, roots }, { policies }] = await Promise.all([
        this.server.get<{ stores: StoreInfo[]; roots: { title: string }[] }>("stores"),
        this.server.get<{ policies: string[] }>("policies"),
      ]);
      this.stores = this.withCurrent(stores);
      this.roots = roots.map((root) => root.title);
      this.policies = policies;
      this.problem = null;
      const readable = stores.find((store) => store.problem === null);
      // Nothing chosen yet: with one store there is nothing to choose.
      if (this.current === "" && readable !== undefined) this.current = readable.name;
    } catch (error) {
      if (!(error instanceof Error) || isAborted(error)) throw error;
      this.problem = error;
    }
    this.signal.emit();
  }

  /** A store that is in use stays in the list: the server looks only so deep for files. */
  private withCurrent(stores: readonly StoreInfo[]): readonly StoreInfo[] {
    const listed = this.current === "" || stores.some((store) => store.name === this.current);
    return listed ? stores : [...stores, unlisted(this.current)];
  }

  python(store: string): string {
    return this.stores.find((one) => one.name === store)?.python ?? unlisted(store).python;
  }

  kinds(store: string, signal?: AbortSignal): Promise<{ kinds: { [kind: string]: number }; head: string }> {
    return this.server.get("kinds", { store }, signal);
  }

  things(store: string, kind: string, offset: number, limit: number, signal?: AbortSignal): Promise<Page<Thing>> {
    return this.server.get("things", { store, kind, offset, limit }, signal);
  }

  versions(store: string, { kind, namespace, name }: Thing, offset: number, limit: number, signal?: AbortSignal): Promise<Page<Version>> {
    return this.server.get("versions", { store, kind, namespace, name, offset, limit }, signal);
  }

  async search(store: string, query: string, limit: number, signal?: AbortSignal): Promise<Found[]> {
    return (await this.server.get<{ items: Found[] }>("search", { store, query, limit }, signal)).items;
  }

  async verdicts(store: string, endpoints: readonly string[], signal?: AbortSignal): Promise<{ [ref: string]: Judgement }> {
    const asked = { store, endpoint: endpoints, policy: this.preferences.policy };
    return (await this.server.get<{ verdicts: { [ref: string]: Judgement } }>("verdicts", asked, signal)).verdicts;
  }

  transport(store: string, changed: (state: Partial<ViewState>) => void = () => undefined): Transport {
    return transport(this.server, store, this.python(store), changed);
  }
}

function unlisted(name: string): StoreInfo {
  return { name, title: name, kind: "sqlite", python: "", size: null, entries: null, problem: null };
}

const plugin: JupyterFrontEndPlugin<IEstate> = {
  id: PLUGIN,
  description: "The lineage stores at hand, and the requests to them.",
  autoStart: true,
  provides: IEstate,
  optional: [IStateDB, ISettingRegistry, ITranslator],
  activate: (app: JupyterFrontEnd, db: IStateDB | null, registry: ISettingRegistry | null, translator: ITranslator | null): IEstate => {
    const trans = (translator ?? nullTranslator).load("lineage_explorer");
    const estate = new Estate(new Server(app.serviceManager.serverSettings, trans), db);
    const settled = registry?.load(PLUGIN).then((settings) => {
      const read = (): void => {
        const { store, policy, badges, followNotebooks } = settings.composite;
        estate.prefer({
          store: typeof store === "string" ? store : DEFAULTS.store,
          policy: typeof policy === "string" ? policy : DEFAULTS.policy,
          badges: badges === "plain" ? "plain" : "colour",
          followNotebooks: typeof followNotebooks === "boolean" ? followNotebooks : DEFAULTS.followNotebooks,
        });
      };
      read();
      settings.changed.connect(read);
    });
    // Without settings there are defaults; JupyterLab itself tells why they could not be read.
    void Promise.allSettled([settled ?? null]).then(() => estate.start());
    return estate;
  },
};

export default plugin;
