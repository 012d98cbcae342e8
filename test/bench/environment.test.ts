import { expect, it } from "vitest";
import { referenceEnvironment, workerEnvironment } from "../../bench/harness/environment.js";

it("gives both sides the same threads", () => {
  expect(workerEnvironment(3)).toMatchObject({ OMP_NUM_THREADS: "3" });
  expect(referenceEnvironment(3)).toEqual({ OMP_NUM_THREADS: "3" });
});
