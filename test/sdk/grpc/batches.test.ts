import { describe, expect, it } from "vitest";
import { batches } from "../../../sdk/src/grpc/batches.js";

describe("batches", () => {
  it("hold at most 4,096 items, in order", () => {
    const items = Array.from({ length: 10_000 }, (_, i) => i);
    const made = [...batches(items, () => 1)];
    expect(made.map((batch) => batch.length)).toEqual([4096, 4096, 1808]);
    expect(made.flat()).toEqual(items);
  });

  it("hold at most 4 MiB, and an item that is longer goes alone", () => {
    const MIB = 2 ** 20;
    const made = [...batches([1, 2, 1, 9, 1], (mebibytes) => mebibytes * MIB)];
    expect(made).toEqual([[1, 2, 1], [9], [1]]);
  });

  it("are none of nothing", () => {
    expect([...batches([], () => 1)]).toEqual([]);
  });
});
