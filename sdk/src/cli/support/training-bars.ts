/** The bars of several trainings, one after another or in turn. */
import type { TrainingEvent } from "../../index.js";
import { LiveBlock, progressLine } from "../../report/index.js";
import type { Cli } from "../cli.js";

/** Draws the step that was taken last, with the time that its training has taken and will take. */
export class TrainingBars {
  readonly #block: LiveBlock;
  readonly #seconds = new Map<string, number>();
  readonly #from = new Map<string, number>();

  constructor({ stderr }: Cli) {
    this.#block = new LiveBlock({ output: stderr });
  }

  /** Draws an event of the training `label` of `steps` steps, if it is a step. */
  draw(label: string, steps: number | undefined, event: TrainingEvent): void {
    if (event.type !== "step") return;
    const { step, report, tokensPerSecond } = event;
    const seconds = (this.#seconds.get(label) ?? 0) + event.seconds;
    this.#seconds.set(label, seconds);
    const from = this.#from.get(label) ?? step - 1; // steps before the first that is told
    this.#from.set(label, from);
    const progress = { label, step, steps: steps ?? step, from, loss: report.loss, tokensPerSecond, seconds };
    this.#block.update([progressLine(progress, this.#block.columns)]);
  }

  /** Leaves the bar where it is: what follows stands below it. */
  finish(): void {
    this.#block.finish();
  }
}
