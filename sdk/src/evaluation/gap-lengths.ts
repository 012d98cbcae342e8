/** How well answers with gaps of different lengths fit their prompt (docs/method.md §6). */
import type { Client } from "../client.js";
import type { Answer, BaseInfo } from "../wire.js";
import { scoredTokens } from "./measures/perplexity.js";
import { CAUSAL, scoreItems } from "./scoring.js";

/** The log-likelihood of each answer, up to and with its end, under the causal base without adapters. */
export async function fitsUnderBase(
  client: Client,
  base: BaseInfo,
  prompt: readonly number[],
  answers: readonly Answer[],
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const items = answers.map(({ canvasIds }) => ({
    prompt,
    continuation: scoredTokens(canvasIds, base.stopTokenIds) ?? [],
  }));
  const scores = await scoreItems(client, { baseId: base.id, adapterId: "" }, items, CAUSAL, signal);
  return scores.map(({ logLikelihood }) => logLikelihood);
}
