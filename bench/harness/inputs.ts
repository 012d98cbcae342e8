/** What both sides compute with, made once from a seed: token ids, and windows with their corruption. */
import { applyNoise } from "../../sdk/src/method/noise.js";
import { lad } from "../../sdk/src/method/noises/registered.js";
import type { PreparedExample } from "../../sdk/src/method/prepared-example.js";
import { Purpose, uniforms } from "../../sdk/src/method/random.js";
import type { BaseFacts } from "./bench.js";

type Vocabulary = Pick<BaseFacts, "vocabSize" | "maskTokenId" | "eosTokenId">;

/** The seed of everything that is drawn. */
export const SEED = 1;

/** Prompt, answer and EOS tail of every window, in tokens. */
export interface WindowShape {
  readonly prompt: number;
  readonly answer: number;
  readonly tail: number;
}

/** Ids of ordinary tokens: neither mask nor EOS. `subject` keys one sequence among others. */
export function tokenIds(count: number, subject: number, vocabulary: Vocabulary): number[] {
  const { vocabSize, maskTokenId, eosTokenId } = vocabulary;
  const special = [...new Set([maskTokenId, eosTokenId])].sort((a, b) => a - b);
  const numbers = uniforms(BigInt(SEED), Purpose.draw, BigInt(subject), 0, count);
  return Array.from(numbers, (drawn) => {
    const place = Math.floor(drawn * (vocabSize - special.length));
    return special.reduce((id, passed) => (id >= passed ? id + 1 : id), place);
  });
}

/** For each turn prompts of the lengths given. No two turns share one, so none finds what another has left in a cache. */
export function promptsOfTurns(
  turns: number,
  lengths: readonly number[],
  vocabulary: Vocabulary,
): number[][][] {
  return Array.from({ length: turns }, (_, turn) =>
    lengths.map((length, index) => tokenIds(length, turn * lengths.length + index, vocabulary)),
  );
}

/** For each turn its own clean windows. */
export function windowsOfTurns(
  turns: number,
  count: number,
  shape: WindowShape,
  vocabulary: Vocabulary,
): PreparedExample[][] {
  const all = windows(turns * count, shape, vocabulary);
  return Array.from({ length: turns }, (_, turn) => all.slice(turn * count, (turn + 1) * count));
}

/** The very ids that a run on the worker shows the model in its first epoch. */
export function corrupted(example: PreparedExample, vocabulary: Vocabulary): number[] {
  const { maskTokenId, vocabSize } = vocabulary;
  return applyNoise(example, lad(), { seed: BigInt(SEED), epoch: 0, maskTokenId, vocabSize }).ids;
}

/** A window as a side reads it. */
export function asJson({ id, ids, answer, tail }: PreparedExample): object {
  return { id: Number(id), ids, answer: Array.from(answer), tail: Array.from(tail) };
}

/** Clean windows, as a base would have prepared them of examples. */
function windows(count: number, shape: WindowShape, vocabulary: Vocabulary): PreparedExample[] {
  const { prompt, answer, tail } = shape;
  return Array.from({ length: count }, (_, index) => ({
    id: BigInt(index),
    ids: [
      ...tokenIds(prompt + answer, index, vocabulary),
      ...Array<number>(tail).fill(vocabulary.eosTokenId),
    ],
    answer: Uint8Array.from({ length: prompt + answer + tail }, (_, i) => (i < prompt ? 0 : 1)),
    tail: Uint8Array.from({ length: prompt + answer + tail }, (_, i) => (i < prompt + answer ? 0 : 1)),
  }));
}
