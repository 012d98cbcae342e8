/** Adapters that become whole models: files of the worker, on this machine, which it loads as bases. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Adapter, announceWorker, type Base, type Runtime } from "lad";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { lad } from "../../sdk/cli/support.js";
import { EXAMPLES, scratchFolder, startRuntime } from "../support/stub.js";

const scratch = scratchFolder();
const home = join(scratch, "home");
const training = { data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 4, learningRate: 0.05 } as const;

let runtime: Runtime;
let base: Base;
let adapter: Adapter;

beforeAll(async () => {
  vi.stubEnv("LAD_HOME", home);
  runtime = await startRuntime(join(scratch, "state"));
  await announceWorker(runtime.connection);
  base = await runtime.loadBase("stub");
  adapter = await base.createAdapter({ rank: 2, seed: 1 });
  await adapter.train(training).result();
});
afterAll(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
});

/** The losses of a few examples, in bidirectional attention. */
async function losses(model: { validate: Adapter["validate"] }): Promise<readonly number[]> {
  const { windowTokens } = training;
  const { examples = [] } = await model.validate({
    data: EXAMPLES.slice(0, 4),
    windowTokens,
    attention: "full",
    perExample: true,
  });
  return examples.map(({ nats }) => nats);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("merging an adapter", () => {
  it("gives a model whose losses are the adapter's", async () => {
    const folder = join(scratch, "merged");
    await adapter.merge(folder);
    expect(readdirSync(folder).sort()).toEqual([
      "README.md",
      "config.json",
      "lad.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const whole = await runtime.loadBase(folder);
    await using untouched = await whole.createAdapter({ rank: 1 });
    await using fresh = await base.createAdapter({ rank: 1 });
    const [wanted, merged, plain] = [await losses(adapter), await losses(untouched), await losses(fresh)];
    expect(wanted).toHaveLength(4);
    for (const [i, loss] of wanted.entries()) expect(merged[i]).toBeCloseTo(loss, 4);
    expect(Math.abs(sum(plain) - sum(wanted))).toBeGreaterThan(0.01);
  });

  it("writes shards where one file would be longer than it may", async () => {
    const folder = join(scratch, "shards");
    await adapter.merge(folder, { maxShardBytes: 8000, dataType: "bfloat16" });
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(["model.safetensors.index.json", "model-00001-of-00003.safetensors"]),
    );
    await adapter.merge(folder, { overwrite: true });
    expect(readdirSync(folder)).toContain("model.safetensors");
    expect(readdirSync(folder)).not.toContain("model.safetensors.index.json");
  });

  it("does not disturb a training, whose weights it reads at one moment", async () => {
    await using alone = await base.createAdapter({ rank: 2, seed: 5 });
    await alone.train({ ...training, steps: 20 }).result();
    await using disturbed = await base.createAdapter({ rank: 2, seed: 5 });
    let merges = 0;
    for await (const event of disturbed.train({ ...training, steps: 20 })) {
      if (event.type === "step" && event.step % 5 === 0) {
        await disturbed.merge(join(scratch, `while-${event.step}`));
        merges += 1;
      }
    }
    expect(merges).toBe(4);
    await using left = await alone.snapshot();
    await using right = await disturbed.snapshot();
    expect(await right.digest()).toBe(await left.digest());
  });

  it("is refused for an adapter behind a causal prompt, by name and with what to do", async () => {
    await using other = await base.createAdapter({ rank: 1 });
    const loss = { supervise: "all-answer-tokens" } as const;
    await other.train({ ...training, steps: 1, attention: "causal-prefix", loss }).result();
    const folder = join(scratch, "never");
    await expect(other.merge(folder)).rejects.toMatchObject({
      code: "invalid-state",
      message: expect.stringContaining("causal-prefix"),
      remedy: expect.stringContaining("two passes"),
    });
    expect(existsSync(folder)).toBe(false);
  });

  it("leaves nothing behind when it is cancelled or cannot be written", async () => {
    const folder = join(scratch, "parent", "cancelled");
    mkdirSync(join(scratch, "parent"));
    const signal = AbortSignal.abort();
    await expect(adapter.merge(folder, { signal })).rejects.toMatchObject({ code: "cancelled" });
    writeFileSync(join(scratch, "parent", "file"), "mine");
    const onto = adapter.merge(join(scratch, "parent", "file"), { overwrite: true });
    await expect(onto).rejects.toMatchObject({ code: "already-exists" });
    expect(readdirSync(join(scratch, "parent"))).toEqual(["file"]);
    await expect(adapter.merge(folder, { maxShardBytes: 0 })).rejects.toMatchObject({
      code: "invalid-option",
      option: "maxShardBytes",
    });
  });

  it("is a command too", async () => {
    await adapter.save(join(home, "adapters", "mine"));
    const folder = join(scratch, "by-command");
    expect(await lad(["adapters", "merge", "mine", folder, "--dtype", "bfloat16"])).toMatchObject({
      status: 0,
      err: expect.stringContaining("is merged into"),
    });
    expect(readdirSync(folder)).toContain("model.safetensors");
    expect(await lad(["adapters", "merge", "mine", folder])).toMatchObject({
      status: 1,
      err: expect.stringContaining("exists"),
    });
    expect(await lad(["adapters", "merge", "mine", folder, "--overwrite"])).toMatchObject({ status: 0 });
    expect(await lad(["adapters", "merge", "mime", folder])).toMatchObject({
      err: expect.stringContaining("Did you mean mine?"),
    });
  });
});
