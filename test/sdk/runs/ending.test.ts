/** What stands behind the last piece of an answer that is given whole. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstStop } from "../../../sdk/src/method/answer-end.js";
import { beginningOf, type Part } from "../../../sdk/src/runs/beginning.js";

const EOS = 2;
const MASK = 3;
const parts: readonly Part[] = [
  { tokens: 2, ids: [10, 11], pinned: true },
  { tokens: 1, pinned: false },
];

describe("the end of an answer in pieces", () => {
  it("is the token that ends answers, then what filled the tails in turn, all pinned", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 20, max: 40 }), { maxLength: 5 }),
        fc.integer({ min: 0, max: 12 }),
        (padTokenIds, rest) => {
          const facts = { maskTokenId: MASK, eosTokenId: EOS, padTokenIds };
          const { ids, pinned, masked } = beginningOf(parts, 3 + rest, facts, true);
          const cycle = padTokenIds.length > 0 ? padTokenIds : [EOS];
          const tail = Array.from({ length: Math.max(0, rest - 1) }, (_, i) => cycle[i % cycle.length]);
          expect(ids.slice(3)).toEqual(rest > 0 ? [EOS, ...tail] : []);
          expect(pinned.slice(3).every(Boolean)).toBe(true);
          expect(masked).toEqual(ids.map((_, p) => p === 2));
          expect(firstStop(ids, pinned, [EOS, ...padTokenIds])).toBe(2);
        },
      ),
    );
  });

  it("is open where the pieces are a draft", () => {
    const facts = { maskTokenId: MASK, eosTokenId: EOS, padTokenIds: [20] };
    const { ids, masked, pinned } = beginningOf(parts, 6, facts, false);
    expect(ids.slice(3)).toEqual([MASK, MASK, MASK]);
    expect(masked.slice(3)).toEqual([true, true, true]);
    expect(pinned.slice(3)).toEqual([false, false, false]);
  });
});
