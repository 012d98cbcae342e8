/** Two clients on one worker, and two workers on one state folder. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Base, Runtime, type TrainingOptions } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const stateFolder = join(scratch, "state");
const short = { data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 2 };
const endless: TrainingOptions = { ...short, steps: 1_000_000 };
let [mine, theirs]: Runtime[] = [];
let [base, theirBase]: Base[] = [];

beforeAll(async () => {
  mine = await startRuntime(stateFolder);
  theirs = await Runtime.start(mine.connection);
  [base, theirBase] = [await mine.loadBase("stub"), await theirs.loadBase("stub")];
});
afterAll(async () => {
  await theirs?.close();
  await mine?.close();
});

async function adapters(rank = 2) {
  return [
    await (base as Base).createAdapter({ rank, seed: 1 }),
    await (theirBase as Base).createAdapter({ rank, seed: 2 }),
  ] as const;
}

describe("two clients on one checkpoint name", () => {
  it("do not write over each other's, unless one says so", async () => {
    const [a, b] = await adapters();
    const digest = await a.checkpoint("shared");
    await a.checkpoint("shared");
    await expect(b.checkpoint("shared")).rejects.toMatchObject({
      code: "already-exists",
      option: "name",
      value: "shared",
      message: expect.stringContaining(`adapter ${a.id} wrote it`),
      remedy: expect.stringContaining("overwrite"),
    });
    expect(await b.checkpoint("shared", { overwrite: true })).not.toBe(digest);
    await expect(a.checkpoint("shared")).rejects.toMatchObject({ code: "already-exists" });
    expect(await theirs?.checkpoints()).toEqual([
      expect.objectContaining({ name: "shared", baseName: "stub", rank: expect.any(Number) }),
    ]);
    await mine?.deleteCheckpoint("shared");
    expect(await theirs?.checkpoints()).toEqual([]);
    expect(await a.checkpoint("shared")).toBe(digest);
    await expect(mine?.deleteCheckpoint("no-such")).rejects.toMatchObject({ code: "not-found" });
    await Promise.all([a.drop(), b.drop()]);
  });

  it("do not write under a name that a run of the other's has, from its start on", async () => {
    const [a, b] = await adapters();
    const run = a.train({ ...endless, checkpoint: { name: "claimed" } });
    await run.start();
    const taken = { code: "invalid-state", message: expect.stringContaining(`${run.runId} is writing`) };
    await expect(b.checkpoint("claimed", { overwrite: true })).rejects.toMatchObject(taken);
    const overwriting = { ...short, checkpoint: { name: "claimed", overwrite: true, resume: true } };
    await expect(b.train(overwriting).result()).rejects.toMatchObject(taken);
    await expect(theirs?.deleteCheckpoint("claimed")).rejects.toMatchObject(taken);
    await run.cancel();
    expect((await b.train(overwriting).result()).steps).toBe(2);
    await expect(theirs?.deleteCheckpoint("claimed")).resolves.toBeUndefined();
    await Promise.all([a.drop(), b.drop()]);
  });

  it("resume what nobody holds any more, and nobody's weights by mistake", async () => {
    const [a, b] = await adapters();
    const checkpoint = { name: "resumed", resume: true };
    await a.train({ ...short, checkpoint }).result();
    const longer = { ...short, steps: 3, checkpoint };
    await expect(b.train(longer).result()).rejects.toMatchObject({
      code: "already-exists",
      option: "checkpoint.name",
      message: expect.stringContaining(a.id),
    });
    const cold = { ...short, checkpoint: { name: "resumed" } };
    await expect(a.train(cold).result()).rejects.toMatchObject({ code: "already-exists" });
    await a.drop();
    await expect(b.train(longer).result()).rejects.toMatchObject({ code: "invalid-state" });
    const same = await (theirBase as Base).createAdapter({ rank: 2, seed: 1 });
    const events: number[] = [];
    for await (const event of same.train(longer)) if (event.type === "started") events.push(event.fromStep);
    expect(events).toEqual([2]);
    await b.train({ ...short, checkpoint: { name: "resumed", overwrite: true } }).result();
    const loaded = await (base as Base).loadCheckpoint("resumed");
    expect(loaded.info.seed).toEqual(b.info.seed);
    await Promise.all([b.drop(), same.drop(), loaded.drop()]);
  });
});

describe("two workers on one state folder", () => {
  it("are not: the second says whose it is, and leaves the first's uploads alone", async () => {
    const upload = join(stateFolder, "datasets", "half.part");
    writeFileSync(upload, "half");
    await expect(startRuntime(stateFolder)).rejects.toMatchObject({
      code: "state-in-use",
      option: "stateFolder",
      value: stateFolder,
      message: expect.stringContaining(
        `${stateFolder} is in use by another worker (process ${mine?.workerPid} on `,
      ),
      remedy: expect.stringContaining("{ address, token }"),
    });
    expect(existsSync(upload)).toBe(true);
    expect(mine?.stateFolder).toBe(stateFolder);
  });

  it("get one each, with a warning, where neither has asked for one", async () => {
    const warnings: string[][] = [[], []];
    const start = (given: string[]) =>
      Runtime.start({ threads: 1, onWarning: (message) => given.push(message) });
    const both = await Promise.all(warnings.map(start));
    try {
      const [one, two] = both.map(({ stateFolder: folder = "" }) => folder);
      expect(one).not.toBe(two);
      expect(Math.max(one?.length ?? 0, two?.length ?? 0)).toBeGreaterThan(0);
      for (const [i, runtime] of both.entries()) {
        const isDefault = /[/]state$/.test(runtime.stateFolder ?? "");
        expect(warnings[i]).toEqual(isDefault ? [] : [expect.stringContaining(runtime.stateFolder ?? "?")]);
      }
    } finally {
      await Promise.all(both.map((runtime) => runtime.close()));
    }
  });
});
