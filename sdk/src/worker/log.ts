const KEPT_LINES = 200;

/** Keeps the last lines of a worker's log, and passes on each new line. */
export class WorkerLog {
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #lines: string[] = [];

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(line: string): void {
    const text = line.trimEnd();
    if (text === "") return;
    this.#lines.push(text);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.#onLine?.(text);
  }

  /** The last lines, oldest first. */
  tail(count = 20): string[] {
    return this.#lines.slice(-count);
  }
}
