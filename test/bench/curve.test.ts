import { describe, expect, it } from "vitest";
import { isReached, type LearningCurve, raceOf, spreadOf } from "../../bench/learning/curve.js";
import { warmupOf } from "../../bench/learning/theirs.js";

/** Points of (seconds, CE); the processors are busy half of the time, and a clear tail makes each CE lower by 0.1. */
function curve(name: string, ...points: [seconds: number, ce: number][]): LearningCurve {
  return {
    name,
    points: points.map(([seconds, ce], index) => ({
      updates: index + 1,
      seconds,
      processorSeconds: seconds / 2,
      ce: { lad: ce, clearTail: ce - 0.1 },
    })),
  };
}

const REFERENCE = [
  curve("slow", [30, 3], [60, 2]),
  curve("fast", [30, 1.5], [60, 1]),
  curve("wild", [30, 4]),
];

describe("a race", () => {
  it("is to the lowest CE that any run of the reference has, and counts the first moment of ours there", () => {
    const ours = [curve("short", [5, 2], [6, 1.1]), curve("long", [6, 2], [12, 1], [18, 0.5])];
    expect(raceOf(ours, REFERENCE, "lad")).toMatchObject({
      reference: { run: "fast", point: { seconds: 60 } },
      ours: { run: "long", point: { seconds: 12 } },
      ratio: 5,
      processorRatio: 5,
    });
  });

  it("counts the moment when the reference was at its best, where it got worse after", () => {
    const worsened = [curve("worsened", [20, 1], [60, 1.2])];
    expect(raceOf([curve("ours", [4, 1])], worsened, "lad").ratio).toBe(5);
  });

  it("is not won by a run that is nearly there", () => {
    const race = raceOf([curve("ours", [5, 1.001])], REFERENCE, "lad");
    expect([race.ours, race.ratio, race.processorRatio]).toEqual([null, null, null]);
  });

  it("has no ratio of processors' time where the system does not tell it", () => {
    const [own] = [curve("ours", [5, 1])];
    const untold = { ...own, points: own.points.map((point) => ({ ...point, processorSeconds: null })) };
    expect(raceOf([untold], REFERENCE, "lad")).toMatchObject({ ratio: 12, processorRatio: null });
  });

  it("is over when ours is there under every noise", () => {
    const there = curve("ours", [5, 0.9]);
    const underOne = { ...there, points: [{ ...there.points[0], ce: { lad: 0.9, clearTail: 0.95 } }] };
    expect(isReached([there], REFERENCE)).toBe(true);
    expect(isReached([underOne as LearningCurve], REFERENCE)).toBe(false);
  });
});

describe("over the seeds", () => {
  it("a ratio is the median, the least and the most", () => {
    expect(spreadOf([4, 9, 5])).toEqual({ median: 5, min: 4, max: 9 });
  });

  it("there is none where a seed did not get there, or none was measured", () => {
    expect(spreadOf([4, null, 5])).toBeNull();
    expect(spreadOf([])).toBeNull();
  });
});

it("lets the reference warm up for its 100 updates, and for a tenth of a short run", () => {
  expect([warmupOf(5000), warmupOf(400), warmupOf(5)]).toEqual([100, 40, 0]);
});
