/**
 * LoRA-Adapted Diffusion: adapts a causal Llama to diffusion and samples from it, on a PyTorch worker.
 *
 * Begin with {@link Runtime.start}.
 */
export { Adapter } from "./adapter.js";
export { Base } from "./base.js";
export { Canvas, type CanvasInput, type CanvasPrediction } from "./canvas.js";
export type { Complete } from "./checks/fields-of.js";
export type { Rendered } from "./data/text.js";
export { tinyData } from "./data/tiny-data.js";
export { isLadError, LadError, type LadErrorCode, type LadErrorDetails, WorkerError } from "./errors.js";
export type { Evaluation } from "./evaluation/evaluation.js";
export { distinctN } from "./evaluation/measures/distinct.js";
export { type Accuracy, accuracy, exactMatch } from "./evaluation/measures/exact-match.js";
export type { Answered, Measure, TokenScores } from "./evaluation/measures/measure.js";
export { type Measured, measures } from "./evaluation/measures/measures.js";
export type { AnswerTokens } from "./evaluation/measures/ngrams.js";
export { median, type Perplexity, perplexity, scoredTokens } from "./evaluation/measures/perplexity.js";
export { repeatedNgramShare } from "./evaluation/measures/repeated.js";
export type { Score } from "./evaluation/scoring.js";
export { experimentAt, formatExperiment, parseExperiment, readExperiment } from "./experiments/experiment.js";
export type { Frozen } from "./experiments/plain-data.js";
export { type Recipe, type Recipes, recipeFor, recipes } from "./experiments/recipes.js";
export {
  type ExperimentResult,
  type RunExperimentOptions,
  runExperiment,
} from "./experiments/run-experiment.js";
export { planRuns, type RunPlan, type RunPlanOptions } from "./experiments/run-plan.js";
export {
  type Axes,
  type AxisValue,
  type Point,
  type SpecifiedSweepOptions,
  Sweep,
  type SweepContext,
  type SweepOptions,
  type SweepParts,
  type SweepResult,
  sweep,
  type UnspecifiedSweepOptions,
} from "./experiments/sweep.js";
export type { DonePoint, FailedPoint, Outcome, PointFailure } from "./experiments/sweep-manifest.js";
export type { FrozenBase, Question } from "./frozen-base.js";
export {
  type AnswerState,
  grownAnswer,
  type IterationPrediction,
  maskedAnswer,
  type PolicyStep,
} from "./method/answer-state.js";
export { batches, type Draw, permutation } from "./method/data-order.js";
export { type DrawnToken, drawToken, entropy, type TokenDraw } from "./method/draw.js";
export { learningRate, type ScheduleSpec } from "./method/learning-rate.js";
export {
  IGNORE_INDEX,
  IGNORE_INDEX as UNSUPERVISED,
  type LossOptions,
  type LossSpec,
  type ShownExample,
  type Supervise,
  type TargetedSequence,
  targeted,
  type Weighting,
} from "./method/loss-targets.js";
export {
  applyNoise,
  type Noise,
  type NoiseContext,
  type NoisedExample,
  type NoiseKind,
  type NoiseOptions,
} from "./method/noise.js";
export {
  type Cover,
  type CoverOptions,
  cover,
  type Lad,
  type LadOptions,
  lad,
  type MaskOnly,
  type MaskOnlyOptions,
  maskOnly,
  type NoNoise,
  noises,
  noNoise,
  type TimedOptions,
  type Uniform,
  type UniformOptions,
  uniform,
} from "./method/noises/registered.js";
export {
  type BudgetStep,
  chooseRemasked,
  type LladaPolicy,
  lladaBudget,
  lladaStep,
  type RemaskPolicy,
  type RemaskSchedule,
  refineStep,
  remaskShare,
  remaskStep,
  shareCount,
} from "./method/policies.js";
export type { PreparedExample } from "./method/prepared-example.js";
export { argsort, Purpose, uniforms } from "./method/random.js";
export { Model, type ValidationResult } from "./model.js";
export type { AttentionModeName, DenoisingAttention, ShareOptions } from "./options/attention.js";
export type { EvaluateOptions, EvaluationItem } from "./options/evaluation.js";
export type {
  Experiment,
  ExperimentAdapter,
  ExperimentBase,
  ExperimentEvaluation,
  ExperimentRuntime,
  ExperimentSampling,
  ExperimentSweep,
  ExperimentTraining,
} from "./options/experiment.js";
export type {
  CanvasOptions,
  ForwardBackwardOptions,
  GradientOptions,
  NoisedOptions,
  OptimStepOptions,
  PredictCanvas,
  PredictOptions,
  ScoreItem,
  ScoreOptions,
  SequenceInput,
  SequencesOptions,
} from "./options/primitives.js";
export type { StartOptions, WorkerOptions } from "./options/runtime.js";
export type { DrawOptions, SamplingOptions } from "./options/sampling.js";
export type { SweepSettings } from "./options/sweep.js";
export type { TrainingCheckpoint, ValidationOptions } from "./options/training.js";
export {
  type Adamw,
  type AdamwInput,
  type AdamwOptions,
  type AdapterOptions,
  adamw,
  type BaseOptions,
  type CallOptions,
  type ChatExample,
  type ChatMessage,
  type CheckpointOptions,
  type ContainerOptions,
  type Corruption,
  type CustomNoise,
  customNoise,
  type DataSource,
  type Dataset,
  type Example,
  type ExamplesOptions,
  type HubSource,
  type HubSplit,
  hub,
  type InstructionExample,
  type JsonlSource,
  jsonl,
  type LoadProgress,
  type LocalOptions,
  type LossInput,
  type Muon,
  type MuonInput,
  type MuonOptions,
  muon,
  type NoiseDraw,
  type NoiseInput,
  type Optimizer,
  type OptimizerInput,
  type PrepareOptions,
  type PromptOptions,
  type RemoteOptions,
  type RuntimeOptions,
  type SampleManyOptions,
  type SampleOptions,
  type SamplingMode,
  type SaveOptions,
  type ScheduleOptions,
  type TextOptions,
  type TrainingOptions,
  type ValidateOptions,
  type WindowOptions,
  type WindowSpec,
  type WorkerJsonlSource,
  workerJsonl,
} from "./options.js";
export { type FollowOptions, Run } from "./runs/run.js";
export { SampleRun, SamplingRun } from "./runs/sampling.js";
export type { ForwardBackwardResult, OptimStepResult } from "./runs/steps.js";
export type { TrainingRun } from "./runs/training.js";
export type { TrainableAdapter } from "./runs/training-loop.js";
export { trainingLoop } from "./runs/training-loop.js";
export { type Connection, Runtime } from "./runtime.js";
export { Snapshot } from "./snapshot.js";
export type { Method, Transport, TransportOptions } from "./transport.js";
export { BUILD_VERSION, PROTOCOL_VERSION } from "./version.js";
export type {
  AdapterInfo,
  Answer,
  BaseInfo,
  CheckpointWritten,
  Edit,
  Frame,
  LossReport,
  MatrixKernel,
  NumberedEvent,
  Prediction,
  RunCancelled,
  RunEvent,
  RunFailed,
  RunInfo,
  RunKindName,
  RunPaused,
  RunResumed,
  RunStateName,
  SamplingEvent,
  SamplingFinished,
  StopReasonName,
  TrainingEvent,
  TrainingFinished,
  TrainingStarted,
  TrainingStep,
  Validation,
  WindowReport,
  WorkerInfo,
} from "./wire.js";
