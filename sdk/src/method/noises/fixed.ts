/** `fixed`: corruptions at levels that are given, not drawn, to measure what a model repairs. */
import { check } from "../../checks/check.js";
import { flag, integer, probability } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { duplicate, shift, stretchesOf, swap } from "../structural-noise.js";
import { defineNoise, LANE, lowest, masked, SCALAR } from "./drawing.js";

/** How much `fixed` noise corrupts, in this order. */
export interface FixedOptions {
  /** Whether the EOS tail is noised as the answer is; `false` leaves it clean and visible. Default: true. */
  tailNoise?: boolean | undefined;
  /** Exactly this share of the answer is masked, rounded down, at least one token if it is above 0: a number from 0 to 1. Default: 0. */
  masked?: number | undefined;
  /** Neighbours are swapped with this probability, a number from 0 to 1. Default: 0. */
  swapped?: number | undefined;
  /** Positions copy a neighbour with this probability, a number from 0 to 1. Default: 0. */
  duplicated?: number | undefined;
  /** One span is copied elsewhere with this probability, a number from 0 to 1. Default: 0. */
  shifted?: number | undefined;
  /** Longest span that is copied, in tokens: an integer from 1 to 1,024. Default: 3. */
  maxSpan?: number | undefined;
  /** How far it is copied at most, in tokens: an integer from 1 to 1,024. Default: 4. */
  maxShift?: number | undefined;
}

/** Noise of given levels, complete. */
export interface Fixed extends Complete<FixedOptions> {
  /** Names the noise. */
  readonly kind: "fixed";
}

export const fixedFields = fieldsOf<FixedOptions>()({
  tailNoise: flag().default(true),
  masked: probability().default(0),
  swapped: probability().default(0),
  duplicated: probability().default(0),
  shifted: probability().default(0),
  maxSpan: integer(1, 1024).default(3),
  maxShift: integer(1, 1024).default(4),
});

/** Masks, swaps, duplications and a span shift of given levels, as `lad` makes them. */
export function fixed(options: FixedOptions = {}): Fixed {
  return { kind: "fixed", ...check(fixedFields, options) };
}

defineNoise(fixed, {
  kind: "fixed",
  options: fixedFields,
  hasTime: false,
  noisesTail: ({ tailNoise }) => tailNoise,
  corrupt: (clean, noise, drawing) => {
    const count = noise.masked > 0 ? Math.max(1, Math.floor(noise.masked * clean.length)) : 0;
    const hidden = masked(clean, lowest(drawing.lane(LANE.keys), count), drawing.maskTokenId);
    const stretches = stretchesOf(drawing.positions);
    const swapped = swap(hidden, stretches, drawing.lane(LANE.swaps), noise.swapped);
    const [chosen, sides] = [drawing.lane(LANE.chosen), drawing.lane(LANE.sides)];
    const doubled = duplicate(swapped, stretches, chosen, sides, noise.duplicated);
    const isShifted = drawing.scalar(SCALAR.shift) < noise.shifted;
    return { cells: isShifted ? shift(doubled, stretches, drawing.span(), noise) : doubled };
  },
});
