/** What `base.writeAnswers` takes. */
import { check } from "../checks/check.js";
import { above, atLeast, callback, filledText, integer, oneOf, seed } from "../checks/fields.js";
import { fieldsOf } from "../checks/fields-of.js";
import { type CallOptions, callShape } from "./call.js";
import { type DataSource, dataSourceSchema } from "./data-source.js";

/** How far `base.writeAnswers` is. */
export interface WritingProgress {
  /** Prompts that have an answer. */
  readonly done: number;
  /** All prompts. */
  readonly total: number;
}

/** Options of `base.writeAnswers`. */
export interface WriteAnswersOptions extends Pick<CallOptions, "signal"> {
  /** Examples, of which the prompts are taken; their own answers are not looked at. */
  prompts: DataSource;
  /** The folder of this machine in which the answers are kept, and found again by what they depend on. */
  folder: string;
  /**
   * The most tokens of an answer: an integer from 1 to 1,048,576. Default: 256, or half of the base's positions where those are fewer.
   */
  answerTokens?: number | undefined;
  /** Divides the logits: a finite number of at least 0. Default: 0, the most probable token. */
  temperature?: number | undefined;
  /** Only so many of the most probable tokens are drawn from: an integer of at least 0. Default: 0, no limit. */
  topK?: number | undefined;
  /**
   * Only the fewest most probable tokens that together have this probability are drawn from: a number above 0 and at most 1.
   * Default: 1, no limit.
   */
  topP?: number | undefined;
  /** Keys the draws, to which each prompt adds its row: an integer from 0 to 2^64 − 1 (above 2^53 − 1 as a bigint). Default: 0. */
  seed?: number | bigint | undefined;
  /**
   * What happens to answers that reached `answerTokens` before they ended: they are left out (`drop`), since their end cannot be learnt
   * from, or stay (`keep`); they are counted either way. Default: `drop`.
   */
  cut?: "drop" | "keep" | undefined;
  /** Prompts that are answered in one run, and lost where it is interrupted: an integer from 1 to 4096. Default: 128. */
  batchPrompts?: number | undefined;
  /** Called before the first run and after each. Default: none. */
  onProgress?: ((progress: WritingProgress) => void) | undefined;
}

export const writeAnswersFields = fieldsOf<WriteAnswersOptions>()({
  prompts: dataSourceSchema,
  folder: filledText("a folder's path"),
  answerTokens: integer(1, 2 ** 20).optional(),
  temperature: atLeast(0).default(0),
  topK: integer(0).default(0),
  topP: above(0).max(1, { error: "a number above 0 and at most 1" }).default(1),
  seed: seed().default(0n),
  cut: oneOf(["drop", "keep"]).default("drop"),
  batchPrompts: integer(1, 4096).default(128),
  onProgress: callback<(progress: WritingProgress) => void>().optional(),
  signal: callShape.signal,
});

export type CheckedWriting = ReturnType<typeof checkWriteAnswers>;

/** @throws LadError `invalid-option` */
export function checkWriteAnswers(options: WriteAnswersOptions) {
  return check(writeAnswersFields, options);
}
