/** `threshold`, parallel decoding by confidence (Fast-dLLM, arXiv 2505.22618; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { atLeast, integer, number } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  sampledWhere,
  standingAnswer,
} from "../answer-state.js";
import { mostConfident, tally } from "../choose.js";
import { definePolicy, iterations, misplacedInPolicy } from "./policy.js";

/** How `threshold` denoises. */
export interface ThresholdOptions {
  /**
   * The largest number of forwards for each canvas, an integer of at least 1. The last one commits whatever is still masked.
   * Default: 32.
   */
  iterations?: number | undefined;
  /** A mask is committed if its token has at least this confidence: a number from 0 to 1. Default: 0.9. */
  confidence?: number | undefined;
  /**
   * Instead of by `confidence`, commit the n most confident masks, n as large as (n + 1) · (1 − the lowest of their confidences) allows
   * without exceeding this; a finite number of at least 0. Default: 0, by `confidence`.
   */
  factor?: number | undefined;
  /**
   * Tokens of a block; the next block begins when it has no mask left. An integer of at least 0. Default: 0, the whole answer is one
   * block.
   */
  blockTokens?: number | undefined;
}

/** Parallel decoding by confidence, complete. */
export interface ThresholdPolicy extends Complete<ThresholdOptions> {
  /** Names the policy. */
  readonly kind: "threshold";
}

export const thresholdFields = fieldsOf<ThresholdOptions>()(
  {
    iterations,
    confidence: number(0, 1).default(0.9),
    factor: atLeast(0).default(0),
    blockTokens: integer(0).default(0),
  },
  misplacedInPolicy,
);

/** Parallel decoding by confidence: each step commits all masks that are confident enough, for good, and at least one. */
export function threshold(options: ThresholdOptions = {}): ThresholdPolicy {
  return { kind: "threshold", ...check(thresholdFields, options) };
}

definePolicy(threshold, {
  kind: "threshold",
  options: thresholdFields,
  drawMethod: "inverse-cdf",
  denoising: { forwards: ({ iterations }) => iterations, changesVisible: false, step: thresholdStep },
  ignored: ({ factor }) => (factor > 0 ? { confidence: "factor is given" } : {}),
});

/** Parallel decoding by confidence: the masks of the current block that are confident enough are committed, for good. */
export function thresholdStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: ThresholdPolicy,
): PolicyStep {
  const isLast = prediction.iteration >= policy.iterations - 1;
  const open = isLast ? state.masked : maskedInBlock(state.masked, policy.blockTokens);
  const sampled = sampledWhere(state, prediction, (p) => open[p] === true);
  const confidences = sampled.confidences.filter((_, p) => open[p]);
  const sure = isLast ? confidences.length : Math.max(1, sureCount(confidences, policy));
  const count = Math.min(sure, confidences.length);
  const chosen = mostConfident(open, count, sampled.confidences);
  const masked = state.masked.map((is, p) => is && !chosen[p]);
  const next = {
    ids: state.ids.map((id, p) => (chosen[p] ? (sampled.ids[p] as number) : id)),
    masked,
    kept: state.kept.map((is, p) => is || chosen[p] === true),
    confidences: state.confidences.map((c, p) => (chosen[p] ? (sampled.confidences[p] as number) : c)),
  };
  return { sampled: standingAnswer(sampled, next), next, done: !masked.includes(true) };
}

/** The masked positions of the first block that has any; all of them if there is one block only. */
function maskedInBlock(masked: readonly boolean[], blockTokens: number): readonly boolean[] {
  if (blockTokens === 0) return masked;
  const blockOf = (p: number) => Math.floor(p / blockTokens);
  const first = blockOf(masked.indexOf(true));
  return masked.map((is, p) => is && blockOf(p) === first);
}

function sureCount(confidences: readonly number[], { factor, confidence }: ThresholdPolicy): number {
  if (factor > 0) return factorCount(confidences, factor);
  return tally(confidences.map((c) => c >= confidence));
}

/** The largest n with (n + 1) · (1 − c) ≤ factor, c the n-th highest confidence and those above it doing so, too. */
export function factorCount(confidences: readonly number[], factor: number): number {
  const falling = [...confidences].sort((a, b) => b - a);
  const first = falling.findIndex((c, index) => (index + 2) * (1 - c) > factor);
  return first < 0 ? falling.length : first;
}
