/** distinct-n (arXiv 1510.03055). */
import type { Measure } from "./measure.js";
import { type AnswerTokens, ngrams } from "./ngrams.js";

/** Unique bigrams over bigrams. */
export const distinct2: Measure<number> = {
  label: "distinct-2",
  unit: "share",
  needs: "answers",
  of: (answered) =>
    distinctN(
      answered.map(({ answer }) => answer.ids),
      2,
    ),
  figure: (share) => share,
};

/**
 * distinct-n: unique n-grams / n-grams over the whole set of answers, from 0 to 1 (Li et al. 2016); NaN where there are none.
 *
 * @param answers - token ids without their end and tail
 */
export function distinctN(answers: Iterable<AnswerTokens>, n: number): number {
  const unique = new Set<string>();
  let total = 0;
  for (const answer of answers) {
    for (const gram of ngrams(answer, n)) {
      unique.add(gram);
      total++;
    }
  }
  return unique.size / total;
}
