/** What became of a data set's examples; nothing is dropped or cut without being counted here. */
export interface WindowReport {
  /** Examples in the data set. */
  readonly examples: number;
  /** Examples that became windows, truncated ones included. */
  readonly kept: number;
  /** Examples that did not fit and were left out. */
  readonly dropped: number;
  /** Examples that did not fit and were cut. */
  readonly truncated: number;
  /** Tokens of the prompts, over all windows. */
  readonly promptTokens: number;
  /** The token that ends an answer included, the tail not. */
  readonly answerTokens: number;
  /** Tokens of padding behind the answers, over all windows. */
  readonly tailTokens: number;
  /** Special tokens that messages write out, taken as text (or as themselves, with `allowSpecial`). */
  readonly specialTokens: number;
  /** Mask tokens in the answers' own text, where the mask is ordinary text. */
  readonly maskTokens: number;
  /** What each answer ends with, and its tail is made of, unless `padTokens` are given. */
  readonly endToken: string;
  /** The same as an id. */
  readonly endTokenId: number;
}
