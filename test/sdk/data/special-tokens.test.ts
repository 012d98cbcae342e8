import { describe, expect, it } from "vitest";
import type { DataSource } from "../../../sdk/src/index.js";
import { customNoise } from "../../../sdk/src/index.js";
import { DataService, EvaluationService, TrainingService } from "../../../sdk/src/wire.js";
import {
  type EventPayload,
  finishedEvent,
  lossReport,
  samplingRequests,
  stubWorker,
} from "../support/stub-worker.js";

const DATA: DataSource = { id: "ab".repeat(32), examples: 2 };

/** What a worker says of windows in whose messages so many special tokens are written out. */
function report(specialTokens: bigint) {
  const counts = { examples: 2n, kept: 2n, dropped: 0n, truncated: 0n };
  const tokens = { promptTokens: 9n, answerTokens: 4n, tailTokens: 0n, maskTokens: 1n };
  return { ...counts, ...tokens, specialTokens, endToken: "[EOS]", endTokenId: 0 };
}

/** A worker that prepares data, encodes a text to its length, and scores everything 0. */
async function worker(specialTokens = 0n, events: readonly EventPayload[] = []) {
  const made = await stubWorker(events);
  made.transport
    .onCall(DataService.prepareDataset, () => ({ report: report(specialTokens) }))
    .onCall(DataService.encode, ({ texts }) => ({ results: texts.map(({ length }) => ({ ids: [length] })) }))
    .onCall(TrainingService.validate, () => ({
      report: lossReport(1),
      windowReport: report(specialTokens),
      examples: undefined,
    }))
    .onCall(EvaluationService.score, ({ items }) => ({
      scores: items.map(() => ({
        logLikelihood: 0,
        tokenLogLikelihoods: Buffer.alloc(0),
        greedy: true,
        estimates: [],
      })),
    }));
  return made;
}

describe("special tokens that are written out are text, unless allowSpecial is given", () => {
  it("in texts and chats", async () => {
    const { base, transport } = await worker();
    for (const options of [{}, { allowSpecial: true }]) {
      await base.encode("a", options);
      await base.render("a", options);
    }
    const encoded = transport.requestsOf(DataService.encode);
    const rendered = transport.requestsOf(DataService.render);
    expect([...encoded, ...rendered].map((r) => r.allowSpecial)).toEqual([false, true, false, true]);
  });

  it("in the prompts of samplers, each for itself", async () => {
    const answers: EventPayload[] = [0, 1].map((canvas) => ({
      $case: "answer",
      value: { canvas, ids: [1], canvasIds: [1], text: "", iterations: 1, stopped: 1, pinned: [] },
    }));
    const finished = { $case: "samplingFinished" as const, value: { canvases: 2, seconds: 1 } };
    const { base, adapter, transport } = await worker(0n, [...answers, finished]);
    await base.sampleMany({ canvases: [{ messages: "a" }, { messages: "b", allowSpecial: true }] }).result();
    const canvases = samplingRequests(transport)[0]?.canvases ?? [];
    expect(canvases.map(({ prompt }) => prompt)).toMatchObject([
      { $case: "chat", value: { allowSpecial: false } },
      { $case: "chat", value: { allowSpecial: true } },
    ]);
    await adapter.canvas({ messages: "a", answerTokens: 1, allowSpecial: true }).prompt();
    await base.evaluate({ items: [{ messages: "a", allowSpecial: true }, { messages: "b" }] });
    expect(transport.requestsOf(DataService.render).map((r) => r.allowSpecial)).toEqual([true, true, false]);
  });

  it("in what is scored, prompt and continuation together", async () => {
    const { base, transport } = await worker();
    const items = [
      { messages: "a", continuation: "x" },
      { messages: "b", continuation: "xx", allowSpecial: true },
      { messages: "c", continuation: "xxx" },
      { messages: "d", continuation: [7] },
    ];
    await base.score({ items });
    const encoded = transport.requestsOf(DataService.encode);
    expect(encoded.map(({ texts, allowSpecial }) => [texts, allowSpecial])).toEqual([
      [["x", "xxx"], false],
      [["xx"], true],
    ]);
    expect(transport.requestsOf(DataService.render).map((r) => r.allowSpecial)).toEqual([
      false,
      true,
      false,
      false,
    ]);
    const scored = transport.requestsOf(EvaluationService.score)[0]?.items ?? [];
    expect(scored.map(({ continuation }) => continuation?.ids)).toEqual([[1], [2], [3], [7]]);
  });

  it("in windows, whatever they are made for", async () => {
    const { base, adapter, transport } = await worker(0n, [finishedEvent(1)]);
    for (const options of [{}, { allowSpecial: true }]) {
      const window = { data: DATA, ...options };
      await base.prepare(DATA, options);
      await base.validate(window);
      await adapter.train({ ...window, steps: 1, warmupSteps: 0 }).result();
    }
    const sent = [
      ...transport.requestsOf(DataService.prepareDataset).map(({ window }) => window),
      ...transport.requestsOf(TrainingService.validate).map(({ window }) => window),
      ...transport.requestsOf(TrainingService.startTraining).map(({ spec }) => spec?.window),
    ];
    expect(sent.map((window) => window?.allowSpecial)).toEqual([false, true, false, true, false, true]);
  });

  it("in a training loop of one's own too", async () => {
    const { adapter, transport } = await worker();
    transport.onStream(DataService.streamExamples, async function* () {
      yield { examples: [] };
    });
    const noise = customNoise(({ ids }) => ({ ids }));
    const validation = { data: DATA };
    const run = adapter.train({
      data: DATA,
      noise,
      steps: 1,
      warmupSteps: 0,
      allowSpecial: true,
      validation,
    });
    await expect(run.result()).rejects.toThrow();
    const windows = [
      ...transport.requestsOf(DataService.prepareDataset).map(({ window }) => window),
      ...transport.requestsOf(DataService.streamExamples).map(({ window }) => window),
      ...transport.requestsOf(TrainingService.validate).map(({ window }) => window),
    ];
    expect(windows.map((window) => window?.allowSpecial)).toEqual([true, true, true]);
  });
});

describe("special tokens that a data set writes out", () => {
  const started: EventPayload = {
    $case: "trainingStarted",
    value: {
      report: report(3n),
      validationReport: undefined,
      trainableParameters: 1n,
      accountedBytes: 1n,
      fromStep: 0n,
      warnings: [],
    },
  };
  const warning =
    "The messages of 2 examples write out 3 special tokens, taken as text. Give allowSpecial: true";

  it("are counted in the report, with the masks in answers and what these end with", async () => {
    const { base } = await worker(3n);
    expect(await base.prepare(DATA)).toMatchObject({
      specialTokens: 3,
      maskTokens: 1,
      endToken: "[EOS]",
      endTokenId: 0,
    });
  });

  it("are warned of once, however often the data is prepared", async () => {
    const { base, adapter, warnings } = await worker(3n, [started, finishedEvent(1)]);
    await adapter.train({ data: DATA, steps: 1, warmupSteps: 0 }).result();
    expect(warnings).toEqual([expect.stringContaining(warning)]);
    await base.prepare(DATA);
    await base.validate({ data: DATA });
    for (const _ of [1, 2]) await base.prepare(DATA, { timeoutMs: 9_000 });
    expect(warnings).toHaveLength(1);
  });

  it("are not warned of where they are allowed", async () => {
    const { base, adapter, warnings } = await worker(3n, [started, finishedEvent(1)]);
    await adapter.train({ data: DATA, steps: 1, warmupSteps: 0, allowSpecial: true }).result();
    await base.prepare(DATA, { allowSpecial: true });
    await base.validate({ data: DATA, allowSpecial: true });
    expect(warnings).toEqual([]);
  });
});
