/** `editing`, decoding by two thresholds (LLaDA2.1; docs/method.md §6). */
import { check } from "../../checks/check.js";
import { integer, number } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import {
  type AnswerState,
  type IterationPrediction,
  type PolicyStep,
  sampledWhere,
  standingAnswer,
} from "../answer-state.js";
import { sureMasks } from "../choose.js";
import { definePolicy, iterations, misplacedInPolicy } from "./policy.js";

/** How `editing` denoises. */
export interface EditingOptions {
  /**
   * The largest number of forwards for each canvas, an integer of at least 1. The last one fills whatever is still masked. Default: 32.
   */
  iterations?: number | undefined;
  /** A mask is filled if its token has at least this confidence: a number from 0 to 1. Default: 0.5. */
  confidence?: number | undefined;
  /** A token is replaced where another one has more than this confidence: a number from 0 to 1. Default: 0.5. */
  editConfidence?: number | undefined;
  /** How often each position's token may be replaced: an integer of at least 0. Default: 4. */
  edits?: number | undefined;
}

/** Decoding by two thresholds, complete. */
export interface EditingPolicy extends Complete<EditingOptions> {
  /** Names the policy. */
  readonly kind: "editing";
}

export const editingFields = fieldsOf<EditingOptions>()(
  {
    iterations,
    confidence: number(0, 1).default(0.5),
    editConfidence: number(0, 1).default(0.5),
    edits: integer(0).default(4),
  },
  misplacedInPolicy,
);

/** Decoding by two thresholds: masks are filled, and visible tokens replaced, wherever the model is sure enough. */
export function editing(options: EditingOptions = {}): EditingPolicy {
  return { kind: "editing", ...check(editingFields, options) };
}

/** Whole answers that are remembered, at most. */
const SEEN_KEPT = 4096;

definePolicy(editing, {
  kind: "editing",
  options: editingFields,
  drawMethod: "inverse-cdf",
  denoising: { forwards: ({ iterations }) => iterations, step: editingStep },
});

/**
 * Decoding by two thresholds: masks whose token is sure enough are filled, at least one, and visible tokens replaced.
 *
 * Two guards against loops: each position is replaced `edits` times at most; and replacements that would lead back to a whole answer
 * that stood there before are not made. The memory holds the replacements of each position, then the hashes of the last `SEEN_KEPT`
 * whole answers that were seen.
 */
export function editingStep(
  state: AnswerState,
  prediction: IterationPrediction,
  policy: EditingPolicy,
): PolicyStep {
  const isLast = prediction.iteration >= policy.iterations - 1;
  const sampled = sampledWhere(state, prediction, () => true);
  const { edits, seen } = remembered(state);
  const isWhole = !state.masked.includes(true);
  const replaced = replacedPositions(state, sampled, policy, { edits, seen });
  const filled = isLast ? state.masked : sureMasks(state.masked, policy.confidence, sampled.confidences);
  const pick = <T>(ours: readonly T[], theirs: readonly T[]) =>
    ours.map((x, p) => (replaced[p] || filled[p] ? (theirs[p] as T) : x));
  const next = {
    ids: pick(state.ids, sampled.ids),
    masked: state.masked.map((is, p) => is && !filled[p]),
    kept: state.ids.map(() => false),
    confidences: pick(state.confidences, sampled.confidences),
    memory: [
      ...edits.map((count, p) => count + Number(replaced[p])),
      ...[...seen, ...(isWhole ? [hashOf(state.ids)] : [])].slice(-SEEN_KEPT),
    ],
  };
  return { sampled: standingAnswer(sampled, next), next, done: isWhole && !replaced.includes(true) };
}

function replacedPositions(
  state: AnswerState,
  sampled: PolicyStep["sampled"],
  policy: EditingPolicy,
  { edits, seen }: ReturnType<typeof remembered>,
): boolean[] {
  const replaced = state.ids.map(
    (id, p) =>
      !state.masked[p] &&
      sampled.ids[p] !== id &&
      (sampled.confidences[p] as number) > policy.editConfidence &&
      (edits[p] as number) < policy.edits,
  );
  if (state.masked.includes(true) || !replaced.includes(true)) return replaced;
  const after = state.ids.map((id, p) => (replaced[p] ? (sampled.ids[p] as number) : id));
  return seen.includes(hashOf(after)) ? state.ids.map(() => false) : replaced;
}

/** The replacements of each position so far, and the hashes of the whole answers that were seen. */
function remembered({ ids, memory = [] }: AnswerState) {
  const edits = ids.map((_, p) => memory[p] ?? 0);
  return { edits, seen: memory.slice(ids.length) };
}

/** FNV-1a over token ids, in 32 bits. */
function hashOf(ids: readonly number[]): number {
  return ids.reduce((hash, id) => Math.imul(hash ^ id, 0x01000193) >>> 0, 0x811c9dc5);
}
