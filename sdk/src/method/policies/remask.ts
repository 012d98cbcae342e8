/** `remask`, scheduled denoising with re-masking (docs/method.md §6). */
import { check } from "../../checks/check.js";
import { above, integer, number, oneOf } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  sampledWhere,
} from "../answer-state.js";
import { clusteredPositions, guidedPositions, randomPositions, tally } from "../choose.js";
import {
  checkGrowth,
  definePolicy,
  misplacedInPolicy,
  type SettlingOptions,
  settlingFields,
} from "./policy.js";

/** How `remask` denoises. */
export interface RemaskOptions extends SettlingOptions {
  /** How the re-masked share falls with x = i / I from iteration to iteration. Default: `exponential`. */
  schedule?: "exponential" | "linear" | undefined;
  /** s of the exponential schedule n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)): a finite number above 0. Default: 5. */
  sharpness?: number | undefined;
  /** n0, the share of the answer that is re-masked first: a number from 0 to 1. Default: 1. */
  noiseStart?: number | undefined;
  /**
   * Which positions are masked again: any (`random`), runs of neighbours (`clustered`), or rather those of low confidence, with
   * weights 1 − confidence (`confidence`). Default: `random`.
   */
  positions?: "random" | "clustered" | "confidence" | undefined;
  /** At positions by `confidence`: weights are clipped from below to this, a number above 0 and at most 1. Default: 0.1. */
  minGuidanceWeight?: number | undefined;
  /** At `clustered` positions: mean length of a cluster in tokens, an integer of at least 1. Default: 4. */
  clusterSpan?: number | undefined;
  /**
   * What becomes of a position that was not masked again: it may be later (`none`); it never is, and its token may still change
   * (`editable`); its token is final (`locked`). Default: `none`.
   */
  retention?: "none" | "editable" | "locked" | undefined;
}

/** Scheduled denoising, complete. */
export interface RemaskPolicy extends Complete<RemaskOptions> {
  /** Names the policy. */
  readonly kind: "remask";
}

export const remaskFields = fieldsOf<RemaskOptions>()(
  {
    ...settlingFields.shape,
    schedule: oneOf(["exponential", "linear"]).default("exponential"),
    sharpness: above(0).default(5),
    noiseStart: number(0, 1).default(1),
    positions: oneOf(["random", "clustered", "confidence"]).default("random"),
    minGuidanceWeight: above(0).max(1, { error: "a number above 0 and at most 1" }).default(0.1),
    clusterSpan: integer(1).default(4),
    retention: oneOf(["none", "editable", "locked"]).default("none"),
  },
  misplacedInPolicy,
);

/** Scheduled denoising with re-masking: after each forward a share of the answer becomes MASK again. */
export function remask(options: RemaskOptions = {}): RemaskPolicy {
  return { kind: "remask", ...check(remaskFields, options) };
}

definePolicy(remask, {
  kind: "remask",
  options: remaskFields,
  drawMethod: "inverse-cdf",
  denoising: {
    forwards: ({ iterations }) => iterations,
    isScheduled: true,
    keepsForGood: ({ retention }) => retention === "locked",
    step: remaskStep,
  },
  check: checkGrowth,
  ignored: ({ schedule, positions }) => ({
    ...(schedule === "linear" && { sharpness: "the schedule is linear" }),
    ...(positions !== "confidence" && { minGuidanceWeight: `positions are ${positions}` }),
    ...(positions !== "clustered" && { clusterSpan: `positions are ${positions}` }),
  }),
});

/** What the re-masked share depends on. */
export type RemaskSchedule = Pick<RemaskPolicy, "iterations" | "schedule" | "sharpness" | "noiseStart">;

/** Scheduled denoising: a share of the sampled answer becomes MASK again; what a `locked` policy has kept does not change. */
export function remaskStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: RemaskPolicy,
): PolicyStep {
  const isFinal = (p: number) => policy.retention === "locked" && state.kept[p] === true;
  const sampled = sampledWhere(state, prediction, (p) => !isFinal(p));
  const chosen = chooseRemasked(state, sampled, policy, prediction);
  const next = {
    ids: sampled.ids.map((id, p) => (chosen[p] ? prediction.maskTokenId : id)),
    masked: chosen,
    kept: chosen.map((is) => !is && policy.retention !== "none"),
    confidences: sampled.confidences.map((c, p) => (chosen[p] ? 0 : c)),
  };
  return { sampled, next };
}

/**
 * Which positions are MASK again after an iteration: floor(share · N) of the N, or all that are not kept where those are fewer.
 *
 * @param state - what the iteration's forward saw; only its `kept` matters
 * @param sampled - the answer it sampled
 */
export function chooseRemasked(
  state: Pick<AnswerState, "kept">,
  sampled: PolicyStep["sampled"],
  policy: RemaskPolicy,
  prediction: Omit<IterationPrediction, "ids" | "confidences" | "maskTokenId">,
): boolean[] {
  const candidates = state.kept.map((is) => !is);
  const wanted = shareCount(remaskShare(policy, prediction.iteration), candidates.length);
  const count = Math.min(wanted, tally(candidates));
  if (policy.positions === "random") return randomPositions(candidates, count, prediction);
  if (policy.positions === "clustered") {
    return clusteredPositions(candidates, count, policy.clusterSpan, prediction);
  }
  const { stopTokenIds, padTokenIds = [] } = prediction;
  const eos = sampled.ids.map((id) => stopTokenIds.includes(id) || padTokenIds.includes(id));
  const guidance = { confidences: sampled.confidences, eos, minWeight: policy.minGuidanceWeight };
  return guidedPositions(candidates, count, guidance, prediction);
}

/**
 * The share of the answer that is re-masked after iteration i of I, with x = i / I; 0 after the last.
 *
 * exponential: n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)); linear: n0 · (1 − x).
 */
export function remaskShare(policy: RemaskSchedule, iteration: number): number {
  const { iterations, schedule, sharpness, noiseStart } = policy;
  if (iteration >= iterations - 1) return 0;
  const x = iteration / iterations;
  if (schedule === "linear") return noiseStart * (1 - x);
  const end = Math.expm1(-sharpness);
  return noiseStart * ((Math.expm1(-sharpness * x) - end) / -end);
}

/** floor(share · positions); 1e-9 makes up for the rounding of a share that is a whole number of positions. */
export function shareCount(share: number, positions: number): number {
  return Math.floor(share * positions + 1e-9);
}
