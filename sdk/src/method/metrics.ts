/** What generated answers are measured by (docs/method.md §7): pure functions of token ids, texts and scores. */

import { endOfAnswer } from "./answer-end.js";

/** Token ids of one answer. */
export type AnswerTokens = ArrayLike<number>;

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

/** A share of n items with its 95 % interval. */
export interface Accuracy {
  readonly n: number;
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

/** Log-likelihoods in nats of an answer's tokens under a causal model given its prompt, as `score` gives them. */
export interface TokenScores {
  readonly tokenLogLikelihoods: ArrayLike<number>;
}

export interface Perplexity {
  /** exp of the mean negative log-likelihood over all tokens of all answers; NaN without tokens. */
  readonly perplexity: number;
  /** The median of the answers' own perplexities; NaN without answers. */
  readonly median: number;
  /** Answers that count. */
  readonly answers: number;
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

/** Every run of n tokens, as text that no other run has. */
function ngrams(tokens: AnswerTokens, n: number): string[] {
  if (!Number.isInteger(n) || n < 1)
    throw new RangeError(`n is ${n}: it must be a whole number, at least 1.`);
  const all = Array.from(tokens);
  return Array.from({ length: Math.max(0, all.length - n + 1) }, (_, i) => all.slice(i, i + n).join(" "));
}
