import * as pb from "../gen/lad/v1/runs.js";
import type { StartSamplingResponse } from "../gen/lad/v1/sampling.js";
import { TrainingEnd } from "../gen/lad/v1/training.js";
import type { NumberedEvent, RunEvent, RunInfo } from "../results/runs.js";
import { counted } from "./bigints.js";
import { fromWindowReport } from "./data.js";
import { wordOf } from "./enums.js";
import { fromErrorDetail } from "./errors.js";
import { fromAnswer, fromFrame } from "./sampling.js";
import { fromLossReport } from "./training.js";
import { present } from "./worker.js";

export function fromRun(run: pb.Run): RunInfo {
  return {
    ...counted(run),
    created: new Date(run.created * 1000),
    kind: wordOf(pb.RunKind, run.kind),
    state: wordOf(pb.RunState, run.state),
    error: run.error && fromErrorDetail(run.error),
  };
}

export function fromEvent(message: pb.StreamEventsResponse): NumberedEvent {
  return {
    seq: Number(message.seq),
    time: new Date(message.time * 1000),
    event: fromPayload(present(message.event, "StreamEventsResponse.event")),
  };
}

/** What the first reply tells of a run that is followed from its start. */
export function startedOf({ reply }: pb.SampleResponse): StartSamplingResponse {
  return present(reply?.$case === "started" ? reply.value : undefined, "SampleResponse.started");
}

/** The event of each reply behind the first. */
export function eventOf({ reply }: pb.SampleResponse): NumberedEvent {
  return fromEvent(present(reply?.$case === "event" ? reply.value : undefined, "SampleResponse.event"));
}

function fromPayload(event: NonNullable<pb.StreamEventsResponse["event"]>): RunEvent {
  switch (event.$case) {
    case "trainingStarted": {
      const { report, validationReport, ...rest } = event.value;
      return {
        type: "started",
        ...counted(rest),
        data: fromWindowReport(present(report, "TrainingStarted.report")),
        validationData: validationReport && fromWindowReport(validationReport),
      };
    }
    case "trainingStep": {
      const { report, ...rest } = event.value;
      return {
        type: "step",
        ...counted(rest),
        report: fromLossReport(present(report, "TrainingStep.report")),
      };
    }
    case "validation": {
      const { step, report, best } = event.value;
      return {
        type: "validation",
        step: Number(step),
        report: fromLossReport(present(report, "Validation.report")),
        best: best && counted(best),
      };
    }
    case "checkpoint":
      return { type: "checkpoint", ...counted(event.value) };
    case "trainingFinished": {
      const { report, validation, best, stopped, ...rest } = event.value;
      return {
        type: "finished",
        ...counted(rest),
        report: report && fromLossReport(report),
        validation: validation && fromLossReport(validation),
        best: best && counted(best),
        stopped: wordOf(TrainingEnd, stopped),
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
    case "interrupted":
      return { type: event.$case, ...counted(event.value) };
  }
}
