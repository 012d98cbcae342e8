import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { compared, type Unit } from "../../bench/harness/result.js";
import type { Side } from "../../bench/harness/side.js";
import { takeTurns } from "../../bench/harness/turns.js";
import { fakeSide } from "./support/fake-side.js";

const scratch = mkdtempSync(join(tmpdir(), "lad-bench-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const open: Side[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((side) => side.close()));
});

let files = 0;
function sides(seconds: { ours: number[]; reference: number[] }) {
  const notes = join(scratch, `notes-${++files}`);
  const ours = fakeSide({ name: "a", seconds: seconds.ours, notes });
  const reference = fakeSide({ name: "b", seconds: seconds.reference, notes });
  open.push(ours, reference);
  return { sides: { ours, reference }, noted: () => readFileSync(notes, "utf8").trim() };
}

const quiet = { say: () => {} };
const TIME: Unit = { name: "s", better: "lower", of: ({ seconds }) => seconds };

describe("turns", () => {
  it("alternate, and those of the warm-up do not count", async () => {
    const { sides: both, noted } = sides({ ours: [9, 2, 1], reference: [9, 4, 3] });
    const rounds = await takeTurns(both, { runs: 2, warmups: 1, ...quiet });
    expect(noted()).toBe("a0 b0 a1 b1 a2 b2");
    expect(rounds.map(({ ours, reference }) => [ours.seconds, reference?.seconds])).toEqual([
      [2, 4],
      [1, 3],
    ]);
  });

  it("end with the first round whose sides did not compute the same, a warm-up too", async () => {
    const { sides: both, noted } = sides({ ours: [1, 1], reference: [1, 1] });
    const check = () => {
      throw new Error("not the same");
    };
    await expect(takeTurns(both, { runs: 1, warmups: 1, check, ...quiet })).rejects.toThrow("not the same");
    expect(noted()).toBe("a0 b0");
  });

  it("compare round by round: the ratio is the median of ratios, not the ratio of medians", async () => {
    const { sides: both } = sides({ ours: [1, 2, 10], reference: [3, 2, 40] });
    await both.ours.load({});
    const rounds = await takeTurns(both, { runs: 3, warmups: 0, ...quiet });
    expect(compared(both, rounds, TIME)).toEqual({
      unit: "s",
      ours: { median: 2, min: 1, max: 10, loadedBytes: 7, peakBytes: 9 },
      reference: { median: 3, min: 2, max: 40, loadedBytes: undefined, peakBytes: 9 },
      ratio: 3,
      runs: [
        { ours: 1, reference: 3, ratio: 3 },
        { ours: 2, reference: 2, ratio: 1 },
        { ours: 10, reference: 40, ratio: 4 },
      ],
    });
  });

  it("have neither reference nor ratio where ours runs alone", async () => {
    const { sides: both } = sides({ ours: [1], reference: [] });
    const alone = { ours: both.ours };
    const rounds = await takeTurns(alone, { runs: 1, warmups: 0, ...quiet });
    expect(compared(alone, rounds, TIME)).toMatchObject({
      reference: null,
      ratio: null,
      runs: [{ ours: 1 }],
    });
  });
});

describe("a side", () => {
  it("says what it could not do", async () => {
    const { sides: both } = sides({ ours: [], reference: [] });
    await expect(both.ours.run({ fail: true })).rejects.toThrow("a: it cannot");
  });

  it("that ends in the middle shows its last words", async () => {
    const { sides: both } = sides({ ours: [], reference: [] });
    await expect(both.ours.run({ crash: true })).rejects.toThrow(/The process of a ended\.\nno room left/);
  });
});
