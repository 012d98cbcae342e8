/** What the options of the primitives may be. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { abortSignal, atLeast, flag, integer, list, seed, text } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { invalidOption } from "../errors.js";
import { draftingOf } from "../method/noises/draft.js";
import {
  type AttentionModeName,
  attention,
  canvasTokens,
  checkContext,
  type DenoisingAttention,
  denoisingAttention,
  trainingContext,
} from "./attention.js";
import { callShape } from "./call.js";
import { windowShape } from "./data.js";
import { dataSourceSchema } from "./data-source.js";
import {
  type Causal,
  type Likelihood,
  likelihoodSchema,
  type MonteCarlo,
  type PseudoLikelihood,
} from "./evaluation/likelihood.js";
import { lossSchema } from "./loss.js";
import { noiseSchema } from "./noise.js";
import { optimizerSchema } from "./optimizer.js";
import type {
  CanvasOptions,
  ForwardBackwardOptions,
  NoisedOptions,
  OptimStepOptions,
  PredictCanvas,
  PredictOptions,
  ScoreItem,
  ScoringOptions,
  SequenceInput,
  SequencesOptions,
} from "./primitives.js";
import { beginningShape, pins } from "./sampling/beginning.js";
import { checkPrompt, drawShape, promptShape, stopStrings } from "./sampling.js";

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

export const sequenceInput = fieldsOf<SequenceInput>()({
  ids: numbers("token ids"),
  targets: numbers("token ids, −1 where nothing is predicted"),
  weights: numbers("numbers"),
  promptTokens: integer(0).default(0),
});

const gradientShape = {
  attention: attention.default("full"),
  microBatchTokens: integer(1).default(2048),
  gradientCheckpointing: flag().default(false),
  cachePrompts: flag().default(true),
  ...callShape,
};

export const sequencesFields = fieldsOf<SequencesOptions>()({
  sequences: list(
    sequenceInput,
    `a list of { ids, targets, weights }, from 1 to ${MAX_SEQUENCES}`,
    MAX_SEQUENCES,
  ),
  ...gradientShape,
});

export const noisedFields = fieldsOf<NoisedOptions>()({
  data: dataSourceSchema,
  ...windowShape,
  rows: list(integer(0), `a list of row numbers, from 1 to ${MAX_SEQUENCES}`, MAX_SEQUENCES),
  noise: noiseSchema.default(() => noiseSchema.parse("lad")),
  loss: lossSchema.default(() => lossSchema.parse("all-tokens")),
  context: trainingContext.default("prompt"),
  canvasTokens: canvasTokens.default(0),
  seed: seed().default(0n),
  epoch: integer(0).default(0),
  ...gradientShape,
});

export type CheckedSequences = z.output<typeof sequencesFields>;
export type CheckedNoised = z.output<typeof noisedFields>;

/** @throws LadError `invalid-option` */
export function checkForwardBackward(options: ForwardBackwardOptions): CheckedSequences | CheckedNoised {
  if ("data" in options) {
    const given = check(noisedFields, options);
    checkContext(given);
    const after = draftingOf(given.noise)?.after ?? 0;
    if (after > 0) throw invalidOption("noise.after", after, "a call is no step of a run", "Leave it out.");
    return given;
  }
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

export const predictCanvas = fieldsOf<PredictCanvas>()({
  ids: numbers("token ids"),
  answerStart: integer(0),
  seed: seed().optional(),
  stopFrom: integer(0).default(0),
});

export const predictFields = fieldsOf<PredictOptions>()({
  canvases: list(predictCanvas, "a list of { ids, answerStart }, at least one"),
  ...drawShape,
  allowMask: flag().optional(),
  iteration: integer(0).default(0),
  top: integer(0).default(0),
  logits: flag().default(false),
  attention: attention.default("full"),
  guidanceScale: atLeast(0).default(0),
  ...callShape,
});

export type CheckedPredict = ReturnType<typeof checkPredict>;

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
  return {
    ...given,
    drawMethod: given.drawMethod ?? "inverse-cdf",
    allowMask: given.allowMask ?? given.attention === "causal",
  };
}

export const canvasFields = fieldsOf<CanvasOptions>()({
  ...promptShape,
  answerTokens: integer(1, 2 ** 20).default(64),
  startTokens: integer(1, 2 ** 20).optional(),
  draft: list(integer(0), "token ids, at least one").optional(),
  pinned: beginningShape.pinned,
  iterations: integer(1).default(32),
  attention: denoisingAttention.optional(),
  earlyStop: flag().default(true),
  stop: stopStrings.optional(),
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
  const { draft = [], pinned = [] } = given;
  if (draft.length > answerTokens || (draft.length > 0 && startTokens !== undefined)) {
    const problem = `the canvas begins with ${startTokens ?? answerTokens} answer positions`;
    throw invalidOption(
      "draft",
      `${draft.length} tokens`,
      problem,
      "Give more answerTokens, no startTokens.",
    );
  }
  return { ...given, pinned: pins(draft.length, pinned, ""), drawMethod: given.drawMethod ?? "inverse-cdf" };
}

export const scoreItem = fieldsOf<ScoreItem>()({
  messages: promptShape.messages,
  ids: promptShape.ids,
  allowSpecial: promptShape.allowSpecial,
  continuation: z.union([text(), z.array(integer(0), { error: "token ids" }).readonly()], {
    error: "a string or token ids",
  }),
  key: seed().optional(),
});

export const scoreFields = fieldsOf<ScoringOptions>()({
  items: list(scoreItem, "a list of { messages, continuation }, at least one"),
  likelihood: likelihoodSchema.default(() => likelihoodSchema.parse("causal")),
  attention: attention.optional(),
  ...callShape,
});
export type CheckedScoreItem = z.output<typeof scoreItem>;

/** @throws LadError `invalid-option` */
export function checkScore(options: ScoringOptions) {
  const given = check(scoreFields, options);
  for (const [index, item] of given.items.entries()) checkPrompt(item, `items[${index}].`);
  return { ...given, manner: checkManner(given.likelihood, given.attention) };
}

/** A likelihood, with an attention mode that it is computed in; a mode left out is settled by how the adapter was trained. */
export type Manner =
  | { readonly likelihood: Causal; readonly attention: "causal" }
  | {
      readonly likelihood: PseudoLikelihood | MonteCarlo;
      readonly attention: DenoisingAttention | undefined;
    };

/** @throws LadError `invalid-option` for a mode in which the likelihood cannot be computed */
export function checkManner(likelihood: Likelihood, attention: AttentionModeName | undefined): Manner {
  if (likelihood.kind === "causal") {
    if (attention === undefined || attention === "causal") return { likelihood, attention: "causal" };
    const problem = "the causal likelihood is that of a causal model";
    throw invalidOption("attention", attention, problem, "Leave it out, or give another likelihood.");
  }
  if (attention !== "causal") return { likelihood, attention };
  const problem = "this likelihood masks tokens, which a causal model does not know";
  throw invalidOption(
    "attention",
    attention,
    problem,
    "Leave it out, or give full, prefix or causal-prefix.",
  );
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
