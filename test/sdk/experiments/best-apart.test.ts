import { expect, it } from "vitest";
import { bestApart } from "../../../sdk/src/experiments/best-apart.js";
import type { Experiment } from "../../../sdk/src/options/experiment.js";
import { bestCheckpointFields } from "../../../sdk/src/options/training.js";

const data = { jsonl: "train.jsonl" };

function keeping(validation: Experiment["training"]["validation"]): Experiment {
  return { base: "stub", adapter: { rank: 4 }, training: { data, steps: 1, validation } };
}

it("gives the best checkpoint of each point of a sweep a name of its own, which a store takes", () => {
  const experiment = keeping({ data, keepBest: "best" });
  const named = (point: Record<string, string | number>) =>
    bestApart(experiment, point).training.validation?.keepBest;
  expect(named({ "adapter.rank": 16 })).toEqual({ name: "best-rank-16" });
  const odd = named({ "training.learningRate": 1e-3, "training.noise": "mask only" });
  expect(odd).toEqual({ name: "best-learningRate-0.001-noise-mask_only" });
  expect(bestCheckpointFields.safeParse(odd).success).toBe(true);
});

it("leaves everything else as it is", () => {
  const kept = bestApart(keeping({ data, keepBest: { name: "best", overwrite: true }, patience: 2 }), {
    a: 1,
  });
  expect(kept.training.validation).toEqual({
    data,
    keepBest: { name: "best-a-1", overwrite: true },
    patience: 2,
  });
  const plain = keeping({ data });
  expect(bestApart(plain, { "adapter.rank": 16 })).toBe(plain);
});
