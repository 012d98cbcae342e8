/** The bar of what is counted: questions, bytes. */
import { LiveBlock, progressLine } from "../../report/index.js";
import type { Cli } from "../cli.js";

/** Draws how much is done, with the time that it has taken and will take. */
export class CountBar {
  readonly #block: LiveBlock;
  readonly #form: ((count: number) => string) | undefined;
  #label = "";
  #started = 0;
  #from = 0;

  /** `form` writes a count; without it counts are numbers. */
  constructor({ stderr }: Cli, form?: (count: number) => string) {
    this.#block = new LiveBlock({ output: stderr });
    this.#form = form;
  }

  /** Draws that `done` of `total` are done. What was done when a label is first told has taken no time. */
  update(label: string, done: number, total: number): void {
    if (label !== this.#label) {
      this.#block.finish();
      [this.#label, this.#started, this.#from] = [label, performance.now(), done];
    }
    const seconds = (performance.now() - this.#started) / 1000;
    const progress = { label, step: done, steps: total, from: this.#from, seconds, form: this.#form };
    this.#block.update([progressLine(progress, this.#block.columns)]);
  }

  /** Leaves the last bar where it is: what follows stands below it. */
  finish(): void {
    this.#block.finish();
  }
}
