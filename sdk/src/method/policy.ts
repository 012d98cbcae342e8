/**
 * Sampling policies. A loop of predictions and steps gives the same tokens as a run on the worker.
 *
 * @example
 * const policy = remask({ iterations: 16 });
 * let state = maskedAnswer(64, base.maskTokenId);
 * while (!canvas.settled) {
 *   state = policyStep(state, await canvas.predict(), policy).next;
 *   canvas.write(state);
 * }
 */
import type { AnswerState, IterationPrediction, PolicyStep } from "./answer-state.js";
import type { OptionsByKind } from "./kinds.js";
import { stepOnOpen } from "./open-positions.js";
import { definitionOf, type PolicyDefinition } from "./policies/policy.js";
import { policies } from "./policies/registered.js";

type Builders = typeof policies;

/** The name of a policy. */
export type PolicyKind = keyof Builders;

/** A sampling policy with all of its options. */
export type Policy = ReturnType<Builders[PolicyKind]>;

/** A policy as an object: its kind, and any of its options. */
export type PolicyOptions = OptionsByKind<Builders>;

/** The names of all policies. */
export const POLICY_KINDS = Object.keys(policies) as [PolicyKind, ...PolicyKind[]];

/** The definition of the policy with this name. */
export function policyDefinition(kind: PolicyKind): PolicyDefinition {
  return definitionOf(policies[kind]);
}

/**
 * The answer after a forward, by the policy's own step (`remaskStep`, `refineStep`, `lladaStep`, …), which sees the positions that are
 * not pinned.
 *
 * @throws RangeError for a policy that denoises nothing
 */
export function policyStep(state: AnswerState, prediction: IterationPrediction, policy: Policy): PolicyStep {
  const { denoising } = policyDefinition(policy.kind);
  if (denoising === undefined) throw new RangeError(`policy is ${policy.kind}, which denoises nothing.`);
  return stepOnOpen(state, prediction, {
    changesVisible: denoising.changesVisible ?? true,
    step: (opened, predicted) => denoising.step(opened, predicted, policy),
  });
}
