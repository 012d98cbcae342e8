/** The validations of a training loop in this process: their losses, the best of them, and the checkpoint that keeps it. */
import type { FrozenBase } from "../frozen-base.js";
import {
  isExhausted,
  newWatch,
  type ValidationWatch,
  validationCe,
  watchValidation,
} from "../method/early-stopping.js";
import type { Noise } from "../method/noise.js";
import { lad } from "../method/noises/registered.js";
import type { ValidationResult } from "../model.js";
import type { CheckedTraining, CheckpointOptions, Dataset, ValidateOptions, WindowSpec } from "../options.js";
import type { BestValidation, LossReport, TrainingEvent } from "../wire.js";

type Asked = NonNullable<CheckedTraining["validation"]>;

/** The methods of an adapter that are used here. */
interface ValidatedAdapter {
  readonly base: Pick<FrozenBase, "dataset">;
  validate(options: ValidateOptions): Promise<ValidationResult>;
  checkpoint(name: string, options: CheckpointOptions): Promise<string>;
}

/** Validates while a loop trains, and keeps the adapter of the best validation. */
export class LoopValidations {
  readonly #adapter: ValidatedAdapter;
  readonly #options: CheckedTraining;
  readonly #asked: Asked;
  #dataset: Promise<Dataset> | undefined;
  #watch: ValidationWatch = newWatch;
  #last: LossReport | undefined;
  #overwrite: boolean;

  constructor(adapter: ValidatedAdapter, options: CheckedTraining, asked: Asked) {
    this.#adapter = adapter;
    this.#options = options;
    this.#asked = asked;
    this.#overwrite = asked.keepBest?.overwrite ?? false;
  }

  /** The last one's losses. */
  get last(): LossReport | undefined {
    return this.#last;
  }

  get best(): BestValidation | undefined {
    const { bestStep: step, bestCe: ce } = this.#watch;
    if (step === undefined) return undefined;
    return { step, ce, checkpoint: this.#asked.keepBest?.name ?? "" };
  }

  /** Whether the loop's patience is over. */
  get isExhausted(): boolean {
    return isExhausted(this.#watch, this.#asked.patience);
  }

  /** Computes the losses, with the run's noise, or with `lad` noise if the run's is custom. */
  async compute(): Promise<ValidationResult> {
    const { noise, loss, attention, context, canvasTokens, signal, ...options } = this.#options;
    const { data, maxExamples, seed } = this.#asked;
    this.#dataset ??= this.#adapter.base.dataset(data, { signal });
    const known: Noise = noise.kind === "custom" ? lad() : noise;
    return this.#adapter.validate({
      data: await this.#dataset,
      ...windowOf(options),
      noise: known,
      loss,
      attention,
      context,
      canvasTokens,
      seed,
      maxExamples,
      signal,
    });
  }

  /** Tells of a validation, and keeps the adapter if none was better. */
  async *tell(step: number, { report }: ValidationResult): AsyncGenerator<TrainingEvent, void, undefined> {
    const { minDelta, keepBest } = this.#asked;
    this.#last = report;
    this.#watch = watchValidation(this.#watch, { step, ce: validationCe(report), minDelta });
    yield { type: "validation", step, report, best: this.best };
    if (keepBest === undefined || this.#watch.bestStep !== step) return;
    const { signal } = this.#options;
    await this.#adapter.checkpoint(keepBest.name, { overwrite: this.#overwrite, signal });
    this.#overwrite = false;
    yield { type: "checkpoint", step, name: keepBest.name };
  }
}

export function windowOf(options: WindowSpec): WindowSpec {
  const { windowTokens, padToWindow, tooLong, maxPromptTokens, superviseTurns, allowSpecial, padTokens } =
    options;
  return { windowTokens, padToWindow, tooLong, maxPromptTokens, superviseTurns, allowSpecial, padTokens };
}
