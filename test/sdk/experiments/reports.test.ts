import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LossCurves } from "../../../sdk/src/experiments/loss-curves.js";
import type { LossReport, TrainingEvent } from "../../../sdk/src/index.js";
import { sweep } from "../../../sdk/src/index.js";
import { testFolder } from "../support/folders.js";

const axes = { rank: [1, 4, 64], noise: ["lad", "cover"] } as const;
const spec = { steps: 30 };

/** The files of a report. */
async function files(folder: string): Promise<string[]> {
  const names = ["index.html", "report.md", "results.jsonl"];
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

async function run({ rank, noise }: { rank: number; noise: string }) {
  if (rank === 4 && noise === "cover") throw new Error("no luck");
  const ce = { value: 2 / rank, interval: [1.5 / rank, 2.5 / rank], n: 50, by: "bootstrap" };
  return { ce, steps: 30, curve: Array.from({ length: 40 }, (_, i) => i) };
}

describe("a sweep's report", () => {
  it("has all points with their figures, and a curve of each that differs over each axis", async () => {
    const report = testFolder();
    await sweep({ axes, spec, run, report }).table();
    const [, markdown = "", results = ""] = await files(report);
    expect(markdown).toContain("# Sweep over rank and noise");
    expect(markdown.match(/^##+ .*$/gm)).toEqual([
      "## Results",
      "### All points",
      "## Over rank",
      "### ce over rank",
      "## Over noise",
      "### ce over noise",
      "## Points that failed",
      "### Errors",
      "## How to make it again",
      "### Configuration",
    ]);
    expect(markdown).toContain("| rank | noise | ce, n = 50, bootstrap | steps |");
    expect(markdown).toContain("| 64 | cover | 0.031 \\[0.023, 0.039\\] | 30 |");
    expect(markdown).toContain("| 4 | cover | – | no luck |");
    expect(markdown).toContain("steps: 30");
    const lines = results
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const points = lines.filter(({ of }) => of === "ce over rank");
    expect(points.map(({ series, x }) => [series, x])).toEqual([
      ["noise lad", 1],
      ["noise lad", 4],
      ["noise lad", 64],
      ["noise cover", 1],
      ["noise cover", 64],
    ]);
  });

  it("is the same of a sweep that was interrupted and resumed, in any order", async () => {
    const folder = testFolder();
    const report = (name: string) => join(folder, name);
    await sweep({ axes, spec, run, report: report("whole") }).table();
    const manifest = join(folder, "sweep.json");
    const stop = new AbortController();
    const interrupted = sweep({
      axes,
      spec,
      manifest,
      report: report("resumed"),
      signal: stop.signal,
      run: async (point) => {
        if (point.rank === 64) stop.abort();
        return run(point);
      },
    });
    await expect(interrupted.table()).rejects.toMatchObject({ code: "cancelled" });
    await expect(files(report("resumed"))).rejects.toMatchObject({ code: "ENOENT" });
    const resumed = await sweep({
      axes,
      spec,
      manifest,
      concurrent: 4,
      run,
      report: report("resumed"),
    }).table();
    expect(resumed.filter((row) => row.resumed).length).toBeGreaterThan(0);
    expect(await files(report("resumed"))).toEqual(await files(report("whole")));
  });

  it("of results that are numbers has them under that name", async () => {
    const report = testFolder();
    await sweep({ axes: { i: [1, 2] }, run: async ({ i }) => i * 3, report }).table();
    expect((await files(report))[1]).toContain("| 2 | 6 |");
  });

  it("needs a folder's path", () => {
    expect(() => sweep({ axes: { i: [1] }, run: async () => 1, report: "" })).toThrow("report");
  });
});

describe("the losses of a run", () => {
  const step = (number: number, ce: number): TrainingEvent =>
    ({ type: "step", step: number, report: { loss: 1, ce, corruptedCe: ce } as LossReport }) as TrainingEvent;

  it("are kept as they are where they are few", () => {
    const curves = new LossCurves();
    for (let i = 1; i <= 200; i++) curves.add(step(i, i));
    expect(curves.result().losses.map(({ step, ce }) => [step, ce])).toEqual(
      Array.from({ length: 200 }, (_, i) => [i + 1, i + 1]),
    );
  });

  it("are means over equal stretches where they are many, of those that are numbers", () => {
    const curves = new LossCurves();
    for (let i = 1; i <= 450; i++) curves.add(step(i, i === 2 ? Number.NaN : i));
    const { losses } = curves.result();
    expect(losses).toHaveLength(150);
    expect(losses[0]).toEqual({ step: 3, loss: 1, ce: 2, corruptedCe: 2 });
    expect(losses.at(-1)).toEqual({ step: 450, loss: 1, ce: 449, corruptedCe: 449 });
  });
});
