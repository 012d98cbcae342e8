/** Runs of neighbouring tokens. */

/** Token ids of one answer. */
export type AnswerTokens = ArrayLike<number>;

/** Every run of n tokens, as text that no other run has. */
export function ngrams(tokens: AnswerTokens, n: number): string[] {
  if (!Number.isInteger(n) || n < 1)
    throw new RangeError(`n is ${n}: it must be a whole number, at least 1.`);
  const all = Array.from(tokens);
  return Array.from({ length: Math.max(0, all.length - n + 1) }, (_, i) => all.slice(i, i + n).join(" "));
}
