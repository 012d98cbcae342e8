/** What a client asks, whichever API it speaks. */
import type { ChatMessage } from "../../index.js";
import type { Shape } from "../shape/shape.js";
import type { Extras } from "./extras.js";

/** What is to be answered or gone on with. */
export type AskedPrompt =
  | { readonly messages: readonly ChatMessage[] }
  | { readonly text: string }
  | { readonly ids: readonly number[] };

/** One request. */
export interface Question {
  /** A base, `base:adapter`, or an alias. */
  readonly model: string;
  /** At least one. */
  readonly prompts: readonly AskedPrompt[];
  /** Answers to each prompt. */
  readonly n: number;
  /** The most tokens of an answer. */
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** The shape of JSON that an answer must have. */
  readonly shape?: Shape | undefined;
  readonly logprobs: boolean;
  /** With them, those of so many of the most probable tokens at each position. Default: 0. */
  readonly topLogprobs?: number | undefined;
  /** Whether the client reads deltas. */
  readonly stream: boolean;
  readonly extras: Extras;
}
