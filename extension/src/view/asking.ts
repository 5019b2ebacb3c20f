/** One question at a time: whoever asks again no longer wants the answer to the last. */

export class Asking {
  private current: AbortController | null = null;

  /** Asks after so many quiet milliseconds. Undefined when another question, or an end, came before the answer. */
  async put<T>(ask: (signal: AbortSignal) => Promise<T>, quiet = 0): Promise<T | undefined> {
    this.end();
    const mine = new AbortController();
    this.current = mine;
    const { signal } = mine;
    if (quiet > 0) await new Promise((resolve) => setTimeout(resolve, quiet));
    if (signal.aborted) return undefined;
    try {
      const answer = await ask(signal);
      return signal.aborted ? undefined : answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.current === mine) this.current = null;
    }
  }

  end(): void {
    this.current?.abort();
    this.current = null;
  }
}

/** What went wrong, for people. */
export function problem(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
