import { expect, it } from "vitest";
import {
  allocatorSettings,
  referenceEnvironment,
  workerEnvironment,
} from "../../bench/harness/environment.js";

it("gives both sides the same threads", () => {
  expect(workerEnvironment(3)).toMatchObject({ OMP_NUM_THREADS: "3" });
  expect(referenceEnvironment(3)).toEqual({ OMP_NUM_THREADS: "3" });
});

it("knows the allocator's settings among others", () => {
  const settings = { MALLOC_TRIM_THRESHOLD_: "1", GLIBC_TUNABLES: "x=1" };
  expect(allocatorSettings({ OMP_NUM_THREADS: "2", ...settings, MY_MALLOC_: "1" })).toEqual(settings);
});
