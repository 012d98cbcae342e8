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

/** What became of a mixture's sources; nothing is left out without being counted here. */
export interface MixtureReport {
  /** Examples in the mixture. */
  readonly examples: number;
  /** The sources, by name. */
  readonly sources: readonly MixedSource[];
  /** The source that ended the mixture, since its examples were used up; empty if none did. */
  readonly endedBy: string;
}

/** What became of a source: read = tooLong + contaminated + duplicates + nearDuplicates + kept. */
export interface MixedSource {
  /** Its name. */
  readonly name: string;
  /** Its share of the mixture, of 1. */
  readonly share: number;
  /** Examples in the source. */
  readonly read: number;
  /** Examples beyond the source's limits in tokens. */
  readonly tooLong: number;
  /** Examples whose prompts stand in the benchmarks. */
  readonly contaminated: number;
  /** Examples that stand in this source or another one already. */
  readonly duplicates: number;
  /** Examples that are similar to one of this source or another one. */
  readonly nearDuplicates: number;
  /** Examples that may be in the mixture. */
  readonly kept: number;
  /** Different examples that are in the mixture. */
  readonly used: number;
  /** Rows of the mixture that use one of them again. */
  readonly repeated: number;
}
