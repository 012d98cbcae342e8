import * as pb from "../gen/lad/v1/sampling.js";
import { AttentionMode } from "../gen/lad/v1/training.js";
import type { Policy } from "../method/policy.js";
import type { DenoisingAttention } from "../options/attention.js";
import type { Prompt } from "../options/sampling.js";
import type { SamplingSpec } from "../options.js";
import type { Answer, Frame, Prediction } from "../results/sampling.js";
import { toMessages } from "./data.js";
import { numberOf, wordOf } from "./enums.js";
import { type CamelCase, camelCase } from "./oneofs.js";
import { fromFloat32Bytes } from "./tensors.js";

/** How tokens are drawn, complete. */
export interface DrawSpec {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly drawMethod: "inverse-cdf" | "gumbel";
  readonly confidence: "unfiltered" | "filtered";
  readonly eosBias: number;
  readonly allowMask: boolean;
}

export function toDraw(draw: DrawSpec): pb.DrawSpec {
  return {
    temperature: draw.temperature,
    topK: draw.topK,
    topP: draw.topP,
    confidence: numberOf(pb.Confidence, draw.confidence),
    eosBias: draw.eosBias,
    method: numberOf(pb.DrawMethod, draw.drawMethod),
    allowMask: draw.allowMask,
  };
}

/** How to sample, with what depends on how the adapter was trained. */
export type SettledSampling = SamplingSpec & { readonly attention: DenoisingAttention };

export function toSampling(spec: SettledSampling): pb.SamplingSpec {
  return {
    policy: toPolicy(spec.policy),
    answerTokens: spec.answerTokens,
    draw: toDraw(spec),
    frames: spec.frames,
    attention: numberOf(AttentionMode, spec.attention),
    canvasTokens: spec.canvasTokens,
    shareWeight: spec.shareWeight,
  };
}

/** The enum of an option is named after policy and option: `RemaskSchedule`. */
export function toPolicy({ kind, ...options }: Policy): pb.Policy {
  const value = Object.entries(options).map(([key, option]) => [
    key,
    typeof option === "string" ? numberOfOption(camelCase(kind), key, option) : option,
  ]);
  return { kind: { $case: camelCase(kind), value: Object.fromEntries(value) } as pb.Policy["kind"] };
}

function numberOfOption(kind: string, option: string, word: string): number {
  const name = capitalized(kind) + capitalized(option);
  return numberOf(ENUMERATIONS[name as keyof Enumerations], word as never);
}

type Enumerations = Pick<typeof pb, EnumerationOf<Policy>>;
type EnumerationOf<Each extends Policy> = Each extends Policy
  ? {
      [Key in Exclude<keyof Each, "kind"> & string]: Each[Key] extends string
        ? `${Capitalize<CamelCase<Each["kind"]>>}${Capitalize<Key>}`
        : never;
    }[Exclude<keyof Each, "kind"> & string]
  : never;

const ENUMERATIONS: Enumerations = pb;

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
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
    standing: fromFloat32Bytes(prediction.standing),
    topIds: prediction.topIds,
    topProbabilities: fromFloat32Bytes(prediction.topProbabilities),
    logits: fromFloat32Bytes(prediction.logits),
  };
}
