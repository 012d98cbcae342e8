/** The protocol's enumerations, by the names that callers write. */
import { LadError } from "../errors.js";

import { SuperviseTurns, TooLong } from "../gen/lad/v1/data.js";
import { RunKind, RunState } from "../gen/lad/v1/runs.js";
import {
  Confidence,
  DrawMethod,
  RemaskPositions,
  RemaskSchedule,
  Retention,
  SamplingMode,
  StopReason,
} from "../gen/lad/v1/sampling.js";
import {
  AttentionMode,
  Decay,
  LossWeighting,
  OptimizerKind,
  SuperviseTokens,
} from "../gen/lad/v1/training.js";
import { DataType } from "../gen/lad/v1/worker.js";
import type { AttentionModeName } from "../options/attention.js";

export const DATA_TYPE = {
  auto: DataType.UNSPECIFIED,
  float32: DataType.FLOAT32,
  bfloat16: DataType.BFLOAT16,
  float16: DataType.FLOAT16,
} as const;

export const TOO_LONG = {
  drop: TooLong.DROP,
  truncate: TooLong.TRUNCATE,
  error: TooLong.ERROR,
} as const;

export const SUPERVISE_TURNS = {
  last: SuperviseTurns.LAST,
  "all-assistant": SuperviseTurns.ALL_ASSISTANT,
} as const;

export const SUPERVISE_TOKENS = {
  "all-tokens": SuperviseTokens.ALL_TOKENS,
  "all-answer-tokens": SuperviseTokens.ALL_ANSWER_TOKENS,
  "corrupted-answer-tokens": SuperviseTokens.CORRUPTED_ANSWER_TOKENS,
} as const;

export const LOSS_WEIGHTING = {
  uniform: LossWeighting.UNIFORM,
  "inverse-time": LossWeighting.INVERSE_TIME,
} as const;

export const OPTIMIZER_KIND = { adamw: OptimizerKind.ADAMW, muon: OptimizerKind.MUON } as const;

export const DECAY = { cosine: Decay.COSINE, linear: Decay.LINEAR, constant: Decay.CONSTANT } as const;

export const ATTENTION_MODE = {
  full: AttentionMode.FULL,
  causal: AttentionMode.CAUSAL,
  prefix: AttentionMode.PREFIX,
  "causal-prefix": AttentionMode.CAUSAL_PREFIX,
} as const satisfies Record<AttentionModeName, AttentionMode>;

export const SAMPLING_MODE = {
  remask: SamplingMode.REMASK,
  refine: SamplingMode.REFINE,
  llada: SamplingMode.LLADA,
  ar: SamplingMode.AR,
} as const;

export const CONFIDENCE = { unfiltered: Confidence.UNFILTERED, filtered: Confidence.FILTERED } as const;

export const DRAW_METHOD = { "inverse-cdf": DrawMethod.INVERSE_CDF, gumbel: DrawMethod.GUMBEL } as const;

export const REMASK_SCHEDULE = {
  exponential: RemaskSchedule.EXPONENTIAL,
  linear: RemaskSchedule.LINEAR,
} as const;

export const REMASK_POSITIONS = {
  random: RemaskPositions.RANDOM,
  clustered: RemaskPositions.CLUSTERED,
  confidence: RemaskPositions.CONFIDENCE,
} as const;

export const RETENTION = {
  none: Retention.NONE,
  editable: Retention.EDITABLE,
  locked: Retention.LOCKED,
} as const;

/** Why a sampler stopped: its iterations were used up, the answer was stable, EOS came, or the length was reached. */
export type StopReasonName = "iterations" | "settled" | "eos" | "length";
export const STOP_REASON = {
  iterations: StopReason.ITERATIONS,
  settled: StopReason.SETTLED,
  eos: StopReason.EOS,
  length: StopReason.LENGTH,
} as const satisfies Record<StopReasonName, StopReason>;

/** What a run is doing. */
export type RunStateName = "queued" | "running" | "finished" | "failed" | "cancelled" | "paused";
export const RUN_STATE = {
  queued: RunState.QUEUED,
  running: RunState.RUNNING,
  finished: RunState.FINISHED,
  failed: RunState.FAILED,
  cancelled: RunState.CANCELLED,
  paused: RunState.PAUSED,
} as const satisfies Record<RunStateName, RunState>;

/** What kind of work a run is. */
export type RunKindName = "training" | "sampling";
export const RUN_KIND = {
  training: RunKind.TRAINING,
  sampling: RunKind.SAMPLING,
} as const satisfies Record<RunKindName, RunKind>;

/** The name of an enumeration's number. A worker of the same protocol version sends no other. */
export function nameOf<Names extends Record<string, number>>(
  names: Names,
  value: number,
): keyof Names & string {
  const name = Object.keys(names).find((key) => names[key] === value);
  if (name === undefined) {
    throw new LadError("internal", `The worker sent ${value}, which is none of ${Object.keys(names)}.`);
  }
  return name;
}
