/**
 * The built-in denoising policies as pure functions: a loop of predictions and steps written with them equals the worker's run,
 * token for token.
 *
 * @example
 * let state = maskedAnswer(64, base.maskTokenId);
 * while (!canvas.settled) {
 *   state = remaskStep(state, await canvas.predict(), policy).next;
 *   canvas.write(state);
 * }
 */
import { type AnswerState, type IterationPrediction, type PolicyStep, sampledWhere } from "./answer-state.js";
import { clusteredPositions, guidedPositions, mostConfident, randomPositions, tally } from "./choose.js";

/** How much of an answer is re-masked after each iteration. */
export interface RemaskSchedule {
  /** How the share falls from iteration to iteration. */
  readonly schedule: "exponential" | "linear";
  /** s of the exponential schedule; above 0. */
  readonly sharpness: number;
  /** n0, from 0 to 1. */
  readonly noiseStart: number;
}

/** Settings of `remaskStep`, complete. */
export interface RemaskPolicy extends RemaskSchedule {
  /** Which positions: any; runs of neighbours; or rather those of low confidence, with weights 1 − confidence. */
  readonly positions: "random" | "clustered" | "confidence";
  /** Weights 1 − confidence are clipped from below to this; above 0. */
  readonly minGuidanceWeight: number;
  /** Mean length of a cluster, in tokens. */
  readonly clusterSpan: number;
  /** What was not re-masked: may be later; never is again, but may change; is final. */
  readonly retention: "none" | "editable" | "locked";
  /** The base's. */
  readonly maskTokenId: number;
  /** The base's. */
  readonly stopTokenIds: readonly number[];
}

/**
 * The share of the answer that is re-masked after iteration i of I, with x = i / I; 0 after the last.
 *
 * exponential: n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)); linear: n0 · (1 − x).
 */
export function remaskShare(policy: RemaskSchedule, iteration: number, iterations: number): number {
  if (iteration >= iterations - 1) return 0;
  const { schedule, sharpness, noiseStart } = policy;
  const x = iteration / iterations;
  if (schedule === "linear") return noiseStart * (1 - x);
  const end = Math.expm1(-sharpness);
  return noiseStart * ((Math.expm1(-sharpness * x) - end) / -end);
}

/** floor(share · positions); 1e-9 makes up for the rounding of a share that is a whole number of positions. */
export function shareCount(share: number, positions: number): number {
  return Math.floor(share * positions + 1e-9);
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
  { iteration, iterations, seed }: Pick<IterationPrediction, "iteration" | "iterations" | "seed">,
): boolean[] {
  const candidates = state.kept.map((is) => !is);
  const wanted = shareCount(remaskShare(policy, iteration, iterations), candidates.length);
  const count = Math.min(wanted, tally(candidates));
  const key = { seed, iteration };
  if (policy.positions === "random") return randomPositions(candidates, count, key);
  if (policy.positions === "clustered") return clusteredPositions(candidates, count, policy.clusterSpan, key);
  const eos = sampled.ids.map((id) => policy.stopTokenIds.includes(id));
  const { confidences } = sampled;
  return guidedPositions(candidates, count, { confidences, eos, minWeight: policy.minGuidanceWeight }, key);
}

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
    ids: sampled.ids.map((id, p) => (chosen[p] ? policy.maskTokenId : id)),
    masked: chosen,
    kept: chosen.map((is) => !is && policy.retention !== "none"),
    confidences: sampled.confidences.map((c, p) => (chosen[p] ? 0 : c)),
  };
  return { sampled, next };
}

/** Self-refining: the sampled answer is the next input as it is. */
export function refineStep(state: AnswerState, prediction: IterationPrediction): PolicyStep {
  const sampled = sampledWhere(state, prediction, () => true);
  const none = state.ids.map(() => false);
  return { sampled, next: { ...sampled, masked: none, kept: none } };
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
  const blocks = Math.ceil(answerTokens / size);
  if (iterations < blocks) {
    throw new RangeError(`iterations is ${iterations}: ${blocks} blocks need at least one each.`);
  }
  return evenly(iterations, blocks).flatMap((share, block) => {
    const start = block * size;
    const stop = Math.min(start + size, answerTokens);
    return evenly(stop - start, Math.min(share, stop - start)).map((count) => ({ start, stop, count }));
  });
}

/** Settings of `lladaStep`. */
export interface LladaPolicy {
  /** The run's steps, from `lladaBudget`. */
  readonly budget: readonly BudgetStep[];
  /** A sampled stop token counts with confidence −∞: it is committed where nothing else is left to. */
  readonly eosConfidenceOff: boolean;
  /** The base's. */
  readonly stopTokenIds: readonly number[];
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
  const step = policy.budget[prediction.iteration];
  if (step === undefined) throw new RangeError(`iteration is ${prediction.iteration}: the budget is spent.`);
  const open = state.masked.map((is, p) => is && p >= step.start && p < step.stop);
  const sampled = sampledWhere(state, prediction, (p) => open[p] === true);
  const confidences = sampled.confidences.map((c, p) =>
    policy.eosConfidenceOff && policy.stopTokenIds.includes(sampled.ids[p] as number)
      ? Number.NEGATIVE_INFINITY
      : c,
  );
  const chosen = mostConfident(open, step.count, confidences);
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

function evenly(total: number, parts: number): number[] {
  const whole = Math.floor(total / parts);
  return Array.from({ length: parts }, (_, part) => whole + (part < total % parts ? 1 : 0));
}
