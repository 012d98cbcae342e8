/** How a model's items are scored, and what is kept of each. */
import type { FrozenBase } from "../../frozen-base.js";
import type { Snapshot } from "../../snapshot.js";
import type { BenchmarkItem } from "../items.js";

/** A model whose weights stay as they are. */
export type ScoredModel = Snapshot | FrozenBase;

/** What one model made of one item. */
export interface ItemResult {
  /** The item's name. */
  readonly id: string;
  /** Whether it is right. */
  readonly correct: boolean;
  /** What the model wrote; of `likelihood`: none. */
  readonly answer?: string | undefined;
  /** What was read in it: a letter, a number, a text; null where nothing could be read. */
  readonly read?: string | number | null | undefined;
  /** Forwards that the answer took. */
  readonly forwards?: number | undefined;
  /** Tokens of the answer, without its end. */
  readonly tokens?: number | undefined;
  /** Of each choice, in nats. */
  readonly logLikelihoods?: readonly number[] | undefined;
  /** The number of the most likely choice. */
  readonly chosen?: number | undefined;
  /** Whether the most likely choice for each character is right. */
  readonly correctByCharacters?: boolean | undefined;
  /** Whether the most likely choice for each byte of UTF-8 is right. */
  readonly correctByBytes?: boolean | undefined;
  /** Tokens of the prompt's beginning that were left out because it does not fit beside what is scored or written. */
  readonly cutTokens?: number | undefined;
}

/** Scores items for one model. */
export interface Scorer {
  /** All that its results depend on beside the items and the weights, as JSON. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** A result for each item, in order; the same whatever other items are asked with it. */
  score(items: readonly BenchmarkItem[], signal: AbortSignal | undefined): Promise<readonly ItemResult[]>;
}
