/** Figures of answers and losses, from their items. */
import { distinctN } from "../../evaluation/measures/distinct.js";
import { bootstrap, paired } from "../../evaluation/statistics/bootstrap.js";
import type { Estimate } from "../../evaluation/statistics/estimate.js";
import { jackknife, pairedJackknife } from "../../evaluation/statistics/jackknife.js";
import type { AnswerItem, Answers, ExampleLosses } from "../measured.js";
import { sum } from "../sum.js";

/** Nats a token under the causal base, over all tokens of all answers: the logarithm of the perplexity. */
export function logPerplexity({ items }: Answers): Estimate {
  return bootstrap(items, natsPerToken);
}

/** A logarithm's figure and interval as what it is the logarithm of. */
export function exponential({ value, interval: [low, high], ...rest }: Estimate): Estimate {
  return { ...rest, value: Math.exp(value), interval: [Math.exp(low), Math.exp(high)] };
}

export function logPerplexityDifference(first: Answers, second: Answers): Estimate {
  return paired(first.items, second.items, natsPerToken);
}

const SHARE = [0, 1] as const;

/** Unique bigrams over bigrams, of all answers. */
export function distinct2({ items }: Answers): Estimate {
  return jackknife(items, bigrams, SHARE);
}

export function distinct2Difference(first: Answers, second: Answers): Estimate {
  return pairedJackknife(first.items, second.items, bigrams, SHARE);
}

/** Mean forwards an answer. */
export function forwards({ items }: Answers): Estimate {
  return bootstrap(items, meanForwards);
}

export function forwardsDifference(first: Answers, second: Answers): Estimate {
  return paired(first.items, second.items, meanForwards);
}

/** Tokens through the end of each answer, over all forwards. */
export function tokensPerForward({ items }: Answers): Estimate {
  return bootstrap(items, (some) => sum(some, ({ tokens }) => tokens) / sum(some, (each) => each.forwards));
}

/** CE: nats a token, over all examples. */
export function ce(losses: ExampleLosses): Estimate {
  return bootstrap(examplesOf(losses), natsPerExampleToken);
}

export function ceDifference(first: ExampleLosses, second: ExampleLosses): Estimate {
  return paired(examplesOf(first), examplesOf(second), natsPerExampleToken);
}

export function rightOf({ items }: Answers): boolean[] {
  return items.map(({ right }) => right);
}

function natsPerToken(items: readonly AnswerItem[]): number {
  return sum(items, ({ nats }) => nats) / sum(items, ({ scored }) => scored);
}

function bigrams(items: readonly AnswerItem[]): number {
  return distinctN(
    items.map(({ ids }) => ids),
    2,
  );
}

function meanForwards(items: readonly AnswerItem[]): number {
  return sum(items, (each) => each.forwards) / items.length;
}

function examplesOf({ nats, tokens }: ExampleLosses): { nats: number; tokens: number }[] {
  return nats.map((each, i) => ({ nats: each, tokens: tokens[i] ?? 0 }));
}

function natsPerExampleToken(examples: readonly { nats: number; tokens: number }[]): number {
  return sum(examples, ({ nats }) => nats) / sum(examples, ({ tokens }) => tokens);
}
