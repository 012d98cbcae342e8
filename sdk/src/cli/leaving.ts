/** Ctrl-C: once asks a command to stop, twice ends it. */

/** The exit status of a command that Ctrl-C ended, as shells have it: 128 and the signal's number. */
export const LEFT_STATUS = 130;

/** Whether the user wants to leave. */
export class Leaving {
  readonly #asked = new AbortController();
  readonly #say: (line: string) => void;
  readonly #kill: (status: number) => void;

  /** `kill` ends the process; a worker that it started ends with it. */
  constructor(say: (line: string) => void, kill: (status: number) => void) {
    this.#say = say;
    this.#kill = kill;
  }

  /** Aborted as soon as the user wants to leave. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** A Ctrl-C. */
  ask(): void {
    if (this.#asked.signal.aborted) this.#kill(LEFT_STATUS);
    this.#say("\nStopping. Ctrl-C once more ends it at once.");
    this.#asked.abort();
  }
}
