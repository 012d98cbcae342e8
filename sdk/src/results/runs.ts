import type { LadError } from "../errors.js";
import type { WindowReport } from "./data.js";
import type { Answer, Frame } from "./sampling.js";
import type { LossReport } from "./training.js";

/** What kind of work a run is. */
export type RunKindName = "training" | "sampling";

/** What a run is doing. */
export type RunStateName = "queued" | "running" | "finished" | "failed" | "cancelled" | "paused";

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
}

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

/** A paused run goes on. */
export interface RunResumed {
  /** Tells it from other events. */
  readonly type: "resumed";
  /** Optimizer steps taken by then. */
  readonly steps: number;
}

/** The end of a failed run; only a follower of `runtime.run(id)` sees it, all others get the error thrown. */
export interface RunFailed {
  /** Tells it from other events. */
  readonly type: "failed";
  /** Why. */
  readonly error: LadError;
}
export type TrainingEvent =
  | TrainingStarted
  | TrainingStep
  | Validation
  | CheckpointWritten
  | RunPaused
  | RunResumed
  | TrainingFinished
  | RunCancelled;
export type SamplingEvent = Frame | Answer | SamplingFinished | RunCancelled;
export type RunEvent = TrainingEvent | SamplingEvent | RunFailed;

/** An event with its number in the run's log. */
export interface NumberedEvent {
  /** From 0, without gaps. */
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
  /** The base's id on the worker. */
  readonly baseId: string;
  /** Empty: the base without an adapter. */
  readonly adapterId: string;
  /** Number of the next event. */
  readonly nextSeq: number;
  /** Why it failed. */
  readonly error: LadError | undefined;
}
