/** Training noise, drawn as the worker draws it: a pure function of (seed, example id, epoch). */
import { type Noise, type NoiseSpec, noiseSpec } from "../options/noise.js";
import type { PreparedExample } from "../prepared-example.js";
import { argsort, Purpose, uniforms } from "./random.js";
import { type Cell, type Cells, duplicate, runsOf, shift, swap } from "./structural-noise.js";

/** What the model is shown; everything is per position of the window. */
export interface NoisedExample {
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
  readonly seed: bigint;
  readonly epoch: number;
  readonly maskTokenId: number;
  readonly vocabSize: number;
  /** Default: {@link Purpose.noise}; validation draws under its own purpose, at epoch 0. */
  readonly purpose?: typeof Purpose.noise | typeof Purpose.validationNoise;
}

/** Lanes of random numbers, and the places of the single ones in the first lane. */
const LANE = { scalars: 0, keys: 1, swaps: 2, chosen: 3, sides: 4, tokens: 5 } as const;
const SCALAR = {
  fullMask: 0,
  strength: 1,
  mask: 2,
  fraction: 3,
  shift: 4,
  span: 5,
  cover: 10,
  time: 11,
} as const;

const SCALAR_COUNT = 12;

type Lanes = (lane: number) => Float64Array;

/** Corrupts the example's answer (its EOS tail too, unless `tailNoise` is off), token for token as a run on the worker does. */
export function applyNoise(example: PreparedExample, noise: Noise, context: NoiseContext): NoisedExample {
  const spec = noiseSpec(noise);
  const positions = noisedPositions(example, spec);
  const clean = positions.map((i): Cell => ({ id: example.ids[i] as number, masked: false }));
  if (spec.kind === "none" || clean.length === 0) return placed(example, positions, clean, undefined);
  const { seed, epoch, purpose = Purpose.noise } = context;
  const count = (lane: number) => (lane === LANE.scalars ? SCALAR_COUNT : clean.length);
  const lanes: Lanes = (lane) => uniforms(seed, purpose, example.id, epoch, count(lane), lane);
  const { cells, time } = corrupt(clean, positions, spec, lanes, context);
  return placed(example, positions, cells, time);
}

/** Window positions that noise may change; their number is the method's L. */
function noisedPositions(example: PreparedExample, spec: NoiseSpec): number[] {
  const positions: number[] = [];
  for (let i = 0; i < example.ids.length; i++) {
    if (example.answer[i] === 1 && (spec.tailNoise || example.tail[i] !== 1)) positions.push(i);
  }
  return positions;
}

function corrupt(
  cells: Cells,
  positions: readonly number[],
  spec: NoiseSpec,
  lanes: Lanes,
  { maskTokenId, vocabSize }: NoiseContext,
): { cells: Cells; time: number | undefined } {
  const scalars = lanes(LANE.scalars);
  const drawn = scalars[SCALAR.time] as number;
  let kind = spec.kind;
  let time = spec.minTime + (1 - spec.minTime) * drawn;
  if (kind === "cover") {
    kind = (scalars[SCALAR.cover] as number) < 0.5 ? "lad" : "mask-only";
    time = drawn;
  }
  if (kind === "lad") return { cells: lad(cells, positions, spec, lanes, maskTokenId), time: undefined };
  const keys = lanes(LANE.keys);
  const below = Array.from(keys.keys()).filter((i) => (keys[i] as number) < time);
  if (kind === "mask-only") {
    const chosen = below.length > 0 ? below : argsort(keys).subarray(0, 1);
    return { cells: masked(cells, chosen, maskTokenId), time };
  }
  const tokens = lanes(LANE.tokens);
  const replaced = [...cells];
  for (const i of below) replaced[i] = { id: Math.floor((tokens[i] as number) * vocabSize), masked: false };
  return { cells: replaced, time };
}

/** Masks, then swaps, duplications and one span shift. */
function lad(
  clean: Cells,
  positions: readonly number[],
  spec: NoiseSpec,
  lanes: Lanes,
  maskTokenId: number,
): Cells {
  const scalars = lanes(LANE.scalars);
  const scalar = (index: number) => scalars[index] as number;
  const length = clean.length;
  if (scalar(SCALAR.fullMask) < spec.fullMaskProbability) {
    return masked(clean, clean.keys(), maskTokenId);
  }
  const strength = scalar(SCALAR.strength);
  let cells = clean;
  if (scalar(SCALAR.mask) < spec.maskProbability) {
    const count = Math.floor(spec.maxMaskFraction * scalar(SCALAR.fraction) * length);
    cells = masked(cells, argsort(lanes(LANE.keys)).subarray(0, count), maskTokenId);
  }
  if (length <= 2) return cells;
  const runs = runsOf(positions);
  cells = swap(cells, runs, lanes(LANE.swaps), spec.swapScale * strength);
  cells = duplicate(cells, runs, lanes(LANE.chosen), lanes(LANE.sides), spec.duplicateScale * strength);
  if (scalar(SCALAR.shift) < spec.shiftScale * strength) {
    cells = shift(cells, runs, scalars.subarray(SCALAR.span, SCALAR.span + 5), spec);
  }
  return cells;
}

function masked(cells: Cells, chosen: Iterable<number>, maskTokenId: number): Cells {
  const result = [...cells];
  for (const i of chosen) result[i] = { id: maskTokenId, masked: true };
  return result;
}

function placed(
  example: PreparedExample,
  positions: readonly number[],
  cells: Cells,
  time: number | undefined,
): NoisedExample {
  const ids = [...example.ids];
  const maskedAt = new Uint8Array(ids.length);
  positions.forEach((position, i) => {
    const cell = cells[i] as Cell;
    ids[position] = cell.id;
    maskedAt[position] = cell.masked ? 1 : 0;
  });
  const corrupted = Uint8Array.from(ids, (id, i) => (id === example.ids[i] ? 0 : 1));
  return { ids, masked: maskedAt, corrupted, time };
}
