/** What the samplers take (docs/method.md §6), their defaults and their ranges. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import {
  abortSignal,
  above,
  atLeast,
  fields,
  flag,
  integer,
  list,
  MAX_FLOAT32,
  number,
  oneOf,
  seed,
} from "../checks/fields.js";
import { invalidOption, LadError } from "../errors.js";
import { denoisingAttention, shareWeight } from "./attention.js";
import { messagesSchema } from "./data.js";

const SAMPLING_MODES = ["remask", "refine", "llada", "ar"] as const;
export type SamplingMode = (typeof SAMPLING_MODES)[number];

const eosBiasError = "a number, or -Infinity to forbid the stop tokens";

function isBias(value: unknown): boolean {
  if (typeof value !== "number") return false;
  return value === Number.NEGATIVE_INFINITY || Math.abs(value) <= MAX_FLOAT32;
}

/** How a token is drawn from its position's distribution. */
export const drawShape = {
  /** 0: the most probable token. */
  temperature: atLeast(0).default(0),
  /** 0: no limit. */
  topK: integer(0).default(0),
  /** 1: no limit. */
  topP: above(0).max(1, { error: "a number above 0 and at most 1" }).default(1),
  /** `inverse-cdf`: one uniform number a position; `gumbel`: LLaDA's Gumbel-max. Default: gumbel for llada. */
  drawMethod: oneOf(["inverse-cdf", "gumbel"]).optional(),
  /** The sampled token's probability at temperature 1 before any filter, or after temperature, top-k and top-p. */
  confidence: oneOf(["unfiltered", "filtered"]).default("unfiltered"),
  /** Added to the logits of the base's stop tokens; -Infinity forbids them. */
  eosBias: z.custom<number>(isBias, { error: eosBiasError }).default(0),
};

const remaskShape = {
  schedule: oneOf(["exponential", "linear"]).default("exponential"),
  /** s of n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)), x = i/I. */
  sharpness: above(0).default(5),
  /** n0: the share of the answer that is re-masked first. */
  noiseStart: number(0, 1).default(1),
  /** Which positions: random; in clusters; or with weights 1 − confidence. */
  positions: oneOf(["random", "clustered", "confidence"]).default("random"),
  /** Confidence weights are clipped from below to this. */
  minGuidanceWeight: above(0).max(1, { error: "a number above 0 and at most 1" }).default(0.1),
  /** Mean length of a cluster, in tokens. */
  clusterSpan: integer(1).default(4),
  /** What becomes of a position that was not re-masked: nothing; it is never masked again; its token is final. */
  retention: oneOf(["none", "editable", "locked"]).default("none"),
};

const lladaShape = {
  /** 0: the whole answer is one block. */
  blockTokens: integer(0).default(0),
  /** Classifier-free guidance; 0: none. */
  guidanceScale: atLeast(0).default(0),
  /** A stop token never wins by confidence. */
  eosConfidenceOff: flag().default(false),
};

const specShape = {
  /** `remask`: scheduled denoising; `refine`: the sampled answer is the next input; `llada`: fixed budget; `ar`. */
  mode: oneOf(SAMPLING_MODES).default("remask"),
  /** Length of the answer's part of the canvas; the most that `ar` generates. */
  answerTokens: integer(1, 2 ** 20).default(64),
  /** Forwards of remask, refine and llada, for each canvas. */
  iterations: integer(1).default(32),
  ...drawShape,
  ...remaskShape,
  ...lladaShape,
  /** remask and refine: stop when three consecutive iterations sample the same answer. */
  earlyStop: flag().default(true),
  /** remask and refine: begin with so many MASKs, append as many per iteration. 0: all from the start. */
  growTokens: integer(0, 2 ** 20).default(0),
  /** How the prompt attends, which should be as the adapter was trained. */
  attention: denoisingAttention.default("full"),
  /** Denoise so many positions at once, canvas by canvas, each behind the finished ones. 0: the answer is one canvas. */
  canvasTokens: integer(0, 2 ** 20).default(0),
  shareWeight: shareWeight.default(1),
  /** Stream every iteration; false: only answers. */
  frames: flag().default(true),
  /** Leave the run going when its events are no longer read. */
  detached: flag().default(false),
  signal: abortSignal().optional(),
};

/** How to sample, whatever the prompt. */
export const specFields = fields(specShape);

const tokenIds = list(integer(0), "a list of token ids, at least one");

export const promptShape = {
  /** A chat through the base's template, or a string that stands for one user message. */
  messages: messagesSchema.optional(),
  /** The prompt as token ids, instead of messages. */
  ids: tokenIds.optional(),
  /** Special tokens that are written out in `messages` are those tokens; without it they are text. */
  allowSpecial: flag().default(false),
  /** Keys the draws and the choice of positions. */
  seed: seed().default(0n),
};
const promptFields = fields(promptShape);
export type PromptOptions = z.input<typeof promptFields>;
export type Prompt = z.output<typeof promptFields>;

export const sampleFields = fields({ ...promptShape, ...specShape });
/** Options of `adapter.sample` and `base.sample`. */
export type SampleOptions = z.input<typeof sampleFields>;

const sampleManyFields = fields({
  canvases: list(promptFields, "a list of canvases, at least one"),
  ...specShape,
});
/** Options of `adapter.sampleMany` and `base.sampleMany`. */
export type SampleManyOptions = z.input<typeof sampleManyFields>;

export type SamplingSpec = Omit<z.output<typeof sampleManyFields>, "canvases" | "drawMethod"> & {
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

type Spec = Omit<z.output<typeof sampleManyFields>, "canvases">;

function checkSpec(spec: Spec, given: object, adapted: boolean, warn: Warn): SamplingSpec {
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
