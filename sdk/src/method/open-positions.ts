/**
 * The positions of an answer that a policy may change, and its state there.
 *
 * A policy sees the open positions alone, as if they were the whole answer: it cannot touch a pin, and its shares and budgets count
 * open positions.
 */
import type { AnswerState, IterationPrediction, PolicyStep } from "./answer-state.js";

/** A policy's step, and whether the policy changes tokens that stand in the canvas. */
export interface OpenStep {
  readonly changesVisible: boolean;
  step(state: AnswerState, prediction: IterationPrediction): PolicyStep;
}

/**
 * All positions that are not pinned. Of a policy that changes no visible token, also not those where one stands that it did not
 * commit.
 */
export function openPositions(state: AnswerState, changesVisible: boolean): boolean[] {
  return state.ids.map(
    (_, p) =>
      state.pinned?.[p] !== true && (changesVisible || state.masked[p] === true || state.kept[p] === true),
  );
}

/** A step on the open positions; at all others the state stays. */
export function stepOnOpen(
  state: AnswerState,
  prediction: IterationPrediction,
  { changesVisible, step }: OpenStep,
): PolicyStep {
  const open = openPositions(state, changesVisible);
  if (open.every(Boolean)) return kept(state, step(state, prediction));
  const { sampled, next, done } = step(stateAt(state, open), predictionAt(prediction, open));
  const back = <T>(whole: readonly T[], opened: readonly T[]) => withOpen(whole, open, opened);
  return kept(state, {
    sampled: {
      ids: back(state.ids, sampled.ids),
      confidences: back(state.confidences, sampled.confidences),
    },
    next: {
      ids: back(state.ids, next.ids),
      masked: back(state.masked, next.masked),
      kept: back(state.kept, next.kept),
      confidences: back(state.confidences, next.confidences),
      ...(next.memory && { memory: next.memory }),
    },
    ...(done !== undefined && { done }),
  });
}

/** The step with the pins of the state before it. */
function kept({ pinned }: AnswerState, step: PolicyStep): PolicyStep {
  return pinned === undefined ? step : { ...step, next: { ...step.next, pinned } };
}

function stateAt(state: AnswerState, open: readonly boolean[]): AnswerState {
  const at = <T>(values: readonly T[]) => values.filter((_, p) => open[p]);
  return {
    ids: at(state.ids),
    masked: at(state.masked),
    kept: at(state.kept),
    confidences: at(state.confidences),
    ...(state.memory && { memory: state.memory }),
  };
}

function predictionAt(prediction: IterationPrediction, open: readonly boolean[]): IterationPrediction {
  const at = (values: ArrayLike<number>) => Array.from(values).filter((_, p) => open[p]);
  const { ids, confidences, entropies, standing } = prediction;
  return {
    ...prediction,
    ids: at(ids),
    confidences: at(confidences),
    ...(entropies && { entropies: at(entropies) }),
    ...(standing && { standing: at(standing) }),
  };
}

function withOpen<T>(whole: readonly T[], open: readonly boolean[], opened: readonly T[]): T[] {
  let next = 0;
  return whole.map((value, p) => (open[p] ? (opened[next++] as T) : value));
}
