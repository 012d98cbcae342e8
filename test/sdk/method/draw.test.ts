import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawToken, entropy, type TokenDraw } from "../../../sdk/src/method/draw.js";
import { Purpose, uniforms } from "../../../sdk/src/method/random.js";
import golden from "../../contract/draw.json" with { type: "json" };

describe("drawToken", () => {
  for (const { name, seed, iteration, draw, ids, confidences } of golden.cases) {
    test(`draws the worker's tokens: ${name}`, () => {
      const numbers = uniforms(BigInt(seed), Purpose.draw, 0n, iteration, golden.logits.length);
      const { eosTokenId, ...given } = draw;
      const settings = {
        ...given,
        eosBias: draw.eosBias ?? Number.NEGATIVE_INFINITY,
        stopTokenIds: [eosTokenId],
      } as Omit<TokenDraw, "logits" | "uniform">;
      for (const [p, logits] of golden.logits.entries()) {
        const drawn = drawToken({ logits, uniform: numbers[p] as number, ...settings });
        expect(drawn.id).toBe(ids[p]);
        expect(drawn.confidence).toBeCloseTo(confidences[p] as number, 6);
      }
    });
  }

  test("never draws a token of probability 0, whatever the number", () => {
    const logits = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 3, maxLength: 20 });
    const uniform = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((word) => word * 2 ** -32);
    fc.assert(
      fc.property(logits, uniform, fc.integer({ min: 1, max: 3 }), (values, number, topK) => {
        const drawn = drawToken({
          logits: values,
          uniform: number,
          temperature: 1,
          topK,
          confidence: "filtered",
        });
        expect(drawn.confidence).toBeGreaterThan(0);
        const better = values.filter((value, id) => {
          const own = values[drawn.id] as number;
          return value > own || (value === own && id < drawn.id);
        });
        expect(better.length).toBeLessThan(topK);
      }),
    );
  });

  test("needs to know the stop tokens to bias them", () => {
    expect(() => drawToken({ logits: [0, 1], uniform: 0, eosBias: 1 })).toThrow("stopTokenIds is missing");
  });

  test("draws none of the stop tokens where they are forbidden", () => {
    const draw = { logits: [9, 8, 1, 7], uniform: 0.5, eosBias: Number.NEGATIVE_INFINITY };
    expect(drawToken({ ...draw, stopTokenIds: [0, 1] }).id).toBe(3);
    expect(drawToken({ ...draw, stopTokenIds: [0, 1], temperature: 1 }).confidence).toBeGreaterThan(0);
  });
});

test("entropy is the worker's", () => {
  for (const [p, logits] of golden.logits.entries()) {
    expect(entropy(logits)).toBeCloseTo(golden.entropies[p] as number, 5);
  }
  expect(entropy([0, Number.NEGATIVE_INFINITY])).toBe(0);
});
