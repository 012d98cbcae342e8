/** Between lines of text and a terminal: what log-update draws again in place there is a plain line elsewhere. */
import { createLogUpdate } from "log-update";

/** The part of a stream that is used; `process.stderr` is one. */
export interface Output {
  /** Takes text as it comes. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  isTTY?: boolean;
  /** Characters in a line. */
  columns?: number;
  /** Lines that the terminal shows. */
  rows?: number;
}

/** Options of a `LiveBlock`. */
export interface LiveBlockOptions {
  /** Where lines go. Default: standard error. */
  output?: Output;
  /** Time between two drawings of a block that changes faster; the last state is always drawn. Default 80. */
  intervalMs?: number;
  /** The same where the output is no terminal, and every drawing stays. Default 5,000. */
  plainIntervalMs?: number;
  /** Milliseconds by some clock. Default: that of `Date`. */
  now?: () => number;
}

/** Where the output does not tell its width. */
const COLUMNS = 100;

/** Lines that are drawn over and over in the same place; in a file or a pipe, an occasional plain line. */
export class LiveBlock {
  readonly #output: Output;
  /** Undefined where the output is no terminal. */
  readonly #inPlace: ReturnType<typeof createLogUpdate> | undefined;
  readonly #intervalMs: number;
  readonly #now: () => number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #pending: readonly string[] | undefined;

  constructor(options: LiveBlockOptions = {}) {
    this.#output = options.output ?? process.stderr;
    this.#inPlace = this.isLive ? inPlace(this.#output) : undefined;
    this.#intervalMs = this.isLive ? (options.intervalMs ?? 80) : (options.plainIntervalMs ?? 5000);
    this.#now = options.now ?? Date.now;
  }

  /** Whether lines are drawn in place. */
  get isLive(): boolean {
    return this.#output.isTTY === true;
  }

  /** Whether colours are wanted: a terminal, and no `NO_COLOR` (no-color.org). */
  get color(): boolean {
    return this.isLive && !process.env.NO_COLOR;
  }

  /** Characters in a line; 100 where the output does not tell. */
  get columns(): number {
    return this.#output.columns ?? COLUMNS;
  }

  /** Draws the lines in place of those before, unless that was a moment ago. */
  update(lines: readonly string[]): void {
    if (this.#now() - this.#drawnAt < this.#intervalMs) this.#pending = lines;
    else this.#draw(lines);
  }

  /** Draws the last lines if they are not yet, and leaves them where they are. */
  finish(): void {
    if (this.#pending) this.#draw(this.#pending);
    this.#inPlace?.done();
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes away what is drawn in place; plain lines stay. */
  clear(): void {
    this.#pending = undefined;
    this.#inPlace?.clear();
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  #draw(lines: readonly string[]): void {
    this.#pending = undefined;
    this.#drawnAt = this.#now();
    const text = lines.join("\n");
    if (this.#inPlace) this.#inPlace(text);
    else this.#output.write(`${text}\n`);
  }
}

/** The cursor stays visible: log-update would hide that of standard error, whatever the output is. */
function inPlace(output: Output): ReturnType<typeof createLogUpdate> {
  return createLogUpdate(output as NodeJS.WritableStream, { showCursor: true, defaultWidth: COLUMNS });
}
