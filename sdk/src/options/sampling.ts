/** What the samplers take (docs/method.md §6), their defaults and their ranges. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import {
  abortSignal,
  above,
  atLeast,
  flag,
  integer,
  list,
  MAX_FLOAT32,
  number,
  oneOf,
  seed,
} from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption, LadError } from "../errors.js";
import { type DenoisingAttention, denoisingAttention, type ShareOptions, shareWeight } from "./attention.js";
import { type ChatMessage, messagesSchema } from "./data.js";

/**
 * How an answer comes about. `remask`: scheduled denoising with re-masking; `refine`: the sampled answer is the next input; `llada`:
 * the most confident masks are committed, so many a step; `ar`: the causal base by itself, one token after another.
 */
export type SamplingMode = "remask" | "refine" | "llada" | "ar";

/** How a token is drawn from its position's distribution. */
export interface DrawOptions {
  /** Divides the logits: a finite number of at least 0. Default: 0, the most probable token. */
  temperature?: number | undefined;
  /** Only so many of the most probable tokens are drawn from: an integer of at least 0. Default: 0, no limit. */
  topK?: number | undefined;
  /**
   * Only the fewest most probable tokens that together have this probability are drawn from: a number above 0 and at most 1.
   * Default: 1, no limit.
   */
  topP?: number | undefined;
  /**
   * `inverse-cdf`: by one uniform number a position; `gumbel`: LLaDA's Gumbel-max. Default: `gumbel` in mode `llada`, else
   * `inverse-cdf`.
   */
  drawMethod?: "inverse-cdf" | "gumbel" | undefined;
  /**
   * What counts as the sampled token's confidence: its probability at temperature 1 before any filter (`unfiltered`), or after
   * temperature, top-k and top-p (`filtered`). Default: `unfiltered`.
   */
  confidence?: "unfiltered" | "filtered" | undefined;
  /** Added to the logits of the base's stop tokens: a number, or -Infinity to forbid the stop tokens. Default: 0. */
  eosBias?: number | undefined;
}

/** What is sampled for. */
export interface PromptOptions {
  /** A chat through the base's template, or a string that stands for one user message. Default: none, where `ids` are given. */
  messages?: string | readonly ChatMessage[] | undefined;
  /** The prompt as token ids, at least one, instead of messages. Default: none. */
  ids?: readonly number[] | undefined;
  /** Special tokens that are written out in `messages` are those tokens; without it they are text. Default: false. */
  allowSpecial?: boolean | undefined;
  /**
   * Keys the draws and the choice of positions: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0.
   */
  seed?: number | bigint | undefined;
}

/** How to sample, whatever the prompt. */
export interface SamplingOptions extends DrawOptions, ShareOptions {
  /**
   * `remask`: scheduled denoising with re-masking; `refine`: the sampled answer is the next input; `llada`: the most confident masks
   * are committed, so many a step; `ar`: the causal base by itself, one token after another. Default: `remask`.
   */
  mode?: SamplingMode | undefined;
  /**
   * Length of the answer's part of the canvas in tokens, the most that `ar` generates: an integer from 1 to 1,048,576. Default: 64.
   */
  answerTokens?: number | undefined;
  /** Forwards of `remask`, `refine` and `llada` for each canvas: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /** `remask`: how the re-masked share falls with x = i / I from iteration to iteration. Default: `exponential`. */
  schedule?: "exponential" | "linear" | undefined;
  /**
   * `remask`, s of the exponential schedule n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)): a finite number above 0. Default: 5.
   */
  sharpness?: number | undefined;
  /** `remask`, n0: the share of the answer that is re-masked first, a number from 0 to 1. Default: 1. */
  noiseStart?: number | undefined;
  /**
   * `remask`: which positions are masked again: any (`random`), runs of neighbours (`clustered`), or rather those of low confidence,
   * with weights 1 − confidence (`confidence`). Default: `random`.
   */
  positions?: "random" | "clustered" | "confidence" | undefined;
  /**
   * `remask` at positions by `confidence`: weights are clipped from below to this, a number above 0 and at most 1. Default: 0.1.
   */
  minGuidanceWeight?: number | undefined;
  /** `remask` at `clustered` positions: mean length of a cluster in tokens, an integer of at least 1. Default: 4. */
  clusterSpan?: number | undefined;
  /**
   * `remask`: what becomes of a position that was not masked again: it may be later (`none`); it never is, and its token may still
   * change (`editable`); its token is final (`locked`). Default: `none`.
   */
  retention?: "none" | "editable" | "locked" | undefined;
  /**
   * `llada`: tokens of a block; the next block begins when it has no mask left. An integer of at least 0. Default: 0, the whole
   * answer is one block.
   */
  blockTokens?: number | undefined;
  /**
   * `llada`: the scale w of classifier-free guidance, (1 + w) · logits − w · logits of the canvas with a masked prompt; a finite
   * number of at least 0. Default: 0, none.
   */
  guidanceScale?: number | undefined;
  /** `llada`: a stop token never wins by confidence. Default: false. */
  eosConfidenceOff?: boolean | undefined;
  /** `remask` and `refine`: stop when three consecutive iterations sample the same answer. Default: true. */
  earlyStop?: boolean | undefined;
  /**
   * `remask` and `refine`: begin with so many MASKs and append as many per iteration, an integer from 0 to 1,048,576. Default: 0, all
   * from the start.
   */
  growTokens?: number | undefined;
  /**
   * How the prompt attends, which should be as the adapter was trained. `full`: every token attends to its whole sequence; `prefix`:
   * prompt tokens to the prompt alone; `causal-prefix`: the prompt runs through the unadapted causal base. Default: `full`.
   */
  attention?: DenoisingAttention | undefined;
  /**
   * Denoise so many positions at once, canvas by canvas, each behind the finished ones: an integer from 0 to 1,048,576. Default: 0,
   * the answer is one canvas.
   */
  canvasTokens?: number | undefined;
  /** Stream every iteration; false: only answers. Default: true. */
  frames?: boolean | undefined;
  /** Leave the run going when its events are no longer read. Default: false. */
  detached?: boolean | undefined;
  /** Ends the run with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
}

/** Options of `adapter.sample` and `base.sample`. */
export interface SampleOptions extends PromptOptions, SamplingOptions {}

/** Options of `adapter.sampleMany` and `base.sampleMany`. */
export interface SampleManyOptions extends SamplingOptions {
  /** The prompts, at least one. */
  canvases: readonly PromptOptions[];
}

const eosBiasError = "a number, or -Infinity to forbid the stop tokens";

function isBias(value: unknown): boolean {
  if (typeof value !== "number") return false;
  return value === Number.NEGATIVE_INFINITY || Math.abs(value) <= MAX_FLOAT32;
}

export const drawShape = {
  temperature: atLeast(0).default(0),
  topK: integer(0).default(0),
  topP: above(0).max(1, { error: "a number above 0 and at most 1" }).default(1),
  drawMethod: oneOf(["inverse-cdf", "gumbel"]).optional(),
  confidence: oneOf(["unfiltered", "filtered"]).default("unfiltered"),
  eosBias: z.custom<number>(isBias, { error: eosBiasError }).default(0),
};

const remaskShape = {
  schedule: oneOf(["exponential", "linear"]).default("exponential"),
  sharpness: above(0).default(5),
  noiseStart: number(0, 1).default(1),
  positions: oneOf(["random", "clustered", "confidence"]).default("random"),
  minGuidanceWeight: above(0).max(1, { error: "a number above 0 and at most 1" }).default(0.1),
  clusterSpan: integer(1).default(4),
  retention: oneOf(["none", "editable", "locked"]).default("none"),
};

const lladaShape = {
  blockTokens: integer(0).default(0),
  guidanceScale: atLeast(0).default(0),
  eosConfidenceOff: flag().default(false),
};

const specShape = {
  mode: oneOf(["remask", "refine", "llada", "ar"]).default("remask"),
  answerTokens: integer(1, 2 ** 20).default(64),
  iterations: integer(1).default(32),
  ...drawShape,
  ...remaskShape,
  ...lladaShape,
  earlyStop: flag().default(true),
  growTokens: integer(0, 2 ** 20).default(0),
  attention: denoisingAttention.default("full"),
  canvasTokens: integer(0, 2 ** 20).default(0),
  shareWeight: shareWeight.default(1),
  frames: flag().default(true),
  detached: flag().default(false),
  signal: abortSignal().optional(),
};

export const specFields = fieldsOf<SamplingOptions>()(specShape);

const tokenIds = list(integer(0), "a list of token ids, at least one");

export const promptShape = {
  messages: messagesSchema.optional(),
  ids: tokenIds.optional(),
  allowSpecial: flag().default(false),
  seed: seed().default(0n),
};
export const promptFields = fieldsOf<PromptOptions>()(promptShape);
export type Prompt = z.output<typeof promptFields>;

export const sampleFields = fieldsOf<SampleOptions>()({ ...promptShape, ...specShape });

export const sampleManyFields = fieldsOf<SampleManyOptions>()({
  canvases: list(promptFields, "a list of canvases, at least one"),
  ...specShape,
});

/** How to sample, complete. */
export type SamplingSpec = Omit<z.output<typeof specFields>, "drawMethod"> & {
  readonly drawMethod: "inverse-cdf" | "gumbel";
};

export interface CheckedSampling {
  readonly canvases: readonly Prompt[];
  readonly spec: SamplingSpec;
}

/** @throws LadError `invalid-option` */
export function checkSample(options: SampleOptions, adapted: boolean, warn: Warn): CheckedSampling {
  const { messages, ids, allowSpecial, seed, ...spec } = check(sampleFields, options);
  const canvas = { messages, ids, allowSpecial, seed };
  checkPrompt(canvas);
  return { canvases: [canvas], spec: checkSpec(spec, options, adapted, warn) };
}

/** @throws LadError `invalid-option` */
export function checkSampleMany(options: SampleManyOptions, adapted: boolean, warn: Warn): CheckedSampling {
  const { canvases, ...spec } = check(sampleManyFields, options);
  for (const [index, canvas] of canvases.entries()) checkPrompt(canvas, `canvases[${index}].`);
  return { canvases, spec: checkSpec(spec, options, adapted, warn) };
}

/** @throws LadError `invalid-option` unless a prompt has either messages or ids */
export function checkPrompt({ messages, ids }: Pick<Prompt, "messages" | "ids">, prefix = ""): void {
  if ((messages === undefined) !== (ids === undefined)) return;
  const both = messages !== undefined;
  throw new LadError(
    "invalid-option",
    both ? `${prefix}messages and ${prefix}ids are both given.` : `${prefix}messages is missing.`,
    { option: `${prefix}messages`, remedy: "Give either messages or ids." },
  );
}

/** Which modes use a setting; those not listed here are used by all. */
const USED_BY: Readonly<Record<string, readonly SamplingMode[]>> = {
  iterations: ["remask", "refine", "llada"],
  ...Object.fromEntries(Object.keys(remaskShape).map((key) => [key, ["remask"] as const])),
  ...Object.fromEntries(Object.keys(lladaShape).map((key) => [key, ["llada"] as const])),
  earlyStop: ["remask", "refine"],
  growTokens: ["remask", "refine"],
  attention: ["remask", "refine", "llada"],
  canvasTokens: ["remask", "refine", "llada"],
};

type Spec = z.output<typeof specFields>;

/**
 * Settings, checked for what no field tells by itself, and complete.
 *
 * @param given - the options as they were given, of which those without effect are warned of
 * @throws LadError `invalid-option`
 */
export function checkSpec(spec: Spec, given: object, adapted: boolean, warn: Warn): SamplingSpec {
  const { mode } = spec;
  if (mode === "ar" && adapted) {
    throw invalidOption(
      "mode",
      mode,
      "the autoregressive baseline runs without an adapter",
      'Call it on the base: base.sample({ mode: "ar", … }).',
    );
  }
  const { growTokens } = spec;
  const canvasTokens = Math.min(spec.canvasTokens || spec.answerTokens, spec.answerTokens);
  if (growTokens > 0 && canvasTokens < spec.answerTokens) {
    throw invalidOption(
      "growTokens",
      growTokens,
      `an answer that goes canvas by canvas (canvasTokens ${canvasTokens}) has canvases of fixed size`,
      "Leave out growTokens or canvasTokens.",
    );
  }
  const blocks = Math.ceil(canvasTokens / (spec.blockTokens || canvasTokens));
  if (mode === "llada" && spec.iterations < blocks) {
    throw invalidOption(
      "iterations",
      spec.iterations,
      `${blocks} blocks need at least one iteration each`,
      `Give at least ${blocks}, or a larger blockTokens.`,
    );
  }
  warnOfIgnored(spec, given as Record<string, unknown>, warn);
  return {
    ...spec,
    growTokens: mode === "remask" || mode === "refine" ? growTokens : 0,
    drawMethod: spec.drawMethod ?? (mode === "llada" ? "gumbel" : "inverse-cdf"),
  };
}

function warnOfIgnored(spec: Spec, given: Record<string, unknown>, warn: Warn): void {
  const isGiven = (key: string) => given[key] !== undefined;
  for (const [key, modes] of Object.entries(USED_BY)) {
    if (isGiven(key) && !modes.includes(spec.mode))
      warn(`${key} is ignored: mode ${spec.mode} does not use it.`);
  }
  if (spec.mode === "remask") {
    const { positions, schedule } = spec;
    if (isGiven("sharpness") && schedule === "linear") warn("sharpness is ignored: the schedule is linear.");
    if (isGiven("minGuidanceWeight") && positions !== "confidence") {
      warn(`minGuidanceWeight is ignored: positions are ${positions}.`);
    }
    if (isGiven("clusterSpan") && positions !== "clustered") {
      warn(`clusterSpan is ignored: positions are ${positions}.`);
    }
  }
  if (spec.temperature === 0 && spec.confidence === "unfiltered") {
    for (const key of ["topK", "topP", "drawMethod"]) {
      if (isGiven(key)) warn(`${key} is ignored: at temperature 0 the most probable token is taken.`);
    }
  }
}
