import { afterAll, beforeAll, expect, it } from "vitest";
import type { Base, Runtime } from "../../../sdk/src/index.js";
import { scratchFolder, startRuntime } from "../support/stub.js";

let runtime: Runtime;
let base: Base;
beforeAll(async () => {
  runtime = await startRuntime(scratchFolder());
  base = await runtime.loadBase("tiny");
});
afterAll(() => runtime.close());

it.each(["삼겹살", "中", "👩‍👩‍👧", "Once upon a time, 世界."])(
  "the pieces of %s join to it",
  async (text) => {
    const ids = await base.encode(text);
    expect((await base.pieces(ids)).join("")).toBe(text);
    const pieces = await base.pieces([...ids, base.maskTokenId, ...ids]);
    expect(pieces.join("")).toBe(`${text}${base.info.maskToken}${text}`);
    const plain = await base.pieces([...ids, base.eosTokenId, ...ids], { special: false });
    expect(plain.join("")).toBe(`${text}${text}`);
  },
);
