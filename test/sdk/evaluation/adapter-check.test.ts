import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { movement } from "../../../sdk/src/evaluation/adapter-check.js";
import { SamplingService, toFloat32Bytes } from "../../../sdk/src/wire.js";
import { MASK, stubWorker } from "../support/stub-worker.js";

/** A worker of a vocabulary of two: the base is even everywhere, the adapter has these logits at the last position. */
async function checked(logits: [number, number], answerTokens = 2) {
  const { adapter, transport } = await stubWorker();
  transport.onCall(SamplingService.predict, ({ adapterId, canvases }) => ({
    predictions: canvases.map(() => {
      const rows = Array.from({ length: answerTokens }, () => [0, 0]);
      if (adapterId !== "") rows[answerTokens - 1] = logits;
      const none = Buffer.alloc(0);
      const empty = { ids: [], confidences: none, entropies: none, standing: none, topIds: [] };
      return { ...empty, topProbabilities: none, logits: toFloat32Bytes(rows.flat()) };
    }),
  }));
  return { adapter, requests: () => transport.requestsOf(SamplingService.predict) };
}

describe("checking an adapter", () => {
  it("tells one that does nothing", async () => {
    const { adapter } = await checked([0, 0]);
    expect(await adapter.check({ answerTokens: 2 })).toEqual({
      moves: false,
      meanKl: 0,
      maxKl: 0,
      changed: 0,
      prompts: 3,
      positions: 6,
      attention: "full",
    });
  });

  it("measures the divergence from the base, position by position", async () => {
    const { adapter } = await checked([0, Math.log(3)]);
    const result = await adapter.check({ answerTokens: 2, prompts: [{ ids: [1] }] });
    const kl = 0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75);
    expect(result).toMatchObject({ moves: true, changed: 0.5, prompts: 1, positions: 2 });
    expect(result.maxKl).toBeCloseTo(kl, 6);
    expect(result.meanKl).toBeCloseTo(kl / 2, 6);
  });

  it("asks both models the same masked canvas", async () => {
    const { adapter, requests } = await checked([0, 1]);
    await adapter.check({ answerTokens: 2, prompts: [{ ids: [1, 5] }], attention: "prefix" });
    const [base, own] = requests();
    expect(base).toMatchObject({ adapterId: "", canvases: [{ ids: [1, 5, MASK, MASK], answerStart: 2 }] });
    expect({ ...base, adapterId: "adapter-1" }).toEqual(own);
  });

  it("refuses a prompt of two kinds by name", async () => {
    const { adapter } = await checked([0, 1]);
    expect(() => adapter.check({ prompts: [{ ids: [1], messages: "a" }] })).toThrow("prompts[0].messages");
  });
});

describe("the divergence of two distributions", () => {
  const logits = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 4, maxLength: 4 });

  it("is that of the definition, never negative, and 0 for equal ones", () => {
    fc.assert(
      fc.property(logits, logits, (before, after) => {
        const [x, y] = [Float32Array.from(before), Float32Array.from(after)];
        const softmax = (values: Float32Array) => {
          const all = Array.from(values, Math.exp);
          return all.map((value) => value / all.reduce((a, b) => a + b, 0));
        };
        const [p, q] = [softmax(x), softmax(y)];
        const plain = p.reduce((sum, each, i) => sum + each * Math.log(each / (q[i] ?? 1)), 0);
        expect(movement(x, y).kl).toBeCloseTo(Math.max(0, plain), 8);
        expect(movement(x, x)).toEqual({ kl: 0, moves: false, changed: false });
      }),
    );
  });
});
