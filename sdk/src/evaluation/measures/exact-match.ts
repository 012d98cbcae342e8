/** Exact match with the reference, with Wilson's interval (Wilson 1927). */
import type { Measure } from "./measure.js";

/** Of the answers that have a reference; undefined where none has. */
export const exactMatchMeasure: Measure<Accuracy | undefined> = {
  label: "exact match",
  unit: "share",
  needs: "references",
  of: (answered) =>
    answered.length === 0
      ? undefined
      : exactMatch(
          answered.map(({ answer }) => answer.text),
          answered.map(({ reference }) => reference ?? ""),
        ),
  figure: (value) => value?.accuracy ?? Number.NaN,
  interval: (value) => value?.interval ?? [0, 1],
};

/** A share of n items with its 95 % interval. */
export interface Accuracy {
  /** Items in all. */
  readonly n: number;
  /** Those that are right. */
  readonly correct: number;
  /** correct / n; NaN for n = 0. */
  readonly accuracy: number;
  /** Wilson's score interval at 95 %. */
  readonly interval: readonly [low: number, high: number];
}

/**
 * How many answers are the reference, white space at both ends apart.
 *
 * @throws RangeError when there is not one reference for each answer
 */
export function exactMatch(answers: readonly string[], references: readonly string[]): Accuracy {
  if (answers.length !== references.length) {
    throw new RangeError(`There are ${answers.length} answers and ${references.length} references.`);
  }
  return accuracy(answers.map((answer, i) => answer.trim() === references[i]?.trim()));
}

/** The share of hits, with Wilson's 95 % score interval (Wilson 1927), which stays within [0, 1] at any n. */
export function accuracy(hits: readonly boolean[]): Accuracy {
  const n = hits.length;
  const correct = hits.filter(Boolean).length;
  if (n === 0) return { n, correct, accuracy: Number.NaN, interval: [0, 1] };
  const z = 1.959963984540054;
  const share = correct / n;
  const scale = 1 + z ** 2 / n;
  const centre = (share + z ** 2 / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return { n, correct, accuracy: share, interval: [Math.max(0, centre - half), Math.min(1, centre + half)] };
}
