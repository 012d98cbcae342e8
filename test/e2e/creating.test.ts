/** Calls that make something, aborted at any moment: nothing stays on the worker that their client does not know of. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Adapter, type Base, isLadError, type Runtime, remask } from "lad";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  runtime = await startRuntime(`${scratch}/state`);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 2 });
  await adapter.save(`${scratch}/adapter`);
  await adapter.checkpoint("saved");
  await runtime.dataset(EXAMPLES);
});
afterAll(() => runtime.close());

const TIMES = 40;
const training = { data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 1_000_000 };
const question = {
  messages: "Say abc.",
  answerTokens: 8,
  policy: remask({ iterations: 1000, earlyStop: false }),
};

/** Makes something of a kind and gives its id. `asked` hears of the id of a run as soon as there is one. */
type Make = (
  signal: AbortSignal,
  asked: (run: { readonly runId: string | undefined }) => void,
) => Promise<string>;

const calls: Record<string, Make> = {
  createAdapter: async (signal) => (await base.createAdapter({ rank: 4, signal })).id,
  snapshot: async (signal) => (await adapter.snapshot({ signal })).id,
  loadAdapter: async (signal) => (await base.loadAdapter(`${scratch}/adapter`, { signal })).id,
  loadCheckpoint: async (signal) => (await base.loadCheckpoint("saved", { signal })).id,
  train: (signal, asked) => {
    const run = adapter.train({ ...training, detached: true, signal });
    asked(run);
    return run.start();
  },
  sample: (signal, asked) => {
    const run = base.sample({ ...question, detached: true, signal });
    asked(run);
    return run.start();
  },
};

async function present(): Promise<{ adapters: string[]; running: string[]; runs: string[] }> {
  const [{ adapters }, runs] = [await runtime.info(), await runtime.runs()];
  return {
    adapters: adapters.map(({ id }) => id).filter((id) => id !== adapter.id),
    running: runs
      .filter(({ state }) => !["cancelled", "finished", "failed"].includes(state))
      .map(({ id }) => id),
    runs: runs.map(({ id }) => id),
  };
}

describe("of calls that are aborted after 0 to 12 ms, nothing is left that the client does not know", () => {
  it.each(Object.keys(calls))("%s", async (name) => {
    const known: string[] = [];
    const named = new Set((await present()).runs);
    for (let time = 0; time < TIMES; time++) {
      const abort = new AbortController();
      let run: { readonly runId: string | undefined } | undefined;
      const making = calls[name]?.(abort.signal, (asked) => {
        run = asked;
      });
      void sleep((12 * time) / TIMES).then(() => abort.abort());
      try {
        const id = (await making) ?? "";
        known.push(id);
        if (run !== undefined) await runtime.run(id).cancel();
      } catch (error) {
        expect(isLadError(error, "cancelled") ? "cancelled" : error).toBe("cancelled");
      }
      if (run?.runId !== undefined) named.add(run.runId);
    }
    const isRun = name === "train" || name === "sample";
    await vi.waitFor(
      async () => {
        const { adapters, running, runs } = await present();
        expect(running).toEqual([]);
        expect(adapters.toSorted()).toEqual(isRun ? [] : known.toSorted());
        expect(runs.filter((id) => !named.has(id))).toEqual([]);
      },
      { timeout: 20_000 },
    );
    for (const id of isRun ? [] : known) await (await runtime.adapter(id)).drop();
    expect(await adapter.train({ ...training, steps: 1 }).result()).toMatchObject({ steps: 1 });
  });

  it("all of them at once", async () => {
    const known: string[] = [];
    await Promise.all(
      Array.from({ length: TIMES }, async (_, time) => {
        const abort = new AbortController();
        void sleep((12 * time) / TIMES).then(() => abort.abort());
        const names = ["createAdapter", "snapshot", "loadCheckpoint", "sample"] as const;
        const name = names[time % names.length] as (typeof names)[number];
        const id = await calls[name]?.(abort.signal, () => {}).catch(() => undefined);
        if (id === undefined) return;
        if (name === "sample") await runtime.run(id).cancel();
        else known.push(id);
      }),
    );
    await vi.waitFor(
      async () => {
        const { adapters, running } = await present();
        expect(running).toEqual([]);
        expect(adapters.toSorted()).toEqual(known.toSorted());
      },
      { timeout: 20_000 },
    );
  });
});
