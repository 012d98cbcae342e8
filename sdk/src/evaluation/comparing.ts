/** Two models on the same questions. */
import { LadError } from "../errors.js";
import type { BootstrapOptions } from "../options/evaluation/bootstrap.js";
import type { Answered } from "./measures/measure.js";
import { differences, inOrder, type Measured } from "./measures/measures.js";

/** An evaluation, or what is left of one: its answers with what they were measured by. */
export interface Comparable {
  /** Of `evaluate`. */
  readonly items: readonly Answered[];
  /** The causal model that judged. */
  readonly perplexityModel: string;
}

/**
 * Each measure's figure of the first evaluation minus that of the second, on the questions that both have, paired: what both find hard does
 * not widen the interval. The questions may stand in any order.
 *
 * @throws LadError `invalid-option` for evaluations without a question in common, or that other models judged
 */
export function compareEvaluations(
  first: Comparable,
  second: Comparable,
  options: BootstrapOptions = {},
): Measured {
  if (first.perplexityModel !== second.perplexityModel) {
    throw new LadError(
      "invalid-option",
      `The evaluations were judged by ${first.perplexityModel} and ${second.perplexityModel}. Evaluate both with the same perplexityUnder.`,
    );
  }
  const others = new Map(second.items.map((item) => [item.key, item]));
  const common = inOrder(first.items.filter(({ key }) => others.has(key)));
  if (common.length === 0) {
    throw new LadError(
      "invalid-option",
      "The evaluations have no question in common. Give both the same items.",
    );
  }
  return differences(common, inOrder(common.flatMap(({ key }) => others.get(key) ?? [])), options);
}
