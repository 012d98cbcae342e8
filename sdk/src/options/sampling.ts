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
  oneOf,
  seed,
} from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { LadError } from "../errors.js";
import { policies } from "../method/policies/registered.js";
import { type Policy, policyDefinition } from "../method/policy.js";
import { type DenoisingAttention, denoisingAttention, type ShareOptions, shareWeight } from "./attention.js";
import { type ChatMessage, messagesSchema } from "./data.js";
import { misplacedBesidePolicy, type PolicyInput, policySchema } from "./policy.js";

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
   * `inverse-cdf`: by one uniform number a position; `gumbel`: LLaDA's Gumbel-max. Default: the policy's, `gumbel` of `llada` and
   * `inverse-cdf` of all others.
   */
  drawMethod?: "inverse-cdf" | "gumbel" | undefined;
  /**
   * What counts as the sampled token's confidence: its probability at temperature 1 before any filter (`unfiltered`), or after
   * temperature, top-k and top-p (`filtered`). Default: `unfiltered`.
   */
  confidence?: "unfiltered" | "filtered" | undefined;
  /** Added to the logits of the base's stop tokens: a number, or -Infinity to forbid the stop tokens. Default: 0. */
  eosBias?: number | undefined;
  /**
   * Whether the mask token may be sampled, as in the reference implementation. If not, its logit is −∞. The policy `ar` always samples
   * from the whole distribution. Default: false.
   */
  allowMask?: boolean | undefined;
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
   * Keys the draws and the choice of positions: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0, to
   * which a run over several prompts adds the prompt's number as a second key, so that the answers to equal prompts differ.
   */
  seed?: number | bigint | undefined;
}

/** How to sample, whatever the prompt. */
export interface SamplingOptions extends DrawOptions, ShareOptions {
  /**
   * The sampling policy with its options, such as `remask({ iterations: 16 })`, or its name. `remask`: scheduled denoising with
   * re-masking; `refine`: the sampled answer is the next input; `llada`: a fixed number of the most confident masks is committed in
   * each step; `threshold`: all masks that are sure enough are; `editing` and `revoking`: tokens may also be replaced or masked again;
   * `entropy-bound`: as many tokens stand as are nearly independent; `ar`: the causal base writes one token after another. Default: `remask`.
   */
  policy?: PolicyInput | undefined;
  /**
   * Length of the answer's part of the canvas in tokens, the most that `ar` generates: an integer from 1 to 1,048,576. Default: 64.
   */
  answerTokens?: number | undefined;
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
  allowMask: flag().default(false),
};

const specShape = {
  policy: policySchema.default(() => policySchema.parse("remask")),
  answerTokens: integer(1, 2 ** 20).default(64),
  ...drawShape,
  attention: denoisingAttention.default("full"),
  canvasTokens: integer(0, 2 ** 20).default(0),
  shareWeight: shareWeight.default(1),
  frames: flag().default(true),
  detached: flag().default(false),
  signal: abortSignal().optional(),
};

export const specFields = fieldsOf<SamplingOptions>()(specShape, misplacedBesidePolicy);

const tokenIds = list(integer(0), "a list of token ids, at least one");

export const promptShape = {
  messages: messagesSchema.optional(),
  ids: tokenIds.optional(),
  allowSpecial: flag().default(false),
  seed: seed().optional(),
};
export const promptFields = fieldsOf<PromptOptions>()(promptShape);
export type Prompt = z.output<typeof promptFields>;

export const sampleFields = fieldsOf<SampleOptions>()(
  { ...promptShape, ...specShape },
  misplacedBesidePolicy,
);

export const sampleManyFields = fieldsOf<SampleManyOptions>()(
  {
    canvases: list(promptFields, "a list of canvases, at least one"),
    ...specShape,
  },
  misplacedBesidePolicy,
);

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

/** Options that only denoising policies use. */
const OF_DENOISING = ["attention", "canvasTokens", "allowMask"];

type Spec = z.output<typeof specFields>;

/**
 * Settings, checked for what no field tells by itself, and complete.
 *
 * @param given - the options as they were given, of which those without effect are warned of
 * @throws LadError `invalid-option`
 */
export function checkSpec(spec: Spec, given: object, adapted: boolean, warn: Warn): SamplingSpec {
  const { policy, answerTokens } = spec;
  const definition = policyDefinition(policy.kind);
  const canvasTokens = Math.min(spec.canvasTokens || answerTokens, answerTokens);
  definition.check?.(policy, { adapted, answerTokens, canvasTokens });
  warnOfIgnored(spec, given as Record<string, unknown>, warn);
  return { ...spec, drawMethod: spec.drawMethod ?? definition.drawMethod };
}

function warnOfIgnored(spec: Spec, given: Record<string, unknown>, warn: Warn): void {
  const isGiven = (key: string) => given[key] !== undefined;
  warnOfPolicy(spec.policy, warn);
  if (policyDefinition(spec.policy.kind).denoising === undefined) {
    for (const key of OF_DENOISING.filter(isGiven)) {
      warn(`${key} is ignored: policy ${spec.policy.kind} does not use it.`);
    }
  }
  const ownTemperature = policyDefinition(spec.policy.kind).denoising?.temperature?.(spec.policy, 0);
  if (ownTemperature !== undefined && isGiven("temperature")) {
    warn(
      `temperature is ignored: policy ${spec.policy.kind} has its own (anneal: false leaves it to the call).`,
    );
  }
  if ((ownTemperature ?? spec.temperature) === 0 && spec.confidence === "unfiltered") {
    for (const key of ["topK", "topP", "drawMethod"]) {
      if (isGiven(key)) warn(`${key} is ignored: at temperature 0 the most probable token is taken.`);
    }
  }
}

/** Warns of a policy's options that have no effect, unless they have their default values. */
function warnOfPolicy(policy: Policy, warn: Warn): void {
  const values: Readonly<Record<string, unknown>> = { ...policy };
  const defaults: Readonly<Record<string, unknown>> = { ...policies[policy.kind]() };
  const ignored = policyDefinition(policy.kind).ignored?.(policy) ?? {};
  for (const [key, reason] of Object.entries(ignored)) {
    if (values[key] !== defaults[key]) warn(`${key} is ignored: ${reason}.`);
  }
}
