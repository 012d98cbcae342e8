/** The corruptions that training knows (docs/method.md §3), as options name them, and those of the caller's own. */
import { z } from "zod";
import { kindSchema } from "../checks/kind-schema.js";
import { invalidOption } from "../errors.js";
import {
  NOISE_KINDS,
  type Noise,
  type NoiseKind,
  type NoiseOptions,
  noiseDefinition,
} from "../method/noise.js";
import { noises } from "../method/noises/registered.js";
import type { PreparedExample } from "../method/prepared-example.js";

const NAMES = NOISE_KINDS.join(", ");

/** A noise, or its kind's name; the builders `lad()`, `maskOnly()`, … make one. */
export type NoiseInput = NoiseKind | NoiseOptions;

export const noiseSchema = kindSchema<NoiseKind, Noise, NoiseOptions>(
  noises,
  (kind) => noiseDefinition(kind).options,
  { others: ["customNoise()"] },
);

/** What a custom noise may draw from: the numbers that a built-in noise would have for the same example. */
export interface NoiseDraw {
  /** Of the run. */
  readonly seed: bigint;
  /** From 0. */
  readonly epoch: number;
  /** `count` numbers in [0, 1), a pure function of (seed, example id, epoch, lane). */
  uniforms(count: number, lane?: number): Float64Array;
  /** The base's. */
  readonly maskTokenId: number;
  /** What answers learn to end with. */
  readonly eosTokenId: number;
  /** The base's: ids are below it. */
  readonly vocabSize: number;
}

/** What a noise made of an example. */
export interface Corruption {
  /** The input's token ids, as many as the example has. */
  readonly ids: ArrayLike<number>;
  /** t of the 1/t loss, in (0, 1]. Default: none, which `inverse-time` weights do not take. */
  readonly time?: number | undefined;
}

/** Noise given by the caller. The run's loop is then in TypeScript, over the primitives. */
export interface CustomNoise {
  /** Tells it from the worker's own. */
  readonly kind: "custom";
  /** What becomes of an example: a pure function of its arguments, for a run to be repeatable. */
  readonly corrupt: (example: PreparedExample, draw: NoiseDraw) => Corruption;
}

/** A noise of the worker's or of the caller's own. */
export const noiseOrCustom = z.union(
  [noiseSchema, z.custom<CustomNoise>((value) => isCustomNoise(value), { error: "a noise" })],
  { error: `one of ${NAMES}, or ${noises.lad.name}(), …, customNoise()` },
);

/** Noise of one's own: `corrupt` has to be a pure function of its arguments for a run to be repeatable. */
export function customNoise(corrupt: CustomNoise["corrupt"]): CustomNoise {
  if (typeof corrupt !== "function") {
    throw invalidOption(
      "customNoise",
      corrupt,
      "it must be a function",
      "Give (example, draw) => ({ ids }).",
    );
  }
  return { kind: "custom", corrupt };
}

function isCustomNoise(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { kind, corrupt } = value as Partial<CustomNoise>;
  return kind === "custom" && typeof corrupt === "function";
}
