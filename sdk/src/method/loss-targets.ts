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
  /** The weight of a token of the tail, relative to one of the answer's own. */
  readonly tail: number;
  /** 1 at each supervised token, at least one. */
  readonly supervised: Uint8Array;
  /** t of its noise. */
  readonly time: number | undefined;
  /** Examples of the batch that have any supervised token. */
  readonly counted: number;
}

/** How the supervised tokens of an example are weighted. */
export interface Weight {
  /** It belongs to corrupted tokens, of a noise that has a time. */
  readonly corrupted: boolean;
  /** What an example's relative weights are divided by. */
  divisor(weighed: WeighedExample): number;
}

/** Every choice of weights. */
export const WEIGHTINGS = {
  /** The weighted mean over an example's tokens, then the mean over the examples. */
  uniform: { corrupted: false, divisor: (weighed) => sumOf(weighed, weighed.supervised) * weighed.counted },
  /** LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3). */
  "inverse-time": {
    corrupted: true,
    divisor: (weighed) => timeOf(weighed) * sumOf(weighed, weighed.example.answer) * weighed.counted,
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
   * The weight of a supervised token of the EOS tail relative to one of the answer's own, so that short answers teach more than where
   * they end: a number above 0 and at most 1. Default: 1, as any other token.
   */
  tailWeight?: number | undefined;
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
 * `uniform` weights are w / (n · E), w being `tailWeight` in the tail and 1 elsewhere, n the sum of w over the example's supervised
 * tokens, E the examples that have any: the mean over an example's tokens, then over the examples. `inverse-time` weights are
 * w / (t · L · E), L the sum of w over the whole answer (with its tail, where that is supervised): LLaDA's estimate of the likelihood
 * (arXiv 2502.09992, equation 3). The weight of an example multiplies those of its tokens, and leaves other examples' as they are.
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
    return {
      ids: Array.from(input.ids),
      targets: Int32Array.from(chosen, (is, j) => (is === 1 ? (example.ids[j] as number) : IGNORE_INDEX)),
      weights: weightsOf(example, input, chosen, counted, loss),
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

/** 1 at each position of the window that the loss counts: at none of an example whose weight is 0. */
export function supervisedPositions(
  example: PreparedExample,
  shown: ShownExample,
  loss: LossSpec,
): Uint8Array {
  const { ids, tail, weight = 1 } = example;
  if (shown.ids.length !== ids.length) {
    throw new RangeError(`A noised example has ${shown.ids.length} ids, the clean one ${ids.length}.`);
  }
  if (weight === 0) return new Uint8Array(ids.length);
  const { counts }: Supervision = SUPERVISIONS[loss.supervise];
  return Uint8Array.from(ids, (_, i) => ((loss.tail || tail[i] !== 1) && counts(example, shown, i) ? 1 : 0));
}

function weightsOf(
  example: PreparedExample,
  { time }: ShownExample,
  supervised: Uint8Array,
  counted: number,
  { tail: isSupervised, tailWeight, weighting }: LossSpec,
): Float32Array {
  if (!supervised.includes(1)) return new Float32Array(supervised.length);
  const tail = isSupervised ? tailWeight : 0;
  const divisor = WEIGHTINGS[weighting].divisor({ example, tail, supervised, time, counted });
  const { weight = 1 } = example;
  return Float32Array.from(supervised, (is, i) =>
    is === 1 ? ((example.tail[i] === 1 ? tail : 1) * weight) / divisor : 0,
  );
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

/** The sum of the relative weights of some of an example's tokens, those that have a 1 in `chosen`. */
function sumOf({ example, tail }: WeighedExample, chosen: Uint8Array): number {
  const tails = chosen.reduce((sum, is, i) => sum + (is === 1 && example.tail[i] === 1 ? 1 : 0), 0);
  return chosen.reduce((sum, is) => sum + is, 0) - tails + tail * tails;
}
