/** Wilson's score interval of a share (Wilson 1927), and Newcombe's of the difference of two (Newcombe 1998). */
import { type Estimate, Z_95 } from "./estimate.js";

/** The share of hits, with Wilson's 95 % score interval, which stays within [0, 1] at any n. */
export function wilson(hits: readonly boolean[]): Estimate {
  const n = hits.length;
  if (n === 0) return { value: Number.NaN, n, interval: [0, 1], by: "wilson" };
  const share = hits.filter(Boolean).length / n;
  const scale = 1 + Z_95 ** 2 / n;
  const centre = (share + Z_95 ** 2 / (2 * n)) / scale;
  const half = (Z_95 / scale) * Math.sqrt((share * (1 - share)) / n + Z_95 ** 2 / (4 * n ** 2));
  return {
    value: share,
    n,
    interval: [Math.max(0, centre - half), Math.min(1, centre + half)],
    by: "wilson",
  };
}

/**
 * The first share minus the second, of hits on the same items, with Newcombe's 95 % interval for paired shares (Statistics in Medicine 17,
 * 2635–2650, 1998, method 10): Wilson's limits of both, combined by the correlation of the hits. It has a width also where the two agree
 * on every item.
 *
 * @throws RangeError when there are not equally many of both
 */
export function newcombe(first: readonly boolean[], second: readonly boolean[]): Estimate {
  const n = first.length;
  if (second.length !== n) throw new RangeError(`There are ${n} and ${second.length} hits or misses.`);
  if (n === 0) return { value: Number.NaN, n, interval: [-1, 1], by: "newcombe" };
  const [p, q] = [wilson(first), wilson(second)];
  const value = p.value - q.value;
  const [toLow, toHigh] = [p.value - p.interval[0], p.interval[1] - p.value];
  const [fromLow, fromHigh] = [q.value - q.interval[0], q.interval[1] - q.value];
  const together = 2 * correlation(first, second);
  const below = Math.sqrt(Math.max(0, toLow ** 2 - together * toLow * fromHigh + fromHigh ** 2));
  const above = Math.sqrt(Math.max(0, toHigh ** 2 - together * toHigh * fromLow + fromLow ** 2));
  return {
    value,
    n,
    interval: [Math.max(-1, value - below), Math.min(1, value + above)],
    by: "newcombe",
  };
}

/** Newcombe's φ: that of the fourfold table, a positive one moved towards 0 by half an item. */
function correlation(first: readonly boolean[], second: readonly boolean[]): number {
  const count = (a: boolean, b: boolean) => first.filter((hit, i) => hit === a && second[i] === b).length;
  const [both, one, other, neither] = [
    count(true, true),
    count(true, false),
    count(false, true),
    count(false, false),
  ];
  const margins = (both + one) * (other + neither) * (both + other) * (one + neither);
  if (margins === 0) return 0;
  const determinant = both * neither - one * other;
  const corrected = determinant > 0 ? Math.max(0, determinant - first.length / 2) : determinant;
  return corrected / Math.sqrt(margins);
}
