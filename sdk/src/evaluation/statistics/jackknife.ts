/** The jackknife (Tukey 1958) over items, for statistics that count what is different. */
import { difference, pairsOf } from "./bootstrap.js";
import { type Estimate, UNKNOWN, Z_95 } from "./estimate.js";

/**
 * A statistic of items with the 95 % interval value ± 1.96 · s, s² = (n − 1)/n · Σ (θ₋ᵢ − mean θ₋)², θ₋ᵢ being the statistic without item i. A
 * bootstrap draws items twice, which a count of different things takes for repetition.
 *
 * @param range - what the statistic cannot leave
 */
export function jackknife<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  range: readonly [low: number, high: number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Estimate {
  return { ...deleted(items, statistic, range), by: "jackknife" };
}

/**
 * The same of the difference of a statistic between two lists of which the i-th entries belong to the same item, first minus second.
 *
 * @throws RangeError when there are not equally many of both
 */
export function pairedJackknife<T>(
  first: readonly T[],
  second: readonly T[],
  statistic: (items: readonly T[]) => number,
  range: readonly [low: number, high: number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Estimate {
  const [low, high] = range;
  const between = deleted(pairsOf(first, second), difference(statistic), [low - high, high - low]);
  return { ...between, by: "paired jackknife" };
}

function deleted<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  [least, most]: readonly [number, number],
): Omit<Estimate, "by"> {
  const n = items.length;
  const value = statistic(items);
  const without = items.map((_, i) => statistic(items.toSpliced(i, 1))).filter((each) => !Number.isNaN(each));
  if (n < 2 || without.length === 0) return { value, n, interval: UNKNOWN };
  const mean = without.reduce((sum, each) => sum + each, 0) / without.length;
  const squares = without.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const half = Z_95 * Math.sqrt(((n - 1) / n) * squares);
  return { value, n, interval: [Math.max(least, value - half), Math.min(most, value + half)] };
}
