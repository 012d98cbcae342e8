import { describe, expect, it } from "vitest";
import { questionsOf, trainingOf } from "../../bench/decoding/adapters.js";
import { learn } from "../../bench/learning/ours.js";
import { corruptedCe } from "../../bench/learning/validating.js";
import { scratchFolder, startRuntime } from "../e2e/support/stub.js";

const scratch = scratchFolder();
const ATTENTION = "full";

describe("what ours has learnt", () => {
  it("is that of the run without its snapshots, in time that only grows", async () => {
    await using runtime = await startRuntime(scratch);
    const base = await runtime.loadBase("stub");
    const recipe = trainingOf("stub", ATTENTION);
    const { windowTokens } = recipe.training;
    const validating = { windowTokens, attention: ATTENTION } as const;
    const run = { recipe, steps: 3, seed: 5, workerPid: runtime.workerPid, ...validating };
    const { name, points } = await learn(base, run);
    expect([name, points.at(-1)?.updates]).toEqual(["3 steps", 3]);
    const seconds = points.map((point) => point.seconds);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));

    await using plain = await base.createAdapter({ ...recipe.adapter, seed: 5 });
    const data = questionsOf("train");
    await plain.train({ ...recipe.training, data, steps: 3, seed: 5 }).result();
    const ce = await corruptedCe(plain, validating);
    expect(points.at(-1)?.ce).toEqual(ce);
    expect(ce.lad).not.toBe(ce.clearTail);
    expect(await corruptedCe(base, validating)).not.toEqual(ce);
  });
});
