import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { LadError } from "../../../sdk/src/errors.js";
import { AdaptersService, RunsService, TrainingService } from "../../../sdk/src/wire.js";
import { finishedEvent, samplingRequests, stepEvent, stubWorker } from "../support/stub-worker.js";

const data = [{ instruction: "a", output: "b" }];
const training = { data, steps: 2, warmupSteps: 0 };
const never = () => new Promise<never>(() => {});

async function makingWorker() {
  const dropped: string[] = [];
  const worker = await stubWorker([stepEvent(1), finishedEvent(1)]);
  worker.transport.onCall(AdaptersService.dropAdapter, ({ adapterId }) => {
    dropped.push(adapterId);
    return {};
  });
  return { ...worker, dropped };
}

describe("a call that makes an adapter", () => {
  it("is sent again under the same id where the connection broke", async () => {
    const { base, transport, dropped } = await makingWorker();
    let tries = 0;
    transport.onCall(AdaptersService.createAdapter, ({ adapterId, spec }) => {
      if (++tries < 3) throw new LadError("unavailable", "gone for a moment.");
      const numbers = { parameterCount: 5n, bytes: 20n, steps: 0n, lastSequence: 0n };
      return { adapter: { id: adapterId, baseId: "base-1", spec, ...numbers } };
    });
    const adapter = await base.createAdapter({ rank: 4 });
    const ids = transport.requestsOf(AdaptersService.createAdapter).map(({ adapterId }) => adapterId);
    expect(ids.slice(-3)).toEqual([adapter.id, adapter.id, adapter.id]);
    expect(dropped).toEqual([]);
  });

  it.each(["create", "load", "snapshot"] as const)("is taken back when it is aborted: %s", async (call) => {
    const { base, adapter, transport, dropped } = await makingWorker();
    transport.onCall(AdaptersService.createAdapter, never);
    transport.onCall(AdaptersService.loadCheckpoint, never);
    transport.onCall(AdaptersService.snapshotAdapter, never);
    const abort = new AbortController();
    const { signal } = abort;
    const made = {
      create: () => base.createAdapter({ rank: 4, signal }),
      load: () => base.loadCheckpoint("best", { signal }),
      snapshot: () => adapter.snapshot({ signal }),
    }[call]();
    const before = transport.calls.length;
    await sleep(1);
    abort.abort("enough");
    await expect(made).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
    const sent = transport.calls[before - 1]?.request as { adapterId: string; snapshotId?: string };
    expect(dropped).toEqual([sent.snapshotId ?? sent.adapterId]);
  });

  it("is not sent at all with a signal that is aborted, and not taken back when it is refused", async () => {
    const { base, transport, dropped } = await makingWorker();
    const calls = transport.calls.length;
    const signal = AbortSignal.abort();
    await expect(base.createAdapter({ rank: 4, signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(transport.calls).toHaveLength(calls);
    transport.onCall(AdaptersService.createAdapter, () => {
      throw new LadError("out-of-memory", "full.");
    });
    await expect(base.createAdapter({ rank: 4 })).rejects.toMatchObject({ code: "out-of-memory" });
    expect(dropped).toEqual([]);
  });

  it("rejects soon, however long taking it back takes", async () => {
    const { base, transport } = await makingWorker();
    transport.onCall(AdaptersService.createAdapter, never);
    transport.onCall(AdaptersService.dropAdapter, never);
    const started = performance.now();
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    await expect(base.createAdapter({ rank: 4, signal: abort.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("a run", () => {
  it("is cancelled under the id that it was to have when its start is aborted", async () => {
    const { adapter, transport, cancelled } = await makingWorker();
    transport.onCall(TrainingService.startTraining, never);
    // biome-ignore lint/correctness/useYield: it never replies
    transport.onStream(RunsService.sample, async function* () {
      await never();
    });
    const abort = new AbortController();
    const { signal } = abort;
    const runs = [adapter.train({ ...training, signal }), adapter.sample({ messages: "a", signal })];
    const results = runs.map((run) => run.result());
    await vi.waitFor(() => {
      expect(transport.requestsOf(TrainingService.startTraining)).toHaveLength(1);
      expect(samplingRequests(transport)).toHaveLength(1);
    });
    abort.abort();
    for (const result of results) await expect(result).rejects.toMatchObject({ code: "cancelled" });
    expect(new Set(cancelled)).toEqual(new Set(runs.map(({ runId }) => runId)));
    expect(cancelled[0]).toMatch(/^run-[0-9a-f]{12}$/);
  });

  it("that is cancelled while it is being started never starts, and does not wait for its start", async () => {
    const { adapter, transport, cancelled } = await makingWorker();
    transport.onCall(TrainingService.startTraining, never);
    const run = adapter.train(training);
    const started = run.start();
    started.catch(() => {});
    await vi.waitFor(() => expect(transport.requestsOf(TrainingService.startTraining)).toHaveLength(1));
    await run.cancel();
    await expect(started).rejects.toMatchObject({ code: "cancelled" });
    expect(cancelled).toEqual([run.runId]);
  });

  it("that was started is cancelled by its signal though nobody reads it, unless it is detached", async () => {
    for (const detached of [false, true]) {
      const { adapter, cancelled } = await makingWorker();
      const abort = new AbortController();
      const run = adapter.train({ ...training, detached, signal: abort.signal });
      const id = await run.start();
      abort.abort();
      await sleep(10);
      expect(cancelled).toEqual(detached ? [] : [id]);
    }
  });

  it("is waited for when its loop is left", async () => {
    const { adapter, transport } = await makingWorker();
    let ended = false;
    transport.onCall(RunsService.cancelRun, async ({ wait }) => {
      await sleep(50);
      ended = wait;
      return { run: undefined };
    });
    for await (const _ of adapter.train(training)) break;
    expect(ended).toBe(true);
  });

  it("that is followed on a worker of somebody else's is cancelled when the runtime is closed", async () => {
    const { adapter, runtime, transport, cancelled } = await makingWorker();
    transport.onStream(RunsService.streamEvents, async function* () {
      yield { seq: 0n, time: 0, event: stepEvent(1) };
      await never();
    });
    const [read, detached] = [adapter.train(training), adapter.train({ ...training, detached: true })];
    const iterators = [read, detached].map((run) => run[Symbol.asyncIterator]());
    for (const iterator of iterators) await iterator.next();
    const pending = iterators.map((iterator) => iterator.next().catch((error: unknown) => error));
    await runtime.close();
    expect(cancelled).toEqual([read.runId]);
    for (const error of await Promise.all(pending)) expect(error).toMatchObject({ code: "unavailable" });
  });
});
