/** What a measure is given of each answer, and what it says of itself. */
import type { Answer } from "../../wire.js";

/** Log-likelihoods in nats of an answer's tokens under a causal model given its prompt, as `score` gives them. */
export interface TokenScores {
  /** One a token, up to the first stop token. */
  readonly tokenLogLikelihoods: ArrayLike<number>;
}

/** An answer, and what is known of it. */
export interface Answered {
  /** What was sampled. */
  readonly answer: Answer;
  /** The right answer, where there is one. */
  readonly reference: string | undefined;
  /** Under the causal base without adapters; undefined for an answer without a token before its end. */
  readonly scores: TokenScores | undefined;
}

/** What a set of answers is measured by. */
export interface Measure<Value> {
  /** As tables name it. */
  readonly label: string;
  /** What its figure counts, such as `share`, which goes from 0 to 1. */
  readonly unit: string;
  /** Its input. With `references`, only answers that have a reference are passed. */
  readonly needs: "answers" | "references" | "likelihoods";
  /** The value of a set of answers. */
  of(answered: readonly Answered[]): Value;
  /** Its one number, to compare by; NaN where there is none. */
  figure(value: Value): number;
  /** Where the figure lies with 95 % confidence, of a measure that knows. */
  interval?(value: Value): readonly [low: number, high: number];
}
