/** Saved audits: telling one from other JSON, and showing it when it comes into sight. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";

import type { Audit, Json } from "../view/audit.js";
import { html } from "../view/dom.js";
import { clean } from "../view/text.js";
import type { Exploration } from "../view/transport.js";
import { notice, type Remedy } from "./notice.js";
import type { Mounted } from "./view.js";

export const AUDIT_MIME = "application/vnd.lineage-explorer.audit+json";
/** What `Audit.to_dict()` writes, and the newest version of it that is understood here. */
const FORMAT = "lineage-explorer/audit";
const VERSION = 1;
const TEXTS = ["verdict", "answer", "digest"];
/** The lists of an audit, and the texts that the view needs of each of their rows. */
const ROWS: { readonly [list: string]: readonly string[] } = {
  serving: ["deployment", "state", "site"],
  nodes: ["ref", "kind", "type", "name", "version", "namespace", "label", "fact", "lane", "digest", "identified_by", "description"],
  hops: ["id", "cause", "effect", "predicate", "role", "basis", "via", "site", "status"],
  evidence: ["id", "subject", "gate", "gate_type", "status", "grade", "expected", "actual", "evaluator", "pointer"],
  datasets: ["ref", "role", "identified_by", "digest", "how"],
  findings: ["severity", "code", "ref", "message"],
};
/** How far from the window a view is made, in CSS pixels. */
const NEAR = "200px";

/** An audit from the text of a file; throws an Error for people when it is none. */
export function parseAudit(text: string, trans: TranslationBundle): Audit {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(trans.__("This is not JSON, or its end is missing. %1", error instanceof Error ? error.message : ""));
  }
  return readAudit(value, trans);
}

/** An audit from JSON values; throws an Error for people when it is none. */
export function readAudit(value: unknown, trans: TranslationBundle): Audit {
  if (!isObject(value) || value.format !== FORMAT)
    throw new Error(trans.__("This JSON is no saved audit: it does not say that its format is %1. In Python, Audit.save('answer.lineage.json') writes one.", FORMAT));
  const { format_version: version } = value;
  if (typeof version === "number" && version > VERSION)
    throw new Error(
      trans.__("This audit is written in format %1, and this lineage-explorer reads up to format %2. Install a newer one: pip install --upgrade lineage-explorer", String(version), String(VERSION)),
    );
  const missing = lacking(value);
  if (!isAudit(value, missing)) throw new Error(trans.__("This audit is damaged: it lacks %1. Save it again, or compare it with its source.", missing.join(", ")));
  return value;
}

/** What an explorer shows: an audit, or what stands around something. Throws an Error for people when it is neither. */
export async function readContent(value: unknown, trans: TranslationBundle): Promise<Audit> {
  if (!isExploration(value)) return readAudit(value, trans);
  const { alone } = await import("./view.js");
  return alone(value);
}

function isExploration(value: unknown): value is Exploration {
  return isObject(value) && typeof value.root === "string" && isObject(value.question) && isObject(value.beyond) && ["nodes", "hops", "evidence"].every((name) => Array.isArray(value[name]));
}

export function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The parts that every audit has and this one has not. */
function lacking(value: { [key: string]: unknown }): string[] {
  const { question } = value;
  const asked = isObject(question) && isObject(question.policy) && ["endpoint", "as_of", "known_at"].every((name) => typeof question[name] === "string");
  return [
    ...(typeof value.format_version === "number" ? [] : ["format_version"]),
    ...(asked ? [] : ["question"]),
    ...TEXTS.filter((name) => typeof value[name] !== "string"),
    ...Object.keys(ROWS).filter((name) => !Array.isArray(value[name])),
    ...Object.entries(ROWS).flatMap(([list, texts]) => texts.filter((text) => !rows(value[list]).every((row) => typeof row[text] === "string")).map((text) => `${list}.${text}`)),
    ...(rows(value.nodes).every(({ roles, attributes }) => Array.isArray(roles) && isObject(attributes)) ? [] : ["nodes.roles"]),
    ...(rows(value.hops).every(({ requirements }) => Array.isArray(requirements) && requirements.every(isObject)) ? [] : ["hops.requirements"]),
  ];
}

/** The rows of a list; what is no row has none of the fields. */
function rows(list: unknown): { [key: string]: unknown }[] {
  return Array.isArray(list) ? list.map((row) => (isObject(row) ? row : {})) : [];
}

function isAudit(_value: object, missing: readonly string[]): _value is Audit {
  return missing.length === 0;
}

export interface ShowOptions {
  trans: TranslationBundle;
  badges?: "colour" | "plain";
  /** Asked before the view is made: whether it is wanted at all. */
  wanted?: () => Promise<boolean>;
}

/** Shows one audit, with nobody to ask. The view is made when it is first seen, and kept. */
export class SavedAudit extends Widget {
  private audit: Audit | null = null;
  private view: Mounted | null = null;
  private seen = false;
  private making = false;
  private readonly sight: IntersectionObserver;

  constructor(private readonly options: ShowOptions) {
    super();
    this.addClass("lx-lab-saved");
    this.sight = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.seen = true;
        void this.make();
      },
      { rootMargin: NEAR },
    );
    this.sight.observe(this.node);
  }

  /** Another audit takes the place of what is shown; of the same question, it is shown as its next answer. */
  present(audit: Audit): void {
    const before = this.audit;
    this.audit = audit;
    if (this.view !== null && before?.question.endpoint === audit.question.endpoint) {
      this.view.audit(audit);
      return;
    }
    this.clear();
    // Until the view is made, and for who reads a page that never makes it.
    this.node.replaceChildren(html("p", { class: "lx-lab-brief" }, html("strong", {}, clean(audit.verdict ?? "")), ` ${clean(audit.answer)}`));
    void this.make();
  }

  /** A message takes the place of what is shown. */
  tell(title: string, message: string, ...remedies: Remedy[]): void {
    this.audit = null;
    this.clear();
    this.node.replaceChildren(notice(title, message, ...remedies));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.sight.disconnect();
    this.clear();
    super.dispose();
  }

  private clear(): void {
    this.view?.destroy();
    this.view = null;
  }

  private async make(): Promise<void> {
    if (!this.seen || this.making || this.audit === null || this.view !== null) return;
    const { trans, badges = "colour", wanted } = this.options;
    this.making = true;
    try {
      if (wanted !== undefined && !(await wanted())) return;
      const { mountAudit } = await import("./view.js");
      // It may have been closed, or given something else, meanwhile.
      if (!this.isDisposed && this.audit !== null) this.view = mountAudit(this.node, this.audit, null, { badges });
    } catch (error) {
      if (this.isDisposed) return;
      const said = error instanceof Error ? error.message : String(error);
      this.tell(trans.__("This audit cannot be shown"), trans.__("The view could not be made of it. %1", said));
    } finally {
      this.making = false;
    }
  }
}
