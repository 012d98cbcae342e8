/** Answers that the model itself drafts for training, from what a noise has made of them: as a run on the worker shows them. */
import { type Noise, type NoisedExample, noiseDefinition, noisedPositions } from "../noise.js";
import { type PreparedExample, pastTokensOf } from "../prepared-example.js";
import { Purpose, uniforms } from "../random.js";
import type { Drafting } from "./drawing.js";

/** What keys a draft. */
export interface DraftKey {
  /** Of the run. */
  readonly seed: bigint;
  /** From 0. */
  readonly epoch: number;
}

/** Of a draft's numbers, which neither a noise nor a random cut has. */
const LANE = 2 ** 32 - 2;

/** What the model itself writes of the answers that training shows; undefined: nothing. */
export function draftingOf(noise: Noise): Drafting | undefined {
  return noiseDefinition(noise.kind).drafting?.(noise);
}

/**
 * The seed of the canvas that `predict` drafts an example on, in its iteration 0: a pure function of (seed, example id, epoch).
 *
 * @returns undefined where the example is shown as it is noised
 */
export function draftSeed(
  example: PreparedExample,
  noise: Noise,
  { seed, epoch }: DraftKey,
): bigint | undefined {
  const drafting = draftingOf(noise);
  if (drafting === undefined) return undefined;
  const [chosen = 1, high = 0, low = 0] = uniforms(seed, Purpose.noise, example.id, epoch, 3, LANE);
  if (chosen >= drafting.share) return undefined;
  return (BigInt(high * 2 ** 32) << 32n) | BigInt(low * 2 ** 32);
}

/**
 * What is shown where the model drafted: its tokens wherever the noise may change the answer, so that no position is masked.
 *
 * @param canvasIds - a token for each position behind the example's past, as a prediction has them
 */
export function drafted(
  example: PreparedExample,
  noised: NoisedExample,
  noise: Noise,
  canvasIds: ArrayLike<number>,
): NoisedExample {
  const past = pastTokensOf(example);
  const ids = [...noised.ids];
  const masked = Uint8Array.from(noised.masked);
  for (const position of noisedPositions(example, noise)) {
    ids[position] = canvasIds[position - past] as number;
    masked[position] = 0;
  }
  const corrupted = Uint8Array.from(ids, (id, i) => (id === example.ids[i] ? 0 : 1));
  return { ids, masked, corrupted, time: undefined };
}
