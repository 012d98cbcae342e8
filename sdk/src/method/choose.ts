/**
 * Which positions: every way to pick exactly `count` of the candidates. A choice is a mask over the answer, true where chosen.
 *
 * Choices take numbers of the sequence (seed, remask, subject = canvas, round = iteration): number p of lane 0 belongs to position
 * p. Whatever is compared, equal keys go to the lower position. The worker makes the very same choices.
 */
import { argsort, Purpose, uniforms } from "./random.js";

/** What keys a choice. */
export interface ChoiceKey {
  readonly seed: bigint;
  /** The canvas's number in its run, if the canvas has no seed of its own. Default: 0. */
  readonly canvas?: number | undefined;
  readonly iteration: number;
}

/** Uniformly without replacement: the candidates with the `count` smallest numbers. */
export function randomPositions(candidates: readonly boolean[], count: number, key: ChoiceKey): boolean[] {
  return smallest(numbers(candidates.length, key, 0), candidates, count);
}

/**
 * In runs of `meanSpan` positions on average (geometric): whole runs in random order, the last one cut at its right end.
 *
 * A run starts at position 0 and wherever the number of lane 1 is below 1 / meanSpan; its place in the order is the number of
 * lane 0 at its start. Positions that are no candidates are passed over.
 */
export function clusteredPositions(
  candidates: readonly boolean[],
  count: number,
  meanSpan: number,
  key: ChoiceKey,
): boolean[] {
  const places = numbers(candidates.length, key, 0);
  const borders = numbers(candidates.length, key, 1);
  let start = 0;
  const keys = candidates.map((_, p) => {
    if (at(borders, p) < 1 / meanSpan) start = p;
    return at(places, start);
  });
  return smallest(keys, candidates, count);
}

/** What a confidence-guided choice goes by, one entry for each position. */
export interface Guidance {
  readonly confidences: ArrayLike<number>;
  /** True where a stop token was sampled, or what fills the tail behind it. */
  readonly eos: readonly boolean[];
  /** Weights 1 − confidence are clipped from below to this; above 0. */
  readonly minWeight: number;
}

/**
 * Without replacement, with weights w = max(1 − confidence, minWeight): what the model is unsure of goes first.
 *
 * The candidates with the smallest keys −ln(u) / w (Efraimidis and Spirakis, 2006). EOS candidates and others are drawn from
 * apart, in proportion: floor(count · EOS candidates / candidates) EOS positions, the rest others.
 */
export function guidedPositions(
  candidates: readonly boolean[],
  count: number,
  { confidences, eos, minWeight }: Guidance,
  key: ChoiceKey,
): boolean[] {
  const keys = numbers(candidates.length, key, 0).map(
    (u, p) => -Math.log(u) / Math.max(1 - at(confidences, p), minWeight),
  );
  const eosCandidates = candidates.map((is, p) => is && eos[p] === true);
  const others = candidates.map((is, p) => is && eos[p] !== true);
  const eosCount = Math.floor((count * tally(eosCandidates)) / Math.max(1, tally(candidates)));
  const chosen = smallest(keys, eosCandidates, eosCount);
  return smallest(keys, others, count - eosCount).map((is, p) => is || chosen[p] === true);
}

/** The candidates of highest confidence (−∞ allowed). */
export function mostConfident(
  candidates: readonly boolean[],
  count: number,
  confidences: ArrayLike<number>,
): boolean[] {
  return smallest(
    Float64Array.from(confidences, (c) => -c),
    candidates,
    count,
  );
}

/** The masks whose confidence is at least this, or the surest one. */
export function sureMasks(
  masked: readonly boolean[],
  least: number,
  confidences: ArrayLike<number>,
): boolean[] {
  const sure = tally(masked.map((is, p) => is && at(confidences, p) >= least));
  return mostConfident(masked, Math.max(sure, Math.min(1, tally(masked))), confidences);
}

/** How many are true. */
export function tally(mask: readonly boolean[]): number {
  return mask.reduce((sum, is) => sum + Number(is), 0);
}

function numbers(count: number, { seed, canvas = 0, iteration }: ChoiceKey, lane: number): Float64Array {
  return uniforms(seed, Purpose.remask, BigInt(canvas), iteration, count, lane);
}

/** True at the `count` candidates with the smallest keys. */
function smallest(keys: ArrayLike<number>, candidates: readonly boolean[], count: number): boolean[] {
  const positions = candidates.flatMap((is, p) => (is ? [p] : []));
  if (!Number.isInteger(count) || count < 0 || count > positions.length) {
    throw new RangeError(`count is ${count}: it must be a whole number from 0 to ${positions.length}.`);
  }
  const order = argsort(positions.map((p) => at(keys, p)));
  const chosen = candidates.map(() => false);
  for (const index of order.subarray(0, count)) chosen[at(positions, index)] = true;
  return chosen;
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
