import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argsort, Purpose, philox4x32, uniforms } from "../../../sdk/src/method/random.js";
import golden from "../../contract/philox.json" with { type: "json" };

describe("random numbers", () => {
  test("match the generator's published known answers", () => {
    for (const { counter, key, words } of golden.knownAnswers) {
      const out = new Uint32Array(4);
      const [c0, c1, c2, c3] = counter as [number, number, number, number];
      const [k0, k1] = key as [number, number];
      philox4x32(c0, c1, c2, c3, k0, k1, out);
      expect([...out]).toEqual(words);
    }
  });

  test("are the worker's, word for word", () => {
    for (const { seed, purpose, subject, round, lane, words } of golden.sequences) {
      const numbers = uniforms(BigInt(seed), purpose as Purpose, BigInt(subject), round, words.length, lane);
      expect([...numbers].map((number) => number * 2 ** 32)).toEqual(words);
    }
  });

  test("are drawn for the purposes that the worker knows, under the same values", () => {
    const constantCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const own = Object.fromEntries(
      Object.entries(Purpose).map(([name, value]) => [constantCase(name), value]),
    );
    expect(own).toEqual(golden.purposes);
  });

  test("of a longer sequence start with those of a shorter one", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(40), fc.nat(40), (seed, a, b) => {
        const [short, long] = a < b ? [a, b] : [b, a];
        const whole = uniforms(seed, Purpose.draw, 0n, 1, long);
        expect([...uniforms(seed, Purpose.draw, 0n, 1, short)]).toEqual([...whole.subarray(0, short)]);
      }),
    );
  });

  test("lie in [0, 1) with mean ½ and variance 1/12", () => {
    const numbers = uniforms(1n, Purpose.noise, 0n, 0, 100_000);
    const mean = numbers.reduce((sum, u) => sum + u, 0) / numbers.length;
    const variance = numbers.reduce((sum, u) => sum + (u - mean) ** 2, 0) / numbers.length;
    expect(numbers.every((u) => u >= 0 && u < 1)).toBe(true);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  test("refuse seeds, subjects, rounds and lanes that do not fit their width", () => {
    expect(() => uniforms(2n ** 64n, Purpose.draw, 0n, 0, 1)).toThrow(/seed is 18446744073709551616/);
    expect(() => uniforms(0n, Purpose.draw, -1n, 0, 1)).toThrow(/subject is -1/);
    expect(() => uniforms(0n, Purpose.draw, 0n, 1.5, 1)).toThrow(/round is 1.5/);
    expect(() => uniforms(0n, Purpose.draw, 0n, 0, 1, 2 ** 32)).toThrow(/lane is 4294967296/);
  });
});

test("argsort orders by key and then by index", () => {
  expect([...argsort([0.5, 0.25, 0.5, 0.1])]).toEqual([3, 1, 0, 2]);
});
