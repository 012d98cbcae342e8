import type { Client } from "../client.js";
import type { AttentionModeName } from "../options/attention.js";
import type { SamplingTarget } from "../runs/sampling.js";
import { EvaluationService, fromFloat32Bytes, numberOf, pb, type Score, toTokenIds } from "../wire.js";

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
      mode: numberOf(pb.training.AttentionMode, attention),
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
