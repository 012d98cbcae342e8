/** distinct-n (arXiv 1510.03055). */
import type { Measure } from "./measure.js";
import { type AnswerTokens, ngrams } from "./ngrams.js";

/** Different tokens over tokens. */
export const distinct1 = distinct(1);

/** Different bigrams over bigrams. */
export const distinct2 = distinct(2);

/** Different trigrams over trigrams. */
export const distinct3 = distinct(3);

function distinct(n: number): Measure<readonly string[]> {
  return {
    label: `distinct-${n}`,
    unit: "share",
    needs: "answers",
    interval: "jackknife",
    range: [0, 1],
    item: ({ answer }) => ngrams(answer.ids, n),
    figure: share,
  };
}

/**
 * distinct-n: unique n-grams / n-grams over the whole set of answers, from 0 to 1 (Li et al. 2016); NaN where there are none.
 *
 * @param answers - token ids without their end and tail
 */
export function distinctN(answers: Iterable<AnswerTokens>, n: number): number {
  return share(Array.from(answers, (answer) => ngrams(answer, n)));
}

function share(grams: readonly (readonly string[])[]): number {
  const all = grams.flat();
  return new Set(all).size / all.length;
}
