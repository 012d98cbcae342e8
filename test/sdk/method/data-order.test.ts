import fc from "fast-check";
import { expect, test } from "vitest";
import { batches, type Draw, permutation } from "../../../sdk/src/method/data-order.js";
import golden from "../../contract/order.json" with { type: "json" };

test("the data order is the worker's", () => {
  for (const { seed, epoch, examples, rows } of golden.permutations) {
    expect([...permutation(BigInt(seed), epoch, examples)]).toEqual(rows);
  }
});

test("batches are the worker's, from any step on", () => {
  for (const { seed, examples, batchSize, step, draws } of golden.batches) {
    const batch = batches(BigInt(seed), examples, batchSize, step).next().value as Draw[];
    expect(batch.map(({ epoch, row }) => [epoch, row])).toEqual(draws);
  }
});

test("each epoch has every row once, whatever the batch size", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9 }), (examples, batchSize) => {
      const seen: number[][] = [[], []];
      for (const batch of batches(4n, examples, batchSize)) {
        for (const { epoch, row } of batch) seen[epoch]?.push(row);
        if (batch.some(({ epoch }) => epoch > 1)) break;
      }
      const rows = Array.from({ length: examples }, (_, i) => i);
      expect(seen.map((epoch) => epoch.toSorted((a, b) => a - b))).toEqual([rows, rows]);
    }),
  );
});
