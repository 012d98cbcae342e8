/** A whole schedule, as the worker and `learningRate()` of this package take it. */
export interface ScheduleSpec {
  /** The peak, after the warm-up. */
  readonly learningRate: number;
  /** Steps in which the learning rate rises from 0 to its peak. */
  readonly warmupSteps: number;
  /** How it falls after that: along half a cosine, along a line, or not. */
  readonly decay: "cosine" | "linear" | "constant";
  /** The share of the peak that is reached one step after the last, from 0 to 1. */
  readonly finalFraction: number;
}

/**
 * The learning rate at `step` (from 0) of a run of `steps`, the very number that the worker would use.
 *
 * Warm-up gives step k the share (k + 1) / warmupSteps of the peak; the decay then falls from the peak to `finalFraction` of it
 * at the run's end, which is one step after the last, so that no step is spent at a rate of 0.
 */
export function learningRate(schedule: ScheduleSpec, step: number, steps: number): number {
  const { learningRate: peak, warmupSteps, decay, finalFraction } = schedule;
  if (step < warmupSteps) return peak * ((step + 1) / warmupSteps);
  if (decay === "constant") return peak;
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  const remaining = decay === "linear" ? 1 - progress : halfCosine(progress);
  return peak * (finalFraction + (1 - finalFraction) * remaining);
}

/**
 * (1 + cos πx) / 2 for x in [0, 1], as cos²(πx / 2).
 *
 * A Taylor series in plain arithmetic: libraries' cosines differ in the last bit between languages, this one cannot.
 */
function halfCosine(progress: number): number {
  const angle = (Math.PI * progress) / 2;
  const square = angle * angle;
  let cosine = 1;
  for (let n = 24; n > 0; n -= 2) cosine = 1 - (cosine * square) / (n * (n - 1));
  return cosine * cosine;
}
