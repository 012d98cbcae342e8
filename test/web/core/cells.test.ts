import { describe, expect, it } from "vitest";
import type { ShownFrame } from "../../../sdk/src/demo/messages.js";
import { cellsOf, wordAt } from "../../../sdk/web/src/core/cells.js";

const MASK = 9;
const facts = { maskTokenId: MASK, stopTokenIds: [0] };
const none = { pins: [], hasDraft: false };

/** A frame of `ids` after `before`, with MASK at the positions of `masked` afterwards. */
function frame(
  ids: number[],
  before: number[],
  masked: number[],
  more: Partial<ShownFrame> = {},
): ShownFrame {
  const is = (positions: number[]) => ids.map((_, p) => positions.includes(p));
  return {
    type: "frame",
    iteration: 0,
    iterations: 4,
    edits: ids.flatMap((newToken, position) => {
      const oldToken = before[position] ?? MASK;
      const remasked = masked.includes(position);
      return oldToken === newToken && !remasked
        ? []
        : [{ position, oldToken, newToken, confidence: 0.5, remasked, kept: false }];
    }),
    answer: ids,
    masked: masked.length,
    pieces: ids.map((id) => ` t${id}`),
    refused: [],
    ms: 1,
    state: {
      ids: ids.map((id, p) => (masked.includes(p) ? MASK : id)),
      masked: is(masked),
      kept: is([]),
      pinned: is([]),
      confidences: ids.map((_, p) => (masked.includes(p) ? 0 : 0.5)),
      memory: [],
      sampled: ids,
      same: 1,
      iteration: 1,
      finished: 0,
      finishedIterations: 0,
      forwards: 1,
    },
    ...more,
  };
}

const marks = (cells: ReturnType<typeof cellsOf>) => cells.map((cell) => cell.marks.join("+"));

describe("the cells of a policy that denoises", () => {
  it("tell what is written, what stays masked, and what is masked again", () => {
    const first = cellsOf(frame([1, 2, 3], [], [1, 2]), undefined, facts, none);
    expect(marks(first)).toEqual(["written", "masked", "masked"]);
    const second = cellsOf(frame([1, 2, 3], [1], [0, 2]), first, facts, none);
    expect(marks(second)).toEqual(["remasked", "written", "masked"]);
  });

  it("tell a token that took another's place from one that stands as before", () => {
    const first = cellsOf(frame([1, 2, 3], [], []), undefined, facts, none);
    expect(marks(cellsOf(frame([1, 5, 3], [1, 2, 3], []), first, facts, none))).toEqual(["", "edited", ""]);
  });

  it("tell the user's pins from what is held for one rewriting", () => {
    const shown = frame([1, 2, 3], [], []);
    const state = { ...(shown.state as NonNullable<ShownFrame["state"]>), pinned: [true, true, false] };
    const cells = cellsOf({ ...shown, state }, undefined, facts, {
      pins: [true, false, false],
      hasDraft: false,
    });
    expect(marks(cells)).toEqual(["written+pinned", "written+held", "written"]);
  });

  it("follow a draft's tokens as long as nothing takes their place", () => {
    const drafted = { pins: [], hasDraft: true };
    const first = cellsOf(frame([1, 5, 3], [1, 2, MASK], []), undefined, facts, drafted);
    expect(marks(first)).toEqual(["drafted", "edited", "written"]);
    expect(marks(cellsOf(frame([6, 5, 3], [1, 5, 3], []), first, facts, drafted))).toEqual([
      "edited",
      "",
      "",
    ]);
  });

  it("know where the answer ends", () => {
    const cells = cellsOf(frame([1, 0, 0, 4], [], []), undefined, facts, none);
    expect(cells.map(({ place }) => place)).toEqual(["answer", "end", "tail", "tail"]);
  });

  it("join the tokens of a word, and neither masks nor punctuation", () => {
    const pieces = ["Lis", "bon", ".", " The", " cap", "ital"];
    const shown = { ...frame([1, 2, 3, 4, 5, 6], [], []), pieces };
    const cells = cellsOf(shown, undefined, facts, none);
    expect([0, 1, 2, 3, 5].map((p) => wordAt(cells, p))).toEqual([
      [0, 2],
      [0, 2],
      [2, 3],
      [3, 4],
      [4, 6],
    ]);
    const open = cellsOf({ ...frame([1, 2, 3, 4, 5, 6], [], [1]), pieces }, undefined, facts, none);
    expect(wordAt(open, 0)).toEqual([0, 1]);
  });
});

describe("the cells of a round of self-speculation", () => {
  it("tell what stands of the draft, the base's own token, and what does not stand", () => {
    const round = frame([1, 2, 3, 4], [1], [], { speculation: { drafted: [2, 3, 7, 8], accepted: 2 } });
    const { state: _, ...shown } = { ...round, refused: [" t7", " t8"] };
    const cells = cellsOf(shown, undefined, facts, none);
    expect(marks(cells)).toEqual(["", "accepted", "accepted", "own", "refused", "unchecked"]);
    expect(cells.map(({ text }) => text)).toEqual([" t1", " t2", " t3", " t4", " t7", " t8"]);
  });
});

describe("cells that look as in the iteration before", () => {
  it("are the very ones of that iteration, so that a canvas draws only what changed", () => {
    const settled = cellsOf(frame([1, 2, 3, 0], [1, 2, 3, 0], []), undefined, facts, none);
    const same = cellsOf(frame([1, 2, 3, 0], [1, 2, 3, 0], []), settled, facts, none);
    expect(same.map((cell, p) => cell === settled[p])).toEqual([true, true, true, true]);
    const next = cellsOf(frame([1, 5, 3, 0], [1, 2, 3, 0], [2]), settled, facts, none);
    expect(next.map((cell, p) => cell === settled[p])).toEqual([true, false, false, true]);
    expect(next[1]?.text).toBe(" t5");
    expect(next[2]?.marks).toContain("remasked");
  });

  it("are others behind an end that has moved, though their tokens stay", () => {
    const long = cellsOf(frame([1, 2, 3, 0], [1, 2, 3, 0], []), undefined, facts, none);
    const short = cellsOf(frame([1, 0, 3, 0], [1, 2, 3, 0], []), long, facts, none);
    expect(short.map(({ place }) => place)).toEqual(["answer", "end", "tail", "tail"]);
    expect(short[2]).not.toBe(long[2]);
  });
});
