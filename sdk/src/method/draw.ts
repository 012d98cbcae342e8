/**
 * One token from one position's logits, as the worker draws it: for a sampler of one's own that asks `predict` for logits.
 *
 * Probabilities are float64 here and on the worker; they may differ in the last bits, so that a number within about 1e-12 of a
 * border between two tokens can fall on either side.
 */
import { argsort } from "./random.js";

/** How a token is drawn. Every setting but `logits` and `uniform` may be left out: then it has no effect. */
export interface TokenDraw {
  /** The position's logits, one for each vocabulary entry. */
  readonly logits: ArrayLike<number>;
  /** In [0, 1): number p of `uniforms(seed, Purpose.draw, canvas, iteration, …)` for position p. Not used at temperature 0. */
  readonly uniform: number;
  /** Default 0: the most probable token, the lowest id on ties. */
  readonly temperature?: number | undefined;
  /** Exactly so many of the most probable tokens are left, lower ids on ties. 0: all. */
  readonly topK?: number | undefined;
  /** Of those the shortest run of the most probable ones whose sum reaches this, at least one. 1: all. */
  readonly topP?: number | undefined;
  /** Added to the logits of `stopTokenIds`; -Infinity forbids them. */
  readonly eosBias?: number | undefined;
  /** The base's. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /** The base's mask token, which is then never drawn. Default: none, and it may be drawn like any other token. */
  readonly maskTokenId?: number | undefined;
  /**
   * What counts as confidence: the probability at temperature 1 before any filter (`unfiltered`, the default), or in the distribution that
   * is drawn from (`filtered`).
   */
  readonly confidence?: "unfiltered" | "filtered" | undefined;
}

/** A token that was drawn. */
export interface DrawnToken {
  /** The token. */
  readonly id: number;
  /** Its probability: at temperature 1 before any filter, or (`filtered`) in the distribution that was drawn from. */
  readonly confidence: number;
}

/** Draws one token by the inverse of the cumulative distribution in order of ids. A token of probability 0 is never drawn. */
export function drawToken(draw: TokenDraw): DrawnToken {
  const { temperature = 0, topK = 0, topP = 1, confidence = "unfiltered" } = draw;
  const logits = biased(draw);
  const unfiltered = softmax(logits);
  if (temperature === 0) {
    const id = logits.reduce((best, logit, i) => (logit > (logits[best] as number) ? i : best), 0);
    return { id, confidence: confidence === "filtered" ? 1 : (unfiltered[id] as number) };
  }
  const filtered = filteredProbabilities(logits, temperature, topK, topP);
  const id = inverseCdf(filtered, draw.uniform);
  return { id, confidence: (confidence === "filtered" ? filtered : unfiltered)[id] as number };
}

/** Entropy of a position's distribution at temperature 1, in nats. */
export function entropy(logits: ArrayLike<number>): number {
  return softmax(Float64Array.from(logits)).reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

/** What `tokenDistribution` depends on. */
export type TokenFilter = Omit<TokenDraw, "uniform" | "confidence">;

/** The distribution that a token is drawn from at temperature > 0: softmax(logits / temperature) after bias, top-k and top-p. */
export function tokenDistribution(filter: TokenFilter): Float64Array {
  const { temperature = 1, topK = 0, topP = 1 } = filter;
  return filteredProbabilities(biased(filter), temperature, topK, topP);
}

/** The first id whose share of the cumulative sum exceeds `uniform`. A token of weight 0 is never drawn. */
export function inverseCdf(weights: ArrayLike<number>, uniform: number): number {
  const cumulative = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) cumulative[i] = sum += weights[i] as number;
  return cumulative.findIndex((value) => value > uniform * sum);
}

function biased({ logits, eosBias = 0, stopTokenIds, maskTokenId }: TokenFilter): Float64Array {
  const copy = Float64Array.from(logits);
  if (maskTokenId !== undefined) copy[maskTokenId] = Number.NEGATIVE_INFINITY;
  if (eosBias === 0) return copy;
  if (stopTokenIds === undefined) throw new RangeError("stopTokenIds is missing: eosBias needs it.");
  for (const id of stopTokenIds) copy[id] = (copy[id] as number) + eosBias;
  return copy;
}

function filteredProbabilities(
  logits: Float64Array,
  temperature: number,
  topK: number,
  topP: number,
): Float64Array {
  const scaled = logits.map((logit) => logit / temperature);
  const order = argsort(scaled.map((logit) => -logit));
  const drop = (from: number) => {
    for (const id of order.subarray(from)) scaled[id] = Number.NEGATIVE_INFINITY;
  };
  if (topK > 0) drop(topK);
  if (topP < 1) {
    const probabilities = softmax(scaled);
    let sum = 0;
    let length = 0;
    while (length < order.length && sum < topP) sum += probabilities[order[length++] as number] as number;
    drop(length);
  }
  return softmax(scaled);
}

function softmax(logits: Float64Array): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = logits.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
