/** The answer part of a canvas, and what a policy's step makes of it. */

/** The answer part of a canvas between two forwards, one entry for each position. */
export interface AnswerState {
  /** Token ids; the mask token where masked. */
  readonly ids: readonly number[];
  /** True where MASK is shown: state of its own, since the mask token is ordinary text and may be sampled. */
  readonly masked: readonly boolean[];
  /** True where retained from re-masking, or committed. */
  readonly kept: readonly boolean[];
  /** Of the tokens that stand there; 0 where masked. */
  readonly confidences: readonly number[];
  /** Whole numbers from 0 that a policy hands on to its next iteration. Default: none. */
  readonly memory?: readonly number[] | undefined;
  /** True where nothing is sampled, masked or edited. Default: nowhere. */
  readonly pinned?: readonly boolean[] | undefined;
}

/** What one iteration predicted at every answer position, as `canvas.predict()` gives it. */
export interface IterationPrediction {
  /** The sampled token ids, one for each answer position. */
  readonly ids: ArrayLike<number>;
  /** Probability of each sampled token. */
  readonly confidences: ArrayLike<number>;
  /** Entropy of each position's distribution at temperature 1, in nats; for the policies that use it. */
  readonly entropies?: ArrayLike<number> | undefined;
  /** Probability of each token that stands in the input, at temperature 1; for the policies that use it. */
  readonly standing?: ArrayLike<number> | undefined;
  /** From 0. */
  readonly iteration: number;
  /** Keys the policy's draws. */
  readonly seed: bigint;
  /** The second key of the draws: the canvas's number in its run, if the canvas has no seed of its own. Default: 0. */
  readonly canvas?: number | undefined;
  /** The base's. */
  readonly maskTokenId: number;
  /** The base's. */
  readonly stopTokenIds: readonly number[];
  /** What fills the tail behind a stop token, as the adapter was trained. Default: stop tokens. */
  readonly padTokenIds?: readonly number[] | undefined;
}

/** What a policy's step gives. */
export interface PolicyStep {
  /** The whole answer after this forward, before anything is masked again. */
  readonly sampled: Pick<AnswerState, "ids" | "confidences">;
  /** What the next forward sees. */
  readonly next: AnswerState;
  /** Whether the policy itself ends the answer with what was sampled. Default: false. */
  readonly done?: boolean | undefined;
}

/** An answer of `count` MASKs. */
export function maskedAnswer(count: number, maskTokenId: number): AnswerState {
  const filled = <T>(value: T): T[] => Array<T>(count).fill(value);
  return { ids: filled(maskTokenId), masked: filled(true), kept: filled(false), confidences: filled(0) };
}

/** The same with `count` MASKs appended. */
export function grownAnswer(state: AnswerState, count: number, maskTokenId: number): AnswerState {
  const more = maskedAnswer(count, maskTokenId);
  return {
    ids: [...state.ids, ...more.ids],
    masked: [...state.masked, ...more.masked],
    kept: [...state.kept, ...more.kept],
    confidences: [...state.confidences, ...more.confidences],
    ...(state.memory && { memory: state.memory }),
    ...(state.pinned && { pinned: [...state.pinned, ...more.kept] }),
  };
}

/** The prediction at some positions, what stands in the state elsewhere. */
export function sampledWhere(
  state: AnswerState,
  prediction: Pick<IterationPrediction, "ids" | "confidences">,
  isSampled: (position: number) => boolean,
): PolicyStep["sampled"] {
  const { ids, confidences } = prediction;
  if (ids.length !== state.ids.length || confidences.length !== state.ids.length) {
    throw new RangeError(`The prediction has ${ids.length} positions: the answer has ${state.ids.length}.`);
  }
  return {
    ids: state.ids.map((id, p) => (isSampled(p) ? (ids[p] as number) : id)),
    confidences: state.confidences.map((c, p) => (isSampled(p) ? (confidences[p] as number) : c)),
  };
}

/** The answer as it would be if this forward were the last: what stands now, and what was sampled where MASK is shown. */
export function standingAnswer(sampled: PolicyStep["sampled"], next: AnswerState): PolicyStep["sampled"] {
  const { masked } = next;
  return {
    ids: next.ids.map((id, p) => (masked[p] ? (sampled.ids[p] as number) : id)),
    confidences: next.confidences.map((c, p) => (masked[p] ? (sampled.confidences[p] as number) : c)),
  };
}

/**
 * What a policy needs of a prediction beside tokens and confidences.
 *
 * @throws RangeError where the prediction does not have it
 */
export function predicted(prediction: IterationPrediction, key: "entropies" | "standing"): ArrayLike<number> {
  const values = prediction[key];
  if (values?.length === prediction.ids.length) return values;
  throw new RangeError(`The prediction has no ${key}: pass on all of what predict gave.`);
}
