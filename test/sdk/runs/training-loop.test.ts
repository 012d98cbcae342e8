import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  customNoise,
  type TrainableAdapter,
  type TrainingStep,
  trainingLoop,
} from "../../../sdk/src/index.js";
import { AdaptersService, DataService, TrainingService, toFloat32Bytes } from "../../../sdk/src/wire.js";
import { testFolder } from "../support/folders.js";
import { stubWorker } from "../support/stub-worker.js";

const EXAMPLES = 40;
const TOKENS = 30_000;
const VOCABULARY = 200_000;
const MESSAGE_BYTES = 8 * 2 ** 20; // the most that a worker takes
const LOSS = 3; // of each token

/** A worker with long prepared examples of ids that take three bytes each; how long the requests for gradients were. */
async function worker() {
  const made = await stubWorker([], { vocabSize: VOCABULARY });
  const sizes: number[] = [];
  const firstIds: number[] = [];
  const counts = { examples: BigInt(EXAMPLES), kept: BigInt(EXAMPLES), dropped: 0n, truncated: 0n };
  const tokens = { promptTokens: 0n, answerTokens: 1n, tailTokens: 0n, specialTokens: 0n, maskTokens: 0n };
  const report = { ...counts, ...tokens, endToken: "[EOS]", endTokenId: 0 };
  const all = Buffer.alloc(TOKENS, 1);
  made.transport
    .onCall(DataService.prepareDataset, () => ({ report }))
    .onStream(DataService.streamExamples, async function* () {
      const examples = Array.from({ length: EXAMPLES }, (_, id) => {
        const ids = new Array<number>(TOKENS).fill(VOCABULARY - 1 - id);
        return { id: BigInt(id), ids, answer: all, tail: Buffer.alloc(TOKENS), weight: 1 };
      });
      yield { examples };
    })
    .onCall(TrainingService.forwardBackward, (request) => {
      sizes.push(TrainingService.forwardBackward.requestSerialize(request).length);
      const sequences = request.input?.$case === "sequences" ? request.input.value.sequences : [];
      firstIds.push(...sequences.map(({ targets }) => targets[0] as number));
      const count = sequences.length * TOKENS;
      const ce = toFloat32Bytes(new Array<number>(count).fill(LOSS));
      const share = sequences.length / EXAMPLES;
      return { loss: LOSS * share, tokens: BigInt(count), supervisedTokens: BigInt(count), ce };
    })
    .onCall(TrainingService.optimStep, () => ({ gradientNorm: 1, step: 1n }));
  return { ...made, sizes, firstIds };
}

it("a step whose sequences no message holds is several messages, and one report", async () => {
  const { adapter, transport, sizes, firstIds } = await worker();
  const noise = customNoise(({ ids }) => ({ ids: ids.map(() => 7) }));
  const training = { data: { id: "ab".repeat(32), examples: EXAMPLES }, batchSize: EXAMPLES, steps: 1 };
  let step: TrainingStep | undefined;
  for await (const event of adapter.train({ ...training, windowTokens: TOKENS, warmupSteps: 0, noise })) {
    if (event.type === "step") step = event;
  }
  expect(Math.max(...sizes)).toBeLessThan(MESSAGE_BYTES);
  expect(sizes.reduce((all, each) => all + each)).toBeGreaterThan(MESSAGE_BYTES);
  expect(new Set(firstIds).size).toBe(EXAMPLES);
  expect(firstIds).toHaveLength(EXAMPLES);
  expect(transport.requestsOf(TrainingService.optimStep)).toHaveLength(1);
  expect(step?.report).toMatchObject({ tokens: EXAMPLES * TOKENS, supervisedTokens: EXAMPLES * TOKENS });
  expect(step?.report.loss).toBeCloseTo(LOSS);
  expect(step?.report.ce).toBeCloseTo(LOSS);
});

it("brings its validation data to the worker once, however often it validates", async () => {
  const { adapter, brought, validated } = tinyAdapter();
  const validation = { data: [{ instruction: "b", output: "c" }], everySteps: 1 };
  const loop = trainingLoop(adapter, { data: OPENED, batchSize: 1, steps: 3, warmupSteps: 0, validation });
  for await (const _ of loop);
  expect(validated).toHaveLength(4);
  expect(new Set(validated)).toEqual(new Set([OPENED]));
  expect(brought).toEqual([OPENED, validation.data]);
});

const OPENED = { id: "cd".repeat(32), examples: 1 };

/** An adapter that learns nothing of one example; what data it was asked to bring, and to validate with. */
function tinyAdapter() {
  const brought: unknown[] = [];
  const validated: unknown[] = [];
  const example = { id: 0n, ids: [1, 2], answer: Uint8Array.of(0, 1), tail: new Uint8Array(2) };
  const base = {
    info: { maskTokenId: 0, eosTokenId: 2, vocabSize: 3 },
    dataset: async (data: unknown) => {
      brought.push(data);
      return OPENED;
    },
    prepare: async () => ({ kept: 1 }),
    examples: async function* () {
      yield example;
    },
  };
  const adapter = {
    base,
    refresh: async () => ({ parameterCount: 1 }),
    forwardBackward: async () => ({ loss: 1, ce: Float32Array.of(0, 1), tokens: 2, supervisedTokens: 1 }),
    optimStep: async () => ({ gradientNorm: 1, step: 1 }),
    validate: async ({ data }: { data: unknown }) => {
      validated.push(data);
      return { report: {}, data: {} };
    },
  };
  return { adapter: adapter as unknown as TrainableAdapter, brought, validated };
}

it("writes its adapter at the end, to a folder that it has checked at the start", async () => {
  const { adapter, transport } = await worker();
  const noise = customNoise(({ ids }) => ({ ids: ids.map(() => 7) }));
  const data = { id: "ab".repeat(32), examples: EXAMPLES };
  const training = { data, batchSize: 1, steps: 1, windowTokens: TOKENS, warmupSteps: 0, noise };
  await expect(adapter.train({ ...training, save: "/proc/x/adapter" }).result()).rejects.toMatchObject({
    code: "storage",
  });
  expect(transport.requestsOf(TrainingService.optimStep)).toHaveLength(0);
  const folder = join(testFolder(), "adapter");
  transport.onStream(AdaptersService.downloadAdapter, async function* () {
    yield { piece: { name: "adapter_config.json", data: Buffer.from("{}") } };
  });
  await adapter.train({ ...training, save: folder }).result();
  expect(readdirSync(folder)).toEqual(["adapter_config.json"]);
});
