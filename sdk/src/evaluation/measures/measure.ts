/** What a measure is given of each answer, and what it says of itself. */
import type { Answer } from "../../wire.js";

/** Log-likelihoods in nats of an answer's tokens under a causal model given its prompt, as `score` gives them. */
export interface TokenScores {
  /** One a token, up to the first stop token. */
  readonly tokenLogLikelihoods: ArrayLike<number>;
}

/** An answer, and what is known of it. */
export interface Answered {
  /** Tells its question from others: the same wherever the same question with the same reference is asked. */
  readonly key: string;
  /** What was sampled. */
  readonly answer: Answer;
  /** The right answer, where there is one. */
  readonly reference: string | undefined;
  /** Under the causal model that judges; undefined for an answer without a token before its end. */
  readonly scores: TokenScores | undefined;
}

/** What a set of answers is measured by. */
export interface Measure<Item> {
  /** As tables name it. */
  readonly label: string;
  /** What its figure counts, such as `share`, which goes from 0 to 1. */
  readonly unit: string;
  /** Its input. With `references`, only answers that have a reference count. */
  readonly needs: "answers" | "references" | "likelihoods";
  /**
   * How its interval is found: Wilson's for a share of items that are true or false; the bootstrap over items for what adds up; the jackknife
   * for what counts different things, which a bootstrap draws twice.
   */
  readonly interval: "wilson" | "bootstrap" | "jackknife";
  /** What the figure cannot leave. Default: anything. */
  readonly range?: readonly [low: number, high: number];
  /** What the figure takes of an answer; undefined for an answer that does not count. */
  item(answered: Answered): Item | undefined;
  /** The figure of all that count; NaN where there is none. */
  figure(items: readonly Item[]): number;
}
