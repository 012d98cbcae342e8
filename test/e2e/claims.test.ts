/** Adapters that say how they were trained, from the worker that trained them to the base that they are loaded onto. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Adapter, type Base, cover, ownDraft, Runtime } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const folder = join(scratch, "adapter");
const warnings: string[] = [];
let [runtime, owner]: Runtime[] = [];
let base: Base;
let trained: Adapter;

beforeAll(async () => {
  owner = await startRuntime(join(scratch, "state"));
  runtime = await Runtime.start({ ...owner.connection, onWarning: (text) => warnings.push(text) });
  base = await runtime.loadBase("stub");
  trained = await base.createAdapter({ rank: 2, seed: 1 });
  const loss = { supervise: "all-answer-tokens" } as const;
  const options = { data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 2, loss };
  await trained.train({ ...options, learningRate: 0.01, attention: "causal-prefix" }).result();
  await trained.save(folder);
});
afterAll(async () => {
  await runtime?.close();
  await owner?.close();
});

describe("an adapter that was trained", () => {
  it("says how, as its snapshots, its checkpoints and its files do", async () => {
    const { claims } = await trained.refresh();
    expect(claims).toMatchObject({
      baseName: "stub",
      baseRevision: base.info.revision,
      attention: "causal-prefix",
      context: "prompt",
      windowTokens: 48,
      noise: { kind: "lad", maskProbability: 0.5 },
      loss: { supervise: "all-answer-tokens", tail: true, tailWeight: 1, weighting: "uniform" },
      chatTemplateDigest: base.info.chatTemplateDigest,
      steps: 2,
    });
    await trained.checkpoint("claims");
    expect((await trained.snapshot()).info.claims).toEqual(claims);
    expect((await base.loadCheckpoint("claims")).info.claims).toEqual(claims);
    expect((await base.loadAdapter(folder)).info.claims).toEqual(claims);
    expect(readdirSync(folder)).toContain("lad.json");
  });

  it("of its own drafts says what it drafted from", async () => {
    const adapter = await base.createAdapter({ rank: 2, seed: 1 });
    const noise = ownDraft({ share: 0.75, temperature: 0.5, noise: cover({ tailNoise: false }) });
    const options = { data: EXAMPLES, windowTokens: 48, warmupSteps: 0, steps: 1, learningRate: 0.01 };
    await adapter.train({ ...options, noise }).result();
    expect((await adapter.refresh()).claims?.noise).toEqual(noise);
    const saved = join(scratch, "own-draft");
    await adapter.save(saved);
    expect((await base.loadAdapter(saved)).info.claims?.noise).toEqual(noise);
  });

  it("is sampled as it was trained, and warns once in another mode", async () => {
    const loaded = await base.loadAdapter(folder);
    const ask = { ids: [5, 6, 7], answerTokens: 4 };
    const own = await loaded.sample({ ...ask, attention: "causal-prefix" }).result();
    expect((await loaded.sample(ask).result()).canvasIds).toEqual(own.canvasIds);
    expect(warnings).toEqual([]);
    for (let run = 0; run < 2; run++) await loaded.sample({ ...ask, attention: "full" }).result();
    expect(warnings.splice(0)).toEqual([expect.stringContaining("trained with attention causal-prefix")]);
  });

  it("fills the windows of its training where no length is given, as a draft's answer does", async () => {
    const ids = [5, 6, 7];
    const answer = await trained.sample({ ids, policy: "refine" }).result();
    expect(answer.canvasIds).toHaveLength(48 - ids.length);
    const told = await trained.sample({ ids, policy: "refine", answerTokens: 45 }).result();
    expect(answer).toEqual(told);
    const drafted = await trained.sample({ ids, policy: "refine", draft: [5, 6] }).result();
    expect(drafted.canvasIds).toHaveLength(48 - ids.length);
    const long = Array<number>(48).fill(5);
    await expect(trained.sample({ ids: long }).result()).rejects.toMatchObject({
      code: "invalid-option",
      option: "answerTokens",
      message: expect.stringContaining("trained in windows of 48"),
    });
  });

  it("is refused by another base, unless that is allowed, which warns", async () => {
    const other = await (runtime as Runtime).loadBase("stub", { seed: 3 });
    await expect(other.loadAdapter(folder)).rejects.toMatchObject({
      code: "invalid-state",
      remedy: expect.stringContaining("allowOtherBase: true"),
    });
    await other.loadAdapter(folder, { allowOtherBase: true });
    expect(warnings.splice(0)).toEqual([expect.stringContaining("is loaded onto stub of")]);
  });

  it("is saved with a card, without which its weights' digest is told, and says nothing once lad.json is gone", async () => {
    const saved = join(scratch, "carded");
    await trained.save(saved);
    const card = readFileSync(join(saved, "README.md"), "utf8");
    expect(card).toContain("behind a causal prompt");
    expect(card).toContain("in 2 optimizer steps");
    rmSync(join(saved, "lad.json"));
    const foreign = await base.loadAdapter(saved);
    expect(foreign.info.claims).toBeUndefined();
    expect(warnings.splice(0)).toEqual([expect.stringContaining("do not say how it was trained")]);
    expect(await (await foreign.snapshot()).digest()).toBe(await (await trained.snapshot()).digest());
  });

  it("is told from one that does nothing", async () => {
    const fresh = await base.createAdapter({ rank: 2, seed: 1 });
    expect(await fresh.check()).toMatchObject({ moves: false, meanKl: 0, maxKl: 0, changed: 0 });
    const moved = await trained.check();
    expect(moved).toMatchObject({ moves: true, attention: "causal-prefix", positions: 24 });
    expect(moved.maxKl).toBeGreaterThan(0);
  });

  it("is refused by the name of the field where its claims are damaged", async () => {
    writeFileSync(join(folder, "lad.json"), '{"format": 1, "attention": "sideways"}');
    await expect(base.loadAdapter(folder)).rejects.toMatchObject({
      code: "invalid-file",
      message: expect.stringContaining("lad.json"),
    });
  });
});
