import type { Evaluation } from "../evaluation/evaluation.js";
import type { AdapterInfo, LossReport, TrainingFinished } from "../wire.js";

/** The result of one point of an experiment. */
export interface ExperimentResult {
  /** The adapter's state at the end. */
  readonly adapter: AdapterInfo;
  /** Where the adapter was saved, if `saveTo` named a folder. */
  readonly folder?: string | undefined;
  /** The result of its training. */
  readonly training: TrainingFinished;
  /** The last validation. */
  readonly validation: LossReport | undefined;
  /** One evaluation for each entry of `evaluation.sampling`, in order, without the answers themselves. */
  readonly evaluations: readonly Omit<Evaluation, "answers" | "items">[];
  /** Means of the losses over at most 200 equal stretches of the steps, in order. */
  readonly losses: readonly StepLosses[];
  /** Every validation, in order. */
  readonly validations: readonly StepLosses[];
}

/** Losses by a step, in nats per token; NaN over none. */
export interface StepLosses {
  /** Steps taken by then. */
  readonly step: number;
  /** What is optimised. */
  readonly loss: number;
  /** Over every supervised token. */
  readonly ce: number;
  /** Over those whose input was corrupted. */
  readonly corruptedCe: number;
}
