/** Every noise that is drawn without the model: a pure function of (seed, example id, epoch). */
import type { OptionsByKind } from "../kinds.js";
import { cover } from "./cover.js";
import { fixed } from "./fixed.js";
import { lad } from "./lad.js";
import { maskOnly } from "./mask-only.js";
import { noNoise } from "./none.js";
import { uniform } from "./uniform.js";

/** Their builders, by the names that options know them by. */
export const drawnNoises = {
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
  /** Corruptions of given levels. */
  fixed,
} as const;

type Builders = typeof drawnNoises;

/** The name of a noise that is drawn without the model. */
export type DrawnNoiseKind = keyof Builders;

/** A noise that is drawn without the model, complete. */
export type DrawnNoise = ReturnType<Builders[DrawnNoiseKind]>;

/** A noise that is drawn without the model: its name, or its kind with those of its options that are not the defaults. */
export type DrawnNoiseInput = DrawnNoiseKind | OptionsByKind<Builders>;
