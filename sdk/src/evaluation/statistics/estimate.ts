/** How an interval was found. */
export type IntervalMethod =
  | "wilson"
  | "newcombe"
  | "bootstrap"
  | "paired bootstrap"
  | "jackknife"
  | "paired jackknife";

/** A figure with its certainty. */
export interface Estimate {
  /** The figure itself; NaN where there is nothing to compute it from. */
  readonly value: number;
  /** Items that it is computed from. */
  readonly n: number;
  /** Where the figure lies with 95 % confidence; NaN at both ends where that is not known. */
  readonly interval: readonly [low: number, high: number];
  /** How the interval was found. */
  readonly by: IntervalMethod;
}

/** The standard normal distribution's 97.5 % point. */
export const Z_95 = 1.959963984540054;

/** The interval of a figure of which nothing more is known. */
export const UNKNOWN: Estimate["interval"] = [Number.NaN, Number.NaN];
