import { z } from "zod";
import { atLeast, filledText, flag, integer, list, oneOf, text } from "../checks/fields.js";
import { type Complete, fieldsOf } from "../checks/fields-of.js";
import { meant } from "../checks/meaning.js";

/** One turn of a chat. */
export interface ChatMessage {
  /** Who speaks. */
  readonly role: "system" | "user" | "assistant";
  /** What is said. */
  readonly content: string;
}

export const messageSchema = fieldsOf<ChatMessage>()({
  role: oneOf(["system", "user", "assistant"]),
  content: text(),
});

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

/** What a row of other data calls a field of an example. */
const readSo = (key: string) => {
  const field = meant(key, ["instruction", "input", "output", "system", "messages"]);
  return field && `Did you mean ${field}? Files are read so with fields.`;
};

const exampleId = integer(0, Number.MAX_SAFE_INTEGER);
const sourceName = text().max(64, { error: "a string of at most 64 characters" });

/** An instruction and its answer. Instruction and input are joined by a newline into one user message. */
export interface InstructionExample {
  /** Keys the example's noise: an integer from 0 to 9,007,199,254,740,991. Default: its row number. */
  readonly id?: number | undefined;
  /** The system message. Default: the base's `info.systemPrompt`. */
  readonly system?: string | undefined;
  /** What is asked. */
  readonly instruction: string;
  /** What the instruction is about. Default: none. */
  readonly input?: string | undefined;
  /** The answer. */
  readonly output: string;
  /** How many times its loss counts: a finite number of at least 0; at 0 it does not train. Default: 1. */
  readonly weight?: number | undefined;
  /** The name of where it comes from, for reports: a string of at most 64 characters. Default: none. */
  readonly source?: string | undefined;
}

export const instructionExample = fieldsOf<InstructionExample>()(
  {
    id: exampleId.optional(),
    system: text().optional(),
    instruction: text(),
    input: text().optional(),
    output: text(),
    weight: atLeast(0).optional(),
    source: sourceName.optional(),
  },
  readSo,
);

/** A chat whose last message is the assistant's answer. */
export interface ChatExample {
  /** Keys the example's noise: an integer from 0 to 9,007,199,254,740,991. Default: its row number. */
  readonly id?: number | undefined;
  /** The turns, at least one; the last is the assistant's. */
  readonly messages: readonly ChatMessage[];
  /** How many times its loss counts: a finite number of at least 0; at 0 it does not train. Default: 1. */
  readonly weight?: number | undefined;
  /** The name of where it comes from, for reports: a string of at most 64 characters. Default: none. */
  readonly source?: string | undefined;
}

export const chatExample = fieldsOf<ChatExample>()(
  {
    id: exampleId.optional(),
    messages: list(messageSchema, "a list of messages, at least one"),
    weight: atLeast(0).optional(),
    source: sourceName.optional(),
  },
  readSo,
);

/** One example of training or validation data. */
export type Example = InstructionExample | ChatExample;

/** How examples become windows of tokens: prompt, answer and EOS tail together. */
export interface WindowOptions {
  /** Length of the window in tokens: an integer from 2 to 1,048,576. Default: 256. */
  windowTokens?: number | undefined;
  /**
   * Fill the window up behind the token that ends an answer: this tail is visible, noised and predicted, which is how the model learns
   * where to stop. Default: true.
   */
  padToWindow?: boolean | undefined;
  /**
   * What happens to an example that does not fit: it is left out (`drop`), cut (`truncate`), or refused (`error`); every dropped or
   * truncated one is counted and reported. Default: `drop`.
   */
  tooLong?: "drop" | "truncate" | "error" | undefined;
  /** Longest prompt in tokens: an integer from 0 to 1,048,576; a longer one counts as too long. Default: 0, no limit of its own. */
  maxPromptTokens?: number | undefined;
  /** Which assistant turns of a chat are answers: the `last` one, or all (`all-assistant`). Default: `last`. */
  superviseTurns?: "last" | "all-assistant" | undefined;
  /**
   * Special tokens that are written out in a message or an answer, such as `<|im_end|>`, are those tokens. Without it they are text,
   * as everything else in it, and the report counts them; the chat template's own are special tokens always. Default: false.
   */
  allowSpecial?: boolean | undefined;
  /**
   * What fills the tail in turn behind the token that ends an answer (rainbow padding, arXiv 2510.03680: seven are enough), so that no
   * one token is likely everywhere: a list of at most 64 texts, each one token of the base, that answers never use and that is not its
   * mask token. Default: none, the token that ends an answer.
   */
  padTokens?: readonly string[] | undefined;
}

/** How examples become windows, complete. */
export interface WindowSpec extends Complete<WindowOptions> {}

/** What fills a tail in turn. */
export function padTokens() {
  const error = "a list of at most 64 texts, each one token";
  return z.array(filledText(), { error }).max(64, { error }).readonly();
}

export const windowShape = {
  windowTokens: integer(2, 2 ** 20).default(256),
  padToWindow: flag().default(true),
  tooLong: oneOf(["drop", "truncate", "error"]).default("drop"),
  maxPromptTokens: integer(0, 2 ** 20).default(0),
  superviseTurns: oneOf(["last", "all-assistant"]).default("last"),
  allowSpecial: flag().default(false),
  padTokens: padTokens().default([]),
};
export const windowOptions = fieldsOf<WindowOptions>()(windowShape);

/** A split of a data set on the Hugging Face hub, read by the worker. */
export interface HubSplit {
  /** The data set's id, for instance `tatsu-lab/alpaca`. */
  name: string;
  /** One of the data set's configurations. Default: its own default. */
  config?: string | undefined;
  /** One of the configuration's splits. Default: `train`. */
  split?: string | undefined;
  /** A branch, tag or commit. Default: the default branch. */
  revision?: string | undefined;
  /** A token for gated data sets. Default: what the worker's own environment holds (`HF_TOKEN`). */
  hubToken?: string | undefined;
  /** How many examples, from the first on: an integer of at least 0. Default: 0, all. */
  maxExamples?: number | undefined;
}

export const hubSplit = fieldsOf<HubSplit>()({
  name: filledText(),
  config: text().default(""),
  split: filledText().default("train"),
  revision: text().default(""),
  hubToken: text().default(""),
  maxExamples: integer(0).default(0),
});
