import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrap, paired } from "../../../../sdk/src/evaluation/statistics/bootstrap.js";
import { jackknife, pairedJackknife } from "../../../../sdk/src/evaluation/statistics/jackknife.js";
import { newcombe, wilson } from "../../../../sdk/src/evaluation/statistics/wilson.js";
import { Purpose, uniforms } from "../../../../sdk/src/method/random.js";

const hits = (yes: number, no: number) => [...Array(yes).fill(true), ...Array(no).fill(false)];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const some = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 12 });

describe("Wilson's interval", () => {
  test("has the values of the formula, worked out apart", () => {
    const { value, n, interval } = wilson(hits(8, 2));
    expect({ value, n }).toEqual({ value: 0.8, n: 10 });
    expect(interval[0]).toBeCloseTo(0.4902, 4);
    expect(interval[1]).toBeCloseTo(0.9433, 4);
    expect(wilson([])).toEqual({ value: Number.NaN, n: 0, interval: [0, 1], by: "wilson" });
  });

  test("holds the share and lies within 0 and 1, and is no point", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), (given) => {
        const { value, interval } = wilson(given);
        expect(interval[0]).toBeGreaterThanOrEqual(0);
        expect(interval[0]).toBeLessThanOrEqual(value + 1e-12);
        expect(interval[1]).toBeGreaterThanOrEqual(value - 1e-12);
        expect(interval[1]).toBeLessThanOrEqual(1);
        expect(interval[0]).toBeLessThan(interval[1]);
      }),
    );
  });
});

describe("Newcombe's interval of a difference", () => {
  test("has the values of his paper's example: 36 both, 12 the first alone, 2 the second alone", () => {
    const first = hits(48, 2);
    const second = [...hits(36, 12), true, true];
    const { value, interval } = newcombe(first, second);
    expect(value).toBeCloseTo(0.2, 12);
    expect(interval[0]).toBeCloseTo(0.0569, 4);
    expect(interval[1]).toBeCloseTo(0.3404, 4);
  });

  test("turns around with its two sides, holds the difference, and is no point where both agree", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1 }), (pairs) => {
        const [first, second] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
        const there = newcombe(first, second);
        const back = newcombe(second, first);
        expect(there.value).toBeCloseTo(-back.value, 12);
        expect(there.interval[0]).toBeCloseTo(-back.interval[1], 12);
        expect(there.interval[0]).toBeLessThanOrEqual(there.value + 1e-12);
        expect(there.interval[1]).toBeGreaterThanOrEqual(there.value - 1e-12);
        const [low, high] = newcombe(first, first).interval;
        expect(low).toBeLessThan(high);
      }),
    );
    expect(() => newcombe([true], [])).toThrow(RangeError);
  });
});

describe("the bootstrap", () => {
  test("is the middle 95 % of the statistic of items drawn with Philox", () => {
    const items = [3, 1, 4, 1, 5];
    const resampled = Array.from({ length: 199 }, (_, round) =>
      mean(
        Array.from(uniforms(7n, Purpose.bootstrap, 0n, round, 5), (u) => items[Math.floor(u * 5)] as number),
      ),
    ).sort((a, b) => a - b);
    expect(bootstrap(items, mean, { seed: 7, resamples: 199 })).toEqual({
      value: 2.8,
      n: 5,
      interval: [resampled[4], resampled[194]],
      by: "bootstrap",
    });
  });

  test("finds the interval of a mean that the normal distribution gives", () => {
    const items = Array.from(uniforms(1n, Purpose.draw, 0n, 0, 400));
    const deviation = Math.sqrt(mean(items.map((item) => (item - mean(items)) ** 2)) / 400);
    const { value, interval } = bootstrap(items, mean);
    expect(interval[0]).toBeCloseTo(value - 1.96 * deviation, 2);
    expect(interval[1]).toBeCloseTo(value + 1.96 * deviation, 2);
  });

  test("gives the same bytes for the same seed, others for another", () => {
    const items = [0.1, 0.2, 0.7, 0.9];
    expect(bootstrap(items, mean, { seed: 3 })).toEqual(bootstrap(items, mean, { seed: 3 }));
    expect(bootstrap(items, mean, { seed: 3, resamples: 41 })).not.toEqual(
      bootstrap(items, mean, { seed: 4, resamples: 41 }),
    );
  });

  test("lies within the least and the most of the items, and does not count a resample without a value", () => {
    fc.assert(
      fc.property(some, (items) => {
        const { interval } = bootstrap(items, mean, { resamples: 40 });
        expect(interval[0]).toBeGreaterThanOrEqual(Math.min(...items) - 1e-9);
        expect(interval[1]).toBeLessThanOrEqual(Math.max(...items) + 1e-9);
      }),
    );
    const ones = (items: readonly number[]) => mean(items.filter((item) => item === 1));
    expect(bootstrap([1, 0], ones).interval).toEqual([1, 1]);
    expect(bootstrap([], mean)).toMatchObject({
      value: Number.NaN,
      n: 0,
      interval: [Number.NaN, Number.NaN],
    });
  });

  test("of pairs draws both sides of an item together", () => {
    const first = [10, 200, 3000, 5];
    const shifted = first.map((item) => item - 2);
    expect(paired(first, shifted, mean)).toEqual({
      value: 2,
      n: 4,
      interval: [2, 2],
      by: "paired bootstrap",
    });
    fc.assert(
      fc.property(some, (items) => {
        const other = items.toReversed();
        const between = items.map((item, i) => item - (other[i] ?? 0));
        const { value, interval } = paired(items, other, mean, { resamples: 99 });
        const plain = bootstrap(between, mean, { resamples: 99 });
        expect(value).toBeCloseTo(plain.value, 9);
        expect(interval[0]).toBeCloseTo(plain.interval[0], 9);
        expect(interval[1]).toBeCloseTo(plain.interval[1], 9);
      }),
    );
    expect(() => paired([1], [], mean)).toThrow(RangeError);
  });

  test("says which option is out of its range", () => {
    expect(() => bootstrap([1], mean, { resamples: 39 })).toThrow(/resamples.*39/s);
  });
});

describe("the jackknife", () => {
  test("of a mean is the standard error's interval", () => {
    const items = [2, 4, 4, 4, 5, 5, 7, 9];
    const error = Math.sqrt(items.reduce((sum, item) => sum + (item - 5) ** 2, 0) / 7 / 8);
    const { value, interval, n, by } = jackknife(items, mean);
    expect({ value, n, by }).toEqual({ value: 5, n: 8, by: "jackknife" });
    expect(interval[0]).toBeCloseTo(5 - 1.959964 * error, 6);
    expect(interval[1]).toBeCloseTo(5 + 1.959964 * error, 6);
  });

  test("holds a share of different things, which a bootstrap misses", () => {
    const different = (items: readonly number[]) => new Set(items).size / items.length;
    const items = Array.from({ length: 30 }, (_, i) => i);
    expect(jackknife(items, different, [0, 1]).interval).toEqual([1, 1]);
    expect(bootstrap(items, different).interval[1]).toBeLessThan(0.9);
  });

  test("of pairs is that of their difference, and stays within what is possible", () => {
    fc.assert(
      fc.property(some, (items) => {
        const other = items.map((item) => item ** 2);
        const between = items.map((item, i) => item - (other[i] ?? 0));
        const { value, interval } = pairedJackknife(items, other, mean);
        const plain = jackknife(between, mean);
        expect(value).toBeCloseTo(plain.value, 9);
        expect(interval[0]).toBeCloseTo(plain.interval[0], 9);
      }),
    );
    expect(jackknife([0, 1], mean, [0, 1]).interval).toEqual([0, 1]);
    expect(pairedJackknife([0, 1], [1, 0], mean, [0, 1]).interval).toEqual([-1, 1]);
    expect(jackknife([3], mean).interval).toEqual([Number.NaN, Number.NaN]);
  });
});
