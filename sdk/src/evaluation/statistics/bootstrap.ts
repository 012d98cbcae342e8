/** The percentile bootstrap (Efron 1979) over items. */
import { Purpose, uniforms } from "../../method/random.js";
import { type BootstrapOptions, checkBootstrap } from "../../options/evaluation/bootstrap.js";
import { type Estimate, UNKNOWN } from "./estimate.js";

/**
 * A statistic of items with the 95 % interval of the percentile bootstrap: the statistic of as many items drawn from them with replacement,
 * `resamples` times, without its lowest and highest 2.5 %. A resample without a value (NaN) does not count.
 *
 * @throws LadError `invalid-option`
 */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  options: BootstrapOptions = {},
): Estimate {
  return resampled(items, statistic, options, "bootstrap");
}

/**
 * The difference of a statistic between two lists of which the i-th entries belong to the same item, first minus second. Each resample
 * draws items, with both their entries.
 *
 * @throws RangeError when there are not equally many of both
 * @throws LadError `invalid-option`
 */
export function paired<T>(
  first: readonly T[],
  second: readonly T[],
  statistic: (items: readonly T[]) => number,
  options: BootstrapOptions = {},
): Estimate {
  const pairs = pairsOf(first, second);
  return resampled(pairs, difference(statistic), options, "paired bootstrap");
}

/** The entries of two lists, item by item. */
export function pairsOf<T>(first: readonly T[], second: readonly T[]): (readonly [T, T])[] {
  if (first.length !== second.length) {
    throw new RangeError(`There are ${first.length} and ${second.length} items: pairs need equally many.`);
  }
  return first.map((one, i) => [one, second[i] as T]);
}

/** A statistic's value of the first of each pair minus that of the second. */
export function difference<T>(statistic: (items: readonly T[]) => number) {
  return (pairs: readonly (readonly [T, T])[]): number =>
    statistic(pairs.map(([one]) => one)) - statistic(pairs.map(([, other]) => other));
}

function resampled<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  options: BootstrapOptions,
  by: Estimate["by"],
): Estimate {
  const { seed, resamples } = checkBootstrap(options);
  const n = items.length;
  if (n === 0) return { value: Number.NaN, n, interval: UNKNOWN, by };
  const drawn: number[] = [];
  for (let round = 0; round < resamples; round++) {
    const numbers = uniforms(seed, Purpose.bootstrap, 0n, round, n);
    const value = statistic(Array.from(numbers, (number) => items[Math.floor(number * n)] as T));
    if (!Number.isNaN(value)) drawn.push(value);
  }
  return { value: statistic(items), n, interval: middle(drawn), by };
}

/** Without the k lowest and highest but for the outermost, k = ⌊(values + 1) · 2.5 %⌋ (Efron & Tibshirani 1993, §12.5). */
function middle(values: readonly number[]): Estimate["interval"] {
  const sorted = Float64Array.from(values).sort();
  const k = Math.max(1, Math.floor((sorted.length + 1) * 0.025));
  return [sorted[k - 1] ?? Number.NaN, sorted[sorted.length - k] ?? Number.NaN];
}
