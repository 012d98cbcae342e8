/** What the primitives of training give back. */

/** What one forward and backward pass came to. */
export interface ForwardBackwardResult {
  /** Σ weight · CE, in nats. */
  readonly loss: number;
  /** All tokens computed. */
  readonly tokens: number;
  /** Positions where something was predicted. */
  readonly supervisedTokens: number;
  /** CE of every position of every sequence, in order; 0 where nothing was predicted. */
  readonly ce: Float32Array;
}

/** What one optimizer step came to. */
export interface OptimStepResult {
  /** Before clipping. */
  readonly gradientNorm: number;
  /** Optimizer steps taken by this adapter. */
  readonly step: number;
}
