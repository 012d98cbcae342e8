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
 * Losses in nats. `loss` is what is optimised; every `ce` is a plain mean of −log p(the clean token) over one kind of the supervised
 * tokens, NaN over none. ln(vocabulary) is a guess at random, 0 certainty.
 *
 * Most supervised tokens may be shown as they are (with `supervise: "all-tokens"` the prompt too), and copying those is easy: how well
 * corrupted answers are repaired is in `corruptedCe`, and of it `corruptedContentCe` leaves out the tail, which is easy as well.
 */
export interface LossReport {
  /** Σ weight · CE over the batch, with the weights of `loss.weighting`. */
  readonly loss: number;
  /** Over every supervised token. */
  readonly ce: number;
  /** Over those that are no padding: the answer with the EOS that ends it, and the prompt where that is supervised. */
  readonly contentCe: number;
  /** Over the padding behind the answer, EOS throughout. */
  readonly tailCe: number;
  /** Over those whose input was corrupted, tail included. */
  readonly corruptedCe: number;
  /** Over those whose input was corrupted, without the tail. */
  readonly corruptedContentCe: number;
  /** All tokens computed. */
  readonly tokens: number;
  /** Tokens that `loss` and `ce` are over. */
  readonly supervisedTokens: number;
  /** Tokens that `contentCe` is over. */
  readonly contentTokens: number;
  /** Tokens that `tailCe` is over. */
  readonly tailTokens: number;
  /** Tokens that `corruptedCe` is over. */
  readonly corruptedTokens: number;
  /** Tokens that `corruptedContentCe` is over. */
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
