/** `cover`: half of the examples as `lad`, half masked with t ~ U(0, 1). */
import { check } from "../../checks/check.js";
import type { Complete } from "../../checks/fields-of.js";
import { defineNoise, SCALAR } from "./drawing.js";
import { type LadOptions, ladFields, structured } from "./lad.js";
import { maskedBelow } from "./mask-only.js";

/** How much `cover` noise masks and rearranges the half of the examples that are as under `lad`. */
export interface CoverOptions extends LadOptions {}

/** Covering noise, complete. */
export interface Cover extends Complete<CoverOptions> {
  /** Names the noise. */
  readonly kind: "cover";
}

/** Half of the examples `lad`, half masked with t ~ U(0, 1): closes the hole of `lad` between 50 and 100 % masked. */
export function cover(options: CoverOptions = {}): Cover {
  return { kind: "cover", ...check(ladFields, options) };
}

defineNoise(cover, {
  kind: "cover",
  options: ladFields,
  hasTime: false,
  noisesTail: ({ tailNoise }) => tailNoise,
  corrupt: (cells, noise, drawing) => {
    if (drawing.scalar(SCALAR.cover) < 0.5) return { cells: structured(cells, noise, drawing) };
    const time = drawing.scalar(SCALAR.time);
    return { cells: maskedBelow(cells, time, drawing), time };
  },
});
