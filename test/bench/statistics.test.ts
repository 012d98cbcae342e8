import { expect, it } from "vitest";
import { advantage, median, percentile, spread } from "../../bench/harness/statistics.js";

it("takes the middle value, or the mean of the two in the middle", () => {
  expect(median([5])).toBe(5);
  expect(median([9, 1, 4])).toBe(4);
  expect(median([10, 1, 4, 3])).toBe(3.5);
});

it("has no median of nothing", () => {
  expect(() => median([])).toThrow(RangeError);
});

it("tells the median, the least and the most", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});

it("counts twice the rate and half the time as an advantage of 2", () => {
  expect(advantage(20, 10, "higher")).toBe(2);
  expect(advantage(10, 20, "lower")).toBe(2);
});

it("a percentile is a value that was seen, and that so many do not exceed", () => {
  const values = Array.from({ length: 20 }, (_, i) => 20 - i);
  expect(percentile(values, 0.95)).toBe(19);
  expect(percentile(values, 1)).toBe(20);
  expect(percentile([3], 0.95)).toBe(3);
});
