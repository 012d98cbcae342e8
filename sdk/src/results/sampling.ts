import type { AnswerState } from "../method/answer-state.js";

/**
 * Why a sampler stopped. `stop`: the answer's text ends before a stop string, which `answer.stop` tells. `length`: the answer fills all of
 * its positions without a token that ends it, so that it was cut, whatever the policy. Otherwise, of `ar` and `speculative`, `eos`: the token came that ends it; of policies that denoise, `settled`: the answer was
 * stable, or `iterations`: they were used up.
 */
export type StopReasonName = "iterations" | "settled" | "eos" | "length" | "stop";

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

/**
 * An answer between two forwards, with all that the forwards to come depend on: plain data, which JSON can hold. Lists have an entry for
 * each position from the answer's first on; with `canvasTokens`, up to the end of the canvas in hand.
 */
export interface SamplingState extends AnswerState {
  /** True where nothing is sampled, masked or edited. */
  readonly pinned: readonly boolean[];
  /** Of the tokens that stand there, numbers from 0 to 1; 0 where masked. */
  readonly confidences: readonly number[];
  /** The policy's own numbers. */
  readonly memory: readonly number[];
  /** The answer that the last forward sampled; empty before the first. */
  readonly sampled: readonly number[];
  /** How many forwards in a row sampled that answer: an integer of at least 0. */
  readonly same: number;
  /** The number of the next iteration of the canvas in hand: an integer of at least 0. */
  readonly iteration: number;
  /** Why the canvas in hand is done. Default: none, more iterations follow. */
  readonly stopped?: "iterations" | "settled" | undefined;
  /** Positions of the canvases before the one in hand: an integer of at least 0. */
  readonly finished: number;
  /** Iterations of those canvases: an integer of at least 0. */
  readonly finishedIterations: number;
  /** Forwards computed so far: an integer of at least 0. */
  readonly forwards: number;
  /** Keys the draws. Default: none, the prompt's seed and number do. */
  readonly key?: StateKey | undefined;
}

/** The key of a canvas's draws. */
export interface StateKey {
  /** In decimal digits, since JSON has no 64-bit integers. */
  readonly seed: string;
  /** The canvas's number in its run; 0 if it has a seed of its own. */
  readonly canvas: number;
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
  /**
   * All that the run goes on from: `sample({ from: frame, … })` with the other options of the run continues as the run itself, or with
   * what was edited. Undefined for policies that do not denoise.
   */
  readonly state?: SamplingState | undefined;
  /** The lengths of the answer's gaps, in order, where the answer was given in pieces. */
  readonly gaps?: readonly number[] | undefined;
}

/** One draft and its check. The tokens of the answer that follow the accepted ones are the base's own. */
export interface SpeculationRound {
  /** The checked token ids: of a new draft, or what is left of the last one behind its refused token. */
  readonly drafted: readonly number[];
  /** How many of the first drafted ones stand. */
  readonly accepted: number;
}

/** What an answer of self-speculation took, beside the prompt's forward, which gives its first token. */
export interface Speculation {
  /** Checks, most of them of a draft. */
  readonly rounds: number;
  /** Forwards of the adapter. */
  readonly draftForwards: number;
  /** Forwards of the base. */
  readonly checkForwards: number;
  /** Tokens drafted, up to the first stop token of each draft; each counts once, however often it was checked. */
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
  /** The answer without its stop token, up to a stop string. */
  readonly text: string;
  /**
   * Up to and without the first stop token. Before a stop string, the fewest tokens that hold the text, of which the last may go on with
   * the beginning of the string.
   */
  readonly ids: readonly number[];
  /** Every answer position; the mask token where none was sampled yet when a stop string ended the answer. */
  readonly canvasIds: readonly number[];
  /** Forwards computed. */
  readonly iterations: number;
  /** Why it was done. */
  readonly stopped: StopReasonName;
  /** The stop string that the text ends before, if one did. */
  readonly stop?: string | undefined;
  /** Of the policy `speculative`: what it took. */
  readonly speculation?: Speculation | undefined;
  /** The positions that were pinned. */
  readonly pinned: readonly number[];
  /** The lengths of the answer's gaps, in order, where the answer was given in pieces. */
  readonly gaps?: readonly number[] | undefined;
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
