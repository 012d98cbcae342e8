import type { LadError } from "../errors.js";
import type { WindowReport } from "./data.js";
import type { Answer, Frame } from "./sampling.js";
import type { LossReport } from "./training.js";

/** What kind of work a run is. */
export type RunKindName = "training" | "sampling";

/** What a run is doing. */
export type RunStateName =
  | "queued"
  | "running"
  | "finished"
  | "failed"
  | "cancelled"
  | "paused"
  /** Its worker ended before it did. A training run is resumed by `runtime.run(id).resume()`. */
  | "interrupted";

/** A run of training has prepared its data. */
export interface TrainingStarted {
  /** Tells it from other events. */
  readonly type: "started";
  /** What became of the training examples. */
  readonly data: WindowReport;
  /** What became of the validation examples, where there are any. */
  readonly validationData: WindowReport | undefined;
  /** Numbers that training changes. */
  readonly trainableParameters: number;
  /** Weights, gradients and optimizer state, counted by shape. */
  readonly accountedBytes: number;
  /** Above 0 where a checkpoint is gone on from. */
  readonly fromStep: number;
  /** What the caller should know, in a sentence each, such as that a resumed run is multiplied by other kernels than before. */
  readonly warnings: readonly string[];
}

/** One optimizer step was taken. */
export interface TrainingStep {
  /** Tells it from other events. */
  readonly type: "step";
  /** Steps taken, this one included. */
  readonly step: number;
  /** Passes over the data by then, such as 1.5. */
  readonly epoch: number;
  /** The batch's losses, before the step. */
  readonly report: LossReport;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** Of this step. */
  readonly learningRate: number;
  /** That the step took. */
  readonly seconds: number;
  /** Tokens computed in it for each second. */
  readonly tokensPerSecond: number;
}

/** Losses of the validation data. */
export interface Validation {
  /** Tells it from other events. */
  readonly type: "validation";
  /** Steps taken by then. */
  readonly step: number;
  /** The losses of all its examples. */
  readonly report: LossReport;
  /** The best so far, this one included; undefined while none had a CE. */
  readonly best: BestValidation | undefined;
}

/** The validation of a run with the lowest CE, the first of equal ones. */
export interface BestValidation {
  /** Steps taken by then; 0: before the first. */
  readonly step: number;
  /** Its `corruptedCe`, in nats; its `ce` where the noise corrupts no supervised token. */
  readonly ce: number;
  /** The name of the checkpoint that keeps the adapter as it was then; empty: none does. */
  readonly checkpoint: string;
}

/** Why a run of training ended by itself: all its steps were taken, or its patience was over. */
export type TrainingEnd = "steps" | "early";

/** A checkpoint was written. */
export interface CheckpointWritten {
  /** Tells it from other events. */
  readonly type: "checkpoint";
  /** Steps taken by then. */
  readonly step: number;
  /** Its name in the store. */
  readonly name: string;
}

/** The end of a run of training, and what `result()` gives. */
export interface TrainingFinished {
  /** Tells it from other events. */
  readonly type: "finished";
  /** Optimizer steps taken. */
  readonly steps: number;
  /** Of the last step; undefined when no step was taken. */
  readonly report: LossReport | undefined;
  /** The last one. */
  readonly validation: LossReport | undefined;
  /** The best one; undefined where none had a CE. */
  readonly best: BestValidation | undefined;
  /** `steps` when all of them were taken; `early` after as many validations without an improvement as `patience`. */
  readonly stopped: TrainingEnd;
  /** That the run took. */
  readonly seconds: number;
  /** Of the training steps alone. */
  readonly tokensPerSecond: number;
}

/** The end of a run of sampling. */
export interface SamplingFinished {
  /** Tells it from other events. */
  readonly type: "sampled";
  /** Canvases that were answered. */
  readonly canvases: number;
  /** That the run took. */
  readonly seconds: number;
}

/** The end of a cancelled run. */
export interface RunCancelled {
  /** Tells it from other events. */
  readonly type: "cancelled";
  /** Optimizer steps or iterations taken by then. */
  readonly steps: number;
}

/** A run of training stopped after a step, to go on when it is resumed. */
export interface RunPaused {
  /** Tells it from other events. */
  readonly type: "paused";
  /** Optimizer steps taken by then. */
  readonly steps: number;
}

/**
 * A paused run goes on, or an interrupted one. That goes on from its checkpoint: events of later steps are no longer in its log, and
 * their numbers are not given again.
 */
export interface RunResumed {
  /** Tells it from other events. */
  readonly type: "resumed";
  /** Optimizer steps taken by then. */
  readonly steps: number;
}

/** The end of what is known of a run whose worker ended before it, until it is resumed. */
export interface RunInterrupted {
  /** Tells it from other events. */
  readonly type: "interrupted";
  /** Optimizer steps that its log tells of. */
  readonly steps: number;
}

/** The end of a failed run; only a follower of `runtime.run(id)` sees it, all others get the error thrown. */
export interface RunFailed {
  /** Tells it from other events. */
  readonly type: "failed";
  /** Why. */
  readonly error: LadError;
}
/** What a run of training tells, in order. */
export type TrainingEvent =
  | TrainingStarted
  | TrainingStep
  | Validation
  | CheckpointWritten
  | RunPaused
  | RunResumed
  | TrainingFinished
  | RunCancelled;
/** What a run of sampling tells, in order. */
export type SamplingEvent = Frame | Answer | SamplingFinished | RunCancelled;
/** What a run of any kind tells. */
export type RunEvent = TrainingEvent | SamplingEvent | RunFailed | RunInterrupted;

/** An event with its number in the run's log. */
export interface NumberedEvent {
  /**
   * From 0, in order. A number is given once: frames that were dropped, and events that a resume has taken back, leave gaps.
   */
  readonly seq: number;
  /** By the worker's clock. */
  readonly time: Date;
  /** What happened. */
  readonly event: RunEvent;
}

/** A run as the worker knows it. */
export interface RunInfo {
  /** The run's id on the worker. */
  readonly id: string;
  /** What kind of work it is. */
  readonly kind: RunKindName;
  /** What it is doing. */
  readonly state: RunStateName;
  /** The base's id on the worker; of an interrupted run, on the worker that it had. */
  readonly baseId: string;
  /** The base's name, such as `tiny`. */
  readonly baseName: string;
  /** Empty: the base without an adapter. */
  readonly adapterId: string;
  /** The name of its checkpoints; empty: none. */
  readonly checkpoint: string;
  /** When it was started, by the worker's clock. */
  readonly created: Date;
  /** Optimizer steps taken; 0 for sampling. */
  readonly steps: number;
  /** Optimizer steps that it is to take; 0 for sampling. */
  readonly totalSteps: number;
  /**
   * The file of its losses on the worker's machine, with a JSON object for each step and validation; TensorBoard's files are beside it.
   * Empty for sampling.
   */
  readonly metricsPath: string;
  /** Number of the next event. */
  readonly nextSeq: number;
  /** Why it failed, or why it could not be resumed. */
  readonly error: LadError | undefined;
}
