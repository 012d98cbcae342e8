import { createHash } from "node:crypto";
import type { Client } from "../client.js";
import type { AttentionModeName } from "../options/attention.js";
import { type Likelihood, causal as ofCausal } from "../options/evaluation/likelihood.js";
import type { SamplingTarget } from "../runs/sampling.js";
import { EvaluationService, fromScore, numberOf, pb, type Score, toLikelihood, toTokenIds } from "../wire.js";

/** A prompt and what follows it, as token ids. */
export interface ScoredSequence {
  readonly prompt: Iterable<number>;
  readonly continuation: Iterable<number>;
  /** Keys the item's draws. Default: from its tokens. */
  readonly key?: bigint | undefined;
}

/** How sequences are scored. */
export interface Scoring {
  readonly likelihood: Likelihood;
  readonly attention: AttentionModeName;
}

/** By the causal model. */
export const CAUSAL: Scoring = { likelihood: ofCausal(), attention: "causal" };

const ITEMS_A_CALL = 512;
/** Of four bytes each, within the largest request. */
const TOKENS_A_CALL = 1_000_000;

/** Scores of any number of items, in order, some hundreds to a call: the worker computes once what a call's prompts have in common. */
export async function scoreItems(
  client: Client,
  target: SamplingTarget,
  items: readonly ScoredSequence[],
  { likelihood, attention }: Scoring,
  signal: AbortSignal | undefined,
): Promise<Score[]> {
  const sent = items.map(({ prompt, continuation, key }) => {
    const ids = { prompt: Array.from(prompt), continuation: Array.from(continuation) };
    return { ...ids, key: key ?? itemKey(ids) };
  });
  const all: Score[] = [];
  for (const group of groupsOf(sent)) {
    const request = {
      ...target,
      mode: numberOf(pb.training.AttentionMode, attention),
      likelihood: toLikelihood(likelihood),
      items: group.map(({ prompt, continuation, key }) => ({
        prompt: toTokenIds(prompt),
        continuation: toTokenIds(continuation),
        key,
      })),
    };
    const { scores } = await client.call(EvaluationService.score, request, { signal });
    all.push(...scores.map(fromScore));
  }
  return all;
}

interface Item {
  readonly prompt: readonly number[];
  readonly continuation: readonly number[];
  readonly key: bigint;
}

/** The first 64 bits of SHA-256 of the number of the prompt's tokens, and all tokens, in words of 32 bits, little endian. */
export function itemKey({ prompt, continuation }: Omit<Item, "key">): bigint {
  const words = Uint32Array.from([prompt.length, ...prompt, ...continuation]);
  return createHash("sha256").update(words).digest().readBigUInt64LE(0);
}

/** Neighbouring items, as many as a call holds. */
function groupsOf(items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  let tokens = 0;
  for (const item of items) {
    const own = item.prompt.length + item.continuation.length;
    const last = groups.at(-1);
    if (last === undefined || last.length === ITEMS_A_CALL || tokens + own > TOKENS_A_CALL) {
      groups.push([item]);
      tokens = own;
    } else {
      last.push(item);
      tokens += own;
    }
  }
  return groups;
}
