/** log p(continuation | prompt), in nats. */
export interface Score {
  /** Of the whole continuation: the sum over its tokens. */
  readonly logLikelihood: number;
  /** One a continuation token, up to its first stop token; under `monteCarlo` each token's part of the sum. */
  readonly tokenLogLikelihoods: Float32Array;
  /** Every token was the most probable one, each time that it was asked for. */
  readonly greedy: boolean;
  /** Under `monteCarlo` what each sample comes to, of which `logLikelihood` is the mean; else empty. */
  readonly estimates: readonly number[];
}
