/** What the panel lists: the kinds of a store, the things of a kind, what belongs to a thing; and what is found. */

import type { TranslationBundle } from "@jupyterlab/translation";

import { brief, clean, instant, percent, shortName, words } from "../view/text.js";
import type { Found, Release } from "../view/transport.js";
import type { Entry, Source } from "./branches.js";
import type { IEstate, Thing, Version } from "./tokens.js";

/** In the order in which people look for them; kinds that are not here follow by name. */
const FIRST = ["endpoint", "model", "dataset", "ai_agent", "deployment", "run"];

export function headings(trans: TranslationBundle): { readonly [kind: string]: string } {
  return {
    endpoint: trans.__("Endpoints"),
    model: trans.__("Models"),
    dataset: trans.__("Datasets"),
    ai_agent: trans.__("AI agents"),
    deployment: trans.__("Deployments"),
    run: trans.__("Runs"),
    logged_model: trans.__("Logged models"),
    base_model: trans.__("Base models"),
    experiment: trans.__("Experiments"),
    feature_set: trans.__("Feature sets"),
    index: trans.__("Indexes"),
    prompt: trans.__("Prompts"),
    code: trans.__("Code"),
    environment: trans.__("Environments"),
    person: trans.__("People"),
    team: trans.__("Teams"),
    service: trans.__("Services"),
  };
}

/** Everything in a store, by kind. */
export function everything(estate: IEstate, store: string, trans: TranslationBundle): Source {
  const names = headings(trans);
  const place = (kind: string): number => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
  return async (_offset, _limit, signal) => {
    const { kinds } = await estate.kinds(store, signal);
    const items = Object.entries(kinds)
      .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
      .map(([kind, count]) => ({
        label: names[kind] ?? words(kind),
        fact: count.toLocaleString(),
        kind,
        ref: "",
        resolved: true,
        children: () => things(estate, store, kind, trans),
      }));
    return { total: items.length, items };
  };
}

function things(estate: IEstate, store: string, kind: string, trans: TranslationBundle): Source {
  return async (offset, limit, signal) => {
    const page = await estate.things(store, kind, offset, limit, signal);
    return { total: page.total, items: page.items.map((thing) => thingEntry(estate, store, thing, trans)) };
  };
}

function thingEntry(estate: IEstate, store: string, thing: Thing, trans: TranslationBundle): Entry {
  const { kind, namespace, name, ref, versions } = thing;
  const entry = { label: clean(name), fact: clean(namespace), kind, ref, resolved: true };
  if (kind === "endpoint") return { ...entry, children: () => deployments(estate, store, thing, trans) };
  // The only version of a thing is the thing.
  if (versions === 0 || ref.includes("@")) return entry;
  return {
    ...entry,
    ref: "",
    fact: [entry.fact, versions.toLocaleString()].filter((part) => part !== "").join(" · "),
    children: () => async (offset, limit, signal) => {
      const page = await estate.versions(store, thing, offset, limit, signal);
      return { total: page.total, items: page.items.map((version) => versionEntry(kind, version, trans)) };
    },
  };
}

function versionEntry(kind: string, { ref, version, resolved }: Version, trans: TranslationBundle): Entry {
  const label = version.startsWith("~") ? trans.__("%1 (alias)", clean(version.slice(1))) : /^\d{1,9}$/u.test(version) ? trans.__("version %1", version) : time(version);
  return { label, fact: resolved ? "" : trans.__("not on record"), kind, ref, resolved };
}

/** Who served an endpoint, ever: deployments, and their versions with the newest first. */
function deployments(estate: IEstate, store: string, { ref, name }: Thing, trans: TranslationBundle): Source {
  return async (_offset, _limit, signal) => {
    const releases = (await estate.transport(store).ask?.("releases", { endpoint: ref, known_at: "" }, signal)) ?? [];
    const ours = new Map<string, Map<string, Entry>>();
    for (const release of [...releases].sort(newestFirst))
      for (const { deployment, model, traffic, state } of release.serving) {
        const [whole = deployment] = deployment.split("@");
        const share = traffic !== null ? percent(traffic) : state.replaceAll("_", " ");
        const since = day(release.since) || "…";
        const fact = release.until === null ? trans.__("%1 since %2", share, since) : `${since} – ${day(release.until)}`;
        const served = model === null ? trans.__("no model on record") : shortName(model);
        const versions = ours.get(whole) ?? new Map<string, Entry>();
        if (!versions.has(deployment))
          versions.set(deployment, { label: served, fact, kind: "deployment", ref: deployment, resolved: true });
        ours.set(whole, versions);
      }
    const items = [...ours].map(([whole, versions]) => {
      const [newest] = versions.values();
      const own = decoded(whole.slice("deployment:".length));
      const label = own.startsWith(`${name}:`) ? own.slice(name.length + 1) : own;
      const all = [...versions.values()];
      return { label: clean(label), fact: newest?.fact ?? "", kind: "deployment", ref: "", resolved: true, children: () => fixed(all) };
    });
    return { total: items.length, items };
  };
}

function newestFirst(a: Release, b: Release): number {
  return (b.since ?? "").localeCompare(a.since ?? "");
}

/** Entries that are at hand. */
export function fixed(items: readonly Entry[]): Source {
  return (offset, limit) => Promise.resolve({ total: items.length, items: items.slice(offset, offset + limit) });
}

export function foundEntry({ ref, kind, name, resolved }: Found, trans: TranslationBundle): Entry {
  const version = decoded(ref.split(/[@~]/u)[1] ?? "");
  const fact = version === "" ? words(kind) : time(version);
  return { label: clean(name), fact: resolved ? fact : trans.__("%1, not on record", fact), kind, ref, resolved };
}

/** The parts of a reference are percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // whatever is no encoding is shown as it stands
  }
}

function day(instant: string | null): string {
  return clean(instant ?? "").slice(0, "2026-01-01".length);
}

/** A version that is an instant, to the minute; any other as it is, shortened. */
function time(version: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/u.test(version) ? instant(version) : brief(version);
}
