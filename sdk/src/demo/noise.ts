/** What noise makes of a text: one draw, and the distribution over many. */
import { setImmediate } from "node:timers/promises";
import {
  applyNoise,
  type Base,
  LadError,
  type NoisedExample,
  noises,
  type PreparedExample,
} from "../index.js";
import type { NoiseKind, NoiseReply, NoiseRequest } from "./messages.js";

/**
 * The most tokens that all draws of a distribution have together: the page asks for 400 draws of at most 20,000. Some seconds of a processor,
 * for all kinds together and for each by itself.
 */
export const MOST_DRAWN_TOKENS = 8_000_000;

const KINDS: readonly NoiseKind[] = ["masked", "swapped", "duplicated", "shifted"];

/**
 * Corrupts a text as training would corrupt an answer of these tokens. Draw 0 is the one that is shown; the distribution is of draws
 * 0 to `draws` − 1, which are epochs of the noise's random numbers; so are those of each kind by itself. Other calls are answered between
 * the draws.
 *
 * @throws LadError `invalid-option` for levels out of range, and for more tokens in all draws than `MOST_DRAWN_TOKENS`; `cancelled`
 */
export async function corruptedText(
  base: Pick<Base, "encode" | "pieces" | "info">,
  request: NoiseRequest,
  signal: AbortSignal,
): Promise<NoiseReply> {
  const { text, seed, draws } = request;
  const levels = KINDS.map((kind) => [kind, request[kind]] as const).filter(([, level]) => level > 0);
  const noise = noiseOf(levels);
  const ids = await base.encode(text, { signal });
  checkDrawn(ids.length, draws);
  const example: PreparedExample = {
    id: 0n,
    ids,
    answer: new Uint8Array(ids.length).fill(1),
    tail: new Uint8Array(ids.length),
  };
  const { maskTokenId, vocabSize } = base.info;
  const draw = (one: typeof noise, epoch: number) =>
    applyNoise(example, one, { seed: BigInt(seed), epoch, maskTokenId, vocabSize });
  const distributionOf = async (one: typeof noise) => {
    const distribution = new Distribution(ids.length);
    for (let epoch = 0; epoch < draws; epoch++) {
      if (epoch > 0) await setImmediate();
      if (signal.aborted)
        throw new LadError("cancelled", "The draws were cancelled.", { cause: signal.reason });
      distribution.add(draw(one, epoch));
    }
    return distribution.result();
  };
  const together = await distributionOf(noise);
  const kinds: { [Kind in NoiseKind]?: readonly number[] } = {};
  for (const level of levels) {
    kinds[level[0]] = levels.length === 1 ? together.rates : (await distributionOf(noiseOf([level]))).rates;
  }
  const first = draw(noise, 0);
  return {
    clean: { ids, pieces: await base.pieces(ids, { signal }) },
    drawn: {
      ids: first.ids,
      pieces: await base.pieces(first.ids, { signal }),
      masked: Array.from(first.masked, (is) => is === 1),
      corrupted: Array.from(first.corrupted, (is, i) => is === 1 || first.masked[i] === 1),
    },
    ...together,
    kinds,
  };
}

/** The noise of these levels alone. */
function noiseOf(levels: readonly (readonly [NoiseKind, number])[]) {
  const none = { masked: 0, swapped: 0, duplicated: 0, shifted: 0 };
  return noises.fixed({ ...none, ...Object.fromEntries(levels), tailNoise: false });
}

function checkDrawn(tokens: number, draws: number): void {
  if (tokens * draws <= MOST_DRAWN_TOKENS) return;
  const most = Math.floor(MOST_DRAWN_TOKENS / tokens);
  throw new LadError(
    "invalid-option",
    `draws is ${draws}: of ${tokens} tokens at most ${most} draws are made.`,
    { option: "draws", value: draws, remedy: `Give at most ${most} draws, or a shorter text.` },
  );
}

/** How often each position is corrupted, and how many positions a draw corrupts. */
class Distribution {
  readonly #corrupted: Uint32Array;
  readonly #counts: Uint32Array;
  #draws = 0;

  constructor(tokens: number) {
    this.#corrupted = new Uint32Array(tokens);
    this.#counts = new Uint32Array(tokens + 1);
  }

  add({ corrupted, masked }: NoisedExample): void {
    let count = 0;
    for (let i = 0; i < corrupted.length; i++) {
      if (corrupted[i] === 0 && masked[i] === 0) continue;
      count += 1;
      this.#corrupted[i] = (this.#corrupted[i] ?? 0) + 1;
    }
    this.#counts[count] = (this.#counts[count] ?? 0) + 1;
    this.#draws += 1;
  }

  result(): Pick<NoiseReply, "rates" | "counts"> {
    return {
      rates: Array.from(this.#corrupted, (times) => times / this.#draws),
      counts: Array.from(this.#counts),
    };
  }
}
