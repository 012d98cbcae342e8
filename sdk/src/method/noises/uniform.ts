/** `uniform`: each answer token becomes a uniformly drawn one with probability t. */
import { check } from "../../checks/check.js";
import type { Complete } from "../../checks/fields-of.js";
import { defineNoise, LANE } from "./drawing.js";
import { drawnTime, type TimedOptions, timedFields } from "./mask-only.js";

/** How much `uniform` noise replaces. */
export interface UniformOptions extends TimedOptions {}

/** Replacing noise, complete. */
export interface Uniform extends Complete<UniformOptions> {
  /** Names the noise. */
  readonly kind: "uniform";
}

/** Each answer token becomes a uniformly drawn token of the vocabulary with probability t. */
export function uniform(options: UniformOptions = {}): Uniform {
  return { kind: "uniform", ...check(timedFields, options) };
}

defineNoise(uniform, {
  kind: "uniform",
  options: timedFields,
  hasTime: true,
  noisesTail: ({ tailNoise }) => tailNoise,
  corrupt: (cells, noise, drawing) => {
    const time = drawnTime(noise, drawing);
    const [keys, tokens] = [drawing.lane(LANE.keys), drawing.lane(LANE.tokens)];
    const replaced = cells.map((cell, i) =>
      (keys[i] as number) < time
        ? { id: Math.floor((tokens[i] as number) * drawing.vocabSize), masked: false }
        : cell,
    );
    return { cells: replaced, time };
  },
});
