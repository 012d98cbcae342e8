/** Perplexity under a causal model. */
import { endOfAnswer } from "../../method/answer-end.js";
import type { Measure, TokenScores } from "./measure.js";
import { type Ratio, ratioOfSums } from "./shares.js";

/** Token-weighted over all answers that have a token before their end. */
export const perplexityMeasure: Measure<Ratio> = {
  label: "perplexity",
  unit: "perplexity",
  needs: "likelihoods",
  interval: "bootstrap",
  item: ({ scores }) => nats(scores),
  figure: (items) => Math.exp(ratioOfSums(items)),
};

/** The middle one of the answers' own. */
export const medianPerplexityMeasure: Measure<Ratio> = {
  ...perplexityMeasure,
  label: "median perplexity",
  figure: (items) => median(items.map((item) => Math.exp(ratioOfSums([item])))),
};

/** The share of answers without a token before their end, which have no perplexity. */
export const emptyAnswers: Measure<boolean> = {
  label: "empty answers",
  unit: "share",
  needs: "answers",
  interval: "wilson",
  range: [0, 1],
  item: ({ answer }) => answer.ids.length === 0,
  figure: (items) => ratioOfSums(items.map((isEmpty) => [Number(isEmpty), 1])),
};

/**
 * What of an answer is scored: its tokens with the first stop token, without the tail. Undefined for an empty answer (a stop
 * token at once, or no tokens), which perplexity counts apart.
 *
 * @param canvasIds - all answer positions
 * @param stopTokenIds - the base's
 */
export function scoredTokens(
  canvasIds: readonly number[],
  stopTokenIds: readonly number[],
): readonly number[] | undefined {
  const end = endOfAnswer(canvasIds, stopTokenIds);
  return end === 0 ? undefined : canvasIds.slice(0, end + 1);
}

/**
 * exp of the mean negative log-likelihood over all tokens of all answers; `undefined` stands for an empty answer, which does not count. NaN
 * without tokens.
 */
export function perplexity(scores: Iterable<TokenScores | undefined>): number {
  return perplexityMeasure.figure(
    [...scores].flatMap((each) => [nats(each)].filter((item) => item !== undefined)),
  );
}

/** Σ −log p of an answer's tokens, and their number. */
export function nats(scores: TokenScores | undefined): Ratio | undefined {
  const each = Array.from(scores?.tokenLogLikelihoods ?? []);
  return each.length === 0 ? undefined : [-each.reduce((a, b) => a + b, 0), each.length];
}

/** The middle value, or the mean of the two middle ones; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
