/** The corruptions that training knows (docs/method.md §3), their defaults and their ranges. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { above, fields, flag, integer, probability } from "../checks/fields.js";
import { invalidOption } from "../errors.js";
import type { PreparedExample } from "../prepared-example.js";

const NOISE_KINDS = ["lad", "mask-only", "cover", "uniform", "none"] as const;
export type NoiseKind = (typeof NOISE_KINDS)[number];

const tail = {
  /** Whether the EOS tail is noised as the answer is. False leaves it clean and visible. */
  tailNoise: flag().default(true),
};

const structural = {
  ...tail,
  /** Probability that the whole answer becomes MASK and nothing else happens. */
  fullMaskProbability: probability().default(0.1),
  /** Probability, otherwise, that some positions are masked. */
  maskProbability: probability().default(0.5),
  /** The masked share is drawn from U(0, this). */
  maxMaskFraction: probability().default(0.5),
  /** Neighbours are swapped with probability p · this, p ~ U(0, 1) once an example. */
  swapScale: probability().default(0.25),
  /** Positions copy a neighbour with probability p · this. */
  duplicateScale: probability().default(0.25),
  /** One span is copied elsewhere with probability p · this. */
  shiftScale: probability().default(0.25),
  /** Longest span, in tokens. */
  maxSpan: integer(1, 1024).default(3),
  /** Farthest copy, in tokens. */
  maxShift: integer(1, 1024).default(4),
};

const minTime = above(0).max(1, { error: "a number above 0 and at most 1" }).default(1e-3);

const timed = {
  ...tail,
  /** t ~ U(minTime, 1) is the probability that a token is corrupted. */
  minTime,
};

const ladFields = fields(structural);
const maskOnlyFields = fields(timed);
const coverFields = fields(structural);
const uniformFields = fields(timed);

const noiseObject = z.discriminatedUnion(
  "kind",
  [
    fields({ kind: z.literal("lad"), ...structural }),
    fields({ kind: z.literal("mask-only"), ...timed }),
    fields({ kind: z.literal("cover"), ...structural }),
    fields({ kind: z.literal("uniform"), ...timed }),
    fields({ kind: z.literal("none") }),
  ],
  { error: `an object whose kind is one of ${NOISE_KINDS.join(", ")}` },
);
/** Noise that the worker draws, complete. */
export type Noise = Readonly<z.output<typeof noiseObject>>;

/** A noise, or its kind's name; the builders `lad()`, `maskOnly()`, … make one. */
export const noiseSchema = z.union(
  [
    z.enum(NOISE_KINDS, { error: `one of ${NOISE_KINDS.join(", ")}` }).transform((kind) => namedNoise(kind)),
    noiseObject,
  ],
  {
    error: `one of ${NOISE_KINDS.join(", ")}, or lad(), maskOnly(), cover(), uniform(), noNoise(), customNoise()`,
  },
);
export type NoiseInput = z.input<typeof noiseSchema>;

/** The method's structural noise: masks, swaps, duplications, one span shift. */
export function lad(options: z.input<typeof ladFields> = {}): Noise {
  return { kind: "lad", ...check(ladFields, options) };
}

/** Each answer token becomes MASK with probability t (LLaDA, MDLM), at least one. */
export function maskOnly(options: z.input<typeof maskOnlyFields> = {}): Noise {
  return { kind: "mask-only", ...check(maskOnlyFields, options) };
}

/** Half of the examples `lad`, half masked with t ~ U(0, 1): closes the hole of `lad` between 50 and 100 % masked. */
export function cover(options: z.input<typeof coverFields> = {}): Noise {
  return { kind: "cover", ...check(coverFields, options) };
}

/** Each answer token becomes a uniformly drawn token of the vocabulary with probability t. */
export function uniform(options: z.input<typeof uniformFields> = {}): Noise {
  return { kind: "uniform", ...check(uniformFields, options) };
}

/** Nothing is corrupted. */
export function noNoise(): Noise {
  return { kind: "none" };
}

/** What a custom noise may draw from: the numbers that a built-in noise would have for the same example. */
export interface NoiseDraw {
  readonly seed: bigint;
  readonly epoch: number;
  /** `count` numbers in [0, 1), a pure function of (seed, example id, epoch, lane). */
  uniforms(count: number, lane?: number): Float64Array;
  readonly maskTokenId: number;
  /** What answers learn to end with. */
  readonly eosTokenId: number;
  readonly vocabSize: number;
}

/** What a noise made of an example. */
export interface Corruption {
  /** The input's token ids, as many as the example has. */
  readonly ids: ArrayLike<number>;
  /** t of the 1/t loss, in (0, 1]. */
  readonly time?: number | undefined;
}

/** Noise given by the caller. The run's loop is then in TypeScript, over the primitives. */
export interface CustomNoise {
  readonly kind: "custom";
  readonly corrupt: (example: PreparedExample, draw: NoiseDraw) => Corruption;
}

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

/** Every parameter of a noise; those that its kind does not use have the method's values. */
export interface NoiseSpec {
  readonly kind: NoiseKind;
  readonly tailNoise: boolean;
  readonly fullMaskProbability: number;
  readonly maskProbability: number;
  readonly maxMaskFraction: number;
  readonly swapScale: number;
  readonly duplicateScale: number;
  readonly shiftScale: number;
  readonly maxSpan: number;
  readonly maxShift: number;
  readonly minTime: number;
}

/** All parameters of a noise, as the worker and the noise functions of this package take them. */
export function noiseSpec(noise: Noise): NoiseSpec {
  return { ...ladFields.parse({}), minTime: minTime.parse(undefined), ...noise };
}

function namedNoise(kind: NoiseKind): Noise {
  const builders = { lad, "mask-only": maskOnly, cover, uniform, none: noNoise };
  return builders[kind]();
}

/** Example-wise weight of the 1/t loss needs t; only these noises have one. */
export function hasTime(noise: { kind: string }): boolean {
  return noise.kind === "mask-only" || noise.kind === "uniform";
}
