/** `revoking`, revocable decoding (WINO, arXiv 2507.18578; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { number } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  predicted,
  sampledWhere,
  standingAnswer,
} from "../answer-state.js";
import { mostConfident, sureMasks, tally } from "../choose.js";
import { definePolicy, iterations, misplacedInPolicy } from "./policy.js";

/** How `revoking` denoises. */
export interface RevokingOptions {
  /**
   * The largest number of forwards for each canvas, an integer of at least 1. The last one fills whatever is still masked. Default: 32.
   */
  iterations?: number | undefined;
  /** A mask is filled if its token has at least this confidence: a number from 0 to 1. Default: 0.6. */
  confidence?: number | undefined;
  /** A token that stands is MASK again where its probability is below this: a number from 0 to 1. Default: 0.5. */
  keepConfidence?: number | undefined;
}

/** Revocable decoding, complete. */
export interface RevokingPolicy extends Complete<RevokingOptions> {
  /** Names the policy. */
  readonly kind: "revoking";
}

export const revokingFields = fieldsOf<RevokingOptions>()(
  {
    iterations,
    confidence: number(0, 1).default(0.6),
    keepConfidence: number(0, 1).default(0.5),
  },
  misplacedInPolicy,
);

/** Revocable decoding: masks are filled early, and tokens that turn out improbable are masked again. */
export function revoking(options: RevokingOptions = {}): RevokingPolicy {
  return { kind: "revoking", ...check(revokingFields, options) };
}

definePolicy(revoking, {
  kind: "revoking",
  options: revokingFields,
  drawMethod: "inverse-cdf",
  denoising: { forwards: ({ iterations }) => iterations, step: revokingStep },
});

/**
 * Revocable decoding: masks whose token is sure enough are filled, at least one; tokens that have become improbable are masked again.
 *
 * Fewer are revoked than the iteration before filled in (in a draft: than stand there), the least probable ones. The memory holds how
 * many were filled in last.
 *
 * @throws RangeError where the prediction has no `standing`
 */
export function revokingStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: RevokingPolicy,
): PolicyStep {
  const isLast = prediction.iteration >= policy.iterations - 1;
  const sampled = sampledWhere(state, prediction, () => true);
  const filled = isLast ? state.masked : sureMasks(state.masked, policy.confidence, sampled.confidences);
  const revoked = isLast ? state.ids.map(() => false) : revokedPositions(state, prediction, policy);
  const masked = state.masked.map((is, p) => (is && !filled[p]) || revoked[p] === true);
  const next = {
    ids: state.ids.map((id, p) => {
      if (revoked[p]) return prediction.maskTokenId;
      return filled[p] ? (sampled.ids[p] as number) : id;
    }),
    masked,
    kept: state.ids.map(() => false),
    confidences: state.confidences.map((c, p) => {
      if (revoked[p]) return 0;
      return filled[p] ? (sampled.confidences[p] as number) : c;
    }),
    memory: [tally(filled)],
  };
  return { sampled: standingAnswer(sampled, next), next, done: !masked.includes(true) };
}

function revokedPositions(
  { masked, memory }: AnswerState,
  prediction: IterationPrediction,
  policy: RevokingPolicy,
): boolean[] {
  const visible = masked.map((is) => !is);
  const standing = predicted(prediction, "standing");
  const doubted = tally(visible.map((is, p) => is && (standing[p] as number) < policy.keepConfidence));
  const filledBefore = memory?.[0] ?? tally(visible);
  const doubts = Float64Array.from(standing, (probability) => -probability);
  return mostConfident(visible, Math.min(doubted, Math.max(0, filledBefore - 1)), doubts);
}
