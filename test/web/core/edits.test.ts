import { describe, expect, it } from "vitest";
import type { SamplingState } from "../../../sdk/src/index.js";
import { type Edit, edited, roomOf } from "../../../sdk/web/src/core/edits.js";

const MASK = 9;
const facts = { maskTokenId: MASK, eosTokenId: 0, stopTokenIds: [0] };

/** An answer of five tokens that is done: the third is masked, the first the user's. */
const state: SamplingState = {
  ids: [1, 2, MASK, 4, 0],
  masked: [false, false, true, false, false],
  pinned: [true, false, false, false, false],
  kept: [false, true, false, false, false],
  confidences: [1, 0.5, 0, 0.25, 0.75],
  memory: [3],
  sampled: [1, 2, 3, 4, 0],
  same: 2,
  iteration: 7,
  stopped: "settled",
  finished: 0,
  finishedIterations: 0,
  forwards: 8,
};
const before = { state, pins: [true, false, false, false, false], sampled: [1, 2, 3, 4, 0] };
const draft = (...ids: number[]): Edit => ({ kind: "draft", ids, pieces: ids.map(String) });

describe("a draft that is pasted", () => {
  it("is the whole answer, of which all may change, from half of the schedule on", () => {
    const { state: after, pins, goesOn, strength } = edited(before, draft(5, 6), facts);
    expect(after).toMatchObject({
      ids: [5, 6, MASK, MASK, MASK],
      iteration: 0,
      same: 0,
      sampled: [],
      memory: [],
    });
    expect(after.masked).toEqual([false, false, true, true, true]);
    expect([...after.pinned, ...after.kept, ...pins]).toEqual(Array(15).fill(false));
    expect(after.confidences).toEqual([1, 1, 0, 0, 0]);
    expect(after.stopped).toBeUndefined();
    expect([goesOn, strength]).toEqual([true, 0.5]);
  });

  it("may be as long as the canvas in hand, and takes the place of those before it", () => {
    const later = { ...before, state: { ...state, finished: 2, finishedIterations: 4 } };
    expect(roomOf(later.state)).toBe(3);
    const { state: after } = edited(later, draft(5, 6, 7), facts);
    expect(after).toMatchObject({
      ids: [5, 6, 7],
      masked: [false, false, false],
      finished: 0,
      finishedIterations: 0,
    });
    expect(roomOf(after)).toBe(3);
  });

  it("leaves the answer that it replaces as it was, to be gone back to", () => {
    const kept = structuredClone(before);
    edited(before, draft(5), facts);
    expect(before).toEqual(kept);
  });
});
