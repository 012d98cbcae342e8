import { cover, muon, type TrainingOptions } from "lad";
import { expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const state = `${scratchFolder()}/state`;

it("a run of an earlier worker tells how it was specified, and that asks for the same weights again", async () => {
  const asked: TrainingOptions = {
    data: EXAMPLES,
    windowTokens: 48,
    tooLong: "truncate",
    batchSize: 2,
    learningRate: 0.05,
    warmupSteps: 0,
    seed: 2n ** 60n,
    steps: 3,
    noise: cover({ swapScale: 0.5 }),
    loss: { supervise: "all-answer-tokens", tailWeight: 0.5 },
    optimizer: muon({ momentum: 0.9 }),
    validation: { data: EXAMPLES, everySteps: 2, maxExamples: 2, seed: 5, keepBest: "best" },
  };
  const settings = { rank: 2, seed: 7, dropout: 0.1, targets: ["q_proj"] };
  const first = await startRuntime(state);
  const { revision } = (await first.loadBase("stub")).info;
  const trained = await (await first.loadBase("stub")).createAdapter(settings);
  const run = trained.train(asked);
  await run.result();
  const digest = await (await trained.snapshot()).digest();
  const { id: dataset } = await first.dataset(EXAMPLES);
  const sampled = trained.sample({ messages: "1 + 1", answerTokens: 2 });
  await sampled.result();
  await first.close();

  await using second = await startRuntime(state);
  const told = await second.run(run.runId ?? "").specification();
  expect(told).toMatchObject({
    baseName: "stub",
    baseRevision: revision,
    adapter: { ...settings, alpha: 2, seed: 7n, useRslora: false },
    training: {
      windowTokens: 48,
      tooLong: "truncate",
      superviseTurns: "last",
      padToWindow: true,
      attention: "full",
      context: "prompt",
      decay: "cosine",
      seed: 2n ** 60n,
      noise: { kind: "cover", swapScale: 0.5 },
      loss: { supervise: "all-answer-tokens", tailWeight: 0.5 },
      optimizer: muon({ momentum: 0.9 }),
    },
    datasetId: dataset,
    validation: {
      datasetId: dataset,
      everySteps: 2,
      maxExamples: 2,
      seed: 5n,
      keepBest: "best",
      patience: 0,
    },
  });
  const inJson = JSON.parse(JSON.stringify(told));
  expect([inJson.training.seed, inJson.adapter.seed, inJson.validation.seed]).toEqual([
    String(2n ** 60n),
    "7",
    "5",
  ]);

  if (told.adapter === undefined || told.training === undefined) throw new Error("it was a training");
  const again = await (await second.loadBase(told.baseName)).createAdapter(told.adapter);
  await again.train({ ...told.training, data: EXAMPLES }).result();
  expect(await (await again.snapshot()).digest()).toBe(digest);

  const ofSampling = await second.run(sampled.runId ?? "").specification();
  expect(ofSampling).toMatchObject({ baseName: "stub", training: undefined, validation: undefined });
  await expect(second.run("nobody").specification()).rejects.toMatchObject({ code: "not-found" });
});
