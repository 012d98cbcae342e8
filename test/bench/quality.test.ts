import { describe, expect, it } from "vitest";
import { type Contender, compare, rowOf } from "../../bench/decoding/quality.js";

/** Right answers are 1. */
function contender(
  name: string,
  ...rounds: [right: number[], seconds: number, forwards?: number][]
): Contender {
  return {
    name,
    settings: {},
    rounds: rounds.map(([right, seconds, forwards = right.length]) => ({
      right: right.map((is) => is === 1),
      seconds,
      forwards,
    })),
  };
}

const REFERENCE = contender("greedy", [[1, 0, 0], 6], [[1, 0], 8]);

describe("a row", () => {
  it("counts answers, forwards and time over all rounds, however many questions each has", () => {
    expect(rowOf(contender("refine", [[1, 1, 0], 1, 6], [[0], 3, 2]))).toMatchObject({
      exactMatch: 0.5,
      forwards: 2,
      answersPerSecond: 1,
    });
  });
});

describe("ours beside the reference", () => {
  it("is the fastest that has the reference's exact match, not one that is faster and worse", () => {
    const worse = contender("worse", [[1, 0, 0], 1], [[0, 0], 1]);
    const slow = contender("slow", [[1, 1, 1], 3], [[1, 1], 4]);
    const equal = contender("equal", [[0, 1, 0], 2], [[0, 1], 4]);
    expect(compare([worse, slow, equal], REFERENCE)).toEqual({
      reference: "greedy",
      ours: { name: "equal", ratio: { median: 2.5, min: 2, max: 3 }, onlyOurs: 2, onlyReference: 2 },
    });
  });

  it("is nothing where none of ours is as good", () => {
    const worse = contender("worse", [[1, 0, 0], 1], [[0, 0], 1]);
    expect(compare([worse], REFERENCE)).toEqual({ reference: "greedy", ours: null });
  });

  it("has to have answered in the same rounds", () => {
    const longer = contender("longer", [[1, 1, 1], 1], [[1, 1], 1], [[1], 1]);
    expect(() => compare([longer], REFERENCE)).toThrow("greedy has no round 2");
  });
});
