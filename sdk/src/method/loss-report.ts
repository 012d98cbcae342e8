import { IGNORE_INDEX, type TargetedSequence } from "./loss-targets.js";
import type { PreparedExample } from "./prepared-example.js";

/**
 * Losses in nats. `loss` is what is optimised; every `ce` is a plain mean of −log p(the clean token) over one kind of the supervised
 * tokens, NaN over none. ln(vocabulary) is a guess at random, 0 certainty.
 *
 * Most supervised tokens may be shown as they are (with `supervise: "all-tokens"` the prompt too), and copying those is easy: how well
 * corrupted answers are repaired is in `corruptedCe`, and of it `corruptedContentCe` leaves out the tail, which is easy as well.
 */
export interface LossReport {
  /** Σ weight · CE over the batch, with the weights of `loss.weighting`. */
  readonly loss: number;
  /** Over every supervised token. */
  readonly ce: number;
  /** Over those that are no padding: the answer with the EOS that ends it, and the prompt where that is supervised. */
  readonly contentCe: number;
  /** Over the padding behind the answer. */
  readonly tailCe: number;
  /** Over those whose input was corrupted, tail included. */
  readonly corruptedCe: number;
  /** Over those whose input was corrupted, without the tail. */
  readonly corruptedContentCe: number;
  /** All tokens computed. */
  readonly tokens: number;
  /** Tokens that `loss` and `ce` are over. */
  readonly supervisedTokens: number;
  /** Tokens that `contentCe` is over. */
  readonly contentTokens: number;
  /** Tokens that `tailCe` is over. */
  readonly tailTokens: number;
  /** Tokens that `corruptedCe` is over. */
  readonly corruptedTokens: number;
  /** Tokens that `corruptedContentCe` is over. */
  readonly corruptedContentTokens: number;
}

/** A batch as it was computed: the clean examples, what was shown and supervised, and the CE that came out. */
export interface ComputedBatch {
  readonly examples: readonly PreparedExample[];
  readonly sequences: readonly TargetedSequence[];
  /** Σ weight · CE. */
  readonly loss: number;
  /** CE of every position of every sequence, in order, in nats. */
  readonly ce: Float32Array;
}

/** Mean CE of a batch over each kind of token, in nats: what a run on the worker reports of a step. */
export function lossReport({ examples, sequences, loss, ce }: ComputedBatch): LossReport {
  const all = new Mean();
  const content = new Mean();
  const tail = new Mean();
  const corrupted = new Mean();
  const corruptedContent = new Mean();
  let tokens = 0;
  for (const [index, { ids, targets }] of sequences.entries()) {
    const example = examples[index] as PreparedExample;
    for (let i = 0; i < ids.length; i++) {
      if (targets[i] === IGNORE_INDEX) continue;
      const nats = ce[tokens + i] as number;
      const isTail = example.tail[i] === 1;
      const isCorrupted = ids[i] !== example.ids[i];
      all.add(nats);
      (isTail ? tail : content).add(nats);
      if (isCorrupted) corrupted.add(nats);
      if (isCorrupted && !isTail) corruptedContent.add(nats);
    }
    tokens += ids.length;
  }
  return {
    loss: all.count === 0 ? Number.NaN : loss,
    ce: all.value,
    contentCe: content.value,
    tailCe: tail.value,
    corruptedCe: corrupted.value,
    corruptedContentCe: corruptedContent.value,
    tokens,
    supervisedTokens: all.count,
    contentTokens: content.count,
    tailTokens: tail.count,
    corruptedTokens: corrupted.count,
    corruptedContentTokens: corruptedContent.count,
  };
}

/** NaN over nothing. */
class Mean {
  count = 0;
  #sum = 0;

  add(value: number): void {
    this.#sum += value;
    this.count++;
  }

  get value(): number {
    return this.#sum / this.count;
  }
}
