/** In which order examples are trained on: the worker's own order, for loops written in TypeScript. */
import { argsort, Purpose, uniforms } from "./random.js";

/** One example of a batch: its row in the data set, and the epoch that keys its noise. */
export interface Draw {
  /** From 0. */
  readonly epoch: number;
  /** From 0. */
  readonly row: number;
}

/** Rows 0…examples−1 in the order of epoch `epoch`: a pure function of (seed, epoch). */
export function permutation(seed: bigint, epoch: number, examples: number): Uint32Array {
  return argsort(uniforms(seed, Purpose.order, 0n, epoch, examples));
}

/**
 * The batches of a run, from step `fromStep` (0 is the first) on, without end: the epochs' permutations end to end, cut every
 * `batchSize`, across their borders.
 */
export function* batches(seed: bigint, examples: number, batchSize: number, fromStep = 0): Generator<Draw[]> {
  let epoch = -1;
  let rows: Uint32Array = new Uint32Array();
  for (let position = fromStep * batchSize; ; ) {
    const batch: Draw[] = [];
    for (; batch.length < batchSize; position++) {
      const wanted = Math.floor(position / examples);
      if (wanted !== epoch) {
        epoch = wanted;
        rows = permutation(seed, epoch, examples);
      }
      batch.push({ epoch, row: rows[position % examples] as number });
    }
    yield batch;
  }
}
