import type { Runtime } from "lad";
import { afterAll, beforeAll, expect, it } from "vitest";
import { resident } from "../../bench/sides/resident.js";
import { stress } from "../../bench/sides/stress.js";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const CLIENTS = 4;
const SECONDS = 12;
const MOST_GROWTH_BYTES = 200e6;
let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
});

afterAll(() => runtime?.close());

it("answers whoever asks what it holds while runs are started and cancelled, thousands of times", async () => {
  const base = await runtime.loadBase("stub");
  const adapters = await Promise.all([1, 2, 3].map((seed) => base.createAdapter({ rank: 8, seed })));
  const training = { data: EXAMPLES, windowTokens: 48, steps: 100_000, warmupSteps: 0 };
  const before = await resident(runtime.workerPid);
  let calls = 0;
  for (let round = 0; round < 5 && calls < 2000; round++) {
    const stood = await stress({ runtime, adapters, training, clients: CLIENTS, seconds: SECONDS / 4 });
    expect(stood.runs).toBeGreaterThan(0);
    calls += stood.calls;
  }
  expect(calls).toBeGreaterThan(1000);
  const after = await resident(runtime.workerPid);
  if (before !== undefined) expect((after as number) - before).toBeLessThan(MOST_GROWTH_BYTES);
  const { adapters: held } = await runtime.info();
  expect(held.map(({ id }) => id).sort()).toEqual(adapters.map(({ id }) => id).sort());
});
