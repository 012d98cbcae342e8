/** Every measure that there is. */
import type { BootstrapOptions } from "../../options/evaluation/bootstrap.js";
import type { Estimate } from "../statistics/estimate.js";
import { bitsPerByte } from "./bits-per-byte.js";
import { distinct1, distinct2, distinct3 } from "./distinct.js";
import { differing, estimated } from "./estimating.js";
import { exactMatchMeasure } from "./exact-match.js";
import { forwards, tokensPerForward } from "./forwards.js";
import type { Answered, Measure } from "./measure.js";
import { emptyAnswers, medianPerplexityMeasure, perplexityMeasure } from "./perplexity.js";
import { repeated3 } from "./repeated.js";

/** What a set of answers comes to, measure by measure. */
export interface Measured {
  /** The share of the answers with a reference that are it, white space at both ends apart; NaN where none has one. */
  readonly exactMatch: Estimate;
  /** Of the answers given their prompts, token-weighted, under the model that judges: the causal base without adapters, or another. */
  readonly perplexity: Estimate;
  /** The median of the answers' own perplexities. */
  readonly medianPerplexity: Estimate;
  /** −log₂ p of the answers under that model over the bytes of their texts. */
  readonly bitsPerByte: Estimate;
  /** The share of answers without a token before their end, which none of the three above counts. */
  readonly emptyAnswers: Estimate;
  /** Unique tokens / tokens, over all answers, from 0 to 1; NaN where there are none. */
  readonly distinct1: Estimate;
  /** Unique bigrams / bigrams, likewise. */
  readonly distinct2: Estimate;
  /** Unique trigrams / trigrams, likewise. */
  readonly distinct3: Estimate;
  /** The share of trigrams that stood in the same answer before, from 0 to 1; NaN where there are none. */
  readonly repeated3: Estimate;
  /** Forwards an answer, on average. */
  readonly forwards: Estimate;
  /** Tokens of the answers, each with its first stop token, over the forwards of all of them. */
  readonly tokensPerForward: Estimate;
}

/** The measures by their names in an evaluation: what each is called, its unit, what it needs, how it is computed. */
export const measures = {
  /** Right answers. */
  exactMatch: exactMatchMeasure,
  /** Over all tokens. */
  perplexity: perplexityMeasure,
  /** Over answers. */
  medianPerplexity: medianPerplexityMeasure,
  bitsPerByte,
  emptyAnswers,
  distinct1,
  distinct2,
  distinct3,
  repeated3,
  forwards,
  tokensPerForward,
} as const satisfies { readonly [Name in keyof Measured]: unknown };

/** What a set of answers comes to by all of them, whatever order they stand in. */
export function measured(answered: readonly Answered[], options: BootstrapOptions = {}): Measured {
  const ordered = inOrder(answered);
  return ofEach((measure) => estimated(measure, ordered, options));
}

/** The same of the differences of two sets, which answer the same questions. */
export function differences(
  first: readonly Answered[],
  second: readonly Answered[],
  options: BootstrapOptions = {},
): Measured {
  return ofEach((measure) => differing(measure, first, second, options));
}

/** Sums are rounded by their order, and a bootstrap draws by it: answers are measured in that of their questions' keys. */
export function inOrder(answered: readonly Answered[]): Answered[] {
  return answered.toSorted((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)));
}

/** Whether any of them needs the answers' log-likelihoods, which take a forward each. */
export function needLikelihoods(): boolean {
  return Object.values(measures).some(({ needs }) => needs === "likelihoods");
}

function ofEach(compute: (measure: Measure<unknown>) => Estimate): Measured {
  const all = Object.entries(measures) as unknown as [name: string, measure: Measure<unknown>][];
  const values = all.map(([name, measure]) => [name, compute(measure)]);
  return Object.fromEntries(values) as Measured;
}
