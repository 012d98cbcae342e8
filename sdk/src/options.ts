/**
 * Every option of this package: its meaning, range and default. The worker receives complete specifications and has no defaults of
 * its own.
 */
export {
  type AdapterOptions,
  adapterOptions,
  type BaseOptions,
  baseOptions,
  type CheckpointOptions,
  checkName,
  checkpointName,
  checkpointOptions,
  type DecodeAllOptions,
  decodeAllOptions,
  type EncodeOptions,
  encodeOptions,
  type LoadAdapterOptions,
  type LoadProgress,
  loadAdapterOptions,
  type MergeOptions,
  type MergeProgress,
  mergeOptions,
  type PiecesOptions,
  type PushOptions,
  piecesOptions,
  pushOptions,
  type SaveOptions,
  saveOptions,
  type TextOptions,
  textOptions,
} from "./options/base.js";
export { type CallOptions, callOptions } from "./options/call.js";
export type { ExampleColumns } from "./options/data/example-columns.js";
export { type CheckedInspection, checkInspect, type InspectOptions } from "./options/data/inspection.js";
export {
  type CheckedMixture,
  type DeduplicateOptions,
  deduplicateFields,
  type Mixture,
  type MixtureOptions,
  type MixtureSource,
  mixture,
  mixtureSource,
  type NearDuplicateOptions,
} from "./options/data/mixture.js";
export {
  type CheckedPlainSource,
  type CheckedWholeSource,
  type CsvOptions,
  type CsvSource,
  csv,
  type Dataset,
  exampleSchema,
  type HubSource,
  hub,
  type JsonlSource,
  jsonl,
  type PlainSource,
  type ReadOptions,
  type Split,
  type SplitOptions,
  type SplitPart,
  type SplitSource,
  split,
  type WholeSource,
  type WorkerJsonlSource,
  workerJsonl,
} from "./options/data/sources.js";
export {
  type ChatExample,
  type ChatMessage,
  type Example,
  type HubSplit,
  hubSplit,
  type InstructionExample,
  messagesSchema,
  type WindowOptions,
  type WindowSpec,
} from "./options/data.js";
export {
  type CheckedExamples,
  type CheckedSource,
  checkExamples,
  checkPrepare,
  checkSource,
  type DataSource,
  type ExamplesOptions,
  type PrepareOptions,
} from "./options/data-source.js";
export type { LossInput } from "./options/loss.js";
export {
  type Corruption,
  type CustomNoise,
  customNoise,
  type NoiseDraw,
  type NoiseInput,
} from "./options/noise.js";
export {
  type Adamw,
  type AdamwInput,
  type AdamwOptions,
  adamw,
  type Muon,
  type MuonInput,
  type MuonOptions,
  muon,
  type Optimizer,
  type OptimizerInput,
  optimizerSpec,
  type ScheduleOptions,
} from "./options/optimizer.js";
export type {
  RunSpecification,
  SpecifiedAdapter,
  SpecifiedTraining,
  SpecifiedValidation,
} from "./options/run-specification.js";
export {
  type CheckedContainer,
  type CheckedLocal,
  type ContainerOptions,
  checkRuntime,
  type LocalOptions,
  type RemoteOptions,
  type RuntimeOptions,
} from "./options/runtime.js";
export type { Beginning, BeginningOptions } from "./options/sampling/beginning.js";
export {
  type AnswerPiece,
  type DraftPiece,
  draftOf,
  type Gap,
  type GapOptions,
  gap,
} from "./options/sampling/pieces.js";
export type { PolicyInput } from "./options/sampling/policy.js";
export {
  ANSWER_TOKENS,
  type CanvasStart,
  type CheckedSampling,
  checkLength,
  checkSample,
  checkSampleMany,
  checkSampleOptions,
  type PromptOptions,
  type SampleManyOptions,
  type SampleOptions,
  type SamplingLimit,
  type SamplingSpec,
  type StartedCanvas,
} from "./options/sampling.js";
export {
  type CheckedTraining,
  checkTraining,
  checkValidate,
  scheduleFor,
  type TrainingOptions,
  type ValidateOptions,
} from "./options/training.js";
export {
  checkWriteAnswers,
  type WriteAnswersOptions,
  type WritingProgress,
} from "./options/written-answers.js";
