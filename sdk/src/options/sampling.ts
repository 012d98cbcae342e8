/** What the samplers take (docs/method.md §6), their defaults and their ranges. */
import { z } from "zod";
import { check, type Warn } from "../checks/check.js";
import {
  abortSignal,
  above,
  atLeast,
  filledText,
  flag,
  integer,
  list,
  MAX_FLOAT32,
  type Misplaced,
  oneOf,
  seed,
  timeLimit,
} from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { meant } from "../checks/meaning.js";
import { invalidOption, LadError } from "../errors.js";
import { MAX_STOP_CHARACTERS, MAX_STOP_STRINGS } from "../method/answer-end.js";
import { policies } from "../method/policies/registered.js";
import { type Policy, policyDefinition } from "../method/policy.js";
import {
  canvasTokens,
  type DenoisingAttention,
  denoisingAttention,
  type ShareOptions,
  shareWeight,
} from "./attention.js";
import { type ChatMessage, messagesSchema, padTokens } from "./data.js";
import {
  type Beginning,
  type BeginningOptions,
  beginningShape,
  checkBeginning,
} from "./sampling/beginning.js";
import { misplacedBesidePolicy, type PolicyInput, policySchema } from "./sampling/policy.js";

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
   * Whether the mask token may be sampled, as in the reference implementation. If not, its logit is −∞. The base itself, with the
   * policies `ar` and `speculative`, always samples from the whole distribution. Default: false.
   */
  allowMask?: boolean | undefined;
}

/** What is sampled for. */
export interface PromptOptions {
  /**
   * A chat through the base's template, or a string that stands for one user message. An assistant message last begins the answer, which goes
   * on behind it. Default: none, where `ids` are given.
   */
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
   * `entropy-bound`: as many tokens stand as are nearly independent; `ar`: the causal base writes one token after another; `speculative`:
   * the adapter drafts the base's own answer, several tokens at a time. Default: `remask`.
   */
  policy?: PolicyInput | undefined;
  /**
   * Length of the answer's part of the canvas in tokens, the most that `ar` and `speculative` generate: an integer from 1 to 1,048,576.
   * Default: what the prompt leaves of the windows that the adapter was trained in, since canvases of that length are what it knows; 64
   * if these are not known (`adapter.info.claims`); of answers that are given in pieces, the tokens of the longest and one for the end.
   */
  answerTokens?: number | undefined;
  /**
   * The most tokens of a prompt and its answer together: an answer has no more positions than its prompt leaves of them, such as of
   * `base.info.maxPositions`. An integer from 1 to 2,097,152; not beside a draft, an answer in pieces or `from`. Default: no limit, so that an
   * answer that does not fit the base is refused.
   */
  totalTokens?: number | undefined;
  /**
   * How the prompt attends; another mode than the adapter was trained in is warned of. `full`: every token attends to its whole sequence; `prefix`:
   * prompt tokens to the prompt alone; `causal-prefix`: the prompt runs through the unadapted causal base. Default: as the adapter was
   * trained, if it is known (`adapter.info.claims`), else `full`.
   */
  attention?: DenoisingAttention | undefined;
  /**
   * Denoise so many positions at once, canvas by canvas, each behind the finished ones; of `speculative`, draft from so many MASKs: an
   * integer from 0 to 1,048,576. Default: the `canvasTokens` that the adapter was trained with, mostly 0: the answer is one canvas.
   */
  canvasTokens?: number | undefined;
  /**
   * What fills the tail of an answer behind its end, where the adapter was trained with it: what the end of an answer given in pieces is
   * followed by, and what counts as an end where `remask` chooses by confidence. A list of at most 64 texts, each one token. Default: the
   * `padTokens` that the adapter was trained with, mostly none: the token that ends an answer.
   */
  padTokens?: readonly string[] | undefined;
  /**
   * Strings before which an answer's text ends, whatever the policy: a string of 1 to 256 characters, or a list of at most 16. The one that
   * is complete first counts, also within a token, and in what is pinned or drafted. Default: none.
   */
  stop?: string | readonly string[] | undefined;
  /** Stream every iteration; false: only answers. Default: true. */
  frames?: boolean | undefined;
  /** Leave the run going when its events are no longer read. Default: false. */
  detached?: boolean | undefined;
  /** Ends the run with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
}

/** A prompt, and what its answer begins from. */
export interface CanvasStart extends PromptOptions, BeginningOptions {}

/** How long sampling may take. */
export interface SamplingLimit {
  /**
   * Ends the run, of `evaluate` all that it asks of the worker, with the error `timeout` so many milliseconds after its start: an integer
   * from 0 to 2,147,483,647, or Infinity. 0 and Infinity: never. The worker stops within one iteration; a run that is `detached` goes on,
   * and is no longer followed. Default: as long as it takes.
   */
  timeoutMs?: number | undefined;
}

/** Options of `adapter.sample` and `base.sample`. */
export interface SampleOptions extends CanvasStart, SamplingOptions, SamplingLimit {}

/** Options of `adapter.sampleMany` and `base.sampleMany`. */
export interface SampleManyOptions extends SamplingOptions, SamplingLimit {
  /** The prompts, at least one, and what their answers begin from. */
  canvases: readonly CanvasStart[];
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

const stopError = `a string of 1 to ${MAX_STOP_CHARACTERS} characters, or a list of at most ${MAX_STOP_STRINGS}`;
const stopString = filledText(stopError).refine((text) => [...text].length <= MAX_STOP_CHARACTERS, {
  error: stopError,
});

/** Strings before which an answer ends. */
export const stopStrings = z.union(
  [
    stopString.transform((text): readonly string[] => [text]),
    z.array(stopString, { error: stopError }).max(MAX_STOP_STRINGS, { error: stopError }).readonly(),
  ],
  { error: stopError },
);

const specShape = {
  policy: policySchema.default(() => policySchema.parse("remask")),
  answerTokens: integer(1, 2 ** 20).optional(),
  totalTokens: integer(1, 2 ** 21).optional(),
  ...drawShape,
  attention: denoisingAttention.optional(),
  canvasTokens: canvasTokens.optional(),
  padTokens: padTokens().optional(),
  stop: stopStrings.optional(),
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

/** The remedy for an option of the whole call that stands inside one of its prompts, which the call has in the list `among`. */
export function misplacedInPrompt(among: string): Misplaced {
  return (key, value) => {
    const option = meant(key, Object.keys({ ...specShape, ...limitShape }));
    if (option !== undefined) return `Give ${option} beside ${among}: it is of the whole call.`;
    return misplacedBesidePolicy(key, value);
  };
}

/** The remedy for a prompt's option that stands beside the list `among` of prompts. */
export function misplacedBesidePrompts(among: string): Misplaced {
  return (key, value) => {
    const option = meant(key, [among]) ?? meant(key, Object.keys(promptShape));
    if (option === among) return `Did you mean ${among}?`;
    if (option !== undefined) return `It is an option of each prompt: ${among}: [{ ${option} }].`;
    return misplacedBesidePolicy(key, value);
  };
}

export const canvasStartFields = fieldsOf<CanvasStart>()(
  { ...promptShape, ...beginningShape },
  misplacedInPrompt("canvases"),
);

export const limitShape = { timeoutMs: timeLimit().optional() };

export const sampleFields = fieldsOf<SampleOptions>()(
  { ...promptShape, ...beginningShape, ...specShape, ...limitShape },
  misplacedBesidePolicy,
);

export const sampleManyFields = fieldsOf<SampleManyOptions>()(
  {
    canvases: list(canvasStartFields, "a list of canvases, at least one"),
    ...specShape,
    ...limitShape,
  },
  misplacedBesidePrompts("canvases"),
);

/** How to sample, complete. */
export type SamplingSpec = Omit<z.output<typeof specFields>, "drawMethod"> & {
  readonly drawMethod: "inverse-cdf" | "gumbel";
};

/** A prompt, with what its answer begins from. */
export type StartedCanvas = Prompt & { readonly begin?: Beginning | undefined };

export interface CheckedSampling {
  readonly canvases: readonly StartedCanvas[];
  readonly spec: SamplingSpec;
  readonly timeoutMs?: number | undefined;
}

/** The length of an answer that neither its caller nor its adapter's training gave one. */
export const ANSWER_TOKENS = 64;

/** @throws LadError `invalid-option` */
export function checkSample(options: SampleOptions, adapted: boolean, warn: Warn): CheckedSampling {
  const given = check(sampleFields, options);
  const { messages, ids, allowSpecial, seed, draft, pinned, answer, from, strength, timeoutMs, ...spec } =
    given;
  checkPrompt(given);
  const begin = checkBeginning({ draft, pinned, answer, from, strength }, spec.policy, warn);
  const canvas = { messages, ids, allowSpecial, seed, begin };
  checkTotal(spec, [canvas]);
  return { canvases: [canvas], spec: checkSpec(spec, options, adapted, warn), timeoutMs };
}

/**
 * Checks the options of `sample` before there is a worker: all that does not depend on the base.
 *
 * @param model - whether an adapter answers: a base alone has other policies
 * @throws LadError `invalid-option`
 */
export function checkSampleOptions(
  options: SampleOptions,
  model: {
    /** Whether it is a base with an adapter. */
    readonly adapted: boolean;
  },
): void {
  checkSample(options, model.adapted, () => {}); // sample warns
}

/** @throws LadError `invalid-option` */
export function checkSampleMany(options: SampleManyOptions, adapted: boolean, warn: Warn): CheckedSampling {
  const { canvases: given, timeoutMs, ...spec } = check(sampleManyFields, options);
  const canvases = given.map(({ draft, pinned, answer, from, strength, ...prompt }, index) => {
    const path = `canvases[${index}].`;
    checkPrompt(prompt, path);
    const begin = checkBeginning({ draft, pinned, answer, from, strength }, spec.policy, warn, path);
    return { ...prompt, begin };
  });
  checkTotal(spec, canvases);
  return { canvases, spec: checkSpec(spec, options, adapted, warn), timeoutMs };
}

/** @throws LadError `invalid-option` for a limit on answers whose length what they begin from gives */
function checkTotal(
  { totalTokens }: Pick<Spec, "totalTokens">,
  canvases: readonly { readonly begin?: unknown }[],
): void {
  if (totalTokens === undefined || canvases.every(({ begin }) => begin === undefined)) return;
  const problem = "an answer that begins from something is as long as that says";
  throw invalidOption("totalTokens", totalTokens, problem, "Leave it out, and give answerTokens.");
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

type Spec = z.output<typeof specFields>;

/**
 * Settings, checked for what no field tells by itself, and complete.
 *
 * @param given - the options as they were given, of which those without effect are warned of
 * @throws LadError `invalid-option`
 */
export function checkSpec(spec: Spec, given: object, adapted: boolean, warn: Warn): SamplingSpec {
  const definition = policyDefinition(spec.policy.kind);
  checkLength(spec, spec.answerTokens, adapted);
  warnOfIgnored(spec, given as Record<string, unknown>, warn);
  return { ...spec, drawMethod: spec.drawMethod ?? definition.drawMethod };
}

/** @throws LadError `invalid-option` if the policy cannot write an answer of this length, which may not be known yet */
export function checkLength(
  { policy, canvasTokens, attention }: Pick<Spec, "policy" | "canvasTokens" | "attention">,
  answerTokens: number | undefined,
  adapted: boolean,
): void {
  const largest = answerTokens && Math.min(canvasTokens || answerTokens, answerTokens);
  policyDefinition(policy.kind).check?.(policy, { adapted, answerTokens, canvasTokens: largest, attention });
}

function warnOfIgnored(spec: Spec, given: Record<string, unknown>, warn: Warn): void {
  const isGiven = (key: string) => given[key] !== undefined;
  warnOfPolicy(spec.policy, warn);
  for (const key of (policyDefinition(spec.policy.kind).unused ?? []).filter(isGiven)) {
    warn(`${key} is ignored: policy ${spec.policy.kind} does not use it.`);
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
