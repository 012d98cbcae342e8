/** What the noise figure shows: sentences corrupted by the SDK's own noises, which draw the worker's numbers. */
import { applyNoise, type Noise, type NoiseContext } from "../../../sdk/src/method/noise.js";
import { cover, fixed, lad, maskOnly, uniform } from "../../../sdk/src/method/noises/registered.js";
import type { PreparedExample } from "../../../sdk/src/method/prepared-example.js";

/** A position as the model is shown it. */
export interface ShownToken {
  /** The text of the token that stands there; of MASK and of the end their names. */
  readonly text: string;
  /** `clean`: the right token; `masked`: MASK; `wrong`: a token that does not belong there. */
  readonly state: "clean" | "masked" | "wrong";
  /** Whether it belongs to the tail behind the answer's end. */
  readonly tail: boolean;
}

/** How often a position is masked, and how often it shows a wrong token: shares of the draws. */
export interface Frequency {
  readonly masked: number;
  readonly wrong: number;
}

/** How strong each corruption of the noise `fixed` is, from 0 to 1. */
export interface Levels {
  readonly masked: number;
  readonly swapped: number;
  readonly duplicated: number;
  readonly shifted: number;
}

/** What keys a draw, as in training. */
export interface DrawKey {
  readonly seed: bigint;
  readonly epoch: number;
}

/** The noises of the figure; the last one has levels that are set. */
export const NOISE_NAMES = ["lad", "mask-only", "cover", "uniform", "fixed"] as const;
export type NoiseName = (typeof NOISE_NAMES)[number];

/** The noise with this name, with its defaults but for the levels of `fixed`. */
export function noiseNamed(name: NoiseName, levels: Levels): Noise {
  switch (name) {
    case "lad":
      return lad();
    case "mask-only":
      return maskOnly();
    case "cover":
      return cover();
    case "uniform":
      return uniform();
    case "fixed":
      return fixed(levels);
  }
}

const MASK = 0;
const END = 1;
const FIRST_WORD = 2;
const TAIL = 4;
/** Words that `uniform` may put in any place, beside those of the sentence. */
const WORDS = " the, of, is, a, to, in, and, it, was, for, on, are, as, with, his, they, at, be, this".split(
  ",",
);

/** A sentence's tokens: words with the space before them, and signs. */
export function tokensOf(sentence: string): string[] {
  return sentence.match(/\s*[\p{L}\p{N}]+|\s*[^\s\p{L}\p{N}]/gu) ?? [];
}

/** The sentence as an example of one answer, whose id is 0; the ids of its tokens begin behind MASK and end. */
export function exampleOf(sentence: string): { example: PreparedExample; texts: readonly string[] } {
  const tokens = tokensOf(sentence);
  const words = [...new Set([...WORDS, ...tokens])];
  const answer = [...tokens.map((token) => FIRST_WORD + words.indexOf(token)), END];
  const ids = [...answer, ...Array<number>(TAIL).fill(END)];
  const example = {
    id: 0n,
    ids,
    answer: new Uint8Array(ids.length).fill(1),
    tail: Uint8Array.from(ids, (_, i) => (i < answer.length ? 0 : 1)),
  };
  return { example, texts: ["MASK", "end", ...words] };
}

/** What the model is shown of a sentence in one epoch. */
export function corrupted(sentence: string, noise: Noise, key: DrawKey): ShownToken[] {
  const { example, texts } = exampleOf(sentence);
  const context = { ...key, maskTokenId: MASK, vocabSize: texts.length };
  return shownOf(example, noise, context, (id) => texts[id] ?? "");
}

/** What the model is shown of any example. */
export function shownOf(
  example: PreparedExample,
  noise: Noise,
  context: NoiseContext,
  textOf: (id: number) => string,
): ShownToken[] {
  const { ids, masked, corrupted } = applyNoise(example, noise, context);
  return ids.map((id, i) => ({
    text: textOf(id),
    state: masked[i] === 1 ? "masked" : corrupted[i] === 1 ? "wrong" : "clean",
    tail: example.tail[i] === 1,
  }));
}

/** The same over many epochs. */
export function frequencies(sentence: string, noise: Noise, seed: bigint, draws: number): Frequency[] {
  const counts = exampleOf(sentence).example.ids.map(() => ({ masked: 0, wrong: 0 }));
  for (let epoch = 0; epoch < draws; epoch++) {
    for (const [i, { state }] of corrupted(sentence, noise, { seed, epoch }).entries()) {
      const count = counts[i];
      if (count !== undefined && state !== "clean") count[state]++;
    }
  }
  return counts.map(({ masked, wrong }) => ({ masked: masked / draws, wrong: wrong / draws }));
}
