import type { LossReport } from "./loss-report.js";

/** What the validations of a run have shown so far. */
export interface ValidationWatch {
  /** The step of the lowest CE, the first of equal ones; undefined while no validation had one. */
  readonly bestStep: number | undefined;
  /** The lowest CE, in nats; ∞ while no validation had one. */
  readonly bestCe: number;
  /** The CE of the last improvement, in nats; ∞ while there was none. */
  readonly improvedCe: number;
  /** Validations since the last improvement. */
  readonly waited: number;
}

/** A watch that has seen no validation. */
export const newWatch: ValidationWatch = {
  bestStep: undefined,
  bestCe: Number.POSITIVE_INFINITY,
  improvedCe: Number.POSITIVE_INFINITY,
  waited: 0,
};

/**
 * The watch with one more validation. A CE that is NaN is neither the best nor an improvement.
 *
 * Patience (early stopping: Prechelt 1998, Early Stopping – But When?) has a measure of its own, the CE of the last improvement, so that
 * several gains below `minDelta` can be an improvement together.
 */
export function watchValidation(
  watch: ValidationWatch,
  { step, ce, minDelta = 0 }: WatchedValidation,
): ValidationWatch {
  const best = ce < watch.bestCe ? { ...watch, bestStep: step, bestCe: ce } : watch;
  if (ce < watch.improvedCe - minDelta) return { ...best, improvedCe: ce, waited: 0 };
  return { ...best, waited: watch.waited + 1 };
}

/** One validation, as `watchValidation` takes it. */
export interface WatchedValidation {
  /** Steps taken by then. */
  readonly step: number;
  /** What is compared, in nats: `validationCe` of its report. */
  readonly ce: number;
  /** An improvement is lower than the last one by more than this, in nats. Default: 0. */
  readonly minDelta?: number | undefined;
}

/** Whether so many validations in a row brought no improvement; never with a patience of 0. */
export function isExhausted({ waited }: ValidationWatch, patience: number): boolean {
  return patience > 0 && waited >= patience;
}

/**
 * The CE by which a run's validations are compared, in nats a token: of corrupted tokens, or of all that are supervised where none is
 * corrupted. Noise and examples are the same in every validation of a run, so it is one of the two throughout.
 */
export function validationCe({ corruptedCe, corruptedTokens, ce }: LossReport): number {
  return corruptedTokens > 0 ? corruptedCe : ce;
}
