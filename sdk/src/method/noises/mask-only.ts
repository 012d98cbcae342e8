/** `mask-only` (LLaDA, arXiv 2502.09992; MDLM, arXiv 2406.07524). */
import { check } from "../../checks/check.js";
import { above, flag } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import type { Cells } from "../structural-noise.js";
import { type Drawing, defineNoise, LANE, lowest, masked, SCALAR } from "./drawing.js";

/** How much a noise corrupts that has a time t, the probability that a token is corrupted. */
export interface TimedOptions {
  /** Whether the EOS tail is noised as the answer is; `false` leaves it clean and visible. Default: true. */
  tailNoise?: boolean | undefined;
  /** Each example draws t ~ U(this, 1): a number above 0 and at most 1. Default: 0.001. */
  minTime?: number | undefined;
}

/** How much `mask-only` noise masks. */
export interface MaskOnlyOptions extends TimedOptions {}

/** Masking noise, complete. */
export interface MaskOnly extends Complete<MaskOnlyOptions> {
  /** Names the noise. */
  readonly kind: "mask-only";
}

export const timedFields = fieldsOf<TimedOptions>()({
  tailNoise: flag().default(true),
  minTime: above(0).max(1, { error: "a number above 0 and at most 1" }).default(1e-3),
});

/** Each answer token becomes MASK with probability t (LLaDA, MDLM), at least one. */
export function maskOnly(options: MaskOnlyOptions = {}): MaskOnly {
  return { kind: "mask-only", ...check(timedFields, options) };
}

defineNoise(maskOnly, {
  kind: "mask-only",
  options: timedFields,
  hasTime: true,
  noisesTail: ({ tailNoise }) => tailNoise,
  corrupt: (cells, noise, drawing) => {
    const time = drawnTime(noise, drawing);
    return { cells: maskedBelow(cells, time, drawing), time };
  },
});

/** t ~ U(minTime, 1) */
export function drawnTime({ minTime }: Complete<TimedOptions>, drawing: Drawing): number {
  return minTime + (1 - minTime) * drawing.scalar(SCALAR.time);
}

/** MASK where a cell's key is below `time`; where there is none, at the lowest key. */
export function maskedBelow(cells: Cells, time: number, drawing: Drawing): Cells {
  const keys = drawing.lane(LANE.keys);
  const below = cells.flatMap((_, i) => ((keys[i] as number) < time ? [i] : []));
  return masked(cells, below.length > 0 ? below : lowest(keys, 1), drawing.maskTokenId);
}
