/** `entropy-bound` (EB-Sampler, arXiv 2505.24857; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { atLeast, flag, integer } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  predicted,
  sampledWhere,
} from "../answer-state.js";
import { mostConfident } from "../choose.js";
import { definePolicy, iterations, misplacedInPolicy } from "./policy.js";

/** How `entropy-bound` denoises. */
export interface EntropyBoundOptions {
  /** The largest number of forwards for each canvas: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /**
   * The positions of lowest entropy stand, as many as have entropies that sum to this many nats at most, the highest one left out. A
   * finite number of at least 0. Default: 0.1.
   */
  bound?: number | undefined;
  /**
   * Whether the draws' temperature falls evenly from `temperatureStart` to `temperatureEnd`; otherwise it is the call's `temperature`.
   * Default: true.
   */
  anneal?: boolean | undefined;
  /** The temperature of the first forward's draws: a finite number of at least 0. Default: 0.8. */
  temperatureStart?: number | undefined;
  /** The temperature that the draws would have after the last forward: a finite number of at least 0. Default: 0.4. */
  temperatureEnd?: number | undefined;
  /**
   * Stop when so many forwards in a row sampled the same answer and the last of them is sure of it: an integer of at least 1.
   * Default: 2.
   */
  stableForwards?: number | undefined;
  /**
   * A forward is sure of its answer if a position's entropy, on average, is below this many nats: a finite number of at least 0.
   * Default: 0.005; 0 never stops early.
   */
  stableEntropy?: number | undefined;
}

/** Decoding under an entropy bound, complete. */
export interface EntropyBoundPolicy extends Complete<EntropyBoundOptions> {
  /** Names the policy. */
  readonly kind: "entropy-bound";
}

export const entropyBoundFields = fieldsOf<EntropyBoundOptions>()(
  {
    iterations,
    bound: atLeast(0).default(0.1),
    anneal: flag().default(true),
    temperatureStart: atLeast(0).default(0.8),
    temperatureEnd: atLeast(0).default(0.4),
    stableForwards: integer(1).default(2),
    stableEntropy: atLeast(0).default(0.005),
  },
  misplacedInPolicy,
);

/** Decoding under an entropy bound: of each forward, as many tokens stand as are nearly independent of one another. */
export function entropyBound(options: EntropyBoundOptions = {}): EntropyBoundPolicy {
  return { kind: "entropy-bound", ...check(entropyBoundFields, options) };
}

definePolicy(entropyBound, {
  kind: "entropy-bound",
  options: entropyBoundFields,
  drawMethod: "inverse-cdf",
  denoising: {
    forwards: ({ iterations }) => iterations,
    temperature: (policy, iteration) => (policy.anneal ? annealedTemperature(policy, iteration) : undefined),
    step: entropyBoundStep,
  },
  ignored: ({ anneal, stableEntropy }) => ({
    ...(!anneal && { temperatureStart: "anneal is false", temperatureEnd: "anneal is false" }),
    ...(stableEntropy === 0 && { stableForwards: "stableEntropy is 0" }),
  }),
});

/**
 * Decoding under an entropy bound: the positions of lowest entropy stand, as many as the bound allows; the others are masked again.
 *
 * The memory holds how many forwards in a row sampled the same answer, then that answer.
 *
 * @throws RangeError where the prediction has no `entropies`
 */
export function entropyBoundStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: EntropyBoundPolicy,
): PolicyStep {
  const sampled = sampledWhere(state, prediction, () => true);
  const entropies = Array.from(predicted(prediction, "entropies"));
  const same = sameInARow(state, sampled.ids);
  const done = meanOf(entropies) < policy.stableEntropy && same >= policy.stableForwards;
  const isLast = done || prediction.iteration >= policy.iterations - 1;
  const count = isLast ? entropies.length : boundedCount(entropies, policy.bound);
  const everywhere = entropies.map(() => true);
  const stands = mostConfident(
    everywhere,
    count,
    entropies.map((h) => -h),
  );
  const next = {
    ids: sampled.ids.map((id, p) => (stands[p] ? id : prediction.maskTokenId)),
    masked: stands.map((is) => !is),
    kept: stands.map(() => false),
    confidences: sampled.confidences.map((c, p) => (stands[p] ? c : 0)),
    memory: [same, ...sampled.ids],
  };
  return { sampled, next, done };
}

/** end + (start − end) · (1 − i / I) in iteration i of I. */
export function annealedTemperature(
  policy: Pick<EntropyBoundPolicy, "iterations" | "temperatureStart" | "temperatureEnd">,
  iteration: number,
): number {
  const { temperatureStart: start, temperatureEnd: end } = policy;
  return end + (start - end) * (1 - iteration / policy.iterations);
}

/** The largest n whose n lowest entropies sum to `bound` at most, the highest of them left out; at least 1. */
export function boundedCount(entropies: readonly number[], bound: number): number {
  let sum = 0;
  const within = [...entropies]
    .sort((a, b) => a - b)
    .filter((h) => {
      sum += h;
      return sum - h <= bound;
    });
  return Math.max(1, within.length);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sameInARow({ memory: [same = 0, ...before] = [] }: AnswerState, ids: readonly number[]): number {
  const isSame = before.length === ids.length && before.every((id, p) => id === ids[p]);
  return isSame ? same + 1 : 1;
}
