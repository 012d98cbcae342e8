/** `lad`, the method's structural noise (docs/method.md §3). */
import { check } from "../../checks/check.js";
import { flag, integer, probability } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { type Cells, duplicate, shift, stretchesOf, swap } from "../structural-noise.js";
import { type Drawing, defineNoise, LANE, lowest, masked, SCALAR } from "./drawing.js";

/** How much `lad` noise masks and rearranges. Each example draws a strength p ~ U(0, 1), which the scales are multiplied by. */
export interface LadOptions {
  /** Whether the EOS tail is noised as the answer is; `false` leaves it clean and visible. Default: true. */
  tailNoise?: boolean | undefined;
  /** Probability that the whole answer becomes MASK and nothing else happens: a number from 0 to 1. Default: 0.1. */
  fullMaskProbability?: number | undefined;
  /** Probability, otherwise, that some positions are masked: a number from 0 to 1. Default: 0.5. */
  maskProbability?: number | undefined;
  /** The masked share of the answer is drawn from U(0, this): a number from 0 to 1. Default: 0.5. */
  maxMaskFraction?: number | undefined;
  /** Neighbours are swapped with probability p times this, a number from 0 to 1. Default: 0.25. */
  swapScale?: number | undefined;
  /** Positions copy a neighbour with probability p times this, a number from 0 to 1. Default: 0.25. */
  duplicateScale?: number | undefined;
  /** One span is copied elsewhere with probability p times this, a number from 0 to 1. Default: 0.25. */
  shiftScale?: number | undefined;
  /** Longest span that is copied, in tokens: an integer from 1 to 1,024. Default: 3. */
  maxSpan?: number | undefined;
  /** How far it is copied at most, in tokens: an integer from 1 to 1,024. Default: 4. */
  maxShift?: number | undefined;
}

/** Structural noise, complete. */
export interface Lad extends Complete<LadOptions> {
  /** Names the noise. */
  readonly kind: "lad";
}

export const ladFields = fieldsOf<LadOptions>()({
  tailNoise: flag().default(true),
  fullMaskProbability: probability().default(0.1),
  maskProbability: probability().default(0.5),
  maxMaskFraction: probability().default(0.5),
  swapScale: probability().default(0.25),
  duplicateScale: probability().default(0.25),
  shiftScale: probability().default(0.25),
  maxSpan: integer(1, 1024).default(3),
  maxShift: integer(1, 1024).default(4),
});

/** The method's structural noise: masks, swaps, duplications, one span shift. */
export function lad(options: LadOptions = {}): Lad {
  return { kind: "lad", ...check(ladFields, options) };
}

defineNoise(lad, {
  kind: "lad",
  options: ladFields,
  hasTime: false,
  noisesTail: ({ tailNoise }) => tailNoise,
  corrupt: (cells, noise, drawing) => ({ cells: structured(cells, noise, drawing) }),
});

/** Masks, then swaps, duplications and one span shift. */
export function structured(clean: Cells, noise: Complete<LadOptions>, drawing: Drawing): Cells {
  const length = clean.length;
  if (drawing.scalar(SCALAR.fullMask) < noise.fullMaskProbability) {
    return masked(clean, clean.keys(), drawing.maskTokenId);
  }
  let cells = clean;
  if (drawing.scalar(SCALAR.mask) < noise.maskProbability) {
    const count = Math.floor(noise.maxMaskFraction * drawing.scalar(SCALAR.fraction) * length);
    cells = masked(cells, lowest(drawing.lane(LANE.keys), count), drawing.maskTokenId);
  }
  return length > 2 ? rearranged(cells, noise, drawing) : cells;
}

function rearranged(masked: Cells, noise: Complete<LadOptions>, drawing: Drawing): Cells {
  const strength = drawing.scalar(SCALAR.strength);
  const stretches = stretchesOf(drawing.positions);
  const swapped = swap(masked, stretches, drawing.lane(LANE.swaps), noise.swapScale * strength);
  const [chosen, sides] = [drawing.lane(LANE.chosen), drawing.lane(LANE.sides)];
  const cells = duplicate(swapped, stretches, chosen, sides, noise.duplicateScale * strength);
  const isShifted = drawing.scalar(SCALAR.shift) < noise.shiftScale * strength;
  return isShifted ? shift(cells, stretches, drawing.span(), noise) : cells;
}
