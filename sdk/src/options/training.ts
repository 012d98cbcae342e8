/** What a training run and the training primitives take. Defaults are the method's, called `lad`. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import { abortSignal, atLeast, fields, flag, integer, oneOf, seed, storedName } from "../checks/fields.js";
import { invalidOption } from "../errors.js";
import { type DenoisingAttention, denoisingAttention, shareWeight } from "./attention.js";
import { callShape } from "./call.js";
import { windowShape } from "./data.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";
import { type CustomNoise, hasTime, type Noise, noiseSchema } from "./noise.js";
import { defaultLearningRate, optimizerSchema, type ScheduleSpec, scheduleShape } from "./optimizer.js";

const SUPERVISE = ["all-tokens", "all-answer-tokens", "corrupted-answer-tokens"] as const;

const lossFields = fields({
  /** Which tokens are supervised: prompt, answer and tail; answer and tail; or what was corrupted of them. */
  supervise: oneOf(SUPERVISE).default("all-tokens"),
  /** Whether the EOS tail is supervised. */
  tail: flag().default(true),
  /** `inverse-time` is LLaDA's 1/t, normalised by the whole answer's length; for mask-only and uniform noise. */
  weighting: oneOf(["uniform", "inverse-time"]).default("uniform"),
});
export const lossSchema = z.union(
  [oneOf(SUPERVISE).transform((supervise) => lossFields.parse({ supervise })), lossFields],
  { error: `one of ${SUPERVISE.join(", ")}, or an object` },
);
export type LossInput = z.input<typeof lossSchema>;
export type LossSpec = Readonly<z.output<typeof lossSchema>>;

/** Validation with noise that is fixed for each example, so that losses of different runs are comparable. */
const validationFields = fields({
  data: dataSourceSchema,
  /** 0: all. */
  maxExamples: integer(0).default(0),
  /** 0: only before the first step and after the last. */
  everySteps: integer(0).default(0),
  seed: seed().default(0n),
});

/** Adapter and optimizer, written to the worker's store. The name is the run's alone from its start to its end. */
const checkpointFields = fields({
  name: storedName(),
  /** 0: only after the last step. */
  everySteps: integer(0).default(0),
  /** Go on from the checkpoint of that name, where there is one. Another adapter that wrote it must have been dropped. */
  resume: flag().default(false),
  /** Write over a checkpoint of that name; with `resume`, also over one whose adapter is still there. */
  overwrite: flag().default(false),
});

const noiseOrCustom = z.union(
  [noiseSchema, z.custom<CustomNoise>((value) => isCustomNoise(value), { error: "a noise" })],
  { error: "one of lad, mask-only, cover, uniform, none, or lad(), …, customNoise()" },
);

export const trainingFields = fields({
  data: dataSourceSchema,
  ...windowShape,
  noise: noiseOrCustom.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossFields.parse({})),
  optimizer: optimizerSchema.default(() => optimizerSchema.parse("adamw")),
  ...scheduleShape,
  /** Optimizer steps. Default: as many as `epochs` need. */
  steps: integer(1).optional(),
  /** Passes over the data, where `steps` is not given. Default 1. */
  epochs: integer(1).optional(),
  /** Examples a step. */
  batchSize: integer(1, 2 ** 20).default(8),
  /** A step is split into micro-batches of at most this many tokens (an example is never split). */
  microBatchTokens: integer(1).default(2048),
  /** The gradient's norm is clipped to this. 0: no clipping. */
  maxGradientNorm: atLeast(0).default(0.5),
  /** Of data order and noise. */
  seed: seed().default(0n),
  validation: validationFields.optional(),
  checkpoint: checkpointFields.optional(),
  /** How the prompt attends; an adapter is sampled as it was trained. */
  attention: denoisingAttention.default("full"),
  /** Compute activations again in the backward instead of keeping them: less memory, more time, the same numbers. */
  gradientCheckpointing: flag().default(false),
  shareWeight: shareWeight.default(1),
  /** Leave the run going when its events are no longer read; otherwise leaving the loop cancels it. */
  detached: flag().default(false),
  signal: abortSignal().optional(),
});
/** Options of `adapter.train`. */
export type TrainingOptions = Omit<z.input<typeof trainingFields>, "data" | "validation"> & {
  data: DataSource;
  validation?: (Omit<z.input<typeof validationFields>, "data"> & { data: DataSource }) | undefined;
};
type Checked = z.output<typeof trainingFields>;
/** Options of `adapter.train` with every default filled in. */
export type CheckedTraining = Omit<Checked, "learningRate"> & { readonly schedule: ScheduleSpec };

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
  if (given.steps !== undefined && given.epochs !== undefined) {
    warn(`epochs is ignored: steps is given (${given.steps}).`);
  }
  if (given.decay === "constant" && given.finalFraction !== 0) {
    warn("finalFraction is ignored: a constant schedule does not decay.");
  }
  if (!given.padToWindow && options.loss !== undefined && typeof options.loss === "object") {
    if (options.loss.tail !== undefined) warn("loss.tail is ignored: without padToWindow there is no tail.");
  }
  return { ...given, schedule };
}

/** What a warm-up that is never finished comes to, told once the number of steps is known. */
export function warnOfWarmup({ warmupSteps }: ScheduleSpec, steps: number, warn: Warn): void {
  if (warmupSteps <= steps) return;
  warn(
    `warmupSteps is ${warmupSteps} and the run has ${steps} steps: the learning rate never reaches its peak. ` +
      "Give fewer warmupSteps.",
  );
}

/** Options of `adapter.validate` and `base.validate`. */
const validateFields = fields({
  data: dataSourceSchema,
  ...windowShape,
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossFields.parse({})),
  attention: denoisingAttention.default("full"),
  /** Of the noise, which is fixed for each example. */
  seed: seed().default(0n),
  /** 0: all. */
  maxExamples: integer(0).default(0),
  ...callShape,
});
export type ValidateOptions = Omit<z.input<typeof validateFields>, "data"> & { data: DataSource };

export function checkValidate(options: ValidateOptions) {
  const given = check(validateFields, options);
  checkLossFits(given.loss, given.noise);
  return given;
}

/** 1/t weights belong to noises that draw a t, and to the tokens that were corrupted. */
function checkLossFits({ weighting, supervise }: LossSpec, noise: Noise | CustomNoise): void {
  if (weighting !== "inverse-time") return;
  if (!hasTime(noise) && noise.kind !== "custom") {
    throw invalidOption(
      "loss.weighting",
      weighting,
      `${noise.kind} noise has no time t to weight by`,
      "Use maskOnly() or uniform() noise, or the weighting uniform.",
    );
  }
  if (supervise !== "corrupted-answer-tokens") {
    throw invalidOption(
      "loss.weighting",
      weighting,
      `1/t weights belong to corrupted tokens, and loss.supervise is ${supervise}`,
      "Set loss.supervise to corrupted-answer-tokens, or the weighting to uniform.",
    );
  }
}

/** In `causal-prefix` attention nothing of the adapter computes the prompt. */
function checkSupervises({ supervise }: LossSpec, attention: DenoisingAttention): void {
  if (attention !== "causal-prefix" || supervise !== "all-tokens") return;
  throw invalidOption(
    "loss.supervise",
    supervise,
    "in causal-prefix attention the prompt runs through the unadapted base, which learns nothing",
    "Set loss.supervise to all-answer-tokens or corrupted-answer-tokens.",
  );
}

function isCustomNoise(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "custom";
}
