import type * as pb from "../gen/lad/v1/sampling.js";
import type { Prompt } from "../options/sampling.js";
import type { SamplingSpec } from "../options.js";
import { toMessages } from "./data.js";
import {
  ATTENTION_MODE,
  CONFIDENCE,
  DRAW_METHOD,
  nameOf,
  REMASK_POSITIONS,
  REMASK_SCHEDULE,
  RETENTION,
  SAMPLING_MODE,
  STOP_REASON,
  type StopReasonName,
} from "./names.js";
import { fromFloat32Bytes } from "./tensors.js";

/** One answer position that an iteration touched. Positions count from the answer's start. */
export interface Edit {
  /** From 0, the answer's first. */
  readonly position: number;
  /** What stood in the input; the mask token where it was masked. */
  readonly oldToken: number;
  /** What was sampled. */
  readonly newToken: number;
  /** Probability of the sampled token. */
  readonly confidence: number;
  /** The next input shows MASK here. */
  readonly remasked: boolean;
  /** Retained from re-masking, or committed for good. */
  readonly kept: boolean;
}

/** One iteration of one canvas. */
export interface Frame {
  /** Tells it from other events. */
  readonly type: "frame";
  /** Which canvas of the run, from 0. */
  readonly canvas: number;
  /** From 0. */
  readonly iteration: number;
  /** How many there are at most. */
  readonly iterations: number;
  /** What the iteration changed, position by position. */
  readonly edits: readonly Edit[];
  /** What was sampled at every answer position, before re-masking. */
  readonly answer: readonly number[];
  /** MASK positions of the next input. */
  readonly masked: number;
}

/** A canvas that is done. */
export interface Answer {
  /** Tells it from other events. */
  readonly type: "answer";
  /** Which canvas of the run, from 0. */
  readonly canvas: number;
  /** The answer without its stop token. */
  readonly text: string;
  /** Up to and without the first stop token. */
  readonly ids: readonly number[];
  /** Every answer position. */
  readonly canvasIds: readonly number[];
  /** Forwards computed. */
  readonly iterations: number;
  /** Why it was done. */
  readonly stopped: StopReasonName;
}

/** What one forward over a canvas gives at each answer position. */
export interface Prediction {
  /** The sampled token ids. */
  readonly ids: readonly number[];
  /** Probability of each sampled token. */
  readonly confidences: Float32Array;
  /** Of each position's distribution, in nats. */
  readonly entropies: Float32Array;
  /** [positions × top], most probable first. */
  readonly topIds: readonly number[];
  /** Their probabilities, in the same order. */
  readonly topProbabilities: Float32Array;
  /** [positions × vocabulary], where asked for, else empty. */
  readonly logits: Float32Array;
}

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
    confidence: CONFIDENCE[draw.confidence],
    eosBias: draw.eosBias,
    method: DRAW_METHOD[draw.drawMethod],
  };
}

export function toSampling(spec: SamplingSpec): pb.SamplingSpec {
  return {
    mode: SAMPLING_MODE[spec.mode],
    answerTokens: spec.answerTokens,
    iterations: spec.iterations,
    draw: toDraw(spec),
    remask: {
      schedule: REMASK_SCHEDULE[spec.schedule],
      sharpness: spec.sharpness,
      noiseStart: spec.noiseStart,
      positions: REMASK_POSITIONS[spec.positions],
      minGuidanceWeight: spec.minGuidanceWeight,
      clusterSpan: spec.clusterSpan,
      retention: RETENTION[spec.retention],
    },
    llada: {
      blockTokens: spec.blockTokens,
      guidanceScale: spec.guidanceScale,
      eosConfidenceOff: spec.eosConfidenceOff,
    },
    earlyStop: spec.earlyStop,
    growTokens: spec.growTokens,
    frames: spec.frames,
    attention: ATTENTION_MODE[spec.attention],
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
  return { type: "answer", ...answer, stopped: nameOf(STOP_REASON, answer.stopped) };
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
