import { expect, it } from "vitest";
import { processorSeconds } from "../../bench/sides/processor.js";

it.runIf(process.platform === "linux")(
  "counts what a process has computed, and not how long it waited (skipped but on Linux)",
  async () => {
    const before = processorSeconds(process.pid) as number;
    const { user, system } = process.cpuUsage();
    expect(Math.abs(before - (user + system) / 1e6)).toBeLessThan(0.2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((processorSeconds(process.pid) as number) - before).toBeLessThan(0.25);
  },
);

it("knows nothing of a process that is not there", () => {
  expect(processorSeconds(undefined)).toBeUndefined();
});
