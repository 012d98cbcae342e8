import { z } from "zod";
import { fields, filledText, flag, integer, list, oneOf, text } from "../checks/fields.js";

/** One turn of a chat. */
const messageSchema = fields({
  role: oneOf(["system", "user", "assistant"]),
  content: text(),
});
export type ChatMessage = Readonly<z.output<typeof messageSchema>>;

/** A chat, or a string that stands for one user message. */
export const messagesSchema = z.union(
  [
    filledText("a question that is not empty").transform((content): ChatMessage[] => [
      { role: "user", content },
    ]),
    list(messageSchema, "a list of messages, at least one"),
  ],
  { error: "a string, or a list of { role, content }" },
);

const exampleId = integer(0, Number.MAX_SAFE_INTEGER);

/** An instruction and its answer. Instruction and input are joined by a newline into one user message. */
export const instructionExample = fields({
  /** Keys the example's noise. Default: its row number. */
  id: exampleId.optional(),
  system: text().optional(),
  instruction: text(),
  input: text().optional(),
  output: text(),
});
export type InstructionExample = Readonly<z.output<typeof instructionExample>>;

/** A chat whose last message is the assistant's answer. */
export const chatExample = fields({
  /** Keys the example's noise. Default: its row number. */
  id: exampleId.optional(),
  messages: list(messageSchema, "a list of messages, at least one"),
});
export type ChatExample = Readonly<z.output<typeof chatExample>>;

/** One example of training or validation data. */
export type Example = InstructionExample | ChatExample;

/** How examples become windows of tokens: prompt, answer and EOS tail together. */
export const windowShape = {
  /** Length of the window in tokens. */
  windowTokens: integer(2, 2 ** 20).default(256),
  /** Pad with the token that ends an answer: the tail is visible, noised and predicted, which is how the model learns where to stop. */
  padToWindow: flag().default(true),
  /** What happens to an example that does not fit; every dropped or truncated one is counted and reported. */
  tooLong: oneOf(["drop", "truncate", "error"]).default("drop"),
  /** Longest prompt in tokens; a longer one counts as too long. 0: no limit of its own. */
  maxPromptTokens: integer(0, 2 ** 20).default(0),
  /** Which assistant turns of a chat are answers: the last one, or all. */
  superviseTurns: oneOf(["last", "all-assistant"]).default("last"),
  /**
   * Special tokens that are written out in a message or an answer, such as `<|im_end|>`, are those tokens. Without it they are text,
   * as everything else in it, and the report counts them; the chat template's own are special tokens always.
   */
  allowSpecial: flag().default(false),
};
export const windowOptions = fields(windowShape);
export type WindowOptions = z.input<typeof windowOptions>;
export type WindowSpec = Readonly<z.output<typeof windowOptions>>;

/** A split of a data set on the Hugging Face hub, read by the worker. */
export const hubSplit = fields({
  /** For instance `tatsu-lab/alpaca`. */
  name: filledText(),
  config: text().default(""),
  split: filledText().default("train"),
  /** A branch, tag or commit. */
  revision: text().default(""),
  /** Default: what the worker's own environment holds. */
  hubToken: text().default(""),
  /** 0: all. */
  maxExamples: integer(0).default(0),
});
export type HubSplit = z.input<typeof hubSplit>;
