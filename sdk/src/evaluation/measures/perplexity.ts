/** Perplexity under the causal base without adapters. */
import { endOfAnswer } from "../../method/answer-end.js";
import type { Measure, TokenScores } from "./measure.js";

/** Token-weighted over all answers that have a token before their end. */
export const perplexityMeasure: Measure<Perplexity> = {
  label: "perplexity",
  unit: "perplexity",
  needs: "likelihoods",
  of: (answered) => perplexity(answered.map(({ scores }) => scores)),
  figure: (value) => value.perplexity,
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

/** How likely a causal model finds a set of answers. */
export interface Perplexity {
  /** exp of the mean negative log-likelihood over all tokens of all answers; NaN without tokens. */
  readonly perplexity: number;
  /** The median of the answers' own perplexities; NaN without answers. */
  readonly median: number;
  /** Answers that count. */
  readonly answers: number;
  /** Their tokens, each with its first stop token. */
  readonly tokens: number;
  /** Answers without a token before their end: not in any of the above. */
  readonly empty: number;
}

/** Perplexity of a set of answers, token-weighted; `undefined` stands for an empty answer. */
export function perplexity(scores: Iterable<TokenScores | undefined>): Perplexity {
  const own: number[] = [];
  let empty = 0;
  let tokens = 0;
  let logLikelihood = 0;
  for (const score of scores) {
    const each = score === undefined ? [] : Array.from(score.tokenLogLikelihoods);
    if (each.length === 0) {
      empty++;
      continue;
    }
    const sum = each.reduce((a, b) => a + b, 0);
    own.push(Math.exp(-sum / each.length));
    tokens += each.length;
    logLikelihood += sum;
  }
  return {
    perplexity: Math.exp(-logLikelihood / tokens),
    median: median(own),
    answers: own.length,
    tokens,
    empty,
  };
}

/** The middle value, or the mean of the two middle ones; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
