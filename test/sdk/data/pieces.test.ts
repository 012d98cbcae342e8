import fc from "fast-check";
import { expect, it } from "vitest";
import { TokenPieces } from "../../../sdk/src/data/pieces.js";

/** A tokenizer whose tokens are runs of bytes, as byte-level BPE has them: cut anywhere, letters or not. */
function bytesTokenizer() {
  const vocabulary: Buffer[] = [];
  const calls: number[] = [];
  return {
    calls,
    encode(bytes: Uint8Array, cuts: readonly number[]): number[] {
      const ids: number[] = [];
      for (let from = 0, i = 0; from < bytes.length; i++) {
        const size = 1 + ((cuts[i % cuts.length] ?? 0) % 4);
        ids.push(vocabulary.push(Buffer.from(bytes.subarray(from, from + size))) - 1);
        from += size;
      }
      return ids;
    },
    decode: async (sequences: readonly (readonly number[])[]) => {
      calls.push(sequences.length);
      return sequences.map((ids) =>
        Buffer.concat(ids.map((id) => vocabulary[id] as Buffer)).toString("utf8"),
      );
    },
  };
}

it.each(["삼겹살", "中", "👩‍👩‍👧", "a中b", "Grüße, 世界 👋"])(
  "joins to the text, a byte a token: %s",
  async (text) => {
    const { encode, decode } = bytesTokenizer();
    const pieces = await new TokenPieces().of(encode(Buffer.from(text), [0]), decode);
    expect(pieces.join("")).toBe(text);
    expect(pieces.filter((piece) => piece !== "")).toEqual([...text]);
  },
);

it("joins to what all tokens decode to, whatever their bytes", async () => {
  const text = fc.array(
    fc.oneof(
      fc.string({ unit: "grapheme" }).map((t) => Buffer.from(t)),
      fc.uint8Array({ maxLength: 5 }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(3), { minLength: 1 }), async (parts, cuts) => {
      const { encode, decode } = bytesTokenizer();
      const ids = encode(Buffer.concat(parts), cuts);
      const pieces = await new TokenPieces().of(ids, decode);
      expect(pieces).toHaveLength(ids.length);
      expect(pieces.join("")).toBe((await decode([ids]))[0]);
    }),
  );
});

it("shows a letter where its last token is, and text of its own at every other one", async () => {
  const { encode, decode } = bytesTokenizer();
  const ids = encode(Buffer.from("a中b"), [0]);
  expect(await new TokenPieces().of(ids, decode)).toEqual(["a", "", "", "中", "b"]);
  expect(await new TokenPieces().of(ids.slice(0, 3), decode)).toEqual(["a", "", "\uFFFD"]);
});

it("asks once for what it has decoded", async () => {
  const { encode, decode, calls } = bytesTokenizer();
  const pieces = new TokenPieces();
  const ids = encode(Buffer.from("a中b"), [0]);
  const first = await pieces.of(ids, decode);
  expect(calls).toEqual([5, 2]);
  expect(await pieces.of(ids, decode)).toEqual(first);
  expect(calls).toHaveLength(2);
});
