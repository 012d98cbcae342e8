/** What the primitives take: the calls that loops and samplers written in TypeScript are made of. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { abortSignal, atLeast, fields, flag, integer, list, seed, text } from "../checks/fields.js";
import { invalidOption } from "../errors.js";
import { attention, denoisingAttention } from "./attention.js";
import { callShape } from "./call.js";
import { windowShape } from "./data.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";
import { noiseSchema } from "./noise.js";
import { optimizerSchema } from "./optimizer.js";
import { checkPrompt, drawShape, promptShape } from "./sampling.js";
import { lossSchema } from "./training.js";

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

const targetedSequence = fields({
  /** What stands at each position. */
  ids: numbers("token ids"),
  /** The clean token of each position; −1 where nothing is predicted. */
  targets: numbers("token ids, −1 where nothing is predicted"),
  /** Each position's weight in Σ weight · CE. */
  weights: numbers("numbers"),
  /** How many tokens are the prompt, in the attention modes prefix and causal-prefix. */
  promptTokens: integer(0).default(0),
});

const sequencesFields = fields({
  /** Sequences of the caller's own making, at most 4096: a larger batch is several calls, whose gradients add up. */
  sequences: list(
    targetedSequence,
    `a list of { ids, targets, weights }, from 1 to ${MAX_SEQUENCES}`,
    MAX_SEQUENCES,
  ),
  attention: attention.default("full"),
  /** The work is split into micro-batches of at most this many tokens. */
  microBatchTokens: integer(1).default(2048),
  /** Compute activations again in the backward instead of keeping them. */
  gradientCheckpointing: flag().default(false),
  ...callShape,
});

const noisedFields = fields({
  /** Examples that the worker noises and weights as in a run. */
  data: dataSourceSchema,
  ...windowShape,
  /** Rows of the prepared data, at most 4096: a larger batch is several calls, whose gradients add up. */
  rows: list(integer(0), `a list of row numbers, from 1 to ${MAX_SEQUENCES}`, MAX_SEQUENCES),
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse("all-tokens")),
  seed: seed().default(0n),
  epoch: integer(0).default(0),
  attention: attention.default("full"),
  /** The work is split into micro-batches of at most this many tokens. */
  microBatchTokens: integer(1).default(2048),
  /** Compute activations again in the backward instead of keeping them. */
  gradientCheckpointing: flag().default(false),
  ...callShape,
});

/** Options of `adapter.forwardBackward`: sequences of one's own, or rows of a data set. */
export type ForwardBackwardOptions =
  | z.input<typeof sequencesFields>
  | (Omit<z.input<typeof noisedFields>, "data"> & { data: DataSource });
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

const optimStepFields = fields({
  optimizer: optimizerSchema.default(() => optimizerSchema.parse("adamw")),
  learningRate: atLeast(0),
  /** The gradient's norm is clipped to this. 0: no clipping. */
  maxGradientNorm: atLeast(0).default(0.5),
  ...callShape,
});
/** Options of `adapter.optimStep`. */
export type OptimStepOptions = z.input<typeof optimStepFields>;

/** @throws LadError `invalid-option` */
export function checkOptimStep(options: OptimStepOptions) {
  return check(optimStepFields, options);
}

const predictCanvas = fields({
  /** Prompt and answer. */
  ids: numbers("token ids"),
  /** Positions from here on are predicted. */
  answerStart: integer(0),
  /** Keys the draws. */
  seed: seed().default(0n),
});

const predictFields = fields({
  canvases: list(predictCanvas, "a list of { ids, answerStart }, at least one"),
  ...drawShape,
  /** Keys the draws, as in a run's iteration of that number. */
  iteration: integer(0).default(0),
  /** How many of the most probable tokens to return for each position. */
  top: integer(0).default(0),
  /** Return every position's logits. */
  logits: flag().default(false),
  attention: attention.default("full"),
  /** Classifier-free guidance against the canvas with a masked prompt; 0: none. */
  guidanceScale: atLeast(0).default(0),
  ...callShape,
});
/** Options of `predict`. */
export type PredictOptions = z.input<typeof predictFields>;

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

const canvasFields = fields({
  ...promptShape,
  /** Length of the answer's part. */
  answerTokens: integer(1, 2 ** 20).default(64),
  /** Answer positions at first, for a canvas that grows. Default: all. */
  startTokens: integer(1, 2 ** 20).optional(),
  /** The canvas counts as settled after so many predictions. */
  iterations: integer(1).default(32),
  /** How the prompt attends, which should be as the adapter was trained. */
  attention: denoisingAttention.default("full"),
  /** It also does when three consecutive predictions sample the same answer. */
  earlyStop: flag().default(true),
  ...drawShape,
  /** How many of the most probable tokens each prediction has for each position. */
  top: integer(0).default(0),
  /** Each prediction has every position's logits. */
  logits: flag().default(false),
  signal: abortSignal().optional(),
});
/** Options of `canvas`. */
export type CanvasOptions = z.input<typeof canvasFields>;
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

const scoreItem = fields({
  messages: promptShape.messages,
  ids: promptShape.ids,
  /** Special tokens that are written out in `messages` or the continuation are those tokens; without it they are text. */
  allowSpecial: promptShape.allowSpecial,
  /** What follows the prompt, as text or token ids. Its first stop token counts, what comes after it does not. */
  continuation: z.union([text(), z.array(integer(0), { error: "token ids" }).readonly()], {
    error: "a string or token ids",
  }),
});
const scoreFields = fields({
  items: list(scoreItem, "a list of { messages, continuation }, at least one"),
  attention: attention.default("causal"),
  ...callShape,
});
/** Options of `score`. */
export type ScoreOptions = z.input<typeof scoreFields>;
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
