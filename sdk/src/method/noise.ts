/** Training noise, drawn as the worker draws it: a pure function of (seed, example id, epoch). */
import { invalidOption } from "../errors.js";
import type { OptionsByKind } from "./kinds.js";
import {
  type Corrupted,
  type Drawing,
  definitionOf,
  type NoiseDefinition,
  SCALAR,
} from "./noises/drawing.js";
import { noises } from "./noises/registered.js";
import type { PreparedExample } from "./prepared-example.js";
import { Purpose, uniforms } from "./random.js";
import type { Cell } from "./structural-noise.js";

type Builders = typeof noises;

/** The name of a noise. */
export type NoiseKind = keyof Builders;

/** Noise that the worker draws, complete. */
export type Noise = ReturnType<Builders[NoiseKind]>;

/** A noise by its kind, with those of its options that are not the defaults. */
export type NoiseOptions = OptionsByKind<Builders>;

/** What the model is shown; everything is per position of the window. */
export interface NoisedExample {
  /** Token ids. */
  readonly ids: number[];
  /** 1 where MASK is shown. State, not a comparison: an answer may hold the mask token as ordinary text. */
  readonly masked: Uint8Array;
  /** 1 where the id shown differs from the clean one. */
  readonly corrupted: Uint8Array;
  /** t of the noises that draw one (mask-only, uniform). */
  readonly time: number | undefined;
}

/** What keys the noise, and the base's vocabulary. */
export interface NoiseContext {
  /** Of the run. */
  readonly seed: bigint;
  /** From 0. */
  readonly epoch: number;
  /** The base's. */
  readonly maskTokenId: number;
  /** The base's. */
  readonly vocabSize: number;
  /** Default: {@link Purpose.noise}; validation draws under its own purpose, at epoch 0. */
  readonly purpose?: typeof Purpose.noise | typeof Purpose.validationNoise;
}

/** The names of all noises. */
export const NOISE_KINDS = Object.keys(noises) as [NoiseKind, ...NoiseKind[]];

/** What the noise of a name says of itself. */
export function noiseDefinition(kind: NoiseKind): NoiseDefinition {
  return definitionOf(noises[kind]);
}

/**
 * Corrupts the example's answer (its EOS tail too, unless `tailNoise` is off), token for token as a run on the worker does. Of
 * `own-draft` this is what the model drafts from, and what a validation shows; `draftSeed` tells which examples it drafts, and `drafted`
 * makes of what it wrote what a run shows.
 *
 * @throws LadError `invalid-option`
 */
export function applyNoise(example: PreparedExample, given: Noise, context: NoiseContext): NoisedExample {
  const noise = completed(given);
  const positions = noisedPositions(example, noise);
  const cells = positions.map((i): Cell => ({ id: example.ids[i] as number, masked: false }));
  if (cells.length === 0) return placed(example, positions, { cells });
  const drawing = drawingOf(example, positions, context);
  return placed(example, positions, noiseDefinition(noise.kind).corrupt(cells, noise, drawing));
}

const complete = new WeakMap<Noise, Noise>();

/** A noise that was written out by hand gets its defaults and is checked, once. */
function completed(noise: Noise): Noise {
  const known = complete.get(noise);
  if (known !== undefined) return known;
  const build = (noises as Readonly<Record<string, (options: object) => Noise>>)[noise?.kind];
  if (build === undefined) {
    const remedy = `Give ${NOISE_KINDS.map((kind) => `noises["${kind}"]()`).join(", ")}.`;
    throw invalidOption("noise", noise, "it must be a noise", remedy);
  }
  const { kind: _, ...options } = noise;
  const made = build(options);
  complete.set(noise, made);
  return made;
}

/** Window positions that noise may change; their number is the method's L. */
export function noisedPositions(example: PreparedExample, noise: Noise): number[] {
  const sparesTail = !noiseDefinition(noise.kind).noisesTail(noise);
  const positions: number[] = [];
  for (let i = 0; i < example.ids.length; i++) {
    if (example.answer[i] === 1 && !(sparesTail && example.tail[i] === 1)) positions.push(i);
  }
  return positions;
}

/** Lanes are drawn as they are asked for. */
function drawingOf(example: PreparedExample, positions: readonly number[], context: NoiseContext): Drawing {
  const { seed, epoch, purpose = Purpose.noise, maskTokenId, vocabSize } = context;
  const draw = (count: number, lane: number) => uniforms(seed, purpose, example.id, epoch, count, lane);
  let scalars: Float64Array | undefined;
  const scalarLane = () => {
    scalars ??= draw(Math.max(...Object.values(SCALAR)) + 1, 0);
    return scalars;
  };
  return {
    scalar: (place) => scalarLane()[place] as number,
    span: () => scalarLane().subarray(SCALAR.span, SCALAR.span + 5),
    lane: (number) => draw(positions.length, number),
    positions,
    maskTokenId,
    vocabSize,
  };
}

function placed(
  example: PreparedExample,
  positions: readonly number[],
  { cells, time }: Corrupted,
): NoisedExample {
  const ids = [...example.ids];
  const masked = new Uint8Array(ids.length);
  positions.forEach((position, i) => {
    const cell = cells[i] as Cell;
    ids[position] = cell.id;
    masked[position] = cell.masked ? 1 : 0;
  });
  const corrupted = Uint8Array.from(ids, (id, i) => (id === example.ids[i] ? 0 : 1));
  return { ids, masked, corrupted, time };
}
