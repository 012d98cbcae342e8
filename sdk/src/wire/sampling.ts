import * as pb from "../gen/lad/v1/sampling.js";
import { AttentionMode, TrainingContext as Context } from "../gen/lad/v1/training.js";
import type { Policy } from "../method/policy.js";
import type { TrainingContext } from "../method/random-split.js";
import type { DenoisingAttention } from "../options/attention.js";
import type { Prompt } from "../options/sampling.js";
import type { SamplingSpec } from "../options.js";
import type { Answer, Frame, Prediction, SamplingState } from "../results/sampling.js";
import { toMessages } from "./data.js";
import { numberOf, wordOf } from "./enums.js";
import { type CamelCase, camelCase } from "./oneofs.js";
import { fromFlagBytes, fromFloat32Bytes, toFlagBytes, toFloat32Bytes } from "./tensors.js";

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
export interface SettledSampling extends SamplingSpec {
  readonly attention: DenoisingAttention;
  /** Where the last token of the finished canvases stands. */
  readonly context: TrainingContext;
  readonly canvasTokens: number;
  readonly padTokens: readonly string[];
}

/** The positions of an answer: `answerTokens`, or as many as `windowTokens` has left behind a prompt, if those are more. */
export interface AnswerSize {
  readonly answerTokens: number;
  /** 0: none. */
  readonly windowTokens: number;
}

export function toSampling(spec: SettledSampling & AnswerSize): pb.SamplingSpec {
  return {
    policy: toPolicy(spec.policy),
    answerTokens: spec.answerTokens,
    windowTokens: spec.windowTokens,
    draw: toDraw(spec),
    frames: spec.frames,
    attention: numberOf(AttentionMode, spec.attention),
    context: numberOf(Context, spec.context),
    canvasTokens: spec.canvasTokens,
    padTokens: [...spec.padTokens],
    stop: [...(spec.stop ?? [])],
    shareWeight: spec.shareWeight,
    totalTokens: spec.totalTokens ?? 0,
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

/** What one canvas says of its answer. */
export interface CanvasAnswer {
  readonly begin?: SamplingState | undefined;
  /** Default: its run's. */
  readonly size?: AnswerSize | undefined;
}

export function toCanvas(
  { messages, ids, allowSpecial, seed }: Prompt,
  { begin, size }: CanvasAnswer = {},
): pb.Canvas {
  const rest = { seed, size, ...(begin && { begin: toState(begin) }) };
  if (ids !== undefined) return { prompt: { $case: "ids", value: { ids: [...ids] } }, ...rest };
  return {
    prompt: { $case: "chat", value: { messages: toMessages(messages ?? []), allowSpecial } },
    ...rest,
  };
}

function toState({ key, stopped, ...state }: SamplingState): pb.SamplingState {
  return {
    ...state,
    ids: [...state.ids],
    sampled: [...state.sampled],
    masked: toFlagBytes(state.masked),
    pinned: toFlagBytes(state.pinned),
    kept: toFlagBytes(state.kept),
    confidences: toFloat32Bytes(state.confidences),
    memory: state.memory.map(BigInt),
    ...(stopped && { stopped: numberOf(pb.StopReason, stopped) }),
    ...(key && { key: { seed: BigInt(key.seed), canvas: key.canvas } }),
  };
}

function fromState({ key, stopped, ...state }: pb.SamplingState): SamplingState {
  return {
    ...state,
    masked: fromFlagBytes(state.masked),
    pinned: fromFlagBytes(state.pinned),
    kept: fromFlagBytes(state.kept),
    confidences: [...fromFloat32Bytes(state.confidences)],
    memory: state.memory.map(Number),
    ...(stopped !== undefined && {
      stopped: wordOf(pb.StopReason, stopped) as Exclude<SamplingState["stopped"], undefined>,
    }),
    ...(key && { key: { seed: String(key.seed), canvas: key.canvas } }),
  };
}

export function fromFrame({ state, ...frame }: pb.Frame): Frame {
  return { type: "frame", ...frame, ...(state && { state: fromState(state) }) };
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
