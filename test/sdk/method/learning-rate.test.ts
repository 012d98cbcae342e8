import { expect, test } from "vitest";
import type { ScheduleSpec } from "../../../sdk/src/method/learning-rate.js";
import { learningRate } from "../../../sdk/src/method/learning-rate.js";
import golden from "../../contract/schedule.json" with { type: "json" };

test("learning rates are the worker's, to the last bit", () => {
  for (const { schedule, steps, rates } of golden) {
    const own = rates.map((_, step) => learningRate(schedule as ScheduleSpec, step, steps));
    expect(own).toEqual(rates);
  }
});
