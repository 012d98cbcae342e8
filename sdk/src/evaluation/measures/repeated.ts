/** How often answers repeat themselves. */
import type { Measure } from "./measure.js";
import { type AnswerTokens, ngrams } from "./ngrams.js";
import { type Ratio, ratioOfSums } from "./shares.js";

/** The share of trigrams that stood in the same answer before. */
export const repeated3: Measure<Ratio> = {
  label: "repeated trigrams",
  unit: "share",
  needs: "answers",
  interval: "bootstrap",
  range: [0, 1],
  item: ({ answer }) => repeats(answer.ids, 3),
  figure: ratioOfSums,
};

/** The share of n-grams that stood in the same answer before, over all answers; NaN where there are no n-grams. */
export function repeatedNgramShare(answers: Iterable<AnswerTokens>, n = 3): number {
  return ratioOfSums(Array.from(answers, (answer) => repeats(answer, n)));
}

function repeats(answer: AnswerTokens, n: number): Ratio {
  const grams = ngrams(answer, n);
  return [grams.length - new Set(grams).size, grams.length];
}
