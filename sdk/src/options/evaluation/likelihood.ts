/** What `score` takes for log p(continuation | prompt) (docs/method.md §7). */
import { check } from "../../checks/check.js";
import { fields, flag, integer, seed } from "../../checks/fields.js";
import { type Complete, fieldsOf } from "../../checks/fields-of.js";
import { kindSchema } from "../../checks/kind-schema.js";
import type { OptionsByKind } from "../../method/kinds.js";

/** How the Monte-Carlo likelihood is drawn. */
export interface MonteCarloOptions {
  /** Masks that are drawn for each item, a forward for each different one: an integer from 1 to 65,536. Default: 128. */
  samples?: number | undefined;
  /**
   * Whether the numbers of masked tokens lie evenly over all that are possible, from a drawn one on, as in LLaDA's own evaluation: the same
   * mean with less variance. Otherwise each sample draws its own. Default: true.
   */
  stratified?: boolean | undefined;
  /** Keys the masks, together with each item's key: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
}

/** Each token given those before it. */
export interface Causal {
  /** Names the likelihood. */
  readonly kind: "causal";
}

/** Each token where the whole continuation is masked. */
export interface PseudoLikelihood {
  /** Names the likelihood. */
  readonly kind: "pseudo";
}

/** The Monte-Carlo likelihood, complete. */
export interface MonteCarlo extends Omit<Complete<MonteCarloOptions>, "seed"> {
  /** Keys the masks. */
  readonly seed: bigint;
  /** Names the likelihood. */
  readonly kind: "monte-carlo";
}

/** A likelihood, complete. */
export type Likelihood = Causal | PseudoLikelihood | MonteCarlo;

export const monteCarloFields = fieldsOf<MonteCarloOptions>()({
  samples: integer(1, 65_536).default(128),
  stratified: flag().default(true),
  seed: seed().default(0n),
});

/** The likelihood of the causal model: Σ log p(token | all before it). */
export function causal(): Causal {
  return { kind: "causal" };
}

/** What a model that denoises makes of the continuation in one forward, all of it masked: Σ log p(token | prompt). */
export function pseudoLikelihood(): PseudoLikelihood {
  return { kind: "pseudo" };
}

/**
 * LLaDA's estimate (arXiv 2502.09992) of the likelihood of a model that denoises, whose bound it is: the mean over samples of
 * L/l · Σ log p over the l masked tokens of L, l being uniform on 1 to L.
 */
export function monteCarlo(options: MonteCarloOptions = {}): MonteCarlo {
  return { kind: "monte-carlo", ...check(monteCarloFields, options) };
}

const likelihoods = { causal, pseudo: pseudoLikelihood, "monte-carlo": monteCarlo } as const;

/** The name of a likelihood. */
export type LikelihoodKind = keyof typeof likelihoods;

/** A likelihood, or its kind's name; `causal()`, `pseudoLikelihood()` and `monteCarlo()` make one. */
export type LikelihoodInput = LikelihoodKind | OptionsByKind<typeof likelihoods>;

/** The causal likelihood, or its name. */
export type CausalInput = Extract<LikelihoodInput, "causal" | CausalKind>;

interface CausalKind {
  /** Which likelihood. */
  kind: "causal";
}

export const likelihoodSchema = kindSchema<LikelihoodKind, Likelihood, OptionsByKind<typeof likelihoods>>(
  likelihoods,
  (kind) => (kind === "monte-carlo" ? monteCarloFields : fields({})),
);
