/** The share of items that are true; NaN for none. */
export function shareOfHits(hits: readonly boolean[]): number {
  return hits.filter(Boolean).length / hits.length;
}

/** Two numbers of each item, of which the sums are divided. */
export type Ratio = readonly [numerator: number, denominator: number];

/** The sum of the numerators over that of the denominators; NaN for none. */
export function ratioOfSums(items: readonly Ratio[]): number {
  let [numerators, denominators] = [0, 0];
  for (const [numerator, denominator] of items) {
    numerators += numerator;
    denominators += denominator;
  }
  return numerators / denominators;
}
