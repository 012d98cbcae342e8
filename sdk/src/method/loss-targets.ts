/** Which tokens are supervised and with what weight: the very numbers that a run on the worker would use. */
import type { LossSpec } from "../options/training.js";
import type { PreparedExample } from "../prepared-example.js";

/** A target that supervises nothing. */
export const UNSUPERVISED = -1;

/** What stands at each position, what is predicted there, with what weight. */
export interface TargetedSequence {
  readonly ids: readonly number[];
  /** The clean token, or {@link UNSUPERVISED}. */
  readonly targets: Int32Array;
  readonly weights: Float32Array;
  /** How many tokens precede the answer. */
  readonly promptTokens: number;
}

/** An example's input as some noise made it. */
export interface ShownExample {
  readonly ids: ArrayLike<number>;
  /** t in (0, 1]; needed for `inverse-time` weights. */
  readonly time?: number | undefined;
}

/**
 * One optimizer step's batch with its targets and weights.
 *
 * `uniform` weights are 1 / (n · E), n the example's supervised tokens, E the examples that have any: the mean over an example's
 * tokens, then over the examples. `inverse-time` weights are 1 / (t · L · E), L the whole answer's length (with its tail, where
 * that is supervised): LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3).
 *
 * @throws RangeError when shown and clean examples differ in number or length, or `inverse-time` has no t
 */
export function targeted(
  examples: readonly PreparedExample[],
  shown: readonly ShownExample[],
  loss: LossSpec,
): TargetedSequence[] {
  if (shown.length !== examples.length) {
    throw new RangeError(`${shown.length} noised examples were given for ${examples.length} clean ones.`);
  }
  const supervised = examples.map((example, i) =>
    supervisedPositions(example, shown[i] as ShownExample, loss),
  );
  const counted = supervised.filter((positions) => positions.includes(1)).length;
  return examples.map((example, i) => {
    const chosen = supervised[i] as Uint8Array;
    const input = shown[i] as ShownExample;
    const weight = Math.fround(exampleWeight(example, input, chosen, counted, loss));
    return {
      ids: Array.from(input.ids),
      targets: Int32Array.from(chosen, (is, j) => (is === 1 ? (example.ids[j] as number) : UNSUPERVISED)),
      weights: Float32Array.from(chosen, (is) => (is === 1 ? weight : 0)),
      promptTokens: example.answer.indexOf(1),
    };
  });
}

/** 1 at each position of the window that the loss counts. */
export function supervisedPositions(
  example: PreparedExample,
  shown: ShownExample,
  loss: LossSpec,
): Uint8Array {
  const { ids, answer, tail } = example;
  if (shown.ids.length !== ids.length) {
    throw new RangeError(`A noised example has ${shown.ids.length} ids, the clean one ${ids.length}.`);
  }
  return Uint8Array.from(ids, (clean, i) => {
    if (tail[i] === 1 && !loss.tail) return 0;
    if (loss.supervise === "all-tokens") return 1;
    if (answer[i] !== 1) return 0;
    return loss.supervise === "all-answer-tokens" || shown.ids[i] !== clean ? 1 : 0;
  });
}

function exampleWeight(
  example: PreparedExample,
  { time }: ShownExample,
  chosen: Uint8Array,
  counted: number,
  loss: LossSpec,
): number {
  const count = chosen.reduce((sum, is) => sum + is, 0);
  if (count === 0) return 0;
  if (loss.weighting === "uniform") return 1 / (count * counted);
  if (time === undefined || !(time > 0)) {
    throw new RangeError("inverse-time weights need the t of every noised example, above 0.");
  }
  const length = example.answer.reduce(
    (sum, is, i) => sum + (is === 1 && (loss.tail || example.tail[i] !== 1) ? 1 : 0),
    0,
  );
  return 1 / (time * length * counted);
}
