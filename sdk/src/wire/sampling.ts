import * as pb from "../gen/lad/v1/sampling.js";
import { AttentionMode } from "../gen/lad/v1/training.js";
import type { Prompt } from "../options/sampling.js";
import type { SamplingSpec } from "../options.js";
import type { Answer, Frame, Prediction } from "../results/sampling.js";
import { toMessages } from "./data.js";
import { numberOf, wordOf } from "./enums.js";
import { fromFloat32Bytes } from "./tensors.js";

/** How tokens are drawn, complete. */
export interface DrawSpec {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly drawMethod: "inverse-cdf" | "gumbel";
  readonly confidence: "unfiltered" | "filtered";
  readonly eosBias: number;
}

export function toDraw(draw: DrawSpec): pb.DrawSpec {
  return {
    temperature: draw.temperature,
    topK: draw.topK,
    topP: draw.topP,
    confidence: numberOf(pb.Confidence, draw.confidence),
    eosBias: draw.eosBias,
    method: numberOf(pb.DrawMethod, draw.drawMethod),
  };
}

export function toSampling(spec: SamplingSpec): pb.SamplingSpec {
  return {
    mode: numberOf(pb.SamplingMode, spec.mode),
    answerTokens: spec.answerTokens,
    iterations: spec.iterations,
    draw: toDraw(spec),
    remask: {
      schedule: numberOf(pb.RemaskSchedule, spec.schedule),
      sharpness: spec.sharpness,
      noiseStart: spec.noiseStart,
      positions: numberOf(pb.RemaskPositions, spec.positions),
      minGuidanceWeight: spec.minGuidanceWeight,
      clusterSpan: spec.clusterSpan,
      retention: numberOf(pb.Retention, spec.retention),
    },
    llada: {
      blockTokens: spec.blockTokens,
      guidanceScale: spec.guidanceScale,
      eosConfidenceOff: spec.eosConfidenceOff,
    },
    earlyStop: spec.earlyStop,
    growTokens: spec.growTokens,
    frames: spec.frames,
    attention: numberOf(AttentionMode, spec.attention),
    canvasTokens: spec.canvasTokens,
    shareWeight: spec.shareWeight,
  };
}

export function toCanvas({ messages, ids, allowSpecial, seed }: Prompt): pb.Canvas {
  if (ids !== undefined) return { prompt: { $case: "ids", value: { ids: [...ids] } }, seed };
  return {
    prompt: { $case: "chat", value: { messages: toMessages(messages ?? []), allowSpecial } },
    seed,
  };
}

export function fromFrame(frame: pb.Frame): Frame {
  return { type: "frame", ...frame };
}

export function fromAnswer(answer: pb.Answer): Answer {
  return { type: "answer", ...answer, stopped: wordOf(pb.StopReason, answer.stopped) };
}

export function fromPrediction(prediction: pb.Prediction): Prediction {
  return {
    ids: prediction.ids,
    confidences: fromFloat32Bytes(prediction.confidences),
    entropies: fromFloat32Bytes(prediction.entropies),
    topIds: prediction.topIds,
    topProbabilities: fromFloat32Bytes(prediction.topProbabilities),
    logits: fromFloat32Bytes(prediction.logits),
  };
}
