import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  applyNoise,
  type Base,
  customNoise,
  jsonl,
  lad,
  maskOnly,
  type NoiseDraw,
  type Runtime,
  type TrainingEvent,
  type TrainingOptions,
  type TrainingStep,
  workerJsonl,
} from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFiles, collected, EXAMPLES, scratchFolder, startRuntime, untimed } from "./support/stub.js";

const scratch = scratchFolder();
const fast = { data: EXAMPLES, windowTokens: 48, batchSize: 4, warmupSteps: 0, learningRate: 0.05, seed: 3 };

let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(scratch);
  base = await runtime.loadBase("stub");
});

afterAll(() => runtime?.close());

function fresh(): Promise<Adapter> {
  return base.createAdapter({ rank: 4, seed: 7 });
}

function steps(events: readonly TrainingEvent[]): TrainingStep[] {
  return events.filter((event) => event.type === "step");
}

describe("a training run", () => {
  it("tells what became of the data, every step, validations and checkpoints, in order", async () => {
    await using adapter = await fresh();
    const validation = { data: EXAMPLES, everySteps: 2, maxExamples: 4 };
    const events = await collected(
      adapter.train({ ...fast, steps: 5, validation, checkpoint: { name: "told", everySteps: 3 } }),
    );
    expect(events.map((event) => `${event.type} ${"step" in event ? event.step : ""}`.trim())).toEqual([
      "started",
      "validation 0",
      "step 1",
      "step 2",
      "validation 2",
      "step 3",
      "checkpoint 3",
      "step 4",
      "validation 4",
      "step 5",
      "validation 5",
      "checkpoint 5",
      "finished",
    ]);
    const [started] = events;
    expect(started).toMatchObject({
      data: { examples: 11, kept: 10, dropped: 1 },
      trainableParameters: adapter.info.parameterCount,
      fromStep: 0,
    });
    for (const { report, gradientNorm, tokensPerSecond } of steps(events)) {
      expect(report.tokens).toBe(4 * 48);
      expect(report.contentTokens + report.tailTokens).toBe(report.supervisedTokens);
      expect(report.ce).toBeGreaterThan(0);
      expect(gradientNorm).toBeGreaterThan(0);
      expect(tokensPerSecond).toBeGreaterThan(0);
    }
    expect((await adapter.refresh()).steps).toBe(5);
  });

  it("brings the loss on its own data down", async () => {
    await using adapter = await fresh();
    const validation = { data: EXAMPLES };
    const events = await collected(adapter.train({ ...fast, steps: 60, optimizer: "muon", validation }));
    const [before, after] = events.filter((event) => event.type === "validation");
    expect(after?.report.ce).toBeLessThan((before?.report.ce ?? 0) - 0.5);
  });

  it("has as many steps as its epochs need", async () => {
    await using adapter = await fresh();
    const events = await collected(adapter.train({ ...fast, epochs: 2 }));
    expect(steps(events)).toHaveLength(5); // 2 × 10 examples that fit, 4 a step
    expect(steps(events).at(-1)?.epoch).toBe(2);
  });

  it("is the same however its data come", async () => {
    const path = join(scratch, "examples.jsonl");
    writeFileSync(path, EXAMPLES.map((example) => `${JSON.stringify(example)}\n`).join(""));
    const reports: unknown[] = [];
    for (const data of [EXAMPLES, jsonl(path), workerJsonl(path), await runtime.dataset(EXAMPLES)]) {
      await using adapter = await fresh();
      reports.push((await adapter.train({ ...fast, data, steps: 2 }).result()).report);
    }
    expect(new Set(reports.map((report) => JSON.stringify(report))).size).toBe(1);
    expect((await runtime.dataset(jsonl(path))).id).toBe((await runtime.dataset(workerJsonl(path))).id);
  });

  it("goes on by itself when it is detached, and is followed by its id from another connection", async () => {
    await using adapter = await fresh();
    const run = adapter.train({ ...fast, steps: 40, detached: true });
    for await (const event of run) if (event.type === "step") break;
    const { Runtime } = await import("lad");
    await using second = await Runtime.start(runtime.connection);
    const numbered = await collected(second.run(run.runId ?? "").events());
    expect(numbered.map(({ seq }) => seq)).toEqual([...numbered.keys()]);
    expect(numbered.at(-1)?.event.type).toBe("finished");
    expect((await run.result()).steps).toBe(40);
    expect(await second.run(run.runId ?? "").info()).toMatchObject({
      kind: "training",
      state: "finished",
      adapterId: adapter.id,
      nextSeq: numbered.length,
    });
  });

  it("is paused and goes on to the numbers of one that was not", async () => {
    await using paused = await fresh();
    await using whole = await fresh();
    const run = paused.train({ ...fast, steps: 30 });
    const events: TrainingEvent[] = [];
    let bytes = 0;
    for await (const event of run) {
      events.push(event);
      if (event.type === "step" && event.step === 1) await run.pause();
      if (event.type !== "paused") continue;
      const info = await runtime.run(run.runId ?? "").info();
      expect(info.state).toBe("paused");
      bytes = (await paused.refresh()).bytes;
      expect((await runtime.info()).offloadedBytes).toBe(2 * bytes);
      await run.resume();
    }
    expect(bytes).toBe(4 * paused.info.parameterCount);
    const types = events.map(({ type }) => type);
    expect(types.indexOf("resumed")).toBe(types.indexOf("paused") + 1);
    const uninterrupted = await collected(whole.train({ ...fast, steps: 30 }));
    const told = events.filter(({ type }) => type !== "paused" && type !== "resumed");
    expect(untimed(told)).toEqual(untimed(uninterrupted));
    expect(await adapterFiles(paused, scratch)).toEqual(await adapterFiles(whole, scratch));
    await expect(run.pause()).rejects.toMatchObject({ code: "invalid-state", option: "runId" });
    await expect(paused.train({ ...fast, steps: 1 }).pause()).rejects.toMatchObject({
      code: "invalid-state",
    });
  });

  it("of one adapter at a time", async () => {
    await using adapter = await fresh();
    const first = adapter.train({ ...fast, steps: 2000 });
    await first.start();
    await expect(adapter.train({ ...fast, steps: 1 }).result()).rejects.toMatchObject({
      code: "invalid-state",
    });
    await expect(adapter.drop()).rejects.toMatchObject({ code: "invalid-state" });
    await first.cancel();
    await expect(first.result()).rejects.toMatchObject({ code: "cancelled" });
    expect((await adapter.train({ ...fast, steps: 1 }).result()).steps).toBe(1);
  });
});

describe("noise given by the caller", () => {
  const training: TrainingOptions = { ...fast, steps: 4, validation: { data: EXAMPLES } };

  it("that is the method's own makes the same run, number for number", async () => {
    const mine = customNoise((example, { seed, epoch, maskTokenId, vocabSize }: NoiseDraw) =>
      applyNoise(example, lad(), { seed, epoch, maskTokenId, vocabSize }),
    );
    await using here = await fresh();
    await using there = await fresh();
    const events = await collected(here.train({ ...training, noise: mine }));
    expect(untimed(events)).toEqual(untimed(await collected(there.train({ ...training, noise: lad() }))));
    expect(await adapterFiles(here, scratch)).toEqual(await adapterFiles(there, scratch));
  });

  it("may have a t of its own for the 1/t loss", async () => {
    const noise = maskOnly();
    const mine = customNoise((example, draw) => {
      const { ids, time } = applyNoise(example, noise, draw);
      return { ids, time };
    });
    const loss = { supervise: "corrupted-answer-tokens", weighting: "inverse-time" } as const;
    await using here = await fresh();
    await using there = await fresh();
    const [mineEnd, end] = [
      await here.train({ ...fast, steps: 3, loss, noise: mine }).result(),
      await there.train({ ...fast, steps: 3, loss, noise }).result(),
    ];
    expect(mineEnd.report).toEqual(end.report);
  });

  it("draws numbers that depend on seed, example and epoch alone", async () => {
    const seen = new Map<string, number>();
    const noise = customNoise((example, { epoch, uniforms }) => {
      const [number = 0] = uniforms(1);
      seen.set(`${example.id} ${epoch}`, number);
      return { ids: example.ids };
    });
    await using adapter = await fresh();
    await adapter.train({ ...fast, noise, epochs: 2 }).result();
    const first = new Map(seen);
    expect(first.size).toBe(20);
    expect(new Set(first.values()).size).toBe(20);
    seen.clear();
    await using again = await fresh();
    await again.train({ ...fast, noise, epochs: 2, batchSize: 3, steps: undefined }).result();
    for (const [key, number] of seen) if (first.has(key)) expect(number).toBe(first.get(key));
  });

  it("is refused when what it gives is not an input", async () => {
    await using adapter = await fresh();
    const short = customNoise(({ ids }) => ({ ids: ids.slice(1) }));
    await expect(adapter.train({ ...training, noise: short }).result()).rejects.toThrow(
      /gave 47 ids for an example of 48/,
    );
    const strange = customNoise(({ ids }) => ({ ids: ids.map(() => 100_000) }));
    await expect(adapter.train({ ...training, noise: strange }).result()).rejects.toThrow(/no token id/);
  });

  it("ends with the loop that is left, between two steps", async () => {
    await using adapter = await fresh();
    const noise = customNoise(({ ids }) => ({ ids }));
    for await (const event of adapter.train({ ...fast, noise, steps: 100 })) {
      if (event.type === "step" && event.step === 2) break;
    }
    expect((await adapter.refresh()).steps).toBe(2);
    const { gradientNorm } = await adapter.optimStep({ learningRate: 0 });
    expect(gradientNorm).toBe(0); // no gradient was left over
  });

  it("writes checkpoints like any other", async () => {
    await using adapter = await fresh();
    const noise = customNoise(({ ids }) => ({ ids }));
    const events = await collected(adapter.train({ ...fast, noise, steps: 3, checkpoint: { name: "mine" } }));
    expect(events.filter(({ type }) => type === "checkpoint")).toHaveLength(1);
    await using loaded = await base.loadCheckpoint("mine");
    expect(loaded.info.steps).toBe(3);
    expect(await adapterFiles(loaded, scratch)).toEqual(await adapterFiles(adapter, scratch));
  });
});

describe("validation", () => {
  it("is the same whenever it is asked for, and the base's own where B is still 0", async () => {
    const options = { data: EXAMPLES, windowTokens: 48, seed: 5 };
    await using adapter = await fresh();
    const first = await adapter.validate(options);
    expect(first.data.kept).toBe(10);
    expect(await adapter.validate(options)).toEqual(first);
    expect((await base.validate(options)).report.ce).toBeCloseTo(first.report.ce, 6);
    expect((await adapter.validate({ ...options, seed: 6 })).report.corruptedTokens).not.toBe(
      first.report.corruptedTokens,
    );
    expect((await adapter.validate({ ...options, maxExamples: 3 })).report.tokens).toBe(3 * 48);
  });
});

describe("a checkpoint", () => {
  it("brings back the adapter with its optimizer", async () => {
    await using adapter = await fresh();
    await adapter.train({ ...fast, steps: 3 }).result();
    expect(await adapter.checkpoint("by-hand")).toMatch(/^[0-9a-f]{64}$/);
    await using loaded = await base.loadCheckpoint("by-hand");
    expect(loaded.info).toMatchObject({ steps: 3, rank: 4, lastSequence: 0 });
    const row = { data: EXAMPLES, windowTokens: 48, rows: [1] };
    for (const each of [adapter, loaded]) {
      await each.forwardBackward(row);
      await each.optimStep({ learningRate: 0.01 });
    }
    expect(await adapterFiles(loaded, scratch)).toEqual(await adapterFiles(adapter, scratch));
  });
});
