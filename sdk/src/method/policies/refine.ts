/** `refine`, self-refining without re-masking (docs/method.md §6). */
import { check } from "../../checks/check.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  sampledWhere,
} from "../answer-state.js";
import {
  checkGrowth,
  definePolicy,
  misplacedInPolicy,
  type SettlingOptions,
  settlingFields,
} from "./policy.js";

/** How `refine` denoises. */
export interface RefineOptions extends SettlingOptions {}

/** Self-refining, complete. */
export interface RefinePolicy extends Complete<RefineOptions> {
  /** Names the policy. */
  readonly kind: "refine";
}

export const refineFields = fieldsOf<RefineOptions>()(settlingFields.shape, misplacedInPolicy);

/** Self-refining: the sampled answer is the next input as it is. */
export function refine(options: RefineOptions = {}): RefinePolicy {
  return { kind: "refine", ...check(refineFields, options) };
}

definePolicy(refine, {
  kind: "refine",
  options: refineFields,
  drawMethod: "inverse-cdf",
  denoising: { forwards: ({ iterations }) => iterations, step: refineStep },
  check: checkGrowth,
});

/** Self-refining: the sampled answer is the next input as it is. */
export function refineStep(
  state: AnswerState,
  prediction: Pick<IterationPrediction, "ids" | "confidences">,
): PolicyStep {
  const sampled = sampledWhere(state, prediction, () => true);
  const none = state.ids.map(() => false);
  return { sampled, next: { ...sampled, masked: none, kept: none } };
}
