/** Why a sampler stopped: its iterations were used up, the answer was stable, EOS came, or the length was reached. */
export type StopReasonName = "iterations" | "settled" | "eos" | "length";

/** One answer position that an iteration touched. Positions count from the answer's start. */
export interface Edit {
  /** From 0, the answer's first. */
  readonly position: number;
  /** What stood in the input; the mask token where it was masked. */
  readonly oldToken: number;
  /** What was sampled. */
  readonly newToken: number;
  /** Probability of the sampled token. */
  readonly confidence: number;
  /** The next input shows MASK here. */
  readonly remasked: boolean;
  /** Retained from re-masking, or committed for good. */
  readonly kept: boolean;
}

/** One iteration of one canvas. */
export interface Frame {
  /** Tells it from other events. */
  readonly type: "frame";
  /** Which canvas of the run, from 0. */
  readonly canvas: number;
  /** From 0. */
  readonly iteration: number;
  /** How many there are at most. */
  readonly iterations: number;
  /** What the iteration changed, position by position. */
  readonly edits: readonly Edit[];
  /** What was sampled at every answer position, before re-masking. */
  readonly answer: readonly number[];
  /** MASK positions of the next input. */
  readonly masked: number;
  /** Of the policy `speculative`: the round's draft and its check. */
  readonly speculation?: SpeculationRound | undefined;
}

/** One draft and its check. The tokens of the answer that follow the accepted ones are the base's own. */
export interface SpeculationRound {
  /** The drafted token ids. */
  readonly drafted: readonly number[];
  /** How many of the first drafted ones stand. */
  readonly accepted: number;
}

/** What an answer of self-speculation took, beside the prompt's forward, which gives its first token. */
export interface Speculation {
  /** Drafts with their checks. */
  readonly rounds: number;
  /** Forwards of the adapter. */
  readonly draftForwards: number;
  /** Forwards of the base. */
  readonly checkForwards: number;
  /** Tokens drafted, up to the first stop token of each draft. */
  readonly drafted: number;
  /** Tokens of the answer that were drafted. */
  readonly accepted: number;
}

/** A canvas that is done. */
export interface Answer {
  /** Tells it from other events. */
  readonly type: "answer";
  /** Which canvas of the run, from 0. */
  readonly canvas: number;
  /** The answer without its stop token. */
  readonly text: string;
  /** Up to and without the first stop token. */
  readonly ids: readonly number[];
  /** Every answer position. */
  readonly canvasIds: readonly number[];
  /** Forwards computed. */
  readonly iterations: number;
  /** Why it was done. */
  readonly stopped: StopReasonName;
  /** Of the policy `speculative`: what it took. */
  readonly speculation?: Speculation | undefined;
}

/** What one forward over a canvas gives at each answer position. */
export interface Prediction {
  /** The sampled token ids. */
  readonly ids: readonly number[];
  /** Probability of each sampled token. */
  readonly confidences: Float32Array;
  /** Of each position's distribution, in nats. */
  readonly entropies: Float32Array;
  /** Probability of each token that stands in the input, at temperature 1 before any filter. */
  readonly standing: Float32Array;
  /** [positions × top], most probable first. */
  readonly topIds: readonly number[];
  /** Their probabilities, in the same order. */
  readonly topProbabilities: Float32Array;
  /** [positions × vocabulary], where asked for, else empty. */
  readonly logits: Float32Array;
}
