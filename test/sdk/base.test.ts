import { expect, it } from "vitest";
import type { LoadProgress } from "../../sdk/src/index.js";
import { DataService } from "../../sdk/src/wire.js";
import { stubWorker } from "./support/stub-worker.js";

it("loading a base tells how far it is", async () => {
  const { runtime } = await stubWorker();
  const seen: LoadProgress[] = [];
  const base = await runtime.loadBase("stub", { onProgress: (progress) => seen.push(progress) });
  expect(seen).toEqual([{ phase: "read", doneBytes: 1, totalBytes: 2 }]);
  expect(base).toMatchObject({ id: "base-1", name: "stub", maskTokenId: 7, eosTokenId: 0 });
  expect(base.info.kernels).toEqual([{ matrix: "qkv", kernel: "mkl", layout: "out-in" }]);
});

it("a base has to have a name", async () => {
  const { runtime } = await stubWorker();
  await expect(runtime.loadBase("")).rejects.toMatchObject({ code: "invalid-option", option: "name" });
});

it("a token's own text is asked for once", async () => {
  const { base, transport } = await stubWorker();
  expect(await base.pieces([5, 6, 5])).toEqual(["5", "6", "5"]);
  expect(await base.pieces([6, 8])).toEqual(["6", "8"]);
  const asked = transport
    .requestsOf(DataService.decode)
    .map(({ sequences }) => sequences.map(({ ids }) => ids));
  expect(asked).toEqual([[[5], [6]], [[8]]]);
});

it("what is odd about a base's files is told when it is loaded, and stays in its info", async () => {
  const odd = "the weights hold another lm_head.weight.";
  const { base, warnings } = await stubWorker([], { warnings: [odd] });
  expect(base.info.warnings).toEqual([odd]);
  expect(warnings).toEqual([`The base stub: ${odd}`]);
});

it("a string stands for one user message", async () => {
  const { base, transport } = await stubWorker();
  expect(await base.render("hi")).toEqual({ text: "hi", ids: [104, 105] });
  expect(transport.requestsOf(DataService.render)).toEqual([
    {
      baseId: "base-1",
      messages: [{ role: "user", content: "hi" }],
      addGenerationPrompt: true,
      allowSpecial: false,
    },
  ]);
});

it("examples become questions with their right answers", async () => {
  const { base, transport } = await stubWorker();
  transport.onStream(DataService.streamExamples, async function* () {
    yield {
      examples: [
        {
          id: 0n,
          ids: [1, 2, 3, 4, 0],
          answer: Buffer.from([0, 0, 1, 1, 1]),
          tail: Buffer.from([0, 0, 0, 0, 1]),
          weight: 1,
        },
      ],
    };
  });
  const questions = await base.questions([{ instruction: "a", output: "b" }], { windowTokens: 5, limit: 1 });
  expect(questions).toEqual([{ ids: [1, 2], reference: "3 4" }]);
  expect(transport.requestsOf(DataService.streamExamples)[0]).toMatchObject({
    limit: 1n,
    window: { padToWindow: false },
  });
});
