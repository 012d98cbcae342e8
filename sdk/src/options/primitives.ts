/** What the primitives take: the calls that loops and samplers written in TypeScript are made of. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { abortSignal, atLeast, flag, integer, list, seed, text } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import {
  type AttentionModeName,
  attention,
  type DenoisingAttention,
  denoisingAttention,
} from "./attention.js";
import { type CallOptions, callShape } from "./call.js";
import { type WindowOptions, windowShape } from "./data.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";
import { type LossInput, lossSchema } from "./loss.js";
import { type NoiseInput, noiseSchema } from "./noise.js";
import { type OptimizerInput, optimizerSchema } from "./optimizer.js";
import { checkPrompt, type DrawOptions, drawShape, type PromptOptions, promptShape } from "./sampling.js";

/** Sequences, or rows of a data set, that one `forwardBackward` holds. The gradients of several calls add up. */
export const MAX_SEQUENCES = 4096;

/** Numbers in an array or a typed array. */
function numbers(what: string) {
  return z.custom<ArrayLike<number>>(
    (value) =>
      typeof value === "object" &&
      value !== null &&
      typeof (value as { length?: unknown }).length === "number",
    { error: what },
  );
}

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

export const sequenceInput = fieldsOf<SequenceInput>()({
  ids: numbers("token ids"),
  targets: numbers("token ids, −1 where nothing is predicted"),
  weights: numbers("numbers"),
  promptTokens: integer(0).default(0),
});

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
}

const gradientShape = {
  attention: attention.default("full"),
  microBatchTokens: integer(1).default(2048),
  gradientCheckpointing: flag().default(false),
  ...callShape,
};

/** `forwardBackward` of sequences of the caller's own making. */
export interface SequencesOptions extends GradientOptions {
  /** The sequences, from 1 to 4,096: a larger batch is several calls, whose gradients add up. */
  sequences: readonly SequenceInput[];
}

export const sequencesFields = fieldsOf<SequencesOptions>()({
  sequences: list(
    sequenceInput,
    `a list of { ids, targets, weights }, from 1 to ${MAX_SEQUENCES}`,
    MAX_SEQUENCES,
  ),
  ...gradientShape,
});

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
  /** Keys the noise: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /** Keys the noise, too: an integer of at least 0. Default: 0. */
  epoch?: number | undefined;
}

export const noisedFields = fieldsOf<NoisedOptions>()({
  data: dataSourceSchema,
  ...windowShape,
  rows: list(integer(0), `a list of row numbers, from 1 to ${MAX_SEQUENCES}`, MAX_SEQUENCES),
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse("all-tokens")),
  seed: seed().default(0n),
  epoch: integer(0).default(0),
  ...gradientShape,
});

/** Options of `adapter.forwardBackward`: sequences of one's own, or rows of a data set. */
export type ForwardBackwardOptions = SequencesOptions | NoisedOptions;
export type CheckedSequences = z.output<typeof sequencesFields>;
export type CheckedNoised = z.output<typeof noisedFields>;

/** @throws LadError `invalid-option` */
export function checkForwardBackward(options: ForwardBackwardOptions): CheckedSequences | CheckedNoised {
  if ("data" in options) return check(noisedFields, options);
  const given = check(sequencesFields, options);
  for (const [index, { ids, targets, weights }] of given.sequences.entries()) {
    const name = `sequences[${index}]`;
    if (ids.length === 0) throw invalidOption(`${name}.ids`, [], "it is empty", "Give at least one token.");
    for (const [key, values] of Object.entries({ targets, weights })) {
      if (values.length === ids.length) continue;
      const problem = `it has ${values.length} entries and ids has ${ids.length}`;
      throw invalidOption(`${name}.${key}`, Array.from(values), problem, "Give one for each id.");
    }
    checkEach(ids, `${name}.ids`, "a token id", isTokenId);
    checkEach(targets, `${name}.targets`, "a token id or −1", (id) => id === -1 || isTokenId(id));
    checkEach(weights, `${name}.weights`, "a finite number", Number.isFinite);
  }
  return given;
}

/** Options of `adapter.optimStep`. */
export interface OptimStepOptions extends CallOptions {
  /** The optimizer, whose state the adapter keeps. Default: `adamw`. */
  optimizer?: OptimizerInput | undefined;
  /** Of this step: a finite number of at least 0. */
  learningRate: number;
  /** The gradient's norm is clipped to this, a finite number of at least 0; 0: no clipping. Default: 0.5. */
  maxGradientNorm?: number | undefined;
}

export const optimStepFields = fieldsOf<OptimStepOptions>()({
  optimizer: optimizerSchema.default(() => optimizerSchema.parse("adamw")),
  learningRate: atLeast(0),
  maxGradientNorm: atLeast(0).default(0.5),
  ...callShape,
});

/** @throws LadError `invalid-option` */
export function checkOptimStep(options: OptimStepOptions) {
  return check(optimStepFields, options);
}

/** One canvas of `predict`. */
export interface PredictCanvas {
  /** Token ids of prompt and answer. */
  ids: ArrayLike<number>;
  /** Positions from here on are predicted: an integer of at least 0, below the number of ids. */
  answerStart: number;
  /** Keys the draws: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
}

export const predictCanvas = fieldsOf<PredictCanvas>()({
  ids: numbers("token ids"),
  answerStart: integer(0),
  seed: seed().default(0n),
});

/** Options of `predict`. */
export interface PredictOptions extends DrawOptions, CallOptions {
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

export const predictFields = fieldsOf<PredictOptions>()({
  canvases: list(predictCanvas, "a list of { ids, answerStart }, at least one"),
  ...drawShape,
  iteration: integer(0).default(0),
  top: integer(0).default(0),
  logits: flag().default(false),
  attention: attention.default("full"),
  guidanceScale: atLeast(0).default(0),
  ...callShape,
});

/** @throws LadError `invalid-option` */
export function checkPredict(options: PredictOptions) {
  const given = check(predictFields, options);
  for (const [index, { ids, answerStart }] of given.canvases.entries()) {
    const name = `canvases[${index}]`;
    checkEach(ids, `${name}.ids`, "a token id", isTokenId);
    if (answerStart < ids.length) continue;
    const problem = `the canvas has ${ids.length} positions, so that nothing is predicted`;
    throw invalidOption(`${name}.answerStart`, answerStart, problem, "Give a position of the canvas.");
  }
  return { ...given, drawMethod: given.drawMethod ?? "inverse-cdf" };
}

/** Options of `canvas`. */
export interface CanvasOptions extends PromptOptions, DrawOptions {
  /** Length of the answer's part in tokens: an integer from 1 to 1,048,576. Default: 64. */
  answerTokens?: number | undefined;
  /**
   * Answer positions at first, for a canvas that grows: an integer from 1 to 1,048,576, at most `answerTokens`. Default: all.
   */
  startTokens?: number | undefined;
  /** The canvas counts as settled after so many predictions: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /**
   * How the prompt attends, which should be as the adapter was trained. `full`: every token attends to its whole sequence; `prefix`:
   * prompt tokens to the prompt alone; `causal-prefix`: the prompt runs through the unadapted causal base. Default: `full`.
   */
  attention?: DenoisingAttention | undefined;
  /** It also counts as settled when three consecutive predictions sample the same answer. Default: true. */
  earlyStop?: boolean | undefined;
  /** How many of the most probable tokens each prediction has for each position: an integer of at least 0. Default: 0. */
  top?: number | undefined;
  /** Each prediction has every position's logits. Default: false. */
  logits?: boolean | undefined;
  /** Ends every call of the canvas with the error `cancelled`. Default: none. */
  signal?: AbortSignal | undefined;
}

export const canvasFields = fieldsOf<CanvasOptions>()({
  ...promptShape,
  answerTokens: integer(1, 2 ** 20).default(64),
  startTokens: integer(1, 2 ** 20).optional(),
  iterations: integer(1).default(32),
  attention: denoisingAttention.default("full"),
  earlyStop: flag().default(true),
  ...drawShape,
  top: integer(0).default(0),
  logits: flag().default(false),
  signal: abortSignal().optional(),
});
export type CheckedCanvas = ReturnType<typeof checkCanvas>;

/** @throws LadError `invalid-option` */
export function checkCanvas(options: CanvasOptions) {
  const given = check(canvasFields, options);
  checkPrompt(given);
  const { startTokens, answerTokens } = given;
  if (startTokens !== undefined && startTokens > answerTokens) {
    const problem = `the canvas ends with ${answerTokens} answer positions`;
    throw invalidOption("startTokens", startTokens, problem, `Give at most ${answerTokens}.`);
  }
  return { ...given, drawMethod: given.drawMethod ?? "inverse-cdf" };
}

/** A prompt, and what may follow it. */
export interface ScoreItem extends Omit<PromptOptions, "seed" | "allowSpecial"> {
  /** Special tokens that are written out in `messages` or the continuation are those tokens, else they are text. Default: false. */
  allowSpecial?: boolean | undefined;
  /** What follows the prompt, as text or token ids. Its first stop token counts, what comes after it does not. */
  continuation: string | readonly number[];
}

export const scoreItem = fieldsOf<ScoreItem>()({
  messages: promptShape.messages,
  ids: promptShape.ids,
  allowSpecial: promptShape.allowSpecial,
  continuation: z.union([text(), z.array(integer(0), { error: "token ids" }).readonly()], {
    error: "a string or token ids",
  }),
});

/** Options of `score`. */
export interface ScoreOptions extends CallOptions {
  /** Prompts with their continuations, at least one. */
  items: readonly ScoreItem[];
  /**
   * How tokens attend. `causal`: each to itself and what precedes it, which reads the model left to right; `full`: all to all;
   * `prefix`: the prompt to itself, the continuation to everything; `causal-prefix`: the prompt as the unadapted causal base computes
   * it, the continuation to it and to itself. Default: `causal`.
   */
  attention?: AttentionModeName | undefined;
}

export const scoreFields = fieldsOf<ScoreOptions>()({
  items: list(scoreItem, "a list of { messages, continuation }, at least one"),
  attention: attention.default("causal"),
  ...callShape,
});
export type CheckedScoreItem = z.output<typeof scoreItem>;

/** @throws LadError `invalid-option` */
export function checkScore(options: ScoreOptions) {
  const given = check(scoreFields, options);
  for (const [index, item] of given.items.entries()) checkPrompt(item, `items[${index}].`);
  return given;
}

function isTokenId(id: number): boolean {
  return Number.isInteger(id) && id >= 0;
}

function checkEach(
  values: ArrayLike<number>,
  option: string,
  what: string,
  test: (value: number) => boolean,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!test(value)) throw invalidOption(`${option}[${i}]`, value, `it must be ${what}`, `Give ${what}.`);
  }
}
