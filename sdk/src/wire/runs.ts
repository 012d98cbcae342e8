import type { LadError } from "../errors.js";
import type * as pb from "../gen/lad/v1/runs.js";
import { fromWindowReport, type WindowReport } from "./data.js";
import { fromErrorDetail } from "./errors.js";
import { nameOf, RUN_KIND, RUN_STATE, type RunKindName, type RunStateName } from "./names.js";
import { type Answer, type Frame, fromAnswer, fromFrame } from "./sampling.js";
import { toNumber } from "./tensors.js";
import { fromLossReport, type LossReport } from "./training.js";
import { present } from "./worker.js";

/** A run of training has prepared its data. */
export interface TrainingStarted {
  readonly type: "started";
  readonly data: WindowReport;
  readonly validationData: WindowReport | undefined;
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
  readonly type: "step";
  /** Steps taken, this one included. */
  readonly step: number;
  readonly epoch: number;
  readonly report: LossReport;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

/** Losses of the validation data. */
export interface Validation {
  readonly type: "validation";
  /** Steps taken by then. */
  readonly step: number;
  readonly report: LossReport;
}

/** A checkpoint was written. */
export interface CheckpointWritten {
  readonly type: "checkpoint";
  readonly step: number;
  readonly name: string;
}

/** The end of a run of training, and what `result()` gives. */
export interface TrainingFinished {
  readonly type: "finished";
  readonly steps: number;
  /** Of the last step; undefined when no step was taken. */
  readonly report: LossReport | undefined;
  /** The last one. */
  readonly validation: LossReport | undefined;
  readonly seconds: number;
  /** Of the training steps alone. */
  readonly tokensPerSecond: number;
}

/** The end of a run of sampling. */
export interface SamplingFinished {
  readonly type: "sampled";
  readonly canvases: number;
  readonly seconds: number;
}

/** The end of a cancelled run. */
export interface RunCancelled {
  readonly type: "cancelled";
  /** Optimizer steps or iterations taken by then. */
  readonly steps: number;
}

/** A run of training stopped after a step, to go on when it is resumed. */
export interface RunPaused {
  readonly type: "paused";
  /** Optimizer steps taken by then. */
  readonly steps: number;
}

/** A paused run goes on. */
export interface RunResumed {
  readonly type: "resumed";
  /** Optimizer steps taken by then. */
  readonly steps: number;
}

/** The end of a failed run; only a follower of `runtime.run(id)` sees it, all others get the error thrown. */
export interface RunFailed {
  readonly type: "failed";
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
  readonly seq: number;
  /** By the worker's clock. */
  readonly time: Date;
  readonly event: RunEvent;
}

/** A run as the worker knows it. */
export interface RunInfo {
  readonly id: string;
  readonly kind: RunKindName;
  readonly state: RunStateName;
  readonly baseId: string;
  /** Empty: the base without an adapter. */
  readonly adapterId: string;
  /** Number of the next event. */
  readonly nextSeq: number;
  /** Why it failed. */
  readonly error: LadError | undefined;
}

export function fromRun(run: pb.Run): RunInfo {
  return {
    id: run.id,
    kind: nameOf(RUN_KIND, run.kind),
    state: nameOf(RUN_STATE, run.state),
    baseId: run.baseId,
    adapterId: run.adapterId,
    nextSeq: toNumber(run.nextSeq),
    error: run.error === undefined ? undefined : fromErrorDetail(run.error),
  };
}

export function fromEvent(message: pb.StreamEventsResponse): NumberedEvent {
  return {
    seq: toNumber(message.seq),
    time: new Date(message.time * 1000),
    event: fromPayload(present(message.event, "StreamEventsResponse.event")),
  };
}

function fromPayload(event: NonNullable<pb.StreamEventsResponse["event"]>): RunEvent {
  switch (event.$case) {
    case "trainingStarted": {
      const { report, validationReport, trainableParameters, accountedBytes, fromStep, warnings } =
        event.value;
      return {
        type: "started",
        data: fromWindowReport(present(report, "TrainingStarted.report")),
        validationData: validationReport && fromWindowReport(validationReport),
        trainableParameters: toNumber(trainableParameters),
        accountedBytes: toNumber(accountedBytes),
        fromStep: toNumber(fromStep),
        warnings,
      };
    }
    case "trainingStep": {
      const { step, epoch, report, gradientNorm, learningRate, seconds, tokensPerSecond } = event.value;
      return {
        type: "step",
        step: toNumber(step),
        epoch,
        report: fromLossReport(present(report, "TrainingStep.report")),
        gradientNorm,
        learningRate,
        seconds,
        tokensPerSecond,
      };
    }
    case "validation": {
      const { step, report } = event.value;
      return {
        type: "validation",
        step: toNumber(step),
        report: fromLossReport(present(report, "Validation.report")),
      };
    }
    case "checkpoint":
      return { type: "checkpoint", step: toNumber(event.value.step), name: event.value.name };
    case "trainingFinished": {
      const { steps, report, validation, seconds, tokensPerSecond } = event.value;
      return {
        type: "finished",
        steps: toNumber(steps),
        report: report && fromLossReport(report),
        validation: validation && fromLossReport(validation),
        seconds,
        tokensPerSecond,
      };
    }
    case "frame":
      return fromFrame(event.value);
    case "answer":
      return fromAnswer(event.value);
    case "samplingFinished":
      return { type: "sampled", ...event.value };
    case "failed":
      return { type: "failed", error: fromErrorDetail(event.value) };
    case "cancelled":
    case "paused":
    case "resumed":
      return { type: event.$case, steps: toNumber(event.value.steps) };
  }
}
