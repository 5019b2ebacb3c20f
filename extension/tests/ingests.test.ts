// @vitest-environment happy-dom
import { nullTranslator } from "@jupyterlab/translation";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { outcome, Progress, Watched, type Ingest } from "../src/lab/progress.js";
import type { IServer } from "../src/lab/tokens.js";

const TRANS = nullTranslator.load("lineage_explorer");
const ONE: Ingest = {
  id: "a1",
  store: "lineage.db",
  source: "data/mlflow.db",
  state: "running",
  records: 0,
  counts: null,
  message: null,
  started_at: "2026-11-21T12:00:00Z",
  ended_at: null,
};
const COUNTS = { read: 123, stored: 120, unchanged: 0, quarantined: 3, vanished: 0 };

/** A server whose ingests a test moves on by hand. */
class Fake implements IServer {
  ingests: Ingest[] = [];
  asked: string[] = [];

  get = <T>(path: string): Promise<T> => this.told(`GET ${path}`, { ingests: this.ingests });
  send = <T>(method: string, path: string): Promise<T> => this.told(`${method} ${path}`, ONE);

  private told<T>(asked: string, answer: unknown): Promise<T> {
    this.asked.push(asked);
    return new Response(JSON.stringify(answer)).json();
  }
}

describe("an ingest that is watched", () => {
  let server: Fake;
  let watched: Watched;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    server = new Fake();
    watched = new Watched(server);
  });
  afterEach(() => {
    watched.dispose();
    vi.useRealTimers();
  });
  const rest = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  it("is asked about while it runs, and not one time more", async () => {
    server.ingests = [{ ...ONE, records: 10 }];
    await watched.start({ source: "data/mlflow.db", store: "lineage.db", full: false, create: false });
    await rest(3500);
    const looks = server.asked.length;
    expect(looks).toBeGreaterThan(2);
    expect(watched.running[0]?.records).toBe(10);
    server.ingests = [{ ...ONE, state: "done", counts: COUNTS }];
    await rest(2000);
    const after = server.asked.length;
    await rest(60_000);
    expect(server.asked.length).toBe(after);
  });

  it("is told of at its end, also when it ended before the first look, and once", async () => {
    const ends: string[] = [];
    watched.ended.connect((_, { state }) => ends.push(state));
    server.ingests = [{ ...ONE, state: "failed", message: "no" }];
    await watched.start({ source: "data/mlflow.db", store: "lineage.db", full: false, create: false });
    await rest(5000);
    watched.look();
    await rest(5000);
    expect(ends).toEqual(["failed"]);
  });

  it("that ended before this page was opened is nobody's news", async () => {
    const ended = vi.fn();
    watched.ended.connect(ended);
    server.ingests = [{ ...ONE, state: "done", counts: COUNTS }];
    watched.look();
    await rest(5000);
    expect(ended).not.toHaveBeenCalled();
    expect(server.asked).toEqual(["GET ingests"]);
  });

  it("is shown with its count, told once to screen readers, and can be cancelled", async () => {
    const item = new Progress(watched, TRANS);
    server.ingests = [{ ...ONE, records: 1204 }];
    await watched.start({ source: "data/mlflow.db", store: "lineage.db", full: false, create: false });
    await rest(1500);
    const live = item.node.querySelector("[aria-live]");
    expect(item.active).toBe(true);
    expect(item.node.textContent).toContain(`Reading mlflow.db: ${(1204).toLocaleString()} records`);
    // A live region that counts along would never stop talking.
    expect(live?.textContent).toBe("Reading data/mlflow.db into lineage.db");
    const button = item.node.querySelector("button");
    expect(button?.getAttribute("aria-label")).toBe("Cancel reading data/mlflow.db");
    button?.click();
    await rest(0);
    expect(server.asked).toContain("DELETE ingests/a1");
    server.ingests = [{ ...ONE, state: "done", records: 123, counts: COUNTS }];
    await rest(2000);
    expect(live?.textContent).toBe("data/mlflow.db: Done: 120 stored, 3 quarantined");
    item.node.querySelector("button")?.click();
    expect(item.active).toBe(false);
  });

  it("shows a hostile source as text", async () => {
    const item = new Progress(watched, TRANS);
    server.ingests = [{ ...ONE, source: "x/<img src=x onerror=alert(1)>" }];
    watched.look();
    await rest(500);
    expect(item.node.querySelector("img")).toBeNull();
  });
});

describe("how an ingest ended", () => {
  it.each([
    [{ state: "done", counts: COUNTS }, "Done: 120 stored, 3 quarantined"],
    [{ state: "done", counts: { ...COUNTS, unchanged: 5, quarantined: 0, vanished: 2 } }, "Done: 120 stored, 5 unchanged, 0 quarantined, 2 vanished"],
    [{ state: "failed", message: "there is no table 'runs'" }, "There is no table 'runs'."],
  ] as const)("is one sentence", (more, said) => {
    expect(outcome({ ...ONE, ...more }, TRANS)).toBe(said);
  });
});
