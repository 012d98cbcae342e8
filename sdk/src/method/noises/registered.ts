/** Every noise that there is: its builder, its options, and what it is when it is complete. */
import { cover } from "./cover.js";
import { lad } from "./lad.js";
import { maskOnly } from "./mask-only.js";
import { noNoise } from "./none.js";
import { uniform } from "./uniform.js";

export type { Cover, CoverOptions } from "./cover.js";
export type { Lad, LadOptions } from "./lad.js";
export type { MaskOnly, MaskOnlyOptions, TimedOptions } from "./mask-only.js";
export type { NoNoise } from "./none.js";
export type { Uniform, UniformOptions } from "./uniform.js";
export { cover, lad, maskOnly, noNoise, uniform };

/** The builders of all noises, by the names that options know them by. */
export const noises = {
  /** The method's structural noise. */
  lad,
  /** Masks alone. */
  "mask-only": maskOnly,
  /** `lad` for half of the examples, `mask-only` for the other half. */
  cover,
  /** Tokens drawn from the vocabulary. */
  uniform,
  /** Nothing is corrupted. */
  none: noNoise,
} as const;
