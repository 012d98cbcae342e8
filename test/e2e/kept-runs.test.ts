import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Adapter, NumberedEvent, Runtime, TrainingEvent, TrainingFinished, TrainingOptions } from "lad";
import { afterAll, describe, expect, it } from "vitest";
import { adapterFiles, collected, EXAMPLES, scratchFolder, startRuntime, untimed } from "./support/stub.js";

const scratch = scratchFolder();
/** Steps of an example each, so that one is over soon; validated and saved as they come. */
const training: TrainingOptions = {
  data: EXAMPLES,
  windowTokens: 48,
  batchSize: 2,
  warmupSteps: 0,
  learningRate: 0.05,
  seed: 3,
  steps: 100,
  validation: { data: EXAMPLES, everySteps: 5, maxExamples: 2 },
  checkpoint: { name: "kept", everySteps: 10 },
};

async function freshAdapter(runtime: Runtime, seed = 7): Promise<Adapter> {
  return (await runtime.loadBase("stub")).createAdapter({ rank: 4, seed, dropout: 0.1 });
}

/** Starts a run, and kills its worker with SIGKILL after a step; returns the run's id and the numbers of what was told. */
async function killedAt(
  state: string,
  step: number,
  options: TrainingOptions = training,
  prepare: (runtime: Runtime, adapter: Adapter) => Promise<void> = async () => {},
): Promise<{ runId: string; told: TrainingEvent[] }> {
  const runtime = await startRuntime(state);
  const adapter = await freshAdapter(runtime);
  await prepare(runtime, adapter);
  const run = adapter.train(options);
  const told: TrainingEvent[] = [];
  try {
    for await (const event of run) {
      told.push(event);
      if (event.type === "step" && event.step === step) process.kill(runtime.workerPid as number, "SIGKILL");
    }
  } catch (error) {
    expect(error).toMatchObject({ code: "worker-died" });
  }
  await runtime.close();
  return { runId: run.runId ?? "", told };
}

interface Trained {
  readonly events: TrainingEvent[];
  readonly files: Record<string, string>;
  readonly checkpoints: Record<string, string>;
  readonly metrics: Record<string, unknown>[];
}

let whole: Promise<Trained> | undefined;

/** What `training` comes to when nothing interrupts it; computed once. */
function uninterruptedTraining(): Promise<Trained> {
  whole ??= uninterrupted(training);
  return whole;
}

const undisturbed = join(scratch, "undisturbed");
let runtimeOfWholes: Promise<Runtime> | undefined;
afterAll(async () => (await runtimeOfWholes)?.close());

/** What a run comes to on a worker that nothing happens to. */
async function uninterrupted(options: TrainingOptions): Promise<Trained> {
  runtimeOfWholes ??= startRuntime(undisturbed);
  const runtime = await runtimeOfWholes;
  const adapter = await freshAdapter(runtime);
  const run = adapter.train(options);
  const events = await collected(run);
  const { metricsPath } = await runtime.run(run.runId ?? "").info();
  const trained = {
    events,
    files: await adapterFiles(adapter, scratch),
    checkpoints: checkpointFiles(undisturbed),
    metrics: metricsIn(metricsPath),
  };
  const { checkpoint, validation } = options;
  for (const kept of [checkpoint?.name, validation?.keepBest]) {
    if (typeof kept === "string") await runtime.deleteCheckpoint(kept); // the next run has its name
  }
  return trained;
}

/** The digest of every file of every checkpoint. */
function checkpointFiles(state: string): Record<string, string> {
  const root = join(state, "checkpoints");
  if (!existsSync(root)) return {};
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    paths.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length), createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

function metricsIn(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const {
      seconds: _,
      tokensPerSecond: __,
      time: ___,
      ...rest
    } = JSON.parse(line) as Record<string, unknown>;
    return rest;
  });
}

/** What a log tells of the training itself. */
function trained(events: readonly NumberedEvent[]) {
  const told = events.map(({ event }) => event as TrainingEvent);
  return untimed(told.filter(({ type }) => type !== "started" && type !== "resumed"));
}

async function afterResume(runtime: Runtime, state: string, runId: string) {
  const run = runtime.run(runId);
  const events = await collected(run.events());
  const info = await run.info();
  const adapter = await runtime.adapter(info.adapterId);
  return {
    events,
    info,
    files: await adapterFiles(adapter, scratch),
    checkpoints: checkpointFiles(state),
    metrics: metricsIn(info.metricsPath),
  };
}

describe("a run whose worker was killed", () => {
  it("is listed by the next worker, read from any event, and resumed by its id to the same bits", async () => {
    const state = join(scratch, "by-hand");
    const { runId, told } = await killedAt(state, 27);
    const whole = await uninterruptedTraining();
    await using runtime = await startRuntime(state);

    const [listed, ...others] = await runtime.runs();
    expect(others).toEqual([]);
    expect(listed).toMatchObject({
      id: runId,
      kind: "training",
      state: "interrupted",
      baseName: "stub",
      checkpoint: "kept",
      totalSteps: 100,
      error: undefined,
    });
    expect(listed?.steps).toBeGreaterThanOrEqual(20);
    expect(Math.abs((listed?.created.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
    const run = runtime.run(runId);
    const before = await collected(run.events());
    expect(before.map(({ seq }) => seq)).toEqual([...before.keys()]);
    expect(before.at(-1)?.event).toEqual({ type: "interrupted", steps: listed?.steps });
    const common = Math.min(told.length, before.length - 1); // the last moment before the kill may be lost
    expect(before.slice(0, common).map(({ event }) => event)).toEqual(told.slice(0, common));
    expect((await collected(run.events({ fromSeq: 5 }))).slice(0, -1)).toEqual(before.slice(5, -1));

    await run.resume();
    await run.resume(); // it goes on already
    const { events, info, ...result } = await afterResume(runtime, state, runId);
    const resumed = events.findIndex(({ event }) => event.type === "resumed");
    const { event } = events[resumed] as NumberedEvent;
    const from = event.type === "resumed" ? event.steps : -1;
    expect(from).toBeGreaterThanOrEqual(20);
    expect(from % 10).toBe(0);
    expect(events[resumed]?.seq).toBeGreaterThan(before.at(-1)?.seq ?? 0);
    expect(events[resumed + 1]?.event).toMatchObject({ type: "started", fromStep: from });
    expect(events.slice(0, resumed)).toEqual(before.slice(0, resumed));
    expect(trained(events)).toEqual(untimed(whole.events.filter(({ type }) => type !== "started")));
    expect(info).toMatchObject({ state: "finished", steps: 100 });
    expect(result).toEqual({ files: whole.files, checkpoints: whole.checkpoints, metrics: whole.metrics });
  });

  it("goes on by itself where the worker is told to resume runs", async () => {
    const state = join(scratch, "by-itself");
    const { runId } = await killedAt(state, 27);
    const whole = await uninterruptedTraining();
    await using runtime = await startRuntime(state, { resumeRuns: true });
    const live = await collected(runtime.run(runId).events());
    expect(live.map(({ event }) => event.type)).toContain("resumed");
    expect(live.at(-1)?.event.type).toBe("finished");
    const { events, info, ...result } = await afterResume(runtime, state, runId);
    expect(info.state).toBe("finished");
    expect(trained(events)).toEqual(untimed(whole.events.filter(({ type }) => type !== "started")));
    expect(result).toEqual({ files: whole.files, checkpoints: whole.checkpoints, metrics: whole.metrics });
  });

  it("ends at the same step with the same best as one that was never interrupted", async () => {
    const options: TrainingOptions = {
      ...training,
      decay: "constant",
      validation: {
        data: EXAMPLES,
        everySteps: 2,
        maxExamples: 4,
        keepBest: "kept-best",
        patience: 5,
        restoreBest: true,
      },
    };
    const whole = await uninterrupted(options);
    const end = whole.events.at(-1) as TrainingFinished;
    expect(end).toMatchObject({ stopped: "early", best: { checkpoint: "kept-best" } });
    const best = end.best?.step ?? 0;
    expect(best).toBeGreaterThan(10); // the run's own checkpoint of step 10 knows another
    const state = join(scratch, "best");
    const { runId } = await killedAt(state, best + 1, options);
    await using runtime = await startRuntime(state, { resumeRuns: true });
    await collected(runtime.run(runId).events());
    const { events, info, ...result } = await afterResume(runtime, state, runId);
    expect(info).toMatchObject({ state: "finished", steps: end.steps });
    expect(trained(events)).toEqual(untimed(whole.events.filter(({ type }) => type !== "started")));
    expect(result).toEqual({ files: whole.files, checkpoints: whole.checkpoints, metrics: whole.metrics });
    expect(result.metrics.at(-1)).toMatchObject({ bestStep: best, bestCe: end.best?.ce });
  });

  it("begins again where it has no checkpoint and its adapter was new", async () => {
    const options = { ...training, checkpoint: undefined, steps: 300 }; // far more than are taken before the kill
    const state = join(scratch, "from-0");
    const { runId } = await killedAt(state, 8, options);
    const whole = await uninterrupted(options);
    await using runtime = await startRuntime(state);
    await runtime.run(runId).resume();
    const again = await collected(runtime.run(runId).events());
    expect(again[0]?.event).toEqual({ type: "resumed", steps: 0 });
    expect(trained(again)).toEqual(untimed(whole.events.filter(({ type }) => type !== "started")));
    const info = await runtime.run(runId).info();
    expect(await adapterFiles(await runtime.adapter(info.adapterId), scratch)).toEqual(whole.files);
  });

  it("is refused, and stays as it is, where it would not be the same run", async () => {
    const state = join(scratch, "refused");
    const options = { ...training, checkpoint: undefined, steps: 100_000 };
    const { runId } = await killedAt(state, 3, options, async (_, adapter) => {
      await adapter.train({ ...options, steps: 1 }).result();
    });
    await using runtime = await startRuntime(state);
    const run = runtime.run(runId);
    await expect(run.resume()).rejects.toMatchObject({
      code: "invalid-state",
      option: "runId",
      value: runId,
    });
    await expect(run.resume()).rejects.toThrow(/no checkpoint.*checkpoint: \{ name, everySteps \}/);
    expect(await run.info()).toMatchObject({ state: "interrupted", error: { code: "invalid-state" } });
    expect((await collected(run.events())).at(-1)?.event.type).toBe("interrupted");
    expect((await runtime.info()).adapters).toEqual([]);
    expect((await runtime.runs()).map(({ state }) => state)).toEqual(["finished", "interrupted"]);
    await runtime.deleteRun(runId);
    await expect(run.info()).rejects.toMatchObject({ code: "not-found" });
    expect(existsSync(join(state, "runs", runId))).toBe(false);
    expect(await runtime.runs()).toHaveLength(1);
  });
});

describe("a run that its worker's end has stopped", () => {
  it("is interrupted after its checkpoint, and resumed to the same bits", async () => {
    const state = join(scratch, "stopped");
    const first = await startRuntime(state);
    const run = (await freshAdapter(first)).train({
      ...training,
      checkpoint: { name: "kept" },
      steps: 200,
      tensorboard: true,
      detached: true,
    });
    for await (const event of run) if (event.type === "step" && event.step === 5) break;
    await first.close();
    const whole = await uninterrupted({ ...training, checkpoint: undefined, steps: 200 });
    await using second = await startRuntime(state);
    const [left] = await second.runs();
    expect(left).toMatchObject({ id: run.runId, state: "interrupted" });
    expect(left?.steps).toBeGreaterThanOrEqual(5);
    expect(left?.steps).toBeLessThan(200);
    await second.run(run.runId ?? "").resume();
    const { files, info, metrics } = await afterResume(second, state, run.runId ?? "");
    const beside = readdirSync(dirname(info.metricsPath));
    expect(beside.filter((name) => name.includes("tfevents"))).toHaveLength(2); // one of each worker
    expect(files).toEqual(whole.files);
    expect(metrics).toEqual(whole.metrics);
  });

  it("is not interrupted where its client had cancelled it", async () => {
    const state = join(scratch, "cancelled");
    const first = await startRuntime(state);
    const run = (await freshAdapter(first)).train({ ...training, steps: 100_000 });
    await run.start();
    await run.cancel();
    await first.close();
    await using second = await startRuntime(state, { resumeRuns: true });
    expect(await second.runs()).toMatchObject([{ state: "cancelled" }]);
    await second.run(run.runId ?? "").resume();
    expect((await second.runs())[0]?.state).toBe("cancelled");
  });
});

describe("a sampling run of an earlier worker", () => {
  it("is kept with its answers, without frames, and not resumed", async () => {
    const state = join(scratch, "sampled");
    const first = await startRuntime(state);
    const base = await first.loadBase("stub");
    const adapter = await base.createAdapter({ rank: 2, seed: 1 });
    const run = adapter.sample({ messages: "Say abc.", answerTokens: 4, policy: "refine" });
    const answer = await run.result();
    const endless = adapter.sample({
      messages: "Say abcabc.",
      answerTokens: 64,
      policy: { kind: "refine", iterations: 100_000 },
    });
    await endless.start();
    await first.close();
    await using second = await startRuntime(state);
    const [done, left] = await second.runs();
    expect(done).toMatchObject({
      id: run.runId,
      kind: "sampling",
      state: "finished",
      metricsPath: "",
      steps: 0,
    });
    const events = (await collected(second.run(run.runId ?? "").events())).map(({ event }) => event);
    expect(events.map(({ type }) => type)).toEqual(["answer", "sampled"]);
    expect(events[0]).toMatchObject({ text: answer.text, ids: answer.ids });
    expect(left?.state).toBe("interrupted");
    await expect(second.run(left?.id ?? "").resume()).rejects.toThrow(
      /is a sampling run: it cannot be resumed/,
    );
  });
});

describe("the record of runs", () => {
  it("that is damaged ends the start with the file's name and what to do", async () => {
    const state = join(scratch, "damaged");
    const first = await startRuntime(state);
    await (await freshAdapter(first)).train({ ...training, steps: 2 }).result();
    await first.close();
    const file = join(state, "runs.sqlite");
    const whole = readFileSync(file);
    truncateSync(file, 6000);
    const error: unknown = await startRuntime(state).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "worker-start-failed", exitCode: 1 });
    expect(String(error)).toMatch(/The record of runs .*runs\.sqlite is damaged/);
    expect(String(error)).toContain("Move the file away");
    writeFileSync(file, whole);
    await using again = await startRuntime(state);
    expect(await again.runs()).toHaveLength(1);
  });

  it("holds no hub token", async () => {
    const state = join(scratch, "secret");
    const runtime = await startRuntime(state);
    const token = "hf_averysecrettokenindeed";
    const base = await runtime.loadBase("stub", { hubToken: token });
    const adapter = await base.createAdapter({ rank: 2, seed: 1 });
    await adapter.train({ ...training, steps: 1 }).result();
    await runtime.close();
    const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(3);
    for (const entry of files) {
      expect(readFileSync(join(entry.parentPath, entry.name)).includes(token), entry.name).toBe(false);
    }
  });
});
