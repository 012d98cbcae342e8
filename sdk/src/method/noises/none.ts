/** `none`: nothing is corrupted. */
import { fields } from "../../checks/fields.js";
import { defineNoise } from "./drawing.js";

/** No noise. */
export interface NoNoise {
  /** Names the noise. */
  readonly kind: "none";
}

/** Nothing is corrupted. */
export function noNoise(): NoNoise {
  return { kind: "none" };
}

defineNoise(noNoise, {
  kind: "none",
  options: fields({}),
  hasTime: false,
  noisesTail: () => true,
  corrupt: (cells) => ({ cells }),
});
