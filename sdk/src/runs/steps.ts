/** The results of the training primitives. */

/** The result of one forward and backward pass. */
export interface ForwardBackwardResult {
  /** Σ weight · CE, in nats. */
  readonly loss: number;
  /** The number of tokens computed. */
  readonly tokens: number;
  /** The number of positions with a target. */
  readonly supervisedTokens: number;
  /** The CE of every position of every sequence, in order, in nats; 0 at positions without a target. */
  readonly ce: Float32Array;
}

/** The result of one optimizer step. */
export interface OptimStepResult {
  /** The norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** The number of optimizer steps that this adapter has taken. */
  readonly step: number;
}
