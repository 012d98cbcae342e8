/**
 * LoRA-Adapted Diffusion: adapts a causal Llama to diffusion and samples from it, on a PyTorch worker.
 *
 * Begin with {@link Runtime.start}.
 *
 * Files in which everything is public are exported whole; from the others, only what users need.
 */
export * from "./adapter.js";
export { type AdapterFolderInfo, copyAdapterFolder, readAdapterFolder } from "./adapter-folder.js";
export { Base } from "./base.js";
export {
  Benchmark,
  type BenchmarkOptions,
  type ScoredBy,
} from "./benchmarks/benchmark.js";
export { compareRuns, type KeptRun, type RunComparison } from "./benchmarks/compare-runs.js";
export type { BenchmarkModel, BenchmarkProgress, RunBenchmarkOptions } from "./benchmarks/options.js";
export type { RunConfiguration } from "./benchmarks/results-folder.js";
export * from "./benchmarks/run-benchmark.js";
export type { ItemResult } from "./benchmarks/scoring/scorer.js";
export * from "./benchmarks/tasks/registered.js";
export * from "./canvas.js";
export type { Complete } from "./checks/fields-of.js";
export type { MixedData } from "./data/mixing.js";
export type { Rendered } from "./data/text.js";
export { tinyData } from "./data/tiny-data.js";
export type { WrittenAnswers } from "./data/written-answers.js";
export { isLadError, LadError, type LadErrorCode, type LadErrorDetails, WorkerError } from "./errors.js";
export type { AdapterCheck } from "./evaluation/adapter-check.js";
export { type Comparable, compareEvaluations } from "./evaluation/comparing.js";
export type { Evaluation } from "./evaluation/evaluation.js";
export type { LossCurve, LossPoint } from "./evaluation/loss-curve.js";
export { distinctN } from "./evaluation/measures/distinct.js";
export { exactMatch } from "./evaluation/measures/exact-match.js";
export type * from "./evaluation/measures/measure.js";
export { type Measured, measures } from "./evaluation/measures/measures.js";
export type { AnswerTokens } from "./evaluation/measures/ngrams.js";
export { median, perplexity, scoredTokens } from "./evaluation/measures/perplexity.js";
export { repeatedNgramShare } from "./evaluation/measures/repeated.js";
export { bootstrap, paired } from "./evaluation/statistics/bootstrap.js";
export type { Estimate, IntervalMethod } from "./evaluation/statistics/estimate.js";
export { jackknife, pairedJackknife } from "./evaluation/statistics/jackknife.js";
export { newcombe, wilson } from "./evaluation/statistics/wilson.js";
export type { ExampleLoss } from "./evaluation/validating.js";
export * from "./experiments/experiment.js";
export type * from "./experiments/experiment-result.js";
export type { Frozen } from "./experiments/plain-data.js";
export * from "./experiments/recipes.js";
export * from "./experiments/run-experiment.js";
export * from "./experiments/run-plan.js";
export * from "./experiments/sweep.js";
export type { DonePoint, FailedPoint, Outcome, PointFailure } from "./experiments/sweep-manifest.js";
export type * from "./frozen-base.js";
export {
  type AnswerState,
  grownAnswer,
  type IterationPrediction,
  maskedAnswer,
  type PolicyStep,
} from "./method/answer-state.js";
export * from "./method/data-order.js";
export * from "./method/draw.js";
export * from "./method/early-stopping.js";
export * from "./method/learning-rate.js";
export { type LikelihoodMasksOptions, likelihoodMasks } from "./method/likelihood-masks.js";
export {
  IGNORE_INDEX,
  IGNORE_INDEX as UNSUPERVISED,
  type LossOptions,
  type LossSpec,
  type ShownExample,
  type SoftOptions,
  type SoftTargets,
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
export { type DraftKey, drafted, draftSeed } from "./method/noises/draft.js";
export * from "./method/noises/registered.js";
export * from "./method/policies/registered.js";
export { type Policy, type PolicyKind, type PolicyOptions, policyStep } from "./method/policy.js";
export type { PreparedExample } from "./method/prepared-example.js";
export { argsort, Purpose, uniforms } from "./method/random.js";
export { randomSplit, type SplitKey, type TrainingContext } from "./method/random-split.js";
export * from "./model.js";
export type { AdapterCheckOptions } from "./options/adapter-check.js";
export type { AttentionModeName, DenoisingAttention, ShareOptions } from "./options/attention.js";
export type { Row, RowSource } from "./options/data/rows.js";
export * from "./options/descriptions.js";
export type { BootstrapOptions } from "./options/evaluation/bootstrap.js";
export {
  type Causal,
  type CausalInput,
  causal,
  type Likelihood,
  type LikelihoodInput,
  type LikelihoodKind,
  type MonteCarlo,
  type MonteCarloOptions,
  monteCarlo,
  type PseudoLikelihood,
  pseudoLikelihood,
} from "./options/evaluation/likelihood.js";
export type { CorruptionKind, LossCurveOptions } from "./options/evaluation/loss-curve.js";
export type { EvaluateOptions, EvaluationItem, EvaluationProgress, Judge } from "./options/evaluation.js";
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
export type * from "./options/primitives.js";
export type { StartOptions, WorkerOptions } from "./options/runtime.js";
export type { DrawOptions, SamplingOptions } from "./options/sampling.js";
export type { SweepSettings } from "./options/sweep.js";
export type {
  BestCheckpoint,
  TrainingCheckpoint,
  TrainingSave,
  ValidationOptions,
} from "./options/training.js";
export {
  type Adamw,
  type AdamwInput,
  type AdamwOptions,
  type AdapterOptions,
  type AnswerPiece,
  adamw,
  type BaseOptions,
  type BeginningOptions,
  type CallOptions,
  type CanvasStart,
  type ChatExample,
  type ChatMessage,
  type CheckpointOptions,
  type ContainerOptions,
  type Corruption,
  type CsvOptions,
  type CsvSource,
  type CustomNoise,
  checkName,
  checkSampleOptions,
  csv,
  customNoise,
  type DataSource,
  type Dataset,
  type DecodeAllOptions,
  type DeduplicateOptions,
  type DraftPiece,
  draftOf,
  type EncodeOptions,
  type Example,
  type ExampleColumns,
  type ExamplesOptions,
  type Gap,
  type GapOptions,
  gap,
  type HubSource,
  type HubSplit,
  hub,
  type InspectOptions,
  type InstructionExample,
  type JsonlSource,
  jsonl,
  type LoadAdapterOptions,
  type LoadProgress,
  type LocalOptions,
  type LossInput,
  type MergeOptions,
  type MergeProgress,
  type Mixture,
  type MixtureOptions,
  type MixtureSource,
  type Muon,
  type MuonInput,
  type MuonOptions,
  mixture,
  muon,
  type NearDuplicateOptions,
  type NoiseDraw,
  type NoiseInput,
  type Optimizer,
  type OptimizerInput,
  type PiecesOptions,
  type PlainSource,
  type PolicyInput,
  type PrepareOptions,
  type PromptOptions,
  type PushOptions,
  type ReadOptions,
  type RemoteOptions,
  type RunSpecification,
  type RuntimeOptions,
  type SampleManyOptions,
  type SampleOptions,
  type SamplingLimit,
  type SaveOptions,
  type ScheduleOptions,
  type SpecifiedAdapter,
  type SpecifiedTraining,
  type SpecifiedValidation,
  type Split,
  type SplitOptions,
  type SplitPart,
  type SplitSource,
  split,
  type TextOptions,
  type TrainingOptions,
  type ValidateOptions,
  type WholeSource,
  type WindowOptions,
  type WindowSpec,
  type WorkerJsonlSource,
  type WriteAnswersOptions,
  type WritingProgress,
  workerJsonl,
} from "./options.js";
export type { Finding, NamedClaim } from "./reproduction/claims/claim.js";
export { readReport } from "./reproduction/kept-report.js";
export { readReproduction } from "./reproduction/kept-reproduction.js";
export type {
  ReproductionBenchmarks,
  ReproductionData,
  ReproductionOptions,
} from "./reproduction/options.js";
export type { PlannedBase, ReproductionPlan } from "./reproduction/plan.js";
export {
  type JudgedClaim,
  type ReproducedPiece,
  type ReproducingOptions,
  Reproduction,
  reproduceLad,
} from "./reproduction/reproduction.js";
export type * from "./results.js";
export { type Finality, finalityOf, finalTokens } from "./runs/final-tokens.js";
export { type FollowOptions, Run } from "./runs/run.js";
export { SampleRun, type SamplingBegun, SamplingRun } from "./runs/sampling.js";
export type * from "./runs/steps.js";
export type { TrainingRun } from "./runs/training.js";
export type { TrainableAdapter } from "./runs/training-loop.js";
export { trainingLoop } from "./runs/training-loop.js";
export * from "./runtime.js";
export { Snapshot } from "./snapshot.js";
export type * from "./transport.js";
export * from "./version.js";
export {
  type Announcement,
  announceWorker,
  requireNoneServed,
  type ServedWorker,
  servedWorker,
} from "./worker/served.js";
