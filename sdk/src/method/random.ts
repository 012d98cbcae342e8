/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 *
 * The very numbers that the worker draws, so that a corruption, a data order or a sampler written in TypeScript can be the
 * same as a built-in one, number for number. Nothing is stateful: a number is a pure function of what it is for.
 */

/** What numbers are drawn for. Each has a key of its own, so that no use disturbs another. */
export const Purpose = {
  /** Training noise: subject is the example id, round the epoch. */
  noise: 1,
  /** Validation noise: subject is the example id, round 0. */
  validationNoise: 2,
  /** Data order: subject 0, round is the epoch. */
  order: 3,
  /** A token of a canvas: subject is the canvas's number in its run, round the iteration. */
  draw: 4,
  /** Which positions a sampler re-masks: subject is the canvas's number in its run, round the iteration. */
  remask: 5,
  /** Self-speculation, a drafted token: subject is the canvas's number in its run, round the speculation's; number i is the draft's i-th. */
  draft: 6,
  /** Self-speculation, whether a drafted token stands; likewise. */
  accept: 7,
  /** Self-speculation, the token in place of the first that does not stand; likewise. */
  residual: 8,
  /** Self-speculation, the token behind a draft that stands as a whole; likewise. */
  bonus: 9,
  /** Resamples of a bootstrap: subject 0, round the resample's number. */
  bootstrap: 10,
  /** What a likelihood's estimate masks: subject is the item's key, round the sample. */
  likelihood: 11,
} as const;

export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/**
 * `count` numbers in [0, 1): a 32-bit word · 2⁻³² each. Number i depends on (seed, purpose, subject, round, lane, i) alone,
 * so a longer sequence starts with the shorter one.
 *
 * @param seed - of the run or canvas, an unsigned 64-bit integer
 * @param subject - unsigned 64-bit: an example's id for noise, 0 for canvases (their seed is their own)
 * @param round - unsigned 32-bit: epoch or iteration
 * @param lane - unsigned 32-bit: independent sequences within one purpose
 * @throws RangeError when a number does not fit its width
 */
export function uniforms(
  seed: bigint,
  purpose: Purpose,
  subject: bigint,
  round: number,
  count: number,
  lane = 0,
): Float64Array {
  const [key0, key1] = sequenceKey(unsigned64("seed", seed), purpose, unsigned32("lane", lane));
  unsigned64("subject", subject);
  unsigned32("round", round);
  unsigned32("count", count);
  const subjectLow = Number(subject & 0xffffffffn);
  const subjectHigh = Number(subject >> 32n);
  const numbers = new Float64Array(count);
  const words = new Uint32Array(4);
  for (let i = 0; i < count; i += 4) {
    philox4x32(i / 4, round, subjectLow, subjectHigh, key0, key1, words);
    for (let j = 0; j < 4 && i + j < count; j++) numbers[i + j] = (words[j] as number) * 2 ** -32;
  }
  return numbers;
}

/** Indices 0…n−1 in ascending order of their keys, equal keys by lower index: how every choice and shuffle is made. */
export function argsort(keys: ArrayLike<number>): Uint32Array {
  return Uint32Array.from(keys, (_, i) => i).sort(
    (a, b) => (keys[a] as number) - (keys[b] as number) || a - b,
  );
}

/** One block of four 32-bit words into `out`: ten rounds over the counter (c0, c1, c2, c3) with the key (k0, k1). */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c1 = low1 >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of a 64-bit product, by 16-bit halves: every partial sum stays below 2³². */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** A sequence's key: the first two words of the block (purpose, lane, 0, 0) under the seed. */
function sequenceKey(seed: bigint, purpose: Purpose, lane: number): [number, number] {
  const words = new Uint32Array(4);
  philox4x32(purpose, lane, 0, 0, Number(seed & 0xffffffffn), Number(seed >> 32n), words);
  return [words[0] as number, words[1] as number];
}

function unsigned64(name: string, value: bigint): bigint {
  if (value < 0n || value > 0xffffffffffffffffn) {
    throw new RangeError(`${name} is ${value}: it must be an unsigned 64-bit integer.`);
  }
  return value;
}

function unsigned32(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${name} is ${value}: it must be an unsigned 32-bit integer.`);
  }
  return value;
}
