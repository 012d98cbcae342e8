/** log p(continuation | prompt), in nats. */
export interface Score {
  /** Of the whole continuation: the sum over its tokens. */
  readonly logLikelihood: number;
  /** One a continuation token, up to its first stop token. */
  readonly tokenLogLikelihoods: Float32Array;
  /** Every token was the most probable one. */
  readonly greedy: boolean;
}
