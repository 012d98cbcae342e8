/** A reproduction in pieces: interrupted and gone on with, it gives what an uninterrupted one gives, and its report. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  gsm8k,
  type ReproducedPiece,
  type Reproduction,
  Runtime,
  reproduceLad,
  shortAnswer,
} from "../../../sdk/src/index.js";

const words = ["red", "green", "blue", "grey", "gold", "pink", "tan", "teal"];
const examples = words.map((output, i) => ({ instruction: `Name colour ${i}.`, output }));
const data = { train: examples, validation: examples, easy: examples, arithmetic: examples.slice(0, 4) };
const folder = mkdtempSync(join(tmpdir(), "lad-reproduction-"));
let runtime: Runtime;

beforeAll(async () => {
  runtime = await Runtime.start({ threads: 1 });
});

afterAll(async () => {
  await runtime?.close();
  rmSync(folder, { recursive: true, force: true });
});

function small(name: string, options: { steps?: number } = {}): Reproduction {
  const few = { bases: ["stub"], ranks: [2, 4], steps: 2, questions: 4, iterations: [1, 2, 8] };
  const sums = { data: [{ question: "1 + 1?", answer: "#### 2" }] };
  const benchmarks = { easy: [shortAnswer(sums)], arithmetic: [gsm8k(sums)] };
  return reproduceLad({ ...few, folder: join(folder, name), data, benchmarks, ...options });
}

async function finish(reproduction: Reproduction): Promise<ReproducedPiece[]> {
  const ended: ReproducedPiece[] = [];
  for await (const piece of reproduction.run(runtime)) ended.push(piece);
  return ended;
}

describe("reproduceLad", () => {
  it("goes on where it was stopped, and then finds what an uninterrupted one finds", async () => {
    const stopped = small("stopped");
    const stop = new AbortController();
    const first: string[] = [];
    const until = async () => {
      for await (const { name } of stopped.run(runtime, { signal: stop.signal })) {
        if (first.push(name) === 5) stop.abort();
      }
    };
    await expect(until()).rejects.toMatchObject({ code: "cancelled" });

    const again = small("stopped");
    const ended = await finish(again);
    expect(ended.filter(({ error }) => error !== undefined)).toEqual([]);
    const resumed = ended.filter((piece) => piece.resumed).map(({ name }) => name);
    expect(resumed.slice(0, 5)).toEqual(first.slice(0, 5));
    expect(resumed.length).toBeLessThan(ended.length);
    expect(ended.at(-1)).toMatchObject({ done: again.pieces.length, total: again.pieces.length });

    const whole = small("whole");
    await finish(whole);
    expect(again.judge()).toEqual(whole.judge());
    expect(whole.judge().every(({ findings }) => findings.length > 0)).toBe(true);
  }, 120_000);

  it("writes a report with every claim, its verdicts and one answer as it came about", async () => {
    const reproduction = small("whole");
    await finish(reproduction);
    const { html, markdown, results } = await reproduction.report("lad reproduce");
    for (const path of [html, markdown, results]) expect(existsSync(path)).toBe(true);
    const text = readFileSync(markdown, "utf8");
    for (const { title, findings } of reproduction.judge()) {
      expect(text).toContain(title);
      for (const { claim } of findings) expect(text).toContain(claim);
    }
    expect(text).toContain("lad reproduce");
    expect(text).toMatch(/stub rank 4 .* short-answer by text/);
    expect(text).toMatch(/stub rank 4 .* gsm8k by number/);
    expect(readdirSync(join(folder, "whole/benchmarks")).sort()).toEqual([
      "stub-rank-4-gsm8k",
      "stub-rank-4-short-answer",
    ]);
  }, 120_000);

  it("refuses a folder of other options, and names what differs", async () => {
    await expect(finish(small("whole", { steps: 3 }))).rejects.toMatchObject({
      code: "invalid-state",
      message: expect.stringContaining("steps"),
    });
  });

  it("tells what it will take and write before it writes anything", async () => {
    const { bases, tokens, writes } = await small("planned").plan(runtime);
    expect(bases).toMatchObject([{ base: "stub", variants: 4 }]);
    expect(tokens).toBe(4 * (bases[0]?.tokens ?? 0));
    const elsewhere = Object.keys(writes).filter((path) => !path.startsWith(join(folder, "planned")));
    expect(elsewhere).toEqual(["checkpoints in the worker's state folder"]);
    expect(existsSync(join(folder, "planned"))).toBe(false);
  });

  it("refuses ranks that do not rise", () => {
    expect(() => reproduceLad({ folder, ranks: [16, 4] })).toThrow("ranks");
  });
});
