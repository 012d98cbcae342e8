/** `llada`, LLaDA's fixed budget (arXiv 2502.09992; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { atLeast, flag, integer } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { invalidOption } from "../../errors.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  sampledWhere,
} from "../answer-state.js";
import { mostConfident, tally } from "../choose.js";
import { definePolicy, iterations, misplacedInPolicy, type PolicyUse } from "./policy.js";

/** How `llada` denoises. */
export interface LladaOptions {
  /** The largest number of forwards for each canvas: an integer of at least 1. Default: 32. */
  iterations?: number | undefined;
  /**
   * Tokens of a block; the next block begins when it has no mask left. An integer of at least 0. Default: 0, the whole answer is one
   * block.
   */
  blockTokens?: number | undefined;
  /**
   * The scale w of classifier-free guidance, (1 + w) · logits − w · logits of the canvas with a masked prompt; a finite number of at
   * least 0. Default: 0, none.
   */
  guidanceScale?: number | undefined;
  /** A stop token never wins by confidence. Default: false. */
  eosConfidenceOff?: boolean | undefined;
}

/** LLaDA's fixed budget, complete. */
export interface LladaPolicy extends Complete<LladaOptions> {
  /** Names the policy. */
  readonly kind: "llada";
}

export const lladaFields = fieldsOf<LladaOptions>()(
  {
    iterations,
    blockTokens: integer(0).default(0),
    guidanceScale: atLeast(0).default(0),
    eosConfidenceOff: flag().default(false),
  },
  misplacedInPolicy,
);

/** LLaDA's fixed budget: each step commits its share of the most confident masks, for good. */
export function llada(options: LladaOptions = {}): LladaPolicy {
  return { kind: "llada", ...check(lladaFields, options) };
}

definePolicy(llada, {
  kind: "llada",
  options: lladaFields,
  drawMethod: "gumbel",
  denoising: {
    forwards: (policy, tokens) => lladaBudget(tokens, policy.blockTokens, policy.iterations).length,
    guidance: ({ guidanceScale }) => guidanceScale,
    changesVisible: false,
    step: lladaStep,
  },
  check: checkBlocks,
});

function checkBlocks({ iterations, blockTokens }: LladaPolicy, { canvasTokens }: PolicyUse): void {
  if (canvasTokens === undefined) return;
  const blocks = blocksOf(canvasTokens, blockTokens);
  if (iterations >= blocks) return;
  throw invalidOption(
    "policy.iterations",
    iterations,
    `${blocks} blocks need at least one iteration each`,
    `Give at least ${blocks}, or a larger blockTokens.`,
  );
}

/**
 * LLaDA: the most confident masks of the current block are committed, for good.
 *
 * @throws RangeError after the budget's last step
 */
export function lladaStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: LladaPolicy,
): PolicyStep {
  const budget = lladaBudget(state.ids.length, policy.blockTokens, policy.iterations);
  const [step, ...later] = budget.slice(prediction.iteration);
  if (step === undefined) throw new RangeError(`iteration is ${prediction.iteration}: the budget is spent.`);
  const open = openMasks(state.masked, [step, ...later]);
  const sampled = sampledWhere(state, prediction, (p) => open[p] === true);
  const confidences = sampled.confidences.map((c, p) =>
    policy.eosConfidenceOff && prediction.stopTokenIds.includes(sampled.ids[p] as number)
      ? Number.NEGATIVE_INFINITY
      : c,
  );
  const count = later.length === 0 ? tally(open) : Math.min(step.count, tally(open));
  const chosen = mostConfident(open, count, confidences);
  const pick = <T>(ours: readonly T[], theirs: readonly T[]) =>
    ours.map((x, p) => (chosen[p] ? (theirs[p] as T) : x));
  const next = {
    ids: pick(state.ids, sampled.ids),
    masked: state.masked.map((is, p) => is && !chosen[p]),
    kept: state.kept.map((is, p) => is || chosen[p] === true),
    confidences: pick(state.confidences, sampled.confidences),
  };
  return { sampled, next };
}

/**
 * The masks up to the end of the step's block. An edited answer may have some in earlier blocks, or none up to there: then those up to
 * the end of the next block that has any.
 */
function openMasks(masked: readonly boolean[], steps: readonly BudgetStep[]): readonly boolean[] {
  const first = masked.indexOf(true);
  const stop = steps.find((step) => first < step.stop)?.stop ?? 0;
  return masked.map((is, p) => is && p < stop);
}

/** One step of LLaDA's fixed budget: `count` masks of the positions start…stop−1 are committed. */
export interface BudgetStep {
  /** The block's first position. */
  readonly start: number;
  /** The position after the block's last. */
  readonly stop: number;
  /** How many of its masks are committed. */
  readonly count: number;
}

/**
 * The steps of a whole LLaDA run, block after block; their counts sum to `answerTokens`, their number is that of the forwards.
 *
 * Iterations are shared out evenly over the blocks, and a block's positions over its steps, the earlier ones getting what is left
 * over. A block takes no more steps than it has positions.
 *
 * @param blockTokens - 0: the whole answer is one block
 * @throws RangeError when there are fewer iterations than blocks
 */
export function lladaBudget(answerTokens: number, blockTokens: number, iterations: number): BudgetStep[] {
  const size = blockTokens || answerTokens;
  const blocks = blocksOf(answerTokens, blockTokens);
  if (iterations < blocks) {
    throw new RangeError(`iterations is ${iterations}: ${blocks} blocks need at least one each.`);
  }
  return evenly(iterations, blocks).flatMap((share, block) => {
    const start = block * size;
    const stop = Math.min(start + size, answerTokens);
    return evenly(stop - start, Math.min(share, stop - start)).map((count) => ({ start, stop, count }));
  });
}

function blocksOf(answerTokens: number, blockTokens: number): number {
  return Math.ceil(answerTokens / (blockTokens || answerTokens));
}

function evenly(total: number, parts: number): number[] {
  const whole = Math.floor(total / parts);
  return Array.from({ length: parts }, (_, part) => whole + (part < total % parts ? 1 : 0));
}
