/** Which tokens are supervised and with what weight: the very numbers that a run on the worker would use. */

import type { Complete } from "../checks/fields-of.js";
import { invalidOption, type LadError } from "../errors.js";
import { type PreparedExample, pastTokensOf } from "./prepared-example.js";

/** A target that supervises nothing. */
export const IGNORE_INDEX = -1;

/** What stands at each position, what is predicted there, with what weight. */
export interface TargetedSequence {
  /** What stands at each position. */
  readonly ids: readonly number[];
  /** The clean token, or {@link IGNORE_INDEX}. */
  readonly targets: Int32Array;
  /** Each position's weight in Σ weight · CE. */
  readonly weights: Float32Array;
  /** How many tokens precede the answer, or its canvas after a random cut. */
  readonly promptTokens: number;
}

/** An example's input as some noise made it. */
export interface ShownExample {
  /** Token ids, as many as the clean example has. */
  readonly ids: ArrayLike<number>;
  /** t in (0, 1]; needed for `inverse-time` weights. */
  readonly time?: number | undefined;
}

/** Which tokens a loss counts, before those of the tail are left out. */
export interface Supervision {
  /** Tokens of the prompt too. */
  readonly prompt: boolean;
  /** Those alone that the noise changed. */
  readonly corrupted: boolean;
  counts(example: PreparedExample, shown: ShownExample, position: number): boolean;
}

const isAnswer = ({ answer }: PreparedExample, position: number) => answer[position] === 1;

/** Every choice of supervised tokens. */
export const SUPERVISIONS = {
  "all-tokens": { prompt: true, corrupted: false, counts: () => true },
  "all-answer-tokens": {
    prompt: false,
    corrupted: false,
    counts: (example, _, position) => isAnswer(example, position),
  },
  "corrupted-answer-tokens": {
    prompt: false,
    corrupted: true,
    counts: (example, shown, position) =>
      isAnswer(example, position) && shown.ids[position] !== example.ids[position],
  },
} as const satisfies Readonly<Record<string, Supervision>>;
/** Which tokens are supervised. */
export type Supervise = keyof typeof SUPERVISIONS;

/** What the weight of an example's tokens may depend on. */
export interface WeighedExample {
  readonly example: PreparedExample;
  /** Whether the EOS tail is supervised. */
  readonly tail: boolean;
  /** Its tokens that are, at least one. */
  readonly supervised: number;
  /** t of its noise. */
  readonly time: number | undefined;
  /** Examples of the batch that have any supervised token. */
  readonly counted: number;
}

/** How the supervised tokens of an example are weighted. */
export interface Weight {
  /** It belongs to corrupted tokens, of a noise that has a time. */
  readonly corrupted: boolean;
  of(weighed: WeighedExample): number;
}

/** Every choice of weights. */
export const WEIGHTINGS = {
  /** The mean over an example's tokens, then over the examples. */
  uniform: { corrupted: false, of: ({ supervised, counted }) => 1 / (supervised * counted) },
  /** LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3). */
  "inverse-time": {
    corrupted: true,
    of: (weighed) => 1 / (timeOf(weighed) * answerLength(weighed) * weighed.counted),
  },
} as const satisfies Readonly<Record<string, Weight>>;
/** How supervised tokens are weighted. */
export type Weighting = keyof typeof WEIGHTINGS;

/** What the base itself would write as a target: its next-token distribution after the clean tokens before, at temperature 1. */
export interface SoftOptions {
  /** Only so many of its most probable tokens are kept, scaled to a sum of 1: an integer from 1 to 1024. Default: 32. */
  topK?: number | undefined;
  /** Its share of the target, whose rest is the label: a number above 0 and at most 1. Default: 1. */
  share?: number | undefined;
}

/** What the base itself would write as a target, complete. */
export interface SoftTargets extends Complete<SoftOptions> {}

/** Which tokens are supervised, with what weight. */
export interface LossOptions {
  /**
   * Which tokens are supervised. `all-tokens`: prompt, answer and tail; `all-answer-tokens`: answer and tail;
   * `corrupted-answer-tokens`: what the noise changed of them. Default: `all-tokens`.
   */
  supervise?: Supervise | undefined;
  /** Whether the EOS tail is supervised. Default: true. */
  tail?: boolean | undefined;
  /**
   * How supervised tokens are weighted. `uniform`: the mean over an example's tokens, then over the examples; `inverse-time`: LLaDA's
   * 1/t, normalised by the whole answer's length, over corrupted tokens under `mask-only` or `uniform` noise. Default: `uniform`.
   */
  weighting?: Weighting | undefined;
  /**
   * The target at each token of an answer but those of the EOS tail is what the base itself would write there; `{}` for its defaults. The
   * worker makes such targets, and takes no noise of the caller's own beside them. Default: none, labels alone.
   */
  soft?: SoftOptions | undefined;
}

/** Which tokens are supervised, with what weight, complete. */
export interface LossSpec extends Complete<Omit<LossOptions, "soft">> {
  /** What the base itself would write as a target; undefined: labels alone. */
  readonly soft?: SoftTargets | undefined;
}

/**
 * One optimizer step's batch with its targets and weights.
 *
 * `uniform` weights are 1 / (n · E), n the example's supervised tokens, E the examples that have any: the mean over an example's
 * tokens, then over the examples. `inverse-time` weights are 1 / (t · L · E), L the whole answer's length (with its tail, where
 * that is supervised): LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3).
 *
 * @throws RangeError when shown and clean examples differ in number or length; LadError `invalid-option` when `inverse-time` has no t,
 *   and for `soft` targets, which the worker alone makes
 */
export function targeted(
  examples: readonly PreparedExample[],
  shown: readonly ShownExample[],
  loss: LossSpec,
): TargetedSequence[] {
  if (loss.soft !== undefined) throw softNeedsWorker(loss.soft);
  if (shown.length !== examples.length) {
    throw new RangeError(`${shown.length} noised examples were given for ${examples.length} clean ones.`);
  }
  const supervised = examples.map((example, i) =>
    supervisedPositions(example, shown[i] as ShownExample, loss),
  );
  const counted = supervised.filter((positions) => positions.includes(1)).length;
  return examples.map((example, i) => {
    const chosen = supervised[i] as Uint8Array;
    const input = shown[i] as ShownExample;
    const weight = Math.fround(exampleWeight(example, input, chosen, counted, loss));
    return {
      ids: Array.from(input.ids),
      targets: Int32Array.from(chosen, (is, j) => (is === 1 ? (example.ids[j] as number) : IGNORE_INDEX)),
      weights: Float32Array.from(chosen, (is) => (is === 1 ? weight : 0)),
      promptTokens: pastTokensOf(example),
    };
  });
}

/** The base's distributions are computed where it is, for the rows that the worker noises. */
export function softNeedsWorker(soft: SoftTargets): LadError {
  return invalidOption(
    "loss.soft",
    soft,
    "the worker makes the base's targets, for the noise that it draws itself",
    "Use adapter.train with a noise of the package, forwardBackward with rows of a data set, or no loss.soft.",
  );
}

/** 1 at each position of the window that the loss counts. */
export function supervisedPositions(
  example: PreparedExample,
  shown: ShownExample,
  loss: LossSpec,
): Uint8Array {
  const { ids, tail } = example;
  if (shown.ids.length !== ids.length) {
    throw new RangeError(`A noised example has ${shown.ids.length} ids, the clean one ${ids.length}.`);
  }
  const { counts }: Supervision = SUPERVISIONS[loss.supervise];
  return Uint8Array.from(ids, (_, i) => ((loss.tail || tail[i] !== 1) && counts(example, shown, i) ? 1 : 0));
}

function exampleWeight(
  example: PreparedExample,
  { time }: ShownExample,
  chosen: Uint8Array,
  counted: number,
  { tail, weighting }: LossSpec,
): number {
  const supervised = chosen.reduce((sum, is) => sum + is, 0);
  if (supervised === 0) return 0;
  return WEIGHTINGS[weighting].of({ example, tail, supervised, time, counted });
}

function timeOf({ time }: WeighedExample): number {
  if (time !== undefined && time > 0) return time;
  throw invalidOption(
    "noise",
    time ?? "without a time",
    "inverse-time weights need the t of every noised example, above 0",
    "Return { ids, time } from customNoise, or use the weighting uniform.",
  );
}

/** Tokens of the whole answer, with its tail where that is supervised. */
function answerLength({ example, tail }: WeighedExample): number {
  return example.answer.reduce(
    (sum, is, i) => sum + (is === 1 && (tail || example.tail[i] !== 1) ? 1 : 0),
    0,
  );
}
