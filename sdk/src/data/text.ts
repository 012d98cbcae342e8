/** The text functions of a base: its tokenizer and its chat template, which live in the worker. */
import { z } from "zod";
import { check } from "../checks/check.js";
import { integer } from "../checks/fields.js";
import type { Client } from "../client.js";
import { batches } from "../grpc/batches.js";
import type { ChatMessage } from "../options.js";
import { DataService, present, toMessages, toTokenIds } from "../wire.js";

const tokenSequences = z.array(z.array(integer(0)).readonly());

/** A chat as the model's template renders it. */
export interface Rendered {
  /** With its special tokens written out. */
  readonly text: string;
  /** The same as token ids. */
  readonly ids: readonly number[];
}

/** What is made of text, and how. */
interface TextSettings {
  /** Special tokens that are written out in it are those tokens, not text. */
  readonly allowSpecial: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Token ids of each text, without special tokens of the tokenizer's own. */
export async function encodeTexts(
  client: Client,
  baseId: string,
  texts: readonly string[],
  { allowSpecial, signal }: TextSettings,
): Promise<number[][]> {
  const ids: number[][] = [];
  for (const some of batches(texts, (text) => 3 * text.length)) {
    const request = { baseId, texts: some, allowSpecial };
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

/** A chat as a prompt that the assistant's answer follows. */
export async function renderChat(
  client: Client,
  baseId: string,
  messages: readonly ChatMessage[],
  { allowSpecial, signal }: TextSettings,
): Promise<Rendered> {
  const request = { baseId, messages: toMessages(messages), addGenerationPrompt: true, allowSpecial };
  return client.call(DataService.render, request, { signal });
}
