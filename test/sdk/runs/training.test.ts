import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import type { TrainingEvent, TrainingOptions } from "../../../sdk/src/index.js";
import { AdaptersService, DataService, RunsService, TrainingService } from "../../../sdk/src/wire.js";
import { finishedEvent, startedEvent, stepEvent, stubWorker } from "../support/stub-worker.js";

const data = [{ instruction: "a", output: "b" }];
const script = [stepEvent(1), stepEvent(2), finishedEvent(2)];

async function training(events = script, options: Partial<TrainingOptions> = {}) {
  const worker = await stubWorker(events);
  const run = worker.adapter.train({ data, steps: 2, warmupSteps: 0, ...options });
  return { ...worker, run };
}

async function typesOf(events: AsyncIterable<TrainingEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  return types;
}

describe("a training run", () => {
  it("is not begun before anybody reads it", async () => {
    const { transport, run } = await training();
    expect(transport.requestsOf(TrainingService.startTraining)).toHaveLength(0);
    expect(run.runId).toBeUndefined();
    await run.result();
    expect(transport.requestsOf(TrainingService.startTraining)).toHaveLength(1);
    expect(run.runId).toBe("run-1");
  });

  it("gives its events, typed, and then its result", async () => {
    const { run, cancelled } = await training();
    const losses: number[] = [];
    for await (const event of run) {
      if (event.type === "step") losses.push(event.report.loss);
    }
    expect(losses).toEqual([9, 8]);
    expect(await run.result()).toMatchObject({ type: "finished", steps: 2, seconds: 2 });
    expect(cancelled).toEqual([]);
  });

  it("gives its result without being iterated over, and without following it twice", async () => {
    const { run, transport } = await training();
    await run.result();
    await run.result();
    expect(transport.requestsOf(RunsService.streamEvents)).toHaveLength(1);
  });

  it("is cancelled when its loop is left early, after which it has no result", async () => {
    const { run, cancelled } = await training();
    for await (const _ of run) break;
    expect(cancelled).toEqual(["run-1"]);
    await expect(run.result()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("goes on when its loop is left early and it is detached", async () => {
    const { run, cancelled } = await training(script, { detached: true });
    for await (const _ of run) break;
    expect(cancelled).toEqual([]);
    expect(await run.result()).toMatchObject({ steps: 2 });
  });

  it("is cancelled when the loop's body throws", async () => {
    const { run, cancelled } = await training();
    const failing = async () => {
      for await (const _ of run) throw new Error("mine");
    };
    await expect(failing()).rejects.toThrow("mine");
    expect(cancelled).toEqual(["run-1"]);
  });

  it("is cancelled by its signal", async () => {
    const abort = new AbortController();
    const { run, cancelled } = await training(script, { signal: abort.signal });
    const reading = async () => {
      for await (const _ of run) abort.abort("enough");
    };
    await expect(reading()).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
    expect(cancelled).toEqual(["run-1"]);
  });

  it("never starts with a signal that is aborted, or once it is cancelled", async () => {
    const aborted = await training(script, { signal: AbortSignal.abort() });
    await expect(aborted.run.result()).rejects.toMatchObject({ code: "cancelled" });
    const early = await training();
    await early.run.cancel();
    await expect(early.run.result()).rejects.toMatchObject({ code: "cancelled" });
    expect(early.transport.requestsOf(TrainingService.startTraining)).toHaveLength(0);
  });

  it("whose worker ended is unavailable until it is resumed, and is not cancelled", async () => {
    const interrupted = { $case: "interrupted" as const, value: { steps: 1n } };
    const { runtime, run, cancelled } = await training([stepEvent(1), interrupted]);
    await expect(typesOf(run)).rejects.toMatchObject({ code: "unavailable" });
    await expect(run.result()).rejects.toThrow(/run-1 was interrupted.*runtime\.run\(id\)\.resume\(\)/);
    expect(cancelled).toEqual([]);
    const events: unknown[] = [];
    for await (const { event } of runtime.run("run-1").events()) events.push(event);
    expect(events.at(-1)).toEqual({ type: "interrupted", steps: 1 });
  });

  it("fails with the worker's own error", async () => {
    const detail = {
      code: "diverged",
      message: "The loss is NaN.",
      option: "",
      value: "",
      remedy: "Lower it.",
      retryAfterMs: 0,
    };
    const { run, cancelled } = await training([stepEvent(1), { $case: "failed", value: detail }]);
    await expect(typesOf(run)).rejects.toMatchObject({ code: "diverged", remedy: "Lower it." });
    await expect(run.result()).rejects.toMatchObject({ code: "diverged" });
    expect(cancelled).toEqual([]);
  });

  it("goes on after the last event that came when the connection breaks", async () => {
    const { run, transport } = await training();
    let opened = 0;
    transport.onStream(RunsService.streamEvents, async function* ({ fromSeq }) {
      const from = Number(fromSeq);
      yield { seq: BigInt(from), time: 0, event: script[from] };
      if (++opened < 3) throw new LadError("unavailable", "gone for a moment.");
    });
    expect(await typesOf(run)).toEqual(["step", "step", "finished"]);
    expect(transport.requestsOf(RunsService.streamEvents).map(({ fromSeq }) => fromSeq)).toEqual([
      0n,
      1n,
      2n,
    ]);
  });

  it("says once, as a warning and in its first event, what the worker has to tell", async () => {
    const { run, warnings } = await training([startedEvent(["Other kernels."]), ...script]);
    for await (const event of run) {
      if (event.type === "started")
        expect(event).toMatchObject({ fromStep: 1, warnings: ["Other kernels."] });
    }
    await run.result();
    expect(warnings).toEqual(["Other kernels."]);
  });

  it("is an error when its events end before it does", async () => {
    const { run } = await training([stepEvent(1)]);
    await expect(typesOf(run)).rejects.toMatchObject({ code: "unavailable" });
  }, 20_000);
});

describe("what a run is started with", () => {
  it("is a complete specification", async () => {
    const { run, transport } = await training(script, {
      noise: "mask-only",
      optimizer: "muon",
      validation: { data },
    });
    await run.result();
    const [request] = transport.requestsOf(TrainingService.startTraining);
    expect(request?.spec).toMatchObject({
      window: { window: 256, padToWindow: true },
      noise: { kind: { $case: "maskOnly", value: { tailNoise: true, minTime: 1e-3 } } },
      optimizer: { weightDecay: 0.01, momentum: 0.95, beta1: 0.9, newtonSchulzSteps: 5 },
      schedule: { learningRate: 1e-2, warmupSteps: 0 },
      steps: 2,
      batchSize: 8,
      maxGradientNorm: 0.5,
      checkpoint: "",
      validation: { maxExamples: 0, everySteps: 0 },
    });
  });

  it("has what its validations are to bring about", async () => {
    const { run, transport } = await training(script, {
      validation: { data, everySteps: 1, keepBest: "best", patience: 3, minDelta: 0.5, restoreBest: true },
    });
    await run.result();
    expect(transport.requestsOf(TrainingService.startTraining)[0]?.spec?.validation).toMatchObject({
      keepBest: "best",
      overwriteBest: false,
      patience: 3,
      minDelta: 0.5,
      restoreBest: true,
    });
  });

  it.each([
    [{ restoreBest: true }, "validation.restoreBest is true: no checkpoint keeps the best"],
    [{ patience: 2 }, "validation.patience is 2: the run validates only before its first step"],
    [{ keepBest: { name: "own" } }, "validation.keepBest is own: the run's own checkpoint has that name"],
    [{ keepBest: "no name" }, "validation.keepBest is no name: it must be 1 to 64 letters"],
    [{ everySteps: 1, patience: 1, minDelta: -1 }, "validation.minDelta is -1"],
  ])("cannot be a validation of %j", async (options, message) => {
    const starting = training(script, { validation: { data, ...options }, checkpoint: { name: "own" } });
    await expect(starting).rejects.toThrow(message);
  });

  it("is warned of when an improvement's size has no meaning", async () => {
    const { run, warnings } = await training(script, { validation: { data, minDelta: 0.5 } });
    await run.result();
    expect(warnings).toEqual([expect.stringContaining("validation.minDelta is ignored")]);
  });

  it("has as many steps as its epochs need", async () => {
    const { run, transport } = await training(script, { steps: undefined, epochs: 3, batchSize: 4 });
    const report = {
      examples: 11n,
      kept: 10n,
      dropped: 1n,
      truncated: 0n,
      promptTokens: 0n,
      answerTokens: 0n,
      tailTokens: 0n,
      specialTokens: 0n,
      maskTokens: 0n,
      endToken: "[EOS]",
      endTokenId: 0,
    };
    transport.onCall(DataService.prepareDataset, () => ({ report }));
    await run.result();
    expect(transport.requestsOf(TrainingService.startTraining)[0]?.spec?.steps).toBe(8);
  });

  it("is warned of when its warm-up never ends", async () => {
    const { run, warnings } = await training(script, { warmupSteps: 100 });
    await run.result();
    expect(warnings).toEqual([expect.stringContaining("never reaches its peak")]);
  });
});

describe("a run by its id", () => {
  it("is followed from any event on, and left without being cancelled", async () => {
    const { runtime, cancelled } = await training();
    const seen: number[] = [];
    for await (const { seq } of runtime.run("run-1").events({ fromSeq: 1 })) {
      seen.push(seq);
      if (seq === 1) break;
    }
    expect(seen).toEqual([1]);
    expect(cancelled).toEqual([]);
  });

  it("is cancelled on request", async () => {
    const { runtime, cancelled } = await training();
    await runtime.run("run-1").cancel();
    expect(cancelled).toEqual(["run-1"]);
  });
});

describe("a training run that saves its adapter", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lad-save-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function saving(save: TrainingOptions["save"]) {
    const made = await training(script, { save });
    made.transport.onStream(AdaptersService.downloadAdapter, async function* () {
      yield { piece: { name: "adapter_config.json", data: Buffer.from("{}") } };
    });
    return made;
  }

  it("has written it when its end is read, once, and not before", async () => {
    const { run, transport } = await saving(join(folder, "new/adapter"));
    for await (const { type } of run) {
      expect(existsSync(join(folder, "new/adapter"))).toBe(type === "finished");
    }
    await run.result();
    expect(readFileSync(join(folder, "new/adapter/adapter_config.json"), "utf8")).toBe("{}");
    expect(readdirSync(join(folder, "new"))).toEqual(["adapter"]);
    expect(transport.requestsOf(AdaptersService.downloadAdapter)).toHaveLength(1);
  });

  it("has written it when its result is there", async () => {
    const { run } = await saving({ folder: join(folder, "adapter") });
    await run.result();
    expect(readdirSync(folder)).toEqual(["adapter"]);
  });

  it.each([
    ["exists", () => folder, "already-exists"],
    ["lies below a file", () => join(folder, "file/adapter"), "storage"],
    ["cannot be made", () => "/proc/x/adapter", "storage"],
  ])("is refused before it takes a step if the folder %s", async (_, path, code) => {
    writeFileSync(join(folder, "file"), "");
    const { run, transport } = await saving(path());
    await expect(run.result()).rejects.toMatchObject({ code, option: "folder" });
    expect(transport.requestsOf(TrainingService.startTraining)).toHaveLength(0);
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("does not write over what is no adapter's, and over an adapter only if it may", async () => {
    writeFileSync(join(folder, "adapter_config.json"), "old");
    await expect((await saving({ folder })).run.result()).rejects.toMatchObject({ code: "already-exists" });
    await (await saving({ folder, overwrite: true })).run.result();
    expect(readFileSync(join(folder, "adapter_config.json"), "utf8")).toBe("{}");
  });
});
