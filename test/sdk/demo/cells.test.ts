/** What a canvas shows of an iteration. */
import { describe, expect, it } from "vitest";
import type { ShownFrame } from "../../../sdk/src/demo/messages.js";
import { cellsOf } from "../../../sdk/web/src/core/cells.js";

const facts = { maskTokenId: 9, stopTokenIds: [0] };
const none = { pins: [], hasDraft: false };

/** An iteration after which some positions are masked. */
function frame(answer: readonly number[], masked: readonly boolean[]): ShownFrame {
  const all = <T>(value: T) => answer.map(() => value);
  const state = {
    ids: answer.map((id, p) => (masked[p] ? 9 : id)),
    masked,
    kept: all(false),
    pinned: all(false),
    confidences: all(0.5),
  };
  const pieces = answer.map((id) => `t${id}`);
  return {
    type: "frame",
    iteration: 0,
    iterations: 4,
    edits: [],
    answer,
    masked: 0,
    pieces,
    refused: [],
    ms: 1,
    state,
  } as unknown as ShownFrame;
}

describe("the cells of an iteration", () => {
  it("are the very ones of the iteration before where they look the same, so that only what changed is drawn", () => {
    const settled = cellsOf(frame([1, 2, 3, 0], [false, false, false, false]), undefined, facts, none);
    const same = cellsOf(frame([1, 2, 3, 0], [false, false, false, false]), settled, facts, none);
    expect(same.map((cell, p) => cell === settled[p])).toEqual([true, true, true, true]);
    const next = cellsOf(frame([1, 5, 3, 0], [false, false, true, false]), settled, facts, none);
    expect(next.map((cell, p) => cell === settled[p])).toEqual([true, false, false, true]);
    expect(next[1]?.text).toBe("t5");
    expect(next[2]?.marks).toContain("remasked");
  });

  it("are others behind an end that has moved, though their tokens stay", () => {
    const long = cellsOf(frame([1, 2, 3, 0], [false, false, false, false]), undefined, facts, none);
    const short = cellsOf(frame([1, 0, 3, 0], [false, false, false, false]), long, facts, none);
    expect(short.map(({ place }) => place)).toEqual(["answer", "end", "tail", "tail"]);
    expect(short[2]).not.toBe(long[2]);
  });
});
