/** Exact match with the reference. */
import type { Estimate } from "../statistics/estimate.js";
import { wilson } from "../statistics/wilson.js";
import type { Measure } from "./measure.js";
import { shareOfHits } from "./shares.js";

/** Of the answers that have a reference. */
export const exactMatchMeasure: Measure<boolean> = {
  label: "exact match",
  unit: "share",
  needs: "references",
  interval: "wilson",
  range: [0, 1],
  item: ({ answer, reference }) => (reference === undefined ? undefined : isSame(answer.text, reference)),
  figure: shareOfHits,
};

/**
 * The share of answers that are the reference, white space at both ends apart, with Wilson's interval.
 *
 * @throws RangeError when there is not one reference for each answer
 */
export function exactMatch(answers: readonly string[], references: readonly string[]): Estimate {
  if (answers.length !== references.length) {
    throw new RangeError(`There are ${answers.length} answers and ${references.length} references.`);
  }
  return wilson(answers.map((answer, i) => isSame(answer, references[i] ?? "")));
}

function isSame(answer: string, reference: string): boolean {
  return answer.trim() === reference.trim();
}
