import type { Client } from "../client.js";
import type { AttentionModeName } from "../options/attention.js";
import type { SamplingTarget } from "../runs/sampling.js";
import { ATTENTION_MODE, EvaluationService, fromFloat32Bytes, toTokenIds } from "../wire.js";

/** log p(continuation | prompt), in nats. */
export interface Score {
  /** Of the whole continuation: the sum over its tokens. */
  readonly logLikelihood: number;
  /** One a continuation token, up to its first stop token. */
  readonly tokenLogLikelihoods: Float32Array;
  /** Every token was the most probable one. */
  readonly greedy: boolean;
}

/** A prompt and what follows it, as token ids. */
export interface ScoredSequence {
  readonly prompt: Iterable<number>;
  readonly continuation: Iterable<number>;
}

const ITEMS_A_CALL = 64;

/** Scores of any number of items, in order, a few dozen to a call. */
export async function scoreItems(
  client: Client,
  target: SamplingTarget,
  items: readonly ScoredSequence[],
  attention: AttentionModeName,
  signal: AbortSignal | undefined,
): Promise<Score[]> {
  const all: Score[] = [];
  for (let start = 0; start < items.length; start += ITEMS_A_CALL) {
    const request = {
      ...target,
      mode: ATTENTION_MODE[attention],
      items: items.slice(start, start + ITEMS_A_CALL).map(({ prompt, continuation }) => ({
        prompt: toTokenIds(prompt),
        continuation: toTokenIds(continuation),
      })),
    };
    const { scores } = await client.call(EvaluationService.score, request, { signal });
    for (const { logLikelihood, tokenLogLikelihoods, greedy } of scores) {
      all.push({ logLikelihood, tokenLogLikelihoods: fromFloat32Bytes(tokenLogLikelihoods), greedy });
    }
  }
  return all;
}
