import { expect, it } from "vitest";
import { nearest } from "../../../sdk/src/checks/nearest.js";

const options = ["rank", "alpha", "targets", "learningRate", "warmupSteps", "steps"];

it.each([
  ["rnak", "rank"],
  ["Rank", "rank"],
  ["target", "targets"],
  ["learningrate", "learningRate"],
  ["lerningRat", "learningRate"],
  ["warmUpStep", "warmupSteps"],
  ["stps", "steps"],
])("%s was meant as %s", (word, meant) => {
  expect(nearest(word, options)).toBe(meant);
});

it.each(["", "colour", "xy", "optimizer"])("%j is near to none", (word) => {
  expect(nearest(word, options)).toBeUndefined();
});
