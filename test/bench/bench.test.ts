import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../e2e/support/stub.js";
import { bench } from "./support/command.js";

const scratch = scratchFolder();

describe("a figure as JSON", () => {
  it("is one object on standard output: ours alone, with its roofline and a trace where asked for", async () => {
    const trace = join(scratch, "trace.json");
    const words = ["training-step", "--base", "stub", "--runs", "2", "--threads", "1", "--json"];
    const { stdout, stderr } = await bench(...words, "--profile", trace);
    const result = JSON.parse(stdout);
    expect(Object.keys(result).sort()).toEqual(
      ["conditions", "name", "ours", "ratio", "reference", "runs", "unit"].sort(),
    );
    expect(result).toMatchObject({ name: "training-step", unit: "tokens/s", reference: null, ratio: null });
    expect(result.runs).toHaveLength(2);
    const { min, median, max, roofline, loadedBytes, peakBytes } = result.ours;
    expect(0 < min && min <= median && median <= max).toBe(true);
    expect(roofline.share).toBeGreaterThan(0);
    expect(peakBytes).toBeGreaterThanOrEqual(loadedBytes);
    expect(result.conditions).toMatchObject({ base: "stub", threads: 1, rank: 64, windowTokens: 256 });
    expect(stderr).toContain("run 2 of 2: ours");
    expect(JSON.parse(readFileSync(trace, "utf8")).traceEvents.length).toBeGreaterThan(100);
  });
});

describe("the command", () => {
  it("lists the figures", async () => {
    const { stdout } = await bench();
    expect(stdout).toMatch(/training-step +one training step/);
  });

  it("says what is wrong with an option, and how to put it right", async () => {
    const { stderr, stdout, exitCode } = await bench("training-step", "--runs", "many");
    expect([stdout, exitCode]).toEqual(["", 1]);
    expect(stderr).toMatch(/runs is .*many.*: it must be an integer of at least 1\./);
  });

  it("says what a side was refused, without a trace", async () => {
    const { stderr, stdout, exitCode } = await bench("latency", "--base", "nope");
    expect([stdout, exitCode]).toEqual(["", 1]);
    expect(stderr).toMatch(/^There is no base 'nope': .* Give stub, tiny, .*$/);
  });
});

describe("decoding", () => {
  it("has a row for each policy, edits that keep pins, and self-speculation whose answers are the base's own", async () => {
    const words = ["--base", "stub", "--steps", "2", "--questions", "3", "--runs", "1", "--threads", "1"];
    const { stdout, exitCode } = await bench("decoding", ...words, "--json");
    expect(exitCode).toBe(0);
    const { name, base, steps, rows, infilling, repairing, speculative } = JSON.parse(stdout);
    expect({ name, base, steps }).toEqual({ name: "decoding", base: "stub", steps: 2 });
    const denoising = new Set(rows.map(({ policy }: { policy: string }) => policy));
    expect([...denoising]).toEqual(expect.arrayContaining(["remask", "refine", "llada"]));
    for (const { forwards, iterations, tokensPerForward } of rows) {
      expect(forwards).toBeLessThanOrEqual(iterations);
      expect(tokensPerForward).toBeGreaterThan(0);
    }
    expect(infilling).toMatchObject({ questions: 3, pinsUntouched: 3 });
    expect(repairing.repaired + repairing.spoiled).toBeLessThanOrEqual(2 * repairing.questions);
    expect(speculative).toMatchObject({ questions: 3, same: 3 });
    expect(speculative.tokensPerForward).toBeLessThanOrEqual(speculative.ceiling);
  });
});
