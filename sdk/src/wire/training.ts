import { LadError } from "../errors.js";
import * as pb from "../gen/lad/v1/training.js";
import type { ScheduleSpec } from "../method/learning-rate.js";
import type { LossReport } from "../method/loss-report.js";
import type { LossSpec } from "../method/loss-targets.js";
import type { Noise } from "../method/noise.js";
import { noises } from "../method/noises/registered.js";
import { type CheckedTraining, type Optimizer, optimizerSpec } from "../options.js";
import { counted } from "./bigints.js";
import { toWindow } from "./data.js";
import { numberOf, wordOf } from "./enums.js";
import { camelCase, toCase } from "./oneofs.js";

export function fromLossReport(report: pb.LossReport): LossReport {
  return counted(report);
}

export function toNoise(noise: Noise): pb.NoiseSpec {
  return { kind: toCase(noise) };
}

export function fromNoise({ kind }: pb.NoiseSpec): Noise {
  const name = Object.keys(noises).find((each) => camelCase(each) === kind?.$case);
  if (name === undefined) throw new LadError("internal", `The worker sent the noise ${kind?.$case}.`);
  const { noise, ...options } = { noise: undefined, ...kind?.value };
  return { kind: name, ...options, ...(noise && { noise: fromNoise(noise) }) } as Noise;
}

export function fromLoss(loss: pb.LossSpec): LossSpec {
  return {
    supervise: wordOf(pb.SuperviseTokens, loss.supervise),
    tail: loss.tail,
    tailWeight: loss.tailWeight,
    weighting: wordOf(pb.LossWeighting, loss.weighting),
    ...(loss.soft && { soft: loss.soft }),
  };
}

export function toLoss(loss: LossSpec): pb.LossSpec {
  return {
    supervise: numberOf(pb.SuperviseTokens, loss.supervise),
    tail: loss.tail,
    tailWeight: loss.tailWeight,
    weighting: numberOf(pb.LossWeighting, loss.weighting),
    soft: loss.soft && { ...loss.soft },
  };
}

export function toOptimizer(optimizer: Optimizer): pb.OptimizerSpec {
  const spec = optimizerSpec(optimizer);
  return { ...spec, kind: numberOf(pb.OptimizerKind, spec.kind) };
}

/** The parts of a run's specification that are known only once its data is on the worker. */
export interface ResolvedData {
  readonly datasetId: string;
  readonly validationId: string | undefined;
  readonly steps: number;
  readonly schedule: ScheduleSpec;
}

export function toTraining(options: CheckedTraining, noise: Noise, data: ResolvedData): pb.TrainingSpec {
  const { validation, checkpoint } = options;
  return {
    datasetId: data.datasetId,
    window: toWindow(options),
    noise: toNoise(noise),
    loss: toLoss(options.loss),
    optimizer: toOptimizer(options.optimizer),
    schedule: { ...data.schedule, decay: numberOf(pb.Decay, data.schedule.decay) },
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
            keepBest: validation.keepBest?.name ?? "",
            overwriteBest: validation.keepBest?.overwrite ?? false,
            patience: validation.patience,
            minDelta: validation.minDelta,
            restoreBest: validation.restoreBest,
          },
    checkpointEverySteps: checkpoint?.everySteps ?? 0,
    checkpoint: checkpoint?.name ?? "",
    resume: checkpoint?.resume ?? false,
    attention: numberOf(pb.AttentionMode, options.attention),
    context: numberOf(pb.TrainingContext, options.context),
    canvasTokens: options.canvasTokens,
    gradientCheckpointing: options.gradientCheckpointing,
    shareWeight: options.shareWeight,
    overwrite: checkpoint?.overwrite ?? false,
    tensorboard: options.tensorboard,
  };
}
