/** How often answers repeat themselves. */
import type { Measure } from "./measure.js";
import { type AnswerTokens, ngrams } from "./ngrams.js";

/** The share of trigrams that stood in the same answer before. */
export const repeated3: Measure<number> = {
  label: "repeated trigrams",
  unit: "share",
  needs: "answers",
  of: (answered) =>
    repeatedNgramShare(
      answered.map(({ answer }) => answer.ids),
      3,
    ),
  figure: (share) => share,
};

/** The share of n-grams that stood in the same answer before, over all answers; NaN where there are no n-grams. */
export function repeatedNgramShare(answers: Iterable<AnswerTokens>, n = 3): number {
  let repeated = 0;
  let total = 0;
  for (const answer of answers) {
    const grams = ngrams(answer, n);
    repeated += grams.length - new Set(grams).size;
    total += grams.length;
  }
  return repeated / total;
}
