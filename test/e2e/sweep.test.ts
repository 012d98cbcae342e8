import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Base, type Runtime, readExperiment, runExperiment, sweep } from "lad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLES, scratchFolder, startRuntime } from "./support/stub.js";

const scratch = scratchFolder();
const training = { data: EXAMPLES, windowTokens: 48, batchSize: 4, warmupSteps: 0, steps: 3 };

let runtime: Runtime;
let base: Base;

beforeAll(async () => {
  runtime = await startRuntime(join(scratch, "state"));
  base = await runtime.loadBase("stub");
});

afterAll(() => runtime?.close());

async function train(rank: number, learningRate: number, signal: AbortSignal) {
  await using adapter = await base.createAdapter({ rank, seed: 1, signal });
  const { report } = await adapter.train({ ...training, learningRate, signal }).result();
  return { parameters: adapter.info.parameterCount, loss: report?.loss ?? Number.NaN };
}

describe("a sweep over ranks", () => {
  it("trains one adapter a point on one resident base, and keeps what fails beside what succeeds", async () => {
    const ranks = sweep({
      axes: { rank: [1, 4, 1024, 2000], learningRate: [0.01] },
      concurrent: 3,
      run: ({ rank, learningRate }, { signal }) => train(rank, learningRate, signal),
    });
    const table = await ranks.table();
    expect(table.map(({ status }) => status)).toEqual(["done", "done", "done", "failed"]);
    expect(table[3]).toMatchObject({
      error: { code: "invalid-option", message: expect.stringContaining("rank is 2000") },
    });
    const parameters = table.map((row) => (row.status === "done" ? row.result.parameters : 0));
    expect(parameters[1]).toBe(4 * (parameters[0] ?? 0));
    expect((await runtime.info()).adapters).toEqual([]);
  });

  it("gives the same numbers one by one and side by side", async () => {
    const losses = async (concurrent: number | "fused") => {
      const axes = { rank: [2, 3, 5] };
      const table = await sweep({
        axes,
        concurrent,
        run: ({ rank }, { signal }) => train(rank, 0.05, signal),
      }).table();
      return table.map((row) => (row.status === "done" ? row.result.loss : row.error));
    };
    const oneByOne = await losses(1);
    expect(await losses(2)).toEqual(oneByOne);
    expect(await losses("fused")).toEqual(oneByOne);
  });

  it("that is aborted cancels its runs and goes on from its manifest", async () => {
    const manifest = join(scratch, "sweep.json");
    const axes = { rank: [1, 2, 3] };
    const spec = { learningRate: 0.05 };
    const trained: number[] = [];
    const first = sweep({
      axes,
      manifest,
      spec,
      run: async ({ rank }, { spec, signal }) => {
        trained.push(rank);
        return train(rank, spec.learningRate, signal);
      },
    });
    for await (const { point } of first) if (point.rank === 2) break;
    await expect(first.table()).rejects.toMatchObject({ code: "cancelled" });
    await expect
      .poll(async () => (await runtime.runs()).filter(({ state }) => state === "running"))
      .toEqual([]);
    const done = trained.slice(0, 2);
    const run = ({ rank }: { rank: number }, { signal }: { signal: AbortSignal }) =>
      train(rank, 0.05, signal);
    const second = sweep({ axes, manifest, spec, run });
    const table = await second.table();
    expect(table.map(({ resumed }) => resumed)).toEqual([true, true, false]);
    expect(table.every(({ status }) => status === "done")).toBe(true);
    expect(done).toEqual([1, 2]);
  });
});

describe("an experiment", () => {
  it("runs as its file says: every point trained, validated and evaluated", async () => {
    const folder = join(scratch, "experiment");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "data.jsonl"),
      EXAMPLES.map((example) => `${JSON.stringify(example)}\n`).join(""),
    );
    writeFileSync(
      join(folder, "experiment.yaml"),
      `base: { name: stub, seed: 2 }
adapter: { rank: 2, seed: 1 }
training:
  data: { jsonl: data.jsonl }
  windowTokens: 48
  batchSize: 4
  warmupSteps: 0
  steps: 2
  noise: cover
  optimizer: { kind: muon, momentum: 0.9 }
  validation: { data: { jsonl: data.jsonl }, maxExamples: 3 }
evaluation:
  data: { jsonl: data.jsonl }
  maxExamples: 2
  sampling:
    - { policy: { kind: refine, iterations: 2 }, answerTokens: 6 }
    - { policy: { kind: remask, iterations: 3 }, answerTokens: 6 }
sweep:
  axes: { adapter.rank: [1, 3], training.noise: [lad, cover] }
  manifest: ${join(folder, "manifest.json")}
`,
    );
    const experiment = await readExperiment(join(folder, "experiment.yaml"));
    const events: string[] = [];
    const run = runExperiment(runtime, experiment, { onEvent: ({ type }) => events.push(type) });
    const table = await run.table();
    expect(
      table.map(({ point, status }) => [point["adapter.rank"], point["training.noise"], status]),
    ).toEqual([
      [1, "lad", "done"],
      [1, "cover", "done"],
      [3, "lad", "done"],
      [3, "cover", "done"],
    ]);
    expect(events.filter((type) => type === "step")).toHaveLength(8);
    const [row] = table;
    if (row?.status !== "done") throw new Error("the first point is done");
    expect(row.result).toMatchObject({ adapter: { rank: 1 }, training: { steps: 2 } });
    expect(row.result.validation?.tokens).toBe(3 * 48);
    expect(row.result.evaluations).toHaveLength(2);
    expect(row.result.evaluations[0]?.exactMatch.n).toBe(2);
    const again = await runExperiment(runtime, experiment).table();
    expect(again.map(({ resumed }) => resumed)).toEqual([true, true, true, true]);
    expect(again.map((each) => ({ ...each, resumed: false }))).toEqual(table);

    const named = {
      ...experiment,
      adapter: { ...experiment.adapter, rank: 9 },
      name: "the axes say the rank",
    };
    expect((await runExperiment(runtime, named).table()).every(({ resumed }) => resumed)).toBe(true);
    const longer = { ...experiment, training: { ...experiment.training, steps: 4 } };
    await expect(runExperiment(runtime, longer).table()).rejects.toThrow(
      "spec.training.steps is 4, there it is 2",
    );
    const other = { ...experiment, base: { name: "stub", seed: 3 } };
    await expect(runExperiment(runtime, other).table()).rejects.toThrow(
      /spec\.base\.seed is 3, there it is 2/,
    );
    writeFileSync(join(folder, "data.jsonl"), `${JSON.stringify(EXAMPLES[0])}\n`);
    await expect(runExperiment(runtime, experiment).table()).rejects.toThrow(
      /spec\.training\.data\.sha256 is [0-9a-f]+.*spec\.evaluation\.data\.sha256 is/,
    );
  });

  it("is refused before anything starts when one of its points makes no sense", async () => {
    const experiment = {
      base: "stub",
      adapter: { rank: 2 },
      training: { ...training, data: [...EXAMPLES] },
      sweep: { axes: { "training.learningRate": [0.1, -1] } },
    };
    expect(() => runExperiment(runtime, experiment)).toThrow(/training\.learningRate is -1/);
  });
});
