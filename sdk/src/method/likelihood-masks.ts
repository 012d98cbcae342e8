/** What the Monte-Carlo likelihood masks (docs/method.md §7): a pure function of (seed, the item's key, the sample's number). */
import { argsort, Purpose, uniforms } from "./random.js";

const LANE = { keys: 0, count: 1 } as const;

/** What the masks of an item's samples depend on. */
export interface LikelihoodMasksOptions {
  /** Of the likelihood. */
  readonly seed: bigint;
  /** The item's key. */
  readonly key: bigint;
  /** Tokens of the continuation, up to and with its first stop token. */
  readonly length: number;
  /** How many samples there are. */
  readonly samples: number;
  /** Whether the numbers of masked tokens lie evenly over 1 to `length`. */
  readonly stratified: boolean;
}

/**
 * The positions that each sample masks, ascending: l of `length`, those of the lowest keys.
 *
 * l is uniform on 1…length for every sample. Each draws its own; `stratified` ones follow one another evenly, wrapping around, from the
 * first sample's on, as in LLaDA's evaluation.
 */
export function likelihoodMasks({
  seed,
  key,
  length,
  samples,
  stratified,
}: LikelihoodMasksOptions): number[][] {
  return Array.from({ length: samples }, (_, sample) => {
    const [drawn = 0] = uniforms(seed, Purpose.likelihood, key, stratified ? 0 : sample, 1, LANE.count);
    const step = stratified ? Math.floor((sample * length) / samples) : 0;
    const count = ((Math.floor(drawn * length) + step) % length) + 1;
    const keys = uniforms(seed, Purpose.likelihood, key, sample, length, LANE.keys);
    return [...argsort(keys).subarray(0, count)].sort((a, b) => a - b);
  });
}
