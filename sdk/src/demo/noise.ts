/** What noise makes of a text: one draw, and the distribution over many. */
import { applyNoise, type Base, type NoisedExample, noises, type PreparedExample } from "../index.js";
import type { NoiseReply, NoiseRequest } from "./messages.js";

/**
 * Corrupts a text as training would corrupt an answer of these tokens. Draw 0 is the one that is shown; the distribution is of draws
 * 0 to `draws` − 1, which are epochs of the noise's random numbers.
 *
 * @throws LadError `invalid-option` for levels out of range
 */
export async function corruptedText(base: Base, request: NoiseRequest): Promise<NoiseReply> {
  const { text, seed, draws, masked, swapped, duplicated, shifted } = request;
  const noise = noises.fixed({ masked, swapped, duplicated, shifted, tailNoise: false });
  const ids = await base.encode(text);
  const example: PreparedExample = {
    id: 0n,
    ids,
    answer: new Uint8Array(ids.length).fill(1),
    tail: new Uint8Array(ids.length),
  };
  const { maskTokenId, vocabSize } = base.info;
  const draw = (epoch: number) =>
    applyNoise(example, noise, { seed: BigInt(seed), epoch, maskTokenId, vocabSize });
  const first = draw(0);
  const all = [first, ...Array.from({ length: draws - 1 }, (_, i) => draw(i + 1))];
  return {
    clean: { ids, pieces: await base.pieces(ids) },
    drawn: {
      ids: first.ids,
      pieces: await base.pieces(first.ids),
      masked: Array.from(first.masked, (is) => is === 1),
      corrupted: Array.from(first.corrupted, (is, i) => is === 1 || first.masked[i] === 1),
    },
    ...distribution(all, ids.length),
  };
}

function distribution(draws: readonly NoisedExample[], length: number) {
  const rates = new Array<number>(length).fill(0);
  const counts = new Array<number>(length + 1).fill(0);
  for (const { corrupted, masked } of draws) {
    let count = 0;
    for (let i = 0; i < length; i++) {
      if (corrupted[i] === 0 && masked[i] === 0) continue;
      count += 1;
      rates[i] = (rates[i] ?? 0) + 1 / draws.length;
    }
    counts[count] = (counts[count] ?? 0) + 1;
  }
  return { rates, counts };
}
