import * as pbData from "../gen/lad/v1/data.js";
import type { GetRunSpecResponse } from "../gen/lad/v1/runs.js";
import * as pb from "../gen/lad/v1/training.js";
import {
  adamw,
  muon,
  type Optimizer,
  type RunSpecification,
  type SpecifiedTraining,
  type SpecifiedValidation,
} from "../options.js";
import { inJson } from "./bigints.js";
import { wordOf } from "./enums.js";
import { fromLoss, fromNoise } from "./training.js";
import { present } from "./worker.js";

export function fromRunSpec(reply: GetRunSpecResponse): RunSpecification {
  const { baseName, baseRevision, adapter, training } = reply;
  return {
    baseName,
    baseRevision,
    adapter: adapter && inJson({ ...adapter }),
    training: training && inJson(fromTraining(training)),
    datasetId: training?.datasetId,
    validation: training?.validation && fromValidation(training.validation),
  };
}

function fromValidation({ overwriteBest: _, ...validation }: pb.ValidationSpec): SpecifiedValidation {
  return inJson(validation);
}

function fromTraining(spec: pb.TrainingSpec): SpecifiedTraining {
  const { window: windowTokens, supervise, tooLong, ...window } = present(spec.window, "TrainingSpec.window");
  const { decay, ...schedule } = present(spec.schedule, "TrainingSpec.schedule");
  return {
    ...window,
    windowTokens,
    tooLong: wordOf(pbData.TooLong, tooLong),
    superviseTurns: wordOf(pbData.SuperviseTurns, supervise),
    noise: fromNoise(present(spec.noise, "TrainingSpec.noise")),
    loss: fromLoss(present(spec.loss, "TrainingSpec.loss")),
    optimizer: fromOptimizer(present(spec.optimizer, "TrainingSpec.optimizer")),
    ...schedule,
    decay: wordOf(pb.Decay, decay),
    steps: spec.steps,
    batchSize: spec.batchSize,
    microBatchTokens: spec.microBatchTokens,
    maxGradientNorm: spec.maxGradientNorm,
    seed: spec.seed,
    attention: wordOf(pb.AttentionMode, spec.attention) as SpecifiedTraining["attention"],
    context: wordOf(pb.TrainingContext, spec.context),
    canvasTokens: spec.canvasTokens,
    gradientCheckpointing: spec.gradientCheckpointing,
    shareWeight: spec.shareWeight,
    tensorboard: spec.tensorboard,
  };
}

/** The parameters that the kind uses; the message has those of all kinds. */
function fromOptimizer({ kind, ...parameters }: pb.OptimizerSpec): Optimizer {
  const { weightDecay, beta1, beta2, epsilon, momentum, newtonSchulzSteps } = parameters;
  return wordOf(pb.OptimizerKind, kind) === "adamw"
    ? adamw({ weightDecay, beta1, beta2, epsilon })
    : muon({ weightDecay, momentum, newtonSchulzSteps });
}
