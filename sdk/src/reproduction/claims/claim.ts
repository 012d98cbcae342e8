/** What the paper, or this project, says of the method, and how measurements decide it. */
import type { Estimate } from "../../evaluation/statistics/estimate.js";
import type { ReportSection } from "../../report/parts/section.js";
import type { Measured } from "../measured.js";
import type { Setting } from "../setting.js";

/** One claim, as a reproduction lists it. */
export interface NamedClaim {
  /** A letter. */
  readonly id: string;
  /** As a heading. */
  readonly title: string;
  /** Who says so. */
  readonly source: "the paper" | "this project";
}

/** One claim, with how it is decided and shown. */
export interface Claim extends NamedClaim {
  /** What measurements say of it: a finding for each comparison that the claim makes. */
  judge(measured: Measured, setting: Setting): readonly Finding[];
  /** Adds the claim's tables and charts to its section of the report. */
  show(section: ReportSection, measured: Measured, setting: Setting): void;
}

/** One comparison of a claim, decided by its figure's interval. */
export interface Finding {
  /** What should hold, as a sentence. */
  readonly claim: string;
  /** What was measured. */
  readonly figure: Estimate;
  /** What the figure counts. */
  readonly unit: string;
  /** Whether it holds; undefined where the interval leaves it open. */
  readonly holds: boolean | undefined;
}

/** Where a figure has to lie for its claim to hold. */
export interface Range {
  readonly above?: number;
  readonly below?: number;
}

/** A finding: it holds if the whole interval lies in the range, and does not if all of it lies outside. */
export function finding(claim: string, figure: Estimate, unit: string, range: Range): Finding {
  const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = range;
  const [low, high] = figure.interval;
  const inside = low > above && high < below;
  const outside = high <= above || low >= below;
  return { claim, figure, unit, holds: inside ? true : outside ? false : undefined };
}

/** Whether all findings hold: false as soon as one does not, undefined where one is open or there is none. */
export function allHold(findings: readonly Finding[]): boolean | undefined {
  if (findings.some(({ holds }) => holds === false)) return false;
  return findings.length > 0 && findings.every(({ holds }) => holds) ? true : undefined;
}
