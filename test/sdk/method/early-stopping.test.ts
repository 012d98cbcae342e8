import { expect, it, test } from "vitest";
import {
  isExhausted,
  newWatch,
  type ValidationWatch,
  validationCe,
  watchValidation,
} from "../../../sdk/src/method/early-stopping.js";
import type { LossReport } from "../../../sdk/src/method/loss-report.js";
import golden from "../../contract/watch.json" with { type: "json" };

/** As the golden file has it: null for what is not known. */
function written({ bestStep, bestCe, improvedCe, waited }: ValidationWatch) {
  const finite = (ce: number) => (Number.isFinite(ce) ? ce : null);
  return { bestStep: bestStep ?? null, bestCe: finite(bestCe), improvedCe: finite(improvedCe), waited };
}

test("validations are watched as the worker watches them", () => {
  expect(golden).toHaveLength(4);
  for (const { minDelta, ces, watched } of golden) {
    let watch = newWatch;
    const own = ces.map((ce, number) => {
      watch = watchValidation(watch, { step: 10 * number, ce: ce ?? Number.NaN, minDelta });
      return written(watch);
    });
    expect(own).toEqual(watched);
  }
});

it("is exhausted after so many validations without an improvement, and never with a patience of 0", () => {
  const waited = (count: number) => ({ ...newWatch, waited: count });
  expect([1, 2, 3].map((count) => isExhausted(waited(count), 2))).toEqual([false, true, true]);
  expect(isExhausted(waited(9), 0)).toBe(false);
});

it("compares the CE of corrupted tokens where there are any", () => {
  const report = { ce: 2, corruptedCe: 5, corruptedTokens: 3 } as LossReport;
  expect(validationCe(report)).toBe(5);
  expect(validationCe({ ...report, corruptedCe: Number.NaN, corruptedTokens: 0 })).toBe(2);
});
