import type * as pb from "../gen/lad/v1/training.js";
import {
  type CheckedTraining,
  type LossSpec,
  type Noise,
  noiseSpec,
  type Optimizer,
  optimizerSpec,
} from "../options.js";
import { toWindow } from "./data.js";
import {
  ATTENTION_MODE,
  DECAY,
  LOSS_WEIGHTING,
  NOISE_KIND,
  OPTIMIZER_KIND,
  SUPERVISE_TOKENS,
} from "./names.js";
import { toNumber } from "./tensors.js";

/**
 * Losses in nats. `loss` is what is optimised; the others are plain means per token over the kind of token they name, NaN
 * over no tokens.
 */
export interface LossReport {
  readonly loss: number;
  /** Over supervised tokens. */
  readonly ce: number;
  /** Supervised, not tail. */
  readonly contentCe: number;
  readonly tailCe: number;
  /** Input differs from label, tail included. */
  readonly corruptedCe: number;
  readonly corruptedContentCe: number;
  /** All tokens computed. */
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly contentTokens: number;
  readonly tailTokens: number;
  readonly corruptedTokens: number;
  readonly corruptedContentTokens: number;
}

export function fromLossReport(report: pb.LossReport): LossReport {
  return {
    loss: report.loss,
    ce: report.ce,
    contentCe: report.contentCe,
    tailCe: report.tailCe,
    corruptedCe: report.corruptedCe,
    corruptedContentCe: report.corruptedContentCe,
    tokens: toNumber(report.tokens),
    supervisedTokens: toNumber(report.supervisedTokens),
    contentTokens: toNumber(report.contentTokens),
    tailTokens: toNumber(report.tailTokens),
    corruptedTokens: toNumber(report.corruptedTokens),
    corruptedContentTokens: toNumber(report.corruptedContentTokens),
  };
}

export function toNoise(noise: Noise): pb.NoiseSpec {
  const spec = noiseSpec(noise);
  return { ...spec, kind: NOISE_KIND[spec.kind] };
}

export function toLoss(loss: LossSpec): pb.LossSpec {
  return {
    supervise: SUPERVISE_TOKENS[loss.supervise],
    tail: loss.tail,
    weighting: LOSS_WEIGHTING[loss.weighting],
  };
}

export function toOptimizer(optimizer: Optimizer): pb.OptimizerSpec {
  const spec = optimizerSpec(optimizer);
  return { ...spec, kind: OPTIMIZER_KIND[spec.kind] };
}

/** What is known of a run only once its data are on the worker. */
export interface ResolvedData {
  readonly datasetId: string;
  readonly validationId: string | undefined;
  readonly steps: number;
}

export function toTraining(options: CheckedTraining, noise: Noise, data: ResolvedData): pb.TrainingSpec {
  const { validation, checkpoint, schedule } = options;
  return {
    datasetId: data.datasetId,
    window: toWindow(options),
    noise: toNoise(noise),
    loss: toLoss(options.loss),
    optimizer: toOptimizer(options.optimizer),
    schedule: { ...schedule, decay: DECAY[schedule.decay] },
    steps: data.steps,
    batchSize: options.batchSize,
    microBatchTokens: options.microBatchTokens,
    maxGradientNorm: options.maxGradientNorm,
    seed: options.seed,
    validation:
      validation === undefined || data.validationId === undefined
        ? undefined
        : {
            datasetId: data.validationId,
            maxExamples: validation.maxExamples,
            everySteps: validation.everySteps,
            seed: validation.seed,
          },
    checkpointEverySteps: checkpoint?.everySteps ?? 0,
    checkpoint: checkpoint?.name ?? "",
    resume: checkpoint?.resume ?? false,
    attention: ATTENTION_MODE[options.attention],
    gradientCheckpointing: options.gradientCheckpointing,
    shareWeight: options.shareWeight,
    overwrite: checkpoint?.overwrite ?? false,
  };
}
