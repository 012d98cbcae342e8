import type { PreparedExample } from "../prepared-example.js";
import type { LossReport } from "../wire.js";
import { type TargetedSequence, UNSUPERVISED } from "./loss-targets.js";

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
      if (targets[i] === UNSUPERVISED) continue;
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
