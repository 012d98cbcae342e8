/** What a training run and the training primitives take. Defaults are the method's, called `lad`. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import { abortSignal, atLeast, filledText, flag, integer, seed, storedName } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import type { ScheduleSpec } from "../method/learning-rate.js";
import type { TrainingContext } from "../method/random-split.js";
import {
  canvasTokens,
  checkContext,
  type DenoisingAttention,
  denoisingAttention,
  type ShareOptions,
  shareWeight,
  trainingContext,
} from "./attention.js";
import { type CallOptions, callShape } from "./call.js";
import { type WindowOptions, windowShape } from "./data.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";
import { checkLossFits, checkSupervises, type LossInput, lossSchema, warnOfTail } from "./loss.js";
import { type CustomNoise, type NoiseInput, noiseOrCustom, noiseSchema } from "./noise.js";
import {
  defaultLearningRate,
  type OptimizerInput,
  optimizerSchema,
  type ScheduleOptions,
  scheduleShape,
} from "./optimizer.js";

/** Validation with noise that is fixed for each example, so that losses of different runs are comparable. */
export interface ValidationOptions {
  /** Where the examples come from. */
  data: DataSource;
  /** How many examples, from the first on: an integer of at least 0. Default: 0, all. */
  maxExamples?: number | undefined;
  /**
   * Steps between two validations, beside those before the first step and after the last: an integer of at least 0. Default: 0, only
   * those two.
   */
  everySteps?: number | undefined;
  /** Keys the noise: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /**
   * Keep the adapter of the best validation, that of the lowest CE of corrupted tokens, the one before the first step included, as a
   * checkpoint in the worker's store: its name (1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit), or
   * `{ name, overwrite }`. Default: it is not kept.
   */
  keepBest?: string | BestCheckpoint | undefined;
  /**
   * End the training after so many validations in a row without an improvement: an integer of at least 0. It needs `everySteps`.
   * Default: 0, only after the last step.
   */
  patience?: number | undefined;
  /**
   * A validation is an improvement if its CE is lower than that of the last improvement by more than this, in nats: a finite number of
   * at least 0. Default: 0.
   */
  minDelta?: number | undefined;
  /**
   * As the training ends by itself, set the adapter back to its best validation: weights, optimizer and steps, from the checkpoint of
   * `keepBest`. Default: false, it stays as its last step left it.
   */
  restoreBest?: boolean | undefined;
}

/** The checkpoint of the best validation. Its name is the run's alone from its start to its end. */
export interface BestCheckpoint {
  /**
   * The checkpoint's name in the store: 1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit.
   */
  name: string;
  /** Write over a checkpoint of that name. Default: false. */
  overwrite?: boolean | undefined;
}

export const bestCheckpointFields = fieldsOf<BestCheckpoint>()({
  name: storedName(),
  overwrite: flag().default(false),
});

const bestCheckpoint = z
  .union([storedName(), bestCheckpointFields], { error: "a checkpoint's name, or { name, overwrite }" })
  .transform((best) => (typeof best === "string" ? { name: best, overwrite: false } : best));

export const validationFields = fieldsOf<ValidationOptions>()({
  data: dataSourceSchema,
  maxExamples: integer(0).default(0),
  everySteps: integer(0).default(0),
  seed: seed().default(0n),
  keepBest: bestCheckpoint.optional(),
  patience: integer(0).default(0),
  minDelta: atLeast(0).default(0),
  restoreBest: flag().default(false),
});

/** Adapter and optimizer, written to the worker's store. The name is the run's alone from its start to its end. */
export interface TrainingCheckpoint {
  /**
   * The checkpoint's name in the store: 1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit.
   */
  name: string;
  /** Steps between two checkpoints, beside that after the last step: an integer of at least 0. Default: 0, only that one. */
  everySteps?: number | undefined;
  /**
   * Go on from the checkpoint of that name, where there is one. Another adapter that wrote it must have been dropped. Default: false.
   */
  resume?: boolean | undefined;
  /** Write over a checkpoint of that name; with `resume`, also over one whose adapter is still there. Default: false. */
  overwrite?: boolean | undefined;
}

export const checkpointFields = fieldsOf<TrainingCheckpoint>()({
  name: storedName(),
  everySteps: integer(0).default(0),
  resume: flag().default(false),
  overwrite: flag().default(false),
});

/** The folder of this machine that a trained adapter is written to, in PEFT's format. */
export interface TrainingSave {
  /** Its path. */
  folder: string;
  /** Replace an adapter's folder that is there. Default: false. */
  overwrite?: boolean | undefined;
}

export const trainingSaveFields = fieldsOf<TrainingSave>()({
  folder: filledText("a folder's path"),
  overwrite: flag().default(false),
});

const trainingSave = z
  .union([filledText("a folder's path"), trainingSaveFields], {
    error: "a folder's path, or { folder, overwrite }",
  })
  .transform((save) => (typeof save === "string" ? { folder: save, overwrite: false } : save));

/** Options of `adapter.train`. */
export interface TrainingOptions extends WindowOptions, ScheduleOptions, ShareOptions {
  /** Where the examples come from. */
  data: DataSource;
  /** How answers are corrupted. Default: `lad`. */
  noise?: NoiseInput | CustomNoise | undefined;
  /** Which tokens are supervised, with what weight. Default: `all-tokens`. */
  loss?: LossInput | undefined;
  /** What turns gradients into steps. Default: `adamw`. */
  optimizer?: OptimizerInput | undefined;
  /** Optimizer steps: an integer of at least 1. Default: as many as `epochs` need. */
  steps?: number | undefined;
  /** Passes over the data, where `steps` is not given: an integer of at least 1. Default: 1. */
  epochs?: number | undefined;
  /** Examples a step: an integer from 1 to 1,048,576. Default: 8. */
  batchSize?: number | undefined;
  /**
   * A step is split into micro-batches of at most this many tokens (an example is never split): an integer of at least 1.
   * Default: 2,048.
   */
  microBatchTokens?: number | undefined;
  /** The gradient's norm is clipped to this, a finite number of at least 0; 0: no clipping. Default: 0.5. */
  maxGradientNorm?: number | undefined;
  /** Keys data order and noise: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /** Losses of other data as training goes on. Default: none. */
  validation?: ValidationOptions | undefined;
  /** What is written to the worker's store. Default: nothing. */
  checkpoint?: TrainingCheckpoint | undefined;
  /**
   * Write the adapter to a folder of this machine, as `adapter.save` does, when the end of the run is read here: a path, or
   * `{ folder, overwrite }`. The folder is checked before the first step. Default: it is not written.
   */
  save?: string | TrainingSave | undefined;
  /**
   * How the prompt attends; an adapter is sampled as it was trained. `full`: every token attends to its whole sequence; `prefix`:
   * prompt tokens to the prompt alone; `causal-prefix`: the prompt runs through the unadapted causal base. Default: `full`.
   */
  attention?: DenoisingAttention | undefined;
  /**
   * What stands before the part of the answer that is trained. `prompt`: the prompt; `random-split`, in the attention mode
   * `causal-prefix` alone: each answer is cut at a random place, and all that is decided before it but the last token belongs to the
   * causal past, as when `speculative` drafts. Default: `prompt`.
   */
  context?: TrainingContext | undefined;
  /**
   * In `random-split` context, the most tokens of an answer that its canvas has from the cut on; the rest of it is not seen. An adapter is
   * then sampled in canvases, and drafts, of so many: an integer from 0 to 1,048,576. Default: 0, all that follow the cut.
   */
  canvasTokens?: number | undefined;
  /**
   * Compute activations again in the backward instead of keeping them: less memory, more time, the same numbers. Default: false.
   */
  gradientCheckpointing?: boolean | undefined;
  /**
   * Write TensorBoard's event files beside the run's `metrics.jsonl`, which every run of the worker has: in the folder of
   * `info().metricsPath`. The worker needs the package: `npx lad setup --with tensorboard`. Default: false.
   */
  tensorboard?: boolean | undefined;
  /** Leave the run going when its events are no longer read; otherwise leaving the loop cancels it. Default: false. */
  detached?: boolean | undefined;
  /** Ends the run with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
}

export const trainingFields = fieldsOf<TrainingOptions>()({
  data: dataSourceSchema,
  ...windowShape,
  noise: noiseOrCustom.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse({})),
  optimizer: optimizerSchema.default(() => optimizerSchema.parse("adamw")),
  ...scheduleShape,
  steps: integer(1).optional(),
  epochs: integer(1).optional(),
  batchSize: integer(1, 2 ** 20).default(8),
  microBatchTokens: integer(1).default(2048),
  maxGradientNorm: atLeast(0).default(0.5),
  seed: seed().default(0n),
  validation: validationFields.optional(),
  checkpoint: checkpointFields.optional(),
  save: trainingSave.optional(),
  attention: denoisingAttention.default("full"),
  context: trainingContext.default("prompt"),
  canvasTokens: canvasTokens.default(0),
  gradientCheckpointing: flag().default(false),
  shareWeight: shareWeight.default(1),
  tensorboard: flag().default(false),
  detached: flag().default(false),
  signal: abortSignal().optional(),
});
type Checked = z.output<typeof trainingFields>;
/** Options of `adapter.train` with every default filled in. */
export type CheckedTraining = Omit<Checked, "learningRate" | "warmupSteps" | "decay" | "finalFraction"> & {
  readonly schedule: OpenSchedule;
};

/** A schedule of which the warm-up may be left to the number of steps. */
export type OpenSchedule = Omit<ScheduleSpec, "warmupSteps"> & { readonly warmupSteps: number | undefined };

/**
 * Training options, checked and complete.
 *
 * @throws LadError `invalid-option`
 */
export function checkTraining(options: TrainingOptions, warn: Warn): CheckedTraining {
  const given = check(trainingFields, options);
  const schedule = {
    learningRate: given.learningRate ?? defaultLearningRate(given.optimizer),
    warmupSteps: given.warmupSteps,
    decay: given.decay,
    finalFraction: given.finalFraction,
  };
  checkLossFits(given.loss, given.noise);
  checkSupervises(given.loss, given.attention);
  checkContext(given);
  checkBest(given, warn);
  if (given.steps !== undefined && given.epochs !== undefined) {
    warn(`epochs is ignored: steps is given (${given.steps}).`);
  }
  if (given.decay === "constant" && given.finalFraction !== 0) {
    warn("finalFraction is ignored: a constant schedule does not decay.");
  }
  warnOfTail(options.loss, given.padToWindow, warn);
  if (!given.padToWindow && given.padTokens.length > 0) {
    warn("padTokens is ignored: without padToWindow there is no tail.");
  }
  return { ...given, schedule };
}

function checkBest({ validation, checkpoint }: Pick<Checked, "validation" | "checkpoint">, warn: Warn): void {
  if (validation === undefined) return;
  const { keepBest, patience, everySteps, minDelta, restoreBest } = validation;
  if (restoreBest && keepBest === undefined) {
    const remedy = 'Give keepBest a name, for instance "run-1-best".';
    throw invalidOption("validation.restoreBest", true, "no checkpoint keeps the best", remedy);
  }
  if (keepBest !== undefined && keepBest.name === checkpoint?.name) {
    const remedy = `Give another name, for instance "${keepBest.name}-best".`;
    throw invalidOption(
      "validation.keepBest",
      keepBest.name,
      "the run's own checkpoint has that name",
      remedy,
    );
  }
  if (patience > 0 && everySteps === 0) {
    throw invalidOption(
      "validation.patience",
      patience,
      "the run validates only before its first step and after its last",
      "Give validation.everySteps.",
    );
  }
  if (patience === 0 && minDelta > 0) warn("validation.minDelta is ignored: without patience nothing waits.");
}

/** The schedule of a run of `steps`: its warm-up fits them where none was given, and one that is never finished is told of. */
export function scheduleFor(schedule: OpenSchedule, steps: number, warn: Warn): ScheduleSpec {
  const { warmupSteps = Math.min(MOST_WARMUP_STEPS, Math.floor(steps / 10)) } = schedule;
  if (warmupSteps > steps) {
    warn(
      `warmupSteps is ${warmupSteps} and the run has ${steps} steps: the learning rate never reaches its peak. ` +
        "Give fewer warmupSteps.",
    );
  }
  return { ...schedule, warmupSteps };
}

/** The method's own warm-up, unless a run is short. */
const MOST_WARMUP_STEPS = 100;

/** Options of `adapter.validate` and `base.validate`. */
export interface ValidateOptions extends WindowOptions, CallOptions {
  /** Where the examples come from. */
  data: DataSource;
  /** How answers are corrupted; under `own-draft` by the noise that the model drafts from, as in a run's validations. Default: `lad`. */
  noise?: NoiseInput | undefined;
  /** Which tokens are supervised, with what weight. Default: `all-tokens`. */
  loss?: LossInput | undefined;
  /**
   * How the prompt attends. `full`: every token attends to its whole sequence; `prefix`: prompt tokens to the prompt alone;
   * `causal-prefix`: the prompt runs through the unadapted causal base. Default: `full`.
   */
  attention?: DenoisingAttention | undefined;
  /**
   * What stands before the part of the answer that is predicted. `prompt`: the prompt; `random-split`, in the attention mode
   * `causal-prefix` alone: each answer is cut at a random place, and all that is decided before it but the last token belongs to the
   * causal past, as when `speculative` drafts. Default: `prompt`.
   */
  context?: TrainingContext | undefined;
  /**
   * In `random-split` context, the most tokens of an answer that its canvas has from the cut on; the rest of it is not seen. An adapter is
   * then sampled in canvases, and drafts, of so many: an integer from 0 to 1,048,576. Default: 0, all that follow the cut.
   */
  canvasTokens?: number | undefined;
  /**
   * Keys the noise, which is fixed for each example: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0.
   */
  seed?: number | bigint | undefined;
  /** How many examples, from the first on: an integer of at least 0. Default: 0, all. */
  maxExamples?: number | undefined;
  /** Whether each example's own losses are told, by which two models can be compared. Default: false. */
  perExample?: boolean | undefined;
}

export const validateFields = fieldsOf<ValidateOptions>()({
  data: dataSourceSchema,
  ...windowShape,
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse({})),
  attention: denoisingAttention.default("full"),
  context: trainingContext.default("prompt"),
  canvasTokens: canvasTokens.default(0),
  seed: seed().default(0n),
  maxExamples: integer(0).default(0),
  perExample: flag().default(false),
  ...callShape,
});

/** Options of `validate` with every default filled in. */
export type CheckedValidation = z.output<typeof validateFields>;

export function checkValidate(options: ValidateOptions): CheckedValidation {
  const given = check(validateFields, options);
  checkLossFits(given.loss, given.noise);
  checkContext(given);
  return given;
}
