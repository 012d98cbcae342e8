/** A training's curve is that of all of its sittings. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Progress } from "../../../sdk/src/reproduction/measuring/progress.js";

const folder = mkdtempSync(join(tmpdir(), "lad-progress-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 250;
const step = (number: number) => ({
  step: number,
  seconds: 0.5,
  tokensPerSecond: 80,
  report: { corruptedCe: 5 / number, corruptedTokens: number % 7 },
});

function taken(progress: Progress, from: number, to: number): Progress {
  for (let number = from; number <= to; number++) progress.add(step(number));
  return progress;
}

describe("a training in two sittings", () => {
  it("has the curve and the time of one in one sitting", () => {
    const whole = taken(new Progress(STEPS, join(folder, "whole.json")), 1, STEPS);
    const path = join(folder, "adapters/sittings.json");
    taken(new Progress(STEPS, path), 1, 101).keep();
    const second = new Progress(STEPS, path);
    second.restore(101);
    expect(taken(second, 102, STEPS).figures()).toEqual(whole.figures());
    expect(whole.figures().curve).toHaveLength(125);
    expect(whole.figures().seconds).toBe(STEPS / 2);
  });

  it("begins its curve at the checkpoint where nothing was written down of that step", () => {
    const path = join(folder, "other.json");
    taken(new Progress(STEPS, path), 1, 50).keep();
    const second = new Progress(STEPS, path);
    second.restore(100);
    expect(taken(second, 101, STEPS).figures().curve[0]?.step).toBe(102);
  });
});
