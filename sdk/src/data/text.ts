/** The text functions of a base: its tokenizer and chat template, which run in the worker. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { integer, text } from "../checks/fields.js";
import type { Client } from "../client.js";
import { batches } from "../grpc/batches.js";
import type { ChatMessage } from "../options.js";
import { DataService, present, toMessages, toTokenIds } from "../wire.js";

const wholeTexts = z.array(text()).readonly();
const tokenSequences = z.array(z.array(integer(0)).readonly());

/** A chat rendered by the model's template. */
export interface Rendered {
  /** The text, with special tokens written out. */
  readonly text: string;
  /** The token ids of the text. */
  readonly ids: readonly number[];
}

/** How text is encoded. */
interface TextSettings {
  /** Whether written-out special tokens are encoded as those tokens, not as text. */
  readonly allowSpecial: boolean;
  /** Whether the tokens that the tokenizer itself puts around a text are added. Default: false. */
  readonly addSpecial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The token ids of each text. */
export async function encodeTexts(
  client: Client,
  baseId: string,
  texts: readonly string[],
  { allowSpecial, addSpecial = false, signal }: TextSettings,
): Promise<number[][]> {
  check(wholeTexts, texts, "texts");
  const ids: number[][] = [];
  for (const some of batches(texts, (text) => 3 * text.length)) {
    const request = { baseId, texts: some, allowSpecial, addSpecial };
    const { results } = await client.call(DataService.encode, request, { signal });
    ids.push(...some.map((_, i) => present(results[i], "EncodeResponse.results").ids));
  }
  return ids;
}

export async function decodeSequences(
  client: Client,
  baseId: string,
  sequences: readonly ArrayLike<number>[],
  keepSpecial: boolean,
  signal?: AbortSignal,
): Promise<string[]> {
  const checked = check(
    tokenSequences,
    sequences.map((ids) => Array.from(ids ?? [Number.NaN])),
    "sequences",
  );
  const decoded: string[] = [];
  for (const some of batches(checked, (ids) => 3 * ids.length)) {
    const request = { baseId, sequences: some.map((ids) => toTokenIds(ids)), keepSpecial };
    const { texts } = await client.call(DataService.decode, request, { signal });
    decoded.push(...some.map((_, i) => present(texts[i], "DecodeResponse.texts")));
  }
  return decoded;
}

/** Renders a chat as a prompt for the assistant's answer. */
export async function renderChat(
  client: Client,
  baseId: string,
  messages: readonly ChatMessage[],
  { allowSpecial, signal }: TextSettings,
): Promise<Rendered> {
  const request = { baseId, messages: toMessages(messages), addGenerationPrompt: true, allowSpecial };
  return client.call(DataService.render, request, { signal });
}

/** A prompt: token ids, or a chat to be rendered. */
export interface PromptSource {
  readonly ids?: readonly number[] | undefined;
  readonly messages?: readonly ChatMessage[] | undefined;
  readonly allowSpecial?: boolean | undefined;
}

/** The token ids of a prompt. */
export async function promptIds(
  client: Client,
  baseId: string,
  { ids, messages = [], allowSpecial = false }: PromptSource,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  return ids ?? (await renderChat(client, baseId, messages, { allowSpecial, signal })).ids;
}
