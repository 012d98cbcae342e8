/** Runs that end before what they used is disposed of: on a real worker, with steps that are long beside everything else. */
import { type Adapter, type Base, customNoise, Runtime, remask, type TrainingOptions } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(`${scratch}/state`);
  base = await runtime.loadBase("stub");
});
afterAll(() => runtime.close());

const TIMES = 20;
const endless: TrainingOptions = {
  data: EXAMPLES,
  windowTokens: 48,
  warmupSteps: 0,
  batchSize: 40,
  microBatchTokens: 480,
  steps: 1_000_000,
};
const settings = { answerTokens: 8, policy: remask({ iterations: 1000, earlyStop: false }) };
const question = { ...settings, messages: "Say abc." };
const questions = { ...settings, canvases: Array.from({ length: 20 }, () => ({ messages: "Say abc." })) };

async function first(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events) break;
}

/** What is left once everything has been disposed of. */
async function left(of: Runtime = runtime): Promise<{ adapters: string[]; running: string[] }> {
  const { adapters } = await of.info();
  const running = (await of.runs()).filter(({ state }) => state !== "cancelled" && state !== "finished");
  return { adapters: adapters.map(({ id }) => id), running: running.map(({ id }) => id) };
}

const nothing = { adapters: [], running: [] };

/** Each ends what it begins in a way of its own, without waiting for anything else. */
const endings: Record<string, (adapter: Adapter) => Promise<unknown>> = {
  "its loop is left": (adapter) => first(adapter.train(endless)),
  "it is cancelled": async (adapter) => {
    const run = adapter.train(endless);
    await run.start();
    await run.cancel();
  },
  "it is cancelled from elsewhere": async (adapter) => {
    const id = await adapter.train(endless).start();
    await runtime.run(id).cancel();
  },
  "its signal is aborted while its result is awaited": async (adapter) => {
    const abort = new AbortController();
    const result = adapter.train({ ...endless, signal: abort.signal }).result();
    setTimeout(() => abort.abort(), 30);
    await expect(result).rejects.toMatchObject({ code: "cancelled" });
  },
  "its signal is aborted while nobody reads it": async (adapter) => {
    const abort = new AbortController();
    await adapter.train({ ...endless, signal: abort.signal }).start();
    abort.abort();
  },
  "a loop in this process is left": (adapter) =>
    first(adapter.train({ ...endless, noise: customNoise(({ ids }) => ({ ids })) })),
  "a loop in this process is cancelled in the middle of a step": async (adapter) => {
    const run = adapter.train({ ...endless, noise: customNoise(({ ids }) => ({ ids })) });
    const events = run[Symbol.asyncIterator]();
    await events.next();
    const step = Promise.allSettled([events.next(), events.next()]);
    await run.cancel();
    await step;
  },
  "the loop over a snapshot's frames is left": async (adapter) => {
    await using snapshot = await adapter.snapshot();
    await first(snapshot.sample(question));
  },
  "the time of its answer is up": async (adapter) => {
    const result = adapter.sample({ ...question, timeoutMs: 20 }).result();
    await expect(result).rejects.toMatchObject({ code: "timeout" });
  },
  "the loop over its own frames is left": (adapter) => first(adapter.sample(question)),
  "the loop over many answers is left": (adapter) => first(adapter.sampleMany(questions)),
};

describe("an adapter is disposed of", () => {
  it.each(Object.keys(endings))(`${TIMES} times out of ${TIMES} when %s`, async (name) => {
    for (let time = 0; time < TIMES; time++) {
      await using adapter = await base.createAdapter({ rank: 4 });
      await endings[name]?.(adapter);
    }
    expect(await left()).toEqual(nothing);
  });

  it("and trained again at once by whoever has left the loop of its run", async () => {
    await using adapter = await base.createAdapter({ rank: 4 });
    for (let time = 0; time < TIMES; time++) await first(adapter.train(endless));
    expect(await left()).toEqual({ adapters: [adapter.id], running: [] });
  });
});

describe("everything", () => {
  it("is disposed of in its order: loop, adapter, base, runtime", async () => {
    const second = await Runtime.start(runtime.connection);
    {
      await using inner = second;
      const other = await inner.loadBase("stub", { seed: 5 });
      {
        await using adapter = await other.createAdapter({ rank: 4 });
        for await (const _ of adapter.train(endless)) break;
        for await (const _ of other.sample(question)) break;
      }
      await other.unload();
    }
    expect(await left()).toEqual(nothing);
    expect((await runtime.info()).bases.map(({ id }) => id)).toEqual([base.id]);
  });

  it("that a closed runtime followed on a worker that goes on has ended", async () => {
    const second = await Runtime.start(runtime.connection);
    const adapter = await (await second.loadBase("stub")).createAdapter({ rank: 4 });
    const events = adapter.train(endless)[Symbol.asyncIterator]();
    await events.next();
    const reading = (async () => {
      while (!(await events.next()).done);
    })().catch(() => {});
    await second.close();
    await reading;
    await (await runtime.adapter(adapter.id)).drop();
    expect(await left()).toEqual(nothing);
  });
});
