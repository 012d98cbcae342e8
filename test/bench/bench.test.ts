import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../e2e/support/stub.js";

const root = resolve(import.meta.dirname, "../..");
const scratch = scratchFolder();

/** Runs `bench/main.ts` as package.json's script does. */
function bench(...words: string[]) {
  const command = ["--import", "tsx", "bench/main.ts", ...words];
  return execa(process.execPath, command, { cwd: root, reject: false });
}

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

describe("a figure as text", () => {
  it("compares with a reference that generates the same tokens", async () => {
    const words = ["autoregressive", "--base", "stub", "--runs", "1", "--threads", "1"];
    const { stdout, exitCode, stderr } = await bench(...words);
    expect(stderr).not.toContain("differs");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^autoregressive, tokens\/s\n.*median.*\n.*\nours .*\nreference .*\nratio \d/);
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

  it.each(["training-step", "latency"])("says what a side was refused, without a trace: %s", async (name) => {
    const { stderr, stdout, exitCode } = await bench(name, "--base", "nope");
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

describe("answers at quality", () => {
  const words = ["--steps", "2", "--questions", "3", "--threads", "1", "--json"];

  it("has a row for each policy and for each setting of the reference, and the fastest where all are as wrong", async () => {
    const against = join(root, "test/bench/support/lad-generic");
    const { stdout, stderr, exitCode } = await bench("answers-at-quality", ...words, "--against", against);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("round 1 of 1")]);
    const { base, measured, conditions } = JSON.parse(stdout);
    expect([base, conditions.questions, conditions.together]).toEqual(["tiny", 3, 8]);
    const [{ steps, reference, rows, speculative, comparisons }] = measured;
    expect(steps).toBe(2);
    const forwards = reference.map(({ name, forwards }: Named) => [name, forwards]);
    expect(forwards).toEqual([
      ["greedy", 32],
      ["greedy, early stop", 3],
      ["demo", 32],
    ]);
    const policies = rows.map(({ settings }: { settings: { kind: string } }) => settings.kind);
    expect(policies).toEqual(
      expect.arrayContaining(["refine", "remask", "threshold", "editing", "revoking"]),
    );
    expect(policies).not.toContain("speculative");
    expect(speculative.forwards).toBeGreaterThan(1);
    const fastest = Math.max(...rows.map(({ answersPerSecond }: Named) => answersPerSecond));
    const winner = rows.find(({ answersPerSecond }: Named) => answersPerSecond === fastest);
    const compared = comparisons.map(({ reference, ours }: Compared) => [reference, ours.name]);
    const best = winner.name; // all are wrong, and so none has a lower exact match
    expect(compared).toEqual([
      ["greedy", best],
      ["greedy, early stop", best],
      ["demo", best],
    ]);
  });
});

interface Compared {
  readonly reference: string;
  readonly ours: { readonly name: string };
}

interface Named {
  readonly name: string;
  readonly forwards: number;
  readonly answersPerSecond: number;
}
