import { expect, expectTypeOf, it } from "vitest";
import { counted, numberOf, pb, type Word, wordOf, wordsOf } from "../../sdk/src/wire.js";

const { AttentionMode } = pb.training;

it("an enumeration's words go by one rule, in types as well", () => {
  expectTypeOf<Word<typeof AttentionMode>>().toEqualTypeOf<"full" | "causal" | "prefix" | "causal-prefix">();
  expect(numberOf(AttentionMode, "causal-prefix")).toBe(AttentionMode.CAUSAL_PREFIX);
  expect(wordsOf(AttentionMode)).toEqual(["full", "causal", "prefix", "causal-prefix"]);
  for (const word of wordsOf(AttentionMode)) {
    expect(wordOf(AttentionMode, numberOf(AttentionMode, word))).toBe(word);
  }
});

it.each([0, 9])("a worker that sends %i is told what it could have sent", (value) => {
  expect(() => wordOf(AttentionMode, value)).toThrow(
    `The worker sent ${value}, which is none of full,causal,prefix,causal-prefix.`,
  );
});

it("counts become plain numbers, and nothing else changes", () => {
  const bytes = Uint8Array.of(1);
  expect(counted({ steps: 2n ** 40n, rank: 4, name: "n", bytes, missing: undefined })).toEqual({
    steps: 2 ** 40,
    rank: 4,
    name: "n",
    bytes,
    missing: undefined,
  });
});
