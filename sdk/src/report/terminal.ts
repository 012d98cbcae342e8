/** The thin layer between lines of text and a terminal: what is drawn again in place there is a plain line elsewhere. */

/** The part of a stream that is used; `process.stderr` is one. */
export interface Output {
  /** Takes text as it comes. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  isTTY?: boolean;
  /** Characters in a line. */
  columns?: number;
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

const ESCAPE = "\u001b[";

/** Lines that are drawn over and over in the same place; in a file or a pipe, an occasional plain line. */
export class LiveBlock {
  readonly #output: Output;
  readonly #intervalMs: number;
  readonly #now: () => number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #height = 0;
  #pending: readonly string[] | undefined;

  constructor(options: LiveBlockOptions = {}) {
    this.#output = options.output ?? process.stderr;
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
    return this.#output.columns ?? 100;
  }

  /** Draws the lines in place of those before, unless that was a moment ago. */
  update(lines: readonly string[]): void {
    if (this.#now() - this.#drawnAt < this.#intervalMs) this.#pending = lines;
    else this.#draw(lines);
  }

  /** Draws the last lines if they are not yet, and leaves them where they are. */
  finish(): void {
    if (this.#pending) this.#draw(this.#pending);
    this.#height = 0;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  #draw(lines: readonly string[]): void {
    this.#pending = undefined;
    this.#drawnAt = this.#now();
    if (!this.isLive) {
      this.#output.write(`${lines.join("\n")}\n`);
      return;
    }
    const up = this.#height > 0 ? `${ESCAPE}${this.#height}A` : "";
    const text = lines.map((line) => `\r${ESCAPE}2K${cut(line, this.columns)}\n`).join("");
    this.#output.write(`${up}${text}${ESCAPE}0J`);
    this.#height = lines.length;
  }
}

/** A line that is wider than the terminal would take two rows there, and the block could not be drawn over. */
function cut(line: string, columns: number): string {
  if (line.includes(ESCAPE)) return line; // its maker wrapped it
  const characters = [...line];
  return characters.length < columns ? line : `${characters.slice(0, Math.max(0, columns - 2)).join("")}…`;
}
