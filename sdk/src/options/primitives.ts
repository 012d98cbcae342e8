/** What the primitives take: the calls that loops and samplers written in TypeScript are made of. */
import type { TrainingContext } from "../method/random-split.js";
import type { AttentionModeName, DenoisingAttention } from "./attention.js";
import type { CallOptions } from "./call.js";
import type { WindowOptions } from "./data.js";
import type { DataSource } from "./data-source.js";
import type { CausalInput, LikelihoodInput } from "./evaluation/likelihood.js";
import type { LossInput } from "./loss.js";
import type { NoiseInput } from "./noise.js";
import type { OptimizerInput } from "./optimizer.js";
import type { DrawOptions, PromptOptions } from "./sampling.js";

/** One sequence of `forwardBackward`; every list has an entry for each position. */
export interface SequenceInput {
  /** What stands at each position: token ids. */
  ids: ArrayLike<number>;
  /** The clean tokens: token ids, −1 where nothing is predicted. */
  targets: ArrayLike<number>;
  /** Each position's weight in Σ weight · CE. */
  weights: ArrayLike<number>;
  /**
   * How many tokens are the prompt, in the attention modes `prefix` and `causal-prefix`: an integer of at least 0. Default: 0.
   */
  promptTokens?: number | undefined;
}

/** How a forward and backward pass is computed. */
export interface GradientOptions extends CallOptions {
  /**
   * How tokens attend. `full`: all to all; `causal`: each to itself and what precedes it; `prefix`: the prompt to itself, the answer
   * to everything; `causal-prefix`: the prompt as the unadapted causal base computes it, the answer to it and to itself.
   * Default: `full`.
   */
  attention?: AttentionModeName | undefined;
  /**
   * The work is split into micro-batches of at most this many tokens (a sequence is never split): an integer of at least 1.
   * Default: 2,048.
   */
  microBatchTokens?: number | undefined;
  /** Compute activations again in the backward instead of keeping them: less memory, more time. Default: false. */
  gradientCheckpointing?: boolean | undefined;
  /**
   * In the attention mode `causal-prefix`, keep the prompts' keys and values on the worker for later calls; pasts of random cuts,
   * which come once, would only take other prompts' room. Default: true.
   */
  cachePrompts?: boolean | undefined;
}

/** `forwardBackward` of sequences of the caller's own making. */
export interface SequencesOptions extends GradientOptions {
  /** The sequences, from 1 to 4,096: a larger batch is several calls, whose gradients add up. */
  sequences: readonly SequenceInput[];
}

/** `forwardBackward` of examples that the worker noises and weights as in a run. */
export interface NoisedOptions extends WindowOptions, GradientOptions {
  /** Where the examples come from. */
  data: DataSource;
  /** Row numbers of the prepared data, from 1 to 4,096: a larger batch is several calls, whose gradients add up. */
  rows: readonly number[];
  /** How answers are corrupted. Default: `lad`. */
  noise?: NoiseInput | undefined;
  /** Which tokens are supervised, with what weight. Default: `all-tokens`. */
  loss?: LossInput | undefined;
  /**
   * What stands before the part of the answer that is trained. `prompt`: the prompt; `random-split`, in the attention mode
   * `causal-prefix` alone: each answer is cut at a random place, and all that is decided before it but the last token belongs to the
   * causal past, as when `speculative` drafts. Default: `prompt`.
   */
  context?: TrainingContext | undefined;
  /**
   * In `random-split` context, the most tokens of an answer that its canvas has from the cut on; the rest of it is not seen. An adapter is
   * then sampled in canvases, and drafts, of so many: an integer from 0 to 1,048,576. Default: 0, all that follow the cut.
   */
  canvasTokens?: number | undefined;
  /** Keys the noise: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /** Keys the noise, too: an integer of at least 0. Default: 0. */
  epoch?: number | undefined;
}

/** Options of `adapter.forwardBackward`: sequences of one's own, or rows of a data set. */
export type ForwardBackwardOptions = SequencesOptions | NoisedOptions;

/** Options of `adapter.optimStep`. */
export interface OptimStepOptions extends CallOptions {
  /** The optimizer, whose state the adapter keeps. Default: `adamw`. */
  optimizer?: OptimizerInput | undefined;
  /** Of this step: a finite number of at least 0. */
  learningRate: number;
  /** The gradient's norm is clipped to this, a finite number of at least 0; 0: no clipping. Default: 0.5. */
  maxGradientNorm?: number | undefined;
}

/** One canvas of `predict`. */
export interface PredictCanvas {
  /** Token ids of prompt and answer. */
  ids: ArrayLike<number>;
  /** Positions from here on are predicted: an integer of at least 0, below the number of ids. */
  answerStart: number;
  /**
   * Keys the draws: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0, with the canvas's number as a
   * second key, so that equal canvases get different tokens.
   */
  seed?: number | bigint | undefined;
  /** Stop tokens are sampled only from this answer position on: an integer of at least 0. Default: 0. */
  stopFrom?: number | undefined;
}

/** Options of `predict`. */
export interface PredictOptions extends DrawOptions, CallOptions {
  /**
   * Whether the mask token may be sampled. If not, its logit is −∞. Default: false, or true with the attention mode `causal`, as in
   * runs.
   */
  allowMask?: boolean | undefined;
  /** The canvases, at least one; each is predicted as it would be alone. */
  canvases: readonly PredictCanvas[];
  /** Keys the draws, as in a run's iteration of that number: an integer of at least 0. Default: 0. */
  iteration?: number | undefined;
  /** How many of the most probable tokens to return for each position: an integer of at least 0. Default: 0. */
  top?: number | undefined;
  /** Return every position's logits. Default: false. */
  logits?: boolean | undefined;
  /**
   * How tokens attend. `full`: all to all; `causal`: each to itself and what precedes it; `prefix`: the prompt to itself, the answer
   * to everything; `causal-prefix`: the prompt as the unadapted causal base computes it, the answer to it and to itself.
   * Default: `full`.
   */
  attention?: AttentionModeName | undefined;
  /**
   * The scale w of classifier-free guidance, (1 + w) · logits − w · logits of the canvas with a masked prompt; a finite number of at
   * least 0. Default: 0, none.
   */
  guidanceScale?: number | undefined;
}

/** Options of `canvas`. */
export interface CanvasOptions extends PromptOptions, DrawOptions {
  /** Length of the answer's part in tokens: an integer from 1 to 1,048,576. Default: 64. */
  answerTokens?: number | undefined;
  /**
   * Answer positions at first, for a canvas that grows: an integer from 1 to 1,048,576, at most `answerTokens`. Default: all.
   */
  startTokens?: number | undefined;
  /** Token ids that the answer begins with, at most `answerTokens`; those behind them are MASK. Default: none. */
  draft?: readonly number[] | undefined;
  /** Which positions of the draft stay as they are: their numbers, or true for each that does. Default: none. */
  pinned?: readonly number[] | readonly boolean[] | undefined;
  /** The canvas counts as settled after so many predictions: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /**
   * How the prompt attends; another mode than the adapter was trained in is warned of. `full`: every token attends to its whole sequence; `prefix`:
   * prompt tokens to the prompt alone; `causal-prefix`: the prompt runs through the unadapted causal base. Default: as the adapter was
   * trained, if it is known (`adapter.info.claims`), else `full`.
   */
  attention?: DenoisingAttention | undefined;
  /** It also counts as settled when three consecutive predictions sample the same answer. Default: true. */
  earlyStop?: boolean | undefined;
  /**
   * Strings before which the answer's text ends: a string of 1 to 256 characters, or a list of at most 16. The one that is complete first
   * counts. Default: none.
   */
  stop?: string | readonly string[] | undefined;
  /** How many of the most probable tokens each prediction has for each position: an integer of at least 0. Default: 0. */
  top?: number | undefined;
  /** Each prediction has every position's logits. Default: false. */
  logits?: boolean | undefined;
  /** Ends every call of the canvas with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
}

/** A prompt, and what may follow it. */
export interface ScoreItem extends Omit<PromptOptions, "seed" | "allowSpecial"> {
  /** Special tokens that are written out in `messages` or the continuation are those tokens, else they are text. Default: false. */
  allowSpecial?: boolean | undefined;
  /** What follows the prompt, as text or token ids. Its first stop token counts, what comes after it does not. */
  continuation: string | readonly number[];
  /**
   * Keys what `monteCarlo` masks of it: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: from its tokens, so that the same
   * item has the same masks in any company.
   */
  key?: number | bigint | undefined;
}

/** The options of `score`, each by itself; those of one call are `ScoreOptions`. */
export interface ScoringOptions extends CallOptions {
  /** Prompts with their continuations, at least one. */
  items: readonly ScoreItem[];
  /**
   * What is taken for log p(continuation | prompt): that of the causal model (`causal()`), or of a model that denoises, in one forward
   * (`pseudoLikelihood()`) or as a mean over random masks (`monteCarlo()`). Default: `causal`.
   */
  likelihood?: LikelihoodInput | undefined;
  /**
   * How tokens attend. `causal`, which is the causal likelihood's: each to itself and what precedes it; `full`: all to all; `prefix`: the
   * prompt to itself, the continuation to everything; `causal-prefix`: the prompt as the unadapted causal base computes it, the
   * continuation to it and to itself. Default: `causal` for the causal likelihood, else as the adapter was trained, if it is known
   * (`adapter.info.claims`), else `full`.
   */
  attention?: AttentionModeName | undefined;
}

/** The causal likelihood, and the attention that it is computed in. */
export interface CausalScoring {
  /** Each token given those before it. */
  likelihood?: CausalInput | undefined;
  /** Each token attends to itself and what precedes it. */
  attention?: "causal" | undefined;
}

/** A likelihood of a model that denoises, and the attention that it is computed in. */
export interface DenoisingScoring {
  /** In one forward, or as a mean over random masks. */
  likelihood: Exclude<LikelihoodInput, CausalInput>;
  /** How the prompt attends. */
  attention?: DenoisingAttention | undefined;
}

/** Any likelihood, in an attention of its own. */
export interface UnattendedScoring {
  /** Of either kind of model. */
  likelihood?: LikelihoodInput | undefined;
  /** Left out. */
  attention?: undefined;
}

/** Options of `score`: the causal likelihood is that of a causal model, the others are those of one that is not. */
export type ScoreOptions = ScoringOptions & (CausalScoring | DenoisingScoring | UnattendedScoring);
