/** Between the protocol's messages and this package's values: one file for each .proto file, and nothing else knows both. */
export {
  fromPrepared,
  fromWindowReport,
  toMessages,
  toTokenIds,
  toWindow,
  type WindowReport,
} from "./wire/data.js";
export { fromErrorDetail, toErrorDetail } from "./wire/errors.js";
export { healthCheck } from "./wire/health.js";
export { isAnsweredAtOnce, isIdempotent } from "./wire/methods.js";
export {
  ATTENTION_MODE,
  DATA_TYPE,
  type RunKindName,
  type RunStateName,
  type StopReasonName,
} from "./wire/names.js";
export {
  type CheckpointWritten,
  fromEvent,
  fromRun,
  type NumberedEvent,
  type RunCancelled,
  type RunEvent,
  type RunFailed,
  type RunInfo,
  type RunPaused,
  type RunResumed,
  type SamplingEvent,
  type SamplingFinished,
  type TrainingEvent,
  type TrainingFinished,
  type TrainingStarted,
  type TrainingStep,
  type Validation,
} from "./wire/runs.js";
export {
  type Answer,
  type Edit,
  type Frame,
  fromPrediction,
  type Prediction,
  toCanvas,
  toDraw,
  toSampling,
} from "./wire/sampling.js";
export {
  AdaptersService,
  DataService,
  EvaluationService,
  type FilePiece,
  type ForwardBackwardRequest,
  type LoadBaseResponse,
  type OpenDatasetRequest,
  RunsService,
  SamplingService,
  TrainingService,
  WorkerService,
} from "./wire/services.js";
export { fromFloat32Bytes, toFloat32Bytes } from "./wire/tensors.js";
export {
  fromLossReport,
  type LossReport,
  toLoss,
  toNoise,
  toOptimizer,
  toTraining,
} from "./wire/training.js";
export {
  type AdapterInfo,
  type BaseInfo,
  fromAdapter,
  fromBase,
  fromInfo,
  type MatrixKernel,
  present,
  type WorkerInfo,
} from "./wire/worker.js";
