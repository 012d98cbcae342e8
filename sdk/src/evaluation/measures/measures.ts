/** Every measure that there is. */
import { distinct2 } from "./distinct.js";
import { type Accuracy, exactMatchMeasure } from "./exact-match.js";
import type { Answered, Measure } from "./measure.js";
import { type Perplexity, perplexityMeasure } from "./perplexity.js";
import { repeated3 } from "./repeated.js";

/** What a set of answers comes to, measure by measure. */
export interface Measured {
  /** Of the answers that have a reference; undefined where none has. */
  readonly exactMatch: Accuracy | undefined;
  /** Of the answers given their prompts, under the causal base without adapters. */
  readonly perplexity: Perplexity;
  /** Unique bigrams / bigrams, over all answers, from 0 to 1; NaN where there are none. */
  readonly distinct2: number;
  /** The share of trigrams that stood in the same answer before, from 0 to 1; NaN where there are none. */
  readonly repeated3: number;
}

/** The measures by their names in an evaluation: what each is called, its unit, what it needs, its one number. */
export const measures: { readonly [Name in keyof Measured]: Measure<Measured[Name]> } = {
  exactMatch: exactMatchMeasure,
  perplexity: perplexityMeasure,
  distinct2,
  repeated3,
};

/** What a set of answers comes to by all of them. */
export function measured(answered: readonly Answered[]): Measured {
  const known = answered.filter(({ reference }) => reference !== undefined);
  const all: Readonly<Record<string, Measure<unknown>>> = measures;
  const values = Object.entries(all).map(([name, measure]) => [
    name,
    measure.of(measure.needs === "references" ? known : answered),
  ]);
  return Object.fromEntries(values) as Measured;
}

/** Whether any of them needs the answers' log-likelihoods, which take a forward each. */
export function needLikelihoods(): boolean {
  return Object.values(measures).some(({ needs }) => needs === "likelihoods");
}
