/** Reports that are made again of what was kept. */
import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openResults } from "../../../sdk/src/benchmarks/results-folder.js";
import { readReport, readReproduction, recipes, reproduceLad, sweep } from "../../../sdk/src/index.js";
import { stringify } from "../../../sdk/src/json.js";
import { lad } from "../cli/support.js";
import { testFolder } from "../support/folders.js";

/** The files of a report. */
async function files(folder: string): Promise<string[]> {
  const names = ["index.html", "report.md", "results.jsonl"];
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

describe("of a sweep", () => {
  const axes = { rank: [1, 4, 16], tries: [1, 2] } as const;
  async function run({ rank, tries }: { rank: number; tries: number }) {
    if (rank === 4 && tries === 2) throw new Error("no luck");
    return { ce: { value: tries / rank, n: 50, interval: [0, 2], by: "bootstrap" } };
  }

  it("is what the sweep itself wrote, in whatever order its points ended", async () => {
    const folder = testFolder();
    const [manifest, report] = [join(folder, "sweep.json"), join(folder, "report")];
    const slow = async (point: { rank: number; tries: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 40 / point.rank));
      return run(point);
    };
    await sweep({ axes, spec: { steps: 3 }, run: slow, concurrent: 6, manifest, report }).table();
    await (await readReport(manifest)).write(join(folder, "again"));
    expect(await files(join(folder, "again"))).toEqual(await files(report));
    const { status, out } = await lad(["report", folder, "--out", join(folder, "by-command")]);
    expect({ status, out }).toEqual({ status: 0, out: `${join(folder, "by-command", "index.html")}\n` });
    expect(await files(join(folder, "by-command"))).toEqual(await files(report));
  });

  it("that goes on has the points that are done", async () => {
    const folder = testFolder();
    const manifest = join(folder, "sweep.json");
    const stop = new AbortController();
    const going = sweep({
      axes,
      spec: {},
      manifest,
      signal: stop.signal,
      run: async (point) => {
        if (point.rank === 16) {
          const [, markdown] = await written(manifest, join(folder, "meanwhile"));
          expect(markdown).toMatch(/points \| 4 /);
          stop.abort();
        }
        return run(point);
      },
    });
    await expect(going.table()).rejects.toMatchObject({ code: "cancelled" });
    expect(stop.signal.aborted).toBe(true);
  });

  it("is refused where there is none, or more than one", async () => {
    const folder = testFolder();
    await expect(readReport(folder)).rejects.toMatchObject({ code: "not-found", option: "path" });
    await expect(readReport(join(folder, "none.json"))).rejects.toMatchObject({ code: "not-found" });
    await writeFile(join(folder, "other.json"), "{}");
    await expect(readReport(join(folder, "other.json"))).rejects.toMatchObject({ code: "invalid-file" });
    await sweep({ axes, spec: {}, run, manifest: join(folder, "one.json") }).table();
    await readReport(folder);
    await copyFile(join(folder, "one.json"), join(folder, "two.json"));
    await expect(readReport(folder)).rejects.toThrow("several manifests: one.json, two.json");
    expect(await lad(["report", join(folder, "nowhere")])).toMatchObject({ status: 1 });
  });
});

async function written(path: string, folder: string): Promise<string[]> {
  await (await readReport(path)).write(folder);
  return files(folder);
}

describe("of an experiment", () => {
  const figure = (value: number) => ({ value, n: 20, interval: [0, 1], by: "wilson" });
  const evaluation = { exactMatch: figure(0.5), forwards: figure(4) };
  const result = {
    adapter: { parameterCount: 64 },
    training: { steps: 30, seconds: 2, tokensPerSecond: 900 },
    validation: { corruptedCe: 1.25 },
    evaluations: [evaluation, evaluation],
    losses: [1, 2].map((step) => ({ step, loss: 1, ce: 1, corruptedCe: 3 - step })),
    validations: [],
  };
  const sampling = ["remask", "refine"].map((kind) => ({ policy: { kind, iterations: 4 } }));
  const spec = {
    base: { name: "stub" },
    adapter: { seed: 1 },
    training: { data: { sha256: "ab".repeat(32) } },
    evaluation: { data: { sha256: "cd".repeat(32) }, sampling },
  };

  it("has its losses, its answers and its options", async () => {
    const folder = testFolder();
    const manifest = join(folder, "experiment.json");
    await sweep({ axes: { "adapter.rank": [1, 2] }, spec, manifest, run: async () => result }).table();
    const [html, markdown] = await written(manifest, join(folder, "report"));
    expect(html).toContain("Loss over training");
    for (const text of ["remask, 4 iterations", "Exact match against forwards", "1.25", "ab".repeat(32)]) {
      expect(markdown).toContain(text);
    }
  });

  /** A manifest of one point, written by hand. */
  async function byHand(change: object): Promise<string> {
    const manifest = join(testFolder(), "experiment.json");
    const points = { [stringify({ rank: 1 })]: { status: "done", result, seconds: 1 } };
    await writeFile(manifest, stringify({ version: 2, axes: ["rank"], spec, points, ...change }));
    return manifest;
  }

  it.each([
    ["spec.training", { ...spec, training: 7 }],
    ["spec.training.data", { ...spec, training: { data: null } }],
    ["spec.evaluation", { ...spec, evaluation: "none" }],
    ["spec.evaluation.sampling", { ...spec, evaluation: { sampling: 3 } }],
    ["spec.evaluation.sampling[0]", { ...spec, evaluation: { sampling: [null] } }],
    ["spec.evaluation.sampling[0].policy", { ...spec, evaluation: { sampling: [{ policy: null }] } }],
  ])("is refused for %s of another type", async (part, wrong) => {
    await expect(readReport(await byHand({ spec: wrong }))).rejects.toMatchObject({
      code: "invalid-file",
      option: "manifest",
      message: expect.stringContaining(`${part} cannot be reported`),
    });
  });

  it.each([
    ["adapter", 1],
    ["training", null],
    ["validation", "low"],
    ["evaluations", {}],
    ["evaluations[0]", [null]],
    ["evaluations[0].exactMatch", [{ ...evaluation, exactMatch: null }]],
    ["evaluations[0].forwards.interval", [{ ...evaluation, forwards: { value: 1, interval: 2 } }]],
    ["evaluations[0].tokensPerForward", [{ ...evaluation, tokensPerForward: null }]],
    ["losses", "none"],
    ["losses[0]", [3]],
    ["validations[0].corruptedCe", [{ step: 1, corruptedCe: {} }]],
  ])("is refused for a result's %s of another type", async (part, wrong) => {
    const [key = ""] = part.split("[");
    const points = { '{"rank":1}': { status: "done", result: { ...result, [key]: wrong }, seconds: 1 } };
    const manifest = await byHand({ points });
    await expect(readReport(manifest)).rejects.toMatchObject({
      code: "invalid-file",
      message: expect.stringContaining(`result.${part} cannot be reported`),
    });
    expect(await lad(["report", manifest])).toMatchObject({
      status: 1,
      err: expect.not.stringContaining("TypeError"),
    });
  });

  it.each([
    { points: { '{"rank":1}': null } },
    { points: { '{"rank":1}': { status: "failed", seconds: 1 } } },
    { points: { '{"rank":1}': { status: "failed", error: { message: 7 }, seconds: 1 } } },
    { points: { '{"rank":{"value":"x"}}': { status: "done", result, seconds: 1 } } },
    { axes: [{}] },
  ])("is no manifest with %j", async (change) => {
    await expect(readReport(await byHand(change))).rejects.toMatchObject({ code: "invalid-file" });
  });

  it("keeps losses that are no number, and points that failed", async () => {
    const points = {
      '{"rank":1}': { status: "done", result: { ...result, validation: { ce: Number.NaN } }, seconds: 1 },
      '{"rank":2}': { status: "failed", error: { message: "no luck" }, seconds: 1 },
    };
    const folder = testFolder();
    const [, markdown] = await written(await byHand({ points }), folder);
    expect(markdown).toContain("no luck");
  });
});

describe("of a benchmark", () => {
  const configuration = {
    benchmark: { kind: "arc-easy", items: 4, data: "ef".repeat(32) },
    by: "letter",
    base: { name: "stub" },
    models: { rank64: { weights: "12" }, autoregressive: { weights: null } },
  };
  const items = (right: string) =>
    [...right].map((each, i) => ({
      id: `item-${i}`,
      correct: each === "+",
      read: each === "?" ? null : "A",
    }));

  async function kept(): Promise<string> {
    const folder = join(testFolder(), "arc");
    const results = await openResults(folder, configuration);
    await results.add("rank64", items("+++?"));
    await results.add("autoregressive", items("+--"));
    results.close();
    return folder;
  }

  it("has every model beside the base, as far as each has come", async () => {
    const folder = await kept();
    const [, markdown = "", lines = ""] = await written(folder, join(folder, "report"));
    expect(markdown).toContain("# arc-easy on stub, by letter");
    expect(markdown).toContain("Not all of the 4 items");
    const rows = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(JSON.stringify(rows)).toContain("rank64");
    expect(markdown).toMatch(/\| rank64 \| 4 \| 75\.0 %/);
    expect(markdown).toMatch(/\| autoregressive \| 3 \| 33\.3 %/);
    expect(markdown).toMatch(/66\.7 %/); // of the three items that both have answered
  });

  it("that is damaged is refused, and one that was cut is read to its last whole line", async () => {
    const folder = await kept();
    await appendFile(join(folder, "rank64.jsonl"), '{"id": "item-4", "corr');
    await readReport(folder);
    await appendFile(join(folder, "rank64.jsonl"), "\n");
    await expect(readReport(folder)).rejects.toMatchObject({ code: "invalid-file" });
  });
});

describe("of a reproduction", () => {
  const options = { ranks: [2, 4], steps: 5, questions: 2, iterations: [1, 4], seed: 3 };

  /** A folder as `run` writes it, with the losses of every variant and nothing else. */
  async function kept(change: Record<string, unknown> = {}): Promise<string> {
    const folder = join(testFolder(), "reproduction");
    await mkdir(folder);
    const { pieces } = reproduceLad({ folder, ...options, ...change });
    const losses = pieces.filter((name) => name.endsWith(": losses"));
    const one = { nats: [3, 2, 4], tokens: [2, 2, 2] };
    const result = { lad: one, masked: [{ share: 0.5, ...one }] };
    const preset = change.preset as keyof typeof recipes | undefined;
    const bases = ["tiny-0.7m", "tiny", "tiny-5m"];
    const followed = bases.map((base) => {
      const { about: _, base: __, ...recipe } = recipes[preset ?? (base as keyof typeof recipes)];
      return [base, recipe];
    });
    const spec = {
      bases,
      ...options,
      recipes: Object.fromEntries(followed),
      data: { train: "ab".repeat(32) },
      benchmarks: [{ set: "easy", kind: "arc-easy", rows: "cd".repeat(32), shots: 0, seed: "0" }],
    };
    const points = losses.map((piece) => [stringify({ piece }), { status: "done", result, seconds: 1 }]);
    const manifest = { version: 2, axes: ["piece"], spec, points: Object.fromEntries(points) };
    await writeFile(join(folder, "pieces.json"), stringify(manifest));
    return folder;
  }

  it("judges and reports what was measured, without a worker", async () => {
    const folder = await kept();
    const judged = (await readReproduction(folder)).judge();
    expect(judged.some(({ findings }) => findings.length > 0)).toBe(true);
    const { status, out } = await lad(["report", folder]);
    expect({ status, out }).toEqual({ status: 0, out: `${join(folder, "report", "index.html")}\n` });
    const [, markdown] = await files(join(folder, "report"));
    expect(markdown).toContain("# LAD, reproduced");
    expect(markdown).toContain("Nothing was measured of it.");
    expect(markdown).toContain("ab".repeat(32));
    expect((await readReproduction(folder)).pieces).toContain("tiny rank 4: arc-easy");
  });

  it("finds the preset that was followed, and refuses recipes of another version", async () => {
    const folder = await kept({ preset: "lad" });
    expect((await readReproduction(folder)).steps).toBe(5);
    const path = join(folder, "pieces.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"noise"', '"noises"'));
    await expect(readReproduction(folder)).rejects.toMatchObject({ code: "invalid-state" });
    await writeFile(path, stringify({ version: 2, axes: ["piece"], spec: {}, points: {} }));
    await expect(readReproduction(folder)).rejects.toMatchObject({ code: "invalid-file" });
  });
});
