/** Figures beside their references, whose packages take longer to start than all of the command's other tests. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bench, root } from "./support/command.js";

describe("a figure as text", () => {
  it("compares with a reference that generates the same tokens", async () => {
    const words = ["autoregressive", "--base", "stub", "--runs", "1", "--threads", "1"];
    const { stdout, exitCode, stderr } = await bench(...words);
    expect(stderr).not.toContain("differs");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^autoregressive, tokens\/s\n.*median.*\n.*\nours .*\nreference .*\nratio \d/);
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
