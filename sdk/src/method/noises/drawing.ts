/** What the noises share: the numbers that they draw, the cells that they corrupt, and what each has to say of itself. */
import type { z } from "zod";
import { type Builder, Definitions } from "../kinds.js";
import { argsort } from "../random.js";
import type { Cells } from "../structural-noise.js";

/** Lanes with one number for each cell. Lane 0 holds the single ones. */
export const LANE = { keys: 1, swaps: 2, chosen: 3, sides: 4, tokens: 5 } as const;

/** The places of the single numbers; a span's shift takes five. */
export const SCALAR = {
  fullMask: 0,
  strength: 1,
  mask: 2,
  fraction: 3,
  shift: 4,
  span: 5,
  cover: 10,
  time: 11,
} as const;

/** What one example's noise may draw from: a pure function of (seed, example id, epoch). */
export interface Drawing {
  scalar(place: number): number;
  /** The five numbers of a span's shift. */
  span(): Float64Array;
  /** One number for each cell. */
  lane(number: number): Float64Array;
  /** Where the cells stand in the window. */
  readonly positions: readonly number[];
  readonly maskTokenId: number;
  readonly vocabSize: number;
}

/** What became of an answer's cells, and the t that it was drawn with, where there is one. */
export interface Corrupted {
  readonly cells: Cells;
  readonly time?: number;
}

/** What the model itself is to write of the answers that a noise has corrupted, in one forward. */
export interface Drafting {
  /** Of the examples. */
  readonly share: number;
  /** Of its draws; 0: the most probable tokens. */
  readonly temperature: number;
  /** Part of a run's steps that are taken before the first draft. */
  readonly after: number;
}

/** What a kind of noise says of itself. */
export interface NoiseDefinition<Spec extends { readonly kind: string } = { readonly kind: string }> {
  readonly kind: Spec["kind"];
  /** Its options, and nothing else. */
  readonly options: z.ZodObject<z.ZodRawShape, z.core.$strict>;
  /** Whether each example has a t, so that a loss may weight by it. */
  readonly hasTime: boolean;
  /** Whether the EOS tail is noised as the answer is; else it stays clean and visible. */
  noisesTail(noise: Spec): boolean;
  /** What the model itself writes of the answers that training shows. Default: nothing. */
  drafting?(noise: Spec): Drafting;
  /** What becomes of an answer's cells, at least one. */
  corrupt(cells: Cells, noise: Spec, drawing: Drawing): Corrupted;
}

const definitions = new Definitions<NoiseDefinition>();

/** Says what the noises are that `build` makes; to be done where it stands. */
export function defineNoise<Spec extends { readonly kind: string }>(
  build: (options?: never) => Spec,
  definition: NoiseDefinition<Spec>,
): void {
  definitions.set(build, definition);
}

export function definitionOf(build: Builder): NoiseDefinition {
  return definitions.of(build);
}

/** The same with MASK at some cells. */
export function masked(cells: Cells, chosen: Iterable<number>, maskTokenId: number): Cells {
  const result = [...cells];
  for (const i of chosen) result[i] = { id: maskTokenId, masked: true };
  return result;
}

/** Indices of the `count` lowest keys, equal keys by lower index: as many cells drawn without replacement. */
export function lowest(keys: Float64Array, count: number): Uint32Array {
  return argsort(keys).subarray(0, count);
}
